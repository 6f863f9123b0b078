package engine

import (
	"math"

	"dcgan/arch"
)

// reference computes a network in training mode in float64, as plainly as can be: every convolution on an image with
// its zeros around it.
type reference struct {
	arch    arch.Network
	shapes  []arch.Shape
	weights [][]float64 // in the order of the network's tensors
	keep    func(layer, image, value int) bool
	batch   int

	signs []bool // whether each input of a rectifier was above zero, in the last forward
}

// newReference takes the weights and masks of a network.
func newReference(n *Network) *reference {
	shapes, err := n.Arch.Shapes()
	if err != nil {
		panic(err)
	}
	r := &reference{arch: n.Arch, shapes: shapes, batch: n.batch}
	for _, t := range n.Tensors {
		r.weights = append(r.weights, doubles(t.Data))
	}
	r.keep = func(layer, image, value int) bool {
		masks, words, _ := n.Masks(layer)
		return masks[image*words+value/64]>>(value%64)&1 == 1
	}
	return r
}

func doubles(from []float32) []float64 {
	to := make([]float64, len(from))
	for i, v := range from {
		to[i] = float64(v)
	}
	return to
}

func (r *reference) forward(x []float64) []float64 {
	r.signs = r.signs[:0]
	weights := r.weights
	next := func() []float64 {
		w := weights[0]
		weights = weights[1:]
		return w
	}
	shape, dropouts := r.arch.Input, 0
	for i, layer := range r.arch.Layers {
		out := r.shapes[i]
		switch layer.Class {
		case arch.Dense:
			x = r.each(x, shape, out, func(to, from []float64, w, bias []float64) {
				for u := range to {
					to[u] = bias[u]
					for k, v := range from {
						to[u] += v * w[k*len(to)+u]
					}
				}
			}, next(), next())
		case arch.Conv2D:
			x = r.each(x, shape, out, func(to, from []float64, w, bias []float64) {
				convolve(to, from, w, bias, shape, out, layer.Kernel, layer.Strides)
			}, next(), next())
		case arch.Conv2DTranspose:
			x = r.each(x, shape, out, func(to, from []float64, w, bias []float64) {
				transpose(to, from, w, bias, shape, out, layer.Kernel, layer.Strides)
			}, next(), next())
		case arch.BatchNormalization:
			x = normalise(x, next(), next(), layer.Epsilon)
			next()
			next()
		case arch.LeakyReLU:
			x = r.rectify(x, layer.NegativeSlope)
		case arch.Activation:
			switch layer.Function {
			case arch.ReLU:
				x = r.rectify(x, 0)
			case arch.Tanh:
				x = apply(x, math.Tanh)
			}
		case arch.Dropout:
			if layer.Rate == 0 {
				break
			}
			size, to := shape.Size(), make([]float64, len(x))
			for j, v := range x {
				if r.keep(dropouts, j/size, j%size) {
					to[j] = v / (1 - layer.Rate)
				}
			}
			x = to
			dropouts++
		}
		shape = out
	}
	return x
}

func (r *reference) each(x []float64, in, out arch.Shape, f func(to, from, w, bias []float64), w, bias []float64) []float64 {
	y := make([]float64, r.batch*out.Size())
	for i := range r.batch {
		f(y[i*out.Size():][:out.Size()], x[i*in.Size():][:in.Size()], w, bias)
	}
	return y
}

func apply(x []float64, f func(float64) float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}

func (r *reference) rectify(x []float64, slope float64) []float64 {
	return apply(x, func(v float64) float64 {
		r.signs = append(r.signs, v > 0)
		if v > 0 {
			return v
		}
		return v * slope
	})
}

func normalise(x, gamma, beta []float64, epsilon float64) []float64 {
	channels := len(gamma)
	count := float64(len(x) / channels)
	y := make([]float64, len(x))
	for c := range channels {
		mean, variance := 0.0, 0.0
		for i := c; i < len(x); i += channels {
			mean += x[i] / count
		}
		for i := c; i < len(x); i += channels {
			variance += (x[i] - mean) * (x[i] - mean) / count
		}
		for i := c; i < len(x); i += channels {
			y[i] = gamma[c]*(x[i]-mean)/math.Sqrt(variance+epsilon) + beta[c]
		}
	}
	return y
}

// pad returns how many zeros `same` puts before and behind a big side, so that small windows a stride apart fit.
func pad(big, small, kernel, stride int) (before, behind int) {
	zeros := max((small-1)*stride+kernel-big, 0)
	return zeros / 2, zeros - zeros/2
}

// convolve slides a window over the image with its zeros around it; w is [row][column][in][out].
func convolve(to, from, w, bias []float64, in, out arch.Shape, kernel, stride int) {
	top, bottom := pad(in[0], out[0], kernel, stride)
	left, right := pad(in[1], out[1], kernel, stride)
	width := left + in[1] + right
	image := make([]float64, (top+in[0]+bottom)*width*in[2])
	for y := range in[0] {
		copy(image[((top+y)*width+left)*in[2]:], from[y*in[1]*in[2]:][:in[1]*in[2]])
	}
	for y := range out[0] {
		for x := range out[1] {
			pixel := to[(y*out[1]+x)*out[2]:][:out[2]]
			copy(pixel, bias)
			for i := range kernel {
				for j := range kernel {
					for c := range in[2] {
						v := image[((y*stride+i)*width+x*stride+j)*in[2]+c]
						row := w[((i*kernel+j)*in[2]+c)*out[2]:][:out[2]]
						for f := range pixel {
							pixel[f] += v * row[f]
						}
					}
				}
			}
		}
	}
}

// transpose lays a window on a large image for every input pixel and cuts the image out; w is [row][column][out][in].
func transpose(to, from, w, bias []float64, in, out arch.Shape, kernel, stride int) {
	top, bottom := pad(out[0], in[0], kernel, stride)
	left, right := pad(out[1], in[1], kernel, stride)
	width := left + out[1] + right
	image := make([]float64, (top+out[0]+bottom)*width*out[2])
	for y := range in[0] {
		for x := range in[1] {
			pixel := from[(y*in[1]+x)*in[2]:][:in[2]]
			for i := range kernel {
				for j := range kernel {
					for f := range out[2] {
						row := w[((i*kernel+j)*out[2]+f)*in[2]:][:in[2]]
						at := ((y*stride+i)*width+x*stride+j)*out[2] + f
						for c, v := range pixel {
							image[at] += v * row[c]
						}
					}
				}
			}
		}
	}
	for y := range out[0] {
		for x := range out[1] {
			for f := range out[2] {
				to[(y*out[1]+x)*out[2]+f] = image[((top+y)*width+left+x)*out[2]+f] + bias[f]
			}
		}
	}
}

// crossEntropy is the mean of −t·log p − (1−t)·log(1−p), in a form that no logit makes infinite.
func crossEntropy(logits, targets []float64) float64 {
	sum := 0.0
	for i, x := range logits {
		sum += math.Max(x, 0) - x*targets[i] + math.Log1p(math.Exp(-math.Abs(x)))
	}
	return sum / float64(len(logits))
}
