package render

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// A differ turns two values of one object into rows. It is used for one object after the other.
type differ struct {
	verbose bool
	layouts map[*schema.Block]*layout
	depth   int             // of blocks
	known   map[string]bool // the secrets of the attribute or block at hand, on either side
	wanted  cty.Value       // the configured block of the object at hand; cty.NilVal: nothing is known of it
}

// leftToServer reports whether the planned value of an attribute or block of a new object is
// unknown since the configuration says nothing of it.
func (d *differ) leftToServer(name string, planned cty.Value) bool {
	if d.verbose || d.depth != 1 || d.wanted == cty.NilVal || planned == cty.NilVal {
		return false
	}
	if u, _ := planned.Unmark(); u.IsKnown() {
		return false
	}
	w, _ := d.wanted.Unmark()
	if w.IsNull() || !w.IsKnown() || !w.Type().HasAttribute(name) {
		return false
	}
	w, _ = w.GetAttr(name).Unmark()
	if !w.IsKnown() {
		return false
	}
	return w.IsNull() || w.Type().IsListType() && w.LengthInt() == 0
}

// isEmpty reports whether a value says nothing: an empty string or collection.
func isEmpty(v cty.Value) bool {
	if v == cty.NilVal || v.ContainsMarked() || !v.IsKnown() || v.IsNull() {
		return false
	}
	switch t := v.Type(); {
	case t == cty.String:
		return v.AsString() == ""
	case t.IsCollectionType():
		return v.LengthInt() == 0
	}
	return false
}

// A layout is a block type in the order in which it is written.
type layout struct {
	attributes []*schema.Attribute
	blocks     []*schema.NestedBlock
}

func (d *differ) layout(b *schema.Block) *layout {
	if l := d.layouts[b]; l != nil {
		return l
	}
	l := &layout{}
	for i := range b.Attributes {
		l.attributes = append(l.attributes, &b.Attributes[i])
	}
	for i := range b.Blocks {
		l.blocks = append(l.blocks, &b.Blocks[i])
	}
	slices.SortFunc(l.attributes, func(a, b *schema.Attribute) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(l.blocks, func(a, b *schema.NestedBlock) int { return strings.Compare(a.Name, b.Name) })
	if d.layouts == nil {
		d.layouts = map[*schema.Block]*layout{}
	}
	d.layouts[b] = l
	return l
}

// attribute returns an attribute of an object: cty.NilVal when it or the object is null or missing,
// unknown when the object is.
func attribute(v cty.Value, name string, t cty.Type) cty.Value {
	if v == cty.NilVal {
		return cty.NilVal
	}
	if v.IsMarked() {
		u, marks := v.Unmark()
		if x := attribute(u, name, t); x != cty.NilVal {
			return x.WithMarks(marks)
		}
		return cty.NilVal
	}
	if v.IsNull() {
		return cty.NilVal
	}
	if !v.IsKnown() {
		return cty.UnknownVal(t)
	}
	if vt := v.Type(); !vt.IsObjectType() || !vt.HasAttribute(name) {
		return cty.NilVal
	}
	x := v.GetAttr(name)
	if x.IsNull() {
		return cty.NilVal
	}
	return x
}

// unit begins an attribute or block of the object itself: the secrets on either side of it are
// masked wherever they stand in it, since elements may have changed places.
func (d *differ) unit(a, b cty.Value) {
	d.known = nil
	if marked(a) || marked(b) {
		d.known = markedStrings(a, b)
	}
}

// A group collects the rows of an object and counts those that it hides.
type group struct {
	rows          []Row
	width, hidden int
	left, empty   int // attributes left to the server, and empty ones, that are not shown
	changed       bool
}

func (g *group) named(name string) { g.width = max(g.width, utf8.RuneCountInString(name)) }

func (g *group) add(rows ...Row) {
	for i := range rows {
		if rows[i].Op != Same {
			g.changed = true
		}
		g.rows = append(g.rows, rows[i])
	}
}

func (g *group) hide(thing string) {
	if g.hidden > 0 {
		g.rows = append(g.rows, hiddenRow(g.hidden, thing))
		g.hidden = 0
	}
}

func hiddenRow(n int, thing string) Row {
	return Row{Op: Same, Form: Hidden, After: plural(n, "unchanged "+thing) + " hidden"}
}

// object compares two objects of a block's type. Attributes named in keys are shown even when they
// are as they were, and so is everything with all.
func (d *differ) object(b *schema.Block, keys []string, before, after cty.Value, at *trail, all bool) group {
	top := d.depth == 0
	d.depth++
	defer func() { d.depth-- }()
	l := d.layout(b)
	g := group{rows: make([]Row, 0, min(len(l.attributes), 16))}
	creating, deleting := absent(before), absent(after)
	for _, a := range l.attributes {
		x, y := attribute(before, a.Name, a.Type), attribute(after, a.Name, a.Type)
		at := at.kid(a.Name)
		if x == cty.NilVal && y == cty.NilVal && at == nil {
			continue
		}
		if top {
			d.unit(x, y)
		}
		if creating && !a.ReadOnly && at == nil && d.leftToServer(a.Name, y) {
			g.left++
			continue
		}
		if !d.verbose && at == nil && (deleting && isEmpty(x) || all && !creating && isEmpty(y)) {
			g.empty++
			continue
		}
		g.named(a.Name)
		switch {
		case a.WriteOnly && !creating && !deleting:
			d.writeOnly(&g, a, x, y, at, all)
		case x == cty.NilVal && y == cty.NilVal:
			d.untouched(&g, a, at)
		default:
			op := opOf(x, y)
			if op == Same && !all && at == nil && a.Name != "id" && !slices.Contains(keys, a.Name) {
				g.hidden++
				continue
			}
			g.add(d.entry(a.Name, op, x, y, at, all, secretText(a))...)
		}
	}
	g.hide("attribute")
	if g.left > 0 {
		g.rows = append(g.rows, Row{Op: Same, Form: Hidden, After: plural(g.left, "attribute") + " left to the server"})
	}
	if g.empty > 0 {
		g.rows = append(g.rows, Row{Op: Same, Form: Hidden, After: plural(g.empty, "empty attribute") + " hidden"})
	}
	for _, n := range l.blocks {
		x := attribute(before, n.Name, cty.DynamicPseudoType)
		y := attribute(after, n.Name, cty.DynamicPseudoType)
		if creating && d.leftToServer(n.Name, y) {
			continue
		}
		if top {
			d.unit(x, y)
		}
		d.nested(&g, n, x, y, at.kid(n.Name), all)
	}
	g.hide("block")
	return g
}

// secretText returns what stands in the place of the attribute's values, or "".
func secretText(a *schema.Attribute) string {
	switch {
	case a.Sensitive:
		return sensitiveText
	case a.WriteOnly:
		return writeOnlyText
	}
	return ""
}

// writeOnly adds what the plan says of an attribute that no server returns: only paths tell whether
// it changes.
func (d *differ) writeOnly(g *group, a *schema.Attribute, x, y cty.Value, at *trail, all bool) {
	text := secretText(a)
	if at == nil {
		switch {
		case x == cty.NilVal && y == cty.NilVal:
		case all:
			g.add(Row{Op: Same, Name: a.Name, Before: text, After: text})
		default:
			g.hidden++
		}
		return
	}
	if at.change != nil {
		g.add(annotate(Row{Op: pathOp(at.change), Name: a.Name, Before: text, After: text}, at.change))
		return
	}
	inner := group{}
	for _, key := range sortedKeys(at.kids) {
		if c := at.kids[key].said(); c != nil {
			name := d.elementName(key)
			inner.named(name)
			inner.add(annotate(Row{Op: pathOp(c), Name: name, Before: text, After: text}, c))
		}
	}
	op := Same
	if inner.changed {
		op = Change
	}
	g.add(Row{Op: op, Form: Object, Name: a.Name, Rows: inner.rows, Width: inner.width})
}

// untouched adds an attribute that has no value on either side and of which the plan speaks.
func (d *differ) untouched(g *group, a *schema.Attribute, at *trail) {
	c := at.said()
	if c == nil {
		return
	}
	text := secretText(a)
	if text == "" {
		text = d.literal(c.After)
	}
	g.add(annotate(Row{Op: pathOp(c), Name: a.Name, Before: text, After: text}, c))
}

func pathOp(c *engine.PathChange) Op {
	if c.Kind == engine.Uncompared || c.Kind == engine.Unmanaged {
		return Same
	}
	return Change
}

// annotate adds to a row what the plan says of its path.
func annotate(r Row, c *engine.PathChange) Row {
	if c == nil {
		return r
	}
	r.Replaces = c.Replaces
	switch c.Kind {
	case engine.Drift:
		r.Note = "changed on the server since the last apply"
	case engine.Both:
		r.Note = "changed on the server and in the configuration since the last apply"
	case engine.NewlyManaged:
		r.Note = "newly managed"
	case engine.Secret:
		r.Note = "not what was last applied"
	case engine.Uncompared:
		r.Note = "cannot be compared; written only with -rewrite-secrets"
	case engine.Unmanaged:
		r.Note = "no longer managed, stays as it is"
	}
	return r
}

// nested adds the rows of a nested block type.
func (d *differ) nested(g *group, n *schema.NestedBlock, x, y cty.Value, at *trail, all bool) {
	block := func(op Op, rows ...Row) {
		g.add(annotate(Row{Op: op, Form: Block, Name: n.Name, Rows: rows}, at.said()))
	}
	switch {
	case x == cty.NilVal && y == cty.NilVal:
		return
	case x != cty.NilVal && x.IsMarked() || y != cty.NilVal && y.IsMarked():
		if !all && at == nil && equal(x, y) {
			g.hidden++
			return
		}
		block(opOf(x, y), Row{Op: Same, Form: Hidden, After: "this block is sensitive, so it is not shown"})
		return
	case y != cty.NilVal && !y.IsKnown():
		op := Change
		if x == cty.NilVal || n.Nesting == schema.List && x.IsKnown() && x.LengthInt() == 0 {
			op = Add
		}
		g.add(annotate(Row{Op: op, Form: Block, Name: n.Name, After: unknownText}, at.said()))
		return
	case x != cty.NilVal && !x.IsKnown():
		x = cty.NilVal
	}
	one := func(x, y cty.Value, at *trail) {
		op := opOf(x, y)
		if !all && at == nil && op == Same {
			g.hidden++
			return
		}
		inner := d.object(&n.Block, n.Key, x, y, at, all)
		if op == Change && !inner.changed {
			op = Same
		}
		r := Row{Op: op, Form: Block, Name: n.Name, Rows: inner.rows, Width: inner.width}
		if at != nil {
			r = annotate(r, at.change)
		}
		g.add(r)
	}
	if n.Nesting == schema.Single {
		one(x, y, at)
		return
	}
	var old, want []cty.Value
	if x != cty.NilVal {
		old = x.AsValueSlice()
	}
	if y != cty.NilVal {
		want = y.AsValueSlice()
	}
	for _, pair := range pairBlocks(n, old, want) {
		x, y := cty.NilVal, cty.NilVal
		var to *trail
		if i := pair[0]; i >= 0 {
			x = old[i]
		}
		if j := pair[1]; j >= 0 {
			y = want[j]
		}
		switch {
		case at == nil:
		case len(n.Key) == 0:
			to = at.element(pair[0], pair[1])
		default:
			known := y
			if known == cty.NilVal {
				known = x
			}
			if key, ok := blockKey(n, known); ok {
				to = at.kid(key)
			}
		}
		one(x, y, to)
	}
}

// pairBlocks matches the elements of a list block by their key, or by position without one. The
// pairs are in the order of the first, then of what only the second has; -1 stands for none.
func pairBlocks(n *schema.NestedBlock, a, b []cty.Value) [][2]int {
	var pairs [][2]int
	if len(n.Key) == 0 {
		for i := range max(len(a), len(b)) {
			pair := [2]int{i, i}
			if i >= len(a) {
				pair[0] = -1
			}
			if i >= len(b) {
				pair[1] = -1
			}
			pairs = append(pairs, pair)
		}
		return pairs
	}
	free := map[string][]int{}
	for j := range b {
		if key, ok := blockKey(n, b[j]); ok {
			free[key] = append(free[key], j)
		}
	}
	taken := make([]bool, len(b))
	for i := range a {
		pair := [2]int{i, -1}
		if key, ok := blockKey(n, a[i]); ok && len(free[key]) > 0 {
			pair[1] = free[key][0]
			free[key] = free[key][1:]
			taken[pair[1]] = true
		}
		pairs = append(pairs, pair)
	}
	for j := range b {
		if !taken[j] {
			pairs = append(pairs, [2]int{-1, j})
		}
	}
	return pairs
}
