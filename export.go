package dcgan

import (
	"fmt"
	"io"
	"slices"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/exchange"
	"dcgan/internal/input"
	"dcgan/model"
)

// Format is a kind of file that Export writes for another system: Name, Ending and Help.
type Format = exchange.Format

// Formats lists the formats that Export writes.
func Formats() []Format { return exchange.Formats }

// The networks that Export takes.
const (
	GeneratorNetwork     = "generator"
	DiscriminatorNetwork = "discriminator"
)

// Model is the networks of a run folder, a checkpoint or a model file, with their weights.
type Model struct {
	networks model.Model
	source   string
	passed   []string
}

// OpenWeights opens a file of Keras that has weights alone, those of one of the networks of a preset, or of the layers in a
// file, the JSON of Keras' model.to_json(). That the file itself has other layers is an error of input.
func OpenWeights(path, architecture string) (*Model, error) {
	if isFolder(path) {
		return nil, input.Errorf("%s is a folder: --arch is for a file of weights", path)
	}
	layers, err := layersOf(architecture)
	if err != nil {
		return nil, fmt.Errorf("--arch: %w", err)
	}
	m, err := exchange.Read(path, layers...)
	if err != nil {
		return nil, err
	}
	for _, n := range m.Networks() {
		if !layers.Contain(n.Network) {
			return nil, input.Errorf("%s says itself which layers it has, and they are not those of --arch %s: leave that out", path, architecture)
		}
	}
	return &Model{networks: *m, source: path}, nil
}

func layersOf(architecture string) (exchange.Layers, error) {
	if !slices.Contains(arch.Presets, architecture) {
		return exchange.ReadLayers(architecture)
	}
	generator, discriminator, err := arch.Seed(config.Default())
	return exchange.LayersOf(generator, discriminator), err
}

// OpenModel opens the networks of a run folder, a checkpoint or a model file: one of Keras, or an ONNX or safetensors file
// that Export wrote. Of a run folder, which names the checkpoint: by its step, "latest" or "best"; "" is what Open takes.
func OpenModel(path, which string) (*Model, error) {
	if !isFolder(path) {
		if which != "" {
			return nil, input.Errorf("%s is a file: --checkpoint chooses among those of a run folder", path)
		}
		m, err := exchange.Read(path)
		if err != nil {
			return nil, err
		}
		return &Model{networks: *m, source: path}, nil
	}
	c, damaged, err := findCheckpoint(path, which)
	if err != nil {
		return nil, err
	}
	m := &Model{networks: *c.Model(), source: path}
	for _, d := range damaged {
		m.passed = append(m.passed, d.Reason)
	}
	return m, nil
}

// Networks returns the architectures of the networks that there are, the generator before the discriminator.
func (m *Model) Networks() []arch.Network {
	var all []arch.Network
	for _, n := range m.networks.Networks() {
		all = append(all, n.Network)
	}
	return all
}

// Generator returns the generator, to draw with.
func (m *Model) Generator() (*Generator, error) {
	if m.networks.Generator == nil {
		return nil, input.Errorf("%s: holds a discriminator and no generator to draw with", m.source)
	}
	g, err := newGenerator(&m.networks)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.source, err)
	}
	g.passed = m.passed
	return g, nil
}

// PassedOver says what is wrong with newer checkpoints of the run folder that OpenModel passed over, a line each.
func (m *Model) PassedOver() []string { return m.passed }

// Step returns how many steps the networks were trained for, 0 where that is unknown.
func (m *Model) Step() int { return m.networks.Step }

// Export writes one of the networks in a format. Equal networks give equal bytes. It is an error of input if the model
// does not have the network, or the format cannot hold it; then nothing was written.
func (m *Model) Export(w io.Writer, format Format, network string) error {
	n, other := m.networks.Generator, DiscriminatorNetwork
	if network == DiscriminatorNetwork {
		n, other = m.networks.Discriminator, GeneratorNetwork
	}
	if n == nil {
		return input.Errorf("%s holds no %s: give --network %s", m.source, network, other)
	}
	err := format.Write(w, n, &m.networks)
	if input.Is(err) {
		err = fmt.Errorf("%s: %w", m.source, err)
	}
	return err
}
