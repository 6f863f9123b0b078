package input

import (
	"errors"
	"fmt"
	"testing"
)

// TestErrorf quotes what a file may hold: the error stays one of input through what wraps it, and one line.
func TestErrorf(t *testing.T) {
	cause := errors.New("a\nb\r\nc\x1b")
	err := fmt.Errorf("reading: %w", Errorf("x: %w", cause))
	if !Is(err) || !errors.Is(err, cause) || Is(cause) {
		t.Errorf("%v does not tell what it is", err)
	}
	if got, want := err.Error(), "reading: x: a; b; c\uFFFD"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
