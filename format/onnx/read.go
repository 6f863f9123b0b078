package onnx

import (
	"encoding/binary"
	"errors"
	"math"

	"dcgan/internal/input"

	"google.golang.org/protobuf/encoding/protowire"
)

// Bounds of what a model may list, far above what networks of a few hundred layers need, so that no file costs more memory
// than some multiple of its own size.
const (
	maxTensors    = 1 << 14
	maxProperties = 1 << 10
)

// Raw is the part of a model that holds numbers and words, as it lies in the file.
type Raw struct {
	Metadata map[string]string
	Tensors  []RawTensor
}

// RawTensor is a constant array that is not decoded yet.
type RawTensor struct {
	Name  string
	float bool
	bytes []byte // values, little-endian
}

// Parse takes metadata and tensors out of a model's bytes, which they share. What the nodes compute is not looked at. That
// the bytes are no model, or list too much, is an error of input.
func Parse(file []byte) (*Raw, error) {
	raw := &Raw{Metadata: map[string]string{}}
	graphs := 0
	err := fields(file, func(field protowire.Number, inner []byte, _ uint64) error {
		switch field {
		case modelGraph:
			graphs++
			return raw.graph(inner)
		case modelMetadata:
			if len(raw.Metadata) == maxProperties {
				return errors.New("its metadata is too long")
			}
			return raw.property(inner)
		}
		return nil
	})
	if err == nil && graphs != 1 {
		err = errors.New("it has no graph, or more than one")
	}
	if err != nil {
		return nil, input.Errorf("is not an ONNX model, or is damaged: %w", err)
	}
	return raw, nil
}

// fields calls each with every field of a message: the bytes of one that has a length, the number of one that is a varint.
func fields(m []byte, each func(field protowire.Number, inner []byte, number uint64) error) error {
	for len(m) > 0 {
		field, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			return protowire.ParseError(n)
		}
		m = m[n:]
		var inner []byte
		var number uint64
		switch kind {
		case protowire.BytesType:
			inner, n = protowire.ConsumeBytes(m)
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(m)
		default:
			n = protowire.ConsumeFieldValue(field, kind, m)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		m = m[n:]
		if err := each(field, inner, number); err != nil {
			return err
		}
	}
	return nil
}

func (raw *Raw) property(m []byte) error {
	var key, value string
	err := fields(m, func(field protowire.Number, inner []byte, _ uint64) error {
		switch field {
		case propertyKey:
			key = string(inner)
		case propertyValue:
			value = string(inner)
		}
		return nil
	})
	raw.Metadata[key] = value
	return err
}

func (raw *Raw) graph(m []byte) error {
	return fields(m, func(field protowire.Number, inner []byte, _ uint64) error {
		if field != graphTensor {
			return nil
		}
		if len(raw.Tensors) == maxTensors {
			return errors.New("it has too many tensors")
		}
		var t RawTensor
		if err := t.parse(inner); err != nil {
			return err
		}
		raw.Tensors = append(raw.Tensors, t)
		return nil
	})
}

func (t *RawTensor) parse(m []byte) error {
	return fields(m, func(field protowire.Number, inner []byte, number uint64) error {
		switch field {
		case tensorType:
			t.float = number == typeFloat
		case tensorName:
			t.Name = string(inner)
		case tensorRawBytes:
			t.bytes = inner
		}
		return nil
	})
}

// Floats returns the values, false where they are not float32 or not as many as size.
func (t *RawTensor) Floats(size int) ([]float32, bool) {
	if !t.float || len(t.bytes) != 4*size {
		return nil, false
	}
	values := make([]float32, size)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.bytes[4*i:]))
	}
	return values, true
}
