//go:build !noasm

package kernel

import "golang.org/x/sys/cpu"

func init() {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return
	}
	avx2 := Generic
	avx2.Name, avx2.Rows, avx2.OuterRows, avx2.Lanes = "avx2", 6, 6, 16
	avx2.ShortRows, avx2.Short = 3, shortAVX2
	avx2.Tile, avx2.Outer, avx2.Dot = tileAVX2, outerAVX2, dotAVX2
	avx2.WinogradIn, avx2.WinogradOut, avx2.WinogradKernel = winogradInVectors, winogradOutVectors, winogradKernelVectors
	avx2.WinogradGradIn, avx2.WinogradGradOut = winogradGradInVectors, winogradGradOutVectors
	avx2.Moments, avx2.Sums, avx2.NormGrads = momentsVectors, sumsVectors, normGradsVectors
	avx2.Scale, avx2.NormBack = scaleVectors, normBackVectors
	avx2.Leaky, avx2.LeakyBack = leakyVectors, leakyBackVectors
	avx2.Adam, avx2.Add, avx2.Peak = adamVectors, addVectors, peakVectors
	avx2.Keep, avx2.Prefetch = keepVectors, prefetchLines
	Variants = append(Variants, avx2)

	if !cpu.X86.HasAVX512F {
		return
	}
	avx512 := avx2
	avx512.Name, avx512.Rows, avx512.OuterRows, avx512.Lanes = "avx512", 12, 8, 32
	avx512.ShortRows, avx512.Short = 4, shortAVX512
	avx512.WinogradIn, avx512.WinogradOut, avx512.WinogradKernel = winogradInVectors512, winogradOutVectors512, winogradKernelVectors512
	avx512.WinogradGradIn, avx512.WinogradGradOut = winogradGradInVectors512, winogradGradOutVectors512
	avx512.Tile, avx512.Outer, avx512.Peak = tileAVX512, outerAVX512, peakVectors512
	Variants = append(Variants, avx512)
}
