package exchange

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"

	"dcgan/arch"
	"dcgan/format/onnx"
	"dcgan/internal/input"
	"dcgan/model"
)

// opset is the oldest one wanted, so that the oldest runtimes can read a file.
const opset = 17

// The last entry of the metadata, and so of the file, is a CRC-32C of the whole file, taken with its own digits set to 0.
const (
	sumKey   = "crc32c"
	sumZeros = "00000000"
)

// maxONNX bounds the files that are read. Twice the weights that a network may have lie below it, and the 2 GiB that a
// protocol buffer may have above.
const maxONNX = 1 << 30

// What a graph calls its ends.
const (
	latentName      = "latent"
	imageName       = "image"
	probabilityName = "probability"
	logitName       = "logit" // of a discriminator that does not end in a sigmoid
)

// kernelOrder turns a convolution's (kh, kw, in, out) to (out, in, kh, kw), a transposed one's (kh, kw, out, in) to
// (in, out, kh, kw).
var kernelOrder = []int{3, 2, 0, 1}

// graphBuilder adds a network's layers to a graph one by one. ONNX's convolutions take N, C, H, W, so images are turned
// where one begins and turned back where their order matters again.
type graphBuilder struct {
	onnx.Graph
	at            string     // name of the value in hand
	shape         arch.Shape // its shape, (H, W, C) or (units)
	channelsFirst bool       // it lies as C, H, W
}

func (b *graphBuilder) node(operator, name string, tensors []string, attributes ...onnx.Attribute) {
	b.Nodes = append(b.Nodes, onnx.Node{
		Name: name, Operator: operator, Attributes: attributes,
		Inputs: append([]string{b.at}, tensors...), Outputs: []string{name},
	})
	b.at = name
}

func (b *graphBuilder) turn(channelsFirst bool) {
	if len(b.shape) != 3 || b.channelsFirst == channelsFirst {
		return
	}
	name, order := b.at+"/channels_last", []int{0, 2, 3, 1}
	if channelsFirst {
		name, order = b.at+"/channels_first", []int{0, 3, 1, 2}
	}
	b.node("Transpose", name, nil, onnx.Attribute{Name: "perm", Value: order})
	b.channelsFirst = channelsFirst
}

// reshape joins or parts the values of an image, which go by H, W, C.
func (b *graphBuilder) reshape(name string, to arch.Shape) {
	b.turn(false)
	sizes := []int64{0} // the batch's, as it is
	for _, size := range to {
		sizes = append(sizes, int64(size))
	}
	b.Tensors = append(b.Tensors, onnx.Tensor{Name: name + "/shape", Shape: []int{len(sizes)}, Ints: sizes})
	b.node("Reshape", name, []string{name + "/shape"})
}

// onnxGraph returns a network as a graph in inference: moving statistics, no dropout. Tensors have Keras' names, and
// kernels of convolutions ONNX's order.
func onnxGraph(n *model.Network) (onnx.Graph, error) {
	shapes, err := n.Shapes()
	if err != nil {
		return onnx.Graph{}, err
	}
	inputName, outputName := latentName, imageName
	if role(n.Network) == discriminator {
		inputName, outputName = imageName, logitName
		if last := n.Layers[len(n.Layers)-1]; last.Class == arch.Activation && last.Function == arch.Sigmoid {
			outputName = probabilityName
		}
	}

	b := &graphBuilder{at: inputName, shape: n.Input}
	b.Name = n.Name
	tensorNames := make([][]string, len(n.Layers))
	for i, t := range n.Tensors() {
		tensorNames[t.Layer] = append(tensorNames[t.Layer], t.Name)
		tensor := onnx.Tensor{Name: t.Name, Shape: t.Shape, Data: n.Weights[i]}
		if len(t.Shape) == 4 {
			tensor.Shape, tensor.Data = permuted(t.Shape, kernelOrder), permute(n.Weights[i], t.Shape, kernelOrder)
		}
		b.Tensors = append(b.Tensors, tensor)
	}
	names := n.LayerNames()
	for i, layer := range n.Layers {
		b.layer(layer, names[i], tensorNames[i], shapes[i])
	}
	b.turn(false)
	if b.at == inputName {
		b.node("Identity", "identity", nil)
	}
	b.Nodes[len(b.Nodes)-1].Outputs[0] = outputName
	b.Inputs = []onnx.Value{onnxValue(inputName, n.Input)}
	b.Outputs = []onnx.Value{onnxValue(outputName, b.shape)}
	return b.Graph, nil
}

// layer adds a layer that gives out.
func (b *graphBuilder) layer(layer arch.Layer, name string, tensors []string, out arch.Shape) {
	in := b.shape
	switch layer.Class {
	case arch.Dense:
		b.node("Gemm", name, tensors)
	case arch.Conv2D:
		b.turn(true)
		before, after := [2]int{}, [2]int{}
		for axis := range 2 {
			p := max((out[axis]-1)*layer.Strides+layer.Kernel-in[axis], 0)
			before[axis], after[axis] = p/2, p-p/2
		}
		b.node("Conv", name, tensors, square("kernel_shape", layer.Kernel),
			onnx.Attribute{Name: "pads", Value: []int{before[0], before[1], after[0], after[1]}},
			square("strides", layer.Strides))
	case arch.Conv2DTranspose:
		b.turn(true)
		// All that the kernels reach is Kernel - Strides longer than Keras' output, which is cut out of it, or as much
		// shorter.
		longer := max(layer.Kernel-layer.Strides, 0)
		before, after := longer/2, longer-longer/2
		b.node("ConvTranspose", name, tensors, square("kernel_shape", layer.Kernel),
			square("output_padding", max(layer.Strides-layer.Kernel, 0)),
			onnx.Attribute{Name: "pads", Value: []int{before, before, after, after}},
			square("strides", layer.Strides))
	case arch.BatchNormalization:
		b.turn(true)
		b.node("BatchNormalization", name, tensors, onnx.Attribute{Name: "epsilon", Value: float32(layer.Epsilon)})
	case arch.LeakyReLU:
		b.node("LeakyRelu", name, nil, onnx.Attribute{Name: "alpha", Value: float32(layer.NegativeSlope)})
	case arch.Activation:
		b.node(map[string]string{arch.ReLU: "Relu", arch.Tanh: "Tanh", arch.Sigmoid: "Sigmoid"}[layer.Function], name, nil)
	case arch.Flatten, arch.Reshape:
		b.reshape(name, out)
		b.channelsFirst = false
	}
	b.shape = out
}

func square(name string, side int) onnx.Attribute {
	return onnx.Attribute{Name: name, Value: []int{side, side}}
}

// onnxValue is an end of a graph, for any number of examples.
func onnxValue(name string, shape arch.Shape) onnx.Value {
	v := onnx.Value{Name: name, Sizes: []onnx.Size{{Any: "N"}}}
	for _, size := range shape {
		v.Sizes = append(v.Sizes, onnx.Size{Number: size})
	}
	return v
}

func writeONNX(w io.Writer, n *model.Network, m *model.Model) error {
	file, err := encodeONNX(n, m)
	if err != nil {
		return err
	}
	_, err = w.Write(file)
	return err
}

func encodeONNX(n *model.Network, m *model.Model) ([]byte, error) {
	graph, err := onnxGraph(n)
	if err != nil {
		return nil, err
	}
	about := describe(n, m)
	model := onnx.Model{Opset: opset, Graph: graph}
	for _, key := range slices.Sorted(maps.Keys(about)) {
		model.Metadata = append(model.Metadata, onnx.Property{Key: key, Value: about[key]})
	}
	model.Metadata = append(model.Metadata, onnx.Property{Key: sumKey, Value: sumZeros})
	file := model.Encode()
	sum := crc32.Checksum(file, crc32.MakeTable(crc32.Castagnoli))
	copy(file[len(file)-len(sumZeros):], fmt.Sprintf("%08x", sum))
	return file, nil
}

// isONNX knows a model by its first field, the format's version, which every library writes first.
func isONNX(start []byte) bool { return len(start) > 2 && start[0] == 1<<3 && start[1] < 32 }

// readONNX reads what writeONNX wrote.
func readONNX(path string, _ Layers) (*model.Model, error) {
	file, size, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > maxONNX {
		return nil, input.Errorf("%s: has %d bytes, above the limit of %d for an ONNX file", path, size, maxONNX)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m, err := decodeONNX(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// decodeONNX takes architecture and weights from a file, and accepts it only if they make the very same file, checksum
// included: so what the graph computes is what the network computes, and a damaged byte is found.
func decodeONNX(file []byte) (*model.Model, error) {
	raw, err := onnx.Parse(file)
	if err != nil {
		return nil, err
	}
	if _, ours := raw.Metadata[versionKey]; !ours {
		return nil, input.Errorf("is an ONNX model that another program wrote: only those that dcgan export wrote can be read")
	}
	n, m, err := described(raw.Metadata)
	if err != nil {
		return nil, err
	}
	changed := input.Errorf("is damaged, or was changed after dcgan export wrote it: export it again")
	tensors := n.Tensors()
	if len(raw.Tensors) < len(tensors) {
		return nil, changed
	}
	for i, t := range tensors {
		values, ok := raw.Tensors[i].Floats(t.Shape.Size())
		if !ok {
			return nil, changed
		}
		if len(t.Shape) == 4 {
			values = permute(values, permuted(t.Shape, kernelOrder), inverse(kernelOrder))
		}
		n.Weights = append(n.Weights, values)
	}
	again, err := encodeONNX(n, m)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(file, again) {
		return nil, changed
	}
	return m, nil
}
