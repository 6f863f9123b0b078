package exchange

// permute returns the values of a row-major array with its axes in another order: axis i of the result is axis order[i]
// of data.
func permute(data []float32, sizes, order []int) []float32 {
	strides := make([]int, len(sizes)) // of the source, by its axes
	for i, stride := len(sizes)-1, 1; i >= 0; i-- {
		strides[i], stride = stride, stride*sizes[i]
	}
	out := make([]float32, 0, len(data))
	var fill func(axis, at int)
	fill = func(axis, at int) {
		if axis == len(order) {
			out = append(out, data[at])
			return
		}
		size, stride := sizes[order[axis]], strides[order[axis]]
		for i := range size {
			fill(axis+1, at+i*stride)
		}
	}
	fill(0, 0)
	return out
}

// permuted returns the sizes in another order.
func permuted(sizes, order []int) []int {
	out := make([]int, len(order))
	for i, axis := range order {
		out[i] = sizes[axis]
	}
	return out
}

// inverse returns the order that undoes order.
func inverse(order []int) []int {
	back := make([]int, len(order))
	for i, axis := range order {
		back[axis] = i
	}
	return back
}
