package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"

	"dcgan/arch"
	"dcgan/checkpoint"
	"dcgan/format/safetensors"
	"dcgan/internal/engine"
	"dcgan/model"
)

// tensors returns a network's weights and Adam's moments, under a checkpoint's names. They are the network's own memory.
func tensors(n *engine.Network, weights, adam string) []safetensors.Tensor {
	var all []safetensors.Tensor
	for _, t := range n.Tensors {
		all = append(all, safetensors.Tensor{Name: weights + t.Name, Shape: t.Shape, Data: t.Data})
	}
	for _, t := range n.Tensors {
		if t.Trainable {
			all = append(all,
				safetensors.Tensor{Name: adam + t.Name + checkpoint.FirstMoment, Shape: t.Shape, Data: t.M},
				safetensors.Tensor{Name: adam + t.Name + checkpoint.SecondMoment, Shape: t.Shape, Data: t.V})
		}
	}
	return all
}

func (t *Trainer) generatorTensors() []safetensors.Tensor {
	return tensors(t.Generator, checkpoint.Generator, checkpoint.AdamGenerator)
}

func (t *Trainer) discriminatorTensors() []safetensors.Tensor {
	return tensors(t.Discriminator, checkpoint.Discriminator, checkpoint.AdamDiscriminator)
}

// State returns the training's state, for a checkpoint. Its tensors are the trainer's own memory: write it before the
// next step.
func (t *Trainer) State() *checkpoint.Checkpoint {
	return &checkpoint.Checkpoint{
		Step:          t.Step,
		Generator:     t.Generator.Arch,
		Discriminator: t.Discriminator.Arch,
		Settings:      checkpoint.Numbers(&t.config),
		Iterations:    checkpoint.Iterations{Generator: t.Generator.Iteration, Discriminator: t.Discriminator.Iteration},
		DataSHA256:    t.data.SHA256,
		InitSHA256:    t.initSHA256,
		Restart:       t.Restart,
		Tensors:       append(t.generatorTensors(), t.discriminatorTensors()...),
	}
}

// Restore goes back to the state of a checkpoint of a training with the same settings and data.
func (t *Trainer) Restore(c *checkpoint.Checkpoint) {
	t.Step = c.Step
	t.initSHA256 = c.InitSHA256
	t.Restart = c.Restart
	m := c.Model()
	take(t.Generator, m.Generator)
	take(t.Discriminator, m.Discriminator)
}

// take copies weights, moments and iterations into a network. The moments stay as they are where there are none.
func take(n *engine.Network, from *model.Network) {
	for i, tensor := range n.Tensors {
		copy(tensor.Data, from.Weights[i])
		if from.M != nil {
			copy(tensor.M, from.M[i])
			copy(tensor.V, from.V[i])
		}
	}
	n.Iteration = from.Iteration
	n.Load()
}

// Reset goes back to the beginning, with weights that are drawn from the seed.
func (t *Trainer) Reset() {
	t.Step, t.initSHA256, t.Restart = 0, "", checkpoint.Restart{}
	for i, n := range []*engine.Network{t.Generator, t.Discriminator} {
		for _, tensor := range n.Tensors {
			clear(tensor.M)
			clear(tensor.V)
		}
		n.Iteration = 0
		Initialise(n, t.config.Seed, i)
	}
}

// Begin takes the first weights, moving statistics, moments and iterations of each network; nil leaves the drawn ones.
// Steps are counted from 1 all the same.
func (t *Trainer) Begin(generator, discriminator *model.Network) {
	if generator != nil {
		take(t.Generator, generator)
	}
	if discriminator != nil {
		take(t.Discriminator, discriminator)
	}
	var weights [][]float32
	for _, n := range []*engine.Network{t.Generator, t.Discriminator} {
		for _, tensor := range n.Tensors {
			weights = append(weights, tensor.Data)
		}
	}
	t.initSHA256 = hashOf(weights)
}

// FirstSHA256 returns what InitSHA256 of a training is that began with the weights of the given networks, generator and
// discriminator; those of one that is nil are drawn from the seed for the layers of its place.
func FirstSHA256(seed uint64, layers [2]arch.Network, given [2]*model.Network) string {
	var weights [][]float32
	for network, n := range given {
		if n != nil {
			weights = append(weights, n.Weights...)
			continue
		}
		for i, t := range layers[network].Tensors() {
			drawn := make([]float32, t.Shape.Size())
			drawWeights(drawn, t, seed, network<<16|i)
			weights = append(weights, drawn)
		}
	}
	return hashOf(weights)
}

func hashOf(weights [][]float32) string {
	hash := sha256.New()
	var word [4]byte
	for _, data := range weights {
		for _, v := range data {
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			hash.Write(word[:])
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// InitSHA256 returns the SHA-256 of the weights that Begin took or a checkpoint recorded, "" where they were drawn.
func (t *Trainer) InitSHA256() string { return t.initSHA256 }
