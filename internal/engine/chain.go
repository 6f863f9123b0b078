package engine

// chain is stages that inference goes through one behind the other for a few images at a time: what lies between them
// stays in a core's cache and never goes to memory.
type chain struct {
	stages []*stage
	most   int // images of a block
	block  int // of the call in hand
	x      []float32
	images int
}

// chainWeights is how many weights a stage of a chain may have: they are read again for every block.
const chainWeights = 4 << 20 / 4

// link joins stages to chains.
func (n *Network) link() {
	for first := 0; first < len(n.stages); {
		last := first
		for last < len(n.stages) && n.stages[last].chains() {
			last++
		}
		if last-first > 1 {
			n.chain(n.stages[first:last])
		}
		first = max(last, first+1)
	}
}

// chains reports whether a stage can be part of a chain.
func (s *stage) chains() bool {
	if s.forward == nil || s.forward.winograd != nil && s.forward.winograd.wide {
		return false
	}
	return len(s.kernel.Data) <= chainWeights
}

func (n *Network) chain(stages []*stage) {
	// A worker's block lies where its own part of the outputs' buffers is.
	most := n.batch / n.pool.threads
	for _, s := range stages {
		most = min(most, s.forward.most)
	}
	if most > 0 {
		stages[0].chain = &chain{stages: stages, most: most}
	}
}

// call computes the output of the last stage from the input of the first.
func (c *chain) call(x []float32, images int) {
	c.x, c.images = x, images
	pool := c.stages[0].n.pool
	c.block = min(c.most, (images+pool.threads-1)/pool.threads)
	for _, s := range c.stages {
		s.forward.add(s.bias.Data)
		if s.norm != nil {
			s.norm.fixed()
		}
	}
	pool.do(c, (images+c.block-1)/c.block)
}

func (c *chain) run(worker, task int) {
	lo := task * c.block
	images := min(c.block, c.images-lo)
	from := c.x[lo*c.stages[0].inSize:]
	for i, s := range c.stages {
		to := s.y[worker*c.block*s.size:]
		if i == len(c.stages)-1 {
			to = s.y[lo*s.size:]
		}
		s.forward.compute(worker, to, from, images)
		s.finish(to[:images*s.size])
		from = to
	}
}
