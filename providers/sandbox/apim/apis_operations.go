package apim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// verbs are those that an operation may have, by the kind of the API, in the order in which the operations of one path are listed (seen).
func verbs(kind string) []string {
	switch kind {
	case "GRAPHQL":
		return []string{"QUERY", "MUTATION", "SUBSCRIPTION"}
	case "WS", "SSE", "WEBSUB", "ASYNC":
		return []string{"SUBSCRIBE", "PUBLISH"}
	case "WEBHOOK": // among the streaming types where definitions come in, and not where operations are made
		return []string{"SUBSCRIBE", "PUBLISH", "GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"}
	}
	return []string{"GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"}
}

// usualOperations are those of an API about whose operations nothing was said.
func usualOperations(kind string) []operationBody {
	var out []operationBody
	add := func(verbs ...string) {
		for _, v := range verbs {
			out = append(out, operationBody{Target: ptr("/*"), Verb: ptr(v)})
		}
	}
	switch kind {
	case "GRAPHQL":
		add("QUERY", "MUTATION", "SUBSCRIPTION")
	case "SOAP":
		add("POST")
	case "WS", "ASYNC":
		add("SUBSCRIBE", "PUBLISH")
	case "SSE", "WEBSUB":
		add("SUBSCRIBE")
	default:
		add("GET", "PUT", "POST", "DELETE", "PATCH")
	}
	return out
}

// operations completes and orders the operations of an API: those of one path stand together, where the first of them stood.
func (c *call) operations(kind string, sent []operationBody, scopes []any) ([]any, *answer) {
	type key struct{ target, verb string }
	byPath := map[string]map[string]map[string]any{}
	var paths []string
	known := verbs(kind)
	for _, o := range sent {
		switch {
		case text(o.Target) == "":
			return nil, refuse(http.StatusBadRequest, 902032, "Resource URI template value not defined", "Resource URI template value (target) not defined")
		case text(o.Verb) == "":
			return nil, refuse(http.StatusBadRequest, 902031, "Operation type/http method is not specified for the operation/resource",
				"Operation type/http method is not specified for the operation/resource: "+*o.Target)
		case !slices.Contains(known, strings.ToUpper(*o.Verb)):
			return nil, refuse(http.StatusBadRequest, 903201, "Invalid HTTP method provided for API resource",
				"The HTTP method '"+*o.Verb+"' provided for resource '"+*o.Target+"' is invalid")
		}
		k := key{*o.Target, strings.ToUpper(*o.Verb)}
		full := asObject(o)
		full["id"], full["verb"], full["usedProductIds"] = "", k.verb, []any{}
		if auth := text(o.AuthType); auth == "" || auth == "Any" {
			full["authType"] = "Application & Application User"
		}
		if text(o.ThrottlingPolicy) == "" {
			full["throttlingPolicy"] = "Unlimited"
		} else if c.tenant.AdvancedPolicies.find(func(p *advancedPolicy) bool { return *p.PolicyName == *o.ThrottlingPolicy }) == nil {
			return nil, invalidTier()
		}
		full["scopes"] = anyList(declared(o.Scopes, scopes))
		if full["operationPolicies"] == nil {
			full["operationPolicies"] = asObject(flowsBody{})
		}
		flows := full["operationPolicies"].(map[string]any)
		for _, flow := range []string{"request", "response", "fault"} {
			if flows[flow] == nil {
				flows[flow] = []any{}
			}
		}
		if full["operationHubPolicies"] == nil {
			full["operationHubPolicies"] = []any{}
		}
		if byPath[k.target] == nil {
			byPath[k.target] = map[string]map[string]any{}
			paths = append(paths, k.target)
		}
		byPath[k.target][k.verb] = full
	}
	out := []any{}
	for _, path := range paths {
		for _, verb := range known {
			if o := byPath[path][verb]; o != nil {
				out = append(out, o)
			}
		}
	}
	return out, nil
}

// declared are those of an operation's scopes that the API declares; the others vanish without a word (seen).
func declared(names []string, scopes []any) []string {
	var out []string
	for _, name := range names {
		if slices.ContainsFunc(objects(scopes), func(s map[string]any) bool { return textOf(inner(s, "scope"), "name") == name }) {
			out = append(out, name)
		}
	}
	return out
}

func inner(m map[string]any, name string) map[string]any {
	o, _ := m[name].(map[string]any)
	return o
}

func invalidTier() *answer {
	return refuse(http.StatusBadRequest, 900305, "The tier name is invalid.", "The tier name is invalid")
}

// operationKey names an operation of a document: "GET /menu".
func operationKey(o map[string]any) string { return textOf(o, "verb") + " " + textOf(o, "target") }

// operationsOf returns the operations of a document.
func operationsOf(doc map[string]any) []map[string]any { return objects(doc["operations"]) }

// shownAuthType is how an API shows who may call an operation: all but two answers are one. A product shows what is stored, which is what a new API was
// sent, and after an update what the API shows (seen).
func shownAuthType(stored string) string {
	if stored == "None" || stored == "Application" {
		return stored
	}
	return "Application & Application User"
}

// shownOperations adds to the operations of an API the products that use them.
func (c *call) shownOperations(a *apiRecord) []any {
	out := []any{}
	for _, o := range operationsOf(a.Document) {
		shown := maps.Clone(o)
		shown["authType"] = shownAuthType(textOf(o, "authType"))
		shown["operationPolicies"] = shownFlows(shown["operationPolicies"], a.Policies)
		used := []any{}
		for _, product := range c.productsWith(a.ID, operationKey(o)) {
			used = append(used, product.ID)
		}
		shown["usedProductIds"] = used
		out = append(out, shown)
	}
	return out
}
