package oracle

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	sandbox "wso2plan/providers/sandbox/apim"
	"wso2plan/providers/sandbox/replay"
)

const (
	adminAPI  = "/api/am/admin/v4"
	devportal = "/api/am/devportal/v3"
	nobody    = "00000000-0000-0000-0000-000000000000" // an id that nothing has
)

// TestRequestsAPIM compares answers about key managers, application policies, applications and keys.
func TestRequestsAPIM(t *testing.T) {
	c, requests := compareAPIM(t, 3000)
	a := &apimRequests{comparison: c}
	a.unreachable()
	a.registrar, _ = newRegistrar(1).serve(t)
	for c.count < requests && !t.Failed() {
		a.next()
	}
	c.report()
}

// compareAPIM starts a real API Manager and a sandbox that is configured as that is.
func compareAPIM(t *testing.T, requests int) (*comparison, int) {
	real := apimParts(t)
	s := httptest.NewUnstartedServer(nil)
	s.Config.Handler = sandbox.New(sandbox.Options{
		Resident: newResident(), KeyManagerDelay: -1, PublicURL: "http://" + s.Listener.Addr().String(),
		GroupSharing: true, // apim-parts is configured so
		Authenticate: func(r *http.Request) (sandbox.Principal, bool) {
			user, password, ok := r.BasicAuth()
			return sandbox.Principal{User: user, All: true, Roles: []string{"admin", "Internal/everyone", "Internal/creator", "Internal/publisher",
				"Internal/subscriber"}}, ok && user == password
		},
	})
	s.Start()
	t.Cleanup(s.Close)
	c, n := newComparison(t, real, &replay.Player{
		Base: s.URL, User: "admin:admin",
		// In the order of a hash, of rows of the database, or of what stands in for the index.
		Sets: []string{"keys-list /list", "advanced-policy-list /list", "/error", "/apis", "subscription-publisher /list", "api-resource-paths /list"},
		Near: map[string]float64{"id": 1e9}, // ids of rows
		// How apim-parts calls itself in Location headers.
		Rewrite: map[string]string{strings.Replace(real, "127.0.0.1", "localhost", 1): s.URL},
	}, requests)
	c.user = "admin:admin"
	c.times = []string{"createdTime", "updatedTime", "lastUpdatedTime", "lastUpdatedTimestamp", "deployedTime", "successDeployedTime", "updatedTimestamp"}
	c.made = []string{"accessToken"}
	c.secrets = []string{"consumerSecret"}
	return c, n
}

// apimRequests makes requests out of what it knows to be there.
type apimRequests struct {
	*comparison
	registrar    string
	made         int
	keyManagers  []thing
	policies     []thing
	applications []thing
	keys         []keys
	written      time.Time // of the last key manager
}

// A thing is an object that both servers have.
type thing struct {
	id, name, kind string
}

// keys are those of an application.
type keys struct {
	application thing
	id, manager string
	keyType     string
	client      string
	secret      string
}

// unreachable tells the story of an application with keys of a key manager that is stopped.
func (a *apimRequests) unreachable() {
	c := a.comparison
	address, stop := newRegistrar(3).serve(c.t)
	km := c.send("gone-km", "POST", adminAPI+"/key-managers", map[string]any{"name": "Gone", "type": "Oracle", "enabled": true,
		"clientRegistrationEndpoint": address + "/register", "introspectionEndpoint": address + "/introspect", "tokenEndpoint": address + "/token",
		"revokeEndpoint": address + "/revoke", "userInfoEndpoint": address + "/userinfo", "scopeManagementEndpoint": address + "/scopes",
		"enableOAuthAppCreation": true, "enableTokenGeneration": true, "enableMapOAuthConsumerApps": true,
		"additionalProperties": map[string]any{"Username": "admin", "Password": "admin"}})
	app := c.send("gone-app", "POST", devportal+"/applications", map[string]any{"name": "Gone", "throttlingPolicy": "Unlimited"})
	other := c.send("gone-app", "POST", devportal+"/applications", map[string]any{"name": "Stuck", "throttlingPolicy": "Unlimited"})
	one := devportal + "/applications/" + app.text("applicationId")
	body := map[string]any{"keyType": "PRODUCTION", "keyManager": "Gone", "grantTypesToBeSupported": []any{"client_credentials"}}
	a.written = time.Now()
	a.settle()
	keys := c.send("gone-keys", "POST", one+"/generate-keys", body)
	mapping := one + "/oauth-keys/" + keys.text("keyMappingId")
	stop()
	c.send("gone-km-get", "GET", adminAPI+"/key-managers/"+km.text("id"), nil)
	c.send("gone-app-get", "GET", one, nil)
	c.send("gone-app-list", "GET", devportal+"/applications?query=Gone", nil)
	c.send("gone-keys-list", "GET", one+"/oauth-keys", nil)
	c.send("gone-keys-get", "GET", mapping, nil)
	c.send("gone-keys-put", "PUT", mapping, map[string]any{"keyMappingId": keys.text("keyMappingId"), "keyManager": "Gone", "keyType": "PRODUCTION",
		"supportedGrantTypes": []any{"password"}, "callbackUrl": ""})
	c.send("gone-keys-regenerate", "POST", mapping+"/regenerate-secret", map[string]any{})
	c.send("gone-keys-token", "POST", mapping+"/generate-token", map[string]any{"consumerSecret": "x", "validityPeriod": 60, "scopes": []any{}})
	c.send("gone-keys-generate", "POST", devportal+"/applications/"+other.text("applicationId")+"/generate-keys", body)
	c.send("gone-keys-left", "GET", devportal+"/applications/"+other.text("applicationId")+"/oauth-keys", nil)
	c.send("gone-app-put", "PUT", one, map[string]any{"name": "Gone", "throttlingPolicy": "10PerMin"})
	c.send("gone-app-delete", "DELETE", one, nil)
	c.send("gone-app-get", "GET", one, nil)
	c.send("gone-app-list", "GET", devportal+"/applications?query=Gone", nil)
	c.send("gone-app-delete", "DELETE", one, nil)
	c.send("gone-app-put", "PUT", one, map[string]any{"name": "Gone", "throttlingPolicy": "Unlimited"})
	c.send("gone-keys-list", "GET", one+"/oauth-keys", nil)
	c.send("gone-keys-clean-up", "POST", mapping+"/clean-up", map[string]any{})
	c.send("gone-app-get", "GET", one, nil)
	c.send("gone-app-delete", "DELETE", one, nil)
	c.send("gone-app-get", "GET", one, nil)
	c.send("gone-app-delete", "DELETE", devportal+"/applications/"+other.text("applicationId"), nil)
	c.send("gone-km-delete", "DELETE", adminAPI+"/key-managers/"+km.text("id"), nil)
}

func (a *apimRequests) next() {
	a.rand.IntN(2)
	switch n := a.rand.IntN(100); {
	case n < 32:
		a.keyManager()
	case n < 54:
		a.policy()
	case n < 74:
		a.application()
	default:
		a.key()
	}
}

// label makes a name that nothing has yet.
func (a *apimRequests) label(stem string) string {
	a.made++
	return fmt.Sprintf("%s%d", stem, a.made)
}

// one returns one of the things, or one that is not there.
func (a *apimRequests) one(list []thing) thing {
	if len(list) == 0 || a.chance(6) {
		return thing{id: pick(a.comparison, nobody, "nothing"), name: "Nothing"}
	}
	return pick(a.comparison, list...)
}

func without(list []thing, id string) []thing {
	return slices.DeleteFunc(slices.Clone(list), func(t thing) bool { return t.id == id })
}

// perhapsSpoilt returns a body with a chance of being spoilt.
func (a *apimRequests) perhapsSpoilt(body map[string]any) any {
	if a.chance(30) {
		a.spoil(body)
	}
	return a.sometimesBroken(body)
}

// sometimesBroken returns a body, or a text that is none.
func (a *apimRequests) sometimesBroken(body map[string]any) any {
	if a.chance(3) {
		return pick(a.comparison, `{"name": `, `{`, `[]`, `{} {}`, `["name"]`, `{"name": "a", "name": "b"}`, `{"name": NaN}`)
	}
	return body
}

// maybe puts a member in, in half of the cases.
func (a *apimRequests) maybe(body map[string]any, name string, values ...any) {
	if a.chance(50) {
		body[name] = pick(a.comparison, values...)
	}
}

// Key managers.

// keyManagerBody is a key manager. Odd is one that the server accepts and cannot load, or that it
// refuses.
func (a *apimRequests) keyManagerBody(name, kind string) (body map[string]any, odd bool) {
	c := a.comparison
	body = map[string]any{"name": name, "type": kind, "enabled": a.chance(85), "issuer": "https://" + strings.ToLower(name) + ".example.com/token",
		"clientRegistrationEndpoint": a.registrar + "/register", "tokenEndpoint": a.registrar + "/token", "revokeEndpoint": a.registrar + "/revoke",
		"introspectionEndpoint": pick(c, a.registrar+"/introspect", " "+a.registrar+"/introspect "), "userInfoEndpoint": a.registrar + "/userinfo",
		"scopeManagementEndpoint": a.registrar + "/scopes", "enableOAuthAppCreation": a.chance(80), "enableMapOAuthConsumerApps": a.chance(80),
		"enableTokenGeneration": a.chance(70)}
	properties := map[string]any{"Username": "admin", "Password": pick(c, "secret", "s3cr*t")}
	for _, p := range some(c, "plain", "client_secret", "self_validate_jwt", "number") {
		properties[p] = map[string]any{"plain": pick(c, "a", ""), "client_secret": "x", "self_validate_jwt": a.chance(50), "number": 5}[p]
	}
	body["additionalProperties"] = properties
	a.maybe(body, "displayName", "Shown", "", "Ünicode – name")
	a.maybe(body, "description", "described", "", nil)
	a.maybe(body, "displayTokenEndpoint", "https://shown.example.com/token", "", " ")
	a.maybe(body, "displayRevokeEndpoint", "https://shown.example.com/revoke", "", " ")
	a.maybe(body, "authorizeEndpoint", "https://km.example.com/authorize", "", " ")
	a.maybe(body, "wellKnownEndpoint", "https://km.example.com/.well-known/openid-configuration", "", " ")
	a.maybe(body, "alias", "https://localhost:9443/oauth2/token", "", "other")
	a.maybe(body, "certificates", map[string]any{"type": "JWKS", "value": "https://km.example.com/jwks"}, map[string]any{"type": "PEM", "value": certificate})
	a.maybe(body, "availableGrantTypes", anyList(some(c, "client_credentials", "password", "refresh_token", "made-up")))
	a.maybe(body, "enableSelfValidationJWT", true, false)
	a.maybe(body, "enableTokenEncryption", true, false)
	a.maybe(body, "enableTokenHashing", true, false)
	a.maybe(body, "claimMapping", []any{}, []any{map[string]any{"remoteClaim": "sub", "localClaim": "http://wso2.org/claims/enduser"}},
		[]any{map[string]any{"remoteClaim": "sub"}}, []any{map[string]any{"remoteClaim": "b", "localClaim": "c"}, map[string]any{"remoteClaim": "a", "localClaim": "d"}})
	a.maybe(body, "consumerKeyClaim", "azp", "client_id", "")
	a.maybe(body, "scopesClaim", "scope", "scp", "")
	a.maybe(body, "tokenValidation", []any{}, []any{map[string]any{"type": "JWT", "value": map[string]any{"body": map[string]any{"iss": "x"}}}},
		[]any{map[string]any{"enable": true, "type": "REFERENCE", "value": "[0-9]+"}}, []any{map[string]any{"type": "CUSTOM", "value": nil, "enable": false}},
		[]any{map[string]any{"id": 3, "type": "JWT", "enable": true, "value": map[string]any{"body": map[string]any{"iss": ".*"}}}})
	a.maybe(body, "permissions", map[string]any{"permissionType": "PUBLIC", "roles": []any{}}, map[string]any{"permissionType": "ALLOW", "roles": []any{"admin"}},
		map[string]any{"permissionType": "DENY", "roles": []any{"Internal/creator"}}, map[string]any{"permissionType": "ALLOW", "roles": []any{"nobody-has-this"}},
		map[string]any{"permissionType": "DENY", "roles": []any{}}, map[string]any{"roles": []any{"admin"}}, map[string]any{})
	a.maybe(body, "tokenType", "DIRECT")
	a.maybe(body, "allowedOrganizations", []any{}, []any{"ALL"})
	a.maybe(body, "endpoints", []any{}, []any{map[string]any{"name": "token_endpoint", "value": "https://e.example.com/t"}})
	switch n := a.rand.IntN(100); {
	case n < 30:
		a.spoil(body, "tokenType")
		return body, true
	case n < 36:
		body["certificates"] = pick[any](c, map[string]any{"type": "JWKS", "value": ""}, map[string]any{"type": "Other", "value": "x"}, map[string]any{},
			map[string]any{"type": "PEM", "value": "none"}, map[string]any{"type": "JWKS"})
		return body, true
	}
	return body, false
}

func anyList[E any](list []E) []any {
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = e
	}
	return out
}

func (a *apimRequests) keyManager() {
	c, all := a.comparison, adminAPI+"/key-managers"
	km := a.one(a.keyManagers)
	switch n := c.rand.IntN(100); {
	case n < 8:
		c.send("km-list", "GET", all, nil)
	case n < 12:
		a.settle()
		c.send("km-devportal", "GET", devportal+"/key-managers", nil)
	case n < 45 && len(a.keyManagers) < 12:
		name := a.label(pick(c, "Third", "third", "Key-Manager_", "K.M."))
		if a.chance(10) {
			name = pick(c, km.name, strings.ToUpper(km.name), "Resident Key Manager", "bad name!"+name, "ü"+name)
		}
		kind := pick(c, "CustomKeyManager", "Oracle", "Oracle", "Oracle", "Nothing", "oracle")
		body, odd := a.keyManagerBody(name, kind)
		a.written = time.Now()
		r := c.send("km-create", "POST", all, a.sometimesBroken(body))
		made := thing{r.text("id"), r.text("name"), r.text("type")}
		switch {
		case r.ok() && odd || r.ok() && !r.same:
			a.showAndDelete(made)
		case r.ok():
			a.keyManagers = append(a.keyManagers, made)
		}
	case n < 62:
		c.send("km-get", "GET", all+"/"+km.id, nil)
	case n < 85:
		body, odd := a.keyManagerBody(km.name, km.kind)
		if properties, ok := body["additionalProperties"].(map[string]any); ok && a.chance(40) {
			properties["Password"] = "*****"
		}
		switch {
		case a.chance(5):
			body["name"] = a.label("Renamed")
		case a.chance(5):
			body["type"] = pick(c, "Oracle", "CustomKeyManager", "Nothing")
		}
		a.written = time.Now()
		r := c.send("km-put", "PUT", all+"/"+km.id, a.sometimesBroken(body))
		if r.ok() && odd || !r.same {
			a.showAndDelete(km)
			return
		}
		for i := range a.keyManagers {
			if a.keyManagers[i].id == km.id && r.ok() {
				a.keyManagers[i].kind = r.text("type")
			}
		}
	default:
		a.written = time.Now()
		if r := c.send("km-delete", "DELETE", all+"/"+km.id, nil); r.ok() {
			a.keyManagers = without(a.keyManagers, km.id)
		}
	}
}

// showAndDelete ends a key manager that the server may not be able to load: in apim-parts one such
// keeps the others from being loaded too. One that keys hang on is left without them first.
func (a *apimRequests) showAndDelete(km thing) {
	a.send("km-get", "GET", adminAPI+"/key-managers/"+km.id, nil)
	for _, k := range slices.Clone(a.keys) {
		if k.manager == km.id || k.manager == km.name {
			a.drop(k.application)
		}
	}
	a.both("DELETE", adminAPI+"/key-managers/"+km.id)
	a.keyManagers = without(a.keyManagers, km.id)
	a.written = time.Now()
}

// settle waits until both servers have loaded the last change of a key manager.
func (a *apimRequests) settle() { time.Sleep(time.Until(a.written.Add(700 * time.Millisecond))) }

// Application policies.

func (a *apimRequests) limit() map[string]any {
	c := a.comparison
	amount := func() any { return pick[any](c, 1, 10, 1000, 2147483647, "20", 0, -1) }
	unit := pick(c, "min", "hour", "day", "sec", "month", "fortnight")
	requests := map[string]any{"timeUnit": unit, "unitTime": pick[any](c, 1, 5, 0), "requestCount": amount()}
	bandwidth := map[string]any{"timeUnit": unit, "unitTime": 1, "dataAmount": amount(), "dataUnit": pick(c, "KB", "MB", "GB", "XB")}
	events := map[string]any{"timeUnit": unit, "unitTime": 1, "eventCount": amount()}
	kinds := []struct {
		kind, member string
		limit        map[string]any
	}{{"REQUESTCOUNTLIMIT", "requestCount", requests}, {"BANDWIDTHLIMIT", "bandwidth", bandwidth}, {"EVENTCOUNTLIMIT", "eventCount", events}}
	k := kinds[pick(c, 0, 0, 0, 1, 1, 2)]
	out := map[string]any{"type": k.kind, k.member: k.limit}
	if a.chance(10) {
		other := pick(c, kinds...)
		out[other.member] = other.limit
	}
	if a.chance(3) {
		out["type"] = pick(c, "NOTHING", "requestcountlimit")
	}
	return out
}

func (a *apimRequests) policyBody(name string) map[string]any {
	body := map[string]any{"policyName": name, "displayName": name, "defaultLimit": a.limit()}
	a.maybe(body, "displayName", "Shown", "", " ", nil, "Ünicode")
	a.maybe(body, "description", "described", "", nil)
	if a.chance(15) {
		body["isDeployed"] = a.chance(50)
	}
	if a.chance(15) {
		body["burstLimit"] = pick[any](a.comparison, map[string]any{"rateLimitCount": 5, "rateLimitTimeUnit": "sec"}, map[string]any{}, nil)
	}
	if a.chance(10) {
		body["policyId"] = nobody
	}
	return body
}

func (a *apimRequests) policy() {
	c, all := a.comparison, adminAPI+"/throttling/policies/application"
	p := a.one(a.policies)
	switch n := c.rand.IntN(100); {
	case n < 8:
		c.send("policy-list", "GET", all, nil)
	case n < 40 && len(a.policies) < 12:
		name := a.label(pick(c, "Gold", "silver", "A_b-c"))
		if a.chance(12) {
			name = pick(c, p.name, strings.ToUpper(p.name), "Unlimited", "10PerMin", "with space", "dot."+name, "ü"+name, " "+name, strings.Repeat("n", 61))
		}
		r := c.send("policy-create", "POST", all, a.perhapsSpoilt(a.policyBody(name)))
		if r.ok() && r.same {
			a.policies = append(a.policies, thing{id: r.text("policyId"), name: r.text("policyName")})
		} else if r.ok() {
			c.send("policy-delete", "DELETE", all+"/"+r.text("policyId"), nil)
		}
	case n < 57:
		c.send("policy-get", "GET", all+"/"+p.id, nil)
	case n < 82:
		body := a.policyBody(p.name)
		if a.chance(10) {
			body["policyName"] = a.label("Other")
		}
		if r := c.send("policy-put", "PUT", all+"/"+p.id, a.perhapsSpoilt(body)); !r.same {
			c.both("DELETE", all+"/"+p.id)
			a.policies = without(a.policies, p.id)
		}
	default:
		if r := c.send("policy-delete", "DELETE", all+"/"+p.id, nil); r.ok() {
			a.policies = without(a.policies, p.id)
		}
	}
}

// Applications.

func (a *apimRequests) applicationBody(name string) map[string]any {
	c := a.comparison
	body := map[string]any{"name": name, "throttlingPolicy": pick(c, "Unlimited", "10PerMin", "50PerMin", a.one(a.policies).name)}
	a.maybe(body, "description", "described", "", nil, "Ünicode – text")
	a.maybe(body, "tokenType", "JWT", "OAUTH", nil)
	if a.chance(20) {
		body["attributes"] = pick[any](c, map[string]any{}, map[string]any{"colour": "blue"}, nil)
	}
	if a.chance(15) {
		body["groups"] = pick[any](c, []any{}, []any{"group"}, nil)
	}
	if a.chance(15) {
		body["owner"] = pick(c, "admin", "nobody")
	}
	if a.chance(15) {
		body["status"] = "CREATED"
	}
	if a.chance(10) {
		body["visibility"] = pick(c, "PRIVATE", "SHARED_WITH_ORG", "nothing")
	}
	if a.chance(10) {
		body[pick(c, "subscriptionCount", "createdTime", "hashEnabled")] = pick[any](c, 5, "5", true)
	}
	return body
}

func (a *apimRequests) application() {
	c, all := a.comparison, devportal+"/applications"
	app := a.one(a.applications)
	switch n := c.rand.IntN(100); {
	case n < 20:
		query := some(c, "limit="+pick(c, "1", "2", "5", "100", "0"), "offset="+pick(c, "0", "1", "3", "50"),
			"query="+pick(c, "", "sho", "SHOP", "Shop1", "nothing"), "sortBy="+pick(c, "name", "throttlingPolicy", "nothing"),
			"sortOrder="+pick(c, "asc", "desc", "DESC", "nothing"))
		if a.chance(10) { // nothing but links: the order of equals is the database's
			query = []string{"offset=50", "sortBy=" + pick(c, "status", "owner")}
		}
		path := all
		if len(query) > 0 {
			path += "?" + strings.Join(query, "&")
		}
		c.send("app-list", "GET", path, nil)
	case n < 45 && len(a.applications) < 12:
		name := a.label(pick(c, "Shop", "shop ", "Web.Shop_", "web-shop"))
		if a.chance(12) {
			name = pick(c, app.name, strings.ToUpper(app.name), "DefaultApplication", " "+name, name+" ", "a/"+name, "ü"+name, name+"?", strings.Repeat("n", 101))
		}
		r := c.send("app-create", "POST", all, a.perhapsSpoilt(a.applicationBody(name)))
		if r.ok() && r.same {
			a.applications = append(a.applications, thing{id: r.text("applicationId"), name: r.text("name")})
		} else if r.ok() {
			c.send("app-delete", "DELETE", all+"/"+r.text("applicationId"), nil)
		}
	case n < 60:
		c.send("app-get", "GET", all+"/"+app.id, nil)
	case n < 82:
		name := app.name
		if a.chance(20) {
			name = pick(c, a.label("Renamed"), a.one(a.applications).name, strings.ToUpper(app.name), "DefaultApplication", "a/b", name+" ")
		}
		r := c.send("app-put", "PUT", all+"/"+app.id, a.perhapsSpoilt(a.applicationBody(name)))
		if !r.same {
			a.drop(app)
		}
		for i := range a.applications {
			if a.applications[i].id == app.id && r.ok() {
				a.applications[i].name = r.text("name")
			}
		}
	default:
		a.settle()
		if r := c.send("app-delete", "DELETE", all+"/"+app.id, nil); r.ok() {
			a.applications = without(a.applications, app.id)
			a.keys = slices.DeleteFunc(a.keys, func(k keys) bool { return k.application.id == app.id })
		}
	}
}

// drop deletes an application without comparing: something about it differs already.
func (a *apimRequests) drop(app thing) {
	a.both("DELETE", devportal+"/applications/"+app.id)
	a.applications = without(a.applications, app.id)
	a.keys = slices.DeleteFunc(a.keys, func(k keys) bool { return k.application.id == app.id })
}

// Keys.

func (a *apimRequests) key() {
	c := a.comparison
	a.settle()
	if len(a.keys) == 0 || a.chance(35) {
		a.newKeys()
		return
	}
	k := pick(c, a.keys...)
	all := devportal + "/applications/" + k.application.id + "/oauth-keys"
	one := all + "/" + k.id
	if a.chance(5) {
		one = all + "/" + nobody
	}
	switch n := c.rand.IntN(100); {
	case n < 15:
		c.send("keys-list", "GET", all, nil)
	case n < 35:
		c.send("keys-get", "GET", one, nil)
	case n < 60:
		body := map[string]any{"keyMappingId": k.id, "keyManager": k.manager, "keyType": k.keyType, "callbackUrl": "",
			"supportedGrantTypes": anyList(some(c, "client_credentials", "password", "refresh_token"))}
		a.maybe(body, "callbackUrl", "https://a.example.com/cb", "https://a.example.com/cb,https://b.example.com/cb", nil)
		a.maybe(body, "additionalProperties", map[string]any{}, map[string]any{"application_access_token_expiry_time": 900},
			map[string]any{"application_access_token_expiry_time": "900", "pkceMandatory": "true"}, map[string]any{"made_up": "x"}, map[string]any{"id_token_expiry_time": "N/A"})
		if r := c.send("keys-put", "PUT", one, a.perhapsSpoilt(body)); !r.same {
			a.drop(k.application)
		}
	case n < 70:
		r := c.send("keys-regenerate", "POST", one+"/regenerate-secret", map[string]any{})
		a.renew(k, r)
	case n < 80:
		body := map[string]any{"scopes": anyList(some(c, "default", "read"))}
		a.maybe(body, "consumerSecret", k.secret)
		a.maybe(body, "validityPeriod", 3600, 60)
		a.maybe(body, "grantType", "CLIENT_CREDENTIALS")
		c.send("keys-token", "POST", one+"/generate-token", a.perhapsSpoilt(body))
	default:
		if r := c.send("keys-clean-up", "POST", one+"/clean-up", map[string]any{}); r.ok() {
			a.forget(k)
		}
	}
}

func (a *apimRequests) forget(k keys) {
	a.keys = slices.DeleteFunc(a.keys, func(other keys) bool { return other.id == k.id })
}

// renew keeps the secret that a regeneration answered.
func (a *apimRequests) renew(k keys, r reply) {
	if !r.ok() {
		return
	}
	for i := range a.keys {
		if a.keys[i].client == k.client {
			a.keys[i].secret = r.text("consumerSecret")
		}
	}
}

func (a *apimRequests) newKeys() {
	c := a.comparison
	app := a.one(a.applications)
	km := a.one(a.keyManagers)
	manager := pick[any](c, "Resident Key Manager", "Resident Key Manager", km.name, km.name, km.id, nil, "Nothing")
	all := devportal + "/applications/" + app.id
	keyType := pick(c, "PRODUCTION", "SANDBOX")
	var r reply
	if len(a.keys) > 0 && a.chance(25) {
		k := pick(c, a.keys...)
		body := map[string]any{"keyManager": manager, "keyType": keyType, "consumerKey": k.client, "consumerSecret": k.secret}
		if a.chance(20) {
			body["consumerSecret"] = "wrong"
		}
		if a.chance(20) {
			body["consumerKey"] = "nothing"
		}
		r = c.send("keys-map", "POST", all+"/map-keys", a.perhapsSpoilt(body))
	} else {
		body := map[string]any{"keyType": keyType, "keyManager": manager, "callbackUrl": "", "validityTime": 3600, "scopes": []any{"default"},
			"grantTypesToBeSupported": anyList(some(c, "client_credentials", "password", "refresh_token"))}
		a.maybe(body, "callbackUrl", "https://a.example.com/cb", nil)
		a.maybe(body, "additionalProperties", map[string]any{}, map[string]any{"application_access_token_expiry_time": 900},
			map[string]any{"application_access_token_expiry_time": "900", "pkceMandatory": "true"}, map[string]any{"made_up": "x"}, map[string]any{"id_token_expiry_time": "N/A"})
		if a.chance(10) {
			body["grantTypesToBeSupported"] = []any{"nothing"}
		}
		a.maybe(body, "validityTime", "3600", 60, -1, nil)
		r = c.send("keys-generate", "POST", all+"/generate-keys", a.perhapsSpoilt(body))
	}
	if !r.same {
		a.drop(app)
		return
	}
	if r.ok() {
		a.keys = append(a.keys, keys{app, r.text("keyMappingId"), r.text("keyManager"), r.text("keyType"), r.text("consumerKey"), r.text("consumerSecret")})
		return
	}
	// A refusal may have left a row behind (apim-behaviour 4.2): look, and clean it up.
	if app.name == "Nothing" {
		return
	}
	left := c.send("keys-list", "GET", all+"/oauth-keys", nil)
	list, _ := left.body.(map[string]any)
	items, _ := list["list"].([]any)
	for _, item := range items {
		row, _ := item.(map[string]any)
		id, _ := row["keyMappingId"].(string)
		if !slices.ContainsFunc(a.keys, func(k keys) bool { return k.id == id }) {
			c.send("keys-clean-up", "POST", all+"/oauth-keys/"+id+"/clean-up", map[string]any{})
		}
	}
}

// certificate is that of km.example.com, in Base64 as the admin portal sends it.
const certificate = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJpakNDQVMrZ0F3SUJBZ0lVRE5LQzZsTHdNWms1V2NIM3RvRjgyNzloS0M4d0NnWUlLb1pJemowRUF3SXcKR1RFWE1CVUdBMVVFQXd3T2EyMHVaWGhoYlhCc1pTNWpiMjB3SUJjTk1qWXhNVEkwTVRnek9UVXlXaGdQTWpFeQpOakV3TXpFeE9ETTVOVEphTUJreEZ6QVZCZ05WQkFNTURtdHRMbVY0WVcxd2JHVXVZMjl0TUZrd0V3WUhLb1pJCnpqMENBUVlJS29aSXpqMERBUWNEUWdBRVhqaDhKeU56QllQVEFZQ1RROTlvaDM0UGhqaU9jcWQwbzFzWm1hZ2YKVnA0NVRWMEc5TzZMNjhsc1RneURmcDVKdEtuUTVqRXkxSnpFVUZmVXJTM3VncU5UTUZFd0hRWURWUjBPQkJZRQpGSFlrVVZHbkZtMVFaZkNvdVg1T3drR3pIQ3lkTUI4R0ExVWRJd1FZTUJhQUZIWWtVVkduRm0xUVpmQ291WDVPCndrR3pIQ3lkTUE4R0ExVWRFd0VCL3dRRk1BTUJBZjh3Q2dZSUtvWkl6ajBFQXdJRFNRQXdSZ0loQUpDK1RmaGkKa1RvUVNXUjVSM0ZSdlZRYXJJMmtsNWVpT1VJNW1ZWStwejJOQWlFQTRiQXlpZWYxZmwvSnBPT3l3UXdjNHNRWApyY3ExeTdrY2pXeGNwTWZ0OXdzPQotLS0tLUVORCBDRVJUSUZJQ0FURS0tLS0tCg=="
