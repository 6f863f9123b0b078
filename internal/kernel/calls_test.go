package kernel

import (
	"reflect"
	"testing"
)

// calls are arguments for the pointwise kernels, and which slice says how much there is to do, −1 for none.
var calls = []struct {
	name  string
	sized int
	args  func() []any
}{
	{"Sums", 0, func() []any { return []any{f64(32), f32(82), 2, 50} }},
	{"Moments", 0, func() []any { return []any{f64(32), f64(32), f32(82), 2, 50} }},
	{"NormGrads", 0, func() []any { return []any{f64(32), f64(32), f32(82), f32(82), f32(32), f32(32), float32(0.5), 2, 50} }},
	{"Scale", 2, func() []any { return []any{f32(48), f32(56), f32(16), f32(16), float32(0.5), 3, 20} }},
	{"NormBack", 4, func() []any {
		return []any{f32(48), f32(48), f32(16), f32(16), f32(16), f32(16), f32(16), float32(0.5), 3}
	}},
	{"Leaky", 0, func() []any { return []any{f32(128), make([]uint64, 2), make([]uint64, 2), float32(0.5), float32(2)} }},
	{"LeakyBack", 0, func() []any { return []any{f32(128), make([]uint64, 2), make([]uint64, 2), float32(0.5), float32(2)} }},
	{"Adam", 1, func() []any {
		return []any{f32(48), f32(48), f32(48), f32(48), float32(1), float32(1), float32(1), float32(1)}
	}},
	{"Add", 1, func() []any { return []any{f32(48), f32(48)} }},
	{"CopyRows", -1, func() []any { return []any{f32(36), 20, f32(40), 24, 16, 2} }},
	{"Transpose", -1, func() []any { return []any{f32(148), 20, f32(176), 24, 8, 8} }},
}

func f32(n int) []float32 { return make([]float32, n) }
func f64(n int) []float64 { return make([]float64, n) }

// call calls set's kernel of a name and reports whether that panics.
func call(set *Set, name string, args []any) (panics bool) {
	defer func() { panics = recover() != nil }()
	values := make([]reflect.Value, len(args))
	for i, a := range args {
		values[i] = reflect.ValueOf(a)
	}
	reflect.ValueOf(set).Elem().FieldByName(name).Call(values)
	return
}

// A slice too short by one is a panic, not an access beyond it.
func TestShortSlices(t *testing.T) {
	for i := range Variants {
		set := &Variants[i]
		for _, c := range calls {
			args := c.args()
			if call(set, c.name, args) {
				t.Errorf("%s: %s panics", set.Name, c.name)
			}
			for j, arg := range args {
				v := reflect.ValueOf(arg)
				if v.Kind() != reflect.Slice || j == c.sized {
					continue
				}
				args := c.args()
				args[j] = v.Slice3(0, v.Len()-1, v.Len()-1).Interface()
				if !call(set, c.name, args) {
					t.Errorf("%s: %s accepts argument %d too short", set.Name, c.name, j)
				}
			}
		}
	}
}

func TestNoAllocation(t *testing.T) {
	sum, x, channels, mask := f64(40), f32(48), f32(16), make([]uint64, 1)
	for i := range Variants {
		set := &Variants[i]
		if n := testing.AllocsPerRun(10, func() {
			set.Sums(sum, x, 1, 0)
			set.Moments(sum, sum, x, 1, 0)
			set.NormGrads(sum, sum, x, x, x, x, 1, 1, 0)
			set.Scale(x, x, channels, channels, 1, 3, len(channels))
			set.NormBack(x, x, channels, channels, channels, channels, channels, 1, 3)
			set.Leaky(x, mask, mask, 1, 1)
			set.LeakyBack(x, mask, mask, 1, 1)
			set.Adam(x, x, x, x, 1, 1, 1, 1)
			set.Add(x, x)
		}); n != 0 {
			t.Errorf("%s: %v allocations", set.Name, n)
		}
	}
}
