package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"dcgan/format/npy"
)

// tiny makes a training step take milliseconds.
var tiny = []string{"train", "--batch", "2", "--g-filters", "8,8,8,8", "--d-filters", "8,8,8,8", "--threads", "1"}

func trainTiny(t *testing.T, dir string, more ...string) outcome {
	t.Helper()
	return call(t, dir, append(tiny[:len(tiny):len(tiny)], more...)...)
}

func wantDone(t *testing.T, got outcome, says string) {
	t.Helper()
	if got.status != statusDone || !strings.Contains(got.stdout, says) {
		t.Fatalf("status %d, stdout %q, stderr %q\nwant status 0 and stdout with %q", got.status, got.stdout, got.stderr, says)
	}
}

// TestRun follows a run from its first step through every verb.
func TestRun(t *testing.T) {
	dir := t.TempDir()

	before := list(t, dir)
	got := trainTiny(t, dir, "--steps", "2", "--run", "r", "--dry-run")
	wantDone(t, got, "60,000 images of 28×28×1")
	if got.stderr != "" || list(t, dir) != before {
		t.Errorf("dry run: stderr %q, files\n%s", got.stderr, list(t, dir))
	}

	got = trainTiny(t, dir, "--steps", "2", "--run", "r")
	wantDone(t, got, "sample r")
	steps := regexp.MustCompile(`(?m)^(\d+) \[D loss: -?\d+\.\d{5}, acc: [01]\.\d{3}\] \[A loss: -?\d+\.\d{5}, acc: [01]\.\d{3}\]$`)
	if found := steps.FindAllStringSubmatch(got.stderr, -1); len(found) != 2 || found[0][1] != "1" || found[1][1] != "2" {
		t.Errorf("lines of steps: %q", got.stderr)
	}
	if !strings.Contains(got.stderr, "60,000 images of 28×28×1") || strings.Contains(got.stderr, "\x1b") {
		t.Errorf("plan: %q", got.stderr)
	}

	wantError(t, trainTiny(t, dir, "--steps", "2", "--run", "r"), statusInput, "--resume")
	got = call(t, dir, "train", "--resume", "--run", "r", "--batch", "4")
	wantError(t, got, statusInput, "batch")
	for _, value := range []string{"2", "4"} {
		if !strings.Contains(got.stderr, value) {
			t.Errorf("the difference does not show %s: %q", value, got.stderr)
		}
	}
	wantDone(t, call(t, dir, "train", "--resume", "--run", "r", "--batch", "2"), "already complete")
	got = call(t, dir, "train", "--resume", "--run", "r", "--steps", "3", "--quiet")
	wantDone(t, got, "")
	if got.stdout != "" || got.stderr != "" {
		t.Errorf("quiet: %+v", got)
	}
	wantDone(t, call(t, dir, "train", "--resume", "--run", "r", "--dry-run"), "already complete: at step 3 of 3")
	got = trainTiny(t, dir, "--resume", "--run", "fresh", "--steps", "1")
	wantDone(t, got, "fresh is at step 1")
	if !strings.Contains(got.stderr, "dcgan: warning: ") {
		t.Errorf("it does not say that there was nothing to go on with: %q", got.stderr)
	}

	wantDone(t, call(t, dir, "runs", "."), "3/3")
	wantDone(t, call(t, dir, "runs", "r/"), "3/3") // the run itself
	wantDone(t, call(t, dir, "summary", "r"), "Conv2DTranspose")
	got = call(t, dir, "summary", "seed")
	wantDone(t, got, "1,558,017")
	wantDone(t, got, "1,705,601")

	checkSample(t, dir)
}

// checkSample draws with the run r in every way.
func checkSample(t *testing.T, dir string) {
	sample := func(args string) outcome {
		return call(t, dir, append([]string{"sample"}, strings.Fields(args)...)...)
	}
	wantDone(t, sample("r"), "sample.png: 25 images of 28×28×1, 5×5")
	five := decode(t, filepath.Join(dir, "sample.png")).Bounds()
	wantDone(t, sample("r --grid 2x10 --out wide.png"), "20 images")
	if wide := decode(t, filepath.Join(dir, "wide.png")).Bounds(); 10*wide.Dx() < 19*five.Dx() || 2*wide.Dy() > five.Dy() {
		t.Errorf("grids: 5x5 is %v, 2x10 is %v", five, wide)
	}

	wantDone(t, sample("r --out all.npy"), "all.npy: float32 25×28×28×1")
	wantDone(t, sample("r -n 7 --out some.npy"), "7×28×28×1")
	wantDone(t, sample("r -n 7 --seed 2 --out other.npy"), "")
	shape, all := load(t, filepath.Join(dir, "all.npy"))
	_, some := load(t, filepath.Join(dir, "some.npy"))
	_, other := load(t, filepath.Join(dir, "other.npy"))
	if len(shape) != 4 || len(all) != 25*784 || len(some) != 7*784 {
		t.Fatalf("shape %v, %d values and %d", shape, len(all), len(some))
	}
	differ := false
	for i, v := range some {
		if v != all[i] || v < -1 || v > 1 {
			t.Fatalf("value %d: %v of 7, %v of 25", i, v, all[i])
		}
		differ = differ || v != other[i]
	}
	if !differ {
		t.Error("two seeds draw the same")
	}

	wantDone(t, sample("r -n 3 --out folder/"), "folder/: 3 images")
	wantDone(t, sample("r -n 3 --walk --frames 4 --out w.gif"), "3 latents, 12 frames")
	wantDone(t, sample("r --checkpoint latest -n 1"), "")
	wantDone(t, sample("r --checkpoint 3 -n 1"), "")
	wantError(t, sample("r --checkpoint 999 -n 1"), statusInput, "999")
	wantError(t, sample("r --checkpoint x -n 1"), statusInput, "x")
	wantDone(t, sample("r/checkpoints/00000003.safetensors -n 7 --out file.npy"), "")
	if _, file := load(t, filepath.Join(dir, "file.npy")); string(bytesOf(file)) != string(bytesOf(some)) {
		t.Error("a run and its newest checkpoint draw differently")
	}

	array(t, filepath.Join(dir, "latents.npy"), 3, 100)
	array(t, filepath.Join(dir, "narrow.npy"), 3, 99)
	array(t, filepath.Join(dir, "flat.npy"), 300)
	array(t, filepath.Join(dir, "none.npy"), 0, 100)
	write(t, filepath.Join(dir, "bad.npy"), "x")
	before := list(t, dir)
	wantError(t, sample("r --latents narrow.npy --out z.npy"), statusInput, "3×99")
	wantError(t, sample("r --latents flat.npy --out z.npy"), statusInput, "N×100")
	wantError(t, sample("r --latents none.npy --out z.npy"), statusInput, "below 1")
	wantError(t, sample("r --latents bad.npy --out z.npy"), statusInput, "bad.npy")
	wantError(t, sample("r --latents nosuch.npy --out z.npy"), statusInput, "nosuch.npy")
	wantError(t, sample("r --latents latents.npy --grid 1x2 --out z.png"), statusInput, "too few for 3 images")
	if after := list(t, dir); after != before {
		t.Errorf("left:\n%s", after)
	}
	wantDone(t, sample("r --latents latents.npy --out drawn.npy"), "3×28×28×1")
}

func load(t *testing.T, path string) ([]int, []float32) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	shape, data, err := npy.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return shape, data
}

func bytesOf(values []float32) []byte {
	var text strings.Builder
	npy.Write(&text, []int{len(values)}, values)
	return []byte(text.String())
}

// TestSignal stops a training and goes on with it by the very command that it printed.
func TestSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be sent Ctrl-C here")
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		dir := t.TempDir()
		status, text := interrupt(t, dir, sig)
		lines := strings.Split(strings.TrimSpace(text), "\n")
		last := lines[len(lines)-1]
		found := regexp.MustCompile(`^dcgan: stopped after step (\d+), saved (\S+); go on with: (.*)$`).FindStringSubmatch(last)
		if status != statusStopped || found == nil {
			t.Fatalf("%v: status %d, %q", sig, status, last)
		}
		if !strings.Contains(text, "dcgan: stopping: ") {
			t.Errorf("%v: it does not say that it is stopping: %q", sig, text)
		}
		if _, err := os.Stat(filepath.Join(dir, found[2])); err != nil {
			t.Error(err)
		}
		_, words, _ := strings.Cut(found[3], " train ") // what comes before is how the test binary was called
		got := call(t, dir, append(strings.Fields("train "+words), "--steps", found[1])...)
		wantDone(t, got, "already complete: ")
	}
}

// await starts a training and reads what it tells up to a line of that beginning.
func await(t *testing.T, cmd *exec.Cmd, line string) *bufio.Reader {
	t.Helper()
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(pipe)
	for {
		text, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("it ended before %q: %v %q", line, err, text)
		}
		if strings.HasPrefix(text, line) {
			return lines
		}
	}
}

// interrupt trains, sends a signal after the second step, and returns how it ended and what it wrote from then on.
func interrupt(t *testing.T, dir string, signal os.Signal) (status int, text string) {
	t.Helper()
	cmd := command(t, dir, append(tiny[:len(tiny):len(tiny)], "--steps", "1000000", "--save-every", "1000000", "--run", "r")...)
	lines := await(t, cmd, "2 [D loss")
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(lines)
	cmd.Wait()
	return cmd.ProcessState.ExitCode(), string(rest)
}

// TestFullDisk has a result that cannot be written end with status 1.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	cmd := command(t, t.TempDir(), "summary", "seed")
	cmd.Stdout = full
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if _, ok := cmd.Run().(*exec.ExitError); !ok || cmd.ProcessState.ExitCode() != statusFailed || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("status %d, stderr %q", cmd.ProcessState.ExitCode(), stderr.String())
	}
}
