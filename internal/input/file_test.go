//go:build unix

package input

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestOpen opens a file, and refuses at once what is none: a pipe that nobody writes to as well.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(path, []byte("four"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	file, size, err := Open(path)
	if err != nil || size != 4 {
		t.Fatalf("%d bytes, %v", size, err)
	}
	file.Close()
	for path, says := range map[string]string{
		dir:                          "is not a file",
		pipe:                         "is not a file",
		filepath.Join(dir, "none"):   "file does not exist",
		filepath.Join(path, "below"): "cannot be opened",
	} {
		if _, _, err := Open(path); !Is(err) || !strings.HasPrefix(err.Error(), path) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", path, err, says)
		}
	}
}
