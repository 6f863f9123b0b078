package random

import (
	"math"

	"dcgan/internal/numeric"
)

// Uniform fills dst with numbers from [low, high), drawn for place.
func (s Stream) Uniform(dst []float32, place uint32, low, high float64) {
	for i := range dst {
		b := s.Block(place, uint32(i/2))
		u := uniform(b[i%2*2], b[i%2*2+1])
		dst[i] = float32(low + float64((high-low)*u))
	}
}

// TruncatedNormal fills dst with standard normal numbers truncated to [low, high], drawn for place.
//
// Each is found by rejection: a proposal uniform in [low, high] is taken with probability exp((m² − x²)/2), m being the
// bound or zero where the density is highest. Value i of a place has its own block numbers, so it depends on no other.
func (s Stream) TruncatedNormal(dst []float32, place uint32, low, high float64) {
	mode := max(low, min(0, high))
	var first [16][4]uint32 // all first proposals' words, one right after the other: they wait for nothing that is decided
	for at := 0; at < len(dst); at += len(first) {
		some := dst[at:min(at+len(first), len(dst))]
		for i := range some {
			first[i] = s.Block(place, uint32(at+i)<<12)
		}
		for i := range some {
			b := first[i]
			for attempt := uint32(1); ; attempt++ {
				x := low + float64((high-low)*uniform(b[0], b[1]))
				if below(uniform(b[2], b[3]), float64(float64(x*x)-float64(mode*mode))/2) {
					some[i] = float32(math.Max(low, math.Min(high, x)))
					break
				}
				b = s.Block(place, uint32(at+i)<<12|attempt&0xfff)
			}
		}
	}
}

// below reports whether u is below exp(−t), t being at least 0. Mostly 1 − t and 1 − t + t²/2, between which that lies, say
// so already, far enough from both that rounding changes nothing.
func below(u, t float64) bool {
	const margin = 1e-9
	switch {
	case u < 1-t-margin:
		return true
	case u > 1-t+t*t/2+margin:
		return false
	}
	return u < numeric.Exp(-t)
}

// Threshold is what a draw of 16 bits is held against so that it is below with probability rate, to within 2⁻¹⁷.
func Threshold(rate float64) uint32 { return uint32(math.RoundToEven(rate * 0x1p16)) }

// Keep fills words, one bit for each of n activations, lowest first, with 1 where the activation is kept: where a draw of
// 16 bits is not below Threshold(rate). Bits past n are 0.
func (s Stream) Keep(words []uint64, n int, place uint32, rate float64) {
	threshold := Threshold(rate)
	for w := range words {
		var word uint64
		for b := 0; b < 8; b++ {
			block := s.Block(place, uint32(w*8+b))
			var eight uint64
			for j, v := range block {
				// The borrow of (draw − threshold) says whether the draw is below: no branch to mispredict.
				eight |= uint64(^(v&0xffff-threshold)>>31) << (2 * j)
				eight |= uint64(^(v>>16-threshold)>>31) << (2*j + 1)
			}
			word |= eight << (8 * b)
		}
		words[w] = word
	}
	ClearPast(words, n)
}

// ClearPast sets the bits of words past the first n to 0.
func ClearPast(words []uint64, n int) {
	for w := n / 64; w < len(words); w++ {
		words[w] &= 1<<max(n-64*w, 0) - 1
	}
}
