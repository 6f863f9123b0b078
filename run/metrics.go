package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"dcgan/internal/input"
)

// maxLine is some hundred times a line of metrics.jsonl.
const maxLine = 64 << 10

func (f *Folder) metricsPath() string { return filepath.Join(f.Dir, MetricsName) }

// ReadMetrics calls each with every line of metrics.jsonl in order, a JSON value without its newline that is valid
// until each returns. It stops at the first error of each and returns it. A last line that is not yet whole is left
// out, and a missing file has no lines; a line that is not JSON is an error of input.
func (f *Folder) ReadMetrics(each func(line []byte) error) error {
	file, _, err := input.Open(f.metricsPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	number := 0
	return readLines(file, func(line []byte) error {
		number++
		if !json.Valid(line) {
			return input.Errorf("%s: line %d is damaged: remove it, or let --resume do so", f.metricsPath(), number)
		}
		return each(line)
	})
}

// linesUpTo returns the lines that fit a run that goes on from step, some 10 MB for 50,000 steps, and the size of the
// whole file.
func (f *Folder) linesUpTo(step int) (kept []byte, size int64, err error) {
	file, _, err := input.Open(f.metricsPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	err = readLines(file, func(line []byte) error {
		var object struct{ Step int }
		if bytes.HasPrefix(line, []byte("{")) && json.Unmarshal(line, &object) == nil && object.Step <= step {
			kept = append(append(kept, line...), '\n')
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	size, err = file.Seek(0, io.SeekEnd)
	return kept, size, err
}

// readLines calls each with every line that ends in a newline, without it. A line above maxLine is given as nil.
func readLines(r io.Reader, each func(line []byte) error) error {
	buffered := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := buffered.ReadSlice('\n')
		long := err == bufio.ErrBufferFull
		for err == bufio.ErrBufferFull {
			line, err = buffered.ReadSlice('\n')
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		line = line[:len(line)-1]
		if long {
			line = nil
		}
		if err := each(line); err != nil {
			return err
		}
	}
}
