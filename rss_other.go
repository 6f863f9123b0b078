//go:build !unix

package dcgan

// peakRSS returns 0: this system does not tell in a simple way.
func peakRSS() int64 { return 0 }
