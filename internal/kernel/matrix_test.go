package kernel

import (
	"math/rand/v2"
	"testing"
)

// gather is offsets of rows and taps into a buffer, some of them negative, and what of the buffer they reach.
type gather struct {
	rows   []int
	taps   []Tap
	aStart int // index of the offsets' origin in a
	aSize  int
	wStart int
	wSize  int
}

// newGather makes offsets for taps of k values a row and perTap weights.
func newGather(m *memory, r *rand.Rand, rows, nTaps, k, perTap int) gather {
	g := gather{rows: lend[int](m, 2*rows, 0), taps: lend[Tap](m, nTaps, 0)}
	for i := range g.rows[rows:] {
		g.rows[rows+i] = r.IntN(1 << 20) // of the next tile, which is not read
	}
	g.rows = g.rows[:rows]
	distinct := 1 + r.IntN(rows)
	for i := range g.rows {
		g.rows[i] = r.IntN(100) - 50
		if i >= distinct {
			g.rows[i] = g.rows[distinct-1]
		}
	}
	for i := range g.taps {
		g.taps[i] = Tap{A: r.IntN(100) - 50, W: r.IntN(100) - 50}
	}
	lowA, lowW, highA, highW := 0, 0, 0, 0
	for _, tap := range g.taps {
		for _, row := range g.rows {
			lowA, highA = min(lowA, row+tap.A), max(highA, row+tap.A+k)
		}
		lowW, highW = min(lowW, tap.W), max(highW, tap.W+perTap)
	}
	g.aStart, g.aSize, g.wStart, g.wSize = -lowA, highA-lowA, -lowW, highW-lowW
	return g
}

// newOutputs returns places for rows of some lanes in no order and with gaps, rows that repeat having one, and how
// many values they span.
func newOutputs(m *memory, r *rand.Rand, rows []int, lanes int) ([]int, int) {
	outs := lend[int](m, len(rows), 0)
	end := 0
	for i, place := range r.Perm(len(rows)) {
		outs[i] = place * (lanes + 3)
		if i > 0 && rows[i] == rows[i-1] {
			outs[i] = outs[i-1]
		}
		end = max(end, outs[i]+lanes)
	}
	return outs, end
}

// depths are the k to try: none, odd, and more than any unrolling.
var depths = []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 64, 100}

func input(m *memory, r *rand.Rand, k kind, n int) []float32 {
	values := fill(lend[float32](m, n, Slack), r, k)
	poison(values)
	return values
}

// pointer returns the address of values[i], where there may be no such value.
func pointer(values []float32, i int) *float32 {
	return &values[: len(values)+1 : cap(values)][i]
}

func firstTap(taps []Tap) *Tap {
	if len(taps) == 0 {
		return nil
	}
	return &taps[0]
}

func checkTile(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	k := depths[r.IntN(len(depths))]
	g := newGather(m, r, set.Rows, r.IntN(5), k, k*set.Lanes)
	a, w := input(m, r, kind, g.aSize), input(m, r, kind, g.wSize)
	bias := input(m, r, kind, set.Lanes)
	outs, size := newOutputs(m, r, g.rows, set.Lanes)
	out := fill(lend[float32](m, size, 0), r, kind)

	want := append([]float32(nil), out...)
	for row, o := range outs {
		for l := range set.Lanes {
			sum := bias[l]
			for _, tap := range g.taps {
				for i := range k {
					sum = fma(a[g.aStart+g.rows[row]+tap.A+i], w[g.wStart+tap.W+i*set.Lanes+l], sum)
				}
			}
			want[o+l] = sum
		}
	}
	set.Tile(&out[0], pointer(a, g.aStart), pointer(w, g.wStart), &bias[0], &g.rows[0], &outs[0], firstTap(g.taps), len(g.taps), k)
	compare(t, "out", out, want)
}

func checkOuter(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	nPixels := r.IntN(20)
	offsets := lend[int](m, set.OuterRows, 0)
	for i := range offsets {
		offsets[i] = r.IntN(40) - 20
	}
	pixels := lend[Pair](m, nPixels, 0)
	for i := range pixels {
		pixels[i] = Pair{X: 20 + r.IntN(100), Y: r.IntN(100)}
	}
	xSize, ySize := 1, 1
	for _, p := range pixels {
		for _, o := range offsets {
			xSize = max(xSize, p.X+o+1)
		}
		ySize = max(ySize, p.Y+set.Lanes)
	}
	x, y := input(m, r, kind, xSize), input(m, r, kind, ySize)
	acc := fill(lend[float32](m, set.OuterRows*set.Lanes, 0), r, kind)

	want := append([]float32(nil), acc...)
	for row, o := range offsets {
		for l := range set.Lanes {
			sum := &want[row*set.Lanes+l]
			for _, p := range pixels {
				*sum = fma(x[p.X+o], y[p.Y+l], *sum)
			}
		}
	}
	var first *Pair
	if nPixels > 0 {
		first = &pixels[0]
	}
	set.Outer(&acc[0], &x[0], &y[0], &offsets[0], first, nPixels, &y[0], r.IntN(1000))
	compare(t, "acc", acc, want)
}

func checkProducts(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	tiles, xStride, yStride, add := r.IntN(40), r.IntN(100), r.IntN(100), r.IntN(2) == 1
	x := input(m, r, kind, max(0, tiles-1)*xStride+set.OuterRows)
	y := input(m, r, kind, max(0, tiles-1)*yStride+set.Lanes)
	acc := fill(lend[float32](m, set.OuterRows*set.Lanes, 0), r, kind)
	want := append([]float32(nil), acc...)
	for i := range want {
		if !add {
			want[i] = 0
		}
		for tile := range tiles {
			want[i] = fma(x[tile*xStride+i/set.Lanes], y[tile*yStride+i%set.Lanes], want[i])
		}
	}
	set.Products(&acc[0], &x[0], &y[0], tiles, xStride, yStride, add)
	compare(t, "acc", acc, want)
}

func checkDot(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	k := r.IntN(6) * DotLanes
	g := newGather(m, r, set.DotRows, r.IntN(5), k, k)
	a, w := input(m, r, kind, g.aSize), input(m, r, kind, g.wSize)
	bias := value(r, kind)
	outs, size := newOutputs(m, r, g.rows, 1)
	out := fill(lend[float32](m, size, 0), r, kind)

	want := append([]float32(nil), out...)
	for row, o := range outs {
		sums := make([]float32, DotLanes)
		for _, tap := range g.taps {
			for i := range k {
				l := i % DotLanes
				sums[l] = fma(a[g.aStart+g.rows[row]+tap.A+i], w[g.wStart+tap.W+i], sums[l])
			}
		}
		for len(sums) > 1 {
			half := len(sums) / 2
			for l := range half {
				sums[l] += sums[half+l]
			}
			sums = sums[:half]
		}
		want[o] = sums[0] + bias
	}
	set.Dot(&out[0], pointer(a, g.aStart), pointer(w, g.wStart), bias, &g.rows[0], &outs[0], firstTap(g.taps), len(g.taps), k)
	compare(t, "out", out, want)
}

// The variants' sizes must fit what callers reserve.
func TestLimits(t *testing.T) {
	for _, set := range Variants {
		if max(set.Rows, set.OuterRows) > MaxRows || set.Lanes > MaxLanes || set.Lanes > Slack {
			t.Errorf("%s: tiles of %d×%d, more than the package says", set.Name, set.Rows, set.Lanes)
		}
	}
}
