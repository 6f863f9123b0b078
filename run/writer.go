package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"dcgan/internal/input"

	"github.com/gofrs/flock"
)

// Writer writes a run folder and holds its lock. It is not safe for concurrent use.
type Writer struct {
	Folder
	disk    Disk
	lock    *flock.Flock
	metrics File // open since the first AppendMetrics
	events  File // open since StartEvents
}

// Create makes a new run folder and holds it. Dir must be free; that another process holds it is an error of input.
func Create(disk Disk, dir string) (*Writer, error) {
	if err := Vacant(dir); err != nil {
		return nil, err
	}
	if err := makeFolder(disk, dir); err != nil {
		return nil, fmt.Errorf("run folder %s cannot be made: %w", dir, reason(err))
	}
	w, err := hold(disk, dir)
	if err != nil {
		return nil, err
	}
	if err := Free(dir); err != nil { // another process was first, and is done
		w.Close()
		return nil, err
	}
	return w, nil
}

// CreateNext makes the next free folder root/NAME-NNN and holds it. One that another process makes at the same moment is
// left to that one, and the next is taken.
func CreateNext(disk Disk, root, name string) (*Writer, error) {
	for {
		dir := Next(root, name)
		w, err := Create(disk, dir)
		if !input.Is(err) || Next(root, name) == dir { // else another one has it
			return w, err
		}
	}
}

// Continue holds a run folder that is there. It is an error of input if Open refuses it or another process holds it.
func Continue(disk Disk, dir string) (*Writer, error) {
	if _, err := Open(dir); err != nil {
		return nil, err
	}
	return hold(disk, dir)
}

// hold takes the lock and removes what a killed writer left half written.
func hold(disk Disk, dir string) (*Writer, error) {
	l, err := lock(dir)
	if err != nil {
		return nil, err
	}
	w := &Writer{Folder: Folder{dir}, disk: disk, lock: l}
	if err := w.clean(); err != nil {
		w.Close()
		return nil, fmt.Errorf("run folder %s cannot be cleaned: %w", dir, err)
	}
	return w, nil
}

func (w *Writer) clean() error {
	for _, name := range []string{".", CheckpointsName, SamplesName, EventsName} {
		dir := filepath.Join(w.Dir, name)
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, entry := range entries {
			if isTemporary(entry.Name()) {
				if err := w.disk.Remove(filepath.Join(dir, entry.Name())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Close ends writing and gives the lock back.
func (w *Writer) Close() error { return errors.Join(w.closeEvents(), w.closeMetrics(), w.lock.Close()) }

func (w *Writer) closeMetrics() error {
	if w.metrics == nil {
		return nil
	}
	err := w.metrics.Close()
	w.metrics = nil
	return err
}

// AppendMetrics adds v, a JSON object, as a line of metrics.jsonl. A line is written at once, so that only the last can
// ever be torn. Numbers that JSON has no text for, NaN and the infinities, are an error.
func (w *Writer) AppendMetrics(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if w.metrics == nil {
		if w.metrics, err = w.disk.Append(w.metricsPath()); err != nil {
			return err
		}
		if err := w.disk.SyncFolder(w.Dir); err != nil { // the file may be new
			return err
		}
	}
	_, err = w.metrics.Write(append(line, '\n'))
	return err
}

// CutMetrics makes metrics.jsonl fit a run that goes on from a step: it drops a torn last line, lines that are not JSON
// objects and those of later steps. The file is left alone if there is nothing to drop.
func (w *Writer) CutMetrics(step int) error {
	if err := w.closeMetrics(); err != nil { // an open file could not be replaced on Windows
		return err
	}
	kept, size, err := w.linesUpTo(step)
	if err != nil || size == int64(len(kept)) {
		return err
	}
	return writeFile(w.disk, w.metricsPath(), text(kept))
}

// SaveCheckpoint writes the checkpoint of a step with write and returns its path. The metrics and events appended so far
// are on disk before it is, so that a run that goes on from it has those of all steps before.
func (w *Writer) SaveCheckpoint(step int, write func(io.Writer) error) (string, error) {
	for _, file := range []File{w.metrics, w.events} {
		if file == nil {
			continue
		}
		if err := file.Sync(); err != nil {
			return "", err
		}
	}
	path := w.CheckpointPath(step)
	return path, writeFile(w.disk, path, write)
}

// Prune removes all checkpoints but the newest keep, the best, the newest that whole says is undamaged, and those of the
// needed steps. A keep of 0 removes none. Where best.json is there and cannot be read, none is removed either.
func (w *Writer) Prune(keep int, whole func(Checkpoint) bool, needed ...int) error {
	checkpoints, err := w.Checkpoints()
	if err != nil || keep == 0 || len(checkpoints) <= keep {
		return err
	}
	best, err := w.Best()
	if err != nil {
		return nil
	}
	newestWhole := -1
	for _, checkpoint := range slices.Backward(checkpoints) {
		if whole(checkpoint) {
			newestWhole = checkpoint.Step
			break
		}
	}
	for _, checkpoint := range checkpoints[:len(checkpoints)-keep] {
		if checkpoint.Step != best && checkpoint.Step != newestWhole && !slices.Contains(needed, checkpoint.Step) {
			if err := w.disk.Remove(checkpoint.Path); err != nil {
				return err
			}
		}
	}
	return nil
}

// SetAside renames a damaged file to NAME.damaged, in place of an earlier one, and returns the new path.
func (w *Writer) SetAside(path string) (string, error) {
	aside := path + ".damaged"
	if err := w.disk.Rename(path, aside); err != nil {
		return "", err
	}
	return aside, w.disk.SyncFolder(filepath.Dir(path))
}
