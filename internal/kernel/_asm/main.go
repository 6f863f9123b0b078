// Command asm writes the assembly of package kernel. Run it with go generate in that package.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!noasm")
	avx2.tile()
	avx2.outer()
	dot()
	channelSums()
	moments()
	normGrads()
	scale()
	normBack()
	leakyBack()
	adam()
	add()
	avx2.peak()
	Generate()
}
