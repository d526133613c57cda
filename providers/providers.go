// Package providers lists the providers that wso2plan has.
package providers

import (
	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/apim"
	"wso2plan/providers/is"
	"wso2plan/providers/keystore"
)

// All returns every provider by its name: a function that makes one, not configured yet.
func All() map[string]func() engine.Provider {
	return map[string]func() engine.Provider{
		"apim":     func() engine.Provider { return apim.New() },
		"is":       func() engine.Provider { return is.New() },
		"keystore": func() engine.Provider { return keystore.New() },
	}
}

// Schemas returns what configuration may name: the provider blocks, resource types and data sources
// of every provider.
func Schemas() schema.Set {
	known := schema.NewSet()
	for name, make := range All() {
		p := make()
		known.Providers[name] = p.Schema()
		for _, t := range p.Types() {
			known.Add(t.Schema())
		}
		for _, d := range p.Data() {
			known.Add(d.Schema())
		}
	}
	return known
}
