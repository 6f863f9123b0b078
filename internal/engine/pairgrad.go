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
	p.x = newPairSide(g.bigW, g.smallW, g.before(g.bigW, g.smallW), k.down, false)
	p.y = newPairSide(g.bigH, g.smallH, g.before(g.bigH, g.smallH), k.down, false)
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
	groups := k.groupsOf(block)
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
				if row == p.y.single && column == p.x.single {
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
