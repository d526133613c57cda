package oracle

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const publisherAPI = "/api/am/publisher/v4"

// TestRequestsPublisher compares answers about APIs and all that hangs on them: revisions,
// deployments, the lifecycle, definitions, documents, policies, scopes, products, subscriptions.
func TestRequestsPublisher(t *testing.T) {
	c, requests := compareAPIM(t, 3000)
	p := &publisherRequests{comparison: c, odd: os.Getenv("WSO2PLAN_ORACLE_ODD") != ""}
	for _, name := range []string{"First", "Second"} {
		r := c.send("app-create", "POST", devportal+"/applications", map[string]any{"name": name, "throttlingPolicy": "Unlimited"})
		p.applications = append(p.applications, thing{id: r.text("applicationId"), name: name})
	}
	p.packPolicies()
	for c.count < requests && !t.Failed() {
		p.next()
	}
	c.report()
}

// packPolicies gives both servers the same common operation policies: apim-parts has none.
func (p *publisherRequests) packPolicies() {
	list := p.sandbox("GET", publisherAPI+"/operation-policies?limit=200")
	for _, x := range list["list"].([]any) {
		p.sandbox("DELETE", publisherAPI+"/operation-policies/"+x.(map[string]any)["id"].(string))
	}
	for _, body := range packPolicies {
		p.send("policy-create", "POST", publisherAPI+"/operation-policies", body)
	}
}

// publisherRequests makes requests out of what it knows to be there.
type publisherRequests struct {
	*comparison
	odd           bool // bodies also hold what is seldom sent, and what is wrong
	made          int
	apis          []*apiThing
	products      []*apiThing
	scopes        []thing
	policies      []thing // common operation policies
	applications  []thing
	subscriptions []thing
}

// An apiThing is an API or a product that both servers have.
type apiThing struct {
	thing     // kind is its type, or "PRODUCT"
	context   string
	version   string
	targets   []string // "GET /menu"
	revisions []thing
	documents []thing
	policies  []thing // of its own
}

func (a *apiThing) path() string {
	if a.kind == "PRODUCT" {
		return publisherAPI + "/api-products/" + a.id
	}
	return publisherAPI + "/apis/" + a.id
}

func (p *publisherRequests) next() {
	if len(p.apis) < 3 {
		p.create()
		return
	}
	a := p.anAPI()
	switch n := p.rand.IntN(100); {
	case n < 9:
		p.create()
	case n < 15:
		p.send("api-get", "GET", a.path(), nil)
	case n < 30:
		p.update(a)
	case n < 33:
		p.removeAPI(a)
	case n < 38:
		p.questions(a)
	case n < 46:
		p.lifecycle(a)
	case n < 56:
		p.revision(a)
	case n < 64:
		p.document(a)
	case n < 68:
		p.definition(a)
	case n < 74:
		p.policy(a)
	case n < 79:
		p.sharedScope()
	case n < 92:
		p.product()
	default:
		p.subscription()
	}
}

// label makes a name that nothing has yet.
func (p *publisherRequests) label(stem string) string {
	p.made++
	return stem + strings.Repeat("I", p.made/26) + string(rune('a'+p.made%26))
}

// anAPI returns one of the APIs, or one that is not there.
func (p *publisherRequests) anAPI() *apiThing {
	if len(p.apis) == 0 || p.chance(3) {
		return &apiThing{thing: thing{id: pick(p.comparison, nobody, "nothing"), name: "Nothing", kind: "HTTP"}, context: "/nothing", version: "1.0.0"}
	}
	return pick(p.comparison, p.apis...)
}

// drop deletes an API or a product without comparing: something about it differs already.
func (p *publisherRequests) drop(a *apiThing) {
	for _, s := range slices.Clone(p.subscriptions) {
		if s.kind == a.id {
			p.both("DELETE", devportal+"/subscriptions/"+s.id)
			p.subscriptions = without(p.subscriptions, s.id)
		}
	}
	for _, product := range slices.Clone(p.products) {
		if product != a && a.kind != "PRODUCT" && slices.Contains(product.targets, a.id) {
			p.drop(product)
		}
	}
	p.both("DELETE", a.path())
	p.apis = slices.DeleteFunc(p.apis, func(x *apiThing) bool { return x == a })
	p.products = slices.DeleteFunc(p.products, func(x *apiThing) bool { return x == a })
}

// check drops an API when the answers about it differ.
func (p *publisherRequests) check(a *apiThing, r reply) bool {
	if !r.same {
		p.drop(a)
	}
	return r.same && r.ok()
}

// Bodies of APIs.

var verbs = []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"}

func (p *publisherRequests) operations() []any {
	c := p.comparison
	out := []any{}
	for range 1 + c.rand.IntN(3) {
		o := map[string]any{"target": pick(c, "/menu", "/order", "/order/{id}", "/*", "/a-b_c.d", "/x/{one}/{two}"), "verb": pick(c, verbs[:5]...)}
		if slices.ContainsFunc(out, func(other any) bool {
			m := other.(map[string]any)
			return m["target"] == o["target"] && m["verb"] == o["verb"]
		}) {
			continue
		}
		p.maybe(o, "authType", "Application & Application User", "Application", "Application User", "None", "Any")
		p.maybe(o, "throttlingPolicy", "Unlimited", "10KPerMin", "50KPerMin", "Unlimited", nil)
		if p.seldom(4) {
			o["throttlingPolicy"] = "Nothing"
		}
		if len(p.scopes) > 0 && p.chance(10) {
			o["scopes"] = []any{pick(c, p.scopes...).name}
		}
		if p.chance(20) {
			o["operationPolicies"] = p.flows()
		}
		if p.chance(10) {
			o["id"] = pick(c, "", "5", "x")
		}
		out = append(out, o)
	}
	return out
}

// flows are uses of policies.
func (p *publisherRequests) flows() map[string]any {
	c := p.comparison
	use := func() map[string]any {
		u := map[string]any{"policyName": "addHeader", "policyVersion": "v1", "parameters": map[string]any{"headerName": "X-A", "headerValue": pick[any](c, "b", 5, true)}}
		n := c.rand.IntN(6)
		if n != 0 && !p.odd {
			n = 9
		}
		switch n {
		case 0:
			u = map[string]any{"policyName": "jsonToXML", "policyVersion": "v1", "parameters": map[string]any{}}
		case 1:
			u["parameters"] = pick[any](c, map[string]any{}, map[string]any{"headerName": ""}, map[string]any{"headerName": "X-A", "headerValue": "x", "more": "y"})
		case 2:
			u["policyName"] = "nothing"
		case 3:
			u["policyType"] = pick(c, "common", "api")
		}
		if p.seldom(5) {
			delete(u, "policyVersion")
		}
		return u
	}
	out := map[string]any{}
	for _, flow := range some(c, "request", "response", "fault") {
		out[flow] = []any{use()}
		if p.chance(20) {
			out[flow] = []any{}
		}
	}
	return out
}

func (p *publisherRequests) endpointConfig() map[string]any {
	c := p.comparison
	return pick(c,
		map[string]any{"endpoint_type": "http", "production_endpoints": map[string]any{"url": "https://backend.example.com"}},
		map[string]any{"endpoint_type": "http", "production_endpoints": map[string]any{"url": "https://backend.example.com"},
			"sandbox_endpoints": map[string]any{"url": "http://sandbox.example.com:8080/x"}},
		map[string]any{"endpoint_type": "http", "sandbox_endpoints": map[string]any{"url": "http://sandbox.example.com"}},
		map[string]any{"endpoint_type": "address", "production_endpoints": map[string]any{"url": "https://backend.example.com"}},
		map[string]any{"endpoint_type": "load_balance", "algoCombo": "org.apache.synapse.endpoints.algorithms.RoundRobin", "algoClassName": "x",
			"sessionManagement": "", "sessionTimeOut": "", "production_endpoints": []any{map[string]any{"url": "https://a.example.com"}, map[string]any{"url": "https://b.example.com"}}},
		map[string]any{"endpoint_type": "failover", "failOver": true, "production_endpoints": map[string]any{"url": "https://a.example.com"},
			"production_failovers": []any{map[string]any{"url": "https://b.example.com"}}},
		map[string]any{"endpoint_type": "default", "production_endpoints": map[string]any{"url": "default"}, "sandbox_endpoints": map[string]any{"url": "default"}},
		map[string]any{"endpoint_type": "http", "production_endpoints": map[string]any{"url": pick(c, "not an address", "ftp://x", "", "http://", "backend")}},
		map[string]any{"endpoint_type": "http", "production_endpoints": map[string]any{"url": "https://backend.example.com", "config": map[string]any{
			"retryDelay": "100", "retryTimeOut": "3", "actionSelect": "fault", "actionDuration": "30000"}}},
		map[string]any{"endpoint_type": "http", "production_endpoints": map[string]any{"url": "https://backend.example.com"},
			"endpoint_security": map[string]any{"production": map[string]any{"enabled": true, "type": pick(c, "BASIC", "DIGEST", "basic"), "username": "u", "password": pick(c, "secret", "")}}})
}

func (p *publisherRequests) apiBody(name, context, version string) map[string]any {
	c := p.comparison
	body := map[string]any{"name": name, "context": context, "version": version}
	if p.chance(85) {
		body["policies"] = anyList(some(c, "Bronze", "Gold", "Silver", "Unlimited"))
	}
	if p.chance(85) {
		body["operations"] = p.operations()
	}
	if p.chance(85) {
		body["endpointConfig"] = p.endpointConfig()
	}
	seldom := func(name string, values ...any) {
		if p.seldom(4) {
			body[name] = pick(c, values...)
		}
	}
	seldom("displayName", "Shown", "", "Ünicode – name", nil)
	seldom("description", "described", "", nil, "two\nlines")
	seldom("type", "HTTP", "HTTP", "REST", "http", nil)
	seldom("visibility", "PUBLIC", "PRIVATE", "RESTRICTED", "nothing")
	seldom("visibleRoles", []any{"admin"}, []any{"Internal/subscriber", "admin"}, []any{"nobody-has-this"}, []any{}, nil)
	seldom("accessControl", "NONE", "RESTRICTED")
	seldom("accessControlRoles", []any{"admin"}, []any{"Internal/Creator"}, []any{"nobody-has-this"}, []any{})
	seldom("subscriptionAvailability", "CURRENT_TENANT", "SPECIFIC_TENANTS", "ALL_TENANTS")
	seldom("subscriptionAvailableTenants", []any{"acme.com"}, []any{})
	seldom("tags", []any{"food"}, []any{"food", "drink"}, []any{"a,b"}, []any{" x "}, []any{})
	seldom("transport", []any{"http"}, []any{"https", "http"}, []any{"https"}, []any{"ftp"}, []any{})
	seldom("securityScheme", []any{"oauth2"}, []any{"oauth2", "api_key"}, []any{"api_key"}, []any{"basic_auth"}, []any{"mutualssl", "mutualssl_mandatory"},
		[]any{"mutualssl", "oauth2", "oauth_basic_auth_api_key_mandatory"}, []any{"mutualssl"}, []any{"nothing"}, []any{})
	seldom("audiences", []any{"all"}, []any{"one", "two"}, []any{})
	seldom("authorizationHeader", "Authorization", "X-Auth", "", "with space", nil)
	seldom("apiKeyHeader", "ApiKey", "X-Key", "", nil)
	seldom("apiThrottlingPolicy", "Unlimited", "10KPerMin", "Nothing", "", nil)
	seldom("isDefaultVersion", true, false)
	seldom("enableSchemaValidation", true, false)
	seldom("responseCachingEnabled", true, false)
	seldom("cacheTimeout", 300, 60, 0, -1, nil)
	seldom("enableSubscriberVerification", true, false)
	seldom("endpointImplementationType", "ENDPOINT", "INLINE", "MOCKED_OAS", "nothing", nil)
	seldom("maxTps", map[string]any{"production": 100}, map[string]any{"production": 100, "sandbox": 50, "productionTimeUnit": "MINUTE"}, map[string]any{}, nil)
	seldom("businessInformation", map[string]any{"businessOwner": "Ann", "businessOwnerEmail": "ann@example.com"}, map[string]any{}, map[string]any{
		"technicalOwner": strings.Repeat("o", 121)}, nil)
	seldom("corsConfiguration", map[string]any{"corsConfigurationEnabled": true, "accessControlAllowOrigins": []any{"https://a.example.com"}, "accessControlAllowHeaders": []any{"X-A"},
		"accessControlAllowMethods": []any{"GET"}, "accessControlAllowCredentials": true}, map[string]any{"corsConfigurationEnabled": true}, map[string]any{}, nil)
	seldom("additionalProperties", []any{map[string]any{"name": "colour", "value": "blue", "display": true}}, []any{map[string]any{"name": "colour", "value": "blue", "display": false},
		map[string]any{"name": "size", "value": "", "display": true}}, []any{map[string]any{"name": "with space", "value": "x", "display": true}},
		[]any{map[string]any{"name": "colour", "value": "x"}}, []any{map[string]any{"name": "Version", "value": "x", "display": false}}, []any{})
	seldom("keyManagers", []any{"all"}, []any{"Resident Key Manager"}, []any{"Nothing"}, []any{}, "all", nil)
	seldom("categories", []any{}, []any{"Nothing"}, nil)
	seldom("scopes", []any{map[string]any{"scope": map[string]any{"name": "local:read", "displayName": "Local", "description": "d", "bindings": []any{"admin"}}, "shared": false}},
		[]any{map[string]any{"scope": map[string]any{"name": "local:write", "bindings": []any{}}}}, []any{map[string]any{"scope": map[string]any{"name": "bad", "bindings": []any{"nobody-has-this"}}, "shared": false}},
		[]any{map[string]any{"scope": map[string]any{"name": "nobody:shares", "bindings": []any{}}, "shared": true}}, []any{})
	seldom("apiPolicies", p.flows(), map[string]any{"request": []any{}}, nil)
	seldom("mediationPolicies", []any{}, nil)
	seldom("websubSubscriptionConfiguration", map[string]any{"enable": true, "secret": "s"}, nil)
	seldom("subtypeConfiguration", map[string]any{"subtype": "DEFAULT", "configuration": nil}, map[string]any{}, nil)
	seldom("advertiseInfo", map[string]any{"advertised": false}, map[string]any{"advertised": true, "originalDevPortalUrl": "https://portal.example.com",
		"apiExternalProductionEndpoint": "https://x.example.com", "vendor": "WSO2"}, map[string]any{}, nil)
	seldom("gatewayVendor", "wso2", nil)
	seldom("gatewayType", "wso2/synapse", "wso2/apk", nil)
	seldom("visibleOrganizations", []any{"all"}, []any{"none"}, []any{}, nil)
	seldom("organizationPolicies", []any{}, nil)
	seldom("provider", "admin", "nobody-is-called-so", "", nil)
	seldom("lifeCycleStatus", "CREATED", "PUBLISHED", nil)
	seldom("id", nobody, nil)
	seldom("egress", true, false, nil)
	seldom("monetization", nil, map[string]any{"enabled": false, "properties": map[string]any{}})
	seldom("threatProtectionPolicies", nil, map[string]any{})
	seldom("hasThumbnail", true, false)
	seldom("workflowStatus", "APPROVED", nil)
	return body
}

// seldom is true in so many of a hundred cases where odd bodies are asked for.
func (p *publisherRequests) seldom(percent int) bool { return p.odd && p.chance(percent) }

// maybe puts a member in, in half of the cases.
func (p *publisherRequests) maybe(body map[string]any, name string, values ...any) {
	if p.chance(50) {
		body[name] = pick(p.comparison, values...)
	}
}

func (p *publisherRequests) create() {
	c := p.comparison
	if len(p.apis) >= 8 {
		p.removeAPI(pick(c, p.apis...))
		return
	}
	name := p.label(pick(c, "Pizza", "pasta", "Menu-X_", "Two Words "))
	context, version := "/"+strings.ToLower(strings.ReplaceAll(name, " ", "-")), pick(c, "1.0.0", "v2", "2.0.0-beta_1")
	if p.seldom(12) {
		context = pick(c, p.anAPI().context, strings.TrimPrefix(context, "/"), context+"/", context+"/{version}", "/{version}"+context, context+"/a/b", "/with space", context+"!", "", "/", context+".x",
			strings.Repeat("/c", 117))
	}
	if p.seldom(10) {
		name = pick(c, p.anAPI().name, strings.ToUpper(p.anAPI().name), "bad!name", strings.Repeat("n", 61), " "+name+" ", "ü"+name, "a.b/"+name)
	}
	if p.seldom(5) {
		version = pick(c, "1 0", "", strings.Repeat("1", 31), "a/b")
	}
	body := p.apiBody(name, context, version)
	if p.seldom(10) {
		c.spoil(body)
	}
	path := publisherAPI + "/apis"
	if p.chance(10) {
		path += "?openAPIVersion=" + pick(c, "v3", "V3", "v4") // v2, Swagger 2: see exceptions_test.go
	}
	r := c.send("api-create", "POST", path, body)
	if !r.ok() {
		return
	}
	a := &apiThing{thing: thing{r.text("id"), r.text("name"), "HTTP"}, context: r.text("context"), version: r.text("version"), targets: targetsOf(r)}
	p.apis = append(p.apis, a)
	p.check(a, r)
}

func targetsOf(r reply) []string {
	m, _ := r.body.(map[string]any)
	list, _ := m["operations"].([]any)
	var out []string
	for _, o := range list {
		if o, ok := o.(map[string]any); ok {
			verb, _ := o["verb"].(string)
			target, _ := o["target"].(string)
			out = append(out, verb+" "+target)
		}
	}
	return out
}

func (p *publisherRequests) update(a *apiThing) {
	c := p.comparison
	body := p.apiBody(a.name, a.context, a.version)
	if p.chance(10) {
		body[pick(c, "name", "context", "version")] = pick(c, "Other", "/other", "9.9.9")
	}
	if p.seldom(8) {
		c.spoil(body)
	}
	p.put(a, body)
}

// put sends an update and compares what it leaves.
func (p *publisherRequests) put(a *apiThing, body map[string]any) {
	r := p.send("api-put", "PUT", a.path(), body)
	if a.name == "Nothing" || !p.check(a, r) && !(r.same && torn(r)) {
		return
	}
	a.targets = targetsOf(r)
	if p.check(a, p.send("api-get", "GET", a.path(), nil)) && torn(r) {
		p.drop(a) // see exceptions_test.go
	}
}

// torn tells that an update was refused for a policy.
func torn(r reply) bool {
	m, _ := r.body.(map[string]any)
	return slices.Contains([]string{"902005", "902008", "902009", "903211", "900967"}, fmt.Sprint(m["code"]))
}

func (p *publisherRequests) removeAPI(a *apiThing) {
	r := p.send("api-delete", "DELETE", a.path(), nil)
	if a.name != "Nothing" && (r.ok() || !r.same) {
		p.drop(a)
	}
}

// questions are what is only read, and checks that change nothing.
func (p *publisherRequests) questions(a *apiThing) {
	c := p.comparison
	switch c.rand.IntN(8) {
	case 0:
		c.send("api-resource-paths", "GET", a.path()+"/resource-paths", nil)
	case 1:
		c.send("api-tiers", "GET", a.path()+"/subscription-policies", nil)
	case 2:
		c.send("api-validate", "POST", publisherAPI+"/apis/validate?query="+escaped(pick(c, "name:"+a.name, "name:"+strings.ToUpper(a.name), "context:"+a.context, "context:"+strings.TrimPrefix(a.context, "/"),
			"name:nothing", a.name)), nil)
	case 3:
		c.send("api-lifecycle-history", "GET", a.path()+"/lifecycle-history", nil)
	case 4:
		c.send("api-client-certs", "GET", a.path()+"/client-certificates", nil)
	case 5:
		c.send("api-environment-keys", "GET", a.path()+"/environments/"+pick(c, "Default", "Nothing")+"/keys", nil)
	case 6:
		c.send("api-monetization", "GET", a.path()+"/monetization", nil)
	case 7:
		version := pick(c, "2.0.0", "3", a.version)
		r := c.send("api-copy", "POST", publisherAPI+"/apis/copy-api?newVersion="+escaped(version)+"&apiId="+a.id+pick(c, "", "&defaultVersion=true", "&defaultVersion=false"), nil)
		if r.ok() {
			copied := &apiThing{thing: thing{r.text("id"), r.text("name"), "HTTP"}, context: r.text("context"), version: r.text("version"), targets: targetsOf(r)}
			p.apis = append(p.apis, copied)
			p.check(copied, r)
		} else if !r.same && a.name != "Nothing" {
			p.drop(a)
		}
	}
}

func (p *publisherRequests) lifecycle(a *apiThing) {
	c := p.comparison
	if p.chance(30) {
		p.check(a, c.send("api-state", "GET", a.path()+"/lifecycle-state", nil))
		return
	}
	action := pick(c, "Publish", "Publish", "Publish", "Deploy as a Prototype", "Block", "Re-Publish", "Deprecate", "Demote to Created", "Retire", "Nothing", "publish")
	path := publisherAPI + "/apis/change-lifecycle?apiId="
	if a.kind == "PRODUCT" {
		path = publisherAPI + "/api-products/change-lifecycle?apiProductId="
	}
	r := c.send("api-change-state", "POST", path+a.id+"&action="+escaped(action)+pick(c, "", "", "", "&lifecycleChecklist="+escaped("Deprecate old versions after publishing the API:true")), nil)
	if a.name != "Nothing" {
		p.check(a, r)
	}
}

func (p *publisherRequests) revision(a *apiThing) {
	c := p.comparison
	all := a.path() + "/revisions"
	if a.name == "Nothing" || p.chance(15) {
		c.send("revision-list", "GET", all+pick(c, "", "?query=deployed:true", "?query=deployed:false"), nil)
		return
	}
	if len(a.revisions) == 0 || p.chance(20) {
		body := map[string]any{}
		p.maybe(body, "description", "first", "", nil, strings.Repeat("d", 256))
		if p.seldom(10) {
			c.spoil(body)
		}
		r := c.send("revision-create", "POST", all, body)
		if p.check(a, r) {
			a.revisions = append(a.revisions, thing{id: r.text("id"), name: r.text("displayName")})
		}
		return
	}
	rev := pick(c, a.revisions...)
	id := rev.id
	if p.chance(5) {
		id = nobody
	}
	places := []any{map[string]any{"name": "Default", "vhost": "localhost", "displayOnDevportal": true}}
	if p.chance(15) {
		places = pick(c, []any{}, []any{map[string]any{"name": "Nothing", "vhost": "localhost"}}, []any{map[string]any{"name": "Default", "vhost": "nothing.example.com"}},
			[]any{map[string]any{"name": "Default"}}, []any{map[string]any{"vhost": "localhost"}}, []any{map[string]any{"name": "Default", "vhost": "localhost", "nonsense": 1}})
	}
	switch n := c.rand.IntN(100); {
	case n < 30:
		p.check(a, c.send("revision-deploy", "POST", a.path()+"/deploy-revision?revisionId="+id, places))
	case n < 45:
		p.check(a, c.send("revision-undeploy", "POST", a.path()+"/undeploy-revision?revisionId="+id, places))
	case n < 60:
		p.check(a, c.send("revision-deployments", "GET", a.path()+"/deployments", nil))
	case n < 75:
		r := c.send("revision-delete", "DELETE", all+"/"+id, nil)
		if p.check(a, r) {
			a.revisions = without(a.revisions, id)
		}
	case n < 85:
		r := c.send("revision-restore", "POST", a.path()+"/restore-revision?revisionId="+id, nil)
		if p.check(a, r) && a.kind != "PRODUCT" {
			a.targets = targetsOf(r)
			p.check(a, c.send("api-get", "GET", a.path(), nil))
		}
	case n < 92 && a.kind != "PRODUCT":
		p.check(a, c.send("revision-read", "GET", publisherAPI+"/apis/"+id, nil))
	default:
		p.check(a, c.send("revision-devportal", "PUT", a.path()+"/deployments/"+pick(c, "RGVmYXVsdA", "RGVmYXVsdA==", "Tm90aGluZw", "Default"),
			map[string]any{"revisionUuid": id, "name": "Default", "vhost": "localhost", "displayOnDevportal": p.chance(50)}))
	}
}

func (p *publisherRequests) documentBody(name string) map[string]any {
	c := p.comparison
	body := map[string]any{"name": name, "type": pick(c, "HOWTO", "SAMPLES", "PUBLIC_FORUM", "SUPPORT_FORUM", "SWAGGER_DOC", "OTHER"),
		"sourceType": pick(c, "INLINE", "INLINE", "MARKDOWN", "URL", "FILE"), "visibility": pick(c, "API_LEVEL", "API_LEVEL", "PRIVATE", "OWNER_ONLY")}
	p.maybe(body, "summary", "in short", "", nil)
	if body["type"] == "OTHER" && p.chance(85) {
		body["otherTypeName"] = "Leaflet"
	}
	if body["sourceType"] == "URL" || p.chance(5) {
		body["sourceUrl"] = pick(c, "https://docs.example.com/x", "https://docs.example.com/x", "http://docs.example.com", "nothing", "")
	}
	if p.chance(8) {
		body["inlineContent"] = "text"
	}
	return body
}

func (p *publisherRequests) document(a *apiThing) {
	c := p.comparison
	all := a.path() + "/documents"
	if a.name == "Nothing" || p.chance(10) {
		c.send("document-list", "GET", all+pick(c, "", "?limit=1", "?limit=2&offset=1"), nil)
		return
	}
	if len(a.documents) == 0 || p.chance(25) {
		name := p.label(pick(c, "Guide", "how to ", "FAQ-"))
		if p.chance(10) && len(a.documents) > 0 {
			name = pick(c, a.documents...).name
		}
		if p.chance(5) {
			name = pick(c, "a/b", "a:b", "ü", " x", "what?", strings.Repeat("n", 61))
		}
		body := p.documentBody(name)
		if p.seldom(10) {
			c.spoil(body)
		}
		r := c.send("document-create", "POST", all, body)
		if p.check(a, r) {
			a.documents = append(a.documents, thing{r.text("documentId"), r.text("name"), r.text("sourceType")})
		}
		return
	}
	d := pick(c, a.documents...)
	one := all + "/" + d.id
	if p.chance(5) {
		one = all + "/" + nobody
	}
	switch n := c.rand.IntN(100); {
	case n < 15:
		p.check(a, c.send("document-get", "GET", one, nil))
	case n < 40:
		body := p.documentBody(d.name)
		if p.chance(70) {
			body["sourceType"] = d.kind
			delete(body, "sourceUrl")
			if d.kind == "URL" {
				body["sourceUrl"] = "https://docs.example.com/y"
			}
		}
		if p.chance(10) {
			body["name"] = "Renamed"
		}
		if p.seldom(8) {
			c.spoil(body)
		}
		r := c.send("document-put", "PUT", one, body)
		if p.check(a, r) {
			for i := range a.documents {
				if a.documents[i].id == d.id {
					a.documents[i].kind, a.documents[i].name = r.text("sourceType"), r.text("name")
				}
			}
		}
	case n < 60:
		var body string
		switch c.rand.IntN(5) {
		case 0:
			body = form(part{"file", "guide.txt", "text of a file"})
		case 1:
			body = form()
		default:
			body = form(part{field: "inlineContent", text: pick(c, "# text\n", "ünicode", "x")})
			if d.kind == "FILE" {
				body = form(part{"file", pick(c, "guide.txt", "guide.pdf"), "text of a file"})
			}
		}
		p.check(a, c.send("document-upload", "POST", one+"/content", body))
	case n < 78:
		p.check(a, c.send("document-content", "GET", one+"/content", nil))
	case n < 85:
		p.check(a, c.send("document-validate", "POST", all+"/validate?name="+escaped(pick(c, d.name, "nothing")), nil))
	default:
		r := c.send("document-delete", "DELETE", one, nil)
		if p.check(a, r) && !strings.HasSuffix(one, nobody) {
			a.documents = without(a.documents, d.id)
		}
	}
}

// definition reads the definition of an API and puts another.
func (p *publisherRequests) definition(a *apiThing) {
	c := p.comparison
	if a.kind == "PRODUCT" || a.name == "Nothing" || p.chance(40) {
		r := c.send("api-swagger", "GET", a.path()+"/swagger", nil)
		if a.name != "Nothing" {
			p.check(a, r)
		}
		return
	}
	text := pick(c,
		`{"openapi": "3.0.1", "info": {"title": "T", "version": "1"}, "paths": {"/menu": {"get": {"responses": {"200": {"description": "ok"}}}}, "/new": {"post": {"summary": "s", "responses": {"201": {"description": "made"}}}}}}`,
		`{"openapi": "3.0.1", "info": {"title": "T", "version": "1"}, "paths": {"/order": {"get": {"responses": {"default": {"description": "ok"}}, "x-auth-type": "None"}}}}`,
		`{"openapi": "3.0.1", "info": {"title": "T", "version": "1"}, "paths": {}}`, `{"openapi": "3.0.1"}`, `nothing`)
	r := c.send("api-swagger-put", "PUT", a.path()+"/swagger", form(part{field: "apiDefinition", text: text}))
	if p.check(a, r) {
		r = c.send("api-get", "GET", a.path(), nil)
		a.targets = targetsOf(r)
		p.check(a, r)
	}
}

// Policies of operations.

func (p *publisherRequests) specification(name, version string) string {
	c := p.comparison
	lines := []string{"type: operation_policy", "version: " + pick(c, "v4.5.0", "v4.5.0", "v4.1.0"), "data:", "  category: Mediation", "  name: " + name, "  version: \"" + version + "\"", "  displayName: Shown",
		"  description: described", "  applicableFlows:", "    - request", "  supportedGateways:", "    - Synapse", "  supportedApiTypes:", "    - HTTP"}
	if p.chance(60) {
		lines = append(lines, "  policyAttributes:", "    - name: headerName", "      displayName: Header", "      description: d", "      validationRegex: ^.*$", "      type: String", "      required: true")
	} else {
		lines = append(lines, "  policyAttributes: []")
	}
	if p.seldom(15) {
		i := c.rand.IntN(len(lines))
		lines = slices.Delete(lines, i, i+1)
	}
	return strings.Join(lines, "\n") + "\n"
}

func (p *publisherRequests) policy(a *apiThing) {
	c := p.comparison
	all, list := publisherAPI+"/operation-policies", &p.policies
	if p.chance(40) && a.name != "Nothing" {
		all, list = a.path()+"/operation-policies", &a.policies
	}
	switch n := c.rand.IntN(100); {
	case n < 8:
		c.send("policy-list", "GET", all+"?limit=200", nil)
	case n < 45 && len(*list) < 5:
		name, version := p.label("policy"), pick(c, "v1", "v2", "1")
		if len(*list) > 0 && p.chance(15) {
			name = pick(c, *list...).name
		}
		parts := []part{{"policySpecFile", "spec.yaml", p.specification(name, version)}, {"synapsePolicyDefinitionFile", name + ".j2", "<log/>\n"}}
		if p.chance(10) {
			parts = parts[:1]
		}
		r := c.send("policy-create", "POST", all, form(parts...))
		switch {
		case r.ok():
			*list = append(*list, thing{id: r.text("id"), name: r.text("name")})
			if !r.same {
				p.both("DELETE", all+"/"+r.text("id"))
				*list = without(*list, r.text("id"))
			}
		}
	default:
		id := nobody
		if len(*list) > 0 && p.chance(95) {
			id = pick(c, *list...).id
		}
		switch {
		case n < 65:
			c.send("policy-get", "GET", all+"/"+id, nil)
		case n < 80:
			r := c.send("policy-delete", "DELETE", all+"/"+id, nil)
			if r.ok() {
				*list = without(*list, id)
			}
		default:
			if id != nobody && a.name != "Nothing" {
				var name string
				for _, t := range *list {
					if t.id == id {
						name = t.name
					}
				}
				body := p.apiBody(a.name, a.context, a.version)
				use := map[string]any{"policyName": name, "policyVersion": pick(c, "v1", "v2", "1"), "parameters": map[string]any{"headerName": "X"}}
				p.maybe(use, "policyId", id)
				body["operations"] = []any{map[string]any{"target": "/menu", "verb": "GET", "operationPolicies": map[string]any{"request": []any{use}}}}
				p.put(a, body)
			}
		}
	}
}

// Shared scopes.

func (p *publisherRequests) sharedScope() {
	c, all := p.comparison, publisherAPI+"/scopes"
	s := thing{id: nobody, name: "nothing"}
	if len(p.scopes) > 0 && p.chance(93) {
		s = pick(c, p.scopes...)
	}
	body := func(name string) map[string]any {
		b := map[string]any{"name": name, "displayName": pick(c, "Shown", "Shown", name, "")}
		p.maybe(b, "description", "described", "", nil, strings.Repeat("d", 513))
		p.maybe(b, "bindings", []any{"admin"}, []any{"Internal/creator", "admin"}, []any{}, []any{"nobody-has-this"}, nil)
		if p.seldom(10) {
			c.spoil(b)
		}
		return b
	}
	switch n := c.rand.IntN(100); {
	case n < 8:
		c.send("scope-list", "GET", all+pick(c, "", "?limit=1", "?limit=2&offset=1"), nil)
	case n < 40 && len(p.scopes) < 6:
		name := p.label(pick(c, "shared:", "with space ", "s-"))
		if p.chance(15) {
			name = pick(c, s.name, strings.ToUpper(s.name), "apim:admin", "local:read", "a,b", "ü")
		}
		r := c.send("scope-create", "POST", all, body(name))
		if r.ok() && r.same {
			p.scopes = append(p.scopes, thing{id: r.text("id"), name: r.text("name")})
		} else if r.ok() {
			c.both("DELETE", all+"/"+r.text("id"))
		}
	case n < 55:
		c.send("scope-get", "GET", all+"/"+s.id, nil)
	case n < 60:
		c.send("scope-usage", "GET", all+"/"+s.id+"/usage", nil)
	case n < 80:
		name := s.name
		if p.chance(10) {
			name = "other"
		}
		c.send("scope-put", "PUT", all+"/"+s.id, body(name))
	default:
		r := c.send("scope-delete", "DELETE", all+"/"+s.id, nil)
		if r.ok() {
			p.scopes = without(p.scopes, s.id)
		}
	}
}

// Products.

func (p *publisherRequests) productBody(name, context string) (map[string]any, []string) {
	c := p.comparison
	body := map[string]any{"name": name, "context": context}
	var members []any
	var ids []string
	for range 1 + c.rand.IntN(2) {
		a := p.anAPI()
		if slices.Contains(ids, a.id) {
			continue
		}
		ids = append(ids, a.id)
		m := map[string]any{"apiId": a.id}
		var operations []any
		for _, t := range a.targets {
			verb, target, _ := strings.Cut(t, " ")
			if p.chance(70) {
				operations = append(operations, map[string]any{"verb": verb, "target": target})
			}
		}
		if len(operations) == 0 && p.chance(80) {
			for _, t := range a.targets {
				verb, target, _ := strings.Cut(t, " ")
				operations = append(operations, map[string]any{"verb": verb, "target": target})
			}
		}
		if operations == nil {
			operations = []any{}
		}
		m["operations"] = operations
		p.maybe(m, "name", a.name)
		p.maybe(m, "version", a.version)
		members = append(members, m)
	}
	body["apis"] = members
	if p.chance(80) {
		body["policies"] = anyList(some(c, "Bronze", "Gold"))
	}
	seldom := func(name string, values ...any) {
		if p.seldom(12) {
			body[name] = pick(c, values...)
		}
	}
	seldom("description", "described", "", nil)
	seldom("displayName", "Shown", "", nil)
	seldom("version", "1.0.0", "2.0.0", "", "a b")
	seldom("visibility", "PUBLIC", "PRIVATE", "RESTRICTED")
	seldom("visibleRoles", []any{"admin"}, []any{})
	seldom("tags", []any{"food"}, []any{})
	seldom("transport", []any{"https"}, []any{"ftp"})
	seldom("securityScheme", []any{"oauth2", "api_key"}, []any{"mutualssl", "mutualssl_mandatory"}, []any{})
	seldom("additionalProperties", []any{map[string]any{"name": "colour", "value": "blue", "display": true}})
	seldom("isDefaultVersion", true, false)
	seldom("apiThrottlingPolicy", "10KPerMin", "Nothing", nil)
	seldom("authorizationHeader", "X-Auth", nil)
	seldom("businessInformation", map[string]any{"businessOwner": "Ann"})
	seldom("corsConfiguration", map[string]any{"corsConfigurationEnabled": true})
	seldom("subscriptionAvailability", "CURRENT_TENANT", "ALL_TENANTS")
	seldom("state", "CREATED", "PUBLISHED")
	if p.seldom(8) {
		c.spoil(body)
	}
	return body, ids
}

func (p *publisherRequests) product() {
	c, all := p.comparison, publisherAPI+"/api-products"
	if len(p.products) == 0 || len(p.products) < 4 && p.chance(20) {
		name := p.label("Product")
		context := "/" + strings.ToLower(name)
		if p.seldom(10) {
			context = pick(c, p.anAPI().context, strings.ToLower(name), context+"/", context+"/{version}", "/a b", "")
		}
		if p.seldom(8) {
			name = pick(c, p.anAPI().name, "bad!name", strings.Repeat("n", 51))
		}
		body, ids := p.productBody(name, context)
		r := c.send("product-create", "POST", all, body)
		if r.ok() {
			made := &apiThing{thing: thing{r.text("id"), r.text("name"), "PRODUCT"}, context: r.text("context"), version: r.text("version"), targets: ids}
			p.products = append(p.products, made)
			p.check(made, r)
		}
		return
	}
	a := pick(c, p.products...)
	switch n := c.rand.IntN(100); {
	case n < 15:
		p.check(a, c.send("product-get", "GET", a.path(), nil))
	case n < 40:
		body, ids := p.productBody(a.name, a.context)
		r := c.send("product-put", "PUT", a.path(), body)
		if p.check(a, r) {
			a.targets = ids
			p.check(a, c.send("product-get", "GET", a.path(), nil))
		}
	case n < 50:
		r := c.send("product-delete", "DELETE", a.path(), nil)
		if r.ok() || !r.same {
			p.drop(a)
		}
	case n < 60:
		p.lifecycle(a)
	case n < 80:
		p.revision(a)
	case n < 95:
		p.document(a)
	default:
		p.definition(a)
	}
}

// Subscriptions.

func (p *publisherRequests) subscription() {
	c, all := p.comparison, devportal+"/subscriptions"
	if len(p.subscriptions) == 0 || p.chance(30) {
		a := p.anAPI()
		if len(p.products) > 0 && p.chance(20) {
			a = pick(c, p.products...)
		}
		if p.chance(60) && a.name != "Nothing" {
			path := publisherAPI + "/apis/change-lifecycle?action=Publish&apiId=" + a.id
			if a.kind == "PRODUCT" {
				path = publisherAPI + "/api-products/change-lifecycle?action=Publish&apiProductId=" + a.id
			}
			if r := c.send("api-change-state", "POST", path, nil); !r.same {
				p.drop(a)
				return
			}
		}
		application := pick(c, p.applications...)
		body := map[string]any{"applicationId": application.id, "apiId": a.id, "throttlingPolicy": pick(c, "Bronze", "Gold", "Unlimited", "Nothing")}
		p.maybe(body, "requestedThrottlingPolicy", "Bronze", "Gold")
		if p.seldom(10) {
			c.spoil(body)
		}
		r := c.send("subscription-create", "POST", all, body)
		if r.ok() {
			p.subscriptions = append(p.subscriptions, thing{r.text("subscriptionId"), application.id, a.id})
		}
		if a.name != "Nothing" && !r.same {
			p.drop(a)
		}
		return
	}
	s := pick(c, p.subscriptions...)
	id := s.id
	if p.seldom(5) {
		id = nobody
	}
	drop := func(r reply) {
		if !r.same {
			c.both("DELETE", all+"/"+s.id)
			p.subscriptions = without(p.subscriptions, s.id)
		}
	}
	switch n := c.rand.IntN(100); {
	case n < 15:
		drop(c.send("subscription-get", "GET", all+"/"+id, nil))
	case n < 25:
		drop(c.send("subscription-list", "GET", all+"?"+pick(c, "applicationId="+s.name, "apiId="+s.kind, "applicationId="+s.name+"&apiId="+s.kind, ""), nil))
	case n < 45:
		body := map[string]any{"applicationId": s.name, "apiId": s.kind, "throttlingPolicy": pick(c, "Bronze", "Gold", "Unlimited"), "status": pick(c, "UNBLOCKED", "UNBLOCKED", "BLOCKED", "TIER_UPDATE_PENDING")}
		p.maybe(body, "requestedThrottlingPolicy", "Bronze", "Gold", "Unlimited", "Nothing")
		if p.seldom(10) {
			c.spoil(body)
		}
		drop(c.send("subscription-put", "PUT", all+"/"+id, body))
	case n < 55:
		drop(c.send("subscription-block", "POST", publisherAPI+"/subscriptions/block-subscription?subscriptionId="+id+"&blockState="+pick(c, "BLOCKED", "PROD_ONLY_BLOCKED"), nil))
	case n < 65:
		drop(c.send("subscription-unblock", "POST", publisherAPI+"/subscriptions/unblock-subscription?subscriptionId="+id, nil))
	case n < 72:
		drop(c.send("subscription-publisher", "GET", publisherAPI+"/subscriptions?apiId="+s.kind, nil))
	case n < 76:
		drop(c.send("subscription-subscriber", "GET", publisherAPI+"/subscriptions/"+id+"/subscriber-info", nil))
	default:
		r := c.send("subscription-delete", "DELETE", all+"/"+id, nil)
		if r.ok() {
			p.subscriptions = without(p.subscriptions, id)
		}
		drop(r)
	}
}
