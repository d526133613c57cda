package oracle

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"wso2plan/engine"
	"wso2plan/providers/apim"
	"wso2plan/providers/is"
	"wso2plan/providers/providertest"
	"wso2plan/providers/rest"
)

// TestContractAPIM leads the types of API Manager through their life on API Manager's own code.
func TestContractAPIM(t *testing.T) {
	endpoint := apimParts(t)
	target := providertest.Target{
		Provider:  "apim",
		Providers: map[string]func() engine.Provider{"apim": func() engine.Provider { return apim.New() }},
		Fixtures:  "../apim/testdata",
		// Left out: what its README says it does not serve (labels, organizations, themes of tenants), and
		// what shows a whole document, which is another one here (the tenant's configuration, settings).
		Only: []string{"application_throttling_policy", "subscription_throttling_policy", "advanced_throttling_policy", "custom_throttling_policy",
			"deny_policy", "gateway_environment", "api_category", "ai_service_provider", "system_scope", "role_alias", "role", "workflow",
			"application", "application_keys", "endpoint_certificate"},
		Start: func(*testing.T) []string {
			return []string{"APIM_ENDPOINT=" + endpoint, "APIM_USERNAME=admin", "APIM_PASSWORD=admin"}
		},
		Masks: []string{`"[0-9A-Za-z_]{28}"`}, // client ids
	}
	providertest.Run(t, target)
	// The connectors of Identity Server and others are not in apim-parts, so a key manager of another
	// type is led there.
	target.Fixtures, target.Only = "../apim/testdata/custom", []string{"key_manager"}
	providertest.Run(t, target)
}

// TestContractIS leads users, groups and roles through their life on the SCIM2 library of Identity
// Server.
func TestContractIS(t *testing.T) {
	endpoint := charon(t)
	providertest.Run(t, providertest.Target{
		Provider:  "is",
		Providers: map[string]func() engine.Provider{"is": func() engine.Provider { return is.New() }},
		Fixtures:  "../is/testdata",
		Only:      []string{"user", "group", "role"},
		Start: func(t *testing.T) []string {
			// charon begins empty, without the role that every pack has.
			c := new(rest.Client)
			if err := c.Connect(rest.Settings{Product: "charon", Env: "IS", Endpoint: endpoint}); err != nil {
				t.Fatal(err)
			}
			for _, r := range []rest.Request{
				{Method: http.MethodPost, Path: "/scim2/__reset", Login: rest.LoginNone},
				{Method: http.MethodPost, Path: "/scim2/v2/Roles", Login: rest.LoginNone, Body: map[string]any{"displayName": "everyone"}},
			} {
				if _, err := c.Do(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			return []string{"IS_ENDPOINT=" + unfiltered(t, endpoint), "IS_USERNAME=admin", "IS_PASSWORD=admin",
				"WSO2PLAN_VAR_application_id=2b9ddd6a-0f3c-4f8a-9b7a-54ab39f3d0ba"}
		},
	})
}

// unfiltered serves charon without the filter of role listings. What evaluates filters there is a
// stand-in (its README), and it does not find roles that were not changed since they were made; the
// provider compares what a listing holds anyway.
func unfiltered(t *testing.T, endpoint string) string {
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		if r.Out.URL.Path == "/scim2/v2/Roles" {
			query := r.Out.URL.Query()
			query.Del("filter")
			r.Out.URL.RawQuery = query.Encode()
		}
	}}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}
