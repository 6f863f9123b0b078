package hdf5

import (
	"bytes"
	"math"
	"strings"

	"dcgan/internal/input"
)

// attribute reads a group's attribute. Its value is nil if it is no text.
func (r *reader) attribute(c *cursor) (Attribute, error) {
	bad := func() (Attribute, error) { return Attribute{}, input.Errorf("is damaged: an attribute does not fit") }
	version := c.u8()
	flags := c.u8() // reserved in version 1
	sizes := [3]int{c.u16(), c.u16(), c.u16()}
	align := func(n int) int { return n }
	switch version {
	case 1:
		align, flags = pad, 0
	case 2:
	case 3:
		c.take(1) // the name's character set
	default:
		return bad()
	}
	var parts [3][]byte
	for i, size := range sizes {
		part := c.take(align(size))
		if c.short {
			return bad()
		}
		parts[i] = part[:size]
	}
	name, _, _ := strings.Cut(string(parts[0]), "\x00")
	a := Attribute{Name: name}
	if flags != 0 { // a datatype or dataspace that is kept elsewhere
		return a, nil
	}
	dims, err := shape(&cursor{b: parts[2]})
	if err != nil {
		return a, err
	}
	count := 1
	for _, d := range dims {
		count *= d
	}
	if len(dims) > 1 {
		return a, nil
	}
	var values []string
	if count > 0 { // an empty list has any type: h5py gives it floats
		if values, err = r.strings(&cursor{b: parts[1]}, c, count); err != nil || values == nil {
			return a, err
		}
	}
	if len(dims) == 0 {
		a.Value = values[0]
	} else {
		a.Value = append([]string{}, values...)
	}
	return a, nil
}

// strings reads count texts of a datatype from c; none where the datatype is no text.
func (r *reader) strings(datatype, c *cursor, count int) ([]string, error) {
	class, bits := datatype.u8()&15, datatype.number(3)
	size := datatype.u32()
	variable := class == classVariable && bits&15 == 1
	if class != classString && !variable {
		return nil, nil
	}
	if size < 1 || variable && size != 16 || count > len(c.b)/size {
		return nil, input.Errorf("is damaged: a list of texts does not fit")
	}
	values := make([]string, count)
	for i := range values {
		if !variable {
			b := c.take(size)
			if bits&15 == 2 { // padded with spaces
				b = bytes.TrimRight(b, " ")
			} else if end := bytes.IndexByte(b, 0); end >= 0 {
				b = b[:end]
			}
			values[i] = string(b)
			continue
		}
		length, heap, index := c.u32(), c.u64(), c.u32()
		if length == 0 {
			continue
		}
		var err error
		if values[i], err = r.heapText(heap, index, length); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// heapText returns the text of a length that is an object of the global heap. What several ask for is kept once.
func (r *reader) heapText(heap uint64, index, length int) (string, error) {
	key := textKey{heap, index, length}
	if text, ok := r.texts[key]; ok {
		return text, nil
	}
	objects, ok := r.heaps[heap]
	if !ok {
		var err error
		if objects, err = r.collection(heap); err != nil {
			return "", err
		}
		r.heaps[heap] = objects
	}
	object, ok := objects[index]
	if !ok || length > len(object) {
		return "", damaged("a text of the heap", heap)
	}
	if r.budget -= length; r.budget < 0 {
		return "", input.Errorf("is damaged: its texts lie over each other")
	}
	text := strings.TrimRight(string(object[:length]), "\x00")
	r.texts[key] = text
	return text, nil
}

// collection reads a collection of the global heap.
func (r *reader) collection(address uint64) (map[int][]byte, error) {
	c, err := r.signed(address, 16, heapSignature)
	if err != nil {
		return nil, err
	}
	c.take(4)
	size := c.u64()
	if size < 16 || size > math.MaxInt32 {
		return nil, damaged(heapSignature, address)
	}
	if c, err = r.at(address+16, int(size)-16, heapSignature); err != nil {
		return nil, err
	}
	objects := map[int][]byte{}
	for len(c.b) >= 16 {
		index := c.u16()
		if index == 0 { // what is free
			break
		}
		c.take(6)
		n := c.size()
		if c.short {
			return nil, damaged(heapSignature, address)
		}
		object := c.take(n)
		c.take(min(pad(n)-n, len(c.b)))
		objects[index] = object
	}
	return objects, nil
}
