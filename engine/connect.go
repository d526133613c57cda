package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
)

// A connection is one provider block in use: configured once, at its first use.
type connection struct {
	ref     string // "apim", "apim.acme"
	decl    *config.Provider
	realm   string
	types   map[string]Type
	finders map[string]Finder
	readers map[string]*reader

	ready    chan struct{} // closed when what follows is set
	err      error         // of Configure; the diagnostics are reported once
	provider Provider
}

// connections holds those of one plan.
type connections struct {
	r  *Reconciler
	ev *config.Evaluator

	mu    sync.Mutex
	byRef map[string]*connection
	diags hcl.Diagnostics
}

func newConnections(r *Reconciler) *connections {
	return &connections{
		r:     r,
		ev:    r.Config.Evaluator(func(config.Address) cty.Value { return cty.DynamicVal }, false),
		byRef: map[string]*connection{},
	}
}

// get returns the configured connection of a provider reference. An error is reported to the user
// once, whoever meets it first; each caller learns of it.
func (cs *connections) get(ctx context.Context, ref string) (*connection, error) {
	cs.mu.Lock()
	c, ok := cs.byRef[ref]
	if !ok {
		c = &connection{ref: ref, decl: cs.r.Config.Providers[ref], readers: map[string]*reader{}, ready: make(chan struct{})}
		cs.byRef[ref] = c
	}
	cs.mu.Unlock()
	if !ok {
		c.err = cs.configure(ctx, c)
		close(c.ready)
	}
	<-c.ready
	return c, c.err
}

var errProvider = errors.New("its provider cannot be used")

func (cs *connections) configure(ctx context.Context, c *connection) error {
	if c.decl == nil {
		if cs.r.Providers[c.ref] == nil {
			cs.report(&hcl.Diagnostic{
				Severity: hcl.DiagError,
				Summary:  "Provider configuration missing",
				Detail: fmt.Sprintf("Objects of this configuration belong to provider %q, for which there is no "+
					"provider block any more. Put the block back until they are deleted or moved, or let them go "+
					"with \"wso2plan state rm\".", c.ref),
			})
			return errProvider
		}
		c.decl = &config.Provider{Name: c.ref, Body: hcl.EmptyBody()}
	}
	var subject *hcl.Range
	if c.decl.Range != (hcl.Range{}) {
		subject = c.decl.Range.Ptr()
	}
	block, diags := cs.ev.Provider(c.decl)
	for _, d := range diags {
		cs.report(d)
	}
	if diags.HasErrors() {
		return errProvider
	}
	if !block.IsWhollyKnown() {
		cs.report(&hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Unknown provider setting",
			Detail: fmt.Sprintf("The settings of provider %q refer to a resource or data source. They must be known "+
				"before anything is read: use variables, locals or the environment.", c.ref),
			Subject: subject,
		})
		return errProvider
	}
	c.provider = cs.r.Providers[c.decl.Name]()
	realm, warnings, err := c.provider.Configure(ctx, block)
	for _, w := range warnings {
		cs.report(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: fmt.Sprintf("Provider %q", c.ref),
			Detail: w, Subject: subject})
	}
	if err != nil {
		if a := (*AttributeError)(nil); errors.As(err, &a) && subject != nil {
			if attrs, _ := c.decl.Body.JustAttributes(); attrs != nil && attrs[a.Attribute] != nil {
				subject = attrs[a.Attribute].Range.Ptr()
			}
		}
		cs.report(&hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Provider not usable",
			Detail:   fmt.Sprintf("Provider %q: %s.", c.ref, err),
			Subject:  subject,
		})
		return errProvider
	}
	c.realm = realm
	c.types = map[string]Type{}
	c.finders = map[string]Finder{}
	for _, t := range c.provider.Types() {
		c.types[t.Schema().Name] = t
		c.finders[t.Schema().Name] = t
		c.readers[t.Schema().Name] = newReader(t)
	}
	for _, f := range c.provider.Data() {
		c.finders[f.Schema().Name] = f
	}
	return nil
}

func (cs *connections) report(d *hcl.Diagnostic) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.diags = append(cs.diags, d)
}

// class names where ids and keys of a type are unique.
func (c *connection) class(t *schema.Type) string { return c.realm + "\n" + t.Name }

// A reader reads the live objects of one type of one connection: by one listing where that costs
// fewer requests than reading each.
type reader struct {
	typ Type

	mu    sync.Mutex
	need  int // objects that will be read or looked for
	finds int // of these, looked for
	list  *listing
	keys  *directory
}

// A directory is the outcome of a Directory, complete when done is closed. ids is nil when it failed
// or would have cost too much: then objects are looked for one by one.
type directory struct {
	done chan struct{}
	ids  func(wanted cty.Value) []string
}

// A listing is the outcome of a List, complete when done is closed. ok is false when it failed or
// would have cost too much: then objects are read one by one.
type listing struct {
	done    chan struct{}
	ok      bool
	objects []*Object
	byID    map[string]*Object

	keyed sync.Once
	byKey map[string][]*Object // made when it is first asked for: what is owned is read by id
}

// listFrom is the number of objects from which a listing is tried.
const listFrom = 3

func newReader(t Type) *reader { return &reader{typ: t} }

// expect says that so many more objects will be read, or looked for.
func (rd *reader) expect(reads, finds int) {
	rd.mu.Lock()
	rd.need += reads + finds
	rd.finds += finds
	rd.mu.Unlock()
}

// listed returns the listing to read from, or nil. The first caller makes it, the others wait.
func (rd *reader) listed(ctx context.Context) *listing {
	lister, ok := rd.typ.(Lister)
	if !ok {
		return nil
	}
	rd.mu.Lock()
	l, first := rd.list, false
	if l == nil && rd.need >= listFrom {
		l, first = &listing{done: make(chan struct{})}, true
		rd.list = l
	}
	need := rd.need
	rd.mu.Unlock()
	if l == nil {
		return nil
	}
	if first {
		l.fill(ctx, lister, need)
		close(l.done)
	}
	select {
	case <-l.done:
	case <-ctx.Done():
		return nil
	}
	if !l.ok {
		return nil
	}
	return l
}

func (l *listing) fill(ctx context.Context, lister Lister, limit int) {
	l.byID = map[string]*Object{}
	for o, err := range lister.List(ctx, limit) {
		if err != nil {
			return // too costly, or a failure that reading one by one will show
		}
		if _, twice := l.byID[o.ID]; twice {
			continue // pages shift while others write
		}
		l.byID[o.ID] = o
		l.objects = append(l.objects, o)
	}
	l.ok = true
}

// withKey returns the objects of type t that have a key.
func (l *listing) withKey(t *schema.Type, key map[string]string) []*Object {
	l.keyed.Do(func() {
		l.byKey = make(map[string][]*Object, len(l.objects))
		for _, o := range l.objects {
			if key, ok := keyOf(t, o.Value); ok {
				k := keyString(t, key)
				l.byKey[k] = append(l.byKey[k], o)
			}
		}
	})
	return l.byKey[keyString(t, key)]
}

// read returns the object with that id. One that a listing lacks is read before it counts as gone.
func (rd *reader) read(ctx context.Context, id string) (*Object, error) {
	if l := rd.listed(ctx); l != nil {
		if o, ok := l.byID[id]; ok {
			return o, nil
		}
	}
	return rd.typ.Read(ctx, id)
}

// find returns the object that the key attributes of wanted name; they are known.
func (rd *reader) find(ctx context.Context, wanted cty.Value) (*Object, error) {
	l := rd.listed(ctx)
	if l == nil {
		return rd.lookUp(ctx, wanted)
	}
	t := rd.typ.Schema()
	key, _ := keyOf(t, wanted)
	switch found := l.withKey(t, key); len(found) {
	case 0:
		return nil, ErrNotFound
	case 1:
		return found[0], nil
	default:
		return nil, fmt.Errorf("the server holds %d objects with %s; only one can be meant", len(found), keyPhrase(t, key))
	}
}

// lookUp is find without a listing: by the directory of the type where it has one, else by Find,
// which also says what is wrong with several objects of one key.
func (rd *reader) lookUp(ctx context.Context, wanted cty.Value) (*Object, error) {
	if ids := rd.directory(ctx); ids != nil {
		switch found := ids(wanted); len(found) {
		case 0:
			return nil, ErrNotFound
		case 1:
			o, err := rd.typ.Read(ctx, found[0])
			if !errors.Is(err, ErrNotFound) { // else it went, and another may have come
				return o, err
			}
		}
	}
	return rd.typ.Find(ctx, wanted)
}

// directory returns what finds ids by key, or nil. The first caller reads it, the others wait.
func (rd *reader) directory(ctx context.Context) func(wanted cty.Value) []string {
	typ, ok := rd.typ.(Directory)
	if !ok {
		return nil
	}
	rd.mu.Lock()
	d, first := rd.keys, false
	if d == nil && rd.finds >= listFrom {
		d, first = &directory{done: make(chan struct{})}, true
		rd.keys = d
	}
	finds := rd.finds
	rd.mu.Unlock()
	if d == nil {
		return nil
	}
	if first {
		if ids, err := typ.Directory(ctx, finds); err == nil {
			d.ids = ids
		} // else too costly, or a failure that looking for one will show
		close(d.done)
	}
	select {
	case <-d.done:
		return d.ids
	case <-ctx.Done():
		return nil
	}
}
