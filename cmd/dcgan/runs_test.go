package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVerify damages each file of a run in turn, in a tree of runs, and has it be told.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	k := newKilled(t)
	for _, name := range []string{"all/a", "all/deep/er/b"} {
		wantDone(t, call(t, dir, append(k.on(name), "--steps", "6")...), "")
	}
	write(t, filepath.Join(dir, "all", "a", "best.json"), `{"step": 6}`)
	write(t, filepath.Join(dir, "all", "a", "checkpoints", "00000001.safetensors.damaged"), "set aside")
	got := call(t, dir, "runs", "--verify", "all")
	// Of each run settings, metrics, two checkpoints, curves, and grids of steps 1, 3 and 6.
	wantDone(t, got, "whole: 17 files of 2 runs in all\n")
	wantDone(t, call(t, dir, "runs", "--verify", filepath.Join("all", "deep", "er", "b")), "whole: 8 files of 1 runs")
	wantDone(t, call(t, dir, "runs", "--verify"), "no runs in runs")

	cut := func(text []byte) []byte { return text[:len(text)/2] }
	turned := func(text []byte) []byte { text[len(text)-20] ^= 4; return text }
	for _, test := range []struct {
		file string
		harm func([]byte) []byte
		says string
	}{
		{"a/config.json", cut, "config.json"},
		{"a/best.json", cut, "best.json"},
		{"a/metrics.jsonl", func(text []byte) []byte { text[len(text)-2] = 0; return text }, "line 6"},
		{"a/metrics.jsonl", func(text []byte) []byte { return []byte(strings.Replace(string(text), `"step":3`, `"step":4`, 1)) }, "step 4 follows step 2"},
		{"a/checkpoints/00000003.safetensors", turned, `tensor "adam.discriminator.dense/`},
		{"a/checkpoints/00000006.safetensors", cut, "cut short"},
		{"deep/er/b/samples/images-00003.png", turned, "images-00003.png"},
		{"deep/er/b/curves.png", cut, "curves.png"},
	} {
		path := filepath.Join(dir, "all", filepath.FromSlash(test.file))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, string(test.harm(bytes.Clone(text))))
		got := call(t, dir, "runs", "--verify", "all")
		if got.status != statusInput || strings.Count(got.stdout, "\n") != 1 || !strings.HasPrefix(got.stdout, "damaged: ") ||
			!strings.Contains(got.stdout, test.says) || !strings.Contains(got.stdout, filepath.Base(path)) ||
			got.stderr != "dcgan: 1 of 17 files in all are damaged: a run goes on from its newest whole checkpoint by --resume\n" {
			t.Errorf("%s: %+v", test.file, got)
		}
		write(t, path, string(text))
	}
}
