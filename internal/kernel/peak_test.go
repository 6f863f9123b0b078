package kernel

import (
	"testing"
	"time"
)

func TestPeak(t *testing.T) {
	for i := range Variants {
		rate := PeakGFLOPS(&Variants[i], 2, 20*time.Millisecond)
		if !(rate > 0.001 && rate < 1e4) {
			t.Errorf("%s: %v GFLOP/s", Variants[i].Name, rate)
		}
		t.Logf("%s: %.1f GFLOP/s", Variants[i].Name, rate)
	}
}
