package apim

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// limits are the kinds of limit: the block, its member of a ThrottleLimit, and the type there.
var limits = []struct{ block, member, kind string }{
	{"request_count", "requestCount", "REQUESTCOUNTLIMIT"},
	{"bandwidth", "bandwidth", "BANDWIDTHLIMIT"},
	{"event_count", "eventCount", "EVENTCOUNTLIMIT"},
	{"ai_api_quota", "aiApiQuota", "AIAPIQUOTALIMIT"},
}

// seededApplicationPolicies are those that every tenant has from the start (apim-behaviour 10).
var seededApplicationPolicies = []string{"10PerMin", "20PerMin", "50PerMin", "Unlimited"}

// applicationThrottlingPolicyType is the table of apim_application_throttling_policy
// (apim-behaviour 3.2).
func applicationThrottlingPolicyType() *schema.Type {
	count := func(name, doc string, required bool) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.Number, Required: required, Validate: wholeFrom(0), Doc: doc}
	}
	limit := func(name, json, doc string, attrs ...schema.Attribute) schema.NestedBlock {
		return schema.NestedBlock{
			Name: name, JSON: json, Nesting: schema.Single, Doc: doc,
			Block: schema.Block{Attributes: append(attrs,
				schema.Attribute{Name: "unit_time", Type: cty.Number, Required: true, Validate: wholeFrom(1), Doc: "Number of units."},
				schema.Attribute{Name: "time_unit", Type: cty.String, Required: true, Validate: timeUnit, Normalize: canonicalTimeUnit,
					Doc: "`sec`, `min`, `hour`, `day`, `month` or `year`."},
			)},
		}
	}
	return &schema.Type{
		Name: "apim_application_throttling_policy",
		Doc: "How much an application may use in a while, over all APIs. It has one limit: `request_count`, `bandwidth`, `event_count` or " +
			"`ai_api_quota`. The seeded `10PerMin`, `20PerMin`, `50PerMin` and `Unlimited` are adopted by their names, never created or deleted.",
		Key:   []string{"name"},
		Check: checkLimits,
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true, JSON: "policyId", Doc: "The server's id, a UUID."},
				{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, JSON: "policyName", Validate: policyName,
					Doc: "Name of letters, digits and underscores, unique among application policies; applications refer to it."},
				{Name: "display_name", Type: cty.String, Validate: lengthIn(0, 512), Doc: "Name shown to people. The server's default is the name."},
				{Name: "description", Type: cty.String, Validate: lengthIn(0, 1024), Doc: "What it is for."},
			},
			Blocks: []schema.NestedBlock{
				limit("request_count", "requestCount", "Limits the number of requests.",
					count("request_count", "Requests allowed in the time.", true)),
				limit("bandwidth", "bandwidth", "Limits the amount of data.",
					count("data_amount", "Data allowed in the time, in `data_unit`.", true),
					schema.Attribute{Name: "data_unit", Type: cty.String, Required: true, Enum: []string{"KB", "MB", "GB"}, Doc: "Unit of the amount."}),
				limit("event_count", "eventCount", "Limits the number of events of streaming APIs.",
					count("event_count", "Events allowed in the time.", true)),
				limit("ai_api_quota", "aiApiQuota", "Limits requests and tokens of AI APIs. A policy cannot change to or from this kind.",
					count("request_count", "Requests allowed in the time.", true),
					count("total_token_count", "Tokens allowed in the time.", false),
					count("prompt_token_count", "Prompt tokens allowed in the time.", false),
					count("completion_token_count", "Completion tokens allowed in the time.", false)),
				{Name: "burst_limit", JSON: "burstLimit", Nesting: schema.Single, Doc: "Limits the rate within the time too.",
					Block: schema.Block{Attributes: []schema.Attribute{
						{Name: "rate_limit_count", Type: cty.Number, Required: true, Validate: wholeFrom(0), Doc: "Requests allowed in one unit; 0 is no limit."},
						{Name: "rate_limit_time_unit", Type: cty.String, Validate: timeUnit, Normalize: canonicalTimeUnit, Doc: "Unit of the rate, such as `sec` or `min`."},
					}}},
			},
		},
	}
}

// applicationThrottlingPolicy is how much an application may use.
func applicationThrottlingPolicy(p *Provider) engine.Type {
	table := applicationThrottlingPolicyType()
	return &policies{
		Collection: &rest.Collection{
			Client:       &p.client,
			Type:         table,
			Path:         admin + "/throttling/policies/application",
			ID:           "policyId",
			Paging:       rest.Paging{Items: "list"},
			ListComplete: true,
			Decode: func(object map[string]any) error {
				decodePolicy(&table.Block, object)
				return nil
			},
			Encode: func(object map[string]any) error {
				encodePolicy(&table.Block, object)
				return nil
			},
			System: func(object map[string]any) bool {
				return slices.Contains(seededApplicationPolicies, fmt.Sprint(object["policyName"]))
			},
			ReadBack: true, // a PUT answer was seen echoing what was before (apim-behaviour 2.2)
		},
		applications: devportal + "/applications",
	}
}

// policies is the type apim_application_throttling_policy.
type policies struct {
	*rest.Collection
	applications string // the devportal's collection
}

// decodePolicy lifts the limits, which are members of defaultLimit, to where their blocks are.
func decodePolicy(b *schema.Block, object map[string]any) {
	blankNulls(b, object)
	limit, _ := object["defaultLimit"].(map[string]any)
	for _, l := range limits {
		if inner, ok := limit[l.member].(map[string]any); ok && (limit["type"] == nil || limit["type"] == l.kind) {
			object[l.member] = inner
		}
	}
	delete(object, "defaultLimit")
	// APIM answers a burst limit that was never sent as no requests in no unit (apim-behaviour 10).
	if burst, ok := object["burstLimit"].(map[string]any); ok && burst["rateLimitTimeUnit"] == nil && fmt.Sprint(burst["rateLimitCount"]) == "0" {
		delete(object, "burstLimit")
	}
}

// encodePolicy is the inverse of decodePolicy.
func encodePolicy(b *schema.Block, object map[string]any) {
	for _, l := range limits {
		inner, ok := object[l.member].(map[string]any)
		if !ok {
			continue
		}
		delete(object, l.member)
		object["defaultLimit"] = map[string]any{"type": l.kind, l.member: inner}
	}
	for i := range b.Attributes {
		if a := &b.Attributes[i]; blankable(a) && object[a.JSONName()] == "" {
			delete(object, a.JSONName())
		}
	}
	delete(object, "isDeployed")
	delete(object, "type")
}

// Create makes a policy. APIM 4.5 answers 500 to an AI quota, which it has columns for with
// subscription policies alone [seen], so we say so.
func (t *policies) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	o, err := t.Collection.Create(ctx, planned)
	if rest.StatusOf(err) == http.StatusInternalServerError && isObject(plain(planned, "ai_api_quota")) {
		return o, fmt.Errorf("%w; API Manager was seen to fail so for AI quotas of application policies: use request_count", err)
	}
	return o, err
}

// Update changes a policy. Its limit may become one of another kind: then planned, which is what is
// wanted over what is live, may hold both, and the new one counts.
func (t *policies) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	chosen := ""
	for _, l := range limits {
		want, have := plain(planned, l.block), plain(live.Value, l.block)
		if isObject(want) && (have.IsNull() || chosen == "") {
			chosen = l.block
		}
	}
	unmarked, _ := planned.UnmarkDeep()
	attrs := unmarked.AsValueMap()
	for _, l := range limits {
		if l.block != chosen {
			attrs[l.block] = cty.NullVal(attrs[l.block].Type())
		}
	}
	o, err := t.Collection.Update(ctx, live, cty.ObjectVal(attrs))
	if rest.StatusOf(err) == http.StatusInternalServerError && (chosen == "event_count" || chosen == "ai_api_quota") {
		// Its update statement knows requests and bandwidth alone [seen].
		return o, fmt.Errorf("%w; API Manager was seen to make application policies with %s and not to change them: replace the policy, with -replace", err, chosen)
	}
	return o, err
}

// Delete removes a policy. APIM 4.5 answers 500 for one that applications use (apim-behaviour 10),
// so we say which of ours do.
func (t *policies) Delete(ctx context.Context, live *engine.Object) error {
	err := t.Collection.Delete(ctx, live)
	if err == nil || rest.StatusOf(err) != http.StatusInternalServerError {
		return err
	}
	name := knownString(live.Value, "name")
	users := &rest.Collection{Client: t.Client, Path: t.applications, ID: "applicationId", Paging: rest.Paging{Style: rest.LimitOffset}}
	var using []string
	for app, uerr := range users.Elements(ctx, nil) {
		if uerr != nil {
			return fmt.Errorf("%w; API Manager answers so for a policy that is in use", err)
		}
		if app["throttlingPolicy"] == name {
			using = append(using, fmt.Sprintf("application %q of %v", app["name"], app["owner"]))
		}
	}
	if len(using) == 0 {
		return fmt.Errorf("%w; API Manager answers so for a policy that is in use, perhaps by applications of other users", err)
	}
	slices.Sort(using)
	return fmt.Errorf("policy %q is in use by %s: %w", name, listed(using), err)
}

// CheckPlan refuses a change to or from an AI quota (apim-behaviour 2.3, 900974).
func (t *policies) CheckPlan(_ context.Context, planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	for i := range planned {
		p := &planned[i]
		if writes(p.Action) && isObject(plain(p.After, "ai_api_quota")) {
			out = append(out, engine.PlanProblem{Index: i, Attribute: "ai_api_quota", Warning: true, Summary: "AI quota of an application policy",
				Detail: "API Manager's own code (apimgt 9.33.90) was seen to answer 500 to an application policy with an AI quota, and then to fail wherever it " +
					"reads application policies, until the row that it left was deleted from its database. Try it on a server that does not matter."})
		}
		if p.Live == nil || p.Action != engine.Update {
			continue
		}
		was := isObject(plain(p.Live.Value, "ai_api_quota"))
		is := plain(p.After, "ai_api_quota")
		others := slices.ContainsFunc(limits[:3], func(l struct{ block, member, kind string }) bool {
			return isObject(plain(p.After, l.block)) && !isObject(plain(p.Live.Value, l.block))
		})
		if was && (is.IsKnown() && is.IsNull() || others) || !was && isObject(is) {
			out = append(out, engine.PlanProblem{Index: i, Attribute: "ai_api_quota", Summary: "Kind of limit that cannot change",
				Detail: fmt.Sprintf("API Manager does not change a policy to or from an AI quota. Replace policy %q with -replace=%s, or make one of another name.",
					knownString(p.After, "name"), p.Address)})
		}
	}
	return out
}

// checkLimits finds that a policy has not exactly one limit.
func checkLimits(v cty.Value) []schema.Problem {
	var set []string
	for _, l := range limits {
		if isSet(v, l.block) {
			set = append(set, l.block)
		}
	}
	// Naming a seeded policy without a limit leaves its own.
	if len(set) == 0 && !slices.Contains(seededApplicationPolicies, knownString(v, "name")) {
		return []schema.Problem{{Summary: "Missing limit",
			Detail: "A throttling policy needs one limit, and this one has none. Add a block request_count, bandwidth, event_count or ai_api_quota."}}
	}
	if len(set) > 1 {
		return []schema.Problem{{Path: cty.GetAttrPath(set[1]), Summary: "More than one limit",
			Detail: fmt.Sprintf("A throttling policy has one limit, and this one has %s. Keep one of them.", listed(set))}}
	}
	return nil
}

// timeUnits are the units of time by their other spellings. The server stores what it is sent, and
// seeded policies hold plurals (apim-behaviour 3.2).
var timeUnits = map[string]string{
	"sec": "sec", "secs": "sec", "second": "sec", "seconds": "sec",
	"min": "min", "mins": "min", "minute": "min", "minutes": "min",
	"hour": "hour", "hours": "hour",
	"day": "day", "days": "day",
	"month": "month", "months": "month",
	"year": "year", "years": "year",
}

func canonicalTimeUnit(v cty.Value) cty.Value {
	if unit, ok := timeUnits[strings.ToLower(v.AsString())]; ok {
		return cty.StringVal(unit)
	}
	return v
}

func timeUnit(v cty.Value) error {
	if _, ok := timeUnits[v.AsString()]; !ok {
		return fmt.Errorf("%q is no unit of time; use sec, min, hour, day, month or year", v.AsString())
	}
	return nil
}

var plainName = regexp.MustCompile(`^[0-9A-Za-z_]+$`)

// policyName refuses what API Manager refuses with 900706.
func policyName(v cty.Value) error {
	name := v.AsString()
	if err := lengthIn(1, 60)(v); err != nil {
		return err
	}
	if !plainName.MatchString(name) {
		return fmt.Errorf("%q holds more than letters, digits and underscores, which API Manager refuses", name)
	}
	return nil
}
