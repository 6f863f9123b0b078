package train

import (
	"math"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/internal/engine"
	"dcgan/internal/random"
)

// drawForD draws what D learns from in the next step: real images with replacement, latents for as many of G's, targets
// for both, and dropout masks. Every draw is a function of the seed, the step and an image's place in the batch.
func (t *Trainer) drawForD() {
	c, step := &t.config, t.Step+1
	data := random.New(c.Seed, random.Data, step)
	for i := range t.index {
		t.index[i] = data.Index(uint32(i), t.data.N)
	}
	t.data.Batch(t.images, t.index)
	t.drawLatents(0, t.half)
	t.drawTargets(0, 0, t.half, c.RealLabels)
	t.drawTargets(0, t.half, c.Batch, c.FakeLabels)
	t.Discriminator.DrawMasks(random.New(c.Seed, random.Dropout, 2*step))
}

// drawForG draws what G learns from in the next step. Its images have the places behind those of D's.
func (t *Trainer) drawForG() {
	c, step := &t.config, t.Step+1
	t.drawLatents(c.Batch, c.Batch)
	t.drawTargets(c.Batch, 0, c.Batch, c.RealLabels)
	t.Discriminator.DrawMasks(random.New(c.Seed, random.Dropout, 2*step+1))
}

func (t *Trainer) drawLatents(place, count int) {
	t.latentPlace = place
	t.pool.Each(count, t.latentTask)
}

func (t *Trainer) drawLatent(i int) {
	c := &t.config
	stream := random.New(c.Seed, random.Noise, t.Step+1).Numbered(t.Restart.Stream)
	stream.TruncatedNormal(t.latents[i*c.Latent:][:c.Latent], uint32(t.latentPlace+i), c.Noise.Low, c.Noise.High)
}

func (t *Trainer) drawTargets(place, lo, hi int, r config.Range) {
	stream := random.New(t.config.Seed, random.Labels, t.Step+1)
	for i := lo; i < hi; i++ {
		stream.TruncatedNormal(t.targets[i:i+1], uint32(place+i), r.Low, r.High)
	}
}

// Initialise draws a network's first weights. The network's number keeps those of one seed apart.
func Initialise(n *engine.Network, seed uint64, network int) {
	for i, t := range n.Tensors {
		drawWeights(t.Data, t.Tensor, seed, network<<16|i)
	}
	n.Load()
}

// drawWeights draws a tensor's first values: kernels Glorot uniform (Glorot, Bengio 2010), in ±√(6/(fan in + fan out)),
// biases and beta 0, gamma and moving variance 1, moving mean 0.
func drawWeights(dst []float32, t arch.Tensor, seed uint64, place int) {
	switch suffix(t.Name) {
	case "kernel":
		in, out := fans(t.Shape)
		limit := math.Sqrt(6 / float64(in+out))
		random.New(seed, random.Initial, 0).Uniform(dst, uint32(place), -limit, limit)
	case "gamma", "moving_variance":
		fill(dst, 1)
	default:
		clear(dst)
	}
}

// fans returns the values that one output is computed from and the outputs that one input reaches.
func fans(kernel arch.Shape) (in, out int) {
	last := len(kernel)
	area := kernel[:last-2].Size()
	return area * kernel[last-2], area * kernel[last-1]
}

func suffix(name string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '/' {
			return name[i+1:]
		}
	}
	return name
}

func fill(dst []float32, value float32) {
	for i := range dst {
		dst[i] = value
	}
}
