package engine

import "dcgan/internal/kernel"

// pairImages is how some channels of images are transformed along x and along y, and where the places of a chunk are: first
// those of rows of pairs, then the others, of single rows. Single pixels of both sides stay where they are.
//
// What the images of a chunk have of one kind lies together, as it is multiplied: lifted is [kind of column][image][row][tile],
// raised [kind of row][kind of column][image][tile of y][tile of x], and what single columns were raised to comes last.
type pairImages struct {
	x, y          pairSide
	source        bool // as inputs, not as gradients of outputs
	height, width int
	pixel         int // values from one pixel of an image to the next
	channels      int // of the transforms
}

func newPairImages(x, y pairSide, source bool, height, width, pixel, channels int) pairImages {
	return pairImages{x: x, y: y, source: source, height: height, width: width, pixel: pixel, channels: channels}
}

// The values from one row to the next: of pixels transformed along x, of places of pairs, and of those of single columns.
func (p *pairImages) liftedRow() int  { return len(p.x.tiles) * p.channels }
func (p *pairImages) singlesRow() int { return p.x.counts[single] * p.channels }

// raisedSize and size are how many values an image has after the transform along y, and of both.
func (p *pairImages) raisedSize() int {
	return single * len(p.y.tiles) * (single*p.liftedRow() + p.singlesRow())
}
func (p *pairImages) size() int { return p.raisedSize() + single*p.height*p.liftedRow() }

// singleAt is the pixel of a row or column that is the i-th single one.
func (p *pairImages) singleAt(side pairSide, i int) int {
	if p.source {
		return side.firstSingle + i*side.step
	}
	return side.singleTarget + i*side.stride
}

// offset returns where a pixel of an image is: in a chunk's transforms, or where it is single on both sides, in the images.
func (p *pairImages) offset(chunk, image, row, j, column, i int) int {
	tiles := len(p.y.tiles)
	switch {
	case row == single && column == single:
		return ((image*p.height+p.singleAt(p.y, j))*p.width + p.singleAt(p.x, i)) * p.pixel
	case row == single:
		return chunk*p.raisedSize() + ((column*chunk+image)*p.height+p.singleAt(p.y, j))*p.liftedRow() + i*p.channels
	case column == single:
		return p.singles(chunk) + ((row*chunk+image)*tiles+j)*p.singlesRow() + i*p.channels
	}
	return (((row*single+column)*chunk+image)*tiles+j)*p.liftedRow() + i*p.channels
}

// singles is where a chunk's transforms of single columns begin.
func (p *pairImages) singles(chunk int) int {
	return chunk * single * single * len(p.y.tiles) * p.liftedRow()
}

// transform transforms n channels of count images.
func (p *pairImages) transform(set *kernel.Set, to []float32, chunk int, from []float32, n, count int) {
	raised, lifted := cut(to, chunk*p.raisedSize())
	row, tiles, lift := p.width*p.pixel, len(p.y.tiles), p.liftedRow()
	for i, tile := range p.x.tiles {
		p.tile(set, p.x, tile, lifted[i*p.channels:], chunk*p.height*lift, lift, from, p.pixel, row, n, count*p.height)
	}
	for j, tile := range p.y.tiles {
		for column := range single {
			p.tile(set, p.y, tile, raised[(column*chunk*tiles+j)*lift:], single*chunk*tiles*lift, tiles*lift,
				lifted[column*chunk*p.height*lift:], lift, p.height*lift, lift, count)
		}
		columns := p.singleAt(p.x, 1) - p.singleAt(p.x, 0)
		for image := range count {
			p.tile(set, p.y, tile, raised[p.singles(chunk)+(image*tiles+j)*p.singlesRow():], chunk*tiles*p.singlesRow(), p.channels,
				from[image*p.height*row+p.singleAt(p.x, 0)*p.pixel:], row, columns*p.pixel, n, p.x.counts[single])
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
