package engine

import "dcgan/internal/kernel"

// channelSums sums over a batch, channel by channel: the pixels of an image in order, the images of a slice in order, and
// the slices along their tree. An image's sums are taken as soon as it is computed and still in cache. Where an image has
// one pixel and channels are many, there is nothing to sum in it, and finish goes over the values themselves.
type channelSums struct {
	set      *kernel.Set
	pool     *Pool
	channels int
	pixels   int // rows of channels in an image
	kind     sumKind
	norm     *norm
	slope    float32
	x, z     []float32
	first    []float64 // images × channels, and at the end the sums; where an image has one pixel, slices × channels
	second   []float64

	slices  [][]span
	perTask int // channels of a task that finishes sums
	then    func(first, second []float64, lo, hi int)
}

type sumKind int

const (
	sumOnly   sumKind = iota // Σ x
	sumSquare                // Σ x and Σ x²
	sumGrads                 // Σ d and Σ d·z, with d the gradient x behind the normalisation's rectifier
)

const (
	maxSlices = 64
	// taskSums is how many values a task that finishes sums adds: fewer take less time than a thread to begin.
	taskSums = 1 << 13
	// taskChannels is how many channels it has at least: some lines of each row.
	taskChannels = 32
	// columnValues is how many values of all images it has where an image has one pixel, so that they stay in a core's cache, of
	// at most columnChannels channels, so that all threads have some.
	columnValues, columnChannels = 1 << 16, 1024
	// lineSums is how many sums a line of cache holds, that two threads do not write to.
	lineSums = 8
)

func newChannelSums(set *kernel.Set, pool *Pool, channels, pixels, batch, slices int) *channelSums {
	c := &channelSums{set: set, pool: pool, channels: channels, pixels: pixels}
	rows := batch
	if pixels == 1 {
		rows = slices
	}
	values := taskSums
	if pixels == 1 {
		values = min(columnValues, columnChannels*batch)
	}
	c.perTask = max(taskChannels, values/batch/lineSums*lineSums)
	c.first, c.second = make([]float64, rows*channels), make([]float64, rows*channels)
	return c
}

// begin says what will be summed.
func (c *channelSums) begin(kind sumKind, x []float32) { c.kind, c.x = kind, x }

// beginGrads says that it will be what a normalisation of z needs from the gradient x.
func (c *channelSums) beginGrads(x, z []float32, n *norm, slope float32) {
	c.begin(sumGrads, x)
	c.z, c.norm, c.slope = z, n, slope
}

// images sums within images lo to hi-1.
func (c *channelSums) images(lo, hi int) {
	if c.pixels == 1 {
		return
	}
	if c.channels == 1 && c.kind == sumOnly {
		lo = c.fours(lo, hi)
	}
	for i := lo; i < hi; i++ {
		c.add(c.kind, i, 0, c.channels, i*c.pixels, c.pixels, true)
	}
}

// fours sums within images from lo on, four at a time, and returns the first that is left: of one channel, each addition would
// wait for the one before.
func (c *channelSums) fours(lo, hi int) int {
	for ; lo+4 <= hi; lo += 4 {
		x := c.x[lo*c.pixels:]
		first, second, third, fourth := x[:c.pixels], x[c.pixels:][:c.pixels], x[2*c.pixels:][:c.pixels], x[3*c.pixels:][:c.pixels]
		var sums [4]float64
		for p, v := range first {
			sums[0] += float64(v)
			sums[1] += float64(second[p])
			sums[2] += float64(third[p])
			sums[3] += float64(fourth[p])
		}
		copy(c.first[lo:], sums[:])
	}
	return lo
}

// add adds channels lo to hi-1 of some rows of the values, from the given one on, to row i of the sums; anew if it is the first
// time.
func (c *channelSums) add(kind sumKind, i, lo, hi, row, rows int, anew bool) {
	offset := row*c.channels + lo
	first, second := c.row(c.first, i, lo, hi), c.row(c.second, i, lo, hi)
	if anew {
		clear(first)
		if kind != sumOnly {
			clear(second)
		}
	}
	switch kind {
	case sumOnly:
		c.set.Sums(first, c.x[offset:], rows, c.channels)
	case sumSquare:
		c.set.Moments(first, second, c.x[offset:], rows, c.channels)
	case sumGrads:
		scale, shift := c.norm.scale[lo:], c.norm.shift[lo:]
		c.set.NormGrads(first, second, c.x[offset:], c.z[offset:], scale, shift, c.slope, rows, c.channels)
	}
}

// finish takes the sums over the batch and calls then with them for channels lo to hi-1, again and again; the second ones
// mean nothing where it is Σ x alone. They are valid until the next begin.
func (c *channelSums) finish(slices [][]span, then func(first, second []float64, lo, hi int)) {
	c.slices, c.then = slices, then
	c.pool.do(c, (c.channels+c.perTask-1)/c.perTask)
}

// run finishes the sums of some channels.
func (c *channelSums) run(_, task int) {
	lo := task * c.perTask
	hi := min(lo+c.perTask, c.channels)
	if c.pixels == 1 {
		c.columns(c.kind, lo, hi)
	} else {
		c.join(c.first, lo, hi)
		if c.kind != sumOnly {
			c.join(c.second, lo, hi)
		}
	}
	c.then(c.first, c.second, lo, hi)
}

// columns takes the sums of channels lo to hi-1 over the batch where an image has one pixel.
func (c *channelSums) columns(kind sumKind, lo, hi int) {
	for s, slice := range c.slices {
		for i, images := range slice {
			c.add(kind, s, lo, hi, images.lo, images.hi-images.lo, i == 0)
		}
	}
	c.tree(c.first, lo, hi)
	if kind != sumOnly {
		c.tree(c.second, lo, hi)
	}
}

// row returns channels lo to hi-1 of row i.
func (c *channelSums) row(of []float64, i, lo, hi int) []float64 {
	return of[i*c.channels:][lo:hi]
}

// join leaves in the first row the sum over the batch of what images have.
func (c *channelSums) join(rows []float64, lo, hi int) {
	for s, slice := range c.slices {
		// A slice begins at an image of its own number or above, so no image is overwritten that is still to be read.
		to := c.row(rows, s, lo, hi)
		copy(to, c.row(rows, slice[0].lo, lo, hi))
		for _, images := range slice {
			for i := images.lo; i < images.hi; i++ {
				if i != slice[0].lo {
					add(to, c.row(rows, i, lo, hi))
				}
			}
		}
	}
	c.tree(rows, lo, hi)
}

// tree leaves in the first row the sum of the slices'.
func (c *channelSums) tree(rows []float64, lo, hi int) {
	for distance := 1; distance < len(c.slices); distance *= 2 {
		for left := 0; left < len(c.slices); left += 2 * distance {
			add(c.row(rows, left, lo, hi), c.row(rows, left+distance, lo, hi))
		}
	}
}

func add(to, from []float64) {
	for i, v := range from {
		to[i] += v
	}
}
