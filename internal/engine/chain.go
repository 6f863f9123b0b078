package engine

// chain is stages that inference goes through one behind the other for a few images at a time: what lies between them
// stays in a core's cache and never goes to memory.
type chain struct {
	stages []*stage
	most   []int // images of a stage's block; a stage's blocks are parts of those of the one before
	blocks []int // of the call in hand
	tasks  blocks
	x      []float32
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
	if s.forward == nil || s.forward.wide() {
		return false
	}
	return len(s.kernel.Data) <= chainWeights
}

func (n *Network) chain(stages []*stage) {
	// A worker's block lies where its own part of the outputs' buffers is.
	most := n.batch / n.pool.threads
	if most == 0 {
		return
	}
	c := &chain{stages: stages, most: make([]int, len(stages)), blocks: make([]int, len(stages))}
	for i, s := range stages {
		most = min(most, s.forward.most)
		c.most[i], s.chained = most, most
	}
	stages[0].chain = c
}

// call computes the output of the last stage from the input of the first.
func (c *chain) call(x []float32, images int) {
	c.x = x
	pool := c.stages[0].n.pool
	for i, s := range c.stages {
		c.blocks[i] = min(c.most[i], (images+pool.threads-1)/pool.threads)
		s.forward.add(s.bias.Data)
		if s.norm != nil {
			s.norm.fixed()
		}
	}
	c.tasks = newBlocks(images, c.blocks[0], pool.threads)
	pool.do(c, c.tasks.count())
}

func (c *chain) run(worker, task int) {
	lo, hi := c.tasks.first(task), c.tasks.first(task+1)
	if lo < hi {
		c.from(worker, 0, lo, hi-lo, c.x[lo*c.stages[0].inSize:])
	}
}

// from computes images lo and on from stage i's input to the end.
func (c *chain) from(worker, i, lo, images int, x []float32) {
	s, most := c.stages[i], c.blocks[i]
	parts := (images + most - 1) / most
	block := (images + parts - 1) / parts // alike, since few images take longer each
	last := i == len(c.stages)-1
	for at := 0; at < images; at += block {
		count := min(block, images-at)
		to := s.y[worker*most*s.size:]
		if last {
			to = s.y[(lo+at)*s.size:]
		}
		s.forward.compute(worker, to, x[at*s.inSize:], arrivals{targets: to}, count, whole)
		s.finish(to[:count*s.size], 0, s.channels)
		if !last {
			c.from(worker, i+1, lo+at, count, to)
		}
	}
}
