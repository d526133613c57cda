package apim

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

func asyncRoutes() []route {
	view := []string{"apim:api_view", "apim:api_manage", "apim:api_definition_view"}
	change := []string{"apim:api_create", "apim:api_manage"}
	raw := func(r route) route { r.produces = ""; return r }
	return []route{
		fetching(form(post(publisher, "/apis/import-asyncapi", change, importAsync))),
		fetching(form(post(publisher, "/apis/validate-asyncapi", change, validateAsync))),
		get(publisher, "/apis/{api}/asyncapi", view, readAsync),
		fetching(form(put(publisher, "/apis/{api}/asyncapi", change, updateAsync))),
		put(publisher, "/apis/{api}/topics", append(slices.Clone(change), "apim:api_import_export"), updateTopics),
		fetching(form(post(publisher, "/apis/import-wsdl", change, importWSDL))),
		fetching(form(post(publisher, "/apis/validate-wsdl", change, validateWSDL))),
		get(publisher, "/apis/{api}/wsdl-info", view[:2], readWSDLInfo),
		raw(get(publisher, "/apis/{api}/wsdl", view[:2], readWSDL)),
		fetching(form(put(publisher, "/apis/{api}/wsdl", change, updateWSDL))),
	}
}

// asyncKinds are the types of APIs that an AsyncAPI document describes.
var asyncKinds = []string{"WS", "SSE", "WEBSUB", "WEBHOOK", "ASYNC"}

// asyncAPI reads an AsyncAPI document and says what is wrong with it.
func asyncAPI(file []byte) (*tree, []string) {
	parsed, err := parseTree(file)
	if err != nil {
		return nil, []string{err.Error()}
	}
	doc, isObject := parsed.(*tree)
	if !isObject {
		return nil, []string{"the document is no object"}
	}
	var faults []string
	for _, name := range []string{"asyncapi", "info", "channels"} {
		if doc.get(name) == nil {
			faults = append(faults, "#: required key ["+name+"] not found")
		}
	}
	return doc, faults
}

// asyncFailure is the refusal of an AsyncAPI document.
func asyncFailure(reasons ...string) *answer {
	items := []errorItem{}
	for _, r := range reasons {
		items = append(items, errorItem{Code: "900756", Message: "Error while parsing AsyncAPI specification", Description: ptr(r)})
	}
	return reply(http.StatusBadRequest, errorBody{Code: 900756, Message: "Error while parsing AsyncAPI specification", Description: reasons[0], Error: items})
}

// topicsIn reads the channels of a document as operations: a subscriber's of what the server publishes, and the other way round.
func topicsIn(doc *tree) []operationBody {
	var out []operationBody
	channels := doc.object("channels")
	if channels == nil {
		return nil
	}
	for _, name := range channels.names {
		channel := channels.object(name)
		for _, verb := range []string{"subscribe", "publish"} {
			if channel.get(verb) == nil && !(verb == "subscribe" && channel.get("publish") == nil) {
				continue // a channel that says nothing can be subscribed to
			}
			o := operationBody{Target: ptr(name), Verb: ptr(strings.ToUpper(verb))}
			if kind := channel.object(verb).text("x-auth-type"); kind != "" {
				o.AuthType = ptr(kind)
			}
			if mapping := channel.object(verb).text("x-uri-mapping"); mapping != "" {
				o.URIMapping = ptr(mapping)
			}
			out = append(out, o)
		}
	}
	return out
}

func importAsync(c *call) *answer {
	file, err := c.uploaded("inlineAPIDefinition")
	if errors.Is(err, errNothingUploaded) {
		return badRequest("One out of 'file' or 'url' or 'inline definition' should be specified")
	}
	if err != nil {
		return asyncFailure(err.Error())
	}
	if _, given := c.fields["additionalProperties"]; !given {
		return badRequest("'additionalProperties' is required and should not be null")
	}
	d, bad := c.additional()
	if bad != nil {
		return bad
	}
	if info := d.body.AdvertiseInfo; text(d.body.Type) == "ASYNC" && (info == nil || !isTrue(info.Advertised)) {
		return badRequest("ASYNC type APIs only can be created as third party APIs") // (seen)
	}
	doc, faults := asyncAPI(file)
	if len(faults) > 0 {
		return asyncFailure(faults...)
	}
	if d.body.Type == nil || !slices.Contains(asyncKinds, *d.body.Type) {
		d.body.Type = ptr("ASYNC")
	}
	d.body.Operations = topicsIn(doc)
	return c.addImported(d, working{Schema: string(file)})
}

func validateAsync(c *call) *answer {
	file, err := c.uploaded("inlineAPIDefinition")
	if err != nil {
		return badRequest("Either url or file should be specified")
	}
	doc, faults := asyncAPI(file)
	if len(faults) > 0 {
		items := []errorItem{}
		for _, f := range faults {
			items = append(items, errorItem{Code: "900756", Message: "Error while parsing AsyncAPI specification", Description: ptr(f)})
		}
		return ok(map[string]any{"isValid": false, "content": nil, "info": nil, "errors": items})
	}
	var content any
	if c.request.URL.Query().Get("returnContent") == "true" {
		content = string(file)
	}
	endpoints, protocol := []string{}, ""
	if servers := doc.object("servers"); servers != nil {
		for _, name := range servers.names {
			endpoints = append(endpoints, servers.object(name).text("url"))
			protocol = servers.object(name).text("protocol")
		}
	}
	info := doc.object("info")
	return ok(map[string]any{"isValid": true, "content": content, "errors": []any{}, "info": map[string]any{"name": info.text("title"),
		"version": info.text("version"), "context": nil, "description": info.get("description"), "asyncAPIVersion": doc.text("asyncapi"), "protocol": protocol,
		"endpoints": endpoints, "gatewayVendor": "wso2", "asyncTransportProtocols": []string{}}})
}

// asyncDefinition is the AsyncAPI document of an API: what was uploaded, or one that is made of its topics.
func asyncDefinition(a *apiRecord) ([]byte, error) {
	if a.Schema != "" {
		doc, faults := asyncAPI([]byte(a.Schema))
		if len(faults) == 0 {
			return json.Marshal(doc)
		}
		return []byte(a.Schema), nil
	}
	channels := &tree{values: map[string]any{}}
	for _, o := range operationsOf(a.Document) {
		channel := channels.object(textOf(o, "target")).copied()
		channel.set(strings.ToLower(textOf(o, "verb")), treeOf("x-auth-type", o["authType"], "x-scopes", o["scopes"]))
		channels.set(textOf(o, "target"), channel)
	}
	servers := &tree{values: map[string]any{}}
	backends := toldBackends(a.Document["endpointConfig"])
	if backends.Production != nil {
		servers.set("production", treeOf("url", backends.Production.URLs[0], "protocol", strings.ToLower(a.field("type"))))
	}
	if backends.Sandbox != nil {
		servers.set("sandbox", treeOf("url", backends.Sandbox.URLs[0], "protocol", strings.ToLower(a.field("type"))))
	}
	return json.Marshal(treeOf("asyncapi", "2.0.0", "info", treeOf("title", a.field("name"), "version", a.field("version")), "servers", servers, "channels", channels))
}

func readAsync(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	if !slices.Contains(asyncKinds, a.field("type")) {
		return &answer{status: http.StatusOK, download: "asyncapi.json"} // nothing (seen)
	}
	text, err := asyncDefinition(a)
	if err != nil {
		return internal("")
	}
	return &answer{status: http.StatusOK, kind: jsonBody, download: "asyncapi.json", body: text}
}

func updateAsync(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	file, err := c.uploaded("apiDefinition")
	if err != nil {
		return internal("")
	}
	doc, faults := asyncAPI(file)
	if len(faults) > 0 {
		return asyncFailure(faults...)
	}
	changed, bad := c.withTopics(a, topicsIn(doc))
	if bad != nil {
		return bad
	}
	changed.Schema = string(file)
	c.keepAPI(changed)
	return &answer{status: http.StatusOK, kind: jsonBody, body: file}
}

// withTopics is an API with other topics.
func (c *call) withTopics(a *apiRecord, topics []operationBody) (*apiRecord, *answer) {
	made, bad := c.operations(a.field("type"), topics, nil)
	if bad != nil {
		return nil, bad
	}
	changed := *a
	changed.Document = cloneMap(a.Document)
	changed.Document["operations"], changed.UpdatedTime = made, c.server.now()
	return &changed, nil
}

func updateTopics(c *call) *answer {
	var body struct {
		Count *int64 `json:"count"`
		List  []struct {
			ID          *string `json:"id"`
			Name        *string `json:"name" is:"required,min=1,max=50" pattern:"(^[^~!@#;:%^*()+={}|\\\\<>\"',&$\\s+\\[\\]/]*$)"`
			Mode        *string `json:"mode" is:"required,max=20"`
			Description *string `json:"description" is:"required,max=32766"`
		} `json:"list"`
		Pagination any `json:"pagination"`
	}
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	var topics []operationBody
	for _, t := range body.List {
		topics = append(topics, operationBody{Target: t.Name, Verb: t.Mode})
	}
	changed, bad := c.withTopics(a, topics)
	if bad != nil {
		return bad
	}
	changed.Schema = ""
	c.keepAPI(changed)
	return ok(c.shownAPI(changed))
}

// validWSDL tells whether a file is a WSDL document, or an archive with one; archive tells which.
func validWSDL(file []byte) (valid, archive bool) {
	isWSDL := func(text []byte) bool {
		return bytes.Contains(text, []byte("schemas.xmlsoap.org/wsdl")) || bytes.Contains(text, []byte("www.w3.org/ns/wsdl"))
	}
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return isWSDL(file), false
	}
	return slices.ContainsFunc(z.File, func(f *zip.File) bool { return strings.HasSuffix(f.Name, ".wsdl") }), true
}

// withWSDL stores a WSDL in a working copy.
func withWSDL(w *working, file []byte, archive bool) {
	w.Schema, w.Archive = "", nil
	kind := "WSDL"
	if archive {
		w.Archive, kind = file, "ZIP"
	} else {
		w.Schema = string(file)
	}
	w.Document["wsdlInfo"] = map[string]any{"type": kind}
}

func importWSDL(c *call) *answer {
	d, bad := c.additional()
	if bad != nil {
		return bad
	}
	file, err := c.uploaded()
	if err != nil {
		return badRequest("Either url or file should be specified")
	}
	valid, archive := validWSDL(file)
	if !valid {
		return refuse(http.StatusBadRequest, 900675, "Invalid WSDL content", "Provided WSDL content is invalid")
	}
	d.body.Type = ptr("SOAP")
	if c.fields["implementationType"].text == "SOAPTOREST" {
		d.body.Type = ptr("SOAPTOREST")
	}
	w := working{Document: d.doc}
	withWSDL(&w, file, archive)
	return c.addImported(d, w)
}

func validateWSDL(c *call) *answer {
	file, err := c.uploaded()
	if err != nil {
		return badRequest("Either url or file should be specified")
	}
	if valid, _ := validWSDL(file); !valid {
		return ok(map[string]any{"isValid": false, "errors": []errorItem{{Code: "900675", Message: "Invalid WSDL content", Description: ptr("Provided WSDL content is invalid")}},
			"wsdlInfo": nil})
	}
	version := "1.1"
	if bytes.Contains(file, []byte("www.w3.org/ns/wsdl")) {
		version = "2.0"
	}
	return ok(map[string]any{"isValid": true, "errors": []any{}, "wsdlInfo": map[string]any{"version": version, "endpoints": []any{}}})
}

func noWSDL(a *apiRecord) *answer {
	return refuse(http.StatusNotFound, 900684, "WSDL Not Found", "No WSDL Available for the API "+a.field("name")+":"+a.field("version"))
}

func readWSDLInfo(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	if a.Document["wsdlInfo"] == nil {
		return noWSDL(a)
	}
	return ok(a.Document["wsdlInfo"])
}

func readWSDL(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	if a.Document["wsdlInfo"] == nil {
		return general() // 500, not 404 (seen)
	}
	name := a.field("name") + "-" + a.field("version")
	if a.Archive != nil {
		return &answer{status: http.StatusOK, kind: "application/zip", download: name + ".zip", body: a.Archive}
	}
	return &answer{status: http.StatusOK, kind: "text/xml", download: name + ".wsdl", body: []byte(a.Schema)}
}

func updateWSDL(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	file, err := c.uploaded()
	if err != nil {
		return badRequest("Either url or file should be specified")
	}
	valid, archive := validWSDL(file)
	if !valid {
		return refuse(http.StatusBadRequest, 900675, "Invalid WSDL content", "Provided WSDL content is invalid")
	}
	changed := *a
	changed.Document = cloneMap(a.Document)
	withWSDL(&changed.working, file, archive)
	changed.UpdatedTime = c.server.now()
	c.keepAPI(&changed)
	return empty(http.StatusOK)
}
