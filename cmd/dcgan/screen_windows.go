package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// takesEscapes has the console understand escape sequences and tells whether it does: those before Windows 10 do not.
func takesEscapes(file *os.File) bool {
	console := windows.Handle(file.Fd())
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
