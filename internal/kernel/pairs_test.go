package kernel

import (
	"math/rand/v2"
	"testing"
)

func init() {
	checks = append(checks, []struct {
		name  string
		check func(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind)
	}{
		{"PairIn", checkPairIn},
		{"PairOut", checkPairOut},
		{"PairKernel", checkPairKernel},
		{"PairLongKernel", checkPairLongKernel},
		{"PairGradIn", checkPairGradIn},
		{"PairGradOut", checkPairGradOut},
	}...)
}

// pairTiles is the m of every tile whose gradients are filtered too; PairLong has none.
var pairTiles = []int{2, 3, 4, PairWhole}

// TestPairsConvolve holds the transforms of a tile of every size against the sums that they stand for.
func TestPairsConvolve(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, m := range append(pairTiles, PairLong) {
		const n = 16
		outputs, places := PairOutputs(m), PairPlaces(m)
		d, taps, bias := randomValues(r, (outputs+1)*n), randomValues(r, 2*n), randomValues(r, n)
		v, y := make([]float32, places*n), make([]float32, outputs*n)
		pairInGeneric(m, 0, v, n, 0, inputs(m, d, n), n, 0, n, 1)
		for i := range n {
			long := pairLongKernel(taps[i], taps[n+i], 7)
			u, single := long[:], long[PairLongKinds-1]
			if m != PairLong {
				u[0], u[1], u[2], u[3], u[4], single = pairKernel(taps[i], taps[n+i], 7)
			}
			if single != 7 {
				t.Fatalf("the single tap became %v", single)
			}
			for place := range places {
				v[place*n+i] *= u[place]
			}
		}
		pairOutGeneric(m, y, n, 0, v, n, 0, bias, 0, 0, n, 1)
		for j := range outputs {
			for i := range n {
				want := float64(bias[i]) + float64(d[j*n+i])*float64(taps[i]) + float64(d[(j+1)*n+i])*float64(taps[n+i])
				if off := want - float64(y[j*n+i]); off > 1e-5 || off < -1e-5 {
					t.Fatalf("m = %d: output %d is %v, the sum %v", m, j, y[j*n+i], want)
				}
			}
		}
	}
}

// inputs returns what PairIn reads of a tile's inputs, rows of n values. The first and last of a whole row become zeros.
func inputs(m int, d []float32, n int) []float32 {
	if m != PairWhole {
		return d
	}
	clear(d[:n])
	clear(d[len(d)-n:])
	return d[n:]
}

// TestPairGradients holds the gradients of taps from a tile of every size against the sums that they stand for.
func TestPairGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, m := range pairTiles {
		const n = 16
		outputs, places := PairOutputs(m), PairPlaces(m)
		d, dy := randomValues(r, (outputs+1)*n), randomValues(r, outputs*n)
		v, w := make([]float32, places*n), make([]float32, places*n)
		u, taps := make([]float32, PairKinds*n), make([]float32, 3*n)
		pairInGeneric(m, 0, v, n, 0, inputs(m, d, n), n, 0, n, 1)
		pairGradInGeneric(m, w, n, 0, dy, n, 0, n, 1)
		for i := range v {
			u[i] = v[i] * w[i]
		}
		pairGradOutGeneric(taps, n, u, n, n)
		for tap := range 2 {
			for i := range n {
				want := 0.
				for j := range outputs {
					want += float64(d[(j+tap)*n+i]) * float64(dy[j*n+i])
				}
				if off := want - float64(taps[tap*n+i]); off > 1e-5 || off < -1e-5 {
					t.Fatalf("m = %d: tap %d is %v, the sum %v", m, tap, taps[tap*n+i], want)
				}
			}
		}
	}
}

func anyOf(r *rand.Rand, tiles []int) int { return tiles[r.IntN(len(tiles))] }

// newStrip is a step, a next and the size of count groups of some rows of n values.
func newStrip(r *rand.Rand, rows, n, count int) (step, next, size int) {
	step = n + r.IntN(2)*r.IntN(20)
	next = rows*step + r.IntN(2)*r.IntN(20)
	return step, next, (rows-1)*step + (count-1)*next + n
}

func checkPairIn(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	tile, n, count := anyOf(r, append(pairTiles, PairLong)), numberOfChannels(r), 1+r.IntN(3)
	edges := r.IntN(4)
	srcStep, srcNext, srcSize := newStrip(r, PairInputs(tile, edges), n, count)
	dstStep, dstNext, dstSize := newStrip(r, PairPlaces(tile), n, count)
	src, got := fill(lend[float32](m, srcSize, 0), r, kind), fill(lend[float32](m, dstSize, 0), r, kind)
	want := copyOf(m, got)
	Generic.PairIn(tile, edges, want, dstStep, dstNext, src, srcStep, srcNext, n, count)
	set.PairIn(tile, edges, got, dstStep, dstNext, src, srcStep, srcNext, n, count)
	compare(t, "place", got, want)
}

func checkPairOut(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	tile, n, count := anyOf(r, append(pairTiles, PairLong)), numberOfChannels(r), 1+r.IntN(3)
	srcStep, srcNext, srcSize := newStrip(r, PairPlaces(tile), n, count)
	dstStep, dstNext, dstSize := newStrip(r, PairOutputs(tile), n, count)
	addStep, addNext, addSize := newStrip(r, PairOutputs(tile), n, count)
	if r.IntN(2) == 0 {
		addStep, addNext, addSize = 0, 0, n
	}
	src, got := fill(lend[float32](m, srcSize, 0), r, kind), fill(lend[float32](m, dstSize, 0), r, kind)
	add, want := fill(lend[float32](m, addSize, 0), r, kind), copyOf(m, got)
	Generic.PairOut(tile, want, dstStep, dstNext, src, srcStep, srcNext, add, addStep, addNext, n, count)
	set.PairOut(tile, got, dstStep, dstNext, src, srcStep, srcNext, add, addStep, addNext, n, count)
	compare(t, "output", got, want)
}

func checkPairGradIn(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	tile, n, count := anyOf(r, pairTiles), numberOfChannels(r), 1+r.IntN(3)
	srcStep, srcNext, srcSize := newStrip(r, PairOutputs(tile), n, count)
	dstStep, dstNext, dstSize := newStrip(r, PairPlaces(tile), n, count)
	src, got := fill(lend[float32](m, srcSize, 0), r, kind), fill(lend[float32](m, dstSize, 0), r, kind)
	want := copyOf(m, got)
	Generic.PairGradIn(tile, want, dstStep, dstNext, src, srcStep, srcNext, n, count)
	set.PairGradIn(tile, got, dstStep, dstNext, src, srcStep, srcNext, n, count)
	compare(t, "place", got, want)
}

func checkPairKernel(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	checkTaps(t, m, r, kind, "place", set.Lanes, 3, PairKinds, Generic.PairKernel, set.PairKernel)
}

func checkPairLongKernel(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	checkTaps(t, m, r, kind, "place", set.Lanes, 3, PairLongKinds, Generic.PairLongKernel, set.PairLongKernel)
}

func checkPairGradOut(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	checkTaps(t, m, r, kind, "tap", set.Lanes, PairKinds, 3, Generic.PairGradOut, set.PairGradOut)
}

// checkTaps checks a transform between taps and places.
func checkTaps(t *testing.T, m *memory, r *rand.Rand, kind kind, what string, lanes, ins, outs int,
	generic, variant func(dst []float32, dstStep int, src []float32, srcStep, n int)) {
	lanes *= 1 + r.IntN(2)
	srcStep, dstStep := lanes+r.IntN(2)*r.IntN(20), lanes+r.IntN(2)*r.IntN(20)
	src := fill(lend[float32](m, (ins-1)*srcStep+lanes, 0), r, kind)
	got := fill(lend[float32](m, (outs-1)*dstStep+lanes, 0), r, kind)
	want := copyOf(m, got)
	generic(want, dstStep, src, srcStep, lanes)
	variant(got, dstStep, src, srcStep, lanes)
	compare(t, what, got, want)
}
