package keras

import (
	"slices"
	"strings"

	"dcgan/arch"
	"dcgan/format/hdf5"
	"dcgan/internal/input"
)

// stored is a weight of a legacy file.
type stored struct {
	group, path string // of the layer's group, and within it
	data        *hdf5.Dataset
}

// legacyWeights returns the weights of a group with layer_names, in the order of Tensors, and their paths. A model within
// a model has one group for all its layers, and lists moving statistics behind all other weights, or where it is frozen
// does not; so names tell which is which. Where the layers are called otherwise, as with the names of a preset, the weights
// of a kind (kernel, bias, …) come in the order of the layers.
func (a *Architecture) legacyWeights(g *hdf5.Group) (weights [][]float32, paths []string, err error) {
	tensors := a.Network.Tensors()
	var all []stored
	for _, name := range names(g, "layer_names") {
		layer := g.Group(name)
		if layer == nil {
			return nil, nil, input.Errorf("is damaged: it has no group %q, which its layer_names list", name)
		}
		for _, path := range names(layer, "weight_names") {
			if len(all) == len(tensors) {
				return nil, nil, input.Errorf("has more weights than the %d that its layers take", len(tensors))
			}
			d := layer.Dataset(path)
			if d == nil {
				return nil, nil, input.Errorf("is damaged: it has no dataset %q, which the weight_names of %q list", path, name)
			}
			all = append(all, stored{name, path, d})
		}
	}
	if len(all) != len(tensors) {
		return nil, nil, input.Errorf("has %d weights, its layers take %d", len(all), len(tensors))
	}
	order := byName(all, tensors, a.names)
	if order == nil {
		order = byKind(all, tensors)
	}
	if order == nil {
		return nil, nil, input.Errorf("has other kinds of weights than its layers take: %q and others", all[0].path)
	}
	for i, t := range tensors {
		s := all[order[i]]
		values, err := values(s.data, t, s.path)
		if err != nil {
			return nil, nil, err
		}
		weights, paths = append(weights, values), append(paths, s.path)
	}
	return weights, paths, nil
}

// kindOf returns the last word of a tensor's name: kernel, bias, gamma, …
func kindOf(t arch.Tensor) string { return t.Name[strings.LastIndexByte(t.Name, '/')+1:] }

// byName says which of the stored weights each tensor is, by the layers' names; nil if they do not all go together.
func byName(all []stored, tensors []arch.Tensor, layers []string) []int {
	places := map[[2]string][]int{}
	for i, s := range all {
		kind := base(s.path)
		owner := base(strings.TrimSuffix(strings.TrimSuffix(s.path, ":0"), "/"+kind))
		places[[2]string{owner, kind}] = append(places[[2]string{owner, kind}], i)
		if s.group != owner {
			places[[2]string{s.group, kind}] = append(places[[2]string{s.group, kind}], i)
		}
	}
	return pair(len(tensors), func(i int) (taken int, ok bool) {
		key := [2]string{layers[tensors[i].Layer], kindOf(tensors[i])}
		return next(places, key)
	})
}

// byKind says which of the stored weights each tensor is, by their kinds and the order alone.
func byKind(all []stored, tensors []arch.Tensor) []int {
	places := map[string][]int{}
	for i, s := range all {
		kind := base(s.path)
		places[kind] = append(places[kind], i)
	}
	return pair(len(tensors), func(i int) (int, bool) { return next(places, kindOf(tensors[i])) })
}

// next takes the first of the places of a key.
func next[K comparable](places map[K][]int, key K) (int, bool) {
	if len(places[key]) == 0 {
		return 0, false
	}
	taken := places[key][0]
	places[key] = places[key][1:]
	return taken, true
}

// pair asks for n places and returns them if each is there and none comes twice.
func pair(n int, place func(i int) (int, bool)) []int {
	order, used := make([]int, n), make([]bool, n)
	for i := range order {
		at, ok := place(i)
		if !ok || used[at] {
			return nil
		}
		order[i], used[at] = at, true
	}
	return order
}

// values returns a tensor's values.
func values(d *hdf5.Dataset, t arch.Tensor, path string) ([]float32, error) {
	if !slices.Equal(d.Shape, t.Shape) {
		return nil, input.Errorf("%q has the shape %v, its layer takes %v", path, d.Shape, []int(t.Shape))
	}
	v, err := d.Float32s()
	if err != nil {
		return nil, input.Errorf("%q %w", path, err)
	}
	return v, nil
}

// weights returns the weights of a file of Keras 3, layers/CLASS_N/vars/I, in the order of Tensors, and no paths, since
// these say nothing of the layers' names. How many models lie around the layers makes no difference.
func (a *Architecture) weights(root *hdf5.Group) ([][]float32, []string, error) {
	root, n := unwrapGroup(root), a.root.unwrap(a)
	tensors := a.Network.Tensors()
	if had := countVars(root); had != len(tensors) {
		return nil, nil, input.Errorf("has %d weights, its layers take %d", had, len(tensors))
	}
	weights := make([][]float32, len(tensors))
	first := map[int]int{} // tensor of each layer
	for i, t := range slices.Backward(tensors) {
		first[t.Layer] = i
	}
	var walk func(n *node, g *hdf5.Group, path string) error
	walk = func(n *node, g *hdf5.Group, path string) error {
		seen := map[string]int{}
		for _, child := range n.children {
			name := snakeCase(child.class)
			if k := seen[name]; k > 0 {
				name += "_" + decimal(k)
			}
			seen[snakeCase(child.class)]++
			if !child.weighty(a) {
				continue
			}
			at := path + "layers/" + name + "/"
			inner := g.Group("layers/" + name)
			if inner == nil {
				return input.Errorf("has no %s, where a %s should be", strings.TrimSuffix(at, "/"), child.class)
			}
			if child.children != nil {
				if err := walk(child, inner, at); err != nil {
					return err
				}
				continue
			}
			for i, start := 0, first[child.layer]; start+i < len(tensors) && tensors[start+i].Layer == child.layer; i++ {
				d := inner.Dataset("vars/" + decimal(i))
				if d == nil {
					return input.Errorf("has no %svars/%d, where a %s should be", at, i, kindOf(tensors[start+i]))
				}
				var err error
				if weights[start+i], err = values(d, tensors[start+i], at+"vars/"+decimal(i)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := walk(n, root, ""); err != nil {
		return nil, nil, err
	}
	return weights, nil, nil
}

// snakeCase returns what Keras 3 calls the layers of a class.
func snakeCase(class string) string {
	if class == "Model" {
		class = "Functional"
	}
	return arch.Network{Layers: []arch.Layer{{Class: arch.Class(class)}}}.LayerNames()[0]
}

// weighty reports whether a layer, or one in a model, has weights.
func (n *node) weighty(a *Architecture) bool {
	if n.children != nil {
		return slices.ContainsFunc(n.children, func(child *node) bool { return child.weighty(a) })
	}
	if n.layer < 0 {
		return false
	}
	switch a.Network.Layers[n.layer].Class {
	case arch.Dense, arch.Conv2D, arch.Conv2DTranspose, arch.BatchNormalization:
		return true
	}
	return false
}

// unwrap goes into models as long as they hold nothing with weights but another model.
func (n *node) unwrap(a *Architecture) *node {
	var inner *node
	for _, child := range n.children {
		if child.weighty(a) {
			if inner != nil {
				return n
			}
			inner = child
		}
	}
	if inner == nil || inner.children == nil {
		return n
	}
	return inner.unwrap(a)
}

// unwrapGroup does in a file what unwrap does with its layers.
func unwrapGroup(g *hdf5.Group) *hdf5.Group {
	layers := g.Group("layers")
	if layers == nil {
		return g
	}
	var inner *hdf5.Group
	for _, m := range layers.Members {
		if m.Group != nil && (countVars(m.Group) > 0 || ownVars(m.Group) > 0) {
			if inner != nil {
				return g
			}
			inner = m.Group
		}
	}
	if inner == nil || inner.Group("layers") == nil {
		return g
	}
	return unwrapGroup(inner)
}

// countVars counts the weights of the layers in a model's group, not those of its optimizer and of random states.
func countVars(g *hdf5.Group) int {
	layers, count := g.Group("layers"), 0
	if layers == nil {
		return 0
	}
	for _, m := range layers.Members {
		if m.Group != nil {
			count += ownVars(m.Group) + countVars(m.Group)
		}
	}
	return count
}

func ownVars(g *hdf5.Group) int {
	vars := g.Group("vars")
	if vars == nil {
		return 0
	}
	return len(vars.Members)
}
