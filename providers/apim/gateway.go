package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// gatewayREST is the API of the gateway of an all-in-one server (apim-behaviour 6). It takes Basic
// credentials alone.
const gatewayREST = "/api/am/gateway/v2"

// gatewayType is the table of the data source apim_gateway.
func gatewayType() *schema.Type {
	str := func(name, doc string) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.String, ReadOnly: true, Doc: doc}
	}
	return &schema.Type{
		Name:     "apim_gateway",
		DataOnly: true,
		Doc: "What the gateway has loaded of an API or API product, by which a deployment shows to have arrived. It asks the gateway in the process of API Manager; " +
			"others have no such address.",
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "api_id", Type: cty.String, Required: true, Validate: notBlank, Doc: "Id of the API or API product."},
				{Name: "loaded", Type: cty.Bool, ReadOnly: true, Doc: "Whether the gateway has it. Where not, the rest is null."},
				str("name", "Name."), str("version", "Version."), str("context", "Path that it has at the gateway, with the version."),
				str("api_provider", "User that it belongs to."), str("api_type", "What it is, such as `HTTP` or `APIProduct`."),
				str("status", "State of the lifecycle."), str("policy", "Throttling policy of the whole API."),
				{Name: "default_version", Type: cty.Bool, ReadOnly: true, JSON: "isDefaultVersion", Doc: "Whether calls without a version reach it."},
			},
			Blocks: []schema.NestedBlock{
				{Name: "operation", JSON: "urlMappings", Nesting: schema.List, Doc: "An operation.", Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "verb", Type: cty.String, ReadOnly: true, JSON: "httpMethod", Doc: "Method."},
					{Name: "target", Type: cty.String, ReadOnly: true, JSON: "urlPattern", Doc: "Path."},
					{Name: "auth_type", Type: cty.String, ReadOnly: true, JSON: "authScheme", Doc: "Who may call."},
					{Name: "throttling_policy", Type: cty.String, ReadOnly: true, Doc: "Throttling policy."},
					{Name: "scopes", Type: cty.Set(cty.String), ReadOnly: true, Doc: "Scopes that it demands."},
				}}},
				{Name: "subscription", JSON: "subscripitons", Nesting: schema.List, Doc: "A subscription.", Block: schema.Block{Attributes: []schema.Attribute{ // spelt so by the contract
					{Name: "policy", Type: cty.String, ReadOnly: true, JSON: "subscriptionPolicy", Doc: "Throttling policy."},
					{Name: "status", Type: cty.String, ReadOnly: true, Doc: "Whether calls pass."},
					{Name: "application_id", Type: cty.String, ReadOnly: true, JSON: "application/uuid", Doc: "Id of the application."},
					{Name: "application", Type: cty.String, ReadOnly: true, JSON: "application/name", Doc: "Name of the application."},
				}}},
			},
		},
	}
}

// gatewayData asks what the gateway has loaded.
type gatewayData struct {
	client *rest.Client
	table  *schema.Type
}

func newGateway(p *Provider) engine.Finder { return &gatewayData{&p.client, gatewayType()} }

// Schema returns the table.
func (t *gatewayData) Schema() *schema.Type { return t.table }

// Find asks for the API that wanted names; one that is not loaded is an answer too.
func (t *gatewayData) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	id := knownString(wanted, "api_id")
	var raw map[string]any
	err := t.client.Call(ctx, rest.Request{Path: gatewayREST + "/apis/" + url.PathEscape(id), Query: url.Values{"tenantDomain": {t.client.Settings().TenantName()}},
		Login: rest.LoginBasic}, &raw)
	loaded := true
	switch {
	case errors.Is(err, engine.ErrNotFound):
		raw, loaded = map[string]any{}, false
	case rest.StatusOf(err) == http.StatusUnauthorized:
		return nil, fmt.Errorf("the gateway takes the user name and password of an administrator alone: %w", err)
	case err != nil:
		return nil, err
	}
	raw["apiId"], raw["loaded"] = id, loaded // its own apiId is a number
	raw["apiProvider"] = raw["provider"]
	v, err := rest.Decode(&t.table.Block, raw)
	if err != nil {
		return nil, fmt.Errorf("%s: reading what the gateway sent: %w", gatewayREST, err)
	}
	return &engine.Object{ID: id, Value: v}, nil
}
