// Package arch describes networks as plain data: layers in Keras' words, their shapes, parameter counts and names.
// It computes nothing else; what runs a network is elsewhere.
package arch

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"dcgan/config"
	"dcgan/internal/input"
)

// Shape is the shape of one example, without the batch: (H, W, C), or (units) after Dense and Flatten.
type Shape []int

// Size returns the number of values.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// String writes the shape as Keras does, the batch first: (None, 28, 28, 1).
func (s Shape) String() string {
	var b strings.Builder
	b.WriteString("(None")
	for _, d := range s {
		fmt.Fprintf(&b, ", %d", d)
	}
	return b.String() + ")"
}

// Class is a layer's class, as Keras names it.
type Class string

// The classes that there are.
const (
	Dense              Class = "Dense"
	Conv2D             Class = "Conv2D"
	Conv2DTranspose    Class = "Conv2DTranspose"
	BatchNormalization Class = "BatchNormalization"
	LeakyReLU          Class = "LeakyReLU"
	Activation         Class = "Activation"
	Dropout            Class = "Dropout"
	Flatten            Class = "Flatten"
	Reshape            Class = "Reshape"
)

// The functions of an Activation layer.
const (
	ReLU    = "relu"
	Tanh    = "tanh"
	Sigmoid = "sigmoid"
)

// Layer is one layer. Which fields mean anything depends on the class; every convolution pads `same` and has a bias.
type Layer struct {
	Class         Class   `json:"class_name"`
	Units         int     `json:"units,omitempty"`          // Dense
	Filters       int     `json:"filters,omitempty"`        // Conv2D, Conv2DTranspose
	Kernel        int     `json:"kernel_size,omitempty"`    // side, 1 to MaxKernel
	Strides       int     `json:"strides,omitempty"`        // 1 or 2
	Momentum      float64 `json:"momentum,omitempty"`       // BatchNormalization, of the moving statistics
	Epsilon       float64 `json:"epsilon,omitempty"`        // BatchNormalization
	NegativeSlope float64 `json:"negative_slope,omitempty"` // LeakyReLU
	Function      string  `json:"activation,omitempty"`     // Activation
	Rate          float64 `json:"rate,omitempty"`           // Dropout, the share dropped
	Target        Shape   `json:"target_shape,omitempty"`   // Reshape
}

// Network is a list of layers, each taking what the one before it gives.
type Network struct {
	Name   string  `json:"name"`
	Input  Shape   `json:"input_shape"`
	Layers []Layer `json:"layers"`
}

// MaxKernel is the largest side of a convolution's kernel.
const MaxKernel = config.MaxKernel

// maxValues bounds the values of one example in all layers together, some 500 times those of the seed's G, so that sizes
// stay far from overflow and a hostile file takes no memory.
const maxValues = 1 << 26

// maxWeights bounds the weights of a network, some 80 times those of the seed's G, so that a checkpoint of two such
// networks with their moments stays below what a reader takes.
const maxWeights = 1 << 27

// Shapes returns the output shape of every layer, or an error of input that names the first layer that does not fit.
func (n Network) Shapes() ([]Shape, error) {
	if err := checkShape(n.Input); err != nil {
		return nil, input.Errorf("%s: input: %w", n.Name, err)
	}
	names := n.LayerNames()
	shapes := make([]Shape, len(n.Layers))
	at, total, weights := n.Input, n.Input.Size(), 0
	for i, layer := range n.Layers {
		out, err := layer.output(at)
		if err == nil {
			err = checkShape(out)
		}
		if err == nil && layer.Function == Sigmoid && (i != len(n.Layers)-1 || len(out) != 1) {
			err = fmt.Errorf("a sigmoid is only known as the last layer of a discriminator")
		}
		if err == nil {
			if total += out.Size(); total > maxValues {
				err = fmt.Errorf("too large: an example has more than %d values up to here", maxValues)
			}
		}
		if err == nil {
			if weights += layer.weights(at); weights > maxWeights {
				err = fmt.Errorf("too large: the network has more than %d weights up to here", maxWeights)
			}
		}
		if err != nil {
			return nil, input.Errorf("%s: layer %d, %s: %w", n.Name, i+1, names[i], err)
		}
		shapes[i], at = out, out
	}
	return shapes, nil
}

// Same reports whether a network has the same input and layers, whatever it is called.
func (n Network) Same(other Network) bool {
	return slices.Equal(n.Input, other.Input) && reflect.DeepEqual(n.Layers, other.Layers)
}

// Output returns the shape of the last layer of a network whose Shapes are known to fit.
func (n Network) Output() Shape {
	shapes, err := n.Shapes()
	if err != nil || len(shapes) == 0 {
		return n.Input
	}
	return shapes[len(shapes)-1]
}

func checkShape(s Shape) error {
	size := 1
	for _, d := range s {
		if d < 1 || d > maxValues/size {
			return fmt.Errorf("the shape %v is empty or too large", []int(s))
		}
		size *= d
	}
	if len(s) != 1 && len(s) != 3 {
		return fmt.Errorf("the shape %v is neither (units) nor (height, width, channels)", []int(s))
	}
	return nil
}

func (l Layer) output(in Shape) (Shape, error) {
	switch l.Class {
	case Dense:
		if len(in) != 1 {
			return nil, fmt.Errorf("takes a vector, not %v: put Flatten before it", in)
		}
		if l.Units < 1 {
			return nil, fmt.Errorf("units %d is below 1", l.Units)
		}
		return Shape{l.Units}, nil
	case Conv2D, Conv2DTranspose:
		if len(in) != 3 {
			return nil, fmt.Errorf("takes (height, width, channels), not %v: put Reshape before it", in)
		}
		if l.Filters < 1 || l.Kernel < 1 || l.Kernel > MaxKernel || l.Strides < 1 || l.Strides > 2 {
			return nil, fmt.Errorf("filters %d, kernel %d, strides %d: filters start at 1, kernels are 1 to %d, strides 1 or 2",
				l.Filters, l.Kernel, l.Strides, MaxKernel)
		}
		if l.Class == Conv2D {
			return Shape{(in[0] + l.Strides - 1) / l.Strides, (in[1] + l.Strides - 1) / l.Strides, l.Filters}, nil
		}
		return Shape{in[0] * l.Strides, in[1] * l.Strides, l.Filters}, nil
	case BatchNormalization:
		if l.Momentum < 0 || l.Momentum > 1 || !(l.Epsilon > 0) {
			return nil, fmt.Errorf("momentum %g must be in [0, 1] and epsilon %g above 0", l.Momentum, l.Epsilon)
		}
	case LeakyReLU:
		if !(l.NegativeSlope >= 0) {
			return nil, fmt.Errorf("negative_slope %g is below 0", l.NegativeSlope)
		}
	case Dropout:
		if !(l.Rate >= 0 && l.Rate < 1) {
			return nil, fmt.Errorf("rate %g is not in [0, 1)", l.Rate)
		}
	case Activation:
		if !slices.Contains([]string{ReLU, Tanh, Sigmoid}, l.Function) {
			return nil, fmt.Errorf("unknown activation %q", l.Function)
		}
	case Flatten:
		return Shape{in.Size()}, nil
	case Reshape:
		if err := checkShape(l.Target); err != nil {
			return nil, err
		}
		if l.Target.Size() != in.Size() {
			return nil, fmt.Errorf("%v has %d values and %v has %d", in, in.Size(), l.Target, l.Target.Size())
		}
		return slices.Clone(l.Target), nil
	default:
		return nil, fmt.Errorf("unknown class %q", l.Class)
	}
	return in, nil
}

// weights counts the kernel's values of a layer whose shapes are known to fit; the others are few.
func (l Layer) weights(in Shape) int {
	switch l.Class {
	case Dense:
		return in[0] * l.Units
	case Conv2D, Conv2DTranspose:
		return l.Kernel * l.Kernel * in[2] * l.Filters
	}
	return 0
}

// LayerNames returns Keras' default names, numbered anew in this network: conv2d, conv2d_1, leaky_re_lu, …
func (n Network) LayerNames() []string {
	seen := map[string]int{}
	names := make([]string, len(n.Layers))
	for i, layer := range n.Layers {
		base := snakeCase[layer.Class]
		if base == "" {
			base = strings.ToLower(string(layer.Class))
		}
		names[i] = base
		if k := seen[base]; k > 0 {
			names[i] = fmt.Sprintf("%s_%d", base, k)
		}
		seen[base]++
	}
	return names
}

var snakeCase = map[Class]string{
	Dense: "dense", Conv2D: "conv2d", Conv2DTranspose: "conv2d_transpose", BatchNormalization: "batch_normalization",
	LeakyReLU: "leaky_re_lu", Activation: "activation", Dropout: "dropout", Flatten: "flatten", Reshape: "reshape",
}

// Tensor is one weight of a network.
type Tensor struct {
	Layer     int    // index into Network.Layers
	Name      string // LAYER/kernel, LAYER/bias, LAYER/gamma, LAYER/beta, LAYER/moving_mean or LAYER/moving_variance
	Shape     Shape  // kernels: (in, out), (kh, kw, in, out), of a transposed convolution (kh, kw, out, in)
	Trainable bool
}

// Tensors returns the weights in Keras' order, for a network whose Shapes are known to fit.
func (n Network) Tensors() []Tensor {
	shapes, err := n.Shapes()
	if err != nil {
		return nil
	}
	names := n.LayerNames()
	var all []Tensor
	in := n.Input
	for i, layer := range n.Layers {
		add := func(name string, trainable bool, shape ...int) {
			all = append(all, Tensor{i, names[i] + "/" + name, shape, trainable})
		}
		channels := in[len(in)-1]
		switch layer.Class {
		case Dense:
			add("kernel", true, channels, layer.Units)
			add("bias", true, layer.Units)
		case Conv2D:
			add("kernel", true, layer.Kernel, layer.Kernel, channels, layer.Filters)
			add("bias", true, layer.Filters)
		case Conv2DTranspose:
			add("kernel", true, layer.Kernel, layer.Kernel, layer.Filters, channels)
			add("bias", true, layer.Filters)
		case BatchNormalization:
			add("gamma", true, channels)
			add("beta", true, channels)
			add("moving_mean", false, channels)
			add("moving_variance", false, channels)
		}
		in = shapes[i]
	}
	return all
}

// Parameters counts the weights.
func (n Network) Parameters() (trainable, fixed int) {
	for _, t := range n.Tensors() {
		if t.Trainable {
			trainable += t.Shape.Size()
		} else {
			fixed += t.Shape.Size()
		}
	}
	return trainable, fixed
}
