package providertest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/engine/render"
	"wso2plan/engine/store"
)

// A bench is a server, a store and a configuration that changes from stage to stage.
type bench struct {
	t       *testing.T
	target  Target
	typ     *schema.Type
	fixture *fixture
	server  *server
	dir     string
	store   engine.Store
	keys    *engine.Keys
	options engine.PlanOptions
	name    string // of the stage
	main    string // its configuration, beside setup.hcl
}

func newBench(t *testing.T, target Target, typ *schema.Type, f *fixture) *bench {
	b := &bench{t: t, target: target, typ: typ, fixture: f, dir: t.TempDir(), store: store.NewMemory(),
		keys: engine.NewKeys([]byte("a key for tests, not a secret"))}
	b.server = newServer(t, target)
	if setup := f.text("setup.hcl"); setup != "" {
		b.write("setup.hcl", setup)
	}
	return b
}

func (b *bench) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// stage sets the configuration from now on.
func (b *bench) stage(name, main string) {
	b.t.Helper()
	b.name, b.main = name, main
	b.write("main.hcl", main)
}

func (b *bench) reconciler() *engine.Reconciler {
	b.t.Helper()
	known := schema.NewSet()
	for name, provider := range b.target.Providers {
		p := provider()
		known.Providers[name] = p.Schema()
		for _, t := range p.Types() {
			known.Add(t.Schema())
		}
		for _, d := range p.Data() {
			known.Add(d.Schema())
		}
	}
	cfg, diags := config.Load(b.dir, known, config.Inputs{Env: os.Environ(), NoFiles: true})
	b.fatal("loading", cfg, diags)
	return &engine.Reconciler{Config: cfg, Providers: b.target.Providers, Keys: b.keys}
}

// fatal ends the test when diags holds an error.
func (b *bench) fatal(doing string, cfg *config.Config, diags hcl.Diagnostics) {
	b.t.Helper()
	if !diags.HasErrors() {
		return
	}
	var text bytes.Buffer
	if err := render.Diagnostics(&text, cfg.Sources(), diags, render.Options{}); err != nil {
		b.t.Fatal(err)
	}
	b.t.Fatalf("%s %s: %s", doing, b.name, text.String())
}

func (b *bench) plan() *engine.Plan {
	b.t.Helper()
	r := b.reconciler()
	meta, records, err := b.store.Read(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	p, diags := r.Plan(b.t.Context(), meta, records, b.options)
	b.fatal("planning", r.Config, diags)
	return p
}

func (b *bench) apply() *engine.Result {
	b.t.Helper()
	r := b.reconciler()
	session, err := b.store.Lock(b.t.Context(), engine.Holder{ID: "test", Who: "test", Operation: "apply"})
	if err != nil {
		b.t.Fatal(err)
	}
	defer session.Close()
	p, diags := r.Plan(b.t.Context(), session.Meta(), session.Records(), b.options)
	b.fatal("planning", r.Config, diags)
	result, diags := r.Apply(b.t.Context(), p, session)
	b.fatal("applying", r.Config, diags)
	return result
}

// synced plans again and demands that nothing is left to do.
func (b *bench) synced() {
	b.t.Helper()
	if p := b.plan(); !p.Empty() {
		b.t.Fatalf("the plan after applying %s is not empty:\n%s", b.name, b.text(p))
	}
}

func (b *bench) records() []engine.Record {
	b.t.Helper()
	_, records, err := b.store.Read(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return records
}

// under reports whether an address is one of create.hcl and its successors, not of setup.hcl.
func (b *bench) under(a config.Address) bool {
	return a.Type == b.typ.Name && a.Mode == config.Managed &&
		!strings.Contains(b.fixture.text("setup.hcl"), fmt.Sprintf("resource %q %q", a.Type, a.Name))
}

// change returns the one change of the object under test, and fails when something else changes.
func (b *bench) change(p *engine.Plan) *engine.Change {
	b.t.Helper()
	var found *engine.Change
	for i := range p.Changes {
		c := &p.Changes[i]
		switch {
		case b.under(c.Address):
			if found != nil {
				b.t.Fatalf("%s has two resources of type %s; only setup.hcl may have more", b.name, b.typ.Name)
			}
			found = c
		case c.Action != engine.None:
			b.t.Errorf("the plan of %s changes %s too (%q)", b.name, c.Address, c.Action)
		}
	}
	if found == nil {
		b.t.Fatalf("the plan of %s does not show a %s:\n%s", b.name, b.typ.Name, b.text(p))
	}
	return found
}

// id returns the id of the object under test.
func (b *bench) id() string {
	b.t.Helper()
	for _, r := range b.records() {
		if b.under(r.Address) {
			return r.ID
		}
	}
	b.t.Fatalf("there is no record of a %s", b.typ.Name)
	return ""
}

// resource returns the type under test, of a provider that is configured, by the fixture's provider
// block if it has one.
func (b *bench) resource() engine.Type {
	b.t.Helper()
	p := b.target.Providers[b.target.Provider]()
	known := p.Schema()
	block := known.Object(nil)
	if cfg := b.reconciler().Config; cfg.Providers[b.target.Provider] != nil {
		var diags hcl.Diagnostics
		block, diags = cfg.Evaluator(func(config.Address) cty.Value { return cty.DynamicVal }, false).Provider(cfg.Providers[b.target.Provider])
		b.fatal("configuring", cfg, diags)
	}
	if _, _, err := p.Configure(b.t.Context(), block); err != nil {
		b.t.Fatal(err)
	}
	for _, typ := range p.Types() {
		if typ.Schema().Name == b.typ.Name {
			return typ
		}
	}
	b.t.Fatalf("the provider has no %s any more", b.typ.Name)
	return nil
}

func (b *bench) text(p *engine.Plan) string {
	b.t.Helper()
	var text bytes.Buffer
	if err := render.Text(&text, p, render.Options{}); err != nil {
		b.t.Fatal(err)
	}
	return text.String()
}

// golden compares text with the fixture's, both masked, or takes it over.
func (b *bench) golden(name, text string) {
	b.t.Helper()
	got := b.server.mask(text)
	if os.Getenv("WSO2PLAN_GOLDEN") != "" {
		b.fixture.set(name, got)
		return
	}
	if diff := cmp.Diff(b.fixture.need(b.t, name), got); diff != "" {
		b.t.Errorf("%s (WSO2PLAN_GOLDEN=1 rewrites it): %s", name, diff)
	}
}

// A fixture is the txtar of a type.
type fixture struct {
	path    string
	archive *txtar.Archive
	changed bool
}

// text returns a section, "" when it is absent.
func (f *fixture) text(name string) string {
	for _, file := range f.archive.Files {
		if file.Name == name {
			return string(file.Data)
		}
	}
	return ""
}

// need returns a section that must be there.
func (f *fixture) need(t *testing.T, name string) string {
	t.Helper()
	text := f.text(name)
	if text == "" {
		t.Fatalf("%s has no section %s", f.path, name)
	}
	return text
}

func (f *fixture) set(name, text string) {
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	for i := range f.archive.Files {
		if file := &f.archive.Files[i]; file.Name == name {
			f.changed = f.changed || string(file.Data) != text
			file.Data = []byte(text)
			return
		}
	}
	f.changed = true
	f.archive.Files = append(f.archive.Files, txtar.File{Name: name, Data: []byte(text)})
}

// order is that of sections that are written for the first time.
var order = []string{"setup.hcl", "adopt.hcl", "create.hcl", "request.json", "held.txt", "drift.http", "drift.edit", "drift.txt", "update.hcl", "plan.txt", "replace.hcl", "data.hcl", "outputs.txt"}

// rewrite writes the fixture when its goldens were taken over.
func (f *fixture) rewrite(t *testing.T) {
	t.Helper()
	if !f.changed || t.Failed() {
		return
	}
	slices.SortStableFunc(f.archive.Files, func(x, y txtar.File) int {
		return slices.Index(order, x.Name) - slices.Index(order, y.Name)
	})
	if err := os.WriteFile(f.path, txtar.Format(f.archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
