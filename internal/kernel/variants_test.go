package kernel

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// checks make up a call of each kernel, from a stream of numbers, and compare what a variant computes with the plain Go
// or, for the matrix kernels, with their definition.
var checks = []struct {
	name  string
	check func(t *testing.T, set *Set, m *memory, r *rand.Rand, kind kind)
}{
	{"Tile", checkTile},
	{"Outer", checkOuter},
	{"Dot", checkDot},
	{"Products", checkProducts},
	{"Sums", checkSums},
	{"Moments", checkMoments},
	{"NormGrads", checkNormGrads},
	{"Scale", checkScale},
	{"NormBack", checkNormBack},
	{"Leaky", checkLeaky},
	{"LeakyBack", checkLeakyBack},
	{"Adam", checkAdam},
	{"Add", checkAdd},
	{"CopyRows", checkCopyRows},
	{"Transpose", checkTranspose},
	{"Tanh", checkTanh},
}

func TestVariants(t *testing.T) {
	rounds := uint64(500)
	if testing.Short() {
		rounds = 50
	}
	for i := range Variants {
		set := &Variants[i]
		for _, c := range checks {
			t.Run(set.Name+"/"+c.name, func(t *testing.T) {
				m := newMemory(t)
				for k := range kinds {
					for seed := range rounds {
						c.check(t, set, m, rand.New(rand.NewPCG(seed, uint64(k))), k)
						m.takeBack()
					}
				}
			})
		}
	}
}

// stream is a source of numbers that are data, and when it ends the bits of a generator.
type stream struct {
	data []byte
	rest *rand.PCG
}

func (s *stream) Uint64() uint64 {
	if len(s.data) < 8 {
		return s.rest.Uint64()
	}
	v := binary.LittleEndian.Uint64(s.data)
	s.data = s.data[8:]
	return v
}

func FuzzVariants(f *testing.F) {
	for c := range checks {
		for k := range kinds {
			f.Add(uint8(c), uint8(k), uint64(c), []byte(nil))
		}
	}
	f.Add(uint8(0), uint8(anything), uint64(0), []byte("\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x80"))
	f.Fuzz(func(t *testing.T, which, k uint8, seed uint64, data []byte) {
		m := newMemory(t)
		for i := range Variants {
			r := rand.New(&stream{data, rand.NewPCG(seed, 0)})
			checks[int(which)%len(checks)].check(t, &Variants[i], m, r, kind(k)%kinds)
			m.takeBack()
		}
	})
}
