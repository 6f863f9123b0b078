package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lessOrdered is the predicate of VCMPPS that is false where either side is NaN.
const lessOrdered = 17

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

// each repeats step for two vectors of float32 at a time, while i < n. It gets each vector's place from a pointer.
func each(i, n reg.Register, step func(u int, place func(p reg.Register) Mem)) {
	JMP(LabelRef("check"))
	Label("loop")
	for u := range 2 {
		step(u, func(p reg.Register) Mem { return Mem{Base: p, Index: i, Scale: 4, Disp: 32 * u} })
	}
	ADDQ(Imm(16), i)
	Label("check")
	CMPQ(i, n)
	JLT(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// counter returns a register that is zero.
func counter() reg.GPVirtual {
	i := GP64()
	XORQ(i, i)
	return i
}

func add() {
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
	TEXT("adamSIMD", NOSPLIT, "func(w, grad, m, v *float32, n int, rate, keep1, keep2, epsilon float32)")
	Pragma("noescape")
	p := pointers("w", "grad", "m", "v") // "g" is a register to the assembler
	n := Load(Param("n"), GP64())
	rate, keep1, keep2, epsilon := broadcast("rate", YMM()), broadcast("keep1", YMM()), broadcast("keep2", YMM()), broadcast("epsilon", YMM())
	each(counter(), n, func(_ int, place func(reg.Register) Mem) {
		w, g, m, v, t := YMM(), YMM(), YMM(), YMM(), YMM()
		VMOVUPS(place(p[1]), g)
		VMOVUPS(place(p[2]), m)
		VSUBPS(m, g, t)
		VFMADD231PS(t, keep1, m)
		VMOVUPS(m, place(p[2]))
		VMOVUPS(place(p[3]), v)
		VFMSUB213PS(v, g, g) // g² − v
		VFMADD231PS(g, keep2, v)
		VMOVUPS(v, place(p[3]))
		VSQRTPS(v, v)
		VADDPS(epsilon, v, v)
		VMULPS(rate, m, m)
		VDIVPS(v, m, m)
		VMOVUPS(place(p[0]), w)
		VSUBPS(m, w, w)
		VMOVUPS(w, place(p[0]))
	})
}

// leakyBack reads its mask 16 bits, of two vectors, at a time: each lane has all 16 and keeps its own.
func leakyBack() {
	TEXT("leakyBackSIMD", NOSPLIT, "func(dy, y *float32, mask *uint64, n int, slope, scale float32)")
	Pragma("noescape")
	p := pointers("dy", "y", "mask")
	n := Load(Param("n"), GP64())
	slope, scale, zero := broadcast("slope", YMM()), broadcast("scale", YMM()), zeros()
	own := []reg.VecVirtual{YMM(), YMM()}
	bits := GLOBL("lanebits", RODATA|NOPTR)
	for lane := range 16 {
		DATA(4*lane, U32(1<<lane))
	}
	for u := range own {
		VMOVUPS(bits.Offset(32*u), own[u])
	}
	kept := []reg.VecVirtual{YMM(), YMM()}
	for _, k := range kept { // all, without a mask
		VPCMPEQD(k, k, k)
	}
	i := counter()
	each(i, n, func(u int, place func(reg.Register) Mem) {
		if u == 0 {
			at := GP64()
			TESTQ(p[2], p[2])
			JZ(LabelRef("unmasked"))
			MOVQ(i, at)
			SHRQ(Imm(3), at)
			VPBROADCASTW(Mem{Base: p[2], Index: at, Scale: 1}, kept[1])
			for u, own := range own {
				VPAND(own, kept[1], kept[u])
				VPCMPEQD(own, kept[u], kept[u])
			}
			Label("unmasked")
		}
		d, mask, scaled := YMM(), YMM(), YMM()
		VMOVUPS(place(p[0]), d)
		rectify(d, place(p[1]), slope, zero, mask, scaled)
		VMULPS(scale, d, d)
		VANDPS(kept[u], d, d)
		VMOVUPS(d, place(p[0]))
	})
}

// rows repeats step for every row of channels, which are a multiple of 8, a vector at a time. It gets each vector's
// place in the tables of channels and in the rows of them that pointers of images point to.
func rows(images []reg.Register, step func(place func(p reg.Register) Mem)) {
	left, width := Load(Param("rows"), GP64()), Load(Param("channels"), GP64())
	c := GP64()
	JMP(LabelRef("check"))
	Label("row")
	XORQ(c, c)
	Label("vector")
	step(func(p reg.Register) Mem { return Mem{Base: p, Index: c, Scale: 4} })
	ADDQ(Imm(8), c)
	CMPQ(c, width)
	JLT(LabelRef("vector"))
	for _, p := range images {
		LEAQ(Mem{Base: p, Index: width, Scale: 4}, p)
	}
	Label("check")
	DECQ(left)
	JGE(LabelRef("row"))
	VZEROUPPER()
	RET()
}

func scale() {
	TEXT("scaleSIMD", NOSPLIT, "func(y, z, scale, shift *float32, slope float32, rows, channels int)")
	Pragma("noescape")
	images, tables := pointers("y", "z"), pointers("scale", "shift")
	slope, zero := broadcast("slope", YMM()), zeros()
	rows(images, func(place func(reg.Register) Mem) {
		v, factor, mask, scaled := YMM(), YMM(), YMM(), YMM()
		VMOVUPS(place(images[1]), v)
		VMOVUPS(place(tables[0]), factor)
		VFMADD213PS(place(tables[1]), factor, v)
		rectify(v, v, slope, zero, mask, scaled)
		VMOVUPS(v, place(images[0]))
	})
}

func normBack() {
	TEXT("normBackSIMD", NOSPLIT, "func(dy, y, z, a, b, c *float32, slope float32, rows, channels int)")
	Pragma("noescape")
	images, tables := pointers("dy", "y", "z"), pointers("a", "b", "c")
	slope, zero := broadcast("slope", YMM()), zeros()
	rows(images, func(place func(reg.Register) Mem) {
		d, z, b, mask, scaled := YMM(), YMM(), YMM(), YMM(), YMM()
		VMOVUPS(place(images[0]), d)
		rectify(d, place(images[1]), slope, zero, mask, scaled)
		VMOVUPS(place(images[2]), z)
		VMOVUPS(place(tables[1]), b)
		VFMADD213PS(place(tables[2]), b, z)
		VFMADD132PS(place(tables[0]), z, d)
		VMOVUPS(d, place(images[0]))
	})
}

// sums adds to the float64 sums of 16 channels, four vectors of four, the rows of inputs. step does so for one vector:
// it gets the inputs' places and the accumulators in the order of their names.
func sums(accumulators, inputs []string, step func(in []Mem, acc []reg.VecVirtual)) {
	totals, data := pointers(accumulators...), pointers(inputs...)
	left, stride := Load(Param("rows"), GP64()), Load(Param("stride"), GP64())
	SHLQ(Imm(2), stride)
	acc := make([][]reg.VecVirtual, 4)
	each := func(do func(m Mem, acc reg.VecVirtual)) {
		for j := range acc {
			for s, p := range totals {
				do(Mem{Base: p, Disp: 32 * j}, acc[j][s])
			}
		}
	}
	for j := range acc {
		for range totals {
			acc[j] = append(acc[j], YMM())
		}
	}
	each(func(m Mem, acc reg.VecVirtual) { VMOVUPD(m, acc) })
	at := counter()
	JMP(LabelRef("check"))
	Label("row")
	for j := range acc {
		in := make([]Mem, len(data))
		for i, p := range data {
			in[i] = Mem{Base: p, Index: at, Scale: 1, Disp: 16 * j}
		}
		step(in, acc[j])
	}
	ADDQ(stride, at)
	Label("check")
	DECQ(left)
	JGE(LabelRef("row"))
	each(func(m Mem, acc reg.VecVirtual) { VMOVUPD(acc, m) })
	VZEROUPPER()
	RET()
}

func channelSums() {
	TEXT("sumsSIMD", NOSPLIT, "func(sum *float64, x *float32, rows, stride int)")
	Pragma("noescape")
	sums([]string{"sum"}, []string{"x"}, func(in []Mem, acc []reg.VecVirtual) {
		x := YMM()
		VCVTPS2PD(in[0], x)
		VADDPD(x, acc[0], acc[0])
	})
}

func moments() {
	TEXT("momentsSIMD", NOSPLIT, "func(sum, squares *float64, x *float32, rows, stride int)")
	Pragma("noescape")
	sums([]string{"sum", "squares"}, []string{"x"}, func(in []Mem, acc []reg.VecVirtual) {
		x := YMM()
		VCVTPS2PD(in[0], x)
		VADDPD(x, acc[0], acc[0])
		VFMADD231PD(x, x, acc[1])
	})
}

func normGrads() {
	TEXT("normGradsSIMD", NOSPLIT, "func(sum, product *float64, dy, y, z *float32, slope float32, rows, stride int)")
	Pragma("noescape")
	slope, zero := broadcast("slope", YMM()).AsX(), zeros().AsX()
	sums([]string{"sum", "product"}, []string{"dy", "y", "z"}, func(in []Mem, acc []reg.VecVirtual) {
		narrow, d, z := XMM(), YMM(), YMM()
		VMOVUPS(in[0], narrow)
		rectify(narrow, in[1], slope, zero, d.AsX(), z.AsX())
		VCVTPS2PD(narrow, d)
		VCVTPS2PD(in[2], z)
		VADDPD(d, acc[0], acc[0])
		VFMADD231PD(z, d, acc[1])
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
