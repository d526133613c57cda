package is

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// oidcBlock is the table of an application's OpenID Connect settings. The server resets what a PUT
// leaves out, so all of it goes back as it came (is-behaviour 7).
func oidcBlock() schema.Block {
	text := func(name, json, doc string) schema.Attribute {
		return schema.Attribute{Name: name, JSON: json, Type: cty.String, Doc: doc}
	}
	flag := func(name, json, doc string) schema.Attribute {
		return schema.Attribute{Name: name, JSON: json, Type: cty.Bool, Doc: doc}
	}
	single := func(name, json, doc string, attributes ...schema.Attribute) schema.NestedBlock {
		return schema.NestedBlock{Name: name, JSON: json, Doc: doc, Nesting: schema.Single, Block: schema.Block{Attributes: attributes}}
	}
	return schema.Block{
		Attributes: []schema.Attribute{
			{Name: "client_id", Type: cty.String, Validate: notBlank,
				Doc: "Client id; generated when absent. With another one the old client is deleted and a new one made, whose secret is new too."},
			{Name: "initial_secret", Type: cty.String, WriteOnly: true, Sensitive: true, JSON: "-",
				Doc: "Secret to make the client with, together with `client_id`; generated when absent. A later change of it makes the client again with that secret."},
			{Name: "secret_version", Type: cty.Number, WriteOnly: true, JSON: "-", Default: cty.NumberIntVal(1), Validate: wholeFrom(0),
				Doc: "Change it to have a new secret made. It is a number of your own, of which the server knows nothing, so it is compared with what was last applied."},
			{Name: "client_secret", Type: cty.String, ReadOnly: true, Sensitive: true, Once: true, ChangesWith: []string{"client_id", "initial_secret", "secret_version"},
				Doc: "The client secret. A server that hashes secrets shows it only when it is made."},
			{Name: "state", Type: cty.String, ReadOnly: true, Doc: "`ACTIVE`, or `REVOKED`."},
			{Name: "grant_types", Type: cty.Set(cty.String), Required: true, Doc: "Grants that the client may use, such as `authorization_code`."},
			{Name: "callback_urls", Type: cty.Set(cty.String), JSON: "callbackURLs", Validate: callbackAddress, Normalize: plainSet,
				Doc: "Addresses that the browser may come back to, each by itself; needed for `authorization_code` and `implicit`. They are sent as the one pattern that " +
					"the server takes, `regexp=(https://a.example/cb|https://b.example/cb)`. A pattern of your own, `regexp=…`, stands alone."},
			{Name: "allowed_origins", Type: cty.Set(cty.String), Validate: origins, Doc: "Origins from which scripts may call the server (CORS), such as `https://shop.example`."},
			flag("public_client", "", "Whether the client needs no secret."),
			flag("validate_request_object_signature", "", "Whether authorization requests must be signed."),
			{Name: "scope_validators", Type: cty.Set(cty.String), Doc: "`Role based scope validator`, `XACML Scope Validator`."},
			flag("fapi", "isFAPIApplication", "Whether the client keeps to the Financial-grade API profile."),
			flag("require_pushed_authorization_requests", "pushAuthorizationRequest/requirePushAuthorizationRequest", "Whether authorization requests must be pushed (PAR)."),
		},
		Blocks: []schema.NestedBlock{
			single("pkce", "", "Proof key for code exchange.",
				flag("mandatory", "", "Whether the code grant needs it."),
				flag("support_plain", "supportPlainTransformAlgorithm", "Whether the method `plain` may be used.")),
			single("access_token", "", "Access tokens.",
				schema.Attribute{Name: "type", Type: cty.String, Enum: []string{"Default", "JWT"}, Doc: "`JWT`, or `Default` for opaque tokens."},
				lifetimeAttribute("user_lifetime", "userAccessTokenExpiryInSeconds", "Life of tokens of users in seconds; 3600 by default."),
				lifetimeAttribute("application_lifetime", "applicationAccessTokenExpiryInSeconds", "Life of tokens of the client itself in seconds; 3600 by default."),
				text("binding_type", "", "What a token is bound to, such as `cookie` or `sso-session`; `None` by default."),
				flag("revoke_with_idp_session", "revokeTokensWhenIDPSessionTerminated", "Whether tokens end with the session at the identity provider."),
				flag("validate_binding", "validateTokenBinding", "Whether a token is refused without what it is bound to."),
				schema.Attribute{Name: "attributes", Type: cty.Set(cty.String), JSON: "accessTokenAttributes", Doc: "Claims of the user in JWT access tokens."}),
			single("refresh_token", "", "Refresh tokens.",
				lifetimeAttribute("lifetime", "expiryInSeconds", "Life in seconds; 86400 by default."),
				flag("renew", "renewRefreshToken", "Whether each use gives a new one. As long as nobody has set it, the server shows false and goes by its own configuration; "+
					"a change of any other setting then fixes it to false, so set it.")),
			single("id_token", "", "Id tokens.",
				lifetimeAttribute("lifetime", "expiryInSeconds", "Life in seconds; 3600 by default."),
				schema.Attribute{Name: "audience", Type: cty.Set(cty.String), Doc: "Whom they are for, beside the client."},
				text("signing_algorithm", "idTokenSignedResponseAlg", "Algorithm that signs them, such as `RS256`."),
				flag("encryption_enabled", "encryption/enabled", "Whether they are encrypted."),
				text("encryption_algorithm", "encryption/algorithm", "Algorithm that encrypts the key, such as `RSA-OAEP`."),
				text("encryption_method", "encryption/method", "Method that encrypts the token, such as `A128GCM`.")),
			single("hybrid_flow", "", "The hybrid flow.",
				flag("enable", "", "Whether it may be used."),
				text("response_type", "", "Response types, separated by commas: `code token`, `code id_token`, `code id_token token`.")),
			single("subject_token", "", "Subject tokens for token exchange.",
				flag("enable", "", "Whether they are issued."),
				lifetimeAttribute("lifetime", "applicationSubjectTokenExpiryInSeconds", "Life in seconds.")),
			single("logout", "", "What is called when the user logs out.",
				text("back_channel_url", "backChannelLogoutUrl", "Address that the server calls."),
				text("front_channel_url", "frontChannelLogoutUrl", "Address that the browser calls.")),
			single("client_authentication", "", "How the client proves itself to the token endpoint.",
				schema.Attribute{Name: "method", Type: cty.String, JSON: "tokenEndpointAuthMethod", Enum: authMethods, Doc: "The method; any by default."},
				flag("allow_reuse_private_key_jwt", "tokenEndpointAllowReusePvtKeyJwt", "Whether an assertion of `private_key_jwt` may be used again."),
				text("signing_algorithm", "tokenEndpointAuthSigningAlg", "Algorithm of `private_key_jwt`, such as `PS256`."),
				text("tls_subject_dn", "tlsClientAuthSubjectDn", "Subject of the client's certificate, for `tls_client_auth`.")),
			single("request_object", "", "Request objects.",
				text("signing_algorithm", "requestObjectSigningAlg", "Algorithm that signs them."),
				text("encryption_algorithm", "encryption/algorithm", "Algorithm that encrypts their key."),
				text("encryption_method", "encryption/method", "Method that encrypts them.")),
			single("subject", "", "The user's id in tokens.",
				schema.Attribute{Name: "type", Type: cty.String, JSON: "subjectType", Enum: []string{"public", "pairwise"}, Doc: "`public`, or `pairwise` for another id at each client."},
				text("sector_identifier_uri", "", "Which clients share the ids of `pairwise`.")),
		},
	}
}

// plainSet is the normal form of callbacks: plain addresses.
func plainSet(v cty.Value) cty.Value {
	list := decodeCallbacks(stringsOf(v))
	if len(list) == 0 {
		return cty.SetValEmpty(cty.String)
	}
	vals := make([]cty.Value, len(list))
	for i, s := range list {
		vals[i] = cty.StringVal(s)
	}
	return cty.SetVal(vals)
}

// origins refuses what is no origin: scheme, host and port alone.
func origins(v cty.Value) error {
	for _, s := range stringsOf(v) {
		scheme, host, ok := strings.Cut(s, "://")
		if !ok || scheme == "" || host == "" || strings.ContainsAny(host, "/?# ") {
			return fmt.Errorf("%q is no origin: write scheme, host and port alone, such as https://shop.example:8443", s)
		}
	}
	return nil
}

func checkOIDC(o cty.Value) []schema.Problem {
	if !known(o) {
		return nil
	}
	var out []schema.Problem
	problem := func(name, summary, format string, args ...any) {
		out = append(out, schema.Problem{Path: cty.GetAttrPath("oidc").GetAttr(name), Summary: summary, Detail: fmt.Sprintf(format, args...)})
	}
	if !o.GetAttr("initial_secret").IsNull() && o.GetAttr("client_id").IsNull() {
		problem("initial_secret", "Secret without a client id", "The server takes a secret only together with a client id. Set client_id, or leave the secret to the server.")
	}
	if id := blockOf(o, "id_token"); known(id) && known(id.GetAttr("encryption_enabled")) && id.GetAttr("encryption_enabled").False() &&
		(stringOf(id, "encryption_algorithm") != "" || stringOf(id, "encryption_method") != "") {
		problem("id_token", "Encryption that is off", "The server keeps no encryption_algorithm or encryption_method while encryption_enabled is false. Remove them.")
	}
	grants, urls := o.GetAttr("grant_types"), o.GetAttr("callback_urls")
	if grants.IsWhollyKnown() && !grants.IsNull() && grants.LengthInt() == 0 {
		problem("grant_types", "Missing grant types", "A client has at least one grant, and none is named. Name one, or remove the oidc block.")
	}
	if !grants.IsWhollyKnown() || !urls.IsWhollyKnown() {
		return out
	}
	if grant, needed := needsCallback(stringsOf(grants)); needed && len(stringsOf(urls)) == 0 {
		problem("grant_types", "Missing callback URL", "The grant %q sends the browser back to the application. Set callback_urls.", grant)
	}
	if list := stringsOf(urls); len(list) > 1 {
		for _, s := range list {
			if _, plain := choice(s); strings.HasPrefix(s, pattern) && !plain {
				problem("callback_urls", "Pattern among addresses", "%q is a regular expression, and stands alone: the server keeps one callback for each client. "+
					"Write plain addresses, or one pattern that covers them all.", s)
			}
		}
	}
	return out
}
