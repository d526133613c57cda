package apim

import (
	"os"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	"wso2plan/providers/providertest"
	"wso2plan/providers/rest"
	"wso2plan/providers/sandbox"
)

// masks are of client ids, digests of revisions, boundaries of forms, and pictures, which the server
// writes anew.
var masks = []string{`"[0-9A-Za-z_]{28}"`, `sha256:[0-9a-f]{64}`, `wso2plan[0-9a-f]{32}`, `"(iVBOR|PHN2)[0-9A-Za-z+/=]+"`}

// TestContract leads every type through its life, against the sandbox, or against the server that
// WSO2PLAN_TEST_APIM names, with APIM_USERNAME and the rest in the environment.
func TestContract(t *testing.T) {
	target := providertest.Target{
		Provider:  "apim",
		Providers: map[string]func() engine.Provider{"apim": func() engine.Provider { return New() }},
		Fixtures:  "testdata",
		Start:     start,
		Masks:     masks,
	}
	if os.Getenv("WSO2PLAN_TEST_APIM") == "" {
		providertest.Run(t, target)
		return
	}
	// A server without the connector WSO2-IS-7 is shown another key manager.
	target.Only = []string{"application_throttling_policy", "subscription_throttling_policy", "advanced_throttling_policy", "custom_throttling_policy",
		"deny_policy", "gateway_environment", "api_category", "ai_service_provider", "role_alias", "system_scope", "application", "application_keys", "endpoint_certificate"}
	providertest.Run(t, target)
	target.Fixtures, target.Only = "testdata/custom", []string{"key_manager"}
	providertest.Run(t, target)
}

// start returns the environment of a server.
func start(t *testing.T) []string {
	if endpoint := os.Getenv("WSO2PLAN_TEST_APIM"); endpoint != "" {
		env := []string{"APIM_ENDPOINT=" + endpoint}
		for _, name := range []string{"APIM_USERNAME", "APIM_PASSWORD", "APIM_CA_FILE", "APIM_INSECURE_SKIP_VERIFY"} {
			env = append(env, name+"="+os.Getenv(name))
		}
		return env
	}
	s, err := sandbox.Start(t.Context(), sandbox.Options{APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0",
		Users: []sandbox.User{{Name: "admin@acme.com", Password: "of-acme", Roles: []string{"admin"}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	env, err := s.Env(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// TestOAuth logs in by tokens of a client that is registered for the purpose.
func TestOAuth(t *testing.T) {
	env := map[string]string{}
	for _, pair := range start(t) {
		name, v, _ := strings.Cut(pair, "=")
		env[name] = v
	}
	realms := map[string]bool{}
	for _, auth := range []string{rest.AuthBasic, rest.AuthPassword, rest.AuthClient} {
		p := New()
		p.getenv = func(name string) string { return env[name] }
		b := p.Schema()
		realm, _, err := p.Configure(t.Context(), b.Object(map[string]cty.Value{"auth": str(auth)}))
		if err != nil {
			t.Fatalf("%s: %v", auth, err)
		}
		realms[realm] = true
		apps := p.typ("apim_application")
		planned := value(apps, map[string]cty.Value{"name": str("of " + auth), "throttling_policy": str("Unlimited")})
		o, err := apps.Create(t.Context(), planned)
		if err != nil {
			t.Fatalf("%s: %v", auth, err)
		}
		if found, err := apps.Find(t.Context(), planned); err != nil || found.ID != o.ID {
			t.Errorf("%s: found %v, %v", auth, found, err)
		}
		policies := p.typ("apim_application_throttling_policy")
		name := "P_" + auth
		made, err := policies.Create(t.Context(), value(policies, map[string]cty.Value{"name": str(name), "request_count": limitOf(policies, "request_count", 1)}))
		if err != nil {
			t.Fatalf("%s: %v", auth, err)
		}
		for typ, o := range map[engine.Type]*engine.Object{apps: o, policies: made} {
			if err := typ.Delete(t.Context(), o); err != nil {
				t.Errorf("%s: %v", auth, err)
			}
		}
	}
	if len(realms) != 1 {
		t.Errorf("realms by the ways to log in: %v", realms)
	}
}
