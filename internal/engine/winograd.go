package engine

import "dcgan/internal/kernel"

// winograd is how a transfer of kernel 3 and stride 1 is computed: by tiles of 4×4 target pixels, with a quarter of the
// multiplications. Images are transformed to 36 places, each a matrix of tiles by source channels; each is multiplied by
// the transformed weights of its place; and the products are transformed back.
//
// Where the weights fit in a core's cache, a task does all of this for some tiles of a block of images, a panel of target
// channels at a time, and what lies between stays in cache too. Where they do not, it is the weights of one place that should be read
// once: all images are transformed, then places are multiplied, each a task, then all products are transformed back. Of a small
// batch, the weights are not even written: a task transforms those of a panel and multiplies all places by them.
type winograd struct {
	t              *transfer
	height, width  int // of an image
	up             bool
	tilesY, tilesX int
	packed         []float32 // place, panel, source channel, lane
	place          int       // values of packed a place
	together       int       // tiles that are worked on at a time, unless wide
	tiles          place     // offsets of tiles in inputs and products
	tap            kernel.Tap

	wide       bool      // the weights do not fit
	fresh      bool      // of wide: they are transformed when they are used
	inputs     []float32 // of wide: place, tile, source channel
	products   []float32 // of wide: place, panel, tile, lane
	images     int       // of the chunk in hand
	perOutput  int       // of them a task transforms back
	lo         int
	inputJob   wideInput
	productJob wideProduct
	freshJob   freshProduct
	outputJob  wideOutput
}

const (
	// inputBudget is how many values of transformed inputs, or of a panel's products, are worked on at a time, so that they
	// stay in a core's cache.
	inputBudget = 256 << 10 / 4
	// filterBudget is how many values of source and target images a block takes.
	filterBudget = 640 << 10 / 4
	// weightBudget is how many values of transformed weights stay in a core's cache beside inputs and products.
	weightBudget = 1 << 20 / 4
	// wideBudget is how many values of inputs and products of a wide transfer are held at a time.
	wideBudget = 32 << 20 / 4
	// freshTiles is up to how many tiles of a batch weights are transformed panel by panel as they are used: so few multiply
	// them that writing them to memory and reading them again takes longer.
	freshTiles = 32
	// stagger keeps the places of a transform from falling on the same lines of a cache.
	stagger = 16
)

// filters reports whether a geometry is computed by Winograd's filtering; with few channels the transforms would take
// longer than the sums.
func (g geometry) filters() bool {
	return g.kernel == 3 && g.stride == 1 && min(g.bigC, g.smallC) >= 16
}

func newWinograd(t *transfer, g geometry, down bool, batch int) *winograd {
	w := &winograd{t: t, height: g.bigH, width: g.bigW, up: !down}
	w.tilesY = (w.height + kernel.WinogradTile - 1) / kernel.WinogradTile
	w.tilesX = (w.width + kernel.WinogradTile - 1) / kernel.WinogradTile
	w.place = t.panels * t.depth * t.lanes
	w.inputJob.w, w.productJob.w, w.freshJob.w, w.outputJob.w = w, w, w, w
	w.wide = kernel.WinogradPlaces*t.depth*t.width > weightBudget
	tiles := w.maxImages() * w.tilesY * w.tilesX
	w.fresh = w.wide && batch*w.tilesY*w.tilesX <= freshTiles
	if !w.fresh {
		w.packed = kernel.Buffer(kernel.WinogradPlaces * w.place)
	}
	if !w.wide {
		together := inputBudget / (kernel.WinogradPlaces * max(t.depth, t.lanes))
		w.together = min(tiles, max(t.set.Rows, together/t.set.Rows*t.set.Rows))
		tiles = w.together
	}
	for tile := range tiles {
		w.tiles.rows, w.tiles.outs = append(w.tiles.rows, tile*t.depth), append(w.tiles.outs, tile*t.lanes)
	}
	w.tiles.end()
	t.pool.reserve(kernel.WinogradPlaces*(w.inputPlace()+w.productPlace()+max(t.depth, t.width)) + 9*packChannels*t.lanes)
	if w.fresh {
		t.pool.reserve(kernel.WinogradPlaces*w.freshPlace() + 9*packChannels*t.lanes)
	}
	return w
}

// maxImages is how many images a block may have, or a chunk of a wide transfer.
func (w *winograd) maxImages() int {
	if w.wide {
		return max(1, wideBudget/(kernel.WinogradPlaces*(w.t.depth+w.t.width)*w.tilesY*w.tilesX))
	}
	return max(1, filterBudget/(w.t.sourceSize+w.t.targetSize))
}

// The values from one place to the next in memory, of the tiles that are worked on together.
func (w *winograd) inputPlace() int   { return w.together*w.t.depth + stagger }
func (w *winograd) productPlace() int { return w.together*w.t.lanes + stagger }

// freshPlace is the values from one place to the next of a panel's weights that are transformed when they are used.
func (w *winograd) freshPlace() int { return w.t.depth*w.t.lanes + stagger }

// patch is a worker's memory for a tile at the border, with its zeros.
func (w *winograd) patch(worker int) []float32 {
	return w.t.pool.memory[worker][kernel.WinogradPlaces*(w.inputPlace()+w.productPlace()):]
}

// pack transforms the weights of a panel.
func (w *winograd) pack(worker, panel int) {
	w.transform(w.packed[panel*w.t.depth*w.t.lanes:], w.place, w.t.pool.memory[worker], panel)
}

// transform transforms the weights of a panel, some source channels at a time, so that both they and where they go are read
// and written in whole lines.
func (w *winograd) transform(to []float32, place int, taps []float32, panel int) {
	t := w.t
	taps = taps[:9*packChannels*t.lanes]
	clear(taps)
	for i := 0; i < t.depth; i += packChannels {
		channels := min(packChannels, t.depth-i)
		for tap := range 9 {
			to := taps[tap*channels*t.lanes:]
			if w.up { // seen from the target, the kernel lies the other way round
				to = taps[(8-tap)*channels*t.lanes:]
			}
			t.gather(to, panel, tap, i, channels)
		}
		t.set.WinogradKernel(to[i*t.lanes:], place, taps, channels*t.lanes, channels*t.lanes)
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
	inputs, products := cut(t.pool.memory[worker], kernel.WinogradPlaces*w.inputPlace())
	for tile := first; tile < last; tile++ {
		image, y, x := w.position(tile)
		w.inputTile(worker, inputs[(tile-first)*t.depth:], w.inputPlace(), from[image*t.sourceSize:], y-1, x-1)
	}
	for panel := range t.panels {
		for place := range kernel.WinogradPlaces {
			w.multiply(worker, products[place*w.productPlace():], inputs[place*w.inputPlace():],
				w.packed[place*w.place+panel*t.depth*t.lanes:], last-first, meanwhile)
		}
		for tile := first; tile < last; tile++ {
			image, y, x := w.position(tile)
			w.outputTile(worker, to[image*t.targetSize+panel*t.lanes:], y, x, products[(tile-first)*t.lanes:], w.productPlace(),
				t.bias[panel*t.lanes:], min(t.lanes, t.width-panel*t.lanes))
		}
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
	winogradIn(w.t.set, to, place, from, w.patch(worker), y, x, w.height, w.width, depth, depth)
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
	patch := w.patch(worker)
	t.set.WinogradOut(patch, side*channels, channels, products, place, bias, channels)
	for row := y; row < min(y+side, w.height); row++ {
		for column := x; column < min(x+side, w.width); column++ {
			copy(to[(row*w.width+column)*t.width:][:channels], patch[((row-y)*side+column-x)*channels:])
		}
	}
}

// wideSize is how many values a wide transfer of images needs for inputs and products.
func (w *winograd) wideSize(images int) int {
	tiles := min(images, w.maxImages()) * w.tilesY * w.tilesX
	return kernel.WinogradPlaces*(tiles*(w.t.depth+w.t.panels*w.t.lanes)+2*stagger) + kernel.Slack
}

// callWide computes the targets of all images; memory has wideSize values.
func (w *winograd) callWide(memory []float32) {
	t := w.t
	for w.lo = 0; w.lo < t.images; w.lo += w.images {
		w.images = min(w.maxImages(), t.images-w.lo)
		w.perOutput = max(1, min(outputImages, w.images/(4*t.pool.threads)))
		inputs := kernel.WinogradPlaces * (w.images*w.tilesY*w.tilesX*t.depth + stagger)
		w.inputs, w.products = memory[:inputs], memory[inputs:]
		w.t.pool.do(&w.inputJob, w.images)
		if w.fresh {
			w.t.pool.do(&w.freshJob, t.panels)
		} else {
			w.t.pool.do(&w.productJob, kernel.WinogradPlaces)
		}
		w.t.pool.do(&w.outputJob, (w.images+w.perOutput-1)/w.perOutput)
	}
}

// places returns the values between places of a wide transfer's inputs and products.
func (w *winograd) places() (inputs, products int) {
	tiles := w.images * w.tilesY * w.tilesX
	return tiles*w.t.depth + stagger, tiles*w.t.panels*w.t.lanes + stagger
}

// wideInput transforms an image a task.
type wideInput struct{ w *winograd }

func (j *wideInput) run(worker, image int) {
	w, t := j.w, j.w.t
	place, _ := w.places()
	row := image * w.tilesY * w.tilesX
	for y := range w.tilesY {
		for x := range w.tilesX {
			w.inputTile(worker, w.inputs[row*t.depth:], place, t.from.images[(w.lo+image)*t.sourceSize:],
				y*kernel.WinogradTile-1, x*kernel.WinogradTile-1)
			row++
		}
	}
}

// wideProduct multiplies a place a task.
type wideProduct struct{ w *winograd }

func (j *wideProduct) run(worker, place int) {
	w, t := j.w, j.w.t
	inputs, products := w.places()
	tiles := w.images * w.tilesY * w.tilesX
	weights := t.depth * t.lanes
	steps := (tiles + t.set.Rows - 1) / t.set.Rows
	for panel := range t.panels {
		// Meanwhile the next panel's weights arrive, where its products go, and a part of the next place's inputs.
		at, to := place*w.place+panel*weights, place*products+panel*tiles*t.lanes
		part := (inputs + t.panels - 1) / t.panels
		input := (place+1)*inputs + panel*part
		next := newAhead(t.set, steps, stretch(w.packed, at+weights, at+2*weights),
			stretch(w.products, to+tiles*t.lanes, to+2*tiles*t.lanes), stretch(w.inputs, input, input+part))
		w.multiply(worker, w.products[to:], w.inputs[place*inputs:], w.packed[at:], tiles, &next)
	}
}

// freshProduct transforms the weights of a panel a task and multiplies all places by them.
type freshProduct struct{ w *winograd }

func (j *freshProduct) run(worker, panel int) {
	w, t := j.w, j.w.t
	inputs, products := w.places()
	tiles := w.images * w.tilesY * w.tilesX
	taps, weights := cut(t.pool.memory[worker], 9*packChannels*t.lanes)
	w.transform(weights, w.freshPlace(), taps, panel)
	for place := range kernel.WinogradPlaces {
		w.multiply(worker, w.products[place*products+panel*tiles*t.lanes:], w.inputs[place*inputs:], weights[place*w.freshPlace():],
			tiles, &ahead{})
	}
}

// wideOutput transforms some images' products back a task, panel by panel: those of a panel's tiles lie one behind the other.
type wideOutput struct{ w *winograd }

// outputImages is how many images a task takes at the most.
const outputImages = 16

func (j *wideOutput) run(worker, task int) {
	w, t := j.w, j.w.t
	_, place := w.places()
	perImage := w.tilesY * w.tilesX
	tiles := w.images * perImage
	lo, hi := task*w.perOutput, min((task+1)*w.perOutput, w.images)
	for panel := range t.panels {
		for row := lo * perImage; row < hi*perImage; row++ {
			image, y, x := w.position(row)
			w.outputTile(worker, t.to.images[(w.lo+image)*t.targetSize+panel*t.lanes:], y, x,
				w.products[(panel*tiles+row)*t.lanes:], place, t.bias[panel*t.lanes:], min(t.lanes, t.width-panel*t.lanes))
		}
	}
	if t.to.then != nil {
		t.to.then(w.lo+lo, w.lo+hi)
	}
}
