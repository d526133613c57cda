package is

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// The sequences of authentication.
const (
	defaultSequence = "DEFAULT"
	ownSequence     = "USER_DEFINED"
)

// The dialects of claims.
const (
	localDialect  = "LOCAL"
	customDialect = "CUSTOM"
)

// The audiences of an application's roles, as the applications API writes them.
const (
	organizationRoles = "ORGANIZATION"
	applicationRoles  = "APPLICATION"
)

// defaultIDP is what the server calls itself among the identity providers.
const defaultIDP = "LOCAL"

func applicationType() *schema.Type {
	return &schema.Type{
		Name: "is_application",
		Doc: "An application (service provider) with its OAuth2 and OpenID Connect client. What is left out is left as the server has it. The roles of the " +
			"application are `is_application_roles`, the APIs that it may call `is_application_authorized_api`. The server's own applications, Console and My Account, cannot be changed.",
		Key:   []string{"name"},
		Check: checkApplication,
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
				{Name: "name", Type: cty.String, Required: true, Validate: validApplicationName, Doc: "Name, unique in the tenant."},
				{Name: "description", Type: cty.String, Doc: "What it is."},
				{Name: "image_url", Type: cty.String, Doc: "Address of its logo."},
				{Name: "access_url", Type: cty.String, Doc: "Address at which users find it; needed by `discoverable_by_end_users`."},
				{Name: "logout_return_url", Type: cty.String, Doc: "Where users come to after logging out. The server ignores it when it makes an application, so it is set right after."},
				{Name: "template_id", Type: cty.String, Doc: "The Console's template that the application follows: which pages it shows."},
				{Name: "template_version", Type: cty.String, Doc: "Version of that template."},
				{Name: "application_version", Type: cty.String,
					Doc: "Version of the application's behaviour, such as `v2.0.0`. A higher one changes tokens and roles; do not lower it."},
				{Name: "enabled", Type: cty.Bool, JSON: "applicationEnabled", Doc: "Whether users can log in to it; true by default."},
				{Name: "is_management_app", Type: cty.Bool, RequiresReplace: true, Doc: "Whether it may call the server's own management APIs."},
				{Name: "is_b2b_self_service_app", Type: cty.Bool, RequiresReplace: true, JSON: "isB2BSelfServiceApp", Doc: "Whether organizations manage themselves with it."},
				{Name: "allowed_audience", Type: cty.String, JSON: "associatedRoles/allowedAudience", Enum: []string{organizationRoles, applicationRoles},
					Doc: "Whose roles count for its users: those of the `ORGANIZATION` (the server's default) or of the `APPLICATION`. " +
						"The roles of the application are deleted when it goes back to `ORGANIZATION`."},
				{Name: "access", Type: cty.String, ReadOnly: true, Doc: "`WRITE`, or `READ` where it is the server's own or somebody else's."},
			},
			Blocks: []schema.NestedBlock{
				{Name: "oidc", Nesting: schema.Single, Block: oidcBlock(),
					Doc: "Its OAuth2 and OpenID Connect client. Without this block there is none, or it is left as it is; dropping the block deletes the client."},
				{Name: "claims", Nesting: schema.Single, JSON: "claimConfiguration", Block: claimsBlock(),
					Doc: "What the application is told of a user."},
				{Name: "authentication", Nesting: schema.Single, JSON: "authenticationSequence", Block: authenticationBlock(),
					Doc: "How users log in to it. Dropping the block goes back to the default sequence."},
				{Name: "advanced", Nesting: schema.Single, JSON: "advancedConfigurations", Block: advancedBlock(), Doc: "Further settings."},
				{Name: "provisioning", Nesting: schema.Single, JSON: "provisioningConfigurations", Block: provisioningBlock(),
					Doc: "Where users go that are provisioned through it."},
			},
		},
	}
}

func claimsBlock() schema.Block {
	return schema.Block{
		Attributes: []schema.Attribute{
			{Name: "dialect", Type: cty.String, Enum: []string{localDialect, customDialect}, Default: cty.StringVal(localDialect),
				Doc: "`LOCAL` for the server's own claims (the default), or `CUSTOM` for names of the application's own, by `mapping`."},
			{Name: "subject_claim", Type: cty.String, JSON: "subject/claim/uri", Doc: "Claim that is the user's name for the application."},
			{Name: "subject_include_user_domain", Type: cty.Bool, JSON: "subject/includeUserDomain", Doc: "Whether that name has the user store before it."},
			{Name: "subject_include_tenant_domain", Type: cty.Bool, JSON: "subject/includeTenantDomain", Doc: "Whether that name has the tenant after it."},
			{Name: "use_mapped_local_subject", Type: cty.Bool, JSON: "subject/useMappedLocalSubject", Doc: "Whether a user of another identity provider is named as the local account linked with it."},
			{Name: "mapped_local_subject_mandatory", Type: cty.Bool, JSON: "subject/mappedLocalSubjectMandatory", Doc: "Whether such an account must exist."},
			{Name: "role_claim", Type: cty.String, JSON: "role/claim/uri", Doc: "Claim that holds the user's roles."},
			{Name: "role_include_user_domain", Type: cty.Bool, JSON: "role/includeUserDomain", Doc: "Whether roles have the user store before them."},
		},
		Blocks: []schema.NestedBlock{
			{Name: "requested_claim", Nesting: schema.List, Key: []string{"uri"}, JSON: "requestedClaims",
				Doc: "A claim that the application is told, by its local URI, or in the dialect `CUSTOM` by the application's name for it.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "uri", Type: cty.String, Required: true, JSON: "claim/uri", Doc: "The claim."},
					{Name: "mandatory", Type: cty.Bool, Default: cty.False, Doc: "Whether the user has to have it."},
				}}},
			{Name: "mapping", Nesting: schema.List, Key: []string{"application_claim"}, JSON: "claimMappings",
				Doc: "A name of the application's own for a claim, in the dialect `CUSTOM`.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "application_claim", Type: cty.String, Required: true, Doc: "The application's name for it."},
					{Name: "local_claim", Type: cty.String, Required: true, JSON: "localClaim/uri", Doc: "URI of the server's claim."},
				}}},
			{Name: "role_mapping", Nesting: schema.List, Key: []string{"local_role"}, JSON: "role/mappings",
				Doc: "What the application calls a role.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "local_role", Type: cty.String, Required: true, Doc: "The server's role."},
					{Name: "application_role", Type: cty.String, Required: true, Doc: "The application's name for it."},
				}}},
		},
	}
}

func authenticationBlock() schema.Block {
	return schema.Block{
		Attributes: []schema.Attribute{
			{Name: "type", Type: cty.String, Enum: []string{defaultSequence, ownSequence}, Default: cty.StringVal(ownSequence),
				Doc: "`USER_DEFINED`, by `step` (the default), or `DEFAULT` for the sequence of the tenant."},
			{Name: "script", Type: cty.String, Normalize: trimmedLines, Doc: "Script of adaptive authentication."},
			{Name: "request_path_authenticators", Type: cty.Set(cty.String), Doc: "Authenticators that take credentials from the request itself, such as `BasicAuthRequestPathAuthenticator`."},
			{Name: "subject_step", Type: cty.Number, JSON: "subjectStepId", Validate: wholeFrom(1), Doc: "Number of the step that says who the user is; 1 by default."},
			{Name: "attribute_step", Type: cty.Number, JSON: "attributeStepId", Validate: wholeFrom(1), Doc: "Number of the step that says what is known of the user; 1 by default."},
		},
		Blocks: []schema.NestedBlock{{
			Name: "step", Nesting: schema.List, JSON: "steps", Doc: "A step of the sequence, in this order: the first one is step 1.",
			Block: schema.Block{Blocks: []schema.NestedBlock{{
				Name: "option", Nesting: schema.List, Required: true, Key: []string{"idp", "authenticator"}, JSON: "options",
				Doc: "One of the ways to pass the step.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "idp", Type: cty.String, Default: cty.StringVal(defaultIDP), Doc: "Name of the identity provider; `LOCAL`, the server itself, by default."},
					{Name: "authenticator", Type: cty.String, Required: true, Doc: "Its authenticator, such as `BasicAuthenticator`, `totp` or `OpenIDConnectAuthenticator`."},
				}},
			}}},
		}},
	}
}

func advancedBlock() schema.Block {
	return schema.Block{
		Attributes: []schema.Attribute{
			{Name: "saas", Type: cty.Bool, Doc: "Whether users of all tenants may use it."},
			{Name: "discoverable_by_end_users", Type: cty.Bool, Doc: "Whether users find it in My Account. It needs an `access_url`."},
			{Name: "skip_login_consent", Type: cty.Bool, Doc: "Whether users are not asked for consent when they log in."},
			{Name: "skip_logout_consent", Type: cty.Bool, Doc: "Whether users are not asked when they log out."},
			{Name: "use_external_consent_page", Type: cty.Bool, Doc: "Whether a page of your own asks for consent."},
			{Name: "return_authenticated_idp_list", Type: cty.Bool, Doc: "Whether the answer to a login names the identity providers that took part."},
			{Name: "enable_authorization", Type: cty.Bool, Doc: "Whether authorization policies are asked at login."},
			{Name: "enable_api_based_authentication", Type: cty.Bool, JSON: "enableAPIBasedAuthentication", Doc: "Whether the application may log users in without a browser."},
			{Name: "fragment", Type: cty.Bool, ReadOnly: true, Doc: "Whether it is another organization's application that is shared with this one."},
		},
		Blocks: []schema.NestedBlock{
			{Name: "certificate", Nesting: schema.Single, Doc: "The application's certificate, which proves what it signs.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "type", Type: cty.String, Required: true, Enum: []string{"PEM", "JWKS"}, Doc: "Form of the value."},
					{Name: "value", Type: cty.String, Required: true, Validate: notBlank, Normalize: canonicalPEM, Doc: "The certificate in PEM form, or the address of a key set (JWKS)."},
				}}},
			{Name: "attestation", Nesting: schema.Single, JSON: "attestationMetaData", Doc: "How mobile applications prove that they are genuine.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "enabled", Type: cty.Bool, JSON: "enableClientAttestation", Default: cty.False, Doc: "Whether they have to."},
					{Name: "android_package_name", Type: cty.String, Doc: "Name of the Android package."},
					{Name: "android_credentials", Type: cty.String, JSON: "androidAttestationServiceCredentials", WriteOnly: true, Sensitive: true, Keep: schema.KeepResend,
						Validate: jsonObject, Normalize: canonicalJSON, Doc: "Credentials of the service account for Google Play Integrity, as JSON."},
					{Name: "apple_app_id", Type: cty.String, Doc: "Apple's id, `TEAM.BUNDLE`."},
				}}},
			{Name: "trusted_app", Nesting: schema.Single, JSON: "trustedAppConfiguration", Doc: "The mobile application that belongs to it.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "fido", Type: cty.Bool, JSON: "isFIDOTrustedApp", Default: cty.False, Doc: "Whether passkeys are shared with it."},
					{Name: "consent_granted", Type: cty.Bool, JSON: "isConsentGranted", Default: cty.False, Doc: "Whether its owner agreed to that."},
					{Name: "android_package_name", Type: cty.String, Doc: "Name of the Android package."},
					{Name: "android_thumbprints", Type: cty.Set(cty.String), Doc: "SHA-256 fingerprints of the certificates that sign the Android package."},
					{Name: "apple_app_id", Type: cty.String, Doc: "Apple's id, `TEAM.BUNDLE`."},
				}}},
		},
	}
}

func provisioningBlock() schema.Block {
	return schema.Block{
		Attributes: []schema.Attribute{
			{Name: "proxy_mode", Type: cty.Bool, JSON: "inboundProvisioning/proxyMode", Doc: "Whether users are only passed on to other systems."},
			{Name: "user_store", Type: cty.String, JSON: "inboundProvisioning/provisioningUserstoreDomain", Normalize: upper, Doc: "User store that they go to otherwise."},
		},
		Blocks: []schema.NestedBlock{{
			Name: "outbound", Nesting: schema.List, Key: []string{"idp", "connector"}, JSON: "outboundProvisioningIdps",
			Doc: "A system that users are passed on to. Identity Server 7 refuses these unless it is configured for provisioning by application.",
			Block: schema.Block{Attributes: []schema.Attribute{
				{Name: "idp", Type: cty.String, Required: true, Doc: "Name of the identity provider."},
				{Name: "connector", Type: cty.String, Required: true, Doc: "Its connector, such as `scim`."},
				{Name: "blocking", Type: cty.Bool, Default: cty.False, Doc: "Whether the caller waits for it."},
				{Name: "rules", Type: cty.Bool, Default: cty.False, Doc: "Whether rules decide."},
				{Name: "jit", Type: cty.Bool, Default: cty.False, Doc: "Whether users are passed on when they log in first."},
			}},
		}},
	}
}

// trimmedLines is the normal form of a script: without space at its ends, lines ended by a line feed.
func trimmedLines(v cty.Value) cty.Value {
	return cty.StringVal(strings.TrimSpace(strings.ReplaceAll(v.AsString(), "\r\n", "\n")))
}

// canonicalPEM is the normal form of a certificate: the bytes, whatever surrounds them. An address
// stays as it is.
func canonicalPEM(v cty.Value) cty.Value {
	rest := []byte(v.AsString())
	var out bytes.Buffer
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if err := pem.Encode(&out, &pem.Block{Type: block.Type, Bytes: block.Bytes}); err != nil {
			return v
		}
	}
	if out.Len() == 0 {
		return cty.StringVal(strings.TrimSpace(v.AsString()))
	}
	return cty.StringVal(out.String())
}

// checkApplication finds what tables cannot say.
func checkApplication(v cty.Value) []schema.Problem {
	v, _ = v.UnmarkDeep()
	var out []schema.Problem
	problem := func(path cty.Path, summary, format string, args ...any) {
		out = append(out, schema.Problem{Path: path, Summary: summary, Detail: fmt.Sprintf(format, args...)})
	}
	at := func(names ...string) cty.Path {
		var p cty.Path
		for _, n := range names {
			p = p.GetAttr(n)
		}
		return p
	}
	advanced := blockOf(v, "advanced")
	if known(advanced) && isTrue(advanced, "discoverable_by_end_users") && v.GetAttr("access_url").IsKnown() && stringOf(v, "access_url") == "" {
		problem(at("advanced", "discoverable_by_end_users"), "Missing access URL",
			"Users find the application in My Account by its address, and there is none. Set access_url.")
	}
	if c := blockOf(advanced, "certificate"); known(c) && stringOf(c, "type") == "PEM" && c.GetAttr("value").IsKnown() {
		if block, _ := pem.Decode([]byte(stringOf(c, "value"))); block == nil || block.Type != "CERTIFICATE" {
			problem(at("advanced", "certificate", "value"), "Invalid certificate", "The value is no certificate in PEM form. Read one with file(\"….pem\").")
		}
	}
	out = append(out, checkClaims(blockOf(v, "claims"))...)
	out = append(out, checkAuthentication(blockOf(v, "authentication"))...)
	return append(out, checkOIDC(blockOf(v, "oidc"))...)
}

// known reports whether a block is there and can be looked into.
func known(v cty.Value) bool { return v.IsKnown() && !v.IsNull() }

func isTrue(v cty.Value, name string) bool {
	x := v.GetAttr(name)
	return known(x) && x.True()
}

func checkClaims(c cty.Value) []schema.Problem {
	if !known(c) {
		return nil
	}
	in := func(p cty.Path) cty.Path { return append(cty.GetAttrPath("claims"), p...) }
	var out []schema.Problem
	// The server falls over two mappings of one name (500, is-behaviour 7).
	for _, list := range [][3]string{{"mapping", "application_claim", "claim mapping"}, {"requested_claim", "uri", "requested claim"}, {"role_mapping", "local_role", "role mapping"}} {
		for _, p := range twice(c, list[0], list[1], list[2]) {
			p.Path = in(p.Path)
			out = append(out, p)
		}
	}
	if isTrue(c, "mapped_local_subject_mandatory") && known(c.GetAttr("use_mapped_local_subject")) && c.GetAttr("use_mapped_local_subject").False() {
		out = append(out, schema.Problem{Path: in(cty.GetAttrPath("mapped_local_subject_mandatory")), Summary: "Linked account not used",
			Detail: "A linked local account cannot be mandatory while it is not used. Set use_mapped_local_subject to true."})
	}
	if !c.GetAttr("dialect").IsKnown() || !c.GetAttr("mapping").IsWhollyKnown() {
		return out
	}
	mappings := elements(c.GetAttr("mapping"))
	if stringOf(c, "dialect") == localDialect {
		if len(mappings) > 0 {
			out = append(out, schema.Problem{Path: in(cty.GetAttrPath("mapping").IndexInt(0)), Summary: "Mapping of a local claim",
				Detail: "In the dialect LOCAL claims have the server's names, and mappings mean nothing. Set dialect to \"CUSTOM\", or remove the mapping blocks."})
		}
		return out
	}
	for i, r := range elements(c.GetAttr("requested_claim")) {
		if !r.GetAttr("uri").IsKnown() {
			continue
		}
		if _, ok := element(c.GetAttr("mapping"), "application_claim", stringOf(r, "uri")); !ok {
			out = append(out, schema.Problem{Path: in(cty.GetAttrPath("requested_claim").IndexInt(i).GetAttr("uri")), Summary: "Claim without a mapping",
				Detail: fmt.Sprintf("In the dialect CUSTOM a claim is requested by the application's name for it, and no mapping has the name %q. Add a mapping block.", stringOf(r, "uri"))})
		}
	}
	return out
}

func checkAuthentication(a cty.Value) []schema.Problem {
	if !known(a) || !a.GetAttr("type").IsKnown() || !a.GetAttr("step").IsKnown() {
		return nil
	}
	var out []schema.Problem
	problem := func(name, summary, format string, args ...any) {
		out = append(out, schema.Problem{Path: cty.GetAttrPath("authentication").GetAttr(name), Summary: summary, Detail: fmt.Sprintf(format, args...)})
	}
	steps := len(elements(a.GetAttr("step")))
	if stringOf(a, "type") == defaultSequence {
		for _, name := range []string{"script", "subject_step", "attribute_step"} {
			if x := a.GetAttr(name); known(x) && !x.RawEquals(cty.StringVal("")) {
				problem(name, "Setting of a sequence", "The type DEFAULT takes the tenant's sequence as it is. Remove %s, or set type to \"USER_DEFINED\".", name)
			}
		}
		if steps > 0 {
			problem("type", "Steps of a default sequence", "The type DEFAULT takes the tenant's sequence as it is. Remove the step blocks, or set type to \"USER_DEFINED\".")
		}
		return out
	}
	if steps == 0 {
		problem("type", "Missing steps", "A sequence of the application's own has at least one step. Add a step block, or set type to \"DEFAULT\".")
		return out
	}
	for _, name := range []string{"subject_step", "attribute_step"} {
		if n := a.GetAttr(name); known(n) && n.GreaterThan(cty.NumberIntVal(int64(steps))).True() {
			problem(name, "Unknown step", "There is no step %s: the sequence has %d.", n.AsBigFloat().Text('f', -1), steps)
		}
	}
	return out
}
