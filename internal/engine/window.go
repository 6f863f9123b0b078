package engine

import "dcgan/internal/kernel"

// window is how the gradient of a kernel with few big channels is computed: taps and channels together are the rows of the
// matrix kernel, most of which channels alone would leave empty. Images are copied with zeros around them, so that every
// tap meets every small pixel.
type window struct {
	images        geometry // as they are
	height, width int      // with the zeros
	rows          []int    // offsets of taps and channels; the last repeats
}

// fewChannels is up to how many big channels taps are rows.
const fewChannels = 3

// newWindow returns none where a geometry has enough channels.
func newWindow(set *kernel.Set, g geometry) *window {
	if g.bigC > fewChannels || g.taps() == 1 {
		return nil
	}
	w := &window{images: g, height: (g.smallH-1)*g.stride + g.kernel, width: (g.smallW-1)*g.stride + g.kernel}
	for y := range g.kernel {
		for x := range g.kernel {
			for channel := range g.bigC {
				w.rows = append(w.rows, (y*w.width+x)*g.bigC+channel)
			}
		}
	}
	for len(w.rows)%set.OuterRows != 0 {
		w.rows = append(w.rows, w.rows[len(w.rows)-1])
	}
	return w
}

// geometry is that of a kernel with one tap whose big channels are the taps and channels of the images'.
func (w *window) geometry() geometry {
	g := w.images
	return geometry{1, 1, g.taps() * g.bigC, g.smallH, g.smallW, g.smallC, 1, 1}
}

func (w *window) size() int { return w.height * w.width * w.images.bigC }

// meetings lists the pixels where a padded image meets a small one, whose pixels are pitch values apart.
func (w *window) meetings(pitch int) []kernel.Pair {
	var all []kernel.Pair
	for y := range w.images.smallH {
		for x := range w.images.smallW {
			at := (y*w.width + x) * w.images.stride * w.images.bigC
			all = append(all, kernel.Pair{X: at, Y: (y*w.images.smallW + x) * pitch})
		}
	}
	return all
}

// pad copies some images with zeros around them.
func (w *window) pad(to, from []float32, images int) {
	g := w.images
	top, left := g.before(g.bigH, g.smallH), g.before(g.bigW, g.smallW)
	row, rows, columns := w.width*g.bigC, min(g.bigH, w.height-top), min(g.bigW, w.width-left)
	clear(to[:images*w.size()])
	for image := range images {
		for y := range rows {
			copy(to[image*w.size()+(top+y)*row+left*g.bigC:][:columns*g.bigC], from[image*g.bigSize()+y*g.bigW*g.bigC:])
		}
	}
}
