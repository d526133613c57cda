package is

import (
	"net/url"
	"strings"
	"testing"

	"wso2plan/providers/sandbox/oauth"
)

// management registers a client by DCR and authorises it for scopes of an API resource, as the management APIs want it (is-behaviour 2).
func (c client) management(name string, grants []string, scopes map[string][]string) (id, secret string) {
	c.t.Helper()
	got := c.want(201, "POST", "/api/identity/oauth2/dcr/v1.1/register", doc{"client_name": name, "grant_types": grants, "redirect_uris": []string{"https://localhost/cb"}, "ext_token_type": "JWT"})
	list := c.want(200, "GET", "/api/server/v1/applications?attributes=clientId&filter="+url.QueryEscape("name eq "+name), nil).list("applications")
	app := list[0].(doc)["id"].(string)
	for identifier, names := range scopes {
		api := c.want(200, "GET", "/api/server/v1/api-resources?filter="+url.QueryEscape("identifier eq "+identifier), nil).list("apiResources")[0].(doc)["id"].(string)
		c.want(200, "POST", "/api/server/v1/applications/"+app+"/authorized-apis", doc{"id": api, "policyIdentifier": "RBAC", "scopes": names})
	}
	return got.str("client_id"), got.str("client_secret")
}

func (c client) token(id, secret string, form url.Values) reply {
	c.t.Helper()
	return c.as(basic(id, secret)).send("POST", "/oauth2/token", form)
}

// TestScopes calls each family of operations with a token that has its scope, and with one that has not.
func TestScopes(t *testing.T) {
	_, c := newClient(t, Options{})
	ann := c.user("ann", nil)
	group := c.want(201, "POST", "/scim2/Groups", doc{"displayName": "ops"}).str("id")
	role := c.want(201, "POST", "/scim2/v2/Roles", doc{"displayName": "deployer"}).str("id")
	id, secret := c.management("tool", []string{"client_credentials"}, map[string][]string{
		"/scim2/Users":  {"internal_user_mgt_list", "internal_user_mgt_view", "internal_user_mgt_create", "internal_user_mgt_update", "internal_user_mgt_delete"},
		"/scim2/Groups": {"internal_group_mgt_view", "internal_group_mgt_create", "internal_group_mgt_update", "internal_group_mgt_delete"},
		"/scim2/Roles":  {"internal_role_mgt_view", "internal_role_mgt_create", "internal_role_mgt_update", "internal_role_mgt_delete"},
		"/scim2/Bulk":   {"internal_bulk_resource_create"}, "/api/server/v1/applications": {"internal_application_mgt_view", "internal_application_mgt_create"},
	})
	none := c.token(id, secret, url.Values{"grant_type": {"client_credentials"}})
	if none.status != 200 || none.at("scope") != nil {
		t.Fatalf("token: %s", none.text)
	}
	for _, test := range []struct {
		scope, method, path string
		body                any
		status              int
	}{
		{"internal_user_mgt_list", "GET", "/scim2/Users", nil, 200},
		{"internal_user_mgt_list", "POST", "/scim2/Users/.search", doc{}, 200},
		{"internal_user_mgt_view", "GET", "/scim2/Users/" + ann, nil, 200},
		{"internal_user_mgt_create", "POST", "/scim2/Users", doc{"userName": "bob", "password": "Pass@1234"}, 201},
		{"internal_user_mgt_update", "PUT", "/scim2/Users/" + ann, doc{"userName": "ann"}, 200},
		{"internal_user_mgt_update", "PATCH", "/scim2/Users/" + ann, patchBody(doc{"op": "add", "path": "title", "value": "x"}), 200},
		{"internal_user_mgt_delete", "DELETE", "/scim2/Users/" + ann, nil, 204},
		{"internal_group_mgt_view", "GET", "/scim2/Groups", nil, 200},
		{"internal_group_mgt_create", "POST", "/scim2/Groups", doc{"displayName": "new"}, 201},
		{"internal_group_mgt_update", "PATCH", "/scim2/Groups/" + group, patchBody(doc{"op": "replace", "path": "displayName", "value": "x"}), 200},
		{"internal_group_mgt_delete", "DELETE", "/scim2/Groups/" + group, nil, 204},
		{"internal_role_mgt_view", "GET", "/scim2/v2/Roles", nil, 200},
		{"internal_role_mgt_create", "POST", "/scim2/v2/Roles", doc{"displayName": "new"}, 201},
		{"internal_role_mgt_update", "PUT", "/scim2/v2/Roles/" + role, doc{"displayName": "x"}, 200},
		{"internal_role_mgt_delete", "DELETE", "/scim2/v2/Roles/" + role, nil, 204},
		{"internal_bulk_resource_create", "POST", "/scim2/Bulk", doc{"Operations": []any{}}, 200},
		{"internal_application_mgt_view", "GET", "/api/identity/oauth2/dcr/v1.1/register/" + id, nil, 200},
		{"internal_application_mgt_create", "POST", "/api/server/v1/applications", doc{"name": "a"}, 201},
	} {
		if got := c.as("Bearer "+none.str("access_token")).send(test.method, test.path, test.body); got.status != 403 || got.text != "" {
			t.Errorf("%s %s without scope: %d %s", test.method, test.path, got.status, got.text)
		}
		token := c.token(id, secret, url.Values{"grant_type": {"client_credentials"}, "scope": {test.scope + " made_up"}})
		if token.str("scope") != test.scope {
			t.Errorf("granted %q", token.str("scope"))
		}
		if got := c.as("Bearer "+token.str("access_token")).send(test.method, test.path, test.body); got.status != test.status {
			t.Errorf("%s %s with %s: %d %s", test.method, test.path, test.scope, got.status, got.text)
		}
		for _, auth := range []string{"", "Bearer nonsense", basic("admin", "wrong"), "Basic nonsense"} {
			if got := c.as(auth).send(test.method, test.path, test.body); got.status != 401 {
				t.Errorf("%s %s as %q: %d", test.method, test.path, auth, got.status)
			}
		}
	}
	all := c.token(id, secret, url.Values{"grant_type": {"client_credentials"}, "scope": {"SYSTEM"}})
	if n := len(strings.Fields(all.str("scope"))); n != 16 {
		t.Errorf("SYSTEM grants %d scopes: %s", n, all.str("scope"))
	}
	for _, path := range []string{"/api/health-check/v1.0/health", "/scim2/ServiceProviderConfig", "/services/Version", "/oauth2/jwks", "/oauth2/token/.well-known/openid-configuration"} {
		c.as("").want(200, "GET", path, nil)
		c.as("").want(200, "GET", "/t/carbon.super"+path, nil)
	}
	if got := c.want(200, "GET", "/services/Version", nil); !strings.Contains(got.text, "WSO2 Identity Server-7.1.0") {
		t.Error(got.text)
	}
}

// TestUserRights gives a user a role and sees what it opens, by Basic credentials and by token.
func TestUserRights(t *testing.T) {
	_, c := newClient(t, Options{})
	ann := c.user("ann", nil)
	as := c.as(basic("ann", "Pass@1234"))
	as.want(403, "GET", "/scim2/Users", nil)
	as.want(200, "GET", "/scim2/Me", nil)
	role := c.want(201, "POST", "/scim2/v2/Roles", doc{"displayName": "reader", "permissions": []any{doc{"value": "internal_user_mgt_list"}}}).str("id")
	id, secret := c.management("portal", []string{"password"}, map[string][]string{"/scim2/Users": {"internal_user_mgt_list", "internal_user_mgt_delete"}})
	form := url.Values{"grant_type": {"password"}, "username": {"ann"}, "password": {"Pass@1234"}, "scope": {"internal_user_mgt_list internal_user_mgt_delete openid"}}
	if got := c.token(id, secret, form); got.str("scope") != "openid" {
		t.Errorf("without the role: %s", got.text)
	}
	c.want(200, "PATCH", "/scim2/v2/Roles/"+role, patchBody(doc{"op": "add", "path": "users", "value": []any{doc{"value": ann}}}))
	as.want(200, "GET", "/scim2/Users", nil)
	as.want(403, "POST", "/scim2/Users", doc{"userName": "bob"})
	got := c.token(id, secret, form)
	if got.str("scope") != "internal_user_mgt_list openid" || got.str("id_token") == "" {
		t.Errorf("with the role: %s", got.text)
	}
	bearer := c.as("Bearer " + got.str("access_token"))
	bearer.want(200, "GET", "/scim2/Users", nil)
	if got := bearer.want(200, "GET", "/oauth2/userinfo", nil); got.str("sub") != ann {
		t.Error(got.text)
	}
	introspected := c.want(200, "POST", "/oauth2/introspect", url.Values{"token": {got.str("access_token")}})
	if introspected.str("username") != "ann@carbon.super" || introspected.str("aut") != "APPLICATION_USER" {
		t.Error(introspected.text)
	}
	c.want(200, "PATCH", "/scim2/Users/"+ann, patchBody(doc{"op": "replace", "path": wso2Schema + ":accountLocked", "value": true}))
	bearer.want(401, "GET", "/scim2/Users", nil)
	c.want(200, "PATCH", "/scim2/Users/"+ann, patchBody(doc{"op": "replace", "path": wso2Schema + ":accountLocked", "value": false}))
	bearer = c.as("Bearer " + c.token(id, secret, form).str("access_token"))
	bearer.want(200, "GET", "/scim2/Users", nil)
	as.want(403, "POST", "/oauth2/introspect", url.Values{"token": {"x"}})
	c.as("").want(401, "POST", "/oauth2/introspect", url.Values{"token": {"x"}})
	c.want(204, "DELETE", "/scim2/Users/"+ann, nil)
	bearer.want(401, "GET", "/scim2/Users", nil)
}

// TestRegistration holds what the recordings of client registration leave out (is-behaviour 6).
func TestRegistration(t *testing.T) {
	s, c := newClient(t, Options{})
	c.user("ann", nil)
	const register = "/api/identity/oauth2/dcr/v1.1/register"
	got := c.want(201, "POST", register, doc{
		"client_name": "web app", "grant_types": []string{"password", "refresh_token"}, "ext_application_owner": "ann", "ext_application_display_name": "Web",
		"ext_allowed_audience": "organization", "ext_pkce_mandatory": true, "ext_token_type": "JWT", "ext_refresh_token_lifetime": 60, "jwks_uri": "https://x/jwks",
	})
	if got.str("ext_application_owner") != "ann@carbon.super" || got.str("ext_application_display_name") != "Web" || got.str("ext_allowed_audience") != "organization" ||
		got.at("ext_pkce_mandatory") != true || got.at("ext_refresh_token_lifetime") != float64(60) || got.str("jwks_uri") != "https://x/jwks" {
		t.Error(got.text)
	}
	one := register + "/" + got.str("client_id")
	put := c.want(200, "PUT", one, doc{"client_name": "web app", "grant_types": []string{}, "redirect_uris": []string{"https://a/1", "https://a/2"}})
	if len(put.list("grant_types")) != 2 || put.at("ext_pkce_mandatory") != false || put.str("ext_token_type") != "JWT" || put.at("ext_refresh_token_lifetime") != float64(60) ||
		put.list("redirect_uris")[0] != "regexp=(https://a/1|https://a/2)" || put.str("client_secret") != got.str("client_secret") {
		t.Errorf("an update merges: %s", put.text)
	}
	list := c.want(200, "GET", "/api/server/v1/applications?filter="+url.QueryEscape("name eq web app")+"&attributes=clientId,advancedConfigurations", nil).list("applications")
	app := list[0].(doc)["id"].(string)
	if list[0].(doc)["clientId"] != got.str("client_id") {
		t.Errorf("applications: %v", list)
	}
	detail := c.want(200, "GET", "/api/server/v1/applications/"+app, nil)
	if detail.str("associatedRoles", "allowedAudience") != "ORGANIZATION" || !strings.Contains(detail.text, "isThirdPartyApp") {
		t.Error(detail.text)
	}
	if got := c.want(200, "GET", "/api/server/v1/applications/"+app+"/inbound-protocols/oidc", nil); got.str("clientSecret") == "" {
		t.Error(got.text)
	}
	rotated := c.want(200, "POST", "/api/server/v1/applications/"+app+"/inbound-protocols/oidc/regenerate-secret", doc{})
	if rotated.str("clientSecret") == put.str("client_secret") {
		t.Error("the secret stayed")
	}
	if c, err := s.OAuth().Client(got.str("client_id")); err != nil || c.Secret != rotated.str("clientSecret") {
		t.Errorf("%v %v", c, err)
	}
	c.want(204, "DELETE", "/api/server/v1/applications/"+app, nil)
	c.want(401, "GET", one, nil)
	c.want(400, "POST", register, doc{"client_name": "x", "ext_application_owner": "nobody"})
	c.want(400, "POST", register, "{")
	if _, err := s.OAuth().Client(got.str("client_id")); err != oauth.ErrNoClient {
		t.Errorf("the client outlives its application: %v", err)
	}
}

// TestAPIResources does what API Manager's connector does with its scopes.
func TestAPIResources(t *testing.T) {
	_, c := newClient(t, Options{SystemPrefix: true})
	const apis = "/api/server/v1/api-resources"
	got := c.want(201, "POST", apis, doc{"name": "User-defined OAuth2 Resource", "identifier": "User-defined-oauth2-resource", "requiresAuthorization": true, "scopes": []any{doc{"name": "pay", "displayName": "Pay"}}})
	one := apis + "/" + got.str("id")
	c.want(409, "POST", apis, doc{"name": "again", "identifier": "User-defined-oauth2-resource"})
	c.want(409, "POST", apis, doc{"name": "other", "identifier": "other", "scopes": []any{doc{"name": "pay"}}})
	c.want(400, "POST", apis, doc{"name": "other", "identifier": "other", "scopes": []any{doc{"name": "openid"}}})
	c.want(400, "POST", apis, doc{"name": "other", "identifier": "other", "scopes": []any{doc{"name": "internal_x"}}})
	c.want(204, "PATCH", one, doc{"addedScopes": []any{doc{"name": "refund"}}})
	c.want(501, "PATCH", one, doc{"removedScopes": []any{}})
	role := c.want(201, "POST", "/scim2/v2/Roles", doc{"displayName": "system_primary_clerk", "permissions": []any{doc{"value": "pay"}, doc{"value": "refund"}}}).str("id")
	read := c.want(200, "GET", "/scim2/v2/Roles/"+role, nil)
	if d := values(read.list("permissions"), "display"); d[0] != "Pay" || d[1] != "refund" {
		t.Errorf("permissions show the scopes' display names: %s", read.text)
	}
	c.want(204, "PATCH", one+"/scopes/refund", doc{"displayName": "Refund"})
	c.want(204, "PUT", one+"/scopes", []any{doc{"name": "refund"}, doc{"name": "void"}})
	if got := values(c.want(200, "GET", "/scim2/v2/Roles/"+role, nil).list("permissions"), "value"); len(got) != 1 || got[0] != "refund" {
		t.Errorf("permissions after a scope went: %v", got)
	}
	c.want(204, "DELETE", one+"/scopes/void", nil)
	c.want(204, "DELETE", one+"/scopes/void", nil)
	system := c.want(200, "GET", apis+"?filter="+url.QueryEscape("type eq TENANT")+"&limit=1", nil)
	c.want(403, "DELETE", apis+"/"+system.list("apiResources")[0].(doc)["id"].(string), nil)
	// Pages by cursor.
	seen := map[string]bool{}
	for next := apis; next != ""; {
		page := c.want(200, "GET", next, nil)
		if len(page.list("apiResources")) > 10 {
			t.Errorf("%d in a page", len(page.list("apiResources")))
		}
		for _, a := range page.list("apiResources") {
			seen[a.(doc)["identifier"].(string)] = true
		}
		next = ""
		for _, l := range page.list("links") {
			if l.(doc)["rel"] == "next" {
				next = l.(doc)["href"].(string)
			}
		}
	}
	if len(seen) != len(packAPIs)+1 {
		t.Errorf("%d API resources by pages", len(seen))
	}
	c.want(204, "DELETE", one, nil)
	c.want(204, "DELETE", one, nil)
	if got := c.want(200, "GET", "/scim2/v2/Roles/"+role, nil); len(got.list("permissions")) != 0 {
		t.Error(got.text)
	}
}

// TestOAuthScopes holds the older scopes API (is-behaviour 10).
func TestOAuthScopes(t *testing.T) {
	_, c := newClient(t, Options{})
	const scopes = "/api/identity/oauth2/v1.0/scopes"
	got := c.want(201, "POST", scopes, doc{"name": "pay", "displayName": "Pay", "bindings": []string{"clerk"}})
	if b := got.list("scopeBindings"); len(b) != 1 || b[0].(doc)["bindingType"] != "DEFAULT" || len(got.list("bindings")) != 1 {
		t.Error(got.text)
	}
	for _, test := range []struct {
		body   doc
		status int
		code   string
	}{
		{doc{"name": "pay", "displayName": "Pay"}, 409, "41007"}, {doc{"name": "openid", "displayName": "x"}, 409, "41007"}, {doc{"name": "a b", "displayName": "x"}, 400, "41006"},
		{doc{"displayName": "x"}, 400, "41001"}, {doc{"name": "x"}, 400, "41002"}, {doc{"name": "internal_x", "displayName": "x"}, 403, "41008"},
	} {
		if got := c.want(test.status, "POST", scopes, test.body); got.str("code") != test.code {
			t.Error(got.text)
		}
	}
	c.want(201, "POST", scopes, doc{"name": "void", "displayName": "Void"})
	one := scopes + "/name/pay"
	c.want(200, "PUT", one, doc{"displayName": "Pay now", "scopeBindings": []any{doc{"bindingType": "DEFAULT", "binding": []string{"boss"}}}})
	if got := c.want(200, "GET", one, nil); got.str("displayName") != "Pay now" || !strings.Contains(got.text, `"bindings":["boss"]`) {
		t.Error(got.text)
	}
	c.want(200, "HEAD", one, nil)
	c.want(404, "HEAD", scopes+"/name/none", nil)
	for query, want := range map[string]int{"": 2, "?startIndex=2&count=5": 1, "?count=1": 1, "?requestedScopes=void": 1, "?includeOIDCScopes=true": 2 + len(oidcScopes)} {
		if got := c.want(200, "GET", scopes+query, nil); strings.Count(got.text, `"displayName"`) != want {
			t.Errorf("%s: %s", query, got.text)
		}
	}
	c.want(204, "DELETE", one, nil)
	c.want(404, "DELETE", one, nil)
	c.want(404, "PUT", one, doc{"displayName": "x"})
}
