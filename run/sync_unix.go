//go:build !windows

package run

import (
	"errors"
	"os"
	"syscall"
)

// syncFolder brings the names in dir to disk. File systems that cannot do it for a folder say EINVAL or ENOTSUP; there
// is nothing more to be done on those.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
