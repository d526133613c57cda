package apim

import (
	"encoding/json"
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// seededSubscriptionPolicies are those that every tenant has from the start (apim-behaviour 3.2).
var seededSubscriptionPolicies = []string{
	"Bronze", "Silver", "Gold", "Unlimited", "Unauthenticated", "DefaultSubscriptionless",
	"AsyncBronze", "AsyncSilver", "AsyncGold", "AsyncUnlimited", "AsyncDefaultSubscriptionless",
	"AsyncWHBronze", "AsyncWHSilver", "AsyncWHGold", "AsyncWHUnlimited", "AIBronze", "AISilver", "AIGold",
}

// subscriptionThrottlingPolicyType is the table of apim_subscription_throttling_policy
// (apim-behaviour 3.2).
func subscriptionThrottlingPolicyType() *schema.Type {
	count := func(name, json, doc string) schema.Attribute {
		return schema.Attribute{Name: name, JSON: json, Type: cty.Number, Validate: wholeFrom(0), Doc: doc + " 0, the server's default, is no limit."}
	}
	return &schema.Type{
		Name: "apim_subscription_throttling_policy",
		Doc: "A business plan: how much of an API a subscription may use in a while. It has one limit: `request_count`, `bandwidth`, `event_count` " +
			"or `ai_api_quota`. APIs offer plans by their names, and a plan that is deleted while APIs merely offer it is dropped from them. " +
			"The seeded ones (`Gold`, `Unlimited`, `AsyncWHGold` and so on) are adopted by their names, never created or deleted.",
		Key:   []string{"name"},
		Check: checkLimits(seededSubscriptionPolicies),
		Block: schema.Block{
			Attributes: append(policyAttributes("subscription"),
				count("graphql_max_complexity", "graphQLMaxComplexity", "Highest complexity of a GraphQL query."),
				count("graphql_max_depth", "graphQLMaxDepth", "Greatest depth of a GraphQL query."),
				count("rate_limit_count", "", "Requests allowed in one `rate_limit_time_unit`, within the limit."),
				schema.Attribute{Name: "rate_limit_time_unit", Type: cty.String, Validate: timeUnitOrNone, Normalize: canonicalTimeUnit,
					Doc: "Unit of the rate, such as `sec` or `min`."},
				count("subscriber_count", "", "Callbacks that a subscription of a WebSub API may register."),
				schema.Attribute{Name: "stop_on_quota_reach", Type: cty.Bool, Doc: "Whether requests past the limit are refused. The server's default is false."},
				schema.Attribute{Name: "billing_plan", Type: cty.String, Enum: []string{"FREE", "COMMERCIAL"}, Doc: "A new policy without it is `FREE`."},
			),
			Blocks: append(limitBlocks(),
				schema.NestedBlock{Name: "custom_attribute", JSON: "customAttributes", Nesting: schema.List, Key: []string{"name"}, Doc: "An attribute that gateways find in the token of back ends.",
					Block: schema.Block{Attributes: []schema.Attribute{
						{Name: "name", Type: cty.String, Required: true, Doc: "Name."},
						{Name: "value", Type: cty.String, Required: true, Doc: "Value."},
					}}},
				schema.NestedBlock{Name: "monetization", Nesting: schema.Single, Doc: "What a commercial plan costs.",
					Block: schema.Block{Attributes: []schema.Attribute{
						{Name: "plan", JSON: "monetizationPlan", Type: cty.String, Required: true, Enum: []string{"FIXEDRATE", "DYNAMICRATE"}, Doc: "A price for the time, or for each request."},
						{Name: "billing_cycle", JSON: "properties/billingCycle", Type: cty.String, Doc: "`week`, `month` or `year`."},
						{Name: "currency_type", JSON: "properties/currencyType", Type: cty.String, Doc: "Currency, such as `usd`."},
						{Name: "fixed_price", JSON: "properties/fixedPrice", Type: cty.String, Doc: "Price of a cycle."},
						{Name: "price_per_request", JSON: "properties/pricePerRequest", Type: cty.String, Doc: "Price of a request."},
					}}},
				schema.NestedBlock{Name: "permissions", Nesting: schema.Single, Doc: "Who may subscribe with this plan. Without the block everybody may.",
					Block: schema.Block{Attributes: []schema.Attribute{
						{Name: "type", JSON: "permissionType", Type: cty.String, Required: true, Enum: []string{"ALLOW", "DENY"}, Doc: "Whether the roles may, or may not."},
						{Name: "roles", Type: cty.Set(cty.String), Required: true, Validate: someStrings, Doc: "Roles, at least one."},
					}}},
			),
		},
	}
}

// subscriptionThrottlingPolicy is a business plan.
func subscriptionThrottlingPolicy(p *Provider) engine.Type {
	t := newPolicies(p, "subscription", subscriptionThrottlingPolicyType(), seededSubscriptionPolicies,
		func(object map[string]any) {
			// Without a rate the portal sends -1 in units of "NA" [test], others 0: both are read as none.
			if fmt.Sprint(object["rateLimitCount"]) == "-1" {
				object["rateLimitCount"] = json.Number("0")
			}
			if object["rateLimitTimeUnit"] == "NA" {
				object["rateLimitTimeUnit"] = ""
			}
		},
		func(object map[string]any) {
			// APIM 4.5 answers 500 where one of these is absent (apim-behaviour 0.7, 10).
			if m, ok := object["monetization"].(map[string]any); ok && m["properties"] == nil {
				m["properties"] = map[string]any{} // required
			}
			for name, v := range map[string]any{"rateLimitCount": 0, "subscriberCount": 0, "billingPlan": "FREE"} {
				if object[name] == nil {
					object[name] = v
				}
			}
		})
	t.quota = true
	t.ListComplete = false // lists have no permissions [seen]
	return t
}

func timeUnitOrNone(v cty.Value) error {
	if v.AsString() == "" {
		return nil
	}
	return timeUnit(v)
}

// someStrings refuses an empty list or set.
func someStrings(v cty.Value) error {
	if v.LengthInt() == 0 {
		return fmt.Errorf("it must not be empty")
	}
	return nil
}
