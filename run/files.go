package run

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"dcgan/internal/input"
)

// WriteConfig writes config.json.
func (w *Writer) WriteConfig(config []byte) error {
	return writeFile(w.disk, filepath.Join(w.Dir, ConfigName), text(config))
}

// Pictures returns the paths of the pictures that are there: samples by name, then the curves.
func (f *Folder) Pictures() ([]string, error) {
	var paths []string
	entries, err := os.ReadDir(filepath.Join(f.Dir, SamplesName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".png" {
			paths = append(paths, filepath.Join(f.Dir, SamplesName, entry.Name()))
		}
	}
	curves := filepath.Join(f.Dir, CurvesName)
	if _, err := os.Stat(curves); err == nil {
		paths = append(paths, curves)
	}
	return paths, nil
}

// SaveSample writes a picture drawn after a step as samples/NAME-00100.png and returns its path.
func (w *Writer) SaveSample(name string, step int, picture image.Image) (string, error) {
	path := w.SamplePath(name, step)
	return path, writeFile(w.disk, path, func(to io.Writer) error { return png.Encode(to, picture) })
}

// ReadSample returns the file that SaveSample wrote, fs.ErrNotExist where there is none.
func (f *Folder) ReadSample(name string, step int) ([]byte, error) {
	file, _, err := input.Open(f.SamplePath(name, step))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// SamplePath returns where the picture drawn after a step lies, whether or not it is there.
func (f *Folder) SamplePath(name string, step int) string {
	return filepath.Join(f.Dir, SamplesName, fmt.Sprintf("%s-%05d.png", name, step))
}

var sampleName = regexp.MustCompile(`-([0-9]{5,18})\.png$`)

// SampleStep returns the step that a picture was drawn after, by its name.
func SampleStep(path string) (step int, ok bool) {
	match := sampleName.FindStringSubmatch(path)
	if match == nil {
		return 0, false
	}
	step, err := strconv.Atoi(match[1])
	return step, err == nil
}

// Model is a file of a network for Keras.
type Model struct {
	Name string // of the network
	Step int
	Path string
}

var modelName = regexp.MustCompile(`^(generator|discriminator)_([0-9]{1,18})\.h5$`)

// Models returns the files that SaveModel wrote, by name.
func (f *Folder) Models() ([]Model, error) {
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return nil, err
	}
	var models []Model
	for _, entry := range entries {
		if match := modelName.FindStringSubmatch(entry.Name()); match != nil {
			if step, err := strconv.Atoi(match[2]); err == nil {
				models = append(models, Model{match[1], step, filepath.Join(f.Dir, entry.Name())})
			}
		}
	}
	return models, nil
}

// ModelPath returns where the file of a network after a step lies, whether or not it is there.
func (f *Folder) ModelPath(name string, step int) string {
	return filepath.Join(f.Dir, fmt.Sprintf("%s_%d.h5", name, step))
}

// SaveModel writes a network after a step as NAME_100.h5 with write and returns its path.
func (w *Writer) SaveModel(name string, step int, write func(io.Writer) error) (string, error) {
	path := w.ModelPath(name, step)
	return path, writeFile(w.disk, path, write)
}

// SaveCurves writes curves.png, a picture that is already encoded.
func (w *Writer) SaveCurves(png []byte) error {
	return writeFile(w.disk, filepath.Join(w.Dir, CurvesName), text(png))
}

// text returns a function that writes b.
func text(b []byte) func(io.Writer) error {
	return func(to io.Writer) error {
		_, err := to.Write(b)
		return err
	}
}
