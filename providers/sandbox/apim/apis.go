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

// apiRecord is what is kept of an API. Its document is the DTO of publisher /apis as sent, over the
// server's defaults.
type apiRecord struct {
	ID          string         `json:"id"`
	Document    map[string]any `json:"document"`
	State       string         `json:"state"` // "CREATED", "PUBLISHED", …
	Revisions   []revision     `json:"revisions"`
	Made        int            `json:"made"` // how many revisions there have been
	CreatedTime time.Time      `json:"createdTime"`
	UpdatedTime time.Time      `json:"updatedTime"`
}

func (a *apiRecord) rowID() string { return a.ID }

func (a *apiRecord) field(name string) string { return textOf(a.Document, name) }

// names returns a field that is a list of names.
func (a *apiRecord) names(name string) []string { return list(a.Document[name]) }

// apiBody is what a request may hold; what is checked has a type of its own, the rest is kept as it
// is.
type apiBody struct {
	Name                        *string  `json:"name" is:"required,min=1" pattern:"(^[^~!@#;:%^*()+={}|\\\\<>\"',&$\\[\\]/]*$)"`
	Context                     *string  `json:"context" is:"required,min=1,max=232"`
	Version                     *string  `json:"version" is:"required,min=1,max=30" pattern:"^[^~!@#;:%^*()+={}|\\\\<>\"',&/$\\[\\]\\s+/]+$"`
	Description                 *string  `json:"description" is:"min=0,max=32766"`
	Provider                    *string  `json:"provider" is:"min=0,max=200"`
	Type                        *string  `json:"type" enum:"HTTP,WS,SOAPTOREST,SOAP,GRAPHQL,WEBSUB,SSE,WEBHOOK,ASYNC"`
	Visibility                  *string  `json:"visibility" enum:"PUBLIC,PRIVATE,RESTRICTED"`
	AccessControl               *string  `json:"accessControl" enum:"NONE,RESTRICTED"`
	SubscriptionAvailability    *string  `json:"subscriptionAvailability" enum:"CURRENT_TENANT,ALL_TENANTS,SPECIFIC_TENANTS"`
	EndpointImplementationType  *string  `json:"endpointImplementationType" enum:"INLINE,ENDPOINT,MOCKED_OAS"`
	AuthorizationHeader         *string  `json:"authorizationHeader" pattern:"(^[^~!@#;:%^*()+={}|\\\\<>\"',&$\\s+]*$)"`
	APIKeyHeader                *string  `json:"apiKeyHeader" pattern:"(^[^~!@#;:%^*()+={}|\\\\<>\"',&$\\s+]*$)"`
	Policies                    []string `json:"policies"`
	Tags                        []string `json:"tags"`
	Transport                   []string `json:"transport"`
	Categories                  []string `json:"categories"`
	VisibleRoles                []string `json:"visibleRoles"`
	AccessControlRoles          []string `json:"accessControlRoles"`
	Audiences                   []string `json:"audiences"`
	SecurityScheme              []string `json:"securityScheme"`
	KeyManagers                 any      `json:"keyManagers"`
	Operations                  []any    `json:"operations"`
	ID                          any      `json:"id"`
	DisplayName                 any      `json:"displayName"`
	LifeCycleStatus             any      `json:"lifeCycleStatus"`
	WSDLInfo                    any      `json:"wsdlInfo"`
	WSDLUrl                     any      `json:"wsdlUrl"`
	ResponseCachingEnabled      *bool    `json:"responseCachingEnabled"`
	CacheTimeout                *int64   `json:"cacheTimeout"`
	HasThumbnail                *bool    `json:"hasThumbnail"`
	IsDefaultVersion            *bool    `json:"isDefaultVersion"`
	IsRevision                  *bool    `json:"isRevision"`
	RevisionedAPIID             any      `json:"revisionedApiId"`
	RevisionID                  any      `json:"revisionId"`
	EnableSchemaValidation      *bool    `json:"enableSchemaValidation"`
	EnableSubscriberVerifcation *bool    `json:"enableSubscriberVerification"`
	Audience                    *string  `json:"audience" enum:"PUBLIC,SINGLE"`
	OrganizationPolicies        []any    `json:"organizationPolicies"`
	APIThrottlingPolicy         *string  `json:"apiThrottlingPolicy"`
	MaxTPS                      any      `json:"maxTps"`
	VisibleTenants              []string `json:"visibleTenants"`
	VisibleOrganizations        []string `json:"visibleOrganizations"`
	MediationPolicies           []any    `json:"mediationPolicies"`
	APIPolicies                 any      `json:"apiPolicies"`
	APIHubPolicies              any      `json:"apiHubPolicies"`
	SubscriptionAvailTenants    []string `json:"subscriptionAvailableTenants"`
	AdditionalProperties        []any    `json:"additionalProperties"`
	AdditionalPropertiesMap     any      `json:"additionalPropertiesMap"`
	Monetization                any      `json:"monetization"`
	BusinessInformation         any      `json:"businessInformation"`
	CORSConfiguration           any      `json:"corsConfiguration"`
	WebsubConfiguration         any      `json:"websubSubscriptionConfiguration"`
	WorkflowStatus              any      `json:"workflowStatus"`
	CreatedTime                 any      `json:"createdTime"`
	LastUpdatedTimestamp        any      `json:"lastUpdatedTimestamp"`
	LastUpdatedTime             any      `json:"lastUpdatedTime"`
	EndpointConfig              any      `json:"endpointConfig"`
	PrimaryProductionEndpointID any      `json:"primaryProductionEndpointId"`
	PrimarySandboxEndpointID    any      `json:"primarySandboxEndpointId"`
	SubtypeConfiguration        any      `json:"subtypeConfiguration"`
	Scopes                      []any    `json:"scopes"`
	ThreatProtectionPolicies    any      `json:"threatProtectionPolicies"`
	ServiceInfo                 any      `json:"serviceInfo"`
	AdvertiseInfo               any      `json:"advertiseInfo"`
	GatewayVendor               *string  `json:"gatewayVendor"`
	GatewayType                 *string  `json:"gatewayType"`
	InitiatedFromGateway        *bool    `json:"initiatedFromGateway"`
	AsyncTransportProtocols     []string `json:"asyncTransportProtocols"`
	Egress                      *bool    `json:"egress"`
}

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

const operationDefaults = `{"id":"","target":"/*","verb":"GET","authType":"Application & Application User","throttlingPolicy":"Unlimited","scopes":[],
"usedProductIds":[],"amznResourceName":null,"amznResourceTimeout":null,"amznResourceContentEncode":null,"payloadSchema":null,"uriMapping":null,
"operationPolicies":{"request":[],"response":[],"fault":[]},"operationHubPolicies":[]}`

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
		get(publisher, "/apis/{api}", view, readAPI),
		put(publisher, "/apis/{api}", change, updateAPI),
		remove(publisher, "/apis/{api}", []string{"apim:api_delete", "apim:api_manage", "apim:api_import_export"}, deleteAPI),
		get(publisher, "/apis/{api}/lifecycle-state", append(slices.Clone(change), "apim:api_view"), readLifecycle),
		anyBody(post(publisher, "/apis/validate", create, validateAPI)),
		anyBody(post(publisher, "/apis/change-lifecycle", []string{"apim:api_publish", "apim:api_manage", "apim:api_import_export"}, changeLifecycle)),
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
func shownAPI(a *apiRecord) map[string]any {
	out := maps.Clone(a.Document)
	stamp := a.UpdatedTime
	out["id"], out["lifeCycleStatus"] = a.ID, a.State
	out["createdTime"] = millis(a.CreatedTime)
	out["lastUpdatedTimestamp"], out["lastUpdatedTime"] = millis(stamp), stamp.UTC().Format("2006-01-02T15:04:05Z")
	return out
}

func listAPIs(c *call) *answer {
	type info struct {
		ID              string   `json:"id"`
		Name            string   `json:"name"`
		DisplayName     string   `json:"displayName"`
		Description     any      `json:"description"`
		Context         string   `json:"context"`
		Version         string   `json:"version"`
		Provider        string   `json:"provider"`
		Type            string   `json:"type"`
		Audiences       []string `json:"audiences"`
		LifeCycleStatus string   `json:"lifeCycleStatus"`
		HasThumbnail    bool     `json:"hasThumbnail"`
		SecurityScheme  []string `json:"securityScheme"`
		CreatedTime     string   `json:"createdTime"`
		UpdatedTime     string   `json:"updatedTime"`
		GatewayVendor   string   `json:"gatewayVendor"`
		GatewayType     string   `json:"gatewayType"`
	}
	records := c.searchable()
	slices.SortStableFunc(records, func(a, b *apiRecord) int { return cmp.Compare(b.CreatedTime.UnixNano(), a.CreatedTime.UnixNano()) })
	out := []info{}
	for _, a := range records {
		if !apiMatches(a, c.request.URL.Query().Get("query")) {
			continue
		}
		out = append(out, info{a.ID, a.field("name"), a.field("displayName"), a.Document["description"], a.field("context"), a.field("version"),
			a.field("provider"), a.field("type"), a.names("audiences"), a.State, false, a.names("securityScheme"), millis(a.CreatedTime),
			millis(a.UpdatedTime), a.field("gatewayVendor"), a.field("gatewayType")})
	}
	return page(c, out, pageLinks{after: "&query=" + url.QueryEscape(c.request.URL.Query().Get("query"))})
}

// apiMatches applies a query: words "attribute:value" (contains) and attribute:"value" (exact),
// joined by and; a bare word searches names.
func apiMatches(a *apiRecord, query string) bool {
	for word := range strings.FieldsSeq(query) {
		attribute, value, has := strings.Cut(word, ":")
		if !has {
			attribute, value = "name", word
		}
		field := a.field(attribute)
		if attribute == "status" {
			field = a.State
		}
		exact := len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"'
		value = strings.ToLower(strings.Trim(value, `"`))
		field = strings.ToLower(field)
		if exact && field != value || !strings.Contains(field, value) {
			return false
		}
	}
	return true
}

func createAPI(c *call) *answer {
	var body apiBody
	if a := readBody(c.body, &body); a != nil {
		return a
	}
	context, bad := c.apiContext(*body.Context)
	if bad != nil {
		return bad
	}
	name := strings.Join(strings.Fields(*body.Name), " ")
	for _, other := range c.tenant.APIs.list {
		switch {
		case other.field("name") == name && other.field("version") == *body.Version:
			return refuse(http.StatusConflict, 900300, "The API already exists.", "The API already exists")
		case strings.EqualFold(other.field("name"), name) && other.field("name") != name:
			return refuse(http.StatusConflict, 900250, "The API name already exists.", "An API with name '"+name+"' already exists with a different letter case")
		case other.field("context") == context && other.field("name") != name:
			return refuse(http.StatusConflict, 900251, "The API context already exists.", "An API with context '"+context+"' already exists")
		}
	}
	if bad := c.checkTiers(body.Policies); bad != nil {
		return bad
	}
	doc := fresh(apiDefaults)
	overlay(doc, c.body)
	doc["name"], doc["displayName"], doc["context"], doc["provider"] = name, name, context, c.owner()
	doc["advertiseInfo"] = map[string]any{"advertised": false, "apiExternalProductionEndpoint": nil, "apiExternalSandboxEndpoint": nil,
		"originalDevPortalUrl": nil, "apiOwner": c.owner(), "vendor": "WSO2"}
	doc["operations"] = operations(body.Operations)
	now := c.server.now()
	a := &apiRecord{ID: newID(), Document: doc, State: "CREATED", Revisions: []revision{}, CreatedTime: now, UpdatedTime: now}
	c.keepAPI(a)
	out := shownAPI(a)
	// [seen]: the answer to POST differs from GET in these.
	out["lastUpdatedTimestamp"], out["lastUpdatedTime"] = nil, nil
	out["visibleOrganizations"] = []string{c.tenant.Domain}
	for _, name := range []string{"visibleRoles", "subscriptionAvailableTenants", "asyncTransportProtocols"} {
		if len(a.names(name)) == 0 {
			out[name] = []string{""}
		}
	}
	return created(publisher.location+"/apis/"+a.ID, out)
}

// apiContext is the context as stored: with a leading "/", and in a tenant behind /t/<tenant>.
func (c *call) apiContext(context string) (string, *answer) {
	if strings.HasSuffix(context, "/") {
		return "", refuse(http.StatusBadRequest, 900253, "The API context is malformed.", "The API context '"+context+"' ends with /")
	}
	context = "/" + strings.TrimPrefix(context, "/")
	if prefix := "/t/" + c.tenant.Domain; c.tenant.Domain != superTenant && !strings.HasPrefix(context, prefix+"/") {
		context = prefix + context
	}
	return context, nil
}

// checkTiers refuses names that are no subscription policies.
func (c *call) checkTiers(tiers []string) *answer {
	for _, tier := range tiers {
		if c.tenant.SubscriptionPolicies.find(func(p *subscriptionPolicy) bool { return *p.PolicyName == tier }) == nil {
			return refuse(http.StatusBadRequest, 900305, "The tier name is invalid.", "The tier name is invalid")
		}
	}
	return nil
}

// overlay puts what a request holds over a document. The body has been read once before, so that it
// is a JSON object.
func overlay(doc map[string]any, body []byte) {
	raw, _ := parseBody(body)
	sent, _ := raw.(map[string]any)
	for name, v := range sent {
		switch name {
		case "id", "lifeCycleStatus", "createdTime", "lastUpdatedTime", "lastUpdatedTimestamp", "workflowStatus", "hasThumbnail", "isRevision",
			"revisionedApiId", "revisionId": // the server's own
		default:
			if v != nil {
				doc[name] = v
			}
		}
	}
}

// operations completes the operations of an API; without any it gets five on /*.
func operations(sent []any) []any {
	if len(sent) == 0 {
		for _, verb := range []string{"GET", "PUT", "POST", "DELETE", "PATCH"} {
			sent = append(sent, map[string]any{"target": "/*", "verb": verb})
		}
	}
	out := make([]any, len(sent))
	for i, o := range sent {
		full := fresh(operationDefaults)
		if m, isObject := o.(map[string]any); isObject {
			for name, v := range m {
				if v != nil {
					full[name] = v
				}
			}
		}
		full["id"] = ""
		out[i] = full
	}
	return out
}

func readAPI(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	return ok(shownAPI(a))
}

// updateAPI replaces the working copy. Name, version, context, provider, state and type are
// silently the stored ones: 200 and no change.
func updateAPI(c *call) *answer {
	var body apiBody
	if a := readBody(c.body, &body); a != nil {
		return a
	}
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	if bad := c.checkTiers(body.Policies); bad != nil {
		return bad
	}
	doc := fresh(apiDefaults)
	overlay(doc, c.body)
	for _, name := range []string{"name", "displayName", "version", "context", "provider", "type", "advertiseInfo"} {
		doc[name] = a.Document[name]
	}
	doc["operations"] = operations(body.Operations)
	if body.Operations == nil {
		doc["operations"] = a.Document["operations"]
	}
	changed := *a
	changed.Document, changed.UpdatedTime = doc, c.server.now()
	c.keepAPI(&changed)
	return ok(shownAPI(&changed))
}

func deleteAPI(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	if c.tenant.Subscriptions.find(func(s *subscription) bool { return s.API == a.ID }) != nil {
		return conflict("Cannot remove the API " + a.ID + " as active subscriptions exist")
	}
	c.dropAPI(a.ID)
	return empty(http.StatusOK)
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
