package main

// A tile is rows by lanes/4 vectors. 6 by 4 of them leave 8 registers for what is multiplied.
const (
	vectors    = 4
	laneBytes  = 16 * vectors
	outerRows  = 6
	dotRows    = 4
	tapBytes   = 16 // of a Tap and of a Pair
	unroll     = 4  // values of k that a vector of a row holds
	peakChains = 24
)

func (f *file) accumulators(rows int) [][]vec {
	all := make([][]vec, rows)
	for r := range all {
		all[r] = f.vecs(vectors)
	}
	return all
}

// list loads count integers from where p points to.
func (f *file) list(p gp, count int) []gp {
	all := make([]gp, count)
	for r := range all {
		all[r] = f.gp()
		f.op("MOVD", at(p, 8*r), all[r])
	}
	return all
}

// lanes loads or stores the vectors of a row.
func (f *file) loadLanes(v []vec, p gp, offset int) {
	for j := 0; j < vectors; j += 2 {
		f.op("FLDPQ", at(p, offset+16*j), pair(v[j], v[j+1]))
	}
}

func (f *file) storeLanes(v []vec, p gp, offset int) {
	for j := 0; j < vectors; j += 2 {
		f.op("FSTPQ", pair(v[j], v[j+1]), at(p, offset+16*j))
	}
}

const signature = "rows, outs *int, taps *Tap, nTaps, k int"

func (f *file) tile(name string, rows int) {
	f.text(name, "out, a, w, bias *float32, "+signature, 0)
	acc := f.accumulators(rows)
	values := f.vecs(rows)
	w := f.vecs(2) // more would not fit; the processor renames them

	p := f.load("a", "w", "bias", "rows", "taps", "nTaps", "k")
	a, weights, bias, offsets, tap, taps, k := p[0], p[1], p[2], p[3], p[4], p[5], p[6]
	for r := range acc {
		f.loadLanes(acc[r], bias, 0)
	}
	f.op("CBZ", taps, "store")
	offset := f.list(offsets, rows)
	row := make([]gp, rows)
	for r := range row {
		row[r] = f.gp()
	}
	start, move, left := bias, offsets, f.gp() // the first two are done with

	f.label("tap")
	f.op("LDP.P", at(tap, tapBytes), "("+start.String()+", "+move.String()+")")
	f.op("ADD", start.values(), a, start)
	for r := range row {
		f.op("ADD", offset[r].values(), start, row[r])
	}
	f.op("ADD", move.values(), weights, move)
	step := func(n int) {
		for i := range n {
			for j := range vectors {
				if j%2 == 0 {
					f.op("FLDPQ", at(move, laneBytes*i+16*j), pair(w[0], w[1]))
				}
				for r := range acc {
					f.fmlaLane(acc[r][j], w[j%2], values[r], i)
				}
			}
		}
		f.op("ADD", imm(laneBytes*n), move)
	}
	f.op("SUBS", imm(unroll), k, left)
	f.op("BLT", "rest")
	f.label("main")
	for r := range row {
		f.op("FMOVQ.P", at(row[r], 4*unroll), values[r].whole())
	}
	step(unroll)
	f.op("SUBS", imm(unroll), left)
	f.op("BGE", "main")
	f.label("rest")
	f.op("ADDS", imm(unroll), left)
	f.op("BEQ", "next")
	f.label("one")
	for r := range row {
		f.op("FMOVS.P", at(row[r], 4), values[r].whole())
	}
	step(1)
	f.op("SUBS", imm(1), left)
	f.op("BNE", "one")
	f.label("next")
	f.op("SUBS", imm(1), taps)
	f.op("BNE", "tap")

	f.label("store")
	f.general = 0
	p = f.load("out", "outs")
	for r, o := range f.list(p[1], rows) {
		f.op("ADD", o.values(), p[0], o)
		f.storeLanes(acc[r], o, 0)
	}
	f.op("RET")
}

func (f *file) outer() {
	f.text("outerNEON", "acc, x, y *float32, offsets *int, pixels *Pair, nPixels int", 0)
	acc := f.accumulators(outerRows)
	w, values := f.vecs(vectors), f.vecs(4)
	p := f.load("acc", "x", "y", "offsets", "pixels", "nPixels")
	sums, xStart, yStart, pixel, left := p[0], p[1], p[2], p[4], p[5]
	for r := range acc {
		f.loadLanes(acc[r], sums, laneBytes*r)
	}
	offset := f.list(p[3], outerRows)
	x, y := f.gp(), f.gp()
	f.op("CBZ", left, "store")

	f.label("pixel")
	f.op("LDP.P", at(pixel, tapBytes), "("+x.String()+", "+y.String()+")")
	f.op("ADD", x.values(), xStart, x)
	f.op("ADD", y.values(), yStart, y)
	f.loadLanes(w, y, 0)
	for r := range acc {
		value := values[r%len(values)]
		f.op("FMOVS", "("+x.String()+")("+offset[r].values()+")", value.whole())
		for j := range w {
			f.fmlaLane(acc[r][j], w[j], value, 0)
		}
	}
	f.op("SUBS", imm(1), left)
	f.op("BNE", "pixel")

	f.label("store")
	for r := range acc {
		f.storeLanes(acc[r], sums, laneBytes*r)
	}
	f.op("RET")
}

// placeProducts sums the outer products of some rows and lanes of a place, tile by tile.
func (f *file) placeProducts() {
	f.text("productsNEON", "acc, x, y *float32, tiles, xStride, yStride int, add bool", 0)
	acc := f.accumulators(outerRows)
	w, values := f.vecs(vectors), f.vecs(2)
	p := f.load("acc", "x", "y", "tiles", "xStride", "yStride")
	sums, x, y, left, xStride, yStride := p[0], p[1], p[2], p[3], p[4], p[5]
	add := f.gp()
	f.op("MOVBU", f.parameter("add"), add)
	f.op("CBNZ", add, "old")
	for r := range acc {
		for _, v := range acc[r] {
			f.zero(v)
		}
	}
	f.op("JMP", "begin")
	f.label("old")
	for r := range acc {
		f.loadLanes(acc[r], sums, laneBytes*r)
	}
	f.label("begin")
	f.op("CBZ", left, "store")
	f.label("tile")
	f.loadLanes(w, y, 0)
	f.op("FLDPQ", at(x, 0), pair(values[0], values[1]))
	for r := range acc {
		for j := range w {
			f.fmlaLane(acc[r][j], w[j], values[r/4], r%4)
		}
	}
	f.op("ADD", xStride.values(), x)
	f.op("ADD", yStride.values(), y)
	f.op("SUBS", imm(1), left)
	f.op("BNE", "tile")

	f.label("store")
	for r := range acc {
		f.storeLanes(acc[r], sums, laneBytes*r)
	}
	f.op("RET")
}

// dot keeps 16 partial sums a row, in four vectors.
func (f *file) dot() {
	f.text("dotNEON", "out, a, w *float32, bias float32, "+signature, 0)
	acc := f.accumulators(dotRows)
	w, values := f.vecs(vectors), f.vecs(vectors)
	for r := range acc {
		for _, v := range acc[r] {
			f.zero(v)
		}
	}
	p := f.load("a", "w", "rows", "taps", "nTaps", "k")
	a, weights, tap, taps, k := p[0], p[1], p[3], p[4], p[5]
	f.op("CBZ", taps, "store")
	f.op("CBZ", k, "store")
	offset := f.list(p[2], dotRows)
	row := make([]gp, dotRows)
	for r := range row {
		row[r] = f.gp()
	}
	start, move, left := f.gp(), f.gp(), f.gp()
	f.label("tap")
	f.op("LDP.P", at(tap, tapBytes), "("+start.String()+", "+move.String()+")")
	f.op("ADD", start.values(), a, start)
	for r := range row {
		f.op("ADD", offset[r].values(), start, row[r])
	}
	f.op("ADD", move.values(), weights, move)
	f.op("MOVD", k, left)
	f.label("step")
	f.loadLanes(w, move, 0)
	f.op("ADD", imm(laneBytes), move)
	for r := range row {
		f.loadLanes(values, row[r], 0)
		f.op("ADD", imm(laneBytes), row[r])
		for j := range w {
			f.fmla(acc[r][j], values[j], w[j])
		}
	}
	f.op("SUBS", imm(laneBytes/4), left)
	f.op("BGT", "step")
	f.op("SUBS", imm(1), taps)
	f.op("BNE", "tap")

	f.label("store")
	f.general = 0
	p = f.load("out", "outs")
	bias, other := w[0], w[1]
	f.op("FMOVS", f.parameter("bias"), bias.whole())
	for r, o := range f.list(p[1], dotRows) {
		v := acc[r]
		f.fadd(v[0], v[0], v[2])
		f.fadd(v[1], v[1], v[3])
		f.fadd(v[0], v[0], v[1])
		f.op("VEXT", imm(8), v[0].bytes(), v[0].bytes(), other.bytes())
		f.faddHalf(v[0], v[0], other)
		f.op("VDUP", v[0].lane(1), other)
		f.op("FADDS", other.whole(), v[0].whole(), v[0].whole())
		f.op("FADDS", bias.whole(), v[0].whole(), v[0].whole())
		f.op("FMOVS", v[0].whole(), "("+p[0].String()+")("+o.values()+")")
	}
	f.op("RET")
}

// peak repeats multiply-adds that wait for nothing but themselves, in as many chains as hide their latency.
func (f *file) peak() {
	f.text("peakNEON", "n int, scale, shift float32", 0)
	factors := f.broadcast("scale", "shift")
	chains := f.vecs(peakChains)
	for _, c := range chains {
		f.zero(c)
	}
	n := f.load("n")[0]
	f.label("loop")
	for _, c := range chains {
		f.fmla(c, factors[0], factors[1])
	}
	f.op("SUBS", imm(1), n)
	f.op("BGT", "loop")
	f.op("RET")
}
