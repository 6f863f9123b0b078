package engine

import "dcgan/internal/kernel"

// pairs is how a transfer of kernel 3 and stride 2 is computed: along x, the two outer taps by Winograd's filtering of
// pairs and the middle one as it is, with some three quarters of the multiplications. Along y, sums are taken over the taps
// as they are. See package kernel for the filtering.
//
// A block's images are transformed along x, then multiplied, kind by kind of the columns, and their products transformed
// back, a panel of target channels at a time. Single columns need no transform: they are multiplied where they lie, and
// upwards, where each has a target of its own, go there at once.
//
// Filtering both sides would need fewer multiplications yet, but four times the weights, which no longer stay in a core's
// cache, and three times the transforms.
type pairs struct {
	t      *transfer
	up     bool
	x      pairSide
	rows   []pairRows
	packed []float32 // panel, tap along y, kind, source channel, lane

	sourceRows, targetRows     int
	liftedPitch, productsPitch int // values of a row of transformed pixels, and of a panel's products
}

// single is the kind of a single column, behind those of the points.
const single = kernel.PairKinds - 1

// pairSide is a row of a transfer.
type pairSide struct {
	step                             int // from one input of pairs to the next, and from one single to the next
	tiles                            []pairTile
	counts                           [kernel.PairKinds]int // columns of a kind
	firstSingle                      int
	pairTarget, singleTarget, stride int // the first target of pairs and of singles, and from one to the next
}

// pairTile is m outputs of pairs, the first of them number to, from inputs that start at pixel from, or at the one behind
// where edges says that the first lies outside of the image.
type pairTile struct{ m, edges, from, to int }

// pairRows is the target rows with the same taps at the same distances along y.
type pairRows struct {
	taps    []kernel.Tap // of lifted columns, then of single ones
	singles []kernel.Tap
	gathers [kernel.PairKinds]place
	count   int
}

// newPairSide cuts a row into tiles. A tile of one would save nothing.
func newPairSide(big, small, before int, down bool) pairSide {
	s := pairSide{step: 1, stride: 2}
	first, count, sources := 0, small, small // the first input and the outputs of pairs
	switch {
	case down:
		s.step, s.stride, s.firstSingle = 2, 1, 1-before
		first, sources = -before, big
	case before == 0:
		first, s.singleTarget = -1, 1
	default:
		s.pairTarget = 1
		count--
	}
	s.counts[single] = small
	for at := 0; at < count; {
		m := min(kernel.PairTile, count-at)
		if count-at == m+1 {
			m--
		}
		tile := pairTile{m: m, from: first + at*s.step, to: at}
		if tile.from+m*s.step >= sources {
			tile.edges |= kernel.LastZero
		}
		if tile.from < 0 {
			tile.edges |= kernel.FirstZero
			tile.from += s.step
		}
		s.tiles = append(s.tiles, tile)
		at += m
		for kind := range m + 1 {
			s.counts[kind]++
		}
	}
	return s
}

// pairMinimum is the least number of channels with which transforms take less time than they save.
const pairMinimum = 32

// pairs reports whether a geometry is computed by filtering pairs.
func (g geometry) pairs() bool {
	return g.kernel == 3 && g.stride == 2 && g.smallW > 2 && min(g.bigC, g.smallC) >= pairMinimum
}

// pairBudget is how many values of a block's images and of what lies between stay in cache.
const pairBudget = 1280 << 10 / 4

func newPairs(t *transfer, g geometry, down bool) *pairs {
	p := &pairs{t: t, up: !down, sourceRows: g.smallH, targetRows: g.bigH}
	if down {
		p.sourceRows, p.targetRows = p.targetRows, p.sourceRows
	}
	p.x = newPairSide(g.bigW, g.smallW, g.before(g.bigW, g.smallW), down)
	p.packed = kernel.Buffer(t.panels * g.kernel * p.tapSize())
	p.liftedPitch = single * len(p.x.tiles) * t.depth
	p.productsPitch = (single*len(p.x.tiles) + p.x.counts[single]) * t.lanes
	image := p.sourceRows*p.liftedPitch + p.targetRows*p.productsPitch
	t.most = max(1, pairBudget/(image+t.sourceSize+t.targetSize))
	if len(p.packed) > pairBudget { // then they are read again for each block, and larger ones are better
		t.most = max(t.most, pairBudget/2/image)
	}
	p.gather(g, down)
	t.pool.reserve(max(t.most*image, 3*packChannels*t.lanes))
	return p
}

// tapSize is how many packed weights a panel and a tap along y have.
func (p *pairs) tapSize() int { return kernel.PairKinds * p.t.depth * p.t.lanes }

// gather lists for target rows of each class and columns of each kind where they are read and where their products go.
func (p *pairs) gather(g geometry, down bool) {
	t := p.t
	sourcePitch, targetPitch := t.sourceSize/p.sourceRows, t.targetSize/p.targetRows
	var ys, origins [][]int // of each class
	index := map[string]int{}
	for y, row := range g.contacts(g.bigH, g.smallH, down) {
		key, origin := distances(row)
		i, seen := index[key]
		if !seen {
			i = len(p.rows)
			index[key] = i
			var rows pairRows
			for _, c := range row {
				rows.taps = append(rows.taps, kernel.Tap{A: (c.source - origin) * p.liftedPitch, W: c.tap * p.tapSize()})
				rows.singles = append(rows.singles, kernel.Tap{A: (c.source - origin) * sourcePitch, W: c.tap * p.tapSize()})
			}
			p.rows, ys, origins = append(p.rows, rows), append(ys, nil), append(origins, nil)
		}
		ys[i], origins[i] = append(ys[i], y), append(origins[i], origin)
	}
	for i := range p.rows {
		rows := &p.rows[i]
		rows.count = len(ys[i])
		for image := range t.most {
			for j, y := range ys[i] {
				for kind, count := range p.x.counts {
					list := &rows.gathers[kind]
					for column := range count {
						from := (image*p.sourceRows+origins[i][j])*p.liftedPitch + (kind*len(p.x.tiles)+column)*t.depth
						out := (image*p.targetRows+y)*p.productsPitch + (kind*len(p.x.tiles)+column)*t.lanes
						if kind == single {
							from = image*t.sourceSize + origins[i][j]*sourcePitch + (p.x.firstSingle+column*p.x.step)*t.depth
							if p.up {
								out = image*t.targetSize + y*targetPitch + (p.x.singleTarget+column*p.x.stride)*t.width
							}
						}
						list.rows, list.outs = append(list.rows, from), append(list.outs, out)
					}
				}
			}
		}
		for kind := range rows.gathers {
			rows.gathers[kind].end()
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
	taps := t.pool.memory[worker][:3*packChannels*t.lanes]
	clear(taps)
	for y := range 3 {
		to := p.packed[(panel*3+y)*p.tapSize():]
		for i := 0; i < t.depth; i += packChannels {
			channels := min(packChannels, t.depth-i)
			size := channels * t.lanes
			for j, x := range order {
				t.gather(taps[j*size:], panel, 3*y+x, i, channels)
			}
			t.set.PairKernel(to[i*t.lanes:], t.depth*t.lanes, taps, size, size)
		}
	}
}

// block computes a share of the panels of a block of images.
func (p *pairs) block(worker int, to, from []float32, images int, s share) {
	t := p.t
	lifted, products := cut(t.pool.memory[worker], t.most*p.sourceRows*p.liftedPitch)
	for i, tile := range p.x.tiles {
		t.set.PairIn(tile.m, tile.edges, lifted[i*t.depth:], len(p.x.tiles)*t.depth, p.liftedPitch,
			from[tile.from*t.depth:], p.x.step*t.depth, t.sourceSize/p.sourceRows, t.depth, images*p.sourceRows)
	}
	first, last := s.of(t.panels)
	for panel := first; panel < last; panel++ {
		width := min(t.lanes, t.width-panel*t.lanes)
		to, bias := to[panel*t.lanes:], t.bias[panel*t.lanes:]
		for i := range p.rows {
			rows := &p.rows[i]
			for kind := range single {
				t.tiles(worker, rows.taps, t.depth, &rows.gathers[kind], images*rows.count*p.x.counts[kind], products, lifted,
					p.weights(panel, kind), t.zero, t.lanes)
			}
			target, lanes := products, t.lanes
			if p.up {
				target, lanes = to, width
			}
			t.tiles(worker, rows.singles, t.depth, &rows.gathers[single], images*rows.count*p.x.counts[single], target, from,
				p.weights(panel, single), bias, lanes)
		}
		for i, tile := range p.x.tiles {
			add, addStep, addNext := bias, 0, 0
			if !p.up {
				add, addStep, addNext = products[(single*len(p.x.tiles)+tile.to)*t.lanes:], t.lanes, p.productsPitch
			}
			t.set.PairOut(tile.m, to[(p.x.pairTarget+tile.to*p.x.stride)*t.width:], p.x.stride*t.width, t.targetSize/p.targetRows,
				products[i*t.lanes:], len(p.x.tiles)*t.lanes, p.productsPitch, add, addStep, addNext, width, images*p.targetRows)
		}
	}
}

func (p *pairs) weights(panel, kind int) []float32 {
	return p.packed[panel*3*p.tapSize()+kind*p.t.depth*p.t.lanes:]
}
