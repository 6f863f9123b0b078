package main

import (
	"bytes"
	"fmt"

	"dcgan"
	"dcgan/arch"

	"github.com/spf13/cobra"
)

func summaryCommand() *cobra.Command {
	architecture := ""
	cmd := &cobra.Command{
		Use:   "summary RUN|FILE|PRESET",
		Short: "Print both networks layer by layer",
		Long: `Print the generator and the discriminator layer by layer, with output shapes and numbers of parameters, as Keras'
model.summary() does. The argument is a run folder, a checkpoint, a file of Keras or that export wrote, which has one
of the two, or a preset's name: seed.`,
		Example: `  dcgan summary seed
  dcgan summary runs/mnist-001
  dcgan summary runs/mnist-001/checkpoints/00000100.safetensors`,
		Args:              oneArg("a run folder, a checkpoint, a model file or a preset such as seed"),
		ValidArgsFunction: completeNetworks,
		RunE: func(cmd *cobra.Command, args []string) error {
			networks, err := networksOf(args[0], architecture)
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
	addArch(cmd, &architecture)
	return cmd
}

func networksOf(source, architecture string) ([]arch.Network, error) {
	if architecture == "" {
		return dcgan.Networks(source)
	}
	model, err := dcgan.OpenWeights(source, architecture)
	if err != nil {
		return nil, err
	}
	return model.Networks(), nil
}
