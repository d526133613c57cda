package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"wso2plan/config/schema"
)

// A comparison is the input of a diff. It is pure: no server is asked.
type comparison struct {
	typ    *schema.Type
	keys   *Keys
	record *Record   // nil when the object is not owned yet
	id     string    // of the live object
	live   cty.Value // of the schema's type, marked; cty.NilVal when there is none
	wanted cty.Value // the decoded block: defaults applied, marked, perhaps with unknowns

	// partial: wanted lacks attributes and blocks that are null and empty. It is then enough to know
	// that nothing differs; what is planned otherwise needs all of wanted.
	partial bool

	ignore    []cty.Path // ignore_changes
	ignoreAll bool

	upstream         bool // something that the block refers to changes in this plan
	upstreamReplaced bool // … is created or replaced
	rewriteSecrets   bool
}

// A difference is the outcome of a diff.
type difference struct {
	planned cty.Value // wanted over live
	asLive  bool      // it is live itself
	paths   []PathChange
	reason  string // why it must be replaced; "" when it need not
}

// replaces reports whether a path cannot be changed in place.
func (d *difference) replaces() bool { return d.reason != "" }

// changes reports whether a write is needed.
func (d *difference) changes() bool {
	return slices.ContainsFunc(d.paths, func(p PathChange) bool {
		return p.Kind != Uncompared && p.Kind != Unmanaged
	})
}

// diff compares what is live with what is wanted, path by path, by the table of Kind.
func diff(c *comparison) difference {
	if c.live == cty.NilVal || c.live.IsNull() {
		return difference{planned: fresh(&c.typ.Block, c.wanted)}
	}
	d := &differ{comparison: c}
	if c.record != nil {
		d.fingerprints = c.record.Fingerprints
	}
	out := difference{planned: d.block(&c.typ.Block, nil, c.live, c.wanted)}
	out.paths, out.asLive = d.paths, d.asLive
	if c.partial {
		return out
	}
	for i := range out.paths {
		if p := &out.paths[i]; p.Replaces {
			out.reason = schema.PathString(p.Path) + " cannot be changed in place"
			out.planned = fresh(&c.typ.Block, c.wanted)
			break
		}
	}
	return out
}

// fresh returns what is planned for an object that does not exist: the wanted value, where what
// only the server can know is unknown.
func fresh(b *schema.Block, wanted cty.Value) cty.Value {
	wanted, marks := wanted.Unmark()
	if wanted.IsNull() || !wanted.IsKnown() {
		return wanted.WithMarks(marks)
	}
	attrs := wanted.AsValueMap()
	for i := range b.Attributes {
		a := &b.Attributes[i]
		v := attrs[a.Name]
		if v.IsMarked() || !v.IsNull() || a.WriteOnly {
			continue
		}
		u := cty.UnknownVal(a.Type)
		if a.Sensitive {
			u = u.Mark(schema.Sensitive)
		}
		attrs[a.Name] = u
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		v, vm := attrs[n.Name].Unmark()
		switch {
		case !v.IsKnown():
		case n.Nesting == schema.Single && v.IsNull(), n.Nesting == schema.List && v.LengthInt() == 0:
			v = cty.UnknownVal(v.Type())
		case n.Nesting == schema.Single:
			v = fresh(&n.Block, v)
		default:
			elems := v.AsValueSlice()
			for j := range elems {
				elems[j] = fresh(&n.Block, elems[j])
			}
			v = cty.ListVal(elems)
		}
		attrs[n.Name] = v.WithMarks(vm)
	}
	return cty.ObjectVal(attrs).WithMarks(marks)
}

type differ struct {
	*comparison
	fingerprints map[string]string
	holders      map[string]bool // what paths with a fingerprint are inside of; nil until it is asked for
	paths        []PathChange
	asLive       bool // the object at the top is planned as it is live
}

// skips reports whether a partial wanted, the object at the top, lacks a name that was not managed
// either: then there is nothing to compare.
func (d *differ) skips(at cty.Path, wanted cty.Value, name string) bool {
	return d.partial && len(at) == 0 && !wanted.Type().HasAttribute(name) && !d.manages(name)
}

// wantedAt returns an attribute of wanted, its null where a partial one lacks it.
func (d *differ) wantedAt(wanted cty.Value, name string, t cty.Type) cty.Value {
	if d.partial && !wanted.Type().HasAttribute(name) {
		return cty.NullVal(t)
	}
	return wanted.GetAttr(name)
}

// block compares one object value with another, both known and not null, and returns the planned
// one.
func (d *differ) block(b *schema.Block, at cty.Path, live, wanted cty.Value) cty.Value {
	whole := live
	live, liveMarks := live.Unmark()
	wanted, _ = wanted.Unmark()
	first := len(d.paths)
	var planned map[string]cty.Value // nil while nothing differs from live
	set := func(name string, v cty.Value) {
		if v == asLive {
			return
		}
		if planned == nil {
			planned = live.AsValueMap()
		}
		planned[name] = v
	}

	for i := range b.Attributes {
		a := &b.Attributes[i]
		if a.ReadOnly {
			continue // revisited below
		}
		if d.skips(at, wanted, a.Name) {
			continue
		}
		l, w := live.GetAttr(a.Name), d.wantedAt(wanted, a.Name, a.Type)
		path := attrPath(at, a.Name)
		switch {
		case d.ignored(path):
			if a.WriteOnly {
				set(a.Name, cty.NullVal(a.Type))
			}
		case a.PerKey:
			set(a.Name, d.perKey(a, path, l, w))
		case a.WriteOnly:
			set(a.Name, d.secret(a, path, w))
		default:
			set(a.Name, d.leaf(a, path, l, w))
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		if d.skips(at, wanted, n.Name) {
			continue
		}
		path := attrPath(at, n.Name)
		l := live.GetAttr(n.Name)
		w := d.wantedAt(wanted, n.Name, l.Type())
		if n.Nesting == schema.List && w.IsNull() {
			w = cty.ListValEmpty(l.Type().ElementType())
		}
		switch {
		case d.ignored(path), yields(n, wanted):
		case n.Nesting == schema.Single:
			set(n.Name, d.single(n, path, l, w))
		default:
			set(n.Name, d.list(n, path, l, w))
		}
	}

	// What the server derives from changed attributes is not known any more.
	for i := range b.Attributes {
		a := &b.Attributes[i]
		if !a.ReadOnly || len(a.ChangesWith) == 0 || !d.changedSince(first, at, a.ChangesWith) {
			continue
		}
		u := cty.UnknownVal(a.Type)
		if a.Sensitive {
			u = u.Mark(schema.Sensitive)
		}
		set(a.Name, u)
		d.paths = append(d.paths, PathChange{Path: attrPath(at, a.Name), Kind: Consequent,
			Before: live.GetAttr(a.Name), After: u})
	}
	if planned == nil {
		d.asLive = len(at) == 0
		return whole
	}
	return cty.ObjectVal(planned).WithMarks(liveMarks)
}

// yields reports whether a block is absent since the attribute that its Unless names is configured.
// wanted is the unmarked value of the block that both are in, perhaps a partial one.
func yields(n *schema.NestedBlock, wanted cty.Value) bool {
	if n.Unless == "" {
		return false
	}
	if !wanted.Type().HasAttribute(n.Unless) {
		return false
	}
	other, _ := wanted.GetAttr(n.Unless).Unmark()
	if other.IsKnown() && other.IsNull() {
		return false
	}
	if !wanted.Type().HasAttribute(n.Name) {
		return true
	}
	w, _ := wanted.GetAttr(n.Name).Unmark()
	return w.IsKnown() && (w.IsNull() || n.Nesting == schema.List && w.LengthInt() == 0)
}

// asLive stands for the live value, unchanged.
var asLive = cty.NilVal

// changedSince reports whether one of the named attributes of the block at at is among the paths
// from index first on.
func (d *differ) changedSince(first int, at cty.Path, names []string) bool {
	for i := first; i < len(d.paths); i++ {
		p := &d.paths[i]
		if p.Kind == Uncompared || p.Kind == Unmanaged || len(p.Path) <= len(at) {
			continue
		}
		if step, ok := p.Path[len(at)].(cty.GetAttrStep); ok && slices.Contains(names, step.Name) {
			return true
		}
	}
	return false
}

// leaf plans an attribute that can be read and set.
func (d *differ) leaf(a *schema.Attribute, path cty.Path, live, wanted cty.Value) cty.Value {
	w, marks := wanted, cty.ValueMarks(nil)
	if wanted.ContainsMarked() {
		w, marks = wanted.UnmarkDeep()
	}
	if w.IsKnown() && w.IsNull() {
		d.dropped(path, live)
		return asLive
	}
	if !w.IsWhollyKnown() {
		if !d.upstream || a.RequiresReplace && !d.upstreamReplaced {
			return asLive
		}
		d.add(path, Pending, live, wanted, a.RequiresReplace)
		return wanted
	}
	l := live
	if live.ContainsMarked() {
		l, _ = live.UnmarkDeep()
	}
	if same(a, l, w) {
		if len(marks) == 0 {
			return asLive
		}
		return live.WithMarks(marks)
	}
	d.add(path, d.kind(path, l, w, a), live.WithMarks(marks), wanted, a.RequiresReplace)
	return wanted
}

// secret plans an attribute that cannot be read: null, as what is live has it, keeps what is stored.
func (d *differ) secret(a *schema.Attribute, path cty.Path, wanted cty.Value) cty.Value {
	w, _ := wanted.UnmarkDeep()
	null := cty.NullVal(a.Type)
	if w.IsKnown() && w.IsNull() {
		d.dropped(path, null)
		return asLive
	}
	kind, write := d.secretKind(a, path, w)
	if kind == inSync {
		if a.Keep == schema.KeepResend && w.IsWhollyKnown() {
			return wanted
		}
		return asLive
	}
	d.add(path, kind, null, wanted, write && a.RequiresReplace)
	if write {
		return wanted
	}
	return asLive
}

// inSync stands for no kind: the path is in sync.
const inSync Kind = -1

// secretKind says what is known of a write-only value, and whether it is to be written.
func (d *differ) secretKind(a *schema.Attribute, path cty.Path, w cty.Value) (Kind, bool) {
	f, ok := d.fingerprints[schema.PathString(path)]
	ok = ok && d.keys.Comparable(f)
	incomplete := d.record != nil && d.record.Status != Complete
	switch {
	case !w.IsWhollyKnown() && d.upstream:
		return Secret, true
	case !w.IsWhollyKnown() && ok:
		return inSync, false
	case !w.IsWhollyKnown():
		return Uncompared, false
	case ok && strings.TrimSuffix(f, sensitiveSuffix) == d.keys.Fingerprint(d.typ.Name, d.id, schema.PathString(path), a.Normal(w)):
		return inSync, false
	case ok || incomplete || d.rewriteSecrets:
		return Secret, true
	}
	return Uncompared, false
}

// perKey plans a map of which each configured key is managed by itself: a key that we managed and
// that is no longer written is removed, keys of others stay.
func (d *differ) perKey(a *schema.Attribute, path cty.Path, live, wanted cty.Value) cty.Value {
	w, wMarks := wanted.Unmark()
	l, lMarks := live.Unmark()
	if w.IsKnown() && w.IsNull() {
		d.dropped(path, live)
		return asLive
	}
	if !w.IsKnown() {
		if !d.upstream || a.RequiresReplace && !d.upstreamReplaced {
			return asLive
		}
		d.add(path, Pending, live, wanted, a.RequiresReplace)
		return wanted
	}
	elem := *a
	elem.Type = a.Type.ElementType()
	elem.PerKey = false
	planned := map[string]cty.Value{}
	if !a.WriteOnly && !l.IsNull() {
		planned = l.AsValueMap()
		if planned == nil {
			planned = map[string]cty.Value{}
		}
	}
	want := w.AsValueMap()
	first := len(d.paths)
	for _, key := range sortedKeys(want) {
		keyPath := indexPath(path, cty.StringVal(key))
		wv := want[key].WithMarks(wMarks)
		lv, ok := planned[key]
		if !ok {
			lv = cty.NullVal(elem.Type)
		}
		if u, _ := wv.Unmark(); u.IsKnown() && u.IsNull() {
			continue // as if the key were not written
		}
		var v cty.Value
		if a.WriteOnly {
			v = d.secret(&elem, keyPath, wv)
		} else {
			v = d.leaf(&elem, keyPath, lv, wv)
		}
		if v == asLive {
			continue
		}
		if u, _ := v.Unmark(); !u.IsKnown() || !u.IsNull() {
			planned[key] = v
		}
	}
	for _, key := range d.managedKeys(path) {
		if v, ok := want[key]; ok {
			if u, _ := v.Unmark(); !u.IsKnown() || !u.IsNull() {
				continue
			}
		}
		keyPath := indexPath(path, cty.StringVal(key))
		lv, ok := planned[key]
		if a.WriteOnly {
			// The server keeps what it has; there is no way to tell it apart from a stored one.
			d.dropped(keyPath, cty.NullVal(elem.Type))
			continue
		}
		if ok {
			d.add(keyPath, Pending, lv, cty.NullVal(elem.Type), a.RequiresReplace)
			delete(planned, key)
		}
	}
	if len(planned) == 0 {
		if a.WriteOnly {
			return asLive
		}
		if len(d.paths) == first && !wanted.ContainsMarked() {
			return asLive
		}
		return cty.MapValEmpty(elem.Type).WithMarks(wMarks, lMarks)
	}
	if len(d.paths) == first && !wanted.ContainsMarked() && !a.WriteOnly {
		return asLive
	}
	return cty.MapVal(planned).WithMarks(wMarks, lMarks)
}

// managedKeys returns the keys of a PerKey map that have a fingerprint, sorted.
func (d *differ) managedKeys(path cty.Path) []string {
	prefix := schema.PathString(path) + "["
	var keys []string
	for p := range d.fingerprints {
		rest, ok := strings.CutPrefix(p, prefix)
		if !ok {
			continue
		}
		if key, err := strconv.Unquote(strings.TrimSuffix(rest, "]")); err == nil {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// single plans a block that may occur once.
func (d *differ) single(n *schema.NestedBlock, path cty.Path, live, wanted cty.Value) cty.Value {
	w, wMarks := wanted.Unmark()
	l, _ := live.Unmark()
	switch {
	case !w.IsKnown():
		if !d.upstream {
			return asLive
		}
		d.add(path, Pending, live, wanted, replacesIn(&n.Block))
		return wanted
	case w.IsNull():
		if l.IsNull() || !d.managed(path) {
			return asLive
		}
		d.add(path, d.presence(path, false), live, cty.NullVal(l.Type()), replacesIn(&n.Block))
		return cty.NullVal(l.Type())
	case l.IsNull():
		planned := fresh(&n.Block, w).WithMarks(wMarks)
		d.add(path, d.presence(path, true), live, planned, replacesIn(&n.Block))
		return planned
	}
	return d.block(&n.Block, path, live, wanted)
}

// list plans a block that may occur many times: elements are matched by their key.
func (d *differ) list(n *schema.NestedBlock, path cty.Path, live, wanted cty.Value) cty.Value {
	w, wMarks := wanted.Unmark()
	l, lMarks := live.Unmark()
	if !w.IsKnown() {
		if !d.upstream {
			return asLive
		}
		d.add(path, Pending, live, wanted, replacesIn(&n.Block))
		return wanted
	}
	if w.LengthInt() == 0 && !d.managed(path) {
		return asLive
	}
	var old []cty.Value
	if !l.IsNull() {
		old = l.AsValueSlice()
	}
	want := w.AsValueSlice()
	wantKeys := make([]cty.Value, len(want))
	for i := range want {
		key, ok := elementKey(n, i, want[i])
		if !ok {
			if !d.upstream {
				return asLive
			}
			planned := freshList(n, want).WithMarks(wMarks)
			d.add(path, Pending, live, planned, replacesIn(&n.Block))
			return planned
		}
		wantKeys[i] = key
	}
	byKey := make(map[string]cty.Value, len(old))
	for i := range old {
		if key, ok := elementKey(n, i, old[i]); ok {
			byKey[keyText(key)] = old[i]
		}
	}
	first := len(d.paths)
	planned := make([]cty.Value, 0, len(want))
	seen := make(map[string]bool, len(want))
	for i := range want {
		at := indexPath(path, wantKeys[i])
		text := keyText(wantKeys[i])
		seen[text] = true
		if lv, ok := byKey[text]; ok {
			planned = append(planned, d.block(&n.Block, at, lv, want[i]))
			continue
		}
		v := fresh(&n.Block, want[i])
		d.add(at, d.presence(at, true), cty.NullVal(v.Type()), v, replacesIn(&n.Block))
		planned = append(planned, v)
	}
	for i := range old {
		key, ok := elementKey(n, i, old[i])
		if ok && seen[keyText(key)] {
			continue
		}
		if !ok {
			key = cty.NumberIntVal(int64(i))
		}
		at := indexPath(path, key)
		d.add(at, d.presence(at, false), old[i], cty.NullVal(old[i].Type()), replacesIn(&n.Block))
	}
	if len(d.paths) == first {
		return asLive
	}
	if len(planned) == 0 {
		return cty.ListValEmpty(n.Block.ImpliedType()).WithMarks(wMarks, lMarks)
	}
	return cty.ListVal(planned).WithMarks(wMarks, lMarks)
}

func freshList(n *schema.NestedBlock, want []cty.Value) cty.Value {
	out := make([]cty.Value, len(want))
	for i := range want {
		out[i] = fresh(&n.Block, want[i])
	}
	return cty.ListVal(out)
}

// replacesIn reports whether adding or removing the whole block cannot be done in place: when each
// attribute of it needs a replacement.
func replacesIn(b *schema.Block) bool {
	n := 0
	for i := range b.Attributes {
		if a := &b.Attributes[i]; !a.ReadOnly {
			if !a.RequiresReplace {
				return false
			}
			n++
		}
	}
	return n > 0
}

// elementKey returns the key of an element of a list block: the value of its one key attribute, a
// string of all of them joined, or its position. It is not ok while a key is unknown.
func elementKey(n *schema.NestedBlock, i int, elem cty.Value) (cty.Value, bool) {
	if len(n.Key) == 0 {
		return cty.NumberIntVal(int64(i)), true
	}
	elem, _ = elem.Unmark()
	parts := make([]string, len(n.Key))
	for j, name := range n.Key {
		v, _ := elem.GetAttr(name).UnmarkDeep()
		if !v.IsWhollyKnown() {
			return cty.NilVal, false
		}
		if a := n.Attribute(name); a != nil {
			v = a.Normal(v)
		}
		parts[j] = plainText(v)
	}
	return cty.StringVal(strings.Join(parts, " ")), true
}

func keyText(key cty.Value) string { return plainText(key) }

// plainText returns a string, number or bool as text, anything else as JSON; "" for null.
func plainText(v cty.Value) string {
	if v.IsNull() {
		return ""
	}
	switch v.Type() {
	case cty.String:
		return v.AsString()
	case cty.Number:
		return v.AsBigFloat().Text('f', -1)
	}
	json, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return fmt.Sprintf("%#v", v)
	}
	return string(json)
}

// same reports whether two unmarked values, wanted one known, are one in their normal form.
func same(a *schema.Attribute, live, wanted cty.Value) bool {
	if live.RawEquals(wanted) {
		return true
	}
	if a.Normalize == nil || live.IsNull() {
		return false
	}
	return a.Normal(live).RawEquals(a.Normal(wanted))
}

// kind says why W and L differ at path.
func (d *differ) kind(path cty.Path, l, w cty.Value, a *schema.Attribute) Kind {
	text := schema.PathString(path)
	f, ok := d.fingerprints[text]
	if !ok || !d.keys.Comparable(f) {
		return NewlyManaged
	}
	f = strings.TrimSuffix(f, sensitiveSuffix)
	print := func(v cty.Value) string { return d.keys.Fingerprint(d.typ.Name, d.id, text, a.Normal(v)) }
	switch {
	case f == print(l):
		return Pending
	case f == print(w):
		return Drift
	}
	return Both
}

// presence says why a block is wanted and not live, or live and not wanted.
func (d *differ) presence(path cty.Path, wanted bool) Kind {
	_, applied := d.fingerprints[schema.PathString(path)]
	switch {
	case applied == wanted && applied:
		return Drift // we made it, and the server lost it
	case !applied && !wanted && d.parentManaged(path):
		return Drift // someone added it
	case !applied && wanted && !d.parentManaged(path):
		return NewlyManaged
	}
	return Pending
}

// parentManaged reports whether the block type that holds the element at path was applied before.
func (d *differ) parentManaged(path cty.Path) bool {
	if _, ok := path[len(path)-1].(cty.IndexStep); !ok {
		return false
	}
	return d.managed(path[:len(path)-1])
}

// managed reports whether path, or something in it, has a fingerprint.
func (d *differ) managed(path cty.Path) bool {
	return d.manages(schema.PathString(path))
}

// manages is managed of the text of a path.
func (d *differ) manages(text string) bool {
	if _, ok := d.fingerprints[text]; ok {
		return true
	}
	if d.holders == nil {
		// Asked of each path that is not configured, so that looking through all fingerprints each
		// time would cost their square.
		d.holders = make(map[string]bool, len(d.fingerprints))
		for p := range d.fingerprints {
			for i := 1; i < len(p); i++ {
				if p[i] == '.' || p[i] == '[' {
					d.holders[p[:i]] = true
				}
			}
		}
	}
	return d.holders[text]
}

// dropped notes that a path was managed and is not configured any more.
func (d *differ) dropped(path cty.Path, live cty.Value) {
	if d.managed(path) {
		d.add(path, Unmanaged, live, live, false)
	}
}

func (d *differ) add(path cty.Path, kind Kind, before, after cty.Value, replaces bool) {
	d.paths = append(d.paths, PathChange{Path: path, Kind: kind, Before: before, After: after, Replaces: replaces})
}

func (d *differ) ignored(path cty.Path) bool {
	if d.ignoreAll {
		return true
	}
	return slices.ContainsFunc(d.ignore, path.Equals)
}

func attrPath(at cty.Path, name string) cty.Path {
	out := make(cty.Path, len(at), len(at)+1)
	copy(out, at)
	return append(out, cty.GetAttrStep{Name: name})
}

func indexPath(at cty.Path, key cty.Value) cty.Path {
	out := make(cty.Path, len(at), len(at)+1)
	copy(out, at)
	return append(out, cty.IndexStep{Key: key})
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
