package engine

import "dcgan/internal/kernel"

// cacheLine is how many values a line of cache holds.
const cacheLine = 16

// ahead prefetches what will be read next, part after part, a little at a time, so that it arrives while something else is
// computed.
type ahead struct {
	set     *kernel.Set
	parts   [4][]float32
	current int
	perStep int // lines
}

// newAhead prefetches parts of memory in a number of steps.
func newAhead(set *kernel.Set, steps int, parts ...[]float32) ahead {
	a := ahead{set: set}
	lines := 0
	for i, part := range parts {
		a.parts[i] = part
		lines += len(part) / cacheLine
	}
	a.perStep = (lines + steps - 1) / max(1, steps)
	return a
}

// stretch returns values lo to hi-1 of a buffer, as far as it has them.
func stretch(buffer []float32, lo, hi int) []float32 {
	return buffer[min(lo, len(buffer)):min(hi, len(buffer))]
}

func (a *ahead) step() {
	for a.current < len(a.parts) {
		part := &a.parts[a.current]
		if lines := min(a.perStep, len(*part)/cacheLine); lines > 0 {
			a.set.Prefetch(&(*part)[0], lines, cacheLine)
			*part = (*part)[lines*cacheLine:]
			return
		}
		a.current++
	}
}
