package dataset

import (
	"bytes"
	_ "embed"
	"fmt"
)

// The training files of MNIST, unchanged; mnist/README.md says by whom and under which licence.
var (
	//go:embed mnist/train-images-idx3-ubyte.gz
	mnistImages []byte
	//go:embed mnist/train-labels-idx1-ubyte.gz
	mnistLabels []byte
)

func readMNIST() (images, labels array, err error) {
	if images, err = readIDX(bytes.NewReader(mnistImages), nil, 3); err == nil {
		labels, err = readIDX(bytes.NewReader(mnistLabels), nil, 1)
	}
	if err != nil {
		return array{}, array{}, fmt.Errorf("the embedded MNIST %w: build the program again", err)
	}
	return images, labels, nil
}
