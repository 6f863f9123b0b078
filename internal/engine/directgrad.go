package engine

import "dcgan/internal/kernel"

// directGrad computes the gradient of a kernel as the sums over all pixels where a big and a small image meet.
type directGrad struct {
	k        *kernelGrad
	meetings [][]kernel.Pair // of a chunk, by tap
	bigSize  int             // values of a big image
	pitch    int             // values from one small pixel to the next
	chunk    int             // images that are worked on at a time
}

// imageBudget is how many values of images are worked on at a time, so that they stay in a core's cache.
const imageBudget = 384 << 10 / 4

// newDirectGrad plans for slices of at most images images.
func newDirectGrad(k *kernelGrad, images int) *directGrad {
	g := k.geometry
	d := &directGrad{k: k, bigSize: g.bigSize(), pitch: k.set.Lanes}
	var all [][]kernel.Pair
	if k.window == nil {
		all = g.meetings(d.pitch)
	} else { // small pixels are read once, wherever they lie
		d.bigSize, d.pitch = k.window.size(), g.smallC
		all = [][]kernel.Pair{k.window.meetings(d.pitch)}
	}
	big, size := d.bigSize, g.smallH*g.smallW*d.pitch // of a small image, or of a panel of it
	d.chunk = min(max(1, imageBudget/(big+g.smallH*g.smallW*k.width())), images)
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

// scratchSize is how many values a worker needs for a chunk's panels or, where these may have to be made, small images, and for
// its padded images.
func (d *directGrad) scratchSize() int {
	size := d.chunk*d.k.geometry.smallH*d.k.geometry.smallW*max(d.k.width(), d.pitch) + kernel.Slack
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
	panels, pixels := block.lastPanel-block.firstPanel, count*g.smallH*g.smallW
	var big, small []float32
	var panelStep int // of small, from one panel to the next
	rows := k.channelRows
	if k.window == nil {
		big, small, panelStep = k.big[lo*d.bigSize+block.firstChannel:], scratch, pixels*d.pitch
		for panel := range panels {
			k.pack(small[panel*panelStep:], lo, block.firstPanel+panel, count)
		}
	} else {
		big, scratch = cut(scratch, d.chunk*d.bigSize)
		k.window.pad(big, k.big[lo*k.window.images.bigSize():], count)
		small, panelStep, rows = k.smalls(scratch, lo, count)[block.firstPanel*k.set.Lanes:], k.set.Lanes, k.window.rows
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
				k.set.Outer(&sums[group*k.tile()], &big[0], &small[panel*panelStep],
					&rows[group*k.set.OuterRows], &meetings[0], len(meetings), next, step)
			}
		}
	}
}

// store writes the sums to a gradient.
func (d *directGrad) store(grad, sums []float32, block part) {
	d.k.storeTaps(grad, sums, block, []int{0})
}
