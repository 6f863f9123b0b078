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

func (v variant) pairInLong(k, d []vec) []vec { // k: 5.25, 4.25, −1.25, 0.25
	first := v.fma(k[0], v.sub(d[4], d[2]), v.sub(d[0], d[6]))
	parts := func(a, b, c vec) (one, two, half vec) {
		one, two = v.fms(k[1], b, v.add(a, c)), v.fma(k[2], b, v.fma(k[3], a, v.copy(c)))
		return one, two, v.fma(k[2], b, v.fma(k[3], c, a))
	}
	even1, even2, evenHalf := parts(d[2], d[4], d[6])
	evenHalf = v.add(evenHalf, evenHalf)
	last := v.fma(k[0], v.sub(d[3], d[5]), v.sub(d[7], d[1]))
	odd1, odd2, oddHalf := parts(d[1], d[3], d[5])
	odd2 = v.add(odd2, odd2)
	return []vec{
		first, v.add(even1, odd1), v.sub(even1, odd1), v.add(even2, odd2), v.sub(even2, odd2),
		v.add(evenHalf, oddHalf), v.sub(evenHalf, oddHalf), last,
	}
}

func (v variant) pairOutLong(k, m []vec) []vec { // k: 2, 4, 8, 16, 32, 64
	even1, odd1 := v.add(m[1], m[2]), v.sub(m[1], m[2])
	even2, odd2 := v.add(m[3], m[4]), v.sub(m[3], m[4])
	evenHalf, oddHalf := v.add(m[5], m[6]), v.sub(m[5], m[6])
	y0 := v.fma(k[5], evenHalf, v.add(v.add(m[0], even1), even2))
	y6 := v.fma(k[5], even2, v.add(v.add(even1, evenHalf), m[7]))
	y2 := v.fma(k[3], evenHalf, v.fma(k[1], even2, v.copy(even1)))
	y4 := v.fma(k[1], evenHalf, v.fma(k[3], even2, even1))
	y1 := v.fma(k[4], oddHalf, v.fma(k[0], odd2, v.copy(odd1)))
	y3 := v.fma(k[2], v.add(odd2, oddHalf), v.copy(odd1))
	y5 := v.fma(k[0], oddHalf, v.fma(k[4], odd2, odd1))
	return []vec{y0, y1, y2, y3, y4, y5, y6}
}

func (v variant) pairLongKernel(k, g []vec) []vec { // k: 2/9, 1/90
	twice0, twice1 := v.add(g[0], g[0]), v.add(g[1], g[1])
	return []vec{
		g[0],
		v.mul(v.add(g[0], g[1]), k[0]), v.mul(v.sub(g[0], g[1]), k[0]),
		v.mul(v.add(g[0], twice1), k[1]), v.mul(v.sub(g[0], twice1), k[1]),
		v.mul(v.add(twice0, g[1]), k[1]), v.mul(v.sub(twice0, g[1]), k[1]),
		g[1],
		g[2],
	}
}

func (v variant) pairInWhole(k, d []vec) []vec {
	e := v.add(d[0], d[2])
	return []vec{d[2], v.add(e, d[1]), d[0], v.mul(k[3], v.sub(d[1], e))}
}

func (v variant) pairOutWhole(_, m []vec) []vec {
	return []vec{m[2], v.sub(v.sub(m[1], m[3]), m[0]), v.sub(v.add(m[1], m[3]), m[2]), m[0]}
}

func (v variant) pairGradInWhole(_, y []vec) []vec {
	return []vec{v.sub(y[3], y[1]), v.add(y[1], y[2]), v.sub(y[0], y[2]), v.sub(y[2], y[1])}
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

func (v variant) pairGradIn(k, y []vec) []vec { // k: 2, 4, 8
	switch len(y) {
	case 2:
		return []vec{y[0], v.add(y[0], y[1]), y[1]}
	case 3:
		even := v.add(y[0], y[2])
		return []vec{y[0], v.add(even, y[1]), y[2], v.sub(even, y[1])}
	}
	even, odd := v.add(y[0], y[2]), v.add(y[1], y[3])
	last := v.fma(k[2], y[3], v.fma(k[1], y[2], v.fma(k[0], y[1], v.copy(y[0]))))
	return []vec{y[0], v.add(even, odd), y[3], v.sub(even, odd), last}
}

func (v variant) pairGradOut(k, u []vec) []vec { // k: 0.5, 1/6, 2
	return []vec{
		v.fma(k[1], v.add(u[3], u[4]), v.fma(k[0], u[1], v.copy(u[0]))),
		v.fma(k[1], v.fms(k[2], u[4], v.copy(u[3])), v.fma(k[0], u[1], v.copy(u[2]))),
		u[5],
	}
}

// row is a pointer parameter that goes from one vector to the next, with its strides between the inputs or outputs of a
// transform and between one time and the next, in bytes.
type row struct {
	at, start, step, thrice reg.GPVirtual
	next                    string
}

func newRow(name string) row {
	r := row{start: Load(Param(name), GP64()).(reg.GPVirtual), at: GP64(), thrice: GP64(), next: name + "Next"}
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
	case 5, 7:
		even := GP64()
		LEAQ(Mem{Base: r.at, Index: r.step, Scale: uint8(i - 3)}, even)
		return Mem{Base: even, Index: r.thrice, Scale: 1}
	case 6:
		return Mem{Base: r.at, Index: r.thrice, Scale: 2}
	}
	return Mem{Base: r.at, Index: r.step, Scale: uint8(i)}
}

func (r row) advance() {
	next := GP64()
	MOVQ(mustParam(r.next), next)
	LEAQ(Mem{Base: r.start, Index: next, Scale: 4}, r.start)
}

func (v variant) load(from Mem) vec {
	to := v.vector()
	VMOVUPS(from, to)
	return to
}

func (v variant) zero() vec {
	to := v.vector()
	v.clear(to)
	return to
}

// times makes a loop over n values, count times; body does one vector.
func (v variant) times(label string, rows []row, body func()) {
	left := GP64()
	Label("time" + label)
	for _, r := range rows {
		MOVQ(r.start, r.at)
	}
	MOVQ(mustParam("n"), left)
	Label("values" + label)
	body()
	for _, r := range rows {
		ADDQ(I32(v.bytes), r.at)
	}
	SUBQ(I32(v.bytes/4), left)
	JG(LabelRef("values" + label))
	for _, r := range rows {
		r.advance()
	}
	count := mustParam("count")
	DECQ(count)
	JNZ(LabelRef("time" + label))
	VZEROUPPER()
	RET()
}

func (v variant) pairInStrip(name string, m int, numbers []float32, transform func(k, d []vec) []vec) {
	TEXT("pairIn"+name+v.suffix, NOSPLIT,
		"func(edges int, dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext, n, count int)")
	Pragma("noescape")
	k := v.constants(numbers...)
	dst, src := newRow("dst"), newRow("src")
	edges := Load(Param("edges"), GP64())
	for e := 1; e < 4; e++ {
		CMPQ(edges, Imm(uint64(e)))
		JE(LabelRef(fmt.Sprintf("time%d", e)))
	}
	for e := 0; e < 4; e++ {
		v.times(fmt.Sprint(e), []row{dst, src}, func() {
			in := make([]vec, m+1)
			for i := range in {
				if i == 0 && e&1 != 0 || i == m && e&2 != 0 {
					in[i] = v.zero()
				} else {
					in[i] = v.load(src.place(i - e&1))
				}
			}
			for i, value := range transform(k, in) {
				VMOVUPS(value, dst.place(i))
			}
		})
	}
}

func (v variant) pairInWholeStrip() {
	TEXT("pairInWhole"+v.suffix, NOSPLIT,
		"func(edges int, dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext, n, count int)")
	Pragma("noescape")
	k := v.constants(0.5, 2, -2, 3)
	dst, src := newRow("dst"), newRow("src")
	v.times("", []row{dst, src}, func() {
		for i, value := range v.pairInWhole(k, v.loads(src, 3)) {
			VMOVUPS(value, dst.place(i))
		}
	})
}

// pairOutStrip makes the transform of some places back, and pairGradInStrip that of some outputs' gradients.
func (v variant) pairOutStrip(name string, places int, numbers []float32, transform func(k, in []vec) []vec) {
	TEXT("pairOut"+name+v.suffix, NOSPLIT,
		"func(dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext int, add *float32, addStep, addNext, n, count int)")
	Pragma("noescape")
	k := v.constants(numbers...)
	dst, src, add := newRow("dst"), newRow("src"), newRow("add")
	v.times("", []row{dst, src, add}, func() {
		for i, value := range transform(k, v.loads(src, places)) {
			VMOVUPS(v.add(value, v.load(add.place(i))), dst.place(i))
		}
	})
}

func (v variant) pairGradInStrip(name string, outputs int, transform func(k, in []vec) []vec) {
	TEXT("pairGradIn"+name+v.suffix, NOSPLIT,
		"func(dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext, n, count int)")
	Pragma("noescape")
	k := v.constants(2, 4, 8)
	dst, src := newRow("dst"), newRow("src")
	v.times("", []row{dst, src}, func() {
		for i, value := range transform(k, v.loads(src, outputs)) {
			VMOVUPS(value, dst.place(i))
		}
	})
}

// loads reads the first inputs of a transform.
func (v variant) loads(from row, count int) []vec {
	in := make([]vec, count)
	for i := range in {
		in[i] = v.load(from.place(i))
	}
	return in
}

// kernelStrip makes a transform between taps and places, over n values.
func (v variant) kernelStrip(name string, ins int, numbers []float32, transform func(k, in []vec) []vec) {
	TEXT(name+v.suffix, NOSPLIT, "func(dst *float32, dstStep int, src *float32, srcStep, n int)")
	Pragma("noescape")
	k := v.constants(numbers...)
	dst, src := newRow("dst"), newRow("src")
	left := Load(Param("n"), GP64())
	dst.at, src.at = dst.start, src.start
	Label("values")
	for i, value := range transform(k, v.loads(src, ins)) {
		VMOVUPS(value, dst.place(i))
	}
	ADDQ(I32(v.bytes), dst.at)
	ADDQ(I32(v.bytes), src.at)
	SUBQ(I32(v.bytes/4), left)
	JG(LabelRef("values"))
	VZEROUPPER()
	RET()
}

func (v variant) pairs() {
	ins, outs, kernels := []float32{0.5, 2, -2, 3}, []float32{2, 4, 8}, []float32{0.5, float32(1.) / 6, 2}
	for m := 2; m <= 4; m++ {
		v.pairInStrip(fmt.Sprint(m), m, ins, v.pairIn)
		v.pairOutStrip(fmt.Sprint(m), m+1, outs, v.pairOut)
		v.pairGradInStrip(fmt.Sprint(m), m, v.pairGradIn)
	}
	v.pairInWholeStrip()
	v.pairOutStrip("Whole", 4, outs, v.pairOutWhole)
	v.pairGradInStrip("Whole", 4, v.pairGradInWhole)
	v.pairInStrip("Long", 7, []float32{5.25, 4.25, -1.25, 0.25}, v.pairInLong)
	v.pairOutStrip("Long", 8, []float32{2, 4, 8, 16, 32, 64}, v.pairOutLong)
	v.kernelStrip("pairKernel", 3, kernels, v.pairKernel)
	v.kernelStrip("pairLongKernel", 3, []float32{float32(2.) / 9, float32(1.) / 90}, v.pairLongKernel)
	v.kernelStrip("pairGradOut", 6, kernels, v.pairGradOut)
}
