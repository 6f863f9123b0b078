//go:build unix

package dcgan

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// peakRSS returns the most memory that the process has had resident, in bytes.
func peakRSS() int64 {
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10 // elsewhere in kilobytes
}
