package apim

import (
	"context"
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// systemScopeType is the table of apim_system_scope (apim-behaviour 3.9).
func systemScopeType() *schema.Type {
	return &schema.Type{
		Name: "apim_system_scope",
		Doc: "Which roles may have a scope of API Manager's own portals and REST APIs, such as `apim:api_publish`. The scopes are the server's: " +
			"one that is named is adopted, never created or deleted, and when it is let go it gets back the roles that it had. API Manager keeps " +
			"all of them in one list; those of other scopes are left alone.",
		Key: []string{"name"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The name."},
			{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, Validate: lengthIn(1, 255), Doc: "Name of the scope."},
			{Name: "roles", Type: cty.Set(cty.String), Required: true, Validate: plainNames, Doc: "Roles whose users may have it. API Manager does not check that they exist."},
			{Name: "description", Type: cty.String, ReadOnly: true, Doc: "What it opens."},
			{Name: "portal", Type: cty.String, ReadOnly: true, JSON: "tag", Doc: "Portal that it is of: `publisher`, `devportal`, `admin` or `service-catalog`."},
		}},
	}
}

// systemScope is who may have a scope of the portals.
func systemScope(p *Provider) engine.Type {
	t := &entries{client: &p.client, table: systemScopeType(), path: admin + "/system-scopes",
		id:     func(v cty.Value) string { return knownString(v, "name") },
		system: func(string) bool { return true }}
	t.all, t.set, t.remove = listEntries("name")
	return &systemScopes{t}
}

// systemScopes is the type apim_system_scope: entries that are all there from the start.
type systemScopes struct{ *entries }

// Create fails: API Manager takes a scope that it does not know, keeps it, and never shows it [seen].
func (t *systemScopes) Create(_ context.Context, planned cty.Value) (*engine.Object, error) {
	return nil, rest.Unwritten(&engine.AttributeError{Attribute: "name", Summary: "Unknown scope", Err: fmt.Errorf(
		"API Manager has no scope %q in its portals and REST APIs; name one that its admin portal lists under scope assignments", t.id(planned))})
}

// CheckPlan refuses scopes that the server does not have.
func (t *systemScopes) CheckPlan(_ context.Context, planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	for i := range planned {
		if p := &planned[i]; p.Action == engine.Create {
			out = append(out, engine.PlanProblem{Index: i, Attribute: "name", Summary: "Unknown scope", Detail: fmt.Sprintf(
				"API Manager has no scope %q in its portals and REST APIs, and none can be added. Name one that its admin portal lists under scope assignments.", knownString(p.After, "name"))})
		}
	}
	return out
}

// Delete fails: the engine lets go of scopes and does not delete them.
func (t *systemScopes) Delete(_ context.Context, live *engine.Object) error {
	return rest.Unwritten(fmt.Errorf("scope %q is the server's own and is not deleted", live.ID))
}
