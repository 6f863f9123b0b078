package engine

// fewJob is how inference goes through a stage with fewer images than threads: they share the work of each image.
type fewJob struct {
	s      *stage
	x      []float32
	parts  int
	finish bool // what its weights give is there
}

// shares reports whether threads can share the work of an image.
func (s *stage) shares() bool {
	return s.forward != nil && !s.forward.wide()
}

func (j *fewJob) call(s *stage, x []float32, images int) {
	pool := s.n.pool
	*j = fewJob{s: s, x: x, parts: (pool.threads + images - 1) / images}
	s.forward.add(s.bias.Data)
	if s.norm != nil {
		s.norm.fixed()
	}
	pool.do(j, images*j.parts)
	j.finish = true
	pool.do(j, images*j.parts)
}

func (j *fewJob) run(worker, task int) {
	s := j.s
	image, share := task/j.parts, share{task % j.parts, j.parts}
	y := s.y[image*s.size:][:s.size]
	if j.finish {
		lo, hi := share.of(s.pixels)
		s.finish(y[lo*s.channels:hi*s.channels], 0, s.channels)
	} else {
		s.forward.compute(worker, y, j.x[image*s.inSize:], arrivals{targets: y}, 1, share)
	}
}
