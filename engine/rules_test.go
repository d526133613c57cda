package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"wso2plan/config"
	"wso2plan/engine"
)

// many returns n things by for_each, named p0 … with a value.
func many(n int, value string) string {
	return fmt.Sprintf("resource \"fake_thing\" \"m\" {\n  for_each = toset([for i in range(%d) : \"p${i}\"])\n  name = each.key\n  value = %q\n}\n", n, value)
}

func TestListingInsteadOfReading(t *testing.T) {
	b := newBench(t)
	b.lister = true
	src := many(50, "v")
	b.apply(src)
	b.w.reads, b.w.lists = 0, 0
	b.synced(src)
	if b.w.lists != 1 || b.w.reads != 0 {
		t.Fatalf("%d lists and %d reads, want one list", b.w.lists, b.w.reads)
	}
	// A list that lags does not make an object gone.
	b.w.lagging[b.thing("p7").id] = true
	b.synced(src)
	if b.w.reads != 1 {
		t.Fatalf("%d reads, want the one that the list lacked", b.w.reads)
	}
	// Two objects are cheaper read than listed.
	b2 := newBench(t)
	b2.lister = true
	b2.apply(many(2, "v"))
	b2.w.reads, b2.w.lists = 0, 0
	b2.synced(many(2, "v"))
	if b2.w.lists != 0 || b2.w.reads != 2 {
		t.Fatalf("%d lists and %d reads, want two reads", b2.w.lists, b2.w.reads)
	}
}

// Objects whose listing holds their keys alone are looked for in one reading of it, and read where
// they are there.
func TestDirectoryInsteadOfFinding(t *testing.T) {
	b := newBench(t)
	b.keyed = true
	b.apply(many(50, "v"))
	if b.w.lists != 1 || b.w.reads != 0 {
		t.Fatalf("%d lists and %d reads, want one list", b.w.lists, b.w.reads)
	}
	b.w.reads, b.w.lists = 0, 0
	b.synced(many(50, "v"))
	if b.w.lists != 0 || b.w.reads != 50 {
		t.Fatalf("what is owned: %d lists and %d reads, want 50 reads", b.w.lists, b.w.reads)
	}
	// What somebody else made meanwhile is found, in as few requests.
	b.w.things["theirs"] = &thing{id: "theirs", name: "p52"}
	b.w.reads, b.w.lists = 0, 0
	_, diags := b.tryPlan(many(55, "v"))
	fails(t, diags, `already has a fake_thing with name "p52"`)
	if b.w.lists != 1 || b.w.reads != 51 {
		t.Fatalf("%d lists and %d reads, want one list and 51 reads", b.w.lists, b.w.reads)
	}
	delete(b.w.things, "theirs")
	b.apply(many(55, "v"))
	// A directory that costs more than looking for the few that are new is not read.
	b.w.reads, b.w.lists = 0, 0
	for i := range 100 {
		id := fmt.Sprint("other", i)
		b.w.things[id] = &thing{id: id, name: id}
	}
	b.apply(many(58, "v"))
	if b.w.lists != 1 || b.w.reads != 55+3 {
		t.Fatalf("%d lists and %d reads, want one list that is given up and 58 reads", b.w.lists, b.w.reads)
	}
	b.synced(many(58, "v"))
}

func TestUnreadableIsNotGone(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\nresource \"fake_thing\" \"b\" {\n  name = fake_thing.a.name\n  fixed = \"x\"\n}\n"
	src = strings.Replace(src, "name = fake_thing.a.name", "name = \"b${fake_thing.a.id}\"", 1)
	b.apply(src)
	b.w.down = errors.New("503 from a proxy")
	p, diags := b.tryPlan(src)
	fails(t, diags, "fake_thing.a could not be read", "503 from a proxy")
	if len(p.Unknown) == 0 {
		t.Fatal("the plan does not say what is unknown")
	}
	for _, c := range p.Changes {
		if c.Action != engine.None {
			t.Fatalf("%s is planned: %c", c.Address, c.Action)
		}
	}
	if len(b.w.things) != 2 {
		t.Fatal("something was written")
	}
}

func TestEverythingGone(t *testing.T) {
	b := newBench(t)
	src := many(5, "v")
	b.apply(src)
	b.w.things = map[string]*thing{}
	_, diags := b.tryPlan(src)
	fails(t, diags, "Everything owned is gone", "-allow-missing")
	b.opts.AllowMissing = true
	if n := b.apply(src).Counts; n.Add != 5 {
		t.Fatalf("%+v", n)
	}
	b.synced(src)
}

// All was deleted to be made anew, and nobody learnt of it: they are made, without being asked.
func TestEverythingGoneThatIsReplaced(t *testing.T) {
	b := newBench(t)
	src := func(fixed string) string {
		return fmt.Sprintf("resource \"fake_thing\" \"x\" {\n  count = 5\n  name  = \"n${count.index}\"\n  fixed = %q\n}\n", fixed)
	}
	b.apply(src("old"))
	b.w.after = func(string, *thing) error { return errCut }
	_, diags := b.tryApply(src("new"))
	fails(t, diags, errCut.Error())
	b.w.after = nil
	if len(b.w.things) != 0 {
		t.Fatalf("the server still has %v", b.names())
	}
	if n := b.apply(src("new")).Counts; n.Add != 5 {
		t.Fatalf("%+v", n)
	}
	b.synced(src("new"))
}

// All was deleted, and nobody learnt of it: by a destroy, or because the configuration dropped it.
func TestEverythingGoneThatNobodyWants(t *testing.T) {
	for _, test := range []struct {
		name string
		opts engine.PlanOptions
		src  string
	}{
		{"destroy", engine.PlanOptions{Destroy: true}, many(5, "v")},
		{"not configured", engine.PlanOptions{}, "locals {}\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.apply(many(5, "v"))
			b.opts = test.opts
			b.w.after = func(string, *thing) error { return errCut }
			_, diags := b.tryApply(test.src)
			fails(t, diags, errCut.Error())
			b.w.after = nil
			if len(b.w.things) != 0 {
				t.Fatalf("%d things are left", len(b.w.things))
			}
			b.apply(test.src)
			if records := b.records(); len(records) != 0 {
				t.Fatalf("records %v", records)
			}
		})
	}
}

func TestObjectThatIsNotOurs(t *testing.T) {
	b := newBench(t)
	b.w.things["id9"] = &thing{id: "id9", name: "a", value: "theirs"}
	src := "resource \"fake_thing\" \"a\" {\n  name  = \"a\"\n  value = \"ours\"\n}\n"
	_, diags := b.tryPlan(src)
	fails(t, diags, "already has a fake_thing with name \"a\"", "wso2plan import 'fake_thing.a' 'id9'")

	for _, id := range []string{"id9", "a"} {
		withImport := src + fmt.Sprintf("import {\n  to = fake_thing.a\n  id = %q\n}\n", id)
		p := b.plan(withImport)
		if n := p.Counts(); n.Import != 1 || n.Change != 1 || n.Add != 0 {
			t.Fatalf("%+v", n)
		}
		if id == "a" {
			b.apply(withImport)
			b.synced(withImport)
			b.synced(src)
		}
	}
	if b.thing("a").value != "ours" || b.thing("a").id != "id9" {
		t.Fatal("not adopted in place")
	}
}

func TestImportCommand(t *testing.T) {
	b := newBench(t)
	b.w.things["id9"] = &thing{id: "id9", name: "a", value: "theirs"}
	src := "resource \"fake_thing\" \"a\" {\n  name   = \"a\"\n  value  = \"ours\"\n  secret = \"s\"\n}\n"
	r := b.reconciler(src)
	s, err := b.store.Lock(context.Background(), engine.Holder{ID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	to, _ := config.ParseAddress("fake_thing.a")
	if _, diags := r.Import(context.Background(), s, to, "nobody"); !diags.HasErrors() {
		t.Fatal("imported what does not exist")
	}
	if _, diags := r.Import(context.Background(), s, to, "a"); diags.HasErrors() {
		t.Fatal(diags)
	}
	_, diags := r.Import(context.Background(), s, to, "a")
	fails(t, diags, "already owns the object id9")
	s.Close()
	if b.thing("a").value != "theirs" {
		t.Fatal("import wrote to the server")
	}
	// The difference is no drift: nobody applied it. The secret cannot be compared.
	b.expect(src, `
~ fake_thing.a value:new secret:uncompared computed:consequent
`)
	b.apply(src)
	b.expect(src, `
= fake_thing.a secret:uncompared
`)
	if b.thing("a").secret != "" {
		t.Fatal("a secret was reset by accident")
	}
	b.opts.RewriteSecrets = true
	b.apply(src)
	b.opts.RewriteSecrets = false
	b.synced(src)
	b.expect(src, "")
	if b.thing("a").secret != "s" {
		t.Fatal("the secret was not written")
	}
}

func TestMoves(t *testing.T) {
	b := newBench(t)
	b.apply("resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\n" + many(3, "v"))
	// Renamed, and from for_each to a single block; nothing was told.
	src := "resource \"fake_thing\" \"z\" {\n  name = \"a\"\n}\nresource \"fake_thing\" \"one\" {\n  name = \"p1\"\n  value = \"new\"\n}\n" +
		"resource \"fake_thing\" \"m\" {\n  for_each = { first = \"p0\", third = \"p2\" }\n  name = each.value\n  value = \"v\"\n}\n"
	b.expect(src, `
> fake_thing.m["first"] from fake_thing.m["p0"]
> fake_thing.m["third"] from fake_thing.m["p2"]
~ fake_thing.one from fake_thing.m["p1"] value:pending computed:consequent
> fake_thing.z from fake_thing.a
`)
	before := len(b.w.log)
	b.apply(src)
	b.synced(src)
	if got := b.w.log[before:]; len(got) != 1 || got[0] != "update p1" {
		t.Fatalf("writes %q", got)
	}
	if n := len(b.records()); n != 4 {
		t.Fatalf("%d records", n)
	}
}

func TestTwoBlocksOneObject(t *testing.T) {
	b := newBench(t)
	two := "resource \"fake_thing\" \"a\" {\n  name = \"x\"\n}\nresource \"fake_thing\" \"b\" {\n  name = \"x\"\n}\n"
	_, diags := b.tryPlan(two)
	fails(t, diags, "Two blocks claim one object", "fake_thing.b", "fake_thing.a")
	b.apply("resource \"fake_thing\" \"a\" {\n  name = \"x\"\n}\n")
	_, diags = b.tryPlan(two)
	fails(t, diags, "Two blocks claim one object", "fake_thing.b", "fake_thing.a")
}

func TestNamesSwap(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"%s\"\n}\nresource \"fake_thing\" \"b\" {\n  name = \"%s\"\n}\n"
	b.apply(fmt.Sprintf(src, "x", "y"))
	b.apply(fmt.Sprintf(src, "y", "x"))
	b.synced(fmt.Sprintf(src, "y", "x"))
}

func TestReplacement(t *testing.T) {
	b := newBench(t)
	src := func(name, fixed, lifecycle string) string {
		return fmt.Sprintf("resource \"fake_thing\" \"a\" {\n  name = %q\n  fixed = %q\n  lifecycle {\n%s\n}\n}\n"+
			"resource \"fake_thing\" \"child\" {\n  name = \"child\"\n  parent = fake_thing.a.id\n}\n"+
			"resource \"fake_thing\" \"user\" {\n  name = \"user\"\n  refs = [fake_thing.a.id]\n}\n", name, fixed, lifecycle)
	}
	b.apply(src("a", "1", ""))
	// Delete-first: one key. The child goes first, the user is updated.
	b.expect(src("a", "2", ""), `
± fake_thing.a fixed:pending (fixed cannot be changed in place)
± fake_thing.child parent:pending (parent cannot be changed in place)
~ fake_thing.user refs:pending
`)
	n := len(b.w.log)
	b.apply(src("a", "2", ""))
	b.synced(src("a", "2", ""))
	log := b.w.log[n:]
	if slices.Index(log, "delete child") > slices.Index(log, "delete a") ||
		slices.Index(log, "delete a") > slices.Index(log, "create a") ||
		slices.Index(log, "create a") > slices.Index(log, "update user") {
		t.Fatalf("order %q", log)
	}
	// Create-first: the key changes, both can exist. The child keeps it from being quite free: it
	// is recorded as living in the old one, so it goes first as well.
	n = len(b.w.log)
	b.apply(src("b", "2", ""))
	b.synced(src("b", "2", ""))
	log = b.w.log[n:]
	if slices.Index(log, "update user") > slices.Index(log, "delete a") || slices.Index(log, "create b") > slices.Index(log, "delete a") {
		t.Fatalf("order %q", log)
	}
	// Delete-first though the key changes: the server cannot hold both.
	b.apply(src("b", "alone", ""))
	n = len(b.w.log)
	b.apply(src("c", "alone", ""))
	b.synced(src("c", "alone", ""))
	log = b.w.log[n:]
	if slices.Index(log, "delete b") > slices.Index(log, "create c") || !slices.Contains(log, "create c") {
		t.Fatalf("order %q", log)
	}
	b.apply(src("b", "2", ""))
	_, diags := b.tryPlan(src("b", "3", "create_before_destroy = true"))
	fails(t, diags, "create_before_destroy")
	_, diags = b.tryPlan(src("b", "3", "prevent_destroy = true"))
	fails(t, diags, "prevent_destroy")
	// ignore_changes leaves the attribute as it is.
	b.synced(src("b", "3", "ignore_changes = [fixed]"))
}

func TestProtectedOrphan(t *testing.T) {
	b := newBench(t)
	b.apply("resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n")
	_, diags := b.tryPlan("")
	fails(t, diags, "Protected object", "wso2plan state rm 'fake_thing.a'")
	b.opts.Destroy = true
	_, diags = b.tryPlan("resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n")
	fails(t, diags, "prevent_destroy")
}

func TestParentReplacedThoughEqual(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  fixed = %q\n}\nresource \"fake_thing\" \"child\" {\n  name = \"child\"\n  parent = fake_thing.a.name\n}\n"
	b.apply(fmt.Sprintf(src, "1"))
	b.expect(fmt.Sprintf(src, "2"), `
± fake_thing.a fixed:pending (fixed cannot be changed in place)
± fake_thing.child (fake_thing.a, in which it lives, is replaced)
`)
	b.apply(fmt.Sprintf(src, "2"))
	b.synced(fmt.Sprintf(src, "2"))
}

func TestSystemObject(t *testing.T) {
	b := newBench(t)
	b.w.things["sys"] = &thing{id: "sys", name: "resident", value: "factory", fixed: "f", system: true}
	src := "resource \"fake_thing\" \"r\" {\n  name  = \"resident\"\n  value = \"ours\"\n}\n"
	p := b.plan(src)
	if c := p.Changes[0]; c.Action != engine.Update || !c.Adopted || !c.Imported {
		t.Fatalf("%+v", c)
	}
	b.apply(src)
	b.synced(src)
	if b.thing("resident").value != "ours" {
		t.Fatal("not changed")
	}
	_, diags := b.tryPlan(src[:len(src)-2] + "  fixed = \"g\"\n}\n")
	fails(t, diags, "cannot be replaced")
	p = b.plan("")
	if c := p.Changes[0]; c.Action != engine.Delete || !c.Release {
		t.Fatalf("%+v", c)
	}
	b.apply("")
	if b.thing("resident").value != "factory" {
		t.Fatal("not put back as it was")
	}
	if len(b.records()) != 0 {
		t.Fatal("still owned")
	}
}

func TestRealms(t *testing.T) {
	b := newBench(t)
	src := "provider \"fake\" {\n  realm = %q\n}\nresource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\n"
	b.apply(fmt.Sprintf(src, "one"))
	_, diags := b.tryPlan(fmt.Sprintf(src, "two"))
	fails(t, diags, "Wrong server for this state", `now reaches "two", and fake_thing.a belongs to "one"`)
	several := newBench(t)
	several.apply(fmt.Sprintf(src, "one") + many(30, "v"))
	_, diags = several.tryPlan(fmt.Sprintf(src, "two") + many(30, "v"))
	fails(t, diags, `now reaches "two", and fake_thing.a and 30 more belong to "one"`)
	if len(diags) != 1 {
		t.Errorf("%d problems: %s", len(diags), diags)
	}
	// An orphan whose provider block is gone.
	alias := "provider \"fake\" {\n  alias = \"x\"\n  realm = \"one\"\n}\nresource \"fake_thing\" \"b\" {\n  provider = fake.x\n  name = \"b\"\n}\n"
	b2 := newBench(t)
	b2.others = map[string]*world{"two": newWorld()}
	b2.apply(alias)
	_, diags = b2.tryPlan("")
	fails(t, diags, "Provider configuration missing", "fake.x")
	// Moved to another provider: deleted there, made here.
	other := strings.Replace(alias, "provider = fake.x", "provider = fake.y", 1) + "provider \"fake\" {\n  alias = \"y\"\n  realm = \"two\"\n}\n"
	if p := b2.plan(other); len(p.Changes) != 1 || p.Changes[0].Action != engine.Replace {
		t.Fatalf("%+v", summary(p))
	}
	b2.apply(other)
	b2.synced(other)
	if len(b2.w.things) != 0 || len(b2.others["two"].things) != 1 {
		t.Fatal("not moved")
	}
}

func TestLimits(t *testing.T) {
	b := newBench(t)
	b.apply(many(10, "v"))
	limit := "wso2plan {\n  limits {\n    max_destroy = 2\n  }\n}\n"
	n := len(b.w.log)
	_, diags := b.tryApply(limit + many(5, "w"))
	fails(t, diags, "Too many objects would be destroyed", "5 objects", "max_destroy allows 2")
	if len(b.w.log) != n {
		t.Fatal("something was written before the limit was checked")
	}
	percent := "wso2plan {\n  limits {\n    max_destroy_percent = 20\n  }\n}\n"
	_, diags = b.tryApply(percent + many(7, "v"))
	fails(t, diags, "max_destroy_percent")
	b.apply(percent + many(8, "v"))
}

func TestLostAnswer(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  secret = \"s\"\n}\n"
	b.w.after = func(string, *thing) error { b.w.after = nil; return errCut }
	b.apply(src)
	b.synced(src)
	if len(b.w.things) != 1 {
		t.Fatal("made twice")
	}
}

// A create whose answer was lost stays an intent when the look-up is refused: that refusal is of the
// look-up, not of the create.
// A secret is written, and nobody learns of it. The configuration goes back to the former secret, which
// the server no longer holds.
func TestLostAnswerToSecret(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  secret = %q\n}\n"
	b.apply(fmt.Sprintf(src, "one"))

	// It is recorded before, so that neither a kill nor a lost answer is forgotten.
	b.w.before = func(string, *thing) error {
		_, records, err := b.store.Read(context.Background())
		if err != nil || records[0].Status != engine.Incomplete || len(records[0].Fingerprints["secret"]) > 0 {
			t.Errorf("when the secret is written, the record is %+v, %v", records, err)
		}
		return nil
	}
	b.w.after = func(string, *thing) error { b.w.after = nil; return errCut }
	_, diags := b.tryApply(fmt.Sprintf(src, "two"))
	fails(t, diags, errCut.Error())
	b.w.before = nil
	b.apply(fmt.Sprintf(src, "one"))
	b.synced(fmt.Sprintf(src, "one"))
	if got := b.thing("a").secret; got != "one" {
		t.Fatalf("the server holds the secret %q", got)
	}

	// A refused one is as it was.
	b.w.before = func(string, *thing) error { return refusal("400 too short") }
	_, diags = b.tryApply(fmt.Sprintf(src, "x"))
	fails(t, diags, "400 too short")
	b.w.before = nil
	b.synced(fmt.Sprintf(src, "one"))
}

func TestLostAnswerAndNoLookUp(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\n"
	b.w.after = func(string, *thing) error {
		b.w.after, b.w.down = nil, refusal("403 forbidden")
		return errCut
	}
	_, diags := b.tryApply(src)
	fails(t, diags, "403 forbidden", "the next plan looks for it")
	b.w.down = nil
	b.apply(src)
	b.synced(src)
	if len(b.w.things) != 1 {
		t.Fatal("made twice")
	}
}

func TestRefusalLeavesNoTrace(t *testing.T) {
	b := newBench(t)
	b.w.before = func(string, *thing) error { return refusal("400 bad value") }
	_, diags := b.tryApply("resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\nresource \"fake_thing\" \"b\" {\n  name = \"b\"\n  refs = [fake_thing.a.id]\n}\n")
	fails(t, diags, "400 bad value")
	if len(diags) != 1 {
		t.Fatalf("a skipped dependent is no error: %v", diags)
	}
	if len(b.records()) != 0 {
		t.Fatalf("records %v", b.records())
	}
}

func TestFailureSkipsDependentsOnly(t *testing.T) {
	b := newBench(t)
	b.w.before = func(_ string, t *thing) error {
		if t.name == "a" {
			return refusal("no")
		}
		return nil
	}
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\nresource \"fake_thing\" \"b\" {\n  name = \"b\"\n  refs = [fake_thing.a.id]\n}\nresource \"fake_thing\" \"c\" {\n  name = \"c\"\n}\n"
	result, diags := b.tryApply(src)
	fails(t, diags, "fake_thing.a")
	if result.Failed != 1 || result.Skipped != 1 || result.Counts.Add != 1 {
		t.Fatalf("%+v", result)
	}
	b.w.before = nil
	b.apply(src)
	b.synced(src)
}

func TestMovedUnderneath(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  value = %q\n}\n"
	b.apply(fmt.Sprintf(src, "1"))
	r := b.reconciler(fmt.Sprintf(src, "2"))
	s, _ := b.store.Lock(context.Background(), engine.Holder{ID: "1"})
	defer s.Close()
	p, _ := r.Plan(context.Background(), s.Meta(), s.Records(), b.opts)
	b.thing("a").value = "someone"
	_, diags := r.Apply(context.Background(), p, s)
	fails(t, diags, "changed on the server after the plan was made")
	if b.thing("a").value != "someone" {
		t.Fatal("overwritten")
	}
}

// What depends on an object that moves is still deleted before it, though its own change failed and
// its block has gone since. So is what a -target leaves out.
func TestDependenciesFollowMoves(t *testing.T) {
	resource := func(label, name, value string) string {
		return fmt.Sprintf("resource \"fake_thing\" %q {\n  name  = %q\n  value = %s\n}\n", label, name, value)
	}
	before := resource("old", "a", `"v"`) + resource("b", "b", "fake_thing.old.id") + resource("c", "c", "fake_thing.old.id")
	after := resource("new", "a", `"v"`) + resource("b", "b", `"other ${fake_thing.new.id}"`) + resource("c", "c", "fake_thing.new.id")
	for name, targets := range map[string][]config.Address{"failed": nil, "target": {{Mode: config.Managed, Type: "fake_thing", Name: "new"}}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.apply(before)
			b.opts.Targets = targets
			b.w.before = func(string, *thing) error { return refusal("409 not now") }
			_, diags := b.tryApply(after)
			if targets == nil {
				fails(t, diags, "409 not now")
			}
			b.w.before, b.opts.Targets = nil, nil
			for _, r := range b.records() {
				if want := "[fake_thing.new]"; r.Address.Name != "new" && fmt.Sprint(r.Dependencies) != want {
					t.Errorf("%s depends on %v, want %s", r.Address, r.Dependencies, want)
				}
			}
			n := len(b.w.log)
			b.apply("locals {}\n")
			if log := b.w.log[n:]; len(log) != 3 || log[2] != "delete a" {
				t.Errorf("deleted in the order %v", log)
			}
		})
	}
}

// Where a part of a block moves, what depended on the block depends on both.
func TestDependenciesFollowPartOfBlock(t *testing.T) {
	b := newBench(t)
	many := func(label, names string) string {
		return fmt.Sprintf("resource \"fake_thing\" %q {\n  for_each = toset([%s])\n  name = each.key\n}\n", label, names)
	}
	last := "resource \"fake_thing\" \"last\" {\n  name  = \"z\"\n  value = join(\",\", [for t in %s : t.name])\n}\n"
	b.apply(many("old", `"a", "b", "c"`) + fmt.Sprintf(last, "fake_thing.old"))
	b.w.before = func(string, *thing) error { return refusal("409 not now") }
	_, diags := b.tryApply(many("old", `"a"`) + many("new", `"b", "c"`) + fmt.Sprintf(last, "fake_thing.new"))
	fails(t, diags, "409 not now")
	b.w.before = nil
	for _, r := range b.records() {
		if want := "[fake_thing.new fake_thing.old]"; r.Address.Name == "last" && fmt.Sprint(r.Dependencies) != want {
			t.Errorf("depends on %v, want %s", r.Dependencies, want)
		}
	}
	n := len(b.w.log)
	b.apply("locals {}\n")
	if log := b.w.log[n:]; len(log) != 4 || log[0] != "delete z" {
		t.Errorf("deleted in the order %v", log)
	}
}

func TestInterruptFinishesWhatIsInFlight(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\nresource \"fake_thing\" \"b\" {\n  name = \"b\"\n  refs = [fake_thing.a.id]\n}\n"
	r := b.reconciler(src)
	s, _ := b.store.Lock(context.Background(), engine.Holder{ID: "1"})
	ctx, interrupt := context.WithCancel(context.Background())
	p, _ := r.Plan(ctx, s.Meta(), s.Records(), b.opts)
	b.w.before = func(string, *thing) error { interrupt(); return nil }
	result, diags := r.Apply(ctx, p, s)
	fails(t, diags, "Interrupted", "1 operations were not begun")
	s.Close()
	b.w.before = nil
	if result.Counts.Add != 1 || len(b.records()) != 1 || b.records()[0].Status != engine.Complete {
		t.Fatalf("%+v %+v", result, b.records())
	}
	b.apply(src)
	b.synced(src)
}

func TestDeferredData(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  value = %q\n}\n" +
		"data \"fake_thing\" \"a\" {\n  name = fake_thing.a.name\n}\n" +
		"resource \"fake_thing\" \"b\" {\n  name = \"b\"\n  value = data.fake_thing.a.computed\n}\n" +
		"output \"v\" {\n  value = data.fake_thing.a.value\n}\n"
	b.expect(fmt.Sprintf(src, "1"), `
+ fake_thing.a
+ fake_thing.b
≤ data.fake_thing.a
`)
	result := b.apply(fmt.Sprintf(src, "1"))
	if v := result.Outputs["v"]; v.AsString() != "1" {
		t.Fatalf("output %#v", v)
	}
	b.synced(fmt.Sprintf(src, "1"))
	b.apply(fmt.Sprintf(src, "2"))
	b.synced(fmt.Sprintf(src, "2"))
	if b.thing("b").value != "of 2" {
		t.Fatal(b.thing("b").value)
	}
	_, diags := b.tryPlan("data \"fake_thing\" \"x\" {\n  name = \"nobody\"\n}\n")
	fails(t, diags, "Object not found", "nobody")
}

func TestOnceValueIsNoChange(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\nresource \"fake_thing\" \"b\" {\n  name = \"b\"\n  secret = fake_thing.a.shown_once\n}\n"
	b.apply(src)
	if got := b.thing("b").secret; got != "once-"+b.thing("a").id {
		t.Fatalf("secret %q", got)
	}
	b.synced(src)
	b.expect(src, "")
}

func TestTargets(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\nresource \"fake_thing\" \"b\" {\n  name = \"b\"\n  refs = [fake_thing.a.id]\n}\nresource \"fake_thing\" \"c\" {\n  name = \"c\"\n}\n"
	target, _ := config.ParseAddress("fake_thing.b")
	b.opts.Targets = []config.Address{target}
	b.expect(src, `
+ fake_thing.a
+ fake_thing.b
`)
	b.apply(src)
	b.opts.Targets = nil
	b.expect(src, `
+ fake_thing.c
`)
	// One instance alone; all of them when another block needs the block.
	b2 := newBench(t)
	one, _ := config.ParseAddress(`fake_thing.m["p1"]`)
	user, _ := config.ParseAddress("fake_thing.user")
	src = many(3, "v") + "resource \"fake_thing\" \"user\" {\n  name = \"user\"\n  refs = [for t in fake_thing.m : t.id]\n}\n"
	b2.opts.Targets = []config.Address{one}
	b2.expect(src, "+ fake_thing.m[\"p1\"]\n")
	b2.opts.Targets = []config.Address{one, user}
	if n := b2.plan(src).Counts(); n.Add != 4 {
		t.Fatalf("%+v", n)
	}
	b2.opts = engine.PlanOptions{Targets: []config.Address{{Type: "fake_thing", Name: "nobody"}}}
	_, diags := b2.tryPlan(src)
	fails(t, diags, "Unknown target")
	b2.opts = engine.PlanOptions{Replace: []config.Address{{Type: "fake_thing", Name: "nobody"}}}
	_, diags = b2.tryPlan(src)
	fails(t, diags, "Unknown object to replace")
}

// What a replaced object managed is managed no more: the new one was made without it.
func TestReplacedObjectStartsAnew(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name  = \"a\"\n  fixed = %q\n%s}\n"
	b.apply(fmt.Sprintf(src, "1", "  item {\n    key = \"k\"\n  }\n"))
	b.apply(fmt.Sprintf(src, "2", ""))
	b.synced(fmt.Sprintf(src, "2", ""))
	b.thing("a").items = []item{{"theirs", ""}}
	b.synced(fmt.Sprintf(src, "2", ""))
}

func TestLostKey(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  secret = \"s\"\n  value = \"v\"\n}\n"
	b.apply(src)
	b.keys = engine.NewKeys([]byte("another key, since the first was lost"))
	b.expect(src, `
= fake_thing.a secret:uncompared
`)
	b.thing("a").value = "w"
	b.expect(src, `
~ fake_thing.a value:new secret:uncompared computed:consequent
`)
}

func TestEvidence(t *testing.T) {
	b := newBench(t)
	src := "variable \"pw\" {\n  default = \"hunter2secret\"\n  sensitive = true\n}\nresource \"fake_thing\" \"a\" {\n  name = \"a\"\n  value = %q\n  secret = var.pw\n}\n"
	b.apply(fmt.Sprintf(src, "1"))
	edit := fmt.Sprintf(src, "2")
	saved, err := json.Marshal(b.plan(edit).Evidence())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(saved), "hunter2secret") {
		t.Fatalf("the saved plan holds a secret: %s", saved)
	}
	e, err := engine.ReadEvidence(saved)
	if err != nil {
		t.Fatal(err)
	}
	if moved := e.Compare(b.plan(edit)); moved != nil {
		t.Fatalf("the same plan: %q", moved)
	}
	b.thing("a").value = "someone"
	moved := e.Compare(b.plan(edit))
	if len(moved) != 1 || !strings.Contains(moved[0], "fake_thing.a: value is now another value") {
		t.Fatalf("%q", moved)
	}
	b.w.things = map[string]*thing{}
	if moved := e.Compare(b.plan(edit)); len(moved) == 0 || !strings.Contains(moved[0], "was to be: update, and now would be: create") {
		t.Fatalf("%q", moved)
	}
	for _, bad := range []string{"", "{}", "[1]", `{"format": 99}`} {
		if _, err := engine.ReadEvidence([]byte(bad)); err == nil {
			t.Fatalf("%q was read", bad)
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	b := newBench(t)
	src := many(30, "v") + "resource \"fake_thing\" \"b\" {\n  name = \"b\"\n  refs = [for t in fake_thing.m : t.id]\n}\n"
	first := summary(b.plan(src))
	for range 5 {
		if again := summary(b.plan(src)); again != first {
			t.Fatalf("%s\n%s", first, again)
		}
	}
}

// What was sensitive when it was applied stays masked when its block, which said so, is gone.
func TestSensitiveIsRemembered(t *testing.T) {
	b := newBench(t)
	src := "variable \"v\" {\n  default   = \"hunter2\"\n  sensitive = true\n}\nresource \"fake_thing\" \"a\" {\n  name  = \"a\"\n  value = var.v\n  tags  = { k = var.v, open = \"x\" }\n  item {\n    key  = \"k\"\n    text = var.v\n  }\n}\n"
	b.apply(src)
	b.synced(src)
	c := b.plan("").Changes[0]
	for _, path := range []string{"value", "tags", "item"} {
		if !c.Before.GetAttr(path).ContainsMarked() {
			t.Errorf("%s is not masked", path)
		}
	}
	if v := c.Before.GetAttr("tags").AsValueMap()["open"]; v.IsMarked() {
		t.Error("what was not sensitive is masked")
	}
}

func TestRefreshOnly(t *testing.T) {
	b := newBench(t)
	src := "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  value = \"1\"\n}\nresource \"fake_thing\" \"b\" {\n  name = \"b\"\n  value = \"1\"\n}\n"
	b.apply(src)
	b.thing("a").value = "someone"
	b.opts.RefreshOnly = true
	edited := strings.Replace(src, "name = \"b\"\n  value = \"1\"", "name = \"b\"\n  value = \"2\"", 1)
	b.expect(edited, `
~ fake_thing.a value:drift computed:consequent
`)
	n := len(b.w.log)
	b.apply(edited)
	if len(b.w.log) != n {
		t.Fatal("a refresh wrote")
	}
	b.opts.RefreshOnly = false
	b.expect(edited, `
~ fake_thing.a value:drift computed:consequent
~ fake_thing.b value:pending computed:consequent
`)
}

// A create-first replacement that was cut off, and a configuration that goes back: the old object,
// which others still use, is taken back, and the new one is deleted.
func TestDeposedTakenBack(t *testing.T) {
	b := newBench(t)
	b.w.strict = true
	src := "resource \"fake_thing\" \"a\" {\n  name = %q\n  secret = \"s\"\n}\nresource \"fake_thing\" \"user\" {\n  name = \"user\"\n  refs = [fake_thing.a.id]\n}\n"
	b.apply(fmt.Sprintf(src, "one"))
	first := b.thing("one").id
	b.w.before = func(method string, th *thing) error {
		if method == "update" {
			return refusal("not now")
		}
		return nil
	}
	if _, diags := b.tryApply(fmt.Sprintf(src, "two")); !diags.HasErrors() {
		t.Fatal("the update did not fail")
	}
	b.w.before = nil
	if n := len(b.w.things); n != 3 {
		t.Fatalf("%d things, want the old one, the new one and their user", n)
	}
	b.apply(fmt.Sprintf(src, "one"))
	b.synced(fmt.Sprintf(src, "one"))
	if b.thing("one").id != first || len(b.w.things) != 2 {
		t.Fatalf("left %v", b.names())
	}
}
