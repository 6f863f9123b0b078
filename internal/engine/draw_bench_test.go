package engine

import (
	"fmt"
	"testing"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/internal/kernel"
)

// BenchmarkDraw times drawing with the seed's generator.
func BenchmarkDraw(b *testing.B) {
	g, _, err := arch.Seed(config.Default())
	if err != nil {
		b.Fatal(err)
	}
	set, err := kernel.Choose()
	if err != nil {
		b.Fatal(err)
	}
	for _, images := range []int{256, 1} {
		for _, threads := range []int{1, 2} {
			pool := NewPool(threads)
			n, err := New(g, Plan{Set: set, Pool: pool, Batch: images})
			if err != nil {
				b.Fatal(err)
			}
			anyWeights(n)
			x := kernel.Buffer(images * n.inSize)
			fillNormal(x)
			b.Run(fmt.Sprintf("images=%d/threads=%d", images, threads), func(b *testing.B) {
				for b.Loop() {
					n.Forward(x, images, Inference)
				}
			})
			pool.Close()
		}
	}
}
