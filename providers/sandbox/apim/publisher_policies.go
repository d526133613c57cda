package apim

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func publisherRoutes() []route {
	tiers := []string{"apim:api_view", "apim:tier_view", "apim:tier_manage"}
	mine := route{api: publisher, method: http.MethodHead, path: "/me/roles/{role}", scopes: []string{"apim:api_create", "apim:api_manage"}, run: headOwnRole}
	tenants := []string{"apim:api_view", "apim:api_manage"}
	return []route{
		get(publisher, "/throttling-policies/streaming/subscription", tiers, streamingPolicies),
		get(publisher, "/throttling-policies/{level}", tiers, publisherTiers),
		get(publisher, "/throttling-policies/{level}/{policy}", tiers, publisherTier),
		get(publisher, "/settings", []string{"apim:api_view", "apim:publisher_settings"}, publisherSettings),
		get(publisher, "/search", []string{"apim:api_view", "apim:api_manage", "apim:api_import_export", "apim:api_product_import_export"}, publisherSearch),
		get(publisher, "/tenants", tenants, noTenants),
		get(publisher, "/linter-custom-rules", []string{"apim:api_view"}, noLinterRules),
		mine,
	}
}

// publisherTiers lists what APIs can offer or be bound to.
func (c *call) publisherTiers() ([]map[string]any, *answer) {
	shown := func(b *policyBase, level string, l *throttleLimit, plan *string, stops bool, burst *int64, burstUnit *string) map[string]any {
		var d devportalTier
		d.limit(l)
		tokens := aiAPIQuota{}
		if l.AIAPIQuota != nil {
			tokens = *l.AIAPIQuota
		}
		return map[string]any{"name": b.PolicyName, "description": b.Description, "policyLevel": level, "displayName": b.DisplayName, "attributes": map[string]any{},
			"requestCount": d.RequestCount, "dataUnit": d.DataUnit, "totalTokenCount": number64(tokens.TotalTokenCount),
			"promptTokenCount": number64(tokens.PromptTokenCount), "completionTokenCount": number64(tokens.CompletionTokenCount), "unitTime": d.UnitTime,
			"timeUnit": d.TimeUnit, "rateLimitCount": number64(burst), "rateLimitTimeUnit": burstUnit, "quotaPolicyType": d.QuotaPolicyType, "tierPlan": plan,
			"stopOnQuotaReach": stops, "monetizationProperties": map[string]any{}}
	}
	var out []map[string]any
	switch c.vars["level"] {
	case "subscription":
		for _, p := range c.tenant.SubscriptionPolicies.list {
			if *p.PolicyName == "Unauthenticated" || p.DefaultLimit.EventCount != nil || p.DefaultLimit.AIAPIQuota != nil {
				continue
			}
			out = append(out, shown(&p.policyBase, "SUBSCRIPTION", p.DefaultLimit, p.BillingPlan, isTrue(p.StopOnQuotaReach), p.RateLimitCount, p.RateLimitTimeUnit))
		}
	case "api":
		for _, p := range c.tenant.AdvancedPolicies.list {
			out = append(out, shown(&p.policyBase, "API", p.DefaultLimit, nil, true, nil, nil))
		}
	default:
		return nil, refuse(http.StatusNotFound, 404, "Not Found", "policyLevel should be one of [subscription, api]")
	}
	// By name, Unlimited last (seen).
	slices.SortStableFunc(out, func(a, b map[string]any) int {
		name := func(m map[string]any) string { s, _ := m["name"].(*string); return text(s) }
		if last := "Unlimited"; name(a) == last || name(b) == last {
			return b2i(name(a) == last) - b2i(name(b) == last)
		}
		return strings.Compare(name(a), name(b))
	})
	return out, nil
}

func publisherTiers(c *call) *answer {
	out, bad := c.publisherTiers()
	if bad != nil {
		return bad
	}
	return page(c, out, pageLinks{})
}

func publisherTier(c *call) *answer {
	out, bad := c.publisherTiers()
	if bad != nil {
		return bad
	}
	for _, t := range out {
		if name, _ := t["name"].(*string); text(name) == c.vars["policy"] {
			return ok(t)
		}
	}
	return notFound("tier", c.vars["policy"])
}

func streamingPolicies(c *call) *answer {
	out := []map[string]any{}
	for _, p := range c.tenant.SubscriptionPolicies.list {
		if p.DefaultLimit.EventCount == nil {
			continue
		}
		out = append(out, map[string]any{"policyId": len(out), "uuid": p.PolicyID, "policyName": p.PolicyName, "displayName": p.DisplayName,
			"description": p.Description, "isDeployed": p.IsDeployed, "tenantId": -1234, "tenantDomain": c.tenant.Domain,
			"defaultLimit":   map[string]any{"type": p.DefaultLimit.Type, "requestCount": nil, "bandwidth": nil, "eventCount": p.DefaultLimit.EventCount},
			"rateLimitCount": number64(p.RateLimitCount), "rateLimitTimeUnit": p.RateLimitTimeUnit, "subscriberCount": number64(p.SubscriberCount),
			"customAttributes": []any{}, "stopOnQuotaReach": isTrue(p.StopOnQuotaReach), "billingPlan": p.BillingPlan, "permissions": nil})
	}
	return page(c, out, pageLinks{})
}

func publisherSettings(c *call) *answer {
	environments := []map[string]any{}
	for _, e := range c.tenant.Environments.list {
		hosts := []map[string]any{}
		for _, h := range e.VHosts {
			host := asObject(h)
			host["wsHost"], host["wssHost"], host["websubHttpPort"], host["websubHttpsPort"] = h.Host, h.Host, 9021, 8021
			hosts = append(hosts, host)
		}
		environments = append(environments, map[string]any{"id": e.ID, "name": e.Name, "displayName": e.DisplayName, "type": e.Type, "gatewayType": e.GatewayType,
			"mode": e.Mode, "serverUrl": c.server.options.PublicURL + "/services/", "provider": e.Provider, "showInApiConsole": true, "vhosts": hosts,
			"endpointURIs": e.EndpointURIs, "additionalProperties": e.AdditionalProperties, "permissions": e.Permissions})
	}
	return ok(map[string]any{"devportalUrl": c.server.options.PublicURL + "/devportal", "environment": environments, "gatewayTypes": gatewayTypes, "scopes": knownScopes(),
		"monetizationAttributes": []any{}, "subscriberContactAttributes": map[string]any{"recipientDelimiter": ";", "recipientType": "bcc"},
		"securityAuditProperties": map[string]any{}, "externalStoresEnabled": false, "docVisibilityEnabled": false, "portalConfigurationOnlyModeEnabled": false,
		"crossTenantSubscriptionEnabled": false, "defaultAdvancePolicy": "Unlimited", "defaultSubscriptionPolicy": "Unlimited",
		"authorizationHeader": "Authorization", "isJWTEnabledForLoginTokens": false, "orgAccessControlEnabled": false, "allowSubscriptionValidationDisabling": true,
		"customProperties": []any{}})
}

func publisherSearch(c *call) *answer {
	query := c.request.URL.Query().Get("query")
	out := []map[string]any{}
	for _, a := range c.settled() {
		if !c.mayView(a) {
			continue
		}
		if apiMatches(a, query) {
			info := apiInfo(a)
			kind := info["type"]
			if a.Product {
				kind = nil
			}
			out = append(out, map[string]any{"id": a.ID, "name": info["name"], "type": searchType(a), "transportType": kind, "displayName": info["displayName"],
				"description": info["description"], "context": info["context"], "contextTemplate": a.field("context") + "/{version}", "version": info["version"],
				"provider": info["provider"], "status": a.State, "thumbnailUri": nil, "advertiseOnly": info["advertiseOnly"], "gatewayVendor": info["gatewayVendor"],
				"gatewayType": info["gatewayType"], "hasThumbnail": a.Thumbnail != nil, "monetizedInfo": false, "businessOwner": info["businessOwner"],
				"businessOwnerEmail": info["businessOwnerEmail"], "TechnicalOwner": info["TechnicalOwner"], "TechnicalOwnerEmail": info["TechnicalOwnerEmail"],
				"createdTime": info["createdTime"], "updatedTime": info["updatedTime"]})
		}
	}
	return page(c, out, pageLinks{after: "&query=" + url.QueryEscape(query)})
}

// headOwnRole tells whether the caller has a role.
func headOwnRole(c *call) *answer {
	name, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(c.vars["role"], "="))
	if err != nil || !c.user.All && !slices.ContainsFunc(c.user.Roles, func(r string) bool { return strings.EqualFold(r, string(name)) }) {
		return empty(http.StatusNotFound)
	}
	return empty(http.StatusOK)
}

// noLinterRules: the tenant has none, 204.
func noLinterRules(*call) *answer { return empty(http.StatusNoContent) }
