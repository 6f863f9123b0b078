package dcgan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"path/filepath"
	"time"

	"dcgan/config"
	"dcgan/format/tensorboard"
	"dcgan/internal/input"
	"dcgan/run"
)

// events says what of a run TensorBoard is to show. It is a function of config.json, metrics.jsonl and the sample grids:
// so a run that goes on has the file that one without a stop has, and each step once.
type events struct {
	session *session
	time    float64 // seconds since 1970: the start of the run, and the training since
}

// The tags of what is no key of metrics.jsonl.
const (
	configTag = "config"
	sampleTag = "samples"
)

// startEvents writes the events up to the step that training goes on from.
func (s *session) startEvents() error {
	origin, err := config.LoadOrigin(filepath.Join(s.plan.Run, run.ConfigName))
	if err != nil {
		return err
	}
	var start float64
	if started, err := time.Parse(time.RFC3339, origin.Started); err == nil { // else from 1970 on
		start = float64(started.Unix())
	}
	err = s.folder.StartEvents(func(w io.Writer) error {
		s.events = &events{session: s, time: start}
		return s.events.write(w, s.asked)
	})
	if err != nil {
		return fmt.Errorf("writing the TensorBoard events of %s: %w", s.plan.Run, err)
	}
	return nil
}

// write writes the settings and all that the run folder has of steps.
func (e *events) write(w io.Writer, settings config.Config) error {
	text, err := json.MarshalIndent(settings, "    ", "  ") // indented by 4, Markdown leaves it as it is
	if err != nil {
		return err
	}
	shown := tensorboard.Value{Tag: configTag, Content: tensorboard.Text("    " + string(text))}
	about := tensorboard.Event{Time: e.time, Values: []tensorboard.Value{shown}}
	if _, err := w.Write(append(tensorboard.Version(e.time), about.Record()...)); err != nil {
		return err
	}
	drawn := 0 // step whose grid follows, behind all lines of the step
	draw := func() error {
		sample, err := e.sample(drawn)
		if err == nil {
			_, err = w.Write(sample)
		} else if input.Is(err) { // it is missing, or no picture
			err = nil
		}
		return err
	}
	err = e.session.folder.ReadMetrics(func(line []byte) error {
		var m Metrics
		if err := json.Unmarshal(line, &m); err != nil {
			return err
		}
		if m.Images > 0 { // else an evaluation's line, or an event's
			if err := draw(); err != nil {
				return err
			}
			drawn = m.Step
		}
		_, err := w.Write(e.scalars(line, m))
		return err
	})
	if err != nil {
		return err
	}
	return draw()
}

// scalars returns a record of the numbers in a line of metrics.jsonl, whose step is m's.
func (e *events) scalars(line []byte, m Metrics) []byte {
	e.time += m.Seconds
	event := tensorboard.Event{Time: e.time, Step: m.Step}
	d := json.NewDecoder(bytes.NewReader(line))
	d.Token() // the brace: the line is an object
	for d.More() {
		key, _ := d.Token()
		var value any
		if d.Decode(&value) != nil {
			break
		}
		if number, ok := value.(float64); ok && key != "step" {
			event.Values = append(event.Values, tensorboard.Value{Tag: key.(string), Content: float32(number)})
		}
	}
	return event.Record()
}

// sample returns a record of the grid that was drawn after a step. That there is none, or no picture, is an error of input.
func (e *events) sample(step int) ([]byte, error) {
	file, err := e.session.folder.ReadSample(e.session.name, step)
	if err != nil {
		return nil, err
	}
	about, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, input.Errorf("the sample of step %d: %w", step, err) // of a power cut before it was on disk
	}
	channels := 3
	if about.ColorModel == color.GrayModel {
		channels = 1
	}
	image := tensorboard.Image{Height: about.Height, Width: about.Width, Channels: channels, Encoded: file}
	shown := tensorboard.Value{Tag: sampleTag, Content: image}
	return tensorboard.Event{Time: e.time, Step: step, Values: []tensorboard.Value{shown}}.Record(), nil
}

// lineEvents adds the numbers of a line of the metrics.
func (s *session) lineEvents(line any) error {
	if s.events == nil {
		return nil
	}
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	var m Metrics
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	return s.folder.AppendEvents(s.events.scalars(text, m))
}

// sampleEvents adds the grid that was just saved.
func (s *session) sampleEvents(step int) error {
	if s.events == nil {
		return nil
	}
	record, err := s.events.sample(step)
	if err != nil {
		return err
	}
	return s.folder.AppendEvents(record)
}
