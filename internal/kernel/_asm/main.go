// Command asm writes the assembly of package kernel. Run it with go generate in that package.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!noasm")
	for _, v := range []variant{avx2, avx512} {
		v.tile("tile", v.rows)
		v.tile("short", v.short)
		v.outer()
		v.winograd()
		v.pairs()
		v.peak()
	}
	dot()
	keep()
	keepWide()
	prefetch()
	copyRows()
	transpose()
	for _, v := range channelVariants {
		v.sums()
		v.moments()
		v.normGrads()
		v.scale()
		v.normBack()
		v.leaky("leaky", false)
		v.leaky("leakyBack", true)
	}
	adam()
	avx512.tile("middle", avx512.middle)
	addition()
	tanh()
	Generate()
}
