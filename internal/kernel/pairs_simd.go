//go:build (amd64 || arm64) && !noasm

package kernel

type (
	pairGradStrip   = func(dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext, n, count int)
	pairStrip       = func(edges int, dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext, n, count int)
	pairAddingStrip = func(dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext int, add *float32, addStep, addNext, n, count int)
)

// pairCode is the assembly of the transforms of pairs for one width of vectors; in and out by the m of a tile.
type pairCode struct {
	lanes                       int // that n must be a multiple of
	in                          [PairLong + 1]pairStrip
	out                         [PairLong + 1]pairAddingStrip
	gradIn                      [PairWhole + 1]pairGradStrip
	kernel, longKernel, gradOut func(dst *float32, dstStep int, src *float32, srcStep, n int)
}

// use sets a variant's transforms. Values that are not whole vectors are left to those that it had: the bits are the same.
func (code pairCode) use(set *Set) {
	had := *set
	set.PairIn = func(m, edges int, dst []float32, dstStep, dstNext int, src []float32, srcStep, srcNext, n, count int) {
		if n%code.lanes != 0 {
			had.PairIn(m, edges, dst, dstStep, dstNext, src, srcStep, srcNext, n, count)
			return
		}
		last := PairInputs(m, edges) - 1
		_, _ = dst[(PairPlaces(m)-1)*dstStep+(count-1)*dstNext+n-1], src[last*srcStep+(count-1)*srcNext+n-1]
		code.in[m](edges, &dst[0], dstStep, dstNext, &src[0], srcStep, srcNext, n, count)
	}
	set.PairOut = func(m int, dst []float32, dstStep, dstNext int, src []float32, srcStep, srcNext int,
		add []float32, addStep, addNext, n, count int) {
		if n%code.lanes != 0 {
			had.PairOut(m, dst, dstStep, dstNext, src, srcStep, srcNext, add, addStep, addNext, n, count)
			return
		}
		last := count - 1
		_, _ = dst[(PairOutputs(m)-1)*dstStep+last*dstNext+n-1], src[(PairPlaces(m)-1)*srcStep+last*srcNext+n-1]
		_ = add[(PairOutputs(m)-1)*addStep+last*addNext+n-1]
		code.out[m](&dst[0], dstStep, dstNext, &src[0], srcStep, srcNext, &add[0], addStep, addNext, n, count)
	}
	set.PairKernel = func(dst []float32, dstStep int, src []float32, srcStep, n int) {
		_, _ = dst[(PairKinds-1)*dstStep+n-1], src[2*srcStep+n-1]
		code.kernel(&dst[0], dstStep, &src[0], srcStep, n)
	}
	set.PairLongKernel = func(dst []float32, dstStep int, src []float32, srcStep, n int) {
		_, _ = dst[(PairLongKinds-1)*dstStep+n-1], src[2*srcStep+n-1]
		code.longKernel(&dst[0], dstStep, &src[0], srcStep, n)
	}
	set.PairGradIn = func(m int, dst []float32, dstStep, dstNext int, src []float32, srcStep, srcNext, n, count int) {
		if n%code.lanes != 0 {
			had.PairGradIn(m, dst, dstStep, dstNext, src, srcStep, srcNext, n, count)
			return
		}
		_, _ = dst[(PairPlaces(m)-1)*dstStep+(count-1)*dstNext+n-1], src[(PairOutputs(m)-1)*srcStep+(count-1)*srcNext+n-1]
		code.gradIn[m](&dst[0], dstStep, dstNext, &src[0], srcStep, srcNext, n, count)
	}
	set.PairGradOut = func(dst []float32, dstStep int, src []float32, srcStep, n int) {
		_, _ = dst[2*dstStep+n-1], src[(PairKinds-1)*srcStep+n-1]
		code.gradOut(&dst[0], dstStep, &src[0], srcStep, n)
	}
}
