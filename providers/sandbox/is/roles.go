package is

import (
	"encoding/json"
	"maps"
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
	if len(r.permissions) > 0 && p.builds(roleSchema, "permissions") {
		permissions := make([]reference, 0, len(r.permissions))
		for _, name := range r.permissions {
			if scope := s.api.scopes[name]; scope != nil {
				permissions = append(permissions, reference{name, scope.displayName, s.opts.Base + apisPath + "/" + scope.api.id + "/scopes/" + name})
			}
		}
		d["permissions"] = permissions
	}
	if len(r.userOrder) > 0 && p.builds(roleSchema, "users") {
		users := make([]reference, 0, len(r.userOrder))
		for _, id := range r.userOrder {
			users = append(users, reference{id, r.users[id].userName(), s.userURL(id)})
		}
		d["users"] = users
	}
	if len(r.groupOrder) > 0 && p.builds(roleSchema, "groups") {
		groups := make([]reference, 0, len(r.groupOrder))
		for _, id := range r.groupOrder {
			groups = append(groups, reference{id, r.groups[id].qualified(), s.groupURL(id)})
		}
		d["groups"] = groups
	}
	if apps := s.app.ofRole(r); len(apps) > 0 && p.builds(roleSchema, "associatedApplications") {
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
	return scimObject(http.StatusOK, withSchemas(p.apply(s.roleDocument(r, p), roleSchemas, "id", "displayName", "audience"), roleSchemas))
}

func (s *Server) listRoles(c *call) *answer {
	q := c.URL.Query()
	if q.Get("sortBy") != "" || q.Get("sortOrder") != "" {
		return scimError(http.StatusNotImplemented, "", "Sorting is not supported.")
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
		body, err := json.Marshal(p.apply(s.roleDocument(r, p), roleSchemas, "id", "displayName", "audience", "meta"))
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

// valuesOf reads a list of {"value": …} objects; a single object and bare texts are taken too.
func valuesOf(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var values []string
	for _, element := range list {
		switch element := element.(type) {
		case string:
			values = append(values, element)
		case map[string]any:
			value, ok := element["value"].(string)
			if !ok {
				return nil, false
			}
			values = append(values, value)
		default:
			return nil, false
		}
	}
	return values, true
}

// A roleDraft is the members of a role in a request, looked up.
type roleDraft struct {
	permissions []string
	users       []*user
	groups      []*group
}

// lookUp finds what a document names. What a missing list means is the caller's affair.
func (s *Server) lookUp(r *role, body map[string]any) (d roleDraft, refused *answer) {
	for _, list := range []string{"permissions", "users", "groups"} {
		v, ok := body[list]
		if !ok || v == nil {
			continue
		}
		values, ok := valuesOf(v)
		if !ok {
			return d, badSyntax("invalidSyntax")
		}
		switch list {
		case "permissions":
			d.permissions, refused = s.findPermissions(r, values)
		case "users":
			d.users, refused = s.findUsers(values)
		case "groups":
			d.groups, refused = s.findGroups(values)
		}
		if refused != nil {
			return d, refused
		}
	}
	return d, nil
}

// findPermissions checks scopes: those of the tenant for an organization role, those authorised to the application for its roles.
func (s *Server) findPermissions(r *role, names []string) ([]string, *answer) {
	var kept []string
	for _, name := range names {
		if s.api.scopes[name] == nil {
			return nil, badValue("Permission: " + name + " not found")
		}
		if r.audience == "application" && !s.app.authorizes(r.audienceID, name) {
			return nil, badValue("Permission : " + name + " is not authorized for application with ID : " + r.audienceID)
		}
		if !slices.Contains(kept, name) {
			kept = append(kept, name)
		}
	}
	return kept, nil
}

func (s *Server) findUsers(ids []string) ([]*user, *answer) {
	var found []*user
	for _, id := range ids {
		u := s.dir.users[id]
		if u == nil {
			return nil, badValue("User: " + id + " does not exist in the user store.")
		}
		found = append(found, u)
	}
	return found, nil
}

func (s *Server) findGroups(ids []string) ([]*group, *answer) {
	var found []*group
	for _, id := range ids {
		g := s.dir.groups[id]
		if g == nil {
			return nil, badValue("No group found for the group ID: " + id)
		}
		found = append(found, g)
	}
	return found, nil
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

// set makes the members of a role what a draft holds.
func (r *role) set(d roleDraft) {
	r.permissions = d.permissions
	r.setUsers(d.users)
	r.setGroups(d.groups)
}

func (r *role) setUsers(users []*user) {
	keep := setOf(users)
	for _, u := range slices.Collect(maps.Values(r.users)) {
		if !keep[u] {
			r.removeUser(u)
		}
	}
	for _, u := range users {
		r.addUser(u)
	}
}

func setOf[E comparable](list []E) map[E]bool {
	set := make(map[E]bool, len(list))
	for _, e := range list {
		set[e] = true
	}
	return set
}

// union appends what a list does not hold yet.
func union[E comparable](list, more []E) []E {
	has := setOf(list)
	for _, e := range more {
		if !has[e] {
			has[e] = true
			list = append(list, e)
		}
	}
	return list
}

func (r *role) setGroups(groups []*group) {
	keep := setOf(groups)
	for _, g := range slices.Collect(maps.Values(r.groups)) {
		if !keep[g] {
			r.removeGroup(g)
		}
	}
	for _, g := range groups {
		r.addGroup(g)
	}
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

func (s *Server) patchRole(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	a := s.changeRole(c.PathValue("id"), body)
	if a.status == http.StatusOK {
		s.changed()
	}
	return a
}

// changeRole carries out a PATCH on copies of the lists, which replace the role's own when every operation is good.
func (s *Server) changeRole(id string, body map[string]any) *answer {
	operations, refused, err := readOperations(body)
	if err != nil {
		return scimError(http.StatusInternalServerError, "", "Error in performing the patch operation on role resource.")
	}
	if refused != nil {
		return refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.dir.roles[id]
	if r == nil {
		return noRole(id)
	}
	draft := rolePatch{server: s, role: r, name: r.name, roleDraft: roleDraft{permissions: slices.Clone(r.permissions)}}
	for _, id := range r.userOrder {
		draft.users = append(draft.users, r.users[id])
	}
	for _, id := range r.groupOrder {
		draft.groups = append(draft.groups, r.groups[id])
	}
	for _, o := range operations {
		if refused := draft.apply(o); refused != nil {
			return refused
		}
	}
	if r.system && !sameSet(draft.permissions, r.permissions) {
		return forbiddenChange(r)
	}
	if refused := s.mayRemoveUsers(r, draft.users); refused != nil {
		return refused
	}
	if refused := s.renameRole(r, draft.name); refused != nil {
		return refused
	}
	r.set(draft.roleDraft)
	d := s.roleHead(r)
	if !draft.whole {
		d = s.roleDocument(r, projection{not: []string{"users"}})
	}
	return scimObject(http.StatusOK, withSchemas(d, roleSchemas)).at(s.roleURL(r.id))
}

// A rolePatch is a role while a PATCH is carried out.
type rolePatch struct {
	roleDraft
	server *Server
	role   *role
	name   string
	// whole: users were replaced as a list, so the server read and wrote the whole role, and answers without its lists (is-behaviour 5, 22).
	whole bool
}

func (d *rolePatch) apply(o operation) *answer {
	if o.path == "" {
		members, ok := o.value.(map[string]any)
		if !ok {
			return badSyntax("invalidSyntax")
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if name == "schemas" {
				continue
			}
			if refused := d.apply(operation{o.op, name, members[name]}); refused != nil {
				return refused
			}
		}
		return nil
	}
	textual := o.path
	if hasPrefixFold(textual, roleSchema+":") {
		textual = textual[len(roleSchema)+1:]
	}
	name, rest, bracketed := strings.Cut(textual, "[")
	var only *condition
	if bracketed {
		c, err := parseCondition(strings.TrimSuffix(rest, "]"))
		if err != nil || !strings.HasSuffix(rest, "]") || o.op != "remove" {
			return scimError(http.StatusBadRequest, "invalidFilter", "Invalid filter")
		}
		only = &c
	}
	switch {
	case strings.EqualFold(name, "displayName"):
		if o.op == "remove" {
			return badSyntax("Can not remove a required attribute")
		}
		d.name = textOf(o.value)
		return nil
	case strings.EqualFold(name, "permissions"):
		return d.permissionsChange(o, only)
	case strings.EqualFold(name, "users"):
		return d.usersChange(o, only)
	case strings.EqualFold(name, "groups"):
		return d.groupsChange(o, only)
	}
	return scimError(http.StatusBadRequest, "invalidSyntax", "Not a valid attribute.")
}

func (d *rolePatch) permissionsChange(o operation, only *condition) *answer {
	if o.op == "remove" {
		d.permissions = slices.DeleteFunc(d.permissions, func(name string) bool { return only == nil || name == only.value })
		return nil
	}
	values, ok := valuesOf(o.value)
	if !ok {
		return badSyntax("invalidSyntax")
	}
	found, refused := d.server.findPermissions(d.role, values)
	if refused != nil {
		return refused
	}
	if o.op == "replace" {
		d.permissions = nil
	}
	d.permissions = union(d.permissions, found)
	return nil
}

func (d *rolePatch) usersChange(o operation, only *condition) *answer {
	if o.op == "remove" {
		d.whole = d.whole || only == nil
		d.users = slices.DeleteFunc(d.users, func(u *user) bool {
			return only == nil || u.id == only.value || strings.EqualFold(only.attr, "display") && strings.EqualFold(u.userName(), only.value)
		})
		return nil
	}
	values, ok := valuesOf(o.value)
	if !ok {
		return badSyntax("invalidSyntax")
	}
	found, refused := d.server.findUsers(values)
	if refused != nil {
		return refused
	}
	if o.op == "replace" {
		d.users, d.whole = nil, true
	}
	d.users = union(d.users, found)
	return nil
}

func (d *rolePatch) groupsChange(o operation, only *condition) *answer {
	if o.op == "remove" {
		d.groups = slices.DeleteFunc(d.groups, func(g *group) bool {
			return only == nil || g.id == only.value || strings.EqualFold(only.attr, "display") && strings.EqualFold(g.qualified(), only.value)
		})
		return nil
	}
	values, ok := valuesOf(o.value)
	if !ok {
		return badSyntax("invalidSyntax")
	}
	found, refused := d.server.findGroups(values)
	if refused != nil {
		return refused
	}
	if o.op == "replace" {
		d.groups = nil
	}
	d.groups = union(d.groups, found)
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
