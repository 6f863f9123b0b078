//go:build linux || darwin

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipes has a named pipe in place of each file of a run: to open one would mean to wait for a writer for ever.
func TestPipes(t *testing.T) {
	dir := t.TempDir()
	k := newKilled(t)
	wantDone(t, call(t, dir, append(k.on("r"), "--steps", "6", "--tensorboard", "--keras-h5")...), "")
	write(t, filepath.Join(dir, "r", "best.json"), `{"step": 6}`)
	for _, name := range []string{"config.json", "metrics.jsonl", "best.json", "checkpoints/00000006.safetensors", "samples/images-00006.png",
		"curves.png", "tensorboard/events.out.tfevents.dcgan", "generator_6.h5"} {
		path := filepath.Join(dir, "r", name)
		if err := os.Rename(path, filepath.Join(dir, "saved")); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o666); err != nil {
			t.Skip("no pipes here: ", err)
		}
		got := call(t, dir, "runs", "--verify", "r")
		if got.status != statusInput || !strings.Contains(got.stdout, name+": is not a file\n") {
			t.Errorf("%s: %+v", name, got)
		}
		wantDone(t, call(t, dir, "runs", "."), "r ")
		call(t, dir, "train", "--resume", "--run", "r", "--dry-run")
		if err := os.Rename(filepath.Join(dir, "saved"), path); err != nil {
			t.Fatal(err)
		}
	}
}
