// Package npy writes and reads numpy's array files: float32 written, float32 and float64 read, in C order.
//
// A file is the magic string, a version, the length of the header, the header (a Python dictionary with the type of the
// values, their order and the shape, padded so that the values are aligned), and the values. See
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"dcgan/internal/input"
)

const (
	magic = "\x93NUMPY"
	// align is what the header is padded to a multiple of, as numpy does.
	align = 64
	// maxHeader is what a header of version 1 can have. Later versions allow more for records of many fields, which
	// cannot be read here.
	maxHeader = 1<<16 - 1
	// maxRank is numpy's own limit.
	maxRank = 64
	// maxValues is 4 GiB of float32.
	maxValues = min(1<<30, math.MaxInt/8)
	// chunk is the size in bytes of the buffer between values and bytes; memory for values is taken as they come,
	// beginning with one chunk.
	chunk = 64 << 10
)

// Write writes data, row-major and as many values as the product of shape, as an array of that shape. An empty shape is
// a single value.
func Write(w io.Writer, shape []int, data []float32) error {
	n, err := values(shape)
	if err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	if n != len(data) {
		return fmt.Errorf("npy: %d values for shape %v", len(data), shape)
	}
	sizes := strings.Join(strings.Fields(strings.Trim(fmt.Sprint(shape), "[]")), ", ")
	if len(shape) == 1 {
		sizes += ","
	}
	dictionary := "{'descr': '<f4', 'fortran_order': False, 'shape': (" + sizes + "), }"
	header := []byte(magic + "\x01\x00\x00\x00" + dictionary)
	header = append(header, strings.Repeat(" ", align-1-len(header)%align)+"\n"...)
	binary.LittleEndian.PutUint16(header[8:], uint16(len(header)-10))
	if _, err := w.Write(header); err != nil {
		return err
	}
	buffer := make([]byte, chunk)
	for len(data) > 0 {
		n := min(len(data), chunk/4)
		for i, v := range data[:n] {
			binary.LittleEndian.PutUint32(buffer[4*i:], math.Float32bits(v))
		}
		if _, err := w.Write(buffer[:4*n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// Read reads one array, of float32 or of float64 rounded to float32, and wants the end of r right after it. Memory is
// taken as values come, whatever the header claims. Anything wrong with the file is an error of input.
func Read(r io.Reader) (shape []int, data []float32, err error) {
	header, err := readHeader(r)
	if err != nil {
		return nil, nil, err
	}
	h, err := parseHeader(header)
	if err != nil {
		return nil, nil, input.Errorf("the header is not that of a .npy file: %w", err)
	}
	size := map[string]int{"<f4": 4, "<f8": 8}[h.descr]
	if size == 0 {
		return nil, nil, input.Errorf("holds values of type %q: save them with numpy as float32, array.astype('<f4')", h.descr)
	}
	if h.fortran {
		return nil, nil, input.Errorf("is in Fortran order: save numpy.ascontiguousarray(array)")
	}
	total, err := values(h.shape)
	if err != nil {
		return nil, nil, input.Errorf("%w", err)
	}

	data = make([]float32, 0, min(total, chunk/4))
	buffer := make([]byte, chunk)
	for len(data) < total {
		n := min(total-len(data), chunk/size)
		if _, err := io.ReadFull(r, buffer[:n*size]); err != nil {
			return nil, nil, readError(err, fmt.Sprintf("before the %d values of its shape %v end", total, h.shape))
		}
		for i := range n {
			if size == 4 {
				data = append(data, math.Float32frombits(binary.LittleEndian.Uint32(buffer[4*i:])))
			} else {
				data = append(data, float32(math.Float64frombits(binary.LittleEndian.Uint64(buffer[8*i:]))))
			}
		}
	}
	if n, err := io.ReadFull(r, buffer[:1]); n > 0 {
		return nil, nil, input.Errorf("is too long: bytes follow the %d values of its shape %v", total, h.shape)
	} else if err != io.EOF {
		return nil, nil, err
	}
	return h.shape, data, nil
}

// readHeader returns the dictionary.
func readHeader(r io.Reader) (string, error) {
	var start [12]byte
	if _, err := io.ReadFull(r, start[:8]); err != nil {
		return "", readError(err, "in its first bytes")
	}
	if string(start[:6]) != magic {
		return "", input.Errorf("is not a .npy file: it does not begin with \\x93NUMPY")
	}
	lengthSize := 4
	switch start[6] {
	case 1:
		lengthSize = 2
	case 2, 3:
	default:
		return "", input.Errorf("is of version %d of the .npy format: versions 1 to 3 can be read", start[6])
	}
	if _, err := io.ReadFull(r, start[8:8+lengthSize]); err != nil {
		return "", readError(err, "in its first bytes")
	}
	length := binary.LittleEndian.Uint32(start[8:]) // the last two bytes are 0 in version 1
	if length > maxHeader {
		return "", input.Errorf("claims a header of %d bytes, above the limit of %d: is it damaged?", length, maxHeader)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(r, header); err != nil {
		return "", readError(err, "in its header")
	}
	return string(header), nil
}

// values returns the product of shape.
func values(shape []int) (int, error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("has %d dimensions, above the limit of %d", len(shape), maxRank)
	}
	n := 1
	for _, size := range shape {
		if size < 0 || (size > 0 && n > maxValues/size) {
			return 0, fmt.Errorf("shape %v is beyond the limit of %d values", shape, maxValues)
		}
		n *= size
	}
	return n, nil
}

// readError tells a file that ended early from one that the machine could not read.
func readError(err error, where string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return input.Errorf("is cut short %s", where)
	}
	return err
}
