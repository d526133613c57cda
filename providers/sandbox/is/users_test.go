package is

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEmails holds the forms in which lists of typed values come back (is-behaviour 3).
func TestEmails(t *testing.T) {
	_, c := newClient(t, Options{})
	for _, test := range []struct {
		name, attribute, send, want string
	}{
		{"untyped is a bare text", "emails", `[{"value":"a@x"}]`, `["a@x"]`},
		{"text stays text", "emails", `["a@x"]`, `["a@x"]`},
		{"mixed", "emails", `["a@x",{"type":"home","value":"h@x"},{"type":"work","value":"w@x","primary":true,"display":"d"}]`, `["a@x",{"type":"work","value":"w@x"},{"type":"home","value":"h@x"}]`},
		{"one value per type", "emails", `[{"type":"work","value":"1@x"},{"type":"work","value":"2@x"}]`, `[{"type":"work","value":"2@x"}]`},
		{"unknown type is dropped", "emails", `[{"type":"moon","value":"1@x"}]`, `null`},
		{"empty is dropped", "emails", `[{"type":"work","value":""}]`, `null`},
		{"phone numbers", "phoneNumbers", `[{"type":"fax","value":"3"},{"type":"mobile","value":"1"},{"value":"0"}]`, `["0",{"type":"mobile","value":"1"},{"type":"fax","value":"3"}]`},
		{"addresses keep formatted alone", "addresses", `[{"type":"home","formatted":"Main St 1","streetAddress":"Main St"}]`, `[{"type":"home","formatted":"Main St 1"}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := c
			c.t = t
			var sent any
			if err := json.Unmarshal([]byte(test.send), &sent); err != nil {
				t.Fatal(err)
			}
			id := c.user("u"+newID()[:8], doc{test.attribute: sent})
			got, err := json.Marshal(c.want(200, "GET", "/scim2/Users/"+id, nil).body[test.attribute])
			if err != nil {
				t.Fatal(err)
			}
			var a, b any
			_ = json.Unmarshal(got, &a)
			_ = json.Unmarshal([]byte(test.want), &b)
			if d := cmp.Diff(b, a); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestUserRefusals holds what is not accepted, and how it is said.
func TestUserRefusals(t *testing.T) {
	_, c := newClient(t, Options{})
	ann := c.user("ann", doc{"name": doc{"familyName": "Lee"}, "emails": []any{doc{"type": "work", "value": "w@x"}}})
	one := "/scim2/Users/" + ann
	for _, test := range []struct {
		name, method, path string
		body               any
		status             int
		kind               string
	}{
		{"short name", "POST", "/scim2/Users", doc{"userName": "an", "password": "Pass@1234"}, 400, "invalidValue"},
		{"space in name", "POST", "/scim2/Users", doc{"userName": "a b c", "password": "Pass@1234"}, 400, "invalidValue"},
		{"short password", "POST", "/scim2/Users", doc{"userName": "bob", "password": "abc"}, 400, "invalidValue"},
		{"no password", "POST", "/scim2/Users", doc{"userName": "bob"}, 400, "invalidValue"},
		{"no such store", "POST", "/scim2/Users", doc{"userName": "SEC/bob", "password": "Pass@1234"}, 400, "invalidValue"},
		{"same name in other case", "POST", "/scim2/Users", doc{"userName": "ANN", "password": "Pass@1234"}, 409, ""},
		{"array", "POST", "/scim2/Users", "[]", 400, "invalidSyntax"},
		{"list for a text", "POST", "/scim2/Users", doc{"userName": "bob", "password": "Pass@1234", "title": []any{"x"}}, 400, "invalidSyntax"},
		{"text for an object", "POST", "/scim2/Users", doc{"userName": "bob", "password": "Pass@1234", "name": "x"}, 400, "invalidSyntax"},
		{"text for a list", "POST", "/scim2/Users", doc{"userName": "bob", "password": "Pass@1234", "emails": "x"}, 400, "invalidSyntax"},
		{"null for a list", "POST", "/scim2/Users", doc{"userName": "bob", "password": "Pass@1234", "emails": nil}, 400, "invalidSyntax"},
		{"null in a list", "POST", "/scim2/Users", doc{"userName": "bob", "password": "Pass@1234", "emails": []any{nil}}, 400, "invalidSyntax"},
		{"text for an extension", "PUT", one, doc{"userName": "ann", wso2Schema: "x"}, 400, "invalidSyntax"},
		{"number for a boolean", "POST", "/scim2/Users", doc{"userName": "bob", "password": "Pass@1234", "active": 1}, 500, ""},
		{"rename by PUT", "PUT", one, doc{"userName": "anna"}, 400, "mutability"},
		{"PUT without name", "PUT", one, doc{}, 400, "invalidValue"},
		{"PUT of nobody", "PUT", "/scim2/Users/x", doc{"userName": "anna"}, 404, ""},
		{"PATCH of nobody", "PATCH", "/scim2/Users/x", patchBody(doc{"op": "replace", "path": "title", "value": "x"}), 404, ""},
		{"other case by PATCH", "PATCH", one, patchBody(doc{"op": "replace", "path": "userName", "value": "ANN"}), 400, "mutability"},
		{"roles are not removed", "PATCH", one, patchBody(doc{"op": "remove", "path": "roles"}), 400, "mutability"},
		{"id in a value", "PATCH", one, patchBody(doc{"op": "replace", "value": doc{"id": "x"}}), 400, "mutability"},
		{"remove what is not there", "PATCH", one, patchBody(doc{"op": "remove", "path": "title"}), 400, "invalidPath"},
		{"remove a member that is not there", "PATCH", one, patchBody(doc{"op": "remove", "path": "name.givenName"}), 400, "invalidPath"},
		{"add by a path without a version", "PATCH", one, patchBody(doc{"op": "add", "path": wso2Schema + ":country", "value": "NL"}), 400, "invalidSyntax"},
		{"a whole extension by path", "PATCH", one, patchBody(doc{"op": "replace", "path": wso2Schema, "value": doc{"country": "NL"}}), 400, "noTarget"},
		{"the core URN", "PATCH", one, patchBody(doc{"op": "replace", "path": coreUser + ":title", "value": "x"}), 400, "noTarget"},
		{"other letter case", "PATCH", one, patchBody(doc{"op": "replace", "path": "TITLE", "value": "x"}), 400, "No attribute with the name : TITLE"},
		{"no list", "PATCH", one, patchBody(doc{"op": "replace", "path": "emails", "value": doc{"type": "work", "value": "x"}}), 400, "invalidSyntax"},
		{"text as boolean by path", "PATCH", one, patchBody(doc{"op": "replace", "path": wso2Schema + ":accountLocked", "value": "true"}), 400, "invalidValue"},
		{"other operator in a path", "PATCH", one, patchBody(doc{"op": "replace", "path": `emails[value sw "w"].value`, "value": "x"}), 501, ""},
		{"add by a filter that finds nothing", "PATCH", one, patchBody(doc{"op": "add", "path": "emails[type eq home].value", "value": "x"}), 400, "noTarget"},
		{"remove without path", "PATCH", one, patchBody(doc{"op": "remove"}), 400, "noTarget"},
		{"member of an extension's member", "PATCH", one, patchBody(doc{"op": "add", "path": enterpriseUser + ":manager.value", "value": "x"}), 400, "noTarget"},
		{"no element for the filter", "PATCH", one, patchBody(doc{"op": "replace", "path": `emails[type eq "home"].value`, "value": "h@x"}), 400, "noTarget"},
		{"unknown member", "PATCH", one, patchBody(doc{"op": "replace", "path": "name.nickName", "value": "h"}), 400, "noTarget"},
		{"short password by PATCH", "PATCH", one, patchBody(doc{"op": "replace", "path": "password", "value": "abc"}), 400, "invalidValue"},
		{"the administrator stays", "DELETE", "/scim2/Users/" + c.want(200, "GET", "/scim2/Users?filter=userName+eq+admin", nil).list("Resources")[0].(doc)["id"].(string), nil, 400, "invalidValue"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := c
			c.t = t
			got := c.want(test.status, test.method, test.path, test.body)
			if got.str("scimType") != test.kind || got.str("status") != fmt.Sprint(test.status) || got.str("detail") == "" {
				t.Errorf("%s", got.text)
			}
		})
	}
	if got := c.want(200, "GET", one, nil); got.str("userName") != "ann" || got.str("name", "familyName") != "Lee" {
		t.Errorf("a refused request changed something: %s", got.text)
	}
	request := c.send("POST", "/scim2/Users", url.Values{"userName": {"x"}})
	if request.status != 406 {
		t.Errorf("a form was answered with %d", request.status)
	}
}

// TestPatchUser holds the forms of paths that work (is-behaviour 3).
func TestPatchUser(t *testing.T) {
	_, c := newClient(t, Options{CustomAttributes: []string{"badge"}})
	for _, test := range []struct {
		name       string
		start      doc
		operations []doc
		want       doc // members of the answer; nil: absent
	}{
		{"member", doc{"name": doc{"givenName": "A"}}, []doc{{"op": "replace", "path": "name.familyName", "value": "B"}}, doc{"name": doc{"givenName": "A", "familyName": "B"}}},
		{"object at a path replaces", doc{"name": doc{"givenName": "A"}}, []doc{{"op": "replace", "path": "name", "value": doc{"familyName": "B"}}}, doc{"name": doc{"familyName": "B"}}},
		{"object added at a path merges", doc{"name": doc{"givenName": "A"}}, []doc{{"op": "add", "path": "name", "value": doc{"familyName": "B"}}}, doc{"name": doc{"givenName": "A", "familyName": "B"}}},
		{"object without a path merges", doc{"name": doc{"givenName": "A"}}, []doc{{"op": "replace", "value": doc{"name": doc{"familyName": "B"}}}}, doc{"name": doc{"givenName": "A", "familyName": "B"}}},
		{"groups are taken without effect", nil, []doc{{"op": "add", "path": "groups", "value": []any{doc{"value": "x"}}}, {"op": "replace", "value": doc{"roles": []any{}}}}, doc{"groups": nil}},
		{"bare texts are not added", doc{"emails": []any{"1@x"}}, []doc{{"op": "add", "path": "emails", "value": []any{"2@x"}}}, doc{"emails": []any{"1@x"}}},
		{"bare texts replace", doc{"emails": []any{"1@x"}}, []doc{{"op": "replace", "path": "emails", "value": []any{"2@x"}}}, doc{"emails": []any{"2@x"}}},
		{"every element", doc{"emails": []any{doc{"type": "work", "value": "1@x"}, doc{"type": "home", "value": "2@x"}}}, []doc{{"op": "replace", "path": "emails.value", "value": "3@x"}},
			doc{"emails": []any{doc{"type": "work", "value": "3@x"}, doc{"type": "home", "value": "3@x"}}}},
		{"two conditions", doc{"emails": []any{doc{"type": "work", "value": "1@x"}}}, []doc{{"op": "replace", "path": `emails[type eq "work" and value eq "1@x"].value`, "value": "3@x"}}, doc{"emails": []any{doc{"type": "work", "value": "3@x"}}}},
		{"a filter over nothing makes an untyped value", nil, []doc{{"op": "replace", "path": "emails[type eq work].value", "value": "1@x"}}, doc{"emails": []any{"1@x"}}},
		{"member of an extension's member", doc{enterpriseUser: doc{"manager": doc{"value": "a", "displayName": "b"}}}, []doc{{"op": "replace", "path": enterpriseUser + ":manager.value", "value": "c"}, {"op": "remove", "path": enterpriseUser + ":manager.displayName"}},
			doc{enterpriseUser: doc{"manager": doc{"value": "c"}}}},
		{"last member goes", doc{"name": doc{"givenName": "A"}}, []doc{{"op": "remove", "path": "name.givenName"}}, doc{"name": nil}},
		{"empty text clears", doc{"title": "Dr"}, []doc{{"op": "replace", "path": "title", "value": ""}}, doc{"title": nil}},
		{"extension attribute", nil, []doc{{"op": "replace", "path": enterpriseUser + ":department", "value": "Ops"}}, doc{enterpriseUser: doc{"department": "Ops"}}},
		{"whole extension merges", doc{enterpriseUser: doc{"division": "D"}}, []doc{{"op": "replace", "value": doc{enterpriseUser: doc{"department": "Ops"}}}}, doc{enterpriseUser: doc{"division": "D", "department": "Ops"}}},
		{"text as boolean", nil, []doc{{"op": "replace", "value": doc{wso2Schema: doc{"accountLocked": "true"}}}}, doc{wso2Schema: doc{"accountLocked": true}}},
		{"custom attribute", nil, []doc{{"op": "replace", "path": customUser + ":badge", "value": "7"}}, doc{customUser: doc{"badge": "7"}}},
		{"unknown member of a value is dropped", nil, []doc{{"op": "add", "value": doc{"shoeSize": 44, "title": "Dr"}}}, doc{"shoeSize": nil, "title": "Dr"}},
		{"unquoted filter", doc{"emails": []any{doc{"type": "work", "value": "1@x"}}}, []doc{{"op": "replace", "path": "emails[type eq work].value", "value": "2@x"}}, doc{"emails": []any{doc{"type": "work", "value": "2@x"}}}},
		{"replace a list", doc{"emails": []any{"1@x"}}, []doc{{"op": "replace", "path": "emails", "value": []any{doc{"type": "home", "value": "2@x"}}}}, doc{"emails": []any{doc{"type": "home", "value": "2@x"}}}},
		{"empty list clears", doc{"emails": []any{"1@x"}}, []doc{{"op": "replace", "path": "emails", "value": []any{}}}, doc{"emails": nil}},
		{"two operations", nil, []doc{{"op": "add", "path": "title", "value": "A"}, {"op": "remove", "path": "title"}}, doc{"title": nil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := c
			c.t = t
			id := c.user("u"+newID()[:8], test.start)
			got := c.want(200, "PATCH", "/scim2/Users/"+id, patchBody(test.operations...))
			read := c.want(200, "GET", "/scim2/Users/"+id, nil)
			for name, want := range test.want {
				if d := cmp.Diff(want, got.body[name]); d != "" {
					t.Errorf("answer: %s: %s", name, d)
				}
				if d := cmp.Diff(want, read.body[name]); d != "" {
					t.Errorf("read again: %s: %s", name, d)
				}
			}
		})
	}
}

// TestPasswords logs in with what was set, and not with what was there before; PUT without a password leaves it.
func TestPasswords(t *testing.T) {
	s, c := newClient(t, Options{})
	id := c.user("ann", nil)
	try := func(password string, want bool) {
		t.Helper()
		if _, ok := (logins{s}).Login("ann", password); ok != want {
			t.Errorf("login with %s: %v", password, ok)
		}
	}
	try("Pass@1234", true)
	c.want(200, "PATCH", "/scim2/Users/"+id, patchBody(doc{"op": "replace", "path": "password", "value": "Other@1234"}))
	try("Pass@1234", false)
	try("Other@1234", true)
	c.want(200, "PUT", "/scim2/Users/"+id, doc{"userName": "ann"})
	try("Other@1234", true)
	c.want(200, "PUT", "/scim2/Users/"+id, doc{"userName": "ANN", "password": "Third@1234"})
	try("Third@1234", true)
	if got := c.want(200, "GET", "/scim2/Users/"+id, nil); strings.Contains(got.text, "assword") {
		t.Errorf("a password is shown: %s", got.text)
	}
	c.want(200, "PATCH", "/scim2/Users/"+id, patchBody(doc{"op": "replace", "path": wso2Schema + ":accountLocked", "value": true}))
	try("Third@1234", false)
}

// TestPages holds the limits of lists: 100 users at most, totals, stores one after the other.
func TestPages(t *testing.T) {
	s, c := newClient(t, Options{Stores: []string{"sec"}})
	s.Seed(250)
	c.user("SEC/zoe", nil)
	for _, test := range []struct {
		query                string
		total, items, starts int
		first                string
	}{
		{"", 100, 100, 1, "admin"},
		{"count=500", 252, 100, 1, "admin"},
		{"startIndex=101&count=100", 252, 100, 101, "user-00100"},
		{"startIndex=201&count=100", 252, 52, 201, "user-00200"},
		{"startIndex=253&count=100", 252, 0, 253, ""},
		{"domain=SEC&count=10", 1, 1, 1, "SEC/zoe"},
		{"domain=primary&count=1", 251, 1, 1, "admin"},
		{"domain=NONE", 0, 0, 1, ""},
		{"filter=" + url.QueryEscape(`userName sw "user-0001"`) + "&count=4&startIndex=3", 10, 4, 3, "user-00012"},
		{"filter=" + url.QueryEscape(`userName eq SEC/zoe`), 1, 1, 1, "SEC/zoe"},
		{"filter=" + url.QueryEscape(`userName eq ZOE`), 1, 1, 1, "SEC/zoe"},
		{"filter=" + url.QueryEscape(`name.givenName ew "t" and userName co "9"`), 0, 0, 1, ""},
		{"filter=" + url.QueryEscape(`emails eq user-00007@example.com`), 1, 1, 1, "user-00007"},
		{"filter=" + url.QueryEscape(`groups eq group-0002 and userName ew "100"`), 1, 1, 1, "user-00100"},
		{"filter=" + url.QueryEscape(`urn:ietf:params:scim:schemas:core:2.0:User:name.familyName eq "Family 8"`), 1, 1, 1, "user-00008"},
		{"filter=" + url.QueryEscape(`meta.lastModified ge "2000-01-01T00:00:00Z"`) + "&count=1", 252, 1, 1, "admin"},
	} {
		got := c.want(200, "GET", "/scim2/Users?"+test.query, nil)
		list := got.list("Resources")
		if got.at("totalResults") != float64(test.total) || len(list) != test.items || got.at("itemsPerPage") != float64(test.items) || got.at("startIndex") != float64(test.starts) {
			t.Errorf("%s: total %v, items %v (%d), start %v", test.query, got.at("totalResults"), got.at("itemsPerPage"), len(list), got.at("startIndex"))
			continue
		}
		if _, has := got.body["Resources"]; has != (test.items > 0) {
			t.Errorf("%s: Resources present: %v", test.query, has)
		}
		if test.first != "" && list[0].(doc)["userName"] != test.first {
			t.Errorf("%s: first is %v", test.query, list[0])
		}
	}
	for filter, want := range map[string]int{
		"userName ne bob": 400, "userName pr": 400, "userName gt a": 400, `not (userName eq "a")`: 500, "emails.value co x": 500, "password eq x": 500,
		`userName eq "unclosed`: 200, "shoe eq 1": 400, "userName eq a userName eq b": 200, "": 400, "userName eq a or": 400, `userName eq ""`: 400, "schemas eq x": 400,
		"userName eq 'a b' and title eq c d": 200, "((userName eq a))": 400, "userName eq a and (title eq b)": 200,
	} {
		c.want(want, "GET", "/scim2/Users?filter="+url.QueryEscape(filter), nil)
	}
	c.want(400, "GET", "/scim2/Users?count=many", nil)
	c.want(501, "POST", "/scim2/Users/.search", doc{"sortBy": "userName"})
}

func TestSecondaryStore(t *testing.T) {
	_, c := newClient(t, Options{Stores: []string{"SEC"}})
	primaryAnn := c.user("PRIMARY/ann", nil)
	secondAnn := c.user("sec/ann", nil)
	if got := c.want(200, "GET", "/scim2/Users/"+primaryAnn, nil); got.str("userName") != "ann" {
		t.Error(got.text)
	}
	if got := c.want(200, "GET", "/scim2/Users/"+secondAnn, nil); got.str("userName") != "SEC/ann" {
		t.Error(got.text)
	}
	group := c.want(201, "POST", "/scim2/Groups", doc{"displayName": "SEC/ops"})
	if group.str("displayName") != "SEC/ops" {
		t.Error(group.text)
	}
	where := "/scim2/Groups/" + group.str("id")
	c.want(400, "PATCH", where, patchBody(doc{"op": "add", "path": "members", "value": []any{doc{"value": primaryAnn, "display": "ann"}}}))
	c.want(200, "PATCH", where, patchBody(doc{"op": "add", "path": "members", "value": []any{doc{"value": secondAnn, "display": "SEC/ann"}}}))
	c.want(400, "PATCH", where, patchBody(doc{"op": "replace", "path": "displayName", "value": "ops"}))
	if got := c.want(200, "PATCH", where, patchBody(doc{"op": "replace", "path": "displayName", "value": "SEC/operations"})); got.str("displayName") != "SEC/operations" {
		t.Error(got.text)
	}
	c.want(201, "POST", "/scim2/Groups", doc{"displayName": "ops"})
}

// TestProjections holds attributes and excludedAttributes.
func TestProjections(t *testing.T) {
	_, c := newClient(t, Options{})
	id := c.user("ann", doc{"name": doc{"givenName": "Ann", "familyName": "Lee"}, "title": "Dr", wso2Schema: doc{"country": "NL", "accountLocked": false}})
	keys := func(query string) []string {
		var names []string
		for name := range c.want(200, "GET", "/scim2/Users/"+id+"?"+query, nil).body {
			names = append(names, name)
		}
		return names
	}
	for query, want := range map[string][]string{
		"attributes=title":                               {"id", "schemas", "title"},
		"attributes=TITLE":                               {"id", "schemas", "title"},
		"attributes=name.givenName":                      {"id", "schemas", "name"},
		"attributes=" + wso2Schema + ".country":          {"id", "schemas", wso2Schema},
		"attributes=" + wso2Schema:                       {"id", "schemas", wso2Schema},
		"attributes=" + wso2Schema + ":country":          {"id", "schemas"},
		"attributes=" + coreUser + ":title":              {"id", "schemas"},
		"attributes=":                                    {"id", "schemas"},
		"attributes=nothing":                             {"id", "schemas"},
		"excludedAttributes=roles,meta,title,userName":   {"id", "schemas", "name", wso2Schema},
		"excludedAttributes=roles,meta,name,userName,id": {"id", "schemas", "title", wso2Schema},
		"excludedAttributes=roles,meta,name,userName,title," + wso2Schema + ".country":              {"id", "schemas", wso2Schema},
		"excludedAttributes=roles,meta,userName,title,name.givenName,name.familyName," + wso2Schema: {"id", "schemas"},
	} {
		if d := cmp.Diff(sorted(want), sorted(keys(query))); d != "" {
			t.Errorf("%s: %s", query, d)
		}
	}
	if got := c.want(200, "GET", "/scim2/Users/"+id+"?attributes=name.givenName", nil); got.str("name", "familyName") != "" || got.str("name", "givenName") != "Ann" {
		t.Error(got.text)
	}
	if got := c.want(200, "GET", "/scim2/Users?attributes=name.familyName", nil); !strings.Contains(got.text, "Lee") || strings.Contains(got.text, "givenName") {
		t.Error(got.text)
	}
}
