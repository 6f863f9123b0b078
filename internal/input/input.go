// Package input marks errors that lie in what the user gave (an argument, a setting, a file) and not in what the
// program or the machine did. The command line ends with status 2 for them and with 1 for all others.
package input

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

type inputError struct{ err error }

func (e inputError) Error() string { return Line(e.err.Error()) }
func (e inputError) Unwrap() error { return e.err }

// Errorf formats as fmt.Errorf does, %w included, and marks the error as one of input.
func Errorf(format string, args ...any) error {
	return inputError{fmt.Errorf(format, args...)}
}

// Is reports whether err or one that it wraps is an error of input.
func Is(err error) bool {
	var e inputError
	return errors.As(err, &e)
}

// Line makes one line of text that may quote a file or an argument: "; " takes the place of line ends, U+FFFD that of
// other control characters, which must not speak to a terminal.
func Line(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
