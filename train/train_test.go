package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/dataset"
	"dcgan/internal/engine"
	"dcgan/internal/kernel"
	"dcgan/model"
)

// small returns settings of a training that a test can do many steps of.
func small() config.Config {
	c := config.Default()
	c.Batch, c.Latent, c.GFilters, c.DFilters, c.LR, c.Decay = 8, 5, []int{6, 5, 4, 3}, []int{4, 5, 6, 7}, 0.01, 0.1
	return c
}

// noise is images of random pixels.
func noise() *dataset.Images {
	d := &dataset.Images{N: 50, H: 28, W: 28, C: 1, Pixels: make([]uint8, 50*28*28), SHA256: strings.Repeat("5a", 32)}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range d.Pixels {
		d.Pixels[i] = uint8(rng.Uint32())
	}
	return d
}

func newTrainer(t testing.TB, c config.Config, threads int) *Trainer {
	t.Helper()
	g, d, err := arch.Seed(c)
	if err != nil {
		t.Fatal(err)
	}
	pool := engine.NewPool(threads)
	t.Cleanup(pool.Close)
	trainer, err := New(c, g, d, noise(), &kernel.Variants[len(kernel.Variants)-1], pool)
	if err != nil {
		t.Fatal(err)
	}
	return trainer
}

// steps makes steps and returns what they measured.
func steps(t *Trainer, count int) (all []Metrics) {
	for range count {
		all = append(all, t.Next())
	}
	return all
}

// state returns the bytes of a trainer's checkpoint.
func state(t testing.TB, trainer *Trainer) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := trainer.State().Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read takes a checkpoint's bytes through a file.
func read(t testing.TB, file []byte) *checkpoint.Checkpoint {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.safetensors")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := checkpoint.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestResume makes four steps in one go, and two, a checkpoint written and read again, and two more: checkpoints and
// metrics are the same bytes.
func TestResume(t *testing.T) {
	whole := newTrainer(t, small(), 2)
	want := steps(whole, 4)

	first := newTrainer(t, small(), 2)
	got := steps(first, 2)
	file := state(t, first)
	second := newTrainer(t, small(), 2)
	second.Restore(read(t, file))
	if again := state(t, second); !bytes.Equal(again, file) {
		t.Error("what was restored is saved in other bytes")
	}
	got = append(got, steps(second, 2)...)
	if !slices.Equal(got, want) {
		t.Errorf("metrics %v\nwant %v", got, want)
	}
	if !bytes.Equal(state(t, second), state(t, whole)) {
		t.Error("the checkpoints of 4 and of 2 + 2 steps differ")
	}
	if second.Step != 4 || second.Generator.Iteration != 4 || second.Discriminator.Iteration != 4 {
		t.Errorf("step %d, iterations %d and %d", second.Step, second.Generator.Iteration, second.Discriminator.Iteration)
	}
}

// TestRestoreForgets restores into a trainer that has gone on: nothing of its own steps remains.
func TestRestoreForgets(t *testing.T) {
	trainer := newTrainer(t, small(), 2)
	steps(trainer, 1)
	file := state(t, trainer)
	want := steps(trainer, 2)
	after := state(t, trainer)
	trainer.Restore(read(t, file))
	if got := steps(trainer, 2); !slices.Equal(got, want) || !bytes.Equal(state(t, trainer), after) {
		t.Errorf("steps made again measured %v, before %v", got, want)
	}
}

// TestThreads makes the same steps with other numbers of threads, in batches of one slice and of several.
func TestThreads(t *testing.T) {
	for _, batch := range []int{2, 8, 70} {
		c := small()
		c.Batch = batch
		var want []byte
		for _, threads := range []int{1, 2, 3, 8, 33} {
			c.Threads = threads
			trainer := newTrainer(t, c, threads)
			steps(trainer, 2)
			got := state(t, trainer)
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("batch %d: the checkpoint differs with %d threads", batch, threads)
			}
		}
	}
}

// TestKernels makes the same steps with every variant of the kernels.
func TestKernels(t *testing.T) {
	var want []byte
	for i := range kernel.Variants {
		g, d, err := arch.Seed(small())
		if err != nil {
			t.Fatal(err)
		}
		pool := engine.NewPool(2)
		defer pool.Close()
		trainer, err := New(small(), g, d, noise(), &kernel.Variants[i], pool)
		if err != nil {
			t.Fatal(err)
		}
		steps(trainer, 3)
		got := state(t, trainer)
		if i == 0 {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("the checkpoint differs between %s and %s", kernel.Variants[i].Name, kernel.Variants[0].Name)
		}
	}
}

// TestStepAlone repeats the third step of a training by itself: its draws follow from the seed and the step's number.
func TestStepAlone(t *testing.T) {
	whole := newTrainer(t, small(), 2)
	steps(whole, 2)
	alone := newTrainer(t, small(), 1)
	alone.Step = 2
	draws := func(t *Trainer, latents int) string {
		text := fmt.Sprint(t.index, t.latents[:latents*t.config.Latent], t.targets)
		for layer := range 4 {
			masks, _, _ := t.Discriminator.Masks(layer)
			text += fmt.Sprint(masks)
		}
		return text
	}
	seen, masks := map[string]bool{}, map[string]bool{}
	remember := func(latents int) {
		seen[draws(alone, latents)] = true
		first, _, _ := alone.Discriminator.Masks(0)
		masks[fmt.Sprint(first)] = true
	}
	check := func(name string, draw func(t *Trainer), latents int) {
		draw(whole)
		draw(alone)
		if draws(whole, latents) != draws(alone, latents) {
			t.Errorf("what %s learns from in step 3 depends on the steps before", name)
		}
		remember(latents)
	}
	check("D", (*Trainer).drawForD, 4)
	check("G", (*Trainer).drawForG, 8)
	alone.Step = 3
	alone.drawForD()
	remember(4)
	if len(seen) != 3 || len(masks) != 3 {
		t.Error("D and G, or steps 3 and 4, learn from the same draws")
	}
}

// TestDraws holds what a step draws against the settings: the images' own pixels, bounds of latents and of both kinds of
// labels, each value another, and dropout by its rate.
func TestDraws(t *testing.T) {
	c := small()
	c.Batch = 64
	trainer := newTrainer(t, c, 1)
	within := func(name string, values []float32, r config.Range) {
		t.Helper()
		seen := map[float32]bool{}
		for _, v := range values {
			if v < float32(r.Low) || v > float32(r.High) || seen[v] {
				t.Errorf("%s: %g is not within %v, or came before", name, v, r)
			}
			seen[v] = true
		}
	}
	trainer.drawForD()
	within("real labels", trainer.targets[:32], c.RealLabels)
	within("labels of generated images", trainer.targets[32:], c.FakeLabels)
	within("latents", trainer.latents[:32*c.Latent], c.Noise)
	for i, index := range trainer.index {
		for p, v := range trainer.images[i*784:][:784] {
			if want := (float32(trainer.data.Pixels[index*784+p]) - 127.5) / 127.5; v != want {
				t.Fatalf("pixel %d of image %d is %g, want %g", p, i, v, want)
			}
		}
	}
	forD := slices.Clone(trainer.latents[:32*c.Latent])
	trainer.drawForG()
	within("G's labels", trainer.targets, c.RealLabels)
	within("G's latents, and D's", append(forD, trainer.latents[:64*c.Latent]...), c.Noise)
}

// TestWhoLearns shows that D's part of a step leaves G as it is, moving statistics included, and G's part leaves D.
func TestWhoLearns(t *testing.T) {
	trainer := newTrainer(t, small(), 2)
	weights := func(n *engine.Network) string {
		var text strings.Builder
		for _, tensor := range n.Tensors {
			fmt.Fprint(&text, tensor.Data, tensor.M, tensor.V)
		}
		return text.String()
	}
	g, d := weights(trainer.Generator), weights(trainer.Discriminator)
	trainer.drawForD()
	trainer.learnD()
	if weights(trainer.Generator) != g {
		t.Error("D's part of the step changes G")
	}
	if after := weights(trainer.Discriminator); after == d {
		t.Error("D does not learn")
	} else {
		d = after
	}
	trainer.drawForG()
	trainer.learnG()
	if weights(trainer.Discriminator) != d {
		t.Error("G's part of the step changes D")
	}
	if weights(trainer.Generator) == g {
		t.Error("G does not learn")
	}
	for _, tensor := range trainer.Generator.Tensors {
		if strings.HasSuffix(tensor.Tensor.Name, "kernel") && slices.Max(tensor.Grad) <= 0 {
			t.Errorf("no gradient reaches %s", tensor.Tensor.Name)
		}
	}
}

// TestEveryKernelSize trains with all sizes of convolutions that there are settings for: G learns with each.
func TestEveryKernelSize(t *testing.T) {
	for size := 1; size <= config.MaxKernel; size++ {
		c := small()
		c.Kernel = size
		trainer := newTrainer(t, c, 2)
		before := slices.Clone(trainer.Generator.Tensors[0].Data)
		m := trainer.Next()
		if slices.Equal(before, trainer.Generator.Tensors[0].Data) || math.IsNaN(m.DLoss+m.GLoss) {
			t.Errorf("kernels of %d: G's first layer does not learn: %+v", size, m)
		}
	}
}

// TestBegin takes first weights from a checkpoint: for both networks, for one, for none.
func TestBegin(t *testing.T) {
	origin := newTrainer(t, small(), 2)
	steps(origin, 2)
	from := read(t, state(t, origin)).Model()
	tensorsOf := func(t *Trainer) (g, d string) {
		for _, tensor := range t.generatorTensors() {
			g += fmt.Sprint(tensor)
		}
		for _, tensor := range t.discriminatorTensors() {
			d += fmt.Sprint(tensor)
		}
		return g, d
	}
	fromG, fromD := tensorsOf(origin)
	c := small()
	c.Seed = 2
	drawnG, drawnD := tensorsOf(newTrainer(t, c, 2))
	sums := map[string]bool{}
	for _, test := range []struct {
		name                     string
		generator, discriminator *model.Network
		wantG, wantD             string
	}{
		{"both", from.Generator, from.Discriminator, fromG, fromD},
		{"the generator", from.Generator, nil, fromG, drawnD},
		{"the discriminator", nil, from.Discriminator, drawnG, fromD},
		{"none", nil, nil, drawnG, drawnD},
	} {
		trainer := newTrainer(t, c, 2)
		if trainer.InitSHA256() != "" {
			t.Errorf("weights that are drawn have a sum")
		}
		trainer.Begin(test.generator, test.discriminator)
		if g, d := tensorsOf(trainer); g != test.wantG || d != test.wantD {
			t.Errorf("%s: weights or moments are not what they should be", test.name)
		}
		iterations := func(n *model.Network) int {
			if n == nil {
				return 0
			}
			return 2
		}
		if trainer.Step != 0 || trainer.Generator.Iteration != iterations(test.generator) || trainer.Discriminator.Iteration != iterations(test.discriminator) {
			t.Errorf("%s: step %d, iterations %d and %d", test.name, trainer.Step, trainer.Generator.Iteration, trainer.Discriminator.Iteration)
		}
		sums[trainer.InitSHA256()] = true

		hash := sha256.New()
		for _, n := range []*engine.Network{trainer.Generator, trainer.Discriminator} {
			for _, tensor := range n.Tensors {
				binary.Write(hash, binary.LittleEndian, tensor.Data)
			}
		}
		if got, want := trainer.InitSHA256(), hex.EncodeToString(hash.Sum(nil)); got != want {
			t.Errorf("%s: the sum is %s, want %s", test.name, got, want)
		}

		// The origin goes into the checkpoints, and with them to who goes on.
		began := trainer.InitSHA256()
		steps(trainer, 1)
		saved := read(t, state(t, trainer))
		resumed := newTrainer(t, c, 2)
		resumed.Restore(saved)
		if saved.InitSHA256 != began || resumed.InitSHA256() != began {
			t.Errorf("%s: the sum of the first weights is lost", test.name)
		}
		steps(trainer, 1)
		steps(resumed, 1)
		if !bytes.Equal(state(t, trainer), state(t, resumed)) {
			t.Errorf("%s: the steps after a resume differ", test.name)
		}
	}
	if len(sums) != 4 {
		t.Errorf("%d sums of 4 beginnings", len(sums))
	}
}

// TestInitialise holds first weights against Keras' defaults: Glorot uniform kernels, whose bounds follow from a
// layer's fans, ones and zeros elsewhere; and each tensor and network is drawn by itself.
func TestInitialise(t *testing.T) {
	trainer := newTrainer(t, small(), 1)
	limits := map[string]float64{
		"g dense/kernel": math.Sqrt(6. / (5 + 294)), "g conv2d_transpose/kernel": math.Sqrt(6. / (9*6 + 9*5)),
		"g conv2d_transpose_3/kernel": math.Sqrt(6. / (9*3 + 9*1)), "d conv2d/kernel": math.Sqrt(6. / (9*1 + 9*4)),
		"d dense/kernel": math.Sqrt(6. / (7*16 + 1)),
	}
	first := map[int]string{} // where in its bounds a kernel's first value lies, in millionths
	for prefix, n := range map[string]*engine.Network{"g ": trainer.Generator, "d ": trainer.Discriminator} {
		for _, tensor := range n.Tensors {
			name := prefix + tensor.Tensor.Name
			low, high := slices.Min(tensor.Data), slices.Max(tensor.Data)
			switch suffix(name) {
			case "kernel":
				limit, ok := limits[name]
				if !ok {
					break
				}
				if float64(high) > limit || float64(low) < -limit || float64(high-low) < 1.7*limit {
					t.Errorf("%s lies in %g to %g, the limit is %g", name, low, high, limit)
				}
				share := int(math.Round(1e6 * float64(tensor.Data[0]) / limit))
				if was, ok := first[share]; ok {
					t.Errorf("%s begins like %s", name, was)
				}
				first[share] = name
			case "gamma", "moving_variance":
				if low != 1 || high != 1 {
					t.Errorf("%s is %g to %g", name, low, high)
				}
			default:
				if low != 0 || high != 0 {
					t.Errorf("%s is %g to %g", name, low, high)
				}
			}
		}
	}
}

// TestNoAllocations: all memory is planned before the first step.
func TestNoAllocations(t *testing.T) {
	c := small()
	c.Batch = 70 // two slices
	trainer := newTrainer(t, c, 2)
	if allocations := testing.AllocsPerRun(5, func() { trainer.Next() }); allocations != 0 {
		t.Errorf("a step makes %g allocations on the heap", allocations)
	}
}

// TestAccuracyIsAlwaysZero answers the seed's first open problem, "the discriminator's accuracy is always 0".
//
// Keras counts an image as right where the rounded prediction equals the label. The seed's labels are soft: 0.83 for a
// real image and 0.21 for a generated one are never equal to 1 or 0. So even a discriminator that never errs has accuracy
// 0. Counted by the side of one half that the probability is on, it has 1, and with hard labels both rules agree.
func TestAccuracyIsAlwaysZero(t *testing.T) {
	keras := func(logits, labels []float32) float64 {
		right := 0
		for i, x := range logits {
			rounded := float32(0)
			if x > 0 { // a probability above one half
				rounded = 1
			}
			if rounded == labels[i] {
				right++
			}
		}
		return float64(right) / float64(len(logits))
	}
	trainer := newTrainer(t, small(), 1)
	half := trainer.half
	sure := make([]float32, 2*half) // logits of a discriminator that is right about every image
	hard := make([]float32, 2*half)
	for i := range sure {
		sure[i] = -5
		if i < half {
			sure[i], hard[i] = 5, 1
		}
	}
	ours := func(logits []float32) float64 { return (share(logits[:half], 1) + share(logits[half:], -1)) / 2 }
	trainer.drawForD()
	if got := keras(sure, trainer.targets); got != 0 {
		t.Errorf("by Keras' rule the accuracy on soft labels is %g", got)
	}
	if got := ours(sure); got != 1 {
		t.Errorf("by ours it is %g", got)
	}
	if keras(sure, hard) != 1 || ours(sure) != keras(sure, hard) {
		t.Error("on hard labels the rules disagree")
	}
	seen := 0.0
	for range 3 {
		trainer.drawForD()
		m := trainer.learnD()
		seen += m.DAccuracyReal + m.DAccuracyFake
		logits := trainer.Discriminator.Forward(trainer.images, trainer.config.Batch, engine.Inference)
		if got := keras(logits, trainer.targets); got != 0 {
			t.Errorf("in training Keras' rule gives %g", got)
		}
		trainer.Step++
	}
	if seen == 0 {
		t.Error("in training our accuracies are 0")
	}
}

// TestShare counts by sides: a logit of 0 is on neither.
func TestShare(t *testing.T) {
	logits := []float32{-1, 0, 2, 3}
	if above, below := share(logits, 1), share(logits, -1); above != 0.5 || below != 0.25 {
		t.Errorf("%g above, %g below", above, below)
	}
}
