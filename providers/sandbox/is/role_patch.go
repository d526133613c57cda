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
