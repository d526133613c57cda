package render

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// A differ turns two values of one object into rows. It is used for one object after the other.
type differ struct {
	verbose bool
	layouts map[*schema.Block]*layout
	depth   int             // of blocks
	known   map[string]bool // the secrets of the attribute or block at hand, on either side
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
	for _, n := range l.blocks {
		x := attribute(before, n.Name, cty.DynamicPseudoType)
		y := attribute(after, n.Name, cty.DynamicPseudoType)
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

func opOf(a, b cty.Value) Op {
	switch {
	case a == cty.NilVal:
		return Add
	case b == cty.NilVal:
		return Remove
	case equal(a, b):
		return Same
	}
	return Change
}

// entry returns the row of one value, or two when it becomes of another kind. cty.NilVal is a side
// that has none; null is the value. op is opOf(a, b), which callers know. secret, if not "", stands
// in the place of both.
func (d *differ) entry(name string, op Op, a, b cty.Value, at *trail, all bool, secret string) []Row {
	if a != cty.NilVal && !a.IsKnown() && b == cty.NilVal {
		return nil
	}
	if secret == "" && (a != cty.NilVal && a.IsMarked() || b != cty.NilVal && b.IsMarked() || at.masked()) {
		secret = sensitiveText
	}
	if secret != "" {
		r := Row{Op: op, Name: name, Before: secret, After: secret}
		if r.Op == Same && at != nil && at.change != nil {
			r.Op = pathOp(at.change)
		}
		return []Row{annotate(r, at.said())}
	}
	if a != cty.NilVal && !a.IsKnown() {
		a, op = cty.NilVal, Add
	}
	if b != cty.NilVal && !b.IsKnown() {
		if a == cty.NilVal {
			return []Row{annotate(Row{Op: Add, Name: name, After: unknownText}, at.said())}
		}
		r := d.one(name, Remove, a, cty.NilVal, nil, all)
		r.Op, r.After = Change, unknownText
		return []Row{annotate(r, at.said())}
	}
	if a != cty.NilVal && b != cty.NilVal && kindOf(a) != kindOf(b) {
		switch {
		case a.IsNull():
			a, op = cty.NilVal, Add
		case b.IsNull():
			b, op = cty.NilVal, Remove
		default:
			return []Row{d.one(name, Remove, a, cty.NilVal, nil, all), annotate(d.one(name, Add, cty.NilVal, b, nil, all), at.said())}
		}
	}
	r := d.one(name, op, a, b, at, all)
	if len(r.Rows) == 0 || r.Form == Lines || r.Form == Encoded {
		return []Row{annotate(r, at.said())}
	}
	if at != nil && at.change != nil {
		r = annotate(r, at.change)
	}
	return []Row{r}
}

type kind byte

const (
	scalarKind kind = iota
	listKind
	setKind
	mapKind
)

func kindOf(v cty.Value) kind {
	t := v.Type()
	switch {
	case v.IsNull():
		return scalarKind
	case t.IsListType() || t.IsTupleType():
		return listKind
	case t.IsSetType():
		return setKind
	case t.IsMapType() || t.IsObjectType():
		return mapKind
	}
	return scalarKind
}

// one returns the row of values of one kind, at most one of them cty.NilVal.
func (d *differ) one(name string, op Op, a, b cty.Value, at *trail, all bool) Row {
	v := b
	if v == cty.NilVal {
		v = a
	}
	var r Row
	switch kindOf(v) {
	case listKind:
		r = d.list(op, a, b, at, all)
	case setKind:
		r = d.set(op, a, b, all)
	case mapKind:
		r = d.attributes(op, a, b, at, all)
	default:
		r = d.scalar(op, a, b, all)
	}
	r.Name = name
	return r
}

func (d *differ) scalar(op Op, a, b cty.Value, all bool) Row {
	r := Row{Op: op}
	if a != cty.NilVal {
		r.Before = d.literal(a)
	}
	if b != cty.NilVal {
		r.After = d.literal(b)
	}
	x, isX := text(a)
	y, isY := text(b)
	if !isX && !isY || d.known[x] || d.known[y] {
		return r
	}
	if j, ok := d.json(op, a, b, x, y, all); ok {
		return j
	}
	if !strings.Contains(x, "\n") && !strings.Contains(y, "\n") || isX != isY && a != cty.NilVal && b != cty.NilVal {
		return r
	}
	r = Row{Op: op, Form: Lines}
	if op == Change {
		r.Rows = d.lines(x, y)
		if !slices.ContainsFunc(r.Rows, func(r Row) bool { return r.Op != Same }) {
			r.Note = "only the last line break differs"
		}
		return r
	}
	if op == Remove {
		y = x
	}
	for _, line := range splitLines(y) {
		r.Rows = append(r.Rows, Row{Op: Same, After: printable(line, false)})
	}
	return r
}

// text returns the string of v, if it is one.
func text(v cty.Value) (string, bool) {
	if absent(v) || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}

func splitLines(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }

// around is how many unchanged lines are shown on each side of a changed one.
const around = 3

func (d *differ) lines(x, y string) []Row {
	old, want := splitLines(x), splitLines(y)
	pairs := align(len(old), len(want), func(i, j int) bool { return old[i] == want[j] })
	rows := make([]Row, 0, len(pairs))
	for _, p := range pairs {
		switch {
		case p[1] < 0:
			rows = append(rows, Row{Op: Remove, Before: printable(old[p[0]], false)})
		case p[0] < 0:
			rows = append(rows, Row{Op: Add, After: printable(want[p[1]], false)})
		default:
			rows = append(rows, Row{Op: Same, After: printable(want[p[1]], false)})
		}
	}
	if d.verbose {
		return rows
	}
	return context(rows, around, "line", 2)
}

// context leaves of unchanged rows those that stand within n of a changed one, and counts the
// others, if there are at least few in a run.
func context(rows []Row, n int, thing string, few int) []Row {
	near := make([]bool, len(rows))
	for i := range rows {
		if rows[i].Op != Same {
			for j := max(0, i-n); j <= min(len(rows)-1, i+n); j++ {
				near[j] = true
			}
		}
	}
	out := make([]Row, 0, len(rows))
	for i := 0; i < len(rows); {
		end := i
		for end < len(rows) && !near[end] {
			end++
		}
		switch {
		case end == i:
			out = append(out, rows[i])
			i++
			continue
		case end-i < few:
			out = append(out, rows[i:end]...)
		default:
			out = append(out, hiddenRow(end-i, thing))
		}
		i = end
	}
	return out
}

// json returns the row of strings that hold JSON objects or arrays.
func (d *differ) json(op Op, a, b cty.Value, x, y string, all bool) (Row, bool) {
	v, okX := parseJSON(x)
	w, okY := parseJSON(y)
	if a != cty.NilVal && !okX || b != cty.NilVal && !okY || !okX && !okY {
		return Row{}, false
	}
	if kindOf(v) != kindOf(w) && okX && okY {
		return Row{}, false
	}
	inner := d.one("", opOf(v, w), v, w, nil, all || op == Same)
	r := Row{Op: op, Form: Encoded, Rows: []Row{inner}}
	if op == Change && inner.Op == Same {
		r.Rows = []Row{d.one("", Same, v, w, nil, true)}
		r.Note = "only its formatting changes"
	}
	return r, true
}

func parseJSON(s string) (cty.Value, bool) {
	t := strings.TrimLeft(s, " \t\r\n")
	if t == "" || t[0] != '{' && t[0] != '[' || !json.Valid([]byte(t)) {
		return cty.NilVal, false
	}
	typ, err := ctyjson.ImpliedType([]byte(t))
	if err != nil {
		return cty.NilVal, false
	}
	v, err := ctyjson.Unmarshal([]byte(t), typ)
	return v, err == nil
}

// literal returns a scalar as it is written in configuration, masked where it is a secret.
func (d *differ) literal(v cty.Value) string {
	switch {
	case v == cty.NilVal:
		return "null"
	case marked(v):
		return sensitiveText
	case v.IsNull():
		return "null"
	case !v.IsKnown():
		return unknownText
	}
	switch t := v.Type(); t {
	case cty.String:
		s := v.AsString()
		if d.known[s] {
			return sensitiveText
		}
		return strconv.Quote(s)
	case cty.Number:
		return v.AsBigFloat().Text('f', -1)
	case cty.Bool:
		if v.True() {
			return "true"
		}
		return "false"
	default:
		return "(" + t.FriendlyName() + ")"
	}
}

// elementName returns a map key or attribute name as it is written before "=".
func (d *differ) elementName(key string) string {
	if d.known[key] {
		return sensitiveText
	}
	if hclsyntax.ValidIdentifier(key) {
		return key
	}
	return strconv.Quote(key)
}

// attributes compares maps or objects.
func (d *differ) attributes(op Op, a, b cty.Value, at *trail, all bool) Row {
	var x, y map[string]cty.Value
	thing := "attribute"
	for _, v := range []cty.Value{a, b} {
		if v != cty.NilVal && v.Type().IsMapType() {
			thing = "element"
		}
	}
	if a != cty.NilVal {
		x = a.AsValueMap()
	}
	if b != cty.NilVal {
		y = b.AsValueMap()
	}
	keys := sortedKeys(x)
	for key := range y {
		if _, ok := x[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	g := group{}
	for _, key := range keys {
		v, w := x[key], y[key] // the zero Value is cty.NilVal
		to := at.kid(key)
		name := d.elementName(key)
		g.named(name)
		inner := opOf(v, w)
		if !all && to == nil && op == Change && inner == Same {
			g.hidden++
			continue
		}
		g.add(d.entry(name, inner, v, w, to, all || op == Same, "")...)
	}
	g.hide(thing)
	return Row{Op: op, Form: Object, Rows: g.rows, Width: g.width}
}

// list compares lists or tuples, element by element.
func (d *differ) list(op Op, a, b cty.Value, at *trail, all bool) Row {
	var x, y []cty.Value
	tuple := false
	if a != cty.NilVal {
		x = a.AsValueSlice()
		tuple = a.Type().IsTupleType()
	}
	if b != cty.NilVal {
		y = b.AsValueSlice()
		tuple = tuple || b.Type().IsTupleType()
	}
	ids := interning{}
	left, right := ids.all(x), ids.all(y)
	pairs := align(len(x), len(y), func(i, j int) bool { return left[i] == right[j] })
	if tuple || slices.ContainsFunc(append(x, y...), func(v cty.Value) bool { return !v.IsMarked() && v.IsKnown() && kindOf(v) != scalarKind }) {
		pairs = joinGaps(pairs)
	}
	rows := make([]Row, 0, len(pairs))
	for _, p := range pairs {
		v, w := cty.NilVal, cty.NilVal
		if p[0] >= 0 {
			v = x[p[0]]
		}
		if p[1] >= 0 {
			w = y[p[1]]
		}
		inner := opOf(v, w)
		rows = append(rows, d.entry("", inner, v, w, at.element(p[0], p[1]), all || inner == Same, "")...)
	}
	if op == Change && !all {
		rows = context(rows, 1, "element", 1)
	}
	return Row{Op: op, Form: List, Rows: rows}
}

// set compares sets: what is in both is hidden.
func (d *differ) set(op Op, a, b cty.Value, all bool) Row {
	var x, y []cty.Value
	if a != cty.NilVal {
		x = a.AsValueSlice()
	}
	if b != cty.NilVal {
		y = b.AsValueSlice()
	}
	ids := interning{}
	left, right := ids.all(x), ids.all(y)
	inX, inY := make(map[int]bool, len(x)), make(map[int]bool, len(y))
	for _, id := range left {
		inX[id] = true
	}
	for _, id := range right {
		inY[id] = true
	}
	g := group{}
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && !inY[left[i]]:
			g.add(d.entry("", Remove, x[i], cty.NilVal, nil, all, "")...)
			i++
		case j < len(y) && !inX[right[j]]:
			g.add(d.entry("", Add, cty.NilVal, y[j], nil, all, "")...)
			j++
		case j < len(y):
			// In both; sets of scalars are sorted, so the rows come out in order.
			if all || op == Same {
				g.add(d.entry("", Same, y[j], y[j], nil, true, "")...)
			} else {
				g.hidden++
			}
			i++
			j++
		default:
			i++
		}
	}
	g.hide("element")
	return Row{Op: op, Form: List, Rows: g.rows}
}

// interning gives equal values equal numbers.
type interning map[string]int

func (t interning) all(values []cty.Value) []int {
	out := make([]int, len(values))
	var b []byte
	for i, v := range values {
		b = appendKey(b[:0], v)
		id, ok := t[string(b)]
		if !ok {
			id = len(t)
			t[string(b)] = id
		}
		out[i] = id
	}
	return out
}

// appendKey appends a text that is equal for values that are equal but for marks, and only for
// them.
func appendKey(b []byte, v cty.Value) []byte {
	v, _ = v.Unmark()
	t := v.Type()
	switch {
	case v.IsNull():
		return append(b, 'n')
	case !v.IsKnown():
		return append(b, '?')
	case t == cty.String:
		return strconv.AppendQuote(b, v.AsString())
	case t == cty.Number:
		return v.AsBigFloat().Append(b, 'g', -1)
	case t == cty.Bool:
		return strconv.AppendBool(b, v.True())
	case t.IsCapsuleType():
		return append(b, v.GoString()...)
	}
	b = append(b, '[')
	for it := v.ElementIterator(); it.Next(); {
		k, x := it.Element()
		if t.IsMapType() || t.IsObjectType() {
			b = strconv.AppendQuote(b, k.AsString())
		}
		b = append(appendKey(b, x), ',')
	}
	return append(b, ']')
}
