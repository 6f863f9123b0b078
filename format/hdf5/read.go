package hdf5

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"dcgan/internal/input"
)

// Limits of what is read. They are far from what Keras writes.
const (
	maxFile  = 4 << 30
	maxDepth = 64 // of groups within groups
	maxRank  = 32 // HDF5's own
)

// ReadFile returns the bytes of a file. That it is missing, no file or too large is an error of input. Errors begin with
// the path.
func ReadFile(path string) ([]byte, error) {
	file, size, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > maxFile {
		return nil, input.Errorf("%s: is larger than %d bytes", path, int64(maxFile))
	}
	content := make([]byte, size)
	if _, err := io.ReadFull(file, content); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return content, nil
}

// Read reads a file. Datasets are parts of it, so it must not change while they are in use. No more memory is taken than
// a few times the file's size, whatever stands in it. What is wrong is an error of input.
func Read(file []byte) (*Group, error) {
	r := &reader{file: file, budget: 2*len(file) + 1<<16, data: len(file), seen: map[uint64]bool{},
		heaps: map[uint64]map[int][]byte{}, texts: map[textKey]string{}}
	root, err := r.superblock()
	if err != nil {
		return nil, err
	}
	m, err := r.object(root, 0)
	if err != nil {
		return nil, err
	}
	if m.Group == nil {
		return nil, input.Errorf("is damaged: its root is no group")
	}
	return m.Group, nil
}

// reader reads structures that point at each other. Each is read once: an object that is reached twice is an error, and
// all of them together may not be longer than the budget, since structures that lie over each other would make a short
// file a long one.
type reader struct {
	file   []byte
	budget int // bytes of structures that may still be read
	data   int // bytes of data that datasets may still have
	seen   map[uint64]bool
	heaps  map[uint64]map[int][]byte
	texts  map[textKey]string
}

type textKey struct {
	heap uint64
	index,
	size int
}

// damaged is the error of a structure that cannot be right.
func damaged(what string, at uint64) error {
	return input.Errorf("is damaged: %s at byte %d does not fit", what, at)
}

// at returns a cursor over size bytes of a structure.
func (r *reader) at(address uint64, size int, what string) (*cursor, error) {
	if size < 0 || address > uint64(len(r.file)) || uint64(size) > uint64(len(r.file))-address {
		return nil, input.Errorf("is cut short or damaged: it has %d bytes, and %s would lie at %d",
			len(r.file), what, address)
	}
	if r.budget -= size; r.budget < 0 {
		return nil, input.Errorf("is damaged: its structures lie over each other")
	}
	return &cursor{b: r.file[address:][:size]}, nil
}

// signed is at for a structure with a signature, which the cursor is behind.
func (r *reader) signed(address uint64, size int, signature string) (*cursor, error) {
	c, err := r.at(address, size, signature)
	if err != nil {
		return nil, err
	}
	if string(c.take(4)) != signature {
		return nil, damaged(signature, address)
	}
	return c, nil
}

// once is an error for an address that comes again.
func (r *reader) once(address uint64, what string) error {
	if r.seen[address] {
		return input.Errorf("is damaged, or has two names for one thing: %s at byte %d is reached twice", what, address)
	}
	r.seen[address] = true
	return nil
}

// cursor takes little-endian numbers from bytes. Past the end they are 0, and short is set.
type cursor struct {
	b     []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.b, c.short = nil, true
		return nil
	}
	taken := c.b[:n]
	c.b = c.b[n:]
	return taken
}

func (c *cursor) number(width int) uint64 {
	var word [8]byte
	copy(word[:], c.take(width))
	return binary.LittleEndian.Uint64(word[:])
}

func (c *cursor) u8() int     { return int(c.number(1)) }
func (c *cursor) u16() int    { return int(c.number(2)) }
func (c *cursor) u32() int    { return int(c.number(4)) }
func (c *cursor) u64() uint64 { return c.number(8) }

// size takes a length, at most that of the rest of what the cursor is over.
func (c *cursor) size() int {
	n := c.u64()
	if n > uint64(len(c.b)) {
		c.short = true
		return 0
	}
	return int(n)
}

// superblock returns the address of the root's object header.
func (r *reader) superblock() (uint64, error) {
	if !Is(r.file) {
		return 0, input.Errorf("is not an HDF5 file")
	}
	c := &cursor{b: r.file[len(fileSignature):]}
	version, freeSpace, rootGroup := c.u8(), c.u8(), c.u8()
	switch {
	case version >= 2:
		return 0, input.Errorf("is HDF5 with a superblock of version %d, as h5py writes with libver=\"latest\": save it without that",
			version)
	case freeSpace != 0 || rootGroup != 0: // their versions
		return 0, damaged("the superblock", 0)
	}
	c.take(2)
	addresses, lengths := c.u8(), c.u8()
	c.take(1 + 2 + 2 + 4 + 4*version)
	base := c.u64()
	c.take(8)
	end := c.u64()
	c.take(8 + 8)
	root := c.u64()
	switch {
	case c.short:
		return 0, input.Errorf("is cut short: it has %d bytes", len(r.file))
	case addresses != 8 || lengths != 8 || base != 0:
		return 0, input.Errorf("is HDF5 with addresses of %d bytes from byte %d on: only those of 8 from 0 on are read",
			addresses, base)
	case end > uint64(len(r.file)):
		return 0, input.Errorf("is cut short: it has %d of %d bytes", len(r.file), end)
	}
	return root, nil
}

// object reads a group or a dataset.
func (r *reader) object(address uint64, depth int) (Member, error) {
	if err := r.once(address, "an object"); err != nil {
		return Member{}, err
	}
	if depth > maxDepth {
		return Member{}, input.Errorf("has groups within groups, %d deep", depth)
	}
	messages, err := r.header(address)
	if err != nil {
		return Member{}, err
	}
	group, dataset := &Group{}, &Dataset{}
	var table []byte
	parts := 0
	for _, m := range messages {
		c := &cursor{b: m.body}
		shared := m.flags&2 != 0
		switch m.kind {
		case messageSymbolTable:
			table = m.body
		case messageAttribute:
			a, err := r.attribute(c)
			if err != nil {
				return Member{}, err
			}
			group.Attributes = append(group.Attributes, a)
		case messageDataspace:
			parts++
			if dataset.Shape, err = shape(c); err != nil {
				return Member{}, err
			}
		case messageDatatype:
			parts++
			if !shared {
				dataset.kind, dataset.width = numbers(m.body)
			}
		case messageFilters:
			dataset.why = "is compressed or has checksums, which Keras' files have not"
		}
	}
	if table != nil {
		c := &cursor{b: table}
		group.Members, err = r.members(c.u64(), c.u64(), depth)
		return Member{Group: group}, err
	}
	if parts != 2 {
		return Member{}, input.Errorf("is damaged, or made by a newer HDF5: the object at byte %d is neither a group of the old kind nor a dataset",
			address)
	}
	for _, m := range messages {
		if m.kind == messageLayout {
			if err := r.layout(dataset, &cursor{b: m.body}); err != nil {
				return Member{}, err
			}
		}
	}
	if dataset.data == nil && dataset.why == "" {
		dataset.why = "has no data"
	}
	return Member{Dataset: dataset}, nil
}

// header reads the messages of an object header and its continuations.
func (r *reader) header(address uint64) ([]message, error) {
	c, err := r.at(address, 16, "an object header")
	if err != nil {
		return nil, err
	}
	version := c.u8()
	if version != 1 {
		return nil, input.Errorf("is damaged, or made by a newer HDF5: the object header at byte %d is not of version 1",
			address)
	}
	c.take(1)
	count := c.u16()
	c.take(4)
	type block struct {
		at   uint64
		size int
	}
	blocks := []block{{address + 16, c.u32()}}
	var messages []message
	for len(blocks) > 0 && len(messages) < count {
		if c, err = r.at(blocks[0].at, blocks[0].size, "an object header"); err != nil {
			return nil, err
		}
		blocks = blocks[1:]
		for len(c.b) >= 8 && len(messages) < count {
			m := message{kind: c.u16()}
			size := c.u16()
			m.flags = byte(c.u8())
			c.take(3)
			if m.body = c.take(size); c.short {
				return nil, damaged("an object header", address)
			}
			messages = append(messages, m)
			if m.kind == messageContinuation {
				next := &cursor{b: m.body}
				at, size := next.u64(), next.u64()
				if err := r.once(at, "a part of an object header"); err != nil || next.short || size > uint64(len(r.file)) {
					return nil, damaged("an object header", address)
				}
				blocks = append(blocks, block{at, int(size)})
			}
		}
	}
	return messages, nil
}

// shape reads a dataspace. No array that is larger than the file passes members or attributes, so only overflow is
// refused here.
func shape(c *cursor) ([]int, error) {
	version, rank, _ := c.u8(), c.u8(), c.u8()
	switch version {
	case 1:
		c.take(5)
	case 2:
		if c.u8() == 2 { // h5py's Empty, of nothing
			return []int{0}, nil
		}
	default:
		return nil, input.Errorf("has a dataspace of version %d, which is not known", version)
	}
	if rank > maxRank {
		return nil, input.Errorf("is damaged: an array has %d dimensions", rank)
	}
	var dims []int
	total := 1
	for range rank {
		d := c.u64()
		if c.short || d > math.MaxInt32 || d > 0 && total > math.MaxInt32/int(d) {
			return nil, input.Errorf("is damaged, or has an array with 2^31 values or more")
		}
		dims, total = append(dims, int(d)), total*max(int(d), 1)
	}
	return dims, nil
}

// numbers reads a datatype: unknown for all but little-endian integers and IEEE's floats of 32 and 64 bits.
func numbers(datatype []byte) (kind, int) {
	c := &cursor{b: datatype}
	class, bits := c.u8()&15, c.number(3)
	width := c.u32()
	offset, precision := c.u16(), c.u16()
	if c.short || offset != 0 || precision != 8*width || bits&1 != 0 {
		return unknown, 0
	}
	switch {
	case class == classInteger && (width == 1 || width == 2 || width == 4 || width == 8):
		if bits&8 != 0 {
			return signed, width
		}
		return unsigned, width
	case class == classFloat:
		layout := [4]int{c.u8(), c.u8(), c.u8(), c.u8()}
		if bias := c.u32(); bits&0x40 == 0 &&
			(width == 4 && layout == [4]int{23, 8, 0, 23} && bias == 127 ||
				width == 8 && layout == [4]int{52, 11, 0, 52} && bias == 1023) {
			return float, width
		}
	}
	return unknown, 0
}

// layout finds a dataset's data, or why there is none.
func (r *reader) layout(d *Dataset, c *cursor) error {
	if d.why != "" {
		return nil
	}
	if d.kind == unknown {
		d.why = "is no array of little-endian numbers of 8 to 64 bits"
		return nil
	}
	version, class := c.u8(), c.u8()
	if version != 3 || class > 1 {
		d.why = "lies in chunks or in another way that Keras' files have not"
		return nil
	}
	size := d.Size() * d.width // below 2^31·8
	if class == 0 {            // in the message itself
		stored := c.take(c.u16())
		if c.short || len(stored) != size {
			return damaged("the data of a small dataset", 0)
		}
		d.data = stored
		return nil
	}
	address, stored := c.u64(), c.u64()
	switch {
	case address == nowhere && size > 0:
		d.why = "was never given its data"
		return nil
	case size == 0:
		d.data = []byte{}
		return nil
	case c.short || stored != uint64(size) || address > uint64(len(r.file)) || stored > uint64(len(r.file))-address:
		return input.Errorf("is cut short or damaged: data of %d bytes would lie at byte %d of %d",
			size, address, len(r.file))
	}
	if r.data -= size; r.data < 0 {
		return input.Errorf("is damaged: its data lie over each other")
	}
	d.data = r.file[address:][:size]
	return nil
}

// members reads a group's names and what they name.
func (r *reader) members(tree, heap uint64, depth int) ([]Member, error) {
	c, err := r.signed(heap, 32, localSignature)
	if err != nil {
		return nil, err
	}
	c.take(4)
	size := c.u64()
	c.take(8)
	at := c.u64()
	names, err := r.at(at, int(min(size, math.MaxInt)), "names")
	if err != nil {
		return nil, err
	}
	var all []Member
	if err := r.tree(tree, names.b, -1, depth, &all); err != nil {
		return nil, err
	}
	for i := range all {
		if i > 0 && all[i-1].Name >= all[i].Name {
			return nil, input.Errorf("is damaged: a group has the name %q twice or out of order", all[i].Name)
		}
	}
	return all, nil
}

// tree reads a node of a group's tree, of the level given, or of any for -1, and what is below it.
func (r *reader) tree(address uint64, names []byte, level, depth int, all *[]Member) error {
	if err := r.once(address, "a tree"); err != nil {
		return err
	}
	c, err := r.signed(address, 24, treeSignature)
	if err != nil {
		return err
	}
	kind, at, count := c.u8(), c.u8(), c.u16()
	if kind != 0 || level >= 0 && at != level || at > maxDepth {
		return damaged(treeSignature, address)
	}
	if c, err = r.at(address+24, count*16, treeSignature); err != nil {
		return err
	}
	for range count {
		c.take(8)
		child := c.u64()
		if at > 0 {
			err = r.tree(child, names, at-1, depth, all)
		} else {
			err = r.node(child, names, depth, all)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// node reads the entries of a symbol table node.
func (r *reader) node(address uint64, names []byte, depth int, all *[]Member) error {
	if err := r.once(address, "a node"); err != nil {
		return err
	}
	c, err := r.signed(address, 8, nodeSignature)
	if err != nil {
		return err
	}
	c.take(2)
	count := c.u16()
	if c, err = r.at(address+8, count*40, nodeSignature); err != nil {
		return err
	}
	for range count {
		place, object, cache := c.u64(), c.u64(), c.u32()
		c.take(4 + 16)
		name, ok := text(names, place)
		if !ok {
			return damaged("a name", place)
		}
		if cache == 2 {
			return input.Errorf("has a symbolic link, %q, which Keras' files have not", name)
		}
		m, err := r.object(object, depth+1)
		if err != nil {
			return err
		}
		m.Name = name
		*all = append(*all, m)
	}
	return nil
}

// text returns the text at a place of a heap of names, which a zero ends.
func text(names []byte, place uint64) (string, bool) {
	if place >= uint64(len(names)) {
		return "", false
	}
	const longest = 1 << 10
	for i, b := range names[place:] {
		if b == 0 {
			return string(names[place:][:i]), i > 0
		}
		if i == longest {
			break
		}
	}
	return "", false
}
