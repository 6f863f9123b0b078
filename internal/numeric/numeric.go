// Package numeric has the functions of real numbers that training needs, computed by one sequence of operations on
// every machine. Go's math package may use other instructions on another processor; here each product that must be
// rounded by itself is written float64(a*b), which forbids fusing it with an addition.
package numeric

import "math"

const (
	ln2High  = 6.93147180369123816490e-01 // the upper bits of ln 2, so that k·ln2High is exact
	ln2Low   = 1.90821492927058770002e-10
	log2E    = 1.44269504088896338700e+00
	expLarge = 709.78
	expSmall = -745.2
)

// Exp returns e^x, with a relative error below 1e-15: x = k·ln 2 + r with |r| ≤ ln 2 / 2, and Taylor's series in r.
func Exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > expLarge:
		return math.Inf(1)
	case x < expSmall:
		return 0
	}
	k := math.RoundToEven(float64(x * log2E))
	r := float64(x-float64(k*ln2High)) - float64(k*ln2Low)
	// Term by term and not in a loop, so that a processor may go on to the next number before one is done.
	sum := float64(r*(1./6227020800)) + 1./479001600
	sum = float64(sum*r) + 1./39916800
	sum = float64(sum*r) + 1./3628800
	sum = float64(sum*r) + 1./362880
	sum = float64(sum*r) + 1./40320
	sum = float64(sum*r) + 1./5040
	sum = float64(sum*r) + 1./720
	sum = float64(sum*r) + 1./120
	sum = float64(sum*r) + 1./24
	sum = float64(sum*r) + 1./6
	sum = float64(sum*r) + 1./2
	sum = float64(sum*r) + 1
	sum = float64(sum*r) + 1
	if math.Abs(k) > 1000 {
		return math.Ldexp(sum, int(k))
	}
	return float64(sum * math.Float64frombits(uint64(int64(k)+1023)<<52))
}

// Log1p returns ln(1+y) for y in [0, 1], with a relative error below 1e-15: it is 2·artanh(y/(2+y)), whose series in
// odd powers converges at least as 9⁻ⁿ.
func Log1p(y float64) float64 {
	s := y / (2 + y)
	square := float64(s * s)
	sum := 0.0
	for n := 35; n >= 1; n -= 2 {
		sum = float64(sum*square) + 1/float64(n)
	}
	return float64(2 * s * sum)
}

// Sigmoid returns 1/(1+e^−x).
func Sigmoid(x float64) float64 {
	if x < 0 {
		e := Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + Exp(-x))
}

// Tanh returns the hyperbolic tangent of x, good to the last bits of a float32.
func Tanh(x float64) float64 {
	if math.Abs(x) < 1e-4 { // 1 − e^−2x would lose digits; the next term of the series is below 1e-17
		return x - float64(float64(x*x)*x)/3
	}
	e := Exp(-2 * math.Abs(x))
	return math.Copysign((1-e)/(1+e), x)
}
