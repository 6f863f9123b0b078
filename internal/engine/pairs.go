package engine

import "dcgan/internal/kernel"

// pairs is how a transfer of kernel 3 and stride 2 is computed: along each side, the two outer taps by Winograd's filtering of
// pairs and the middle one as it is, with a half to two thirds of the multiplications. See package kernel for the filtering.
//
// A block's images are transformed along x and then along y, to rows and columns of some kinds each. Every kind of rows with
// every kind of columns is a place: a matrix of pixels by source channels, which is multiplied by the weights of its own,
// panel by panel. The products are transformed back along y and then along x. Single rows and columns need no transform. They
// are multiplied where they lie, and upwards, where each pixel of both has a target of its own, go there at once.
//
// The weights, four to nine times as many as there were, do not fit in a core's cache. Blocks are so large that reading them
// is little beside using them.
type pairs struct {
	t      *transfer
	up     bool
	x, y   pairSide
	places [][]place     // by kind of row and of column
	packed []float32     // kind of row, kind of column, panel, source channel, lane
	taps   [1]kernel.Tap // of a place

	source                   pairImages
	targetRows               int
	productsPitch            int // values of a row of a panel's products
	productsSize, summedSize int // values of an image: of products to be transformed back along y, and of those that were
}

const (
	// pairMinimum is the least number of channels with which transforms take less time than they save.
	pairMinimum = 32
	// pairLargest is how many values a big image and a small one may have together: of larger ones, what lies between the
	// steps would go to memory, three times as many values, and direct sums are as fast.
	pairLargest = 512 << 10
	// longLargest is how many weights a kernel may have for long tiles: of these, nine times as many are made, for four times,
	// and reading many more for each block of small images takes longer than long tiles save.
	longLargest = 144 << 10
)

// pairs reports whether a geometry is computed by filtering pairs.
func (g geometry) pairs() bool {
	return g.kernel == 3 && g.stride == 2 && min(g.smallH, g.smallW) > 2 && min(g.bigC, g.smallC) >= pairMinimum &&
		g.bigSize()+g.smallSize() <= pairLargest
}

// longPairs reports whether a transfer that may use long tiles does, on sides where nothing is left then.
func (g geometry) longPairs() bool { return g.taps()*g.bigC*g.smallC <= longLargest }

const (
	// A block has pairLeast images, or so many that a place has pairRows pixels, unless what lies between would then have more
	// than pairBudget values. Where it can be, the pixels are whole tiles of the matrix kernel, of wholeRows.
	pairLeast  = 3
	pairRows   = 24
	wholeRows  = 12
	enoughRows = 8 // that reading a place's weights is not much beside using them
	pairBudget = 3 << 20 / 4
)

func newPairs(t *transfer, g geometry, down, long bool) *pairs {
	p := &pairs{t: t, up: !down, targetRows: g.bigH}
	height, width := g.smallH, g.smallW
	if down {
		p.targetRows, height, width = g.smallH, g.bigH, g.bigW
	}
	p.x = newPairSide(g.bigW, g.smallW, g.before(g.bigW, g.smallW), down, long)
	p.y = newPairSide(g.bigH, g.smallH, g.before(g.bigH, g.smallH), down, long)
	p.packed = kernel.Buffer(p.y.kinds() * p.x.kinds() * t.panels * p.weights())
	p.source = newPairImages(p.x, p.y, true, height, width, t.depth, t.depth)
	p.productsPitch = (p.x.single*len(p.x.tiles) + p.x.counts[p.x.single]) * t.lanes
	p.productsSize = p.y.single * len(p.y.tiles) * p.productsPitch
	p.summedSize = p.targetRows * p.productsPitch
	image := p.source.size() + t.panels*(p.productsSize+p.summedSize)
	pixels := p.x.counts[0] * p.y.counts[0] // of an image
	t.most = max(1, min(max(pairLeast, (pairRows+pixels-1)/pixels), pairBudget/image))
	t.enough = (enoughRows + pixels - 1) / pixels
	if rows := t.most * pixels; rows > wholeRows && wholeRows%pixels == 0 {
		t.most -= rows % wholeRows / pixels
	}
	p.gather()
	t.pool.reserve(max(t.most*image, (3+3*p.x.kinds())*packChannels*t.lanes))
	return p
}

// weights is how many packed weights a place and a panel have.
func (p *pairs) weights() int { return p.t.depth * p.t.lanes }

// gather lists for each place where its pixels are read and where their products go.
func (p *pairs) gather() {
	t := p.t
	targetPitch := t.targetSize / p.targetRows
	p.places = make([][]place, p.y.kinds())
	for row := range p.places {
		p.places[row] = make([]place, p.x.kinds())
		for column := range p.places[row] {
			list := &p.places[row][column]
			for image := range t.most {
				for j := range p.y.counts[row] {
					for i := range p.x.counts[column] {
						x, targetRow := (column*len(p.x.tiles)+i)*t.lanes, p.y.singleTarget+j*p.y.stride
						out := image*p.productsSize + (row*len(p.y.tiles)+j)*p.productsPitch + x
						if row == p.y.single {
							out = image*p.summedSize + targetRow*p.productsPitch + x
						}
						if row == p.y.single && column == p.x.single && p.up {
							out = image*t.targetSize + targetRow*targetPitch + (p.x.singleTarget+i*p.x.stride)*t.width
						}
						list.rows = append(list.rows, p.source.offset(t.most, image, row, j, column, i))
						list.outs = append(list.outs, out)
					}
				}
			}
			list.end()
		}
	}
}

// pack transforms the weights of a panel.
func (p *pairs) pack(worker, panel int) {
	t := p.t
	order := [...]int{0, 2, 1} // the taps of pairs, then the single one
	if p.up {                  // seen from the target, pairs lie the other way round
		order = [...]int{2, 0, 1}
	}
	kinds := p.x.kinds()
	taps, rows := cut(t.pool.memory[worker], 3*packChannels*t.lanes)
	clear(taps)
	for i := 0; i < t.depth; i += packChannels {
		channels := min(packChannels, t.depth-i)
		size := channels * t.lanes
		for j, y := range order {
			for k, x := range order {
				t.gather(taps[k*size:], panel, 3*y+x, i, channels)
			}
			p.x.transformKernel(t.set, rows[j*kinds*size:], size, taps, size, size)
		}
		for column := range kinds {
			to := p.packed[(column*t.panels+panel)*p.weights()+i*t.lanes:]
			p.y.transformKernel(t.set, to, kinds*t.panels*p.weights(), rows[column*size:], kinds*size, size)
		}
	}
}

// block computes a share of the panels of a block of images.
func (p *pairs) block(worker int, to, from []float32, images int, s share) {
	t := p.t
	first, last := s.of(t.panels)
	if first == last {
		return
	}
	transformed, rest := cut(t.pool.memory[worker], t.most*p.source.size())
	p.source.transform(t.set, transformed, t.most, from, t.depth, images)
	for row := range p.places {
		for column := range p.places[row] {
			count := images * p.y.counts[row] * p.x.counts[column]
			for panel := first; panel < last; panel++ {
				products, summed := p.panel(rest, panel)
				source, target, add, lanes := transformed, products, t.zero, t.lanes
				if row == p.y.single {
					target = summed
				}
				if row == p.y.single && column == p.x.single {
					source, add = from, t.bias[panel*t.lanes:]
					if p.up {
						target, lanes = to[panel*t.lanes:], min(t.lanes, t.width-panel*t.lanes)
					}
				}
				weights := p.packed[((row*p.x.kinds()+column)*t.panels+panel)*p.weights():]
				t.tiles(worker, p.taps[:], t.depth, &p.places[row][column], count, target, source, weights, add, lanes)
			}
		}
	}
	for panel := first; panel < last; panel++ {
		products, summed := p.panel(rest, panel)
		to, bias, width := to[panel*t.lanes:], t.bias[panel*t.lanes:], min(t.lanes, t.width-panel*t.lanes)
		p.sum(summed, products, to, bias, width, images)
		p.drop(to, summed, bias, width, images)
	}
}

// panel returns where a panel's products are, those to be transformed back along y and then those along x.
func (p *pairs) panel(memory []float32, panel int) (products, summed []float32) {
	return cut(memory[panel*p.t.most*(p.productsSize+p.summedSize):], p.t.most*p.productsSize)
}

// sum transforms a panel's products back along y. Upwards, single columns are targets then.
func (p *pairs) sum(summed, products, to, bias []float32, width, images int) {
	t := p.t
	columns := p.x.single * len(p.x.tiles) * t.lanes
	pitch := t.targetSize / p.targetRows
	for j, tile := range p.y.tiles {
		row := p.y.pairTarget + tile.to*p.y.stride
		sums, from, step := summed[row*p.productsPitch:], products[j*p.productsPitch:], len(p.y.tiles)*p.productsPitch
		if !p.up { // what single rows gave is there already
			t.set.PairOut(tile.m, sums, p.productsPitch, p.summedSize, from, step, p.productsSize,
				sums, p.productsPitch, p.summedSize, p.productsPitch, images)
			continue
		}
		for image := range images {
			t.set.PairOut(tile.m, sums[image*p.summedSize:], p.y.stride*p.productsPitch, t.lanes, from[image*p.productsSize:], step, t.lanes,
				t.zero, 0, 0, t.lanes, columns/t.lanes)
			t.set.PairOut(tile.m, to[image*t.targetSize+row*pitch+p.x.singleTarget*t.width:], p.y.stride*pitch, p.x.stride*t.width,
				from[image*p.productsSize+columns:], step, t.lanes, bias, 0, 0, width, p.x.counts[p.x.single])
		}
	}
}

// drop transforms sums of products back along x.
func (p *pairs) drop(to, summed, bias []float32, width, images int) {
	t := p.t
	for i, tile := range p.x.tiles {
		add, addStep, addNext := bias, 0, 0
		if !p.up {
			add, addStep, addNext = summed[(p.x.single*len(p.x.tiles)+tile.to)*t.lanes:], t.lanes, p.productsPitch
		}
		t.set.PairOut(tile.m, to[(p.x.pairTarget+tile.to*p.x.stride)*t.width:], p.x.stride*t.width, t.targetSize/p.targetRows,
			summed[i*t.lanes:], len(p.x.tiles)*t.lanes, p.productsPitch, add, addStep, addNext, width, images*p.targetRows)
	}
}
