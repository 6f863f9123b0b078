package engine

import (
	"math"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/internal/input"
	"dcgan/internal/kernel"
)

// TestNewRefuses lists networks that fit together and yet cannot be computed, and one that does not fit.
func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		layers []arch.Layer
		want   string
	}{
		{[]arch.Layer{sigmoid, flatten}, "sigmoid"},
		{[]arch.Layer{flatten, drop(0), sigmoid}, "no layer"},
		{nil, "no layer"},
		{[]arch.Layer{dense(3)}, "Flatten"},
	} {
		_, err := New(arch.Network{Name: "net", Input: arch.Shape{2, 2, 1}, Layers: test.layers}, Plan{Set: &kernel.Generic, Pool: newPool(t, 1), Batch: 1})
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "net: ") || !input.Is(err) {
			t.Errorf("%v: %v", test.layers, err)
		}
	}
}

// TestAdam holds steps of Adam with a decaying rate against Keras' formulas in float64.
func TestAdam(t *testing.T) {
	a := Adam{Rate: 0.01, Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-3, Decay: 0.1}
	n := newNetwork(t, arch.Network{Name: "one", Input: arch.Shape{9}, Layers: []arch.Layer{dense(3000)}},
		Plan{Set: &kernel.Variants[len(kernel.Variants)-1], Pool: newPool(t, 2), Batch: 1, Training: true})
	kernel := n.Tensors[0]
	w, m, v := doubles(kernel.Data), make([]float64, len(kernel.Data)), make([]float64, len(kernel.Data))
	for step := range 20 {
		copy(kernel.Grad, padded(uint64(step), len(w)))
		rate := a.Rate / (1 + a.Decay*float64(step))
		rate *= math.Sqrt(1-math.Pow(a.Beta2, float64(step+1))) / (1 - math.Pow(a.Beta1, float64(step+1)))
		for i, g := range doubles(kernel.Grad) {
			m[i] += (g - m[i]) * (1 - a.Beta1)
			v[i] += (g*g - v[i]) * (1 - a.Beta2)
			w[i] -= m[i] * rate / (math.Sqrt(v[i]) + a.Epsilon)
		}
		n.Update(a)
	}
	for i := range w {
		if d := math.Abs(float64(kernel.Data[i]) - w[i]); d > 3e-7 {
			t.Fatalf("weight %d is %g, want %g", i, kernel.Data[i], w[i])
		}
	}
	if n.Iteration != 20 {
		t.Errorf("iteration %d", n.Iteration)
	}
	x := padded(1, 9)
	y := n.Forward(x, 1, Inference)[0]
	want := float64(n.Tensors[1].Data[0])
	for i, v := range x {
		want += float64(v) * float64(kernel.Data[i*3000])
	}
	if math.Abs(float64(y)-want) > 1e-5 {
		t.Errorf("after the steps the output is %g, want %g: it is not computed with the new weights", y, want)
	}
}

func TestPower(t *testing.T) {
	for _, base := range []float64{0, 0.5, 0.9, 0.999} {
		for _, exponent := range []float64{1, 2, 3, 10, 1000, 99999} {
			if got, want := power(base, exponent), math.Pow(base, exponent); math.Abs(got-want) > 1e-12*want {
				t.Errorf("%g to %g is %g, want %g", base, exponent, got, want)
			}
		}
	}
}
