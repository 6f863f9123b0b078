package engine

// blocks cuts a call's images into tasks: whole blocks, as many as all threads can have alike, and then the rest in equal
// parts, so that all are done at about the same time.
type blocks struct{ images, size, whole, parts int }

// newBlocks cuts images into blocks of at most size.
func newBlocks(images, size, threads int) blocks {
	whole := images / size / threads * threads
	return blocks{images, size, whole, min(threads, images-whole*size)}
}

func (b blocks) count() int { return b.whole + b.parts }

// first returns the first image of block i; behind the last, the number of images.
func (b blocks) first(i int) int {
	switch {
	case i <= b.whole:
		return i * b.size
	case i >= b.count():
		return b.images
	}
	start := b.whole * b.size
	return start + (i-b.whole)*(b.images-start)/b.parts
}
