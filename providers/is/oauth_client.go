package is

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// oauthClient is the type of clients by dynamic client registration (DCR v1.1), whose protocol has
// its own ways: unknown clients are answered 401, conflicts 400, and a PUT merges (is-behaviour 6).
type oauthClient struct {
	*rest.Collection
}

func newOAuthClient(c *rest.Client) engine.Type {
	o := oauthClient{&rest.Collection{
		Client:       c,
		Type:         oauthClientType(),
		Path:         registerPath,
		ID:           "client_id",
		Encode:       encodeOAuthClient,
		BlankStrings: true,
		System: func(object map[string]any) bool {
			name, _ := object["client_name"].(string)
			return reservedName(name)
		},
	}}
	o.Collection.Decode = func(object map[string]any) error { return decodeOAuthClient(object, tenantOf(c)) }
	owner := o.Type.Attribute("owner")
	owner.Normalize = func(v cty.Value) cty.Value { return cty.StringVal(strings.TrimSuffix(v.AsString(), "@"+tenantOf(c))) }
	return o
}

// tenantOf returns the tenant domain that a client talks to.
func tenantOf(c *rest.Client) string {
	s := c.Settings()
	return s.TenantName()
}

// The names that the server takes.
var (
	applicationName = regexp.MustCompile(`^[a-zA-Z0-9._-]+(?: [a-zA-Z0-9._-]+)*$`)
	registeredID    = regexp.MustCompile(`^[a-zA-Z0-9_]{15,30}$`)
)

// reservedName reports whether an application of that name is the server's own.
func reservedName(name string) bool {
	return strings.EqualFold(name, "Console") || strings.EqualFold(name, "My Account") || name == "wso2carbon-local-sp"
}

func validApplicationName(v cty.Value) error {
	if name := v.AsString(); !applicationName.MatchString(name) {
		return fmt.Errorf("%q is not a name that the server takes: it has letters, digits, \".\", \"_\" and \"-\", and single spaces between them", name)
	}
	return nil
}

// lifetimeAttribute is a life in seconds. The server takes a zero for its own default.
func lifetimeAttribute(name, json, doc string) schema.Attribute {
	return schema.Attribute{Name: name, JSON: json, Type: cty.Number, Validate: wholeFrom(1), Doc: doc}
}

// wholeFrom refuses numbers that are not whole, and those below least.
func wholeFrom(least int64) func(cty.Value) error {
	return func(v cty.Value) error {
		if n := v.AsBigFloat(); !n.IsInt() || v.LessThan(cty.NumberIntVal(least)).True() {
			return fmt.Errorf("it is %s; write a whole number from %d on", n.Text('f', -1), least)
		}
		return nil
	}
}

func oauthClientType() *schema.Type {
	text := func(name, json, doc string) schema.Attribute {
		return schema.Attribute{Name: name, JSON: json, Type: cty.String, Doc: doc}
	}
	flag := func(name, json, doc string) schema.Attribute {
		return schema.Attribute{Name: name, JSON: json, Type: cty.Bool, Doc: doc}
	}
	return &schema.Type{
		Name: "is_oauth_client",
		Doc: "An OAuth2 client that is registered by DCR v1.1. The server makes an application for it, with the client's name, which is deleted with it; manage " +
			"a client by `is_oauth_client` or by `is_application`, not by both. The server merges changes, so that what was set once can be changed but not be emptied.",
		Key:   []string{"client_name"},
		Check: checkOAuthClient,
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, JSON: "client_id", Doc: "The client id."},
			{Name: "client_name", Type: cty.String, Required: true, JSON: "client_name", Validate: validApplicationName, Doc: "Name of the client and of its application, unique in the tenant."},
			{Name: "client_id", Type: cty.String, RequiresReplace: true, JSON: "ext_param_client_id",
				Doc: "Client id; generated when absent. 15 to 30 letters, digits and `_`.",
				Validate: func(v cty.Value) error {
					if !registeredID.MatchString(v.AsString()) {
						return fmt.Errorf("%q is not a client id that the server takes: 15 to 30 letters, digits and \"_\"", v.AsString())
					}
					return nil
				}},
			{Name: "initial_secret", Type: cty.String, WriteOnly: true, Sensitive: true, RequiresReplace: true, JSON: "ext_param_client_secret",
				Doc: "Secret to register the client with, together with `client_id`; generated when absent."},
			{Name: "client_secret", Type: cty.String, ReadOnly: true, Sensitive: true, Once: true, JSON: "client_secret",
				Doc: "The client secret. A server that hashes secrets shows it only when the client is made."},
			{Name: "grant_types", Type: cty.Set(cty.String), JSON: "grant_types", Doc: "Grants that the client may use, such as `client_credentials`."},
			{Name: "redirect_uris", Type: cty.Set(cty.String), JSON: "redirect_uris", Validate: plainCallbacks,
				Doc: "Addresses that the browser may come back to; needed for `authorization_code` and `implicit`. The server keeps several as one pattern, which is read as plain addresses."},
			text("display_name", "ext_application_display_name", "Name for people."),
			{Name: "owner", Type: cty.String, RequiresReplace: true, JSON: "ext_application_owner", Doc: "User who owns the application; by default the one that registers it."},
			{Name: "allowed_audience", Type: cty.String, JSON: "ext_allowed_audience", Enum: []string{organizationAudience, applicationAudience},
				Doc: "Whose roles count for its users: those of the `organization`, or of the `application` itself (the server's default)."},
			text("application_version", "ext_application_version", "Version of the application's behaviour, such as `v2.0.0`. A higher one changes tokens and roles; do not lower it."),
			lifetimeAttribute("application_token_lifetime", "ext_application_token_lifetime", "Life of access tokens of the client itself in seconds; 3600 by default."),
			lifetimeAttribute("user_token_lifetime", "ext_user_token_lifetime", "Life of access tokens of users in seconds; 3600 by default."),
			lifetimeAttribute("refresh_token_lifetime", "ext_refresh_token_lifetime", "Life of refresh tokens in seconds; 86400 by default."),
			lifetimeAttribute("id_token_lifetime", "ext_id_token_lifetime", "Life of id tokens in seconds; 3600 by default."),
			{Name: "token_type", Type: cty.String, JSON: "ext_token_type", Enum: []string{"Default", "JWT"}, Doc: "`JWT`, or `Default` for opaque tokens."},
			flag("pkce_mandatory", "ext_pkce_mandatory", "Whether the code grant needs PKCE."),
			flag("pkce_support_plain", "ext_pkce_support_plain", "Whether PKCE may use the method `plain`."),
			flag("public_client", "ext_public_client", "Whether the client needs no secret."),
			{Name: "jwks_uri", Type: cty.String, RequiresReplace: true, JSON: "jwks_uri", Doc: "Address of the client's public keys. An update cannot change it."},
			{Name: "token_endpoint_auth_method", Type: cty.String, JSON: "token_endpoint_auth_method", Enum: authMethods, Doc: "How the client proves itself."},
			text("token_endpoint_auth_signing_alg", "token_endpoint_auth_signing_alg", "Algorithm of `private_key_jwt`, such as `PS256`."),
			text("tls_client_auth_subject_dn", "tls_client_auth_subject_dn", "Subject of the client's certificate, for `tls_client_auth`."),
			flag("tls_client_certificate_bound_access_tokens", "tls_client_certificate_bound_access_tokens", "Whether tokens are bound to the client's certificate."),
			{Name: "subject_type", Type: cty.String, JSON: "subject_type", Enum: []string{"public", "pairwise"}, Doc: "Whether each client sees a user under another id (`pairwise`)."},
			text("sector_identifier_uri", "sector_identifier_uri", "Which clients share the ids of `pairwise`."),
			text("id_token_signed_response_alg", "id_token_signed_response_alg", "Algorithm that signs id tokens, such as `RS256`."),
			text("id_token_encrypted_response_alg", "id_token_encrypted_response_alg", "Algorithm that encrypts the key of id tokens, such as `RSA-OAEP`."),
			text("id_token_encrypted_response_enc", "id_token_encrypted_response_enc", "Method that encrypts id tokens, such as `A128GCM`."),
			text("request_object_signing_alg", "request_object_signing_alg", "Algorithm that signs request objects."),
			text("request_object_encryption_alg", "request_object_encryption_alg", "Algorithm that encrypts the key of request objects."),
			text("request_object_encryption_enc", "request_object_encryption_enc", "Method that encrypts request objects."),
			flag("require_signed_request_object", "require_signed_request_object", "Whether authorization requests must be signed."),
			flag("require_pushed_authorization_requests", "require_pushed_authorization_requests", "Whether authorization requests must be pushed (PAR)."),
			{Name: "backchannel_logout_uri", Type: cty.String, WriteOnly: true, JSON: "backchannel_logout_uri",
				Doc: "Address that is called when the user logs out. The server does not show it, so it is compared with what was last applied."},
			{Name: "backchannel_logout_session_required", Type: cty.Bool, WriteOnly: true, JSON: "backchannel_logout_session_required",
				Doc: "Whether that call names the session. The server does not show it, so it is compared with what was last applied."},
			{Name: "software_statement", Type: cty.String, WriteOnly: true, RequiresReplace: true, JSON: "software_statement",
				Doc: "Signed statement about the client (RFC 7591), for servers that ask for one. It counts when the client is made, and is compared with what was last applied."},
			{Name: "application_template", Type: cty.String, WriteOnly: true, RequiresReplace: true, JSON: "ext_param_sp_template",
				Doc: "Template of the application, for servers that have one. It counts when the client is made, and is compared with what was last applied."},
		}},
	}
}

// authMethods are the ways in which a client proves itself to the token endpoint.
var authMethods = []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"}

// needsCallback reports whether one of the grants sends the browser back, and which.
func needsCallback(grants []string) (string, bool) {
	for _, g := range grants {
		if g == "authorization_code" || g == "implicit" {
			return g, true
		}
	}
	return "", false
}

func checkOAuthClient(v cty.Value) []schema.Problem {
	v, _ = v.UnmarkDeep()
	var out []schema.Problem
	if name := stringOf(v, "client_name"); reservedName(name) {
		out = append(out, schema.Problem{Path: cty.GetAttrPath("client_name"), Summary: "Reserved name",
			Detail: fmt.Sprintf("The application %q is the server's own. Choose another name.", name)})
	}
	if secret, id := v.GetAttr("initial_secret"), v.GetAttr("client_id"); !secret.IsNull() && id.IsNull() {
		out = append(out, schema.Problem{Path: cty.GetAttrPath("initial_secret"), Summary: "Secret without a client id",
			Detail: "The server takes a secret only together with a client id. Set client_id, or leave the secret to the server."})
	}
	grants, uris := v.GetAttr("grant_types"), v.GetAttr("redirect_uris")
	if grants.IsWhollyKnown() && uris.IsWhollyKnown() {
		if grant, needed := needsCallback(stringsOf(grants)); needed && len(stringsOf(uris)) == 0 {
			out = append(out, schema.Problem{Path: cty.GetAttrPath("grant_types"), Summary: "Missing redirect URI",
				Detail: fmt.Sprintf("The grant %q sends the browser back to the client. Set redirect_uris.", grant)})
		}
	}
	return out
}

// answerNames are members that an answer calls otherwise than a request does.
var answerNames = map[string]string{
	"require_push_authorization_request":        "require_pushed_authorization_requests",
	"request_object_encryption_algorithm":       "request_object_encryption_alg",
	"request_object_encryption_method":          "request_object_encryption_enc",
	"tls_client_certificate_bound_access_token": "tls_client_certificate_bound_access_tokens",
	"token_type_extension":                      "ext_token_type",
}

func decodeOAuthClient(object map[string]any, tenant string) error {
	for answer, request := range answerNames {
		if object[request] == nil && object[answer] != nil {
			object[request] = object[answer]
		}
	}
	object["ext_param_client_id"] = object["client_id"]
	object["redirect_uris"] = anys(decodeCallbacks(members(object["redirect_uris"])))
	if owner, ok := object["ext_application_owner"].(string); ok {
		object["ext_application_owner"] = strings.TrimSuffix(owner, "@"+tenant)
	}
	if audience, ok := object["ext_allowed_audience"].(string); ok {
		object["ext_allowed_audience"] = strings.ToLower(audience)
	}
	for _, name := range []string{"require_signed_request_object", "require_pushed_authorization_requests", "tls_client_certificate_bound_access_tokens"} {
		if object[name] == nil {
			object[name] = false
		}
	}
	return nil
}

// encodeOAuthClient makes the body of a registration. Empty strings mean nothing to the server, and
// redirect_uris has to be there.
func encodeOAuthClient(body map[string]any) error {
	maps.DeleteFunc(body, func(_ string, v any) bool { return v == "" })
	if body["redirect_uris"] == nil {
		body["redirect_uris"] = []any{}
	}
	return nil
}

// unknown turns the answer to a request about one client into engine.ErrNotFound if there is no such
// client. IS 7.1 answers 401 without a body both to an unknown client and to credentials that it
// does not take (is-behaviour 6), so we ask another API, which tells them apart, before a client
// counts as gone. attribute and value find the client's application there.
func (o oauthClient) unknown(ctx context.Context, err error, attribute, value string) error {
	if rest.StatusOf(err) != http.StatusUnauthorized {
		return err
	}
	var list struct {
		Applications *[]struct {
			Name string `json:"name"`
		} `json:"applications"`
	}
	query := eq(attribute, value)
	query.Set("limit", "1")
	probe := o.Client.Get(ctx, applicationsPath, query, &list)
	if probe == nil && list.Applications == nil {
		probe = fmt.Errorf("GET %s: the answer holds no list of applications", applicationsPath)
	}
	there := false
	if probe == nil {
		for _, a := range *list.Applications {
			there = there || attribute == "clientId" || a.Name == value
		}
	}
	switch {
	case there:
		return fmt.Errorf("its application is there, but its registration cannot be read: %w", err)
	case probe == nil, rest.StatusOf(probe) == http.StatusForbidden:
		// The credentials are good.
		return fmt.Errorf("OAuth2 client %q: %w", value, engine.ErrNotFound)
	case rest.StatusOf(probe) == http.StatusUnauthorized:
		return err
	default:
		return fmt.Errorf("%w; whether the client exists cannot be told: %w", err, rest.Unfound(probe))
	}
}

// Read returns the client with that id.
func (o oauthClient) Read(ctx context.Context, id string) (*engine.Object, error) {
	got, err := o.Collection.Read(ctx, id)
	if err != nil {
		return nil, o.unknown(ctx, err, "clientId", id)
	}
	return got, nil
}

// Find returns the client with that name.
func (o oauthClient) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	name := stringOf(wanted, "client_name")
	var found struct {
		ID   string `json:"client_id"`
		Name string `json:"client_name"`
	}
	if err := o.Client.Get(ctx, o.Path, url.Values{"client_name": {name}}, &found); err != nil {
		return nil, o.unknown(ctx, err, "name", name)
	}
	if found.ID == "" {
		return nil, fmt.Errorf("GET %s: the answer for the name %q is no client: it has no client_id", o.Path, name)
	}
	if found.Name != name { // the server may compare without regard to case
		return nil, fmt.Errorf("OAuth2 client %q: %w", name, engine.ErrNotFound)
	}
	return o.Read(ctx, found.ID)
}

// taken is a refusal since something else has the name or the client id.
type taken struct{ error }

func (t taken) Unwrap() error { return t.error }

// Conflict is true.
func (t taken) Conflict() bool { return true }

// conflicting marks the 400 with which IS 7.1 answers a name or client id that is taken.
func conflicting(err error) error {
	var e *rest.Error
	if errors.As(err, &e) && e.Status == http.StatusBadRequest && strings.Contains(e.Message, "already exist") {
		return taken{err}
	}
	return err
}

// Create registers the client. Its version can only be set by a change after that.
func (o oauthClient) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	version, _ := planned.GetAttr("application_version").Unmark()
	attrs := planned.AsValueMap()
	attrs["application_version"] = cty.NullVal(cty.String)
	made, err := o.Collection.Create(ctx, cty.ObjectVal(attrs))
	if err != nil {
		return made, conflicting(err)
	}
	if version.IsKnown() && !version.IsNull() && !version.RawEquals(made.Value.GetAttr("application_version")) {
		attrs = made.Value.AsValueMap()
		attrs["application_version"] = version
		changed, err := o.put(ctx, made, cty.ObjectVal(attrs))
		if err != nil {
			return made, fmt.Errorf("it was registered, but its application_version could not be set: %w", err)
		}
		changed.Value = withSecret(changed.Value, made.Value)
		made = changed
	}
	return made, notKept(o.Type, cty.NullVal(planned.Type()), planned, made)
}

// withSecret returns v with the client secret of from, where v has none.
func withSecret(v, from cty.Value) cty.Value {
	if !v.GetAttr("client_secret").IsNull() {
		return v
	}
	attrs := v.AsValueMap()
	attrs["client_secret"] = from.GetAttr("client_secret")
	return cty.ObjectVal(attrs)
}

// Update changes the client. The PUT merges: lists and strings that are left out keep what they hold,
// booleans that are left out are reset (is-behaviour 6). So it has what changes, and every boolean.
func (o oauthClient) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, _, err := o.Current(ctx, live, planned)
	if err != nil {
		return nil, o.unknown(ctx, err, "clientId", live.ID)
	}
	planned = rest.Rebase(&o.Type.Block, live.Value, planned, now.Value)
	got, err := o.put(ctx, now, planned)
	if err != nil {
		return nil, conflicting(err)
	}
	return got, notKept(o.Type, now.Value, planned, got)
}

// put changes the client from now to planned.
func (o oauthClient) put(ctx context.Context, now *engine.Object, planned cty.Value) (*engine.Object, error) {
	body := rest.Encode(&o.Type.Block, planned)
	for i := range o.Type.Attributes {
		a := &o.Type.Attributes[i]
		want := planned.GetAttr(a.Name)
		if a.Type == cty.Bool && !a.WriteOnly || a.Name == "client_name" {
			continue
		}
		if a.RequiresReplace || !a.WriteOnly && rest.Equal(a, want, now.Value.GetAttr(a.Name)) {
			delete(body, a.JSONName())
		}
	}
	maps.DeleteFunc(body, func(_ string, v any) bool { return v == "" })
	res, err := o.Client.Do(ctx, rest.Request{Method: http.MethodPut, Path: o.URL(now.ID), Body: body})
	if err != nil {
		return nil, rest.Hide(err, planned)
	}
	return o.Updated(ctx, now.ID, res)
}

// Delete removes the client and its application.
func (o oauthClient) Delete(ctx context.Context, live *engine.Object) error {
	err := o.Collection.Delete(ctx, live)
	if err == nil {
		return nil
	}
	if err := o.unknown(ctx, err, "clientId", live.ID); !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	return nil
}

// Consequence says who is cut off.
func (o oauthClient) Consequence(action engine.Action, before, _ cty.Value) string {
	if action != engine.Replace && action != engine.Delete {
		return ""
	}
	before, _ = before.UnmarkDeep()
	return fmt.Sprintf("The tokens of client %q end, and the application that the server made for it is deleted with its roles and authorised APIs.", stringOf(before, "client_name"))
}
