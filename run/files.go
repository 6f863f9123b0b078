package run

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"path/filepath"
)

// WriteConfig writes config.json.
func (w *Writer) WriteConfig(config []byte) error {
	return writeFile(w.disk, filepath.Join(w.Dir, ConfigName), text(config))
}

// SaveSample writes a picture drawn after a step as samples/NAME-00100.png and returns its path.
func (w *Writer) SaveSample(name string, step int, picture image.Image) (string, error) {
	path := filepath.Join(w.Dir, SamplesName, fmt.Sprintf("%s-%05d.png", name, step))
	return path, writeFile(w.disk, path, func(to io.Writer) error { return png.Encode(to, picture) })
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
