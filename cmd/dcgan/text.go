package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"dcgan"
	"dcgan/arch"
	"dcgan/internal/input"
)

// writePlan says what a training will do.
func writePlan(w io.Writer, plan dcgan.Plan) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, input.Line(fmt.Sprintf(format, args...)))
	}
	row("data", "%s, %s of %s", plan.Data, arch.CountOf(plan.Images, "image"), size(plan.Shape...))
	if plan.Config.Config.Init != "" {
		row("weights from", "%s", plan.Config.Config.Init)
	}
	row("generator", "%s parameters", parameters(plan.Generator))
	row("discriminator", "%s parameters", parameters(plan.Discriminator))
	switch {
	case plan.Complete:
		row("steps", "already complete: at step %d of %d", plan.Step, plan.Steps)
	case plan.Step > 0:
		row("steps", "goes on after step %d, up to %d; batch %d, seed %d", plan.Step, plan.Steps, plan.Batch, plan.Seed)
	default:
		row("steps", "%d; batch %d, seed %d", plan.Steps, plan.Batch, plan.Seed)
	}
	kept := fmt.Sprintf("the newest %d checkpoints are kept", plan.Keep)
	switch plan.Keep {
	case 0:
		kept = "all checkpoints are kept"
	case 1:
		kept = "the newest checkpoint is kept"
	}
	every := "every step"
	if plan.SaveEvery > 1 {
		every = fmt.Sprintf("every %d steps", plan.SaveEvery)
	}
	row("saved", "%s; %s", every, kept)
	row("threads", "%d, kernel %s", plan.Threads, plan.Kernel)
	row("run", "%s", plan.Run)
	return table.Flush()
}

func parameters(n arch.Network) string {
	trainable, fixed := n.Parameters()
	return arch.Count(trainable + fixed)
}

// size writes a shape as 28×28×1.
func size(dims ...int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(dims), "[]"), " ", "×")
}

// bytesText writes a number of bytes with three digits or so.
func bytesText(n int64) string {
	v, unit := float64(n), 0
	for v >= 1000 && unit < 4 {
		v /= 1000
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %cB", v, " kMGT"[unit])
}

// timeText writes how long something takes, in its two largest units.
func timeText(d time.Duration) string {
	switch s := int(d.Round(time.Second).Seconds()); {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 100*3600:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	default:
		return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
	}
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// quote writes a word so that a shell takes it as one.
func quote(word string) string {
	switch {
	case plainWord.MatchString(word), runtime.GOOS == "windows" && plainWord.MatchString(strings.ReplaceAll(word, `\`, "/")):
		return word
	case runtime.GOOS == "windows":
		return `"` + word + `"`
	default:
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
}

// invokedAs returns the words that the user began the command line with, as far as they can be known.
func invokedAs() string {
	name := os.Args[0]
	if strings.Contains(filepath.ToSlash(name), "/go-build") { // a program that `go run` built and will remove
		return "go run ./cmd/dcgan"
	}
	return quote(name)
}
