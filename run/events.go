package run

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"dcgan/internal/input"
)

// EventsName is the folder of the event file that TensorBoard shows.
const EventsName = "tensorboard"

// EventsPath returns where the events lie: TensorBoard knows the file by the middle of its name.
func (f *Folder) EventsPath() string {
	return filepath.Join(f.Dir, EventsName, "events.out.tfevents.dcgan")
}

// StartEvents makes the event file hold what write writes, and keeps it open for AppendEvents. A file that begins so is
// cut behind that in place, which a TensorBoard that has it open does not notice; any other is replaced. Write may be
// called twice, and must write the same.
func (w *Writer) StartEvents(write func(io.Writer) error) error {
	if err := w.closeEvents(); err != nil {
		return err
	}
	length, begins, err := w.eventsBegin(write)
	if err != nil {
		return err
	}
	path := w.EventsPath()
	if begins {
		err = w.disk.Truncate(path, length)
	} else {
		err = writeFile(w.disk, path, write)
	}
	if err != nil {
		return err
	}
	w.events, err = w.disk.Append(path)
	return err
}

// eventsBegin reports whether the event file begins with what write writes, and how long that is.
func (f *Folder) eventsBegin(write func(io.Writer) error) (length int64, begins bool, err error) {
	file, _, err := input.Open(f.EventsPath())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer file.Close()
	c := &comparison{with: bufio.NewReader(file)}
	err = write(c)
	if errors.Is(err, errDiffers) {
		return 0, false, nil
	}
	return c.length, err == nil, err
}

// errDiffers ends a comparison.
var errDiffers = errors.New("differs")

// comparison is a writer for the bytes that with gives, and for no others.
type comparison struct {
	with   io.Reader
	length int64 // of what was equal
}

func (c *comparison) Write(b []byte) (int, error) {
	had := make([]byte, len(b))
	switch _, err := io.ReadFull(c.with, had); {
	case err == io.EOF || err == io.ErrUnexpectedEOF || err == nil && !bytes.Equal(had, b):
		return 0, errDiffers
	case err != nil:
		return 0, err
	}
	c.length += int64(len(b))
	return len(b), nil
}

// AppendEvents adds whole records to the event file that StartEvents opened.
func (w *Writer) AppendEvents(records []byte) error {
	_, err := w.events.Write(records)
	return err
}

func (w *Writer) closeEvents() error {
	if w.events == nil {
		return nil
	}
	err := w.events.Close()
	w.events = nil
	return err
}
