// Package checkpoint is the state of a training in one file: both networks, their optimizers, and the settings, step and
// data that the numbers follow from.
package checkpoint

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/format/safetensors"
	"dcgan/internal/input"
	"dcgan/model"
)

// Version is the version of the format: what this package writes and reads.
const Version = 1

// Checkpoint is what a file holds. It is a function of the settings that change numbers, of the data and of the step.
type Checkpoint struct {
	Step          int
	Generator     arch.Network
	Discriminator arch.Network
	Settings      map[string]json.RawMessage // those that change numbers, by their key in config.json
	Iterations    Iterations
	DataSHA256    string
	InitSHA256    string // of the weights that training began with, where they came from a file
	Restart       Restart
	Tensors       []safetensors.Tensor
}

// Iterations is the steps of Adam that each network has made.
type Iterations struct {
	Generator     int `json:"generator"`
	Discriminator int `json:"discriminator"`
}

// Restart is what a training that diverged goes on with since it went back to an earlier checkpoint. It is zero, and not in
// the file, where it never did.
type Restart struct {
	LR     float64 `json:"lr"`     // learning rate in place of the setting
	Stream int     `json:"stream"` // number of the stream that latents are drawn from; every run begins with 0
}

// maxStream bounds the number of a stream to what random numbers have room for.
const maxStream = 1<<16 - 1

// Prefixes of tensors' names, before the names that Keras gives.
const (
	Generator         = "generator."
	Discriminator     = "discriminator."
	AdamGenerator     = "adam.generator."
	AdamDiscriminator = "adam.discriminator."
	FirstMoment       = "/m" // behind the name of a tensor of Adam
	SecondMoment      = "/v"
)

// Numbers returns the settings of c that change numbers, as a checkpoint records them.
func Numbers(c *config.Config) map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	for _, s := range c.Settings() {
		if !s.Numbers {
			continue
		}
		text, err := json.Marshal(s.Value)
		if err != nil { // a number that is not finite, which Check refuses
			panic(fmt.Sprintf("setting %s that was not checked: %v", s.Key, err))
		}
		all[s.Key] = text
	}
	return all
}

// random tells where the counter-based streams stand: every draw follows from the seed and the step.
type random struct {
	Generator string          `json:"generator"`
	Seed      json.RawMessage `json:"seed"`
	Step      int             `json:"step"`
}

// cursor tells which images were drawn: Draws of them so far, with replacement.
type cursor struct {
	Order string `json:"order"`
	Step  int    `json:"step"`
}

const (
	philox          = "philox4x32-10"
	withReplacement = "with replacement"
)

type networks struct {
	Generator     arch.Network `json:"generator"`
	Discriminator arch.Network `json:"discriminator"`
}

// Write writes the file. Equal checkpoints give equal bytes.
func (c *Checkpoint) Write(w io.Writer) error {
	metadata := map[string]string{
		"format_version": strconv.Itoa(Version),
		"step":           strconv.Itoa(c.Step),
		"architecture":   text(networks{c.Generator, c.Discriminator}),
		"settings":       text(c.Settings),
		"iterations":     text(c.Iterations),
		"random":         text(random{philox, c.Settings["seed"], c.Step}),
		"data_cursor":    text(cursor{withReplacement, c.Step}),
		"data_sha256":    c.DataSHA256,
	}
	if c.InitSHA256 != "" {
		metadata["init_sha256"] = c.InitSHA256
	}
	if c.Restart != (Restart{}) {
		metadata["restart"] = text(c.Restart)
	}
	return safetensors.Write(w, metadata, c.Tensors)
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // plain data, finite by config's and arch's checks
		panic(err)
	}
	return string(b)
}

// Read reads and checks a file: its checksums, its format, and that it has exactly the tensors that its architecture
// asks for. What is wrong is an error of input that names the file, and the tensor or the header.
func Read(path string) (*Checkpoint, error) { return read(path, safetensors.ReadFile) }

// Check checks a file as Read does, and leaves the tensors' data out, for which it takes no memory.
func Check(path string) (*Checkpoint, error) { return read(path, safetensors.CheckFile) }

func read(path string, readFile func(path string) (*safetensors.File, error)) (*Checkpoint, error) {
	file, err := readFile(path)
	if err != nil {
		return nil, err
	}
	c, err := Decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Decode is Read for a file whose checksums are checked. Its errors are of input.
func Decode(file *safetensors.File) (*Checkpoint, error) {
	c, err := decode(file)
	if err != nil {
		return nil, input.Errorf("%w", err)
	}
	return c, nil
}

func decode(file *safetensors.File) (*Checkpoint, error) {
	c := &Checkpoint{Tensors: file.Tensors, DataSHA256: file.Metadata["data_sha256"], InitSHA256: file.Metadata["init_sha256"]}
	version, ok := file.Metadata["format_version"]
	if !ok {
		return nil, fmt.Errorf("a safetensors file, but no checkpoint of this program")
	}
	if version != strconv.Itoa(Version) {
		return nil, fmt.Errorf("its format has version %q, this program reads %d: use the program that wrote it", version, Version)
	}
	var both networks
	var random random
	for _, entry := range []struct {
		key  string
		into any
	}{
		{"step", &c.Step}, {"architecture", &both}, {"settings", &c.Settings}, {"iterations", &c.Iterations}, {"random", &random},
	} {
		if err := json.Unmarshal([]byte(file.Metadata[entry.key]), entry.into); err != nil {
			return nil, fmt.Errorf("the header's %q cannot be read: %w", entry.key, err)
		}
	}
	if restart, ok := file.Metadata["restart"]; ok {
		if err := json.Unmarshal([]byte(restart), &c.Restart); err != nil {
			return nil, fmt.Errorf("the header's \"restart\" cannot be read: %w", err)
		}
		if c.Restart.Stream < 1 || c.Restart.Stream > maxStream || !(c.Restart.LR > 0) {
			return nil, fmt.Errorf("the header's restart with stream %d and learning rate %g cannot be", c.Restart.Stream, c.Restart.LR)
		}
	}
	c.Generator, c.Discriminator = both.Generator, both.Discriminator
	if c.Step < 0 || c.Iterations.Generator < 0 || c.Iterations.Discriminator < 0 {
		return nil, fmt.Errorf("the header's step is below 0")
	}
	if random.Generator != philox {
		return nil, fmt.Errorf("its random numbers are %q, this program has %q", random.Generator, philox)
	}
	return c, c.complete()
}

// complete checks the tensors against the architecture.
func (c *Checkpoint) complete() error {
	var wanted []safetensors.Tensor
	for _, n := range []struct {
		network       arch.Network
		weights, adam string
	}{{c.Generator, Generator, AdamGenerator}, {c.Discriminator, Discriminator, AdamDiscriminator}} {
		if _, err := n.network.Shapes(); err != nil {
			return err
		}
		for _, t := range n.network.Tensors() {
			wanted = append(wanted, safetensors.Tensor{Name: n.weights + t.Name, Shape: t.Shape})
		}
		for _, t := range n.network.Tensors() {
			if t.Trainable {
				wanted = append(wanted,
					safetensors.Tensor{Name: n.adam + t.Name + FirstMoment, Shape: t.Shape},
					safetensors.Tensor{Name: n.adam + t.Name + SecondMoment, Shape: t.Shape})
			}
		}
	}
	if len(wanted) != len(c.Tensors) {
		return fmt.Errorf("it has %d tensors, its architecture %d", len(c.Tensors), len(wanted))
	}
	for i, w := range wanted {
		if t := c.Tensors[i]; t.Name != w.Name || !slices.Equal(t.Shape, w.Shape) {
			return fmt.Errorf("tensor %d is %s of %v, its architecture asks for %s of %v", i+1, t.Name, t.Shape, w.Name, w.Shape)
		}
	}
	return nil
}

// Model returns both networks with their weights and moments, which are the checkpoint's own memory.
func (c *Checkpoint) Model() *model.Model {
	data := map[string][]float32{}
	for _, t := range c.Tensors {
		data[t.Name] = t.Data
	}
	network := func(n arch.Network, weights, adam string, iteration int) *model.Network {
		m := &model.Network{Network: n, Iteration: iteration}
		for _, t := range n.Tensors() {
			m.Weights = append(m.Weights, data[weights+t.Name])
			m.M = append(m.M, data[adam+t.Name+FirstMoment])
			m.V = append(m.V, data[adam+t.Name+SecondMoment])
		}
		return m
	}
	return &model.Model{
		Generator:     network(c.Generator, Generator, AdamGenerator, c.Iterations.Generator),
		Discriminator: network(c.Discriminator, Discriminator, AdamDiscriminator, c.Iterations.Discriminator),
		Step:          c.Step,
		Settings:      c.Settings,
	}
}
