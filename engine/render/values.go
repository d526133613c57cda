package render

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

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
