package main

import (
	"time"

	"dcgan/internal/kernel"
	"dcgan/internal/measure"
)

// ours is the name of our row.
const ours = "ours"

// burst is how long a unit is repeated at least, as in peer.py.
const burst = 1500 * time.Millisecond

func newOurs(unit string, batch, threads int) (*contestant, error) {
	set, err := kernel.Choose()
	if err != nil {
		return nil, err
	}
	build := measure.Draw
	if unit == "step" {
		build = measure.Step
	}
	work, end, err := build(set, batch, threads)
	if err != nil {
		return nil, err
	}
	for range 3 { // warm up, as the peers do
		work()
	}
	c := &contestant{name: ours, title: ours, version: "this tree", detail: set.Name, close: end}
	c.run = func() (float64, error) {
		var seconds []float64
		for sum := 0.0; sum < burst.Seconds(); {
			begin := time.Now()
			work()
			seconds = append(seconds, time.Since(begin).Seconds())
			sum += seconds[len(seconds)-1]
		}
		return measure.Median(seconds), nil
	}
	return c, nil
}

// peakGFLOPS measures what so many threads reach with multiply-adds alone.
func peakGFLOPS(threads int) (float64, error) {
	set, err := kernel.Choose()
	if err != nil {
		return 0, err
	}
	return kernel.PeakGFLOPS(set, threads, 200*time.Millisecond), nil
}
