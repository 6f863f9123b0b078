package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"dcgan/internal/measure"
)

// gflop is the work of each unit at a batch, in GFLOP, counted as for direct convolution.
var gflop = map[string]func(batch int) float64{
	"step": measure.StepGFLOP, "draw": measure.DrawGFLOP, "latency": measure.DrawGFLOP,
}

// contestant is a system that is ready to do a unit of work.
type contestant struct {
	name                   string // as --only knows it
	title, version, detail string // as the table shows it
	run                    func() (seconds float64, err error)
	close                  func()
	seconds                []float64 // of each round
}

// result is what one unit's rounds gave.
type result struct {
	opt         options
	unit        string
	batch       int
	peak        float64 // GFLOP/s
	contestants []*contestant
}

// timeUnit lets all contestants do a unit in turn, so that a machine that grows slower or faster does so for all.
func timeUnit(opt options, unit string) (*result, error) {
	r := &result{opt: opt, unit: unit, batch: opt.batch}
	if unit == "latency" {
		r.batch = 1
	}
	defer r.close()
	if err := r.start(); err != nil {
		return nil, err
	}
	for round := range opt.rounds {
		if err := r.measurePeak(); err != nil {
			return nil, err
		}
		for _, c := range r.contestants {
			time.Sleep(pause)
			seconds, err := c.run()
			if err != nil {
				return nil, err
			}
			c.seconds = append(c.seconds, seconds)
		}
		fmt.Fprintf(os.Stderr, "%s: round %d of %d\n", unit, round+1, opt.rounds)
	}
	return r, r.measurePeak()
}

// pause is how long threads that wait by spinning get to fall asleep before the next contestant's turn.
const pause = 100 * time.Millisecond

func (r *result) start() error {
	if r.opt.wants(ours) {
		c, err := newOurs(r.unit, r.batch, r.opt.threads)
		if err != nil {
			return fmt.Errorf("ours: %w", err)
		}
		r.contestants = append(r.contestants, c)
	}
	for _, p := range peers {
		if !r.opt.wants(p.name) || !slices.Contains(p.units, r.unit) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: starting %s\n", r.unit, p.name)
		c, err := p.start(r.opt, r.unit, r.batch)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		r.contestants = append(r.contestants, c)
	}
	if len(r.contestants) == 0 {
		return fmt.Errorf("--only leaves nothing to time for %s", r.unit)
	}
	return nil
}

func (r *result) close() {
	for _, c := range r.contestants {
		c.close()
	}
}

// measurePeak keeps the highest peak, so that a disturbed moment makes no bound look easy.
func (r *result) measurePeak() error {
	peak, err := peakGFLOPS(r.opt.threads)
	r.peak = max(r.peak, peak)
	return err
}

// bound returns the seconds that direct convolution would take at the machine's peak.
func (r *result) bound() float64 {
	return gflop[r.unit](r.batch) / r.peak
}

// toOurs returns the median over the rounds of c's seconds over ours in the same round, 0 where ours did not run.
func (r *result) toOurs(c *contestant) float64 {
	first := r.contestants[0]
	if first.name != ours {
		return 0
	}
	ratios := make([]float64, len(c.seconds))
	for i := range ratios {
		ratios[i] = c.seconds[i] / first.seconds[i]
	}
	return measure.Median(ratios)
}
