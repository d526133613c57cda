package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
)

type abortKey struct{}

// WithAbort returns a context for Apply. Cancelling it stops an apply gently: what is in flight is
// finished and recorded, nothing new is begun. Closing abort stops what is in flight too.
func WithAbort(ctx context.Context, abort <-chan struct{}) context.Context {
	return context.WithValue(ctx, abortKey{}, abort)
}

// Apply does what plan says and records each object the moment it exists. plan must come from this
// Reconciler, made from the records of s. An operation that fails skips those that depend on it;
// unrelated ones are done. The Result is true also when the diagnostics hold errors.
func (r *Reconciler) Apply(ctx context.Context, plan *Plan, s Session) (*Result, hcl.Diagnostics) {
	result := &Result{Outputs: map[string]cty.Value{}}
	if plan.state == nil {
		return result, hcl.Diagnostics{problem(hcl.Range{}, "Plan of another run", "A plan is applied by the process that made it.")}
	}
	p := plan.state.planner
	if d := plan.limitDiagnostic(r.Config.Settings, len(p.records), hcl.DiagError); d != nil {
		return result, hcl.Diagnostics{d}
	}
	a := &applier{r: r, planner: p, session: s, works: plan.state.works, result: result,
		values: map[config.Address]cty.Value{}, instances: map[config.Address]*instancesOnce{},
		locks: map[string]chan struct{}{}}
	a.ev = r.Config.Evaluator(a.value, true)
	for _, w := range a.works {
		if w.record != nil {
			w.stored = *w.record
		}
	}
	ops := p.resolved
	if !p.opts.RefreshOnly {
		ops = p.initialOps(a.works)
	}
	if len(ops) > 0 {
		if err := s.Commit(ctx, ops); err != nil {
			return result, hcl.Diagnostics{storeProblem(err)}
		}
		for _, op := range ops {
			if op.Put != nil {
				if w := p.works[op.Put.Address]; w != nil {
					w.stored = *op.Put
					w.record = op.Put
				}
			}
		}
	}
	n := plan.Counts()
	result.Counts.Import, result.Counts.Move, result.Counts.Forget = n.Import, n.Move, n.Forget

	graph := plan.state.graph
	inFlight, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if abort, ok := ctx.Value(abortKey{}).(<-chan struct{}); ok {
		go func() {
			select {
			case <-abort:
				stop()
			case <-inFlight.Done():
			}
		}()
	}
	unlost := context.AfterFunc(s.Context(), stop)
	defer unlost()
	walk(inFlight, len(graph), func(i int) []int { return graph[i].deps },
		func(inFlight context.Context, i int, upstreamFailed bool) bool {
			n := &graph[i]
			if n.kind == gather {
				return upstreamFailed
			}
			w := a.works[n.operand]
			if upstreamFailed || ctx.Err() != nil || inFlight.Err() != nil {
				a.skip(w, n.kind)
				return true
			}
			return !a.operate(inFlight, w, n)
		})
	a.pending.Wait()
	if s.Context().Err() != nil {
		a.diags = append(a.diags, problem(hcl.Range{}, "Lock lost", "The lock of the store was taken away by force, so the "+
			"apply was stopped. Run it again; what was done is found again."))
	} else if ctx.Err() != nil && result.Skipped > 0 {
		a.diags = append(a.diags, problem(hcl.Range{}, "Interrupted", fmt.Sprintf("The apply was interrupted; %d operations were "+
			"not begun. What was done is recorded; run it again to go on.", result.Skipped)))
	}
	if !a.diags.HasErrors() {
		a.outputs()
	}
	if !p.opts.RefreshOnly {
		finishing := inFlight
		if ctx.Err() != nil {
			finishing = ctx
		}
		a.diags = append(a.diags, p.conn.finish(finishing)...)
	}
	sortDiagnostics(a.diags)
	return result, config.Distinct(a.diags)
}

type applier struct {
	r       *Reconciler
	ev      *config.Evaluator
	planner *planner
	session Session
	works   []*work

	mu        sync.Mutex
	diags     hcl.Diagnostics
	result    *Result
	values    map[config.Address]cty.Value
	instances map[config.Address]*instancesOnce
	locks     map[string]chan struct{} // of exclusive writes: full while one is at it
	eventMu   sync.Mutex
	pending   sync.WaitGroup // what is queued for the store
}

type instancesOnce struct {
	once  sync.Once
	byKey map[string]config.Instance
	diags hcl.Diagnostics
}

// value is what expressions see of a block: what its objects hold now. It is asked for only after
// the block's operations are done.
func (a *applier) value(block config.Address) cty.Value {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v, ok := a.values[block]; ok {
		return v
	}
	b := a.r.Config.Block(block)
	if b == nil || a.planner.byBlock[block] == nil && (b.Count == nil && b.ForEach == nil) {
		return cty.DynamicVal
	}
	v := blockValue(b, a.planner.byBlock[block], func(w *work) cty.Value {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.now == nil {
			return export(w.change.Type, w.change.After, func() cty.Value { return a.planner.wanted(w) })
		}
		return w.now()
	})
	a.values[block] = v
	return v
}

func (a *applier) emit(e Event) {
	if a.r.Progress == nil {
		return
	}
	a.eventMu.Lock()
	defer a.eventMu.Unlock()
	a.r.Progress(e)
}

func (a *applier) skip(w *work, kind opKind) {
	a.mu.Lock()
	a.result.Skipped++
	a.mu.Unlock()
	a.emit(Event{Kind: Skipped, Address: w.change.Address, Action: shownAction(w, kind), ID: w.change.ID})
}

func shownAction(w *work, kind opKind) Action {
	switch {
	case kind == remove && w.change.Release:
		return Forget
	case kind != write:
		return Delete
	case w.change.Action == Replace:
		return Create
	}
	return w.change.Action
}

// operate does one operation and reports whether it succeeded.
func (a *applier) operate(ctx context.Context, w *work, n *graphNode) bool {
	event := Event{Kind: Started, Address: w.change.Address, Action: shownAction(w, n.kind), ID: w.change.ID}
	start := time.Now()
	a.emit(event)
	stopWaiting := a.waiting(event, start)
	defer stopWaiting()

	var diags hcl.Diagnostics
	switch n.kind {
	case write:
		switch w.change.Action {
		case Read:
			diags = a.read(ctx, w)
		case Update:
			diags = a.update(ctx, w)
		default:
			diags = a.create(ctx, w)
		}
	case remove:
		diags = a.remove(ctx, w)
	case depose:
		diags = a.depose(ctx, w, w.change.Deposed[n.deposed])
	}
	event.Kind, event.Elapsed = Finished, time.Since(start)
	w.mu.Lock()
	if n.kind == write && w.live != nil {
		event.ID = w.live.ID
	}
	w.mu.Unlock()
	a.mu.Lock()
	a.diags = append(a.diags, diags...)
	if diags.HasErrors() {
		a.result.Failed++
		event.Kind = Failed
	} else {
		switch event.Action {
		case Create:
			a.result.Counts.Add++
		case Update:
			a.result.Counts.Change++
		case Delete:
			a.result.Counts.Destroy++
		}
	}
	a.mu.Unlock()
	a.emit(event)
	return !diags.HasErrors()
}

// waiting tells every 10 s that the operation is still going on, until the returned function is
// called.
func (a *applier) waiting(event Event, start time.Time) (stop func()) {
	if a.r.Progress == nil {
		return func() {}
	}
	const every = 10 * time.Second
	var (
		mu    sync.Mutex
		done  bool
		timer *time.Timer
	)
	event.Kind = Waiting
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(every, func() {
		mu.Lock()
		defer mu.Unlock()
		if done {
			return
		}
		event.Elapsed = time.Since(start).Truncate(time.Second)
		a.emit(event)
		timer.Reset(every)
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done = true
		timer.Stop()
	}
}

// exclusive waits for the turn of a write whose type wants some writes one at a time.
func (a *applier) exclusive(w *work, planned cty.Value) (unlock func()) {
	e, ok := w.typ.(Exclusive)
	if !ok {
		return func() {}
	}
	key := e.Exclusive(planned)
	if key == "" {
		return func() {}
	}
	key = w.conn.realm + "\n" + key // of all types: two may write one document
	a.mu.Lock()
	turn := a.locks[key]
	if turn == nil {
		turn = make(chan struct{}, 1)
		a.locks[key] = turn
	}
	a.mu.Unlock()
	turn <- struct{}{}
	return func() { <-turn }
}

// evaluate decodes the block again, now that values are known, and refuses one that was known in
// the plan and differs now.
func (a *applier) evaluate(w *work) (cty.Value, hcl.Diagnostics) {
	if len(w.block.References) == 0 && wholly(w.wanted) {
		return w.wanted, nil
	}
	inst := w.instance
	if inst.Value != cty.NilVal && !wholly(inst.Value) {
		a.mu.Lock()
		once := a.instances[w.block.Address]
		if once == nil {
			once = &instancesOnce{}
			a.instances[w.block.Address] = once
		}
		a.mu.Unlock()
		once.once.Do(func() {
			var list []config.Instance
			list, once.diags = a.ev.Instances(w.block)
			once.byKey = map[string]config.Instance{}
			for _, i := range list {
				once.byKey[w.block.Address.Instance(i.Key).Key] = i
			}
		})
		if once.diags.HasErrors() {
			return cty.NilVal, once.diags
		}
		inst = once.byKey[w.change.Address.Key]
	}
	wanted, diags := a.ev.Decode(w.block, inst)
	if diags.HasErrors() {
		return cty.NilVal, diags
	}
	if path, ok := consistent(w.wanted, wanted, nil); !ok {
		name := schema.PathString(path)
		rng := w.block.Range
		if step, isAttr := path[0].(cty.GetAttrStep); isAttr {
			rng = w.block.AttributeRange(step.Name)
		}
		return cty.NilVal, hcl.Diagnostics{problem(rng, "Value changed during apply", fmt.Sprintf(
			"%s of %s was known when the plan was made, and is another value now. Nothing was written to it. Plan again.",
			name, w.change.Address))}
	}
	return wanted, nil
}

func wholly(v cty.Value) bool {
	return v == cty.NilVal || v.IsWhollyKnown()
}

// consistent reports whether now agrees with what was planned, wherever that was known, else the
// path where it does not.
func consistent(planned, now cty.Value, at cty.Path) (cty.Path, bool) {
	planned, _ = planned.Unmark()
	now, _ = now.Unmark()
	if !planned.IsKnown() || !now.IsKnown() {
		return nil, true
	}
	if planned.IsNull() || now.IsNull() {
		return at, planned.IsNull() == now.IsNull()
	}
	ty := planned.Type()
	switch {
	case ty.IsObjectType() && now.Type().IsObjectType():
		for name := range ty.AttributeTypes() {
			if path, ok := consistent(planned.GetAttr(name), now.GetAttr(name), attrPath(at, name)); !ok {
				return path, false
			}
		}
		return nil, true
	case wholly(planned):
		u, _ := planned.UnmarkDeep()
		v, _ := now.UnmarkDeep()
		return at, u.RawEquals(v)
	case ty.IsListType() && now.Type().IsListType(), ty.IsTupleType() && now.Type().IsTupleType():
		if planned.LengthInt() != now.LengthInt() {
			return at, false
		}
		x, y := planned.AsValueSlice(), now.AsValueSlice()
		for i := range x {
			if path, ok := consistent(x[i], y[i], indexPath(at, cty.NumberIntVal(int64(i)))); !ok {
				return path, false
			}
		}
	case ty.IsMapType() && now.Type().IsMapType():
		x, y := planned.AsValueMap(), now.AsValueMap()
		for _, k := range sortedKeys(x) {
			path := indexPath(at, cty.StringVal(k))
			if y[k] == cty.NilVal {
				return path, false
			}
			if path, ok := consistent(x[k], y[k], path); !ok {
				return path, false
			}
		}
	}
	return nil, true
}

// commit puts the work's record, or deletes it when it holds nothing any more.
func (a *applier) commit(ctx context.Context, w *work, rec Record) hcl.Diagnostics {
	op := Op{Put: &rec}
	if rec.ID == "" && len(rec.Deposed) == 0 && rec.Status != Intent {
		op = Op{Delete: &rec.Address}
	}
	w.stored = rec
	// What happened must be recorded also when the run is being stopped.
	if err := a.session.Commit(context.WithoutCancel(ctx), []Op{op}); err != nil {
		return hcl.Diagnostics{storeProblem(err)}
	}
	return nil
}

// queue puts the work's record in its place in the log, and does not wait until it is durable, which
// spares a chain of objects one fsync for each. If the process dies before that, the intent still
// tells of the object; what depends on it is committed later in the log, so never without it.
func (a *applier) queue(ctx context.Context, w *work, rec Record) {
	w.stored = rec
	durable := a.session.Queue(context.WithoutCancel(ctx), []Op{{Put: &rec}})
	a.pending.Go(func() {
		if err := durable(); err != nil {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.diags = append(a.diags, storeProblem(err))
		}
	})
}

func storeProblem(err error) *hcl.Diagnostic {
	return problem(hcl.Range{}, "Store not written", fmt.Sprintf("What was done could not be recorded: %s. Mend that and run "+
		"again: an object whose creation was begun is found again by its key.", err))
}

// create makes the object of a Create or Replace: intent, write, record.
func (a *applier) create(ctx context.Context, w *work) hcl.Diagnostics {
	wanted, diags := a.evaluate(w)
	if diags.HasErrors() {
		return diags
	}
	t := w.change.Type
	if path, ok := unknownIn(&t.Block, wanted, nil); ok {
		return hcl.Diagnostics{problem(w.block.Range, "Value not known", fmt.Sprintf(
			"%s of %s is still not known, though everything that it refers to is done: the server does not show it again. "+
				"Give the value by a variable.", schema.PathString(path), w.change.Address))}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	planned := fresh(&t.Block, wanted)
	defer a.exclusive(w, planned)()
	key, _ := keyOf(t, wanted)
	before := w.stored
	intent := Record{Address: w.change.Address, Provider: w.conn.ref, Realm: w.conn.realm, Status: Intent, Key: key,
		Deposed: slices.Clone(before.Deposed), Protected: w.block.PreventDestroy,
		Dependencies: a.planner.dependencies(w.block), Parents: parents(w.block)}
	if w.former != nil || w.change.Action == Create {
		intent.Deposed = slices.Clone(before.Deposed)
	}
	if w.change.CreateFirst {
		intent.Deposed = append(intent.Deposed, w.live.ID)
	}
	if diags := a.commit(ctx, w, intent); diags.HasErrors() {
		return diags
	}
	made, err := w.typ.Create(ctx, planned)
	status := Complete
	if err != nil && made == nil {
		refused := Refused(err)
		if !refused {
			made, err = a.lookUp(ctx, w, wanted, err)
		}
		if made == nil {
			if refused {
				// Nothing was made: the intent goes, and what it set aside comes back.
				undo := before
				undo.Address = w.change.Address
				if !w.change.CreateFirst {
					undo.ID, undo.Fingerprints = "", nil
				}
				if undo.ID == "" {
					undo.Status = Complete
				}
				diags = a.commit(ctx, w, undo)
			}
			return append(diags, a.problem(w, "create", err))
		}
		// The answer was lost and the object found: complete it before it counts as whole.
		found := Record{Address: w.change.Address, Status: Incomplete}
		d := diff(&comparison{typ: t, keys: a.r.Keys, record: &found, id: made.ID,
			live: t.MarkSensitive(made.Value), wanted: wanted})
		if d.changes() && !d.replaces() {
			var whole *Object
			if whole, err = w.typ.Update(ctx, made, d.planned); whole != nil {
				made = whole
			}
		}
	}
	if err != nil {
		status = Incomplete
	}
	old := w.live
	w.live = made
	w.former = nil
	rec := a.planner.recordOf(w, made.ID, wanted, nil, status)
	rec.Deposed = intent.Deposed
	if status == Incomplete {
		rec.Fingerprints = nil
	}
	w.deposedNow = old
	a.queue(ctx, w, rec)
	w.now = func() cty.Value {
		return export(t, t.MarkSensitive(made.Value), func() cty.Value { return wanted })
	}
	if err != nil {
		diags = append(diags, a.problem(w, "complete", err))
	}
	return diags
}

// lookUp finds out whether a create whose answer was lost took effect. It returns the object, or
// the error that the user is told.
func (a *applier) lookUp(ctx context.Context, w *work, wanted cty.Value, cause error) (*Object, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if _, known := keyOf(w.change.Type, wanted); !known {
		return nil, cause
	}
	for wait := 250 * time.Millisecond; ; wait *= 2 {
		found, err := w.typ.Find(ctx, wanted)
		if err == nil {
			id := w.conn.class(w.change.Type) + "\n" + found.ID
			if _, owned := a.planner.owner[id]; !owned && !a.planner.deposed[id] && !slices.Contains(w.stored.Deposed, found.ID) {
				return found, nil
			}
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("%w; whether it took effect could not be found out (%w), so the next plan looks for it", cause, err)
		}
		if wait > 2*time.Second {
			return nil, fmt.Errorf("%w; it seems not to have taken effect, and the next plan looks again", cause)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, cause
		}
	}
}

// unknownIn returns the path of a configured attribute that is not wholly known.
func unknownIn(b *schema.Block, v cty.Value, at cty.Path) (cty.Path, bool) {
	v, _ = v.Unmark()
	if !v.IsKnown() {
		return at, true
	}
	if v.IsNull() {
		return nil, false
	}
	for i := range b.Attributes {
		if a := &b.Attributes[i]; !a.ReadOnly && !wholly(v.GetAttr(a.Name)) {
			return attrPath(at, a.Name), true
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		x, _ := v.GetAttr(n.Name).Unmark()
		path := attrPath(at, n.Name)
		if !x.IsKnown() {
			return path, true
		}
		if n.Nesting == schema.Single || x.IsNull() {
			if p, ok := unknownIn(&n.Block, x, path); ok {
				return p, true
			}
			continue
		}
		for j, elem := range x.AsValueSlice() {
			if p, ok := unknownIn(&n.Block, elem, indexPath(path, cty.NumberIntVal(int64(j)))); ok {
				return p, true
			}
		}
	}
	return nil, false
}

// update changes the object in place.
func (a *applier) update(ctx context.Context, w *work) hcl.Diagnostics {
	wanted, diags := a.evaluate(w)
	if diags.HasErrors() {
		return diags
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.change.Type
	d := diff(&comparison{typ: t, keys: a.r.Keys, record: w.record, id: w.live.ID,
		live: t.MarkSensitive(w.live.Value), wanted: wanted, ignore: w.block.IgnoreChanges, ignoreAll: w.block.IgnoreAll,
		rewriteSecrets: a.planner.opts.RewriteSecrets})
	if d.replaces() {
		return hcl.Diagnostics{problem(w.block.Range, "Replacement not planned", fmt.Sprintf(
			"%s must be replaced, since %s; the plan did not know that yet. Nothing was written to it. Plan again.",
			w.change.Address, d.reason))}
	}
	object, status, before := w.live, Complete, w.stored
	var err error
	if d.changes() {
		if diags := a.doubt(ctx, w, d.paths); diags.HasErrors() {
			return diags
		}
		unlock := a.exclusive(w, d.planned)
		object, err = w.typ.Update(ctx, w.live, d.planned)
		unlock()
	}
	switch {
	case err != nil && object == nil && (Refused(err) || errors.Is(err, ErrMoved)):
		var diags hcl.Diagnostics
		if w.stored.Status != before.Status || len(w.stored.Fingerprints) != len(before.Fingerprints) {
			diags = a.commit(ctx, w, before)
		}
		return append(diags, a.problem(w, "update", err))
	case err != nil:
		// Some of it may be written: the next plan compares all of it again.
		status = Incomplete
		if object == nil {
			object = w.live
		}
	}
	w.live = object
	rec := a.planner.recordOf(w, object.ID, wanted, d.paths, status)
	rec.Deposed = slices.Clone(w.stored.Deposed)
	if status == Incomplete {
		rec.Fingerprints = w.stored.Fingerprints
	}
	diags = a.commit(ctx, w, rec)
	w.now = func() cty.Value {
		return export(t, t.MarkSensitive(object.Value), func() cty.Value { return wanted })
	}
	if err != nil {
		diags = append(diags, a.problem(w, "update", err))
	}
	return diags
}

// doubt records, before secrets are written, that what the server holds of them is not known: should
// the outcome of the write never come to be known, then an apply writes them again, whatever the
// configuration says by then. What can be read needs no such care.
func (a *applier) doubt(ctx context.Context, w *work, paths []PathChange) hcl.Diagnostics {
	rec := w.stored
	rec.Fingerprints = maps.Clone(rec.Fingerprints)
	for _, p := range paths {
		if p.Kind == Secret {
			delete(rec.Fingerprints, schema.PathString(p.Path))
		}
	}
	if len(rec.Fingerprints) == len(w.stored.Fingerprints) {
		return nil
	}
	rec.Status = Incomplete
	return a.commit(ctx, w, rec)
}

// remove deletes the object of a Delete or Replace, or lets an adopted one go as it was.
func (a *applier) remove(ctx context.Context, w *work) hcl.Diagnostics {
	w.mu.Lock()
	defer w.mu.Unlock()
	typ, live := w.typ, w.live
	switch {
	case w.former != nil: // on the other server
		var err error
		if live, err = w.formerType.Read(ctx, w.record.ID); err != nil && !errors.Is(err, ErrNotFound) {
			return hcl.Diagnostics{a.problem(w, "delete", err)}
		}
		typ = w.formerType
	case w.change.CreateFirst:
		live = w.deposedNow
	}
	defer a.exclusive(w, w.change.Before)()
	if w.change.Action == Replace && !w.change.CreateFirst && live != nil && !w.change.Release {
		// A run that ends before the new one is made leaves a record of an object that is gone, and
		// that nobody deleted behind our back.
		going := w.stored
		going.Status = Incomplete
		if diags := a.commit(ctx, w, going); diags.HasErrors() {
			return diags
		}
	}
	if live != nil {
		if w.change.Release {
			if len(w.change.Paths) > 0 {
				if _, err := typ.Update(ctx, live, w.change.After); err != nil {
					return hcl.Diagnostics{a.problem(w, "let go", err)}
				}
			}
		} else if err := typ.Delete(ctx, live); err != nil && !errors.Is(err, ErrNotFound) {
			return hcl.Diagnostics{a.problem(w, "delete", err)}
		}
	}
	rec := w.stored
	if w.change.CreateFirst {
		rec.Deposed = slices.DeleteFunc(slices.Clone(rec.Deposed), func(id string) bool { return id == live.ID })
	} else {
		rec.ID, rec.Status, rec.Fingerprints = "", Complete, nil
	}
	return a.commit(ctx, w, rec)
}

// depose deletes an object that was replaced in an earlier run.
func (a *applier) depose(ctx context.Context, w *work, id string) hcl.Diagnostics {
	w.mu.Lock()
	defer w.mu.Unlock()
	live, err := w.typ.Read(ctx, id)
	if err == nil {
		err = w.typ.Delete(ctx, live)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return hcl.Diagnostics{a.problem(w, "delete", err)}
	}
	rec := w.stored
	rec.Deposed = slices.DeleteFunc(slices.Clone(rec.Deposed), func(d string) bool { return d == id })
	if w.change.Action == Forget {
		rec.ID, rec.Status = "", Complete
	}
	return a.commit(ctx, w, rec)
}

// read reads a deferred data source.
func (a *applier) read(ctx context.Context, w *work) hcl.Diagnostics {
	wanted, diags := a.evaluate(w)
	if diags.HasErrors() {
		return diags
	}
	t := w.change.Type
	key, known := keyOf(t, wanted)
	if !known && !t.DataOnly {
		return hcl.Diagnostics{problem(w.block.Range, "Value not known", fmt.Sprintf(
			"The key of %s is still not known, though everything that it refers to is done.", w.change.Address))}
	}
	o, err := w.conn.finders[t.Name].Find(ctx, wanted)
	if errors.Is(err, ErrNotFound) {
		return hcl.Diagnostics{problem(w.block.Range, "Object not found",
			fmt.Sprintf("The server has no %s with %s.", t.Name, keyPhrase(t, key)))}
	}
	if err != nil {
		return hcl.Diagnostics{a.problem(w, "read", err)}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = o
	w.now = func() cty.Value { return t.MarkSensitive(o.Value) }
	return nil
}

// problem turns an error of a provider into a diagnostic at the block that caused it.
func (a *applier) problem(w *work, verb string, err error) *hcl.Diagnostic {
	rng := w.change.Range
	summary := "Cannot " + verb + " " + w.change.Type.Name
	if attr := (*AttributeError)(nil); errors.As(err, &attr) {
		if w.block != nil {
			rng = w.block.AttributeRange(attr.Attribute)
		}
		if attr.Summary != "" {
			summary = attr.Summary
		}
	}
	detail := fmt.Sprintf("%s: %s.", w.change.Address, err)
	switch {
	case errors.Is(err, ErrMoved):
		summary = "Object changed since the plan"
		detail = fmt.Sprintf("%s was changed on the server after the plan was made: %s. Nothing was written to it. Plan again.",
			w.change.Address, err)
	case conflict(err) && verb == "create":
		summary = "Object already exists"
		key, _ := keyOf(w.change.Type, w.change.After)
		detail = fmt.Sprintf("%s could not be created: %s. If the server has an object with %s that you want to own, adopt it "+
			"with \"wso2plan import '%s' ID\".", w.change.Address, err, keyPhrase(w.change.Type, key), w.change.Address)
	}
	return problem(rng, summary, detail)
}

// conflict reports whether the server refused since something else is in the way.
func conflict(err error) bool {
	var c interface{ Conflict() bool }
	return errors.As(err, &c) && c.Conflict()
}

func (a *applier) outputs() {
	if a.planner.opts.Destroy {
		return // what they refer to is gone
	}
	for _, o := range a.r.Config.Outputs {
		v, diags := a.ev.Output(o)
		a.diags = append(a.diags, diags...)
		if !diags.HasErrors() {
			a.result.Outputs[o.Name] = v
		}
	}
}
