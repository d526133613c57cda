package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// collectLate puts off the first garbage collection until the heap has 64 MiB, which most runs never
// need; later ones come as Go would have them. GOGC in the environment decides instead where it is
// set.
func collectLate() {
	if os.Getenv("GOGC") != "" {
		return
	}
	const least = 4 << 20 // the heap of the first collection at 100 %
	usual := debug.SetGCPercent(100 * (64 << 20) / least)
	// The first collection frees this, and its finalizer runs.
	runtime.SetFinalizer(new([16]byte), func(*[16]byte) { debug.SetGCPercent(usual) })
}
