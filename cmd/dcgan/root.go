package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"dcgan"
	"dcgan/internal/input"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The exit statuses.
const (
	statusDone    = 0
	statusFailed  = 1
	statusInput   = 2
	statusStopped = 130
)

// run executes the command line and returns the exit status. An error, a panic included, becomes one line on stderr.
func run(args []string, stdout, stderr io.Writer) (status int) {
	defer func() {
		if r := recover(); r != nil {
			say(stderr, fmt.Sprintf("internal error, please report it with the command that led to it: %v", r))
			status = statusFailed
		}
	}()

	root, begun := newRoot(args)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return statusDone
	}
	say(stderr, err.Error())
	switch {
	case errors.Is(err, dcgan.ErrStopped):
		return statusStopped
	case input.Is(err) || !*begun:
		return statusInput
	default:
		return statusFailed
	}
}

// say writes a message as one line, whatever it quotes from files and arguments.
func say(w io.Writer, message string) {
	fmt.Fprintf(w, "dcgan: %s\n", input.Line(message))
}

// newRoot builds the command tree. *begun becomes true when a verb begins its work, so that what cobra itself refuses
// can be told from what a verb does.
func newRoot(args []string) (root *cobra.Command, begun *bool) {
	begun = new(bool)
	root = &cobra.Command{
		Use:   "dcgan",
		Short: "Train a DCGAN on images and draw with it",
		Long: `dcgan trains a deep convolutional generative adversarial network on images and draws with it.

With no flags, train learns MNIST's digits, which the program has within it.`,
		Example: `  dcgan train                      # a new run in runs/mnist-001
  dcgan sample runs/mnist-001      # draws 25 images to sample.png
  dcgan train --resume             # goes on with the newest run`,
		Version:          version(),
		SilenceErrors:    true,
		SilenceUsage:     true,
		Args:             verbArgs,
		RunE:             func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRun: func(*cobra.Command, []string) { *begun = true },

		SuggestionsMinimumDistance: 2, // two letters off is a slip of the hand
	}
	root.SetUsageTemplate(strings.NewReplacer("Available Commands:", "Verbs:", "[command]", "VERB", "about a command", "about a verb").
		Replace(root.UsageTemplate()))
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err, args) })
	root.AddCommand(trainCommand(), sampleCommand(), exportCommand(), summaryCommand(), runsCommand(), benchCommand())
	root.SetHelpCommand(helpCommand(root))
	root.InitDefaultCompletionCmd(args...)
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" { // without this a wrong shell gets the help and status 0
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				if len(args) > 0 {
					return input.Errorf("no completion for %q: there is bash, fish, powershell and zsh", args[0])
				}
				return nil
			}
		}
	}
	return root, begun
}

// verbArgs refuses arguments of the root, which are words that are no verb.
func verbArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownVerb(cmd, args[0])
}

func unknownVerb(root *cobra.Command, word string) error {
	if near := root.SuggestionsFor(word); len(near) > 0 {
		return input.Errorf("unknown verb %q: did you mean %s? `dcgan --help` lists the verbs", word, strings.Join(near, " or "))
	}
	return input.Errorf("unknown verb %q: `dcgan --help` lists the verbs", word)
}

// flagError says what is wrong with a flag and where to read on.
func flagError(cmd *cobra.Command, err error, args []string) error {
	if !cmd.HasParent() { // an unknown verb's flags are unknown to the root: name the verb
		for _, arg := range args {
			if !strings.HasPrefix(arg, "-") {
				return unknownVerb(cmd, arg)
			}
		}
	}
	help := fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath())
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		dashes := "--"
		if unknown.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		return input.Errorf("unknown flag %s%s: %s", dashes, unknown.GetSpecifiedName(), help)
	case errors.As(err, &missing):
		return input.Errorf("--%s needs a value: %s", missing.GetFlag().Name, help)
	case errors.As(err, &invalid):
		flag := invalid.GetFlag()
		if _, ours := flag.Value.(interface{ Flag() string }); ours { // a setting's own words are better
			return input.Errorf("--%s: %w", flag.Name, errors.Unwrap(invalid))
		}
		return input.Errorf("--%s: %q is not a value that it takes (%s): %s", flag.Name, invalid.GetValue(), flag.Value.Type(), help)
	default:
		return input.Errorf("%w: %s", err, help)
	}
}

// helpCommand is cobra's, but for an unknown verb being an error.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB]",
		Short: "Help about a verb",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, cmd := range root.Commands() {
				if len(args) == 0 && cmd.IsAvailableCommand() {
					names = append(names, cmd.Name()+"\t"+cmd.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil {
				return err
			}
			if cmd == root && len(rest) > 0 {
				return unknownVerb(root, rest[0])
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// version returns the program's version, with the commit where the build knows it.
func version() string {
	text := "dcgan " + dcgan.Version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				text += " " + s.Value[:min(len(s.Value), 12)]
			}
		}
	}
	return fmt.Sprintf("%s %s/%s %s", text, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
