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

func TestMedian(t *testing.T) {
	if odd, even := Median([]float64{5, 1, 2}), Median([]float64{4, 1, 2, 3}); odd != 2 || even != 2.5 {
		t.Errorf("medians %v and %v, want 2 and 2.5", odd, even)
	}
}
