package dcgan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/format/tensorboard"
	"dcgan/internal/input"
	"dcgan/run"
)

// finding is a file of a run that was looked at, or one that is missing; err is nil for a whole one.
type finding struct {
	file string
	err  error
}

// lookBeside looks at what a run must have beside its newest whole checkpoint, nil where there is none. That follows from
// the order in which a training writes: settings first, then a line a step, and with a checkpoint all that is of its step
// before it. So a run that was killed lacks none of it, and one that is being trained neither.
func lookBeside(folder *run.Folder, newest *checkpoint.Checkpoint) (found []finding) {
	look := func(file string, err error) { found = append(found, finding{file, err}) }
	path := filepath.Join(folder.Dir, run.ConfigName)
	settings, origin, err := verifySettings(path, newest)
	look(path, err)

	step := stepOf(newest)
	path = filepath.Join(folder.Dir, run.MetricsName)
	last, err := verifyMetrics(folder, step)
	if _, missing := os.Stat(path); step > 0 && errors.Is(missing, fs.ErrNotExist) {
		look(path, input.Errorf("%s: is missing", path))
	} else {
		look(path, err)
	}
	var o debt // without settings none is known
	if settings != nil {
		if checkpoints, err := folder.Checkpoints(); err == nil && len(checkpoints) == 0 && last > settings.SaveEvery {
			path := filepath.Join(folder.Dir, run.CheckpointsName)
			look(path, input.Errorf("%s: no checkpoint is there, though %s has %d steps and one is saved every %d",
				path, run.MetricsName, last, settings.SaveEvery))
		}
		o = owed(settings, origin.SavesFrom, min(step, last)) // a file's claims make no list longer than another file
	}
	for _, path := range o.missing(folder) {
		look(path, input.Errorf("%s: is missing", path))
	}
	path = folder.EventsPath()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		look(path, o.verifyEvents(path))
	} else if o.events {
		look(path, input.Errorf("%s: is missing", path))
	}
	return found
}

// debt is what a run has for certain beside a checkpoint.
type debt struct {
	step   int    // of the checkpoint
	name   string // of the pictures now; earlier ones may have another
	grids  []int  // steps whose samples were drawn
	saves  []int  // steps whose checkpoint was due, which curves come with
	models bool   // and files for Keras
	events bool   // all of the steps up to this one
}

// owed returns what a run has beside the checkpoint of a step. How it was saved up to step from is not known.
func owed(c *config.Config, from, step int) debt {
	o := debt{step: step, name: dataName(c.Data), models: c.KerasH5, events: c.TensorBoard && step > from}
	for due := (from/c.SaveEvery + 1) * c.SaveEvery; due <= step; due += c.SaveEvery {
		o.saves = append(o.saves, due)
	}
	if step == c.Steps && step > from && step%c.SaveEvery != 0 {
		o.saves = append(o.saves, step)
	}
	for _, early := range earlySamples {
		if early <= step {
			o.grids = append(o.grids, early)
		}
	}
	o.grids = append(o.grids, o.saves...)
	slices.Sort(o.grids)
	o.grids = slices.Compact(o.grids)
	return o
}

// missing returns the paths of pictures and files for Keras that are not there.
func (o *debt) missing(folder *run.Folder) (paths []string) {
	pictures, _ := folder.Pictures() // what cannot be read was told
	drawn := map[int]bool{}
	for _, path := range pictures {
		if step, ok := run.SampleStep(path); ok {
			drawn[step] = true
		}
	}
	for _, step := range o.grids {
		if !drawn[step] {
			paths = append(paths, folder.SamplePath(o.name, step))
		}
	}
	if curves := filepath.Join(folder.Dir, run.CurvesName); len(o.saves) > 0 && !slices.Contains(pictures, curves) {
		paths = append(paths, curves)
	}
	if !o.models {
		return paths
	}
	models, _ := folder.Models()
	for _, step := range o.saves {
		for _, name := range []string{GeneratorNetwork, DiscriminatorNetwork} {
			if !slices.ContainsFunc(models, func(m run.Model) bool { return m.Name == name && m.Step == step }) {
				paths = append(paths, folder.ModelPath(name, step))
			}
		}
	}
	return paths
}

// verifyMetrics wants a line of each step from the first to at least the given one. It returns the last whose line is there.
func verifyMetrics(folder *run.Folder, step int) (last int, err error) {
	path := filepath.Join(folder.Dir, run.MetricsName)
	err = folder.ReadMetrics(func(line []byte) error {
		var m Metrics
		if err := json.Unmarshal(line, &m); err != nil || m.Images == 0 {
			return nil // no line of a step
		}
		if m.Step != last+1 {
			return input.Errorf("%s: a line of step %d follows step %d: the others are lost", path, m.Step, last)
		}
		last = m.Step
		return nil
	})
	if err == nil && last < step {
		err = input.Errorf("%s: it ends with step %d, and there is a checkpoint of step %d: the lines between are lost",
			path, last, step)
	}
	return last, err
}

// verifyEvents reads the events. A last record that is not whole is one that a kill left, unless it is owed.
func (o *debt) verifyEvents(path string) error {
	file, _, err := input.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	last, shown := 0, map[int]bool{}
	err = tensorboard.Read(file, func(step int, tags []string) {
		if slices.Contains(tags, "d_loss") {
			last = step
		}
		if slices.Contains(tags, sampleTag) {
			shown[step] = true
		}
	})
	what := ""
	switch lost := slices.IndexFunc(o.grids, func(step int) bool { return !shown[step] }); {
	case err != nil:
		return input.Errorf("%s: %w", path, err)
	case !o.events:
		return nil
	case last < o.step:
		what = fmt.Sprintf("its numbers end with step %d, and there is a checkpoint of step %d", last, o.step)
	case lost >= 0:
		what = fmt.Sprintf("it lacks the samples of step %d", o.grids[lost])
	default:
		return nil
	}
	return input.Errorf("%s: is cut short: %s", path, what)
}
