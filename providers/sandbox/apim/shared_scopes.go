package apim

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// sharedScope is a scope that several APIs can use.
type sharedScope struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	DisplayName string   `json:"displayName"`
	Description *string  `json:"description"`
	Bindings    []string `json:"bindings"`
}

func (s *sharedScope) rowID() string { return s.ID }

func sharedScopeRoutes() []route {
	view := []string{"apim:api_view", "apim:shared_scope_manage"}
	manage := []string{"apim:shared_scope_manage"}
	exists := route{api: publisher, method: http.MethodHead, path: "/scopes/{scope}", scopes: []string{"apim:api_create", "apim:api_publish", "apim:api_manage",
		"apim:shared_scope_manage"}, run: headScope}
	return []route{
		get(publisher, "/scopes", view, listSharedScopes),
		post(publisher, "/scopes", manage, addSharedScope),
		get(publisher, "/scopes/{scope}", view, readSharedScope),
		put(publisher, "/scopes/{scope}", manage, updateSharedScope),
		remove(publisher, "/scopes/{scope}", manage, deleteSharedScope),
		get(publisher, "/scopes/{scope}/usage", append(slices.Clone(view), "apim:api_manage"), sharedScopeUsage),
		exists,
	}
}

func (t *tenant) sharedScope(name string) *sharedScope {
	return t.SharedScopes.find(func(s *sharedScope) bool { return s.Name == name })
}

// scopeUsers are the APIs that use a shared scope.
func (t *tenant) scopeUsers(name string) []*apiRecord {
	var out []*apiRecord
	for _, a := range t.APIs.list {
		if slices.ContainsFunc(objects(a.Document["scopes"]), func(s map[string]any) bool {
			return s["shared"] == true && textOf(inner(s, "scope"), "name") == name
		}) {
			out = append(out, a)
		}
	}
	return out
}

func (c *call) shownScope(s *sharedScope) map[string]any {
	bindings := s.Bindings
	if bindings == nil {
		bindings = []string{}
	}
	return map[string]any{"id": s.ID, "name": s.Name, "displayName": s.DisplayName, "description": s.Description, "bindings": bindings,
		"usageCount": len(c.tenant.scopeUsers(s.Name))}
}

// shownScopes are the scopes of an API as answers show them: shared ones as they are now.
func (c *call) shownScopes(v any) []any {
	out := []any{}
	for _, s := range objects(v) {
		if shared := c.tenant.sharedScope(textOf(inner(s, "scope"), "name")); shared != nil && s["shared"] == true {
			s = map[string]any{"scope": c.shownScope(shared), "shared": true}
		}
		out = append(out, s)
	}
	return out
}

func listSharedScopes(c *call) *answer {
	out := []map[string]any{}
	for _, s := range c.tenant.SharedScopes.list {
		out = append(out, c.shownScope(s))
	}
	return page(c, out, pageLinks{})
}

// readScopeBody reads the body of a create or an update. The display name is required; blanks in the name pass, and roles need not exist (seen).
func (c *call) readScopeBody() (*scopeBody, *answer) {
	var b scopeBody
	if bad := readBody(c.body, &b); bad != nil {
		return nil, bad
	}
	if text(b.DisplayName) == "" {
		return nil, refuse(http.StatusBadRequest, 900987, "Shared Scope display name not specified", "Shared Scope display name not specified")
	}
	return &b, nil
}

func addSharedScope(c *call) *answer {
	b, bad := c.readScopeBody()
	if bad != nil {
		return bad
	}
	if c.tenant.sharedScope(*b.Name) != nil || c.tenant.localScope(*b.Name) != nil {
		return refuse(http.StatusConflict, 900984, "Scope already exists", "Scope "+*b.Name+" already exists")
	}
	s := &sharedScope{ID: newID(), Name: *b.Name, DisplayName: *b.DisplayName, Description: b.Description, Bindings: b.Bindings}
	c.tenant.SharedScopes.add(s)
	c.scopesChanged(scopeChange{action: registerScopes, scopes: []namedScope{s.named()}})
	return created(publisher.location+"/scopes/"+s.ID, c.shownScope(s))
}

// ownScope finds the shared scope of the path.
func (c *call) ownScope() (*sharedScope, *answer) {
	s := c.tenant.SharedScopes.get(c.vars["scope"])
	if s == nil {
		return nil, refuse(http.StatusNotFound, 900981, "Shared Scope not found", "Requested Shared Scope ID  "+c.vars["scope"]+" could not be found")
	}
	return s, nil
}

func readSharedScope(c *call) *answer {
	s, bad := c.ownScope()
	if bad != nil {
		return bad
	}
	return ok(c.shownScope(s))
}

// updateSharedScope replaces all but the name, which is silently the stored one.
func updateSharedScope(c *call) *answer {
	b, bad := c.readScopeBody()
	if bad != nil {
		return bad
	}
	s, bad := c.ownScope()
	if bad != nil {
		return bad
	}
	changed := *s
	changed.DisplayName, changed.Description, changed.Bindings = *b.DisplayName, b.Description, b.Bindings
	c.tenant.SharedScopes.replace(&changed)
	c.scopesChanged(scopeChange{action: updateScopes, scopes: []namedScope{changed.named()}})
	return ok(c.shownScope(&changed))
}

func deleteSharedScope(c *call) *answer {
	s, bad := c.ownScope()
	if bad != nil {
		return bad
	}
	if len(c.tenant.scopeUsers(s.Name)) > 0 {
		return refuse(http.StatusConflict, 900985, "Scope already attached", "Scope "+s.Name+" is already used by one or more APIs")
	}
	c.tenant.SharedScopes.remove(s.ID)
	c.scopesChanged(scopeChange{gone: []string{s.Name}})
	return empty(http.StatusOK)
}

// headScope tells whether a scope of a name exists, shared or of an API; the name is in base64url without padding.
func headScope(c *call) *answer {
	name, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(c.vars["scope"], "="))
	if err != nil || c.tenant.sharedScope(string(name)) == nil && c.tenant.localScope(string(name)) == nil {
		return empty(http.StatusNotFound)
	}
	return empty(http.StatusOK)
}

func sharedScopeUsage(c *call) *answer {
	s, bad := c.ownScope()
	if bad != nil {
		return bad
	}
	apis := []map[string]any{}
	for _, a := range c.tenant.scopeUsers(s.Name) {
		used := []map[string]any{}
		for _, o := range operationsOf(a.Document) {
			if slices.Contains(list(o["scopes"]), s.Name) {
				used = append(used, map[string]any{"target": o["target"], "verb": o["verb"]})
			}
		}
		apis = append(apis, map[string]any{"name": a.Document["name"], "context": a.Document["context"], "version": a.Document["version"],
			"provider": a.Document["provider"], "revisionID": nil, "usedResourceList": used})
	}
	return ok(map[string]any{"id": s.ID, "name": s.Name, "usedApiList": apis, "usages": []any{}})
}
