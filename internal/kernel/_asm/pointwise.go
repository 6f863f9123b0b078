package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lessOrdered is the predicate of VCMPPS that is false where either side is NaN.
const lessOrdered = 17

// notLess is the one that is true where that is false.
const notLess = 21

// broadcast loads the float32 parameter name into every lane of v.
func broadcast(name string, v reg.VecVirtual) reg.VecVirtual {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(p.Addr, v)
	return v
}

func zeros() reg.VecVirtual {
	v := YMM()
	VXORPS(v, v, v)
	return v
}

// pointers loads pointer parameters.
func pointers(names ...string) []reg.Register {
	all := make([]reg.Register, len(names))
	for i, name := range names {
		all[i] = Load(Param(name), GP64())
	}
	return all
}

// rectify multiplies d by slope in the lanes where y is not above zero. All are of one size.
func rectify(d, y Op, slope, zero, mask, scaled Op) {
	VCMPPS(Imm(lessOrdered), y, zero, mask)
	VMULPS(slope, d, scaled)
	VBLENDVPS(mask, d, scaled, d)
}

// each repeats step for two vectors of float32 at a time, while i < n. It gets each vector's place from a pointer. What is
// left to do then follows.
func each(i, n reg.Register, step func(u int, place func(p reg.Register) Mem), then ...func()) {
	JMP(LabelRef("check"))
	Label("loop")
	for u := range 2 {
		step(u, func(p reg.Register) Mem { return Mem{Base: p, Index: i, Scale: 4, Disp: 32 * u} })
	}
	ADDQ(Imm(16), i)
	Label("check")
	CMPQ(i, n)
	JLT(LabelRef("loop"))
	for _, last := range then {
		last()
	}
	VZEROUPPER()
	RET()
}

// counter returns a register that is zero.
func counter() reg.GPVirtual {
	i := GP64()
	XORQ(i, i)
	return i
}

func addition() {
	TEXT("addSIMD", NOSPLIT, "func(dst, src *float32, n int)")
	Pragma("noescape")
	p := pointers("dst", "src")
	n := Load(Param("n"), GP64())
	each(counter(), n, func(_ int, place func(reg.Register) Mem) {
		v := YMM()
		VMOVUPS(place(p[0]), v)
		VADDPS(place(p[1]), v, v)
		VMOVUPS(v, place(p[0]))
	})
}

func adam() {
	TEXT("adamSIMD", NOSPLIT, "func(w, grad, m, v *float32, n int, rate, keep1, keep2, epsilon float32, zeros *[8]float32)")
	Pragma("noescape")
	p := pointers("w", "grad", "m", "v") // "g" is a register to the assembler
	n := Load(Param("n"), GP64())
	rate, keep1, keep2, epsilon := broadcast("rate", YMM()), broadcast("keep1", YMM()), broadcast("keep2", YMM()), broadcast("epsilon", YMM())
	none := zeros()
	finite := []reg.VecVirtual{zeros(), zeros()} // sums of products with zero
	each(counter(), n, func(u int, place func(reg.Register) Mem) {
		w, g, m, v, t := YMM(), YMM(), YMM(), YMM(), YMM()
		VMOVUPS(place(p[1]), g)
		VMOVUPS(place(p[2]), m)
		VSUBPS(m, g, t)
		VFMADD231PS(t, keep1, m)
		VMOVUPS(m, place(p[2]))
		VFMADD231PS(m, none, finite[u])
		VMOVUPS(place(p[3]), v)
		VFMSUB213PS(v, g, g) // g² − v
		VFMADD231PS(g, keep2, v)
		VMOVUPS(v, place(p[3]))
		VFMADD231PS(v, none, finite[u])
		VSQRTPS(v, v)
		VADDPS(epsilon, v, v)
		VMULPS(rate, m, m)
		VDIVPS(v, m, m)
		VMOVUPS(place(p[0]), w)
		VSUBPS(m, w, w)
		VMOVUPS(w, place(p[0]))
		VFMADD231PS(w, none, finite[u])
	}, func() {
		VADDPS(finite[0], finite[1], finite[0])
		VMOVUPS(finite[0], Mem{Base: Load(Param("zeros"), GP64())})
	})
}

// channels is how the kernels on rows of channels go through them: some rows at a time, a vector of each, so that what
// belongs to the channels is loaded and stored once for all, and memory is still read about in its order.
type channels struct {
	variant
	suffix string
}

var channelVariants = []channels{{avx2, "SIMD"}, {avx512, "AVX512"}}

// together is how many rows are taken at a time.
const together = 4

// rows repeats step for all rows, a vector of each of some at a time. Rows of apart are the parameter stride apart, those of
// joined lie one behind the other. Step gets the vectors' indexes, in bytes of the first float32: of the channel, and from the
// pointers to either images for each row.
func (v channels) rows(apart, joined []reg.Register, step func(c reg.Register, apart, joined []reg.Register)) {
	left, width := Load(Param("rows"), GP64()), Load(Param("channels"), GP64())
	SHLQ(Imm(2), width)
	type group struct {
		images []reg.Register
		next   reg.Register
	}
	groups := [2]group{{images: apart}, {joined, width}}
	if len(apart) > 0 {
		groups[0].next = Load(Param("stride"), GP64())
		SHLQ(Imm(2), groups[0].next)
	}
	for _, count := range []int{together, 1} {
		name := func(label string) string { return label + string(rune('0'+count)) }
		first := GP64() // row, whose index is the channel's
		var at [2][]reg.Register
		moving := []reg.Register{first}
		for i, g := range groups {
			at[i] = []reg.Register{first}
			for r := 1; r < count && len(g.images) > 0; r++ {
				at[i] = append(at[i], GP64())
			}
			moving = append(moving, at[i][1:]...)
		}
		JMP(LabelRef(name("check")))
		Label(name("rows"))
		XORQ(first, first)
		for i, g := range groups {
			for r := 1; r < len(at[i]); r++ {
				LEAQ(Mem{Base: at[i][r-1], Index: g.next, Scale: 1}, at[i][r])
			}
		}
		Label(name("vector"))
		step(first, at[0], at[1])
		for _, i := range moving {
			ADDQ(Imm(uint64(v.bytes)), i)
		}
		CMPQ(first, width)
		JLT(LabelRef(name("vector")))
		for _, g := range groups {
			for _, p := range g.images {
				for range count {
					ADDQ(g.next, p)
				}
			}
		}
		SUBQ(Imm(uint64(count)), left)
		Label(name("check"))
		CMPQ(left, Imm(uint64(count)))
		JGE(LabelRef(name("rows")))
	}
	VZEROUPPER()
	RET()
}

// place is where an index points to from p.
func place(p, index reg.Register) Mem { return Mem{Base: p, Index: index, Scale: 1} }

// ahead hints that what is a page further on will be read soon. A processor does so by itself, but ends at a page's end.
func ahead(p, index reg.Register) {
	PREFETCHT0(Mem{Base: p, Index: index, Scale: 1, Disp: 4096})
}

// doubles loads the float64 from p on that stand for the vector of float32 of an index.
func (v channels) doubles(p, index reg.Register) [2]vec {
	return [2]vec{v.load(v.double(p, index, 0)), v.load(v.double(p, index, 1))}
}

func (v channels) double(p, index reg.Register, half int) Mem {
	return Mem{Base: p, Index: index, Scale: 2, Disp: half * v.bytes}
}

func (v channels) storeDoubles(d [2]vec, p, index reg.Register) {
	for half, d := range d {
		VMOVUPS(d, v.double(p, index, half))
	}
}

func (v channels) load(m Mem) vec {
	to := v.vector()
	VMOVUPS(m, to)
	return to
}

func (v channels) zero() vec {
	to := v.vector()
	if v.bytes == 64 {
		VPXORD(to, to, to)
	} else {
		VXORPS(to, to, to)
	}
	return to
}

// rectify multiplies d by slope in the lanes where y is not above zero.
func (v channels) rectify(d, y, slope, zero vec) {
	if v.bytes == 64 {
		below := K()
		VCMPPS(Imm(notLess), y, zero, below)
		VMULPS(slope, d, below, d)
		return
	}
	rectify(d, y, slope, zero, v.vector(), v.vector())
}

// widen turns the float32 of d into float64, those of its lower half and those of its upper half.
func (v channels) widen(d vec) [2]vec {
	to, upper := [2]vec{v.vector(), v.vector()}, v.vector()
	if v.bytes == 64 {
		VEXTRACTF64X4(Imm(1), d, upper.AsY())
		VCVTPS2PD(d.AsY(), to[0])
		VCVTPS2PD(upper.AsY(), to[1])
	} else {
		VEXTRACTF128(Imm(1), d, upper.AsX())
		VCVTPS2PD(d.AsX(), to[0])
		VCVTPS2PD(upper.AsX(), to[1])
	}
	return to
}

// widenAt does so for those that an index points to from p.
func (v channels) widenAt(p, index reg.Register) [2]vec {
	to := [2]vec{v.vector(), v.vector()}
	for half := range to {
		VCVTPS2PD(Mem{Base: p, Index: index, Scale: 1, Disp: half * v.bytes / 2}, to[half])
	}
	return to
}

func add(sum, x [2]vec) {
	for half := range sum {
		VADDPD(x[half], sum[half], sum[half])
	}
}

func addProduct(sum, x, y [2]vec) {
	for half := range sum {
		VFMADD231PD(x[half], y[half], sum[half])
	}
}

// leaky is a leaky rectifier, or its gradient, over 16 values at a time, whose bits it reads and writes together.
func (v channels) leaky(name string, back bool) {
	TEXT(name+v.suffix, NOSPLIT, "func(y *float32, above, mask *uint64, n int, slope, scale float32)")
	Pragma("noescape")
	p := pointers("y", "above", "mask")
	n := Load(Param("n"), GP64())
	slope, scale, zero := broadcast("slope", v.vector()), broadcast("scale", v.vector()), v.zero()
	above, kept := v.lanes(), v.lanes()
	i, at := counter(), GP64()
	JMP(LabelRef("check"))
	Label("loop")
	MOVQ(i, at)
	SHRQ(Imm(3), at)
	if back {
		v.read(above, p[1], at, "all")
	}
	v.read(kept, p[2], at, "unmasked")
	for u := range above {
		m := Mem{Base: p[0], Index: i, Scale: 4, Disp: u * v.bytes}
		d, scaled := v.load(m), v.vector()
		if !back {
			VCMPPS(Imm(lessOrdered), d, zero, above[u])
		}
		if v.bytes == 64 {
			others := K()
			KNOTW(above[u], others)
			VMULPS(slope, d, others, d)
			VMULPS_Z(scale, d, kept[u], d)
		} else {
			VMULPS(slope, d, scaled)
			VBLENDVPS(above[u], d, scaled, d)
			VMULPS(scale, d, d)
			VANDPS(kept[u], d, d)
		}
		VMOVUPS(d, m)
	}
	if !back {
		TESTQ(p[1], p[1])
		JZ(LabelRef("unasked"))
		if v.bytes == 64 {
			KMOVW(above[0], place(p[1], at))
		} else {
			for u := range above {
				bits := GP32()
				VMOVMSKPS(above[u], bits)
				MOVB(bits.As8(), Mem{Base: p[1], Index: at, Scale: 1, Disp: u})
			}
		}
		Label("unasked")
	}
	ADDQ(Imm(16), i)
	Label("check")
	CMPQ(i, n)
	JLT(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// lanes returns masks of the lanes of 16 values, all set.
func (v channels) lanes() []reg.Register {
	if v.bytes == 64 {
		k := K()
		KXNORW(k, k, k)
		return []reg.Register{k}
	}
	low, high := YMM(), YMM()
	VPCMPEQD(low, low, low)
	VPCMPEQD(high, high, high)
	return []reg.Register{low, high}
}

// laneBits has the bit of each of 16 lanes.
var laneBits Mem

// read sets masks to the 16 bits at p, if that is not nil.
func (v channels) read(masks []reg.Register, p, at reg.Register, none string) {
	TESTQ(p, p)
	JZ(LabelRef(none))
	if v.bytes == 64 {
		KMOVW(place(p, at), masks[0])
	} else {
		if laneBits.Base == nil {
			laneBits = GLOBL("lanebits", RODATA|NOPTR)
			for lane := range 16 {
				DATA(4*lane, U32(1<<lane))
			}
		}
		bits := YMM()
		VPBROADCASTW(place(p, at), bits)
		for u, mask := range masks {
			own := v.load(laneBits.Offset(u * v.bytes))
			VPAND(own, bits, mask)
			VPCMPEQD(own, mask, mask)
		}
	}
	Label(none)
}

func (v channels) scale() {
	TEXT("scale"+v.suffix, NOSPLIT, "func(y, z, scale, shift *float32, slope float32, rows, stride, channels int)")
	Pragma("noescape")
	images, tables := pointers("y", "z"), pointers("scale", "shift")
	slope, zero := broadcast("slope", v.vector()), v.zero()
	v.rows(images[1:], images[:1], func(c reg.Register, from, to []reg.Register) {
		factor, shift := v.load(place(tables[0], c)), v.load(place(tables[1], c))
		for i, r := range from {
			y := v.load(place(images[1], r))
			VFMADD213PS(shift, factor, y)
			v.rectify(y, y, slope, zero)
			VMOVUPS(y, place(images[0], to[i]))
		}
	})
}

func (v channels) normBack() {
	TEXT("normBack"+v.suffix, NOSPLIT, "func(dy, z, scale, shift, a, b, c *float32, slope float32, rows, channels int)")
	Pragma("noescape")
	images, tables := pointers("dy", "z"), pointers("scale", "shift", "a", "b", "c")
	slope, zero := broadcast("slope", v.vector()), v.zero()
	v.rows(nil, images, func(channel reg.Register, _, rows []reg.Register) {
		factor, shift := v.load(place(tables[0], channel)), v.load(place(tables[1], channel))
		a, b, c := v.load(place(tables[2], channel)), v.load(place(tables[3], channel)), v.load(place(tables[4], channel))
		for _, r := range rows {
			d, z, y := v.load(place(images[0], r)), v.load(place(images[1], r)), v.vector()
			ahead(images[0], r)
			ahead(images[1], r)
			VMOVAPS(z, y)
			VFMADD213PS(shift, factor, y)
			v.rectify(d, y, slope, zero)
			VFMADD213PS(c, b, z)
			VFMADD213PS(z, a, d)
			VMOVUPS(d, place(images[0], r))
		}
	})
}

func (v channels) sums() {
	TEXT("sums"+v.suffix, NOSPLIT, "func(sum *float64, x *float32, rows, stride, channels int)")
	Pragma("noescape")
	totals, images := pointers("sum"), pointers("x")
	v.rows(images, nil, func(c reg.Register, rows, _ []reg.Register) {
		sum := v.doubles(totals[0], c)
		for _, r := range rows {
			add(sum, v.widenAt(images[0], r))
		}
		v.storeDoubles(sum, totals[0], c)
	})
}

func (v channels) moments() {
	TEXT("moments"+v.suffix, NOSPLIT, "func(sum, squares *float64, x *float32, rows, stride, channels int)")
	Pragma("noescape")
	totals, images := pointers("sum", "squares"), pointers("x")
	v.rows(images, nil, func(c reg.Register, rows, _ []reg.Register) {
		sum, squares := v.doubles(totals[0], c), v.doubles(totals[1], c)
		for _, r := range rows {
			x := v.widenAt(images[0], r)
			add(sum, x)
			addProduct(squares, x, x)
		}
		v.storeDoubles(sum, totals[0], c)
		v.storeDoubles(squares, totals[1], c)
	})
}

func (v channels) normGrads() {
	TEXT("normGrads"+v.suffix, NOSPLIT,
		"func(sum, product *float64, dy, z, scale, shift *float32, slope float32, rows, stride, channels int)")
	Pragma("noescape")
	totals, images, tables := pointers("sum", "product"), pointers("dy", "z"), pointers("scale", "shift")
	slope, zero := broadcast("slope", v.vector()), v.zero()
	v.rows(images, nil, func(c reg.Register, rows, _ []reg.Register) {
		factor, shift := v.load(place(tables[0], c)), v.load(place(tables[1], c))
		sum, product := v.doubles(totals[0], c), v.doubles(totals[1], c)
		for _, r := range rows {
			narrow, y := v.load(place(images[0], r)), v.load(place(images[1], r))
			ahead(images[1], r)
			VFMADD213PS(shift, factor, y)
			v.rectify(narrow, y, slope, zero)
			d := v.widen(narrow)
			add(sum, d)
			addProduct(product, d, v.widenAt(images[1], r))
		}
		v.storeDoubles(sum, totals[0], c)
		v.storeDoubles(product, totals[1], c)
	})
}

// peak repeats multiply-adds that wait for nothing but themselves, in as many chains as hide their latency.
func (v variant) peak() {
	TEXT("peak"+v.suffix, NOSPLIT, "func(n int, scale, shift float32)")
	scale, shift := broadcast("scale", v.vector()), broadcast("shift", v.vector())
	n := Load(Param("n"), GP64())
	chains := make([]reg.VecVirtual, 12)
	for i := range chains {
		chains[i] = v.vector()
		VMOVAPS(shift, chains[i])
	}
	Label("loop")
	for _, c := range chains {
		VFMADD213PS(shift, scale, c)
	}
	DECQ(n)
	JG(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
