package is

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestState carries everything to another server and finds it there.
func TestState(t *testing.T) {
	first, c := newClient(t, Options{Stores: []string{"SEC"}, CustomAttributes: []string{"badge"}})
	first.Seed(30)
	c.user("SEC/ann", doc{"emails": []any{"a@x"}, customUser: doc{"badge": "7"}, wso2Schema: doc{"failedLoginAttempts": 3}})
	c.management("tool", []string{"client_credentials"}, map[string][]string{"/scim2/Users": {"internal_user_mgt_list"}})
	c.want(201, "POST", "/api/identity/oauth2/v1.0/scopes", doc{"name": "pay", "displayName": "Pay", "bindings": []string{"clerk"}})
	text, err := json.Marshal(first.State())
	if err != nil {
		t.Fatal(err)
	}
	var state State
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	second, err := New(Options{Key: testKey(), Base: first.opts.Base, Stores: []string{"SEC"}, CustomAttributes: []string{"badge"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Load(state); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/scim2/Users?count=100", "/scim2/Groups?attributes=members,displayName,roles", "/scim2/v2/Roles?count=100", "/api/server/v1/applications?limit=100&attributes=clientId",
		"/api/server/v1/api-resources?limit=100", "/api/identity/oauth2/v1.0/scopes/name/pay", "/api/identity/oauth2/dcr/v1.1/register?client_name=tool",
	} {
		var answers [2]any
		for i, s := range []*Server{first, second} {
			r := httptest.NewRequest("GET", path, nil)
			r.SetBasicAuth("admin", "admin")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if err := json.Unmarshal(w.Body.Bytes(), &answers[i]); err != nil {
				t.Fatalf("%s: %d %s", path, w.Code, w.Body)
			}
		}
		if d := cmp.Diff(answers[0], answers[1]); d != "" {
			t.Errorf("%s: %s", path, d)
		}
	}
	state.Groups[0].Members = []string{"nobody"}
	if err := second.Load(state); err == nil {
		t.Error("a group with a member that does not exist was loaded")
	}
}

// TestConcurrent reads and writes from many sides and ends with what each of them made.
func TestConcurrent(t *testing.T) {
	s, c := newClient(t, Options{})
	s.Seed(200)
	group := c.want(201, "POST", "/scim2/Groups", doc{"displayName": "all"}).str("id")
	role := c.want(201, "POST", "/scim2/v2/Roles", doc{"displayName": "all"}).str("id")
	const workers, each = 8, 10
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range each {
				name := fmt.Sprintf("w%d-%d", w, i)
				made := c.send("POST", "/scim2/Users", doc{"userName": name, "password": "Pass@1234"})
				id := made.str("id")
				for _, r := range []reply{
					made,
					c.send("PATCH", "/scim2/Groups/"+group, patchBody(doc{"op": "add", "path": "members", "value": []any{doc{"value": id, "display": name}}})),
					c.send("PATCH", "/scim2/v2/Roles/"+role, patchBody(doc{"op": "add", "path": "users", "value": []any{doc{"value": id}}})),
					c.send("GET", "/scim2/Users?count=100", nil),
					c.send("GET", "/scim2/Users?filter=userName+eq+"+name, nil),
					c.send("GET", "/scim2/v2/Roles/"+role, nil),
					c.send("PATCH", "/scim2/v2/Roles/"+role, patchBody(doc{"op": "replace", "path": "permissions", "value": []any{doc{"value": "internal_login"}}})),
					c.send("POST", "/api/identity/oauth2/dcr/v1.1/register", doc{"client_name": name, "grant_types": []string{"client_credentials"}}),
				} {
					if r.status >= 300 {
						t.Errorf("%s: %d %s", name, r.status, r.text)
					}
				}
				s.State()
			}
		})
	}
	// One name at once from everywhere: one of them gets it.
	var won sync.Map
	for w := range workers {
		all.Go(func() {
			for _, r := range []reply{c.send("POST", "/scim2/Users", doc{"userName": "same", "password": "Pass@1234"}),
				c.send("POST", "/api/identity/oauth2/dcr/v1.1/register", doc{"client_name": "same", "grant_types": []string{"password"}})} {
				if r.status == http.StatusCreated {
					won.Store(fmt.Sprint(w, r.str("id"), r.str("client_id")), true)
				}
			}
		})
	}
	all.Wait()
	count := 0
	won.Range(func(any, any) bool { count++; return true })
	if count != 2 {
		t.Errorf("the name was given %d times", count)
	}
	if got := c.want(200, "GET", "/scim2/Groups/"+group, nil); len(got.list("members")) != workers*each {
		t.Errorf("%d members", len(got.list("members")))
	}
	if got := c.want(200, "GET", "/scim2/v2/Roles/"+role, nil); len(got.list("users")) != workers*each {
		t.Errorf("%d users", len(got.list("users")))
	}
}

// BenchmarkList measures a page of 100 of 5,000 users: as it comes, with two attributes, and by a filter that matches one.
func BenchmarkList(b *testing.B) {
	s, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	s.Seed(5000)
	for name, path := range map[string]string{
		"page": "/scim2/Users?startIndex=2401&count=100", "attributes": "/scim2/Users?startIndex=2401&count=100&attributes=userName,emails",
		"filter": "/scim2/Users?filter=userName+eq+user-03333", "role": "/scim2/v2/Roles?count=100",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest("GET", path, nil)
				r.SetBasicAuth("admin", "admin")
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
		})
	}
	b.Run("create", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			if a := s.addUser(map[string]any{"userName": fmt.Sprintf("bench-%07d", n), "password": "Pass@1234", "emails": []any{"a@x"}}, projection{}); a.status != 201 {
				b.Fatal(string(a.body))
			}
		}
	})
}
