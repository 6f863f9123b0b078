package dcgan

import (
	"errors"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/exchange"
	"dcgan/internal/input"
	"dcgan/model"
	"dcgan/run"
)

// Damage is a file of a run that is damaged or missing, and what is wrong with it in one line that names it.
type Damage struct{ File, Reason string }

// Verified is what Verify has looked at.
type Verified struct {
	Runs, Files int
	Damaged     []Damage
}

// Verify reads every file of the runs in dir and below, or of the run that dir is, and says which are damaged, those that
// cannot be read and those that the run should have and has not among them. Files that were set aside are passed over.
// A run may be trained at the same time. Looked is called after each file.
func Verify(dir string, looked func(Verified)) Verified {
	var v Verified
	check := func(file string, err error) {
		if errors.Is(err, fs.ErrNotExist) {
			if _, err := os.Lstat(file); err != nil {
				return // removed meanwhile, by a training that goes on
			}
		}
		v.Files++
		if err != nil {
			v.Damaged = append(v.Damaged, Damage{file, err.Error()})
		}
		looked(v)
	}
	run.Tree(dir, func(path string, err error) {
		if err != nil {
			check(path, err)
			return
		}
		v.Runs++
		verifyRun(&run.Folder{Dir: path}, check)
	})
	return v
}

// verifyRun tells check what is wrong with each file of a run, with fs.ErrNotExist where one has gone since it was listed.
func verifyRun(folder *run.Folder, check func(file string, err error)) {
	if step, err := folder.Best(); step >= 0 {
		check(filepath.Join(folder.Dir, run.BestName), err)
	}
	pictures, err := folder.Pictures()
	if err != nil {
		check(filepath.Join(folder.Dir, run.SamplesName), err)
	}
	for _, picture := range pictures {
		check(picture, verifyPicture(picture))
	}
	newest := verifyNetworks(folder, check)
	for look := 1; ; look++ {
		path := folder.CheckpointPath(stepOf(newest))
		before, _ := os.Stat(path)
		found := lookBeside(folder, newest)
		after, _ := os.Stat(path)
		// Where a training went back or on meanwhile, what was seen is of two states of the run.
		stayed := before == nil && after == nil ||
			before != nil && after != nil && os.SameFile(before, after) && before.ModTime().Equal(after.ModTime())
		if stayed || look == maxLooks || !slices.ContainsFunc(found, func(f finding) bool { return f.err != nil }) {
			for _, f := range found {
				check(f.file, f.err)
			}
			return
		}
		newest, _, _ = newestWhole(folder, checkpoint.Check)
	}
}

// maxLooks bounds how often a run that changes meanwhile is looked at again.
const maxLooks = 5

func stepOf(c *checkpoint.Checkpoint) int {
	if c == nil {
		return 0
	}
	return c.Step
}

// verifyNetworks checks the checkpoints and the files for Keras, and returns the newest checkpoint that is whole.
func verifyNetworks(folder *run.Folder, check func(file string, err error)) (newest *checkpoint.Checkpoint) {
	models, err := folder.Models()
	if err != nil {
		check(folder.Dir, err)
	}
	checkpoints, err := folder.Checkpoints()
	if err != nil {
		check(filepath.Join(folder.Dir, run.CheckpointsName), err)
	}
	for _, c := range checkpoints {
		ofStep := func(m run.Model) bool { return m.Step == c.Step }
		read := reader(checkpoint.Check)
		if slices.ContainsFunc(models, ofStep) {
			read = checkpoint.Read
		}
		whole, err := read.ofStep(c)
		check(c.Path, err)
		if err != nil {
			continue
		}
		newest = whole
		for _, m := range models {
			if ofStep(m) {
				check(m.Path, verifyModel(m, whole))
			}
		}
		models = slices.DeleteFunc(models, ofStep)
	}
	for _, m := range models {
		check(m.Path, verifyModel(m, nil))
	}
	return newest
}

// verifyModel reads a file for Keras and, as such files have no checksums, compares it with the checkpoint of its step
// where there is one.
func verifyModel(m run.Model, c *checkpoint.Checkpoint) error {
	had, err := exchange.Read(m.Path)
	if err != nil {
		return err
	}
	network := func(of *model.Model) *model.Network {
		if m.Name == GeneratorNetwork {
			return of.Generator
		}
		return of.Discriminator
	}
	n := network(had)
	switch {
	case n == nil:
		return input.Errorf("%s: is damaged: it holds no %s", m.Path, m.Name)
	case n.Anew != "":
		return input.Errorf("%s: is damaged: %s", m.Path, n.Anew)
	case c != nil && !network(c.Model()).Equal(n):
		return input.Errorf("%s: is damaged: its numbers are not those of the checkpoint of step %d", m.Path, m.Step)
	}
	return nil
}

// verifySettings reads config.json and holds it against a checkpoint where there is one. It returns nil where the settings
// cannot be known.
func verifySettings(path string, c *checkpoint.Checkpoint) (*config.Config, config.Origin, error) {
	settings := config.Default()
	err := loadSettings(path, &settings)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, config.Origin{}, input.Errorf("%s: is missing, and without it the run cannot go on", path)
	}
	if err != nil {
		return nil, config.Origin{}, err
	}
	if err := settings.Check(); err != nil {
		return nil, config.Origin{}, input.Errorf("%s: is damaged: %w", path, err)
	}
	if c != nil {
		if other := differences(c, &settings); len(other) > 0 {
			return nil, config.Origin{}, input.Errorf("%s: its settings are not those of the checkpoint of step %d (%s)",
				path, c.Step, differencesText(other))
		}
	}
	origin, err := config.LoadOrigin(path)
	if err != nil {
		return nil, config.Origin{}, err
	}
	return &settings, origin, nil
}

// maxPixels bounds a picture, some hundred times a grid of samples.
const maxPixels = 1 << 25

func verifyPicture(path string) error {
	file, _, err := input.Open(path)
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
