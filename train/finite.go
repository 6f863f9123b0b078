package train

import (
	"fmt"

	"dcgan/internal/engine"
)

// notFinite says what of a step just made, which measured m, is not a finite number, "" where all is: a loss, a gradient of
// a weight, or what the next step begins with.
//
// The gradients themselves are looked at only to name them. One that is NaN or infinite has made its first moment so,
// since that is m + (1 − beta1)·(g − m) and config keeps 1 − beta1 above 0; and one whose square is too large has made
// the second moment infinite. What is bad elsewhere, as in an activation, counts by what it makes of these.
func (t *Trainer) notFinite(m Metrics) string {
	if t.finite && t.finiteStatistics() && isFinite(m.DLoss) && isFinite(m.GLoss) {
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

// finiteStatistics looks at what no step of Adam moves: moving means and variances.
func (t *Trainer) finiteStatistics() bool {
	for _, n := range []*engine.Network{t.Generator, t.Discriminator} {
		for _, tensor := range n.Tensors {
			for i := 0; !tensor.Trainable && i < len(tensor.Data); i++ {
				if !isFinite(float64(tensor.Data[i])) {
					return false
				}
			}
		}
	}
	return true
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
