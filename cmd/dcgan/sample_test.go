package main

import (
	"bytes"
	"errors"
	"image"
	"image/gif"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dcgan"
	"dcgan/internal/input"
)

func TestWalk(t *testing.T) {
	latents := []float32{1, 0, 0, 2, -1, 0} // three of two values, none opposite to the next but the last to the first
	const frames = 8
	path := walk(latents, 2, frames)
	if len(path) != 3*frames*2 {
		t.Fatalf("%d values", len(path))
	}
	for i := range 3 {
		at := path[i*frames*2:][:2]
		if math.Abs(float64(at[0]-latents[2*i])) > 1e-6 || math.Abs(float64(at[1]-latents[2*i+1])) > 1e-6 {
			t.Errorf("frame %d is %v, want latent %d", i*frames, at, i)
		}
	}
	half := path[frames/2*2:][:2]
	if length := math.Hypot(float64(half[0]), float64(half[1])); math.Abs(length-1.5) > 1e-6 {
		t.Errorf("half way between lengths 1 and 2: %v", length)
	}
	for _, same := range [][]float32{{1, 2, 1, 2}, {0, 0, 0, 0}, {0, 0, 1, 1}, {1, 1, -1, -1}} {
		for i, v := range walk(same, 2, 3) {
			if v != v || math.Abs(float64(v)) > 2.001 {
				t.Errorf("%v: value %d is %v", same, i, v)
			}
		}
	}
}

func TestSquareGrid(t *testing.T) {
	for n := 1; n <= 1000; n++ {
		rows, cols := squareGrid(n)
		if rows*cols < n || (rows-1)*cols >= n || cols < rows || cols > rows+1 && n > 2 {
			t.Errorf("%d: %dx%d", n, rows, cols)
		}
	}
	if rows, cols := squareGrid(25); rows != 5 || cols != 5 {
		t.Errorf("25: %dx%d", rows, cols)
	}
}

func TestParseGrid(t *testing.T) {
	if rows, cols, err := parseGrid("4X10"); rows != 4 || cols != 10 || err != nil {
		t.Errorf("%d, %d, %v", rows, cols, err)
	}
	for _, text := range []string{"", "5", "x", "5x", "x5", "0x5", "-5x5", "5x5x5", "5 x 5", "100001x1", "99999999999x99999999999"} {
		if _, _, err := parseGrid(text); !input.Is(err) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestOutKind(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Mkdir(at("folder.png"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, at("file"), "")
	write(t, at("old.png"), "")
	for out, want := range map[string]outputKind{
		at("a.png"): kindPNG, at("a.PNG"): kindPNG, at("old.png"): kindPNG, at("a.npy"): kindNPY, at("a.gif"): kindGIF,
		at("new"): kindFolder, at("new.d") + "/": kindFolder, at("folder.png"): kindFolder, dir: kindFolder,
	} {
		if got, err := outKind(out); err != nil || got != want {
			t.Errorf("%s: %v, %v", out, got, err)
		}
	}
	for _, out := range []string{"", at("a.jpg"), at("file"), at("file") + "/", at("no/a.png"), at("file/a.png")} {
		if _, err := outKind(out); !input.Is(err) {
			t.Errorf("%s: %v", out, err)
		}
	}
}

func TestWriteFileIsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	write(t, path, "old")
	broken := errors.New("broken")
	err := writeFile(path, func(w io.Writer) error {
		w.Write(bytes.Repeat([]byte("x"), 100_000))
		return broken
	})
	if old, _ := os.ReadFile(path); !errors.Is(err, broken) || !strings.Contains(err.Error(), path) || string(old) != "old" {
		t.Errorf("%v, file %q", err, old)
	}
	if err := writeFile(path, func(w io.Writer) error { _, err := w.Write([]byte("new")); return err }); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "new" {
		t.Errorf("file %q", text)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("files left: %v", files)
	}
}

// ramp is n images that differ in brightness.
func ramp(n, h, w, c int) dcgan.Images {
	images := dcgan.Images{N: n, H: h, W: w, C: c, Pixels: make([]float32, n*h*w*c)}
	for i := range images.Pixels {
		images.Pixels[i] = -1 + 2*float32(i/(h*w*c))/float32(max(1, n-1))
	}
	return images
}

func TestWriteFolder(t *testing.T) {
	for _, name := range []string{"new", "new/", "old", "old/"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "old")
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(path, "0001.png"), "overwritten")
		write(t, filepath.Join(path, "other"), "kept")
		path = filepath.Join(dir, strings.TrimSuffix(name, "/"))
		if err := writeImages(filepath.Join(dir, "x")[:len(dir)+1]+name, ramp(3, 4, 5, 1)); err != nil {
			t.Fatal(err)
		}
		want := []string{"0001.png", "0002.png", "0003.png"}
		if strings.HasPrefix(name, "old") {
			want = append(want, "other")
		}
		entries, err := os.ReadDir(path)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if err != nil || !slices.Equal(names, want) {
			t.Errorf("%s: %v, %v", name, names, err)
		}
		for i, grey := range []uint32{0, 128, 255} {
			img := decode(t, filepath.Join(path, want[i]))
			if r, _, _, _ := img.At(2, 2).RGBA(); img.Bounds().Dx() != 5 || img.Bounds().Dy() != 4 || max(r>>8, grey)-min(r>>8, grey) > 1 {
				t.Errorf("%s: image %d: %v, brightness %d, want %d", name, i, img.Bounds(), r>>8, grey)
			}
		}
	}
}

func decode(t *testing.T, path string) image.Image {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestWriteWalk(t *testing.T) {
	for _, channels := range []int{1, 3} {
		path := filepath.Join(t.TempDir(), "a.gif")
		if err := writeWalk(path, ramp(3, 28, 28, channels)); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		film, err := gif.DecodeAll(file)
		file.Close()
		if err != nil || len(film.Image) != 3 || film.LoopCount != 0 || film.Config.Width != 112 || film.Config.Height != 112 {
			t.Fatalf("%d channels: %v, %+v", channels, err, film.Config)
		}
		for i, grey := range []uint32{0, 128, 255} {
			if r, _, _, _ := film.Image[i].At(50, 50).RGBA(); channels == 1 && max(r>>8, grey)-min(r>>8, grey) > 1 {
				t.Errorf("frame %d: brightness %d, want %d", i, r>>8, grey)
			}
		}
	}
}

// TestLatentsAtFault: a folder in place of latents is the user's error, a file that the machine cannot read is not.
func TestLatentsAtFault(t *testing.T) {
	if _, _, err := readLatents(t.TempDir(), 5); !input.Is(err) {
		t.Errorf("a folder: %v", err)
	}
	bad := filepath.Join(t.TempDir(), "bad.npy")
	write(t, bad, "\x93NUMPY")
	if _, _, err := readLatents(bad, 5); !input.Is(err) || !strings.Contains(err.Error(), bad) {
		t.Errorf("a bad file: %v", err)
	}
	const unreadable = "/proc/self/mem" // whose first page no process has
	if _, err := os.Stat(unreadable); err != nil {
		t.Skip("no " + unreadable + " here")
	}
	if _, _, err := readLatents(unreadable, 5); err == nil || input.Is(err) || !strings.Contains(err.Error(), unreadable) {
		t.Errorf("an input/output error: %v", err)
	}
}
