package apim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Names of the first endpoints of the stages, which API Manager does not name.
const (
	productionEndpoint = "production"
	sandboxEndpoint    = "sandbox"
)

// endpointMembers are the members of an endpoint configuration that hold endpoints, by stage.
var endpointMembers = []struct{ name, stage, primary, failovers, security string }{
	{productionEndpoint, "PRODUCTION", "production_endpoints", "production_failovers", "production"},
	{sandboxEndpoint, "SANDBOX", "sandbox_endpoints", "sandbox_failovers", "sandbox"},
}

// Members of an endpoint in the shape of the tables that keep what the server sent of it.
const (
	rawMember         = "raw"
	rawSecurityMember = "rawSecurity"
)

// isPlainEndpoint reports whether a name is one that API Manager does not have: of an endpoint that
// is in the API's own configuration.
func isPlainEndpoint(name string) bool {
	_, ok := endpointIndex(name)
	return ok
}

// endpointIndex returns the place of a plain endpoint in its stage: 0 of "production", 1 of
// "production-2".
func endpointIndex(name string) (int, bool) {
	for _, m := range endpointMembers {
		if name == m.name {
			return 0, true
		}
		if rest, ok := strings.CutPrefix(name, m.name+"-"); ok {
			n, err := strconv.Atoi(rest)
			return n - 1, err == nil && n > 1 && strconv.Itoa(n) == rest
		}
	}
	return 0, false
}

// stageOf returns the stage of an endpoint: what it says, or what its name says.
func stageOf(endpoint map[string]any) string {
	if stage, ok := endpoint["deploymentStage"].(string); ok && stage != "" {
		return stage
	}
	if name, _ := endpoint["name"].(string); strings.HasPrefix(strings.ToLower(name), sandboxEndpoint) {
		return "SANDBOX"
	}
	return "PRODUCTION"
}

// decodeEndpoints turns the endpoint configuration into a list of endpoints and a map of the rest
// (apim-behaviour 5.1).
func decodeEndpoints(api map[string]any) {
	list := []any{}
	settings := map[string]any{}
	config, _ := api["endpointConfig"].(map[string]any)
	security, _ := config["endpoint_security"].(map[string]any)
	for _, m := range endpointMembers {
		var found []any
		switch e := config[m.primary].(type) {
		case map[string]any:
			found = append(found, e)
		case []any:
			found = append(found, e...)
		}
		if more, ok := config[m.failovers].([]any); ok {
			found = append(found, more...)
		}
		for i, x := range found {
			raw, _ := x.(map[string]any)
			name := m.name
			if i > 0 {
				name = fmt.Sprintf("%s-%d", m.name, i+1)
			}
			endpoint := decodeEndpoint(raw)
			endpoint["name"], endpoint["deploymentStage"] = name, m.stage
			if s, ok := security[m.security].(map[string]any); ok && i == 0 {
				endpoint["security"], endpoint[rawSecurityMember] = decodeSecurity(s), s
			}
			list = append(list, endpoint)
		}
	}
	for name, v := range config {
		known := slices.Contains([]string{"endpoint_type", "endpoint_security"}, name) ||
			slices.ContainsFunc(endpointMembers, func(m struct{ name, stage, primary, failovers, security string }) bool {
				return name == m.primary || name == m.failovers
			})
		if known {
			continue
		}
		if text, ok := propertyText(v); ok {
			settings[name] = text
		}
	}
	api[endpointsMember], api[settingsMember] = list, settings
	if t, ok := config["endpoint_type"]; ok {
		api[endpointTypeMember] = t
	}
}

// decodeEndpoint turns one endpoint into the shape of the tables.
func decodeEndpoint(raw map[string]any) map[string]any {
	out := map[string]any{"url": raw["url"], rawMember: raw}
	config := map[string]any{}
	if c, ok := raw["config"].(map[string]any); ok {
		for name, v := range c {
			if text, ok := propertyText(v); ok {
				config[name] = text
			}
		}
	}
	out["config"] = config
	return out
}

func decodeSecurity(s map[string]any) map[string]any {
	out := maps.Clone(s)
	// APIM 4.5 answers with an object as JSON in a string (apim-behaviour 5.1).
	if text, ok := s["customParameters"].(string); ok {
		var m map[string]any
		if json.Unmarshal([]byte(text), &m) == nil && m != nil {
			out["customParameters"] = m
		} else {
			delete(out, "customParameters")
		}
	}
	// Numbers and booleans of these turn to strings in places.
	for _, name := range []string{"username", "tokenUrl", "clientId", "region", "service"} {
		if text, ok := propertyText(out[name]); ok {
			out[name] = text
		}
	}
	return out
}

// encodeEndpoints is the inverse of decodeEndpoints. What it does not know of the configuration
// goes back as it came.
func encodeEndpoints(api map[string]any) {
	list, _ := api[endpointsMember].([]any)
	settings, _ := api[settingsMember].(map[string]any)
	secrets, _ := api[secretSettings].(map[string]any)
	kind, _ := api[endpointTypeMember].(string)
	config, _ := api["endpointConfig"].(map[string]any)
	if config == nil && len(list)+len(settings)+len(secrets) == 0 && kind == "" {
		return
	}
	config = maps.Clone(config)
	if config == nil {
		config = map[string]any{}
	}
	if kind == "" {
		kind = "http"
	}
	config["endpoint_type"] = kind
	for name := range settings {
		config[name] = settingValue(config[name], settings[name])
	}
	for name := range config {
		if _, ok := settings[name]; !ok && isSetting(name) {
			delete(config, name)
		}
	}
	maps.Copy(config, secrets)

	security, _ := config["endpoint_security"].(map[string]any)
	security = maps.Clone(security)
	if security == nil {
		security = map[string]any{}
	}
	for _, m := range endpointMembers {
		var endpoints []any
		delete(security, m.security)
		var own []map[string]any
		for _, x := range list {
			e, _ := x.(map[string]any)
			if name, _ := e["name"].(string); isPlainEndpoint(name) && stageOf(e) == m.stage {
				own = append(own, e)
			}
		}
		slices.SortStableFunc(own, func(x, y map[string]any) int {
			i, _ := endpointIndex(fmt.Sprint(x["name"]))
			j, _ := endpointIndex(fmt.Sprint(y["name"]))
			return i - j
		})
		for i, e := range own {
			endpoints = append(endpoints, encodeEndpoint(e))
			if s, ok := e["security"].(map[string]any); ok && i == 0 {
				security[m.security] = encodeSecurity(s, e[rawSecurityMember])
			}
		}
		delete(config, m.primary)
		delete(config, m.failovers)
		switch {
		case len(endpoints) == 0:
		case kind == "load_balance":
			config[m.primary] = endpoints
		case kind == "failover":
			config[m.primary] = endpoints[0]
			config[m.failovers] = endpoints[1:]
		default:
			config[m.primary] = endpoints[0]
		}
	}
	switch kind {
	case "failover":
		if config["failOver"] == nil {
			config["failOver"] = "True"
		}
	case "load_balance":
		if config["algoClassName"] == nil && config["algoCombo"] == nil {
			config["algoClassName"] = "org.apache.synapse.endpoints.algorithms.RoundRobin"
			config["algoCombo"] = "org.apache.synapse.endpoints.algorithms.RoundRobin"
		}
	}
	delete(config, "endpoint_security")
	if len(security) > 0 {
		config["endpoint_security"] = security
	}
	api["endpointConfig"] = config
}

func isSetting(name string) bool {
	switch name {
	case "endpoint_type", "endpoint_security":
		return false
	}
	for _, m := range endpointMembers {
		if name == m.primary || name == m.failovers {
			return false
		}
	}
	return true
}

// settingValue returns what is sent for a setting: what the server sent when that is the same, JSON
// when it is written so, a string else.
func settingValue(was, now any) any {
	text, ok := now.(string)
	if !ok {
		return now
	}
	if before, ok := propertyText(was); ok && before == text {
		return was
	}
	if strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") {
		var v any
		if json.Unmarshal([]byte(text), &v) == nil {
			return v
		}
	}
	return text
}

func encodeEndpoint(e map[string]any) map[string]any {
	raw, _ := e[rawMember].(map[string]any)
	out := maps.Clone(raw)
	if out == nil {
		out = map[string]any{}
	}
	if e["url"] != nil {
		out["url"] = e["url"]
	}
	was, _ := raw["config"].(map[string]any)
	now, _ := e["config"].(map[string]any)
	config := map[string]any{}
	for name, v := range now {
		config[name] = settingValue(was[name], v)
	}
	if len(config) > 0 || raw["config"] != nil {
		out["config"] = config
	}
	return out
}

// securityTypes are the server's own spellings.
var securityTypes = map[string]string{"APIKEY": "apikey", "AWS": "aws"}

func encodeSecurity(s map[string]any, raw any) map[string]any {
	out := maps.Clone(s)
	if kind, ok := out["type"].(string); ok {
		if own, ok := securityTypes[strings.ToUpper(kind)]; ok {
			out["type"] = own
		} else {
			out["type"] = strings.ToUpper(kind)
		}
	}
	before, _ := raw.(map[string]any)
	for _, name := range []string{"password", "clientSecret", "apiKeyValue", "secretKey"} {
		if _, had := before[name]; out[name] == "" && !had {
			delete(out, name) // there is nothing to keep
		}
	}
	if was, ok := before["customParameters"].(string); ok {
		if m, isMap := out["customParameters"].(map[string]any); isMap {
			if text, err := json.Marshal(m); err == nil {
				out["customParameters"] = string(text)
			}
		} else {
			out["customParameters"] = was
		}
	}
	return out
}
