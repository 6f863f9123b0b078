// Package model is networks together with their weights, apart from any training and any file.
package model

import (
	"encoding/json"
	"math"
	"slices"

	"dcgan/arch"
)

// Network is a network with its weights and, where a training left them, Adam's moments.
type Network struct {
	arch.Network
	Weights   [][]float32 // one a tensor, in the order of Tensors, row-major
	M, V      [][]float32 // in the same order, nil for what is not trained; both nil where there are no moments
	Iteration int         // steps of Adam so far
	Anew      string      // of a network that another program made: why there are no moments
}

// NotFinite returns the name of the first weight that has a value which is no finite number, "" where there is none.
func (n *Network) NotFinite() string {
	for i, t := range n.Tensors() {
		if slices.ContainsFunc(n.Weights[i], func(v float32) bool { return v-v != 0 }) {
			return t.Name
		}
	}
	return ""
}

// Equal tells whether two networks of the same layers have the same numbers, bit for bit.
func (n *Network) Equal(other *Network) bool {
	same := func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
	alike := func(a, b []float32) bool { return slices.EqualFunc(a, b, same) }
	return n.Iteration == other.Iteration && slices.EqualFunc(n.Weights, other.Weights, alike) &&
		slices.EqualFunc(n.M, other.M, alike) && slices.EqualFunc(n.V, other.V, alike)
}

// Model is what a checkpoint, or a file of another system, holds of the two networks.
type Model struct {
	Generator, Discriminator *Network // nil where there is none
	Step                     int      // of the training, 0 where unknown
	Settings                 map[string]json.RawMessage
	Foreign                  bool // of another system: no settings of ours say what its layers are, they do
}

// Networks returns the networks that there are, the generator first.
func (m *Model) Networks() []*Network {
	var all []*Network
	for _, n := range []*Network{m.Generator, m.Discriminator} {
		if n != nil {
			all = append(all, n)
		}
	}
	return all
}
