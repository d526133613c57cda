package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// gatewayPolicyType is the table of apim_gateway_policy (apim-behaviour 5.8).
func gatewayPolicyType() *schema.Type {
	return &schema.Type{
		Name: "apim_gateway_policy",
		Doc:  "Common operation policies that run for all APIs of gateways. A gateway has one such mapping.",
		Key:  []string{"display_name"},
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
				{Name: "display_name", Type: cty.String, Required: true, RequiresReplace: true, Validate: lengthIn(1, 255),
					Doc: "Name shown to people. The server lets several have one name; here each has its own."},
				{Name: "description", Type: cty.String, Doc: "What it is for."},
				{Name: "gateways", Type: cty.Set(cty.String), JSON: "appliedGatewayLabels", Doc: "Gateway environments that run it, by name."},
			},
			Blocks: policyBlocks("policyMapping", "all APIs"),
		},
	}
}

// gatewayPolicy is a mapping of policies to gateways.
func gatewayPolicy(p *Provider) engine.Type {
	return &gatewayPolicies{provider: p, Collection: &rest.Collection{
		Client:       &p.client,
		Type:         gatewayPolicyType(),
		Path:         publisher + "/gateway-policies",
		Paging:       rest.Paging{Style: rest.LimitOffset},
		BlankStrings: true,
		Match: func(raw map[string]any, wanted cty.Value) bool {
			return raw["displayName"] == knownString(wanted, "display_name")
		},
		Decode: func(m map[string]any) error {
			// APIM answers 200 and a mapping without an id for one that there is not (seen on 9.33.90).
			if id, given := m["id"]; given && id == nil {
				return engine.ErrNotFound
			}
			eachMapped(m, func(policy map[string]any) {
				parameters, _ := policy["parameters"].(map[string]any)
				for name, v := range parameters {
					if text, ok := propertyText(v); ok {
						parameters[name] = text
					}
				}
			})
			return nil
		},
	}}
}

// eachMapped calls f with each policy of a mapping.
func eachMapped(m map[string]any, f func(policy map[string]any)) {
	eachPolicy(map[string]any{"apiPolicies": m["policyMapping"]}, f)
}

// gatewayPolicies is the type apim_gateway_policy.
type gatewayPolicies struct {
	*rest.Collection
	provider *Provider
}

// body completes what is sent of a mapping: the server wants each flow, and the id of each policy.
func (t *gatewayPolicies) body(ctx context.Context, m map[string]any) error {
	flows, _ := m["policyMapping"].(map[string]any)
	if flows == nil {
		flows = map[string]any{}
		m["policyMapping"] = flows
	}
	for _, flow := range []string{"request", "response", "fault"} {
		if flows[flow] == nil {
			flows[flow] = []any{}
		}
	}
	delete(m, "appliedGatewayLabels")
	var failed error
	list := &rest.Collection{Client: t.Client, Path: publisher + "/operation-policies", Paging: rest.Paging{Style: rest.LimitOffset}}
	eachMapped(m, func(policy map[string]any) {
		mergeSecrets(policy)
		if policy["policyId"] != nil || failed != nil {
			return
		}
		for raw, err := range list.Elements(ctx, nil) {
			if err != nil {
				failed = err
				return
			}
			if raw["name"] == policy["policyName"] && raw["version"] == policy["policyVersion"] {
				policy["policyId"] = raw["id"]
				return
			}
		}
		failed = fmt.Errorf("API Manager has no common operation policy %v %v; make it with apim_operation_policy", policy["policyName"], policy["policyVersion"])
	})
	if failed != nil {
		return rest.Unwritten(failed)
	}
	return nil
}

// Create makes a mapping, and deploys it.
func (t *gatewayPolicies) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	plainPlanned, _ := planned.UnmarkDeep()
	body := rest.Encode(&t.Type.Block, plainPlanned)
	if err := t.body(ctx, body); err != nil {
		return nil, err
	}
	var made struct {
		ID string `json:"id"`
	}
	res, err := t.Client.Do(ctx, rest.Request{Method: http.MethodPost, Path: t.Path, Body: body})
	if err != nil {
		return nil, rest.Hide(err, planned)
	}
	if err := res.JSON(&made); err != nil || made.ID == "" {
		made.ID = res.Location()
	}
	if made.ID == "" {
		return nil, fmt.Errorf("POST %s: the server answered %d without an id", t.Path, res.Status)
	}
	return t.deploy(ctx, &engine.Object{ID: made.ID, Value: settled(planned)}, nil, plainPlanned)
}

// deploy makes the gateways that run a mapping those that are planned, and reads it back.
func (t *gatewayPolicies) deploy(ctx context.Context, o *engine.Object, have []string, planned cty.Value) (*engine.Object, error) {
	if v := plain(planned, "gateways"); isKnown(v) {
		want := stringsOf(v)
		var list []any
		for _, name := range have {
			if !slices.Contains(want, name) {
				list = append(list, map[string]any{"gatewayLabel": name, "gatewayDeployment": false})
			}
		}
		for _, name := range want {
			if !slices.Contains(have, name) {
				list = append(list, map[string]any{"gatewayLabel": name, "gatewayDeployment": true})
			}
		}
		if len(list) > 0 {
			err := t.Client.Call(ctx, rest.Request{Method: http.MethodPost, Path: t.URL(o.ID) + "/deploy", Body: list, Idempotent: true}, nil)
			if err != nil {
				if now, rerr := t.Read(context.WithoutCancel(ctx), o.ID); rerr == nil {
					o = now
				}
				return o, &engine.AttributeError{Attribute: "gateways", Summary: "Policies not deployed", Err: rest.Unfound(err)}
			}
		}
	}
	now, err := t.Read(ctx, o.ID)
	if err != nil {
		return o, fmt.Errorf("it was stored, but could not be read: %w", rest.Unfound(err))
	}
	return now, nil
}

// Update changes a mapping.
func (t *gatewayPolicies) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, raw, err := t.Current(ctx, live, planned)
	if err != nil {
		return nil, err
	}
	b := &t.Type.Block
	rebased := rest.Rebase(b, live.Value, planned, now.Value)
	changed := slices.DeleteFunc(rest.Different(b, rebased, now.Value), func(name string) bool { return name == "gateways" })
	if len(changed) > 0 || writesSecrets(b, rebased) {
		rest.Overlay(b, raw, now.Value, rebased)
		if err := t.body(ctx, raw); err != nil {
			return nil, err
		}
		delete(raw, "id")
		if err := t.Client.Call(ctx, rest.Request{Method: http.MethodPut, Path: t.URL(live.ID), Body: raw}, nil); err != nil {
			return nil, rest.Hide(rest.Unfound(err), planned)
		}
	}
	return t.deploy(ctx, now, stringsOf(plain(now.Value, "gateways")), rebased)
}

// Delete takes a mapping from its gateways, which the server demands, and removes it.
func (t *gatewayPolicies) Delete(ctx context.Context, live *engine.Object) error {
	now, err := t.Read(ctx, live.ID)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	empty := t.Type.Object(map[string]cty.Value{"gateways": cty.SetValEmpty(cty.String)})
	if _, err := t.deploy(ctx, now, stringsOf(plain(now.Value, "gateways")), empty); err != nil {
		return err
	}
	return t.Collection.Delete(ctx, now)
}

// Exclusive lets one write at a time run, since a gateway takes one mapping: what gives a gateway up
// and what takes it are ordered by their blocks, not by chance.
func (t *gatewayPolicies) Exclusive(cty.Value) string { return "apim_gateway_policy" }

// CheckPlan refuses two mappings for one gateway.
func (t *gatewayPolicies) CheckPlan(_ context.Context, planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	by := map[string]int{}
	for i := range planned {
		for _, name := range stringsOf(plain(planned[i].After, "gateways")) {
			j, taken := by[name]
			if !taken {
				by[name] = i
				continue
			}
			out = append(out, engine.PlanProblem{Index: i, Attribute: "gateways", Summary: "Two policy mappings of one gateway",
				Detail: fmt.Sprintf("%s and %s are both for the gateway %q, which takes one. Put their policies into one of them.", planned[j].Address, planned[i].Address, name)})
		}
	}
	return out
}
