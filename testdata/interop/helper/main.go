// Command helper does for check.py what the program has no verb for.
//
//	helper networks FOLDER                writes checkpoints of pairs of networks with random weights, FOLDER/NAME.safetensors
//	helper judge FILE IMAGES.npy OUT.npy  writes the discriminator's probabilities, N×1
package main

import (
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"dcgan"
	"dcgan/arch"
	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/format/npy"
	"dcgan/format/safetensors"
)

func main() {
	log.SetFlags(0)
	switch args := os.Args[1:]; {
	case len(args) == 2 && args[0] == "networks":
		for name, pair := range pairs() {
			if err := write(filepath.Join(args[1], name+".safetensors"), pair); err != nil {
				log.Fatalf("%s: %v", name, err)
			}
		}
	case len(args) == 4 && args[0] == "judge":
		if err := judge(args[1], args[2], args[3]); err != nil {
			log.Fatal(err)
		}
	default:
		log.Fatal("usage: helper networks FOLDER | helper judge FILE IMAGES.npy OUT.npy")
	}
}

// size is what a pair of networks is made by.
type size struct {
	image   arch.Shape
	kernel  int
	strides []int // of G's transposed convolutions; D's convolutions have them in reverse
}

// pairs returns a generator and a discriminator by name.
func pairs() map[string][2]arch.Network {
	all := map[string][2]arch.Network{}
	generator, discriminator, err := arch.Seed(config.Default())
	if err != nil {
		log.Fatal(err)
	}
	all["seed"] = [2]arch.Network{generator, discriminator}
	for name, s := range map[string]size{
		"odd":      {arch.Shape{9, 9, 1}, 3, []int{1, 1}},
		"rgb":      {arch.Shape{16, 16, 3}, 3, []int{2, 2}},
		"wide":     {arch.Shape{12, 20, 2}, 3, []int{2, 1}},
		"kernel_1": {arch.Shape{8, 12, 1}, 1, []int{2, 1}},
		"kernel_2": {arch.Shape{12, 8, 3}, 2, []int{2, 2, 1}},
		"kernel_4": {arch.Shape{16, 16, 1}, 4, []int{2, 1, 2}},
		"kernel_5": {arch.Shape{28, 20, 3}, 5, []int{2, 1, 2}},
		"kernel_6": {arch.Shape{14, 14, 1}, 6, []int{1, 2}},
		"kernel_7": {arch.Shape{13, 11, 3}, 7, []int{1, 1}},
	} {
		all[name] = [2]arch.Network{s.generator(), s.discriminator()}
	}
	return all
}

func (s size) generator() arch.Network {
	start := arch.Shape{s.image[0], s.image[1], 6}
	for _, stride := range s.strides {
		start[0], start[1] = start[0]/stride, start[1]/stride
	}
	norm := arch.Layer{Class: arch.BatchNormalization, Momentum: 0.9, Epsilon: 1e-3}
	n := arch.Network{Name: "generator", Input: arch.Shape{10}, Layers: []arch.Layer{
		{Class: arch.Dense, Units: start.Size()}, norm, {Class: arch.Activation, Function: arch.ReLU},
		{Class: arch.Reshape, Target: start},
	}}
	for i, stride := range s.strides {
		filters, last := 7-i, i == len(s.strides)-1
		if last {
			filters = s.image[2]
		}
		n.Layers = append(n.Layers, arch.Layer{Class: arch.Conv2DTranspose, Filters: filters, Kernel: s.kernel, Strides: stride})
		if !last {
			n.Layers = append(n.Layers, norm, arch.Layer{Class: arch.LeakyReLU, NegativeSlope: 0.1})
		}
	}
	n.Layers = append(n.Layers, arch.Layer{Class: arch.Activation, Function: arch.Tanh})
	return n
}

// discriminator has what the seed's has not: normalisation, of images and of vectors, a second dense layer, a tanh.
func (s size) discriminator() arch.Network {
	norm := arch.Layer{Class: arch.BatchNormalization, Momentum: 0.8, Epsilon: 1e-2}
	n := arch.Network{Name: "discriminator", Input: s.image}
	for i := range s.strides {
		stride := s.strides[len(s.strides)-1-i]
		if i == 0 {
			stride = 2 // of odd sides too
		}
		n.Layers = append(n.Layers,
			arch.Layer{Class: arch.Conv2D, Filters: 5 + i, Kernel: s.kernel, Strides: stride}, norm,
			arch.Layer{Class: arch.LeakyReLU, NegativeSlope: 0.2}, arch.Layer{Class: arch.Dropout, Rate: 0.4})
	}
	n.Layers = append(n.Layers, arch.Layer{Class: arch.Flatten}, norm,
		arch.Layer{Class: arch.Dense, Units: 4}, arch.Layer{Class: arch.Activation, Function: arch.Tanh},
		arch.Layer{Class: arch.Dense, Units: 1}, arch.Layer{Class: arch.Activation, Function: arch.Sigmoid})
	return n
}

// write writes a checkpoint with random weights, the same at every call.
func write(path string, pair [2]arch.Network) error {
	random := rand.New(rand.NewPCG(1, 2))
	c := checkpoint.Checkpoint{Generator: pair[0], Discriminator: pair[1]}
	settings := config.Default()
	settings.Latent = pair[0].Input.Size()
	c.Settings = checkpoint.Numbers(&settings)
	for i, prefix := range []string{checkpoint.Generator, checkpoint.Discriminator} {
		if _, err := pair[i].Shapes(); err != nil {
			return err
		}
		for _, t := range pair[i].Tensors() {
			c.Tensors = append(c.Tensors, safetensors.Tensor{Name: prefix + t.Name, Shape: t.Shape, Data: values(random, t)})
		}
		for _, t := range pair[i].Tensors() {
			if t.Trainable {
				for _, moment := range []string{checkpoint.FirstMoment, checkpoint.SecondMoment} {
					c.Tensors = append(c.Tensors, safetensors.Tensor{
						Name: "adam." + prefix + t.Name + moment, Shape: t.Shape, Data: make([]float32, t.Shape.Size()),
					})
				}
			}
		}
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := c.Write(file); err != nil {
		return err
	}
	return file.Close()
}

// values draws a tensor: kernels so that images neither fade nor saturate, the rest away from where it would hide an error.
func values(random *rand.Rand, t arch.Tensor) []float32 {
	_, kind, _ := strings.Cut(t.Name, "/")
	low, high := -0.3, 0.3
	switch kind {
	case "kernel":
		fans := t.Shape[len(t.Shape)-1] + t.Shape[len(t.Shape)-2]
		for _, side := range t.Shape[:len(t.Shape)-2] {
			fans *= side
		}
		high = math.Sqrt(6 / float64(fans))
		low = -high
	case "gamma", "moving_variance":
		low, high = 0.5, 1.5
	}
	data := make([]float32, t.Shape.Size())
	for i := range data {
		data[i] = float32(low + (high-low)*random.Float64())
	}
	return data
}

// judge writes what the discriminator of a file says of images, N×H×W×C.
func judge(path, images, out string) error {
	d, err := dcgan.OpenDiscriminator(path)
	if err != nil {
		return err
	}
	defer d.Close()
	file, err := os.Open(images)
	if err != nil {
		return err
	}
	defer file.Close()
	shape, pixels, err := npy.Read(file)
	if err != nil || len(shape) != 4 {
		return fmt.Errorf("%s: shape %v: %w", images, shape, err)
	}
	p, err := d.Probabilities(dcgan.Images{N: shape[0], H: shape[1], W: shape[2], C: shape[3], Pixels: pixels})
	if err != nil {
		return err
	}
	result, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := npy.Write(result, []int{len(p), 1}, p); err != nil {
		return err
	}
	return result.Close()
}
