package main

import (
	"path/filepath"
	"strings"
	"testing"

	"dcgan/config"
)

// TestKeras trains on from what a run saved for Keras, as from its checkpoint: the layers, weights, moments and steps of
// Adam are those of the files.
func TestKeras(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	wantDone(t, trainTiny(t, dir, "--steps", "3", "--save-every", "2", "--keep", "1", "--keras-h5", "--run", "r", "--quiet"), "")
	wantDone(t, call(t, dir, "train", "--resume", "--run", "r", "--steps", "4", "--quiet"), "")
	saved, err := filepath.Glob(in("r/*.h5"))
	if err != nil || len(saved) != 6 {
		t.Fatalf("saved %v, %v, want a pair of steps 2, 3 and 4", saved, err)
	}

	// The flags of the run's networks are not repeated with the files.
	pair := "r/generator_4.h5,r/discriminator_4.h5"
	data := tiny[:3:3] // the batch
	got := call(t, dir, append(data, "--init", pair, "--run", "h5", "--steps", "2")...)
	wantDone(t, got, "")
	if strings.Contains(got.stderr, "warning") {
		t.Errorf("moments are there, and it says %s", got.stderr)
	}
	wantDone(t, trainTiny(t, dir, "--init", "r/checkpoints/00000004.safetensors", "--run", "checkpoint", "--steps", "2", "--quiet"), "")
	if read(t, in("h5/checkpoints/00000002.safetensors")) != read(t, in("checkpoint/checkpoints/00000002.safetensors")) {
		t.Error("from Keras' files it goes on otherwise than from the checkpoint")
	}
	was, now := config.Default(), config.Default()
	if _, err := was.Load(in("r/config.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := now.Load(in("h5/config.json")); err != nil {
		t.Fatal(err)
	}
	if list := config.Differences(&was, &now); len(list) > 0 {
		t.Errorf("the settings do not say what the layers are: %v", list)
	}
	wantDone(t, call(t, dir, "train", "--resume", "--run", "h5", "--steps", "3", "--quiet"), "")

	wantDone(t, call(t, dir, "sample", "r/generator_4.h5", "-n", "2", "--out", "a.npy"), "")
	wantDone(t, call(t, dir, "sample", "r", "-n", "2", "--out", "b.npy"), "")
	if read(t, in("a.npy")) != read(t, in("b.npy")) {
		t.Error("Keras' file draws other images than the run")
	}

	refuse := func(says string, args ...string) {
		t.Helper()
		wantError(t, call(t, dir, args...), statusInput, says)
	}
	refuse("--dropout: 0.9 is asked for", append(data, "--init", pair, "--run", "bad", "--dropout", "0.9")...)
	refuse("holds no discriminator", append(data, "--init", "r/generator_4.h5,r/generator_4.h5", "--run", "bad")...)
	refuse("exclude each other", "sample", "r/generator_4.h5", "--arch", "seed", "--checkpoint", "4")
	refuse("says itself which layers it has", "sample", "r/generator_4.h5", "--arch", "seed")
	refuse("says itself which layers it has", "summary", "r/checkpoints/00000004.safetensors", "--arch", "seed")
	refuse("--arch: nosuch", "sample", "r/generator_4.h5", "--arch", "nosuch")
	refuse("no JSON of Keras", "summary", "r/generator_4.h5", "--arch", "r/metrics.jsonl")
	refuse("r is a folder", "export", "r", "--format", "keras", "--arch", "seed")

	// Of a file with another dropout, the default is refused too where it is asked for, and not where it is not.
	wantDone(t, trainTiny(t, dir, "--steps", "1", "--keras-h5", "--dropout", "0.3", "--run", "other", "--quiet"), "")
	write(t, in("dropout.json"), `{"dropout": 0.4}`)
	other := append(data, "--init", "other/generator_1.h5,other/discriminator_1.h5", "--run", "bad", "--dry-run")
	wantDone(t, call(t, dir, other...), "weights from")
	refuse("--dropout: 0.4 is asked for", append(other, "--dropout", "0.4")...)
	refuse("--dropout: 0.4 is asked for", append(other, "--config", "dropout.json")...)
	// No settings make G's kernels and D's differ.
	refuse("--kernel: 5 is asked for", append(data, "--init", "other/generator_1.h5", "--kernel", "5", "--run", "bad", "--dry-run")...)

	// Without moments it says so.
	wantDone(t, call(t, dir, "export", "r", "--format", "onnx", "--network", "both", "--out", "onnx"), "")
	got = trainTiny(t, dir, "--init", "onnx/generator.onnx", "--run", "anew", "--steps", "1")
	wantDone(t, got, "")
	for _, says := range []string{"no moments of Adam for the generator", "they start anew at t = 0", "no file has a discriminator"} {
		if !strings.Contains(got.stderr, says) {
			t.Errorf("stderr %q, want %q", got.stderr, says)
		}
	}
}
