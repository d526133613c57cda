package apim

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// entries is the type of objects that one document holds: it is read and written whole, so a write
// reads it, changes one entry, and sends the rest as it came (apim-behaviour 3.9).
type entries struct {
	client *rest.Client
	table  *schema.Type
	path   string // of the document

	// all yields the entries of a document by their ids, in the shape of the tables.
	all func(doc map[string]any) iter.Seq2[string, map[string]any]

	// set puts an entry into a document, in the place of the one that has its id; remove takes it
	// out.
	set    func(doc map[string]any, id string, entry map[string]any) error
	remove func(doc map[string]any, id string)

	// id returns the id of what is planned.
	id func(planned cty.Value) string

	// system reports whether an entry is the server's own. Nil: none is.
	system func(id string) bool

	// refused explains a refusal of a write. Nil: it speaks for itself.
	refused func(err error) error
}

var _ interface {
	engine.Type
	engine.Lister
	engine.Exclusive
} = (*entries)(nil)

// Schema returns the table.
func (t *entries) Schema() *schema.Type { return t.table }

// Exclusive lets one write at a time change the tenant's configuration: the documents of all types
// of entries are parts of it.
func (t *entries) Exclusive(cty.Value) string { return "tenant configuration" }

func (t *entries) load(ctx context.Context) (map[string]any, error) {
	var doc map[string]any
	err := t.client.Get(ctx, t.path, nil, &doc)
	if err == nil && doc == nil {
		err = fmt.Errorf("GET %s: the answer holds no document", t.path)
	}
	return doc, rest.Unfound(err)
}

// find returns an entry of a document, as it is there and as an object.
func (t *entries) find(doc map[string]any, id string) (map[string]any, *engine.Object, error) {
	for have, entry := range t.all(doc) {
		if have == id {
			o, err := t.object(id, entry)
			return entry, o, err
		}
	}
	return nil, nil, fmt.Errorf("%s holds no %s %q: %w", t.path, t.table.Name, id, engine.ErrNotFound)
}

func (t *entries) object(id string, entry map[string]any) (*engine.Object, error) {
	named := maps.Clone(entry)
	named["id"] = id
	v, err := rest.Decode(&t.table.Block, named)
	if err != nil {
		return nil, fmt.Errorf("%s: reading what the server sent: %w", t.path, err)
	}
	return &engine.Object{ID: id, Value: v, System: t.system != nil && t.system(id)}, nil
}

// Read returns an entry.
func (t *entries) Read(ctx context.Context, id string) (*engine.Object, error) {
	doc, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	_, o, err := t.find(doc, id)
	return o, err
}

// Find returns the entry with the key of wanted.
func (t *entries) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	return t.Read(ctx, t.id(wanted))
}

// List yields all entries, by one request.
func (t *entries) List(ctx context.Context, limit int) iter.Seq2[*engine.Object, error] {
	return func(yield func(*engine.Object, error) bool) {
		if limit < 1 {
			yield(nil, engine.ErrCostly)
			return
		}
		doc, err := t.load(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for id, entry := range t.all(doc) {
			o, err := t.object(id, entry)
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// Create adds an entry.
func (t *entries) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	doc, err := t.load(ctx)
	if err != nil {
		return nil, rest.Unwritten(err)
	}
	id := t.id(planned)
	if _, _, err := t.find(doc, id); err == nil {
		return nil, rest.Unwritten(fmt.Errorf("%s %q was made by somebody else since the plan: plan again", t.table.Name, id))
	}
	if err := t.set(doc, id, rest.Encode(&t.table.Block, planned)); err != nil {
		return nil, rest.Unwritten(err)
	}
	return t.write(ctx, doc, id, planned)
}

// Update changes an entry.
func (t *entries) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	doc, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	entry, now, err := t.find(doc, live.ID)
	if err != nil {
		return nil, err
	}
	if err := rest.Moved(&t.table.Block, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	rest.Overlay(&t.table.Block, entry, now.Value, rest.Rebase(&t.table.Block, live.Value, planned, now.Value))
	if err := t.set(doc, live.ID, entry); err != nil {
		return nil, rest.Unwritten(err)
	}
	return t.write(ctx, doc, live.ID, planned)
}

// write sends a document, and reads one of its entries back.
func (t *entries) write(ctx context.Context, doc map[string]any, id string, planned cty.Value) (*engine.Object, error) {
	if err := t.send(ctx, doc); err != nil {
		return nil, rest.Hide(err, planned)
	}
	o, err := t.Read(ctx, id)
	if err == nil {
		return o, nil
	}
	return nil, fmt.Errorf("it was written, but could not be read: %w", rest.Unclear(err))
}

func (t *entries) send(ctx context.Context, doc map[string]any) error {
	err := t.client.Call(ctx, rest.Request{Method: http.MethodPut, Path: t.path, Body: doc}, nil)
	if err != nil && t.refused != nil {
		return t.refused(err)
	}
	return err
}

// Delete removes an entry; one that is gone is no error.
func (t *entries) Delete(ctx context.Context, live *engine.Object) error {
	doc, err := t.load(ctx)
	if err != nil {
		return err
	}
	switch _, _, err := t.find(doc, live.ID); {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	t.remove(doc, live.ID)
	return t.send(ctx, doc)
}

// listEntries makes the functions of entries that stand in a list, by a member that is their id.
func listEntries(id string) (all func(map[string]any) iter.Seq2[string, map[string]any], set func(map[string]any, string, map[string]any) error, remove func(map[string]any, string)) {
	name := func(x any) string {
		m, _ := x.(map[string]any)
		s, _ := m[id].(string)
		return s
	}
	all = func(doc map[string]any) iter.Seq2[string, map[string]any] {
		return func(yield func(string, map[string]any) bool) {
			for _, entry := range objects(doc["list"]) {
				if !yield(name(entry), entry) {
					return
				}
			}
		}
	}
	remove = func(doc map[string]any, id string) {
		list, _ := doc["list"].([]any)
		kept := make([]any, 0, len(list))
		for _, x := range list {
			if name(x) != id {
				kept = append(kept, x)
			}
		}
		doc["list"], doc["count"] = kept, len(kept)
	}
	set = func(doc map[string]any, id string, entry map[string]any) error {
		list, _ := doc["list"].([]any)
		for i := range list {
			if name(list[i]) == id {
				list[i] = entry
				return nil
			}
		}
		doc["list"], doc["count"] = append(list, entry), len(list)+1
		return nil
	}
	return all, set, remove
}

// plainNames refuses names with commas or blanks about them: API Manager keeps such lists as one
// text, cut at commas.
func plainNames(v cty.Value) error {
	if err := someStrings(v); err != nil {
		return err
	}
	for _, s := range stringsOf(v) {
		if err := plainRole(cty.StringVal(s)); err != nil {
			return err
		}
	}
	return nil
}
