package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The transforms of Winograd's filtering, on a vector of channels at a time; see the plain Go of the same names, whose
// operations these repeat one by one.

type vec = reg.VecVirtual

// constants loads numbers into all lanes.
func (v variant) constants(numbers ...float32) []vec {
	all := make([]vec, len(numbers))
	for i, n := range numbers {
		all[i] = v.vector()
		r, x := GP32(), XMM()
		MOVL(U32(math.Float32bits(n)), r)
		VMOVD(r, x)
		VBROADCASTSS(x, all[i])
	}
	return all
}

func (v variant) op(f func(...Op), a, b vec) vec {
	to := v.vector()
	f(b, a, to) // the assembler's order: a is the first operand of a − b
	return to
}

func (v variant) add(a, b vec) vec { return v.op(VADDPS, a, b) }
func (v variant) sub(a, b vec) vec { return v.op(VSUBPS, a, b) }
func (v variant) mul(a, b vec) vec { return v.op(VMULPS, a, b) }

// fma returns a·b + c; c must not be used again.
func (v variant) fma(a, b, c vec) vec {
	VFMADD231PS(a, b, c)
	return c
}

// fms returns a·b − c; c must not be used again.
func (v variant) fms(a, b, c vec) vec {
	VFMSUB231PS(a, b, c)
	return c
}

func (v variant) winogradIn(k []vec, d []vec) []vec { // k: 1.5, 2
	q := [4]vec{}
	for i := range q {
		q[i] = v.sub(d[i+2], d[i])
	}
	p := [4]vec{
		v.fma(k[0], d[1], q[0]),
		v.fma(k[0], d[2], v.copy(q[1])),
		v.fma(k[0], d[3], v.copy(q[2])),
		v.fma(k[0], d[4], q[3]),
	}
	third := v.copy(q[2])
	VFNMSUB231PS(k[1], q[1], third)
	return []vec{
		v.sub(p[2], p[0]),
		v.add(p[2], p[1]),
		v.sub(p[1], p[2]),
		third,
		v.fms(k[1], q[2], q[1]),
		v.sub(p[3], p[1]),
	}
}

func (v variant) copy(a vec) vec {
	to := v.vector()
	VMOVAPS(a, to)
	return to
}

func (v variant) winogradOut(k []vec, m []vec) []vec { // k: 0.5, 0.25, 0.125, −2, 4, −8
	p, q := v.add(m[1], m[2]), v.sub(m[1], m[2])
	return []vec{
		v.add(v.add(m[0], p), v.add(m[3], m[4])),
		v.fma(k[3], m[4], v.fma(k[0], m[3], v.copy(q))),
		v.fma(k[4], m[4], v.fma(k[1], m[3], p)),
		v.add(v.fma(k[5], m[4], v.fma(k[2], m[3], q)), m[5]),
	}
}

func (v variant) winogradKernel(k []vec, g []vec) []vec { // k: 1/3, 1/15, 16, 8, 4, 2, 0.5
	outer := v.add(g[0], g[2])
	return []vec{
		g[0],
		v.mul(v.add(outer, g[1]), k[0]),
		v.mul(v.sub(outer, g[1]), k[0]),
		v.mul(v.fma(k[2], g[0], v.fma(k[3], g[1], v.mul(k[4], g[2]))), k[1]),
		v.mul(v.fma(k[5], g[2], v.fms(k[6], g[0], v.copy(g[1]))), k[1]),
		g[2],
	}
}

func (v variant) winogradGradIn(k []vec, y []vec) []vec { // k: 0.5, 0.25, 0.125, −2, 4, −8
	even, odd := v.add(y[0], y[2]), v.add(y[1], y[3])
	return []vec{
		y[0],
		v.add(even, odd),
		v.sub(even, odd),
		v.fma(k[2], y[3], v.fma(k[1], y[2], v.fma(k[0], y[1], v.copy(y[0])))),
		v.fma(k[5], y[3], v.fma(k[4], y[2], v.fma(k[3], y[1], v.copy(y[0])))),
		y[3],
	}
}

func (v variant) winogradGradOut(k []vec, u []vec) []vec { // k: 1/3, 1/15, 16, 8, 4, 2, 0.5
	sum, difference := v.mul(v.add(u[1], u[2]), k[0]), v.mul(v.sub(u[1], u[2]), k[0])
	a, b := v.mul(u[3], k[1]), v.mul(u[4], k[1])
	return []vec{
		v.fma(k[6], b, v.fma(k[2], a, v.add(u[0], sum))),
		v.sub(v.fma(k[3], a, difference), b),
		v.fma(k[5], b, v.fma(k[4], a, v.add(u[5], sum))),
	}
}

// transform is one in two dimensions: columns of the source first, to a square on the stack, then its rows. The source
// has ins×ins vectors, the result outs×outs, each with a stride in bytes between rows and between columns.
type transform struct {
	ins, outs int
	one       func(k []vec, in []vec) []vec
	numbers   []float32
	bias      bool
	edges     bool // parameter edges says which rows and columns of the source are zeros, and not there
}

// The bits of edges, as in package kernel.
const topZero, bottomZero, leftZero, rightZero = 1, 2, 4, 8

// strided is a pointer parameter with its two strides, as parameters in values; a row of 0 says that rows follow each
// other at as many columns as there are.
type strided struct{ pointer, row, column string }

// line is up to six places that a stride lies between.
type line struct{ start, fourth, stride, third reg.GPVirtual }

// newLine makes one whose start is still to be set.
func newLine(stride reg.GPVirtual, count int) line {
	l := line{GP64(), GP64(), stride, GP64()}
	if count > 3 {
		LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, l.third)
	}
	return l
}

// begin makes the line start at where l.start points, of count places.
func (l line) begin(count int) {
	if count > 3 {
		LEAQ(Mem{Base: l.start, Index: l.third, Scale: 1}, l.fourth)
	}
}

func (l line) at(i int) Mem {
	base := l.start
	if i >= 3 {
		base, i = l.fourth, i-3
	}
	if i == 0 {
		return Mem{Base: base}
	}
	return Mem{Base: base, Index: l.stride, Scale: uint8(i)}
}

func (v variant) square(name, signature string, t transform, dst, src strided, count string) {
	TEXT(name+v.suffix, 0, signature)
	Pragma("noescape")
	k := v.constants(t.numbers...)
	// On lines of the cache of its own: a vector across two would be stored twice.
	local := AllocLocal(t.ins*t.outs*v.bytes + v.bytes)
	square := GP64()
	LEAQ(local.Offset(v.bytes-1), square)
	ANDQ(I32(-v.bytes), square)
	scratch := Mem{Base: square}
	strides := func(s strided, columns int) (row, column reg.GPVirtual) {
		column = Load(Param(s.column), GP64()).(reg.GPVirtual)
		SHLQ(Imm(2), column)
		row = GP64()
		if s.row == "" {
			IMUL3Q(Imm(uint64(columns)), column, row)
		} else {
			MOVQ(mustParam(s.row), row)
			SHLQ(Imm(2), row)
		}
		return row, column
	}
	srcRow, srcColumn := strides(src, t.ins)
	dstRow, dstColumn := strides(dst, t.outs)
	from := Load(Param(src.pointer), GP64()).(reg.GPVirtual)
	to := Load(Param(dst.pointer), GP64()).(reg.GPVirtual)
	left := Load(Param(count), GP64()).(reg.GPVirtual)
	var bias reg.GPVirtual
	if t.bias {
		bias = Load(Param("bias"), GP64()).(reg.GPVirtual)
	}
	column, row := newLine(srcRow, t.ins), newLine(dstColumn, t.outs)

	var zero vec
	if t.edges {
		zero = v.zero()
	}
	// columns transforms those of the source, whose first and last rows may be zeros.
	columns := func(edges int) {
		for x := 0; x < t.ins; x++ {
			first, last := x == 0, x == t.ins-1
			done := fmt.Sprintf("column%d_%d", edges, x)
			transformed := func(in []vec) {
				for y, r := range t.one(k, in) {
					VMOVUPS(r, scratch.Offset((y*t.ins+x)*v.bytes))
				}
			}
			if t.edges && (first || last) {
				bit := leftZero
				if last {
					bit = rightZero
				}
				TESTQ(I32(bit), mustParam("edges"))
				JZ(LabelRef("there" + done))
				zeros := make([]vec, t.ins)
				for y := range zeros {
					zeros[y] = zero
				}
				transformed(zeros)
				JMP(LabelRef(done))
				Label("there" + done)
			}
			column.begin(t.ins)
			in := make([]vec, t.ins)
			for y := range in {
				if y == 0 && edges&topZero != 0 || y == t.ins-1 && edges&bottomZero != 0 {
					in[y] = zero
				} else {
					in[y] = v.load(column.at(y - edges&topZero))
				}
			}
			transformed(in)
			if !last {
				ADDQ(srcColumn, column.start)
			}
			if t.edges && (first || last) {
				Label(done)
			}
		}
	}

	Label("channels")
	MOVQ(from, column.start)
	if t.edges {
		for _, e := range []struct{ without, edges int }{{topZero | bottomZero, 0}, {bottomZero, topZero}, {topZero, bottomZero}} {
			TESTQ(I32(e.without), mustParam("edges"))
			JZ(LabelRef(fmt.Sprint("edges", e.edges)))
		}
		JMP(LabelRef(fmt.Sprint("edges", topZero|bottomZero)))
		Label("edges0")
	}
	columns(0)
	if t.edges {
		for edges := 1; edges <= topZero|bottomZero; edges++ {
			JMP(LabelRef("rows"))
			Label(fmt.Sprint("edges", edges))
			columns(edges)
		}
		Label("rows")
	}
	var add vec
	if t.bias {
		add = v.vector()
		VMOVUPS(Mem{Base: bias}, add)
	}
	MOVQ(to, row.start)
	for y := 0; y < t.outs; y++ {
		row.begin(t.outs)
		in := make([]vec, t.ins)
		for x := range in {
			in[x] = v.vector()
			VMOVUPS(scratch.Offset((y*t.ins+x)*v.bytes), in[x])
		}
		for x, r := range t.one(k, in) {
			if t.bias {
				r = v.add(r, add)
			}
			VMOVUPS(r, row.at(x))
		}
		if y < t.outs-1 {
			ADDQ(dstRow, row.start)
		}
	}
	ADDQ(I32(v.bytes), from)
	ADDQ(I32(v.bytes), to)
	if t.bias {
		ADDQ(I32(v.bytes), bias)
	}
	SUBQ(I32(v.bytes/4), left)
	JG(LabelRef("channels"))
	VZEROUPPER()
	RET()
}

// products sums the outer products of some rows and lanes of a place, tile by tile.
func (v variant) products() {
	TEXT("products"+v.suffix, NOSPLIT, "func(acc, x, y *float32, tiles, xStride, yStride int, add bool)")
	Pragma("noescape")
	acc := v.accumulators(v.outers)
	each := func(do func(sum reg.VecVirtual, place Mem)) {
		sums := Load(Param("acc"), GP64())
		for r := range acc {
			for j := range acc[r] {
				do(acc[r][j], Mem{Base: sums, Disp: (r*v.vectors + j) * v.bytes})
			}
		}
	}
	x, y, left := Load(Param("x"), GP64()), Load(Param("y"), GP64()), Load(Param("tiles"), GP64())
	xStride, yStride := Load(Param("xStride"), GP64()), Load(Param("yStride"), GP64())
	SHLQ(Imm(2), xStride)
	SHLQ(Imm(2), yStride)
	CMPB(mustParam("add").(Mem), Imm(0))
	JNE(LabelRef("old"))
	each(func(sum reg.VecVirtual, _ Mem) { v.clear(sum) })
	JMP(LabelRef("begin"))
	Label("old")
	each(func(sum reg.VecVirtual, place Mem) { VMOVUPS(place, sum) })
	Label("begin")
	// Several tiles at a time: what moves pointers would take the multiply-adds' ports.
	const unroll = 4
	step := func(x, y Mem) {
		w := make([]reg.VecVirtual, v.vectors)
		for j := range w {
			w[j] = v.vector()
			VMOVUPS(y.Offset(j*v.bytes), w[j])
		}
		for r := range acc {
			value := v.vector()
			VBROADCASTSS(x.Offset(4*r), value)
			for j := range w {
				VFMADD231PS(value, w[j], acc[r][j])
			}
		}
	}
	xThird, yThird := GP64(), GP64()
	LEAQ(Mem{Base: xStride, Index: xStride, Scale: 2}, xThird)
	LEAQ(Mem{Base: yStride, Index: yStride, Scale: 2}, yThird)
	SUBQ(Imm(unroll), left)
	JL(LabelRef("rest"))
	Label("main")
	step(Mem{Base: x}, Mem{Base: y})
	step(Mem{Base: x, Index: xStride, Scale: 1}, Mem{Base: y, Index: yStride, Scale: 1})
	step(Mem{Base: x, Index: xStride, Scale: 2}, Mem{Base: y, Index: yStride, Scale: 2})
	step(Mem{Base: x, Index: xThird, Scale: 1}, Mem{Base: y, Index: yThird, Scale: 1})
	LEAQ(Mem{Base: x, Index: xStride, Scale: 4}, x)
	LEAQ(Mem{Base: y, Index: yStride, Scale: 4}, y)
	SUBQ(Imm(unroll), left)
	JGE(LabelRef("main"))
	Label("rest")
	ADDQ(Imm(unroll), left)
	JZ(LabelRef("store"))
	Label("tile")
	step(Mem{Base: x}, Mem{Base: y})
	ADDQ(xStride, x)
	ADDQ(yStride, y)
	DECQ(left)
	JNZ(LabelRef("tile"))
	Label("store")
	each(func(sum reg.VecVirtual, place Mem) { VMOVUPS(sum, place) })
	VZEROUPPER()
	RET()
}

func (v variant) clear(to vec) {
	if v.bytes == 64 {
		VPXORD(to, to, to)
	} else {
		VXORPS(to, to, to)
	}
}

func mustParam(name string) Op {
	a, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return a.Addr
}

func (v variant) winograd() {
	v.products()
	v.square("winogradIn", "func(dst *float32, place int, src *float32, row, pixel, channels, edges int)",
		transform{ins: 6, outs: 6, one: v.winogradIn, numbers: []float32{1.5, 2}, edges: true},
		strided{"dst", "", "place"}, strided{"src", "row", "pixel"}, "channels")
	v.square("winogradOut", "func(dst *float32, row, pixel int, src *float32, place int, bias *float32, channels int)",
		transform{ins: 6, outs: 4, one: v.winogradOut, numbers: []float32{0.5, 0.25, 0.125, -2, 4, -8}, bias: true},
		strided{"dst", "row", "pixel"}, strided{"src", "", "place"}, "channels")
	v.square("winogradKernel", "func(dst *float32, place int, src *float32, tap, lanes int)",
		transform{ins: 3, outs: 6, one: v.winogradKernel, numbers: []float32{float32(1.) / 3, float32(1.) / 15, 16, 8, 4, 2, 0.5}},
		strided{"dst", "", "place"}, strided{"src", "", "tap"}, "lanes")
	v.square("winogradGradIn", "func(dst *float32, place int, src *float32, row, pixel, channels int)",
		transform{ins: 4, outs: 6, one: v.winogradGradIn, numbers: []float32{0.5, 0.25, 0.125, -2, 4, -8}},
		strided{"dst", "", "place"}, strided{"src", "row", "pixel"}, "channels")
	v.square("winogradGradOut", "func(dst *float32, tap int, src *float32, place, lanes int)",
		transform{ins: 6, outs: 3, one: v.winogradGradOut, numbers: []float32{float32(1.) / 3, float32(1.) / 15, 16, 8, 4, 2, 0.5}},
		strided{"dst", "", "tap"}, strided{"src", "", "place"}, "lanes")
}
