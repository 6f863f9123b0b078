package engine

import "dcgan/internal/kernel"

// directGrad computes the gradient of a kernel as the sums over all pixels where a big and a small image meet.
type directGrad struct {
	k        *kernelGrad
	meetings [][]kernel.Pair
	chunk    int // images that are worked on at a time
}

// imageBudget is how many values of images are worked on at a time, so that they stay in a core's cache.
const imageBudget = 384 << 10 / 4

func newDirectGrad(k *kernelGrad) *directGrad {
	g := k.geometry
	return &directGrad{
		k: k, meetings: g.meetings(k.set.Lanes),
		chunk: max(1, imageBudget/(g.bigSize()+g.smallH*g.smallW*k.width())),
	}
}

// scratchSize is how many values a worker needs for the panels of a chunk.
func (d *directGrad) scratchSize() int {
	return d.chunk*d.k.geometry.smallH*d.k.geometry.smallW*d.k.width() + kernel.Slack
}

// slice sets sums, by panel, tap and group of big channels, to the gradient from the images of slice number s.
func (d *directGrad) slice(sums, packed []float32, block part, s int) {
	clear(sums)
	for _, images := range d.k.slices[s] {
		d.add(sums, packed, block, images)
	}
}

// add adds the gradient from some images to the sums.
func (d *directGrad) add(sums, packed []float32, block part, images span) {
	k, g := d.k, d.k.geometry
	bigSize, pixels := g.bigSize(), g.smallH*g.smallW
	panels := block.lastPanel - block.firstPanel
	for lo := images.lo; lo < images.hi; lo += d.chunk {
		count := min(d.chunk, images.hi-lo)
		packedSize := count * pixels * k.set.Lanes
		in := k.incoming(lo+count, count, block)
		for panel := range panels {
			k.pack(packed[panel*packedSize:], lo, block.firstPanel+panel, count)
		}
		at := 0
		for panel := range panels {
			for _, meetings := range d.meetings {
				for channel := 0; channel < g.bigC; channel += k.set.OuterRows {
					if len(meetings) > 0 {
						next, step := in.next(len(meetings) / kernel.AheadPixels * count)
						k.set.Outer(&sums[at], &k.big[lo*bigSize+channel], &packed[panel*packedSize],
							&k.rowsOf[0], &meetings[0], len(meetings), count, bigSize, pixels*k.set.Lanes, next, step)
					}
					at += k.tile()
				}
			}
		}
	}
}

// store writes the sums to a gradient.
func (d *directGrad) store(grad, sums []float32, block part) {
	d.k.storeTaps(grad, sums, block, []int{0})
}
