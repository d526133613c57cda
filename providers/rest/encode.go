package rest

import (
	"encoding/json"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// Mask is what both products show in place of a stored secret.
const Mask = "*****"

// Encode turns a value of the block's type into the object that a create sends: attributes and
// blocks that are null or unknown, and ReadOnly ones, are left out, and so are empty lists of nested
// blocks. Marks are taken off: this is where a secret leaves for the server.
func Encode(b *schema.Block, v cty.Value) map[string]any {
	v, _ = v.Unmark()
	body := map[string]any{}
	for i := range b.Attributes {
		a := &b.Attributes[i]
		if a.ReadOnly || a.JSONName() == "-" {
			continue
		}
		if x := attr(v, a.Name, a.Type); !x.IsNull() && x.IsWhollyKnown() {
			setMember(body, a.JSONName(), EncodeValue(x))
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		x, _ := attr(v, n.Name, cty.DynamicPseudoType).Unmark()
		if n.JSONName() == "-" || x.IsNull() || !x.IsKnown() {
			continue
		}
		if n.Nesting == schema.Single {
			setMember(body, n.JSONName(), Encode(&n.Block, x))
		} else if x.LengthInt() > 0 {
			setMember(body, n.JSONName(), encodeElements(n, x))
		}
	}
	return body
}

func encodeElements(n *schema.NestedBlock, v cty.Value) []any {
	list := make([]any, 0, v.LengthInt())
	for _, x := range v.AsValueSlice() {
		list = append(list, Encode(&n.Block, x))
	}
	return list
}

// EncodeValue turns a wholly known value into what encoding/json writes. Numbers keep every digit;
// sets come in cty's order, so that equal values give equal bytes.
func EncodeValue(v cty.Value) any {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return nil
	}
	t := v.Type()
	switch {
	case t == cty.String:
		return v.AsString()
	case t == cty.Bool:
		return v.True()
	case t == cty.Number:
		return json.Number(v.AsBigFloat().Text('f', -1))
	case t.IsMapType() || t.IsObjectType():
		m := make(map[string]any, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			key, x := it.Element()
			name := key.AsString()
			if t.IsObjectType() {
				name = schema.CamelCase(name)
			}
			m[name] = EncodeValue(x)
		}
		return m
	}
	list := make([]any, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, x := it.Element()
		list = append(list, EncodeValue(x))
	}
	return list
}

// Overlay changes body, the object as the server returned it, to what planned says: only paths
// whose planned value differs from live's in normal form are touched, so that members that the
// tables do not know, and the server's own spelling of the rest, go back as they came. live is the
// value that body decodes to. A WriteOnly attribute that is null keeps its stored secret by its Keep.
func Overlay(b *schema.Block, body map[string]any, live, planned cty.Value) {
	live, _ = live.UnmarkDeep()
	planned, _ = planned.UnmarkDeep()
	for i := range b.Attributes {
		a := &b.Attributes[i]
		name := a.JSONName()
		if a.ReadOnly || name == "-" {
			continue
		}
		want, have := attr(planned, a.Name, a.Type), attr(live, a.Name, a.Type)
		known := !want.IsNull() && want.IsWhollyKnown()
		switch {
		case a.WriteOnly && known:
			setMember(body, name, EncodeValue(want))
		case a.WriteOnly:
			keep(body, a)
		case !known || Equal(a, want, have):
		case a.PerKey:
			overlayKeys(body, name, want)
		default:
			setMember(body, name, EncodeValue(want))
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		if n.JSONName() == "-" {
			continue
		}
		want := attr(planned, n.Name, cty.DynamicPseudoType)
		have := attr(live, n.Name, cty.DynamicPseudoType)
		if n.Nesting == schema.Single {
			overlaySingle(n, body, have, want)
		} else if want.IsKnown() && !want.IsNull() {
			overlayElements(n, body, have, want)
		}
	}
}

// keep leaves in body what makes the server keep a stored secret.
func keep(body map[string]any, a *schema.Attribute) {
	name := a.JSONName()
	switch a.Keep {
	case schema.KeepMask:
		if member(body, name) != nil {
			setMember(body, name, Mask)
		}
	case schema.KeepBlank:
		setMember(body, name, "")
	default:
		dropMember(body, name)
	}
}

// overlayKeys sets the keys of a PerKey map; keys of others stay, and a null removes its key.
func overlayKeys(body map[string]any, name string, want cty.Value) {
	m, _ := member(body, name).(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	for it := want.ElementIterator(); it.Next(); {
		key, x := it.Element()
		if x.IsNull() {
			delete(m, key.AsString())
			continue
		}
		// What holds the value already keeps the server's spelling: 3600 is not made "3600".
		if old, err := decodeValue(x.Type(), m[key.AsString()]); err != nil || !old.RawEquals(x) {
			m[key.AsString()] = EncodeValue(x)
		}
	}
	setMember(body, name, m)
}

func overlaySingle(n *schema.NestedBlock, body map[string]any, have, want cty.Value) {
	name := n.JSONName()
	switch {
	case !want.IsKnown():
	case want.IsNull():
		if !have.IsNull() {
			dropMember(body, name)
		}
	default:
		inner, _ := member(body, name).(map[string]any)
		if inner == nil {
			inner = map[string]any{}
		}
		Overlay(&n.Block, inner, have, want)
		setMember(body, name, inner)
	}
}

// overlayElements puts wanted elements over the server's, matched by Key so that members that the
// tables do not know stay with their element. Without a Key an element keeps them only when it
// is the same as before at its place.
func overlayElements(n *schema.NestedBlock, body map[string]any, have, want cty.Value) {
	raw, _ := member(body, n.JSONName()).([]any)
	var old []cty.Value
	if !have.IsNull() && have.IsKnown() {
		old = have.AsValueSlice()
	}
	if len(old) != len(raw) {
		old, raw = nil, nil // have is not what body decodes to; nothing can be matched
	}
	used := make([]bool, len(old))
	list := make([]any, 0, want.LengthInt())
	changed := want.LengthInt() != len(old)
	for i, x := range want.AsValueSlice() {
		at := -1
		switch {
		case len(n.Key) > 0:
			for j := range old {
				if !used[j] && sameKey(n, old[j], x) {
					at = j
					break
				}
			}
		case i < len(old) && normalBlock(&n.Block, old[i]).RawEquals(normalBlock(&n.Block, x)):
			at = i
		}
		inner, ok := map[string]any(nil), false
		if at >= 0 {
			used[at] = true
			inner, ok = raw[at].(map[string]any)
		}
		if !ok {
			changed = true
			list = append(list, Encode(&n.Block, x))
			continue
		}
		Overlay(&n.Block, inner, old[at], x)
		list = append(list, inner)
	}
	if !changed && len(list) == 0 {
		return
	}
	setMember(body, n.JSONName(), list)
}

func sameKey(n *schema.NestedBlock, x, y cty.Value) bool {
	for _, name := range n.Key {
		a := n.Block.Attribute(name)
		if !Equal(a, attr(x, name, a.Type), attr(y, name, a.Type)) {
			return false
		}
	}
	return true
}

// attr returns an attribute of an object, a null of type t when the object is null or unknown.
func attr(v cty.Value, name string, t cty.Type) cty.Value {
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() || !v.Type().HasAttribute(name) {
		return cty.NullVal(t)
	}
	return v.GetAttr(name)
}
