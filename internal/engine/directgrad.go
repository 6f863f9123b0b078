package engine

import "dcgan/internal/kernel"

// directGrad computes the gradient of a kernel as the sums over all pixels where a big and a small image meet.
type directGrad struct {
	k        *kernelGrad
	meetings [][]kernel.Pair // of a chunk, by tap
	bigSize  int             // values of a big image
	chunk    int             // images that are worked on at a time
}

// imageBudget is how many values of images are worked on at a time, so that they stay in a core's cache.
const imageBudget = 384 << 10 / 4

// newDirectGrad plans for slices of at most images images.
func newDirectGrad(k *kernelGrad, images int) *directGrad {
	g := k.geometry
	all, big := g.meetings(k.set.Lanes), g.bigSize()
	if k.window != nil {
		all, big = [][]kernel.Pair{k.window.meetings(k.set.Lanes)}, k.window.size()
	}
	size := g.smallH * g.smallW * k.set.Lanes // of a panel
	d := &directGrad{k: k, bigSize: big, chunk: min(max(1, imageBudget/(big+k.perTask*size)), images)}
	for _, one := range all {
		var all []kernel.Pair
		for image := range d.chunk {
			for _, at := range one {
				all = append(all, kernel.Pair{X: image*big + at.X, Y: image*size + at.Y})
			}
		}
		d.meetings = append(d.meetings, all)
	}
	return d
}

// scratchSize is how many values a worker needs for a chunk's panels, and its padded images.
func (d *directGrad) scratchSize() int {
	size := d.chunk*d.k.geometry.smallH*d.k.geometry.smallW*d.k.width() + kernel.Slack
	if d.k.window != nil {
		size += d.chunk*d.bigSize + kernel.Slack
	}
	return size
}

// slice sets sums, by panel, tap and group of big channels, to the gradient from the images of slice number s.
func (d *directGrad) slice(sums, scratch []float32, block part, s int) {
	clear(sums)
	for _, images := range d.k.slices[s] {
		for lo := images.lo; lo < images.hi; lo += d.chunk {
			d.add(sums, scratch, block, lo, min(d.chunk, images.hi-lo))
		}
	}
}

// add adds the gradient from count images, from number lo on, to the sums.
func (d *directGrad) add(sums, scratch []float32, block part, lo, count int) {
	k, g := d.k, d.k.geometry
	var big []float32
	packed, rows := scratch, k.channelRows
	if k.window == nil {
		big = k.big[lo*d.bigSize+block.firstChannel:]
	} else {
		big, packed = cut(scratch, d.chunk*d.bigSize)
		k.window.pad(big, k.big[lo*k.window.images.bigSize():], count)
		rows = k.window.rows
	}
	panels, size := block.lastPanel-block.firstPanel, count*g.smallH*g.smallW*k.set.Lanes
	for panel := range panels {
		k.pack(packed[panel*size:], lo, block.firstPanel+panel, count)
	}
	in := k.incoming(lo+count, count, block)
	groups := k.groupsOf(block)
	for panel := range panels {
		for tap, meetings := range d.meetings {
			meetings = meetings[:len(meetings)/d.chunk*count]
			if len(meetings) == 0 {
				continue
			}
			sums := sums[(panel*len(d.meetings)+tap)*k.groups()*k.tile():]
			for group := range groups {
				next, step := in.next(len(meetings) / kernel.AheadPixels)
				k.set.Outer(&sums[group*k.tile()], &big[0], &packed[panel*size],
					&rows[group*k.set.OuterRows], &meetings[0], len(meetings), next, step)
			}
		}
	}
}

// store writes the sums to a gradient.
func (d *directGrad) store(grad, sums []float32, block part) {
	d.k.storeTaps(grad, sums, block, []int{0})
}
