package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Setting is one line of the table. It has the methods of a flag's value.
type Setting struct {
	Key     string // as in config.json; the flag is the same with - for _
	Group   string // heading that it stands under in the help
	Help    string
	Numbers bool // whether another value gives other numbers, so that resume needs it unchanged
	Value   any  // pointer into the Config: *string, *int, *uint64, *float64, *bool, *[]int or *Range
}

// The headings of the help.
const (
	GroupRun      = "The run"
	GroupNetworks = "The networks"
	GroupLearning = "Learning"
)

// Settings returns the table for c, in the order of the help.
func (c *Config) Settings() []Setting {
	return []Setting{
		{"data", GroupRun, "images to learn from: mnist, or the path of an IDX `FILE` (.gz or not)", false, &c.Data},
		{"labels", GroupRun, "IDX `FILE` of labels (default: the usual name beside the images)", false, &c.Labels},
		{"recipe", GroupRun, "set of defaults, by `NAME`", false, &c.Recipe},
		{"init", GroupRun, "begin with the weights of these `FILES`: one checkpoint, or GENERATOR,DISCRIMINATOR", false, &c.Init},
		{"steps", GroupRun, "train up to this step, a total", false, &c.Steps},
		{"batch", GroupLearning, "images a step, half of them real in D's", true, &c.Batch},
		{"save_every", GroupRun, "steps between checkpoints and sample grids", false, &c.SaveEvery},
		{"keep", GroupRun, "newest checkpoints to keep, 0 for all", false, &c.Keep},
		{"seed", GroupLearning, "every random draw follows from it", true, &c.Seed},
		{"threads", GroupRun, "threads, 0 for the cores this process may use", false, &c.Threads},
		{"tensorboard", GroupRun, "write event files for TensorBoard too", false, &c.TensorBoard},
		{"keras_h5", GroupRun, "save generator_N.h5 and discriminator_N.h5 for Keras too", false, &c.KerasH5},
		{"on_divergence", GroupRun, "what to do when training goes bad, an `ACTION`: stop, restart or warn", false, &c.OnDivergence},
		{"latent", GroupNetworks, "values in a latent", true, &c.Latent},
		{"noise", GroupNetworks, "bounds of the truncated normal of latents", true, &c.Noise},
		{"kernel", GroupNetworks, "side of the convolutions, 1 to 7", true, &c.Kernel},
		{"g_filters", GroupNetworks, "channels of G from the latent on", true, &c.GFilters},
		{"d_filters", GroupNetworks, "filters of D's convolutions", true, &c.DFilters},
		{"leaky_slope", GroupNetworks, "slope of LeakyReLU below zero", true, &c.LeakySlope},
		{"dropout", GroupNetworks, "share of activations that D drops", true, &c.Dropout},
		{"bn_momentum", GroupNetworks, "momentum of the moving statistics", true, &c.BNMomentum},
		{"bn_epsilon", GroupNetworks, "added to the variance in batch normalisation", true, &c.BNEpsilon},
		{"lr", GroupLearning, "Adam's learning rate", true, &c.LR},
		{"beta1", GroupLearning, "Adam's decay of the first moment", true, &c.Beta1},
		{"beta2", GroupLearning, "Adam's decay of the second moment", true, &c.Beta2},
		{"epsilon", GroupLearning, "Adam's epsilon, outside the root", true, &c.Epsilon},
		{"decay", GroupLearning, "the rate at iteration i is lr / (1 + decay*i)", true, &c.Decay},
		{"real_labels", GroupLearning, "bounds of the truncated normal of real targets", true, &c.RealLabels},
		{"fake_labels", GroupLearning, "bounds of the truncated normal of generated targets", true, &c.FakeLabels},
	}
}

// Flag returns the setting's name on the command line, without dashes.
func (s Setting) Flag() string { return flagName(s.Key) }

func flagName(key string) string { return strings.ReplaceAll(key, "_", "-") }

// Type returns the word that stands for a value in the help.
func (s Setting) Type() string {
	switch s.Value.(type) {
	case *string:
		return "string"
	case *int, *uint64:
		return "int"
	case *bool:
		return "bool"
	case *[]int:
		return "N,N,..."
	case *Range:
		return "LOW:HIGH"
	default:
		return "float"
	}
}

// wanted says in words what a value must be.
func (s Setting) wanted() string {
	switch s.Value.(type) {
	case *string:
		return "a string"
	case *int:
		return "a whole number"
	case *uint64:
		return "a whole number from 0 to 18446744073709551615"
	case *bool:
		return "a truth value, true or false"
	case *[]int:
		return "a list of whole numbers"
	case *Range:
		return "a range LOW:HIGH, for example 0.7:1.2"
	default:
		return "a number"
	}
}

// String returns the value as it is written on the command line. Equal values have equal texts, other values others.
func (s Setting) String() string {
	switch v := s.Value.(type) {
	case *string:
		return *v
	case *int:
		return strconv.Itoa(*v)
	case *uint64:
		return strconv.FormatUint(*v, 10)
	case *float64:
		return formatFloat(*v)
	case *bool:
		return strconv.FormatBool(*v)
	case *[]int:
		texts := make([]string, len(*v))
		for i, n := range *v {
			texts[i] = strconv.Itoa(n)
		}
		return strings.Join(texts, ",")
	case *Range:
		return v.String()
	default: // a setting made by hand, with no value
		return ""
	}
}

// Set reads the value from its text on the command line. It leaves the value as it was where the text is wrong, and
// does not check bounds.
func (s Setting) Set(text string) error {
	bad := fmt.Errorf("%q is not %s", text, s.wanted())
	switch v := s.Value.(type) {
	case *string:
		*v = text
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return bad
		}
		*v = n
	case *uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return bad
		}
		*v = n
	case *float64:
		n, err := parseFloat(text)
		if err != nil {
			return bad
		}
		*v = n
	case *bool:
		is, err := strconv.ParseBool(text)
		if err != nil {
			return bad
		}
		*v = is
	case *[]int:
		parts := strings.Split(text, ",")
		list := make([]int, len(parts))
		for i, part := range parts {
			n, err := strconv.Atoi(strings.TrimSpace(part))
			if err != nil {
				return fmt.Errorf("%q is not %s with commas between, for example 64,128", text, s.wanted())
			}
			list[i] = n
		}
		*v = list
	case *Range:
		return v.UnmarshalText([]byte(text))
	default:
		return errors.New("setting without a value")
	}
	return nil
}

// Range is an interval, written LOW:HIGH.
type Range struct{ Low, High float64 }

func (r Range) String() string { return formatFloat(r.Low) + ":" + formatFloat(r.High) }

// MarshalText makes a Range a string in JSON.
func (r Range) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads LOW:HIGH.
func (r *Range) UnmarshalText(text []byte) error {
	low, high, ok := strings.Cut(string(text), ":")
	var parsed Range
	var err error
	if parsed.Low, err = parseFloat(low); err == nil {
		parsed.High, err = parseFloat(high)
	}
	if !ok || err != nil {
		return fmt.Errorf("%q is not %s", text, Setting{Value: r}.wanted())
	}
	*r = parsed
	return nil
}

// formatFloat writes the shortest text that reads back as the same float64.
func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// parseFloat reads a number; -0 becomes 0, so that equal numbers have one text.
func parseFloat(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return v + 0, err
}
