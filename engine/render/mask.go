package render

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"wso2plan/config/schema"
)

// marked reports whether v or anything inside it is marked, by whatever mark.
func marked(v cty.Value) bool {
	if v == cty.NilVal {
		return false
	}
	if v.IsMarked() {
		return true
	}
	t := v.Type()
	// A set holds no marked elements: cty lifts their marks to the set.
	if t.IsPrimitiveType() || t.IsSetType() || t.IsCapsuleType() || v.IsNull() || !v.IsKnown() {
		return false
	}
	for it := v.ElementIterator(); it.Next(); {
		if _, x := it.Element(); marked(x) {
			return true
		}
	}
	return false
}

// absent reports whether v stands for nothing.
func absent(v cty.Value) bool { return v == cty.NilVal || v.IsNull() }

// equal reports whether two values are the same but for marks; an absent one equals only itself.
func equal(a, b cty.Value) bool {
	if a == cty.NilVal || b == cty.NilVal {
		return a == cty.NilVal && b == cty.NilVal
	}
	if same, ok := equalAtOnce(a, b); ok {
		return same
	}
	if a.RawEquals(b) {
		return true
	}
	if !marked(a) && !marked(b) {
		return false
	}
	a, _ = a.UnmarkDeep()
	b, _ = b.UnmarkDeep()
	return a.RawEquals(b)
}

// equalAtOnce compares two strings or two bools, which most values are, and collections of unequal
// length; it is not ok for others.
func equalAtOnce(a, b cty.Value) (same, ok bool) {
	if a.IsMarked() || b.IsMarked() || a.IsNull() || b.IsNull() || !a.IsKnown() || !b.IsKnown() {
		return false, false
	}
	switch t, u := a.Type(), b.Type(); {
	case t == cty.String && u == cty.String:
		return a.AsString() == b.AsString(), true
	case t == cty.Bool && u == cty.Bool:
		return a.True() == b.True(), true
	case t.IsCollectionType() && u.IsCollectionType() && a.LengthInt() != b.LengthInt():
		return false, true
	}
	return false, false
}

// markedStrings returns every string that stands under a mark in values, map keys of marked maps
// too; nil when there is none.
func markedStrings(values ...cty.Value) map[string]bool {
	var out map[string]bool
	add := func(s string) {
		if s == "" {
			return
		}
		if out == nil {
			out = map[string]bool{}
		}
		out[s] = true
	}
	for _, v := range values {
		if marked(v) {
			eachMarked(v, false, func(s string, _ bool) { add(s) })
		}
	}
	return out
}

// eachMarked calls f with the text of each known scalar under a mark, and says whether it is a
// string.
func eachMarked(v cty.Value, under bool, f func(text string, isString bool)) {
	if v == cty.NilVal {
		return
	}
	under = under || v.IsMarked()
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return
	}
	t := v.Type()
	switch {
	case t == cty.String:
		if under {
			f(v.AsString(), true)
		}
	case t == cty.Number:
		if under {
			f(v.AsBigFloat().Text('f', -1), false)
		}
	case t.IsListType() || t.IsSetType() || t.IsTupleType():
		for it := v.ElementIterator(); it.Next(); {
			_, x := it.Element()
			eachMarked(x, under, f)
		}
	case t.IsMapType() || t.IsObjectType():
		for it := v.ElementIterator(); it.Next(); {
			k, x := it.Element()
			if under && t.IsMapType() {
				f(k.AsString(), true)
			}
			eachMarked(x, under, f)
		}
	}
}

// keyText returns a string, number or bool as text, anything else as JSON; "" for null. It is the
// form in which the engine's paths name block elements.
func keyText(v cty.Value) string {
	if v.IsNull() || !v.IsKnown() {
		return ""
	}
	switch v.Type() {
	case cty.String:
		return v.AsString()
	case cty.Number:
		return v.AsBigFloat().Text('f', -1)
	}
	text, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return v.GoString()
	}
	return string(text)
}

// An outline is a value as programs read it: what is secret or unknown is left out of it and told
// beside it.
type outline struct {
	value     any // nil, bool, json.Number, string, []any or map[string]any
	sensitive any // nil; true: all of it; a map or list: which of it
	unknown   any // likewise
}

// outline returns x as programs read it. peer is the other side of the change: what is marked there
// is masked here too.
func (d *differ) outline(x, peer cty.Value) outline {
	if x == cty.NilVal {
		return outline{}
	}
	if x.IsMarked() || peer != cty.NilVal && peer.IsMarked() {
		if x.IsNull() {
			return outline{}
		}
		return outline{value: sensitiveText, sensitive: true}
	}
	if !x.IsKnown() {
		return outline{unknown: true}
	}
	if x.IsNull() {
		return outline{}
	}
	t := x.Type()
	switch {
	case t == cty.String:
		if s := x.AsString(); !d.known[s] {
			return outline{value: s}
		}
		return outline{value: sensitiveText, sensitive: true}
	case t == cty.Number:
		return outline{value: json.Number(x.AsBigFloat().Text('f', -1))}
	case t == cty.Bool:
		return outline{value: x.True()}
	case t.IsListType() || t.IsSetType() || t.IsTupleType():
		var others []cty.Value
		if !t.IsSetType() && !absent(peer) && peer.IsKnown() && (peer.Type().IsListType() || peer.Type().IsTupleType()) {
			others = peer.AsValueSlice()
		}
		out := lists{}
		for i, e := range x.AsValueSlice() {
			other := cty.NilVal
			if i < len(others) {
				other = others[i]
			}
			out.add(d.outline(e, other))
		}
		return out.outline()
	case t.IsMapType() || t.IsObjectType():
		var others map[string]cty.Value
		if !absent(peer) && peer.IsKnown() && (peer.Type().IsMapType() || peer.Type().IsObjectType()) {
			others = peer.AsValueMap()
		}
		out := objects{value: make(map[string]any, x.LengthInt())}
		for name, e := range x.AsValueMap() {
			other, ok := others[name]
			if !ok {
				other = cty.NilVal
			}
			out.add(name, d.outline(e, other))
		}
		return out.outline()
	}
	return outline{value: "(" + t.FriendlyName() + ")"}
}

// outlineBlock is outline for an object of the block's type.
func (d *differ) outlineBlock(b *schema.Block, x, peer cty.Value) outline {
	if x == cty.NilVal || x.IsMarked() || x.IsNull() || !x.IsKnown() || peer != cty.NilVal && peer.IsMarked() {
		return d.outline(x, peer)
	}
	top := d.depth == 0
	d.depth++
	defer func() { d.depth-- }()
	out := objects{value: make(map[string]any, len(b.Attributes)+len(b.Blocks))}
	for _, a := range d.layout(b).attributes {
		v, other := attribute(x, a.Name, a.Type), attribute(peer, a.Name, a.Type)
		if top {
			d.unit(v, other)
		}
		switch {
		case v == cty.NilVal:
			out.add(a.Name, outline{})
		case a.Sensitive || a.WriteOnly:
			o := outline{value: sensitiveText, sensitive: true}
			if !v.IsKnown() {
				o = outline{sensitive: true, unknown: true}
			}
			out.add(a.Name, o)
		default:
			out.add(a.Name, d.outline(v, other))
		}
	}
	for _, n := range d.layout(b).blocks {
		v, other := attribute(x, n.Name, cty.DynamicPseudoType), attribute(peer, n.Name, cty.DynamicPseudoType)
		if top {
			d.unit(v, other)
		}
		switch {
		case v == cty.NilVal || v.IsMarked() || !v.IsKnown() || other != cty.NilVal && other.IsMarked():
			out.add(n.Name, d.outline(v, other))
		case n.Nesting == schema.Single:
			out.add(n.Name, d.outlineBlock(&n.Block, v, other))
		default:
			var elems, others []cty.Value
			elems = v.AsValueSlice()
			if other != cty.NilVal && other.IsKnown() {
				others = other.AsValueSlice()
			}
			l := lists{}
			for _, pair := range pairBlocks(n, elems, others) {
				if pair[0] < 0 {
					continue
				}
				o := cty.NilVal
				if pair[1] >= 0 {
					o = others[pair[1]]
				}
				l.add(d.outlineBlock(&n.Block, elems[pair[0]], o))
			}
			out.add(n.Name, l.outline())
		}
	}
	return out.outline()
}

// lists and objects collect the outlines of elements; sides that say nothing stay nil.
type lists struct{ value, sensitive, unknown []any }

func (l *lists) add(o outline) {
	l.value = append(l.value, o.value)
	l.sensitive = append(l.sensitive, o.sensitive)
	l.unknown = append(l.unknown, o.unknown)
}

func (l *lists) outline() outline {
	out := outline{value: l.value}
	if l.value == nil {
		out.value = []any{}
	}
	some := func(x any) bool { return x != nil }
	if slices.ContainsFunc(l.sensitive, some) {
		out.sensitive = l.sensitive
	}
	if slices.ContainsFunc(l.unknown, some) {
		out.unknown = l.unknown
	}
	return out
}

type objects struct{ value, sensitive, unknown map[string]any }

func (m *objects) add(name string, o outline) {
	m.value[name] = o.value
	put := func(to *map[string]any, x any) {
		if x == nil {
			return
		}
		if *to == nil {
			*to = map[string]any{}
		}
		(*to)[name] = x
	}
	put(&m.sensitive, o.sensitive)
	put(&m.unknown, o.unknown)
	if o.unknown == true {
		delete(m.value, name)
	}
}

func (m *objects) outline() outline {
	out := outline{value: m.value}
	if m.sensitive != nil {
		out.sensitive = m.sensitive
	}
	if m.unknown != nil {
		out.unknown = m.unknown
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
