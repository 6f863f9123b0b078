// Package engine computes networks on the CPU: forward, gradients, and steps of Adam.
//
// Images lie as N, H, W, C. All memory is planned when a network is made, and nothing is allocated afterwards. What is
// computed is a function of the numbers that go in alone: threads share work whose parts do not depend on each other,
// and sums over the batch are taken as slices says.
package engine

import (
	"dcgan/arch"
	"dcgan/internal/input"
	"dcgan/internal/kernel"
	"dcgan/internal/random"
)

// Mode is how a network computes.
type Mode int

const (
	Inference Mode = iota // moving statistics, no dropout
	Training              // the batch's statistics, which move the moving ones, and dropout by the masks
)

// Tensor is one weight, and for a trainable one in training its gradient and Adam's moments, all in Keras' layout.
type Tensor struct {
	arch.Tensor
	Data       []float32
	Grad, M, V []float32
}

// Network is a network with its weights and its memory for a batch.
type Network struct {
	Arch      arch.Network
	Tensors   []*Tensor // in Keras' order
	Iteration int       // steps of Adam so far

	set     *kernel.Set
	pool    *Pool
	batch   int
	slices  [][]span
	stages  []*stage
	inSize  int
	outSize int

	weights, grads, m, v []float32 // of all trainable tensors
	dy                   [2][]float32
	adam                 adamJob
	maskJob              maskJob
	few                  fewJob

	learning bool // gradients of weights are wanted
}

// Plan is what a network is made for.
type Plan struct {
	Set      *kernel.Set
	Pool     *Pool
	Batch    int // images of a call at the most; in training, of every call
	Parts    int // equal parts of a training batch that are sliced alike: 2 for a batch of real and generated images
	Training bool
}

// New plans the memory of a network. Its weights are zeros, its moving variances too.
func New(a arch.Network, plan Plan) (*Network, error) {
	shapes, err := a.Shapes()
	if err != nil {
		return nil, err
	}
	n := &Network{Arch: a, set: plan.Set, pool: plan.Pool, batch: plan.Batch, inSize: a.Input.Size(), outSize: a.Output().Size()}
	n.slices = slices(plan.Batch, max(1, plan.Parts))
	n.adam.n, n.maskJob.n = n, n
	n.tensors(a, plan.Training)
	if err := n.compile(a, shapes, plan.Training); err != nil {
		return nil, err
	}
	n.link()
	n.plan(plan.Training)
	for _, s := range n.stages {
		s.steps = steps{
			fixed: s.fixed, fixedColumns: s.fixedColumns, training: s.training, normed: s.normed, again: s.again,
			pointwiseBack: s.pointwiseBack, normBack: s.normBack,
			statistics: s.statistics, normGradients: s.normGradients, columnsBack: s.columnsBack, biasGradient: s.biasGradient,
		}
	}
	return n, nil
}

// align is what tensors start at a multiple of, in values: a line of cache.
const align = 16

func (n *Network) tensors(a arch.Network, training bool) {
	place, size := []int{}, 0
	for _, t := range a.Tensors() {
		n.Tensors = append(n.Tensors, &Tensor{Tensor: t})
		place = append(place, size)
		if t.Trainable {
			size += (t.Shape.Size() + align - 1) / align * align
		}
	}
	arena := func() []float32 { return kernel.Buffer(size) }
	n.weights = arena()
	if training {
		n.grads, n.m, n.v = arena(), arena(), arena()
	}
	for i, t := range n.Tensors {
		if !t.Trainable {
			t.Data = make([]float32, t.Shape.Size())
			continue
		}
		part := func(of []float32) []float32 { return of[place[i]:][:t.Shape.Size()] }
		t.Data = part(n.weights)
		if training {
			t.Grad, t.M, t.V = part(n.grads), part(n.m), part(n.v)
		}
	}
}

// compile turns layers into stages: a stage takes layers as long as they come in its order.
func (n *Network) compile(a arch.Network, shapes []arch.Shape, training bool) error {
	tensor := func(layer int, which int) *Tensor {
		for i, t := range n.Tensors {
			if t.Layer == layer {
				return n.Tensors[i+which]
			}
		}
		return nil
	}
	const ( // what a stage has had
		nothing = iota
		weights
		normed
		activated
		dropped
	)
	var s *stage
	had := dropped
	shape := a.Input
	// reach makes sure that the stage in hand can take a layer of the given rank.
	reach := func(rank int) {
		if had >= rank {
			s = &stage{n: n, inSize: shape.Size()}
			n.stages = append(n.stages, s)
		}
		had = rank
	}
	for i, layer := range a.Layers {
		out := shapes[i]
		switch layer.Class {
		case arch.Dense, arch.Conv2D, arch.Conv2DTranspose:
			had = dropped
			reach(weights)
			s.channels = out[len(out)-1]
			g, down := layerGeometry(layer, shape, out)
			s.kernel, s.bias = tensor(i, 0), tensor(i, 1)
			// Long tiles lose four to seven times as much to rounding, which would show in single pixels that a generator draws: not
			// forward in a transposed convolution.
			s.forward = newTransfer(n.set, n.pool, g, down, down)
			if training {
				s.grad = newKernelGrad(n.set, n.pool, g, down, n.slices)
				s.back = newTransfer(n.set, n.pool, g, !down, true)
			}
		case arch.BatchNormalization:
			channels := shape[len(shape)-1]
			if s != nil && s.channels != channels {
				had = dropped // a Flatten or Reshape gave it other channels than the weights have
			}
			reach(normed)
			s.channels = channels
			s.norm = newNorm(channels)
			s.norm.gamma, s.norm.beta = tensor(i, 0), tensor(i, 1)
			s.norm.movingMean, s.norm.movingVariance = tensor(i, 2), tensor(i, 3)
			s.norm.momentum, s.norm.epsilon = layer.Momentum, layer.Epsilon
		case arch.LeakyReLU:
			reach(activated)
			s.activation, s.slope = leaky, float32(layer.NegativeSlope)
		case arch.Activation:
			switch layer.Function {
			case arch.ReLU:
				reach(activated)
				s.activation = leaky
			case arch.Tanh:
				reach(activated)
				s.activation = tanh
				had = dropped // tanh's gradient needs its output as it was before a dropout
			} // a sigmoid is the last layer, which the loss computes along with its own gradient
		case arch.Dropout:
			if layer.Rate > 0 {
				reach(dropped)
				s.rate = layer.Rate
			}
		}
		if s == nil { // Flatten or Reshape first
			shape = out
			continue
		}
		s.size = out.Size()
		shape = out
	}
	if len(n.stages) == 0 {
		return input.Errorf("%s: no layer computes anything", a.Name)
	}
	return nil
}

func layerGeometry(l arch.Layer, in, out arch.Shape) (g geometry, down bool) {
	switch {
	case l.Class == arch.Dense && out[0] == 1: // seen from the other side, the gradient of its kernel has a panel's lanes full
		return geometry{1, 1, 1, 1, 1, in[0], 1, 1}, false
	case l.Class == arch.Dense:
		return geometry{1, 1, in[0], 1, 1, out[0], 1, 1}, true
	}
	if l.Class == arch.Conv2D {
		return geometry{in[0], in[1], in[2], out[0], out[1], out[2], l.Kernel, l.Strides}, true
	}
	return geometry{out[0], out[1], out[2], in[0], in[1], in[2], l.Kernel, l.Strides}, false
}

// plan allocates what a batch needs.
func (n *Network) plan(training bool) {
	scratch, wide := 0, 0
	transfers := func(each func(t *transfer)) {
		for _, s := range n.stages {
			for _, t := range []*transfer{s.forward, s.back} {
				if t != nil && t.wide() {
					each(t)
				}
			}
		}
	}
	transfers(func(t *transfer) { wide = max(wide, t.winograd.wideSize(n.batch)) })
	for _, s := range n.stages {
		if s.grad != nil && s.grad.filter != nil {
			wide = max(wide, s.grad.filter.wideSize())
		}
	}
	memory := kernel.Buffer(wide)
	transfers(func(t *transfer) { t.wideMemory = memory })
	for i, s := range n.stages {
		s.passing = training && i+1 < len(n.stages) && s.passes(n.stages[i+1])
		if s.passing {
			s.y = kernel.Buffer(s.chained * n.pool.threads * s.size)
			s.blocks = make([][]float32, n.pool.threads)
			for worker := range s.blocks {
				s.blocks[worker] = kernel.Buffer(n.stages[i+1].forward.most * s.size)
			}
		} else {
			s.y = s.buffer(s.size)
		}
		if s.channels > 0 {
			s.pixels = s.size / s.channels
		}
		if training {
			s.sums = newChannelSums(n.set, n.pool, s.channels, s.pixels, n.batch, len(n.slices))
		}
		if s.norm != nil && training {
			s.z = s.buffer(s.size)
		}
		s.maskWords = (s.size + 63) / 64
		if s.activation == leaky && s.norm == nil && training {
			s.above = make([]uint64, n.batch*s.maskWords)
		}
		if s.rate > 0 && training {
			s.masks = make([]uint64, n.batch*s.maskWords)
		}
		if s.grad != nil {
			scratch = max(scratch, s.grad.scratchSize())
		}
	}
	if !training {
		return
	}
	// Backward goes from one of two buffers to the other, stage by stage.
	var sizes [2]int
	for i, s := range n.stages {
		which := (len(n.stages) - 1 - i) % 2
		sizes[which] = max(sizes[which], s.size)
	}
	for i, size := range sizes {
		n.dy[i] = kernel.Buffer(size * n.batch)
	}
	workers := make([][]float32, n.pool.threads)
	for i := range workers {
		workers[i] = kernel.Buffer(scratch)
	}
	for _, s := range n.stages {
		if s.grad != nil {
			s.grad.scratch = workers
			if s.grad.filter != nil {
				s.grad.filter.memory = memory
			}
		}
	}
}

// passes reports whether a stage's output need not be kept in training, above being the next: it is the small side of that
// one's gradient, which mostly is copied tile by tile or panel by panel anyway.
func (s *stage) passes(above *stage) bool {
	if s.norm == nil || s.rate > 0 || s.activation == tanh || s.chained == 0 || above.chained == 0 || above.grad == nil || above.grad.down || above.forward.wide() {
		return false
	}
	g := above.grad.geometry
	if above.grad.filter != nil && (g.smallH%kernel.WinogradTile != 0 || g.smallW%kernel.WinogradTile != 0) {
		return false
	}
	return g.smallC == s.channels && g.smallC%s.n.set.Lanes == 0
}

// Load makes the weights in Tensors those that the network computes with. Whoever changes them calls it.
func (n *Network) Load() {
	for i, s := range n.stages {
		if s.norm != nil {
			s.norm.isFixed = false
		}
		if s.forward == nil {
			continue
		}
		s.forward.load(s.kernel.Data)
		if n.grads != nil && (i > 0 || n.wantsInput()) {
			s.back.load(s.kernel.Data)
		}
	}
}

// wantsInput reports whether a gradient of the input may be asked for: of images, not of latents.
func (n *Network) wantsInput() bool { return len(n.Arch.Input) == 3 }

// Forward computes the output of a batch from its input, which must stay as it is until Backward is done. The result, of
// images times the output's size, is valid until the next call. The end of the input must be followed by kernel.Slack
// readable values.
func (n *Network) Forward(x []float32, images int, mode Mode) []float32 {
	var left *stage // whose normalisation is to be done yet
	for i := 0; i < len(n.stages); i++ {
		s := n.stages[i]
		if mode == Inference && images < n.pool.threads && s.shares() {
			n.few.call(s, x, images)
			x = s.y
			continue
		}
		if s.chain != nil && mode == Inference {
			s.chain.call(x, images)
			i += len(s.chain.stages) - 1
			x = n.stages[i].y
			continue
		}
		below := left
		left = nil
		if s.run(x, images, mode, below) {
			left = s
		}
		x = s.y
		if s.passing && mode == Training {
			x = s.z
		}
	}
	if left != nil {
		left.each(left.steps.normed)
	}
	return x[:images*n.outSize]
}

// OutputGradient is where the gradient of the output goes before Backward.
func (n *Network) OutputGradient(images int) []float32 { return n.dy[0][:images*n.outSize] }

// Backward goes from the gradient of the output of the last Forward in Training, in OutputGradient, back through the
// network. It sets the gradients of the weights, if asked for, and writes that of the input, of images, to dx, if it is not nil. The
// end of dx must be followed by kernel.Slack writable values.
func (n *Network) Backward(dx []float32, weights bool) {
	n.learning = weights
	at := 0
	last := n.stages[len(n.stages)-1]
	last.beginBack(n.dy[at])
	last.each(last.steps.pointwiseBack)
	for i := len(n.stages) - 1; i > 0; i-- {
		at = 1 - at
		n.stages[i].backward(n.dy[at], n.stages[i-1])
	}
	n.stages[0].backward(dx, nil)
}

// Masks returns the dropout masks of stage i, counted over those that drop, as bits of images of words each, lowest
// first, 1 for kept; nil past the last.
func (n *Network) Masks(i int) (masks []uint64, words, size int) {
	for _, s := range n.stages {
		if s.masks == nil {
			continue
		}
		if i == 0 {
			return s.masks, s.maskWords, s.size
		}
		i--
	}
	return nil, 0, 0
}

// maskJob draws the masks of one image a task.
type maskJob struct {
	n      *Network
	stream random.Stream
}

func (j *maskJob) run(_, image int) {
	layer := 0
	for _, s := range j.n.stages {
		if s.masks != nil {
			words := s.masks[image*s.maskWords:][:s.maskWords]
			j.n.set.Keep(j.stream, words, s.size, uint32(layer)<<24|uint32(image), s.rate)
			layer++
		}
	}
}

// DrawMasks draws new masks for all images of a batch; an image's are a function of the stream and its index.
func (n *Network) DrawMasks(stream random.Stream) {
	n.maskJob.stream = stream
	n.pool.do(&n.maskJob, n.batch)
}
