package safetensors

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
)

// Write writes a file with the metadata and the tensors, in the order given. The same arguments give the same bytes.
//
// It is an error if a name comes twice or is not UTF-8, a shape does not fit its data, a metadata key is one of the
// checksums', or w fails.
func Write(w io.Writer, metadata map[string]string, tensors []Tensor) error {
	if err := check(metadata, tensors); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	buffer := make([]byte, chunk)
	sums := make([]uint32, len(tensors))
	for i, t := range tensors {
		if n, _ := elements(t.Shape); n != len(t.Data) {
			return fmt.Errorf("safetensors: tensor %q: %d values for shape %v", t.Name, len(t.Data), t.Shape)
		}
		for data := t.Data; len(data) > 0; {
			n := encode(buffer, data)
			sums[i] = crc32.Update(sums[i], castagnoli, buffer[:4*n])
			data = data[n:]
		}
	}

	header := encodeHeader(metadata, tensors, sums)
	if len(header)-8 > maxHeader {
		return fmt.Errorf("safetensors: a header of %d bytes is above the limit of %d", len(header)-8, maxHeader)
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range tensors {
		for data := t.Data; len(data) > 0; {
			n := encode(buffer, data)
			if _, err := w.Write(buffer[:4*n]); err != nil {
				return err
			}
			data = data[n:]
		}
	}
	return nil
}

// encode fills buffer with as many values as fit and returns their number.
func encode(buffer []byte, data []float32) int {
	n := min(len(data), len(buffer)/4)
	for i, v := range data[:n] {
		binary.LittleEndian.PutUint32(buffer[4*i:], math.Float32bits(v))
	}
	return n
}
