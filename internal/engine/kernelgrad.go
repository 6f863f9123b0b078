package engine

import (
	"math/bits"

	"dcgan/internal/kernel"
)

// kernelGrad computes the gradient of a layer's kernel, [tap][big channel][small channel], from a batch of big images
// and of small ones: of a Conv2D its input and the gradient of its output, of a Conv2DTranspose the other way round.
//
// The work is cut into tasks by blocks of the gradient and by subtrees of the slices' tree. A task sums slice by slice
// and along its subtree; what the subtrees give is added along the rest of the tree at the end.
type kernelGrad struct {
	set      *kernel.Set
	pool     *Pool
	geometry geometry      // of the product
	down     bool          // of a Conv2D or Dense layer: its input is the big side
	way      way           // that a slice's sums are computed
	filter   *winogradGrad // the same, where it is this one
	panels   int           // of small channels
	perTask  int           // panels of a task
	channels int           // big channels of a task
	subtrees int
	perTree  int         // slices of a subtree
	levels   int         // sums that a task holds at most: the depth of its tree, and the one that is being added
	size     int         // of the gradient
	scratch  [][]float32 // a worker each, shared by the layers of a network
	partial  []float32   // gradients of the subtrees behind the first

	channelRows []int   // of the matrix kernel: big channels one after the other, past the last of a block too
	window      *window // how big images of few channels are read, or nil

	big, small, grad []float32
	below            *stage
	slices           [][]span
	sum              treeJob
}

// way computes the gradient of one block from one slice.
type way interface {
	slice(sums, scratch []float32, block part, s int) // sets the sums, in an order of its own, to those of slice s
	store(grad, sums []float32, block part)           // writes such sums to a gradient
	scratchSize() int                                 // values that a worker needs
}

// sumBudget is how many sums a task has, so that they stay in a core's cache.
const sumBudget = 512 << 10 / 4

func newKernelGrad(set *kernel.Set, pool *Pool, g geometry, down bool, slices [][]span) *kernelGrad {
	k := &kernelGrad{set: set, pool: pool, down: down, window: newWindow(set, g)}
	if k.window != nil {
		g = k.window.geometry()
	}
	k.geometry = g
	k.sum.k = k
	k.size = g.taps() * g.bigC * g.smallC
	k.panels = (g.smallC + set.Lanes - 1) / set.Lanes
	switch {
	case g.filters():
		k.cutForPlaces(kernel.WinogradPlaces, productBudget)
	case g.pairsGradient():
		k.cutForPlaces(kernel.PairKinds*kernel.PairKinds, pairSumBudget)
	default:
		k.channels = g.bigC
		budget := sumBudget
		if g.taps() == 1 { // then a slice's sums take little time, and those of all levels should stay in cache
			budget /= 8
		}
		k.perTask = max(1, min(k.panels, budget/(g.taps()*k.rows()*set.Lanes)))
	}
	// Eight tasks a thread keep all busy to the end. What cannot be cut by slices is cut by panels, only as far as there are threads,
	// since each reads all big images; of a dense layer by big channels, which costs nothing, or by panels where it has one.
	const perThread = 8
	k.subtrees = 1
	for k.subtrees < len(slices) && k.subtrees*k.blocks() < perThread*pool.threads {
		k.subtrees *= 2
	}
	dense, least := g.taps() == 1 && k.window == nil, pool.threads
	if dense && g.bigC == 1 {
		least *= 2
	}
	for k.subtrees*k.blocks() < least && k.perTask > 1 {
		k.perTask = (k.perTask + 1) / 2
	}
	for dense && k.subtrees*k.blocks() < 2*pool.threads && k.channels >= 2*wholeVectors {
		k.channels = (k.channels/2 + wholeVectors - 1) / wholeVectors * wholeVectors
	}
	for r := range k.rows() {
		k.channelRows = append(k.channelRows, r)
	}
	switch {
	case g.filters():
		k.filter = newWinogradGrad(k, mostImages(slices))
		k.way = k.filter
		for k.filter.wide && k.subtrees < len(slices) && len(slices)/k.subtrees*k.filter.sliceSize() > sliceBudget {
			k.subtrees *= 2
		}
	case g.pairsGradient():
		k.way = newPairGrad(k)
	default:
		k.way = newDirectGrad(k, mostImages(slices))
	}
	k.perTree = len(slices) / k.subtrees
	k.levels = bits.Len(uint(k.perTree))
	k.partial = make([]float32, (k.subtrees-1)*k.size)
	return k
}

// cutForPlaces chooses the size of a task's block so that its sums of products, of so many places, stay within a budget.
// About square blocks need the fewest transforms for their products.
func (k *kernelGrad) cutForPlaces(places, budget int) {
	k.channels, k.perTask = k.geometry.bigC, k.panels
	for places*k.rows()*k.width() > budget && k.channels > wholeVectors {
		if k.channels >= k.width() || k.perTask == 1 {
			k.channels = (k.channels/2 + wholeVectors - 1) / wholeVectors * wholeVectors
		} else {
			k.perTask = (k.perTask + 1) / 2
		}
	}
}

// rows is how many big channels a task's tiles of the matrix kernel have, those past the last included.
func (k *kernelGrad) rows() int { return k.groups() * k.set.OuterRows }

// groups is how many tiles of the matrix kernel a task's big channels take.
func (k *kernelGrad) groups() int { return (k.channels + k.set.OuterRows - 1) / k.set.OuterRows }

// groupsOf is how many a block's channels take: fewer in the last one, behind whose images nothing lies.
func (k *kernelGrad) groupsOf(block part) int {
	return (block.lastChannel - block.firstChannel + k.set.OuterRows - 1) / k.set.OuterRows
}

// width is how many small channels a task's panels have, those past the last included.
func (k *kernelGrad) width() int { return k.perTask * k.set.Lanes }

func (k *kernelGrad) tile() int { return k.set.OuterRows * k.set.Lanes }

// sumsSize is how many values the sums of a task take.
func (k *kernelGrad) sumsSize() int { return k.geometry.taps() * k.rows() * k.width() }

// blocks is how many parts the gradient is cut into.
func (k *kernelGrad) blocks() int { return k.bigBlocks() * k.smallBlocks() }

// bigBlocks and smallBlocks are how many parts the big channels and the small ones are cut into.
func (k *kernelGrad) bigBlocks() int   { return (k.geometry.bigC + k.channels - 1) / k.channels }
func (k *kernelGrad) smallBlocks() int { return (k.panels + k.perTask - 1) / k.perTask }

// part is a block of a gradient: some panels of small channels and some big channels.
type part struct{ firstPanel, lastPanel, firstChannel, lastChannel int }

func (k *kernelGrad) part(block int) part {
	panel, channel := block/k.bigBlocks()*k.perTask, block%k.bigBlocks()*k.channels
	return part{panel, min(panel+k.perTask, k.panels), channel, min(channel+k.channels, k.geometry.bigC)}
}

// scratchSize is how many values a worker needs.
func (k *kernelGrad) scratchSize() int {
	return k.levels*k.sumsSize() + k.way.scratchSize()
}

// call computes the gradient. Where small is z of a passing stage, below is that stage.
func (k *kernelGrad) call(grad, big, small []float32, below *stage, slices [][]span) {
	k.grad, k.big, k.small, k.below, k.slices = grad, big, small, below, slices
	if k.filter != nil && k.filter.wide {
		k.filter.callWide()
	} else {
		k.pool.do(k, k.subtrees*k.blocks())
	}
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
	// The blocks of a subtree one after the other: its images are still in a cache.
	subtree, block := task/k.blocks(), k.part(task%k.blocks())
	size := k.sumsSize()
	stack, scratch := cut(k.scratch[worker], k.levels*size)
	depth := 0
	for s := range k.perTree {
		sums := stack[depth*size:][:size]
		k.way.slice(sums, scratch, block, subtree*k.perTree+s)
		depth++
		for done := s + 1; done%2 == 0; done /= 2 { // a subtree is complete
			depth--
			k.set.Add(stack[(depth-1)*size:][:size], stack[depth*size:][:size])
		}
	}
	k.way.store(k.of(subtree), stack, block)
}

// pack puts a panel of count small images, from number lo on, together: apart, its pixels would fall on few lines of the
// cache and push each other out.
func (k *kernelGrad) pack(to []float32, lo, panel, count int) {
	lanes, channels := k.set.Lanes, k.geometry.smallC
	first, pixels := panel*lanes, count*k.geometry.smallH*k.geometry.smallW
	from := k.small[lo*k.geometry.smallSize()+first:]
	if k.below != nil {
		k.below.remake(to, from, first, lanes, pixels)
		return
	}
	width := min(lanes, channels-first)
	if width < lanes {
		clear(to[:pixels*lanes])
	}
	k.set.CopyRows(to, lanes, from, channels, width, pixels)
}

// smalls returns small images from number lo on, count of them made in memory where they are not there: all their channels, for
// each block again, of which there is mostly one.
func (k *kernelGrad) smalls(memory []float32, lo, count int) []float32 {
	images := k.small[lo*k.geometry.smallSize():]
	if k.below == nil {
		return images
	}
	k.below.remake(memory, images, 0, k.geometry.smallC, count*k.geometry.smallH*k.geometry.smallW)
	return memory
}

// incoming is what a block reads of count images from number lo on.
func (k *kernelGrad) incoming(lo, count int, block part) incoming {
	g, channels := k.geometry, block.lastChannel-block.firstChannel
	if k.window != nil {
		g, channels = k.window.images, k.window.images.bigC
	}
	big, small := g.bigH*g.bigW, g.smallH*g.smallW
	first := block.firstPanel * k.set.Lanes
	return incoming{parts: [...]lines{
		newLines(k.small, lo*small, count*small, g.smallC, first, min(block.lastPanel*k.set.Lanes, g.smallC)-first),
		newLines(k.big, lo*big, count*big, g.bigC, block.firstChannel, channels),
	}}
}

// storeTaps writes sums, by panel, tap and group of big channels, to a gradient. Taps come in the given order, again and again.
func (k *kernelGrad) storeTaps(grad, sums []float32, block part, order []int) {
	g, at := k.geometry, 0
	for panel := block.firstPanel; panel < block.lastPanel; panel++ {
		first := panel * k.set.Lanes
		lanes := min(k.set.Lanes, g.smallC-first)
		for t := range g.taps() {
			tap := t - t%len(order) + order[t%len(order)]
			k.set.CopyRows(grad[(tap*g.bigC+block.firstChannel)*g.smallC+first:], g.smallC, sums[at:], k.set.Lanes,
				lanes, block.lastChannel-block.firstChannel)
			at += k.groups() * k.tile()
		}
	}
}

func cut(memory []float32, size int) (first, rest []float32) { return memory[:size], memory[size:] }

// treeJob adds the subtrees' gradients along the tree over them.
type treeJob struct{ k *kernelGrad }

const treeTask = 1 << 12 // values a task

func (j *treeJob) run(_, task int) {
	k := j.k
	lo, hi := task*treeTask, min((task+1)*treeTask, k.size)
	for distance := 1; distance < k.subtrees; distance *= 2 {
		for left := 0; left < k.subtrees; left += 2 * distance {
			k.set.Add(k.of(left)[lo:hi], k.of(left + distance)[lo:hi])
		}
	}
}
