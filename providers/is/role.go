package is

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// The audiences of a role.
const (
	organizationAudience = "organization"
	applicationAudience  = "application"
)

// role is the type of roles, by the v2 endpoint: v1 knows no audience and makes organization roles
// whatever is asked for. Users and groups are added and removed one by one.
type role struct {
	*rest.Collection
}

func newRole(p *Provider) engine.Type {
	return role{&rest.Collection{
		Client: &p.client,
		Type:   roleType(),
		Path:   rolesPath,
		Paging: rest.Paging{Style: rest.SCIM},
		Filter: p.roleFilter,
		Decode: decodeRole,
		Encode: func(body map[string]any) error {
			return encodeRole(body, p.organization)
		},
		ContentType: scimJSON,
		// The answers to POST and PATCH lack permissions, users and groups (is-behaviour 5, 22).
		ReadBack: true,
		System:   systemRole,
	}}
}

func roleType() *schema.Type {
	return &schema.Type{
		Name: "is_role",
		Doc: "A role: permissions that its users and groups have, in the organization or in one application. " +
			"Permissions, users and groups that are left out are left alone.",
		Key:   []string{"display_name", "audience", "application_id"},
		Check: checkRole,
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
			{Name: "display_name", Type: cty.String, Required: true, Validate: roleName,
				Doc: "Name, unique in its audience. API Manager's scopes need roles named `system_primary_<role>`, which the server allows with " +
					"`[role_mgt] allow_system_prefix_for_role = true`."},
			{Name: "audience", Type: cty.String, RequiresReplace: true, Default: cty.StringVal(organizationAudience), JSON: "audience/type",
				Enum: []string{organizationAudience, applicationAudience}, Doc: "Where the role counts: `organization` (the default) or one `application`."},
			{Name: "application_id", Type: cty.String, RequiresReplace: true, Parent: true, Default: cty.StringVal(""),
				Doc: "Id of the application, for the audience `application`. The role is deleted with it."},
			{Name: "audience_id", Type: cty.String, ReadOnly: true, JSON: "audience/value", Doc: "Id of the organization or application."},
			{Name: "audience_name", Type: cty.String, ReadOnly: true, JSON: "audience/display", Doc: "Name of the organization or application."},
			{Name: "permissions", Type: cty.Set(cty.String), Doc: "All permissions: names of scopes of API resources; for an application, of those it is authorised for."},
			{Name: "users", Type: cty.Set(cty.String), Doc: "Ids of all users that have the role directly."},
			{Name: "groups", Type: cty.Set(cty.String), Doc: "Ids of all groups that have the role, of identity providers too."},
		}},
	}
}

func roleName(v cty.Value) error {
	switch name := v.AsString(); {
	case name == "":
		return errors.New("the name is empty")
	case strings.Contains(name, "/"):
		return errors.New("the server allows no \"/\" in the name of a role; the roles of version 2 have no domain such as Internal/")
	}
	return nil
}

// checkRole refuses an application role without its application, which the server would silently
// make a role of the organization (is-behaviour 5), and the reverse.
func checkRole(v cty.Value) []schema.Problem {
	v, _ = v.UnmarkDeep()
	audience, application := v.GetAttr("audience"), v.GetAttr("application_id")
	if !audience.IsKnown() || !application.IsKnown() || audience.IsNull() {
		return nil
	}
	has := !application.IsNull() && application.AsString() != ""
	switch {
	case audience.AsString() == applicationAudience && !has:
		return []schema.Problem{{
			Path: cty.GetAttrPath("audience"), Summary: "Missing application",
			Detail: "A role of the audience \"application\" belongs to one application. Set application_id to its id.",
		}}
	case audience.AsString() == organizationAudience && has:
		return []schema.Problem{{
			Path: cty.GetAttrPath("application_id"), Summary: "Application of an organization role",
			Detail: "A role of the audience \"organization\" belongs to no application. Set audience to \"application\", or remove application_id.",
		}}
	}
	return nil
}

func (p *Provider) roleFilter(wanted cty.Value) url.Values {
	audience := stringOf(wanted, "application_id")
	if audience == "" {
		audience = p.organization
	}
	return url.Values{
		"filter":             {"displayName eq " + quote(stringOf(wanted, "display_name")) + " and audience.value eq " + quote(audience)},
		"excludedAttributes": {"users"},
	}
}

func decodeRole(object map[string]any) error {
	application := ""
	if audience, ok := object["audience"].(map[string]any); ok {
		kind, _ := audience["type"].(string)
		kind = strings.ToLower(kind)
		audience["type"] = kind
		if id, ok := audience["value"].(string); ok && kind == applicationAudience {
			application = id
		}
	}
	object["applicationId"] = application
	for _, name := range []string{"permissions", "users", "groups"} {
		object[name] = values(object[name])
	}
	return nil
}

func encodeRole(body map[string]any, organization string) error {
	audience, _ := body["audience"].(map[string]any)
	if audience == nil {
		audience = map[string]any{"type": organizationAudience}
		body["audience"] = audience
	}
	audience["value"] = organization
	if audience["type"] == applicationAudience {
		audience["value"] = body["applicationId"]
	}
	delete(body, "applicationId")
	for _, name := range []string{"permissions", "users", "groups"} {
		if list := references(body[name]); len(list) > 0 {
			body[name] = list
		} else {
			delete(body, name)
		}
	}
	body["schemas"] = []string{"urn:ietf:params:scim:schemas:extension:2.0:Role"}
	return nil
}

// systemRole reports whether the server made the role and forbids to rename or delete it. Not all
// builds mark them, so they are known by name too (is-behaviour 21).
func systemRole(object map[string]any) bool {
	if meta, ok := object["meta"].(map[string]any); ok {
		switch meta["systemRole"] {
		case true, "true":
			return true
		}
	}
	audience, _ := object["audience"].(map[string]any)
	name, _ := object["displayName"].(string)
	if audience["type"] == organizationAudience {
		return name == "admin" || name == "everyone" || name == "system"
	}
	display, _ := audience["display"].(string)
	return display == "Console" && (name == "Administrator" || name == "Impersonator")
}

// Update changes the role. Permissions are replaced as a whole, since adding to them has dropped the
// others in some builds (is-behaviour 5, issue 21628); a set that the configuration names is whole
// anyway. Users and groups change by delta: a replace of users makes the server read and write the
// whole role, and one of groups does not touch those of identity providers.
func (r role) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, _, err := r.Current(ctx, live, planned)
	if err != nil {
		return nil, err
	}
	planned = rest.Rebase(&r.Type.Block, live.Value, planned, now.Value)
	var ops []operation
	if name := stringOf(planned, "display_name"); name != stringOf(now.Value, "display_name") {
		ops = append(ops, operation{Op: "replace", Path: "displayName", Value: name})
	}
	if add, remove := delta(now.Value, planned, "permissions"); len(add)+len(remove) > 0 {
		ops = append(ops, operation{Op: "replace", Path: "permissions", Value: references(rest.EncodeValue(planned.GetAttr("permissions")))})
	}
	for _, list := range []string{"users", "groups"} {
		add, remove := delta(now.Value, planned, list)
		for _, id := range remove {
			ops = append(ops, operation{Op: "remove", Path: list + "[value eq " + quote(id) + "]"})
		}
		for len(add) > 0 {
			n := min(len(add), membersPerRequest)
			part := make([]any, n)
			for i, id := range add[:n] {
				part[i] = map[string]any{"value": id}
			}
			ops = append(ops, operation{Op: "add", Path: list, Value: part})
			add = add[n:]
		}
	}
	return patchInParts(ctx, r.Collection, live.ID, ops, planned)
}

// goneAfter returns nil when the object is gone, and err, the answer to its deletion, when not.
func goneAfter(ctx context.Context, c *rest.Collection, id string, err error) error {
	if _, read := c.Read(ctx, id); errors.Is(read, engine.ErrNotFound) {
		return nil
	}
	return err
}
