package kernel

// Winograd's filtering F(m, 2) computes m outputs of a kernel of two taps with m+1 multiplications instead of 2m. A 3×3
// convolution of stride 2 is made of such: of the three taps in a row, the outer two meet every other source pixel, the
// pairs, and the middle one meets those between, the singles. Pairs are filtered by tiles of m outputs, singles are left as
// they are.
//
// The polynomials are evaluated at 0, 1, infinity, −1 and 2, as many of these in this order as a tile has places; the same
// transformed kernel serves tiles of any m up to PairTile. Factors are moved from the kernel's transform to the input's or
// back so that the input's needs no division. Long tiles are evaluated at other points.
const (
	PairTile  = 4            // outputs of a tile at the most, which m says, but of a long one
	PairKinds = PairTile + 2 // of places: those of the points, and the single
	// PairWhole is the m of a tile of four outputs whose first and last inputs are zeros that have no place in the source. The
	// first four places are enough for it: it is the whole product of a polynomial of three terms and one of two.
	PairWhole = PairTile + 1
	// PairLong is the m of a tile of seven outputs, whose points are 0, 1, −1, 2, −2, 1/2, −1/2 and infinity, in this order. It
	// has a transformed kernel of its own, and a side of such tiles PairLongKinds of places.
	PairLong      = 7
	PairLongKinds = PairLong + 2

	sixth     = float32(1.) / 6
	twoNinths = float32(2.) / 9
	ninetieth = float32(1.) / 90
)

func pairIn2(d0, d1, d2 float32) (v0, v1, v2 float32) { return d0 - d1, d1 + d1, d2 - d1 }

func pairIn3(d0, d1, d2, d3 float32) (v0, v1, v2, v3 float32) {
	return d0 - d2, d1 + d2, d3 - d1, float32(3 * (d2 - d1))
}

func pairIn4(d0, d1, d2, d3, d4 float32) (v0, v1, v2, v3, v4 float32) {
	e := d3 - d1
	v0 = fma(0.5, e, d0-d2)
	v1 = fma(2, d1, d2-d3)
	v2 = fma(-2, e, d4-d2)
	v3 = fma(3, d2, -fma(2, d1, d3))
	return v0, v1, v2, v3, e
}

func pairInLong(d0, d1, d2, d3, d4, d5, d6, d7 float32) (v0, v1, v2, v3, v4, v5, v6, v7 float32) {
	even1, even2, evenHalf := pairInParts(d2, d4, d6)
	odd1, odd2, oddHalf := pairInParts(d1, d3, d5)
	odd2, evenHalf = odd2+odd2, evenHalf+evenHalf
	v0, v7 = fma(5.25, d4-d2, d0-d6), fma(5.25, d3-d5, d7-d1)
	return v0, even1 + odd1, even1 - odd1, even2 + odd2, even2 - odd2, evenHalf + oddHalf, evenHalf - oddHalf, v7
}

// pairInParts is what inputs of even or of odd number give at 1, 2 and 1/2, and but for its sign at −1, −2 and −1/2.
func pairInParts(a, b, c float32) (one, two, half float32) {
	return fma(4.25, b, -(a + c)), fma(-1.25, b, fma(0.25, a, c)), fma(-1.25, b, fma(0.25, c, a))
}

func pairInWhole(d1, d2, d3 float32) (v0, v1, v2, v3 float32) {
	e := d1 + d3
	return d3, e + d2, d1, float32(3 * (d2 - e))
}

func pairOut2(m0, m1, m2 float32) (y0, y1 float32) { return m0 + m1, m1 + m2 }

func pairOut3(m0, m1, m2, m3 float32) (y0, y1, y2 float32) {
	s := m1 + m3
	return m0 + s, m1 - m3, s + m2
}

func pairOut4(m0, m1, m2, m3, m4 float32) (y0, y1, y2, y3 float32) {
	s, q := m1+m3, m1-m3
	return (m0 + s) + m4, fma(2, m4, q), fma(4, m4, s), fma(8, m4, q) + m2
}

func pairOutLong(m0, m1, m2, m3, m4, m5, m6, m7 float32) (y0, y1, y2, y3, y4, y5, y6 float32) {
	even1, even2, evenHalf := m1+m2, m3+m4, m5+m6
	odd1, odd2, oddHalf := m1-m2, m3-m4, m5-m6
	y0 = fma(64, evenHalf, (m0+even1)+even2)
	y1 = fma(32, oddHalf, fma(2, odd2, odd1))
	y2 = fma(16, evenHalf, fma(4, even2, even1))
	y3 = fma(8, odd2+oddHalf, odd1)
	y4 = fma(4, evenHalf, fma(16, even2, even1))
	y5 = fma(2, oddHalf, fma(32, odd2, odd1))
	y6 = fma(64, even2, (even1+evenHalf)+m7)
	return y0, y1, y2, y3, y4, y5, y6
}

func pairOutWhole(m0, m1, m2, m3 float32) (y0, y1, y2, y3 float32) {
	return m2, (m1 - m3) - m0, (m1 + m3) - m2, m0
}

// pairKernel is the transform of the two taps of pairs, g0 and g1, and of the single one, which stays.
func pairKernel(g0, g1, single float32) (u0, u1, u2, u3, u4, u5 float32) {
	return g0, float32(0.5 * (g0 + g1)), g1, float32((g0 - g1) * sixth), float32(fma(2, g1, g0) * sixth), single
}

// pairLongKernel is the transform of the same taps for long tiles.
func pairLongKernel(g0, g1, single float32) [PairLongKinds]float32 {
	twice0, twice1 := g0+g0, g1+g1
	return [...]float32{
		g0, float32((g0 + g1) * twoNinths), float32((g0 - g1) * twoNinths),
		float32((g0 + twice1) * ninetieth), float32((g0 - twice1) * ninetieth),
		float32((twice0 + g1) * ninetieth), float32((twice0 - g1) * ninetieth),
		g1, single,
	}
}

// The gradient of the two taps sums, over tiles, places of the inputs times those of the outputs' gradients, and goes back
// to taps at the end: the transposes of pairOut and of pairKernel.

func pairGradIn2(y0, y1 float32) (w0, w1, w2 float32) { return y0, y0 + y1, y1 }

func pairGradIn3(y0, y1, y2 float32) (w0, w1, w2, w3 float32) {
	even := y0 + y2
	return y0, even + y1, y2, even - y1
}

func pairGradIn4(y0, y1, y2, y3 float32) (w0, w1, w2, w3, w4 float32) {
	even, odd := y0+y2, y1+y3
	return y0, even + odd, y3, even - odd, fma(8, y3, fma(4, y2, fma(2, y1, y0)))
}

func pairGradInWhole(y0, y1, y2, y3 float32) (w0, w1, w2, w3 float32) {
	return y3 - y1, y1 + y2, y0 - y2, y2 - y1
}

func pairGradOut(u0, u1, u2, u3, u4, u5 float32) (g0, g1, single float32) {
	g0 = fma(sixth, u3+u4, fma(0.5, u1, u0))
	g1 = fma(sixth, fma(2, u4, -u3), fma(0.5, u1, u2))
	return g0, g1, u5
}

// PairIn's edges: which inputs are zeros that have no place in the source.
const (
	FirstZero = 1 << iota
	LastZero
)

// PairPlaces is how many places a tile has.
func PairPlaces(m int) int {
	if m == PairWhole {
		return 4
	}
	return m + 1
}

// PairOutputs is how many outputs a tile has.
func PairOutputs(m int) int {
	if m == PairWhole {
		return PairTile
	}
	return m
}

// PairInputs is how many inputs of a tile PairIn reads.
func PairInputs(m, edges int) int {
	if m == PairWhole {
		return 3
	}
	return m + 1 - edges&FirstZero - edges&LastZero/LastZero
}

// pairInGeneric transforms count times a tile's inputs to its places, each of n values: input j of time r is at
// src[r·srcNext + j·srcStep], and likewise its places in dst. Inputs that edges says are zeros are not read; without the
// first, src starts at the second. A whole tile's are always both.
func pairInGeneric(m, edges int, dst []float32, dstStep, dstNext int, src []float32, srcStep, srcNext, n, count int) {
	var d [PairLong + 1]float32
	first := edges & FirstZero
	whole := m == PairWhole
	if whole {
		m, edges, first = PairTile, FirstZero|LastZero, 1
	}
	for r := range count {
		for i := range n {
			for j := range m + 1 {
				d[j] = 0
				if !(j == 0 && edges&FirstZero != 0 || j == m && edges&LastZero != 0) {
					d[j] = src[r*srcNext+(j-first)*srcStep+i]
				}
			}
			to := dst[r*dstNext+i:]
			switch {
			case whole:
				to[0], to[dstStep], to[2*dstStep], to[3*dstStep] = pairInWhole(d[1], d[2], d[3])
			case m == 2:
				to[0], to[dstStep], to[2*dstStep] = pairIn2(d[0], d[1], d[2])
			case m == 3:
				to[0], to[dstStep], to[2*dstStep], to[3*dstStep] = pairIn3(d[0], d[1], d[2], d[3])
			case m == PairLong:
				to[0], to[dstStep], to[2*dstStep], to[3*dstStep], to[4*dstStep], to[5*dstStep], to[6*dstStep], to[7*dstStep] =
					pairInLong(d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7])
			default:
				to[0], to[dstStep], to[2*dstStep], to[3*dstStep], to[4*dstStep] = pairIn4(d[0], d[1], d[2], d[3], d[4])
			}
		}
	}
}

// pairOutGeneric transforms count times a tile's products to its outputs, each of n values, and adds as many of add, which
// may be of stride 0.
func pairOutGeneric(m int, dst []float32, dstStep, dstNext int, src []float32, srcStep, srcNext int,
	add []float32, addStep, addNext, n, count int) {
	for r := range count {
		d, s, a := dst[r*dstNext:], src[r*srcNext:], add[r*addNext:]
		for i := range n {
			s, d, a := s[i:], d[i:], a[i:]
			switch m {
			case 2:
				y0, y1 := pairOut2(s[0], s[srcStep], s[2*srcStep])
				d[0], d[dstStep] = y0+a[0], y1+a[addStep]
			case 3:
				y0, y1, y2 := pairOut3(s[0], s[srcStep], s[2*srcStep], s[3*srcStep])
				d[0], d[dstStep], d[2*dstStep] = y0+a[0], y1+a[addStep], y2+a[2*addStep]
			case PairLong:
				y0, y1, y2, y3, y4, y5, y6 := pairOutLong(s[0], s[srcStep], s[2*srcStep], s[3*srcStep],
					s[4*srcStep], s[5*srcStep], s[6*srcStep], s[7*srcStep])
				for j, y := range [...]float32{y0, y1, y2, y3, y4, y5, y6} {
					d[j*dstStep] = y + a[j*addStep]
				}
			case PairWhole:
				y0, y1, y2, y3 := pairOutWhole(s[0], s[srcStep], s[2*srcStep], s[3*srcStep])
				d[0], d[dstStep], d[2*dstStep], d[3*dstStep] = y0+a[0], y1+a[addStep], y2+a[2*addStep], y3+a[3*addStep]
			default:
				y0, y1, y2, y3 := pairOut4(s[0], s[srcStep], s[2*srcStep], s[3*srcStep], s[4*srcStep])
				d[0], d[dstStep], d[2*dstStep], d[3*dstStep] = y0+a[0], y1+a[addStep], y2+a[2*addStep], y3+a[3*addStep]
			}
		}
	}
}

// pairKernelGeneric transforms three taps of n lanes, those of pairs and then the single one, tap j at src[j·srcStep], to
// PairKinds places at dst[k·dstStep].
func pairKernelGeneric(dst []float32, dstStep int, src []float32, srcStep, n int) {
	for i := range n {
		d, s := dst[i:], src[i:]
		d[0], d[dstStep], d[2*dstStep], d[3*dstStep], d[4*dstStep], d[5*dstStep] = pairKernel(s[0], s[srcStep], s[2*srcStep])
	}
}

// pairLongKernelGeneric transforms them to PairLongKinds places.
func pairLongKernelGeneric(dst []float32, dstStep int, src []float32, srcStep, n int) {
	for i := range n {
		for k, u := range pairLongKernel(src[i], src[srcStep+i], src[2*srcStep+i]) {
			dst[k*dstStep+i] = u
		}
	}
}

// pairGradInGeneric transforms count times the gradients of a tile's outputs to its places, each of n values.
func pairGradInGeneric(m int, dst []float32, dstStep, dstNext int, src []float32, srcStep, srcNext, n, count int) {
	for r := range count {
		for i := range n {
			d, s := dst[r*dstNext+i:], src[r*srcNext+i:]
			switch m {
			case 2:
				d[0], d[dstStep], d[2*dstStep] = pairGradIn2(s[0], s[srcStep])
			case 3:
				d[0], d[dstStep], d[2*dstStep], d[3*dstStep] = pairGradIn3(s[0], s[srcStep], s[2*srcStep])
			case PairWhole:
				d[0], d[dstStep], d[2*dstStep], d[3*dstStep] = pairGradInWhole(s[0], s[srcStep], s[2*srcStep], s[3*srcStep])
			default:
				d[0], d[dstStep], d[2*dstStep], d[3*dstStep], d[4*dstStep] = pairGradIn4(s[0], s[srcStep], s[2*srcStep], s[3*srcStep])
			}
		}
	}
}

// pairGradOutGeneric transforms sums of PairKinds places, each of n values, to the gradients of three taps, those of pairs
// and then the single one.
func pairGradOutGeneric(dst []float32, dstStep int, src []float32, srcStep, n int) {
	for i := range n {
		d, s := dst[i:], src[i:]
		d[0], d[dstStep], d[2*dstStep] = pairGradOut(s[0], s[srcStep], s[2*srcStep], s[3*srcStep], s[4*srcStep], s[5*srcStep])
	}
}
