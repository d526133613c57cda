package engine_test

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"wso2plan/engine"
)

// A graphConfig is a random configuration of things that refer to each other without a cycle.
type graphConfig struct {
	blocks []blockConfig
}

type blockConfig struct {
	label, name, value, fixed, parent string
	refs                              []string // labels
	each                              []string // keys of for_each; nil: a single instance
}

// drawGraph draws blocks over a fixed set of labels, in a drawn order; each refers to earlier ones
// only. Names may wander between labels, as when resources are renamed.
func drawGraph(t *rapid.T) graphConfig {
	labels := rapid.Permutation([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "order")
	labels = labels[:rapid.IntRange(0, len(labels)).Draw(t, "blocks")]
	names := rapid.Permutation([]string{"n1", "n2", "n3", "n4", "n5", "n6", "n7"}).Draw(t, "names")
	var g graphConfig
	for i, label := range labels {
		b := blockConfig{
			label: label, name: names[i],
			value: rapid.SampledFrom([]string{"", "v1", "v2", "V1"}).Draw(t, "value"),
			fixed: rapid.SampledFrom([]string{"", "f1", "f2"}).Draw(t, "fixed"),
		}
		for _, earlier := range labels[:i] {
			if rapid.IntRange(0, 2).Draw(t, "refers") == 0 {
				b.refs = append(b.refs, earlier)
			}
		}
		if len(b.refs) > 0 && rapid.IntRange(0, 3).Draw(t, "has parent") == 0 {
			b.parent = b.refs[0]
		}
		if rapid.IntRange(0, 3).Draw(t, "each") == 0 {
			b.each = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y", "z"}), 1, 3, rapid.ID).Draw(t, "keys")
		}
		g.blocks = append(g.blocks, b)
	}
	return g
}

func (g graphConfig) String() string {
	var s strings.Builder
	each := map[string]bool{}
	for _, b := range g.blocks {
		each[b.label] = b.each != nil
	}
	for _, b := range g.blocks {
		fmt.Fprintf(&s, "resource \"fake_thing\" %q {\n", b.label)
		name := fmt.Sprintf("%q", b.name)
		if b.each != nil {
			fmt.Fprintf(&s, "  for_each = toset([%s])\n", quoted(b.each))
			name = fmt.Sprintf("\"%s-${each.key}\"", b.name)
		}
		fmt.Fprintf(&s, "  name = %s\n", name)
		if b.value != "" {
			fmt.Fprintf(&s, "  value = %q\n", b.value)
		}
		if b.fixed != "" {
			fmt.Fprintf(&s, "  fixed = %q\n", b.fixed)
		}
		if b.parent != "" && !each[b.parent] {
			fmt.Fprintf(&s, "  parent = fake_thing.%s.id\n", b.parent)
		}
		var refs []string
		for _, r := range b.refs {
			if each[r] {
				refs = append(refs, fmt.Sprintf("[for t in fake_thing.%s : t.id]", r))
			} else {
				refs = append(refs, fmt.Sprintf("[fake_thing.%s.id]", r))
			}
		}
		if len(refs) > 0 {
			fmt.Fprintf(&s, "  refs = concat(%s)\n", strings.Join(refs, ", "))
		} else {
			s.WriteString("  refs = []\n")
		}
		s.WriteString("}\n")
	}
	return s.String()
}

func quoted(list []string) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = fmt.Sprintf("%q", x)
	}
	return strings.Join(out, ", ")
}

// names returns the names that the server must hold.
func (g graphConfig) names() []string {
	var out []string
	for _, b := range g.blocks {
		if b.each == nil {
			out = append(out, b.name)
		}
		for _, k := range b.each {
			out = append(out, b.name+"-"+k)
		}
	}
	sort.Strings(out)
	return out
}

func (b *bench) names() []string {
	out := []string{}
	for _, t := range b.w.things {
		out = append(out, t.name)
	}
	sort.Strings(out)
	return out
}

// Every configuration without a cycle can be planned, applied from any earlier state, and ends in
// an empty plan; the server then holds just what is configured.
func TestEveryGraphConverges(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		b.dir = dir
		b.lister = rapid.Bool().Draw(rt, "lister")
		for range rapid.IntRange(1, 4).Draw(rt, "steps") {
			g := drawGraph(rt)
			src := g.String()
			_, diags := b.tryApply(src)
			if diags.HasErrors() {
				rt.Fatalf("apply: %s\n%s\nserver %v", diags, src, b.w.log)
			}
			p, diags := b.tryPlan(src)
			if diags.HasErrors() || !p.Empty() {
				rt.Fatalf("not synced: %s\n%s\n%s", diags, summary(p), src)
			}
			if got, want := fmt.Sprint(b.names()), fmt.Sprint(g.names()); got != want && len(want) > 2 {
				rt.Fatalf("server holds %s, want %s", got, want)
			}
			if n := len(b.records()); n != len(g.names()) {
				rt.Fatalf("%d records for %d objects", n, len(g.names()))
			}
		}
	})
}

// A server that refuses to delete what is referred to can always be emptied, and built up again.
func TestOrderOfDestruction(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		b.dir = dir
		b.w.strict = true
		g := drawGraph(rt)
		if _, diags := b.tryApply(g.String()); diags.HasErrors() {
			rt.Fatalf("apply: %s", diags)
		}
		if rapid.Bool().Draw(rt, "by configuration") {
			if _, diags := b.tryApply(""); diags.HasErrors() {
				rt.Fatalf("destroy: %s\n%s", diags, g)
			}
		} else {
			b.opts.Destroy = true
			if _, diags := b.tryApply(g.String()); diags.HasErrors() {
				rt.Fatalf("destroy: %s\n%s", diags, g)
			}
		}
		if len(b.w.things) != 0 || len(b.records()) != 0 {
			rt.Fatalf("left: %v, records %v", b.names(), b.records())
		}
	})
}

// dying is a store whose session stops committing, as a process does that is killed.
type dying struct {
	engine.Session
	b    *bench
	life *life
}

// A life counts down the steps until the process dies; a step is done or not when it does.
type life struct {
	left     int
	lastDone bool // whether the last step takes effect
	dead     bool
}

func (l *life) step() (before, after error) {
	if l.dead {
		return errCut, nil
	}
	l.left--
	if l.left >= 0 {
		return nil, nil
	}
	l.dead = true
	if l.lastDone {
		return nil, errCut
	}
	return errCut, nil
}

func (d *dying) Commit(ctx context.Context, ops []engine.Op) error {
	d.b.w.mu.Lock()
	before, after := d.life.step()
	d.b.w.mu.Unlock()
	if before != nil {
		return before
	}
	if err := d.Session.Commit(ctx, ops); err != nil {
		return err
	}
	return after
}

func (d *dying) Queue(ctx context.Context, ops []engine.Op) (durable func() error) {
	err := d.Commit(ctx, ops)
	return func() error { return err }
}

// However many steps of an apply are done before the process is killed, the next one converges:
// no object twice, none leaked.
func TestKilledAnywhere(t *testing.T) {
	dir := t.TempDir()
	points := 0
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		b.dir = dir
		first, second := drawGraph(rt), drawGraph(rt)
		if _, diags := b.tryApply(first.String()); diags.HasErrors() {
			rt.Fatalf("apply: %s", diags)
		}
		for range rapid.IntRange(1, 3).Draw(rt, "deaths") {
			l := &life{left: rapid.IntRange(0, 25).Draw(rt, "steps"), lastDone: rapid.Bool().Draw(rt, "last done")}
			b.applyDying(rt, second.String(), l)
			points++
		}
		src := second.String()
		before, _ := b.tryPlan(src)
		if _, diags := b.tryApply(src); diags.HasErrors() {
			rt.Fatalf("apply after the death: %s\n%s\n%s\nlog %v", diags, summary(before), src, b.w.log)
		}
		p, diags := b.tryPlan(src)
		if diags.HasErrors() || !p.Empty() {
			rt.Fatalf("not synced: %s\n%s\n%s", diags, summary(p), src)
		}
		if got, want := fmt.Sprint(b.names()), fmt.Sprint(second.names()); got != want && len(want) > 2 {
			rt.Fatalf("server holds %s, want %s\nlog %v", got, want, b.w.log)
		}
	})
	t.Logf("killed at %d points", points)
}

// applyDying applies with a process that dies after some steps: commits and writes to the server.
func (b *bench) applyDying(rt *rapid.T, src string, l *life) {
	r := b.reconciler(src)
	s, err := b.store.Lock(context.Background(), engine.Holder{ID: "x", Who: "test", Operation: "apply"})
	if err != nil {
		rt.Fatal(err)
	}
	defer s.Close()
	p, diags := r.Plan(context.Background(), s.Meta(), s.Records(), b.opts)
	if diags.HasErrors() {
		rt.Fatalf("plan: %s\n%s", diags, src)
	}
	var pending error
	b.w.before = func(string, *thing) error {
		before, after := l.step()
		pending = after
		if l.dead {
			b.w.down = errCut // a dead process learns nothing any more
		}
		return before
	}
	b.w.after = func(string, *thing) error { return pending }
	r.Apply(context.Background(), p, &dying{s, b, l})
	b.w.before, b.w.after, b.w.down = nil, nil, nil
}
