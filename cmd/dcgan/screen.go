package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// screen is what is known of the place that progress is written to.
type screen struct {
	terminal bool
	color    bool // a terminal whose user did not set NO_COLOR
	width    func() int
}

func screenOf(w io.Writer) screen {
	const unknownWidth = 80
	none := screen{width: func() int { return unknownWidth }}
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" || !takesEscapes(file) {
		return none
	}
	return screen{
		terminal: true,
		color:    os.Getenv("NO_COLOR") == "",
		width: func() int {
			if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
				return width
			}
			return unknownWidth
		},
	}
}
