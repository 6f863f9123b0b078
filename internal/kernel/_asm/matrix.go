package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// variant is one size of the matrix kernels: rows by vectors of lanes.
type variant struct {
	suffix  string
	rows    int // of tile
	middle  int // rows of middle
	short   int // rows of short
	outers  int // rows of outer
	vectors int
	bytes   int // of a vector
	vector  func() reg.VecVirtual
}

var (
	avx2   = variant{suffix: "AVX2", rows: 6, short: 3, outers: 6, vectors: 2, bytes: 32, vector: YMM}
	avx512 = variant{suffix: "AVX512", rows: 12, middle: 8, short: 4, outers: 8, vectors: 2, bytes: 64, vector: ZMM}
)

func (v variant) accumulators(rows int) [][]reg.VecVirtual {
	all := make([][]reg.VecVirtual, rows)
	for r := range all {
		for j := 0; j < v.vectors; j++ {
			all[r] = append(all[r], v.vector())
		}
	}
	return all
}

// offsets loads the integers at the pointer parameter name.
func offsets(name string, count int) []reg.GPVirtual {
	p := Load(Param(name), GP64())
	all := make([]reg.GPVirtual, count)
	for r := range all {
		all[r] = GP64()
		MOVQ(Mem{Base: p, Disp: 8 * r}, all[r])
	}
	return all
}

// addresses turns offsets into addresses from the pointer parameter base, moved by a tap's offset.
func addresses(offsets string, count int, base string, tap Op) []reg.GPVirtual {
	start := Load(Param(base), GP64())
	move := GP64()
	MOVQ(tap, move)
	LEAQ(Mem{Base: start, Index: move, Scale: 4}, start)
	list := Load(Param(offsets), GP64())
	all := make([]reg.GPVirtual, count)
	for r := range all {
		all[r] = GP64()
		MOVQ(Mem{Base: list, Disp: 8 * r}, all[r])
		LEAQ(Mem{Base: start, Index: all[r], Scale: 4}, all[r])
	}
	return all
}

func (v variant) tile(name string, rows int) {
	TEXT(name+v.suffix, NOSPLIT, "func(out, a, w, bias *float32, rows, outs *int, taps *struct{ A, W int }, nTaps, k int)")
	Pragma("noescape")
	acc := v.accumulators(rows)
	bias := Load(Param("bias"), GP64())
	for j := 0; j < v.vectors; j++ {
		VMOVUPS(Mem{Base: bias, Disp: j * v.bytes}, acc[0][j])
		for r := 1; r < rows; r++ {
			VMOVAPS(acc[0][j], acc[r][j])
		}
	}
	// The row pointers take most registers, so what only changes from tap to tap lives on the stack, and where the rows of
	// the tile after this one are. These are prefetched, a line of each with every line of this tile's, and with each weight
	// that which lies so many bytes behind, of this panel or of the next: the processor by itself stops at the end of a page.
	const unroll, line, weightsAhead = 4, 16, 8192
	at, left, main := AllocLocal(8), AllocLocal(8), AllocLocal(8)
	ahead := AllocLocal(8 * rows)
	n := Load(Param("nTaps"), GP64())
	TESTQ(n, n)
	JZ(LabelRef("store"))
	MOVQ(n, left)
	MOVQ(Load(Param("taps"), GP64()), at)
	MOVQ(NewParamAddr("k", 64), n)
	SUBQ(Imm(line), n)
	MOVQ(n, main)

	Label("tap")
	tap := GP64()
	MOVQ(at, tap)
	start := Load(Param("a"), GP64())
	MOVQ(Mem{Base: tap}, tap)
	LEAQ(Mem{Base: start, Index: tap, Scale: 4}, start)
	list := Load(Param("rows"), GP64())
	CMPQ(main, Imm(0)) // of few values nothing is prefetched
	JL(LabelRef("few"))
	for r := 0; r < rows; r++ {
		MOVQ(Mem{Base: list, Disp: 8 * (rows + r)}, tap)
		LEAQ(Mem{Base: start, Index: tap, Scale: 4}, tap)
		MOVQ(tap, ahead.Offset(8*r))
	}
	Label("few")
	MOVQ(at, tap)
	row := addresses("rows", rows, "a", Mem{Base: tap})
	MOVQ(at, tap)
	MOVQ(Mem{Base: tap, Disp: 8}, tap)
	weights := Load(Param("w"), GP64())
	LEAQ(Mem{Base: weights, Index: tap, Scale: 4}, weights)
	i := GP64()
	XORQ(i, i)
	step := func(n int) {
		for u := 0; u < n; u++ {
			w := make([]reg.VecVirtual, v.vectors)
			for j := range w {
				w[j] = v.vector()
				VMOVUPS(Mem{Base: weights, Disp: (u*v.vectors + j) * v.bytes}, w[j])
			}
			for at := u * v.vectors * v.bytes; at < (u+1)*v.vectors*v.bytes; at += 4 * line {
				PREFETCHT1(Mem{Base: weights, Disp: weightsAhead + at})
			}
			for r := range row {
				value := v.vector()
				VBROADCASTSS(Mem{Base: row[r], Index: i, Scale: 4, Disp: 4 * u}, value)
				for j := range w {
					VFMADD231PS(value, w[j], acc[r][j])
				}
			}
		}
		ADDQ(Imm(uint64(n)), i)
		ADDQ(I32(n*v.vectors*v.bytes), weights)
	}
	CMPQ(i, main)
	JGT(LabelRef("rest"))
	Label("main")
	for part := 0; part < line/unroll; part++ {
		for r := part * rows * unroll / line; r < (part+1)*rows*unroll/line; r++ {
			p := GP64()
			MOVQ(ahead.Offset(8*r), p)
			PREFETCHT0(Mem{Base: p, Index: i, Scale: 4})
		}
		step(unroll)
	}
	CMPQ(i, main)
	JLE(LabelRef("main"))
	Label("rest")
	CMPQ(i, NewParamAddr("k", 64))
	JGE(LabelRef("next"))
	Label("one")
	step(1)
	CMPQ(i, NewParamAddr("k", 64))
	JLT(LabelRef("one"))
	Label("next")
	ADDQ(Imm(16), at)
	DECQ(left)
	JNZ(LabelRef("tap"))

	Label("store")
	out := Load(Param("out"), GP64())
	for r, o := range offsets("outs", rows) {
		for j := range acc[r] {
			VMOVUPS(acc[r][j], Mem{Base: out, Index: o, Scale: 4, Disp: j * v.bytes})
		}
	}
	VZEROUPPER()
	RET()
}

func (v variant) outer() {
	TEXT("outer"+v.suffix, NOSPLIT,
		"func(acc, x, y *float32, offsets *int, pixels *struct{ X, Y int }, nPixels int, next *float32, step int)")
	Pragma("noescape")
	acc := v.accumulators(v.outers)
	sums := Load(Param("acc"), GP64())
	for r := range acc {
		for j := range acc[r] {
			VMOVUPS(Mem{Base: sums, Disp: (r*v.vectors + j) * v.bytes}, acc[r][j])
		}
	}
	// A pointer for each row leaves no address to compute in the loop, whose few operations beside the multiply-adds would
	// take their place now and then.
	row := offsets("offsets", v.outers)
	xStart := Load(Param("x"), GP64())
	for r := range row {
		LEAQ(Mem{Base: xStart, Index: row[r], Scale: 4}, row[r])
	}
	yStart := Load(Param("y"), GP64())
	behind := GP64()
	LEAQ(Mem{Base: sums, Disp: v.outers * v.vectors * v.bytes}, behind)
	next, stepBytes := Load(Param("next"), GP64()), NewParamAddr("step", 56)
	SHLQ(Imm(2), stepBytes)
	pixel := Load(Param("pixels"), GP64())
	left := Load(Param("nPixels"), GP64())
	const unroll = 4 // that is AheadPixels
	step := func(pixels int) {
		for u := 0; u < pixels; u++ {
			x, y := GP64(), GP64()
			MOVQ(Mem{Base: pixel, Disp: 16 * u}, x)
			MOVQ(Mem{Base: pixel, Disp: 16*u + 8}, y)
			w := make([]reg.VecVirtual, v.vectors)
			for j := range w {
				w[j] = v.vector()
				VMOVUPS(Mem{Base: yStart, Index: y, Scale: 4, Disp: j * v.bytes}, w[j])
			}
			for r := range acc {
				value := v.vector()
				VBROADCASTSS(Mem{Base: row[r], Index: x, Scale: 4}, value)
				for j := range w {
					VFMADD231PS(value, w[j], acc[r][j])
				}
			}
		}
		ADDQ(Imm(uint64(16*pixels)), pixel)
	}
	SUBQ(Imm(unroll), left)
	JL(LabelRef("rest"))
	Label("main")
	PREFETCHT1(Mem{Base: next})
	ADDQ(stepBytes, next)
	PREFETCHT0(Mem{Base: behind})
	ADDQ(Imm(64), behind)
	step(unroll)
	SUBQ(Imm(unroll), left)
	JGE(LabelRef("main"))
	Label("rest")
	ADDQ(Imm(unroll), left)
	JZ(LabelRef("store"))
	Label("one")
	step(1)
	DECQ(left)
	JNZ(LabelRef("one"))

	Label("store")
	sums = Load(Param("acc"), GP64())
	for r := range acc {
		for j := range acc[r] {
			VMOVUPS(acc[r][j], Mem{Base: sums, Disp: (r*v.vectors + j) * v.bytes})
		}
	}
	VZEROUPPER()
	RET()
}

// dots makes a kernel for some rows with 16 partial sums each, in vectors of a variant. reduce stores the sum of a row's
// partial sums plus bias to where store says.
func (v variant) dots(rows int, reduce func(acc [][]reg.VecVirtual, bias vec, store func(row int, sum Op))) {
	const partial = 16 * 4 // bytes
	TEXT("dot"+v.suffix, NOSPLIT,
		"func(out, a, w *float32, bias float32, rows, outs *int, taps *struct{ A, W int }, nTaps, k int)")
	Pragma("noescape")
	v.vectors = partial / v.bytes
	acc := v.accumulators(rows)
	for r := range acc {
		for j := range acc[r] {
			v.clear(acc[r][j])
		}
	}
	tap := Load(Param("taps"), GP64())
	left := NewParamAddr("nTaps", 56)
	CMPQ(left, Imm(0))
	JE(LabelRef("store"))
	CMPQ(NewParamAddr("k", 64), Imm(0))
	JE(LabelRef("store"))
	Label("tap")
	row := addresses("rows", rows, "a", Mem{Base: tap})
	weights := Load(Param("w"), GP64())
	move := GP64()
	MOVQ(Mem{Base: tap, Disp: 8}, move)
	LEAQ(Mem{Base: weights, Index: move, Scale: 4}, weights)
	i := GP64()
	XORQ(i, i)
	Label("step")
	for j := 0; j < v.vectors; j++ {
		w := v.load(Mem{Base: weights, Index: i, Scale: 4, Disp: v.bytes * j})
		for r := range row {
			VFMADD231PS(Mem{Base: row[r], Index: i, Scale: 4, Disp: v.bytes * j}, w, acc[r][j])
		}
	}
	ADDQ(Imm(16), i)
	CMPQ(i, NewParamAddr("k", 64))
	JLT(LabelRef("step"))
	ADDQ(Imm(16), tap)
	DECQ(left)
	JNZ(LabelRef("tap"))
	Label("store")
	bias := XMM()
	VMOVSS(NewParamAddr("bias", 24), bias)
	out := Load(Param("out"), GP64())
	list := Load(Param("outs"), GP64())
	reduce(acc, bias, func(r int, sum Op) {
		o := GP64()
		MOVQ(Mem{Base: list, Disp: 8 * r}, o)
		to := Mem{Base: out, Index: o, Scale: 4}
		if m, memory := sum.(Mem); memory {
			value := GP32()
			MOVL(m, value)
			MOVL(value, to)
		} else {
			VMOVSS(sum, to)
		}
	})
	VZEROUPPER()
	RET()
}

func dot() {
	avx2.dots(4, func(acc [][]reg.VecVirtual, bias vec, store func(row int, sum Op)) {
		for r := range acc {
			VADDPS(acc[r][1], acc[r][0], acc[r][0])
			sum, other := acc[r][0].AsX(), XMM()
			VEXTRACTF128(Imm(1), acc[r][0], other)
			VADDPS(other, sum, sum)
			VMOVHLPS(sum, sum, other)
			VADDPS(other, sum, sum)
			VMOVSHDUP(sum, other)
			VADDSS(other, sum, sum)
			VADDSS(bias, sum, sum)
			store(r, sum)
		}
	})
	// Eight rows at once: halves, quarters and so on of two vectors are put together before they are added.
	avx512.dots(8, func(acc [][]reg.VecVirtual, bias vec, store func(row int, sum Op)) {
		add := func(a, b vec, lower, upper func(a, b, to vec)) vec {
			low, high := ZMM(), ZMM()
			lower(a, b, low)
			upper(a, b, high)
			VADDPS(high, low, low)
			return low
		}
		quarters := func(choice uint64) func(a, b, to vec) {
			return func(a, b, to vec) { VSHUFF32X4(Imm(choice), b, a, to) }
		}
		var halves, fours [4]vec
		for i := range halves { // rows 2i and 2i+1
			halves[i] = add(acc[2*i][0], acc[2*i+1][0], quarters(0x44), quarters(0xee))
		}
		for i := range 2 { // rows 4i to 4i+3, a quarter each
			fours[i] = add(halves[2*i], halves[2*i+1], quarters(0x88), quarters(0xdd))
		}
		twos := add(fours[0], fours[1], // in each quarter a row of the first four, then one of the others
			func(a, b, to vec) { VUNPCKLPD(b, a, to) }, func(a, b, to vec) { VUNPCKHPD(b, a, to) })
		other, all := ZMM(), ZMM()
		VMOVSHDUP(twos, other)
		VADDPS(other, twos, twos)
		VBROADCASTSS(bias, all)
		VADDPS(all, twos, twos)
		sums := AllocLocal(64)
		VMOVUPS(twos, sums)
		for r := range acc {
			store(r, sums.Offset(r%4*16+r/4*8))
		}
	})
}
