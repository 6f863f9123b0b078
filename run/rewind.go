package run

import (
	"regexp"
	"strconv"
)

var sampleName = regexp.MustCompile(`-([0-9]{5,18})\.png$`)

// Rewind removes the checkpoints and the samples of steps after the given one, for a run that takes another way from there.
func (w *Writer) Rewind(step int) error {
	checkpoints, err := w.Checkpoints()
	if err != nil {
		return err
	}
	pictures, err := w.Pictures()
	if err != nil {
		return err
	}
	var later []string
	for _, checkpoint := range checkpoints {
		if checkpoint.Step > step {
			later = append(later, checkpoint.Path)
		}
	}
	for _, path := range pictures {
		if match := sampleName.FindStringSubmatch(path); match != nil {
			if of, err := strconv.Atoi(match[1]); err == nil && of > step {
				later = append(later, path)
			}
		}
	}
	for _, path := range later {
		if err := w.disk.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
