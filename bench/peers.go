package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// peer is a system to compare with: a program that obeys the conversation of peer.py.
type peer struct {
	name    string
	column  string // in history.csv
	units   []string
	program string // its file's name begins so; _step.py or _draw.py follows, by unit
	flags   []string
}

var (
	stepping = []string{"step"}
	drawing  = []string{"draw", "latency"}
	both     = []string{"step", "draw", "latency"}
)

var peers = []peer{
	{"eager", "torch_eager", both, "torch", []string{"--mode", "eager"}},
	{"channels_last", "torch_channels_last", both, "torch", []string{"--mode", "channels_last"}},
	{"compile", "torch_compile", both, "torch", []string{"--mode", "compile"}},
	{"keras", "keras", stepping, "keras", nil},
	{"onnxruntime", "onnxruntime", drawing, "onnx", nil},
	{"openvino", "openvino", drawing, "openvino", nil},
}

// names returns the names of all rows.
func names() []string {
	all := []string{ours}
	for _, p := range peers {
		all = append(all, p.name)
	}
	return all
}

// environment returns the settings under which the peers are fastest, as measured.
func environment(isa string) []string {
	env := append(os.Environ(),
		// Freed blocks stay with the process, on huge pages: else each step's tensors are mapped and cleared anew.
		"MALLOC_MMAP_THRESHOLD_=1073741824", "MALLOC_TRIM_THRESHOLD_=8589934592", "MALLOC_TOP_PAD_=268435456",
		"GLIBC_TUNABLES=glibc.malloc.hugetlb=1",
		"PYTHONDONTWRITEBYTECODE=1")
	if isa == "avx2" {
		env = append(env, "ONEDNN_MAX_CPU_ISA=AVX2", "ATEN_CPU_CAPABILITY=avx2", "MKL_ENABLE_INSTRUCTIONS=AVX2")
	}
	return env
}

// start runs the peer's program and waits until it is warm.
func (p peer) start(opt options, unit string, batch int) (*contestant, error) {
	file, args := "bench/"+p.program+"_draw.py", []string{"--piece", strconv.Itoa(opt.piece)}
	if unit == "step" {
		file, args = "bench/"+p.program+"_step.py", nil
	}
	args = slices.Concat([]string{file, "--batch", strconv.Itoa(batch), "--threads", strconv.Itoa(opt.threads)}, args, p.flags)
	cmd := exec.Command(opt.python, args...)
	cmd.Env = environment(opt.isa)
	var said bytes.Buffer // shown only where the peer fails: some are talkative
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &contestant{name: p.name}
	c.close = func() {
		in.Close()
		cmd.Wait()
	}
	lines := bufio.NewReader(out)
	answer := func(v any) error {
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				c.close()
				return fmt.Errorf("%s ended: %w\n%s", file, err, strings.TrimSpace(said.String()))
			}
			if bytes.HasPrefix(line, []byte("{")) {
				return json.Unmarshal(line, v)
			}
		}
	}
	var hello struct{ Name, Version, Detail string }
	if err := answer(&hello); err != nil {
		return nil, err
	}
	c.title, c.version, c.detail = hello.Name, hello.Version, hello.Detail
	c.run = func() (float64, error) {
		if _, err := io.WriteString(in, "run\n"); err != nil {
			return 0, err
		}
		var timed struct{ Seconds float64 }
		err := answer(&timed)
		return timed.Seconds, err
	}
	return c, nil
}
