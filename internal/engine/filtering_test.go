package engine

import (
	"flag"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/dataset"
	"dcgan/internal/kernel"
	"dcgan/internal/random"
)

var trained = flag.String("checkpoint", "", "take weights from this checkpoint in TestFilteringError, and MNIST for images")

// TestFilteringError measures what Winograd's filtering loses to rounding: each layer that it computes, forward, back and
// for the kernel's gradient, against the same sums in float64. With -checkpoint it does so on trained weights and the
// activations that they give.
func TestFilteringError(t *testing.T) {
	const batch, limit = 2, 1e-5
	g, d, err := arch.Seed(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]float32{}
	if *trained != "" {
		c, err := checkpoint.Read(*trained)
		if err != nil {
			t.Fatal(err)
		}
		g, d = c.Generator, c.Discriminator
		for _, tensor := range c.Tensors {
			values[tensor.Name] = tensor.Data
		}
	}
	set := &kernel.Variants[len(kernel.Variants)-1]
	pool := newPool(t, 2)
	r := rand.New(rand.NewPCG(1, 1))
	networks := map[string]*Network{}
	for _, a := range []arch.Network{g, d} {
		n, err := New(a, Plan{Set: set, Pool: pool, Batch: batch, Training: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, tensor := range n.Tensors {
			if v, ok := values[a.Name+"."+tensor.Name]; ok {
				copy(tensor.Data, v)
				continue
			}
			for i := range tensor.Data {
				tensor.Data[i] = float32(r.NormFloat64()) / 32
				if strings.HasSuffix(tensor.Name, "gamma") || strings.HasSuffix(tensor.Name, "variance") {
					tensor.Data[i] = 1
				}
			}
		}
		n.Load()
		n.DrawMasks(random.New(1, random.Dropout, 1))
		networks[a.Name] = n
	}
	latents := kernel.Buffer(batch * g.Input.Size())
	for i := range latents {
		latents[i] = r.Float32()*2 - 1
	}
	generator, discriminator := networks[g.Name], networks[d.Name]
	images := kernel.Buffer(batch * d.Input.Size())
	copy(images, generator.Forward(latents, batch, Training))
	if *trained != "" {
		data, err := dataset.Open(dataset.MNIST, "")
		if err != nil {
			t.Fatal(err)
		}
		data.Batch(images, []int{0})
	}
	logits := discriminator.Forward(images, batch, Training)
	labels := []float32{0.9, 0.1}
	discriminator.CrossEntropy(discriminator.OutputGradient(batch), logits, labels)
	discriminator.Backward(generator.OutputGradient(batch), true)
	generator.Backward(nil, true)

	for name, n := range networks {
		for i, s := range n.stages {
			if s.forward == nil || s.forward.winograd == nil && s.forward.pairs == nil {
				continue
			}
			shape := s.grad.geometry
			if s.below != nil { // its input was not kept
				s.below.remake(s.x, s.x, 0, s.below.channels, batch*s.below.pixels)
				s.below = nil
			}
			// Gradients of the layer's output as they are in training: that of its input goes back through the layer above,
			// so for an upstream gradient any of their spread will do.
			dy := s.buffer(s.size)
			for j := range dy {
				dy[j] = float32(r.NormFloat64()) * 1e-3
			}
			out, back := s.buffer(s.size), s.buffer(s.inSize)
			s.forward.call(targets{images: out}, sources{images: s.x}, s.bias.Data, batch)
			s.back.call(targets{images: back}, sources{images: dy}, nil, batch)
			big, small := s.x, dy
			if !s.grad.down {
				big, small = dy, s.x
			}
			s.grad.call(s.kernel.Grad, big, small, s.below, n.slices)
			forward, backward, gradient := exact(shape, s, dy, batch)
			for what, pair := range map[string][2]any{"forward": {out, forward}, "back": {back, backward}, "kernel": {s.kernel.Grad, gradient}} {
				e := relative(pair[0].([]float32), pair[1].([]float64))
				t.Logf("%s, stage %d, %s: relative L2 error %.2g", name, i, what, e)
				if !(e <= limit) {
					t.Errorf("%s, stage %d, %s: relative L2 error %.2g is above %g", name, i, what, e, limit)
				}
			}
		}
	}
}

// exact computes a stage's output, the gradient of its input and that of its kernel in float64.
func exact(g geometry, s *stage, dy []float32, batch int) (forward, backward, gradient []float64) {
	forward, backward = make([]float64, batch*s.size), make([]float64, batch*s.inSize)
	gradient = make([]float64, len(s.kernel.Data))
	for i := range forward {
		forward[i] = float64(s.bias.Data[i%len(s.bias.Data)])
	}
	for tap, meetings := range g.meetings(g.smallC) {
		weights := s.kernel.Data[tap*g.bigC*g.smallC:]
		for n := range batch {
			for _, p := range meetings {
				big, small := n*g.bigSize()+p.X, n*g.smallSize()+p.Y
				for b := range g.bigC {
					for c := range g.smallC {
						w := float64(weights[b*g.smallC+c])
						if s.grad.down {
							forward[small+c] += float64(s.x[big+b]) * w
							backward[big+b] += float64(dy[small+c]) * w
							gradient[(tap*g.bigC+b)*g.smallC+c] += float64(s.x[big+b]) * float64(dy[small+c])
						} else {
							forward[big+b] += float64(s.x[small+c]) * w
							backward[small+c] += float64(dy[big+b]) * w
							gradient[(tap*g.bigC+b)*g.smallC+c] += float64(dy[big+b]) * float64(s.x[small+c])
						}
					}
				}
			}
		}
	}
	return forward, backward, gradient
}

func relative(got []float32, want []float64) float64 {
	var difference, size float64
	for i, w := range want {
		difference += (float64(got[i]) - w) * (float64(got[i]) - w)
		size += w * w
	}
	return math.Sqrt(difference / size)
}
