package is

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// An apiResource groups scopes. Those of the server itself are not BUSINESS and cannot be changed.
type apiResource struct {
	id, name, identifier, description string
	kind                              string // BUSINESS, TENANT
	authorize                         bool   // requiresAuthorization
	scopes                            []*scope
	details                           []*detailsType
	at                                int // where it stands in listings: cursors hold it
}

// A scope is what roles call a permission. Its name is unique in the tenant.
type scope struct {
	id, name, displayName, description string
	api                                *apiResource
}

type apis struct {
	byID   map[string]*apiResource
	order  []*apiResource
	scopes map[string]*scope
	last   int
}

func newAPIs() apis { return apis{byID: map[string]*apiResource{}, scopes: map[string]*scope{}} }

func (l *apis) add(a *apiResource) {
	l.last++
	a.at = l.last
	l.byID[a.id] = a
	l.order = append(l.order, a)
	for _, scope := range a.scopes {
		scope.api = a
		l.scopes[scope.name] = scope
	}
}

const apisPath = "/api/server/v1/api-resources"

func (s *Server) apiRoutes() {
	const view, create, update, remove = "internal_api_resource_view", "internal_api_resource_create", "internal_api_resource_update", "internal_api_resource_delete"
	s.handle("GET "+apisPath, view, s.listAPIs)
	s.handle("POST "+apisPath, create, s.createAPI)
	s.handle("GET "+apisPath+"/{id}", view, s.getAPI)
	s.handle("PATCH "+apisPath+"/{id}", update, s.patchAPI)
	s.handle("DELETE "+apisPath+"/{id}", remove, s.deleteAPI)
	s.handle("GET "+apisPath+"/{id}/scopes", view, s.listScopes)
	s.handle("PUT "+apisPath+"/{id}/scopes", update, s.putScopes)
	s.handle("PATCH "+apisPath+"/{id}/scopes/{scope}", update, s.patchScope)
	s.handle("DELETE "+apisPath+"/{id}/scopes/{scope}", update, s.deleteScope)
	s.handle("GET /api/server/v1/scopes", view, s.allScopes)
	s.handle("GET "+apisPath+"/{id}/authorization-details-types", view, s.listDetails)
	s.handle("GET "+apisPath+"/{id}/authorization-details-types/{type}", view, s.getDetails)
	s.handle("PATCH "+apisPath+"/{id}/authorization-details-types/{type}", update, s.patchDetails)
	s.handle("DELETE "+apisPath+"/{id}/authorization-details-types/{type}", remove, s.deleteDetails)
}

func apiFailure(status int, code, description string) *answer {
	return failure(status, "API-RESOURCE-"+code, description, description)
}

func noAPI(id string) *answer {
	return failure(http.StatusNotFound, "API-RESOURCE-60002", "Unable to find the API resource.",
		"Unable to find the API resource with the id: "+id+" in the tenant domain.")
}

func scopeDocument(s *scope) map[string]any {
	return map[string]any{"id": s.id, "name": s.name, "displayName": s.displayName, "description": s.description}
}

func scopeDocuments(list []*scope) []any {
	all := []any{}
	for _, scope := range list {
		all = append(all, scopeDocument(scope))
	}
	return all
}

// apiDocument renders an API resource; lists show none of its scopes.
func apiDocument(a *apiResource, whole bool) map[string]any {
	d := map[string]any{
		"id": a.id, "name": a.name, "identifier": a.identifier, "type": a.kind, "requiresAuthorization": a.authorize, "self": tenantPrefix + apisPath + "/" + a.id,
	}
	if whole {
		d["description"], d["scopes"], d["properties"], d["authorizationDetailsTypes"] = a.description, scopeDocuments(a.scopes), []any{}, detailsDocuments(a.details)
	}
	return d
}

// listAPIs pages by cursor: after and before name the object at the page's edge, so that what is made or deleted meanwhile shifts nothing. Without
// limit a page has 10, and an over-large one is not brought down (is-behaviour 9).
func (s *Server) listAPIs(c *call) *answer {
	q := c.URL.Query()
	limit := 10
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return failure(http.StatusBadRequest, "API-RESOURCE-60010", "Invalid limit provided.", "Limit should be a positive integer.")
		}
		limit = n
	}
	after, before := q.Get("after"), q.Get("before")
	if after != "" && before != "" {
		return failure(http.StatusBadRequest, "API-RESOURCE-60011", "Invalid before/after provided.", "Both before and after parameters cannot be provided at the same time.")
	}
	edge := 0
	if cursor := after + before; cursor != "" {
		raw, err := base64.StdEncoding.DecodeString(cursor)
		n, err2 := strconv.Atoi(string(raw))
		if err != nil || err2 != nil {
			return apiFailure(http.StatusBadRequest, "60007", "Invalid cursor: "+cursor)
		}
		edge = n
	}
	for name := range strings.SplitSeq(q.Get("attributes"), ",") {
		if name != "" && name != "properties" {
			return failure(http.StatusBadRequest, "API-RESOURCE-60013", "Invalid attribute name.", "Invalid attribute name provided as required attribute.")
		}
	}
	match := func(*apiResource) bool { return true }
	if q.Get("filter") != "" {
		var refused *answer
		if match, refused = compileAPIs(q.Get("filter")); refused != nil {
			return refused
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var page []*apiResource
	total, more := 0, false
	for _, a := range s.api.order {
		if !match(a) {
			continue
		}
		total++
		switch {
		case after != "" && a.at <= edge, before != "" && a.at >= edge:
		case before != "": // the last ones before the edge
			if page = append(page, a); len(page) > limit {
				page, more = page[1:], true
			}
		case len(page) == limit:
			more = true
		default:
			page = append(page, a)
		}
	}
	list, links := []any{}, []any{}
	for _, a := range page {
		d := apiDocument(a, false)
		if q.Get("attributes") != "" {
			d["properties"] = []any{}
		}
		list = append(list, d)
	}
	link := func(rel, cursor string, at int) {
		href := "?limit=" + strconv.Itoa(limit)
		if filter := q.Get("filter"); filter != "" {
			href += "&filter=" + url.QueryEscape(filter)
		}
		href += "&" + cursor + "=" + base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(at)))
		links = append(links, map[string]any{"rel": rel, "href": tenantPrefix + apisPath + href})
	}
	if len(page) == 0 {
		total = 0 // whatever there is on other pages
	} else {
		if after != "" || before != "" && more {
			link("previous", "before", page[0].at)
		}
		if before != "" || more {
			link("next", "after", page[len(page)-1].at)
		}
	}
	// The member is apiResources, whatever the document says (is-behaviour 9).
	return object(http.StatusOK, map[string]any{"totalResults": total, "links": links, "apiResources": list})
}

func compileAPIs(text string) (func(*apiResource) bool, *answer) {
	var all []func(*apiResource) bool
	for part := range strings.SplitSeq(text, " and ") {
		words := strings.SplitN(strings.TrimSpace(part), " ", 3)
		if len(words) != 3 {
			return nil, apiFailure(http.StatusBadRequest, "60007", "Invalid filter: "+text)
		}
		c := condition{op: strings.ToLower(words[1]), value: strings.Trim(words[2], `"`)}
		field, ok := map[string]func(*apiResource) string{
			"name": func(a *apiResource) string { return a.name }, "identifier": func(a *apiResource) string { return a.identifier },
			"type": func(a *apiResource) string { return a.kind }, "id": func(a *apiResource) string { return a.id },
		}[words[0]]
		if !ok || !slices.Contains([]string{"eq", "ne", "co", "sw", "ew"}, c.op) {
			return nil, apiFailure(http.StatusBadRequest, "60007", "Invalid filter: "+text)
		}
		all = append(all, func(a *apiResource) bool { return c.holds(field(a), false) })
	}
	return func(a *apiResource) bool {
		return !slices.ContainsFunc(all, func(m func(*apiResource) bool) bool { return !m(a) })
	}, nil
}

func (s *Server) getAPI(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.api.byID[c.PathValue("id")]
	if a == nil {
		return noAPI(c.PathValue("id"))
	}
	return object(http.StatusOK, apiDocument(a, true))
}

type scopeRequest struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
}

// newScopes checks the scopes of a request, which must be free; those of own may be named again.
func (s *Server) newScopes(requests []scopeRequest, own *apiResource) ([]*scope, *answer) {
	var made []*scope
	for _, r := range requests {
		taken := s.api.scopes[r.Name]
		switch {
		case r.Name == "" || strings.ContainsAny(r.Name, " \t"):
			return nil, failure(http.StatusBadRequest, "API-RESOURCE-60005", "Invalid scope name provided.", "Scope name is required.")
		case strings.HasPrefix(r.Name, "internal_"):
			return nil, apiFailure(http.StatusBadRequest, "60008", "Restricted scope name: "+r.Name)
		case slices.Contains(oidcScopes, r.Name):
			return nil, apiFailure(http.StatusBadRequest, "60009", "Scope name is an OIDC scope: "+r.Name)
		case taken != nil && taken.api != own, slices.ContainsFunc(made, func(m *scope) bool { return m.name == r.Name }):
			return nil, apiFailure(http.StatusConflict, "60004", "Scope already exists: "+r.Name)
		}
		if r.DisplayName == "" {
			r.DisplayName = r.Name
		}
		made = append(made, &scope{id: newID(), name: r.Name, displayName: r.DisplayName, description: r.Description})
	}
	return made, nil
}

func (s *Server) createAPI(c *call) *answer {
	var r struct {
		Name, Identifier, Description string
		RequiresAuthorization         *bool
		Scopes                        []scopeRequest
		AuthorizationDetailsTypes     []detailsRequest
	}
	if err := json.Unmarshal(c.body, &r); err != nil {
		return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Provided request body content is not in the expected format.")
	}
	switch {
	case r.Name == "":
		return failure(http.StatusBadRequest, "API-RESOURCE-60003", "Invalid API resource name provided.", "API resource name is required.")
	case r.Identifier == "":
		return failure(http.StatusBadRequest, "API-RESOURCE-60004", "Invalid API resource identifier provided.", "API resource identifier is required.")
	}
	made, a := func() (*apiResource, *answer) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if slices.ContainsFunc(s.api.order, func(a *apiResource) bool { return a.identifier == r.Identifier }) {
			return nil, apiFailure(http.StatusConflict, "60003", "API resource already exists: "+r.Identifier)
		}
		scopes, refused := s.newScopes(r.Scopes, nil)
		if refused != nil {
			return nil, refused
		}
		details, refused := s.newDetails(r.AuthorizationDetailsTypes)
		if refused != nil {
			return nil, refused
		}
		made := &apiResource{id: newID(), name: r.Name, identifier: r.Identifier, description: r.Description, kind: "BUSINESS", scopes: scopes, details: details,
			authorize: r.RequiresAuthorization == nil || *r.RequiresAuthorization}
		s.api.add(made)
		return made, object(http.StatusCreated, apiDocument(made, true)).at(s.opts.Base + tenantPrefix + apisPath + "/" + made.id)
	}()
	if made != nil {
		s.changed()
	}
	return a
}

// changeAPI runs a change of an API resource that is not the server's own.
func (s *Server) changeAPI(c *call, change func(*apiResource) *answer) *answer {
	a := func() *answer {
		s.mu.Lock()
		defer s.mu.Unlock()
		a := s.api.byID[c.PathValue("id")]
		switch {
		case a == nil:
			return noAPI(c.PathValue("id"))
		case a.kind != "BUSINESS":
			return failure(http.StatusForbidden, "API-RESOURCE-60012", "Cannot modify or delete System APIs.", "Cannot modify or delete the read-only System APIs.")
		}
		return change(a)
	}()
	if a.status == http.StatusNoContent {
		s.changed()
	}
	return a
}

func (s *Server) hasAPI(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.api.byID[id] != nil
}

func (s *Server) patchAPI(c *call) *answer {
	var r struct {
		Name, Description *string
		AddedScopes       []scopeRequest
		RemovedScopes     *[]string
		detailsChange
	}
	if err := json.Unmarshal(c.body, &r); err != nil {
		return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Provided request body content is not in the expected format.")
	}
	return s.changeAPI(c, func(a *apiResource) *answer {
		if r.RemovedScopes != nil {
			return failure(http.StatusNotImplemented, "API-RESOURCE-60006", "Removed scopes patching is not supported yet.",
				"Removed scopes patching is not supported yet for API resources.")
		}
		made, refused := s.newScopes(r.AddedScopes, nil)
		if refused != nil {
			return refused
		}
		if refused := s.changeDetails(a, r.detailsChange); refused != nil {
			return refused
		}
		if r.Name != nil {
			a.name = *r.Name
		}
		if r.Description != nil {
			a.description = *r.Description
		}
		for _, m := range made {
			m.api = a
			a.scopes = append(a.scopes, m)
			s.api.scopes[m.name] = m
		}
		return empty(http.StatusNoContent)
	})
}

func (s *Server) deleteAPI(c *call) *answer {
	if !s.hasAPI(c.PathValue("id")) {
		return empty(http.StatusNoContent)
	}
	return s.changeAPI(c, func(a *apiResource) *answer {
		for _, scope := range a.scopes {
			s.dropScope(scope)
		}
		for _, d := range a.details {
			s.dropDetails(d)
		}
		for _, app := range s.app.order {
			app.apis = slices.DeleteFunc(app.apis, func(authorized *authorizedAPI) bool { return authorized.api == a.id })
		}
		delete(s.api.byID, a.id)
		s.api.order = slices.DeleteFunc(s.api.order, func(other *apiResource) bool { return other == a })
		return empty(http.StatusNoContent)
	})
}

// dropScope removes a scope from the tenant: roles and applications lose it too.
func (s *Server) dropScope(old *scope) {
	delete(s.api.scopes, old.name)
	for _, r := range s.dir.roles {
		r.permissions = slices.DeleteFunc(r.permissions, func(name string) bool { return name == old.name })
	}
	for _, app := range s.app.order {
		for _, authorized := range app.apis {
			authorized.scopes = slices.DeleteFunc(authorized.scopes, func(name string) bool { return name == old.name })
		}
	}
}

func (s *Server) listScopes(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.api.byID[c.PathValue("id")]
	if a == nil {
		return noAPI(c.PathValue("id"))
	}
	return object(http.StatusOK, scopeDocuments(a.scopes))
}

func (s *Server) allScopes(*call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := []any{}
	for _, a := range s.api.order {
		for _, scope := range a.scopes {
			d := scopeDocument(scope)
			d["apiID"] = a.id
			all = append(all, d)
		}
	}
	return object(http.StatusOK, all)
}

// putScopes replaces the set of scopes; those that stay keep their id.
func (s *Server) putScopes(c *call) *answer {
	var requests []scopeRequest
	if err := json.Unmarshal(c.body, &requests); err != nil {
		return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Provided request body content is not in the expected format.")
	}
	return s.changeAPI(c, func(a *apiResource) *answer {
		made, refused := s.newScopes(requests, a)
		if refused != nil {
			return refused
		}
		old := a.scopes
		a.scopes = made
		for _, m := range made {
			m.api = a
			if at := slices.IndexFunc(old, func(o *scope) bool { return o.name == m.name }); at >= 0 {
				m.id = old[at].id
			}
		}
		for _, o := range old {
			if !slices.ContainsFunc(made, func(m *scope) bool { return m.name == o.name }) {
				s.dropScope(o)
			}
		}
		for _, m := range made {
			s.api.scopes[m.name] = m
		}
		return empty(http.StatusNoContent)
	})
}

func (s *Server) patchScope(c *call) *answer {
	var r struct{ DisplayName, Description *string }
	if err := json.Unmarshal(c.body, &r); err != nil {
		return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Provided request body content is not in the expected format.")
	}
	return s.changeAPI(c, func(a *apiResource) *answer {
		found := s.api.scopes[c.PathValue("scope")]
		if found == nil || found.api != a {
			return apiFailure(http.StatusNotFound, "60005", "Scope not found: "+c.PathValue("scope"))
		}
		if r.DisplayName != nil && *r.DisplayName != "" {
			found.displayName = *r.DisplayName
		}
		if r.Description != nil {
			found.description = *r.Description
		}
		return empty(http.StatusNoContent)
	})
}

func (s *Server) deleteScope(c *call) *answer {
	if !s.hasAPI(c.PathValue("id")) {
		return empty(http.StatusNoContent)
	}
	return s.changeAPI(c, func(a *apiResource) *answer {
		if found := s.api.scopes[c.PathValue("scope")]; found != nil && found.api == a {
			s.dropScope(found)
			a.scopes = slices.DeleteFunc(a.scopes, func(other *scope) bool { return other == found })
		}
		return empty(http.StatusNoContent)
	})
}
