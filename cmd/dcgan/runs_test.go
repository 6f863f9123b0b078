package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dcgan/internal/fault"
)

// TestVerify damages each file of a run in turn, in a tree of runs, and has it be told; then it removes them in turn.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	k := newKilled(t)
	for _, name := range []string{"all/a", "all/deep/er/b"} {
		wantDone(t, call(t, dir, append(k.on(name), "--steps", "6", "--tensorboard", "--keras-h5")...), "")
	}
	write(t, filepath.Join(dir, "all", "a", "best.json"), `{"step": 6}`)
	write(t, filepath.Join(dir, "all", "a", "checkpoints", "00000001.safetensors.damaged"), "set aside")
	got := call(t, dir, "runs", "--verify", "all")
	// Of each run settings, metrics, events, two checkpoints, two pairs for Keras, curves, and grids of steps 1, 3 and 6.
	wantDone(t, got, "whole: 27 files of 2 runs in all\n")
	wantDone(t, call(t, dir, "runs", "--verify", filepath.Join("all", "deep", "er", "b")), "whole: 13 files of 1 run in ")
	wantDone(t, call(t, dir, "runs", "--verify"), "no runs in runs")
	if runtime.GOOS != "windows" { // where links want a privilege
		if err := os.Symlink("all", filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		wantDone(t, call(t, dir, "runs", "--verify", "link"), "whole: 27 files of 2 runs in link\n")
	}

	cut := func(text []byte) []byte { return text[:len(text)/2] }
	turned := func(text []byte) []byte { text[len(text)-20] ^= 4; return text }
	replaced := func(old, new string) func([]byte) []byte {
		return func(text []byte) []byte { return bytes.Replace(text, []byte(old), []byte(new), 1) }
	}
	lines := func(n int) func([]byte) []byte {
		return func(text []byte) []byte { return bytes.Join(bytes.SplitAfter(text, []byte("\n"))[:n], nil) }
	}
	removed := func([]byte) []byte { return nil }
	type harm struct {
		file string
		harm func([]byte) []byte
		says string
	}
	tests := []harm{
		{"a/config.json", cut, "config.json"},
		{"a/config.json", replaced(`"batch": 2`, `"batch": 4`), "batch: old 2, new 4"},
		{"a/config.json", replaced(`"keep": 2`, `"keep": -2`), "below 0"},
		{"a/best.json", cut, "best.json"},
		{"a/metrics.jsonl", func(text []byte) []byte { text[len(text)-2] = 0; return text }, "line 6"},
		{"a/metrics.jsonl", replaced(`"step":3`, `"step":4`), "step 4 follows step 2"},
		{"a/metrics.jsonl", lines(5), "ends with step 5, and there is a checkpoint of step 6"},
		{"a/metrics.jsonl", lines(0), "ends with step 0"},
		{"a/checkpoints/00000003.safetensors", turned, `tensor "adam.discriminator.dense/`},
		{"a/checkpoints/00000006.safetensors", cut, "cut short"},
		{"a/generator_3.h5", cut, "cut short"},
		{"a/generator_3.h5", func(text []byte) []byte { text[len(text)*3/4] ^= 1; return text }, "generator_3.h5: "},
		{"a/discriminator_6.h5", func([]byte) []byte { return []byte(read(t, filepath.Join(dir, "all/a/generator_6.h5"))) }, "no discriminator"},
		{"a/discriminator_6.h5", func([]byte) []byte { return []byte(read(t, filepath.Join(dir, "all/a/discriminator_3.h5"))) }, "not those of the checkpoint"},
		{"a/tensorboard/events.out.tfevents.dcgan", func(text []byte) []byte { text[40] ^= 1; return text }, "record 2, at byte 40, is damaged"},
		{"a/tensorboard/events.out.tfevents.dcgan", turned, "checksum"},
		{"a/tensorboard/events.out.tfevents.dcgan", cut, "cut short: its numbers end with step "},
		{"a/tensorboard/events.out.tfevents.dcgan", func(text []byte) []byte { return text[:len(text)-1] }, "lacks the samples of step 6"},
		{"deep/er/b/samples/images-00003.png", turned, "images-00003.png"},
		{"deep/er/b/curves.png", cut, "curves.png"},
	}
	for _, file := range []string{"config.json", "metrics.jsonl", "curves.png", "samples/images-00001.png", "samples/images-00003.png",
		"samples/images-00006.png", "generator_3.h5", "discriminator_6.h5", "tensorboard/events.out.tfevents.dcgan"} {
		tests = append(tests, harm{"a/" + file, removed, ": is missing"})
	}
	for _, test := range tests {
		path := filepath.Join(dir, "all", filepath.FromSlash(test.file))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if harmed := test.harm(bytes.Clone(text)); harmed != nil {
			write(t, path, string(harmed))
		} else if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		got := call(t, dir, "runs", "--verify", "all")
		if got.status != statusInput || strings.Count(got.stdout, "\n") != 1 || !strings.HasPrefix(got.stdout, "damaged: ") ||
			!strings.Contains(got.stdout, test.says) || !strings.Contains(got.stdout, filepath.Base(path)) ||
			got.stderr != "dcgan: 1 of 27 files in all damaged or missing: a run goes on from its newest whole checkpoint by --resume\n" {
			t.Errorf("%s: %+v", test.file, got)
		}
		write(t, path, string(text))
	}

	for _, name := range []string{"3", "6"} {
		if err := os.Remove(filepath.Join(dir, "all", "a", "checkpoints", "0000000"+name+".safetensors")); err != nil {
			t.Fatal(err)
		}
	}
	got = call(t, dir, "runs", "--verify", "all")
	if got.status != statusInput || !strings.Contains(got.stdout, "no checkpoint is there, though metrics.jsonl has 6 steps and one is saved every 3") {
		t.Errorf("without checkpoints: %+v", got)
	}
}

// TestVerifyKilled kills trainings before calls of the disk, early ones and late: what is left is whole.
func TestVerifyKilled(t *testing.T) {
	k := newKilled(t)
	every := 1 + len(k.calls)/20
	if testing.Short() {
		every *= 4
	}
	for call := k.nth(t, 1, fault.Rename, "config.json") + 1; call < len(k.calls); call += every {
		dir := t.TempDir()
		killAtCall(t, call, k.on(filepath.Join(dir, "runs", "r")))
		wantWhole(t, dir, fmt.Sprintf("killed at call %d, %v", call, k.calls[call]))
	}
}

// wantWhole verifies the runs below a folder.
func wantWhole(t *testing.T, dir, what string) {
	t.Helper()
	if got := call(t, dir, "runs", "--verify", "."); got.status != 0 || !strings.HasPrefix(got.stdout, "whole: ") {
		t.Errorf("%s: %+v", what, got)
	}
}

// TestVerifyChanged resumes a run that saves otherwise from then on: what it did not make before is not missing, and what
// it makes from then on is, if it is not there.
func TestVerifyChanged(t *testing.T) {
	dir := t.TempDir()
	k := newKilled(t)
	wantDone(t, call(t, dir, append(k.on("r"), "--steps", "6")...), "")
	wantDone(t, call(t, dir, "train", "--resume", "--run", "r", "--steps", "10", "--save-every", "2", "--keras-h5"), "")
	wantWhole(t, dir, "another interval")
	wantDone(t, call(t, dir, "train", "--resume", "--run", "r", "--steps", "12", "--tensorboard"), "")
	wantWhole(t, dir, "events too")
	wantDone(t, call(t, dir, "train", "--resume", "--run", "r", "--steps", "14"), "")
	wantWhole(t, dir, "once more")
	for _, file := range []string{"samples/images-00014.png", "generator_14.h5"} {
		if err := os.Remove(filepath.Join(dir, "r", file)); err != nil {
			t.Fatal(err)
		}
	}
	if got := call(t, dir, "runs", "--verify", "r"); got.status != statusInput || strings.Count(got.stdout, ": is missing\n") != 2 {
		t.Errorf("%+v", got)
	}
}

// TestVerifyRunning verifies a run again and again while it is trained and, as it diverges, goes back.
func TestVerifyRunning(t *testing.T) {
	k := newKilled(t)
	dir := t.TempDir()
	training := command(t, dir, append(k.on("r"), "--steps", "450", "--save-every", "20", "--keep", "1", "--tensorboard",
		"--lr", "3", "--on-divergence", "restart")...)
	lines := await(t, training, "1 [D loss")
	ended := make(chan bool)
	go func() {
		io.Copy(io.Discard, lines)
		training.Wait()
		close(ended)
	}()
	for running := true; running && !t.Failed(); {
		wantWhole(t, dir, "while it is trained")
		select {
		case <-ended:
			running = false
		default:
		}
	}
	if t.Failed() {
		training.Process.Kill()
		<-ended
	}
	wantWhole(t, dir, "in the end")
	if !strings.Contains(read(t, filepath.Join(dir, "r", "metrics.jsonl")), `"event":"restart"`) {
		t.Error("it was to go back")
	}
}

// TestBadFolders has folders with this and that wrong among runs: each is listed, with what is wrong, and hides no other.
func TestBadFolders(t *testing.T) {
	dir := t.TempDir()
	k := newKilled(t)
	for _, name := range []string{"a", "b", "c", "z"} {
		wantDone(t, call(t, dir, append(k.on("all/"+name), "--steps", "3", "--keras-h5")...), "")
	}
	in := func(name string) string { return filepath.Join(dir, "all", filepath.FromSlash(name)) }
	for _, name := range []string{"a/config.json", "b/config.json", "b/checkpoints/00000003.safetensors", "c/checkpoints/00000003.safetensors"} {
		if err := os.Remove(in(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"d", "e", "f/checkpoints"} {
		if err := os.MkdirAll(in(name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	write(t, in("a/letter.txt"), "no file of a run")
	write(t, in("d/config.json"), "[]")
	write(t, in("e/config.json"), "{}")
	write(t, in("e/checkpoints"), "a file")
	write(t, in("f/checkpoints/model.pt"), "no run")

	got := call(t, dir, "runs", "all")
	rows := strings.Split(got.stdout, "\n")
	for name, state := range map[string]string{"a": "damaged", "b": "damaged", "c": "no checkpoint yet", "d": "damaged", "e": "damaged", "z": "whole"} {
		if !slices.ContainsFunc(rows, func(row string) bool {
			return strings.HasPrefix(row, filepath.Join("all", name)+" ") && strings.HasSuffix(row, " "+state)
		}) {
			t.Errorf("%s is not listed as %s: %+v", name, state, got)
		}
	}
	for _, says := range []string{"a/config.json: is missing", "b/config.json: is missing", "d/config.json", "checkpoints of all/e: "} {
		if !strings.Contains(got.stdout, filepath.FromSlash(says)) {
			t.Errorf("%q does not say %q", got.stdout, says)
		}
	}
	if got = call(t, dir, "runs", "--verify", "all"); got.status != statusInput {
		t.Errorf("%+v", got)
	}
	for _, says := range []string{"a/config.json: is missing", "b/config.json: is missing", "d/config.json", "e/checkpoints: "} {
		if !strings.Contains(got.stdout, filepath.FromSlash(says)) {
			t.Errorf("%q does not say %q", got.stdout, says)
		}
	}

	for name, says := range map[string]string{"a": "put that back, or begin a new run from a checkpoint with --init",
		"b": "start over in another folder with --run", "d": "config.json", "e": "checkpoints"} {
		got := call(t, dir, append(k.on("all/"+name), "--resume")...)
		if got.status == 0 || !strings.Contains(got.stderr, says) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s does not say %q: %+v", name, says, got)
		}
	}
}
