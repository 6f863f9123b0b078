package dcgan

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/exchange"
	"dcgan/internal/input"
	"dcgan/model"
)

// TestInitNotFinite refuses first weights that no training can go on from.
func TestInitNotFinite(t *testing.T) {
	cfg := DefaultConfig()
	cfg.GFilters, cfg.Run = []int{2, 2, 2, 2}, filepath.Join(t.TempDir(), "run")
	g, _, err := arch.Seed(cfg.Config)
	if err != nil {
		t.Fatal(err)
	}
	n := &model.Network{Network: g}
	for _, tensor := range g.Tensors() {
		n.Weights = append(n.Weights, make([]float32, tensor.Shape.Size()))
	}
	for _, format := range exchange.Formats {
		for _, value := range []float32{0, float32(math.NaN()), float32(math.Inf(1))} {
			n.Weights[3][1] = value
			cfg.Init = filepath.Join(t.TempDir(), "generator"+format.Ending)
			file, err := os.Create(cfg.Init)
			if err != nil {
				t.Fatal(err)
			}
			if err := format.Write(file, n, &model.Model{Generator: n}); err != nil {
				t.Fatal(err)
			}
			file.Close()
			switch _, err := Prepare(cfg); {
			case value == 0 && err != nil:
				t.Errorf("%s: %v", format.Name, err)
			case value != 0 && (!input.Is(err) || !strings.Contains(err.Error(), "batch_normalization/beta has values")):
				t.Errorf("%s, %v: %v", format.Name, value, err)
			}
		}
	}
}
