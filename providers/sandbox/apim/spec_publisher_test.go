package apim_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"io"
	"maps"
	"mime/multipart"
	"slices"
	"strings"
	"time"
)

// A form is a multipart form: texts by name, and files by name with what they are called.
type form struct {
	texts map[string]string
	files map[string][2]string // name: file name, content
}

func (f form) encode() (io.Reader, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(f.texts)) {
		_ = w.WriteField(name, f.texts[name]) // to memory: it does not fail
	}
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		part, _ := w.CreateFormFile(name, f.files[name][0])
		_, _ = io.WriteString(part, f.files[name][1])
	}
	_ = w.Close()
	return &b, w.FormDataContentType()
}

func texts(pairs ...string) form {
	f := form{texts: map[string]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.texts[pairs[i]] = pairs[i+1]
	}
	return f
}

func (f form) file(name, called, content string) form {
	f.files = map[string][2]string{name: {called, content}}
	return f
}

const (
	openAPIFile = `{"openapi":"3.0.1","info":{"title":"T","version":"1"},"paths":{"/z":{"get":{"summary":"s","responses":{"200":{"description":"ok"}}}},
		"/a":{"post":{"responses":{"200":{"description":"ok"}}}}}}`
	asyncFile  = `{"asyncapi":"2.0.0","info":{"title":"T","version":"1"},"channels":{"/rooms":{"subscribe":{},"publish":{}}}}`
	schemaFile = `type Query { pizza(id: ID!): Pizza orders: [String] } type Mutation { order(id: ID): String } type Pizza { name: String }`
	wsdlFile   = `<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" name="T"/>`
	policyFile = `type: operation_policy
version: v4.5.0
data:
  category: Mediation
  name: paint
  version: v1
  displayName: Paint
  description: d
  policyAttributes:
    - {name: colour, displayName: Colour, type: String, required: true, allowedValues: []}
    - {name: secret, displayName: Secret, type: Secret, required: false, allowedValues: []}
  applicableFlows: [request]
  supportedGateways: [Synapse]
  supportedApiTypes: [HTTP]
`
)

func picture() string {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 2))) // to memory: it does not fail
	return b.String()
}

// newAPI makes an API and returns its id.
func (c client) newAPI(name string, more map[string]any) string {
	c.t.Helper()
	fields := map[string]any{"name": name, "context": "/" + name, "version": "1.0.0", "policies": []string{"Gold", "Silver"},
		"endpointConfig": map[string]any{"endpoint_type": "http", "production_endpoints": map[string]any{"url": "https://b.example.com"}}}
	maps.Copy(fields, more)
	return c.post(201, publisherAPI+"/apis", fields).text("id")
}

const (
	publisherAPI = "/api/am/publisher/v4"
	devportalAPI = "/api/am/devportal/v3"
)

var toDefault = []any{map[string]any{"name": "Default", "vhost": "localhost", "displayOnDevportal": true}}

// everyPublisherOperation calls what publisher, devportal, service catalogue and governance serve beside what the recordings call.
func everyPublisherOperation(c client) {
	id := c.newAPI("Full", map[string]any{"operations": []any{map[string]any{"target": "/menu/{id}", "verb": "GET"}, map[string]any{"target": "/order", "verb": "POST"}},
		"tags": []string{"food"}})
	u := publisherAPI + "/apis/" + id
	c.get(200, u+"/swagger")
	c.put(200, u+"/swagger", texts("apiDefinition", openAPIFile))
	c.post(200, publisherAPI+"/apis/validate-openapi", texts("inlineAPIDefinition", openAPIFile))
	c.post(201, publisherAPI+"/apis/import-openapi", texts("additionalProperties", `{"name":"Imported","context":"/imported","version":"1"}`).file("file", "a.json", openAPIFile))
	c.post(200, publisherAPI+"/apis/validate?query=name:Full", nil)
	c.post(201, publisherAPI+"/apis/copy-api?newVersion=2.0.0&apiId="+id, nil)
	for _, path := range []string{"/lifecycle-state", "/lifecycle-history", "/deployments", "/revisions", "/resource-paths", "/subscription-policies", "/monetization",
		"/external-stores", "/endpoints", "/documents", "/operation-policies", "/client-certificates", "/client-certs/SANDBOX", "/environments/Default/keys"} {
		c.get(200, u+path)
	}
	c.delete(200, u+"/lifecycle-state/pending-tasks")
	c.put(200, u+"/environments/Default/keys", map[string]any{"productionEndpoint": "https://c.example.com"})
	document := everyPart(c, u)
	everyPolicy(c, u)

	scope := map[string]any{"name": "eat", "displayName": "Eat", "description": "d", "bindings": []string{"admin"}}
	s := publisherAPI + "/scopes/" + c.post(201, publisherAPI+"/scopes", scope).text("id")
	c.get(200, publisherAPI+"/scopes")
	c.get(200, s)
	c.put(200, s, scope)
	c.get(200, s+"/usage")
	c.send(200, "HEAD", publisherAPI+"/scopes/"+base64.RawURLEncoding.EncodeToString([]byte("eat")), nil)
	c.delete(200, s)

	everyDefinition(c)
	everyProduct(c, id)

	for _, path := range []string{"/throttling-policies/subscription", "/throttling-policies/api", "/throttling-policies/api/10KPerMin", "/throttling-policies/streaming/subscription",
		"/settings", "/external-stores", "/tenants", "/search?query=Full", "/subscriptions?apiId=" + id} {
		c.get(200, publisherAPI+path)
	}
	c.post(200, publisherAPI+"/apis/change-lifecycle?action=Publish&apiId="+id, nil)
	c.post(201, u+"/monetize", map[string]any{"enabled": false, "properties": map[string]any{}})
	app := c.post(201, devportalAPI+"/applications", map[string]any{"name": "Full", "throttlingPolicy": "Unlimited"}).text("applicationId")
	c.post(200, devportalAPI+"/subscriptions/multiple", []any{map[string]any{"applicationId": app, "apiId": id, "throttlingPolicy": "Gold"}})
	subscription := c.get(200, publisherAPI+"/subscriptions?apiId="+id).list()[0].text("subscriptionId")
	c.post(200, publisherAPI+"/subscriptions/change-business-plan?businessPlan=Silver&subscriptionId="+subscription, nil)
	c.get(200, publisherAPI+"/subscriptions/"+subscription+"/subscriber-info")
	v := devportalAPI + "/apis/" + id
	for _, path := range []string{devportalAPI + "/apis", v, v + "/swagger", v + "/documents", v + "/documents/" + document, v + "/thumbnail", v + "/subscription-policies",
		devportalAPI + "/tags", devportalAPI + "/search?query=Full", devportalAPI + "/tenants", devportalAPI + "/subscriptions/" + id + "/additionalInfo"} {
		c.get(200, path)
	}
	c.delete(200, u+"/documents/"+document)
	everyService(c)
	everyRuleset(c)
}

// everyPart fills an API with what has paths of its own; it returns the id of a document.
func everyPart(c client, u string) string {
	endpoint := map[string]any{"name": "second", "deploymentStage": "PRODUCTION", "endpointConfig": map[string]any{"endpoint_type": "http",
		"production_endpoints": map[string]any{"url": "https://d.example.com"}}}
	e := u + "/endpoints/" + c.post(201, u+"/endpoints", endpoint).text("id")
	c.get(200, e)
	c.put(200, e, endpoint)
	c.delete(200, e)

	doc := map[string]any{"name": "How", "type": "HOWTO", "summary": "s", "sourceType": "INLINE", "visibility": "API_LEVEL"}
	id := c.post(201, u+"/documents", doc).text("documentId")
	d := u + "/documents/" + id
	c.get(200, d)
	c.put(200, d, doc)
	c.post(201, d+"/content", texts("inlineContent", "hello"))
	c.get(200, d+"/content")
	c.post(200, u+"/documents/validate?name=How", nil)

	c.put(201, u+"/thumbnail", form{}.file("file", "a.png", picture()))
	c.get(200, u+"/thumbnail")

	certificate := string(newCertificate(c.t, "client", time.Hour))
	c.post(201, u+"/client-certs/PRODUCTION", texts("alias", "cc", "tier", "Gold").file("certificate", "c.pem", certificate))
	k := u + "/client-certs/PRODUCTION/cc"
	c.get(200, k)
	c.get(200, k+"/content")
	c.put(200, k, texts("tier", "Silver"))
	c.get(200, u+"/client-certificates/cc")
	c.delete(200, k)
	return id
}

// everyPolicy makes policies of operations and of gateways.
func everyPolicy(c client, u string) {
	policy := texts().file("policySpecFile", "p.yaml", policyFile)
	p := c.post(201, publisherAPI+"/operation-policies", policy).text("id")
	c.get(200, publisherAPI+"/operation-policies")
	c.get(200, publisherAPI+"/operation-policies/"+p)
	c.get(200, publisherAPI+"/operation-policies/"+p+"/content")
	own := c.post(201, u+"/operation-policies", policy).text("id")
	c.get(200, u+"/operation-policies/"+own)
	c.get(200, u+"/operation-policies/"+own+"/content")
	c.delete(200, u+"/operation-policies/"+own)

	mapping := map[string]any{"displayName": "All", "description": "d", "policyMapping": map[string]any{"request": []any{map[string]any{"policyName": "paint", "policyId": p,
		"policyVersion": "v1", "parameters": map[string]any{"colour": "red"}}}, "response": []any{}, "fault": []any{}}}
	g := publisherAPI + "/gateway-policies/" + c.post(201, publisherAPI+"/gateway-policies", mapping).text("id")
	c.get(200, publisherAPI+"/gateway-policies")
	c.get(200, g)
	c.put(200, g, mapping)
	c.post(200, g+"/deploy", []any{map[string]any{"gatewayLabel": "Default", "gatewayDeployment": true}})
	c.delete(412, g)
	c.post(200, g+"/deploy", []any{map[string]any{"gatewayLabel": "Default", "gatewayDeployment": false}})
	c.delete(200, g)
	c.delete(200, publisherAPI+"/operation-policies/"+p)
}

// everyDefinition makes an API of each kind of document.
func everyDefinition(c client) {
	fields := func(name string) string {
		return strings.ReplaceAll(`{"name":"%","context":"/%","version":"1","policies":[]}`, "%", name)
	}
	c.post(200, publisherAPI+"/apis/validate-graphql-schema", form{}.file("file", "s.graphql", schemaFile))
	g := publisherAPI + "/apis/" + c.post(201, publisherAPI+"/apis/import-graphql-schema", texts("additionalProperties", fields("Gql")).file("file", "s.graphql", schemaFile)).text("id")
	c.get(200, g+"/graphql-schema")
	c.put(200, g+"/graphql-schema", texts("schemaDefinition", schemaFile))
	c.put(200, g+"/graphql-policies/complexity", map[string]any{"list": []any{map[string]any{"type": "Query", "field": "pizza", "complexityValue": 2}}})
	c.get(200, g+"/graphql-policies/complexity")
	c.get(200, g+"/graphql-policies/complexity/types")
	c.post(200, publisherAPI+"/apis/validate-asyncapi", form{}.file("file", "a.json", asyncFile))
	a := publisherAPI + "/apis/" + c.post(201, publisherAPI+"/apis/import-asyncapi", texts("additionalProperties", fields("Async")).file("file", "a.json", asyncFile)).text("id")
	c.get(200, a+"/asyncapi")
	c.put(200, a+"/asyncapi", texts("apiDefinition", asyncFile))
	c.put(200, a+"/topics", map[string]any{"list": []any{map[string]any{"name": "news", "mode": "SUBSCRIBE", "description": "d"}}})
	c.post(200, publisherAPI+"/apis/validate-wsdl", form{}.file("file", "a.wsdl", wsdlFile))
	w := publisherAPI + "/apis/" + c.post(201, publisherAPI+"/apis/import-wsdl", texts("additionalProperties", fields("Wsdl"), "implementationType", "SOAP").file("file", "a.wsdl", wsdlFile)).text("id")
	c.get(200, w+"/wsdl-info")
	c.get(200, w+"/wsdl")
	c.put(200, w+"/wsdl", form{}.file("file", "a.wsdl", wsdlFile))
}

func everyProduct(c client, api string) {
	fields := map[string]any{"name": "Bundle", "context": "/bundle", "policies": []string{"Gold"}, "apis": []any{map[string]any{"apiId": api,
		"operations": []any{map[string]any{"target": "/z", "verb": "GET"}}}}}
	id := c.post(201, publisherAPI+"/api-products", fields).text("id")
	u := publisherAPI + "/api-products/" + id
	c.get(200, publisherAPI+"/api-products")
	c.put(200, u, c.get(200, u).any)
	c.get(200, u+"/swagger")
	c.send(204, "GET", u+"/is-outdated", nil)
	revision := c.post(201, u+"/revisions", map[string]any{"description": "r"}).text("id")
	c.get(200, u+"/revisions")
	c.post(201, u+"/deploy-revision?revisionId="+revision, toDefault)
	c.get(200, u+"/deployments")
	c.post(201, u+"/undeploy-revision?revisionId="+revision, toDefault)
	c.post(201, u+"/restore-revision?revisionId="+revision, nil)
	c.delete(200, u+"/revisions/"+revision)
	c.post(200, publisherAPI+"/api-products/change-lifecycle?action=Publish&apiProductId="+id, nil)
	c.get(200, u+"/lifecycle-state")
	c.delete(200, u)
}

func everyService(c client) {
	const at = "/api/am/service-catalog/v1/services"
	metadata := `{"name":"Pizza","version":"1","serviceUrl":"https://pizza.example.com","definitionType":"OAS3","serviceKey":"pizza-1"}`
	service := texts("serviceMetadata", metadata).file("definitionFile", "a.json", openAPIFile)
	id := c.post(201, at, service).text("id")
	c.post(409, at, service)
	c.get(200, at)
	c.get(200, at+"/"+id)
	c.put(200, at+"/"+id, service)
	c.get(200, at+"/"+id+"/usage")
	c.get(200, at+"/"+id+"/definition")
	api := c.post(201, publisherAPI+"/apis/import-service?serviceKey=pizza-1", map[string]any{"name": "Served", "context": "/served", "version": "1"}).text("id")
	c.put(200, publisherAPI+"/apis/"+api+"/reimport-service", nil)
	c.delete(409, at+"/"+id)
	c.delete(200, publisherAPI+"/apis/"+api)
	c.delete(204, at+"/"+id)
}

func everyRuleset(c client) {
	const at = "/api/am/governance/v1"
	ruleset := texts("name", "Names", "ruleType", "API_METADATA", "artifactType", "REST_API", "provider", "us").file("rulesetContent", "r.yaml",
		"rules:\n  named:\n    given: $.name\n    then:\n      function: truthy\n")
	id := c.post(201, at+"/rulesets", ruleset).text("id")
	c.post(409, at+"/rulesets", ruleset)
	c.get(200, at+"/rulesets")
	c.get(200, at+"/rulesets/"+id)
	c.put(200, at+"/rulesets/"+id, ruleset)
	c.get(200, at+"/rulesets/"+id+"/content")
	policy := map[string]any{"name": "Names", "description": "d", "rulesets": []string{id}, "labels": []string{"GLOBAL"}, "governableStates": []string{"API_PUBLISH"},
		"actions": []any{map[string]any{"state": "API_PUBLISH", "ruleSeverity": "ERROR", "type": "BLOCK"}}}
	p := at + "/policies/" + c.post(201, at+"/policies", policy).text("id")
	c.post(409, at+"/policies", policy)
	c.get(200, at+"/policies")
	c.get(200, p)
	c.put(200, p, policy)
	c.get(200, at+"/rulesets/"+id+"/usage")
	c.delete(409, at+"/rulesets/"+id)
	c.delete(204, p)
	c.delete(204, at+"/rulesets/"+id)
}
