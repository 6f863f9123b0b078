package main

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dcgan/internal/fault"
)

// nth returns the n-th call, counted from 1, of a kind on files of a name.
func (k *killed) nth(t *testing.T, n int, kind, name string) int {
	t.Helper()
	for i, c := range k.calls {
		if c.Kind == kind && strings.Contains(filepath.Base(c.Path), name) {
			if n--; n == 0 {
				return i
			}
		}
	}
	t.Fatalf("there is no such %s of %s", kind, name)
	return 0
}

// TestSignals has signals come at the end of a step and within a save: the save is finished, and no further step made. A
// second signal ends a save that hangs, and the next run clears away what it leaves.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be sent Ctrl-C here")
	}
	k := newKilled(t)
	step7 := k.nth(t, 7, fault.Write, "metrics.jsonl") // a line a step
	step6 := k.nth(t, 1, fault.HalfWrite, "00000006.safetensors")
	for _, test := range []struct {
		what       string
		call, step int
	}{{"interrupt", step7, 7}, {"terminate", step7, 7}, {"interrupt", step6, 6}, {"terminate", step6, 6}} {
		dir := filepath.Join(t.TempDir(), "runs", "r")
		status, text := strike(t, test.what, test.call, k.on(dir))
		step := newest(t, dir)
		if status != statusStopped || step != test.step || !strings.Contains(text, fmt.Sprintf("dcgan: stopped after step %d, saved ", step)) {
			t.Errorf("%s in step %d: status %d, a checkpoint of step %d, %s", test.what, test.step, status, step, text)
		}
		k.goOn(t, dir)
	}

	dir := filepath.Join(t.TempDir(), "runs", "r")
	status, text := strike(t, "twice", step6, k.on(dir))
	if left := temporary(t, dir); status != statusStopped || newest(t, dir) != 3 || len(left) != 1 {
		t.Errorf("a second signal: status %d, a checkpoint of step %d, left %v, %s", status, newest(t, dir), left, text)
	}
	k.goOn(t, dir)
}

// TestOneWriter has a second training on a run folder be refused while the first one lives, and the readers not.
func TestOneWriter(t *testing.T) {
	k := newKilled(t)
	dir := t.TempDir()
	first := command(t, dir, append(k.on("r"), "--steps", "1000000")...)
	go io.Copy(io.Discard, await(t, first, fmt.Sprintf("%d [D loss", 2*killEvery))) // so that it does not wait for a reader
	says := fmt.Sprintf("r is in use by process %d", first.Process.Pid)
	wantError(t, call(t, dir, k.on("r")...), statusInput, says)
	wantError(t, call(t, dir, append(k.on("r"), "--resume")...), statusInput, says)
	wantError(t, call(t, dir, "train", "--resume", "--run", "r"), statusInput, says)
	wantDone(t, call(t, dir, "train", "--resume", "--run", "r", "--dry-run"), "")
	for _, args := range []string{"runs .", "summary r", "sample r --out x.png"} {
		if got := call(t, dir, strings.Fields(args)...); got.status != 0 || slices.Contains(strings.Fields(got.stdout), "damaged") {
			t.Errorf("%s: %+v", args, got)
		}
	}
	first.Process.Kill()
	first.Wait()
	wantDone(t, call(t, dir, append(k.on("r"), "--resume", "--steps", fmt.Sprint(newest(t, filepath.Join(dir, "r"))+1))...), "r is at step")
}
