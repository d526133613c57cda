package apim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A draft is a working copy on its way in: what a request holds, over the defaults of the server.
type draft struct {
	body *apiBody
	old  *apiRecord // nil on create
	doc  map[string]any
	kind string // HTTP, WS, …
	name string // as it will be stored

	context, provider string // of a new one, as they will be stored
}

// newDraft reads the body of a create or an update. Every field that a document has is set, those of the server's own as they are or will be.
func (c *call) newDraft(old *apiRecord) (*draft, *answer) {
	d := &draft{body: &apiBody{}, old: old, doc: fresh(apiDefaults)}
	d.body.defaults()
	if bad := readBody(c.body, d.body); bad != nil {
		return nil, bad
	}
	return d, c.fill(d)
}

// fill makes the document of a draft, or says what is wrong with it. All of it is [seen] on 9.33.90 where it does not say otherwise.
func (c *call) fill(d *draft) *answer {
	b, doc := d.body, d.doc
	d.kind = "HTTP"
	if b.Type != nil {
		d.kind = *b.Type
	}
	d.name = strings.Join(strings.Fields(*b.Name), " ")
	if d.old != nil {
		d.name = d.old.field("name")
	}
	checks := []func(*draft) *answer{c.fillKeyManagers, c.fillTiers, c.fillEndpoints, c.fillExposure, c.fillProperties, notNull, c.fillTransport,
		c.fillScopes, c.fillOperations, c.fillCategories}
	if d.old == nil {
		checks = []func(*draft) *answer{c.fillContext, c.fillEndpoints, c.fillProperties, c.fillExposure, c.fillPlace, c.fillTiers, notNull, c.fillTransport,
			c.fillScopes, c.fillOperations, c.fillCategories, c.fillKeyManagers}
	}
	for _, check := range checks {
		if bad := check(d); bad != nil {
			return bad
		}
	}
	sent := asObject(b)
	for _, name := range []string{"description", "apiThrottlingPolicy", "audience", "isDefaultVersion", "enableSchemaValidation", "responseCachingEnabled",
		"cacheTimeout", "enableSubscriberVerification", "endpointImplementationType", "gatewayVendor", "subscriptionAvailability",
		"apiKeyHeader", "maxTps", "businessInformation", "corsConfiguration", "wsdlInfo", "primaryProductionEndpointId", "primarySandboxEndpointId"} {
		if v := sent[name]; v != nil {
			doc[name] = v
		}
	}
	if cors := inner(doc, "corsConfiguration"); cors != nil {
		for _, name := range []string{"accessControlAllowOrigins", "accessControlAllowHeaders", "accessControlAllowMethods"} {
			if cors[name] == nil {
				cors[name] = []any{}
			}
		}
	}
	doc["gatewayType"] = sent["gatewayType"]
	if limits := inner(doc, "maxTps"); limits != nil && limits["production"] == nil && limits["sandbox"] == nil && limits["tokenBasedThrottlingConfiguration"] == nil {
		doc["maxTps"] = nil
	}
	if b.AuthorizationHeader != nil || d.old != nil {
		doc["authorizationHeader"] = sent["authorizationHeader"] // an update that lacks it makes it null
	}
	if len(b.Audiences) > 0 {
		doc["audiences"] = anyList(b.Audiences)
	}
	doc["securityScheme"] = anyList(securitySchemes(b.SecurityScheme))
	if only := list(doc["securityScheme"]); slices.Equal(only, []string{"mutualssl", "mutualssl_mandatory"}) {
		doc["policies"] = []any{} // nobody subscribes to it
	}
	doc["name"], doc["type"] = d.name, d.kind
	doc["displayName"] = d.name
	if text(b.DisplayName) != "" {
		doc["displayName"] = *b.DisplayName
	}
	doc["tags"] = anyList(tags(b.Tags))
	doc["subscriptionAvailableTenants"] = anyList(b.SubscriptionAvailTenants)
	if b.WebsubConfiguration != nil && d.kind == "WEBSUB" {
		doc["websubSubscriptionConfiguration"] = asObject(b.WebsubConfiguration)
	}
	if d.kind == "WS" || d.kind == "SSE" || d.kind == "WEBSUB" {
		doc["asyncTransportProtocols"] = anyList(b.AsyncTransportProtocols)
	}
	return nil
}

// notNull refuses what the server expects to be there: absent it has a default, null is a null pointer.
func notNull(d *draft) *answer {
	b := d.body
	if b.Type == nil || b.EndpointImplementationType == nil || b.OrganizationPolicies == nil || b.Categories == nil ||
		b.AdvertiseInfo != nil && b.AdvertiseInfo.Advertised == nil || d.old == nil && b.Egress == nil {
		return internal("")
	}
	return nil
}

// fillContext checks the context of a new API, before anything else of what makes it itself.
func (c *call) fillContext(d *draft) *answer {
	var bad *answer
	d.context, bad = c.apiContext(*d.body.Context, d.name)
	return bad
}

// fillPlace checks that no other API has the name, version or context of a new one, and whose it will be.
func (c *call) fillPlace(d *draft) *answer {
	if bad := c.tenant.taken(d.name, *d.body.Version, d.context, false); bad != nil {
		return bad
	}
	d.provider = c.owner()
	if sent := text(d.body.Provider); sent != "" && sent != d.provider && c.user.All {
		if c.server.options.UserExists == nil || !c.server.options.UserExists(sent) {
			return refuse(http.StatusBadRequest, 900700, "Parameter value missing", "Some of the mandatory parameter values were missing")
		}
		d.provider = sent
	}
	return nil
}

// fillKeyManagers checks that there are key managers of the names, or ids.
func (c *call) fillKeyManagers(d *draft) *answer {
	if d.body.KeyManagers == nil {
		return nil
	}
	items, isList := d.body.KeyManagers.([]any)
	if !isList {
		return refuse(http.StatusBadRequest, 903203, "KeyManagers value needs to be an array", "Value of the KeyManagers config should be an array")
	}
	names := list(items)
	if len(names) == 0 {
		return refuse(http.StatusNotFound, 901411, "Key Manager not Found", "Key Manager not found")
	}
	for _, name := range names {
		if name != "all" && c.tenant.keyManagerNamed(name) == nil && c.tenant.keyManager(name) == nil {
			return notRegistered()
		}
	}
	d.doc["keyManagers"] = anyList(asSet(names))
	return nil
}

// fillTiers checks the subscription policies.
func (c *call) fillTiers(d *draft) *answer {
	if d.body.Policies == nil {
		return internal("") // a null pointer in the server
	}
	if bad := c.checkTiers(d.body.Policies); bad != nil {
		return bad
	}
	d.doc["policies"] = anyList(asSet(d.body.Policies))
	if level := text(d.body.APIThrottlingPolicy); d.old == nil && level != "" &&
		c.tenant.AdvancedPolicies.find(func(p *advancedPolicy) bool { return *p.PolicyName == level }) == nil {
		return refuse(http.StatusBadRequest, 900960, "Throttle Policy Error", "Throttle Limit type is not supported")
	}
	return nil
}

// checkTiers refuses names that are no subscription policies.
func (c *call) checkTiers(tiers []string) *answer {
	for _, tier := range tiers {
		if c.tenant.SubscriptionPolicies.find(func(p *subscriptionPolicy) bool { return *p.PolicyName == tier }) == nil {
			return invalidTier()
		}
	}
	return nil
}

// fillEndpoints checks the addresses of the backends and keeps their secrets.
func (c *call) fillEndpoints(d *draft) *answer {
	if d.body.EndpointConfig == nil {
		return nil
	}
	config, isObject := d.body.EndpointConfig.(map[string]any)
	if !isObject {
		return internal("")
	}
	schemes := []string{"http", "https", "ftp"}
	if d.kind == "WS" {
		schemes = []string{"ws", "wss"}
	}
	for _, name := range []string{"production_endpoints", "sandbox_endpoints", "production_failovers", "sandbox_failovers"} {
		endpoints := objects(config[name])
		if one := inner(config, name); one != nil {
			endpoints = append(endpoints, one)
		}
		for _, e := range endpoints {
			if at, has := e["url"]; has && !validAddress(at, schemes) {
				return refuse(http.StatusBadRequest, 900346, "Endpoint URL(s) is(are) not valid", "Endpoint URL(s) is(are) not valid")
			}
		}
	}
	var before map[string]any
	if d.old != nil {
		before = inner(d.old.Document, "endpointConfig")
	}
	secured, bad := securedEndpoints(config, before)
	if bad != nil {
		return bad
	}
	d.doc["endpointConfig"] = secured
	return nil
}

// validAddress tells whether an endpoint is an address of one of the schemes, or one of the words that stand for what the server finds itself.
func validAddress(v any, schemes []string) bool {
	at, isText := v.(string)
	if !isText {
		return false
	}
	if at == "default" || strings.HasPrefix(at, "consul(") || strings.Contains(at, "{uri.var.") {
		return true
	}
	u, err := url.Parse(at)
	return err == nil && slices.Contains(schemes, strings.ToLower(u.Scheme)) && u.Host != "" && !strings.ContainsAny(at, " <>")
}

// fillExposure checks who may see and change the API.
func (c *call) fillExposure(d *draft) *answer {
	b, doc := d.body, d.doc
	if b.Visibility != nil {
		doc["visibility"] = *b.Visibility
	}
	if text(b.Visibility) == "RESTRICTED" {
		switch {
		case b.VisibleRoles == nil:
			return internal("")
		case len(b.VisibleRoles) == 0:
			return refuse(http.StatusBadRequest, 900610, "Access control roles cannot be empty", "Access control roles cannot be empty when visibility is restricted")
		}
		doc["visibleRoles"] = anyList(b.VisibleRoles)
	}
	for _, role := range b.VisibleRoles { // also those that are not kept
		if !c.server.options.RoleExists(c.tenant.Domain, role) {
			return refuse(http.StatusBadRequest, 900610, "Invalid user roles found", "Invalid user roles found")
		}
	}
	if len(b.AccessControlRoles) > 0 { // they alone decide, whatever accessControl says; that the roles exist is not asked
		roles := make([]string, len(b.AccessControlRoles))
		for i, role := range b.AccessControlRoles {
			roles[i] = strings.ToLower(role)
		}
		doc["accessControl"], doc["accessControlRoles"] = "RESTRICTED", anyList(roles)
	}
	if text(b.SubscriptionAvailability) == "ALL_TENANTS" && d.old != nil {
		return refuse(http.StatusInternalServerError, 900363, "Internal Server Error occurred while updating the API",
			"Internal Server Error. 'Cannot set Subscription Availability to ALL_TENANTS when Cross Tenant Subscription is disabled'")
	}
	return nil
}

// reservedProperties are names that an additional property may not have.
var reservedProperties = []string{"provider", "version", "context", "status", "description", "subcontext", "doc", "lcstate", "name", "tags"}

// fillProperties checks additional properties. A property that does not say whether it is displayed is refused like a bad name.
func (c *call) fillProperties(d *draft) *answer {
	byKey := map[string]propertyBody{}
	var keys []string
	for _, p := range d.body.AdditionalProperties {
		name := text(p.Name)
		if strings.TrimSpace(name) == "" || strings.Contains(name, " ") || len(name) > 80 || p.Value == nil || len(*p.Value) > 900 || p.Display == nil ||
			slices.Contains(reservedProperties, strings.ToLower(name)) {
			return refuse(http.StatusBadRequest, 900346, "Invalid additional properties", "Invalid additional properties for API: "+d.name+":"+*d.body.Version)
		}
		key := name
		if *p.Display {
			key += "__display"
		}
		byKey[key] = p
		keys = append(keys, key)
	}
	out, asMap := []any{}, map[string]any{}
	for _, key := range asSet(keys) {
		out = append(out, asObject(byKey[key]))
		asMap[key] = map[string]any{"name": key, "value": *byKey[key].Value, "display": false}
	}
	d.doc["additionalProperties"], d.doc["additionalPropertiesMap"] = out, asMap
	return nil
}

func (c *call) fillTransport(d *draft) *answer {
	for _, t := range d.body.Transport {
		if t != "http" && t != "https" && t != "ws" && t != "wss" {
			return refuse(http.StatusBadRequest, 903205, "Unsupported transport", "Unsupported transport '"+t+"' provided for the API")
		}
	}
	if len(d.body.Transport) > 0 {
		d.doc["transport"] = anyList(d.body.Transport)
	}
	return nil
}

func (c *call) fillCategories(d *draft) *answer {
	if d.body.Categories == nil {
		return internal("")
	}
	for _, name := range d.body.Categories {
		if c.tenant.Categories.find(func(x *category) bool { return text(x.Name) == name }) == nil {
			of := "%s"
			if d.old != nil {
				of = d.name
			}
			return refuse(http.StatusBadRequest, 900345, "The API category is invalid.", " The API category is invalid for API: "+of)
		}
	}
	d.doc["categories"] = anyList(d.body.Categories)
	return nil
}

// fillScopes checks scopes: roles exist, and a name is not another API's own. A name of a shared scope makes it that.
func (c *call) fillScopes(d *draft) *answer {
	out := []any{}
	for _, s := range d.body.Scopes {
		name := *s.Scope.Name
		if shared := c.tenant.sharedScope(name); shared != nil {
			out = append(out, map[string]any{"scope": map[string]any{"name": name}, "shared": true})
			continue
		}
		for _, role := range s.Scope.Bindings {
			if role != "" && !c.server.options.RoleExists(c.tenant.Domain, role) {
				return refuse(http.StatusNotFound, 903250, "Role does not exist", "Role "+role+" does not exist")
			}
		}
		if other := c.tenant.localScope(name); other != nil && !sameAPI(other, d) {
			return refuse(http.StatusBadRequest, 900988, "Scope already assigned locally by another API", "Scope already assigned locally by another API")
		}
		bindings := anyList(s.Scope.Bindings)
		// The display name is lost: definitions have none.
		out = append(out, map[string]any{"scope": map[string]any{"id": nil, "name": name, "displayName": name, "description": text(s.Scope.Description),
			"bindings": bindings, "usageCount": nil}, "shared": false})
	}
	d.doc["scopes"] = out
	return nil
}

// sameAPI tells whether a draft is of an API, or of another version of it.
func sameAPI(a *apiRecord, d *draft) bool {
	return d.old != nil && d.old.ID == a.ID || a.field("name") == d.name
}

// localScope finds the API that has a scope of its own of this name.
func (t *tenant) localScope(name string) *apiRecord {
	return t.APIs.find(func(a *apiRecord) bool {
		return slices.ContainsFunc(objects(a.Document["scopes"]), func(s map[string]any) bool {
			return textOf(inner(s, "scope"), "name") == name && s["shared"] != true
		})
	})
}

func (c *call) fillOperations(d *draft) *answer {
	sent := d.body.Operations
	if len(sent) == 0 && d.old != nil {
		return refuse(http.StatusNotFound, 900763, "No resources found", "API must have at least one resource defined")
	}
	if len(sent) == 0 {
		sent = usualOperations(d.kind)
	}
	kind := d.kind
	if d.old != nil {
		kind = d.old.field("type")
	}
	made, bad := c.operations(kind, sent, d.doc["scopes"].([]any))
	d.doc["operations"] = made
	return bad
}

// tags splits texts at commas.
func tags(sent []string) []string {
	var out []string
	for _, t := range sent {
		for part := range strings.SplitSeq(t, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	slices.Sort(out) // the registry's order, before that of a hash
	return asSet(out)
}

// securitySchemes completes and orders the members of a security scheme: what is mandatory is marked.
func securitySchemes(sent []string) []string {
	has := func(name string) bool { return slices.Contains(sent, name) }
	if len(sent) == 0 {
		return []string{"oauth_basic_auth_api_key_mandatory", "oauth2"}
	}
	token := has("oauth2") || has("basic_auth") || has("api_key")
	if !token && !has("mutualssl") {
		token = true
		sent = append(slices.Clone(sent), "oauth2")
	}
	var out []string
	for _, name := range []string{"basic_auth", "api_key", "mutualssl"} {
		if has(name) {
			out = append(out, name)
		}
	}
	switch {
	case token && (has("oauth_basic_auth_api_key_mandatory") || !has("mutualssl_mandatory")):
		out = append(out, "oauth_basic_auth_api_key_mandatory")
		if has("mutualssl_mandatory") {
			out = append(out, "mutualssl_mandatory")
		}
	case has("mutualssl"):
		out = append(out, "mutualssl_mandatory")
	}
	if has("oauth2") || slices.Contains(sent, "oauth2") {
		out = append(out, "oauth2")
	}
	return out
}
