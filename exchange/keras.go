package exchange

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/format/hdf5"
	"dcgan/format/keras"
	"dcgan/internal/input"
	"dcgan/model"
)

// KerasH5 is Keras' legacy format, which the seed's program saves in.
var KerasH5 = Format{"keras-h5", ".h5", "Keras' legacy HDF5, layers, weights and Adam's moments",
	writeKeras(keras.WriteLegacy)}

// Layers are what a file of weights alone may hold the weights of.
type Layers []*keras.Architecture

// LayersOf returns networks as Layers.
func LayersOf(networks ...arch.Network) Layers {
	var all Layers
	for _, n := range networks {
		all = append(all, keras.Plain(n))
	}
	return all
}

// Contain reports whether a network is one of these, whatever it is called.
func (all Layers) Contain(n arch.Network) bool {
	return slices.ContainsFunc(all, func(a *keras.Architecture) bool { return a.Network.Same(n) })
}

// maxDescription bounds a file that describes a model.
const maxDescription = 16 << 20

// ReadLayers reads the JSON of a Keras model, as model.to_json() gives it. What is wrong is an error of input that begins
// with the path.
func ReadLayers(path string) (Layers, error) {
	file, size, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > maxDescription {
		return nil, input.Errorf("%s: is too large to describe a model: give the JSON of model.to_json()", path)
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(file, text); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	a, err := keras.Parse(text)
	if err != nil {
		return nil, input.Errorf("%s: %w", path, err)
	}
	if _, err := named(&a.Network); err != nil {
		return nil, input.Errorf("%s: %w", path, err)
	}
	return Layers{a}, nil
}

// named gives a network the name of what it does, its role.
func named(n *arch.Network) (string, error) {
	name := role(*n)
	if name == "" {
		return "", notExchanged(*n)
	}
	n.Name = name
	return name, nil
}

// readKeras reads a file of Keras, of either kind.
func readKeras(path string, of Layers) (*model.Model, error) {
	content, err := hdf5.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n, adam, err := keras.Read(content, of...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	name, err := named(&n.Network)
	if err != nil {
		return nil, input.Errorf("%s: %w", path, err)
	}
	m := &model.Model{Foreign: true}
	if name == generator {
		m.Generator = n
	} else {
		m.Discriminator = n
	}
	if adam != nil {
		m.Settings = map[string]json.RawMessage{}
		for key, v := range adamSettings(adam) {
			m.Settings[key] = json.RawMessage(text(*v))
		}
	}
	return m, nil
}

// adamSettings names the settings of Adam as config.json does.
func adamSettings(a *keras.Adam) map[string]*float64 {
	return map[string]*float64{"lr": &a.LR, "beta1": &a.Beta1, "beta2": &a.Beta2, "epsilon": &a.Epsilon, "decay": &a.Decay}
}

// writeKeras makes a Format's function of one of package keras.
func writeKeras(
	write func(io.Writer, *model.Network, keras.Adam) error,
) func(io.Writer, *model.Network, *model.Model) error {
	return func(w io.Writer, n *model.Network, m *model.Model) error {
		c := config.Default()
		adam := keras.Adam{LR: c.LR, Beta1: c.Beta1, Beta2: c.Beta2, Epsilon: c.Epsilon, Decay: c.Decay}
		for key, v := range adamSettings(&adam) {
			if had, ok := m.Settings[key]; ok {
				if err := json.Unmarshal(had, v); err != nil {
					return input.Errorf("its setting %s is %s, and no number", key, had)
				}
			}
		}
		return write(w, n, adam)
	}
}
