package apim

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
)

func settingRoutes() []route {
	head := route{api: admin, method: http.MethodHead, path: "/roles/{role}", scopes: []string{"apim:admin", "apim:role_manage"}, run: headRole}
	headPublisher := route{api: publisher, method: http.MethodHead, path: "/roles/{role}", scopes: []string{"apim:api_create", "apim:api_publish", "apim:api_manage"},
		run: headRole}
	return []route{
		get(admin, "/settings", []string{"apim:admin", "apim:admin_settings"}, adminSettings),
		get(admin, "/tenant-info/{username}", []string{"apim:admin", "apim:tenantInfo"}, tenantInfo),
		get(admin, "/throttling/policies/search", append(slices.Clone(tierView), "apim:policies_import_export"), searchPolicies),
		get(devportal, "/settings", []string{"apim:store_settings"}, devportalSettings),
		get(devportal, "/settings/application-attributes", []string{"apim:subscribe"}, applicationAttributes),
		get(devportal, "/throttling-policies/{level}", nil, devportalPolicies),
		get(devportal, "/throttling-policies/{level}/{policy}", nil, devportalPolicy),
		head, headPublisher,
	}
}

// headRole tells whether a role exists; its name is in base64url without padding.
func headRole(c *call) *answer {
	name, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(c.vars["role"], "="))
	if err != nil || !c.server.options.RoleExists(c.tenant.Domain, string(name)) {
		return empty(http.StatusNotFound)
	}
	return empty(http.StatusOK)
}

// adminSettings says what the server can do; a client reads from it which properties of a connector
// are masked.
func adminSettings(c *call) *answer {
	type kmConfiguration struct {
		Type                    string    `json:"type"`
		DisplayName             string    `json:"displayName"`
		DefaultConsumerKeyClaim string    `json:"defaultConsumerKeyClaim"`
		DefaultScopesClaim      string    `json:"defaultScopesClaim"`
		AuthConfigurations      []any     `json:"authConfigurations"`
		Configurations          []setting `json:"configurations"`
		EndpointConfigurations  []setting `json:"endpointConfigurations"`
		Constraints             []any     `json:"configurationConstraints"`
	}
	types := []kmConfiguration{}
	for _, k := range connectors {
		if k.kind == "default" {
			continue // the resident key manager's type cannot be chosen
		}
		types = append(types, kmConfiguration{k.kind, k.display, k.consumerKeyClaim, k.scopesClaim, []any{}, complete(k.settings),
			complete(k.endpointSettings()), []any{}})
	}
	return ok(map[string]any{
		"scopes": knownScopes(), "gatewayTypes": gatewayTypes, "IsJWTEnabledForLoginTokens": false, "orgAccessControlEnabled": true,
		"keyManagerConfiguration": types, "gatewayConfiguration": gatewayConfigurations, "analyticsEnabled": false, "transactionCounterEnable": false,
		"isGatewayNotificationEnabled": true, "universalGatewayVersion": nil,
	})
}

// gatewayConfigurations are the kinds of gateway that the pack has.
var gatewayConfigurations = []map[string]any{
	{"type": "Regular", "displayName": "Regular", "supportedModes": []string{"WRITE_ONLY"}, "configurations": []any{}, "defaultHostnameTemplate": nil},
	{"type": "APK", "displayName": "APK", "supportedModes": []string{"WRITE_ONLY", "READ_ONLY"}, "configurations": []any{}, "defaultHostnameTemplate": nil},
}

// complete adds the field that only the settings of key managers have.
func complete(list []setting) []setting {
	out := make([]setting, len(list))
	for i, s := range list {
		s.UpdateDisabled = ptr(false)
		out[i] = s
	}
	return out
}

var known struct {
	sync.Once
	scopes []string
}

// knownScopes are the scopes of all operations, sorted. The list is shared: it is not to be
// changed.
func knownScopes() []string {
	known.Do(func() { known.scopes = scopesOfRoutes() })
	return known.scopes
}

func scopesOfRoutes() []string {
	seen := map[string]bool{}
	for _, r := range routes() {
		for _, s := range r.scopes {
			seen[s] = true
		}
	}
	out := make([]string, 0, len(seen))
	for s := range seen {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func tenantInfo(c *call) *answer {
	user := c.vars["username"]
	_, domain, has := strings.Cut(user, "@")
	id := -1234 // the super tenant's
	if !has {
		domain = superTenant
	}
	if domain != superTenant {
		if id = c.server.tenantNumber(domain); id < 0 {
			return notFound("tenant", domain)
		}
	}
	return ok(map[string]any{"username": user, "tenantDomain": domain, "tenantId": id})
}

// tenantNumber counts the tenants that have been seen, in the order of their names; -1 is one that
// has not.
func (s *Server) tenantNumber(domain string) int {
	names := make([]string, 0, len(s.contents.Tenants))
	for name := range s.contents.Tenants {
		if name != superTenant {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	i := slices.Index(names, domain)
	if i < 0 {
		return -1
	}
	return i + 1
}

// searchPolicies lists policies of all kinds: "type:all|app|sub|api|global", then "name:x".
// Anything else is 500 (apim-behaviour 2.1).
func searchPolicies(c *call) *answer {
	kind, name := "all", ""
	for word := range strings.FieldsSeq(c.request.URL.Query().Get("query")) {
		key, value, has := strings.Cut(word, ":")
		switch {
		case has && key == "type":
			kind = value
		case has && key == "name":
			name = value
		default:
			return internal("")
		}
	}
	type details struct {
		PolicyID    int     `json:"policyId"`
		UUID        *string `json:"uuid"`
		PolicyName  *string `json:"policyName"`
		DisplayName *string `json:"displayName"`
		Description *string `json:"description"`
		IsDeployed  *bool   `json:"isDeployed"`
		Type        string  `json:"type"`
	}
	out := []details{}
	add := func(short string, b *policyBase) {
		if (kind == "all" || kind == short) && (name == "" || text(b.PolicyName) == name) {
			out = append(out, details{len(out) + 1, b.PolicyID, b.PolicyName, b.DisplayName, b.Description, b.IsDeployed, short})
		}
	}
	switch kind {
	case "all", "app", "sub", "api", "global":
	default:
		return internal("")
	}
	for _, p := range c.tenant.ApplicationPolicies.list {
		add("app", &p.policyBase)
	}
	for _, p := range c.tenant.SubscriptionPolicies.list {
		add("sub", &p.policyBase)
	}
	for _, p := range c.tenant.AdvancedPolicies.list {
		add("api", &p.policyBase)
	}
	for _, p := range c.tenant.CustomRules.list {
		add("global", &p.policyBase)
	}
	return all(out)
}

func devportalSettings(c *call) *answer {
	return ok(map[string]any{
		"grantTypes": residentKeyManager().AvailableGrantTypes, "scopes": knownScopes(), "applicationSharingEnabled": c.server.options.GroupSharing,
		"mapExistingAuthApps": true, "apiGatewayEndpoint": "https://localhost:8243,http://localhost:8280", "monetizationEnabled": false,
		"recommendationEnabled": false, "IsUnlimitedTierPaid": false, "identityProvider": map[string]any{"external": false},
		"IsAnonymousModeEnabled": true, "IsPasswordChangeEnabled": true, "IsJWTEnabledForLoginTokens": false, "orgAccessControlEnabled": false,
		"userStorePasswordPattern": `^[\S]{5,30}$`, "passwordPolicyPattern": "", "passwordPolicyMinLength": -1, "passwordPolicyMaxLength": -1,
	})
}

// A devportalTier is what the devportal shows of an application or subscription policy.
type devportalTier struct {
	Name                        *string           `json:"name"`
	Description                 *string           `json:"description"`
	PolicyLevel                 string            `json:"policyLevel"`
	Attributes                  map[string]string `json:"attributes"`
	RequestCount                int64             `json:"requestCount"`
	DataUnit                    *string           `json:"dataUnit"`
	UnitTime                    int64             `json:"unitTime"`
	TimeUnit                    *string           `json:"timeUnit"`
	RateLimitCount              int64             `json:"rateLimitCount"`
	RateLimitTimeUnit           *string           `json:"rateLimitTimeUnit"`
	QuotaPolicyType             *string           `json:"quotaPolicyType"`
	TierPlan                    *string           `json:"tierPlan"`
	StopOnQuotaReach            bool              `json:"stopOnQuotaReach"`
	MonetizationAttributes      any               `json:"monetizationAttributes"`
	ThrottlingPolicyPermissions any               `json:"throttlingPolicyPermissions"`
}

func (d *devportalTier) limit(l *throttleLimit) {
	switch {
	case l.RequestCount != nil:
		d.RequestCount, d.UnitTime, d.TimeUnit, d.QuotaPolicyType = *l.RequestCount.RequestCount, *l.RequestCount.UnitTime, l.RequestCount.TimeUnit, ptr("REQUESTCOUNT")
	case l.Bandwidth != nil:
		d.RequestCount, d.UnitTime, d.TimeUnit, d.DataUnit = *l.Bandwidth.DataAmount, *l.Bandwidth.UnitTime, l.Bandwidth.TimeUnit, l.Bandwidth.DataUnit
		d.QuotaPolicyType = ptr("BANDWIDTHVOLUME")
	case l.EventCount != nil:
		d.RequestCount, d.UnitTime, d.TimeUnit = *l.EventCount.EventCount, *l.EventCount.UnitTime, l.EventCount.TimeUnit
	case l.AIAPIQuota != nil:
		d.RequestCount, d.UnitTime, d.TimeUnit = *l.AIAPIQuota.RequestCount, *l.AIAPIQuota.UnitTime, l.AIAPIQuota.TimeUnit
	}
}

// devportalTiers are the policies of a level; nil is an unknown level.
func (c *call) devportalTiers() []devportalTier {
	var out []devportalTier
	switch c.vars["level"] {
	case "application":
		for _, p := range c.tenant.ApplicationPolicies.list {
			d := devportalTier{Name: p.PolicyName, Description: p.Description, PolicyLevel: "APPLICATION", Attributes: map[string]string{},
				RateLimitCount: *p.BurstLimit.RateLimitCount, RateLimitTimeUnit: p.BurstLimit.RateLimitTimeUnit, StopOnQuotaReach: true}
			d.limit(p.DefaultLimit)
			out = append(out, d)
		}
	case "subscription":
		for _, p := range c.tenant.SubscriptionPolicies.list {
			if text(p.PolicyName) == "Unauthenticated" {
				continue
			}
			d := devportalTier{Name: p.PolicyName, Description: p.Description, PolicyLevel: "SUBSCRIPTION", Attributes: map[string]string{}, TierPlan: p.BillingPlan,
				RateLimitCount: *p.RateLimitCount, RateLimitTimeUnit: p.RateLimitTimeUnit, StopOnQuotaReach: isTrue(p.StopOnQuotaReach)}
			d.limit(p.DefaultLimit)
			out = append(out, d)
		}
	}
	for i := range out {
		out[i].MonetizationAttributes = map[string]any{"billingType": nil, "billingCycle": nil, "fixedPrice": nil, "pricePerRequest": nil, "currencyType": nil}
		out[i].ThrottlingPolicyPermissions = map[string]any{"type": "ALLOW", "roles": []string{"Internal/everyone"}}
	}
	// [seen]: by name, Unlimited last.
	slices.SortStableFunc(out, func(a, b devportalTier) int {
		if last := "Unlimited"; text(a.Name) == last || text(b.Name) == last {
			return cmp.Compare(b2i(text(a.Name) == last), b2i(text(b.Name) == last))
		}
		return strings.Compare(text(a.Name), text(b.Name))
	})
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func devportalPolicies(c *call) *answer {
	tiers := c.devportalTiers()
	if tiers == nil {
		return refuse(http.StatusNotFound, 404, "Not Found", "tierLevel should be one of [application, subscription]")
	}
	return page(c, tiers, pageLinks{})
}

func devportalPolicy(c *call) *answer {
	for _, d := range c.devportalTiers() {
		if text(d.Name) == c.vars["policy"] {
			return ok(d)
		}
	}
	return notFound("tier", c.vars["policy"])
}
