package is

import (
	"os"
	"strings"
	"testing"

	"wso2plan/engine"
	"wso2plan/providers/providertest"
	"wso2plan/providers/sandbox"
)

// TestContract leads every type through its life, against the sandbox, or against the server that
// WSO2PLAN_TEST_IS names, with IS_USERNAME and the rest in the environment.
func TestContract(t *testing.T) {
	providertest.Run(t, providertest.Target{
		Provider:  "is",
		Providers: map[string]func() engine.Provider{"is": func() engine.Provider { return New() }},
		Fixtures:  "testdata",
		Start:     start,
		Masks:     []string{`= "[0-9A-Za-z_]{28}"`}, // client ids
	})
}

// start returns the environment of a server. Fixtures of application roles find the id of an
// application in the variable application_id.
func start(t *testing.T) []string {
	var env []string
	if endpoint := os.Getenv("WSO2PLAN_TEST_IS"); endpoint != "" {
		env = append(env, "IS_ENDPOINT="+endpoint)
		for _, name := range []string{"IS_USERNAME", "IS_PASSWORD", "IS_CA_FILE", "IS_INSECURE_SKIP_VERIFY"} {
			env = append(env, name+"="+os.Getenv(name))
		}
	} else {
		s, err := sandbox.Start(t.Context(), sandbox.Options{
			APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0", Issuer: "https://localhost:9443/oauth2/token",
			Stores: []string{"PARTNERS"}, CustomAttributes: []string{"badge"},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if env, err = s.Env(t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	p := New()
	p.getenv = func(name string) string {
		for _, pair := range env {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
	block := p.Schema()
	if _, _, err := p.Configure(t.Context(), block.Object(nil)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := register(t.Context(), &p.client, p.client.Settings().Username); err != nil {
		t.Fatal(err)
	}
	application, err := applicationID(t.Context(), &p.client, clientName)
	if err != nil {
		t.Fatal(err)
	}
	return append(env, "WSO2PLAN_VAR_application_id="+application)
}
