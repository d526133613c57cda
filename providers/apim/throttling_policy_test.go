package apim

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// limitOf makes the block of a kind of limit.
func limitOf(policies engine.Type, kind string, n int64) cty.Value {
	attrs := map[string]cty.Value{"unit_time": num(1), "time_unit": str("min")}
	switch kind {
	case "bandwidth":
		attrs["data_amount"], attrs["data_unit"] = num(n), str("MB")
	case "event_count":
		attrs["event_count"] = num(n)
	case "ai_api_quota":
		attrs["request_count"], attrs["total_token_count"], attrs["prompt_token_count"], attrs["completion_token_count"] = num(n), num(2*n), num(3*n), num(4*n)
	default:
		attrs["request_count"] = num(n)
	}
	return policies.Schema().NestedBlock(kind).Object(attrs)
}

// collection returns the collection of a kind of policy.
func collection(t engine.Type) *rest.Collection { return t.(*policies).Collection }

// none fails for an error.
func none(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPolicyLife(t *testing.T) {
	s := serve(t, nil)
	policies := s.typ("apim_application_throttling_policy")
	ctx := t.Context()
	for _, l := range limits[:2] { // the others: TestEventCount, TestAIQuota
		t.Run(l.block, func(t *testing.T) {
			planned := value(policies, map[string]cty.Value{
				"name": str("P_" + l.block), "display_name": str("shown"), "description": str("d"), l.block: limitOf(policies, l.block, 70),
				"burst_limit": cty.ObjectVal(map[string]cty.Value{"rate_limit_count": num(5), "rate_limit_time_unit": str("sec")}),
			})
			if _, err := policies.Find(ctx, planned); !errors.Is(err, engine.ErrNotFound) {
				t.Fatalf("found before it is made: %v", err)
			}
			o := must[*engine.Object](t)(policies.Create(ctx, planned))
			for name, want := range planned.AsValueMap() {
				if name != "id" && !plain(o.Value, name).RawEquals(want) {
					t.Errorf("%s is %#v, want %#v", name, plain(o.Value, name), want)
				}
			}
			found := must[*engine.Object](t)(policies.Find(ctx, planned))
			if found.ID != o.ID || !found.Value.RawEquals(o.Value) || o.System {
				t.Error("what is found is not what was made")
			}
			listed := 0
			for x, err := range policies.(engine.Lister).List(ctx, 10) {
				if err != nil {
					t.Fatal(err)
				}
				if x.ID == o.ID && x.Value.RawEquals(o.Value) {
					listed++
				}
			}
			if listed != 1 {
				t.Errorf("listed %d times as it is read", listed)
			}
			changed := must[*engine.Object](t)(policies.Update(ctx, o, over(policies, o, map[string]cty.Value{
				l.block: limitOf(policies, l.block, 71), "description": str("")})))
			if !plain(changed.Value, l.block).RawEquals(limitOf(policies, l.block, 71)) || knownString(changed.Value, "description") != "" ||
				knownString(changed.Value, "display_name") != "shown" || !isObject(plain(changed.Value, "burst_limit")) {
				t.Errorf("changed to %#v", changed.Value)
			}
			body := s.raw(200, "GET", admin+"/throttling/policies/application/"+o.ID, nil)
			body["displayName"] = "theirs"
			s.raw(200, "PUT", admin+"/throttling/policies/application/"+o.ID, body)
			if _, err := policies.Update(ctx, changed, over(policies, changed, map[string]cty.Value{"display_name": str("ours")})); !errors.Is(err, engine.ErrMoved) {
				t.Errorf("an edit behind our back: %v", err)
			}
			for range 2 {
				if err := policies.Delete(ctx, changed); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestListedPermissions finds a plan as it was made, though the server's list leaves its permissions out.
func TestListedPermissions(t *testing.T) {
	s := serve(t, nil)
	policies := s.typ("apim_subscription_throttling_policy")
	o := must[*engine.Object](t)(policies.Create(t.Context(), value(policies, map[string]cty.Value{"name": str("P"), "request_count": limitOf(policies, "request_count", 1),
		"permissions": policies.Schema().NestedBlock("permissions").Object(map[string]cty.Value{"type": str("ALLOW"), "roles": cty.SetVal([]cty.Value{str("admin")})})})))
	if !isObject(plain(o.Value, "permissions")) {
		t.Errorf("made %#v", o.Value)
	}
	found := must[*engine.Object](t)(policies.Find(t.Context(), value(policies, map[string]cty.Value{"name": str("P")})))
	if !found.Value.RawEquals(o.Value) {
		t.Errorf("found %#v", found.Value)
	}
	for _, err := range policies.(engine.Lister).List(t.Context(), 100) {
		if !errors.Is(err, engine.ErrCostly) {
			t.Errorf("a list without permissions is taken for whole: %v", err)
		}
	}
}

// TestEventCount makes a policy that the server cannot change.
func TestEventCount(t *testing.T) {
	s := serve(t, nil)
	policies := s.typ("apim_application_throttling_policy")
	o := must[*engine.Object](t)(policies.Create(t.Context(), value(policies, map[string]cty.Value{"name": str("P"), "event_count": limitOf(policies, "event_count", 3)})))
	if !plain(o.Value, "event_count").RawEquals(limitOf(policies, "event_count", 3)) {
		t.Errorf("made %#v", o.Value)
	}
	more := over(policies, o, map[string]cty.Value{"description": str("more")})
	if _, err := policies.Update(t.Context(), o, more); err == nil || !strings.Contains(err.Error(), "replace the policy, with -replace") {
		t.Errorf("changed: %v", err)
	}
	check := func(after cty.Value) []engine.PlanProblem {
		return policies.(engine.Checker).CheckPlan(t.Context(), []engine.Planned{{Address: "p", Live: o, After: after, Action: engine.Update}})
	}
	if got := check(more); len(got) != 1 || !got[0].Warning || got[0].Attribute != "event_count" || !strings.Contains(got[0].Detail, "-replace='p'") {
		t.Errorf("problems %+v", got)
	}
	other := over(policies, o, map[string]cty.Value{"bandwidth": limitOf(policies, "bandwidth", 2)})
	if got := check(other); len(got) != 0 {
		t.Errorf("problems of another kind of limit %+v", got)
	}
	changed := must[*engine.Object](t)(policies.Update(t.Context(), o, other))
	if isObject(plain(changed.Value, "event_count")) || !plain(changed.Value, "bandwidth").RawEquals(limitOf(policies, "bandwidth", 2)) {
		t.Errorf("changed to %#v", changed.Value)
	}
}

// TestAIQuota sends an AI quota, which the server cannot store for applications.
func TestAIQuota(t *testing.T) {
	s := serve(t, nil)
	policies := s.typ("apim_application_throttling_policy")
	planned := value(policies, map[string]cty.Value{"name": str("P"), "ai_api_quota": limitOf(policies, "ai_api_quota", 7)})
	_, err := policies.Create(t.Context(), planned)
	if err == nil || !strings.Contains(err.Error(), "AI quotas of application policies") {
		t.Errorf("got %v", err)
	}
	c := collection(policies)
	b := &policies.Schema().Block
	body := rest.Encode(b, planned)
	none(t, c.Encode(body))
	want := object(t, `{"policyName": "P", "defaultLimit": {"type": "AIAPIQUOTALIMIT", "aiApiQuota": {
		"requestCount": 7, "totalTokenCount": 14, "promptTokenCount": 21, "completionTokenCount": 28, "unitTime": 1, "timeUnit": "min"}}}`)
	got := plainJSON(t, body)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	none(t, c.Decode(got))
	v, err := rest.Decode(b, got)
	if err != nil || !plain(v, "ai_api_quota").RawEquals(limitOf(policies, "ai_api_quota", 7)) || isObject(plain(v, "request_count")) {
		t.Errorf("read back as %#v, %v", v, err)
	}
}

func TestPolicyKindChanges(t *testing.T) {
	s := serve(t, nil)
	policies := s.typ("apim_application_throttling_policy")
	o := must[*engine.Object](t)(policies.Create(t.Context(), value(policies, map[string]cty.Value{"name": str("P"), "request_count": limitOf(policies, "request_count", 1)})))
	if isObject(plain(o.Value, "burst_limit")) || knownString(o.Value, "display_name") != "P" && knownString(o.Value, "display_name") != "" {
		t.Errorf("made %#v", o.Value)
	}
	// Of a policy whose old limit was not managed, planned holds both.
	o = must[*engine.Object](t)(policies.Update(t.Context(), o, over(policies, o, map[string]cty.Value{"bandwidth": limitOf(policies, "bandwidth", 2)})))
	if isObject(plain(o.Value, "request_count")) || !plain(o.Value, "bandwidth").RawEquals(limitOf(policies, "bandwidth", 2)) {
		t.Errorf("changed to %#v", o.Value)
	}
	none := cty.NullVal(policies.Schema().NestedBlock("bandwidth").ImpliedType())
	o = must[*engine.Object](t)(policies.Update(t.Context(), o, over(policies, o, map[string]cty.Value{"bandwidth": none, "request_count": limitOf(policies, "request_count", 3)})))
	if !plain(o.Value, "request_count").RawEquals(limitOf(policies, "request_count", 3)) || isObject(plain(o.Value, "bandwidth")) {
		t.Errorf("changed to %#v", o.Value)
	}
	check := policies.(engine.Checker)
	after := over(policies, o, map[string]cty.Value{"ai_api_quota": limitOf(policies, "ai_api_quota", 1)})
	if got := check.CheckPlan(t.Context(), []engine.Planned{{Address: "p", Live: o, After: after, Action: engine.Update}}); len(got) != 2 || !got[0].Warning || got[1].Warning || !strings.Contains(got[1].Detail, "-replace='p'") {
		t.Errorf("problems %+v", got)
	}
	if got := check.CheckPlan(t.Context(), []engine.Planned{{Address: "p", Live: o, After: after, Action: engine.Replace}}); len(got) != 1 || !got[0].Warning {
		t.Errorf("problems of a replacement %+v", got)
	}
}

func TestSeededPolicies(t *testing.T) {
	s := serve(t, nil)
	policies := s.typ("apim_application_throttling_policy")
	for _, name := range seededApplicationPolicies {
		o := must[*engine.Object](t)(policies.Find(t.Context(), value(policies, map[string]cty.Value{"name": str(name)})))
		if !o.System || !isObject(plain(o.Value, "request_count")) {
			t.Errorf("%s: %+v", name, o)
		}
		if err := policies.Delete(t.Context(), o); err == nil {
			t.Errorf("%s was deleted", name)
		}
		if got := policies.Schema().Check(value(policies, map[string]cty.Value{"name": str(name)})); len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestPolicyInUse(t *testing.T) {
	s := serve(t, nil)
	policies, apps := s.typ("apim_application_throttling_policy"), s.typ("apim_application")
	o := must[*engine.Object](t)(policies.Create(t.Context(), value(policies, map[string]cty.Value{"name": str("P"), "request_count": limitOf(policies, "request_count", 1)})))
	app := must[*engine.Object](t)(apps.Create(t.Context(), value(apps, map[string]cty.Value{"name": str("shop"), "throttling_policy": str("P")})))
	if err := policies.Delete(t.Context(), o); err == nil || !strings.Contains(err.Error(), `in use by application "shop" of admin`) {
		t.Errorf("deleting it while in use: %v", err)
	}
	if err := apps.Delete(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if err := policies.Delete(t.Context(), o); err != nil {
		t.Error(err)
	}
}

func TestPolicyCheck(t *testing.T) {
	policies := New().typ("apim_application_throttling_policy")
	check := func(attrs map[string]cty.Value) string {
		attrs["name"] = str("P")
		got := policies.Schema().Check(value(policies, attrs))
		if len(got) != 1 {
			return ""
		}
		return got[0].Summary
	}
	one := limitOf(policies, "request_count", 1)
	if got := check(map[string]cty.Value{}); got != "Missing limit" {
		t.Errorf("none: %q", got)
	}
	if got := check(map[string]cty.Value{"request_count": one}); got != "" {
		t.Errorf("one: %q", got)
	}
	if got := check(map[string]cty.Value{"request_count": one, "event_count": limitOf(policies, "event_count", 1)}); got != "More than one limit" {
		t.Errorf("two: %q", got)
	}
	for in, want := range map[string]string{"days": "day", "Months": "month", "min": "min", "weeks": "weeks"} {
		if got := canonicalTimeUnit(str(in)).AsString(); got != want {
			t.Errorf("%s becomes %s", in, got)
		}
	}
	if policyName(str("with space")) == nil || policyName(str("with-hyphen")) == nil || policyName(str("30PerMin")) != nil || policyName(str(strings.Repeat("x", 61))) == nil {
		t.Error("names of policies are checked badly")
	}
	if applicationName(str(" x")) == nil || applicationName(str("two words")) != nil || applicationName(str("")) == nil {
		t.Error("names of applications are checked badly")
	}
}
