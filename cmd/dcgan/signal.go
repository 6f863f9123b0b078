package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// stopOnSignal returns a context that the first SIGINT, SIGTERM or SIGHUP ends; a second one ends the program at once.
// rest says what is still done after the first. release gives the signals back.
func stopOnSignal(shown *progress, rest string) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	told := make(chan struct{})
	go func() {
		defer close(told)
		select {
		case <-ctx.Done():
			return
		case <-signals:
		}
		go func() {
			<-signals
			shown.leave()
			os.Exit(statusStopped)
		}()
		cancel()
		shown.note("stopping: " + rest + " (once more to stop at once)")
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
		<-told
	}
}
