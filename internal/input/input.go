// Package input marks errors that lie in what the user gave (an argument, a setting, a file) and not in what the
// program or the machine did. The command line ends with status 2 for them and with 1 for all others.
package input

import (
	"errors"
	"fmt"
)

type inputError struct{ err error }

func (e inputError) Error() string { return e.err.Error() }
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
