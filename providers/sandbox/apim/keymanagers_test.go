package apim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestConnectorSettings(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	masks := map[string]string{}
	for _, k := range c.get(200, "/api/am/admin/v4/settings").any["keyManagerConfiguration"].([]any) {
		kind := k.(map[string]any)
		var masked []string
		for _, s := range kind["configurations"].([]any) {
			if setting := s.(map[string]any); setting["mask"] == true {
				masked = append(masked, setting["name"].(string))
			}
		}
		masks[kind["type"].(string)] = strings.Join(masked, " ")
	}
	want := map[string]string{"WSO2-IS": "Password", "WSO2-IS-7": "Password", "KeyCloak": "client_secret", "Okta": "apiKey client_secret",
		"Auth0": "client_secret", "PingFederate": "password client_secret", "Forgerock": "client_secret"}
	for kind, masked := range want {
		if masks[kind] != masked {
			t.Errorf("%s masks %q, want %q", kind, masks[kind], masked)
		}
	}
	for _, missing := range []string{"tokenEndpoint", "revokeEndpoint", "introspectionEndpoint", "clientRegistrationEndpoint"} {
		body := is.is7("IS7", "pw")
		delete(body, missing)
		if got := c.post(400, kms, body); got.number("code") != 901401 {
			t.Errorf("without %s: %s", missing, got.raw)
		}
	}
	for _, missing := range []string{"Username", "Password", "api_resource_management_endpoint", "is7_roles_endpoint"} {
		body := is.is7("IS7", "pw")
		delete(body["additionalProperties"].(map[string]any), missing)
		if got := c.post(400, kms, body); got.number("code") != 901401 {
			t.Errorf("without %s: %s", missing, got.raw)
		}
	}
}

func TestMask(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	password := func(b body) string { return b.text("additionalProperties", "Password") }
	sent := is.is7("IS7", "pw")
	made := c.post(201, kms, sent)
	at := kms + "/" + made.text("id")
	if password(made) != "pw" || password(c.get(200, at)) != "*****" {
		t.Errorf("made with %q, read %q", password(made), password(c.get(200, at)))
	}
	sent["additionalProperties"].(map[string]any)["Password"] = "*****"
	if got := password(c.put(200, at, sent)); got != "pw" {
		t.Errorf("stars replaced the password by %q", got)
	}
	c.post(200, application(c, "Shop")+"/generate-keys", generate("IS7", "PRODUCTION"))
	sent["additionalProperties"].(map[string]any)["Password"] = "new"
	if got := password(c.put(200, at, sent)); got != "new" {
		t.Errorf("the new password is %q", got)
	}
}

func TestResidentKeyManager(t *testing.T) {
	o := options()
	o.PublicURL = "https://wso2am:9443/"
	c := start(t, o, nil)
	resident := c.get(200, kms).list()[0]
	at := kms + "/" + resident.text("id")
	got := c.get(200, at)
	if got.text("tokenEndpoint") != "https://wso2am:9443/oauth2/token" || got.text("type") != "default" || got.text("certificates", "value") != "https://wso2am:9443/oauth2/jwks" {
		t.Errorf("resident: %s", got.raw)
	}
	c.delete(412, at)
	var doc map[string]any
	if err := json.Unmarshal([]byte(got.raw), &doc); err != nil {
		t.Fatal(err)
	}
	doc["enabled"], doc["tokenEndpoint"], doc["description"] = false, "https://elsewhere.example.com", "off"
	c.put(200, at, doc)
	got = c.get(200, at)
	if got.at("enabled") != false || got.text("description") != "off" || got.text("tokenEndpoint") != "https://wso2am:9443/oauth2/token" {
		t.Errorf("changed: %s", got.raw)
	}
	if got := c.post(400, application(c, "Shop")+"/generate-keys", generate("", "PRODUCTION")); got.number("code") != 901403 {
		t.Errorf("keys of a disabled key manager: %s", got.raw)
	}
}

func TestKeyManagerNormalForm(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	body := is.is7("IS7", "pw")
	body["tokenEndpoint"], body["revokeEndpoint"], body["userInfoEndpoint"] = "  https://is.example.com/token ", " ", ""
	body["displayTokenEndpoint"], body["certificates"] = " ", map[string]any{"type": "JWKS"}
	body["additionalProperties"].(map[string]any)["self_validate_jwt"] = false
	body["availableGrantTypes"] = nil
	got := c.post(201, kms, body)
	if got.text("tokenEndpoint") != "https://is.example.com/token" || got.at("revokeEndpoint") != "" || got.at("userInfoEndpoint") != nil ||
		got.at("displayTokenEndpoint") != nil || got.at("certificates") != nil || got.at("additionalProperties", "certificate_type") != "JWKS" || got.at("additionalProperties", "self_validate_jwt") != true ||
		got.text("consumerKeyClaim") != "azp" || got.text("permissions", "permissionType") != "PUBLIC" {
		t.Errorf("normal form: %s", got.raw)
	}
	if list, ok := got.at("availableGrantTypes").([]any); !ok || len(list) != 0 {
		t.Errorf("grant types: %v", got.at("availableGrantTypes"))
	}
	for name, change := range map[string]map[string]any{
		"description": {"description": strings.Repeat("x", 257)},
		"name":        {"name": ""},
		"displayName": {"displayName": strings.Repeat("x", 101)},
	} {
		sent := is.is7("IS7b", "pw")
		for k, v := range change {
			sent[k] = v
		}
		refused := c.post(400, kms, sent)
		if !strings.Contains(refused.raw, `"400_`+name+`"`) {
			t.Errorf("%s: %s", name, refused.raw)
		}
	}
	for _, sent := range []string{`{"name":"x","type":"WSO2-IS-7","enabled":[]}`, `{"name":{},"type":"x"}`, `[]`, `{"name":"x","type":"y","claimMapping":{}}`} {
		if got := c.post(400, kms, sent); got.text("description") != "One or more request body parameters contain disallowed values." {
			t.Errorf("%s: %s", sent, got.raw)
		}
	}
	if got := c.post(400, kms, `{"Name":"x"}`); got.text("description") != "Unrecognized property 'Name'" {
		t.Errorf("names compare with case: %s", got.raw)
	}
	if got := c.post(400, kms, `{"name":"x"} trailing`); got.text("description") != "Malformed request body." {
		t.Errorf("trailing text: %s", got.raw)
	}
}

func TestDiscover(t *testing.T) {
	is := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"issuer":"https://is/oauth2/token","token_endpoint":"https://is/oauth2/token","jwks_uri":"https://is/jwks",
			"userinfo_endpoint":"https://is/oauth2/userinfo","grant_types_supported":["password"],"registration_endpoint":"https://is/dcr"}`))
	}))
	defer is.Close()
	c := start(t, options(), nil)
	ask := func(status int, url string) body {
		return c.post(status, kms+"/discover", formBody{texts: map[string]string{"url": url, "type": "WSO2-IS-7"}})
	}
	found := ask(200, is.URL)
	if found.at("valid") != true || found.text("value", "issuer") != "https://is/oauth2/token" || found.text("value", "type") != "WSO2-IS-7" ||
		found.text("value", "userInfoEndpoint") != "https://is/oauth2/userinfo" || found.text("value", "certificates", "type") != "JWKS" {
		t.Errorf("found %v", found.any)
	}
	if found := ask(200, ""); found.at("valid") != false {
		t.Errorf("no address: %v", found.any)
	}
	ask(500, "http://127.0.0.1:1")
	if got := c.get(200, kms).number("count"); got != 1 {
		t.Errorf("discovery stored something: %v key managers", got)
	}
}

func TestGlobalKeyManagers(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	const global = "/api/am/admin/v4/global-key-managers"
	made := c.post(201, global, is.is7("Everyone's", "pw"))
	id := made.text("id")
	if made.at("global") != true || c.get(200, global).number("count") != 1 {
		t.Errorf("made: %s", made.raw)
	}
	c.put(404, kms+"/"+id, is.is7("Everyone's", "pw"))
	c.user = "admin@acme.com"
	c.get(403, global)
	c.post(403, global, is.is7("Mine", "pw"))
	if got := c.get(200, kms+"/"+id); got.text("additionalProperties", "Password") != "*****" {
		t.Errorf("in a tenant: %s", got.raw)
	}
	c.delete(200, kms+"/"+id) // and nothing is deleted
	app := application(c, "Shop")
	c.post(200, app+"/generate-keys", generate("Everyone's", "PRODUCTION"))
	c.user = "admin"
	c.delete(412, global+"/"+id) // used in another tenant
	c.user = "admin@acme.com"
	c.delete(200, app)
	c.user = "admin"
	c.delete(200, global+"/"+id)
}

// Of a key manager that is sent with another name and with a role that does not exist, the role is
// refused first.
func TestKeyManagerRoleBeforeName(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	doc := is.is7("Own", "pw")
	at := kms + "/" + c.post(201, kms, doc).text("id")
	doc["name"] = "Other"
	c.put(400, at, doc)
	doc["permissions"] = map[string]any{"permissionType": "ALLOW", "roles": []string{"nobody"}}
	if got := c.put(404, at, doc); got.number("code") != 900607 {
		t.Errorf("refused with %s", got.raw)
	}
}
