package engine

import "dcgan/internal/kernel"

// pairGrad computes the gradient of a kernel of 3 and stride 2 by the filtering that pairs describes: of the two images, the
// one that the layer reads is transformed as its inputs are, the gradient of what it makes by the transpose of the outputs'
// transform, and their products are summed place by place. A slice's sums are transformed back to taps.
type pairGrad struct {
	k          *kernelGrad
	x, y       pairSide
	chunk      int // images that are worked on at a time
	big, small pairImages
	meetings   [kernel.PairKinds][kernel.PairKinds][]kernel.Pair // of a chunk, by kind of row and of column
}

const (
	// pairSumBudget is how many sums of products a task has, and pairChunkBudget how many values of images it works on at a
	// time, at the most. Both are more than a core's cache holds: what is read again and again is a place of either.
	pairSumBudget   = 1280 << 10 / 4
	pairChunkBudget = 1536 << 10 / 4
)

// pairsGradient reports whether a kernel's gradient is computed by filtering pairs. Of a row of four, that saves more than its
// transforms take only where a tile of it is whole, as it is between sides of 7 and 4. How many rows there are
// is not looked at: images are mostly square.
func (g geometry) pairsGradient() bool {
	return g.pairs() && (g.smallW > kernel.PairTile || g.smallW == kernel.PairTile && g.bigW%2 == 1)
}

func newPairGrad(k *kernelGrad) *pairGrad {
	g := k.geometry
	p := &pairGrad{k: k}
	p.x = newPairSide(g.bigW, g.smallW, g.before(g.bigW, g.smallW), k.down)
	p.y = newPairSide(g.bigH, g.smallH, g.before(g.bigH, g.smallH), k.down)
	p.big = newPairImages(p.x, p.y, k.down, g.bigH, g.bigW, g.bigC, k.channels)
	p.small = newPairImages(p.x, p.y, !k.down, g.smallH, g.smallW, k.set.Lanes, k.set.Lanes)
	p.chunk = max(1, pairChunkBudget/(p.big.size()+k.perTask*(p.small.size()+g.smallH*g.smallW*k.set.Lanes)))
	for row := range kernel.PairKinds {
		for column := range kernel.PairKinds {
			list := &p.meetings[row][column]
			for image := range p.chunk {
				for j := range p.y.counts[row] {
					for i := range p.x.counts[column] {
						*list = append(*list, kernel.Pair{
							X: p.big.offset(p.chunk, image, row, j, column, i),
							Y: p.small.offset(p.chunk, image, row, j, column, i),
						})
					}
				}
			}
		}
	}
	return p
}

// pairImages is how some channels of images are transformed along x and along y, and where the places of a chunk are: first
// those of rows of pairs, then the others, of single rows. Single pixels of both sides stay where they are.
type pairImages struct {
	x, y                     pairSide
	source                   bool // as inputs, not as gradients of outputs
	height, width            int
	pixel                    int // values from one pixel of an image to the next
	channels                 int // of the transforms
	liftedPitch, raisedPitch int // values of a row transformed along x, and of one along y too
}

func newPairImages(x, y pairSide, source bool, height, width, pixel, channels int) pairImages {
	columns := single * len(x.tiles)
	return pairImages{
		x: x, y: y, source: source, height: height, width: width, pixel: pixel, channels: channels,
		liftedPitch: columns * channels, raisedPitch: (columns + x.counts[single]) * channels,
	}
}

// liftedSize and raisedSize are how many values an image has after each transform, and size after both.
func (p *pairImages) liftedSize() int { return p.height * p.liftedPitch }
func (p *pairImages) raisedSize() int { return single * len(p.y.tiles) * p.raisedPitch }
func (p *pairImages) size() int       { return p.liftedSize() + p.raisedSize() }

// singleAt is the pixel of a row or column that is the i-th single one.
func (p *pairImages) singleAt(side pairSide, i int) int {
	if p.source {
		return side.firstSingle + i*side.step
	}
	return side.singleTarget + i*side.stride
}

// offset returns where a pixel of an image is: in a chunk's transforms, or where it is single on both sides, in the images.
func (p *pairImages) offset(chunk, image, row, j, column, i int) int {
	x := (column*len(p.x.tiles) + i) * p.channels
	switch {
	case row == single && column == single:
		return ((image*p.height+p.singleAt(p.y, j))*p.width + p.singleAt(p.x, i)) * p.pixel
	case row == single:
		return chunk*p.raisedSize() + image*p.liftedSize() + p.singleAt(p.y, j)*p.liftedPitch + x
	}
	return image*p.raisedSize() + (row*len(p.y.tiles)+j)*p.raisedPitch + x
}

// transform transforms n channels of count images.
func (p *pairImages) transform(set *kernel.Set, to []float32, chunk int, from []float32, n, count int) {
	raised, lifted := cut(to, chunk*p.raisedSize())
	row := p.width * p.pixel
	for i, tile := range p.x.tiles {
		p.tile(set, p.x, tile, lifted[i*p.channels:], len(p.x.tiles)*p.channels, p.liftedPitch, from, p.pixel, row, n, count*p.height)
	}
	for j, tile := range p.y.tiles {
		to, step := raised[j*p.raisedPitch:], len(p.y.tiles)*p.raisedPitch
		p.tile(set, p.y, tile, to, step, p.raisedSize(), lifted, p.liftedPitch, p.liftedSize(), p.liftedPitch, count)
		columns := p.singleAt(p.x, 1) - p.singleAt(p.x, 0)
		for image := range count {
			p.tile(set, p.y, tile, to[image*p.raisedSize()+p.liftedPitch:], step, p.channels,
				from[image*p.height*row+p.singleAt(p.x, 0)*p.pixel:], row, columns*p.pixel, n, p.x.counts[single])
		}
	}
}

// tile transforms the places of a tile of one side, pitch values from one pixel to the next on that side.
func (p *pairImages) tile(set *kernel.Set, side pairSide, tile pairTile, to []float32, kind, toNext int, from []float32, pitch, next, n, count int) {
	if p.source {
		set.PairIn(tile.m, tile.edges, to, kind, toNext, from[tile.from*pitch:], side.step*pitch, next, n, count)
	} else {
		set.PairGradIn(tile.m, to, kind, toNext, from[(side.pairTarget+tile.to*side.stride)*pitch:], side.stride*pitch, next, n, count)
	}
}

// smallSize is how many values a chunk's panel takes: its pixels and their transforms.
func (p *pairGrad) smallSize() int {
	return p.chunk * (p.small.size() + p.k.geometry.smallH*p.k.geometry.smallW*p.k.set.Lanes)
}

// productsSize is how many sums of products a task has.
func (p *pairGrad) productsSize() int {
	return kernel.PairKinds * kernel.PairKinds * p.k.rows() * p.k.width()
}

// scratchSize is how many values a worker needs.
func (p *pairGrad) scratchSize() int {
	return p.productsSize() + p.chunk*p.big.size() + p.k.perTask*p.smallSize() + kernel.Slack
}

// slice sets sums, by panel, tap and group of big channels, to the gradient from the images of slice number s. Of the taps of
// a row or column, those of pairs come first.
func (p *pairGrad) slice(sums, scratch []float32, block part, s int) {
	k := p.k
	products, scratch := cut(scratch, p.productsSize())
	clear(products)
	for _, images := range k.slices[s] {
		for lo := images.lo; lo < images.hi; lo += p.chunk {
			p.add(products, scratch, block, lo, min(p.chunk, images.hi-lo))
		}
	}
	const kinds = kernel.PairKinds
	size := k.groups() * k.tile()
	for panel := range block.lastPanel - block.firstPanel {
		products, sums := products[panel*kinds*kinds*size:], sums[panel*9*size:]
		k.set.PairGradOut(products, kinds*size, products, kinds*size, kinds*size)
		for row := range 3 {
			k.set.PairGradOut(sums[3*row*size:], size, products[kinds*row*size:], size, size)
		}
	}
}

// add adds products of count images, from number lo on.
func (p *pairGrad) add(products, scratch []float32, block part, lo, count int) {
	k, g := p.k, p.k.geometry
	panels, channels := block.lastPanel-block.firstPanel, block.lastChannel-block.firstChannel
	bigs, smalls := cut(scratch, p.chunk*p.big.size())
	big := k.big[lo*g.bigSize()+block.firstChannel:]
	p.big.transform(k.set, bigs, p.chunk, big, channels, count)
	for panel := range panels {
		to, pixels := cut(smalls[panel*p.smallSize():], p.chunk*p.small.size())
		k.pack(pixels, lo, block.firstPanel+panel, count)
		p.small.transform(k.set, to, p.chunk, pixels, k.set.Lanes, count)
	}
	groups := (channels + k.set.OuterRows - 1) / k.set.OuterRows // of the last block fewer, behind whose images nothing lies
	in := k.incoming(lo+count, count, block)
	for row := range kernel.PairKinds {
		for column := range kernel.PairKinds {
			meetings := p.meetings[row][column]
			meetings = meetings[:len(meetings)/p.chunk*count]
			if len(meetings) == 0 {
				continue
			}
			for panel := range panels {
				x, y := bigs, smalls[panel*p.smallSize():]
				if row == single && column == single {
					x, y = big, y[p.chunk*p.small.size():]
				}
				to := products[((panel*kernel.PairKinds+row)*kernel.PairKinds+column)*k.groups()*k.tile():]
				for group := range groups {
					next, step := in.next(len(meetings) / kernel.AheadPixels)
					k.set.Outer(&to[group*k.tile()], &x[0], &y[0], &k.channelRows[group*k.set.OuterRows],
						&meetings[0], len(meetings), next, step)
				}
			}
		}
	}
}

// store writes the sums to a gradient.
func (p *pairGrad) store(grad, sums []float32, block part) {
	side := [...]int{0, 2, 1} // of the taps of a row or column
	if !p.k.down {            // seen from the target, pairs lie the other way round
		side = [...]int{2, 0, 1}
	}
	var order [9]int
	for t := range order {
		order[t] = 3*side[t/3] + side[t%3]
	}
	p.k.storeTaps(grad, sums, block, order[:])
}
