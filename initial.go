package dcgan

import (
	"fmt"
	"slices"

	"dcgan/arch"
	"dcgan/exchange"
	"dcgan/internal/input"
	"dcgan/model"
	"dcgan/train"
)

// openInitial reads the files that first weights are taken from. Of a run that has a checkpoint they are only held against
// those that it began with, and where they are not given, not needed.
func (p *prepared) openInitial() error {
	files := p.plan.Config.InitFiles()
	if p.from != nil && !slices.Contains(p.plan.Given, "init") {
		return nil
	}
	networks := []*arch.Network{&p.plan.Generator, &p.plan.Discriminator}
	initial := []**model.Network{&p.initial.Generator, &p.initial.Discriminator}
	roles := []string{GeneratorNetwork, DiscriminatorNetwork}
	var foreign [2]bool // G, D: its layers are those of the file
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
				*networks[k], foreign[k] = n.Network, true
			}
			if err := sameWeights(n.Network, *networks[k]); err != nil {
				return input.Errorf("--init: %s: %w", path, err)
			}
			if len(n.Weights) == 0 {
				return input.Errorf("--init: %s has no weights to train", path)
			}
			if name := n.NotFinite(); name != "" {
				return input.Errorf("--init: %s: %s has values that are no finite numbers: no training can go on from them", path, name)
			}
			*initial[k] = n
			if n.M == nil && p.from == nil {
				reason := n.Anew
				if reason == "" {
					reason = "it holds weights alone"
				}
				p.warn("--init: %s has no moments of Adam for the %s (%s): they start anew at t = 0", path, roles[k], reason)
			}
		}
	}
	if p.from != nil {
		return p.sameInitial()
	}
	for k, n := range initial {
		if len(files) > 0 && *n == nil {
			p.warn("--init: no file has a %s: its weights are drawn", roles[k])
		}
	}
	if foreign == [2]bool{} {
		return nil
	}
	g, d := p.plan.Generator, p.plan.Discriminator
	if drawn := g.Output(); !slices.Equal(drawn, d.Input) {
		return input.Errorf("--init: the generator draws images of %v, the discriminator takes %v: give both of a pair",
			[]int(drawn), []int(d.Input))
	}
	return p.describe(foreign)
}

// sameInitial holds the first weights that are given now against those that a run began with.
func (p *prepared) sameInitial() error {
	now := ""
	if p.plan.Init != "" {
		now = train.FirstSHA256(p.plan.Seed, [2]arch.Network{p.plan.Generator, p.plan.Discriminator},
			[2]*model.Network{p.initial.Generator, p.initial.Discriminator})
	}
	if now == p.from.InitSHA256 {
		return nil
	}
	return input.Errorf("--init: %s began with other first weights than these: leave --init out to go on with it", p.plan.Run)
}

func (p *prepared) warn(format string, args ...any) {
	p.plan.Warnings = append(p.plan.Warnings, fmt.Sprintf(format, args...))
}

// describe makes the settings say what the layers of another system's files are. Where no settings can, only the latent's
// size is taken from them. That a setting was chosen otherwise is an error of input, and where no settings can, so is one of
// layers that a file decides.
func (p *prepared) describe(foreign [2]bool) error {
	c := &p.plan.Config.Config
	described, whole := arch.SettingsOf(p.plan.Generator, p.plan.Discriminator, *c)
	if !whole {
		p.warn("--init: no settings describe the layers of %s: those files decide, and config.json says nothing true of layers",
			c.Init)
	}
	defaults := DefaultConfig()
	first, asked, now := defaults.Settings(), p.asked.Settings(), described.Settings()
	for i, s := range c.Settings() {
		chosen := s.String() != first[i].String()
		if !whole && chosen && decided(s.Key, foreign) {
			return input.Errorf("--%s: %s is asked for, and the files of --init %s decide the layers: leave it out",
				s.Flag(), s, c.Init)
		}
		if s.String() == now[i].String() {
			continue
		}
		if chosen || slices.Contains(p.plan.Given, s.Key) {
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

// layerSettings are the settings that layers are made of, by their keys, and of which networks: 0 is G, 1 is D.
var layerSettings = map[string][]int{
	"kernel": {0, 1}, "g_filters": {0}, "bn_momentum": {0}, "bn_epsilon": {0},
	"d_filters": {1}, "leaky_slope": {1}, "dropout": {1},
}

// decided reports whether a setting is of layers that a file decides.
func decided(key string, foreign [2]bool) bool {
	return slices.ContainsFunc(layerSettings[key], func(k int) bool { return foreign[k] })
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
