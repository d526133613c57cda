package is

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const appsPath = "/api/server/v1/applications"

func (r reply) location() string {
	l := r.header.Get("Location")
	return l[strings.LastIndexByte(l, '/')+1:]
}

// TestApplicationParts holds what is merged, what is replaced and what is filled in (is-behaviour 7).
func TestApplicationParts(t *testing.T) {
	_, c := newClient(t, Options{})
	created := c.want(201, "POST", appsPath, doc{"name": "Shop", "logoutReturnUrl": "https://shop/out", "applicationVersion": "v9.0.0", "templateId": "custom", "imageUrl": "https://shop/logo",
		"advancedConfigurations": doc{"saas": true}})
	if created.text != "" {
		t.Errorf("a creation is answered without a body, not %s", created.text)
	}
	one := appsPath + "/" + created.location()
	read := func() reply { t.Helper(); return c.want(200, "GET", one, nil) }
	patch := func(body doc) { t.Helper(); c.want(200, "PATCH", one, body) }
	got := read()
	if got.str("logoutReturnUrl") != "" || got.str("applicationVersion") != "v2.0.0" || got.str("templateId") != "custom" {
		t.Errorf("POST ignores logoutReturnUrl and applicationVersion: %s", got.text)
	}
	patch(doc{"logoutReturnUrl": "https://shop/out", "applicationVersion": "v3.0.0", "isManagementApp": true, "imageUrl": nil, "description": ""})
	if got := read(); got.str("logoutReturnUrl") != "https://shop/out" || got.at("isManagementApp") != false || got.str("imageUrl") != "https://shop/logo" || got.str("applicationVersion") != "v3.0.0" {
		t.Error(got.text)
	}
	patch(doc{"imageUrl": ""})
	if got := read(); got.at("imageUrl") != "" {
		t.Error(got.text)
	}

	// Advanced settings.
	patch(doc{"advancedConfigurations": doc{"skipLoginConsent": true, "fragment": true, "trustedAppConfiguration": doc{"isFIDOTrustedApp": true, "androidPackageName": "a"},
		"attestationMetaData": doc{"enableClientAttestation": true, "appleAppId": "x", "androidAttestationServiceCredentials": doc{"key": "secret"}}}})
	patch(doc{"advancedConfigurations": doc{"skipLogoutConsent": true, "trustedAppConfiguration": doc{"appleAppId": "b"}}})
	advanced, _ := read().at("advancedConfigurations").(doc)
	if advanced["saas"] != true || advanced["skipLoginConsent"] != true || advanced["skipLogoutConsent"] != true || advanced["fragment"] != false {
		t.Errorf("flags are merged: %v", advanced)
	}
	if d := cmp.Diff(doc{"appleAppId": "b"}, advanced["trustedAppConfiguration"]); d != "" {
		t.Errorf("trustedAppConfiguration is replaced: %s", d)
	}
	if d := cmp.Diff(doc{"enableClientAttestation": true, "appleAppId": "x"}, advanced["attestationMetaData"]); d != "" {
		t.Errorf("the credentials are not shown: %s", d)
	}
	c.want(400, "PATCH", one, doc{"advancedConfigurations": doc{"discoverableByEndUsers": true}})
	patch(doc{"accessUrl": "https://shop", "advancedConfigurations": doc{"discoverableByEndUsers": true}})
	c.want(400, "PATCH", one, doc{"accessUrl": ""})
	if got := c.want(400, "PATCH", one, doc{"advancedConfigurations": doc{"additionalSpProperties": []any{doc{"name": "a", "value": "b"}}}}); got.str("code") != "APP-60506" {
		t.Error(got.text)
	}
	c.want(400, "PATCH", one, doc{"advancedConfigurations": doc{"certificate": doc{"type": "PEM", "value": "nonsense"}}})
	patch(doc{"advancedConfigurations": doc{"certificate": doc{"type": "JWKS", "value": "https://shop/jwks"}}})
	patch(doc{"advancedConfigurations": doc{"certificate": nil}})
	if got := read(); got.str("advancedConfigurations", "certificate", "value") != "https://shop/jwks" {
		t.Errorf("null removes no certificate: %s", got.text)
	}
	patch(doc{"advancedConfigurations": doc{"certificate": doc{"type": "PEM", "value": ""}}})
	if got := read(); got.at("advancedConfigurations", "certificate") != nil {
		t.Error(got.text)
	}

	// Claims.
	patch(doc{"claimConfiguration": doc{"dialect": "LOCAL", "requestedClaims": []any{doc{"claim": doc{"uri": "http://wso2.org/claims/emailaddress"}, "mandatory": true}},
		"subject": doc{"claim": doc{"uri": "http://wso2.org/claims/username"}, "includeUserDomain": true}, "role": doc{"mappings": []any{doc{"localRole": "admin", "applicationRole": "boss"}}}}})
	patch(doc{"claimConfiguration": doc{"subject": doc{"includeTenantDomain": true}, "requestedClaims": []any{doc{"claim": doc{"uri": "http://wso2.org/claims/emailaddress"}}}}})
	got = read()
	if got.str("claimConfiguration", "subject", "claim", "uri") != "http://wso2.org/claims/username" || got.at("claimConfiguration", "subject", "includeUserDomain") != true {
		t.Errorf("the subject is merged: %s", got.text)
	}
	claims, _ := got.at("claimConfiguration").(doc)
	if len(claims["claimMappings"].([]any)) != 1 || len(claims["requestedClaims"].([]any)) != 1 || len(got.at("claimConfiguration", "role").(doc)["mappings"].([]any)) != 1 {
		t.Errorf("local claims are listed twice, roles stay: %v", claims)
	}
	two := []any{doc{"applicationClaim": "mail", "localClaim": doc{"uri": "http://wso2.org/claims/emailaddress"}}, doc{"applicationClaim": "name", "localClaim": doc{"uri": "http://wso2.org/claims/username"}}}
	patch(doc{"claimConfiguration": doc{"dialect": "CUSTOM", "claimMappings": two, "requestedClaims": []any{doc{"claim": doc{"uri": "mail"}}, doc{"claim": doc{"uri": "none"}}}}})
	if claims, _ := read().at("claimConfiguration").(doc); len(claims["claimMappings"].([]any)) != 2 || len(claims["requestedClaims"].([]any)) != 1 || claims["dialect"] != "CUSTOM" {
		t.Errorf("%v", claims)
	}
	c.want(500, "PATCH", one, doc{"claimConfiguration": doc{"dialect": "CUSTOM", "claimMappings": []any{two[0], two[0]}}})
	c.want(400, "PATCH", one, doc{"claimConfiguration": doc{"role": doc{"claim": doc{"uri": "http://wso2.org/claims/role"}}}})
	c.want(400, "PATCH", one, doc{"claimConfiguration": doc{"subject": doc{"mappedLocalSubjectMandatory": true, "useMappedLocalSubject": false}}})

	// The authentication sequence.
	step := func(id int, name string) doc {
		return doc{"id": id, "options": []any{doc{"idp": "LOCAL", "authenticator": name}}}
	}
	for _, bad := range []doc{{"type": "USER_DEFINED"}, {"type": "USER_DEFINED", "steps": []any{step(2, "totp")}}, {"type": "USER_DEFINED", "steps": []any{step(1, "none")}},
		{"type": "USER_DEFINED", "steps": []any{doc{"id": 1, "options": []any{}}}}, {"type": "USER_DEFINED", "steps": []any{doc{"id": 1, "options": []any{doc{"idp": "Google", "authenticator": "x"}}}}}} {
		c.want(400, "PATCH", one, doc{"authenticationSequence": bad})
	}
	patch(doc{"authenticationSequence": doc{"type": "USER_DEFINED", "script": "var x;", "subjectStepId": 2, "steps": []any{step(2, "totp"), step(1, "BasicAuthenticator")}}})
	patch(doc{"authenticationSequence": doc{"type": "USER_DEFINED", "script": " ", "steps": []any{step(1, "BasicAuthenticator")}}})
	if q, _ := read().at("authenticationSequence").(doc); q["script"] != "var x;" || len(q["steps"].([]any)) != 1 || q["subjectStepId"] != float64(1) {
		t.Errorf("a blank script keeps the old one: %v", q)
	}
	patch(doc{"authenticationSequence": doc{"type": "DEFAULT"}})
	if q, _ := read().at("authenticationSequence").(doc); q["script"] != nil || q["type"] != "DEFAULT" || len(q["steps"].([]any)) != 1 {
		t.Errorf("the default sequence is shown with its steps: %v", q)
	}

	// Provisioning, system applications, names.
	if got := c.want(400, "PATCH", one, doc{"provisioningConfigurations": doc{"outboundProvisioningIdps": []any{}}}); got.str("code") != "APP-60514" {
		t.Error(got.text)
	}
	patch(doc{"provisioningConfigurations": doc{"inboundProvisioning": doc{"proxyMode": true}}})
	if got := read(); got.at("provisioningConfigurations", "inboundProvisioning", "proxyMode") != true || got.str("provisioningConfigurations", "inboundProvisioning", "provisioningUserstoreDomain") != "PRIMARY" {
		t.Error(got.text)
	}
	list := c.want(200, "GET", appsPath+"?filter=name+eq+Console", nil).list("applications")
	console := appsPath + "/" + list[0].(doc)["id"].(string)
	c.want(403, "PATCH", console, doc{"description": "mine"})
	c.want(403, "DELETE", console, nil)
	c.want(200, "PATCH", console, doc{"authenticationSequence": doc{"type": "USER_DEFINED", "steps": []any{step(1, "BasicAuthenticator"), step(2, "totp")}}})
	if got := c.want(400, "PATCH", one, doc{"name": "Console"}); got.str("code") != "APP-60516" {
		t.Error(got.text)
	}
	c.want(400, "PATCH", one, doc{"name": "two  spaces"})
	if got := read(); got.str("name") != "Shop" {
		t.Error(got.text)
	}
}

// TestApplicationClient holds the OpenID Connect settings: replaced as a whole, never merged.
func TestApplicationClient(t *testing.T) {
	s, c := newClient(t, Options{})
	app := c.want(201, "POST", appsPath, doc{"name": "Shop", "inboundProtocolConfiguration": doc{"oidc": doc{"clientSecret": "ignored",
		"grantTypes": []string{"client_credentials"}, "allowedOrigins": []string{"https://shop.example"}}}}).location()
	oidc := appsPath + "/" + app + "/inbound-protocols/oidc"
	read := func() reply { t.Helper(); return c.want(200, "GET", oidc, nil) }
	first := read()
	if first.str("clientSecret") == "ignored" || first.str("clientId") == "" || first.at("accessToken", "userAccessTokenExpiryInSeconds") != float64(3600) ||
		first.str("accessToken", "type") != "Default" || first.at("refreshToken", "expiryInSeconds") != float64(86400) || first.str("state") != "ACTIVE" {
		t.Errorf("a secret without an id is ignored, lifetimes have defaults: %s", first.text)
	}
	body := doc{"clientId": first.str("clientId"), "clientSecret": first.str("clientSecret"), "grantTypes": []string{"authorization_code"},
		"callbackURLs": []string{"regexp=(https://a|https://b)"}, "pkce": doc{"mandatory": true}, "logout": doc{"backChannelLogoutUrl": "https://a/out"},
		"idToken": doc{"audience": []string{"x"}, "encryption": doc{"enabled": true, "algorithm": "RSA-OAEP", "method": "A128GCM"}}}
	if got := c.want(200, "PUT", oidc, body); got.text != "" {
		t.Errorf("a PUT is answered without a body, not %s", got.text)
	}
	got := read()
	if got.at("pkce", "mandatory") != true || len(got.list("allowedOrigins")) != 0 || got.str("idToken", "encryption", "method") != "A128GCM" || got.str("logout", "backChannelLogoutUrl") == "" {
		t.Error(got.text)
	}
	delete(body, "pkce")
	delete(body, "logout")
	c.want(200, "PUT", oidc, body)
	if got := read(); got.at("pkce", "mandatory") != false || got.str("logout", "backChannelLogoutUrl") != "" {
		t.Errorf("what a PUT leaves out is reset: %s", got.text)
	}
	for name, bad := range map[string]any{
		"clientId": "other", "clientSecret": "other", "callbackURLs": []string{}, "grantTypes": []string{"nonsense"}, "allowedOrigins": []string{"shop/x"},
		"idToken": doc{"idTokenSignedResponseAlg": "none"}, "subject": doc{"subjectType": "x"}, "scopeValidators": []string{"x"}, "accessToken": doc{"type": "x"},
	} {
		changed := doc{}
		for k, v := range body {
			changed[k] = v
		}
		changed[name] = bad
		got := c.want(400, "PUT", oidc, changed)
		if (name == "clientId" || name == "clientSecret") && got.str("code") != "" {
			t.Errorf("%s: the inbound handler gives no code: %s", name, got.text)
		}
	}
	body["callbackURLs"] = []string{"https://a", "https://b"}
	c.want(501, "PUT", oidc, body)
	c.want(200, "GET", oidc, nil)

	other := doc{"name": "Other", "inboundProtocolConfiguration": doc{"oidc": doc{"clientId": first.str("clientId"), "grantTypes": []string{"password"}}}}
	if got := c.want(409, "POST", appsPath, other); got.str("code") != "OAUTH-60008" {
		t.Error(got.text)
	}
	if got := c.want(200, "GET", appsPath+"?filter=name+eq+Other", nil); got.at("totalResults") != float64(0) {
		t.Errorf("a failed creation is taken back: %s", got.text)
	}
	rotated := c.want(200, "POST", oidc+"/regenerate-secret", nil)
	if rotated.str("clientSecret") == first.str("clientSecret") || rotated.str("clientId") != first.str("clientId") {
		t.Error(rotated.text)
	}
	c.want(204, "DELETE", oidc, nil)
	c.want(204, "DELETE", oidc, nil)
	if got := c.want(404, "GET", oidc, nil); got.str("code") != "APP-60502" {
		t.Error(got.text)
	}
	c.want(404, "POST", oidc+"/regenerate-secret", nil)
	c.want(200, "PUT", oidc, doc{"clientId": "my_own_client", "clientSecret": "my own secret", "grantTypes": []string{"client_credentials"}})
	if got := read(); got.str("clientSecret") != "my own secret" {
		t.Error(got.text)
	}
	if _, err := s.OAuth().Client(first.str("clientId")); err == nil {
		t.Error("the old client is still there")
	}
	got = c.want(200, "GET", appsPath+"/"+app, nil)
	if got.str("clientId") != "my_own_client" || len(got.list("inboundProtocols")) != 1 {
		t.Error(got.text)
	}
}

// TestAssociatedRoles links roles with an application, in two steps when its audience changes.
func TestAssociatedRoles(t *testing.T) {
	_, c := newClient(t, Options{})
	app := c.want(201, "POST", appsPath, doc{"name": "Shop"}).location()
	one := appsPath + "/" + app
	role := doc{"displayName": "clerk", "audience": doc{"type": "application", "value": app}}
	if got := c.want(400, "POST", "/scim2/v2/Roles", role); !strings.Contains(got.text, "does not have Application role audience type") {
		t.Error(got.text)
	}
	set := func(status int, audience string, roles ...string) {
		t.Helper()
		links := []any{}
		for _, id := range roles {
			links = append(links, doc{"id": id})
		}
		c.want(status, "PATCH", one, doc{"associatedRoles": doc{"allowedAudience": audience, "roles": links}})
	}
	organization := c.want(201, "POST", "/scim2/v2/Roles", doc{"displayName": "clerk"}).str("id")
	set(400, "APPLICATION", organization)
	set(200, "APPLICATION")
	clerk := c.want(201, "POST", "/scim2/v2/Roles", role).str("id")
	set(400, "APPLICATION", organization)
	set(400, "APPLICATION", "none")
	set(200, "APPLICATION", clerk)
	if got := c.want(200, "GET", one, nil); len(got.at("associatedRoles", "roles").([]any)) != 1 {
		t.Error(got.text)
	}
	set(200, "ORGANIZATION")
	if got := c.want(200, "GET", one, nil); len(got.at("associatedRoles", "roles").([]any)) != 0 {
		t.Error(got.text)
	}
	c.want(http.StatusNotFound, "GET", "/scim2/v2/Roles/"+clerk, nil)
	c.want(200, "GET", "/scim2/v2/Roles/"+organization, nil)
}
