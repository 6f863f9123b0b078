package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dcgan/internal/input"
)

func write(t testing.TB, shape []int, data []float32) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, shape, data); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// file makes a file with any header.
func file(version byte, dictionary string, data []byte) []byte {
	f := append([]byte(magic), version, 0)
	if version == 1 {
		f = binary.LittleEndian.AppendUint16(f, uint16(len(dictionary)))
	} else {
		f = binary.LittleEndian.AppendUint32(f, uint32(len(dictionary)))
	}
	return append(append(f, dictionary...), data...)
}

func TestRoundTrip(t *testing.T) {
	for _, shape := range [][]int{{}, {1}, {5}, {2, 3}, {0, 7}, {4, 5, 6, 1}, {3, 17001}, slices.Repeat([]int{1}, maxRank)} {
		n := 1
		for _, size := range shape {
			n *= size
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(i) - 1.5
		}
		if n > 2 {
			data[0], data[1] = float32(math.Inf(-1)), math.SmallestNonzeroFloat32
		}
		f := write(t, shape, data)
		if (len(f)-4*n)%align != 0 {
			t.Errorf("%v: the values begin at %d", shape, len(f)-4*n)
		}
		gotShape, got, err := Read(bytes.NewReader(f))
		if err != nil || !slices.Equal(gotShape, shape) || !slices.Equal(got, data) {
			t.Errorf("%v: got %v, %v", shape, gotShape, err)
		}
	}
}

// What numpy 2.4 saves, byte for byte.
func TestNumpyBytes(t *testing.T) {
	for _, test := range []struct {
		shape []int
		tuple string
	}{{[]int{}, "()"}, {[]int{3}, "(3,)"}, {[]int{2, 1}, "(2, 1)"}, {[]int{1, 2, 3, 4}, "(1, 2, 3, 4)"}} {
		n, _ := values(test.shape)
		dictionary := "{'descr': '<f4', 'fortran_order': False, 'shape': " + test.tuple + ", }"
		want := "\x93NUMPY\x01\x00v\x00" + dictionary + strings.Repeat(" ", 117-len(dictionary)) + "\n" + strings.Repeat("\x00\x00\x80?", n)
		ones := slices.Repeat([]float32{1}, n)
		if got := write(t, test.shape, ones); string(got) != want {
			t.Errorf("%v\ngot  %q\nwant %q", test.shape, got, want)
		}
	}
}

func TestReadVariants(t *testing.T) {
	f4 := []byte{0, 0, 128, 63, 0, 0, 0, 192}
	var f8 []byte
	for _, v := range []float64{1, -2} {
		f8 = binary.LittleEndian.AppendUint64(f8, math.Float64bits(v))
	}
	for name, f := range map[string][]byte{
		"version 1":    file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }   \n", f4),
		"version 2":    file(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", f4),
		"version 3":    file(3, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", f4),
		"float64":      file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n", f8),
		"other order":  file(1, `{"shape":(2),"fortran_order":False,"descr":"<f4"}`, f4),
		"many newline": file(1, "{ 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 2 , ) }\n\n", f4),
	} {
		shape, data, err := Read(bytes.NewReader(f))
		if err != nil || !slices.Equal(shape, []int{2}) || !slices.Equal(data, []float32{1, -2}) {
			t.Errorf("%s: %v %v, %v", name, shape, data, err)
		}
	}
	large := make([]byte, 8*20000) // more than a chunk
	binary.LittleEndian.PutUint64(large[8*19999:], math.Float64bits(0.1))
	_, data, err := Read(bytes.NewReader(file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (20000,)}", large)))
	if err != nil || len(data) != 20000 || data[19999] != 0.1 {
		t.Errorf("large float64: %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"
	data := make([]byte, 8)
	shape := func(s string) []byte { return file(1, strings.Replace(good, "(2,)", s, 1), data) }
	whole := file(1, good, data)
	if _, _, err := Read(bytes.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, _, err := Read(bytes.NewReader(whole[:n])); !input.Is(err) || !strings.Contains(err.Error(), "cut short") {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	for name, f := range map[string][]byte{
		"too long":        append(slices.Clone(whole), 0),
		"no magic":        []byte("P5 28 28 255 and more bytes"),
		"version 4":       file(4, good, data),
		"header 4 GiB":    append([]byte(magic), 2, 0, 255, 255, 255, 255, '{'),
		"Fortran":         file(1, strings.Replace(good, "False", "True", 1), data),
		"big-endian":      file(1, strings.Replace(good, "<f4", ">f4", 1), data),
		"integers":        file(1, strings.Replace(good, "<f4", "<i4", 1), data),
		"objects":         file(1, strings.Replace(good, "<f4", "|O", 1), data),
		"records":         file(1, strings.Replace(good, "'<f4'", "[('a', '<f4')]", 1), data),
		"truth":           file(1, strings.Replace(good, "False", "None", 1), data),
		"2^60 values":     shape("(1152921504606846976,)"),
		"2^120 values":    shape("(1152921504606846976, 1152921504606846976)"),
		"2^64 values":     shape("(4294967296, 4294967296)"),
		"2^30 values":     shape("(1073741824,)"),
		"beyond int64":    shape("(99999999999999999999,)"),
		"negative":        shape("(-2,)"),
		"fraction":        shape("(2.0,)"),
		"nested":          shape("((2,),)"),
		"no tuple":        shape("2"),
		"open tuple":      shape("(2"),
		"shape of commas": shape("(,)"),
		"65 dimensions":   shape("(" + strings.Repeat("1,", maxRank+1) + ")"),
		"no header":       file(1, "", data),
		"empty":           file(1, "{}", data),
		"not ended":       file(1, strings.TrimSuffix(good, "}"), data),
		"more":            file(1, good+"{}", data),
		"key twice":       file(1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", data),
		"unknown key":     file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'a': 1}", data),
		"key missing":     file(1, "{'descr': '<f4', 'shape': (2,)}", data),
		"open string":     file(1, "{'descr", data),
		"deep":            file(1, strings.Repeat("{", 60000), data),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := Read(bytes.NewReader(f))
		runtime.ReadMemStats(&after)
		if !input.Is(err) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 600 {
			t.Errorf("%s: %v, want an error of input in one line", name, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
			t.Errorf("%s: took %d bytes", name, took)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	for _, test := range []struct {
		shape []int
		n     int
	}{{[]int{2}, 3}, {[]int{-1, -1}, 1}, {[]int{1 << 30, 1 << 30}, 0}, {slices.Repeat([]int{1}, maxRank+1), 1}} {
		var b bytes.Buffer
		if err := Write(&b, test.shape, make([]float32, test.n)); err == nil || b.Len() > 0 {
			t.Errorf("%v with %d values: no error", test.shape, test.n)
		}
	}
}

func TestFailingDisk(t *testing.T) {
	broken := errors.New("the disk broke")
	if _, _, err := Read(failing{broken}); !errors.Is(err, broken) || input.Is(err) {
		t.Errorf("read: %v", err)
	}
	if err := Write(failing{broken}, []int{1}, []float32{1}); !errors.Is(err, broken) {
		t.Errorf("write: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func FuzzRead(f *testing.F) {
	f.Add(write(f, []int{2, 3}, make([]float32, 6)))
	f.Add(write(f, []int{}, make([]float32, 1)))
	f.Add(file(2, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", make([]byte, 8)))
	f.Add(file(3, `{"shape":(0, 2),"fortran_order":True,"descr":"<f4"}`, nil))
	f.Add(file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1152921504606846976, 16), }", nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		shape, got, err := Read(bytes.NewReader(data))
		if err != nil {
			if !input.Is(err) {
				t.Errorf("not an error of input: %v", err)
			}
			return
		}
		again, back, err := Read(bytes.NewReader(write(t, shape, got)))
		same := slices.EqualFunc(got, back, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
		if err != nil || !slices.Equal(shape, again) || !same {
			t.Errorf("%v came back as %v, %v", shape, again, err)
		}
	})
}

func ExampleWrite() {
	var b bytes.Buffer
	if err := Write(&b, []int{1, 3}, []float32{1, 2, 3}); err != nil {
		panic(err)
	}
	shape, data, err := Read(&b)
	fmt.Println(shape, data, err)
	// Output: [1 3] [1 2 3] <nil>
}
