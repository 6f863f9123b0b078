package dcgan

import (
	"context"
	"runtime"
	"slices"
	"time"

	"dcgan/internal/input"
	"dcgan/internal/kernel"
	"dcgan/internal/measure"
)

// Benchmark is what a machine does: times of the seed's training step and of drawing, against what direct convolution
// would take at the peak of the machine's fused multiply-adds.
type Benchmark struct {
	Machine            string  `json:"machine"` // the processor's name
	Threads            int     `json:"threads"`
	Batch              int     `json:"batch"`
	Kernel             string  `json:"kernel"`
	PeakGFLOPS         float64 `json:"peak_gflops"`  // measured before and after the steps, the larger
	DirectGFLOP        float64 `json:"direct_gflop"` // of a step, counted as direct convolution
	StepSeconds        float64 `json:"step_seconds"` // median
	StepSecondsMin     float64 `json:"step_seconds_min"`
	RatioToDirectBound float64 `json:"ratio_to_direct_bound"` // of the median step
	ImagesPerSecond    float64 `json:"images_per_second_sample"`
	LatencyOneImage    float64 `json:"latency_one_image_seconds"`
	PeakRSSBytes       int64   `json:"peak_rss_bytes"` // of this process, after the training steps; 0 where the system does not tell
	StepSecondsSpread  float64 `json:"-"`              // (slowest − fastest) / median
	SpreadTooLarge     bool    `json:"-"`              // the machine was too busy to say
}

// How much is measured: the peak's time, and steps and draws of which the median counts.
const (
	peakTime     = 400 * time.Millisecond
	timedSteps   = 7
	timedDraws   = 9
	timedLatency = 200
	maxSpread    = 0.15
)

// Bench measures this machine with threads threads (0 for those that the process may use) at the given batch. Progress,
// which may be nil, is told what is being measured.
func Bench(ctx context.Context, batch, threads int, progress func(string)) (Benchmark, error) {
	if progress == nil {
		progress = func(string) {}
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	set, err := kernel.Choose()
	if err != nil {
		return Benchmark{}, input.Errorf("%w", err)
	}
	b := Benchmark{Machine: processor(), Threads: threads, Batch: batch, Kernel: set.Name, DirectGFLOP: measure.StepGFLOP(batch)}
	step, end, err := measure.Step(set, batch, threads)
	if err != nil {
		return b, err
	}
	progress("peak of multiply-adds")
	b.PeakGFLOPS = kernel.PeakGFLOPS(set, threads, peakTime)
	progress("training steps")
	steps, err := timed(ctx, step, timedSteps)
	end()
	if err != nil {
		return b, err
	}
	b.PeakRSSBytes = peakRSS()
	b.StepSeconds, b.StepSecondsMin = measure.Median(steps), slices.Min(steps)
	b.StepSecondsSpread = (slices.Max(steps) - b.StepSecondsMin) / b.StepSeconds
	b.SpreadTooLarge = b.StepSecondsSpread > maxSpread
	b.PeakGFLOPS = max(b.PeakGFLOPS, kernel.PeakGFLOPS(set, threads, peakTime))
	b.RatioToDirectBound = b.StepSeconds * b.PeakGFLOPS / b.DirectGFLOP

	for _, d := range []struct {
		name         string
		batch, count int
		result       *float64
	}{{"drawing a batch", batch, timedDraws, &b.ImagesPerSecond}, {"drawing one image", 1, timedLatency, &b.LatencyOneImage}} {
		progress(d.name)
		draw, end, err := measure.Draw(set, d.batch, threads)
		if err != nil {
			return b, err
		}
		times, err := timed(ctx, draw, d.count)
		end()
		if err != nil {
			return b, err
		}
		*d.result = measure.Median(times)
	}
	b.ImagesPerSecond = float64(batch) / b.ImagesPerSecond
	return b, nil
}

// timed runs f twice to warm up and then count times, and returns how long each took.
func timed(ctx context.Context, f func(), count int) ([]float64, error) {
	var seconds []float64
	for i := range count + 2 {
		if ctx.Err() != nil {
			return nil, ErrStopped
		}
		began := time.Now()
		f()
		if i >= 2 {
			seconds = append(seconds, time.Since(began).Seconds())
		}
	}
	return seconds, nil
}
