package rest

import (
	"maps"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// Removals returns planned with a null for each key of a PerKey map that live has and planned
// lacks: the plan removes it, and Overlay takes a null for that. Without it such a key could not be
// told from one that somebody added after the plan was made. Both values may hold marks.
func Removals(b *schema.Block, live, planned cty.Value) cty.Value {
	live, _ = live.UnmarkDeep()
	outer, outerMarks := planned.Unmark()
	if outer.IsNull() || !outer.IsKnown() || live.IsNull() {
		return planned
	}
	attrs := outer.AsValueMap()
	changed := false
	for i := range b.Attributes {
		a := &b.Attributes[i]
		if !a.PerKey || a.WriteOnly || a.ReadOnly {
			continue
		}
		have := attr(live, a.Name, a.Type)
		want, marks := attrs[a.Name].Unmark()
		if have.IsNull() || want.IsNull() || !want.IsKnown() {
			continue
		}
		elems := maps.Clone(want.AsValueMap())
		if elems == nil {
			elems = map[string]cty.Value{}
		}
		for it := have.ElementIterator(); it.Next(); {
			key, _ := it.Element()
			if _, ok := elems[key.AsString()]; !ok {
				elems[key.AsString()] = cty.NullVal(a.Type.ElementType())
				changed = true
			}
		}
		if len(elems) > 0 {
			attrs[a.Name] = cty.MapVal(elems).WithMarks(marks)
		}
	}
	if !changed {
		return planned
	}
	return cty.ObjectVal(attrs).WithMarks(outerMarks)
}
