package engine

import (
	"fmt"
	"math"
	"testing"

	"dcgan/arch"
	"dcgan/internal/kernel"
	"dcgan/internal/random"
)

// trace makes three whole steps of a network, forward, backward and Adam, and returns every number they give.
func trace(t *testing.T, a arch.Network, plan Plan) (all []float32) {
	t.Helper()
	plan.Training = true
	n := newNetwork(t, a, plan)
	x, weighting := padded(5, plan.Batch*n.inSize), padded(6, plan.Batch*n.outSize)
	dx := make([]float32, len(x)+kernel.Slack)
	for step := range 3 {
		n.DrawMasks(random.New(3, random.Dropout, step))
		y := n.Forward(x, plan.Batch, Training)
		all = append(all, y...)
		if n.outSize == 1 {
			all = append(all, float32(n.CrossEntropy(n.OutputGradient(plan.Batch), y, weighting)))
		} else {
			copy(n.OutputGradient(plan.Batch), weighting)
		}
		n.Backward(dx, true)
		all = append(all, dx[:len(x)]...)
		for _, tensor := range n.Tensors {
			all = append(all, tensor.Grad...)
		}
		n.Update(Adam{Rate: 0.01, Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-7, Decay: 1e-3})
	}
	all = append(all, n.Forward(x, plan.Batch, Inference)...)
	for _, tensor := range n.Tensors {
		all = append(all, tensor.Data...)
		all = append(all, tensor.M...)
		all = append(all, tensor.V...)
	}
	for i, v := range all {
		if math.IsNaN(float64(v)) {
			t.Fatalf("number %d is NaN", i)
		}
	}
	return all
}

// TestVariantsAgree makes the same steps under every variant of the kernels: all bits are those of plain Go.
func TestVariantsAgree(t *testing.T) {
	if len(kernel.Variants) == 1 {
		t.Skip("this build has plain Go alone")
	}
	pool := newPool(t, 2)
	for _, test := range append(chains[:len(chains):len(chains)], convolutions...) {
		batches := []int{2, 70}
		if len(test.layers) == 1 {
			batches = batches[:1]
		}
		for _, batch := range batches {
			plan := Plan{Set: &kernel.Generic, Pool: pool, Batch: batch, Parts: 2}
			want := trace(t, test.arch(), plan)
			for i := 1; i < len(kernel.Variants); i++ {
				plan.Set = &kernel.Variants[i]
				if at := firstDifference(trace(t, test.arch(), plan), want); at >= 0 {
					t.Errorf("%s, batch %d: number %d of %d differs between %s and %s",
						test.name, batch, at, len(want), plan.Set.Name, kernel.Generic.Name)
				}
			}
		}
	}
}

// TestThreadsAgree makes the same steps with 1 to 64 threads, in batches of one slice and of several.
func TestThreadsAgree(t *testing.T) {
	set := &kernel.Variants[len(kernel.Variants)-1]
	want := map[string][]float32{}
	for threads := 1; threads <= 64; threads++ {
		if len(kernel.Variants) == 1 && threads > 6 && threads%29 != 6 {
			continue // plain Go alone is slow
		}
		pool := newPool(t, threads)
		for _, test := range chains {
			batch := 3
			switch test.name {
			case "discriminator":
				batch = 134
			case "norm, leaky, dropout", "two panels":
			default:
				if threads > 6 && threads < 64 {
					continue // few tasks, that more threads do not cut otherwise
				}
			}
			got := trace(t, test.arch(), Plan{Set: set, Pool: pool, Batch: batch})
			if threads == 1 {
				want[test.name] = got
			}
			if at := firstDifference(got, want[test.name]); at >= 0 {
				t.Errorf("%s: number %d of %d differs with %d threads", test.name, at, len(got), threads)
			}
		}
	}
}

// TestAloneAndAmongOthers draws images one by one and in batches of several sizes: an image has the same bytes, whatever
// is drawn with it and at whichever place.
func TestAloneAndAmongOthers(t *testing.T) {
	const all = 256
	for _, test := range append(chains[:len(chains):len(chains)], convolutions...) {
		set := &kernel.Variants[len(kernel.Variants)-1]
		network := func(batch, threads int) *Network {
			return newNetwork(t, test.arch(), Plan{Set: set, Pool: newPool(t, threads), Batch: batch})
		}
		whole := network(all, 2)
		x := padded(9, all*whole.inSize)
		want := append([]float32(nil), whole.Forward(x, all, Inference)...)
		for _, batch := range []int{1, 7, 100} {
			n := network(batch, 1+batch%3)
			for lo := 0; lo < all; lo += batch {
				if batch == 1 && lo > 10 && lo < all-2 {
					continue
				}
				count := min(batch, all-lo)
				part := padded(10, batch*n.inSize) // what lies behind the images is another's
				copy(part, x[lo*n.inSize:(lo+count)*n.inSize])
				got := n.Forward(part, count, Inference)
				if at := firstDifference(got, want[lo*n.outSize:(lo+count)*n.outSize]); at >= 0 {
					t.Fatalf("%s: image %d differs when drawn with %d others", test.name, lo+at/n.outSize, count-1)
				}
			}
		}
	}
}

// TestModes shows that a network planned for drawing alone gives what one planned for training gives in inference, and
// that neither masks nor batch have a say in it.
func TestModes(t *testing.T) {
	for _, test := range chains {
		t.Run(test.name, func(t *testing.T) {
			plan := Plan{Set: &kernel.Generic, Pool: newPool(t, 1), Batch: 3}
			drawing := newNetwork(t, test.arch(), plan)
			plan.Training = true
			training := newNetwork(t, test.arch(), plan)
			x := padded(5, 3*drawing.inSize)
			if at := firstDifference(drawing.Forward(x, 3, Inference), training.Forward(x, 3, Inference)); at >= 0 {
				t.Errorf("value %d differs", at)
			}
		})
	}
}

// TestMasksByImage shows that an image's masks depend on its place in the batch, the layer and the stream alone, and that
// they keep the share that the layer's rate says.
func TestMasksByImage(t *testing.T) {
	a := chains[2].arch()
	masks := func(batch, threads, step, layer int) ([]uint64, int) {
		n := newNetwork(t, a, Plan{Set: &kernel.Generic, Pool: newPool(t, threads), Batch: batch, Training: true})
		n.DrawMasks(random.New(3, random.Dropout, step))
		bits, words, _ := n.Masks(layer)
		return bits, words
	}
	few, words := masks(3, 1, 1, 0)
	many, _ := masks(9, 4, 1, 0)
	if fmt.Sprint(many[:3*words]) != fmt.Sprint(few) {
		t.Error("the masks of the first images depend on the batch")
	}
	other, _ := masks(3, 1, 2, 0)
	deeper, _ := masks(3, 1, 1, 1)
	seen := map[uint64]string{}
	for name, word := range map[string]uint64{"image 0": few[0], "image 1": few[words], "step 2": other[0], "layer 1": deeper[0]} {
		if was, ok := seen[word]; ok {
			t.Errorf("%s has the mask of %s", name, was)
		}
		seen[word] = name
	}
}
