package train

import (
	"runtime"
	"testing"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/dataset"
	"dcgan/internal/engine"
	"dcgan/internal/kernel"
)

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
	pool := engine.NewPool(runtime.GOMAXPROCS(0))
	defer pool.Close()
	t, err := New(c, g, d, data, set, pool)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		m := t.Next()
		b.Logf("%+v", m)
	}
}
