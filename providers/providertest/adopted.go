package providertest

import (
	"wso2plan/engine"
)

// adopted leads a type whose objects are all the server's own through its life: taken over as it is
// there, plan empty, edited behind our back, plan shows exactly that, healed, plan empty, updated in
// place, plan empty, let go, and as it was before us.
func (b *bench) adopted() {
	t := b.t
	b.stage("adopt.hcl", b.fixture.need(t, "adopt.hcl"))
	c := b.change(b.plan())
	if c.Action != engine.Update || !c.Adopted {
		t.Fatalf("the first plan shows %q for %s, want an object that is adopted and changed", c.Action, c.Address)
	}
	was, err := b.resource().Read(t.Context(), c.ID)
	if err != nil || !was.System {
		t.Fatalf("reading %s: %s, %v", c.ID, describe(was), err)
	}
	b.apply()
	b.synced()
	id := b.id()

	b.sendDrift(b.consistent(id))
	drift := b.plan()
	if c := b.change(drift); c.Action != engine.Update || !c.HasDrift() {
		t.Errorf("the plan after the edit behind our back shows %q with drift %v, want an update with drift", c.Action, c.HasDrift())
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

	b.options.Destroy = true
	b.apply()
	if left := b.records(); len(left) > 0 {
		t.Errorf("destroy left %d records, the first of %s", len(left), left[0].Address)
	}
	if now := b.consistent(id); !now.Value.RawEquals(was.Value) {
		t.Errorf("let go, it is   %#v\nand it was before %#v", now.Value, was.Value)
	}
}
