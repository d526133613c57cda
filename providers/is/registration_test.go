package is

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"

	"wso2plan/engine"
	"wso2plan/providers/providertest"
)

// TestContractOnRegistration leads OAuth2 clients through their life on Identity Server's own
// registration, at the address that WSO2PLAN_TEST_REGISTRATION holds: "https://localhost:9463".
func TestContractOnRegistration(t *testing.T) {
	endpoint := os.Getenv("WSO2PLAN_TEST_REGISTRATION")
	if endpoint == "" {
		t.Skip("NOT RUN against WSO2's own code: WSO2PLAN_TEST_REGISTRATION names no client registration of Identity Server")
	}
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // a server of its own kind, on loopback
	}
	// It has the registration alone; the role by which a server is recognised and the list of
	// applications, which tells whether credentials are good, stand beside it.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := func(v any) {
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(v); err != nil {
				t.Error(err)
			}
		}
		switch {
		case strings.HasPrefix(r.URL.Path, registerPath):
			proxy.ServeHTTP(w, r)
		case r.URL.Path == rolesPath:
			answer(map[string]any{"Resources": []any{map[string]any{"id": "everyone", "displayName": "everyone", "audience": map[string]any{"type": "organization", "value": "o"}}}})
		case r.URL.Path == applicationsPath:
			answer(map[string]any{"totalResults": 0, "applications": []any{}})
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	providertest.Run(t, providertest.Target{
		Provider:  "is",
		Providers: map[string]func() engine.Provider{"is": func() engine.Provider { return New() }},
		Fixtures:  "testdata/registration",
		Only:      []string{"oauth_client"},
		Start: func(*testing.T) []string {
			return []string{"IS_ENDPOINT=" + server.URL, "IS_USERNAME=admin", "IS_PASSWORD=admin"}
		},
		Masks: []string{`= "[0-9A-Za-z_]{28}"`}, // client ids
	})
}
