package hdf5

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Sizes of the written structures, in entries.
const (
	leafEntries = 8  // names of a symbol table node
	treeEntries = 32 // nodes of a tree, at the least
	headerLimit = 1<<16 - 8
	heapMinimum = 4096 // the smallest collection that the format's library takes
)

// Write writes a file. Equal groups give equal bytes: they hold no times.
//
// It is an error if a name is empty, comes twice or has a / or a zero byte in it, an attribute is above 64 KB (a single
// text may be longer), a dataset's shape does not fit its values, or w fails.
func Write(w io.Writer, root *Group) error {
	e := &encoder{buffer: make([]byte, superblockSize), nodes: treeEntries}
	e.measure(root)
	e.nodes += e.nodes % 2
	if e.nodes/2 > math.MaxUint16 {
		return fmt.Errorf("hdf5: a group has more than %d members", math.MaxUint16*leafEntries)
	}
	at, err := e.group(root, "")
	if err != nil {
		return fmt.Errorf("hdf5: %w", err)
	}
	heap := e.globalHeap()
	heapAt := len(e.buffer)
	dataAt := heapAt + len(heap)
	for _, p := range e.toHeap {
		binary.LittleEndian.PutUint64(e.buffer[p:], uint64(heapAt))
	}
	for _, p := range e.toData {
		binary.LittleEndian.PutUint64(e.buffer[p.place:], uint64(dataAt)+p.offset)
	}
	e.superblock(at, uint64(dataAt)+e.dataSize)
	for _, part := range [][]byte{e.buffer, heap} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	for _, d := range e.data {
		if err := d.write(w); err != nil {
			return err
		}
	}
	return nil
}

// encoder builds all but the data in memory. Members come before their group, so that their addresses are known; those of
// the global heap and of the data, which follow, are filled in at the end.
type encoder struct {
	buffer   []byte
	nodes    int      // that a tree has room for
	strings  []string // of the global heap
	toHeap   []int    // places of the global heap's address
	data     []*Dataset
	toData   []dataPlace
	dataSize uint64
}

// dataPlace is a place in the buffer that takes the address of data, offset bytes from where all data begins.
type dataPlace struct {
	place  int
	offset uint64
}

// measure makes room in every tree for the group with the most names.
func (e *encoder) measure(g *Group) {
	e.nodes = max(e.nodes, (len(g.Members)+leafEntries-1)/leafEntries)
	for _, m := range g.Members {
		if m.Group != nil {
			e.measure(m.Group)
		}
	}
}

// append adds a structure to the buffer, aligned, and returns its address.
func (e *encoder) append(b []byte) uint64 {
	at := len(e.buffer)
	e.buffer = append(e.buffer, b...)
	e.buffer = append(e.buffer, make([]byte, pad(len(e.buffer))-len(e.buffer))...)
	return uint64(at)
}

func u16(b []byte, v int) []byte    { return binary.LittleEndian.AppendUint16(b, uint16(v)) }
func u32(b []byte, v int) []byte    { return binary.LittleEndian.AppendUint32(b, uint32(v)) }
func u64(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

// padded returns b with zeros up to the alignment.
func padded(b []byte) []byte { return append(b, make([]byte, pad(len(b))-len(b))...) }

const superblockSize = 96

func (e *encoder) superblock(root, end uint64) {
	b := append([]byte(fileSignature), 0, 0, 0, 0, 0, 8, 8, 0) // versions, and the sizes of addresses and lengths
	b = u16(u16(b, leafEntries/2), e.nodes/2)
	b = u32(b, 0)
	b = u64(u64(u64(u64(b, 0), nowhere), end), nowhere)
	b = append(u64(u64(b, 0), root), make([]byte, 24)...) // the root's entry, which caches nothing
	copy(e.buffer, b)
}

// group writes a group and all that is in it, and returns its address.
func (e *encoder) group(g *Group, path string) (uint64, error) {
	members := slices.SortedFunc(slices.Values(g.Members), func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	names := make([]byte, 8) // the empty name comes first
	var entries, keys []uint64
	for i, m := range members {
		if m.Name == "" || strings.ContainsAny(m.Name, "/\x00") || m.Name == "." || i > 0 && members[i-1].Name == m.Name {
			return 0, fmt.Errorf("%s: the name %q is empty, comes twice, or has a / or a zero byte", path, m.Name)
		}
		var at uint64
		var err error
		if m.Group != nil {
			at, err = e.group(m.Group, path+"/"+m.Name)
		} else {
			at, err = e.dataset(m.Dataset, path+"/"+m.Name)
		}
		if err != nil {
			return 0, err
		}
		keys, entries = append(keys, uint64(len(names))), append(entries, at)
		names = padded(append(names, m.Name+"\x00"...))
	}
	attributes, err := e.attributes(g, path)
	if err != nil {
		return 0, err
	}

	tree := append([]byte(treeSignature), 0, 0) // of group nodes, level 0
	tree = u16(tree, (len(members)+leafEntries-1)/leafEntries)
	tree = u64(u64(u64(tree, nowhere), nowhere), 0)
	for at := 0; at < len(members); at += leafEntries {
		count := min(leafEntries, len(members)-at)
		node := u16(append([]byte(nodeSignature), 1, 0), count)
		for i := range count {
			node = append(u64(u64(node, keys[at+i]), entries[at+i]), make([]byte, 24)...)
		}
		node = append(node, make([]byte, (leafEntries-count)*40)...)
		tree = u64(u64(tree, e.append(node)), keys[at+count-1])
	}
	tree = append(tree, make([]byte, 24+e.nodes*16+8-len(tree))...)
	treeAt := e.append(tree)
	namesAt := e.append(names)
	heapAt := e.append(u64(u64(u64(append([]byte(localSignature), 0, 0, 0, 0), uint64(len(names))), 1), namesAt))
	return e.header(append([]message{{kind: messageSymbolTable, body: u64(u64(nil, treeAt), heapAt)}}, attributes...)), nil
}

func (e *encoder) dataset(d *Dataset, path string) (uint64, error) {
	size := d.width
	for _, side := range d.Shape {
		if side < 0 || side > 0 && size > math.MaxInt/side {
			return 0, fmt.Errorf("%s: the shape %v is below 0 or too large", path, d.Shape)
		}
		size *= side
	}
	if had := len(d.values)*4 + len(d.data); d.why != "" || had != size {
		return 0, fmt.Errorf("%s: has %d bytes where its shape %v takes %d", path, had, d.Shape, size)
	}
	layout := message{kind: messageLayout, body: u64(u64([]byte{3, 1}, nowhere), uint64(size))}
	if size > 0 {
		layout.data = d
	}
	return e.header([]message{
		{kind: messageDataspace, body: dataspace(d.Shape...)},
		{kind: messageDatatype, body: d.datatype(), flags: 1},
		{kind: messageFill, body: []byte{2, 2, 2, 1, 0, 0, 0, 0}, flags: 1},
		layout,
	}), nil
}

func dataspace(shape ...int) []byte {
	b := []byte{1, byte(len(shape)), 0, 0, 0, 0, 0, 0}
	for _, side := range shape {
		b = u64(b, uint64(side))
	}
	return b
}

func (d *Dataset) datatype() []byte {
	if d.kind == float {
		// IEEE's 32 bits: the sign at 31, an exponent of 8 bits at 23 with its bias, a fraction of 23.
		return append(u32([]byte{1<<4 | classFloat, 0x20, 31, 0}, 4), 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0)
	}
	return append(u32([]byte{1<<4 | classInteger, 8, 0, 0}, 8), 0, 0, 64, 0)
}

// write writes the data, padded.
func (d *Dataset) write(w io.Writer) error {
	if d.values == nil {
		_, err := w.Write(padded(slices.Clone(d.data)))
		return err
	}
	buffer := make([]byte, 0, 1<<16)
	for values := d.values; len(values) > 0; {
		count := min(len(values), cap(buffer)/4)
		for _, v := range values[:count] {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
		}
		if values = values[count:]; len(values) == 0 {
			buffer = padded(buffer)
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
		buffer = buffer[:0]
	}
	return nil
}

// message is a part of an object header.
type message struct {
	kind  int
	body  []byte
	flags byte
	data  *Dataset // whose address is in body, from layoutAddress on
	heap  bool     // whether body ends in an address of the global heap and an index
}

const layoutAddress = 2

// header writes an object header and returns its address.
func (e *encoder) header(messages []message) uint64 {
	size := 0
	for _, m := range messages {
		size += 8 + pad(len(m.body))
	}
	b := u16([]byte{1, 0}, len(messages))
	b = append(u32(u32(b, 1), size), 0, 0, 0, 0)
	for _, m := range messages {
		b = append(u16(u16(b, m.kind), pad(len(m.body))), m.flags, 0, 0, 0)
		if m.data != nil {
			e.toData = append(e.toData, dataPlace{len(e.buffer) + len(b) + layoutAddress, e.dataSize})
			e.data = append(e.data, m.data)
			e.dataSize += uint64(pad(m.data.Size() * m.data.width))
		}
		if m.heap {
			e.toHeap = append(e.toHeap, len(e.buffer)+len(b)+len(m.body)-12)
		}
		b = padded(append(b, m.body...))
	}
	return e.append(b)
}

// attributes returns a group's attributes as messages. A single text goes to the global heap, so that it may be long; a
// list lies in the message, its texts padded to the longest.
func (e *encoder) attributes(g *Group, path string) ([]message, error) {
	var all []message
	seen := map[string]bool{}
	for _, a := range g.Attributes {
		if a.Name == "" || strings.Contains(a.Name, "\x00") || seen[a.Name] {
			return nil, fmt.Errorf("%s: attribute %q is without a name or comes twice", path, a.Name)
		}
		seen[a.Name] = true
		var datatype, space, data []byte
		switch v := a.Value.(type) {
		case string:
			datatype = u32([]byte{1<<4 | classVariable, 1, 1, 0}, 16)                           // a text in UTF-8, of
			datatype = append(u32(append(datatype, 1<<4|classInteger, 0, 0, 0), 1), 0, 0, 8, 0) // bytes
			space = dataspace()
			e.strings = append(e.strings, v)
			data = u32(u64(u32(nil, len(v)), nowhere), len(e.strings))
		case []string:
			longest := 1
			for _, text := range v {
				longest = max(longest, len(text))
			}
			datatype = u32([]byte{1<<4 | classString, 1 | 1<<4, 0, 0}, longest) // in UTF-8, padded with zeros
			space = dataspace(len(v))
			for _, text := range v {
				data = append(append(data, text...), make([]byte, longest-len(text))...)
			}
		default:
			continue
		}
		body := u16(u16(u16([]byte{1, 0}, len(a.Name)+1), len(datatype)), len(space))
		body = padded(append(body, a.Name+"\x00"...))
		body = append(append(body, padded(datatype)...), padded(space)...)
		body = append(body, data...)
		if len(body) > headerLimit || len(e.strings) >= math.MaxUint16 {
			return nil, fmt.Errorf("%s: attribute %q takes %d bytes, or is one of too many", path, a.Name, len(body))
		}
		_, single := a.Value.(string)
		all = append(all, message{kind: messageAttribute, body: body, heap: single})
	}
	return all, nil
}

// globalHeap returns the collection of all single texts, numbered from 1.
func (e *encoder) globalHeap() []byte {
	if len(e.strings) == 0 {
		return nil
	}
	b := u64(append([]byte(heapSignature), 1, 0, 0, 0), 0)
	for i, text := range e.strings {
		b = u64(u32(u16(u16(b, i+1), 1), 0), uint64(len(text)))
		b = padded(append(b, text...))
	}
	free := max(heapMinimum-len(b), 16) // the rest, as object 0
	b = append(u64(append(b, make([]byte, 8)...), uint64(free)), make([]byte, free-16)...)
	binary.LittleEndian.PutUint64(b[8:], uint64(len(b)))
	return b
}
