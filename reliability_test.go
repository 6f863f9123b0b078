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
	"strings"
	"syscall"
	"testing"

	"dcgan"
	"dcgan/internal/fault"
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
	for at := range calls {
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
	t.Logf("%d faults, one at each call", calls)
}
