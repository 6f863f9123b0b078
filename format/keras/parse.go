package keras

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"dcgan/arch"
	"dcgan/internal/input"
)

func decimal(n int) string { return strconv.Itoa(n) }

// maxLayers bounds the work of looking for weights by their names.
const maxLayers = 4096

// maxDepth bounds how deep models lie in models: each level holds a copy of the text of all below.
const maxDepth = 16

// object is what Keras writes of a layer or a model.
type object struct {
	Class   string          `json:"class_name"`
	Name    string          `json:"name"`
	Config  json.RawMessage `json:"config"`
	Inbound json.RawMessage `json:"inbound_nodes"`
}

// chain is the config of a model.
type chain struct {
	Name   string          `json:"name"`
	Layers []object        `json:"layers"`
	Output json.RawMessage `json:"output_layers"`
	Shape  json.RawMessage `json:"build_input_shape"`
}

// Parse reads a model's description, as model.to_json() writes it: a Sequential, or a functional model that is one
// chain, and such models within each other. A layer or an option that this program does not have is an error of input that
// names it.
func Parse(config []byte) (*Architecture, error) {
	var o object
	if err := json.Unmarshal(config, &o); err != nil {
		return nil, input.Errorf("its description of the layers is no JSON of Keras: %w", err)
	}
	if !isModel(o.Class) {
		return nil, input.Errorf("describes a %q, which is no model of Keras", o.Class)
	}
	p := &parser{a: &Architecture{}, axes: map[int]int{}}
	root, err := p.model(o)
	if err != nil {
		return nil, err
	}
	if p.a.Network.Input == nil {
		return nil, input.Errorf("does not say which shape its input has")
	}
	shapes, err := p.a.Network.Shapes()
	if err != nil {
		return nil, err
	}
	for i, axis := range p.axes {
		if axis != -1 && axis != len(shapes[i]) {
			return nil, input.Errorf("layer %q normalises axis %d: only the last one is known", p.a.names[i], axis)
		}
	}
	p.a.root = root
	return p.a, nil
}

// isModel reports whether a class is one of models that hold layers.
func isModel(class string) bool {
	return class == "Sequential" || class == "Functional" || class == "Model"
}

// parser puts the layers of models within models one behind the other.
type parser struct {
	a     *Architecture
	axes  map[int]int // of normalisations, which are checked when all shapes are known
	depth int         // of the model in hand
}

// model reads a model and what is in it.
func (p *parser) model(o object) (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, input.Errorf("has models in models more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	var c chain
	var err error
	if bytes.HasPrefix(bytes.TrimSpace(o.Config), []byte("[")) { // before Keras 2.2.3
		err = json.Unmarshal(o.Config, &c.Layers)
	} else {
		err = json.Unmarshal(o.Config, &c)
	}
	if err != nil {
		return nil, input.Errorf("its description of the model %q is damaged: %w", o.Name, err)
	}
	if p.a.Network.Name == "" {
		p.a.Network.Name = c.Name
	}
	layers := c.Layers
	if o.Class != "Sequential" {
		if layers, err = inOrder(c); err != nil {
			return nil, err
		}
	}
	p.input(c.Shape)
	n := &node{class: o.Class, layer: -1}
	byName := map[string]*node{}
	for _, layer := range layers {
		var child *node
		if isModel(layer.Class) {
			child, err = p.model(layer)
		} else {
			child, err = p.layer(layer)
		}
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, child)
		byName[layer.Name] = child
	}
	if o.Class != "Sequential" { // layers are numbered as they are listed
		for i, layer := range c.Layers {
			n.children[i] = byName[layer.Name]
		}
	}
	return n, nil
}

// inOrder returns the layers of a functional model from the input to the output. That it is no chain is an error of
// input.
func inOrder(c chain) ([]object, error) {
	byName := map[string]object{}
	for i, layer := range c.Layers {
		if layer.Name == "" {
			layer.Name = nameOf(layer)
			c.Layers[i] = layer
		}
		if _, twice := byName[layer.Name]; twice {
			return nil, input.Errorf("model %q has two layers %q", c.Name, layer.Name)
		}
		byName[layer.Name] = layer
	}
	from := references(c.Output)
	if len(from) != 1 {
		return nil, input.Errorf("model %q has %d outputs: only one is known", c.Name, len(from))
	}
	var layers []object
	for at := from[0]; ; {
		layer, ok := byName[at]
		if !ok {
			return nil, input.Errorf("model %q has no layer %q, or it goes round in a circle", c.Name, at)
		}
		delete(byName, at)
		layers = append(layers, layer)
		var calls []json.RawMessage
		if len(layer.Inbound) > 0 && json.Unmarshal(layer.Inbound, &calls) != nil {
			return nil, input.Errorf("layer %q: its inbound_nodes are damaged", at)
		}
		if len(calls) == 0 {
			break
		}
		before := references(layer.Inbound)
		if len(calls) != 1 || len(before) != 1 {
			return nil, input.Errorf("layer %q is called %d times with %d inputs: only networks that are one chain are known",
				at, len(calls), len(before))
		}
		at = before[0]
	}
	for name := range byName {
		return nil, input.Errorf("layer %q is not on the way from the input to the output: only networks that are one chain are known",
			name)
	}
	slices.Reverse(layers)
	return layers, nil
}

// references returns the names of the layers whose outputs stand in inbound_nodes or output_layers, in any of Keras' ways
// to write them: [name, 0, 0] within lists, or objects with a keras_history.
func references(text json.RawMessage) []string {
	var v any
	if json.Unmarshal(text, &v) != nil {
		return nil
	}
	var all []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			if len(v) >= 3 {
				name, isName := v[0].(string)
				_, isNumber := v[1].(float64)
				if isName && isNumber {
					all = append(all, name)
					v = v[3:] // what the layer was called with beside
				}
			}
			for _, part := range v {
				walk(part)
			}
		case map[string]any:
			for _, part := range v {
				walk(part)
			}
		}
	}
	walk(v)
	return all
}

// nameOf returns the name in a layer's config.
func nameOf(o object) string {
	var c struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(o.Config, &c) != nil {
		return ""
	}
	return c.Name
}

// input takes the shape of the network's input from the first place that has it, [null, 28, 28, 1] for any number of
// images.
func (p *parser) input(text json.RawMessage) {
	var shape []*int
	if p.a.Network.Input != nil || len(p.a.Network.Layers) > 0 || json.Unmarshal(text, &shape) != nil || len(shape) < 2 {
		return
	}
	var dims arch.Shape
	for _, d := range shape[1:] {
		if d == nil {
			return
		}
		dims = append(dims, *d)
	}
	p.a.Network.Input = dims
}

// layer reads a layer, as one of ours or several.
func (p *parser) layer(o object) (*node, error) {
	name := nameOf(o)
	if name == "" {
		name = o.Class
	}
	opts, err := newOptions(o.Config, fmt.Sprintf("layer %q, %s", name, o.Class))
	if err != nil {
		return nil, err
	}
	p.input(opts.raw("batch_shape"))
	p.input(opts.raw("batch_input_shape"))
	n := &node{class: o.Class, layer: -1}
	if o.Class == "InputLayer" {
		return n, nil
	}
	opts.dtype()
	layer := arch.Layer{Class: arch.Class(o.Class)}
	function := ""
	index := len(p.a.Network.Layers)
	switch layer.Class {
	case arch.Dense:
		layer.Units = opts.whole("units")
		opts.require("use_bias", "true")
		function = opts.function("activation")
	case arch.Conv2D, arch.Conv2DTranspose:
		layer.Filters, layer.Kernel, layer.Strides = opts.whole("filters"), opts.square("kernel_size"), opts.square("strides")
		opts.require("padding", `"same"`)
		opts.require("use_bias", "true")
		opts.require("data_format", `"channels_last"`, "null")
		opts.require("dilation_rate", "[1,1]", "1")
		opts.require("groups", "1")
		function = opts.function("activation")
	case arch.BatchNormalization:
		layer.Momentum, layer.Epsilon = opts.number("momentum"), opts.number("epsilon")
		opts.require("center", "true")
		opts.require("scale", "true")
		p.axes[index] = opts.single("axis")
		opts.raw("renorm_momentum") // renorm itself must be false
		opts.raw("mode")            // Keras 1 and early 2
	case arch.LeakyReLU:
		key := "negative_slope"
		if _, ok := opts.left["alpha"]; ok {
			key = "alpha"
		}
		layer.NegativeSlope = opts.number(key)
	case "ReLU":
		layer = arch.Layer{Class: arch.Activation, Function: arch.ReLU}
		for _, key := range []string{"negative_slope", "threshold"} {
			if _, ok := opts.left[key]; ok && opts.number(key) != 0 {
				opts.fail(key)
			}
		}
	case arch.Activation:
		layer.Function = opts.function("activation")
	case arch.Dropout:
		layer.Rate = opts.number("rate")
		opts.raw("seed")
	case arch.Flatten:
		opts.require("data_format", `"channels_last"`, "null")
	case arch.Reshape:
		layer.Target = opts.target("target_shape", p.a.Network)
	default:
		return nil, input.Errorf("layer %q is a %s, which this program does not have", name, o.Class)
	}
	if err := opts.end(); err != nil {
		return nil, err
	}
	if layer.Class == arch.Activation && layer.Function == "" {
		return n, nil // linear
	}
	if n.layer = index; index >= maxLayers {
		return nil, input.Errorf("has more than %d layers", maxLayers)
	}
	p.a.Network.Layers = append(p.a.Network.Layers, layer)
	p.a.names = append(p.a.names, name)
	if function != "" {
		p.a.Network.Layers = append(p.a.Network.Layers, arch.Layer{Class: arch.Activation, Function: function})
		p.a.names = append(p.a.names, "")
	}
	return n, nil
}
