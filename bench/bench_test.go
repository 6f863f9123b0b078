package main

import "testing"

func TestMedianOfRatios(t *testing.T) {
	r := result{contestants: []*contestant{
		{name: ours, seconds: []float64{1, 2, 4}},
		{name: "peer", seconds: []float64{2, 6, 4}},
	}}
	if got := r.toOurs(r.contestants[1]); got != 2 {
		t.Errorf("ratio %v, want 2", got)
	}
}
