package keras

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"dcgan/arch"
	"dcgan/internal/input"
)

// options is the config of a layer, of which what was understood is taken away.
type options struct {
	where string
	left  map[string]json.RawMessage
	err   error
}

func newOptions(config json.RawMessage, where string) (*options, error) {
	o := &options{where: where, left: map[string]json.RawMessage{}}
	if err := json.Unmarshal(config, &o.left); err != nil {
		return nil, input.Errorf("%s: its config is damaged: %w", where, err)
	}
	return o, nil
}

// harmless says of options that no number depends on once there are weights.
func harmless(key string) bool {
	return key == "name" || key == "trainable" || strings.HasSuffix(key, "_initializer")
}

// end is the first error, if only that an option is left that asks for something.
func (o *options) end() error {
	var keys []string
	for key, value := range o.left {
		if text := compact(value); !harmless(key) && text != "null" && text != "false" {
			keys = append(keys, key)
		}
	}
	if o.err == nil && len(keys) > 0 {
		o.fail(slices.Min(keys))
	}
	return o.err
}

// fail is an error of an option that this program does not have.
func (o *options) fail(key string) {
	if o.err == nil {
		o.err = input.Errorf("%s: its %s is %s, which this program does not have", o.where, key, shorten(o.left[key]))
	}
}

// raw takes an option as it stands; nil where it is missing.
func (o *options) raw(key string) json.RawMessage {
	value := o.left[key]
	delete(o.left, key)
	return value
}

// require takes an option that must be missing or one of the values.
func (o *options) require(key string, values ...string) {
	if value, ok := o.left[key]; ok && !slices.Contains(values, compact(value)) {
		o.fail(key)
	}
	delete(o.left, key)
}

// decode takes an option into v.
func (o *options) decode(key string, v any) bool {
	if value, ok := o.left[key]; !ok || json.Unmarshal(value, v) != nil || compact(value) == "null" {
		if o.err == nil && !ok {
			o.err = input.Errorf("%s: its %s is missing", o.where, key)
		}
		o.fail(key)
		return false
	}
	return true
}

// whole takes a whole number.
func (o *options) whole(key string) (n int) {
	o.decode(key, &n)
	delete(o.left, key)
	return n
}

// single takes a whole number, also as a list of one.
func (o *options) single(key string) int {
	var list []int
	if json.Unmarshal(o.left[key], &list) == nil && len(list) == 1 {
		delete(o.left, key)
		return list[0]
	}
	return o.whole(key)
}

// square takes a whole number, or the same one for both sides.
func (o *options) square(key string) int {
	var list []int
	if json.Unmarshal(o.left[key], &list) == nil && len(list) == 2 {
		if list[0] != list[1] {
			o.fail(key)
		}
		delete(o.left, key)
		return list[0]
	}
	return o.whole(key)
}

// number takes a number, in any of the ways that Keras has had for those of NumPy.
func (o *options) number(key string) float64 {
	value := o.left[key]
	for range 3 {
		var array struct {
			Value  json.RawMessage `json:"value"`
			Config json.RawMessage `json:"config"`
		}
		var list []json.RawMessage
		switch {
		case json.Unmarshal(value, &array) == nil && array.Value != nil:
			value = array.Value
		case json.Unmarshal(value, &array) == nil && array.Config != nil:
			value = array.Config
		case json.Unmarshal(value, &list) == nil && len(list) == 1:
			value = list[0]
		}
	}
	var v float64
	if json.Unmarshal(value, &v) != nil || compact(value) == "null" {
		o.fail(key)
	}
	delete(o.left, key)
	return short(v)
}

// short returns the number of the fewest digits that is the same float32, where v is one: 0.2 for 0.20000000298023224.
func short(v float64) float64 {
	if math.Abs(v) <= math.MaxFloat32 && float64(float32(v)) == v {
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 32), 64)
	}
	return v
}

// function takes an activation, "" for none.
func (o *options) function(key string) string {
	value := o.left[key]
	defer delete(o.left, key)
	var name string
	if value == nil || compact(value) == "null" {
		return ""
	}
	if json.Unmarshal(value, &name) == nil {
		switch name {
		case "linear":
			return ""
		case arch.ReLU, arch.Tanh, arch.Sigmoid:
			return name
		}
	}
	o.fail(key)
	return ""
}

// target takes the shape of a Reshape behind a network, one of whose sides may be −1.
func (o *options) target(key string, before arch.Network) arch.Shape {
	var shape arch.Shape
	defer delete(o.left, key)
	if !o.decode(key, &shape) {
		return nil
	}
	open := slices.Index(shape, -1)
	if open < 0 || before.Input == nil {
		return shape
	}
	if _, err := before.Shapes(); err != nil {
		return shape // which Shapes of the whole network tells again
	}
	shape[open] = 1
	if size := before.Output().Size(); slices.Min(shape) > 0 && shape.Size() > 0 {
		shape[open] = size / shape.Size()
	}
	return shape
}

// dtype takes the type that a layer computes in, which must be float32.
func (o *options) dtype() {
	value, ok := o.left["dtype"]
	if !ok {
		return
	}
	var name string
	if json.Unmarshal(value, &name) != nil {
		var policy struct {
			Config struct {
				Name string `json:"name"`
			} `json:"config"`
		}
		json.Unmarshal(value, &policy)
		name = policy.Config.Name
	}
	if name != "float32" && compact(value) != "null" {
		o.left["dtype"] = json.RawMessage(strconv.Quote(name))
		o.fail("dtype")
	}
	delete(o.left, "dtype")
}

// compact returns JSON without spaces.
func compact(value json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return string(value)
	}
	return b.String()
}

// shorten keeps an error to a line.
func shorten(value json.RawMessage) string {
	const most = 60
	text := compact(value)
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
