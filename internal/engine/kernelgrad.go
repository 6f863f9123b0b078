package engine

import "dcgan/internal/kernel"

// kernelGrad computes the gradient of a layer's kernel, [tap][big channel][small channel], from a batch of big images
// and of small ones: of a Conv2D its input and the gradient of its output, of a Conv2DTranspose the other way round.
//
// A task has a panel of small channels and some units, a unit being a tap and as many big channels as a tile has rows.
// It goes through all slices of the batch, so that the tree over them stays in the worker's own memory.
type kernelGrad struct {
	set      *kernel.Set
	pool     *Pool
	geometry geometry
	meetings [][]kernel.Pair
	down     bool // of a Conv2D or Dense layer: its input is the big side
	groups   int  // of rows of big channels
	units    int
	perTask  int
	panels   int
	scratch  [][]float32 // a worker each, shared by the layers of a network

	big, small, grad []float32
	slices           [][]span
}

// imageBudget is how many values of images are worked on at a time, so that they stay in a core's cache.
const imageBudget = 512 << 10 / 4

func newKernelGrad(set *kernel.Set, pool *Pool, g geometry) *kernelGrad {
	k := &kernelGrad{set: set, pool: pool, geometry: g, meetings: g.meetings()}
	k.groups = (g.bigC + set.OuterRows - 1) / set.OuterRows
	k.units = g.taps() * k.groups
	k.panels = (g.smallC + set.Lanes - 1) / set.Lanes
	// Eight tasks a thread keep all busy to the end.
	split := min(k.units, (8*pool.threads+k.panels-1)/k.panels)
	k.perTask = (k.units + split - 1) / split
	return k
}

// levels is the depth of the tree over at most 64 slices, and one more for the sum that is being added.
const levels = 7

// scratchSize is how many values a worker needs.
func (k *kernelGrad) scratchSize() int { return levels * k.perTask * k.set.OuterRows * k.set.Lanes }

func (k *kernelGrad) call(grad, big, small []float32, slices [][]span) {
	k.grad, k.big, k.small, k.slices = grad, big, small, slices
	k.pool.do(k, k.panels*((k.units+k.perTask-1)/k.perTask))
}

func (k *kernelGrad) run(worker, task int) {
	tasksPerPanel := (k.units + k.perTask - 1) / k.perTask
	panel := task / tasksPerPanel
	first := task % tasksPerPanel * k.perTask
	last := min(first+k.perTask, k.units)
	tile := k.set.OuterRows * k.set.Lanes
	size := (last - first) * tile
	stack := k.scratch[worker]
	depth := 0
	for s, slice := range k.slices {
		sum := stack[depth*size:][:size]
		clear(sum)
		for _, images := range slice {
			k.add(sum, first, last, panel, images)
		}
		depth++
		for done := s + 1; done%2 == 0; done /= 2 { // a subtree is complete
			depth--
			k.set.Add(stack[(depth-1)*size:][:size], stack[depth*size:][:size])
		}
	}
	g := k.geometry
	lanes := min(k.set.Lanes, g.smallC-panel*k.set.Lanes)
	for u := first; u < last; u++ {
		sums := stack[(u-first)*tile:]
		tap, group := u/k.groups, u%k.groups
		for r := range min(k.set.OuterRows, g.bigC-group*k.set.OuterRows) {
			channel := group*k.set.OuterRows + r
			copy(k.grad[(tap*g.bigC+channel)*g.smallC+panel*k.set.Lanes:][:lanes], sums[r*k.set.Lanes:])
		}
	}
}

// add adds the gradients of some images to the tiles of units first to last-1.
func (k *kernelGrad) add(sum []float32, first, last, panel int, images span) {
	g := k.geometry
	bigSize, smallSize := g.bigSize(), g.smallSize()
	chunk := max(1, imageBudget/(bigSize+g.smallH*g.smallW*k.set.Lanes))
	tile := k.set.OuterRows * k.set.Lanes
	var offsets [kernel.MaxRows]int
	for lo := images.lo; lo < images.hi; lo += chunk {
		count := min(chunk, images.hi-lo)
		big, small := k.big[lo*bigSize:], k.small[lo*smallSize+panel*k.set.Lanes:]
		for u := first; u < last; u++ {
			pixels := k.meetings[u/k.groups]
			if len(pixels) == 0 {
				continue
			}
			for r := range k.set.OuterRows {
				offsets[r] = min(u%k.groups*k.set.OuterRows+r, g.bigC-1)
			}
			k.set.Outer(&sum[(u-first)*tile], &big[0], &small[0], &offsets[0], &pixels[0], len(pixels), count, bigSize, smallSize)
		}
	}
}
