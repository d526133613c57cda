package is

import (
	"encoding/json"
	"errors"
	"reflect"
	"sort"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/providers/rest"
)

// decodeApplication turns an application as the server shows it into the shape of the table: what
// the server fills in where nothing was set is taken out where it would look like a setting.
func decodeApplication(object map[string]any) error {
	if object["applicationEnabled"] == nil {
		object["applicationEnabled"] = true
	}
	for _, name := range []string{"isManagementApp", "isB2BSelfServiceApp"} {
		if object[name] == nil {
			object[name] = false
		}
	}
	if claims, ok := object["claimConfiguration"].(map[string]any); ok {
		// IS 7.1 lists local claims that are requested a second time, as mappings onto themselves.
		if claims["dialect"] != customDialect {
			delete(claims, "claimMappings")
		}
		for _, c := range objects(claims["requestedClaims"]) {
			if c["mandatory"] == nil {
				c["mandatory"] = false
			}
		}
	}
	if sequence, ok := object["authenticationSequence"].(map[string]any); ok {
		if sequence["type"] != ownSequence {
			// IS 7.1 shows the steps of the tenant's sequence as if they were the application's.
			for _, name := range []string{"steps", "script", "subjectStepId", "attributeStepId"} {
				delete(sequence, name)
			}
		} else if steps, ok := sequence["steps"].([]any); ok {
			sort.SliceStable(steps, func(i, j int) bool { return stepID(steps[i]) < stepID(steps[j]) })
		}
	}
	if advanced, ok := object["advancedConfigurations"].(map[string]any); ok {
		for _, name := range []string{"enableAPIBasedAuthentication", "fragment"} {
			if advanced[name] == nil {
				advanced[name] = false
			}
		}
		if c, ok := advanced["certificate"].(map[string]any); ok && c["value"] == nil {
			delete(advanced, "certificate")
		}
		if t, ok := advanced["trustedAppConfiguration"].(map[string]any); ok {
			for _, name := range []string{"isFIDOTrustedApp", "isConsentGranted"} {
				if t[name] == nil {
					t[name] = false
				}
			}
		}
	}
	if oidc, ok := object["oidc"].(map[string]any); ok {
		oidc["callbackURLs"] = anys(decodeCallbacks(members(oidc["callbackURLs"])))
	}
	return nil
}

func stepID(step any) int64 {
	m, _ := step.(map[string]any)
	n, _ := m["id"].(json.Number)
	id, err := n.Int64()
	if err != nil {
		return 0
	}
	return id
}

// objects returns the objects of a JSON list.
func objects(list any) []map[string]any {
	elems, _ := list.([]any)
	out := make([]map[string]any, 0, len(elems))
	for _, e := range elems {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// encodeApplication makes the body of a creation out of an encoded value. The client is not part of
// it: the caller adds it in the form of newClient.
func encodeApplication(body map[string]any) error {
	delete(body, "oidc")
	for name, v := range body {
		if v == "" {
			delete(body, name)
		}
	}
	if roles, ok := body["associatedRoles"].(map[string]any); ok {
		roles["roles"] = []any{} // IS 7.1 falls over a missing list
	}
	if claims, ok := body["claimConfiguration"].(map[string]any); ok {
		encodeClaims(claims)
		dropBlank(claims)
	}
	if sequence, ok := body["authenticationSequence"].(map[string]any); ok {
		if sequence["type"] == defaultSequence && sequence["requestPathAuthenticators"] == nil {
			delete(body, "authenticationSequence") // it is the default
		} else {
			encodeSequence(sequence)
		}
	}
	if advanced, ok := body["advancedConfigurations"].(map[string]any); ok {
		if err := encodeAdvanced(advanced); err != nil {
			return err
		}
		dropBlank(advanced)
	}
	return nil
}

// encodeClaims finishes the claims of a request. With local claims a list of mappings, even an empty
// one, would be taken for all there are.
func encodeClaims(claims map[string]any) {
	switch {
	case claims["dialect"] != customDialect:
		delete(claims, "claimMappings")
	case claims["claimMappings"] == nil:
		claims["claimMappings"] = []any{}
	}
}

// encodeSequence numbers the steps.
func encodeSequence(sequence map[string]any) {
	for i, step := range objects(sequence["steps"]) {
		step["id"] = i + 1
	}
	// IS 7.1 keeps the script for a blank one.
	if sequence["script"] == "" {
		delete(sequence, "script")
	}
}

func encodeAdvanced(advanced map[string]any) error {
	if m, ok := advanced["attestationMetaData"].(map[string]any); ok {
		if text, ok := m["androidAttestationServiceCredentials"].(string); ok {
			if !json.Valid([]byte(text)) {
				return errors.New("the credentials for Google Play Integrity are no JSON")
			}
			m["androidAttestationServiceCredentials"] = json.RawMessage(text)
		}
	}
	if m, ok := advanced["trustedAppConfiguration"].(map[string]any); ok && m["androidThumbprints"] == nil {
		m["androidThumbprints"] = []any{} // IS 7.1 falls over a missing list
	}
	return nil
}

// dropBlank takes empty strings out, at every depth.
func dropBlank(object map[string]any) {
	for name, v := range object {
		switch v := v.(type) {
		case string:
			if v == "" {
				delete(object, name)
			}
		case map[string]any:
			dropBlank(v)
		}
	}
}

// newClient is the body that makes a client.
func newClient(oidc cty.Value) map[string]any {
	block := oidcBlock()
	body := rest.Encode(&block, oidc)
	if secret := stringOf(oidc, "initial_secret"); secret != "" {
		body["clientSecret"] = secret
	}
	return finishClient(body)
}

// clientBody is the body of a PUT: the client as the server has it, with planned over now, its value.
// The secret is sent back as it came, since a PUT with another is refused.
func clientBody(stored map[string]any, now, planned cty.Value) map[string]any {
	block := oidcBlock()
	body, _ := cloneJSON(stored).(map[string]any)
	if body == nil {
		body = map[string]any{}
	}
	rest.Overlay(&block, body, now, planned)
	// Which client it is does not change by a PUT.
	body["clientId"], body["clientSecret"] = stored["clientId"], stored["clientSecret"]
	return finishClient(body)
}

func finishClient(body map[string]any) map[string]any {
	delete(body, "state")
	body["callbackURLs"] = anys(encodeCallbacks(members(body["callbackURLs"])))
	dropBlank(body)
	for name, v := range body {
		if v == nil {
			delete(body, name)
		}
	}
	return body
}

// cloneJSON copies a JSON value at every depth.
func cloneJSON(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, x := range v {
			out[name] = cloneJSON(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = cloneJSON(x)
		}
		return out
	}
	return v
}

func sameJSON(x, y map[string]any) bool { return reflect.DeepEqual(x, y) }
