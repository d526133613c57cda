package is

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sorted(list []string) []string {
	return append([]string{}, slices.Sorted(slices.Values(list))...)
}

// values lists the member "value" of the objects of a list.
func values(list []any, member string) []string {
	all := []string{}
	for _, v := range list {
		s, _ := v.(doc)[member].(string)
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// TestMemberships looks at memberships from every side, after every way of changing them.
func TestMemberships(t *testing.T) {
	_, c := newClient(t, Options{})
	ann, bob := c.user("ann", nil), c.user("bob", nil)
	group := c.want(201, "POST", "/scim2/Groups", doc{"displayName": "ops", "members": []any{doc{"value": ann}}}).str("id")
	role := c.want(201, "POST", "/scim2/v2/Roles", doc{"displayName": "deployer", "users": []any{doc{"value": bob}}, "groups": []any{doc{"value": group}}}).str("id")
	check := func(step string, inGroup, inRole, groupsOfRole, rolesOfAnn, rolesOfBob []string) {
		t.Helper()
		for _, side := range []struct {
			name string
			path string
			list string
			show string
			want []string
		}{
			{"members", "/scim2/Groups/" + group, "members", "display", inGroup},
			{"users", "/scim2/v2/Roles/" + role, "users", "display", inRole},
			{"groups", "/scim2/v2/Roles/" + role, "groups", "display", groupsOfRole},
			{"ann's roles", "/scim2/Users/" + ann, "roles", "display", rolesOfAnn},
			{"bob's roles", "/scim2/Users/" + bob, "roles", "display", rolesOfBob},
		} {
			got := values(c.want(200, "GET", side.path, nil).list(side.list), side.show)
			if d := cmp.Diff(sorted(append([]string{}, side.want...)), got); d != "" {
				t.Errorf("%s: %s: %s", step, side.name, d)
			}
		}
		// Lists come from a cache, which must say the same as the objects.
		for _, v := range c.want(200, "GET", "/scim2/Users?count=100", nil).list("Resources") {
			one := c.want(200, "GET", "/scim2/Users/"+v.(doc)["id"].(string), nil).body
			delete(one, "schemas")
			if d := cmp.Diff(one, v); d != "" {
				t.Errorf("%s: list and object differ: %s", step, d)
			}
		}
	}
	check("made", []string{"ann"}, []string{"bob"}, []string{"PRIMARY/ops"}, []string{"everyone", "deployer"}, []string{"everyone", "deployer"})
	groupPath, rolePath := "/scim2/Groups/"+group, "/scim2/v2/Roles/"+role
	c.want(200, "PATCH", groupPath, patchBody(doc{"op": "remove", "path": `members[value eq "` + ann + `"]`}, doc{"op": "add", "path": "members", "value": []any{doc{"value": bob, "display": "bob"}}}))
	check("exchanged", []string{"bob"}, []string{"bob"}, []string{"PRIMARY/ops"}, []string{"everyone"}, []string{"everyone", "deployer"})
	c.want(200, "PATCH", rolePath, patchBody(doc{"op": "remove", "path": `users[value eq "` + bob + `"]`}, doc{"op": "add", "path": "users", "value": []any{doc{"value": ann}}}))
	check("role exchanged", []string{"bob"}, []string{"ann"}, []string{"PRIMARY/ops"}, []string{"everyone", "deployer"}, []string{"everyone", "deployer"})
	c.want(200, "PATCH", rolePath, patchBody(doc{"op": "replace", "path": "displayName", "value": "releaser"}, doc{"op": "replace", "path": "groups", "value": []any{}}))
	check("renamed", []string{"bob"}, []string{"ann"}, nil, []string{"everyone", "releaser"}, []string{"everyone"})
	c.want(200, "PATCH", groupPath, patchBody(doc{"op": "replace", "value": doc{"members": []any{doc{"value": ann, "display": "ann"}, doc{"value": bob, "display": "bob"}}}}))
	check("replaced", []string{"ann", "bob"}, []string{"ann"}, nil, []string{"everyone", "releaser"}, []string{"everyone"})
	c.want(200, "PUT", groupPath, doc{"displayName": "ops", "members": []any{doc{"value": bob}}})
	c.want(200, "PUT", rolePath, doc{"displayName": "releaser", "groups": []any{doc{"value": group}}})
	check("put", []string{"bob"}, nil, []string{"PRIMARY/ops"}, []string{"everyone"}, []string{"everyone", "releaser"})
	c.want(200, "PATCH", groupPath, patchBody(doc{"op": "replace", "path": "displayName", "value": "operations"}))
	check("group renamed", []string{"bob"}, nil, []string{"PRIMARY/operations"}, []string{"everyone"}, []string{"everyone", "releaser"})
	c.want(204, "DELETE", "/scim2/Users/"+bob, nil)
	if got := c.want(200, "GET", groupPath, nil); len(got.list("members")) != 0 {
		t.Errorf("a deleted user is still a member: %s", got.text)
	}
	c.want(204, "DELETE", groupPath, nil)
	if got := c.want(200, "GET", rolePath, nil); len(got.list("groups")) != 0 {
		t.Errorf("a deleted group still has the role: %s", got.text)
	}
	c.want(200, "PATCH", rolePath, patchBody(doc{"op": "add", "path": "users", "value": []any{doc{"value": ann}}}))
	c.want(204, "DELETE", rolePath, nil)
	if got := c.want(200, "GET", "/scim2/Users/"+ann, nil); len(got.list("roles")) != 1 {
		t.Errorf("a deleted role is still held: %s", got.text)
	}
}

// TestRoleRefusals holds what roles may not be.
func TestRoleRefusals(t *testing.T) {
	_, c := newClient(t, Options{})
	roles := func(name string) string {
		t.Helper()
		list := c.want(200, "GET", "/scim2/v2/Roles?filter="+url.QueryEscape(`displayName eq `+name+` and audience.type eq organization`), nil).list("Resources")
		if len(list) != 1 {
			t.Fatalf("%d roles named %s", len(list), name)
		}
		return "/scim2/v2/Roles/" + list[0].(doc)["id"].(string)
	}
	admin, everyone := roles("admin"), roles("everyone")
	ann := c.user("ann", nil)
	plain := "/scim2/v2/Roles/" + c.want(201, "POST", "/scim2/v2/Roles", doc{"displayName": "plain"}).str("id")
	for _, test := range []struct {
		name, method, path string
		body               any
		status             int
	}{
		{"slash", "POST", "/scim2/v2/Roles", doc{"displayName": "a/b"}, 400},
		{"system prefix", "POST", "/scim2/v2/Roles", doc{"displayName": "system_primary_x"}, 400},
		{"no name", "POST", "/scim2/v2/Roles", doc{}, 400},
		{"same name in other case", "POST", "/scim2/v2/Roles", doc{"displayName": "PLAIN"}, 409},
		{"unknown scope", "POST", "/scim2/v2/Roles", doc{"displayName": "x", "permissions": []any{doc{"value": "nonsense"}}}, 400},
		{"unknown user", "POST", "/scim2/v2/Roles", doc{"displayName": "x", "users": []any{doc{"value": "nonsense"}}}, 400},
		{"unknown group", "POST", "/scim2/v2/Roles", doc{"displayName": "x", "groups": []any{doc{"value": "nonsense"}}}, 400},
		{"unknown audience", "POST", "/scim2/v2/Roles", doc{"displayName": "x", "audience": doc{"type": "planet", "value": "x"}}, 400},
		{"unknown application", "POST", "/scim2/v2/Roles", doc{"displayName": "x", "audience": doc{"type": "application", "value": "x"}}, 400},
		{"other organization", "POST", "/scim2/v2/Roles", doc{"displayName": "x", "audience": doc{"type": "organization", "value": "x"}}, 400},
		{"rename admin", "PATCH", admin, patchBody(doc{"op": "replace", "path": "displayName", "value": "x"}), 400},
		{"take admin's permissions", "PATCH", admin, patchBody(doc{"op": "replace", "path": "permissions", "value": []any{}}), 400},
		{"take the owner out of admin", "PATCH", admin, patchBody(doc{"op": "replace", "path": "users", "value": []any{doc{"value": ann}}}), 400},
		{"give admin to ann", "PATCH", admin, patchBody(doc{"op": "add", "path": "users", "value": []any{doc{"value": ann}}}), 200},
		{"blank path", "PATCH", plain, patchBody(doc{"op": "add", "path": " ", "value": "x"}), 500},
		{"blank path, removed", "PATCH", plain, patchBody(doc{"op": "remove", "path": " "}), 400},
		{"members of everyone", "PATCH", everyone, patchBody(doc{"op": "add", "path": "users", "value": []any{doc{"value": ann}}}), 400},
		{"delete admin", "DELETE", admin, nil, 400},
		{"delete nothing", "DELETE", "/scim2/v2/Roles/x", nil, 404},
		{"get nothing", "GET", "/scim2/v2/Roles/x", nil, 404},
		{"rename to another's name", "PATCH", plain, patchBody(doc{"op": "replace", "path": "displayName", "value": "admin"}), 409},
		{"filter with or", "GET", "/scim2/v2/Roles?filter=" + url.QueryEscape("displayName eq a or displayName eq b"), nil, 400},
		{"filter by users", "GET", "/scim2/v2/Roles?filter=" + url.QueryEscape("users eq x"), nil, 400},
		{"sort", "GET", "/scim2/v2/Roles?sortBy=displayName", nil, 501},
		{"no operations", "PATCH", plain, doc{"Operations": []any{}}, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := c
			c.t = t
			c.want(test.status, test.method, test.path, test.body)
		})
	}
	if got := c.want(200, "GET", admin, nil); got.at("meta", "systemRole") != true || len(got.list("users")) != 2 {
		t.Error(got.text)
	}
	if got := c.want(200, "GET", plain, nil); got.str("displayName") != "plain" {
		t.Error(got.text)
	}
}

// TestApplicationRoles makes roles whose audience is an application: names of their own, scopes of the application alone, gone with it.
func TestApplicationRoles(t *testing.T) {
	_, c := newClient(t, Options{})
	location := c.want(201, "POST", "/api/server/v1/applications", doc{"name": "Shop", "associatedRoles": doc{"allowedAudience": "APPLICATION", "roles": []any{}}}).header.Get("Location")
	app := location[strings.LastIndexByte(location, '/')+1:]
	audience := doc{"type": "application", "value": app}
	c.want(201, "POST", "/scim2/v2/Roles", doc{"displayName": "clerk"})
	got := c.want(201, "POST", "/scim2/v2/Roles", doc{"displayName": "clerk", "audience": audience})
	if got.str("audience", "type") != "application" || got.str("audience", "display") != "Shop" {
		t.Error(got.text)
	}
	role := "/scim2/v2/Roles/" + got.str("id")
	scope := []any{doc{"value": "internal_user_mgt_view"}}
	c.want(400, "PATCH", role, patchBody(doc{"op": "add", "path": "permissions", "value": scope}))
	api := c.want(200, "GET", "/api/server/v1/api-resources?filter="+url.QueryEscape("identifier eq /scim2/Users"), nil).list("apiResources")[0].(doc)["id"].(string)
	c.want(200, "POST", "/api/server/v1/applications/"+app+"/authorized-apis", doc{"id": api, "policyIdentifier": "RBAC", "scopes": []string{"internal_user_mgt_view"}})
	c.want(409, "POST", "/api/server/v1/applications/"+app+"/authorized-apis", doc{"id": api, "policyIdentifier": "RBAC"})
	c.want(200, "PATCH", role, patchBody(doc{"op": "add", "path": "permissions", "value": scope}))
	if got := c.want(200, "GET", role, nil); len(got.list("permissions")) != 1 || len(got.list("associatedApplications")) != 1 {
		t.Error(got.text)
	}
	filter := url.QueryEscape("displayName eq clerk and audience.value eq " + app)
	if got := c.want(200, "GET", "/scim2/v2/Roles?filter="+filter, nil); got.at("totalResults") != float64(1) {
		t.Error(got.text)
	}
	c.want(200, "PATCH", "/api/server/v1/applications/"+app+"/authorized-apis/"+api, doc{"removedScopes": []string{"internal_user_mgt_view"}})
	if got := c.want(200, "GET", role, nil); len(got.list("permissions")) != 0 {
		t.Errorf("a scope that the application lost is still in its role: %s", got.text)
	}
	c.want(204, "DELETE", "/api/server/v1/applications/"+app, nil)
	c.want(204, "DELETE", "/api/server/v1/applications/"+app, nil)
	c.want(404, "GET", role, nil)
}

// TestRolesV1 holds the old endpoint: no audience, the same ids, texts as permissions.
func TestRolesV1(t *testing.T) {
	_, c := newClient(t, Options{})
	ann := c.user("ann", nil)
	got := c.want(201, "POST", "/scim2/Roles", doc{"displayName": "finance", "users": []any{doc{"value": ann}}, "permissions": []string{"internal_user_mgt_view", "/permission/admin/login"},
		"audience": doc{"type": "application", "value": "x"}})
	id := got.str("id")
	if got.at("audience") != nil {
		t.Error(got.text)
	}
	c.want(409, "POST", "/scim2/Roles", doc{"displayName": "finance"})
	v1 := c.want(200, "GET", "/scim2/Roles/"+id, nil)
	if d := cmp.Diff([]any{"internal_user_mgt_view", "/permission/admin/login"}, v1.body["permissions"]); d != "" {
		t.Error(d)
	}
	v2 := c.want(200, "GET", "/scim2/v2/Roles/"+id, nil)
	if v2.str("audience", "value") != OrganizationID || len(v2.list("users")) != 1 || len(v2.list("permissions")) != 1 {
		t.Error(v2.text)
	}
	c.want(200, "PATCH", "/scim2/Roles/"+id, patchBody(doc{"op": "replace", "path": "displayName", "value": "money"}))
	c.want(200, "PUT", "/scim2/Roles/"+id, doc{"displayName": "money"})
	if got := c.want(200, "GET", "/scim2/Roles?filter="+url.QueryEscape("displayName eq money"), nil); got.at("totalResults") != float64(1) {
		t.Error(got.text)
	}
	if got := c.want(200, "GET", "/scim2/Roles?count=100", nil); strings.Contains(got.text, "Administrator") {
		t.Errorf("an application role is in the list: %s", got.text)
	}
	c.want(204, "DELETE", "/scim2/Roles/"+id, nil)
	c.want(404, "GET", "/scim2/Roles/"+id, nil)
}

// TestRolePages: 15 without count, and totals of a filtered list that say only what the page holds.
func TestRolePages(t *testing.T) {
	s, c := newClient(t, Options{})
	s.Seed(4000)
	total := float64(44) // and the pack's admin, everyone, system, Administrator
	for query, want := range map[string][2]float64{
		"": {total, 15}, "count=10": {total, 10}, "count=1000": {total, 44}, "startIndex=41&count=10": {total, 4}, "count=0": {0, 0},
		"count=5&filter=" + url.QueryEscape("displayName sw role-"): {5, 5},
		"filter=" + url.QueryEscape("displayName sw role-"):         {15, 15},
	} {
		got := c.want(200, "GET", "/scim2/v2/Roles?attributes=displayName&"+query, nil)
		if got.at("totalResults") != want[0] || got.at("itemsPerPage") != want[1] {
			t.Errorf("%s: total %v, items %v, want %v", query, got.at("totalResults"), got.at("itemsPerPage"), want)
		}
	}
}

// TestGroupLists: no pages, members for the asking.
func TestGroupLists(t *testing.T) {
	s, c := newClient(t, Options{})
	s.Seed(300)
	c.want(501, "GET", "/scim2/Groups?startIndex=2&count=1", nil)
	c.want(501, "GET", "/scim2/Groups?sortBy=displayName", nil)
	if got := c.want(200, "GET", "/scim2/Groups?startIndex=1&count=1", nil); len(got.list("Resources")) != 4 {
		t.Errorf("%d groups", len(got.list("Resources")))
	}
	if got := c.want(200, "GET", "/scim2/Groups", nil); strings.Contains(got.text, "members") {
		t.Error("members in a list that did not ask for them")
	}
	if got := c.want(200, "GET", "/scim2/Groups?attributes=displayName,members&filter="+url.QueryEscape("displayName eq group-0002"), nil); strings.Count(got.text, "user-") != 100 {
		t.Errorf("%d members", strings.Count(got.text, "user-"))
	}
	if got := c.want(200, "GET", "/scim2/Groups?count=0", nil); got.at("totalResults") != float64(0) {
		t.Error(got.text)
	}
	id := c.user("ann", nil)
	c.want(400, "POST", "/scim2/Groups", doc{"displayName": "x", "members": []any{doc{"value": id, "display": "bob"}}})
	c.want(400, "POST", "/scim2/Groups", doc{"displayName": "x", "members": []any{doc{"value": "nobody"}}})
	c.want(400, "POST", "/scim2/Groups", doc{})
	c.want(404, "GET", "/scim2/Groups/x", nil)
	c.want(409, "POST", "/scim2/Groups", doc{"displayName": "GROUP-0001"})
}

// TestBulkReferences resolves bulkId references, stops after failOnErrors, and counts operations.
func TestBulkReferences(t *testing.T) {
	_, c := newClient(t, Options{})
	one := func(method, path, id string, data doc) doc {
		return doc{"method": method, "path": path, "bulkId": id, "data": data}
	}
	got := c.want(200, "POST", "/scim2/Bulk", doc{"failOnErrors": 1, "Operations": []doc{
		one("POST", "/Users", "u", doc{"userName": "ann", "password": "Pass@1234"}),
		one("POST", "/Groups", "g", doc{"displayName": "ops", "members": []any{doc{"value": "bulkId:u"}}}),
		one("POST", "/v2/Roles", "r", doc{"displayName": "deployer", "groups": []any{doc{"value": "bulkId:g"}}}),
		one("POST", "/Users", "v", doc{"userName": "ann", "password": "Pass@1234"}),
		one("POST", "/Users", "w", doc{"userName": "bob", "password": "Pass@1234"}),
	}})
	var codes []string
	for _, o := range got.list("Operations") {
		codes = append(codes, fmt.Sprint(o.(doc)["status"].(doc)["code"]))
	}
	if d := cmp.Diff([]string{"201", "201", "201", "409"}, codes); d != "" {
		t.Error(d)
	}
	list := c.want(200, "GET", "/scim2/Users?filter=userName+eq+ann", nil).list("Resources")
	if got := values(list[0].(doc)["roles"].([]any), "display"); !slices.Contains(got, "deployer") {
		t.Errorf("ann's roles: %v", got)
	}
	many := make([]doc, 1001)
	for i := range many {
		many[i] = one("DELETE", "/Users/x", "", nil)
	}
	c.want(413, "POST", "/scim2/Bulk", doc{"Operations": many})
	c.want(400, "POST", "/scim2/Bulk", doc{"Operations": []doc{one("POST", "/Users", "", doc{})}})
}
