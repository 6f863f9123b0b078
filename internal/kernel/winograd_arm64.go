//go:build !noasm

package kernel

// The assembly takes whole vectors of channels. Where they do not come out, the plain Go does all of it: the bits are
// the same.

// reach checks that the last value of a square of side² places is within its buffer.
func reach(buffer []float32, side, row, column, channels int) {
	_ = buffer[(side-1)*(row+column)+channels-1]
}

func winogradInVectors(dst []float32, place int, src []float32, row, pixel, channels int) {
	if channels%4 != 0 {
		winogradInGeneric(dst, place, src, row, pixel, channels)
		return
	}
	reach(dst, WinogradInput, WinogradInput*place, place, channels)
	reach(src, WinogradInput, row, pixel, channels)
	winogradInNEON(&dst[0], place, &src[0], row, pixel, channels)
}

func winogradOutVectors(dst []float32, row, pixel int, src []float32, place int, bias []float32, channels int) {
	if channels%4 != 0 {
		winogradOutGeneric(dst, row, pixel, src, place, bias, channels)
		return
	}
	reach(dst, WinogradTile, row, pixel, channels)
	reach(src, WinogradInput, WinogradInput*place, place, channels)
	winogradOutNEON(&dst[0], row, pixel, &src[0], place, &bias[:channels][0], channels)
}

func winogradKernelVectors(dst []float32, place int, src []float32, tap, lanes int) {
	reach(dst, WinogradInput, WinogradInput*place, place, lanes)
	reach(src, 3, 3*tap, tap, lanes)
	winogradKernelNEON(&dst[0], place, &src[0], tap, lanes)
}

func winogradGradInVectors(dst []float32, place int, src []float32, row, pixel, channels int) {
	if channels%4 != 0 {
		winogradGradInGeneric(dst, place, src, row, pixel, channels)
		return
	}
	reach(dst, WinogradInput, WinogradInput*place, place, channels)
	reach(src, WinogradTile, row, pixel, channels)
	winogradGradInNEON(&dst[0], place, &src[0], row, pixel, channels)
}

func winogradGradOutVectors(dst []float32, tap int, src []float32, place, lanes int) {
	reach(dst, 3, 3*tap, tap, lanes)
	reach(src, WinogradInput, WinogradInput*place, place, lanes)
	winogradGradOutNEON(&dst[0], tap, &src[0], place, lanes)
}
