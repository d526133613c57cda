package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"wso2plan/config"
	"wso2plan/engine"
	"wso2plan/engine/render"
	"wso2plan/engine/store"
	"wso2plan/providers"
	"wso2plan/providers/apim"
	"wso2plan/providers/is"
	"wso2plan/providers/sandbox"
	"wso2plan/providers/sandbox/fault"
)

// A trial is a sandbox that can be made to fail, with a folder in which wso2plan runs in this
// process: a configuration and its store.
type trial struct {
	*sandbox.Sandbox
	script  *fault.Script
	strikes *strikes
	dial    dial // nil: the servers listen on this machine's network
	patience
	dir    string
	vars   map[string]string // of the configuration
	loaded *config.Config    // the edition in use; nil: not loaded yet
}

// A patience says how long a trial waits for servers.
type patience struct {
	timeout time.Duration // for an answer
	settle  time.Duration // until a write takes effect
}

// On this machine's network a server may be late because the machine does much at a time, which is
// not the fault that is tried; with slow servers it is short all the same.
var (
	shortPatience  = patience{2 * time.Second, 3 * time.Second}
	longPatience   = patience{30 * time.Second, 10 * time.Second}
	mediumPatience = patience{5 * time.Second, 10 * time.Second}
)

// newTrial starts a sandbox: on a network in memory, or with nil on this machine's.
func newTrial(dir string, network *memoryNetwork) (*trial, error) {
	w := &trial{script: fault.New(), strikes: &strikes{}, dir: dir, vars: map[string]string{}, patience: longPatience}
	opts := sandbox.Options{APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0", Faults: w.script, Middleware: w.strikes.wrap}
	if network != nil {
		opts.Network, w.dial, w.patience = network, network.DialContext, shortPatience
	}
	var err error
	if w.Sandbox, err = sandbox.Start(context.Background(), opts); err != nil {
		return nil, err
	}
	return w, nil
}

// live is somebody else at the trial's servers.
func (w *trial) live() live { return newLive(w.Sandbox, w.dial) }

// providers are those of wso2plan, which call the trial's servers.
func (w *trial) providers() map[string]func() engine.Provider {
	all := providers.All()
	all["apim"] = func() engine.Provider {
		p := apim.New()
		p.Dial = w.dial
		return p
	}
	all["is"] = func() engine.Provider {
		p := is.New()
		p.Dial = w.dial
		return p
	}
	return all
}

// An edition is a configuration with the values of its variables, and the passwords that its users
// then log in with.
type edition struct {
	files     map[string]string
	vars      map[string]string
	passwords map[string]string
}

// with returns the edition with another value of a variable.
func (e edition) with(name, value string) edition {
	e.vars = maps.Clone(e.vars)
	e.vars[name] = value
	return e
}

// use makes an edition the configuration of the folder. The store stays.
func (w *trial) use(e edition) error {
	old, err := filepath.Glob(filepath.Join(w.dir, "*.*"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if ext := filepath.Ext(name); ext == ".hcl" || ext == ".csv" {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	for name, text := range e.files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	ca := filepath.Join(w.dir, "ca.pem")
	if err := os.WriteFile(ca, w.CAPEM(), 0o600); err != nil {
		return err
	}
	settings := fmt.Sprintf("  username   = \"admin\"\n  password   = \"admin\"\n  ca_file    = %q\n  timeout    = %q\n  retry_wait = \"1ms\"\n", ca, w.timeout)
	text := fmt.Sprintf("provider \"apim\" {\n  endpoint   = %q\n  settle_timeout = %q\n%s}\n\nprovider \"is\" {\n  endpoint   = %q\n%s}\n",
		w.APIM(), w.settle, settings, w.IS(), settings)
	w.vars, w.loaded = e.vars, nil
	return os.WriteFile(filepath.Join(w.dir, "servers.hcl"), []byte(text), 0o600)
}

// An outcome is what a plan or an apply came to.
type outcome struct {
	text  string       // the plan and the diagnostics, as they are printed
	shown string       // the plan alone
	plan  *engine.Plan // nil when there is none to show
	diags hcl.Diagnostics
}

// unstarted is a run that ended before its plan.
func unstarted(diags hcl.Diagnostics) outcome {
	return outcome{text: diags.Error(), diags: diags}
}

func (o *outcome) failed() bool { return o.diags.HasErrors() }

// warnings counts those of a run.
func (o *outcome) warnings() (n int) {
	for _, d := range o.diags {
		if d.Severity == hcl.DiagWarning {
			n++
		}
	}
	return n
}

// schemas are the same for every run.
var schemas = sync.OnceValue(providers.Schemas)

// load loads the configuration of the folder. It stays the same while the edition does.
func (w *trial) load() (*config.Config, hcl.Diagnostics) {
	if w.loaded != nil {
		return w.loaded, nil
	}
	in := config.Inputs{}
	for name, value := range w.vars {
		in.Flags = append(in.Flags, config.Flag{Var: name + "=" + value})
	}
	c, diags := config.Load(w.dir, schemas(), in)
	if len(diags) == 0 {
		w.loaded = c
	}
	return c, diags
}

// project opens the folder's configuration and store, as a command does.
func (w *trial) project() (*engine.Reconciler, engine.Store, hcl.Diagnostics) {
	c, diags := w.load()
	if diags.HasErrors() {
		return nil, nil, diags
	}
	s, err := store.Open(c.Settings.Store, w.dir)
	if err == nil {
		var keys *engine.Keys
		keys, _, err = store.Keys(s, func(string) string { return "" }, false)
		if err == nil {
			return &engine.Reconciler{Config: c, Providers: w.providers(), Keys: keys}, s, diags
		}
	}
	return nil, nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "No store", Detail: err.Error()}}
}

// plan plans as the command does.
func (w *trial) plan(ctx context.Context, opts engine.PlanOptions) outcome {
	r, s, diags := w.project()
	if diags.HasErrors() {
		return unstarted(diags)
	}
	meta, records, err := s.Read(ctx)
	if err != nil {
		return unstarted(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Unreadable state", Detail: err.Error()}})
	}
	o := outcome{}
	o.plan, o.diags = r.Plan(ctx, meta, records, opts)
	o.print(r)
	return o
}

// apply plans and applies as the command does.
func (w *trial) apply(ctx context.Context, opts engine.PlanOptions) outcome {
	r, s, diags := w.project()
	if diags.HasErrors() {
		return unstarted(diags)
	}
	session, err := s.Lock(ctx, holder("apply"))
	if err != nil {
		return unstarted(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Error acquiring the state lock", Detail: err.Error()}})
	}
	defer session.Close()
	o := outcome{}
	o.plan, o.diags = r.Plan(ctx, session.Meta(), session.Records(), opts)
	if !o.diags.HasErrors() {
		_, diags := r.Apply(ctx, o.plan, session)
		o.diags = append(o.diags, diags...)
	}
	o.print(r)
	return o
}

func (o *outcome) print(r *engine.Reconciler) {
	var text bytes.Buffer
	if o.plan != nil && o.diags.HasErrors() && len(o.plan.Unknown) == 0 {
		o.plan = nil
	}
	if o.plan != nil {
		if err := render.Text(&text, o.plan, render.Options{}); err != nil {
			fmt.Fprintf(&text, "%%!rendering: %v", err)
		}
	}
	o.shown = text.String()
	if err := render.Diagnostics(&text, r.Config.Sources(), o.diags, render.Options{}); err != nil {
		fmt.Fprintf(&text, "%%!rendering: %v", err)
	}
	o.text = text.String()
}

// insane finds what no output may hold: secrets, masks, and the traces of mistakes in our own code.
var insane = regexp.MustCompile(`%!|<nil>|\(nil\)|0xc0|goroutine|runtime error|\*rest\.|&\{|map\[|\*\*\*\*\*|cty\.|interface conversion`)

// sane says what is wrong with an outcome that a person is to understand.
func (w *trial) sane(o outcome) error {
	if bad := insane.FindString(o.text); bad != "" {
		return fmt.Errorf("%q is printed", bad)
	}
	for name, secret := range w.vars {
		if strings.Contains(name, "password") && strings.Contains(o.text, secret) {
			return fmt.Errorf("the secret %s is printed", name)
		}
	}
	for _, d := range o.diags {
		if d.Summary == "" || strings.HasSuffix(d.Summary, ".") || len(d.Detail) < 20 || !strings.HasSuffix(strings.TrimSpace(d.Detail), ".") &&
			!strings.Contains(d.Detail, "\n") {
			return fmt.Errorf("a diagnostic is no sentence: %q: %q", d.Summary, d.Detail)
		}
	}
	return nil
}

// A saved trial is the contents of its servers and its store at one time.
type saved struct {
	contents []byte
	store    map[string][]byte
}

const storeFile = "wso2plan.state"

func (w *trial) save() (saved, error) {
	s := saved{store: map[string][]byte{}}
	var err error
	if s.contents, err = w.Contents(); err != nil {
		return s, err
	}
	names, err := filepath.Glob(filepath.Join(w.dir, storeFile+"*"))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return s, err
		}
		s.store[filepath.Base(name)] = text
	}
	return s, err
}

// restore puts servers and store back, without faults.
func (w *trial) restore(ctx context.Context, s saved) error {
	w.script.Set()
	if err := w.script.Quiet(ctx); err != nil {
		return err
	}
	if err := w.Reset(s.contents); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(w.dir, storeFile+"*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	for name, text := range s.store {
		if err := os.WriteFile(filepath.Join(w.dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// unfinished says what is wrong with the records of a store after an apply that succeeded.
func (w *trial) unfinished(ctx context.Context) error {
	_, s, diags := w.project()
	if diags.HasErrors() {
		return diags
	}
	_, records, err := s.Read(ctx)
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Status != engine.Complete || r.ID == "" || len(r.Deposed) > 0 {
			return fmt.Errorf("the record of %s is %s, id %q, deposed %q", r.Address, r.Status, r.ID, r.Deposed)
		}
	}
	return nil
}

// testdataEdition reads a configuration of testdata/faults.
func testdataEdition(t testing.TB, name string, vars, passwords map[string]string) edition {
	t.Helper()
	return edition{readFiles(t, filepath.Join("..", "..", "testdata", "faults", name)), vars, passwords}
}

func readFiles(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}
