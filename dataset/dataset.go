// Package dataset reads the images that the networks learn from: the embedded MNIST or an IDX file.
package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"dcgan/internal/input"
)

// Images is a set of images of one size, kept in memory as bytes.
type Images struct {
	N, H, W, C int
	Pixels     []uint8 // N×H×W×C, 0 to 255
	Labels     []uint8 // N, one an image; nil where there are none
	SHA256     string  // of N, H, W, C as little-endian uint32 and then Pixels, in hexadecimal
}

// MNIST is the source that names the embedded images. A file of that name is ./mnist.
const MNIST = "mnist"

// Open reads the images of source, MNIST or the path of an IDX file, and their labels. With labels "" those of a file
// are looked for beside it under the usual name (train-images-idx3-ubyte goes with train-labels-idx1-ubyte), and images
// without any are fine. Files may be compressed with gzip, whatever their names. A file that is missing, not what it
// should be or of another length than its header says is an error of input.
func Open(source, labels string) (*Images, error) {
	return OpenIf(source, labels, func(_, _, _, _ int) error { return nil })
}

// OpenIf is Open for images of a shape that accept has no error for. A file is refused by its header, before its images
// are read or unpacked. Accept's error is returned with the file's name before it.
func OpenIf(source, labels string, accept func(n, h, w, c int) error) (*Images, error) {
	var images, classes array
	var err error
	if source == MNIST {
		if images, classes, err = readMNIST(); err == nil {
			if err = accept(sizes(images.shape)); err != nil {
				err = fmt.Errorf("images %s: %w", source, err)
			}
		}
	} else {
		images, err = readFile(source, "images", func(shape []int) error { return accept(sizes(shape)) }, 3, 4)
		if labels == "" {
			labels = besideImages(source)
		}
	}
	if err != nil {
		return nil, err
	}
	if labels != "" {
		fits := func(shape []int) error {
			if shape[0] != images.shape[0] {
				return input.Errorf("labels %d images, and %s has %d: give the file that belongs to them with --labels",
					shape[0], source, images.shape[0])
			}
			return nil
		}
		if classes, err = readFile(labels, "labels", fits, 1); err != nil {
			return nil, err
		}
	}

	d := &Images{Pixels: images.data, Labels: classes.data}
	d.N, d.H, d.W, d.C = sizes(images.shape)
	d.SHA256 = d.sum()
	return d, nil
}

// sizes returns N, H, W and C of an array of rank 3 or 4.
func sizes(shape []int) (n, h, w, c int) {
	c = 1
	if len(shape) == 4 {
		c = shape[3]
	}
	return shape[0], shape[1], shape[2], c
}

// sum identifies the images however they were stored.
func (d *Images) sum() string {
	var shape []byte
	for _, size := range []int{d.N, d.H, d.W, d.C} {
		shape = binary.LittleEndian.AppendUint32(shape, uint32(size))
	}
	hash := sha256.New()
	hash.Write(shape)
	hash.Write(d.Pixels)
	return hex.EncodeToString(hash.Sum(nil))
}

// unit holds (x − 127.5) / 127.5 for every byte x: 0 becomes −1 and 255 becomes 1. The difference is exact in float32,
// so each entry is rounded once.
var unit = func() (table [256]float32) {
	for x := range table {
		table[x] = (float32(x) - 127.5) / 127.5
	}
	return table
}()

// Batch writes the images of the given indices to dst, len(index)×H×W×C, scaled to [-1, 1]. It panics where an index is
// not in [0, N) or dst is too short, and allocates nothing.
func (d *Images) Batch(dst []float32, index []int) {
	size := d.H * d.W * d.C
	for i, image := range index {
		from := d.Pixels[image*size : (image+1)*size]
		to := dst[i*size : (i+1)*size]
		for p, x := range from {
			to[p] = unit[x]
		}
	}
}

// besideImages returns the path of the labels that usually lie beside a file of images, compressed or not, or "".
func besideImages(path string) string {
	dir, name := filepath.Split(path)
	name, compressed := strings.CutSuffix(name, ".gz")
	labels := strings.NewReplacer("images", "labels", "idx3", "idx1", "idx4", "idx1").Replace(name)
	if !strings.Contains(name, "images") || !strings.Contains(labels, "idx1") {
		return ""
	}
	suffixes := []string{"", ".gz"}
	if compressed {
		suffixes = []string{".gz", ""}
	}
	for _, suffix := range suffixes {
		if info, err := os.Stat(dir + labels + suffix); err == nil && info.Mode().IsRegular() {
			return dir + labels + suffix
		}
	}
	return ""
}

// readFile reads an IDX file as readIDX does; what it holds, "images" or "labels", is for messages.
func readFile(path, what string, accept func(shape []int) error, ranks ...int) (array, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return array{}, input.Errorf("%s %s: there is no such file: give the path of an IDX file", what, path)
	}
	if err != nil {
		return array{}, input.Errorf("%s %s: cannot be opened: %w", what, path, errors.Unwrap(err))
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return array{}, input.Errorf("%s %s: is a folder: give the path of an IDX file", what, path)
	}
	a, err := readIDX(file, accept, ranks...)
	if err != nil {
		return array{}, fmt.Errorf("%s %s: %w", what, path, err)
	}
	return a, nil
}
