package keras

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/format/hdf5"
	"dcgan/internal/input"
	"dcgan/model"
)

var seedAdam = Adam{LR: 2e-4, Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-7, Decay: 1e-8}

// network returns a small discriminator with one of each layer, random weights and, if asked for, moments.
func network(moments bool) *model.Network {
	n := &model.Network{Network: arch.Network{Name: "discriminator", Input: arch.Shape{1, 4, 6}, Layers: []arch.Layer{
		{Class: arch.Reshape, Target: arch.Shape{4, 6, 1}},
		{Class: arch.Conv2D, Filters: 2, Kernel: 4, Strides: 2},
		{Class: arch.BatchNormalization, Momentum: 0.8, Epsilon: 1e-2},
		{Class: arch.LeakyReLU, NegativeSlope: 0.2},
		{Class: arch.Dropout, Rate: 0.4},
		{Class: arch.Conv2DTranspose, Filters: 3, Kernel: 3, Strides: 2},
		{Class: arch.Activation, Function: arch.ReLU},
		{Class: arch.Conv2D, Filters: 2, Kernel: 1, Strides: 1},
		{Class: arch.BatchNormalization, Momentum: 0.9, Epsilon: 1e-3},
		{Class: arch.Activation, Function: arch.Tanh},
		{Class: arch.Flatten},
		{Class: arch.Dense, Units: 1},
		{Class: arch.Activation, Function: arch.Sigmoid},
	}}}
	random := rand.New(rand.NewPCG(1, 2))
	values := func(s arch.Shape) []float32 {
		v := make([]float32, s.Size())
		for i := range v {
			v[i] = random.Float32()
		}
		return v
	}
	for _, t := range n.Tensors() {
		n.Weights = append(n.Weights, values(t.Shape))
		if moments {
			var m, v []float32
			if t.Trainable {
				m, v = values(t.Shape), values(t.Shape)
			}
			n.M, n.V, n.Iteration = append(n.M, m), append(n.V, v), 7
		}
	}
	return n
}

var writers = map[string]func(*bytes.Buffer, *model.Network, Adam) error{
	"legacy": func(b *bytes.Buffer, n *model.Network, a Adam) error { return WriteLegacy(b, n, a) },
	"zip":    func(b *bytes.Buffer, n *model.Network, a Adam) error { return WriteZip(b, n, a) },
}

func write(t testing.TB, kind string, n *model.Network, a Adam) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writers[kind](&b, n, a); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	plain := seedAdam
	plain.Decay = 0
	for kind := range writers {
		for _, moments := range []bool{true, false} {
			for _, adam := range []Adam{seedAdam, plain} {
				want := network(moments)
				file := write(t, kind, want, adam)
				got, gotAdam, err := Read(file)
				if err != nil {
					t.Fatalf("%s: %v", kind, err)
				}
				if moments != (got.Anew == "") {
					t.Errorf("%s, moments %v: %q", kind, moments, got.Anew)
				}
				got.Anew = ""
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s: another network came back", kind)
				}
				if moments && (gotAdam == nil || *gotAdam != adam) {
					t.Errorf("%s: settings %v came back, want %v", kind, gotAdam, adam)
				}
				if again := write(t, kind, got, adam); !bytes.Equal(again, file) {
					t.Errorf("%s: written again, it differs", kind)
				}
			}
		}
	}
}

// described is what Keras says of a network, to be changed.
func described(t *testing.T, n arch.Network) (model map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text(config(n, keras3))), &model); err != nil {
		t.Fatal(err)
	}
	return model
}

// layerOf returns the config of a layer of a described model.
func layerOf(model map[string]any, index int) map[string]any {
	return model["config"].(map[string]any)["layers"].([]any)[index].(map[string]any)["config"].(map[string]any)
}

// TestOptions changes an option of a layer: what is not known is named in the error, and what means the same is taken.
func TestOptions(t *testing.T) {
	const reshape, conv, norm, leaky, drop, dense, last = 1, 2, 3, 4, 5, 12, 13
	for _, test := range []struct {
		layer int
		key   string
		value any
		says  string // "" where it means the same
	}{
		{conv, "padding", "valid", `padding is "valid"`},
		{conv, "use_bias", false, "use_bias is false"},
		{conv, "kernel_size", []int{4, 3}, "kernel_size is [4,3]"},
		{conv, "kernel_size", 4, ""},
		{conv, "kernel_size", []int{9, 9}, "kernels are 1 to 7"},
		{conv, "strides", []int{3, 3}, "strides 1 or 2"},
		{conv, "strides", 2, ""},
		{conv, "data_format", "channels_first", `data_format is "channels_first"`},
		{conv, "dilation_rate", []int{2, 2}, "dilation_rate is [2,2]"},
		{conv, "dilation_rate", []int{1, 1}, ""},
		{conv, "groups", 2, "groups is 2"},
		{conv, "filters", "many", "filters is"},
		{conv, "filters", nil, "filters is"},
		{conv, "activation", "softmax", `activation is "softmax"`},
		{conv, "activation", nil, ""},
		{conv, "kernel_regularizer", map[string]any{"class_name": "L2"}, "kernel_regularizer is"},
		{conv, "kernel_initializer", map[string]any{"class_name": "Zeros"}, ""},
		{conv, "trainable", false, ""},
		{conv, "brand_new", nil, ""},
		{conv, "brand_new", false, ""},
		{conv, "brand_new", 1, "brand_new is 1"},
		{conv, "dtype", "float16", `dtype is "float16"`},
		{conv, "dtype", map[string]any{"class_name": "DTypePolicy", "config": map[string]any{"name": "float32"}}, ""},
		{conv, "dtype", map[string]any{"class_name": "DTypePolicy", "config": map[string]any{"name": "mixed_bfloat16"}}, "mixed_bfloat16"},
		{norm, "axis", []int{3}, ""},
		{norm, "axis", 3, ""},
		{norm, "axis", 1, "axis 1"},
		{norm, "center", false, "center is false"},
		{norm, "scale", false, "scale is false"},
		{norm, "epsilon", -1, "epsilon -1"},
		{norm, "renorm", true, "renorm is true"},
		{leaky, "negative_slope", map[string]any{"type": "ndarray", "value": 0.20000000298023224}, ""},
		{leaky, "negative_slope", map[string]any{"class_name": "__numpy__", "config": map[string]any{"value": []float64{0.2}}}, ""},
		{leaky, "negative_slope", "x", "negative_slope is"},
		{leaky, "negative_slope", nil, "negative_slope is null"},
		{drop, "rate", 1, "rate 1"},
		{drop, "noise_shape", []int{1, 2}, "noise_shape is [1,2]"},
		{drop, "seed", 5, ""},
		{reshape, "target_shape", []int{4, -1, 1}, ""},
		{reshape, "target_shape", []int{4, 5, 1}, "24 values"},
		{reshape, "target_shape", []int{-1, -1, 1}, "reshape"},
		{reshape, "target_shape", []int{1 << 40, 1 << 40, -1}, "reshape"},
		{dense, "units", -1, "units -1"},
		{last, "activation", "hard_sigmoid", `activation is "hard_sigmoid"`},
	} {
		n := network(false)
		model := described(t, n.Network)
		layerOf(model, test.layer)[test.key] = test.value
		a, err := Parse([]byte(text(model)))
		name := fmt.Sprintf("%s = %v", test.key, test.value)
		switch {
		case test.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.says == "" && !reflect.DeepEqual(a.Network, n.Network):
			t.Errorf("%s: another network", name)
		case test.says != "" && (!input.Is(err) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}

// TestLambda names a layer that is not known, and its class.
func TestLambda(t *testing.T) {
	_, err := Parse([]byte(`{"class_name": "Sequential", "config": [{"class_name": "Lambda", "config": {"name": "my_lambda", "function": "x"}}]}`))
	if !input.Is(err) || !strings.Contains(err.Error(), `"my_lambda" is a Lambda`) {
		t.Error(err)
	}
}

// TestActivations takes an activation that is an option of a layer as a layer of its own, and none for linear.
func TestActivations(t *testing.T) {
	a, err := Parse([]byte(`{"class_name": "Sequential", "config": [
		{"class_name": "Dense", "config": {"name": "first", "units": 3, "activation": "tanh", "batch_input_shape": [null, 2]}},
		{"class_name": "ReLU", "config": {"name": "r", "max_value": null, "negative_slope": 0.0, "threshold": 0.0}},
		{"class_name": "Activation", "config": {"name": "l", "activation": "linear"}},
		{"class_name": "Dense", "config": {"name": "second", "units": 1, "activation": "sigmoid"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range a.Network.Layers {
		got = append(got, string(l.Class)+l.Function)
	}
	if want := []string{"Dense", "Activationtanh", "Activationrelu", "Dense", "Activationsigmoid"}; !slices.Equal(got, want) {
		t.Errorf("layers %v, want %v", got, want)
	}
}

// TestFunctional reads chains of layers in every way that Keras has written them, and refuses what is no chain.
func TestFunctional(t *testing.T) {
	const in2 = `{"class_name": "InputLayer", "name": "in", "config": {"name": "in", "batch_input_shape": [null, 2]}, "inbound_nodes": []}`
	dense := func(name, inbound string) string {
		return fmt.Sprintf(`{"class_name": "Dense", "name": %q, "config": {"name": %[1]q, "units": 2}, "inbound_nodes": %s}`, name, inbound)
	}
	keras3 := func(of string) string {
		return `[{"args": [{"class_name": "__keras_tensor__", "config": {"shape": [null, 2], "keras_history": ["` + of + `", 0, 0]}}], "kwargs": {"mask": null}}]`
	}
	keras2 := func(of string) string { return `[[["` + of + `", 0, 0, {}]]]` }
	model := func(class, output string, layers ...string) string {
		return fmt.Sprintf(`{"class_name": %q, "config": {"name": "m", "layers": [%s], "output_layers": %s}}`, class, strings.Join(layers, ","), output)
	}
	for name, test := range map[string]struct{ json, says string }{
		"Keras 2":         {model("Model", `[["b", 0, 0]]`, in2, dense("b", keras2("a")), dense("a", keras2("in"))), ""},
		"Keras 3":         {model("Functional", `["b", 0, 0]`, in2, dense("b", keras3("a")), dense("a", keras3("in"))), ""},
		"called twice":    {model("Model", `[["b", 0, 0]]`, in2, dense("a", keras2("in")), dense("b", `[[["a", 0, 0, {}]], [["in", 0, 0, {}]]]`)), "called 2 times"},
		"two inputs":      {model("Model", `[["b", 0, 0]]`, in2, dense("a", keras2("in")), dense("b", `[[["a", 0, 0, {}], ["in", 0, 0, {}]]]`)), "2 inputs"},
		"circle":          {model("Model", `[["b", 0, 0]]`, in2, dense("a", keras2("b")), dense("b", keras2("a"))), "circle"},
		"unused":          {model("Model", `[["a", 0, 0]]`, in2, dense("a", keras2("in")), dense("b", keras2("a"))), `"b" is not on the way`},
		"two outputs":     {model("Model", `[["a", 0, 0], ["b", 0, 0]]`, in2, dense("a", keras2("in")), dense("b", keras2("a"))), "2 outputs"},
		"no output":       {model("Model", `[]`, in2), "0 outputs"},
		"unknown name":    {model("Model", `[["x", 0, 0]]`, in2), `no layer "x"`},
		"same name":       {model("Model", `[["a", 0, 0]]`, in2, dense("a", keras2("in")), dense("a", keras2("in"))), `two layers "a"`},
		"no shape":        {`{"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"units": 1}}]}}`, "shape its input has"},
		"no model":        {`{"class_name": "Dense", "config": {}}`, "no model"},
		"no JSON":         {`{"class_name"`, "no JSON"},
		"damaged layers":  {`{"class_name": "Sequential", "config": {"layers": 5}}`, "damaged"},
		"damaged config":  {`{"class_name": "Sequential", "config": [{"class_name": "Dense", "config": 5}]}`, "damaged"},
		"damaged inbound": {model("Model", `[["a", 0, 0]]`, in2, dense("a", `{"a": 1}`)), "inbound_nodes"},
	} {
		a, err := Parse([]byte(test.json))
		switch {
		case test.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.says == "" && !slices.Equal(a.names, []string{"a", "b"}):
			t.Errorf("%s: layers in the order %v", name, a.names)
		case test.says != "" && (!input.Is(err) || !strings.Contains(err.Error(), test.says)):
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}

// TestWeightsAlone reads weights without layers for networks that are named otherwise, or are others.
func TestWeightsAlone(t *testing.T) {
	n := network(false)
	root := &hdf5.Group{}
	// A frozen model within a model: one group, weights by layer, other names than ours.
	group := root.Make("wrapped")
	var paths []string
	for i, tensor := range n.Tensors() {
		layer, kind, _ := strings.Cut(tensor.Name, "/")
		path := "wrapped/" + layer + "_9/" + kind + ":0"
		group.Put(path, hdf5.Float32(tensor.Shape, n.Weights[i]))
		paths = append(paths, path)
	}
	group.Set("weight_names", paths)
	root.Set("layer_names0", []string{"wrapped"})
	var b bytes.Buffer
	if err := hdf5.Write(&b, root); err != nil {
		t.Fatal(err)
	}
	other := network(false).Network
	other.Layers = other.Layers[:2]
	got, _, err := Read(b.Bytes(), Plain(other), Plain(n.Network))
	if err != nil || !reflect.DeepEqual(got.Weights, n.Weights) {
		t.Errorf("%v", err)
	}
	if _, _, err := Read(b.Bytes()); !errors.Is(err, ErrNoLayers) || !input.Is(err) {
		t.Errorf("without layers: %v", err)
	}
	if _, _, err := Read(b.Bytes(), Plain(other)); !input.Is(err) || !strings.Contains(err.Error(), "more weights than the 2") {
		t.Errorf("of other layers: %v", err)
	}
	// The weights of a .keras file by themselves.
	var file bytes.Buffer
	inner := &hdf5.Group{}
	for i, tensor := range n.Tensors() {
		layer, _, _ := strings.Cut(tensor.Name, "/")
		at := "layers/functional/layers/sequential/layers/" + layer + "/vars"
		inner.Put(at+"/"+decimal(len(inner.Make(at).Members)), hdf5.Float32(tensor.Shape, n.Weights[i]))
	}
	if err := hdf5.Write(&file, inner); err != nil {
		t.Fatal(err)
	}
	if got, _, err = Read(file.Bytes(), Plain(other), Plain(n.Network)); err != nil || !reflect.DeepEqual(got.Weights, n.Weights) {
		t.Errorf("of Keras 3: %v", err)
	}
}

// TestMoments takes Adam's state where it is the network's, under all the names that it has had, and says why where not.
func TestMoments(t *testing.T) {
	n := network(true)
	type named struct {
		name   string
		values []float32
		shape  []int
	}
	var m, v []named
	weight := []string{}
	for i, tensor := range n.Tensors() {
		if tensor.Trainable {
			m = append(m, named{"", n.M[i], tensor.Shape})
			v = append(v, named{"", n.V[i], tensor.Shape})
			weight = append(weight, tensor.Name)
		}
	}
	state := func(iteration string, format func(which string, i int) string, inTurn bool, extra ...named) []named {
		all := []named{{name: iteration}}
		for i := range m {
			m[i].name, v[i].name = format("m", i), format("v", i)
			if inTurn {
				all = append(all, m[i], v[i])
			}
		}
		if !inTurn {
			all = append(append(all, m...), v...)
		}
		return append(all, extra...)
	}
	keras3 := func(which string, i int) string {
		return "adam_1/discriminator_" + strings.ReplaceAll(weight[i], "/", "_") + map[string]string{"m": "_momentum", "v": "_velocity"}[which]
	}
	tf := func(which string, i int) string { return "Adam/" + which + "/" + weight[i] + ":0" }
	legacy := func(which string, i int) string { return "Adam/" + weight[i] + "/" + which + ":0" }
	count := 0
	variable := func(string, int) string { count++; return fmt.Sprintf("training/Adam/Variable_%d:0", count) }
	var hats []named
	for i := range m {
		hats = append(hats, named{fmt.Sprintf("training/Adam/hat_%d:0", i), []float32{0}, []int{1}})
	}
	replaced := func(at int, value float32) []named {
		all := state("iteration:0", tf, true)
		all[at].values = slices.Clone(all[at].values)
		all[at].values[0] = value
		return all
	}
	other := func(which string, i int) string { return "Adam/" + which + "/generator_" + weight[i] + "x:0" }
	rate := named{"adam_1/learning_rate", []float32{2e-4}, nil}
	withRate := state("adam_1/iteration", keras3, true)
	withRate = slices.Insert(withRate, 1, rate)
	for name, test := range map[string]struct {
		state []named
		class string
		why   string
	}{
		"Keras 3":             {withRate, "Adam", ""},
		"tf-keras":            {state("iteration:0", tf, true), "Custom>Adam", ""},
		"legacy Adam":         {state("Adam/iter:0", legacy, false), "Adam", ""},
		"Keras 2.2":           {state("Adam/iterations:0", variable, false, hats...), "Adam", ""},
		"other optimizer":     {state("iteration:0", tf, true), "RMSprop", "RMSprop"},
		"one Adam for both":   {state("iteration:0", tf, true, append(slices.Clone(m), v...)...), "Adam", "parts"},
		"the other network's": {state("iteration:0", other, true), "Adam", "is not of"},
		"not a number":        {replaced(1, float32(math.NaN())), "Adam", "no training leaves"},
		"a square below 0":    {replaced(2, -1), "Adam", "no training leaves"},
		"one missing":         {state("iteration:0", tf, true)[:4], "Adam", "parts"},
		"no count":            {state("iteration:0", tf, true)[1:], "Adam", "count of steps"},
		"none":                {nil, "Adam", "no optimizer"},
	} {
		root := &hdf5.Group{}
		if test.state != nil {
			group := root.Make("optimizer_weights")
			var names []string
			for i, s := range test.state {
				if slices.Contains(names, s.name) {
					s.name += fmt.Sprint(i)
				}
				names = append(names, s.name)
				if s.values == nil && i == 0 && name != "no count" {
					group.Put(s.name, hdf5.Int64(7))
				} else {
					group.Put(s.name, hdf5.Float32(s.shape, s.values))
				}
			}
			group.Set("weight_names", names)
		}
		root.Set("training_config", `{"optimizer_config": {"class_name": "`+test.class+`", "config": {"learning_rate": 0.1}}}`)
		var b bytes.Buffer
		if err := hdf5.Write(&b, root); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		read, err := hdf5.Read(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		got := &model.Network{Network: n.Network, Weights: n.Weights}
		var paths []string
		for _, tensor := range n.Tensors() {
			paths = append(paths, tensor.Name)
		}
		parseTraining(read).restore(got, read, paths)
		if test.why == "" && (got.Anew != "" || got.Iteration != 7 || !reflect.DeepEqual(got.M, n.M) || !reflect.DeepEqual(got.V, n.V)) {
			t.Errorf("%s: %q, step %d, or other moments", name, got.Anew, got.Iteration)
		}
		if test.why != "" && (!strings.Contains(got.Anew, test.why) || got.M != nil || got.V != nil || got.Iteration != 0) {
			t.Errorf("%s: %q, step %d, want %q", name, got.Anew, got.Iteration, test.why)
		}
	}
}
