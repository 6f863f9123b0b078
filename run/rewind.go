package run

// Rewind removes the checkpoints, samples and models of steps after the given one, for a run that takes another way from
// there. The checkpoints go first: what one stands for is there as long as it is.
func (w *Writer) Rewind(step int) error {
	checkpoints, err := w.Checkpoints()
	if err != nil {
		return err
	}
	pictures, err := w.Pictures()
	if err != nil {
		return err
	}
	models, err := w.Models()
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
		if of, ok := SampleStep(path); ok && of > step {
			later = append(later, path)
		}
	}
	for _, model := range models {
		if model.Step > step {
			later = append(later, model.Path)
		}
	}
	for _, path := range later {
		if err := w.disk.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
