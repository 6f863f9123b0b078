package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"
	"time"

	"dcgan"
	"dcgan/arch"
	"dcgan/internal/input"

	"github.com/spf13/cobra"
)

func runsCommand() *cobra.Command {
	var verify bool
	cmd := &cobra.Command{
		Use:   "runs [DIR]",
		Short: "List the runs in a folder",
		Long: `List the run folders in DIR (default: runs), or the one run that DIR is: data, step of the newest whole checkpoint and
the last step asked for, best score, size on disk, and whether its settings and newest checkpoint are damaged.

With --verify every file of the runs in DIR and in all folders below, or of the one run that DIR is, is read from its
first byte to its last. The damaged ones are listed, those that a run must have and has not too, and where there are any
the exit status is 2. A run that was killed, or is being trained, is whole.`,
		Example: `  dcgan runs
  dcgan runs /data/experiments
  dcgan runs runs/mnist-001
  dcgan runs --verify
  dcgan runs --verify runs/mnist-001`,
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
			missing, err := checkRunsFolder(dir, len(args) == 0)
			switch {
			case err != nil:
				return err
			case missing:
				return noRuns(cmd.OutOrStdout(), dir)
			case verify:
				return verifyRuns(cmd, dir)
			}
			runs, err := dcgan.Runs(dir)
			if err != nil {
				return err
			}
			if len(runs) == 0 {
				return noRuns(cmd.OutOrStdout(), dir)
			}
			_, err = cmd.OutOrStdout().Write(runsTable(runs))
			return err
		},
	}
	cmd.Flags().BoolVar(&verify, "verify", false, "read every file, in folders below too, and list what is damaged or missing")
	return cmd
}

// checkRunsFolder tells whether dir is missing. That is an error, but for the default one, which the first training makes.
func checkRunsFolder(dir string, isDefault bool) (missing bool, err error) {
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist) && isDefault:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return true, input.Errorf("runs: there is no folder %s", dir)
	case err != nil:
		return false, input.Errorf("runs: %w", err)
	case !info.IsDir():
		return false, input.Errorf("runs: %s is a file: give the folder that runs are in", dir)
	}
	return false, nil
}

func noRuns(w io.Writer, dir string) error {
	_, err := fmt.Fprintf(w, "no runs in %s: `dcgan train` begins one\n", input.Line(dir))
	return err
}

// verifyEvery is how often verifying tells how far it is.
const verifyEvery = 2 * time.Second

// verifyRuns checks every file, and ends in an error of input where one is damaged.
func verifyRuns(cmd *cobra.Command, dir string) error {
	told := time.Now()
	v := dcgan.Verify(dir, func(v dcgan.Verified) {
		if time.Since(told) >= verifyEvery {
			told = time.Now()
			say(cmd.ErrOrStderr(), fmt.Sprintf("verifying: %s of %s so far, %d damaged",
				arch.CountOf(v.Files, "file"), arch.CountOf(v.Runs, "run"), len(v.Damaged)))
		}
	})
	if v.Runs == 0 && len(v.Damaged) == 0 {
		return noRuns(cmd.OutOrStdout(), dir)
	}
	for _, d := range v.Damaged {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "damaged: %s\n", input.Line(d.Reason)); err != nil {
			return err
		}
	}
	if len(v.Damaged) > 0 {
		return input.Errorf("%d of %s in %s damaged or missing: a run goes on from its newest whole checkpoint by --resume",
			len(v.Damaged), arch.CountOf(v.Files, "file"), dir)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "whole: %s of %s in %s\n",
		arch.CountOf(v.Files, "file"), arch.CountOf(v.Runs, "run"), input.Line(dir))
	return err
}

// runsTable lists runs as a table.
func runsTable(runs []dcgan.RunInfo) []byte {
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RUN\tDATA\tSTEP\tBEST\tSIZE\tSTATE")
	for _, r := range runs {
		data, steps, best, state := input.Line(r.Data), fmt.Sprint(r.Steps), r.Best, "whole"
		if data == "" { // the settings cannot be known
			data, steps = "-", "?"
		}
		if best == "" {
			best = "-"
		}
		switch {
		case len(r.Damaged) > 0:
			state = "damaged"
		case r.Step == 0:
			state = "no checkpoint yet"
		}
		fmt.Fprintf(table, "%s\t%s\t%d/%s\t%s\t%s\t%s\n", input.Line(r.Dir), data, r.Step, steps, best, bytesText(r.Bytes), state)
	}
	table.Flush()
	for _, r := range runs {
		for _, what := range r.Damaged {
			fmt.Fprintf(&text, "damaged in %s: %s\n", input.Line(r.Dir), input.Line(what))
		}
	}
	return text.Bytes()
}
