package run

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// Checkpoint is a file of checkpoints/.
type Checkpoint struct {
	Step int
	Path string
}

var checkpointName = regexp.MustCompile(`^([0-9]{8,18})\.safetensors$`)

// CheckpointPath returns where the checkpoint of a step lies, whether or not it is there.
func (f *Folder) CheckpointPath(step int) string {
	return filepath.Join(f.Dir, CheckpointsName, fmt.Sprintf("%08d.safetensors", step))
}

// Checkpoints returns the checkpoints, whole or damaged, by step. Files that were set aside are not among them.
func (f *Folder) Checkpoints() ([]Checkpoint, error) {
	entries, err := os.ReadDir(filepath.Join(f.Dir, CheckpointsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var checkpoints []Checkpoint
	for _, entry := range entries {
		if match := checkpointName.FindStringSubmatch(entry.Name()); match != nil {
			step, err := strconv.Atoi(match[1])
			if path := f.CheckpointPath(step); err == nil && filepath.Base(path) == entry.Name() {
				checkpoints = append(checkpoints, Checkpoint{step, path})
			}
		}
	}
	slices.SortFunc(checkpoints, func(a, b Checkpoint) int { return cmp.Compare(a.Step, b.Step) })
	return checkpoints, nil
}

// SaveCheckpoint writes the checkpoint of a step with write and returns its path. The metrics appended so far are on
// disk before it is, so that a run that goes on from it has the lines of all steps before.
func (f *Folder) SaveCheckpoint(step int, write func(io.Writer) error) (string, error) {
	if f.metrics != nil {
		if err := f.metrics.Sync(); err != nil {
			return "", err
		}
	}
	path := f.CheckpointPath(step)
	return path, writeFile(path, write)
}

// Prune removes all checkpoints but the newest keep and those of the protected steps. A keep of 0 removes none.
func (f *Folder) Prune(keep int, protect ...int) error {
	checkpoints, err := f.Checkpoints()
	if err != nil || keep == 0 || len(checkpoints) <= keep {
		return err
	}
	for _, checkpoint := range checkpoints[:len(checkpoints)-keep] {
		if !slices.Contains(protect, checkpoint.Step) {
			if err := os.Remove(checkpoint.Path); err != nil {
				return err
			}
		}
	}
	return nil
}

// SetAside renames a damaged file to NAME.damaged, in place of an earlier one, and returns the new path.
func (f *Folder) SetAside(path string) (string, error) {
	aside := path + ".damaged"
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	return aside, syncFolder(filepath.Dir(path))
}
