package apim

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// tenantMembers are the members of a tenant's configuration as a server makes it.
var tenantMembers = []string{
	"AllowSubscriptionValidationDisabling", "DefaultRoles", "EnableMonetization", "EnableRecommendation", "ExtensionHandlerPosition",
	"IsUnlimitedTierPaid", "Meta", "Notifications", "NotificationsEnabled", "RESTAPIScopes", "RoleMappings", "SelfSignUp",
}

// tenantConfigType is the table of apim_tenant_config (apim-behaviour 3.9).
func tenantConfigType() *schema.Type {
	return &schema.Type{
		Name: "apim_tenant_config",
		Doc: "One place in the configuration of the tenant, the JSON document under Advanced in the admin portal. All other places are left alone. " +
			"A place that a server has from the start (such as `/EnableMonetization` or `/SelfSignUp/SignUpRoles`) is adopted and gets back its former " +
			"value when it is let go; one that is added is removed. The roles of scopes are `apim_system_scope`, aliases of roles `apim_role_alias`.",
		Key:   []string{"path"},
		Check: checkTenantConfig,
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The path."},
			{Name: "path", Type: cty.String, Required: true, RequiresReplace: true, Validate: pointer,
				Doc: "Where it is, as a JSON pointer: members after `/`, in which `~1` is a slash and `~0` a tilde. Lists are one value: their elements have no paths."},
			{Name: "value", Type: cty.String, Required: true, Validate: isJSON, Normalize: canonicalDocument,
				Doc: "What is there, as JSON, such as `jsonencode(true)` or `jsonencode([\"Internal/subscriber\"])`. An object is managed whole."},
		}},
	}
}

// tenantConfig is a place in the tenant's configuration.
func tenantConfig(p *Provider) engine.Type {
	return &tenantConfigs{&entries{client: &p.client, table: tenantConfigType(), path: admin + "/tenant-config",
		id:     func(v cty.Value) string { return knownString(v, "path") },
		all:    places,
		set:    setPlace,
		remove: removePlace,
		system: func(id string) bool { return slices.Contains(tenantMembers, segments(id)[0]) },
		refused: func(err error) error {
			if rest.CodeOf(err) == "902001" {
				return &engine.AttributeError{Attribute: "value", Summary: "Value not accepted", Err: err}
			}
			return err
		},
	}}
}

// tenantConfigs is the type apim_tenant_config.
type tenantConfigs struct{ *entries }

// CheckPlan refuses blocks that manage what another manages as a part.
func (t *tenantConfigs) CheckPlan(_ context.Context, planned []engine.Planned) []engine.PlanProblem {
	at := map[string]string{} // addresses by paths
	for i := range planned {
		if p := &planned[i]; isObject(p.After) {
			at[knownString(p.After, "path")] = p.Address
		}
	}
	var out []engine.PlanProblem
	for i := range planned {
		p := &planned[i]
		if !isObject(p.After) {
			continue
		}
		path := knownString(p.After, "path")
		for j := strings.LastIndexByte(path, '/'); j > 0; j = strings.LastIndexByte(path[:j], '/') {
			if other, ok := at[path[:j]]; ok {
				out = append(out, engine.PlanProblem{Index: i, Attribute: "path", Summary: "Place within another",
					Detail: fmt.Sprintf("%s manages %s whole, and %s is a part of it. Move the value there, or split the other block into parts.", other, path[:j], path)})
			}
		}
	}
	return out
}

// segments returns the members that a pointer goes down by.
func segments(path string) []string {
	names := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i := range names {
		names[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(names[i])
	}
	return names
}

// places yields every member of a document at every depth, by its pointer.
func places(doc map[string]any) iter.Seq2[string, map[string]any] {
	return func(yield func(string, map[string]any) bool) {
		var walk func(at string, m map[string]any) bool
		walk = func(at string, m map[string]any) bool {
			for _, name := range slices.Sorted(maps.Keys(m)) {
				path := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
				text, _ := json.Marshal(m[name]) // it was JSON
				if !yield(path, map[string]any{"path": path, "value": string(text)}) {
					return false
				}
				if inner, ok := m[name].(map[string]any); ok && !walk(path, inner) {
					return false
				}
			}
			return true
		}
		walk("", doc)
	}
}

// setPlace puts a value into a document, with the objects on the way to it.
func setPlace(doc map[string]any, path string, entry map[string]any) error {
	names := segments(path)
	for i, name := range names[:len(names)-1] {
		inner, ok := doc[name].(map[string]any)
		if !ok {
			if doc[name] != nil {
				return &engine.AttributeError{Attribute: "path", Summary: "Path through a value", Err: fmt.Errorf(
					"the tenant's configuration holds no object at /%s; manage what is there whole", strings.Join(names[:i+1], "/"))}
			}
			inner = map[string]any{}
			doc[name] = inner
		}
		doc = inner
	}
	text, _ := entry["value"].(string)
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return &engine.AttributeError{Attribute: "value", Err: err}
	}
	doc[names[len(names)-1]] = v
	return nil
}

// removePlace takes a value out of a document.
func removePlace(doc map[string]any, path string) {
	names := segments(path)
	for _, name := range names[:len(names)-1] {
		inner, ok := doc[name].(map[string]any)
		if !ok {
			return
		}
		doc = inner
	}
	delete(doc, names[len(names)-1])
}

// pointer refuses what is no JSON pointer to a member.
func pointer(v cty.Value) error {
	path := v.AsString()
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.HasSuffix(path, "/") {
		return fmt.Errorf("%q is no path; begin it with / and put / between members, such as /SelfSignUp/SignUpRoles", path)
	}
	return nil
}

// checkTenantConfig finds places that other types manage. A mistake in the aliases of roles locks
// everybody out, and the server takes it [seen].
func checkTenantConfig(v cty.Value) []schema.Problem {
	path := knownString(v, "path")
	if path == "" {
		return nil
	}
	for member, typ := range map[string]string{"RESTAPIScopes": "apim_system_scope", "RoleMappings": "apim_role_alias"} {
		if segments(path)[0] == member {
			return []schema.Problem{{Path: cty.GetAttrPath("path"), Summary: "Place of another type",
				Detail: fmt.Sprintf("%s is what %s manages entry by entry. Use that type.", path, typ)}}
		}
	}
	return nil
}
