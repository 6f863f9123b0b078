package dcgan

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"dcgan/arch"
	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/dataset"
	"dcgan/internal/input"
	"dcgan/internal/kernel"
	"dcgan/model"
	"dcgan/run"
)

// runsFolder is where runs lie that were given no folder.
const runsFolder = "runs"

// prepared is what Train goes on from, all of it checked.
type prepared struct {
	plan    Plan
	asked   config.Config // the settings before defaults of this machine, for config.json
	data    *dataset.Images
	set     *kernel.Set
	exists  bool                   // the run folder is there and not empty
	unnamed bool                   // the run folder is to be the next free one
	folder  *run.Writer            // held, for a training
	from    *checkpoint.Checkpoint // to go on from; nil at step 0
	damaged []Damage               // newer checkpoints that are not whole
	initial model.Model            // of --init; networks that are nil begin anew
}

// Prepare checks everything that Train would and returns its plan. It writes nothing.
func Prepare(cfg Config) (Plan, error) {
	p, err := prepare(cfg, false)
	if err != nil {
		return Plan{}, err
	}
	return p.plan, nil
}

// prepare checks everything. With hold it takes the lock of a run that goes on before it looks at that run's files, so
// that they stay what they are; close gives it back.
func prepare(cfg Config, hold bool) (*prepared, error) {
	p := &prepared{plan: Plan{Config: cfg}}
	p.plan.Config.Config = cfg.Config.Clone()
	if cfg.Disk == nil {
		p.plan.Disk = run.System{}
	}
	if err := p.check(hold); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *prepared) check(hold bool) error {
	if err := p.findRun(hold); err != nil {
		return err
	}
	c := &p.plan.Config.Config
	if err := c.Check(); err != nil {
		return err
	}
	p.asked = c.Clone()
	if c.Threads == 0 {
		c.Threads = runtime.GOMAXPROCS(0)
	}
	var err error
	if p.set, err = kernel.Choose(); err != nil {
		return input.Errorf("%w", err)
	}
	p.plan.Kernel = p.set.Name
	if p.plan.Generator, p.plan.Discriminator, err = arch.Seed(*c); err != nil {
		return err
	}
	if p.exists {
		if err := p.findCheckpoint(); err != nil {
			return err
		}
	}
	if err := p.openInitial(); err != nil {
		return err
	}
	if err := p.openData(); err != nil {
		return err
	}
	p.plan.Complete = p.plan.Step >= c.Steps
	if p.plan.Complete {
		return nil
	}
	return checkMemory(p.plan.Generator, p.plan.Discriminator, c.Batch, memoryLimit())
}

// close gives the run folder back.
func (p *prepared) close() error {
	if p.folder == nil {
		return nil
	}
	return p.folder.Close()
}

// findRun settles the run folder, and for a run that goes on the settings.
func (p *prepared) findRun(hold bool) error {
	c := &p.plan.Config
	if c.Run == "" && c.Resume {
		if newest, err := run.Newest(runsFolder); err == nil {
			c.Run = newest
		} else {
			p.warn("%s has no run to go on with: starting a new one at step 0", runsFolder)
		}
	}
	if c.Run == "" {
		p.unnamed = true
		c.Run = run.Next(runsFolder, dataName(c.Data))
		return run.Free(c.Run)
	}
	if !c.Resume {
		if hold {
			return run.Vacant(c.Run)
		}
		return run.Free(c.Run)
	}
	if run.Free(c.Run) == nil {
		p.plan.Warnings = append(p.plan.Warnings, fmt.Sprintf("%s is missing or empty: starting at step 0", c.Run))
		return nil
	}
	folder, err := run.Open(c.Run)
	if err != nil {
		return err
	}
	if hold {
		if p.folder, err = run.Continue(c.Disk, c.Run); err != nil {
			return err
		}
	}
	p.exists = true
	chosen := c.Config
	if err := loadSettings(filepath.Join(folder.Dir, run.ConfigName), &c.Config); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if list, err := folder.Checkpoints(); err != nil || len(list) > 0 {
			return input.Errorf("%s has checkpoints but no %s: put that back, or begin a new run from a checkpoint with --init",
				c.Run, run.ConfigName)
		}
		if run.Is(c.Run) {
			return input.Errorf("%s has neither %s nor a checkpoint: put them back, or start over in another folder with --run",
				c.Run, run.ConfigName)
		}
		return nil // killed before its settings were written: there is nothing that the chosen ones could contradict
	}
	saved := c.Config.Clone()
	now, given := c.Config.Settings(), chosen.Settings()
	for i, s := range now {
		if slices.Contains(c.Given, s.Key) {
			if err := s.Set(given[i].String()); err != nil {
				return input.Errorf("--%s: %w", s.Flag(), err)
			}
		}
	}
	return disagreement(c.Run, config.Differences(&saved, &c.Config))
}

// loadSettings reads a run's config.json onto c. That it is missing is fs.ErrNotExist.
func loadSettings(path string, c *config.Config) error {
	if err := input.Regular(path); err != nil {
		return err
	}
	_, err := c.Load(path)
	return err
}

// disagreement is the error of settings that change numbers and are not the run's.
func disagreement(where string, list []config.Difference) error {
	if len(list) == 0 {
		return nil
	}
	return input.Errorf("%s was made with other settings (%s): leave them out to go on with it, or start a new run without --resume",
		where, differencesText(list))
}

func differencesText(list []config.Difference) string {
	var texts []string
	for _, d := range list {
		texts = append(texts, fmt.Sprintf("%s: old %s, new %s", d.Key, d.Old, d.New))
	}
	return strings.Join(texts, "; ")
}

// differences lists the settings that change numbers and are not those that a checkpoint was made with.
func differences(c *checkpoint.Checkpoint, settings *config.Config) []config.Difference {
	var list []config.Difference
	now := checkpoint.Numbers(settings)
	for _, s := range settings.Settings() {
		if was := string(c.Settings[s.Key]); s.Numbers && was != string(now[s.Key]) {
			list = append(list, config.Difference{Key: s.Key, Old: was, New: string(now[s.Key])})
		}
	}
	return list
}

// dataName is what a run of some data is called: mnist, or the file's name without endings.
func dataName(source string) string {
	name, _, _ := strings.Cut(filepath.Base(source), ".")
	if name == "" || name == string(filepath.Separator) {
		return "run"
	}
	return name
}

func (p *prepared) openData() error {
	c := &p.plan.Config
	var err error
	p.data, err = dataset.OpenIf(c.Data, c.Labels, func(n, height, width, channels int) error {
		p.plan.Images, p.plan.Shape = n, arch.Shape{height, width, channels}
		if want := p.plan.Discriminator.Input; !slices.Equal(want, p.plan.Shape) {
			return input.Errorf("it has images of %v (height, width, channels), the %s networks take %v", []int(p.plan.Shape), c.Recipe, []int(want))
		}
		if n < c.Batch/2 {
			return input.Errorf("it has %s, fewer than half a batch of %d: give a smaller --batch", arch.CountOf(n, "image"), c.Batch)
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.plan.DataSHA256 = p.data.SHA256
	if p.from != nil && p.from.DataSHA256 != p.data.SHA256 {
		return disagreement(p.plan.Run, []config.Difference{
			{Key: "data", Old: "SHA-256 " + p.from.DataSHA256, New: "SHA-256 " + p.data.SHA256}})
	}
	return nil
}

// findCheckpoint reads the newest whole checkpoint of the run and holds it against the settings.
func (p *prepared) findCheckpoint() error {
	folder, err := run.Open(p.plan.Run)
	if err != nil {
		return err
	}
	from, damaged, err := newestWhole(folder, checkpoint.Read)
	if err == nil && from == nil {
		err = noneWhole(folder, damaged)
	}
	if err != nil {
		return err
	}
	p.damaged = damaged
	for _, d := range damaged {
		p.plan.Warnings = append(p.plan.Warnings, d.Reason+"; the newest whole checkpoint before it continues")
	}
	if from == nil {
		p.plan.Warnings = append(p.plan.Warnings, fmt.Sprintf("%s has no checkpoint yet: starting at step 0", p.plan.Run))
		return nil
	}
	if err := disagreement(p.plan.Run, differences(from, &p.plan.Config.Config)); err != nil {
		return err
	}
	if p.plan.Init != "" { // whose layers the run may have
		p.plan.Generator, p.plan.Discriminator = from.Generator, from.Discriminator
	}
	if err := errors.Join(sameWeights(from.Generator, p.plan.Generator), sameWeights(from.Discriminator, p.plan.Discriminator)); err != nil {
		return input.Errorf("the newest whole checkpoint of %s does not fit its settings: %w", p.plan.Run, err)
	}
	p.from, p.plan.Step = from, from.Step
	return nil
}

// newestWhole reads a folder's checkpoints from the newest back until one is whole. It returns that, nil where none is,
// and the damaged ones before it. Read is one of package checkpoint.
func newestWhole(folder *run.Folder, read reader) (whole *checkpoint.Checkpoint, damaged []Damage, err error) {
	list, err := folder.Checkpoints()
	if err != nil {
		return nil, nil, fmt.Errorf("checkpoints of %s: %w", folder.Dir, err)
	}
	for _, c := range slices.Backward(list) {
		whole, err = read.ofStep(c)
		if err == nil {
			return whole, damaged, nil
		}
		if !isDamage(err) {
			return nil, nil, err
		}
		damaged = append(damaged, Damage{c.Path, err.Error()})
	}
	return nil, damaged, nil
}

// reader reads a checkpoint file: with its tensors' data or without.
type reader func(path string) (*checkpoint.Checkpoint, error)

// ofStep reads a checkpoint that must be of the step that its name says.
func (read reader) ofStep(c run.Checkpoint) (*checkpoint.Checkpoint, error) {
	whole, err := read(c.Path)
	if err == nil && whole.Step != c.Step {
		return nil, input.Errorf("%s: it is of step %d", c.Path, whole.Step)
	}
	return whole, err
}

// isDamage tells a damaged file from one that cannot be opened, which may be whole: it is not for us to set aside.
func isDamage(err error) bool {
	return input.Is(err) && !errors.Is(err, fs.ErrPermission) && (!errors.As(err, new(syscall.Errno)) || errors.Is(err, fs.ErrNotExist))
}

// noneWhole is an error of input where there are checkpoints and all are damaged.
func noneWhole(folder *run.Folder, damaged []Damage) error {
	if len(damaged) == 0 {
		return nil
	}
	var reasons []string
	for _, d := range damaged {
		reasons = append(reasons, d.Reason)
	}
	return input.Errorf("no checkpoint of %s is whole (%s): nothing was moved; start over in another folder with --run, or remove this one",
		folder.Dir, strings.Join(reasons, "; "))
}
