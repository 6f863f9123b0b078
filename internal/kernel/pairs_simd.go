//go:build (amd64 || arm64) && !noasm

package kernel

type (
	pairStrip       = func(dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext int, n, count int)
	pairAddingStrip = func(dst *float32, dstStep, dstNext int, src *float32, srcStep, srcNext int, add *float32, addStep, addNext int, n, count int)
)

// pairCode is the assembly of the transforms of pairs for one width of vectors; in and out by the m of a tile.
type pairCode struct {
	lanes  int // that n must be a multiple of
	in     [PairTile + 1]pairStrip
	out    [PairTile + 1]pairAddingStrip
	kernel func(dst *float32, place int, src *float32, tap, lanes int)
}

// use sets a variant's transforms. Values that are not whole vectors are left to those that it had: the bits are the same.
func (code pairCode) use(set *Set) {
	had := *set
	set.PairIn = func(m int, dst []float32, dstStep, dstNext int, src []float32, srcStep, srcNext, n, count int) {
		if n%code.lanes != 0 {
			had.PairIn(m, dst, dstStep, dstNext, src, srcStep, srcNext, n, count)
			return
		}
		last := count - 1
		_, _ = dst[m*dstStep+last*dstNext+n-1], src[m*srcStep+last*srcNext+n-1]
		code.in[m](&dst[0], dstStep, dstNext, &src[0], srcStep, srcNext, n, count)
	}
	set.PairOut = func(m int, dst []float32, dstStep, dstNext int, src []float32, srcStep, srcNext int,
		add []float32, addStep, addNext, n, count int) {
		if n%code.lanes != 0 {
			had.PairOut(m, dst, dstStep, dstNext, src, srcStep, srcNext, add, addStep, addNext, n, count)
			return
		}
		last := count - 1
		_, _ = dst[(m-1)*dstStep+last*dstNext+n-1], src[m*srcStep+last*srcNext+n-1]
		_ = add[(m-1)*addStep+last*addNext+n-1]
		code.out[m](&dst[0], dstStep, dstNext, &src[0], srcStep, srcNext, &add[0], addStep, addNext, n, count)
	}
	set.PairKernel = func(dst []float32, place int, src []float32, tap, lanes int) {
		reach(dst, PairKinds, PairKinds*place, place, lanes)
		reach(src, 3, 3*tap, tap, lanes)
		code.kernel(&dst[0], place, &src[0], tap, lanes)
	}
}
