package engine

// incoming is what will be read next, that the matrix kernel prefetches line by line while it multiplies.
type incoming struct{ parts [2]lines }

// idle is a line that is there already.
var idle [cacheLine]float32

// lines is the same lines of cache of some rows of memory.
type lines struct {
	memory               []float32
	rows, pitch, columns int // columns: lines of a row
	row, column          int // the next
}

// newLines lists channels first to first+width-1 of some pixels of a buffer.
func newLines(buffer []float32, pixel, pixels, channels, first, width int) lines {
	pixels = min(pixels, len(buffer)/channels-pixel)
	l := lines{memory: buffer[min(len(buffer), pixel*channels+first):], rows: pixels, pitch: channels, columns: (width + cacheLine - 1) / cacheLine}
	if width == channels {
		l.rows, l.pitch, l.columns = pixels*channels/cacheLine, cacheLine, 1
	}
	if l.rows <= 0 {
		l.columns = 0
	}
	return l
}

// next returns where the next count lines are, or more, and how far apart; idle when all have been.
func (in *incoming) next(count int) (*float32, int) {
	for i := range in.parts {
		l := &in.parts[i]
		if l.column == l.columns {
			continue
		}
		at := &l.memory[l.row*l.pitch+l.column*cacheLine]
		if l.row += count; l.row >= l.rows {
			l.row = 0
			l.column++
		}
		return at, l.pitch
	}
	return &idle[0], 0
}
