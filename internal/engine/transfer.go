package engine

import "dcgan/internal/kernel"

// transfer computes target pixels from source pixels through weights, for blocks of images: a layer forward, or its
// gradient backward.
type transfer struct {
	set     *kernel.Set
	classes []class
	place   []place             // of each class
	most    int                 // images of a block at the most
	enough  int                 // images of a block in small batches, unless that leaves less than two blocks a thread
	apart   [kernel.MaxRows]int // offsets of rows that lie one behind the other

	depth, width           int // channels of a source pixel and of a target pixel
	sourceSize, targetSize int // values of an image
	taps                   int
	laneStride, tapStride  int // in the unpacked weights, of the target's channel and of the tap
	depthStride            int // of the source's channel
	dot                    bool
	few                    bool // so few values make a target that it takes longer to arrive from memory
	heavy                  bool // its weights take longer to arrive than to be used for a few images
	lanes, panels          int
	packed                 []float32
	winograd               *winograd // how it is computed, unless both are nil and the sums are taken directly
	pairs                  *pairs
	wideMemory             []float32 // where it is wide, shared by the layers of a network

	// Of the call in hand.
	pool    *Pool
	weights []float32
	bias    []float32
	to      targets
	from    sources
	images  int
	blocks  blocks
	parts   int         // of a block's panels, a task each
	scratch [][]float32 // a tile a worker
	zero    []float32
	pack    packJob
	rest    blockJob
}

// blockBudget is how many values of source and target images a block takes, so that both stay in a core's cache while
// every channel of the target is computed.
const blockBudget = 320 << 10 / 4

// blockRows is how many target pixels a block has at least, so that reading the weights is little beside using them.
const blockRows = 32

const (
	// heavyWeights is how many weights do not fit in a core's cache. Where each image has only one target pixel for them, threads
	// share panels, not images.
	heavyWeights = 1 << 20 / 4
	// heavyRows is how many images a block has at the most then.
	heavyRows = 256
	// heavyParts is in how many parts a thread has panels then, if there are as many, and leastParts how many it has at least.
	heavyParts, leastParts = 8, 2
)

const (
	// fewValues is up to how many values a target of many pixels is made from without having arrived long before.
	fewValues = 32
	// narrow is up to how many channels targets then are prefetched with, as all come with each panel: of more, that takes longer
	// than it saves.
	narrow = 64
	// targetsAhead is how many pixels ahead of the one in hand targets then are prefetched.
	targetsAhead = 24
)

// dotWidth is the largest number of target channels that is computed as dot products, a channel at a time.
const dotWidth = 4

// newTransfer plans a transfer. If long is set, pairs may be filtered by long tiles, see geometry.longPairs.
func newTransfer(set *kernel.Set, pool *Pool, g geometry, down, long bool) *transfer {
	t := &transfer{set: set, pool: pool, taps: g.taps(), tapStride: g.bigC * g.smallC}
	if down {
		t.depth, t.width = g.bigC, g.smallC
		t.sourceSize, t.targetSize = g.bigSize(), g.smallSize()
		t.depthStride, t.laneStride = g.smallC, 1
	} else {
		t.depth, t.width = g.smallC, g.bigC
		t.sourceSize, t.targetSize = g.smallSize(), g.bigSize()
		t.depthStride, t.laneStride = 1, g.smallC
	}
	t.dot = t.width <= dotWidth && t.depth%kernel.DotLanes == 0
	t.lanes = set.Lanes
	if t.dot {
		t.lanes = 1
	}
	t.few = t.taps*t.depth <= fewValues && t.targetSize > t.width && t.width <= narrow
	t.panels = (t.width + t.lanes - 1) / t.lanes
	t.classes = g.gather(down, t.depth*t.lanes)
	for r := range t.apart {
		t.apart[r] = r * t.lanes
	}
	t.zero = kernel.Buffer(t.panels * t.lanes)
	t.scratch = make([][]float32, pool.threads)
	for i := range t.scratch {
		t.scratch[i] = make([]float32, kernel.MaxRows*kernel.MaxLanes)
	}
	t.pack.t = t
	if g.filters() && !t.dot {
		t.winograd = newWinograd(t, g, down)
		t.most = t.winograd.maxImages()
	} else if g.pairs() && !t.dot {
		t.pairs = newPairs(t, g, down, long && g.longPairs())
	} else {
		t.most = max(1, blockBudget/(t.sourceSize+t.targetSize), blockRows*t.width/t.targetSize)
		t.heavy = t.targetSize == t.width && t.panels*t.taps*t.depth*t.lanes > heavyWeights
		for i := range t.classes {
			t.classes[i].join(t.lanes)
			t.place = append(t.place, t.places(t.classes[i]))
		}
		t.packed = kernel.Buffer(t.panels * t.taps * t.depth * t.lanes)
	}
	return t
}

// packJob lays the weights out as the kernels read them: panel of lanes, tap, source channel, lane.
type packJob struct{ t *transfer }

func (j *packJob) run(worker, panel int) {
	t := j.t
	if t.winograd != nil {
		t.winograd.pack(worker, panel)
		return
	}
	if t.pairs != nil {
		t.pairs.pack(worker, panel)
		return
	}
	to := t.packed[panel*t.taps*t.depth*t.lanes:]
	for tap := range t.taps {
		for i := 0; i < t.depth; i += packChannels {
			channels := min(packChannels, t.depth-i)
			t.gather(to, panel, tap, i, channels)
			to = to[channels*t.lanes:]
		}
	}
}

// packChannels is how many source channels weights are packed together for: a line of cache of them.
const packChannels = cacheLine

// gather sets the lanes of a panel, source channel by source channel, to the weights of a tap and some source channels.
func (t *transfer) gather(to []float32, panel, tap, channel, channels int) {
	first := panel * t.lanes
	lanes := min(t.lanes, t.width-first)
	from := t.weights[tap*t.tapStride+channel*t.depthStride+first*t.laneStride:]
	if t.laneStride == 1 {
		t.set.CopyRows(to, t.lanes, from, t.depthStride, lanes, channels)
		return
	}
	t.set.Transpose(to, t.lanes, from, t.laneStride, lanes, channels)
}

// expectWeights prefetches what gather will read of some source channels, as far as there are any.
func (t *transfer) expectWeights(panel, tap, channel int) {
	if channel >= t.depth {
		return
	}
	first := panel * t.lanes
	lanes := min(t.lanes, t.width-first)
	from := t.weights[tap*t.tapStride+channel*t.depthStride+first*t.laneStride:]
	if t.laneStride != 1 {
		t.set.Prefetch(&from[0], lanes, t.laneStride)
		return
	}
	for lane := 0; lane < lanes; lane += cacheLine {
		t.set.Prefetch(&from[lane], min(packChannels, t.depth-channel), t.depthStride)
	}
}

// load packs weights, [tap][big channel][small channel], for the calls to come, until which they stay as they are. A wide
// transfer reads them at every call.
func (t *transfer) load(weights []float32) {
	t.weights = weights
	if !t.wide() {
		t.pool.do(&t.pack, t.panels)
	}
}

// sources is where a transfer finds its source images.
type sources struct {
	images []float32
	first  func(lo, hi int)                   // what is left to do with images lo to hi-1 just before they are read, or nil
	again  func(worker, lo, hi int) []float32 // makes images lo to hi-1, where they are not in memory, or nil
	beside []float32                          // what first reads beside the images, as many values, or nil
}

// targets is where a transfer writes its target images.
type targets struct {
	images []float32
	then   func(lo, hi int) // what follows once images lo to hi-1 are done, while they are in cache, or nil
	beside []float32        // what then reads beside the images, as many values, or nil
	// columns is then for channels first to last-1 alone, where an image has one pixel and that can be, or nil.
	columns func(lo, hi, first, last int)
}

// arrivals is what a worker will read or write soon, and what may come to its cache meanwhile: the sources of what is
// probably its next block, the targets of this one, and what lies beside both. Winograd's filtering and dot products have it come.
type arrivals struct{ sources, besideSources, targets, besideTargets []float32 }

// call computes a number of images; bias may be nil. A wide transfer's sources are in memory as they are.
func (t *transfer) call(to targets, from sources, bias []float32, images int) {
	t.to, t.from, t.images = to, from, images
	t.add(bias)
	if t.wide() {
		t.winograd.callWide(t.wideMemory)
		return
	}
	threads := t.pool.threads
	t.parts = 1
	if t.heavy && t.panels >= leastParts*threads && from.first == nil && from.again == nil {
		t.blocks, t.parts = newBlocks(images, heavyRows, 1), min(t.panels, heavyParts*threads)
		t.pool.do(t, t.blocks.count()*t.parts)
		if to.columns == nil {
			t.rest.call(t.pool, to.then, 0, images)
		}
		return
	}
	size := max(t.pool.blockSize(images), min(t.enough, (images+2*threads-1)/(2*threads)))
	t.blocks = newBlocks(images, max(1, min(t.most, size)), threads)
	t.pool.do(t, t.blocks.count())
}

// wide reports whether all sources are read before the first target is done.
func (t *transfer) wide() bool { return t.winograd != nil && t.winograd.wide }

// add sets the bias of the calls to come, nil for none.
func (t *transfer) add(bias []float32) {
	t.bias = bias
	if bias == nil {
		t.bias = t.zero
	}
}

func (t *transfer) run(worker, task int) {
	part := share{task / t.blocks.count(), t.parts}
	task %= t.blocks.count()
	lo, hi := t.blocks.first(task), t.blocks.first(task+1)
	if lo == hi {
		return
	}
	from := t.from.ready(worker, lo, hi, t.sourceSize)
	t.expect(from, hi-lo)
	next := t.blocks.behind(task)
	soon := arrivals{
		behind(t.from.images, next, t.sourceSize), behind(t.from.beside, next, t.sourceSize),
		behind(t.to.images, lo, t.targetSize), behind(t.to.beside, lo, t.targetSize),
	}
	t.compute(worker, soon.targets, from, soon, hi-lo, part)
	switch first, last := part.of(t.panels); {
	case part.parts > 1 && t.to.columns != nil:
		t.to.columns(lo, hi, first*t.lanes, min(last*t.lanes, t.width))
	case part.parts == 1 && t.to.then != nil:
		t.to.then(lo, hi)
	}
}

// ready returns images lo to hi-1 and what lies behind them, size values each.
func (s *sources) ready(worker, lo, hi, size int) []float32 {
	if s.again != nil {
		return s.again(worker, lo, hi)
	}
	if s.first != nil {
		s.first(lo, hi)
	}
	return s.images[lo*size:]
}

// behind returns image i of a buffer and what lies behind it.
func behind(buffer []float32, i, size int) []float32 { return buffer[min(i*size, len(buffer)):] }

// expect prefetches a block's images.
func (t *transfer) expect(from []float32, images int) {
	if t.winograd == nil && !t.dot { // which do so a block ahead
		t.set.Prefetch(&from[0], images*t.sourceSize/cacheLine, cacheLine)
	}
}

// share is one of several equal parts of something.
type share struct{ part, parts int }

var whole = share{0, 1}

// of returns which of n the share has.
func (s share) of(n int) (lo, hi int) { return s.part * n / s.parts, (s.part + 1) * n / s.parts }

// compute computes a share of a block of images.
func (t *transfer) compute(worker int, to, from []float32, soon arrivals, images int, s share) {
	switch {
	case t.winograd != nil:
		t.winograd.block(worker, to, from, soon, images, s)
	case t.pairs != nil:
		t.pairs.block(worker, to, from, images, s)
	default:
		t.direct(worker, to, from, soon, images, s)
	}
}

// direct computes a block by the sums over taps and source channels.
func (t *transfer) direct(worker int, to, from []float32, soon arrivals, images int, s share) {
	if t.dot {
		t.dots(worker, to, from, soon, images, s)
		return
	}
	first, last := s.of(t.panels)
	for panel := first; panel < last; panel++ {
		weights := t.packed[panel*t.taps*t.depth*t.lanes:]
		for i := range t.classes {
			c := &t.classes[i]
			t.tiles(worker, c.taps, c.values, &t.place[i], images*len(c.pixels), to[panel*t.lanes:], from, weights, t.bias[panel*t.lanes:],
				min(t.lanes, t.width-panel*t.lanes))
		}
	}
}

// place is where a class's pixels are in a block of images, image by image: offsets of their sources and targets.
type place struct{ rows, outs []int }

// places lists them for as many images as a block has at most, if threads share its panels too.
func (t *transfer) places(c class) place {
	var p place
	most := t.most
	if t.heavy {
		most = max(most, heavyRows)
	}
	for image := range most {
		for _, pixel := range c.pixels {
			p.rows = append(p.rows, image*t.sourceSize+pixel.X)
			p.outs = append(p.outs, image*t.targetSize+pixel.Y)
		}
	}
	p.end()
	return p
}

// list returns the offsets of a tile of size pixels that begins at pixel at of count: in the list itself, or where fewer
// are left, in the worker's memory with the last repeated.
func (p *place) list(own *lists, at, count, size int) (rows, outs *int) {
	if at+size <= count {
		return &p.rows[at], &p.outs[at]
	}
	for r := range size {
		own.rows[r], own.outs[r] = p.rows[min(at+r, count-1)], p.outs[min(at+r, count-1)]
		own.rows[size+r] = own.rows[r] // of the tile behind, which there is not
	}
	return &own.rows[0], &own.outs[0]
}

// end adds what the kernels read behind the last tile's rows.
func (p *place) end() {
	for range kernel.MaxRows {
		p.rows = append(p.rows, 0)
	}
}

// tiles computes width lanes of the first count pixels of a place, from taps of so many values.
func (t *transfer) tiles(worker int, taps []kernel.Tap, values int, p *place, count int, to, from, weights, bias []float32, width int) {
	own, scratch := &t.pool.lists[worker], t.scratch[worker]
	first := tapPointer(taps)
	for at := 0; at < count; {
		tile, size := t.set.Fit(count - at)
		rows, outs := p.list(own, at, count, size)
		if t.few && at+targetsAhead < count {
			t.set.Prefetch(&to[p.outs[at+targetsAhead]], size*t.width/cacheLine, cacheLine)
		}
		if width == t.lanes {
			tile(&to[0], &from[0], &weights[0], &bias[0], rows, outs, first, len(taps), values)
		} else {
			tile(&scratch[0], &from[0], &weights[0], &bias[0], rows, &t.apart[0], first, len(taps), values)
			for r := range min(size, count-at) {
				copy(to[p.outs[at+r]:][:width], scratch[r*t.lanes:])
			}
		}
		at += size
	}
}

// dots computes a share of the pixels of a block, channel by channel.
func (t *transfer) dots(worker int, to, from []float32, soon arrivals, images int, s share) {
	steps, sources := images*t.targetSize/t.set.DotRows, images*t.sourceSize
	meanwhile := newAhead(t.set, steps, stretch(soon.sources, 0, sources), stretch(soon.besideSources, 0, sources))
	for channel := range t.width {
		weights := t.packed[channel*t.taps*t.depth:]
		for i := range t.classes {
			c := &t.classes[i]
			taps := tapPointer(c.taps)
			first, last := s.of(images * len(c.pixels))
			for at := first; at < last; at += t.set.DotRows {
				rows, outs := t.place[i].list(&t.pool.lists[worker], at, last, t.set.DotRows)
				t.set.Dot(&to[channel], &from[0], &weights[0], t.bias[channel], rows, outs, taps, len(c.taps), c.values)
				meanwhile.step()
			}
		}
	}
}

// tapPointer returns the first of taps; a target that no source reaches has none.
func tapPointer(taps []kernel.Tap) *kernel.Tap {
	if len(taps) == 0 {
		return nil
	}
	return &taps[0]
}
