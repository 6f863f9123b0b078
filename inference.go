package dcgan

import (
	"runtime"
	"sync"

	"dcgan/internal/engine"
	"dcgan/internal/input"
	"dcgan/internal/kernel"
	"dcgan/model"
)

// inference computes a network with its weights, a batch at a time. It may be used from several goroutines.
type inference struct {
	mu      sync.Mutex
	network *engine.Network
	pool    *engine.Pool
	batch   int
}

const (
	// inferenceBatch is the most examples that are computed at a time: enough to keep all threads busy.
	inferenceBatch = 64
	// inferenceValues bounds what is held of them in all layers together, 256 MiB.
	inferenceValues = 256 << 20 / 4
)

func newInference(n *model.Network) (*inference, error) {
	set, err := kernel.Choose()
	if err != nil {
		return nil, input.Errorf("%w", err)
	}
	shapes, err := n.Shapes()
	if err != nil {
		return nil, err
	}
	values := 0
	for _, shape := range shapes {
		values += shape.Size()
	}
	i := &inference{pool: engine.NewPool(runtime.GOMAXPROCS(0)), batch: max(1, min(inferenceBatch, inferenceValues/values))}
	if i.network, err = engine.New(n.Network, engine.Plan{Set: set, Pool: i.pool, Batch: i.batch}); err != nil {
		i.pool.Close()
		return nil, err
	}
	for k, t := range i.network.Tensors {
		copy(t.Data, n.Weights[k])
	}
	i.network.Load()
	return i, nil
}

// forward computes out of in, both of the same number of examples. What comes of one does not depend on the others.
func (i *inference) forward(out, in []float32) {
	i.mu.Lock()
	defer i.mu.Unlock()
	forward(i.network, out, in, i.batch)
}

// Close ends the threads. What was opened must not be used afterwards.
func (i *inference) Close() { i.pool.Close() }

// forward computes as many examples at a time as the network has memory for.
func forward(n *engine.Network, out, in []float32, batch int) {
	inSize, outSize := n.Arch.Input.Size(), n.Arch.Output().Size()
	padded := kernel.Buffer(batch * inSize)
	for len(in) > 0 {
		count := min(batch, len(in)/inSize)
		copy(padded, in[:count*inSize])
		copy(out, n.Forward(padded, count, engine.Inference))
		in, out = in[count*inSize:], out[count*outSize:]
	}
}
