// Package picture draws: grids of images, the same in a terminal, and the curves of a training run.
package picture

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

const (
	// gap is the distance in pixels between the images of a grid and around them, before it is scaled up.
	gap = 2
	// ground is the gray of gaps and empty places: images with black borders and with white ones stand out from it.
	ground = 72
)

// Grid draws the n images of pixels, n×h×w×c with values in [-1, 1], row by row into a grid of rows×cols places and
// enlarges it by a whole factor, so that each pixel is a square of scale×scale. Places without an image stay empty.
// One channel is drawn in gray and three in red, green and blue; of two the first is drawn, and of more than three the
// first three. Values outside [-1, 1] are drawn as its ends, and NaN as -1.
//
// It panics if pixels is too short, there are more images than places, or a size is below 1.
func Grid(pixels []float32, n, h, w, c, rows, cols, scale int) image.Image {
	if n > rows*cols || len(pixels) < n*h*w*c || min(h, w, c, rows, cols, scale) < 1 {
		panic(fmt.Sprintf("picture: %d values for %d images of %d×%d×%d in %d×%d places, scale %d", len(pixels), n, h, w, c, rows, cols, scale))
	}
	// at gives the bytes of pixel x, y of the grid from channel k on, or nil between images.
	at := func(x, y int) []float32 {
		col, row := x/(w+gap), y/(h+gap)
		x, y = x%(w+gap)-gap, y%(h+gap)-gap
		i := row*cols + col
		if x < 0 || y < 0 || i >= n {
			return nil
		}
		return pixels[((i*h+y)*w+x)*c:]
	}
	width, height := cols*(w+gap)+gap, rows*(h+gap)+gap
	bounds := image.Rect(0, 0, width*scale, height*scale)
	if c < 3 {
		gray := image.NewGray(bounds)
		for y := range height * scale {
			for x := range width {
				value := uint8(ground)
				if p := at(x, y/scale); p != nil {
					value = level(p[0])
				}
				for s := range scale {
					gray.Pix[y*gray.Stride+x*scale+s] = value
				}
			}
		}
		return gray
	}
	rgb := image.NewRGBA(bounds)
	for y := range height * scale {
		for x := range width {
			value := color.RGBA{ground, ground, ground, 255}
			if p := at(x, y/scale); p != nil {
				value = color.RGBA{level(p[0]), level(p[1]), level(p[2]), 255}
			}
			for s := range scale {
				rgb.SetRGBA(x*scale+s, y, value)
			}
		}
	}
	return rgb
}

// level returns (v + 1) · 127.5, rounded half up, in 0 to 255.
func level(v float32) uint8 {
	// The product is rounded by itself: files must not depend on whether a machine fuses it with the sum.
	x := math.Floor(float64((float64(v)+1)*127.5) + 0.5)
	if !(x > 0) {
		return 0
	}
	return uint8(min(x, 255))
}
