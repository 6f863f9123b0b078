package run

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
)

// TestRewind removes what was made after a step, and nothing else.
func TestRewind(t *testing.T) {
	f := create(t)
	if err := f.Rewind(3); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	kept := []string{
		"checkpoints/00000100.safetensors", "checkpoints/00000300.safetensors.damaged", "curves.png", "discriminator_100.h5",
		"metrics.jsonl", "mine_200.h5",
		"samples/a-200.png", "samples/mnist-00001.png", "samples/mnist-00100.png", "samples/notes.txt",
	}
	for _, name := range append(kept, "checkpoints/00000101.safetensors", "checkpoints/00000200.safetensors",
		"generator_101.h5", "discriminator_200.h5", "samples/mnist-00101.png", "samples/mnist-100000.png") {
		put(t, filepath.Join(f.Dir, name), "")
	}
	for range 2 {
		if err := f.Rewind(100); err != nil {
			t.Fatal(err)
		}
		if left := slices.Sorted(maps.Keys(tree(t, f.Dir))); !slices.Equal(left, kept) {
			t.Errorf("left %v", left)
		}
	}
}
