package apim

import (
	"context"
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// seededApplicationPolicies are those that every tenant has from the start (apim-behaviour 10).
var seededApplicationPolicies = []string{"10PerMin", "20PerMin", "50PerMin", "Unlimited"}

// applicationThrottlingPolicyType is the table of apim_application_throttling_policy
// (apim-behaviour 3.2).
func applicationThrottlingPolicyType() *schema.Type {
	return &schema.Type{
		Name: "apim_application_throttling_policy",
		Doc: "How much an application may use in a while, over all APIs. It has one limit: `request_count`, `bandwidth`, `event_count` or " +
			"`ai_api_quota`. The seeded `10PerMin`, `20PerMin`, `50PerMin` and `Unlimited` are adopted by their names, never created or deleted.",
		Key:   []string{"name"},
		Check: checkLimits(seededApplicationPolicies),
		Block: schema.Block{
			Attributes: policyAttributes("application"),
			Blocks: append(limitBlocks(), schema.NestedBlock{
				Name: "burst_limit", JSON: "burstLimit", Nesting: schema.Single, Doc: "Limits the rate within the time too.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "rate_limit_count", Type: cty.Number, Required: true, Validate: wholeFrom(0), Doc: "Requests allowed in one unit; 0 is no limit."},
					{Name: "rate_limit_time_unit", Type: cty.String, Validate: timeUnit, Normalize: canonicalTimeUnit, Doc: "Unit of the rate, such as `sec` or `min`."},
				}}}),
		},
	}
}

// applicationThrottlingPolicy is how much an application may use.
func applicationThrottlingPolicy(p *Provider) engine.Type {
	t := newPolicies(p, "application", applicationThrottlingPolicyType(), seededApplicationPolicies,
		func(object map[string]any) {
			// APIM answers a burst limit that was never sent as no requests in no unit (apim-behaviour 10).
			if burst, ok := object["burstLimit"].(map[string]any); ok && burst["rateLimitTimeUnit"] == nil && fmt.Sprint(burst["rateLimitCount"]) == "0" {
				delete(object, "burstLimit")
			}
		},
		func(map[string]any) {})
	t.fixed = true
	t.users = func(ctx context.Context, name string) (using []string, err error) {
		apps := &rest.Collection{Client: &p.client, Path: devportal + "/applications", ID: "applicationId", Paging: rest.Paging{Style: rest.LimitOffset}}
		for app, err := range apps.Elements(ctx, nil) {
			if err != nil {
				return nil, err
			}
			if app["throttlingPolicy"] == name {
				using = append(using, fmt.Sprintf("application %q of %v", app["name"], app["owner"]))
			}
		}
		return using, nil
	}
	return t
}
