package engine

import "dcgan/internal/kernel"

// activation is what a stage applies to each value.
type activation int

const (
	linear activation = iota // a sigmoid at the end too: the network gives its logit
	leaky                    // with its slope; ReLU is slope 0
	tanh
)

// stage is a run of layers that is computed as one: a layer with weights, batch normalisation, activation and dropout,
// in this order, each but the first optional, and the first too where a network has another order.
type stage struct {
	n             *Network
	size          int // values an image
	inSize        int
	channels      int // of the weights and the normalisation; 0 without either
	pixels        int // size / channels
	kernel, bias  *Tensor
	forward, back *transfer
	grad          *kernelGrad
	norm          *norm
	activation    activation
	slope         float32
	rate          float64 // of dropout; 0 for none
	maskWords     int     // words an image
	masks         []uint64
	above         []uint64 // which values before the rectifier were above zero, as bits; nil where nobody asks
	sums          *channelSums
	chain         *chain // that this stage is the first of, nil for none
	chained       int    // images of its block in a chain, 0 where it is in none

	x []float32 // input of the last Forward, of all images
	z []float32 // before normalisation, kept in training
	y []float32 // output
	// A passing stage's output of a training batch is not kept: whoever reads it makes it again from z.
	passing bool
	below   *stage      // that x is z of, where it is passing
	blocks  [][]float32 // of a passing stage's output, one a worker

	dy     []float32 // gradient in hand
	images int
	job    blockJob
	steps  steps
}

// steps are a stage's own methods as functions, made once.
type steps struct {
	fixed, training, normed, pointwiseBack, normBack func(lo, hi int)
	again                                            func(worker, lo, hi int) []float32
	fixedColumns                                     func(lo, hi, first, last int)
	statistics, normGradients, columnsBack           func(first, second []float64, lo, hi int)
	biasGradient                                     func(first, second []float64, lo, hi int)
}

// each does a step for all images, if it is not nil.
func (s *stage) each(step func(lo, hi int)) { s.job.call(s.n.pool, step, 0, s.images) }

// run computes y from the output of the stage below, or the input of the network. Where the normalisation of the stage below
// is left to do, below is that stage. It reports whether this stage's is.
func (s *stage) run(x []float32, images int, mode Mode, below *stage) (left bool) {
	s.x, s.images, s.below = x, images, nil
	batchNorm := s.norm != nil && mode == Training
	to := targets{images: s.y, then: s.steps.fixed, columns: s.steps.fixedColumns}
	if mode == Training {
		to.then, to.columns = s.steps.training, nil
	}
	if batchNorm {
		to.images = s.z
		s.sums.begin(sumSquare, s.z)
		if s.pixels == 1 { // whose sums are taken from all values at the end
			to.then = nil
		}
	}
	if s.norm != nil && !batchNorm {
		s.norm.fixed()
	}
	from := sources{images: x}
	switch {
	case below == nil:
	case below.passing:
		s.below = below
		from.again = below.steps.again
	case s.forward == nil || s.forward.wide():
		below.each(below.steps.normed)
	default:
		from.first, from.beside = below.steps.normed, below.z
	}
	if s.forward != nil {
		s.forward.call(to, from, s.bias.Data, images)
	} else {
		copy(to.images, x[:images*s.size])
		s.each(to.then)
	}
	if batchNorm {
		s.norm.isFixed = false
		s.sums.finish(s.n.slices, s.steps.statistics)
	}
	return batchNorm
}

// fixed finishes images lo to hi-1 in inference.
func (s *stage) fixed(lo, hi int) { s.finish(s.y[lo*s.size:hi*s.size], 0, s.channels) }

// fixedColumns finishes channels first to last-1 of them, where an image has one pixel.
func (s *stage) fixedColumns(lo, hi, first, last int) {
	for i := lo; i < hi; i++ {
		s.finish(s.y[i*s.size:][first:last], first, last)
	}
}

// finish turns what a stage's weights gave for channels first to last-1 of some pixels into its output in inference, in place.
func (s *stage) finish(y []float32, first, last int) {
	slope := float32(1)
	if s.activation == leaky {
		slope = s.slope
	}
	switch {
	case s.norm != nil:
		channels := last - first
		s.n.set.Scale(y, y, s.norm.scale[first:last], s.norm.shift[first:last], slope, len(y)/channels, channels)
	case slope != 1:
		s.n.set.Leaky(y, nil, nil, slope, 1)
	}
	if s.activation == tanh {
		s.n.set.Tanh(y)
	}
}

// training finishes images lo to hi-1 in training, where a normalisation has to wait for the whole batch.
func (s *stage) training(lo, hi int) {
	if s.norm != nil {
		s.sums.images(lo, hi)
		return
	}
	if s.activation == tanh {
		s.n.set.Tanh(s.y[lo*s.size : hi*s.size])
	}
	if s.activation == leaky || s.rate > 0 {
		s.drop(lo, hi, s.leakySlope())
	}
}

// normed finishes images lo to hi-1 once the batch's statistics are known.
func (s *stage) normed(lo, hi int) {
	z, y := s.z[lo*s.size:hi*s.size], s.y[lo*s.size:hi*s.size]
	s.n.set.Scale(y, z, s.norm.scale, s.norm.shift, s.leakySlope(), (hi-lo)*s.pixels, s.channels)
	if s.activation == tanh {
		s.n.set.Tanh(y)
	}
	if s.rate > 0 {
		s.drop(lo, hi, 1)
	}
}

// again makes the outputs of images lo to hi-1 of a passing stage.
func (s *stage) again(worker, lo, hi int) []float32 {
	y := s.blocks[worker]
	s.remake(y, s.z[lo*s.size:], 0, s.channels, (hi-lo)*s.pixels)
	return y
}

// remake makes the outputs of some pixels of a passing stage, some channels of them, the first of which z starts at.
func (s *stage) remake(y, z []float32, first, channels, pixels int) {
	s.n.set.Scale(y, z, s.norm.scale[first:][:channels], s.norm.shift[first:][:channels], s.leakySlope(), pixels, s.channels)
}

func (s *stage) leakySlope() float32 {
	if s.activation == leaky {
		return s.slope
	}
	return 1
}

// keepScale is what kept values are multiplied by, so that their mean stays.
func (s *stage) keepScale() float32 { return float32(1 / (1 - s.rate)) }

// drop applies leaky rectifier and dropout to the outputs, image by image, since masks start anew with each.
func (s *stage) drop(lo, hi int, slope float32) {
	for i := lo; i < hi; i++ {
		s.n.set.Leaky(s.y[i*s.size:(i+1)*s.size], s.bits(s.above, i), s.bits(s.masks, i), slope, s.keepScale())
	}
}

// bits returns those of image i; none of none.
func (s *stage) bits(of []uint64, i int) []uint64 {
	if of == nil {
		return nil
	}
	return of[i*s.maskWords:][:s.maskWords]
}

// dropBack turns the gradient of drop's output into that of its input.
func (s *stage) dropBack(lo, hi int, slope float32) {
	if s.rate == 0 && slope == 1 {
		return
	}
	for i := lo; i < hi; i++ {
		s.n.set.LeakyBack(s.dy[i*s.size:(i+1)*s.size], s.bits(s.above, i), s.bits(s.masks, i), slope, s.keepScale())
	}
}

// beginBack tells where the gradient of the output is, for pointwiseBack.
func (s *stage) beginBack(dy []float32) {
	s.dy = dy
	if s.norm != nil {
		s.sums.beginGrads(dy, s.z, s.norm, s.leakySlope())
	} else {
		s.sums.begin(sumOnly, dy)
	}
}

// pointwiseBack turns the gradient of the output of images lo to hi-1, in place, into that of z, or with a
// normalisation into that of its output behind the rectifier.
func (s *stage) pointwiseBack(lo, hi int) {
	slope := s.leakySlope()
	if s.norm != nil {
		slope = 1 // the normalisation's own kernels apply it
	}
	s.dropBack(lo, hi, slope)
	if s.activation == tanh {
		tanhBack(s.dy[lo*s.size:hi*s.size], s.y[lo*s.size:])
	}
	if s.norm != nil || s.n.learning {
		s.sums.images(lo, hi)
	}
}

// normBack turns the gradient of the normalisation's output into that of its input.
func (s *stage) normBack(lo, hi int) {
	n := s.norm
	s.n.set.NormBack(s.dy[lo*s.size:hi*s.size], s.z[lo*s.size:], n.scale, n.shift, n.a, n.b, n.c, s.leakySlope(), (hi-lo)*s.pixels)
}

// backward goes on from dy, which pointwiseBack has turned, to the gradients of weights, if they are wanted, and of the
// input, if dx is not nil. As soon as the input's gradient of some images is done, the stage below gets it.
func (s *stage) backward(dx []float32, below *stage) {
	if s.forward != nil && s.n.learning {
		s.biasBack()
	}
	var step func(lo, hi int) // left to do with dy
	switch {
	case s.norm == nil:
	case s.pixels == 1:
		s.sums.finish(s.n.slices, s.steps.columnsBack)
	default:
		s.sums.finish(s.n.slices, s.steps.normGradients)
		step = s.steps.normBack
	}
	to := targets{images: dx}
	if below != nil {
		below.beginBack(dx)
		to.then, to.beside = below.steps.pointwiseBack, below.z
	}
	if s.forward == nil {
		s.each(step)
		if dx != nil {
			copy(dx, s.dy[:s.images*s.size])
			if to.then != nil {
				to.then(0, s.images)
			}
		}
		return
	}
	from := sources{images: s.dy, first: step, beside: s.z}
	if dx == nil || s.back.wide() {
		s.each(step)
		from.first = nil
	}
	if dx != nil {
		s.back.call(to, from, nil, s.images)
	}
	if s.n.learning {
		big, small := s.x, s.dy
		if !s.grad.down {
			big, small = s.dy, s.x
		}
		s.grad.call(s.kernel.Grad, big, small, s.below, s.n.slices)
	}
}

// statistics takes those of channels lo to hi-1 from the sums of z and z².
func (s *stage) statistics(sum, squares []float64, lo, hi int) {
	s.norm.batch(sum, squares, s.images*s.pixels, lo, hi)
}

// normGradients takes those of the normalisation's channels lo to hi-1 from the sums of d and d·z.
func (s *stage) normGradients(sum, product []float64, lo, hi int) {
	s.norm.gradients(sum, product, s.images*s.pixels, lo, hi)
}

// columnsBack does all that backward does with the normalisation's channels lo to hi-1 where an image has one pixel: a core's
// cache holds them.
func (s *stage) columnsBack(sum, product []float64, lo, hi int) {
	s.normGradients(sum, product, lo, hi)
	n := s.norm
	for i := range s.images {
		at := i*s.size + lo
		s.n.set.NormBack(s.dy[at:][:hi-lo], s.z[at:], n.scale[lo:hi], n.shift[lo:hi], n.a[lo:hi], n.b[lo:hi], n.c[lo:hi], s.leakySlope(), 1)
	}
}

// biasBack sets the gradient of the bias, from dy as pointwiseBack has turned it. Before a normalisation it is zero: what a
// bias adds to all values of a channel, their mean takes away.
func (s *stage) biasBack() {
	if s.norm != nil {
		clear(s.bias.Grad)
		return
	}
	s.sums.finish(s.n.slices, s.steps.biasGradient)
}

// biasGradient is the sums themselves.
func (s *stage) biasGradient(sum, _ []float64, lo, hi int) {
	for c := lo; c < hi; c++ {
		s.bias.Grad[c] = float32(sum[c])
	}
}

func tanhBack(dy, y []float32) {
	for i, v := range y[:len(dy)] {
		dy[i] = float32(dy[i] * float32((1-v)*(1+v)))
	}
}

func (s *stage) buffer(perImage int) []float32 {
	return kernel.Buffer(perImage * s.n.batch)
}
