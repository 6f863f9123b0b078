package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dcgan"
	"dcgan/internal/input"

	"github.com/spf13/cobra"
)

// bothNetworks is the value of --network that asks for a folder with a file for each.
const bothNetworks = "both"

// exportOptions is what export's flags say.
type exportOptions struct {
	format, network, out, checkpoint, architecture string
}

func exportCommand() *cobra.Command {
	o := &exportOptions{}
	var names, lines []string
	for _, f := range dcgan.Formats() {
		names = append(names, f.Name)
		lines = append(lines, fmt.Sprintf("  %-12s %s", f.Name, f.Help))
	}
	networks := []string{dcgan.GeneratorNetwork, dcgan.DiscriminatorNetwork, bothNetworks}
	cmd := &cobra.Command{
		Use:   "export RUN|FILE",
		Short: "Write a network as a file for another system",
		Long: `Write a network of a run folder (its newest whole checkpoint), a checkpoint or a model file for another system:

` + strings.Join(lines, "\n") + `

Arrays are N×H×W×C everywhere but in safetensors. A file is written whole or not at all; sample, summary and
train --init read it back. docs/formats.md says what is in each and how to load it.`,
		Example: `  dcgan export runs/mnist-001 --format keras-h5
  dcgan export runs/mnist-001 --format onnx
  dcgan export runs/mnist-001 --format onnx --network discriminator --out judge.onnx
  dcgan export runs/mnist-001 --checkpoint 400 --format safetensors --network both --out model/`,
		Args:              oneArg("a run folder, a checkpoint or a model file"),
		ValidArgsFunction: completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return tell(cmd, func(warn func(string)) (string, error) { return export(args[0], *o, warn) })
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.format, "format", "", "what to write: `NAME` of the list above (default: by the ending of --out)")
	f.StringVar(&o.network, "network", dcgan.GeneratorNetwork, "`WHICH`: "+strings.Join(networks, ", ")+" (into a folder)")
	f.StringVar(&o.out, "out", "", "`FILE` to write (default: the network's name); with both it must be given, a folder")
	f.StringVar(&o.checkpoint, "checkpoint", "", "which checkpoint of the run: a `STEP` or latest")
	addArch(cmd, &o.architecture)
	cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("network", cobra.FixedCompletions(networks, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("checkpoint", completeCheckpoint)
	return cmd
}

// export writes one network, or both, and returns what to say of it.
func export(source string, o exportOptions, warn func(string)) (string, error) {
	format, err := o.check()
	if err != nil {
		return "", err
	}
	model, err := openModel(source, o.checkpoint, o.architecture)
	if err != nil {
		return "", err
	}
	for _, passed := range model.PassedOver() {
		warn(fmt.Sprintf("%s; exporting the newest whole one, of step %d", passed, model.Step()))
	}
	write := func(network string) func(io.Writer) error {
		return func(w io.Writer) error { return model.Export(w, format, network) }
	}
	if o.network != bothNetworks {
		return fmt.Sprintf("%s: the %s as %s", o.out, o.network, format.Name), writeFile(o.out, write(o.network))
	}
	var files []fileOfFolder
	for _, network := range []string{dcgan.GeneratorNetwork, dcgan.DiscriminatorNetwork} {
		files = append(files, fileOfFolder{network + format.Ending, write(network)})
	}
	return fmt.Sprintf("%s: %s and %s", o.out, files[0].name, files[1].name), writeFolder(o.out, files)
}

// check settles format and place, and refuses what does not go together before anything is read.
func (o *exportOptions) check() (dcgan.Format, error) {
	formats := dcgan.Formats()
	var names []string
	for _, f := range formats {
		names = append(names, f.Name)
	}
	ending := strings.ToLower(filepath.Ext(o.out))
	byEnding := slices.IndexFunc(formats, func(f dcgan.Format) bool { return f.Ending == ending })
	i := byEnding
	if o.format != "" {
		i = slices.Index(names, o.format)
	}
	switch {
	case o.format != "" && i < 0:
		return dcgan.Format{}, input.Errorf("--format: unknown format %q: there is %s", o.format, strings.Join(names, ", "))
	case i < 0:
		return dcgan.Format{}, input.Errorf("--format: name what to write: %s", strings.Join(names, ", "))
	}
	format := formats[i]
	info, err := os.Stat(o.out)
	exists := err == nil
	isFolder := exists && info.IsDir()

	switch o.network {
	case dcgan.GeneratorNetwork, dcgan.DiscriminatorNetwork:
		if isFolder || isSlashed(o.out) {
			return format, input.Errorf("--out: %s is a folder: name a file, or ask for --network both", o.out)
		}
		if exists && !info.Mode().IsRegular() { // the new file would take a device's place
			return format, input.Errorf("--out: %s is a device or a pipe: name a file", o.out)
		}
		if byEnding >= 0 && byEnding != i {
			return format, input.Errorf("--out: %s ends as files of --format %s do, and --format is %s: change one of them",
				o.out, names[byEnding], format.Name)
		}
		if o.out == "" {
			o.out = o.network + format.Ending
		}
	case bothNetworks:
		if o.out == "" {
			return format, input.Errorf("--out: two files are written: name a folder for them")
		}
		if !isFolder && (exists || byEnding >= 0 && !isSlashed(o.out)) {
			return format, input.Errorf("--out: %s is a file, and two are written: name a folder", o.out)
		}
	default:
		return format, input.Errorf("--network: unknown network %q: there is %s, %s and %s",
			o.network, dcgan.GeneratorNetwork, dcgan.DiscriminatorNetwork, bothNetworks)
	}
	return format, needFolder(filepath.Dir(filepath.Clean(o.out)))
}
