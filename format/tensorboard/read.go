package tensorboard

import (
	"bytes"
	"encoding/binary"
	"io"

	"dcgan/internal/input"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxEvent bounds an event in bytes: the largest show a picture, of some kB, or the settings.
const maxEvent = 64 << 20

// Parts of a record: the length and its checksum before the event, and the checksum behind it.
const (
	headSize = 12
	tailSize = 4
)

// Read calls each with every event of a file in order: its step, and the tags of what it shows. A last record that is not
// yet whole is left out. One that is damaged is an error of input, and ends the reading.
func Read(r io.Reader, each func(step int, tags []string)) error {
	var record bytes.Buffer
	for at, number := int64(0), 1; ; number++ {
		record.Reset()
		damaged := func(what string) error {
			return input.Errorf("record %d, at byte %d, is damaged: %s", number, at, what)
		}
		if whole, err := take(&record, r, headSize); !whole {
			return err
		}
		head := record.Bytes()
		if binary.LittleEndian.Uint32(head[8:]) != masked(head[:8]) {
			return damaged("the checksum of its length is another")
		}
		length := binary.LittleEndian.Uint64(head)
		if length > maxEvent {
			return damaged("it claims to be longer than an event can be")
		}
		if whole, err := take(&record, r, int64(length)+tailSize); !whole {
			return err
		}
		event := record.Bytes()[headSize : headSize+length]
		if binary.LittleEndian.Uint32(record.Bytes()[headSize+length:]) != masked(event) {
			return damaged("its checksum is another")
		}
		step, tags, err := decode(event)
		if err != nil {
			return damaged("its event cannot be read: " + err.Error())
		}
		each(step, tags)
		at += int64(record.Len())
	}
}

// take adds n bytes of r to b, taking memory as they come. It tells whether all were there.
func take(b *bytes.Buffer, r io.Reader, n int64) (whole bool, err error) {
	_, err = io.CopyN(b, r, n)
	if err == io.EOF {
		return false, nil
	}
	return err == nil, err
}

// decode reads an event as far as Read tells of it.
func decode(event []byte) (step int, tags []string, err error) {
	var summary []byte
	err = eachField(event, func(field protowire.Number, number uint64, inner []byte) error {
		switch field {
		case 2:
			step = int(number)
		case 5:
			summary = inner
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	err = eachField(summary, func(_ protowire.Number, _ uint64, value []byte) error {
		return eachField(value, func(field protowire.Number, _ uint64, tag []byte) error {
			if field == 1 {
				tags = append(tags, string(tag))
			}
			return nil
		})
	})
	return step, tags, err
}

// eachField calls each with the fields of a message: with the number of a varint, or the bytes of what has a length.
func eachField(m []byte, each func(field protowire.Number, number uint64, inner []byte) error) error {
	for len(m) > 0 {
		field, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			return protowire.ParseError(n)
		}
		m = m[n:]
		size := protowire.ConsumeFieldValue(field, kind, m)
		if size < 0 {
			return protowire.ParseError(size)
		}
		var number uint64
		var inner []byte
		switch kind {
		case protowire.VarintType:
			number, _ = protowire.ConsumeVarint(m)
		case protowire.BytesType:
			inner, _ = protowire.ConsumeBytes(m)
		}
		if err := each(field, number, inner); err != nil {
			return err
		}
		m = m[size:]
	}
	return nil
}
