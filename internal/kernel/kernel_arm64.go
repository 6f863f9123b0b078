//go:build !noasm

package kernel

// NEON is part of every arm64 processor that Go runs on.
func init() {
	neon := Generic
	neon.Name, neon.Rows, neon.OuterRows, neon.Lanes = "neon", 6, 6, 16
	neon.ShortRows, neon.Short = 3, shortNEON
	neon.Tile, neon.Outer, neon.Dot = tileNEON, outerNEON, dotNEON
	neon.WinogradIn, neon.WinogradOut, neon.WinogradKernel = winogradInVectors, winogradOutVectors, winogradKernelVectors
	neon.WinogradGradIn, neon.WinogradGradOut = winogradGradInVectors, winogradGradOutVectors
	neon.Moments, neon.Sums, neon.NormGrads = momentsVectors, sumsVectors, normGradsVectors
	neon.Scale, neon.NormBack = scaleVectors, normBackVectors
	neon.Leaky, neon.LeakyBack = leakyVectors, leakyBackVectors
	neon.Adam, neon.Add, neon.Peak = adamVectors, addVectors, peakVectors
	neon.Keep, neon.Prefetch = keepVectors, prefetchNEON
	Variants = append(Variants, neon)
}
