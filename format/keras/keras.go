// Package keras is a codec of Keras' model files, of both kinds and both generations: HDF5 as Keras 2 wrote it and Keras 3
// still does (.h5), and the zip of Keras 3 (.keras). It knows networks, weights and Adam's moments, and no training.
package keras

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"

	"dcgan/arch"
	"dcgan/format/hdf5"
	"dcgan/internal/input"
	"dcgan/model"
)

// Adam is the settings of an optimizer. The learning rate at iteration i is LR / (1 + Decay·i).
type Adam struct {
	LR, Beta1, Beta2, Epsilon, Decay float64
}

// Members of a .keras file.
const (
	configName   = "config.json"
	metadataName = "metadata.json"
	weightsName  = "model.weights.h5"
)

// maxConfig bounds the description of a model: that of a network of a thousand layers is below 1 MB.
const maxConfig = 16 << 20

// Is reports whether a file that begins so may be one of Keras'.
func Is(start []byte) bool { return hdf5.Is(start) || isZip(start) }

func isZip(start []byte) bool { return bytes.HasPrefix(start, []byte("PK\x03\x04")) }

// ErrNoLayers is wrapped by the error of a file that has weights alone, where Read was given no architectures.
var ErrNoLayers = errors.New("holds weights and does not say of which layers")

// Architecture is the layers that a file's weights belong to.
type Architecture struct {
	Network arch.Network
	names   []string // of the layers, as the file has them; "" for one that was part of another
	root    *node
}

// node is a layer or a model in Keras' tree of models within models.
type node struct {
	class    string
	layer    int     // in Network, of a layer that has weights; -1 for others
	children []*node // of a model
}

// Plain returns a network as an Architecture, with Keras' default names.
func Plain(n arch.Network) *Architecture {
	a := &Architecture{Network: n, names: n.LayerNames(), root: &node{class: "Sequential", layer: -1}}
	for i, layer := range n.Layers {
		a.root.children = append(a.root.children, &node{class: string(layer.Class), layer: i})
	}
	return a
}

// Read reads a file, whose datasets may be parts of content only while it works. Where the file holds weights alone, they
// are those of the first of the architectures that they fit. Network.Anew says why there are no moments; the settings of
// Adam are nil where there are none that this program knows. What is wrong is an error of input.
func Read(content []byte, architectures ...*Architecture) (*model.Network, *Adam, error) {
	if isZip(content) {
		return readZip(content)
	}
	root, err := hdf5.Read(content)
	if err != nil {
		return nil, nil, err
	}
	var a *Architecture
	var training compiled
	config, described := root.Attribute("model_config").(string)
	if described {
		if a, err = Parse([]byte(config)); err != nil {
			return nil, nil, err
		}
		training = parseTraining(root)
	}
	legacy := root
	if g := root.Group("model_weights"); g != nil {
		legacy = g
	}
	take := func(a *Architecture) ([][]float32, []string, error) { return a.legacyWeights(legacy) }
	switch {
	case names(legacy, "layer_names") != nil:
	case described:
		return nil, nil, input.Errorf("is a Keras file without weights: it has no model_weights")
	case root.Group("layers") != nil:
		take = func(a *Architecture) ([][]float32, []string, error) { return a.weights(root) }
	default:
		return nil, nil, input.Errorf("is HDF5, but no file of Keras: it has neither layer_names nor layers")
	}
	if described {
		architectures = []*Architecture{a}
	}
	if len(architectures) == 0 {
		return nil, nil, input.Errorf("%w: name them with --arch, a preset or the JSON of model.to_json()", ErrNoLayers)
	}
	var first error
	for _, a := range architectures {
		weights, named, err := take(a)
		if err == nil {
			n := &model.Network{Network: a.Network, Weights: weights}
			training.restore(n, root, named)
			return n, training.adam, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, nil, first
}

// readZip reads a .keras file.
func readZip(content []byte) (*model.Network, *Adam, error) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, nil, input.Errorf("is cut short or damaged: %w", err)
	}
	config, err := unzip(archive, configName, maxConfig)
	if err != nil {
		return nil, nil, err
	}
	// Keras stores weights as they are. One who packs the file again will not make it much smaller.
	file, err := unzip(archive, weightsName, 16*uint64(len(content)))
	if err != nil {
		return nil, nil, err
	}
	a, err := Parse(config)
	if err != nil {
		return nil, nil, err
	}
	root, err := hdf5.Read(file)
	if err != nil {
		return nil, nil, input.Errorf("its %s %w", weightsName, err)
	}
	weights, names, err := a.weights(root)
	if err != nil {
		return nil, nil, err
	}
	n := &model.Network{Network: a.Network, Weights: weights}
	training := parseCompiled(config)
	training.restore(n, root, names)
	return n, training.adam, nil
}

// unzip returns a member of at most limit bytes.
func unzip(archive *zip.Reader, name string, limit uint64) ([]byte, error) {
	var found *zip.File
	for _, f := range archive.File {
		if f.Name == name {
			if found != nil {
				return nil, input.Errorf("is a zip with two members %s", name)
			}
			found = f
		}
	}
	if found == nil {
		return nil, input.Errorf("is a zip without %s, and so no .keras file", name)
	}
	if found.UncompressedSize64 > limit {
		return nil, input.Errorf("its %s would take %d bytes, more than the %d that such a file can need",
			name, found.UncompressedSize64, limit)
	}
	r, err := found.Open()
	if err != nil {
		return nil, input.Errorf("its %s cannot be read: %w", name, err)
	}
	defer r.Close()
	b := make([]byte, found.UncompressedSize64)
	if _, err = io.ReadFull(r, b); err == nil {
		_, err = io.ReadFull(r, make([]byte, 1)) // the end, where the checksum is looked at
	}
	if err != io.EOF {
		if err == nil {
			err = errors.New("it is longer than it says")
		}
		return nil, input.Errorf("its %s is damaged: %w", name, err)
	}
	return b, nil
}

// names returns a list of names that is an attribute of a group, or is split into attributes with 0, 1 and so on behind
// the name, as Keras does with long ones; nil where there is neither.
func names(g *hdf5.Group, name string) []string {
	if whole, ok := g.Attribute(name).([]string); ok {
		return whole
	}
	var all []string
	for i := 0; ; i++ {
		part, ok := g.Attribute(name + decimal(i)).([]string)
		if !ok {
			return all
		}
		all = append(all, part...)
	}
}

// base returns the last name of a path, without the number that Keras 2 puts behind a weight's.
func base(path string) string {
	path = strings.TrimSuffix(path, ":0")
	return path[strings.LastIndexByte(path, '/')+1:]
}
