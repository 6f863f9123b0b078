package kernel

import (
	"bytes"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"testing"
	"unsafe"
)

// memory lends slices that end where readable memory ends, with bytes before them that nothing may change.
type memory struct {
	tb      testing.TB
	regions [][]byte
	starts  []int // of the slices lent
}

const regionSize = 1 << 16

var canary = bytes.Repeat([]byte{0xA5}, 512)

func newMemory(tb testing.TB) *memory {
	// A fault at a guard page is a panic then, which names the kernel.
	before := debug.SetPanicOnFault(true)
	tb.Cleanup(func() { debug.SetPanicOnFault(before) })
	return &memory{tb: tb}
}

// lend returns n zeros, behind which slack more values can be read and no other.
func lend[T any](m *memory, n, slack int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	used := len(m.starts)
	if used == len(m.regions) {
		m.regions = append(m.regions, guarded(m.tb, regionSize))
	}
	region := m.regions[used]
	start := len(region) - (n+slack)*size
	if start < len(canary) {
		m.tb.Fatalf("%d values do not fit", n)
	}
	copy(region[start-len(canary):], canary)
	clear(region[start:])
	m.starts = append(m.starts, start)
	if n+slack == 0 {
		return []T{}
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&region[start])), n+slack)[:n]
}

// copyOf lends a copy of from, behind which nothing can be read.
func copyOf[T any](m *memory, from []T) []T {
	to := lend[T](m, len(from), 0)
	copy(to, from)
	return to
}

// takeBack checks what lies before the slices lent and lends their memory again.
func (m *memory) takeBack() {
	m.tb.Helper()
	for i, start := range m.starts {
		if !bytes.Equal(m.regions[i][start-len(canary):start], canary) {
			m.tb.Fatalf("slice %d: written before its start", i)
		}
	}
	m.starts = m.starts[:0]
}

// kind is a kind of values to compute with.
type kind int

const (
	ordinary kind = iota
	coarse        // few bits, so that sums meet ties and zeros
	extreme       // with some infinities, NaNs, zeros of both signs, subnormal and huge numbers between
	anything      // any bits
	kinds
)

var special = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
	math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-126, -0x1p-126, 0x1.fffffcp-127,
	math.MaxFloat32, -math.MaxFloat32, 0x1p-75, 0x1p64, 1 + 0x1p-23, 1 - 0x1p-24,
}

func value(r *rand.Rand, k kind) float32 {
	switch {
	case k == coarse:
		return float32(r.IntN(9)-4) / 4
	case k == extreme && r.IntN(8) == 0:
		return special[r.IntN(len(special))]
	case k == extreme && r.IntN(4) == 0:
		return float32(math.Ldexp(r.Float64()-0.5, r.IntN(300)-160))
	case k == anything:
		return math.Float32frombits(r.Uint32())
	}
	return r.Float32()*2 - 1
}

func fill(values []float32, r *rand.Rand, k kind) []float32 {
	for i := range values {
		values[i] = value(r, k)
	}
	return values
}

// poison makes NaNs of what a kernel may read behind values, but must not use.
func poison(values []float32) {
	beyond := values[len(values):cap(values)]
	for i := range beyond {
		beyond[i] = float32(math.NaN())
	}
}

// same reports whether two results are bit for bit the same, any NaN being as good as another.
func same[T float32 | float64](a, b T) bool {
	return a != a && b != b || a == b && math.Signbit(float64(a)) == math.Signbit(float64(b))
}

func compare[T float32 | float64](t testing.TB, what string, got, want []T) {
	t.Helper()
	for i := range want {
		if !same(got[i], want[i]) {
			t.Fatalf("%s[%d of %d] is %x, want %x", what, i, len(want), got[i], want[i])
		}
	}
}
