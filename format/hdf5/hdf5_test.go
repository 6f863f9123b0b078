package hdf5

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dcgan/internal/input"
)

// sample is a small file with all that can be written.
func sample() *Group {
	root := &Group{}
	root.Set("long", strings.Repeat("0123456789", 8000)) // above what an object header takes
	root.Set("list", []string{"a", "", "Größe"})
	root.Set("none", []string(nil))
	root.Put("weights/dense/kernel:0", Float32([]int{2, 3}, []float32{1, -2, 3, float32(math.Inf(1)), 5, 6}))
	root.Put("weights/dense/bias:0", Float32([]int{3}, []float32{7, 8, 9}))
	root.Put("nothing", Float32([]int{0, 4}, nil))
	root.Put("one", Float32(nil, []float32{0.5}))
	root.Put("step", Int64(-3))
	root.Make("weights").Set("text", "")
	root.Make("empty")
	return root
}

func encode(t testing.TB, root *Group) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, root); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(t testing.TB, file []byte) *Group {
	t.Helper()
	root, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestRoundTrip(t *testing.T) {
	file := encode(t, sample())
	if !bytes.Equal(file, encode(t, sample())) {
		t.Error("equal groups gave other bytes")
	}
	root := decode(t, file)
	want := sample()
	if got := root.Attribute("long"); got != want.Attribute("long") {
		t.Errorf("the long text came back as %.20v", got)
	}
	if got := root.Attribute("list"); !reflect.DeepEqual(got, want.Attribute("list")) {
		t.Errorf("the list came back as %q", got)
	}
	if got := root.Attribute("none"); !reflect.DeepEqual(got, []string{}) {
		t.Errorf("the empty list came back as %v", got)
	}
	if got := root.Group("weights").Attribute("text"); got != "" {
		t.Errorf("the empty text came back as %v", got)
	}
	for _, path := range []string{"weights/dense/kernel:0", "weights/dense/bias:0", "nothing", "one"} {
		d, w := root.Dataset(path), want.Dataset(path)
		if got, err := d.Float32s(); err != nil || !slices.Equal(got, w.values) || !slices.Equal(d.Shape, w.Shape) {
			t.Errorf("%s came back as %v %v, %v", path, d.Shape, got, err)
		}
	}
	if n, err := root.Dataset("step").Int(); n != -3 || err != nil {
		t.Errorf("the step came back as %d, %v", n, err)
	}
	if root.Group("empty") == nil || root.Group("weights/none") != nil || root.Dataset("weights/dense") != nil || root.Group("step/x") != nil {
		t.Error("members are there that should not be, or are not")
	}
}

// TestManyMembers has more names than one node, and than one tree of the usual size.
func TestManyMembers(t *testing.T) {
	root := &Group{}
	for i := range 700 {
		root.Put(fmt.Sprintf("many/%d", i), Int64(int64(i)))
	}
	got := decode(t, encode(t, root))
	for i := range 700 {
		if n, err := got.Dataset(fmt.Sprintf("many/%d", i)).Int(); n != i || err != nil {
			t.Fatalf("%d came back as %d, %v", i, n, err)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	with := func(change func(g *Group)) *Group {
		g := &Group{}
		change(g)
		return g
	}
	for name, root := range map[string]*Group{
		"empty name":      with(func(g *Group) { g.Members = []Member{{Group: &Group{}}} }),
		"slash":           with(func(g *Group) { g.Members = []Member{{Name: "a/b", Group: &Group{}}} }),
		"zero":            with(func(g *Group) { g.Put("a\x00", Int64(1)) }),
		"twice":           with(func(g *Group) { g.Put("a", Int64(1)); g.Put("a", Int64(1)) }),
		"attribute twice": with(func(g *Group) { g.Set("a", ""); g.Set("a", "") }),
		"long list":       with(func(g *Group) { g.Set("a", []string{strings.Repeat("x", 40000), "y"}) }),
		"shape":           with(func(g *Group) { g.Put("a", Float32([]int{2}, make([]float32, 3))) }),
		"negative":        with(func(g *Group) { g.Put("a", Float32([]int{-1, -1}, make([]float32, 1))) }),
		"overflow":        with(func(g *Group) { g.Put("a", Float32([]int{1 << 31, 1 << 31, 4}, nil)) }),
	} {
		var b bytes.Buffer
		if err := Write(&b, root); err == nil || b.Len() > 0 {
			t.Errorf("%s: no error, %d bytes written", name, b.Len())
		}
	}
	full := errors.New("full")
	for n := range len(encode(t, sample())) {
		if n%97 == 0 {
			if err := Write(&limited{n, full}, sample()); err != full {
				t.Errorf("full after %d bytes: %v", n, err)
			}
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

// visit asks for all that a file has.
func visit(g *Group) {
	for _, m := range g.Members {
		if m.Group != nil {
			visit(m.Group)
			continue
		}
		m.Dataset.Float32s()
		m.Dataset.Int()
	}
}

// hostile reads bytes that may be anything: an error is one of input in one line, and no more memory is taken than a few
// times the size.
func hostile(t testing.TB, what string, file []byte) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	root, err := Read(file)
	if err == nil {
		visit(root)
	} else if !input.Is(err) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: %v, want an error of input in one line", what, err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20+uint64(64*len(file)) {
		t.Errorf("%s: took %d bytes for a file of %d", what, took, len(file))
	}
}

// TestEveryByte cuts a file everywhere, and puts other values in the place of every byte and every word.
func TestEveryByte(t *testing.T) {
	root := &Group{}
	root.Set("list", []string{"a", "b"})
	root.Set("text", "abc")
	root.Put("g/x", Float32([]int{2}, []float32{1, 2}))
	root.Put("n", Int64(1))
	file := encode(t, root)
	for n := range file {
		if _, err := Read(file[:n]); !input.Is(err) {
			t.Fatalf("the first %d of %d bytes: %v", n, len(file), err)
		}
		if n >= len(file)-4000 && n%16 > 0 {
			continue // mostly what is free of the global heap
		}
		for _, v := range []byte{0, 0xff, file[n] ^ 1, file[n] + 8} {
			changed := slices.Clone(file)
			changed[n] = v
			hostile(t, fmt.Sprintf("byte %d is %d", n, v), changed)
		}
	}
	addresses := []uint64{0, 8, math.MaxUint64, 1 << 60, 1 << 63, uint64(len(file)), uint64(len(file)) - 8}
	for at := 0; at < len(file)-8; at += 8 { // every structure in the place of every other
		if !bytes.Equal(file[at:at+8], make([]byte, 8)) {
			addresses = append(addresses, uint64(at))
		}
	}
	for at := 0; at < len(file)-8; at += 8 {
		if bytes.Equal(file[at:at+8], make([]byte, 8)) {
			continue // what is not in use
		}
		for _, v := range addresses {
			changed := slices.Clone(file)
			binary.LittleEndian.PutUint64(changed[at:], v)
			hostile(t, fmt.Sprintf("word %d is %d", at, v), changed)
		}
	}
}

// TestKeras reads files that Keras wrote.
func TestKeras(t *testing.T) {
	for _, path := range kerasFiles(t) {
		file, err := ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		root := decode(t, file)
		names, _ := root.Group("model_weights").Attribute("layer_names").([]string)
		config, _ := root.Attribute("model_config").(string)
		if len(names) == 0 || !strings.HasPrefix(config, "{") {
			t.Errorf("%s: layers %q, config %.20q", path, names, config)
		}
		if again := decode(t, encode(t, root)); !reflect.DeepEqual(again.Attributes, root.Attributes) {
			t.Errorf("%s: written and read again, its attributes differ", path)
		}
	}
}

func kerasFiles(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/interop/steps/*/*.h5")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files of Keras: %v", err)
	}
	return paths
}

func FuzzRead(f *testing.F) {
	f.Add(encode(f, sample()))
	f.Add(encode(f, &Group{}))
	for _, path := range kerasFiles(f) {
		file, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) { hostile(t, "fuzzed", file) })
}
