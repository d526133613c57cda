package is

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

func (s *Server) listAuthorized(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.app.byID[c.PathValue("id")]
	if a == nil {
		return noApplication(c.PathValue("id"))
	}
	all := []any{}
	for _, authorized := range a.apis {
		api := s.api.byID[authorized.api]
		if api == nil {
			continue
		}
		scopes := []any{}
		for _, name := range authorized.scopes {
			if scope := s.api.scopes[name]; scope != nil {
				scopes = append(scopes, map[string]any{"id": scope.id, "name": name, "displayName": scope.displayName})
			}
		}
		details := []any{}
		for _, d := range api.details {
			if slices.Contains(authorized.details, d.kind) {
				details = append(details, map[string]any{"id": d.id, "type": d.kind, "name": d.name})
			}
		}
		all = append(all, map[string]any{
			"id": api.id, "identifier": api.identifier, "displayName": api.name, "policyId": authorized.policy, "type": api.kind, "authorizedScopes": scopes,
			"authorizedAuthorizationDetailsTypes": details,
		})
	}
	return object(http.StatusOK, all)
}

// checkScopes refuses scopes that an API resource does not have.
func (a *apiResource) checkScopes(names []string) *answer {
	for _, name := range names {
		if !slices.ContainsFunc(a.scopes, func(s *scope) bool { return s.name == name }) {
			return failure(http.StatusBadRequest, "APP-60508", "Scopes not found.", "One or more scopes not found for the API: "+name)
		}
	}
	return nil
}

// checkDetails refuses types of authorization details that an API resource does not have.
func (a *apiResource) checkDetails(kinds []string) *answer {
	for _, kind := range kinds {
		if !slices.ContainsFunc(a.details, func(d *detailsType) bool { return d.kind == kind }) {
			return failure(http.StatusBadRequest, "APP-60516", "Authorization details types not found.", "One or more authorization details types not found for the API: "+kind)
		}
	}
	return nil
}

// changeApplication runs a change of an application; an answer below 300 is a change that was made.
func (s *Server) changeApplication(c *call, change func(*application) *answer) *answer {
	a := func() *answer {
		s.mu.Lock()
		defer s.mu.Unlock()
		a := s.app.byID[c.PathValue("id")]
		if a == nil {
			return noApplication(c.PathValue("id"))
		}
		return change(a)
	}()
	if a.status < 300 {
		s.changed()
	}
	return a
}

// authorizeAPI answers 200 where the document says 201 (is-behaviour 9).
func (s *Server) authorizeAPI(c *call) *answer {
	var r struct {
		ID, PolicyIdentifier              string
		Scopes, AuthorizationDetailsTypes []string
	}
	if err := json.Unmarshal(c.body, &r); err != nil {
		return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Provided request body content is not in the expected format.")
	}
	policy := strings.ToUpper(r.PolicyIdentifier)
	if policy == "" {
		policy = "RBAC"
	}
	return s.changeApplication(c, func(a *application) *answer {
		api := s.api.byID[r.ID]
		switch {
		case api == nil:
			return failure(http.StatusNotFound, "APP-60507", "API not found.", "No API resource found with id: "+r.ID)
		case slices.ContainsFunc(a.apis, func(authorized *authorizedAPI) bool { return authorized.api == r.ID }):
			return failure(http.StatusConflict, "APP-60509", "API already authorized.", "API is already authorized for the application.")
		case policy != "RBAC" && (policy != "NO POLICY" || api.authorize):
			return failure(http.StatusBadRequest, "APP-60512", "Invalid policy.", "Invalid policy for the API: "+r.PolicyIdentifier)
		}
		if refused := api.checkScopes(r.Scopes); refused != nil {
			return refused
		}
		if refused := api.checkDetails(r.AuthorizationDetailsTypes); refused != nil {
			return refused
		}
		a.apis = append(a.apis, &authorizedAPI{api: r.ID, policy: policy, scopes: union(nil, r.Scopes), details: union(nil, r.AuthorizationDetailsTypes)})
		return empty(http.StatusOK)
	})
}

func (s *Server) changeAuthorized(c *call) *answer {
	var r struct {
		AddedScopes, RemovedScopes                                       []string
		AddedAuthorizationDetailsTypes, RemovedAuthorizationDetailsTypes []string
	}
	if err := json.Unmarshal(c.body, &r); err != nil {
		return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Provided request body content is not in the expected format.")
	}
	return s.changeApplication(c, func(a *application) *answer {
		at := slices.IndexFunc(a.apis, func(authorized *authorizedAPI) bool { return authorized.api == c.PathValue("api") })
		api := s.api.byID[c.PathValue("api")]
		if at < 0 || api == nil {
			return failure(http.StatusNotFound, "APP-60510", "API not authorized.", "The API is not authorized for the application.")
		}
		if refused := api.checkScopes(r.AddedScopes); refused != nil {
			return refused
		}
		if refused := api.checkDetails(r.AddedAuthorizationDetailsTypes); refused != nil {
			return refused
		}
		a.apis[at].details = slices.DeleteFunc(union(a.apis[at].details, r.AddedAuthorizationDetailsTypes), func(kind string) bool {
			return slices.Contains(r.RemovedAuthorizationDetailsTypes, kind)
		})
		a.apis[at].scopes = slices.DeleteFunc(union(a.apis[at].scopes, r.AddedScopes), func(name string) bool { return slices.Contains(r.RemovedScopes, name) })
		s.trimRoles(a)
		return empty(http.StatusOK)
	})
}

func (s *Server) unauthorizeAPI(c *call) *answer {
	return s.changeApplication(c, func(a *application) *answer {
		a.apis = slices.DeleteFunc(a.apis, func(authorized *authorizedAPI) bool { return authorized.api == c.PathValue("api") })
		s.trimRoles(a)
		return empty(http.StatusNoContent)
	})
}

// trimRoles takes scopes that an application no longer has out of its roles (is-behaviour 5).
func (s *Server) trimRoles(a *application) {
	for _, r := range s.dir.listed {
		if r.audience == "application" && r.audienceID == a.id {
			r.permissions = slices.DeleteFunc(r.permissions, func(name string) bool { return !s.app.authorizes(a.id, name) })
		}
	}
}
