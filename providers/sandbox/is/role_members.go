package is

import (
	"maps"
	"slices"
)

// valuesOf reads a list of {"value": …} objects; bare texts in it are dropped.
func valuesOf(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	var values []string
	for _, element := range list {
		switch element := element.(type) {
		case string:
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
			return nil, badValue("User: " + id + " doesn't exist in the user store.")
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
			return nil, badValue("Group: " + id + " doesn't exist in the user store.")
		}
		found = append(found, g)
	}
	return found, nil
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
