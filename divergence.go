package dcgan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"dcgan/arch"
	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/divergence"
	"dcgan/run"
)

// ErrDiverged is what Train returns when numbers went bad and OnDivergence did not say to go on: the last state whose
// numbers are all finite is saved as a whole checkpoint.
var ErrDiverged = errors.New("training has diverged")

// The events of metrics.jsonl.
const (
	eventNotFinite = "not finite" // at this step a number was NaN or infinite; the step does not count
	eventCollapse  = "collapse"   // seen after this step, which counts
	eventRestart   = "restart"    // this step and those after it were made anew
)

// event is a line of metrics.jsonl that tells what happened. Its step is the first that a run which goes on from an earlier
// checkpoint makes again, so that the line is then cut and, as all follows from the settings, comes again by itself.
type event struct {
	Step   int     `json:"step"`
	Event  string  `json:"event"`
	Reason string  `json:"reason"`
	LR     float64 `json:"lr,omitempty"`     // of a restart, from then on
	Stream int     `json:"stream,omitempty"` // of a restart: how many there were
}

// varianceLine is an evaluation in metrics.jsonl.
type varianceLine struct {
	Step      int     `json:"step"`
	GVariance float64 `json:"g_variance"` // of the fixed latents' images, averaged over pixels
}

// recall feeds the judge, and the history that the curves show, with a line of the run's metrics.
func (s *session) recall(line []byte) {
	var m struct {
		Metrics
		GVariance *float64 `json:"g_variance"`
		Event     string   `json:"event"`
	}
	switch err := json.Unmarshal(line, &m); {
	case err != nil:
	case m.Event == eventRestart:
		s.judge.Reset()
	case m.GVariance != nil:
		s.judge.Variance(m.Step, *m.GVariance)
	case m.Images > 0:
		s.history = append(s.history, asPoint(m.Metrics))
		s.judge.Step(m.Step, m.DLoss, m.DAccuracyReal, m.DAccuracyFake)
	}
}

// watch judges a recorded step, whose numbers are finite, and returns what collapse shows, "" for none.
func (s *session) watch(m Metrics) (seen string, err error) {
	seen = s.judge.Step(m.Step, m.DLoss, m.DAccuracyReal, m.DAccuracyFake)
	if !s.judge.WantsVariance(m.Step) {
		return seen, nil
	}
	forward(s.trainer.Generator, s.pixels, s.latents, s.plan.Batch)
	variance := divergence.VarianceOf(s.pixels, gridSide*gridSide)
	if variance-variance != 0 { // not a number, for which JSON has no text
		return "G's images are not finite, though its weights are", nil
	}
	if err := s.append(m.Step, varianceLine{m.Step, variance}); err != nil {
		return "", err
	}
	if alike := s.judge.Variance(m.Step, variance); seen == "" {
		seen = alike
	}
	return seen, nil
}

// collapsed does what the settings say after a step at which collapse was seen. Without an error training goes on.
func (s *session) collapsed(seen string) error {
	step := s.trainer.Step
	switch {
	case s.mayRestart():
		return s.restart(step, seen)
	case s.plan.OnDivergence == config.Warn:
		s.observer.Warn(fmt.Sprintf("step %d: %s", step, seen))
		return s.append(step, event{Step: step, Event: eventCollapse, Reason: seen})
	}
	if err := s.append(step, event{Step: step, Event: eventCollapse, Reason: seen}); err != nil {
		return err
	}
	if err := s.save(true); err != nil {
		return err
	}
	return s.diverged(step, seen)
}

// notFinite does what the settings say when the step just made has a number that is not finite. Without an error training
// goes on. To warn and go on is no choice here, as of such numbers come only more of them.
//
// The state before the step is gone, and a copy of it at every step would take memory and time. But it follows from the
// newest checkpoint, or from the beginning, by making the steps since then again.
func (s *session) notFinite(ctx context.Context, seen string) error {
	bad := s.trainer.Step
	if s.mayRestart() {
		return s.restart(bad, seen)
	}
	if err := s.append(bad, event{Step: bad, Event: eventNotFinite, Reason: seen}); err != nil {
		return err
	}
	restart := s.trainer.Restart
	onDisk, err := s.rewind()
	if err != nil {
		return err
	}
	s.trainer.Restart = restart
	from := s.trainer.Step
	if from < bad-1 {
		s.observer.Warn(fmt.Sprintf("step %d: %s: making steps %d to %d again, to save the last state that is finite", bad, seen, from+1, bad-1))
	}
	stopped := false
	for s.trainer.Step < bad-1 && !stopped {
		if again := s.trainer.Next().NotFinite; again != "" {
			return fmt.Errorf("step %d, made again, gives other numbers than before (%s): is this machine's memory sound?", s.trainer.Step, again)
		}
		stopped = ctx.Err() != nil
	}
	if s.trainer.Step > from || !onDisk {
		if err := s.save(!stopped && s.trainer.Step > 0); err != nil {
			return err
		}
	}
	if stopped {
		return ErrStopped
	}
	return s.diverged(bad, seen)
}

func (s *session) mayRestart() bool {
	return s.plan.OnDivergence == config.Restart && s.trainer.Restart.Stream < divergence.MaxRestarts
}

// diverged is the error that ends a training.
func (s *session) diverged(step int, seen string) error {
	lr, tried := s.plan.LR, ""
	if r := s.trainer.Restart; r.Stream > 0 {
		lr, tried = r.LR, " after "+arch.CountOf(r.Stream, "restart")
	}
	return fmt.Errorf("step %d: %s: %w%s; try a smaller --lr than %g, or another --seed", step, seen, ErrDiverged, tried, lr)
}

// restart goes back to the newest checkpoint, or to the beginning, with the next stream of latents and half the learning
// rate. The checkpoint stays as it is: a run that is killed before its next one comes to the same restart again. And of
// the checkpoints only those at the save interval count, so that a run that was stopped in between goes back to where one
// that was not does.
func (s *session) restart(bad int, seen string) error {
	restart := checkpoint.Restart{LR: s.plan.LR / 2, Stream: 1}
	if was := s.trainer.Restart; was.Stream > 0 {
		restart = checkpoint.Restart{LR: was.LR / 2, Stream: was.Stream + 1}
	}
	last := s.lastRegular(bad - 1)
	_, err := reader(checkpoint.Check).ofStep(run.Checkpoint{Step: last, Path: s.folder.CheckpointPath(last)})
	if err == nil || last == 0 { // else it was removed or damaged: then back as little as possible
		if err := s.folder.Rewind(last); err != nil {
			return fmt.Errorf("going back in %s to step %d: %w", s.plan.Run, last, err)
		}
	}
	if _, err := s.rewind(); err != nil {
		return err
	}
	s.trainer.Restart = restart
	step := s.trainer.Step
	if err := errors.Join(s.folder.Rewind(step), s.folder.CutMetrics(step)); err != nil {
		return fmt.Errorf("going back in %s to step %d: %w", s.plan.Run, step, err)
	}
	for len(s.history) > 0 && s.history[len(s.history)-1].Step > step {
		s.history = s.history[:len(s.history)-1]
	}
	s.judge.Reset()
	s.restarts = append(s.restarts, event{Step: step + 1, Event: eventRestart, Reason: fmt.Sprintf("step %d: %s", bad, seen), LR: restart.LR, Stream: restart.Stream})
	wanted := s.events != nil
	s.events = nil // made anew below, without the steps that were cut
	for _, e := range s.restarts {
		if err := s.append(step, e); err != nil {
			return err
		}
	}
	if wanted {
		if err := s.startEvents(); err != nil {
			return err
		}
	}
	s.observer.Warn(fmt.Sprintf("step %d: %s: restart %d of at most %d, from step %d with a learning rate of %g",
		bad, seen, restart.Stream, divergence.MaxRestarts, step, restart.LR))
	return nil
}

// lastRegular returns the last step up to the given one that a checkpoint is saved after, however often the run is stopped.
func (s *session) lastRegular(step int) int { return step / s.plan.SaveEvery * s.plan.SaveEvery }

// rewind puts the trainer back to the newest whole checkpoint, or where there is none to the beginning.
func (s *session) rewind() (onDisk bool, err error) {
	from, damaged, err := newestWhole(&s.folder.Folder, checkpoint.Read)
	if err == nil && from == nil {
		err = noneWhole(&s.folder.Folder, damaged)
	}
	if err != nil {
		return false, err
	}
	if err := s.setAside(damaged); err != nil {
		return false, err
	}
	if from != nil {
		s.trainer.Restore(from)
		return true, nil
	}
	first := s.trainer.InitSHA256()
	s.trainer.Reset()
	if first == "" {
		return false, nil
	}
	p := &prepared{plan: s.plan}
	p.plan.Resume = false // there is no checkpoint with what came of them
	if err := p.openInitial(); err != nil {
		return false, err
	}
	s.trainer.Begin(p.initial.Generator, p.initial.Discriminator)
	if s.trainer.InitSHA256() != first {
		return false, fmt.Errorf("--init: %s has other weights than this run began with: nothing is left to go back to", s.plan.Init)
	}
	return false, nil
}

// append adds a line to the metrics, and to the events what numbers it has.
func (s *session) append(step int, line any) error {
	if err := s.folder.AppendMetrics(line); err != nil {
		return fmt.Errorf("step %d: writing %s of %s: %w", step, run.MetricsName, s.plan.Run, err)
	}
	if err := s.lineEvents(line); err != nil {
		return fmt.Errorf("step %d: writing the TensorBoard events of %s: %w", step, s.plan.Run, err)
	}
	return nil
}
