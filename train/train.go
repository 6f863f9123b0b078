// Package train is the training itself: what a step draws, computes and measures, and the state that goes on to the next.
package train

import (
	"fmt"

	"dcgan/arch"
	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/dataset"
	"dcgan/internal/engine"
	"dcgan/internal/kernel"
)

// Trainer has two networks and their memory for a batch. It is for one goroutine.
type Trainer struct {
	Step          int // steps done
	Generator     *engine.Network
	Discriminator *engine.Network
	Restart       checkpoint.Restart // what it goes on with since it last went back to a checkpoint

	config config.Config
	pool   *engine.Pool
	data   *dataset.Images
	half   int // images of a half batch
	values int // of an image

	latentPlace int         // of the first latent that is being drawn
	latentTask  func(i int) // drawLatent, made once

	finite bool // what Adam made in the step, of both networks

	initSHA256 string // of the first weights, where they came from a file

	index   []int     // of the real images
	latents []float32 // batch × latent
	targets []float32 // batch
	images  []float32 // what D sees: half real, then half generated
}

// Metrics is what a step measured. Accuracies are shares of images: of real ones with p > 0.5, of generated ones with
// p < 0.5, the mean of both, and of G's batch with p > 0.5.
type Metrics struct {
	DLoss, DAccuracyReal, DAccuracyFake, GLoss, GAccuracy float64

	// NotFinite names a loss, a gradient of a weight or a part of the state that is NaN or infinite after the step, ""
	// where all are finite. From such a state no step leads back.
	NotFinite string
}

// New plans a training of the given networks on data, which Check of the settings and Shapes of the networks have passed.
// Their weights are drawn from the seed.
func New(c config.Config, generator, discriminator arch.Network, data *dataset.Images, set *kernel.Set, pool *engine.Pool) (*Trainer, error) {
	t := &Trainer{config: c, pool: pool, data: data, half: c.Batch / 2, values: discriminator.Input.Size()}
	var err error
	plan := engine.Plan{Set: set, Pool: pool, Batch: c.Batch, Training: true}
	if t.Generator, err = engine.New(generator, plan); err != nil {
		return nil, fmt.Errorf("planning the generator: %w", err)
	}
	plan.Parts = 2
	if t.Discriminator, err = engine.New(discriminator, plan); err != nil {
		return nil, fmt.Errorf("planning the discriminator: %w", err)
	}
	t.latentTask = t.drawLatent
	t.index = make([]int, t.half)
	t.latents = kernel.Buffer(c.Batch * c.Latent)
	t.targets = make([]float32, c.Batch)
	t.images = kernel.Buffer(c.Batch * t.values)
	t.Reset()
	return t, nil
}

// Next makes one step: D learns from half a batch of real images and as many of G's, then G from what D says of a whole
// batch of its images, D staying as it is.
func (t *Trainer) Next() Metrics {
	t.drawForD()
	m := t.learnD()
	t.drawForG()
	m.GLoss, m.GAccuracy = t.learnG()
	t.Step++
	m.NotFinite = t.notFinite(m)
	return m
}

// learnD trains D on the real images in the first half of t.images and on G's of t.latents, with the targets in
// t.targets and the masks that D holds.
func (t *Trainer) learnD() Metrics {
	fakes := t.Generator.Forward(t.latents, t.half, engine.Inference)
	copy(t.images[t.half*t.values:], fakes)
	return t.teachD()
}

// teachD trains D on t.images as they are.
func (t *Trainer) teachD() Metrics {
	logits := t.Discriminator.Forward(t.images, t.config.Batch, engine.Training)
	loss := t.Discriminator.CrossEntropy(t.Discriminator.OutputGradient(t.config.Batch), logits, t.targets)
	m := Metrics{DLoss: loss, DAccuracyReal: share(logits[:t.half], 1), DAccuracyFake: share(logits[t.half:], -1)}
	t.Discriminator.Backward(nil, true)
	t.finite = t.Discriminator.Update(t.adam())
	return m
}

// learnG trains G on t.latents to get t.targets from D, with the masks that D holds.
func (t *Trainer) learnG() (loss, accuracy float64) {
	images := t.Generator.Forward(t.latents, t.config.Batch, engine.Training)
	logits := t.Discriminator.Forward(t.images[:copy(t.images, images)], t.config.Batch, engine.Training)
	loss = t.Discriminator.CrossEntropy(t.Discriminator.OutputGradient(t.config.Batch), logits, t.targets)
	accuracy = share(logits, 1)
	t.Discriminator.Backward(t.Generator.OutputGradient(t.config.Batch), false)
	t.Generator.Backward(nil, true)
	t.finite = t.Generator.Update(t.adam()) && t.finite
	return loss, accuracy
}

func (t *Trainer) adam() engine.Adam {
	c := &t.config
	rate := c.LR
	if t.Restart.Stream > 0 {
		rate = t.Restart.LR
	}
	return engine.Adam{Rate: rate, Beta1: c.Beta1, Beta2: c.Beta2, Epsilon: c.Epsilon, Decay: c.Decay}
}

// share returns the share of logits on the side of sign: above zero is a probability above one half.
func share(logits []float32, sign float32) float64 {
	count := 0
	for _, x := range logits {
		if x*sign > 0 {
			count++
		}
	}
	return float64(count) / float64(len(logits))
}
