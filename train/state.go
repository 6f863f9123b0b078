package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"

	"dcgan/checkpoint"
	"dcgan/format/safetensors"
	"dcgan/internal/engine"
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
		Tensors:       append(t.generatorTensors(), t.discriminatorTensors()...),
	}
}

// Restore goes back to the state of a checkpoint of a training with the same settings and data.
func (t *Trainer) Restore(c *checkpoint.Checkpoint) {
	t.Step = c.Step
	t.initSHA256 = c.InitSHA256
	t.take(t.Generator, t.generatorTensors(), c, c.Iterations.Generator)
	t.take(t.Discriminator, t.discriminatorTensors(), c, c.Iterations.Discriminator)
}

// take copies into a network's tensors those of the same names.
func (t *Trainer) take(n *engine.Network, into []safetensors.Tensor, c *checkpoint.Checkpoint, iteration int) {
	from := map[string][]float32{}
	for _, tensor := range c.Tensors {
		from[tensor.Name] = tensor.Data
	}
	for _, tensor := range into {
		copy(tensor.Data, from[tensor.Name])
	}
	n.Iteration = iteration
	n.Load()
}

// Begin takes the first weights, moving statistics, moments and iterations of each network from a checkpoint; nil leaves
// the drawn ones. Steps are counted from 1 all the same.
func (t *Trainer) Begin(generator, discriminator *checkpoint.Checkpoint) {
	if generator != nil {
		t.take(t.Generator, t.generatorTensors(), generator, generator.Iterations.Generator)
	}
	if discriminator != nil {
		t.take(t.Discriminator, t.discriminatorTensors(), discriminator, discriminator.Iterations.Discriminator)
	}
	hash := sha256.New()
	var word [4]byte
	for _, n := range []*engine.Network{t.Generator, t.Discriminator} {
		for _, tensor := range n.Tensors {
			for _, v := range tensor.Data {
				binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
				hash.Write(word[:])
			}
		}
	}
	t.initSHA256 = hex.EncodeToString(hash.Sum(nil))
}

// InitSHA256 returns the SHA-256 of the weights that Begin took or a checkpoint recorded, "" where they were drawn.
func (t *Trainer) InitSHA256() string { return t.initSHA256 }
