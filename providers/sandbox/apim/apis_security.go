package apim

import (
	"maps"
	"net/http"
)

// endpointSecret is how each secret of endpoint security is called.
var endpointSecrets = []string{"password", "clientSecret", "apiKeyValue", "secretKey"}

// fullSecurity is the security of a stage as an update completes it (seen).
const fullSecurity = `{"apiKeyValue":null,"tokenUrl":null,"connectionTimeoutDuration":-1,"apiKeyIdentifier":null,"type":null,"enabled":false,
"apiKeyIdentifierType":null,"password":null,"connectionTimeoutConfigType":null,"clientSecret":null,"connectionRequestTimeoutDuration":-1,
"uniqueIdentifier":null,"clientId":null,"secretKey":null,"socketTimeoutDuration":-1,"proxyConfigs":null,"accessKey":null,"service":null,
"proxyConfigType":null,"customParameters":{},"additionalProperties":{},"grantType":null,"region":null,"username":null}`

// securedEndpoints completes the endpoint security of a configuration. A secret that is blank or absent is the stored one; a client secret that is
// blank with none stored is refused. All of it is seen.
func securedEndpoints(config, before map[string]any) (map[string]any, *answer) {
	out := maps.Clone(config)
	security, has := config["endpoint_security"].(map[string]any)
	if !has {
		return out, nil
	}
	made := map[string]any{}
	stored := inner(before, "endpoint_security")
	for _, stage := range []string{"production", "sandbox"} {
		sent, has := security[stage].(map[string]any)
		if !has {
			continue
		}
		old := inner(stored, stage)
		full := map[string]any{"customParameters": map[string]any{}}
		if old != nil {
			full = fresh(fullSecurity)
		}
		maps.Copy(full, sent)
		oauth := textOf(full, "type") == "OAUTH" || textOf(full, "type") == "oauth"
		if oauth {
			for _, name := range []string{"connectionTimeoutConfigType", "proxyConfigType"} {
				if textOf(full, name) == "" {
					full[name] = "GLOBAL"
				}
			}
		}
		for _, name := range endpointSecrets {
			if kept := textOf(old, name); textOf(full, name) == "" && kept != "" {
				full[name] = kept
			}
		}
		if enabled, _ := full["enabled"].(bool); enabled && oauth && textOf(full, "clientSecret") == "" {
			return nil, refuse(http.StatusBadRequest, 902000, "Invalid Endpoint Security credentials",
				"Invalid Endpoint Security credentials. Client secret is not provided for "+stage+" endpoint security")
		}
		made[stage] = full
	}
	out["endpoint_security"] = made
	return out, nil
}

// shownEndpoints is a configuration as answers show it: secrets are blank.
func shownEndpoints(v any) any {
	config, isObject := v.(map[string]any)
	if !isObject {
		return v
	}
	security := inner(config, "endpoint_security")
	if security == nil {
		return v
	}
	out, made := maps.Clone(config), map[string]any{}
	for stage, s := range security {
		shown := maps.Clone(inner(security, stage))
		if shown == nil {
			made[stage] = s
			continue
		}
		for _, name := range endpointSecrets {
			if shown[name] != nil {
				shown[name] = ""
			}
		}
		made[stage] = shown
	}
	out["endpoint_security"] = made
	return out
}
