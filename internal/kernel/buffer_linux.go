package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is a huge page of Linux, in bytes.
const hugePage = 2 << 20

// Buffer returns n zeros that may be given to kernels: Slack more follow them in memory. What fills at least half a huge page
// lies on huge ones, if the system has some left: its lines then spread evenly over a cache's sets, and fewer pages have to
// be found.
func Buffer(n int) []float32 {
	pages := (4*n + hugePage/2) / hugePage
	if pages == 0 {
		return make([]float32, n+Slack)[:n]
	}
	size := max(n+Slack, pages*hugePage/4)
	b := make([]float32, size+hugePage/4)
	before := -uintptr(unsafe.Pointer(&b[0])) % hugePage / 4
	b = b[before:][:size]
	// Memory that was used before is on small pages, and stays there: zeros can be given back, and come again. An error means
	// that small pages are all there is.
	whole := unsafe.Slice((*byte)(unsafe.Pointer(&b[0])), pages*hugePage)
	if unix.Madvise(whole, unix.MADV_HUGEPAGE) == nil {
		_ = unix.Madvise(whole, unix.MADV_DONTNEED)
	}
	return b[:n]
}
