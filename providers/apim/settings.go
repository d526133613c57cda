package apim

import (
	"context"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// propertyObject is a property that a connector takes.
var propertyObject = cty.Object(map[string]cty.Type{
	"name": cty.String, "label": cty.String, "type": cty.String, "tooltip": cty.String, "required": cty.Bool, "mask": cty.Bool, "multiple": cty.Bool,
	"default": cty.String, "values": cty.List(cty.String),
})

// settingsType is the table of the data source apim_settings (apim-behaviour 3.9).
func settingsType() *schema.Type {
	const properties = "`name`, `label`, `type`, `tooltip`, `required`, `mask` (whether it is a secret), `multiple`, `default` and `values`; what is no text is JSON"
	return &schema.Type{
		Name:     "apim_settings",
		DataOnly: true,
		Doc:      "What the server can do: the connectors of key managers that are installed and what they take, kinds of gateways, and scopes.",
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "scopes", Type: cty.Set(cty.String), ReadOnly: true, Doc: "Scopes of the admin API."},
			{Name: "gateway_types", Type: cty.Set(cty.String), ReadOnly: true, Doc: "Kinds of gateway that are enabled, such as `Regular`."},
			{Name: "analytics_enabled", Type: cty.Bool, ReadOnly: true, Doc: "Whether analytics are on."},
			{Name: "jwt_for_login_tokens", Type: cty.Bool, ReadOnly: true, JSON: "IsJWTEnabledForLoginTokens", Doc: "Whether the portals log in with JWTs."},
			{Name: "key_manager_types", Type: cty.List(cty.Object(map[string]cty.Type{
				"type": cty.String, "display_name": cty.String, "default_consumer_key_claim": cty.String, "default_scopes_claim": cty.String,
				"configurations": cty.List(propertyObject), "endpoint_configurations": cty.List(propertyObject),
			})), ReadOnly: true, JSON: "keyManagerConfiguration",
				Doc: "Connectors of key managers: `type`, `display_name`, the claims `default_consumer_key_claim` and `default_scopes_claim`, and the properties in " +
					"`configurations` and `endpoint_configurations`. A property has " + properties + "."},
		}},
	}
}

// settings reads what the server can do.
type settings struct {
	client *rest.Client
	table  *schema.Type
}

func newSettings(p *Provider) engine.Finder { return &settings{&p.client, settingsType()} }

// Schema returns the table.
func (t *settings) Schema() *schema.Type { return t.table }

// Find reads the settings.
func (t *settings) Find(ctx context.Context, _ cty.Value) (*engine.Object, error) {
	var raw map[string]any
	if err := t.client.Get(ctx, admin+"/settings", nil, &raw); err != nil {
		return nil, rest.Unfound(err)
	}
	for _, connector := range objects(raw["keyManagerConfiguration"]) {
		for _, list := range []string{"configurations", "endpointConfigurations"} {
			for _, p := range objects(connector[list]) {
				// Both may be of any shape.
				if text, ok := propertyText(p["default"]); ok {
					p["default"] = text
				} else {
					delete(p, "default")
				}
				values, _ := p["values"].([]any)
				for i := range values {
					values[i], _ = propertyText(values[i])
				}
			}
		}
	}
	v, err := rest.Decode(&t.table.Block, raw)
	if err != nil {
		return nil, err
	}
	return &engine.Object{ID: "settings", Value: v}, nil
}
