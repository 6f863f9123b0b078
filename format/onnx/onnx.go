// Package onnx writes graphs of float32 tensors as ONNX models, and takes the tensors and the metadata out of a model.
//
// A model is a protocol buffer; the numbers of its fields are those of
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Fields are written in the order of their numbers and without
// what is absent, as protobuf's own libraries do, so equal models give equal bytes.
package onnx

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Model is a graph and what is said about it.
type Model struct {
	Opset    int // version of the default set of operators
	Graph    Graph
	Metadata []Property
}

// Property is an entry of a model's metadata.
type Property struct{ Key, Value string }

// Graph is a list of nodes, each after those whose outputs it takes.
type Graph struct {
	Name            string
	Nodes           []Node
	Tensors         []Tensor
	Inputs, Outputs []Value
}

// Node is an operator at work.
type Node struct {
	Name            string
	Operator        string
	Inputs, Outputs []string
	Attributes      []Attribute
}

// Attribute is a named constant of a node.
type Attribute struct {
	Name  string
	Value any // float32, int or []int
}

// Value is a float32 array that a graph takes or gives.
type Value struct {
	Name  string
	Sizes []Size
}

// Size is the size of an axis: a number, or where that is 0 a name for any.
type Size struct {
	Number int
	Any    string
}

// Tensor is a constant array, row-major.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
	Ints  []int64 // in place of Data
}

// irVersion is the version of the format that came with opset 17.
const irVersion = 8

// The types of values and of attributes.
const (
	typeFloat = 1
	typeInt64 = 7

	attributeFloat = 1
	attributeInt   = 2
	attributeInts  = 7
)

// The numbers of fields that are both written and read.
const (
	modelGraph     = 7
	modelMetadata  = 14
	propertyKey    = 1
	propertyValue  = 2
	graphTensor    = 5
	tensorType     = 2
	tensorName     = 8
	tensorRawBytes = 9
)

// message is a protocol buffer that grows.
type message []byte

func (m *message) number(field protowire.Number, v int) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), uint64(v))
}

func (m *message) text(field protowire.Number, s string) {
	*m = protowire.AppendString(protowire.AppendTag(*m, field, protowire.BytesType), s)
}

func (m *message) inner(field protowire.Number, inner message) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), inner)
}

// Encode returns the bytes of the model.
func (model *Model) Encode() []byte {
	var m message
	m.number(1, irVersion)
	m.text(2, "dcgan")
	m.inner(modelGraph, model.Graph.encode())
	var operators message
	operators.number(2, model.Opset)
	m.inner(8, operators)
	for _, p := range model.Metadata {
		var property message
		property.text(propertyKey, p.Key)
		property.text(propertyValue, p.Value)
		m.inner(modelMetadata, property)
	}
	return m
}

func (g *Graph) encode() message {
	var m message
	for _, n := range g.Nodes {
		m.inner(1, n.encode())
	}
	m.text(2, g.Name)
	for _, t := range g.Tensors {
		m.inner(graphTensor, t.encode())
	}
	for _, v := range g.Inputs {
		m.inner(11, v.encode())
	}
	for _, v := range g.Outputs {
		m.inner(12, v.encode())
	}
	return m
}

func (n *Node) encode() message {
	var m message
	for _, name := range n.Inputs {
		m.text(1, name)
	}
	for _, name := range n.Outputs {
		m.text(2, name)
	}
	m.text(3, n.Name)
	m.text(4, n.Operator)
	for _, a := range n.Attributes {
		m.inner(5, a.encode())
	}
	return m
}

func (a *Attribute) encode() message {
	var m message
	m.text(1, a.Name)
	switch v := a.Value.(type) {
	case float32:
		m = protowire.AppendFixed32(protowire.AppendTag(m, 2, protowire.Fixed32Type), math.Float32bits(v))
		m.number(20, attributeFloat)
	case int:
		m.number(3, v)
		m.number(20, attributeInt)
	case []int:
		for _, i := range v {
			m.number(8, i)
		}
		m.number(20, attributeInts)
	}
	return m
}

func (v *Value) encode() message {
	var shape message
	for _, s := range v.Sizes {
		var size message
		if s.Number > 0 {
			size.number(1, s.Number)
		} else {
			size.text(2, s.Any)
		}
		shape.inner(1, size)
	}
	var array, kind, m message
	array.number(1, typeFloat)
	array.inner(2, shape)
	kind.inner(1, array)
	m.text(1, v.Name)
	m.inner(2, kind)
	return m
}

func (t *Tensor) encode() message {
	var m message
	for _, size := range t.Shape {
		m.number(1, size)
	}
	var raw []byte
	if t.Ints != nil {
		m.number(tensorType, typeInt64)
		for _, v := range t.Ints {
			raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
		}
	} else {
		m.number(tensorType, typeFloat)
		raw = make([]byte, 0, 4*len(t.Data))
		for _, v := range t.Data {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
	}
	m.text(tensorName, t.Name)
	m.inner(tensorRawBytes, raw)
	return m
}
