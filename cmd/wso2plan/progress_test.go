package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wso2plan/engine"
)

// TestProgressReading holds that short reading is silent, and how long reading is told.
func TestProgressReading(t *testing.T) {
	for _, test := range []struct {
		name    string
		inPlace bool
		want    string
	}{
		{"terminal", true, "\r\x1b[KReading objects: 2000 of 5000" + "\r\x1b[KReading objects: 3000 of 5000" +
			"\r\x1b[KReading objects: 4000 of 5000" + "\r\x1b[K"},
		{"lines", false, "Reading objects: 3000 of 5000\nReading objects: 4000 of 5000\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, err strings.Builder
			clock := time.Unix(0, 0)
			p := &progress{out: &out, err: &err, inPlace: test.inPlace, now: func() time.Time { return clock }}
			for _, step := range []struct {
				at   time.Duration
				done int
			}{
				{0, 0}, {500 * time.Millisecond, 1000}, {2 * time.Second, 2000},
				{2*time.Second + time.Millisecond, 2001}, {6 * time.Second, 3000}, {12 * time.Second, 4000},
			} {
				clock = time.Unix(0, 0).Add(step.at)
				p.event(engine.Event{Kind: engine.Reading, Done: step.done, Total: 5000})
			}
			p.end()
			if diff := cmp.Diff(test.want, err.String()); diff != "" {
				t.Errorf("progress (-want +got):\n%s", diff)
			}
			if out.String() != "" {
				t.Errorf("reading was told on standard output: %q", out.String())
			}
		})
	}
}
