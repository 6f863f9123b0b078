package main

import (
	"fmt"
	"math"
)

// The transforms of Winograd's filtering, on a vector of channels at a time; see the plain Go of the same names, whose
// operations these repeat one by one.

// constants loads numbers into all lanes.
func (f *file) constants(numbers ...float32) []vec {
	all, r := f.vecs(len(numbers)), f.gp()
	for i, n := range numbers {
		f.op("MOVD", fmt.Sprintf("$0x%08x", math.Float32bits(n)), r)
		f.op("VDUP", r, all[i])
	}
	return all
}

// result is an operation of two sources with a register of its own for what it gives.
func (f *file) result(op func(to, a, b vec), a, b vec) vec {
	to := f.vec()
	op(to, a, b)
	return to
}

func (f *file) sum(a, b vec) vec        { return f.result(f.fadd, a, b) }
func (f *file) difference(a, b vec) vec { return f.result(f.fsub, a, b) }
func (f *file) product(a, b vec) vec    { return f.result(f.fmul, a, b) }

// fused returns a·b + c; c must not be used again.
func (f *file) fused(a, b, c vec) vec {
	f.fmla(c, a, b)
	return c
}

func (f *file) copied(a vec) vec {
	to := f.vec()
	f.copy(to, a)
	return to
}

func (f *file) negated(a vec) vec {
	to := f.vec()
	f.fneg(to, a)
	return to
}

func (f *file) winogradIn(k, d []vec) []vec { // k: 1.5, 2
	q := f.vecs(4)
	for i := range q {
		f.fsub(q[i], d[i+2], d[i])
	}
	p := []vec{
		f.fused(k[0], d[1], q[0]),
		f.fused(k[0], d[2], f.copied(q[1])),
		f.fused(k[0], d[3], f.copied(q[2])),
		f.fused(k[0], d[4], q[3]),
	}
	third := f.negated(q[2])
	f.fmls(third, k[1], q[1])
	return []vec{
		f.difference(p[2], p[0]),
		f.sum(p[2], p[1]),
		f.difference(p[1], p[2]),
		third,
		f.fused(k[1], q[2], f.negated(q[1])),
		f.difference(p[3], p[1]),
	}
}

func (f *file) winogradOut(k, m []vec) []vec { // k: 0.5, 0.25, 0.125, −2, 4, −8
	p, q := f.sum(m[1], m[2]), f.difference(m[1], m[2])
	return []vec{
		f.sum(f.sum(m[0], p), f.sum(m[3], m[4])),
		f.fused(k[3], m[4], f.fused(k[0], m[3], f.copied(q))),
		f.fused(k[4], m[4], f.fused(k[1], m[3], p)),
		f.sum(f.fused(k[5], m[4], f.fused(k[2], m[3], q)), m[5]),
	}
}

func (f *file) winogradKernel(k, g []vec) []vec { // k: 1/3, 1/15, 16, 8, 4, 2, 0.5
	outer := f.sum(g[0], g[2])
	return []vec{
		g[0],
		f.product(f.sum(outer, g[1]), k[0]),
		f.product(f.difference(outer, g[1]), k[0]),
		f.product(f.fused(k[2], g[0], f.fused(k[3], g[1], f.product(k[4], g[2]))), k[1]),
		f.product(f.fused(k[5], g[2], f.fused(k[6], g[0], f.negated(g[1]))), k[1]),
		g[2],
	}
}

func (f *file) winogradGradIn(k, y []vec) []vec { // k: 0.5, 0.25, 0.125, −2, 4, −8
	even, odd := f.sum(y[0], y[2]), f.sum(y[1], y[3])
	return []vec{
		y[0],
		f.sum(even, odd),
		f.difference(even, odd),
		f.fused(k[2], y[3], f.fused(k[1], y[2], f.fused(k[0], y[1], f.copied(y[0])))),
		f.fused(k[5], y[3], f.fused(k[4], y[2], f.fused(k[3], y[1], f.copied(y[0])))),
		y[3],
	}
}

func (f *file) winogradGradOut(k, u []vec) []vec { // k: 1/3, 1/15, 16, 8, 4, 2, 0.5
	sum, difference := f.product(f.sum(u[1], u[2]), k[0]), f.product(f.difference(u[1], u[2]), k[0])
	a, b := f.product(u[3], k[1]), f.product(u[4], k[1])
	return []vec{
		f.fused(k[6], b, f.fused(k[2], a, f.sum(u[0], sum))),
		f.difference(f.fused(k[3], a, difference), b),
		f.fused(k[5], b, f.fused(k[4], a, f.sum(u[5], sum))),
	}
}

// transform is one in two dimensions: columns of the source first, to a square on the stack, then its rows. The source
// has ins×ins vectors, the result outs×outs, each with a stride between rows and between columns.
type transform struct {
	ins, outs int
	one       func(k, in []vec) []vec
	numbers   []float32
	bias      bool
	edges     bool // parameter edges says which rows and columns of the source are zeros, and not there
}

// The bits of edges, as in package kernel.
const topZero, bottomZero, leftZero, rightZero = 1, 2, 4, 8

// strided is a pointer parameter with its two strides, as parameters in values; no row says that rows follow each other
// at as many columns as there are.
type strided struct{ pointer, row, column string }

// strides loads them, in bytes.
func (f *file) strides(s strided, columns int) (row, column gp) {
	column = f.load(s.column)[0]
	f.op("LSL", imm(2), column)
	if s.row != "" {
		row = f.load(s.row)[0]
		f.op("LSL", imm(2), row)
		return row, column
	}
	row = f.gp()
	f.op("MOVD", imm(columns), row)
	f.op("MUL", column, row)
	return row, column
}

func (f *file) square(name, parameters string, t transform, dst, src strided, count string) {
	const bytes = 16 // of a vector
	size := t.ins * t.outs * bytes
	f.text(name+"NEON", parameters, size)
	k := f.constants(t.numbers...)
	srcRow, srcColumn := f.strides(src, t.ins)
	dstRow, dstColumn := f.strides(dst, t.outs)
	p := f.load(src.pointer, dst.pointer, count)
	from, to, left := p[0], p[1], p[2]
	var bias gp
	if t.bias {
		bias = f.load("bias")[0]
	}
	var zeros, rows gp
	if t.edges {
		zeros, rows = f.load("edges")[0], f.gp()
	}
	scratch, line, place := f.gp(), f.gp(), f.gp()
	f.op("MOVD", fmt.Sprintf("$scratch-%d(SP)", size), scratch)

	// columns transforms those of the source, whose first and last rows may be zeros.
	columns := func(edges int) {
		for x := range t.ins {
			first, last := x == 0, x == t.ins-1
			done := fmt.Sprintf("column%d_%d", edges, x)
			transformed := func(load func(y int, to vec)) {
				f.scoped(func() {
					in := f.vecs(t.ins)
					for y, v := range in {
						load(y, v)
					}
					for y, r := range t.one(k, in) {
						f.op("FMOVQ", r.whole(), at(scratch, (y*t.ins+x)*bytes))
					}
				})
			}
			zero := func(to vec) { f.op("VEOR", to.bytes(), to.bytes(), to.bytes()) }
			if t.edges && (first || last) {
				bit := leftZero
				if last {
					bit = rightZero
				}
				f.op("TST", imm(bit), zeros)
				f.op("BEQ", "there"+done)
				transformed(func(_ int, to vec) { zero(to) })
				f.op("JMP", done)
				f.label("there" + done)
			}
			f.op("MOVD", line, place)
			transformed(func(y int, to vec) {
				if y == 0 && edges&topZero != 0 || y == t.ins-1 && edges&bottomZero != 0 {
					zero(to)
				} else {
					f.op("VLD1.P", by(place, srcRow), "["+to.String()+"]")
				}
			})
			f.op("ADD", srcColumn, line)
			if t.edges && (first || last) {
				f.label(done)
			}
		}
	}

	f.label("channels")
	f.op("MOVD", from, line)
	if t.edges {
		f.op("AND", imm(topZero|bottomZero), zeros, rows)
		for edges := 1; edges <= topZero|bottomZero; edges++ {
			f.op("CMP", imm(edges), rows)
			f.op("BEQ", fmt.Sprint("edges", edges))
		}
	}
	columns(0)
	if t.edges {
		for edges := 1; edges <= topZero|bottomZero; edges++ {
			f.op("JMP", "rows")
			f.label(fmt.Sprint("edges", edges))
			columns(edges)
		}
		f.label("rows")
	}
	f.scoped(func() {
		var add vec
		if t.bias {
			add = f.vec()
			f.op("FMOVQ.P", at(bias, bytes), add.whole())
		}
		f.op("MOVD", to, line)
		for y := range t.outs {
			f.scoped(func() {
				in := f.vecs(t.ins)
				for x, v := range in {
					f.op("FMOVQ", at(scratch, (y*t.ins+x)*bytes), v.whole())
				}
				f.op("MOVD", line, place)
				for _, r := range t.one(k, in) {
					if t.bias {
						r = f.sum(r, add)
					}
					f.op("VST1.P", "["+r.String()+"]", by(place, dstColumn))
				}
			})
			f.op("ADD", dstRow, line)
		}
	})
	f.op("ADD", imm(bytes), from)
	f.op("ADD", imm(bytes), to)
	f.op("SUBS", imm(bytes/4), left)
	f.op("BGT", "channels")
	f.op("RET")
}

func (f *file) winograd() {
	f.square("winogradIn", "dst *float32, place int, src *float32, row, pixel, channels, edges int",
		transform{ins: 6, outs: 6, one: f.winogradIn, numbers: []float32{1.5, 2}, edges: true},
		strided{"dst", "", "place"}, strided{"src", "row", "pixel"}, "channels")
	f.square("winogradOut", "dst *float32, row, pixel int, src *float32, place int, bias *float32, channels int",
		transform{ins: 6, outs: 4, one: f.winogradOut, numbers: []float32{0.5, 0.25, 0.125, -2, 4, -8}, bias: true},
		strided{"dst", "row", "pixel"}, strided{"src", "", "place"}, "channels")
	f.square("winogradKernel", "dst *float32, place int, src *float32, tap, lanes int",
		transform{ins: 3, outs: 6, one: f.winogradKernel, numbers: []float32{float32(1.) / 3, float32(1.) / 15, 16, 8, 4, 2, 0.5}},
		strided{"dst", "", "place"}, strided{"src", "", "tap"}, "lanes")
	f.square("winogradGradIn", "dst *float32, place int, src *float32, row, pixel, channels int",
		transform{ins: 4, outs: 6, one: f.winogradGradIn, numbers: []float32{0.5, 0.25, 0.125, -2, 4, -8}},
		strided{"dst", "", "place"}, strided{"src", "row", "pixel"}, "channels")
	f.square("winogradGradOut", "dst *float32, tap int, src *float32, place, lanes int",
		transform{ins: 6, outs: 3, one: f.winogradGradOut, numbers: []float32{float32(1.) / 3, float32(1.) / 15, 16, 8, 4, 2, 0.5}},
		strided{"dst", "", "tap"}, strided{"src", "", "place"}, "lanes")
}
