package kernel

// Winograd's minimal filtering F(4×4, 3×3) (Lavin, Gray: Fast Algorithms for Convolutional Neural Networks, 2015)
// computes a tile of 4×4 outputs of a 3×3 convolution of stride 1 with 36 multiplications a pair of channels where the
// direct sum takes 144: tile and kernel are each transformed to 6×6, multiplied place by place, summed over the channels
// of the source, and transformed back. The polynomials behind it are evaluated at 0, 1, −1, 1/2, −2 and infinity, which
// lose less to rounding than the usual 0, ±1, ±2.
//
// A transform of two dimensions is one of one dimension on all columns and then on all rows. Factors of the rows of the
// input's transform are chosen so that it takes few operations, and the kernel's makes up for them.

const (
	WinogradTile   = 4 // side of the outputs
	WinogradInput  = 6 // side of the inputs of a tile, and of its transform
	WinogradPlaces = WinogradInput * WinogradInput
)

// winogradIn is the transform of six inputs.
func winogradIn(d0, d1, d2, d3, d4, d5 float32) (v0, v1, v2, v3, v4, v5 float32) {
	// x² − 1 divides all rows but two each, and x² + 1.5x − 1 all but two others.
	q0, q1, q2, q3 := d2-d0, d3-d1, d4-d2, d5-d3
	p0, p1, p2, p3 := fma(1.5, d1, q0), fma(1.5, d2, q1), fma(1.5, d3, q2), fma(1.5, d4, q3)
	v0 = p2 - p0
	v1 = p2 + p1
	v2 = p1 - p2
	v3 = fma(-2, q1, -q2)
	v4 = fma(2, q2, -q1)
	v5 = p3 - p1
	return
}

// winogradOut is the transform of six products back to four outputs.
func winogradOut(m0, m1, m2, m3, m4, m5 float32) (y0, y1, y2, y3 float32) {
	p, q := m1+m2, m1-m2
	y0 = (m0 + p) + (m3 + m4)
	y1 = fma(-2, m4, fma(0.5, m3, q))
	y2 = fma(4, m4, fma(0.25, m3, p))
	y3 = fma(-8, m4, fma(0.125, m3, q)) + m5
	return
}

// The factors of the kernel's transform, beside powers of two.
const winogradThird, winogradFifteenth = float32(1.) / 3, float32(1.) / 15

// winogradKernel is the transform of three taps of a kernel.
func winogradKernel(g0, g1, g2 float32) (u0, u1, u2, u3, u4, u5 float32) {
	outer := g0 + g2
	u0 = g0
	u1 = float32((outer + g1) * winogradThird)
	u2 = float32((outer - g1) * winogradThird)
	u3 = float32(fma(16, g0, fma(8, g1, float32(4*g2))) * winogradFifteenth)
	u4 = float32(fma(2, g2, fma(0.5, g0, -g1)) * winogradFifteenth)
	u5 = g2
	return
}

// Edges of a tile of 6×6 pixels that lie outside of the image: zeros, that are not in memory.
const (
	TopZero = 1 << iota
	BottomZero
	LeftZero
	RightZero
)

// inside returns the rows and columns of a tile's pixels that are in memory: from the first to before the last.
func inside(edges int) (top, bottom, left, right int) {
	bit := func(edge int) int {
		if edges&edge != 0 {
			return 1
		}
		return 0
	}
	return bit(TopZero), WinogradInput - bit(BottomZero), bit(LeftZero), WinogradInput - bit(RightZero)
}

// winogradInGeneric transforms a tile of 6×6 pixels of channels channels, less those at edges: pixel (y, x) of these starts
// at src[y·row + x·pixel], place p of the transform at dst[p·place].
func winogradInGeneric(dst []float32, place int, src []float32, row, pixel, channels, edges int) {
	top, bottom, left, right := inside(edges)
	var t [WinogradInput][WinogradInput]float32
	for c := range channels {
		for x := range WinogradInput {
			var d [WinogradInput]float32
			if left <= x && x < right {
				for y := top; y < bottom; y++ {
					d[y] = src[(y-top)*row+(x-left)*pixel+c]
				}
			}
			t[0][x], t[1][x], t[2][x], t[3][x], t[4][x], t[5][x] = winogradIn(d[0], d[1], d[2], d[3], d[4], d[5])
		}
		for y, r := range t {
			d := dst[y*WinogradInput*place+c:]
			d[0], d[place], d[2*place], d[3*place], d[4*place], d[5*place] = winogradIn(r[0], r[1], r[2], r[3], r[4], r[5])
		}
	}
}

// winogradOutGeneric transforms the products of a tile, place p at src[p·place], to 4×4 pixels of channels channels,
// pixel (y, x) at dst[y·row + x·pixel], and adds the bias.
func winogradOutGeneric(dst []float32, row, pixel int, src []float32, place int, bias []float32, channels int) {
	var t [WinogradTile][WinogradInput]float32
	for c := range channels {
		for x := range WinogradInput {
			s := src[x*place+c:]
			p := WinogradInput * place
			t[0][x], t[1][x], t[2][x], t[3][x] = winogradOut(s[0], s[p], s[2*p], s[3*p], s[4*p], s[5*p])
		}
		for y, r := range t {
			d := dst[y*row+c:]
			y0, y1, y2, y3 := winogradOut(r[0], r[1], r[2], r[3], r[4], r[5])
			d[0], d[pixel], d[2*pixel], d[3*pixel] = y0+bias[c], y1+bias[c], y2+bias[c], y3+bias[c]
		}
	}
}

// winogradKernelGeneric transforms 3×3 taps of lanes lanes, tap (y, x) at src[(3y+x)·tap], to places at dst[p·place].
func winogradKernelGeneric(dst []float32, place int, src []float32, tap, lanes int) {
	var t [WinogradInput][3]float32
	for l := range lanes {
		for x := range 3 {
			s := src[x*tap+l:]
			t[0][x], t[1][x], t[2][x], t[3][x], t[4][x], t[5][x] = winogradKernel(s[0], s[3*tap], s[6*tap])
		}
		for y, r := range t {
			d := dst[y*WinogradInput*place+l:]
			d[0], d[place], d[2*place], d[3*place], d[4*place], d[5*place] = winogradKernel(r[0], r[1], r[2])
		}
	}
}

// The gradient of a kernel goes the same way back: dU = Σ over tiles of V·(A dY Aᵀ), place by place, V being the input's
// transform, and dW = Gᵀ dU G.

// winogradGradIn is the transform of four gradients of outputs, the transpose of winogradOut.
func winogradGradIn(y0, y1, y2, y3 float32) (w0, w1, w2, w3, w4, w5 float32) {
	even, odd := y0+y2, y1+y3
	w0 = y0
	w1 = even + odd
	w2 = even - odd
	w3 = fma(0.125, y3, fma(0.25, y2, fma(0.5, y1, y0)))
	w4 = fma(-8, y3, fma(4, y2, fma(-2, y1, y0)))
	w5 = y3
	return
}

// winogradGradOut is the transform to the gradients of three taps, the transpose of winogradKernel.
func winogradGradOut(u0, u1, u2, u3, u4, u5 float32) (g0, g1, g2 float32) {
	sum := float32((u1 + u2) * winogradThird)
	difference := float32((u1 - u2) * winogradThird)
	a, b := float32(u3*winogradFifteenth), float32(u4*winogradFifteenth)
	g0 = fma(0.5, b, fma(16, a, u0+sum))
	g1 = fma(8, a, difference) - b
	g2 = fma(2, b, fma(4, a, u5+sum))
	return
}

// winogradGradInGeneric transforms 4×4 pixels of channels channels, pixel (y, x) at src[y·row + x·pixel], to places at
// dst[p·place].
func winogradGradInGeneric(dst []float32, place int, src []float32, row, pixel, channels int) {
	var t [WinogradInput][WinogradTile]float32
	for c := range channels {
		for x := range WinogradTile {
			s := src[x*pixel+c:]
			t[0][x], t[1][x], t[2][x], t[3][x], t[4][x], t[5][x] = winogradGradIn(s[0], s[row], s[2*row], s[3*row])
		}
		for y, r := range t {
			d := dst[y*WinogradInput*place+c:]
			d[0], d[place], d[2*place], d[3*place], d[4*place], d[5*place] = winogradGradIn(r[0], r[1], r[2], r[3])
		}
	}
}

// winogradGradOutGeneric transforms places at src[p·place] to 3×3 taps of lanes lanes, tap (y, x) at dst[(3y+x)·tap].
func winogradGradOutGeneric(dst []float32, tap int, src []float32, place, lanes int) {
	var t [3][WinogradInput]float32
	for l := range lanes {
		for x := range WinogradInput {
			s := src[x*place+l:]
			p := WinogradInput * place
			t[0][x], t[1][x], t[2][x] = winogradGradOut(s[0], s[p], s[2*p], s[3*p], s[4*p], s[5*p])
		}
		for y, r := range t {
			d := dst[3*y*tap+l:]
			d[0], d[tap], d[2*tap] = winogradGradOut(r[0], r[1], r[2], r[3], r[4], r[5])
		}
	}
}
