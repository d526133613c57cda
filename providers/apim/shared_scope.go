package apim

import (
	"context"
	"fmt"
	"net/http"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// sharedScopeType is the table of apim_shared_scope (apim-behaviour 5.4).
func sharedScopeType() *schema.Type {
	return &schema.Type{
		Name: "apim_shared_scope",
		Doc: "A scope that operations of several APIs demand of tokens. API Manager makes it in every enabled key manager, and says nothing where one of them " +
			"fails; changing it sends it again.",
		Key: []string{"name"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
			{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, Validate: scopeName, Doc: "Name, which tokens hold; operations refer to it."},
			{Name: "display_name", Type: cty.String, Validate: lengthIn(0, 255), Doc: "Name shown to people. The server's default is the name."},
			{Name: "description", Type: cty.String, Validate: lengthIn(0, 512), Doc: "What it allows."},
			{Name: "roles", Type: cty.Set(cty.String), JSON: "bindings", Doc: "Roles that may ask for it; none lets everybody."},
		}},
	}
}

// sharedScope is a scope of several APIs.
func sharedScope(p *Provider) engine.Type {
	return &sharedScopes{provider: p, Collection: &rest.Collection{
		Client:       &p.client,
		Type:         sharedScopeType(),
		Path:         publisher + "/scopes",
		Paging:       rest.Paging{Style: rest.LimitOffset},
		ListComplete: true,
		BlankStrings: true,
		UpdateStrip:  []string{"usageCount"},
		ReadBack:     true,
	}}
}

// sharedScopes is the type apim_shared_scope.
type sharedScopes struct {
	*rest.Collection
	provider *Provider
}

// Create makes a scope. Its display name is the name, which APIM 4.5 demands.
func (t *sharedScopes) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	body := rest.Encode(&t.Type.Block, planned)
	if body["displayName"] == nil {
		body["displayName"] = body["name"]
	}
	var res *rest.Response
	err := t.inTurn(ctx, planned, func() (err error) {
		res, err = t.Client.Do(ctx, rest.Request{Method: http.MethodPost, Path: t.Path, Body: body})
		return err
	})
	if err != nil {
		return nil, t.explain(ctx, planned, err)
	}
	return t.Created(ctx, res, planned)
}

// inTurn makes a write in its turn. One whose roles may change binds it to them.
func (t *sharedScopes) inTurn(ctx context.Context, planned cty.Value, write func() error) error {
	roles := plain(planned, "roles")
	return t.provider.server.inTurn(ctx, scopesIn{any: true, bound: !roles.IsKnown() || len(stringsOf(roles)) > 0}, write)
}

// Update changes a scope.
func (t *sharedScopes) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	var o *engine.Object
	err := t.inTurn(ctx, planned, func() (err error) {
		o, err = t.Collection.Update(ctx, live, planned)
		return err
	})
	return o, t.explain(ctx, planned, err)
}

func (t *sharedScopes) explain(ctx context.Context, planned cty.Value, err error) error {
	if rest.StatusOf(err) != http.StatusBadRequest && rest.StatusOf(err) != http.StatusNotFound {
		return err
	}
	for _, role := range stringsOf(plain(planned, "roles")) {
		if t.provider.roleMissing(context.WithoutCancel(ctx), role) {
			return &engine.AttributeError{Attribute: "roles", Summary: "Unknown role", Err: fmt.Errorf("API Manager knows no role %q: %w", role, err)}
		}
	}
	return err
}

// Delete removes a scope, and says which APIs use one that cannot be removed.
func (t *sharedScopes) Delete(ctx context.Context, live *engine.Object) error {
	err := t.Collection.Delete(ctx, live)
	if rest.StatusOf(err) != http.StatusConflict {
		return err
	}
	if names, uerr := t.Blockers(ctx, live); uerr == nil && len(names) > 0 {
		return fmt.Errorf("scope %q is used by %s: %w", knownString(live.Value, "name"), some(names), err)
	}
	return err
}

// Blockers names the APIs that use a scope.
func (t *sharedScopes) Blockers(ctx context.Context, live *engine.Object) ([]string, error) {
	var out struct {
		APIs []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"usedApiList"`
	}
	err := t.Client.Get(ctx, t.URL(live.ID)+"/usage", nil, &out)
	switch rest.StatusOf(err) {
	case http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden:
		return nil, nil
	}
	var names []string
	for _, a := range out.APIs {
		names = append(names, fmt.Sprintf("API %q %s", a.Name, a.Version))
	}
	return names, err
}

// Consequence says who is refused without a scope.
func (t *sharedScopes) Consequence(action engine.Action, before, _ cty.Value) string {
	if action == engine.Delete || action == engine.Replace {
		return fmt.Sprintf("No token holds the scope %s from then on.", knownString(before, "name"))
	}
	return ""
}
