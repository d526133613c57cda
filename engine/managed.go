package engine

import (
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// A leaf is one managed path with its wanted value in normal form, unmarked and known. Presence
// marks of blocks are leaves whose value is true.
type leaf struct {
	path      string
	value     cty.Value
	sensitive bool // by the configuration, not by the schema
}

// leaves returns the managed paths of a wanted value, and for blocks a leaf that says that they are
// there. Unknown values are left out. A list block type is managed when it has elements, or was
// managed before, by a fingerprint in former.
func leaves(t *schema.Type, wanted cty.Value, former map[string]string) []leaf {
	var out []leaf
	var walk func(b *schema.Block, at cty.Path, v cty.Value, sensitive bool)
	add := func(a *schema.Attribute, path cty.Path, v cty.Value, sensitive bool) {
		u, marks := v.UnmarkDeep()
		if u.IsWhollyKnown() && !u.IsNull() {
			out = append(out, leaf{schema.PathString(path), a.Normal(u),
				!a.Sensitive && (sensitive || len(marks) > 0)})
		}
	}
	present := func(path cty.Path) {
		out = append(out, leaf{path: schema.PathString(path), value: cty.True})
	}
	walk = func(b *schema.Block, at cty.Path, v cty.Value, sensitive bool) {
		v, marks := v.Unmark()
		sensitive = sensitive || len(marks) > 0
		attrs := v.AsValueMap()
		for i := range b.Attributes {
			a := &b.Attributes[i]
			if a.ReadOnly {
				continue
			}
			path := attrPath(at, a.Name)
			if !a.PerKey {
				add(a, path, attrs[a.Name], sensitive)
				continue
			}
			m, mm := attrs[a.Name].Unmark()
			if !m.IsKnown() || m.IsNull() {
				continue
			}
			elem := *a
			elem.Type = a.Type.ElementType()
			for key, x := range m.AsValueMap() {
				add(&elem, indexPath(path, cty.StringVal(key)), x, sensitive || len(mm) > 0)
			}
		}
		for i := range b.Blocks {
			n := &b.Blocks[i]
			path := attrPath(at, n.Name)
			x, xm := attrs[n.Name].Unmark()
			if !x.IsKnown() || yields(n, v) {
				continue
			}
			inner := sensitive || len(xm) > 0
			_, before := former[schema.PathString(path)]
			if n.Nesting == schema.Single {
				if !x.IsNull() {
					present(path)
					walk(&n.Block, path, x, inner)
				} else if before {
					present(path)
				}
				continue
			}
			if x.LengthInt() == 0 {
				if before {
					present(path)
				}
				continue
			}
			present(path)
			for j, elem := range x.AsValueSlice() {
				if key, ok := elementKey(n, j, elem); ok {
					at := indexPath(path, key)
					present(at)
					walk(&n.Block, at, elem, inner)
				}
			}
		}
	}
	walk(&t.Block, nil, wanted, false)
	return out
}

// fingerprints returns the fingerprints of what was applied: of each managed path of wanted. Paths
// in keep (not written, such as secrets that cannot be compared and ignored changes) hold their
// former one, if any.
func fingerprints(k *Keys, t *schema.Type, id string, wanted cty.Value, former map[string]string, keep func(path string) bool) map[string]string {
	out := map[string]string{}
	for _, l := range leaves(t, wanted, former) {
		if keep != nil && keep(l.path) {
			if f, ok := former[l.path]; ok {
				out[l.path] = f
			}
			continue
		}
		out[l.path] = k.Fingerprint(t.Name, id, l.path, l.value)
		if l.sensitive {
			out[l.path] += sensitiveSuffix
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// sensitiveSuffix ends the fingerprint of a path whose value was sensitive when it was applied, so
// that the live value stays masked also when the configuration does not say so any more.
const sensitiveSuffix = ":sensitive"

// anySensitive reports whether one of the fingerprints is that of a sensitive value.
func anySensitive(fingerprints map[string]string) bool {
	for _, f := range fingerprints {
		if strings.HasSuffix(f, sensitiveSuffix) {
			return true
		}
	}
	return false
}

// markRecorded returns live, a value of the block's type, with what was sensitive when it was last
// applied marked so.
func markRecorded(b *schema.Block, live cty.Value, fingerprints map[string]string) cty.Value {
	sensitive := map[string]bool{}
	for path, f := range fingerprints {
		if strings.HasSuffix(f, sensitiveSuffix) {
			sensitive[path] = true
		}
	}
	if len(sensitive) == 0 {
		return live
	}
	var walk func(b *schema.Block, at cty.Path, v cty.Value) cty.Value
	walk = func(b *schema.Block, at cty.Path, v cty.Value) cty.Value {
		v, marks := v.Unmark()
		if v.IsNull() || !v.IsKnown() {
			return v.WithMarks(marks)
		}
		attrs := v.AsValueMap()
		for i := range b.Attributes {
			a := &b.Attributes[i]
			path := attrPath(at, a.Name)
			x := attrs[a.Name]
			if sensitive[schema.PathString(path)] && (x.IsMarked() || !x.IsNull()) {
				attrs[a.Name] = x.Mark(schema.Sensitive)
				continue
			}
			u, um := x.Unmark()
			if !a.PerKey || u.IsNull() || u.LengthInt() == 0 {
				continue
			}
			m := u.AsValueMap()
			for key := range m {
				if sensitive[schema.PathString(indexPath(path, cty.StringVal(key)))] {
					m[key] = m[key].Mark(schema.Sensitive)
				}
			}
			attrs[a.Name] = cty.MapVal(m).WithMarks(um)
		}
		for i := range b.Blocks {
			n := &b.Blocks[i]
			path := attrPath(at, n.Name)
			x, xm := attrs[n.Name].Unmark()
			switch {
			case x.IsNull():
				continue
			case n.Nesting == schema.Single:
				attrs[n.Name] = walk(&n.Block, path, x).WithMarks(xm)
			case x.LengthInt() > 0:
				elems := x.AsValueSlice()
				for j := range elems {
					if key, ok := elementKey(n, j, elems[j]); ok {
						elems[j] = walk(&n.Block, indexPath(path, key), elems[j])
					}
				}
				attrs[n.Name] = cty.ListVal(elems).WithMarks(xm)
			}
		}
		return cty.ObjectVal(attrs).WithMarks(marks)
	}
	return walk(b, nil, live)
}

// notWritten returns the predicate of the paths that a change does not write.
func notWritten(paths []PathChange, ignore []cty.Path, ignoreAll bool) func(string) bool {
	skip := map[string]bool{}
	for i := range paths {
		if paths[i].Kind == Uncompared {
			skip[schema.PathString(paths[i].Path)] = true
		}
	}
	var prefixes []string
	for _, p := range ignore {
		prefixes = append(prefixes, schema.PathString(p))
	}
	return func(path string) bool {
		if ignoreAll || skip[path] {
			return true
		}
		return slices.ContainsFunc(prefixes, func(p string) bool {
			rest, ok := strings.CutPrefix(path, p)
			return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
		})
	}
}

// keyOf returns the key attributes of a value as JSON texts by name, and whether all are known.
func keyOf(t *schema.Type, v cty.Value) (map[string]string, bool) {
	if len(t.Key) == 0 || v == cty.NilVal {
		return nil, false
	}
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return nil, false
	}
	out := make(map[string]string, len(t.Key))
	for _, name := range t.Key {
		x, _ := v.GetAttr(name).UnmarkDeep()
		if !x.IsWhollyKnown() {
			return nil, false
		}
		if a := t.Attribute(name); a != nil && !x.IsNull() {
			x = a.Normal(x)
		}
		out[name] = jsonText(x)
	}
	return out, true
}

// keyString joins what keyOf returns into one string, for maps.
func keyString(t *schema.Type, key map[string]string) string {
	var s strings.Builder
	for _, name := range t.Key {
		s.WriteString(key[name])
		s.WriteByte('\n')
	}
	return s.String()
}

// keyPhrase names a key for people: `name "is7"`, `user_store "PRIMARY", user_name "ann"`.
func keyPhrase(t *schema.Type, key map[string]string) string {
	var parts []string
	for _, name := range t.Key {
		parts = append(parts, name+" "+key[name])
	}
	return strings.Join(parts, ", ")
}

// keyValue turns the key of an intent back into a value of the type with the key attributes only.
func keyValue(t *schema.Type, key map[string]string) (cty.Value, error) {
	attrs := map[string]cty.Value{}
	for _, name := range t.Key {
		a := t.Attribute(name)
		v, err := unjson(key[name], a.Type)
		if err != nil {
			return cty.NilVal, err
		}
		attrs[name] = v
	}
	return t.Object(attrs), nil
}
