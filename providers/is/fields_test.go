package is

import (
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	ctyyaml "github.com/zclconf/go-cty-yaml"

	"wso2plan/config/schema"
)

// leftOut are the fields of the contract that no attribute is for, and why. A "/" at the end stands for
// all below.
var leftOut = map[string]map[string]string{
	"is_application": {
		"associatedRoles/roles/":                                  "is_application_roles",
		"inboundProtocolConfiguration/saml/":                      "another protocol than OpenID Connect",
		"inboundProtocolConfiguration/passiveSts/":                "another protocol",
		"inboundProtocolConfiguration/wsTrust/":                   "another protocol",
		"inboundProtocolConfiguration/custom/":                    "another protocol",
		"inboundProtocolConfiguration/oidc/":                      "the block oidc, see below",
		"authenticationSequence/steps/id":                         "where the block stands",
		"advancedConfigurations/additionalSpProperties/":          "the server refuses them (APP-60506)",
		"claimConfiguration/claimMappings/localClaim/id":          "the server's",
		"claimConfiguration/claimMappings/localClaim/displayName": "the server's",
		"claimConfiguration/requestedClaims/claim/id":             "the server's",
		"claimConfiguration/requestedClaims/claim/displayName":    "the server's",
		"claimConfiguration/subject/claim/id":                     "the server's",
		"claimConfiguration/subject/claim/displayName":            "the server's",
		"claimConfiguration/role/claim/id":                        "the server's",
		"claimConfiguration/role/claim/displayName":               "the server's",
	},
	"oidc":                          {},
	"is_api_resource":               {},
	"is_application_authorized_api": {"id": "api_resource_id", "policyIdentifier": "policy"},
	"is_oauth_client": {
		"token_type_extension": "ext_token_type replaces it",
		"url":                  "the server keeps no record of it and does nothing with it", "contacts": "likewise", "post_logout_redirect_uris": "likewise", "request_uris": "likewise",
	},
}

// TestContractFields holds the tables against the OpenAPI documents in the folder that WSO2PLAN_SPECS
// names: every field that may be set is an attribute, or is left out with a reason.
func TestContractFields(t *testing.T) {
	dir := os.Getenv("WSO2PLAN_SPECS")
	if dir == "" {
		t.Skip("WSO2PLAN_SPECS is not set: the tables are NOT held against the contract of Identity Server")
	}
	load := func(file, name string) *openapi3.Schema {
		doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, "is-7.1.0", file))
		if err != nil {
			t.Fatal(err)
		}
		s := doc.Components.Schemas[name]
		if s == nil {
			t.Fatalf("%s has no %s", file, name)
		}
		return s.Value
	}
	oidc := oidcBlock()
	authorized := authorizedAPIType()
	for i := range authorized.Attributes {
		if a := &authorized.Attributes[i]; a.Name == "identifier" || a.Name == "name" || a.Name == "type" {
			a.JSON = "-"
		}
	}
	for name, c := range map[string]struct {
		block  *schema.Block
		fields []string
	}{
		"is_application":                {&applicationType().Block, slices.Concat(fieldsOf(load("applications-v1.yaml", "ApplicationModel"), ""), []string{"applicationVersion"})},
		"oidc":                          {&oidc, fieldsOf(load("applications-v1.yaml", "OpenIDConnectConfiguration"), "")},
		"is_api_resource":               {&apiResourceType().Block, fieldsOf(load("api-resources-v1.yaml", "APIResourceCreationModel"), "")},
		"is_application_authorized_api": {&authorized.Block, fieldsOf(load("applications-v1.yaml", "AuthorizedAPICreationModel"), "")},
		"is_oauth_client":               {&oauthClientType().Block, registrationFields(t, filepath.Join(dir, "is-7.1.0", "dcr-v1.1.yaml"))},
	} {
		have := map[string]bool{}
		tableFields(c.block, "", have)
		used := map[string]bool{}
		sort.Strings(c.fields)
		for _, field := range slices.Compact(c.fields) {
			reason := ""
			for out := range leftOut[name] {
				if out == field || strings.HasSuffix(out, "/") && strings.HasPrefix(field+"/", out) {
					reason = out
				}
			}
			switch {
			case reason != "" && have[field] && reason == field && field != "id":
				t.Errorf("%s: %s is an attribute, and said to be left out", name, field)
			case reason != "":
				used[reason] = true
			case !have[field]:
				t.Errorf("%s: no attribute is for %s", name, field)
			}
		}
		for out := range leftOut[name] {
			if !used[out] {
				t.Errorf("%s: the contract has no %s", name, out)
			}
		}
		// And the other way: what a table sends is in the contract.
		for field := range have {
			if !slices.Contains(c.fields, field) && !slices.Contains(serverFields, field) {
				t.Errorf("%s: the contract has no %s", name, field)
			}
		}
	}
}

// serverFields are of answers alone, and what they say is computed from other members.
var serverFields = []string{"id", "access", "state", "client_id", "client_secret", "type", "scopes/id", "authorizationDetailsTypes/id", "advancedConfigurations/fragment",
	"applicationId", "apiResourceId", "policy", "ext_application_version"}

// fieldsOf returns the paths of the fields of a schema that hold no objects.
func fieldsOf(s *openapi3.Schema, prefix string) []string {
	if s.Type.Is("array") && s.Items != nil {
		s = s.Items.Value
	}
	for _, part := range s.AllOf {
		if len(part.Value.Properties) > 0 {
			s = part.Value
		}
	}
	if len(s.Properties) == 0 || prefix != "" && strings.HasSuffix(prefix, "/schema") {
		return []string{prefix}
	}
	var out []string
	for name, p := range s.Properties {
		path := name
		if prefix != "" {
			path = prefix + "/" + name
		}
		out = append(out, fieldsOf(p.Value, path)...)
	}
	return out
}

// tableFields collects the API's names of the attributes of a block.
func tableFields(b *schema.Block, prefix string, out map[string]bool) {
	for i := range b.Attributes {
		if name := b.Attributes[i].JSONName(); name != "-" {
			out[prefix+name] = true
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		if prefix == "" && n.Name == "oidc" {
			continue
		}
		tableFields(&n.Block, prefix+n.JSONName()+"/", out)
	}
}

// registrationFields reads the members of a registration, from a document of the older kind.
func registrationFields(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kind, err := ctyyaml.ImpliedType(text)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := ctyyaml.Unmarshal(text, kind)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for name := range doc.GetAttr("definitions").GetAttr("registrationRequest").GetAttr("properties").AsValueMap() {
		out = append(out, name)
	}
	return out
}
