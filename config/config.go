// Package config holds every setting of a training run: its value, its default, its check, and the one table from
// which the command line's flags, the keys of config.json, the comparison at resume and a checkpoint's record of what
// changes numbers are all made.
package config

import (
	"slices"
	"strings"
)

// Config is the settings of a run. The JSON keys are the command line's flags with _ for -.
type Config struct {
	Data   string `json:"data"`   // source of the images: "mnist" or the path of an IDX file
	Labels string `json:"labels"` // labels beside an IDX file; "" takes the usual name where such a file exists
	Recipe string `json:"recipe"` // name of the set of defaults
	Init   string `json:"init"`   // where initial weights come from: a checkpoint, or GENERATOR,DISCRIMINATOR; "" draws them

	Steps     int    `json:"steps"` // total number of steps
	Batch     int    `json:"batch"` // images in a step of each network: even, at least 2
	SaveEvery int    `json:"save_every"`
	Keep      int    `json:"keep"` // newest checkpoints to keep, 0 for all
	Seed      uint64 `json:"seed"`
	Threads   int    `json:"threads"` // 0 for as many as this process may use

	TensorBoard  bool   `json:"tensorboard"`   // whether to write events for TensorBoard
	KerasH5      bool   `json:"keras_h5"`      // whether to save both networks for Keras too
	OnDivergence string `json:"on_divergence"` // what to do when numbers go bad: stop, restart or warn

	Latent     int     `json:"latent"`    // values in a latent
	Noise      Range   `json:"noise"`     // bounds of the truncated normal that latents are drawn from
	Kernel     int     `json:"kernel"`    // side of every convolution, 1 to 7
	GFilters   []int   `json:"g_filters"` // channels of G's dense layer and of its transposed convolutions but the last
	DFilters   []int   `json:"d_filters"` // filters of D's convolutions
	LeakySlope float64 `json:"leaky_slope"`
	Dropout    float64 `json:"dropout"`     // share of activations dropped in D, in [0, 1)
	BNMomentum float64 `json:"bn_momentum"` // batch normalisation
	BNEpsilon  float64 `json:"bn_epsilon"`

	LR         float64 `json:"lr"` // Adam, one state for each network
	Beta1      float64 `json:"beta1"`
	Beta2      float64 `json:"beta2"`
	Epsilon    float64 `json:"epsilon"`
	Decay      float64 `json:"decay"`       // the rate at iteration i, from 0, is lr / (1 + decay·i)
	RealLabels Range   `json:"real_labels"` // bounds of the truncated normal that targets are drawn from
	FakeLabels Range   `json:"fake_labels"`
}

// What OnDivergence can be.
const (
	Stop    = "stop"    // save the last finite state and end
	Restart = "restart" // go back to the newest checkpoint, with other noise and half the learning rate
	Warn    = "warn"    // say so and go on
)

// Recipe names the settings of the seed's document, the only recipe there is.
const Recipe = "seed"

// Default returns the settings of the seed.
func Default() Config {
	return Config{
		Data: "mnist", Recipe: Recipe,
		Steps: 5000, Batch: 256, SaveEvery: 100, Keep: 3, Seed: 1, OnDivergence: Stop,
		Latent: 100, Noise: Range{-1, 1}, Kernel: 3,
		GFilters: []int{256, 128, 64, 32}, DFilters: []int{64, 128, 256, 512},
		LeakySlope: 0.2, Dropout: 0.4, BNMomentum: 0.9, BNEpsilon: 1e-3,
		LR: 2e-4, Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-7, Decay: 1e-8,
		RealLabels: Range{0.7, 1.2}, FakeLabels: Range{0, 0.3},
	}
}

// InitFiles returns the files that Init names: none, one for both networks, or generator and discriminator.
func (c *Config) InitFiles() []string {
	if c.Init == "" {
		return nil
	}
	return strings.Split(c.Init, ",")
}

// Clone returns a copy that shares no memory with c.
func (c Config) Clone() Config {
	c.GFilters = slices.Clone(c.GFilters)
	c.DFilters = slices.Clone(c.DFilters)
	return c
}

// Difference is a setting whose value differs between two configurations, as text.
type Difference struct{ Key, Old, New string }

// Differences lists the settings that change numbers and whose values differ, in the order of the table.
func Differences(old, new *Config) []Difference {
	var list []Difference
	news := new.Settings()
	for i, s := range old.Settings() {
		if was, is := s.String(), news[i].String(); s.Numbers && was != is {
			list = append(list, Difference{s.Key, was, is})
		}
	}
	return list
}
