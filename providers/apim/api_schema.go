package apim

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/providers/apim/definition"
)

// apiTypes are the types of APIs of the contract.
var apiTypes = []string{"HTTP", "WS", "SOAPTOREST", "SOAP", "GRAPHQL", "WEBSUB", "SSE", "WEBHOOK", "ASYNC"}

// apiType is the table of apim_api (apim-behaviour 5.1 to 5.3).
func apiType() *schema.Type {
	return &schema.Type{
		Name: "apim_api",
		Doc: "An API: everything that the gateway serves of it, in one block. A write changes the working copy, then certificates and endpoints, " +
			"makes a revision, deploys it and walks the lifecycle, in this order. A revision is made only when what reaches the gateway differs " +
			"from what is deployed there; of more than five the oldest that is not deployed is deleted.\n\n" +
			"What the API offers is written either as `operation` blocks or as a `definition`, never both: of GraphQL APIs alone, the operations of " +
			"the definition have settings in `operation` blocks. A topic of a streaming API is an operation with the verb `SUBSCRIBE` or `PUBLISH`. " +
			"An AI API is one of type `HTTP` with `ai_service_provider_id`.",
		Key:     []string{"name", "version"},
		Collide: collide,
		Check:   checkAPI,
		Block:   schema.Block{Attributes: apiAttributes(), Blocks: apiBlocks()},
	}
}

// collide reports whether two APIs cannot be there at once: those of different names have each a
// context and scopes of their own (apim-behaviour 10).
func collide(before, after cty.Value) bool {
	before, _ = before.UnmarkDeep()
	after, _ = after.UnmarkDeep()
	if knownString(before, "name") == knownString(after, "name") {
		return false
	}
	one, other := plain(before, "context"), plain(after, "context")
	if isKnown(one) && isKnown(other) && canonicalContext(one).RawEquals(canonicalContext(other)) {
		return true
	}
	names := map[string]bool{}
	for _, scope := range knownList(before, "scope") {
		names[knownString(scope, "name")] = true
	}
	return slices.ContainsFunc(knownList(after, "scope"), func(scope cty.Value) bool { return names[knownString(scope, "name")] })
}

func apiAttributes() []schema.Attribute {
	text := func(name, doc string, most int) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.String, Validate: lengthIn(0, most), Doc: doc}
	}
	flag := func(name, json, doc string) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.Bool, JSON: json, Doc: doc}
	}
	names := func(name, doc string) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.Set(cty.String), Doc: doc}
	}
	return []schema.Attribute{
		{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
		{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, Validate: apiName, Doc: "Name, of at most 60 characters."},
		{Name: "version", Type: cty.String, Required: true, RequiresReplace: true, Validate: apiVersion, Doc: "Version, such as `1.0.0`."},
		{Name: "context", Type: cty.String, Required: true, RequiresReplace: true, Validate: apiContext, Normalize: canonicalContext,
			Doc: "Path at the gateway, before the version, such as `/pizza`; a part `{version}` puts the version elsewhere. No two APIs share one."},
		{Name: "type", Type: cty.String, Default: cty.StringVal("HTTP"), RequiresReplace: true, Enum: apiTypes, Doc: "What kind of API it is."},
		{Name: "ai_service_provider_id", Type: cty.String, RequiresReplace: true,
			Doc: "Id of the AI service provider whose API it is. Without a `definition` the provider's own is taken."},
		{Name: "subtype", Type: cty.String, ReadOnly: true, Doc: "`AIAPI` of AI APIs, else `DEFAULT`."},
		{Name: "api_provider", Type: cty.String, RequiresReplace: true, JSON: "provider",
			Doc: "User that it belongs to. The server's default is the provider's own user; only administrators may name another."},
		text("description", "What it is for.", 32766),

		{Name: "definition", Type: cty.Map(cty.String), Written: cty.String, Read: readDefinition,
			Doc: "The definition, mostly `file(\"…\")`: OpenAPI in YAML or JSON of type `HTTP`, WSDL of `SOAP` and `SOAPTOREST` (of several files a zip archive, by `filebase64(\"…\")`), the schema of `GRAPHQL`, AsyncAPI of the others. " +
				"It is compared by its elements (paths and verbs, schemas, scopes, types), without what API Manager adds, and references to it see a map of these. " +
				"Title and version are the API's; servers are left out."},

		{Name: "lifecycle_state", Type: cty.String, JSON: "lifeCycleStatus", Validate: lifecycleName, Normalize: upper,
			Doc: "State of the lifecycle: `CREATED`, `PROTOTYPED`, `PUBLISHED`, `BLOCKED`, `DEPRECATED` or `RETIRED`. It is reached by the actions that lead there. " +
				"Nothing leads out of `RETIRED`, which also ends all subscriptions."},
		{Name: "on_destroy", Type: cty.String, Enum: []string{destroyDeletes, destroyRetires},
			Doc: "What destroying does: `delete`, or `retire`, which ends all subscriptions and leaves the API retired. `retire` is kept on the server, as the property `" + onDestroyProperty + "`."},

		flag("default_version", "isDefaultVersion", "Whether calls without a version reach this one."),
		{Name: "transport", Type: cty.Set(cty.String), Doc: "`http`, `https`, or both; what streaming APIs are called by."},
		text("authorization_header", "Header that holds the access token. The server's default is `Authorization`.", 255),
		{Name: "api_key_header", Type: cty.String, Normalize: lower, Doc: "Header that holds the API key. The server's default is `ApiKey`."},
		{Name: "security_scheme", Type: cty.Set(cty.String), Normalize: canonicalSecurity,
			Doc: "How callers prove themselves: `oauth2`, `api_key`, `basic_auth`, `mutualssl`, and `oauth_basic_auth_api_key_mandatory`, " +
				"`mutualssl_mandatory` for what is demanded; where neither is named, the server adds the first, and the second to `mutualssl` alone."},
		{Name: "api_throttling_policy", Type: cty.String, Doc: "Advanced throttling policy of the whole API; then the policies of operations do not count."},
		flag("response_caching_enabled", "", "Whether the gateway caches answers."),
		{Name: "cache_timeout", Type: cty.Number, Validate: wholeFrom(0), Doc: "Seconds for which answers are cached."},
		flag("enable_schema_validation", "", "Whether the gateway validates messages against the definition."),
		flag("enable_subscriber_verification", "", "Whether the gateway verifies that the caller has a subscription, for streaming APIs."),
		names("audiences", "Audiences of tokens that are accepted; `all` accepts each."),
		{Name: "gateway_vendor", Type: cty.String, RequiresReplace: true, Doc: "Vendor of the gateway, such as `wso2` or `solace`."},
		{Name: "gateway_type", Type: cty.String, RequiresReplace: true, Doc: "Kind of gateway. The server's default is `wso2/synapse`."},
		names("async_transport_protocols", "Protocols of streaming APIs."),
		{Name: "endpoint_implementation_type", Type: cty.String, Enum: []string{"INLINE", "ENDPOINT", "MOCKED_OAS"}, Doc: "Whether backends answer, or the gateway does by itself."},
		{Name: "endpoint_type", Type: cty.String, Doc: "How backends are called: `http`, `address` (SOAP), `load_balance`, `failover`, `default`, `awslambda` or another that the server knows. " +
			"Made from `endpoint` blocks it is `http`."},
		{Name: "endpoint_settings", Type: cty.Map(cty.String), PerKey: true,
			Doc: "Other members of the endpoint configuration, such as `sessionManagement`, `amznRegion`. Lists and objects are written as JSON."},
		{Name: "secret_endpoint_settings", Type: cty.Map(cty.String), PerKey: true, WriteOnly: true, Sensitive: true, Keep: schema.KeepOmit,
			Doc: "Those that are secret, such as `amznSecretKey`."},
		{Name: "primary_production_endpoint", Type: cty.String, Doc: "Name of the endpoint that an AI API calls, where it has several."},
		{Name: "primary_sandbox_endpoint", Type: cty.String, Doc: "The same for the sandbox."},

		{Name: "visibility", Type: cty.String, Enum: []string{"PUBLIC", "PRIVATE", "RESTRICTED"}, Doc: "Who sees it in the developer portal."},
		names("visible_roles", "Roles that see it, with `RESTRICTED`."),
		names("visible_organizations", "Organizations that see it, by id; `all` or `none`."),
		{Name: "access_control", Type: cty.String, Enum: []string{"NONE", "RESTRICTED"}, Doc: "Who sees it in the publisher."},
		{Name: "access_control_roles", Type: cty.Set(cty.String), Normalize: lowerSet, Doc: "Roles that do, with `RESTRICTED`; upper and lower case are one."},
		{Name: "subscription_availability", Type: cty.String, Enum: []string{"CURRENT_TENANT", "ALL_TENANTS", "SPECIFIC_TENANTS"}, Doc: "Which tenants may subscribe."},
		names("subscription_available_tenants", "These tenants, with `SPECIFIC_TENANTS`."),
		names("policies", "Subscription throttling policies (tiers) that it offers. A published API needs one, unless only API keys or mutual TLS are accepted."),
		names("tags", "Tags for searching."),
		names("categories", "API categories, by name."),
		names("labels", "Labels, by name."),
		names("key_managers", "Key managers whose tokens are accepted, by name; `all` accepts each."),
		{Name: "properties", Type: cty.Map(cty.String), PerKey: true, Doc: "Custom properties, each managed by itself."},
		{Name: "devportal_properties", Type: cty.Map(cty.String), PerKey: true, Doc: "Custom properties that the developer portal shows."},
	}
}

func apiBlocks() []schema.NestedBlock {
	str := func(name, doc string) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.String, Doc: doc}
	}
	attrs := func(list ...schema.Attribute) schema.Block { return schema.Block{Attributes: list} }
	return append([]schema.NestedBlock{
		{Name: "operation", JSON: "operations", Nesting: schema.List, Key: []string{"verb", "target"}, Unless: "definition", Block: operationBlock(),
			Doc: "What the API offers: a verb on a path. Without any, and without a definition, the server makes five on `/*`."},
		{Name: "scope", JSON: "localScopes", Nesting: schema.List, Key: []string{"name"},
			Doc: "A scope of this API alone. What operations name beside these is a shared scope.",
			Block: attrs(
				schema.Attribute{Name: "name", Type: cty.String, Required: true, Validate: scopeName, Doc: "Name, which tokens hold."},
				schema.Attribute{Name: "display_name", Type: cty.String, Validate: lengthIn(0, 255),
					Doc: "Name shown to people. APIM 4.5 stores the `name` in its place; only shared scopes have another."},
				schema.Attribute{Name: "description", Type: cty.String, Validate: lengthIn(0, 512), Doc: "What it allows."},
				schema.Attribute{Name: "roles", Type: cty.Set(cty.String), JSON: "bindings", Doc: "Roles that may ask for it."},
			)},
		{Name: "endpoint", JSON: "endpoints", Nesting: schema.List, Key: []string{"name"}, Block: endpointBlock(), Doc: "A backend."},
		{Name: "client_certificate", JSON: "clientCertificates", Nesting: schema.List, Key: []string{"alias"},
			Doc: "A client certificate that the gateway accepts; `security_scheme` must hold `mutualssl`.",
			Block: attrs(
				schema.Attribute{Name: "alias", Type: cty.String, Required: true, Validate: certificateAlias, Doc: "Name of it."},
				schema.Attribute{Name: "key_type", Type: cty.String, Default: cty.StringVal("PRODUCTION"), Enum: []string{"PRODUCTION", "SANDBOX"}, Doc: "Which endpoint it opens."},
				schema.Attribute{Name: "tier", Type: cty.String, Required: true, Doc: "Subscription throttling policy of its calls."},
				schema.Attribute{Name: "certificate", Type: cty.String, Required: true, Normalize: sha256OfCertificate, Validate: oneCertificate, Doc: "The certificate in PEM."},
			)},
		{Name: "deployment", JSON: "deployments", Nesting: schema.List, Key: []string{"environment"},
			Doc: "A gateway environment that serves the API.",
			Block: attrs(
				schema.Attribute{Name: "environment", Type: cty.String, Required: true, JSON: "name", Doc: "Name of the environment, such as `Default`."},
				schema.Attribute{Name: "vhost", Type: cty.String, Doc: "Virtual host of the environment. The server's default is its first one."},
				schema.Attribute{Name: "display_on_devportal", Type: cty.Bool, Doc: "Whether the developer portal shows it."},
				schema.Attribute{Name: "up_to_date", Type: cty.Bool, Default: cty.True, Validate: onlyTrue,
					Doc: "Whether the gateway serves the API as it is. There is no need to write it: where that is not so, a plan shows it as a change of this, and an apply deploys."},
			)},
		{Name: "complexity", JSON: "complexities", Nesting: schema.List, Key: []string{"type", "field"}, Doc: "How much a field of a GraphQL API counts against the limit of complexity.",
			Block: attrs(
				schema.Attribute{Name: "type", Type: cty.String, Required: true, Doc: "Type of the schema."},
				schema.Attribute{Name: "field", Type: cty.String, Required: true, Doc: "Field of the type."},
				schema.Attribute{Name: "value", Type: cty.Number, Required: true, JSON: "complexityValue", Validate: wholeFrom(1), Doc: "How much it counts."},
			)},
		{Name: "max_tps", Nesting: schema.Single, Doc: "How many calls in a second reach the backends.",
			Block: attrs(
				schema.Attribute{Name: "production", Type: cty.Number, Validate: wholeFrom(1), Doc: "Calls of the production endpoint."},
				schema.Attribute{Name: "sandbox", Type: cty.Number, Validate: wholeFrom(1), Doc: "Calls of the sandbox endpoint."},
			)},
		{Name: "cors", JSON: "corsConfiguration", Nesting: schema.Single, Doc: "What browsers may do from other sites.",
			Block: attrs(
				schema.Attribute{Name: "enabled", Type: cty.Bool, JSON: "corsConfigurationEnabled", Doc: "Whether this counts."},
				schema.Attribute{Name: "allow_origins", Type: cty.Set(cty.String), JSON: "accessControlAllowOrigins", Doc: "Sites that may call, or `*`."},
				schema.Attribute{Name: "allow_credentials", Type: cty.Bool, JSON: "accessControlAllowCredentials", Doc: "Whether credentials may be sent."},
				schema.Attribute{Name: "allow_headers", Type: cty.Set(cty.String), JSON: "accessControlAllowHeaders", Doc: "Headers that may be sent."},
				schema.Attribute{Name: "allow_methods", Type: cty.Set(cty.String), JSON: "accessControlAllowMethods", Doc: "Methods that may be used."},
			)},
		{Name: "websub", JSON: "websubSubscriptionConfiguration", Nesting: schema.Single, Doc: "How subscribers of a WebSub API are told who sends.",
			Block: attrs(
				schema.Attribute{Name: "enable", Type: cty.Bool, Doc: "Whether events are signed."},
				schema.Attribute{Name: "secret", Type: cty.String, Sensitive: true, Doc: "Secret that they are signed with."},
				str("signing_algorithm", "Such as `SHA1`."),
				str("signature_header", "Header that holds the signature."),
			)},
		{Name: "business_information", Nesting: schema.Single, Doc: "Whom to ask.",
			Block: attrs(str("business_owner", "Name."), str("business_owner_email", "Address."), str("technical_owner", "Name."), str("technical_owner_email", "Address."))},
		{Name: "advertise_info", Nesting: schema.Single, Doc: "An API that others serve, and the developer portal only shows: it has no deployments, and only such ones are of type `ASYNC`.",
			Block: attrs(
				schema.Attribute{Name: "advertised", Type: cty.Bool, Doc: "Whether it is such a one."},
				schema.Attribute{Name: "production_endpoint", Type: cty.String, JSON: "apiExternalProductionEndpoint", Doc: "Where it is."},
				schema.Attribute{Name: "sandbox_endpoint", Type: cty.String, JSON: "apiExternalSandboxEndpoint", Doc: "Where its sandbox is."},
				str("original_dev_portal_url", "The portal of those who serve it."),
				str("api_owner", "Who owns it."),
				schema.Attribute{Name: "vendor", Type: cty.String, Enum: []string{"WSO2", "AWS"}, Doc: "Whose it is."},
			)},
	}, policyBlocks("apiPolicies", "all operations")...)
}

// operationBlock is an operation of an API.
func operationBlock() schema.Block {
	return schema.Block{
		Attributes: []schema.Attribute{
			{Name: "verb", Type: cty.String, Required: true, Normalize: upper, Validate: operationVerb,
				Doc: "Method, such as `GET`; `SUBSCRIBE` or `PUBLISH` of streaming APIs; `QUERY`, `MUTATION` or `SUBSCRIPTION` of GraphQL."},
			{Name: "target", Type: cty.String, Required: true, Validate: notBlank, Doc: "Path, such as `/menu/{id}`; topic; or field of GraphQL."},
			{Name: "auth_type", Type: cty.String, Normalize: canonicalAuthType, Validate: authType,
				Doc: "Who may call: `None`, or `Application & Application User`, which is the server's default. `Application` and `Application User` are taken, and API Manager 4.5 may store the default in their place, which an apply then says."},
			{Name: "throttling_policy", Type: cty.String, Doc: "Advanced throttling policy. The server's default is `Unlimited`."},
			{Name: "scopes", Type: cty.Set(cty.String), Doc: "Scopes of which the token must hold one."},
			{Name: "payload_schema", Type: cty.String, Doc: "Schema of the payload."},
			{Name: "uri_mapping", Type: cty.String, Doc: "Path of the backend that a topic is mapped to."},
			{Name: "amzn_resource_name", Type: cty.String, Doc: "ARN of the function that is called."},
			{Name: "amzn_resource_timeout", Type: cty.Number, Validate: wholeFrom(0), Doc: "Milliseconds that it may take."},
			{Name: "amzn_resource_content_encode", Type: cty.Bool, Doc: "Whether content is encoded."},
		},
		Blocks: policyBlocks("operationPolicies", "this operation"),
	}
}

// policyBlocks are the policies of three flows, which run in the order of their blocks.
func policyBlocks(member, of string) []schema.NestedBlock {
	var out []schema.NestedBlock
	for _, flow := range []struct{ name, doc string }{{"request", "before the backend is called"}, {"response", "on answers"}, {"fault", "when something fails"}} {
		out = append(out, schema.NestedBlock{
			Name: flow.name + "_policy", JSON: member + "/" + flow.name, Nesting: schema.List,
			Doc: fmt.Sprintf("An operation policy of %s that runs %s, in the order of the blocks.", of, flow.doc),
			Block: schema.Block{Attributes: []schema.Attribute{
				{Name: "name", Type: cty.String, Required: true, JSON: "policyName", Doc: "Name of the policy."},
				{Name: "version", Type: cty.String, Default: cty.StringVal("v1"), JSON: "policyVersion", Doc: "Version of the policy."},
				{Name: "parameters", Type: cty.Map(cty.String), PerKey: true, Doc: "Its parameters."},
				{Name: "secret_parameters", Type: cty.Map(cty.String), PerKey: true, WriteOnly: true, Sensitive: true, Doc: "Those that are secret."},
			}},
		})
	}
	return out
}

// endpointBlock is a backend.
func endpointBlock() schema.Block {
	str := func(name, doc string) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.String, Doc: doc}
	}
	secret := func(name, doc string) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.String, WriteOnly: true, Sensitive: true, Keep: schema.KeepBlank, Doc: doc}
	}
	return schema.Block{
		Attributes: []schema.Attribute{
			{Name: "name", Type: cty.String, Default: cty.StringVal(productionEndpoint), Validate: notBlank,
				Doc: "`production` or `sandbox`; `production-2` and so on for further ones of `load_balance` and `failover`. Those of AI APIs may have other names."},
			{Name: "stage", Type: cty.String, Enum: []string{"PRODUCTION", "SANDBOX"}, JSON: "deploymentStage",
				Doc: "Whose it is, where the name does not say. Default by the name."},
			{Name: "url", Type: cty.String, Doc: "Address. Without one, `endpoint_type` must not need it."},
			{Name: "config", Type: cty.Map(cty.String), PerKey: true,
				Doc: "Advanced settings, such as `actionDuration` and `actionSelect` (time-outs), `retryTimeOut`, `suspendDuration`, `suspendErrorCode`. Lists are written as JSON."},
		},
		Blocks: []schema.NestedBlock{{Name: "security", Nesting: schema.Single, Doc: "How the gateway proves itself to the backends of the stage.",
			Block: schema.Block{Attributes: []schema.Attribute{
				{Name: "type", Type: cty.String, Required: true, Normalize: upper, Doc: "`BASIC`, `DIGEST`, `OAUTH`, `APIKEY`, `AWS` or `NONE`."},
				{Name: "enabled", Type: cty.Bool, Default: cty.True, Doc: "Whether it is used."},
				str("username", "User."),
				secret("password", "Password."),
				{Name: "grant_type", Type: cty.String, Normalize: upper, Doc: "Grant of `OAUTH`: `CLIENT_CREDENTIALS` or `PASSWORD`."},
				str("token_url", "Where tokens are issued."),
				str("client_id", "Client of `OAUTH`."),
				secret("client_secret", "Its secret."),
				{Name: "custom_parameters", Type: cty.Map(cty.String), Doc: "Further parameters of the request for a token."},
				str("api_key_identifier", "Name of the header or parameter that holds the API key."),
				{Name: "api_key_identifier_type", Type: cty.String, Normalize: upper, Doc: "`HEADER` or `QUERY_PARAMETER`."},
				secret("api_key_value", "The API key."),
				str("access_key", "Access key of `AWS`."),
				secret("secret_key", "Secret key of `AWS`."),
				str("region", "Region of `AWS`."),
				str("service", "Service of `AWS`, such as `bedrock`."),
			}},
		}},
	}
}

// readDefinition turns a definition into its elements.
func readDefinition(v cty.Value) (cty.Value, error) {
	_, elements, err := definition.Parse(v.AsString())
	if err != nil {
		return cty.NilVal, err
	}
	out := make(map[string]cty.Value, len(elements))
	for name, text := range elements {
		out[name] = cty.StringVal(text)
	}
	return cty.MapVal(out), nil
}

func upper(v cty.Value) cty.Value { return cty.StringVal(strings.ToUpper(v.AsString())) }
func lower(v cty.Value) cty.Value { return cty.StringVal(strings.ToLower(v.AsString())) }

func lowerSet(v cty.Value) cty.Value {
	var out []cty.Value
	for _, s := range stringsOf(v) {
		out = append(out, cty.StringVal(strings.ToLower(s)))
	}
	if len(out) == 0 {
		return cty.SetValEmpty(cty.String)
	}
	return cty.SetVal(out)
}

// canonicalSecurity is a security scheme as the server completes it (apim-behaviour 5.1): something is
// always demanded, and nothing is oauth2.
func canonicalSecurity(v cty.Value) cty.Value {
	const demanded, certificate = "oauth_basic_auth_api_key_mandatory", "mutualssl_mandatory"
	has := map[string]bool{}
	for _, name := range stringsOf(v) {
		if name == "oauth_basic_auth_mandatory" { // in old payloads
			name = demanded
		}
		has[name] = true
	}
	token := has["oauth2"] || has["basic_auth"] || has["api_key"]
	if !token && !has["mutualssl"] {
		token, has["oauth2"] = true, true
	}
	switch {
	case token && !has[certificate]:
		has[demanded] = true
	case !token:
		has[certificate] = true
	}
	return stringSet(slices.Sorted(maps.Keys(has)))
}

// onlyCertificates reports whether callers prove themselves by client certificates alone, so that
// nobody subscribes.
func onlyCertificates(scheme cty.Value) bool {
	names := stringsOf(canonicalSecurity(scheme))
	return len(names) == 2 && slices.Contains(names, "mutualssl")
}

var tenantPrefix = regexp.MustCompile(`^/t/[^/]+`)

// canonicalContext is the context as people write it: with a leading "/", without the tenant, and
// without a version at its end, as GET answers (apim-behaviour 5.1).
func canonicalContext(v cty.Value) cty.Value {
	context := "/" + strings.Trim(v.AsString(), "/")
	context = tenantPrefix.ReplaceAllString(context, "")
	return cty.StringVal(strings.TrimSuffix(context, "/{version}"))
}

// canonicalAuthType gives both spellings of the default one form.
func canonicalAuthType(v cty.Value) cty.Value {
	switch strings.ReplaceAll(v.AsString(), "_", " ") {
	case "Any":
		return cty.StringVal("Application & Application User")
	case "Application User":
		return cty.StringVal("Application User")
	}
	return v
}

func authType(v cty.Value) error {
	switch canonicalAuthType(v).AsString() {
	case "None", "Application", "Application User", "Application & Application User":
		return nil
	}
	return fmt.Errorf("%q is none of None, Application, Application User and Application & Application User", v.AsString())
}

var verbsOfOperations = []string{"GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "SUBSCRIBE", "PUBLISH", "QUERY", "MUTATION", "SUBSCRIPTION"}

func operationVerb(v cty.Value) error {
	for _, verb := range verbsOfOperations {
		if strings.EqualFold(v.AsString(), verb) {
			return nil
		}
	}
	return fmt.Errorf("%q is no verb; use one of %s", v.AsString(), strings.Join(verbsOfOperations, ", "))
}

func onlyTrue(v cty.Value) error {
	if v.False() {
		return fmt.Errorf("it can only be true; to leave what is deployed alone, leave out the deployment blocks")
	}
	return nil
}

func apiName(v cty.Value) error {
	name := v.AsString()
	if err := lengthIn(1, 60)(v); err != nil {
		return err
	}
	if i := strings.IndexAny(name, "~!@#;:%^*()+={}|\\<>\"',&$[]/"); i >= 0 {
		return fmt.Errorf("%q holds %q, which API Manager refuses", name, name[i:i+1])
	}
	if strings.Join(strings.Fields(name), " ") != name {
		return fmt.Errorf("%q begins or ends with a blank, or holds two in a row, which API Manager takes out", name)
	}
	return nil
}

func apiVersion(v cty.Value) error {
	version := v.AsString()
	if err := lengthIn(1, 30)(v); err != nil {
		return err
	}
	if i := strings.IndexAny(version, "~!@#;:%^*()+={}|\\<>\"',&/$[] \t\n"); i >= 0 {
		return fmt.Errorf("%q holds %q, which API Manager refuses", version, version[i:i+1])
	}
	return nil
}

func apiContext(v cty.Value) error {
	context := v.AsString()
	if err := lengthIn(1, 232)(v); err != nil {
		return err
	}
	switch {
	case strings.HasSuffix(context, "/"):
		return fmt.Errorf("%q ends with /, which API Manager refuses", context)
	case strings.ContainsAny(context, " \t\n"):
		return fmt.Errorf("%q holds a blank, which no path has", context)
	case strings.Contains(strings.ReplaceAll(context, "{version}", ""), "{"):
		return fmt.Errorf("%q holds a variable; only {version} may be one", context)
	}
	return nil
}

func scopeName(v cty.Value) error {
	if err := lengthIn(1, 255)(v); err != nil {
		return err
	}
	if strings.ContainsAny(v.AsString(), " \t\n") {
		return fmt.Errorf("%q holds a blank, which API Manager refuses", v.AsString())
	}
	return nil
}

func lifecycleName(v cty.Value) error {
	if strings.TrimSpace(v.AsString()) == "" {
		return fmt.Errorf("it must not be empty")
	}
	return nil
}
