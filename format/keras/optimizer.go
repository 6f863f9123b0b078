package keras

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dcgan/arch"
	"dcgan/format/hdf5"
	"dcgan/model"
)

// compiled is what a file says of its optimizer.
type compiled struct {
	class   string // "" where it does not say
	amsgrad bool
	adam    *Adam // nil where it does not say
}

// optimizer is what Keras writes of one.
type optimizer struct {
	Class  string `json:"class_name"`
	Config struct {
		Rate    json.RawMessage `json:"learning_rate"`
		Old     json.RawMessage `json:"lr"`
		Decay   float64         `json:"decay"`
		Beta1   *float64        `json:"beta_1"`
		Beta2   *float64        `json:"beta_2"`
		Epsilon *float64        `json:"epsilon"`
		AMSGrad bool            `json:"amsgrad"`
	} `json:"config"`
}

// parseTraining reads what a legacy file says, in Keras' attribute or in ours.
func parseTraining(root *hdf5.Group) compiled {
	var t struct {
		Optimizer optimizer `json:"optimizer_config"`
	}
	into := any(&t)
	text, ok := root.Attribute("training_config").(string)
	if !ok {
		into = &t.Optimizer
		text, ok = root.Attribute(optimizerName).(string)
	}
	if !ok || json.Unmarshal([]byte(text), into) != nil {
		return compiled{}
	}
	return t.Optimizer.read()
}

// parseCompiled reads compile_config of the config of a .keras file.
func parseCompiled(config []byte) compiled {
	var c struct {
		Compile struct {
			Optimizer optimizer `json:"optimizer"`
		} `json:"compile_config"`
	}
	if json.Unmarshal(config, &c) != nil {
		return compiled{}
	}
	return c.Compile.Optimizer.read()
}

func (o *optimizer) read() compiled {
	c := compiled{class: strings.TrimPrefix(o.Class, "Custom>"), amsgrad: o.Config.AMSGrad}
	if c.class != "Adam" || o.Config.Beta1 == nil || o.Config.Beta2 == nil {
		return c
	}
	adam := Adam{Beta1: short(*o.Config.Beta1), Beta2: short(*o.Config.Beta2), Epsilon: 1e-7, Decay: short(o.Config.Decay)}
	if o.Config.Epsilon != nil {
		adam.Epsilon = short(*o.Config.Epsilon)
	}
	rate := o.Config.Rate
	if rate == nil {
		rate = o.Config.Old
	}
	if json.Unmarshal(rate, &adam.LR) != nil {
		var schedule struct {
			Class  string `json:"class_name"`
			Config struct {
				Rate  float64 `json:"initial_learning_rate"`
				Steps float64 `json:"decay_steps"`
				Decay float64 `json:"decay_rate"`
			} `json:"config"`
		}
		if json.Unmarshal(rate, &schedule) != nil || schedule.Class != "InverseTimeDecay" || schedule.Config.Steps <= 0 {
			return c
		}
		adam.LR, adam.Decay = schedule.Config.Rate, schedule.Config.Decay/schedule.Config.Steps
	}
	adam.LR = short(adam.LR)
	c.adam = &adam
	return c
}

// variable is a part of an optimizer's state.
type variable struct {
	name string // "" in files of Keras 3, which count them
	data *hdf5.Dataset
}

// variables returns the optimizer's state, of either kind of file.
func variables(root *hdf5.Group) []variable {
	var all []variable
	if g := root.Group("optimizer_weights"); g != nil {
		for _, name := range names(g, "weight_names") {
			all = append(all, variable{name, g.Dataset(name)})
			if len(all) > 8*maxLayers {
				break
			}
		}
	} else if g := root.Group("optimizer/vars"); g != nil {
		for i := range min(len(g.Members), 8*maxLayers) {
			all = append(all, variable{"", g.Dataset(decimal(i))})
		}
	}
	return all
}

// restore takes Adam's moments and step, if they are those of this network, and else says why not. paths names the
// network's weights in the file, nil where they have no names.
func (c compiled) restore(n *model.Network, root *hdf5.Group, paths []string) {
	switch all := variables(root); {
	case len(all) == 0:
		n.Anew = "it has no optimizer's state"
	case c.class != "" && c.class != "Adam":
		n.Anew = "its optimizer is " + c.class
	case c.amsgrad:
		n.Anew = "its optimizer is Adam with amsgrad"
	case slices.ContainsFunc(all, func(v variable) bool { return v.data == nil }):
		n.Anew = "its optimizer's state is not whole"
	default:
		n.Anew = take(n, all, paths)
	}
}

// take takes the moments, or says why they are not the network's.
func take(n *model.Network, all []variable, paths []string) (why string) {
	iteration, err := all[0].data.Int()
	known := []string{"", "iteration", "iterations", "iter"}
	if err != nil || iteration < 0 || iteration > maxIteration || !slices.Contains(known, base(all[0].name)) {
		return "its optimizer's state does not begin with a count of steps"
	}
	var tensors []int
	all = all[1:]
	for i, t := range n.Tensors() {
		if t.Trainable {
			tensors = append(tensors, i)
		}
	}
	count := len(tensors)
	if len(all) > 0 && len(all[0].data.Shape) == 0 &&
		(strings.HasSuffix(base(all[0].name), "learning_rate") || all[0].name == "" && len(all) == 1+2*count) {
		all = all[1:]
	}
	m, v := moments(all, count)
	if len(m) != count || len(v) != count {
		return fmt.Sprintf("its optimizer's state has %d parts where moments of this network have %d", len(all), 2*count)
	}
	first, second := make([][]float32, len(n.Weights)), make([][]float32, len(n.Weights))
	list := n.Tensors()
	for k, i := range tensors {
		if !belongs(m[k], list[i], paths, i) || !belongs(v[k], list[i], paths, i) {
			return fmt.Sprintf("its optimizer's state %s is not of %s", m[k].name, list[i].Name)
		}
		if first[i], err = m[k].data.Float32s(); err == nil {
			second[i], err = v[k].data.Float32s()
		}
		if err != nil {
			return fmt.Sprintf("its optimizer's state of %s %v", list[i].Name, err)
		}
		if !areMoments(first[i], second[i]) {
			return fmt.Sprintf("its optimizer's state of %s has values that no training leaves", list[i].Name)
		}
	}
	n.M, n.V, n.Iteration = first, second, iteration
	return ""
}

// maxIteration bounds the count of steps, which goes on from there.
const maxIteration = 1 << 40

// areMoments reports whether all values are finite, and those of the second moments, means of squares, not below 0.
func areMoments(first, second []float32) bool {
	return !slices.ContainsFunc(first, func(m float32) bool { return m-m != 0 }) &&
		!slices.ContainsFunc(second, func(v float32) bool { return v-v != 0 || v < 0 })
}

// moments tells first from second moments: by their names, where these say it; else, with names, all first ones come
// before all second ones (and behind them what amsgrad would use), and without names they come in turn.
func moments(all []variable, count int) (m, v []variable) {
	unknown := 0
	for _, one := range all {
		switch which, _ := slot(one.name); which {
		case 'm':
			m = append(m, one)
		case 'v':
			v = append(v, one)
		default:
			unknown++
		}
	}
	switch {
	case unknown == 0:
		return m, v
	case unknown < len(all):
		return nil, nil
	case all[0].name == "":
		for i, one := range all {
			if i%2 == 0 {
				m = append(m, one)
			} else {
				v = append(v, one)
			}
		}
		return m, v
	case len(all) == 2*count:
		return all[:count], all[count:]
	case len(all) == 3*count && !slices.ContainsFunc(all[2*count:], func(v variable) bool { return v.data.Size() != 1 }):
		return all[:count], all[count : 2*count]
	}
	return nil, nil
}

// slot tells by a variable's name whether it is a first or a second moment, 'm' or 'v', and of which weight.
func slot(name string) (which byte, of string) {
	name = strings.TrimSuffix(name, ":0")
	for _, end := range []struct {
		text  string
		which byte
	}{{"/m", 'm'}, {"/v", 'v'}, {"_momentum", 'm'}, {"_velocity", 'v'}} {
		if of, ok := strings.CutSuffix(name, end.text); ok {
			return end.which, of
		}
	}
	for _, which := range []byte{'m', 'v'} {
		if _, of, ok := strings.Cut(name, "/"+string(which)+"/"); ok {
			return which, of
		}
	}
	return 0, ""
}

// belongs holds a moment's shape, and where it has one its name, against tensor i.
func belongs(v variable, t arch.Tensor, paths []string, i int) bool {
	if !slices.Equal(v.data.Shape, t.Shape) {
		return false
	}
	flat := func(path string) string { return strings.ReplaceAll(strings.TrimSuffix(path, ":0"), "/", "_") }
	_, of := slot(v.name)
	return of == "" || paths == nil || strings.HasSuffix(flat(of), flat(paths[i]))
}
