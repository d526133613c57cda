package is

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// maxUsers is how many users one answer holds at most, whatever count says (MaxUserNameListLength and the server's page size).
const maxUsers = 100

var (
	validUserName = regexp.MustCompile(`^[\S]{3,50}$`)
	validPassword = regexp.MustCompile(`^[\S]{5,30}$`)
)

func (s *Server) userURL(id string) string { return s.opts.Base + "/scim2/Users/" + id }

// render makes a user's document as lists show it: without schemas, and of the attributes at least those that p shows.
func (s *Server) render(u *user, p projection) map[string]any {
	d := map[string]any{"id": u.id, "userName": u.userName()}
	if p.shows("meta") {
		d["meta"] = map[string]any{"created": timestamp(u.created), "lastModified": timestamp(u.modified), "location": s.userURL(u.id), "resourceType": "User"}
	}
	for name, value := range u.attributes {
		a, core := s.schema.find(coreUser, name)
		switch {
		case !core:
			d[name] = value
		case p.shows(name):
			d[name] = a.show(value)
		}
	}
	if len(u.groups) > 0 && p.shows("groups") {
		var groups []reference
		for _, g := range slices.SortedFunc(maps.Values(u.groups), func(a, b *group) int { return strings.Compare(a.name, b.name) }) {
			groups = append(groups, reference{g.id, g.display(), s.groupURL(g.id)})
		}
		d["groups"] = groups
	}
	if p.shows("roles") {
		if roles := u.allRoles(&s.dir); len(roles) > 0 {
			d["roles"] = s.roleReferences(roles)
		}
	}
	return d
}

// roleReferences are roles as users and groups show them.
func (s *Server) roleReferences(roles []*role) []any {
	var list []any
	for _, r := range roles {
		list = append(list, map[string]any{
			"value": r.id, "display": r.name, "$ref": s.roleURL(r.id),
			"audienceValue": r.audienceID, "audienceType": r.audience, "audienceDisplay": r.audienceName,
		})
	}
	return list
}

// listed is the user's document in a list, from its cache where that is good.
func (s *Server) listed(u *user, p projection) []byte {
	if p.all() {
		if d := u.document.Load(); d != nil && d.version == s.dir.version {
			return d.body
		}
	}
	body, err := json.Marshal(p.apply(s.render(u, p), "id"))
	if err != nil {
		return []byte("{}")
	}
	if p.all() {
		u.document.Store(&document{body, s.dir.version})
	}
	return body
}

// showUser is the answer that holds one user.
func (s *Server) showUser(status int, u *user, p projection) *answer {
	d := p.apply(s.render(u, p), "id")
	d["schemas"] = userSchemas
	return scimObject(status, d).at(s.userURL(u.id))
}

func noUser(id string) *answer {
	return scimError(http.StatusNotFound, "", "User "+id+" does not exist in: PRIMARY")
}

func (s *Server) getUser(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.dir.users[c.PathValue("id")]
	if u == nil {
		return noUser(c.PathValue("id"))
	}
	return s.showUser(http.StatusOK, u, readProjection(c.URL.Query()))
}

func (s *Server) getMe(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.dir.userNamed(c.caller.name)
	if u == nil {
		return noUser(c.caller.name)
	}
	return s.showUser(http.StatusOK, u, readProjection(c.URL.Query()))
}

func (s *Server) listUsers(c *call) *answer {
	q := c.URL.Query()
	if refused := refuseSort(q, "Sorting is not supported"); refused != nil {
		return refused
	}
	w, refused := readWindow(q)
	if refused != nil {
		return refused
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	match := userMatch(nil)
	var f filter
	if q.Has("filter") {
		var err error
		if f, err = parseFilter(q.Get("filter")); err != nil {
			return filterRefusal(err)
		}
		if match, refused = s.compileUsers(f); refused != nil {
			return refused
		}
	}
	if w.count == 0 {
		return writeList(0, w.start, nil) // count=0 and less: no total either (is-behaviour 22)
	}
	stores := s.dir.stores
	if domain := q.Get("domain"); domain != "" {
		stores = []string{strings.ToUpper(domain)}
	}
	var found []*user
	for _, store := range stores {
		if name, exact := exactName(f, s.dir.stores); exact {
			if u := s.dir.names[nameKey(store, name)]; u != nil && match(u) {
				found = append(found, u)
			}
			continue
		}
		if match == nil {
			found = append(found, s.dir.byStore[store]...)
			continue
		}
		for _, u := range s.dir.byStore[store] {
			if match(u) {
				found = append(found, u)
			}
		}
	}
	total := len(found)
	page := cut(found, w, maxUsers)
	if w.count < 0 {
		total = min(total, maxUsers) // without count the total is capped as well (is-behaviour 3)
	}
	p := readProjection(q)
	documents := make([][]byte, len(page))
	for i, u := range page {
		documents[i] = s.listed(u, p)
	}
	return writeList(total, w.start, documents)
}

// exactName is the name within a store that a filter asks for by userName eq: such a user is found without looking at the others.
func exactName(f filter, stores []string) (string, bool) {
	for _, c := range f {
		if c.op != "eq" || !strings.EqualFold(strings.TrimPrefix(c.attr, coreUser+":"), "userName") {
			continue
		}
		if prefix, name, ok := strings.Cut(c.value, "/"); ok && slices.Contains(stores, strings.ToUpper(prefix)) {
			return name, true
		}
		return c.value, true
	}
	return "", false
}

// masked hides all but the ends of a name, as the server's messages do.
func masked(name string) string {
	runes := []rune(name)
	if len(runes) < 3 {
		return strings.Repeat("*", len(runes))
	}
	return string(runes[0]) + strings.Repeat("*", len(runes)-2) + string(runes[len(runes)-1])
}

func (s *Server) createUser(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	a := s.addUser(body, readProjection(c.URL.Query()))
	if a.status == http.StatusCreated {
		s.changed()
	}
	return a
}

// addUser creates a user from a document.
func (s *Server) addUser(body map[string]any, p projection) *answer {
	if refused := s.schema.check(body); refused != nil {
		return refused
	}
	given := textOf(body["userName"])
	if given == "" {
		return badValue("Required attribute userName is missing in the SCIM Object.")
	}
	s.mu.RLock()
	store, name, known := s.dir.split(given)
	s.mu.RUnlock()
	if !known {
		return badValue("User store domain " + store + " does not exist or is not enabled for SCIM.")
	}
	if !validUserName.MatchString(name) {
		return badValue("31301 - Username " + name + " is not valid. User name must be a non null string with following format, " + validUserName.String())
	}
	attributes := s.schema.acceptAll(body)
	password := textOf(body["password"])
	ask := false
	for _, urn := range []string{wso2Schema, enterpriseUser, customUser} {
		if members, ok := body[urn].(map[string]any); ok && strings.EqualFold(textOf(members["askPassword"]), "true") {
			ask = true
		}
	}
	if password == "" && !ask {
		return badValue("Credential must not be null or empty.")
	}
	if password != "" && !validPassword.MatchString(password) {
		return badValue("30003 - Credential not valid. Credential must be a non null string with following format, " + validPassword.String())
	}
	now := s.opts.Now()
	u := &user{id: newID(), store: store, name: name, attributes: attributes, created: now, modified: now}
	if password != "" {
		u.password = newSecret(password)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir.names[nameKey(store, name)] != nil {
		return scimError(http.StatusConflict, "", "User with the name: "+masked(name)+" already exists in the system.")
	}
	s.dir.addUser(u)
	return s.showUser(http.StatusCreated, u, p)
}

var errRename = scimError(http.StatusBadRequest, "mutability", "Attribute userName cannot be modified.")

func (s *Server) putUser(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	return s.afterUpdate(c, s.replaceUser(c.PathValue("id"), body, readProjection(c.URL.Query())))
}

// afterUpdate ends the tokens of a user who was given another password or may no longer log in.
func (s *Server) afterUpdate(c *call, a *answer) *answer {
	if a.status != http.StatusOK {
		return a
	}
	s.mu.Lock()
	u := s.dir.users[c.PathValue("id")]
	ended := u != nil && (u.endTokens || u.flag("accountLocked") || u.flag("accountDisabled"))
	if u != nil {
		u.endTokens = false
	}
	s.mu.Unlock()
	if ended {
		s.tokens.EndUser(c.PathValue("id"))
	}
	s.changed()
	return a
}

// replaceUser makes a user what a document says: what it does not name is removed, memberships stay, a password is reset when given.
func (s *Server) replaceUser(id string, body map[string]any, p projection) *answer {
	if refused := s.schema.check(body); refused != nil {
		return refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.dir.users[id]
	if u == nil {
		return noUser(id)
	}
	given := textOf(body["userName"])
	if given == "" {
		return badValue("Required attribute userName is missing in the SCIM Object.")
	}
	// PUT compares names without regard to letter case, PATCH exactly (is-behaviour 3).
	if store, name, _ := s.dir.split(given); store != u.store || !strings.EqualFold(name, u.name) {
		return errRename
	}
	if password := textOf(body["password"]); password != "" {
		if refused := s.setPassword(u, password); refused != nil {
			return refused
		}
	}
	u.attributes = s.schema.acceptAll(body)
	u.modified = s.opts.Now()
	u.touch()
	return s.showUser(http.StatusOK, u, p)
}

func (s *Server) setPassword(u *user, password string) *answer {
	if !validPassword.MatchString(password) {
		return badValue("36001 - Credential not valid. Credential must be a non null string with following format, " + validPassword.String())
	}
	u.password, u.endTokens = newSecret(password), true
	return nil
}

func (s *Server) deleteUser(c *call) *answer {
	a := s.dropUser(c.PathValue("id"))
	if a.status == http.StatusNoContent {
		s.tokens.EndUser(c.PathValue("id"))
		s.changed()
	}
	return a
}

func (s *Server) dropUser(id string) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.dir.users[id]
	switch {
	case u == nil:
		return scimError(http.StatusNotFound, "", noResource)
	case u.store == primary && strings.EqualFold(u.name, "admin"):
		return badValue("Cannot delete the admin user of the tenant.")
	}
	s.dir.removeUser(u)
	return empty(http.StatusNoContent)
}
