package engine_test

import (
	"testing"

	"wso2plan/engine"
)

func TestLife(t *testing.T) {
	b := newBench(t)
	src := `
resource "fake_thing" "a" {
  name   = "a"
  value  = "one"
  secret = "s3cret"
  tags   = { x = "1" }
  item {
    key  = "k1"
    text = "t1"
  }
}
resource "fake_thing" "b" {
  name = "b"
  refs = [fake_thing.a.id]
}
`
	b.w.strict = true
	b.expect(src, `
+ fake_thing.a
+ fake_thing.b
`)
	if n := b.apply(src).Counts; n.Add != 2 {
		t.Fatalf("counts %+v", n)
	}
	b.synced(src)
	if got := b.w.log; got[0] != "create a" || got[1] != "create b" {
		t.Fatalf("order %q", got)
	}

	// Someone edits the server: value, a tag of ours, a tag of theirs, an item of ours and one of theirs.
	a := b.thing("a")
	a.value = "two"
	a.tags = map[string]string{"x": "9", "y": "theirs"}
	a.items = []item{{"k1", "edited"}, {"k2", "theirs"}}
	b.expect(src, `
~ fake_thing.a value:drift tags["x"]:drift item["k1"].text:drift item["k2"]:drift computed:consequent
`)
	b.apply(src)
	b.synced(src)
	if a.value != "one" || a.tags["x"] != "1" || a.tags["y"] != "theirs" || len(a.items) != 1 {
		t.Fatalf("not healed: %+v", a)
	}

	// The configuration is edited.
	src2 := `
resource "fake_thing" "a" {
  name   = "a"
  value  = "ONE"
  secret = "other"
  tags   = { z = "2" }
}
resource "fake_thing" "b" {
  name = "b"
  refs = []
}
`
	b.expect(src2, `
~ fake_thing.a secret:secret tags["z"]:new tags["x"]:pending item["k1"]:pending
~ fake_thing.b refs:pending
`)
	b.apply(src2)
	b.synced(src2)
	if a.secret != "other" || len(a.items) != 0 || a.tags["x"] != "" {
		t.Fatalf("not updated: %+v", a)
	}

	// An attribute is dropped: it stays.
	src3 := `
resource "fake_thing" "a" {
  name   = "a"
  secret = "other"
}
resource "fake_thing" "b" {
  name = "b"
}
`
	b.expect(src3, `
= fake_thing.a value:unmanaged tags:unmanaged
= fake_thing.b refs:unmanaged
`)
	b.apply(src3)
	a.value = "anything"
	b.expect(src3, "")

	// An item added by others is still drift: its block type was managed.
	a.items = []item{{"k9", "theirs"}}
	b.expect(src3, `
~ fake_thing.a item["k9"]:drift
`)
	b.opts = engine.PlanOptions{Destroy: true}
	if n := b.apply(src3).Counts; n.Destroy != 2 {
		t.Fatalf("counts %+v", n)
	}
	if len(b.w.things) != 0 || len(b.records()) != 0 {
		t.Fatalf("left: %v %v", b.w.things, b.records())
	}
}
