//go:build (amd64 || arm64) && !noasm

package kernel

import (
	"unsafe"

	"dcgan/internal/random"
)

// The assembly of these kernels, whose names end in SIMD, is each architecture's own, AVX2's or NEON's. It takes whole
// blocks of vectors, and the plain Go what is left of a slice: their bits are the same. Lengths are checked here, by
// slicing, before the assembly gets pointers.

const (
	sumBlock  = 16 // channels of a sum
	sumRows   = 16 // rows of all channels
	rowBlock  = 8  // channels, of which all are whole blocks or none is
	flatBlock = 16 // values one by one
)

// inBlocks calls do for blocks of at most sumBlock channels and sumRows rows. All channels of some rows come before the
// next rows, so that memory is read once, and not once a block of channels.
func inBlocks(channels, rows int, do func(channel, width, row, rows int)) {
	for row := 0; row < rows; row += sumRows {
		for c := 0; c < channels; c += sumBlock {
			do(c, min(sumBlock, channels-c), row, min(sumRows, rows-row))
		}
	}
}

func sumsVectors(sum []float64, x []float32, rows, stride int) {
	inBlocks(len(sum), rows, func(c, width, row, rows int) {
		sum, x := sum[c:][:width], x[row*stride+c:][:(rows-1)*stride+width]
		if width < sumBlock {
			sumsGeneric(sum, x, rows, stride)
			return
		}
		sumsSIMD(&sum[0], &x[0], rows, stride)
	})
}

func momentsVectors(sum, squares []float64, x []float32, rows, stride int) {
	inBlocks(len(sum), rows, func(c, width, row, rows int) {
		sum, squares, x := sum[c:][:width], squares[c:][:width], x[row*stride+c:][:(rows-1)*stride+width]
		if width < sumBlock {
			momentsGeneric(sum, squares, x, rows, stride)
			return
		}
		momentsSIMD(&sum[0], &squares[0], &x[0], rows, stride)
	})
}

func normGradsVectors(sum, product []float64, dy, y, z []float32, slope float32, rows, stride int) {
	inBlocks(len(sum), rows, func(c, width, row, rows int) {
		start, size := row*stride+c, (rows-1)*stride+width
		sum, product := sum[c:][:width], product[c:][:width]
		dy, y, z := dy[start:][:size], y[start:][:size], z[start:][:size]
		if width < sumBlock {
			normGradsGeneric(sum, product, dy, y, z, slope, rows, stride)
			return
		}
		normGradsSIMD(&sum[0], &product[0], &dy[0], &y[0], &z[0], slope, rows, stride)
	})
}

func scaleVectors(y, z, scale, shift []float32, slope float32, rows int) {
	channels := len(scale)
	if channels%rowBlock != 0 || channels*rows <= 0 {
		scaleGeneric(y, z, scale, shift, slope, rows)
		return
	}
	y, z, shift = y[:rows*channels], z[:rows*channels], shift[:channels]
	scaleSIMD(&y[0], &z[0], &scale[0], &shift[0], slope, rows, channels)
}

func normBackVectors(dy, y, z, a, b, c []float32, slope float32, rows int) {
	channels := len(a)
	if channels%rowBlock != 0 || channels*rows <= 0 {
		normBackGeneric(dy, y, z, a, b, c, slope, rows)
		return
	}
	dy, y, z = dy[:rows*channels], y[:rows*channels], z[:rows*channels]
	b, c = b[:channels], c[:channels]
	normBackSIMD(&dy[0], &y[0], &z[0], &a[0], &b[0], &c[0], slope, rows, channels)
}

func leakyVectors(y []float32, mask []uint64, slope, scale float32) {
	leakyBackVectors(y, y, mask, slope, scale)
}

func leakyBackVectors(dy, y []float32, mask []uint64, slope, scale float32) {
	y = y[:len(dy)]
	n := len(dy) &^ 63 // values that have whole words of the mask
	rest := mask
	if mask != nil {
		rest = mask[n/64:]
	}
	leakyBackSIMD(unsafe.SliceData(dy), unsafe.SliceData(y), unsafe.SliceData(mask), n, slope, scale)
	leakyBackGeneric(dy[n:], y[n:], rest, slope, scale)
}

func adamVectors(w, g, m, v []float32, rate, keep1, keep2, epsilon float32) {
	w, m, v = w[:len(g)], m[:len(g)], v[:len(g)]
	n := len(g) &^ (flatBlock - 1)
	adamSIMD(unsafe.SliceData(w), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(v), n, rate, keep1, keep2, epsilon)
	adamGeneric(w[n:], g[n:], m[n:], v[n:], rate, keep1, keep2, epsilon)
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

// vectors sets a variant's kernels on values and on channels to the assembly of this architecture.
func vectors(set *Set) {
	set.Moments, set.Sums, set.NormGrads = momentsVectors, sumsVectors, normGradsVectors
	set.Scale, set.NormBack = scaleVectors, normBackVectors
	set.Leaky, set.LeakyBack = leakyVectors, leakyBackVectors
	set.Adam, set.Add = adamVectors, addVectors
	set.Keep, set.Prefetch = keepVectors, prefetchSIMD
}
