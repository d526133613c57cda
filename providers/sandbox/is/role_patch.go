package is

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

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
		return failedPatch("role")
	}
	if refused != nil {
		return refused
	}
	for _, o := range operations {
		if refused := o.checkRole(); refused != nil {
			return refused // before the role is looked for (seen)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.dir.roles[id]
	if r == nil {
		return noRole(id)
	}
	if !slices.ContainsFunc(operations, operation.replacesUsers) {
		// Replacements are carried out first, then additions, then removals.
		rank := func(o operation) int { return slices.Index([]string{"replace", "add", "remove"}, o.op) }
		slices.SortStableFunc(operations, func(a, b operation) int { return rank(a) - rank(b) })
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

// replacesUsers tells an operation for which the server reads and writes the whole role.
func (o operation) replacesUsers() bool {
	members, _ := o.value.(map[string]any)
	return o.path == "users" && o.op != "add" || !o.hasPath && o.op == "replace" && has(members, "users")
}

// checkRole refuses what cannot be done to any role. The refusals are charon's.
func (o operation) checkRole() *answer {
	if refused := o.pathless(); refused != nil {
		return refused
	}
	_, isObject := o.value.(map[string]any)
	_, isList := o.value.([]any)
	_, isText := o.value.(string)
	name, rest, bracketed := strings.Cut(strings.TrimPrefix(o.path, roleSchema+":"), "[")
	known := slices.Contains([]string{"displayName", "permissions", "users", "groups"}, name)
	switch {
	case o.op != "remove" && !o.hasValue && o.op == "replace" && o.path == "users":
		return failedPatch("role")
	case o.op != "remove" && !o.hasValue:
		return missingValue(o.op)
	case !o.hasPath && !isObject, o.hasPath && strings.TrimSpace(o.path) == "" && o.hasValue:
		return failedPatch("role")
	case !o.hasPath:
		return nil
	case o.op == "remove" && name == "displayName" && (!bracketed || rest == ""):
		return badSyntax("Can not remove a required attribute")
	case o.op == "remove" && (!known || name == "displayName"):
		return refuse(syntax, o.path+" is not a valid attribute.")
	case o.op == "remove":
		if o.hasValue && !bracketed && name != "users" {
			return failedPatch("role")
		}
		return nil
	case !known || bracketed:
		return refuse(syntax, "Not a valid attribute.")
	case name == "displayName" && !isText, name != "displayName" && !isList && !(name == "users" && o.op == "replace"):
		return failedPatch("role")
	case name != "displayName" && !isList:
		return badSyntax(syntax)
	}
	return nil
}

// apply carries out one operation that checkRole has let pass.
func (d *rolePatch) apply(o operation) *answer {
	if !o.hasPath {
		members, _ := o.value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(members)) {
			switch name {
			case "schemas":
			case "displayName", "permissions", "users", "groups":
				one := operation{op: o.op, path: name, hasPath: true, value: members[name], hasValue: true}
				if refused := one.checkRole(); refused != nil {
					return refused
				}
				if refused := d.apply(one); refused != nil {
					return refused
				}
			case "audience", "id", "meta", "properties", "associatedApplications":
				return failedPatch("role")
			default:
				return badSyntax(syntax)
			}
		}
		return nil
	}
	name, rest, bracketed := strings.Cut(strings.TrimPrefix(o.path, roleSchema+":"), "[")
	if name == "displayName" {
		d.name = textOf(o.value)
		return nil
	}
	var only *condition
	if bracketed && rest == "" && o.hasValue {
		return failedPatch("role")
	}
	if bracketed && rest != "" { // else the bracket is cut off (seen)
		inside, _, closed := strings.Cut(rest, "]")
		c, err := parseCondition(inside)
		if err != nil || !closed {
			return refuse(syntax, "Invalid filter")
		}
		only = &c
	}
	switch name {
	case "permissions":
		return d.permissionsChange(o, only)
	case "users":
		return d.usersChange(o, only)
	}
	return d.groupsChange(o, only)
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
		if only == nil && len(d.users) == 0 {
			return refuse(invalidWay, "No such attribute with the name : users in the current resource")
		}
		d.whole = d.whole || only == nil
		// A filter by display finds nobody.
		d.users = slices.DeleteFunc(d.users, func(u *user) bool { return only == nil || only.attr == "value" && u.id == only.value })
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
		d.groups = slices.DeleteFunc(d.groups, func(g *group) bool { return only == nil || only.attr == "value" && g.id == only.value })
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
