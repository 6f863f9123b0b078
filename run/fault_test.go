package run_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"dcgan/internal/fault"
	"dcgan/run"
)

// content is what stands for the checkpoint of a step: longer than a writer's buffer.
func content(step int) []byte { return bytes.Repeat(fmt.Appendf(nil, "step %d\n", step), 12000) }

func whole(path string) bool {
	var step int
	text, err := os.ReadFile(path)
	fmt.Sscanf(filepath.Base(path), "%d.safetensors", &step)
	return err == nil && bytes.Equal(text, content(step))
}

// The steps that the run below is wrecked at, and ends with.
const middle, end = 4, 8

// play does to a run folder what a training up to a step does, and goes on from what it finds. Its checkpoints come each
// second step.
func play(disk run.Disk, dir string, steps int) (err error) {
	var w *run.Writer
	step := 0
	if run.Free(dir) == nil {
		w, err = run.Create(disk, dir)
	} else {
		w, err = run.Continue(disk, dir)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	list, err := w.Checkpoints()
	if err != nil {
		return err
	}
	for _, c := range slices.Backward(list) {
		if whole(c.Path) {
			step = c.Step
			break
		}
		if _, err := w.SetAside(c.Path); err != nil {
			return err
		}
	}
	if err := w.CutMetrics(step); err != nil {
		return err
	}
	if err := w.WriteConfig([]byte("{}\n")); err != nil {
		return err
	}
	for step++; step <= steps; step++ {
		if err := w.AppendMetrics(map[string]int{"step": step}); err != nil {
			return err
		}
		if _, err := w.SaveSample("x", step, image.NewGray(image.Rect(0, 0, 1, step))); err != nil {
			return err
		}
		if step%2 > 0 {
			continue
		}
		if err := w.SaveCurves(fmt.Append(nil, step)); err != nil {
			return err
		}
		// Last, so that a run that goes on from it has the pictures.
		_, err := w.SaveCheckpoint(step, func(to io.Writer) error { _, err := to.Write(content(step)); return err })
		if err != nil {
			return err
		}
		if err := w.Prune(1, func(c run.Checkpoint) bool { return whole(c.Path) }); err != nil {
			return err
		}
	}
	return nil
}

// wreck leaves what kills and bad disks leave: a checkpoint cut short, a torn line, a file half written.
func wreck(t *testing.T, dir string) {
	t.Helper()
	write := func(name, text string, flag int) {
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|flag, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write("checkpoints/00000005.safetensors", "step 5", os.O_TRUNC)
	write("checkpoints/.00000006.safetensors.1.tmp", "step", os.O_TRUNC)
	write("metrics.jsonl", `{"st`, os.O_APPEND)
}

// files returns what a folder holds, by name, but for the lock, what was set aside, and old checkpoints that are whole: of
// a run that is complete they stay where the fault was in their removal.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == run.LockName || strings.HasSuffix(path, ".damaged") {
			return err
		}
		if newest := fmt.Sprintf("%08d.safetensors", end); filepath.Ext(path) == filepath.Ext(newest) && entry.Name() != newest && whole(path) {
			return nil
		}
		text, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestFaults has each call of the disk fail in turn, once as a bad disk does or from then on as a full one, in a run that
// is wrecked on its way. The error is told, and then the run goes on to what it would have been without.
func TestFaults(t *testing.T) {
	story := func(t *testing.T, disk run.Disk, dir string) error {
		first := play(disk, dir, middle)
		if first == nil {
			wreck(t, dir)
		}
		return errors.Join(first, play(disk, dir, end))
	}
	want := filepath.Join(t.TempDir(), "runs", "want")
	calls := 0
	kinds := map[string]int{}
	counting := &fault.Disk{Before: func(c fault.Call) error { calls++; kinds[c.Kind]++; return nil }}
	if err := story(t, counting, want); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{fault.Mkdir, fault.Create, fault.Append, fault.Write, fault.HalfWrite, fault.Sync, fault.Close,
		fault.Rename, fault.Remove, fault.SyncFolder} {
		if kinds[kind] == 0 {
			t.Errorf("no %s to fail", kind)
		}
	}

	wanted := files(t, want)
	faults := 0
	for _, stays := range []bool{false, true} {
		errno := syscall.EIO
		if stays {
			errno = syscall.ENOSPC
		}
		for at := range calls {
			dir := filepath.Join(t.TempDir(), "runs", "x")
			next := 0
			var struck fault.Call
			failing := &fault.Disk{Before: func(c fault.Call) error {
				next++
				if next-1 == at {
					struck = c
				}
				if next-1 == at || stays && next-1 > at {
					return errno
				}
				return nil
			}}
			faults++
			if err := story(t, failing, dir); !errors.Is(err, errno) {
				t.Errorf("%v at call %d, %v: %v", errno, at, struck, err)
			}
			if err := play(&fault.Disk{}, dir, end); err != nil {
				t.Errorf("%v at call %d, %v: it does not go on: %v", errno, at, struck, err)
			} else if got := files(t, dir); !maps.Equal(got, wanted) {
				t.Errorf("%v at call %d, %v: it goes on to other files: %v", errno, at, struck, slices.Sorted(maps.Keys(got)))
			}
		}
	}
	t.Logf("%d faults, at each of %d calls: %v", faults, calls, kinds)
}
