package dcgan_test

import (
	"context"
	"slices"
	"testing"

	"dcgan"
	"dcgan/internal/input"
)

// TestDiscriminator judges images together and alone, and refuses others.
func TestDiscriminator(t *testing.T) {
	cfg, remove := small()
	defer remove()
	cfg.Steps = 1
	if _, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{}); err != nil {
		t.Fatal(err)
	}
	g, err := dcgan.Open(cfg.Run)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	d, err := dcgan.OpenDiscriminator(cfg.Run)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()

	images := g.Sample(70, 1)
	together, err := d.Probabilities(images)
	if err != nil || len(together) != images.N {
		t.Fatalf("%d probabilities, %v", len(together), err)
	}
	size := images.H * images.W * images.C
	var alone []float32
	for i := range images.N {
		p, err := d.Probabilities(dcgan.Images{N: 1, H: images.H, W: images.W, C: images.C, Pixels: images.Pixels[i*size:][:size]})
		if err != nil || !(p[0] > 0 && p[0] < 1) {
			t.Fatalf("image %d: %v, %v", i, p, err)
		}
		alone = append(alone, p[0])
	}
	if !slices.Equal(together, alone) {
		t.Error("an image alone is judged otherwise than among others")
	}

	for _, bad := range []dcgan.Images{
		{N: 1, H: 28, W: 28, C: 3, Pixels: make([]float32, 28*28*3)},
		{N: 2, H: 28, W: 28, C: 1, Pixels: make([]float32, 28*28)},
	} {
		if _, err := d.Probabilities(bad); !input.Is(err) {
			t.Errorf("%d of %d×%d×%d: %v", bad.N, bad.H, bad.W, bad.C, err)
		}
	}
}
