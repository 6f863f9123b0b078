package dataset

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dcgan/internal/input"
)

// idxFile returns an IDX file of unsigned bytes of the given sizes, with values 0, 1, 2, … or as many as n if n ≥ 0.
func idxFile(n int, sizes ...uint32) []byte {
	file := []byte{0, 0, 8, byte(len(sizes))}
	total := 1
	for _, size := range sizes {
		file = binary.BigEndian.AppendUint32(file, size)
		total *= int(size)
	}
	if n < 0 {
		n = total
	}
	for i := range n {
		file = append(file, byte(i))
	}
	return file
}

func zipped(data []byte) []byte {
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	w.Write(data)
	w.Close()
	return buffer.Bytes()
}

func save(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMNIST(t *testing.T) {
	d, err := Open(MNIST, "")
	if err != nil {
		t.Fatal(err)
	}
	if d.N != 60000 || d.H != 28 || d.W != 28 || d.C != 1 || len(d.Pixels) != 60000*28*28 {
		t.Fatalf("shape %d×%d×%d×%d, %d pixels", d.N, d.H, d.W, d.C, len(d.Pixels))
	}
	if want := []uint8{5, 0, 4, 1, 9, 2, 1, 3, 1, 4}; !slices.Equal(d.Labels[:10], want) {
		t.Errorf("first labels %d, want %d", d.Labels[:10], want)
	}
	// The mean pixel of MNIST is widely printed as 0.1307 of 255.
	sum := 0
	for _, x := range d.Pixels {
		sum += int(x)
	}
	if mean := float64(sum) / float64(len(d.Pixels)) / 255; mean < 0.13065 || mean > 0.13075 {
		t.Errorf("mean pixel %v, want 0.1307", mean)
	}
	hash := sha256.New()
	for _, size := range []uint32{60000, 28, 28, 1} {
		binary.Write(hash, binary.LittleEndian, size)
	}
	hash.Write(d.Pixels)
	if want := hex.EncodeToString(hash.Sum(nil)); d.SHA256 != want {
		t.Errorf("SHA-256 %s, want %s", d.SHA256, want)
	}
}

// The embedded, a gzipped and a plain copy are the same data: a run may go on with any of them.
func TestMNISTFromFiles(t *testing.T) {
	embedded, err := Open(MNIST, "")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gunzip(mnistImages)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// Known by content: the plain file has the name of a compressed one.
	plainPath := save(t, dir, "train-images-idx3-ubyte.gz", plain)
	save(t, dir, "train-labels-idx1-ubyte", mnistLabels)
	for _, path := range []string{"mnist/train-images-idx3-ubyte.gz", plainPath} {
		d, err := Open(path, "")
		if err != nil {
			t.Fatal(err)
		}
		if d.SHA256 != embedded.SHA256 || !slices.Equal(d.Labels, embedded.Labels) {
			t.Errorf("%s: other data than the embedded", path)
		}
	}
}

func gunzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = out.ReadFrom(r)
	return out.Bytes(), err
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	gray := save(t, dir, "gray", idxFile(-1, 3, 4, 5))
	rgb := save(t, dir, "rgb", zipped(idxFile(-1, 2, 4, 5, 3)))
	labels := save(t, dir, "labels", idxFile(-1, 3))

	d, err := Open(gray, "")
	if err != nil || d.N != 3 || d.H != 4 || d.W != 5 || d.C != 1 || len(d.Pixels) != 60 || d.Labels != nil {
		t.Errorf("gray: %+v, %v", d, err)
	}
	if d, err = Open(gray, labels); err != nil || !slices.Equal(d.Labels, []uint8{0, 1, 2}) {
		t.Errorf("gray with labels: %+v, %v", d, err)
	}
	if d, err = Open(rgb, ""); err != nil || d.N != 2 || d.H != 4 || d.W != 5 || d.C != 3 || len(d.Pixels) != 120 {
		t.Errorf("rgb: %+v, %v", d, err)
	}
	large := save(t, dir, "large", idxFile(-1, 3, 1000, 1000))
	if d, err = Open(large, ""); err != nil || len(d.Pixels) != 3e6 || d.Pixels[2999999] != byte(2999999%256) {
		t.Errorf("large: %v", err)
	}
}

func TestLabelsBesideImages(t *testing.T) {
	for images, labels := range map[string]string{
		"train-images-idx3-ubyte":    "train-labels-idx1-ubyte",
		"train-images-idx3-ubyte.gz": "train-labels-idx1-ubyte.gz",
		"t10k-images.idx3-ubyte":     "t10k-labels.idx1-ubyte",
		"a-images-idx4.gz":           "a-labels-idx1",
		"b-images-idx3":              "b-labels-idx1.gz",
	} {
		dir := t.TempDir()
		path := save(t, dir, images, idxFile(-1, 2, 1, 1))
		if d, err := Open(path, ""); err != nil || d.Labels != nil {
			t.Errorf("%s alone: %v", images, err)
		}
		save(t, dir, labels, idxFile(-1, 2))
		if d, err := Open(path, ""); err != nil || !slices.Equal(d.Labels, []uint8{0, 1}) {
			t.Errorf("%s does not find %s: %v", images, labels, err)
		}
		save(t, dir, labels, idxFile(-1, 3))
		if _, err := Open(path, ""); !input.Is(err) {
			t.Errorf("%s with 3 labels for 2 images: %v", images, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	good := idxFile(-1, 3, 4, 5)
	with := func(at int, value byte) []byte {
		changed := slices.Clone(good)
		changed[at] = value
		return changed
	}
	pack := zipped(good)
	badSum := slices.Clone(pack)
	badSum[len(badSum)-8]++
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"empty":           {nil, "cut short"},
		"magic cut":       {good[:3], "cut short"},
		"header cut":      {good[:9], "cut short"},
		"data cut":        {good[:len(good)-1], "after 59 of the 60 values"},
		"too long":        {append(slices.Clone(good), 7), "too long"},
		"text":            {[]byte("P5 28 28 255"), "not an IDX file"},
		"unknown type":    {with(2, 7), "not an IDX file"},
		"floats":          {with(2, 13), "float32"},
		"labels":          {idxFile(-1, 3), "has 1 dimensions instead of 3 or 4"},
		"five dimensions": {idxFile(-1, 1, 1, 1, 1, 1), "has 5 dimensions"},
		"no image":        {idxFile(-1, 0, 4, 5), "dimension 1"},
		"no width":        {idxFile(-1, 3, 4, 0), "dimension 3"},
		"2^60 values":     {idxFile(9, 1<<20, 1<<20, 1<<20), "claims more"},
		"2^128 values":    {idxFile(9, 1<<31, 1<<31, 1<<31, 1<<31), "claims more"},
		"2^33 values":     {idxFile(9, 1<<13, 1<<10, 1<<10), "after 9 of"},
		"gzip, cut":       {pack[:len(pack)/2], "cut short after"},
		"gzip, no end":    {pack[:len(pack)-1], "cut short"},
		"gzip, header":    {pack[:5], "cut short"},
		"gzip, garbage":   {append(slices.Clone(pack[:10]), "garbage garbage garbage"...), "damaged"},
		"gzip, bad sum":   {badSum, "damaged"},
		"gzip, too long":  {append(slices.Clone(pack), "more"...), "overlong at its end"},
		"gzip, data cut":  {zipped(good[:30]), "after 14 of"},
		"gzip, data long": {zipped(append(slices.Clone(good), 1)), "too long"},
	} {
		path := save(t, t.TempDir(), "file", test.file)
		d, err := Open(path, "")
		if d != nil || !input.Is(err) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of input with %q", name, err, test.want)
		}
	}
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "missing"), filepath.Join(dir, "missing", "file")} {
		if _, err := Open(path, ""); !input.Is(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
	images := save(t, dir, "images", good)
	for _, labels := range []string{filepath.Join(dir, "missing"), images, save(t, dir, "four", idxFile(-1, 4))} {
		if _, err := Open(images, labels); !input.Is(err) || !strings.Contains(err.Error(), "labels "+labels) {
			t.Errorf("labels %s: %v", labels, err)
		}
	}
}

// A header that claims much more than the file holds takes little memory, whatever the claim.
func TestHostileHeaderTakesNoMemory(t *testing.T) {
	for _, file := range [][]byte{
		idxFile(0, 1<<13, 1<<10, 1<<10), // 2^33, within the limit
		idxFile(0, 1<<20, 1<<20, 1<<20), // 2^60
		zipped(idxFile(0, 1<<31, 1<<31, 1<<31)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := readIDX(bytes.NewReader(file), nil, 3); err == nil {
			t.Error("no error")
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
			t.Errorf("took %d bytes", took)
		}
	}
}

// TestRefusedByHeader: images and labels that do not fit are refused before they are read or unpacked. What would be
// unpacked here are four gigabytes, but after the header the files end.
func TestRefusedByHeader(t *testing.T) {
	dir := t.TempDir()
	good := save(t, dir, "good", idxFile(-1, 3, 4, 5))
	for _, pack := range []func([]byte) []byte{zipped, func(b []byte) []byte { return b }} {
		images := save(t, dir, "images", pack(idxFile(0, 1, 1<<16, 1<<16)))
		refuse := func(n, h, w, c int) error { return input.Errorf("%d×%d×%d×%d will not do", n, h, w, c) }
		_, err := OpenIf(images, "", refuse)
		if !input.Is(err) || !strings.Contains(err.Error(), images+": 1×65536×65536×1 will not do") {
			t.Errorf("images: %v", err)
		}
		labels := save(t, dir, "labels", pack(idxFile(0, 1<<32-1)))
		if _, err := Open(good, labels); !input.Is(err) || !strings.Contains(err.Error(), "labels 4294967295 images, and ") {
			t.Errorf("labels: %v", err)
		}
	}
	rgb := save(t, dir, "rgb", idxFile(-1, 2, 4, 5, 3))
	if _, err := OpenIf(rgb, "", func(n, h, w, c int) error {
		if n != 2 || h != 4 || w != 5 || c != 3 {
			t.Errorf("asked about %d×%d×%d×%d", n, h, w, c)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// TestBomb unpacks no more of a file than its header promises, and a byte.
func TestBomb(t *testing.T) {
	bomb := zipped(append(idxFile(-1, 3, 4, 5), make([]byte, 64<<20)...))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := readIDX(bytes.NewReader(bomb), nil, 3); !input.Is(err) || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a file of %d bytes: %v", len(bomb), err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("took %d bytes", took)
	}
}

func TestBatch(t *testing.T) {
	pixels := make([]uint8, 256)
	for i := range pixels {
		pixels[i] = uint8(i)
	}
	d := &Images{N: 64, H: 1, W: 2, C: 2, Pixels: pixels}
	index := []int{63, 0, 5, 5}
	dst := make([]float32, 4*len(index)+1)
	dst[16] = 42
	d.Batch(dst, index)
	for i, image := range index {
		for p := range 4 {
			if want := (float32(pixels[4*image+p]) - 127.5) / 127.5; dst[4*i+p] != want {
				t.Errorf("image %d value %d: %v, want %v", image, p, dst[4*i+p], want)
			}
		}
	}
	if dst[1] != (253-127.5)/127.5 || dst[3] != 1 || dst[4] != -1 || dst[16] != 42 {
		t.Errorf("scaled wrongly: %v", dst)
	}
	if n := testing.AllocsPerRun(100, func() { d.Batch(dst, index) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzIDX(f *testing.F) {
	f.Add(idxFile(-1, 3, 4, 5))
	f.Add(idxFile(-1, 2, 2, 2, 3))
	f.Add(zipped(idxFile(-1, 3, 4, 5)))
	f.Add(zipped(idxFile(9, 1<<31, 1<<31, 1<<31)))
	f.Add(append(zipped(idxFile(9, 3, 4, 5)), zipped(make([]byte, 51))...)) // two members
	f.Add(idxFile(9, 1<<31, 1<<31, 1<<31))
	f.Add(idxFile(9, 3, 0, 5))
	f.Fuzz(func(t *testing.T, file []byte) {
		a, err := readIDX(bytes.NewReader(file), nil, 3, 4)
		if err != nil {
			if !input.Is(err) {
				t.Errorf("not an error of input: %v", err)
			}
			return
		}
		total := 1
		for _, size := range a.shape {
			total *= size
		}
		if total != len(a.data) {
			t.Errorf("shape %v, %d values", a.shape, len(a.data))
		}
	})
}

func BenchmarkOpenMNIST(b *testing.B) {
	for b.Loop() {
		if _, err := Open(MNIST, ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	d, err := Open(MNIST, "")
	if err != nil {
		b.Fatal(err)
	}
	index, dst := make([]int, 128), make([]float32, 128*784)
	for b.Loop() {
		d.Batch(dst, index)
	}
}
