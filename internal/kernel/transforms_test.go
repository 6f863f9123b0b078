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
		{"Short", checkShort},
		{"Middle", checkMiddle},
		{"WinogradIn", checkWinogradIn},
		{"WinogradOut", checkWinogradOut},
		{"WinogradKernel", checkWinogradKernel},
		{"WinogradGradIn", checkWinogradGradIn},
		{"WinogradGradOut", checkWinogradGradOut},
	}...)
}

func checkShort(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	short := *set
	short.Tile, short.Rows = set.Short, set.ShortRows
	checkTile(t, &short, m, r, kind)
}

func checkMiddle(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	if set.MiddleRows > 0 {
		middle := *set
		middle.Tile, middle.Rows = set.Middle, set.MiddleRows
		checkTile(t, &middle, m, r, kind)
	}
}

// square is side×side groups of channels, row after row, with gaps between.
type square struct{ row, column, size int }

func newSquare(r *rand.Rand, side, channels int) square {
	column := channels + r.IntN(2)*r.IntN(20)
	row := side*column + r.IntN(2)*r.IntN(20)
	return square{row, column, (side-1)*(row+column) + channels}
}

// newPlaces is the square of a transform, whose rows follow each other without another gap.
func newPlaces(r *rand.Rand, channels int) (place, size int) {
	place = channels + r.IntN(2)*r.IntN(20)
	return place, (WinogradPlaces-1)*place + channels
}

func numberOfChannels(r *rand.Rand) int {
	return 1 + []int{0, 3, 4, 7, 8, 11, 15, 16, 23, 31, 39}[r.IntN(11)]
}

func checkWinogradIn(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	channels := numberOfChannels(r)
	from, edges := newSquare(r, WinogradInput, channels), r.IntN(16)
	top, bottom, left, right := inside(edges)
	there := (bottom-top-1)*from.row + (right-left-1)*from.column + channels
	place, size := newPlaces(r, channels)
	src, got := fill(lend[float32](m, there, 0), r, kind), fill(lend[float32](m, size, 0), r, kind)
	want := copyOf(m, got)
	Generic.WinogradIn(want, place, src, from.row, from.column, channels, edges)
	set.WinogradIn(got, place, src, from.row, from.column, channels, edges)
	compare(t, "place", got, want)
}

func checkWinogradOut(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	channels := numberOfChannels(r)
	to := newSquare(r, WinogradTile, channels)
	place, size := newPlaces(r, channels)
	src, got := fill(lend[float32](m, size, 0), r, kind), fill(lend[float32](m, to.size, 0), r, kind)
	bias, want := fill(lend[float32](m, channels, 0), r, kind), copyOf(m, got)
	Generic.WinogradOut(want, to.row, to.column, src, place, bias, channels)
	set.WinogradOut(got, to.row, to.column, src, place, bias, channels)
	compare(t, "pixel", got, want)
}

func checkWinogradKernel(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	lanes := set.Lanes * (1 + r.IntN(2))
	tap := lanes + r.IntN(2)*r.IntN(20)
	place, size := newPlaces(r, lanes)
	src, got := fill(lend[float32](m, 8*tap+lanes, 0), r, kind), fill(lend[float32](m, size, 0), r, kind)
	want := copyOf(m, got)
	Generic.WinogradKernel(want, place, src, tap, lanes)
	set.WinogradKernel(got, place, src, tap, lanes)
	compare(t, "place", got, want)
}

func checkWinogradGradIn(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	channels := numberOfChannels(r)
	from := newSquare(r, WinogradTile, channels)
	place, size := newPlaces(r, channels)
	src, got := fill(lend[float32](m, from.size, 0), r, kind), fill(lend[float32](m, size, 0), r, kind)
	want := copyOf(m, got)
	Generic.WinogradGradIn(want, place, src, from.row, from.column, channels)
	set.WinogradGradIn(got, place, src, from.row, from.column, channels)
	compare(t, "place", got, want)
}

func checkWinogradGradOut(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind) {
	lanes := set.Lanes * (1 + r.IntN(2))
	tap := lanes + r.IntN(2)*r.IntN(20)
	place, size := newPlaces(r, lanes)
	src, got := fill(lend[float32](m, size, 0), r, kind), fill(lend[float32](m, 8*tap+lanes, 0), r, kind)
	want := copyOf(m, got)
	Generic.WinogradGradOut(want, tap, src, place, lanes)
	set.WinogradGradOut(got, tap, src, place, lanes)
	compare(t, "tap", got, want)
}
