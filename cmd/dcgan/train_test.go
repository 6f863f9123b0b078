package main

import (
	"path/filepath"
	"slices"
	"testing"

	"dcgan"
	"dcgan/config"
)

// parse returns what train's flags ask for.
func parse(t *testing.T, args ...string) (dcgan.Config, error) {
	t.Helper()
	o := &trainOptions{settings: config.Default()}
	cmd := trainCommandOf(o)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return o.config(cmd.Flags())
}

// TestPrecedence has a flag beat the config file, which beats the recipe.
func TestPrecedence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	write(t, path, `{"version": "v1", "batch": 64, "steps": 7, "g_filters": [1, 2, 3, 4]}`)

	cfg, err := parse(t, "--config", path, "--steps", "9", "--fake-labels", "-0.1:0.2", "--run", "r")
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Batch, want.Steps, want.GFilters, want.FakeLabels = 64, 9, []int{1, 2, 3, 4}, config.Range{Low: -0.1, High: 0.2}
	for i, s := range want.Settings() {
		if got := cfg.Settings()[i].String(); got != s.String() {
			t.Errorf("%s is %s, want %s", s.Key, got, s)
		}
	}
	if given := []string{"batch", "steps", "g_filters", "fake_labels"}; cfg.Run != "r" || cfg.Resume || !slices.Equal(cfg.Given, given) {
		t.Errorf("%+v", cfg)
	}

	cfg, err = parse(t, "--resume", "--config", path, "--steps", "9", "--lr", "0.0002")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"batch", "steps", "g_filters", "lr"}; !cfg.Resume || !slices.Equal(cfg.Given, want) {
		t.Errorf("given %v, want %v", cfg.Given, want)
	}
	if cfg, err = parse(t, "--resume"); err != nil || len(cfg.Given) != 0 {
		t.Errorf("given %v, %v", cfg.Given, err)
	}
}

// TestEveryFlagWorks sets each setting by its flag, to another value than the default.
func TestEveryFlagWorks(t *testing.T) {
	other := config.Default()
	var args []string
	for _, s := range other.Settings() {
		switch v := s.Value.(type) {
		case *string:
			*v += "x"
		case *int:
			*v += 2
		case *uint64:
			*v += 2
		case *float64:
			*v /= 2
		case *bool:
			*v = !*v
		case *[]int:
			*v = []int{8, 8}
		case *config.Range:
			v.Low -= 0.25
		}
		args = append(args, "--"+s.Flag()+"="+s.String())
	}
	cfg, err := parse(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range other.Settings() {
		if got := cfg.Settings()[i].String(); got != s.String() {
			t.Errorf("--%s %s gave %s", s.Flag(), s, got)
		}
	}
}
