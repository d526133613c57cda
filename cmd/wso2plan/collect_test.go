package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestCollectLate(t *testing.T) {
	usual := debug.SetGCPercent(100)
	defer debug.SetGCPercent(usual)
	percent := func() int {
		p := debug.SetGCPercent(100)
		debug.SetGCPercent(p)
		return p
	}
	t.Setenv("GOGC", "50")
	collectLate()
	if got := percent(); got != 100 {
		t.Fatalf("with GOGC set, collections come at %d %%", got)
	}
	t.Setenv("GOGC", "")
	collectLate()
	if got := percent(); got != 1600 {
		t.Fatalf("the first collection comes at %d %%", got)
	}
	for range 100 {
		runtime.GC()
		if percent() == 100 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("later collections come at %d %%", percent())
}
