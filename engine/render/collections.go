package render

import (
	"slices"
	"strconv"

	"github.com/zclconf/go-cty/cty"
)

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
