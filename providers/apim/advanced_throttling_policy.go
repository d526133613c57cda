package apim

import (
	"context"
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// seededAdvancedPolicies are those that every tenant has from the start (apim-behaviour 3.2).
var seededAdvancedPolicies = []string{"10KPerMin", "20KPerMin", "50KPerMin", "Unlimited"}

// A condition is a kind of condition: its block, the member in which we keep its blocks, its type,
// and the member of a condition of the API that holds it. API Manager answers with conditions in
// this order, whatever they were sent in [seen].
type condition struct{ block, list, kind, member string }

var conditions = []condition{
	{"ip_condition", "ipConditions", "IPCONDITION", "ipCondition"},
	{"header_condition", "headerConditions", "HEADERCONDITION", "headerCondition"},
	{"query_parameter_condition", "queryParameterConditions", "QUERYPARAMETERCONDITION", "queryParameterCondition"},
	{"jwt_claim_condition", "jwtClaimConditions", "JWTCLAIMSCONDITION", "jwtClaimsCondition"},
}

// advancedThrottlingPolicyType is the table of apim_advanced_throttling_policy (apim-behaviour
// 3.2).
func advancedThrottlingPolicyType() *schema.Type {
	text := func(name, json, doc string, required bool) schema.Attribute {
		return schema.Attribute{Name: name, JSON: json, Type: cty.String, Required: required, Doc: doc}
	}
	kind := func(c condition, doc string, attrs ...schema.Attribute) schema.NestedBlock {
		return schema.NestedBlock{Name: c.block, JSON: c.list, Nesting: schema.List, Doc: doc,
			Block: schema.Block{Attributes: append(attrs,
				schema.Attribute{Name: "invert", JSON: "invertCondition", Type: cty.Bool, Default: cty.False,
					Doc: "Whether it holds for all other requests; the same for all conditions of this kind in a group."})}}
	}
	return &schema.Type{
		Name: "apim_advanced_throttling_policy",
		Doc: "How much an API or one of its resources may be used in a while, by everybody together. It has one limit: `request_count`, `bandwidth` or " +
			"`event_count`; groups of conditions give others to some of the requests. APIs and their operations refer to it by name. The seeded " +
			"`10KPerMin`, `20KPerMin`, `50KPerMin` and `Unlimited` are adopted by their names, never created or deleted.",
		Key:   []string{"name"},
		Check: checkAdvanced,
		Block: schema.Block{
			Attributes: policyAttributes("advanced"),
			Blocks: append(limitBlocks(), schema.NestedBlock{
				Name: "conditional_group", JSON: "conditionalGroups", Nesting: schema.List,
				Doc: "A limit of its own for the requests that meet all of its conditions. The first group that fits counts.",
				Block: schema.Block{
					Attributes: []schema.Attribute{{Name: "description", Type: cty.String, Doc: "What it is for."}},
					Blocks: append([]schema.NestedBlock{
						kind(conditions[0], "The caller's address: `specific_ip`, or a range.",
							text("specific_ip", "specificIP", "The address.", false),
							text("starting_ip", "startingIP", "First address of a range.", false),
							text("ending_ip", "endingIP", "Last address of a range.", false)),
						kind(conditions[1], "A header of the request.",
							text("name", "headerName", "Name of the header.", true),
							text("value", "headerValue", "Regular expression of its value.", true)),
						kind(conditions[2], "A parameter of the request's query.",
							text("name", "parameterName", "Name of the parameter.", true),
							text("value", "parameterValue", "Regular expression of its value.", true)),
						kind(conditions[3], "A claim of the caller's token.",
							text("claim", "claimUrl", "URI of the claim.", true),
							text("value", "attribute", "Regular expression of its value.", true)),
					}, limitBlocks()...),
				},
			}),
		},
	}
}

// advancedThrottlingPolicy is how much an API may be used.
func advancedThrottlingPolicy(p *Provider) engine.Type {
	t := newPolicies(p, "advanced", advancedThrottlingPolicyType(), seededAdvancedPolicies, decodeGroups, encodeGroups)
	// The list leaves the groups out (apim-behaviour 3.2).
	t.ListComplete = false
	t.Match = func(raw map[string]any, wanted cty.Value) bool {
		return raw["policyName"] == knownString(wanted, "name")
	}
	return &advancedPolicies{t}
}

// advancedPolicies is the type apim_advanced_throttling_policy.
type advancedPolicies struct{ *policies }

// Update changes a policy. The limit of a group may become one of another kind, as that of the
// policy.
func (t *advancedPolicies) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	had, groups := knownList(live.Value, "conditional_group"), knownList(planned, "conditional_group")
	for i := range groups {
		before := cty.NullVal(groups[i].Type())
		if i < len(had) {
			before = had[i]
		}
		groups[i], _ = oneLimit(before, groups[i])
	}
	if len(groups) > 0 {
		attrs := planned.AsValueMap()
		attrs["conditional_group"] = cty.ListVal(groups)
		planned = cty.ObjectVal(attrs)
	}
	return t.policies.Update(ctx, live, planned)
}

// CheckPlan also warns of groups whose limit the server was seen not to store.
func (t *advancedPolicies) CheckPlan(ctx context.Context, planned []engine.Planned) []engine.PlanProblem {
	out := t.policies.CheckPlan(ctx, planned)
	for i := range planned {
		if !writes(planned[i].Action) {
			continue
		}
		for _, group := range knownList(planned[i].After, "conditional_group") {
			for _, kind := range []string{"event_count", "ai_api_quota"} {
				if isObject(plain(group, kind)) {
					out = append(out, engine.PlanProblem{Index: i, Attribute: "conditional_group", Warning: true, Summary: "Limit of a conditional group",
						Detail: "API Manager's own code (apimgt 9.33.90) was seen to answer 500 to a conditional group with " + kind + ": it stores groups with request_count and " +
							"bandwidth alone. Use one of these."})
				}
			}
		}
	}
	return out
}

// decodeGroups turns the groups of a policy into the shape of the tables: conditions by their
// kinds, the limit lifted.
func decodeGroups(object map[string]any) {
	for _, group := range objects(object["conditionalGroups"]) {
		decodeLimit(group, "limit")
		if group["description"] == nil {
			group["description"] = ""
		}
		for _, sent := range objects(group["conditions"]) {
			for _, c := range conditions {
				inner, ok := sent[c.member].(map[string]any)
				if !ok || sent["type"] != c.kind {
					continue
				}
				inner["invertCondition"] = sent["invertCondition"] == true
				if c.kind == "IPCONDITION" {
					// What a condition of the other kind has comes back empty.
					for _, name := range []string{"specificIP", "startingIP", "endingIP"} {
						if inner[name] == "" {
							delete(inner, name)
						}
					}
				}
				list, _ := group[c.list].([]any)
				group[c.list] = append(list, inner)
			}
		}
		delete(group, "conditions")
	}
}

// encodeGroups is the inverse of decodeGroups.
func encodeGroups(object map[string]any) {
	for _, group := range objects(object["conditionalGroups"]) {
		encodeLimit(group, "limit")
		if group["description"] == "" {
			delete(group, "description")
		}
		sent := []any{}
		for _, c := range conditions {
			for _, inner := range objects(group[c.list]) {
				invert := inner["invertCondition"] == true
				delete(inner, "invertCondition")
				if c.kind == "IPCONDITION" {
					inner["ipConditionType"] = "IPSPECIFIC"
					if inner["specificIP"] == nil {
						// The contract wants an address in a range too (apim-behaviour 3.2).
						inner["ipConditionType"], inner["specificIP"] = "IPRANGE", ""
					}
				}
				sent = append(sent, map[string]any{"type": c.kind, "invertCondition": invert, c.member: inner})
			}
			delete(group, c.list)
		}
		group["conditions"] = sent
	}
}

// objects returns the objects of a JSON list.
func objects(v any) []map[string]any {
	list, _ := v.([]any)
	out := make([]map[string]any, 0, len(list))
	for _, x := range list {
		if m, ok := x.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// checkAdvanced finds what API Manager refuses, or stores and does not obey.
func checkAdvanced(v cty.Value) []schema.Problem {
	out := checkLimits(seededAdvancedPolicies)(v)
	for i, group := range knownList(v, "conditional_group") {
		at := cty.GetAttrPath("conditional_group").IndexInt(i)
		if !group.IsKnown() {
			continue
		}
		out = append(out, checkLimit(group, at, "conditional group", false)...)
		n := 0
		for _, c := range conditions {
			list := plain(group, c.block)
			if !list.IsKnown() {
				n++
				continue
			}
			inverted := map[bool]bool{}
			for j, e := range knownList(group, c.block) {
				n++
				here := at.GetAttr(c.block).IndexInt(j)
				if x := plain(e, "invert"); isKnown(x) {
					inverted[x.True()] = true
				}
				if len(inverted) == 2 {
					out = append(out, schema.Problem{Path: here.GetAttr("invert"), Summary: "Conditions inverted and not",
						Detail: fmt.Sprintf("API Manager wants invert to be the same for all %s blocks of a group. Make them alike, or make two groups.", c.block)})
					break
				}
				if c.kind == "IPCONDITION" {
					out = append(out, checkAddresses(e, here)...)
				}
			}
		}
		if n == 0 {
			out = append(out, schema.Problem{Path: at, Summary: "Missing condition",
				Detail: "A conditional group needs a condition, and this one has none. Add a block ip_condition, header_condition, query_parameter_condition or jwt_claim_condition."})
		}
	}
	return out
}

// checkAddresses finds that an IP condition has neither an address nor a range.
func checkAddresses(v cty.Value, at cty.Path) []schema.Problem {
	one, from, to := isSet(v, "specific_ip"), isSet(v, "starting_ip"), isSet(v, "ending_ip")
	if one && !from && !to || !one && from && to {
		var out []schema.Problem
		for _, name := range []string{"specific_ip", "starting_ip", "ending_ip"} {
			if ip := knownString(v, name); ip != "" && !isAddress(ip) {
				out = append(out, schema.Problem{Path: at.GetAttr(name), Summary: "Invalid IP address",
					Detail: fmt.Sprintf("%q is no IP address. Give one, such as \"192.168.1.2\".", ip)})
			}
		}
		return out
	}
	return []schema.Problem{{Path: at, Summary: "Neither address nor range",
		Detail: "An IP condition has either specific_ip, or both starting_ip and ending_ip. Set one of the two."}}
}
