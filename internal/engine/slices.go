package engine

// span is images lo to hi-1.
type span struct{ lo, hi int }

// slices cuts a batch for the sums over it. There are S of them, the largest power of two ≤ n/32, at least 1 and at most
// 64, n being the images of one part; slice s has images ⌊s·n/S⌋ to ⌊(s+1)·n/S⌋−1 of each of parts parts of n images,
// that lie one behind the other. D's batch has two parts of half the images, and as many slices as G's batch.
//
// Every sum over the batch is taken slice by slice, images in order, and then along the balanced binary tree over the
// slices, whatever the number of threads or machines.
func slices(batch, parts int) [][]span {
	count := 1
	for count < maxSlices && 2*count <= batch/32 {
		count *= 2
	}
	n := batch / parts
	all := make([][]span, count)
	for s := range all {
		for part := range parts {
			one := span{part*n + s*n/count, part*n + (s+1)*n/count}
			if one.hi > one.lo {
				all[s] = append(all[s], one)
			}
		}
	}
	return all
}

// mostImages is how many images a slice has at the most.
func mostImages(slices [][]span) int {
	most := 0
	for _, slice := range slices {
		images := 0
		for _, s := range slice {
			images += s.hi - s.lo
		}
		most = max(most, images)
	}
	return most
}

// treeSum adds S values, a power of two of them, along the balanced binary tree: it adds neighbours until one is left.
func treeSum(values []float64) float64 {
	for len(values) > 1 {
		for i := range len(values) / 2 {
			values[i] = values[2*i] + values[2*i+1]
		}
		values = values[:len(values)/2]
	}
	return values[0]
}
