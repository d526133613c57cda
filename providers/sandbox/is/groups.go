package is

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

func (s *Server) groupURL(id string) string { return s.opts.Base + "/scim2/Groups/" + id }

// groupDocument renders a group without schemas. The real server gives no resourceType.
func (s *Server) groupDocument(g *group, withMembers bool) map[string]any {
	d := map[string]any{
		"id": g.id, "displayName": g.display(),
		"meta": map[string]any{"created": timestamp(g.created), "lastModified": timestamp(g.modified), "location": s.groupURL(g.id)},
	}
	if withMembers && len(g.order) > 0 {
		members := make([]reference, 0, len(g.order))
		for _, id := range g.order {
			members = append(members, reference{id, g.members[id].userName(), s.userURL(id)})
		}
		d["members"] = members
	}
	if len(g.roles) > 0 {
		d["roles"] = s.roleReferences(slices.SortedFunc(maps.Values(g.roles), compareRoles))
	}
	return d
}

var groupSchemas = []string{coreGroup}

func (s *Server) showGroup(g *group, p projection) *answer {
	d := p.apply(s.groupDocument(g, p.shows("members")), "id")
	d["schemas"] = groupSchemas
	return scimObject(http.StatusOK, d)
}

// findMembers reads the members of a document. With display required, an element without it is refused.
func (s *Server) findMembers(v any, store string, needDisplay bool) ([]*user, *answer) {
	list, ok := v.([]any)
	if !ok {
		return nil, badSyntax("invalidSyntax")
	}
	var found []*user
	for _, element := range list {
		member, ok := element.(map[string]any)
		if !ok {
			return nil, badSyntax("invalidSyntax")
		}
		id, _ := member["value"].(string)
		display, hasDisplay := member["display"].(string)
		if id == "" || needDisplay && !hasDisplay {
			return nil, badSyntax("invalidSyntax")
		}
		u := s.dir.users[id]
		if u == nil {
			return nil, badValue("User: " + id + " doesn't exist in the user store.")
		}
		if u.store != store {
			return nil, badValue("Adding users from different user stores to a group is not allowed: " + u.userName())
		}
		if name, _ := strings.CutPrefix(display, primary+"/"); hasDisplay && !strings.EqualFold(name, u.userName()) {
			return nil, badValue("Given SCIM user Id and name not matching..")
		}
		found = append(found, u)
	}
	return found, nil
}

func noGroup() *answer {
	return scimError(http.StatusNotFound, "", "Group not found in the user store.")
}

func (s *Server) getGroup(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	g := s.dir.groups[c.PathValue("id")]
	if g == nil {
		return noGroup()
	}
	return s.showGroup(g, readProjection(c.URL.Query()))
}

func (s *Server) listGroups(c *call) *answer {
	q := c.URL.Query()
	if refused := refuseSort(q, "Sorting is not supported"); refused != nil {
		return refused
	}
	w, refused := readWindow(q)
	if refused != nil {
		return refused
	}
	var condition *condition
	if q.Has("filter") {
		f, err := parseFilter(q.Get("filter"))
		if err != nil {
			if _, isComplex := err.(complexFilter); isComplex {
				return scimError(http.StatusNotImplemented, "", "Complex filters are not supported yet")
			}
			return filterRefusal(err)
		}
		if len(f) > 1 {
			return scimError(http.StatusNotImplemented, "", "Complex filters are not supported yet")
		}
		condition = &f[0]
	}
	// Pages of groups are not implemented; a count alone is taken and not used.
	if w.start != 1 && w.count >= 0 {
		return scimError(http.StatusNotImplemented, "", "Pagination is not supported")
	}
	if w.count == 0 {
		return writeList(0, w.start, nil)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	match := func(*group) bool { return true }
	if condition != nil {
		if match, refused = s.compileGroup(*condition); refused != nil {
			return refused
		}
	}
	p := readProjection(q)
	domain := strings.ToUpper(q.Get("domain"))
	var documents [][]byte
	for _, g := range slices.Backward(s.dir.ordered) {
		if domain != "" && g.store != domain || !match(g) {
			continue
		}
		// Members only for the asking (is-behaviour 4).
		withMembers := len(p.only) > 0 && p.shows("members")
		body, err := json.Marshal(p.apply(s.groupDocument(g, withMembers), "id"))
		if err != nil {
			return empty(http.StatusInternalServerError)
		}
		documents = append(documents, body)
	}
	return writeList(len(documents), w.start, documents)
}

func (s *Server) compileGroup(c condition) (func(*group) bool, *answer) {
	name := strings.TrimPrefix(c.attr, coreGroup+":")
	if !slices.Contains([]string{"eq", "co", "sw", "ew"}, c.op) {
		return nil, scimError(http.StatusBadRequest, "invalidFilter", "Filter operator: "+c.op+" is not supported for filtering groups.")
	}
	switch strings.ToLower(name) {
	case "displayname":
		store, rest, known := s.dir.split(c.value)
		qualified := known && strings.Contains(c.value, "/")
		return func(g *group) bool {
			if qualified {
				return g.store == store && condition{op: c.op, value: rest}.holds(g.name, true)
			}
			return c.holds(g.name, true)
		}, nil
	case "id":
		return func(g *group) bool { return c.holds(g.id, false) }, nil
	case "members", "members.value":
		return func(g *group) bool {
			return slices.ContainsFunc(g.order, func(id string) bool { return c.holds(id, false) })
		}, nil
	case "members.display":
		return func(g *group) bool {
			for _, u := range g.members {
				if c.holds(u.userName(), true) {
					return true
				}
			}
			return false
		}, nil
	case "meta.created", "meta.lastmodified", "meta.location":
		return nil, unsupportedAttribute(coreGroup + ":" + name)
	}
	return nil, badValue("Not a valid attribute name/uri")
}

func (s *Server) createGroup(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	a := s.newGroup(body)
	if a.status == http.StatusCreated {
		s.changed()
	}
	return a
}

func (s *Server) newGroup(body map[string]any) *answer {
	given, _ := body["displayName"].(string)
	if given == "" {
		return badValue("Required attribute displayName is missing in the SCIM Object.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	store, name, known := s.dir.split(given)
	if !known || name == "" {
		return badValue("User store domain " + store + " does not exist or is not enabled for SCIM.")
	}
	if s.dir.groupsBy[nameKey(store, name)] != nil {
		return scimError(http.StatusConflict, "", "Group with name: "+store+"/"+name+" already exists in the system.")
	}
	var members []*user
	if v, ok := body["members"]; ok && v != nil {
		var refused *answer
		if members, refused = s.findMembers(v, store, false); refused != nil {
			return refused
		}
	}
	now := s.opts.Now()
	g := &group{id: newID(), store: store, name: name, created: now, modified: now}
	s.dir.addGroup(g)
	for _, u := range members {
		g.add(u)
	}
	// The answer to a create has neither members nor schemas (is-behaviour 22): it must be read again.
	d := s.groupDocument(g, false)
	d["schemas"] = []string{}
	return scimObject(http.StatusCreated, d).at(s.groupURL(g.id))
}

func (s *Server) putGroup(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	a := s.replaceGroup(c.PathValue("id"), body, readProjection(c.URL.Query()))
	if a.status == http.StatusOK {
		s.changed()
	}
	return a
}

func (s *Server) replaceGroup(id string, body map[string]any, p projection) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.dir.groups[id]
	if g == nil {
		return noGroup()
	}
	name, _ := body["displayName"].(string)
	if name == "" {
		return badValue("Required attribute displayName is missing in the SCIM Object.")
	}
	var members []*user
	if v, ok := body["members"]; ok && v != nil {
		var refused *answer
		if members, refused = s.findMembers(v, g.store, false); refused != nil {
			return refused
		}
	}
	if refused := s.rename(g, name); refused != nil {
		return refused
	}
	g.setMembers(members)
	g.modified = s.opts.Now()
	return s.showGroup(g, p).at(s.groupURL(g.id))
}

// rename gives a group another name in the same store.
func (s *Server) rename(g *group, given string) *answer {
	store, name, known := s.dir.split(given)
	switch {
	case !known || store != g.store || name == "":
		return badValue("Group cannot be moved to another user store: " + given)
	case name == g.name:
		return nil
	}
	if other := s.dir.groupsBy[nameKey(store, name)]; other != nil && other != g {
		return scimError(http.StatusConflict, "", "Group with name: "+store+"/"+name+" already exists in the system.")
	}
	s.dir.renameGroup(g, name)
	return nil
}

func (g *group) setMembers(members []*user) {
	keep := map[string]bool{}
	for _, u := range members {
		keep[u.id] = true
	}
	for _, u := range slices.Collect(maps.Values(g.members)) {
		if !keep[u.id] {
			g.remove(u)
		}
	}
	for _, u := range members {
		g.add(u)
	}
}

func (s *Server) patchGroup(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	a := s.changeGroup(c.PathValue("id"), body, readProjection(c.URL.Query()))
	if a.status == http.StatusOK {
		s.changed()
	}
	return a
}

// A groupChange is one step of a PATCH, made ready before anything is changed.
type groupChange func(*group) *answer

func (s *Server) changeGroup(id string, body map[string]any, p projection) *answer {
	operations, refused, err := readOperations(body)
	if err != nil {
		return failedPatch("group")
	}
	if refused != nil {
		return refused
	}
	for _, o := range operations {
		_, isList := o.value.([]any)
		if o.hasValue && o.op == "replace" && (o.value == nil || isList) || o.hasValue && o.op == "remove" && o.value == nil {
			return failedPatch("group") // before the group is looked for (seen)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.dir.groups[id]
	if g == nil {
		return noGroup()
	}
	var changes []groupChange
	for _, o := range operations {
		list, refused := s.readGroupChange(g, o)
		if refused != nil {
			return refused
		}
		changes = append(changes, list...)
	}
	for _, change := range changes {
		if refused := change(g); refused != nil {
			return refused
		}
	}
	g.modified = s.opts.Now()
	return s.showGroup(g, p).at(s.groupURL(g.id))
}

// readGroupChange reads one operation. The refusals are charon's.
func (s *Server) readGroupChange(g *group, o operation) ([]groupChange, *answer) {
	if refused := o.pathless(); refused != nil {
		return nil, refused
	}
	if !o.hasPath {
		members, ok := o.value.(map[string]any)
		switch {
		case !o.hasValue && o.op == "replace":
			return nil, nil
		case !o.hasValue:
			return nil, failedPatch("group")
		case !ok:
			if _, isText := o.value.(string); !isText && o.value != nil {
				return nil, failedPatch("group")
			}
			return nil, scimError(http.StatusInternalServerError, "", "Error in decoding the request")
		}
		var changes []groupChange
		for _, name := range slices.Sorted(maps.Keys(members)) {
			switch value := members[name]; {
			case name == "displayName":
				changes = append(changes, func(g *group) *answer { return s.rename(g, textOf(value)) })
			case name == "members":
				// An add needs display with each value, a replace does not.
				found, refused := s.findMembers(value, g.store, o.op == "add")
				if refused != nil {
					return nil, refused
				}
				changes = append(changes, memberChange(o.op, found))
			case name != "schemas" && o.op == "replace":
				return nil, refuse(syntax, "Not a valid attribute.")
			}
		}
		return changes, nil
	}
	name, rest, bracketed := strings.Cut(strings.TrimPrefix(o.path, coreGroup+":"), "[")
	_, isList := o.value.([]any)
	_, isText := o.value.(string)
	if o.op == "remove" && bracketed && rest == "" {
		bracketed = false // the bracket is cut off (seen)
	}
	switch {
	case o.op == "remove" && name != "members":
		return nil, refuse(syntax, o.path+" is not a valid attribute.")
	case o.op == "add" && !o.hasValue:
		return nil, refuse(syntax, "Not a valid attribute.")
	case o.op == "replace" && !o.hasValue && (name != "members" || bracketed):
		return nil, nil // nothing is done
	case o.op == "replace" && !isText && (name != "members" && name != "displayName" || bracketed):
		return nil, failedPatch("group")
	case name == "displayName" && !bracketed:
		text, ok := o.value.(string)
		if !ok {
			return nil, failedPatch("group")
		}
		return []groupChange{func(g *group) *answer { return s.rename(g, text) }}, nil
	case name != "members", bracketed && o.op != "remove":
		return nil, refuse(syntax, "Not a valid attribute.")
	case bracketed:
		inside, _, closed := strings.Cut(rest, "]") // a member after it is not looked at
		c, err := parseCondition(inside)
		if err != nil || !closed {
			return nil, refuse(syntax, "Invalid filter")
		}
		return []groupChange{func(g *group) *answer {
			for _, u := range slices.Collect(maps.Values(g.members)) {
				if c.attr == "value" && u.id == c.value || c.attr == "display" && strings.EqualFold(u.userName(), c.value) {
					g.remove(u)
				}
			}
			return nil
		}}, nil
	case o.op == "remove" && o.hasValue, o.op == "add" && !isList, o.op == "replace":
		// IS 7.1 answers 500 to a replace of the list by path, and takes the same change without one (is-behaviour 22).
		return nil, failedPatch("group")
	case o.op == "remove":
		return []groupChange{func(g *group) *answer {
			if len(g.order) == 0 {
				return refuse(invalidWay, "No such attribute with the name : members in the current resource")
			}
			g.setMembers(nil)
			return nil
		}}, nil
	}
	found, refused := s.findMembers(o.value, g.store, true)
	if refused != nil {
		return nil, refused
	}
	return []groupChange{memberChange("add", found)}, nil
}

func memberChange(op string, found []*user) groupChange {
	return func(g *group) *answer {
		if op == "replace" {
			g.setMembers(found)
			return nil
		}
		for _, u := range found {
			g.add(u)
		}
		return nil
	}
}

func (s *Server) deleteGroup(c *call) *answer {
	a := s.dropGroup(c.PathValue("id"))
	if a.status == http.StatusNoContent {
		s.changed()
	}
	return a
}

func (s *Server) dropGroup(id string) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.dir.groups[id]
	if g == nil {
		// IS 7.1 answers 400, not 404, to the deletion of a group that is not there (is-behaviour 22).
		return scimError(http.StatusBadRequest, "", "No group found with the id: "+id+" in tenant: -1234")
	}
	s.dir.removeGroup(g)
	return empty(http.StatusNoContent)
}
