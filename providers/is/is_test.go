package is

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
	sandbox "wso2plan/providers/sandbox/is"
)

func TestConfigure(t *testing.T) {
	s := serve(t, nil)
	if !strings.HasPrefix(s.realm, "is:carbon.super:") || len(s.realm) < 40 || len(s.warnings) != 0 {
		t.Errorf("realm %q, warnings %q", s.realm, s.warnings)
	}
	realm := s.realm
	s.connect(map[string]cty.Value{"tenant": str("carbon.super"), "insecure_skip_verify": cty.True})
	if s.realm != realm || len(s.warnings) != 1 {
		t.Errorf("realm %q after %q, warnings %q", s.realm, realm, s.warnings)
	}
	other := serve(t, func(o *sandbox.Options) { o.Version = "7.2.0" })
	if other.realm == realm || len(other.warnings) != 1 || !strings.Contains(other.warnings[0], "Identity Server 7.2.0") {
		t.Errorf("realm %q, warnings %q", other.realm, other.warnings)
	}
	p := New()
	b := p.Schema()
	_, _, err := p.Configure(t.Context(), b.Object(map[string]cty.Value{
		"endpoint": str(s.url), "username": str("admin"), "password": str("wrong-password"),
	}))
	if err == nil || !strings.Contains(err.Error(), `user "admin" was refused`) || strings.Contains(err.Error(), "wrong-password") {
		t.Errorf("wrong password: %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	p := New()
	p.getenv = func(name string) string {
		return map[string]string{"WSO2IS_EXTERNAL_PORT": "9444", "WSO2IS_ADMIN_USER": "a", "WSO2IS_ADMIN_PASS": "b", "WSO2IS_PORT": "9443", "WSO2IS_HOST": "wso2is"}[name]
	}
	b := p.Schema()
	s, err := product.Settings(b.Object(nil), p.getenv)
	if err != nil || s.Endpoint != "https://localhost:9444" || s.Username != "a" || s.Password != "b" {
		t.Errorf("%+v, %v", s, err)
	}
}

// Both grants work with a client that is registered when it is absent, and found when it is not.
func TestRegisteredClient(t *testing.T) {
	s := serve(t, nil)
	for _, auth := range []string{rest.AuthPassword, rest.AuthClient, rest.AuthClient} {
		p := s.connect(map[string]cty.Value{"auth": str(auth)})
		n := 0
		for _, err := range p.types[0].(engine.Lister).List(t.Context(), 10) {
			if err != nil {
				t.Fatalf("%s: %v", auth, err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%s: %d users", auth, n)
		}
	}
}

func TestUserLife(t *testing.T) {
	s := serve(t, nil)
	users, ctx := s.typ("is_user"), t.Context()
	key := map[string]cty.Value{"user_name": str("ann")}
	if _, err := users.Find(ctx, wanted(users, key)); !errors.Is(err, engine.ErrNotFound) {
		t.Fatal(err)
	}
	attrs := map[string]cty.Value{
		"user_name": str("ann"), "password": str("Pass@1234").Mark(schema.Sensitive), "given_name": str("Ann"), "family_name": str("Lee"), "nick_name": str(""),
		"emails": strMap("work", "a@work.example", "", "a@example.com"), "phone_numbers": strMap("mobile", "+491511"), "addresses": strMap("home", "Street 1"),
		"department": str("Ops"), "manager_id": str("m1"), "country": str("DE"), "account_locked": cty.False,
		"attributes": strMap("badge", "7"), "system_attributes": strMap("unlockTime", "0"),
	}
	ann := s.create(users, attrs)
	var sent map[string]any
	_, body, _ := strings.Cut(s.last(), "{")
	if err := json.Unmarshal([]byte("{"+body), &sent); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{
		"schemas": []any{coreUserURN}, "userName": "ann", "password": "Pass@1234", "name": map[string]any{"givenName": "Ann", "familyName": "Lee"},
		"emails":       []any{"a@example.com", map[string]any{"type": "work", "value": "a@work.example"}},
		"phoneNumbers": []any{map[string]any{"type": "mobile", "value": "+491511"}},
		"addresses":    []any{map[string]any{"type": "home", "formatted": "Street 1"}},
		enterpriseURN:  map[string]any{"department": "Ops", "manager": map[string]any{"value": "m1"}},
		systemURN:      map[string]any{"country": "DE", "accountLocked": false, "unlockTime": "0"},
		customURN:      map[string]any{"badge": "7"},
	}, sent); diff != "" {
		t.Error("create sent", diff)
	}
	found, err := users.Find(ctx, wanted(users, map[string]cty.Value{"user_name": str("ANN")}))
	if err != nil || found.ID != ann.ID {
		t.Fatalf("find: %v", err)
	}
	if dropped := rest.Different(&users.Schema().Block, wanted(users, attrs), found.Value); dropped != nil {
		t.Errorf("not as wanted: %v", dropped)
	}
	if !found.Value.GetAttr("password").IsNull() || found.Value.GetAttr("roles").LengthInt() != 1 {
		t.Errorf("%#v", found.Value)
	}

	// One PATCH with one operation for each path, and what is not named stays.
	changed, err := users.Update(ctx, found, over(found, map[string]cty.Value{
		"nick_name": str("A"), "family_name": str(""), "password": str("Other@1234").Mark(schema.Sensitive), "account_locked": cty.True,
		"emails":        strMap("home", "a@home.example", "", "a@example.com"),
		"phone_numbers": strMap("home", "+2", "work", "+3"), "addresses": strMap("home", "Street 2"),
		"department": str("Dev"), "manager_id": str(""), "manager_display_name": str("Bob"), "attributes": strMap("badge", "8"),
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := "PATCH /scim2/Users/" + ann.ID + ` {"Operations":[` + strings.Join([]string{
		`{"op":"replace","path":"password","value":"Other@1234"}`,
		`{"op":"remove","path":"name.familyName"}`,
		`{"op":"replace","path":"nickName","value":"A"}`,
		`{"op":"replace","path":"emails","value":["a@example.com",{"type":"home","value":"a@home.example"}]}`,
		`{"op":"remove","path":"phoneNumbers[type eq \"mobile\"]"}`,
		`{"op":"add","path":"phoneNumbers","value":[{"type":"home","value":"+2"},{"type":"work","value":"+3"}]}`,
		`{"op":"replace","path":"addresses[type eq \"home\"].formatted","value":"Street 2"}`,
		`{"op":"replace","path":"` + enterpriseURN + `:department","value":"Dev"}`,
		`{"op":"remove","path":"` + enterpriseURN + `:manager"}`,
		`{"op":"replace","path":"` + enterpriseURN + `:manager","value":{"displayName":"Bob"}}`,
		`{"op":"replace","path":"` + systemURN + `:accountLocked","value":true}`,
		`{"op":"replace","path":"` + customURN + `:badge","value":"8"}`,
	}, ",") + `],"schemas":["` + patchURN + `"]}`
	if got := s.last(); got != want {
		t.Error(cmp.Diff(want, got))
	}
	for name, v := range map[string]cty.Value{
		"nick_name": str("A"), "family_name": str(""), "given_name": str("Ann"), "manager_id": str(""), "manager_display_name": str("Bob"),
		"emails": strMap("home", "a@home.example", "", "a@example.com"), "country": str("DE"), "attributes": strMap("badge", "8"),
	} {
		if got := changed.Value.GetAttr(name); !got.RawEquals(v) {
			t.Errorf("%s is %#v, want %#v", name, got, v)
		}
	}

	// A change of the address without a type replaces the list.
	changed, err = users.Update(ctx, changed, over(changed, map[string]cty.Value{"emails": strMap("", "b@example.com")}))
	if err != nil || !changed.Value.GetAttr("emails").RawEquals(strMap("", "b@example.com")) {
		t.Errorf("%v %#v", err, changed)
	}
	changed, err = users.Update(ctx, changed, over(changed, map[string]cty.Value{
		"emails": strMap(), "phone_numbers": strMap("mobile", "+1"), "attributes": strMap(), "manager_display_name": str(""),
	}))
	if err != nil || changed.Value.GetAttr("emails").LengthInt() != 0 || changed.Value.GetAttr("attributes").LengthInt() != 0 ||
		!changed.Value.GetAttr("phone_numbers").RawEquals(strMap("mobile", "+1")) || changed.Value.GetAttr("manager_display_name").AsString() != "" {
		t.Errorf("%v %#v", err, changed)
	}

	before := s.last()
	if same, err := users.Update(ctx, changed, changed.Value); err != nil || s.last() != before || same.ID != ann.ID {
		t.Errorf("an update of nothing: %v, %s", err, s.last())
	}
	// Somebody edits what the plan does not touch: it stays. What the plan touches: refused.
	edited, err := users.Update(ctx, changed, over(changed, map[string]cty.Value{"title": str("Dr"), "country": str("FR")}))
	if err != nil {
		t.Fatal(err)
	}
	after, err := users.Update(ctx, changed, over(changed, map[string]cty.Value{"nick_name": str("N")}))
	if err != nil || after.Value.GetAttr("title").AsString() != "Dr" {
		t.Errorf("%v %#v", err, after)
	}
	if _, err := users.Update(ctx, changed, over(edited, map[string]cty.Value{"country": str("IT")})); !errors.Is(err, engine.ErrMoved) {
		t.Errorf("moved: %v", err)
	}
	for range 2 {
		if err := users.Delete(ctx, ann); err != nil {
			t.Error(err)
		}
	}
	if _, err := users.Read(ctx, ann.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Error(err)
	}
}

func TestUserStores(t *testing.T) {
	s := serve(t, nil)
	users := s.typ("is_user")
	a := s.create(users, map[string]cty.Value{"user_name": str("ann"), "password": str("Pass@1234")})
	b := s.create(users, map[string]cty.Value{"user_name": str("ann"), "password": str("Pass@1234"), "user_store": str("partners")})
	for store, want := range map[string]string{"PRIMARY": a.ID, "primary": a.ID, "Partners": b.ID} {
		o, err := users.Find(t.Context(), wanted(users, map[string]cty.Value{"user_name": str("ann"), "user_store": str(store)}))
		if err != nil || o.ID != want {
			t.Errorf("%s: %v", store, err)
		}
	}
	if got := b.Value.GetAttr("user_store").AsString() + " " + b.Value.GetAttr("user_name").AsString(); got != "PARTNERS ann" {
		t.Error(got)
	}
}

// An attribute that the server drops without a word is an error, and the object is there.
func TestDroppedAttribute(t *testing.T) {
	s := serve(t, nil)
	users := s.typ("is_user")
	o, err := users.Create(t.Context(), wanted(users, map[string]cty.Value{
		"user_name": str("ann"), "password": str("Pass@1234"), "attributes": strMap("badge", "1", "shoe", "44"),
	}))
	if o == nil || err == nil || !strings.Contains(err.Error(), `the server did not keep attributes["shoe"]`) {
		t.Errorf("%v %v", o, err)
	}
}

func TestUserRefusals(t *testing.T) {
	s := serve(t, nil)
	users := s.typ("is_user")
	s.create(users, map[string]cty.Value{"user_name": str("ann"), "password": str("Pass@1234")})
	_, err := users.Create(t.Context(), wanted(users, map[string]cty.Value{"user_name": str("ann"), "password": str("Pass@1234")}))
	if rest.StatusOf(err) != 409 || !engine.Refused(err) {
		t.Error(err)
	}
	_, err = users.Create(t.Context(), wanted(users, map[string]cty.Value{"user_name": str("bob"), "password": str("x y").Mark(schema.Sensitive)}))
	if rest.StatusOf(err) != 400 || !engine.Refused(err) {
		t.Error(err)
	}
	admin, err := users.Find(t.Context(), wanted(users, map[string]cty.Value{"user_name": str("admin")}))
	if err != nil || !admin.System {
		t.Fatalf("%v %v", admin, err)
	}
	if err := users.Delete(t.Context(), admin); !engine.Refused(err) {
		t.Error(err)
	}
}

func TestListUsers(t *testing.T) {
	s := serve(t, nil)
	users := s.typ("is_user")
	for i := range 250 {
		s.create(users, map[string]cty.Value{"user_name": str(fmt.Sprintf("user%d", i)), "password": str("Pass@1234")})
	}
	s.reads = 0
	n := 0
	for o, err := range users.(engine.Lister).List(t.Context(), 5) {
		if err != nil {
			t.Fatal(err)
		}
		if o.ID == "" || o.Value.GetAttr("user_name").AsString() == "" {
			t.Errorf("%#v", o)
		}
		n++
	}
	if n != 251 || s.reads != 3 {
		t.Errorf("%d users in %d requests", n, s.reads)
	}
	for _, err := range users.(engine.Lister).List(t.Context(), 2) {
		if !errors.Is(err, engine.ErrCostly) {
			t.Error("three pages in two requests")
		}
		break
	}
}

func (s *served) users(n int) []string {
	s.t.Helper()
	var ids []string
	for i := range n {
		ids = append(ids, s.create(s.typ("is_user"), map[string]cty.Value{"user_name": str(fmt.Sprintf("user%d", i)), "password": str("Pass@1234")}).ID)
	}
	return ids
}

func TestGroupLife(t *testing.T) {
	s := serve(t, nil)
	groups, ctx := s.typ("is_group"), t.Context()
	id := s.users(4)
	if _, err := groups.Find(ctx, wanted(groups, map[string]cty.Value{"display_name": str("ops")})); !errors.Is(err, engine.ErrNotFound) {
		t.Fatal(err)
	}
	ops := s.create(groups, map[string]cty.Value{"display_name": str("ops"), "members": strs(id[0], id[1])})
	if !ops.Value.GetAttr("members").RawEquals(strs(id[0], id[1])) {
		t.Errorf("%#v", ops.Value)
	}
	found, err := groups.Find(ctx, wanted(groups, map[string]cty.Value{"display_name": str("ops")}))
	if err != nil || !found.Value.RawEquals(ops.Value) {
		t.Fatalf("%v %#v", err, found)
	}
	changed, err := groups.Update(ctx, found, over(found, map[string]cty.Value{"display_name": str("operations"), "members": strs(id[1], id[2], id[3])}))
	if err != nil || !changed.Value.GetAttr("members").RawEquals(strs(id[1], id[2], id[3])) || changed.Value.GetAttr("display_name").AsString() != "operations" {
		t.Fatalf("%v %#v", err, changed)
	}
	if got := s.last(); !strings.Contains(got, `{"op":"remove","path":"members[value eq \"`+id[0]+`\"]"}`) || !strings.Contains(got, `"display":"user2"`) || strings.Contains(got, id[1]) {
		t.Errorf("PATCH sent %s", got)
	}
	// A rename alone leaves members that somebody added.
	renamed, err := groups.Update(ctx, found, over(found, map[string]cty.Value{"display_name": str("ops2"), "members": found.Value.GetAttr("members")}))
	if !errors.Is(err, engine.ErrMoved) || renamed != nil {
		t.Errorf("name moved: %v", err)
	}
	renamed, err = groups.Update(ctx, &engine.Object{ID: ops.ID, Value: over(changed, map[string]cty.Value{"members": strs()})},
		over(changed, map[string]cty.Value{"display_name": str("ops2"), "members": strs()}))
	if err != nil || renamed.Value.GetAttr("members").LengthInt() != 3 {
		t.Errorf("%v %#v", err, renamed)
	}
	empty, err := groups.Update(ctx, renamed, over(renamed, map[string]cty.Value{"members": strs()}))
	if err != nil || empty.Value.GetAttr("members").LengthInt() != 0 {
		t.Errorf("%v %#v", err, empty)
	}
	_, err = groups.Update(ctx, empty, over(empty, map[string]cty.Value{"members": strs("no-such-user")}))
	if err == nil || errors.Is(err, engine.ErrNotFound) || !strings.Contains(err.Error(), "reading the name of member no-such-user") {
		t.Error(err)
	}
	for range 2 {
		if err := groups.Delete(ctx, ops); err != nil {
			t.Error(err)
		}
	}
}

func TestLargeGroup(t *testing.T) {
	s := serve(t, nil)
	groups := s.typ("is_group")
	id := s.users(membersPerRequest + 20)
	g := s.create(groups, map[string]cty.Value{"display_name": str("all")})
	s.bodies = nil
	g, err := groups.Update(t.Context(), g, over(g, map[string]cty.Value{"members": strs(id...)}))
	if err != nil || g.Value.GetAttr("members").LengthInt() != len(id) || len(s.bodies) != 2 {
		t.Fatalf("%v, %d members in %d requests", err, g.Value.GetAttr("members").LengthInt(), len(s.bodies))
	}
}

func TestRoleLife(t *testing.T) {
	s := serve(t, nil)
	roles, ctx := s.typ("is_role"), t.Context()
	id := s.users(3)
	g := s.create(s.typ("is_group"), map[string]cty.Value{"display_name": str("ops")})
	key := wanted(roles, map[string]cty.Value{"display_name": str("deployer")})
	if _, err := roles.Find(ctx, key); !errors.Is(err, engine.ErrNotFound) {
		t.Fatal(err)
	}
	r := s.create(roles, map[string]cty.Value{
		"display_name": str("deployer"), "users": strs(id[0]), "groups": strs(g.ID), "permissions": strs("internal_user_mgt_view", "internal_user_mgt_list"),
	})
	if !strings.Contains(s.last(), `"audience":{"type":"organization","value":"`+sandbox.OrganizationID+`"}`) {
		t.Error(s.last())
	}
	for name, v := range map[string]cty.Value{
		"users": strs(id[0]), "groups": strs(g.ID), "permissions": strs("internal_user_mgt_view", "internal_user_mgt_list"),
		"audience": str("organization"), "application_id": str(""), "audience_id": str(sandbox.OrganizationID),
	} {
		if got := r.Value.GetAttr(name); !got.RawEquals(v) {
			t.Errorf("%s is %#v", name, got)
		}
	}
	found, err := roles.Find(ctx, key)
	if err != nil || found.ID != r.ID || !found.Value.RawEquals(r.Value) || found.System {
		t.Fatalf("%v %#v", err, found)
	}
	changed, err := roles.Update(ctx, found, over(found, map[string]cty.Value{
		"display_name": str("releaser"), "users": strs(id[1], id[2]), "groups": strs(), "permissions": strs("internal_group_mgt_view"),
	}))
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]cty.Value{
		"display_name": str("releaser"), "users": strs(id[1], id[2]), "groups": strs(), "permissions": strs("internal_group_mgt_view"),
	} {
		if got := changed.Value.GetAttr(name); !got.RawEquals(v) {
			t.Errorf("%s is %#v", name, got)
		}
	}
	changed, err = roles.Update(ctx, changed, over(changed, map[string]cty.Value{"permissions": strs()}))
	if err != nil || changed.Value.GetAttr("permissions").LengthInt() != 0 || changed.Value.GetAttr("users").LengthInt() != 2 {
		t.Errorf("%v %#v", err, changed)
	}
	_, err = roles.Create(ctx, wanted(roles, map[string]cty.Value{"display_name": str("bad"), "permissions": strs("no_such_scope")}))
	if rest.StatusOf(err) != 400 || !engine.Refused(err) {
		t.Error(err)
	}
	for range 2 {
		if err := roles.Delete(ctx, r); err != nil {
			t.Error(err)
		}
	}
	everyone, err := roles.Find(ctx, wanted(roles, map[string]cty.Value{"display_name": str("everyone")}))
	if err != nil || !everyone.System {
		t.Errorf("%v %v", everyone, err)
	}
}

func TestApplicationRole(t *testing.T) {
	s := serve(t, nil)
	roles, ctx := s.typ("is_role"), t.Context()
	s.connect(map[string]cty.Value{"auth": str(rest.AuthClient)}) // registers an application
	app, err := applicationID(ctx, &s.client, clientName)
	if err != nil {
		t.Fatal(err)
	}
	organization := s.create(roles, map[string]cty.Value{"display_name": str("deployer")})
	r := s.create(roles, map[string]cty.Value{"display_name": str("deployer"), "audience": str("application"), "application_id": str(app)})
	if r.ID == organization.ID || r.Value.GetAttr("application_id").AsString() != app || r.Value.GetAttr("audience").AsString() != "application" {
		t.Errorf("%#v", r.Value)
	}
	found, err := roles.Find(ctx, wanted(roles, map[string]cty.Value{"display_name": str("deployer"), "audience": str("application"), "application_id": str(app)}))
	if err != nil || found.ID != r.ID {
		t.Errorf("%v %v", found, err)
	}
}

func TestCheckRole(t *testing.T) {
	roles := roleType()
	for _, test := range []struct {
		audience, application cty.Value
		want                  string
	}{
		{str("organization"), str(""), ""},
		{str("application"), str("x"), ""},
		{str("application"), cty.UnknownVal(cty.String), ""},
		{str("application"), str(""), "Missing application"},
		{str("organization"), str("x"), "Application of an organization role"},
	} {
		got := ""
		for _, p := range roles.Check(roles.Object(map[string]cty.Value{"audience": test.audience, "application_id": test.application})) {
			got = p.Summary
		}
		if got != test.want {
			t.Errorf("%#v %#v: %q, want %q", test.audience, test.application, got, test.want)
		}
	}
}

func TestOpenIDConfiguration(t *testing.T) {
	s := serve(t, func(o *sandbox.Options) { o.Issuer = "https://localhost:9443/oauth2/token" })
	d := s.Data()[0]
	o, err := d.Find(t.Context(), d.Schema().Object(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := o.Value.GetAttr("issuer").AsString(); got != "https://localhost:9443/oauth2/token" {
		t.Errorf("issuer %s", got)
	}
	// Every member of the document has an attribute of its own.
	var document map[string]any
	if err := json.Unmarshal([]byte(o.Value.GetAttr("document").AsString()), &document); err != nil {
		t.Fatal(err)
	}
	for name := range document {
		if a := d.Schema().Attribute(strings.ToLower(name)); a == nil {
			t.Errorf("no attribute %s", name)
		} else if v := o.Value.GetAttr(a.Name); v.IsNull() {
			t.Errorf("%s was not read", name)
		}
	}
	o, err = d.Find(t.Context(), d.Schema().Object(map[string]cty.Value{"endpoint": str(strings.Replace(s.url, "127.0.0.1", "localhost", 1)), "tenant": str("carbon.super")}))
	if err != nil || o.ID != "https://localhost:9443/oauth2/token" || o.Value.GetAttr("tenant").AsString() != "carbon.super" {
		t.Errorf("%v %v", o, err)
	}
	_, err = d.Find(t.Context(), d.Schema().Object(map[string]cty.Value{"tenant": str("no.such")}))
	if err == nil {
		t.Error("a tenant that is not there has a document")
	}
}

// Every table is well formed, and what it encodes it decodes again.
func TestTables(t *testing.T) {
	for _, typ := range New().Types() {
		sch := typ.Schema()
		if err := sch.Validate(); err != nil {
			t.Error(err)
		}
		set := map[string]cty.Value{}
		for i := range sch.Attributes {
			a := &sch.Attributes[i]
			if a.ReadOnly || a.WriteOnly {
				continue
			}
			switch {
			case len(a.Enum) > 0:
				set[a.Name] = str(a.Enum[len(a.Enum)-1])
			case a.Type == cty.String:
				set[a.Name] = str("x:" + a.Name)
			case a.Type == cty.Bool:
				set[a.Name] = cty.True
			case a.Type.IsMapType():
				set[a.Name] = strMap("work", "x")
			case a.Type.IsSetType():
				set[a.Name] = strs("x:1", "y:2")
			}
		}
		v := sch.Object(set)
		body := rest.Encode(&sch.Block, v)
		var encode, decode func(map[string]any) error
		switch typ := typ.(type) {
		case application:
			encode, decode = typ.Encode, typ.Decode
		case apiResource:
			encode, decode = typ.Encode, typ.Decode
		case oauthClient:
			body["client_id"] = body["ext_param_client_id"]
			encode, decode = typ.Encode, typ.Decode
		case user:
			encode, decode = typ.Encode, typ.Decode
		case group:
			encode, decode = typ.Encode, typ.Decode
		case role:
			encode, decode = typ.Encode, typ.Decode
		case associatedRoles, authorizedAPI: // without codecs
			continue
		default:
			t.Fatalf("%s is not tested", sch.Name)
		}
		if err := encode(body); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var raw map[string]any
		if err := (&rest.Response{Body: text}).JSON(&raw); err != nil {
			t.Fatal(err)
		}
		if err := decode(raw); err != nil {
			t.Fatal(err)
		}
		got, err := rest.Decode(&sch.Block, raw)
		if err != nil {
			t.Fatal(err)
		}
		if names := rest.Different(&sch.Block, v, got); names != nil {
			t.Errorf("%s: %v do not come back", sch.Name, names)
		}
	}
}

// In a tenant every path has its prefix, and the user its domain.
func TestTenant(t *testing.T) {
	var path, user string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who, _, ok := r.BasicAuth(); ok { // the version is asked for beside, without a login
			path, user = r.URL.Path, who
		}
		io.WriteString(w, `{"Resources":[{"id":"r1","displayName":"everyone","audience":{"type":"organization","value":"o1"}}]}`)
	}))
	defer server.Close()
	p := New()
	b := p.Schema()
	realm, _, err := p.Configure(t.Context(), b.Object(map[string]cty.Value{
		"endpoint": str(server.URL), "username": str("ann"), "password": str("secret"), "tenant": str("acme.com"),
	}))
	if err != nil || path != "/t/acme.com/scim2/v2/Roles" || user != "ann@acme.com" || realm != "is:acme.com:r1" || p.organization != "o1" {
		t.Errorf("%s as %s, realm %s, organization %s, %v", path, user, realm, p.organization, err)
	}
}
