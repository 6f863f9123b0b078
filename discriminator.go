package dcgan

import (
	"dcgan/arch"
	"dcgan/internal/input"
	"dcgan/internal/numeric"
)

// Discriminator judges images. It may be used from several goroutines.
type Discriminator struct {
	*inference
	shape arch.Shape
}

// OpenDiscriminator opens the discriminator of what Open takes.
func OpenDiscriminator(path string) (*Discriminator, error) {
	m, err := OpenModel(path, "")
	if err != nil {
		return nil, err
	}
	n := m.networks.Discriminator
	if n == nil {
		return nil, input.Errorf("%s: holds a generator and no discriminator to judge with", path)
	}
	if output := n.Output(); len(n.Input) != 3 || output.Size() != 1 {
		return nil, input.Errorf("a network from %v to %v judges no images", n.Input, output)
	}
	i, err := newInference(n)
	if err != nil {
		return nil, err
	}
	return &Discriminator{i, n.Input}, nil
}

// Shape returns the height, width and channels of an image.
func (d *Discriminator) Shape() (h, w, c int) { return d.shape[0], d.shape[1], d.shape[2] }

// Probabilities returns for each image the probability that it is real. It depends on the weights and the image alone. It
// is an error if the images have another shape than the discriminator was trained on.
func (d *Discriminator) Probabilities(images Images) ([]float32, error) {
	h, w, c := d.Shape()
	if images.H != h || images.W != w || images.C != c || len(images.Pixels) != images.N*d.shape.Size() {
		return nil, input.Errorf("images of %d×%d×%d, and this discriminator takes %d×%d×%d", images.H, images.W, images.C, h, w, c)
	}
	p := make([]float32, images.N)
	d.forward(p, images.Pixels)
	for i, logit := range p {
		p[i] = float32(numeric.Sigmoid(float64(logit)))
	}
	return p, nil
}
