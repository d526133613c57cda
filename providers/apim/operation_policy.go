package apim

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// operationPolicyType is the table of apim_operation_policy (apim-behaviour 5.8).
func operationPolicyType() *schema.Type {
	str := func(name, doc string) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.String, Doc: doc}
	}
	script := func(name, doc string) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.String, Normalize: lineEnds, Doc: doc}
	}
	return &schema.Type{
		Name: "apim_operation_policy",
		Doc: "A common operation policy: what APIs do with messages. API Manager has no way to change one, so it is deleted and made again under its name and version. " +
			"APIs have a copy of their own of what they use: another content reaches them when they are written next, and a new version when they name it.",
		Key: []string{"name", "version"},
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true, Doc: "Name and version."},
				{Name: "policy_id", Type: cty.String, ReadOnly: true, Doc: "The server's own id, a UUID, which changes with each change.",
					ChangesWith: []string{"display_name", "description", "category", "applicable_flows", "supported_gateways", "supported_api_types", "synapse_definition", "gateway_definition", "parameter"}},
				{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, Validate: operationPolicyName, Doc: "Name, to which APIs refer."},
				{Name: "version", Type: cty.String, RequiresReplace: true, Default: cty.StringVal("v1"), Validate: operationPolicyName, Doc: "Version."},
				{Name: "display_name", Type: cty.String, Required: true, Validate: lengthIn(1, 128), Doc: "Name shown to people."},
				str("description", "What it does."),
				{Name: "category", Type: cty.String, Required: true, Doc: "Category, such as `Mediation` or `Security`."},
				{Name: "applicable_flows", Type: cty.Set(cty.String), Required: true, Enum: []string{"request", "response", "fault"}, Doc: "Flows in which it may stand."},
				{Name: "supported_gateways", Type: cty.Set(cty.String), Required: true, Doc: "Gateways that have it, such as `Synapse`."},
				{Name: "supported_api_types", Type: cty.Set(cty.String), Required: true, Doc: "Types of APIs that may use it, such as `HTTP`."},
				script("synapse_definition", "Template of what the gateway runs, mostly `file(\"….j2\")`."),
				script("gateway_definition", "Template for Choreo Connect, mostly `file(\"….gotmpl\")`."),
			},
			Blocks: []schema.NestedBlock{{Name: "parameter", JSON: "policyAttributes", Nesting: schema.List, Key: []string{"name"}, Doc: "A parameter that those who use it give.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "name", Type: cty.String, Required: true, Doc: "Name, which the templates have."},
					{Name: "display_name", Type: cty.String, Required: true, Doc: "Name shown to people."},
					str("description", "What it means."),
					str("validation_regex", "Regular expression that values match."),
					{Name: "type", Type: cty.String, Required: true, Doc: "`String`, `Integer`, `Boolean`, `Enum`, `Secret` and the like."},
					{Name: "required", Type: cty.Bool, Default: cty.False, Doc: "Whether it must be given."},
					str("default_value", "What it is when it is not given."),
					{Name: "allowed_values", Type: cty.Set(cty.String), Doc: "Values of an `Enum`."},
				}}}},
		},
	}
}

func operationPolicyName(v cty.Value) error {
	if err := lengthIn(1, 100)(v); err != nil {
		return err
	}
	if strings.ContainsAny(v.AsString(), "/\" \t\n") {
		return fmt.Errorf("%q holds a blank, a slash or a quotation mark, which no name or version of a policy has", v.AsString())
	}
	return nil
}

// lineEnds is the normal form of a text file: lines without what ends them, and nothing after the last.
func lineEnds(v cty.Value) cty.Value {
	return cty.StringVal(strings.TrimRight(strings.ReplaceAll(v.AsString(), "\r\n", "\n"), " \t\n"))
}

// operationPolicy is a common operation policy.
func operationPolicy(p *Provider) engine.Type {
	return &operationPolicies{client: &p.client, table: operationPolicyType(),
		list: &rest.Collection{Client: &p.client, Path: publisher + "/operation-policies", Paging: rest.Paging{Style: rest.LimitOffset}}}
}

// operationPolicies is the type apim_operation_policy. Its ids are name and version, which stay when
// the server's own changes.
type operationPolicies struct {
	client *rest.Client
	table  *schema.Type
	list   *rest.Collection
}

// Schema returns the table.
func (t *operationPolicies) Schema() *schema.Type { return t.table }

func operationPolicyID(v cty.Value) string {
	return knownString(v, "name") + "/" + knownString(v, "version")
}

// Find finds a policy by name and version.
func (t *operationPolicies) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	return t.Read(ctx, operationPolicyID(wanted))
}

// Read reads a policy with its templates.
func (t *operationPolicies) Read(ctx context.Context, id string) (*engine.Object, error) {
	raw, err := t.item(ctx, id)
	if err != nil {
		return nil, err
	}
	uuid, _ := raw["id"].(string)
	res, err := t.client.Do(ctx, rest.Request{Path: t.list.URL(uuid) + "/content", Accept: "application/zip"})
	if err != nil {
		return nil, err
	}
	synapse, gateway, err := policyFiles(res.Body)
	if err != nil {
		return nil, fmt.Errorf("operation policy %s: reading what the server sent: %w", id, err)
	}
	for name, text := range map[string]*string{"synapseDefinition": synapse, "gatewayDefinition": gateway} {
		if text != nil {
			raw[name] = *text
		}
	}
	raw["policyId"], raw["id"] = uuid, id
	list, _ := raw["supportedApiTypes"].([]any)
	names := make([]any, 0, len(list))
	for _, x := range list { // strings, or objects that say more (apim-behaviour 5.8)
		if m, ok := x.(map[string]any); ok {
			x = m["apiType"]
		}
		names = append(names, x)
	}
	raw["supportedApiTypes"] = names
	v, err := rest.Decode(&t.table.Block, raw)
	if err != nil {
		return nil, fmt.Errorf("operation policy %s: reading what the server sent: %w", id, err)
	}
	return &engine.Object{ID: id, Value: v}, nil
}

// item finds a policy in the list, by name and version.
func (t *operationPolicies) item(ctx context.Context, id string) (map[string]any, error) {
	name, version, ok := strings.Cut(id, "/")
	if ok {
		// The query of this list is a language of its own, and no answer to it is 404 [seen], so all are read.
		for raw, err := range t.list.Elements(ctx, nil) {
			if err != nil {
				return nil, err
			}
			if raw["name"] == name && raw["version"] == version {
				return raw, nil
			}
		}
	}
	return nil, fmt.Errorf("operation policy %s: %w", id, engine.ErrNotFound)
}

// policyFiles returns the templates in the archive of a policy.
func policyFiles(archive []byte) (synapse, gateway *string, err error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, nil, err
	}
	for _, f := range z.File {
		var to **string
		switch path.Ext(f.Name) {
		case ".j2", ".xml":
			to = &synapse
		case ".gotmpl":
			to = &gateway
		default:
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, nil, err
		}
		text, err := io.ReadAll(io.LimitReader(r, 16<<20))
		_ = r.Close()
		if err != nil {
			return nil, nil, err
		}
		s := string(text)
		*to = &s
	}
	return synapse, gateway, nil
}

// upload makes a policy.
func (t *operationPolicies) upload(ctx context.Context, planned cty.Value) error {
	data := rest.Encode(&t.table.Block, planned)
	for _, name := range []string{"synapseDefinition", "gatewayDefinition"} {
		delete(data, name)
	}
	if data["policyAttributes"] == nil {
		data["policyAttributes"] = []any{}
	}
	if data["description"] == nil {
		data["description"] = ""
	}
	spec, err := json.Marshal(map[string]any{"type": "operation_policy_specification", "version": "v4.5.0", "data": data})
	if err != nil {
		return rest.Unwritten(err)
	}
	name := knownString(planned, "name")
	parts := []formPart{{"policySpecFile", name + ".json", string(spec)}}
	if s := knownString(planned, "synapse_definition"); s != "" {
		parts = append(parts, formPart{"synapsePolicyDefinitionFile", name + ".j2", s})
	}
	if s := knownString(planned, "gateway_definition"); s != "" {
		parts = append(parts, formPart{"ccPolicyDefinitionFile", name + ".gotmpl", s})
	}
	return t.client.Call(ctx, formRequest(http.MethodPost, t.list.Path, parts...), nil)
}

// Create makes a policy.
func (t *operationPolicies) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	if err := t.upload(ctx, planned); err != nil {
		return nil, err
	}
	return t.written(ctx, planned)
}

func (t *operationPolicies) written(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	id := operationPolicyID(planned)
	o, err := t.Read(ctx, id)
	if err != nil {
		return &engine.Object{ID: id, Value: settled(planned)}, fmt.Errorf("the policy was stored and could not be read: %w", rest.Unfound(err))
	}
	return o, notStored(&t.table.Block, t.table.Object(nil), planned, o.Value)
}

// Update deletes a policy and makes it again. When the new one is refused, the former is put back.
func (t *operationPolicies) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, err := t.Read(ctx, live.ID)
	if err != nil {
		return nil, err
	}
	b := &t.table.Block
	if err := rest.Moved(b, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	planned = rest.Rebase(b, live.Value, planned, now.Value)
	if len(rest.Different(b, planned, now.Value)) == 0 {
		return now, nil
	}
	ctx = context.WithoutCancel(ctx) // once begun, it is better ended
	if err := t.Delete(ctx, now); err != nil {
		return nil, err
	}
	err = t.upload(ctx, planned)
	if err == nil {
		return t.written(ctx, planned)
	}
	if t.upload(ctx, now.Value) == nil {
		return now, fmt.Errorf("making the new policy: %w; the former one is back in its place", err)
	}
	// Not wrapped: a refusal would mean that nothing was written.
	return nil, fmt.Errorf("the former policy is deleted, and the new one could not be made; apply again: %s", err)
}

// Delete removes a policy. APIs that use it keep their copies (apim-behaviour 5.8).
func (t *operationPolicies) Delete(ctx context.Context, live *engine.Object) error {
	raw, err := t.item(ctx, live.ID)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	uuid, _ := raw["id"].(string)
	err = t.client.Call(ctx, rest.Request{Method: http.MethodDelete, Path: t.list.URL(uuid)}, nil)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}

// CheckPlan refuses parameters whose default is none of their values.
func (t *operationPolicies) CheckPlan(_ context.Context, planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	for i := range planned {
		for _, p := range knownList(planned[i].After, "parameter") {
			allowed, value := stringsOf(plain(p, "allowed_values")), knownString(p, "default_value")
			if writes(planned[i].Action) && len(allowed) > 0 && value != "" && !slices.Contains(allowed, value) {
				out = append(out, engine.PlanProblem{Index: i, Attribute: "parameter", Summary: "Default that is not allowed",
					Detail: fmt.Sprintf("The parameter %q has the default %q, which is none of its allowed values %s. Set one of these.", knownString(p, "name"), value, listed(allowed))})
			}
		}
	}
	return out
}
