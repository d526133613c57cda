package oracle

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"wso2plan/providers/sandbox/is"
	"wso2plan/providers/sandbox/replay"
)

const (
	coreUser   = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	wso2User   = "urn:scim:wso2:schema"
	coreGroup  = "urn:ietf:params:scim:schemas:core:2.0:Group"
	roleSchema = "urn:ietf:params:scim:schemas:extension:2.0:Role"
	patchOp    = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// TestRequestsSCIM compares answers about users, groups and roles.
func TestRequestsSCIM(t *testing.T) {
	real := charon(t)
	s := httptest.NewUnstartedServer(nil)
	base := "http://" + s.Listener.Addr().String()
	server, err := is.New(is.Options{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Handler = server
	s.Start()
	t.Cleanup(s.Close)
	c, requests := newComparison(t, real+"/scim2", &replay.Player{
		Base: base + "/scim2", User: "admin:admin", ContentType: "application/scim+json",
		Sets: []string{"/emails", "/phoneNumbers", "/permissions", "/groups", "/users", "/members", "/Resources/*/groups", "/Resources/*/emails"},
	}, 3000)
	c.kind = "application/scim+json"
	c.times = []string{"created", "lastModified"}
	q := &scimRequests{comparison: c}
	for c.count < requests && !t.Failed() {
		q.next()
	}
	c.report()
}

// scimRequests makes requests out of what it knows to be there.
type scimRequests struct {
	*comparison
	made                 int
	users, groups, roles []thing
}

func (q *scimRequests) next() {
	switch n := q.rand.IntN(100); {
	case n < 50:
		q.user()
	case n < 75:
		q.group()
	default:
		q.role()
	}
}

// label makes a name that nothing has yet.
func (q *scimRequests) label(stem string) string {
	q.made++
	return stem + string(rune('a'+q.made%26)) + string(rune('a'+q.made/26%26)) + string(rune('a'+q.made/676%26))
}

func (q *scimRequests) one(list []thing) thing {
	if len(list) == 0 || q.chance(5) {
		return thing{id: nobody, name: "nobody"}
	}
	return pick(q.comparison, list...)
}

func (q *scimRequests) maybe(body map[string]any, name string, values ...any) {
	if q.chance(50) {
		body[name] = pick(q.comparison, values...)
	}
}

// perhapsSpoilt returns a body with a chance of being spoilt; members named in spare are left.
func (q *scimRequests) perhapsSpoilt(body map[string]any, spare ...string) any {
	switch {
	case q.chance(20):
		q.spoil(body, append(spare, "emails", "phoneNumbers")...)
	case q.chance(3):
		return pick(q.comparison, `{"userName": `, `{`, `[]`)
	}
	return body
}

// keep takes what a write has answered into the list of things, or ends the thing on both servers
// when they differ about it.
func (q *scimRequests) keep(list *[]thing, r reply, path string, t thing) {
	*list = without(*list, t.id)
	switch {
	case !r.same:
		if t.id != "" && t.id != nobody {
			q.clear(&q.roles, "/v2/Roles/")
			if path == "/Users/" {
				q.clear(&q.groups, "/Groups/")
			}
			q.both("DELETE", path+t.id)
		}
		return
	case !r.ok() && (t.id == "" || t.id == nobody):
		return
	}
	if name := r.text("displayName"); r.ok() && name != "" && path != "/Users/" {
		t.name = name
	}
	*list = append(*list, t)
}

// clear ends things on both servers that may refer to one which is about to be deleted: charon's
// store keeps references to what is gone.
func (q *scimRequests) clear(list *[]thing, path string) {
	for _, t := range *list {
		q.both("DELETE", path+t.id)
	}
	*list = nil
}

// Users.

func (q *scimRequests) userBody(name string) map[string]any {
	c := q.comparison
	body := map[string]any{"schemas": []any{coreUser}, "userName": name}
	q.maybe(body, "name", map[string]any{"givenName": "Ann", "familyName": "Lee"}, map[string]any{"familyName": "Lee"}, map[string]any{"givenName": "Ünal"})
	q.maybe(body, "emails", []any{map[string]any{"type": "work", "value": name + "@example.com"}}, []any{name + "@example.com"},
		[]any{map[string]any{"type": "work", "value": name + "@work.example"}, map[string]any{"type": "home", "value": name + "@home.example"}})
	q.maybe(body, "phoneNumbers", []any{map[string]any{"type": "mobile", "value": "+49 170 1"}}, []any{map[string]any{"type": "work", "value": "+49 30 1"}})
	q.maybe(body, "nickName", "Annie", "")
	q.maybe(body, "title", "Engineer")
	q.maybe(body, "preferredLanguage", "de_DE")
	q.maybe(body, "locale", "DE")
	q.maybe(body, "timezone", "Europe/Berlin")
	q.maybe(body, "profileUrl", "https://example.com/"+name)
	q.maybe(body, "externalId", "x-"+name)
	if c.chance(50) {
		extension := map[string]any{}
		q.maybe(extension, "department", "Ops", "Dev")
		q.maybe(extension, "employeeNumber", "4711", 4711)
		q.maybe(extension, "costCenter", "c1")
		q.maybe(extension, "manager", map[string]any{"value": "m1"})
		body[enterprise] = extension
	}
	if c.chance(30) {
		extension := map[string]any{}
		q.maybe(extension, "accountLocked", true, false, "true")
		q.maybe(extension, "country", "DE")
		body[wso2User] = extension
	}
	return body
}

// projection is a query that picks attributes, often none.
func (q *scimRequests) projection(names ...string) string {
	if q.chance(60) {
		return ""
	}
	chosen := some(q.comparison, names...)
	if len(chosen) == 0 {
		return ""
	}
	return "?" + pick(q.comparison, "attributes", "excludedAttributes") + "=" + strings.Join(chosen, ",")
}

func (q *scimRequests) user() {
	c, u := q.comparison, q.one(q.users)
	switch n := c.rand.IntN(100); {
	case n < 25 && len(q.users) < 15:
		name := q.label("ann")
		if c.chance(8) {
			name = pick(c, u.name, strings.ToUpper(u.name))
		}
		body := q.userBody(name)
		body["password"] = "Pass@1234"
		r := c.send("user-create", "POST", "/Users"+q.projection("userName", "emails"), q.perhapsSpoilt(body, "password", "userName"))
		q.keep(&q.users, r, "/Users/", thing{id: r.text("id"), name: name})
	case n < 45:
		c.send("user-get", "GET", "/Users/"+u.id+q.projection("userName", "emails", "name", "name.givenName", "groups", "roles", "meta", enterprise,
			enterprise+":department", "nickName", "id", "shoeSize"), nil)
	case n < 53:
		filter := pick(c, `userName eq "`+u.name+`"`, `userName eq `+u.name, `userName eq`, `userName is "x"`, `shoeSize eq "4"`, `userName eq "a" or userName eq "b"`,
			`not (userName eq "a")`, `emails.value eq`, `(userName eq "`, `userName eq "`+u.name+`" and`, `name.shoe eq "x"`)
		c.send("user-filter", "GET", "/Users?filter="+escaped(filter), nil)
	case n < 57:
		c.send("user-list-refused", "GET", "/Users?"+pick(c, "sortBy=userName", "sortOrder=ascending", "count=0"), nil)
	case n < 67:
		name := u.name
		if c.chance(10) {
			name = q.label("other")
		}
		q.keep(&q.users, c.send("user-put", "PUT", "/Users/"+u.id, q.perhapsSpoilt(q.userBody(name), "userName")), "/Users/", u)
	case n < 96:
		q.keep(&q.users, c.send("user-patch", "PATCH", "/Users/"+u.id, q.patch(q.userOperation)), "/Users/", u)
	default:
		q.clear(&q.groups, "/Groups/")
		q.clear(&q.roles, "/v2/Roles/")
		if r := c.send("user-delete", "DELETE", "/Users/"+u.id, nil); r.ok() {
			q.users = without(q.users, u.id)
		}
	}
}

// patch is the body of a PATCH of one to three operations.
func (q *scimRequests) patch(operation func() map[string]any) any {
	var operations []any
	for n := 1 + q.rand.IntN(3); len(operations) < n; {
		o := operation()
		if odd(o) {
			operations = []any{o} // alone
			break
		}
		operations = append(operations, o)
	}
	body := map[string]any{"schemas": []any{patchOp}, "Operations": operations}
	if q.chance(12) {
		q.spoil(body)
	}
	return body
}

// odd tells an operation that is refused.
func odd(o map[string]any) bool {
	path, hasPath := o["path"].(string)
	op, _ := o["op"].(string)
	return op == "swap" || op == "remove" && (!hasPath || path == "displayName") || strings.HasSuffix(path, "[") || path == "" && hasPath ||
		slices.Contains([]string{"shoeSize", "id", "audience", "members.value"}, path) || writesWhole(o, op, path)
}

// writesWhole tells an operation for which charon reads and writes a whole group or role.
func writesWhole(o map[string]any, op, path string) bool {
	value, _ := o["value"].(map[string]any)
	return op == "remove" && path == "members" || path == "users" && op != "add" || op == "replace" && (value["members"] != nil || value["users"] != nil)
}

func (q *scimRequests) userOperation() map[string]any {
	c := q.comparison
	op := pick(c, "replace", "replace", "add", "remove", "Replace", "swap")
	if c.chance(15) {
		return map[string]any{"op": op, "value": pick(c, map[string]any{"nickName": "N"}, map[string]any{"name": map[string]any{"givenName": "G"}},
			map[string]any{enterprise: map[string]any{"department": "New"}}, map[string]any{"shoeSize": 1}, map[string]any{"title": "T", "locale": "FR"})}
	}
	type target struct {
		path  string
		value any
	}
	t := pick(c,
		target{"nickName", "Nick"}, target{"name.familyName", "Kay"}, target{"name", map[string]any{"givenName": "Zoe"}}, target{"title", "Chief"},
		target{"locale", "FR"}, target{"displayName", "Shown"}, target{"active", true}, target{"active", "perhaps"},
		target{"emails", []any{map[string]any{"type": "other", "value": "o@example.com"}}},
		target{enterprise + ":department", "Sales"}, target{enterprise + ":manager.value", "m2"},
		target{wso2User + ":accountLocked", true}, target{wso2User + ":country", "FR"}, target{enterprise, map[string]any{"department": "All"}},
		target{"shoeSize", "44"}, target{"id", "x"}, target{"userName", "renamed"}, target{"meta.created", "x"}, target{"name.shoe", "x"},
		target{enterprise + ":shoe", "x"}, target{"emails[", "x"}, target{`emails[type eq].value`, "x"}, target{"schemas", []any{"x"}}, target{"", "x"})
	out := map[string]any{"op": op, "path": t.path, "value": t.value}
	if strings.EqualFold(op, "remove") && c.chance(80) {
		delete(out, "value")
	}
	return out
}

// Groups.

func (q *scimRequests) members() []any {
	out := []any{}
	for _, u := range some(q.comparison, q.users...) {
		if len(out) < 3 {
			out = append(out, map[string]any{"value": u.id, "display": u.name})
		}
	}
	return out
}

func (q *scimRequests) group() {
	c, g := q.comparison, q.one(q.groups)
	switch n := c.rand.IntN(100); {
	case n < 25 && len(q.groups) < 10:
		name := q.label("ops")
		if c.chance(8) {
			name = pick(c, g.name, strings.ToUpper(g.name))
		}
		body := map[string]any{"schemas": []any{coreGroup}, "displayName": name}
		if c.chance(60) {
			body["members"] = q.members()
		}
		r := c.send("group-create", "POST", "/Groups", q.perhapsSpoilt(body, "displayName", "members"))
		q.keep(&q.groups, r, "/Groups/", thing{id: r.text("id"), name: name})
	case n < 42:
		c.send("group-get", "GET", "/Groups/"+g.id+q.projection("displayName", "members", "members.value", "id", "meta", "shoeSize"), nil)
	case n < 50:
		filter := pick(c, `displayName eq "`+g.name+`"`, `displayName eq`, `displayName is "x"`, `shoeSize eq "4"`, `displayName eq "a" and displayName eq "b"`)
		c.send("group-filter", "GET", "/Groups?excludedAttributes=members&filter="+escaped(filter), nil)
	case n < 58:
		body := map[string]any{"schemas": []any{coreGroup}, "displayName": g.name}
		if c.chance(60) {
			body["members"] = q.members()
		}
		q.keep(&q.groups, c.send("group-put", "PUT", "/Groups/"+g.id, q.perhapsSpoilt(body, "displayName", "members")), "/Groups/", g)
	case n < 95:
		q.keep(&q.groups, c.send("group-patch", "PATCH", "/Groups/"+g.id, q.patch(q.groupOperation)), "/Groups/", g)
	default:
		q.clear(&q.roles, "/v2/Roles/")
		if r := c.send("group-delete", "DELETE", "/Groups/"+g.id, nil); r.ok() {
			q.groups = without(q.groups, g.id)
		}
	}
}

func (q *scimRequests) groupOperation() map[string]any {
	c, u := q.comparison, q.one(q.users)
	switch n := c.rand.IntN(100); {
	case n < 25:
		return map[string]any{"op": pick(c, "add", "replace"), "path": "members", "value": q.members()}
	case n < 40:
		return map[string]any{"op": "remove", "path": `members[` + pick(c, "value", "display") + ` eq "` + pick(c, u.id, u.name) + `"]`}
	case n < 48:
		return map[string]any{"op": "remove", "path": "members"}
	case n < 60:
		return map[string]any{"op": pick(c, "replace", "add", "remove"), "path": "displayName", "value": q.label("ops")}
	case n < 75:
		return map[string]any{"op": pick(c, "add", "replace"), "value": map[string]any{"members": q.members()}}
	}
	return map[string]any{"op": pick(c, "add", "replace", "remove", "swap"), "path": pick(c, "shoeSize", "members.value", "members[", "id", ""), "value": pick[any](c, "x", nil)}
}

// Roles.

var permissions = []string{"internal_user_mgt_view", "internal_user_mgt_list", "internal_group_mgt_view", "internal_role_mgt_view"}

func values(names []string) []any {
	out := []any{}
	for _, n := range names {
		out = append(out, map[string]any{"value": n})
	}
	return out
}

func idsOf(list []thing) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.id)
	}
	return out
}

func (q *scimRequests) roleBody(name string) map[string]any {
	c := q.comparison
	body := map[string]any{"schemas": []any{roleSchema}, "displayName": name}
	q.maybe(body, "permissions", values(some(c, permissions...)))
	q.maybe(body, "users", values(some(c, idsOf(q.users)[:min(2, len(q.users))]...)))
	q.maybe(body, "groups", values(some(c, idsOf(q.groups)[:min(2, len(q.groups))]...)))
	return body
}

func (q *scimRequests) role() {
	c, r := q.comparison, q.one(q.roles)
	switch n := c.rand.IntN(100); {
	case n < 25 && len(q.roles) < 10:
		name := q.label("deployer")
		if c.chance(8) {
			name = pick(c, r.name, strings.ToUpper(r.name))
		}
		got := c.send("role-create", "POST", "/v2/Roles", q.perhapsSpoilt(q.roleBody(name), "displayName", "permissions", "users", "groups"))
		q.keep(&q.roles, got, "/v2/Roles/", thing{id: got.text("id"), name: name})
	case n < 45:
		c.send("role-get", "GET", "/v2/Roles/"+r.id+q.projection("displayName", "permissions", "users", "groups", "id", "meta", "shoeSize"), nil)
	case n < 52:
		filter := pick(c, `displayName eq`, `displayName is "x"`, `shoeSize eq "4"`, `displayName eq "a" or displayName eq "b"`)
		c.send("role-filter", "GET", "/v2/Roles?filter="+escaped(filter), nil)
	case n < 60:
		q.keep(&q.roles, c.send("role-put", "PUT", "/v2/Roles/"+r.id, q.perhapsSpoilt(q.roleBody(r.name), "displayName", "permissions", "users", "groups")), "/v2/Roles/", r)
	case n < 90:
		q.keep(&q.roles, c.send("role-patch", "PATCH", "/v2/Roles/"+r.id, q.patch(q.roleOperation)), "/v2/Roles/", r)
	default:
		if got := c.send("role-delete", "DELETE", "/v2/Roles/"+r.id, nil); got.ok() {
			q.roles = without(q.roles, r.id)
		}
	}
}

func (q *scimRequests) roleOperation() map[string]any {
	c := q.comparison
	list := pick(c, "permissions", "permissions", "users", "groups")
	names := map[string][]string{"permissions": permissions, "users": idsOf(q.users), "groups": idsOf(q.groups)}[list]
	chosen := some(c, names...)
	if len(chosen) == 0 {
		chosen = slices.Clone(permissions[:1])
		list = "permissions"
	}
	switch n := c.rand.IntN(100); {
	case n < 40:
		return map[string]any{"op": pick(c, "add", "replace"), "path": list, "value": values(chosen)}
	case n < 55:
		return map[string]any{"op": "remove", "path": list + `[value eq "` + chosen[0] + `"]`}
	case n < 62:
		return map[string]any{"op": "remove", "path": list}
	case n < 75:
		return map[string]any{"op": pick(c, "add", "replace"), "value": map[string]any{list: values(chosen)}}
	case n < 85:
		return map[string]any{"op": pick(c, "replace", "add", "remove"), "path": "displayName", "value": q.label("deployer")}
	}
	return map[string]any{"op": pick(c, "add", "replace", "remove", "swap"), "path": pick(c, "shoeSize", "audience", "permissions[", "id", ""), "value": pick[any](c, "x", nil, []any{})}
}
