package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"dcgan/internal/input"
)

// maxConfig is some thousand times the settings of a run.
const maxConfig = 1 << 20

// WriteConfig writes v to config.json as indented JSON.
func (f *Folder) WriteConfig(v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(f.Dir, ConfigName), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// ReadConfig reads config.json into v, as encoding/json does. It is an error of input if the file is missing
// (fs.ErrNotExist) or does not hold what v takes.
func (f *Folder) ReadConfig(v any) error {
	path := filepath.Join(f.Dir, ConfigName)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return input.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err != nil {
		return err
	}
	if len(text) > maxConfig {
		return input.Errorf("%s: is longer than the limit of %d bytes", path, maxConfig)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return input.Errorf("%s: is damaged: %w", path, err)
	}
	return nil
}

// SaveSample writes a picture drawn after a step as samples/NAME-00100.png and returns its path.
func (f *Folder) SaveSample(name string, step int, picture image.Image) (string, error) {
	path := f.samplePath(name, step)
	return path, writeFile(path, func(w io.Writer) error { return png.Encode(w, picture) })
}

// ReadSample returns the file that SaveSample wrote, fs.ErrNotExist where there is none.
func (f *Folder) ReadSample(name string, step int) ([]byte, error) {
	return os.ReadFile(f.samplePath(name, step))
}

func (f *Folder) samplePath(name string, step int) string {
	return filepath.Join(f.Dir, SamplesName, fmt.Sprintf("%s-%05d.png", name, step))
}

// SaveCurves writes curves.png, a picture that is already encoded.
func (f *Folder) SaveCurves(png []byte) error {
	return writeFile(filepath.Join(f.Dir, CurvesName), func(w io.Writer) error {
		_, err := w.Write(png)
		return err
	})
}
