package is

import (
	"context"
	"encoding/json"
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

// apiResource is the type of API resources. Scopes change one by one: replacing their set would take
// them from the roles and applications that have them (is-behaviour 9).
type apiResource struct {
	*rest.Collection
}

func newAPIResource(c *rest.Client) engine.Type {
	return apiResource{&rest.Collection{
		Client:       c,
		Type:         apiResourceType(),
		Path:         resourcesPath,
		Decode:       decodeAPIResource,
		Encode:       encodeAPIResource,
		BlankStrings: true,
		System: func(object map[string]any) bool {
			kind, _ := object["type"].(string)
			return !strings.HasPrefix(kind, "BUSINESS")
		},
	}}
}

func apiResourceType() *schema.Type {
	return &schema.Type{
		Name: "is_api_resource",
		Doc: "An API and its scopes, which roles have as permissions and applications are authorised for. Scopes are added, changed and removed " +
			"one by one, so that roles and applications keep those that stay. The server's own APIs cannot be changed.",
		Key:         []string{"identifier"},
		DeleteFirst: true, // the names of scopes are unique in the tenant
		Check:       checkAPIResource,
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
				{Name: "identifier", Type: cty.String, Required: true, RequiresReplace: true, Validate: notBlank,
					Doc: "What clients name it by, such as a URL or `payments`. Unique in the tenant."},
				{Name: "name", Type: cty.String, Required: true, Validate: notBlank, Doc: "Name for people."},
				{Name: "description", Type: cty.String, Doc: "What it is for."},
				{Name: "requires_authorization", Type: cty.Bool, RequiresReplace: true, Default: cty.True,
					Doc: "Whether roles decide who gets its scopes; true by default. Without it, applications may have them under the policy `No Policy`."},
				{Name: "type", Type: cty.String, ReadOnly: true, Doc: "`BUSINESS`; other types are the server's own."},
			},
			Blocks: []schema.NestedBlock{
				{Name: "scope", Nesting: schema.List, Key: []string{"name"}, JSON: "scopes",
					Doc: "A scope. All of them are named here: one that is not is removed, from roles and applications too.",
					Block: schema.Block{Attributes: []schema.Attribute{
						{Name: "name", Type: cty.String, Required: true, Validate: scopeName, Doc: "Name, unique in the tenant, such as `payments:read`. Another name is another scope."},
						{Name: "display_name", Type: cty.String, Validate: notBlank, Doc: "Name for people; the name by default."},
						{Name: "description", Type: cty.String, Doc: "What it allows."},
						{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id."},
					}}},
				{Name: "authorization_details_type", Nesting: schema.List, Key: []string{"type"}, JSON: "authorizationDetailsTypes",
					Doc: "A type of rich authorization details (RFC 9396) that the API understands.",
					Block: schema.Block{Attributes: []schema.Attribute{
						{Name: "type", Type: cty.String, Required: true, Validate: lengthIn(1, 255), Doc: "What clients name it by, such as `payment_initiation`."},
						{Name: "name", Type: cty.String, Required: true, Validate: lengthIn(3, 255), Doc: "Name for people."},
						{Name: "description", Type: cty.String, Default: cty.StringVal(""), Doc: "What it is for."},
						{Name: "schema", Type: cty.String, Required: true, Validate: jsonObject, Normalize: canonicalJSON, Doc: "JSON Schema of the details, as with `jsonencode`."},
						{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id."},
					}}},
			},
		},
	}
}

func notBlank(v cty.Value) error {
	if strings.TrimSpace(v.AsString()) == "" {
		return errors.New("it is empty")
	}
	return nil
}

func lengthIn(from, to int) func(cty.Value) error {
	return func(v cty.Value) error {
		if n := len([]rune(v.AsString())); n < from || n > to {
			return fmt.Errorf("it has %d characters, and the server takes %d to %d", n, from, to)
		}
		return nil
	}
}

// jsonObject refuses what is no JSON object.
func jsonObject(v cty.Value) error {
	var object map[string]any
	if err := json.Unmarshal([]byte(v.AsString()), &object); err != nil {
		return fmt.Errorf("it is no JSON object: %w", err)
	}
	return nil
}

// canonicalJSON is the normal form of JSON: without space, members sorted. What is no JSON stays.
func canonicalJSON(v cty.Value) cty.Value {
	var x any
	d := json.NewDecoder(strings.NewReader(v.AsString()))
	d.UseNumber()
	if d.Decode(&x) != nil {
		return v
	}
	text, err := json.Marshal(x)
	if err != nil {
		return v
	}
	return cty.StringVal(string(text))
}

// openIDScopes are the scopes of OpenID Connect, which no API can have.
var openIDScopes = map[string]bool{"openid": true, "profile": true, "email": true, "phone": true, "address": true, "groups": true, "roles": true}

func scopeName(v cty.Value) error {
	switch name := v.AsString(); {
	case name == "" || strings.ContainsAny(name, " \t\r\n"):
		return fmt.Errorf("%q is no name of a scope: it may not be empty or hold white space", name)
	case strings.HasPrefix(name, "internal_"), strings.HasPrefix(name, "console:"):
		return fmt.Errorf("%q is kept for the server's own scopes: choose another name", name)
	case openIDScopes[name]:
		return fmt.Errorf("%q is a scope of OpenID Connect: choose another name", name)
	}
	return nil
}

func checkAPIResource(v cty.Value) []schema.Problem {
	v, _ = v.UnmarkDeep()
	return append(twice(v, "scope", "name", "scope"),
		twice(v, "authorization_details_type", "type", "type of authorization details")...)
}

func decodeAPIResource(object map[string]any) error {
	for _, list := range []string{"scopes", "authorizationDetailsTypes"} {
		elems, _ := object[list].([]any)
		for _, e := range elems {
			m, ok := e.(map[string]any)
			if !ok {
				continue
			}
			if m["description"] == nil {
				m["description"] = ""
			}
			if document, ok := m["schema"].(map[string]any); ok {
				text, err := json.Marshal(document)
				if err != nil {
					return fmt.Errorf("schema: %w", err)
				}
				m["schema"] = string(text)
			}
		}
	}
	return nil
}

func encodeAPIResource(body map[string]any) error {
	elems, _ := body["authorizationDetailsTypes"].([]any)
	for _, e := range elems {
		m, _ := e.(map[string]any)
		text, ok := m["schema"].(string)
		if !ok {
			continue
		}
		if !json.Valid([]byte(text)) {
			return errors.New("the schema of authorization details is no JSON")
		}
		m["schema"] = json.RawMessage(text)
	}
	return nil
}

// Find looks the API resource up by its identifier. Lists are paged by cursor.
func (r apiResource) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	id, err := findResource(ctx, r.Client, stringOf(wanted, "identifier"), rest.LoginClient)
	if err != nil {
		return nil, err
	}
	return r.Read(ctx, id)
}

// findResource returns the id of the API resource with that identifier, or engine.ErrNotFound.
func findResource(ctx context.Context, c *rest.Client, identifier string, login rest.Login) (string, error) {
	query := eq("identifier", identifier)
	query.Set("limit", "100")
	for {
		var page struct {
			APIResources *[]struct {
				ID         string `json:"id"`
				Identifier string `json:"identifier"`
			} `json:"apiResources"`
			Links []struct {
				Rel  string `json:"rel"`
				Href string `json:"href"`
			} `json:"links"`
		}
		if err := c.Call(ctx, rest.Request{Path: resourcesPath, Query: query, Login: login}, &page); err != nil {
			return "", rest.Unfound(err)
		}
		if page.APIResources == nil {
			return "", fmt.Errorf("GET %s: the answer holds no list of API resources", resourcesPath)
		}
		for _, r := range *page.APIResources {
			if r.Identifier == identifier {
				return r.ID, nil
			}
		}
		after := ""
		for _, link := range page.Links {
			if link.Rel != "next" {
				continue
			}
			// Only the cursor is taken from the link: its path is the server's idea of its own address.
			if u, err := url.Parse(link.Href); err == nil {
				after = u.Query().Get("after")
			}
		}
		if after == "" || after == query.Get("after") || len(*page.APIResources) == 0 {
			return "", fmt.Errorf("API resource %s: %w", identifier, engine.ErrNotFound)
		}
		query.Set("after", after)
	}
}

// Update changes what differs: name, description and what is new by one PATCH, each scope that
// changed by its own, and each that goes by a DELETE. A PATCH with removedScopes is answered 501.
func (r apiResource) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	if live.System {
		return nil, rest.Unwritten(fmt.Errorf("API resource %q is the server's own and cannot be changed", stringOf(live.Value, "identifier")))
	}
	now, _, err := r.Current(ctx, live, planned)
	if err != nil {
		return nil, err
	}
	planned = rest.Rebase(&r.Type.Block, live.Value, planned, now.Value)
	w := &writes{client: r.Client, planned: planned}
	return w.result(ctx, live.ID, r.change(ctx, w, live.ID, now.Value, planned), r.Read)
}

func (r apiResource) change(ctx context.Context, w *writes, id string, now, planned cty.Value) error {
	body := map[string]any{}
	for _, name := range []string{"name", "description"} {
		if want := planned.GetAttr(name); !want.IsNull() && want.IsKnown() && !want.RawEquals(now.GetAttr(name)) {
			body[name] = want.AsString()
		}
	}
	if added := r.added("scope", now, planned); len(added) > 0 {
		body["addedScopes"] = added
	}
	// A type of details has to be made again to get another name or schema: PATCH of one is new in
	// some builds, while adding and removing is in all.
	details := r.Type.NestedBlock("authorization_details_type")
	var added []any
	var removed []string
	for _, want := range elements(planned.GetAttr(details.Name)) {
		have, ok := element(now.GetAttr(details.Name), "type", stringOf(want, "type"))
		if ok && !differs(&details.Block, have, want) {
			continue
		}
		if ok {
			removed = append(removed, stringOf(want, "type"))
		}
		added = append(added, rest.Encode(&details.Block, want))
	}
	for _, have := range elements(now.GetAttr(details.Name)) {
		if _, ok := element(planned.GetAttr(details.Name), "type", stringOf(have, "type")); !ok && planned.GetAttr(details.Name).IsKnown() {
			removed = append(removed, stringOf(have, "type"))
		}
	}
	if len(removed) > 0 {
		// What is removed goes first, in a request of its own, since a type cannot be there twice.
		if _, err := w.send(ctx, rest.Request{Method: http.MethodPatch, Path: r.URL(id), Body: map[string]any{"removedAuthorizationDetailsTypes": removed}, Idempotent: true}); err != nil {
			return err
		}
	}
	if len(added) > 0 {
		body["addedAuthorizationDetailsTypes"] = added
		if err := encodeAPIResource(map[string]any{"authorizationDetailsTypes": added}); err != nil {
			return err
		}
	}
	if len(body) > 0 {
		if _, err := w.send(ctx, rest.Request{Method: http.MethodPatch, Path: r.URL(id), Body: body}); err != nil {
			return err
		}
	}
	return r.changeScopes(ctx, w, id, now, planned)
}

// added returns the blocks of planned that now lacks, as they are sent.
func (r apiResource) added(block string, now, planned cty.Value) []any {
	n := r.Type.NestedBlock(block)
	var list []any
	for _, want := range elements(planned.GetAttr(block)) {
		if _, ok := element(now.GetAttr(block), n.Key[0], stringOf(want, n.Key[0])); !ok {
			list = append(list, rest.Encode(&n.Block, want))
		}
	}
	return list
}

func (r apiResource) changeScopes(ctx context.Context, w *writes, id string, now, planned cty.Value) error {
	scopePath := func(name string) string { return r.URL(id) + "/scopes/" + url.PathEscape(name) }
	for _, want := range elements(planned.GetAttr("scope")) {
		have, ok := element(now.GetAttr("scope"), "name", stringOf(want, "name"))
		if !ok {
			continue
		}
		body := map[string]any{}
		for attribute, member := range map[string]string{"display_name": "displayName", "description": "description"} {
			if x := want.GetAttr(attribute); !x.IsNull() && x.IsKnown() && !x.RawEquals(have.GetAttr(attribute)) {
				body[member] = x.AsString()
			}
		}
		if len(body) == 0 {
			continue
		}
		if _, err := w.send(ctx, rest.Request{Method: http.MethodPatch, Path: scopePath(stringOf(want, "name")), Body: body, Idempotent: true}); err != nil {
			return err
		}
	}
	for _, name := range removedScopes(now, planned) {
		if _, err := w.send(ctx, rest.Request{Method: http.MethodDelete, Path: scopePath(name)}); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	return nil
}

// removedScopes returns the names of scopes that before has and after, if it is known, lacks.
func removedScopes(before, after cty.Value) []string {
	var names []string
	if !after.GetAttr("scope").IsKnown() {
		return nil
	}
	for _, have := range elements(before.GetAttr("scope")) {
		if _, ok := element(after.GetAttr("scope"), "name", stringOf(have, "name")); !ok {
			names = append(names, stringOf(have, "name"))
		}
	}
	return names
}

// Consequence says who loses scopes.
func (r apiResource) Consequence(action engine.Action, before, after cty.Value) string {
	before, _ = before.UnmarkDeep()
	after, _ = after.UnmarkDeep()
	switch action {
	case engine.Delete, engine.Replace:
		if n := len(elements(before.GetAttr("scope"))); n > 0 {
			return fmt.Sprintf("Roles and applications lose the scopes of API resource %q.", stringOf(before, "identifier"))
		}
	case engine.Update:
		if names := removedScopes(before, after); len(names) > 0 {
			return fmt.Sprintf("Roles and applications lose the scopes %s.", strings.Join(names, ", "))
		}
	}
	return ""
}
