package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"wso2plan/config"
	"wso2plan/engine"
	"wso2plan/providers/sandbox/fault"
)

var (
	everyFault = flag.Bool("faults", false, "try every fault at every request, and print the table")
	faultSeed  = flag.Uint64("faultseed", 0, "seed of samples and random walks of faults; 0 draws one with -faults")
	walkSeed   = flag.Uint64("walkseed", 0, "the one random walk of faults to make, as its failure names it")
	walkCount  = flag.Int("walks", 100, "how many random walks of faults to make with -faults")
	onlyFaults = flag.String("onlyfaults", "", "regular expression of the trials to do, as failures name them")
)

// A faultKind is a kind of fault as the table names it: what happens to a request, once or from then
// on until it is cleared.
type faultKind struct {
	name   string
	what   fault.Fault
	lasts  bool   // until it is cleared
	reads  bool   // fits a GET
	writes bool   // fits others
	only   string // pattern of its places; "": all
	large  bool   // tried on the platform too
}

const (
	serverError = `{"code": 900967, "message": "General Error", "description": "Server Error Occurred", "moreInformation": "", "error": []}`
	loginPage   = `<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to continue</body></html>`
)

// tooLate stands for a little more than a trial waits for an answer.
const tooLate = time.Hour

var faultKinds = []faultKind{
	{name: "500, once", what: fault.Fault{Kind: fault.Status, Code: 500, Body: serverError}, reads: true, writes: true},
	{name: "500, until cleared", what: fault.Fault{Kind: fault.Status, Code: 500, Body: serverError}, lasts: true, reads: true, writes: true, large: true},
	{name: "500 though it was done", what: fault.Fault{Kind: fault.Status, After: true, Code: 500, Body: serverError}, writes: true, large: true},
	{name: "500 though it was done, until cleared", what: fault.Fault{Kind: fault.Status, After: true, Code: 500, Body: serverError}, lasts: true, writes: true},
	{name: "502, a web page", what: fault.Fault{Kind: fault.Status, Code: 502, Body: loginPage}, lasts: true, reads: true, writes: true},
	{name: "200, a login page", what: fault.Fault{Kind: fault.Status, Code: 200, Body: loginPage}, lasts: true, reads: true, writes: true},
	{name: "404, a web page", what: fault.Fault{Kind: fault.Status, Code: 404, Body: loginPage}, lasts: true, reads: true, writes: true},
	{name: "401", what: fault.Fault{Kind: fault.Status, Code: 401}, lasts: true, reads: true, writes: true},
	{name: "403", what: fault.Fault{Kind: fault.Status, Code: 403}, lasts: true, reads: true, writes: true},
	{name: "429 with Retry-After, once", what: fault.Fault{Kind: fault.Status, Code: 429, RetryAfter: time.Second}, reads: true, writes: true},
	{name: "429, until cleared", what: fault.Fault{Kind: fault.Status, Code: 429, RetryAfter: -1}, lasts: true, reads: true, writes: true},
	{name: "503 with Retry-After, once", what: fault.Fault{Kind: fault.Status, Code: 503, RetryAfter: -1}, reads: true, writes: true},
	{name: "connection cut, once", what: fault.Fault{Kind: fault.Cut}, reads: true, writes: true, large: true},
	{name: "connection cut, until cleared", what: fault.Fault{Kind: fault.Cut}, lasts: true, reads: true, writes: true},
	{name: "connection cut after the write", what: fault.Fault{Kind: fault.Cut, After: true}, writes: true, large: true},
	{name: "connection cut after each write", what: fault.Fault{Kind: fault.Cut, After: true}, lasts: true, writes: true},
	{name: "half an answer, once", what: fault.Fault{Kind: fault.Half}, reads: true, writes: true},
	{name: "half an answer, until cleared", what: fault.Fault{Kind: fault.Half}, lasts: true, reads: true, writes: true, large: true},
	{name: "slow: done after we gave up", what: fault.Fault{Kind: fault.Delay, Wait: tooLate}, reads: true, writes: true},
	{name: "slow: done, answered too late", what: fault.Fault{Kind: fault.Delay, After: true, Wait: tooLate}, writes: true},
	{name: "a list that lags", what: fault.Fault{Kind: fault.Stale}, lasts: true, reads: true},
	{name: "a lost event", what: fault.Fault{Kind: fault.Lost}, writes: true, only: `^apim (POST|PUT) /api/am/admin/v4/key-managers`},
	{name: "wrong JSON: {}", what: fault.Fault{Kind: fault.Status, Code: 200, Body: `{}`}, lasts: true, reads: true, large: true},
	{name: "wrong JSON: []", what: fault.Fault{Kind: fault.Status, Code: 200, Body: `[]`}, lasts: true, reads: true},
	{name: "wrong JSON: another object", what: fault.Fault{Kind: fault.Status, Code: 200, Body: `{"status": "UP", "list": {"a": 1}, "Resources": 7}`}, lasts: true, reads: true},
	{name: "wrong JSON after the write: {}", what: fault.Fault{Kind: fault.Status, After: true, Code: 200, Body: `{}`}, lasts: true, writes: true},
}

// A place is one request of a run: the nth of those that look like it. Ids in its path are *.
type place struct {
	server, method, path string
	n                    int
}

func (p place) String() string { return fmt.Sprintf("%s %s %s %d", p.server, p.method, p.path, p.n) }

// fault is one at this place alone, of no kind yet.
func (p place) fault() fault.Fault {
	return fault.Fault{Server: p.server, Method: p.method, Path: p.path, First: p.n, Last: p.n}
}

var idsInPaths = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(/register/)[^/]+`)

// places are the requests of a run that went without faults.
func places(seen []fault.Request) []place {
	count := map[place]int{}
	var out []place
	for _, r := range seen {
		p := place{server: r.Server, method: r.Method, path: idsInPaths.ReplaceAllString(r.Path, "$1*")}
		count[p]++
		p.n = count[p]
		out = append(out, p)
	}
	return out
}

// at is the fault of kind k at place p; ok is false where it does not fit.
func (k faultKind) at(p place) (f fault.Fault, ok bool) {
	read := p.method == "GET"
	if read && !k.reads || !read && !k.writes || k.only != "" && !regexp.MustCompile(k.only).MatchString(p.String()) {
		return f, false
	}
	at := p.fault()
	f = k.what
	f.Server, f.Method, f.Path, f.First = at.Server, at.Method, at.Path, at.First
	if !k.lasts {
		f.Last = at.Last
	}
	return f, true
}

// A scenario is a run that faults strike: from one state of servers and store towards another.
type scenario struct {
	name     string
	from     string // a state of the stage: fresh, made, edited
	to       edition
	planOnly bool
	destroy  bool
	replace  []config.Address

	replaceable []config.Address // what a walk may replace
}

// A stage is a trial with the states that its scenarios begin from, and what they come to without
// faults. Each worker has one.
type stage struct {
	*trial
	scenarios []scenario
	states    map[string]saved
	want      map[string]string // scenario: holding
	wantPlan  map[string]string // scenario: the plan as it is shown
	places    map[string][]place
}

// A makeStage makes a stage in a folder, on a network in memory or, with nil, on this machine's.
type makeStage func(dir string, network *memoryNetwork) (*stage, error)

// newStage starts a sandbox and runs the scenarios without faults.
func newStage(dir string, network *memoryNetwork, editions map[string]edition, edit func(live) error) (_ *stage, err error) {
	w, err := newTrial(dir, network)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.Close()
		}
	}()
	s := &stage{trial: w, states: map[string]saved{}, want: map[string]string{}, wantPlan: map[string]string{}, places: map[string][]place{}}
	before := editions["before"]
	keys := func(name, key string) config.Address {
		return config.Address{Mode: config.Managed, Type: "apim_application_keys", Name: name, Key: key}
	}
	s.scenarios = []scenario{
		{name: "make", from: "fresh", to: before},
		{name: "plan", from: "edited", to: before, planOnly: true},
		{name: "change", from: "made", to: editions["after"], replaceable: []config.Address{keys("shop", "")}},
		{name: "destroy", from: "made", to: before, destroy: true},
	}
	if renamed, ok := editions["renamed"]; ok {
		s.scenarios = append(s.scenarios, scenario{name: "rename", from: "made", to: renamed, replaceable: []config.Address{keys("clients", `["old"]`), keys("own", "")}})
	}
	ctx := context.Background()
	if err := w.use(before); err != nil {
		return nil, err
	}
	// API Manager makes a tenant, and a user's DefaultApplication, when they are first asked for.
	if _, err := w.live().names("applications"); err != nil {
		return nil, err
	}
	if s.states["fresh"], err = w.save(); err != nil {
		return nil, err
	}
	if o := w.apply(ctx, engine.PlanOptions{}); o.failed() {
		return nil, fmt.Errorf("without faults: %s", o.text)
	}
	if s.states["made"], err = w.save(); err != nil {
		return nil, err
	}
	if err := edit(w.live()); err != nil {
		return nil, err
	}
	if s.states["edited"], err = w.save(); err != nil {
		return nil, err
	}
	for _, c := range s.scenarios {
		if err := s.begin(ctx, c); err != nil {
			return nil, err
		}
		w.script.Set()
		o := s.run(ctx, c)
		s.places[c.name] = places(w.script.Seen())
		if o.failed() {
			return nil, fmt.Errorf("%s without faults: %s", c.name, o.text)
		}
		if c.planOnly {
			if o.plan.Empty() {
				return nil, fmt.Errorf("the edits were not seen")
			}
			s.wantPlan[c.name] = o.shown
			// What the next apply comes to.
			if o := s.applyOf(ctx, c); o.failed() {
				return nil, fmt.Errorf("%s without faults: %s", c.name, o.text)
			}
		}
		if s.want[c.name], err = w.holding(c.to.passwords); err != nil {
			return nil, err
		}
		if o := s.planOf(ctx, c); o.failed() || !o.plan.Empty() {
			return nil, fmt.Errorf("%s without faults is not in sync: %s", c.name, o.text)
		}
	}
	return s, nil
}

func (s *stage) begin(ctx context.Context, c scenario) error {
	if err := s.restore(ctx, s.states[c.from]); err != nil {
		return err
	}
	return s.use(c.to)
}

func (s *stage) run(ctx context.Context, c scenario) outcome {
	if c.planOnly {
		return s.planOf(ctx, c)
	}
	return s.applyOf(ctx, c)
}

func (s *stage) planOf(ctx context.Context, c scenario) outcome {
	return s.plan(ctx, engine.PlanOptions{Destroy: c.destroy, Replace: c.replace})
}

func (s *stage) applyOf(ctx context.Context, c scenario) outcome {
	return s.apply(ctx, engine.PlanOptions{Destroy: c.destroy, Replace: c.replace})
}

// runBinary runs the program itself.
func (s *stage) runBinary(ctx context.Context, c scenario) outcome {
	var out bytes.Buffer
	cmd := s.command(c)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	o := outcome{text: out.String()}
	switch code := cmd.ProcessState.ExitCode(); {
	case code == 1:
		o.diags = hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Exit status 1", Detail: "It stands for the error that was printed."}}
	case code != 0 && !(code == 2 && c.planOnly):
		o.text += fmt.Sprintf("\n%%!%v, status %d", err, code) // insane
	}
	return o
}

// A verdict is what came of one trial.
type verdict struct {
	kind   string
	struck bool
	byHand bool   // what the error asked for was done between the two applies
	bad    string // what did not hold; "" when it was survived
}

// try runs a scenario with faults, clears them, and holds what must hold then.
func (s *stage) try(c scenario, faults []fault.Fault, binary bool) (v verdict) {
	bad := func(format string, args ...any) verdict {
		v.bad = fmt.Sprintf(format, args...)
		return v
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	faults = s.late(faults)
	if err := s.begin(ctx, c); err != nil {
		return bad("%v", err)
	}
	s.script.Set(faults...)
	run := s.run
	if binary {
		run = s.runBinary
	}
	o := run(ctx, c)
	v.struck = s.script.Hits() > 0
	if ctx.Err() != nil {
		return bad("it took longer than 2 minutes: %s", o.text)
	}
	if err := s.sane(o); err != nil {
		return bad("%v:\n%s", err, o.text)
	}
	// A warning is enough when the plan is shown as not certain by it.
	if c.planOnly && !binary && !o.failed() && o.shown != s.wantPlan[c.name] && o.warnings() == 0 {
		return bad("the plan is another, and nothing is said of that (-want +got):\n%s", cmp.Diff(s.wantPlan[c.name], o.shown))
	}
	if o.failed() && !strings.Contains(o.text, "Error: ") {
		return bad("it failed without an error:\n%s", o.text)
	}
	if strings.Contains(o.text, "No changes") {
		return bad("No changes, though there are some:\n%s", o.text)
	}
	s.script.Set()
	if err := s.script.Quiet(ctx); err != nil {
		return bad("%v", err)
	}
	// It said that all is done: then it is.
	if !c.planOnly && !o.failed() {
		if next := s.planOf(ctx, c); next.failed() || !next.plan.Empty() {
			return bad("the apply succeeded:\n%s\nbut the next plan is not empty:\n%s", o.text, next.text)
		}
		if err := s.arrived(ctx, c); err != nil {
			return bad("the apply succeeded:\n%s\nbut %v", o.text, err)
		}
		return v
	}
	between := slices.ContainsFunc(faults, betweenServers)
	v.byHand, v.bad = s.converges(ctx, c, o.text, between)
	return v
}

// late returns faults with a time in the place of tooLate, and lets the stage wait accordingly.
func (s *stage) late(faults []fault.Fault) []fault.Fault {
	faults = slices.Clone(faults)
	if s.dial == nil {
		s.patience = longPatience
	}
	for i := range faults {
		if faults[i].Kind == fault.Delay {
			if s.dial == nil {
				s.patience = mediumPatience
			}
			faults[i].Wait = s.timeout + s.timeout/4
		}
	}
	return faults
}

// betweenServers reports whether a fault strikes what API Manager asks of its key manager.
func betweenServers(f fault.Fault) bool {
	return f.Server == "is" && (f.Path == "*" || strings.HasPrefix(f.Path, registerPath))
}

const registerPath = "/api/identity/oauth2/dcr/v1.1/register"

// converges demands of servers that are sound again: one apply, whose plan has no errors, then an
// empty plan, and contents as if nothing had happened. Where the fault struck between the two
// servers, one may have done what the other does not know, and the apply may ask for something to be
// done by hand.
func (s *stage) converges(ctx context.Context, c scenario, before string, between bool) (byHand bool, bad string) {
	story := "--- the faulted run\n" + before
	told := func(format string, args ...any) (bool, string) {
		return byHand, fmt.Sprintf(format, args...) + "\n" + story
	}
	for asked := true; asked; {
		applied := s.applyOf(ctx, c)
		story += "\n--- the next apply\n" + applied.text
		if err := s.sane(applied); err != nil {
			return told("%v in the next apply", err)
		}
		if !applied.failed() {
			break
		}
		var err error
		if asked = between; asked {
			asked, err = s.follow(applied.diags)
		}
		switch {
		case err != nil:
			return told("what the next apply asks for: %v", err)
		case !asked:
			return told("the next apply fails")
		}
		byHand = true
	}
	if o := s.planOf(ctx, c); o.failed() || !o.plan.Empty() {
		story += "\n--- the last plan\n" + o.text
		return told("the plan after the next apply is not empty")
	}
	if err := s.arrived(ctx, c); err != nil {
		return told("%v", err)
	}
	return byHand, ""
}

// arrived holds that store and servers are as if nothing had happened.
func (s *stage) arrived(ctx context.Context, c scenario) error {
	if err := s.unfinished(ctx); err != nil {
		return err
	}
	got, err := s.holding(c.to.passwords)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(s.want[c.name], got); diff != "" {
		return fmt.Errorf("the servers hold something else (-want +got):\n%s", diff)
	}
	return nil
}

var (
	strayClient = regexp.MustCompile(`an earlier try left the client "([^"]+)" in key manager "[^"]+", delete it there`)
	hollowKeys  = regexp.MustCompile(`use Clean Up at the (\w+) keys of application ([0-9a-f-]+) in the developer portal`)
)

// follow does what errors ask a person to do, and reports whether they did.
func (s *stage) follow(diags hcl.Diagnostics) (followed bool, err error) {
	l := s.live()
	for _, d := range diags {
		if m := strayClient.FindStringSubmatch(d.Detail); m != nil {
			client, err := l.send("is", http.MethodGet, registerPath+"?client_name="+m[1], nil)
			if err != nil {
				return false, err
			}
			if _, err := l.send("is", http.MethodDelete, fmt.Sprintf("%s/%s", registerPath, client["client_id"]), nil); err != nil {
				return false, err
			}
			followed = true
		}
		if m := hollowKeys.FindStringSubmatch(d.Detail); m != nil {
			keys, err := l.send("apim", http.MethodGet, "/api/am/devportal/v3/applications/"+m[2]+"/oauth-keys", nil)
			if err != nil {
				return false, err
			}
			list, _ := keys["list"].([]any)
			for _, x := range list {
				if k := x.(map[string]any); k["keyType"] == m[1] {
					path := fmt.Sprintf("/api/am/devportal/v3/applications/%s/oauth-keys/%s/clean-up", m[2], k["keyMappingId"])
					if _, err := l.send("apim", http.MethodPost, path, nil); err != nil {
						return false, err
					}
					followed = true
				}
			}
		}
	}
	return followed, nil
}

// A task is one trial to do.
type task struct {
	name   string // "change; cut, once; is POST /scim2/Users 2"
	kind   string // row of the table
	stage  string // small, platform
	run    int    // index of the scenario
	faults []fault.Fault
	kill   *killing // nil: none
	walk   uint64   // seed of a random walk; 0: none
	binary bool     // the faulted run is one of the program, not of its packages in this process
}

// tasks are all faults at all places of a stage.
func (s *stage) tasks(name string) []task {
	var out []task
	for i, c := range s.scenarios {
		for _, k := range faultKinds {
			for _, p := range s.places[c.name] {
				if f, ok := k.at(p); ok && (k.large || name != "platform") {
					out = append(out, task{name: fmt.Sprintf("%s: %s; %s; %s", name, c.name, k.name, p), kind: k.name, stage: name, run: i, faults: []fault.Fault{f}})
				}
			}
		}
	}
	return out
}

// smallStage runs testdata/faults.
func smallStage(t testing.TB) makeStage {
	first, second, third := "Erst-geheim-1", "Zweit-geheim-2", "Dritt-geheim-3"
	before := testdataEdition(t, "before", map[string]string{"first_password": first, "bobs_password": second},
		map[string]string{"ann": first, "cem": first, "bob": second})
	after := testdataEdition(t, "after", map[string]string{"first_password": first, "bobs_password": third},
		map[string]string{"ann": first, "dora": first, "bob": third})
	renamed := testdataEdition(t, "renamed", map[string]string{"first_password": first, "bobs_password": second, "secret_version": "2"},
		map[string]string{"ann": first, "cem": first, "bob": second})
	editions := map[string]edition{"before": before, "after": after, "renamed": renamed}
	return func(dir string, n *memoryNetwork) (*stage, error) { return newStage(dir, n, editions, editSmall) }
}

// editSmall changes an object of each kind behind our back.
func editSmall(l live) error {
	for _, e := range []struct{ method, path, body string }{
		{"PATCH", "users/ann", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace",
			"path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Elsewhere"}]}`},
		{"PATCH", "groups/desk", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": "members"}]}`},
		{"PATCH", "roles/clerk", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": "groups"}]}`},
		{"PUT", "applications/shop", `{"description": "Edited"}`},
		{"PUT", "application-policies/slow", `{"description": "Edited", "defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 2, "requestCount": 3}}}`},
		{"PUT", "key-managers/IS", `{"description": "Edited"}`},
		{"PUT", "key-managers/Resident Key Manager", `{"description": "Edited"}`},
		{"DELETE", "users/cem", ""},
	} {
		if err := l.change(e.method, e.path, []byte(e.body)); err != nil {
			return err
		}
	}
	return nil
}

// platformStage runs examples/platform.
func platformStage(t testing.TB) makeStage {
	files := readFiles(t, filepath.Join("..", "..", "examples", "platform"))
	password := "Erst-geheim-1"
	vars := map[string]string{"first_password": password}
	logins := func(files map[string]string) map[string]string {
		out := map[string]string{}
		for i, line := range strings.Split(strings.TrimSpace(files["users.csv"]), "\n") {
			if name, _, _ := strings.Cut(line, ","); i > 0 {
				out[name] = password
			}
		}
		return out
	}
	changed := map[string]string{}
	for name, text := range files {
		changed[name] = text
	}
	replace := func(file, old, new string) {
		if strings.Count(changed[file], old) == 0 {
			t.Fatalf("examples/platform/%s holds no %q", file, old)
		}
		changed[file] = strings.Replace(changed[file], old, new, 1)
	}
	lines := strings.Split(strings.TrimSpace(files["users.csv"]), "\n")
	first, rest, _ := strings.Cut(lines[1], ",")
	replace("users.csv", lines[1]+"\n", first+"2,"+rest+"\n")
	replace("clients.hcl", `"Mobile app"`, `"The mobile app"`)
	replace("clients.hcl", "payments://callback", "payments://back")
	replace("key_manager.hcl", `"Identity Server 7"`, `"Identity Server"`)
	replace("people.hcl", `"app_admin"`, `"app_manager"`)
	replace("services.hcl", `port = 8006`, `port = 8016`) // a revision, and its deployment
	edit := func(l live) error {
		for _, e := range []struct{ method, path, body string }{
			{"PUT", "applications/web", `{"description": "Edited"}`},
			{"PUT", "key-managers/WSO2IS", `{"displayName": "Edited"}`},
			{"PATCH", "roles/finance", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": "users"}]}`},
			{"DELETE", "users/" + first, ""},
		} {
			if err := l.change(e.method, e.path, []byte(e.body)); err != nil {
				return err
			}
		}
		return nil
	}
	before := edition{files, vars, logins(files)}
	after := edition{changed, vars, logins(changed)}
	editions := map[string]edition{"before": before, "after": after}
	return func(dir string, n *memoryNetwork) (*stage, error) { return newStage(dir, n, editions, edit) }
}

// A troupe does tasks, on several stages at a time.
type troupe struct {
	t     *testing.T
	make  map[string]makeStage
	real  bool // on this machine's network, where they wait more than they compute; else in memory
	size  int
	limit time.Duration // after which no further task is begun; 0: none

	queue    chan task
	mu       sync.Mutex
	verdicts []verdict
	shown    int
}

func (tr *troupe) do(tasks []task) []verdict {
	tr.queue = make(chan task)
	end := time.Now().Add(tr.limit)
	go func() {
		defer close(tr.queue)
		for _, task := range tasks {
			if tr.limit > 0 && time.Now().After(end) {
				return
			}
			tr.queue <- task
		}
	}()
	if tr.real {
		var wait sync.WaitGroup
		for range tr.size {
			wait.Go(func() { tr.perform(nil) })
		}
		wait.Wait()
		return tr.verdicts
	}
	tr.t.Run("stages", func(t *testing.T) {
		for i := range tr.size {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(*testing.T) { tr.perform(newMemoryNetwork()) })
			})
		}
	})
	return tr.verdicts
}

// perform does tasks of the queue until there are none.
func (tr *troupe) perform(network *memoryNetwork) {
	stages := map[string]*stage{}
	defer func() {
		for _, s := range stages {
			s.Close()
		}
	}()
	for task := range tr.queue {
		s, err := stages[task.stage], error(nil)
		if s == nil {
			if s, err = tr.make[task.stage](tr.t.TempDir(), network); err == nil {
				stages[task.stage] = s
			}
		}
		if network != nil {
			time.Sleep(5 * time.Minute) // the idle connections of earlier runs end, which else would be for ever
		}
		v := verdict{struck: true}
		switch {
		case err != nil:
			v.bad = err.Error()
		case task.kill != nil:
			v = s.tryKilled(s.scenarios[task.run], *task.kill)
		case task.walk != 0:
			v = s.walk(task.walk)
		default:
			v = s.try(s.scenarios[task.run], task.faults, task.binary)
		}
		v.kind = task.kind
		tr.mu.Lock()
		tr.verdicts = append(tr.verdicts, v)
		if n := len(tr.verdicts); n%500 == 0 {
			tr.t.Logf("%d trials done", n)
		}
		if v.bad != "" {
			if tr.shown++; tr.shown <= 25 {
				tr.t.Errorf("%s\n%s", task.name, v.bad)
			}
		}
		tr.mu.Unlock()
	}
}

// report fails the test for what was not survived and prints the table.
func report(t *testing.T, kinds []string, verdicts []verdict) {
	t.Helper()
	tried, survived := map[string]int{}, map[string]int{}
	byHand, missed := 0, 0
	for _, v := range verdicts {
		if !v.struck && v.bad == "" {
			missed++
			continue
		}
		tried[v.kind]++
		if v.bad == "" {
			survived[v.kind]++
			if v.byHand {
				byHand++
			}
		}
	}
	all, whole := 0, 0
	for _, kind := range kinds {
		all, whole = all+tried[kind], whole+survived[kind]
		if tried[kind] > 0 {
			fmt.Fprintf(os.Stdout, "| %s | %d | %d |\n", kind, tried[kind], survived[kind])
		}
	}
	if all > whole {
		t.Errorf("%d of %d were not survived", all-whole, all)
	}
	if missed > 0 {
		fmt.Fprintf(os.Stdout, "%s: the request or call to strike at did not come in %d runs\n", t.Name(), missed)
	}
	if byHand > 0 {
		t.Logf("%d of them were survived after what the error asked for had been done by hand", byHand)
	}
}

// seeded returns the source of a sample, and logs how to have it again.
func seeded(t *testing.T) *rand.Rand {
	seed := *faultSeed
	switch {
	case seed != 0:
	case *everyFault:
		seed = uint64(time.Now().UnixNano()) % 1e9
	default:
		seed = 1 // the sample of every test run is one and the same
	}
	t.Logf("seed %d: go test -run '^%s$' ./cmd/wso2plan -args -faultseed=%d", seed, t.Name(), seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// TestFaults makes one request of a plan or an apply fail, each in turn and in every way, and holds
// what the package comment of this file's stage says: the run tells of it, and once the servers are
// sound again one apply brings all to where it would have been.
func TestFaults(t *testing.T) {
	makers := map[string]makeStage{"small": smallStage(t), "platform": platformStage(t)}
	var tasks []task
	for _, name := range []string{"small", "platform"} {
		tasks = append(tasks, survey(t, name, makers[name])...)
	}
	var kinds []string
	for _, k := range faultKinds {
		kinds = append(kinds, k.name)
	}
	do(&troupe{t: t, make: makers, size: 2}, tasks, kinds, 8*time.Second)
}

// survey returns all faults at all places of a stage.
func survey(t *testing.T, name string, make makeStage) (tasks []task) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := make(t.TempDir(), newMemoryNetwork())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		tasks = s.tasks(name)
		for _, c := range s.scenarios {
			t.Logf("%s, %s: %d requests", name, c.name, len(s.places[c.name]))
		}
	})
	return tasks
}

// TestFaultsOfBinary does some of the same with the program as it is built.
func TestFaultsOfBinary(t *testing.T) {
	stage := smallStage(t)
	var tasks []task
	for _, x := range survey(t, "small", stage) {
		if x.binary = true; !slices.ContainsFunc(x.faults, betweenServers) {
			tasks = append(tasks, x)
		}
	}
	r := seeded(t)
	r.Shuffle(len(tasks), func(i, j int) { tasks[i], tasks[j] = tasks[j], tasks[i] })
	tasks = tasks[:min(len(tasks), 200)]
	for i := range tasks {
		tasks[i].kind = binaryKind
	}
	do(&troupe{t: t, make: map[string]makeStage{"small": stage}, real: true, size: 6}, tasks, []string{binaryKind}, 4*time.Second)
}

const binaryKind = "200 of them at random, with the built program"

// do does tasks and reports on them: all of them or, without the flag, those of a random order
// that are begun within the time of a sample.
func do(tr *troupe, tasks []task, kinds []string, sample time.Duration) {
	t := tr.t
	if *onlyFaults != "" {
		only := regexp.MustCompile(*onlyFaults)
		tasks = slices.DeleteFunc(tasks, func(x task) bool { return !only.MatchString(x.name) })
	}
	if !*everyFault {
		r := seeded(t)
		r.Shuffle(len(tasks), func(i, j int) { tasks[i], tasks[j] = tasks[j], tasks[i] })
		tr.size, tr.limit = 1, sample
	}
	// Each trial makes much garbage, and little of it is alive at any time.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	start := time.Now()
	verdicts := tr.do(tasks)
	t.Logf("%d of %d trials in %s", len(verdicts), len(tasks), time.Since(start).Round(time.Second))
	report(t, kinds, verdicts)
}
