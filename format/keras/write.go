package keras

import (
	"archive/zip"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"dcgan/arch"
	"dcgan/format/hdf5"
	"dcgan/model"
)

// version is the version of Keras whose files are written.
const version = "3.15.1"

// dict is a JSON object. Its keys are written in order, so that equal networks give equal bytes.
type dict map[string]any

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // plain data, finite by arch's checks
		panic(err)
	}
	return string(b)
}

// class is an object as Keras writes it.
func class(module, name string, config dict) dict {
	return dict{"module": module, "class_name": name, "config": config, "registered_name": nil}
}

// words are what the generations of Keras call differently.
type words struct{ input, slope string }

var (
	keras3 = words{"batch_shape", "negative_slope"}
	keras2 = words{"batch_input_shape", "alpha"} // which Keras 3 takes too, with a warning
)

// config describes a network as a Sequential.
func config(n arch.Network, w words) dict {
	layers := []dict{class("keras.layers", "InputLayer",
		dict{"name": "input_layer", w.input: batch(n.Input), "dtype": "float32"})}
	names := n.LayerNames()
	for i, l := range n.Layers {
		c := dict{"name": names[i], "trainable": true, "dtype": "float32"}
		switch l.Class {
		case arch.Dense:
			c["units"], c["use_bias"], c["activation"] = l.Units, true, "linear"
		case arch.Conv2D, arch.Conv2DTranspose:
			c["filters"], c["padding"], c["use_bias"], c["activation"] = l.Filters, "same", true, "linear"
			c["kernel_size"], c["strides"] = []int{l.Kernel, l.Kernel}, []int{l.Strides, l.Strides}
			c["data_format"] = "channels_last"
		case arch.BatchNormalization:
			c["axis"], c["momentum"], c["epsilon"] = -1, l.Momentum, l.Epsilon
		case arch.LeakyReLU:
			c[w.slope] = l.NegativeSlope
		case arch.Activation:
			c["activation"] = l.Function
		case arch.Dropout:
			c["rate"] = l.Rate
		case arch.Flatten:
			c["data_format"] = "channels_last"
		case arch.Reshape:
			c["target_shape"] = []int(l.Target)
		}
		layers = append(layers, class("keras.layers", string(l.Class), c))
	}
	return class("keras", "Sequential", dict{"name": n.Name, "trainable": true,
		"layers": layers, "build_input_shape": batch(n.Input)})
}

func batch(s arch.Shape) []any {
	shape := []any{nil}
	for _, d := range s {
		shape = append(shape, d)
	}
	return shape
}

// optimizer describes Adam.
func (a *Adam) optimizer() dict {
	c := dict{"name": "adam", "learning_rate": a.LR,
		"beta_1": a.Beta1, "beta_2": a.Beta2, "epsilon": a.Epsilon, "amsgrad": false}
	if a.Decay != 0 {
		c["learning_rate"] = class("keras.optimizers.schedules", "InverseTimeDecay", dict{
			"initial_learning_rate": a.LR, "decay_steps": 1,
			"decay_rate": a.Decay, "staircase": false, "name": "InverseTimeDecay"})
	}
	return class("keras.optimizers", "Adam", c)
}

// loss is what a network is compiled with: D's cross-entropy, and none for G, which D teaches.
func loss(n arch.Network) any {
	if out := n.Output(); len(out) == 1 {
		return "binary_crossentropy"
	}
	return nil
}

// state is Adam's state in Keras' order: the count of steps, the learning rate where no schedule gives it, and the
// moments of each weight in turn. Names are those of legacy files.
func state(n *model.Network, a *Adam) []variable {
	all := []variable{{"adam/iteration", hdf5.Int64(int64(n.Iteration))}}
	if a.Decay == 0 {
		all = append(all, variable{"adam/learning_rate", hdf5.Float32(nil, []float32{float32(a.LR)})})
	}
	for i, t := range n.Tensors() {
		if t.Trainable {
			name := "adam/" + strings.ReplaceAll(n.Name+"/"+t.Name, "/", "_")
			all = append(all,
				variable{name + "_momentum", hdf5.Float32(t.Shape, n.M[i])},
				variable{name + "_velocity", hdf5.Float32(t.Shape, n.V[i])})
		}
	}
	return all
}

// optimizerName is the attribute of a legacy file that describes its optimizer. Keras' own, training_config, would make
// Keras 3.15 compile the model with an optimizer that knows none of its weights, and then refuse to train it.
const optimizerName = "optimizer_config"

// WriteLegacy writes a network as a legacy .h5 file, for Keras 2 and 3, with Adam and its moments where the network has moments. Equal networks
// give equal bytes.
func WriteLegacy(w io.Writer, n *model.Network, adam Adam) error {
	root := &hdf5.Group{}
	root.Set("backend", "tensorflow")
	root.Set("keras_version", version)
	root.Set("model_config", text(config(n.Network, keras2)))
	weights := root.Make("model_weights")
	weights.Set("backend", "tensorflow")
	weights.Set("keras_version", version)
	layers := n.LayerNames()
	weights.Set("layer_names", layers)
	paths := make([][]string, len(layers))
	for i, t := range n.Tensors() {
		path := n.Name + "/" + t.Name
		weights.Make(layers[t.Layer]).Put(path, hdf5.Float32(t.Shape, n.Weights[i]))
		paths[t.Layer] = append(paths[t.Layer], path)
	}
	for i, layer := range layers {
		weights.Make(layer).Set("weight_names", paths[i])
	}
	weights.Make("top_level_model_weights").Set("weight_names", []string(nil))
	if n.M != nil {
		root.Set(optimizerName, text(adam.optimizer()))
		g := root.Make("optimizer_weights")
		var names []string
		for _, v := range state(n, &adam) {
			g.Put(v.name, v.data)
			names = append(names, v.name)
		}
		g.Set("weight_names", names)
	}
	return hdf5.Write(w, root)
}

// WriteZip writes a network as a .keras file of Keras 3, compiled with Adam where the network has its moments. Equal
// networks give equal bytes: the file holds no times.
func WriteZip(w io.Writer, n *model.Network, adam Adam) error {
	c := config(n.Network, keras3)
	c["build_config"] = dict{"input_shape": batch(n.Input)}
	root := &hdf5.Group{}
	layers := n.LayerNames()
	tensors := n.Tensors()
	for i, t := range tensors {
		first := slices.IndexFunc(tensors, func(other arch.Tensor) bool { return other.Layer == t.Layer })
		root.Put("layers/"+layers[t.Layer]+"/vars/"+decimal(i-first), hdf5.Float32(t.Shape, n.Weights[i]))
	}
	if n.M != nil {
		c["compile_config"] = dict{"optimizer": adam.optimizer(), "loss": loss(n.Network), "loss_weights": nil,
			"metrics": nil, "weighted_metrics": nil, "run_eagerly": false, "steps_per_execution": 1, "jit_compile": false}
		for i, v := range state(n, &adam) {
			root.Put("optimizer/vars/"+decimal(i), v.data)
		}
	}
	archive := zip.NewWriter(w)
	for _, member := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{metadataName, func(w io.Writer) error { _, err := io.WriteString(w, text(dict{"keras_version": version})); return err }},
		{configName, func(w io.Writer) error { _, err := io.WriteString(w, text(c)); return err }},
		{weightsName, func(w io.Writer) error { return hdf5.Write(w, root) }},
	} {
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: member.name, Method: zip.Store})
		if err == nil {
			err = member.write(entry)
		}
		if err != nil {
			return err
		}
	}
	return archive.Close()
}
