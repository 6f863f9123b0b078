package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// work is a kernel's call to measure: how many operations (a multiply-add is two) it makes or bytes it moves.
type work struct {
	name       string
	operations int
	bytes      int
	call       func()
}

// matrixWork is calls as a convolution makes them, on tiles that stay in a core's cache.
func matrixWork(set *Set) []work {
	r := rand.New(rand.NewPCG(1, 1))
	const depth, nTaps, nPixels = 128, 9, 392
	rows, outs := make([]int, MaxRows), make([]int, MaxRows)
	for i := range rows {
		rows[i], outs[i] = i*depth, i*set.Lanes
	}
	taps, pixels := make([]Tap, nTaps), make([]Pair, nPixels)
	for i := range taps {
		taps[i] = Tap{A: i * depth, W: i * depth * set.Lanes}
	}
	for i := range pixels {
		pixels[i] = Pair{X: i * depth, Y: i * set.Lanes}
	}
	a := fill(make([]float32, nPixels*depth+Slack), r, ordinary)
	w := fill(make([]float32, max(nTaps*depth, nPixels)*set.Lanes+Slack), r, ordinary)
	out := make([]float32, MaxRows*MaxLanes)
	acc := make([]float32, MaxRows*MaxLanes)
	offsets := make([]int, MaxRows)
	for i := range offsets {
		offsets[i] = i
	}
	return []work{
		{"Tile", 2 * set.Rows * set.Lanes * depth * nTaps, 0, func() {
			set.Tile(&out[0], &a[0], &w[0], &w[0], &rows[0], &outs[0], &taps[0], nTaps, depth)
		}},
		{"Outer", 2 * set.OuterRows * set.Lanes * nPixels, 0, func() {
			set.Outer(&acc[0], &a[0], &w[0], &offsets[0], &pixels[0], nPixels, &w[0], 0)
		}},
		{"Products", 2 * set.OuterRows * set.Lanes * 32, 0, func() {
			set.Products(&acc[0], &a[0], &w[0], 32, 64, 64, false)
		}},
		{"Dot", 2 * set.DotRows * depth * nTaps, 0, func() {
			set.Dot(&out[0], &a[0], &w[0], 0, &rows[0], &outs[0], &taps[0], nTaps, depth)
		}},
	}
}

// pointwiseWork is calls on n values, 64 channels of them.
func pointwiseWork(set *Set, n int) []work {
	r := rand.New(rand.NewPCG(1, 1))
	values := func(n int) []float32 { return fill(make([]float32, n), r, ordinary) }
	const channels = 64
	x, y, z, g, v := values(n), values(n), values(n), values(n), make([]float32, n)
	a, b, c := values(channels), values(channels), values(channels)
	above, mask := make([]uint64, (n+63)/64), make([]uint64, (n+63)/64)
	for i := range mask {
		mask[i] = r.Uint64()
	}
	sum, other := make([]float64, channels), make([]float64, channels)
	return []work{
		{"Sums", 0, 4 * n, func() { set.Sums(sum, x, n/channels, channels) }},
		{"Moments", 0, 4 * n, func() { set.Moments(sum, other, x, n/channels, channels) }},
		{"NormGrads", 0, 8 * n, func() { set.NormGrads(sum, other, x, z, a, b, 0.2, n/channels, channels) }},
		{"Scale", 0, 8 * n, func() { set.Scale(y, z, a, b, 0.2, n/channels, channels) }},
		{"NormBack", 0, 12 * n, func() { set.NormBack(x, z, b, c, a, b, c, 1, n/channels) }},
		{"Leaky", 0, 8 * n, func() { set.Leaky(y, nil, nil, 1, 1) }},
		{"LeakyMasked", 0, 8 * n, func() { set.Leaky(y, above, mask, 1, 1) }},
		{"LeakyBack", 0, 8 * n, func() { set.LeakyBack(x, above, mask, 1, 1) }},
		{"Adam", 0, 28 * n, func() { set.Adam(x, g, z, v, 1e-3, 0.1, 1e-3, 1e-7) }},
		{"Add", 0, 12 * n, func() { set.Add(x, g) }},
	}
}

func (w work) run(b *testing.B) {
	for b.Loop() {
		w.call()
	}
	each := float64(b.N) / float64(b.Elapsed().Nanoseconds())
	if w.operations > 0 {
		b.ReportMetric(float64(w.operations)*each, "GFLOP/s")
	} else {
		b.ReportMetric(float64(w.bytes)*each, "GB/s")
	}
}

// BenchmarkKernels measures every kernel of every variant, the pointwise ones on buffers of 64 kB, for the cache, and of
// 16 MB, for memory. What they read and write counts, of a value both.
func BenchmarkKernels(b *testing.B) {
	for i := range Variants {
		set := &Variants[i]
		for _, w := range matrixWork(set) {
			b.Run(w.name+"/"+set.Name, w.run)
		}
		for _, n := range []int{1 << 14, 1 << 22} {
			for _, w := range pointwiseWork(set, n) {
				b.Run(fmt.Sprintf("%s/%s/%dkB", w.name, set.Name, 4*n>>10), w.run)
			}
		}
	}
}

func BenchmarkPeak(b *testing.B) {
	for i := range Variants {
		set := &Variants[i]
		b.Run(set.Name, func(b *testing.B) {
			best := 0.0
			for b.Loop() {
				best = max(best, PeakGFLOPS(set, 1, 80*time.Millisecond))
			}
			b.ReportMetric(best, "GFLOP/s")
		})
	}
}
