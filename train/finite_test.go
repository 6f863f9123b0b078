package train

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/internal/engine"
	"dcgan/internal/kernel"
)

var inf, nan = float32(math.Inf(1)), float32(math.NaN())

// networks returns both, D first.
func networks(t *Trainer) []*engine.Network { return []*engine.Network{t.Discriminator, t.Generator} }

// TestBadState puts a bad number into each tensor that goes on from step to step, at its ends, in between two steps: the
// next step says so.
func TestBadState(t *testing.T) {
	trainer := newTrainer(t, small(), 2)
	if m := trainer.Next(); m.NotFinite != "" {
		t.Fatalf("a sound step: %s", m.NotFinite)
	}
	saved := read(t, state(t, trainer))
	for which, n := range networks(trainer) {
		for i, tensor := range n.Tensors {
			for kind, values := range map[string][]float32{"weight": tensor.Data, "m": tensor.M, "v": tensor.V} {
				for _, at := range []int{0, len(values) - 1} {
					if values == nil {
						continue
					}
					for _, bad := range []float32{nan, inf, -inf} {
						trainer.Restore(saved)
						values[at] = bad
						n.Load()
						if m := trainer.Next(); m.NotFinite == "" {
							t.Errorf("network %d, tensor %d: %s %g at %d is not seen after a step", which, i, kind, bad, at)
						}
					}
				}
			}
		}
	}
}

// TestBadGradient puts a bad number into the gradient of each tensor before Adam sees it: it is named.
func TestBadGradient(t *testing.T) {
	trainer := newTrainer(t, small(), 2)
	sound := trainer.Next()
	saved := read(t, state(t, trainer))
	for _, n := range networks(trainer) {
		for _, tensor := range n.Tensors {
			for _, at := range []int{0, len(tensor.Grad) - 1} {
				if !tensor.Trainable {
					continue
				}
				for _, bad := range []float32{nan, inf, -inf, 3e38} { // whose square is infinite
					trainer.Restore(saved)
					was := tensor.Grad[at]
					tensor.Grad[at] = bad
					trainer.finite = n.Update(trainer.adam())
					want := "the gradient of " + n.Arch.Name + "." + tensor.Name + " is"
					if bad == 3e38 {
						want = "Adam's second moment of " + n.Arch.Name + "." + tensor.Name + " is"
					}
					if got := trainer.notFinite(sound); !strings.HasPrefix(got, want) {
						t.Errorf("%g in the gradient of %s: %q", bad, tensor.Name, got)
					}
					tensor.Grad[at] = was
				}
			}
		}
	}
}

// TestBadLoss: a loss alone is enough.
func TestBadLoss(t *testing.T) {
	trainer := newTrainer(t, small(), 2)
	m := trainer.Next()
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		d, g := m, m
		d.DLoss, g.GLoss = bad, bad
		if got := trainer.notFinite(d); got != fmt.Sprintf("D's loss is %g", bad) {
			t.Errorf("%q", got)
		}
		if got := trainer.notFinite(g); got != fmt.Sprintf("G's loss is %g", bad) {
			t.Errorf("%q", got)
		}
	}
	if got := trainer.notFinite(m); got != "" {
		t.Errorf("of a sound step: %q", got)
	}
}

// TestBackFromNaN fills all that a trainer goes on from with NaN, lets two steps spread them through all memory, and goes
// back: to a checkpoint and to the beginning, whose steps are then what they would have been.
func TestBackFromNaN(t *testing.T) {
	for _, kernel := range []int{3, 5} {
		c := small()
		c.Kernel, c.Batch = kernel, 70
		trainer := newTrainer(t, c, 2)
		first := state(t, trainer)
		steps(trainer, 1)
		file := state(t, trainer)
		steps(trainer, 2)
		want := state(t, trainer)

		poison := func() {
			for _, n := range networks(trainer) {
				for _, tensor := range n.Tensors {
					for _, values := range [][]float32{tensor.Data, tensor.Grad, tensor.M, tensor.V} {
						fill(values, nan)
					}
				}
				n.Load()
			}
			trainer.Restart = checkpoint.Restart{LR: 1, Stream: 2}
			steps(trainer, 2)
		}
		poison()
		trainer.Restore(read(t, file))
		steps(trainer, 2)
		if !bytes.Equal(state(t, trainer), want) {
			t.Errorf("kernels of %d: steps after going back to a checkpoint differ", kernel)
		}
		poison()
		trainer.Reset()
		if !bytes.Equal(state(t, trainer), first) {
			t.Errorf("kernels of %d: the beginning differs", kernel)
		}
		steps(trainer, 3)
		if !bytes.Equal(state(t, trainer), want) {
			t.Errorf("kernels of %d: steps after going back to the beginning differ", kernel)
		}
	}
}

// TestRestart: a restart changes the latents and the learning rate and nothing else that is drawn, its checkpoint goes on
// with both, and one without a restart has the bytes that it always had.
func TestRestart(t *testing.T) {
	plain, restarted := newTrainer(t, small(), 2), newTrainer(t, small(), 2)
	steps(plain, 1)
	steps(restarted, 1)
	if bytes.Contains(state(t, plain), []byte("restart")) {
		t.Error("a checkpoint of a run that was never restarted speaks of it")
	}
	restarted.Restart = checkpoint.Restart{LR: 0.005, Stream: 1}
	if restarted.adam().Rate != 0.005 || plain.adam().Rate != 0.01 {
		t.Errorf("rates %g and %g", restarted.adam().Rate, plain.adam().Rate)
	}
	draws := func(t *Trainer) (latents, others string) {
		t.drawForD()
		masks, _, _ := t.Discriminator.Masks(0)
		return fmt.Sprint(t.latents[:4*t.config.Latent]), fmt.Sprint(t.index, t.targets, t.images[:4*784], masks)
	}
	seen := map[string]bool{}
	_, others := draws(plain)
	for stream := range 4 {
		restarted.Restart.Stream = stream
		l, o := draws(restarted)
		if seen[l] = true; o != others {
			t.Errorf("stream %d changes other draws than the latents", stream)
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d kinds of latents in four streams", len(seen))
	}
	restarted.Restart = checkpoint.Restart{LR: 0.005, Stream: 3}
	steps(restarted, 1)
	file := state(t, restarted)
	steps(restarted, 2)
	resumed := newTrainer(t, small(), 1)
	resumed.Restore(read(t, file))
	if resumed.Restart != restarted.Restart {
		t.Errorf("resumed with %v, saved with %v", resumed.Restart, restarted.Restart)
	}
	steps(resumed, 2)
	if !bytes.Equal(state(t, resumed), state(t, restarted)) {
		t.Error("a resumed run with a restart goes on differently")
	}
}

// BenchmarkNotFinite times the look at the seed's networks after a step.
func BenchmarkNotFinite(b *testing.B) {
	c := config.Default()
	g, d, err := arch.Seed(c)
	if err != nil {
		b.Fatal(err)
	}
	pool := engine.NewPool(runtime.GOMAXPROCS(0))
	defer pool.Close()
	trainer, err := New(c, g, d, noise(), &kernel.Variants[len(kernel.Variants)-1], pool)
	if err != nil {
		b.Fatal(err)
	}
	m := trainer.Next()
	for b.Loop() {
		if trainer.notFinite(m) != "" {
			b.Fatal("not finite")
		}
	}
}
