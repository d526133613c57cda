package apim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wso2plan/engine"
	"wso2plan/providers/providertest"
)

// kindsOfAPI are fixtures of further lives of APIs, each in a folder of its own.
var kindsOfAPI = []string{"openapi", "graphql", "soap", "soaptorest", "streaming", "asyncapi", "websub", "sse", "webhook", "async", "ai", "whole"}

// TestKindsOfAPI leads APIs of other types than HTTP, and of definitions, through their lives.
func TestKindsOfAPI(t *testing.T) {
	kinds := kindsOfAPI
	if only := os.Getenv("WSO2PLAN_TEST_KINDS"); only != "" {
		kinds = strings.Fields(only)
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			providertest.Run(t, providertest.Target{
				Provider:  "apim",
				Providers: map[string]func() engine.Provider{"apim": func() engine.Provider { return New() }},
				Fixtures:  filepath.Join("testdata", kind),
				Start:     start,
				Only:      []string{"api"},
				Masks:     masks,
			})
		})
	}
}
