package render

import (
	"io"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/engine"
)

// State writes the live objects that are owned, as Terraform's show does, and the outputs as they
// are now. It reads them from the plan: what each change has before. Objects that are imported only
// by this plan are not owned yet and left out; one that moves is shown under its old address.
func State(w io.Writer, p *engine.Plan, o Options) error {
	t := newPage(w, o)
	d := &differ{verbose: true}
	n := 0
	for i := range p.Changes {
		c := &p.Changes[i]
		if !owned(c) {
			continue
		}
		if n++; n > 1 {
			t.add("\n")
		}
		a := stateAddress(c)
		t.add("# ", a.String(), ":")
		if c.Incomplete {
			t.add(" (incomplete)")
		}
		t.add("\n", headerOf(a), " {")
		same := *c
		same.After, same.Paths, same.Action = c.Before, nil, engine.None
		g := d.whole(&same, true)
		if len(g.rows) > 0 {
			t.add("\n")
			t.rows(g.rows, g.width, frame{depth: 1, in: Block})
		}
		t.add("}\n")
		if err := t.flush(false); err != nil {
			return err
		}
	}
	outputs := group{}
	d.depth, d.known = 0, nil
	for i := range p.Outputs {
		out := &p.Outputs[i]
		if absent(out.Before) || !out.Before.IsKnown() {
			continue
		}
		secret := ""
		if out.Sensitive || marked(out.Before) {
			secret = sensitiveText
		}
		outputs.named(out.Name)
		outputs.add(d.entry(out.Name, Same, out.Before, out.Before, nil, true, secret)...)
	}
	if len(outputs.rows) > 0 {
		if n > 0 {
			t.add("\n")
		}
		t.add("Outputs:\n\n")
		t.rows(outputs.rows, 0, frame{in: Block})
	}
	if n == 0 && len(outputs.rows) == 0 {
		t.add("The state is empty: no object is owned.\n")
	}
	return t.flush(true)
}

// owned reports whether the change is about a live object that is ours already, or a data source.
func owned(c *engine.Change) bool {
	return !absent(c.Before) && c.Before.IsKnown() && !c.Imported && c.Action != engine.Import && c.Action != engine.Create
}

func stateAddress(c *engine.Change) config.Address {
	if c.From != (config.Address{}) {
		return c.From
	}
	return c.Address
}

// outlineOf returns one side of a change as programs read it, masked by both.
func (d *differ) outlineOf(c *engine.Change, v, peer cty.Value) outline {
	if v == cty.NilVal {
		return outline{}
	}
	b, _ := blockOf(c, v, peer)
	d.depth, d.known = 0, nil
	return d.outlineBlock(b, v, peer)
}
