// Package fault is a disk that fails, or ends the process, at any call that a test chooses.
package fault

import (
	"os"

	"dcgan/run"
)

// The kinds of calls.
const (
	Mkdir      = "mkdir"
	Create     = "create"
	Append     = "append"
	Write      = "write"      // before a write has written anything
	HalfWrite  = "half write" // when it has written the first half
	Sync       = "sync"
	Close      = "close"
	Truncate   = "truncate"
	Rename     = "rename"
	Remove     = "remove"
	SyncFolder = "sync folder"
)

// Call is a call of the disk that is about to be made.
type Call struct {
	Kind string
	Path string // of a rename, what the file is to be called
}

// Disk passes calls on to the operating system, but for those that bring files to disk: they take most of the time, and
// what they are for, a machine that stops, is not what a test can bring about.
type Disk struct {
	run.System
	// Before is asked before each call, unless it is nil. An error is what the call returns, in a *fs.PathError as the
	// system's are, and nothing is done; but a file is closed all the same.
	Before func(Call) error
}

func (d *Disk) before(kind, path string) error {
	if d.Before == nil {
		return nil
	}
	if err := d.Before(Call{kind, path}); err != nil {
		return &os.PathError{Op: kind, Path: path, Err: err}
	}
	return nil
}

// do makes a call that gives nothing but an error.
func (d *Disk) do(kind, path string, call func() error) error {
	if err := d.before(kind, path); err != nil {
		return err
	}
	return call()
}

// open makes a call that gives a file.
func (d *Disk) open(kind, path string, call func(path string) (run.File, error)) (run.File, error) {
	if err := d.before(kind, path); err != nil {
		return nil, err
	}
	under, err := call(path)
	if err != nil {
		return nil, err
	}
	return &file{under, d, path}, nil
}

func (d *Disk) Mkdir(dir string) error {
	return d.do(Mkdir, dir, func() error { return d.System.Mkdir(dir) })
}

func (d *Disk) Create(path string) (run.File, error) { return d.open(Create, path, d.System.Create) }

func (d *Disk) Append(path string) (run.File, error) { return d.open(Append, path, d.System.Append) }

func (d *Disk) Truncate(path string, size int64) error {
	return d.do(Truncate, path, func() error { return d.System.Truncate(path, size) })
}

func (d *Disk) Rename(from, to string) error {
	return d.do(Rename, to, func() error { return d.System.Rename(from, to) })
}

func (d *Disk) Remove(path string) error {
	return d.do(Remove, path, func() error { return d.System.Remove(path) })
}

func (d *Disk) SyncFolder(dir string) error { return d.before(SyncFolder, dir) }

type file struct {
	under run.File
	disk  *Disk
	path  string
}

// Write passes a write on in two halves, so that it can be a short one.
func (f *file) Write(b []byte) (written int, err error) {
	half := len(b) / 2
	for _, part := range []struct {
		kind  string
		bytes []byte
	}{{Write, b[:half]}, {HalfWrite, b[half:]}} {
		if err := f.disk.before(part.kind, f.path); err != nil {
			return written, err
		}
		n, err := f.under.Write(part.bytes)
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

func (f *file) Sync() error { return f.disk.before(Sync, f.path) }

func (f *file) Close() error {
	err := f.disk.before(Close, f.path)
	if closing := f.under.Close(); err == nil {
		err = closing
	}
	return err
}
