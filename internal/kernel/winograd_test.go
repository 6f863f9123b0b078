package kernel

import (
	"math/rand/v2"
	"testing"
)

func randomValues(r *rand.Rand, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	return values
}

// TestWinogradConvolves holds the transforms of every variant against the plain Go's bits, and a tile that they compute
// against the convolution itself.
func TestWinogradConvolves(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range Variants {
		set := &Variants[i]
		for _, channels := range []int{1, 3, 8, 16, 24, 32, 48} {
			const place = 1000
			image := randomValues(r, WinogradPlaces*channels)
			kernel := randomValues(r, 9*channels)
			bias := randomValues(r, channels)
			lanes := (channels + 15) / 16 * 16
			taps := make([]float32, 9*lanes)
			for tap := range 9 {
				copy(taps[tap*lanes:], kernel[tap*channels:][:channels])
			}
			v, u, y := make([]float32, WinogradPlaces*place), make([]float32, WinogradPlaces*place), make([]float32, 16*channels)
			set.WinogradIn(v, place, image, WinogradInput*channels, channels, channels, 0)
			set.WinogradKernel(u, place, taps, lanes, lanes)
			want := make([]float32, len(v))
			winogradInGeneric(want, place, image, WinogradInput*channels, channels, channels, 0)
			sameBits(t, set.Name+" input", v, want)
			winogradKernelGeneric(want, place, taps, lanes, lanes)
			for j := range v {
				if j%place < channels && u[j] != want[j] {
					t.Fatalf("%s kernel: value %d is %v, plain Go has %v", set.Name, j, u[j], want[j])
				}
				v[j] *= u[j]
			}
			set.WinogradOut(y, WinogradTile*channels, channels, v, place, bias, channels)
			wantY := make([]float32, len(y))
			winogradOutGeneric(wantY, WinogradTile*channels, channels, v, place, bias, channels)
			sameBits(t, set.Name+" output", y, wantY)
			// The gradient of the taps, from the same image and y as the gradient of the outputs.
			set.WinogradIn(v, place, image, WinogradInput*channels, channels, channels, 0)
			w := make([]float32, len(v))
			set.WinogradGradIn(w, place, wantY, WinogradTile*channels, channels, channels)
			clear(want)
			winogradGradInGeneric(want, place, wantY, WinogradTile*channels, channels, channels)
			sameBits(t, set.Name+" gradient", w, want)
			for j := range w {
				w[j] *= v[j]
			}
			grad, wantGrad := make([]float32, 9*lanes), make([]float32, 9*lanes)
			set.WinogradGradOut(grad, lanes, w, place, lanes)
			winogradGradOutGeneric(wantGrad, lanes, w, place, lanes)
			sameBits(t, set.Name+" kernel's gradient", grad, wantGrad)
			for tap := range 9 {
				for c := range channels {
					sum := 0.0
					for p := range 16 {
						pixel := (p/4+tap/3)*WinogradInput + p%4 + tap%3
						sum += float64(image[pixel*channels+c]) * float64(wantY[p*channels+c])
					}
					if d := sum - float64(grad[tap*lanes+c]); d > 1e-3 || d < -1e-3 {
						t.Fatalf("%s: gradient of tap %d of channel %d is %v, directly %v", set.Name, tap, c, grad[tap*lanes+c], sum)
					}
				}
			}
			for p := range 16 {
				for c := range channels {
					sum := float64(bias[c])
					for tap := range 9 {
						pixel := (p/4+tap/3)*WinogradInput + p%4 + tap%3
						sum += float64(image[pixel*channels+c]) * float64(kernel[tap*channels+c])
					}
					if d := sum - float64(y[p*channels+c]); d > 1e-4 || d < -1e-4 {
						t.Fatalf("%s: pixel %d of channel %d is %v, the convolution %v", set.Name, p, c, y[p*channels+c], sum)
					}
				}
			}
		}
	}
}

func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: value %d is %v, plain Go has %v", what, i, got[i], want[i])
		}
	}
}

// TestWinogradKernelApart transforms to places so far apart that a variant may write past the caches, from a line of cache
// on and from within one.
func TestWinogradKernelApart(t *testing.T) {
	const place, lanes = 1<<16 + 16, 64
	r := rand.New(rand.NewPCG(5, 6))
	taps := randomValues(r, 9*lanes)
	want, got := make([]float32, WinogradPlaces*place), make([]float32, WinogradPlaces*place)
	for i := range Variants {
		set := &Variants[i]
		for _, at := range []int{0, 1} {
			clear(want)
			clear(got)
			winogradKernelGeneric(want[at:], place, taps, lanes, lanes)
			set.WinogradKernel(got[at:], place, taps, lanes, lanes)
			sameBits(t, set.Name, got, want)
		}
	}
}
