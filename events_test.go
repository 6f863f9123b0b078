package dcgan_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dcgan"

	"google.golang.org/protobuf/encoding/protowire"
)

// eventFile reads a run's event file by its format's description: every record whole, every checksum right. It returns
// the tags by step, each once.
func eventFile(t *testing.T, dir string) (tags map[int][]string, info os.FileInfo) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "tensorboard", "*tfevents*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("event files: %v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if info, err = os.Stat(files[0]); err != nil {
		t.Fatal(err)
	}
	sum := func(b []byte) uint32 {
		c := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
		return (c>>15 | c<<17) + 0xa282ead8
	}
	tags = map[int][]string{}
	for len(data) > 0 {
		if len(data) < 12 || binary.LittleEndian.Uint32(data[8:]) != sum(data[:8]) {
			t.Fatalf("a record's length is damaged, %d bytes before the end", len(data))
		}
		n := int(binary.LittleEndian.Uint64(data))
		if len(data) < 16+n || binary.LittleEndian.Uint32(data[12+n:]) != sum(data[12:12+n]) {
			t.Fatalf("a record is damaged, %d bytes before the end", len(data))
		}
		step, summary := 0, []byte(nil)
		eachField(t, data[12:12+n], func(field protowire.Number, number uint64, inner []byte) {
			switch field {
			case 2:
				step = int(number)
			case 5:
				summary = inner
			}
		})
		eachField(t, summary, func(_ protowire.Number, _ uint64, value []byte) {
			eachField(t, value, func(field protowire.Number, _ uint64, tag []byte) {
				if field == 1 {
					tags[step] = append(tags[step], string(tag))
				}
			})
		})
		data = data[16+n:]
	}
	for step, list := range tags {
		slices.Sort(list)
		if len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Errorf("step %d has something twice: %v", step, list)
		}
	}
	return tags, info
}

func eachField(t *testing.T, m []byte, each func(field protowire.Number, number uint64, inner []byte)) {
	t.Helper()
	for len(m) > 0 {
		field, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		number, _ := protowire.ConsumeVarint(m[n:])
		inner, _ := protowire.ConsumeBytes(m[n:])
		size := protowire.ConsumeFieldValue(field, kind, m[n:])
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		each(field, number, inner)
		m = m[n+size:]
	}
}

// wantEvents checks which steps have numbers and which have a grid.
func wantEvents(t *testing.T, tags map[int][]string, steps int, grids ...int) {
	t.Helper()
	if len(tags) != steps+1 || !slices.Equal(tags[0], []string{"config"}) {
		t.Errorf("%d steps and a config are wanted: %v", steps, tags)
	}
	for step := 1; step <= steps; step++ {
		want := "[d_accuracy d_accuracy_fake d_accuracy_real d_loss g_accuracy g_loss images seconds]"
		if slices.Contains(grids, step) {
			want = "[d_accuracy d_accuracy_fake d_accuracy_real d_loss g_accuracy g_loss images samples seconds]"
		}
		if fmt.Sprint(tags[step]) != want {
			t.Errorf("step %d has %v", step, tags[step])
		}
	}
}

// TestTensorBoard trains with events, and goes on after what a kill leaves: steps beyond the last checkpoint and a torn
// record.
func TestTensorBoard(t *testing.T) {
	cfg, remove := small()
	defer remove()
	cfg.Steps, cfg.SaveEvery, cfg.Batch, cfg.TensorBoard = 6, 2, 2, true
	train := func() {
		t.Helper()
		if _, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{}); err != nil {
			t.Fatal(err)
		}
	}
	train()
	tags, before := eventFile(t, cfg.Run)
	wantEvents(t, tags, 6, 1, 2, 4, 6)

	if err := os.Remove(filepath.Join(cfg.Run, "checkpoints", "00000006.safetensors")); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(cfg.Run, "tensorboard", before.Name()), before.Size()-9); err != nil {
		t.Fatal(err)
	}
	cfg.Resume = true
	train()
	tags, after := eventFile(t, cfg.Run)
	wantEvents(t, tags, 6, 1, 2, 4, 6)
	if !os.SameFile(before, after) { // or a TensorBoard that is open would miss what follows
		t.Error("the file was replaced where cutting it would do")
	}

	cfg.Given, cfg.Steps = []string{"steps"}, 7 // another setting to show
	train()
	tags, _ = eventFile(t, cfg.Run)
	wantEvents(t, tags, 7, 1, 2, 4, 6, 7)
}

// TestTensorBoardLater wants events when a run goes on that had none.
func TestTensorBoardLater(t *testing.T) {
	cfg, remove := small()
	defer remove()
	cfg.Steps, cfg.Batch = 2, 2
	for range 2 {
		if _, err := dcgan.Train(context.Background(), cfg, dcgan.Observer{}); err != nil {
			t.Fatal(err)
		}
		cfg.Resume, cfg.Steps, cfg.TensorBoard, cfg.Given = true, 3, true, []string{"steps", "tensorboard"}
	}
	tags, _ := eventFile(t, cfg.Run)
	wantEvents(t, tags, 3, 1, 2, 3)
}
