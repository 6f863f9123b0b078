// Package hdf5 is a codec of the part of HDF5 that Keras' files use: superblock 0, groups as symbol tables, contiguous
// numbers, and attributes that are texts. What a file has beside it is passed over where nobody asks for it, and named in
// an error where somebody does.
package hdf5

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"dcgan/internal/input"
)

// Group is a group: attributes and named members. The root of a file is one.
type Group struct {
	Attributes []Attribute
	Members    []Member // in any order for writing; by name when read
}

// Attribute is a named value: a string, a []string, or nil for what is neither, which is not written.
type Attribute struct {
	Name  string
	Value any
}

// Member is a group or a dataset with its name. One of the two is nil.
type Member struct {
	Name    string
	Group   *Group
	Dataset *Dataset
}

// Attribute returns a group's attribute, nil where there is none or it is no text.
func (g *Group) Attribute(name string) any {
	for _, a := range g.Attributes {
		if a.Name == name {
			return a.Value
		}
	}
	return nil
}

// Set adds an attribute: a string or a []string.
func (g *Group) Set(name string, value any) {
	g.Attributes = append(g.Attributes, Attribute{name, value})
}

// member returns the member at a path of names with / between them, which is empty where there is none.
func (g *Group) member(path string) Member {
	at := Member{Group: g}
	for name := range strings.SplitSeq(path, "/") {
		if at.Group == nil {
			return Member{}
		}
		i := slices.IndexFunc(at.Group.Members, func(m Member) bool { return m.Name == name })
		if i < 0 {
			return Member{}
		}
		at = at.Group.Members[i]
	}
	return at
}

// Group returns the group at a path of names with / between them, nil where there is none.
func (g *Group) Group(path string) *Group { return g.member(path).Group }

// Dataset returns the dataset at a path of names with / between them, nil where there is none.
func (g *Group) Dataset(path string) *Dataset { return g.member(path).Dataset }

// Make returns the group at a path, after making what of it is not there.
func (g *Group) Make(path string) *Group {
	for name := range strings.SplitSeq(path, "/") {
		next := g.member(name).Group
		if next == nil {
			next = &Group{}
			g.Members = append(g.Members, Member{Name: name, Group: next})
		}
		g = next
	}
	return g
}

// Put adds a dataset at a path, and the groups on the way to it.
func (g *Group) Put(path string, d *Dataset) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		g, path = g.Make(path[:i]), path[i+1:]
	}
	g.Members = append(g.Members, Member{Name: path, Dataset: d})
}

// kind is a type of numbers, all of them little-endian.
type kind int

const (
	unknown kind = iota
	float
	signed
	unsigned
)

// Dataset is an array of numbers, row-major.
type Dataset struct {
	Shape []int // empty for a single number

	kind   kind
	width  int       // bytes of a number
	data   []byte    // as in the file, which it is part of
	values []float32 // in place of data, to be written
	why    string    // why there is no data, "" where there is
}

// Float32 returns a dataset to be written. The values stay the caller's and must not change until then.
func Float32(shape []int, values []float32) *Dataset {
	return &Dataset{Shape: shape, kind: float, width: 4, values: values}
}

// Int64 returns a dataset of a single number, to be written.
func Int64(v int64) *Dataset {
	return &Dataset{kind: signed, width: 8, data: binary.LittleEndian.AppendUint64(nil, uint64(v))}
}

// Size returns the number of numbers.
func (d *Dataset) Size() int {
	n := 1
	for _, side := range d.Shape {
		n *= side
	}
	return n
}

// Float32s returns a copy of the numbers of a dataset that was read: floats of 32 bits, or of 64 bits, rounded. That
// there are no such numbers is an error of input.
func (d *Dataset) Float32s() ([]float32, error) {
	if d.why == "" && d.kind != float {
		return nil, input.Errorf("has whole numbers where floats are wanted")
	}
	if d.why != "" {
		return nil, input.Errorf("%s", d.why)
	}
	values := make([]float32, d.Size())
	for i := range values {
		if d.width == 4 {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(d.data[4*i:]))
		} else {
			values[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(d.data[8*i:])))
		}
	}
	return values, nil
}

// Int returns the whole number that a dataset of a single one holds, as an integer or a float. That it holds none, or one
// that is no int, is an error of input.
func (d *Dataset) Int() (int, error) {
	if d.why != "" {
		return 0, input.Errorf("%s", d.why)
	}
	if d.Size() != 1 {
		return 0, input.Errorf("has %d numbers and not one", d.Size())
	}
	if d.kind == float {
		values, err := d.Float32s()
		if err != nil {
			return 0, err
		}
		v := float64(values[0])
		if v != math.Trunc(v) || math.Abs(v) > 1<<24 { // beyond, a float32 cannot count
			return 0, input.Errorf("%g is not a whole number", v)
		}
		return int(v), nil
	}
	var word [8]byte
	copy(word[:], d.data[:d.width])
	v := binary.LittleEndian.Uint64(word[:])
	if shift := 64 - 8*d.width; d.kind == signed {
		v = uint64(int64(v<<shift) >> shift)
	} else if v > math.MaxInt64 {
		return 0, input.Errorf("%d is too large", v)
	}
	return int(v), nil
}

// String says what the dataset is: float32 (3, 3, 1, 64).
func (d *Dataset) String() string {
	name := map[kind]string{unknown: "data", float: "float", signed: "int", unsigned: "uint"}[d.kind]
	if d.kind != unknown {
		name += fmt.Sprint(8 * d.width)
	}
	return fmt.Sprintf("%s %v", name, d.Shape)
}

// What the format's structures begin with.
const (
	fileSignature  = "\x89HDF\r\n\x1a\n"
	treeSignature  = "TREE"
	nodeSignature  = "SNOD"
	localSignature = "HEAP"
	heapSignature  = "GCOL"
)

// Is reports whether a file that begins so is HDF5.
func Is(start []byte) bool { return strings.HasPrefix(string(start), fileSignature) }

// Types of an object header's messages.
const (
	messageNil          = 0x00
	messageDataspace    = 0x01
	messageDatatype     = 0x03
	messageFill         = 0x05
	messageLayout       = 0x08
	messageFilters      = 0x0b
	messageAttribute    = 0x0c
	messageContinuation = 0x10
	messageSymbolTable  = 0x11
)

// Classes of a datatype.
const (
	classInteger  = 0
	classFloat    = 1
	classString   = 3
	classVariable = 9
)

// nowhere is the address of what there is not.
const nowhere = math.MaxUint64

// pad rounds a size up to the format's alignment.
func pad(n int) int { return (n + 7) &^ 7 }
