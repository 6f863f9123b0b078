package run

import (
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dcgan/internal/input"
)

func lines(t *testing.T, f *Folder) []string {
	t.Helper()
	var all []string
	if err := f.ReadMetrics(func(line []byte) error { all = append(all, string(line)); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestMetrics(t *testing.T) {
	type metrics struct {
		Step  int     `json:"step"`
		DLoss float64 `json:"d_loss"`
	}
	f := create(t)
	if got := lines(t, &f.Folder); got != nil {
		t.Errorf("no file: %q", got)
	}
	for step := 1; step <= 3; step++ {
		if err := f.AppendMetrics(metrics{step, 0.5}); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{`{"step":1,"d_loss":0.5}`, `{"step":2,"d_loss":0.5}`, `{"step":3,"d_loss":0.5}`}
	if got := lines(t, &f.Folder); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if err := f.AppendMetrics(metrics{4, math.NaN()}); err == nil {
		t.Error("NaN was written")
	}
	if _, err := f.SaveCheckpoint(3, text(nil)); err != nil {
		t.Error(err)
	}
	// Another folder value, as after a restart, goes on below.
	f.Close()
	again, err := Continue(System{}, f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.AppendMetrics(map[string]any{"step": 3, "fid": 12.5, "new": "key"}); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, &f.Folder); len(got) != 4 || got[3] != `{"fid":12.5,"new":"key","step":3}` {
		t.Errorf("%q", got)
	}
	// Unknown keys do not disturb a reader.
	last := metrics{}
	if err := f.ReadMetrics(func(line []byte) error { return json.Unmarshal(line, &last) }); err != nil || last.Step != 3 {
		t.Errorf("%v, %v", last, err)
	}
	stop, calls := errors.New("stop"), 0
	if err := f.ReadMetrics(func([]byte) error { calls++; return stop }); err != stop || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestReadMetricsOfAFileBeingWrittenOrDamaged(t *testing.T) {
	f := create(t)
	path := filepath.Join(f.Dir, MetricsName)
	put(t, path, "{\"step\":1}\n{\"step\":2}\n{\"ste")
	if got := lines(t, &f.Folder); !slices.Equal(got, []string{`{"step":1}`, `{"step":2}`}) {
		t.Errorf("%q", got)
	}
	for _, bad := range []string{"{\"step\":1}\n\n{\"step\":2}\n", "{\"step\":1}\nxyz\n", "{\"step\":1}\n" + strings.Repeat("1", 3*maxLine) + "\n"} {
		put(t, path, bad)
		err := f.ReadMetrics(func([]byte) error { return nil })
		if !input.Is(err) || !strings.Contains(err.Error(), path+": line 2") {
			t.Errorf("%.30q: %v", bad, err)
		}
	}
}

func TestCutMetrics(t *testing.T) {
	const one, two, three = "{\"step\":1,\"d_loss\":1}\n", "{\"step\":2,\"d_loss\":1}\n", "{\"step\":3,\"d_loss\":1}\n"
	const fid2, event3, note = "{\"step\":2,\"fid\":30}\n", "{\"event\":\"stopped\",\"step\":3}\n", "{\"program\":\"1.0\"}\n"
	for name, test := range map[string]struct{ before, after string }{
		"nothing to drop":   {one + two + fid2, one + two + fid2},
		"later steps":       {one + two + fid2 + three + event3, one + two + fid2},
		"torn":              {one + two + "{\"step\":2,\"fi", one + two},
		"torn, yet whole":   {one + two + strings.TrimSuffix(fid2, "\n"), one + two},
		"torn at the start": {"{", ""},
		"empty":             {"", ""},
		"zeros":             {one + two + strings.Repeat("\x00", 4096), one + two},
		"zeros and a line":  {one + "\x00\x00\n" + two + "null\n3\n\n", one + two},
		"long garbage":      {one + strings.Repeat("x", 3*maxLine) + "\n" + two + strings.Repeat("y", 2*maxLine), one + two},
		"without a step":    {note + one + three, note + one},
		"odd steps":         {one + "{\"step\":1.5}\n{\"step\":\"1\"}\n{\"step\":1e30}\n" + two, one + two},
	} {
		f := create(t)
		path := filepath.Join(f.Dir, MetricsName)
		put(t, path, test.before)
		if err := f.CutMetrics(2); err != nil || get(t, path) != test.after {
			t.Errorf("%s: %.200q, %v, want %q", name, get(t, path), err, test.after)
		}
		if err := f.AppendMetrics(map[string]int{"step": 3}); err != nil || get(t, path) != test.after+"{\"step\":3}\n" {
			t.Errorf("%s: appended %.200q, %v", name, get(t, path), err)
		}
		// A second cut, with the file open for appending, takes that away again.
		if err := f.CutMetrics(2); err != nil || get(t, path) != test.after {
			t.Errorf("%s: cut again %.200q, %v", name, get(t, path), err)
		}
		if err := f.CutMetrics(0); err != nil || len(lines(t, &f.Folder)) > 1 {
			t.Errorf("%s: cut to the start: %q, %v", name, get(t, path), err)
		}
		if files := tree(t, f.Dir); len(files) != 1 {
			t.Errorf("%s: %v", name, files)
		}
	}
	if err := create(t).CutMetrics(7); err != nil {
		t.Errorf("no file: %v", err)
	}
}

func FuzzMetrics(f *testing.F) {
	f.Add([]byte("{\"step\":1}\n{\"step\":2}\n{\"ste"), 1)
	f.Add([]byte("{\"step\":1,\"event\":\"x\"}\n\x00\x00\nnull\n"), 0)
	f.Add([]byte(strings.Repeat("x", 2*maxLine)+"\n{}\n"), 5)
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		folder := &Writer{Folder: Folder{t.TempDir()}, disk: System{}}
		put(t, folder.metricsPath(), string(data))
		if err := folder.ReadMetrics(func([]byte) error { return nil }); err != nil && !input.Is(err) {
			t.Errorf("not an error of input: %v", err)
		}
		if err := folder.CutMetrics(step); err != nil {
			t.Fatal(err)
		}
		// What is left is readable, fits, and is not cut again.
		left := get(t, folder.metricsPath())
		for _, line := range lines(t, &folder.Folder) {
			var object struct{ Step int }
			if json.Unmarshal([]byte(line), &object) != nil || object.Step > step {
				t.Errorf("left %q for step %d", line, step)
			}
		}
		if err := folder.CutMetrics(step); err != nil || get(t, folder.metricsPath()) != left {
			t.Errorf("cut twice: %v", err)
		}
	})
}

func BenchmarkAppendMetrics(b *testing.B) {
	f, err := Create(System{}, filepath.Join(b.TempDir(), "run"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	line := map[string]float64{"step": 1, "d_loss": 0.5, "g_loss": 0.25}
	for b.Loop() {
		if err := f.AppendMetrics(line); err != nil {
			b.Fatal(err)
		}
	}
}
