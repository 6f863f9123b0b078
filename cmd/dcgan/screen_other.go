//go:build !windows

package main

import "os"

// takesEscapes tells whether the terminal understands escape sequences.
func takesEscapes(*os.File) bool { return true }
