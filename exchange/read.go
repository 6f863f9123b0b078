package exchange

import (
	"bytes"
	"fmt"
	"io"

	"dcgan/checkpoint"
	"dcgan/format/keras"
	"dcgan/format/safetensors"
	"dcgan/internal/input"
	"dcgan/model"
)

// kind is a kind of file that networks are read from, known by how it begins.
type kind struct {
	is   func(start []byte) bool
	read func(path string, of Layers) (*model.Model, error)
}

// kinds is in the order that they are tried in.
var kinds = []kind{
	{keras.Is, readKeras},
	{isSafetensors, readSafetensors},
	{isONNX, readONNX},
}

// startSize is how much of a file tells its kind.
const startSize = 16

// Read reads the networks of a file, whatever it is: a checkpoint, or a file that Formats has. Where it is one of Keras that
// has weights alone, they are those of the first of the given layers that they fit. What is wrong with the file is an error
// of input that begins with its path.
func Read(path string, of ...*keras.Architecture) (*model.Model, error) {
	start, err := readStart(path)
	if err != nil {
		return nil, err
	}
	for _, k := range kinds {
		if k.is(start) {
			return k.read(path, of)
		}
	}
	return nil, input.Errorf("%s: is neither a checkpoint nor a model file that can be read, or its first bytes are damaged", path)
}

// readStart returns the first bytes of a file, fewer than startSize of a short one.
func readStart(path string) ([]byte, error) {
	file, _, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	start := make([]byte, startSize)
	n, err := io.ReadFull(file, start)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return start[:n], nil
}

// isSafetensors knows the format by the brace that its header begins with, behind the header's length.
func isSafetensors(start []byte) bool {
	return len(start) > 8 && bytes.HasPrefix(start[8:], []byte("{"))
}

// readSafetensors reads a checkpoint or a network in PyTorch's layout.
func readSafetensors(path string, _ Layers) (*model.Model, error) {
	file, err := safetensors.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var m *model.Model
	if _, exported := file.Metadata[versionKey]; exported {
		m, err = decodeTorch(file)
	} else {
		var c *checkpoint.Checkpoint
		if c, err = checkpoint.Decode(file); err == nil {
			m = c.Model()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}
