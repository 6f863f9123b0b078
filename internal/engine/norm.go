package engine

import "math"

// norm is a batch normalisation (Ioffe, Szegedy 2015): y = gamma·(z − mean)/√(variance + epsilon) + beta, channel by
// channel. In training mean and variance are the batch's, the variance the biased one, and the moving ones follow them.
type norm struct {
	gamma, beta, movingMean, movingVariance *Tensor
	momentum, epsilon                       float64

	mean, inverse []float64 // of the last training batch; inverse is 1/√(variance + epsilon)
	scale, shift  []float32 // y = z·scale + shift
	a, b, c       []float32 // dz = a·d + (b·z + c)
	isFixed       bool      // scale and shift are those of the moving statistics
}

func newNorm(channels int) *norm {
	return &norm{
		mean: make([]float64, channels), inverse: make([]float64, channels),
		scale: make([]float32, channels), shift: make([]float32, channels),
		a: make([]float32, channels), b: make([]float32, channels), c: make([]float32, channels),
	}
}

// fixed sets scale and shift from the moving statistics, unless they are so.
func (n *norm) fixed() {
	if n.isFixed {
		return
	}
	n.isFixed = true
	for c, variance := range n.movingVariance.Data {
		inverse := 1 / math.Sqrt(float64(variance)+n.epsilon)
		scale := float64(float64(n.gamma.Data[c]) * inverse)
		n.scale[c] = float32(scale)
		n.shift[c] = float32(float64(n.beta.Data[c]) - float64(scale*float64(n.movingMean.Data[c])))
	}
}

// batch sets scale and shift of channels lo to hi-1 from the sums of z and z² over count values each, and moves the moving
// statistics.
func (n *norm) batch(sum, squares []float64, count, lo, hi int) {
	momentum := float32(n.momentum)
	rest := float32(1 - n.momentum)
	for c := lo; c < hi; c++ {
		mean := sum[c] / float64(count)
		variance := max(0, squares[c]/float64(count)-float64(mean*mean))
		inverse := 1 / math.Sqrt(variance+n.epsilon)
		n.mean[c], n.inverse[c] = mean, inverse
		scale := float64(float64(n.gamma.Data[c]) * inverse)
		n.scale[c] = float32(scale)
		n.shift[c] = float32(float64(n.beta.Data[c]) - float64(scale*mean))
		movingMean, movingVariance := &n.movingMean.Data[c], &n.movingVariance.Data[c]
		*movingMean = float32(*movingMean*momentum) + float32(float32(mean)*rest)
		*movingVariance = float32(*movingVariance*momentum) + float32(float32(variance)*rest)
	}
}

// gradients sets those of gamma and beta of channels lo to hi-1 and the coefficients of dz from the sums of d and d·z over count
// values each: dz = gamma·inverse·(d − mean(d) − x̂·mean(d·x̂)) with x̂ = (z − mean)·inverse.
func (n *norm) gradients(sum, product []float64, count, lo, hi int) {
	for c := lo; c < hi; c++ {
		d, mean, inverse := sum[c], n.mean[c], n.inverse[c]
		normed := float64((product[c] - float64(mean*d)) * inverse) // Σ d·x̂
		n.gamma.Grad[c] = float32(normed)
		n.beta.Grad[c] = float32(d)
		a := float64(float64(n.gamma.Data[c]) * inverse)
		b := -float64(float64(a*inverse)*normed) / float64(count)
		n.a[c], n.b[c] = float32(a), float32(b)
		n.c[c] = float32(-float64(a*d)/float64(count) - float64(b*mean))
	}
}
