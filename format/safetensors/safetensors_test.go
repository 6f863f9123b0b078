package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dcgan/internal/input"
)

// tiny returns a file with every kind of content: two tensors, a single value, an empty one, odd text.
func tiny() (map[string]string, []Tensor) {
	return map[string]string{"step": "100", "arch": "seed", "text": "a \"quote\", a \\, a\nline, 文字, <&>\u2028"},
		[]Tensor{
			{"generator.dense/kernel", []int{2, 3}, []float32{1, -2, 3.5, 0, float32(math.Inf(1)), math.Float32frombits(0x7fc12345)}},
			{"generator.dense/bias", []int{3}, []float32{math.Pi, math.SmallestNonzeroFloat32, -math.MaxFloat32}},
			{"one", []int{}, []float32{7}},
			{"none", []int{4, 0}, []float32{}},
			{"last", []int{1, 1, 1, 2}, []float32{8, 9}},
		}
}

func bytesOf(t testing.TB, metadata map[string]string, tensors []Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(file []byte) (*File, error) { return Read(bytes.NewReader(file), int64(len(file))) }

func same(a, b []Tensor) bool {
	return slices.EqualFunc(a, b, func(a, b Tensor) bool {
		return a.Name == b.Name && slices.Equal(a.Shape, b.Shape) && slices.EqualFunc(a.Data, b.Data, func(x, y float32) bool {
			return math.Float32bits(x) == math.Float32bits(y)
		})
	})
}

func TestRoundTrip(t *testing.T) {
	metadata, tensors := tiny()
	large := Tensor{Name: "large", Shape: []int{3, 17001}, Data: make([]float32, 3*17001)} // more than a chunk
	for i := range large.Data {
		large.Data[i] = float32(i)
	}
	for _, test := range []struct {
		metadata map[string]string
		tensors  []Tensor
	}{{metadata, tensors}, {nil, nil}, {nil, append(tensors, large)}} {
		file := bytesOf(t, test.metadata, test.tensors)
		got, err := read(file)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got.Metadata, test.metadata) || !same(got.Tensors, test.tensors) {
			t.Errorf("got %v, want %v", got, test)
		}
		if n := binary.LittleEndian.Uint64(file); n%8 != 0 || !bytes.HasPrefix(file[8:], []byte(`{"__metadata__"`)) {
			t.Errorf("header of %d bytes: %s", n, file[8:8+n])
		}
		// Map order is random in Go; the file's is not.
		for range 20 {
			if !bytes.Equal(file, bytesOf(t, maps.Clone(test.metadata), test.tensors)) {
				t.Fatal("the same contents gave other bytes")
			}
		}
	}
}

// The bytes of a small file, written out, so that files stay readable across versions of this program. The checksums
// were computed bit by bit in Python.
func TestBytes(t *testing.T) {
	file := bytesOf(t, map[string]string{"b": "2", "a": "1"}, []Tensor{{"x", []int{2}, []float32{1, -1}}, {"y/z", nil, []float32{0.5}}})
	want := "\xc8\x00\x00\x00\x00\x00\x00\x00" +
		`{"__metadata__":{"crc32c":"ca46f718","crc32c.tensors":"7e7e6019 26973e52","a":"1","b":"2"},` +
		`"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y/z":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}` + " " +
		"\x00\x00\x80\x3f\x00\x00\x80\xbf" + "\x00\x00\x00\x3f"
	if string(file) != want {
		t.Errorf("got  %q\nwant %q", file, want)
	}
}

// headerSum computes a header's checksum in the plainest way.
func headerSum(file []byte) string {
	header := slices.Clone(file[:8+binary.LittleEndian.Uint64(file)])
	at := bytes.Index(header, []byte(`"crc32c":"`)) + len(`"crc32c":"`)
	copy(header[at:], "00000000")
	return fmt.Sprintf("%08x", crc32.Checksum(header, crc32.MakeTable(crc32.Castagnoli)))
}

// regionOf names what a byte of the tiny file belongs to, as an error must.
func regionOf(file []byte, tensors []Tensor, at int) string {
	at -= 8 + int(binary.LittleEndian.Uint64(file))
	if at < 0 {
		return "the header"
	}
	for _, t := range tensors {
		if at -= 4 * len(t.Data); at < 0 {
			return `tensor "` + t.Name + `"`
		}
	}
	return "the last tensor"
}

// Every byte, changed to every other value, is found and named.
func TestEveryFlipIsFound(t *testing.T) {
	metadata, tensors := tiny()
	file := bytesOf(t, metadata, tensors)
	for at := range file {
		region := regionOf(file, tensors, at)
		for delta := 1; delta < 256; delta++ {
			damaged := slices.Clone(file)
			damaged[at] += byte(delta)
			if f, err := read(damaged); f != nil || !input.Is(err) || !strings.Contains(err.Error(), region) {
				t.Fatalf("byte %d from %02x to %02x: %v, want an error of input that names %s", at, file[at], damaged[at], err, region)
			}
		}
	}
}

func TestEveryTruncationAndExtensionIsFound(t *testing.T) {
	metadata, tensors := tiny()
	file := bytesOf(t, metadata, tensors)
	random := rand.New(rand.NewPCG(1, 2))
	for n := range file {
		region := regionOf(file, tensors, n)
		if f, err := read(file[:n]); f != nil || !input.Is(err) || !strings.Contains(err.Error(), region) {
			t.Errorf("the first %d bytes: %v, want an error that names %s", n, err, region)
		}
		// The file shrinks after its size was asked for.
		if f, err := Read(bytes.NewReader(file[:n]), int64(len(file))); f != nil || !input.Is(err) || !strings.Contains(err.Error(), region) {
			t.Errorf("the first %d bytes, said to be %d: %v, want an error that names %s", n, len(file), err, region)
		}
		more := slices.Clone(file)
		for range n + 1 {
			more = append(more, byte(random.Uint32()))
		}
		if f, err := read(more); f != nil || !input.Is(err) {
			t.Errorf("%d more bytes: %v", n+1, err)
		}
		if f, err := Read(bytes.NewReader(more), int64(len(file))); f != nil || !input.Is(err) {
			t.Errorf("%d more bytes than said: %v", n+1, err)
		}
	}
}

// sealed makes a file of a header and data with a right length and header checksum, as someone who means harm would.
// The header has 00000000 where its checksum belongs.
func sealed(header string, data []byte) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(file, header...)
	copy(file[8+len(headerStart):], headerSum(file))
	return append(file, data...)
}

func TestHostileHeaders(t *testing.T) {
	const start = headerStart + `00000000","crc32c.tensors":"`
	one := `00000000"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
	zero := make([]byte, 4)
	onesum := fmt.Sprintf("%08x", crc32.Checksum(zero, castagnoli))
	pad := func(header string) string { return header + strings.Repeat(" ", 7-(len(header)+7)%8) }
	tensor := func(entries string) string { return pad(start + onesum + `"},` + entries + "}") }
	whole := pad(start + strings.Replace(one, "00000000", onesum, 1))
	if _, err := read(sealed(whole, zero)); err != nil {
		t.Fatalf("the harmless twin of the headers below: %v", err)
	}
	for name, header := range map[string]string{
		"2^60 elements":       tensor(`"x":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,4]}`),
		"2^120 elements":      tensor(`"x":{"dtype":"F32","shape":[1152921504606846976,1152921504606846976],"data_offsets":[0,4]}`),
		"2^64 elements":       tensor(`"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}`),
		"2^28 elements":       tensor(`"x":{"dtype":"F32","shape":[268435456],"data_offsets":[0,1073741824]}`),
		"zero times 2^60":     tensor(`"x":{"dtype":"F32","shape":[0,1152921504606846976],"data_offsets":[0,4]}`),
		"negative":            tensor(`"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}`),
		"negative twice":      tensor(`"x":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}`),
		"beyond int64":        tensor(`"x":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}`),
		"NaN":                 tensor(`"x":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}`),
		"fraction":            tensor(`"x":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}`),
		"text":                tensor(`"x":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}`),
		"null":                tensor(`"x":{"dtype":"F32","shape":null,"data_offsets":[0,4]}`),
		"null tensor":         tensor(`"x":null`),
		"other type":          tensor(`"x":{"dtype":"F64","shape":[1],"data_offsets":[0,4]}`),
		"no type":             tensor(`"x":{"shape":[1],"data_offsets":[0,4]}`),
		"no offsets":          tensor(`"x":{"dtype":"F32","shape":[1]}`),
		"offsets out of file": tensor(`"x":{"dtype":"F32","shape":[1],"data_offsets":[1000,1004]}`),
		"offsets reversed":    tensor(`"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}`),
		"offset negative":     tensor(`"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}`),
		"unknown field":       tensor(`"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}`),
		"field twice":         tensor(`"x":{"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,4]}`),
		"spaced":              tensor(`"x": {"dtype":"F32","shape":[1],"data_offsets":[0,4]}`),
		"same name": pad(start + onesum + " " + onesum + `"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},` +
			`"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`),
		"overlap": pad(start + onesum + " " + onesum + `"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},` +
			`"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`),
		"metadata twice":      pad(strings.TrimSuffix(strings.TrimRight(whole, " "), "}") + `,"__metadata__":{"a":"b"}}`),
		"metadata not text":   pad(start + `","a":1}}`),
		"metadata unsorted":   pad(start + `","b":"","a":""}}`),
		"metadata not UTF-8":  pad(start + "\",\"a\":\"\xff\"}}"),
		"metadata no object":  pad(headerStart + `00000000"},"__metadata__":[]}`),
		"no tensor checksums": pad(headerStart + `00000000"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`),
		"checksum missing":    pad(start + `"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`),
		"checksum too many":   pad(start + onesum + ` 00000000"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`),
		"checksum no hex":     pad(start + `xxxxxxxx"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`),
		"checksum upper case": pad(start + strings.ToUpper(onesum) + `"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`),
		"deep":                tensor(`"x":` + strings.Repeat("[", 1<<20)),
		"deep, unknown field": tensor(`"x":{"y":` + strings.Repeat(`{"y":`, 1<<18)),
		"not ended":           pad(start + `"}`),
		"more after its end":  whole + "{}      ",
		"more spaces":         whole + "        ",
		"not padded":          strings.TrimRight(whole, " "),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		file := sealed(header, zero)
		f, err := read(file)
		runtime.ReadMemStats(&after)
		if f != nil || !input.Is(err) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of input", name, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20+uint64(20*len(file)) {
			t.Errorf("%s: took %d bytes for a file of %d", name, took, len(file))
		}
	}

	plain := `{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  `
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(plain))), plain+"\x00\x00\x00\x00"...)
	if _, err := read(file); !input.Is(err) || !strings.Contains(err.Error(), "another program") {
		t.Errorf("a file without checksums: %v", err)
	}
	file = binary.LittleEndian.AppendUint64(nil, 1<<60)
	if _, err := Read(bytes.NewReader(file), 1<<62); !input.Is(err) {
		t.Errorf("a header of 2^60 bytes: %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		metadata map[string]string
		tensors  []Tensor
	}{
		"shape":        {nil, []Tensor{{"x", []int{2}, make([]float32, 3)}}},
		"negative":     {nil, []Tensor{{"x", []int{-1, -1}, make([]float32, 1)}}},
		"overflow":     {nil, []Tensor{{"x", []int{1 << 30, 1 << 30}, nil}}},
		"names":        {nil, []Tensor{{"x", nil, make([]float32, 1)}, {"x", nil, make([]float32, 1)}}},
		"own key":      {map[string]string{"crc32c": "1"}, nil},
		"own name":     {nil, []Tensor{{"__metadata__", nil, make([]float32, 1)}}},
		"UTF-8":        {map[string]string{"a": "\xff"}, nil},
		"UTF-8 name":   {nil, []Tensor{{"\xff", nil, make([]float32, 1)}}},
		"large header": {map[string]string{"a": strings.Repeat("a", maxHeader)}, nil},
	} {
		var b bytes.Buffer
		if err := Write(&b, test.metadata, test.tensors); err == nil || b.Len() > 0 {
			t.Errorf("%s: no error, %d bytes written", name, b.Len())
		}
	}
	metadata, tensors := tiny()
	full := errors.New("full")
	for n := range bytesOf(t, metadata, tensors) {
		if err := Write(&limited{n, full}, metadata, tensors); err != full {
			t.Errorf("full after %d bytes: %v", n, err)
		}
	}
}

// limited takes n bytes and then fails.
type limited struct {
	n   int
	err error
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.n {
		return l.n, l.err
	}
	l.n -= len(p)
	return len(p), nil
}

func TestReadFile(t *testing.T) {
	metadata, tensors := tiny()
	file := bytesOf(t, metadata, tensors)
	dir := t.TempDir()
	path := filepath.Join(dir, "a.safetensors")
	if _, err := ReadFile(path); !input.Is(err) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := ReadFile(dir); !input.Is(err) {
		t.Errorf("folder: %v", err)
	}
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	if f, err := ReadFile(path); err != nil || !same(f.Tensors, tensors) {
		t.Errorf("%v", err)
	}
	file[len(file)-1]++
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); !input.Is(err) || !strings.HasPrefix(err.Error(), path+`: tensor "last" is damaged`) {
		t.Errorf("damaged: %v", err)
	}
	broken := errors.New("the disk broke")
	if _, err := Read(io.MultiReader(bytes.NewReader(file[:300]), failing{broken}), int64(len(file))); err == nil || input.Is(err) || !errors.Is(err, broken) {
		t.Errorf("a failing disk: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// The buffers do not grow with the data, and nothing is allocated for a value.
func TestWriteAllocates(t *testing.T) {
	tensors := []Tensor{{"x", []int{1 << 20}, make([]float32, 1<<20)}}
	if n := testing.AllocsPerRun(5, func() { Write(io.Discard, nil, tensors) }); n > 50 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRead(f *testing.F) {
	metadata, tensors := tiny()
	f.Add(bytesOf(f, metadata, tensors))
	f.Add(bytesOf(f, nil, nil))
	f.Add(bytesOf(f, nil, []Tensor{{"x", []int{1}, make([]float32, 1)}}))
	f.Add(sealed(headerStart+`00000000","crc32c.tensors":"48674bc7"},"x":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,4]}}`, make([]byte, 4)))
	f.Fuzz(func(t *testing.T, file []byte) {
		// Fuzzing cannot guess a checksum, so the header's is put right to let it get further.
		if len(file) > 8+len(headerStart)+digits && binary.LittleEndian.Uint64(file) <= uint64(len(file)-8) && bytes.HasPrefix(file[8:], []byte(headerStart)) {
			file = slices.Clone(file)
			if n := 8 + binary.LittleEndian.Uint64(file); n >= uint64(8+len(headerStart)+digits) {
				copy(file[8+len(headerStart):], headerSum(file))
			}
		}
		got, err := read(file)
		if err != nil {
			if !input.Is(err) {
				t.Errorf("not an error of input: %v", err)
			}
			return
		}
		if !bytes.Equal(file, bytesOf(t, got.Metadata, got.Tensors)) {
			t.Error("what was read is written differently")
		}
	})
}

func checkpoint() []Tensor {
	var tensors []Tensor
	for i := range 100 {
		tensors = append(tensors, Tensor{fmt.Sprintf("layer_%d/kernel", i), []int{100000}, make([]float32, 100000)})
	}
	return tensors
}

func BenchmarkWrite40MB(b *testing.B) {
	tensors := checkpoint()
	for b.Loop() {
		Write(io.Discard, nil, tensors)
	}
}

func BenchmarkRead40MB(b *testing.B) {
	file := bytesOf(b, nil, checkpoint())
	for b.Loop() {
		if _, err := read(file); err != nil {
			b.Fatal(err)
		}
	}
}
