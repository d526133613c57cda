package is

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// associatedRoles is the type of the links between an application and its roles: a part of the
// application, which is made after the roles, as these are after the application (is-behaviour 7).
type associatedRoles struct {
	client *rest.Client
	table  *schema.Type
}

func newAssociatedRoles(c *rest.Client) engine.Type {
	return associatedRoles{client: c, table: associatedRolesType()}
}

func associatedRolesType() *schema.Type {
	return &schema.Type{
		Name: "is_application_roles",
		Doc: "Which of an application's own roles, those of the audience `application`, count for its users. It gives the application the audience `APPLICATION`. " +
			"Deleting it takes the links away and leaves the roles and the audience, since the server deletes an application's roles when the audience changes. " +
			"Its id is the application's.",
		Key: []string{"application_id"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The application's id."},
			{Name: "application_id", Type: cty.String, Required: true, RequiresReplace: true, Parent: true, Doc: "Id of the application."},
			{Name: "allowed_audience", Type: cty.String, ReadOnly: true, JSON: "allowedAudience", Doc: "Always `APPLICATION`: only then has an application roles of its own."},
			{Name: "roles", Type: cty.Set(cty.String), Required: true, Validate: notNone("role"), Doc: "Ids of all roles that are linked."},
		}},
	}
}

// notNone refuses an empty set.
func notNone(what string) func(cty.Value) error {
	return func(v cty.Value) error {
		if v.LengthInt() == 0 {
			return fmt.Errorf("it names no %s; remove the resource instead", what)
		}
		return nil
	}
}

// Schema returns the table.
func (t associatedRoles) Schema() *schema.Type { return t.table }

// links is what an application says of its roles.
type links struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	Access          string `json:"access"`
	AssociatedRoles struct {
		Audience string `json:"allowedAudience"`
		Roles    []struct {
			ID string `json:"id"`
		} `json:"roles"`
	} `json:"associatedRoles"`
}

func applicationPath(id string) string { return applicationsPath + "/" + url.PathEscape(id) }

func (t associatedRoles) links(ctx context.Context, id string) (links, error) {
	var l links
	if err := t.client.Get(ctx, applicationPath(id), nil, &l); err != nil {
		return l, err
	}
	if l.ID != id {
		return l, fmt.Errorf("GET %s: the answer is not the application that was asked for: its id is %q", applicationPath(id), l.ID)
	}
	return l, nil
}

// Find returns the links of the application.
func (t associatedRoles) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	return t.Read(ctx, stringOf(wanted, "application_id"))
}

// Read returns the links of the application with that id. Without any, there are none to own.
func (t associatedRoles) Read(ctx context.Context, id string) (*engine.Object, error) {
	l, err := t.links(ctx, id)
	if err != nil {
		return nil, err
	}
	if l.AssociatedRoles.Audience != applicationRoles || len(l.AssociatedRoles.Roles) == 0 {
		return nil, fmt.Errorf("roles of application %s: %w", id, engine.ErrNotFound)
	}
	roles := make([]cty.Value, len(l.AssociatedRoles.Roles))
	for i, r := range l.AssociatedRoles.Roles {
		roles[i] = cty.StringVal(r.ID)
	}
	return &engine.Object{ID: id, System: reservedName(l.Name), Value: t.table.Object(map[string]cty.Value{
		"id": cty.StringVal(id), "application_id": cty.StringVal(id), "allowed_audience": cty.StringVal(applicationRoles), "roles": cty.SetVal(roles),
	})}, nil
}

// link sends the audience and all links of an application, which a PATCH replaces.
func (t associatedRoles) link(ctx context.Context, w *writes, id string, roles []string) error {
	list := make([]any, len(roles))
	for i, r := range roles {
		list[i] = map[string]any{"id": r}
	}
	_, err := w.send(ctx, rest.Request{
		Method: http.MethodPatch, Path: applicationPath(id), Idempotent: true,
		Body: map[string]any{"associatedRoles": map[string]any{"allowedAudience": applicationRoles, "roles": list}},
	})
	if rest.StatusOf(err) == http.StatusBadRequest && len(roles) > 0 {
		return &engine.AttributeError{Attribute: "roles", Summary: "Role of another audience", Err: err}
	}
	return err
}

// Create links the roles. As long as the application has the audience ORGANIZATION the server refuses
// a request that names roles, even one that changes the audience; so that comes first.
func (t associatedRoles) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	id := stringOf(planned, "application_id")
	now, err := t.links(ctx, id)
	if err != nil {
		return nil, rest.Unwritten(fmt.Errorf("reading the application: %w", rest.Unfound(err)))
	}
	if now.Access == "READ" {
		return nil, rest.Unwritten(readOnly(now.Name))
	}
	w := &writes{client: t.client, planned: planned}
	if now.AssociatedRoles.Audience != applicationRoles {
		if err := t.link(ctx, w, id, nil); err != nil {
			return nil, err
		}
	}
	if err := t.link(ctx, w, id, stringsOf(planned.GetAttr("roles"))); err != nil {
		return nil, err // the audience alone is nothing to own
	}
	o, err := t.Read(ctx, id)
	if err != nil {
		return made(&t.table.Block, id, planned), fmt.Errorf("the roles were linked, but could not be read: %w", rest.Unfound(err))
	}
	return o, notKept(t.table, cty.NullVal(planned.Type()), planned, o)
}

// Update sends all links: a PATCH replaces them.
func (t associatedRoles) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, err := t.Read(ctx, live.ID)
	if err != nil {
		return nil, err
	}
	if err := rest.Moved(&t.table.Block, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	planned = rest.Rebase(&t.table.Block, live.Value, planned, now.Value)
	w := &writes{client: t.client, planned: planned}
	o, err := w.result(ctx, live.ID, t.link(ctx, w, live.ID, stringsOf(planned.GetAttr("roles"))), t.Read)
	if err != nil {
		return o, err
	}
	return o, notKept(t.table, now.Value, planned, o)
}

// Delete takes all links away. The audience stays: with it the roles would go.
func (t associatedRoles) Delete(ctx context.Context, live *engine.Object) error {
	if live.System {
		return rest.Unwritten(fmt.Errorf("the roles of application %s are the server's own", live.ID))
	}
	// Without any there is nothing to send, and an application that went back to the audience
	// ORGANIZATION is not changed again.
	switch _, err := t.Read(ctx, live.ID); {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	err := t.link(ctx, &writes{client: t.client, planned: live.Value}, live.ID, nil)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}
