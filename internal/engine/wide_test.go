package engine

import (
	"testing"

	"dcgan/internal/kernel"
)

// TestWideChunks holds images of a batch that is too large to be transformed at once against the same ones alone.
func TestWideChunks(t *testing.T) {
	const batch = 90
	g := geometry{9, 9, 300, 9, 9, 40, 3, 1}
	set := &kernel.Variants[len(kernel.Variants)-1]
	tr := newTransfer(set, newPool(t, 3), g, true, true)
	if chunks := (batch + tr.winograd.maxImages() - 1) / tr.winograd.maxImages(); !tr.wide() || chunks < 2 {
		t.Fatalf("wide %v, %d chunks: the test needs several of a wide transfer", tr.wide(), chunks)
	}
	tr.wideMemory = kernel.Buffer(tr.winograd.wideSize(batch))
	tr.load(padded(1, g.taps()*g.bigC*g.smallC))
	x, all, alone := padded(2, batch*tr.sourceSize), padded(0, batch*tr.targetSize), padded(0, tr.targetSize)
	finished := make([]bool, batch)
	then := func(lo, hi int) {
		for i := lo; i < hi; i++ {
			finished[i] = true
		}
	}
	tr.call(targets{images: all, then: then}, sources{images: x}, nil, batch)
	for i := range batch {
		if !finished[i] {
			t.Fatalf("image %d was not finished", i)
		}
		tr.call(targets{images: alone}, sources{images: x[i*tr.sourceSize:]}, nil, 1)
		if at := firstDifference(all[i*tr.targetSize:][:tr.targetSize], alone[:tr.targetSize]); at >= 0 {
			t.Fatalf("image %d differs at value %d", i, at)
		}
	}
}
