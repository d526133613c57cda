package rest

import (
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// Rebase returns planned, which a plan made from live, as it is over now, the object as it was read
// a moment ago: what the plan leaves as it was keeps what it holds now, so that a PUT does not take
// back the edit that somebody made since. A key of a PerKey map that the plan removes comes as a
// null, which is what Overlay takes for that. Call Moved first. planned may hold marks; the result
// has none.
func Rebase(b *schema.Block, live, planned, now cty.Value) cty.Value {
	live, _ = live.UnmarkDeep()
	planned, _ = planned.UnmarkDeep()
	now, _ = now.UnmarkDeep()
	if planned.IsNull() || !planned.IsKnown() {
		return planned
	}
	attrs := planned.AsValueMap()
	for i := range b.Attributes {
		a := &b.Attributes[i]
		if a.WriteOnly {
			continue
		}
		l, p, n := attr(live, a.Name, a.Type), attr(planned, a.Name, a.Type), attr(now, a.Name, a.Type)
		switch {
		case a.PerKey && p.IsKnown() && !p.IsNull():
			attrs[a.Name] = rebaseKeys(a.Type.ElementType(), l, p, n)
		case Equal(a, p, l):
			attrs[a.Name] = n
		}
	}
	for i := range b.Blocks {
		nb := &b.Blocks[i]
		l, p := attr(live, nb.Name, cty.DynamicPseudoType), attr(planned, nb.Name, cty.DynamicPseudoType)
		n := attr(now, nb.Name, cty.DynamicPseudoType)
		if n.Type().Equals(p.Type()) && !writesOnly(&nb.Block, p) && normalBlocks(nb, p).RawEquals(normalBlocks(nb, l)) {
			attrs[nb.Name] = n
		}
	}
	return cty.ObjectVal(attrs)
}

// rebaseKeys returns the keys that the map has now, with those over them that the plan changes.
func rebaseKeys(et cty.Type, live, planned, now cty.Value) cty.Value {
	out := map[string]cty.Value{}
	if !now.IsNull() && now.IsKnown() {
		for it := now.ElementIterator(); it.Next(); {
			key, v := it.Element()
			out[key.AsString()] = v
		}
	}
	for it := planned.ElementIterator(); it.Next(); {
		key, v := it.Element()
		if !v.RawEquals(index(live, key)) {
			out[key.AsString()] = v
		}
	}
	if !live.IsNull() && live.IsKnown() {
		for it := live.ElementIterator(); it.Next(); {
			if key, _ := it.Element(); !planned.HasIndex(key).True() {
				out[key.AsString()] = cty.NullVal(et)
			}
		}
	}
	if len(out) == 0 {
		return cty.MapValEmpty(et)
	}
	return cty.MapVal(out)
}

// writesOnly reports whether v, of a nested block, holds a WriteOnly value that is to be written.
func writesOnly(b *schema.Block, v cty.Value) bool {
	if v.IsNull() || !v.IsKnown() {
		return false
	}
	if !v.Type().IsObjectType() {
		for _, e := range v.AsValueSlice() {
			if writesOnly(b, e) {
				return true
			}
		}
		return false
	}
	for i := range b.Attributes {
		if a := &b.Attributes[i]; a.WriteOnly && !attr(v, a.Name, a.Type).IsNull() {
			return true
		}
	}
	for i := range b.Blocks {
		if writesOnly(&b.Blocks[i].Block, attr(v, b.Blocks[i].Name, cty.DynamicPseudoType)) {
			return true
		}
	}
	return false
}
