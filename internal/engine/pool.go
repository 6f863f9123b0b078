package engine

import (
	"sync"
	"sync/atomic"

	"dcgan/internal/kernel"
)

// Pool runs jobs on a fixed number of goroutines. It is not for use by several callers at once.
type Pool struct {
	threads int
	job     job
	tasks   int
	next    atomic.Int64
	lists   []lists // a worker each
	each    eachJob
	wake    chan struct{}
	done    sync.WaitGroup
}

// lists is a worker's memory for the offsets that kernels take. A function's own arrays would be allocated on the heap at
// every call, since kernels are called through a Set.
type lists struct{ rows, outs [kernel.MaxRows]int }

// job is work in numbered tasks that may run in any order. What a task computes must not depend on the worker, which
// only tells it whose scratch memory to use.
type job interface{ run(worker, task int) }

// NewPool starts threads-1 goroutines; the caller of a job is the last worker. Close ends them.
func NewPool(threads int) *Pool {
	p := &Pool{threads: threads, lists: make([]lists, threads), wake: make(chan struct{}, threads)}
	for worker := 1; worker < threads; worker++ {
		go func() {
			for range p.wake {
				p.work(worker)
				p.done.Done()
			}
		}()
	}
	return p
}

// Close ends the pool's goroutines.
func (p *Pool) Close() { close(p.wake) }

// Threads returns the number of workers.
func (p *Pool) Threads() int { return p.threads }

// do runs all tasks of a job and returns when they are done.
func (p *Pool) do(j job, tasks int) {
	if tasks == 0 {
		return
	}
	p.job, p.tasks = j, tasks
	p.next.Store(0)
	helpers := min(p.threads, tasks) - 1
	p.done.Add(helpers)
	for range helpers {
		p.wake <- struct{}{}
	}
	p.work(0)
	p.done.Wait()
	p.job = nil
}

// Each calls f with 0 to n-1, in any order and from several goroutines.
func (p *Pool) Each(n int, f func(i int)) {
	p.each.f = f
	p.do(&p.each, n)
}

type eachJob struct{ f func(i int) }

func (j *eachJob) run(_, task int) { j.f(task) }

func (p *Pool) work(worker int) {
	for {
		task := int(p.next.Add(1)) - 1
		if task >= p.tasks {
			return
		}
		p.job.run(worker, task)
	}
}
