package render

import (
	"strconv"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
	"wso2plan/engine"
)

// A Mode says what a plan is for.
type Mode string

// The modes.
const (
	PlanMode        Mode = "plan"
	DestroyMode     Mode = "destroy"
	RefreshOnlyMode Mode = "refresh-only"
)

// A PlanView is a plan as people may see it: masked, in words, and independent of any format.
type PlanView struct {
	Mode      Mode
	Changes   []ChangeView // what has something to say, in the order of the plan
	Legend    []engine.Action
	Counts    engine.Counts
	Unchanged int // objects of which nothing is to be said

	Outputs     []Row // those that change
	OutputWidth int   // of the longest name, unchanged ones included

	Uncompared []PathsView // secrets of unchanged objects that cannot be compared
	Unmanaged  []PathsView // paths of unchanged objects that are managed no more
	Unknown    []string    // addresses of objects that could not be read
}

// A ChangeView is one change, or in Fold the rest of many like it.
type ChangeView struct {
	Action      engine.Action
	CreateFirst bool
	Subject     string   // the address, as `is_user.ann`, perhaps with a deposed object's id
	Phrase      string   // "will be created"
	Comments    []string // what else is to be said, each a sentence or two without a full stop
	Warnings    []string // likewise, of what an apply would do to others or could not do
	Header      string   // `resource "is_user" "ann"`; "" when there is nothing to show
	Rows        []Row
	Width       int
	Fold        *Fold
}

// A Fold stands for instances of one block that are not shown one by one.
type Fold struct {
	Count    int
	Keys     []string // instance keys in source form: the first ones
	Last     string   // the last key
	Paths    []PathCount
	Comments []PathCount // comments and warnings, with how many instances have them
}

// A PathCount counts instances.
type PathCount struct {
	Text           string
	Count, Drifted int
}

// A PathsView names paths of one object, or of Instances of one block.
type PathsView struct {
	Subject   string
	Instances int
	Paths     []string
}

// ViewOptions choose what View holds.
type ViewOptions struct {
	Verbose bool // no folding
}

// dozen is how many instances of one block with one action are shown one by one, and firstOnes how
// many of more than that.
const (
	dozen     = 12
	firstOnes = 3
)

// View turns a plan into masked rows. What is sensitive by its schema or by a mark on either side
// of a change is replaced here; no format ever holds it.
func View(p *engine.Plan, o ViewOptions) *PlanView {
	v := &PlanView{Mode: modeOf(p), Counts: p.Counts()}
	for _, a := range p.Unknown {
		v.Unknown = append(v.Unknown, a.String())
	}
	d := &differ{verbose: o.Verbose}
	for i := 0; i < len(p.Changes); {
		end := i + 1
		for end < len(p.Changes) && p.Changes[end].Address.Block() == p.Changes[i].Address.Block() {
			end++
		}
		v.block(d, p.Changes[i:end], o)
		i = end
	}
	v.legend()
	v.outputs(d, p.Outputs)
	return v
}

func modeOf(p *engine.Plan) Mode {
	switch {
	case p.Options.RefreshOnly:
		return RefreshOnlyMode
	case p.Options.Destroy:
		return DestroyMode
	}
	return PlanMode
}

// A likeness is what folded instances have in common.
type likeness struct {
	action                                engine.Action
	createFirst, release, imported, moved bool
}

func likenessOf(c *engine.Change) likeness {
	return likeness{c.Action, c.CreateFirst, c.Release, c.Imported, c.From != config.Address{}}
}

// block adds the changes of one block's instances.
func (v *PlanView) block(d *differ, changes []engine.Change, o ViewOptions) {
	count := map[likeness]int{}
	var order []likeness
	if len(changes) > dozen && !o.Verbose {
		for i := range changes {
			if c := &changes[i]; v.shows(c) {
				like := likenessOf(c)
				if count[like]++; count[like] == 1 {
					order = append(order, like)
				}
			}
		}
	}
	uncompared, unmanaged := len(v.Uncompared), len(v.Unmanaged)
	seen := map[likeness]int{}
	rest := map[likeness][]*engine.Change{}
	for i := range changes {
		c := &changes[i]
		if !v.shows(c) {
			v.quiet(c)
		} else {
			like := likenessOf(c)
			seen[like]++
			if count[like] > dozen && seen[like] > firstOnes {
				rest[like] = append(rest[like], c)
			} else {
				v.Changes = append(v.Changes, v.change(d, c))
			}
		}
		if v.Mode != RefreshOnlyMode {
			for _, id := range c.Deposed {
				v.Changes = append(v.Changes, deposed(c, id))
			}
		}
	}
	for _, like := range order {
		if len(rest[like]) > 0 {
			v.Changes = append(v.Changes, v.fold(rest[like]))
		}
	}
	if !o.Verbose {
		block := changes[0].Address.Block().String()
		v.Uncompared = foldPaths(v.Uncompared, uncompared, block)
		v.Unmanaged = foldPaths(v.Unmanaged, unmanaged, block)
	}
}

// shows reports whether the change has a place among the actions.
func (v *PlanView) shows(c *engine.Change) bool {
	if v.Mode == RefreshOnlyMode {
		return wasDeleted(c) || c.HasDrift()
	}
	return c.Action != engine.None || c.Imported || c.From != config.Address{}
}

// wasDeleted reports whether an owned object is gone from the server: its record is dropped, or it
// is made anew, which is the one creation that has a reason.
func wasDeleted(c *engine.Change) bool {
	return c.Action == engine.Forget || c.Action == engine.Create && c.Reason != ""
}

// quiet notes what is to be said of an object that does not change.
func (v *PlanView) quiet(c *engine.Change) {
	var uncompared, unmanaged []string
	for i := range c.Paths {
		switch p := &c.Paths[i]; p.Kind {
		case engine.Uncompared:
			uncompared = append(uncompared, pathText(c, p))
		case engine.Unmanaged:
			unmanaged = append(unmanaged, pathText(c, p))
		}
	}
	subject := c.Address.String()
	if uncompared != nil {
		v.Uncompared = append(v.Uncompared, PathsView{subject, 1, uncompared})
	}
	if unmanaged != nil {
		v.Unmanaged = append(v.Unmanaged, PathsView{subject, 1, unmanaged})
	}
	if len(c.Deposed) == 0 {
		v.Unchanged++
	}
}

// pathText returns the path as people read it, with any step that is itself a secret masked.
func pathText(c *engine.Change, p *engine.PathChange) string {
	path := p.Path
	for i, step := range path {
		index, ok := step.(cty.IndexStep)
		if !ok || index.Key.Type() != cty.String {
			continue
		}
		if secrets := markedStrings(c.Before, c.After, p.Before, p.After); secrets[index.Key.AsString()] {
			path = append(cty.Path{}, path...)
			path[i] = cty.IndexStep{Key: cty.StringVal(sensitiveText)}
		}
	}
	return schema.PathString(path)
}

func headerOf(a config.Address) string {
	word := "resource"
	if a.Mode == config.Data {
		word = "data"
	}
	return word + " " + strconv.Quote(a.Type) + " " + strconv.Quote(a.Name)
}

func deposed(c *engine.Change, id string) ChangeView {
	lit := strconv.Quote(id)
	return ChangeView{
		Action:   engine.Delete,
		Subject:  c.Address.String() + " (deposed object " + printable(id, false) + ")",
		Phrase:   "will be destroyed",
		Comments: []string{"left over from a replacement that did not finish"},
		Header:   headerOf(c.Address),
		Rows:     []Row{{Op: Remove, Name: "id", Before: lit}},
		Width:    2,
	}
}

// change returns the view of one change.
func (v *PlanView) change(d *differ, c *engine.Change) ChangeView {
	out := ChangeView{Action: c.Action, CreateFirst: c.CreateFirst, Subject: c.Address.String(), Header: headerOf(c.Address)}
	if v.Mode == RefreshOnlyMode {
		v.drifted(d, c, &out)
		return out
	}
	out.Phrase = phrase(c)
	if c.From != (config.Address{}) && out.Phrase == phraseMoved(c) {
		out.Subject = c.From.String()
	}
	out.Comments, out.Warnings = comments(c), warnings(c)
	switch {
	case c.Action == engine.Forget:
		out.Header = ""
	case c.Action == engine.Delete && c.Release:
		g := group{}
		for i := range c.Paths {
			d.pathRow(&g, c, &c.Paths[i], c.Paths[i].Before, c.Paths[i].After)
		}
		out.Rows, out.Width = g.rows, g.width
		if len(g.rows) == 0 {
			out.Header = ""
		}
	default:
		g := d.whole(c, c.Imported && (c.Action == engine.None || c.Action == engine.Import))
		out.Rows, out.Width = g.rows, g.width
	}
	return out
}

// whole returns the rows of an object.
func (d *differ) whole(c *engine.Change, all bool) group {
	before, after := c.Before, c.After
	if before == cty.NilVal {
		before = cty.NullVal(cty.DynamicPseudoType)
	}
	if after == cty.NilVal {
		after = cty.NullVal(cty.DynamicPseudoType)
	}
	if c.Action == engine.Read {
		before = cty.NullVal(cty.DynamicPseudoType)
	}
	b, keys := blockOf(c, before, after)
	d.depth, d.wanted = 0, c.Wanted
	return d.object(b, keys, before, after, newTrail(c.Paths), all)
}

// blockOf returns the block of the change's type; an object whose type is not known, since its
// provider is gone, is shown by its value alone.
func blockOf(c *engine.Change, before, after cty.Value) (*schema.Block, []string) {
	if c.Type != nil {
		return &c.Type.Block, c.Type.Key
	}
	b := &schema.Block{}
	for _, v := range []cty.Value{after, before} {
		if v != cty.NilVal && v.Type().IsObjectType() {
			for _, name := range sortedKeys(v.Type().AttributeTypes()) {
				b.Attributes = append(b.Attributes, schema.Attribute{Name: name, Type: v.Type().AttributeType(name)})
			}
			break
		}
	}
	return b, nil
}

// pathRow adds a path by itself, as a row that bears its whole name.
func (d *differ) pathRow(g *group, c *engine.Change, p *engine.PathChange, before, after cty.Value) {
	d.unit(p.Before, p.After)
	name := pathText(c, p)
	secret := ""
	if c.Type != nil {
		a, b := placeAt(&c.Type.Block, p.Path)
		if b != nil {
			inner := d.alone(b, before, after)
			for i := range inner.rows {
				inner.rows[i].Name = name
			}
			g.add(inner.rows...)
			return
		}
		if a != nil {
			secret = secretText(a)
		}
	}
	if secret == "" && (marked(p.Before) || marked(p.After)) {
		secret = sensitiveText
	}
	if absent(before) {
		before = cty.NilVal
	}
	if absent(after) {
		after = cty.NilVal
	}
	if before == cty.NilVal && after == cty.NilVal {
		return
	}
	g.named(name)
	g.add(d.entry(name, opOf(before, after), before, after, nil, false, secret)...)
}

// alone compares two values of a nested block by themselves; b comes from placeAt.
func (d *differ) alone(b *schema.Block, before, after cty.Value) group {
	d.depth = 1 // keep what is known to be secret
	defer func() {
		d.depth = 0
		delete(d.layouts, b)
	}()
	return d.object(b, nil, inside(b, before), inside(b, after), nil, false)
}

// drifted fills the view of an object in a refresh-only plan: what was last applied, and what is
// live now.
func (v *PlanView) drifted(d *differ, c *engine.Change, out *ChangeView) {
	if wasDeleted(c) {
		out.Action, out.Phrase, out.Header = engine.Delete, "has been deleted", ""
		return
	}
	out.Action, out.Phrase = engine.Update, "has changed"
	g := group{}
	for i := range c.Paths {
		switch p := &c.Paths[i]; p.Kind {
		case engine.Drift:
			d.pathRow(&g, c, p, p.After, p.Before)
		case engine.Both:
			// What was last applied is known by its fingerprint only.
			n := len(g.rows)
			d.pathRow(&g, c, p, p.Before, p.Before)
			for j := n; j < len(g.rows); j++ {
				g.rows[j].Op = Change
				g.rows[j].Note = "what was last applied is not known"
			}
		}
	}
	out.Rows, out.Width = g.rows, g.width
}

// legend lists the actions that the reader meets, in Terraform's order.
func (v *PlanView) legend() {
	if v.Mode == RefreshOnlyMode {
		return
	}
	met := map[engine.Action]bool{}
	for i := range v.Changes {
		c := &v.Changes[i]
		met[actionOf(c.Action, c.CreateFirst)] = true
	}
	for _, a := range []engine.Action{engine.Create, engine.Update, engine.Delete, engine.Replace, createFirst, engine.Read} {
		if met[a] {
			v.Legend = append(v.Legend, a)
		}
	}
}

// createFirst stands in a legend for a replacement that makes the new object first.
const createFirst engine.Action = '∓'

func actionOf(a engine.Action, first bool) engine.Action {
	if a == engine.Replace && first {
		return createFirst
	}
	return a
}

// outputs adds the outputs that change.
func (v *PlanView) outputs(d *differ, outputs []engine.OutputChange) {
	g := group{}
	for i := range outputs {
		o := &outputs[i]
		g.named(o.Name)
		d.depth, d.known = 0, nil
		before, after := o.Before, o.After
		if before == cty.NilVal || before.IsNull() || !before.IsKnown() {
			before = cty.NilVal
		}
		if after == cty.NilVal || after.IsNull() {
			after = cty.NilVal
		}
		secret := ""
		if o.Sensitive || marked(o.Before) || marked(o.After) {
			secret = sensitiveText
		}
		if before == cty.NilVal && after == cty.NilVal || equal(before, after) {
			continue
		}
		g.add(d.entry(o.Name, opOf(before, after), before, after, nil, false, secret)...)
	}
	v.Outputs, v.OutputWidth = g.rows, g.width
}
