package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The transforms of pairs, on a vector of values at a time; see the plain Go of the same names, whose operations these
// repeat one by one.

func (v variant) pairIn(k, d []vec) []vec { // k: 0.5, 2, −2, 3
	switch len(d) {
	case 3:
		return []vec{v.sub(d[0], d[1]), v.add(d[1], d[1]), v.sub(d[2], d[1])}
	case 4:
		return []vec{v.sub(d[0], d[2]), v.add(d[1], d[2]), v.sub(d[3], d[1]), v.mul(k[3], v.sub(d[2], d[1]))}
	}
	e := v.sub(d[3], d[1])
	return []vec{
		v.fma(k[0], e, v.sub(d[0], d[2])),
		v.fma(k[1], d[1], v.sub(d[2], d[3])),
		v.fma(k[2], e, v.sub(d[4], d[2])),
		v.fms(k[3], d[2], v.fma(k[1], d[1], v.copy(d[3]))),
		e,
	}
}

func (v variant) pairOut(k, m []vec) []vec { // k: 2, 4, 8
	if len(m) == 3 {
		return []vec{v.add(m[0], m[1]), v.add(m[1], m[2])}
	}
	s, q := v.add(m[1], m[3]), v.sub(m[1], m[3])
	if len(m) == 4 {
		return []vec{v.add(m[0], s), q, v.add(s, m[2])}
	}
	return []vec{
		v.add(v.add(m[0], s), m[4]),
		v.fma(k[0], m[4], v.copy(q)),
		v.fma(k[1], m[4], s),
		v.add(v.fma(k[2], m[4], q), m[2]),
	}
}

func (v variant) pairKernel(k, g []vec) []vec { // k: 0.5, 1/6, 2
	return []vec{
		g[0],
		v.mul(k[0], v.add(g[0], g[1])),
		g[1],
		v.mul(v.sub(g[0], g[1]), k[1]),
		v.mul(v.fma(k[2], g[1], v.copy(g[0])), k[1]),
		g[2],
	}
}

// row is a pointer parameter that goes from one vector to the next, with its strides between the inputs or outputs of a
// transform and between one time and the next, in bytes.
type row struct {
	at, start, step, thrice reg.GPVirtual
	next                    Op
}

func newRow(name string) row {
	r := row{start: Load(Param(name), GP64()).(reg.GPVirtual), at: GP64(), thrice: GP64(), next: mustParam(name + "Next")}
	r.step = Load(Param(name+"Step"), GP64()).(reg.GPVirtual)
	SHLQ(Imm(2), r.step)
	LEAQ(Mem{Base: r.step, Index: r.step, Scale: 2}, r.thrice)
	return r
}

// place is where number i of a transform lies.
func (r row) place(i int) Mem {
	switch i {
	case 0:
		return Mem{Base: r.at}
	case 3:
		return Mem{Base: r.at, Index: r.thrice, Scale: 1}
	}
	return Mem{Base: r.at, Index: r.step, Scale: uint8(i)}
}

func (r row) advance() {
	next := GP64()
	MOVQ(r.next, next)
	LEAQ(Mem{Base: r.start, Index: next, Scale: 4}, r.start)
}

// strip is a transform in one dimension, count times for n values.
func (v variant) strip(name string, ins int, one func(k, in []vec) []vec, add bool, numbers ...float32) {
	more := ""
	if add {
		more = "add *float32, addStep, addNext int, "
	}
	TEXT(name+v.suffix, NOSPLIT, fmt.Sprintf("func(dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext int, %sn, count int)", more))
	Pragma("noescape")
	k := v.constants(numbers...)
	dst, src := newRow("dst"), newRow("src")
	rows := []row{dst, src}
	var added row
	if add {
		added = newRow("add")
		rows = append(rows, added)
	}
	left := GP64()
	Label("time")
	for _, r := range rows {
		MOVQ(r.start, r.at)
	}
	MOVQ(mustParam("n"), left)
	Label("values")
	in := make([]vec, ins)
	for i := range in {
		in[i] = v.vector()
		VMOVUPS(src.place(i), in[i])
	}
	for i, value := range one(k, in) {
		if add {
			value = v.add(value, v.load(added.place(i)))
		}
		VMOVUPS(value, dst.place(i))
	}
	for _, r := range rows {
		ADDQ(I32(v.bytes), r.at)
	}
	SUBQ(I32(v.bytes/4), left)
	JG(LabelRef("values"))
	for _, r := range rows {
		r.advance()
	}
	DECQ(mustParam("count"))
	JNZ(LabelRef("time"))
	VZEROUPPER()
	RET()
}

func (v variant) load(from Mem) vec {
	to := v.vector()
	VMOVUPS(from, to)
	return to
}

func (v variant) pairs() {
	for ins := 3; ins <= 5; ins++ {
		v.strip(fmt.Sprintf("pairIn%d", ins-1), ins, v.pairIn, false, 0.5, 2, -2, 3)
		v.strip(fmt.Sprintf("pairOut%d", ins-1), ins, v.pairOut, true, 2, 4, 8)
	}
	v.square("pairKernel", "func(dst *float32, place int, src *float32, tap, lanes int)",
		transform{ins: 3, outs: 6, one: v.pairKernel, numbers: []float32{0.5, float32(1.) / 6, 2}},
		strided{"dst", "", "place"}, strided{"src", "", "tap"}, "lanes")
}
