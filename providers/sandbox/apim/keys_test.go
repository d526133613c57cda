package apim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"wso2plan/providers/sandbox/apim"
)

const (
	kms  = "/api/am/admin/v4/key-managers"
	apps = "/api/am/devportal/v3/applications"
)

// identity is an identity server's client registration and token endpoint, as IS 7 serves them:
// clients in memory, Basic admin:pw.
type identity struct {
	*httptest.Server
	mu      sync.Mutex
	clients map[string]map[string]any
	paths   []string
	down    bool
}

func newIdentity(t *testing.T) *identity {
	s := &identity{clients: map[string]map[string]any{}}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *identity) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths = append(s.paths, r.Method+" "+r.URL.Path)
	write := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	user, password, _ := r.BasicAuth()
	if r.URL.Path == "/oauth2/token" {
		if c := s.clients[user]; c == nil || c["client_secret"] != password {
			write(401, map[string]any{"error": "invalid_client"})
			return
		}
		write(200, map[string]any{"access_token": "token of " + user, "scope": r.FormValue("scope"), "expires_in": 600})
		return
	}
	id, ok := strings.CutPrefix(r.URL.Path, "/dcr/register")
	id = strings.Trim(id, "/")
	switch {
	case s.down:
		write(503, map[string]any{"error": "down"})
	case !ok:
		write(404, map[string]any{})
	case user != "admin" || password != "pw":
		write(401, map[string]any{"error": "invalid_token"})
	case r.Method == http.MethodPost:
		var c map[string]any
		_ = json.NewDecoder(r.Body).Decode(&c)
		id = fmt.Sprintf("client-%d", len(s.paths))
		c["client_id"], c["client_secret"] = id, "secret-of-"+id
		s.clients[id] = c
		write(201, c)
	case s.clients[id] == nil:
		write(401, map[string]any{"error": "invalid_client_metadata"}) // an unknown client is 401 there
	case r.Method == http.MethodPut:
		var c map[string]any
		_ = json.NewDecoder(r.Body).Decode(&c)
		c["client_id"], c["client_secret"] = id, s.clients[id]["client_secret"]
		s.clients[id] = c
		write(200, c)
	case r.Method == http.MethodDelete:
		delete(s.clients, id)
		w.WriteHeader(204)
	default:
		write(200, s.clients[id])
	}
}

func (s *identity) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients)
}

func (s *identity) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, c := range s.clients {
		out = append(out, fmt.Sprint(c["client_name"]))
	}
	return out
}

// is7 is a key manager of an identity server.
func (s *identity) is7(name, password string) map[string]any {
	return map[string]any{"name": name, "type": "WSO2-IS-7", "enabled": true, "enableTokenGeneration": true, "enableOAuthAppCreation": true,
		"enableMapOAuthConsumerApps": true, "tokenEndpoint": s.URL + "/oauth2/token", "revokeEndpoint": s.URL + "/oauth2/revoke",
		"introspectionEndpoint": s.URL + "/oauth2/introspect", "clientRegistrationEndpoint": s.URL + "/dcr/register",
		"issuer": s.URL + "/oauth2/token", "additionalProperties": map[string]any{"Username": "admin", "Password": password,
			"api_resource_management_endpoint": s.URL + "/api/server/v1/api-resources", "is7_roles_endpoint": s.URL + "/scim2/v2/Roles"}}
}

// start serves an API Manager that trusts the identity server.
func start(t *testing.T, o apim.Options, is *identity) client {
	t.Helper()
	if is != nil {
		o.HTTP = is.Client()
	}
	s := httptest.NewServer(apim.New(o))
	t.Cleanup(s.Close)
	return client{t: t, base: s.URL, user: "admin"}
}

func application(c client, name string) string {
	c.t.Helper()
	return apps + "/" + c.post(201, apps, map[string]any{"name": name, "throttlingPolicy": "Unlimited"}).text("applicationId")
}

func generate(km, keyType string) map[string]any {
	return map[string]any{"keyType": keyType, "keyManager": km, "grantTypesToBeSupported": []string{"client_credentials", "password"}, "scopes": []string{"default"}}
}

func TestKeysOfIS7(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	km := c.post(201, kms, is.is7("IS7", "pw")).text("id")
	app := application(c, "Shop")
	body := generate(km, "PRODUCTION")
	body["callbackUrl"] = "https://a.example.com,https://b.example.com"
	body["additionalProperties"] = map[string]any{"ext_application_token_lifetime": "900", "ext_pkce_mandatory": "true", "ext_id_token_lifetime": "N/A"}
	made := c.post(200, app+"/generate-keys", body)
	if got := made.text("keyManager"); got != km {
		t.Errorf("the answer names the key manager %q, not as it was sent", got)
	}
	id := made.text("consumerKey")
	if made.text("consumerSecret") != "secret-of-"+id || made.text("keyState") != "APPROVED" || made.text("token", "accessToken") != "token of "+id {
		t.Errorf("made: %s", made.raw)
	}
	want := "admin_" + strings.TrimPrefix(app, apps+"/") + "_PRODUCTION"
	if got := is.names(); len(got) != 1 || got[0] != want {
		t.Errorf("clients %v, want %s", got, want)
	}
	is.mu.Lock()
	sent := is.clients[id]
	is.mu.Unlock()
	if fmt.Sprint(sent["redirect_uris"]) != "[https://a.example.com https://b.example.com]" || sent["ext_application_token_lifetime"] != 900.0 ||
		sent["ext_pkce_mandatory"] != true || sent["ext_id_token_lifetime"] != nil || sent["ext_application_owner"] != "admin" {
		t.Errorf("registered: %v", sent)
	}
	item := app + "/oauth-keys/" + made.text("keyMappingId")
	read := c.get(200, item)
	if read.text("keyState") != "COMPLETED" || read.text("consumerSecret") != "secret-of-"+id || read.text("callbackUrl") != "https://a.example.com,https://b.example.com" ||
		read.at("token", "accessToken") != nil || read.number("additionalProperties", "ext_application_token_lifetime") != 900 {
		t.Errorf("read: %s", read.raw)
	}
	changed := c.put(200, item, map[string]any{"supportedGrantTypes": []string{"password"}, "callbackUrl": "https://c.example.com"})
	if changed.text("callbackUrl") != "https://c.example.com" || c.get(200, item).text("callbackUrl") != "https://c.example.com" {
		t.Errorf("changed: %s", changed.raw)
	}
	// The connector of 4.5 does not regenerate.
	if got := c.post(200, item+"/regenerate-secret", nil); got.at("consumerSecret") != nil || got.text("consumerKey") != id {
		t.Errorf("regenerated: %s", got.raw)
	}
	if got := c.post(200, item+"/generate-token", map[string]any{"scopes": []string{"a", "b"}, "validityPeriod": 60}); got.text("accessToken") != "token of "+id || got.number("validityTime") != 600 {
		t.Errorf("token: %s", got.raw)
	}
	if got := c.get(200, kms+"/"+km+"/app-usages"); got.number("applicationCount") != 1 {
		t.Errorf("usages: %s", got.raw)
	}
	c.delete(412, kms+"/"+km)
	is.mu.Lock()
	is.down = true
	is.mu.Unlock()
	if got := c.delete(412, item); got.number("code") != 902014 {
		t.Errorf("delete while the identity server is down: %s", got.raw)
	}
	if got := c.get(200, item); got.at("consumerSecret") != nil || got.text("consumerKey") != id {
		t.Errorf("read while the identity server is down: %s", got.raw)
	}
	is.mu.Lock()
	is.down = false
	is.mu.Unlock()
	c.delete(200, item)
	if is.count() != 0 {
		t.Errorf("%d clients are left", is.count())
	}
	c.get(500, item)
	c.delete(404, item)
	c.delete(200, kms+"/"+km)
}

func TestStuckMapping(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	km := c.post(201, kms, is.is7("Wrong", "not the password")).text("id")
	app := application(c, "Shop")
	body := generate("Wrong", "SANDBOX")
	if got := c.post(400, app+"/generate-keys", body); got.number("code") != 902003 || !strings.Contains(got.text("description"), "401") {
		t.Errorf("wrong password: %s", got.raw)
	}
	if got := c.post(409, app+"/generate-keys", body); got.number("code") != 901409 {
		t.Errorf("again: %s", got.raw)
	}
	keys := c.get(200, app+"/oauth-keys").list()
	if len(keys) != 1 || keys[0].at("consumerKey") != nil || keys[0].text("keyManager") != "Wrong" || keys[0].text("keyState") != "APPROVED" ||
		keys[0].at("supportedGrantTypes") != nil {
		t.Fatalf("the half-made mapping: %v", keys)
	}
	right := is.is7("Wrong", "pw")
	c.put(200, kms+"/"+km, right)
	c.post(409, app+"/generate-keys", body)
	c.post(200, app+"/oauth-keys/"+keys[0].text("keyMappingId")+"/clean-up", nil)
	c.post(200, app+"/generate-keys", body)

	is.mu.Lock()
	is.down = true
	is.mu.Unlock()
	if got := c.post(500, app+"/generate-keys", generate("Wrong", "PRODUCTION")); got.number("code") != 902004 {
		t.Errorf("backend down: %s", got.raw)
	}
	right["clientRegistrationEndpoint"] = "https://127.0.0.1:1/register"
	c.put(200, kms+"/"+km, right)
	other := application(c, "Other")
	if got := c.post(500, other+"/generate-keys", body); got.number("code") != 900967 {
		t.Errorf("nobody listens: %s", got.raw)
	}
	c.delete(200, other) // takes the half-made row along
	c.put(200, kms+"/"+km, is.is7("Wrong", "pw"))
	c.delete(200, app) // whose client a key manager that refuses keeps
	c.delete(200, kms+"/"+km)
}

func TestKeyManagerIsLoadedLater(t *testing.T) {
	is := newIdentity(t)
	o := options()
	o.KeyManagerDelay = 200 * time.Millisecond
	c := start(t, o, is)
	km := c.post(201, kms, is.is7("IS7", "pw")).text("id")
	listed := func() bool {
		for _, k := range c.get(200, "/api/am/devportal/v3/key-managers").list() {
			if k.text("id") == km {
				return true
			}
		}
		return false
	}
	if listed() {
		t.Fatal("the devportal lists the key manager at once")
	}
	app := application(c, "Shop")
	if got := c.post(500, app+"/generate-keys", generate("IS7", "PRODUCTION")); got.number("code") != 900967 {
		t.Errorf("before it is loaded: %s", got.raw)
	}
	c.post(409, app+"/generate-keys", generate("IS7", "PRODUCTION"))
	deadline := time.Now().Add(10 * time.Second)
	for !listed() {
		if time.Now().After(deadline) {
			t.Fatal("never loaded")
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.post(200, app+"/generate-keys", generate("IS7", "SANDBOX"))
}

func TestMapKeys(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	body := is.is7("IS7", "pw")
	km := c.post(201, kms, body).text("id")
	is.mu.Lock()
	is.clients["mine"] = map[string]any{"client_id": "mine", "client_secret": "s", "grant_types": []string{"password"}}
	is.mu.Unlock()
	app, other := application(c, "Shop"), application(c, "Other")
	mapping := map[string]any{"consumerKey": "mine", "consumerSecret": "wrong", "keyManager": km, "keyType": "PRODUCTION"}
	c.post(500, app+"/map-keys", mapping)
	mapping["consumerSecret"] = "s"
	made := c.post(200, app+"/map-keys", mapping)
	if made.text("mode") != "MAPPED" || made.text("consumerKey") != "mine" {
		t.Errorf("mapped: %s", made.raw)
	}
	c.post(409, app+"/map-keys", mapping)
	c.post(409, other+"/map-keys", mapping)
	c.delete(200, app+"/oauth-keys/"+made.text("keyMappingId"))
	if is.count() != 1 {
		t.Error("deleting a mapping deleted the client")
	}
	body["enableMapOAuthConsumerApps"] = false
	c.put(200, kms+"/"+km, body)
	c.post(200, app+"/map-keys", mapping) // it refuses nothing
}

func TestWhoMayMakeKeys(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	body := is.is7("IS7", "pw")
	km := c.post(201, kms, body).text("id")
	app := application(c, "Shop")
	for _, test := range []struct {
		change map[string]any
		named  string
		status int
		code   float64
	}{
		{map[string]any{"enabled": false}, "IS7", 400, 901403},
		{map[string]any{"enableOAuthAppCreation": false}, "IS7", 400, 901405},
		{map[string]any{"tokenType": "EXCHANGED"}, "IS7", 400, 901405},
		{map[string]any{"permissions": map[string]any{"permissionType": "DENY", "roles": []string{"admin"}}}, km, 403, 902013},
		{map[string]any{"permissions": map[string]any{"permissionType": "ALLOW", "roles": []string{"Internal/publisher"}}}, km, 403, 902013},
		{nil, "Nobody", 400, 901403},
	} {
		sent := is.is7("IS7", "pw")
		for name, v := range test.change {
			sent[name] = v
		}
		c.put(200, kms+"/"+km, sent)
		if got := c.post(test.status, app+"/generate-keys", generate(test.named, "PRODUCTION")); got.number("code") != test.code {
			t.Errorf("%v: %s, want %v", test.change, got.raw, test.code)
		}
	}
	// By name the permissions are not looked at.
	c.put(200, kms+"/"+km, func() map[string]any {
		sent := is.is7("IS7", "pw")
		sent["permissions"] = map[string]any{"permissionType": "DENY", "roles": []string{"admin"}}
		return sent
	}())
	c.post(200, app+"/generate-keys", generate("IS7", "PRODUCTION"))
}

func TestClientIDsInBase64(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	body := is.is7("Old", "pw")
	body["type"], body["additionalProperties"] = "WSO2-IS", map[string]any{"Username": "admin", "Password": "pw"}
	c.post(201, kms, body)
	app := application(c, "Shop")
	made := c.post(200, app+"/generate-keys", generate("Old", "PRODUCTION"))
	c.get(200, app+"/oauth-keys/"+made.text("keyMappingId"))
	is.mu.Lock()
	defer is.mu.Unlock()
	last := is.paths[len(is.paths)-1]
	if !strings.HasPrefix(last, "GET /dcr/register/Y2xpZW50") { // "client" in Base64
		t.Errorf("asked for %s", last)
	}
}

func TestRejectedProperties(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	c.post(201, kms, is.is7("IS7", "pw"))
	app := application(c, "Shop")
	for _, sent := range []map[string]any{
		{"ext_application_token_lifetime": "-5"}, {"ext_application_token_lifetime": "soon"}, {"ext_pkce_mandatory": "maybe"}, {"unknown": "text"},
	} {
		body := generate("IS7", "PRODUCTION")
		body["additionalProperties"] = sent
		if got := c.post(400, app+"/generate-keys", body); got.number("code") != 900970 {
			t.Errorf("%v: %s", sent, got.raw)
		}
	}
	for _, km := range []string{"Resident Key Manager", "IS7"} {
		body := generate(km, "PRODUCTION")
		body["grantTypesToBeSupported"] = []string{"authorization_code"}
		if got := c.post(400, app+"/generate-keys", body); got.number("code") != 400 || !strings.Contains(got.text("description"), "callback url") {
			t.Errorf("no callback: %s", got.raw)
		}
	}
	if got := c.get(200, app+"/oauth-keys"); got.number("count") != 0 {
		t.Errorf("what was refused left rows: %s", got.raw)
	}
	// A validity that is no number fails after the keys are made.
	body := generate("IS7", "PRODUCTION")
	body["validityTime"] = "soon"
	c.post(500, app+"/generate-keys", body)
	made := c.get(200, app+"/oauth-keys").list()
	if len(made) != 1 || made[0].text("consumerKey") == "" {
		t.Fatalf("keys: %v", made)
	}
	item := app + "/oauth-keys/" + made[0].text("keyMappingId")
	c.put(400, item, map[string]any{"supportedGrantTypes": []string{"password"}, "additionalProperties": map[string]any{"x": "y"}})
	c.put(500, item, map[string]any{"supportedGrantTypes": []string{"authorization_code"}})
	c.post(500, item+"/generate-token", map[string]any{})
	c.post(200, item+"x/clean-up", nil) // one that is not there
}

// TestSilentKeyManager tells what an application comes to whose key manager is stopped.
func TestSilentKeyManager(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	c.post(201, kms, is.is7("IS7", "pw"))
	app, other := application(c, "Shop"), application(c, "Other")
	item := app + "/oauth-keys/" + c.post(200, app+"/generate-keys", generate("IS7", "PRODUCTION")).text("keyMappingId")
	is.Close()
	whole := map[string]any{"name": "Shop", "throttlingPolicy": "10PerMin"}
	internal := func(b body) {
		t.Helper()
		if b.number("code") != 500 || b.text("message") != "Internal server error" {
			t.Errorf("answered %s", b.raw)
		}
	}
	reads := func() {
		t.Helper()
		internal(c.get(500, app))
		internal(c.get(500, app+"/oauth-keys"))
		internal(c.get(500, item))
		internal(c.put(500, app, whole))
		internal(c.get(500, "/api/am/devportal/v3/subscriptions?applicationId="+path.Base(app)))
	}
	reads()
	internal(c.put(500, item, map[string]any{"supportedGrantTypes": []string{"password"}}))
	internal(c.post(500, item+"/regenerate-secret", map[string]any{}))
	internal(c.post(500, item+"/generate-token", map[string]any{"validityPeriod": 60}))
	internal(c.post(500, app+"/generate-keys", generate("Resident Key Manager", "SANDBOX")))
	if got := c.post(500, other+"/generate-keys", generate("IS7", "PRODUCTION")); got.number("code") != 900967 {
		t.Errorf("keys of another application: %s", got.raw)
	}
	c.get(200, other)

	internal(c.delete(500, app))
	if list := c.get(200, apps+"?query=Shop").list(); len(list) != 1 || list[0].text("status") != "DELETE_PENDING" {
		t.Errorf("listed after the deletion: %v", list)
	}
	reads()
	internal(c.delete(500, app))
	c.post(200, item+"/clean-up", nil)
	if got := c.get(200, app); got.text("status") != "DELETE_PENDING" {
		t.Errorf("after the clean-up: %s", got.raw)
	}
	c.delete(201, app)
	c.get(404, app)
	c.delete(200, other)
}

// TestScopesThatAreNull holds what a token is asked for when the scopes of a request are null.
func TestScopesThatAreNull(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	c.post(201, kms, is.is7("IS7", "pw"))
	sent := generate("IS7", "PRODUCTION")
	sent["scopes"] = nil
	if got := c.post(200, application(c, "Shop")+"/generate-keys", sent); !strings.Contains(got.raw, `"tokenScopes":["null"]`) {
		t.Errorf("answered %s", got.raw)
	}
}
