package apim

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

// part makes a nested block of a type.
func part(t engine.Type, attrs map[string]cty.Value, path ...string) cty.Value {
	b := &t.Schema().Block
	for _, name := range path {
		b = &b.NestedBlock(name).Block
	}
	return b.Object(attrs)
}

func TestSubscriptionPolicyQuota(t *testing.T) {
	s := serve(t, nil)
	policies := s.typ("apim_subscription_throttling_policy")
	quota := limitOf(policies, "ai_api_quota", 7)
	o := must[*engine.Object](t)(policies.Create(t.Context(), value(policies, map[string]cty.Value{"name": str("AI"), "ai_api_quota": quota})))
	if !plain(o.Value, "ai_api_quota").RawEquals(quota) || isObject(plain(o.Value, "request_count")) || knownString(o.Value, "billing_plan") != "FREE" {
		t.Errorf("made %#v", o.Value)
	}
	check := policies.(engine.Checker)
	after := over(policies, o, map[string]cty.Value{"request_count": limitOf(policies, "request_count", 1)})
	problems := check.CheckPlan(t.Context(), []engine.Planned{{Address: "p", Live: o, After: after, Action: engine.Update}})
	if len(problems) != 1 || problems[0].Warning {
		t.Errorf("problems of another kind of limit: %+v", problems)
	}
	if problems := check.CheckPlan(t.Context(), []engine.Planned{{Address: "p", After: o.Value, Action: engine.Create}}); len(problems) != 0 {
		t.Errorf("problems of an AI quota: %+v", problems)
	}
}

// TestSubscriptionPolicyUnset reads what the portal writes for a plan without a rate.
func TestSubscriptionPolicyUnset(t *testing.T) {
	s := serve(t, nil)
	policies := s.typ("apim_subscription_throttling_policy")
	s.raw(201, "POST", admin+"/throttling/policies/subscription", map[string]any{"policyName": "P", "rateLimitCount": -1, "rateLimitTimeUnit": "NA", "subscriberCount": 0,
		"billingPlan": "FREE", "defaultLimit": map[string]any{"type": "REQUESTCOUNTLIMIT", "requestCount": map[string]any{"timeUnit": "min", "unitTime": 1, "requestCount": 1}},
		"permissions": map[string]any{"permissionType": "DENY", "roles": []string{"Internal/creator"}}})
	o := must[*engine.Object](t)(policies.Find(t.Context(), value(policies, map[string]cty.Value{"name": str("P")})))
	if !plain(o.Value, "rate_limit_count").RawEquals(cty.Zero) || knownString(o.Value, "rate_limit_time_unit") != "" {
		t.Errorf("read %#v in %q", plain(o.Value, "rate_limit_count"), knownString(o.Value, "rate_limit_time_unit"))
	}
	if knownString(plain(o.Value, "permissions"), "type") != "DENY" {
		t.Errorf("permissions %#v", plain(o.Value, "permissions"))
	}
	gone := cty.NullVal(plain(o.Value, "permissions").Type())
	o = must[*engine.Object](t)(policies.Update(t.Context(), o, over(policies, o, map[string]cty.Value{"permissions": gone})))
	if isObject(plain(o.Value, "permissions")) {
		t.Errorf("permissions were dropped, and are %#v", plain(o.Value, "permissions"))
	}
	roles := policies.Schema().NestedBlock("permissions").Attribute("roles")
	if roles.Validate(cty.SetValEmpty(cty.String)) == nil {
		t.Error("no roles pass")
	}
}

func TestSeededPlans(t *testing.T) {
	s := serve(t, nil)
	for kind, names := range map[string][]string{"subscription": seededSubscriptionPolicies, "advanced": seededAdvancedPolicies} {
		policies := s.typ("apim_" + kind + "_throttling_policy")
		for _, name := range names {
			o := must[*engine.Object](t)(policies.Find(t.Context(), value(policies, map[string]cty.Value{"name": str(name)})))
			if !o.System {
				t.Errorf("%s policy %s is not the server's own", kind, name)
			}
			if err := policies.Delete(t.Context(), o); err == nil {
				t.Errorf("%s policy %s was deleted", kind, name)
			}
		}
	}
}

func TestAdvancedConditions(t *testing.T) {
	s := serve(t, nil)
	policies := s.typ("apim_advanced_throttling_policy")
	block := func(name string, attrs map[string]cty.Value) cty.Value {
		if attrs["invert"] == cty.NilVal {
			attrs["invert"] = cty.False
		}
		return part(policies, attrs, "conditional_group", name)
	}
	group := part(policies, map[string]cty.Value{
		"description": str("d"), "request_count": limitOf(policies, "request_count", 1),
		"ip_condition": cty.ListVal([]cty.Value{
			block("ip_condition", map[string]cty.Value{"specific_ip": str("10.0.0.7")}),
			block("ip_condition", map[string]cty.Value{"starting_ip": str("10.0.0.1"), "ending_ip": str("10.0.0.9")})}),
		"header_condition":          cty.ListVal([]cty.Value{block("header_condition", map[string]cty.Value{"name": str("h"), "value": str("v"), "invert": cty.True})}),
		"query_parameter_condition": cty.ListVal([]cty.Value{block("query_parameter_condition", map[string]cty.Value{"name": str("q"), "value": str("w")})}),
		"jwt_claim_condition":       cty.ListVal([]cty.Value{block("jwt_claim_condition", map[string]cty.Value{"claim": str("c"), "value": str("x")})}),
	}, "conditional_group")
	planned := value(policies, map[string]cty.Value{"name": str("P"), "request_count": limitOf(policies, "request_count", 5), "conditional_group": cty.ListVal([]cty.Value{group})})
	if got := policies.Schema().Check(planned); len(got) != 0 {
		t.Fatalf("problems %+v", got)
	}
	o := must[*engine.Object](t)(policies.Create(t.Context(), planned))
	if got := plain(o.Value, "conditional_group"); !got.RawEquals(cty.ListVal([]cty.Value{group})) {
		t.Errorf("made %#v\nwant %#v", got, group)
	}
	// The limit of the group becomes another; its old one was not managed, so both are planned.
	attrs := group.AsValueMap()
	attrs["bandwidth"] = limitOf(policies, "bandwidth", 2)
	o = must[*engine.Object](t)(policies.Update(t.Context(), o, over(policies, o, map[string]cty.Value{"conditional_group": cty.ListVal([]cty.Value{cty.ObjectVal(attrs)})})))
	got := knownList(o.Value, "conditional_group")[0]
	if isObject(plain(got, "request_count")) || !plain(got, "bandwidth").RawEquals(attrs["bandwidth"]) || !plain(got, "ip_condition").RawEquals(attrs["ip_condition"]) {
		t.Errorf("changed to %#v", got)
	}
}

// TestGroupLimits warns of limits that the server does not store with a group.
func TestGroupLimits(t *testing.T) {
	policies := serve(t, nil).typ("apim_advanced_throttling_policy")
	for kind, want := range map[string]int{"request_count": 0, "bandwidth": 0, "event_count": 1, "ai_api_quota": 1} {
		group := part(policies, map[string]cty.Value{kind: limitOf(policies, kind, 1)}, "conditional_group")
		planned := value(policies, map[string]cty.Value{"name": str("P_" + kind), "request_count": limitOf(policies, "request_count", 5),
			"conditional_group": cty.ListVal([]cty.Value{group})})
		got := policies.(engine.Checker).CheckPlan(t.Context(), []engine.Planned{{After: planned, Action: engine.Create}})
		if len(got) != want || want > 0 && (!got[0].Warning || !strings.Contains(got[0].Detail, kind)) {
			t.Errorf("%s: %+v", kind, got)
		}
		if _, err := policies.Create(t.Context(), planned); (err != nil) != (want > 0) {
			t.Errorf("%s: made with %v", kind, err)
		}
	}
}

func TestAdvancedCheck(t *testing.T) {
	policies := New().typ("apim_advanced_throttling_policy")
	one := limitOf(policies, "request_count", 1)
	list := func(name string, elems ...map[string]cty.Value) cty.Value {
		var out []cty.Value
		for _, e := range elems {
			out = append(out, part(policies, e, "conditional_group", name))
		}
		return cty.ListVal(out)
	}
	header := func(invert cty.Value) map[string]cty.Value {
		return map[string]cty.Value{"name": str("h"), "value": str("v"), "invert": invert}
	}
	for name, c := range map[string]struct {
		group map[string]cty.Value
		want  string
	}{
		"fine":         {map[string]cty.Value{"request_count": one, "header_condition": list("header_condition", header(cty.True), header(cty.True))}, ""},
		"no condition": {map[string]cty.Value{"request_count": one}, "Missing condition"},
		"no limit":     {map[string]cty.Value{"header_condition": list("header_condition", header(cty.True))}, "Missing limit"},
		"mixed":        {map[string]cty.Value{"request_count": one, "header_condition": list("header_condition", header(cty.True), header(cty.False))}, "Conditions inverted and not"},
		"half a range": {map[string]cty.Value{"request_count": one, "ip_condition": list("ip_condition", map[string]cty.Value{"starting_ip": str("10.0.0.1"), "invert": cty.False})}, "Neither address nor range"},
		"bad address":  {map[string]cty.Value{"request_count": one, "ip_condition": list("ip_condition", map[string]cty.Value{"specific_ip": str("10.0.0"), "invert": cty.False})}, "Invalid IP address"},
	} {
		var got []string
		for _, p := range policies.Schema().Check(value(policies, map[string]cty.Value{"name": str("P"), "request_count": one,
			"conditional_group": cty.ListVal([]cty.Value{part(policies, c.group, "conditional_group")})})) {
			got = append(got, p.Summary)
		}
		if strings.Join(got, ",") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestCustomPolicies checks what API Manager refuses.
func TestCustomPolicies(t *testing.T) {
	policies := New().typ("apim_custom_throttling_policy").Schema()
	for name, want := range map[string]bool{"Night shift": true, "": false, strings.Repeat("x", 61): false} {
		if ok := policies.Attribute("name").Validate(str(name)) == nil; ok != want {
			t.Errorf("the name %q passes: %v", name, ok)
		}
	}
	if policies.Attribute("siddhi_query").Validate(str(" \n")) == nil {
		t.Error("a blank query passes")
	}
}
