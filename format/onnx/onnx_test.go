package onnx

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"dcgan/internal/input"
)

// sample has a value of every kind.
var sample = Model{
	Opset: 17,
	Graph: Graph{
		Name: "g",
		Nodes: []Node{
			{"c", "Conv", []string{"x", "w"}, []string{"c"}, []Attribute{{"pads", []int{0, 0, 1, 1}}, {"strides", []int{2, 2}}}},
			{"l", "LeakyRelu", []string{"c"}, []string{"l"}, []Attribute{{"alpha", float32(0.25)}}},
			{"y", "Flatten", []string{"l"}, []string{"y"}, []Attribute{{"axis", 1}}},
		},
		Tensors: []Tensor{
			{Name: "w", Shape: []int{1, 2, 1, 1}, Data: []float32{1.5, -2}},
			{Name: "s", Shape: []int{2}, Ints: []int64{0, -1}},
		},
		Inputs:  []Value{{"x", []Size{{Any: "N"}, {Number: 2}, {Number: 3}, {Number: 3}}}},
		Outputs: []Value{{"y", []Size{{Any: "N"}, {Number: 4}}}},
	},
	Metadata: []Property{{"k", "v"}},
}

// TestEncode holds a model against the bytes that the Python library onnx 1.23 makes of the same.
func TestEncode(t *testing.T) {
	want := strings.Join([]string{
		"08081205646367616e3aec010a370a01780a01771201631a01632204436f6e762a110a04706164734000400040014001a001072a100a07",
		"7374726964657340024002a001070a250a016312016c1a016c22094c65616b7952656c752a0f0a05616c706861150000803ea001010a1f",
		"0a016c1201791a01792207466c617474656e2a0b0a04617869731801a001021201672a17080108020801080110014201774a080000c03f",
		"000000c02a19080210074201734a100000000000000000ffffffffffffffff5a1c0a017812170a15080112110a0312014e0a0208020a02",
		"08030a02080362140a0179120f0a0d080112090a0312014e0a0208044202101172060a016b120176",
	}, "")
	if got := hex.EncodeToString(sample.Encode()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParse(t *testing.T) {
	raw, err := Parse(sample.Encode())
	if err != nil || len(raw.Metadata) != 1 || raw.Metadata["k"] != "v" || len(raw.Tensors) != 2 || raw.Tensors[0].Name != "w" {
		t.Fatalf("%+v, %v", raw, err)
	}
	if got, ok := raw.Tensors[0].Floats(2); !ok || !slices.Equal(got, []float32{1.5, -2}) {
		t.Errorf("%v, %v", got, ok)
	}
	if _, ok := raw.Tensors[0].Floats(3); ok {
		t.Error("more values than there are")
	}
	if _, ok := raw.Tensors[1].Floats(4); ok {
		t.Error("whole numbers are taken for float32")
	}
	whole := sample.Encode()
	for n := range whole { // cut between fields of a model, the rest may still be one
		if _, err := Parse(whole[:n]); err != nil && !input.Is(err) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample.Encode())
	f.Add([]byte("\x08\x08\x3a\x06\x2a\x04\x4a\x02ab"))
	f.Add([]byte("\x3b\x3b\x3b\x3c\x3c\x3c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		raw, err := Parse(data)
		if err != nil {
			if !input.Is(err) {
				t.Errorf("not an error of input: %v", err)
			}
			return
		}
		size := 0
		for _, tensor := range raw.Tensors {
			values, _ := tensor.Floats(len(tensor.bytes) / 4)
			size += 4 * len(values)
		}
		if size > len(data) {
			t.Errorf("%d bytes of values in a file of %d", size, len(data))
		}
	})
}
