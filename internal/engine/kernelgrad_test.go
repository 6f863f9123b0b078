package engine

import (
	"fmt"
	"testing"

	"dcgan/internal/kernel"
)

// TestKernelGradients holds every way to compute a kernel's gradient, with blocks and chunks that come out even and not,
// against the sums in float64, and the variants against each other.
func TestKernelGradients(t *testing.T) {
	pool := newPool(t, 2)
	for _, test := range []struct {
		g    geometry
		down bool
	}{
		{geometry{14, 10, 33, 7, 5, 48, 3, 2}, false},  // pairs, channels that are no whole vectors
		{geometry{10, 14, 64, 5, 7, 200, 3, 2}, false}, // blocks of small channels
		{geometry{12, 12, 176, 6, 6, 64, 3, 2}, true},  // blocks of big channels, the last narrower; one tile and a half
		{geometry{9, 13, 40, 5, 7, 36, 3, 2}, true},    // an odd side
		{geometry{8, 8, 33, 4, 4, 40, 3, 2}, true},     // direct: one tile
		{geometry{9, 7, 1, 5, 4, 33, 3, 2}, true},      // taps as rows
		{geometry{6, 7, 3, 6, 7, 20, 5, 1}, false},     // the same, several channels
		{geometry{1, 1, 100, 1, 1, 1000, 1, 1}, true},  // dense
		{geometry{1, 1, 1300, 1, 1, 2, 1, 1}, true},    // the same, blocks of big channels
	} {
		g := test.g
		const batch = 71
		t.Run(fmt.Sprint(g, test.down), func(t *testing.T) {
			big, small := kernel.Buffer(batch*g.bigSize()), kernel.Buffer(batch*g.smallSize())
			fillNormal(big)
			fillNormal(small)
			exact := make([]float64, g.taps()*g.bigC*g.smallC)
			for tap, meetings := range g.meetings(g.smallC) {
				for n := range batch {
					for _, p := range meetings {
						ys := small[n*g.smallSize()+p.Y:][:g.smallC]
						for b, x := range big[n*g.bigSize()+p.X:][:g.bigC] {
							sums := exact[(tap*g.bigC+b)*g.smallC:][:g.smallC]
							for c, y := range ys {
								sums[c] += float64(x) * float64(y)
							}
						}
					}
				}
			}
			var first []float32
			for i := range kernel.Variants {
				k := newKernelGrad(&kernel.Variants[i], pool, g, test.down, slices(batch, 1))
				for range pool.threads {
					k.scratch = append(k.scratch, kernel.Buffer(k.scratchSize()))
				}
				got := make([]float32, len(exact))
				k.call(got, big, small, nil, slices(batch, 1))
				if e := relative(got, exact); !(e < 2e-6) {
					t.Errorf("%s: relative L2 error %.2g", k.set.Name, e)
				}
				if first == nil {
					first = got
				}
				for j := range got {
					if got[j] != first[j] {
						t.Fatalf("%s: value %d is %v, plain Go's %v", k.set.Name, j, got[j], first[j])
					}
				}
			}
		})
	}
}
