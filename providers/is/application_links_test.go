package is

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

// Roles are linked after the audience, which the server refuses to take at once.
func TestAssociatedRoles(t *testing.T) {
	s := serve(t, nil)
	apps, roles, links, ctx := s.typ("is_application"), s.typ("is_role"), s.typ("is_application_roles"), t.Context()
	app := s.create(apps, map[string]cty.Value{"name": str("Shop")})
	organization := s.create(roles, map[string]cty.Value{"display_name": str("clerk")})
	key := map[string]cty.Value{"application_id": str(app.ID), "roles": strs(organization.ID)}
	if _, err := links.Find(ctx, wanted(links, key)); !errors.Is(err, engine.ErrNotFound) {
		t.Error(err)
	}
	path := "PATCH /api/server/v1/applications/" + app.ID + " "
	n := s.writes()
	_, err := links.Create(ctx, wanted(links, key))
	if attr := (*engine.AttributeError)(nil); !errors.As(err, &attr) || attr.Attribute != "roles" || !engine.Refused(err) {
		t.Errorf("a role of the organization: %v", err)
	}
	if d := cmp.Diff([]string{path + `{"associatedRoles":{"allowedAudience":"APPLICATION","roles":[]}}`,
		path + `{"associatedRoles":{"allowedAudience":"APPLICATION","roles":[{"id":"` + organization.ID + `"}]}}`}, s.written(n)); d != "" {
		t.Error(d)
	}
	role := func(name string) string {
		return s.create(roles, map[string]cty.Value{"display_name": str(name), "audience": str("application"), "application_id": str(app.ID)}).ID
	}
	clerk, boss, guest := role("clerk"), role("boss"), role("guest")
	o := s.create(links, map[string]cty.Value{"application_id": str(app.ID), "roles": strs(clerk)})
	if o.ID != app.ID || !o.Value.GetAttr("roles").RawEquals(strs(clerk)) {
		t.Errorf("%#v", o.Value)
	}
	stale := o
	o, wrote := s.update(links, o, over(o, map[string]cty.Value{"roles": strs(clerk, boss)}))
	if len(wrote) != 1 {
		t.Error(wrote)
	}
	if _, err := links.Update(ctx, stale, over(stale, map[string]cty.Value{"roles": strs(clerk, guest)})); !errors.Is(err, engine.ErrMoved) {
		t.Error(err)
	}
	if err := links.Delete(ctx, o); err != nil {
		t.Error(err)
	}
	n = s.writes()
	if err := links.Delete(ctx, o); err != nil || s.writes() != n {
		t.Error(err, s.written(n))
	}
	if _, err := roles.Read(ctx, clerk); err != nil {
		t.Errorf("the roles went with the links: %v", err)
	}
	if err := apps.Delete(ctx, app); err != nil {
		t.Error(err)
	}
	if err := links.Delete(ctx, o); err != nil {
		t.Error(err)
	}
	if _, err := links.Create(ctx, wanted(links, map[string]cty.Value{"application_id": str(app.ID), "roles": strs(clerk)})); err == nil || errors.Is(err, engine.ErrNotFound) || !engine.Refused(err) {
		t.Errorf("%v", err)
	}
	console, err := apps.Find(ctx, wanted(apps, map[string]cty.Value{"name": str("Console")}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := links.Create(ctx, wanted(links, map[string]cty.Value{"application_id": str(console.ID), "roles": strs(clerk)})); !engine.Refused(err) || !strings.Contains(err.Error(), "can only be read") {
		t.Errorf("%v", err)
	}
	if notNone("role")(strs()) == nil {
		t.Error("no roles")
	}
}

// Scopes of an authorised API change by difference, so that the roles of the application keep theirs.
func TestAuthorizedAPI(t *testing.T) {
	s := serve(t, nil)
	apps, resources, roles, authorized, ctx := s.typ("is_application"), s.typ("is_api_resource"), s.typ("is_role"), s.typ("is_application_authorized_api"), t.Context()
	app := s.create(apps, map[string]cty.Value{"name": str("Shop"), "allowed_audience": str("APPLICATION")})
	b := &resources.Schema().Block
	api := s.create(resources, map[string]cty.Value{"identifier": str("pay"), "name": str("Pay"), "scope": scopes(resources, "read", "write", "void"),
		"authorization_details_type": blocks(b, []string{"authorization_details_type"}, map[string]cty.Value{"type": str("t"), "name": str("Type"), "schema": str("{}")})})
	open := s.create(resources, map[string]cty.Value{"identifier": str("open"), "name": str("Open"), "requires_authorization": cty.False})
	attrs := func(set map[string]cty.Value) cty.Value {
		return inner(wanted(authorized, map[string]cty.Value{"application_id": str(app.ID), "api_resource_id": str(api.ID), "scopes": strs("read", "write")}), set)
	}
	for attribute, set := range map[string]map[string]cty.Value{
		"api_resource_id": {"api_resource_id": str("none")}, "scopes": {"scopes": strs("none")}, "policy": {"policy": str("No Policy")},
	} {
		_, err := authorized.Create(ctx, attrs(set))
		if attr := (*engine.AttributeError)(nil); !errors.As(err, &attr) || attr.Attribute != attribute || !engine.Refused(err) || errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: %v", attribute, err)
		}
	}
	o, err := authorized.Create(ctx, attrs(nil))
	if err != nil || o.ID != app.ID+"/"+api.ID || o.Value.GetAttr("policy").AsString() != "RBAC" || o.Value.GetAttr("identifier").AsString() != "pay" {
		t.Fatalf("%v %v", o, err)
	}
	var conflict interface{ Conflict() bool }
	if _, err := authorized.Create(ctx, attrs(nil)); !errors.As(err, &conflict) || !conflict.Conflict() {
		t.Error(err)
	}
	role := s.create(roles, map[string]cty.Value{"display_name": str("payer"), "audience": str("application"), "application_id": str(app.ID), "permissions": strs("read", "write")})
	o, wrote := s.update(authorized, o, over(o, map[string]cty.Value{"scopes": strs("read", "void"), "authorization_details_types": strs("t")}))
	if d := cmp.Diff([]string{"PATCH /api/server/v1/applications/" + app.ID + "/authorized-apis/" + api.ID +
		` {"addedAuthorizationDetailsTypes":["t"],"addedScopes":["void"],"removedAuthorizationDetailsTypes":[],"removedScopes":["write"]}`}, wrote); d != "" {
		t.Error(d)
	}
	if role, err := roles.Read(ctx, role.ID); err != nil || !role.Value.GetAttr("permissions").RawEquals(strs("read")) {
		t.Errorf("%v %v", role, err)
	}
	if o, wrote = s.update(authorized, o, over(o, nil)); len(wrote) != 0 {
		t.Error(wrote)
	}
	c := authorized.(authorizedAPI)
	if got := c.Consequence(engine.Update, o.Value, over(o, map[string]cty.Value{"scopes": strs("read")})); !strings.Contains(got, "void") {
		t.Error(got)
	}
	if got := c.Consequence(engine.Update, o.Value, o.Value); got != "" {
		t.Error(got)
	}
	free, err := authorized.Create(ctx, attrs(map[string]cty.Value{"api_resource_id": str(open.ID), "policy": str("No Policy"), "scopes": strs()}))
	if err != nil || free.Value.GetAttr("policy").AsString() != "No Policy" {
		t.Errorf("%v %v", free, err)
	}
	for range 2 {
		if err := authorized.Delete(ctx, o); err != nil {
			t.Error(err)
		}
	}
	for _, id := range []string{o.ID, "x", "a/b/c", "none/" + api.ID} {
		if _, err := authorized.Read(ctx, id); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
}
