package apim

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

func definitionRoutes() []route {
	view := []string{"apim:api_view", "apim:api_manage", "apim:api_definition_view"}
	change := []string{"apim:api_create", "apim:api_manage"}
	return []route{
		get(publisher, "/apis/{api}/swagger", view, readDefinition),
		fetching(form(put(publisher, "/apis/{api}/swagger", change, updateDefinition))),
		fetching(form(post(publisher, "/apis/import-openapi", change, importOpenAPI))),
		fetching(form(post(publisher, "/apis/validate-openapi", change, validateOpenAPI))),
	}
}

// httpVerbs are the members of a path that are operations.
var httpVerbs = []string{"get", "put", "post", "delete", "patch", "head", "options"}

// definition is the OpenAPI document of an API as the publisher shows it: what was uploaded, with the operations as they are and the server's own
// additions (seen).
func (c *call) definition(a *apiRecord) *tree {
	doc := a.Document
	if a.Product && a.Definition != nil {
		return a.Definition
	}
	out := a.bareDefinition(c)
	if a.Product {
		return out
	}
	if doc["authorizationHeader"] != nil {
		out.set("x-wso2-auth-header", doc["authorizationHeader"])
	}
	out.set("x-wso2-api-key-header", doc["apiKeyHeader"])
	out.set("x-wso2-cors", doc["corsConfiguration"])
	for _, stage := range []string{"production", "sandbox"} {
		backend := toldBackends(doc["endpointConfig"]).Production
		if stage == "sandbox" {
			backend = toldBackends(doc["endpointConfig"]).Sandbox
		}
		if backend != nil {
			kind := textOf(inner(doc, "endpointConfig"), "endpoint_type")
			if told := treeOf("type", kind); kind == "default" { // which has no address
				out.set("x-wso2-"+stage+"-endpoints", told)
				continue
			}
			out.set("x-wso2-"+stage+"-endpoints", treeOf("urls", backend.URLs, "type", kind))
		}
	}
	out.set("x-wso2-basePath", a.field("context")+"/"+a.field("version"))
	out.set("x-wso2-transports", doc["transport"])
	security := applicationSecurity(a)
	out.set("x-wso2-application-security", security)
	out.set("x-wso2-response-cache", treeOf("enabled", doc["responseCachingEnabled"], "cacheTimeoutInSeconds", doc["cacheTimeout"]))
	paths := out.object("paths")
	for _, path := range paths.names {
		for _, verb := range httpVerbs {
			if o := paths.object(path).object(verb); o != nil {
				o.set("x-wso2-application-security", security)
			}
		}
	}
	return out
}

// applicationSecurity says which credentials of an application an API takes.
func applicationSecurity(a *apiRecord) *tree {
	types := []string{}
	for _, s := range a.names("securityScheme") {
		if s == "oauth2" || s == "basic_auth" || s == "api_key" {
			types = append(types, s)
		}
	}
	return treeOf("security-types", types, "optional", !slices.Contains(a.names("securityScheme"), "oauth_basic_auth_api_key_mandatory"))
}

// bareDefinition is the document without what only the publisher shows.
func (a *apiRecord) bareDefinition(c *call) *tree {
	out := a.Definition.copied()
	if a.Definition == nil {
		out = treeOf("openapi", "3.0.1", "info", nil, "servers", []any{treeOf("url", "/")}, "security", nil, "paths", nil, "components", nil)
	}
	info := out.object("info").copied()
	info.set("title", a.field("name"))
	info.set("version", a.field("version"))
	out.set("info", info)
	if out.get("servers") == nil && out.get("swagger") == nil {
		out.set("servers", []any{treeOf("url", "/")})
	}
	out.set("security", []any{treeOf("default", []any{})})
	paths := &tree{values: map[string]any{}}
	if a.Product { // as its APIs define them, but for what their own definitions show beside (seen)
		for _, m := range objects(a.Document["apis"]) {
			api := c.tenant.APIs.get(textOf(m, "apiId"))
			if api == nil {
				continue
			}
			defined := api.bareDefinition(c).object("paths")
			for _, o := range objects(m["operations"]) {
				target, verb := textOf(o, "target"), strings.ToLower(textOf(o, "verb"))
				item := paths.object(target)
				if item == nil {
					item = &tree{values: map[string]any{}}
					paths.set(target, item)
				}
				definition := defined.object(target).object(verb).copied()
				if level := api.field("apiThrottlingPolicy"); level != "" {
					definition.set("x-throttling-tier", level)
				}
				item.set(verb, definition)
			}
		}
	}
	for _, o := range operationsOf(a.Document) {
		target, verb := textOf(o, "target"), strings.ToLower(textOf(o, "verb"))
		item := paths.object(target)
		if item == nil {
			item = a.Definition.object("paths").object(target).copied()
			for _, v := range httpVerbs {
				item.remove(v)
			}
			paths.set(target, item)
		}
		item.set(verb, a.operationDefinition(o, target, verb))
	}
	out.set("paths", paths)
	a.scopeDefinition(c, out)
	return out
}

// operationDefinition is one operation of the document.
func (a *apiRecord) operationDefinition(o map[string]any, target, verb string) *tree {
	defined := a.Definition.object("paths").object(target).object(verb)
	out := defined.copied()
	if out.get("parameters") == nil {
		var parameters []any
		for _, name := range variables(target) {
			parameters = append(parameters, treeOf("name", name, "in", "path", "required", true, "style", "simple", "explode", false, "schema", treeOf("type", "string")))
		}
		if parameters != nil && defined == nil {
			out.set("parameters", parameters)
		}
	}
	if out.get("responses") == nil {
		out.set("responses", treeOf("200", treeOf("description", "OK")))
	}
	out.set("security", []any{treeOf("default", anyList(list(o["scopes"])))})
	out.set("x-auth-type", o["authType"])
	out.set("x-throttling-tier", o["throttlingPolicy"])
	return out
}

// variables are the names in braces of a path.
func variables(path string) []string {
	var out []string
	for part := range strings.SplitSeq(path, "{") {
		if name, _, has := strings.Cut(part, "}"); has {
			out = append(out, name)
		}
	}
	return out
}

// scopeDefinition adds the security scheme that holds the scopes.
func (a *apiRecord) scopeDefinition(c *call, out *tree) {
	scopes, bindings := &tree{values: map[string]any{}}, &tree{values: map[string]any{}}
	declared := objects(a.Document["scopes"])
	if a.Product {
		declared = objects(c.shownProduct(a)["scopes"])
	}
	for _, s := range declared {
		scope := inner(s, "scope")
		if shared := c.tenant.sharedScope(textOf(scope, "name")); shared != nil {
			scopes.set(shared.Name, text(shared.Description))
			bindings.set(shared.Name, strings.Join(shared.Bindings, ","))
			continue
		}
		scopes.set(textOf(scope, "name"), textOf(scope, "description"))
		bindings.set(textOf(scope, "name"), strings.Join(list(scope["bindings"]), ","))
	}
	flow := treeOf("authorizationUrl", "https://test.com", "scopes", scopes)
	if len(bindings.names) > 0 || a.Product {
		flow.set("x-scopes-bindings", bindings)
	}
	components := out.object("components").copied()
	schemes := components.object("securitySchemes").copied()
	schemes.set("default", treeOf("type", "oauth2", "flows", treeOf("implicit", flow)))
	components.set("securitySchemes", schemes)
	out.set("components", components)
}

// pruned is an uploaded document without the operations that a document of an API lacks.
func pruned(definition *tree, doc map[string]any) *tree {
	if definition == nil {
		return nil
	}
	left := map[string]bool{}
	for _, o := range operationsOf(doc) {
		left[operationKey(o)] = true
	}
	out, paths := definition.copied(), &tree{values: map[string]any{}}
	was := definition.object("paths")
	if was != nil {
		for _, path := range was.names {
			item := was.object(path).copied()
			kept := false
			for _, verb := range httpVerbs {
				if left[strings.ToUpper(verb)+" "+path] {
					kept = true
				} else {
					item.remove(verb)
				}
			}
			if kept {
				paths.set(path, item)
			}
		}
	}
	out.set("paths", paths)
	return out
}

func readDefinition(c *call) *answer {
	a, bad := c.record()
	if bad != nil {
		return bad
	}
	text, err := json.Marshal(c.definition(a))
	if err != nil {
		return internal("")
	}
	return &answer{status: http.StatusOK, kind: jsonBody, download: "swagger.json", body: text}
}

// parseFailure is the refusal of a definition: the first fault is the description, the others are the errors (seen).
func parseFailure(reasons ...string) *answer {
	items := []errorItem{}
	for _, r := range reasons[1:] {
		items = append(items, errorItem{Code: "900754", Message: "Error while parsing OpenAPI definition", Description: ptr(r)})
	}
	return reply(http.StatusBadRequest, errorBody{Code: 900754, Message: "Error while parsing OpenAPI definition", Description: reasons[0], Error: items})
}

// openAPI reads an OpenAPI document and says what is wrong with it.
func openAPI(file []byte) (*tree, []string) {
	parsed, err := parseTree(file)
	if err != nil {
		return nil, []string{err.Error()}
	}
	doc, isObject := parsed.(*tree)
	if !isObject {
		return nil, []string{"com.google.gson.JsonSyntaxException: Expected a com.google.gson.JsonObject but was com.google.gson.JsonPrimitive; at path $"}
	}
	var faults []string
	switch {
	case doc.get("openapi") == nil && doc.get("swagger") == nil:
		return nil, []string{"Invalid OpenAPI definition: attribute openapi is missing"}
	case doc.get("swagger") != nil && doc.text("swagger") != "2.0":
		return nil, []string{"Unsupported Swagger version"}
	case doc.get("openapi") != nil && !strings.HasPrefix(doc.text("openapi"), "3."):
		return nil, []string{"Unsupported OpenAPI version"}
	}
	info := doc.object("info")
	if info == nil {
		faults = append(faults, "attribute info is missing")
	} else {
		for _, name := range []string{"title", "version"} {
			if info.get(name) == nil {
				faults = append(faults, "attribute info."+name+" is missing")
			}
		}
	}
	paths := doc.object("paths")
	if paths == nil {
		return doc, append(faults, "attribute paths is missing")
	}
	for _, path := range paths.names {
		item := paths.object(path)
		if item == nil {
			faults = append(faults, "attribute paths.'"+path+"' is not of type `object`")
			continue
		}
		for _, verb := range httpVerbs {
			switch o := item.object(verb); {
			case o == nil && item.get(verb) != nil:
				faults = append(faults, "attribute paths.'"+path+"'("+verb+") is not of type `object`")
			case o != nil && o.get("responses") == nil:
				faults = append(faults, "attribute paths.'"+path+"'("+verb+").responses is missing")
			}
		}
	}
	return doc, faults
}

// operationsIn reads the operations and scopes of an OpenAPI document: policies and kinds of authentication are in extensions, scopes in a security
// scheme.
func operationsIn(doc *tree) ([]operationBody, []apiScopeBody) {
	var operations []operationBody
	paths := doc.object("paths")
	if paths == nil {
		return nil, nil
	}
	scopes, names := scopesIn(doc)
	for _, path := range paths.names {
		for _, verb := range httpVerbs {
			o := paths.object(path).object(verb)
			if o == nil {
				continue
			}
			one := operationBody{Target: ptr(path), Verb: ptr(strings.ToUpper(verb))}
			if tier := o.text("x-throttling-tier"); tier != "" {
				one.ThrottlingPolicy = ptr(tier)
			}
			if kind := o.text("x-auth-type"); kind != "" {
				one.AuthType = ptr(kind)
			}
			requirements, _ := o.get("security").([]any)
			for _, r := range requirements {
				if requirement, isObject := r.(*tree); isObject {
					for _, scheme := range requirement.names {
						for _, s := range list(requirement.get(scheme)) {
							if names[s] {
								one.Scopes = append(one.Scopes, s)
							}
						}
					}
				}
			}
			operations = append(operations, one)
		}
	}
	return operations, scopes
}

// scopesIn reads the scopes of the OAuth2 security schemes.
func scopesIn(doc *tree) ([]apiScopeBody, map[string]bool) {
	names := map[string]bool{}
	var out []apiScopeBody
	schemes := doc.object("components").object("securitySchemes")
	if schemes == nil {
		schemes = doc.object("securityDefinitions")
	}
	if schemes == nil {
		return nil, names
	}
	for _, name := range schemes.names {
		scheme := schemes.object(name)
		var holders []*tree
		if flows := scheme.object("flows"); flows != nil {
			for _, kind := range flows.names {
				holders = append(holders, flows.object(kind))
			}
		} else if scheme != nil {
			holders = append(holders, scheme)
		}
		for _, holder := range holders {
			scopes := holder.object("scopes")
			if scopes == nil {
				continue
			}
			for _, scope := range scopes.names {
				if names[scope] {
					continue
				}
				names[scope] = true
				var bindings []string
				if roles := holder.object("x-scopes-bindings").text(scope); roles != "" {
					bindings = strings.Split(roles, ",")
				}
				out = append(out, apiScopeBody{Scope: &scopeBody{Name: ptr(scope), Description: ptr(scopes.text(scope)), Bindings: bindings}})
			}
		}
	}
	return out, names
}

// uploaded is the file of a form that may come as one of these fields. An address is fetched.
func (c *call) uploaded(texts ...string) ([]byte, error) {
	if f, given := c.fields["file"]; given {
		return []byte(f.text), nil
	}
	for _, name := range texts {
		if f, given := c.fields[name]; given {
			return []byte(f.text), nil
		}
	}
	if f, given := c.fields["url"]; given {
		return c.fetch(f.text)
	}
	return nil, errNothingUploaded
}

var errNothingUploaded = errors.New("nothing was uploaded")

// updateDefinition replaces operations and local scopes by those of a document; policies of operations that stay are kept.
func updateDefinition(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	file, err := c.uploaded("apiDefinition")
	if errors.Is(err, errNothingUploaded) {
		return internal("") // a null pointer in the server (seen)
	}
	if err != nil {
		return parseFailure(err.Error())
	}
	doc, faults := openAPI(file)
	if len(faults) > 0 {
		return parseFailure(faults...)
	}
	changed, bad := c.withDefinition(a, doc)
	if bad != nil {
		return bad
	}
	c.keepAPI(changed)
	c.apiScopesSent(changed)
	text, err := json.Marshal(c.definition(changed))
	if err != nil {
		return internal("")
	}
	return &answer{status: http.StatusOK, kind: jsonBody, body: text}
}

// withDefinition is an API with the operations and scopes of a document.
func (c *call) withDefinition(a *apiRecord, doc *tree) (*apiRecord, *answer) {
	operations, scopes := operationsIn(doc)
	if len(operations) == 0 {
		return nil, refuse(http.StatusNotFound, 900763, "No resources found", "API must have at least one resource defined")
	}
	before := map[string]map[string]any{}
	for _, o := range operationsOf(a.Document) {
		before[operationKey(o)] = o
	}
	changed := *a
	changed.Document = cloneMap(a.Document)
	d := &draft{body: &apiBody{Scopes: scopes}, doc: changed.Document, old: a, name: a.field("name")}
	if bad := c.fillScopes(d); bad != nil {
		return nil, bad
	}
	made, bad := c.operations(a.field("type"), operations, changed.Document["scopes"].([]any))
	if bad != nil {
		return nil, bad
	}
	for _, o := range objects(made) {
		if old := before[operationKey(o)]; old != nil {
			o["operationPolicies"] = old["operationPolicies"]
		}
	}
	changed.Document["operations"] = made
	if bad := c.usedByProducts(a, changed.Document); bad != nil {
		return nil, bad
	}
	// The security of endpoints is stored again, whole (seen).
	if config := inner(a.Document, "endpointConfig"); config != nil {
		secured, bad := securedEndpoints(config, config)
		if bad != nil {
			return nil, bad
		}
		changed.Document["endpointConfig"] = secured
	}
	changed.Definition, changed.UpdatedTime = doc, c.server.now()
	changed.Writes++
	changed.working = changed.withoutUnused()
	return &changed, nil
}

// additional reads the fields of an API that come as a text in a form.
func (c *call) additional() (*draft, *answer) {
	given, has := c.fields["additionalProperties"]
	if !has {
		return nil, refuse(http.StatusBadRequest, 903215, "'additionalProperties' is required and should not be null",
			"The field 'additionalProperties' is required and should not be null")
	}
	d := &draft{body: &apiBody{}, doc: fresh(apiDefaults)}
	d.body.defaults()
	if bad := readBody([]byte(given.text), d.body); bad != nil {
		if _, err := decodeTree([]byte(given.text)); err != nil {
			return nil, refuse(http.StatusBadRequest, 903216, "Error while parsing 'additionalProperties'", "Error while parsing 'additionalProperties'")
		}
		return nil, bad
	}
	return d, nil
}

// addImported stores an API that was read out of a definition.
func (c *call) addImported(d *draft, w working) *answer {
	if bad := c.fill(d); bad != nil {
		return bad
	}
	a, bad := c.addAPI(d, w)
	if bad != nil {
		return bad
	}
	return created(publisher.location+"/apis/"+a.ID, c.madeAPI(a))
}

func importOpenAPI(c *call) *answer {
	d, bad := c.additional()
	if bad != nil {
		return bad
	}
	file, err := c.uploaded("inlineAPIDefinition")
	if err != nil {
		return parseFailure(err.Error())
	}
	doc, faults := openAPI(file)
	if len(faults) > 0 {
		return parseFailure(faults...)
	}
	operations, scopes := operationsIn(doc)
	if len(operations) == 0 {
		return refuse(http.StatusNotFound, 900763, "No resources found", "API must have at least one resource defined")
	}
	d.body.Operations, d.body.Scopes = operations, scopes
	return c.addImported(d, working{Definition: doc})
}

func validateOpenAPI(c *call) *answer {
	file, err := c.uploaded("inlineAPIDefinition")
	if err != nil {
		return badRequest("Either url or file or inlineAPIDefinition should be specified")
	}
	doc, faults := openAPI(file)
	if len(faults) > 0 {
		items := []errorItem{}
		for _, f := range faults {
			items = append(items, errorItem{Code: "900754", Message: "Error while parsing OpenAPI definition", Description: ptr(f)})
		}
		return ok(map[string]any{"isValid": false, "content": nil, "info": nil, "errors": items})
	}
	version := doc.text("openapi")
	if version == "" {
		version = doc.text("swagger")
	}
	endpoints := []string{}
	servers, _ := doc.get("servers").([]any)
	for _, s := range servers {
		if server, isObject := s.(*tree); isObject {
			endpoints = append(endpoints, server.text("url"))
		}
	}
	var content any
	if c.request.URL.Query().Get("returnContent") == "true" {
		content = string(file)
	}
	operations, _ := operationsIn(doc)
	shown := []any{}
	for _, o := range operations {
		shown = append(shown, asObject(o))
	}
	info := doc.object("info")
	return ok(map[string]any{"isValid": true, "content": content, "errors": []any{}, "info": map[string]any{"name": info.text("title"),
		"version": info.text("version"), "context": nil, "description": info.get("description"), "openAPIVersion": version, "endpoints": endpoints,
		"operations": shown}})
}
