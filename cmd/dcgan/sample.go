package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"dcgan/arch"
	"dcgan/format/npy"
	"dcgan/internal/input"

	"github.com/spf13/cobra"
)

// Bounds of what one call draws. Images are drawn into memory before a file is written.
const (
	maxImages = 100_000 // of 28×28 they take 314 MB
	maxFrames = 10_000  // a walk of over 13 minutes, and as many images
)

// sampleOptions is what sample's flags say.
type sampleOptions struct {
	n            int
	grid         string
	seed         uint64
	latents      string
	out          string
	checkpoint   string
	architecture string
	walk         bool
	frames       int

	nGiven, seedGiven, framesGiven bool
}

func sampleCommand() *cobra.Command {
	o := &sampleOptions{}
	cmd := &cobra.Command{
		Use:   "sample RUN|FILE",
		Short: "Draw images with a trained generator",
		Long: `Draw images with the generator of a run folder (its newest whole checkpoint), of a checkpoint, or of a
model file of Keras or that export wrote. The ending of --out chooses what is written:

  .png        a grid of the images
  .npy        an array of N×H×W×C float32 values in [-1, 1]
  .gif        with --walk, a walk from latent to latent and back to the first
  a folder    one PNG an image: 0001.png, 0002.png, ...`,
		Example: `  dcgan sample runs/mnist-001
  dcgan sample runs/mnist-001 --grid 4x10 --seed 7 --out digits.png
  dcgan sample runs/mnist-001 --checkpoint 400 -n 1000 --out digits.npy
  dcgan sample runs/mnist-001 -n 100 --out digits/
  dcgan sample runs/mnist-001 -n 8 --walk --out walk.gif
  dcgan sample runs/mnist-001 --latents latents.npy --out drawn.npy
  dcgan sample generator.onnx
  dcgan sample generator.weights.h5 --arch seed`,
		Args:              oneArg("a run folder, a checkpoint or a model file"),
		ValidArgsFunction: completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			changed := cmd.Flags().Changed
			o.nGiven, o.seedGiven, o.framesGiven = changed("count"), changed("seed"), changed("frames")
			return tell(cmd, func(warn func(string)) (string, error) { return sample(args[0], *o, warn) })
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.IntVarP(&o.n, "count", "n", 25, "how many images; without it a --grid is filled")
	f.StringVar(&o.grid, "grid", "", "`ROWSxCOLUMNS` of the .png (default: as square as -n allows, 5x5 for 25)")
	f.Uint64Var(&o.seed, "seed", 1, "which latents; the first images of a seed are the same for every -n")
	f.StringVar(&o.latents, "latents", "", "draw the latents in this .npy `FILE`, N×LATENT float32")
	f.StringVar(&o.out, "out", "sample.png", "`FILE` or folder to write")
	f.StringVar(&o.checkpoint, "checkpoint", "", "which checkpoint of the run: a `STEP` or latest")
	f.BoolVar(&o.walk, "walk", false, "walk from latent to latent, into a .gif")
	f.IntVar(&o.frames, "frames", 10, "of a walk, from one latent to the next")
	addArch(cmd, &o.architecture)
	cmd.MarkFlagFilename("latents", "npy")
	cmd.MarkFlagFilename("out", "png", "npy", "gif")
	cmd.RegisterFlagCompletionFunc("checkpoint", completeCheckpoint)
	return cmd
}

// sample draws and writes, and returns what to say of it.
func sample(source string, o sampleOptions, warn func(string)) (string, error) {
	kind, err := outKind(o.out)
	if err != nil {
		return "", err
	}
	rows, cols, err := o.check(kind)
	if err != nil {
		return "", err
	}
	model, err := openModel(source, o.checkpoint, o.architecture)
	if err != nil {
		return "", err
	}
	generator, err := model.Generator()
	if err != nil {
		return "", err
	}
	defer generator.Close()
	for _, passed := range generator.PassedOver() {
		warn(fmt.Sprintf("%s; drawing from the newest whole one, of step %d", passed, generator.Step()))
	}

	var latents []float32
	if o.latents != "" {
		if latents, o.n, err = readLatents(o.latents, generator.LatentSize()); err != nil {
			return "", err
		}
		if err := o.checkCount(rows, cols); err != nil {
			return "", err
		}
	} else {
		latents = generator.Latents(o.n, o.seed)
	}
	if kind == kindGIF {
		latents = walk(latents, generator.LatentSize(), o.frames)
	}
	images, err := generator.Draw(latents)
	if err != nil {
		return "", err
	}

	each := size(images.H, images.W, images.C)
	switch kind {
	case kindPNG:
		if rows == 0 {
			rows, cols = squareGrid(images.N)
		}
		return fmt.Sprintf("%s: %s of %s, %d×%d", o.out, arch.CountOf(images.N, "image"), each, rows, cols), writeGrid(o.out, images, rows, cols)
	case kindNPY:
		return fmt.Sprintf("%s: float32 %d×%s", o.out, images.N, each), writeArray(o.out, images)
	case kindGIF:
		return fmt.Sprintf("%s: a walk between %d latents, %s of %s", o.out, o.n, arch.CountOf(images.N, "frame"), each), writeWalk(o.out, images)
	default:
		return fmt.Sprintf("%s: %s of %s", o.out, arch.CountOf(images.N, "image"), each), writeImages(o.out, images)
	}
}

// check refuses flags that do not go together, and settles n. rows and cols are 0 where --grid is not given.
func (o *sampleOptions) check(kind outputKind) (rows, cols int, err error) {
	if o.grid != "" {
		if kind != kindPNG {
			return 0, 0, input.Errorf("--grid: %s is no grid; give a .png file to --out", o.out)
		}
		if rows, cols, err = parseGrid(o.grid); err != nil {
			return 0, 0, err
		}
		if !o.nGiven && o.latents == "" {
			o.n = rows * cols
		}
	}
	switch {
	case o.walk && kind != kindGIF:
		return 0, 0, input.Errorf("--walk: %s cannot hold a walk; give a .gif file to --out", o.out)
	case kind == kindGIF && !o.walk:
		return 0, 0, input.Errorf("--out: a .gif is a walk between latents; add --walk, or give a .png, .npy or folder")
	case o.framesGiven && !o.walk:
		return 0, 0, input.Errorf("--frames is of a walk; add --walk and a .gif file as --out")
	case o.frames < 1:
		return 0, 0, input.Errorf("--frames: %d is below 1", o.frames)
	case o.latents != "" && o.nGiven:
		return 0, 0, input.Errorf("-n and --latents exclude each other: as many images are drawn as the file has latents")
	case o.latents != "" && o.seedGiven:
		return 0, 0, input.Errorf("--seed and --latents exclude each other: the file says what is drawn")
	case o.latents != "":
		return rows, cols, nil // the count is the file's
	}
	return rows, cols, o.checkCount(rows, cols)
}

// checkCount checks n, once it is known.
func (o *sampleOptions) checkCount(rows, cols int) error {
	switch {
	case o.n < 1:
		return input.Errorf("-n: %d is below 1", o.n)
	case o.n > maxImages:
		return input.Errorf("-n: %d is above %d; draw the rest with other seeds", o.n, maxImages)
	case rows > 0 && o.n > rows*cols:
		return input.Errorf("--grid: %dx%d has %s, too few for %s", rows, cols, arch.CountOf(rows*cols, "cell"), arch.CountOf(o.n, "image"))
	case o.walk && o.n < 2:
		return input.Errorf("--walk: a walk needs at least 2 latents")
	case o.walk && o.frames > maxFrames/o.n:
		return input.Errorf("--walk: %d latents of %s are more than %d frames", o.n, arch.CountOf(o.frames, "frame"), maxFrames)
	}
	return nil
}

// readLatents reads an array of n×width float32.
func readLatents(path string, width int) (latents []float32, n int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, input.Errorf("--latents: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, 0, input.Errorf("--latents: %s is a folder: give a .npy file", path)
	}
	shape, latents, err := npy.Read(file)
	if err != nil { // it says itself whether the file is at fault or the machine
		return nil, 0, fmt.Errorf("--latents: %s: %w", path, err)
	}
	if len(shape) != 2 || shape[1] != width {
		return nil, 0, input.Errorf("--latents: %s is %s, and this generator takes N×%d", path, size(shape...), width)
	}
	for i, v := range latents {
		if v-v != 0 { // not a number, or infinite
			return nil, 0, input.Errorf("--latents: %s: value %d of latent %d is not a finite number", path, i%width, i/width)
		}
	}
	return latents, shape[0], nil
}

// walk returns frames latents from each latent to the next, and from the last to the first: points of a straight line,
// lengthened so that the length goes evenly from one to the other, since the line itself comes nearer to the origin than
// any latent that G was trained on. Products are rounded by themselves, so that all machines draw the same walk.
func walk(latents []float32, width, frames int) []float32 {
	n := len(latents) / width
	path := make([]float32, 0, n*frames*width)
	point := make([]float64, width)
	for i := range n {
		from, to := latents[i*width:(i+1)*width], latents[(i+1)%n*width:][:width]
		start, end := length(from), length(to)
		for f := range frames {
			t := float64(f) / float64(frames)
			square := 0.0
			for j := range point {
				point[j] = float64((1-t)*float64(from[j])) + float64(t*float64(to[j]))
				square += float64(point[j] * point[j])
			}
			stretch := 1.0
			if square > 0 && f > 0 { // the line may pass through the origin, which has no direction
				stretch = (float64((1-t)*start) + float64(t*end)) / math.Sqrt(square)
			}
			for _, v := range point {
				path = append(path, float32(stretch*v))
			}
		}
	}
	return path
}

// length returns the Euclidean norm.
func length(latent []float32) float64 {
	square := 0.0
	for _, v := range latent {
		square += float64(float64(v) * float64(v))
	}
	return math.Sqrt(square)
}

func parseGrid(text string) (rows, cols int, err error) {
	high, wide, _ := strings.Cut(strings.ToLower(text), "x")
	if rows, err = strconv.Atoi(high); err == nil {
		cols, err = strconv.Atoi(wide)
	}
	if err != nil || rows < 1 || cols < 1 {
		return 0, 0, input.Errorf("--grid: %q is not ROWSxCOLUMNS, for example 5x5", text)
	}
	if rows > maxImages/cols {
		return 0, 0, input.Errorf("--grid: %s has more than %d cells", text, maxImages)
	}
	return rows, cols, nil
}

// squareGrid returns the grid for n images that is nearest to a square, no narrower than high.
func squareGrid(n int) (rows, cols int) {
	cols = int(math.Ceil(math.Sqrt(float64(n))))
	return (n + cols - 1) / cols, cols
}

// outputKind is what --out asks for.
type outputKind int

const (
	kindPNG outputKind = iota
	kindNPY
	kindGIF
	kindFolder
)

// outKind tells what to write, and refuses a place that cannot be written to before anything is drawn.
func outKind(out string) (outputKind, error) {
	if out == "" {
		return 0, input.Errorf("--out is empty: give a .png, .npy or .gif file, or a folder")
	}
	info, err := os.Stat(filepath.Clean(out))
	exists := err == nil
	if exists && info.IsDir() {
		return kindFolder, nil
	}
	if err := needFolder(filepath.Dir(filepath.Clean(out))); err != nil {
		return 0, err
	}
	if isSlashed(out) && exists {
		return 0, input.Errorf("--out: %s is a file, not a folder", filepath.Clean(out))
	}
	ext := strings.ToLower(filepath.Ext(out))
	switch {
	case isSlashed(out):
		return kindFolder, nil
	case ext == ".png":
		return kindPNG, nil
	case ext == ".npy":
		return kindNPY, nil
	case ext == ".gif":
		return kindGIF, nil
	case ext == "" && !exists:
		return kindFolder, nil
	case ext == "":
		return 0, input.Errorf("--out: %s is a file with no ending: give a .png, .npy or .gif file, or a folder", out)
	default:
		return 0, input.Errorf("--out: do not know what to write to %s: give a .png, .npy or .gif file, or a folder", out)
	}
}
