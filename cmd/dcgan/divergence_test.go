package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDivergence trains with learning rates that no training survives, and does what the program then says.
func TestDivergence(t *testing.T) {
	dir := t.TempDir()
	metrics := func(run string) string {
		text, err := os.ReadFile(filepath.Join(dir, run, "metrics.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	// With 1 the numbers stay finite, but G collapses.
	got := trainTiny(t, dir, "--lr", "1", "--steps", "450", "--quiet", "--run", "one")
	wantError(t, got, statusFailed, "step 399: G has drawn nearly the same image for every latent for 200 steps")
	for _, says := range []string{"try a smaller --lr than 1", "the checkpoint of step 399 is whole", "--resume --run one --on-divergence restart"} {
		if !strings.Contains(got.stderr, says) {
			t.Errorf("it does not say %q: %q", says, got.stderr)
		}
	}
	if !strings.HasSuffix(metrics("one"), `{"step":399,"event":"collapse","reason":"G has drawn nearly the same image for every latent for 200 steps (variance 0)"}`+"\n") {
		t.Errorf("metrics end with %q", metrics("one")[len(metrics("one"))-200:])
	}
	wantDone(t, call(t, dir, "sample", "one", "-n", "1"), "1 image of")
	got = call(t, dir, "train", "--resume", "--run", "one", "--on-divergence", "warn")
	wantDone(t, got, "one is at step 450")

	got = trainTiny(t, dir, "--lr", "1", "--steps", "450", "--quiet", "--run", "again", "--on-divergence", "restart")
	wantDone(t, got, "")
	if !strings.Contains(got.stderr, "restart 1 of at most 3, from step 300 with a learning rate of 0.5") || strings.Count(metrics("again"), `"event":"restart"`) != 1 {
		t.Errorf("%q", got.stderr)
	}

	// With 1e30 the first step is the last.
	got = trainTiny(t, dir, "--lr", "1e30", "--quiet", "--run", "much", "--on-divergence", "warn")
	wantError(t, got, statusFailed, "step 1: ")
	got = call(t, dir, "train", "--resume", "--run", "much", "--quiet", "--on-divergence", "restart")
	if got.status != statusFailed || !strings.Contains(got.stderr, "diverged after 3 restarts") || !strings.Contains(got.stderr, "the checkpoint of step 0 is whole") {
		t.Errorf("status %d, %q", got.status, got.stderr)
	}
	wantDone(t, call(t, dir, "runs", "."), "much")
	wantError(t, trainTiny(t, dir, "--on-divergence", "panic", "--run", "none"), statusInput, `--on-divergence: "panic" is none of stop, restart, warn`)
}
