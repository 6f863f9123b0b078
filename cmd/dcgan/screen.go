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
	size     func() (width, height int)
}

func screenOf(w io.Writer) screen {
	unknown := func() (width, height int) { return 80, 24 }
	none := screen{size: unknown}
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" || !takesEscapes(file) {
		return none
	}
	return screen{
		terminal: true,
		color:    os.Getenv("NO_COLOR") == "",
		size: func() (width, height int) {
			if width, height, err := term.GetSize(int(file.Fd())); err == nil && width > 0 && height > 0 {
				return width, height
			}
			return unknown()
		},
	}
}
