package engine

import "dcgan/internal/kernel"

// pairGrad computes the gradient of a kernel of 3 and stride 2 by the filtering that pairs describes: of the two sides, the
// one that the layer reads is transformed as its inputs are, the gradient of what it makes by the transpose of the outputs'
// transform, and their products are summed kind by kind. A slice's sums are transformed back to taps.
type pairGrad struct {
	k     *kernelGrad
	x     pairSide
	chunk int // images that are worked on at a time
	// Values from one kind of places to the next in memory: of a block's big channels, and of a panel of small ones.
	bigKind, smallKind int
	meetings           [3][kernel.PairKinds][]kernel.Pair // of a chunk, by tap along y
}

const (
	// pairSumBudget is how many sums of products a task has, and pairChunkBudget how many values of images it works on at a
	// time, so that both stay in a core's cache.
	pairSumBudget   = 640 << 10 / 4
	pairChunkBudget = 640 << 10 / 4
)

// pairsGradient reports whether a kernel's gradient is computed by filtering pairs. One tile a row would save a tenth of the
// multiplications, less than its transforms take.
func (g geometry) pairsGradient() bool { return g.pairs() && g.smallW > kernel.PairTile }

func newPairGrad(k *kernelGrad) *pairGrad {
	g := k.geometry
	p := &pairGrad{k: k, x: newPairSide(g.bigW, g.smallW, g.before(g.bigW, g.smallW), k.down)}
	tiles := len(p.x.tiles)
	perImage := (single*tiles + g.smallW) * (g.bigH*k.channels + g.smallH*k.width())
	p.chunk = max(1, pairChunkBudget/perImage)
	p.bigKind, p.smallKind = p.chunk*g.bigH*tiles*k.channels+stagger, p.chunk*g.smallH*tiles*k.set.Lanes+stagger
	bigFirst, bigStep := p.x.singleTarget, p.x.stride
	if k.down {
		bigFirst, bigStep = p.x.firstSingle, p.x.step
	}
	for image := range p.chunk {
		for small, row := range g.contacts(g.bigH, g.smallH, true) {
			for _, c := range row {
				bigRow, smallRow := image*g.bigH+c.source, image*g.smallH+small
				for kind, columns := range p.x.counts {
					list := &p.meetings[c.tap][kind]
					for column := range columns {
						at := kernel.Pair{X: (bigRow*tiles + column) * k.channels, Y: (smallRow*tiles + column) * k.set.Lanes}
						if kind == single { // of the images as they are
							at.X = (bigRow*g.bigW + bigFirst + column*bigStep) * g.bigC
							at.Y = (smallRow*g.smallW + column) * k.set.Lanes
						}
						*list = append(*list, at)
					}
				}
			}
		}
	}
	return p
}

// bigSize and smallSize are how many values a chunk's places take, of a block and of a panel. Single big columns need no
// place: they are multiplied where they lie. Small ones are copied together, as all panels are.
func (p *pairGrad) bigSize() int { return single * p.bigKind }

func (p *pairGrad) smallSize() int {
	return single*p.smallKind + p.chunk*p.k.geometry.smallH*p.k.geometry.smallW*p.k.set.Lanes
}

// productsSize is how many sums of products a task has.
func (p *pairGrad) productsSize() int { return 3 * kernel.PairKinds * p.k.rows() * p.k.width() }

// scratchSize is how many values a worker needs.
func (p *pairGrad) scratchSize() int {
	k := p.k
	return p.productsSize() + p.bigSize() + k.perTask*p.smallSize() + kernel.Slack
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
	bigs, smalls := cut(scratch, p.bigSize())
	big := k.big[lo*g.bigSize()+block.firstChannel:]
	p.lift(k.down, bigs, k.channels, p.bigKind, big, g.bigC, g.bigW*g.bigC, channels, count*g.bigH)
	for panel := range panels {
		to := smalls[panel*p.smallSize():]
		from := to[single*p.smallKind:]
		k.pack(from, lo, block.firstPanel+panel, count)
		p.lift(!k.down, to, k.set.Lanes, p.smallKind, from, k.set.Lanes, g.smallW*k.set.Lanes, k.set.Lanes, count*g.smallH)
	}
	groups := (channels + k.set.OuterRows - 1) / k.set.OuterRows // of the last block fewer, behind whose images nothing lies
	in := k.incoming(lo+count, count, block)
	for kind := range kernel.PairKinds {
		for tap := range 3 {
			meetings := p.meetings[tap][kind]
			meetings = meetings[:len(meetings)/p.chunk*count]
			if len(meetings) == 0 {
				continue
			}
			for panel := range panels {
				x, y := bigs[kind*p.bigKind:], smalls[panel*p.smallSize()+kind*p.smallKind:]
				to := products[((panel*3+tap)*kernel.PairKinds+kind)*k.groups()*k.tile():]
				if kind == single {
					x = big
				}
				for group := range groups {
					next, step := in.next(len(meetings) / kernel.AheadPixels)
					k.set.Outer(&to[group*k.tile()], &x[0], &y[0], &k.channelRows[group*k.set.OuterRows],
						&meetings[0], len(meetings), next, step)
				}
			}
		}
	}
}

// lift transforms the columns of pairs in some rows of pixels, n values of each pixel; source says which transform.
func (p *pairGrad) lift(source bool, to []float32, place, kind int, from []float32, pixel, row, n, rows int) {
	for i, tile := range p.x.tiles {
		if source {
			p.k.set.PairIn(tile.m, tile.edges, to[i*place:], kind, len(p.x.tiles)*place,
				from[tile.from*pixel:], p.x.step*pixel, row, n, rows)
		} else {
			p.k.set.PairGradIn(tile.m, to[i*place:], kind, len(p.x.tiles)*place,
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
