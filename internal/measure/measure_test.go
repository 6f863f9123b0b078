package measure

import (
	"math"
	"testing"
)

// TestWork holds the counts against those of the seed's design: 149.6 and 22.95 GFLOP at batch 256.
func TestWork(t *testing.T) {
	if got := StepGFLOP(256); math.Abs(got-149.6) > 0.05 {
		t.Errorf("a step is %.2f GFLOP", got)
	}
	if got := DrawGFLOP(256); math.Abs(got-22.954) > 0.001 {
		t.Errorf("drawing is %.3f GFLOP", got)
	}
}
