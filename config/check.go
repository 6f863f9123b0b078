package config

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"dcgan/internal/input"
)

// Upper limits of settings. They keep a slip of the hand from asking for more than any machine has, and sizes that are
// computed from settings far from overflow.
const (
	MaxSteps   = 99_999_999          // the names of checkpoints have eight digits
	MaxBatch   = 1 << 16             // the seed's activations and their gradients take about 1 MB an image: 64 GB here
	MaxThreads = 1024                // each holds buffers of its own, and no processor that we know has more
	MaxLatent  = 4096                // G's first layer has latent × 49 × filters weights
	MaxKernel  = 7                   // the largest that the engine computes
	MaxFilters = 4096                // two such layers in a row are more than a network may have
	MaxLayers  = 16                  // sixteen halvings leave nothing of an image of 65,536 pixels' side
	MaxBound   = 30                  // of a range: a standard normal number beyond it comes once in 10^197
	MaxDropout = 1 - 1.0/(1<<16)     // a mask compares 16 random bits with the rate
	MaxNumber  = math.MaxFloat32 / 2 // the engine computes in float32
	MinNumber  = 0x1p-126            // the smallest float32 that has all its digits
)

// MinAccepted is the smallest share of proposals, uniform in a range, that drawing a truncated normal may accept: at
// less than one in a hundred the 4096 proposals that a number has could run out.
const MinAccepted = 0.01

// Check returns an error of input that names the first setting out of its bounds.
func (c *Config) Check() error {
	ck := checker{}

	ck.require("data", c.Data != "", "empty: give mnist, or the path of an IDX file")
	ck.require("recipe", c.Recipe == Recipe, "unknown recipe %q: there is %q", c.Recipe, Recipe)
	files := c.InitFiles()
	ck.require("init", len(files) <= 2 && !slices.Contains(files, ""),
		"%q must be one checkpoint, or GENERATOR,DISCRIMINATOR", c.Init)

	ck.whole("steps", c.Steps, 1, MaxSteps)
	ck.whole("batch", c.Batch, 2, MaxBatch)
	ck.require("batch", c.Batch%2 == 0, "%d must be even, since half of D's batch is real", c.Batch)
	ck.whole("save_every", c.SaveEvery, 1, MaxSteps)
	ck.require("keep", c.Keep >= 0, "%d is below 0 (0 keeps all)", c.Keep)
	ck.require("threads", c.Threads >= 0, "%d is below 0 (0 takes all cores)", c.Threads)
	ck.whole("threads", c.Threads, 0, MaxThreads)

	actions := []string{Stop, Restart, Warn}
	ck.require("on_divergence", slices.Contains(actions, c.OnDivergence), "%q is none of %s", c.OnDivergence, strings.Join(actions, ", "))

	ck.whole("latent", c.Latent, 1, MaxLatent)
	ck.interval("noise", c.Noise)
	ck.whole("kernel", c.Kernel, 1, MaxKernel)
	ck.filters("g_filters", c.GFilters)
	ck.filters("d_filters", c.DFilters)
	ck.number("leaky_slope", c.LeakySlope, 0)
	ck.require("dropout", c.Dropout >= 0 && c.Dropout < 1, "%g is not in [0, 1)", c.Dropout)
	ck.require("dropout", c.Dropout <= MaxDropout, "%g is above %g", c.Dropout, MaxDropout)
	ck.require("bn_momentum", c.BNMomentum >= 0 && c.BNMomentum <= 1, "%g is not in [0, 1]", c.BNMomentum)
	ck.number("bn_epsilon", c.BNEpsilon, MinNumber)

	ck.number("lr", c.LR, MinNumber)
	ck.beta("beta1", c.Beta1)
	ck.beta("beta2", c.Beta2)
	ck.number("epsilon", c.Epsilon, MinNumber)
	ck.number("decay", c.Decay, 0)
	ck.interval("real_labels", c.RealLabels)
	ck.interval("fake_labels", c.FakeLabels)
	return ck.err
}

// checker keeps the first error.
type checker struct{ err error }

func (ck *checker) require(key string, ok bool, format string, args ...any) {
	if !ok && ck.err == nil {
		ck.err = input.Errorf("--%s: %s", flagName(key), fmt.Sprintf(format, args...))
	}
}

func (ck *checker) whole(key string, v, low, high int) {
	ck.require(key, v >= low, "%d is below %d", v, low)
	ck.require(key, v <= high, "%d is above %d", v, high)
}

// number requires a finite number of at least low: 0, or MinNumber for one that must be above 0.
func (ck *checker) number(key string, v, low float64) {
	ck.require(key, !math.IsNaN(v) && !math.IsInf(v, 0), "%g is not a finite number", v)
	if low == 0 {
		ck.require(key, v >= 0, "%g is below 0", v)
	} else {
		ck.require(key, v > 0, "%g is not above 0", v)
		ck.require(key, v >= low, "%g is too small for single precision", v)
	}
	ck.require(key, v <= MaxNumber, "%g is too large for single precision", v)
}

// beta requires a number of [0, 1) that is below 1 in single precision too, since Adam divides by 1 − beta^t.
func (ck *checker) beta(key string, v float64) {
	ck.require(key, v >= 0 && v < 1, "%g is not in [0, 1)", v)
	ck.require(key, float32(v) < 1, "%v is 1 in single precision, and Adam divides by 1 - %s", v, flagName(key))
}

func (ck *checker) filters(key string, list []int) {
	ck.require(key, len(list) > 0, "empty: give a list such as 64,128")
	ck.require(key, len(list) <= MaxLayers, "%d layers are more than %d", len(list), MaxLayers)
	for _, n := range list {
		ck.whole(key, n, 1, MaxFilters)
	}
}

// interval requires a range that a truncated normal can be drawn from.
func (ck *checker) interval(key string, r Range) {
	for _, v := range []float64{r.Low, r.High} {
		ck.require(key, !math.IsNaN(v) && !math.IsInf(v, 0), "%v: its bounds must be finite numbers", r)
	}
	if strings.HasSuffix(key, "_labels") {
		ck.require(key, r.Low <= r.High, "label range reversed: %g is above %g, write LOW:HIGH", r.Low, r.High)
	}
	ck.require(key, r.Low <= r.High, "range reversed: %g is above %g, write LOW:HIGH", r.Low, r.High)
	ck.require(key, r.Low < r.High, "the range %v is empty: its bounds must differ", r)
	for _, v := range []float64{r.Low, r.High} {
		ck.require(key, math.Abs(v) <= MaxBound, "%v: its bounds must lie within %d:%d", r, -MaxBound, MaxBound)
	}
	if ck.err == nil {
		share := accepted(r)
		ck.require(key, share >= MinAccepted, "%v: a standard normal hardly ever falls in most of this range; narrow it towards 0", r)
	}
}

// accepted returns the share of proposals, uniform in r, that rejection takes when it draws a standard normal truncated
// to r: the mean over r of density / highest density.
func accepted(r Range) float64 {
	const points = 2000
	mode := max(r.Low, min(0, r.High))
	sum := 0.0
	for i := range points {
		x := r.Low + (r.High-r.Low)*(float64(i)+0.5)/points
		sum += math.Exp((mode*mode - x*x) / 2)
	}
	return sum / points
}
