package is

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"testing"

	"wso2plan/engine"
	"wso2plan/providers/providertest"
	"wso2plan/providers/rest"
)

// TestContractOnCharon leads the SCIM types through their life on charon, WSO2's own protocol
// library, at the address that WSO2PLAN_TEST_CHARON holds: "http://127.0.0.1:9480".
func TestContractOnCharon(t *testing.T) {
	endpoint := os.Getenv("WSO2PLAN_TEST_CHARON")
	if endpoint == "" {
		t.Skip("NOT RUN against WSO2's own code: WSO2PLAN_TEST_CHARON names no charon oracle")
	}
	providertest.Run(t, providertest.Target{
		Provider:  "is",
		Providers: map[string]func() engine.Provider{"is": func() engine.Provider { return New() }},
		Fixtures:  "testdata",
		Only:      []string{"user", "group", "role"},
		Start: func(t *testing.T) []string {
			// charon begins empty, without the role that every pack has.
			c := new(rest.Client)
			if err := c.Connect(rest.Settings{Product: "charon", Env: "IS", Endpoint: endpoint}); err != nil {
				t.Fatal(err)
			}
			for _, r := range []rest.Request{
				{Method: http.MethodPost, Path: "/scim2/__reset", Login: rest.LoginNone},
				{Method: http.MethodPost, Path: rolesPath, Login: rest.LoginNone, Body: map[string]any{"displayName": "everyone"}},
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

// unfiltered serves the oracle without the filter of role listings. What evaluates filters there is
// a stand-in (its README), and it does not find roles that were not changed since they were made;
// the provider compares what a listing holds anyway.
func unfiltered(t *testing.T, endpoint string) string {
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		if r.Out.URL.Path == rolesPath {
			query := r.Out.URL.Query()
			query.Del("filter")
			r.Out.URL.RawQuery = query.Encode()
		}
	}}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}
