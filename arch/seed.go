package arch

import (
	"dcgan/config"
	"dcgan/internal/input"
)

// SeedImage is the shape of the seed's images.
var SeedImage = Shape{28, 28, 1}

// Seed returns the two networks of the seed's document for the settings in c, with the default ones its networks to the
// letter. They draw and judge images of SeedImage.
func Seed(c config.Config) (generator, discriminator Network, err error) {
	image := SeedImage
	generator = Network{Name: "generator", Input: Shape{c.Latent}}
	discriminator = Network{Name: "discriminator", Input: image}

	for i, filters := range c.DFilters {
		stride := 2
		if i == len(c.DFilters)-1 {
			stride = 1
		}
		discriminator.Layers = append(discriminator.Layers,
			Layer{Class: Conv2D, Filters: filters, Kernel: c.Kernel, Strides: stride},
			Layer{Class: LeakyReLU, NegativeSlope: c.LeakySlope},
			Layer{Class: Dropout, Rate: c.Dropout})
	}
	discriminator.Layers = append(discriminator.Layers,
		Layer{Class: Flatten},
		Layer{Class: Dense, Units: 1},
		Layer{Class: Activation, Function: Sigmoid})

	// G's first two transposed convolutions double the sides, so the dense layer starts at a quarter of them.
	if len(c.GFilters) != 4 {
		return generator, discriminator, input.Errorf("--g-filters: %d numbers given; the seed's G takes 4, as in 256,128,64,32", len(c.GFilters))
	}
	start := Shape{image[0] / 4, image[1] / 4, c.GFilters[0]}
	normalised := func(layers ...Layer) []Layer {
		return append(layers,
			Layer{Class: BatchNormalization, Momentum: c.BNMomentum, Epsilon: c.BNEpsilon},
			Layer{Class: Activation, Function: ReLU})
	}
	generator.Layers = append(normalised(Layer{Class: Dense, Units: start.Size()}),
		Layer{Class: Reshape, Target: start})
	for i, filters := range c.GFilters[1:] {
		stride := 2
		if i == 2 {
			stride = 1
		}
		generator.Layers = append(generator.Layers,
			normalised(Layer{Class: Conv2DTranspose, Filters: filters, Kernel: c.Kernel, Strides: stride})...)
	}
	generator.Layers = append(generator.Layers,
		Layer{Class: Conv2DTranspose, Filters: image[2], Kernel: c.Kernel, Strides: 1},
		Layer{Class: Activation, Function: Tanh})

	for _, n := range []Network{generator, discriminator} {
		if _, err := n.Shapes(); err != nil {
			return generator, discriminator, err
		}
	}
	return generator, discriminator, nil
}

// SettingsOf returns settings that Seed makes these two networks of, and true; where there are none, c with the size of
// their latent, and false.
func SettingsOf(generator, discriminator Network, c config.Config) (config.Config, bool) {
	c = c.Clone()
	c.Latent = generator.Input.Size()
	found := c.Clone()
	found.GFilters, found.DFilters = nil, nil
	for _, l := range generator.Layers {
		switch l.Class {
		case BatchNormalization:
			found.BNMomentum, found.BNEpsilon = l.Momentum, l.Epsilon
		case Reshape:
			found.GFilters = append(found.GFilters, l.Target[len(l.Target)-1])
		case Conv2DTranspose:
			found.GFilters = append(found.GFilters, l.Filters)
		}
	}
	for _, l := range discriminator.Layers {
		switch l.Class {
		case Conv2D:
			found.Kernel = l.Kernel
			found.DFilters = append(found.DFilters, l.Filters)
		case LeakyReLU:
			found.LeakySlope = l.NegativeSlope
		case Dropout:
			found.Dropout = l.Rate
		}
	}
	if len(found.GFilters) > 0 { // the last gives the image
		found.GFilters = found.GFilters[:len(found.GFilters)-1]
	}
	g, d, err := Seed(found)
	if err != nil || found.Check() != nil || !g.Same(generator) || !d.Same(discriminator) {
		return c, false
	}
	return found, true
}

// Presets names the architectures that can be asked for without a file.
var Presets = []string{config.Recipe}
