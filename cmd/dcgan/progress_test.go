package main

import (
	"bytes"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"dcgan"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*[mK]")

func TestStepLine(t *testing.T) {
	got := stepLine(dcgan.Metrics{Step: 100, DLoss: 0.123454, DAccuracy: 0.5, GLoss: 1.5, GAccuracy: 0.0625})
	if want := "100 [D loss: 0.12345, acc: 0.500] [A loss: 1.50000, acc: 0.062]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestBarFits draws the bar at every width.
func TestBarFits(t *testing.T) {
	m := dcgan.Metrics{Step: 1234, DLoss: 0.5, DAccuracy: 0.7, GLoss: 1.2, GAccuracy: 0.3}
	for width := range 160 {
		for _, color := range []bool{false, true} {
			line := barLine(m, 5000, 146.4, 3*time.Hour, width, color)
			plain := escapes.ReplaceAllString(line, "")
			if n := utf8.RuneCountInString(plain); n > width {
				t.Errorf("width %d: %d wide: %s", width, n, plain)
			}
			if !color && plain != line {
				t.Errorf("width %d: colours that were not asked for", width)
			}
		}
	}
	want := "step 1234/5000  ━━━━━━━───────────────────────  D loss 0.500 acc 0.70  A loss 1.200 acc 0.30  146 images/s  3h00m left"
	if got := barLine(m, 5000, 146.4, 3*time.Hour, 160, false); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := barLine(dcgan.Metrics{}, 5000, 0, -1, 80, false); got != "step 0/5000  "+strings.Repeat("─", 30) {
		t.Errorf("before the first step: %q", got)
	}
}

func TestPace(t *testing.T) {
	var p pace
	for _, s := range []float64{1, 2, 3} {
		p.add(s)
	}
	if p.seconds != 2 {
		t.Errorf("mean of the first steps: %v", p.seconds)
	}
	for range 200 {
		p.add(5)
	}
	if p.seconds < 4.99 || p.seconds > 5 {
		t.Errorf("after many steps of 5 s: %v", p.seconds)
	}
}

// TestProgressLines checks what goes where there is no terminal.
func TestProgressLines(t *testing.T) {
	for _, test := range []struct {
		quiet, verbose bool
		want           []string
	}{
		{false, false, []string{"data ", "generator ", "discriminator ", "steps ", "saved  ", "threads ", "run ", "1 [D loss", "dcgan: warning: w", "2 [D loss"}},
		{false, true, []string{"data ", "generator ", "discriminator ", "steps ", "saved  ", "threads ", "run ", "1 [D loss", "dcgan: warning: w", "2 [D loss", "saved c", "saved s"}},
		{true, false, []string{"dcgan: warning: w"}},
	} {
		var text bytes.Buffer
		p := newProgress(&text, test.quiet, test.verbose)
		observer := p.observer()
		plan := dcgan.Plan{}
		plan.Steps, plan.Batch = 2, 4
		observer.Start(plan)
		observer.Step(dcgan.Metrics{Step: 1, Seconds: 1})
		observer.Warn("w")
		observer.Step(dcgan.Metrics{Step: 2, Seconds: 1})
		observer.Save(dcgan.Saved{Step: 2, Checkpoint: "c", Sample: "s"})
		p.end()
		lines := strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
		if len(lines) != len(test.want) {
			t.Errorf("%+v: %q", test, lines)
			continue
		}
		for i, line := range lines {
			if !strings.HasPrefix(line, test.want[i]) {
				t.Errorf("line %d is %q, want %q", i, line, test.want[i])
			}
		}
		if p.kept() != "saved c" {
			t.Errorf("kept %q", p.kept())
		}
	}
}

// TestBarMakesRoom checks that what is printed above the bar wipes it first.
func TestBarMakesRoom(t *testing.T) {
	var text bytes.Buffer
	p := newProgress(&text, false, false)
	p.screen.terminal = true
	p.start(dcgan.Plan{Config: dcgan.DefaultConfig()})
	p.step(dcgan.Metrics{Step: 1, Seconds: 1})
	p.warn("w")
	p.note("n")
	p.end()
	const wipe = "\r\x1b[K"
	if got := text.String(); !strings.Contains(got, wipe+"dcgan: warning: w\n") || !strings.Contains(got, "\ndcgan: n\n\rstep ") || !strings.HasSuffix(got, "\x1b[K\n") {
		t.Errorf("%q", got)
	}
}

func TestTexts(t *testing.T) {
	for got, want := range map[string]string{
		bytesText(999): "999 B", bytesText(1000): "1.0 kB", bytesText(40_500_000): "40.5 MB", bytesText(3e15): "3000.0 TB",
		timeText(400 * time.Millisecond): "0s", timeText(59 * time.Second): "59s", timeText(61 * time.Second): "1m01s",
		timeText(3*time.Hour + 5*time.Minute): "3h05m", timeText(200 * time.Hour): "8d08h",
		size(28, 28, 1):   "28×28×1",
		quote("runs/a-1"): "runs/a-1",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if runtime.GOOS != "windows" {
		for word, want := range map[string]string{"": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'"} {
			if got := quote(word); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}
