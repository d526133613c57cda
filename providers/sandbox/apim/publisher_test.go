package apim_test

import (
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"wso2plan/providers/sandbox/apim"
)

// newClient serves a fresh server whose indexes and gateway do not lag.
func newClient(t *testing.T, change func(*apim.Options)) (client, *apim.Server) {
	t.Helper()
	o := options()
	o.IndexLag, o.GatewayLag = -1, -1
	if change != nil {
		change(&o)
	}
	server := apim.New(o)
	s := httptest.NewServer(server)
	t.Cleanup(s.Close)
	return client{t: t, base: s.URL, user: "admin"}, server
}

// refused sends a request that must fail and returns its six-digit code.
func (c client) refused(status int, method, path string, sent any) float64 {
	c.t.Helper()
	return c.send(status, method, path, sent).number("code")
}

// operation finds an operation of an API.
func operation(t *testing.T, api body, verb, target string) body {
	t.Helper()
	list, _ := api.any["operations"].([]any)
	for _, o := range list {
		m, _ := o.(map[string]any)
		if m["verb"] == verb && m["target"] == target {
			return body{t: t, any: m}
		}
	}
	t.Fatalf("no operation %s %s in %v", verb, target, list)
	return body{}
}

// TestAPIPutKeeps: what an update of an API silently keeps, and what it silently resets (all seen on 9.33.90).
func TestAPIPutKeeps(t *testing.T) {
	c, _ := newClient(t, nil)
	id := c.newAPI("Keep", map[string]any{"description": "d", "tags": []string{"zebra", "apple,mango", "kiwi"}, "policies": []string{"Unlimited", "Silver", "Gold", "Bronze"},
		"authorizationHeader": "X-Auth", "accessControl": "RESTRICTED", "accessControlRoles": []string{"Internal/Creator"}, "isDefaultVersion": true})
	u := publisherAPI + "/apis/" + id
	got := c.get(200, u)
	for name, want := range map[string][]any{"tags": {"zebra", "apple", "kiwi", "mango"}, "policies": {"Bronze", "Silver", "Gold", "Unlimited"}, "accessControlRoles": {"internal/creator"},
		"visibleOrganizations": {"none"}, "keyManagers": {"all"}} {
		if list, _ := got.any[name].([]any); !slices.Equal(list, want) {
			t.Errorf("%s: %v, want %v", name, list, want)
		}
	}
	sent := got.any
	for name, v := range map[string]any{"name": "Other", "version": "9", "context": "/other", "provider": "nobody", "lifeCycleStatus": "PUBLISHED", "egress": true,
		"subtypeConfiguration": map[string]any{"subtype": "AIAPI"}} {
		sent[name] = v
	}
	c.put(200, u, sent)
	again := c.get(200, u)
	for name, want := range map[string]any{"name": "Keep", "version": "1.0.0", "context": "/Keep", "provider": "admin", "lifeCycleStatus": "CREATED", "egress": false} {
		if again.any[name] != want {
			t.Errorf("%s: %v, want %v", name, again.any[name], want)
		}
	}
	c.put(200, u, map[string]any{"name": "Keep", "context": "/Keep", "version": "1.0.0", "operations": again.any["operations"]})
	reset := c.get(200, u)
	for name, want := range map[string]any{"description": nil, "authorizationHeader": nil, "apiKeyHeader": "ApiKey", "endpointConfig": nil, "accessControl": "NONE", "isDefaultVersion": false} {
		if reset.any[name] != want {
			t.Errorf("%s after an update without it: %v, want %v", name, reset.any[name], want)
		}
	}
	if code := c.refused(404, "PUT", u, map[string]any{"name": "Keep", "context": "/Keep", "version": "1.0.0"}); code != 900763 {
		t.Errorf("without operations: %v", code)
	}
}

// TestAPIRefusals: what a new API is refused for.
func TestAPIRefusals(t *testing.T) {
	c, _ := newClient(t, nil)
	c.newAPI("Taken", nil)
	for _, test := range []struct {
		name   string
		more   map[string]any
		status int
		code   float64
	}{
		{"tier", map[string]any{"policies": []string{"Nothing"}}, 400, 900305},
		{"category", map[string]any{"categories": []string{"Nothing"}}, 400, 900345},
		{"role", map[string]any{"visibility": "RESTRICTED", "visibleRoles": []string{"nobody"}}, 400, 900610},
		{"no role", map[string]any{"visibility": "RESTRICTED"}, 400, 900610},
		{"role of a scope", map[string]any{"scopes": []any{map[string]any{"scope": map[string]any{"name": "s", "bindings": []string{"nobody"}}}}}, 404, 903250},
		{"key manager", map[string]any{"keyManagers": []string{"Nothing"}}, 400, 901403},
		{"no key manager", map[string]any{"keyManagers": []string{}}, 404, 901411},
		{"key managers that are no list", map[string]any{"keyManagers": "all"}, 400, 903203},
		{"transport", map[string]any{"transport": []string{"ftp"}}, 400, 903205},
		{"endpoint", map[string]any{"endpointConfig": map[string]any{"endpoint_type": "http", "production_endpoints": map[string]any{"url": "not a url"}}}, 400, 900346},
		{"property", map[string]any{"additionalProperties": []any{map[string]any{"name": "a b", "value": "v", "display": false}}}, 400, 900346},
		{"reserved property", map[string]any{"additionalProperties": []any{map[string]any{"name": "provider", "value": "v", "display": false}}}, 400, 900346},
		{"verb", map[string]any{"operations": []any{map[string]any{"target": "/x", "verb": "FOO"}}}, 400, 903201},
		{"no verb", map[string]any{"operations": []any{map[string]any{"target": "/x"}}}, 400, 902031},
		{"no target", map[string]any{"operations": []any{map[string]any{"verb": "GET"}}}, 400, 902032},
		{"advanced policy", map[string]any{"operations": []any{map[string]any{"target": "/x", "verb": "GET", "throttlingPolicy": "Nothing"}}}, 400, 900305},
		{"operation policy", map[string]any{"operations": []any{map[string]any{"target": "/x", "verb": "GET", "operationPolicies": map[string]any{
			"request": []any{map[string]any{"policyName": "nothing"}}}}}}, 400, 902005},
		{"context with a slash", map[string]any{"context": "/a/"}, 400, 900253},
		{"context with a blank", map[string]any{"context": "/a b"}, 400, 900253},
		{"long name", map[string]any{"name": strings.Repeat("x", 61)}, 400, 900704},
		{"name in another case", map[string]any{"name": "TAKEN"}, 409, 900250},
		{"name and version", map[string]any{"name": "Taken"}, 409, 900300},
		{"name with another context", map[string]any{"name": "Taken", "version": "2"}, 400, 900977},
		{"context", map[string]any{"context": "/Taken"}, 409, 900251},
		{"type", map[string]any{"type": "ASYNC"}, 400, 900915},
		{"provider", map[string]any{"provider": "nobody"}, 400, 900700},
		{"field of an operation", map[string]any{"operations": []any{map[string]any{"target": "/x", "verb": "GET", "nonsense": 1}}}, 400, 400},
		{"field of CORS", map[string]any{"corsConfiguration": map[string]any{"nonsense": 1}}, 400, 400},
	} {
		fields := map[string]any{"name": "New", "context": "/new", "version": "1.0.0", "policies": []string{"Gold"}}
		for name, v := range test.more {
			fields[name] = v
		}
		if code := c.refused(test.status, "POST", publisherAPI+"/apis", fields); code != test.code {
			t.Errorf("%s: %v, want %v", test.name, code, test.code)
		}
	}
	c.post(201, publisherAPI+"/apis", map[string]any{"name": "Taken", "context": "/Taken/{version}", "version": "2.0.0", "policies": []string{"Gold"}})
}

// TestEndpointSecrets: secrets are blank in answers, and a blank one keeps the stored one.
func TestEndpointSecrets(t *testing.T) {
	c, server := newClient(t, nil)
	secured := func(password any) map[string]any {
		stage := map[string]any{"enabled": true, "type": "BASIC", "username": "u"}
		if password != nil {
			stage["password"] = password
		}
		return map[string]any{"endpoint_type": "http", "production_endpoints": map[string]any{"url": "https://b.example.com"},
			"endpoint_security": map[string]any{"production": stage}}
	}
	id := c.newAPI("Secret", map[string]any{"endpointConfig": secured("s3cret")})
	u := publisherAPI + "/apis/" + id
	stored := func() string {
		revision := c.post(201, u+"/revisions", map[string]any{"description": ""}).text("id")
		c.post(201, u+"/deploy-revision?revisionId="+revision, toDefault)
		return server.Loaded().APIs[0].Backends.Production.Security.Password
	}
	if stored() != "s3cret" {
		t.Fatal("the gateway is not told the secret")
	}
	for _, next := range []any{"", nil} {
		got := c.get(200, u)
		if v := got.at("endpointConfig", "endpoint_security", "production", "password"); v != "" {
			t.Errorf("shown: %v", v)
		}
		got.any["endpointConfig"] = secured(next)
		c.put(200, u, got.any)
		if stored() != "s3cret" {
			t.Errorf("after %v the secret is lost", next)
		}
	}
	got := c.get(200, u)
	got.any["endpointConfig"] = map[string]any{"endpoint_type": "http", "endpoint_security": map[string]any{"sandbox": map[string]any{"enabled": true, "type": "OAUTH",
		"clientId": "c", "clientSecret": "", "tokenUrl": "https://t.example.com"}}}
	if code := c.refused(400, "PUT", u, got.any); code != 902000 {
		t.Errorf("a client secret that is blank with none stored: %v", code)
	}
}

// TestOperationsOrder: operations of a path stand together, verbs in the server's order; scopes that are not declared vanish.
func TestOperationsOrder(t *testing.T) {
	c, _ := newClient(t, nil)
	id := c.newAPI("Order", map[string]any{"scopes": []any{map[string]any{"scope": map[string]any{"name": "eat", "displayName": "Eat it", "bindings": []string{"admin"}}}},
		"operations": []any{map[string]any{"target": "/b", "verb": "delete", "scopes": []string{"eat", "nothing"}}, map[string]any{"target": "/a", "verb": "GET", "authType": "Any"},
			map[string]any{"target": "/b", "verb": "GET"}}})
	got := c.get(200, publisherAPI+"/apis/"+id)
	var order []string
	for _, o := range got.any["operations"].([]any) {
		m := o.(map[string]any)
		order = append(order, m["verb"].(string)+" "+m["target"].(string))
	}
	if !slices.Equal(order, []string{"GET /b", "DELETE /b", "GET /a"}) {
		t.Errorf("order: %v", order)
	}
	if o := operation(t, got, "DELETE", "/b"); !slices.Equal(o.any["scopes"].([]any), []any{"eat"}) {
		t.Errorf("scopes: %v", o.any["scopes"])
	}
	if o := operation(t, got, "GET", "/a"); o.text("authType") != "Application & Application User" {
		t.Errorf("authType: %v", o.text("authType"))
	}
	scope := got.any["scopes"].([]any)[0].(map[string]any)["scope"].(map[string]any)
	if scope["displayName"] != "eat" { // definitions have no display names
		t.Errorf("scope: %v", scope)
	}
	c.refused(400, "POST", publisherAPI+"/apis", map[string]any{"name": "Thief", "context": "/thief", "version": "1", "scopes": []any{map[string]any{"scope": map[string]any{"name": "eat"}}}})
}

// TestClonedPolicies: an API that uses a common policy has a clone of it; secret parameters are blank and are kept.
func TestClonedPolicies(t *testing.T) {
	c, server := newClient(t, nil)
	common := c.post(201, publisherAPI+"/operation-policies", texts().file("policySpecFile", "p.yaml", policyFile)).text("id")
	if code := c.refused(500, "POST", publisherAPI+"/operation-policies", texts().file("policySpecFile", "p.yaml", policyFile)); code != 500 {
		t.Errorf("twice: %v", code)
	}
	id := c.newAPI("Painted", nil)
	u := publisherAPI + "/apis/" + id
	use := func(parameters map[string]any) body {
		got := c.get(200, u)
		for _, o := range got.any["operations"].([]any) {
			o.(map[string]any)["operationPolicies"] = map[string]any{"request": []any{map[string]any{"policyName": "paint", "policyVersion": "v1", "policyId": common,
				"parameters": parameters}}, "response": []any{}, "fault": []any{}}
			break
		}
		return got
	}
	c.put(200, u, use(map[string]any{"colour": 7, "secret": "shh"}).any)
	first := operation(t, c.get(200, u), "GET", "/*")
	used := first.at("operationPolicies", "request").([]any)[0].(map[string]any)
	clone, parameters := used["policyId"].(string), used["parameters"].(map[string]any)
	if clone == common || parameters["colour"] != 7.0 || parameters["secret"] != "" {
		t.Errorf("use: %v", used)
	}
	c.get(200, u+"/operation-policies/"+clone)
	if n := len(c.get(200, u+"/operation-policies").list()); n != 0 {
		t.Errorf("%d clones are listed", n)
	}
	c.put(200, u, c.get(200, u).any) // as read: with a blank secret
	c.delete(200, publisherAPI+"/operation-policies/"+common)
	revision := c.post(201, u+"/revisions", map[string]any{}).text("id")
	c.post(201, u+"/deploy-revision?revisionId="+revision, toDefault)
	if step := server.Loaded().APIs[0].Operations[0].Request[0]; step.Name != "paint" || step.Parameters["secret"] != "shh" {
		t.Errorf("the gateway runs %v", step)
	}
	again := operation(t, c.get(200, u), "GET", "/*")
	if again.at("operationPolicies", "request").([]any)[0].(map[string]any)["policyId"] != clone {
		t.Error("another clone")
	}
	for parameter, code := range map[string]float64{"": 902009} {
		if got := c.refused(400, "PUT", u, func() any {
			g := c.get(200, u)
			g.any["operations"].([]any)[0].(map[string]any)["operationPolicies"] = map[string]any{"request": []any{map[string]any{"policyName": "paint", "policyId": clone,
				"parameters": map[string]any{"colour": parameter}}}}
			return g.any
		}()); got != code {
			t.Errorf("without a colour: %v", got)
		}
	}
}

// TestDefinition: operations and the OpenAPI document are two sides of one thing.
func TestDefinition(t *testing.T) {
	c, _ := newClient(t, nil)
	id := c.newAPI("Defined", map[string]any{"operations": []any{map[string]any{"target": "/a", "verb": "POST", "throttlingPolicy": "10KPerMin"}}})
	u := publisherAPI + "/apis/" + id
	got := c.put(200, u+"/swagger", texts("apiDefinition", openAPIFile))
	if got.at("info", "title") != "Defined" || got.at("paths", "/z", "get", "summary") != "s" || got.at("paths", "/z", "get", "x-throttling-tier") != "Unlimited" {
		t.Errorf("document: %s", got.raw)
	}
	if !strings.Contains(got.raw, `"/z"`) || strings.Index(got.raw, `"/z"`) > strings.Index(got.raw, `"/a"`) {
		t.Error("paths are not in their order")
	}
	api := c.get(200, u)
	operation(t, api, "GET", "/z")
	operations := api.any["operations"].([]any)
	api.any["operations"] = append(operations[:0:0], operations[1:]...) // without GET /z
	c.put(200, u, api.any)
	if after := c.get(200, u+"/swagger"); after.at("paths", "/z") != nil || after.at("paths", "/a") == nil {
		t.Errorf("document after an update: %s", after.raw)
	}
	for text, code := range map[string]float64{"nonsense": 900754, `{"openapi":"3.0.1"}`: 900754, `{"openapi":"3.0.1","info":{"title":"x"},"paths":{}}`: 900754} {
		if got := c.refused(400, "PUT", u+"/swagger", texts("apiDefinition", text)); got != code {
			t.Errorf("%s: %v", text, got)
		}
	}
	yaml := "openapi: 3.0.1\ninfo:\n  title: x\n  version: 1.0.0\npaths:\n  /y:\n    get:\n      responses:\n        \"200\":\n          description: ok\n"
	c.put(200, u+"/swagger", texts("apiDefinition", yaml))
	operation(t, c.get(200, u), "GET", "/y")
}

// TestThirdParty: what others serve has no revisions, and only such APIs are of type ASYNC.
func TestThirdParty(t *testing.T) {
	c, _ := newClient(t, nil)
	deployed := func(name string) (u, revision string) {
		u = publisherAPI + "/apis/" + c.newAPI(name, nil)
		revision = c.post(201, u+"/revisions", map[string]any{}).text("id")
		c.post(201, u+"/deploy-revision?revisionId="+revision, toDefault)
		return u, revision
	}
	u, revision := deployed("Theirs")
	api := c.get(200, u)
	api.any["advertiseInfo"].(map[string]any)["advertised"] = true
	c.put(200, u, api.any)
	if code := c.refused(400, "POST", u+"/revisions", map[string]any{}); code != 903225 {
		t.Errorf("revision: %v", code)
	}
	for _, id := range []string{revision, "none"} {
		if code := c.refused(400, "POST", u+"/deploy-revision?revisionId="+id, toDefault); code != 903226 {
			t.Errorf("deployment of %s: %v", id, code)
		}
	}
	c.post(201, u+"/undeploy-revision?revisionId="+revision, toDefault)

	u, revision = deployed("Retired")
	for _, action := range []string{"Publish", "Deprecate", "Retire"} {
		c.post(200, publisherAPI+"/apis/change-lifecycle?apiId="+path.Base(u)+"&action="+action, nil)
	}
	if code := c.refused(400, "POST", u+"/deploy-revision?revisionId="+revision, toDefault); code != 903227 {
		t.Errorf("deployment of what is retired: %v", code)
	}

	fields := `{"name":"Async","context":"/async","version":"1","type":"ASYNC"`
	for text, want := range map[string]string{
		fields + `}`: "only can be created as third party APIs",
		fields + `,"advertiseInfo":{"advertised":false}}`: "only can be created as third party APIs",
	} {
		if got := c.post(400, publisherAPI+"/apis/import-asyncapi", texts("additionalProperties", text).file("file", "a.json", asyncFile)); !strings.Contains(got.raw, want) {
			t.Errorf("%s: %s", text, got.raw)
		}
	}
	if got := c.post(400, publisherAPI+"/apis/import-asyncapi", texts("additionalProperties", fields+"}")); !strings.Contains(got.raw, "One out of 'file'") {
		t.Errorf("without a file: %s", got.raw)
	}
	if got := c.post(400, publisherAPI+"/apis/import-asyncapi", form{}.file("file", "a.json", asyncFile)); got.number("code") != 400 {
		t.Errorf("without fields: %s", got.raw)
	}
	c.post(201, publisherAPI+"/apis/import-asyncapi", texts("additionalProperties", fields+`,"advertiseInfo":{"advertised":true}}`).file("file", "a.json", asyncFile))
}

// TestRevisions: five at most, numbers that do not come again, and what is deployed cannot go.
func TestRevisions(t *testing.T) {
	c, _ := newClient(t, nil)
	id := c.newAPI("Revised", nil)
	u := publisherAPI + "/apis/" + id
	var ids []string
	for range 5 {
		ids = append(ids, c.post(201, u+"/revisions", map[string]any{"description": "r"}).text("id"))
	}
	if code := c.refused(400, "POST", u+"/revisions", map[string]any{}); code != 900351 {
		t.Errorf("sixth: %v", code)
	}
	c.delete(200, u+"/revisions/"+ids[0])
	if name := c.post(201, u+"/revisions", map[string]any{}).text("displayName"); name != "Revision 6" {
		t.Errorf("name: %s", name)
	}
	at := u + "/deploy-revision?revisionId="
	for _, test := range []struct {
		what any
		code float64
	}{
		{[]any{map[string]any{"name": "Nothing", "vhost": "localhost"}}, 900504}, {[]any{map[string]any{"vhost": "localhost"}}, 900504},
		{[]any{map[string]any{"name": "Default", "vhost": "elsewhere"}}, 900512}, {[]any{map[string]any{"name": "Default"}}, 900511},
	} {
		if code := c.refused(400, "POST", at+ids[1], test.what); code != test.code {
			t.Errorf("%v: %v, want %v", test.what, code, test.code)
		}
	}
	c.post(201, at+ids[1], toDefault)
	c.post(201, at+ids[2], toDefault) // takes the place of the other
	if list := c.get(200, u+"/revisions?query=deployed:true").list(); len(list) != 1 || list[0].text("id") != ids[2] {
		t.Errorf("deployed: %v", list)
	}
	if code := c.refused(400, "DELETE", u+"/revisions/"+ids[2], nil); code != 900348 {
		t.Errorf("deleting what is deployed: %v", code)
	}
	if shown := c.put(200, u+"/deployments/RGVmYXVsdA", map[string]any{"revisionUuid": ids[2], "displayOnDevportal": false}); shown.at("displayOnDevportal") != false {
		t.Errorf("deployment: %v", shown.any)
	}
	c.refused(404, "PUT", u+"/deployments/bm9uZQ", map[string]any{"revisionUuid": ids[2]})
	got := c.get(200, u)
	got.any["description"] = "edited"
	c.put(200, u, got.any)
	c.post(201, u+"/restore-revision?revisionId="+ids[2], nil)
	if c.get(200, u).any["description"] != nil {
		t.Error("the working copy was not restored")
	}
	if kept := c.get(200, publisherAPI+"/apis/"+ids[2]); kept.at("isRevision") != true || kept.text("revisionedApiId") != id || kept.number("revisionId") != 3 {
		t.Errorf("revision as an API: %v", kept.any["revisionId"])
	}
	c.post(201, u+"/undeploy-revision?revisionId="+ids[2], toDefault)
	if c.refused(500, "POST", publisherAPI+"/apis/nothing/revisions", map[string]any{}) != 500 {
		t.Error("revision of nothing")
	}
}

// TestLifecycle walks the graph.
func TestLifecycle(t *testing.T) {
	c, _ := newClient(t, nil)
	id := c.newAPI("Living", nil)
	u := publisherAPI + "/apis/" + id
	revision := c.post(201, u+"/revisions", map[string]any{}).text("id")
	c.post(201, u+"/deploy-revision?revisionId="+revision, toDefault)
	do := func(status int, action string) body {
		return c.post(status, publisherAPI+"/apis/change-lifecycle?apiId="+id+"&action="+strings.ReplaceAll(action, " ", "%20"), nil)
	}
	for _, step := range []struct{ action, state string }{{"Deploy as a Prototype", "Prototyped"}, {"Demote to Created", "Created"}, {"Publish", "Published"}, {"Block", "Blocked"},
		{"Re-Publish", "Published"}, {"Deprecate", "Deprecated"}, {"Retire", "Retired"}} {
		if got := do(200, step.action).text("lifecycleState", "state"); got != step.state {
			t.Errorf("%s: %s", step.action, got)
		}
		if code := do(400, "Nonsense").number("code"); code != 903234 {
			t.Errorf("nonsense: %v", code)
		}
	}
	if len(c.get(200, u+"/lifecycle-history").list()) != 8 {
		t.Error("history")
	}
	var deployed []any
	if raw := c.get(200, u+"/deployments").raw; raw != "[]" {
		t.Errorf("retired and deployed: %s %v", raw, deployed)
	}
	free := c.newAPI("Free", map[string]any{"policies": []string{}})
	if code := c.refused(400, "POST", publisherAPI+"/apis/change-lifecycle?action=Publish&apiId="+free, nil); code != 903224 {
		t.Errorf("publish without tiers: %v", code)
	}
}

// TestProducts: a product holds operations of APIs, which cannot go while it does.
func TestProducts(t *testing.T) {
	c, server := newClient(t, nil)
	one := c.newAPI("One", map[string]any{"operations": []any{map[string]any{"target": "/a", "verb": "GET"}, map[string]any{"target": "/b", "verb": "GET"}}})
	two := c.newAPI("Two", map[string]any{"operations": []any{map[string]any{"target": "/a", "verb": "GET"}}})
	member := func(api, target string) map[string]any {
		return map[string]any{"apiId": api, "operations": []any{map[string]any{"target": target, "verb": "GET"}}}
	}
	product := func(members ...any) map[string]any {
		return map[string]any{"name": "Bundle", "context": "/bundle", "policies": []string{"Gold"}, "apis": members}
	}
	if code := c.refused(400, "POST", publisherAPI+"/api-products", product(member(one, "/a"), member(two, "/a"))); code != 900341 {
		t.Errorf("one operation of two APIs: %v", code)
	}
	c.refused(500, "POST", publisherAPI+"/api-products", product(member(one, "/nothing")))
	made := c.post(201, publisherAPI+"/api-products", product(member(one, "/a")))
	if made.text("version") != "1.0.0" || made.text("state") != "CREATED" {
		t.Errorf("product: %v", made.any)
	}
	id := made.text("id")
	u := publisherAPI + "/api-products/" + id
	api := c.get(200, publisherAPI+"/apis/"+one)
	api.any["operations"] = api.any["operations"].([]any)[1:]
	if code := c.refused(409, "PUT", publisherAPI+"/apis/"+one, api.any); code != 900344 {
		t.Errorf("taking an operation away: %v", code)
	}
	c.refused(409, "DELETE", publisherAPI+"/apis/"+one, nil)
	revision := c.post(201, u+"/revisions", map[string]any{}).text("id")
	c.post(201, u+"/deploy-revision?revisionId="+revision, toDefault)
	c.post(200, publisherAPI+"/api-products/change-lifecycle?action=Publish&apiProductId="+id, nil)
	app := c.post(201, devportalAPI+"/applications", map[string]any{"name": "web", "throttlingPolicy": "Unlimited"}).text("applicationId")
	c.post(201, devportalAPI+"/subscriptions", map[string]any{"applicationId": app, "apiId": id, "throttlingPolicy": "Gold"})
	c.refused(409, "DELETE", u, nil)
	loaded := server.Loaded().APIs
	if len(loaded) != 1 || loaded[0].Context != "/bundle/1.0.0" || loaded[0].Operations[0].Backends.Production.URLs[0] != "https://b.example.com" {
		t.Errorf("loaded: %+v", loaded)
	}
	renamed := c.get(200, u)
	renamed.any["name"], renamed.any["context"] = "Other", "/elsewhere"
	if got := c.put(200, u, renamed.any); got.text("name") != "Bundle" || got.text("context") != "/elsewhere" {
		t.Errorf("update: %s %s", got.text("name"), got.text("context"))
	}
}

// TestSharedScopes: one that is used cannot go, and is shown in APIs as it is now.
func TestSharedScopes(t *testing.T) {
	c, _ := newClient(t, nil)
	if code := c.refused(400, "POST", publisherAPI+"/scopes", map[string]any{"name": "eat"}); code != 900987 {
		t.Errorf("without a display name: %v", code)
	}
	id := c.post(201, publisherAPI+"/scopes", map[string]any{"name": "eat", "displayName": "Eat", "bindings": []string{"admin"}}).text("id")
	if code := c.refused(409, "POST", publisherAPI+"/scopes", map[string]any{"name": "eat", "displayName": "Eat"}); code != 900984 {
		t.Errorf("twice: %v", code)
	}
	api := c.newAPI("Eater", map[string]any{"scopes": []any{map[string]any{"scope": map[string]any{"name": "eat"}, "shared": true}},
		"operations": []any{map[string]any{"target": "/a", "verb": "GET", "scopes": []string{"eat"}}}})
	if code := c.refused(409, "DELETE", publisherAPI+"/scopes/"+id, nil); code != 900985 {
		t.Errorf("deleting a used one: %v", code)
	}
	if got := c.put(200, publisherAPI+"/scopes/"+id, map[string]any{"name": "other", "displayName": "Eats"}); got.text("name") != "eat" || got.number("usageCount") != 1 {
		t.Errorf("update: %v", got.any)
	}
	scope := c.get(200, publisherAPI+"/apis/"+api).any["scopes"].([]any)[0].(map[string]any)
	if scope["shared"] != true || scope["scope"].(map[string]any)["displayName"] != "Eats" {
		t.Errorf("in the API: %v", scope)
	}
	c.delete(200, publisherAPI+"/apis/"+api)
	c.delete(200, publisherAPI+"/scopes/"+id)
}

// TestIndexLag: lists lag, what is read by id does not.
func TestIndexLag(t *testing.T) {
	c, _ := newClient(t, func(o *apim.Options) { o.IndexLag = 100 * time.Millisecond })
	id := c.newAPI("Late", nil)
	names := func() (out []string) {
		for _, a := range c.get(200, publisherAPI+"/apis").list() {
			out = append(out, a.text("name"))
		}
		return out
	}
	if list := names(); list != nil {
		t.Errorf("listed at once: %v", list)
	}
	c.get(200, publisherAPI+"/apis/"+id)
	c.refused(409, "POST", publisherAPI+"/apis", map[string]any{"name": "Late", "context": "/Late", "version": "1.0.0"})
	time.Sleep(120 * time.Millisecond)
	if list := names(); !slices.Equal(list, []string{"Late"}) {
		t.Errorf("listed later: %v", list)
	}
	c.delete(200, publisherAPI+"/apis/"+id)
	if list := names(); !slices.Equal(list, []string{"Late"}) {
		t.Errorf("listed after it is gone: %v", list)
	}
	c.get(404, publisherAPI+"/apis/"+id)
	time.Sleep(120 * time.Millisecond)
	if list := names(); list != nil {
		t.Errorf("listed for ever: %v", list)
	}
}

// TestSubscriptionUpdates: the requested tier is the one that counts (seen).
func TestSubscriptionUpdates(t *testing.T) {
	for kept, unknown := range map[bool]int{false: 500, true: 200} {
		c, _ := newClient(t, func(o *apim.Options) { o.UnknownTierKept = kept })
		api := c.newAPI("Sub", nil)
		app := c.post(201, devportalAPI+"/applications", map[string]any{"name": "web", "throttlingPolicy": "Unlimited"}).text("applicationId")
		subscription := map[string]any{"applicationId": app, "apiId": api, "throttlingPolicy": "Gold"}
		c.refused(500, "POST", devportalAPI+"/subscriptions", subscription) // it is not published
		c.post(200, publisherAPI+"/apis/change-lifecycle?action=Publish&apiId="+api, nil)
		u := devportalAPI + "/subscriptions/" + c.post(201, devportalAPI+"/subscriptions", subscription).text("subscriptionId")
		update := func(requested string) map[string]any {
			return map[string]any{"applicationId": app, "apiId": api, "throttlingPolicy": "Gold", "requestedThrottlingPolicy": requested, "status": "UNBLOCKED"}
		}
		if got := c.put(200, u, update("Silver")); got.text("throttlingPolicy") != "Silver" || got.any["requestedThrottlingPolicy"] != nil {
			t.Errorf("update: %v", got.any)
		}
		c.put(unknown, u, update("Nothing"))
		c.put(400, u, subscription)
		id := strings.TrimPrefix(u, devportalAPI+"/subscriptions/")
		c.post(200, publisherAPI+"/subscriptions/block-subscription?blockState=BLOCKED&subscriptionId="+id, nil)
		c.put(400, u, update("Gold"))
		c.refused(409, "DELETE", publisherAPI+"/apis/"+api, nil)
	}
}

// TestThumbnail: the picture is written anew.
func TestThumbnail(t *testing.T) {
	c, _ := newClient(t, nil)
	u := publisherAPI + "/apis/" + c.newAPI("Seen", nil)
	c.send(204, "GET", u+"/thumbnail", nil)
	c.put(400, u+"/thumbnail", form{}.file("file", "a.txt", "x"))
	c.put(500, u+"/thumbnail", form{}.file("file", "a.png", "no picture"))
	c.put(201, u+"/thumbnail", form{}.file("file", "a.png", picture()))
	if got := c.get(200, u+"/thumbnail").raw; !strings.HasPrefix(got, "\x89PNG") || got == picture() {
		t.Error("the picture is not written anew")
	}
	got := c.get(200, u)
	c.put(200, u, got.any)
	if c.get(200, u).at("hasThumbnail") != true {
		t.Error("an update of the API took the picture away")
	}
}

// TestDevportalVisibility: who sees what.
func TestDevportalVisibility(t *testing.T) {
	c, _ := newClient(t, nil)
	id := c.newAPI("Restricted", map[string]any{"visibility": "RESTRICTED", "visibleRoles": []string{"Internal/devops"}})
	c.refused(403, "GET", devportalAPI+"/apis/"+id, nil)
	c.post(200, publisherAPI+"/apis/change-lifecycle?action=Publish&apiId="+id, nil)
	c.get(200, devportalAPI+"/apis/"+id)
	anonymous := client{t: t, base: c.base}
	anonymous.refused(403, "GET", devportalAPI+"/apis/"+id, nil)
	if n := len(anonymous.get(200, devportalAPI+"/apis").list()); n != 0 {
		t.Errorf("anonymous sees %d", n)
	}
	if n := len(c.get(200, devportalAPI+"/apis").list()); n != 1 {
		t.Errorf("admin sees %d", n)
	}
}

// TestAPISnapshot: all of an API survives a restart.
func TestAPISnapshot(t *testing.T) {
	c, server := newClient(t, nil)
	everyPublisherOperation(c)
	before, err := server.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Restore(before); err != nil {
		t.Fatal(err)
	}
	after, err := server.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("a snapshot that is restored is another")
	}
	for _, a := range c.get(200, publisherAPI+"/apis?limit=100").list() {
		c.put(200, publisherAPI+"/apis/"+a.text("id"), c.get(200, publisherAPI+"/apis/"+a.text("id")).any)
	}
}
