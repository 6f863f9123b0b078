package arch

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dcgan/config"
	"dcgan/internal/input"
)

func conv(filters, kernel, strides int) Layer {
	return Layer{Class: Conv2D, Filters: filters, Kernel: kernel, Strides: strides}
}

func transpose(filters, kernel, strides int) Layer {
	return Layer{Class: Conv2DTranspose, Filters: filters, Kernel: kernel, Strides: strides}
}

// TestSigmoid has one at the end of a vector, which the loss knows, and nowhere else.
func TestSigmoid(t *testing.T) {
	sigmoid, dense := Layer{Class: Activation, Function: Sigmoid}, Layer{Class: Dense, Units: 4}
	for _, test := range []struct {
		layers []Layer
		fits   bool
	}{
		{[]Layer{dense, sigmoid}, true},
		{[]Layer{dense, sigmoid, dense}, false},
		{[]Layer{dense, {Class: Reshape, Target: Shape{2, 2, 1}}, sigmoid}, false},
	} {
		n := Network{Name: "net", Input: Shape{3}, Layers: test.layers}
		if _, err := n.Shapes(); (err == nil) != test.fits {
			t.Errorf("%+v: %v", test.layers, err)
		}
	}
}

// TestShapes lists what each class makes of a shape.
func TestShapes(t *testing.T) {
	image := Shape{7, 10, 3}
	for _, test := range []struct {
		input Shape
		layer Layer
		want  Shape
	}{
		{Shape{5}, Layer{Class: Dense, Units: 9}, Shape{9}},
		{image, conv(4, 3, 1), Shape{7, 10, 4}},
		{image, conv(4, 3, 2), Shape{4, 5, 4}},
		{image, conv(1, 7, 2), Shape{4, 5, 1}},
		{Shape{1, 1, 1}, conv(4, 7, 2), Shape{1, 1, 4}},
		{image, transpose(4, 3, 1), Shape{7, 10, 4}},
		{image, transpose(4, 1, 2), Shape{14, 20, 4}},
		{image, transpose(4, 6, 2), Shape{14, 20, 4}},
		{image, Layer{Class: BatchNormalization, Momentum: 0.9, Epsilon: 1e-3}, image},
		{Shape{5}, Layer{Class: BatchNormalization, Epsilon: 1e-3}, Shape{5}},
		{image, Layer{Class: LeakyReLU, NegativeSlope: 0.2}, image},
		{image, Layer{Class: Activation, Function: Tanh}, image},
		{image, Layer{Class: Dropout, Rate: 0.4}, image},
		{image, Layer{Class: Flatten}, Shape{210}},
		{Shape{5}, Layer{Class: Flatten}, Shape{5}},
		{image, Layer{Class: Reshape, Target: Shape{5, 6, 7}}, Shape{5, 6, 7}},
		{image, Layer{Class: Reshape, Target: Shape{210}}, Shape{210}},
	} {
		n := Network{Name: "net", Input: test.input, Layers: []Layer{test.layer}}
		got, err := n.Shapes()
		if err != nil || len(got) != 1 || !slices.Equal(got[0], test.want) || !slices.Equal(n.Output(), test.want) {
			t.Errorf("%+v makes %v of %v, want %v (%v)", test.layer, got, test.input, test.want, err)
		}
	}
}

// TestShapesRefuse lists networks that do not fit: the error is one of input and names the network, the layer and what is
// wrong with it.
func TestShapesRefuse(t *testing.T) {
	image := Shape{4, 4, 2}
	for _, test := range []struct {
		input Shape
		layer Layer
		want  []string
	}{
		{nil, conv(1, 1, 1), []string{"input", "neither"}},
		{Shape{4, 4}, conv(1, 1, 1), []string{"input", "neither"}},
		{Shape{4, 0, 1}, conv(1, 1, 1), []string{"input", "[4 0 1]", "empty"}},
		{Shape{-4, -4, 1}, conv(1, 1, 1), []string{"input", "empty"}},
		{Shape{1 << 20, 1 << 20, 1 << 30}, conv(1, 1, 1), []string{"input", "too large"}},
		{image, Layer{Class: Dense, Units: 3}, []string{"layer 2, dense", "(None, 4, 4, 2)", "Flatten"}},
		{Shape{5}, Layer{Class: Dense}, []string{"layer 2, dense", "units 0"}},
		{Shape{5}, Layer{Class: Dense, Units: 1 << 40}, []string{"layer 2, dense", "too large"}},
		{Shape{5}, conv(1, 3, 1), []string{"layer 2, conv2d", "(None, 5)", "Reshape"}},
		{Shape{5}, transpose(1, 3, 1), []string{"layer 2, conv2d_transpose", "Reshape"}},
		{image, conv(0, 3, 1), []string{"layer 2, conv2d", "filters 0"}},
		{image, conv(1, 0, 1), []string{"kernel 0"}},
		{image, conv(1, 8, 1), []string{"kernel 8", "1 to 7"}},
		{image, conv(1, 3, 0), []string{"strides 0"}},
		{image, conv(1, 3, 3), []string{"strides 3", "1 or 2"}},
		{image, transpose(-1, 3, 1), []string{"filters -1"}},
		{Shape{1 << 12, 1 << 12, 1}, transpose(2, 3, 2), []string{"layer 2, conv2d_transpose", "too large"}},
		{image, Layer{Class: BatchNormalization, Momentum: 0.9}, []string{"layer 2, batch_normalization", "epsilon 0"}},
		{image, Layer{Class: BatchNormalization, Momentum: 1.1, Epsilon: 1}, []string{"momentum 1.1"}},
		{image, Layer{Class: LeakyReLU, NegativeSlope: -0.1}, []string{"layer 2, leaky_re_lu", "-0.1"}},
		{image, Layer{Class: Dropout, Rate: 1}, []string{"layer 2, dropout", "rate 1"}},
		{image, Layer{Class: Dropout, Rate: -0.5}, []string{"rate -0.5"}},
		{image, Layer{Class: Activation, Function: "gelu"}, []string{"layer 2, activation_1", `"gelu"`}},
		{image, Layer{Class: Activation}, []string{"unknown activation"}},
		{image, Layer{Class: Activation, Function: Sigmoid}, []string{"layer 2, activation_1", "sigmoid", "discriminator"}},
		{image, Layer{Class: Reshape, Target: Shape{3, 4, 2}}, []string{"layer 2, reshape", "32", "24"}},
		{image, Layer{Class: Reshape}, []string{"layer 2, reshape", "neither"}},
		{image, Layer{Class: Reshape, Target: Shape{-4, -4, 2}}, []string{"empty"}},
		{image, Layer{Class: Reshape, Target: Shape{8, 4}}, []string{"neither"}},
		{image, Layer{Class: "LSTM"}, []string{"layer 2, lstm", `"LSTM"`}},
		{image, Layer{}, []string{"unknown class"}},
	} {
		n := Network{Name: "net", Input: test.input, Layers: []Layer{{Class: Activation, Function: ReLU}, test.layer}}
		_, err := n.Shapes()
		if err == nil || !input.Is(err) {
			t.Errorf("%v, %+v: %v", test.input, test.layer, err)
			continue
		}
		for _, want := range append(test.want, "net: ") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v, %+v: %q does not tell %q", test.input, test.layer, err, want)
			}
		}
		if n.Tensors() != nil || !slices.Equal(n.Output(), test.input) {
			t.Errorf("%v, %+v has tensors", test.input, test.layer)
		}
	}
}

func seed(t *testing.T) (generator, discriminator Network) {
	t.Helper()
	g, d, err := Seed(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	return g, d
}

// TestSeed holds the numbers of the seed's two networks that Keras prints for them.
func TestSeed(t *testing.T) {
	g, d := seed(t)
	for _, test := range []struct {
		n                Network
		trainable, fixed int
	}{{d, 1_558_017, 0}, {g, 1_705_601 - 25_536, 25_536}} {
		if trainable, fixed := test.n.Parameters(); trainable != test.trainable || fixed != test.fixed {
			t.Errorf("%s has %d and %d parameters, want %d and %d", test.n.Name, trainable, fixed, test.trainable, test.fixed)
		}
	}
	if !slices.Equal(g.Input, Shape{100}) || !slices.Equal(g.Output(), SeedImage) || !slices.Equal(d.Input, SeedImage) || !slices.Equal(d.Output(), Shape{1}) {
		t.Errorf("G makes %v of %v, D %v of %v", g.Output(), g.Input, d.Output(), d.Input)
	}
}

// TestSeedSettings shows that the settings of the networks arrive in them, and that what does not fit is told.
func TestSeedSettings(t *testing.T) {
	c := config.Default()
	c.Latent, c.Kernel, c.GFilters, c.DFilters = 7, 5, []int{6, 5, 4, 3}, []int{8, 9}
	c.LeakySlope, c.Dropout, c.BNMomentum, c.BNEpsilon = 0.1, 0.3, 0.8, 1e-2
	g, d, err := Seed(c)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(g.Input)
	for _, tensor := range append(g.Tensors(), d.Tensors()...) {
		if strings.HasSuffix(tensor.Name, "kernel") {
			got += fmt.Sprint(" ", []int(tensor.Shape))
		}
	}
	want := "(None, 7) [7 294] [5 5 5 6] [5 5 4 5] [5 5 3 4] [5 5 1 3] [5 5 1 8] [5 5 8 9] [1764 1]"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	for _, layer := range append(g.Layers, d.Layers...) {
		switch {
		case layer.Class == LeakyReLU && layer.NegativeSlope != 0.1, layer.Class == Dropout && layer.Rate != 0.3,
			layer.Class == BatchNormalization && (layer.Momentum != 0.8 || layer.Epsilon != 1e-2):
			t.Errorf("%+v", layer)
		}
	}
	for _, bad := range []func(c *config.Config){
		func(c *config.Config) { c.GFilters = []int{6, 5, 4} },
		func(c *config.Config) { c.DFilters = []int{6, -5, 4} },
		func(c *config.Config) { c.Kernel = 8 },
	} {
		c := config.Default()
		bad(&c)
		if _, _, err := Seed(c); err == nil || !input.Is(err) {
			t.Errorf("%v", err)
		}
	}
}

// TestNames holds Keras' names, numbered anew in each network, and the shapes of its weights.
func TestNames(t *testing.T) {
	g, d := seed(t)
	describe := func(n Network) string {
		var b strings.Builder
		for _, tensor := range n.Tensors() {
			fmt.Fprintf(&b, "%s %v", tensor.Name, []int(tensor.Shape))
			if !tensor.Trainable {
				b.WriteString(" fixed")
			}
			if got := n.LayerNames()[tensor.Layer]; !strings.HasPrefix(tensor.Name, got+"/") {
				t.Errorf("%s belongs to %s", tensor.Name, got)
			}
			b.WriteString("\n")
		}
		return b.String()
	}
	want := `conv2d/kernel [3 3 1 64]
conv2d/bias [64]
conv2d_1/kernel [3 3 64 128]
conv2d_1/bias [128]
conv2d_2/kernel [3 3 128 256]
conv2d_2/bias [256]
conv2d_3/kernel [3 3 256 512]
conv2d_3/bias [512]
dense/kernel [8192 1]
dense/bias [1]
`
	if got := describe(d); got != want {
		t.Errorf("D has\n%swant\n%s", got, want)
	}
	want = `dense/kernel [100 12544]
dense/bias [12544]
batch_normalization/gamma [12544]
batch_normalization/beta [12544]
batch_normalization/moving_mean [12544] fixed
batch_normalization/moving_variance [12544] fixed
conv2d_transpose/kernel [3 3 128 256]
conv2d_transpose/bias [128]
batch_normalization_1/gamma [128]
batch_normalization_1/beta [128]
batch_normalization_1/moving_mean [128] fixed
batch_normalization_1/moving_variance [128] fixed
conv2d_transpose_1/kernel [3 3 64 128]
conv2d_transpose_1/bias [64]
batch_normalization_2/gamma [64]
batch_normalization_2/beta [64]
batch_normalization_2/moving_mean [64] fixed
batch_normalization_2/moving_variance [64] fixed
conv2d_transpose_2/kernel [3 3 32 64]
conv2d_transpose_2/bias [32]
batch_normalization_3/gamma [32]
batch_normalization_3/beta [32]
batch_normalization_3/moving_mean [32] fixed
batch_normalization_3/moving_variance [32] fixed
conv2d_transpose_3/kernel [3 3 1 32]
conv2d_transpose_3/bias [1]
`
	if got := describe(g); got != want {
		t.Errorf("G has\n%swant\n%s", got, want)
	}
	if got := (Network{Layers: []Layer{{Class: "GRU"}, {Class: LeakyReLU}, {Class: "GRU"}, {Class: LeakyReLU}}}).LayerNames(); !slices.Equal(got,
		[]string{"gru", "leaky_re_lu", "gru_1", "leaky_re_lu_1"}) {
		t.Errorf("names %v", got)
	}
}

// TestSummary is what a user sees of the seed's networks.
func TestSummary(t *testing.T) {
	g, d := seed(t)
	var b strings.Builder
	for _, n := range []Network{g, d} {
		if err := n.WriteSummary(&b); err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	got := strings.Join(lines, "\n") + "\n"
	if got != seedSummary {
		t.Errorf("the summary is\n%s", got)
	}
	if err := (Network{Name: "bad"}).WriteSummary(&b); err == nil {
		t.Error("a network without input has a summary")
	}
	if err := d.WriteSummary(full{}); err == nil {
		t.Error("a full disk is not told of")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("disk full") }

const seedSummary = `Model: "generator"
Layer (type)                                 Output Shape          Param #
input                                        (None, 100)           0
dense (Dense)                                (None, 12544)         1,266,944
batch_normalization (BatchNormalization)     (None, 12544)         50,176
activation (Activation)                      (None, 12544)         0
reshape (Reshape)                            (None, 7, 7, 256)     0
conv2d_transpose (Conv2DTranspose)           (None, 14, 14, 128)   295,040
batch_normalization_1 (BatchNormalization)   (None, 14, 14, 128)   512
activation_1 (Activation)                    (None, 14, 14, 128)   0
conv2d_transpose_1 (Conv2DTranspose)         (None, 28, 28, 64)    73,792
batch_normalization_2 (BatchNormalization)   (None, 28, 28, 64)    256
activation_2 (Activation)                    (None, 28, 28, 64)    0
conv2d_transpose_2 (Conv2DTranspose)         (None, 28, 28, 32)    18,464
batch_normalization_3 (BatchNormalization)   (None, 28, 28, 32)    128
activation_3 (Activation)                    (None, 28, 28, 32)    0
conv2d_transpose_3 (Conv2DTranspose)         (None, 28, 28, 1)     289
activation_4 (Activation)                    (None, 28, 28, 1)     0
Total params: 1,705,601
Trainable params: 1,680,065
Non-trainable params: 25,536
Model: "discriminator"
Layer (type)                Output Shape         Param #
input                       (None, 28, 28, 1)    0
conv2d (Conv2D)             (None, 14, 14, 64)   640
leaky_re_lu (LeakyReLU)     (None, 14, 14, 64)   0
dropout (Dropout)           (None, 14, 14, 64)   0
conv2d_1 (Conv2D)           (None, 7, 7, 128)    73,856
leaky_re_lu_1 (LeakyReLU)   (None, 7, 7, 128)    0
dropout_1 (Dropout)         (None, 7, 7, 128)    0
conv2d_2 (Conv2D)           (None, 4, 4, 256)    295,168
leaky_re_lu_2 (LeakyReLU)   (None, 4, 4, 256)    0
dropout_2 (Dropout)         (None, 4, 4, 256)    0
conv2d_3 (Conv2D)           (None, 4, 4, 512)    1,180,160
leaky_re_lu_3 (LeakyReLU)   (None, 4, 4, 512)    0
dropout_3 (Dropout)         (None, 4, 4, 512)    0
flatten (Flatten)           (None, 8192)         0
dense (Dense)               (None, 1)            8,193
activation (Activation)     (None, 1)            0
Total params: 1,558,017
Trainable params: 1,558,017
Non-trainable params: 0
`

// TestJSON writes networks and reads them again: the same value and the same text come back.
func TestJSON(t *testing.T) {
	g, d := seed(t)
	odd := Network{Name: "odd", Input: Shape{1, 1, 1}, Layers: []Layer{
		{Class: BatchNormalization, Epsilon: 1e-300}, {Class: LeakyReLU}, {Class: Dropout, Rate: 1.0 / 3}, {Class: Reshape, Target: Shape{1}}}}
	for _, n := range []Network{g, d, odd} {
		text, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		var back Network
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(n, back) {
			t.Errorf("%s became %+v (%v)", text, back, err)
		}
		if again, _ := json.Marshal(back); string(again) != string(text) {
			t.Errorf("%s\nbecame %s", text, again)
		}
	}
	// The text is part of every checkpoint, so it must not change by chance.
	text, _ := json.Marshal(Network{Name: "net", Input: Shape{4, 4, 2}, Layers: []Layer{conv(8, 3, 2), {Class: LeakyReLU, NegativeSlope: 0.2}}})
	want := `{"name":"net","input_shape":[4,4,2],"layers":[{"class_name":"Conv2D","filters":8,"kernel_size":3,"strides":2},` +
		`{"class_name":"LeakyReLU","negative_slope":0.2}]}`
	if string(text) != want {
		t.Errorf("%s\nwant %s", text, want)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1705601: "1,705,601"} {
		if got := Count(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}
