package rest

import (
	"fmt"
	"sort"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// Equal reports whether two values of an attribute are the same in its normal form, marks aside. The
// normal form of a PerKey map is that of its elements.
func Equal(a *schema.Attribute, x, y cty.Value) bool {
	x, _ = x.UnmarkDeep()
	y, _ = y.UnmarkDeep()
	return normal(a, x).RawEquals(normal(a, y))
}

func normal(a *schema.Attribute, v cty.Value) cty.Value {
	if !a.PerKey || a.Normalize == nil || v.IsNull() || !v.IsKnown() || !v.Type().IsMapType() || v.LengthInt() == 0 {
		return a.Normal(v)
	}
	elems := v.AsValueMap()
	for key, x := range elems {
		elems[key] = a.Normal(x)
	}
	return cty.MapVal(elems)
}

// Moved returns an error that wraps engine.ErrMoved and names the attribute when something that
// the plan changes from live to planned no longer holds what live says, nor already what planned
// says, or in a set some of either. now is the object as it was read a moment ago.
func Moved(b *schema.Block, live, planned, now cty.Value) error {
	live, _ = live.UnmarkDeep()
	planned, _ = planned.UnmarkDeep()
	now, _ = now.UnmarkDeep()
	for i := range b.Attributes {
		a := &b.Attributes[i]
		if a.ReadOnly || a.WriteOnly {
			continue
		}
		l, p, n := attr(live, a.Name, a.Type), attr(planned, a.Name, a.Type), attr(now, a.Name, a.Type)
		if p.IsNull() {
			continue
		}
		if a.PerKey && p.IsKnown() {
			for it := p.ElementIterator(); it.Next(); {
				key, want := it.Element()
				had, has := index(l, key), index(n, key)
				if !Equal(a, want, had) && !Equal(a, has, had) && !Equal(a, has, want) {
					return moved(fmt.Sprintf("%s[%q]", a.Name, key.AsString()))
				}
			}
			if key, ok := removedKey(l, p, n); ok {
				return moved(fmt.Sprintf("%s[%q]", a.Name, key))
			}
			continue
		}
		if !Equal(a, p, l) && !Equal(a, n, l) && !Equal(a, n, p) && !onTheWay(a, l, p, n) {
			return moved(a.Name)
		}
	}
	for i := range b.Blocks {
		nb := &b.Blocks[i]
		l, p, n := normalBlocks(nb, attr(live, nb.Name, cty.DynamicPseudoType)),
			normalBlocks(nb, attr(planned, nb.Name, cty.DynamicPseudoType)),
			normalBlocks(nb, attr(now, nb.Name, cty.DynamicPseudoType))
		if !p.RawEquals(l) && !n.RawEquals(l) && !n.RawEquals(p) {
			return moved(nb.Name)
		}
	}
	return nil
}

// onTheWay reports whether now, a set, holds what live and planned have in common and nothing that
// neither has: some of what the plan adds or removes is done already. So it is after a deletion
// that cascades: a scope that its API loses is gone from roles and applications too.
func onTheWay(a *schema.Attribute, live, planned, now cty.Value) bool {
	if !a.Type.IsSetType() {
		return false
	}
	live, planned, now = normal(a, live), normal(a, planned), normal(a, now)
	for _, v := range []cty.Value{live, planned, now} {
		if v.IsNull() || !v.IsWhollyKnown() {
			return false
		}
	}
	for _, x := range now.AsValueSlice() {
		if live.HasElement(x).False() && planned.HasElement(x).False() {
			return false
		}
	}
	for _, x := range live.AsValueSlice() {
		if planned.HasElement(x).True() && now.HasElement(x).False() {
			return false
		}
	}
	return true
}

// removedKey returns a key that the plan removes and that holds something else now.
func removedKey(live, planned, now cty.Value) (string, bool) {
	if live.IsNull() || !live.IsKnown() {
		return "", false
	}
	for it := live.ElementIterator(); it.Next(); {
		key, had := it.Element()
		if has := index(now, key); !planned.HasIndex(key).True() && !has.IsNull() && !has.RawEquals(had) {
			return key.AsString(), true
		}
	}
	return "", false
}

func moved(name string) error {
	return fmt.Errorf("%s was %w: plan again", name, engine.ErrMoved)
}

func index(m, key cty.Value) cty.Value {
	if m.IsNull() || !m.IsKnown() || !m.HasIndex(key).True() {
		return cty.NullVal(cty.String)
	}
	return m.Index(key)
}

// normalBlocks returns a nested block's value in the form in which two of them are compared:
// attributes normalised, ReadOnly and WriteOnly ones null, keyed elements sorted.
func normalBlocks(n *schema.NestedBlock, v cty.Value) cty.Value {
	if v.IsNull() || !v.IsKnown() {
		return v
	}
	if n.Nesting == schema.Single {
		return normalBlock(&n.Block, v)
	}
	if v.LengthInt() == 0 {
		return v
	}
	elems := v.AsValueSlice()
	for i := range elems {
		elems[i] = normalBlock(&n.Block, elems[i])
	}
	if len(n.Key) > 0 {
		keys := func(v cty.Value) (s string) {
			for _, name := range n.Key {
				s += attr(v, name, cty.String).GoString() + "\x00"
			}
			return s
		}
		sort.SliceStable(elems, func(i, j int) bool { return keys(elems[i]) < keys(elems[j]) })
	}
	return cty.TupleVal(elems)
}

func normalBlock(b *schema.Block, v cty.Value) cty.Value {
	if v.IsNull() || !v.IsKnown() {
		return v
	}
	attrs := v.AsValueMap()
	for i := range b.Attributes {
		a := &b.Attributes[i]
		if a.ReadOnly || a.WriteOnly {
			attrs[a.Name] = cty.NullVal(a.Type)
		} else {
			attrs[a.Name] = normal(a, attrs[a.Name])
		}
	}
	for i := range b.Blocks {
		attrs[b.Blocks[i].Name] = normalBlocks(&b.Blocks[i], attrs[b.Blocks[i].Name])
	}
	return cty.ObjectVal(attrs)
}

// Different returns the names of attributes and blocks in which got, what a server holds, is not what
// planned says. ReadOnly and WriteOnly ones, and what planned leaves open, are not looked at.
func Different(b *schema.Block, planned, got cty.Value) []string {
	planned, _ = planned.Unmark()
	got, _ = got.Unmark()
	var names []string
	for i := range b.Attributes {
		a := &b.Attributes[i]
		if a.ReadOnly || a.WriteOnly {
			continue
		}
		want := attr(planned, a.Name, a.Type)
		if want.IsNull() || !want.IsWhollyKnown() {
			continue
		}
		want, _ = want.UnmarkDeep()
		has, _ := attr(got, a.Name, a.Type).UnmarkDeep()
		if !a.PerKey {
			if !Equal(a, want, has) {
				names = append(names, a.Name)
			}
			continue
		}
		for it := want.ElementIterator(); it.Next(); {
			key, x := it.Element()
			if !Equal(a, index(has, key), x) {
				names = append(names, fmt.Sprintf("%s[%q]", a.Name, key.AsString()))
			}
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		want := attr(planned, n.Name, cty.DynamicPseudoType)
		if want.IsNull() || !want.IsWhollyKnown() {
			continue
		}
		want, _ = want.UnmarkDeep()
		has, _ := attr(got, n.Name, cty.DynamicPseudoType).UnmarkDeep()
		if !normalBlocks(n, want).RawEquals(normalBlocks(n, has)) {
			names = append(names, n.Name)
		}
	}
	return names
}
