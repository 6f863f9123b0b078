package engine

import "dcgan/internal/kernel"

// pairs is how a transfer of kernel 3 and stride 2 is computed: on each side, the two outer taps by Winograd's filtering
// of pairs and the middle one as it is, with some 0.6 of the multiplications. See package kernel for the filtering.
//
// Rows are transformed first, all kinds of a block of images. Then, kind by kind, the rows of one kind are transformed
// along x, multiplied and transformed back along x, and in the end all rows back along y. Single rows and columns need no
// transform: they are multiplied where they lie, and upwards, where each has a target of its own, go there at once.
type pairs struct {
	t       *transfer
	up      bool
	y, x    pairSide
	place   int       // values of packed a kind of row and column
	packed  []float32 // kind of row, kind of column, panel, source channel, lane
	gathers [kernel.PairKinds][kernel.PairKinds]place
	each    [kernel.PairKinds][kernel.PairKinds]int // positions an image of those
	taps    [][]float32                             // 3×3 by lanes, a worker each
	scratch [][]float32                             // a worker each

	// Values an image of what lies between, and from row to row.
	base, lifted, products, half                    int
	basePitch, liftedPitch, productPitch, halfPitch int
}

// single is the kind of a single row or column.
const single = kernel.PairKinds - 1

// pairSide is one side of a transfer.
type pairSide struct {
	sources, padded, before          int // pixels of the source, and with zeros, of which some are before
	step                             int // from one input of pairs to the next
	tiles                            []pairTile
	counts                           [kernel.PairKinds]int // rows (or columns) of a kind
	firstSingle                      int                   // with zeros; from one to the next it is step
	pairTarget, singleTarget, stride int                   // the first target of pairs and of singles, and from one to the next
}

// pairTile is m outputs of pairs, the first of them number to, from inputs that start at pixel from, zeros counted.
type pairTile struct{ m, from, to int }

// newPairSide cuts a side of a geometry into tiles.
func newPairSide(big, small, before int, down bool) pairSide {
	s := pairSide{step: 1, stride: 2}
	count := small // of pairs' outputs
	switch {
	case down:
		s = pairSide{sources: big, padded: 2*small + 1, before: before, step: 2, firstSingle: 1, stride: 1}
	case before == 0:
		s.sources, s.padded, s.before, s.firstSingle, s.singleTarget = small, small+1, 1, 1, 1
	default:
		s.sources, s.padded, s.pairTarget = small, small, 1
		count--
	}
	s.counts[single] = small
	for at := 0; at < count; {
		m := min(kernel.PairTile, count-at)
		switch count - at {
		case 1:
			panic("a tile of one")
		case kernel.PairTile + 1:
			m = kernel.PairTile - 1
		}
		s.tiles = append(s.tiles, pairTile{m, at * s.step, at})
		at += m
		for kind := range m + 1 {
			s.counts[kind]++
		}
	}
	return s
}

// kinds of places that a tile of the largest m has.
const pointKinds = kernel.PairTile + 1

// row returns where the rows (or columns) of a kind are, behind the padded source's: the first, and from one to the next.
func (s *pairSide) row(kind int) (first, stride int) {
	if kind == single {
		return s.firstSingle, s.step
	}
	return s.padded + kind*len(s.tiles), 1
}

// rows is how many rows a side has with those of all kinds.
func (s *pairSide) rows() int { return s.padded + pointKinds*len(s.tiles) }

// most is how many rows a kind has at most.
func (s *pairSide) most() int { return max(len(s.tiles), s.counts[single]) }

// pairMinimum is the least number of channels with which transforms take less time than they save.
const pairMinimum = 32

// pairs reports whether a geometry is computed by filtering pairs.
func (g geometry) pairs() bool {
	return g.kernel == 3 && g.stride == 2 && min(g.smallH, g.smallW) > 2 && min(g.bigC, g.smallC) >= pairMinimum
}

// pairBudget is how many values of a block's images lie between source and target at the most.
const pairBudget = 1200 << 10 / 4

func newPairs(t *transfer, g geometry, down bool) *pairs {
	p := &pairs{t: t, up: !down}
	p.y = newPairSide(g.bigH, g.smallH, g.before(g.bigH, g.smallH), down)
	p.x = newPairSide(g.bigW, g.smallW, g.before(g.bigW, g.smallW), down)
	p.place = t.panels * t.depth * t.lanes
	p.packed = kernel.Buffer(kernel.PairKinds * kernel.PairKinds * p.place)
	targetWidth := g.bigW
	if down {
		targetWidth = g.smallW
	}
	p.basePitch = p.x.padded * t.depth
	p.base = p.y.rows() * p.basePitch
	p.liftedPitch = pointKinds * len(p.x.tiles) * t.depth
	p.lifted = p.y.most() * p.liftedPitch
	p.productPitch = (pointKinds*len(p.x.tiles) + p.x.counts[single]) * t.lanes
	p.products = p.y.most() * p.productPitch
	p.halfPitch = targetWidth * t.width
	p.half = (pointKinds*len(p.y.tiles) + p.y.counts[single]) * p.halfPitch
	t.most = max(1, pairBudget/(p.base+p.lifted+p.products+p.half))
	for ky := range kernel.PairKinds {
		for kx := range kernel.PairKinds {
			p.gather(ky, kx)
		}
	}
	p.taps = make([][]float32, t.pool.threads)
	p.scratch = make([][]float32, t.pool.threads)
	for i := range p.taps {
		p.taps[i] = make([]float32, 9*t.lanes)
		p.scratch[i] = kernel.Buffer(t.most * (p.base + p.lifted + p.products + p.half))
	}
	return p
}

// gather lists where the rows and columns of two kinds are read and where their products go.
func (p *pairs) gather(ky, kx int) {
	t := p.t
	p.each[ky][kx] = p.y.counts[ky] * p.x.counts[kx]
	list := &p.gathers[ky][kx]
	first, stride := p.y.row(ky)
	for image := range t.most {
		for row := range p.y.counts[ky] {
			for column := range p.x.counts[kx] {
				from := image*p.lifted + row*p.liftedPitch + (kx*len(p.x.tiles)+column)*t.depth
				out := image*p.products + row*p.productPitch + (kx*len(p.x.tiles)+column)*t.lanes
				if kx == single {
					from = image*p.base + (first+row*stride)*p.basePitch + (p.x.firstSingle+column*p.x.step)*t.depth
					if p.up {
						at, next, size := p.along(ky)
						out = image*size + at + row*next + (p.x.singleTarget+column*p.x.stride)*t.width
					}
				}
				list.rows, list.outs = append(list.rows, from), append(list.outs, out)
			}
		}
	}
}

// along returns where what is transformed back along x goes: the first row of a kind, the values from one to the next and
// those of an image. Upwards single rows are the target's own.
func (p *pairs) along(kind int) (at, next, image int) {
	if p.up && kind == single {
		return p.y.singleTarget * p.halfPitch, p.y.stride * p.halfPitch, p.t.targetSize
	}
	return kind * len(p.y.tiles) * p.halfPitch, p.halfPitch, p.half
}

// pack transforms the weights of a panel.
func (p *pairs) pack(worker, panel int) {
	t := p.t
	order := [...]int{0, 2, 1} // the taps of pairs, then the single one
	if p.up {                  // seen from the target, pairs lie the other way round
		order = [...]int{2, 0, 1}
	}
	taps := p.taps[worker]
	clear(taps)
	for i := range t.depth {
		for y, ty := range order {
			for x, tx := range order {
				t.gatherTap(taps[(3*y+x)*t.lanes:], panel, 3*ty+tx, i)
			}
		}
		t.set.PairKernel(p.packed[(panel*t.depth+i)*t.lanes:], p.place, taps, t.lanes, t.lanes)
	}
}

// block computes a block of images.
func (p *pairs) block(worker int, to, from []float32, images int) {
	t := p.t
	base, rest := cut(p.scratch[worker], t.most*p.base)
	lifted, rest := cut(rest, t.most*p.lifted)
	products, half := cut(rest, t.most*p.products)
	for image := range images {
		p.liftRows(base[image*p.base:][:p.base], from[image*t.sourceSize:])
	}
	for ky := range kernel.PairKinds {
		count := p.y.counts[ky]
		if count == 0 {
			continue
		}
		first, stride := p.y.row(ky)
		for image := range images {
			for i, tile := range p.x.tiles {
				t.set.PairIn(tile.m, lifted[image*p.lifted+i*t.depth:], len(p.x.tiles)*t.depth, p.liftedPitch,
					base[image*p.base+first*p.basePitch+tile.from*t.depth:], p.x.step*t.depth, stride*p.basePitch, t.depth, count)
			}
		}
		rows := half // that are transformed back along x
		if p.up && ky == single {
			rows = to
		}
		for panel := range t.panels {
			p.multiply(worker, ky, panel, rows, products, lifted, base, images)
			p.lowerColumns(ky, panel, rows, products, images)
		}
	}
	for image := range images {
		p.lowerRows(to[image*t.targetSize:], half[image*p.half:])
	}
}

// liftRows sets an image with zeros around it and the rows of all kinds behind it.
func (p *pairs) liftRows(base, from []float32) {
	t := p.t
	left, width := p.x.before*t.depth, p.x.sources*t.depth
	clear(base[:p.y.before*p.basePitch])
	clear(base[(p.y.before+p.y.sources)*p.basePitch : p.y.padded*p.basePitch])
	for y := range p.y.sources {
		row := base[(p.y.before+y)*p.basePitch:][:p.basePitch]
		clear(row[:left])
		copy(row[left:], from[y*width:][:width])
		clear(row[left+width:])
	}
	lifted := base[p.y.padded*p.basePitch:]
	for i, tile := range p.y.tiles {
		t.set.PairIn(tile.m, lifted[i*p.basePitch:], len(p.y.tiles)*p.basePitch, 0,
			base[tile.from*p.basePitch:], p.y.step*p.basePitch, 0, p.basePitch, 1)
	}
}

// multiply computes the products of a panel with the rows of a kind.
func (p *pairs) multiply(worker, ky, panel int, rows, products, lifted, base []float32, images int) {
	t := p.t
	width := min(t.lanes, t.width-panel*t.lanes)
	for kx := range kernel.PairKinds {
		weights := p.packed[(ky*kernel.PairKinds+kx)*p.place+panel*t.depth*t.lanes:]
		count, list := images*p.each[ky][kx], &p.gathers[ky][kx]
		switch {
		case kx != single:
			t.tiles(worker, oneTap, list, count, products, lifted, weights, t.zero, t.lanes)
		case !p.up:
			t.tiles(worker, oneTap, list, count, products, base, weights, p.bias(ky, panel), t.lanes)
		default:
			t.tiles(worker, oneTap, list, count, rows[panel*t.lanes:], base, weights, p.bias(ky, panel), width)
		}
	}
}

// bias returns what is added to the single columns of a kind of rows: the bias to those that every target is made of.
func (p *pairs) bias(ky, panel int) []float32 {
	if ky == single {
		return p.t.bias[panel*p.t.lanes:]
	}
	return p.t.zero
}

// lowerColumns transforms the products of a panel back along x.
func (p *pairs) lowerColumns(ky, panel int, rows, products []float32, images int) {
	t := p.t
	width := min(t.lanes, t.width-panel*t.lanes)
	at, next, size := p.along(ky)
	for image := range images {
		for i, tile := range p.x.tiles {
			from := products[image*p.products:]
			add, addStep, addNext := p.bias(ky, panel), 0, 0
			if !p.up {
				add, addStep, addNext = from[(pointKinds*len(p.x.tiles)+tile.to)*t.lanes:], t.lanes, p.productPitch
			}
			t.set.PairOut(tile.m, rows[image*size+at+(p.x.pairTarget+tile.to*p.x.stride)*t.width+panel*t.lanes:], p.x.stride*t.width, next,
				from[i*t.lanes:], len(p.x.tiles)*t.lanes, p.productPitch, add, addStep, addNext, width, p.y.counts[ky])
		}
	}
}

// lowerRows transforms an image's rows back along y.
func (p *pairs) lowerRows(to, half []float32) {
	t := p.t
	for i, tile := range p.y.tiles {
		to, from, step := to[(p.y.pairTarget+tile.to*p.y.stride)*p.halfPitch:], half[i*p.halfPitch:], len(p.y.tiles)*p.halfPitch
		if p.up {
			t.set.PairOut(tile.m, to, p.y.stride*p.halfPitch, t.width, from, step, t.width, t.bias, 0, 0, t.width, p.halfPitch/t.width)
		} else {
			t.set.PairOut(tile.m, to, p.halfPitch, 0, from, step, 0,
				half[(pointKinds*len(p.y.tiles)+tile.to)*p.halfPitch:], p.halfPitch, 0, p.halfPitch, 1)
		}
	}
}
