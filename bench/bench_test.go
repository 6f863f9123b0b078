package main

import (
	"math"
	"testing"
)

func TestWork(t *testing.T) {
	for unit, want := range map[string]float64{"step": 149.6, "draw": 22.95} {
		if got := gflop[unit] * 256; math.Abs(got-want) > 0.01 {
			t.Errorf("%s: %.3f GFLOP at batch 256, want %.2f", unit, got, want)
		}
	}
}

func TestMedianOfRatios(t *testing.T) {
	r := result{contestants: []*contestant{
		{name: ours, seconds: []float64{1, 2, 4}},
		{name: "peer", seconds: []float64{2, 6, 4}},
	}}
	if got := r.toOurs(r.contestants[1]); got != 2 {
		t.Errorf("ratio %v, want 2", got)
	}
	if got := median([]float64{4, 1, 2, 3}); got != 2.5 {
		t.Errorf("median %v, want 2.5", got)
	}
}
