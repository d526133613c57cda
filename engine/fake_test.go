package engine_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/engine/store"
)

// A world is a server in memory with one kind of object, as strict as servers are: names are
// unique, what is referred to must exist, and an object that is referred to is not deleted.
type world struct {
	mu      sync.Mutex
	next    int
	things  map[string]*thing // by id
	log     []string
	reads   int
	lists   int
	strict  bool
	down    error                               // every read fails with it
	before  func(method string, t *thing) error // of each write, before it takes effect
	after   func(method string, t *thing) error // … and after it did: its answer is lost
	lagging map[string]bool                     // ids that listings lack
}

type thing struct {
	id, name, value, fixed, secret, computed, parent string
	refs                                             []string
	tags                                             map[string]string
	items                                            []item
	system                                           bool
}

type item struct{ key, text string }

func newWorld() *world { return &world{things: map[string]*thing{}, lagging: map[string]bool{}} }

var thingSchema = &schema.Type{
	Name: "fake_thing",
	// Things whose fixed is "alone" stand each other in the way.
	Collide: func(before, after cty.Value) bool {
		alone := cty.StringVal("alone")
		return before.GetAttr("fixed").RawEquals(alone) && after.GetAttr("fixed").RawEquals(alone)
	},
	Doc: "A thing.",
	Key: []string{"name"},
	Block: schema.Block{
		Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true},
			{Name: "name", Type: cty.String, Required: true, RequiresReplace: true},
			{Name: "value", Type: cty.String, Normalize: func(v cty.Value) cty.Value { return cty.StringVal(strings.ToLower(v.AsString())) }},
			{Name: "fixed", Type: cty.String, RequiresReplace: true},
			{Name: "parent", Type: cty.String, RequiresReplace: true, Parent: true},
			{Name: "secret", Type: cty.String, WriteOnly: true, Sensitive: true},
			{Name: "computed", Type: cty.String, ReadOnly: true, ChangesWith: []string{"value"}},
			{Name: "shown_once", Type: cty.String, ReadOnly: true, Once: true, Sensitive: true},
			{Name: "refs", Type: cty.Set(cty.String)},
			{Name: "tags", Type: cty.Map(cty.String), PerKey: true},
			{Name: "size", Type: cty.Number, Default: cty.NumberIntVal(1)},
		},
		Blocks: []schema.NestedBlock{{Name: "item", Nesting: schema.List, Key: []string{"key"}, Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "key", Type: cty.String, Required: true},
				{Name: "text", Type: cty.String},
			},
		}}},
	},
}

// A refusal is a definite no of the server.
type refusal string

func (r refusal) Error() string  { return string(r) }
func (r refusal) Refused() bool  { return true }
func (r refusal) Conflict() bool { return strings.Contains(string(r), "exists") }

type provider struct {
	w      *world
	realm  string
	lister bool
	keyed  bool              // listings hold keys
	others map[string]*world // by realm
}

func (p *provider) Name() string { return "fake" }
func (p *provider) Schema() schema.Block {
	return schema.Block{Attributes: []schema.Attribute{{Name: "realm", Type: cty.String}}}
}
func (p *provider) Data() []engine.Finder { return nil }
func (p *provider) Types() []engine.Type {
	if p.lister {
		return []engine.Type{listedThings{things{p}}}
	}
	if p.keyed {
		return []engine.Type{keyedThings{things{p}}}
	}
	return []engine.Type{things{p}}
}

func (p *provider) Configure(_ context.Context, block cty.Value) (string, []string, error) {
	if v := block.GetAttr("realm"); !v.IsNull() {
		if other := p.others[v.AsString()]; other != nil {
			p.w = other
		}
		return v.AsString(), nil, nil
	}
	return p.realm, nil, nil
}

type things struct{ p *provider }

type listedThings struct{ things }

func (ts listedThings) List(ctx context.Context, limit int) iter.Seq2[*engine.Object, error] {
	return func(yield func(*engine.Object, error) bool) {
		ts.p.w.mu.Lock()
		ts.p.w.lists++
		var all []*engine.Object
		for id, t := range ts.p.w.things {
			if !ts.p.w.lagging[id] {
				all = append(all, object(t))
			}
		}
		ts.p.w.mu.Unlock()
		for _, o := range all {
			if !yield(o, nil) {
				return
			}
		}
	}
}

type keyedThings struct{ things }

func (ts keyedThings) Directory(_ context.Context, limit int) (func(cty.Value) []string, error) {
	ts.p.w.mu.Lock()
	defer ts.p.w.mu.Unlock()
	ts.p.w.lists++
	if len(ts.p.w.things) > 20*limit {
		return nil, engine.ErrCostly
	}
	ids := map[string][]string{}
	for id, t := range ts.p.w.things {
		ids[t.name] = append(ids[t.name], id)
	}
	return func(wanted cty.Value) []string {
		name, _ := wanted.GetAttr("name").Unmark()
		return ids[name.AsString()]
	}, nil
}

func (ts things) Schema() *schema.Type { return thingSchema }

func object(t *thing) *engine.Object {
	attrs := map[string]cty.Value{
		"id": cty.StringVal(t.id), "name": cty.StringVal(t.name), "value": cty.StringVal(t.value),
		"fixed": cty.StringVal(t.fixed), "parent": cty.StringVal(t.parent), "computed": cty.StringVal(t.computed), "size": cty.NumberIntVal(1),
		"refs": cty.SetValEmpty(cty.String), "tags": cty.MapValEmpty(cty.String),
	}
	if len(t.refs) > 0 {
		var vals []cty.Value
		for _, r := range t.refs {
			vals = append(vals, cty.StringVal(r))
		}
		attrs["refs"] = cty.SetVal(vals)
	}
	if len(t.tags) > 0 {
		vals := map[string]cty.Value{}
		for k, v := range t.tags {
			vals[k] = cty.StringVal(v)
		}
		attrs["tags"] = cty.MapVal(vals)
	}
	if len(t.items) > 0 {
		var vals []cty.Value
		for _, it := range t.items {
			vals = append(vals, cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal(it.key), "text": cty.StringVal(it.text)}))
		}
		attrs["item"] = cty.ListVal(vals)
	}
	return &engine.Object{ID: t.id, Value: thingSchema.Object(attrs), System: t.system}
}

func (ts things) Find(_ context.Context, wanted cty.Value) (*engine.Object, error) {
	ts.p.w.mu.Lock()
	defer ts.p.w.mu.Unlock()
	ts.p.w.reads++
	if ts.p.w.down != nil {
		return nil, ts.p.w.down
	}
	name, _ := wanted.GetAttr("name").Unmark()
	for _, t := range ts.p.w.things {
		if t.name == name.AsString() {
			return object(t), nil
		}
	}
	return nil, engine.ErrNotFound
}

func (ts things) Read(_ context.Context, id string) (*engine.Object, error) {
	ts.p.w.mu.Lock()
	defer ts.p.w.mu.Unlock()
	ts.p.w.reads++
	if ts.p.w.down != nil {
		return nil, ts.p.w.down
	}
	if t, ok := ts.p.w.things[id]; ok {
		return object(t), nil
	}
	return nil, fmt.Errorf("thing %s: %w", id, engine.ErrNotFound)
}

// apply overlays what planned says on t.
func (t *thing) apply(planned cty.Value) {
	planned, _ = planned.UnmarkDeep()
	text := func(name string, into *string) {
		if v := planned.GetAttr(name); v.IsKnown() && !v.IsNull() {
			*into = v.AsString()
		}
	}
	text("name", &t.name)
	text("value", &t.value)
	text("fixed", &t.fixed)
	text("parent", &t.parent)
	text("secret", &t.secret)
	t.computed = "of " + t.value
	if v := planned.GetAttr("refs"); v.IsKnown() && !v.IsNull() {
		t.refs = nil
		for _, r := range v.AsValueSlice() {
			t.refs = append(t.refs, r.AsString())
		}
	}
	if v := planned.GetAttr("tags"); v.IsKnown() && !v.IsNull() {
		t.tags = map[string]string{}
		for k, x := range v.AsValueMap() {
			t.tags[k] = x.AsString()
		}
	}
	if v := planned.GetAttr("item"); v.IsKnown() && !v.IsNull() {
		t.items = nil
		for _, x := range v.AsValueSlice() {
			it := item{key: x.GetAttr("key").AsString()}
			if y := x.GetAttr("text"); y.IsKnown() && !y.IsNull() {
				it.text = y.AsString()
			}
			t.items = append(t.items, it)
		}
	}
}

func (w *world) check(t *thing) error {
	for _, other := range w.things {
		if other.name == t.name && other.id != t.id {
			return refusal(fmt.Sprintf("a thing %q exists", t.name))
		}
	}
	for _, r := range t.refs {
		if w.things[r] == nil && w.strict {
			return refusal(fmt.Sprintf("thing %q refers to %q, which does not exist", t.name, r))
		}
	}
	return nil
}

func (w *world) write(method string, t *thing, do func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.before != nil {
		if err := w.before(method, t); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	w.log = append(w.log, method+" "+t.name)
	if w.after != nil {
		return w.after(method, t)
	}
	return nil
}

func (ts things) Create(_ context.Context, planned cty.Value) (*engine.Object, error) {
	t := &thing{}
	t.apply(planned)
	err := ts.p.w.write("create", t, func() error {
		if err := ts.p.w.check(t); err != nil {
			return err
		}
		ts.p.w.next++
		t.id = fmt.Sprintf("id%d", ts.p.w.next)
		ts.p.w.things[t.id] = t
		return nil
	})
	if err != nil {
		return nil, err
	}
	o := object(t)
	attrs := o.Value.AsValueMap()
	attrs["shown_once"] = cty.StringVal("once-" + t.id)
	o.Value = cty.ObjectVal(attrs)
	return o, nil
}

func (ts things) Update(_ context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	var out *engine.Object
	t := &thing{name: live.ID}
	err := ts.p.w.write("update", t, func() error {
		old, ok := ts.p.w.things[live.ID]
		if !ok {
			return engine.ErrNotFound
		}
		if now := object(old).Value; !now.RawEquals(mask(live.Value)) {
			return engine.ErrMoved
		}
		changed := *old
		changed.apply(planned)
		if err := ts.p.w.check(&changed); err != nil {
			return err
		}
		*old = changed
		t.name = old.name
		out = object(old)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// mask takes off what Read does not return.
func mask(v cty.Value) cty.Value {
	attrs := v.AsValueMap()
	attrs["shown_once"] = cty.NullVal(cty.String)
	return cty.ObjectVal(attrs)
}

func (ts things) Delete(_ context.Context, live *engine.Object) error {
	t := &thing{name: live.ID}
	return ts.p.w.write("delete", t, func() error {
		old, ok := ts.p.w.things[live.ID]
		if !ok {
			return nil
		}
		t.name = old.name
		for _, other := range ts.p.w.things {
			if ts.p.w.strict && other != old && slices.Contains(other.refs, live.ID) {
				return refusal(fmt.Sprintf("thing %q is used by %q", old.name, other.name))
			}
		}
		delete(ts.p.w.things, live.ID)
		return nil
	})
}

// A bench is a world, a store and a way to plan and apply configurations against them.
type bench struct {
	t      testing.TB
	w      *world
	store  engine.Store
	keys   *engine.Keys
	lister bool
	keyed  bool
	opts   engine.PlanOptions
	dir    string
	others map[string]*world
}

func newBench(t testing.TB) *bench {
	return &bench{t: t, w: newWorld(), store: store.NewMemory(), keys: engine.NewKeys([]byte("0123456789abcdef")), dir: t.TempDir()}
}

func knownFake() schema.Set {
	known := schema.NewSet()
	known.Providers["fake"] = (&provider{}).Schema()
	known.Add(thingSchema)
	return known
}

func (b *bench) load(src string) *config.Config {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, "main.hcl"), []byte(src), 0o600); err != nil {
		b.t.Fatal(err)
	}
	cfg, diags := config.Load(b.dir, knownFake(), config.Inputs{Version: "0.1.0"})
	if diags.HasErrors() {
		b.t.Fatalf("load: %s\n%s", diags, src)
	}
	return cfg
}

func (b *bench) reconciler(src string) *engine.Reconciler {
	b.t.Helper()
	return &engine.Reconciler{
		Config: b.load(src),
		Providers: map[string]func() engine.Provider{"fake": func() engine.Provider {
			return &provider{w: b.w, realm: "here", lister: b.lister, keyed: b.keyed, others: b.others}
		}},
		Keys: b.keys,
	}
}

// tryPlan plans without the lock.
func (b *bench) tryPlan(src string) (*engine.Plan, hcl.Diagnostics) {
	b.t.Helper()
	meta, records, err := b.store.Read(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return b.reconciler(src).Plan(context.Background(), meta, records, b.opts)
}

func (b *bench) plan(src string) *engine.Plan {
	b.t.Helper()
	p, diags := b.tryPlan(src)
	if diags.HasErrors() {
		b.t.Fatalf("plan: %s\n%s", diags, src)
	}
	return p
}

// tryApply plans and applies under the lock.
func (b *bench) tryApply(src string) (*engine.Result, hcl.Diagnostics) {
	b.t.Helper()
	r := b.reconciler(src)
	s, err := b.store.Lock(context.Background(), engine.Holder{ID: fmt.Sprint(rand.Int64()), Who: "test", Operation: "apply"})
	if err != nil {
		b.t.Fatal(err)
	}
	defer s.Close()
	p, diags := r.Plan(context.Background(), s.Meta(), s.Records(), b.opts)
	if diags.HasErrors() {
		return nil, diags
	}
	return r.Apply(context.Background(), p, s)
}

func (b *bench) apply(src string) *engine.Result {
	b.t.Helper()
	result, diags := b.tryApply(src)
	if diags.HasErrors() {
		b.t.Fatalf("apply: %s\n%s", diags, src)
	}
	return result
}

// synced plans again and demands that nothing is left to do.
func (b *bench) synced(src string) {
	b.t.Helper()
	if p := b.plan(src); !p.Empty() {
		b.t.Fatalf("the plan after an apply is not empty:\n%s\n%s", summary(p), src)
	}
}

// summary writes a plan on lines: action, address, paths with their kinds.
func summary(p *engine.Plan) string {
	var s strings.Builder
	for _, c := range p.Changes {
		if c.Action == engine.None && len(c.Paths) == 0 && c.From == (config.Address{}) && len(c.Deposed) == 0 {
			continue
		}
		action := string(rune(c.Action))
		if c.Action == engine.None {
			action = "="
		}
		if c.CreateFirst {
			action += "first"
		}
		fmt.Fprintf(&s, "%s %s", action, c.Address)
		if c.From != (config.Address{}) {
			fmt.Fprintf(&s, " from %s", c.From)
		}
		for _, p := range c.Paths {
			fmt.Fprintf(&s, " %s:%s", schema.PathString(p.Path), kindNames[p.Kind])
		}
		if c.Reason != "" {
			fmt.Fprintf(&s, " (%s)", c.Reason)
		}
		s.WriteByte('\n')
	}
	return s.String()
}

var kindNames = map[engine.Kind]string{engine.Pending: "pending", engine.Drift: "drift", engine.Both: "both",
	engine.NewlyManaged: "new", engine.Secret: "secret", engine.Uncompared: "uncompared", engine.Unmanaged: "unmanaged",
	engine.Consequent: "consequent"}

func (b *bench) expect(src, want string) {
	b.t.Helper()
	want = strings.TrimLeft(want, "\n")
	if got := summary(b.plan(src)); got != want {
		b.t.Fatalf("plan is\n%s\nwant\n%s", got, want)
	}
}

// fails demands an error whose text holds each of the words.
func fails(t testing.TB, diags hcl.Diagnostics, words ...string) {
	t.Helper()
	if !diags.HasErrors() {
		t.Fatalf("no error, want one about %q", words)
	}
	var all strings.Builder
	for _, d := range diags {
		all.WriteString(d.Summary + ": " + d.Detail + "\n")
	}
	for _, w := range words {
		if !strings.Contains(all.String(), w) {
			t.Fatalf("the error does not say %q:\n%s", w, all.String())
		}
	}
}

func (b *bench) thing(name string) *thing {
	b.t.Helper()
	for _, t := range b.w.things {
		if t.name == name {
			return t
		}
	}
	b.t.Fatalf("there is no thing %q", name)
	return nil
}

func (b *bench) records() []engine.Record {
	b.t.Helper()
	_, records, err := b.store.Read(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return records
}

var errCut = errors.New("the connection was cut")
