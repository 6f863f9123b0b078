package engine

import (
	"sync"
	"testing"
	"time"
)

// took is a job that notes which worker took which task, in order.
type took struct {
	mu    sync.Mutex
	tasks map[int][]int // by worker
	all   map[int]int   // how often each was taken
	wait  func(task int)
}

func (j *took) run(worker, task int) {
	j.mu.Lock()
	j.tasks[worker] = append(j.tasks[worker], task)
	j.all[task]++
	j.mu.Unlock()
	if j.wait != nil {
		j.wait(task)
	}
}

func newTook() *took { return &took{tasks: map[int][]int{}, all: map[int]int{}} }

// TestPool holds that every task is taken once, whatever their number.
func TestPool(t *testing.T) {
	for threads := 1; threads < 8; threads++ {
		pool := newPool(t, threads)
		for tasks := range 30 {
			j := newTook()
			pool.do(j, tasks)
			for task := range tasks {
				if j.all[task] != 1 {
					t.Fatalf("%d threads: task %d of %d was taken %d times", threads, task, tasks, j.all[task])
				}
			}
			if len(j.all) != tasks {
				t.Fatalf("%d threads: %d tasks were taken, not %d", threads, len(j.all), tasks)
			}
		}
	}
}

// TestPoolShares has each worker wait in its first task for the others to come, so that all have a share. They begin with their
// own, and what one that does not go on has left is done by the others.
func TestPoolShares(t *testing.T) {
	const threads, tasks = 3, 12
	pool := newPool(t, threads)
	for range 20 {
		var begun, others sync.WaitGroup
		begun.Add(threads)
		others.Add(tasks - 1)
		j := newTook()
		j.wait = func(task int) {
			if task%(tasks/threads) == 0 { // the first of a share
				begun.Done()
				begun.Wait()
			}
			if task != 0 {
				others.Done()
				return
			}
			done := make(chan struct{})
			go func() { others.Wait(); close(done) }()
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Error("nobody took what a worker had left")
			}
		}
		pool.do(j, tasks)
		for worker, list := range j.tasks {
			if list[0] != worker*tasks/threads {
				t.Errorf("worker %d began with task %d", worker, list[0])
			}
		}
		if t.Failed() {
			return
		}
	}
}
