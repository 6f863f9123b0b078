package engine

// blocks cuts a call's images into tasks. Each thread has the same images, or all but one, in the same number of blocks, so that
// all are done at about the same time and in every call a thread begins with the images that it had in the one before.
type blocks struct{ images, size, threads, each int }

// newBlocks cuts images into blocks of at most size.
func newBlocks(images, size, threads int) blocks {
	threads = min(threads, images)
	return blocks{images, size, threads, ((images+threads-1)/threads + size - 1) / size}
}

func (b blocks) count() int { return b.threads * b.each }

// first returns the first image of block i; behind the last, the number of images. The last block of a thread's may be smaller
// than others or empty.
func (b blocks) first(i int) int {
	if i >= b.count() {
		return b.images
	}
	lo, hi := share{i / b.each, b.threads}.of(b.images)
	return min(lo+i%b.each*b.size, hi)
}

// behind returns the first image of the block that a thread probably has after block i, the number of images if it has none.
func (b blocks) behind(i int) int {
	_, end := share{i / b.each, b.threads}.of(b.images)
	if next := b.first(i + 1); next < end {
		return next
	}
	return b.images
}

// blockJob does a step for some images, a block a task.
type blockJob struct {
	step   func(lo, hi int)
	first  int
	blocks blocks
}

// blocksOfThread is in how many blocks a thread has its images, where nothing else says how large they are.
const blocksOfThread = 4

// call does it for images lo to hi-1, if it is not nil.
func (j *blockJob) call(pool *Pool, step func(lo, hi int), lo, hi int) {
	if step == nil {
		return
	}
	j.step, j.first = step, lo
	j.blocks = newBlocks(hi-lo, pool.blockSize(hi-lo), pool.threads)
	pool.do(j, j.blocks.count())
}

func (j *blockJob) run(_, task int) {
	if lo, hi := j.blocks.first(task), j.blocks.first(task+1); lo < hi {
		j.step(j.first+lo, j.first+hi)
	}
}

// blockSize is how many images a block has then.
func (p *Pool) blockSize(images int) int {
	blocks := blocksOfThread * p.threads
	return (images + blocks - 1) / blocks
}
