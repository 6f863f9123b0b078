package engine

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"testing"

	"dcgan/arch"
	"dcgan/internal/kernel"
)

// touch says that a pixel of the small image and one of the big image meet through a tap, each counted row by row.
type touch struct{ small, tap, big int }

// touches lists them plainly: the big image's pixel numbers are laid out with nothing around them, and a window slides
// over it.
func touches(g geometry) map[touch]bool {
	top, bottom := pad(g.bigH, g.smallH, g.kernel, g.stride)
	left, right := pad(g.bigW, g.smallW, g.kernel, g.stride)
	width := left + g.bigW + right
	image := make([]int, (top+g.bigH+bottom)*width)
	for i := range image {
		image[i] = -1
	}
	for y := range g.bigH {
		for x := range g.bigW {
			image[(top+y)*width+left+x] = y*g.bigW + x
		}
	}
	all := map[touch]bool{}
	for y := range g.smallH {
		for x := range g.smallW {
			for i := range g.kernel {
				for j := range g.kernel {
					if b := image[(y*g.stride+i)*width+x*g.stride+j]; b >= 0 {
						all[touch{y*g.smallW + x, i*g.kernel + j, b}] = true
					}
				}
			}
		}
	}
	return all
}

// gathered unfolds the classes of a transfer again, and checks that every target pixel is in one of them and its taps in
// order.
func gathered(t *testing.T, g geometry, down bool) map[touch]bool {
	const perTap = 3
	all := map[touch]bool{}
	sourceC, targetC, targets := g.smallC, g.bigC, g.bigH*g.bigW
	if down {
		sourceC, targetC, targets = g.bigC, g.smallC, g.smallH*g.smallW
	}
	seen := map[int]bool{}
	for _, class := range g.gather(down, perTap) {
		for i, tap := range class.taps {
			if i > 0 && tap.W <= class.taps[i-1].W {
				t.Errorf("%+v: taps out of order", g)
			}
			for _, pixel := range class.pixels {
				source, target := (pixel.X+tap.A)/sourceC, pixel.Y/targetC
				one := touch{source, tap.W / perTap, target}
				if down {
					one = touch{target, tap.W / perTap, source}
				}
				if all[one] || (pixel.X+tap.A)%sourceC != 0 || tap.W%perTap != 0 {
					t.Errorf("%+v: %v comes twice or its offsets are off", g, one)
				}
				all[one] = true
			}
		}
		for _, pixel := range class.pixels {
			if seen[pixel.Y] || pixel.Y%targetC != 0 {
				t.Errorf("%+v: target %d is in two classes or its offset is off", g, pixel.Y)
			}
			seen[pixel.Y] = true
		}
	}
	if len(seen) != targets {
		t.Errorf("%+v: %d target pixels, want %d", g, len(seen), targets)
	}
	return all
}

// TestGeometry draws convolutions of both kinds and holds what they gather, and where their gradients meet, against a
// window that slides over an image with its zeros around it.
func TestGeometry(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		h, w, c := 1+rng.IntN(12), 1+rng.IntN(12), 1+rng.IntN(3)
		kernel, strides := 1+rng.IntN(arch.MaxKernel), 1+rng.IntN(2)
		layer := conv(1+rng.IntN(3), kernel, strides)
		if rng.IntN(2) == 0 {
			layer = convT(1+rng.IntN(3), kernel, strides)
		}
		shapes, err := arch.Network{Name: "one", Input: arch.Shape{h, w, c}, Layers: []arch.Layer{layer}}.Shapes()
		if err != nil {
			t.Fatal(err)
		}
		out := shapes[0]
		if layer.Class == arch.Conv2D && (out[0] != (h+strides-1)/strides || out[1] != (w+strides-1)/strides) ||
			layer.Class == arch.Conv2DTranspose && (out[0] != h*strides || out[1] != w*strides) {
			t.Errorf("%+v makes %v of %d×%d", layer, out, h, w)
		}
		g, down := layerGeometry(layer, arch.Shape{h, w, c}, out)
		if down != (layer.Class == arch.Conv2D) || down && (g.bigH != h || g.smallW != out[1]) || !down && (g.smallH != h || g.bigW != out[1]) {
			t.Fatalf("%+v: %+v", layer, g)
		}

		want := touches(g)
		for _, down := range []bool{true, false} {
			if got := gathered(t, g, down); !maps.Equal(got, want) {
				t.Fatalf("%+v, down %t: %v\nwant %v", g, down, got, want)
			}
		}
		met := map[touch]bool{}
		const lanes = 16
		for tap, pairs := range g.meetings(lanes) {
			last := -1
			for _, p := range pairs {
				if p.Y <= last {
					t.Fatalf("%+v: tap %d meets out of order", g, tap)
				}
				last = p.Y
				met[touch{p.Y / lanes, tap, p.X / g.bigC}] = true
			}
		}
		if !maps.Equal(met, want) {
			t.Fatalf("%+v meetings: %v\nwant %v", g, met, want)
		}
	}
}

// TestSame holds the padding of `same` against what TensorFlow documents: all of it (out−1)·stride + kernel − in, the
// larger half behind.
func TestSame(t *testing.T) {
	for _, test := range []struct{ side, kernel, stride, before, behind int }{
		{28, 3, 2, 0, 1}, {7, 3, 2, 1, 1}, {4, 3, 1, 1, 1}, {5, 4, 1, 1, 2}, {5, 4, 2, 1, 2}, {6, 4, 2, 1, 1}, {6, 5, 2, 1, 2},
		{9, 1, 2, 0, 0}, {8, 1, 2, 0, 0}, {8, 2, 2, 0, 0}, {9, 2, 2, 0, 1}, {1, 7, 1, 3, 3}, {1, 6, 2, 2, 3}, {2, 7, 2, 2, 3},
	} {
		small := (test.side + test.stride - 1) / test.stride
		g := geometry{bigH: test.side, smallH: small, kernel: test.kernel, stride: test.stride}
		before := g.before(test.side, small)
		if behind := max((small-1)*test.stride+test.kernel-test.side, 0) - before; before != test.before || behind != test.behind {
			t.Errorf("%+v: %d before and %d behind", test, before, behind)
		}
	}
}

// TestJoin joins taps of two values whose sources and weights, of four lanes, follow each other, where all runs are as long.
func TestJoin(t *testing.T) {
	row := func(a, w, count int) (taps []kernel.Tap) {
		for i := range count {
			taps = append(taps, kernel.Tap{A: a + 2*i, W: w + 8*i})
		}
		return taps
	}
	cases := []struct {
		name       string
		taps, want []kernel.Tap
		values     int
	}{
		{"none", nil, nil, 2},
		{"one row", row(0, 0, 3), row(0, 0, 1), 6},
		{"two rows", append(row(0, 0, 3), row(20, 24, 3)...), append(row(0, 0, 1), row(20, 24, 1)...), 6},
		{"uneven", append(row(0, 0, 2), row(20, 24, 4)...), append(row(0, 0, 2), row(20, 24, 4)...), 2},
		{"weights apart", append(row(0, 0, 1), row(2, 16, 1)...), append(row(0, 0, 1), row(2, 16, 1)...), 2},
	}
	for _, c := range cases {
		got := class{taps: c.taps, values: 2}
		got.join(4)
		if !reflect.DeepEqual(got.taps, c.want) || got.values != c.values {
			t.Errorf("%s: taps %v of %d values, want %v of %d", c.name, got.taps, got.values, c.want, c.values)
		}
	}
}
