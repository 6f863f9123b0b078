package main

import "fmt"

// The transforms of pairs, on a vector of values at a time; see the plain Go of the same names, whose operations these
// repeat one by one.

func (f *file) pairIn(k, d []vec) []vec { // k: 0.5, 2, −2, 3
	switch len(d) {
	case 3:
		return []vec{f.difference(d[0], d[1]), f.sum(d[1], d[1]), f.difference(d[2], d[1])}
	case 4:
		return []vec{
			f.difference(d[0], d[2]),
			f.sum(d[1], d[2]),
			f.difference(d[3], d[1]),
			f.product(k[3], f.difference(d[2], d[1])),
		}
	}
	e := f.difference(d[3], d[1])
	return []vec{
		f.fused(k[0], e, f.difference(d[0], d[2])),
		f.fused(k[1], d[1], f.difference(d[2], d[3])),
		f.fused(k[2], e, f.difference(d[4], d[2])),
		f.fused(k[3], d[2], f.negated(f.fused(k[1], d[1], f.copied(d[3])))),
		e,
	}
}

func (f *file) pairInLong(k, d []vec) []vec { // k: 5.25, 4.25, −1.25, 0.25
	first := f.fused(k[0], f.difference(d[4], d[2]), f.difference(d[0], d[6]))
	last := f.fused(k[0], f.difference(d[3], d[5]), f.difference(d[7], d[1]))
	parts := func(a, b, c vec) (one, two, half vec) {
		one, two = f.sum(a, c), f.copied(c)
		f.fneg(one, one)
		return f.fused(k[1], b, one), f.fused(k[2], b, f.fused(k[3], a, two)), f.fused(k[2], b, f.fused(k[3], c, a))
	}
	even1, even2, evenHalf := parts(d[2], d[4], d[6])
	odd1, odd2, oddHalf := parts(d[1], d[3], d[5])
	f.fadd(evenHalf, evenHalf, evenHalf)
	f.fadd(odd2, odd2, odd2)
	return []vec{
		first, f.sum(even1, odd1), f.difference(even1, odd1), f.sum(even2, odd2), f.difference(even2, odd2),
		f.sum(evenHalf, oddHalf), f.difference(evenHalf, oddHalf), last,
	}
}

func (f *file) pairOutLong(k, m []vec) []vec { // k: 2, 4, 8, 16, 32, 64
	even1, even2, evenHalf := f.sum(m[1], m[2]), f.sum(m[3], m[4]), f.sum(m[5], m[6])
	odd1, odd2, oddHalf := f.difference(m[1], m[2]), f.difference(m[3], m[4]), f.difference(m[5], m[6])
	y0, y6 := f.sum(m[0], even1), f.sum(even1, evenHalf)
	f.fadd(y0, y0, even2)
	f.fadd(y6, y6, m[7])
	return []vec{
		f.fused(k[5], evenHalf, y0),
		f.fused(k[4], oddHalf, f.fused(k[0], odd2, f.copied(odd1))),
		f.fused(k[3], evenHalf, f.fused(k[1], even2, f.copied(even1))),
		f.fused(k[2], f.sum(odd2, oddHalf), f.copied(odd1)),
		f.fused(k[1], evenHalf, f.fused(k[3], even2, even1)),
		f.fused(k[0], oddHalf, f.fused(k[4], odd2, odd1)),
		f.fused(k[5], even2, y6),
	}
}

func (f *file) pairLongKernel(k, g []vec) []vec { // k: 2/9, 1/90
	twice0, twice1 := f.sum(g[0], g[0]), f.sum(g[1], g[1])
	return []vec{
		g[0],
		f.product(f.sum(g[0], g[1]), k[0]), f.product(f.difference(g[0], g[1]), k[0]),
		f.product(f.sum(g[0], twice1), k[1]), f.product(f.difference(g[0], twice1), k[1]),
		f.product(f.sum(twice0, g[1]), k[1]), f.product(f.difference(twice0, g[1]), k[1]),
		g[1],
		g[2],
	}
}

func (f *file) pairInWhole(k, d []vec) []vec { // k: 0.5, 2, −2, 3
	e := f.sum(d[0], d[2])
	return []vec{d[2], f.sum(e, d[1]), d[0], f.product(k[3], f.difference(d[1], e))}
}

func (f *file) pairOutWhole(_, m []vec) []vec {
	return []vec{f.copied(m[2]), f.difference(f.difference(m[1], m[3]), m[0]), f.difference(f.sum(m[1], m[3]), m[2]), f.copied(m[0])}
}

func (f *file) pairGradInWhole(_, y []vec) []vec {
	return []vec{f.difference(y[3], y[1]), f.sum(y[1], y[2]), f.difference(y[0], y[2]), f.difference(y[2], y[1])}
}

func (f *file) pairOut(k, m []vec) []vec { // k: 2, 4, 8
	if len(m) == 3 {
		return []vec{f.sum(m[0], m[1]), f.sum(m[1], m[2])}
	}
	s, q := f.sum(m[1], m[3]), f.difference(m[1], m[3])
	if len(m) == 4 {
		return []vec{f.sum(m[0], s), q, f.sum(s, m[2])}
	}
	return []vec{
		f.sum(f.sum(m[0], s), m[4]),
		f.fused(k[0], m[4], f.copied(q)),
		f.fused(k[1], m[4], s),
		f.sum(f.fused(k[2], m[4], q), m[2]),
	}
}

func (f *file) pairKernel(k, g []vec) []vec { // k: 0.5, 1/6, 2
	return []vec{
		g[0],
		f.product(k[0], f.sum(g[0], g[1])),
		g[1],
		f.product(f.difference(g[0], g[1]), k[1]),
		f.product(f.fused(k[2], g[1], f.copied(g[0])), k[1]),
		g[2],
	}
}

func (f *file) pairGradIn(k, y []vec) []vec { // k: 2, 4, 8
	switch len(y) {
	case 2:
		return []vec{y[0], f.sum(y[0], y[1]), y[1]}
	case 3:
		even := f.sum(y[0], y[2])
		return []vec{y[0], f.sum(even, y[1]), y[2], f.difference(even, y[1])}
	}
	even, odd := f.sum(y[0], y[2]), f.sum(y[1], y[3])
	last := f.fused(k[2], y[3], f.fused(k[1], y[2], f.fused(k[0], y[1], f.copied(y[0]))))
	return []vec{y[0], f.sum(even, odd), y[3], f.difference(even, odd), last}
}

func (f *file) pairGradOut(k, u []vec) []vec { // k: 0.5, 1/6, 2
	first, second := f.fused(k[0], u[1], f.copied(u[0])), f.fused(k[0], u[1], f.copied(u[2]))
	return []vec{
		f.fused(k[1], f.sum(u[3], u[4]), first),
		f.fused(k[1], f.fused(k[2], u[4], f.negated(u[3])), second),
		u[5],
	}
}

// row is a pointer parameter that goes from one vector to the next, with its stride in bytes between the inputs or outputs
// of a transform, of which place is one.
type row struct{ at, place, step gp }

func (f *file) row(name string) row {
	p := f.load(name, name+"Step")
	f.op("LSL", imm(2), p[1])
	return row{p[0], f.gp(), p[1]}
}

// first goes to the first input or output, read and write to the next.
func (f *file) first(r row)          { f.op("MOVD", r.at, r.place) }
func (f *file) read(r row, to vec)   { f.op("VLD1.P", by(r.place, r.step), "["+to.String()+"]") }
func (f *file) write(r row, out vec) { f.op("VST1.P", "["+out.String()+"]", by(r.place, r.step)) }

// values repeats body, which does one vector, until none is left.
func (f *file) values(label string, rows []row, left gp, body func()) {
	const bytes = 16 // of a vector
	f.label("values" + label)
	for _, r := range rows {
		f.first(r)
	}
	f.scoped(body)
	for _, r := range rows {
		f.op("ADD", imm(bytes), r.at)
	}
	f.op("SUBS", imm(bytes/4), left)
	f.op("BGT", "values"+label)
}

// strip is the registers of loops over n values, count times.
type strip struct {
	rows           []row
	starts, nexts  []gp // of the rows: where a time starts, and how many values behind it the next
	n, count, left gp
}

func (f *file) strip(names ...string) strip {
	p := f.load("n", "count")
	s := strip{n: p[0], count: p[1], left: f.gp()}
	for _, name := range names {
		r := f.row(name)
		s.rows, s.starts, s.nexts = append(s.rows, r), append(s.starts, r.at), append(s.nexts, f.load(name + "Next")[0])
	}
	for i := range s.rows {
		s.rows[i].at = f.gp()
	}
	return s
}

func (f *file) times(label string, s strip, body func()) {
	f.label("time" + label)
	for i, r := range s.rows {
		f.op("MOVD", s.starts[i], r.at)
		f.op("ADD", s.nexts[i].values(), s.starts[i])
	}
	f.op("MOVD", s.n, s.left)
	f.values(label, s.rows, s.left, body)
	f.op("SUBS", imm(1), s.count)
	f.op("BGT", "time"+label)
	f.op("RET")
}

func (f *file) pairInStrip(name string, m int, numbers []float32, transform func(k, d []vec) []vec) {
	f.text("pairIn"+name+"NEON",
		"edges int, dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext, n, count int", 0)
	k := f.constants(numbers...)
	edges, s := f.load("edges")[0], f.strip("dst", "src")
	for e := 1; e < 4; e++ {
		f.op("CMP", imm(e), edges)
		f.op("BEQ", fmt.Sprintf("time%d", e))
	}
	for e := range 4 {
		f.times(fmt.Sprint(e), s, func() {
			in := f.vecs(m + 1)
			for i, v := range in {
				if i == 0 && e&1 != 0 || i == m && e&2 != 0 {
					f.zero(v)
				} else {
					f.read(s.rows[1], v)
				}
			}
			for _, v := range transform(k, in) {
				f.write(s.rows[0], v)
			}
		})
	}
}

func (f *file) pairInWholeStrip() {
	f.text("pairInWholeNEON", "edges int, dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext, n, count int", 0)
	k, s := f.constants(0.5, 2, -2, 3), f.strip("dst", "src")
	f.times("", s, func() { f.through(s.rows[0], s.rows[1], 3, k, f.pairInWhole) })
}

// pairOutStrip makes the transform of some places back, and pairGradInStrip that of some outputs' gradients.
func (f *file) pairOutStrip(name string, places int, numbers []float32, transform func(k, in []vec) []vec) {
	f.text("pairOut"+name+"NEON",
		"dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext int, add *float32, addStep, addNext, n, count int", 0)
	k, s := f.constants(numbers...), f.strip("dst", "src", "add")
	f.times("", s, func() {
		in, add := f.vecs(places), f.vec()
		for _, v := range in {
			f.read(s.rows[1], v)
		}
		for _, v := range transform(k, in) {
			f.read(s.rows[2], add)
			f.fadd(v, v, add)
			f.write(s.rows[0], v)
		}
	})
}

func (f *file) pairGradInStrip(name string, outputs int, transform func(k, in []vec) []vec) {
	f.text("pairGradIn"+name+"NEON", "dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext, n, count int", 0)
	k, s := f.constants(2, 4, 8), f.strip("dst", "src")
	f.times("", s, func() { f.through(s.rows[0], s.rows[1], outputs, k, transform) })
}

// through reads the first inputs of a transform and writes what it gives.
func (f *file) through(dst, src row, ins int, k []vec, transform func(k, in []vec) []vec) {
	in := f.vecs(ins)
	for _, v := range in {
		f.read(src, v)
	}
	for _, v := range transform(k, in) {
		f.write(dst, v)
	}
}

// kernelStrip makes a transform between taps and places, over n values.
func (f *file) kernelStrip(name string, ins int, numbers []float32, transform func(k, in []vec) []vec) {
	f.text(name+"NEON", "dst *float32, dstStep int, src *float32, srcStep, n int", 0)
	k := f.constants(numbers...)
	dst, src, left := f.row("dst"), f.row("src"), f.load("n")[0]
	f.values("", []row{dst, src}, left, func() { f.through(dst, src, ins, k, transform) })
	f.op("RET")
}

func (f *file) pairs() {
	ins, outs, kernels := []float32{0.5, 2, -2, 3}, []float32{2, 4, 8}, []float32{0.5, float32(1.) / 6, 2}
	for m := 2; m <= 4; m++ {
		f.pairInStrip(fmt.Sprint(m), m, ins, f.pairIn)
		f.pairOutStrip(fmt.Sprint(m), m+1, outs, f.pairOut)
		f.pairGradInStrip(fmt.Sprint(m), m, f.pairGradIn)
	}
	f.pairInWholeStrip()
	f.pairOutStrip("Whole", 4, outs, f.pairOutWhole)
	f.pairGradInStrip("Whole", 4, f.pairGradInWhole)
	f.pairInStrip("Long", 7, []float32{5.25, 4.25, -1.25, 0.25}, f.pairInLong)
	f.pairOutStrip("Long", 8, []float32{2, 4, 8, 16, 32, 64}, f.pairOutLong)
	f.kernelStrip("pairKernel", 3, kernels, f.pairKernel)
	f.kernelStrip("pairLongKernel", 3, []float32{float32(2.) / 9, float32(1.) / 90}, f.pairLongKernel)
	f.kernelStrip("pairGradOut", 6, kernels, f.pairGradOut)
}
