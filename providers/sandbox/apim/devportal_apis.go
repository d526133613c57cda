package apim

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func devportalAPIRoutes() []route {
	raw := func(r route) route { r.produces = ""; return r }
	return []route{
		get(devportal, "/apis", nil, devportalList),
		get(devportal, "/apis/{api}", nil, devportalAPI),
		get(devportal, "/apis/{api}/swagger", nil, devportalDefinition),
		get(devportal, "/apis/{api}/graphql-schema", nil, devportalGraphQL),
		get(devportal, "/apis/{api}/async-api-specification", nil, devportalAsync),
		raw(get(devportal, "/apis/{api}/wsdl", nil, devportalWSDL)),
		get(devportal, "/apis/{api}/subscription-policies", nil, devportalTiersOf),
		get(devportal, "/apis/{api}/graphql-policies/complexity", nil, devportalComplexity),
		get(devportal, "/apis/{api}/documents", nil, devportalDocuments),
		get(devportal, "/apis/{api}/documents/{document}", nil, devportalDocument),
		raw(get(devportal, "/apis/{api}/documents/{document}/content", nil, devportalDocumentContent)),
		raw(get(devportal, "/apis/{api}/thumbnail", nil, devportalThumbnail)),
		get(devportal, "/tags", nil, devportalTags),
		get(devportal, "/search", nil, devportalSearch),
		get(devportal, "/tenants", nil, noTenants),
	}
}

// inPortal are the states in which the devportal shows an API.
var inPortal = []string{"PUBLISHED", "PROTOTYPED", "BLOCKED", "DEPRECATED"}

// sees tells whether the caller of the devportal sees an API: its state, and its roles.
func (c *call) sees(a *apiRecord) bool {
	if !slices.Contains(inPortal, a.State) {
		return false
	}
	switch a.field("visibility") {
	case "RESTRICTED":
		return c.user.All || slices.ContainsFunc(a.names("visibleRoles"), func(role string) bool {
			return slices.ContainsFunc(c.user.Roles, func(r string) bool { return strings.EqualFold(r, role) })
		})
	case "PRIVATE":
		return c.user.User != "" && c.user.Tenant == c.tenant.Domain
	}
	return true
}

// portalTenant is the tenant whose catalogue is looked at: the header's, else the caller's (apim-behaviour 1.3).
func (c *call) portalTenant() {
	if domain := c.request.Header.Get("X-WSO2-Tenant"); domain != "" {
		if t := c.server.contents.Tenants[domain]; t != nil {
			c.tenant = c.server.tenantOf(domain)
		}
	}
}

// portalAPI finds the API or the product of the path for the devportal. It is there at once, unlike in the list.
func (c *call) portalAPI() (*apiRecord, *answer) {
	c.portalTenant()
	id := c.vars["api"]
	a := c.tenant.APIs.get(id)
	if a == nil {
		a = c.tenant.Products.get(id)
	}
	switch {
	case a == nil:
		return nil, notFound("API", id)
	case !c.sees(a):
		return nil, forbidden("You don't have permission to access the API with Id " + id)
	}
	return a, nil
}

// portalInfo is what the devportal's lists and subscriptions show of an API.
func (c *call) portalInfo(a *apiRecord) map[string]any {
	doc := a.Document
	advertise := inner(doc, "advertiseInfo")
	if advertise == nil {
		advertise = map[string]any{"advertised": false, "apiExternalProductionEndpoint": nil, "apiExternalSandboxEndpoint": nil, "originalDevPortalUrl": nil,
			"apiOwner": doc["provider"], "vendor": "WSO2"}
	}
	kind, gatewayType, subtype := doc["type"], doc["gatewayType"], inner(doc, "subtypeConfiguration")["subtype"]
	if a.Product {
		kind, gatewayType, subtype = "APIProduct", "wso2/synapse", "DEFAULT"
	}
	return map[string]any{"id": a.ID, "name": doc["name"], "displayName": doc["displayName"], "description": doc["description"], "context": doc["context"],
		"version": doc["version"], "type": kind, "createdTime": millis(a.CreatedTime), "provider": doc["provider"], "lifeCycleStatus": a.State, "thumbnailUri": nil,
		"avgRating": "0.0", "throttlingPolicies": c.standingTiers(a), "advertiseInfo": advertise, "businessInformation": doc["businessInformation"],
		"isSubscriptionAvailable": true, "monetizationLabel": "FREE", "gatewayType": gatewayType, "gatewayVendor": doc["gatewayVendor"],
		"additionalProperties": []any{}, "monetizedInfo": false, "egress": doc["egress"], "subtype": subtype}
}

// portalRecords are the APIs and products that the devportal's lists show now: they lag.
func (c *call) portalRecords(query string) []*apiRecord {
	c.portalTenant()
	var out []*apiRecord
	for _, a := range c.settled() {
		if c.sees(a) && apiMatches(a, query) {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b *apiRecord) int { return strings.Compare(a.field("name"), b.field("name")) })
	return out
}

func devportalList(c *call) *answer {
	query := c.request.URL.Query().Get("query")
	out := []map[string]any{}
	for _, a := range c.portalRecords(query) {
		out = append(out, c.portalInfo(a))
	}
	return page(c, out, pageLinks{after: "&query=" + url.QueryEscape(query)})
}

func devportalAPI(c *call) *answer {
	a, bad := c.portalAPI()
	if bad != nil {
		return bad
	}
	doc := a.Document
	out := c.portalInfo(a)
	for _, name := range []string{"throttlingPolicies", "thumbnailUri", "monetizationLabel", "monetizedInfo"} {
		delete(out, name)
	}
	definition, err := json.Marshal(a.bareDefinition(c))
	if err != nil {
		return internal("")
	}
	var indented bytes.Buffer
	if json.Indent(&indented, definition, "", "  ") != nil {
		return internal("")
	}
	context := a.field("context")
	if !strings.Contains(context, "{version}") {
		context += "/" + a.field("version")
	}
	tiers := []map[string]any{}
	for _, t := range c.shownTiers(a) {
		tiers = append(tiers, map[string]any{"tierName": t["name"], "tierPlan": t["tierPlan"], "monetizationAttributes": nil})
	}
	scopes := []any{}
	declared := c.shownScopes(doc["scopes"])
	for _, s := range objects(declared) {
		scope := inner(s, "scope")
		scopes = append(scopes, map[string]any{"key": scope["name"], "name": scope["displayName"], "roles": list(scope["bindings"]), "description": scope["description"]})
	}
	environments := []string{}
	for _, r := range a.Revisions {
		for _, d := range r.Deployments {
			if d.DisplayOnDevportal == nil || *d.DisplayOnDevportal {
				environments = append(environments, text(d.Name))
			}
		}
	}
	monetized, _ := inner(doc, "monetization")["enabled"].(bool)
	maps.Copy(out, map[string]any{"context": context, "apiDefinition": indented.String(), "wsdlUri": nil, "isDefaultVersion": doc["isDefaultVersion"],
		"transport": doc["transport"], "operations": []any{}, "authorizationHeader": doc["authorizationHeader"], "apiKeyHeader": doc["apiKeyHeader"],
		"securityScheme": doc["securityScheme"], "tags": doc["tags"], "tiers": tiers, "hasThumbnail": a.Thumbnail != nil,
		"additionalProperties": shownProperties(doc), "monetization": map[string]any{"enabled": monetized}, "endpointURLs": c.endpointURLs(a),
		"environmentList": environments, "scopes": scopes, "subscriptions": 0, "initiatedFromGateway": false, "categories": doc["categories"],
		"keyManagers": keyManagersOf(a), "createdTime": sqlTime(a.CreatedTime), "lastUpdatedTime": nil, "asyncTransportProtocols": list(doc["asyncTransportProtocols"])})
	return ok(out)
}

func keyManagersOf(a *apiRecord) []string {
	if names := a.names("keyManagers"); len(names) > 0 {
		return names
	}
	return []string{"all"}
}

// shownProperties are the properties that the devportal shows.
func shownProperties(doc map[string]any) []any {
	out := []any{}
	for _, p := range objects(doc["additionalProperties"]) {
		if p["display"] == true {
			out = append(out, p)
		}
	}
	return out
}

// endpointURLs are the addresses at which the gateways of an API serve it.
func (c *call) endpointURLs(a *apiRecord) []any {
	out := []any{}
	path := a.field("context") + "/" + a.field("version")
	if strings.Contains(a.field("context"), "{version}") {
		path = strings.ReplaceAll(a.field("context"), "{version}", a.field("version"))
	}
	for _, r := range a.Revisions {
		for _, d := range r.Deployments {
			e := c.tenant.Environments.find(func(e *environment) bool { return *e.Name == text(d.Name) })
			if e == nil || d.DisplayOnDevportal != nil && !*d.DisplayOnDevportal {
				continue
			}
			for _, h := range e.VHosts {
				if *h.Host == text(d.VHost) {
					out = append(out, map[string]any{"environmentName": e.Name, "environmentDisplayName": e.DisplayName, "environmentType": e.Type,
						"URLs": gatewayURLs(h, path), "defaultVersionURLs": map[string]any{"http": nil, "https": nil, "ws": nil, "wss": nil}})
				}
			}
		}
	}
	return out
}

// gatewayURLs are the addresses of a path on a virtual host.
func gatewayURLs(h vhost, path string) map[string]any {
	context := strings.Trim(text(h.HTTPContext), "/")
	if context != "" {
		context = "/" + context
	}
	at := func(scheme string, port *int64, usual int64) string {
		if number64(port) == usual {
			return scheme + "://" + *h.Host + context + path
		}
		return scheme + "://" + *h.Host + ":" + strconv.FormatInt(number64(port), 10) + context + path
	}
	return map[string]any{"http": at("http", h.HTTPPort, 80), "https": at("https", h.HTTPSPort, 443), "ws": nil, "wss": nil}
}

// devportalDefinition is the document with the gateway's addresses in the place of the backend's.
func devportalDefinition(c *call) *answer {
	a, bad := c.portalAPI()
	if bad != nil {
		return bad
	}
	doc := a.bareDefinition(c)
	servers := []any{}
	for _, e := range c.endpointURLs(a) {
		m, _ := e.(map[string]any)
		urls := inner(m, "URLs")
		for _, scheme := range []string{"https", "http"} {
			if slices.Contains(list(a.Document["transport"]), scheme) {
				servers = append(servers, treeOf("url", urls[scheme]))
			}
		}
	}
	if len(servers) == 0 {
		servers = append(servers, treeOf("url", "/"))
	}
	doc.set("servers", servers)
	text, err := json.Marshal(doc)
	if err != nil {
		return internal("")
	}
	return &answer{status: http.StatusOK, kind: jsonBody, download: "swagger.json", body: text}
}

func devportalGraphQL(c *call) *answer {
	a, bad := c.portalAPI()
	if bad != nil {
		return bad
	}
	return &answer{status: http.StatusOK, kind: "text/plain", body: []byte(a.Schema)}
}

func devportalAsync(c *call) *answer {
	a, bad := c.portalAPI()
	if bad != nil {
		return bad
	}
	text, err := asyncDefinition(a)
	if err != nil {
		return internal("")
	}
	return &answer{status: http.StatusOK, kind: jsonBody, body: text}
}

func devportalWSDL(c *call) *answer {
	a, bad := c.portalAPI()
	if bad != nil {
		return bad
	}
	if a.Document["wsdlInfo"] == nil {
		return noWSDL(a)
	}
	return readWSDL(c)
}

func devportalTiersOf(c *call) *answer {
	a, bad := c.portalAPI()
	if bad != nil {
		return bad
	}
	return ok(c.shownTiers(a))
}

func devportalComplexity(c *call) *answer {
	if _, bad := c.portalAPI(); bad != nil {
		return bad
	}
	return readComplexity(c)
}

func devportalDocuments(c *call) *answer {
	a, bad := c.portalAPI()
	if bad != nil {
		return bad
	}
	out := []map[string]any{}
	for _, d := range a.Documents {
		out = append(out, portalDocument(d))
	}
	return page(c, out, pageLinks{})
}

func portalDocument(d keptDocument) map[string]any {
	return map[string]any{"documentId": d.DocumentID, "name": d.Name, "type": d.Type, "summary": d.Summary, "sourceType": d.SourceType, "sourceUrl": d.SourceURL,
		"otherTypeName": d.OtherTypeName}
}

func (c *call) portalDocument() (*keptDocument, *answer) {
	a, bad := c.portalAPI()
	if bad != nil {
		return nil, bad
	}
	for i := range a.Documents {
		if *a.Documents[i].DocumentID == c.vars["document"] {
			return &a.Documents[i], nil
		}
	}
	return nil, notFound("document", c.vars["document"])
}

func devportalDocument(c *call) *answer {
	d, bad := c.portalDocument()
	if bad != nil {
		return bad
	}
	return ok(portalDocument(*d))
}

func devportalDocumentContent(c *call) *answer {
	d, bad := c.portalDocument()
	if bad != nil {
		return bad
	}
	return d.content()
}

func devportalThumbnail(c *call) *answer {
	a, bad := c.portalAPI()
	if bad != nil {
		return bad
	}
	return a.thumbnail()
}

func devportalTags(c *call) *answer {
	counts := map[string]int{}
	for _, a := range c.portalRecords("") {
		for _, t := range a.names("tags") {
			counts[t]++
		}
	}
	out := []map[string]any{}
	for _, t := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, map[string]any{"value": t, "count": counts[t]})
	}
	return page(c, out, pageLinks{})
}

func devportalSearch(c *call) *answer {
	query := c.request.URL.Query().Get("query")
	out := []map[string]any{}
	for _, a := range c.portalRecords(query) {
		info := c.portalInfo(a)
		out = append(out, map[string]any{"id": a.ID, "name": info["name"], "type": searchType(a), "transportType": info["type"], "displayName": info["displayName"],
			"description": info["description"], "context": info["context"], "version": info["version"], "provider": info["provider"], "status": a.State,
			"thumbnailUri": nil, "businessInformation": info["businessInformation"], "avgRating": "0.0"})
	}
	return page(c, out, pageLinks{after: "&query=" + url.QueryEscape(query)})
}

func searchType(a *apiRecord) string {
	if a.Product {
		return "APIProduct"
	}
	return "API"
}

func noTenants(c *call) *answer {
	cut, bad := c.cut(0)
	if bad != nil {
		return bad
	}
	return ok(map[string]any{"count": 0, "list": []any{}, "pagination": map[string]any{"offset": cut.from, "limit": 25, "total": 0, "next": nil, "previous": nil}})
}
