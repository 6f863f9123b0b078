package train

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/internal/engine"
	"dcgan/internal/golden"
	"dcgan/internal/kernel"
)

const keras = "../testdata/keras"

// table is testdata/keras/seed.json.
type table struct {
	Batch, Steps int
	Cases        []struct {
		File  string
		Decay float64
	}
	Sample          struct{ Limit, Stride int }
	Weights, Inputs []golden.Entry
	Dropout         []golden.Entry
	ZeroGradients   []string `json:"zero_gradients"`
}

// sampled returns the index in a tensor of each element that the golden file has.
func (t *table) sampled(size int) []int {
	var index []int
	for i := range min(size, t.Sample.Limit) {
		if size <= t.Sample.Limit {
			index = append(index, i)
		} else {
			index = append(index, i*t.Sample.Stride%size)
		}
	}
	return index
}

func pick(from []float32, index []int) []float32 {
	values := make([]float32, len(index))
	for i, at := range index {
		values[i] = from[at]
	}
	return values
}

// replay is a training whose every number comes by formula.
type replay struct {
	*Trainer
	table   *table
	tensors map[string]*engine.Tensor
}

func newReplay(t *testing.T, tab *table, decay float64, set *kernel.Set, threads int) replay {
	c := config.Default()
	c.Batch, c.Decay = tab.Batch, decay
	g, d, err := arch.Seed(c)
	if err != nil {
		t.Fatal(err)
	}
	pool := engine.NewPool(threads)
	t.Cleanup(pool.Close)
	trainer, err := New(c, g, d, nil, set, pool)
	if err != nil {
		t.Fatal(err)
	}
	r := replay{trainer, tab, map[string]*engine.Tensor{}}
	for name, n := range map[string]*engine.Network{"generator.": trainer.Generator, "discriminator.": trainer.Discriminator} {
		for _, tensor := range n.Tensors {
			r.tensors[name+tensor.Tensor.Name] = tensor
		}
	}
	for _, w := range tab.Weights {
		tensor, ok := r.tensors[w.Name]
		if !ok || !slices.Equal(tensor.Shape, w.Shape) {
			t.Fatalf("Keras has %s of %v", w.Name, w.Shape)
		}
		w.Fill(tensor.Data)
	}
	if len(tab.Weights) != len(r.tensors) {
		t.Fatalf("Keras has %d tensors, we %d", len(tab.Weights), len(r.tensors))
	}
	trainer.Generator.Load()
	trainer.Discriminator.Load()
	return r
}

func (r replay) fill(dst []float32, name string) {
	for _, e := range r.table.Inputs {
		if e.Name == name {
			e.Fill(dst)
			return
		}
	}
	panic(name)
}

func (r replay) masks(prefix string) {
	for layer := range 4 {
		masks, words, size := r.Discriminator.Masks(layer)
		clear(masks)
		for _, e := range r.table.Dropout {
			if e.Name != fmt.Sprintf("%s_%d", prefix, layer) {
				continue
			}
			for i := range e.Size() {
				if e.Keep(i) {
					masks[i/size*words+i%size/64] |= 1 << (i % size % 64)
				}
			}
		}
	}
}

func (r replay) infer() (images, logits []float32) {
	latents := make([]float32, r.table.Batch*r.config.Latent+kernel.Slack)
	r.fill(latents, "inference/latents")
	images = slices.Clone(r.Generator.Forward(latents, r.table.Batch, engine.Inference))
	padded := append(slices.Clone(images), make([]float32, kernel.Slack)...)
	return images, slices.Clone(r.Discriminator.Forward(padded, r.table.Batch, engine.Inference))
}

// worst keeps the largest difference of each kind, to be printed.
type worst map[string]float64

func (w worst) check(t *testing.T, kind, name string, difference, limit float64) {
	t.Helper()
	w[kind] = max(w[kind], difference)
	if !(difference <= limit) {
		t.Errorf("%s: %s differs by %.3g, the limit is %g", name, kind, difference, limit)
	}
}

// TestKerasSteps replays three whole steps of Keras: losses, accuracies, every tensor's gradient, and afterwards the
// weights, the moving statistics and what both networks compute.
//
// A bias in front of a batch normalisation has no influence, so its exact gradient is 0, and what either program computes
// there is its own rounding; Adam, which divides by the gradient's size, makes steps of up to the learning rate of it. So
// these biases are only held to that: gradients near 0, and weights within three steps' reach.
func TestKerasSteps(t *testing.T) {
	var tab table
	golden.JSON(t, filepath.Join(keras, "seed.json"), &tab)
	for _, c := range tab.Cases {
		for i := range kernel.Variants {
			set := &kernel.Variants[i]
			if set.Name == "generic" && (testing.Short() || len(kernel.Variants) > 1 && c.Decay != tab.Cases[0].Decay) {
				continue // slow, and equal in bits to the others by tests of its own
			}
			t.Run(c.File+"/"+set.Name, func(t *testing.T) {
				differences := worst{}
				replaySteps(t, &tab, newReplay(t, &tab, c.Decay, set, 2), golden.Arrays(t, filepath.Join(keras, c.File)), differences)
				for _, kind := range slices.Sorted(func(yield func(string) bool) {
					for k := range differences {
						if !yield(k) {
							return
						}
					}
				}) {
					t.Logf("largest difference of %s: %.2g", kind, differences[kind])
				}
			})
		}
	}
}

func replaySteps(t *testing.T, tab *table, r replay, want map[string][]float32, differences worst) {
	equal := func(name string, got, limit float64) {
		t.Helper()
		w := float64(want[name][0])
		differences.check(t, "loss, relative", name, math.Abs(got-w)/math.Abs(w), limit)
	}
	same := func(name string, got float64) {
		t.Helper()
		if got != float64(want[name][0]) {
			t.Errorf("%s is %g, Keras has %g", name, got, want[name][0])
		}
	}
	output := func(name string, got []float32) {
		t.Helper()
		_, largest := golden.Distance(got, want[name])
		differences.check(t, "outputs, absolute", name, largest, 1e-5)
	}
	gradients := func(at, network string) {
		for name, tensor := range r.tensors {
			if !tensor.Trainable || !strings.HasPrefix(name, network) {
				continue
			}
			got := pick(tensor.Grad, tab.sampled(len(tensor.Grad)))
			relative, largest := golden.Distance(got, want[at+"/gradient/"+name])
			if slices.Contains(tab.ZeroGradients, name) {
				differences.check(t, "gradients that are exactly 0, absolute", at+" "+name, largest, 1e-6)
				continue
			}
			differences.check(t, "gradients, relative L2", at+" "+name, relative, 1e-4)
			var square float64
			for _, g := range tensor.Grad {
				square += float64(g) * float64(g)
			}
			norm := float64(want[at+"/gradient_norm/"+name][0])
			differences.check(t, "norms of gradients, relative", at+" "+name, math.Abs(math.Sqrt(square)-norm)/norm, 1e-4)
		}
	}
	images, logits := r.infer()
	output("initial/images", images)
	output("initial/logits", logits)
	half := tab.Batch / 2
	for step := 1; step <= tab.Steps; step++ {
		at := fmt.Sprintf("step_%d", step)
		r.fill(r.images, at+"/d_images_real")
		r.fill(r.latents, at+"/d_latents")
		r.fill(r.targets, at+"/d_labels_real")
		r.fill(r.targets[half:], at+"/d_labels_fake")
		r.masks(at + "/d_dropout")
		m := r.learnD()
		output(at+"/d_images_fake", r.images[half*r.values:tab.Batch*r.values])
		equal(at+"/d_loss", m.DLoss, 1e-5)
		same(at+"/d_accuracy_real", m.DAccuracyReal)
		same(at+"/d_accuracy_fake", m.DAccuracyFake)
		gradients(at, "discriminator.")

		r.fill(r.latents, at+"/g_latents")
		r.fill(r.targets, at+"/g_labels")
		r.masks(at + "/g_dropout")
		loss, accuracy := r.learnG()
		output(at+"/g_images", r.images[:tab.Batch*r.values])
		equal(at+"/g_loss", loss, 1e-5)
		same(at+"/g_accuracy", accuracy)
		gradients(at, "generator.")
	}
	for name, tensor := range r.tensors {
		if !tensor.Trainable {
			_, largest := golden.Distance(tensor.Data, want["final/"+name])
			differences.check(t, "moving statistics, absolute", name, largest, 1e-5)
			continue
		}
		limit, kind := 5e-6, "weights, absolute"
		if slices.Contains(tab.ZeroGradients, name) {
			limit, kind = float64(2*tab.Steps)*2e-4, "weights of gradient 0, absolute"
		}
		index := tab.sampled(len(tensor.Data))
		for i, at := range index {
			small := false
			for step := 1; step <= tab.Steps; step++ {
				small = small || math.Abs(float64(want[fmt.Sprintf("step_%d/gradient/%s", step, name)][i])) < 1e-5
			}
			if small && kind == "weights, absolute" {
				continue
			}
			differences.check(t, kind, fmt.Sprintf("%s[%d]", name, at), math.Abs(float64(tensor.Data[at])-float64(want["final/"+name][i])), limit)
		}
	}
	images, logits = r.infer()
	output("final/images", images)
	output("final/logits", logits)
}
