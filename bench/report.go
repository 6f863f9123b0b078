package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"dcgan/internal/measure"
)

// print writes the result as a Markdown table.
func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "**%s**, batch %d, %d threads of %s, %s, %d rounds; peak %.1f GFLOP/s, direct bound %s s\n\n",
		r.unit, r.batch, r.opt.threads, processor(), r.isa(), r.opt.rounds, r.peak, seconds(r.bound()))
	fmt.Fprint(w, "| | version | median s | min s | ÷ ours | ÷ bound | how |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, c := range r.contestants {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s |\n", c.title, c.version, seconds(measure.Median(c.seconds)),
			seconds(slices.Min(c.seconds)), ratio(r.toOurs(c), 1), ratio(measure.Median(c.seconds), r.bound()), c.detail)
	}
	fmt.Fprintln(w)
	if name, by := r.noisiest(); by > noisy {
		fmt.Fprintf(w, "Not to be trusted: the median of %s is %.0f %% above its minimum, so something else ran too.\n\n", name, 100*by)
	}
}

// noisy is the share by which a median may stand above the minimum on a machine that has nothing else to do. Contestants
// whose threads wait by spinning lose far more than others on a busy one.
const noisy = 0.15

// noisiest returns the row whose median stands highest above its minimum, and by what share.
func (r *result) noisiest() (title string, by float64) {
	for _, c := range r.contestants {
		if share := measure.Median(c.seconds)/slices.Min(c.seconds) - 1; share >= by {
			title, by = c.title, share
		}
	}
	return title, by
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'g', 4, 64) }

func ratio(a, b float64) string {
	if a == 0 || b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", a/b)
}

func (r *result) isa() string {
	if r.opt.isa != "" {
		return r.opt.isa
	}
	return widest()
}

// record appends the medians to the history, a CSV file.
func (r *result) record(path string, now time.Time) error {
	header := []string{"date", "processor", "cores", "isa", "unit", "batch", ours}
	row := []string{now.Format(time.DateOnly), processor(), strconv.Itoa(r.opt.threads), r.isa(), r.unit,
		strconv.Itoa(r.batch), r.medianOf(ours)}
	for _, p := range peers {
		header = append(header, p.column)
		row = append(row, r.medianOf(p.name))
	}
	header = append(header, "peak_gflops")
	row = append(row, fmt.Sprintf("%.1f", r.peak))

	_, err := os.Stat(path)
	file, openErr := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if openErr != nil {
		return openErr
	}
	out := csv.NewWriter(file)
	if os.IsNotExist(err) {
		out.Write(header)
	}
	out.Write(row)
	out.Flush()
	if err := out.Error(); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// medianOf returns the median seconds of the row of that name, "" where it did not run.
func (r *result) medianOf(name string) string {
	for _, c := range r.contestants {
		if c.name == name {
			return seconds(measure.Median(c.seconds))
		}
	}
	return ""
}
