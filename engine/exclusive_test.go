package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
	"wso2plan/engine"
)

// Turns are things of some type that are written one at a time where their value says so. They count
// how many are written at once.
type turns struct {
	things
	typ          *schema.Type
	inside, most *atomic.Int32
}

func (ts turns) Schema() *schema.Type { return ts.typ }

func (ts turns) Exclusive(planned cty.Value) string {
	v, _ := planned.GetAttr("value").Unmark()
	if !v.IsKnown() || v.IsNull() {
		return ""
	}
	return v.AsString()
}

func (ts turns) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	n := ts.inside.Add(1)
	defer ts.inside.Add(-1)
	for most := ts.most.Load(); n > most && !ts.most.CompareAndSwap(most, n); most = ts.most.Load() {
	}
	time.Sleep(5 * time.Millisecond)
	return ts.things.Create(ctx, planned)
}

type turnsProvider struct {
	*provider
	types []engine.Type
}

func (p turnsProvider) Types() []engine.Type { return p.types }

// Writes that name the same thing take turns, whatever their types; others do not wait.
func TestExclusive(t *testing.T) {
	other := *thingSchema
	other.Name = "fake_other"
	known := knownFake()
	known.Add(&other)
	for value, alone := range map[string]bool{"": false, `value = "document"`: true} {
		b := newBench(t)
		src := `
resource "fake_thing" "a" {
  count = 5
  name  = "a${count.index}"
  ` + value + `
}
resource "fake_other" "b" {
  count = 5
  name  = "b${count.index}"
  ` + value + `
}
`
		if err := os.WriteFile(filepath.Join(b.dir, "main.hcl"), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diags := config.Load(b.dir, known, config.Inputs{Version: "0.1.0"})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		var inside, most atomic.Int32
		r := &engine.Reconciler{Config: cfg, Keys: b.keys, Providers: map[string]func() engine.Provider{"fake": func() engine.Provider {
			p := &provider{w: b.w, realm: "here"}
			return turnsProvider{p, []engine.Type{turns{things{p}, thingSchema, &inside, &most}, turns{things{p}, &other, &inside, &most}}}
		}}}
		s, err := b.store.Lock(context.Background(), engine.Holder{ID: "x", Who: "test", Operation: "apply"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		p, diags := r.Plan(context.Background(), s.Meta(), s.Records(), b.opts)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if _, diags := r.Apply(context.Background(), p, s); diags.HasErrors() {
			t.Fatal(diags)
		}
		if got := most.Load(); alone && got != 1 || !alone && got < 2 {
			t.Errorf("with %q, %d were written at once", value, got)
		}
		if p, diags := r.Plan(context.Background(), s.Meta(), s.Records(), b.opts); diags.HasErrors() || !p.Empty() {
			t.Errorf("the plan after the apply: %s\n%s", diags, summary(p))
		}
	}
}
