//go:build !noasm

package kernel

import (
	"dcgan/internal/random"

	"golang.org/x/sys/cpu"
)

func init() {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return
	}
	avx2 := Generic
	avx2.Name, avx2.Rows, avx2.ShortRows, avx2.OuterRows, avx2.Lanes = "avx2", 6, 3, 6, 16
	avx2.Tile, avx2.Short, avx2.Outer, avx2.Dot, avx2.Peak = tileAVX2, shortAVX2, outerAVX2, dotAVX2, peak256
	avx2.Products, avx2.CopyRows, avx2.Transpose = productsAVX2, copyRows, transpose
	vectors(&avx2)
	winogradCode{8, winogradInAVX2, winogradGradInAVX2, winogradOutAVX2, winogradKernelAVX2, winogradGradOutAVX2}.use(&avx2)
	pairCode{
		lanes: 8, kernel: pairKernelAVX2, longKernel: pairLongKernelAVX2, gradOut: pairGradOutAVX2,
		in: [...]pairStrip{2: pairIn2AVX2, pairIn3AVX2, pairIn4AVX2, pairInWholeAVX2, PairLong: pairInLongAVX2}, out: [...]pairAddingStrip{2: pairOut2AVX2, pairOut3AVX2, pairOut4AVX2, pairOutWholeAVX2, PairLong: pairOutLongAVX2},
		gradIn: [...]pairGradStrip{2: pairGradIn2AVX2, pairGradIn3AVX2, pairGradIn4AVX2, pairGradInWholeAVX2},
	}.use(&avx2)
	Variants = append(Variants, avx2)

	if !cpu.X86.HasAVX512F {
		return
	}
	avx512 := avx2
	avx512.Name, avx512.Rows, avx512.ShortRows, avx512.OuterRows, avx512.Lanes = "avx512", 12, 4, 8, 32
	avx512.Tile, avx512.Short, avx512.Outer, avx512.Peak = tileAVX512, shortAVX512, outerAVX512, peak512
	avx512.Dot, avx512.DotRows = dotAVX512, 8
	leakyCode{leakyAVX512, leakyBackAVX512}.use(&avx512)
	channelCode{16, sumsAVX512, momentsAVX512, normGradsAVX512, scaleAVX512, normBackAVX512}.use(&avx512)
	avx512.Products = productsAVX512
	winogradCode{16, winogradInAVX512, winogradGradInAVX512, winogradOutAVX512, winogradKernelAVX512, winogradGradOutAVX512}.use(&avx512)
	pairCode{
		lanes: 16, kernel: pairKernelAVX512, longKernel: pairLongKernelAVX512, gradOut: pairGradOutAVX512,
		in: [...]pairStrip{2: pairIn2AVX512, pairIn3AVX512, pairIn4AVX512, pairInWholeAVX512, PairLong: pairInLongAVX512}, out: [...]pairAddingStrip{2: pairOut2AVX512, pairOut3AVX512, pairOut4AVX512, pairOutWholeAVX512, PairLong: pairOutLongAVX512},
		gradIn: [...]pairGradStrip{2: pairGradIn2AVX512, pairGradIn3AVX512, pairGradIn4AVX512, pairGradInWholeAVX512},
	}.use(&avx512)
	avx512.Middle, avx512.MiddleRows = middleAVX512, 8
	avx512.Keep = keepWide
	avx512.Tanh = tanhWide
	Variants = append(Variants, avx512)
}

// copyRows copies whole vectors, and leaves other rows to plain Go.
func copyRows(dst []float32, dstStep int, src []float32, srcStep, n, rows int) {
	if n <= 0 || n%8 != 0 || rows <= 0 {
		copyRowsGeneric(dst, dstStep, src, srcStep, n, rows)
		return
	}
	_, _ = dst[(rows-1)*dstStep+n-1], src[(rows-1)*srcStep+n-1]
	copyRowsAVX2(&dst[0], dstStep, &src[0], srcStep, n, rows)
}

// transpose takes squares of eight, and leaves other shapes to plain Go.
func transpose(dst []float32, dstStep int, src []float32, srcStep, rows, columns int) {
	if rows <= 0 || columns <= 0 || rows%8 != 0 || columns%8 != 0 {
		transposeGeneric(dst, dstStep, src, srcStep, rows, columns)
		return
	}
	_, _ = dst[(columns-1)*dstStep+rows-1], src[(rows-1)*srcStep+columns-1]
	transposeAVX2(&dst[0], dstStep, &src[0], srcStep, rows, columns)
}

// keepWide draws two words at a time, and a last one as AVX2 does.
func keepWide(s random.Stream, words []uint64, n int, place uint32, rate float64) {
	threshold, even := random.Threshold(rate), len(words)&^1
	if even > 0 && threshold <= 0xffff {
		counter, key := s.Counter(place, 0), s.Key()
		keepAVX512(&words[0], even, &counter, &key, threshold)
		if even < len(words) {
			counter[0] = uint32(8 * even)
			keepSIMD(&words[even], 1, &counter, &key, threshold)
		}
		random.ClearPast(words, n)
		return
	}
	keepVectors(s, words, n, place, rate)
}

// tanhWide takes whole vectors of eight, and the plain Go what is left.
func tanhWide(y []float32) {
	whole := len(y) &^ 7
	if whole > 0 {
		tanhAVX512(&y[0], whole)
	}
	tanhGeneric(y[whole:])
}

// peakChains is how many accumulators the loops of peak have.
const peakChains = 12

func peak256(n int) int {
	peakAVX2(n, peakScale, peakShift)
	return 2 * peakChains * 8 * n
}

func peak512(n int) int {
	peakAVX512(n, peakScale, peakShift)
	return 2 * peakChains * 16 * n
}
