package apim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAnswersThatDiffer holds each row of the table of what GET answers otherwise than it was sent
// (apim-behaviour 5.1): written, the plan is empty; edited behind our back, the plan shows it, and
// nothing else but that the gateway serves something else; healed, the plan is empty again.
func TestAnswersThatDiffer(t *testing.T) {
	type m = map[string]any
	type l = []any
	policy := func(name string, parameters m) m {
		return m{"policyName": name, "policyVersion": "v1", "policyType": "common", "parameters": parameters}
	}
	const bare = `  endpoint {
    url = "https://backend.example.com"
  }
`
	for _, c := range []struct {
		row    string
		config string // of the API, beside name, version and context
		edit   m      // nil: the row has nothing that can be edited, or nothing that is managed
		seen   []string
		unseen m // an edit of what is not managed, which no plan shows
	}{
		{row: "context: a slash is put before it", config: `context = "pizza"`},
		{row: "context: /{version} at its end is cut", config: `context = "/pizza/{version}"`},
		{row: "policies: a set", config: `policies = ["Unlimited", "Bronze", "Gold"]`, edit: m{"policies": l{"Gold", "Bronze"}}, seen: []string{"policies"}},
		{row: "policies: DefaultSubscriptionless is dropped beside others", config: `policies = ["Gold"]`, edit: m{"policies": l{"DefaultSubscriptionless", "Silver"}}, seen: []string{"policies"}},
		{row: "tags: a set", config: `tags = ["b", "a"]`, edit: m{"tags": l{"a"}}, seen: []string{"tags"}, unseen: m{"description": "theirs"}},
		{row: "categories: a set", config: `categories = []`, edit: nil},
		{row: "transport: a set", config: `transport = ["https", "http"]`, edit: m{"transport": l{"https"}}, seen: []string{"transport"}},
		{row: "keyManagers: a set", config: `key_managers = ["Resident Key Manager"]`, edit: m{"keyManagers": l{"all"}}, seen: []string{"key_managers"}},
		{row: "keyManagers: all by default", config: `key_managers = ["all"]`, edit: m{"keyManagers": l{"Resident Key Manager"}}, seen: []string{"key_managers"}},
		{row: "visibleRoles: a set", config: "visibility = \"RESTRICTED\"\n  visible_roles = [\"Internal/subscriber\", \"admin\"]",
			edit: m{"visibleRoles": l{"admin"}}, seen: []string{"visible_roles"}},
		{row: "visibleRoles: cleared for PUBLIC", config: `visibility = "PUBLIC"`, edit: m{"visibility": "RESTRICTED", "visibleRoles": l{"admin"}}, seen: []string{"visibility"}},
		{row: "accessControlRoles: lower-cased", config: "access_control = \"RESTRICTED\"\n  access_control_roles = [\"Internal/Creator\", \"admin\"]",
			edit: m{"accessControlRoles": l{"admin"}}, seen: []string{"access_control_roles"}},
		{row: "audiences: a set", config: `audiences = ["b", "a"]`, edit: m{"audiences": l{"a"}}, seen: []string{"audiences"}},
		{row: "visibleOrganizations: none by default", config: `visible_organizations = ["none"]`},
		{row: "authorizationHeader: a default", config: `authorization_header = "Authorization"`, edit: m{"authorizationHeader": "X-Auth"}, seen: []string{"authorization_header"}},
		{row: "apiKeyHeader: without case", config: `api_key_header = "apikey"`, edit: m{"apiKeyHeader": "X-Key"}, seen: []string{"api_key_header"}},
		{row: "securityScheme: a set with markers", config: `security_scheme = ["oauth_basic_auth_api_key_mandatory", "oauth2", "api_key"]`,
			edit: m{"securityScheme": l{"oauth2", "oauth_basic_auth_api_key_mandatory"}}, seen: []string{"security_scheme"}},
		{row: "corsConfiguration: a default block", config: "cors {\n    enabled = true\n  }",
			edit: m{"corsConfiguration": m{"corsConfigurationEnabled": false}}, seen: []string{"cors.enabled"}, unseen: m{"corsConfiguration": m{"accessControlAllowCredentials": true}}},
		{row: "advertiseInfo: a default block", config: `description = "x"`, unseen: m{"advertiseInfo": m{"apiOwner": "them"}}},
		{row: "businessInformation: null members", config: "business_information {\n    business_owner = \"Jo\"\n  }",
			edit: m{"businessInformation": m{"businessOwner": "Al"}}, seen: []string{"business_information.business_owner"}, unseen: m{"businessInformation": m{"technicalOwner": "Al"}}},
		{row: "operations: rebuilt, sorted, with defaults", config: "operation {\n    verb = \"POST\"\n    target = \"/z\"\n  }\n  operation {\n    verb = \"get\"\n    target = \"/a\"\n  }",
			edit: m{"operations": l{m{"verb": "GET", "target": "/a"}}}, seen: []string{`operation["POST /z"]`}},
		{row: "operations: their settings", config: "operation {\n    verb = \"GET\"\n    target = \"/a\"\n    auth_type = \"None\"\n    throttling_policy = \"10KPerMin\"\n  }",
			edit: m{"operations": l{m{"verb": "GET", "target": "/a"}}}, seen: []string{`operation["GET /a"].auth_type`, `operation["GET /a"].throttling_policy`}},
		{row: "scopes: by name", config: "scope {\n    name = \"eat\"\n    roles = [\"admin\", \"Internal/creator\"]\n  }",
			edit: m{"scopes": l{m{"shared": false, "scope": m{"name": "eat", "bindings": l{"admin"}}}}}, seen: []string{`scope["eat"].roles`}},
		{row: "additionalProperties: a map", config: "properties = { cost = \"1\", more = \"2\" }\n  devportal_properties = { owner = \"jo\" }",
			edit: m{"additionalProperties": l{m{"name": "cost", "value": "1", "display": false}, m{"name": "owner", "value": "al", "display": true}, m{"name": "theirs", "value": "5", "display": false}}},
			seen: []string{`devportal_properties["owner"]`, `properties["more"]`}},
		{row: "endpointConfig: loose scalars", config: bare[:len(bare)-4] + "    config = { actionDuration = \"30000\", suspendErrorCode = \"[\\\"101504\\\"]\" }\n  }\n  endpoint_settings = { sessionTimeOut = \"60\" }",
			edit: m{"endpointConfig": m{"production_endpoints": m{"config": m{"actionDuration": 1}}}}, seen: []string{`endpoint["production"].config["actionDuration"]`}},
		{row: "endpointConfig: the address", config: bare, edit: m{"endpointConfig": m{"production_endpoints": m{"url": "https://theirs.example.com"}}}, seen: []string{`endpoint["production"].url`}},
		{row: "endpoint_security: blank secrets", config: "endpoint {\n    url = \"https://b.example.com\"\n    security {\n      type = \"basic\"\n      username = \"u\"\n      password = \"p\"\n    }\n  }",
			edit: m{"endpointConfig": m{"endpoint_security": m{"production": m{"username": "them"}}}}, seen: []string{`endpoint["production"].security.username`}},
		{row: "endpoint_security: custom parameters as a string", config: "endpoint {\n    url = \"https://b.example.com\"\n    security {\n      type = \"OAUTH\"\n      grant_type = \"client_credentials\"\n" +
			"      token_url = \"https://i.example.com\"\n      client_id = \"c\"\n      client_secret = \"s\"\n      custom_parameters = { a = \"b\" }\n    }\n  }",
			edit: m{"endpointConfig": m{"endpoint_security": m{"production": m{"tokenUrl": "https://them.example.com"}}}}, seen: []string{`endpoint["production"].security.token_url`}},
		{row: "AWS secret: a placeholder", config: "endpoint_type = \"awslambda\"\n  endpoint_settings = { access_method = \"stored\", amznAccessKey = \"AK\", amznRegion = \"eu-1\" }\n  secret_endpoint_settings = { amznSecretKey = \"shh\" }",
			edit: m{"endpointConfig": m{"amznRegion": "us-1"}}, seen: []string{`endpoint_settings["amznRegion"]`}},
		{row: "apiPolicies: cloned, with new ids", config: "request_policy {\n    name = \"addHeader\"\n    parameters = { headerName = \"X\", headerValue = \"1\" }\n  }",
			edit: m{"apiPolicies": m{"request": l{policy("addHeader", m{"headerName": "X", "headerValue": "2"})}}}, seen: []string{`request_policy[0].parameters["headerValue"]`}},
		{row: "operationPolicies: cloned, with new ids", config: "operation {\n    verb = \"GET\"\n    target = \"/a\"\n    request_policy {\n      name = \"addHeader\"\n      parameters = { headerName = \"X\", headerValue = \"1\" }\n    }\n  }",
			edit: m{"operations": l{m{"verb": "GET", "target": "/a"}}}, seen: []string{`operation["GET /a"].request_policy[0]`}},
		{row: "lifeCycleStatus: not by a PUT", config: `lifecycle_state = "CREATED"`, unseen: m{"lifeCycleStatus": "PUBLISHED"}},
		{row: "subtypeConfiguration, egress", config: `description = "x"`, edit: m{"description": "y"}, seen: []string{"description"}},
		{row: "gatewayVendor, gatewayType: defaults", config: "gateway_vendor = \"wso2\"\n  gateway_type = \"wso2/synapse\""},
		{row: "booleans and cacheTimeout", config: "cache_timeout = 60\n  response_caching_enabled = true\n  enable_schema_validation = true\n  default_version = true",
			edit: m{"cacheTimeout": 5, "responseCachingEnabled": false, "enableSchemaValidation": false, "isDefaultVersion": false},
			seen: []string{"cache_timeout", "default_version", "enable_schema_validation", "response_caching_enabled"}},
		{row: "subscriptionAvailability: a default", config: `subscription_availability = "CURRENT_TENANT"`},
		{row: "maxTps: more members than the document has", config: "max_tps {\n    production = 10\n  }", edit: m{"maxTps": m{"production": 5}}, seen: []string{"max_tps.production"}},
		{row: "apiThrottlingPolicy: overrides those of operations", config: `api_throttling_policy = "10KPerMin"`, edit: m{"apiThrottlingPolicy": "20KPerMin"}, seen: []string{"api_throttling_policy"}},
		{row: "websubSubscriptionConfiguration: a default block", config: "type = \"WEBSUB\"\n  transport = [\"http\"]\n  websub {\n    enable = true\n    secret = \"s\"\n    signature_header = \"x-sig\"\n  }\n  operation {\n    verb = \"SUBSCRIBE\"\n    target = \"t\"\n  }",
			edit: m{"websubSubscriptionConfiguration": m{"signatureHeader": "x-theirs"}}, seen: []string{"websub.signature_header"}},
	} {
		t.Run(c.row, func(t *testing.T) {
			s := newStory(t, nil)
			var own strings.Builder
			if !strings.Contains(c.config, "context =") {
				own.WriteString("  context = \"/pizza\"\n")
			}
			if !strings.Contains(c.config, "policies = [") {
				own.WriteString("  policies = [\"Unlimited\"]\n")
			}
			if !strings.Contains(c.config, "endpoint") && !strings.Contains(c.config, "WEBSUB") {
				own.WriteString(bare)
			}
			s.write(fmt.Sprintf("resource \"apim_api\" \"a\" {\n  name = \"Pizza\"\n  version = \"1.0.0\"\n  %s\n%s\n  deployment {\n    environment = \"Default\"\n  }\n}\n", c.config, own.String()))
			s.apply()
			s.synced()
			path := publisher + "/apis/" + s.id("apim_api.a")
			if c.unseen != nil {
				s.merge(path, c.unseen)
				// The gateway may serve something else then; that alone is shown.
				if got := slices.DeleteFunc(changes(s.plan()), upToDate); len(got) > 0 {
					t.Errorf("an edit of what is not managed shows as %q", got)
				}
			}
			if c.edit == nil {
				return
			}
			s.apply()
			s.synced()
			s.merge(path, c.edit)
			var want []string
			for _, path := range c.seen {
				want = append(want, path+" (drift)")
			}
			if diff := cmp.Diff(want, slices.DeleteFunc(changes(s.plan()), upToDate)); diff != "" {
				t.Errorf("(- edited, + shown):\n%s", diff)
			}
			s.apply()
			s.synced()
		})
	}
}

func upToDate(path string) bool { return strings.Contains(path, "up_to_date") }
