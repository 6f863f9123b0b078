package exchange

import (
	"io"
	"slices"
	"strings"

	"dcgan/arch"
	"dcgan/format/safetensors"
	"dcgan/internal/input"
	"dcgan/model"
)

// torchNames says what PyTorch calls a tensor.
var torchNames = map[string]string{
	"kernel": "weight", "bias": "bias",
	"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var",
}

// torchTensor is how a tensor lies in a file for PyTorch: its array's sizes are first told apart, then put in order, then
// joined to a shape.
type torchTensor struct {
	name         string
	sizes, order []int
	shape        []int
}

// torchLayout says how the tensors of a network lie, in the order of Tensors. PyTorch's images are N, C, H, W: kernels
// turn to (out, in, kh, kw), of transposed convolutions to (in, out, kh, kw), of dense layers to (out, in), and the
// values of a vector that was or becomes an image go by C, H, W. It is an error of input if a vector would need one order
// where it begins and another where it ends.
func torchLayout(n arch.Network) ([]torchTensor, error) {
	orders, err := vectorOrders(n)
	if err != nil {
		return nil, err
	}
	// The axes of a vector, and the order that turns them to PyTorch's.
	axes := func(image arch.Shape, size int) (sizes, order []int) {
		if image == nil {
			return []int{size}, []int{0}
		}
		return image, []int{2, 0, 1}
	}
	var all []torchTensor
	for _, t := range n.Tensors() {
		layer, name, _ := strings.Cut(t.Name, "/")
		entry := torchTensor{name: layer + "." + torchNames[name], sizes: t.Shape, shape: t.Shape}
		in, out := orders[t.Layer], orders[t.Layer+1]
		switch {
		case len(t.Shape) == 4:
			entry.order = kernelOrder
			entry.shape = permuted(t.Shape, entry.order)
		case len(t.Shape) == 2:
			inSizes, inOrder := axes(in, t.Shape[0])
			outSizes, outOrder := axes(out, t.Shape[1])
			entry.sizes = slices.Concat(inSizes, outSizes)
			for _, axis := range outOrder {
				entry.order = append(entry.order, len(inSizes)+axis)
			}
			entry.order = append(entry.order, inOrder...)
			entry.shape = []int{t.Shape[1], t.Shape[0]}
		case n.Layers[t.Layer].Class == arch.Dense || n.Layers[t.Layer].Class == arch.BatchNormalization:
			entry.sizes, entry.order = axes(out, t.Shape[0])
		default: // a convolution's bias
			entry.order = []int{0}
		}
		all = append(all, entry)
	}
	return all, nil
}

// vectorOrders says of the values between layers, the network's input first, whether they are a vector whose values
// PyTorch has in another order: the shape of the image that it was or becomes, or nil.
func vectorOrders(n arch.Network) ([]arch.Shape, error) {
	shapes, err := n.Shapes()
	if err != nil {
		return nil, err
	}
	shapes = slices.Insert(shapes, 0, n.Input)
	order := func(image arch.Shape) arch.Shape {
		if len(image) != 3 || image[2] == 1 || image[0]*image[1] == 1 {
			return nil // H, W, C and C, H, W are the same
		}
		return image
	}
	// next is the order that the vector which layer i gives is wanted in.
	next := func(i int) arch.Shape {
		for j, layer := range n.Layers[i+1:] {
			switch {
			case layer.Class == arch.Dense:
				return nil
			case len(shapes[i+2+j]) == 3:
				return order(shapes[i+2+j])
			}
		}
		return nil
	}
	orders := make([]arch.Shape, len(shapes))
	var at arch.Shape
	for i, layer := range n.Layers {
		in, out := shapes[i], shapes[i+1]
		switch layer.Class {
		case arch.Dense:
			at = next(i)
		case arch.Flatten, arch.Reshape:
			if len(in) == 3 {
				at = order(in)
			}
			if len(out) == 3 {
				if !slices.Equal(at, order(out)) {
					return nil, reordered(n, i)
				}
				at = nil
			}
		}
		orders[i+1] = at
	}
	if at != nil {
		return nil, reordered(n, len(n.Layers)-1)
	}
	return orders, nil
}

func reordered(n arch.Network, layer int) error {
	return input.Errorf("%s: layer %d, %s: PyTorch has its vector's values in an order that no view gives: use another format",
		n.Name, layer+1, n.LayerNames()[layer])
}

// writeTorch writes a network as safetensors in PyTorch's layout.
func writeTorch(w io.Writer, n *model.Network, m *model.Model) error {
	layout, err := torchLayout(n.Network)
	if err != nil {
		return err
	}
	var tensors []safetensors.Tensor
	for i, t := range layout {
		data := permute(n.Weights[i], t.sizes, t.order)
		tensors = append(tensors, safetensors.Tensor{Name: t.name, Shape: t.shape, Data: data})
	}
	about := describe(n, m)
	about["format"] = "pt" // what libraries around PyTorch look for
	return safetensors.Write(w, about, tensors)
}

// decodeTorch reads what writeTorch wrote.
func decodeTorch(file *safetensors.File) (*model.Model, error) {
	n, m, err := described(file.Metadata)
	if err != nil {
		return nil, err
	}
	layout, err := torchLayout(n.Network)
	if err != nil {
		return nil, err
	}
	if len(file.Tensors) != len(layout) {
		return nil, input.Errorf("has %d tensors, its architecture %d", len(file.Tensors), len(layout))
	}
	for i, t := range layout {
		had := file.Tensors[i]
		if had.Name != t.name || !slices.Equal(had.Shape, t.shape) {
			return nil, input.Errorf("tensor %d is %q of %v, its architecture asks for %q of %v",
				i+1, had.Name, had.Shape, t.name, t.shape)
		}
		n.Weights = append(n.Weights, permute(had.Data, permuted(t.sizes, t.order), inverse(t.order)))
	}
	return m, nil
}
