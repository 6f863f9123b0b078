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
