package apim

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// residentKeyManager is the name of the key manager that every tenant has from the start.
const residentKeyManager = "Resident Key Manager"

// mask is what API Manager answers in place of a stored secret, and what keeps that secret when it
// is sent back (apim-behaviour 0.2).
const mask = "*****"

// keyManagerType is the table of apim_key_manager (apim-behaviour 3.1; fields.md lists every field
// of the contract).
func keyManagerType() *schema.Type {
	endpoint := func(name, doc string) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.String, Normalize: trimmed, Doc: doc}
	}
	flag := func(name, json, doc string) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.Bool, JSON: json, Doc: doc}
	}
	return &schema.Type{
		Name: "apim_key_manager",
		Doc: "An OAuth2 authorization server that API Manager trusts to issue and to validate tokens. " +
			"The tenant's own, `Resident Key Manager`, exists from the start: name it to adopt it; it is " +
			"never created or deleted, and only what the configuration sets is compared. After a key " +
			"manager is created or enabled, apply waits until the developer portal offers it, since keys " +
			"that are generated earlier fail and leave half-made rows behind.",
		Key:         []string{"name"},
		DeleteFirst: true,
		Check:       checkKeyManager,
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
				{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, Validate: lengthIn(1, 100),
					Doc: "Name, unique in the tenant. Upper and lower case differ."},
				{Name: "type", Type: cty.String, Required: true, RequiresReplace: true, Validate: lengthIn(1, 45),
					Doc: "Connector: `WSO2-IS-7`, `WSO2-IS`, `KeyCloak`, `Okta`, `Auth0`, `PingFederate`, `Forgerock`, " +
						"`AzureAD`, `Asgardeo`, or another that is installed; `default` is the resident one's. " +
						"The plan checks it against those that the server has."},
				{Name: "display_name", Type: cty.String, Validate: lengthIn(0, 100), Normalize: trimmed, Doc: "Name shown to people."},
				{Name: "description", Type: cty.String, Validate: lengthIn(0, 256), Normalize: trimmed, Doc: "What it is for."},
				{Name: "enabled", Type: cty.Bool, Doc: "Whether it may be used. Created enabled unless this says `false`."},
				{Name: "issuer", Type: cty.String, Normalize: trimmed,
					Doc: "The `iss` of its tokens, exactly as its discovery document says (see the data source " +
						"`is_openid_configuration`). Two enabled key managers with one issuer make the gateway's " +
						"choice between them arbitrary; a plan with two is refused."},
				{Name: "alias", Type: cty.String, Normalize: trimmed, Doc: "Audience that tokens for exchange must name (`token_type` `EXCHANGED` or `BOTH`)."},
				{Name: "token_type", Type: cty.String, Enum: []string{"DIRECT", "EXCHANGED", "BOTH"},
					Doc: "Whether its tokens are used as they are or exchanged for tokens of the resident key manager. The server's default is `DIRECT`."},
				endpoint("well_known_endpoint", "Its discovery document."),
				endpoint("introspection_endpoint", "Introspects tokens."),
				endpoint("client_registration_endpoint", "Registers OAuth2 clients (DCR)."),
				endpoint("token_endpoint", "Issues tokens."),
				endpoint("display_token_endpoint", "Token endpoint as shown to developers, where it differs."),
				endpoint("revoke_endpoint", "Revokes tokens."),
				endpoint("display_revoke_endpoint", "Revoke endpoint as shown to developers, where it differs."),
				endpoint("user_info_endpoint", "Tells about users. For Identity Server 7 it is `/scim2/Me`, not `/oauth2/userinfo`."),
				endpoint("authorize_endpoint", "Where users log in."),
				endpoint("scope_management_endpoint", "Manages scopes."),
				{Name: "grant_types", Type: cty.Set(cty.String), JSON: "availableGrantTypes", Doc: "Grants that it offers, such as `client_credentials`."},
				flag("enable_token_generation", "", "Whether the developer portal may get tokens from it."),
				flag("enable_token_encryption", "", "Whether stored tokens are encrypted."),
				flag("enable_token_hashing", "", "Whether stored tokens are hashed."),
				flag("enable_map_oauth_consumer_apps", "enableMapOAuthConsumerApps", "Whether existing OAuth2 clients may be mapped to applications."),
				flag("enable_oauth_app_creation", "enableOAuthAppCreation", "Whether keys may be generated with it. Without it only existing clients can be mapped."),
				flag("enable_self_validation_jwt", "enableSelfValidationJWT", "Whether the gateway validates its JWTs itself. The server's default is `true`."),
				{Name: "consumer_key_claim", Type: cty.String, Normalize: trimmed, Doc: "Claim that holds the client id. The connector's default, such as `azp`, when absent."},
				{Name: "scopes_claim", Type: cty.String, Normalize: trimmed, Doc: "Claim that holds the scopes. The connector's default, such as `scope`, when absent."},
				{Name: "allowed_organizations", Type: cty.Set(cty.String), Doc: "Ids of the organizations that may use it, or `ALL`, or `NONE`."},
				{Name: "permission_type", Type: cty.String, JSON: "permissions/permissionType", Enum: []string{"PUBLIC", "ALLOW", "DENY"},
					Doc: "Who may generate keys with it: everybody (the server's default), only `permission_roles`, or everybody but these."},
				{Name: "permission_roles", Type: cty.Set(cty.String), JSON: "permissions/roles", Doc: "Roles of API Manager's user store."},
				{Name: "additional_properties", Type: cty.Map(cty.String), PerKey: true, Normalize: canonicalProperty,
					Doc: "The connector's own properties, each managed by itself. Numbers and booleans are written as " +
						"strings, lists with `jsonencode`. Secrets go to `secret_properties`."},
				{Name: "secret_properties", Type: cty.Map(cty.String), PerKey: true, Sensitive: true, WriteOnly: true, Keep: schema.KeepMask,
					Doc: "The connector's secret properties, such as `Password` of `WSO2-IS-7` or `client_secret` of " +
						"`KeyCloak`. The server masks them, so a change made there cannot be seen."},
			},
			Blocks: []schema.NestedBlock{
				{Name: "certificates", Nesting: schema.Single, Doc: "Where the keys that sign its tokens are found.",
					Block: schema.Block{Attributes: []schema.Attribute{
						{Name: "type", Type: cty.String, Required: true, Enum: []string{"PEM", "JWKS"}, Doc: "What `value` is."},
						{Name: "value", Type: cty.String, Required: true, Normalize: canonicalPEM,
							Doc: "URL of a JWKS, or the certificate that signs tokens, in PEM (its text, or that in Base64)."},
					}}},
				{Name: "claim_mapping", Nesting: schema.List, Key: []string{"remote_claim"}, Doc: "How a claim of its tokens is called here.",
					Block: schema.Block{Attributes: []schema.Attribute{
						{Name: "remote_claim", Type: cty.String, Required: true, Doc: "Claim in its tokens, such as `sub`."},
						{Name: "local_claim", Type: cty.String, Required: true, Doc: "Claim here, such as `http://wso2.org/claims/enduser`."},
					}}},
				{Name: "token_validation", Nesting: schema.List,
					Doc: "How the gateway knows that a token is this key manager's, when the issuer does not tell.",
					Block: schema.Block{Attributes: []schema.Attribute{
						{Name: "type", Type: cty.String, Required: true, Enum: []string{"REFERENCE", "JWT", "CUSTOM"}, Doc: "Kind of token."},
						{Name: "enable", Type: cty.Bool, Doc: "Whether the rule is applied. The server's default is `true`."},
						{Name: "pattern", Type: cty.String, Doc: "For `REFERENCE` and `CUSTOM`: regular expression that the token matches."},
						{Name: "claims", Type: cty.Map(cty.String), Doc: "For `JWT`: regular expressions by the claim that they match."},
					}}},
			},
		},
	}
}

// secretName matches the names of connector properties that hold secrets, whether a connector says
// so or not: CustomKeyManager never masks.
var secretName = regexp.MustCompile(`(?i)(password|secret|api_?key|private_?key)$`)

// checkKeyManager finds what tables cannot say.
func checkKeyManager(v cty.Value) []schema.Problem {
	var out []schema.Problem
	problem := func(path cty.Path, summary, format string, args ...any) {
		out = append(out, schema.Problem{Path: path, Summary: summary, Detail: fmt.Sprintf(format, args...)})
	}
	for key := range knownMap(v, "additional_properties") {
		path := cty.GetAttrPath("additional_properties").IndexString(key)
		switch {
		case key == "self_validate_jwt":
			problem(path, "Property that the server sets", "API Manager derives self_validate_jwt from enable_self_validation_jwt. Set that instead.")
		case secretName.MatchString(key):
			problem(path, "Secret among plain properties", "%q holds a secret, which additional_properties would show in plans. Move it to secret_properties.", key)
		}
	}
	for key, s := range knownMap(v, "secret_properties") {
		if s == mask {
			problem(cty.GetAttrPath("secret_properties").IndexString(key), "Mask in place of a secret",
				"API Manager takes %q for \"keep what is stored\", so it can never be the value of %q. Give the secret itself, or leave the key out to keep the stored one.", mask, key)
		}
	}
	if c := plain(v, "certificates"); isObject(c) {
		kind, value := knownString(c, "type"), knownString(c, "value")
		if kind == "PEM" && value != "" {
			path := cty.GetAttrPath("certificates").GetAttr("value")
			switch text := pemText(value); {
			case text == "":
				problem(path, "Invalid certificate",
					"The value of certificates is neither PEM nor PEM in Base64. Give the text of a certificate, such as file(\"signing.pem\").")
			case otherThanCertificate(text) != "":
				problem(path, "Invalid certificate",
					"The value of certificates holds a block %q, which is no certificate, and plans would show it. Give the text of a certificate alone, such as file(\"signing.pem\").",
					otherThanCertificate(text))
			}
		}
	}
	for i, e := range knownList(v, "token_validation") {
		path := cty.GetAttrPath("token_validation").IndexInt(i)
		kind := knownString(e, "type")
		if kind == "JWT" && isSet(e, "pattern") {
			problem(path.GetAttr("pattern"), "Pattern for JWTs", "JWTs are told by their claims. Use claims = { NAME = \"REGEXP\" } in place of pattern.")
		}
		if (kind == "REFERENCE" || kind == "CUSTOM") && isSet(e, "claims") {
			problem(path.GetAttr("claims"), "Claims of an opaque token", "A token of type %s has no claims to look at. Use pattern in place of claims.", kind)
		}
	}
	out = append(out, checkPermissions(v)...)
	seen := map[string]int{}
	for i, e := range knownList(v, "claim_mapping") {
		remote := knownString(e, "remote_claim")
		if remote == "" {
			continue
		}
		if j, ok := seen[remote]; ok {
			problem(cty.GetAttrPath("claim_mapping").IndexInt(i).GetAttr("remote_claim"), "Duplicate claim mapping",
				"The remote claim %q is mapped by claim_mapping blocks %d and %d. Keep one of them.", remote, j+1, i+1)
		}
		seen[remote] = i
	}
	if isResident(v) {
		if t := knownString(v, "type"); t != "" && t != "default" {
			problem(cty.GetAttrPath("type"), "Wrong type of the resident key manager",
				"%q is the tenant's own key manager, whose type is \"default\", not %q. Use that type, or another name.", residentKeyManager, t)
		}
	}
	return out
}

// checkPermissions finds roles that have no effect, and none where some are needed.
func checkPermissions(v cty.Value) []schema.Problem {
	kind, roles := knownString(v, "permission_type"), plain(v, "permission_roles")
	switch some := !roles.IsKnown() || !roles.IsNull() && roles.LengthInt() > 0; {
	case kind == "PUBLIC" && some:
		return []schema.Problem{{Path: cty.GetAttrPath("permission_roles"), Summary: "Roles with public permissions",
			Detail: "What has permission_type PUBLIC is open to everybody, so roles have no effect. Use ALLOW or DENY, or drop permission_roles."}}
	case (kind == "ALLOW" || kind == "DENY") && !some:
		return []schema.Problem{{Path: cty.GetAttrPath("permission_type"), Summary: "Missing roles",
			Detail: fmt.Sprintf("permission_type %s needs at least one role. Set permission_roles, or use PUBLIC.", kind)}}
	}
	return nil
}

// isResident reports whether v is the tenant's own key manager.
func isResident(v cty.Value) bool { return knownString(v, "name") == residentKeyManager }

func trimmed(v cty.Value) cty.Value { return cty.StringVal(strings.TrimSpace(v.AsString())) }
