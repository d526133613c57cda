package apim

import (
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// customThrottlingPolicyType is the table of apim_custom_throttling_policy (apim-behaviour 3.2).
func customThrottlingPolicyType() *schema.Type {
	attributes := policyAttributes("custom")
	for i := range attributes {
		switch a := &attributes[i]; a.Name {
		case "name":
			// Blanks and hyphens pass here, and here alone [seen].
			a.Validate, a.Doc = lengthIn(1, 60), "Name, unique among custom policies."
		case "display_name":
			// Dropped without a word [seen].
			*a = schema.Attribute{Name: a.Name, Type: cty.String, ReadOnly: true, Doc: "Name shown to people. API Manager stores none for custom policies."}
		}
	}
	return &schema.Type{
		Name: "apim_custom_throttling_policy",
		Doc: "A rule that decides for all APIs which requests are refused, as a query in Siddhi's language. Only the super tenant has custom policies. " +
			"API Manager does not look at the query when it stores it: one with a mistake throttles nothing.",
		Key: []string{"name"},
		Block: schema.Block{Attributes: append(attributes,
			schema.Attribute{Name: "siddhi_query", Type: cty.String, Required: true, Validate: notBlank, Doc: "Query that says which requests are throttled."},
			schema.Attribute{Name: "key_template", Type: cty.String, Required: true, Validate: notBlank,
				Doc: "What is counted by, such as `$userId:$apiContext`; in HCL a `$` before a `{` is doubled."},
		)},
	}
}

// customThrottlingPolicy is a rule in Siddhi's language.
func customThrottlingPolicy(p *Provider) engine.Type {
	// It has no limit, so the plain collection does.
	return newPolicies(p, "custom", customThrottlingPolicyType(), nil,
		func(map[string]any) {},
		func(object map[string]any) { delete(object, "displayName") }).Collection
}
