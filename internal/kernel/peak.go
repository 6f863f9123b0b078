package kernel

import (
	"runtime"
	"sync"
	"time"
)

// peakWindows is how many times PeakGFLOPS measures.
const peakWindows = 8

// PeakGFLOPS returns how many billion floating-point operations a second threads threads reach together where nothing but
// the multiply-adds of set bounds them: the best of several windows, d in all.
func PeakGFLOPS(set *Set, threads int, d time.Duration) float64 {
	best := 0.0
	for range peakWindows {
		best = max(best, peakWindow(set, threads, d/peakWindows))
	}
	return best
}

// peakWindow is PeakGFLOPS' one window: the sum of the threads' own rates.
func peakWindow(set *Set, threads int, d time.Duration) float64 {
	const rounds = 1 << 14 // between looks at the clock
	rates := make([]float64, threads)
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for i := range rates {
		ready.Add(1)
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			<-start
			count, begin := 0, time.Now()
			elapsed := time.Duration(0)
			for elapsed < d || count == 0 {
				count += set.Peak(rounds)
				elapsed = time.Since(begin)
			}
			rates[i] = float64(count) / float64(elapsed.Nanoseconds())
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	sum := 0.0
	for _, rate := range rates {
		sum += rate
	}
	return sum
}

// What a round of the vectors' multiply-adds does to each value, which goes to 0.5 and stays.
const peakScale, peakShift = 0.5, 0.25

func peakGeneric(n int) int {
	var acc, factors [genericLanes]float32
	for l := range acc {
		acc[l], factors[l] = 1, float32(l+1)/64
	}
	value := float32(1)
	for range n {
		addProducts(&acc, &factors, value)
		value = -value
	}
	return 2 * genericLanes * n
}
