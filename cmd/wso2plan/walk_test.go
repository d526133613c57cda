package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"wso2plan/providers/sandbox/fault"
)

const walkKind = "several faults at random, over several runs"

// walk makes several runs towards several configurations, with several faults each, and then
// clears the faults and holds that one apply converges, whatever state that began from.
func (s *stage) walk(seed uint64) (v verdict) {
	r := rand.New(rand.NewPCG(seed, 1))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	first := s.scenarios[0]
	first.from = "made" // by then the server has settled the endpoints of its own key manager for good
	bad := func(format string, args ...any) verdict {
		v.bad = fmt.Sprintf(format, args...)
		return v
	}
	if err := s.begin(ctx, first); err != nil {
		return bad("%v", err)
	}
	v.struck = true
	var story strings.Builder
	var c scenario
	for range 2 + r.IntN(4) {
		c = s.scenarios[r.IntN(len(s.scenarios))]
		faults := s.randomFaults(r, c)
		fmt.Fprintf(&story, "=== %s with\n", c.name)
		for _, f := range faults {
			fmt.Fprintln(&story, f)
		}
		if err := s.use(c.to); err != nil {
			return bad("%v", err)
		}
		s.script.Set(s.late(faults)...)
		o := s.run(ctx, c)
		fmt.Fprintf(&story, "--- came to\n%s\n", o.text)
		if err := s.sane(o); err != nil {
			return bad("%v:\n%s", err, &story)
		}
		s.script.Set()
		if err := s.script.Quiet(ctx); err != nil {
			return bad("%v:\n%s", err, &story)
		}
		if !c.planOnly && !o.failed() {
			if next := s.planOf(ctx, c); next.failed() || !next.plan.Empty() {
				return bad("%sthe apply succeeded, but the next plan is not empty:\n%s", &story, next.text)
			}
		}
	}
	if c.planOnly { // nothing was edited here
		c = first
	}
	v.byHand, v.bad = s.converges(ctx, c, story.String(), true)
	return v
}

// randomFaults are up to four faults at requests of a scenario, or at any.
func (s *stage) randomFaults(r *rand.Rand, c scenario) []fault.Fault {
	var out []fault.Fault
	places := s.places[c.name]
	for n := 1 + r.IntN(4); len(out) < n; {
		p := places[r.IntN(len(places))]
		k := faultKinds[r.IntN(len(faultKinds))]
		f, ok := k.at(p)
		// A client that Identity Server made without API Manager's getting to know is nobody's once the
		// application is gone, and no apply can tell.
		if !ok || betweenServers(f) && p.method != "GET" && (f.After || f.Kind == fault.Half || f.Kind == fault.Delay) {
			continue
		}
		ours := []fault.Fault{{Server: "apim", Path: "*"}, {Server: "is", Path: "/scim2/**"}}[r.IntN(2)]
		switch r.IntN(4) {
		case 0: // the nth of all requests to a server
			f.Server, f.Path, f.Method = ours.Server, ours.Path, "*"
			if !k.writes { // a server that says "done" and does nothing is beyond us
				f.Method = "read"
			}
			f.First = 1 + r.IntN(len(places)/2)
			f.Last = f.First
		case 1: // a while, of reads or writes
			f.Server, f.Path, f.Method = ours.Server, ours.Path, "write"
			if p.method == "GET" {
				f.Method = "read"
			}
			f.First = 1 + r.IntN(len(places)/2)
			f.Last = f.First + r.IntN(6)
		}
		out = append(out, f)
	}
	return out
}

// TestFaultWalks makes random walks over faults. A failure prints its seed.
func TestFaultWalks(t *testing.T) {
	r := seeded(t)
	var tasks []task
	for range 100 {
		seed := r.Uint64()
		tasks = append(tasks, task{name: fmt.Sprintf("walk %d", seed), kind: walkKind, stage: "small", walk: seed})
	}
	if *walkSeed != 0 {
		tasks = slices.Insert(tasks[:0], 0, task{name: fmt.Sprintf("walk %d", *walkSeed), kind: walkKind, stage: "small", walk: *walkSeed})
	}
	do(&troupe{t: t, make: map[string]makeStage{"small": smallStage(t)}, size: 2}, tasks, []string{walkKind}, 4*time.Second)
}
