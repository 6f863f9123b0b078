package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// exact computes x·y + z with big numbers, which round to float32 once, to subnormal ones too.
func exact(x, y, z float32) float32 {
	sum := float64(x)*float64(y) + float64(z)
	if math.IsNaN(sum) || math.IsInf(sum, 0) { // big numbers know no NaN; an infinite sum has an infinite operand
		return float32(sum)
	}
	number := func(v float32) *big.Float { return new(big.Float).SetPrec(1000).SetFloat64(float64(v)) }
	product := new(big.Float).SetPrec(1000).Mul(number(x), number(y))
	result, _ := product.Add(product, number(z)).Float32()
	return result
}

// triples are operands of a multiply-add: any, and such as are hard to round.
var triples = map[string]func(r *rand.Rand) (x, y, z float32){
	"ordinary": func(r *rand.Rand) (x, y, z float32) {
		return value(r, ordinary), value(r, ordinary), value(r, ordinary)
	},
	"special": func(r *rand.Rand) (x, y, z float32) { return value(r, extreme), value(r, extreme), value(r, extreme) },
	"any": func(r *rand.Rand) (x, y, z float32) {
		return value(r, anything), value(r, anything), value(r, anything)
	},
	// The product is half of the last bit of z and a trifle, of which float64 may hold nothing.
	"tie of sum": func(r *rand.Rand) (x, y, z float32) {
		z = float32(1<<23 + r.IntN(1<<23))
		if r.IntN(4) == 0 {
			z = float32(int(1) << (20 + r.IntN(5)))
		}
		near := func() float64 { return 1 + float64(r.IntN(5)-2)*0x1p-23 }
		return float32(near() / 2), float32(near()), sign(r) * z
	},
	// The product lies between two float32, and z is a trifle.
	"tie of product": func(r *rand.Rand) (x, y, z float32) {
		x, y = float32(1<<11+1|r.IntN(1<<11)), float32(1<<12+1|r.IntN(1<<12))
		return x, sign(r) * y, sign(r) * float32(math.Ldexp(r.Float64(), -r.IntN(140)))
	},
	// As a tie of the sum, but in float32's smallest unit.
	"subnormal": func(r *rand.Rand) (x, y, z float32) {
		near := func() float64 { return 1 + float64(r.IntN(5)-2)*0x1p-23 }
		x, y = float32(math.Ldexp(near(), -100)), float32(math.Ldexp(near(), -50+r.IntN(4)))
		return x, sign(r) * y, sign(r) * math.Float32frombits(r.Uint32N(1<<24))
	},
	"overflow": func(r *rand.Rand) (x, y, z float32) {
		x, y = float32(1+float64(r.IntN(4))*0x1p-23)*0x1p52, float32(1-float64(r.IntN(4))*0x1p-24)*0x1p51
		return x, y, math.MaxFloat32 * (1 - float32(r.IntN(3))*0x1p-24)
	},
	"cancelling": func(r *rand.Rand) (x, y, z float32) {
		x, y = value(r, ordinary), value(r, ordinary)
		return x, y, -x * y
	},
}

func sign(r *rand.Rand) float32 { return float32(1 - 2*r.IntN(2)) }

func TestFMA(t *testing.T) {
	for name, triple := range triples {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for range 20000 {
				x, y, z := triple(r)
				if got, want := fma(x, y, z), exact(x, y, z); !same(got, want) {
					t.Fatalf("%x · %x + %x is %x, want %x", x, y, z, got, want)
				}
				if got, want := fmaOdd(x, y, z), exact(x, y, z); !same(got, want) {
					t.Fatalf("the rare path: %x · %x + %x is %x, want %x", x, y, z, got, want)
				}
			}
		})
	}
}

// The processor's own multiply-adds, one in each kernel that has them, agree.
func TestFMAOfVariants(t *testing.T) {
	for i := range Variants {
		set := &Variants[i]
		for name, triple := range triples {
			t.Run(set.Name+"/"+name, func(t *testing.T) {
				r := rand.New(rand.NewPCG(3, 4))
				for range 500 {
					oneFMA(t, set, r, triple)
				}
			})
		}
	}
}

// oneFMA has Tile, Outer and Scale compute a multiply-add a lane.
func oneFMA(t *testing.T, set *Set, r *rand.Rand, triple func(r *rand.Rand) (x, y, z float32)) {
	var rows, outs [MaxRows]int
	var x, y, z, want, out [MaxLanes]float32
	acc := make([]float32, MaxRows*MaxLanes)
	for l := range x[:set.Lanes] {
		x[l], y[l], z[l] = triple(r)
		x[l] = x[0] // the matrix kernels' lanes share it
		want[l] = fma(x[l], y[l], z[l])
	}
	copy(acc, z[:])
	set.Tile(&out[0], &x[0], &y[0], &z[0], &rows[0], &outs[0], &Tap{}, 1, 1)
	compare(t, "Tile", out[:set.Lanes], want[:set.Lanes])
	set.Outer(&acc[0], &x[0], &y[0], &rows[0], &Pair{}, 1, &y[0], 0)
	compare(t, "Outer", acc[:set.Lanes], want[:set.Lanes])
	for l := range x {
		x[l], y[l], z[l] = triple(r)
		want[l] = fma(x[l], y[l], z[l])
	}
	set.Scale(out[:], x[:], y[:], z[:], 1, 1, len(y))
	compare(t, "Scale", out[:], want[:])
}

func BenchmarkFMA(b *testing.B) {
	x, y, z := float32(0.5), float32(0.25), float32(0.125)
	for b.Loop() {
		z = fma(x, y, z)
		x = -x
	}
}
