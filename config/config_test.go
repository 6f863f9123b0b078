package config

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dcgan/internal/input"
)

// TestTableMatchesStruct keeps the table, the JSON keys and the fields one to one.
func TestTableMatchesStruct(t *testing.T) {
	c := Default()
	fields := jsonKeys(reflect.TypeFor[Config]())
	var keys []string
	pointers := map[any]bool{}
	for _, s := range c.Settings() {
		keys = append(keys, s.Key)
		pointers[s.Value] = true
		field, ok := fieldByKey(&c, s.Key)
		if !ok || field.Addr().Interface() != s.Value {
			t.Errorf("%s: the table's pointer is not that of the field with this key", s.Key)
		}
		if s.Help == "" || s.Group == "" || s.Flag() != strings.ReplaceAll(s.Key, "_", "-") {
			t.Errorf("%s: no help, no group, or another flag %q", s.Key, s.Flag())
		}
		if slices.Contains(originKeys, s.Key) {
			t.Errorf("%s is a key of Origin too", s.Key)
		}
	}
	if len(pointers) != len(fields) {
		t.Errorf("%d values for %d fields", len(pointers), len(fields))
	}
	slices.Sort(keys)
	slices.Sort(fields)
	if !slices.Equal(keys, fields) {
		t.Errorf("table %v\nfields %v", keys, fields)
	}
}

func fieldByKey(c *Config, key string) (reflect.Value, bool) {
	i := slices.Index(jsonKeys(reflect.TypeFor[Config]()), key)
	if i < 0 {
		return reflect.Value{}, false
	}
	return reflect.ValueOf(c).Elem().Field(i), true
}

// TestTextRoundTrip sets each setting of an empty config from the text of the default.
func TestTextRoundTrip(t *testing.T) {
	from, to := Default(), Config{}
	for i, s := range to.Settings() {
		if err := s.Set(from.Settings()[i].String()); err != nil {
			t.Errorf("%s: %v", s.Key, err)
		}
		if s.Type() == "" || s.wanted() == "" {
			t.Errorf("%s: no type", s.Key)
		}
	}
	if !reflect.DeepEqual(from, to) {
		t.Errorf("%+v\nbecame %+v", from, to)
	}
}

func TestSetRefuses(t *testing.T) {
	for key, texts := range map[string][]string{
		"steps":       {"", "x", "1.5", "1e3", "99999999999999999999"},
		"seed":        {"-1", "1.5", "18446744073709551616"},
		"lr":          {"", "x", "1,5", "1e999"},
		"tensorboard": {"", "x", "2", "yes"},
		"g_filters":   {"", "8,", "8,x", "8 8"},
		"real_labels": {"", "1", "1:", ":1", "0.7-1.2", "a:b", "1:2:3"},
	} {
		for _, text := range texts {
			c := Default()
			i := slices.IndexFunc(c.Settings(), func(s Setting) bool { return s.Key == key })
			err := c.Settings()[i].Set(text)
			if err == nil || !strings.Contains(err.Error(), "is not a") {
				t.Errorf("%s=%q: %v", key, text, err)
			}
			if !reflect.DeepEqual(c, Default()) {
				t.Errorf("%s=%q changed the config", key, text)
			}
		}
	}
}

func TestNegativeZero(t *testing.T) {
	a, b := Default(), Default()
	for _, s := range b.Settings() {
		switch s.Key {
		case "decay", "leaky_slope":
			s.Set("-0")
		case "fake_labels":
			s.Set("-0:0.3")
		}
	}
	a.Decay, a.LeakySlope = 0, 0
	if d := Differences(&a, &b); d != nil {
		t.Errorf("differences %v", d)
	}
	if _, err := b.Merge([]byte(`{"decay": -0.0, "fake_labels": "-0:0.3"}`)); err != nil {
		t.Fatal(err)
	}
	if math.Signbit(b.Decay) || math.Signbit(b.FakeLabels.Low) {
		t.Error("-0 was kept")
	}
}

func TestDifferences(t *testing.T) {
	old, new := Default(), Default()
	if d := Differences(&old, &new); d != nil {
		t.Errorf("of equal configs: %v", d)
	}
	new.Steps, new.Data, new.Threads, new.Init, new.Keep = 9, "x", 3, "y", 7 // none of them changes numbers
	new.Batch, new.GFilters, new.RealLabels.Low = 8, []int{8, 8, 8, 8}, 0.8
	want := []Difference{{"batch", "256", "8"}, {"g_filters", "256,128,64,32", "8,8,8,8"}, {"real_labels", "0.7:1.2", "0.8:1.2"}}
	if got := Differences(&old, &new); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestInitFiles(t *testing.T) {
	for text, want := range map[string][]string{"": nil, "a": {"a"}, "a,b": {"a", "b"}} {
		c := Config{Init: text}
		if got := c.InitFiles(); !slices.Equal(got, want) {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestCheck tries each bound from both sides.
func TestCheck(t *testing.T) {
	if c := Default(); c.Check() != nil {
		t.Fatalf("the seed's settings: %v", c.Check())
	}
	many := strings.TrimSuffix(strings.Repeat("8,", MaxLayers+1), ",")
	for _, test := range []struct{ key, good, bad, says string }{
		{"data", "x", "", "empty"},
		{"recipe", "seed", "nosuch", `unknown recipe "nosuch"`},
		{"init", "a,b", "a,b,c", "GENERATOR,DISCRIMINATOR"},
		{"init", "a", "a,", "GENERATOR,DISCRIMINATOR"},
		{"steps", "1", "0", "below 1"},
		{"steps", "99999999", "100000000", "above"},
		{"batch", "2", "1", "below 2"},
		{"batch", "4", "3", "even"},
		{"batch", "65536", "65538", "above"},
		{"save_every", "1", "0", "below 1"},
		{"keep", "0", "-1", "0 keeps all"},
		{"threads", "0", "-1", "0 takes all cores"},
		{"threads", "1024", "1025", "above"},
		{"on_divergence", "warn", "wait", "none of stop, restart, warn"},
		{"seed", "0", "", ""},
		{"latent", "1", "0", "below 1"},
		{"latent", "4096", "4097", "above"},
		{"noise", "-2:2", "2:-2", "range reversed"},
		{"noise", "-30:30", "-31:30", "within"},
		{"noise", "-1:1", "nan:1", "finite"},
		{"noise", "-1:1", "-1:inf", "finite"},
		{"noise", "9:9.5", "20:30", "hardly ever"},
		{"noise", "-8:9", "-30:-20", "hardly ever"},
		{"kernel", "1", "0", "below 1"},
		{"kernel", "7", "8", "above 7"},
		{"g_filters", "1,1", "1,0", "below 1"},
		{"d_filters", "4096", "4097", "above"},
		{"d_filters", "8", many, "layers"},
		{"leaky_slope", "0", "-0.1", "below 0"},
		{"leaky_slope", "3", "nan", "finite"},
		{"dropout", "0", "-0.1", "[0, 1)"},
		{"dropout", "0.99", "1", "[0, 1)"},
		{"dropout", "0.99", "0.999999", "above"},
		{"dropout", "0.99", "nan", "[0, 1)"},
		{"bn_momentum", "0", "-0.1", "[0, 1]"},
		{"bn_momentum", "1", "1.1", "[0, 1]"},
		{"bn_epsilon", "1e-9", "0", "above 0"},
		{"bn_epsilon", "1e-9", "1e-50", "single precision"},
		{"lr", "1", "0", "above 0"},
		{"lr", "1", "inf", "finite"},
		{"lr", "1", "1e39", "single precision"},
		{"beta1", "0", "-0.5", "[0, 1)"},
		{"beta1", "0.999999", "1", "[0, 1)"},
		{"beta2", "0.999999", "0.999999999", "single precision"},
		{"epsilon", "1e-8", "-1e-8", "above 0"},
		{"decay", "0", "-1", "below 0"},
		{"real_labels", "0.7:1.2", "1.2:0.7", "label range reversed"},
		{"fake_labels", "0:1e-9", "0.3:0", "label range reversed"},
		{"fake_labels", "0:1", "0.3:0.3", "empty"},
	} {
		for _, text := range []string{test.good, test.bad} {
			c := Default()
			for _, s := range c.Settings() {
				if s.Key == test.key && (text != "" || s.Key == "data") {
					if err := s.Set(text); err != nil {
						t.Fatal(err)
					}
				}
			}
			err := c.Check()
			if text == test.good || test.says == "" {
				if err != nil {
					t.Errorf("%s=%s: %v", test.key, text, err)
				}
				continue
			}
			if err == nil || !input.Is(err) || !strings.Contains(err.Error(), test.says) ||
				!strings.HasPrefix(err.Error(), "--"+flagName(test.key)+": ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s=%s: %v", test.key, text, err)
			}
		}
	}
	c := Default()
	c.DFilters = nil
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), "--d-filters: empty") {
		t.Errorf("no filters: %v", err)
	}
}

// TestAccepted compares with the closed form for a range around 0.
func TestAccepted(t *testing.T) {
	want := math.Sqrt(2*math.Pi) * math.Erf(1/math.Sqrt2) / 2
	if got := accepted(Range{-1, 1}); math.Abs(got-want) > 1e-6 {
		t.Errorf("got %v, want %v", got, want)
	}
}
