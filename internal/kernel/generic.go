package kernel

import (
	"unsafe"

	"dcgan/internal/random"
)

// Generic is every kernel in plain Go.
var Generic = Set{
	Name: "generic", Rows: genericRows, OuterRows: genericRows, Lanes: genericLanes, DotRows: genericRows,
	ShortRows: genericRows, Short: tileGeneric,
	Tile: tileGeneric, Outer: outerGeneric, Dot: dotGeneric,
	Moments: momentsGeneric, Sums: sumsGeneric, NormGrads: normGradsGeneric,
	Scale: scaleGeneric, NormBack: normBackGeneric, Leaky: leakyGeneric, LeakyBack: leakyBackGeneric,
	WinogradIn: winogradInGeneric, WinogradOut: winogradOutGeneric, WinogradKernel: winogradKernelGeneric,
	Products: productsGeneric, WinogradGradIn: winogradGradInGeneric, WinogradGradOut: winogradGradOutGeneric,
	PairIn: pairInGeneric, PairOut: pairOutGeneric, PairKernel: pairKernelGeneric, PairLongKernel: pairLongKernelGeneric,
	PairGradIn: pairGradInGeneric, PairGradOut: pairGradOutGeneric,
	Keep: random.Stream.Keep, Prefetch: func(*float32, int, int) {},
	Adam: adamGeneric, Add: addGeneric, CopyRows: copyRowsGeneric, Transpose: transposeGeneric, Tanh: tanhGeneric, Peak: peakGeneric,
}

const genericRows, genericLanes = 4, 16

func at(p *float32, offset int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(p), offset*4))
}

// addProducts adds value·w[l] to acc[l], for each l, as fma does. It has fma's common case in its loop since fma itself is
// too long for the compiler to inline.
func addProducts(acc, w *[genericLanes]float32, value float32) {
	v := float64(value)
	for l := range acc {
		sum := v*float64(w[l]) + float64(acc[l])
		if uncertain(sum) {
			acc[l] = fmaOdd(value, w[l], acc[l])
		} else {
			acc[l] = float32(sum)
		}
	}
}

func tileGeneric(out, a, w, bias *float32, rows, outs *int, taps *Tap, nTaps, k int) {
	var acc [genericRows][genericLanes]float32
	for r := range acc {
		acc[r] = *(*[genericLanes]float32)(unsafe.Pointer(bias))
	}
	row := unsafe.Slice(rows, genericRows)
	for _, tap := range unsafe.Slice(taps, nTaps) {
		for i := 0; i < k; i++ {
			weights := (*[genericLanes]float32)(unsafe.Pointer(at(w, tap.W+i*genericLanes)))
			for r := range acc {
				addProducts(&acc[r], weights, *at(a, row[r]+tap.A+i))
			}
		}
	}
	for r, o := range unsafe.Slice(outs, genericRows) {
		*(*[genericLanes]float32)(unsafe.Pointer(at(out, o))) = acc[r]
	}
}

func outerGeneric(acc, x, y *float32, offsets *int, pixels *Pair, nPixels int, _ *float32, _ int) {
	sums := (*[genericRows][genericLanes]float32)(unsafe.Pointer(acc))
	offset := unsafe.Slice(offsets, genericRows)
	for _, p := range unsafe.Slice(pixels, nPixels) {
		lanes := (*[genericLanes]float32)(unsafe.Pointer(at(y, p.Y)))
		for r := range sums {
			addProducts(&sums[r], lanes, *at(x, p.X+offset[r]))
		}
	}
}

func productsGeneric(acc, x, y *float32, tiles, xStride, yStride int, add bool) {
	sums := (*[genericRows][genericLanes]float32)(unsafe.Pointer(acc))
	if !add {
		clear(sums[:])
	}
	for t := 0; t < tiles; t++ {
		lanes := (*[genericLanes]float32)(unsafe.Pointer(at(y, t*yStride)))
		for r := range sums {
			addProducts(&sums[r], lanes, *at(x, t*xStride+r))
		}
	}
}

func dotGeneric(out, a, w *float32, bias float32, rows, outs *int, taps *Tap, nTaps, k int) {
	row, to := unsafe.Slice(rows, genericRows), unsafe.Slice(outs, genericRows)
	for r := range row {
		var sums [DotLanes]float32
		for _, tap := range unsafe.Slice(taps, nTaps) {
			values := unsafe.Slice(at(a, row[r]+tap.A), k)
			weights := unsafe.Slice(at(w, tap.W), k)
			for i, v := range values {
				sums[i%DotLanes] = fma(v, weights[i], sums[i%DotLanes])
			}
		}
		for half := DotLanes / 2; half > 0; half /= 2 {
			for l := 0; l < half; l++ {
				sums[l] += sums[l+half]
			}
		}
		*at(out, to[r]) = sums[0] + bias
	}
}
