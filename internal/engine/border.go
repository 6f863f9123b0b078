package engine

import "dcgan/internal/kernel"

// winogradIn transforms some channels of the tile of an image whose upper left pixel is (y, x), both at least −1. Where one
// row or column on a side lies outside of the image, the kernel does without; where more do, the tile is copied to a patch.
func winogradIn(set *kernel.Set, to []float32, place int, from, patch []float32, y, x, height, width, pixel, channels int) {
	const side = kernel.WinogradInput
	if y+side > height+1 || x+side > width+1 {
		border(set, patch, from, side, y, x, height, width, pixel, channels)
		set.WinogradIn(to, place, patch, side*channels, channels, channels, 0)
		return
	}
	edges := 0
	if y < 0 {
		edges |= kernel.TopZero
	}
	if y+side > height {
		edges |= kernel.BottomZero
	}
	if x < 0 {
		edges |= kernel.LeftZero
	}
	if x+side > width {
		edges |= kernel.RightZero
	}
	set.WinogradIn(to, place, from[(max(y, 0)*width+max(x, 0))*pixel:], width*pixel, pixel, channels, edges)
}

// border copies some channels of a square of pixels, (y, x) its upper left one, to a patch, with zeros for those outside
// of the image.
func border(set *kernel.Set, patch, from []float32, side, y, x, height, width, pixel, channels int) {
	if y < 0 || x < 0 || y+side > height || x+side > width {
		clear(patch[:side*side*channels])
	}
	left, right := max(x, 0), min(x+side, width)
	for row := max(y, 0); row < min(y+side, height); row++ {
		to, from := patch[((row-y)*side+left-x)*channels:], from[(row*width+left)*pixel:]
		if channels == pixel {
			copy(to[:(right-left)*channels], from)
			continue
		}
		set.CopyRows(to, channels, from, pixel, channels, right-left)
	}
}
