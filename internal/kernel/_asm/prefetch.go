package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
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
