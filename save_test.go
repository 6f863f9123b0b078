package dcgan

import (
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkSave times a save of the seed's networks, the curves of 5000 steps among it, and a step at batch 256, and tells
// which share of the time between two saves a save takes, at the default interval.
func BenchmarkSave(b *testing.B) {
	cfg := DefaultConfig()
	cfg.Run = filepath.Join(b.TempDir(), "run")
	p, err := prepare(cfg, true)
	if err != nil {
		b.Fatal(err)
	}
	defer p.close()
	var observer Observer
	observer.fill()
	s, err := newSession(p, observer)
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	var steps []time.Duration
	for range 5 {
		began := time.Now()
		m := s.trainer.Next()
		steps = append(steps, time.Since(began))
		if err := s.record(asMetrics(m, s.trainer.Step, cfg.Batch, steps[0])); err != nil {
			b.Fatal(err)
		}
	}
	for len(s.history) < cfg.Steps {
		s.history = append(s.history, s.history[len(s.history)%5])
		s.history[len(s.history)-1].Step = len(s.history)
	}
	for b.Loop() {
		s.trainer.Step++
		if err := s.save(true); err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(steps)
	step := steps[len(steps)/2].Seconds()
	b.ReportMetric(step, "s/step")
	b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)/(step*float64(cfg.SaveEvery)), "%")
}
