package kernel

import (
	"runtime"
	"testing"
)

// TestBuffer asks for buffers where other memory lay before: they are zeros, to the end of what kernels may read.
func TestBuffer(t *testing.T) {
	const n = 5 << 20 // on Linux, several huge pages and a part of one
	for range 3 {
		used := make([]float32, n+n/2)
		for i := range used {
			used[i] = 1
		}
		runtime.KeepAlive(used)
		runtime.GC()
		b := Buffer(n)
		if len(b) != n || cap(b) < n+Slack {
			t.Fatalf("%d values of %d", len(b), cap(b))
		}
		for i, v := range b[:n+Slack] {
			if v != 0 {
				t.Fatalf("value %d is %g", i, v)
			}
		}
		b[0], b[n-1] = 1, 1
	}
}
