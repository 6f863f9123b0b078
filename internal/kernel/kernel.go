// Package kernel holds the inner loops of training: for each, one in plain Go that says what is computed, and
// assembly for processors that can do it faster, with the same bits.
//
// The matrix kernels work on tiles: Rows positions (of images and pixels) by Lanes channels. What they multiply is found
// through offsets, so that a convolution reads its input where it lies, without a copy, and a transposed convolution or a
// pixel at the border has just the taps that meet data. Every output is one chain of fused multiply-adds in an order that
// the shapes alone decide.
//
// Buffers are float32. Offsets count elements of float32. Kernels may read up to Slack elements past the last one that
// counts, and what they read there influences no result.
package kernel

import "dcgan/internal/random"

// Slack is how many readable elements follow the end of a buffer given to a kernel.
const Slack = 64

// Limits of the variants' tile sizes, for scratch space.
const (
	MaxRows  = 16
	MaxLanes = 64
	DotLanes = 16
)

// AheadPixels is with how many pixels Outer prefetches a line.
const AheadPixels = 4

// Tap is one step of a gather: where, from a row's own offset, its values are, and where its weights are.
type Tap = struct{ A, W int }

// Pair is the offsets of one pixel in two buffers.
type Pair = struct{ X, Y int }

// Set is one variant of all kernels.
type Set struct {
	Name       string
	Rows       int // of Tile
	MiddleRows int // of Middle; 0 without it
	ShortRows  int // of Short
	OuterRows  int // of Outer
	Lanes      int // of all of these
	DotRows    int // of Dot

	// Tile computes, for each row r < Rows and lane l < Lanes,
	//
	//	out[outs[r]+l] = bias[l] + Σ over taps t, in order, Σ over i < k, in order, a[rows[r]+t.A+i] · w[t.W+i·Lanes+l]
	//
	// Rows may repeat: a short tile repeats its last row. Behind rows lie as many more, those of the next tile, which may be
	// prefetched and are not read, and so may what lies behind w.
	Tile func(out, a, w, bias *float32, rows, outs *int, taps *Tap, nTaps, k int)

	// Middle and Short are Tile with fewer rows, for what full tiles leave.
	Middle, Short func(out, a, w, bias *float32, rows, outs *int, taps *Tap, nTaps, k int)

	// Outer adds, for each row r < OuterRows and lane l < Lanes,
	//
	//	acc[r·Lanes+l] += Σ over pixels p, in order, x[p.X+offsets[r]] · y[p.Y+l]
	//
	// Meanwhile it prefetches a line of cache with every AheadPixels pixels: at next, next + step and so on, and one of the sums
	// that lie behind acc's, those of the call that probably follows. Like Prefetch it may do nothing.
	Outer func(acc, x, y *float32, offsets *int, pixels *Pair, nPixels int, next *float32, step int)

	// Dot computes, for each row r < DotRows,
	//
	//	out[outs[r]] = bias + Σ over taps t and i < k of a[rows[r]+t.A+i] · w[t.W+i]
	//
	// where i adds to partial sum i mod DotLanes, and the partial sums are added in a tree: the upper half to the lower,
	// down to one. k is a multiple of DotLanes.
	Dot func(out, a, w *float32, bias float32, rows, outs *int, taps *Tap, nTaps, k int)

	// Sums over rows of a block of channels; see the plain Go of the same names for what each computes. They and those
	// below read nothing past the end.
	Moments   func(sum, squares []float64, x []float32, rows, stride int)
	Sums      func(sum []float64, x []float32, rows, stride int)
	NormGrads func(sum, product []float64, dy, z, scale, shift []float32, slope float32, rows, stride int)

	// Value by value, or rows of channels.
	Scale     func(y, z, scale, shift []float32, slope float32, rows, stride int)
	NormBack  func(dy, z, scale, shift, a, b, c []float32, slope float32, rows int)
	Leaky     func(y []float32, above, mask []uint64, slope, scale float32)
	LeakyBack func(dy []float32, above, mask []uint64, slope, scale float32)
	Adam      func(w, g, m, v []float32, rate, keep1, keep2, epsilon float32) (finite bool)
	Add       func(dst, src []float32)
	Tanh      func(y []float32)
	CopyRows  func(dst []float32, dstStep int, src []float32, srcStep, n, rows int)
	Transpose func(dst []float32, dstStep int, src []float32, srcStep, rows, columns int)

	// Peak makes n rounds of multiply-adds, without memory, and returns how many operations (two each) they were.
	Peak func(n int) int

	// Products computes, for each row r < OuterRows and lane l < Lanes,
	//
	//	acc[r·Lanes+l] = (acc[r·Lanes+l] if add, else 0) + Σ over t < tiles, in order, x[t·xStride+r] · y[t·yStride+l]
	Products func(acc, x, y *float32, tiles, xStride, yStride int, add bool)

	// The transforms of Winograd's filtering.
	WinogradIn      func(dst []float32, place int, src []float32, row, pixel, channels, edges int)
	WinogradOut     func(dst []float32, row, pixel int, src []float32, place int, bias []float32, channels int)
	WinogradKernel  func(dst []float32, place int, src []float32, tap, lanes int)
	WinogradGradIn  func(dst []float32, place int, src []float32, row, pixel, channels int)
	WinogradGradOut func(dst []float32, tap int, src []float32, place, lanes int)

	// The transforms of pairs, for kernels of stride 2.
	PairIn         func(m, edges int, dst []float32, dstStep, dstNext int, src []float32, srcStep, srcNext, n, count int)
	PairOut        func(m int, dst []float32, dstStep, dstNext int, src []float32, srcStep, srcNext int, add []float32, addStep, addNext, n, count int)
	PairKernel     func(dst []float32, dstStep int, src []float32, srcStep, n int)
	PairLongKernel func(dst []float32, dstStep int, src []float32, srcStep, n int)
	PairGradIn     func(m int, dst []float32, dstStep, dstNext int, src []float32, srcStep, srcNext, n, count int)
	PairGradOut    func(dst []float32, dstStep int, src []float32, srcStep, n int)

	// Keep draws a dropout mask; see random.Stream.
	Keep func(s random.Stream, words []uint64, n int, place uint32, rate float64)

	// Prefetch hints that lines lines of cache, stride values apart from p on, will be read soon. It reads nothing and
	// may do nothing.
	Prefetch func(p *float32, lines, stride int)
}

// Fit returns the kernel for the next rows of left ones, and how many it takes.
func (s *Set) Fit(left int) (tile func(out, a, w, bias *float32, rows, outs *int, taps *Tap, nTaps, k int), rows int) {
	switch {
	case left <= s.ShortRows:
		return s.Short, s.ShortRows
	case left <= s.MiddleRows:
		return s.Middle, s.MiddleRows
	}
	return s.Tile, s.Rows
}
