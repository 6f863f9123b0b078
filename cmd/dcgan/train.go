package main

import (
	"errors"
	"fmt"
	"slices"

	"dcgan"
	"dcgan/config"
	"dcgan/internal/input"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// trainOptions is what train's flags say.
type trainOptions struct {
	settings       config.Config // the settings' flags, each with its default where it was not given
	run            string
	resume, dryRun bool
	configFile     string
	quiet, verbose bool
	disk           dcgan.Disk // what the run folder is written through; nil is the operating system's
}

func trainCommand() *cobra.Command {
	return trainCommandOf(&trainOptions{settings: config.Default()})
}

// trainCommandOf builds the verb with flags that set o.
func trainCommandOf(o *trainOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "train [flags]",
		Short: "Train a new run, or go on with one",
		Long: `Train both networks and leave a run folder with checkpoints, sample grids, metrics and the settings.

With no flags it repeats the seed's training on MNIST. A flag beats the config file, which beats the recipe. A signal
(Ctrl-C) ends it after the step at hand with a whole checkpoint; a second one ends it at once.

A training has diverged when a loss, a gradient or a weight is no longer a finite number, or when it has collapsed for
200 steps: D never errs, its loss is at its least, or G draws one image for every latent. By default it then stops with
status 1 and a checkpoint of the last finite state. --on-divergence restart goes back to the newest checkpoint, with
other latents and half the learning rate, at most three times; warn goes on after a collapse, and stops where numbers
are not finite. Like --steps it may be another for --resume.`,
		Example: `  dcgan train
  dcgan train --steps 600 --run runs/first
  dcgan train --data train-images-idx3-ubyte.gz --batch 128 --lr 1e-4
  dcgan train --config runs/first/config.json --seed 2
  dcgan train --resume --run runs/first --steps 10000
  dcgan train --lr 2e-3 --on-divergence restart
  dcgan train --dry-run --g-filters 128,64,32,16`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return train(cmd, o) },
	}

	groups := map[string]*pflag.FlagSet{}
	titles := []string{config.GroupRun, config.GroupNetworks, config.GroupLearning}
	for _, title := range titles {
		groups[title] = pflag.NewFlagSet(title, pflag.ContinueOnError)
		groups[title].SortFlags = false
	}
	whole := groups[config.GroupRun]
	whole.StringVar(&o.run, "run", "", "run `FOLDER` (default: the next free runs/NAME-NNN; with --resume the newest run)")
	whole.BoolVar(&o.resume, "resume", false, "go on with a run; its settings come from its config.json")
	whole.StringVar(&o.configFile, "config", "", "take settings from a `FILE` as config.json is")
	whole.BoolVar(&o.dryRun, "dry-run", false, "check everything, print the plan, train nothing")
	whole.BoolVar(&o.quiet, "quiet", false, "print warnings and errors only")
	whole.BoolVar(&o.verbose, "verbose", false, "print a line a step, and each save, instead of the bar")
	for _, s := range o.settings.Settings() {
		flag := groups[s.Group].VarPF(s, s.Flag(), "", s.Help)
		if s.Type() == "bool" {
			flag.NoOptDefVal = "true" // the flag alone says so
		}
	}
	cmd.Flags().SortFlags = false
	for _, title := range titles {
		cmd.Flags().AddFlagSet(groups[title])
	}
	cmd.SetUsageFunc(func(cmd *cobra.Command) error {
		w := cmd.OutOrStderr()
		fmt.Fprintf(w, "Usage:\n  %s\n\nExamples:\n%s\n", cmd.UseLine(), cmd.Example)
		for _, title := range titles {
			fmt.Fprintf(w, "\n%s:\n%s", title, groups[title].FlagUsages())
		}
		return nil
	})

	for _, name := range []string{"data", "labels", "init"} {
		cmd.MarkFlagFilename(name)
	}
	cmd.MarkFlagFilename("config", "json")
	cmd.RegisterFlagCompletionFunc("recipe", cobra.FixedCompletions([]string{config.Recipe}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("on-divergence",
		cobra.FixedCompletions([]string{config.Stop, config.Restart, config.Warn}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("run", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return runFolders(), cobra.ShellCompDirectiveDefault
	})
	return cmd
}

func train(cmd *cobra.Command, o *trainOptions) error {
	if o.quiet && o.verbose {
		return input.Errorf("--quiet and --verbose exclude each other: give one")
	}
	cfg, err := o.config(cmd.Flags())
	if err != nil {
		return err
	}
	if o.dryRun {
		plan, err := dcgan.Prepare(cfg)
		if err != nil {
			return err
		}
		for _, w := range plan.Warnings {
			say(cmd.ErrOrStderr(), "warning: "+w)
		}
		return writePlan(cmd.OutOrStdout(), plan)
	}

	shown := newProgress(cmd.ErrOrStderr(), o.quiet, o.verbose)
	ctx, release := stopOnSignal(shown, "finishing this step and saving a checkpoint")
	defer release()
	result, err := dcgan.Train(ctx, cfg, shown.observer())
	release() // what is told of a signal comes before what is told of the end
	shown.end()

	folder := result.Run
	if folder == "" {
		folder = shown.plan.Run
	}
	resume := fmt.Sprintf("%s train --resume --run %s", invokedAs(), quote(folder))
	switch {
	case errors.Is(err, dcgan.ErrStopped) && folder == "":
		return stopped{"stopped before the run began"}
	case errors.Is(err, dcgan.ErrStopped):
		return stopped{fmt.Sprintf("stopped after step %d, %s; go on with: %s", result.Step, shown.kept(), resume)}
	case errors.Is(err, dcgan.ErrDiverged):
		then := fmt.Sprintf("the checkpoint of step %d is whole and finite", result.Step)
		if shown.plan.OnDivergence != config.Restart {
			then += fmt.Sprintf(": try it again with %s --on-divergence restart", resume)
		}
		return fmt.Errorf("%w; %s", err, then)
	case err != nil && !input.Is(err) && (shown.checkpoint != "" || shown.plan.Step > 0):
		return fmt.Errorf("%w; %s, go on with: %s", err, shown.kept(), resume)
	case err != nil || o.quiet:
		return err
	case result.Complete:
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "already complete: %s is at step %d; more steps with: %s --steps N\n", folder, result.Step, resume)
	default:
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is at step %d\n", folder, result.Step)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "draw images with: %s sample %s\n", invokedAs(), quote(folder))
	return err
}

// config merges recipe, config file and flags, the later ones winning.
func (o *trainOptions) config(flags *pflag.FlagSet) (dcgan.Config, error) {
	cfg := dcgan.Config{Config: config.Default(), Run: o.run, Resume: o.resume, Disk: o.disk}
	if o.configFile != "" {
		var err error
		if cfg.Given, err = cfg.Load(o.configFile); err != nil {
			return cfg, err
		}
	}
	settings := cfg.Settings()
	for i, flag := range o.settings.Settings() {
		if !flags.Changed(flag.Flag()) {
			continue
		}
		if err := settings[i].Set(flag.String()); err != nil {
			return cfg, input.Errorf("--%s: %w", flag.Flag(), err)
		}
		if !slices.Contains(cfg.Given, flag.Key) {
			cfg.Given = append(cfg.Given, flag.Key)
		}
	}
	return cfg, nil
}

// stopped is ErrStopped in words that say how to go on.
type stopped struct{ message string }

func (s stopped) Error() string { return s.message }
func (s stopped) Unwrap() error { return dcgan.ErrStopped }
