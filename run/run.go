// Package run keeps the files of a training run in a folder:
//
//	config.json               the settings
//	metrics.jsonl             one JSON object a line
//	samples/mnist-00100.png   pictures drawn on the way
//	checkpoints/00000100.safetensors
//	curves.png
//	generator_100.h5, discriminator_100.h5
//	tensorboard/              events for TensorBoard
//	.lock                     held by the process that writes
//
// It knows nothing of training and nothing of what is in a checkpoint. Every file but metrics.jsonl and the events is
// written whole or not at all, whatever moment the process is killed at. A Writer writes, and there is one at a time, which
// a lock sees to; a Folder reads, at any time and in any number.
package run

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"dcgan/internal/input"
)

// The names in a run folder.
const (
	ConfigName      = "config.json"
	MetricsName     = "metrics.jsonl"
	SamplesName     = "samples"
	CheckpointsName = "checkpoints"
	CurvesName      = "curves.png"
	BestName        = "best.json"
)

var ownNames = []string{ConfigName, MetricsName, SamplesName, CheckpointsName, CurvesName, BestName, EventsName, LockName}

func isOwn(name string) bool {
	return slices.Contains(ownNames, name) || modelName.MatchString(name) || isTemporary(name)
}

// Folder reads a run folder.
type Folder struct{ Dir string }

// Next returns root/NAME-NNN, one number above the highest that is there, 001 where there is none.
func Next(root, name string) string {
	entries, _ := os.ReadDir(root) // where it cannot be read, Create will say why
	highest := 0
	for _, entry := range entries {
		if digits, ok := strings.CutPrefix(entry.Name(), name+"-"); ok {
			if n, err := strconv.Atoi(digits); err == nil {
				highest = max(highest, n)
			}
		}
	}
	return filepath.Join(root, fmt.Sprintf("%s-%03d", name, highest+1))
}

// Free returns nil if Create can use dir: it is missing, or an empty folder but for what a start that was killed at once
// leaves. Else it is an error of input.
func Free(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return notAFolder(dir, err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != LockName && !isTemporary(name) {
			return input.Errorf("run folder %s is not empty: go on with its run by --resume, or name another with --run", dir)
		}
	}
	return nil
}

// Open opens a run folder, an empty one too, and changes nothing in it. It is an error of input if dir is missing
// (fs.ErrNotExist), cannot be read, or is of no run and has files that are not of one.
func Open(dir string) (*Folder, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, input.Errorf("run folder %s: %w", dir, fs.ErrNotExist)
	case err != nil:
		return nil, notAFolder(dir, err)
	}
	foreign := ""
	for _, entry := range entries {
		if entry.Name() == ConfigName {
			return &Folder{Dir: dir}, nil
		}
		if !isOwn(entry.Name()) {
			foreign = entry.Name()
		}
	}
	if foreign != "" && !Is(dir) {
		return nil, input.Errorf("%[1]s is not a run folder: it has %[3]q and no %[2]s; name a folder that dcgan train made", dir, ConfigName, foreign)
	}
	return &Folder{Dir: dir}, nil
}

func notAFolder(dir string, err error) error {
	if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
		return input.Errorf("run folder %s is a file: name a folder", dir)
	}
	return input.Errorf("run folder %s cannot be read: %w", dir, reason(err))
}

// List returns the run folders directly below root, by name: those with a config.json, metrics or a checkpoint. Where
// there is none and root is one itself, it is the list.
func List(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, input.Errorf("%s: %w", root, fs.ErrNotExist)
	}
	if err != nil {
		return nil, input.Errorf("folder %s cannot be read: %w", root, err)
	}
	var dirs []string
	for _, entry := range entries {
		if dir := filepath.Join(root, entry.Name()); Is(dir) {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 && Is(root) {
		dirs = []string{filepath.Clean(root)}
	}
	return dirs, nil
}

// Is tells whether dir is the folder of a run that has begun, be it damaged: a training writes config.json before all else.
func Is(dir string) bool {
	for _, name := range []string{ConfigName, MetricsName} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	checkpoints, _ := (&Folder{dir}).Checkpoints() // where they cannot be read, nothing says that it is a run
	return len(checkpoints) > 0
}

// Tree calls found with the run folders at and below root, at any depth, by name. A folder that cannot be read is given
// with an error of input. Links are followed to runs alone, so that none leads in a circle.
func Tree(root string, found func(dir string, err error)) {
	if Is(root) {
		found(root, nil)
		return
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		found(root, input.Errorf("folder %s cannot be read: %w", root, reason(err)))
	}
	for _, entry := range entries {
		dir := filepath.Join(root, entry.Name())
		if entry.IsDir() || entry.Type()&fs.ModeSymlink != 0 && Is(dir) {
			Tree(dir, found)
		}
	}
}

// Newest returns the run folder directly below root that was written to last. It is an error of input if there is none.
func Newest(root string) (string, error) {
	dirs, err := List(root)
	if err != nil {
		return "", err
	}
	if len(dirs) == 0 {
		return "", input.Errorf("%s has no run folder: name one with --run", root)
	}
	return slices.MaxFunc(dirs, func(a, b string) int {
		// Of runs written to in the same moment the last by name counts.
		return cmp.Or(written(a).Compare(written(b)), cmp.Compare(a, b))
	}), nil
}

func written(dir string) time.Time {
	var last time.Time
	for _, name := range []string{".", MetricsName, CheckpointsName} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}
