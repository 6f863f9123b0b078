package engine

import "dcgan/internal/kernel"

// pairImages is how some channels of images are transformed along x and along y, and where the places of a chunk are: first
// those of rows of pairs, then the others, of single rows. Single pixels of both sides stay where they are.
type pairImages struct {
	x, y                     pairSide
	source                   bool // as inputs, not as gradients of outputs
	height, width            int
	pixel                    int // values from one pixel of an image to the next
	channels                 int // of the transforms
	liftedPitch, raisedPitch int // values of a row transformed along x, and of one along y too
}

func newPairImages(x, y pairSide, source bool, height, width, pixel, channels int) pairImages {
	columns := x.single * len(x.tiles)
	return pairImages{
		x: x, y: y, source: source, height: height, width: width, pixel: pixel, channels: channels,
		liftedPitch: columns * channels, raisedPitch: (columns + x.counts[x.single]) * channels,
	}
}

// liftedSize and raisedSize are how many values an image has after each transform, and size after both.
func (p *pairImages) liftedSize() int { return p.height * p.liftedPitch }
func (p *pairImages) raisedSize() int { return p.y.single * len(p.y.tiles) * p.raisedPitch }
func (p *pairImages) size() int       { return p.liftedSize() + p.raisedSize() }

// singleAt is the pixel of a row or column that is the i-th single one.
func (p *pairImages) singleAt(side pairSide, i int) int {
	if p.source {
		return side.firstSingle + i*side.step
	}
	return side.singleTarget + i*side.stride
}

// offset returns where a pixel of an image is: in a chunk's transforms, or where it is single on both sides, in the images.
func (p *pairImages) offset(chunk, image, row, j, column, i int) int {
	x := (column*len(p.x.tiles) + i) * p.channels
	switch {
	case row == p.y.single && column == p.x.single:
		return ((image*p.height+p.singleAt(p.y, j))*p.width + p.singleAt(p.x, i)) * p.pixel
	case row == p.y.single:
		return chunk*p.raisedSize() + image*p.liftedSize() + p.singleAt(p.y, j)*p.liftedPitch + x
	}
	return image*p.raisedSize() + (row*len(p.y.tiles)+j)*p.raisedPitch + x
}

// transform transforms n channels of count images.
func (p *pairImages) transform(set *kernel.Set, to []float32, chunk int, from []float32, n, count int) {
	raised, lifted := cut(to, chunk*p.raisedSize())
	row := p.width * p.pixel
	for i, tile := range p.x.tiles {
		p.tile(set, p.x, tile, lifted[i*p.channels:], len(p.x.tiles)*p.channels, p.liftedPitch, from, p.pixel, row, n, count*p.height)
	}
	for j, tile := range p.y.tiles {
		to, step := raised[j*p.raisedPitch:], len(p.y.tiles)*p.raisedPitch
		p.tile(set, p.y, tile, to, step, p.raisedSize(), lifted, p.liftedPitch, p.liftedSize(), p.liftedPitch, count)
		columns := p.singleAt(p.x, 1) - p.singleAt(p.x, 0)
		for image := range count {
			p.tile(set, p.y, tile, to[image*p.raisedSize()+p.liftedPitch:], step, p.channels,
				from[image*p.height*row+p.singleAt(p.x, 0)*p.pixel:], row, columns*p.pixel, n, p.x.counts[p.x.single])
		}
	}
}

// tile transforms the places of a tile of one side, pitch values from one pixel to the next on that side.
func (p *pairImages) tile(set *kernel.Set, side pairSide, tile pairTile, to []float32, kind, toNext int, from []float32, pitch, next, n, count int) {
	if p.source {
		set.PairIn(tile.m, tile.edges, to, kind, toNext, from[tile.from*pitch:], side.step*pitch, next, n, count)
	} else {
		set.PairGradIn(tile.m, to, kind, toNext, from[(side.pairTarget+tile.to*side.stride)*pitch:], side.stride*pitch, next, n, count)
	}
}
