package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// prefetch asks for lines of memory, some bytes apart, to be brought to the second level of cache.
func prefetch() {
	TEXT("prefetchSIMD", NOSPLIT, "func(p *float32, lines, stride int)")
	Pragma("noescape")
	p, left, stride := Load(Param("p"), GP64()), Load(Param("lines"), GP64()), Load(Param("stride"), GP64())
	SHLQ(Imm(2), stride)
	JMP(LabelRef("check"))
	Label("line")
	PREFETCHT1(Mem{Base: p})
	ADDQ(stride, p)
	Label("check")
	DECQ(left)
	JGE(LabelRef("line"))
	RET()
}

// copyRows copies n values of each of some rows, whole vectors.
func copyRows() {
	TEXT("copyRowsAVX2", NOSPLIT, "func(dst *float32, dstStep int, src *float32, srcStep, n, rows int)")
	Pragma("noescape")
	to, from, n, rows := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64()), Load(Param("rows"), GP64())
	toStep, fromStep := Load(Param("dstStep"), GP64()), Load(Param("srcStep"), GP64())
	Label("row")
	i := counter()
	Label("values")
	v := YMM()
	VMOVUPS(Mem{Base: from, Index: i, Scale: 4}, v)
	VMOVUPS(v, Mem{Base: to, Index: i, Scale: 4})
	ADDQ(Imm(8), i)
	CMPQ(i, n)
	JLT(LabelRef("values"))
	LEAQ(Mem{Base: to, Index: toStep, Scale: 4}, to)
	LEAQ(Mem{Base: from, Index: fromStep, Scale: 4}, from)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// transpose turns rows of columns into columns of rows, eight by eight.
func transpose() {
	const side, bytes = 8, 8 * 4
	TEXT("transposeAVX2", NOSPLIT, "func(dst *float32, dstStep int, src *float32, srcStep, rows, columns int)")
	Pragma("noescape")
	to, from := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	toStep, fromStep := Load(Param("dstStep"), GP64()), Load(Param("srcStep"), GP64())
	SHLQ(Imm(2), toStep)
	SHLQ(Imm(2), fromStep)
	toThird, fromThird := GP64(), GP64()
	LEAQ(Mem{Base: toStep, Index: toStep, Scale: 2}, toThird)
	LEAQ(Mem{Base: fromStep, Index: fromStep, Scale: 2}, fromThird)
	rows, left := Load(Param("rows"), GP64()), GP64()
	// lines calls do with where eight lines are, a step apart, from start on.
	lines := func(start, step, third reg.Register, do func(i int, place Mem)) {
		for half := range 2 {
			base := start
			if half == 1 {
				base = GP64()
				LEAQ(Mem{Base: start, Index: step, Scale: 4}, base)
			}
			do(4*half, Mem{Base: base})
			do(4*half+1, Mem{Base: base, Index: step, Scale: 1})
			do(4*half+2, Mem{Base: base, Index: step, Scale: 2})
			do(4*half+3, Mem{Base: base, Index: third, Scale: 1})
		}
	}
	Label("rows")
	source, target := GP64(), GP64()
	MOVQ(from, source)
	MOVQ(to, target)
	MOVQ(NewParamAddr("columns", 40), left)
	Label("columns")
	var row, pairs, fours [side]reg.VecVirtual
	lines(source, fromStep, fromThird, func(i int, place Mem) {
		row[i] = YMM()
		VMOVUPS(place, row[i])
	})
	for i := 0; i < side; i += 2 {
		pairs[i], pairs[i+1] = YMM(), YMM()
		VUNPCKLPS(row[i+1], row[i], pairs[i])
		VUNPCKHPS(row[i+1], row[i], pairs[i+1])
	}
	for i := range side { // column i%4, and the fourth behind it, of rows i/4*4 to i/4*4+3
		first := i/4*4 + i%4/2
		fours[i] = YMM()
		VSHUFPS(Imm([...]uint64{0x44, 0xee}[i%2]), pairs[first+2], pairs[first], fours[i])
	}
	lines(target, toStep, toThird, func(i int, place Mem) {
		column := YMM()
		VPERM2F128(Imm([...]uint64{0x20, 0x31}[i/4]), fours[i%4+4], fours[i%4], column)
		VMOVUPS(column, place)
	})
	ADDQ(Imm(bytes), source)
	LEAQ(Mem{Base: target, Index: toStep, Scale: side}, target)
	SUBQ(Imm(side), left)
	JG(LabelRef("columns"))
	LEAQ(Mem{Base: from, Index: fromStep, Scale: side}, from)
	ADDQ(Imm(bytes), to)
	SUBQ(Imm(side), rows)
	JG(LabelRef("rows"))
	VZEROUPPER()
	RET()
}
