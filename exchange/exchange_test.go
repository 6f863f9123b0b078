package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/format/safetensors"
	"dcgan/internal/input"
	"dcgan/model"
)

// small returns a pair of small networks with all classes of layers, weights of many bit patterns among them.
func small(t testing.TB) *model.Model {
	t.Helper()
	norm := arch.Layer{Class: arch.BatchNormalization, Momentum: 0.9, Epsilon: 1e-3}
	g := arch.Network{Name: "generator", Input: arch.Shape{3}, Layers: []arch.Layer{
		{Class: arch.Dense, Units: 12}, norm, {Class: arch.Activation, Function: arch.ReLU},
		{Class: arch.Reshape, Target: arch.Shape{2, 3, 2}},
		{Class: arch.Conv2DTranspose, Filters: 3, Kernel: 3, Strides: 2}, norm, {Class: arch.LeakyReLU, NegativeSlope: 0.1},
		{Class: arch.Conv2DTranspose, Filters: 2, Kernel: 2, Strides: 1}, {Class: arch.Activation, Function: arch.Tanh},
	}}
	d := arch.Network{Name: "discriminator", Input: g.Output(), Layers: []arch.Layer{
		{Class: arch.Conv2D, Filters: 3, Kernel: 3, Strides: 2}, {Class: arch.LeakyReLU, NegativeSlope: 0.2},
		{Class: arch.Dropout, Rate: 0.4}, {Class: arch.Flatten}, norm, {Class: arch.Dense, Units: 1},
		{Class: arch.Activation, Function: arch.Sigmoid},
	}}
	m := &model.Model{Generator: random(t, g), Discriminator: random(t, d), Step: 7, Settings: map[string]json.RawMessage{
		"noise": json.RawMessage(`"-0.5:0.25"`), "lr": json.RawMessage(`0.0002`),
	}}
	copy(m.Generator.Weights[0], []float32{
		float32(math.Copysign(0, -1)), float32(math.Inf(1)), math.Float32frombits(0x7fc12345), math.SmallestNonzeroFloat32,
	})
	return m
}

func random(t testing.TB, a arch.Network) *model.Network {
	t.Helper()
	if _, err := a.Shapes(); err != nil {
		t.Fatal(err)
	}
	values := rand.New(rand.NewPCG(1, 2))
	n := &model.Network{Network: a}
	for _, tensor := range a.Tensors() {
		data := make([]float32, tensor.Shape.Size())
		for i := range data {
			data[i] = float32(values.NormFloat64())
		}
		n.Weights = append(n.Weights, data)
	}
	return n
}

func format(t testing.TB, name string) Format {
	t.Helper()
	for _, f := range Formats {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no format %s", name)
	return Format{}
}

func encode(t testing.TB, f Format, n *model.Network, m *model.Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, n, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// file puts bytes into a file whose name tells nothing.
func file(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func bits(weights [][]float32) [][]uint32 {
	all := make([][]uint32, len(weights))
	for i, data := range weights {
		for _, v := range data {
			all[i] = append(all[i], math.Float32bits(v))
		}
	}
	return all
}

// TestRoundTrip has every format give back the same network, weights, settings and step, and the same bytes when it is
// written again.
func TestRoundTrip(t *testing.T) {
	m := small(t)
	for _, f := range Formats {
		for _, n := range m.Networks() {
			t.Run(f.Name+" "+n.Name, func(t *testing.T) {
				written := encode(t, f, n, m)
				got, err := Read(file(t, written))
				if err != nil {
					t.Fatal(err)
				}
				back := got.Networks()
				if len(back) != 1 || (got.Generator != nil) != (n == m.Generator) {
					t.Fatalf("holds %d networks", len(back))
				}
				if !reflect.DeepEqual(back[0].Network, n.Network) || !reflect.DeepEqual(bits(back[0].Weights), bits(n.Weights)) {
					t.Error("another network came back")
				}
				if !bytes.Equal(encode(t, f, back[0], got), written) {
					t.Error("written again, it differs")
				}
				if foreign := f.Ending == ".h5" || f.Ending == ".keras"; foreign != got.Foreign {
					t.Errorf("foreign: %v", got.Foreign)
				} else if foreign { // Keras' files have no place for them
					return
				}
				if got.Step != m.Step || !reflect.DeepEqual(got.Settings, m.Settings) {
					t.Errorf("step %d and settings %s came back", got.Step, got.Settings)
				}
			})
		}
	}
}

// TestDamage cuts a file of every format at each byte, and changes each: all are errors of input in one line.
func TestDamage(t *testing.T) {
	n := random(t, arch.Network{Name: "d", Input: arch.Shape{2, 2, 1}, Layers: []arch.Layer{
		{Class: arch.Conv2D, Filters: 1, Kernel: 2, Strides: 2}, {Class: arch.Flatten}, {Class: arch.Dense, Units: 1},
	}})
	m := &model.Model{Discriminator: n, Step: 3, Settings: map[string]json.RawMessage{"lr": json.RawMessage("0.1")}}
	for _, f := range Formats {
		if f.Ending == ".h5" || f.Ending == ".keras" {
			continue // HDF5 has no checksums; tests of format/keras damage its files
		}
		path := file(t, nil)
		refuse := func(data []byte, what string) {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(path); !input.Is(err) || !strings.HasPrefix(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%s, %s: %v", f.Name, what, err)
			}
		}
		whole := encode(t, f, n, m)
		for n := range whole {
			refuse(whole[:n], fmt.Sprintf("cut at %d", n))
			changed := slices.Clone(whole)
			changed[n] ^= 1 << (n % 8)
			refuse(changed, fmt.Sprintf("byte %d changed", n))
		}
		refuse(append(slices.Clone(whole), 0), "a byte more")
	}
}

// TestForeign names files that are none of ours.
func TestForeign(t *testing.T) {
	var plain bytes.Buffer // safetensors with checksums, but not of an export or a checkpoint
	if err := safetensors.Write(&plain, map[string]string{"a": "b"}, nil); err != nil {
		t.Fatal(err)
	}
	const other = `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  `
	for name, test := range map[string]struct{ data, says string }{
		"empty":                   {"", "is neither a checkpoint nor"},
		"short":                   {"abc", "is neither"},
		"a picture":               {"\x89PNG\r\n\x1a\n" + strings.Repeat("x", 100), "is neither"},
		"text":                    {strings.Repeat("some text\n", 10), "is neither"},
		"another's safetensors":   {"\x38\x00\x00\x00\x00\x00\x00\x00" + other + "\x00\x00\x80\x3f", "was written by another program"},
		"no export":               {plain.String(), "no checkpoint of this program"},
		"another's ONNX":          {"\x08\x08\x12\x07pytorch\x3a\x00\x42\x02\x10\x11", "is an ONNX model that another program wrote"},
		"ONNX without a graph":    {"\x08\x08\x12\x07pytorch", "no graph"},
		"ONNX with a broken end":  {"\x08\x08\x12\x07pytorch\x3a\x7f", "is not an ONNX model, or is damaged"},
		"ONNX of a later version": {"\x08\x08\x3a\x00\x72\x13\x0a\x0eexport_version\x12\x01\x39", `version "9"`},
	} {
		if _, err := Read(file(t, []byte(test.data))); !input.Is(err) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
	for path, says := range map[string]string{filepath.Join(t.TempDir(), "missing"): "not exist", t.TempDir(): "is not a file"} {
		if _, err := Read(path); !input.Is(err) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", path, err, says)
		}
	}
}

// TestPermute turns a small array, and turns arrays back.
func TestPermute(t *testing.T) {
	got := permute([]float32{0, 1, 2, 3, 4, 5}, []int{1, 2, 3}, []int{2, 0, 1})
	if want := []float32{0, 3, 1, 4, 2, 5}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	data := make([]float32, 2*3*4*5)
	for i := range data {
		data[i] = float32(i)
	}
	sizes := []int{2, 3, 4, 5}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 0, 1}, {1, 3, 0, 2}} {
		there := permute(data, sizes, order)
		back := permute(there, permuted(sizes, order), inverse(order))
		if !slices.Equal(back, data) {
			t.Errorf("%v does not turn back", order)
		}
	}
}

// TestVectorsInPyTorchsOrder has what touches a vector that becomes an image of 1×2×3, or was one, go by C, H, W.
func TestVectorsInPyTorchsOrder(t *testing.T) {
	n := &model.Network{Network: arch.Network{Name: "generator", Input: arch.Shape{2}, Layers: []arch.Layer{
		{Class: arch.Dense, Units: 6}, {Class: arch.BatchNormalization, Momentum: 0.9, Epsilon: 1e-3},
		{Class: arch.Reshape, Target: arch.Shape{1, 2, 3}}, {Class: arch.Flatten}, {Class: arch.Dense, Units: 6},
		{Class: arch.Reshape, Target: arch.Shape{1, 6, 1}},
	}}}
	ramp := func(n int) []float32 {
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(i)
		}
		return data
	}
	n.Weights = [][]float32{ramp(12), ramp(6), ramp(6), ramp(6), ramp(6), ramp(6), ramp(36), ramp(6)}
	written := encode(t, format(t, "safetensors"), n, &model.Model{})
	got, err := safetensors.Read(bytes.NewReader(written), int64(len(written)))
	if err != nil {
		t.Fatal(err)
	}
	data := map[string][]float32{}
	for _, tensor := range got.Tensors {
		data[tensor.Name] = tensor.Data
	}
	turned := []float32{0, 3, 1, 4, 2, 5} // C, H, W of 1×2×3
	for _, name := range []string{"dense.bias", "batch_normalization.weight", "batch_normalization.bias",
		"batch_normalization.running_mean", "batch_normalization.running_var"} {
		if !slices.Equal(data[name], turned) {
			t.Errorf("%s is %v", name, data[name])
		}
	}
	if want := []float32{0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11}; !slices.Equal(data["dense.weight"], want) {
		t.Errorf("dense.weight is %v", data["dense.weight"])
	}
	if want := []float32{0, 18, 6, 24, 12, 30}; !slices.Equal(data["dense_1.weight"][:6], want) { // first output, all inputs
		t.Errorf("dense_1.weight begins with %v", data["dense_1.weight"][:6])
	}
	if !slices.Equal(data["dense_1.bias"], ramp(6)) {
		t.Errorf("dense_1.bias is %v", data["dense_1.bias"])
	}
}

// TestNotForPyTorch lists networks whose vectors have no one order, and those that only look so.
func TestNotForPyTorch(t *testing.T) {
	image := arch.Shape{2, 3, 4}
	reshape := func(target ...int) arch.Layer { return arch.Layer{Class: arch.Reshape, Target: target} }
	flatten, dense := arch.Layer{Class: arch.Flatten}, arch.Layer{Class: arch.Dense, Units: 24}
	for _, test := range []struct {
		input  arch.Shape
		layers []arch.Layer
		fits   bool
	}{
		{image, []arch.Layer{flatten, reshape(3, 2, 4)}, false},
		{image, []arch.Layer{flatten, reshape(2, 3, 4)}, true},
		{image, []arch.Layer{flatten}, false},
		{image, []arch.Layer{flatten, dense}, true},
		{image, []arch.Layer{reshape(4, 3, 2)}, false},
		{image, []arch.Layer{reshape(24)}, false},
		{image, []arch.Layer{reshape(24, 1, 1)}, false},
		{arch.Shape{6, 4, 1}, []arch.Layer{reshape(4, 6, 1)}, true},
		{arch.Shape{1, 1, 24}, []arch.Layer{flatten, reshape(4, 6, 1)}, true},
		{arch.Shape{24}, []arch.Layer{reshape(2, 3, 4)}, false},
		{arch.Shape{24}, []arch.Layer{reshape(2, 12, 1)}, true},
		{arch.Shape{24}, []arch.Layer{dense, reshape(2, 3, 4)}, true},
		{arch.Shape{24}, []arch.Layer{dense, flatten, dense, reshape(2, 3, 4), flatten, dense}, true},
	} {
		n := arch.Network{Name: "net", Input: test.input, Layers: test.layers}
		if _, err := torchLayout(n); (err == nil) != test.fits || err != nil && (!input.Is(err) || !strings.Contains(err.Error(), "layer")) {
			t.Errorf("%v, %+v: %v", test.input, test.layers, err)
		}
	}
}

// TestNoRole refuses networks that neither draw nor judge.
func TestNoRole(t *testing.T) {
	n := random(t, arch.Network{Name: "net", Input: arch.Shape{2}, Layers: []arch.Layer{{Class: arch.Dense, Units: 2}}})
	for _, f := range Formats {
		var b bytes.Buffer
		if err := f.Write(&b, n, &model.Model{}); !input.Is(err) || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", f.Name, err, b.Len())
		}
	}
}
