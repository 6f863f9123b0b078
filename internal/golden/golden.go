// Package golden reads what testdata/keras/golden.py wrote from real Keras, for tests that replay it.
package golden

import (
	"archive/zip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dcgan/format/npy"
)

// Entry is a tensor that both sides make by formula: values·Scale + Offset, or for a mask values < KeepBelow.
type Entry struct {
	Name      string  `json:"name"`
	ID        uint32  `json:"id"`
	Shape     []int   `json:"shape"`
	Scale     float32 `json:"scale"`
	Offset    float32 `json:"offset"`
	KeepBelow float32 `json:"keep_below"`
}

func mix(x uint32) uint32 {
	x = (x ^ x>>16) * 0x7feb352d
	x = (x ^ x>>15) * 0x846ca68b
	return x ^ x>>16
}

// value is element i of the formula, in [-1, 1).
func (e Entry) value(i int) float32 {
	return float32(float64(mix(mix(e.ID)+uint32(i))>>8)/(1<<23) - 1)
}

// Size returns the number of elements.
func (e Entry) Size() int {
	size := 1
	for _, d := range e.Shape {
		size *= d
	}
	return size
}

// Fill writes the tensor to dst.
func (e Entry) Fill(dst []float32) {
	for i := range e.Size() {
		dst[i] = float32(e.value(i)*e.Scale) + e.Offset
	}
}

// Keep reports whether a mask keeps element i.
func (e Entry) Keep(i int) bool { return e.value(i) < e.KeepBelow }

// JSON reads a table.
func JSON(t testing.TB, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
}

// Arrays reads every array of an .npz file.
func Arrays(t testing.TB, path string) map[string][]float32 {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	all := map[string][]float32{}
	for _, file := range archive.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		_, data, err := npy.Read(r)
		if err != nil {
			t.Fatalf("%s in %s: %v", file.Name, filepath.Base(path), err)
		}
		all[strings.TrimSuffix(file.Name, ".npy")] = data
	}
	return all
}

// Distance returns the relative L2 distance of got from want, and the largest absolute difference.
func Distance(got, want []float32) (relative, largest float64) {
	var difference, size float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		difference += d * d
		size += float64(w) * float64(w)
		largest = max(largest, math.Abs(d))
		if d != d {
			return math.NaN(), math.NaN()
		}
	}
	return math.Sqrt(difference / max(size, 1e-60)), largest
}
