package input

import (
	"errors"
	"io/fs"
	"os"
)

// Open opens a file that the user named and returns its size in bytes. That it is missing, no file or not to be opened is
// an error of input that begins with its path.
func Open(path string) (*os.File, int64, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, Errorf("%s: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, 0, Errorf("%s: cannot be opened: %w", path, errors.Unwrap(err))
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = Errorf("%s: is not a file", path)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}
