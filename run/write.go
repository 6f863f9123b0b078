package run

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// writeFile makes path a file with what write writes. At every moment path is either what it was or the whole new file:
// that is written under a temporary name beside it, brought to disk, and renamed. On failure the temporary file is
// removed; one left by a killed process is for Clean.
func writeFile(disk Disk, path string, write func(io.Writer) error) (err error) {
	dir, name := filepath.Split(path)
	// The process id keeps two writers that should not be there from mixing their bytes in one file.
	temporary := filepath.Join(dir, fmt.Sprintf(".%s.%d.tmp", name, os.Getpid()))
	defer func() {
		if err != nil {
			disk.Remove(temporary)
			err = fmt.Errorf("%s could not be written: %w", path, reason(err))
		}
	}()
	if err := makeFolder(disk, dir); err != nil {
		return err
	}
	file, err := disk.Create(temporary)
	if err != nil {
		return err
	}
	if err := fill(file, write); err != nil {
		return err
	}
	if err := disk.Rename(temporary, path); err != nil {
		return err
	}
	// Without this a power cut could undo the rename.
	return disk.SyncFolder(dir)
}

// fill writes file, brings it to disk and closes it.
func fill(file File, write func(io.Writer) error) error {
	buffered := bufio.NewWriterSize(file, 1<<16)
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// reason takes the paths of temporary files out of an error.
func reason(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

func isTemporary(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".tmp")
}

// makeFolder makes dir and what is missing above it, so that a power cut does not undo it.
func makeFolder(disk Disk, dir string) error {
	dir = filepath.Clean(dir)
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := makeFolder(disk, parent); err != nil {
			return err
		}
	}
	if err := disk.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return disk.SyncFolder(filepath.Dir(dir))
}
