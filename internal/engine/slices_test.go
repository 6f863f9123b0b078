package engine

import (
	"math/rand/v2"
	"testing"

	"dcgan/internal/kernel"
)

// TestSlices holds the rule of the slices for every batch up to 5000: as many as the largest power of two ≤ batch/32, at
// least 1 and at most 64, with the images of each part in order and none left out.
func TestSlices(t *testing.T) {
	for batch := 1; batch <= 5000; batch++ {
		for parts := 1; parts <= 2; parts++ {
			if batch%parts != 0 {
				continue
			}
			want := 1
			for _, power := range []int{2, 4, 8, 16, 32, 64} {
				if 32*power <= batch {
					want = power
				}
			}
			all := slices(batch, parts)
			if len(all) != want {
				t.Fatalf("batch %d in %d parts: %d slices, want %d", batch, parts, len(all), want)
			}
			n := batch / parts
			for part := range parts {
				at := part * n
				for s, slice := range all {
					if batch < parts { // an empty part
						continue
					}
					lo, hi := part*n+s*n/want, part*n+(s+1)*n/want
					if lo == hi {
						continue
					}
					if one := slice[part]; one != (span{lo, hi}) || lo != at {
						t.Fatalf("batch %d in %d parts: slice %d has %v, want %d to %d", batch, parts, s, slice, lo, hi)
					}
					at = hi
				}
				if at != (part+1)*n {
					t.Fatalf("batch %d in %d parts: part %d ends at %d", batch, parts, part, at)
				}
			}
		}
	}
}

func TestTreeSum(t *testing.T) {
	// In this order alone does nothing get lost: the ones meet before they meet 2⁵³.
	if got := treeSum([]float64{1, 1, 0x1p53, 0}); got != 0x1p53+2 {
		t.Errorf("the sum is %g", got)
	}
	if got := treeSum([]float64{0, 0x1p53, 1, 1}); got != 0x1p53+2 {
		t.Errorf("the sum is %g", got)
	}
}

// kernelGradAlone returns a kernel's gradient with memory of its own.
func kernelGradAlone(set *kernel.Set, pool *Pool, g geometry, slices [][]span) *kernelGrad {
	k := newKernelGrad(set, pool, g, true, slices)
	if k.filter != nil {
		k.filter.memory = kernel.Buffer(k.filter.wideSize())
	}
	for range pool.threads {
		k.scratch = append(k.scratch, make([]float32, k.scratchSize()))
	}
	return k
}

// TestHalvesMakeTheWhole computes every sum over a batch from two halves, as two machines would, each with half of the
// real and half of the generated images: added at the top of the tree they give the whole batch's bits.
func TestHalvesMakeTheWhole(t *testing.T) {
	narrow, wide := geometry{5, 6, 7, 3, 3, 18, 3, 2}, geometry{3, 3, 2, 2, 2, 300, 3, 2} // few panels of channels, and many
	filtered := geometry{4, 5, 18, 4, 5, 20, 3, 1}                                        // through Winograd's filtering
	many := geometry{3, 4, 100, 3, 4, 150, 3, 1}                                          // the same in several blocks
	for i := range kernel.Variants {
		set := &kernel.Variants[i]
		for _, test := range []struct {
			geometry
			batch, parts, threads int
		}{{narrow, 64, 1, 2}, {narrow, 200, 1, 2}, {narrow, 128, 2, 1}, {narrow, 264, 2, 9}, {wide, 512, 1, 1}, {wide, 512, 2, 3}, {wide, 2050, 1, 1},
			{filtered, 200, 1, 1}, {filtered, 264, 2, 5}, {many, 264, 2, 3}, {many, 1100, 1, 2}} {
			g, pool := test.geometry, newPool(t, test.threads)
			big, small := padded(1, test.batch*g.bigSize()), padded(2, test.batch*g.smallSize())
			grads := func(big, small []float32, batch int) []float32 {
				k := kernelGradAlone(set, pool, g, slices(batch, test.parts))
				grad := make([]float32, g.taps()*g.bigC*g.smallC)
				k.call(grad, big, small, nil, slices(batch, test.parts))
				return grad
			}
			sums := func(small []float32, batch int) (first, second []float64) {
				c := newChannelSums(set, pool, g.smallC, g.smallH*g.smallW, batch, len(slices(batch, test.parts)))
				c.begin(sumSquare, small)
				c.images(0, batch)
				c.finish(slices(batch, test.parts), func(_, _ []float64, _, _ int) {})
				return c.first[:g.smallC], c.second[:g.smallC]
			}
			// half returns half h of each part of x.
			half := func(x []float32, size, h int) []float32 {
				to := padded(0, test.batch/2*size)
				part := test.batch / 2 / test.parts * size
				for p := range test.parts {
					copy(to[p*part:][:part], x[(2*p+h)*part:])
				}
				return to
			}
			want := grads(big, small, test.batch)
			first, second := sums(small, test.batch)
			var grad [2][]float32
			var one, two [2][]float64
			for h := range 2 {
				smallHalf := half(small, g.smallSize(), h)
				grad[h] = grads(half(big, g.bigSize(), h), smallHalf, test.batch/2)
				one[h], two[h] = sums(smallHalf, test.batch/2)
			}
			for i := range grad[0] {
				grad[0][i] += grad[1][i]
			}
			if at := firstDifference(grad[0], want); at >= 0 {
				t.Errorf("%s, batch %d in %d parts: value %d of the kernel's gradient differs", set.Name, test.batch, test.parts, at)
			}
			for c := range first {
				if one[0][c]+one[1][c] != first[c] || two[0][c]+two[1][c] != second[c] {
					t.Errorf("%s, batch %d in %d parts: the sums of channel %d differ", set.Name, test.batch, test.parts, c)
				}
			}
		}
	}
}

// TestEveryImageCounts sums over 1 to 63 images of which the last alone is not zero: the gradient is that image's. So no
// image is left over where work is done some at a time.
func TestEveryImageCounts(t *testing.T) {
	for _, g := range []geometry{{5, 6, 7, 3, 3, 18, 3, 2}, {4, 5, 18, 4, 5, 20, 3, 1}, {28, 28, 16, 28, 28, 17, 3, 1}} {
		for i := range kernel.Variants {
			if g.bigH > 5 && i == 0 {
				continue // slow in plain Go
			}
			pool := newPool(t, 1)
			grads := func(big, small []float32, batch int) []float32 {
				k := kernelGradAlone(&kernel.Variants[i], pool, g, slices(batch, 1))
				grad := make([]float32, g.taps()*g.bigC*g.smallC)
				k.call(grad, big, small, nil, slices(batch, 1))
				return grad
			}
			big, small := padded(1, g.bigSize()), padded(2, g.smallSize())
			want := grads(big, small, 1)
			for batch := 2; batch < 64; batch++ {
				bigs := append(make([]float32, (batch-1)*g.bigSize()), big[:cap(big)]...)
				smalls := append(make([]float32, (batch-1)*g.smallSize()), small[:cap(small)]...)
				for at, got := range grads(bigs, smalls, batch) {
					if got != want[at] {
						t.Fatalf("%s, %+v: value %d with %d images is %g, alone %g", kernel.Variants[i].Name, g, at, batch, got, want[at])
					}
				}
				if g.bigH > 5 {
					batch += 9
				}
			}
		}
	}
}

// TestOrderWithinSlice shows that the tests above can tell orders apart: the same images in another order give other bits.
func TestOrderWithinSlice(t *testing.T) {
	g := geometry{1, 1, 5, 1, 1, 3, 1, 1}
	pool := newPool(t, 1)
	sum := func(x, y []float32) []float32 {
		k := kernelGradAlone(&kernel.Generic, pool, g, slices(32, 1))
		grad := make([]float32, 15)
		k.call(grad, x, y, nil, slices(32, 1))
		return grad
	}
	x, y := padded(1, 32*5), padded(2, 32*3)
	want := sum(x, y)
	rand.New(rand.NewPCG(1, 1)).Shuffle(32, func(i, j int) {
		for c := range 5 {
			x[i*5+c], x[j*5+c] = x[j*5+c], x[i*5+c]
		}
		for c := range 3 {
			y[i*3+c], y[j*3+c] = y[j*3+c], y[i*3+c]
		}
	})
	if firstDifference(sum(x, y), want) < 0 {
		t.Error("the order of images makes no difference")
	}
}
