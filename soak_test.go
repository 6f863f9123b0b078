package dcgan_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"testing"

	"dcgan"
)

var soak = flag.Int("soak", 300, "steps of TestSoak; from 3000 on the memory of the process is judged too")

// use is what a process holds of its machine.
type use struct {
	step              int
	resident          float64 // MB
	files, goroutines int
}

func measure(t *testing.T, step int) use {
	t.Helper()
	var total, resident int
	text, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(text), &total, &resident)
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return use{step, float64(resident*os.Getpagesize()) / 1e6, len(files), runtime.NumGoroutine()}
}

// live returns the bytes that are in use when garbage is collected.
func live() int {
	runtime.GC()
	runtime.GC() // what pools hold is garbage at the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// line fits a straight line to values, one a unit apart, and returns its rise from the first to the last and the standard
// deviation of the values around it.
func line(values []float64) (rise, deviation float64) {
	n := float64(len(values))
	var sx, sy, sxx, sxy float64
	for i, y := range values {
		x := float64(i)
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	slope := (n*sxy - sx*sy) / (n*sxx - sx*sx)
	for i, y := range values {
		d := y - sy/n - slope*(float64(i)-sx/n)
		deviation += d * d
	}
	return slope * (n - 1), math.Sqrt(deviation / (n - 2))
}

// TestSoak trains narrow networks for long, with a save every 20 steps. Memory in use may grow, from a sixth of the steps
// on, by what the curves are drawn from: a point a step, of 48 bytes, in a slice that has half of that to spare. In the
// last two thirds the process is measured 100 times: files and goroutines must stay as many, and its memory may not rise by
// more than twice the standard deviation around a straight line. Before 1000 steps the garbage collector lets it grow.
func TestSoak(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory and files are read from /proc")
	}
	cfg, remove := small()
	defer remove()
	cfg.Data = tiny(t).Data // little to hold makes the garbage collector run often
	cfg.Steps, cfg.SaveEvery = *soak, 20
	begin, every := *soak/6, max(1, *soak*2/3/100)
	uses := make([]use, 0, *soak)
	before, after := 0, 0
	_, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{Step: func(m dcgan.Metrics) {
		switch {
		case m.Step == begin:
			before = live()
		case m.Step == *soak:
			after = live()
		case m.Step > *soak/3 && m.Step%every == 0:
			uses = append(uses, measure(t, m.Step))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	first := uses[0]
	var resident []float64
	for _, u := range uses {
		resident = append(resident, u.resident)
		if u.files != first.files || u.goroutines != first.goroutines {
			t.Errorf("step %d: %d files and %d goroutines, %d and %d at step %d", u.step, u.files, u.goroutines,
				first.files, first.goroutines, first.step)
		}
	}
	const point, noise = 48, 64 << 10
	if grown := after - before; grown > (*soak-begin)*point*3/2+noise {
		t.Errorf("memory in use grows by %d bytes in %d steps", grown, *soak-begin)
	}
	rise, deviation := line(resident)
	if *soak >= 3000 && rise > 2*deviation {
		t.Errorf("the process grows by %.2f MB, where it varies by %.2f MB", rise, deviation)
	}
	t.Logf("steps %d to %d: %d files, %d goroutines; %.2f MB in use, %+d bytes; the process has %.1f MB, at the end %.1f MB: "+
		"a rise of %.2f MB, a deviation of %.2f MB", first.step, *soak, first.files, first.goroutines, float64(before)/1e6, after-before,
		first.resident, resident[len(resident)-1], rise, deviation)
}
