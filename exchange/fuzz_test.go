package exchange

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"dcgan/format/safetensors"
	"dcgan/internal/input"
	"dcgan/model"
)

// checkRead holds what a reader made of hostile bytes: an error of input in one line, or a model whose network the format
// writes again.
func checkRead(t *testing.T, f Format, m *model.Model, err error) {
	t.Helper()
	if err != nil {
		if !input.Is(err) || strings.Contains(err.Error(), "\n") {
			t.Errorf("not an error of input in one line: %v", err)
		}
		return
	}
	for _, n := range m.Networks() {
		encode(t, f, n, m)
	}
}

func FuzzONNX(f *testing.F) {
	onnx, m := format(f, "onnx"), small(f)
	for _, n := range m.Networks() {
		f.Add(encode(f, onnx, n, m))
	}
	f.Add([]byte("\x08\x08\x12\x07pytorch\x3a\x00\x42\x02\x10\x11"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decodeONNX(data)
		checkRead(t, onnx, got, err)
	})
}

// FuzzTorch makes files whose checksums are right and whose contents are not.
func FuzzTorch(f *testing.F) {
	torch, m := format(f, "safetensors"), small(f)
	for _, n := range m.Networks() {
		about := describe(n, m)
		f.Add(about[architectureKey], about[configKey], about[stepKey], true)
	}
	f.Add(`{"name":"x","input_shape":[1000000],"layers":[{"class_name":"Dense","units":1000000}]}`, "{}", "-1", false)
	f.Add(`{"name":"\n\u001b"}`, "{}", "1", false)
	f.Fuzz(func(t *testing.T, architecture, config, step string, whole bool) {
		about := map[string]string{versionKey: version, architectureKey: architecture, configKey: config, stepKey: step}
		var tensors []safetensors.Tensor
		if n, _, err := described(about); err == nil && whole {
			layout, err := torchLayout(n.Network)
			if trainable, fixed := n.Parameters(); err != nil || trainable+fixed > 1<<16 {
				return
			}
			for _, l := range layout {
				size := 1
				for _, s := range l.shape {
					size *= s
				}
				tensors = append(tensors, safetensors.Tensor{Name: l.name, Shape: l.shape, Data: make([]float32, size)})
			}
		}
		got, err := decodeTorch(&safetensors.File{Metadata: about, Tensors: tensors})
		if whole && tensors != nil && err != nil {
			t.Errorf("a whole file is refused: %v", err)
		}
		checkRead(t, torch, got, err)
	})
}

// TestHostileSizes reads small files that promise much: no memory is taken for what is not there.
func TestHostileSizes(t *testing.T) {
	large := `{"name":"x","input_shape":[4096],"layers":[{"class_name":"Dense","units":16384},` +
		`{"class_name":"Reshape","target_shape":[128,128,1]}]}`
	about := map[string]string{versionKey: version, architectureKey: large, configKey: "{}", stepKey: "1"}
	metadata := func(b *bytes.Buffer) {
		for key, value := range about {
			entry := "\x0a" + string(rune(len(key))) + key + "\x12" + varint(len(value)) + value
			b.WriteString("\x72" + varint(len(entry)) + entry)
		}
	}
	var onnx, many bytes.Buffer
	onnx.WriteString("\x08\x08\x3a\x10\x2a\x07\x08\x80\x80\x80\x80\x80\x01\x2a\x05\x08\x80\x80\x80\x08")
	metadata(&onnx)
	empty := strings.Repeat("\x2a\x00", 1<<20) // tensors of nothing
	many.WriteString("\x08\x08\x3a" + varint(len(empty)) + empty)
	metadata(&many)
	var torch bytes.Buffer
	if err := safetensors.Write(&torch, about, nil); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"ONNX": onnx.Bytes(), "many tensors": many.Bytes(), "safetensors": torch.Bytes()} {
		path := file(t, data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(path)
		runtime.ReadMemStats(&after)
		if !input.Is(err) {
			t.Errorf("%s: %v", name, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
			t.Errorf("%s: took %d bytes for a file of %d", name, took, len(data))
		}
	}
}

func varint(n int) string {
	var b []byte
	for ; n >= 128; n >>= 7 {
		b = append(b, byte(n)|128)
	}
	return string(append(b, byte(n)))
}
