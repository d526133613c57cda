package is

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// The v1 endpoint knows no audience: its roles are the organization roles of v2, with the same ids, and permissions are plain texts.

func (s *Server) roleURLV1(id string) string { return s.opts.Base + "/scim2/Roles/" + id }

func (s *Server) roleDocumentV1(r *role) map[string]any {
	d := map[string]any{"id": r.id, "displayName": r.name, "meta": map[string]any{"location": s.roleURLV1(r.id)}}
	if permissions := slices.Concat(r.permissions, r.v1Permissions); len(permissions) > 0 {
		d["permissions"] = permissions
	}
	whole := s.roleDocument(r, projection{})
	for _, list := range []string{"users", "groups"} {
		if v, ok := whole[list]; ok {
			d[list] = v
		}
	}
	return d
}

func (s *Server) organizationRole(id string) *role {
	if r := s.dir.roles[id]; r != nil && r.audience == "organization" {
		return r
	}
	return nil
}

func (s *Server) getRoleV1(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.organizationRole(c.PathValue("id"))
	if r == nil {
		return noRole(c.PathValue("id"))
	}
	return scimObject(http.StatusOK, withSchemas(s.roleDocumentV1(r), roleSchemas))
}

func (s *Server) listRolesV1(c *call) *answer {
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
	match := func(*role) bool { return true }
	if q.Has("filter") {
		f, err := parseFilter(q.Get("filter"))
		if err != nil {
			return filterRefusal(err)
		}
		if len(f) > 1 {
			return scimError(http.StatusNotImplemented, "", "Complex filters are not supported.")
		}
		if match, refused = compileRoles(f); refused != nil {
			return refused
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []*role
	for _, r := range s.dir.listed {
		if r.audience == "organization" && match(r) {
			found = append(found, r)
		}
	}
	total := len(found)
	if w.count < 0 {
		found = cut(found, w, defaultRoles)
	} else {
		found = cut(found, w, max(total, 1))
	}
	var documents [][]byte
	for _, r := range found {
		body, err := json.Marshal(map[string]any{"id": r.id, "displayName": r.name, "meta": map[string]any{"location": s.roleURLV1(r.id)}})
		if err != nil {
			return empty(http.StatusInternalServerError)
		}
		documents = append(documents, body)
	}
	return writeList(total, w.start, documents)
}

// splitPermissions tells scopes from the permission paths of older versions, which are kept and mean nothing.
func (s *Server) splitPermissions(body map[string]any) (scopes, paths []string, refused *answer) {
	v, ok := body["permissions"]
	if !ok || v == nil {
		return nil, nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, nil, badSyntax("invalidSyntax")
	}
	for _, element := range list {
		value := textOf(element)
		switch {
		case s.api.scopes[value] != nil:
			scopes = append(scopes, value)
		case strings.HasPrefix(value, "/permission/"):
			paths = append(paths, value)
		default:
			return nil, nil, badValue("Permission: " + value + " not found")
		}
	}
	return scopes, paths, nil
}

func (s *Server) createRoleV1(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	a := func() *answer {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(body, "audience")
		r, refused := s.newRole(body)
		if refused != nil {
			if refused.status == http.StatusConflict {
				name, _ := body["displayName"].(string)
				return scimError(http.StatusConflict, "", "Role name: "+name+" is already there in the system. Please pick another role name.")
			}
			return refused
		}
		scopes, paths, refused := s.splitPermissions(body)
		if refused != nil {
			return refused
		}
		delete(body, "permissions")
		d, refused := s.lookUp(r, body)
		if refused != nil {
			return refused
		}
		d.permissions, r.v1Permissions = scopes, paths
		s.dir.addRole(r)
		r.set(d)
		head := map[string]any{"id": r.id, "displayName": r.name, "meta": map[string]any{"location": s.roleURLV1(r.id)}}
		return scimObject(http.StatusCreated, withSchemas(head, roleSchemas)).at(s.roleURLV1(r.id))
	}()
	if a.status == http.StatusCreated {
		s.changed()
	}
	return a
}

func (s *Server) putRoleV1(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	a := func() *answer {
		s.mu.Lock()
		defer s.mu.Unlock()
		r := s.organizationRole(c.PathValue("id"))
		if r == nil {
			return noRole(c.PathValue("id"))
		}
		scopes, paths, refused := s.splitPermissions(body)
		if refused != nil {
			return refused
		}
		delete(body, "permissions")
		d, refused := s.lookUp(r, body)
		if refused != nil {
			return refused
		}
		d.permissions = scopes
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
		r.v1Permissions = paths
		r.set(d)
		return scimObject(http.StatusOK, withSchemas(s.roleDocumentV1(r), roleSchemas)).at(s.roleURLV1(r.id))
	}()
	if a.status == http.StatusOK {
		s.changed()
	}
	return a
}

// patchRoleV1 takes the same operations as v2 and answers in the form of v1.
func (s *Server) patchRoleV1(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	id := c.PathValue("id")
	s.mu.RLock()
	known := s.organizationRole(id) != nil
	s.mu.RUnlock()
	if !known {
		return noRole(id)
	}
	a := s.changeRole(id, body)
	if a.status != http.StatusOK {
		return a
	}
	s.changed()
	return s.getRoleV1(c).at(s.roleURLV1(id))
}
