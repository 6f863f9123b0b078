package arch

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteSummary writes the network as Keras' model.summary() does: a line a layer with its name, class, output shape
// and number of parameters, and the totals.
func (n Network) WriteSummary(w io.Writer) error {
	shapes, err := n.Shapes()
	if err != nil {
		return err
	}
	counts := make([]int, len(n.Layers))
	for _, t := range n.Tensors() {
		counts[t.Layer] += t.Shape.Size()
	}
	fmt.Fprintf(w, "Model: %q\n", n.Name)
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintf(table, "Layer (type)\tOutput Shape\tParam #\n")
	fmt.Fprintf(table, "input\t%v\t0\n", n.Input)
	names := n.LayerNames()
	for i, layer := range n.Layers {
		fmt.Fprintf(table, "%s (%s)\t%v\t%s\n", names[i], layer.Class, shapes[i], Count(counts[i]))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	trainable, fixed := n.Parameters()
	_, err = fmt.Fprintf(w, "Total params: %s\nTrainable params: %s\nNon-trainable params: %s\n",
		Count(trainable+fixed), Count(trainable), Count(fixed))
	return err
}

// CountOf writes a number of things: "1 run", "2 runs".
func CountOf(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return Count(n) + " " + thing
}

// Count writes a number as a summary does, 0 or above: 1,558,017.
func Count(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", Count(n/1000), n%1000)
}
