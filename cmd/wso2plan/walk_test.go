package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wso2plan/config"
	"wso2plan/engine"
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
	settled := true // what is owned is what c configures
	for range 2 + r.IntN(4) {
		switch r.IntN(4) {
		case 0:
			e := walkEdits[r.IntN(len(walkEdits))]
			if e.path == residentPath {
				// The server's own, which no apply makes good once it was let go.
				if ours, err := s.owns(ctx, "apim_key_manager.resident"); err != nil {
					return bad("%v:\n%s", err, &story)
				} else if !ours {
					break
				}
			}
			err := s.live().change(e.method, e.path, []byte(e.body)) // unless it is not there
			fmt.Fprintf(&story, "=== somebody else: %s %s %s: %v\n", e.method, e.path, e.body, err)
		case 1:
			if settled && !c.destroy && c.to.files != nil {
				if err := s.forget(ctx, r, c, &story); err != nil {
					return bad("%v:\n%s", err, &story)
				}
			}
		}
		c = s.scenarios[r.IntN(len(s.scenarios))]
		if c.to.vars["secret_version"] != "" {
			c.to = c.to.with("secret_version", strconv.Itoa(1+r.IntN(3)))
		}
		if len(c.replaceable) > 0 && !c.planOnly && !c.destroy && r.IntN(3) == 0 {
			c.replace = []config.Address{c.replaceable[r.IntN(len(c.replaceable))]}
			fmt.Fprintf(&story, "=== -replace=%s\n", c.replace[0])
		}
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
		c.replace = nil
		settled = !c.planOnly && !o.failed()
		if settled {
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

const residentPath = "key-managers/Resident Key Manager"

// owns reports whether the state has an object at that address.
func (s *stage) owns(ctx context.Context, address string) (bool, error) {
	_, st, diags := s.project()
	if diags.HasErrors() {
		return false, diags
	}
	_, records, err := st.Read(ctx)
	return slices.ContainsFunc(records, func(r engine.Record) bool { return r.Address.String() == address && r.ID != "" }), err
}

// walkEdits are what somebody else does to managed objects, and what the next apply makes good.
var walkEdits = []struct{ method, path, body string }{
	{"PATCH", "users/ann", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace",
		"path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Elsewhere"}]}`},
	{"PATCH", "groups/desk", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": "members"}]}`},
	{"PATCH", "roles/clerk", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": "groups"}]}`},
	{"PUT", "applications/shop", `{"description": "Edited"}`},
	{"PUT", "application-policies/slow", `{"defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 2, "requestCount": 3}}}`},
	{"PUT", "key-managers/IS", `{"description": "Edited"}`},
	{"PUT", residentPath, `{"description": "Edited"}`},
	{"DELETE", "users/cem", ""},
	{"DELETE", "users/bob", ""},
	{"DELETE", "groups/desk", ""},
	{"DELETE", "roles/clerk", ""},
	{"DELETE", "applications/shop", ""},
}

// forget lets go of an object, as "state rm" does, and imports it again, first with faults.
func (s *stage) forget(ctx context.Context, r *rand.Rand, c scenario, story *strings.Builder) error {
	_, st, diags := s.project()
	if diags.HasErrors() {
		return diags
	}
	session, err := st.Lock(ctx, holder("state rm"))
	if err != nil {
		return err
	}
	// Secrets cannot be compared after an import, so that those who have some are left out.
	records := slices.DeleteFunc(session.Records(), func(r engine.Record) bool {
		return !slices.Contains([]string{"is_group", "is_role", "apim_application", "apim_application_throttling_policy"}, r.Address.Type)
	})
	slices.SortFunc(records, func(a, b engine.Record) int { return strings.Compare(a.Address.String(), b.Address.String()) })
	x := records[r.IntN(len(records))]
	err = errors.Join(session.Commit(ctx, []engine.Op{{Delete: &x.Address}}), session.Close())
	if err != nil {
		return err
	}
	imported := c.to
	imported.files = maps.Clone(c.to.files)
	imported.files["imports.hcl"] = fmt.Sprintf("import {\n  to = %s\n  id = %q\n}\n", x.Address, x.ID)
	if err := s.use(imported); err != nil {
		return err
	}
	faults := s.randomFaults(r, c)
	fmt.Fprintf(story, "=== %s is forgotten and imported with\n", x.Address)
	for _, f := range faults {
		fmt.Fprintln(story, f)
	}
	s.script.Set(s.late(faults)...)
	o := s.applyOf(ctx, c)
	fmt.Fprintf(story, "--- came to\n%s\n", o.text)
	s.script.Set()
	if err := errors.Join(s.sane(o), s.script.Quiet(ctx)); err != nil {
		return err
	}
	o = s.applyOf(ctx, c)
	fmt.Fprintf(story, "--- and without faults to\n%s\n", o.text)
	if o.failed() {
		return errors.New("the import fails")
	}
	return nil
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
	for range *walkCount {
		seed := r.Uint64()
		tasks = append(tasks, task{name: fmt.Sprintf("walk %d", seed), kind: walkKind, stage: "small", walk: seed})
	}
	if *walkSeed != 0 {
		tasks = slices.Insert(tasks[:0], 0, task{name: fmt.Sprintf("walk %d", *walkSeed), kind: walkKind, stage: "small", walk: *walkSeed})
	}
	do(&troupe{t: t, make: map[string]makeStage{"small": smallStage(t)}, size: 2}, tasks, []string{walkKind}, 4*time.Second)
}
