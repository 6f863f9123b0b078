package main

import (
	"dcgan"
	"dcgan/arch"
	"dcgan/internal/input"

	"github.com/spf13/cobra"
)

// addArch adds the flag of what a file of weights alone needs.
func addArch(cmd *cobra.Command, architecture *string) {
	cmd.Flags().StringVar(architecture, "arch", "",
		"of a Keras file of weights alone: a `PRESET`, or the JSON file of a Keras model")
	cmd.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions(arch.Presets, cobra.ShellCompDirectiveDefault))
}

// openModel opens what a verb is called with.
func openModel(source, checkpoint, architecture string) (*dcgan.Model, error) {
	if architecture == "" {
		return dcgan.OpenModel(source, checkpoint)
	}
	if checkpoint != "" {
		return nil, input.Errorf("--arch and --checkpoint exclude each other: a checkpoint says which layers it has")
	}
	return dcgan.OpenWeights(source, architecture)
}
