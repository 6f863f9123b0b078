package run

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"dcgan/internal/input"
)

// Checkpoint is a file of checkpoints/.
type Checkpoint struct {
	Step int
	Path string
}

// maxBest is some hundred times a best.json: a step, and scores.
const maxBest = 64 << 10

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

// Best returns the step of the checkpoint that best.json says scored best, -1 where there is no such file.
func (f *Folder) Best() (step int, err error) {
	path := filepath.Join(f.Dir, BestName)
	file, _, err := input.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	var best struct {
		Step *int `json:"step"`
	}
	if err := json.NewDecoder(io.LimitReader(file, maxBest)).Decode(&best); err != nil || best.Step == nil {
		return 0, input.Errorf("%s: is damaged: it names no step", path)
	}
	return *best.Step, nil
}
