package engine

import (
	"math/bits"

	"dcgan/internal/kernel"
)

// kernelGrad computes the gradient of a layer's kernel, [tap][big channel][small channel], from a batch of big images
// and of small ones: of a Conv2D its input and the gradient of its output, of a Conv2DTranspose the other way round.
//
// The work is cut into tasks by panels of small channels and by subtrees of the slices' tree. A task goes through its
// images chunk by chunk; what the subtrees give is added along the rest of the tree at the end. A unit is a tap and as
// many big channels as a tile has rows.
type kernelGrad struct {
	set      *kernel.Set
	pool     *Pool
	geometry geometry
	down     bool // of a Conv2D or Dense layer: its input is the big side
	meetings [][]kernel.Pair
	groups   int // of rows of big channels
	units    int
	panels   int
	perTask  int // panels of a task
	subtrees int
	levels   int         // sums that a task holds at most: the depth of its tree, and the one that is being added
	chunk    int         // images that are worked on at a time
	size     int         // of the gradient
	scratch  [][]float32 // a worker each, shared by the layers of a network
	partial  []float32   // gradients of the subtrees behind the first

	big, small, grad []float32
	slices           [][]span
	sum              treeJob
}

const (
	// imageBudget is how many values of images are worked on at a time, so that they stay in a core's cache.
	imageBudget = 384 << 10 / 4
	// sumBudget is how many sums a task has, so that they stay there too.
	sumBudget = 512 << 10 / 4
)

func newKernelGrad(set *kernel.Set, pool *Pool, g geometry, down bool, slices int) *kernelGrad {
	k := &kernelGrad{set: set, pool: pool, geometry: g, down: down, meetings: g.meetings(set.Lanes)}
	k.sum.k = k
	k.size = g.taps() * g.bigC * g.smallC
	k.groups = (g.bigC + set.OuterRows - 1) / set.OuterRows
	k.units = g.taps() * k.groups
	k.panels = (g.smallC + set.Lanes - 1) / set.Lanes
	// Eight tasks a thread keep all busy to the end; what cannot be cut by slices is cut by panels.
	const perThread = 8
	most := max(1, sumBudget/(k.units*k.tile()))
	k.subtrees = 1
	for k.subtrees < slices && k.subtrees*((k.panels+most-1)/most) < perThread*pool.threads {
		k.subtrees *= 2
	}
	k.levels = bits.Len(uint(slices / k.subtrees))
	wanted := (2*pool.threads + k.subtrees - 1) / k.subtrees
	k.perTask = max(1, min(most, k.panels/max(1, wanted)))
	k.chunk = max(1, imageBudget/(g.bigSize()+g.smallH*g.smallW*set.Lanes*k.perTask))
	k.partial = make([]float32, (k.subtrees-1)*k.size)
	return k
}

func (k *kernelGrad) tile() int { return k.set.OuterRows * k.set.Lanes }

// stackSize is how many values the sums of a task take.
func (k *kernelGrad) stackSize() int { return k.levels * k.perTask * k.units * k.tile() }

// packedSize is how many values a chunk of a task's panels takes.
func (k *kernelGrad) packedSize() int {
	return k.chunk * k.geometry.smallH * k.geometry.smallW * k.set.Lanes * k.perTask
}

// scratchSize is how many values a worker needs.
func (k *kernelGrad) scratchSize() int { return k.stackSize() + k.packedSize() }

func (k *kernelGrad) call(grad, big, small []float32, slices [][]span) {
	k.grad, k.big, k.small, k.slices = grad, big, small, slices
	k.pool.do(k, k.subtrees*((k.panels+k.perTask-1)/k.perTask))
	if k.subtrees > 1 {
		k.pool.do(&k.sum, (k.size+treeTask-1)/treeTask)
	}
}

// of returns where the gradient of a subtree goes.
func (k *kernelGrad) of(subtree int) []float32 {
	if subtree == 0 {
		return k.grad
	}
	return k.partial[(subtree-1)*k.size:][:k.size]
}

func (k *kernelGrad) run(worker, task int) {
	subtree := task % k.subtrees
	first := task / k.subtrees * k.perTask
	last := min(first+k.perTask, k.panels)
	stack, packed := k.scratch[worker], k.scratch[worker][k.stackSize():]
	size := (last - first) * k.units * k.tile()
	perTree := len(k.slices) / k.subtrees
	depth := 0
	for s, slice := range k.slices[subtree*perTree:][:perTree] {
		sums := stack[depth*size:][:size]
		clear(sums)
		for _, images := range slice {
			k.add(worker, sums, packed, first, last, images)
		}
		depth++
		for done := s + 1; done%2 == 0; done /= 2 { // a subtree is complete
			depth--
			k.set.Add(stack[(depth-1)*size:][:size], stack[depth*size:][:size])
		}
	}
	for panel := first; panel < last; panel++ {
		k.store(k.of(subtree), stack[(panel-first)*k.units*k.tile():], panel)
	}
}

// add adds the gradients of some images to the sums of panels first to last-1.
func (k *kernelGrad) add(worker int, sums, packed []float32, first, last int, images span) {
	g := k.geometry
	bigSize, pixels := g.bigSize(), g.smallH*g.smallW
	offsets := &k.pool.lists[worker].rows
	for lo := images.lo; lo < images.hi; lo += k.chunk {
		count := min(k.chunk, images.hi-lo)
		packedSize := count * pixels * k.set.Lanes
		for panel := first; panel < last; panel++ {
			k.pack(packed[(panel-first)*packedSize:], k.small[lo*pixels*g.smallC:], panel, count*pixels)
		}
		for panel := first; panel < last; panel++ {
			for u := range k.units {
				meetings := k.meetings[u/k.groups]
				if len(meetings) == 0 {
					continue
				}
				for r := range k.set.OuterRows {
					offsets[r] = min(u%k.groups*k.set.OuterRows+r, g.bigC-1)
				}
				k.set.Outer(&sums[((panel-first)*k.units+u)*k.tile()], &k.big[lo*bigSize], &packed[(panel-first)*packedSize],
					&offsets[0], &meetings[0], len(meetings), count, bigSize, pixels*k.set.Lanes)
			}
		}
	}
}

// pack copies a panel of pixels together: apart, they would fall on few lines of the cache and push each other out.
func (k *kernelGrad) pack(to, from []float32, panel, pixels int) {
	lanes, channels := k.set.Lanes, k.geometry.smallC
	first := panel * lanes
	width := min(lanes, channels-first)
	if width < lanes {
		clear(to[:pixels*lanes])
	}
	for p := range pixels {
		copy(to[p*lanes:p*lanes+width], from[p*channels+first:])
	}
}

// store writes the sums of a panel's units to a gradient.
func (k *kernelGrad) store(grad, sums []float32, panel int) {
	g := k.geometry
	lanes := min(k.set.Lanes, g.smallC-panel*k.set.Lanes)
	for u := range k.units {
		tap, group := u/k.groups, u%k.groups
		for r := range min(k.set.OuterRows, g.bigC-group*k.set.OuterRows) {
			channel := group*k.set.OuterRows + r
			copy(grad[(tap*g.bigC+channel)*g.smallC+panel*k.set.Lanes:][:lanes], sums[u*k.tile()+r*k.set.Lanes:])
		}
	}
}

// treeJob adds the subtrees' gradients along the tree over them.
type treeJob struct{ k *kernelGrad }

const treeTask = 1 << 14 // values a task

func (j *treeJob) run(_, task int) {
	k := j.k
	lo, hi := task*treeTask, min((task+1)*treeTask, k.size)
	for distance := 1; distance < k.subtrees; distance *= 2 {
		for left := 0; left < k.subtrees; left += 2 * distance {
			k.set.Add(k.of(left)[lo:hi], k.of(left + distance)[lo:hi])
		}
	}
}
