package is

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// An update has what changes and every boolean, which the server would reset.
func TestOAuthClientChanges(t *testing.T) {
	s := serve(t, nil)
	clients := s.typ("is_oauth_client")
	o := s.create(clients, map[string]cty.Value{
		"client_name": str("shop"), "client_id": str("shop_client_id_1"), "initial_secret": str("first secret").Mark(schema.Sensitive), "owner": str("admin@carbon.super"),
		"grant_types": strs("authorization_code", "password"), "redirect_uris": strs("https://a/1?x=1", "https://a/2"), "display_name": str("Shop"),
		"pkce_mandatory": cty.True, "jwks_uri": str("https://a/jwks"), "application_version": str("v3.0.0"), "require_pushed_authorization_requests": cty.True,
		"backchannel_logout_uri": str("https://a/out"), "id_token_lifetime": num(60),
	})
	wrote := s.written(s.writes() - 2)
	body := bodyOf(t, wrote[0])
	for name, want := range map[string]any{"ext_param_client_id": "shop_client_id_1", "ext_param_client_secret": "first secret", "ext_application_version": nil,
		"redirect_uris": []any{"https://a/1?x=1", "https://a/2"}, "backchannel_logout_uri": "https://a/out"} {
		if d := cmp.Diff(want, body[name]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if body := bodyOf(t, wrote[1]); body["ext_application_version"] != "v3.0.0" || body["ext_pkce_mandatory"] != true {
		t.Error("the version is set after", wrote[1])
	}
	for name, want := range map[string]cty.Value{
		"id": str("shop_client_id_1"), "client_id": str("shop_client_id_1"), "client_secret": str("first secret"), "initial_secret": cty.NullVal(cty.String), "owner": str("admin"),
		"redirect_uris": strs("https://a/1?x=1", "https://a/2"), "allowed_audience": str("application"), "application_version": str("v3.0.0"), "token_type": str("Default"),
		"require_pushed_authorization_requests": cty.True, "require_signed_request_object": cty.False, "sector_identifier_uri": str(""), "id_token_lifetime": num(60),
	} {
		if got := o.Value.GetAttr(name); !got.RawEquals(want) {
			t.Errorf("%s: %#v", name, got)
		}
	}
	o, wrote = s.update(clients, o, over(o, map[string]cty.Value{"token_type": str("JWT"), "allowed_audience": str("organization"), "redirect_uris": strs("https://a/2")}))
	if d := cmp.Diff(map[string]any{
		"client_name": "shop", "ext_token_type": "JWT", "ext_allowed_audience": "organization", "redirect_uris": []any{"https://a/2"},
		"ext_pkce_mandatory": true, "ext_pkce_support_plain": false, "ext_public_client": false, "require_pushed_authorization_requests": true,
		"require_signed_request_object": false, "tls_client_certificate_bound_access_tokens": false,
	}, bodyOf(t, wrote[0])); d != "" {
		t.Error(d)
	}
	// What cannot be emptied is said.
	got, err := clients.Update(t.Context(), o, over(o, map[string]cty.Value{"display_name": str("")}))
	if got == nil || err == nil || !strings.Contains(err.Error(), "did not keep display_name") {
		t.Errorf("%v %v", got, err)
	}
	// The owner is the same with and without the tenant.
	owner := clients.Schema().Attribute("owner")
	if !rest.Equal(owner, str("admin"), str("admin@carbon.super")) || rest.Equal(owner, str("ann@example.com"), str("ann")) {
		t.Error("owners")
	}
	// Names and ids that are taken are conflicts, which the server answers 400.
	var conflict interface{ Conflict() bool }
	for _, attrs := range []map[string]cty.Value{{"client_name": str("shop")}, {"client_name": str("other"), "client_id": str("shop_client_id_1")}} {
		attrs["grant_types"] = strs("password")
		if _, err := clients.Create(t.Context(), wanted(clients, attrs)); !errors.As(err, &conflict) || !conflict.Conflict() || !engine.Refused(err) {
			t.Errorf("%v", err)
		}
	}
	if _, err := clients.Create(t.Context(), wanted(clients, map[string]cty.Value{"client_name": str("bad"), "grant_types": strs("nonsense")})); !engine.Refused(err) || errors.As(err, &conflict) && conflict.Conflict() {
		t.Errorf("%v", err)
	}
}

// A 401 means an unknown client only where the same credentials are good elsewhere.
func TestUnknownOAuthClient(t *testing.T) {
	var fault func(*http.Request) int
	s := serveFaulty(t, func(r *http.Request) int {
		if fault == nil {
			return 0
		}
		return fault(r)
	})
	clients, ctx := s.typ("is_oauth_client"), t.Context()
	o := s.create(clients, map[string]cty.Value{"client_name": str("shop"), "grant_types": strs("password")})
	key := wanted(clients, map[string]cty.Value{"client_name": str("none")})
	ask := func() map[string]error {
		_, read := clients.Read(ctx, "no_such_client_1")
		_, find := clients.Find(ctx, key)
		_, update := clients.Update(ctx, &engine.Object{ID: "no_such_client_1", Value: o.Value}, over(o, map[string]cty.Value{"token_type": str("JWT")}))
		return map[string]error{"read": read, "find": find, "update": update}
	}
	for what, err := range ask() {
		if !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := clients.Delete(ctx, &engine.Object{ID: "no_such_client_1", Value: o.Value}); err != nil {
		t.Error(err)
	}
	isApplications := func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/server/") }
	for name, test := range map[string]struct {
		fault func(*http.Request) int
		gone  bool
	}{
		"credentials refused everywhere": {func(*http.Request) int { return 401 }, false},
		"applications may not be seen":   {func(r *http.Request) int { return map[bool]int{true: 403}[isApplications(r)] }, true},
		"applications do not answer":     {func(r *http.Request) int { return map[bool]int{true: 500}[isApplications(r)] }, false},
		"applications are not there":     {func(r *http.Request) int { return map[bool]int{true: 404}[isApplications(r)] }, false},
	} {
		fault = test.fault
		for what, err := range ask() {
			if err == nil || errors.Is(err, engine.ErrNotFound) != test.gone {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
		if err := clients.Delete(ctx, &engine.Object{ID: "no_such_client_1", Value: o.Value}); (err == nil) != test.gone {
			t.Errorf("%s: delete: %v", name, err)
		}
	}
	// The application is there, so the client cannot be gone.
	fault = func(r *http.Request) int { return map[bool]int{true: 401}[strings.Contains(r.URL.Path, "/dcr/")] }
	if _, err := clients.Read(ctx, o.ID); err == nil || errors.Is(err, engine.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if _, err := clients.Find(ctx, wanted(clients, map[string]cty.Value{"client_name": str("shop")})); err == nil || errors.Is(err, engine.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if err := clients.Delete(ctx, o); err == nil {
		t.Error("deleted, and it was not")
	}
	fault = nil
	// With a token a 401 renews it once, and means the same after that.
	p := s.connect(map[string]cty.Value{"auth": str(rest.AuthClient)})
	for _, typ := range p.types {
		if _, ok := typ.(oauthClient); ok {
			if _, err := typ.Read(ctx, "no_such_client_1"); !errors.Is(err, engine.ErrNotFound) {
				t.Error(err)
			}
		}
	}
	// A version that cannot be set leaves the client.
	fault = func(r *http.Request) int { return map[bool]int{true: 403}[r.Method == http.MethodPut] }
	got, err := clients.Create(ctx, wanted(clients, map[string]cty.Value{"client_name": str("two"), "grant_types": strs("password"), "application_version": str("v9.0.0")}))
	if got == nil || err == nil || got.Value.GetAttr("client_secret").IsNull() {
		t.Errorf("%v %v", got, err)
	}
}

func TestCheckOAuthClient(t *testing.T) {
	typ := oauthClientType()
	for name, test := range map[string]struct {
		set  map[string]cty.Value
		want string
	}{
		"nothing":          {nil, ""},
		"reserved":         {map[string]cty.Value{"client_name": str("Console")}, "Reserved name"},
		"secret alone":     {map[string]cty.Value{"initial_secret": str("x")}, "Secret without a client id"},
		"secret":           {map[string]cty.Value{"initial_secret": str("x"), "client_id": str("x")}, ""},
		"no redirect":      {map[string]cty.Value{"grant_types": strs("implicit")}, "Missing redirect URI"},
		"redirect unknown": {map[string]cty.Value{"grant_types": strs("implicit"), "redirect_uris": cty.UnknownVal(cty.Set(cty.String))}, ""},
	} {
		set := map[string]cty.Value{"client_name": str("x")}
		for k, v := range test.set {
			set[k] = v
		}
		got := ""
		for _, p := range typ.Check(typ.Object(set)) {
			got += p.Summary
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	id := typ.Attribute("client_id").Validate
	for value, ok := range map[string]bool{"shop_client_id_1": true, "short": false, "with-dashes-inside": false, strings.Repeat("a", 31): false} {
		if err := id(str(value)); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
	for value, ok := range map[string]bool{"1": true, "0": false, "1.5": false} {
		if err := wholeFrom(1)(cty.MustParseNumberVal(value)); (err == nil) != ok {
			t.Errorf("%s: %v", value, err)
		}
	}
}
