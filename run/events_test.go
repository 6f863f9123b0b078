package run

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEvents begins an event file anew and goes on with it: cut in place where it begins as it should, else replaced.
func TestEvents(t *testing.T) {
	f := create(t)
	path := filepath.Join(f.Dir, EventsName, "events.out.tfevents.dcgan")
	start := func(parts ...string) os.FileInfo {
		t.Helper()
		err := f.StartEvents(func(w io.Writer) error {
			for _, part := range parts {
				if _, err := io.WriteString(w, part); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || get(t, path) != strings.Join(parts, "") {
			t.Fatalf("%q, %v", get(t, path), err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	appended := func(text string) {
		t.Helper()
		before := get(t, path)
		if err := f.AppendEvents([]byte(text)); err != nil || get(t, path) != before+text {
			t.Fatalf("%q, %v", get(t, path), err)
		}
	}

	first := start("one ", "two ")
	appended("three ")
	appended("fo")
	if cut := start("one ", "two ", "three "); !os.SameFile(first, cut) {
		t.Error("a file that begins as it should was replaced")
	}
	appended("four ")
	start("one ", "TWO ")
	appended("three ")
	start("one ", "TWO ", "three ", "longer than the file")
	appended("more")

	broken := errors.New("broken")
	if err := f.StartEvents(func(io.Writer) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if files := tree(t, f.Dir); len(files) != 1 {
		t.Errorf("left %v", files)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}

	put(t, filepath.Join(f.Dir, EventsName, ".events.1.tmp"), "half")
	again, err := Continue(System{}, f.Dir)
	if err != nil {
		t.Fatal("events alone make it no run folder:", err)
	}
	defer again.Close()
	if len(tree(t, f.Dir)) != 1 {
		t.Errorf("not cleaned: %v", tree(t, f.Dir))
	}
}
