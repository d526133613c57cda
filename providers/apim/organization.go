package apim

import (
	"context"
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// organizationType is the table of apim_organization (apim-behaviour 3.7).
func organizationType() *schema.Type {
	return &schema.Type{
		Name: "apim_organization",
		Doc: "An organization of business partners, by which APIs and key managers are shown to some and hidden from others. The identity provider has " +
			"organizations too; `external_id` is what it calls this one in its tokens. The provider's user must belong to an organization itself, " +
			"which becomes the parent.",
		Key: []string{"external_id"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, JSON: "organizationId", Doc: "The server's id, a UUID, by which key managers and APIs name it."},
			{Name: "external_id", Type: cty.String, Required: true, RequiresReplace: true, JSON: "externalOrganizationId", Validate: lengthIn(1, 255),
				Doc: "Id of the organization at the identity provider."},
			{Name: "display_name", Type: cty.String, Validate: lengthIn(1, 255), Doc: "Name shown to people."},
			{Name: "description", Type: cty.String, Validate: lengthIn(0, 1023), Doc: "What it is for."},
			{Name: "parent_id", Type: cty.String, ReadOnly: true, JSON: "parentOrganizationId", Doc: "Id of the organization above it."},
		}},
	}
}

// organization is an organization of business partners.
func organization(p *Provider) engine.Type {
	table := organizationType()
	return &organizations{&rest.Collection{
		Client:       &p.client,
		Type:         table,
		Path:         admin + "/organizations",
		ID:           "organizationId",
		Paging:       rest.Paging{Items: "list"},
		ListComplete: true,
		ReadBack:     true,
		Decode: func(object map[string]any) error {
			blankNulls(&table.Block, object)
			return nil
		},
		Encode: func(object map[string]any) error {
			clearBlanks(&table.Block, object)
			return nil
		},
	}}
}

// organizations is the type apim_organization.
type organizations struct{ *rest.Collection }

// Create makes an organization. APIM 4.5 takes the creation of one that exists as a change of it
// (apim-behaviour 3.7), but the engine has looked for it before.
func (t *organizations) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	o, err := t.Collection.Create(ctx, planned)
	if rest.CodeOf(err) == "901302" {
		return o, &engine.AttributeError{Attribute: "external_id", Summary: "User without an organization", Err: fmt.Errorf(
			"%w; API Manager makes organizations below that of the user, and the provider's user belongs to none: log in as one who does", err)}
	}
	return o, err
}
