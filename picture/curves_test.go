package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/plot/plotter"
)

// pretend returns a run that looks like a real one.
func pretend(steps int) []Point {
	random := rand.New(rand.NewPCG(1, 2))
	share := func(x float64) float64 { return math.Round(128*max(0, min(1, x+0.05*random.NormFloat64()))) / 128 }
	points := make([]Point, steps)
	for i := range points {
		t := float64(i + 1)
		points[i] = Point{
			Step:          i + 1,
			DLoss:         0.45 + 0.25*math.Exp(-t/200) + 0.05*math.Sin(t/300) + 0.04*random.NormFloat64(),
			GLoss:         1.1 + 1.5*math.Exp(-t/60) + 0.25*math.Sin(t/700) + 0.18*random.NormFloat64(),
			DAccuracyReal: share(0.75 + 0.1*math.Sin(t/400)),
			DAccuracyFake: share(0.8 - 0.1*math.Exp(-t/100)),
			GAccuracy:     share(0.2 + 0.5*math.Exp(-t/80)),
		}
	}
	return points
}

// strong counts the pixels of a colour in the upper or the lower half of a picture, below the headings.
func strong(img image.Image, c interface{ RGBA() (r, g, b, a uint32) }, lower bool) int {
	from, to := 45, 275
	if lower {
		from, to = 352, 585
	}
	r, g, b, _ := c.RGBA()
	n := 0
	for y := from; y < to; y++ {
		for x := range img.Bounds().Dx() {
			if r2, g2, b2, _ := img.At(x, y).RGBA(); r == r2 && g == g2 && b == b2 {
				n++
			}
		}
	}
	return n
}

func TestCurves(t *testing.T) {
	odd := pretend(600)
	odd[2].GLoss, odd[300].DLoss, odd[301].DLoss, odd[302].GLoss = 500, math.NaN(), math.Inf(1), -math.MaxFloat64
	flat := slices.Repeat([]Point{{DLoss: 0.5, GLoss: -0.5, DAccuracyReal: 1, DAccuracyFake: 0.5}}, 5)
	for i := range flat {
		flat[i].Step = i + 1
	}
	for name, points := range map[string][]Point{
		"1 step": pretend(1), "2 steps": pretend(2), "30 steps": pretend(30), "600 steps": pretend(600), "50,000 steps": pretend(50000),
		"a resumed run's end": pretend(500)[450:], "values that are not finite": odd, "flat lines": flat,
	} {
		start := time.Now()
		file, err := Curves(points)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Logf("%s: %v, %d bytes", name, time.Since(start), len(file))
		img, err := png.Decode(bytes.NewReader(file))
		if err != nil || img.Bounds() != image.Rect(0, 0, 900, 640) {
			t.Errorf("%s: %v, %v", name, img.Bounds(), err)
			continue
		}
		for _, part := range []struct {
			curves []curve
			lower  bool
		}{{losses, false}, {accuracies, true}} {
			for _, c := range part.curves {
				if n := strong(img, c.color, part.lower); n < 10 {
					t.Errorf("%s: %d pixels of the curve %s", name, n, c.name)
				}
			}
		}
	}
}

func TestCurvesOfNothing(t *testing.T) {
	for _, points := range [][]Point{nil, {{Step: 1, DLoss: math.NaN(), GLoss: math.NaN(), DAccuracyReal: math.NaN(), DAccuracyFake: math.NaN(), GAccuracy: math.NaN()}}} {
		if _, err := Curves(points); err != nil {
			t.Error(err)
		}
	}
}

func TestLossRange(t *testing.T) {
	spike := pretend(1000)
	spike[2].GLoss = 1e6
	if low, high := lossRange(spike); low != 0 || high < 2 || high > 8 {
		t.Errorf("with a spike: %v to %v", low, high)
	}
	if low, high := lossRange([]Point{{DLoss: -0.2, GLoss: 3}}); low > -0.2 || low < -0.5 || high < 3 || high > 3.5 {
		t.Errorf("%v to %v", low, high)
	}
	// Rounded once at the end, as a processor may that fuses the product and the sum, high would be another number.
	if low, high := lossRange([]Point{{DLoss: -0.17, GLoss: 0.01}}); low != -0.17720000000000002 || high != 0.017488000000000004 {
		t.Errorf("%v to %v", low, high)
	}
	if low, high := lossRange(nil); !(low < high) {
		t.Errorf("of nothing: %v to %v", low, high)
	}
}

func TestMarks(t *testing.T) {
	labels := func(low, high, distance float64) string {
		s := ""
		for _, tick := range marks(low, high, distance) {
			s += tick.Label + " "
		}
		return s
	}
	for _, test := range []struct {
		low, high, distance float64
		want                string
	}{
		{0, 10, 1, "0 1 2 3 4 5 6 7 8 9 10 "}, {0, 5000, 5000. / 9, "0 1000 2000 3000 4000 5000 "}, {-0.02, 1.02, 1.04 / 6, "0.0 0.2 0.4 0.6 0.8 1.0 "},
		{-0.3, 0.35, 0.11, "-0.2 0.0 0.2 "}, {0, 0.1, 0.02, "0.00 0.02 0.04 0.06 0.08 0.10 "}, {0, 3.4, 0.57, "0 1 2 3 "},
	} {
		if got := labels(test.low, test.high, test.distance); got != test.want {
			t.Errorf("%v to %v: %q, want %q", test.low, test.high, got, test.want)
		}
	}
}

func TestRunningMean(t *testing.T) {
	series := make(plotter.XYs, 1000)
	for i := range series {
		series[i] = plotter.XY{X: float64(i + 1), Y: float64(i % 2)}
	}
	mean := runningMean(series, 100)
	if len(mean) != bins || mean[0].X != 1 || mean[bins-1].X != 1000 {
		t.Errorf("%d points from %v to %v", len(mean), mean[0], mean[len(mean)-1])
	}
	for _, p := range mean {
		if math.Abs(p.Y-0.5) > 0.02 {
			t.Errorf("%v", p)
		}
	}
	if one := runningMean(series[:1], 0); fmt.Sprint(one) != "[{1 0}]" {
		t.Errorf("%v", one)
	}
	if short := runningMean(series[:5], 1); fmt.Sprint(short) != "[{1 0} {2 1} {3 0} {4 1} {5 0}]" {
		t.Errorf("%v", short)
	}
}

func BenchmarkCurves(b *testing.B) {
	for _, steps := range []int{600, 50000} {
		points := pretend(steps)
		b.Run(fmt.Sprint(steps), func(b *testing.B) {
			for b.Loop() {
				if _, err := Curves(points); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
