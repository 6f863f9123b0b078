package checkpoint

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/format/safetensors"
	"dcgan/internal/input"
)

// small returns a checkpoint of two small networks, every value another.
func small(t testing.TB) *Checkpoint {
	t.Helper()
	config := config.Default()
	config.Latent, config.GFilters, config.DFilters, config.Seed = 3, []int{2, 3, 2, 1}, []int{2, 3}, 1<<64-1
	return filled(t, config)
}

// filled returns a checkpoint of the networks of config, every value another.
func filled(t testing.TB, config config.Config) *Checkpoint {
	t.Helper()
	g, d, err := arch.Seed(config)
	if err != nil {
		t.Fatal(err)
	}
	c := &Checkpoint{
		Step: 7, Generator: g, Discriminator: d, Settings: Numbers(&config), Iterations: Iterations{7, 9},
		DataSHA256: strings.Repeat("ab", 32), InitSHA256: strings.Repeat("cd", 32),
	}
	value := float32(0)
	add := func(name string, shape arch.Shape) {
		data := make([]float32, shape.Size())
		for i := range data {
			data[i] = value
			value += 0.25
		}
		c.Tensors = append(c.Tensors, safetensors.Tensor{Name: name, Shape: shape, Data: data})
	}
	for _, n := range []struct {
		arch.Network
		prefix string
	}{{g, "generator."}, {d, "discriminator."}} {
		for _, tensor := range n.Tensors() {
			add(n.prefix+tensor.Name, tensor.Shape)
		}
		for _, tensor := range n.Tensors() {
			if tensor.Trainable {
				add("adam."+n.prefix+tensor.Name+"/m", tensor.Shape)
				add("adam."+n.prefix+tensor.Name+"/v", tensor.Shape)
			}
		}
	}
	return c
}

func write(t testing.TB, c *Checkpoint) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func save(t testing.TB, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "00000007.safetensors")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRoundTrip writes a checkpoint, reads it, and writes the same bytes again, with and without the weights' origin and a
// restart.
func TestRoundTrip(t *testing.T) {
	for _, with := range []Checkpoint{{}, {InitSHA256: strings.Repeat("cd", 32)}, {Restart: Restart{0.1 / 3, 2}}} {
		c := small(t)
		c.InitSHA256, c.Restart = with.InitSHA256, with.Restart
		file := write(t, c)
		got, err := Read(save(t, file))
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.Tensors { // arch.Shape and []int
			c.Tensors[i].Shape = slices.Clone(c.Tensors[i].Shape)
		}
		if !reflect.DeepEqual(got, c) {
			t.Errorf("%+v\nbecame %+v", c, got)
		}
		if !bytes.Equal(write(t, got), file) {
			t.Error("what was read is written in other bytes")
		}
	}
}

// TestMetadata holds the keys that other programs read, and that no setting without influence on numbers is among them.
func TestMetadata(t *testing.T) {
	file, err := safetensors.ReadFile(save(t, write(t, small(t))))
	if err != nil {
		t.Fatal(err)
	}
	keys := slices.Sorted(maps.Keys(file.Metadata))
	want := []string{"architecture", "data_cursor", "data_sha256", "format_version", "init_sha256", "iterations", "random", "settings", "step"}
	if !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
	for key, want := range map[string]string{
		"step": "7", "format_version": "1", "iterations": `{"generator":7,"discriminator":9}`,
		"random": `{"generator":"philox4x32-10","seed":18446744073709551615,"step":7}`, "data_cursor": `{"order":"with replacement","step":7}`,
	} {
		if file.Metadata[key] != want {
			t.Errorf("%s is %s, want %s", key, file.Metadata[key], want)
		}
	}
	settings := file.Metadata["settings"]
	for _, key := range []string{"batch", "seed", "latent", "dropout", "lr", "decay", "real_labels", "kernel", "bn_momentum"} {
		if !strings.Contains(settings, `"`+key+`":`) {
			t.Errorf("the settings lack %s", key)
		}
	}
	for _, key := range []string{"data", "steps", "threads", "save_every", "keep", "init", "labels", "recipe"} {
		if strings.Contains(settings, `"`+key+`":`) {
			t.Errorf("the settings have %s", key)
		}
	}
}

// TestNumbers: what changes no number changes no byte.
func TestNumbers(t *testing.T) {
	a, b := config.Default(), config.Default()
	b.Data, b.Steps, b.Threads, b.SaveEvery, b.Keep, b.Init, b.Labels = "other", 1, 9, 1, 9, "file", "file"
	if !reflect.DeepEqual(Numbers(&a), Numbers(&b)) {
		t.Error("settings that change no numbers are recorded")
	}
	b.BNEpsilon *= 2
	if reflect.DeepEqual(Numbers(&a), Numbers(&b)) {
		t.Error("another epsilon is not recorded")
	}
}

func refuse(t *testing.T, name string, file []byte, wants ...string) {
	t.Helper()
	path := save(t, file)
	c, err := Read(path)
	if err == nil || c != nil || !input.Is(err) {
		t.Errorf("%s: %v", name, err)
		return
	}
	if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), path+": ") {
		t.Errorf("%s: %q is not one line that begins with the path", name, err)
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q does not tell %q", name, err, want)
		}
	}
}

// TestReadRefusesDamage cuts a file, adds to it, and changes a byte of the header and of a tensor, which is named.
// TestDamage does so at every byte.
func TestReadRefusesDamage(t *testing.T) {
	file := write(t, small(t))
	changed := func(at int) []byte {
		b := slices.Clone(file)
		b[at] ^= 0x10
		return b
	}
	refuse(t, "empty", nil, "cut short")
	refuse(t, "cut in the header", file[:100], "header")
	refuse(t, "cut in a tensor", file[:len(file)-1], "adam.discriminator.dense/bias/v", "cut short")
	refuse(t, "appended to", append(slices.Clone(file), 0), "follow")
	refuse(t, "header changed", changed(200), "header", "checksum")
	refuse(t, "last tensor changed", changed(len(file)-1), "adam.discriminator.dense/bias/v", "damaged")
	refuse(t, "a text", []byte("step 100\nstep 200\nstep 300\n"), "header")
	if _, err := Read(filepath.Join(t.TempDir(), "none")); err == nil || !input.Is(err) {
		t.Errorf("no file: %v", err)
	}
}

// TestReadRefusesForeign has files whose checksums are right and whose contents are another program's or made to harm.
func TestReadRefusesForeign(t *testing.T) {
	type metadata = map[string]string
	for _, test := range []struct {
		name   string
		change func(m metadata, tensors []safetensors.Tensor) []safetensors.Tensor
		wants  []string
	}{
		{"no metadata", func(m metadata, ts []safetensors.Tensor) []safetensors.Tensor { clear(m); return ts }, []string{"no checkpoint"}},
		{"a later version", set("format_version", "2"), []string{`"2"`, "1"}},
		{"no step", unset("step"), []string{`"step"`}},
		{"step in words", set("step", "many"), []string{`"step"`}},
		{"step 1.5", set("step", "1.5"), []string{`"step"`}},
		{"step -1", set("step", "-1"), []string{"below 0"}},
		{"step beyond an int", set("step", "99999999999999999999"), []string{`"step"`}},
		{"iterations -1", set("iterations", `{"generator":-1,"discriminator":1}`), []string{"below 0"}},
		{"no iterations", unset("iterations"), []string{`"iterations"`}},
		{"no settings", unset("settings"), []string{`"settings"`}},
		{"settings a list", set("settings", `[1]`), []string{`"settings"`}},
		{"no random state", unset("random"), []string{`"random"`}},
		{"other random numbers", set("random", `{"generator":"mt19937","seed":1,"step":1}`), []string{"mt19937", "philox4x32-10"}},
		{"no architecture", unset("architecture"), []string{`"architecture"`}},
		{"an empty architecture", set("architecture", `{}`), []string{"input"}},
		{"an architecture of another shape", set("architecture", `{"generator":[],"discriminator":[]}`), []string{`"architecture"`}},
		{"a bomb", replace(`"units":98`, `"units":9223372036854775807`), []string{"layer 1, dense", "too large"}},
		{"negative units", replace(`"units":98`, `"units":-98`), []string{"layer 1, dense", "-98"}},
		{"another kernel size", replace(`"kernel_size":3`, `"kernel_size":5`), []string{"generator.conv2d_transpose/kernel", "[3 3 3 2]", "[5 5 3 2]"}},
		{"a layer more", replace(`{"class_name":"Flatten"}`, `{"class_name":"Flatten"},{"class_name":"Dense","units":3}`), []string{"tensors"}},
		{"an unknown layer", replace(`"Flatten"`, `"Lambda"`), []string{"discriminator", "Lambda"}},
		{"a tensor less", func(_ metadata, ts []safetensors.Tensor) []safetensors.Tensor { return ts[1:] }, []string{"tensors"}},
		{"no tensors", func(metadata, []safetensors.Tensor) []safetensors.Tensor { return nil }, []string{"has 0 tensors"}},
		{"a tensor more", func(_ metadata, ts []safetensors.Tensor) []safetensors.Tensor {
			return append(ts, safetensors.Tensor{Name: "extra", Shape: []int{1}, Data: []float32{1}})
		}, []string{"tensors"}},
		{"another name", func(_ metadata, ts []safetensors.Tensor) []safetensors.Tensor { ts[4].Name = "other"; return ts },
			[]string{"tensor 5", "other", "generator.batch_normalization/moving_mean"}},
		{"no number of a restart", set("restart", `{"lr":1e-4}`), []string{"restart", "stream 0"}},
		{"no rate of a restart", set("restart", `{"lr":-1,"stream":1}`), []string{"restart", "rate -1"}},
		{"too many restarts", set("restart", `{"lr":1e-4,"stream":65536}`), []string{"restart", "65536"}},
		{"no restart", set("restart", ""), []string{"restart", "cannot be read"}},
		{"another order", func(_ metadata, ts []safetensors.Tensor) []safetensors.Tensor { ts[1], ts[2] = ts[2], ts[1]; return ts }, []string{"tensor 2"}},
		{"another shape", func(_ metadata, ts []safetensors.Tensor) []safetensors.Tensor { ts[0].Shape = []int{98, 3}; return ts },
			[]string{"generator.dense/kernel", "[98 3]", "[3 98]"}},
	} {
		c := small(t)
		file, err := safetensors.ReadFile(save(t, write(t, c)))
		if err != nil {
			t.Fatal(err)
		}
		tensors := test.change(file.Metadata, file.Tensors)
		var b bytes.Buffer
		if err := safetensors.Write(&b, file.Metadata, tensors); err != nil {
			t.Fatal(err)
		}
		refuse(t, test.name, b.Bytes(), test.wants...)
	}
}

type change = func(m map[string]string, tensors []safetensors.Tensor) []safetensors.Tensor

func set(key, value string) change {
	return func(m map[string]string, tensors []safetensors.Tensor) []safetensors.Tensor {
		m[key] = value
		return tensors
	}
}

func unset(key string) change {
	return func(m map[string]string, tensors []safetensors.Tensor) []safetensors.Tensor {
		delete(m, key)
		return tensors
	}
}

// replace changes the first place of the architecture where old stands.
func replace(old, new string) change {
	return func(m map[string]string, tensors []safetensors.Tensor) []safetensors.Tensor {
		changed := strings.Replace(m["architecture"], old, new, 1)
		if changed == m["architecture"] {
			panic("no " + old + " in " + changed)
		}
		m["architecture"] = changed
		return tensors
	}
}

// FuzzArchitecture puts any text in the place of the architecture: it is refused, or the tensors are its own.
func FuzzArchitecture(f *testing.F) {
	f.Add(`{}`)
	f.Add(`null`)
	f.Add(`{"generator":{"input_shape":[1],"layers":null},"discriminator":{"input_shape":[1,1,1]}}`)
	f.Add(`{"generator":{"input_shape":[2147483647,2147483647,2147483647]}}`)
	f.Add(`{"generator":{"input_shape":[4],"layers":[{"class_name":"Reshape"},{"class_name":"Dense","units":-1}]}}`)
	f.Fuzz(func(t *testing.T, architecture string) {
		_, err := decode(&safetensors.File{Metadata: map[string]string{"format_version": "1", "step": "1", "settings": "{}",
			"iterations": "{}", "random": `{"generator":"philox4x32-10"}`, "architecture": architecture}})
		if err == nil && !strings.Contains(architecture, "input_shape") {
			t.Errorf("%q is taken for an architecture", architecture)
		}
	})
}

// FuzzMetadata puts any text in the place of each entry of the header: it is refused, or a checkpoint that is written and
// read again as the same.
func FuzzMetadata(f *testing.F) {
	whole, err := safetensors.ReadFile(save(f, write(f, small(f))))
	if err != nil {
		f.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(whole.Metadata)) {
		f.Add(key, whole.Metadata[key])
		f.Add(key, "null")
	}
	f.Add("step", "-1")
	f.Add("step", "1e300")
	f.Add("restart", `{"lr":1e-4,"stream":2}`)
	f.Add("restart", `{"lr":1e-4,"stream":-2}`)
	f.Add("random", `{"generator":"philox4x32-10","seed":{},"step":[]}`)
	f.Add("iterations", `{"generator":9223372036854775807,"discriminator":-1}`)
	f.Add("settings", `{"noise":"20:30","seed":[]}`)
	f.Fuzz(func(t *testing.T, key, value string) {
		metadata := maps.Clone(whole.Metadata)
		metadata[key] = value
		c, err := decode(&safetensors.File{Metadata: metadata, Tensors: whole.Tensors})
		if err != nil {
			return
		}
		if c.Step < 0 || c.Restart.Stream < 0 || c.Restart.Stream > maxStream || c.Restart.LR < 0 {
			t.Errorf("%s %q gives %d, %+v", key, value, c.Step, c.Restart)
		}
		var again bytes.Buffer
		if err := c.Write(&again); err != nil {
			t.Skip() // a text that is no UTF-8, which no file could have held
		}
		read, err := safetensors.Read(&again, int64(again.Len()))
		if err != nil {
			t.Fatalf("%s %q: %v", key, value, err)
		}
		back, err := decode(read)
		if err != nil || back.Step != c.Step || back.Iterations != c.Iterations || back.Restart != c.Restart {
			t.Errorf("%s %q became %+v: %v", key, value, back, err)
		}
	})
}
