package run

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dcgan/internal/input"
)

func TestLock(t *testing.T) {
	f := create(t)
	put(t, filepath.Join(f.Dir, ConfigName), "{}")
	refused := func(err error) {
		t.Helper()
		if !input.Is(err) || !strings.Contains(err.Error(), f.Dir) || !strings.Contains(err.Error(), fmt.Sprintf("process %d:", os.Getpid())) {
			t.Errorf("%v: want a refusal that names the folder and this process", err)
		}
	}
	_, err := Continue(System{}, f.Dir)
	refused(err)
	refused(Vacant(f.Dir))
	// Readers go on.
	if reader, err := Open(f.Dir); err != nil {
		t.Error(err)
	} else if _, err := reader.Checkpoints(); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Vacant(f.Dir); !input.Is(err) || !strings.Contains(err.Error(), "is not empty") {
		t.Error(err)
	}
	if err := Vacant(t.TempDir()); err != nil {
		t.Error(err)
	}
	again, err := Continue(System{}, f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()

	// Of two that make the same folder one is refused, before it has a file and after.
	f.Dir = filepath.Join(t.TempDir(), "new")
	first, err := Create(System{}, f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	_, err = Create(System{}, f.Dir)
	refused(err)

	// Whatever stands in the file, a refusal is one.
	file, err := os.OpenFile(filepath.Join(f.Dir, LockName), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, text := range []string{"", "1234", "abc\n", strings.Repeat("9", 99) + "\n"} {
		if _, err := file.WriteAt(append([]byte(text), make([]byte, 100)...), pidAt); err != nil {
			t.Fatal(err)
		}
		if _, err := Create(System{}, f.Dir); !input.Is(err) || !strings.Contains(err.Error(), "another process") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestLockThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, LockName), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Continue(System{}, dir); err == nil || !strings.Contains(err.Error(), "cannot be locked") {
		t.Errorf("%v", err)
	}
}
