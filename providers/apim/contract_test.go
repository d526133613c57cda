package apim

import (
	"os"
	"testing"

	"wso2plan/engine"
	"wso2plan/providers/providertest"
	"wso2plan/providers/sandbox"
)

// TestContract leads every type through its life, against the sandbox, or against the server that
// WSO2PLAN_TEST_APIM names, with APIM_USERNAME and the rest in the environment.
func TestContract(t *testing.T) {
	target := providertest.Target{
		Provider:  "apim",
		Providers: map[string]func() engine.Provider{"apim": func() engine.Provider { return New() }},
		Fixtures:  "testdata",
		Start:     start,
		Masks:     []string{`"[0-9A-Za-z_]{28}"`}, // client ids
	}
	if os.Getenv("WSO2PLAN_TEST_APIM") == "" {
		providertest.Run(t, target)
		return
	}
	// A server without the connector WSO2-IS-7 is shown another key manager.
	target.Only = []string{"application_throttling_policy", "application", "application_keys"}
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
	s, err := sandbox.Start(t.Context(), sandbox.Options{APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0"})
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
