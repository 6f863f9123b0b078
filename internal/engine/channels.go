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
	slices   [][]span
	x, z     []float32
	first    []float64 // images × channels, and at the end the sums; where an image has one pixel, slices × channels
	second   []float64
}

type sumKind int

const (
	sumOnly   sumKind = iota // Σ x
	sumSquare                // Σ x and Σ x²
	sumGrads                 // Σ d and Σ d·z, with d the gradient x behind the normalisation's rectifier
)

const (
	taskChannels = 1024 // of a task: a page of each row
	maxSlices    = 64
)

func newChannelSums(set *kernel.Set, pool *Pool, channels, pixels, batch, slices int) *channelSums {
	c := &channelSums{set: set, pool: pool, channels: channels, pixels: pixels}
	rows := batch
	if pixels == 1 {
		rows = slices
	}
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
	for i := lo; i < hi; i++ {
		first, second := c.first[i*c.channels:][:c.channels], c.second[i*c.channels:][:c.channels]
		clear(first)
		clear(second)
		c.add(first, second, 0, i*c.pixels, c.pixels)
	}
}

// add adds channels of some rows, from channel start and row lo on.
func (c *channelSums) add(first, second []float64, start, lo, rows int) {
	offset := lo*c.channels + start
	switch c.kind {
	case sumOnly:
		c.set.Sums(first, c.x[offset:], rows, c.channels)
	case sumSquare:
		c.set.Moments(first, second, c.x[offset:], rows, c.channels)
	case sumGrads:
		scale, shift := c.norm.scale[start:], c.norm.shift[start:]
		c.set.NormGrads(first, second, c.x[offset:], c.z[offset:], scale, shift, c.slope, rows, c.channels)
	}
}

// finish returns the sums over the batch, valid until the next begin.
func (c *channelSums) finish(slices [][]span) (first, second []float64) {
	c.slices = slices
	if c.pixels == 1 {
		c.pool.do(c, len(slices)*c.perSlice())
		c.tree(c.first, nil)
		c.tree(c.second, nil)
	} else {
		c.tree(c.first, slices)
		c.tree(c.second, slices)
	}
	return c.first[:c.channels], c.second[:c.channels]
}

// tree leaves in the first row the sum of all. With slices the rows are images', and are first summed to slices'.
func (c *channelSums) tree(rows []float64, slices [][]span) {
	row := func(i int) []float64 { return rows[i*c.channels:][:c.channels] }
	for s, slice := range slices {
		// A slice begins at an image of its own number or above, so no image is overwritten that is still to be read.
		to := row(s)
		copy(to, row(slice[0].lo))
		for _, images := range slice {
			for i := images.lo; i < images.hi; i++ {
				if i != slice[0].lo {
					add(to, row(i))
				}
			}
		}
	}
	for distance := 1; distance < len(c.slices); distance *= 2 {
		for left := 0; left < len(c.slices); left += 2 * distance {
			add(row(left), row(left+distance))
		}
	}
}

func add(to, from []float64) {
	for i, v := range from {
		to[i] += v
	}
}

// perSlice is how many tasks a slice is cut into by channels.
func (c *channelSums) perSlice() int { return (c.channels + taskChannels - 1) / taskChannels }

func (c *channelSums) run(_, task int) {
	slice, start := task/c.perSlice(), task%c.perSlice()*taskChannels
	end := min(start+taskChannels, c.channels)
	first, second := c.first[slice*c.channels+start:slice*c.channels+end], c.second[slice*c.channels+start:slice*c.channels+end]
	clear(first)
	clear(second)
	for _, images := range c.slices[slice] {
		c.add(first, second, start, images.lo, images.hi-images.lo)
	}
}
