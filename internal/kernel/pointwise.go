package kernel

import (
	"math"

	"dcgan/internal/numeric"
)

// Products that are rounded by themselves are written float32(a*b), or Go would fuse them with a sum on some machines
// and not on others.

// momentsGeneric adds to sum[c] and squares[c] the sums of x and of x² over rows of a channel block; row r starts at
// x[r·stride]. The sums are in float64, where x² is exact.
func momentsGeneric(sum, squares []float64, x []float32, rows, stride int) {
	for r := range rows {
		row := x[r*stride:][:len(sum)]
		for c, value := range row {
			v := float64(value)
			sum[c] += v
			squares[c] += float64(v * v)
		}
	}
}

// sumsGeneric adds to sum[c] the sum of x over rows of a channel block.
func sumsGeneric(sum []float64, x []float32, rows, stride int) {
	for r := range rows {
		for c, value := range x[r*stride:][:len(sum)] {
			sum[c] += float64(value)
		}
	}
}

// normGradsGeneric adds to sum[c] and product[c] the sums of d and d·z, d being dy behind a leaky rectifier of
// z·scale + shift. That is computed anew: to read what came of it would take longer.
func normGradsGeneric(sum, product []float64, dy, z, scale, shift []float32, slope float32, rows, stride int) {
	scale, shift = scale[:len(sum)], shift[:len(sum)]
	for r := range rows {
		inputs := z[r*stride:][:len(sum)]
		for c, d := range dy[r*stride:][:len(sum)] {
			d = rectified(d, fma(inputs[c], scale[c], shift[c]), slope)
			sum[c] += float64(d)
			product[c] += float64(float64(d) * float64(inputs[c]))
		}
	}
}

// rectified returns d, times slope where y is not above zero.
func rectified(d, y, slope float32) float32 {
	if !(y > 0) {
		return float32(d * slope)
	}
	return d
}

// scaleGeneric computes y = leaky(z·scale + shift) for rows of len(scale) channels. Those of z are stride apart, those of y lie
// one behind the other. y may be z, if they do there too.
func scaleGeneric(y, z, scale, shift []float32, slope float32, rows, stride int) {
	channels := len(scale)
	for r := range rows {
		to, from := y[r*channels:][:channels], z[r*stride:][:channels]
		for c, v := range from {
			v = fma(v, scale[c], shift[c])
			to[c] = rectified(v, v, slope)
		}
	}
}

// normBackGeneric computes dy = a·d + (b·z + c) for rows of len(a) channels, d as in normGradsGeneric.
func normBackGeneric(dy, z, scale, shift, a, b, c []float32, slope float32, rows int) {
	channels := len(a)
	scale, shift, b, c = scale[:channels], shift[:channels], b[:channels], c[:channels]
	for r := range rows {
		inputs, grads := z[r*channels:][:channels], dy[r*channels:][:channels]
		for i, d := range grads {
			d = rectified(d, fma(inputs[i], scale[i], shift[i]), slope)
			grads[i] = fma(a[i], d, fma(b[i], inputs[i], c[i]))
		}
	}
}

// leakyGeneric computes y = keep · leaky(y) · scale in place, keep being the bits of mask, lowest first, or 1 without one.
// The bits of above, if there are any, are set to which y were above zero.
func leakyGeneric(y []float32, above, mask []uint64, slope, scale float32) {
	for i, v := range y {
		if above != nil && i%64 == 0 {
			above[i/64] = 0
		}
		factor := slope
		if v > 0 {
			factor = 1
			if above != nil {
				above[i/64] |= 1 << (i % 64)
			}
		}
		y[i] = kept(float32(float32(v*factor)*scale), mask, i)
	}
}

// leakyBackGeneric computes the gradient of leakyGeneric in place, from the bits of above, without which all are.
func leakyBackGeneric(dy []float32, above, mask []uint64, slope, scale float32) {
	for i, d := range dy {
		if above != nil && above[i/64]>>(i%64)&1 == 0 {
			d = float32(d * slope)
		}
		dy[i] = kept(float32(d*scale), mask, i)
	}
}

// kept returns v, or zero where bit i of mask is, if there is one.
func kept(v float32, mask []uint64, i int) float32 {
	if mask != nil && mask[i/64]>>(i%64)&1 == 0 {
		return 0
	}
	return v
}

// adamGeneric makes one step of Adam (Kingma, Ba 2015, in Keras' form): the moments m and v move towards the gradient g
// and its square by the shares keep1 = 1 − beta1 and keep2 = 1 − beta2, and w falls by rate·m / (√v + epsilon).
// It reports whether all of the new w, m and v are finite.
func adamGeneric(w, g, m, v []float32, rate, keep1, keep2, epsilon float32) (finite bool) {
	w, m, v = w[:len(g)], m[:len(g)], v[:len(g)]
	var zero float32 // NaN from a product of zero with NaN or infinity on
	for i, d := range g {
		m[i] = fma(d-m[i], keep1, m[i])
		v[i] = fma(fma(d, d, -v[i]), keep2, v[i])
		w[i] -= float32(rate*m[i]) / (float32(math.Sqrt(float64(v[i]))) + epsilon)
		zero += float32(m[i]*0) + float32(v[i]*0) + float32(w[i]*0)
	}
	return zero == 0
}

// addGeneric computes dst += src.
func addGeneric(dst, src []float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] += v
	}
}

// copyRowsGeneric copies n values of each of some rows, that start so many steps apart.
func copyRowsGeneric(dst []float32, dstStep int, src []float32, srcStep, n, rows int) {
	for r := range rows {
		to, from := dst[r*dstStep:], src[r*srcStep:]
		if n > 0 {
			_, _ = to[n-1], from[n-1]
		}
		copy(to, from[:n])
	}
}

// transposeGeneric sets dst[column·dstStep + row] to src[row·srcStep + column].
func transposeGeneric(dst []float32, dstStep int, src []float32, srcStep, rows, columns int) {
	for r := range rows {
		for c := range columns {
			dst[c*dstStep+r] = src[r*srcStep+c]
		}
	}
}

// tanhGeneric computes the hyperbolic tangent in place, as package numeric does.
func tanhGeneric(y []float32) {
	// Widened apart: Go's conversion would make each value wait for the last one's tanh, whose register it half writes.
	var wide [64]float64
	for len(y) > 0 {
		part := y[:min(len(y), len(wide))]
		for i, v := range part {
			wide[i] = float64(v)
		}
		for i := range part {
			part[i] = float32(numeric.Tanh(wide[i]))
		}
		y = y[len(part):]
	}
}
