// Package measure makes the work that benchmarks time, a training step of the seed and drawing, and counts it.
package measure

import (
	"slices"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/dataset"
	"dcgan/internal/engine"
	"dcgan/internal/kernel"
	"dcgan/internal/random"
	"dcgan/train"
)

// Step returns a function that does one whole training step of the seed, drawing its data, noise, labels and dropout
// included, on the embedded MNIST; and one that ends its threads.
func Step(set *kernel.Set, batch, threads int) (step, end func(), err error) {
	c := config.Default()
	c.Batch, c.Threads = batch, threads
	if err := c.Check(); err != nil {
		return nil, nil, err
	}
	g, d, err := arch.Seed(c)
	if err != nil {
		return nil, nil, err
	}
	data, err := dataset.Open(dataset.MNIST, "")
	if err != nil {
		return nil, nil, err
	}
	pool := engine.NewPool(threads)
	t, err := train.New(c, g, d, data, set, pool)
	if err != nil {
		pool.Close()
		return nil, nil, err
	}
	return func() { t.Next() }, pool.Close, nil
}

// Draw returns a function that draws batch images with the seed's generator from latents that are given, and one that
// ends its threads.
func Draw(set *kernel.Set, batch, threads int) (draw, end func(), err error) {
	g, _, err := arch.Seed(config.Default())
	if err != nil {
		return nil, nil, err
	}
	pool := engine.NewPool(threads)
	n, err := engine.New(g, engine.Plan{Set: set, Pool: pool, Batch: batch})
	if err != nil {
		pool.Close()
		return nil, nil, err
	}
	train.Initialise(n, 1, 0)
	latents := kernel.Buffer(batch * g.Input.Size())
	random.New(1, random.Sampling, 0).Uniform(latents, 0, -1, 1)
	return func() { n.Forward(latents, batch, engine.Inference) }, pool.Close, nil
}

// StepGFLOP is the work of a step counted as direct convolution, a multiply and an add for every output and weight: G
// draws half a batch; D goes forward and back over a batch; G and D go forward, D back to its input, and G back. Neither
// needs the gradient of its first layer's input but D in G's half.
func StepGFLOP(batch int) float64 {
	g, d := sizes()
	images := 3.5*g.all + 5*d.all - g.first - d.first
	return 2 * images * float64(batch) / 1e9
}

// DrawGFLOP is the work of drawing, counted likewise.
func DrawGFLOP(batch int) float64 {
	g, _ := sizes()
	return 2 * g.all * float64(batch) / 1e9
}

// Median returns the median of values, of which there is at least one.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// work is multiply-adds an image of a network and of its first layer.
type work struct{ all, first float64 }

func sizes() (g, d work) {
	generator, discriminator, err := arch.Seed(config.Default())
	if err != nil { // the defaults fit
		panic(err)
	}
	return multiplyAdds(generator), multiplyAdds(discriminator)
}

func multiplyAdds(n arch.Network) (w work) {
	shapes, err := n.Shapes()
	if err != nil { // as above
		panic(err)
	}
	in := n.Input
	for i, layer := range n.Layers {
		var count int
		switch layer.Class {
		case arch.Dense:
			count = in.Size() * layer.Units
		case arch.Conv2D:
			count = shapes[i].Size() * in[2] * layer.Kernel * layer.Kernel
		case arch.Conv2DTranspose:
			count = in.Size() * layer.Filters * layer.Kernel * layer.Kernel
		}
		w.all += float64(count)
		if i == 0 {
			w.first = w.all
		}
		in = shapes[i]
	}
	return w
}
