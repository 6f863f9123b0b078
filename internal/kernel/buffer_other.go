//go:build !linux

package kernel

// Buffer returns n zeros that may be given to kernels: Slack more follow them in memory.
func Buffer(n int) []float32 { return make([]float32, n+Slack)[:n] }
