package dcgan

import (
	"encoding/json"
	"math"
	"testing"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/internal/input"
	"dcgan/model"
)

// TestHostileNoise opens generators whose latents could not be drawn: rejection would never end in such ranges.
func TestHostileNoise(t *testing.T) {
	generator, _, err := arch.Seed(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	for _, noise := range []string{"20:30", "-1e300:1e300", "NaN:NaN", "0:Inf", "1:1", "2:-2", "", "1"} {
		text, err := json.Marshal(noise)
		if err != nil {
			t.Fatal(err)
		}
		g, err := newGenerator(&model.Model{
			Generator: &model.Network{Network: generator}, Settings: map[string]json.RawMessage{"noise": text},
		})
		if !input.Is(err) {
			t.Errorf("noise %q: %v, want an error of input", noise, err)
		}
		if g != nil {
			g.Close()
		}
	}
}

// TestDrawNone: fewer than no images are none.
func TestDrawNone(t *testing.T) {
	cfg := tiny(t, func(c *Config) { c.Steps = 1 })
	if o := trainWith(t, t.Context(), cfg, nil); o.err != nil {
		t.Fatal(o.err)
	}
	g, err := Open(cfg.Run)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for _, n := range []int{0, -1, math.MinInt} {
		if images := g.Sample(n, 1); images.N != 0 || len(images.Pixels) != 0 || len(g.Latents(n, 1)) != 0 {
			t.Errorf("%d images: %+v", n, images)
		}
	}
}

// FuzzRecall reads any line of metrics.
func FuzzRecall(f *testing.F) {
	f.Add([]byte(`{"step":200,"images":400,"d_loss":0.3,"d_accuracy_real":1,"d_accuracy_fake":1}`))
	f.Add([]byte(`{"step":220,"g_variance":1e-9}`))
	f.Add([]byte(`{"step":301,"event":"restart","reason":"x","lr":0.5,"stream":1}`))
	f.Add([]byte(`{"step":-9223372036854775808,"images":1e9,"g_variance":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, line []byte) {
		s := &session{}
		s.recall(line)
		s.recall(line)
		if len(s.history) > 2 {
			t.Errorf("%d steps in two lines", len(s.history))
		}
	})
}
