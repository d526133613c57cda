package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// denyPolicyType is the table of apim_deny_policy (apim-behaviour 3.3).
func denyPolicyType() *schema.Type {
	return &schema.Type{
		Name: "apim_deny_policy",
		Doc: "Requests that every gateway refuses: those to an API, of an application, of a user, or from addresses. Only whether it is `enabled` " +
			"changes in place. API Manager answers with an error to an API or application that does not exist, and takes any user.",
		Key:   []string{"condition_type", "value", "invert"},
		Check: checkDenyPolicy,
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, JSON: "conditionId", Doc: "The server's id, a UUID."},
			{Name: "condition_type", Type: cty.String, Required: true, RequiresReplace: true, Enum: []string{"API", "APPLICATION", "USER", "IP", "IPRANGE"},
				Doc: "What `value` is."},
			{Name: "value", Type: cty.String, Required: true, RequiresReplace: true, JSON: "conditionValue", Normalize: canonicalDenied,
				Doc: "For `API` its context and version, such as `/payment/1.0.0`; for `APPLICATION` owner and name, `ann:shop`; for `USER` the name, " +
					"without the tenant, which API Manager adds; for `IP` an address; for `IPRANGE` two, `10.0.0.1-10.0.0.99`."},
			{Name: "invert", Type: cty.Bool, RequiresReplace: true, Default: cty.False, Doc: "With `IP` and `IPRANGE`: whether all other addresses are refused."},
			{Name: "enabled", Type: cty.Bool, JSON: "conditionStatus", Default: cty.True, Doc: "Whether it is in force."},
		}},
	}
}

// denyPolicy is requests that every gateway refuses.
func denyPolicy(p *Provider) engine.Type {
	return &denyPolicies{&rest.Collection{
		Client: &p.client,
		Type:   denyPolicyType(),
		// The list is plural and the item singular (apim-behaviour 3.3).
		Path:         admin + "/throttling/deny-policies",
		ItemPath:     admin + "/throttling/deny-policy",
		ID:           "conditionId",
		Paging:       rest.Paging{Items: "list"},
		ListComplete: true,
		Decode:       decodeDenied,
		Encode:       encodeDenied,
	}}
}

// denyPolicies is the type apim_deny_policy: a Collection without PUT.
type denyPolicies struct{ *rest.Collection }

// Create makes a policy.
func (t *denyPolicies) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	o, err := t.Collection.Create(ctx, planned)
	// APIM 4.5 answers 500 to what it does not know, with the reason in the description [seen].
	if rest.StatusOf(err) == http.StatusInternalServerError {
		return o, &engine.AttributeError{Attribute: "value", Summary: "Value not accepted", Err: err}
	}
	return o, err
}

// Update turns a policy on or off, which is all that the API changes.
func (t *denyPolicies) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	if _, _, err := t.Current(ctx, live, planned); err != nil {
		return nil, err
	}
	res, err := t.Client.Do(ctx, rest.Request{Method: http.MethodPatch, Path: t.URL(live.ID), Idempotent: true,
		Body: map[string]any{"conditionStatus": plain(planned, "enabled").True()}})
	if err != nil {
		return nil, err
	}
	return t.Updated(ctx, live.ID, res)
}

// decodeDenied makes the value of a condition one string.
func decodeDenied(object map[string]any) error {
	object["invert"] = false
	switch value := object["conditionValue"].(type) {
	case nil, string:
	case map[string]any:
		object["invert"] = value["invert"] == true
		if ip, ok := value["fixedIp"].(string); ok {
			object["conditionValue"] = ip
		} else {
			object["conditionValue"] = fmt.Sprintf("%v-%v", value["startingIp"], value["endingIp"])
		}
	default:
		return errors.New("the value of a deny policy is neither a string nor an object")
	}
	return nil
}

// encodeDenied is the inverse of decodeDenied.
func encodeDenied(object map[string]any) error {
	value, _ := object["conditionValue"].(string)
	invert := object["invert"] == true
	delete(object, "invert")
	switch object["conditionType"] {
	case "IP":
		object["conditionValue"] = map[string]any{"fixedIp": strings.TrimSpace(value), "invert": invert}
	case "IPRANGE":
		from, to := addresses(value)
		object["conditionValue"] = map[string]any{"startingIp": from, "endingIp": to, "invert": invert}
	}
	return nil
}

// addresses returns the ends of a range of addresses.
func addresses(value string) (from, to string) {
	from, to, _ = strings.Cut(value, "-")
	return strings.TrimSpace(from), strings.TrimSpace(to)
}

// canonicalDenied is the normal form of a value: a user without the tenant. API Manager stores the
// caller's tenant with a user, whatever it was sent [seen].
func canonicalDenied(v cty.Value) cty.Value {
	value := strings.TrimSpace(v.AsString())
	switch {
	case strings.HasPrefix(value, "/"), strings.Contains(value, ":"): // an API, an application
	case strings.Contains(value, "@"):
		value = value[:strings.LastIndexByte(value, '@')]
	case strings.Contains(value, "-"):
		if from, to := addresses(value); isAddress(from) && isAddress(to) {
			value = from + "-" + to
		}
	}
	return cty.StringVal(value)
}

// checkDenyPolicy finds values that do not fit their type.
func checkDenyPolicy(v cty.Value) []schema.Problem {
	kind, value := knownString(v, "condition_type"), knownString(v, "value")
	var out []schema.Problem
	if invert := plain(v, "invert"); isKnown(invert) && invert.True() && (kind == "API" || kind == "APPLICATION" || kind == "USER") {
		out = append(out, schema.Problem{Path: cty.GetAttrPath("invert"), Summary: "Condition that cannot be inverted",
			Detail: fmt.Sprintf("API Manager inverts conditions of type IP and IPRANGE alone, and this one has type %s. Drop invert.", kind)})
	}
	if !isKnown(plain(v, "value")) {
		return out
	}
	wrong := ""
	switch kind {
	case "API":
		if !strings.HasPrefix(value, "/") || strings.Count(value, "/") < 2 {
			wrong = "context and version of an API, such as /payment/1.0.0"
		}
	case "APPLICATION":
		if owner, name, ok := strings.Cut(value, ":"); !ok || owner == "" || name == "" {
			wrong = "owner and name of an application, such as ann:shop"
		}
	case "USER":
		if strings.TrimSpace(value) == "" {
			wrong = "name of a user"
		}
	case "IP":
		if !isAddress(strings.TrimSpace(value)) {
			wrong = "IP address"
		}
	case "IPRANGE":
		if from, to := addresses(value); !isAddress(from) || !isAddress(to) {
			wrong = "range of IP addresses, such as 10.0.0.1-10.0.0.99"
		}
	}
	if wrong != "" {
		out = append(out, schema.Problem{Path: cty.GetAttrPath("value"), Summary: "Value of another kind",
			Detail: fmt.Sprintf("With condition_type %s the value is the %s, and %q is none. Correct the value or the type.", kind, wrong, value)})
	}
	return out
}
