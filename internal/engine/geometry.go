package engine

import (
	"fmt"

	"dcgan/internal/kernel"
)

// geometry is a convolution between a big image and a small one: a Conv2D takes big to small, a Conv2DTranspose small to
// big, and the gradients of each go the other way. A dense layer is the case of one pixel on both sides.
type geometry struct {
	bigH, bigW, bigC       int
	smallH, smallW, smallC int
	kernel, stride         int
}

func (g geometry) bigSize() int   { return g.bigH * g.bigW * g.bigC }
func (g geometry) smallSize() int { return g.smallH * g.smallW * g.smallC }
func (g geometry) taps() int      { return g.kernel * g.kernel }

// before is the rows (or columns) of zeros that `same` puts before a side; what is odd of the padding goes behind.
func (g geometry) before(big, small int) int {
	return max((small-1)*g.stride+g.kernel-big, 0) / 2
}

// contact says that tap number tap of a target meets its source at index source.
type contact struct{ tap, source int }

// contacts lists for every target row (or column), in the order of taps, what it is computed from. Down, a target is
// small and its sources are big.
func (g geometry) contacts(big, small int, down bool) [][]contact {
	before := g.before(big, small)
	targets := big
	if down {
		targets = small
	}
	all := make([][]contact, targets)
	for s := range small {
		for tap := range g.kernel {
			b := s*g.stride + tap - before
			switch {
			case b < 0 || b >= big:
			case down:
				all[s] = append(all[s], contact{tap, b})
			default:
				all[b] = append(all[b], contact{tap, s})
			}
		}
	}
	for _, list := range all { // upwards, sources come in order and taps in reverse
		if len(list) > 1 && list[0].tap > list[1].tap {
			for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
				list[i], list[j] = list[j], list[i]
			}
		}
	}
	return all
}

// class is the target pixels that have the same taps at the same distances: the inside of an image is one, each side and
// corner another; a stride of 2 upwards gives each parity its own. No zero of padding or dilation is ever multiplied.
type class struct {
	taps   []kernel.Tap
	values int           // of a tap
	pixels []kernel.Pair // X: offset of the source pixel that tap offsets count from; Y: of the target
}

// join makes one tap of those in a row whose sources and weights, lanes of each value, follow each other.
func (c *class) join(lanes int) {
	var joined []kernel.Tap
	for i, tap := range c.taps {
		if i == 0 || tap.A != c.taps[i-1].A+c.values || tap.W != c.taps[i-1].W+c.values*lanes {
			joined = append(joined, tap)
		}
	}
	if len(joined) == 0 || len(c.taps)%len(joined) != 0 {
		return
	}
	run := len(c.taps) / len(joined)
	for i, tap := range joined {
		if tap != c.taps[i*run] {
			return // runs of different lengths
		}
	}
	c.taps, c.values = joined, run*c.values
}

// gather returns the classes of the transfer down (big to small) or up. perTap is the number of packed weights a tap.
func (g geometry) gather(down bool, perTap int) []class {
	sourceW, sourceC, targetW, targetC := g.smallW, g.smallC, g.bigW, g.bigC
	if down {
		sourceW, sourceC, targetW, targetC = g.bigW, g.bigC, g.smallW, g.smallC
	}
	rows := g.contacts(g.bigH, g.smallH, down)
	columns := g.contacts(g.bigW, g.smallW, down)
	origin := func(list []contact) int {
		if len(list) == 0 {
			return 0
		}
		return list[0].source
	}
	var classes []class
	index := map[string]int{}
	for y, row := range rows {
		for x, column := range columns {
			originY, originX := origin(row), origin(column)
			var taps []kernel.Tap
			for _, cy := range row {
				for _, cx := range column {
					taps = append(taps, kernel.Tap{
						A: ((cy.source-originY)*sourceW + cx.source - originX) * sourceC,
						W: (cy.tap*g.kernel + cx.tap) * perTap,
					})
				}
			}
			key := fmt.Sprint(taps)
			i, seen := index[key]
			if !seen {
				i = len(classes)
				index[key] = i
				classes = append(classes, class{taps: taps, values: sourceC})
			}
			classes[i].pixels = append(classes[i].pixels, kernel.Pair{
				X: (originY*sourceW + originX) * sourceC,
				Y: (y*targetW + x) * targetC,
			})
		}
	}
	return classes
}

// meetings lists for every tap the pixels where a big image (X) and a panel of lanes of a small one (Y) meet through it.
func (g geometry) meetings(lanes int) [][]kernel.Pair {
	rows := g.contacts(g.bigH, g.smallH, true)
	columns := g.contacts(g.bigW, g.smallW, true)
	all := make([][]kernel.Pair, g.taps())
	for y, row := range rows {
		for x, column := range columns {
			for _, cy := range row {
				for _, cx := range column {
					tap := cy.tap*g.kernel + cx.tap
					all[tap] = append(all[tap], kernel.Pair{
						X: (cy.source*g.bigW + cx.source) * g.bigC,
						Y: (y*g.smallW + x) * lanes,
					})
				}
			}
		}
	}
	return all
}
