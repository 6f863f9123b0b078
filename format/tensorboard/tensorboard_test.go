package tensorboard

import (
	"encoding/hex"
	"testing"
)

// TestRecords holds records against those that TensorBoard 2.21's own writer makes of the same events.
func TestRecords(t *testing.T) {
	for name, test := range map[string]struct {
		got  []byte
		want string
	}{
		"version": {Version(1.5), "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c"},
		"scalars": {Event{1893456000.25, 300, []Value{{"d_loss", float32(0.25)}, {"g_loss", float32(-3)}}}.Record(),
			"2c00000000000000f4aecc450900001020f636dc4110ac022a1e0a0d0a06645f6c6f7373150000803e" +
				"0a0d0a06675f6c6f737315000040c0aeff7ef1"},
		"image": {Event{2, 1, []Value{{"samples", Image{3, 2, 1, []byte("\x89PNG")}}}}.Record(),
			"2600000000000000734fe30009000000000000004010012a190a170a0773616d706c6573220c080310021801220489504e47de789421"},
		"text": {Event{2, 0, []Value{{"config", Text("a *b*")}}}.Record(),
			"2e00000000000000c5cb57fa0900000000000000402a230a210a06636f6e666967420b08071200420561202a622a" +
				"4a0a0a060a04746578742002a3224b43"},
	} {
		if got := hex.EncodeToString(test.got); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, test.want)
		}
	}
}
