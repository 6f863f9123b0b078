package run

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"dcgan/internal/input"

	"github.com/gofrs/flock"
)

// LockName is a file in a run folder that its writer holds a lock on. The system gives a lock back when its process
// ends, whatever way; the file stays, since one that is removed could be locked twice. It holds the writer's process
// id, for those who are refused.
const LockName = ".lock"

// pidAt is where the process id stands. Windows locks the first byte against everybody's reading and writing.
const pidAt = 1

// writesHolder is more than a process takes from having the lock to having its id in the file.
const writesHolder = 50 * time.Millisecond

// lock takes the lock of dir. That another holds it is an error of input with its process id.
func lock(dir string) (*flock.Flock, error) {
	l, err := tryLock(dir)
	if err != nil {
		return nil, err
	}
	if err := writeHolder(l.Path()); err != nil {
		l.Close()
		return nil, fmt.Errorf("run folder %s cannot be locked: %w", dir, reason(err))
	}
	return l, nil
}

func tryLock(dir string) (*flock.Flock, error) {
	path := filepath.Join(dir, LockName)
	l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
	held, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("run folder %s cannot be locked: %w", dir, reason(err))
	}
	if !held {
		time.Sleep(writesHolder)
		return nil, input.Errorf("run folder %s is in use by %s: wait until it has ended, stop it, or name another folder with --run",
			dir, holder(path))
	}
	return l, nil
}

// Vacant is Free for those who want to write: that another process holds dir is the error where one does.
func Vacant(dir string) error {
	err := Free(dir)
	if err == nil || input.Regular(filepath.Join(dir, LockName)) != nil { // and no lock is made
		return err
	}
	l, lockErr := tryLock(dir)
	if lockErr == nil {
		l.Close()
	} else if input.Is(lockErr) {
		return lockErr
	}
	return err
}

func writeHolder(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), pidAt)
	return err
}

// holder says who holds a lock, as far as it can be read.
func holder(path string) string {
	text := make([]byte, 32)
	file, err := os.Open(path)
	if err == nil {
		defer file.Close()
		n, _ := file.ReadAt(text, pidAt) // shorter than text
		line, _, whole := strings.Cut(string(text[:n]), "\n")
		if pid, err := strconv.Atoi(line); whole && err == nil {
			return fmt.Sprintf("process %d", pid)
		}
	}
	return "another process"
}
