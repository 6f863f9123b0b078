package dataset

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"

	"dcgan/internal/input"
)

// array is what an IDX file of unsigned bytes holds.
type array struct {
	shape []int
	data  []uint8 // row-major, as many as the product of shape
}

const (
	// maxBytes is the most that is read of one file, 16 GiB: images stay in memory while the networks learn.
	maxBytes = min(1<<34, math.MaxInt)
	// firstChunk is what is allocated on the word of a header alone. More follows as the data really comes, so that
	// a short file with a large claim costs little.
	firstChunk = 1 << 20
)

// idxTypes names the types of values in IDX headers.
var idxTypes = map[byte]string{8: "unsigned bytes", 9: "signed bytes", 11: "16 bit integers", 12: "32 bit integers", 13: "float32", 14: "float64"}

// readIDX reads one array of unsigned bytes with one of the ranks, gzip or plain, and wants the end of r right after it.
// Accept, unless nil, is asked about the shape before a value is read: a compressed file of some kilobytes can hold
// gigabytes, so what cannot be used must not be unpacked. Its error is returned. No more is ever unpacked than the
// header promises, and a byte.
//
// The format is that of MNIST: two zero bytes, the type of the values, the number of dimensions, each dimension as a
// big-endian uint32, the values.
func readIDX(r io.Reader, accept func(shape []int) error, ranks ...int) (array, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	r = buffered
	if start, _ := buffered.Peek(2); string(start) == "\x1f\x8b" {
		unzip, err := gzip.NewReader(buffered)
		if err != nil {
			return array{}, readError(err, "in the gzip header")
		}
		r = unzip
	}

	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return array{}, readError(err, "within the first four bytes")
	}
	rank := int(magic[3])
	switch {
	case magic[0] != 0 || magic[1] != 0 || idxTypes[magic[2]] == "":
		return array{}, input.Errorf("is not an IDX file: it begins with the bytes % x, where one of bytes begins with 00 00 08", magic)
	case magic[2] != 8:
		return array{}, input.Errorf("holds %s: convert them to unsigned bytes, IDX type 08", idxTypes[magic[2]])
	case !slices.Contains(ranks, rank):
		return array{}, input.Errorf("has %d dimensions instead of %s: is it the right file?", rank, orList(ranks))
	}

	sizes := make([]byte, 4*rank)
	if _, err := io.ReadFull(r, sizes); err != nil {
		return array{}, readError(err, "in the header")
	}
	a := array{shape: make([]int, rank)}
	total := uint64(1)
	for i := range a.shape {
		size := uint64(binary.BigEndian.Uint32(sizes[4*i:]))
		if size == 0 {
			return array{}, input.Errorf("is empty: dimension %d of its header is 0", i+1)
		}
		// maxBytes and a size are below 2^34 and 2^32, so the product fits.
		if total *= size; total > maxBytes {
			return array{}, input.Errorf("its header claims more than the %d bytes that can be read: is it damaged?", uint64(maxBytes))
		}
		a.shape[i] = int(size)
	}
	if accept != nil {
		if err := accept(a.shape); err != nil {
			return array{}, err
		}
	}

	have := 0
	for have < int(total) {
		grown := make([]uint8, min(int(total), max(firstChunk, 2*have)))
		copy(grown, a.data)
		n, err := io.ReadFull(r, grown[have:])
		a.data = grown
		have += n
		if err != nil {
			return array{}, readError(err, fmt.Sprintf("after %d of the %d values that its header promises", have, total))
		}
	}
	// Reading on to the end also makes gzip compare its checksum.
	switch n, err := io.ReadFull(r, magic[:1]); {
	case n > 0:
		return array{}, input.Errorf("is too long: bytes follow the %d values that its header promises", total)
	case err != io.EOF:
		return array{}, readError(err, "or overlong at its end")
	}
	return a, nil
}

// readError tells a file that is not as it should be from one that the machine could not read.
func readError(err error, where string) error {
	var path *fs.PathError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return input.Errorf("is cut short %s: get it again", where)
	case errors.As(err, &path):
		return fmt.Errorf("cannot be read: %w", path.Err)
	default:
		return input.Errorf("is damaged %s (%w): get it again", where, err)
	}
}

func orList(ranks []int) string {
	return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(ranks), "[]")), " or ")
}
