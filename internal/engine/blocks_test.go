package engine

import "testing"

// TestBlocks holds that blocks cover all images in order, none larger than asked for, and that no thread gets more than
// one image more than another.
func TestBlocks(t *testing.T) {
	for images := 1; images < 80; images++ {
		for size := 1; size < 12; size++ {
			for threads := 1; threads < 7; threads++ {
				b := newBlocks(images, size, threads)
				shares := make([]int, b.threads)
				for i := range b.count() {
					n := b.first(i+1) - b.first(i)
					if n < 0 || n > size {
						t.Fatalf("%d images by %d for %d threads: block %d has %d", images, size, threads, i, n)
					}
					shares[i/b.each] += n
					want := images // for the next block would be another thread's, or empty
					if (i+1)%b.each != 0 && b.first(i+2) > b.first(i+1) {
						want = b.first(i + 1)
					}
					if behind := b.behind(i); behind != want {
						t.Fatalf("%d images by %d for %d threads: behind block %d comes image %d, not %d", images, size, threads, i, behind, want)
					}
				}
				if b.first(0) != 0 || b.first(b.count()) != images || b.first(b.count()+threads) != images {
					t.Fatalf("%d images by %d for %d threads: not all in blocks", images, size, threads)
				}
				least, most := images, 0
				for _, share := range shares {
					least, most = min(least, share), max(most, share)
				}
				if most > least+1 {
					t.Fatalf("%d images by %d for %d threads: shares %v", images, size, threads, shares)
				}
			}
		}
	}
}
