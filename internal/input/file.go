package input

import (
	"errors"
	"io/fs"
	"os"
)

// Open opens a file that the user named and returns its size in bytes. That it is missing, no file or not to be opened is
// an error of input that begins with its path.
func Open(path string) (*os.File, int64, error) {
	info, err := os.Stat(path) // first, since opening a pipe waits for its other end
	if err == nil && !info.Mode().IsRegular() {
		return nil, 0, Errorf("%s: is not a file", path)
	}
	var file *os.File
	if err == nil {
		file, err = os.Open(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, Errorf("%s: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, 0, Errorf("%s: cannot be opened: %w", path, errors.Unwrap(err))
	}
	if info, err = file.Stat(); err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}
