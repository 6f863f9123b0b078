package engine

import "dcgan/internal/kernel"

// directGrad computes the gradient of a kernel as the sums over all pixels where a big and a small image meet. A unit is
// a tap and as many big channels as a tile of the matrix kernel has rows.
type directGrad struct {
	k        *kernelGrad
	meetings [][]kernel.Pair
	units    int
	chunk    int // images that are worked on at a time

	full, short [kernel.MaxRows]int // rows of a tile: channels one after the other, and those of the last tile
}

// imageBudget is how many values of images are worked on at a time, so that they stay in a core's cache.
const imageBudget = 384 << 10 / 4

func newDirectGrad(k *kernelGrad) *directGrad {
	g := k.geometry
	d := &directGrad{
		k: k, meetings: g.meetings(k.set.Lanes), units: g.taps() * k.groups(),
		chunk: max(1, imageBudget/(g.bigSize()+g.smallH*g.smallW*k.width())),
	}
	for r := range d.full {
		d.full[r], d.short[r] = r, min(r, (g.bigC-1)%k.set.OuterRows)
	}
	return d
}

// scratchSize is how many values a worker needs for the panels of a chunk.
func (d *directGrad) scratchSize() int {
	return d.chunk*d.k.geometry.smallH*d.k.geometry.smallW*d.k.width() + kernel.Slack
}

// slice sets sums, by panel and unit, to the gradient from a slice's images.
func (d *directGrad) slice(sums, packed []float32, block part, slice []span) {
	clear(sums)
	for _, images := range slice {
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
		ahead := newAhead(k.set, k.big, (lo+count)*bigSize, (lo+2*count)*bigSize, panels*d.units)
		for panel := range panels {
			d.pack(packed[panel*packedSize:], k.small[lo*pixels*g.smallC:], block.firstPanel+panel, count*pixels)
		}
		d.expect(lo+count, count, block)
		for panel := range panels {
			at := panel * d.units * k.tile()
			for _, meetings := range d.meetings {
				for channel := 0; channel < g.bigC; channel += k.set.OuterRows {
					if len(meetings) > 0 {
						// The last rows of a short tile repeat the last channel.
						offsets := &d.full
						if channel+k.set.OuterRows > g.bigC {
							offsets = &d.short
						}
						k.set.Outer(&sums[at], &k.big[lo*bigSize+channel], &packed[panel*packedSize],
							&offsets[0], &meetings[0], len(meetings), count, bigSize, pixels*k.set.Lanes)
					}
					at += k.tile()
					ahead.step()
				}
			}
		}
	}
}

// expect prefetches the pixels that pack will read of the next images.
func (d *directGrad) expect(lo, count int, block part) {
	k, g := d.k, d.k.geometry
	first := block.firstPanel * k.set.Lanes
	for line := first; line < min(block.lastPanel*k.set.Lanes, g.smallC); line += cacheLine {
		at := lo*g.smallSize() + line
		if pixels := min(count*g.smallH*g.smallW, (len(k.small)-at)/g.smallC); pixels > 0 {
			k.set.Prefetch(&k.small[at], pixels, g.smallC)
		}
	}
}

// pack copies a panel of pixels together: apart, they would fall on few lines of the cache and push each other out.
func (d *directGrad) pack(to, from []float32, panel, pixels int) {
	lanes, channels := d.k.set.Lanes, d.k.geometry.smallC
	first := panel * lanes
	width := min(lanes, channels-first)
	if width < lanes {
		clear(to[:pixels*lanes])
	}
	for p := range pixels {
		copy(to[p*lanes:p*lanes+width], from[p*channels+first:])
	}
	if d.k.below != nil {
		d.k.below.normalise(to, first, lanes, pixels)
	}
}

// store writes the sums to a gradient.
func (d *directGrad) store(grad, sums []float32, block part) {
	k, g := d.k, d.k.geometry
	for panel := block.firstPanel; panel < block.lastPanel; panel++ {
		lanes := min(k.set.Lanes, g.smallC-panel*k.set.Lanes)
		for u := range d.units {
			tap, group := u/k.groups(), u%k.groups()
			from := sums[((panel-block.firstPanel)*d.units+u)*k.tile():]
			for r := range min(k.set.OuterRows, g.bigC-group*k.set.OuterRows) {
				channel := group*k.set.OuterRows + r
				copy(grad[(tap*g.bigC+channel)*g.smallC+panel*k.set.Lanes:][:lanes], from[r*k.set.Lanes:])
			}
		}
	}
}
