package engine

import "dcgan/internal/kernel"

// channelSums sums over a batch, channel by channel, slice by slice and along the tree over the slices.
type channelSums struct {
	set      *kernel.Set
	pool     *Pool
	channels int
	pixels   int // rows of channels in an image
	kind     sumKind
	slope    float32
	slices   [][]span
	x, y, z  []float32
	first    []float64 // slices × channels
	second   []float64
}

type sumKind int

const (
	sumOnly   sumKind = iota // Σ x
	sumSquare                // Σ x and Σ x²
	sumGrads                 // Σ d and Σ d·z, with d the gradient x behind the rectifier that gave y
)

const (
	taskChannels = 64 // of a task
	maxSlices    = 64
)

func newChannelSums(set *kernel.Set, pool *Pool, channels, pixels, slices int) *channelSums {
	return &channelSums{set: set, pool: pool, channels: channels, pixels: pixels,
		first: make([]float64, slices*channels), second: make([]float64, slices*channels)}
}

// call leaves the sums in first[:channels] and second[:channels].
func (c *channelSums) call(kind sumKind, slices [][]span) {
	c.kind, c.slices = kind, slices
	perSlice := (c.channels + taskChannels - 1) / taskChannels
	c.pool.do(c, len(slices)*perSlice)
	c.tree(c.first)
	if kind != sumOnly {
		c.tree(c.second)
	}
}

func (c *channelSums) tree(sums []float64) {
	for count := len(c.slices); count > 1; count /= 2 {
		for i := range count / 2 {
			to, left, right := sums[i*c.channels:][:c.channels], sums[2*i*c.channels:][:c.channels], sums[(2*i+1)*c.channels:][:c.channels]
			for j := range to {
				to[j] = left[j] + right[j]
			}
		}
	}
}

func (c *channelSums) run(_, task int) {
	perSlice := (c.channels + taskChannels - 1) / taskChannels
	slice := task / perSlice
	start := task % perSlice * taskChannels
	end := min(start+taskChannels, c.channels)
	first := c.first[slice*c.channels+start : slice*c.channels+end]
	second := c.second[slice*c.channels+start : slice*c.channels+end]
	clear(first)
	clear(second)
	for _, images := range c.slices[slice] {
		offset := images.lo*c.pixels*c.channels + start
		rows := (images.hi - images.lo) * c.pixels
		switch c.kind {
		case sumOnly:
			c.set.Sums(first, c.x[offset:], rows, c.channels)
		case sumSquare:
			c.set.Moments(first, second, c.x[offset:], rows, c.channels)
		case sumGrads:
			c.set.NormGrads(first, second, c.x[offset:], c.y[offset:], c.z[offset:], c.slope, rows, c.channels)
		}
	}
}
