package apim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/apim/definition"
	"wso2plan/providers/rest"
)

// checkAPI finds what of an API block contradicts itself.
func checkAPI(v cty.Value) []schema.Problem {
	var out []schema.Problem
	problem := func(attribute, summary, format string, args ...any) {
		out = append(out, schema.Problem{Path: cty.GetAttrPath(attribute), Summary: summary, Detail: fmt.Sprintf(format, args...)})
	}
	kind := knownString(v, "type")
	want, _, _ := definitionOf(kind)
	elements := knownMap(v, "definition")
	hasDefinition := isSet(v, "definition")
	operations := knownList(v, "operation")
	if hasDefinition && len(operations) > 0 && kind != "GRAPHQL" {
		problem("definition", "Definition and operation blocks", "An API has what its definition says or what its operation blocks say, and this one has both. "+
			"Keep the definition, or the operation blocks.")
	}
	if len(elements) > 0 {
		if got := definition.KindOf(elements); kind != "" && got != want {
			problem("definition", "Definition of another kind", "The definition is %s, and an API of type %s has one in %s. Use such a one, or set type to what the API is.", got, kind, want)
		}
	}
	if !hasDefinition && slices.Contains([]string{"SOAP", "SOAPTOREST", "GRAPHQL", "ASYNC"}, kind) {
		problem("type", "Missing definition", "An API of type %s is made of its definition, in %s, and this one has none. Set definition.", kind, want)
	}
	ai := isSet(v, "ai_service_provider_id")
	if ai && kind != "" && kind != "HTTP" {
		problem("ai_service_provider_id", "AI API of another type", "An AI API is of type HTTP, and this one is of type %s. Leave out type, or ai_service_provider_id.", kind)
	}
	scheme := plain(v, "security_scheme")
	if len(knownList(v, "client_certificate")) > 0 && isKnown(scheme) && !slices.ContainsFunc(stringsOf(scheme), func(s string) bool { return strings.HasPrefix(s, "mutualssl") }) ||
		len(knownList(v, "client_certificate")) > 0 && scheme.IsKnown() && scheme.IsNull() {
		problem("client_certificate", "Client certificates without mutual TLS", "The gateway asks for client certificates only where security_scheme holds \"mutualssl\". Add it, or drop the client_certificate blocks.")
	}
	if policies := plain(v, "policies"); isKnown(scheme) && scheme.IsWhollyKnown() && onlyCertificates(scheme) && isKnown(policies) && policies.LengthInt() > 0 {
		problem("policies", "Subscription policies without subscriptions", "Callers of this API prove themselves by client certificates alone, so nobody subscribes to it, and API Manager drops its policies. "+
			"Drop policies, or add \"oauth2\" to security_scheme.")
	}
	out = append(out, checkRetired(v)...)
	if kind != "GRAPHQL" && len(knownList(v, "complexity")) > 0 && kind != "" {
		problem("complexity", "Complexity of no GraphQL API", "Only the fields of a GraphQL API count against a limit of complexity, and this API is of type %s. Drop the complexity blocks.", kind)
	}
	out = append(out, checkThirdParty(v)...)
	out = append(out, checkEndpoints(v, ai)...)
	out = append(out, checkOperations(operations, kind)...)
	return out
}

// checkRetired finds deployments of what is retired, which the server takes from the gateways.
func checkRetired(v cty.Value) []schema.Problem {
	if !strings.EqualFold(knownString(v, "lifecycle_state"), "RETIRED") || len(knownList(v, "deployment")) == 0 {
		return nil
	}
	return []schema.Problem{{Path: cty.GetAttrPath("deployment"), Summary: "Deployment of what is retired",
		Detail: "Retiring takes it from every gateway, so nothing with the lifecycle_state RETIRED is deployed. Drop the deployment blocks, or leave it at DEPRECATED."}}
}

// checkEndpoints finds endpoints that an endpoint configuration cannot hold.
func checkEndpoints(v cty.Value, ai bool) []schema.Problem {
	var out []schema.Problem
	problem := func(format string, args ...any) {
		out = append(out, schema.Problem{Path: cty.GetAttrPath("endpoint"), Summary: "Misplaced endpoint", Detail: fmt.Sprintf(format, args...)})
	}
	kind := plain(v, "endpoint_type")
	several := !kind.IsKnown() || slices.Contains([]string{"load_balance", "failover"}, knownString(v, "endpoint_type"))
	for _, e := range knownList(v, "endpoint") {
		name := knownString(e, "name")
		if name == "" {
			continue
		}
		index, ok := endpointIndex(name)
		switch {
		case !ok && !ai:
			problem("The endpoint %q has a name that only those of AI APIs may have. Call it \"production\" or \"sandbox\"; further ones of a load balancer "+
				"or of a failover are \"production-2\" and so on.", name)
			continue
		case ok && index > 0 && !several && kind.IsKnown():
			problem("The endpoint %q is a further one of its stage, which only the endpoint types load_balance and failover have. Set endpoint_type, or drop it.", name)
		case ok && index > 0 && isObject(plain(e, "security")):
			problem("The endpoint %q has a security block, which belongs to the whole stage. Move it to the first endpoint of the stage.", name)
		}
		if stage := knownString(e, "stage"); ok && stage != "" && stage != stageOf(map[string]any{"name": name}) {
			problem("The endpoint %q is of the stage that its name says, and stage says %s. Drop stage, or rename it.", name, stage)
		}
	}
	return out
}

// checkOperations finds verbs that the type of the API does not have.
func checkOperations(operations []cty.Value, kind string) []schema.Problem {
	var out []schema.Problem
	allowed := []string{"GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"}
	switch kind {
	case "":
		return nil
	case "GRAPHQL":
		allowed = []string{"QUERY", "MUTATION", "SUBSCRIPTION"}
	case "WS", "WEBSUB", "SSE", "ASYNC":
		allowed = []string{"SUBSCRIBE", "PUBLISH"}
	case "WEBHOOK":
		// APIM's own code counts it among the streaming types in places only, so either may be had.
		allowed = append(allowed, "SUBSCRIBE", "PUBLISH")
	}
	for _, o := range operations {
		verb := strings.ToUpper(knownString(o, "verb"))
		if verb != "" && !slices.Contains(allowed, verb) {
			out = append(out, schema.Problem{Path: cty.GetAttrPath("operation"), Summary: "Verb of another type of API",
				Detail: fmt.Sprintf("An API of type %s has no operation %s %s; its verbs are %s. Use one of these, or set type to what the API is.",
					kind, verb, knownString(o, "target"), listed(allowed))})
		}
		if target := knownString(o, "target"); slices.Contains(allowed, "GET") && verb != "SUBSCRIBE" && verb != "PUBLISH" && target != "" && !strings.HasPrefix(target, "/") {
			out = append(out, schema.Problem{Path: cty.GetAttrPath("operation"), Summary: "Relative path",
				Detail: fmt.Sprintf("The target %q of an operation must begin with /.", target)})
		}
	}
	return out
}

// checkThirdParty finds what only APIs of our own gateway have, and what only those of others are.
func checkThirdParty(v cty.Value) (out []schema.Problem) {
	info := plain(v, "advertise_info")
	if !info.IsKnown() || isObject(info) && !plain(info, "advertised").IsKnown() {
		return nil
	}
	advertised := isObject(info) && !plain(info, "advertised").IsNull() && plain(info, "advertised").True()
	if advertised && len(knownList(v, "deployment")) > 0 {
		out = append(out, schema.Problem{Path: cty.GetAttrPath("deployment"), Summary: "Deployment of a third-party API",
			Detail: "An API with advertise_info.advertised is served by others, and API Manager makes no revisions of it. Drop the deployment blocks, or advertised."})
	}
	if !advertised && knownString(v, "type") == "ASYNC" {
		out = append(out, schema.Problem{Path: cty.GetAttrPath("type"), Summary: "ASYNC API of our own",
			Detail: "API Manager takes APIs of type ASYNC only as third-party APIs. Set advertised = true in an advertise_info block, or type to WS, WEBSUB, SSE or WEBHOOK."})
	}
	return out
}

// CheckPlan refuses lifecycle states that cannot be reached, a publish without tiers, and
// replacements that could not be made.
func (t *apis) CheckPlan(ctx context.Context, planned []engine.Planned) []engine.PlanProblem {
	out := checkLifecycles(ctx, t.gateway, planned)
	contexts := map[string]int{}
	for i := range planned {
		p := &planned[i]
		if isObject(p.After) {
			// Versions of one API share a context; two names do not (apim-behaviour 10).
			if c := plain(p.After, "context"); isKnown(c) {
				context := canonicalContext(c).AsString()
				j, taken := contexts[context]
				if !taken {
					contexts[context] = i
				} else if knownString(planned[j].After, "name") != knownString(p.After, "name") && (writes(p.Action) || writes(planned[j].Action)) {
					out = append(out, engine.PlanProblem{Index: i, Attribute: "context", Summary: "Two APIs with one context",
						Detail: fmt.Sprintf("%s and %s have both the context %q, and API Manager lets only versions of one API share one. Give each its own.",
							planned[j].Address, p.Address, context)})
				}
			}
		}
		if p.Action == engine.Replace && p.Live != nil && knownString(p.Live.Value, "on_destroy") == destroyRetires &&
			(rest.SameKey(t.Type, p.Live.Value, p.After) || collide(p.Live.Value, p.After)) {
			out = append(out, engine.PlanProblem{Index: i, Attribute: "on_destroy", Summary: "Replacement of an API that is only retired",
				Detail: "Destroying this API retires it and so leaves its name, version, context and scopes taken, of which the new one needs some. Set on_destroy = \"delete\" " +
					"and apply before it is replaced, or give the new one another version."})
		}
	}
	return out
}

// checkLifecycles refuses states that no action leads to, and a publish without tiers.
func checkLifecycles(ctx context.Context, gateway *deployable, planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	for i := range planned {
		p := &planned[i]
		if !writes(p.Action) {
			continue
		}
		want := strings.ToUpper(knownString(p.After, "lifecycle_state"))
		if want == "" {
			continue
		}
		from := "CREATED"
		var offered *lifecycleState
		if p.Action == engine.Update && p.Live != nil {
			from = strings.ToUpper(knownString(p.Live.Value, "lifecycle_state"))
			if from != want {
				if s, err := gateway.lifecycle(ctx, p.Live.ID); err == nil {
					offered = s
				}
			}
		}
		if _, found, certain := route(from, want, offered); !found {
			problem := engine.PlanProblem{Index: i, Attribute: "lifecycle_state", Summary: "Unreachable lifecycle state", Warning: !certain,
				Detail: fmt.Sprintf("No action of the lifecycle leads from %s to %s. %s", from, want, remedy(from, want, p.Address))}
			if !certain {
				problem.Detail = fmt.Sprintf("No action of the lifecycle is known to lead from %s to %s; this server has actions of its own. The apply will try.", from, want)
			}
			out = append(out, problem)
		}
		if want == "PUBLISHED" && from != want && needsTier(p.After) {
			out = append(out, engine.PlanProblem{Index: i, Attribute: "policies", Summary: "No subscription policy",
				Detail: fmt.Sprintf("API Manager publishes no %s without a subscription policy, and this one has none. Set policies to those that it offers, such as [\"Unlimited\"].", gateway.noun)})
		}
	}
	return out
}

// remedy says what to do about a state that cannot be reached.
func remedy(from, want, address string) string {
	if _, ok := transitions[want]; !ok {
		return "There is no such state by default: use CREATED, PROTOTYPED, PUBLISHED, BLOCKED, DEPRECATED or RETIRED."
	}
	return fmt.Sprintf("Replace it with -replace=%s, which begins anew, or leave lifecycle_state at %s.", address, from)
}

// needsTier reports whether a planned API has surely no tier and needs one: those that take only API
// keys or mutual TLS need none (apim-behaviour 5.1).
func needsTier(v cty.Value) bool {
	policies := plain(v, "policies")
	// What is not set on create is unknown; nothing is then sent.
	if policies.IsKnown() && !policies.IsNull() && policies.LengthInt() > 0 {
		return false
	}
	if !policies.IsKnown() && isObject(v) && !unsetOnCreate(v, "policies") {
		return false
	}
	scheme := plain(v, "security_scheme")
	if !isKnown(scheme) {
		return scheme.IsNull() || unsetOnCreate(v, "security_scheme")
	}
	return slices.ContainsFunc(stringsOf(scheme), func(s string) bool { return s == "oauth2" || s == "basic_auth" })
}

// unsetOnCreate reports whether an attribute of an object that is made is one that the
// configuration leaves to the server: plans hold an unknown there, as they do for what depends on
// others, so this is told only where the id is unknown too.
func unsetOnCreate(v cty.Value, name string) bool {
	return !plain(v, "id").IsKnown() && !plain(v, name).IsKnown()
}

// Blockers names what holds an API: subscriptions that are not ours, and API products.
func (t *apis) Blockers(ctx context.Context, live *engine.Object) ([]string, error) {
	list, err := t.provider.subscribers(ctx, live.ID)
	switch rest.StatusOf(err) {
	case http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden:
		err = nil // gone meanwhile, or a server that does not tell: then the deletion itself is refused
	}
	if err != nil {
		return nil, err
	}
	t.ending.set(live.ID, len(list))
	var out []string
	if knownString(live.Value, "on_destroy") != destroyRetires {
		for _, s := range list {
			if !t.provider.server.owned.has(s.id) {
				out = append(out, s.text)
			}
		}
	}
	products, err := t.provider.productsOf(ctx, live.ID, func(p string) bool { return !t.provider.server.owned.has(p) })
	if err != nil {
		return out, nil // the subscriptions are known at least
	}
	return append(out, products...), nil
}

// Consequence says what ends with an API.
func (t *apis) Consequence(action engine.Action, before, after cty.Value) string {
	return ending(action, before, after, t.ending.get(knownString(before, "id")), "API")
}

// ending says what a change of an API or a product ends; n is how many subscriptions it has.
func ending(action engine.Action, before, after cty.Value, n int, noun string) string {
	switch action {
	case engine.Delete, engine.Replace:
		switch {
		case n == 1:
			return "1 subscription ends."
		case n > 1:
			return fmt.Sprintf("%d subscriptions end.", n)
		case slices.Contains([]string{"PUBLISHED", "DEPRECATED"}, strings.ToUpper(knownString(before, "lifecycle_state"))):
			return fmt.Sprintf("Calls to this %s fail from then on.", noun)
		}
	case engine.Update:
		was, is := strings.ToUpper(knownString(before, "lifecycle_state")), strings.ToUpper(knownString(after, "lifecycle_state"))
		switch {
		case is == was:
		case is == "RETIRED":
			return fmt.Sprintf("All subscriptions to this %s end, and nothing leads back.", noun)
		case is == "BLOCKED":
			return fmt.Sprintf("Calls to this %s fail until it is published again.", noun)
		}
	}
	return ""
}
