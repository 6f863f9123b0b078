package dcgan

import (
	"encoding/json"
	"errors"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/internal/input"
	"dcgan/run"
)

// Damage is a file of a run that is damaged, and what is wrong with it in one line that names it.
type Damage struct{ File, Reason string }

// Verified is what Verify has looked at.
type Verified struct {
	Runs, Files int
	Damaged     []Damage
}

// Verify reads every file of the runs in dir and below, or of the run that dir is, and says which are damaged, those that
// cannot be read among them. Files that were set aside are passed over. Looked is called after each file.
func Verify(dir string, looked func(Verified)) (Verified, error) {
	var v Verified
	folders, err := run.Tree(dir)
	if err != nil {
		return v, err
	}
	for _, path := range folders {
		v.Runs++
		err := verifyRun(&run.Folder{Dir: path}, func(file string, err error) {
			switch {
			case err == nil:
				v.Files++
			case errors.Is(err, fs.ErrNotExist): // removed meanwhile, by a training that goes on
				return
			default:
				v.Files++
				v.Damaged = append(v.Damaged, Damage{file, err.Error()})
			}
			looked(v)
		})
		if err != nil {
			return v, err
		}
	}
	return v, nil
}

// verifyRun tells check what is wrong with each file of a run.
func verifyRun(folder *run.Folder, check func(file string, err error)) error {
	path := func(name string) string { return filepath.Join(folder.Dir, name) }
	settings := config.Default()
	_, err := settings.Load(path(run.ConfigName))
	check(path(run.ConfigName), err)
	check(path(run.MetricsName), verifyMetrics(folder))
	if step, err := folder.Best(); step >= 0 {
		check(path(run.BestName), err)
	}
	checkpoints, err := folder.Checkpoints()
	if err != nil {
		return err
	}
	for _, c := range checkpoints {
		_, err := reader(checkpoint.Check).ofStep(c)
		check(c.Path, err)
	}
	pictures, err := folder.Pictures()
	if err != nil {
		return err
	}
	for _, picture := range pictures {
		check(picture, verifyPicture(picture))
	}
	return nil
}

// verifyMetrics wants a line of each step from the first on.
func verifyMetrics(folder *run.Folder) error {
	last := 0
	return folder.ReadMetrics(func(line []byte) error {
		var m Metrics
		if err := json.Unmarshal(line, &m); err != nil || m.Images == 0 {
			return nil // no line of a step
		}
		if m.Step != last+1 {
			return input.Errorf("%s: a line of step %d follows step %d: the others are lost", filepath.Join(folder.Dir, run.MetricsName), m.Step, last)
		}
		last = m.Step
		return nil
	})
}

// maxPixels bounds a picture, some hundred times a grid of samples.
const maxPixels = 1 << 25

func verifyPicture(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	size, err := png.DecodeConfig(file)
	if err == nil && size.Width > maxPixels/max(1, size.Height) {
		return input.Errorf("%s: is damaged: %d×%d pixels are too many", path, size.Width, size.Height)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err == nil {
		_, err = png.Decode(file)
	}
	if err != nil {
		return input.Errorf("%s: is damaged: %w", path, err)
	}
	return nil
}
