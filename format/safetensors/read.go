package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"

	"dcgan/internal/input"
)

// ReadFile reads the file at path and checks all of it, as Read does. Its errors begin with the path. A file that is
// missing or damaged is an error of input, one that the machine could not read is not.
func ReadFile(path string) (*File, error) { return openFile(path, true) }

// CheckFile checks the file at path as ReadFile does, and returns its tensors without their data, for which it takes no
// memory.
func CheckFile(path string) (*File, error) { return openFile(path, false) }

func openFile(path string, data bool) (*File, error) {
	file, size, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	f, err := readFrom(file, size, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Read reads a file of size bytes that Write wrote, and checks every byte of it. No more memory is taken than a few
// times size, whatever the header says.
//
// Damage is an error of input that names the header or the tensor, and so is a file without the checksums of this
// package. Other errors are those of r.
func Read(r io.Reader, size int64) (*File, error) { return readFrom(r, size, true) }

func readFrom(r io.Reader, size int64, data bool) (*File, error) {
	header, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	f, sums, err := parseHeader(header)
	if err != nil {
		return nil, err
	}

	promised := int64(len(header))
	for _, t := range f.Tensors {
		n, _ := elements(t.Shape)
		promised += 4 * int64(n)
		if promised > size {
			return nil, input.Errorf("tensor %q is cut short: the file has %d bytes where the tensor ends at %d", t.Name, size, promised)
		}
	}
	if promised < size {
		return nil, input.Errorf("%d bytes follow the last tensor: the file is damaged or was appended to", size-promised)
	}

	buffer := make([]byte, chunk)
	for i := range f.Tensors {
		t := &f.Tensors[i]
		n, _ := elements(t.Shape)
		if data {
			t.Data = make([]float32, n)
		}
		sum, err := readValues(r, n, t.Data, buffer)
		if err != nil {
			return nil, readError(err, fmt.Sprintf("tensor %q", t.Name))
		}
		if sum != sums[i] {
			return nil, input.Errorf("tensor %q is damaged: its checksum is %08x and should be %08x", t.Name, sum, sums[i])
		}
	}
	if n, err := io.ReadFull(r, buffer[:1]); n > 0 {
		return nil, input.Errorf("more bytes than the %d expected: the file is damaged or was appended to", size)
	} else if err != io.EOF {
		return nil, err
	}
	return f, nil
}

// readValues reads count values and returns the checksum of their bytes. It fills data, unless that is nil.
func readValues(r io.Reader, count int, data []float32, buffer []byte) (uint32, error) {
	sum := uint32(0)
	for done := 0; done < count; {
		n := min(count-done, len(buffer)/4)
		if _, err := io.ReadFull(r, buffer[:4*n]); err != nil {
			return 0, err
		}
		sum = crc32.Update(sum, castagnoli, buffer[:4*n])
		if data != nil {
			for i := range n {
				data[done+i] = math.Float32frombits(binary.LittleEndian.Uint32(buffer[4*i:]))
			}
		}
		done += n
	}
	return sum, nil
}

// readHeader returns the length and the header, checksum verified.
func readHeader(r io.Reader, size int64) ([]byte, error) {
	var length [8]byte
	if size < int64(len(length)) {
		return nil, input.Errorf("the header is cut short: the file has %d bytes", size)
	}
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, readError(err, "the header")
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return nil, input.Errorf("the header claims a length of %d, above the limit of %d: the file is damaged or not of the safetensors format", n, maxHeader)
	}
	if int64(n) > size-8 {
		return nil, input.Errorf("the header is cut short: its length is %d and the file has %d bytes", n, size)
	}
	header := make([]byte, 8+n)
	copy(header, length[:])
	if _, err := io.ReadFull(r, header[8:]); err != nil {
		return nil, readError(err, "the header")
	}

	at := 8 + len(headerStart)
	if !bytes.HasPrefix(header[8:], []byte(headerStart)) || len(header) < at+digits {
		return nil, input.Errorf("the header does not begin with this program's checksum: the file is damaged or was written by another program")
	}
	stored := string(header[at : at+digits])
	copy(header[at:], strings.Repeat("0", digits))
	sum := fmt.Sprintf("%08x", crc32.Checksum(header, castagnoli))
	copy(header[at:], stored)
	if sum != stored {
		return nil, input.Errorf("the header is damaged: its checksum is %q and should be %q", sum, stored)
	}
	return header, nil
}

// parseHeader returns the metadata and the tensors, without data, and the checksum of each tensor. Header begins with
// its length. The checksum keeps accidents out but no malice, so nothing in it is taken on trust.
func parseHeader(header []byte) (*File, []uint32, error) {
	f := &File{}
	var sums []uint32
	err := func() error {
		d := json.NewDecoder(bytes.NewReader(header[8:]))
		d.DisallowUnknownFields()
		if _, err := d.Token(); err != nil {
			return err
		}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name := key.(string) // a decoder within an object gives strings for keys
			if name == metadataKey {
				if err := d.Decode(&f.Metadata); err != nil {
					return err
				}
				continue
			}
			var entry struct {
				DType   string   `json:"dtype"`
				Shape   []int    `json:"shape"`
				Offsets [2]int64 `json:"data_offsets"`
			}
			if err := d.Decode(&entry); err != nil {
				return fmt.Errorf("tensor %q: %w", name, err)
			}
			f.Tensors = append(f.Tensors, Tensor{Name: name, Shape: entry.Shape})
		}
		listed := f.Metadata[tensorsKey]
		delete(f.Metadata, headerKey)
		delete(f.Metadata, tensorsKey)
		if err := check(f.Metadata, f.Tensors); err != nil {
			return err
		}
		for sum := range strings.FieldsSeq(listed) {
			b, err := hex.DecodeString(sum)
			if err != nil || len(b) != 4 {
				return fmt.Errorf("%q is no checksum", sum)
			}
			sums = append(sums, binary.BigEndian.Uint32(b))
		}
		if len(sums) != len(f.Tensors) {
			return fmt.Errorf("%d checksums for %d tensors", len(sums), len(f.Tensors))
		}
		return nil
	}()
	if err != nil {
		return nil, nil, input.Errorf("the header is not as this program writes it: %w", err)
	}
	if !bytes.Equal(header, encodeHeader(f.Metadata, f.Tensors, sums)) {
		return nil, nil, input.Errorf("the header is not as this program writes it: it differs from the one that belongs to its own contents")
	}
	return f, sums, nil
}

// readError tells a file that ended early from one that the machine could not read.
func readError(err error, where string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return input.Errorf("%s is cut short", where)
	}
	return err
}
