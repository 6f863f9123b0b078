package dcgan_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"

	"dcgan"
)

// small returns settings of narrow networks and small batches, that train in a blink, and a folder for the run.
func small() (cfg dcgan.Config, remove func()) {
	folder, err := os.MkdirTemp("", "dcgan")
	if err != nil {
		log.Fatal(err)
	}
	cfg = dcgan.DefaultConfig()
	cfg.Run = filepath.Join(folder, "small")
	cfg.Batch = 8
	cfg.GFilters, cfg.DFilters = []int{16, 8, 8, 4}, []int{8, 8, 8, 8}
	return cfg, func() { os.RemoveAll(folder) }
}

// The settings begin as those of the seed's document, and Check names the first that is out of its bounds.
func ExampleConfig() {
	cfg := dcgan.DefaultConfig()
	fmt.Println(cfg.Steps, "steps of", cfg.Batch, "images, learning rate", cfg.LR)
	fmt.Println("targets of real images", cfg.RealLabels)

	cfg.Batch = 33
	fmt.Println(cfg.Check())
	// Output:
	// 5000 steps of 256 images, learning rate 0.0002
	// targets of real images 0.7:1.2
	// --batch: 33 must be even, since half of D's batch is real
}

// A run is a folder. Equal settings give equal numbers, on any machine and with any number of threads.
func ExampleTrain() {
	cfg, remove := small()
	defer remove()
	cfg.Steps = 3

	result, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{
		Step: func(m dcgan.Metrics) {
			fmt.Printf("step %d: D loss %.2f, G loss %.2f\n", m.Step, m.DLoss, m.GLoss)
		},
		Save: func(s dcgan.Saved) {
			if s.Checkpoint != "" {
				fmt.Println("saved", filepath.Base(s.Checkpoint))
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(filepath.Base(result.Run), "has", result.Step, "steps")
	// Output:
	// step 1: D loss 0.67, G loss 0.68
	// step 2: D loss 0.69, G loss 0.70
	// step 3: D loss 0.71, G loss 0.66
	// saved 00000003.safetensors
	// small has 3 steps
}

// When its context ends, Train finishes the step, saves a whole checkpoint and returns ErrStopped. With Resume the run
// goes on as if nothing had been.
func ExampleTrain_resume() {
	cfg, remove := small()
	defer remove()
	cfg.Steps = 4

	ctx, cancel := context.WithCancel(context.Background())
	result, err := dcgan.Train(ctx, cfg, dcgan.Observer{
		Step: func(m dcgan.Metrics) {
			if m.Step == 2 {
				cancel()
			}
		},
	})
	fmt.Println("stopped:", errors.Is(err, dcgan.ErrStopped), "after step", result.Step)

	result, err = dcgan.Train(context.Background(), dcgan.Config{Config: cfg.Config, Run: cfg.Run, Resume: true}, dcgan.Observer{
		Start: func(p dcgan.Plan) { fmt.Println("goes on after step", p.Step) },
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("done:", result.Step, "steps")
	// Output:
	// stopped: true after step 2
	// goes on after step 2
	// done: 4 steps
}

// Prepare checks everything that Train would and writes nothing.
func ExamplePrepare() {
	cfg, remove := small()
	defer remove()

	plan, err := dcgan.Prepare(cfg)
	if err != nil {
		log.Fatal(err)
	}
	trained, fixed := plan.Generator.Parameters()
	fmt.Println(plan.Images, "images of", plan.Shape)
	fmt.Println("generator:", trained, "parameters, and", fixed, "moving statistics")

	cfg.Data = "nosuch.idx"
	_, err = dcgan.Prepare(cfg)
	fmt.Println(err)
	// Output:
	// 60000 images of (None, 28, 28, 1)
	// generator: 82865 parameters, and 1608 moving statistics
	// images nosuch.idx: there is no such file: give the path of an IDX file
}

// A generator draws from a run folder or a checkpoint file. The first images of a seed are the same however many are
// drawn.
func ExampleOpen() {
	cfg, remove := small()
	defer remove()
	cfg.Steps = 1
	if _, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{}); err != nil {
		log.Fatal(err)
	}

	g, err := dcgan.Open(cfg.Run)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	few, many := g.Sample(7, 1), g.Sample(25, 1)
	fmt.Printf("%d images of %d×%d×%d, values from -1 to 1\n", many.N, many.H, many.W, many.C)
	fmt.Println("first seven equal:", slices.Equal(few.Pixels, many.Pixels[:len(few.Pixels)]))
	// Output:
	// 25 images of 28×28×1, values from -1 to 1
	// first seven equal: true
}

// Images between two others: their latents are on the line between those of the ends.
func ExampleGenerator_Draw() {
	cfg, remove := small()
	defer remove()
	cfg.Steps = 1
	if _, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{}); err != nil {
		log.Fatal(err)
	}
	g, err := dcgan.Open(cfg.Run)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()

	size := g.LatentSize()
	ends := g.Latents(2, 1)
	const frames = 5
	latents := make([]float32, 0, frames*size)
	for i := range frames {
		t := float32(i) / (frames - 1)
		for j := range size {
			latents = append(latents, (1-t)*ends[j]+t*ends[size+j])
		}
	}
	images, err := g.Draw(latents)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(images.N, "images from latents of", size)
	// Output:
	// 5 images from latents of 100
}

// Both networks of a preset, a run or a checkpoint, as data.
func ExampleNetworks() {
	networks, err := dcgan.Networks("seed")
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range networks {
		trained, fixed := n.Parameters()
		fmt.Printf("%s: %d layers, %d parameters, %d of them not trained\n", n.Name, len(n.Layers), trained+fixed, fixed)
	}
	// Output:
	// generator: 15 layers, 1705601 parameters, 25536 of them not trained
	// discriminator: 15 layers, 1558017 parameters, 0 of them not trained
}
