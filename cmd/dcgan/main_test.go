package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"dcgan/format/npy"
)

// asProgram in the environment makes the test binary be the program.
const asProgram = "DCGAN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	switch at := os.Getenv(strikeAt); {
	case at != "":
		os.Exit(trainStruck(at))
	case os.Getenv(asProgram) != "":
		main()
	}
	os.Exit(m.Run())
}

// outcome is how a call of the program ended.
type outcome struct {
	status         int
	stdout, stderr string
}

// command prepares a call of the program in dir.
func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// call runs the program in dir.
func call(t *testing.T, dir string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := command(t, dir, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// wantError checks that a call failed with one line that holds says, and printed no result.
func wantError(t *testing.T, got outcome, status int, says string) {
	t.Helper()
	line, more, _ := strings.Cut(got.stderr, "\n")
	if got.status != status || got.stdout != "" || more != "" || !strings.HasPrefix(line, "dcgan: ") || !strings.Contains(line, says) {
		t.Errorf("status %d, stdout %q, stderr %q\nwant status %d and one line with %q", got.status, got.stdout, got.stderr, status, says)
	}
}

func list(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	return strings.Join(names, "\n")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// array writes a .npy file of zeros.
func array(t *testing.T, path string, shape ...int) {
	t.Helper()
	n := 1
	for _, d := range shape {
		n *= d
	}
	var text bytes.Buffer
	if err := npy.Write(&text, shape, make([]float32, n)); err != nil {
		t.Fatal(err)
	}
	write(t, path, text.String())
}

// TestBadArguments has every bad argument that needs no run end with status 2, one line, and no file made.
func TestBadArguments(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "no checkpoint")
	write(t, filepath.Join(dir, "keys.json"), `{"nosuch": 1}`)
	write(t, filepath.Join(dir, "types.json"), `{"batch": "x"}`)
	write(t, filepath.Join(dir, "bounds.json"), `{"batch": 3}`)
	write(t, filepath.Join(dir, "broken.json"), `{"batch": `)
	write(t, filepath.Join(dir, "short.idx"), "\x00\x00\x08\x03")
	const hostile = "file\x1b[31m\nname"
	if runtime.GOOS != "windows" { // which has no such names
		write(t, filepath.Join(dir, hostile), "")
	}
	before := list(t, dir)

	for _, test := range []struct{ args, says string }{
		{"nosuch", `unknown verb "nosuch"`},
		{"trian --steps 3", "did you mean train?"},
		{"help nosuch", `unknown verb "nosuch"`},
		{"completion nosuch", "bash, fish, powershell and zsh"},
		{"completion bash more", "more"},
		{"--nosuch", "unknown flag --nosuch"},

		{"train --nosuch", "unknown flag --nosuch: `dcgan train --help` lists the flags"},
		{"train -z", "unknown flag -z"},
		{"train word", `"word"`},
		{"train --quiet --verbose", "exclude each other"},
		{"train --quiet=perhaps", "--quiet"},
		{"train --steps", "--steps needs a value"},
		{"train --steps x", `--steps: "x" is not a whole number`},
		{"train --steps 0", "--steps: 0 is below 1"},
		{"train --batch 3", "--batch: 3 must be even"},
		{"train --batch 0", "--batch: 0 is below 2"},
		{"train --batch 1000000", "--batch: 1000000 is above"},
		{"train --recipe nosuch", `unknown recipe "nosuch"`},
		{"train --real-labels 1.2:0.7", "--real-labels: label range reversed"},
		{"train --fake-labels 0.3:0", "--fake-labels: label range reversed"},
		{"train --fake-labels 0,0.3", "is not a range LOW:HIGH"},
		{"train --noise 20:30", "--noise"},
		{"train --lr nan", "--lr: NaN is not a finite number"},
		{"train --dropout 1", "--dropout"},
		{"train --kernel 8", "--kernel: 8 is above 7"},
		{"train --g-filters 8,8", "--g-filters"},
		{"train --g-filters 8,,8", "--g-filters"},
		{"train --data nosuch.idx", "nosuch.idx"},
		{"train --data short.idx", "short.idx"},
		{"train --data file", "file"},
		{"train --init nosuch", "nosuch"},
		{"train --init a,b,c", "GENERATOR,DISCRIMINATOR"},
		{"train --init file", "file"},
		{"train --config nosuch.json", "nosuch.json"},
		{"train --config keys.json", `keys.json: "nosuch" is not a setting`},
		{"train --config types.json", `types.json: "batch" is "x", but must be a whole number`},
		{"train --config bounds.json", "3 must be even"},
		{"train --config broken.json", "broken.json: line 1"},
		{"train --dry-run --steps 0", "--steps: 0 is below 1"},
		{"train --run file", "file"},
		{"train --batch 65536 --g-filters 2048,2048,2048,2048", "65536 images a step take at least 2804.3 GB of memory"},

		{"sample", "needs a run folder, a checkpoint or a model file"},
		{"sample a b", `"b" is a second`},
		{"sample nosuch", "nosuch"},
		{"sample file", "file"},
		{"sample file --checkpoint 3", "file is a file: --checkpoint chooses"},
		{"sample nosuch --checkpoint 3", "nosuch"},
		{"sample file -n 0", "-n: 0 is below 1"},
		{"sample file -n x", `--count: "x"`},
		{"sample file -n 1000000", "-n: 1000000 is above"},
		{"sample file --seed -1", `--seed: "-1"`},
		{"sample file --grid 5", "ROWSxCOLUMNS"},
		{"sample file --grid 0x5", "ROWSxCOLUMNS"},
		{"sample file --grid 5x5x5", "ROWSxCOLUMNS"},
		{"sample file --grid 1000x1000", "more than 100000 cells"},
		{"sample file --grid 2x2 -n 5", "2x2 has 4 cells, too few for 5 images"},
		{"sample file --grid 2x2 --out x.npy", "x.npy is no grid"},
		{"sample file --out x.jpg", "do not know what to write to x.jpg"},
		{"sample file --out file", "a file with no ending"},
		{"sample file --out file/", "not a folder"},
		{"sample file --out nosuch/x.png", "there is no folder nosuch"},
		{"sample file --out=", "--out is empty"},
		{"sample file --out x.gif", "add --walk"},
		{"sample file --walk", "give a .gif file to --out"},
		{"sample file --walk --out x.gif -n 1", "at least 2 latents"},
		{"sample file --walk --out x.gif --frames 0", "--frames: 0 is below 1"},
		{"sample file --walk --out x.gif --frames 1000", "more than 10000 frames"},
		{"sample file --frames 3", "--frames is of a walk"},
		{"sample file --latents x.npy -n 3", "exclude each other"},
		{"sample file --latents x.npy --seed 3", "exclude each other"},

		{"export", "needs a run folder, a checkpoint or a model file"},
		{"export file", "--format: name what to write: "},
		{"export file --format nosuch", `unknown format "nosuch": there is `},
		{"export file --out x.nosuch", "--format: name what to write: "},
		{"export file --format safetensors --network nosuch", `unknown network "nosuch": there is generator, discriminator and both`},
		{"export file --format safetensors --network both", "name a folder"},
		{"export file --format safetensors --network both --out file", "file is a file, and two are written"},
		{"export file --format safetensors --out .", ". is a folder"},
		{"export file --format safetensors --out nosuch/x", "there is no folder nosuch"},
		{"export file --format safetensors --checkpoint 3", "--checkpoint chooses among those of a run folder"},
		{"export file --format safetensors", "file: is neither a checkpoint nor a model file"},
		{"export nosuch --format safetensors", "nosuch"},

		{"summary", "needs a run folder"},
		{"summary nosuch", "nosuch"},
		{"summary file", "file"},
		{"summary seed seed", `"seed" is a second`},

		{"runs nosuch", "there is no folder nosuch"},
		{"runs file", "file is a file"},
		{"runs a b", `"b" is a second`},
	} {
		t.Run(test.args, func(t *testing.T) {
			wantError(t, call(t, dir, strings.Split(test.args, " ")...), statusInput, test.says)
			if after := list(t, dir); after != before {
				t.Fatalf("it left files:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
	t.Run("name with an escape", func(t *testing.T) { // stays one line and does not reach the terminal
		got := call(t, dir, "summary", hostile)
		wantError(t, got, statusInput, "name")
		if strings.Contains(got.stderr, "\x1b") {
			t.Errorf("%q", got.stderr)
		}
	})
}

// TestHelp has every verb explain itself with examples and a line for each flag.
func TestHelp(t *testing.T) {
	dir := t.TempDir()
	root, _ := newRoot(nil)
	for _, args := range [][]string{{}, {"--help"}, {"help"}} {
		got := call(t, dir, args...)
		if got.status != 0 || got.stderr != "" {
			t.Errorf("%v: status %d, %q", args, got.status, got.stderr)
		}
		for _, cmd := range root.Commands() {
			if !strings.Contains(got.stdout, "\n  "+cmd.Name()+" ") {
				t.Errorf("%v does not list %s", args, cmd.Name())
			}
		}
	}
	for _, verb := range []string{"train", "sample", "export", "summary", "runs"} {
		for _, args := range [][]string{{verb, "--help"}, {"help", verb}} {
			got := call(t, dir, args...)
			if got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, "Examples:\n  dcgan "+verb) {
				t.Errorf("%v: status %d, %q, %q", args, got.status, got.stderr, got.stdout)
			}
			for line := range strings.Lines(got.stdout) {
				if len([]rune(line)) > 121 {
					t.Errorf("%v: a line is too long: %s", args, line)
				}
			}
		}
	}
	if got := call(t, dir, "--version"); got.status != 0 || !strings.HasPrefix(got.stdout, "dcgan ") || strings.Count(got.stdout, "\n") != 1 {
		t.Errorf("version: %+v", got)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := call(t, dir, "completion", shell); got.status != 0 || !strings.Contains(got.stdout, "dcgan") {
			t.Errorf("completion %s: status %d, %q", shell, got.status, got.stderr)
		}
	}
}

func TestNoRuns(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"runs"}, {"runs", "."}} {
		if got := call(t, dir, args...); got.status != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "no runs in ") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}
