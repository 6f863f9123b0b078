//go:build (amd64 || arm64) && !noasm

package kernel

// winogradCode is the assembly of the transforms for one width of vectors.
type winogradCode struct {
	lanes   int // that channels must be a multiple of
	in      func(dst *float32, place int, src *float32, row, pixel, channels, edges int)
	gradIn  func(dst *float32, place int, src *float32, row, pixel, channels int)
	out     func(dst *float32, row, pixel int, src *float32, place int, bias *float32, channels int)
	kernel  func(dst *float32, place int, src *float32, tap, lanes int)
	gradOut func(dst *float32, tap int, src *float32, place, lanes int)
}

// use sets a variant's transforms. Channels that are not whole vectors are left to those that it had: the bits are the
// same.
func (code winogradCode) use(set *Set) {
	had := *set
	set.WinogradIn = func(dst []float32, place int, src []float32, row, pixel, channels, edges int) {
		if channels%code.lanes != 0 {
			had.WinogradIn(dst, place, src, row, pixel, channels, edges)
			return
		}
		reach(dst, WinogradInput, WinogradInput*place, place, channels)
		top, bottom, left, right := inside(edges)
		_ = src[(bottom-top-1)*row+(right-left-1)*pixel+channels-1]
		code.in(&dst[0], place, &src[0], row, pixel, channels, edges)
	}
	set.WinogradGradIn = func(dst []float32, place int, src []float32, row, pixel, channels int) {
		if channels%code.lanes != 0 {
			had.WinogradGradIn(dst, place, src, row, pixel, channels)
			return
		}
		reach(dst, WinogradInput, WinogradInput*place, place, channels)
		reach(src, WinogradTile, row, pixel, channels)
		code.gradIn(&dst[0], place, &src[0], row, pixel, channels)
	}
	set.WinogradOut = func(dst []float32, row, pixel int, src []float32, place int, bias []float32, channels int) {
		if channels%code.lanes != 0 {
			had.WinogradOut(dst, row, pixel, src, place, bias, channels)
			return
		}
		reach(dst, WinogradTile, row, pixel, channels)
		reach(src, WinogradInput, WinogradInput*place, place, channels)
		code.out(&dst[0], row, pixel, &src[0], place, &bias[:channels][0], channels)
	}
	set.WinogradKernel = func(dst []float32, place int, src []float32, tap, lanes int) {
		reach(dst, WinogradInput, WinogradInput*place, place, lanes)
		reach(src, 3, 3*tap, tap, lanes)
		code.kernel(&dst[0], place, &src[0], tap, lanes)
	}
	set.WinogradGradOut = func(dst []float32, tap int, src []float32, place, lanes int) {
		reach(dst, 3, 3*tap, tap, lanes)
		reach(src, WinogradInput, WinogradInput*place, place, lanes)
		code.gradOut(&dst[0], tap, &src[0], place, lanes)
	}
}

// reach checks that the last value of a square of side² places is within its buffer.
func reach(buffer []float32, side, row, column, channels int) {
	_ = buffer[(side-1)*(row+column)+channels-1]
}
