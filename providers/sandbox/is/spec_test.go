package is

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	ctyyaml "github.com/zclconf/go-cty-yaml"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"wso2plan/providers/sandbox/replay"
)

// A wrong is a place where the OpenAPI documents are known not to say what the server does.
type wrong struct {
	method, path string // path.Match pattern of the request's path; "*" as method is every one
	part         string // request, answer
	complaint    string // what the validator's complaint holds
	why          string
}

// wrongDocuments is the one list of them. Refusals are not listed: the documents leave many out and draw others wrong, so they are held against the
// forms of is-behaviour 1.3 to 1.5 instead.
var wrongDocuments = []wrong{
	{"PATCH", "/scim2/Users/*", "request", `/value": value must be an object`, "the value of an operation with a path may be a text [recorded]"},
	{"PATCH", "/scim2/Users/*", "request", `/op": value is not one of`, "operations may be in any letter case [recorded]"},
	{"PATCH", "/scim2/Groups/*", "request", `/value": value must be an object`, "as for users [recorded]"},
	{"PATCH", "/scim2/v2/Roles/*", "request", `/value": value must be an array`, "as for users [recorded]"},
	{"PATCH", "/scim2/Roles/*", "request", `/value": value must be an array`, "as for users"},
	{"GET", "/scim2/Users*", "answer", `property "meta" is missing`, "attributes= leaves meta out [recorded]"},
	{"GET", "/scim2/Users/*", "answer", `property "meta" is missing`, "the same"},
	{"POST", "/scim2/Users/.search", "answer", `property "meta" is missing`, "the same"},
	{"POST", "/scim2/Bulk", "answer", "status is not supported", "200 [recorded], the document knows 201 alone"},
	{"POST", "/api/server/v1/applications/*/authorized-apis", "answer", "status is not supported", "200, the document says 201 (is-behaviour 9)"},
	{"DELETE", "/api/identity/oauth2/v1.0/scopes/name/*", "answer", `Content-Type has unexpected value: ""`, "204 has no body, the document calls it a text"},
	{"POST", "/api/server/v1/api-resources", "answer", "status is not supported", "201, the document says 200 (is-behaviour 9)"},
	{"DELETE", "/api/server/v1/api-resources/*/scopes/*", "answer", "status is not supported", "204 (is-behaviour 9); the document knows refusals alone"},
}

// A specification is one OpenAPI document with its router.
type specification struct {
	prefix string
	router routers.Router
}

func loadSpecifications(t *testing.T, dir, base string) []specification {
	t.Helper()
	var all []specification
	for file, prefix := range map[string]string{
		"scim2.yaml": "/scim2", "dcr-v1.1.yaml": "/api/identity/oauth2/dcr/v1.1", "oauth2-scopes-v1.yaml": "/api/identity/oauth2/v1.0",
		"applications-v1.yaml": "/api/server/v1", "api-resources-v1.yaml": "/api/server/v1", "cors-v1.yaml": "/api/server/v1",
	} {
		text, err := os.ReadFile(filepath.Join(dir, "is-7.1.0", file))
		if err != nil {
			t.Fatal(err)
		}
		var document *openapi3.T
		if bytes.Contains(text[:200], []byte("swagger:")) {
			// The converter reads JSON. DCR calls the query parameter client_name a part of the path.
			text = bytes.Replace(text, []byte("- name: client_name\n          type: string\n          in: path"), []byte("- name: client_name\n          type: string\n          in: query"), 1)
			kind, err := ctyyaml.ImpliedType(text)
			if err != nil {
				t.Fatal(file, err)
			}
			value, err := ctyyaml.Unmarshal(text, kind)
			if err != nil {
				t.Fatal(file, err)
			}
			if text, err = ctyjson.Marshal(value, kind); err != nil {
				t.Fatal(file, err)
			}
			var v2 openapi2.T
			if err := v2.UnmarshalJSON(text); err != nil {
				t.Fatal(file, err)
			}
			if document, err = openapi2conv.ToV3(&v2); err != nil {
				t.Fatal(file, err)
			}
		} else if document, err = openapi3.NewLoader().LoadFromData(text); err != nil {
			t.Fatal(file, err)
		}
		correct(document)
		document.Servers = openapi3.Servers{{URL: base + prefix}}
		router, err := legacy.NewRouter(document, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation(), openapi3.DisableSchemaPatternValidation())
		if err != nil {
			t.Fatal(file, err)
		}
		all = append(all, specification{prefix, router})
	}
	return all
}

// correct changes what the documents say wrong in every place: operation ids that are given twice; SCIM's content type, which may also be
// application/json (is-behaviour 1.14); the member schemas, a list of texts, which is called an object, a text, or schema; e-mails, of which some are
// texts; and userName, required as username. What remains wrong in single places is in wrongDocuments.
func correct(document *openapi3.T) {
	both := func(content openapi3.Content) {
		for _, kinds := range [][2]string{{"application/json", "application/scim+json"}, {"application/scim+json", "application/json"}} {
			if media := content[kinds[0]]; media != nil && content[kinds[1]] == nil {
				content[kinds[1]] = media
			}
		}
	}
	for _, item := range document.Paths.Map() {
		for _, operation := range item.Operations() {
			operation.OperationID = ""
			if operation.RequestBody != nil {
				both(operation.RequestBody.Value.Content)
			}
			for _, response := range operation.Responses.Map() {
				both(response.Value.Content)
			}
		}
	}
	seen := map[*openapi3.Schema]bool{}
	var walk func(*openapi3.SchemaRef)
	walk = func(ref *openapi3.SchemaRef) {
		if ref == nil || ref.Value == nil || seen[ref.Value] {
			return
		}
		schema := ref.Value
		seen[schema] = true
		schema.Required = slices.DeleteFunc(schema.Required, func(name string) bool { return name == "username" || name == "schema" || name == "schemas" })
		for name, property := range schema.Properties {
			switch name {
			case "schemas":
				property.Value = openapi3.NewArraySchema().WithItems(openapi3.NewStringSchema())
				property.Ref = ""
			case "emails":
				property.Value = openapi3.NewArraySchema()
				property.Value.Items = openapi3.NewSchemaRef("", openapi3.NewSchema())
				property.Ref = ""
			}
			walk(property)
		}
		walk(schema.Items)
		for _, list := range []openapi3.SchemaRefs{schema.AllOf, schema.AnyOf, schema.OneOf} {
			for _, one := range list {
				walk(one)
			}
		}
	}
	if document.Components != nil {
		for _, ref := range document.Components.Schemas {
			walk(ref)
		}
	}
}

// A checker is a middleware that holds every request and answer against the documents.
type checker struct {
	t     *testing.T
	next  http.Handler
	specs []specification

	mu      sync.Mutex
	used    map[int]bool
	checked map[string]bool
}

func (c *checker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	recorded := httptest.NewRecorder()
	c.next.ServeHTTP(recorded, r)
	for name, values := range recorded.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorded.Code)
	_, _ = w.Write(recorded.Body.Bytes())
	c.check(r, body, recorded)
}

func (c *checker) check(r *http.Request, body []byte, got *httptest.ResponseRecorder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, spec := range c.specs {
		if !strings.HasPrefix(r.URL.Path, spec.prefix+"/") {
			continue
		}
		q := r.Clone(context.Background())
		q.URL.Scheme, q.URL.Host = "http", r.Host
		q.Body = io.NopCloser(bytes.NewReader(body))
		route, vars, err := spec.router.FindRoute(q)
		if err != nil {
			continue
		}
		c.checked[r.Method+" "+spec.prefix+route.Path] = true
		input := &openapi3filter.RequestValidationInput{Request: q, PathParams: vars, Route: route, Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeReadOnlyValidations: true, IncludeResponseStatus: true}}
		if got.Code < 300 {
			if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
				c.report(r, got.Code, "request", err)
			}
		}
		if got.Code >= 400 {
			c.refusal(r, got)
			return
		}
		answer := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: got.Code, Header: got.Header(), Options: input.Options}
		answer.SetBodyBytes(withoutNulls(got.Body.Bytes()))
		if err := openapi3filter.ValidateResponse(context.Background(), answer); err != nil {
			c.report(r, got.Code, "answer", err)
		}
		return
	}
	if strings.HasPrefix(r.URL.Path, "/scim2/") || strings.HasPrefix(r.URL.Path, "/api/") {
		c.report(r, got.Code, "request", routers.ErrPathNotFound)
	}
}

// withoutNulls drops members that are null: no schema says nullable.
func withoutNulls(body []byte) []byte {
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return body
	}
	maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(members)
	if err != nil {
		return body
	}
	return text
}

// refusal holds the body of a refusal against the forms that errors have.
func (c *checker) refusal(r *http.Request, got *httptest.ResponseRecorder) {
	text := got.Body.String()
	form := `"traceId"`
	switch {
	case strings.HasPrefix(r.URL.Path, "/scim2/"):
		form = `"` + messageError + `"`
	case strings.Contains(r.URL.Path, "/dcr/"):
		form = `"error_description"`
	}
	if text != "" && !strings.Contains(text, form) {
		c.t.Errorf("%s %s: %d: not an error of this API: %s", r.Method, r.URL.Path, got.Code, text)
	}
}

func (c *checker) report(r *http.Request, status int, part string, err error) {
	for i, w := range wrongDocuments {
		ok, _ := filepath.Match(w.path, r.URL.Path)
		if ok && (w.method == "*" || w.method == r.Method) && w.part == part && strings.Contains(err.Error(), w.complaint) {
			c.used[i] = true
			return
		}
	}
	message, _, _ := strings.Cut(err.Error(), "Schema:")
	c.t.Errorf("%s %s: %d: %s: %s", r.Method, r.URL.Path, status, part, message)
}

// TestDocuments sends the recorded requests and those of everyOperation and holds them, and the answers, against the OpenAPI documents.
func TestDocuments(t *testing.T) {
	dir := os.Getenv("WSO2PLAN_SPECS")
	if dir == "" {
		t.Skip("WSO2PLAN_SPECS is not set: the sandbox is NOT held against the OpenAPI documents of Identity Server")
	}
	check := &checker{t: t, used: map[int]bool{}, checked: map[string]bool{}}
	s, c := newClient(t, Options{Middleware: func(next http.Handler) http.Handler {
		check.next = next
		return check
	}})
	check.specs = loadSpecifications(t, dir, c.base)
	for _, list := range []struct{ dir, base string }{{"is-scim2", c.base + "/scim2"}, {"is-oauth", c.base}} {
		recordings, err := replay.Load(os.DirFS("../../../testdata/oracle"), list.dir)
		if err != nil {
			t.Fatal(err)
		}
		player := &replay.Player{Client: c.http, Base: list.base, User: "admin:admin"}
		for _, r := range recordings {
			if _, err := player.Play(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.Seed(3)
	everyOperation(c)
	for i, w := range wrongDocuments {
		if !check.used[i] {
			t.Errorf("nothing needs %s %s %s %s: %s", w.method, w.path, w.part, w.complaint, w.why)
		}
	}
	if len(check.checked) < 50 {
		t.Errorf("only %d operations were checked", len(check.checked))
	}
}

// everyOperation calls what the recordings do not.
func everyOperation(c client) {
	c.t.Helper()
	last := func(r reply) string {
		l := r.header.Get("Location")
		return l[strings.LastIndexByte(l, '/')+1:]
	}
	ann := c.user("anna", doc{"emails": []any{doc{"type": "work", "value": "a@x"}}})
	c.want(200, "GET", "/scim2/Me", nil)
	group := c.want(201, "POST", "/scim2/Groups", doc{"schemas": []string{coreGroup}, "displayName": "spec", "members": []any{doc{"value": ann, "display": "anna"}}}).str("id")
	c.want(200, "GET", "/scim2/Groups/"+group, nil)
	c.want(200, "PUT", "/scim2/Groups/"+group, doc{"displayName": "spec2", "members": []any{}})
	c.want(200, "POST", "/scim2/Groups/.search", doc{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}, "startIndex": 1, "filter": "displayName eq spec2"})
	c.want(204, "DELETE", "/scim2/Groups/"+group, nil)
	v1 := c.want(201, "POST", "/scim2/Roles", doc{"schemas": []string{roleSchema}, "displayName": "spec", "permissions": []string{"internal_login"}, "users": []any{doc{"value": ann}}}).str("id")
	c.want(200, "GET", "/scim2/Roles", nil)
	c.want(200, "GET", "/scim2/Roles/"+v1, nil)
	c.want(200, "PUT", "/scim2/Roles/"+v1, doc{"displayName": "spec2"})
	c.want(200, "PATCH", "/scim2/Roles/"+v1, patchBody(doc{"op": "replace", "path": "displayName", "value": "spec3"}))
	c.want(200, "POST", "/scim2/Roles/.search", doc{"filter": "displayName eq spec3", "startIndex": 1, "count": 10})
	c.want(204, "DELETE", "/scim2/Roles/"+v1, nil)
	c.want(200, "POST", "/scim2/v2/Roles/.search", doc{"filter": "displayName eq admin", "startIndex": 1, "count": 10})
	c.want(404, "GET", "/scim2/v2/Roles/none", nil)

	const scopes = "/api/identity/oauth2/v1.0/scopes"
	c.want(201, "POST", scopes, doc{"name": "old", "displayName": "Old", "bindings": []string{"admin"}})
	c.want(200, "GET", scopes, nil)
	c.want(200, "GET", scopes+"/name/old", nil)
	c.want(200, "PUT", scopes+"/name/old", doc{"displayName": "Older"})
	c.want(204, "DELETE", scopes+"/name/old", nil)

	const applications, apis = "/api/server/v1/applications", "/api/server/v1/api-resources"
	app := last(c.want(201, "POST", applications, doc{"name": "Spec", "description": "d", "inboundProtocolConfiguration": doc{"oidc": doc{
		"grantTypes": []string{"client_credentials", "authorization_code"}, "callbackURLs": []string{"https://a/cb"}, "allowedOrigins": []string{}}},
		"associatedRoles": doc{"allowedAudience": "APPLICATION", "roles": []any{}}}))
	c.want(409, "POST", applications, doc{"name": "Spec"})
	c.want(400, "POST", applications, doc{"name": "Console"})
	c.want(501, "POST", applications, doc{"name": "Two", "inboundProtocolConfiguration": doc{"oidc": doc{"grantTypes": []string{"authorization_code"}, "callbackURLs": []string{"https://a", "https://b"}}}})
	c.want(200, "GET", applications+"?limit=2&attributes=clientId,advancedConfigurations", nil)
	c.want(400, "GET", applications+"?attributes=nonsense", nil)
	c.want(400, "GET", applications+"?filter="+url.QueryEscape("nonsense eq x"), nil)
	c.want(501, "GET", applications+"?sortBy=name", nil)
	c.want(200, "GET", applications+"/"+app, nil)
	c.want(404, "GET", applications+"/none", nil)
	c.want(200, "PATCH", applications+"/"+app, doc{"name": "Spec 2", "description": "e", "advancedConfigurations": doc{"skipLoginConsent": true}})
	if got := c.want(200, "GET", applications+"/"+app, nil); got.at("advancedConfigurations", "skipLoginConsent") != true || got.at("advancedConfigurations", "saas") != false || got.str("name") != "Spec 2" {
		c.t.Errorf("after PATCH: %s", got.text)
	}
	c.want(200, "GET", applications+"/"+app+"/inbound-protocols/oidc", nil)
	c.want(200, "POST", applications+"/"+app+"/inbound-protocols/oidc/regenerate-secret", nil)
	api := c.want(201, "POST", apis, doc{"name": "Pay", "identifier": "pay", "requiresAuthorization": true, "scopes": []any{doc{"name": "pay"}}}).str("id")
	c.want(200, "GET", apis+"?limit=3", nil)
	c.want(200, "GET", apis+"/"+api, nil)
	c.want(204, "PATCH", apis+"/"+api, doc{"name": "Pay 2", "addedScopes": []any{doc{"name": "void"}}})
	c.want(200, "GET", apis+"/"+api+"/scopes", nil)
	c.want(204, "PUT", apis+"/"+api+"/scopes", []any{doc{"name": "pay"}})
	c.want(204, "PATCH", apis+"/"+api+"/scopes/pay", doc{"displayName": "Pay"})
	details := doc{"type": "payment", "name": "Payment", "description": "", "schema": doc{"type": "object"}}
	c.want(204, "PATCH", apis+"/"+api, doc{"addedAuthorizationDetailsTypes": []any{details}})
	kind := c.want(200, "GET", apis+"/"+api, nil).list("authorizationDetailsTypes")[0].(doc)["id"].(string)
	c.want(200, "GET", apis+"/"+api+"/authorization-details-types", nil)
	details["name"] = "Payments"
	c.want(204, "PATCH", apis+"/"+api+"/authorization-details-types/"+kind, details)
	c.want(200, "GET", apis+"/"+api+"/authorization-details-types/"+kind, nil)
	c.want(204, "DELETE", apis+"/"+api+"/authorization-details-types/"+kind, nil)
	c.want(200, "GET", "/api/server/v1/scopes", nil)
	c.want(200, "POST", applications+"/"+app+"/authorized-apis", doc{"id": api, "policyIdentifier": "RBAC", "scopes": []string{"pay"}})
	c.want(200, "GET", applications+"/"+app+"/authorized-apis", nil)
	c.want(200, "PATCH", applications+"/"+app+"/authorized-apis/"+api, doc{"addedScopes": []string{}, "removedScopes": []string{"pay"}})
	c.want(204, "DELETE", applications+"/"+app+"/authorized-apis/"+api, nil)
	c.want(204, "DELETE", apis+"/"+api+"/scopes/pay", nil)
	c.want(204, "DELETE", apis+"/"+api, nil)
	c.want(204, "DELETE", applications+"/"+app, nil)
}
