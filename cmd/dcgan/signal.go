package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// stopOnSignal returns a context that the first SIGINT or SIGTERM ends; a second one ends the program at once. release
// gives the signals back.
func stopOnSignal(shown *progress) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
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
		shown.note("stopping: finishing this step and saving a checkpoint (once more to stop at once)")
		cancel()
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
	}
}
