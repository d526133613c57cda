package apim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/providers/apim/definition"
	"wso2plan/providers/rest"
)

// Members that decodeAPI puts into an API beside those of the contract, for the tables.
// encodeAPI takes them out again.
const (
	scopesMember       = "localScopes"
	propertiesMember   = "properties"
	displayedMember    = "devportalProperties"
	onDestroyMember    = "onDestroy"
	endpointsMember    = "endpoints"
	endpointTypeMember = "endpointType"
	settingsMember     = "endpointSettings"
	secretSettings     = "secretEndpointSettings"
	providerIDMember   = "aiServiceProviderId"
	primaryProduction  = "primaryProductionEndpoint"
	primarySandbox     = "primarySandboxEndpoint"
	definitionMember   = "definition"
	labelsMember       = "labels"
	certificatesMember = "clientCertificates"
	deploymentsMember  = "deployments"
	complexitiesMember = "complexities"
	subtypeMember      = "subtype"
)

var addedMembers = []string{scopesMember, propertiesMember, displayedMember, onDestroyMember, endpointsMember, endpointTypeMember, settingsMember, secretSettings,
	providerIDMember, primaryProduction, primarySandbox, definitionMember, labelsMember, certificatesMember, deploymentsMember, complexitiesMember, subtypeMember}

// serverOnlyOfAPI are the members that only the server sets. lifeCycleStatus in a body does
// nothing or is refused (apim-behaviour 5.1).
var serverOnlyOfAPI = []string{"id", "lifeCycleStatus", "hasThumbnail", "isRevision", "revisionedApiId", "revisionId", "createdTime", "lastUpdatedTime",
	"lastUpdatedTimestamp", "workflowStatus", "wsdlInfo", "wsdlUrl", "displayName", "initiatedFromGateway"}

// What on_destroy may be, and the property that keeps it on the server.
const (
	destroyDeletes    = "delete"
	destroyRetires    = "retire"
	onDestroyProperty = "wso2plan_on_destroy"
)

const subtypeAI = "AIAPI"

// decodeAPI turns an API as the publisher sends it into the shape of the tables.
func decodeAPI(api map[string]any) {
	if api["type"] == nil {
		api["type"] = "HTTP"
	}
	if list, ok := api["keyManagers"].([]any); !ok || len(list) == 0 {
		api["keyManagers"] = []any{"all"} // null and what is no list mean that (apim-behaviour 5.1)
	}
	for _, name := range []string{"visibleRoles", "visibleTenants", "subscriptionAvailableTenants", "asyncTransportProtocols"} {
		// APIM 4.5 answers a create with one empty string for none [seen].
		if list, ok := api[name].([]any); ok {
			api[name] = slices.DeleteFunc(list, func(x any) bool { return x == "" })
		}
	}
	decodeProperties(api)
	decodeScopes(api)
	decodeEndpoints(api)
	eachPolicy(api, func(policy map[string]any) {
		if parameters, ok := policy["parameters"].(map[string]any); ok {
			for name, v := range parameters {
				if text, ok := propertyText(v); ok {
					parameters[name] = text
				}
			}
		}
	})
	subtype, _ := api["subtypeConfiguration"].(map[string]any)
	api[subtypeMember] = "DEFAULT"
	if subtype["subtype"] != nil {
		api[subtypeMember] = subtype["subtype"]
	}
	var configuration struct {
		ID string `json:"llmProviderId"`
	}
	switch c := subtype["configuration"].(type) {
	case string:
		_ = json.Unmarshal([]byte(c), &configuration) // what is no JSON names no provider
	case map[string]any:
		configuration.ID, _ = c["llmProviderId"].(string)
	}
	if configuration.ID != "" {
		api[providerIDMember] = configuration.ID
	}
}

// encodeAPI is the inverse of decodeAPI, for what a create or a PUT sends.
func encodeAPI(api map[string]any) {
	encodeProperties(api)
	encodeScopes(api)
	encodeEndpoints(api)
	operations, _ := api["operations"].([]any)
	for _, x := range operations {
		if o, ok := x.(map[string]any); ok {
			if verb, ok := o["verb"].(string); ok {
				o["verb"] = strings.ToUpper(verb)
			}
			if auth, ok := o["authType"].(string); ok {
				o["authType"] = canonicalAuthType(cty.StringVal(auth)).AsString()
			}
		}
	}
	eachPolicy(api, mergeSecrets)
	if id, ok := api[providerIDMember].(string); ok && id != "" && api["subtypeConfiguration"] == nil {
		text, _ := json.Marshal(map[string]string{"llmProviderId": id}) // strings: it does not fail
		api["subtypeConfiguration"] = map[string]any{"subtype": subtypeAI, "configuration": string(text)}
	}
	for _, name := range addedMembers {
		delete(api, name)
	}
	for _, name := range serverOnlyOfAPI {
		delete(api, name)
	}
}

// mergeSecrets puts the secret parameters of a policy among the others, where the server has them.
func mergeSecrets(policy map[string]any) {
	if secrets, ok := policy["secretParameters"].(map[string]any); ok {
		parameters, _ := policy["parameters"].(map[string]any)
		if parameters == nil {
			parameters = map[string]any{}
			policy["parameters"] = parameters
		}
		maps.Copy(parameters, secrets)
	}
	delete(policy, "secretParameters")
}

// decodeProperties splits the custom properties by whether the portal shows them.
func decodeProperties(api map[string]any) {
	hidden, shown := map[string]any{}, map[string]any{}
	api[onDestroyMember] = destroyDeletes
	list, _ := api["additionalProperties"].([]any)
	for _, x := range list {
		p, _ := x.(map[string]any)
		name, _ := p["name"].(string)
		// APIM 4.5 stores the name of one that is shown with this at its end (apim-behaviour 5.1).
		name = strings.TrimSuffix(name, "__display")
		switch {
		case name == "":
		case name == onDestroyProperty:
			api[onDestroyMember] = p["value"]
		case p["display"] == true:
			shown[name] = p["value"]
		default:
			hidden[name] = p["value"]
		}
	}
	api[propertiesMember], api[displayedMember] = hidden, shown
}

func encodeProperties(api map[string]any) {
	list := []any{}
	add := func(member string, display bool) {
		m, _ := api[member].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(m)) {
			list = append(list, map[string]any{"name": name, "value": m[name], "display": display})
		}
	}
	add(propertiesMember, false)
	add(displayedMember, true)
	if api[onDestroyMember] == destroyRetires {
		list = append(list, map[string]any{"name": onDestroyProperty, "value": destroyRetires, "display": false})
	}
	if len(list) > 0 || api["additionalProperties"] != nil {
		api["additionalProperties"] = list
	}
	delete(api, "additionalPropertiesMap") // says the same, and would bring removed ones back
}

// decodeScopes lifts the scopes that are this API's alone.
func decodeScopes(api map[string]any) {
	local := []any{}
	list, _ := api["scopes"].([]any)
	for _, x := range list {
		entry, _ := x.(map[string]any)
		if scope, ok := entry["scope"].(map[string]any); ok && entry["shared"] != true {
			local = append(local, scope)
		}
	}
	api[scopesMember] = local
}

// encodeScopes lists the scopes of the API: its own, and the shared ones that its operations name.
func encodeScopes(api map[string]any) {
	local, _ := api[scopesMember].([]any)
	list := []any{}
	own := map[string]bool{}
	for _, x := range local {
		scope, _ := x.(map[string]any)
		name, _ := scope["name"].(string)
		own[name] = true
		if scope["displayName"] == nil {
			scope["displayName"] = name
		}
		list = append(list, map[string]any{"scope": scope, "shared": false})
	}
	named := map[string]bool{}
	operations, _ := api["operations"].([]any)
	for _, x := range operations {
		o, _ := x.(map[string]any)
		scopes, _ := o["scopes"].([]any)
		for _, s := range scopes {
			if name, ok := s.(string); ok && !own[name] {
				named[name] = true
			}
		}
	}
	was, _ := api["scopes"].([]any)
	for _, x := range was { // as the server sent them
		entry, _ := x.(map[string]any)
		scope, _ := entry["scope"].(map[string]any)
		name, _ := scope["name"].(string)
		if entry["shared"] == true && named[name] {
			list = append(list, entry)
			delete(named, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		list = append(list, map[string]any{"scope": map[string]any{"name": name}, "shared": true})
	}
	if len(list) > 0 || api["scopes"] != nil {
		api["scopes"] = list
	}
}

// eachPolicy calls f with each policy of an API and of its operations.
func eachPolicy(api map[string]any, f func(policy map[string]any)) {
	of := func(holder any) {
		flows, _ := holder.(map[string]any)
		for _, flow := range []string{"request", "response", "fault"} {
			list, _ := flows[flow].([]any)
			for _, x := range list {
				if policy, ok := x.(map[string]any); ok {
					f(policy)
				}
			}
		}
	}
	of(api["apiPolicies"])
	operations, _ := api["operations"].([]any)
	for _, x := range operations {
		if o, ok := x.(map[string]any); ok {
			of(o["operationPolicies"])
		}
	}
}

// definitionElements returns the elements of a definition that the server stores, as decoded JSON;
// nil when there are none.
func definitionElements(text string) map[string]any {
	_, elements, err := definition.Parse(text)
	if err != nil {
		// What the server stores and we cannot read differs from any that is wanted.
		return map[string]any{"unreadable": err.Error()}
	}
	out := make(map[string]any, len(elements))
	for name, text := range elements {
		out[name] = text
	}
	return out
}

// clone copies decoded JSON, deeply.
func clone[T any](v T) T {
	var copyOf func(any) any
	copyOf = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			out := make(map[string]any, len(v))
			for name, x := range v {
				out[name] = copyOf(x)
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i := range v {
				out[i] = copyOf(v[i])
			}
			return out
		}
		return v
	}
	out, _ := copyOf(v).(T)
	return out
}

// plannedDefinition returns the text of the planned definition, "" when none is planned.
func plannedDefinition(planned cty.Value) (string, error) {
	elements := knownMap(planned, "definition")
	if len(elements) == 0 {
		return "", nil
	}
	text, err := definition.Text(elements, knownString(planned, "name"), knownString(planned, "version"))
	if err != nil {
		return "", rest.Unwritten(err)
	}
	return text, nil
}
