package exchange

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"dcgan/arch"
	"dcgan/internal/input"
	"dcgan/model"
)

// Keys of the metadata in the formats that have any.
const (
	versionKey      = "export_version" // of these keys and of the layout of tensors
	architectureKey = "architecture"   // arch.Network
	configKey       = "config"         // the run's settings that change numbers, by their keys in config.json
	stepKey         = "step"

	version = "1"
)

// describe returns what a file says of a network beside its weights. Equal models give equal texts.
func describe(n *model.Network, m *model.Model) map[string]string {
	settings := m.Settings
	if settings == nil {
		settings = map[string]json.RawMessage{}
	}
	return map[string]string{
		versionKey:      version,
		architectureKey: text(n.Network),
		configKey:       text(settings),
		stepKey:         strconv.Itoa(m.Step),
	}
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // plain data, finite by arch's and config's checks
		panic(err)
	}
	return string(b)
}

// described is the inverse of describe: a model with one network, which has no weights yet and whose shapes fit.
func described(about map[string]string) (*model.Network, *model.Model, error) {
	if about[versionKey] != version {
		return nil, nil, input.Errorf("its export has version %q, this program reads %s: use the program that wrote it",
			about[versionKey], version)
	}
	n, m := &model.Network{}, &model.Model{}
	for key, into := range map[string]any{architectureKey: &n.Network, configKey: &m.Settings, stepKey: &m.Step} {
		if !utf8.ValidString(about[key]) {
			return nil, nil, input.Errorf("its %s is not UTF-8", key)
		}
		if err := json.Unmarshal([]byte(about[key]), into); err != nil {
			return nil, nil, input.Errorf("its %s cannot be read: %w", key, err)
		}
	}
	if m.Step < 0 {
		return nil, nil, input.Errorf("its step is below 0")
	}
	if _, err := n.Shapes(); err != nil {
		return nil, nil, err
	}
	switch role(n.Network) {
	case generator:
		m.Generator = n
	case discriminator:
		m.Discriminator = n
	default:
		return nil, nil, notExchanged(n.Network)
	}
	return n, m, nil
}

const (
	generator     = "generator"
	discriminator = "discriminator"
)

// role tells by its shapes whether a network draws images or judges them; "" is neither.
func role(n arch.Network) string {
	switch out := n.Output(); {
	case len(n.Input) == 1 && len(out) == 3:
		return generator
	case len(n.Input) == 3 && len(out) == 1 && out[0] == 1:
		return discriminator
	}
	return ""
}

func notExchanged(n arch.Network) error {
	return input.Errorf("a network from %v to %v is neither a generator nor a discriminator", n.Input, n.Output())
}
