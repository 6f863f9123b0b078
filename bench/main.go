// Bench runs our training step and our drawing and those of other systems alternately on this machine, and prints how
// they compare. See README.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"dcgan/internal/kernel"
)

type options struct {
	units   []string
	batch   int
	threads int
	rounds  int
	piece   int
	only    []string // rows to run, all where empty
	isa     string
	python  string
	record  bool
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	opt, err := parse()
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(opt.threads)
	if opt.isa != "" {
		os.Setenv(kernel.Variable, opt.isa)
	}
	if opt.python == "" && opt.needsPython() {
		if opt.python, err = pythonEnv(); err != nil {
			return err
		}
	}
	for _, unit := range opt.units {
		result, err := timeUnit(opt, unit)
		if err != nil {
			return err
		}
		result.print(os.Stdout)
		if opt.record {
			if err := result.record("bench/history.csv", time.Now()); err != nil {
				return err
			}
		}
	}
	return nil
}

func parse() (options, error) {
	var opt options
	units := flag.String("units", "step,draw,latency", "what to time")
	only := flag.String("only", "", "rows to run, by name (default all): "+strings.Join(names(), ","))
	flag.IntVar(&opt.batch, "batch", 256, "batch of step and draw; latency is of one image")
	flag.IntVar(&opt.threads, "threads", runtime.NumCPU(), "threads for each contestant")
	flag.IntVar(&opt.piece, "piece", 32, "images that the peers draw at a time: a smaller piece stays in the cache")
	flag.IntVar(&opt.rounds, "rounds", 7, "how often each contestant has its turn")
	flag.StringVar(&opt.isa, "isa", "", `"avx2" holds all to AVX2 where they allow it`)
	flag.StringVar(&opt.python, "python", "", "a Python that has requirements.txt (default: one that is made and kept)")
	flag.BoolVar(&opt.record, "record", false, "append the medians to bench/history.csv")
	flag.Parse()

	opt.units = strings.Split(*units, ",")
	if *only != "" {
		opt.only = strings.Split(*only, ",")
	}
	for _, unit := range opt.units {
		if _, ok := gflop[unit]; !ok {
			return opt, fmt.Errorf("--units %s: there are step, draw and latency", unit)
		}
	}
	for _, name := range opt.only {
		if !slices.Contains(names(), name) {
			return opt, fmt.Errorf("--only %s: there are %s", name, strings.Join(names(), ", "))
		}
	}
	switch {
	case flag.NArg() > 0:
		return opt, fmt.Errorf("unknown argument %q", flag.Arg(0))
	case opt.batch < 2 || opt.batch%2 != 0:
		return opt, fmt.Errorf("--batch %d: must be even and at least 2", opt.batch)
	case opt.rounds < 1 || opt.threads < 1 || opt.piece < 1:
		return opt, fmt.Errorf("--rounds, --threads and --piece must be at least 1")
	case opt.isa != "" && opt.isa != "avx2":
		return opt, fmt.Errorf("--isa %s: only avx2 can be asked of every contestant", opt.isa)
	}
	if _, err := os.Stat("bench/peer.py"); err != nil {
		return opt, fmt.Errorf("run it in the root of the repository: go run ./bench")
	}
	return opt, nil
}

func (o options) wants(name string) bool { return len(o.only) == 0 || slices.Contains(o.only, name) }

func (o options) needsPython() bool {
	return slices.ContainsFunc(peers, func(p peer) bool { return o.wants(p.name) })
}

// pythonEnv returns the path of a Python with the peers' packages. A new machine waits here for their installation.
func pythonEnv() (string, error) {
	cmd := exec.Command(".ci/python-env", "bench/requirements.txt")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("installing the peers: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
