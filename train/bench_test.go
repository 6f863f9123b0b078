package train

import (
	"fmt"
	"runtime"
	"testing"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/dataset"
	"dcgan/internal/engine"
	"dcgan/internal/kernel"
)

// BenchmarkStep times the seed's step at several batches.
func BenchmarkStep(b *testing.B) {
	c := config.Default()
	data, err := dataset.Open("mnist", "")
	if err != nil {
		b.Fatal(err)
	}
	g, d, err := arch.Seed(c)
	if err != nil {
		b.Fatal(err)
	}
	set, err := kernel.Choose()
	if err != nil {
		b.Fatal(err)
	}
	for _, c.Batch = range []int{32, 64, 256, 1024} {
		b.Run(fmt.Sprintf("batch=%d", c.Batch), func(b *testing.B) {
			pool := engine.NewPool(runtime.GOMAXPROCS(0))
			defer pool.Close()
			t, err := New(c, g, d, data, set, pool)
			if err != nil {
				b.Fatal(err)
			}
			t.Next() // the system gives memory at first use
			for b.Loop() {
				t.Next()
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*c.Batch), "us/image")
		})
	}
}
