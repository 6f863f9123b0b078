package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"text/tabwriter"

	"dcgan"
	"dcgan/internal/input"

	"github.com/spf13/cobra"
)

func runsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "runs [DIR]",
		Short: "List the runs in a folder",
		Long: `List the run folders in DIR (default: runs): data, step of the newest whole checkpoint and the last step asked for,
best score, size on disk, and whether anything in it is damaged.`,
		Example: `  dcgan runs
  dcgan runs /data/experiments`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return oneArg("")(cmd, args)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := defaultRuns
			if len(args) > 0 {
				dir = args[0]
			}
			text, err := runsTable(dir, len(args) == 0)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

// runsTable lists the runs of dir as a table. A missing folder is an error, but for the default one, which the first
// training makes.
func runsTable(dir string, isDefault bool) ([]byte, error) {
	var text bytes.Buffer
	none := func() ([]byte, error) {
		fmt.Fprintf(&text, "no runs in %s: `dcgan train` begins one\n", oneLine(dir))
		return text.Bytes(), nil
	}
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist) && isDefault:
		return none()
	case errors.Is(err, fs.ErrNotExist):
		return nil, input.Errorf("runs: there is no folder %s", dir)
	case err != nil:
		return nil, input.Errorf("runs: %w", err)
	case !info.IsDir():
		return nil, input.Errorf("runs: %s is a file: give the folder that runs are in", dir)
	}
	runs, err := dcgan.Runs(dir)
	if err != nil {
		return nil, err
	}
	if len(runs) == 0 {
		return none()
	}

	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RUN\tDATA\tSTEP\tBEST\tSIZE\tSTATE")
	for _, r := range runs {
		best, state := r.Best, "whole"
		if best == "" {
			best = "-"
		}
		switch {
		case len(r.Damaged) > 0:
			state = "damaged"
		case r.Step == 0:
			state = "no checkpoint yet"
		}
		fmt.Fprintf(table, "%s\t%s\t%d/%d\t%s\t%s\t%s\n", oneLine(r.Dir), oneLine(r.Data), r.Step, r.Steps, best, bytesText(r.Bytes), state)
	}
	table.Flush()
	for _, r := range runs {
		for _, what := range r.Damaged {
			fmt.Fprintf(&text, "damaged in %s: %s\n", oneLine(r.Dir), oneLine(what))
		}
	}
	return text.Bytes(), nil
}
