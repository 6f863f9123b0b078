package engine

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/internal/kernel"
)

// BenchmarkLayers times each layer with weights of the seed at batch 256: forward, gradient of the input, gradient of
// the kernel. GFLOP/s counts the direct convolution, so that what is not multiplied shows as speed.
func BenchmarkLayers(b *testing.B) {
	const batch = 256
	g, d, err := arch.Seed(config.Default())
	if err != nil {
		b.Fatal(err)
	}
	set, err := kernel.Choose()
	if err != nil {
		b.Fatal(err)
	}
	pool := NewPool(runtime.GOMAXPROCS(0))
	defer pool.Close()
	for _, a := range []arch.Network{d, g} {
		n, err := New(a, Plan{Set: set, Pool: pool, Batch: batch, Training: true})
		if err != nil {
			b.Fatal(err)
		}
		anyWeights(n)
		for i, s := range n.stages {
			x, y := s.buffer(s.inSize), s.buffer(s.size)
			for _, v := range [][]float32{x, y} {
				fillNormal(v)
			}
			flop := 2 * float64(batch) * float64(s.grad.geometry.smallSize()*s.grad.geometry.bigC*s.grad.geometry.taps())
			if !s.grad.down {
				flop = 2 * float64(batch) * float64(s.inSize*s.channels*s.grad.geometry.taps())
			}
			run := func(what string, f func()) {
				b.Run(fmt.Sprintf("%s/%d/%s", a.Name, i, what), func(b *testing.B) {
					for b.Loop() {
						f()
					}
					b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
			run("forward", func() { s.forward.call(targets{images: y}, sources{images: x}, s.bias.Data, batch) })
			run("back", func() { s.back.call(targets{images: x}, sources{images: y}, nil, batch) })
			big, small := x, y
			if !s.grad.down {
				big, small = y, x
			}
			run("kernel", func() { s.grad.call(s.kernel.Grad, big, small, s.below, n.slices) })
		}
	}
}

// anyWeights gives a network weights, and statistics that leave them as they are.
func anyWeights(n *Network) {
	for _, t := range n.Tensors {
		for i := range t.Data {
			t.Data[i] = float32(rand.NormFloat64()) / 16
		}
	}
	for _, s := range n.stages {
		if s.norm != nil {
			for i := range s.norm.movingVariance.Data {
				s.norm.movingVariance.Data[i] = 1
			}
		}
	}
	n.Load()
}

func fillNormal(v []float32) {
	for i := range v {
		v[i] = float32(rand.NormFloat64())
	}
}
