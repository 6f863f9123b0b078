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
	path := w.samplePath(name, step)
	return path, writeFile(w.disk, path, func(to io.Writer) error { return png.Encode(to, picture) })
}

// ReadSample returns the file that SaveSample wrote, fs.ErrNotExist where there is none.
func (f *Folder) ReadSample(name string, step int) ([]byte, error) {
	return os.ReadFile(f.samplePath(name, step))
}

func (f *Folder) samplePath(name string, step int) string {
	return filepath.Join(f.Dir, SamplesName, fmt.Sprintf("%s-%05d.png", name, step))
}

// SaveModel writes a network after a step as NAME_100.h5 with write and returns its path.
func (w *Writer) SaveModel(name string, step int, write func(io.Writer) error) (string, error) {
	path := filepath.Join(w.Dir, fmt.Sprintf("%s_%d.h5", name, step))
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
