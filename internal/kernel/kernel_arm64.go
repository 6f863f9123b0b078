//go:build !noasm

package kernel

// NEON is part of every arm64 processor that Go runs on.
func init() {
	neon := Generic
	neon.Name, neon.Rows, neon.ShortRows, neon.OuterRows, neon.Lanes = "neon", 6, 3, 6, 16
	neon.Tile, neon.Short, neon.Outer, neon.Dot, neon.Peak = tileNEON, shortNEON, outerAhead, dotNEON, peak128
	neon.Products = productsNEON
	vectors(&neon)
	winogradCode{4, winogradInNEON, winogradGradInNEON, winogradOutNEON, winogradKernelNEON, winogradGradOutNEON}.use(&neon)
	pairCode{
		lanes: 4, kernel: pairKernelNEON, longKernel: pairLongKernelNEON, gradOut: pairGradOutNEON,
		in: [...]pairStrip{2: pairIn2NEON, pairIn3NEON, pairIn4NEON, pairInWholeNEON, PairLong: pairInLongNEON}, out: [...]pairAddingStrip{2: pairOut2NEON, pairOut3NEON, pairOut4NEON, pairOutWholeNEON, PairLong: pairOutLongNEON},
		gradIn: [...]pairGradStrip{2: pairGradIn2NEON, pairGradIn3NEON, pairGradIn4NEON, pairGradInWholeNEON},
	}.use(&neon)
	Variants = append(Variants, neon)
}

func peak128(n int) int {
	const chains, lanes = 24, 4
	peakNEON(n, peakScale, peakShift)
	return 2 * chains * lanes * n
}

func outerAhead(acc, x, y *float32, offsets *int, pixels *Pair, nPixels int, next *float32, step int) {
	prefetchSIMD(next, nPixels/AheadPixels, step)
	outerNEON(acc, x, y, offsets, pixels, nPixels)
}
