package picture

import (
	"image"
	"image/color"
	"math"
	"testing"
)

func TestLevel(t *testing.T) {
	for v, want := range map[float32]uint8{-1: 0, 1: 255, 0: 128, -0.001: 127, 0.999: 255, 0.99: 254, 2: 255, -2: 0,
		float32(math.Inf(1)): 255, float32(math.Inf(-1)): 0, -1 + 1.01/255: 1, -1 + 0.99/255: 0} {
		if got := level(v); got != want {
			t.Errorf("%v: %d, want %d", v, got, want)
		}
	}
	if level(float32(math.NaN())) != 0 {
		t.Error("NaN is drawn")
	}
	// An image of the data comes out as it went in.
	for x := range 256 {
		if got := level((float32(x) - 127.5) / 127.5); int(got) != x {
			t.Errorf("%d became %d", x, got)
		}
	}
}

func TestGrid(t *testing.T) {
	const n, h, w, rows, cols, scale = 5, 2, 3, 2, 3, 4
	for _, c := range []int{1, 2, 3, 4} {
		pixels := make([]float32, n*h*w*c)
		for i := range pixels {
			pixels[i] = float32(i)/60 - 0.9
		}
		img := Grid(pixels, n, h, w, c, rows, cols, scale)
		if want := image.Rect(0, 0, scale*(cols*(w+gap)+gap), scale*(rows*(h+gap)+gap)); img.Bounds() != want {
			t.Fatalf("%d channels: %v, want %v", c, img.Bounds(), want)
		}
		want := map[image.Point]color.RGBA{}
		for i := range n {
			for y := range h {
				for x := range w {
					p := pixels[((i*h+y)*w+x)*c:]
					r, g, b := level(p[0]), level(p[0]), level(p[0])
					if c >= 3 {
						g, b = level(p[1]), level(p[2])
					}
					at := image.Pt(gap+i%cols*(w+gap)+x, gap+i/cols*(h+gap)+y)
					want[at] = color.RGBA{r, g, b, 255}
				}
			}
		}
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				expect, ok := want[image.Pt(x/scale, y/scale)]
				if !ok {
					expect = color.RGBA{ground, ground, ground, 255}
				}
				if got := color.RGBAModel.Convert(img.At(x, y)); got != expect {
					t.Fatalf("%d channels, pixel %d, %d: %v, want %v", c, x, y, got, expect)
				}
			}
		}
		if _, gray := img.(*image.Gray); gray != (c < 3) {
			t.Errorf("%d channels: %T", c, img)
		}
	}
}

func TestGridPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"too many":  func() { Grid(make([]float32, 5), 5, 1, 1, 1, 2, 2, 1) },
		"too short": func() { Grid(make([]float32, 3), 4, 1, 1, 1, 2, 2, 1) },
		"no scale":  func() { Grid(make([]float32, 4), 4, 1, 1, 1, 2, 2, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func BenchmarkGrid(b *testing.B) {
	pixels := make([]float32, 25*28*28)
	for b.Loop() {
		Grid(pixels, 25, 28, 28, 1, 5, 5, 4)
	}
}
