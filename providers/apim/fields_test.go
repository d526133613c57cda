package apim

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// fieldTables reads fields.md: by type, what becomes of each field.
func fieldTables(t *testing.T) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile("fields.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]string{}
	typ := ""
	row := regexp.MustCompile("^\\| `([\\w.]+)` \\| (\\w[\\w ]*) \\| (.*) \\|$")
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "### "); ok {
			typ, _, _ = strings.Cut(name, ":")
			out[typ] = map[string]string{}
		} else if m := row.FindStringSubmatch(line); m != nil {
			if out[typ][m[1]] != "" {
				t.Errorf("%s lists %s twice", typ, m[1])
			}
			out[typ][m[1]] = m[2] + " " + m[3]
		}
	}
	return out
}

// TestFieldTables holds fields.md against the tables: what it calls managed is there.
func TestFieldTables(t *testing.T) {
	tables := fieldTables(t)
	code := regexp.MustCompile("`([a-z0-9_.]+)`")
	for _, typ := range New().Types() {
		table := typ.Schema()
		fields, ok := tables[table.Name]
		if !ok || len(fields) == 0 {
			t.Errorf("fields.md has no table of %s", table.Name)
			continue
		}
		named := map[string]bool{}
		for field, text := range fields {
			for _, m := range code.FindAllStringSubmatch(text, -1) {
				name, _, _ := strings.Cut(m[1], ".")
				named[name] = true
				known := table.Attribute(name) != nil || table.NestedBlock(name) != nil
				if strings.HasPrefix(text, "managed `"+name) && !known {
					t.Errorf("%s of %s is said to be %s, which is no attribute", field, table.Name, name)
				}
			}
			switch {
			case strings.HasPrefix(text, "managed "), strings.HasPrefix(text, "server "), strings.HasPrefix(text, "left out "):
			default:
				t.Errorf("%s of %s: %q", field, table.Name, text)
			}
		}
		for _, a := range table.Attributes {
			if !named[a.Name] && a.Name != "secret_version" && a.Name != "application_id" { // no fields: ours, and of the path
				t.Errorf("%s of %s is in no row", a.Name, table.Name)
			}
		}
		for _, b := range table.Blocks {
			if !named[b.Name] {
				t.Errorf("block %s of %s is in no row", b.Name, table.Name)
			}
		}
	}
}

// TestContractFields holds fields.md against the OpenAPI documents in the folder that
// WSO2PLAN_SPECS names: every field that they have is in it.
func TestContractFields(t *testing.T) {
	specs := os.Getenv("WSO2PLAN_SPECS")
	if specs == "" {
		t.Skip("WSO2PLAN_SPECS is not set: fields.md is not held against the OpenAPI documents")
	}
	tables := fieldTables(t)
	// What both neighbours of 4.5.0 have is in its contract, and what its own documents have.
	folders := map[string][]string{
		"admin-v4.yaml": {"admin-api.yaml"}, "devportal-v3.yaml": {"devportal-api.yaml"}, "publisher-v4.yaml": {"publisher-api.yaml"}, "service-catalog-v1.yaml": {"service-catalog-api.yaml"},
	}
	docs := map[string]*openapi3.T{}
	document := func(path ...string) *openapi3.T {
		name := filepath.Join(append([]string{specs}, path...)...)
		if docs[name] == nil {
			doc, err := openapi3.NewLoader().LoadFromFile(name)
			if err != nil {
				t.Fatal(err)
			}
			docs[name] = doc
		}
		return docs[name]
	}
	for _, c := range []struct {
		file, typ string
		schemas   []string
	}{
		{"admin-v4.yaml", "apim_key_manager", []string{"KeyManager"}},
		{"admin-v4.yaml", "apim_application_throttling_policy", []string{"ApplicationThrottlePolicy"}},
		{"admin-v4.yaml", "apim_subscription_throttling_policy", []string{"SubscriptionThrottlePolicy", "MonetizationInfo", "SubscriptionThrottlePolicyPermission", "CustomAttribute"}},
		{"admin-v4.yaml", "apim_advanced_throttling_policy", []string{"AdvancedThrottlePolicy", "ConditionalGroup", "ThrottleCondition", "HeaderCondition", "IPCondition", "JWTClaimsCondition", "QueryParameterCondition"}},
		{"admin-v4.yaml", "apim_custom_throttling_policy", []string{"CustomRule"}},
		{"admin-v4.yaml", "apim_deny_policy", []string{"BlockingCondition", "BlockingConditionStatus"}},
		{"admin-v4.yaml", "apim_gateway_environment", []string{"Environment", "VHost", "GatewayEnvironmentProtocolURI", "AdditionalProperty"}},
		{"admin-v4.yaml", "apim_api_category", []string{"APICategory"}},
		{"admin-v4.yaml", "apim_label", []string{"Label"}},
		{"admin-v4.yaml", "apim_organization", []string{"Organization"}},
		{"admin-v4.yaml", "apim_system_scope", []string{"Scope"}},
		{"admin-v4.yaml", "apim_role_alias", []string{"RoleAlias"}},
		{"admin-v4.yaml", "apim_ai_service_provider", []string{"LLMProviderRequest", "LLMProviderResponse"}},
		{"admin-v4.yaml", "apim_global_key_manager", []string{"KeyManager"}},
		{"devportal-v3.yaml", "apim_application", []string{"Application"}},
		{"devportal-v3.yaml", "apim_application_keys", []string{"ApplicationKey", "ApplicationKeyGenerateRequest", "ApplicationKeyMappingRequest"}},
		{"publisher-v4.yaml", "apim_api", []string{"API", "APIOperations", "OperationPolicy", "APIRevisionDeployment"}},
		{"devportal-v3.yaml", "apim_subscription", []string{"Subscription"}},
		{"publisher-v4.yaml", "apim_api_product", []string{"APIProduct", "ProductAPI"}},
		{"publisher-v4.yaml", "apim_shared_scope", []string{"Scope"}},
		{"publisher-v4.yaml", "apim_api_document", []string{"Document"}},
		{"publisher-v4.yaml", "apim_operation_policy", []string{"OperationPolicyData", "OperationPolicySpecAttribute"}},
		{"publisher-v4.yaml", "apim_gateway_policy", []string{"GatewayPolicyMappings", "GatewayPolicyDeployment"}},
		{"service-catalog-v1.yaml", "apim_service", []string{"Service"}},
		{"apim-governance-v1.yaml", "apim_ruleset", []string{"RulesetInfo"}},
		{"apim-governance-v1.yaml", "apim_governance_policy", []string{"APIMGovernancePolicy", "Action"}},
		{"publisher-v4.yaml", "apim_endpoint_certificate", []string{"CertMetadata", "CertificateInfo", "CertificateValidity"}},
	} {
		n := 0
		for _, name := range c.schemas {
			ref := document("apim-4.5.0", c.file).Components.Schemas[name]
			if ref == nil {
				t.Fatalf("%s has no schema %s", c.file, name)
			}
			fields := fieldsOf(ref)
			for _, file := range folders[c.file] {
				older, newer := document("apim-9.30.1-from-central", file).Components.Schemas[name], document("apim-9.33.90-from-central", file).Components.Schemas[name]
				if older == nil || newer == nil {
					continue // renamed, or not there yet
				}
				both := fieldsOf(newer)
				for field := range fieldsOf(older) {
					if both[field] {
						fields[field] = true
					}
				}
			}
			if name == "API" || name == "APIProduct" {
				for field := range fieldsWithin(ref) {
					fields[field] = true
				}
			}
			for field := range fields {
				n++
				if tables[c.typ][field] == "" {
					t.Errorf("%s of %s is not in fields.md", field, name)
				}
			}
		}
		if n == 0 {
			t.Errorf("%s of %s has no fields", c.typ, c.file)
		}
	}
}

// fieldsOf returns the members of a schema and of the parts that it is made of.
func fieldsOf(ref *openapi3.SchemaRef) map[string]bool {
	out := map[string]bool{}
	var walk func(*openapi3.Schema)
	walk = func(s *openapi3.Schema) {
		for field := range s.Properties {
			out[field] = true
		}
		for _, part := range s.AllOf {
			walk(part.Value)
		}
	}
	walk(ref.Value)
	return out
}

// fieldsWithin returns the members of the members of a schema, as "outer.inner", but of those that
// are left out whole, and of those of which there is a table of its own.
func fieldsWithin(ref *openapi3.SchemaRef) map[string]bool {
	out := map[string]bool{}
	for outer, inner := range ref.Value.Properties {
		switch outer {
		case "operations", "apiPolicies", "monetization", "threatProtectionPolicies", "mediationPolicies", "serviceInfo", "additionalPropertiesMap", "apis":
			continue
		}
		if inner.Value.Items != nil {
			inner = inner.Value.Items
		}
		for field := range fieldsOf(inner) {
			out[outer+"."+field] = true
		}
	}
	return out
}
