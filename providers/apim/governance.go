package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	ctyyaml "github.com/zclconf/go-cty-yaml"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// governance is the API of rulesets and of the policies that ask for them (apim-behaviour 6).
const governance = "/api/am/governance/v1"

// rulesetType is the table of apim_ruleset.
func rulesetType() *schema.Type {
	return &schema.Type{
		Name: "apim_ruleset",
		Doc:  "Rules of governance: what policies ask of APIs. The rules are compared by their content, without comments and the order of their members.",
		Key:  []string{"name"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
			{Name: "name", Type: cty.String, Required: true, Validate: lengthIn(1, 256), Doc: "Name. It can be changed in place."},
			{Name: "description", Type: cty.String, Validate: lengthIn(0, 1024), Doc: "What it asks for."},
			{Name: "rule_category", Type: cty.String, Default: cty.StringVal("SPECTRAL"), Enum: []string{"SPECTRAL"}, Doc: "Language of the rules."},
			{Name: "rule_type", Type: cty.String, Required: true, RequiresReplace: true, Enum: []string{"API_METADATA", "API_DEFINITION", "API_DOCUMENTATION"}, Doc: "What of an API the rules are about."},
			{Name: "artifact_type", Type: cty.String, Required: true, RequiresReplace: true, Enum: []string{"REST_API", "ASYNC_API"}, Doc: "Which APIs they are about."},
			{Name: "documentation_link", Type: cty.String, Doc: "Where they are explained."},
			{Name: "provider_name", Type: cty.String, JSON: "provider", Required: true, Validate: lengthIn(1, 256), Doc: "Who made them."},
			{Name: "content", Type: cty.String, JSON: "rulesetContent", Required: true, Normalize: canonicalYAML, Validate: yamlText, Doc: "The rules, in YAML or JSON, mostly `file(\"…\")`."},
		}},
	}
}

// yamlText is a validation: it refuses what is no YAML.
func yamlText(v cty.Value) error {
	_, err := parseYAMLText(v.AsString())
	return err
}

func parseYAMLText(text string) (cty.Value, error) {
	t, err := ctyyaml.ImpliedType([]byte(text))
	if err != nil {
		return cty.NilVal, fmt.Errorf("it is no YAML: %w", err)
	}
	v, err := ctyyaml.Unmarshal([]byte(text), t)
	if err != nil {
		return cty.NilVal, fmt.Errorf("it is no YAML: %w", err)
	}
	return v, nil
}

// canonicalYAML is the normal form of YAML and JSON: JSON with sorted members.
func canonicalYAML(v cty.Value) cty.Value {
	parsed, err := parseYAMLText(v.AsString())
	if err != nil || !parsed.IsWhollyKnown() {
		return v
	}
	out, err := stdlib.JSONEncode(parsed)
	if err != nil {
		return v
	}
	return out
}

// ruleset is a set of rules.
func ruleset(p *Provider) engine.Type {
	return &rulesets{&rest.Collection{
		Client:       &p.client,
		Type:         rulesetType(),
		Path:         governance + "/rulesets",
		Paging:       rest.Paging{Style: rest.LimitOffset},
		BlankStrings: true,
	}}
}

// rulesets is the type apim_ruleset: a Collection whose writes are forms, and whose rules have an
// address of their own.
type rulesets struct{ *rest.Collection }

// Read reads a ruleset with its rules.
func (t *rulesets) Read(ctx context.Context, id string) (*engine.Object, error) {
	var raw map[string]any
	if err := t.Client.Get(ctx, t.URL(id), nil, &raw); err != nil {
		return nil, governed(err)
	}
	res, err := t.Client.Do(ctx, rest.Request{Path: t.URL(id) + "/content", Accept: "*/*"})
	if err != nil {
		return nil, governed(err)
	}
	raw["rulesetContent"] = string(res.Body)
	return t.Object(raw)
}

// Find finds a ruleset by name.
func (t *rulesets) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	name := knownString(wanted, "name")
	for raw, err := range t.Elements(ctx, nil) {
		if err != nil {
			return nil, err
		}
		if id, _ := raw["id"].(string); raw["name"] == name {
			return t.Read(ctx, id)
		}
	}
	return nil, fmt.Errorf("ruleset %q: %w", name, engine.ErrNotFound)
}

// form makes the form of a ruleset.
func (t *rulesets) form(method, path string, v cty.Value) rest.Request {
	fields := rest.Encode(&t.Type.Block, v)
	var parts []formPart
	for _, name := range []string{"name", "description", "ruleCategory", "ruleType", "artifactType", "documentationLink", "provider"} {
		if text, ok := fields[name].(string); ok {
			parts = append(parts, formPart{name: name, text: text})
		}
	}
	content, _ := fields["rulesetContent"].(string)
	return formRequest(method, path, append(parts, formPart{"rulesetContent", "ruleset.yaml", content})...)
}

// Create makes a ruleset.
func (t *rulesets) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	var made struct {
		ID string `json:"id"`
	}
	if err := t.Client.Call(ctx, t.form(http.MethodPost, t.Path, planned), &made); err != nil {
		return nil, t.explain(err)
	}
	if made.ID == "" {
		return nil, fmt.Errorf("POST %s: the server answered without an id", t.Path)
	}
	return t.written(ctx, made.ID, planned)
}

func (t *rulesets) explain(err error) error {
	if rest.StatusOf(err) == http.StatusBadRequest {
		return &engine.AttributeError{Attribute: "content", Summary: "Rules refused", Err: err}
	}
	return err
}

func (t *rulesets) written(ctx context.Context, id string, planned cty.Value) (*engine.Object, error) {
	o, err := t.Read(ctx, id)
	if err != nil {
		return &engine.Object{ID: id, Value: settled(planned)}, fmt.Errorf("the ruleset was stored and could not be read: %w", rest.Unfound(err))
	}
	return o, nil
}

// Update changes a ruleset.
func (t *rulesets) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, err := t.Read(ctx, live.ID)
	if err != nil {
		return nil, err
	}
	b := &t.Type.Block
	if err := rest.Moved(b, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	planned = rest.Rebase(b, live.Value, planned, now.Value)
	if err := t.Client.Call(ctx, t.form(http.MethodPut, t.URL(live.ID), planned), nil); err != nil {
		return nil, t.explain(rest.Unfound(err))
	}
	return t.written(ctx, live.ID, planned)
}

// Delete removes a ruleset.
func (t *rulesets) Delete(ctx context.Context, live *engine.Object) error {
	err := governed(t.Client.Call(ctx, rest.Request{Method: http.MethodDelete, Path: t.URL(live.ID)}, nil))
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}

// Blockers names the policies that ask for a ruleset.
func (t *rulesets) Blockers(ctx context.Context, live *engine.Object) ([]string, error) {
	var ids []string
	if err := t.Client.Get(ctx, t.URL(live.ID)+"/usage", nil, &ids); err != nil {
		if errors.Is(err, engine.ErrNotFound) {
			return nil, nil
		}
		return nil, err
	}
	var names []string
	for _, id := range ids {
		var policy struct {
			Name string `json:"name"`
		}
		if err := t.Client.Get(ctx, governance+"/policies/"+url.PathEscape(id), nil, &policy); err == nil {
			names = append(names, fmt.Sprintf("governance policy %q", policy.Name))
		}
	}
	return names, nil
}

// governed gives what the governance API says of an object that is not there the status that it
// should have: its codes tell it, and some of its answers are 400 by the contract.
func governed(err error) error {
	if code := rest.CodeOf(err); (code == "990101" || code == "990102" || code == "990103") && !errors.Is(err, engine.ErrNotFound) {
		return fmt.Errorf("%w (%w)", engine.ErrNotFound, err)
	}
	return err
}

// governanceStates are the moments at which APIs are governed.
var governanceStates = []string{"API_CREATE", "API_UPDATE", "API_DEPLOY", "API_PUBLISH"}

// governancePolicyType is the table of apim_governance_policy.
func governancePolicyType() *schema.Type {
	return &schema.Type{
		Name: "apim_governance_policy",
		Doc:  "A policy of governance: which rules APIs must keep, and what happens where one does not.",
		Key:  []string{"name"},
		Check: func(v cty.Value) []schema.Problem {
			var out []schema.Problem
			states := plain(v, "governable_states")
			for _, a := range knownList(v, "action") {
				state, kind := knownString(a, "state"), knownString(a, "type")
				if state != "" && isKnown(states) && !slices.Contains(stringsOf(states), state) {
					out = append(out, schema.Problem{Path: cty.GetAttrPath("action"), Summary: "Action of another state",
						Detail: fmt.Sprintf("There is an action for %s, and governable_states has only %s. Add the state there, or drop the action.", state, orNone(stringsOf(states)))})
				}
				if kind == "BLOCK" && (state == "API_CREATE" || state == "API_UPDATE") {
					out = append(out, schema.Problem{Path: cty.GetAttrPath("action"), Summary: "Block of a creation or an update",
						Detail: fmt.Sprintf("API Manager blocks deployments and publications only, and there is a BLOCK for %s. Use NOTIFY.", state)})
				}
			}
			return out
		},
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
				{Name: "name", Type: cty.String, Required: true, Validate: lengthIn(1, 256), Doc: "Name. It can be changed in place."},
				{Name: "description", Type: cty.String, Validate: lengthIn(0, 1024), Doc: "What it is for."},
				{Name: "rulesets", Type: cty.Set(cty.String), Required: true, Doc: "Rulesets whose rules APIs must keep, by id."},
				{Name: "labels", Type: cty.Set(cty.String), Required: true, Doc: "Labels of the APIs that it is about, by id; `GLOBAL` is all, `NONE` is none."},
				{Name: "governable_states", Type: cty.Set(cty.String), Required: true, Enum: governanceStates, Doc: "When APIs are looked at."},
			},
			Blocks: []schema.NestedBlock{{Name: "action", JSON: "actions", Nesting: schema.List, Key: []string{"state", "rule_severity"}, Doc: "What happens where a rule is not kept.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "state", Type: cty.String, Required: true, Enum: governanceStates, Doc: "When."},
					{Name: "rule_severity", Type: cty.String, Required: true, Enum: []string{"ERROR", "WARN", "INFO"}, Doc: "Of which rules."},
					{Name: "type", Type: cty.String, Required: true, Enum: []string{"NOTIFY", "BLOCK"}, Doc: "What."},
				}}}},
		},
	}
}

// governancePolicy is a policy of governance.
func governancePolicy(p *Provider) engine.Type {
	return &governancePolicies{&rest.Collection{
		Client:       &p.client,
		Type:         governancePolicyType(),
		Path:         governance + "/policies",
		Paging:       rest.Paging{Style: rest.LimitOffset},
		ListComplete: true,
		BlankStrings: true,
		Encode: func(object map[string]any) error {
			if object["actions"] == nil {
				object["actions"] = []any{}
			}
			for name := range object {
				if strings.HasPrefix(name, "created") || strings.HasPrefix(name, "updated") {
					delete(object, name)
				}
			}
			return nil
		},
		UpdateStrip: []string{"id"},
		ReadBack:    true,
	}}
}

// governancePolicies is the type apim_governance_policy.
type governancePolicies struct{ *rest.Collection }

// Read reads a policy.
func (t *governancePolicies) Read(ctx context.Context, id string) (*engine.Object, error) {
	o, err := t.Collection.Read(ctx, id)
	return o, governed(err)
}

// Create makes a policy.
func (t *governancePolicies) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	o, err := t.Collection.Create(ctx, planned)
	return o, explainGovernance(err)
}

// Update changes a policy.
func (t *governancePolicies) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	o, err := t.Collection.Update(ctx, live, planned)
	return o, explainGovernance(err)
}

func explainGovernance(err error) error {
	if code := rest.CodeOf(err); code == "990101" || code == "990121" {
		return &engine.AttributeError{Attribute: "rulesets", Summary: "Unknown ruleset", Err: rest.Unfound(err)}
	}
	return err
}

// Delete removes a policy.
func (t *governancePolicies) Delete(ctx context.Context, live *engine.Object) error {
	err := governed(t.Collection.Delete(ctx, live))
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}

// Consequence says what a blocking policy does.
func (t *governancePolicies) Consequence(action engine.Action, before, after cty.Value) string {
	if action != engine.Create && action != engine.Update {
		return ""
	}
	blocks := func(v cty.Value) bool {
		return slices.ContainsFunc(knownList(v, "action"), func(a cty.Value) bool { return knownString(a, "type") == "BLOCK" })
	}
	if blocks(after) && !blocks(before) {
		return "APIs that do not keep the rules can no longer be deployed or published."
	}
	return ""
}
