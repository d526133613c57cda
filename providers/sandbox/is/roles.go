package is

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// defaultRoles is how many roles a list without count holds (the server's default items per page).
const defaultRoles = 15

func (s *Server) roleURL(id string) string { return s.opts.Base + "/scim2/v2/Roles/" + id }

// roleHead renders what every answer about a role shows; creates, replacements and changes of users show no more (is-behaviour 22).
func (s *Server) roleHead(r *role) map[string]any {
	meta := map[string]any{"location": s.roleURL(r.id)}
	if r.system {
		meta["systemRole"] = true
	}
	return map[string]any{
		"id": r.id, "displayName": r.name, "meta": meta,
		"audience": map[string]any{"value": r.audienceID, "type": r.audience, "display": r.audienceName},
	}
}

// roleDocument renders a whole role without schemas.
func (s *Server) roleDocument(r *role, p projection) map[string]any {
	d := s.roleHead(r)
	if len(r.permissions) > 0 && p.shows("permissions") {
		permissions := make([]reference, 0, len(r.permissions))
		for _, name := range r.permissions {
			if scope := s.api.scopes[name]; scope != nil {
				permissions = append(permissions, reference{name, scope.displayName, s.opts.Base + apisPath + "/" + scope.api.id + "/scopes/" + name})
			}
		}
		d["permissions"] = permissions
	}
	if len(r.userOrder) > 0 && p.shows("users") {
		users := make([]reference, 0, len(r.userOrder))
		for _, id := range r.userOrder {
			users = append(users, reference{id, r.users[id].userName(), s.userURL(id)})
		}
		d["users"] = users
	}
	if len(r.groupOrder) > 0 && p.shows("groups") {
		groups := make([]reference, 0, len(r.groupOrder))
		for _, id := range r.groupOrder {
			groups = append(groups, reference{id, r.groups[id].qualified(), s.groupURL(id)})
		}
		d["groups"] = groups
	}
	if apps := s.app.ofRole(r); len(apps) > 0 && p.shows("associatedApplications") {
		var list []reference
		for _, a := range apps {
			list = append(list, reference{a.id, a.name, s.opts.Base + applicationsPath + "/" + a.id})
		}
		d["associatedApplications"] = list
	}
	d["properties"] = []any{map[string]any{"name": "isSharedRole", "value": "false"}}
	return d
}

var roleSchemas = []string{roleSchema}

func withSchemas(d map[string]any, schemas []string) map[string]any {
	d["schemas"] = schemas
	return d
}

func noRole(id string) *answer {
	return scimError(http.StatusNotFound, "", "A role doesn't exist with id: "+id+" in the tenantDomain: carbon.super")
}

func (s *Server) getRole(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.dir.roles[c.PathValue("id")]
	if r == nil {
		return noRole(c.PathValue("id"))
	}
	p := readProjection(c.URL.Query())
	return scimObject(http.StatusOK, withSchemas(p.apply(s.roleDocument(r, p), "id", "audience"), roleSchemas))
}

func (s *Server) listRoles(c *call) *answer {
	q := c.URL.Query()
	if refused := refuseSort(q, "Sorting is not supported."); refused != nil {
		return refused
	}
	w, refused := readWindow(q)
	if refused != nil {
		return refused
	}
	if w.count == 0 {
		return writeList(0, w.start, nil)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	match := func(*role) bool { return true }
	filtered := q.Has("filter")
	if filtered {
		f, err := parseFilter(q.Get("filter"))
		if err != nil {
			if _, isComplex := err.(complexFilter); isComplex {
				return scimError(http.StatusBadRequest, "", "Filter operator: or is not supported for role filtering.")
			}
			return filterRefusal(err)
		}
		if match, refused = compileRoles(f); refused != nil {
			return refused
		}
	}
	var found []*role
	for _, r := range s.dir.listed {
		if match(r) {
			found = append(found, r)
		}
	}
	limit := len(found)
	if w.count < 0 {
		limit = defaultRoles
	}
	total := len(found)
	found = cut(found, w, limit)
	if filtered {
		total = len(found) // of a filtered list, the total is what this page holds
	}
	p := readProjection(q)
	documents := make([][]byte, 0, len(found))
	for _, r := range found {
		body, err := json.Marshal(p.apply(s.roleDocument(r, p), "id", "audience", "meta"))
		if err != nil {
			return empty(http.StatusInternalServerError)
		}
		documents = append(documents, body)
	}
	return writeList(total, w.start, documents)
}

func compileRoles(f filter) (func(*role) bool, *answer) {
	var all []func(*role) bool
	for _, c := range f {
		if !slices.Contains([]string{"eq", "ne", "co", "sw", "ew"}, c.op) {
			return nil, scimError(http.StatusBadRequest, "", "Filter operation: "+c.op+" is not supported for role filtering.")
		}
		switch strings.ToLower(strings.TrimPrefix(c.attr, roleSchema+":")) {
		case "displayname":
			all = append(all, func(r *role) bool { return c.holds(r.name, true) })
		case "audience.value":
			all = append(all, func(r *role) bool { return c.holds(r.audienceID, false) })
		case "audience.type":
			all = append(all, func(r *role) bool { return c.holds(r.audience, true) })
		case "id", "permissions", "permissions.value", "users", "users.value", "groups", "groups.value", "properties":
			return nil, scimError(http.StatusBadRequest, "", "Filtering based on attribute: "+roleSchema+":"+c.attr+" is not supported.")
		default:
			return nil, badValue("Not a valid attribute name/uri")
		}
	}
	return func(r *role) bool {
		for _, m := range all {
			if !m(r) {
				return false
			}
		}
		return true
	}, nil
}

// checkRoleName refuses names that roles may not have (is-behaviour 5).
func (s *Server) checkRoleName(name string) *answer {
	switch {
	case name == "":
		return badValue("Required attribute displayName is missing in the SCIM Object.")
	case strings.Contains(name, "/"):
		return badValue("Invalid character: / contains in the role name: " + name)
	case strings.HasPrefix(strings.ToLower(name), "system_") && !s.opts.SystemPrefix:
		return badValue("Invalid role name: " + name + ". Role names with the prefix: system_, is not allowed to be created from externally in the system.")
	}
	return nil
}

func roleExists(r *role) *answer {
	return scimError(http.StatusConflict, "", "Role already exist for the role name: "+r.name+" audience: "+r.audience+" audienceId: "+r.audienceID)
}

// newRole makes a role from a document; the audience is the tenant's organization unless it says otherwise.
func (s *Server) newRole(body map[string]any) (*role, *answer) {
	name, _ := body["displayName"].(string)
	if refused := s.checkRoleName(name); refused != nil {
		return nil, refused
	}
	r := &role{id: newID(), name: name, audience: "organization", audienceID: OrganizationID, audienceName: organizationName}
	if audience, ok := body["audience"].(map[string]any); ok {
		kind, _ := audience["type"].(string)
		id, _ := audience["value"].(string)
		switch strings.ToLower(kind) {
		case "organization":
			if id != "" && id != OrganizationID {
				return nil, badValue("Invalid audience. No organization found with organization id: " + id + " and tenant domain : carbon.super")
			}
		case "application":
			a := s.app.byID[id]
			if a == nil {
				return nil, badValue("Invalid audience. No application found with application id: " + id + " and tenant domain : carbon.super")
			}
			if a.allowedAudience != "APPLICATION" {
				return nil, badValue("Application: " + id + " does not have Application role audience type")
			}
			r.audience, r.audienceID, r.audienceName = "application", a.id, a.name
		default:
			return nil, badValue("Invalid role audience")
		}
	}
	if s.dir.rolesBy[r.key()] != nil {
		return nil, roleExists(r)
	}
	return r, nil
}

func (s *Server) createRole(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	a := s.addRoleFrom(body)
	if a.status == http.StatusCreated {
		s.changed()
	}
	return a
}

func (s *Server) addRoleFrom(body map[string]any) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, refused := s.newRole(body)
	if refused != nil {
		return refused
	}
	d, refused := s.lookUp(r, body)
	if refused != nil {
		return refused
	}
	s.dir.addRole(r)
	r.set(d)
	// The answer to a create shows no permissions, users, groups or properties (is-behaviour 22).
	return scimObject(http.StatusCreated, withSchemas(s.roleHead(r), roleSchemas)).at(s.roleURL(r.id))
}

func (s *Server) putRole(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	a := s.replaceRole(c.PathValue("id"), body)
	if a.status == http.StatusOK {
		s.changed()
	}
	return a
}

// replaceRole makes a role what a document says: missing lists clear. The answer lacks the lists.
func (s *Server) replaceRole(id string, body map[string]any) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.dir.roles[id]
	if r == nil {
		return noRole(id)
	}
	d, refused := s.lookUp(r, body)
	if refused != nil {
		return refused
	}
	name, _ := body["displayName"].(string)
	if r.system && (name != r.name || !sameSet(d.permissions, r.permissions)) {
		return forbiddenChange(r)
	}
	if refused := s.mayRemoveUsers(r, d.users); refused != nil {
		return refused
	}
	if refused := s.renameRole(r, name); refused != nil {
		return refused
	}
	r.set(d)
	return scimObject(http.StatusOK, withSchemas(s.roleHead(r), roleSchemas)).at(s.roleURL(r.id))
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func forbiddenChange(r *role) *answer {
	return scimError(http.StatusBadRequest, "", "Invalid operation. Role: "+r.name+" Cannot be modified since it's a system role.")
}

// mayRemoveUsers refuses to take the owner out of the admin role, and any change of everyone.
func (s *Server) mayRemoveUsers(r *role, left []*user) *answer {
	if r.allUsers && len(left) > 0 {
		return forbiddenChange(r)
	}
	if !r.isAdmin() {
		return nil
	}
	if owner := s.dir.userNamed("admin"); owner != nil && r.users[owner.id] != nil && !slices.Contains(left, owner) {
		return scimError(http.StatusBadRequest, "", "Invalid operation. Users cannot be removed from the admin role: "+owner.name)
	}
	return nil
}

func (s *Server) renameRole(r *role, name string) *answer {
	if name == r.name {
		return nil
	}
	if refused := s.checkRoleName(name); refused != nil {
		return refused
	}
	if r.system {
		return forbiddenChange(r)
	}
	if other := s.dir.rolesBy[roleKey(r.audience, r.audienceID, name)]; other != nil && other != r {
		return roleExists(&role{name: name, audience: r.audience, audienceID: r.audienceID})
	}
	s.dir.renameRole(r, name)
	return nil
}

func (s *Server) deleteRole(c *call) *answer {
	a := s.dropRole(c.PathValue("id"))
	if a.status == http.StatusNoContent {
		s.changed()
	}
	return a
}

func (s *Server) dropRole(id string) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.dir.roles[id]
	switch {
	case r == nil:
		return noRole(id)
	case r.system:
		return scimError(http.StatusBadRequest, "", "Invalid operation. Role: "+r.name+" Cannot be deleted since it's a system role.")
	}
	s.dir.removeRole(r)
	return empty(http.StatusNoContent)
}
