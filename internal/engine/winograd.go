package engine

import "dcgan/internal/kernel"

// winograd is how a transfer of kernel 3 and stride 1 is computed: by tiles of 4×4 target pixels, with a quarter of the
// multiplications. Images are transformed to 36 places, each a matrix of tiles by source channels; each is multiplied by
// the transformed weights of its place; and the products are transformed back, a panel of target channels at a time.
//
// Where the weights fit in a core's cache, a task does all of this for some tiles of a block of images, and what lies between
// stays in cache too. Where they do not, all images are transformed first, and a task is a panel, or where those are fewer than
// keep all threads busy, a panel of a part of the tiles: it transforms the panel's weights, which never go to memory, and goes
// through the tiles, some at a time.
type winograd struct {
	t              *transfer
	height, width  int // of an image
	up             bool
	tilesY, tilesX int
	packed         []float32 // place, panel, source channel, lane; none if wide
	place          int       // values from one place to the next of the weights
	together       int       // tiles that are worked on at a time
	tiles          place     // offsets of tiles in inputs and products
	tap            kernel.Tap

	wide     bool      // the weights do not fit
	inputs   []float32 // of wide: place, tile, source channel
	images   int       // of the chunk in hand
	lo       int       // the first of them
	parts    int       // of the tiles, a task each for a panel
	inputJob wideInput
	panelJob widePanel
}

const (
	// inputBudget is how many values of transformed inputs, or of a panel's products, are worked on at a time, so that they
	// stay in a core's cache.
	inputBudget = 256 << 10 / 4
	// panelBudget is the same for the products of a wide transfer's panel, whose inputs stay in no core's cache.
	panelBudget = 512 << 10 / 4
	// filterBudget is how many values of source and target images a block takes.
	filterBudget = 640 << 10 / 4
	// weightBudget is how many values of transformed weights stay in a core's cache beside inputs and products.
	weightBudget = 1 << 20 / 4
	// wideBudget is how many values of a wide transfer's inputs, but for those of a single image, are held at a time. They should
	// stay in the cache that cores share, but all weights are transformed again for each time.
	wideBudget = 16 << 20 / 4
	// stagger keeps the places of a transform from falling on the same lines of a cache.
	stagger = 16
)

// filters reports whether a geometry is computed by Winograd's filtering; with few channels the transforms would take
// longer than the sums.
func (g geometry) filters() bool {
	return g.kernel == 3 && g.stride == 1 && min(g.bigC, g.smallC) >= 16
}

func newWinograd(t *transfer, g geometry, down bool) *winograd {
	w := &winograd{t: t, height: g.bigH, width: g.bigW, up: !down}
	w.tilesY = (w.height + kernel.WinogradTile - 1) / kernel.WinogradTile
	w.tilesX = (w.width + kernel.WinogradTile - 1) / kernel.WinogradTile
	w.inputJob.w, w.panelJob.w = w, w
	w.wide = kernel.WinogradPlaces*t.depth*t.width > weightBudget
	together := panelBudget / (kernel.WinogradPlaces * t.lanes)
	if w.wide {
		w.place = t.depth*t.lanes + stagger
	} else {
		together = inputBudget / (kernel.WinogradPlaces * max(t.depth, t.lanes))
		w.place = t.panels * t.depth * t.lanes
		w.packed = kernel.Buffer(kernel.WinogradPlaces * w.place)
	}
	w.together = min(w.maxImages()*w.tilesY*w.tilesX, max(t.set.Rows, together/t.set.Rows*t.set.Rows))
	for tile := range w.together {
		w.tiles.rows, w.tiles.outs = append(w.tiles.rows, tile*t.depth), append(w.tiles.outs, tile*t.lanes)
	}
	w.tiles.end()
	t.pool.reserve(w.restAt() + max(kernel.WinogradPlaces*max(t.depth, t.width), 9*packChannels*t.lanes))
	return w
}

// maxImages is how many images a block may have, or a chunk of a wide transfer.
func (w *winograd) maxImages() int {
	if w.wide {
		return max(1, wideBudget/(kernel.WinogradPlaces*w.t.depth*w.tilesY*w.tilesX))
	}
	return max(1, filterBudget/(w.t.sourceSize+w.t.targetSize))
}

// The values from one place to the next in a worker's memory, of the tiles that are worked on together.
func (w *winograd) inputPlace() int   { return w.together*w.t.depth + stagger }
func (w *winograd) productPlace() int { return w.together*w.t.lanes + stagger }

// A worker's memory is for products, then for inputs or where wide for weights, and then for the rest: weights as they are
// before they are transformed, or a tile at the border with its zeros.
func (w *winograd) restAt() int {
	place := w.inputPlace()
	if w.wide {
		place = w.place
	}
	return kernel.WinogradPlaces * (w.productPlace() + place)
}

func (w *winograd) rest(worker int) []float32 { return w.t.pool.memory[worker][w.restAt():] }

// pack transforms the weights of a panel.
func (w *winograd) pack(worker, panel int) {
	w.transform(worker, w.packed[panel*w.t.depth*w.t.lanes:], panel)
}

// transform transforms the weights of a panel, some source channels at a time, so that both they and where they go are read
// and written in whole lines.
func (w *winograd) transform(worker int, to []float32, panel int) {
	t := w.t
	taps := w.rest(worker)[:9*packChannels*t.lanes]
	clear(taps)
	for i := 0; i < t.depth; i += packChannels {
		channels := min(packChannels, t.depth-i)
		for tap := range 9 {
			t.expectWeights(panel, tap, i+packChannels)
			to := taps[tap*channels*t.lanes:]
			if w.up { // seen from the target, the kernel lies the other way round
				to = taps[(8-tap)*channels*t.lanes:]
			}
			t.gather(to, panel, tap, i, channels)
		}
		t.set.WinogradKernel(to[i*t.lanes:], w.place, taps, channels*t.lanes, channels*t.lanes)
	}
}

// block computes a share of the tiles of a block of images.
func (w *winograd) block(worker int, to, from []float32, soon arrivals, images int, s share) {
	t := w.t
	first, last := s.of(images * w.tilesY * w.tilesX)
	steps := t.panels * kernel.WinogradPlaces * ((last - first + t.set.Rows - 1) / t.set.Rows)
	sources, targets := images*t.sourceSize, images*t.targetSize
	meanwhile := newAhead(t.set, steps, stretch(soon.targets, 0, targets), stretch(soon.besideTargets, 0, targets),
		stretch(soon.sources, 0, sources), stretch(soon.besideSources, 0, sources))
	for at := first; at < last; at += w.together {
		w.some(worker, to, from, at, min(at+w.together, last), &meanwhile)
	}
}

// some computes tiles first to last-1 of a block of images.
func (w *winograd) some(worker int, to, from []float32, first, last int, meanwhile *ahead) {
	t := w.t
	inputs := t.pool.memory[worker][kernel.WinogradPlaces*w.productPlace():]
	for tile := first; tile < last; tile++ {
		image, y, x := w.position(tile)
		w.inputTile(worker, inputs[(tile-first)*t.depth:], w.inputPlace(), from[image*t.sourceSize:], y-1, x-1)
	}
	for panel := range t.panels {
		w.panel(worker, panel, to, inputs, w.inputPlace(), w.packed[panel*t.depth*t.lanes:], first, last, meanwhile)
	}
}

// panel computes a panel of tiles first to last-1 of some images from their inputs.
func (w *winograd) panel(worker, panel int, to, inputs []float32, inputPlace int, weights []float32, first, last int, meanwhile *ahead) {
	t := w.t
	products := t.pool.memory[worker]
	for place := range kernel.WinogradPlaces {
		w.multiply(worker, products[place*w.productPlace():], inputs[place*inputPlace:], weights[place*w.place:], last-first, meanwhile)
	}
	bias, channels := t.bias[panel*t.lanes:], min(t.lanes, t.width-panel*t.lanes)
	for tile := first; tile < last; tile++ {
		image, y, x := w.position(tile)
		w.outputTile(worker, to[image*t.targetSize+panel*t.lanes:], y, x, products[(tile-first)*t.lanes:], w.productPlace(), bias, channels)
	}
}

// position returns the image of a tile of a block and its upper left target pixel.
func (w *winograd) position(tile int) (image, y, x int) {
	perImage := w.tilesY * w.tilesX
	return tile / perImage, tile % perImage / w.tilesX * kernel.WinogradTile, tile % w.tilesX * kernel.WinogradTile
}

// inputTile transforms the tile whose upper left pixel is (y, x).
func (w *winograd) inputTile(worker int, to []float32, place int, from []float32, y, x int) {
	depth := w.t.depth
	winogradIn(w.t.set, to, place, from, w.rest(worker), y, x, w.height, w.width, depth, depth)
}

// multiply computes the products of a panel, tiles by lanes, from inputs, tiles by source channels.
func (w *winograd) multiply(worker int, products, inputs, weights []float32, tiles int, next *ahead) {
	t := w.t
	for at := 0; at < tiles; {
		tile, size := t.set.Fit(tiles - at)
		rows, outs := w.tiles.list(&t.pool.lists[worker], at, tiles, size)
		tile(&products[0], &inputs[0], &weights[0], &t.zero[0], rows, outs, &w.tap, 1, t.depth)
		at += size
		next.step()
	}
}

// outputTile transforms the products of some channels for the tile whose upper left target pixel is (y, x).
func (w *winograd) outputTile(worker int, to []float32, y, x int, products []float32, place int, bias []float32, channels int) {
	t := w.t
	const side = kernel.WinogradTile
	if y+side <= w.height && x+side <= w.width {
		t.set.WinogradOut(to[(y*w.width+x)*t.width:], w.width*t.width, t.width, products, place, bias, channels)
		return
	}
	patch := w.rest(worker)
	t.set.WinogradOut(patch, side*channels, channels, products, place, bias, channels)
	for row := y; row < min(y+side, w.height); row++ {
		for column := x; column < min(x+side, w.width); column++ {
			copy(to[(row*w.width+column)*t.width:][:channels], patch[((row-y)*side+column-x)*channels:])
		}
	}
}

// wideSize is how many values a wide transfer of images needs for inputs.
func (w *winograd) wideSize(images int) int {
	return kernel.WinogradPlaces*(min(images, w.maxImages())*w.tilesY*w.tilesX*w.t.depth+stagger) + kernel.Slack
}

// widePlace is the values between places of a wide transfer's inputs.
func (w *winograd) widePlace() int { return w.images*w.tilesY*w.tilesX*w.t.depth + stagger }

// callWide computes the targets of all images; memory has wideSize values.
func (w *winograd) callWide(memory []float32) {
	t := w.t
	w.inputs = memory
	threads := t.pool.threads
	chunks := (t.images + w.maxImages() - 1) / w.maxImages()
	for w.lo = 0; w.lo < t.images; w.lo += w.images {
		w.images = min((t.images+chunks-1)/chunks, t.images-w.lo)
		t.pool.do(&w.inputJob, w.images)
		w.parts = min(w.images, (2*threads-1)/t.panels+1)
		t.pool.do(&w.panelJob, t.panels*w.parts)
		t.rest.call(t.pool, t.to.then, w.lo, w.lo+w.images)
	}
}

// wideInput transforms an image a task.
type wideInput struct{ w *winograd }

func (j *wideInput) run(worker, image int) {
	w, t := j.w, j.w.t
	row := image * w.tilesY * w.tilesX
	for y := range w.tilesY {
		for x := range w.tilesX {
			w.inputTile(worker, w.inputs[row*t.depth:], w.widePlace(), t.from.images[(w.lo+image)*t.sourceSize:],
				y*kernel.WinogradTile-1, x*kernel.WinogradTile-1)
			row++
		}
	}
}

// widePanel computes a panel of a part of the tiles a task.
type widePanel struct{ w *winograd }

func (j *widePanel) run(worker, task int) {
	w, t := j.w, j.w.t
	panel, part := task%t.panels, share{task / t.panels, w.parts}
	weights := t.pool.memory[worker][kernel.WinogradPlaces*w.productPlace():]
	w.transform(worker, weights, panel)
	to := t.to.images[w.lo*t.targetSize:]
	first, last := part.of(w.images * w.tilesY * w.tilesX)
	for at := first; at < last; at += w.together {
		w.panel(worker, panel, to, w.inputs[at*t.depth:], w.widePlace(), weights, at, min(at+w.together, last), &ahead{})
	}
}
