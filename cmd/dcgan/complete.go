package main

import (
	"path/filepath"
	"strings"

	"dcgan/arch"
	"dcgan/internal/input"

	"github.com/spf13/cobra"
)

// defaultRuns is the folder that runs are kept in.
const defaultRuns = "runs"

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return input.Errorf("%s takes no argument, and %q is one: `%[1]s --help` lists the flags", cmd.CommandPath(), args[0])
	}
	return nil
}

// oneArg returns a check that there is one argument; what says what it is.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return input.Errorf("%s needs %s: see `%[1]s --help`", cmd.CommandPath(), what)
		case len(args) > 1:
			return input.Errorf("%s takes one argument, and %q is a second: see `%[1]s --help`", cmd.CommandPath(), args[1])
		}
		return nil
	}
}

// runFolders lists the run folders in runs.
func runFolders() []string {
	configs, _ := filepath.Glob(filepath.Join(defaultRuns, "*", "config.json"))
	var folders []string
	for _, path := range configs {
		folders = append(folders, filepath.Dir(path))
	}
	return folders
}

// completeRun completes one argument by run folders and files.
func completeRun(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return withPrefix(runFolders(), word), cobra.ShellCompDirectiveDefault
}

// completeNetworks completes one argument by presets, run folders and files.
func completeNetworks(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	runs, directive := completeRun(cmd, args, word)
	if len(args) > 0 {
		return runs, directive
	}
	return append(withPrefix(arch.Presets, word), runs...), directive
}

// completeCheckpoint completes --checkpoint by what the run named before it holds.
func completeCheckpoint(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	names := []string{"latest"}
	if len(args) > 0 {
		files, _ := filepath.Glob(filepath.Join(args[0], "checkpoints", "*.safetensors"))
		for _, file := range files {
			names = append(names, strings.TrimLeft(strings.TrimSuffix(filepath.Base(file), ".safetensors"), "0"))
		}
	}
	return withPrefix(names, word), cobra.ShellCompDirectiveNoFileComp
}

func withPrefix(names []string, prefix string) []string {
	var list []string
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			list = append(list, name)
		}
	}
	return list
}
