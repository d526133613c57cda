package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
)

// planInstance reads what is live of one instance and plans its change. It reports false when that
// cannot be said, and has told why. compute runs what needs no server.
func (p *planner) planInstance(ctx context.Context, w *work, upstream, upstreamReplaced bool, compute func(func())) bool {
	a, t := w.change.Address, w.change.Type
	w.typ = w.conn.types[t.Name]
	if w.typ == nil {
		p.fail(a, problem(w.change.Range, "Unsupported type", fmt.Sprintf("Provider %q has no resource type %s.", w.conn.ref, t.Name)))
		return false
	}
	p.mu.Lock()
	if rec := p.records[a]; rec != nil && !p.moved[a] {
		w.record = rec
	}
	p.mu.Unlock()

	if w.record != nil && w.record.Provider != w.conn.ref && w.record.Realm != w.conn.realm {
		if !p.planFormer(ctx, w) {
			return false
		}
	} else if w.record != nil && !p.checkRealm(w.record, w.conn) {
		return false
	}
	if ok := p.readLive(ctx, w); !ok {
		return false
	}
	ok := false
	compute(func() { ok = p.compare(w, upstream, upstreamReplaced) })
	return ok
}

// compare plans the change of an instance whose live object is known.
func (p *planner) compare(w *work, upstream, upstreamReplaced bool) bool {
	a, t := w.change.Address, w.change.Type
	if w.live == nil && !p.complete(w) {
		return false
	}
	c := comparison{
		typ: t, keys: p.r.Keys, record: w.record, wanted: w.wanted, partial: w.partial,
		ignore: w.block.IgnoreChanges, ignoreAll: w.block.IgnoreAll,
		upstream: upstream, upstreamReplaced: upstreamReplaced, rewriteSecrets: p.opts.RewriteSecrets,
	}
	if w.former != nil {
		c.record = nil
	}
	if w.live == nil {
		w.change.Before = cty.NullVal(t.ImpliedType())
		w.change.After = fresh(&t.Block, w.wanted)
		w.change.Action = Create
		if w.former != nil {
			w.change.Action = Replace
		}
		return p.checkDuplicates(w)
	}
	c.id, c.live = w.live.ID, t.MarkSensitive(w.live.Value)
	recorded := w.record != nil && anySensitive(w.record.Fingerprints)
	if recorded {
		c.live = markRecorded(&t.Block, c.live, w.record.Fingerprints)
	}
	w.change.ID = w.live.ID
	w.change.Before = c.live
	d := diff(&c)
	parent := p.replacedParent(w)
	if w.partial && (len(d.paths) > 0 || parent != "" || len(p.opts.Replace) > 0) {
		if !p.complete(w) {
			return false
		}
		c.wanted, c.partial = w.wanted, false
		d = diff(&c)
	}
	w.change.AsLive = d.asLive && !recorded
	w.change.After, w.change.Paths = d.planned, d.paths
	if w.record != nil {
		w.change.Incomplete = w.record.Status == Incomplete
		w.change.Deposed = slices.Clone(w.record.Deposed)
	}

	reason := d.reason
	if reason == "" {
		reason = parent
	}
	if reason == "" && slices.ContainsFunc(p.opts.Replace, func(r config.Address) bool { return r == a }) {
		reason = "its replacement was asked for"
	}
	switch {
	case reason != "" && w.live.System:
		p.fail(a, problem(w.change.Range, "Server's own object cannot be replaced", fmt.Sprintf(
			"%s is the server's own object (%s), and %s. Leave that attribute as the server has it.", a, w.live.ID, reason)))
		return false
	case reason != "":
		w.change.Action = Replace
		w.change.Reason = reason
		w.change.After, w.change.AsLive = fresh(&t.Block, w.wanted), false
	case d.changes():
		w.change.Action = Update
	case w.change.Imported:
		w.change.Action = Import
	case w.change.From != (config.Address{}):
		w.change.Action = Move
	}
	return p.checkDuplicates(w)
}

// planFormer plans the deletion of an object whose resource moved to another server.
func (p *planner) planFormer(ctx context.Context, w *work) bool {
	c, err := p.conn.get(ctx, w.record.Provider)
	if err != nil {
		p.unreadable(w.change.Address, w.change.Range, err)
		return false
	}
	if !p.checkRealm(w.record, c) {
		return false
	}
	w.former, w.formerType = c, c.types[w.record.Address.Type]
	w.change.Reason = fmt.Sprintf("it moves from provider %q to %q", w.record.Provider, w.conn.ref)
	w.change.ID = w.record.ID
	return true
}

// readLive finds the live object of an instance: by the id that we own, by its import, or by its
// key.
func (p *planner) readLive(ctx context.Context, w *work) bool {
	a, t := w.change.Address, w.change.Type
	rd := w.conn.readers[t.Name]
	if err := p.takeBack(ctx, w); err != nil {
		p.unreadable(a, w.change.Range, err)
		return false
	}
	if w.record != nil && w.record.ID != "" && w.former == nil {
		o, err := rd.read(ctx, w.record.ID)
		switch {
		case err == nil:
			w.live = o
			w.change.Adopted = w.record.Adopted
			return true
		case !errors.Is(err, ErrNotFound):
			p.unreadable(a, w.change.Range, err)
			return false
		}
		p.missing(p.gone, w)
		w.change.Reason = "the server does not have it any more"
		if !p.complete(w) {
			return false
		}
		w.record = &Record{Address: a, Deposed: w.record.Deposed}
		w.change.Deposed = slices.Clone(w.record.Deposed)
	}
	if target, ok := p.imports[a]; ok && (w.record == nil || w.record.ID == "") {
		o, err := p.importTarget(ctx, w, target.ID)
		switch {
		case errors.Is(err, ErrNotFound):
			p.fail(a, problem(target.Range, "Import of an object that does not exist", fmt.Sprintf(
				"The server has no %s with the ID or %s %q.", t.Name, strings.Join(t.Key, "/"), target.ID)))
			return false
		case err != nil:
			p.unreadable(a, target.Range, err)
			return false
		}
		w.live, w.imported, w.change.Imported = o, true, true
		w.change.Adopted = o.System
		return p.claim(w, o)
	}
	key, known := keyOf(t, w.wanted)
	if !known || len(t.Key) == 0 {
		return true // it cannot exist yet
	}
	o, err := rd.find(ctx, w.wanted)
	switch {
	case errors.Is(err, ErrNotFound):
		return true
	case err != nil:
		p.unreadable(a, w.change.Range, err)
		return false
	}
	class := w.conn.class(t)
	if p.deposed[class+"\n"+o.ID] {
		return true // replaced by us, and about to be deleted: its key is free then
	}
	if _, owned := p.owner[class+"\n"+o.ID]; !owned && o.System {
		w.live, w.change.Imported, w.change.Adopted = o, true, true
		return true
	}
	if _, owned := p.owner[class+"\n"+o.ID]; !owned {
		p.fail(a, problem(w.change.Range, "Object already exists", fmt.Sprintf(
			"The server already has %s with %s that this configuration does not own. Adopt it with "+
				"\"wso2plan import '%s' '%s'\" or an import block, or choose another %s.",
			withArticle(t.Name), keyPhrase(t, key), a, o.ID, t.Key[len(t.Key)-1])))
		return false
	}
	if other := p.owner[class+"\n"+o.ID]; p.stands(other) {
		// Its block may give the key up in this very plan; checkClaims sees to it.
		w.takesFrom = other
		return true
	}
	if !p.claim(w, o) {
		return false
	}
	w.live = o
	return true
}

// takeBack makes a deposed object the instance's own again when it has the wanted key: a
// create-first replacement was begun, and the configuration went back to what was before. The one
// that had replaced it is deposed in its turn. To delete the old one and make it anew would fail
// where others still refer to it.
func (p *planner) takeBack(ctx context.Context, w *work) error {
	if w.record == nil || w.record.ID == "" || len(w.record.Deposed) == 0 || w.former != nil {
		return nil
	}
	if _, known := keyOf(w.change.Type, w.wanted); !known {
		return nil
	}
	o, err := w.typ.Find(ctx, w.wanted)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && !slices.Contains(w.record.Deposed, o.ID):
		return nil
	case err != nil:
		return err
	}
	rec := *w.record
	rec.Deposed = append(slices.DeleteFunc(slices.Clone(rec.Deposed), func(id string) bool { return id == o.ID }), rec.ID)
	rec.ID, rec.Status, rec.Fingerprints = o.ID, Incomplete, nil
	w.record = &rec
	return nil
}

// stands reports whether the address is, or may be, configured.
func (p *planner) stands(a config.Address) bool {
	_, counted := p.instances[a.Block()]
	return p.standing[a] || p.r.Config.Block(a) != nil && !counted
}

// claim takes an object that was found, not read by our own id: it may be ours under another
// address, which is then a move.
func (p *planner) claim(w *work, o *Object) bool {
	a, t := w.change.Address, w.change.Type
	p.mu.Lock()
	defer p.mu.Unlock()
	other, owned := p.owner[w.conn.class(t)+"\n"+o.ID]
	if !owned || other == a {
		return true
	}
	if p.stands(other) {
		p.failed[a.Block()] = true
		var at string
		if b := p.r.Config.Block(other); b != nil {
			at = " at " + b.Range.String()
		}
		p.diags = append(p.diags, problem(w.change.Range, "Two blocks claim one object", fmt.Sprintf(
			"%s describes the same object (%s) as %s%s. Keep one of the two.", a, o.ID, other, at)))
		return false
	}
	if p.moved[other] {
		p.failed[a.Block()] = true
		p.diags = append(p.diags, problem(w.change.Range, "Two blocks claim one object", fmt.Sprintf(
			"%s and another block describe the object %s, which was %s until now. Keep one of the two.", a, o.ID, other)))
		return false
	}
	rec := *p.records[other]
	rec.Address = a
	w.record = &rec
	w.change.From = other
	w.change.Imported = false
	w.change.Adopted = rec.Adopted
	p.moved[other] = true
	return true
}

// importTarget finds the object that an import names: by its ID, else by its key, whose parts are
// joined by "/"; leading parts that are left out take their defaults.
func (p *planner) importTarget(ctx context.Context, w *work, idOrKey string) (*Object, error) {
	o, err := w.typ.Read(ctx, idOrKey)
	if err == nil || !errors.Is(err, ErrNotFound) && !Refused(err) {
		return o, err
	}
	key, ok := keyFromText(w.change.Type, idOrKey)
	if !ok {
		return nil, ErrNotFound
	}
	return w.typ.Find(ctx, key)
}

// keyFromText reads a key as people write it: the values of the key attributes joined by "/".
func keyFromText(t *schema.Type, text string) (cty.Value, bool) {
	if len(t.Key) == 0 {
		return cty.NilVal, false
	}
	parts := strings.SplitN(text, "/", len(t.Key))
	missing := len(t.Key) - len(parts)
	attrs := map[string]cty.Value{}
	for i, name := range t.Key {
		a := t.Attribute(name)
		if i < missing {
			if !a.HasDefault() {
				return cty.NilVal, false
			}
			attrs[name] = a.Default
			continue
		}
		if a.Type != cty.String {
			return cty.NilVal, false
		}
		attrs[name] = cty.StringVal(parts[i-missing])
	}
	return t.Object(attrs), true
}

// replacedParent says why an object is replaced along: an object that a Parent attribute names is
// replaced, though the value compares equal.
func (p *planner) replacedParent(w *work) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range w.change.Type.Attributes {
		attr := &w.change.Type.Attributes[i]
		if !attr.Parent {
			continue
		}
		live, _ := w.change.Before.GetAttr(attr.Name).UnmarkDeep()
		for _, ref := range w.block.References {
			if ref.OnlyIn != attr.Name {
				continue
			}
			for _, parent := range p.byBlock[ref.To] {
				if parent.change.Action == Replace && names(parent, live) {
					return fmt.Sprintf("%s, in which it lives, is replaced", parent.change.Address)
				}
			}
		}
	}
	return ""
}

// names reports whether a value names an object: is its id or one of its key attributes.
func names(w *work, v cty.Value) bool {
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.String || w.live == nil {
		return false
	}
	if v.AsString() == w.live.ID {
		return true
	}
	for _, name := range w.change.Type.Key {
		u, _ := w.change.Before.GetAttr(name).UnmarkDeep()
		if u.IsWhollyKnown() && !u.IsNull() && u.Type() == cty.String && u.AsString() == v.AsString() {
			return true
		}
	}
	return false
}

// checkDuplicates refuses list blocks of which two have one key.
func (p *planner) checkDuplicates(w *work) bool {
	name, key := duplicateElement(&w.change.Type.Block, w.wanted)
	if name == "" {
		return true
	}
	p.fail(w.change.Address, problem(w.block.AttributeRange(strings.SplitN(name, ".", 2)[0]), "Duplicate block",
		fmt.Sprintf("%s has two %s blocks with %s. Keep one of the two.", w.change.Address, name, key)))
	return false
}

func duplicateElement(b *schema.Block, v cty.Value) (name, key string) {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return "", ""
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		if !v.Type().HasAttribute(n.Name) {
			continue // of a partial value
		}
		x, _ := v.GetAttr(n.Name).Unmark()
		if !x.IsKnown() || x.IsNull() {
			continue
		}
		elems := []cty.Value{x}
		if n.Nesting == schema.List {
			elems = x.AsValueSlice()
			seen := map[string]bool{}
			for j := range elems {
				k, ok := elementKey(n, j, elems[j])
				if ok && seen[keyText(k)] {
					return n.Name, fmt.Sprintf("%s %q", strings.Join(n.Key, ", "), keyText(k))
				}
				if ok {
					seen[keyText(k)] = true
				}
			}
		}
		for j := range elems {
			if inner, key := duplicateElement(&n.Block, elems[j]); inner != "" {
				return n.Name + "." + inner, key
			}
		}
	}
	return "", ""
}

// planOrphans plans the deletion of what we own and no longer configure; everything, for destroy.
func (p *planner) planOrphans(ctx context.Context) {
	var orphans []*Record
	for _, a := range sortedKeysOf(p.records) {
		rec := p.records[a]
		switch {
		case !p.opts.Destroy && p.works[a] != nil, p.moved[a], p.failed[a.Block()], !p.targeted(a):
		case !p.opts.Destroy && p.standing[a]:
		default:
			orphans = append(orphans, rec)
		}
	}
	works := make([]*work, len(orphans))
	each(len(orphans), func(i int) {
		works[i] = p.planOrphan(ctx, orphans[i])
		p.read()
	})
	for _, w := range works {
		if w != nil {
			p.works[w.change.Address] = w
		}
	}
}

func (p *planner) planOrphan(ctx context.Context, rec *Record) *work {
	a := rec.Address
	var rng hcl.Range
	if b := p.r.Config.Block(a); b != nil {
		rng = b.Range
		if b.PreventDestroy && p.opts.Destroy {
			p.fail(a, problem(rng, "Protected object", fmt.Sprintf(
				"%s has lifecycle.prevent_destroy and would be destroyed. Take that setting off first, or leave it out with -target.", a)))
			return nil
		}
	}
	if rec.Protected && p.r.Config.Block(a) == nil {
		p.fail(a, problem(rng, "Protected object", fmt.Sprintf(
			"%s is not configured any more, and had lifecycle.prevent_destroy when it was last applied. Put the block back "+
				"and take that setting off, or let the object go with \"wso2plan state rm '%s'\".", a, a)))
		return nil
	}
	c, err := p.conn.get(ctx, rec.Provider)
	if err != nil {
		p.unreadable(a, rng, err)
		return nil
	}
	if !p.checkRealm(rec, c) {
		return nil
	}
	typ := c.types[a.Type]
	if typ == nil {
		p.fail(a, problem(rng, "Unsupported type", fmt.Sprintf("%s is owned, and this version knows no type %s.", a, a.Type)))
		return nil
	}
	t := typ.Schema()
	w := &work{record: rec, conn: c, typ: typ}
	w.change = Change{Address: a, Type: t, Action: Delete, ID: rec.ID, Adopted: rec.Adopted, Release: rec.Adopted,
		Deposed: slices.Clone(rec.Deposed), Incomplete: rec.Status == Incomplete, Range: rng}
	null := cty.NullVal(t.ImpliedType())
	w.change.Before, w.change.After = null, null
	if !p.opts.Destroy {
		w.change.Reason = "it is not configured any more"
	}
	o, err := c.readers[a.Type].read(ctx, rec.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		w.change.Action = Forget
		w.change.Reason = "the server does not have it any more"
		p.missing(p.goneToo, w)
		return w
	case err != nil:
		p.unreadable(a, rng, err)
		return nil
	}
	w.live = o
	w.change.Before = markRecorded(&t.Block, t.MarkSensitive(o.Value), rec.Fingerprints)
	if rec.Adopted {
		w.change.After = original(t, w.change.Before, rec.Original)
		w.change.Paths = restored(t, w.change.Before, w.change.After, rec.Original)
	}
	return w
}
