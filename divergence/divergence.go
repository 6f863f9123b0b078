// Package divergence judges by the numbers of each step whether a training has collapsed: whether it is where more steps
// hardly ever bring it back from.
package divergence

import (
	"fmt"
	"math"

	"dcgan/config"
)

// What counts as a collapse. A condition must hold at every one of Steps steps in a row, the first of them From or later.
const (
	From  = 200 // before it G's images are all alike in healthy runs too, and D tells them apart with ease
	Steps = 200
	// Accuracy is what both of D's accuracies reach where G has nothing left to learn from.
	Accuracy = 0.999
	// LossMargin is how near to its floor D's loss is then, in nats.
	LossMargin = 0.01
	// Variance is what G's images differ by less than where they do not depend on the latent: healthy ones have a
	// hundred times as much after a dozen steps.
	Variance = 1e-5
	// VarianceEvery is how many steps lie between measurements of the variance as long as it is high. Drawing 25 images
	// takes some four times as long as one image's share of a step; so it costs every step that of a fifth of an image,
	// and the judgement comes at most 19 steps later than it could.
	VarianceEvery = 20
	// MaxRestarts is how often a run may go back and try again: at an eighth of its learning rate something else is
	// wrong with it.
	MaxRestarts = 3
)

// Judge is fed with the numbers of each step, in order, and says when a condition has held for Steps steps. It says so
// again after as many more. It is a function of what it was fed since the last Reset, and of that only the last steps
// matter; so a run that goes on feeds it with the lines of its metrics.
type Judge struct {
	lossFloor                float64
	step, varianceStep       int // fed last
	accurate, atFloor, alike int // steps in a row that each condition has held for
}

// NewJudge takes the bounds that targets of real and of generated images are drawn from.
func NewJudge(realLabels, fakeLabels config.Range) Judge {
	return Judge{lossFloor: (Floor(realLabels) + Floor(fakeLabels)) / 2}
}

// Reset forgets all steps.
func (j *Judge) Reset() { *j = Judge{lossFloor: j.lossFloor} }

// Step takes D's loss and accuracies of a step, and returns what collapse they show, "" for none.
func (j *Judge) Step(step int, dLoss, accuracyReal, accuracyFake float64) string {
	if step != j.step+1 { // steps are missing, and nothing is known of them
		j.accurate, j.atFloor = 0, 0
	}
	j.step = step
	accurate := count(&j.accurate, step, accuracyReal >= Accuracy && accuracyFake >= Accuracy)
	atFloor := count(&j.atFloor, step, dLoss <= j.lossFloor+LossMargin)
	switch {
	case accurate:
		return fmt.Sprintf("D has told real images from generated ones without an error for %d steps, so G learns nothing from it", j.accurate)
	case atFloor:
		return fmt.Sprintf("D's loss has been at the least that the labels leave, %.3f, for %d steps, so G learns nothing from it", j.lossFloor, j.atFloor)
	}
	return ""
}

// WantsVariance tells whether the variance after a step is to be measured and given to Variance.
func (j *Judge) WantsVariance(step int) bool {
	return step >= From && (j.alike > 0 || step%VarianceEvery == 0)
}

// Variance takes the variance after a step, as VarianceOf measures it, and returns what collapse it shows, "" for none.
func (j *Judge) Variance(step int, variance float64) string {
	if step != j.varianceStep+1 {
		j.alike = 0
	}
	j.varianceStep = step
	if count(&j.alike, step, variance < Variance) {
		return fmt.Sprintf("G has drawn nearly the same image for every latent for %d steps (variance %.2g)", j.alike, variance)
	}
	return ""
}

// count counts steps in a row and reports whether they are enough.
func count(row *int, step int, holds bool) bool {
	if !holds || step < From {
		*row = 0
		return false
	}
	*row++
	return *row%Steps == 0
}

// VarianceOf returns the variance of each pixel over n images, one after the other in images, averaged over the pixels.
// The same images give the same bits on every machine.
func VarianceOf(images []float32, n int) float64 {
	size := len(images) / n
	sum := 0.0
	for p := range size {
		mean := 0.0
		for i := range n {
			mean += float64(images[i*size+p])
		}
		mean /= float64(n)
		for i := range n {
			d := float64(images[i*size+p]) - mean
			sum += float64(d * d)
		}
	}
	return sum / float64(len(images))
}

// Floor returns the least mean cross-entropy, in nats, that a network can reach which tells the images of a kind from all
// others but cannot know the target of each, drawn from a standard normal truncated to r.
//
// The cross-entropy is linear in the target, so what counts is the targets' mean μ, and the least is at p = μ: the entropy
// −μ·ln μ − (1−μ)·ln(1−μ). Where μ is not within (0, 1) there is no least; then it is −∞, which no loss is near.
func Floor(r config.Range) float64 {
	mean := Mean(r)
	if !(mean > 0 && mean < 1) {
		return math.Inf(-1)
	}
	floor := -float64(mean*math.Log(mean)) - float64((1-mean)*math.Log1p(-mean))
	const digits = 1e6 // so that the last bits of logarithms, which differ between machines, decide nothing
	return math.Round(floor*digits) / digits
}

// Mean returns the mean of a standard normal truncated to r: (φ(low) − φ(high)) / (Φ(high) − Φ(low)).
func Mean(r config.Range) float64 {
	if r.High < 0 { // by symmetry, so that Erfc keeps its digits
		return -Mean(config.Range{Low: -r.High, High: -r.Low})
	}
	density := func(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }
	above := func(x float64) float64 { return math.Erfc(x/math.Sqrt2) / 2 }
	return (density(r.Low) - density(r.High)) / (above(r.Low) - above(r.High))
}
