package engine

import (
	"runtime"
	"sync/atomic"

	"dcgan/internal/kernel"
)

// Pool runs jobs on a fixed number of goroutines. It is not for use by several callers at once.
type Pool struct {
	threads int
	job     job
	shares  []taskShare // a worker each, or fewer where there are fewer tasks
	sharing int         // how many of these the job in hand has
	lists   []lists     // a worker each
	memory  [][]float32
	each    eachJob

	spins   int          // looks at a counter before a goroutine sleeps until it changes
	round   atomic.Int64 // counts jobs; closed ends the workers
	working atomic.Int64 // workers that have not done with the job
	closed  bool
	workers []gate
	caller  gate
}

// taskShare is the tasks of a job that a worker begins with: as many as any other has, one behind the other. So it mostly
// finds what it wrote itself in the job before, in its own caches: cores need not share any.
type taskShare struct {
	next atomic.Int64
	end  int64
	_    [cacheLine]float32 // so that no two workers write to one line
}

// lists is a worker's memory for the offsets that kernels take. A function's own arrays would be allocated on the heap at
// every call, since kernels are called through a Set.
type lists struct {
	rows [2 * kernel.MaxRows]int
	outs [kernel.MaxRows]int
	_    [cacheLine]float32 // so that no two workers write to one line
}

// reserve makes sure that each worker has memory for size values. It holds nothing from one task to the next: what all of a
// worker's tasks write again and again stays in its core's cache.
func (p *Pool) reserve(size int) {
	if size <= len(p.memory[0]) {
		return
	}
	for worker := range p.memory {
		p.memory[worker] = kernel.Buffer(size)
	}
}

// job is work in numbered tasks that may run in any order. What a task computes must not depend on the worker, which
// only tells it whose scratch memory to use.
type job interface{ run(worker, task int) }

// spins of a pool whose threads have a processor each: some tenths of a millisecond, which is longer than one thread works
// alone between two jobs. The system may take as long to wake a thread.
const spins = 1 << 20

// NewPool starts threads-1 goroutines; the caller of a job is the first worker. Close ends them.
func NewPool(threads int) *Pool {
	p := &Pool{
		threads: threads, shares: make([]taskShare, threads), lists: make([]lists, threads), memory: make([][]float32, threads),
		workers: make([]gate, threads), caller: newGate(),
	}
	if threads <= runtime.GOMAXPROCS(0) {
		p.spins = spins
	}
	for worker := 1; worker < threads; worker++ {
		p.workers[worker] = newGate()
		go func() {
			for round := int64(0); ; round++ {
				p.workers[worker].await(&p.round, round, p.spins)
				if p.closed {
					return
				}
				p.work(worker)
				p.working.Add(-1)
				p.caller.open()
			}
		}()
	}
	return p
}

// Close ends the pool's goroutines.
func (p *Pool) Close() {
	p.closed = true
	p.wake()
}

func (p *Pool) wake() {
	p.round.Add(1)
	for worker := 1; worker < p.threads; worker++ {
		p.workers[worker].open()
	}
}

// gate is where one goroutine waits for a counter to change: it looks for a while, then sleeps.
type gate struct {
	asleep atomic.Bool
	wake   chan struct{}
}

func newGate() gate { return gate{wake: make(chan struct{}, 1)} }

// await waits until the counter is no longer old. Whoever changes it calls open.
func (g *gate) await(counter *atomic.Int64, old int64, spins int) {
	for range spins {
		if counter.Load() != old {
			return
		}
	}
	for counter.Load() == old { // a late open, meant for an earlier change, wakes for nothing
		g.asleep.Store(true)
		if counter.Load() != old && g.asleep.CompareAndSwap(true, false) {
			return
		}
		<-g.wake
	}
}

func (g *gate) open() {
	if g.asleep.CompareAndSwap(true, false) {
		g.wake <- struct{}{}
	}
}

// Threads returns the number of workers.
func (p *Pool) Threads() int { return p.threads }

// do runs all tasks of a job and returns when they are done.
func (p *Pool) do(j job, tasks int) {
	if tasks == 0 {
		return
	}
	p.job = j
	p.sharing = min(p.threads, tasks)
	for worker := range p.sharing {
		lo, hi := share{worker, p.sharing}.of(tasks)
		p.shares[worker].next.Store(int64(lo))
		p.shares[worker].end = int64(hi)
	}
	if p.threads == 1 || tasks == 1 {
		p.work(0)
	} else {
		p.working.Store(int64(p.threads - 1))
		p.wake()
		p.work(0)
		for left := p.working.Load(); left != 0; left = p.working.Load() {
			p.caller.await(&p.working, left, p.spins)
		}
	}
	p.job = nil
}

// Each calls f with 0 to n-1, in any order and from several goroutines.
func (p *Pool) Each(n int, f func(i int)) {
	p.each.f = f
	p.do(&p.each, n)
}

type eachJob struct{ f func(i int) }

func (j *eachJob) run(_, task int) { j.f(task) }

// work runs a worker's share of the tasks, and then what is left of the others'.
func (p *Pool) work(worker int) {
	for i := range p.sharing {
		s := &p.shares[(worker+i)%p.sharing]
		for s.next.Load() < s.end {
			task := s.next.Add(1) - 1
			if task >= s.end {
				break
			}
			p.job.run(worker, int(task))
		}
	}
}
