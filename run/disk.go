package run

import (
	"io"
	"os"
)

// Disk is what a run folder is written through: every call that can fail, or be the last before the process dies.
// Reading goes to the operating system directly, since it spoils nothing.
type Disk interface {
	Mkdir(dir string) error
	Create(path string) (File, error) // empty, in place of what was there
	Append(path string) (File, error) // made where it is missing; writes go to its end
	Truncate(path string, size int64) error
	Rename(from, to string) error // in place of what was at to
	Remove(path string) error
	SyncFolder(dir string) error // brings the names in dir to disk
}

// File is a file that is being written.
type File interface {
	io.WriteCloser
	Sync() error // brings what was written to disk
}

// System is the operating system's disk.
type System struct{}

func (System) Mkdir(dir string) error { return os.Mkdir(dir, 0o777) }

func (System) Create(path string) (File, error) {
	return open(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
}

func (System) Append(path string) (File, error) {
	return open(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND)
}

func open(path string, flag int) (File, error) {
	file, err := os.OpenFile(path, flag, 0o666)
	if err != nil { // and no File that holds a nil
		return nil, err
	}
	return file, nil
}

func (System) Truncate(path string, size int64) error { return os.Truncate(path, size) }

func (System) Rename(from, to string) error { return os.Rename(from, to) }

func (System) Remove(path string) error { return os.Remove(path) }

func (System) SyncFolder(dir string) error { return syncFolder(dir) }
