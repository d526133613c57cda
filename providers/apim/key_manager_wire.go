package apim

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"wso2plan/config/schema"
)

// Members that decodeKeyManager puts into an object beside those of the API. encodeKeyManager takes
// them out again.
const (
	secretMember = "secretProperties" // secrets that are to be written
	storedMember = "storedProperties" // what additionalProperties held of secrets and of the server's own
)

// endpointAttributes are the attributes of endpoints by the names that connectors have for them.
var endpointAttributes = map[string]string{
	"well_known_endpoint":          "well_known_endpoint",
	"client_registration_endpoint": "client_registration_endpoint",
	"introspection_endpoint":       "introspection_endpoint",
	"token_endpoint":               "token_endpoint",
	"display_token_endpoint":       "display_token_endpoint",
	"revoke_endpoint":              "revoke_endpoint",
	"display_revoke_endpoint":      "display_revoke_endpoint",
	"userinfo_endpoint":            "user_info_endpoint",
	"authorize_endpoint":           "authorize_endpoint",
	"scope_endpoint":               "scope_management_endpoint",
}

// decodeKeyManager turns a key manager as the API sends it into the shape of the tables.
func decodeKeyManager(b *schema.Block, km map[string]any) {
	blankNulls(b, km)
	plain := map[string]any{}
	stored := map[string]any{}
	properties, _ := km["additionalProperties"].(map[string]any)
	for name, v := range properties {
		// APIM adds self_validate_jwt from enableSelfValidationJWT, and masks what its connector
		// calls a secret; CustomKeyManager masks nothing (apim-behaviour 3.1, 10).
		if v == mask || name == "self_validate_jwt" || secretName.MatchString(name) {
			stored[name] = v
		} else {
			plain[name] = v
		}
	}
	km["additionalProperties"] = plain
	km[storedMember] = stored
	delete(km, secretMember)

	switch c, _ := km["certificates"].(map[string]any); {
	case c == nil, c["type"] == nil && c["value"] == nil:
		delete(km, "certificates")
	case c["type"] == "PEM":
		if text, ok := c["value"].(string); ok {
			if canonical := pemText(text); canonical != "" {
				c["value"] = canonical
			}
		}
	}
	list, _ := km["tokenValidation"].([]any)
	for _, x := range list {
		rule, _ := x.(map[string]any)
		switch value := rule["value"].(type) {
		case string:
			rule["pattern"] = value
		case map[string]any:
			if body, ok := value["body"].(map[string]any); ok {
				rule["claims"] = body
			}
		}
	}
}

// encodeKeyManager is the inverse of decodeKeyManager, for what a create or a PUT sends. c is the
// connector of the key manager; the zero connector knows no property.
func encodeKeyManager(b *schema.Block, km map[string]any, c connector) {
	properties := map[string]any{}
	stored, _ := km[storedMember].(map[string]any)
	for name, v := range stored {
		if name != "self_validate_jwt" {
			properties[name] = v // the mask keeps what is stored
		}
	}
	plain, _ := km["additionalProperties"].(map[string]any)
	for name, v := range plain {
		if text, ok := v.(string); ok {
			v = c.properties[name].value(text)
		}
		properties[name] = v
	}
	if secrets, ok := km[secretMember].(map[string]any); ok {
		maps.Copy(properties, secrets)
	}
	km["additionalProperties"] = properties
	delete(km, secretMember)
	delete(km, storedMember)

	if cert, _ := km["certificates"].(map[string]any); cert != nil && cert["type"] == "PEM" {
		if text, ok := cert["value"].(string); ok {
			if canonical := pemText(text); canonical != "" {
				cert["value"] = base64.StdEncoding.EncodeToString([]byte(canonical))
			}
		}
	}
	list, _ := km["tokenValidation"].([]any)
	for _, x := range list {
		if rule, ok := x.(map[string]any); ok {
			encodeRule(rule)
		}
	}
	for i := range b.Attributes {
		if a := &b.Attributes[i]; blankable(a) && km[a.JSONName()] == "" {
			delete(km, a.JSONName())
		}
	}
	if km["certificates"] == nil {
		delete(km, "certificates")
	}
	syncEndpoints(km)
}

// encodeRule puts pattern or claims of a token validation into its value.
func encodeRule(rule map[string]any) {
	pattern, hasPattern := rule["pattern"].(string)
	claims, hasClaims := rule["claims"].(map[string]any)
	switch {
	case hasClaims && (rule["type"] == "JWT" || !hasPattern):
		value, _ := rule["value"].(map[string]any)
		if value == nil {
			value = map[string]any{}
		}
		value["body"] = claims
		rule["value"] = value
	case hasPattern:
		rule["value"] = pattern
	}
	delete(rule, "pattern")
	delete(rule, "claims")
}

// canonicalProperty is the normal form of a connector's property, or of a map of them: lists and
// objects in the JSON that jsonencode writes. APIM gives numbers in them back as 1.0 [seen].
func canonicalProperty(v cty.Value) cty.Value {
	if v.Type().IsMapType() {
		if v.LengthInt() == 0 {
			return v
		}
		elems := v.AsValueMap()
		for name, e := range elems {
			if isKnown(e) {
				elems[name] = canonicalProperty(e)
			}
		}
		return cty.MapVal(elems)
	}
	text := v.AsString()
	if text == "" || text[0] != '[' && text[0] != '{' {
		return v
	}
	t, err := ctyjson.ImpliedType([]byte(text))
	if err != nil {
		return v
	}
	parsed, err := ctyjson.Unmarshal([]byte(text), t)
	if err != nil {
		return v
	}
	out, err := ctyjson.Marshal(parsed, t)
	if err != nil {
		return v
	}
	return cty.StringVal(string(out))
}

// syncEndpoints makes the list "endpoints", which newer servers send beside the members that it
// repeats, say the same as those.
func syncEndpoints(km map[string]any) {
	list, ok := km["endpoints"].([]any)
	if !ok {
		return
	}
	kept := make([]any, 0, len(list))
	for _, x := range list {
		e, _ := x.(map[string]any)
		name, _ := e["name"].(string)
		if attribute, ok := endpointAttributes[name]; ok {
			value, _ := km[schema.CamelCase(attribute)].(string)
			if value == "" {
				continue
			}
			e["value"] = value
		}
		kept = append(kept, x)
	}
	km["endpoints"] = kept
}

// value is the text of a property in the form that the admin portal sends it in: boxes to tick as
// booleans, choices of several as lists, the rest as strings. A property that the connector does
// not declare is a list or an object when its text is one.
func (p property) value(text string) any {
	structured := len(text) > 1 && (text[0] == '[' && (p.Type == "select" || p.Type == "") || text[0] == '{' && p.Type == "")
	switch {
	case structured:
		var v any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if d.Decode(&v) == nil && !d.More() {
			return v
		}
	case p.Type == "checkbox":
		if b, err := strconv.ParseBool(text); err == nil && (text == "true" || text == "false") {
			return b
		}
	}
	return text
}

// blankable reports whether an attribute is a string that API Manager does not tell apart from an
// absent one: empty strings come back as null (apim-behaviour 10).
func blankable(a *schema.Attribute) bool {
	return a.Type.FriendlyName() == "string" && !a.Required && !a.ReadOnly && !a.WriteOnly && len(a.Enum) == 0
}

// blankNulls makes the strings of an object that are null or absent "", so that a configuration
// that clears one with "" does not differ for ever.
func blankNulls(b *schema.Block, object map[string]any) {
	for i := range b.Attributes {
		if a := &b.Attributes[i]; blankable(a) && object[a.JSONName()] == nil {
			object[a.JSONName()] = ""
		}
	}
}
