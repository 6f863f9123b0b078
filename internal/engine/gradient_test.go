package engine

import (
	"math"
	std "slices" // slices is a function here
	"testing"

	"dcgan/arch"
	"dcgan/internal/golden"
	"dcgan/internal/kernel"
)

// slope returns the central difference of f in one variable. Where the step leads over the kink of a rectifier, which
// signs tells, it is made smaller.
func slope(variable *float64, f func() float64, signs func() []bool) float64 {
	at := *variable
	defer func() { *variable = at }()
	for h := 1e-4; ; h /= 8 {
		*variable = at + h
		above := f()
		before := std.Clone(signs())
		*variable = at - h
		below := f()
		if h < 1e-8 || std.Equal(before, signs()) {
			return (above - below) / (2 * h)
		}
	}
}

// some returns at most 25 indices of a list, all over it.
func some(size int) []int {
	var list []int
	for i := 0; i < size; i += (size + 24) / 25 {
		list = append(list, i)
	}
	return list
}

// TestGradients holds the outputs of a network, and the gradients of its weights and of its input, against a reference in
// float64 and its finite differences. Networks that end in a logit have the cross-entropy for their loss, others
// a sum of their outputs with random weights.
func TestGradients(t *testing.T) {
	set := &kernel.Variants[len(kernel.Variants)-1]
	pool := newPool(t, 2)
	var worstOutput, worstGradient float64
	for _, test := range std.Concat(chains, convolutions) {
		t.Run(test.name, func(t *testing.T) {
			const batch = 4
			n := newNetwork(t, test.arch(), Plan{Set: set, Pool: pool, Batch: batch, Training: true})
			r := newReference(n)
			x := padded(5, batch*n.inSize)
			weighting := padded(6, batch*n.outSize)
			targets := []float32{0.9, 1.2, 0, 0.3}

			xs := doubles(x)
			loss := func() float64 {
				y := r.forward(xs)
				if n.outSize == 1 {
					return crossEntropy(y, doubles(targets))
				}
				sum := 0.0
				for i, v := range y {
					sum += v * float64(weighting[i])
				}
				return sum
			}
			y := n.Forward(x, batch, Training)
			relative, _ := golden.Distance(y, floats(r.forward(xs)))
			worstOutput = max(worstOutput, relative)
			if !(relative < 3e-6) {
				t.Errorf("the output differs by %.2g", relative)
			}
			if n.outSize == 1 {
				got := n.CrossEntropy(n.OutputGradient(batch), y, targets)
				if want := loss(); math.Abs(got-want) > 1e-6 {
					t.Errorf("the loss is %g, want %g", got, want)
				}
			} else {
				copy(n.OutputGradient(batch), weighting)
			}
			dx := make([]float32, len(x)+kernel.Slack)
			n.Backward(dx, true)

			// A bias in front of a normalisation has gradient 0, so differences are held against the layer's largest.
			size := map[int]float64{}
			difference := map[string]float64{}
			measure := func(layer int, name string, grad []float32, of []float64) {
				index := some(len(of))
				var sum, squares float64
				for _, i := range index {
					want := slope(&of[i], loss, func() []bool { return r.signs })
					squares += want * want
					sum += (float64(grad[i]) - want) * (float64(grad[i]) - want)
				}
				difference[name] = math.Sqrt(sum / float64(len(index)))
				size[layer] = max(size[layer], math.Sqrt(squares/float64(len(index))))
			}
			measure(-1, "the input", dx, xs)
			for i, tensor := range n.Tensors {
				if tensor.Trainable {
					measure(tensor.Layer, tensor.Name, tensor.Grad, r.weights[i])
				}
			}
			check := func(layer int, name string) {
				relative := difference[name] / size[layer]
				worstGradient = max(worstGradient, relative)
				if !(relative < 5e-6) {
					t.Errorf("the gradient of %s differs by %.2g", name, relative)
				}
			}
			check(-1, "the input")
			for _, tensor := range n.Tensors {
				if tensor.Trainable {
					check(tensor.Layer, tensor.Name)
				}
			}
		})
	}
	t.Logf("largest relative differences: outputs %.2g, gradients %.2g", worstOutput, worstGradient)
}

func floats(from []float64) []float32 {
	to := make([]float32, len(from))
	for i, v := range from {
		to[i] = float32(v)
	}
	return to
}

// TestCrossEntropy holds the loss and its gradient against float64 and finite differences, for targets on both sides of
// [0, 1], logits up to ±40, and batches of one part and two that make one slice and several.
func TestCrossEntropy(t *testing.T) {
	logit := arch.Network{Name: "logit", Input: arch.Shape{1}, Layers: []arch.Layer{leaky2, sigmoid}}
	for _, test := range []struct {
		batch, parts int
		scale        float32
	}{{1, 1, 1}, {2, 2, 3}, {63, 1, 40}, {130, 2, 40}, {256, 1, 10}} {
		n := newNetwork(t, logit, Plan{Set: &kernel.Generic, Pool: newPool(t, 1), Batch: test.batch, Parts: test.parts, Training: true})
		logits, targets := padded(7, test.batch), padded(8, test.batch)
		for i := range logits {
			logits[i] *= test.scale
			targets[i] = 0.5 + 0.9*targets[i]
		}
		logits[0] = 0
		gradient := make([]float32, test.batch)
		got := n.CrossEntropy(gradient, logits, targets)
		x, ts := doubles(logits), doubles(targets)
		want := crossEntropy(x, ts)
		if math.Abs(got-want) > 1e-14*math.Abs(want) {
			t.Errorf("batch %d: loss %.17g, want %.17g", test.batch, got, want)
		}
		for i := range x {
			want := slope(&x[i], func() float64 { return crossEntropy(x, ts) }, func() []bool { return nil })
			if math.Abs(float64(gradient[i])-want)*float64(test.batch) > 1e-7 {
				t.Errorf("batch %d: gradient %g of logit %g and target %g, want %g", test.batch, gradient[i], x[i], ts[i], want)
			}
		}
	}
}
