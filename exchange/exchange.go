// Package exchange hands networks to other systems and takes them back: it says what each layer and each tensor is in
// the words of a format. The formats' codecs lie in format/.
package exchange

import (
	"io"

	"dcgan/format/keras"
	"dcgan/model"
)

// Format is a kind of file that networks are written to for another system, one network a file.
type Format struct {
	Name   string // of --format
	Ending string // of the files, with its dot
	Help   string // what it is for, a few words

	write func(w io.Writer, n *model.Network, m *model.Model) error
}

// Formats lists the formats that can be written.
var Formats = []Format{
	KerasH5,
	{"keras", ".keras", "Keras 3's zip, layers, weights and Adam's moments", writeKeras(keras.WriteZip)},
	{"onnx", ".onnx", "the network as a graph, for onnxruntime and others", writeONNX},
	{"safetensors", ".safetensors", "weights in PyTorch's layout", writeTorch},
}

// Write writes network n of m. That a network cannot be written in the format is an error of input; then nothing was
// written.
func (f Format) Write(w io.Writer, n *model.Network, m *model.Model) error {
	if role(n.Network) == "" {
		return notExchanged(n.Network)
	}
	return f.write(w, n, m)
}
