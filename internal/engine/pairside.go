package engine

import "dcgan/internal/kernel"

// pairSide is one side of a transfer, a row or a column of pixels.
type pairSide struct {
	step                             int // from one input of pairs to the next, and from one single to the next
	tiles                            []pairTile
	single                           int   // the kind of single pixels, behind those of the points
	counts                           []int // pixels of a kind
	firstSingle                      int
	pairTarget, singleTarget, stride int // the first target of pairs and of singles, and from one to the next
}

// pairTile is outputs of pairs, as many as its m says, the first of them number to, from inputs that start at pixel from, or
// at the one behind where edges says that the first lies outside of the image.
type pairTile struct{ m, edges, from, to int }

// newPairSide cuts a side into tiles, if long is set and nothing is left then, into long ones. A tile of one would save
// nothing. No tile has more places than the one before, so the pixels of a kind are those of the first tiles.
func newPairSide(big, small, before int, down, long bool) pairSide {
	s := pairSide{step: 1, stride: 2, single: kernel.PairKinds - 1}
	first, count, sources := 0, small, small // the first input and the outputs of pairs
	switch {
	case down:
		s.step, s.stride, s.firstSingle = 2, 1, 1-before
		first, sources = -before, big
	case before == 0:
		first, s.singleTarget = -1, 1
	default:
		s.pairTarget = 1
		count--
	}
	most := kernel.PairTile
	if long && count%kernel.PairLong == 0 {
		s.single, most = kernel.PairLongKinds-1, kernel.PairLong
	}
	s.counts = make([]int, s.single+1)
	s.counts[s.single] = small
	for at := 0; at < count; {
		m := min(most, count-at)
		if count-at == m+1 {
			m--
		}
		tile := pairTile{m: m, from: first + at*s.step, to: at}
		if tile.from+m*s.step >= sources {
			tile.edges |= kernel.LastZero
		}
		if tile.from < 0 {
			tile.edges |= kernel.FirstZero
			tile.from += s.step
		}
		if m == kernel.PairTile && tile.edges == kernel.FirstZero|kernel.LastZero {
			tile.m = kernel.PairWhole
		}
		s.tiles = append(s.tiles, tile)
		at += m
		for kind := range kernel.PairPlaces(tile.m) {
			s.counts[kind]++
		}
	}
	return s
}

// kinds is how many kinds of pixels a side has.
func (s *pairSide) kinds() int { return s.single + 1 }

// transformKernel transforms three taps, those of pairs first, to a side's places.
func (s *pairSide) transformKernel(set *kernel.Set, to []float32, toStep int, from []float32, fromStep, n int) {
	if s.kinds() == kernel.PairLongKinds {
		set.PairLongKernel(to, toStep, from, fromStep, n)
	} else {
		set.PairKernel(to, toStep, from, fromStep, n)
	}
}
