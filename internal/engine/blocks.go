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
	if (i+1)%b.each == 0 {
		return b.images
	}
	return b.first(i + 1)
}
