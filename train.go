package dcgan

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"dcgan/arch"
	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/divergence"
	"dcgan/exchange"
	"dcgan/internal/engine"
	"dcgan/model"
	"dcgan/picture"
	"dcgan/run"
	"dcgan/train"
)

// The grid of samples that training draws: its side in images, and pixels of the picture to a pixel of an image.
const (
	gridSide  = 5
	gridScale = 4
)

// earlySamples are steps whose grid is drawn whatever the save interval: most changes at the beginning.
var earlySamples = []int{1, 10, 25, 50}

// Train trains up to step cfg.Steps, or until ctx ends: then it finishes the step, saves a whole checkpoint and returns
// ErrStopped. Everything is checked before the run folder is touched; what is wrong with the settings or the files they
// name is told in one line. What was saved before an error, as that of a full disk, stays whole.
func Train(ctx context.Context, cfg Config, observer Observer) (Result, error) {
	observer.fill()
	p, err := prepare(cfg, true)
	if err != nil {
		return Result{}, err
	}
	defer p.close() // after an error that is told; without one, the last save has synced
	result := Result{Run: p.plan.Run, Step: p.plan.Step, Complete: p.plan.Complete}
	for _, w := range p.plan.Warnings {
		observer.Warn(w)
	}
	if p.plan.Complete {
		observer.Start(p.plan)
		return result, nil
	}
	s, err := newSession(p, observer)
	if err != nil {
		return result, err
	}
	defer s.close()
	observer.Start(p.plan)
	err = s.train(ctx)
	result.Run, result.Step = s.plan.Run, s.trainer.Step
	return result, err
}

// train makes the steps that are left.
func (s *session) train(ctx context.Context) error {
	c := &s.plan.Config
	for s.trainer.Step < c.Steps {
		began := time.Now()
		m := s.trainer.Next()
		metrics := asMetrics(m, s.trainer.Step, c.Batch, time.Since(began))
		if m.NotFinite != "" {
			if err := s.notFinite(ctx, m.NotFinite); err != nil {
				return err
			}
			continue
		}
		if err := s.record(metrics); err != nil {
			return err
		}
		s.observer.Step(metrics)
		seen, err := s.watch(metrics)
		if err != nil {
			return err
		}
		if seen != "" {
			if err := s.collapsed(seen); err != nil {
				return err
			}
			if s.trainer.Step < metrics.Step { // it was restarted
				continue
			}
		}

		stop := ctx.Err() != nil
		due := metrics.Step%c.SaveEvery == 0 || metrics.Step == c.Steps
		early := slices.Contains(earlySamples, metrics.Step)
		if due || stop {
			if err := s.save(due || early); err != nil {
				return err
			}
			stop = ctx.Err() != nil // a save takes a while
		} else if early {
			if err := s.sample(); err != nil {
				return err
			}
		}
		if stop && metrics.Step < c.Steps {
			return ErrStopped
		}
	}
	return nil
}

func asMetrics(m train.Metrics, step, batch int, took time.Duration) Metrics {
	return Metrics{
		Step: step, Images: step * batch,
		DLoss: m.DLoss, DAccuracy: (m.DAccuracyReal + m.DAccuracyFake) / 2,
		DAccuracyReal: m.DAccuracyReal, DAccuracyFake: m.DAccuracyFake,
		GLoss: m.GLoss, GAccuracy: m.GAccuracy, Seconds: took.Seconds(),
	}
}

// session is a training with its run folder.
type session struct {
	plan     Plan
	observer Observer
	pool     *engine.Pool
	trainer  *train.Trainer
	folder   *run.Writer
	name     string // of the pictures
	latents  []float32
	pixels   []float32
	history  []picture.Point
	asked    config.Config // the settings before defaults of this machine
	events   *events       // for TensorBoard, nil where they are not wanted
	judge    divergence.Judge
	restarts []event // since the last checkpoint
}

// newSession makes the networks in the state that training goes on from, and then the run folder.
func newSession(p *prepared, observer Observer) (*session, error) {
	c := &p.plan.Config
	s := &session{plan: p.plan, asked: p.asked, observer: observer, name: dataName(c.Data), pool: engine.NewPool(c.Threads),
		judge: divergence.NewJudge(c.RealLabels, c.FakeLabels)}
	debug.FreeOSMemory() // what reading the data left, before the networks take theirs
	var err error
	if s.trainer, err = train.New(c.Config, p.plan.Generator, p.plan.Discriminator, p.data, p.set, s.pool); err != nil {
		s.pool.Close()
		return nil, err
	}
	switch {
	case p.from != nil:
		s.trainer.Restore(p.from)
	case p.initial.Generator != nil || p.initial.Discriminator != nil:
		s.trainer.Begin(p.initial.Generator, p.initial.Discriminator)
	}
	s.latents = make([]float32, gridSide*gridSide*c.Latent)
	s.pixels = make([]float32, gridSide*gridSide*p.plan.Shape.Size())
	drawLatents(s.latents, c.Latent, c.Seed, c.Noise)
	if err = s.openFolder(p); err == nil && c.TensorBoard {
		err = s.startEvents()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// openFolder makes the run folder, or readies that of a run that goes on: damaged checkpoints are set aside and metrics
// of steps that will be made again are cut.
func (s *session) openFolder(p *prepared) error {
	var err error
	origin := newOrigin(p.plan.Kernel)
	if !p.exists {
		if p.unnamed {
			p.folder, err = run.CreateNext(p.plan.Disk, runsFolder, dataName(p.plan.Data))
		} else {
			p.folder, err = run.Create(p.plan.Disk, p.plan.Run)
		}
		if err != nil {
			return err
		}
		s.folder = p.folder
		p.plan.Run, s.plan.Run = p.folder.Dir, p.folder.Dir // another than was planned, where that was taken meanwhile
		return s.folder.WriteConfig(config.Encode(p.asked, origin))
	}
	s.folder = p.folder
	if err := s.setAside(p.damaged); err != nil {
		return err
	}
	if err := s.folder.CutMetrics(p.plan.Step); err != nil {
		return fmt.Errorf("cutting the metrics of %s: %w", p.plan.Run, err)
	}
	err = s.folder.ReadMetrics(func(line []byte) error {
		s.recall(line)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the metrics of %s: %w", p.plan.Run, err)
	}
	if len(s.history) != p.plan.Step {
		s.observer.Warn(fmt.Sprintf("%s has lines of %s where %d were made: the others are lost", run.MetricsName, arch.CountOf(len(s.history), "step"), p.plan.Step))
	}
	path := filepath.Join(p.plan.Run, run.ConfigName)
	if was, err := config.LoadOrigin(path); err == nil && was.Started != "" {
		origin.Started, origin.Resumed = was.Started, origin.Started
		origin.SavesFrom = min(was.SavesFrom, p.plan.Step)
	}
	was, now := config.Default(), &p.plan.Config
	if _, err := was.Load(path); err == nil &&
		(was.SaveEvery != now.SaveEvery || was.KerasH5 != now.KerasH5 || was.TensorBoard != now.TensorBoard) {
		origin.SavesFrom = p.plan.Step
	}
	return s.folder.WriteConfig(config.Encode(p.asked, origin))
}

func (s *session) setAside(damaged []Damage) error {
	for _, d := range damaged {
		aside, err := s.folder.SetAside(d.File)
		if err != nil {
			return fmt.Errorf("setting aside %s: %w", d.File, err)
		}
		s.observer.Warn(fmt.Sprintf("set aside %s as %s", d.File, filepath.Base(aside)))
	}
	return nil
}

func newOrigin(kernel string) config.Origin {
	host, _ := os.Hostname() // a run without its host's name is as good
	return config.Origin{
		Version: Version, Started: time.Now().UTC().Format(time.RFC3339), Host: host,
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: processor(), CPUs: runtime.GOMAXPROCS(0), Instructions: kernel,
	}
}

func (s *session) close() { s.pool.Close() }

func (s *session) record(m Metrics) error {
	s.history = append(s.history, asPoint(m))
	return s.append(m.Step, m)
}

func asPoint(m Metrics) picture.Point {
	return picture.Point{Step: m.Step, DLoss: m.DLoss, GLoss: m.GLoss,
		DAccuracyReal: m.DAccuracyReal, DAccuracyFake: m.DAccuracyFake, GAccuracy: m.GAccuracy}
}

// saveKeras writes both networks for Keras.
func (s *session) saveKeras() error {
	m := s.trainer.State().Model()
	for name, n := range map[string]*model.Network{GeneratorNetwork: m.Generator, DiscriminatorNetwork: m.Discriminator} {
		write := func(w io.Writer) error { return exchange.KerasH5.Write(w, n, m) }
		if _, err := s.folder.SaveModel(name, m.Step, write); err != nil {
			return fmt.Errorf("step %d: saving for Keras: %w", m.Step, err)
		}
	}
	return nil
}

// save writes a checkpoint, and where they are due the grid, the curves and the files for Keras; then old checkpoints
// go. The checkpoint comes after the others, so that a run that goes on from it has them.
func (s *session) save(pictures bool) error {
	saved := Saved{Step: s.trainer.Step}
	if pictures && s.plan.KerasH5 {
		if err := s.saveKeras(); err != nil {
			return err
		}
	}
	if pictures {
		if err := s.draw(&saved); err != nil {
			return err
		}
		curves, err := picture.Curves(s.history)
		if err == nil {
			err = s.folder.SaveCurves(curves)
		}
		if err != nil {
			return fmt.Errorf("step %d: drawing the curves: %w", saved.Step, err)
		}
	}
	var err error
	if saved.Checkpoint, err = s.folder.SaveCheckpoint(saved.Step, s.trainer.State().Write); err != nil {
		return fmt.Errorf("step %d: saving: %w", saved.Step, err)
	}
	s.restarts = nil // what follows from this checkpoint comes after them
	whole := func(c run.Checkpoint) bool {
		_, err := reader(checkpoint.Check).ofStep(c)
		return err == nil
	}
	var needed []int
	if s.plan.OnDivergence == config.Restart {
		needed = []int{s.lastRegular(saved.Step)}
	}
	if err := s.folder.Prune(s.plan.Keep, whole, needed...); err != nil {
		return fmt.Errorf("step %d: removing old checkpoints: %w", saved.Step, err)
	}
	s.observer.Save(saved)
	return nil
}

// sample draws the grid alone.
func (s *session) sample() error {
	saved := Saved{Step: s.trainer.Step}
	if err := s.draw(&saved); err != nil {
		return err
	}
	s.observer.Save(saved)
	return nil
}

// draw draws the fixed latents with G as it stands.
func (s *session) draw(saved *Saved) error {
	shape := s.plan.Shape
	forward(s.trainer.Generator, s.pixels, s.latents, s.plan.Batch)
	saved.Grid = picture.Grid(s.pixels, gridSide*gridSide, shape[0], shape[1], shape[2], gridSide, gridSide, gridScale)
	var err error
	if saved.Sample, err = s.folder.SaveSample(s.name, saved.Step, saved.Grid); err != nil {
		return fmt.Errorf("step %d: saving the grid: %w", saved.Step, err)
	}
	if err = s.sampleEvents(saved.Step); err != nil {
		return fmt.Errorf("step %d: writing the TensorBoard events of %s: %w", saved.Step, s.plan.Run, err)
	}
	return nil
}
