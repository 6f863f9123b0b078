package dcgan

import (
	"slices"

	"dcgan/arch"
	"dcgan/internal/input"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// checkMemory refuses a training that clearly needs more than limit bytes, before it ends in the middle of being planned.
func checkMemory(generator, discriminator arch.Network, batch int, limit uint64) error {
	least := leastMemory(generator, batch) + leastMemory(discriminator, batch)
	if least <= limit {
		return nil
	}
	return input.Errorf("--batch: %d images a step take at least %.1f GB of memory with these networks, and this process can have %.1f GB: "+
		"give a smaller --batch, or fewer --g-filters and --d-filters", batch, float64(least)/1e9, float64(limit)/1e9)
}

// leastMemory returns what the training of a network, whose Shapes are known to fit, takes at least, in bytes. Of a batch
// these are the outputs of layers with weights, what normalisation makes of them, and the two largest once more for
// gradients; of a weight itself, its gradient and two moments. The engine's buffers come to more, by about an eighth.
func leastMemory(n arch.Network, batch int) uint64 {
	shapes, err := n.Shapes()
	if err != nil {
		return 0
	}
	values := 0
	var outputs []int
	for i, layer := range n.Layers {
		switch size := shapes[i].Size(); layer.Class {
		case arch.Dense, arch.Conv2D, arch.Conv2DTranspose:
			outputs = append(outputs, size)
			values += size
		case arch.BatchNormalization:
			values += size
		}
	}
	slices.Sort(outputs)
	for _, size := range outputs[max(0, len(outputs)-2):] {
		values += size
	}
	trainable, fixed := n.Parameters()
	return 4 * (uint64(values)*uint64(batch) + 4*uint64(trainable) + uint64(fixed))
}

// memoryLimit returns the bytes that this process can have: the machine's memory or what a container leaves it, and no
// bound where that is not known.
func memoryLimit() uint64 {
	const unknown = 1<<64 - 1
	machine, err := memlimit.FromSystem()
	if err != nil || machine == 0 {
		machine = unknown
	}
	container, err := memlimit.FromCgroup()
	if err != nil || container == 0 {
		container = unknown
	}
	return min(machine, container)
}
