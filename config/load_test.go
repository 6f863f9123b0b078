package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dcgan/internal/input"
)

// encoded is config.json as it is written: equal settings have equal bytes.
const encoded = `{
  "data": "mnist",
  "labels": "",
  "recipe": "seed",
  "init": "",
  "steps": 5000,
  "batch": 256,
  "save_every": 100,
  "keep": 3,
  "seed": 1,
  "threads": 0,
  "tensorboard": false,
  "keras_h5": false,
  "on_divergence": "stop",
  "latent": 100,
  "noise": "-1:1",
  "kernel": 3,
  "g_filters": [
    256,
    128,
    64,
    32
  ],
  "d_filters": [
    64,
    128,
    256,
    512
  ],
  "leaky_slope": 0.2,
  "dropout": 0.4,
  "bn_momentum": 0.9,
  "bn_epsilon": 0.001,
  "lr": 0.0002,
  "beta1": 0.5,
  "beta2": 0.999,
  "epsilon": 1e-7,
  "decay": 1e-8,
  "real_labels": "0.7:1.2",
  "fake_labels": "0:0.3",
  "version": "v1",
  "started": "2030-01-02T03:04:05Z",
  "resumed": "",
  "host": "h",
  "os": "linux",
  "arch": "amd64",
  "cpu": "c",
  "cpus": 2,
  "instructions": "avx2"
}
`

func TestEncode(t *testing.T) {
	got := Encode(Default(), Origin{"v1", "2030-01-02T03:04:05Z", "", "h", "linux", "amd64", "c", 2, "avx2", 0})
	if string(got) != encoded {
		t.Errorf("got\n%s", got)
	}
}

// TestOlderRuns reads a config.json from before the settings that came later: those keep their defaults.
func TestOlderRuns(t *testing.T) {
	c := Default()
	for _, s := range c.Settings() {
		if s.Key != "tensorboard" && s.Key != "keras_h5" {
			continue
		}
		older := strings.Replace(encoded, fmt.Sprintf("  %q: %s,\n", s.Key, s), "", 1)
		got := Default()
		given, err := got.Merge([]byte(older))
		if err != nil || !reflect.DeepEqual(got, Default()) || slices.Contains(given, s.Key) {
			t.Errorf("without %s: %+v, %v", s.Key, got, err)
		}
	}
}

func TestLoadRoundTrip(t *testing.T) {
	want := Default()
	for _, s := range want.Settings() { // another value everywhere
		switch v := s.Value.(type) {
		case *string:
			*v += "x"
		case *int:
			*v += 2
		case *uint64:
			*v = 1<<64 - 1
		case *float64:
			*v = *v/3 + 1e-17
		case *bool:
			*v = !*v
		case *[]int:
			*v = []int{3, 2, 1}
		case *Range:
			*v = Range{1.0 / 3, 1e-9}
		}
	}
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, Encode(want, Origin{Version: "v9"}), 0o644); err != nil {
		t.Fatal(err)
	}
	got := Default()
	given, err := got.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if all := jsonKeys(reflect.TypeFor[Config]()); !slices.Equal(given, all) {
		t.Errorf("given %v", given)
	}
}

func TestMergeTakesSome(t *testing.T) {
	c := Default()
	c.GFilters = []int{1, 2, 3, 4}
	before := c.GFilters
	given, err := c.Merge([]byte("\xef\xbb\xbf{\"version\": \"v1\", \"g_filters\": [8], \"lr\": 1e-3}"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(given, []string{"g_filters", "lr"}) || c.LR != 1e-3 || !slices.Equal(c.GFilters, []int{8}) {
		t.Errorf("given %v, %+v", given, c)
	}
	if !slices.Equal(before, []int{1, 2, 3, 4}) {
		t.Errorf("the old list became %v", before)
	}
}

func TestMergeRefuses(t *testing.T) {
	for text, says := range map[string]string{
		``:                              "line 1: not a JSON object of settings: it ends too early",
		`[]`:                            "does not begin with {",
		`5`:                             "does not begin with {",
		"{\n\n\"steps\": 5,,}":          "line 3:",
		"{\"steps\": 5":                 "ends too early",
		`{"steps": }`:                   "line 1:",
		`{"steps": 5} {}`:               "more after the closing }",
		`{"steps": 5, "steps": 6}`:      `"steps" stands there twice`,
		`{"nosuch": 5}`:                 `"nosuch" is not a setting`,
		`{"save-every": 5}`:             `did you mean "save_every"?`,
		`{"--LR": 5}`:                   `did you mean "lr"?`,
		`{"steps": "5"}`:                `"steps" is "5", but must be a whole number`,
		`{"steps": 5.5}`:                `"steps" is 5.5, but must be a whole number`,
		`{"steps": null}`:               `"steps" is null`,
		`{"seed": -1}`:                  `"seed" is -1, but must be a whole number from 0`,
		`{"lr": "x"}`:                   `"lr" is "x", but must be a number`,
		`{"lr": 1e999}`:                 `"lr" is 1e999`,
		`{"g_filters": 8}`:              `"g_filters" is 8, but must be a list of whole numbers`,
		`{"g_filters": ["8"]}`:          `"g_filters" is ["8"]`,
		`{"real_labels": [0, 1]}`:       `"real_labels" is [0, 1], but must be a range LOW:HIGH`,
		`{"real_labels": "0-1"}`:        `"real_labels" is "0-1"`,
		`{"data": 1}`:                   `"data" is 1, but must be a string`,
		`{"data": {"a": [1,` + "\n2]}}": `"data" is {"a": [1, 2]}, but must be a string`,
	} {
		c := Default()
		_, err := c.Merge([]byte(`{"batch": 8, ` + strings.TrimPrefix(text, "{")))
		if !strings.HasPrefix(text, "{") {
			_, err = c.Merge([]byte(text))
		}
		if err == nil || !input.Is(err) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\n\tgave %v\n\twant %s", text, err, says)
		}
		if !reflect.DeepEqual(c, Default()) {
			t.Errorf("%s changed the config", text)
		}
	}
}

func TestLoadRefusesFiles(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, bytes.Repeat([]byte(" "), MaxFile+1), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		big:                       "larger than",
		dir:                       "config file",
		filepath.Join(dir, "not"): "config file",
	} {
		c := Default()
		if _, err := c.Load(path); err == nil || !input.Is(err) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// FuzzMerge looks for a text that panics, changes the config with an error, or reads back otherwise than it was written.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(encoded))
	f.Add([]byte(`{"steps": 5, "lr": 1e-3, "g_filters": [], "noise": "-1:1"}`))
	f.Add([]byte(`{"data": "` + "\\u0000" + `", "seed": 18446744073709551615}`))
	f.Add([]byte(`{"noise": "nan:inf"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := Default()
		if _, err := c.Merge(text); err != nil {
			if !input.Is(err) || strings.Contains(err.Error(), "\n") || !reflect.DeepEqual(c, Default()) {
				t.Fatalf("%q: changed the config or is no line of input: %v", text, err)
			}
			return
		}
		if c.Check() != nil {
			return
		}
		again := Default()
		if _, err := again.Merge(Encode(c, Origin{})); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if a, b := Encode(c, Origin{}), Encode(again, Origin{}); !bytes.Equal(a, b) {
			t.Fatalf("%s\nread back as\n%s", a, b)
		}
	})
}

func TestLoadOrigin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	want := Origin{Version: "1.2.3", Started: "2026-01-02T03:04:05Z", Host: "here", CPUs: 2}
	if err := os.WriteFile(path, Encode(Default(), want), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := LoadOrigin(path); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "{", strings.Repeat(" ", MaxFile+1)} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadOrigin(path); !input.Is(err) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.10q: %v", bad, err)
		}
	}
}
