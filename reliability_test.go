package dcgan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"dcgan"
	"dcgan/internal/fault"
	"dcgan/internal/input"
	"dcgan/run"
)

// tiny returns settings of the smallest training that there is, on a small file of images, so that hundreds take seconds.
func tiny(t *testing.T) dcgan.Config {
	t.Helper()
	cfg := dcgan.DefaultConfig()
	cfg.Data = filepath.Join(t.TempDir(), "images")
	const images = "\x00\x00\x08\x03\x00\x00\x00\x10\x00\x00\x00\x1c\x00\x00\x00\x1c" // unsigned bytes, 16×28×28
	if err := os.WriteFile(cfg.Data, []byte(images+strings.Repeat("16 bytes of noise", 28*28)[:16*28*28]), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Batch, cfg.Latent, cfg.GFilters, cfg.DFilters = 2, 2, []int{2, 2, 2, 2}, []int{2}
	cfg.Steps, cfg.SaveEvery, cfg.Keep, cfg.Threads = 2, 1, 1, 1
	cfg.Disk = &fault.Disk{}
	return cfg
}

// content returns what a run is: its newest checkpoint and its pictures by name, and the numbers of its metrics.
func content(t *testing.T, dir string, step int) map[string]string {
	t.Helper()
	all := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(dir, "samples", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, filepath.Join(dir, "curves.png"), (&run.Folder{Dir: dir}).CheckpointPath(step)) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(path, dir)] = string(text)
	}
	lines, err := os.ReadFile(filepath.Join(dir, run.MetricsName))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(lines) {
		var m dcgan.Metrics
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		m.Seconds = 0
		all["metrics"] += fmt.Sprintln(m)
	}
	return all
}

// TestTrainFaults has each call of the disk fail in turn in a training, every second one from then on, and then goes on
// with it.
func TestTrainFaults(t *testing.T) {
	cfg := tiny(t)
	cfg.TensorBoard = true // for its calls too
	train := func(dir string, before func(fault.Call) error) error {
		cfg := cfg
		cfg.Run = dir
		cfg.Resume = before == nil
		cfg.Disk = &fault.Disk{Before: before}
		_, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{})
		return err
	}
	calls := 0
	dir := filepath.Join(t.TempDir(), "runs", "x")
	if err := train(dir, func(fault.Call) error { calls++; return nil }); err != nil {
		t.Fatal(err)
	}
	want := content(t, dir, cfg.Steps)
	every := 1
	if testing.Short() {
		every = 7
	}
	faults := 0
	for at := 0; at < calls; at += every {
		faults++
		dir := filepath.Join(t.TempDir(), "runs", "x")
		next := 0
		var struck fault.Call
		err := train(dir, func(c fault.Call) error {
			if next++; next-1 == at {
				struck = c
			}
			switch stays := at%2 == 1; {
			case next-1 == at, stays && next-1 > at:
				return syscall.EIO
			}
			return nil
		})
		if !errors.Is(err, syscall.EIO) && struck.Kind != fault.Close { // the last one, when all is on disk
			t.Errorf("call %d, %v: %v", at, struck, err)
		}
		if err := train(dir, nil); err != nil {
			t.Errorf("call %d, %v: it does not go on: %v", at, struck, err)
		} else if got := content(t, dir, cfg.Steps); !maps.Equal(got, want) {
			t.Errorf("call %d, %v: it goes on to other numbers", at, struck)
		}
	}
	t.Logf("%d faults in %d calls", faults, calls)
}

// harm changes a byte in the middle of a file.
func harm(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedCheckpoints has a training go on from the newest whole checkpoint, to the bytes of one that nothing happened
// to, and be refused where none is whole.
func TestDamagedCheckpoints(t *testing.T) {
	cfg := tiny(t)
	cfg.Keep = 3
	train := func(dir string, steps int, resume bool) (plan dcgan.Plan, warnings string, err error) {
		cfg := cfg
		cfg.Run, cfg.Steps, cfg.Resume, cfg.Given = dir, steps, resume, []string{"steps"}
		_, err = dcgan.Train(context.Background(), cfg, dcgan.Observer{
			Start: func(p dcgan.Plan) { plan = p },
			Warn:  func(w string) { warnings += w + "\n" },
		})
		return plan, warnings, err
	}
	whole, hurt := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "hurt")
	for dir, steps := range map[string]int{whole: 5, hurt: 4} {
		if _, _, err := train(dir, steps, false); err != nil {
			t.Fatal(err)
		}
	}
	folder := &run.Folder{Dir: hurt}
	harm(t, folder.CheckpointPath(4))
	harm(t, folder.CheckpointPath(3))
	plan, warnings, err := train(hurt, 5, true)
	if err != nil || plan.Step != 2 {
		t.Errorf("it goes on after step %d, %v", plan.Step, err)
	}
	for _, says := range []string{"00000003.safetensors: ", "00000004.safetensors: ", "00000003.safetensors.damaged", "00000004.safetensors.damaged"} {
		if !strings.Contains(warnings, says) {
			t.Errorf("%q does not tell of %s", warnings, says)
		}
	}
	if !maps.Equal(content(t, hurt, 5), content(t, whole, 5)) {
		t.Error("it goes on to other numbers")
	}

	list, err := folder.Checkpoints()
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	for _, c := range list {
		harm(t, c.Path)
	}
	_, _, err = train(hurt, 6, true)
	after, _ := folder.Checkpoints()
	if !input.Is(err) || !strings.Contains(err.Error(), "nothing was moved") || len(after) != 3 {
		t.Errorf("none whole: %v, left %v", err, after)
	}
}

// TestLastWholeCheckpointStays damages each checkpoint after the first as soon as it has its name. Whatever --keep says,
// the first then stays, and the training goes on from it.
func TestLastWholeCheckpointStays(t *testing.T) {
	cfg := tiny(t)
	cfg.Run, cfg.Steps, cfg.Keep = filepath.Join(t.TempDir(), "run"), 4, 1
	folder := &run.Folder{Dir: cfg.Run}
	saved := ""
	cfg.Disk = &fault.Disk{Before: func(c fault.Call) error {
		if c.Kind == fault.SyncFolder && strings.Contains(saved, run.CheckpointsName) && saved != folder.CheckpointPath(1) {
			harm(t, saved)
		}
		saved = ""
		if c.Kind == fault.Rename {
			saved = c.Path
		}
		return nil
	}}
	if _, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{}); err != nil {
		t.Fatal(err)
	}
	if list, err := folder.Checkpoints(); err != nil || len(list) != 2 || list[0].Step != 1 {
		t.Fatalf("left %v, %v: want those of step 1 and 4", list, err)
	}
	cfg.Disk, cfg.Resume = &fault.Disk{}, true
	start := -1
	if _, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{Start: func(p dcgan.Plan) { start = p.Step }}); err != nil || start != 1 {
		t.Errorf("it goes on after step %d, %v", start, err)
	}
}

// TestNextFolder has another process take the folder that a training without a name of its own was about to make, at each
// moment that it can: the training takes the next one.
func TestNextFolder(t *testing.T) {
	for _, kind := range []string{fault.Mkdir, fault.SyncFolder} { // before the folder is there, and before it is locked
		cfg := tiny(t)
		t.Chdir(t.TempDir())
		taken := filepath.Join("runs", "images-001")
		made := false
		var other *run.Writer
		cfg.Disk = &fault.Disk{Before: func(c fault.Call) error {
			ours := c.Kind == fault.Mkdir && c.Path == taken
			if other == nil && (ours && kind == fault.Mkdir || made && kind == c.Kind) {
				var err error
				if other, err = run.Create(run.System{}, taken); err != nil {
					t.Error(err)
				}
			}
			made = made || ours
			return nil
		}}
		planned := ""
		result, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{Start: func(p dcgan.Plan) { planned = p.Run }})
		if want := filepath.Join("runs", "images-002"); err != nil || result.Run != want || planned != want {
			t.Errorf("taken at %s: it trains in %s, told as %s, %v", kind, result.Run, planned, err)
		}
		if other == nil {
			t.Fatal("nobody came first")
		}
		// With a name it is refused.
		cfg.Run, cfg.Disk = taken, nil
		if _, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{}); !input.Is(err) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
			t.Errorf("%v: want a refusal", err)
		}
		other.Close()
	}
}

// TestOtherInit resumes a run with --init: with the file that it began with it goes on or is complete, with another one it
// is refused, whether or not there is anything left to do.
func TestOtherInit(t *testing.T) {
	cfg := tiny(t)
	train := func(dir, init string, steps int, resume bool) (warnings string, err error) {
		cfg := cfg
		cfg.Run, cfg.Init, cfg.Steps, cfg.Resume, cfg.Given = dir, init, steps, resume, []string{"steps", "init"}
		_, err = dcgan.Train(context.Background(), cfg, dcgan.Observer{Warn: func(w string) { warnings += w + "\n" }})
		return warnings, err
	}
	dir := t.TempDir()
	first, ran := filepath.Join(dir, "first"), filepath.Join(dir, "ran")
	if _, err := train(first, "", 2, false); err != nil {
		t.Fatal(err)
	}
	checkpoint := (&run.Folder{Dir: first}).CheckpointPath(2)
	m, err := dcgan.OpenModel(checkpoint, "")
	if err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(dir, "generator.onnx") // has no moments, and no discriminator
	formats := dcgan.Formats()
	onnx := formats[slices.IndexFunc(formats, func(f dcgan.Format) bool { return f.Name == "onnx" })]
	file, err := os.Create(weights)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.Export(file, onnx, dcgan.GeneratorNetwork), file.Close()); err != nil {
		t.Fatal(err)
	}
	if warnings, err := train(ran, weights, 2, false); err != nil || !strings.Contains(warnings, "no moments") || !strings.Contains(warnings, "are drawn") {
		t.Fatalf("%q, %v", warnings, err)
	}
	for _, steps := range []int{2, 3} {
		if warnings, err := train(ran, weights, steps, true); err != nil || warnings != "" {
			t.Errorf("with the same file, to step %d: %q, %v", steps, warnings, err)
		}
		for _, init := range []string{checkpoint, ""} {
			if _, err := train(ran, init, steps, true); !input.Is(err) || !strings.Contains(err.Error(), "other first weights") {
				t.Errorf("with %q, to step %d: %v", init, steps, err)
			}
		}
		if _, err := train(first, checkpoint, steps, true); !input.Is(err) || !strings.Contains(err.Error(), "other first weights") {
			t.Errorf("of a run that began with none: %v", err)
		}
	}
}
