package dcgan

import (
	"io"

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

// Model is the networks of a run folder, a checkpoint or a file that Export wrote, with their weights.
type Model struct {
	networks model.Model
	source   string
	passed   []string
}

// OpenModel opens the networks of a run folder, a checkpoint or a file that Export wrote. Of a run folder, which names the
// checkpoint: by its step, "latest" or "best"; "" is what Open takes.
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

// PassedOver says what is wrong with newer checkpoints of the run folder that OpenModel passed over, a line each.
func (m *Model) PassedOver() []string { return m.passed }

// Step returns how many steps the networks were trained for, 0 where that is unknown.
func (m *Model) Step() int { return m.networks.Step }

// Export writes one of the networks in a format. Equal networks give equal bytes. It is an error of input if the model
// does not have the network, or the format cannot hold it; then nothing was written.
func (m *Model) Export(w io.Writer, format Format, network string) error {
	n := m.networks.Generator
	if network == DiscriminatorNetwork {
		n = m.networks.Discriminator
	}
	if n == nil {
		return input.Errorf("%s holds no %s", m.source, network)
	}
	return format.Write(w, n, &m.networks)
}
