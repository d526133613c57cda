package is

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// openIDConfiguration reads the discovery document of OpenID Connect. It is public, so it is read
// without a login.
type openIDConfiguration struct {
	client *rest.Client
	typ    *schema.Type
}

func newOpenIDConfiguration(c *rest.Client) engine.Finder {
	return &openIDConfiguration{client: c, typ: openIDConfigurationType()}
}

// The members of the document, by their kinds.
var (
	discoveryStrings = []struct{ name, doc string }{
		{"issuer", "What the `iss` claim of tokens holds. Neither the inside nor the outside address of the server need be in it: take it from here."},
		{"authorization_endpoint", "Endpoint for authorization requests."},
		{"token_endpoint", "Endpoint for tokens."},
		{"jwks_uri", "Address of the keys that tokens are signed with."},
		{"userinfo_endpoint", "Endpoint for claims of the user."},
		{"revocation_endpoint", "Endpoint to revoke tokens."},
		{"introspection_endpoint", "Endpoint to ask about tokens."},
		{"registration_endpoint", "Endpoint to register clients (DCR)."},
		{"end_session_endpoint", "Endpoint to log out."},
		{"check_session_iframe", "Page for session management."},
		{"device_authorization_endpoint", "Endpoint of the device grant."},
		{"pushed_authorization_request_endpoint", "Endpoint for pushed authorization requests."},
		{"backchannel_authentication_endpoint", "Endpoint of CIBA."},
		{"web_finger_endpoint", "Endpoint of WebFinger."},
		{"service_documentation", "Page about the service."},
		{"op_policy_uri", "Page about the use of data."},
		{"op_tos_uri", "Terms of service."},
	}
	discoveryLists = []string{
		"scopes_supported", "response_types_supported", "response_modes_supported", "grant_types_supported", "acr_values_supported",
		"subject_types_supported", "id_token_signing_alg_values_supported", "id_token_encryption_alg_values_supported",
		"id_token_encryption_enc_values_supported", "userinfo_signing_alg_values_supported", "userinfo_encryption_alg_values_supported",
		"userinfo_encryption_enc_values_supported", "request_object_signing_alg_values_supported",
		"request_object_encryption_alg_values_supported", "request_object_encryption_enc_values_supported",
		"token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported",
		"introspection_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported", "display_values_supported",
		"claim_types_supported", "claims_supported", "claims_locales_supported", "ui_locales_supported", "code_challenge_methods_supported",
		"backchannel_token_delivery_modes_supported", "dpop_signing_alg_values_supported", "authorization_details_types_supported",
	}
	discoveryFlags = []string{
		"claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported", "require_request_uri_registration",
		"backchannel_logout_supported", "backchannel_logout_session_supported", "frontchannel_logout_supported",
		"frontchannel_logout_session_supported", "tls_client_certificate_bound_access_tokens", "require_pushed_authorization_requests",
		"backchannel_user_code_parameter_supported", "authorization_response_iss_parameter_supported",
	}
)

func openIDConfigurationType() *schema.Type {
	t := &schema.Type{
		Name:     "is_openid_configuration",
		DataOnly: true,
		Doc: "The discovery document of OpenID Connect: the issuer and the endpoints as Identity Server itself names them. " +
			"A key manager of API Manager takes its issuer from here.",
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "endpoint", Type: cty.String, Doc: "Server to ask, such as `https://wso2is:9443`. Default: the provider's endpoint."},
			{Name: "tenant", Type: cty.String, Doc: "Tenant domain. Default: the provider's tenant."},
		}},
	}
	add := func(a schema.Attribute) {
		a.ReadOnly, a.JSON = true, a.Name
		t.Attributes = append(t.Attributes, a)
	}
	for _, m := range discoveryStrings {
		add(schema.Attribute{Name: m.name, Type: cty.String, Doc: m.doc})
	}
	for _, name := range discoveryLists {
		add(schema.Attribute{Name: name, Type: cty.Set(cty.String), Doc: "The member `" + name + "` of the document."})
	}
	for _, name := range discoveryFlags {
		add(schema.Attribute{Name: name, Type: cty.Bool, Doc: "The member `" + name + "` of the document."})
	}
	add(schema.Attribute{Name: "mtls_endpoint_aliases", Type: cty.Map(cty.String), Doc: "Endpoints for mutual TLS, by the name of the member that they stand for."})
	add(schema.Attribute{Name: "document", Type: cty.String, Doc: "The whole document as JSON, for members that have no attribute here."})
	return t
}

// Schema returns the table.
func (d *openIDConfiguration) Schema() *schema.Type { return d.typ }

// Find reads the document of the server and tenant that wanted names.
func (d *openIDConfiguration) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	client := d.client
	s := client.Settings()
	tenant := s.TenantName()
	if t := stringOf(wanted, "tenant"); t != "" {
		tenant = t
	}
	endpoint := strings.TrimRight(stringOf(wanted, "endpoint"), "/")
	if endpoint != "" && endpoint != s.Endpoint {
		s.Endpoint, s.Auth = endpoint, rest.AuthBasic
		client = new(rest.Client)
		if err := client.Connect(s); err != nil {
			return nil, err
		}
	}
	path := "/oauth2/token/.well-known/openid-configuration"
	if tenant != rest.SuperTenant {
		path = "/t/" + url.PathEscape(tenant) + path
	}
	var raw map[string]any
	err := client.Call(ctx, rest.Request{Path: path, NoPrefix: true, Login: rest.LoginNone}, &raw)
	if err != nil {
		return nil, fmt.Errorf("reading the discovery document: %w", err)
	}
	issuer, ok := raw["issuer"].(string)
	if !ok || issuer == "" {
		return nil, fmt.Errorf("the discovery document at %s names no issuer", path)
	}
	text, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	// IS 7.1 writes some members in a case of its own and flags as strings at times; both are read.
	raw["document"] = string(text)
	if raw["web_finger_endpoint"] == nil {
		raw["web_finger_endpoint"] = raw["WebFinger_endpoint"]
	}
	v, err := rest.Decode(&d.typ.Block, raw)
	if err != nil {
		return nil, fmt.Errorf("reading the discovery document: %w", err)
	}
	attrs := v.AsValueMap()
	attrs["endpoint"], attrs["tenant"] = wanted.GetAttr("endpoint"), wanted.GetAttr("tenant")
	return &engine.Object{ID: issuer, Value: cty.ObjectVal(attrs)}, nil
}
