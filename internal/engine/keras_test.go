package engine

import (
	"math"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/internal/golden"
	"dcgan/internal/kernel"
	"dcgan/internal/numeric"
)

const keras = "../../testdata/keras/"

// kerasCase is a layer of layers.json.
type kerasCase struct {
	Name     string
	Layer    arch.Class
	Settings struct {
		Units, Filters, Strides int
		Kernel                  int `json:"kernel_size"`
		Momentum, Epsilon       float64
		NegativeSlope           float64 `json:"negative_slope"`
		Activation              string
	}
	Tensors []golden.Entry
}

func (c *kerasCase) values(name string) []float32 {
	for _, e := range c.Tensors {
		if e.Name == name {
			values := padded(0, e.Size())
			e.Fill(values)
			return values
		}
	}
	panic(c.Name + " has no " + name)
}

// network returns a network of this one layer for inputs like those of the case.
func (c *kerasCase) network() (a arch.Network, batch int) {
	s := c.Settings
	layer := arch.Layer{Class: c.Layer, Units: s.Units, Filters: s.Filters, Kernel: s.Kernel, Strides: s.Strides,
		Momentum: s.Momentum, Epsilon: s.Epsilon, NegativeSlope: s.NegativeSlope, Function: s.Activation}
	shape := c.Tensors[0].Shape
	if len(shape) == 4 {
		return arch.Network{Name: c.Name, Input: shape[1:], Layers: []arch.Layer{layer}}, shape[0]
	}
	return arch.Network{Name: c.Name, Input: arch.Shape{1, 1, shape[1]}, Layers: []arch.Layer{flatten, layer}}, shape[0]
}

// TestKerasLayers replays single layers as Keras computes them, forward and backward, under every variant of the
// kernels: convolutions both ways with kernels 1 to 7, strides 1 and 2, odd and even sides; dense layers; batch
// normalisation in both modes; activations.
func TestKerasLayers(t *testing.T) {
	var table struct{ Cases []kerasCase }
	golden.JSON(t, keras+"layers.json", &table)
	want := golden.Arrays(t, keras+"layers.npz")
	worst := map[string]float64{}
	seen := 0
	for i := range kernel.Variants {
		set, pool := &kernel.Variants[i], newPool(t, 2)
		for _, c := range table.Cases {
			if c.Settings.Activation == arch.Sigmoid {
				continue // a network ends in its logit: see TestKerasSigmoid
			}
			t.Run(set.Name+"/"+c.Name, func(t *testing.T) {
				check := func(name string, got []float32) {
					t.Helper()
					seen++
					w, ok := want[c.Name+"/"+name]
					if !ok || len(w) != len(got) {
						t.Fatalf("%s: Keras has %d values, we %d", name, len(w), len(got))
					}
					relative, _ := golden.Distance(got, w)
					worst[name] = max(worst[name], relative)
					if !(relative < 1e-6) {
						t.Errorf("%s: the relative difference is %.2g", name, relative)
					}
				}
				a, batch := c.network()
				n := newNetwork(t, a, Plan{Set: set, Pool: pool, Batch: batch, Training: true})
				for _, tensor := range n.Tensors {
					_, name, _ := strings.Cut(tensor.Name, "/")
					copy(tensor.Data, c.values(name))
				}
				n.Load()
				x := c.values("input")
				if c.Layer == arch.BatchNormalization {
					check("inference_output", n.Forward(x, batch, Inference))
				}
				check("output", n.Forward(x, batch, Training))
				copy(n.OutputGradient(batch), c.values("d_output"))
				dx := make([]float32, len(x)+kernel.Slack)
				n.Backward(dx, true)
				check("d_input", dx[:len(x)])
				for _, tensor := range n.Tensors {
					_, name, _ := strings.Cut(tensor.Name, "/")
					if tensor.Trainable {
						check("d_"+name, tensor.Grad)
					} else {
						check(name, tensor.Data)
					}
				}
			})
		}
	}
	if all := (len(want) - 2) * len(kernel.Variants); seen != all {
		t.Errorf("%d arrays compared of %d", seen, all)
	}
	for name, difference := range worst {
		t.Logf("%s: largest relative difference %.2g", name, difference)
	}
}

// TestKerasSigmoid holds the sigmoid, which the loss computes along with its own gradient, against Keras' layer.
func TestKerasSigmoid(t *testing.T) {
	var table struct{ Cases []kerasCase }
	golden.JSON(t, keras+"layers.json", &table)
	want := golden.Arrays(t, keras+"layers.npz")
	c := table.Cases[len(table.Cases)-1]
	gradient := c.values("d_output")
	for i, x := range c.values("input") {
		p := numeric.Sigmoid(float64(x))
		if d := p - float64(want["sigmoid/output"][i]); math.Abs(d) > 1e-7 {
			t.Errorf("sigmoid(%g) = %g differs by %g", x, p, d)
		}
		if d := float64(gradient[i])*p*(1-p) - float64(want["sigmoid/d_input"][i]); math.Abs(d) > 1e-7 {
			t.Errorf("the gradient at %g differs by %g", x, d)
		}
	}
}

// TestKerasLoss replays the cross-entropy alone, with logits up to ±40 and targets up to 1.2: Keras does not clip it.
func TestKerasLoss(t *testing.T) {
	want := golden.Arrays(t, keras+"loss.npz")
	logits, targets := want["logits"], want["targets"]
	network := func(batch int) *Network {
		logit := arch.Network{Name: "logit", Input: arch.Shape{1}, Layers: []arch.Layer{leaky2, sigmoid}}
		return newNetwork(t, logit, Plan{Set: &kernel.Generic, Pool: newPool(t, 1), Batch: batch, Training: true})
	}
	worst := 0.0
	check := func(name string, got, want float64) {
		t.Helper()
		difference := math.Abs(got-want) / max(math.Abs(want), 1e-3)
		worst = max(worst, difference)
		if !(difference < 1e-6) {
			t.Errorf("%s is %.9g, Keras has %.9g", name, got, want)
		}
	}
	gradient := make([]float32, len(logits))
	check("the mean loss", network(len(logits)).CrossEntropy(gradient, logits, targets), float64(want["loss"][0]))
	for i, g := range gradient {
		check("the gradient", float64(g), float64(want["gradient"][i]))
	}
	one := network(1)
	for i := range logits {
		check("the loss", one.CrossEntropy(gradient, logits[i:i+1], targets[i:i+1]), float64(want["loss_each"][i]))
	}
	if len(logits) != 55 {
		t.Errorf("%d logits", len(logits))
	}
	t.Logf("largest relative difference %.2g", worst)
}
