package main

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"dcgan"
	"dcgan/format/npy"
	"dcgan/internal/input"
	"dcgan/picture"

	"github.com/spf13/cobra"
)

// A grid enlarges its images as those of training are, but less where it would have more than gridSide pixels a side.
const (
	gridScale = 4
	gridSide  = 4096
)

// A walk's frames are shown 12.5 times a second, and small images larger, by a whole factor, to about this side.
const (
	frameDelay = 8 // hundredths of a second
	frameSide  = 112
)

func writeGrid(path string, images dcgan.Images, rows, cols int) error {
	scale := max(1, min(gridScale, gridSide/max(rows*images.H, cols*images.W)))
	return writeFile(path, func(w io.Writer) error {
		return png.Encode(w, picture.Grid(images.Pixels, images.N, images.H, images.W, images.C, rows, cols, scale))
	})
}

func writeArray(path string, images dcgan.Images) error {
	return writeFile(path, func(w io.Writer) error {
		return npy.Write(w, []int{images.N, images.H, images.W, images.C}, images.Pixels)
	})
}

// writeImages writes one PNG an image.
func writeImages(path string, images dcgan.Images) error {
	digits := max(4, len(fmt.Sprint(images.N)))
	files := make([]fileOfFolder, images.N)
	for i := range files {
		files[i] = fileOfFolder{fmt.Sprintf("%0*d.png", digits, i+1), func(w io.Writer) error {
			return png.Encode(w, one(images, i, 1))
		}}
	}
	return writeFolder(path, files)
}

// fileOfFolder is a file that writeFolder makes of what write writes.
type fileOfFolder struct {
	name  string
	write func(io.Writer) error
}

// writeFolder writes files into a folder, new or not. All are written to a folder of their own before the first takes its
// name.
func writeFolder(path string, files []fileOfFolder) error {
	path = filepath.Clean(path)
	_, err := os.Stat(path)
	exists := err == nil
	beside := filepath.Dir(path)
	if exists {
		beside = path
	}
	temporary := temporaryName(beside)
	os.RemoveAll(temporary) // left by a process of this number that was killed
	defer os.RemoveAll(temporary)
	if err := os.Mkdir(temporary, 0o777); err != nil {
		return notWritten(path, err)
	}

	for _, f := range files {
		if err := fill(filepath.Join(temporary, f.name), f.write); err != nil {
			return notWritten(path, err)
		}
	}
	if !exists {
		return notWritten(path, os.Rename(temporary, path))
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(temporary, f.name), filepath.Join(path, f.name)); err != nil {
			return notWritten(path, err)
		}
	}
	return nil
}

// writeWalk writes the images as the frames of a GIF that runs for ever: in 256 greys, or in colours by dithering.
func writeWalk(path string, images dcgan.Images) error {
	greys := make(color.Palette, 256)
	for i := range greys {
		greys[i] = color.Gray{Y: uint8(i)}
	}
	scale := max(1, frameSide/max(images.H, images.W))
	film := gif.GIF{}
	for i := range images.N {
		frame := one(images, i, scale)
		at := frame.Bounds()
		bounds := image.Rect(0, 0, at.Dx(), at.Dy())
		paletted := image.NewPaletted(bounds, palette.Plan9)
		if grey, ok := frame.(*image.Gray); ok {
			paletted.Palette = greys
			for y := range at.Dy() {
				copy(paletted.Pix[y*paletted.Stride:], grey.Pix[y*grey.Stride:][:at.Dx()])
			}
		} else {
			draw.FloydSteinberg.Draw(paletted, bounds, frame, at.Min)
		}
		film.Image = append(film.Image, paletted)
		film.Delay = append(film.Delay, frameDelay)
	}
	return writeFile(path, func(w io.Writer) error { return gif.EncodeAll(w, &film) })
}

// one returns image i alone, without a grid's margin, enlarged by a whole factor.
func one(images dcgan.Images, i, scale int) image.Image {
	size := images.H * images.W * images.C
	framed := picture.Grid(images.Pixels[i*size:(i+1)*size], 1, images.H, images.W, images.C, 1, 1, scale)
	margin := (framed.Bounds().Dx() - images.W*scale) / 2
	return framed.(interface {
		SubImage(image.Rectangle) image.Image
	}).SubImage(framed.Bounds().Inset(margin))
}

// writeFile writes a file whole or not at all: under another name in its folder, then renamed.
func writeFile(path string, write func(io.Writer) error) error {
	temporary := temporaryName(filepath.Dir(path))
	err := fill(temporary, write)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
	}
	return notWritten(path, err)
}

// fill makes a file of what write writes.
func fill(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(file)
	if err = write(buffered); err == nil {
		err = buffered.Flush()
	}
	return errors.Join(err, file.Close())
}

// temporaryName is where this process writes what will be renamed. One file or folder at a time has it in a folder.
func temporaryName(folder string) string {
	return filepath.Join(folder, fmt.Sprintf(".dcgan-%d.tmp", os.Getpid()))
}

// tell runs a verb that ends in one line on standard output, and has its warnings on standard error.
func tell(cmd *cobra.Command, verb func(warn func(string)) (said string, err error)) error {
	said, err := verb(func(warning string) { say(cmd.ErrOrStderr(), "warning: "+warning) })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), input.Line(said))
	return err
}

// isSlashed reports whether a path ends as only a folder's can.
func isSlashed(path string) bool {
	return strings.HasSuffix(path, "/") || strings.HasSuffix(path, string(filepath.Separator))
}

// needFolder is an error of --out if there is no such folder to write into.
func needFolder(path string) error {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return input.Errorf("--out: there is no folder %s: make it first", path)
	}
	return nil
}

// notWritten names the place that the user knows, not the temporary one, where that is at fault and not what was to be
// written.
func notWritten(path string, err error) error {
	var operation *fs.PathError
	var renaming *os.LinkError
	switch {
	case err == nil || input.Is(err):
		return err
	case errors.As(err, &operation):
		err = operation.Err
	case errors.As(err, &renaming):
		err = renaming.Err
	}
	return fmt.Errorf("%s could not be written: %w", path, err)
}
