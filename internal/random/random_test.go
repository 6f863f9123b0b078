package random

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"testing"
)

// TestPhilox has the known answers that Random123, the authors' own library, is published with.
func TestPhilox(t *testing.T) {
	const ones = 0xffffffff
	for _, test := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{ones, ones, ones, ones}, [2]uint32{ones, ones}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := philox(test.counter, test.key); got != test.want {
			t.Errorf("%x under %x is %08x, want %08x", test.counter, test.key, got, test.want)
		}
	}
}

// TestStreamsDiffer shows that each part of an address counts, the upper half of the seed too, and what Block makes of it.
func TestStreamsDiffer(t *testing.T) {
	seen := map[[4]uint32]string{}
	add := func(name string, b [4]uint32) {
		if was, ok := seen[b]; ok {
			t.Errorf("%s gives what %s gives", name, was)
		}
		seen[b] = name
	}
	for _, seed := range []uint64{0, 1, 1 << 32, math.MaxUint64} {
		for _, purpose := range []Purpose{Data, Noise, Labels, Dropout, Initial, Sampling} {
			for step := range 3 {
				for place := range uint32(3) {
					for block := range uint32(3) {
						add(fmt.Sprint(seed, purpose, step, place, block), New(seed, purpose, step).Block(place, block))
					}
				}
			}
		}
	}
	got := New(0x299f31d0_a4093822, 0x03707344, 0x13198a2e).Block(0x85a308d3, 0x243f6a88)
	if want := [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}; got != want {
		t.Errorf("a stream's block is %08x, want %08x", got, want)
	}
	if Data != 1 || Sampling != 6 {
		t.Error("the streams' numbers changed, and with them what every seed gives")
	}
}

const draws = 200_000

// moments returns the mean and the variance of values and the standard errors of both.
func moments(values []float32) (mean, variance, meanError, varianceError float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += float64(v) / n
	}
	var fourth float64
	for _, v := range values {
		d := float64(v) - mean
		variance += d * d / n
		fourth += d * d * d * d / n
	}
	return mean, variance, math.Sqrt(variance / n), math.Sqrt((fourth - variance*variance) / n)
}

// distance returns the Kolmogorov-Smirnov statistic of values against a distribution, times √n: above 1.95 once in a
// thousand samples.
func distance(values []float32, cdf func(float64) float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n, largest := float64(len(sorted)), 0.0
	for i, v := range sorted {
		p := cdf(float64(v))
		largest = max(largest, math.Abs(p-float64(i)/n), math.Abs(p-float64(i+1)/n))
	}
	return largest * math.Sqrt(n)
}

func check(t *testing.T, name string, values []float32, low, high, mean, variance float64, cdf func(float64) float64) {
	t.Helper()
	gotMean, gotVariance, meanError, varianceError := moments(values)
	if math.Abs(gotMean-mean) > 4*meanError {
		t.Errorf("%s: the mean is %g, want %g ± %.1g", name, gotMean, mean, meanError)
	}
	if math.Abs(gotVariance-variance) > 4*varianceError {
		t.Errorf("%s: the variance is %g, want %g ± %.1g", name, gotVariance, variance, varianceError)
	}
	if d := distance(values, cdf); d > 1.95 {
		t.Errorf("%s: the distribution is off: Kolmogorov-Smirnov %g", name, d)
	}
	for _, v := range values {
		if v < float32(low) || v > float32(high) {
			t.Fatalf("%s: %g is out of bounds", name, v)
		}
	}
}

// TestUniform holds draws against the uniform distribution's moments and shape, bounds included.
func TestUniform(t *testing.T) {
	values := make([]float32, draws)
	for i, r := range [][2]float64{{0, 1}, {-0.05, 0.05}, {3, 7}} {
		low, high := r[0], r[1]
		New(1, Initial, i).Uniform(values, 2, low, high)
		check(t, fmt.Sprint(r), values, low, high, (low+high)/2, (high-low)*(high-low)/12, func(x float64) float64 { return (x - low) / (high - low) })
	}
}

func density(x float64) float64    { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }
func cumulative(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// TestTruncatedNormal holds draws against the truncated normal's exact mean and variance, known in closed form, and
// its shape, for the ranges of the seed's latents and labels and for odd ones.
func TestTruncatedNormal(t *testing.T) {
	values := make([]float32, draws)
	for i, r := range [][2]float64{{-1, 1}, {0.7, 1.2}, {0, 0.3}, {-0.5, 2}, {-6, 6}, {1.5, 4}, {-5, -4}, {-0.001, 0.001}} {
		low, high := r[0], r[1]
		mass := cumulative(high) - cumulative(low)
		mean := (density(low) - density(high)) / mass
		variance := 1 + (low*density(low)-high*density(high))/mass - mean*mean
		for place := range 2 { // as latents are drawn, many at a place, and as labels, one at each
			s := New(uint64(i), Noise, 1)
			if place == 0 {
				s.TruncatedNormal(values, 0, low, high)
			} else {
				for at := range values {
					s.TruncatedNormal(values[at:at+1], uint32(at), low, high)
				}
			}
			check(t, fmt.Sprint(r), values, low, high, mean, variance, func(x float64) float64 { return (cumulative(x) - cumulative(low)) / mass })
		}
	}
	New(1, Labels, 1).TruncatedNormal(values[:9], 0, 0.5, 0.5)
	for _, v := range values[:9] {
		if v != 0.5 {
			t.Errorf("from a range of one number comes %g", v)
		}
	}
}

// TestValuesStandAlone shows that a value does not depend on how many are drawn with it.
func TestValuesStandAlone(t *testing.T) {
	s := New(1, Noise, 1)
	many, few := make([]float32, 101), make([]float32, 7)
	for name, draw := range map[string]func([]float32){
		"uniform": func(to []float32) { s.Uniform(to, 1, 0, 1) },
		"normal":  func(to []float32) { s.TruncatedNormal(to, 1, -1, 1) },
	} {
		draw(many)
		draw(few)
		if !slices.Equal(many[:7], few) {
			t.Errorf("%s: %v and %v", name, many[:7], few)
		}
	}
	long, short := make([]uint64, 5), make([]uint64, 2)
	s.Keep(long, 320, 1, 0.4)
	s.Keep(short, 70, 1, 0.4)
	if short[0] != long[0] || short[1] != long[1]&(1<<6-1) {
		t.Errorf("mask %x and %x", long, short)
	}
}

// TestKeep counts kept bits: a share 1 − rate of them, rounded to a multiple of 2⁻¹⁶, in all and at each place of a word,
// within what so many draws allow. Bits past n are 0.
func TestKeep(t *testing.T) {
	const words = 20_000
	mask := make([]uint64, words)
	for _, rate := range []float64{0.4, 0.1, 0.5, 0.999, 1e-5} {
		New(5, Dropout, 3).Keep(mask, 64*words, 7, rate)
		dropped := math.RoundToEven(rate * 65536)
		keep := 1 - dropped/65536
		for i := range 64 * 100 { // bit by bit, as it is meant: a draw of 16 bits is at least the share dropped
			words := New(5, Dropout, 3).Block(7, uint32(i/8))
			draw := words[i%8/2] >> (i % 2 * 16) & 0xffff
			if kept := mask[i/64]>>(i%64)&1 == 1; kept != (float64(draw) >= dropped) {
				t.Fatalf("rate %g: bit %d is %t, its draw %d of 65536", rate, i, kept, draw)
			}
		}
		var at [64]int
		total := 0
		for _, w := range mask {
			total += bits.OnesCount64(w)
			for b := range at {
				at[b] += int(w >> b & 1)
			}
		}
		spread := math.Sqrt(64 * words * keep * (1 - keep))
		if d := float64(total) - 64*words*keep; math.Abs(d) > 4*spread {
			t.Errorf("rate %g: %d bits kept of %d, %.1f standard deviations off", rate, total, 64*words, d/spread)
		}
		squares := 0.0
		for _, count := range at {
			d := float64(count) - words*keep
			squares += d * d
		}
		// The sum over 64 places is a chi-square: above 104.7 once in a thousand.
		if keep < 1 && squares/(words*keep*(1-keep)) > 104.7 {
			t.Errorf("rate %g: the places of a word differ: %v", rate, at)
		}
	}
	for _, n := range []int{0, 1, 63, 64, 65, 127, 128, 200} {
		mask := []uint64{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64}
		New(5, Dropout, 3).Keep(mask, n, 7, 0)
		for i := range 256 {
			if set := mask[i/64]>>(i%64)&1 == 1; set != (i < n) {
				t.Errorf("rate 0: bit %d of %d is %t", i, n, set)
			}
		}
	}
}

// TestKeepNeighbours counts how often two bits in a row are both kept: they are independent.
func TestKeepNeighbours(t *testing.T) {
	mask := make([]uint64, 20_000)
	New(6, Dropout, 1).Keep(mask, 64*len(mask), 0, 0.4)
	both := 0
	for _, w := range mask {
		both += bits.OnesCount64(w & (w >> 1))
	}
	n := float64(63 * len(mask))
	// The variance of a count of pairs, neighbours of which share a bit: p² (1−p²) + 2 (p³ − p⁴).
	const p = 0.6
	spread := math.Sqrt(n * (p*p*(1-p*p) + 2*(p*p*p-p*p*p*p)))
	if d := float64(both) - n*p*p; math.Abs(d) > 4*spread {
		t.Errorf("%d pairs, want %.0f ± %.0f", both, n*p*p, spread)
	}
}

// TestIndex holds indices against the uniform distribution by chi-square, over places in a step and over steps.
func TestIndex(t *testing.T) {
	for _, n := range []int{1, 7, 100, 60_000} {
		const bins = 100
		for name, draw := range map[string]func(i int) int{
			"places": func(i int) int { return New(1, Data, 9).Index(uint32(i), n) },
			"steps":  func(i int) int { return New(1, Data, i).Index(3, n) },
		} {
			counts := make([]int, min(n, bins))
			for i := range draws {
				index := draw(i)
				if index < 0 || index >= n {
					t.Fatalf("index %d of %d", index, n)
				}
				counts[index*len(counts)/n]++
			}
			want, square := draws/float64(len(counts)), 0.0
			for _, c := range counts {
				square += (float64(c) - want) * (float64(c) - want) / want
			}
			// A chi-square of f degrees of freedom has mean f and variance 2f.
			if f := float64(len(counts) - 1); square > f+4*math.Sqrt(2*f) {
				t.Errorf("%d by %s: chi-square %.1f with %.0f degrees of freedom", n, name, square, f)
			}
		}
	}
}
