package main

import (
	"bytes"
	"fmt"

	"dcgan"

	"github.com/spf13/cobra"
)

func summaryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "summary RUN|FILE|PRESET",
		Short: "Print both networks layer by layer",
		Long: `Print the generator and the discriminator layer by layer, with output shapes and numbers of parameters, as Keras'
model.summary() does. The argument is a run folder, a checkpoint, a file that export wrote, which has one of the two, or
a preset's name: seed.`,
		Example: `  dcgan summary seed
  dcgan summary runs/mnist-001
  dcgan summary runs/mnist-001/checkpoints/00000100.safetensors`,
		Args:              oneArg("a run folder, a checkpoint, a model file or a preset such as seed"),
		ValidArgsFunction: completeNetworks,
		RunE: func(cmd *cobra.Command, args []string) error {
			networks, err := dcgan.Networks(args[0])
			if err != nil {
				return err
			}
			var text bytes.Buffer
			for i, n := range networks {
				if i > 0 {
					fmt.Fprintln(&text)
				}
				if err := n.WriteSummary(&text); err != nil {
					return err
				}
			}
			_, err = cmd.OutOrStdout().Write(text.Bytes())
			return err
		},
	}
}
