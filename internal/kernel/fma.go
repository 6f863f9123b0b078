package kernel

import "math"

// fma returns x·y + z rounded once to float32, as the hardware's fused instructions do.
//
// The product is exact in float64, and so it does not matter whether the compiler fuses it with the sum.
func fma(x, y, z float32) float32 {
	sum := float64(x)*float64(y) + float64(z)
	if uncertain(sum) {
		return fmaOdd(x, y, z)
	}
	return float32(sum)
}

// uncertain reports whether sum, rounded to float64, may round to another float32 than it would have unrounded: its bits
// below float32's look like a tie, or it is so small that float32 has fewer bits.
func uncertain(sum float64) bool {
	bits := math.Float64bits(sum)
	return bits<<35 == 1<<63 || bits<<1 < (1023-126)<<53
}

// fmaOdd is fma's rare path. It rounds to odd in float64: where the sum is inexact its last bit is set, which keeps the
// second rounding, to float32, from landing on a tie that is none.
func fmaOdd(x, y, z float32) float32 {
	product, addend := float64(x)*float64(y), float64(z)
	sum := product + addend
	// Knuth's two-sum: sum + rest is product + addend exactly.
	virtual := sum - product
	rest := (product - (sum - virtual)) + (addend - virtual)
	bits := math.Float64bits(sum)
	if rest != 0 && rest == rest && bits&1 == 0 {
		if (rest > 0) == (sum > 0) {
			bits++
		} else {
			bits--
		}
		sum = math.Float64frombits(bits)
	}
	return float32(sum)
}
