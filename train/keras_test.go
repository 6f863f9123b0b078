package train

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/exchange"
	"dcgan/internal/engine"
	"dcgan/internal/golden"
	"dcgan/internal/kernel"
)

// TestKerasFiles goes on with discriminators that Keras saved, with the optimizer of the file, and makes the three steps
// that Keras made from there: losses, and the weights afterwards. More of them than are kept here can be named in
// DCGAN_KERAS_STEPS, a folder that testdata/interop/keras_steps.py wrote.
func TestKerasFiles(t *testing.T) {
	folders := []string{"../testdata/interop/steps"}
	if more := os.Getenv("DCGAN_KERAS_STEPS"); more != "" {
		folders = append(folders, more)
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*", "discriminator.*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", folder, err)
		}
		for _, file := range files {
			t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) { replayFile(t, file) })
		}
	}
}

func replayFile(t *testing.T, path string) {
	want := golden.Arrays(t, filepath.Join(filepath.Dir(path), "steps.npz"))
	m, err := exchange.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	d := m.Discriminator
	if d.M == nil || d.Iteration != 2 {
		t.Fatalf("Adam's state at step %d was not taken: %s", d.Iteration, d.Anew)
	}
	c := config.Default()
	c.Batch, c.GFilters = len(want["targets_1"]), []int{1, 1, 1, 1}
	if strings.HasSuffix(path, ".keras") { // which Keras leaves the optimizer's settings out of
		c.Decay = 0
	} else {
		text, err := json.Marshal(m.Settings)
		if err == nil {
			_, err = c.Merge(text)
		}
		if err != nil || c.Decay != 1e-3 {
			t.Fatalf("settings %s: %v", text, err)
		}
	}
	g, _, err := arch.Seed(c)
	if err != nil {
		t.Fatal(err)
	}
	set, err := kernel.Choose()
	if err != nil {
		t.Fatal(err)
	}
	pool := engine.NewPool(2)
	defer pool.Close()
	trainer, err := New(c, g, d.Network, nil, set, pool)
	if err != nil {
		t.Fatal(err)
	}
	trainer.Begin(nil, d)
	differences := worst{}
	for step := 1; step <= 3; step++ {
		copy(trainer.images, want[fmt.Sprintf("images_%d", step)])
		copy(trainer.targets, want[fmt.Sprintf("targets_%d", step)])
		loss := trainer.teachD().DLoss
		differences.check(t, "loss", fmt.Sprint("step ", step), math.Abs(loss-float64(want[fmt.Sprintf("loss_%d", step)][0])), 1e-5)
	}
	moved := 0.0
	for i, tensor := range trainer.Discriminator.Tensors {
		limit, kind := 1e-5, "weights"
		values, ok := want[fmt.Sprintf("weight_%d", i)]
		if !ok { // a bias that no gradient but rounding's moves
			values, limit, kind = want[fmt.Sprintf("free_%d", i)], 6*c.LR, "biases without a gradient"
		}
		if len(values) != len(tensor.Data) {
			t.Fatalf("%s has %d values, Keras has %d", tensor.Name, len(tensor.Data), len(values))
		}
		_, largest := golden.Distance(tensor.Data, values)
		differences.check(t, kind, tensor.Name, largest, limit)
		_, by := golden.Distance(d.Weights[i], values)
		moved = max(moved, by)
	}
	if moved < c.LR {
		t.Errorf("the weights moved by %g alone", moved)
	}
	for kind, difference := range differences {
		t.Logf("largest difference of %s: %.2g", kind, difference)
	}
}
