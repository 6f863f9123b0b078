//go:build !noasm

package kernel

import "unsafe"

// The assembly takes whole blocks of vectors, and the plain Go what is left of a slice: their bits are the same. Lengths
// are checked here, by slicing, before the assembly gets pointers.

const (
	sumBlock  = 16 // channels of the sums' assembly
	rowBlock  = 8  // what channels are a multiple of in rows
	flatBlock = 16 // values
)

func sumsVectors(sum []float64, x []float32, rows, stride int) {
	channels := 0
	if rows > 0 {
		x = x[:(rows-1)*stride+len(sum)]
		for ; channels+sumBlock <= len(sum); channels += sumBlock {
			sumsAVX2(&sum[channels], &x[channels], rows, stride)
		}
	}
	sumsGeneric(sum[channels:], x[channels:], rows, stride)
}

func momentsVectors(sum, squares []float64, x []float32, rows, stride int) {
	squares = squares[:len(sum)]
	channels := 0
	if rows > 0 {
		x = x[:(rows-1)*stride+len(sum)]
		for ; channels+sumBlock <= len(sum); channels += sumBlock {
			momentsAVX2(&sum[channels], &squares[channels], &x[channels], rows, stride)
		}
	}
	momentsGeneric(sum[channels:], squares[channels:], x[channels:], rows, stride)
}

func normGradsVectors(sum, product []float64, dy, y, z []float32, slope float32, rows, stride int) {
	product = product[:len(sum)]
	channels := 0
	if rows > 0 {
		n := (rows-1)*stride + len(sum)
		dy, y, z = dy[:n], y[:n], z[:n]
		for ; channels+sumBlock <= len(sum); channels += sumBlock {
			normGradsAVX2(&sum[channels], &product[channels], &dy[channels], &y[channels], &z[channels], slope, rows, stride)
		}
	}
	normGradsGeneric(sum[channels:], product[channels:], dy[channels:], y[channels:], z[channels:], slope, rows, stride)
}

func scaleVectors(y, z, scale, shift []float32, slope float32, rows int) {
	channels := len(scale)
	if channels%rowBlock != 0 || channels*rows <= 0 {
		scaleGeneric(y, z, scale, shift, slope, rows)
		return
	}
	y, z, shift = y[:rows*channels], z[:rows*channels], shift[:channels]
	scaleAVX2(&y[0], &z[0], &scale[0], &shift[0], slope, rows, channels)
}

func normBackVectors(dy, y, z, a, b, c []float32, slope float32, rows int) {
	channels := len(a)
	if channels%rowBlock != 0 || channels*rows <= 0 {
		normBackGeneric(dy, y, z, a, b, c, slope, rows)
		return
	}
	dy, y, z = dy[:rows*channels], y[:rows*channels], z[:rows*channels]
	b, c = b[:channels], c[:channels]
	normBackAVX2(&dy[0], &y[0], &z[0], &a[0], &b[0], &c[0], slope, rows, channels)
}

func leakyVectors(y []float32, mask []uint64, slope, scale float32) {
	leakyBackVectors(y, y, mask, slope, scale)
}

func leakyBackVectors(dy, y []float32, mask []uint64, slope, scale float32) {
	y = y[:len(dy)]
	n := len(dy) &^ 63 // in whole words of the mask
	rest := mask
	if mask != nil {
		rest = mask[n/64:]
	}
	leakyBackAVX2(unsafe.SliceData(dy), unsafe.SliceData(y), unsafe.SliceData(mask), n, slope, scale)
	leakyBackGeneric(dy[n:], y[n:], rest, slope, scale)
}

func adamVectors(w, g, m, v []float32, rate, keep1, keep2, epsilon float32) {
	w, m, v = w[:len(g)], m[:len(g)], v[:len(g)]
	n := len(g) &^ (flatBlock - 1)
	adamAVX2(unsafe.SliceData(w), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(v), n, rate, keep1, keep2, epsilon)
	adamGeneric(w[n:], g[n:], m[n:], v[n:], rate, keep1, keep2, epsilon)
}

func addVectors(dst, src []float32) {
	dst = dst[:len(src)]
	n := len(src) &^ (flatBlock - 1)
	addAVX2(unsafe.SliceData(dst), unsafe.SliceData(src), n)
	addGeneric(dst[n:], src[n:])
}

func peakVectors(n int) int {
	const chains, lanes = 12, 8
	peakAVX2(n, peakScale, peakShift)
	return 2 * chains * lanes * n
}
