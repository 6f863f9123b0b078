package dcgan

import (
	"fmt"
	"slices"

	"dcgan/arch"
	"dcgan/exchange"
	"dcgan/internal/input"
	"dcgan/model"
)

// openInitial reads the files that first weights are taken from.
func (p *prepared) openInitial() error {
	files := p.plan.Config.InitFiles()
	if p.from != nil && !slices.Contains(p.plan.Given, "init") {
		return nil // the run's own checkpoints have what came of them
	}
	networks := []*arch.Network{&p.plan.Generator, &p.plan.Discriminator}
	initial := []**model.Network{&p.initial.Generator, &p.initial.Discriminator}
	roles := []string{GeneratorNetwork, DiscriminatorNetwork}
	foreign := false
	for i, path := range files {
		// A file of weights alone is of the network that the settings ask for in its place.
		m, err := exchange.Read(path, exchange.LayersOf(*networks[i])...)
		if err != nil {
			return fmt.Errorf("--init: %w", err)
		}
		had := []*model.Network{m.Generator, m.Discriminator}
		if had[i] == nil {
			return input.Errorf("--init: %s holds no %s: give GENERATOR,DISCRIMINATOR, or one checkpoint", path, roles[i])
		}
		for k, n := range had {
			if n == nil || k != i && len(files) > 1 {
				continue
			}
			if m.Foreign && p.from == nil {
				*networks[k], foreign = n.Network, true
			}
			if err := sameWeights(n.Network, *networks[k]); err != nil {
				return input.Errorf("--init: %s: %w", path, err)
			}
			*initial[k] = n
			if n.M == nil {
				reason := n.Anew
				if reason == "" {
					reason = "it holds weights alone"
				}
				p.warn("--init: %s has no moments of Adam for the %s (%s): they start anew at t = 0", path, roles[k], reason)
			}
		}
	}
	for k, n := range initial {
		if len(files) > 0 && *n == nil {
			p.warn("--init: no file has a %s: its weights are drawn", roles[k])
		}
	}
	if !foreign {
		return nil
	}
	g, d := p.plan.Generator, p.plan.Discriminator
	if drawn := g.Output(); !slices.Equal(drawn, d.Input) {
		return input.Errorf("--init: the generator draws images of %v, the discriminator takes %v: give both of a pair",
			[]int(drawn), []int(d.Input))
	}
	return p.describe()
}

func (p *prepared) warn(format string, args ...any) {
	p.plan.Warnings = append(p.plan.Warnings, fmt.Sprintf(format, args...))
}

// describe makes the settings say what the layers of another system's files are. Where no settings can, only the latent's
// size is taken from them. That a setting was chosen otherwise is an error of input.
func (p *prepared) describe() error {
	c := &p.plan.Config.Config
	described, whole := arch.SettingsOf(p.plan.Generator, p.plan.Discriminator, *c)
	if !whole {
		p.warn("--init: no settings describe the layers of %s: those files decide, and config.json says nothing true of layers",
			c.Init)
	}
	defaults := DefaultConfig()
	first, asked, now := defaults.Settings(), p.asked.Settings(), described.Settings()
	for i, s := range c.Settings() {
		if s.String() == now[i].String() {
			continue
		}
		if s.String() != first[i].String() {
			return input.Errorf("--%s: %s is asked for, and the layers of --init %s have %s: leave it out",
				s.Flag(), s, c.Init, now[i])
		}
		if err := asked[i].Set(now[i].String()); err != nil {
			return input.Errorf("--init: %s: %w", c.Init, err)
		}
	}
	*c = described
	return c.Check()
}

// sameWeights says where the weights of a network differ in shape from those of another.
func sameWeights(had, want arch.Network) error {
	a, b := had.Tensors(), want.Tensors()
	if len(a) != len(b) {
		return fmt.Errorf("its %s has %d tensors, the settings ask for %d", had.Name, len(a), len(b))
	}
	for i := range a {
		if a[i].Name != b[i].Name || !slices.Equal(a[i].Shape, b[i].Shape) {
			return fmt.Errorf("its %s has %s of %v, the settings ask for %s of %v", had.Name,
				a[i].Name, []int(a[i].Shape), b[i].Name, []int(b[i].Shape))
		}
	}
	return nil
}
