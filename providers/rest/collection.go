package rest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// A Collection is the resource type of an ordinary REST collection: POST makes an element, GET reads
// it, PUT replaces it, DELETE removes it, and GET of the collection lists. It implements
// engine.Type, and engine.Lister as far as ListComplete says, from data. A type that differs in one
// of these embeds a Collection and replaces the method; methods of Collection call each other, never
// an outer one.
type Collection struct {
	Client *Client
	Type   *schema.Type
	Path   string // "/api/am/admin/v4/key-managers", escaped

	// ItemPath is the path before the id of one object, where it is not Path: API Manager lists
	// deny-policies, and one of them is a deny-policy.
	ItemPath string

	// NoItem says that no GET reads one object: it is looked for in the listing, which holds whole
	// objects.
	NoItem bool

	// ID is the member that holds the id, going down at each "/". "" is "id". An answer without it
	// is completed from its Location.
	ID string

	// Query is sent with each GET, of one object and of lists.
	Query url.Values

	// Paging is how the collection is listed. The zero Paging is one array of all elements.
	Paging Paging

	// ListComplete says that lists hold whole objects, as reading one by one gives them; then the
	// engine can list instead of reading. Otherwise lists hold summaries with the key at least.
	ListComplete bool

	// ListKeys says that the whole listing holds the first key attribute of every object that Find
	// would find, so that many objects are looked for in one reading of it. It needs Match.
	ListKeys bool

	// Filter narrows a listing to candidates for the key in wanted, which is unmarked; they are
	// compared again. Nil: all are listed.
	Filter func(wanted cty.Value) url.Values

	// Match reports whether raw, an element of a list as the server sent it, has the key of
	// wanted. Nil: Decode and the tables' normal form of the key attributes say so.
	Match func(raw map[string]any, wanted cty.Value) bool

	// Decode turns an object as the server sends it, in place, into the shape of the tables.
	// Encode is its inverse, for what is sent. Nil: they are the same.
	Decode, Encode func(object map[string]any) error

	// System reports whether an object, after Decode, is the server's own.
	System func(object map[string]any) bool

	// CreateStrip and UpdateStrip name members that are not sent by a create or a PUT, since the
	// server refuses them or takes them for something else.
	CreateStrip, UpdateStrip []string

	// BlankStrings says that the server does not tell an absent string from an empty one, so that
	// configurable strings are read as "" rather than null: then writing "" clears one for good.
	BlankStrings bool

	// ReadBack reads the object after each write, for servers whose answer is not the stored form.
	// It is done anyway when the answer holds no object. CreateAnswers excepts creates.
	ReadBack, CreateAnswers bool

	// ContentType of requests; "" is application/json.
	ContentType string
}

var _ interface {
	engine.Type
	engine.Lister
	engine.Directory
} = (*Collection)(nil)

// Schema returns the table.
func (c *Collection) Schema() *schema.Type { return c.Type }

// URL returns the path of the object with that id.
func (c *Collection) URL(id string) string {
	if c.ItemPath != "" {
		return c.ItemPath + "/" + url.PathEscape(id)
	}
	return c.Path + "/" + url.PathEscape(id)
}

// Read returns the object with that id.
func (c *Collection) Read(ctx context.Context, id string) (*engine.Object, error) {
	o, _, err := c.Fetch(ctx, id)
	return o, err
}

// Fetch returns the object with that id, and as it was sent, after Decode.
func (c *Collection) Fetch(ctx context.Context, id string) (*engine.Object, map[string]any, error) {
	raw, err := c.item(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	o, err := c.object(raw)
	if err != nil {
		return nil, nil, err
	}
	if err := c.Asked(id, o.ID); err != nil {
		return nil, nil, err
	}
	return o, raw, nil
}

// Asked returns an error if an answer to a read of the object with that id holds another: whatever
// answers JSON of another shape is not to be taken for an object without values.
func (c *Collection) Asked(id, got string) error {
	if got == id {
		return nil
	}
	return &Error{Method: http.MethodGet, Path: c.URL(id), answered: true, Message: fmt.Sprintf(
		"the answer is not the %s that was asked for: its id is %q and should be %q", c.Type.Name, got, id),
		Hint: c.Client.hintWrongServer()}
}

// Object makes the object of one as the server sent it, which it changes by Decode.
func (c *Collection) Object(raw map[string]any) (*engine.Object, error) { return c.object(raw) }

// item returns the object with that id as the server sends it.
func (c *Collection) item(ctx context.Context, id string) (map[string]any, error) {
	if !c.NoItem {
		var raw map[string]any
		return raw, c.Client.Get(ctx, c.URL(id), c.Query, &raw)
	}
	for raw, err := range c.Elements(ctx, nil) {
		if err != nil {
			return nil, err
		}
		if c.id(raw) == id {
			return raw, nil
		}
	}
	return nil, fmt.Errorf("%s: nothing with the id %q is listed: %w", c.Path, id, engine.ErrNotFound)
}

// object decodes raw, which it changes by Decode.
func (c *Collection) object(raw map[string]any) (*engine.Object, error) {
	if c.Decode != nil {
		if err := c.Decode(raw); err != nil {
			return nil, fmt.Errorf("%s: reading what the server sent: %w", c.Path, err)
		}
	}
	v, err := decode(&c.Type.Block, raw, c.BlankStrings)
	if err != nil {
		return nil, fmt.Errorf("%s: reading what the server sent: %w", c.Path, err)
	}
	o := &engine.Object{ID: c.id(raw), Value: v}
	o.System = c.System != nil && c.System(raw)
	return o, nil
}

// id returns the id in an object as the server sent it.
func (c *Collection) id(raw map[string]any) string {
	name := c.ID
	if name == "" {
		name = "id"
	}
	switch v := member(raw, name).(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// Create makes an object by POST.
func (c *Collection) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	body := Encode(&c.Type.Block, planned)
	if c.Encode != nil {
		if err := c.Encode(body); err != nil {
			return nil, &unwritten{err}
		}
	}
	for _, name := range c.CreateStrip {
		dropMember(body, name)
	}
	res, err := c.Client.Do(ctx, Request{Method: http.MethodPost, Path: c.Path, Body: body, ContentType: c.ContentType})
	if err != nil {
		return nil, Hide(err, planned)
	}
	return c.Created(ctx, res, planned)
}

// Created makes the object of the answer to a create, and reads it where the answer is not enough.
func (c *Collection) Created(ctx context.Context, res *Response, planned cty.Value) (*engine.Object, error) {
	var raw map[string]any
	id := ""
	if len(res.Body) > 0 {
		if err := res.JSON(&raw); err != nil && res.Location() == "" {
			return nil, c.Client.decode(Request{Method: http.MethodPost, Path: c.Path}, res, &raw)
		}
		id = c.id(raw)
	}
	if id == "" {
		id = res.Location()
	}
	if id == "" {
		return nil, fmt.Errorf("POST %s: the server answered %d without an id", c.Path, res.Status)
	}
	var made *engine.Object
	if raw != nil {
		var err error
		if made, err = c.object(raw); err != nil {
			return &engine.Object{ID: id, Value: known(&c.Type.Block, planned)}, err
		}
		made.ID = id
		if !c.ReadBack || c.CreateAnswers {
			return made, nil
		}
	}
	o, err := c.Read(ctx, id)
	if err != nil {
		if made == nil {
			made = &engine.Object{ID: id, Value: known(&c.Type.Block, planned)}
		}
		return made, fmt.Errorf("it was created as %s, but could not be read: %w", id, Unfound(err))
	}
	if made != nil {
		o.Value = c.once(o.Value, made.Value)
	}
	return o, nil
}

// once fills Once attributes, which only the answer to the create holds, into what was read.
func (c *Collection) once(read, made cty.Value) cty.Value {
	attrs := maps.Clone(read.AsValueMap())
	changed := false
	for i := range c.Type.Attributes {
		a := &c.Type.Attributes[i]
		if a.Once && attrs[a.Name].IsNull() && !made.GetAttr(a.Name).IsNull() {
			attrs[a.Name] = made.GetAttr(a.Name)
			changed = true
		}
	}
	if !changed {
		return read
	}
	return cty.ObjectVal(attrs)
}

// Current reads the object again before it is changed and returns it, as a value and as it was sent
// after Decode. It fails with engine.ErrMoved when what the plan changes is not as planned.
func (c *Collection) Current(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, map[string]any, error) {
	now, raw, err := c.Fetch(ctx, live.ID)
	if err != nil {
		return nil, nil, err
	}
	if err := Moved(&c.Type.Block, live.Value, planned, now.Value); err != nil {
		return nil, nil, &unwritten{err}
	}
	return now, raw, nil
}

// Update changes the object by PUT of the whole object as the server has it, with the planned
// values over it.
func (c *Collection) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, body, err := c.Current(ctx, live, planned)
	if err != nil {
		return nil, err
	}
	Overlay(&c.Type.Block, body, now.Value, Rebase(&c.Type.Block, live.Value, planned, now.Value))
	if c.Encode != nil {
		if err := c.Encode(body); err != nil {
			return nil, &unwritten{err}
		}
	}
	for _, name := range c.UpdateStrip {
		dropMember(body, name)
	}
	res, err := c.Client.Do(ctx, Request{Method: http.MethodPut, Path: c.URL(live.ID), Body: body, ContentType: c.ContentType})
	if err != nil {
		return nil, Hide(err, planned)
	}
	return c.Updated(ctx, live.ID, res)
}

// Updated makes the object of the answer to a change, or reads it.
func (c *Collection) Updated(ctx context.Context, id string, res *Response) (*engine.Object, error) {
	if !c.ReadBack && res != nil && len(res.Body) > 0 {
		var raw map[string]any
		if err := res.JSON(&raw); err == nil && c.id(raw) == id {
			return c.object(raw)
		}
	}
	o, err := c.Read(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("it was changed, but could not be read: %w", Unclear(err))
	}
	return o, nil
}

// Delete removes the object; one that is gone is no error.
func (c *Collection) Delete(ctx context.Context, live *engine.Object) error {
	if live.System {
		return &unwritten{fmt.Errorf("%s is the server's own and is not deleted", live.ID)}
	}
	_, err := c.Client.Do(ctx, Request{Method: http.MethodDelete, Path: c.URL(live.ID)})
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}

// Find returns the object with the key of wanted.
func (c *Collection) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	var filter url.Values
	if c.Filter != nil {
		filter = c.Filter(wanted)
	}
	for raw, err := range c.Elements(ctx, filter) {
		if err != nil {
			return nil, err
		}
		id := c.id(raw)
		if c.Match != nil {
			if !c.Match(raw, wanted) {
				continue
			}
			if !c.ListComplete && id != "" {
				return c.found(ctx, id)
			}
		}
		o, err := c.object(raw)
		if err != nil {
			if c.Match == nil && !c.ListComplete && id != "" {
				// A summary need not fit the tables; whose key it is shows when it is read.
				o, err = c.found(ctx, id)
			}
			if err != nil {
				return nil, err
			}
		}
		if c.Match == nil && !SameKey(c.Type, o.Value, wanted) {
			continue
		}
		if c.ListComplete || id == "" {
			return o, nil
		}
		return c.found(ctx, id)
	}
	return nil, fmt.Errorf("%s: %w", c.keyText(wanted), engine.ErrNotFound)
}

// found reads an object that a listing holds.
func (c *Collection) found(ctx context.Context, id string) (*engine.Object, error) {
	return c.Read(ctx, id)
}

// SameKey reports whether two values of a type have equal keys in normal form.
func SameKey(t *schema.Type, x, y cty.Value) bool {
	for _, name := range t.Key {
		a := t.Attribute(name)
		if !Equal(a, attr(x, name, a.Type), attr(y, name, a.Type)) {
			return false
		}
	}
	return true
}

func (c *Collection) keyText(v cty.Value) string {
	var parts []string
	for _, name := range c.Type.Key {
		if x := attr(v, name, cty.String); !x.IsNull() && x.IsKnown() && x.Type() == cty.String {
			parts = append(parts, fmt.Sprintf("%s %q", strings.ReplaceAll(name, "_", " "), x.AsString()))
		}
	}
	return c.Type.Name + " with " + strings.Join(parts, ", ")
}

// known returns planned without marks and with nulls for what is not known, for an object that
// exists and could not be read.
func known(b *schema.Block, planned cty.Value) cty.Value {
	planned, _ = planned.UnmarkDeep()
	v, err := cty.Transform(planned, func(_ cty.Path, v cty.Value) (cty.Value, error) {
		if !v.IsKnown() {
			return cty.NullVal(v.Type()), nil
		}
		return v, nil
	})
	if err != nil {
		return b.Object(nil)
	}
	return v
}

// unwritten is an error of ours before anything was sent to be written.
type unwritten struct{ err error }

func (u *unwritten) Error() string { return u.err.Error() }
func (u *unwritten) Unwrap() error { return u.err }

// Refused is true: nothing was written.
func (u *unwritten) Refused() bool { return true }

// Unwritten marks an error as one from before anything was sent to be written, so that
// engine.Refused is true for it.
func Unwritten(err error) error { return &unwritten{err} }

// Hide takes the secrets in planned, the marked strings, out of the server's words in err.
func Hide(err error, planned cty.Value) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	plain, paths := planned.UnmarkDeepWithPaths()
	hidden := newSecrets()
	for _, p := range paths {
		v, perr := p.Path.Apply(plain)
		if perr != nil {
			continue
		}
		_ = cty.Walk(v, func(_ cty.Path, x cty.Value) (bool, error) {
			if x.Type() == cty.String && x.IsKnown() && !x.IsNull() {
				hidden.add(x.AsString())
			}
			return true, nil
		})
	}
	e.Message, e.Description = hidden.scrub(e.Message), hidden.scrub(e.Description)
	return err
}
