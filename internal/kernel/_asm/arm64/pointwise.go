package main

import "fmt"

// rectify multiplies d by slope in the lanes where y is not above zero.
func (f *file) rectify(d, y, slope vec) {
	f.scoped(func() {
		mask, scaled := f.vec(), f.vec()
		f.above(mask, y)
		f.fmul(scaled, d, slope)
		f.op("VBIF", mask.bytes(), scaled.bytes(), d.bytes())
	})
}

// next loads two vectors from where p points to, and moves it on.
func (f *file) next(p gp) [2]vec {
	v := [2]vec{f.vec(), f.vec()}
	f.op("FLDPQ.P", at(p, 32), pair(v[0], v[1]))
	return v
}

// here loads them and leaves p, for a store.
func (f *file) here(p gp) [2]vec {
	v := [2]vec{f.vec(), f.vec()}
	f.op("FLDPQ", at(p, 0), pair(v[0], v[1]))
	return v
}

func (f *file) store(v [2]vec, p gp) {
	f.op("FSTPQ.P", pair(v[0], v[1]), at(p, 32))
}

// each repeats step for 16 values, in two parts of two vectors, n values in all. What is left to do then follows.
func (f *file) each(n gp, step func(part int), then ...func()) {
	f.op("CBZ", n, "done")
	f.label("loop")
	for part := range 2 {
		f.scoped(func() { step(part) })
	}
	f.op("SUBS", imm(16), n)
	f.op("BGT", "loop")
	f.label("done")
	for _, last := range then {
		last()
	}
	f.op("RET")
}

func (f *file) add() {
	f.text("addSIMD", "dst, src *float32, n int", 0)
	p := f.load("dst", "src", "n")
	f.each(p[2], func(int) {
		to, from := f.here(p[0]), f.next(p[1])
		for i := range to {
			f.fadd(to[i], to[i], from[i])
		}
		f.store(to, p[0])
	})
}

func (f *file) adam() {
	f.text("adamSIMD", "w, grad, m, v *float32, n int, rate, keep1, keep2, epsilon float32, zeros *[8]float32", 0) // "g" is a register
	p := f.load("w", "grad", "m", "v", "n", "zeros")
	s := f.broadcast("rate", "keep1", "keep2", "epsilon")
	none, finite := f.vec(), [2]vec{f.vec(), f.vec()} // finite: sums of products with zero
	f.zero(none)
	f.zero(finite[0])
	f.zero(finite[1])
	f.each(p[4], func(int) {
		w, g, m, v := f.here(p[0]), f.next(p[1]), f.here(p[2]), f.here(p[3])
		for i := range w {
			f.scoped(func() {
				t := f.vec()
				f.fsub(t, g[i], m[i])
				f.fmla(m[i], t, s[1])
				f.fneg(t, v[i])
				f.fmla(t, g[i], g[i]) // g² − v
				f.fmla(v[i], t, s[2])
			})
		}
		f.store(m, p[2])
		f.store(v, p[3])
		for i := range w {
			f.fmla(finite[i], m[i], none)
			f.fmla(finite[i], v[i], none)
			f.fsqrt(v[i], v[i])
			f.fadd(v[i], v[i], s[3])
			f.fmul(m[i], s[0], m[i])
			f.fdiv(m[i], m[i], v[i])
			f.fsub(w[i], w[i], m[i])
			f.fmla(finite[i], w[i], none)
		}
		f.store(w, p[0])
	}, func() { f.store(finite, p[5]) })
}

// leaky is a leaky rectifier, or its gradient, over 16 values at a time, four vectors, whose bits it reads and writes together.
func (f *file) leaky(name string, back bool) {
	f.text(name, "y *float32, above, mask *uint64, n int, slope, scale float32", 0)
	p := f.load("y", "above", "mask", "n")
	s := f.broadcast("slope", "scale")
	own, above, kept := f.vecs(4), f.vecs(4), f.vecs(4)
	bits := f.gp()
	for lane := range 4 { // lane of the first vector, then the others by shifts
		f.op("MOVD", imm(1<<lane), bits)
		f.op("VMOV", bits, own[0].lane(lane))
	}
	for i := 1; i < len(own); i++ {
		f.op("VSHL", imm(4), own[i-1], own[i])
	}
	read := func(masks []vec, p gp, none string) {
		f.op("CBZ", p, none)
		f.op("MOVHU.P", at(p, 2), bits)
		f.op("VDUP", bits, masks[3])
		for i := range own {
			f.op("VCMTST", own[i], masks[3], masks[i])
		}
		f.label(none)
	}
	for i := range own { // all, without bits
		f.op("VCMEQ", above[i], above[i], above[i])
		f.op("VCMEQ", kept[i], kept[i], kept[i])
	}
	f.op("CBZ", p[3], "done")
	f.label("loop")
	if back {
		read(above, p[1], "all")
	}
	read(kept, p[2], "unmasked")
	for i := 0; i < len(own); i += 2 {
		f.scoped(func() {
			y := f.here(p[0])
			for j, d := range y {
				scaled := f.vec()
				if !back {
					f.above(above[i+j], d)
				}
				f.fmul(scaled, d, s[0])
				f.op("VBIF", above[i+j].bytes(), scaled.bytes(), d.bytes())
				f.fmul(d, d, s[1])
				f.op("VAND", kept[i+j].bytes(), d.bytes(), d.bytes())
			}
			f.store(y, p[0])
		})
	}
	if !back {
		f.op("CBZ", p[1], "unasked")
		for i := range own {
			f.op("VAND", own[i].bytes(), above[i].bytes(), above[i].bytes())
			if i > 0 {
				f.op("VORR", above[i].bytes(), above[0].bytes(), above[0].bytes())
			}
		}
		f.op("VADDV", above[0], fmt.Sprintf("V%d", int(above[0])))
		f.op("VMOV", above[0].lane(0), bits)
		f.op("MOVH.P", bits, at(p[1], 2))
		f.label("unasked")
	}
	f.op("SUBS", imm(16), p[3])
	f.op("BGT", "loop")
	f.label("done")
	f.op("RET")
}

// rows repeats step for every row of channels, two vectors at a time. Pointers into rows of channels move on by
// themselves, and if strided is set, those in images from row to row, which are stride values apart; other rows lie one
// behind the other. Pointers into the tables, a value a channel, start anew with each row and are handed to step.
func (f *file) rows(images, tables []gp, strided bool, step func(tables []gp)) {
	p := f.load("rows", "channels")
	width, moving := f.gp(), make([]gp, len(tables))
	for i := range moving {
		moving[i] = f.gp()
	}
	var gap gp
	if strided {
		gap = f.load("stride")[0]
		f.op("SUB", p[1], gap, gap)
	}
	f.label("row")
	for i, t := range tables {
		f.op("MOVD", t, moving[i])
	}
	f.op("MOVD", p[1], width)
	f.label("vectors")
	f.scoped(func() { step(moving) })
	f.op("SUBS", imm(8), width)
	f.op("BGT", "vectors")
	if strided {
		for _, image := range images {
			f.op("ADD", gap.values(), image, image)
		}
	}
	f.op("SUBS", imm(1), p[0])
	f.op("BGT", "row")
	f.op("RET")
}

func (f *file) scale() {
	f.text("scaleSIMD", "y, z, scale, shift *float32, slope float32, rows, stride, channels int", 0)
	images, tables := f.load("y", "z"), f.load("scale", "shift")
	slope := f.broadcast("slope")[0]
	f.rows(images[1:], tables, true, func(tables []gp) {
		z, factor, v := f.next(images[1]), f.next(tables[0]), f.next(tables[1])
		for i := range v {
			f.fmla(v[i], z[i], factor[i])
			f.rectify(v[i], v[i], slope)
		}
		f.store(v, images[0])
	})
}

func (f *file) normBack() {
	f.text("normBackSIMD", "dy, z, scale, shift, a, b, c *float32, slope float32, rows, channels int", 0)
	images, tables := f.load("dy", "z"), f.load("scale", "shift", "a", "b", "c")
	slope := f.broadcast("slope")[0]
	f.rows(images, tables, false, func(tables []gp) {
		d, z, factor, y := f.here(images[0]), f.next(images[1]), f.next(tables[0]), f.next(tables[1])
		a, b, c := f.next(tables[2]), f.next(tables[3]), f.next(tables[4])
		for i := range d {
			f.fmla(y[i], z[i], factor[i])
			f.rectify(d[i], y[i], slope)
			f.fmla(c[i], b[i], z[i])
			f.fmla(c[i], a[i], d[i])
		}
		f.store(c, images[0])
	})
}

// widen turns two vectors of float32 into four of float64.
func (f *file) widen(v [2]vec) []vec {
	to := f.vecs(4)
	for i, v := range v {
		f.fcvtl(to[2*i], v)
		f.fcvtl2(to[2*i+1], v)
	}
	return to
}

// accumulate changes the float64 where p points to, four vectors of them, and moves it on.
func (f *file) accumulate(p gp, change func(i int, sum vec)) {
	for i := 0; i < 4; i += 2 {
		f.scoped(func() {
			sum := f.here(p)
			change(i, sum[0])
			change(i+1, sum[1])
			f.store(sum, p)
		})
	}
}

func (f *file) channelSums() {
	f.text("sumsSIMD", "sum *float64, x *float32, rows, stride, channels int", 0)
	totals, images := f.load("sum"), f.load("x")
	f.rows(images, totals, true, func(totals []gp) {
		x := f.widen(f.next(images[0]))
		f.accumulate(totals[0], func(i int, sum vec) { f.faddDoubles(sum, sum, x[i]) })
	})
}

func (f *file) moments() {
	f.text("momentsSIMD", "sum, squares *float64, x *float32, rows, stride, channels int", 0)
	totals, images := f.load("sum", "squares"), f.load("x")
	f.rows(images, totals, true, func(totals []gp) {
		x := f.widen(f.next(images[0]))
		f.accumulate(totals[0], func(i int, sum vec) { f.faddDoubles(sum, sum, x[i]) })
		f.accumulate(totals[1], func(i int, sum vec) { f.fmlaDoubles(sum, x[i], x[i]) })
	})
}

func (f *file) normGrads() {
	f.text("normGradsSIMD", "sum, product *float64, dy, z, scale, shift *float32, slope float32, rows, stride, channels int", 0)
	images, tables := f.load("dy", "z"), f.load("sum", "product", "scale", "shift")
	slope := f.broadcast("slope")[0]
	f.rows(images, tables, true, func(tables []gp) {
		grads, inputs, factor, y := f.next(images[0]), f.next(images[1]), f.next(tables[2]), f.next(tables[3])
		for i := range y {
			f.fmla(y[i], inputs[i], factor[i])
			f.rectify(grads[i], y[i], slope)
		}
		d, z := f.widen(grads), f.widen(inputs)
		f.accumulate(tables[0], func(i int, sum vec) { f.faddDoubles(sum, sum, d[i]) })
		f.accumulate(tables[1], func(i int, sum vec) { f.fmlaDoubles(sum, d[i], z[i]) })
	})
}
