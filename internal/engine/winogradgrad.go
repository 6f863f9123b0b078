package engine

import "dcgan/internal/kernel"

// winogradGrad computes the gradient of a 3×3 kernel of stride 1 through Winograd's filtering: tiles of both images are
// transformed, multiplied place by place and summed over the tiles, and the sums of a slice transformed back.
//
// Where the gradient is one block, a task transforms some tiles at a time, so that all stays in its core's cache. Where it
// is many, each would transform the same tiles again: all tiles of some slices are transformed first, once.
type winogradGrad struct {
	k              *kernelGrad
	tilesY, tilesX int
	wide           bool
	rows           int       // tiles that are worked on at a time: some, or where wide, all of a slice
	memory         []float32 // of wide: the transforms of some subtrees' slices, shared by the layers of a network
	lo             int       // of wide: the first of these subtrees
	transform      transformJob
	sum            sumJob
}

const (
	// tileBudget is how many values of transformed tiles are worked on at a time.
	tileBudget = 384 << 10 / 4
	// sliceBudget is how many values of transformed tiles are held at a time where all of a slice are.
	sliceBudget = 32 << 20 / 4
	// productBudget is how many sums of products a task has, so that they stay in a core's cache.
	productBudget = 768 << 10 / 4
	// wholeVectors divides a block's channels, so that every variant takes them in vectors.
	wholeVectors = 16
)

// newWinogradGrad plans for slices of at most images images.
func newWinogradGrad(k *kernelGrad, images int) *winogradGrad {
	w := &winogradGrad{k: k}
	w.transform.w, w.sum.w = w, w
	w.tilesY = (k.geometry.bigH + kernel.WinogradTile - 1) / kernel.WinogradTile
	w.tilesX = (k.geometry.bigW + kernel.WinogradTile - 1) / kernel.WinogradTile
	w.rows = images * w.tilesY * w.tilesX
	w.wide = k.blocks() > 2 && w.sliceSize() <= sliceBudget
	if !w.wide {
		w.rows = max(8, tileBudget/(kernel.WinogradPlaces*(k.channels+k.width())))
		if w.rows > w.tilesX { // whole rows of tiles, whose pixels lie together
			w.rows -= w.rows % w.tilesX
		}
	}
	return w
}

// The values from one place to the next in memory: of a block's big and small tiles and of its sums of products.
func (w *winogradGrad) bigPlace() int   { return w.rows*w.k.channels + stagger }
func (w *winogradGrad) smallPlace() int { return w.rows*w.k.width() + stagger }
func (w *winogradGrad) sumPlace() int   { return w.k.rows()*w.k.width() + stagger }

// scratchSize is how many values a worker needs: those, and a tile at a border.
func (w *winogradGrad) scratchSize() int {
	size := kernel.WinogradPlaces * (w.sumPlace() + max(w.k.channels, w.k.width()))
	if !w.wide {
		size += kernel.WinogradPlaces * (w.bigPlace() + w.smallPlace())
	}
	return size + kernel.Slack
}

// sliceSize is how many values a slice's transforms take, block of big channels after block, then the blocks of small
// ones.
func (w *winogradGrad) sliceSize() int {
	return kernel.WinogradPlaces * (w.k.bigBlocks()*w.bigPlace() + w.k.smallBlocks()*w.smallPlace())
}

// perPass is how many subtrees' transforms are held at a time.
func (w *winogradGrad) perPass() int {
	n := w.k.subtrees
	for n > 1 && n*w.k.perTree*w.sliceSize() > sliceBudget {
		n /= 2
	}
	return n
}

// wideSize is how many values of memory all layers' gradients may share.
func (w *winogradGrad) wideSize() int {
	if !w.wide {
		return 0
	}
	return w.perPass()*w.k.perTree*w.sliceSize() + kernel.Slack
}

// callWide computes the subtrees' gradients.
func (w *winogradGrad) callWide() {
	k := w.k
	n := w.perPass()
	for w.lo = 0; w.lo < k.subtrees; w.lo += n {
		k.pool.do(&w.transform, n*k.perTree*(k.bigBlocks()+k.smallBlocks()))
		k.pool.do(&w.sum, n*k.blocks())
	}
}

// transformJob transforms a slice's tiles, some channels of them a task.
type transformJob struct{ w *winogradGrad }

func (j *transformJob) run(worker, task int) {
	w, k := j.w, j.w.k
	perSlice := k.bigBlocks() + k.smallBlocks()
	slice, block := task/perSlice, task%perSlice
	to := w.memory[slice*w.sliceSize():]
	images := k.slices[w.lo*k.perTree+slice]
	patch := k.scratch[worker]
	row := 0
	for _, span := range images {
		for image := span.lo; image < span.hi; image++ {
			for y := range w.tilesY {
				for x := range w.tilesX {
					if block < k.bigBlocks() {
						w.bigTile(to[kernel.WinogradPlaces*block*w.bigPlace()+row*k.channels:], patch, image, y, x, k.part(block))
					} else {
						b := block - k.bigBlocks()
						at := kernel.WinogradPlaces * (k.bigBlocks()*w.bigPlace() + b*w.smallPlace())
						w.smallTile(to[at+row*k.width():], patch, image, y, x, k.part(b*k.bigBlocks()))
					}
					row++
				}
			}
		}
	}
}

// sumJob computes a block of the gradient of a subtree a task.
type sumJob struct{ w *winogradGrad }

func (j *sumJob) run(worker, task int) {
	j.w.k.run(worker, j.w.lo*j.w.k.blocks()+task)
}

// slice sets sums, by tap and tile of the matrix kernel, to the gradient from the images of slice number s.
func (w *winogradGrad) slice(sums, scratch []float32, block part, s int) {
	k := w.k
	products, scratch := cut(scratch, kernel.WinogradPlaces*w.sumPlace())
	if w.wide {
		big, small := w.transforms(s, block)
		var next ahead // meanwhile the next slice's transforms arrive, or at the last, where the gradient goes
		if (s+1)%k.perTree == 0 {
			w.expect(k.of(s/k.perTree), block)
		} else {
			steps := kernel.WinogradPlaces * k.groups()
			a, b := w.transforms(s+1, block)
			next = newAhead(k.set, steps, a, b)
		}
		tiles := 0
		for _, images := range k.slices[s] {
			tiles += (images.hi - images.lo) * w.tilesY * w.tilesX
		}
		w.multiply(products, big, small, tiles, block, false, &next)
	} else {
		w.multiplyTiles(products, scratch, block, k.slices[s])
	}
	k.set.WinogradGradOut(sums, k.rows()*k.width(), products, w.sumPlace(), k.rows()*k.width())
}

// transforms returns those of a slice for a block.
func (w *winogradGrad) transforms(s int, block part) (big, small []float32) {
	k := w.k
	memory := w.memory[(s-w.lo*k.perTree)*w.sliceSize():]
	bigs, smalls := kernel.WinogradPlaces*w.bigPlace(), kernel.WinogradPlaces*w.smallPlace()
	bigBlock, smallBlock := block.firstChannel/k.channels, block.firstPanel/k.perTask
	return memory[bigBlock*bigs:][:bigs], memory[k.bigBlocks()*bigs+smallBlock*smalls:][:smalls]
}

// multiplyTiles sets products to those of a slice's images, which it transforms some tiles at a time.
func (w *winogradGrad) multiplyTiles(products, scratch []float32, block part, slice []span) {
	k := w.k
	big, scratch := cut(scratch, kernel.WinogradPlaces*w.bigPlace())
	small, patch := cut(scratch, kernel.WinogradPlaces*w.smallPlace())
	row, add := 0, false
	for _, images := range slice {
		for image := images.lo; image < images.hi; image++ {
			for y := range w.tilesY {
				for x := range w.tilesX {
					w.bigTile(big[row*k.channels:], patch, image, y, x, block)
					w.smallTile(small[row*k.width():], patch, image, y, x, block)
					if row++; row == w.rows {
						// Meanwhile the pixels of as many tiles arrive.
						done := image*w.tilesY*w.tilesX + y*w.tilesX + x + 1
						next := newAhead(k.set, kernel.WinogradPlaces*k.groups(),
							w.pixels(k.big, k.geometry.bigSize(), done), w.pixels(k.small, k.geometry.smallSize(), done))
						w.multiply(products, big, small, row, block, add, &next)
						row, add = 0, true
					}
				}
			}
		}
	}
	if row > 0 || !add {
		w.multiply(products, big, small, row, block, add, &ahead{})
	}
}

// pixels returns those of the tiles to be transformed next, the first tiles of a batch being done.
func (w *winogradGrad) pixels(batch []float32, image, done int) []float32 {
	perTile := image / (w.tilesY * w.tilesX)
	return stretch(batch, done*perTile, (done+w.rows)*perTile)
}

// multiply sets the products to those of some tiles, or adds these.
func (w *winogradGrad) multiply(products, big, small []float32, tiles int, block part, add bool, next *ahead) {
	k := w.k
	channels, width, tile, outerRows, lanes := k.channels, k.width(), k.tile(), k.set.OuterRows, k.set.Lanes
	groups, panels := k.groups(), block.lastPanel-block.firstPanel
	for place := range kernel.WinogradPlaces {
		products, big, small := products[place*w.sumPlace():], big[place*w.bigPlace():], small[place*w.smallPlace():]
		for group := range groups {
			x, to := &big[group*outerRows], products[group*k.perTask*tile:]
			for panel := range panels {
				k.set.Products(&to[panel*tile], x, &small[panel*lanes], tiles, channels, width, add)
			}
			next.step()
		}
	}
}

// bigTile transforms a tile of a big image.
func (w *winogradGrad) bigTile(to, patch []float32, image, tileY, tileX int, block part) {
	k, g := w.k, w.k.geometry
	channels := block.lastChannel - block.firstChannel
	from := k.big[image*g.bigSize()+block.firstChannel:]
	y, x := tileY*kernel.WinogradTile-1, tileX*kernel.WinogradTile-1
	winogradIn(k.set, to, w.bigPlace(), from, patch, y, x, g.bigH, g.bigW, g.bigC, channels)
}

// smallTile transforms a tile of a small image.
func (w *winogradGrad) smallTile(to, patch []float32, image, tileY, tileX int, block part) {
	k, g := w.k, w.k.geometry
	first := block.firstPanel * k.set.Lanes
	channels := min(block.lastPanel*k.set.Lanes, g.smallC) - first
	from := k.small[image*g.smallSize()+first:]
	const side = kernel.WinogradTile
	y, x := tileY*side, tileX*side
	if y+side <= g.smallH && x+side <= g.smallW && k.below == nil {
		k.set.WinogradGradIn(to, w.smallPlace(), from[(y*g.smallW+x)*g.smallC:], g.smallW*g.smallC, g.smallC, channels)
		return
	}
	if k.below != nil { // whose images are whole tiles
		for row := range side {
			k.below.remake(patch[row*side*channels:], from[((y+row)*g.smallW+x)*g.smallC:], first, channels, side)
		}
	} else {
		border(k.set, patch, from, side, y, x, g.smallH, g.smallW, g.smallC, channels)
	}
	k.set.WinogradGradIn(to, w.smallPlace(), patch, side*channels, channels, channels)
}

// expect prefetches where store will write.
func (w *winogradGrad) expect(grad []float32, block part) {
	k, g := w.k, w.k.geometry
	first, last := block.firstPanel*k.set.Lanes, min(block.lastPanel*k.set.Lanes, g.smallC)
	for t := range g.taps() {
		for channel := block.firstChannel; channel < block.lastChannel; channel++ {
			k.set.Prefetch(&grad[(t*g.bigC+channel)*g.smallC+first], (last-first+cacheLine-1)/cacheLine, cacheLine)
		}
	}
}

// store writes the sums to a gradient.
func (w *winogradGrad) store(grad, sums []float32, block part) {
	k, g := w.k, w.k.geometry
	for t := range g.taps() {
		at := t * k.rows() * k.width()
		for channel := block.firstChannel; channel < block.lastChannel; channel += k.set.OuterRows {
			for panel := block.firstPanel; panel < block.lastPanel; panel++ {
				first := panel * k.set.Lanes
				k.set.CopyRows(grad[(t*g.bigC+channel)*g.smallC+first:], g.smallC, sums[at+(panel-block.firstPanel)*k.tile():], k.set.Lanes,
					min(k.set.Lanes, g.smallC-first), min(k.set.OuterRows, block.lastChannel-channel))
			}
			at += k.perTask * k.tile()
		}
	}
}
