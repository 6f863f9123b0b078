package train

import (
	"fmt"
	"math"

	"dcgan/internal/engine"
)

// finiteTask is how many values a task looks at.
const finiteTask = 1 << 15

// watched lists all that goes on from step to step, in parts for the pool: the weights and moving statistics of both
// networks, and Adam's moments.
func (t *Trainer) watched() (parts [][]float32) {
	for _, n := range []*engine.Network{t.Generator, t.Discriminator} {
		for _, tensor := range n.Tensors {
			for _, values := range [][]float32{tensor.Data, tensor.M, tensor.V} {
				for len(values) > 0 {
					count := min(finiteTask, len(values))
					parts = append(parts, values[:count])
					values = values[count:]
				}
			}
		}
	}
	return parts
}

// notFinite says what of a step just made, which measured m, is not a finite number, "" where all is: a loss, a gradient of
// a weight, or what the next step begins with.
//
// The gradients themselves are looked at only to name them. One that is NaN or infinite has made its first moment so,
// since that is m + (1 − beta1)·(g − m) and config keeps 1 − beta1 above 0; and one whose square is too large has made
// the second moment infinite. What is bad elsewhere, as in an activation, counts by what it makes of these.
func (t *Trainer) notFinite(m Metrics) string {
	t.bad.Store(false)
	t.pool.Each(len(t.parts), t.finiteTask)
	if !t.bad.Load() && isFinite(m.DLoss) && isFinite(m.GLoss) {
		return ""
	}
	for _, loss := range []struct {
		name  string
		value float64
	}{{"D's loss", m.DLoss}, {"G's loss", m.GLoss}} {
		if !isFinite(loss.value) {
			return fmt.Sprintf("%s is %g", loss.name, loss.value)
		}
	}
	return t.firstBad()
}

func isFinite(v float64) bool { return v-v == 0 }

// watch looks at one part.
func (t *Trainer) watch(i int) {
	if !allFinite(t.parts[i]) {
		t.bad.Store(true)
	}
}

// allFinite reports whether no value is NaN or infinite: those have all ones for an exponent, to which one more is carried
// into the bit of the sign.
func allFinite(values []float32) bool {
	const withoutSign, one = 1<<31 - 1, 1 << 23
	var a, b, c, d uint32
	for len(values) >= 4 { // four sums that do not wait for each other
		a |= math.Float32bits(values[0])&withoutSign + one
		b |= math.Float32bits(values[1])&withoutSign + one
		c |= math.Float32bits(values[2])&withoutSign + one
		d |= math.Float32bits(values[3])&withoutSign + one
		values = values[4:]
	}
	for _, v := range values {
		a |= math.Float32bits(v)&withoutSign + one
	}
	return (a|b|c|d)>>31 == 0
}

// firstBad names the first tensor with a value that is not finite, gradients before what came of them.
func (t *Trainer) firstBad() string {
	kinds := []struct {
		name string
		of   func(*engine.Tensor) []float32
	}{
		{"the gradient of ", func(t *engine.Tensor) []float32 { return t.Grad }},
		{"Adam's first moment of ", func(t *engine.Tensor) []float32 { return t.M }},
		{"Adam's second moment of ", func(t *engine.Tensor) []float32 { return t.V }},
		{"", func(t *engine.Tensor) []float32 { return t.Data }},
	}
	for _, kind := range kinds {
		for _, n := range []*engine.Network{t.Discriminator, t.Generator} {
			for _, tensor := range n.Tensors {
				for i, v := range kind.of(tensor) {
					if !isFinite(float64(v)) {
						return fmt.Sprintf("%s%s.%s is %g at value %d of %d", kind.name, n.Arch.Name, tensor.Name, v, i, len(tensor.Data))
					}
				}
			}
		}
	}
	return "a weight is not finite"
}
