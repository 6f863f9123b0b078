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
	var images, classes array
	var err error
	if source == MNIST {
		images, classes, err = readMNIST()
	} else {
		images, err = readFile(source, "images", 3, 4)
		if labels == "" {
			labels = besideImages(source)
		}
	}
	if err != nil {
		return nil, err
	}
	if labels != "" {
		if classes, err = readFile(labels, "labels", 1); err != nil {
			return nil, err
		}
		if n := len(classes.data); n != images.shape[0] {
			return nil, input.Errorf("labels %s: %d labels for the %d images of %s: give the file that belongs to them with --labels",
				labels, n, images.shape[0], source)
		}
	}

	d := &Images{N: images.shape[0], H: images.shape[1], W: images.shape[2], C: 1, Pixels: images.data, Labels: classes.data}
	if len(images.shape) == 4 {
		d.C = images.shape[3]
	}
	d.SHA256 = d.sum()
	return d, nil
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

// readFile reads an IDX file; what it holds, "images" or "labels", is for messages.
func readFile(path, what string, ranks ...int) (array, error) {
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
	a, err := readIDX(file, ranks...)
	if err != nil {
		return array{}, fmt.Errorf("%s %s: %w", what, path, err)
	}
	return a, nil
}
