package kernel

import (
	"runtime"
	"slices"
	"testing"
)

// TestBuffer asks for buffers where other memory lay before, and beside memory that is in use: they are zeros, to the end of
// what kernels may read, and nothing beside them changes.
func TestBuffer(t *testing.T) {
	ones := func(n int) []float32 { return slices.Repeat([]float32{1}, n) }
	const page = 512 << 10 // values of a huge page of Linux
	// No huge page, and whole ones with a rest or rounded up.
	for _, n := range []int{1000, page / 2, 5 * page, 5*page + 1000, 6*page - 1000} {
		var beside, between [][]float32
		for range 4 {
			beside, between = append(beside, ones(n)), append(between, ones(n+page))
		}
		runtime.KeepAlive(between) // and no longer: their places are free then
		runtime.GC()
		for range 4 {
			b := Buffer(n)
			if len(b) != n || cap(b) < n+Slack {
				t.Fatalf("%d: %d values of %d", n, len(b), cap(b))
			}
			for i, v := range b[:n+Slack] {
				if v != 0 {
					t.Fatalf("%d: value %d is %g", n, i, v)
				}
			}
			beside = append(beside, b)
			for i := range b {
				b[i] = 1
			}
		}
		for i, b := range beside {
			if at := slices.IndexFunc(b, func(v float32) bool { return v != 1 }); at >= 0 {
				t.Fatalf("%d: value %d of memory %d beside is %g", n, at, i, b[at])
			}
		}
	}
}
