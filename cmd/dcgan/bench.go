package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"dcgan"

	"github.com/spf13/cobra"
)

func benchCommand() *cobra.Command {
	var batch, threads int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench [flags]",
		Short: "Time a training step and drawing on this machine",
		Long: `Time the seed's training step, drawing a batch, and drawing one image, and hold the step against the direct bound: the
time that direct convolution would take if every core did nothing but fused multiply-adds.`,
		Example: `  dcgan bench
  dcgan bench --batch 64 --threads 1
  dcgan bench --json > bench.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			shown := newProgress(cmd.ErrOrStderr(), false, false)
			ctx, release := stopOnSignal(shown, "finishing what is being timed")
			defer release()
			b, err := dcgan.Bench(ctx, batch, threads, func(what string) { shown.note("measuring: " + what) })
			if errors.Is(err, dcgan.ErrStopped) {
				return stopped{"stopped before all was measured"}
			}
			if err != nil {
				return err
			}
			if b.SpreadTooLarge {
				shown.warn(fmt.Sprintf("the steps' times spread over %.0f %%: the machine is too busy for these figures to say much", 100*b.StepSecondsSpread))
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(b)
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 3, ' ', 0)
			row := func(name, format string, args ...any) {
				fmt.Fprintf(table, "%s\t%s\n", name, fmt.Sprintf(format, args...))
			}
			row("machine", "%s, %d threads, kernel %s", b.Machine, b.Threads, b.Kernel)
			row("peak", "%.0f GFLOP/s of multiply-adds", b.PeakGFLOPS)
			row("step", "%.3f s at batch %d (fastest %.3f s)", b.StepSeconds, b.Batch, b.StepSecondsMin)
			row("", "%.2f of the direct bound, %.1f GFLOP at the peak", b.RatioToDirectBound, b.DirectGFLOP)
			row("drawing", "%.0f images/s at batch %d", b.ImagesPerSecond, b.Batch)
			row("one image", "%.2f ms", 1000*b.LatencyOneImage)
			if b.PeakRSSBytes > 0 {
				row("memory", "%s at the most, training", bytesText(b.PeakRSSBytes))
			}
			return table.Flush()
		},
	}
	cmd.Flags().IntVar(&batch, "batch", 256, "images a step")
	cmd.Flags().IntVar(&threads, "threads", 0, "threads (default: the cores this process may use)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
