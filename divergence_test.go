package dcgan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/internal/engine"
	"dcgan/internal/fault"
	"dcgan/run"
)

// tiny returns settings whose steps take a millisecond, for a run in a folder of its own.
func tiny(t *testing.T, change func(*Config)) Config {
	t.Helper()
	cfg := DefaultConfig()
	dir := t.TempDir()
	cfg.Run, cfg.Data = filepath.Join(dir, "run"), filepath.Join(dir, "images")
	images := append([]byte("\x00\x00\x08\x03\x00\x00\x00\x20\x00\x00\x00\x1c\x00\x00\x00\x1c"), make([]byte, 32*28*28)...)
	for i := range images[16:] {
		images[16+i] = byte(i * i >> 3)
	}
	if err := os.WriteFile(cfg.Data, images, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Batch, cfg.Latent, cfg.Threads, cfg.Disk = 2, 5, 1, &fault.Disk{}
	cfg.GFilters, cfg.DFilters = []int{4, 4, 4, 4}, []int{4, 4, 4, 4}
	cfg.SaveEvery, cfg.Keep, cfg.Steps = 10, 0, 40
	if change != nil {
		change(&cfg)
	}
	return cfg
}

// outcome is how a training ended and what it said.
type outcome struct {
	result Result
	err    error
	warned []string
}

// trainWith trains. After each step it calls after, which can reach into the trainer's memory.
func trainWith(t *testing.T, ctx context.Context, cfg Config, after func(*session)) (o outcome) {
	t.Helper()
	return trainWatched(t, ctx, cfg, after, func(string) {})
}

// trainWatched is trainWith, and calls warned with each warning.
func trainWatched(t *testing.T, ctx context.Context, cfg Config, after func(*session), warned func(string)) (o outcome) {
	t.Helper()
	p, err := prepare(cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	var s *session
	observer := Observer{Warn: func(m string) { o.warned = append(o.warned, m); warned(m) }}
	observer.Step = func(Metrics) {
		if after != nil {
			after(s)
		}
	}
	observer.fill()
	if s, err = newSession(p, observer); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	o.err = s.train(ctx)
	o.result = Result{Run: cfg.Run, Step: s.trainer.Step}
	if cfg.TensorBoard { // events that were added are those that the run's files give
		path := filepath.Join(cfg.Run, run.EventsName, "events.out.tfevents.dcgan")
		added, err := os.ReadFile(path)
		if err := errors.Join(err, s.startEvents()); err != nil {
			t.Fatal(err)
		}
		if made, err := os.ReadFile(path); err != nil || !bytes.Equal(added, made) {
			t.Errorf("events added along the way, %d bytes, and made of the run's files, %d, differ: %v", len(added), len(made), err)
		}
	}
	return o
}

func file(t *testing.T, dir string, step int) []byte {
	t.Helper()
	text, err := os.ReadFile((&run.Folder{Dir: dir}).CheckpointPath(step))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var seconds = regexp.MustCompile(`"seconds":[0-9.e-]+`)

// metrics returns the lines of metrics.jsonl without the seconds, and the events among them.
func metrics(t *testing.T, dir string) (lines []string, events []event) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, run.MetricsName))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(seconds.ReplaceAllString(string(text), `"seconds":0`)) {
		lines = append(lines, line)
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Event != "" {
			events = append(events, e)
		}
	}
	return lines, events
}

// steps returns the steps of the lines that are of steps.
func steps(lines []string) (all []int) {
	for _, line := range lines {
		var m Metrics
		if json.Unmarshal([]byte(line), &m) == nil && m.Images > 0 {
			all = append(all, m.Step)
		}
	}
	return all
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

// once returns a function that injects a bad number after the given step, the first time that it is made.
func once(step int, inject func(*session)) func(*session) {
	done := false
	return func(s *session) {
		if s.trainer.Step == step && !done {
			done = true
			inject(s)
		}
	}
}

func putWeight(n func(*session) *engine.Network, v float64) func(*session) {
	return func(s *session) {
		n(s).Tensors[0].Data[0] = float32(v)
		n(s).Load()
	}
}

func generator(s *session) *engine.Network     { return s.trainer.Generator }
func discriminator(s *session) *engine.Network { return s.trainer.Discriminator }

// TestStopsAtLastFinite injects bad numbers: the run ends, and its newest checkpoint is, byte for byte, that of a run with
// as many steps that nothing befell; resumed it goes on as if nothing had been.
func TestStopsAtLastFinite(t *testing.T) {
	t.Parallel()
	whole := tiny(t, func(c *Config) { c.SaveEvery = 1 })
	if o := trainWith(t, t.Context(), whole, nil); o.err != nil {
		t.Fatal(o.err)
	}
	wantLines, _ := metrics(t, whole.Run)
	for _, test := range []struct {
		name   string
		after  int // the step that the bad number is put in after
		inject func(*session)
	}{
		{"a weight of G", 24, putWeight(generator, math.NaN())},
		{"an infinite weight of D", 24, putWeight(discriminator, math.Inf(-1))},
		{"a weight before the first checkpoint", 7, putWeight(generator, math.NaN())},
		{"a weight after the first step", 1, putWeight(discriminator, math.NaN())},
		{"a weight right after a checkpoint", 20, putWeight(generator, math.NaN())}, // that has it not
		{"a moment", 33, func(s *session) { s.trainer.Generator.Tensors[3].M[1] = float32(math.Inf(1)) }},
		{"a moving variance", 33, func(s *session) { s.trainer.Generator.Tensors[5].Data[1] = float32(math.NaN()) }},
	} {
		for _, action := range []string{config.Stop, config.Warn} {
			if action == config.Warn && test.after != 7 { // nothing comes of numbers that are not finite, so it is the same
				continue
			}
			cfg := tiny(t, func(c *Config) { c.OnDivergence = action })
			bad := test.after + 1
			if test.after%cfg.SaveEvery == 0 {
				bad++ // the checkpoint would have it, were it injected before
			}
			o := trainWith(t, t.Context(), cfg, once(bad-1, test.inject))
			if !errors.Is(o.err, ErrDiverged) || !strings.Contains(o.err.Error(), fmt.Sprintf("step %d: ", bad)) || !strings.Contains(o.err.Error(), "--lr") {
				t.Fatalf("%s: %v", test.name, o.err)
			}
			if o.result.Step != bad-1 || !bytes.Equal(file(t, cfg.Run, bad-1), file(t, whole.Run, bad-1)) {
				t.Errorf("%s: the checkpoint of step %d is not that of a sound run", test.name, bad-1)
			}
			lines, events := metrics(t, cfg.Run)
			if len(events) != 1 || events[0].Step != bad || events[0].Event != eventNotFinite || !slices.Equal(lines[:len(lines)-1], wantLines[:bad-1]) {
				t.Errorf("%s: lines of %v, events %v", test.name, steps(lines), events)
			}
			cfg.Resume = true
			if o := trainWith(t, t.Context(), cfg, nil); o.err != nil {
				t.Errorf("%s: resumed: %v", test.name, o.err)
			}
			if lines, _ := metrics(t, cfg.Run); !bytes.Equal(file(t, cfg.Run, 40), file(t, whole.Run, 40)) || !slices.Equal(lines, wantLines) {
				t.Errorf("%s: resumed it goes on differently", test.name)
			}
		}
	}
}

// TestDivergesAtOnce: with nothing saved yet the state that the run began with is the last finite one.
func TestDivergesAtOnce(t *testing.T) {
	cfg := tiny(t, func(c *Config) { c.LR = 1e30 })
	o := trainWith(t, t.Context(), cfg, nil)
	if !errors.Is(o.err, ErrDiverged) || o.result.Step != 0 {
		t.Fatalf("%+v", o)
	}
	c, err := checkpoint.Read((&run.Folder{Dir: cfg.Run}).CheckpointPath(0))
	if err != nil || c.Step != 0 || c.Iterations != (checkpoint.Iterations{}) {
		t.Fatalf("%v", err)
	}
	for range 2 { // and again, resumed
		cfg.Resume = true
		if o := trainWith(t, t.Context(), cfg, nil); !errors.Is(o.err, ErrDiverged) || o.result.Step != 0 {
			t.Fatalf("%+v", o)
		}
		if lines, events := metrics(t, cfg.Run); len(lines) != 1 || len(events) != 1 {
			t.Errorf("%q", lines)
		}
	}
	cfg.OnDivergence, cfg.Given = config.Restart, []string{"on_divergence"}
	o = trainWith(t, t.Context(), cfg, nil)
	if _, events := metrics(t, cfg.Run); !errors.Is(o.err, ErrDiverged) || len(o.warned) != 3 || len(events) != 4 {
		t.Errorf("%+v %v", o, events)
	}
	if !strings.Contains(o.err.Error(), "after 3 restarts") {
		t.Error(o.err)
	}
}

// TestInitialWeightsComeBack: a run that began with a file's weights goes back to those.
func TestInitialWeightsComeBack(t *testing.T) {
	from := tiny(t, func(c *Config) { c.Steps = 3 })
	if o := trainWith(t, t.Context(), from, nil); o.err != nil {
		t.Fatal(o.err)
	}
	begin := func(c *Config) { c.Init, c.Seed = (&run.Folder{Dir: from.Run}).CheckpointPath(3), 9 }
	sound, bad := tiny(t, begin), tiny(t, begin)
	sound.Steps = 5
	if o := trainWith(t, t.Context(), sound, nil); o.err != nil {
		t.Fatal(o.err)
	}
	if o := trainWith(t, t.Context(), bad, once(5, putWeight(generator, math.NaN()))); !errors.Is(o.err, ErrDiverged) {
		t.Fatal(o.err)
	}
	if !bytes.Equal(file(t, bad.Run, 5), file(t, sound.Run, 5)) {
		t.Error("the last finite state is not that of a sound run")
	}
	again := tiny(t, begin)
	o := trainWith(t, t.Context(), again, once(5, func(s *session) {
		putWeight(generator, math.NaN())(s)
		if err := os.WriteFile(again.Init, file(t, sound.Run, 5), 0o600); err != nil {
			t.Fatal(err)
		}
	}))
	if o.err == nil || !strings.Contains(o.err.Error(), "other weights") {
		t.Errorf("with another file in place of the first weights: %v", o.err)
	}
}

// TestStopInReplay: a signal while steps are made again saves what there is.
func TestStopInReplay(t *testing.T) {
	whole := tiny(t, func(c *Config) { c.SaveEvery, c.Steps = 1, 30 })
	if o := trainWith(t, t.Context(), whole, nil); o.err != nil {
		t.Fatal(o.err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cfg := tiny(t, func(c *Config) { c.Steps = 30 })
	inject := once(26, putWeight(generator, math.NaN()))
	o := trainWatched(t, ctx, cfg, inject, func(string) { cancel() }) // it is said before the first is made again
	if !errors.Is(o.err, ErrStopped) || o.result.Step != 21 {
		t.Fatalf("%+v", o)
	}
	if !bytes.Equal(file(t, cfg.Run, 21), file(t, whole.Run, 21)) {
		t.Error("what a signal saves while steps are made again is not a state of the run")
	}
	cfg.Resume = true
	if o := trainWith(t, t.Context(), cfg, nil); o.err != nil || !bytes.Equal(file(t, cfg.Run, 30), file(t, whole.Run, 30)) {
		t.Errorf("resumed: %v", o.err)
	}
}

// restartedSteps is enough for collapsing to come to a restart and to the checkpoint after it.
const restartedSteps = 430

// collapsing is a run whose G draws the same image for every latent from its first steps on: with a learning rate of 1.
func collapsing(action string) func(*Config) {
	return func(c *Config) {
		c.LR, c.OnDivergence, c.SaveEvery, c.Steps, c.Batch, c.TensorBoard = 1, action, 100, restartedSteps, 4, true
	}
}

// TestCollapseStops: a run with a learning rate of 1 is stopped after step 399, and goes on, told to, as one that only
// warned.
func TestCollapseStops(t *testing.T) {
	t.Parallel()
	warning := tiny(t, collapsing(config.Warn))
	o := trainWith(t, t.Context(), warning, nil)
	if o.err != nil || len(o.warned) != 1 || !strings.Contains(o.warned[0], "step 399: ") {
		t.Fatalf("%+v", o)
	}
	wantLines, events := metrics(t, warning.Run)
	if len(events) != 1 || events[0].Step != 399 || events[0].Event != eventCollapse {
		t.Errorf("events %v", events)
	}
	cfg := tiny(t, collapsing(config.Stop))
	o = trainWith(t, t.Context(), cfg, nil)
	if !errors.Is(o.err, ErrDiverged) || o.result.Step != 399 || !strings.Contains(o.err.Error(), "same image for every latent") {
		t.Fatalf("%+v", o)
	}
	if _, err := checkpoint.Read((&run.Folder{Dir: cfg.Run}).CheckpointPath(399)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(cfg.Run, run.SamplesName, "images-00399.png")); err != nil {
		t.Error(err)
	}
	cfg.Resume, cfg.OnDivergence, cfg.Given = true, config.Warn, []string{"on_divergence"}
	if o := trainWith(t, t.Context(), cfg, nil); o.err != nil || len(o.warned) != 0 {
		t.Fatalf("%+v", o)
	}
	if lines, _ := metrics(t, cfg.Run); !slices.Equal(lines, wantLines) || !bytes.Equal(file(t, cfg.Run, restartedSteps), file(t, warning.Run, restartedSteps)) {
		t.Error("stopped and resumed it differs from a run that only warned")
	}
}

// TestRestartIsResumable: a run that is restarted on its way, and stopped anywhere and resumed, comes to the same bytes
// and the same lines as one that is not stopped, and of each step there is one line.
func TestRestartIsResumable(t *testing.T) {
	t.Parallel()
	whole := tiny(t, collapsing(config.Restart))
	o := trainWith(t, t.Context(), whole, nil)
	wantLines, events := metrics(t, whole.Run)
	if o.err != nil || len(events) == 0 || len(events) != len(o.warned) {
		t.Fatalf("%+v, events %v", o, events)
	}
	if !slices.Equal(steps(wantLines), upTo(restartedSteps)) {
		t.Error("lines of steps are missing, double or out of order")
	}
	first := events[0]
	if first.Event != eventRestart || first.Step != 301 || first.LR != 0.5 || first.Stream != 1 || !strings.Contains(first.Reason, "step 399: ") {
		t.Errorf("first event %+v", first)
	}
	last := events[len(events)-1]
	c, err := checkpoint.Read((&run.Folder{Dir: whole.Run}).CheckpointPath(restartedSteps))
	if err != nil || c.Restart != (checkpoint.Restart{LR: last.LR, Stream: last.Stream}) {
		t.Errorf("the last checkpoint has %+v, the last event %+v: %v", c.Restart, last, err)
	}
	for _, test := range []struct {
		keep  int
		stops []int
	}{{0, []int{350}}, {1, []int{350, 398, 399}}, {0, []int{250, 301, 305, 420}}, {1, []int{299, 300, 390, 429}}} {
		if testing.Short() && test.keep == 0 {
			continue
		}
		cfg := tiny(t, collapsing(config.Restart))
		cfg.Keep = test.keep
		for _, stop := range test.stops {
			ctx, cancel := context.WithCancel(t.Context())
			o := trainWith(t, ctx, cfg, func(s *session) {
				if s.trainer.Step == stop {
					cancel()
				}
			})
			cancel()
			if !errors.Is(o.err, ErrStopped) {
				t.Fatalf("%+v", o)
			}
			cfg.Resume = true
		}
		if o := trainWith(t, t.Context(), cfg, nil); o.err != nil {
			t.Fatal(o.err)
		}
		if lines, _ := metrics(t, cfg.Run); !slices.Equal(lines, wantLines) || !bytes.Equal(file(t, cfg.Run, restartedSteps), file(t, whole.Run, restartedSteps)) {
			t.Errorf("keep %d, stopped after %v: not the bytes of a run that was not stopped", test.keep, test.stops)
		}
	}
}

// TestKilledInRestart: a run that is killed after a restart and before its next checkpoint comes to the same restart
// again, whatever of the restart's own work was done.
func TestKilledInRestart(t *testing.T) {
	t.Parallel()
	whole := tiny(t, collapsing(config.Restart))
	if o := trainWith(t, t.Context(), whole, nil); o.err != nil {
		t.Fatal(o.err)
	}
	wantLines, _ := metrics(t, whole.Run)
	killed := tiny(t, func(c *Config) { collapsing(config.Restart)(c); c.Steps = 350 })
	if o := trainWith(t, t.Context(), killed, nil); o.err != nil {
		t.Fatal(o.err)
	}
	// As the disk is while the restart from step 300 has cut nothing, has removed the checkpoint of step 350, has cut the
	// metrics, and has made some steps.
	for name, spoil := range map[string]func(w *run.Writer) error{
		"nothing done": func(*run.Writer) error { return nil },
		"checkpoints":  func(w *run.Writer) error { return w.Rewind(300) },
		"metrics":      func(w *run.Writer) error { return errors.Join(w.Rewind(300), w.CutMetrics(300)) },
		"steps": func(w *run.Writer) error {
			return errors.Join(w.Rewind(300), w.CutMetrics(300),
				w.AppendMetrics(event{Step: 301, Event: eventRestart, Stream: 1}), w.AppendMetrics(Metrics{Step: 301, Images: 1204}))
		},
	} {
		if testing.Short() && name != "metrics" && name != "steps" {
			continue
		}
		dir := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(dir, os.DirFS(killed.Run)); err != nil {
			t.Fatal(err)
		}
		w, err := run.Continue(&fault.Disk{}, dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(spoil(w), w.Close()); err != nil {
			t.Fatal(err)
		}
		cfg := killed
		cfg.Run, cfg.Resume, cfg.Steps, cfg.Given = dir, true, restartedSteps, []string{"steps"}
		if o := trainWith(t, t.Context(), cfg, nil); o.err != nil {
			t.Fatal(o.err)
		}
		if lines, _ := metrics(t, dir); !slices.Equal(lines, wantLines) || !bytes.Equal(file(t, dir, restartedSteps), file(t, whole.Run, restartedSteps)) {
			t.Errorf("killed with %s: not the bytes of a run that was not", name)
		}
	}
}

// TestRestartsAreBounded: numbers that go bad at the same step each time end the run after the third restart, and
// what is left is whole.
func TestRestartsAreBounded(t *testing.T) {
	cfg := tiny(t, func(c *Config) { c.OnDivergence = config.Restart })
	o := trainWith(t, t.Context(), cfg, func(s *session) {
		if s.trainer.Step == 25 {
			putWeight(generator, math.NaN())(s)
		}
	})
	_, events := metrics(t, cfg.Run)
	if !errors.Is(o.err, ErrDiverged) || o.result.Step != 25 || len(events) != 4 {
		t.Fatalf("%+v %v", o, events)
	}
	for i, e := range events[:3] {
		if e.Event != eventRestart || e.Step != 21 || e.Stream != i+1 || e.LR != cfg.LR/float64(int(2)<<i) {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	c, err := checkpoint.Read((&run.Folder{Dir: cfg.Run}).CheckpointPath(25))
	if err != nil || c.Restart != (checkpoint.Restart{LR: cfg.LR / 8, Stream: 3}) {
		t.Errorf("%+v %v", c, err)
	}
	var list []string
	filepath.WalkDir(cfg.Run, func(path string, _ fs.DirEntry, _ error) error { list = append(list, filepath.Base(path)); return nil })
	if slices.Contains(list, "00000030.safetensors") || !slices.Contains(list, "00000020.safetensors") {
		t.Errorf("%v", list)
	}
}
