package engine

import "dcgan/internal/kernel"

// winogradGrad computes the gradient of a 3×3 kernel of stride 1 through Winograd's filtering: tiles of both images are
// transformed, multiplied place by place and summed over the tiles, and the sums of a slice transformed back.
type winogradGrad struct {
	k              *kernelGrad
	tilesY, tilesX int
	rows           int           // tiles that are worked on at a time
	pairs          []kernel.Pair // where their transforms are
}

// tileBudget is how many values of transformed tiles are worked on at a time.
const tileBudget = 768 << 10 / 4

// cutForFilter chooses the size of a task's block so that its sums of products stay in cache. About square blocks need
// the fewest transforms for their products.
func (k *kernelGrad) cutForFilter() {
	k.channels, k.perTask = k.geometry.bigC, k.panels
	for kernel.WinogradPlaces*k.rows()*k.width() > sumBudget && k.channels > k.set.OuterRows {
		if k.channels >= k.width() || k.perTask == 1 {
			k.channels = (k.channels/2 + k.set.OuterRows - 1) / k.set.OuterRows * k.set.OuterRows
		} else {
			k.perTask = (k.perTask + 1) / 2
		}
	}
}

func newWinogradGrad(k *kernelGrad) *winogradGrad {
	w := &winogradGrad{k: k}
	w.tilesY = (k.geometry.bigH + kernel.WinogradTile - 1) / kernel.WinogradTile
	w.tilesX = (k.geometry.bigW + kernel.WinogradTile - 1) / kernel.WinogradTile
	w.rows = max(8, tileBudget/(kernel.WinogradPlaces*(k.channels+k.width())))
	for row := range w.rows {
		w.pairs = append(w.pairs, kernel.Pair{X: row * k.channels, Y: row * k.width()})
	}
	return w
}

// The values from one place to the next in a worker's scratch memory: of big and small tiles and of sums of products.
func (w *winogradGrad) bigPlace() int   { return w.rows*w.k.channels + stagger }
func (w *winogradGrad) smallPlace() int { return w.rows*w.k.width() + stagger }
func (w *winogradGrad) sumPlace() int   { return w.k.rows() * w.k.width() }

// scratchSize is how many values a worker needs: those, and a tile at a border.
func (w *winogradGrad) scratchSize() int {
	return kernel.WinogradPlaces*(w.bigPlace()+w.smallPlace()+w.sumPlace()+max(w.k.channels, w.k.width())) + kernel.Slack
}

// slice sets sums, by tap, big channel and small channel, to the gradient from a slice's images.
func (w *winogradGrad) slice(worker int, sums, scratch []float32, block part, slice []span) {
	k, g := w.k, w.k.geometry
	big, scratch := cut(scratch, kernel.WinogradPlaces*w.bigPlace())
	small, scratch := cut(scratch, kernel.WinogradPlaces*w.smallPlace())
	products, patch := cut(scratch, kernel.WinogradPlaces*w.sumPlace())
	clear(products)
	row := 0
	for _, images := range slice {
		for image := images.lo; image < images.hi; image++ {
			for y := range w.tilesY {
				for x := range w.tilesX {
					w.bigTile(big[row*k.channels:], patch, k.big[image*g.bigSize():], y*kernel.WinogradTile-1, x*kernel.WinogradTile-1, block)
					w.smallTile(small[row*k.width():], patch, k.small[image*g.smallSize():], y*kernel.WinogradTile, x*kernel.WinogradTile, block)
					if row++; row == w.rows {
						w.multiply(worker, products, big, small, row, block)
						row = 0
					}
				}
			}
		}
	}
	if row > 0 {
		w.multiply(worker, products, big, small, row, block)
	}
	tap := k.rows() * k.width()
	for channel := range block.lastChannel - block.firstChannel {
		group, r := channel/k.set.OuterRows, channel%k.set.OuterRows
		for panel := range block.lastPanel - block.firstPanel {
			from := products[(group*k.perTask+panel)*k.tile()+r*k.set.Lanes:]
			k.set.WinogradGradOut(sums[channel*k.width()+panel*k.set.Lanes:], tap, from, w.sumPlace(), k.set.Lanes)
		}
	}
}

// multiply adds the products of some tiles to the sums.
func (w *winogradGrad) multiply(worker int, products, big, small []float32, rows int, block part) {
	k := w.k
	offsets := &k.pool.lists[worker].rows
	for place := range kernel.WinogradPlaces {
		for group := range k.groups() {
			for r := range k.set.OuterRows {
				offsets[r] = min(group*k.set.OuterRows+r, k.channels-1)
			}
			for panel := range block.lastPanel - block.firstPanel {
				k.set.Outer(&products[place*w.sumPlace()+(group*k.perTask+panel)*k.tile()], &big[place*w.bigPlace()],
					&small[place*w.smallPlace()+panel*k.set.Lanes], &offsets[0], &w.pairs[0], rows, 1, 0, 0)
			}
		}
	}
}

// bigTile transforms the tile of a big image whose upper left pixel is (y, x).
func (w *winogradGrad) bigTile(to, patch, from []float32, y, x int, block part) {
	k, g := w.k, w.k.geometry
	channels := block.lastChannel - block.firstChannel
	from = from[block.firstChannel:]
	const side = kernel.WinogradInput
	if y >= 0 && x >= 0 && y+side <= g.bigH && x+side <= g.bigW {
		k.set.WinogradIn(to, w.bigPlace(), from[(y*g.bigW+x)*g.bigC:], g.bigW*g.bigC, g.bigC, channels)
		return
	}
	border(patch, from, side, y, x, g.bigH, g.bigW, g.bigC, channels)
	k.set.WinogradIn(to, w.bigPlace(), patch, side*channels, channels, channels)
}

// smallTile transforms the tile of a small image whose upper left pixel is (y, x).
func (w *winogradGrad) smallTile(to, patch, from []float32, y, x int, block part) {
	k, g := w.k, w.k.geometry
	first := block.firstPanel * k.set.Lanes
	channels := min(block.lastPanel*k.set.Lanes, g.smallC) - first
	from = from[first:]
	const side = kernel.WinogradTile
	if y+side <= g.smallH && x+side <= g.smallW {
		k.set.WinogradGradIn(to, w.smallPlace(), from[(y*g.smallW+x)*g.smallC:], g.smallW*g.smallC, g.smallC, channels)
		return
	}
	border(patch, from, side, y, x, g.smallH, g.smallW, g.smallC, channels)
	k.set.WinogradGradIn(to, w.smallPlace(), patch, side*channels, channels, channels)
}

// border copies some channels of a square of pixels, (y, x) its upper left one, to a patch, with zeros for those outside
// of the image.
func border(patch, from []float32, side, y, x, height, width, pixel, channels int) {
	clear(patch[:side*side*channels])
	for row := max(y, 0); row < min(y+side, height); row++ {
		for column := max(x, 0); column < min(x+side, width); column++ {
			copy(patch[((row-y)*side+column-x)*channels:][:channels], from[(row*width+column)*pixel:])
		}
	}
}

// store writes the sums to a gradient.
func (w *winogradGrad) store(grad, sums []float32, block part) {
	k, g := w.k, w.k.geometry
	first := block.firstPanel * k.set.Lanes
	channels := min(block.lastPanel*k.set.Lanes, g.smallC) - first
	tap := k.rows() * k.width()
	for t := range g.taps() {
		for channel := block.firstChannel; channel < block.lastChannel; channel++ {
			copy(grad[(t*g.bigC+channel)*g.smallC+first:][:channels], sums[t*tap+(channel-block.firstChannel)*k.width():])
		}
	}
}
