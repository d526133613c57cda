package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"wso2plan/engine"
)

// interruptible returns a context that Ctrl-C (or SIGTERM) cancels: the engine then finishes what
// is in flight, records it and starts nothing new. A second one aborts what is in flight too, and
// a third ends the process as it would without us. stop frees the signals again.
func (t *terminal) interruptible(parent context.Context) (_ context.Context, stop func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(parent)
	abort := make(chan struct{})
	done := make(chan struct{})
	go func() {
		select {
		case <-signals:
			fmt.Fprint(t.err, "\nInterrupt received.\nFinishing what is in flight and recording it. "+
				"Interrupt again to stop at once.\n\n")
			cancel()
		case <-done:
			return
		}
		select {
		case <-signals:
			fmt.Fprint(t.err, "\nTwo interrupts received. Stopping at once; the next plan finds out what was done.\n\n")
			signal.Stop(signals)
			close(abort)
		case <-done:
		}
	}()
	return engine.WithAbort(ctx, abort), func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
