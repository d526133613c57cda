package is

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// authorizedAPI is the type of API resources that an application may call. Its scopes change by
// difference: taking them away and giving them back would take them from the application's roles
// (is-behaviour 5, 9).
type authorizedAPI struct {
	client *rest.Client
	table  *schema.Type
}

func newAuthorizedAPI(c *rest.Client) engine.Type {
	return authorizedAPI{client: c, table: authorizedAPIType()}
}

// The policies of an authorised API, as they are asked for. The server shows them in capitals.
const (
	rolePolicy = "RBAC"
	noPolicy   = "No Policy"
)

func authorizedAPIType() *schema.Type {
	return &schema.Type{
		Name: "is_application_authorized_api",
		Doc: "An API resource that an application may call, with the scopes that it may ask for. Scopes are added and taken away one by one, so that the " +
			"roles of the application keep those that stay. Its id for `import` is `APPLICATION-ID/API-RESOURCE-ID`.",
		Key: []string{"application_id", "api_resource_id"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "`APPLICATION-ID/API-RESOURCE-ID`."},
			{Name: "application_id", Type: cty.String, Required: true, RequiresReplace: true, Parent: true, Doc: "Id of the application."},
			{Name: "api_resource_id", Type: cty.String, Required: true, RequiresReplace: true, Parent: true, Doc: "Id of the API resource."},
			{Name: "policy", Type: cty.String, RequiresReplace: true, Enum: []string{rolePolicy, noPolicy}, Default: cty.StringVal(rolePolicy), Normalize: upper,
				Doc: "`RBAC` (the default), by which users get the scopes that their roles have, or `No Policy`, which only APIs take that require no authorization."},
			{Name: "scopes", Type: cty.Set(cty.String), Doc: "Names of all scopes that the application may ask for."},
			{Name: "authorization_details_types", Type: cty.Set(cty.String), Doc: "All types of authorization details that the application may ask for."},
			{Name: "identifier", Type: cty.String, ReadOnly: true, Doc: "Identifier of the API resource."},
			{Name: "name", Type: cty.String, ReadOnly: true, Doc: "Name of the API resource."},
			{Name: "type", Type: cty.String, ReadOnly: true, Doc: "`BUSINESS`, or a type of the server's own APIs."},
		}},
	}
}

// Schema returns the table.
func (t authorizedAPI) Schema() *schema.Type { return t.table }

func authorizedPath(application string) string {
	return applicationPath(application) + "/authorized-apis"
}

// splitAuthorizedID splits an object's id into those of the application and of the API resource.
func splitAuthorizedID(id string) (application, resource string, err error) {
	application, resource, ok := strings.Cut(id, "/")
	if !ok || application == "" || resource == "" || strings.Contains(resource, "/") {
		return "", "", fmt.Errorf("the id of an authorised API is APPLICATION-ID/API-RESOURCE-ID, and %q is not: %w", id, engine.ErrNotFound)
	}
	return application, resource, nil
}

// Find returns the authorisation of the application for the API resource.
func (t authorizedAPI) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	return t.read(ctx, stringOf(wanted, "application_id"), stringOf(wanted, "api_resource_id"))
}

// Read returns the authorisation with the id APPLICATION-ID/API-RESOURCE-ID.
func (t authorizedAPI) Read(ctx context.Context, id string) (*engine.Object, error) {
	application, resource, err := splitAuthorizedID(id)
	if err != nil {
		return nil, err
	}
	return t.read(ctx, application, resource)
}

func (t authorizedAPI) read(ctx context.Context, application, resource string) (*engine.Object, error) {
	var list []struct {
		ID         string `json:"id"`
		Identifier string `json:"identifier"`
		Name       string `json:"displayName"`
		Policy     string `json:"policyId"`
		Type       string `json:"type"`
		Scopes     []struct {
			Name string `json:"name"`
		} `json:"authorizedScopes"`
		Details []struct {
			Type string `json:"type"`
		} `json:"authorizedAuthorizationDetailsTypes"`
	}
	// A 404 says that the application is gone, and with it what it was authorised for.
	if err := t.client.Get(ctx, authorizedPath(application), nil, &list); err != nil {
		return nil, err
	}
	for _, a := range list {
		if a.ID != resource {
			continue
		}
		var scopes, details []string
		for _, s := range a.Scopes {
			scopes = append(scopes, s.Name)
		}
		for _, d := range a.Details {
			details = append(details, d.Type)
		}
		policy := a.Policy
		for _, known := range []string{rolePolicy, noPolicy} {
			if strings.EqualFold(policy, known) {
				policy = known
			}
		}
		id := application + "/" + resource
		return &engine.Object{ID: id, Value: t.table.Object(map[string]cty.Value{
			"id": cty.StringVal(id), "application_id": cty.StringVal(application), "api_resource_id": cty.StringVal(resource),
			"policy": cty.StringVal(policy), "scopes": stringSet(scopes), "authorization_details_types": stringSet(details),
			"identifier": cty.StringVal(a.Identifier), "name": cty.StringVal(a.Name), "type": cty.StringVal(a.Type),
		})}, nil
	}
	return nil, fmt.Errorf("application %s is not authorised for API resource %s: %w", application, resource, engine.ErrNotFound)
}

func stringSet(list []string) cty.Value {
	if len(list) == 0 {
		return cty.SetValEmpty(cty.String)
	}
	vals := make([]cty.Value, len(list))
	for i, s := range list {
		vals[i] = cty.StringVal(s)
	}
	return cty.SetVal(vals)
}

// Create authorises the application. The answer is 200 without a body, whatever the document says.
func (t authorizedAPI) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	application, resource := stringOf(planned, "application_id"), stringOf(planned, "api_resource_id")
	body := map[string]any{"id": resource, "policyIdentifier": stringOf(planned, "policy"), "scopes": anys(stringsOf(planned.GetAttr("scopes")))}
	if details := stringsOf(planned.GetAttr("authorization_details_types")); len(details) > 0 {
		body["authorizationDetailsTypes"] = anys(details)
	}
	_, err := t.client.Do(ctx, rest.Request{Method: http.MethodPost, Path: authorizedPath(application), Body: body})
	if err != nil {
		return nil, explainAuthorized(err)
	}
	o, err := t.read(ctx, application, resource)
	if err != nil {
		return made(&t.table.Block, application+"/"+resource, planned), fmt.Errorf("the API was authorised, but could not be read: %w", rest.Unfound(err))
	}
	return o, notKept(t.table, cty.NullVal(planned.Type()), planned, o)
}

// explainAuthorized points at the attribute that a refusal speaks of.
func explainAuthorized(err error) error {
	at := func(attribute, summary string) error {
		return &engine.AttributeError{Attribute: attribute, Summary: summary, Err: rest.Unfound(err)}
	}
	switch rest.CodeOf(err) {
	case "APP-60507":
		return at("api_resource_id", "Unknown API resource")
	case "APP-60508":
		return at("scopes", "Unknown scope")
	case "APP-60512":
		return at("policy", "Policy that the API does not take")
	}
	return err
}

// Update changes the scopes by difference.
func (t authorizedAPI) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	application, resource, err := splitAuthorizedID(live.ID)
	if err != nil {
		return nil, err
	}
	now, err := t.read(ctx, application, resource)
	if err != nil {
		return nil, err
	}
	if err := rest.Moved(&t.table.Block, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	planned = rest.Rebase(&t.table.Block, live.Value, planned, now.Value)
	w := &writes{client: t.client, planned: planned}
	o, err := w.result(ctx, live.ID, t.change(ctx, w, application, resource, now.Value, planned), t.Read)
	if err != nil {
		return o, err
	}
	return o, notKept(t.table, now.Value, planned, o)
}

func (t authorizedAPI) change(ctx context.Context, w *writes, application, resource string, now, planned cty.Value) error {
	add, remove := delta(now, planned, "scopes")
	body := map[string]any{"addedScopes": anys(add), "removedScopes": anys(remove)}
	addTypes, removeTypes := delta(now, planned, "authorization_details_types")
	if len(addTypes)+len(removeTypes) > 0 {
		body["addedAuthorizationDetailsTypes"], body["removedAuthorizationDetailsTypes"] = anys(addTypes), anys(removeTypes)
	}
	if len(add)+len(remove)+len(addTypes)+len(removeTypes) == 0 {
		return nil
	}
	_, err := w.send(ctx, rest.Request{Method: http.MethodPatch, Path: authorizedPath(application) + "/" + url.PathEscape(resource), Body: body, Idempotent: true})
	return explainAuthorized(err)
}

// Delete takes the authorisation away; that of a missing one is answered 204 too.
func (t authorizedAPI) Delete(ctx context.Context, live *engine.Object) error {
	application, resource, err := splitAuthorizedID(live.ID)
	if err != nil {
		return nil // no object has such an id
	}
	_, err = t.client.Do(ctx, rest.Request{Method: http.MethodDelete, Path: authorizedPath(application) + "/" + url.PathEscape(resource)})
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}

// Consequence says which scopes the roles of the application lose.
func (t authorizedAPI) Consequence(action engine.Action, before, after cty.Value) string {
	before, _ = before.UnmarkDeep()
	after, _ = after.UnmarkDeep()
	var lost []string
	switch action {
	case engine.Delete, engine.Replace:
		lost = stringsOf(before.GetAttr("scopes"))
	case engine.Update:
		_, lost = delta(before, after, "scopes")
	}
	if len(lost) == 0 {
		return ""
	}
	return fmt.Sprintf("The roles of the application lose the scopes %s.", strings.Join(lost, ", "))
}
