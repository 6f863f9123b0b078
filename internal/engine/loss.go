package engine

import "dcgan/internal/numeric"

// CrossEntropy returns the loss of logits, one an image, against targets, and writes its gradient. For a logit x and a
// target t the loss is max(x, 0) − x·t + log1p(e^−|x|), not clipped, and its gradient (p − t)/n, p being the sigmoid of x.
// Targets may lie outside [0, 1]; above 1 the loss can be negative. The sum is taken as slices says.
func (n *Network) CrossEntropy(gradient, logits, targets []float32) float64 {
	var sums [maxSlices]float64
	batch := float64(len(logits))
	for s, slice := range n.slices {
		for _, images := range slice {
			for i := images.lo; i < images.hi; i++ {
				x, t := float64(logits[i]), float64(targets[i])
				size := x
				if x < 0 {
					size = -x
				}
				e := numeric.Exp(-size)
				sums[s] += max(x, 0) - float64(x*t) + numeric.Log1p(e)
				gradient[i] = float32((numeric.Sigmoid(x) - t) / batch)
			}
		}
	}
	return treeSum(sums[:len(n.slices)]) / batch
}
