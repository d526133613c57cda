package apim

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// apiRecord is what is kept of an API or an API product.
type apiRecord struct {
	ID          string           `json:"id"`
	working                      // the copy that is edited
	Product     bool             `json:"product,omitempty"`
	State       string           `json:"state"`            // "CREATED", "PUBLISHED", …
	Writes      int              `json:"writes,omitempty"` // how often its operations were written since it was made
	Revisions   []revision       `json:"revisions"`
	Made        int              `json:"made"` // how many revisions there have been
	History     []lifecycleEvent `json:"history,omitempty"`
	Documents   []keptDocument   `json:"documents,omitempty"`
	Thumbnail   *storedFile      `json:"thumbnail,omitempty"`
	CreatedTime time.Time        `json:"createdTime"`
	UpdatedTime time.Time        `json:"updatedTime"`
}

// working is what edits change and revisions keep. Its maps and lists are replaced, never changed.
type working struct {
	Document        map[string]any               `json:"document"`             // the DTO over the server's defaults, secrets in the clear
	Definition      *tree                        `json:"definition,omitempty"` // OpenAPI as it was uploaded; nil: made of the operations
	Schema          string                       `json:"schema,omitempty"`     // GraphQL, AsyncAPI or WSDL as it was uploaded
	Archive         []byte                       `json:"archive,omitempty"`    // a WSDL that was uploaded as an archive
	Edited          bool                         `json:"edited,omitempty"`     // an API that was updated, or restored to what it was then
	Complexity      []complexity                 `json:"complexity,omitempty"`
	Endpoints       []apiEndpoint                `json:"endpoints,omitempty"`
	Certificates    []clientCertificate          `json:"certificates,omitempty"`
	Policies        []operationPolicy            `json:"policies,omitempty"` // its own, and clones of common ones
	EnvironmentKeys map[string]map[string]string `json:"environmentKeys,omitempty"`
	Members         map[string]working           `json:"members,omitempty"` // of a revision of a product: its APIs as they were
}

func (a *apiRecord) rowID() string { return a.ID }

func (a *apiRecord) field(name string) string { return textOf(a.Document, name) }

// names returns a field that is a list of names.
func (a *apiRecord) names(name string) []string { return list(a.Document[name]) }

// apiDefaults is the document of an API about which nothing was said (recorded).
const apiDefaults = `{"description":null,"wsdlInfo":null,"wsdlUrl":null,"responseCachingEnabled":false,"cacheTimeout":300,"hasThumbnail":false,
"isDefaultVersion":false,"isRevision":false,"revisionedApiId":null,"revisionId":0,"enableSchemaValidation":false,"enableSubscriberVerification":false,
"type":"HTTP","audience":null,"audiences":["all"],"transport":["http","https"],"tags":[],"policies":[],"organizationPolicies":[],
"apiThrottlingPolicy":null,"authorizationHeader":"Authorization","apiKeyHeader":"ApiKey","securityScheme":["oauth_basic_auth_api_key_mandatory","oauth2"],
"maxTps":null,"visibility":"PUBLIC","visibleRoles":[],"visibleTenants":[],"visibleOrganizations":["none"],"mediationPolicies":[],"apiPolicies":null,
"apiHubPolicies":[],"subscriptionAvailability":"CURRENT_TENANT","subscriptionAvailableTenants":[],"additionalProperties":[],
"additionalPropertiesMap":{},"monetization":null,"accessControl":"NONE","accessControlRoles":[],
"businessInformation":{"businessOwner":null,"businessOwnerEmail":null,"technicalOwner":null,"technicalOwnerEmail":null},
"corsConfiguration":{"corsConfigurationEnabled":false,"accessControlAllowOrigins":["*"],"accessControlAllowCredentials":false,
"accessControlAllowHeaders":["authorization","Access-Control-Allow-Origin","Content-Type","SOAPAction","apikey","Internal-Key"],
"accessControlAllowMethods":["GET","PUT","POST","DELETE","PATCH","OPTIONS"]},
"websubSubscriptionConfiguration":{"enable":false,"secret":"","signingAlgorithm":"SHA1","signatureHeader":"x-hub-signature"},"workflowStatus":null,
"endpointConfig":null,"primaryProductionEndpointId":null,"primarySandboxEndpointId":null,"endpointImplementationType":"ENDPOINT",
"subtypeConfiguration":{"subtype":"DEFAULT","configuration":null},"scopes":[],"operations":[],"threatProtectionPolicies":null,"categories":[],
"keyManagers":["all"],"serviceInfo":null,"gatewayVendor":"wso2","gatewayType":"wso2/synapse","initiatedFromGateway":false,
"asyncTransportProtocols":[],"egress":false}`

// fresh parses one of the documents above.
func fresh(document string) map[string]any {
	var out map[string]any
	if err := json.Unmarshal([]byte(document), &out); err != nil {
		panic(err) // a constant of this file is no JSON
	}
	return out
}

func apiRoutes() []route {
	view := []string{"apim:api_view", "apim:api_manage", "apim:api_import_export", "apim:api_product_import_export"}
	create := []string{"apim:api_create", "apim:api_manage"}
	change := []string{"apim:api_create", "apim:api_manage", "apim:api_publish"}
	return []route{
		get(publisher, "/apis", []string{"apim:api_view", "apim:api_manage", "apim:api_import_export", "apim:api_list_view"}, listAPIs),
		post(publisher, "/apis", create, createAPI),
		anyBody(post(publisher, "/apis/validate", create, validateAPI)),
		anyBody(post(publisher, "/apis/copy-api", create, copyAPI)),
		get(publisher, "/apis/{api}", view, readAPI),
		put(publisher, "/apis/{api}", change, updateAPI),
		remove(publisher, "/apis/{api}", []string{"apim:api_delete", "apim:api_manage", "apim:api_import_export"}, deleteAPI),
	}
}

// ownAPI finds the API of the path.
func (c *call) ownAPI(id string) (*apiRecord, *answer) {
	a := c.tenant.APIs.get(id)
	if a == nil {
		return nil, notFound("API", id)
	}
	return a, nil
}

// shownAPI is an API as GET answers it.
func (c *call) shownAPI(a *apiRecord) map[string]any {
	out := maps.Clone(a.Document)
	out["id"], out["lifeCycleStatus"], out["hasThumbnail"] = a.ID, a.State, a.Thumbnail != nil
	out["createdTime"] = millis(a.CreatedTime)
	out["lastUpdatedTimestamp"], out["lastUpdatedTime"] = millis(a.UpdatedTime), sqlTime(a.UpdatedTime)
	out["endpointConfig"] = shownEndpoints(a.Document["endpointConfig"])
	out["operations"] = c.shownOperations(a)
	out["apiPolicies"] = shownFlows(a.Document["apiPolicies"], a.Policies)
	out["scopes"] = c.shownScopes(a.Document["scopes"])
	out["policies"] = c.standingTiers(a)
	out["visibleOrganizations"] = []string{"none"} // whatever was stored, while organizations are off
	return out
}

// standingTiers are the tiers of an API without those that were deleted meanwhile (apim-behaviour 3.2).
func (c *call) standingTiers(a *apiRecord) []string {
	out := []string{}
	for _, tier := range a.names("policies") {
		if c.checkTiers([]string{tier}) == nil {
			out = append(out, tier)
		}
	}
	return out
}

// sqlTime writes a time as java.sql.Timestamp does: "2026-11-24 19:00:42.8".
func sqlTime(t time.Time) string {
	t = t.UTC()
	milli := strings.TrimRight(t.Format(".000"), "0")
	if milli == "." {
		milli = ".0"
	}
	return t.Format("2006-01-02 15:04:05") + milli
}

func listAPIs(c *call) *answer {
	records := c.searchable()
	slices.SortStableFunc(records, func(a, b *apiRecord) int { return cmp.Compare(b.CreatedTime.UnixNano(), a.CreatedTime.UnixNano()) })
	query := c.request.URL.Query()
	if by := query.Get("sortBy"); by != "" {
		sortAPIs(records, by, query.Get("sortOrder"))
	}
	out := []map[string]any{}
	for _, a := range records {
		if apiMatches(a, query.Get("query")) && c.mayView(a) {
			out = append(out, apiInfo(a))
		}
	}
	return page(c, out, pageLinks{after: "&query=" + url.QueryEscape(query.Get("query"))})
}

// mayView tells whether the caller may see an API in the publisher: access control names roles, and its provider and administrators always may.
func (c *call) mayView(a *apiRecord) bool {
	if a.field("accessControl") != "RESTRICTED" || c.user.All || a.field("provider") == c.owner() {
		return true
	}
	return slices.ContainsFunc(a.names("accessControlRoles"), func(role string) bool {
		return slices.ContainsFunc(c.user.Roles, func(r string) bool { return strings.EqualFold(r, role) })
	})
}

// apiInfo is what lists show of an API (the DTO APIInfo).
func apiInfo(a *apiRecord) map[string]any {
	doc := a.Document
	business, advertise := inner(doc, "businessInformation"), inner(doc, "advertiseInfo")
	monetized, _ := inner(doc, "monetization")["enabled"].(bool)
	return map[string]any{"id": a.ID, "name": doc["name"], "displayName": doc["displayName"], "description": doc["description"], "context": doc["context"],
		"additionalProperties": doc["additionalProperties"], "additionalPropertiesMap": doc["additionalPropertiesMap"], "version": doc["version"],
		"provider": doc["provider"], "type": doc["type"], "subtype": inner(doc, "subtypeConfiguration")["subtype"], "audience": doc["audience"],
		"audiences": doc["audiences"], "lifeCycleStatus": a.State, "workflowStatus": nil, "hasThumbnail": a.Thumbnail != nil, "securityScheme": []string{},
		"createdTime": millis(a.CreatedTime), "updatedTime": millis(a.UpdatedTime), "updatedBy": doc["provider"], "gatewayVendor": doc["gatewayVendor"],
		"gatewayType": doc["gatewayType"], "advertiseOnly": advertise["advertised"] == true, "monetizedInfo": monetized,
		"businessOwner": business["businessOwner"], "businessOwnerEmail": business["businessOwnerEmail"], "TechnicalOwner": business["technicalOwner"],
		"TechnicalOwnerEmail": business["technicalOwnerEmail"], "egress": doc["egress"], "initiatedFromGateway": false}
}

// sortAPIs sorts a list by the name of a field.
func sortAPIs(records []*apiRecord, by, order string) {
	key := map[string]func(*apiRecord) string{
		"apiName": func(a *apiRecord) string { return a.field("name") }, "version": func(a *apiRecord) string { return a.field("version") },
		"status": func(a *apiRecord) string { return a.State }, "createdTime": func(a *apiRecord) string { return millis(a.CreatedTime) },
	}[by]
	if key == nil {
		return
	}
	slices.SortStableFunc(records, func(a, b *apiRecord) int { return strings.Compare(key(a), key(b)) })
	if strings.EqualFold(order, "desc") {
		slices.Reverse(records)
	}
}

// apiMatches applies a query: words "attribute:value" (contains) and attribute:"value" (exact), joined by and; a bare word searches names.
func apiMatches(a *apiRecord, query string) bool {
	for _, word := range queryWords(query) {
		attribute, value, has := strings.Cut(word, ":")
		if !has {
			attribute, value = "name", word
		}
		exact := len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"'
		value = strings.ToLower(strings.Trim(value, `"`))
		var fields []string
		switch attribute {
		case "status":
			fields = []string{a.State}
		case "tags", "tag":
			fields = a.names("tags")
		case "api-category":
			fields = a.names("categories")
		case "doc":
			for _, d := range a.Documents {
				fields = append(fields, *d.Name)
			}
		case "name", "version", "context", "provider", "description", "type":
			fields = []string{a.field(attribute)}
		default:
			for _, p := range objects(a.Document["additionalProperties"]) {
				if textOf(p, "name") == attribute {
					fields = append(fields, textOf(p, "value"))
				}
			}
		}
		if !slices.ContainsFunc(fields, func(f string) bool {
			f = strings.ToLower(f)
			return f == value || !exact && strings.Contains(f, value)
		}) {
			return false
		}
	}
	return true
}

// queryWords splits a query at blanks outside of quotes.
func queryWords(query string) []string {
	quoted := false
	return strings.FieldsFunc(query, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}

func createAPI(c *call) *answer {
	d, bad := c.newDraft(nil)
	if bad != nil {
		return bad
	}
	a, bad := c.addAPI(d, working{})
	if bad != nil {
		return bad
	}
	out := c.madeAPI(a)
	// This answer shows as it was sent what is stored otherwise, or not at all (seen).
	if out["tags"] = list(asValue(asSet(d.body.Tags))); d.body.Tags == nil {
		out["tags"] = []string{}
	}
	switch {
	case d.body.VisibleRoles == nil:
		out["visibleRoles"] = []string{}
	case len(d.body.VisibleRoles) > 0:
		out["visibleRoles"] = d.body.VisibleRoles
	}
	c.showSentPolicies(out, d.body)
	out["additionalPropertiesMap"] = sentProperties(out)
	return created(publisher.location+"/apis/"+a.ID, out)
}

// sentProperties is the map of additional properties as answers to a POST show it: with names that do not say whether they are displayed (seen).
func sentProperties(shown map[string]any) map[string]any {
	out := map[string]any{}
	for key, p := range inner(shown, "additionalPropertiesMap") {
		if p, ok := p.(map[string]any); ok {
			p = maps.Clone(p)
			p["name"] = strings.TrimSuffix(key, "__display")
			out[key] = p
		}
	}
	return out
}

// showSentPolicies puts the uses of policies into the answer to a POST as they were sent: with the ids of common policies, not of their clones, and with
// parameters of any type (seen).
func (c *call) showSentPolicies(out map[string]any, b *apiBody) {
	sent := func(flows *flowsBody) map[string]any {
		if flows == nil {
			flows = &flowsBody{}
		}
		m := asObject(flows)
		for _, flow := range []string{"request", "response", "fault"} {
			uses := []any{}
			for _, use := range objects(m[flow]) {
				if p := samePolicy(c.tenant.OperationPolicies.list, textOf(use, "policyName"), textOf(use, "policyVersion")); p != nil && textOf(use, "policyId") == "" {
					use["policyId"] = p.ID
				}
				uses = append(uses, use)
			}
			m[flow] = uses
		}
		return m
	}
	if b.APIPolicies != nil {
		out["apiPolicies"] = sent(b.APIPolicies)
	}
	operations, _ := out["operations"].([]any)
	for _, o := range operations {
		for _, s := range b.Operations {
			if shown, ok := o.(map[string]any); ok && operationKey(shown) == strings.ToUpper(text(s.Verb))+" "+text(s.Target) {
				shown["operationPolicies"] = sent(s.OperationPolicies)
			}
		}
	}
}

// madeAPI is an API as the answer to POST shows it, which differs from GET in these (seen).
func (c *call) madeAPI(a *apiRecord) map[string]any {
	out := c.shownAPI(a)
	out["lastUpdatedTimestamp"], out["lastUpdatedTime"] = nil, nil
	out["visibleOrganizations"] = []string{c.tenant.Domain}
	for _, name := range []string{"visibleRoles", "subscriptionAvailableTenants", "asyncTransportProtocols"} {
		if len(a.names(name)) == 0 {
			out[name] = []string{""}
		}
	}
	return out
}

// maxName is how long the name of an API may be.
const maxName = 60

// addAPI stores a new API. What a draft has no place for comes in w.
func (c *call) addAPI(d *draft, w working) (*apiRecord, *answer) {
	b := d.body
	version, context, provider := *b.Version, d.context, d.provider
	switch {
	case len([]rune(d.name)) > maxName:
		return nil, refuse(http.StatusBadRequest, 900704, "Character length exceeds the allowable limit",
			"One of the provided input character length exceeds the allowable limit.")
	case d.kind == "ASYNC" && w.Schema == "":
		return nil, refuse(http.StatusBadRequest, 900915, "API Creation is supported only for WebSocket, WebSub and SSE APIs",
			"API Creation is supported only for WebSocket, WebSub and SSE APIs")
	}
	w.Document = d.doc
	w.Document["version"], w.Document["context"], w.Document["provider"] = version, context, provider
	advertise := advertiseBody{}
	advertise.defaults()
	if b.AdvertiseInfo != nil {
		advertise = *b.AdvertiseInfo
	}
	if text(advertise.Owner) == "" {
		advertise.Owner = ptr(provider)
	}
	w.Document["advertiseInfo"] = asObject(advertise)
	w.Document["egress"] = b.Egress != nil && *b.Egress
	w.Document["visibleOrganizations"] = []any{c.tenant.Domain} // until an update
	if b.ServiceInfo != nil {
		w.Document["serviceInfo"] = asObject(b.ServiceInfo)
	}
	if s := b.SubtypeConfiguration; s != nil {
		w.Document["subtypeConfiguration"] = map[string]any{"subtype": text(s.Subtype), "configuration": s.Configuration}
		if text(s.Subtype) == "AIAPI" && w.Document["endpointConfig"] != nil { // its endpoint becomes the first of the list
			w.Document["primaryProductionEndpointId"] = "default_production_endpoint"
		}
	}
	if text(b.GatewayType) != "" && *b.GatewayType != "wso2/synapse" && b.GatewayVendor == nil {
		w.Document["gatewayVendor"] = "external"
	}
	id := newID()
	if bad := c.attachAll(&w, nil, b); bad != nil {
		return nil, bad
	}
	now := c.server.now()
	a := &apiRecord{ID: id, working: w, State: "CREATED", Revisions: []revision{}, CreatedTime: now, UpdatedTime: now,
		History: []lifecycleEvent{{To: "CREATED", User: c.owner(), Time: now}}}
	c.keepAPI(a)
	c.onlyDefault(a)
	return a, nil
}

// onlyDefault takes from the other versions of an API that is the default what it has.
func (c *call) onlyDefault(a *apiRecord) {
	if a.Document["isDefaultVersion"] != true {
		return
	}
	for _, other := range c.tenant.APIs.values() {
		if other.ID != a.ID && other.field("name") == a.field("name") && other.Document["isDefaultVersion"] == true {
			changed := *other
			changed.Document = maps.Clone(other.Document)
			changed.Document["isDefaultVersion"] = false
			c.keepAPI(&changed)
		}
	}
}

// taken refuses a name, version or context that another API or product has.
func (t *tenant) taken(name, version, context string, product bool) *answer {
	for _, other := range slices.Concat(t.APIs.list, t.Products.list) {
		their := other.field("name")
		switch {
		case their == name && other.field("version") == version:
			return refuse(http.StatusConflict, 900300, "The API already exists.", "The API already exists")
		case their == name && other.field("context") != context && !product:
			return refuse(http.StatusBadRequest, 900977, "Block Condition Error", "API Context does not exist")
		case strings.EqualFold(their, name) && their != name:
			return refuse(http.StatusConflict, 900250, "The API name already exists.", "An API with name '"+name+"' already exists")
		case strings.EqualFold(other.field("context"), context) && their != name:
			return refuse(http.StatusConflict, 900251, "The API context already exists.", "An API with context '"+context+"' already exists")
		}
	}
	return nil
}

// apiContext is the context as stored: with a leading "/", without a "/{version}" at its end, and in a tenant behind /t/<tenant>.
func (c *call) apiContext(context, name string) (string, *answer) {
	malformed := func(reason string) *answer {
		return refuse(http.StatusBadRequest, 900253, "The API context is malformed.", "'The API context is malformed. "+reason+"'")
	}
	switch {
	case strings.HasSuffix(context, "/"):
		return "", malformed("For API " + name + ", context " + context + " cannot end with /")
	case strings.ContainsAny(strings.ReplaceAll(context, "{version}", ""), " {}!@#$%^&*()+=|\\\"'<>,;:?[]"):
		return "", malformed("Special characters cannot be used in context " + context + " for API " + name)
	}
	context = "/" + strings.TrimPrefix(context, "/")
	if context != "/{version}" {
		context = strings.TrimSuffix(context, "/{version}")
	}
	if prefix := "/t/" + c.tenant.Domain; c.tenant.Domain != superTenant && !strings.HasPrefix(context, prefix+"/") {
		context = prefix + context
	}
	return context, nil
}

func readAPI(c *call) *answer {
	id := c.vars["api"]
	if a := c.tenant.APIs.get(id); a != nil {
		if !c.mayView(a) {
			return forbidden("User is not authorized to access the API")
		}
		return ok(c.shownAPI(a))
	}
	for _, a := range c.tenant.APIs.list { // the id of a revision shows what it keeps
		for i, r := range a.Revisions {
			if r.ID == id {
				kept := *a
				kept.working = r.working
				out := c.shownAPI(&kept)
				out["id"], out["isRevision"], out["revisionedApiId"], out["revisionId"] = r.ID, true, a.ID, r.number(i)
				return ok(out)
			}
		}
	}
	return notFound("API", id)
}

// updateAPI replaces the working copy. Name, version, context, provider, state and type are silently the stored ones: 200 and no change; so are
// those that have operations of their own.
func updateAPI(c *call) *answer {
	a := c.tenant.APIs.get(c.vars["api"])
	if a == nil {
		var body apiBody
		body.defaults()
		if bad := readBody(c.body, &body); bad != nil {
			return bad
		}
		return refuse(http.StatusNotFound, 900308, "API Not Found", "Requested API with id '"+c.vars["api"]+"' not found")
	}
	d := &draft{body: &apiBody{}, old: a, doc: fresh(apiDefaults)}
	d.body.defaults()
	if bad := readBody(c.body, d.body); bad != nil {
		return bad
	}
	d.kind, d.name = a.field("type"), a.field("name")
	if bad := c.fillEndpoints(d); bad != nil {
		return bad
	}
	sent := []any{}
	for _, o := range d.body.Operations {
		sent = append(sent, map[string]any{"target": text(o.Target), "verb": strings.ToUpper(text(o.Verb))})
	}
	if bad := c.usedByProducts(a, map[string]any{"operations": sent}); bad != nil {
		return bad
	}
	if len(d.body.Policies) == 0 && a.State != "CREATED" && a.State != "PROTOTYPED" && a.needsTiers() {
		switch {
		case d.body.AdvertiseInfo == nil:
			return internal("") // a null pointer in the server
		case !isTrue(d.body.AdvertiseInfo.Advertised):
			return refuse(http.StatusBadRequest, 900304, "The tier cannot be null.", "The tier cannot be null")
		}
	}
	if len(d.body.Operations) == 0 {
		return refuse(http.StatusNotFound, 900763, "No resources found", "API must have at least one resource defined")
	}
	if bad := c.fill(d); bad != nil {
		return bad
	}
	if a.field("gatewayType") != "" && text(d.body.GatewayType) != "" && *d.body.GatewayType != a.field("gatewayType") {
		return general()
	}
	changed := *a
	changed.Document = d.doc
	for _, name := range []string{"name", "version", "context", "provider", "type", "egress", "subtypeConfiguration", "monetization", "serviceInfo", "wsdlInfo",
		"gatewayType", "gatewayVendor", "primaryProductionEndpointId", "primarySandboxEndpointId"} {
		if sent := d.doc[name]; strings.HasPrefix(name, "primary") && sent != nil {
			continue
		}
		d.doc[name] = a.Document[name]
	}
	advertise := advertiseBody{}
	advertise.defaults()
	if d.body.AdvertiseInfo != nil {
		advertise = *d.body.AdvertiseInfo
	}
	d.doc["advertiseInfo"] = asObject(advertise)
	if bad := c.attachAll(&changed.working, a, d.body); bad != nil {
		c.keepAPI(torn(a, d.doc))
		return bad
	}
	if len(d.body.VisibleOrganizations) > 0 {
		d.doc["visibleOrganizations"] = anyList(d.body.VisibleOrganizations)
	}
	changed.Definition = pruned(a.Definition, d.doc)
	changed.UpdatedTime, changed.Edited = c.server.now(), true
	changed.Writes++
	c.keepAPI(&changed)
	c.onlyDefault(&changed)
	c.apiScopesSent(&changed)
	out := c.shownAPI(&changed)
	if len(d.body.VisibleOrganizations) > 0 {
		out["visibleOrganizations"] = d.body.VisibleOrganizations // only this answer shows it
	}
	return ok(out)
}

// torn is an API after an update that was refused for a policy: its operations are those of the update, with the policies that they had, and all else is
// as it was (seen).
func torn(a *apiRecord, sent map[string]any) *apiRecord {
	had := map[string]any{}
	for _, o := range operationsOf(a.Document) {
		had[operationKey(o)] = o["operationPolicies"]
	}
	operations := []any{}
	for _, o := range operationsOf(sent) {
		o = maps.Clone(o)
		o["operationPolicies"] = map[string]any{"request": []any{}, "response": []any{}, "fault": []any{}}
		if flows := had[operationKey(o)]; flows != nil {
			o["operationPolicies"] = flows
		}
		operations = append(operations, o)
	}
	out := *a
	out.Document = maps.Clone(a.Document)
	out.Document["operations"] = operations
	return &out
}

func deleteAPI(c *call) *answer {
	a := c.tenant.APIs.get(c.vars["api"])
	if a == nil {
		return internal("") // a null pointer in the server (seen)
	}
	if c.tenant.Subscriptions.find(func(s *subscription) bool { return s.API == a.ID && !s.Gone }) != nil {
		return conflict("Cannot remove the API " + a.ID + " as active subscriptions exist")
	}
	var used []string
	for _, o := range operationsOf(a.Document) {
		for range c.productsWith(a.ID, operationKey(o)) {
			used = append(used, "{verb='"+textOf(o, "verb")+"', path='"+textOf(o, "target")+"'}")
		}
	}
	if used != nil {
		return conflict("Cannot remove the API because following resource paths [" + strings.Join(used, ", ") + "] are used by one or more API Products")
	}
	c.tenant.removeSubscriptionsTo(a.ID)
	c.dropAPI(a.ID)
	return empty(http.StatusOK)
}

// copyAPI makes a new version of an API.
func copyAPI(c *call) *answer {
	query := c.request.URL.Query()
	a := c.tenant.APIs.get(query.Get("apiId"))
	if a == nil {
		return refuse(http.StatusNotFound, 900308, "API Not Found", "Requested API with id '"+query.Get("apiId")+"' not found")
	}
	version := query.Get("newVersion")
	if !compiled("^[^~!@#;:%^*()+={}|\\\\<>\"',&/$\\[\\]\\s+/]+$").MatchString(version) || len(version) > 30 {
		return violations([]violation{{"newVersion", "The version is not valid"}})
	}
	for _, other := range c.tenant.APIs.list {
		if other.field("name") == a.field("name") && other.field("version") == version {
			return refuse(http.StatusConflict, 900252, "The API version already exists.", "An API with version '"+version+"' already exists for API '"+a.field("name")+"'")
		}
	}
	made := *a
	made.working, made.Documents = a.reissuedAlike(), copiedDocuments(a.Documents)
	now := c.server.now()
	made.ID, made.State, made.Revisions, made.Made, made.CreatedTime, made.UpdatedTime = newID(), "CREATED", []revision{}, 0, now, now
	made.History = []lifecycleEvent{{To: "CREATED", User: c.owner(), Time: now}}
	made.Document["version"], made.Document["isDefaultVersion"] = version, query.Get("defaultVersion") == "true"
	made.Document["provider"] = c.owner()
	c.keepAPI(&made)
	c.onlyDefault(&made)
	out := c.shownAPI(&made)
	out["visibleOrganizations"] = made.Document["visibleOrganizations"] // shown as stored (seen)
	return created(publisher.location+"/apis/"+made.ID, out)
}

// apiNaming returns an API that is bound to a key manager, nil when there is none.
func (t *tenant) apiNaming(k *keyManager) *apiRecord {
	return t.APIs.find(func(a *apiRecord) bool {
		return slices.ContainsFunc(a.names("keyManagers"), func(n string) bool { return n == *k.Name || n == *k.ID })
	})
}

// apiAt returns the API of "/context/version", nil when there is none.
func (t *tenant) apiAt(at string) *apiRecord {
	return t.APIs.find(func(a *apiRecord) bool { return a.field("context")+"/"+a.field("version") == at })
}

func (t *tenant) apisInCategory(name string) int {
	n := 0
	for _, a := range t.APIs.list {
		if slices.Contains(a.names("categories"), name) {
			n++
		}
	}
	return n
}

// advancedPolicyInUse refuses the deletion of a policy that an API or one of its operations names.
func advancedPolicyInUse(c *call, p *advancedPolicy) *answer {
	used := c.tenant.APIs.find(func(a *apiRecord) bool {
		if a.field("apiThrottlingPolicy") == *p.PolicyName {
			return true
		}
		ops, _ := a.Document["operations"].([]any)
		return slices.ContainsFunc(ops, func(o any) bool {
			m, _ := o.(map[string]any)
			return textOf(m, "throttlingPolicy") == *p.PolicyName && *p.PolicyName != "Unlimited"
		})
	})
	if used != nil {
		return refuse(http.StatusForbidden, 900971, "Cannot delete policy", "Cannot delete the advanced policy with the name "+*p.PolicyName+
			" because it is already attached to an API/Resource")
	}
	return nil
}
