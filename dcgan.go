// Package dcgan trains a deep convolutional generative adversarial network (Radford, Metz, Chintala 2015) on images and
// draws with it, on the CPU and without anything but Go.
//
// [Train] makes a run: a folder with settings, metrics, sample grids and checkpoints. [Open] takes a run or a checkpoint
// and gives a [Generator] that draws. Equal settings and data give equal bytes, whatever the number of threads and
// however often the run was stopped and resumed.
package dcgan

import (
	"errors"
	"image"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/run"
)

// Version is the version of the program and the library.
const Version = "0.1.0"

// Config is what Train is asked to do: the settings, and where to do it. Begin with DefaultConfig.
type Config struct {
	config.Config
	Run    string   // run folder; "" takes the next free runs/NAME-NNN, or with Resume the newest run
	Resume bool     // go on with an existing run
	Given  []string // keys of the settings that the caller chose: the others may be those of a resumed run, or of Init's layers
	Disk   Disk     // what the run folder is written through; nil is the operating system's
}

// Disk is what a run folder is written through: another one can make it fail, or keep it elsewhere.
type Disk = run.Disk

// DefaultConfig returns the settings of the seed's document: its two networks, trained on the embedded MNIST.
func DefaultConfig() Config { return Config{Config: config.Default()} }

// Observer is told what Train does, on the goroutine that called Train. Each function may be nil.
type Observer struct {
	Start func(Plan)    // once, when everything is checked, before the first step
	Step  func(Metrics) // after each step
	Save  func(Saved)   // after a checkpoint and its sample grid are on disk
	Warn  func(message string)
}

func (o *Observer) fill() {
	if o.Start == nil {
		o.Start = func(Plan) {}
	}
	if o.Step == nil {
		o.Step = func(Metrics) {}
	}
	if o.Save == nil {
		o.Save = func(Saved) {}
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
}

// Plan is what a call of Train will do.
type Plan struct {
	Config                                // as resolved: of a resumed run, its settings
	Step                     int          // step that training goes on from, 0 for a new run
	Images                   int          // images in the data
	Shape                    arch.Shape   // of one image, (H, W, C)
	DataSHA256               string       // over N, H, W, C as little-endian uint32 and the pixels
	Generator, Discriminator arch.Network // as they will be trained
	Kernel                   string       // instruction set of the inner loops
	Complete                 bool         // nothing is left to do
	Warnings                 []string     // what the user should know, a line each
}

// Metrics is what a step measured: one line of metrics.jsonl. Losses are mean binary cross-entropies in nats, and can be
// negative where targets are above 1; accuracies are shares of images in [0, 1].
type Metrics struct {
	Step          int     `json:"step"`
	Images        int     `json:"images"` // steps so far times batch
	DLoss         float64 `json:"d_loss"`
	DAccuracy     float64 `json:"d_accuracy"`      // mean of the two below
	DAccuracyReal float64 `json:"d_accuracy_real"` // real images with p > 0.5
	DAccuracyFake float64 `json:"d_accuracy_fake"` // generated images with p < 0.5
	GLoss         float64 `json:"g_loss"`
	GAccuracy     float64 `json:"g_accuracy"` // of G's batch, images that D takes for real, p > 0.5
	Seconds       float64 `json:"seconds"`    // wall time of the step
}

// Saved names the files of a save.
type Saved struct {
	Step       int
	Checkpoint string // "" where only the grid was due
	Sample     string
	Grid       image.Image
}

// Result is how Train ended.
type Result struct {
	Run      string // the run folder
	Step     int    // last finished step
	Complete bool   // the run had reached its last step before this call
}

// ErrStopped is what Train returns when its context ended: the step was finished and a whole checkpoint saved.
var ErrStopped = errors.New("stopped")
