//go:build (amd64 || arm64) && !noasm

package kernel

import (
	"unsafe"

	"dcgan/internal/random"
)

// The assembly of these kernels, whose names end in SIMD, is each architecture's own, AVX2's or NEON's; a variant with
// wider vectors has its own of some. It takes whole blocks of vectors, and the plain Go what is left of a slice: their
// bits are the same. Lengths are checked here, by slicing, before the assembly gets pointers.

const flatBlock = 16 // values that are taken one by one

// channelCode is the assembly for rows of channels, for one width of vectors. It reads and writes row by row, in the order
// of memory.
type channelCode struct {
	lanes     int // that channels must be a multiple of
	sums      func(sum *float64, x *float32, rows, stride, channels int)
	moments   func(sum, squares *float64, x *float32, rows, stride, channels int)
	normGrads func(sum, product *float64, dy, z, scale, shift *float32, slope float32, rows, stride, channels int)
	scale     func(y, z, scale, shift *float32, slope float32, rows, stride, channels int)
	normBack  func(dy, z, scale, shift, a, b, c *float32, slope float32, rows, channels int)
}

// use sets a variant's kernels on channels. Channels that are not whole vectors are left to those that it had.
func (code channelCode) use(set *Set) {
	had := *set
	// whole is how many channels are whole vectors, and the size of rows of them; none where there is no row.
	whole := func(channels, rows, stride int) (width, size int) {
		if width = channels - channels%code.lanes; width == 0 || rows <= 0 {
			return 0, 0
		}
		return width, (rows-1)*stride + width
	}
	set.Sums = func(sum []float64, x []float32, rows, stride int) {
		if width, size := whole(len(sum), rows, stride); width > 0 {
			code.sums(&sum[0], &x[:size][0], rows, stride, width)
			sum, x = sum[width:], x[width:]
		}
		if len(sum) > 0 {
			had.Sums(sum, x, rows, stride)
		}
	}
	set.Moments = func(sum, squares []float64, x []float32, rows, stride int) {
		squares = squares[:len(sum)]
		if width, size := whole(len(sum), rows, stride); width > 0 {
			code.moments(&sum[0], &squares[0], &x[:size][0], rows, stride, width)
			sum, squares, x = sum[width:], squares[width:], x[width:]
		}
		if len(sum) > 0 {
			had.Moments(sum, squares, x, rows, stride)
		}
	}
	set.NormGrads = func(sum, product []float64, dy, z, scale, shift []float32, slope float32, rows, stride int) {
		product, scale, shift = product[:len(sum)], scale[:len(sum)], shift[:len(sum)]
		if width, size := whole(len(sum), rows, stride); width > 0 {
			code.normGrads(&sum[0], &product[0], &dy[:size][0], &z[:size][0], &scale[0], &shift[0], slope, rows, stride, width)
			sum, product, scale, shift = sum[width:], product[width:], scale[width:], shift[width:]
			dy, z = dy[width:], z[width:]
		}
		if len(sum) > 0 {
			had.NormGrads(sum, product, dy, z, scale, shift, slope, rows, stride)
		}
	}
	set.Scale = func(y, z, scale, shift []float32, slope float32, rows, stride int) {
		width, size := whole(len(scale), rows, stride)
		if width < len(scale) || width == 0 {
			had.Scale(y, z, scale, shift, slope, rows, stride)
			return
		}
		code.scale(&y[:rows*width][0], &z[:size][0], &scale[0], &shift[:width][0], slope, rows, stride, width)
	}
	set.NormBack = func(dy, z, scale, shift, a, b, c []float32, slope float32, rows int) {
		width, size := whole(len(a), rows, len(a))
		if width < len(a) || width == 0 {
			had.NormBack(dy, z, scale, shift, a, b, c, slope, rows)
			return
		}
		scale, shift, b, c = scale[:width], shift[:width], b[:width], c[:width]
		code.normBack(&dy[:size][0], &z[:size][0], &scale[0], &shift[0], &a[0], &b[0], &c[0], slope, rows, width)
	}
}

// leakyCode is the assembly of a leaky rectifier, for one width of vectors.
type leakyCode struct {
	leaky, back func(y *float32, above, mask *uint64, n int, slope, scale float32)
}

// use sets a variant's rectifier. The values of an incomplete word of bits are left to plain Go.
func (code leakyCode) use(set *Set) {
	over := func(assembly func(*float32, *uint64, *uint64, int, float32, float32),
		generic func([]float32, []uint64, []uint64, float32, float32)) func([]float32, []uint64, []uint64, float32, float32) {
		return func(y []float32, above, mask []uint64, slope, scale float32) {
			n := len(y) &^ 63
			aboveRest, maskRest := above, mask
			if above != nil {
				aboveRest = above[n/64:]
			}
			if mask != nil {
				maskRest = mask[n/64:]
			}
			assembly(unsafe.SliceData(y), unsafe.SliceData(above), unsafe.SliceData(mask), n, slope, scale)
			generic(y[n:], aboveRest, maskRest, slope, scale)
		}
	}
	set.Leaky, set.LeakyBack = over(code.leaky, leakyGeneric), over(code.back, leakyBackGeneric)
}

func adamVectors(w, g, m, v []float32, rate, keep1, keep2, epsilon float32) (finite bool) {
	w, m, v = w[:len(g)], m[:len(g)], v[:len(g)]
	n := len(g) &^ (flatBlock - 1)
	var zeros [8]float32
	adamSIMD(unsafe.SliceData(w), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(v), n, rate, keep1, keep2, epsilon, &zeros)
	finite = adamGeneric(w[n:], g[n:], m[n:], v[n:], rate, keep1, keep2, epsilon)
	return finite && zeros == [8]float32{} // a NaN is not zero
}

func addVectors(dst, src []float32) {
	dst = dst[:len(src)]
	n := len(src) &^ (flatBlock - 1)
	addSIMD(unsafe.SliceData(dst), unsafe.SliceData(src), n)
	addGeneric(dst[n:], src[n:])
}

func keepVectors(s random.Stream, words []uint64, n int, place uint32, rate float64) {
	threshold := random.Threshold(rate)
	if len(words) == 0 || threshold > 0xffff { // of a rate that rounds to 1
		s.Keep(words, n, place, rate)
		return
	}
	counter, key := s.Counter(place, 0), s.Key()
	keepSIMD(&words[0], len(words), &counter, &key, threshold)
	random.ClearPast(words, n)
}

// vectors sets a variant's kernels on values and on channels to the assembly that all variants of this architecture have.
func vectors(set *Set) {
	channelCode{8, sumsSIMD, momentsSIMD, normGradsSIMD, scaleSIMD, normBackSIMD}.use(set)
	leakyCode{leakySIMD, leakyBackSIMD}.use(set)
	set.Adam, set.Add = adamVectors, addVectors
	set.Keep, set.Prefetch = keepVectors, prefetchSIMD
}
