// Package tensorboard is a codec of TensorBoard's event files.
//
// A record is the length of an event, the event (a protocol buffer), and a checksum behind each. The numbers of fields are
// those of event.proto, summary.proto and tensor.proto, in tensorboard/compat/proto of
// https://github.com/tensorflow/tensorboard.
package tensorboard

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Event is what there is to show of a step.
type Event struct {
	Time   float64 // seconds since 1970
	Step   int
	Values []Value
}

// Value is a point of the series that its tag names.
type Value struct {
	Tag     string
	Content any // float32, Image or Text
}

// Image is an encoded picture, as PNG for example.
type Image struct {
	Height, Width, Channels int
	Encoded                 []byte
}

// Text is shown as Markdown.
type Text string

// Numbers of event.proto's and tensor.proto's enumerations.
const (
	typeString  = 7
	classTensor = 2
)

// Version returns the record that a file begins with.
func Version(time float64) []byte {
	return record(text(timed(time), 3, "brain.Event:2"))
}

// Record returns the event as a record of a file.
func (e Event) Record() []byte {
	var summary []byte
	for _, v := range e.Values {
		summary = inner(summary, 1, v.encode())
	}
	m := timed(e.Time)
	if e.Step != 0 {
		m = number(m, 2, e.Step)
	}
	return record(inner(m, 5, summary))
}

func (v Value) encode() []byte {
	m := text(nil, 1, v.Tag)
	switch content := v.Content.(type) {
	case float32:
		m = protowire.AppendTag(m, 2, protowire.Fixed32Type)
		m = protowire.AppendFixed32(m, math.Float32bits(content))
	case Image:
		image := number(nil, 1, content.Height)
		image = number(image, 2, content.Width)
		image = number(image, 3, content.Channels)
		m = inner(m, 4, inner(image, 4, content.Encoded))
	case Text:
		tensor := number(nil, 1, typeString)
		tensor = inner(tensor, 2, nil) // no dimensions: a single string
		m = inner(m, 8, text(tensor, 8, string(content)))
		plugin := text(nil, 1, "text")
		m = inner(m, 9, number(inner(nil, 1, plugin), 4, classTensor))
	}
	return m
}

// timed begins an event.
func timed(time float64) []byte {
	m := protowire.AppendTag(nil, 1, protowire.Fixed64Type)
	return protowire.AppendFixed64(m, math.Float64bits(time))
}

func number(m []byte, field protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), uint64(v))
}

func text(m []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), s)
}

func inner(m []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), message)
}

// record puts an event between its length and its checksums.
func record(event []byte) []byte {
	r := binary.LittleEndian.AppendUint64(make([]byte, 0, len(event)+16), uint64(len(event)))
	r = binary.LittleEndian.AppendUint32(r, masked(r))
	r = append(r, event...)
	return binary.LittleEndian.AppendUint32(r, masked(event))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked returns the CRC-32C of b as such files keep it: turned by 15 bits, plus a constant.
func masked(b []byte) uint32 {
	sum := crc32.Checksum(b, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}
