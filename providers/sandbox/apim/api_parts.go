package apim

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func partRoutes() []route {
	view := []string{"apim:api_view", "apim:api_manage"}
	change := []string{"apim:api_create", "apim:api_manage"}
	publish := []string{"apim:api_publish", "apim:api_manage"}
	return []route{
		get(publisher, "/apis/{api}/environments/{environment}/keys", change, readEnvironmentKeys),
		put(publisher, "/apis/{api}/environments/{environment}/keys", change, updateEnvironmentKeys),
		get(publisher, "/apis/{api}/resource-paths", view, resourcePaths),
		get(publisher, "/apis/{api}/subscription-policies", view, tiersOfAPI),
		get(publisher, "/apis/{api}/monetization", append(slices.Clone(view), "apim:api_publish"), readMonetization),
		post(publisher, "/apis/{api}/monetize", publish, updateMonetization),
		get(publisher, "/apis/{api}/external-stores", view, noExternalStores),
		get(publisher, "/external-stores", view, noExternalStores),
		alone(anyBody(post(publisher, "/apis/validate-endpoint", change, validateEndpoint))),
	}
}

// environmentKeys are the addresses that an API may have for one environment.
var environmentKeys = []string{"productionEndpoint", "sandboxEndpoint"}

// ownEnvironment finds the environment of the path.
func (c *call) ownEnvironment() *answer {
	id := c.vars["environment"]
	if c.tenant.Environments.get(id) == nil {
		return refuse(http.StatusNotFound, 900506, "Gateway Environment not found", "Gateway Environment with UUID '"+id+"' not found")
	}
	return nil
}

func readEnvironmentKeys(c *call) *answer {
	a := c.tenant.APIs.get(c.vars["api"])
	if a == nil {
		return refuse(http.StatusNotFound, 900308, "API Not Found", "Requested API with id '"+c.vars["api"]+"' not found")
	}
	if bad := c.ownEnvironment(); bad != nil {
		return bad
	}
	return ok(cloneMap(a.EnvironmentKeys[c.vars["environment"]]))
}

func updateEnvironmentKeys(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	if bad := c.ownEnvironment(); bad != nil {
		return bad
	}
	raw, bad := parseBody(c.body)
	if bad != nil {
		return bad
	}
	sent, _ := raw.(map[string]any)
	keys := map[string]string{}
	for name, v := range sent {
		if !slices.Contains(environmentKeys, name) {
			return refuse(http.StatusBadRequest, 900358, "Invalid environment specific api property config",
				"Environment specific api property config is not valid. Possible keys are "+strings.Join(environmentKeys, ","))
		}
		keys[name] = textValue(v)
	}
	changed := *a
	changed.EnvironmentKeys = cloneMap(a.EnvironmentKeys)
	changed.EnvironmentKeys[c.vars["environment"]] = keys
	c.keepAPI(&changed)
	return ok(keys)
}

func resourcePaths(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	out := []map[string]any{}
	for i, o := range operationsOf(a.Document) {
		out = append(out, map[string]any{"id": i + 1, "resourcePath": o["target"], "httpVerb": o["verb"]})
	}
	return page(c, out, pageLinks{})
}

// A tier is what publisher and devportal show of a subscription policy of an API (the DTO Tier).
func shownTier(p *subscriptionPolicy) map[string]any {
	var d devportalTier
	d.limit(p.DefaultLimit)
	kind := "requestCount"
	var unit *string
	if p.DefaultLimit.Bandwidth != nil {
		kind, unit = "bandwidthVolume", p.DefaultLimit.Bandwidth.DataUnit
	} else if p.DefaultLimit.EventCount != nil {
		kind = "eventCount"
	} else if p.DefaultLimit.AIAPIQuota != nil {
		kind = "aiApiQuota"
	}
	quota := any(kind)
	timeUnit, unitTime := any(d.TimeUnit), any(d.UnitTime)
	if *p.PolicyName == "Unlimited" { // which has none, whatever its limit (seen)
		quota, timeUnit, unitTime = nil, "ms", 0
	}
	tokens := func(of func(*aiAPIQuota) *int64) int64 {
		if p.DefaultLimit.AIAPIQuota == nil {
			return 0
		}
		return number64(of(p.DefaultLimit.AIAPIQuota))
	}
	return map[string]any{"name": p.PolicyName, "displayName": p.DisplayName, "description": p.Description, "policyContent": nil, "tierAttributes": nil,
		"requestsPerMin": d.RequestCount, "requestCount": d.RequestCount, "unitTime": unitTime, "timeUnit": timeUnit, "tierPlan": p.BillingPlan,
		"stopOnQuotaReached": isTrue(p.StopOnQuotaReach), "tierPermission": nil, "monetizationAttributes": nil, "quotaPolicyType": quota,
		"rateLimitCount": number64(p.RateLimitCount), "rateLimitTimeUnit": p.RateLimitTimeUnit, "bandwidthDataUnit": unit,
		"totalTokenCount":      tokens(func(q *aiAPIQuota) *int64 { return q.TotalTokenCount }),
		"promptTokenCount":     tokens(func(q *aiAPIQuota) *int64 { return q.PromptTokenCount }),
		"completionTokenCount": tokens(func(q *aiAPIQuota) *int64 { return q.CompletionTokenCount })}
}

func tiersOfAPI(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	return ok(c.shownTiers(a))
}

func (c *call) shownTiers(a *apiRecord) []map[string]any {
	out := []map[string]any{}
	for _, name := range c.standingTiers(a) {
		if p := c.tenant.SubscriptionPolicies.find(func(p *subscriptionPolicy) bool { return *p.PolicyName == name }); p != nil {
			out = append(out, shownTier(p))
		}
	}
	return out
}

func readMonetization(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return internal("Failed to retrieve monetized plans for API : " + c.vars["api"]) // 500, not 404 (seen)
	}
	m := inner(a.Document, "monetization")
	enabled, _ := m["enabled"].(bool)
	return ok(map[string]any{"enabled": enabled, "properties": cloneMap(inner(m, "properties"))})
}

func updateMonetization(c *call) *answer {
	var body apiMonetization
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	if a.State != "PUBLISHED" {
		return badRequest("API " + a.field("name") + " should be in published state to configure monetization.")
	}
	changed := *a
	changed.Document = maps.Clone(a.Document)
	changed.Document["monetization"] = asObject(body)
	c.keepAPI(&changed)
	return reply(http.StatusCreated, body)
}

func noExternalStores(*call) *answer { return all([]any{}) }

// validateEndpoint calls an address and says what it answered. It stores nothing and locks nothing.
func validateEndpoint(c *call) *answer {
	at := c.request.URL.Query().Get("endpointUrl")
	failed := func(reason string) *answer {
		return ok(map[string]any{"statusCode": nil, "statusMessage": nil, "error": reason})
	}
	if u, err := url.Parse(at); err != nil || u.Host == "" {
		return failed("Invalid URL")
	}
	r, err := http.NewRequestWithContext(c.request.Context(), http.MethodHead, at, nil)
	if err != nil {
		return failed("Invalid URL")
	}
	answer, err := c.server.options.HTTP.Do(r)
	if err != nil {
		return failed("Connection error")
	}
	_ = answer.Body.Close()
	return ok(map[string]any{"statusCode": answer.StatusCode, "statusMessage": http.StatusText(answer.StatusCode), "error": nil})
}
