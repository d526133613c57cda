package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
)

// finish turns the works into a plan: what concerns several of them is checked, their order found.
func (p *planner) finish(ctx context.Context) *Plan {
	plan := &Plan{Options: p.opts, Objects: p.done}
	addrs := sortedKeysOf(p.works)
	works := make([]*work, 0, len(addrs))
	for _, a := range addrs {
		w := p.works[a]
		if w.change.Address.Mode == config.Data && w.change.Action != Read {
			continue
		}
		w.keyBefore, w.keyAfter = keyTexts(w)
		works = append(works, w)
	}
	p.checkMissing()
	p.reportElsewhere()
	p.checkClaims(works)
	for _, a := range p.opts.Replace {
		if p.works[a] == nil && !p.failed[a.Block()] {
			p.report(problem(hcl.Range{}, "Unknown object to replace", fmt.Sprintf(
				"There is no %s to replace. Give the whole address of one instance, as the plan writes it.", a)))
		}
	}
	if !p.diags.HasErrors() {
		p.askTypes(ctx, works)
	}
	p.readDeposed(ctx, works)
	refs := p.references()
	for _, w := range works {
		if w.change.Action == Replace {
			w.change.CreateFirst = w.former == nil && !w.change.Type.DeleteFirst &&
				w.keyBefore != "" && w.keyAfter != "" && w.keyBefore != w.keyAfter &&
				(w.change.Type.Collide == nil || !w.change.Type.Collide(w.change.Before, w.change.After))
		}
	}
	state := &planState{planner: p, works: works}
	if p.opts.RefreshOnly {
		onlyDrift(works)
	} else {
		p.followMoves(works)
		state.graph = orderWorks(works, refs)
		p.checkLifecycle(works)
	}
	for _, w := range works {
		plan.Changes = append(plan.Changes, w.change)
	}
	sortAddresses(p.unknown)
	plan.Unknown = p.unknown
	if !p.opts.Destroy && !p.opts.RefreshOnly && !p.diags.HasErrors() {
		plan.Outputs = p.outputs()
	}
	plan.state = state
	if d := plan.limitDiagnostic(p.r.Config.Settings, len(p.records), hcl.DiagWarning); d != nil {
		p.report(d)
	}
	return plan
}

// onlyDrift leaves of a plan what others changed on the servers: an apply of it writes nothing.
func onlyDrift(works []*work) {
	for _, w := range works {
		c := &w.change
		gone := c.Action == Create && w.record != nil || c.Action == Forget
		if c.HasDrift() || gone {
			continue
		}
		c.Action, c.Paths, c.Deposed, c.Reason = None, nil, nil, ""
		c.After = c.Before
	}
}

// readDeposed finds out which keys the objects hold that were replaced earlier and still stand:
// whoever takes such a key waits for their deletion.
func (p *planner) readDeposed(ctx context.Context, works []*work) {
	for _, w := range works {
		w.deposedKeys = make([]string, len(w.change.Deposed))
		for i, id := range w.change.Deposed {
			o, err := w.typ.Read(ctx, id)
			switch {
			case err == nil:
				if key, ok := keyOf(w.change.Type, o.Value); ok {
					w.deposedKeys[i] = keyString(w.change.Type, key)
				}
			case !errors.Is(err, ErrNotFound):
				p.unreadable(w.change.Address, w.change.Range, err)
			}
		}
	}
}

func keyTexts(w *work) (before, after string) {
	t := w.change.Type
	if key, ok := keyOf(t, w.change.Before); ok {
		before = keyString(t, key)
	}
	if w.change.AsLive {
		return before, before
	}
	if key, ok := keyOf(t, w.change.After); ok {
		after = keyString(t, key)
	}
	return before, after
}

func (p *planner) references() map[config.Address][]config.Address {
	refs := map[config.Address][]config.Address{}
	for _, b := range p.r.Config.Blocks {
		refs[b.Address] = blockReferences(b)
	}
	return refs
}

func blockReferences(b *config.Block) []config.Address {
	var out []config.Address
	for _, ref := range b.References {
		out = append(out, ref.To)
	}
	return uniqueAddresses(out)
}

// orderWorks builds the operation graph of works, and settles which replacements are create-first.
func orderWorks(works []*work, refs map[config.Address][]config.Address) []graphNode {
	operands := make([]operand, len(works))
	for i, w := range works {
		operands[i] = operand{addr: w.change.Address, action: w.change.Action, createFirst: w.change.CreateFirst,
			class: w.conn.class(w.change.Type), keyBefore: w.keyBefore, keyAfter: w.keyAfter,
			deposed: w.deposedKeys}
		if w.record != nil {
			operands[i].recorded = w.record.Dependencies
		}
	}
	graph := operations(operands, refs)
	for i, w := range works {
		w.change.CreateFirst = operands[i].createFirst
	}
	return graph
}

// missing counts a recorded object that the server does not have, for checkMissing.
func (p *planner) missing(count map[string]int, w *work) {
	if w.record.Status == Incomplete {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	count[w.conn.ref+"\n"+w.change.Type.Name]++
}

// checkMissing stops a plan that would create everything of a type again: rather the server is not
// the one that was meant, or its database was lost. Objects that are not wanted any more do not count:
// a destroy whose answers were lost, or that was killed, finds them gone. Nor do those whose last apply
// ended before they were whole: it may have deleted them to make them anew.
func (p *planner) checkMissing() {
	if p.opts.AllowMissing {
		return
	}
	owned := map[string]int{}
	for a, rec := range p.records {
		if rec.ID != "" && rec.Status != Incomplete && p.targeted(a) {
			owned[rec.Provider+"\n"+a.Type]++
		}
	}
	for _, kind := range sortedKeys(p.gone) {
		if n := owned[kind]; p.gone[kind] > 3 && p.gone[kind]+p.goneToo[kind] == n {
			ref, typ, _ := strings.Cut(kind, "\n")
			p.report(problem(hcl.Range{}, "Everything owned is gone", fmt.Sprintf(
				"All %d objects of type %s that this configuration owns at provider %q are missing on the server. If they were "+
					"deleted on purpose, run again with -allow-missing; else check that this is the right server.", n, typ, ref)))
		}
	}
}

// checkClaims refuses two instances that mean one object.
func (p *planner) checkClaims(works []*work) {
	byID, byKey := map[string]*work{}, map[string]*work{}
	for _, w := range works {
		c := &w.change
		if c.Action == Delete || c.Action == Forget || c.Address.Mode == config.Data {
			continue
		}
		class := w.conn.class(c.Type)
		other := (*work)(nil)
		if w.live != nil {
			if o := byID[class+"\n"+w.live.ID]; o != nil {
				other = o
			}
			byID[class+"\n"+w.live.ID] = w
		}
		if w.keyAfter != "" {
			if o := byKey[class+"\n"+w.keyAfter]; o != nil {
				other = o
			}
			byKey[class+"\n"+w.keyAfter] = w
		}
		if from := w.takesFrom; other == nil && from != (config.Address{}) {
			// The one that has the key now must give it up.
			if o := p.works[from]; o == nil || o.change.Action != Replace && o.change.Action != Update && o.change.Action != Delete {
				key, _ := keyOf(c.Type, c.After)
				p.report(problem(c.Range, "Two blocks claim one object", fmt.Sprintf(
					"%s describes the %s with %s, which %s owns and keeps. Keep one of the two.", c.Address, c.Type.Name, keyPhrase(c.Type, key), from)))
			}
		}
		if other == nil {
			continue
		}
		key, _ := keyOf(c.Type, c.After)
		p.report(problem(c.Range, "Two blocks claim one object", fmt.Sprintf(
			"%s and %s (at %s) both describe the %s with %s. Keep one of the two, or give one of them another %s.",
			c.Address, other.change.Address, other.change.Range, c.Type.Name, keyPhrase(c.Type, key), c.Type.Key[len(c.Type.Key)-1])))
	}
}

// askTypes asks the types themselves: what the server would refuse, what blocks a deletion, what a
// change means for others.
func (p *planner) askTypes(ctx context.Context, works []*work) {
	byType := map[Type][]*work{}
	var order []Type
	var asking []*work
	for _, w := range works {
		if w.typ == nil {
			continue
		}
		if byType[w.typ] == nil {
			order = append(order, w.typ)
		}
		byType[w.typ] = append(byType[w.typ], w)
		if _, ok := w.typ.(Blockers); ok && w.live != nil && !w.change.Release &&
			(w.change.Action == Delete || w.change.Action == Replace) {
			asking = append(asking, w)
		}
	}
	each(len(asking), func(i int) {
		w := asking[i]
		names, err := w.typ.(Blockers).Blockers(ctx, w.live)
		if err != nil {
			p.report(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Uses not known",
				Detail: fmt.Sprintf("What uses %s could not be read: %s.", w.change.Address, err)})
			return
		}
		slices.Sort(names)
		w.change.Blockers = names
	})
	for _, w := range works {
		if c, ok := w.typ.(Consequence); ok && w.change.Action != None {
			w.change.Consequence = c.Consequence(w.change.Action, w.change.Before, w.change.After)
		}
	}
	for _, t := range order {
		checker, ok := t.(Checker)
		if !ok {
			continue
		}
		ws := byType[t]
		planned := make([]Planned, len(ws))
		for i, w := range ws {
			planned[i] = Planned{Address: w.change.Address.String(), Live: w.live, After: w.change.After, Action: w.change.Action}
		}
		for _, found := range checker.CheckPlan(ctx, planned) {
			w := ws[found.Index]
			d := problem(w.change.Range, found.Summary, found.Detail)
			if found.Attribute != "" && w.block != nil {
				d.Subject = w.block.AttributeRange(found.Attribute).Ptr()
			}
			if found.Warning {
				d.Severity = hcl.DiagWarning
			}
			p.report(d)
		}
	}
}

// checkLifecycle enforces prevent_destroy and create_before_destroy.
func (p *planner) checkLifecycle(works []*work) {
	for _, w := range works {
		c := &w.change
		if w.block == nil || c.Action != Replace {
			continue
		}
		if w.block.PreventDestroy {
			p.report(problem(c.Range, "Protected object", fmt.Sprintf(
				"%s has lifecycle.prevent_destroy and would be replaced, since %s. Undo that change, or take the setting off.",
				c.Address, c.Reason)))
		}
		if w.block.CreateBeforeDestroy && !c.CreateFirst {
			p.report(problem(c.Range, "Replacement cannot be made first", fmt.Sprintf(
				"%s has lifecycle.create_before_destroy and must be replaced, since %s. The server cannot hold the old and "+
					"the new object at once: they have one key, or something that must go first depends on the old one. Take "+
					"the setting off.", c.Address, c.Reason)))
		}
	}
}

// outputs evaluates the outputs with what is live and with what is planned.
func (p *planner) outputs() []OutputChange {
	before := p.r.Config.Evaluator(func(b config.Address) cty.Value {
		if v, ok := p.before[b]; ok {
			return v()
		}
		return cty.DynamicVal
	}, false)
	var out []OutputChange
	for _, o := range p.r.Config.Outputs {
		if p.targets != nil && slices.ContainsFunc(o.References, func(r config.Reference) bool { return !p.targets[r.To] }) {
			continue // what it refers to is not part of this plan
		}
		after, diags := p.ev.Output(o)
		p.report(diags...)
		if diags.HasErrors() {
			continue
		}
		old, diags := before.Output(o)
		if diags.HasErrors() {
			old = cty.NullVal(cty.DynamicPseudoType)
		}
		if u, _ := old.UnmarkDeep(); !u.IsWhollyKnown() {
			if v, _ := after.UnmarkDeep(); !v.RawEquals(u) {
				old = cty.NullVal(cty.DynamicPseudoType)
			}
		}
		out = append(out, OutputChange{Name: o.Name, Before: old, After: after, Sensitive: o.Sensitive})
	}
	return out
}

// initialOps returns the changes of records that need no write to a server: interrupted creations
// that were settled, moves, imports and take-overs, forgotten objects, and refreshed fingerprints
// and dependencies of what is in sync.
func (p *planner) initialOps(works []*work) []Op {
	ops := slices.Concat(p.resolved, p.followed)
	for _, w := range works {
		if from := w.change.From; from != (config.Address{}) && p.works[from] == nil {
			ops = append(ops, Op{Delete: &from})
		}
	}
	kept := func(w *work) bool {
		a := w.change.Action
		return w.change.Address.Mode == config.Managed && w.live != nil && w.former == nil && (a == None || a == Import || a == Move)
	}
	records := make([]Record, len(works))
	workers := startPool()
	defer close(workers)
	workers.spread(len(works), func(i int) {
		if w := works[i]; kept(w) {
			records[i] = p.recordOf(w, w.live.ID, p.wanted(w), w.change.Paths, Complete)
		}
	})
	for i, w := range works {
		c := &w.change
		switch {
		case c.Address.Mode == config.Data:
		case c.Action == Forget:
			if len(c.Deposed) == 0 {
				ops = append(ops, Op{Delete: &c.Address})
			}
		case kept(w):
			rec := records[i]
			if w.record == nil || w.followed || c.From != (config.Address{}) || !sameRecord(&rec, w.record) {
				ops = append(ops, Op{Put: &rec})
			}
		case (c.Imported || c.From != (config.Address{})) && c.Action != Delete && w.live != nil && w.former == nil:
			// Owned before it is changed, so that a failure in between leaves it ours.
			rec := Record{}
			if w.record != nil {
				rec = *w.record
			}
			rec.Address, rec.Provider, rec.Realm, rec.ID = c.Address, w.conn.ref, w.conn.realm, w.live.ID
			rec.Adopted = c.Adopted
			if c.Adopted {
				rec.Original = p.originals(w, rec.Original)
			}
			if rec.Status == "" {
				rec.Status = Complete
			}
			ops = append(ops, Op{Put: &rec})
		case w.followed:
			ops = append(ops, Op{Put: w.record})
		}
	}
	return ops
}

// recordOf returns the record of an instance whose object holds wanted.
func (p *planner) recordOf(w *work, id string, wanted cty.Value, paths []PathChange, status Status) Record {
	rec := Record{Address: w.change.Address, Provider: w.conn.ref, Realm: w.conn.realm, ID: id, Status: status}
	var former map[string]string
	if w.record != nil {
		if w.record.ID == id { // what was managed of an object that is replaced is managed no more
			former = w.record.Fingerprints
		}
		rec.Deposed = slices.Clone(w.record.Deposed)
		rec.Original = w.record.Original
	}
	rec.Adopted = w.change.Adopted
	if rec.Adopted {
		rec.Original = p.originals(w, rec.Original)
	}
	rec.Protected = w.block.PreventDestroy
	rec.Dependencies = p.dependencies(w.block)
	rec.Parents = parents(w.block)
	rec.Fingerprints = fingerprints(p.r.Keys, w.change.Type, id, wanted, former,
		notWritten(paths, w.block.IgnoreChanges, w.block.IgnoreAll))
	return rec
}

// dependencies returns the blocks that a record depends on, through data sources too.
func (p *planner) dependencies(b *config.Block) []config.Address {
	var out []config.Address
	seen := map[config.Address]bool{}
	var add func(b *config.Block)
	add = func(b *config.Block) {
		for _, ref := range b.References {
			if seen[ref.To] {
				continue
			}
			seen[ref.To] = true
			if ref.To.Mode == config.Managed {
				out = append(out, ref.To)
			} else if data := p.r.Config.Block(ref.To); data != nil {
				add(data)
			}
		}
	}
	add(b)
	return uniqueAddresses(out)
}

func parents(b *config.Block) []config.Address {
	var out []config.Address
	for _, ref := range b.References {
		if a := b.Type.Attribute(ref.OnlyIn); a != nil && a.Parent && ref.To.Mode == config.Managed {
			out = append(out, ref.To)
		}
	}
	return uniqueAddresses(out)
}

func sameRecord(a, b *Record) bool {
	return a.Address == b.Address && a.Provider == b.Provider && a.Realm == b.Realm && a.ID == b.ID &&
		a.Status == b.Status && a.Adopted == b.Adopted && a.Protected == b.Protected &&
		slices.Equal(a.Deposed, b.Deposed) && maps.Equal(a.Original, b.Original) && maps.Equal(a.Key, b.Key) &&
		slices.Equal(a.Parents, b.Parents) && slices.Equal(a.Dependencies, b.Dependencies) &&
		maps.Equal(a.Fingerprints, b.Fingerprints)
}

// originals returns what an adopted object held, before us, in the attributes and blocks that are
// managed: those of former, and the live ones of what is managed for the first time. Sensitive
// values are not kept.
func (p *planner) originals(w *work, former map[string]string) map[string]string {
	out := maps.Clone(former)
	if out == nil {
		out = map[string]string{}
	}
	live := w.change.Type.MarkSensitive(w.live.Value)
	for _, l := range leaves(w.change.Type, p.wanted(w), nil) {
		name := l.path
		if i := strings.IndexAny(name, ".["); i >= 0 {
			name = name[:i]
		}
		if _, ok := out[name]; ok {
			continue
		}
		v := live.GetAttr(name)
		if a := w.change.Type.Attribute(name); v.ContainsMarked() || a != nil && (a.Sensitive || a.WriteOnly) {
			continue
		}
		out[name] = jsonText(v)
	}
	return out
}

// original returns live with what it held before it was adopted.
func original(t *schema.Type, live cty.Value, originals map[string]string) cty.Value {
	attrs := live.AsValueMap()
	for name, text := range originals {
		ty := live.Type().AttributeType(name)
		if v, err := unjson(text, ty); err == nil {
			attrs[name] = v
		}
	}
	for i := range t.Attributes {
		if a := &t.Attributes[i]; a.WriteOnly {
			attrs[a.Name] = cty.NullVal(a.Type)
		}
	}
	return cty.ObjectVal(attrs)
}

func restored(t *schema.Type, before, after cty.Value, originals map[string]string) []PathChange {
	var out []PathChange
	for _, name := range sortedKeys(originals) {
		b, a := before.GetAttr(name), after.GetAttr(name)
		if !b.RawEquals(a) {
			out = append(out, PathChange{Path: cty.GetAttrPath(name), Kind: Pending, Before: b, After: a})
		}
	}
	return out
}

// limitDiagnostic says that the plan deletes more than the settings allow; nil when it does not.
func (p *Plan) limitDiagnostic(s config.Settings, owned int, severity hcl.DiagnosticSeverity) *hcl.Diagnostic {
	n := p.Counts().Destroy
	var limit string
	switch {
	case s.MaxDestroy != nil && n > *s.MaxDestroy:
		limit = fmt.Sprintf("max_destroy allows %d", *s.MaxDestroy)
	case s.MaxDestroyPct != nil && owned > 0 && float64(n)*100 > *s.MaxDestroyPct*float64(owned):
		limit = fmt.Sprintf("max_destroy_percent allows %g %% of the %d that are owned", *s.MaxDestroyPct, owned)
	default:
		return nil
	}
	d := &hcl.Diagnostic{Severity: severity, Summary: "Too many objects would be destroyed", Detail: fmt.Sprintf(
		"The plan destroys %d objects, and the limits of this configuration refuse that: %s. If it is meant, raise the limit "+
			"in the wso2plan block; if not, look for a renamed block or a changed for_each.", n, limit)}
	if s.Range != (hcl.Range{}) {
		d.Subject = s.Range.Ptr()
	}
	return d
}
