package apim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// A scopeChange is what the key managers are told of scopes once a call has changed the contents. What the connector does for it is in several
// requests, as in life: two calls at a time, of which both find no API resource, make it twice, and the scopes of one are lost; so are those of
// two that add to one role.
type scopeChange struct {
	action scopeAction
	scopes []namedScope // they are now
	gone   []string     // names
}

type scopeAction int

const (
	registerScopes scopeAction = iota // of a new API or a new shared scope
	replaceScopes                     // of an API that was changed
	updateScopes                      // of a shared scope that was changed
)

type namedScope struct {
	name, display, description string
	roles                      []string
}

// localScopes are the scopes of an API alone that its operations name: only those are registered.
func (a *apiRecord) localScopes() []namedScope {
	if a == nil || a.Product {
		return nil
	}
	var used []string
	for _, o := range operationsOf(a.Document) {
		used = append(used, list(o["scopes"])...)
	}
	var out []namedScope
	for _, s := range objects(a.Document["scopes"]) {
		scope := inner(s, "scope")
		if name := textOf(scope, "name"); s["shared"] != true && slices.Contains(used, name) {
			out = append(out, namedScope{name, name, textOf(scope, "description"), list(scope["bindings"])})
		}
	}
	return out
}

func (s *sharedScope) named() namedScope {
	return namedScope{s.Name, s.DisplayName, text(s.Description), s.Bindings}
}

// apiScopesKept notes how the scopes of an API changed; was and now are nil for an API that is not there.
func (c *call) apiScopesKept(was, now *apiRecord) {
	had, has := was.localScopes(), now.localScopes()
	if reflect.DeepEqual(had, has) {
		return
	}
	change := scopeChange{action: replaceScopes, scopes: has}
	if was == nil {
		change.action = registerScopes
	}
	for _, s := range had {
		// Another version of the API may have it still.
		if !slices.ContainsFunc(has, func(h namedScope) bool { return h.name == s.name }) && c.tenant.localScope(s.name) == nil {
			change.gone = append(change.gone, s.name)
		}
	}
	c.scopesChanged(change)
}

// apiScopesSent notes that an update of an API sends its scopes again, also those that are as they were.
func (c *call) apiScopesSent(a *apiRecord) {
	if len(c.scopeChanges) == 0 {
		c.scopesChanged(scopeChange{action: replaceScopes, scopes: a.localScopes()})
	}
}

func (c *call) scopesChanged(change scopeChange) {
	if len(change.scopes)+len(change.gone) > 0 {
		c.scopeChanges = append(c.scopeChanges, change)
	}
}

// tellKeyManagers passes on to the key managers of the tenant what a call changed of scopes. It is done when the contents are not locked. What
// fails is logged by the real server and not said in its answer; here it is not even logged.
func (c *call) tellKeyManagers() {
	if len(c.scopeChanges) == 0 {
		return
	}
	s := c.server
	var managers []remote
	s.mu.Lock()
	for _, k := range s.tenantOf(c.domain()).KeyManagers.list {
		if isTrue(k.Enabled) && s.loaded(k) && connectorOf(*k.Type).dialect == is7Dialect {
			managers = append(managers, c.remote(k, ""))
		}
	}
	s.mu.Unlock()
	ctx := context.WithoutCancel(c.request.Context())
	for _, m := range managers {
		r := is7Scopes{m}
		for _, change := range c.scopeChanges {
			_ = r.apply(ctx, change)
		}
	}
}

// is7Scopes is the part of the connector WSO2-IS-7 that keeps scopes: as scopes of one API resource of Identity Server, bound to roles there.
type is7Scopes struct{ remote }

const (
	is7Resource     = "User-defined-oauth2-resource"
	is7ResourceName = "User-defined OAuth2 Resource"
)

func (r is7Scopes) apply(ctx context.Context, change scopeChange) error {
	for _, name := range change.gone {
		id, err := r.resource(ctx)
		if err != nil || id == "" {
			return err
		}
		if err := r.send(ctx, http.MethodDelete, r.resources()+"/"+id+"/scopes/"+url.PathEscape(name), nil, nil); err != nil {
			return err
		}
	}
	if change.action == replaceScopes {
		return r.register(ctx, change.scopes)
	}
	for _, s := range change.scopes {
		exists := change.action == updateScopes
		if !exists {
			var err error
			if exists, err = r.exists(ctx, s.name); err != nil {
				continue // the next one is tried all the same
			}
		}
		if exists {
			_ = r.update(ctx, s)
		} else {
			_ = r.register(ctx, []namedScope{s})
		}
	}
	return nil
}

func (r is7Scopes) resources() string {
	return strings.TrimRight(textOf(r.km.AdditionalProperties, "api_resource_management_endpoint"), "/")
}

func (r is7Scopes) roles() string {
	return strings.TrimRight(textOf(r.km.AdditionalProperties, "is7_roles_endpoint"), "/")
}

func (r is7Scopes) send(ctx context.Context, method, at string, body, into any) error {
	authorization, err := r.authorization(ctx)
	if err != nil {
		return err
	}
	var payload []byte
	if body != nil {
		if payload, err = json.Marshal(body); err != nil {
			return err
		}
	}
	if into == nil {
		into = new(any)
	}
	return r.call(ctx, method, at, "application/json", payload, authorization, into)
}

// resource returns the id of the API resource, empty when there is none.
func (r is7Scopes) resource(ctx context.Context) (string, error) {
	var out struct {
		APIResources []struct{ ID string } `json:"apiResources"`
	}
	query := url.Values{"filter": {"identifier eq " + is7Resource}}
	if err := r.send(ctx, http.MethodGet, r.resources()+"?"+query.Encode(), nil, &out); err != nil || len(out.APIResources) == 0 {
		return "", err
	}
	return out.APIResources[0].ID, nil
}

func (r is7Scopes) names(ctx context.Context, id string) ([]string, error) {
	var out []struct{ Name string }
	err := r.send(ctx, http.MethodGet, r.resources()+"/"+id+"/scopes", nil, &out)
	names := []string{}
	for _, s := range out {
		names = append(names, s.Name)
	}
	return names, err
}

func (r is7Scopes) exists(ctx context.Context, name string) (bool, error) {
	id, err := r.resource(ctx)
	if err != nil || id == "" {
		return false, err
	}
	names, err := r.names(ctx, id)
	return slices.Contains(names, name), err
}

// register adds scopes to the API resource, or makes it of them, and binds them to roles.
func (r is7Scopes) register(ctx context.Context, scopes []namedScope) error {
	id, err := r.resource(ctx)
	if err != nil {
		return err
	}
	var known []string
	if id != "" {
		if known, err = r.names(ctx, id); err != nil {
			return err
		}
	}
	added := []map[string]any{}
	for _, s := range scopes {
		if !slices.Contains(known, s.display) { // the connector looks for the display name among the names
			added = append(added, map[string]any{"name": s.name, "displayName": s.display, "description": s.description})
		}
	}
	switch {
	case id == "":
		err = r.send(ctx, http.MethodPost, r.resources(), map[string]any{"identifier": is7Resource, "name": is7ResourceName,
			"description": "This is Default OAuth2 Resource Representation", "requiresAuthorization": true, "scopes": added}, nil)
	case len(added) > 0:
		err = r.send(ctx, http.MethodPatch, r.resources()+"/"+id, map[string]any{"addedScopes": added}, nil)
	}
	if err != nil {
		return err
	}
	for _, s := range scopes {
		for _, role := range s.roles {
			if err := r.bind(ctx, s, role); err != nil {
				return err
			}
		}
	}
	return nil
}

// update changes a scope that is there, and its bindings to what is wanted.
func (r is7Scopes) update(ctx context.Context, s namedScope) error {
	id, err := r.resource(ctx)
	if err != nil {
		return err
	}
	if id != "" {
		if err := r.send(ctx, http.MethodPatch, r.resources()+"/"+id+"/scopes/"+url.PathEscape(s.name),
			map[string]any{"displayName": s.display, "description": s.description}, nil); err != nil {
			return err
		}
	}
	all, err := r.search(ctx, "")
	if err != nil {
		return err
	}
	var bound []string
	for _, role := range all {
		if slices.ContainsFunc(role.Permissions, func(p is7Permission) bool { return p.Value == s.name }) {
			name, primary := strings.CutPrefix(role.DisplayName, is7Primary)
			if !primary {
				name = "Internal/" + name
			}
			bound = append(bound, name)
		}
	}
	for _, role := range s.roles {
		if !slices.Contains(bound, role) {
			if err := r.bind(ctx, s, role); err != nil {
				return err
			}
		}
	}
	for _, role := range bound {
		if !slices.Contains(s.roles, role) {
			if err := r.unbind(ctx, s.name, role); err != nil {
				return err
			}
		}
	}
	return nil
}

// is7Primary begins the names of roles that stand for roles of API Manager's primary user store; "Internal/x" is the role x.
const is7Primary = "system_primary_"

func is7Role(role string) string {
	if internal, ok := strings.CutPrefix(role, "Internal/"); ok {
		return internal
	}
	return is7Primary + role
}

type is7Permission struct {
	Value   string `json:"value"`
	Display string `json:"display,omitempty"`
}

type is7RoleBody struct {
	ID          string          `json:"id"`
	DisplayName string          `json:"displayName"`
	Permissions []is7Permission `json:"permissions"`
}

func (r is7Scopes) search(ctx context.Context, filter string) ([]is7RoleBody, error) {
	body := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}}
	if filter != "" {
		body["filter"] = filter
	}
	var out struct{ Resources []is7RoleBody }
	err := r.send(ctx, http.MethodPost, r.roles()+"/.search", body, &out)
	return out.Resources, err
}

// bind adds a scope to the permissions of a role, which is found by its name alone, or makes the role where the key manager makes roles.
func (r is7Scopes) bind(ctx context.Context, s namedScope, role string) error {
	found, err := r.search(ctx, "displayName eq "+is7Role(role))
	if err != nil {
		return err
	}
	permission := is7Permission{s.name, s.display}
	if len(found) > 0 {
		return r.permissions(ctx, found[0].ID, func(now []is7Permission) []is7Permission { return append(now, permission) })
	}
	if !r.makesRoles() {
		return nil
	}
	return r.send(ctx, http.MethodPost, r.roles(), map[string]any{"displayName": is7Role(role), "permissions": []is7Permission{permission}}, nil)
}

func (r is7Scopes) unbind(ctx context.Context, scope, role string) error {
	found, err := r.search(ctx, "displayName eq "+is7Role(role))
	if err != nil || len(found) == 0 {
		return err
	}
	return r.permissions(ctx, found[0].ID, func(now []is7Permission) []is7Permission {
		return slices.DeleteFunc(now, func(p is7Permission) bool { return p.Value == scope })
	})
}

// permissions reads the permissions of a role and replaces them.
func (r is7Scopes) permissions(ctx context.Context, id string, change func([]is7Permission) []is7Permission) error {
	var role is7RoleBody
	if err := r.send(ctx, http.MethodGet, r.roles()+"/"+id, nil, &role); err != nil {
		return err
	}
	wanted := change(slices.Clone(role.Permissions))
	if wanted == nil {
		wanted = []is7Permission{}
	}
	return r.send(ctx, http.MethodPatch, r.roles()+"/"+id, map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{map[string]any{"op": "replace", "value": map[string]any{"permissions": wanted}}}}, nil)
}

// makesRoles tells whether enable_roles_creation is on: a checkbox, sent as its value, a list of it, or a boolean.
func (r is7Scopes) makesRoles() bool {
	switch v := r.km.AdditionalProperties["enable_roles_creation"].(type) {
	case bool:
		return v
	case string:
		return v == "Enable" || strings.EqualFold(v, "true")
	case []any:
		return slices.Contains(v, any("Enable"))
	}
	return false
}
