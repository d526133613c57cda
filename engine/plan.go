package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
)

// A work is one instance on its way through plan and apply.
type work struct {
	change    Change
	block     *config.Block // nil for an orphan
	instance  config.Instance
	wanted    cty.Value // the decoded block; cty.NilVal for an orphan
	partial   bool      // wanted holds what the block writes alone
	record    *Record   // as the plan takes it to be, nil when not owned
	followed  bool      // … and the store does not: its dependencies follow moves
	conn      *connection
	typ       Type
	live      *Object
	imported  bool           // an import target
	takesFrom config.Address // who owns an object with the wanted key until now, and stands

	keyBefore, keyAfter string   // "" while unknown
	deposedKeys         []string // parallel to change.Deposed

	// A resource that moved to another server: the old object is deleted there.
	former     *connection
	formerType Type

	// Of the apply.
	mu         sync.Mutex
	stored     Record           // as the store holds it
	now        func() cty.Value // what expressions see, once its operation is done
	deposedNow *Object          // replaced create-first, to be deleted
}

// planState is what apply goes on with.
type planState struct {
	planner *planner
	works   []*work // parallel to Plan.Changes
	graph   []graphNode
}

type planner struct {
	r    *Reconciler
	opts PlanOptions
	ev   *config.Evaluator
	conn *connections
	pool pool

	meta     Meta
	records  map[config.Address]*Record // as the plan takes them to be
	resolved []Op                       // how that differs from the store
	owner    map[string]config.Address  // class and id → who owns it
	deposed  map[string]bool            // class and id

	instances map[config.Address][]config.Instance // of blocks whose number is known beforehand
	standing  map[config.Address]bool              // addresses that are certainly configured
	targets   map[config.Address]bool              // blocks to plan; nil: all
	whole     map[config.Address]bool              // those of which all instances are planned
	imports   map[config.Address]config.ImportTarget

	mu        sync.Mutex
	diags     hcl.Diagnostics
	works     map[config.Address]*work
	byBlock   map[config.Address][]*work
	failed    map[config.Address]bool             // blocks
	changed   map[config.Address]bool             // blocks with a change
	replaced  map[config.Address]bool             // blocks with an object created or replaced
	exported  map[config.Address]func() cty.Value // blocks, by planned values; made when first asked for
	before    map[config.Address]func() cty.Value // blocks, by live values; likewise
	gone      map[string]int                      // provider and type → owned objects that do not exist and are wanted
	goneToo   map[string]int                      // … and that nobody wants any more
	elsewhere map[elsewhere][]config.Address      // objects of another server than their provider's
	followed  []Op                                // records without a work whose dependencies follow moves
	moved     map[config.Address]bool             // addresses whose record moves away
	unknown   []config.Address

	progressMu  sync.Mutex
	done, total int
}

// Plan reads what the servers hold and returns what an apply would do. It writes nothing. records
// are those of the store, and meta its identity. When something cannot be read or evaluated, the
// diagnostics hold an error and the plan is incomplete: it can be shown, not applied.
func (r *Reconciler) Plan(ctx context.Context, meta Meta, records []Record, opts PlanOptions) (*Plan, hcl.Diagnostics) {
	p := r.newPlanner(meta, records, opts)
	plan := p.run(ctx)
	return plan, p.diags
}

func (r *Reconciler) newPlanner(meta Meta, records []Record, opts PlanOptions) *planner {
	p := &planner{
		r: r, opts: opts, meta: meta,
		conn:      newConnections(r),
		records:   map[config.Address]*Record{},
		owner:     map[string]config.Address{},
		deposed:   map[string]bool{},
		instances: map[config.Address][]config.Instance{},
		standing:  map[config.Address]bool{},
		imports:   map[config.Address]config.ImportTarget{},
		works:     map[config.Address]*work{},
		byBlock:   map[config.Address][]*work{},
		failed:    map[config.Address]bool{},
		changed:   map[config.Address]bool{},
		replaced:  map[config.Address]bool{},
		exported:  map[config.Address]func() cty.Value{},
		before:    map[config.Address]func() cty.Value{},
		gone:      map[string]int{},
		goneToo:   map[string]int{},
		elsewhere: map[elsewhere][]config.Address{},
		moved:     map[config.Address]bool{},
	}
	p.ev = r.Config.Evaluator(p.value, false)
	for i := range records {
		rec := records[i]
		p.records[rec.Address] = &rec
	}
	return p
}

func (p *planner) run(ctx context.Context) *Plan {
	p.pool = startPool()
	defer close(p.pool)
	p.countInstances()
	p.chooseTargets()
	p.expandImports()
	p.resolveIntents(ctx)
	p.indexOwners()
	p.expectReads(ctx)
	if !p.opts.Destroy {
		p.walkBlocks(ctx)
	}
	p.planOrphans(ctx)
	plan := p.finish(ctx)
	p.diags = append(p.diags, p.conn.diags...)
	sortDiagnostics(p.diags)
	p.diags = config.Distinct(p.diags)
	if ctx.Err() != nil {
		// What could not be read then says nothing of the servers.
		p.diags = hcl.Diagnostics{problem(hcl.Range{}, "Interrupted",
			"The plan was stopped before it was complete. Nothing was changed.")}
	}
	return plan
}

// value is what expressions see of a block: planned values.
func (p *planner) value(block config.Address) cty.Value {
	p.mu.Lock()
	v, ok := p.exported[block]
	p.mu.Unlock()
	if ok {
		return v()
	}
	return cty.DynamicVal
}

func (p *planner) report(diags ...*hcl.Diagnostic) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.diags = append(p.diags, diags...)
}

// fail reports an error about an address and marks its block, so that nothing that depends on it
// is planned.
func (p *planner) fail(a config.Address, d *hcl.Diagnostic) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.diags = append(p.diags, d)
	p.failed[a.Block()] = true
}

func (p *planner) unreadable(a config.Address, rng hcl.Range, err error) {
	p.fail(a, problem(rng, "Object not readable", fmt.Sprintf("%s could not be read: %s. What is unknown is not "+
		"planned, and neither is what depends on it.", a, err)))
	p.mu.Lock()
	p.unknown = append(p.unknown, a)
	p.mu.Unlock()
}

// problem returns an error diagnostic at a range, or without one when it is zero.
func problem(rng hcl.Range, summary, detail string) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail}
	if rng != (hcl.Range{}) {
		d.Subject = rng.Ptr()
	}
	return d
}

func sortDiagnostics(diags hcl.Diagnostics) {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity) // warnings first, errors last, where they are read
		}
		var x, y hcl.Range
		if a.Subject != nil {
			x = *a.Subject
		}
		if b.Subject != nil {
			y = *b.Subject
		}
		if c := strings.Compare(x.Filename, y.Filename); c != 0 {
			return c
		}
		if c := x.Start.Byte - y.Start.Byte; c != 0 {
			return c
		}
		return strings.Compare(a.Summary+a.Detail, b.Summary+b.Detail)
	})
}

// read counts one object as read, for progress.
func (p *planner) read() {
	p.progressMu.Lock()
	p.done++
	if p.r.Progress != nil {
		p.r.Progress(Event{Kind: Reading, Done: p.done, Total: p.total})
	}
	p.progressMu.Unlock()
}

func (p *planner) toRead(n int) {
	p.progressMu.Lock()
	p.total += n
	p.progressMu.Unlock()
}

// countInstances evaluates count and for_each where they need no server. What they then give is
// final, so it is known which addresses stand before the first object is read.
func (p *planner) countInstances() {
	if p.opts.Destroy {
		return
	}
	ev := p.r.Config.Evaluator(func(config.Address) cty.Value { return cty.DynamicVal }, false)
	for _, b := range p.r.Config.Blocks {
		instances, diags := ev.Instances(b)
		if diags.HasErrors() {
			continue // told when the block is reached
		}
		p.instances[b.Address] = instances
		for i := range instances {
			p.standing[b.Address.Instance(instances[i].Key)] = true
		}
	}
}

// chooseTargets finds the blocks that -target asks for, with all that they refer to. Of a block that
// is a target by one of its instances only that instance is planned, unless another block refers to
// it: then its value is that of all its instances.
func (p *planner) chooseTargets() {
	if len(p.opts.Targets) == 0 {
		return
	}
	p.targets, p.whole = map[config.Address]bool{}, map[config.Address]bool{}
	var add func(a config.Address)
	add = func(a config.Address) {
		if p.targets[a] {
			return
		}
		p.targets[a] = true
		if b := p.r.Config.Block(a); b != nil {
			for _, ref := range b.References {
				p.whole[ref.To] = true
				add(ref.To)
			}
		}
	}
	for _, t := range p.opts.Targets {
		owned := slices.ContainsFunc(sortedKeysOf(p.records), func(a config.Address) bool { return a.Block() == t.Block() })
		if p.r.Config.Block(t) == nil && !owned {
			p.report(problem(hcl.Range{}, "Unknown target", fmt.Sprintf("There is no %s, neither in the configuration nor in the store.", t)))
		}
		if t.Key == "" {
			p.whole[t] = true
		}
		add(t.Block())
	}
}

// targeted reports whether the instance is to be planned.
func (p *planner) targeted(a config.Address) bool {
	return p.targets == nil || p.whole[a.Block()] || p.targets[a.Block()] && slices.Contains(p.opts.Targets, a)
}

func (p *planner) expandImports() {
	if p.opts.Destroy {
		return
	}
	targets, diags := p.ev.Imports()
	p.diags = append(p.diags, diags...)
	for _, t := range targets {
		if former, ok := p.imports[t.To]; ok {
			p.report(problem(t.Range, "Duplicate import", fmt.Sprintf("%s is imported already, at %s.", t.To, former.Range)))
			continue
		}
		p.imports[t.To] = t
		if known, ok := p.instances[t.To.Block()]; ok && known != nil && !p.standing[t.To] {
			p.report(problem(t.Range, "Import to an address that is not configured",
				fmt.Sprintf("There is no %s in the configuration. Write the resource block first.", t.To)))
		}
	}
}

// resolveIntents settles what a crash left: an object whose creation was begun is looked for by the
// key of its record, configured or not.
func (p *planner) resolveIntents(ctx context.Context) {
	var intents []*Record
	for _, a := range sortedKeysOf(p.records) {
		if rec := p.records[a]; rec.Status == Intent {
			intents = append(intents, rec)
		}
	}
	owned := map[string]bool{}
	for _, rec := range p.records {
		for _, id := range append(slices.Clone(rec.Deposed), rec.ID) {
			if id != "" {
				owned[rec.Realm+"\n"+rec.Address.Type+"\n"+id] = true
			}
		}
	}
	p.toRead(len(intents))
	each(len(intents), func(i int) {
		rec := intents[i]
		defer p.read()
		c, err := p.conn.get(ctx, rec.Provider)
		if err != nil {
			p.unreadable(rec.Address, hcl.Range{}, err)
			return
		}
		typ := c.types[rec.Address.Type]
		if typ == nil || !p.checkRealm(rec, c) {
			return
		}
		key, err := keyValue(typ.Schema(), rec.Key)
		if err != nil {
			p.unreadable(rec.Address, hcl.Range{}, fmt.Errorf("its intent holds a key that cannot be read: %w", err))
			return
		}
		found, err := typ.Find(ctx, key)
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case errors.Is(err, ErrNotFound), err == nil && owned[rec.Realm+"\n"+rec.Address.Type+"\n"+found.ID]:
			if len(rec.Deposed) > 0 {
				// The new object was never made: the old one takes its place again.
				back := *rec
				back.ID, back.Deposed = rec.Deposed[len(rec.Deposed)-1], rec.Deposed[:len(rec.Deposed)-1]
				back.Status, back.Key = Complete, nil
				p.records[rec.Address] = &back
				p.resolved = append(p.resolved, Op{Put: &back})
				return
			}
			delete(p.records, rec.Address)
			p.resolved = append(p.resolved, Op{Delete: &rec.Address})
		case err != nil:
			p.diags = append(p.diags, problem(hcl.Range{}, "Interrupted creation not resolved", fmt.Sprintf(
				"The creation of %s was begun and interrupted. Whether it exists could not be found out: %s.", rec.Address, err)))
			p.failed[rec.Address.Block()] = true
			p.unknown = append(p.unknown, rec.Address)
		default:
			made := *rec
			made.ID, made.Status, made.Key = found.ID, Incomplete, nil
			p.records[rec.Address] = &made
			p.resolved = append(p.resolved, Op{Put: &made})
		}
	})
	slices.SortFunc(p.resolved, func(a, b Op) int { return opAddress(a).Compare(opAddress(b)) })
}

func opAddress(o Op) config.Address {
	if o.Put != nil {
		return o.Put.Address
	}
	return *o.Delete
}

// checkRealm reports an object that belongs to another server than its provider is now.
func (p *planner) checkRealm(rec *Record, c *connection) bool {
	if rec.Realm == c.realm {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed[rec.Address.Block()] = true
	at := elsewhere{c, rec.Realm}
	p.elsewhere[at] = append(p.elsewhere[at], rec.Address)
	return false
}

// elsewhere is a connection and the server at which objects are that are planned with it.
type elsewhere struct {
	conn  *connection
	realm string
}

// reportElsewhere reports what checkRealm found, of each server once.
func (p *planner) reportElsewhere() {
	for at, addrs := range p.elsewhere {
		addrs = uniqueAddresses(addrs)
		what := fmt.Sprintf("%s belongs", addrs[0])
		if more := len(addrs) - 1; more > 0 {
			what = fmt.Sprintf("%s and %d more belong", addrs[0], more)
		}
		var rng hcl.Range
		if at.conn.decl != nil {
			rng = at.conn.decl.Range
		}
		p.report(problem(rng, "Wrong server for this state", fmt.Sprintf(
			"Provider %q now reaches %q, and %s to %q. Point the provider at the former server, or use another store for the new one.",
			at.conn.ref, at.conn.realm, what, at.realm)))
	}
}

func (p *planner) indexOwners() {
	for a, rec := range p.records {
		class := rec.Realm + "\n" + a.Type
		if rec.ID != "" {
			p.owner[class+"\n"+rec.ID] = a
		}
		for _, id := range rec.Deposed {
			p.deposed[class+"\n"+id] = true
		}
	}
}

// expectReads tells each reader how much will be read, so that it can choose to list.
func (p *planner) expectReads(ctx context.Context) {
	type use struct{ ref, typ string }
	need, finds := map[use]int{}, map[use]int{}
	for a, rec := range p.records {
		if rec.ID != "" && p.targeted(a) {
			need[use{rec.Provider, a.Type}]++
		}
	}
	for _, b := range p.r.Config.Blocks {
		if b.Address.Mode != config.Managed || p.targets != nil && !p.targets[b.Address] {
			continue
		}
		for _, inst := range p.instances[b.Address] {
			if p.records[b.Address.Instance(inst.Key)] == nil {
				need[use{b.Provider, b.Address.Type}]++
				finds[use{b.Provider, b.Address.Type}]++
			}
		}
	}
	uses := make([]use, 0, len(need))
	for u := range need {
		uses = append(uses, u)
	}
	each(len(uses), func(i int) {
		if c, err := p.conn.get(ctx, uses[i].ref); err == nil && c.readers[uses[i].typ] != nil {
			c.readers[uses[i].typ].expect(need[uses[i]]-finds[uses[i]], finds[uses[i]])
		}
	})
	for _, n := range need {
		p.total += n
	}
	for u := range need {
		if c, err := p.conn.get(ctx, u.ref); err == nil && c.readers[u.typ] != nil {
			go c.readers[u.typ].listed(ctx) // while blocks are decoded
		}
	}
}

// walkBlocks visits each block once, dependencies first, its instances side by side.
func (p *planner) walkBlocks(ctx context.Context) {
	blocks := p.r.Config.Blocks
	index := make(map[config.Address]int, len(blocks))
	for i, b := range blocks {
		index[b.Address] = i
	}
	deps := func(i int) []int {
		var out []int
		for _, ref := range blocks[i].References {
			if j, ok := index[ref.To]; ok {
				out = append(out, j)
			}
		}
		return out
	}
	walk(ctx, len(blocks), deps, func(ctx context.Context, i int, upstreamFailed bool) bool {
		b := blocks[i]
		if p.targets != nil && !p.targets[b.Address] {
			return false
		}
		if upstreamFailed || ctx.Err() != nil {
			p.mu.Lock()
			p.failed[b.Address] = true
			p.mu.Unlock()
			return true
		}
		p.visit(ctx, b)
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.failed[b.Address]
	})
}

// visit plans the instances of one block.
func (p *planner) visit(ctx context.Context, b *config.Block) {
	instances, known := p.instances[b.Address]
	if !known {
		var diags hcl.Diagnostics
		instances, diags = p.ev.Instances(b)
		if diags.HasErrors() {
			p.report(diags...)
			p.mu.Lock()
			p.failed[b.Address] = true
			p.mu.Unlock()
			return
		}
		p.toRead(len(instances))
	}
	c, err := p.conn.get(ctx, b.Provider)
	if err != nil {
		p.mu.Lock()
		p.failed[b.Address] = true
		p.mu.Unlock()
		return
	}
	works := make([]*work, len(instances))
	upstream, upstreamReplaced := p.upstream(b)
	one := func(i int) {
		a := b.Address.Instance(instances[i].Key)
		if !p.targeted(a) {
			return
		}
		w := &work{block: b, instance: instances[i], conn: c}
		w.change = Change{Address: a, Type: b.Type, Range: b.Range}
		var diags hcl.Diagnostics
		if w.partial = p.isOwned(c, a); w.partial {
			w.wanted, diags = p.ev.DecodeWritten(b, instances[i])
		} else {
			w.wanted, diags = p.ev.Decode(b, instances[i])
		}
		if diags.HasErrors() {
			p.mu.Lock()
			p.failed[b.Address] = true
			p.mu.Unlock()
			p.report(diags...)
			return
		}
		if len(diags) > 0 {
			p.report(diags...)
		}
		w.change.Wanted = w.wanted
		works[i] = w
	}
	var listed *listing
	if rd := c.readers[b.Address.Type]; b.Address.Mode == config.Managed && rd != nil {
		if !known {
			rd.expect(0, len(instances))
		}
		listed = rd.listed(ctx)
	}
	plan := func(i int, compute func(func())) {
		w, ok := works[i], false
		switch {
		case w == nil:
			return
		case b.Address.Mode == config.Data:
			ok = p.planData(ctx, w, upstream)
		default:
			ok = p.planInstance(ctx, w, upstream, upstreamReplaced, compute)
			p.read()
		}
		if !ok {
			works[i] = nil
			return
		}
		if w.change.Action == None && len(w.change.Paths) == 0 && b.Address.Mode == config.Managed {
			// Most objects of most plans: what is wanted of them is decoded again if ever needed.
			w.wanted, w.change.Wanted = cty.NilVal, cty.NilVal
		}
	}
	// What a listing holds needs no waiting; the rest is read side by side.
	var quick, slow []int
	for i := range instances {
		if listed != nil && p.isListed(listed, c, b.Address.Instance(instances[i].Key)) {
			quick = append(quick, i)
		} else {
			slow = append(slow, i)
		}
	}
	p.pool.spread(len(quick), func(i int) {
		one(quick[i])
		plan(quick[i], func(f func()) { f() })
	})
	p.pool.spread(len(slow), func(i int) { one(slow[i]) })
	each(len(slow), func(i int) { plan(slow[i], p.pool.do) })
	works = slices.DeleteFunc(works, func(w *work) bool { return w == nil })

	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range works {
		p.works[w.change.Address] = w
		switch w.change.Action {
		case Create, Replace, Read:
			p.changed[b.Address], p.replaced[b.Address] = true, true
		case Update:
			p.changed[b.Address] = true
		}
	}
	p.byBlock[b.Address] = works
	if p.failed[b.Address] {
		return
	}
	p.exported[b.Address] = sync.OnceValue(func() cty.Value {
		return blockValue(b, works, func(w *work) cty.Value {
			return export(w.change.Type, w.change.After, func() cty.Value { return p.wanted(w) })
		})
	})
	p.before[b.Address] = sync.OnceValue(func() cty.Value {
		return blockValue(b, works, func(w *work) cty.Value {
			if w.change.Before == cty.NilVal || w.change.Before.IsNull() {
				return cty.DynamicVal
			}
			return export(w.change.Type, w.change.Before, func() cty.Value { return p.wanted(w) })
		})
	})
}

// isListed reports whether the live object of an instance is known from a listing, without another
// request.
func (p *planner) isListed(l *listing, c *connection, a config.Address) bool {
	if _, ok := p.imports[a]; ok {
		return false
	}
	p.mu.Lock()
	rec := p.records[a]
	p.mu.Unlock()
	if rec == nil || rec.ID == "" {
		return true
	}
	_, ok := l.byID[rec.ID]
	return ok && rec.Realm == c.realm
}

// isOwned reports whether an instance has a record that says which live object it is, and nothing
// else: so that most likely nothing is to be done.
func (p *planner) isOwned(c *connection, a config.Address) bool {
	if _, ok := p.imports[a]; ok || a.Mode != config.Managed {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	rec := p.records[a]
	return rec != nil && !p.moved[a] && rec.ID != "" && rec.Status == Complete && len(rec.Deposed) == 0 &&
		rec.Provider == c.ref && rec.Realm == c.realm
}

// complete decodes the whole block of an instance of which only a part was. It reports false when
// that fails, and has told why.
func (p *planner) complete(w *work) bool {
	if !w.partial {
		return true
	}
	v, diags := p.ev.Decode(w.block, w.instance)
	if diags.HasErrors() {
		p.mu.Lock()
		p.failed[w.block.Address] = true
		p.mu.Unlock()
		p.report(diags...)
		return false
	}
	w.wanted, w.change.Wanted, w.partial = v, v, false
	return true
}

// upstream reports whether anything that the block refers to changes, and whether an object of it
// is created or replaced.
func (p *planner) upstream(b *config.Block) (changes, replaced bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ref := range b.References {
		changes = changes || p.changed[ref.To]
		replaced = replaced || p.replaced[ref.To]
	}
	return changes, replaced
}

// wanted returns the decoded block of an instance; cty.NilVal for an orphan.
func (p *planner) wanted(w *work) cty.Value {
	if w.wanted != cty.NilVal && !w.partial || w.block == nil {
		return w.wanted
	}
	v, _ := p.ev.Decode(w.block, w.instance) // without mistakes, since it was decoded before
	return v
}

// export returns what expressions see of an object: write-only attributes as configured, and what
// the server shows only once as unknown.
func export(t *schema.Type, v cty.Value, wanted func() cty.Value) cty.Value {
	special := false
	for i := range t.Attributes {
		special = special || t.Attributes[i].WriteOnly || t.Attributes[i].Once
	}
	if !special || v.IsNull() || !v.IsKnown() {
		return v
	}
	v, marks := v.Unmark()
	attrs := v.AsValueMap()
	configured, _ := wanted().Unmark()
	for i := range t.Attributes {
		a := &t.Attributes[i]
		switch u, _ := attrs[a.Name].Unmark(); {
		case a.WriteOnly && configured != cty.NilVal:
			attrs[a.Name] = configured.GetAttr(a.Name)
		case a.Once && u.IsKnown() && u.IsNull():
			attrs[a.Name] = cty.UnknownVal(a.Type).Mark(schema.Sensitive)
		}
	}
	return cty.ObjectVal(attrs).WithMarks(marks)
}

// blockValue joins the values of a block's instances into what expressions see: the object itself,
// a tuple for count, an object by key for for_each.
func blockValue(b *config.Block, works []*work, value func(*work) cty.Value) cty.Value {
	switch {
	case b.Count != nil:
		vals := make([]cty.Value, 0, len(works))
		for _, w := range works {
			vals = append(vals, value(w))
		}
		return cty.TupleVal(vals)
	case b.ForEach != nil:
		vals := make(map[string]cty.Value, len(works))
		for _, w := range works {
			vals[w.instance.Key.AsString()] = value(w)
		}
		return cty.ObjectVal(vals)
	case len(works) == 1:
		return value(works[0])
	}
	return cty.DynamicVal
}

// planData reads a data source, or defers it to the apply when something it depends on changes.
func (p *planner) planData(ctx context.Context, w *work, upstream bool) bool {
	t := w.change.Type
	key, known := keyOf(t, w.wanted)
	if t.DataOnly {
		u, _ := w.wanted.UnmarkDeep()
		known = u.IsWhollyKnown()
	}
	if upstream || !known {
		w.change.Action = Read
		w.change.Before = cty.NullVal(t.ImpliedType())
		w.change.After = fresh(&t.Block, w.wanted)
		return true
	}
	f := w.conn.finders[t.Name]
	o, err := f.Find(ctx, w.wanted)
	if errors.Is(err, ErrNotFound) {
		p.fail(w.change.Address, problem(w.change.Range, "Object not found",
			fmt.Sprintf("The server has no %s with %s.", t.Name, keyPhrase(t, key))))
		return false
	}
	if err != nil {
		p.unreadable(w.change.Address, w.change.Range, err)
		return false
	}
	w.live = o
	w.change.ID = o.ID
	w.change.Before = t.MarkSensitive(o.Value)
	w.change.After = w.change.Before
	return true
}
