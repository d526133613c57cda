package apim

import (
	"context"
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

// hollow reports whether API Manager could not ask the key manager for the client of generated
// keys.
//
// APIM 4.5 then answers 200, and the keys have none of what the client holds: no grants, no
// callback URL, no secret, no property. Every client that it generates has some of these.
func (r *keyRow) hollow() bool {
	if r.Mode != "CREATED" || r.Key == "" || r.Secret != "" || r.Callback != "" || len(r.Grants) > 0 {
		return false
	}
	for _, v := range r.Properties {
		if text, ok := propertyText(v); ok && text != "" {
			return false
		}
	}
	return true
}

// hollowValue is hollow of an object's value.
func hollowValue(v cty.Value) bool {
	r := keyRow{
		Mode: knownString(v, "mode"), Key: knownString(v, "consumer_key"), Secret: knownString(v, "consumer_secret"),
		Callback: knownString(v, "callback_url"), Grants: stringsOf(plain(v, "grant_types")), Properties: map[string]any{},
	}
	for name, text := range knownMap(v, "additional_properties") {
		r.Properties[name] = text
	}
	return r.hollow()
}

// CheckPlan refuses new secrets where there can be none, and warns of keys whose client was not
// read: what looks like drift of them may be none.
func (t *keysType) CheckPlan(ctx context.Context, planned []engine.Planned) []engine.PlanProblem {
	out := t.checkRenewals(ctx, planned)
	for i, p := range planned {
		if p.Live == nil || p.Action == engine.Delete || p.Action == engine.Forget || !hollowValue(p.Live.Value) {
			continue
		}
		out = append(out, engine.PlanProblem{Index: i, Attribute: "key_manager", Summary: "Client not read", Warning: true, Detail: fmt.Sprintf(
			"API Manager shows the keys of %s without their client: it could not ask key manager %q, or that has lost the client. What is shown as "+
				"changed may be unchanged. See that the key manager runs and that API Manager reaches it, and plan again; if the client is gone, "+
				"use Clean Up at these keys in the developer portal, and the next apply makes new ones.", p.Address, knownString(p.Live.Value, "key_manager"))})
	}
	return out
}
