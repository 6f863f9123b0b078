package kernel

import "math"

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

// normGradsGeneric adds to sum[c] and product[c] the sums of d and d·z, d being dy behind a leaky rectifier whose
// output was y.
func normGradsGeneric(sum, product []float64, dy, y, z []float32, slope float32, rows, stride int) {
	for r := range rows {
		outs, inputs := y[r*stride:][:len(sum)], z[r*stride:][:len(sum)]
		for c, d := range dy[r*stride:][:len(sum)] {
			if !(outs[c] > 0) {
				d = float32(d * slope)
			}
			sum[c] += float64(d)
			product[c] += float64(float64(d) * float64(inputs[c]))
		}
	}
}

// scaleGeneric computes y = leaky(z·scale + shift) for rows of len(scale) channels. y may be z.
func scaleGeneric(y, z, scale, shift []float32, slope float32, rows int) {
	channels := len(scale)
	for r := range rows {
		to, from := y[r*channels:][:channels], z[r*channels:][:channels]
		for c, v := range from {
			v = fma(v, scale[c], shift[c])
			if !(v > 0) {
				v = float32(v * slope)
			}
			to[c] = v
		}
	}
}

// normBackGeneric computes dy = a·d + (b·z + c) for rows of len(a) channels, d as in normGradsGeneric.
func normBackGeneric(dy, y, z, a, b, c []float32, slope float32, rows int) {
	channels := len(a)
	for r := range rows {
		outs, inputs, grads := y[r*channels:][:channels], z[r*channels:][:channels], dy[r*channels:][:channels]
		for i, d := range grads {
			if !(outs[i] > 0) {
				d = float32(d * slope)
			}
			grads[i] = fma(a[i], d, fma(b[i], inputs[i], c[i]))
		}
	}
}

// leakyGeneric computes y = keep · leaky(y) · scale in place, keep being the bits of mask, lowest first, or 1 without one.
func leakyGeneric(y []float32, mask []uint64, slope, scale float32) {
	leakyBackGeneric(y, y, mask, slope, scale)
}

// leakyBackGeneric computes the gradient of leakyGeneric in place, from its output y.
func leakyBackGeneric(dy, y []float32, mask []uint64, slope, scale float32) {
	y = y[:len(dy)]
	for i, d := range dy {
		if !(y[i] > 0) {
			d = float32(d * slope)
		}
		d = float32(d * scale)
		if mask != nil && mask[i/64]>>(i%64)&1 == 0 {
			d = 0
		}
		dy[i] = d
	}
}

// adamGeneric makes one step of Adam (Kingma, Ba 2015, in Keras' form): the moments m and v move towards the gradient g
// and its square by the shares keep1 = 1 − beta1 and keep2 = 1 − beta2, and w falls by rate·m / (√v + epsilon).
func adamGeneric(w, g, m, v []float32, rate, keep1, keep2, epsilon float32) {
	w, m, v = w[:len(g)], m[:len(g)], v[:len(g)]
	for i, d := range g {
		m[i] = fma(d-m[i], keep1, m[i])
		v[i] = fma(fma(d, d, -v[i]), keep2, v[i])
		w[i] -= float32(rate*m[i]) / (float32(math.Sqrt(float64(v[i]))) + epsilon)
	}
}

// addGeneric computes dst += src.
func addGeneric(dst, src []float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] += v
	}
}
