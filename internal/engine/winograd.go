package engine

import "dcgan/internal/kernel"

// winograd is how a transfer of kernel 3 and stride 1 is computed: by tiles of 4×4 target pixels, with a quarter of the
// multiplications. A block of images is transformed to 36 places, each a matrix of tiles by channels; each is multiplied
// by the transformed weights of its place, a panel of target channels at a time, and the products are transformed back
// while they are in cache.
type winograd struct {
	t              *transfer
	height, width  int // of an image
	up             bool
	tilesY, tilesX int
	packed         []float32 // place, panel, source channel, lane
	place          int       // values of packed a place
	scratch        []winogradScratch
	tap            kernel.Tap
}

// winogradScratch is a worker's memory.
type winogradScratch struct {
	inputs   []float32 // place, tile, source channel
	products []float32 // place, tile, lane
	patch    []float32 // a tile at the border, with its zeros
	taps     []float32 // 3×3 by lanes
}

const (
	// inputBudget is how many values of transformed inputs a block takes, so that they stay in a core's cache.
	inputBudget = 1 << 20 / 4
	// stagger keeps the places of a transform from falling on the same lines of a cache.
	stagger = 16
)

// filters reports whether a geometry is computed by Winograd's filtering.
func (g geometry) filters() bool { return g.kernel == 3 && g.stride == 1 }

func newWinograd(t *transfer, g geometry, down bool) *winograd {
	w := &winograd{t: t, height: g.bigH, width: g.bigW, up: !down}
	w.tilesY = (w.height + kernel.WinogradTile - 1) / kernel.WinogradTile
	w.tilesX = (w.width + kernel.WinogradTile - 1) / kernel.WinogradTile
	w.place = t.panels * t.depth * t.lanes
	w.packed = make([]float32, kernel.WinogradPlaces*w.place+kernel.Slack)
	tiles := w.maxImages() * w.tilesY * w.tilesX
	w.scratch = make([]winogradScratch, t.pool.threads)
	for i := range w.scratch {
		w.scratch[i] = winogradScratch{
			inputs:   make([]float32, kernel.WinogradPlaces*(tiles*t.depth+stagger)+kernel.Slack),
			products: make([]float32, kernel.WinogradPlaces*(tiles*t.lanes+stagger)+kernel.Slack),
			patch:    make([]float32, kernel.WinogradPlaces*max(t.depth, t.lanes)),
			taps:     make([]float32, 9*t.lanes),
		}
	}
	return w
}

// maxImages is how many images a block may have.
func (w *winograd) maxImages() int {
	return max(1, inputBudget/(kernel.WinogradPlaces*w.t.depth*w.tilesY*w.tilesX))
}

// pack transforms the weights of a panel.
func (w *winograd) pack(worker, panel int) {
	t := w.t
	taps := w.scratch[worker].taps
	first := panel * t.lanes
	lanes := min(t.lanes, t.width-first)
	clear(taps)
	for i := range t.depth {
		for tap := range 9 {
			from := t.weights[tap*t.tapStride+i*t.depthStride+first*t.laneStride:]
			to := taps[tap*t.lanes:]
			if w.up { // seen from the target, the kernel lies the other way round
				to = taps[(8-tap)*t.lanes:]
			}
			if t.laneStride == 1 {
				copy(to[:lanes], from)
				continue
			}
			for l := range lanes {
				to[l] = from[l*t.laneStride]
			}
		}
		t.set.WinogradKernel(w.packed[(panel*t.depth+i)*t.lanes:], w.place, taps, t.lanes, t.lanes)
	}
}

// block computes the targets of images lo to hi-1.
func (w *winograd) block(worker, lo, hi int) {
	t, scratch := w.t, &w.scratch[worker]
	tiles := (hi - lo) * w.tilesY * w.tilesX
	inputPlace := tiles*t.depth + stagger
	row := 0
	for image := lo; image < hi; image++ {
		from := t.from[image*t.sourceSize:]
		for y := range w.tilesY {
			for x := range w.tilesX {
				w.input(scratch, scratch.inputs[row*t.depth:], inputPlace, from, y*kernel.WinogradTile-1, x*kernel.WinogradTile-1)
				row++
			}
		}
	}
	productPlace := tiles*t.lanes + stagger
	for panel := range t.panels {
		for place := range kernel.WinogradPlaces {
			w.multiply(scratch.products[place*productPlace:], scratch.inputs[place*inputPlace:],
				w.packed[place*w.place+panel*t.depth*t.lanes:], tiles)
		}
		row = 0
		for image := lo; image < hi; image++ {
			to := t.to[image*t.targetSize+panel*t.lanes:]
			for y := range w.tilesY {
				for x := range w.tilesX {
					w.output(scratch, to, y*kernel.WinogradTile, x*kernel.WinogradTile, scratch.products[row*t.lanes:], productPlace, panel)
					row++
				}
			}
		}
	}
}

// input transforms the tile whose upper left pixel is (y, x).
func (w *winograd) input(scratch *winogradScratch, to []float32, place int, from []float32, y, x int) {
	t := w.t
	const side = kernel.WinogradInput
	if y >= 0 && x >= 0 && y+side <= w.height && x+side <= w.width {
		t.set.WinogradIn(to, place, from[(y*w.width+x)*t.depth:], w.width*t.depth, t.depth, t.depth)
		return
	}
	patch := scratch.patch
	clear(patch[:kernel.WinogradPlaces*t.depth])
	left, right := max(x, 0), min(x+side, w.width)
	for row := max(y, 0); row < min(y+side, w.height); row++ {
		copy(patch[((row-y)*side+left-x)*t.depth:], from[(row*w.width+left)*t.depth:(row*w.width+right)*t.depth])
	}
	t.set.WinogradIn(to, place, patch, side*t.depth, t.depth, t.depth)
}

// multiply computes products of tiles by lanes from inputs of tiles by source channels.
func (w *winograd) multiply(products, inputs, weights []float32, tiles int) {
	t := w.t
	var rows, outs [kernel.MaxRows]int
	for at := 0; at < tiles; {
		tile, size := t.set.Tile, t.set.Rows
		if tiles-at < size {
			tile, size = t.set.Short, t.set.ShortRows
		}
		for r := range size {
			tileRow := min(at+r, tiles-1)
			rows[r], outs[r] = tileRow*t.depth, tileRow*t.lanes
		}
		tile(&products[0], &inputs[0], &weights[0], &t.zero[0], &rows[0], &outs[0], &w.tap, 1, t.depth)
		at += size
	}
}

// output transforms the products of a panel for the tile whose upper left target pixel is (y, x).
func (w *winograd) output(scratch *winogradScratch, to []float32, y, x int, products []float32, place, panel int) {
	t := w.t
	channels := min(t.lanes, t.width-panel*t.lanes)
	bias := t.bias[panel*t.lanes:]
	const side = kernel.WinogradTile
	if y+side <= w.height && x+side <= w.width {
		t.set.WinogradOut(to[(y*w.width+x)*t.width:], w.width*t.width, t.width, products, place, bias, channels)
		return
	}
	patch := scratch.patch
	t.set.WinogradOut(patch, side*t.lanes, t.lanes, products, place, bias, channels)
	for row := y; row < min(y+side, w.height); row++ {
		for column := x; column < min(x+side, w.width); column++ {
			copy(to[(row*w.width+column)*t.width:][:channels], patch[((row-y)*side+column-x)*t.lanes:])
		}
	}
}
