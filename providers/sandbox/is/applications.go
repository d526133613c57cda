package is

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An application is a service provider; with a client, it is the owner of an OAuth2 client.
type application struct {
	id, name, description string
	client                string // client id, or empty
	owner                 string
	system                bool // Console, My Account
	thirdParty            bool // made by DCR
	allowedAudience       string
	created               time.Time
	apis                  []*authorizedAPI
	roles                 []string       // ids of the roles that are linked with it
	origins               []string       // CORS origins of its client
	more                  map[string]any // what a client may set and this server only keeps: imageUrl, accessUrl, claimConfiguration, …
}

// An authorizedAPI is an API resource that an application may have scopes of.
type authorizedAPI struct {
	api     string
	policy  string // RBAC, NO POLICY
	scopes  []string
	details []string // types of authorization details
}

type applications struct {
	byID   map[string]*application
	byName map[string]*application // in lower case
	client map[string]*application
	order  []*application
}

func newApplications() applications {
	return applications{byID: map[string]*application{}, byName: map[string]*application{}, client: map[string]*application{}}
}

func (l *applications) add(a *application) {
	l.byID[a.id] = a
	l.byName[strings.ToLower(a.name)] = a
	if a.client != "" {
		l.client[a.client] = a
	}
	l.order = append(l.order, a)
}

func (l *applications) byClient(id string) *application { return l.client[id] }

// ofRole lists the applications that a role belongs to: of an application role, its audience.
func (l *applications) ofRole(r *role) []*application {
	if a := l.byID[r.audienceID]; a != nil && r.audience == "application" {
		return []*application{a}
	}
	return nil
}

// authorizes says whether an application may have a scope.
func (l *applications) authorizes(id, scope string) bool {
	a := l.byID[id]
	return a != nil && slices.ContainsFunc(a.apis, func(api *authorizedAPI) bool { return slices.Contains(api.scopes, scope) })
}

func (s *Server) renameApplication(a *application, name string) {
	delete(s.app.byName, strings.ToLower(a.name))
	a.name = name
	s.app.byName[strings.ToLower(name)] = a
	for _, r := range s.dir.roles {
		if r.audience == "application" && r.audienceID == a.id {
			r.audienceName = name
		}
	}
	s.dir.version++
}

// removeApplication removes an application and the roles whose audience it is. Its client is the caller's affair.
func (s *Server) removeApplication(a *application) {
	for _, r := range slices.Clone(s.dir.listed) {
		if r.audience == "application" && r.audienceID == a.id {
			s.dir.removeRole(r)
		}
	}
	delete(s.app.byID, a.id)
	delete(s.app.byName, strings.ToLower(a.name))
	delete(s.app.client, a.client)
	s.app.order = slices.DeleteFunc(s.app.order, func(other *application) bool { return other == a })
}

const applicationsPath = "/api/server/v1/applications"

func (s *Server) applicationRoutes() {
	const view, create, update, remove = "internal_application_mgt_view", "internal_application_mgt_create", "internal_application_mgt_update", "internal_application_mgt_delete"
	s.handle("GET "+applicationsPath, view, s.listApplications)
	s.handle("POST "+applicationsPath, create, s.createApplication)
	s.handle("GET "+applicationsPath+"/{id}", view, s.getApplication)
	s.handle("PATCH "+applicationsPath+"/{id}", update, s.patchApplication)
	s.handle("DELETE "+applicationsPath+"/{id}", remove, s.deleteApplication)
	s.handle("GET "+applicationsPath+"/{id}/inbound-protocols", view, s.listInbound)
	s.handle("GET "+applicationsPath+"/{id}/inbound-protocols/oidc", view, s.getOIDC)
	s.handle("PUT "+applicationsPath+"/{id}/inbound-protocols/oidc", update, s.putOIDC)
	s.handle("DELETE "+applicationsPath+"/{id}/inbound-protocols/oidc", remove, s.deleteOIDC)
	s.handle("POST "+applicationsPath+"/{id}/inbound-protocols/oidc/regenerate-secret", update, s.regenerateSecret)
	s.handle("GET "+applicationsPath+"/{id}/authorized-apis", view, s.listAuthorized)
	s.handle("POST "+applicationsPath+"/{id}/authorized-apis", update, s.authorizeAPI)
	s.handle("PATCH "+applicationsPath+"/{id}/authorized-apis/{api}", update, s.changeAuthorized)
	s.handle("DELETE "+applicationsPath+"/{id}/authorized-apis/{api}", update, s.unauthorizeAPI)
	s.handle("GET /api/server/v1/cors/origins", "internal_cors_origins_view", s.listOrigins)
	s.handle("GET /api/server/v1/cors/origins/{id}/applications", "internal_cors_origins_view", s.originApplications)
}

func noApplication(id string) *answer {
	return failure(http.StatusNotFound, "APP-60006", "Application not found.", "Application cannot be found for the provided id: "+id+" in tenantDomain: carbon.super.")
}

// applicationDocument renders an application with the members that the real server fills in.
func (s *Server) applicationDocument(a *application) map[string]any {
	access := "WRITE"
	if a.system {
		access = "READ"
	}
	claims, sequence := a.claims(), a.sequence()
	d := map[string]any{
		"id": a.id, "name": a.name, "description": a.description, "clientId": a.client, "issuer": "", "realm": "", "access": access,
		"isManagementApp": false, "applicationEnabled": true, "applicationVersion": "v2.0.0", "isB2BSelfServiceApp": false,
		"claimConfiguration": claims.document(), "authenticationSequence": sequence.document(),
		"provisioningConfigurations": a.provisioning().document(), "advancedConfigurations": a.advanced(),
	}
	for name, value := range a.more {
		if slices.Contains(plainMembers, name) {
			d[name] = value
		}
	}
	roles := []any{}
	for _, id := range a.roles {
		if r := s.dir.roles[id]; r != nil {
			roles = append(roles, map[string]any{"id": r.id, "name": r.name})
		}
	}
	d["associatedRoles"] = map[string]any{"allowedAudience": a.allowedAudience, "roles": roles}
	d["inboundProtocols"] = a.inbound()
	return d
}

// inbound lists the protocols that an application speaks: OpenID Connect or none.
func (a *application) inbound() []any {
	if a.client == "" {
		return []any{}
	}
	return []any{map[string]any{"type": "oauth2", "name": a.client, "self": tenantPrefix + applicationsPath + "/" + a.id + "/inbound-protocols/oidc"}}
}

func (s *Server) listInbound(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.app.byID[c.PathValue("id")]
	if a == nil {
		return noApplication(c.PathValue("id"))
	}
	return object(http.StatusOK, a.inbound())
}

func (s *Server) getApplication(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.app.byID[c.PathValue("id")]
	if a == nil {
		return noApplication(c.PathValue("id"))
	}
	return object(http.StatusOK, s.applicationDocument(a))
}

// readLimit reads limit and offset: over-large ones are brought to 100, a missing one is 15 (is-behaviour 1.9).
func readLimit(c *call) (limit, offset int, refused *answer) {
	limit = 15
	for _, p := range []struct {
		name string
		to   *int
	}{{"limit", &limit}, {"offset", &offset}} {
		if text := c.URL.Query().Get(p.name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return 0, 0, failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Invalid value of "+p.name+": "+text)
			}
			*p.to = n
		}
	}
	return min(limit, 100), offset, nil
}

func (s *Server) listApplications(c *call) *answer {
	q := c.URL.Query()
	if q.Get("sortBy") != "" || q.Get("sortOrder") != "" {
		return failure(http.StatusNotImplemented, "APP-65002", "Unsupported parameter.", "Sorting parameters are not supported in this version of API.")
	}
	limit, offset, refused := readLimit(c)
	if refused != nil {
		return refused
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	match := func(*application) bool { return true }
	if q.Get("filter") != "" {
		if match, refused = compileApplications(q.Get("filter")); refused != nil {
			return refused
		}
	}
	var found []*application
	for _, a := range slices.Backward(s.app.order) {
		if match(a) && (!a.system || q.Get("excludeSystemPortals") != "true") {
			found = append(found, a)
		}
	}
	total := len(found)
	page := found[min(offset, total):min(offset+limit, total)]
	list := []any{}
	for _, a := range page {
		whole := s.applicationDocument(a)
		item := map[string]any{"id": a.id, "name": a.name, "description": a.description, "access": whole["access"], "self": tenantPrefix + applicationsPath + "/" + a.id}
		for name, from := range map[string]string{"image": "imageUrl", "accessUrl": "accessUrl", "templateId": "templateId"} {
			if v, ok := whole[from]; ok {
				item[name] = v
			}
		}
		for name := range strings.SplitSeq(q.Get("attributes"), ",") {
			switch name {
			case "":
			case "clientId", "issuer", "templateId", "templateVersion", "advancedConfigurations", "applicationEnabled":
				if v, ok := whole[name]; ok {
					item[name] = v
				}
			case "allowedRoleAudience", "associatedRoles.allowedAudience":
				item["associatedRoles"] = map[string]any{"allowedAudience": a.allowedAudience}
			default:
				return failure(http.StatusBadRequest, "APP-60505", "Unsupported attribute.", "Unsupported attribute: "+name)
			}
		}
		list = append(list, item)
	}
	return object(http.StatusOK, map[string]any{"totalResults": total, "startIndex": offset + 1, "count": len(list), "applications": list, "links": []any{}})
}

// compileApplications reads a filter of a server API: bare values, which may hold spaces (is-behaviour 1.10).
func compileApplications(text string) (func(*application) bool, *answer) {
	bad := failure(http.StatusBadRequest, "APP-60004", "Invalid filter query.", "Invalid filter: "+text)
	var all []func(*application) bool
	for part := range strings.SplitSeq(text, " and ") {
		words := strings.SplitN(strings.TrimSpace(part), " ", 3)
		if len(words) != 3 || !slices.Contains([]string{"eq", "co", "sw", "ew"}, strings.ToLower(words[1])) {
			return nil, bad
		}
		c := condition{op: strings.ToLower(words[1]), value: strings.Trim(words[2], `"`)}
		switch words[0] {
		case "name":
			all = append(all, func(a *application) bool { return c.holds(a.name, true) })
		case "clientId":
			all = append(all, func(a *application) bool { return c.holds(a.client, false) })
		case "issuer":
			all = append(all, func(*application) bool { return false })
		default:
			return nil, bad
		}
	}
	return func(a *application) bool {
		return !slices.ContainsFunc(all, func(m func(*application) bool) bool { return !m(a) })
	}, nil
}

// plainMembers are those of a request that are kept as they are.
var plainMembers = []string{"imageUrl", "accessUrl", "logoutReturnUrl", "templateId", "templateVersion", "isManagementApp", "isB2BSelfServiceApp", "applicationEnabled", "applicationVersion"}

// Members that POST ignores, and those that PATCH does (is-behaviour 7).
var (
	ignoredByPost  = []string{"logoutReturnUrl", "applicationVersion"}
	ignoredByPatch = []string{"isManagementApp", "isB2BSelfServiceApp"}
)

func (s *Server) createApplication(c *call) *answer {
	r, refused := readApplication(c.body)
	if refused != nil {
		return refused
	}
	if c.URL.Query().Has("template") {
		return failure(http.StatusNotImplemented, "APP-65501", "Unsupported Operation.", "Application creation with templates is not supported in this version of the API.")
	}
	name := ""
	if r.Name != nil {
		name = *r.Name
	}
	if !validClientName.MatchString(name) {
		return badApplication("The Application name: " + name + " is not valid! It is not adhering to the regex: " + validClientName.String())
	}
	if isReserved(name) {
		return failure(http.StatusBadRequest, "APP-60515", "Application name is reserved.", "Application name is reserved: "+name)
	}
	a := &application{id: newID(), name: name, owner: c.caller.name, allowedAudience: "ORGANIZATION", created: s.opts.Now(), more: map[string]any{}}
	s.mu.Lock()
	refused = func() *answer {
		defer s.mu.Unlock()
		if s.app.byName[strings.ToLower(name)] != nil {
			return failure(http.StatusConflict, "APP-60007", "Application already exists.", "An application with name: "+name+" already exists in tenantDomain: carbon.super.")
		}
		if refused := s.applyApplication(a, r, ignoredByPost); refused != nil {
			return refused
		}
		if settings := r.Inbound.OIDC; settings != nil {
			// A later step that fails takes the application back (is-behaviour 7).
			if refused := s.addClient(a, settings); refused != nil {
				return refused
			}
		}
		s.app.add(a)
		return nil
	}()
	if refused != nil {
		return refused
	}
	s.changed()
	return empty(http.StatusCreated).at(s.opts.Base + tenantPrefix + applicationsPath + "/" + a.id)
}

func isReserved(name string) bool { return name == "Console" || name == "My Account" }

func (s *Server) patchApplication(c *call) *answer {
	r, refused := readApplication(c.body)
	if refused != nil {
		return refused
	}
	return s.changeApplication(c, func(a *application) *answer {
		rename := r.Name != nil && *r.Name != a.name
		if rename {
			switch other := s.app.byName[strings.ToLower(*r.Name)]; {
			case a.system:
				return failure(http.StatusForbidden, "APP-60008", "Operation not allowed.", "System applications cannot be renamed.")
			case isReserved(*r.Name):
				return failure(http.StatusBadRequest, "APP-60516", "Application name is reserved.", "Application name is reserved: "+*r.Name)
			case !validClientName.MatchString(*r.Name):
				return badApplication("The Application name: " + *r.Name + " is not valid! It is not adhering to the regex: " + validClientName.String())
			case other != nil && other != a:
				return failure(http.StatusConflict, "APP-60007", "Application already exists.", "An application with name: "+*r.Name+" already exists in tenantDomain: carbon.super.")
			}
		}
		if a.system && !r.onlySequence() {
			return failure(http.StatusForbidden, "APP-60008", "Operation not allowed.", "Only the authentication sequence of a system application can be changed.")
		}
		// Nothing is changed unless all of it is.
		next := *a
		next.more, next.roles = maps.Clone(a.more), slices.Clone(a.roles)
		if next.more == nil {
			next.more = map[string]any{}
		}
		if refused := s.applyApplication(&next, r, ignoredByPatch); refused != nil {
			return refused
		}
		if a.allowedAudience == "APPLICATION" && next.allowedAudience == "ORGANIZATION" {
			for _, old := range slices.Clone(s.dir.listed) {
				if old.audience == "application" && old.audienceID == a.id {
					s.dir.removeRole(old)
				}
			}
		}
		*a = next
		if rename {
			s.renameApplication(a, *r.Name)
			if client, err := s.tokens.Client(a.client); err == nil {
				client.Name = a.name
				_, _ = s.tokens.Update(client)
			}
		}
		return empty(http.StatusOK)
	})
}

// deleteApplication answers 204 to an unknown id too (is-behaviour 7).
func (s *Server) deleteApplication(c *call) *answer {
	s.mu.Lock()
	a := s.app.byID[c.PathValue("id")]
	if a != nil && a.system {
		s.mu.Unlock()
		return failure(http.StatusForbidden, "APP-60008", "Operation not allowed.", "System applications cannot be deleted.")
	}
	if a != nil {
		s.removeApplication(a)
		if a.client != "" {
			_ = s.tokens.Delete(a.client)
		}
	}
	s.mu.Unlock()
	s.changed()
	return empty(http.StatusNoContent)
}
