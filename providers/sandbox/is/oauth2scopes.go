package is

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// An oauthScope is a scope of the older API /api/identity/oauth2/v1.0/scopes, bound to roles by their names. In 7.x tokens go by API resources; such
// scopes are kept and open nothing (is-behaviour 10).
type oauthScope struct {
	Name        string         `json:"name"`
	DisplayName string         `json:"displayName"`
	Description string         `json:"description"`
	Bindings    []string       `json:"bindings"`
	ScopeBinds  []scopeBinding `json:"scopeBindings"`
}

type scopeBinding struct {
	Type   string   `json:"bindingType"`
	Values []string `json:"binding"`
}

const oauthScopesPath = "/api/identity/oauth2/v1.0/scopes"

func (s *Server) oauthScopeRoutes() {
	s.handle("POST "+oauthScopesPath, "internal_application_mgt_create", s.createOAuthScope)
	s.handle("GET "+oauthScopesPath, "internal_application_mgt_view", s.listOAuthScopes)
	one := oauthScopesPath + "/name/{name}"
	s.handle("GET "+one, "internal_application_mgt_view", s.getOAuthScope) // and HEAD
	s.handle("PUT "+one, "internal_application_mgt_update", s.putOAuthScope)
	s.handle("DELETE "+one, "internal_application_mgt_delete", s.deleteOAuthScope)
}

func scopeFailure(status int, code, message, description string) *answer {
	return object(status, map[string]string{"code": code, "message": message, "description": description, "traceId": newID()})
}

func noScope(name string) *answer {
	return scopeFailure(http.StatusNotFound, "41003", "Scope not found.", "Scope "+name+" is not found.")
}

// normal makes the two forms of bindings say the same: scopeBindings of type DEFAULT, and their roles in bindings.
func (o oauthScope) normal() oauthScope {
	if len(o.ScopeBinds) == 0 && len(o.Bindings) > 0 {
		o.ScopeBinds = []scopeBinding{{"DEFAULT", o.Bindings}}
	}
	o.Bindings = []string{}
	for _, b := range o.ScopeBinds {
		if strings.EqualFold(b.Type, "DEFAULT") {
			o.Bindings = append(o.Bindings, b.Values...)
		}
	}
	if o.ScopeBinds == nil {
		o.ScopeBinds = []scopeBinding{}
	}
	return o
}

// readScope reads a scope and refuses names that the API may not touch.
func readScope(body []byte, name string) (oauthScope, *answer) {
	var o oauthScope
	if err := json.Unmarshal(body, &o); err != nil {
		return o, scopeFailure(http.StatusBadRequest, "41001", "Bad request.", "The request body is not valid JSON.")
	}
	if name != "" {
		o.Name = name
	}
	switch {
	case o.Name == "":
		return o, scopeFailure(http.StatusBadRequest, "41001", "Scope name is not specified.", "Scope name is not specified.")
	case strings.ContainsAny(o.Name, " \t"):
		return o, scopeFailure(http.StatusBadRequest, "41006", "Scope name contains white spaces.", "Scope name contains white spaces: "+o.Name)
	case o.DisplayName == "":
		return o, scopeFailure(http.StatusBadRequest, "41002", "Scope display name is not specified.", "Scope display name is not specified.")
	case strings.HasPrefix(o.Name, "internal_"):
		return o, scopeFailure(http.StatusForbidden, "41008", "Internal scopes cannot be changed.", "Internal scopes cannot be changed: "+o.Name)
	}
	return o.normal(), nil
}

func (s *Server) findOAuthScope(name string) int {
	return slices.IndexFunc(s.oauthScopes, func(o oauthScope) bool { return o.Name == name })
}

func (s *Server) createOAuthScope(c *call) *answer {
	o, refused := readScope(c.body, "")
	if refused != nil {
		return refused
	}
	s.mu.Lock()
	if s.findOAuthScope(o.Name) >= 0 || slices.Contains(oidcScopes, o.Name) || s.api.scopes[o.Name] != nil {
		s.mu.Unlock()
		return scopeFailure(http.StatusConflict, "41007", "Scope already exists.", "Scope with the name "+o.Name+" already exists in the system.")
	}
	s.oauthScopes = append(s.oauthScopes, o)
	s.mu.Unlock()
	s.changed()
	return object(http.StatusCreated, o).at(s.opts.Base + oauthScopesPath + "/name/" + url.PathEscape(o.Name))
}

// listOAuthScopes answers a plain array: all of them, a window, or those that are named.
func (s *Server) listOAuthScopes(c *call) *answer {
	q := c.URL.Query()
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := slices.Clone(s.oauthScopes)
	if q.Get("includeOIDCScopes") == "true" {
		for _, name := range oidcScopes {
			all = append(all, oauthScope{Name: name, DisplayName: name}.normal())
		}
	}
	if named := strings.Fields(q.Get("requestedScopes")); len(named) > 0 {
		all = slices.DeleteFunc(all, func(o oauthScope) bool { return !slices.Contains(named, o.Name) })
	}
	from, err1 := strconv.Atoi(q.Get("startIndex"))
	count, err2 := strconv.Atoi(q.Get("count"))
	if err1 == nil {
		all = all[min(max(from-1, 0), len(all)):]
	}
	if err2 == nil {
		all = all[:min(max(count, 0), len(all))]
	}
	return object(http.StatusOK, append([]oauthScope{}, all...))
}

func (s *Server) getOAuthScope(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := s.findOAuthScope(c.PathValue("name"))
	if i < 0 {
		return noScope(c.PathValue("name"))
	}
	return object(http.StatusOK, s.oauthScopes[i])
}

func (s *Server) putOAuthScope(c *call) *answer {
	o, refused := readScope(c.body, c.PathValue("name"))
	if refused != nil {
		return refused
	}
	s.mu.Lock()
	i := s.findOAuthScope(o.Name)
	if i < 0 {
		s.mu.Unlock()
		return noScope(o.Name)
	}
	s.oauthScopes[i] = o
	s.mu.Unlock()
	s.changed()
	return object(http.StatusOK, o)
}

func (s *Server) deleteOAuthScope(c *call) *answer {
	s.mu.Lock()
	i := s.findOAuthScope(c.PathValue("name"))
	if i < 0 {
		s.mu.Unlock()
		return noScope(c.PathValue("name"))
	}
	s.oauthScopes = slices.Delete(s.oauthScopes, i, i+1)
	s.mu.Unlock()
	s.changed()
	return empty(http.StatusNoContent)
}
