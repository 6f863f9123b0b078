package dcgan

import (
	"encoding/json"
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
