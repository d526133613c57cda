package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// testTypes returns a small world: one provider "is" with users, groups and roles, one "apim" with
// key managers, and a data source that has no resource.
func testTypes() schema.Set {
	set := schema.NewSet()
	set.Providers["is"] = schema.Block{Attributes: []schema.Attribute{
		{Name: "endpoint", Type: cty.String},
		{Name: "username", Type: cty.String},
		{Name: "password", Type: cty.String, Sensitive: true},
		{Name: "timeout", Type: cty.Number, Default: cty.NumberIntVal(30)},
	}}
	set.Providers["apim"] = schema.Block{Attributes: []schema.Attribute{{Name: "endpoint", Type: cty.String}}}
	set.Add(&schema.Type{
		Name: "is_user",
		Key:  []string{"name", "user_store"},
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true},
				{Name: "name", Type: cty.String, Required: true, RequiresReplace: true,
					Validate: func(v cty.Value) error {
						if strings.Contains(v.AsString(), " ") {
							return errors.New("a name has no spaces")
						}
						return nil
					}},
				{Name: "user_store", Type: cty.String, Default: cty.StringVal("PRIMARY"), RequiresReplace: true},
				{Name: "password", Type: cty.String, Sensitive: true, WriteOnly: true,
					Validate: func(v cty.Value) error {
						if len(v.AsString()) < 8 {
							return errors.New("\"" + v.AsString() + "\" is shorter than 8 characters")
						}
						return nil
					}},
				{Name: "emails", Type: cty.List(cty.String)},
				{Name: "roles", Type: cty.Set(cty.String)},
				{Name: "attributes", Type: cty.Map(cty.String)},
				{Name: "locked", Type: cty.Bool},
				{Name: "age", Type: cty.Number},
				{Name: "status", Type: cty.String, Enum: []string{"ACTIVE", "LOCKED"}},
				{Name: "tags", Type: cty.Set(cty.String), Enum: []string{"staff", "guest"}},
			},
			Blocks: []schema.NestedBlock{
				{Name: "phone", Nesting: schema.List, Key: []string{"kind"}, Block: schema.Block{
					Attributes: []schema.Attribute{
						{Name: "kind", Type: cty.String, Required: true, Enum: []string{"home", "work"}},
						{Name: "number", Type: cty.String},
						{Name: "primary", Type: cty.Bool, Default: cty.False},
					},
				}},
				{Name: "address", Nesting: schema.Single, Block: schema.Block{
					Attributes: []schema.Attribute{{Name: "street", Type: cty.String}},
				}},
			},
		},
		Check: func(v cty.Value) []schema.Problem {
			name, _ := v.GetAttr("name").Unmark()
			if name.IsKnown() && !name.IsNull() && name.AsString() == "root" {
				return []schema.Problem{{
					Path: cty.GetAttrPath("name"), Summary: "Reserved name",
					Detail: "The server keeps the name \"root\" for itself. Choose another one.",
				}}
			}
			return nil
		},
	})
	set.Add(&schema.Type{
		Name: "is_group",
		Key:  []string{"name"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true},
			{Name: "name", Type: cty.String, Required: true},
			{Name: "members", Type: cty.Set(cty.String)},
		}},
	})
	set.Add(&schema.Type{
		Name: "apim_key_manager",
		Key:  []string{"name"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true},
			{Name: "name", Type: cty.String, Required: true},
			{Name: "issuer", Type: cty.String},
		}},
	})
	set.Add(&schema.Type{
		Name:     "is_discovery",
		DataOnly: true,
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "tenant", Type: cty.String},
			{Name: "issuer", Type: cty.String, ReadOnly: true},
		}},
	})
	return set
}

func TestTypesAreLegal(t *testing.T) {
	set := testTypes()
	for _, types := range []map[string]*schema.Type{set.Resources, set.Data} {
		for _, typ := range types {
			if err := typ.Validate(); err != nil {
				t.Errorf("%s: %s", typ.Name, err)
			}
		}
	}
}
