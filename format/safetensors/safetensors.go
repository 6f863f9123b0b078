// Package safetensors writes and reads float32 tensors in the safetensors format, with checksums, so that damage to any
// byte is found and named.
//
// A file is the length of the header as a little-endian uint64, the header in JSON, and the values of all tensors one
// after the other, as https://github.com/huggingface/safetensors describes. This package adds two entries to the
// header's metadata, which other readers pass over: "crc32c", the CRC-32C of the length and the header, taken with that
// entry's own digits set to 0; and "crc32c.tensors", the CRC-32C of each tensor's values, in the order of the file.
//
// The bytes of a file follow from its contents alone, and Read accepts a header only if Write would have made the very
// same one. That one comparison refuses duplicate names, overlapping or shuffled tensors, and fields nobody asked for.
package safetensors

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"unicode/utf8"
)

// Tensor is a named array.
type Tensor struct {
	Name  string
	Shape []int     // empty for a single value
	Data  []float32 // row-major, as many as the product of Shape
}

// File is what a file holds.
type File struct {
	Metadata map[string]string // without the checksums
	Tensors  []Tensor          // in the order of the file
}

const (
	// maxHeader is far above what a network of thousands of layers needs, some 150 bytes a tensor.
	maxHeader = 16 << 20
	// maxData is some hundred times a checkpoint of the networks that this program trains.
	maxData = min(4<<30, math.MaxInt)
	// chunk is the size of the buffer between float32 values and bytes.
	chunk = 64 << 10

	metadataKey = "__metadata__"
	headerKey   = "crc32c"
	tensorsKey  = "crc32c.tensors"
	// headerStart is what every header begins with. The 8 digits of its checksum follow, at a fixed place, so that the
	// header can be checked before anything in it is believed.
	headerStart = `{"` + metadataKey + `":{"` + headerKey + `":"`
	digits      = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encodeHeader returns the length and the header of a file with the given contents, checksums included. It looks at the
// names and shapes of tensors and not at their data.
func encodeHeader(metadata map[string]string, tensors []Tensor, sums []uint32) []byte {
	b := make([]byte, 8, 4096)
	b = append(b, headerStart...)
	sumAt := len(b)
	b = append(b, `00000000","`+tensorsKey+`":"`...)
	for i, sum := range sums {
		if i > 0 {
			b = append(b, ' ')
		}
		b = fmt.Appendf(b, "%08x", sum)
	}
	b = append(b, '"')
	for _, key := range sortedKeys(metadata) {
		b = append(b, ',')
		b = appendString(b, key)
		b = append(b, ':')
		b = appendString(b, metadata[key])
	}
	b = append(b, '}')

	offset := 0
	for _, t := range tensors {
		b = append(b, ',')
		b = appendString(b, t.Name)
		b = append(b, `:{"dtype":"F32","shape":[`...)
		for i, size := range t.Shape {
			if i > 0 {
				b = append(b, ',')
			}
			b = fmt.Append(b, size)
		}
		n, _ := elements(t.Shape)
		b = fmt.Appendf(b, `],"data_offsets":[%d,%d]}`, offset, offset+4*n)
		offset += 4 * n
	}
	b = append(b, '}')
	for len(b)%8 != 0 { // so that the values are aligned in a mapped file
		b = append(b, ' ')
	}
	binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
	copy(b[sumAt:], fmt.Sprintf("%08x", crc32.Checksum(b, castagnoli)))
	return b
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// appendString appends s, valid UTF-8, as a JSON string. It is written out here because the header's bytes must not
// change with a library's choice of what to escape.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// elements returns the product of shape, and false where a size is negative or the values would take more than maxData
// bytes.
func elements(shape []int) (int, bool) {
	n := 1
	for _, size := range shape {
		if size < 0 || (size > 0 && n > maxData/4/size) {
			return 0, false
		}
		n *= size
	}
	return n, true
}

// check returns an error that names the first thing that a file cannot hold. Data is not looked at.
func check(metadata map[string]string, tensors []Tensor) error {
	for key, value := range metadata {
		if key == headerKey || key == tensorsKey {
			return fmt.Errorf("the metadata key %q is taken by the checksums", key)
		}
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return fmt.Errorf("metadata %q: %q is not UTF-8", key, value)
		}
	}
	names := make(map[string]bool, len(tensors))
	total := 0
	for _, t := range tensors {
		if t.Name == metadataKey || !utf8.ValidString(t.Name) {
			return fmt.Errorf("%q cannot name a tensor", t.Name)
		}
		if names[t.Name] {
			return fmt.Errorf("two tensors have the name %q", t.Name)
		}
		names[t.Name] = true
		n, ok := elements(t.Shape)
		if !ok || total > maxData/4-n {
			return fmt.Errorf("tensor %q: shape %v is beyond the limit of %d bytes a file", t.Name, t.Shape, uint64(maxData))
		}
		total += n
	}
	return nil
}
