package apim

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// productBody is the DTO APIProduct.
type productBody struct {
	ID                       *string          `json:"id"`
	Name                     *string          `json:"name" is:"required,min=1,max=50"`
	DisplayName              *string          `json:"displayName"`
	Context                  *string          `json:"context" is:"min=1,max=60"`
	Version                  *string          `json:"version" is:"min=1,max=30" pattern:"^[^~!@#;:%^*()+={}|\\\\<>\"',&/$\\[\\]\\s+/]+$"`
	Description              *string          `json:"description"`
	Provider                 *string          `json:"provider" is:"min=0,max=50"`
	HasThumbnail             *bool            `json:"hasThumbnail"`
	State                    *string          `json:"state"`
	EnableSchemaValidation   *bool            `json:"enableSchemaValidation"`
	IsDefaultVersion         *bool            `json:"isDefaultVersion"`
	IsRevision               *bool            `json:"isRevision"`
	RevisionedAPIProductID   *string          `json:"revisionedApiProductId"`
	RevisionID               *int64           `json:"revisionId"`
	ResponseCachingEnabled   *bool            `json:"responseCachingEnabled"`
	CacheTimeout             *int64           `json:"cacheTimeout"`
	Visibility               *string          `json:"visibility" enum:"PUBLIC,PRIVATE,RESTRICTED"`
	VisibleRoles             []string         `json:"visibleRoles"`
	VisibleTenants           []string         `json:"visibleTenants"`
	AccessControl            *string          `json:"accessControl" enum:"NONE,RESTRICTED"`
	AccessControlRoles       []string         `json:"accessControlRoles"`
	APIType                  *string          `json:"apiType" enum:"API,APIPRODUCT"`
	Transport                []string         `json:"transport"`
	Tags                     []string         `json:"tags"`
	Policies                 []string         `json:"policies"`
	APIThrottlingPolicy      *string          `json:"apiThrottlingPolicy"`
	AuthorizationHeader      *string          `json:"authorizationHeader"`
	APIKeyHeader             *string          `json:"apiKeyHeader"`
	SecurityScheme           []string         `json:"securityScheme"`
	SubscriptionAvailability *string          `json:"subscriptionAvailability" enum:"CURRENT_TENANT,ALL_TENANTS,SPECIFIC_TENANTS"`
	SubscriptionAvailTenants []string         `json:"subscriptionAvailableTenants"`
	AdditionalProperties     []propertyBody   `json:"additionalProperties"`
	AdditionalPropertiesMap  map[string]any   `json:"additionalPropertiesMap"`
	Monetization             *apiMonetization `json:"monetization"`
	BusinessInformation      *businessBody    `json:"businessInformation"`
	CORSConfiguration        *corsBody        `json:"corsConfiguration"`
	CreatedTime              *string          `json:"createdTime"`
	LastUpdatedTime          *string          `json:"lastUpdatedTime"`
	LastUpdatedTimestamp     *string          `json:"lastUpdatedTimestamp"`
	GatewayVendor            *string          `json:"gatewayVendor"`
	APIs                     []memberBody     `json:"apis"`
	Scopes                   []apiScopeBody   `json:"scopes"`
	Categories               []string         `json:"categories"`
	WorkflowStatus           *string          `json:"workflowStatus"`
	Audiences                []string         `json:"audiences"`
	Egress                   *bool            `json:"egress"`
}

// memberBody is the DTO ProductAPI: the operations of one API that a product has.
type memberBody struct {
	Name       *string         `json:"name"`
	APIID      *string         `json:"apiId" is:"required"`
	Version    *string         `json:"version"`
	Operations []operationBody `json:"operations"`
}

// productDefaults is the document of a product about which nothing was said (seen).
const productDefaults = `{"description":null,"enableSchemaValidation":false,"isDefaultVersion":true,"isRevision":false,"revisionedApiProductId":null,
"revisionId":0,"responseCachingEnabled":false,"cacheTimeout":300,"visibility":"PUBLIC","visibleRoles":[],"visibleTenants":[],"accessControl":"NONE",
"accessControlRoles":[],"apiType":null,"transport":["http","https"],"tags":[],"policies":[],"apiThrottlingPolicy":null,
"authorizationHeader":"Authorization","apiKeyHeader":"ApiKey","securityScheme":["oauth_basic_auth_api_key_mandatory","oauth2"],
"subscriptionAvailability":"ALL_TENANTS","subscriptionAvailableTenants":[],"additionalProperties":[],"additionalPropertiesMap":{},"monetization":null,
"businessInformation":{"businessOwner":null,"businessOwnerEmail":null,"technicalOwner":null,"technicalOwnerEmail":null},
"corsConfiguration":{"corsConfigurationEnabled":false,"accessControlAllowOrigins":["*"],"accessControlAllowCredentials":false,
"accessControlAllowHeaders":["authorization","Access-Control-Allow-Origin","Content-Type","SOAPAction","apikey","Internal-Key"],
"accessControlAllowMethods":["GET","PUT","POST","DELETE","PATCH","OPTIONS"]},"gatewayVendor":"wso2","apis":[],"scopes":[],"categories":[],
"workflowStatus":null,"audiences":["all"],"egress":false}`

func productRoutes() []route {
	view := []string{"apim:api_view", "apim:api_publish", "apim:api_manage", "apim:api_product_import_export"}
	change := []string{"apim:api_publish", "apim:api_manage"}
	return []route{
		get(publisher, "/api-products", []string{"apim:api_view", "apim:api_manage"}, listProducts),
		post(publisher, "/api-products", change, createProduct),
		get(publisher, "/api-products/{api}", view, readProduct),
		put(publisher, "/api-products/{api}", change, updateProduct),
		remove(publisher, "/api-products/{api}", append(slices.Clone(change), "apim:api_product_import_export"), deleteProduct),
		get(publisher, "/api-products/{api}/is-outdated", view[:3], productOutdated),
		get(publisher, "/api-products/{api}/swagger", view[:3], readDefinition),
	}
}

// ownProduct finds a product.
func (c *call) ownProduct(id string) (*apiRecord, *answer) {
	p := c.tenant.Products.get(id)
	if p == nil {
		return nil, notFound("API Product", id)
	}
	return p, nil
}

// shownProduct is a product as answers show it.
func (c *call) shownProduct(p *apiRecord) map[string]any {
	out := maps.Clone(p.Document)
	out["id"], out["state"], out["hasThumbnail"] = p.ID, p.State, p.Thumbnail != nil
	out["createdTime"], out["lastUpdatedTime"], out["lastUpdatedTimestamp"] = millis(p.CreatedTime), nil, nil
	members := []any{}
	scopes := map[string]bool{}
	shownScopes := []any{}
	for _, m := range objects(p.Document["apis"]) {
		shown := maps.Clone(m)
		operations := []any{}
		a := c.tenant.APIs.get(textOf(m, "apiId"))
		if a == nil {
			continue // a revision that was restored may have had it (seen)
		}
		delete(shown, "writes")
		for _, o := range objects(m["operations"]) {
			policies := o["operationPolicies"]
			for _, live := range operationsOf(a.Document) { // a product shows its members' operations as they are now
				if operationKey(live) == operationKey(o) {
					o = maps.Clone(live)
					if a.Edited {
						o["authType"] = shownAuthType(textOf(o, "authType"))
					}
					// But their policies are those of when the product was written, and lost when the API is (seen).
					if o["operationPolicies"] = policies; fmt.Sprint(m["writes"]) != fmt.Sprint(a.Writes) {
						o["operationPolicies"] = asObject(flowsBody{Request: []policyUse{}, Response: []policyUse{}, Fault: []policyUse{}})
					}
					if level := a.field("apiThrottlingPolicy"); level != "" {
						o["throttlingPolicy"] = level
					}
				}
			}
			operations = append(operations, o)
			for _, name := range list(o["scopes"]) {
				scopes[name] = true
			}
		}
		shown["name"], shown["version"] = a.field("name"), a.field("version")
		for _, s := range c.shownScopes(a.Document["scopes"]) {
			m, _ := s.(map[string]any)
			if name := textOf(inner(m, "scope"), "name"); scopes[name] {
				delete(scopes, name)
				shownScopes = append(shownScopes, s)
			}
		}
		shown["operations"] = operations
		members = append(members, shown)
	}
	out["apis"], out["scopes"], out["policies"] = members, shownScopes, c.standingTiers(p)
	return out
}

// lacksOperations tells whether an API of a product's document is there and lacks an operation.
func (t *tenant) lacksOperations(doc map[string]any) bool {
	for _, m := range objects(doc["apis"]) {
		a := t.APIs.get(textOf(m, "apiId"))
		for _, o := range objects(m["operations"]) {
			if a != nil && !slices.ContainsFunc(operationsOf(a.Document), func(live map[string]any) bool { return operationKey(live) == operationKey(o) }) {
				return true
			}
		}
	}
	return false
}

// productsWith are the products that have an operation ("GET /menu") of an API.
func (c *call) productsWith(api, operation string) []*apiRecord {
	var out []*apiRecord
	for _, p := range c.tenant.Products.list {
		for _, m := range objects(p.Document["apis"]) {
			if textOf(m, "apiId") == api && slices.ContainsFunc(objects(m["operations"]), func(o map[string]any) bool { return operationKey(o) == operation }) {
				out = append(out, p)
				break
			}
		}
	}
	return out
}

// usedByProducts refuses an update that takes away an operation that a product has.
func (c *call) usedByProducts(a *apiRecord, doc map[string]any) *answer {
	left := map[string]bool{}
	for _, o := range operationsOf(doc) {
		left[operationKey(o)] = true
	}
	for _, o := range operationsOf(a.Document) {
		if key := operationKey(o); !left[key] && len(c.productsWith(a.ID, key)) > 0 {
			return refuse(http.StatusConflict, 900344, "Cannot remove the resource paths because they are used by one or more API Products",
				"Cannot update API: "+a.field("name")+":"+a.field("version")+", due to the resources to remove are used by one or more API Products")
		}
	}
	return nil
}

func listProducts(c *call) *answer {
	records := c.searchableProducts()
	slices.SortStableFunc(records, func(a, b *apiRecord) int { return cmp.Compare(b.CreatedTime.UnixNano(), a.CreatedTime.UnixNano()) })
	out := []map[string]any{}
	for _, p := range records {
		if !apiMatches(p, c.request.URL.Query().Get("query")) || !c.mayView(p) {
			continue
		}
		doc, business := p.Document, inner(p.Document, "businessInformation")
		out = append(out, map[string]any{"id": p.ID, "name": doc["name"], "displayName": doc["displayName"], "context": doc["context"],
			"description": doc["description"], "provider": doc["provider"], "version": doc["version"], "hasThumbnail": p.Thumbnail != nil, "state": p.State,
			"securityScheme": doc["securityScheme"], "createdTime": millis(p.CreatedTime), "updatedTime": millis(p.UpdatedTime), "gatewayVendor": nil,
			"audiences": []string{}, "monetizedInfo": false, "businessOwner": business["businessOwner"], "businessOwnerEmail": business["businessOwnerEmail"],
			"TechnicalOwner": business["technicalOwner"], "TechnicalOwnerEmail": business["technicalOwnerEmail"], "egress": false})
	}
	return page(c, out, pageLinks{})
}

// productDocument makes the document of a product of a request.
func (c *call) productDocument(old *apiRecord) (map[string]any, *productBody, *answer) {
	b := &productBody{Policies: []string{}, APIs: []memberBody{}, Categories: []string{}}
	if bad := readBody(c.body, b); bad != nil {
		return nil, nil, bad
	}
	doc := fresh(productDefaults)
	// What a product has in common with an API is checked as an API's is.
	api := &apiBody{Name: b.Name, Version: ptr("1.0.0"), Visibility: b.Visibility, VisibleRoles: b.VisibleRoles, AccessControl: b.AccessControl,
		AccessControlRoles: b.AccessControlRoles, Policies: b.Policies, Transport: b.Transport, AdditionalProperties: b.AdditionalProperties, Categories: b.Categories}
	d := &draft{body: api, doc: doc, old: old, name: strings.Join(strings.Fields(*b.Name), " ")}
	for _, check := range []func(*draft) *answer{c.fillTiers, c.fillExposure, c.fillProperties, c.fillTransport, c.fillCategories} {
		if bad := check(d); bad != nil {
			return nil, nil, bad
		}
	}
	sent := asObject(b)
	for _, name := range []string{"description", "apiThrottlingPolicy", "enableSchemaValidation", "responseCachingEnabled", "cacheTimeout",
		"gatewayVendor", "subscriptionAvailability", "apiKeyHeader", "authorizationHeader", "businessInformation", "corsConfiguration"} {
		if v := sent[name]; v != nil {
			doc[name] = v
		}
	}
	if old != nil {
		doc["authorizationHeader"] = sent["authorizationHeader"] // an update that lacks it makes it null
		if b.IsDefaultVersion != nil {
			doc["isDefaultVersion"] = *b.IsDefaultVersion // that of a new one is not asked
		}
	} else if illegal := `~!@#;:%^*()+={}|<>"',[]&/$\\`; strings.ContainsAny(*b.Name, illegal) {
		return nil, nil, refuse(http.StatusBadRequest, 903239, "API name contains illegal characters", "API name "+*b.Name+
			` contains one or more illegal characters from ([~!@#;:%^*()+={}|<>"',\[\]&/$\\])`)
	}
	if len(b.Audiences) > 0 {
		doc["audiences"] = anyList(b.Audiences)
	}
	doc["securityScheme"] = anyList(securitySchemes(b.SecurityScheme))
	doc["tags"], doc["name"], doc["displayName"] = anyList(tags(b.Tags)), d.name, d.name
	if text(b.DisplayName) != "" {
		doc["displayName"] = *b.DisplayName
	}
	members, bad := c.members(b.APIs, old == nil)
	doc["apis"] = members
	return doc, b, bad
}

// members completes the members of a product. An API that there is not is left out without a word, an operation that its API lacks is a null pointer in
// the server (seen). The same operation in two APIs is refused (apim-behaviour 5.5).
func (c *call) members(sent []memberBody, fresh bool) ([]any, *answer) {
	out, taken := []any{}, map[string]bool{}
	for _, m := range sent {
		for _, o := range m.Operations {
			key := text(o.Verb) + " " + text(o.Target)
			if taken[key] {
				return nil, refuse(http.StatusBadRequest, 900341, "Cannot create API Product with duplicate resource",
					"Cannot create API Product with duplicate resource: "+text(o.Target)+" , verb: "+text(o.Verb)+" combination")
			}
			taken[key] = true
		}
	}
	for _, m := range sent { // an update does not look at their states (seen)
		a := c.tenant.APIs.get(*m.APIID)
		if fresh && a != nil && len(m.Operations) > 0 && slices.Contains([]string{"BLOCKED", "PROTOTYPED", "DEPRECATED", "RETIRED"}, a.State) {
			const reason = "Cannot create API Product, due to resources parent API being in an unsupported Life Cycle state"
			return nil, refuse(http.StatusConflict, 900343, reason, reason+": "+a.State)
		}
	}
	for _, m := range sent {
		a := c.tenant.APIs.get(*m.APIID)
		if a == nil {
			continue
		}
		operations := []any{}
		for _, o := range m.Operations {
			key := strings.ToUpper(text(o.Verb)) + " " + text(o.Target)
			i := slices.IndexFunc(operationsOf(a.Document), func(live map[string]any) bool { return operationKey(live) == key })
			if i < 0 {
				return nil, internal("")
			}
			operations = append(operations, operationsOf(a.Document)[i])
		}
		if len(operations) == 0 {
			continue // of which nothing is left (seen)
		}
		out = append(out, map[string]any{"name": a.field("name"), "apiId": a.ID, "version": a.field("version"), "operations": operations,
			"writes": a.Writes})
	}
	return out, nil
}

// productContext checks and completes the context of a product.
func (c *call) productContext(sent *string, name string) (string, *answer) {
	context := text(sent)
	malformed := func(reason string) *answer {
		return badRequest("Error while adding new API Product. The API Product context is malformed. " + reason)
	}
	switch {
	case context == "":
		return "", badRequest("Error while adding new API Product. Parameter: \"context\" cannot be null")
	case strings.HasSuffix(context, "/"):
		return "", malformed("For API Product " + name + ", context " + context + " cannot end with /")
	case strings.ContainsAny(context, " {}!@#$%^&*()+=|\\\"'<>,;:?[]"):
		return "", malformed("Special characters cannot be used in context " + context + " for API Product " + name)
	}
	context, bad := c.apiContext(context, name)
	return context, bad
}

func createProduct(c *call) *answer {
	doc, b, bad := c.productDocument(nil)
	if bad != nil {
		return bad
	}
	name := textOf(doc, "name")
	context, bad := c.productContext(b.Context, name)
	if bad != nil {
		return bad
	}
	version := "1.0.0"
	if text(b.Version) != "" {
		version = *b.Version
	}
	if bad := c.tenant.taken(name, version, context, true); bad != nil {
		return bad
	}
	doc["context"], doc["version"], doc["provider"] = context, version, c.owner()
	now := c.server.now()
	p := &apiRecord{ID: newID(), Product: true, working: working{Document: doc}, State: "CREATED", Revisions: []revision{}, CreatedTime: now, UpdatedTime: now,
		History: []lifecycleEvent{{To: "CREATED", User: c.owner(), Time: now}}}
	p.Definition = p.bareDefinition(c) // it is made when the product is written, and does not change with its members (seen)
	c.keepAPI(p)
	out := c.shownProduct(p)
	if len(b.VisibleRoles) > 0 {
		out["visibleRoles"] = b.VisibleRoles // in this answer alone (seen)
	}
	out["additionalPropertiesMap"] = sentProperties(out)
	return created(publisher.location+"/api-products/"+p.ID, out)
}

func readProduct(c *call) *answer {
	p := c.tenant.Products.get(c.vars["api"])
	if p == nil {
		return internal("Error while retrieving API Product from Id  : " + c.vars["api"]) // 500, not 404 (seen)
	}
	return ok(c.shownProduct(p))
}

// updateProduct replaces the working copy. Name, version and provider are silently the stored ones; the context is not (seen).
func updateProduct(c *call) *answer {
	p, bad := c.ownProduct(c.vars["api"])
	if bad != nil {
		return bad
	}
	doc, b, bad := c.productDocument(p)
	if bad != nil {
		return bad
	}
	for _, name := range []string{"name", "version", "provider", "context"} {
		doc[name] = p.Document[name]
	}
	if text(b.Context) != "" {
		if doc["context"], bad = c.productContext(b.Context, p.field("name")); bad != nil {
			return bad
		}
	}
	changed := *p
	changed.Document, changed.UpdatedTime = doc, c.server.now()
	changed.Definition = nil
	changed.Definition = changed.bareDefinition(c)
	c.keepAPI(&changed)
	return ok(c.shownProduct(&changed))
}

func deleteProduct(c *call) *answer {
	p, bad := c.ownProduct(c.vars["api"])
	if bad != nil {
		return bad
	}
	live := p.State == "PUBLISHED" || p.State == "DEPRECATED"
	if live && c.tenant.Subscriptions.find(func(s *subscription) bool { return s.API == p.ID }) != nil { // also one that is deleted and blocked
		return conflict("Cannot remove the API " + p.field("provider") + "-" + p.field("name") + "-" + p.field("version") + " as active subscriptions exist")
	}
	if c.tenant.Subscriptions.find(func(s *subscription) bool { return s.API == p.ID && !s.Gone }) != nil {
		return internal("Error while deleting API Product : " + p.ID) // in other states
	}
	c.tenant.removeSubscriptionsTo(p.ID)
	c.dropAPI(p.ID)
	return empty(http.StatusOK)
}

// productOutdated is not there, whatever the documents say: 204 (seen).
func productOutdated(*call) *answer { return empty(http.StatusNoContent) }
