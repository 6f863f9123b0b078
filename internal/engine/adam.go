package engine

import (
	"math"
	"sync/atomic"
)

// Adam is the settings of the optimizer (Kingma, Ba 2015, as Keras computes it). The rate at iteration i, counted from
// 0, is Rate / (1 + Decay·i).
type Adam struct{ Rate, Beta1, Beta2, Epsilon, Decay float64 }

// adamJob is one step of Adam over a network's trainable weights.
type adamJob struct {
	n                           *Network
	rate, keep1, keep2, epsilon float32
	bad                         atomic.Bool
}

const adamTask = 1 << 14 // weights a task

func (j *adamJob) run(_, task int) {
	lo := task * adamTask
	hi := min(lo+adamTask, len(j.n.weights))
	if !j.n.set.Adam(j.n.weights[lo:hi], j.n.grads[lo:hi], j.n.m[lo:hi], j.n.v[lo:hi], j.rate, j.keep1, j.keep2, j.epsilon) {
		j.bad.Store(true)
	}
}

// Update makes one step of Adam with the gradients of the last Backward. It reports whether the weights and both moments
// are finite numbers then.
func (n *Network) Update(a Adam) (finite bool) {
	t := float64(n.Iteration + 1)
	rate := a.Rate / (1 + float64(a.Decay*float64(n.Iteration)))
	n.adam.rate = float32(float64(rate*math.Sqrt(1-power(a.Beta2, t))) / (1 - power(a.Beta1, t)))
	n.adam.keep1, n.adam.keep2 = float32(1-a.Beta1), float32(1-a.Beta2)
	n.adam.epsilon = float32(a.Epsilon)
	n.adam.bad.Store(false)
	n.pool.do(&n.adam, (len(n.weights)+adamTask-1)/adamTask)
	n.Iteration++
	n.Load()
	return !n.adam.bad.Load()
}

// power returns base to a whole exponent by repeated squaring, the same on every machine.
func power(base, exponent float64) float64 {
	result := 1.0
	for e := int(exponent); e > 0; e >>= 1 {
		if e&1 == 1 {
			result = float64(result * base)
		}
		base = float64(base * base)
	}
	return result
}
