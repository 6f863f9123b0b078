// Package random draws numbers that are a function of a seed and a position alone, so that any step of a training can
// be repeated by itself, on any machine and by any number of threads.
package random

import "math/bits"

// Purpose keeps apart the streams of one seed.
type Purpose uint32

// The streams. Their numbers are part of what a seed means: never change them.
const (
	Data     Purpose = iota + 1 // which real images a step takes
	Noise                       // latents
	Labels                      // targets
	Dropout                     // masks
	Initial                     // first weights
	Sampling                    // latents of drawing outside training
)

// Stream is an endless table of random numbers, addressed by (place, index): the place is an image's or a tensor's
// number, the index counts its values. It is a value and holds no state.
type Stream struct {
	key           [2]uint32
	purpose, step uint32
}

// New returns the stream of a seed for one purpose in one step; what does not belong to a step uses step 0.
func New(seed uint64, purpose Purpose, step int) Stream {
	return Stream{[2]uint32{uint32(seed), uint32(seed >> 32)}, uint32(purpose), uint32(step)}
}

// Numbered returns the stream of that number among those of the same seed, purpose and step; 0 is s itself.
func (s Stream) Numbered(number int) Stream {
	s.purpose |= uint32(number) << 16
	return s
}

// Key is what all blocks of the stream are made with.
func (s Stream) Key() [2]uint32 { return s.key }

// Counter is what a block is made from.
func (s Stream) Counter(place, block uint32) [4]uint32 {
	return [4]uint32{block, place, s.step, s.purpose}
}

// Block returns the four random words number block of a place.
func (s Stream) Block(place, block uint32) [4]uint32 {
	return philox(s.Counter(place, block), s.key)
}

// philox is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3; 2011).
func philox(counter [4]uint32, key [2]uint32) [4]uint32 {
	// Apart, and not in arrays, so that they stay in registers.
	c0, c1, c2, c3 := counter[0], counter[1], counter[2], counter[3]
	k0, k1 := key[0], key[1]
	for range 10 {
		hi0, lo0 := bits.Mul32(0xD2511F53, c0)
		hi1, lo1 := bits.Mul32(0xCD9E8D57, c2)
		c0, c1, c2, c3 = hi1^c1^k0, lo1, hi0^c3^k1, lo0
		k0 += 0x9E3779B9
		k1 += 0xBB67AE85
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Index returns a number drawn uniformly from 0 to n-1.
func (s Stream) Index(place uint32, n int) int {
	b := s.Block(place, 0)
	hi, _ := bits.Mul64(uint64(b[0])<<32|uint64(b[1]), uint64(n))
	return int(hi)
}

// uniform maps two words to [0, 1), 53 bits.
func uniform(hi, lo uint32) float64 {
	return float64((uint64(hi)<<32|uint64(lo))>>11) * 0x1p-53
}
