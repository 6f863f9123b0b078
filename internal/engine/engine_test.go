package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/internal/kernel"
	"dcgan/internal/random"
)

// Layers, so that a test's networks read as a list.
func dense(units int) arch.Layer { return arch.Layer{Class: arch.Dense, Units: units} }
func conv(filters, kernel, strides int) arch.Layer {
	return arch.Layer{Class: arch.Conv2D, Filters: filters, Kernel: kernel, Strides: strides}
}
func convT(filters, kernel, strides int) arch.Layer {
	return arch.Layer{Class: arch.Conv2DTranspose, Filters: filters, Kernel: kernel, Strides: strides}
}
func act(function string) arch.Layer  { return arch.Layer{Class: arch.Activation, Function: function} }
func drop(rate float64) arch.Layer    { return arch.Layer{Class: arch.Dropout, Rate: rate} }
func reshape(shape ...int) arch.Layer { return arch.Layer{Class: arch.Reshape, Target: shape} }

var (
	norm1   = arch.Layer{Class: arch.BatchNormalization, Momentum: 0.9, Epsilon: 1e-3}
	leaky2  = arch.Layer{Class: arch.LeakyReLU, NegativeSlope: 0.2}
	relu    = act(arch.ReLU)
	tanhL   = act(arch.Tanh)
	sigmoid = act(arch.Sigmoid)
	flatten = arch.Layer{Class: arch.Flatten}
)

// named is a network with a name for its subtest.
type named struct {
	name   string
	input  arch.Shape
	layers []arch.Layer
}

func (n named) arch() arch.Network {
	return arch.Network{Name: n.name, Input: n.input, Layers: n.layers}
}

// chains are small networks in which layers follow each other in many orders, with sizes that fill no tile.
var chains = []named{
	{"dense", arch.Shape{1, 1, 7}, []arch.Layer{flatten, dense(5), leaky2, dense(1), sigmoid}},
	{"dense alone", arch.Shape{1, 1, 33}, []arch.Layer{flatten, dense(17)}},
	{"discriminator", arch.Shape{9, 7, 1}, []arch.Layer{
		conv(5, 3, 2), leaky2, drop(0.4), conv(17, 3, 2), leaky2, drop(0.4), flatten, dense(1), sigmoid}},
	{"generator", arch.Shape{1, 1, 6}, []arch.Layer{
		flatten, dense(30), norm1, relu, reshape(2, 3, 5), convT(17, 3, 2), norm1, relu, convT(3, 5, 2), norm1, relu, convT(1, 3, 1), tanhL}},
	{"norm, leaky, dropout", arch.Shape{7, 6, 3}, []arch.Layer{
		conv(5, 4, 2), norm1, leaky2, drop(0.4), conv(3, 2, 1), norm1, leaky2, drop(0.3), flatten, dense(1)}},
	{"activation before norm", arch.Shape{5, 6, 3}, []arch.Layer{conv(5, 3, 1), leaky2, norm1, drop(0.4), conv(1, 3, 2), relu, norm1, leaky2}},
	{"tanh and dropout", arch.Shape{5, 5, 1}, []arch.Layer{conv(3, 3, 1), tanhL, drop(0.4), conv(5, 3, 1), norm1, tanhL, drop(0.4), tanhL}},
	{"without weights", arch.Shape{3, 4, 5}, []arch.Layer{drop(0.2), norm1, leaky2, norm1, leaky2, leaky2, drop(0.4), drop(0.4), relu, tanhL, norm1}},
	{"no dropout", arch.Shape{4, 4, 3}, []arch.Layer{drop(0), conv(5, 3, 1), drop(0), leaky2, drop(0), norm1}},
	{"norm behind reshape", arch.Shape{1, 1, 7}, []arch.Layer{flatten, dense(30), reshape(2, 3, 5), norm1, relu, convT(3, 3, 2)}},
	{"norm behind flatten", arch.Shape{3, 4, 3}, []arch.Layer{conv(5, 3, 1), flatten, norm1, leaky2, dense(4)}},
	{"activation and dropout behind flatten", arch.Shape{5, 4, 3}, []arch.Layer{conv(5, 3, 1), flatten, leaky2, drop(0.4), dense(1)}},
	{"dot products", arch.Shape{5, 4, 16}, []arch.Layer{conv(32, 3, 2), leaky2, convT(4, 3, 2), norm1, leaky2, conv(1, 5, 1)}},
	{"two panels", arch.Shape{4, 3, 17}, []arch.Layer{conv(70, 3, 1), norm1, leaky2, convT(17, 4, 2), leaky2, convT(20, 3, 1), conv(33, 2, 2)}},
	{"long pairs", arch.Shape{15, 28, 33}, []arch.Layer{conv(34, 3, 2), norm1, leaky2, drop(0.4), conv(32, 3, 2), leaky2, convT(33, 3, 2)}},
	{"long pairs, odd sides", arch.Shape{27, 13, 33}, []arch.Layer{conv(34, 3, 2), leaky2, drop(0.4), conv(32, 3, 2), leaky2}},
	{"large dense layers", arch.Shape{1, 1, 70}, []arch.Layer{
		flatten, dense(4099), norm1, leaky2, drop(0.3), dense(70), norm1, leaky2, dense(1), sigmoid}},
	{"large dense layer without norm", arch.Shape{1, 1, 70}, []arch.Layer{flatten, dense(4099), leaky2, drop(0.4), dense(3)}},
	{"wide", arch.Shape{5, 2, 80}, []arch.Layer{conv(97, 3, 1), norm1, leaky2, drop(0.4), convT(82, 3, 1)}},
}

// convolutions are all kernels and strides there are, each way, between 1, 3, 5 and 17 channels.
var convolutions = func() (all []named) {
	channels := []int{1, 3, 5, 17}
	for k := 1; k <= arch.MaxKernel; k++ {
		for strides := 1; strides <= 2; strides++ {
			in, out := channels[(k+strides)%4], channels[(k*3+strides)%4]
			all = append(all,
				named{fmt.Sprintf("conv %d to %d, kernel %d, strides %d", in, out, k, strides), arch.Shape{5, 4, in}, []arch.Layer{conv(out, k, strides)}},
				named{fmt.Sprintf("transpose %d to %d, kernel %d, strides %d", out, in, k, strides), arch.Shape{3, 4, out}, []arch.Layer{convT(in, k, strides)}})
		}
	}
	return all
}()

func newPool(t testing.TB, threads int) *Pool {
	p := NewPool(threads)
	t.Cleanup(p.Close)
	return p
}

// newNetwork plans a network and gives it weights: random ones of a size that keeps values near 1.
func newNetwork(t testing.TB, a arch.Network, plan Plan) *Network {
	t.Helper()
	n, err := New(a, plan)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tensor := range n.Tensors {
		scale, offset := float32(0.25), float32(0)
		switch name := tensor.Name; {
		case strings.HasSuffix(name, "kernel"):
			fan := tensor.Shape.Size() / tensor.Shape[len(tensor.Shape)-1]
			scale = float32(math.Sqrt(3 / float64(fan)))
		case strings.HasSuffix(name, "gamma"), strings.HasSuffix(name, "moving_variance"):
			offset = 1
		}
		fill(rng, tensor.Data, scale)
		for i := range tensor.Data {
			tensor.Data[i] += offset
		}
	}
	n.Load()
	n.DrawMasks(random.New(3, random.Dropout, 1))
	return n
}

// fill draws from [-scale, scale).
func fill(rng *rand.Rand, dst []float32, scale float32) {
	for i := range dst {
		dst[i] = scale * (2*rng.Float32() - 1)
	}
}

// padded returns size random values with readable ones behind them, as kernels ask for; what is read there must not
// count, so it is not a number.
func padded(seed uint64, size int) []float32 {
	all := make([]float32, size+kernel.Slack)
	fill(rand.New(rand.NewPCG(seed, 4)), all[:size], 1)
	for i := size; i < len(all); i++ {
		all[i] = float32(math.NaN())
	}
	return all[:size]
}

// firstDifference returns the first index at which two lists differ in bits, or -1.
func firstDifference(a, b []float32) int {
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return i
		}
	}
	return -1
}
