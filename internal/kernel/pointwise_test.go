package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// number is how many channels or values to try: mostly whole vectors and some more, now and then none.
func number(r *rand.Rand) int { return r.IntN(5)*16 + []int{0, 0, 1, 7, 8, 9, 15}[r.IntN(7)] }

func doubles(m *memory, r *rand.Rand, n int) []float64 {
	values := lend[float64](m, n, 0)
	for i := range values {
		values[i] = r.NormFloat64()
	}
	return values
}

// block is a block of channels in rows that are wider.
type block struct{ channels, rows, stride, size int }

func newBlock(r *rand.Rand) block {
	b := block{channels: number(r), rows: r.IntN(12)}
	b.stride = b.channels + r.IntN(2)*r.IntN(40)
	if b.rows > 0 {
		b.size = (b.rows-1)*b.stride + b.channels
	}
	return b
}

func checkSums(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	b := newBlock(r)
	x, sum := fill(lend[float32](m, b.size, 0), r, kind), doubles(m, r, b.channels)
	want := copyOf(m, sum)
	Generic.Sums(want, x, b.rows, b.stride)
	set.Sums(sum, x, b.rows, b.stride)
	compare(t, "sum", sum, want)
}

func checkMoments(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	b := newBlock(r)
	x := fill(lend[float32](m, b.size, 0), r, kind)
	sum, squares := doubles(m, r, b.channels), doubles(m, r, b.channels)
	wantSum, wantSquares := copyOf(m, sum), copyOf(m, squares)
	Generic.Moments(wantSum, wantSquares, x, b.rows, b.stride)
	set.Moments(sum, squares, x, b.rows, b.stride)
	compare(t, "sum", sum, wantSum)
	compare(t, "squares", squares, wantSquares)
}

func checkNormGrads(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	b := newBlock(r)
	dy, z := fill(lend[float32](m, b.size, 0), r, kind), fill(lend[float32](m, b.size, 0), r, kind)
	scale, shift := fill(lend[float32](m, b.channels, 0), r, kind), fill(lend[float32](m, b.channels, 0), r, kind)
	sum, product := doubles(m, r, b.channels), doubles(m, r, b.channels)
	wantSum, wantProduct := copyOf(m, sum), copyOf(m, product)
	slope := value(r, kind)
	Generic.NormGrads(wantSum, wantProduct, dy, z, scale, shift, slope, b.rows, b.stride)
	set.NormGrads(sum, product, dy, z, scale, shift, slope, b.rows, b.stride)
	compare(t, "sum", sum, wantSum)
	compare(t, "product", product, wantProduct)
}

func checkScale(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	b := newBlock(r)
	n := b.channels * b.rows
	inPlace := r.IntN(2) == 0
	if inPlace {
		b.stride, b.size = b.channels, n
	}
	z := fill(lend[float32](m, b.size, 0), r, kind)
	scale, shift := fill(lend[float32](m, b.channels, 0), r, kind), fill(lend[float32](m, b.channels, 0), r, kind)
	slope := value(r, kind)
	want, got := lend[float32](m, n, 0), lend[float32](m, n, 0)
	Generic.Scale(want, z, scale, shift, slope, b.rows, b.stride)
	if inPlace {
		got = z
	}
	set.Scale(got, z, scale, shift, slope, b.rows, b.stride)
	compare(t, "y", got, want)
}

func checkNormBack(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	channels, rows := number(r), r.IntN(12)
	n := channels * rows
	dy, z := fill(lend[float32](m, n, 0), r, kind), fill(lend[float32](m, n, 0), r, kind)
	scale, shift := fill(lend[float32](m, channels, 0), r, kind), fill(lend[float32](m, channels, 0), r, kind)
	a, b, c := fill(lend[float32](m, channels, 0), r, kind), fill(lend[float32](m, channels, 0), r, kind), fill(lend[float32](m, channels, 0), r, kind)
	want := copyOf(m, dy)
	slope := value(r, kind)
	Generic.NormBack(want, z, scale, shift, a, b, c, slope, rows)
	set.NormBack(dy, z, scale, shift, a, b, c, slope, rows)
	compare(t, "dy", dy, want)
}

// someMask returns a mask of n bits or none.
func someMask(m *memory, r *rand.Rand, n int) []uint64 {
	if r.IntN(3) == 0 {
		return nil
	}
	mask := lend[uint64](m, (n+63)/64, 0)
	for i := range mask {
		mask[i] = r.Uint64()
	}
	return mask
}

func checkLeaky(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	y := fill(lend[float32](m, 3*number(r), 0), r, kind)
	above, mask := someMask(m, r, len(y)), someMask(m, r, len(y))
	slope, scale := value(r, kind), value(r, kind)
	want, wantAbove := copyOf(m, y), above
	if above != nil {
		wantAbove = copyOf(m, above)
	}
	Generic.Leaky(want, wantAbove, mask, slope, scale)
	set.Leaky(y, above, mask, slope, scale)
	compare(t, "y", y, want)
	if !slices.Equal(above, wantAbove) {
		t.Fatalf("above is %x, want %x", above, wantAbove)
	}
}

func checkLeakyBack(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	dy := fill(lend[float32](m, 3*number(r), 0), r, kind)
	above, mask := someMask(m, r, len(dy)), someMask(m, r, len(dy))
	slope, scale := value(r, kind), value(r, kind)
	want := copyOf(m, dy)
	Generic.LeakyBack(want, above, mask, slope, scale)
	set.LeakyBack(dy, above, mask, slope, scale)
	compare(t, "dy", dy, want)
}

func checkAdam(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	g := fill(lend[float32](m, number(r), 0), r, kind)
	w, mean, v := fill(copyOf(m, g), r, kind), fill(copyOf(m, g), r, kind), fill(copyOf(m, g), r, kind)
	if kind == ordinary {
		for i := range v {
			v[i] *= v[i]
		}
	}
	wantW, wantMean, wantV := copyOf(m, w), copyOf(m, mean), copyOf(m, v)
	rate, keep1, keep2, epsilon := value(r, kind), r.Float32(), r.Float32(), r.Float32()/1000
	for range 2 {
		want := Generic.Adam(wantW, g, wantMean, wantV, rate, keep1, keep2, epsilon)
		if got := set.Adam(w, g, mean, v, rate, keep1, keep2, epsilon); got != want {
			t.Errorf("finite: %v, want %v", got, want)
		}
	}
	compare(t, "m", mean, wantMean)
	compare(t, "v", v, wantV)
	compare(t, "w", w, wantW)
}

func checkAdd(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	src := fill(lend[float32](m, number(r), 0), r, kind)
	dst := fill(lend[float32](m, len(src), 0), r, kind)
	want := copyOf(m, dst)
	Generic.Add(want, src)
	set.Add(dst, src)
	compare(t, "dst", dst, want)
}

func checkCopyRows(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	n, rows := number(r), r.IntN(6)
	dstStep, srcStep := n+r.IntN(2)*r.IntN(20), n+r.IntN(2)*r.IntN(20)
	size := func(step int) int { return max(0, (rows-1)*step+n) }
	src, dst := fill(lend[float32](m, size(srcStep), 0), r, kind), fill(lend[float32](m, size(dstStep), 0), r, kind)
	want := copyOf(m, dst)
	Generic.CopyRows(want, dstStep, src, srcStep, n, rows)
	set.CopyRows(dst, dstStep, src, srcStep, n, rows)
	compare(t, "dst", dst, want)
}

func checkTranspose(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	rows, columns := number(r), number(r)
	dstStep, srcStep := rows+r.IntN(2)*r.IntN(20), columns+r.IntN(2)*r.IntN(20)
	src := fill(lend[float32](m, max(0, (rows-1)*srcStep+columns), 0), r, kind)
	dst := fill(lend[float32](m, max(0, (columns-1)*dstStep+rows), 0), r, kind)
	want := copyOf(m, dst)
	Generic.Transpose(want, dstStep, src, srcStep, rows, columns)
	set.Transpose(dst, dstStep, src, srcStep, rows, columns)
	compare(t, "dst", dst, want)
}

func checkTanh(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	y := fill(lend[float32](m, number(r), 0), r, kind)
	want := copyOf(m, y)
	Generic.Tanh(want)
	set.Tanh(y)
	compare(t, "y", y, want)
}

// TestTanhEverywhere compares values of every size, which those that are drawn at random do not reach.
func TestTanhEverywhere(t *testing.T) {
	var x []float32
	for bits := uint64(0); bits < 1<<32; bits += 9973 {
		x = append(x, math.Float32frombits(uint32(bits)))
	}
	want, got := slices.Clone(x), slices.Clone(x)
	Generic.Tanh(want)
	for i := range Variants {
		copy(got, x)
		Variants[i].Tanh(got)
		compare(t, Variants[i].Name, got, want)
	}
}

// The plain Go, which the others are compared with, computes what it should.
func TestMeaning(t *testing.T) {
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	sum, squares := []float64{1, 0}, []float64{0, 2}
	Generic.Moments(sum, squares, []float32{1, -2, 9, 3, 4}, 2, 3)
	compare(t, "sum", sum, []float64{5, 2})
	compare(t, "squares", squares, []float64{10, 22})
	Generic.Sums(sum, []float32{1, -2, 9, 3, 4}, 2, 3)
	compare(t, "sum", sum, []float64{9, 4})

	sum, product := []float64{0, 0}, []float64{0, 0}
	Generic.NormGrads(sum, product, []float32{2, 4, 6, 8}, []float32{1, 2, 3, 4}, []float32{-1, 2}, []float32{3, -7}, 0.5, 2, 2)
	compare(t, "sum", sum, []float64{2 + 3, 2 + 8})
	compare(t, "product", product, []float64{2 + 9, 4 + 32})

	y := make([]float32, 4)
	Generic.Scale(y, []float32{1, 2, -1, -2}, []float32{2, 3}, []float32{1, -10}, 0.25, 2, 2)
	compare(t, "y", y, []float32{3, -1, -0.25, -4})
	Generic.NormBack(y, []float32{1, 2, 3, 4}, []float32{-1, -1}, []float32{3, 3},
		[]float32{2, 3}, []float32{10, 20}, []float32{100, 200}, 0.5, 2)
	compare(t, "dy", y, []float32{6 + 110, -3 + 240, -0.25 + 130, -6 + 280})

	y = []float32{1, -2, 3, -4}
	above := []uint64{0b1011}
	Generic.Leaky(y, above, []uint64{0b0111}, 0.5, 2)
	compare(t, "y", y, []float32{2, -2, 6, 0})
	dy := []float32{1, 2, 3, 4}
	Generic.LeakyBack(dy, above, []uint64{0b0111}, 0.5, 2)
	compare(t, "dy", dy, []float32{2, 2, 6, 0})

	w, m, v := []float32{1}, []float32{0.5}, []float32{0.25}
	Generic.Adam(w, []float32{2}, m, v, 0.1, 0.1, 0.01, 1e-7)
	near("m", float64(m[0]), 0.9*0.5+0.1*2)
	near("v", float64(v[0]), 0.99*0.25+0.01*4)
	near("w", float64(w[0]), 1-0.1*0.65/(math.Sqrt(0.2875)+1e-7))
}

// TestAdamFinite puts each kind of number at each place of what Adam moves and of the gradient.
func TestAdamFinite(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for s := range Variants {
		set := &Variants[s]
		for at := range 40 {
			for which := range 4 {
				for _, value := range []float32{0, float32(math.Copysign(0, -1)), 1e18, 1e-40, nan, -nan, inf, -inf} {
					tensors := [4][]float32{}
					for i := range tensors {
						tensors[i] = make([]float32, 40)
					}
					tensors[which][at] = value
					got := set.Adam(tensors[0], tensors[1], tensors[2], tensors[3], 1e-3, 0.1, 1e-3, 1e-7)
					if want := value-value == 0; got != want {
						t.Fatalf("%s: %g at %d of tensor %d: %v", set.Name, value, at, which, got)
					}
				}
			}
		}
	}
}
