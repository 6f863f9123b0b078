package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dcgan"
	"dcgan/config"
	"dcgan/internal/fault"

	"github.com/spf13/cobra"
)

var kills = flag.Int("kills", 20, "how often TestKill kills a training")

// killSteps and killEvery are the steps of a training that is killed, and those between its checkpoints.
const killSteps, killEvery = 21, 3

// strikeAt in the environment makes the test binary be `dcgan train` on a disk that does something to the process just
// before a call: "kill 17" kills it before its call 17, counted from 0; "interrupt" and "terminate" send it the signal,
// and "twice" interrupts it twice.
const strikeAt = "DCGAN_TEST_STRIKE_AT"

var stops = map[string]os.Signal{"interrupt": os.Interrupt, "terminate": syscall.SIGTERM}

// onDisk is `dcgan train` with its run folder on the given disk.
func onDisk(disk dcgan.Disk, args []string) *cobra.Command {
	cmd := trainCommandOf(&trainOptions{settings: config.Default(), disk: disk})
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	return cmd
}

// trainStruck is the program of strikeAt.
func trainStruck(at string) (status int) {
	var what string
	var call int
	if _, err := fmt.Sscan(at, &what, &call); err != nil {
		panic(err)
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		panic(err)
	}
	heard := make(chan struct{})
	send := func(signal os.Signal) {
		self.Signal(signal)
		<-heard
	}
	next := 0
	disk := &fault.Disk{Before: func(fault.Call) error {
		if next++; next-1 == call {
			switch what {
			case "kill":
				self.Kill()
				select {} // until it is dead
			case "interrupt", "terminate":
				send(stops[what])
			case "twice":
				send(os.Interrupt)
				self.Signal(os.Interrupt)
				select {} // a save that never ends
			}
		}
		return nil
	}}
	cmd := onDisk(disk, os.Args[2:])
	cmd.SetErr(watch{os.Stderr, "dcgan: stopping", heard})
	err = cmd.Execute()
	if err != nil {
		say(os.Stderr, err.Error())
	}
	if errors.Is(err, dcgan.ErrStopped) {
		return statusStopped
	}
	return statusFailed // whoever strikes wants no other end
}

// watch passes on what is written, and closes seen when a line of that beginning was; it must come once.
type watch struct {
	io.Writer
	line string
	seen chan struct{}
}

func (w watch) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if bytes.HasPrefix(b, []byte(w.line)) {
		close(w.seen)
	}
	return n, err
}

// killed is a training that is killed: its arguments, what it leaves when nothing happens to it, and the calls of the disk
// that it makes then.
type killed struct {
	args  []string
	want  map[string]string
	calls []fault.Call
}

// newKilled makes a training of the smallest networks on a small file of images, and does it once, in the folder runs/r of
// one that is empty: elsewhere the calls would be others.
func newKilled(t *testing.T) *killed {
	dir := t.TempDir()
	data := filepath.Join(dir, "images")
	const header = "\x00\x00\x08\x03\x00\x00\x00\x10\x00\x00\x00\x1c\x00\x00\x00\x1c" // unsigned bytes, 16×28×28
	write(t, data, header+strings.Repeat("16 bytes of noise", 28*28)[:16*28*28])
	k := &killed{args: []string{"train", "--data", data, "--batch", "2", "--latent", "2", "--g-filters", "2,2,2,2", "--d-filters", "2",
		"--threads", "1", "--keep", "2", "--steps", strconv.Itoa(killSteps), "--save-every", strconv.Itoa(killEvery)}}
	disk := &fault.Disk{Before: func(c fault.Call) error { k.calls = append(k.calls, c); return nil }}
	cmd := onDisk(disk, k.on(filepath.Join(dir, "runs", "r"))[1:])
	cmd.SetOut(io.Discard)
	cmd.SetErr(io.Discard)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	k.want = trained(t, filepath.Join(dir, "runs", "r"))
	return k
}

func (k *killed) on(dir string) []string { return append(slices.Clone(k.args), "--run", dir) }

// writes are the calls that write a checkpoint, in their order.
var writes = []string{fault.Create, fault.Write, fault.HalfWrite, fault.Sync, fault.Close, fault.Rename, fault.SyncFolder}

// ofCheckpoints returns the calls of a kind that write checkpoints.
func (k *killed) ofCheckpoints(kind string) []int {
	var all []int
	for i, c := range k.calls {
		if of := k.calls[max(0, i-1)]; kind == fault.SyncFolder && of.Kind == fault.Rename && c.Kind == kind {
			c.Path = of.Path // the rename before it is what it brings to disk
		}
		if c.Kind == kind && strings.Contains(c.Path, ".safetensors") {
			all = append(all, i)
		}
	}
	return all
}

// goOn resumes a training and holds what it leaves to what it would have left undisturbed.
func (k *killed) goOn(t *testing.T, dir string) {
	t.Helper()
	step := newest(t, dir)
	got := call(t, t.TempDir(), append(k.on(dir), "--resume")...)
	says := fmt.Sprintf("goes on after step %d,", step)
	if step == 0 {
		says = "starting at step 0"
	}
	if got.status != 0 || step < killSteps && !strings.Contains(got.stderr, says) || strings.Contains(got.stderr, "aside") {
		t.Errorf("with a checkpoint of step %d: status %d, %s", step, got.status, got.stderr)
		return
	}
	for name, text := range trained(t, dir) {
		if text != k.want[name] {
			t.Errorf("with a checkpoint of step %d: %s differs", step, name)
		}
	}
	if left := temporary(t, dir); len(left) > 0 {
		t.Errorf("with a checkpoint of step %d: left %v", step, left)
	}
}

// temporary returns the files in a run folder that are half written.
func temporary(t *testing.T, dir string) []string {
	t.Helper()
	here, err := filepath.Glob(filepath.Join(dir, ".*.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	below, err := filepath.Glob(filepath.Join(dir, "*", ".*.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	return append(here, below...)
}

// trained reads what a run that is complete leaves: newest checkpoint, pictures, and the lines of steps, each once and in
// order, without their seconds.
func trained(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*.png"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	paths = append(paths, filepath.Join(dir, "curves.png"), filepath.Join(dir, "checkpoints", fmt.Sprintf("%08d.safetensors", killSteps)))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(path, dir)] = string(text)
	}
	text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	step := 0
	for line := range bytes.Lines(text) {
		var m dcgan.Metrics
		step++
		if err := json.Unmarshal(line, &m); err != nil || m.Step != step {
			t.Errorf("line %d of %s is %q, %v", step, dir, line, err)
		}
		m.Seconds = 0
		all["metrics"] += fmt.Sprintln(m)
	}
	if step != killSteps {
		t.Errorf("%d lines of %d steps", step, killSteps)
	}
	return all
}

// newest returns the step of the newest checkpoint in a run folder, 0 where there is none.
func newest(t *testing.T, dir string) int {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*.safetensors")) // in order
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		return 0
	}
	step, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(paths[len(paths)-1]), ".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return step
}

// killAtRandom runs the program and kills it some milliseconds after a random step. It tells whether the kill
// came before the end.
func killAtRandom(t *testing.T, random *rand.Rand, from int, args []string) bool {
	t.Helper()
	cmd := command(t, t.TempDir(), args...)
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait := random.IntN(killSteps - from)
	for lines := bufio.NewScanner(pipe); wait > 0 && lines.Scan(); {
		if strings.Contains(lines.Text(), " [D loss") {
			wait--
		}
	}
	time.Sleep(time.Duration(random.IntN(20000)) * time.Microsecond)
	cmd.Process.Kill()
	io.Copy(io.Discard, pipe)
	cmd.Wait()
	code := cmd.ProcessState.ExitCode()
	if code > 0 && runtime.GOOS != "windows" { // where that is what a kill gives
		t.Errorf("it failed by itself: status %d", code)
	}
	return code != 0
}

// strike runs the program on a disk that does something to it before a call.
func strike(t *testing.T, what string, call int, args []string) (status int, text string) {
	t.Helper()
	cmd := command(t, t.TempDir(), args...)
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%s %d", strikeAt, what, call))
	output, _ := cmd.CombinedOutput() // its status tells
	return cmd.ProcessState.ExitCode(), string(output)
}

func killAtCall(t *testing.T, call int, args []string) {
	t.Helper()
	if status, text := strike(t, "kill", call, args); status == 0 || strings.Contains(text, "dcgan: ") {
		t.Fatalf("it was to be killed at call %d: status %d, %s", call, status, text)
	}
}

// TestKill kills trainings: a third of them at a call of the disk that writes a checkpoint, a sixth at any call, the first
// of these within a line of the metrics, the others at a random moment, and one in three once more when it has gone on. Each
// then goes on to the bytes of one that nothing happened to.
func TestKill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	k := newKilled(t)
	count, found, aimed, atCall := 0, 0, 0, 0
	for count < *kills && !t.Failed() {
		dir := filepath.Join(t.TempDir(), "runs", "r")
		args := k.on(dir)
		for first := true; first || random.IntN(3) == 0 && count < *kills && newest(t, dir) < killSteps; first = false {
			switch {
			case first && 3*aimed <= count:
				calls := k.ofCheckpoints(writes[aimed%len(writes)])
				killAtCall(t, calls[random.IntN(len(calls))], args)
				aimed++
			case first && atCall == 0:
				killAtCall(t, k.nth(t, 8, fault.HalfWrite, "metrics.jsonl"), args)
				if text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl")); err != nil || bytes.HasSuffix(text, []byte("\n")) {
					t.Errorf("%v, %q: want a torn line", err, text)
				}
				atCall++
			case first && 6*atCall <= count:
				killAtCall(t, random.IntN(len(k.calls)), args)
				atCall++
			default:
				if !killAtRandom(t, random, newest(t, dir), args) {
					continue // it was faster
				}
			}
			count++
			if newest(t, dir) > 0 {
				found++
			}
			args = append(k.on(dir), "--resume")
		}
		k.goOn(t, dir)
	}
	if 2*found < count {
		t.Errorf("%d of %d kills found a checkpoint: too few to say much", found, count)
	}
	t.Logf("%d kills survived, %d at the writing of a checkpoint, %d at any call of the disk; %d found a checkpoint", count, aimed, atCall, found)
}
