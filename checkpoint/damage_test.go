package checkpoint

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"dcgan/config"
	"dcgan/format/safetensors"
	"dcgan/internal/input"
)

var flips = flag.Int("flips", 10, "how many bytes of a checkpoint of the seed's networks TestDamageInFull changes, one at a time")

// part returns what the byte at a place of a file belongs to, as an error names it.
func part(file []byte, tensors []safetensors.Tensor, at int) string {
	end := 8 + int(binary.LittleEndian.Uint64(file))
	if at < end {
		return "header"
	}
	for _, t := range tensors {
		if end += 4 * len(t.Data); at < end {
			return fmt.Sprintf("tensor %q", t.Name)
		}
	}
	return ""
}

// damaged holds a reader's error to be one of input that names the file and the part.
func damaged(t *testing.T, err error, path, part, what string) {
	t.Helper()
	if !input.Is(err) || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), part) {
		t.Errorf("%s: %v: want an error that names the file and the %s", what, err, part)
	}
}

// open writes a file and opens it to be damaged.
func open(t *testing.T, text []byte) *os.File {
	t.Helper()
	file, err := os.OpenFile(save(t, text), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// flip gives the byte at a place another value, holds what read says of the file, and gives the byte back.
func flip(t *testing.T, read func(path string) (*Checkpoint, error), file *os.File, text []byte, tensors []safetensors.Tensor, at int) {
	t.Helper()
	other := text[at] + byte(1+rand.IntN(255))
	if _, err := file.WriteAt([]byte{other}, int64(at)); err != nil {
		t.Fatal(err)
	}
	_, err := read(file.Name())
	damaged(t, err, file.Name(), part(text, tensors, at), fmt.Sprintf("byte %d of %d is %#x and not %#x", at, len(text), other, text[at]))
	if _, err := file.WriteAt(text[at:at+1], int64(at)); err != nil {
		t.Fatal(err)
	}
}

// TestDamage gives each byte of a small checkpoint another value, and cuts it at each length.
func TestDamage(t *testing.T) {
	small := config.Default()
	small.Latent, small.GFilters, small.DFilters, small.Kernel = 1, []int{1, 1, 1, 1}, []int{1}, 1
	c := filled(t, small)
	text := write(t, c)
	file := open(t, text)
	if _, err := Check(file.Name()); err != nil {
		t.Fatal(err)
	}
	every := 1
	if testing.Short() {
		every = 11
	}
	for at := 0; at < len(text); at += every {
		flip(t, Read, file, text, c.Tensors, at)
	}
	if _, err := Read(file.Name()); err != nil {
		t.Fatal("given back:", err)
	}
	for length := len(text) - 1; length >= 0; length -= every {
		if err := file.Truncate(int64(length)); err != nil {
			t.Fatal(err)
		}
		_, err := Check(file.Name())
		damaged(t, err, file.Name(), part(text, c.Tensors, length), fmt.Sprintf("cut to %d bytes of %d", length, len(text)))
	}
	t.Logf("every %d. flip and cut found in %d bytes", every, len(text))
}

// TestDamageInFull changes random bytes of a checkpoint as large as those of the seed's networks.
func TestDamageInFull(t *testing.T) {
	c := filled(t, config.Default())
	text := write(t, c)
	file := open(t, text)
	for range *flips {
		flip(t, Check, file, text, c.Tensors, rand.IntN(len(text)))
	}
	if _, err := Check(file.Name()); err != nil {
		t.Fatal("given back:", err)
	}
	t.Logf("%d flips found in %d bytes", *flips, len(text))
}
