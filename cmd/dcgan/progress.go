package main

import (
	"fmt"
	"image"
	"io"
	"strings"
	"sync"
	"time"

	"dcgan"
	"dcgan/picture"
)

// redrawEvery bounds how often the bar is drawn.
const redrawEvery = 100 * time.Millisecond

// progress shows a training on standard error: on a terminal a bar, and the sample grid at each save; elsewhere, or
// with --verbose, the seed's own line a step; with --quiet nothing but warnings.
type progress struct {
	w              io.Writer
	screen         screen
	quiet, verbose bool

	mu         sync.Mutex // a signal's note comes from another goroutine
	plan       dcgan.Plan
	checkpoint string // newest that was saved
	last       dcgan.Metrics
	pace       pace
	drawn      time.Time // when the bar was drawn last
	standing   bool      // whether the cursor stands in a drawn bar
}

func newProgress(w io.Writer, quiet, verbose bool) *progress {
	return &progress{w: w, screen: screenOf(w), quiet: quiet, verbose: verbose}
}

// observer returns what Train reports to.
func (p *progress) observer() dcgan.Observer {
	return dcgan.Observer{Start: p.start, Step: p.step, Save: p.save, Warn: p.warn}
}

// bar tells whether there is one, from the start of a training on.
func (p *progress) bar() bool {
	return p.screen.terminal && !p.verbose && !p.quiet && p.plan.Steps > 0
}

func (p *progress) start(plan dcgan.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = plan
	p.last.Step = plan.Step
	if p.quiet || plan.Complete {
		return
	}
	writePlan(p.w, plan)
	if p.bar() {
		p.draw()
	}
}

func (p *progress) step(m dcgan.Metrics) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = m
	p.pace.add(m.Seconds)
	switch {
	case p.quiet:
	case !p.bar():
		fmt.Fprintln(p.w, stepLine(m))
	case m.Step == p.plan.Steps || time.Since(p.drawn) >= redrawEvery:
		p.draw()
	}
}

func (p *progress) save(s dcgan.Saved) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.Checkpoint != "" {
		p.checkpoint = s.Checkpoint
	}
	if p.quiet {
		return
	}
	p.clear()
	if p.verbose {
		for _, path := range []string{s.Checkpoint, s.Sample} {
			if path != "" {
				fmt.Fprintf(p.w, "saved %s\n", path)
			}
		}
	}
	if p.screen.color && s.Grid != nil {
		fmt.Fprintf(p.w, "step %d: %s\n", s.Step, s.Sample)
		p.picture(s.Grid)
	}
	if p.bar() {
		p.draw()
	}
}

// picture shows a grid, small: a character is a pixel wide and two high, and the line above should stay in sight.
func (p *progress) picture(grid image.Image) {
	const readable = 64
	width, height := p.screen.size()
	picture.Terminal(p.w, grid, max(1, min(readable, width-1, 2*(height-3))))
}

func (p *progress) warn(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	say(p.w, "warning: "+message)
}

// note tells something on a line of its own.
func (p *progress) note(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quiet {
		return
	}
	p.clear()
	say(p.w, message)
	if p.bar() {
		p.draw()
	}
}

// end leaves the last bar standing and puts the cursor below it.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.standing {
		return
	}
	p.draw()
	p.standing = false
	fmt.Fprintln(p.w)
}

// leave puts the cursor below the bar at once, or not at all where something is being written: a terminal can be held.
func (p *progress) leave() {
	if p.mu.TryLock() && p.standing {
		fmt.Fprintln(p.w)
	}
}

// kept says which checkpoint there is to go on from.
func (p *progress) kept() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.checkpoint != "":
		return "saved " + p.checkpoint
	case p.plan.Step > 0:
		return fmt.Sprintf("the checkpoint of step %d stands", p.plan.Step)
	default:
		return "before anything was saved"
	}
}

func (p *progress) clear() {
	if p.standing {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.standing = false
	}
}

func (p *progress) draw() {
	rate, left := 0.0, time.Duration(-1)
	if seconds := p.pace.seconds; seconds > 0 {
		rate = float64(p.plan.Batch) / seconds
		left = time.Duration(float64(p.plan.Steps-p.last.Step) * seconds * float64(time.Second))
	}
	width, _ := p.screen.size()
	fmt.Fprint(p.w, "\r"+barLine(p.last, p.plan.Steps, rate, left, width-1, p.screen.color)+"\x1b[K")
	p.drawn, p.standing = time.Now(), true
}

// stepLine is the seed's own line of a step.
func stepLine(m dcgan.Metrics) string {
	return fmt.Sprintf("%d [D loss: %.5f, acc: %.3f] [A loss: %.5f, acc: %.3f]", m.Step, m.DLoss, m.DAccuracy, m.GLoss, m.GAccuracy)
}

// barLine writes the bar no wider than width: what has no room is left out, the rightmost parts first and the bar
// itself before the numbers. A rate of 0 is not known yet.
func barLine(m dcgan.Metrics, steps int, rate float64, left time.Duration, width int, color bool) string {
	done := 1.0
	if steps > 0 {
		done = min(1, float64(m.Step)/float64(steps))
	}
	parts := []string{fmt.Sprintf("step %d/%d", m.Step, steps)}
	if rate > 0 {
		parts = append(parts,
			fmt.Sprintf("D loss %.3f acc %.2f", m.DLoss, m.DAccuracy),
			fmt.Sprintf("A loss %.3f acc %.2f", m.GLoss, m.GAccuracy),
			fmt.Sprintf("%.0f images/s", rate),
			timeText(left)+" left")
	}
	const gap = 2
	for len(parts) > 1 && textWidth(parts, gap) > width {
		parts = parts[:len(parts)-1]
	}
	text := strings.Join(parts[1:], strings.Repeat(" ", gap))
	const most, least = 30, 5
	room := min(most, width-textWidth(parts, gap)-gap)
	if room < least {
		return cut(strings.TrimRight(parts[0]+"  "+text, " "), width)
	}
	full := int(done * float64(room))
	on, off := strings.Repeat("━", full), strings.Repeat("─", room-full)
	if color {
		on, off = "\x1b[32m"+on, "\x1b[90m"+off+"\x1b[0m"
	}
	return strings.TrimRight(parts[0]+"  "+on+off+"  "+text, " ")
}

func textWidth(parts []string, gap int) int {
	width := gap * (len(parts) - 1)
	for _, part := range parts {
		width += len(part)
	}
	return width
}

func cut(text string, width int) string { return text[:max(0, min(len(text), width))] }

// pace is the seconds that a step takes, steadied so that what it foretells does not jump.
type pace struct {
	seconds float64
	steps   int
}

// add takes a step's time in: the mean of the first ten, and from then on a tenth of each.
func (p *pace) add(seconds float64) {
	p.steps = min(p.steps+1, 10)
	p.seconds += (seconds - p.seconds) / float64(p.steps)
}
