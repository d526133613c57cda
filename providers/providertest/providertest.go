// Package providertest holds resource types to one contract: a life on a server, led through the
// engine.
//
// Every type of a provider has a txtar file, named as the type without its prefix, which is its
// fixture and its documented example:
//
//	setup.hcl      optional: what the example needs, made first and kept as it is
//	create.hcl     the smallest useful block, one resource of the type
//	request.json   golden: what creating it sends to the server, in order
//	drift.http     an edit behind our back (see below)
//	drift.txt      golden: the plan that shows it
//	update.hcl     the same resource, one in-place change
//	plan.txt       golden: the plan of the update
//	replace.hcl    the same resource, one change that must replace it
//
// The life is: not found, created, plan empty, edited behind our back, plan shows exactly that,
// healed, plan empty, updated in place, plan empty, replaced, plan empty, destroyed, and deleting
// again succeeds. replace.hcl may be absent where nothing of the type requires a replacement. A type
// that can only be read has data.hcl and outputs.txt (golden) alone. A type whose objects are all the
// server's own has adopt.hcl in place of create.hcl and replace.hcl: a block that adopts one and
// changes it; destroyed, it is as it was before.
//
// drift.http is a request: a line with method and path, header lines, an empty line, the body.
// {id} stands for the object's id, {name} for a string attribute, or the first of a set. The method
// MERGE reads the object at the path, puts the members of the body over it, deeply, and sends the
// result by PUT. Further requests follow after a line "###".
//
// A provider of files (Target.Files) has, in place of request.json and drift.http:
//
//	held.txt       golden: what the files hold after the creation
//	drift.edit     the edit behind our back, as the target reads it
//
// Ids and addresses are masked in goldens; WSO2PLAN_GOLDEN=1 rewrites them.
package providertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// A Target is what Run tests.
type Target struct {
	Provider  string                            // the provider whose types are tested: "is"
	Providers map[string]func() engine.Provider // all that fixtures use, by name
	Fixtures  string                            // directory of the txtar files

	// Start starts a server with nothing on it from earlier tests, or reaches a real one, and
	// returns the environment in which providers find it: "IS_ENDPOINT=https://localhost:9444".
	// "WSO2PLAN_VAR_x=…" gives a value to the variable x of fixtures. It is called for each type.
	Start func(t *testing.T) []string

	// Files is set where the provider writes files and calls no server. Start then returns the
	// environment in which it finds them.
	Files *Files

	// Only names types without their prefix, for servers that do not serve all; empty: all.
	Only []string

	// Masks are regular expressions of text that differs in each run, beyond UUIDs and addresses.
	Masks []string
}

// Files is how a test sees the files of a provider, and changes them behind its back.
type Files struct {
	Held  func(t *testing.T) string
	Drift func(t *testing.T, o *engine.Object, edit string)
}

// Run leads every type of the provider through its life, each in a subtest of its own. It fails for
// a type without a fixture and for a fixture without a type.
func Run(t *testing.T, target Target) {
	provider := target.Providers[target.Provider]()
	var resources, data []*schema.Type
	for _, typ := range provider.Types() {
		resources = append(resources, typ.Schema())
	}
	for _, f := range provider.Data() {
		data = append(data, f.Schema())
	}
	fixtures := map[string]bool{}
	paths, err := filepath.Glob(filepath.Join(target.Fixtures, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		fixtures[strings.TrimSuffix(filepath.Base(p), ".txtar")] = true
	}
	for i, typ := range append(slices.Clone(resources), data...) {
		name := strings.TrimPrefix(typ.Name, target.Provider+"_")
		delete(fixtures, name)
		if len(target.Only) > 0 && !slices.Contains(target.Only, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(target.Fixtures, name+".txtar")
			archive, err := txtar.ParseFile(path)
			if errors.Is(err, os.ErrNotExist) {
				t.Fatalf("%s has no fixture: write %s", typ.Name, path)
			}
			if err != nil {
				t.Fatal(err)
			}
			f := &fixture{path: path, archive: archive}
			b := newBench(t, target, typ, f)
			switch {
			case i < len(resources) && f.text("adopt.hcl") != "":
				b.adopted()
			case i < len(resources):
				b.life()
			default:
				b.reading()
			}
			f.rewrite(t)
		})
	}
	for name := range fixtures {
		t.Errorf("%s.txtar belongs to no type of the provider %s", name, target.Provider)
	}
}

// life leads one resource type through its life.
func (b *bench) life() {
	t := b.t
	if setup := b.fixture.text("setup.hcl"); setup != "" {
		b.stage("setup.hcl", "")
		b.apply()
		b.synced()
	}

	b.stage("create.hcl", b.fixture.need(t, "create.hcl"))
	if c := b.change(b.plan()); c.Action != engine.Create {
		t.Fatalf("the first plan shows %q for %s, want a creation: it was found before it was made", c.Action, c.Address)
	}
	if b.target.Files != nil {
		b.apply()
		b.golden("held.txt", b.target.Files.Held(t))
	} else {
		requests := b.recorded(func() { b.apply() })
		b.golden("request.json", requests)
	}
	b.synced()
	id := b.id()
	before := b.consistent(id)

	if b.target.Files != nil {
		b.target.Files.Drift(t, before, b.fixture.need(t, "drift.edit"))
	} else {
		b.sendDrift(before)
	}
	drift := b.plan()
	c := b.change(drift)
	if c.Action != engine.Update || !c.HasDrift() {
		t.Errorf("the plan after the edit behind our back shows %q with drift %v, want an update with drift", c.Action, c.HasDrift())
	}
	for _, p := range c.Paths {
		if p.Kind != engine.Drift && p.Kind != engine.Consequent {
			t.Errorf("%s is shown as kind %d, want drift", schema.PathString(p.Path), p.Kind)
		}
	}
	b.golden("drift.txt", b.text(drift))
	b.apply()
	b.synced()

	b.stage("update.hcl", b.fixture.need(t, "update.hcl"))
	update := b.plan()
	if c := b.change(update); c.Action != engine.Update || c.HasDrift() {
		t.Errorf("the plan of update.hcl shows %q with drift %v, want an update without", c.Action, c.HasDrift())
	}
	b.golden("plan.txt", b.text(update))
	b.apply()
	b.synced()
	if now := b.id(); now != id {
		t.Errorf("the update changed the id from %s to %s", id, now)
	}

	b.stage("replace.hcl", b.fixture.text("replace.hcl"))
	if b.main == "" {
		if replaces(&b.typ.Block) {
			t.Fatalf("%s has attributes that require a replacement, and its fixture has no replace.hcl", b.typ.Name)
		}
		b.stage("update.hcl", b.fixture.text("update.hcl"))
	} else {
		if c := b.change(b.plan()); c.Action != engine.Replace {
			t.Fatalf("the plan of replace.hcl shows %q, want a replacement", c.Action)
		}
		b.apply()
		b.synced()
		if b.id() == id {
			t.Errorf("the replacement kept the id %s", id)
		}
		b.gone(id)
		id = b.id()
	}

	last := b.consistent(id)
	b.options.Destroy = true
	b.apply()
	if left := b.records(); len(left) > 0 {
		t.Errorf("destroy left %d records, the first of %s", len(left), left[0].Address)
	}
	b.gone(id)
	typ := b.resource()
	if err := typ.Delete(t.Context(), last); err != nil {
		t.Errorf("deleting again what is gone: %v", err)
	}
	if o, err := typ.Find(t.Context(), last.Value); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("it is found after its deletion: %v, %v", o, err)
	}
}

// reading reads a type that can only be read, through the engine.
func (b *bench) reading() {
	if b.fixture.text("setup.hcl") != "" {
		b.stage("setup.hcl", "")
		b.apply()
		b.synced()
	}
	b.stage("data.hcl", b.fixture.need(b.t, "data.hcl"))
	result := b.apply()
	var out strings.Builder
	for _, name := range sortedKeys(result.Outputs) {
		v, _ := result.Outputs[name].UnmarkDeep()
		fmt.Fprintf(&out, "%s = %s\n", name, literal(v))
	}
	if out.Len() == 0 {
		b.t.Errorf("data.hcl has no output")
	}
	b.golden("outputs.txt", out.String())
	b.synced()
}

// consistent checks that the object is the same by each way of reading it, and returns it.
func (b *bench) consistent(id string) *engine.Object {
	b.t.Helper()
	ctx := b.t.Context()
	typ := b.resource()
	read, err := typ.Read(ctx, id)
	if err != nil {
		b.t.Fatalf("reading %s: %v", id, err)
	}
	if read.ID != id || !read.Value.Type().Equals(b.typ.ImpliedType()) || !read.Value.IsWhollyKnown() {
		b.t.Errorf("read as %q of type %#v", read.ID, read.Value.Type())
	}
	if len(b.typ.Key) > 0 {
		found, err := typ.Find(ctx, read.Value)
		if err != nil || found.ID != id || !found.Value.RawEquals(read.Value) {
			b.t.Errorf("found by its key as %s, %v\nread  %#v", describe(found), err, read.Value)
		}
	}
	if lister, ok := typ.(engine.Lister); ok {
		seen := 0
		for o, err := range lister.List(ctx, 100) {
			if errors.Is(err, engine.ErrCostly) {
				seen = -1 // the type does without a listing
				break
			}
			if err != nil {
				b.t.Fatalf("listing: %v", err)
			}
			if o.ID == id {
				seen++
				if !o.Value.RawEquals(read.Value) {
					b.t.Errorf("listed as %#v\nread as   %#v", o.Value, read.Value)
				}
			}
		}
		if seen == 0 || seen > 1 {
			b.t.Errorf("the listing holds %s %d times", id, seen)
		}
	}
	return read
}

func describe(o *engine.Object) string {
	if o == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s %#v", o.ID, o.Value)
}

// gone checks that no object has that id.
func (b *bench) gone(id string) {
	b.t.Helper()
	if o, err := b.resource().Read(context.WithoutCancel(b.t.Context()), id); !errors.Is(err, engine.ErrNotFound) {
		b.t.Errorf("%s is still there, or cannot be told: %s, %v", id, describe(o), err)
	}
}

// replaces reports whether a configurable attribute of the block requires a replacement.
func replaces(b *schema.Block) bool {
	for i := range b.Attributes {
		if b.Attributes[i].RequiresReplace {
			return true
		}
	}
	for i := range b.Blocks {
		if replaces(&b.Blocks[i].Block) {
			return true
		}
	}
	return false
}

// literal writes a value on one line.
func literal(v cty.Value) string {
	switch {
	case v.IsNull():
		return "null"
	case !v.IsKnown():
		return "(unknown)"
	case v.Type() == cty.String:
		return fmt.Sprintf("%q", v.AsString())
	case v.Type() == cty.Bool:
		return fmt.Sprint(v.True())
	case v.Type() == cty.Number:
		return v.AsBigFloat().Text('f', -1)
	}
	var parts []string
	for it := v.ElementIterator(); it.Next(); {
		k, x := it.Element()
		if v.Type().IsMapType() || v.Type().IsObjectType() {
			parts = append(parts, k.AsString()+" = "+literal(x))
		} else {
			parts = append(parts, literal(x))
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
