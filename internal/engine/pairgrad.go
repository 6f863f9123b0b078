package engine

import "dcgan/internal/kernel"

// pairGrad computes the gradient of a kernel of 3 and stride 2 by the filtering that pairs describes: of the two sides, the
// one that the layer reads is transformed as its inputs are, the gradient of what it makes by the transpose of the outputs'
// transform, and their products are summed kind by kind. A slice's sums are transformed back to taps.
type pairGrad struct {
	k                    *kernelGrad
	x                    pairSide
	chunk                int                                // images that are worked on at a time
	bigPitch, smallPitch int                                // values of a row of transformed pixels, of a panel on the small side
	meetings             [3][kernel.PairKinds][]kernel.Pair // of a chunk, by tap along y
}

const (
	// pairSumBudget is how many sums of products a task has, and pairChunkBudget how many values of images it works on at a
	// time, so that both stay in a core's cache.
	pairSumBudget   = 640 << 10 / 4
	pairChunkBudget = 1024 << 10 / 4
)

// cutForPairs chooses the size of a task's block.
func (k *kernelGrad) cutForPairs() {
	k.channels, k.perTask = k.geometry.bigC, k.panels
	for 3*kernel.PairKinds*k.rows()*k.width() > pairSumBudget && k.channels > wholeVectors {
		if k.channels >= k.width() || k.perTask == 1 {
			k.channels = (k.channels/2 + wholeVectors - 1) / wholeVectors * wholeVectors
		} else {
			k.perTask = (k.perTask + 1) / 2
		}
	}
}

func newPairGrad(k *kernelGrad) *pairGrad {
	g := k.geometry
	p := &pairGrad{k: k, x: newPairSide(g.bigW, g.smallW, g.before(g.bigW, g.smallW), k.down)}
	places := single * len(p.x.tiles)
	p.bigPitch, p.smallPitch = places*k.channels, places*k.set.Lanes
	p.chunk = max(1, pairChunkBudget/(g.bigH*(p.bigPitch+g.smallW*k.channels)+k.perTask*p.smallSize()))
	bigFirst, bigStep := p.x.singleTarget, p.x.stride
	if k.down {
		bigFirst, bigStep = p.x.firstSingle, p.x.step
	}
	for image := range p.chunk {
		for small, row := range g.contacts(g.bigH, g.smallH, true) {
			for _, c := range row {
				for kind, columns := range p.x.counts {
					list := &p.meetings[c.tap][kind]
					for column := range columns {
						at := kernel.Pair{
							X: (image*g.bigH+c.source)*p.bigPitch + (kind*len(p.x.tiles)+column)*k.channels,
							Y: (image*g.smallH+small)*p.smallPitch + (kind*len(p.x.tiles)+column)*k.set.Lanes,
						}
						if kind == single {
							at.X = image*g.bigSize() + (c.source*g.bigW+bigFirst+column*bigStep)*g.bigC
							at.Y = ((image*g.smallH+small)*g.smallW + column) * k.set.Lanes
						}
						*list = append(*list, at)
					}
				}
			}
		}
	}
	return p
}

// smallSize is how many values a panel of a small image takes, as it is and transformed.
func (p *pairGrad) smallSize() int {
	g := p.k.geometry
	return g.smallH * (g.smallW*p.k.set.Lanes + p.smallPitch)
}

// productsSize is how many sums of products a task has.
func (p *pairGrad) productsSize() int { return 3 * kernel.PairKinds * p.k.rows() * p.k.width() }

// scratchSize is how many values a worker needs.
func (p *pairGrad) scratchSize() int {
	k := p.k
	return p.productsSize() + p.chunk*(k.geometry.bigH*p.bigPitch+k.perTask*p.smallSize()) + kernel.Slack
}

// slice sets sums, by panel, tap and group of big channels, to the gradient from the images of slice number s. Of the taps in
// a row, those of pairs come first.
func (p *pairGrad) slice(sums, scratch []float32, block part, s int) {
	k := p.k
	products, scratch := cut(scratch, p.productsSize())
	clear(products)
	for _, images := range k.slices[s] {
		for lo := images.lo; lo < images.hi; lo += p.chunk {
			p.add(products, scratch, block, lo, min(p.chunk, images.hi-lo))
		}
	}
	channels := k.groups() * k.tile()
	for row := range (block.lastPanel - block.firstPanel) * 3 {
		k.set.PairGradOut(sums[3*row*channels:], channels, products[kernel.PairKinds*row*channels:], channels, channels)
	}
}

// add adds products of count images, from number lo on.
func (p *pairGrad) add(products, scratch []float32, block part, lo, count int) {
	k, g := p.k, p.k.geometry
	panels, channels := block.lastPanel-block.firstPanel, block.lastChannel-block.firstChannel
	lifted, scratch := cut(scratch, count*g.bigH*p.bigPitch)
	big := k.big[lo*g.bigSize()+block.firstChannel:]
	p.lift(k.down, lifted, k.channels, p.bigPitch, big, g.bigC, g.bigW*g.bigC, channels, count*g.bigH)
	size := count * p.smallSize()
	raw := count * g.smallSize() / g.smallC * k.set.Lanes
	for panel := range panels {
		to := scratch[panel*size:]
		k.pack(to, lo, block.firstPanel+panel, count)
		p.lift(!k.down, to[raw:], k.set.Lanes, p.smallPitch, to, k.set.Lanes, g.smallW*k.set.Lanes, k.set.Lanes, count*g.smallH)
	}
	k.expect(lo+count, count, block)
	ahead := newAhead(k.set, k.big, (lo+count)*g.bigSize(), (lo+2*count)*g.bigSize(), 3*kernel.PairKinds*panels*k.groups())
	for kind := range kernel.PairKinds {
		for y := range 3 {
			meetings := p.meetings[y][kind]
			meetings = meetings[:len(meetings)/p.chunk*count]
			if len(meetings) == 0 {
				continue
			}
			for panel := range panels {
				x, y, to := lifted, scratch[panel*size+raw:], products[((panel*3+y)*kernel.PairKinds+kind)*k.groups()*k.tile():]
				if kind == single {
					x, y = big, scratch[panel*size:]
				}
				for group := range k.groups() {
					channel := group * k.set.OuterRows
					k.set.Outer(&to[group*k.tile()], &x[channel], &y[0], &k.rowsOf[0], &meetings[0], len(meetings), 1, 0, 0)
					ahead.step()
				}
			}
		}
	}
}

// lift transforms the columns of pairs in some rows of pixels, n values of each pixel; source says which transform.
func (p *pairGrad) lift(source bool, to []float32, place, pitch int, from []float32, pixel, row, n, rows int) {
	for i, tile := range p.x.tiles {
		if source {
			p.k.set.PairIn(tile.m, tile.edges, to[i*place:], len(p.x.tiles)*place, pitch,
				from[tile.from*pixel:], p.x.step*pixel, row, n, rows)
		} else {
			p.k.set.PairGradIn(tile.m, to[i*place:], len(p.x.tiles)*place, pitch,
				from[(p.x.pairTarget+tile.to*p.x.stride)*pixel:], p.x.stride*pixel, row, n, rows)
		}
	}
}

// store writes the sums to a gradient.
func (p *pairGrad) store(grad, sums []float32, block part) {
	order := [...]int{0, 2, 1} // of the taps in a row
	if !p.k.down {             // seen from the target, pairs lie the other way round
		order = [...]int{2, 0, 1}
	}
	p.k.storeTaps(grad, sums, block, order[:])
}
