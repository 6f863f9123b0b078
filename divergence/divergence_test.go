package divergence

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"dcgan/config"
)

// TestFloors holds the floors of the seed's labels against figures worked out elsewhere: the means of its targets, and the
// least losses of both networks.
func TestFloors(t *testing.T) {
	c := config.Default()
	j := NewJudge(c.RealLabels, c.FakeLabels)
	for _, test := range []struct {
		name      string
		got, want float64
	}{
		{"mean of real targets", Mean(c.RealLabels), 0.930}, {"mean of generated ones", Mean(c.FakeLabels), 0.149},
		{"D's floor", j.lossFloor, 0.337}, {"G's floor", Floor(c.RealLabels), 0.252},
	} {
		if math.Abs(test.got-test.want) > 0.0006 {
			t.Errorf("%s is %.5f, want %.3f", test.name, test.got, test.want)
		}
	}
}

// TestFloorByTrial draws targets by rejection and looks for the best constant answer to them.
func TestFloorByTrial(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, r := range []config.Range{{Low: 0.7, High: 1.2}, {Low: 0, High: 0.3}, {Low: -1, High: 2}, {Low: 0.4, High: 0.6}, {Low: -0.5, High: 1}} {
		var targets []float64
		sum := 0.0
		for len(targets) < 200_000 {
			x := r.Low + (r.High-r.Low)*rng.Float64()
			if rng.Float64() < math.Exp(-x*x/2) {
				targets = append(targets, x)
				sum += x
			}
		}
		mean := sum / float64(len(targets))
		if math.Abs(mean-Mean(r)) > 0.005*(r.High-r.Low) {
			t.Errorf("%v: mean %.4f, drawn %.4f", r, Mean(r), mean)
		}
		best := math.Inf(1)
		for p := 0.001; p < 1; p += 0.001 { // the loss is linear in the target, so the mean stands for all
			best = min(best, -mean*math.Log(p)-(1-mean)*math.Log(1-p))
		}
		if math.Abs(best-Floor(r)) > 0.01 {
			t.Errorf("%v: floor %.4f, by trial %.4f", r, Floor(r), best)
		}
	}
}

// TestFloorEverywhere: in all ranges that config accepts the mean lies within, and the floor is that of a mean within
// (0, 1) or one that no loss is near.
func TestFloorEverywhere(t *testing.T) {
	c, accepted := config.Default(), 0
	for low := -config.MaxBound + 0.0; low < config.MaxBound; low += 0.37 {
		for _, width := range []float64{1e-3, 0.1, 1, 7, 60} {
			c.RealLabels = config.Range{Low: low, High: min(config.MaxBound, low+width)}
			if c.Check() != nil {
				continue
			}
			accepted++
			r, mean, floor := c.RealLabels, Mean(c.RealLabels), Floor(c.RealLabels)
			inside := mean > 0 && mean < 1 && floor >= 0 && floor <= math.Ln2
			if !(mean >= r.Low && mean <= r.High) || !inside && !math.IsInf(floor, -1) {
				t.Errorf("%v: mean %g, floor %g", r, mean, floor)
			}
		}
	}
	if accepted < 300 {
		t.Errorf("only %d ranges were tried", accepted)
	}
}

// numbers is what a step can measure.
type numbers struct{ dLoss, real, fake, variance float64 }

var (
	healthy  = numbers{0.6, 0.7, 0.9, 1e-3}
	accurate = numbers{0.5, 1, 0.9995, 1e-3}
	atFloor  = numbers{0.346, 0.99, 1, 1e-3}
	alike    = numbers{0.6, 0.7, 0.9, 9e-6}
)

// feed gives a judge the steps from first to last and returns those at which it saw a collapse, and what it said.
func feed(j *Judge, first, last int, n numbers) (at []int, said string) {
	for step := first; step <= last; step++ {
		seen := j.Step(step, n.dLoss, n.real, n.fake)
		if j.WantsVariance(step) {
			if s := j.Variance(step, n.variance); seen == "" {
				seen = s
			}
		}
		if seen != "" {
			at, said = append(at, step), seen
		}
	}
	return at, said
}

func judge() Judge { return NewJudge(config.Default().RealLabels, config.Default().FakeLabels) }

func wantAt(t *testing.T, name string, got []int, want ...int) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: seen at %v, want %v", name, got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: seen at %v, want %v", name, got, want)
		}
	}
}

// TestCollapse: each condition is seen at the 200th step in a row, counted from step 200, and after 200 more; one other
// step in between, or one that is missing, begins the row anew; and so does Reset.
func TestCollapse(t *testing.T) {
	for name, bad := range map[string]numbers{"without an error": accurate, "at the least": atFloor, "same image": alike} {
		j := judge()
		at, said := feed(&j, 1, 800, bad)
		wantAt(t, name, at, 399, 599, 799)
		if !strings.Contains(said, name) {
			t.Errorf("%s: it says %q", name, said)
		}

		j = judge()
		feed(&j, 1, 398, bad)
		at, _ = feed(&j, 399, 399, healthy)
		wantAt(t, name+", one good step", at)
		at, _ = feed(&j, 400, 700, bad)
		wantAt(t, name+" after a good step", at, 599)

		j = judge()
		feed(&j, 1, 400, healthy)
		at, _ = feed(&j, 401, 598, bad)
		wantAt(t, name+", too short", at)

		j = judge()
		feed(&j, 1, 300, bad)
		at, _ = feed(&j, 302, 500, bad) // 199 steps from the missing one on
		wantAt(t, name+", a step missing", at)

		j = judge()
		feed(&j, 1, 300, bad)
		j.Reset()
		at, _ = feed(&j, 301, 499, bad)
		wantAt(t, name+", reset", at)
	}
	j := judge()
	if at, _ := feed(&j, 1, 2000, healthy); len(at) > 0 {
		t.Errorf("a healthy training is judged at %v", at)
	}
	// One of D's accuracies is not enough, nor are both together if they take turns with another condition.
	for _, n := range []numbers{{0.5, 1, 0.99, 1}, {0.5, 0.99, 1, 1}, {0.348, 0.9, 0.9, 1}, {0.6, 1, 0.998, 1.1e-5}} {
		j := judge()
		if at, said := feed(&j, 1, 1000, n); len(at) > 0 {
			t.Errorf("%v is judged: %s", n, said)
		}
	}
	j = judge()
	for step := 1; step <= 1000; step++ {
		if at, said := feed(&j, step, step, []numbers{accurate, atFloor}[step%2]); len(at) > 0 {
			t.Errorf("conditions that take turns are judged: %s", said)
		}
	}
	// Where targets have no least loss no loss is near it.
	j = NewJudge(config.Range{Low: 1.1, High: 1.2}, config.Range{Low: 0, High: 0.3})
	if at, said := feed(&j, 1, 600, numbers{-1e30, 0.5, 0.5, 1}); len(at) > 0 {
		t.Errorf("%v: %s", at, said)
	}
}

// TestVarianceIsMeasuredRarely: of a healthy G at every twentieth step, of others until they recover.
func TestVarianceIsMeasuredRarely(t *testing.T) {
	j := judge()
	var at []int
	for step := 1; step <= 300; step++ {
		if j.WantsVariance(step) {
			at = append(at, step)
			variance := 1e-3
			if step >= 230 && step <= 242 {
				variance = 0
			}
			j.Variance(step, variance)
		}
	}
	wantAt(t, "measured", at, 200, 220, 240, 241, 242, 243, 260, 280, 300)

	j = judge()
	feed(&j, 1, 201, healthy)
	at, _ = feed(&j, 202, 1000, alike) // it is measured first at 220
	wantAt(t, "seen", at, 419, 619, 819)
}

func TestVarianceOf(t *testing.T) {
	// Three images of two pixels: (0, 1), (3, 1), (6, 1). Variances 6 and 0.
	if got := VarianceOf([]float32{0, 1, 3, 1, 6, 1}, 3); got != 3 {
		t.Errorf("variance %g, want 3", got)
	}
	same := make([]float32, 25*784)
	for i := range same {
		same[i] = float32(i%784)/392 - 1
	}
	if got := VarianceOf(same, 25); got > 1e-20 {
		t.Errorf("equal images have variance %g", got)
	}
}
