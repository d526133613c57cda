package apim

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// roleAliasType is the table of apim_role_alias (apim-behaviour 3.9).
func roleAliasType() *schema.Type {
	return &schema.Type{
		Name: "apim_role_alias",
		Doc: "Roles of another user store that count as one of API Manager's in its own portals, such as `api-designer` for `Internal/creator`. " +
			"API Manager keeps all aliases in one list; those of other roles are left alone.",
		Key: []string{"role"},
		Check: func(v cty.Value) []schema.Problem {
			role := knownString(v, "role")
			for _, e := range knownList(v, "aliases") {
				if e, _ = e.Unmark(); isKnown(e) && e.AsString() == role {
					return []schema.Problem{{Path: cty.GetAttrPath("aliases"), Summary: "Role as its own alias",
						Detail: fmt.Sprintf("%q stands for itself anyway, and API Manager does not show it among its aliases. Drop it there.", role)}}
				}
			}
			return nil
		},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The role."},
			{Name: "role", Type: cty.String, Required: true, RequiresReplace: true, Validate: plainRole, Doc: "Role that API Manager knows. It does not check that it exists."},
			{Name: "aliases", Type: cty.Set(cty.String), Required: true, Validate: plainNames, Doc: "Roles that count as it."},
		}},
	}
}

// roleAlias is what counts as a role.
func roleAlias(p *Provider) engine.Type {
	t := &entries{client: &p.client, table: roleAliasType(), path: admin + "/system-scopes/role-aliases",
		id: func(v cty.Value) string { return knownString(v, "role") }}
	t.all, t.set, t.remove = listEntries("role")
	return t
}

// plainRole refuses names that API Manager would cut: it keeps lists of roles as one text, cut at
// commas and trimmed.
func plainRole(v cty.Value) error {
	s := v.AsString()
	if s == "" || strings.TrimSpace(s) != s || strings.Contains(s, ",") {
		return fmt.Errorf("%q is empty, holds a comma, or has blanks about it", s)
	}
	return nil
}
