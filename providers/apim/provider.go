// Package apim is the provider of WSO2 API Manager 4.5: its APIs and API products, key managers,
// policies, applications, their keys and subscriptions, and what administrators set, as resource
// types.
package apim

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// The REST APIs of API Manager that the types speak to.
const (
	admin     = "/api/am/admin/v4"
	devportal = "/api/am/devportal/v3"
	publisher = "/api/am/publisher/v4"
)

// product says how API Manager is called and where the environment names it.
var product = rest.Product{
	Name:    "API Manager",
	Env:     "APIM",
	Settles: true,
	Also: map[string][]string{
		"username": {"APIM_ADMIN_USER"},
		"password": {"APIM_ADMIN_PASS"},
	},
	Endpoint: func(getenv func(string) string) string {
		host := getenv("APIM_HOST")
		if host == "" {
			return ""
		}
		port := getenv("APIM_PORT")
		if port == "" {
			port = "9443"
		}
		return "https://" + host + ":" + port
	},
}

// scopes are asked for with a token: what the types need of the APIs (apim-behaviour 1.2).
var scopes = []string{
	"apim:admin", "apim:admin_operations", "apim:admin_settings", "apim:tier_view", "apim:tier_manage",
	"apim:subscribe", "apim:app_manage", "apim:sub_manage", "apim:store_settings",
	"apim:ep_certificates_view", "apim:ep_certificates_manage",
	"apim:api_view", "apim:api_create", "apim:api_manage", "apim:api_publish", "apim:api_delete",
	"apim:subscription_view", "apim:subscription_block", "apim:subscription_manage",
	"apim:client_certificates_view", "apim:client_certificates_manage", "apim:publisher_settings", "apim:llm_provider_read",
	"apim:shared_scope_manage", "apim:document_create", "apim:document_manage",
	"apim:common_operation_policy_view", "apim:common_operation_policy_manage", "apim:gateway_policy_view", "apim:gateway_policy_manage",
	"service_catalog:service_view", "service_catalog:service_write",
	"apim:gov_rule_read", "apim:gov_rule_manage", "apim:gov_policy_read", "apim:gov_policy_manage",
}

// Provider serves one provider block of name "apim".
type Provider struct {
	// Dial opens connections to the server. Nil: over this machine's network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	client  rest.Client
	server  server
	types   []engine.Type
	getenv  func(string) string
	timings timings
}

var _ engine.Provider = (*Provider)(nil)

// New returns a provider that is not configured yet.
func New() *Provider {
	p := &Provider{getenv: os.Getenv, timings: defaultTimings}
	p.server.client, p.server.scopes = &p.client, newScopeTurns()
	p.types = []engine.Type{
		keyManager(p),
		globalKeyManager(p),
		applicationThrottlingPolicy(p),
		subscriptionThrottlingPolicy(p),
		advancedThrottlingPolicy(p),
		customThrottlingPolicy(p),
		denyPolicy(p),
		gatewayEnvironment(p),
		apiCategory(p),
		label(p),
		organization(p),
		aiServiceProvider(p),
		tenantConfig(p),
		systemScope(p),
		roleAlias(p),
		tenantTheme(p),
		application(p),
		applicationKeys(p),
		endpointCertificate(p),
		sharedScope(p),
		operationPolicy(p),
		gatewayPolicy(p),
		api(p),
		apiProduct(p),
		apiDocument(p),
		apiThumbnail(p),
		environmentKeys(p),
		subscription(p),
		service(p),
		ruleset(p),
		governancePolicy(p),
	}
	return p
}

// Name returns "apim".
func (p *Provider) Name() string { return "apim" }

// Schema returns the provider block.
func (p *Provider) Schema() schema.Block { return product.Schema() }

// Types returns the resource types.
func (p *Provider) Types() []engine.Type { return p.types }

// Data returns the types that can only be read. Every resource type is a data source too.
func (p *Provider) Data() []engine.Finder {
	return []engine.Finder{newSettings(p), newRole(p), newWorkflow(p), newGateway(p)}
}

// Configure connects to the server that block and the environment describe.
//
// The realm is "apim:ID", where ID is that of the tenant's resident key manager: made once for each
// tenant of each database, it is the same by every address of the server and every spelling of the
// user. A version other than 4.5 is warned of.
func (p *Provider) Configure(ctx context.Context, block cty.Value) (realm string, warnings []string, err error) {
	s, err := product.Settings(block, p.getenv)
	if err != nil {
		return "", nil, err
	}
	s.Scopes = scopes
	s.Register = register
	s.Dial = p.Dial
	if err := p.client.Connect(s); err != nil {
		return "", nil, err
	}
	p.timings = p.timings.within(s.SettleTimeout)
	warnings = s.Warnings()
	version := p.client.VersionWarning(ctx, "4.5")
	id, err := p.server.residentID(ctx)
	if w := version(); err != nil {
		return "", warnings, err
	} else if w != "" {
		warnings = append(warnings, w)
	}
	return "apim:" + id, warnings, nil
}

// register makes the OAuth2 client with which tokens are asked for. Registering the same name and
// owner again answers with the client that exists (apim-behaviour 1.2).
func register(ctx context.Context, c *rest.Client, owner string) (id, secret string, err error) {
	var out struct {
		ID     string `json:"clientId"`
		Secret string `json:"clientSecret"`
	}
	err = c.Call(ctx, rest.Request{
		Method: http.MethodPost, Path: "/client-registration/v0.17/register", Login: rest.LoginBasic, Idempotent: true,
		Body: map[string]any{
			"callbackUrl": "", "clientName": "wso2plan", "owner": owner, "saasApp": true,
			"grantType": "client_credentials password refresh_token",
		},
	}, &out)
	if err == nil && out.ID == "" {
		err = errors.New("API Manager registered an OAuth2 client without an id; set client_id and client_secret")
	}
	return out.ID, out.Secret, err
}
