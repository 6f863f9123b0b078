package run

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"dcgan/internal/input"
)

func create(t *testing.T) *Writer {
	t.Helper()
	f, err := Create(System{}, filepath.Join(t.TempDir(), "runs", "mnist-001"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tree returns the files below dir with their contents, but for the lock's.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != LockName {
			name, _ := filepath.Rel(dir, path)
			files[filepath.ToSlash(name)] = get(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestNext(t *testing.T) {
	root := filepath.Join(t.TempDir(), "runs")
	want := func(number string) {
		t.Helper()
		if got := Next(root, "mnist"); got != filepath.Join(root, "mnist-"+number) {
			t.Errorf("%s, want number %s", got, number)
		}
	}
	want("001")
	for _, name := range []string{"mnist-001", "mnist-002", "mnist-x", "mnist-", "other-017", "mnist"} {
		put(t, filepath.Join(root, name, "file"), "")
	}
	want("003")
	os.RemoveAll(filepath.Join(root, "mnist-001"))
	want("003")
	put(t, filepath.Join(root, "mnist-999"), "")
	want("1000")
}

// TestCreateNext has many make the next folder at once: each gets one of its own.
func TestCreateNext(t *testing.T) {
	root := filepath.Join(t.TempDir(), "runs")
	const all = 20
	made := make(chan *Writer, all)
	for range all {
		go func() {
			w, err := CreateNext(System{}, root, "mnist")
			if err != nil {
				t.Error(err)
			}
			made <- w
		}()
	}
	var dirs []string
	for range all {
		if w := <-made; w != nil {
			defer w.Close()
			dirs = append(dirs, w.Dir)
		}
	}
	slices.Sort(dirs)
	if len(slices.Compact(dirs)) != all || dirs[0] != filepath.Join(root, "mnist-001") {
		t.Errorf("%v", dirs)
	}
	file := filepath.Join(t.TempDir(), "file")
	put(t, file, "")
	if _, err := CreateNext(System{}, file, "mnist"); err == nil {
		t.Error("a folder in a file")
	}
}

func TestCreate(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b", "c")
	for range 2 { // the second time the folder is there
		f, err := Create(System{}, dir)
		if err != nil || f.Dir != dir {
			t.Fatalf("%v", err)
		}
		f.Close()
		put(t, filepath.Join(dir, ".config.json.123.tmp"), "{") // as one that was killed leaves it
	}
	if f, err := Create(System{}, dir); err != nil || f.Close() != nil || len(tree(t, dir)) != 0 {
		t.Errorf("%v, %v", err, tree(t, dir))
	}
	put(t, filepath.Join(dir, ConfigName), "{}")
	if _, err := Create(System{}, dir); !input.Is(err) || !strings.Contains(err.Error(), "--resume") || !strings.Contains(err.Error(), dir) {
		t.Errorf("used folder: %v", err)
	}
	file := filepath.Join(root, "file")
	put(t, file, "")
	if _, err := Create(System{}, file); !input.Is(err) {
		t.Errorf("file: %v", err)
	}
	if _, err := Create(System{}, filepath.Join(file, "below")); err == nil {
		t.Error("a folder in a file")
	}
}

func TestOpen(t *testing.T) {
	root := t.TempDir()
	if _, err := Open(filepath.Join(root, "missing")); !input.Is(err) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	put(t, filepath.Join(root, "file"), "")
	if _, err := Open(filepath.Join(root, "file")); !input.Is(err) || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("file: %v", err)
	}
	put(t, filepath.Join(root, "home", "letter.txt"), "")
	if _, err := Open(filepath.Join(root, "home")); !input.Is(err) || !strings.Contains(err.Error(), "letter.txt") {
		t.Errorf("other folder: %v", err)
	}
	for name, files := range map[string][]string{
		"empty":            nil,
		"config alone":     {ConfigName},
		"killed at once":   {".config.json.123.tmp"},
		"no config":        {"checkpoints/00000100.safetensors", MetricsName, "samples/a.png"},
		"a note beside it": {ConfigName, "note.txt"},
	} {
		dir := filepath.Join(root, name)
		os.Mkdir(dir, 0o777)
		for _, file := range files {
			put(t, filepath.Join(dir, file), "{}")
		}
		before := tree(t, dir)
		if f, err := Open(dir); err != nil || f.Dir != dir {
			t.Errorf("%s: %v", name, err)
		}
		if after := tree(t, dir); len(after) != len(before) {
			t.Errorf("%s: Open changed %v to %v", name, before, after)
		}
	}
}

func TestListAndNewest(t *testing.T) {
	root := filepath.Join(t.TempDir(), "runs")
	if _, err := List(root); !input.Is(err) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	os.Mkdir(root, 0o777)
	if _, err := Newest(root); !input.Is(err) {
		t.Errorf("empty: %v", err)
	}
	put(t, filepath.Join(root, "b", ConfigName), "{}")
	put(t, filepath.Join(root, "a", CheckpointsName, "00000001.safetensors"), "")
	put(t, filepath.Join(root, "c", "letter.txt"), "")
	put(t, filepath.Join(root, "d"), "")
	dirs, err := List(root)
	want := []string{filepath.Join(root, "a"), filepath.Join(root, "b")}
	if err != nil || !slices.Equal(dirs, want) {
		t.Errorf("%v, %v, want %v", dirs, err, want)
	}
	if dirs, err := List(filepath.Join(root, "b")); err != nil || !slices.Equal(dirs, want[1:]) {
		t.Errorf("of a run itself: %v, %v", dirs, err)
	}
	past := time.Now().Add(-time.Hour)
	for _, path := range []string{"a", "a/checkpoints", "b"} {
		os.Chtimes(filepath.Join(root, path), past, past)
	}
	if dir, err := Newest(root); err != nil || filepath.Base(dir) != "b" {
		t.Errorf("of equals: %s, %v", dir, err)
	}
	put(t, filepath.Join(root, "a", MetricsName), "")
	os.Chtimes(filepath.Join(root, "a"), past, past)
	if dir, err := Newest(root); err != nil || filepath.Base(dir) != "a" {
		t.Errorf("%s, %v, want the one with new metrics", dir, err)
	}
}

func TestWriteIsWholeOrNotAtAll(t *testing.T) {
	f := create(t)
	path := filepath.Join(f.Dir, "sub", "file")
	if err := writeFile(System{}, path, text([]byte("old"))); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := writeFile(System{}, path, func(w io.Writer) error {
		io.WriteString(w, strings.Repeat("half", 1<<16))
		if get(t, path) != "old" {
			t.Error("the file changed before the new one was whole")
		}
		if len(tree(t, f.Dir)) != 2 {
			t.Errorf("files while writing: %v", len(tree(t, f.Dir)))
		}
		return broken
	})
	if !errors.Is(err, broken) || input.Is(err) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	if files := tree(t, f.Dir); len(files) != 1 || files["sub/file"] != "old" {
		t.Errorf("after a failure: %v", files)
	}
	if err := writeFile(System{}, path, text([]byte("new"))); err != nil || get(t, path) != "new" {
		t.Errorf("%v", err)
	}
	// A target that cannot be replaced.
	put(t, filepath.Join(f.Dir, "taken", "file"), "")
	if err := writeFile(System{}, filepath.Join(f.Dir, "taken"), text([]byte("new"))); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if files := tree(t, f.Dir); len(files) != 2 {
		t.Errorf("after a failure: %v", files)
	}
	if err := writeFile(System{}, filepath.Join(path, "below"), text([]byte("new"))); err == nil {
		t.Error("a file in a file")
	}
}

func TestClean(t *testing.T) {
	f := create(t)
	put(t, filepath.Join(f.Dir, ConfigName), "{}")
	put(t, filepath.Join(f.Dir, CheckpointsName, "00000100.safetensors"), "whole")
	// Writers that die leave these.
	for _, path := range []string{f.CheckpointPath(200), filepath.Join(f.Dir, SamplesName, "mnist-00200.png"), filepath.Join(f.Dir, CurvesName)} {
		func() {
			defer func() { recover() }()
			writeFile(System{}, path, func(w io.Writer) error { panic("killed") })
		}()
		put(t, filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".99999.tmp"), "half")
	}
	put(t, filepath.Join(f.Dir, "note.tmp"), "mine")
	if files := tree(t, f.Dir); len(files) != 9 {
		t.Fatalf("%d files", len(files))
	}
	if checkpoints, err := f.Checkpoints(); err != nil || len(checkpoints) != 1 {
		t.Errorf("%v, %v", checkpoints, err)
	}
	f.Close()
	again, err := Continue(System{}, f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if files := tree(t, f.Dir); len(files) != 3 || files["note.tmp"] != "mine" {
		t.Errorf("left: %v", files)
	}
}

func TestCheckpoints(t *testing.T) {
	f := create(t)
	if checkpoints, err := f.Checkpoints(); err != nil || checkpoints != nil {
		t.Errorf("%v, %v", checkpoints, err)
	}
	if err := f.Prune(3, nil); err != nil {
		t.Error(err)
	}
	steps := []int{300, 100, 123456789, 200, 1}
	for _, step := range steps {
		path, err := f.SaveCheckpoint(step, text(fmt.Append(nil, step)))
		if err != nil || path != f.CheckpointPath(step) || get(t, path) != fmt.Sprint(step) {
			t.Fatalf("%s, %v", path, err)
		}
	}
	for _, name := range []string{"100.safetensors", "000000100.safetensors", "00000400.safetensors.damaged", "00000500.txt", "x0000500.safetensors"} {
		put(t, filepath.Join(f.Dir, CheckpointsName, name), "")
	}
	want := func(steps ...int) {
		t.Helper()
		checkpoints, err := f.Checkpoints()
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, checkpoint := range checkpoints {
			got = append(got, checkpoint.Step)
			if get(t, checkpoint.Path) != fmt.Sprint(checkpoint.Step) {
				t.Errorf("%s is not of step %d", checkpoint.Path, checkpoint.Step)
			}
		}
		if !slices.Equal(got, steps) {
			t.Errorf("checkpoints %v, want %v", got, steps)
		}
	}
	want(1, 100, 200, 300, 123456789)
	if base := filepath.Base(f.CheckpointPath(100)); base != "00000100.safetensors" {
		t.Error(base)
	}
	all := func(Checkpoint) bool { return true }
	prune := func(keep int, whole func(Checkpoint) bool) {
		t.Helper()
		if err := f.Prune(keep, whole); err != nil {
			t.Error(err)
		}
	}
	prune(0, all)
	prune(5, all)
	want(1, 100, 200, 300, 123456789)
	// The best one stays, whatever its age.
	best := filepath.Join(f.Dir, BestName)
	put(t, best, `{"fid": 7.5`)
	prune(1, all)
	want(1, 100, 200, 300, 123456789)
	put(t, best, `{"step": 100, "fid": 7.5}`)
	prune(2, all)
	want(100, 300, 123456789)
	put(t, best, `{"step": 7}`)
	prune(2, all)
	want(300, 123456789)
	// And the newest whole one, while newer ones are damaged.
	f.SaveCheckpoint(100, text([]byte("100")))
	prune(1, func(c Checkpoint) bool { return c.Step == 100 })
	want(100, 123456789)
	f.SaveCheckpoint(300, text([]byte("300")))
	prune(1, func(Checkpoint) bool { return false })
	want(123456789)
	f.SaveCheckpoint(100, text([]byte("100")))
	f.SaveCheckpoint(300, text([]byte("300")))
	aside, err := f.SetAside(f.CheckpointPath(300))
	if err != nil || aside != f.CheckpointPath(300)+".damaged" || get(t, aside) != "300" {
		t.Errorf("%s, %v", aside, err)
	}
	want(100, 123456789)
	prune(1, all)
	want(123456789)
}

func TestConfig(t *testing.T) {
	f := create(t)
	if err := f.WriteConfig([]byte("{}\n")); err != nil || get(t, filepath.Join(f.Dir, ConfigName)) != "{}\n" {
		t.Error(err)
	}
}

func TestModels(t *testing.T) {
	f := create(t)
	for _, name := range []string{"generator_100.h5", "discriminator_5.h5", "generator_x.h5", "other_7.h5", "generator_7.h5.damaged"} {
		put(t, filepath.Join(f.Dir, name), "")
	}
	models, err := f.Models()
	want := []Model{{"discriminator", 5, f.ModelPath("discriminator", 5)}, {"generator", 100, f.ModelPath("generator", 100)}}
	if err != nil || !slices.Equal(models, want) {
		t.Errorf("%v, %v", models, err)
	}
}

// TestTree finds runs at every depth, through links too, and not those within another.
func TestTree(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a/" + ConfigName, "b/c/checkpoints/00000100.safetensors", "b/d/" + MetricsName, "a/inner/" + ConfigName,
		"e/checkpoints/model.pt"} {
		put(t, filepath.Join(root, filepath.FromSlash(name)), "")
	}
	want := []string{"a", "b/c", "b/d"}
	if runtime.GOOS != "windows" { // where links want a privilege
		for name, to := range map[string]string{"l": "b/c", "loop": "."} {
			if err := os.Symlink(filepath.Join(root, to), filepath.Join(root, name)); err != nil {
				t.Fatal(err)
			}
		}
		want = append(want, "l")
	}
	var got []string
	Tree(root, func(dir string, err error) {
		if err != nil {
			t.Error(err)
		}
		name, _ := filepath.Rel(root, dir)
		got = append(got, filepath.ToSlash(name))
	})
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	Tree(filepath.Join(root, "missing"), func(dir string, err error) {
		if !input.Is(err) {
			t.Errorf("%s, %v", dir, err)
		}
	})
}

func TestPictures(t *testing.T) {
	f := create(t)
	picture := image.NewGray(image.Rect(0, 0, 3, 2))
	path, err := f.SaveSample("mnist", 100, picture)
	if err != nil || path != filepath.Join(f.Dir, "samples", "mnist-00100.png") {
		t.Fatalf("%s, %v", path, err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if back, err := png.Decode(file); err != nil || back.Bounds() != picture.Bounds() {
		t.Errorf("%v", err)
	}
	if err := f.SaveCurves([]byte("png")); err != nil || get(t, filepath.Join(f.Dir, "curves.png")) != "png" {
		t.Errorf("%v", err)
	}
}
