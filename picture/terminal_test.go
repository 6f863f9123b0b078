package picture

import (
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"
)

func TestTerminal(t *testing.T) {
	img := image.NewRGBA(image.Rect(5, 5, 7, 8)) // not at the origin, of odd height
	for i := range 6 {
		img.SetRGBA(5+i%2, 5+i/2, color.RGBA{uint8(i), uint8(10 * i), 200, 255})
	}
	var text strings.Builder
	if err := Terminal(&text, img, 80); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[38;2;0;0;200m\x1b[48;2;2;20;200m▀\x1b[38;2;1;10;200m\x1b[48;2;3;30;200m▀\x1b[0m\n" +
		"\x1b[38;2;4;40;200m▀\x1b[38;2;5;50;200m▀\x1b[0m\n"
	if text.String() != want {
		t.Errorf("got  %q\nwant %q", text.String(), want)
	}
}

func TestTerminalFits(t *testing.T) {
	for _, test := range []struct{ width, height, max, columns, lines int }{
		{600, 600, 60, 60, 30}, {600, 300, 60, 60, 15}, {30, 10, 60, 30, 5}, {1000, 1, 10, 10, 1}, {100, 100, 1, 1, 1}, {100, 100, 0, 1, 1},
	} {
		img := image.NewGray(image.Rect(0, 0, test.width, test.height))
		for i := range img.Pix {
			img.Pix[i] = 90
		}
		var text strings.Builder
		if err := Terminal(&text, img, test.max); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
		if len(lines) != test.lines {
			t.Errorf("%v: %d lines", test, len(lines))
		}
		for _, line := range lines {
			if n := strings.Count(line, "▀"); n != test.columns || !strings.HasSuffix(line, "\x1b[0m") || strings.Count(line, "38;2;90;90;90m") != n {
				t.Errorf("%v: line %q", test, line)
			}
		}
	}
}

func TestTerminalFails(t *testing.T) {
	closed := errors.New("closed")
	if err := Terminal(failing{closed}, image.NewGray(image.Rect(0, 0, 2, 2)), 80); err != closed {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
