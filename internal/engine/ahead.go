package engine

import "dcgan/internal/kernel"

// cacheLine is how many values a line of cache holds.
const cacheLine = 16

// ahead prefetches what will be read next a little at a time, so that it arrives while something else is computed.
type ahead struct {
	set     *kernel.Set
	memory  []float32
	perStep int // lines
}

// newAhead prefetches values lo to hi-1 of a buffer in a number of steps.
func newAhead(set *kernel.Set, buffer []float32, lo, hi, steps int) ahead {
	lo, hi = min(lo, len(buffer)), min(hi, len(buffer))
	lines := (hi - lo + cacheLine - 1) / cacheLine
	return ahead{set, buffer[lo:hi], (lines + steps - 1) / max(1, steps)}
}

func (a *ahead) step() {
	lines := min(a.perStep, len(a.memory)/cacheLine)
	if lines == 0 {
		return
	}
	a.set.Prefetch(&a.memory[0], lines, cacheLine)
	a.memory = a.memory[lines*cacheLine:]
}
