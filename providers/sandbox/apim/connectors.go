package apim

// A setting is one field of a connector's form: of the key manager itself or of an application's
// keys.
type setting struct {
	Name           string `json:"name"`
	Label          string `json:"label"`
	Type           string `json:"type"`
	Required       bool   `json:"required"`
	Mask           bool   `json:"mask"`
	Multiple       bool   `json:"multiple"`
	Tooltip        string `json:"tooltip"`
	Default        any    `json:"default"`
	Values         []any  `json:"values"`
	UpdateDisabled *bool  `json:"updateDisabled,omitempty"` // of the key manager's settings only
}

// A dialect is how a connector speaks to its authorization server.
type dialect int

const (
	// wso2Dialect registers with Basic, and sends client ids in Base64 on GET, PUT and DELETE
	// (apim-behaviour 10).
	wso2Dialect dialect = iota
	// is7Dialect registers with Basic and sends client ids as they are.
	is7Dialect
	// bearerDialect registers with a token that it gets by client credentials from the token endpoint.
	bearerDialect
	// ssws registers with an API key, "Authorization: SSWS key".
	ssws
)

// A connector is a type of key manager.
type connector struct {
	kind             string // "WSO2-IS-7"
	display          string
	consumerKeyClaim string // filled in where absent
	scopesClaim      string
	settings         []setting // of additionalProperties
	endpoints        []setting // that its form asks for; those required must be given (seen)
	application      []setting // of the additionalProperties of keys
	dialect          dialect
	outOfBand        bool // clients are made elsewhere: they are mapped without a call, and cannot be generated or changed (seen)
	formless         bool // the devportal shows no application settings, though the implementation has them
}

func field(name, label, tooltip string) setting {
	return setting{Name: name, Label: label, Type: "input", Required: true, Tooltip: tooltip, Default: "", Values: []any{}}
}

func secret(s setting) setting {
	s.Mask = true
	return s
}

func optional(s setting) setting {
	s.Required = false
	return s
}

func lifetime(name, label, tooltip string) setting {
	return setting{Name: name, Label: label, Type: "input", Tooltip: tooltip, Default: "N/A", Values: []any{}}
}

func checkbox(name, label, tooltip string) setting {
	return setting{Name: name, Label: label, Type: "checkbox", Tooltip: tooltip, Default: "false", Values: []any{}}
}

// wso2Application are the settings of keys of WSO2's own key managers, as the devportal lists them.
var wso2Application = []setting{
	lifetime("application_access_token_expiry_time", "Application Access Token Expiry Time ", "Type Application Access Token Expiry Time in seconds "),
	lifetime("user_access_token_expiry_time", "User Access Token Expiry Time ", "Type User Access Token Expiry Time in seconds "),
	lifetime("refresh_token_expiry_time", "Refresh Token Expiry Time ", "Type Refresh Token Expiry Time in seconds "),
	lifetime("id_token_expiry_time", "Id Token Expiry Time", "Type ID Token Expiry Time in seconds "),
	checkbox("pkceMandatory", "Enable PKCE", "Enable PKCE"),
	checkbox("pkceSupportPlain", "Support PKCE Plain text", "S256 is recommended, plain text too can be used."),
	checkbox("bypassClientCredentials", "Public client", "Allow authentication without the client secret."),
}

var is7Application = []setting{
	lifetime("ext_application_token_lifetime", "Lifetime of the Application Token ", "Type Lifetime of the Application Token in seconds "),
	lifetime("ext_user_token_lifetime", "Lifetime of the User Token ", "Type Lifetime of the User Token in seconds "),
	lifetime("ext_refresh_token_lifetime", "Lifetime of the Refresh Token ", "Type Lifetime of the Refresh Token in seconds "),
	lifetime("ext_id_token_lifetime", "Lifetime of the ID Token", "Type Lifetime of the ID Token in seconds "),
	checkbox("ext_pkce_mandatory", "Enable PKCE", "Enable PKCE"),
	checkbox("ext_pkce_support_plain", "Support PKCE Plain text", "S256 is recommended, plain text too can be used."),
	checkbox("ext_public_client", "Public client", "Allow authentication without the client secret."),
}

// connectors are the key manager types of API Manager 4.5 (apim-behaviour 3.1) and the two of the
// recordings: CustomKeyManager, which has no settings, and Oracle, with a required user name and a
// required, masked password.
var connectors = []connector{
	{kind: "default", display: "default", consumerKeyClaim: "azp", scopesClaim: "scope", application: wso2Application},
	{kind: "WSO2-IS", display: "WSO2 Identity Server", consumerKeyClaim: "azp", scopesClaim: "scope", application: wso2Application, settings: []setting{
		field("Username", "Username", "Username of admin user"), secret(field("Password", "Password", "Password of Admin user"))}},
	{kind: "WSO2-IS-7", display: "WSO2 Identity Server 7", consumerKeyClaim: "azp", scopesClaim: "scope", application: is7Application, dialect: is7Dialect,
		settings: []setting{
			field("Username", "Username", "Username of admin user"),
			secret(field("Password", "Password", "Password of Admin user")),
			field("api_resource_management_endpoint", "WSO2 Identity Server 7 API Resource Management Endpoint", "E.g., https://localhost:9444/api/server/v1/api-resources"),
			field("is7_roles_endpoint", "WSO2 Identity Server 7 Roles Endpoint", "E.g., https://localhost:9444/scim2/v2/Roles"),
			{Name: "enable_roles_creation", Label: "Create roles in WSO2 Identity Server 7", Type: "checkbox", Default: "Enable", Values: []any{"Enable"},
				Tooltip: "Create roles in WSO2 Identity Server 7, corresponding to the roles used in WSO2 API Manager."},
		}},
	{kind: "KeyCloak", display: "Keycloak", consumerKeyClaim: "azp", scopesClaim: "scope", dialect: bearerDialect, settings: []setting{
		field("client_id", "Client ID", "Client ID of service Application"), secret(field("client_secret", "Client Secret", "Client Secret of service Application"))}},
	{kind: "Okta", display: "Okta", consumerKeyClaim: "cid", scopesClaim: "scp", dialect: ssws, settings: []setting{
		secret(field("apiKey", "API Key", "API Key Generated From Okta UI")), field("client_id", "Client ID", "Client ID of service Application"),
		secret(field("client_secret", "Client Secret", "Client Secret of service Application"))}},
	{kind: "Auth0", display: "Auth0", consumerKeyClaim: "azp", scopesClaim: "scope", dialect: bearerDialect, settings: []setting{
		field("client_id", "Client ID", "Client ID of service Application"), secret(field("client_secret", "Client Secret", "Client Secret of service Application")),
		field("audience", "Audience", "Audience of the Admin API")}},
	{kind: "PingFederate", display: "PingFederate", consumerKeyClaim: "client_id", scopesClaim: "scope", settings: []setting{
		field("username", "Username", "Username of the administrator"), secret(field("password", "Password", "Password of the administrator")),
		field("client_id", "Client ID", "Client ID of service Application"), secret(field("client_secret", "Client Secret", "Client Secret of service Application"))}},
	{kind: "Forgerock", display: "ForgeRock", consumerKeyClaim: "aud", scopesClaim: "scope", dialect: bearerDialect, settings: []setting{
		field("client_id", "Client ID", "Client ID of service Application"), secret(field("client_secret", "Client Secret", "Client Secret of service Application"))}},
	{kind: "AzureAD", display: "Azure AD", consumerKeyClaim: "appid", scopesClaim: "roles", dialect: bearerDialect, settings: []setting{
		field("client_id", "Client ID", "Client ID of service Application"), secret(field("client_secret", "Client Secret", "Client Secret of service Application")),
		field("microsoft_graph_endpoint", "Microsoft Graph endpoint", "E.g., https://graph.microsoft.com"),
		optional(field("microsoft_graph_api_version", "Microsoft Graph API version", "E.g., v1.0"))}},
	{kind: "CustomKeyManager", display: "Custom Key Manager (Out-of-Band Provisioning)", consumerKeyClaim: "azp", scopesClaim: "scope", outOfBand: true,
		endpoints: []setting{
			field("token_endpoint", "Token Endpoint", "E.g., https://localhost:9443/oauth2/token"),
			field("revoke_endpoint", "Revoke Endpoint", "E.g., https://localhost:9443/oauth2/revoke"),
			optional(field("authorize_endpoint", "Authorize Endpoint", "E.g., https://localhost:9443/oauth2/authorize")),
			optional(field("display_token_endpoint", "Display Token Endpoint", "E.g., https://localhost:9443/oauth2/token")),
			optional(field("display_revoke_endpoint", "Display Revoke Endpoint", "E.g., https://localhost:9443/oauth2/revoke")),
		}},
	{kind: "Oracle", display: "Oracle", application: wso2Application, formless: true, settings: []setting{field("Username", "Username", "t"), secret(field("Password", "Password", "t"))}},
}

// commonEndpoints are the endpoints of a connector that does not say otherwise.
var commonEndpoints = []setting{
	field("client_registration_endpoint", "Client Registration Endpoint", "E.g.,https://localhost:9443/client-registration/v0.17/register"),
	field("introspection_endpoint", "Introspection Endpoint", "E.g., https://localhost:9443/oauth2/introspect"),
	field("token_endpoint", "Token Endpoint", "E.g., https://localhost:9443/oauth2/token"),
	field("revoke_endpoint", "Revoke Endpoint", "E.g., https://localhost:9443/oauth2/revoke"),
	optional(field("userinfo_endpoint", "UserInfo Endpoint", "E.g., https://localhost:9443/oauth2/userinfo")),
	optional(field("authorize_endpoint", "Authorize Endpoint", "E.g., https://localhost:9443/oauth2/authorize")),
	optional(field("display_token_endpoint", "Display Token Endpoint", "E.g., https://localhost:9443/oauth2/token")),
	optional(field("display_revoke_endpoint", "Display Revoke Endpoint", "E.g., https://localhost:9443/oauth2/authorize")),
}

// endpointSettings are the endpoints that the form of a key manager asks for.
func (k *connector) endpointSettings() []setting {
	if k.endpoints != nil {
		return k.endpoints
	}
	return commonEndpoints
}

// connectorOf finds a key manager type by its name, with case; nil when it is not installed.
func connectorOf(kind string) *connector {
	for i := range connectors {
		if connectors[i].kind == kind {
			return &connectors[i]
		}
	}
	return nil
}

// masked tells whether a property of additionalProperties is masked.
func (k *connector) masked(name string) bool {
	for _, s := range k.settings {
		if s.Name == name {
			return s.Mask
		}
	}
	return false
}
