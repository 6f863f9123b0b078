//go:build !linux

package kernel

import "testing"

// guarded returns size bytes. Only on Linux do reads and writes beyond them fault.
func guarded(_ testing.TB, size int) []byte { return make([]byte, size) }
