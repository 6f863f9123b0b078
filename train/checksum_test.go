package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"dcgan/arch"
	"dcgan/config"
	"dcgan/dataset"
	"dcgan/internal/engine"
	"dcgan/internal/kernel"
)

// checksums are the SHA-256 of the checkpoint after some steps of the default settings, seed 1, on the embedded MNIST.
// They are the same on every machine, for every variant of the kernels and any number of threads.
//
// A change here means that every user's runs change: a run that is resumed goes on differently from what it would have
// been, and a run that is repeated gives other weights. Where that is meant, go test ./train -run Checksum -update writes
// the new sums; it still holds all variants against each other. Run it without -short.
var checksums = []struct {
	steps, batch int
	long         bool // too long for -short, and for plain Go where there is more than that
	sum          string
}{
	{2, 4, false, "3debb9828466ee221c19f28cc08630d437a869c513f9a97eb4ccc3c0c4783800"},
	{30, 8, true, "1c6d37b4a46123d4c7389b36a952bbd2c988b46795942761e0b244d88037412f"},
	{2, 64, true, "6dfbc58a4cb74e6a4c4ec692d067bf535cd40755901de11e220cd9aef4c5d3fc"}, // two slices
}

var update = flag.Bool("update", false, "write new checksums to checksum_test.go")

func TestChecksums(t *testing.T) {
	data, err := dataset.Open("mnist", "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range checksums {
		c := &checksums[i]
		for j := range slices.Backward(kernel.Variants) {
			set := &kernel.Variants[j]
			if c.long && (testing.Short() || j == 0 && len(kernel.Variants) > 1) {
				continue
			}
			t.Run(fmt.Sprintf("steps=%d/batch=%d/%s", c.steps, c.batch, set.Name), func(t *testing.T) {
				got := checksum(t, data, set, c.steps, c.batch)
				if got == c.sum {
					return
				}
				if *update && j == len(kernel.Variants)-1 {
					replaceInSource(t, c.sum, got)
					c.sum = got
					return
				}
				t.Errorf("the checkpoint's SHA-256 is %s, it should be %s; see the comment in checksum_test.go", got, c.sum)
			})
		}
	}
}

// checksum trains and returns the SHA-256 of the checkpoint.
func checksum(t *testing.T, data *dataset.Images, set *kernel.Set, steps, batch int) string {
	t.Helper()
	c := config.Default()
	c.Batch = batch
	g, d, err := arch.Seed(c)
	if err != nil {
		t.Fatal(err)
	}
	pool := engine.NewPool(2)
	defer pool.Close()
	trainer, err := New(c, g, d, data, set, pool)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
		trainer.Next()
	}
	sum := sha256.Sum256(state(t, trainer))
	return hex.EncodeToString(sum[:])
}

// replaceInSource writes a new sum in place of an old one.
func replaceInSource(t *testing.T, old, sum string) {
	t.Helper()
	const file = "checksum_test.go"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(source, []byte(old)) != 1 {
		t.Fatalf("%q is not once in %s", old, file)
	}
	if err := os.WriteFile(file, bytes.Replace(source, []byte(old), []byte(sum), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s is now %s", old, sum)
}
