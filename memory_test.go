package dcgan

import (
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/internal/input"
)

// TestMemory holds the estimate for the seed's networks, and that it alone decides.
func TestMemory(t *testing.T) {
	g, d, err := arch.Seed(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	least := leastMemory(g, 256) + leastMemory(d, 256)
	if err := checkMemory(g, d, 256, least); err != nil {
		t.Error(err)
	}
	if err := checkMemory(g, d, 256, least-1); !input.Is(err) || !strings.Contains(err.Error(), "--batch: 256 images a step take at least 0.4 GB") {
		t.Errorf("%v", err)
	}
	if limit := memoryLimit(); limit < 1<<20 {
		t.Errorf("this process could have %d bytes", limit)
	}
}
