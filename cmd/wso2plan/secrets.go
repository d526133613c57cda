package main

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/engine/render"
)

// secretVariable matches the names of environment variables that hold secrets of the providers or
// the key of fingerprints.
var secretVariable = regexp.MustCompile(`^(WSO2PLAN_KEY|(APIM|IS|WSO2IS)_(.*_)?(PASSWORD|PASS|SECRET|TOKEN))$`)

// configSecrets returns what a configuration and the environment hold that must not be printed:
// the values of sensitive variables and the logins of providers. A password that equals a user
// name, as of a fresh server's admin, is no secret, and would hide that name wherever it stands.
func configSecrets(c *config.Config) []string {
	var values []cty.Value
	for _, v := range c.Variables {
		values = append(values, v.Value)
	}
	secrets := render.Secrets(values...)
	names := map[string]bool{"admin": true}
	for _, env := range os.Environ() {
		name, value, _ := strings.Cut(env, "=")
		if strings.HasSuffix(name, "_USERNAME") || strings.HasSuffix(name, "_USER") {
			names[value] = true
		}
	}
	for _, env := range os.Environ() {
		name, value, _ := strings.Cut(env, "=")
		if secretVariable.MatchString(name) && !names[value] {
			secrets = append(secrets, value)
		}
	}
	return slices.DeleteFunc(secrets, func(s string) bool { return names[s] })
}
