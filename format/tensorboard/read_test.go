package tensorboard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"dcgan/internal/input"
)

// file returns a file of four records, and where each begins.
func file() (content []byte, begins []int) {
	for _, record := range [][]byte{
		Version(1.5),
		Event{2, 0, []Value{{"config", Text("a *b*")}}}.Record(),
		Event{3, 300, []Value{{"d_loss", float32(0.25)}, {"g_loss", float32(-3)}}}.Record(),
		Event{3, 300, []Value{{"samples", Image{3, 2, 1, []byte("\x89PNG")}}}}.Record(),
	} {
		begins = append(begins, len(content))
		content = append(content, record...)
	}
	return content, begins
}

// events returns what Read tells of a file, a text an event.
func events(content []byte) (told []string, err error) {
	err = Read(bytes.NewReader(content), func(step int, tags []string) { told = append(told, fmt.Sprint(step, tags)) })
	return told, err
}

var want = []string{"0 []", "0 [config]", "300 [d_loss g_loss]", "300 [samples]"}

// TestRead reads a file whole, cut everywhere, and with each byte changed to each other value.
func TestRead(t *testing.T) {
	content, begins := file()
	for end := range len(content) + 1 {
		whole := len(begins)
		if end < len(content) {
			whole = max(0, slices.IndexFunc(append(begins, len(content)), func(at int) bool { return at > end })-1)
		}
		if got, err := events(content[:end]); err != nil || !slices.Equal(got, want[:whole]) {
			t.Errorf("%d bytes: %v, %v", end, got, err)
		}
	}
	for at := range content {
		for change := 1; change < 256; change++ {
			changed := bytes.Clone(content)
			changed[at] ^= byte(change)
			if _, err := events(changed); !input.Is(err) || !strings.HasPrefix(err.Error(), "record ") {
				t.Errorf("byte %d changed by %#x: %v", at, change, err)
			}
		}
	}
	broken := errors.New("broken")
	if err := Read(iotest.ErrReader(broken), nil); err != broken {
		t.Error(err)
	}
}

// TestReadHostile has records whose checksums are right.
func TestReadHostile(t *testing.T) {
	huge := binary.LittleEndian.AppendUint64(nil, 1<<60)
	huge = binary.LittleEndian.AppendUint32(huge, masked(huge))
	long := binary.LittleEndian.AppendUint64(nil, maxEvent)
	long = binary.LittleEndian.AppendUint32(long, masked(long))
	for name, test := range map[string]struct {
		content []byte
		says    string
	}{
		"2^60 bytes":  {huge, "longer than an event can be"},
		"no protobuf": {record([]byte{0xff}), "cannot be read"},
		"no summary":  {record(inner(nil, 5, []byte{0xff})), "cannot be read"},
		"cut value":   {record(inner(nil, 5, inner(nil, 1, []byte{10, 9}))), "cannot be read"},
		"zeros":       {make([]byte, 64), "checksum of its length"},
	} {
		if _, err := events(test.content); !input.Is(err) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if told, err := events(long); err != nil || told != nil {
		t.Errorf("a long record that is not there: %v, %v", told, err)
	}
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 4<<20 {
		t.Errorf("it took %d bytes", taken)
	}
}

// FuzzRead wants each file read to its end, or its damage told.
func FuzzRead(f *testing.F) {
	content, begins := file()
	f.Add(content)
	f.Add(content[:len(content)-3])
	for _, at := range begins {
		f.Add(content[at:])
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		rest := bytes.NewReader(content)
		switch err := Read(rest, func(int, []string) {}); {
		case err == nil && rest.Len() > 0:
			t.Errorf("of %d bytes it left %d", len(content), rest.Len())
		case err != nil && !input.Is(err):
			t.Error(err)
		}
	})
}
