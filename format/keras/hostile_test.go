package keras

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dcgan/internal/input"
)

// TestDepth reads models within each other as deep as the limit, and refuses deeper ones before they take memory.
func TestDepth(t *testing.T) {
	nested := func(depth int) []byte {
		return []byte(strings.Repeat(`{"class_name": "Sequential", "config": [`, depth) +
			`{"class_name": "Dense", "config": {"name": "d", "units": 1, "batch_input_shape": [null, 2]}}` +
			strings.Repeat(`]}`, depth))
	}
	if a, err := Parse(nested(maxDepth)); err != nil || len(a.Network.Layers) != 1 {
		t.Errorf("%d deep: %v", maxDepth, err)
	}
	for _, depth := range []int{maxDepth + 1, 4000, 1 << 20} {
		text := nested(depth)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Parse(text)
		runtime.ReadMemStats(&after)
		if !input.Is(err) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%d deep: %v", depth, err)
		}
		if most := uint64(4*(maxDepth+1)*len(text) + 1<<20); after.TotalAlloc-before.TotalAlloc > most {
			t.Errorf("%d deep: took %d bytes for a text of %d", depth, after.TotalAlloc-before.TotalAlloc, len(text))
		}
	}
	if _, err := Parse(nested(maxDepth + 1)); err == nil || !strings.Contains(err.Error(), "more than 16 deep") {
		t.Error(err)
	}
}

func files(t testing.TB) [][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/interop/steps/*/discriminator.*")
	if err != nil || len(paths) < 2 {
		t.Fatalf("files of Keras: %v, %v", paths, err)
	}
	var all [][]byte
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, file)
	}
	return all
}

// hostile reads bytes that may be anything.
func hostile(t testing.TB, file []byte) {
	t.Helper()
	n, _, err := Read(file, Plain(network(false).Network))
	if err != nil {
		if !input.Is(err) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q, want an error of input in one line", err)
		}
		return
	}
	for i, tensor := range n.Tensors() {
		if len(n.Weights[i]) != tensor.Shape.Size() || n.M != nil && tensor.Trainable && len(n.M[i]) != tensor.Shape.Size() {
			t.Errorf("%s has %d values", tensor.Name, len(n.Weights[i]))
		}
	}
}

// TestDamage cuts files, and changes bytes of them.
func TestDamage(t *testing.T) {
	all := append(files(t), write(t, "legacy", network(true), seedAdam), write(t, "zip", network(true), seedAdam))
	random := rand.New(rand.NewPCG(3, 4))
	for _, file := range all {
		for range 300 {
			if _, _, err := Read(file[:random.IntN(len(file))]); !input.Is(err) {
				t.Errorf("cut short: %v", err)
			}
			changed := slices.Clone(file)
			changed[random.IntN(len(file))] ^= 1 << random.IntN(8)
			hostile(t, changed)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, file := range files(f) {
		f.Add(file)
	}
	for kind := range writers {
		f.Add(write(f, kind, network(true), seedAdam))
	}
	f.Fuzz(func(t *testing.T, file []byte) { hostile(t, file) })
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(text(config(network(false).Network, keras3))))
	f.Add([]byte(`{"class_name": "Model", "config": {"name": "m", "layers": [{"class_name": "InputLayer", "name": "in", ` +
		`"config": {"batch_input_shape": [null, 2]}, "inbound_nodes": []}, {"class_name": "Sequential", "name": "s", "config": [` +
		`{"class_name": "Dense", "config": {"units": 6, "activation": "relu"}}, {"class_name": "Reshape", "config": {"target_shape": [-1, 2, 1]}}], ` +
		`"inbound_nodes": [[["in", 0, 0, {}]]]}], "output_layers": [["s", 1, 0]]}}`))
	f.Fuzz(func(t *testing.T, json []byte) {
		a, err := Parse(json)
		if err != nil {
			if !input.Is(err) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q, want an error of input in one line", err)
			}
			return
		}
		again, err := Parse([]byte(text(config(a.Network, keras3))))
		if err != nil || !reflect.DeepEqual(again.Network, a.Network) {
			t.Errorf("written and read again: %v", err)
		}
	})
}
