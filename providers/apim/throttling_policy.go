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

// A limit is a kind of limit: its block, its member of a ThrottleLimit, and the type there.
type limit struct{ block, member, kind string }

// limits are the kinds of limit.
var limits = []limit{
	{"request_count", "requestCount", "REQUESTCOUNTLIMIT"},
	{"bandwidth", "bandwidth", "BANDWIDTHLIMIT"},
	{"event_count", "eventCount", "EVENTCOUNTLIMIT"},
	{"ai_api_quota", "aiApiQuota", "AIAPIQUOTALIMIT"},
}

// policyAttributes are the attributes that all throttling policies have (apim-behaviour 3.2).
func policyAttributes(scope string) []schema.Attribute {
	return []schema.Attribute{
		{Name: "id", Type: cty.String, ReadOnly: true, JSON: "policyId", Doc: "The server's id, a UUID."},
		{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, JSON: "policyName", Validate: policyName,
			Doc: "Name of letters, digits and underscores, unique among " + scope + " policies, which are referred to by it."},
		{Name: "display_name", Type: cty.String, Validate: lengthIn(0, 512), Doc: "Name shown to people. The server's default is the name."},
		{Name: "description", Type: cty.String, Validate: lengthIn(0, 1024), Doc: "What it is for."},
	}
}

// limitBlocks are the blocks of the kinds of limit, of which an object has one. They stand beside
// what the API keeps in one member, a ThrottleLimit; decodeLimit and encodeLimit go between.
func limitBlocks() []schema.NestedBlock {
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
	return []schema.NestedBlock{
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
	}
}

// decodeLimit lifts the limit that an object has in a member to where its block is.
func decodeLimit(object map[string]any, from string) {
	limit, _ := object[from].(map[string]any)
	for _, l := range limits {
		if inner, ok := limit[l.member].(map[string]any); ok && (limit["type"] == nil || limit["type"] == l.kind) {
			object[l.member] = inner
		}
	}
	delete(object, from)
}

// encodeLimit is the inverse of decodeLimit.
func encodeLimit(object map[string]any, to string) {
	for _, l := range limits {
		inner, ok := object[l.member].(map[string]any)
		if !ok {
			continue
		}
		delete(object, l.member)
		object[to] = map[string]any{"type": l.kind, l.member: inner}
	}
}

// oneLimit returns planned with one limit. A limit may become one of another kind: then planned,
// which is what is wanted over what is live, may hold both, and the new one counts.
func oneLimit(live, planned cty.Value) (v cty.Value, chosen string) {
	planned, _ = planned.UnmarkDeep()
	for _, l := range limits {
		want, have := plain(planned, l.block), plain(live, l.block)
		if isObject(want) && (have.IsNull() || chosen == "") {
			chosen = l.block
		}
	}
	attrs := planned.AsValueMap()
	for _, l := range limits {
		if l.block != chosen {
			attrs[l.block] = cty.NullVal(attrs[l.block].Type())
		}
	}
	return cty.ObjectVal(attrs), chosen
}

// clearBlanks leaves out strings that are cleared.
func clearBlanks(b *schema.Block, object map[string]any) {
	for i := range b.Attributes {
		if a := &b.Attributes[i]; blankable(a) && object[a.JSONName()] == "" {
			delete(object, a.JSONName())
		}
	}
}

// policies is the type of one kind of throttling policy.
type policies struct {
	*rest.Collection
	level string // "application"
	quota bool   // it can hold an AI quota: the others have no columns for it [seen]
	fixed bool   // its update statement does not know event counts [seen]

	// users names what uses a policy, as far as it can be told. Nil: nothing can.
	users func(ctx context.Context, name string) ([]string, error)
}

// newPolicies makes the type of a kind. decode and encode treat what the kind has beside the
// default limit.
func newPolicies(p *Provider, level string, table *schema.Type, seeded []string, decode, encode func(map[string]any)) *policies {
	return &policies{level: level, Collection: &rest.Collection{
		Client:       &p.client,
		Type:         table,
		Path:         admin + "/throttling/policies/" + level,
		ID:           "policyId",
		Paging:       rest.Paging{Items: "list"},
		ListComplete: true,
		Decode: func(object map[string]any) error {
			blankNulls(&table.Block, object)
			decodeLimit(object, "defaultLimit")
			decode(object)
			return nil
		},
		Encode: func(object map[string]any) error {
			encodeLimit(object, "defaultLimit")
			encode(object)
			clearBlanks(&table.Block, object)
			delete(object, "isDeployed")
			delete(object, "type")
			return nil
		},
		System:   func(object map[string]any) bool { return slices.Contains(seeded, fmt.Sprint(object["policyName"])) },
		ReadBack: true, // a PUT answer was seen echoing what was before (apim-behaviour 2.2)
	}}
}

// Create makes a policy. APIM 4.5 answers 500 to an AI quota, which it has columns for with
// subscription policies alone [seen], so we say so.
func (t *policies) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	o, err := t.Collection.Create(ctx, planned)
	if !t.quota && rest.StatusOf(err) == http.StatusInternalServerError && isObject(plain(planned, "ai_api_quota")) {
		return o, fmt.Errorf("%w; API Manager was seen to fail so for AI quotas of %s policies: use request_count", err, t.level)
	}
	return o, err
}

// Update changes a policy.
func (t *policies) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	planned, chosen := oneLimit(live.Value, planned)
	o, err := t.Collection.Update(ctx, live, planned)
	if rest.StatusOf(err) == http.StatusInternalServerError && (t.fixed && chosen == "event_count" || !t.quota && chosen == "ai_api_quota") {
		return o, fmt.Errorf("%w; API Manager was seen to make %s policies with %s and not to change them: replace the policy, with -replace", err, t.level, chosen)
	}
	return o, err
}

// Delete removes a policy. APIM 4.5 answers 500 for one that applications or subscriptions use, and
// 403 with code 900971 for one that APIs use (apim-behaviour 3.2, 10), so we say which of ours do.
func (t *policies) Delete(ctx context.Context, live *engine.Object) error {
	err := t.Collection.Delete(ctx, live)
	if err == nil || rest.StatusOf(err) != http.StatusInternalServerError && rest.CodeOf(err) != "900971" {
		return err
	}
	name := knownString(live.Value, "name")
	var using []string
	if t.users != nil {
		var uerr error
		if using, uerr = t.users(ctx, name); uerr != nil {
			return fmt.Errorf("%w; API Manager answers so for a policy that is in use", err)
		}
	}
	if len(using) == 0 {
		return fmt.Errorf("%w; API Manager answers so for a policy that is in use, perhaps by others' applications, subscriptions or APIs, or as a default of the tenant", err)
	}
	slices.Sort(using)
	return fmt.Errorf("policy %q is in use by %s: %w", name, listed(using), err)
}

// CheckPlan refuses a change to or from an AI quota (apim-behaviour 2.3, 900974), and warns of what
// the server was seen to fail at.
func (t *policies) CheckPlan(_ context.Context, planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	for i := range planned {
		p := &planned[i]
		if !t.quota && writes(p.Action) && isObject(plain(p.After, "ai_api_quota")) {
			out = append(out, engine.PlanProblem{Index: i, Attribute: "ai_api_quota", Warning: true, Summary: "AI quota of an " + t.level + " policy",
				Detail: fmt.Sprintf("API Manager's own code (apimgt 9.33.90) was seen to answer 500 to an %s policy with an AI quota, and then to fail wherever it "+
					"reads %[1]s policies, until the row that it left was deleted from its database. Try it on a server that does not matter.", t.level)})
		}
		if p.Live == nil || p.Action != engine.Update {
			continue
		}
		if _, chosen := oneLimit(p.Live.Value, p.After); t.fixed && chosen == "event_count" {
			out = append(out, engine.PlanProblem{Index: i, Attribute: "event_count", Warning: true, Summary: "Change of an event count",
				Detail: fmt.Sprintf("API Manager's own code (apimgt 9.33.90) was seen to make %s policies with an event count, and to answer 500 to every "+
					"change of one. If it does, use -replace='%s'.", t.level, p.Address)})
		}
		was := isObject(plain(p.Live.Value, "ai_api_quota"))
		is := plain(p.After, "ai_api_quota")
		others := slices.ContainsFunc(limits[:3], func(l limit) bool {
			return isObject(plain(p.After, l.block)) && !isObject(plain(p.Live.Value, l.block))
		})
		if was && (is.IsKnown() && is.IsNull() || others) || !was && isObject(is) {
			out = append(out, engine.PlanProblem{Index: i, Attribute: "ai_api_quota", Summary: "Kind of limit that cannot change",
				Detail: fmt.Sprintf("API Manager does not change a policy to or from an AI quota. Replace policy %q with -replace='%s', or make one of another name.",
					knownString(p.After, "name"), p.Address)})
		}
	}
	return out
}

// checkLimits returns a check that a policy has exactly one limit.
func checkLimits(seeded []string) func(cty.Value) []schema.Problem {
	return func(v cty.Value) []schema.Problem {
		// Naming a seeded policy without a limit leaves its own.
		return checkLimit(v, nil, "throttling policy", slices.Contains(seeded, knownString(v, "name")))
	}
}

// checkLimit finds that the block v, at a path, has not exactly one limit.
func checkLimit(v cty.Value, at cty.Path, what string, optional bool) []schema.Problem {
	var set []string
	for _, l := range limits {
		if isSet(v, l.block) {
			set = append(set, l.block)
		}
	}
	if len(set) == 0 && !optional {
		return []schema.Problem{{Path: at, Summary: "Missing limit",
			Detail: fmt.Sprintf("A %s needs one limit, and this one has none. Add a block request_count, bandwidth, event_count or ai_api_quota.", what)}}
	}
	if len(set) > 1 {
		return []schema.Problem{{Path: at.GetAttr(set[1]), Summary: "More than one limit",
			Detail: fmt.Sprintf("A %s has one limit, and this one has %s. Keep one of them.", what, listed(set))}}
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
