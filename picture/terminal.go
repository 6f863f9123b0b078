package picture

import (
	"fmt"
	"image"
	"io"

	"golang.org/x/image/draw"
)

// Terminal draws img with half blocks in 24 bit colour, for a terminal that knows both: two pixels a character, one
// above the other. An image wider than maxColumns pixels is made smaller to fit.
func Terminal(w io.Writer, img image.Image, maxColumns int) error {
	size := img.Bounds().Size()
	width, height := size.X, size.Y
	if width > maxColumns {
		width, height = max(1, maxColumns), max(1, (height*maxColumns+width/2)/width)
	}
	small := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.BiLinear.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)

	var text []byte
	for y := 0; y < height; y += 2 {
		for x := range width {
			top := small.RGBAAt(x, y)
			text = fmt.Appendf(text, "\x1b[38;2;%d;%d;%dm", top.R, top.G, top.B)
			if y+1 < height { // else the lower half keeps the terminal's own colour
				bottom := small.RGBAAt(x, y+1)
				text = fmt.Appendf(text, "\x1b[48;2;%d;%d;%dm", bottom.R, bottom.G, bottom.B)
			}
			text = append(text, "▀"...)
		}
		text = append(text, "\x1b[0m\n"...)
	}
	_, err := w.Write(text)
	return err
}
