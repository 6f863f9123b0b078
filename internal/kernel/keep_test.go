package kernel

import (
	"slices"
	"testing"

	"dcgan/internal/random"
)

// TestKeep holds every variant's masks against those that the stream draws.
func TestKeep(t *testing.T) {
	for i := range Variants {
		for _, n := range []int{1, 63, 64, 65, 500, 12544} {
			for _, rate := range []float64{0.001, 0.4, 0.5, 0.99} {
				for place := range uint32(3) {
					s := random.New(uint64(n)<<40+7, random.Dropout, n)
					got, want := make([]uint64, (n+63)/64+1), make([]uint64, (n+63)/64+1)
					Variants[i].Keep(s, got, n, place, rate)
					s.Keep(want, n, place, rate)
					if !slices.Equal(got, want) {
						t.Fatalf("%s: %d activations at rate %g differ", Variants[i].Name, n, rate)
					}
				}
			}
		}
	}
}
