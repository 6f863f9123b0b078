package input

import (
	"errors"
	"io/fs"
	"os"
)

// Open opens a file and returns its size in bytes. That it is missing (fs.ErrNotExist), no file or not to be opened is an
// error of input that begins with its path.
func Open(path string) (*os.File, int64, error) {
	if err := Regular(path); err != nil {
		return nil, 0, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, notOpened(path, err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// Regular returns nil where path is a file, else the error of Open. To open a pipe could mean to wait for ever.
func Regular(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return notOpened(path, err)
	case !info.Mode().IsRegular():
		return Errorf("%s: is not a file", path)
	}
	return nil
}

func notOpened(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return Errorf("%s: cannot be opened: %w", path, errors.Unwrap(err))
}
