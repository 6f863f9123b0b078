package dcgan

import (
	"fmt"
	"path/filepath"
	"strconv"

	"dcgan/arch"
	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/internal/input"
	"dcgan/internal/random"
	"dcgan/model"
	"dcgan/run"
)

// Images is drawn images, N×H×W×C, values in [-1, 1].
type Images struct {
	N, H, W, C int
	Pixels     []float32
}

// Generator draws images. It may be used from several goroutines.
type Generator struct {
	*inference
	latent int
	shape  arch.Shape
	noise  config.Range
	step   int
	passed []string
}

// Open opens the generator of a run folder (its best checkpoint where one is scored, else its newest whole one), of a
// checkpoint or of a model file, as OpenModel does. That there is none, or that it is damaged, is an error that says so in
// one line.
func Open(path string) (*Generator, error) { return OpenCheckpoint(path, "") }

// OpenCheckpoint opens a checkpoint of a run folder: that of a step by its number, "latest" or "best"; "" is what Open
// takes.
func OpenCheckpoint(path, which string) (*Generator, error) {
	m, err := OpenModel(path, which)
	if err != nil {
		return nil, err
	}
	return m.Generator()
}

// findCheckpoint reads a checkpoint of a run folder, and returns the damaged ones that it passed over.
func findCheckpoint(path, which string) (*checkpoint.Checkpoint, []Damage, error) {
	folder, err := run.Open(path)
	if err != nil {
		return nil, nil, err
	}
	switch which {
	case "", "latest":
		whole, damaged, err := newestWhole(folder, checkpoint.Read)
		if err == nil && whole == nil {
			err = noneWhole(folder, damaged)
		}
		if err == nil && whole == nil {
			err = input.Errorf("%s has no checkpoint yet: train it first, or go on with it by --resume", path)
		}
		return whole, damaged, err
	case "best":
		return nil, nil, input.Errorf("no checkpoint of %s has a score yet: name a step's number or latest", path)
	}
	step, err := strconv.Atoi(which)
	if err != nil || step < 0 {
		return nil, nil, input.Errorf("checkpoint %q: name a step's number, best or latest", which)
	}
	list, err := folder.Checkpoints()
	if err != nil {
		return nil, nil, fmt.Errorf("checkpoints of %s: %w", path, err)
	}
	var steps []int
	for _, c := range list {
		if c.Step == step {
			read, err := checkpoint.Read(c.Path)
			return read, nil, err
		}
		steps = append(steps, c.Step)
	}
	return nil, nil, input.Errorf("%s has no checkpoint of step %d: it has those of %v", path, step, steps)
}

func newGenerator(m *model.Model) (*Generator, error) {
	n := m.Generator
	output := n.Output()
	if len(n.Input) != 1 || len(output) != 3 {
		return nil, input.Errorf("a network from %v to %v draws no images", n.Input, output)
	}
	settings := config.Default()
	if text, ok := m.Settings["noise"]; ok {
		if err := settings.Noise.UnmarshalText([]byte(unquote(text))); err != nil {
			return nil, input.Errorf("its noise: %w", err)
		}
		if err := settings.Check(); err != nil { // from a range without bounds, drawing would never end
			return nil, input.Errorf("its settings: %w", err)
		}
	}
	i, err := newInference(n)
	if err != nil {
		return nil, err
	}
	return &Generator{inference: i, latent: n.Input.Size(), shape: output, noise: settings.Noise, step: m.Step}, nil
}

// LatentSize returns the number of values in a latent.
func (g *Generator) LatentSize() int { return g.latent }

// PassedOver says what is wrong with newer checkpoints of the run folder that Open passed over, a line each.
func (g *Generator) PassedOver() []string { return g.passed }

// Step returns how many steps the generator was trained for.
func (g *Generator) Step() int { return g.step }

// Shape returns the height, width and channels of an image.
func (g *Generator) Shape() (h, w, c int) { return g.shape[0], g.shape[1], g.shape[2] }

// Latents draws n latents, n×LatentSize, from the truncated normal that the generator was trained with. The first k of
// them are those of Latents(k, seed). Below 1 there are none.
func (g *Generator) Latents(n int, seed uint64) []float32 {
	latents := make([]float32, max(0, n)*g.latent)
	drawLatents(latents, g.latent, seed, g.noise)
	return latents
}

// drawLatents fills latents, of size values each, for drawing outside of training.
func drawLatents(latents []float32, size int, seed uint64, noise config.Range) {
	stream := random.New(seed, random.Sampling, 0)
	for i := range len(latents) / size {
		stream.TruncatedNormal(latents[i*size:][:size], uint32(i), noise.Low, noise.High)
	}
}

// Sample draws n images. The first k of them are those of Sample(k, seed). Below 1 there are none.
func (g *Generator) Sample(n int, seed uint64) Images {
	images, err := g.Draw(g.Latents(n, seed))
	if err != nil { // its own latents have the size it asks for
		panic(err)
	}
	return images
}

// Draw draws an image for each latent, n×LatentSize. An image depends on the weights and its latent alone. It is an error
// if latents is not a whole number of latents.
func (g *Generator) Draw(latents []float32) (Images, error) {
	if len(latents)%g.latent != 0 {
		return Images{}, input.Errorf("%d values are no whole number of latents of %d", len(latents), g.latent)
	}
	images := Images{N: len(latents) / g.latent, H: g.shape[0], W: g.shape[1], C: g.shape[2]}
	images.Pixels = make([]float32, images.N*g.shape.Size())
	g.forward(images.Pixels, latents)
	return images, nil
}

// Networks returns the architectures of a preset, a run folder, a checkpoint or a model file, the generator before the
// discriminator.
func Networks(what string) ([]arch.Network, error) {
	if what == config.Recipe {
		generator, discriminator, err := arch.Seed(config.Default())
		return []arch.Network{generator, discriminator}, err
	}
	m, err := OpenModel(filepath.Clean(what), "")
	if err != nil {
		return nil, err
	}
	return m.Networks(), nil
}
