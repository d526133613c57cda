package apim

import (
	"slices"
	"strings"
)

// scopeRoles are the roles of the scopes in a fresh tenant's configuration (RESTAPIScopes); a scope
// that is not here is the administrator's.
var scopeRoles = map[string][]string{
	"apim:subscribe":                       {"Internal/subscriber", "Internal/devops"},
	"apim:app_manage":                      {"Internal/subscriber", "Internal/devops"},
	"apim:sub_manage":                      {"Internal/subscriber", "Internal/devops"},
	"apim:api_key":                         {"Internal/subscriber"},
	"apim:store_settings":                  {"Internal/subscriber"},
	"apim:sub_alert_manage":                {"Internal/subscriber"},
	"apim:app_import_export":               {"Internal/devops"},
	"apim:api_view":                        {"Internal/publisher", "Internal/creator", "Internal/analytics"},
	"apim:api_publish":                     {"Internal/publisher"},
	"apim:api_create":                      {"Internal/creator"},
	"apim:api_delete":                      {"Internal/creator"},
	"apim:api_manage":                      {"Internal/devops"},
	"apim:api_import_export":               {"Internal/devops"},
	"apim:api_product_import_export":       {"Internal/devops"},
	"apim:api_generate_key":                {"Internal/creator", "Internal/publisher"},
	"apim:subscription_view":               {"Internal/creator", "Internal/publisher"},
	"apim:subscription_block":              {"Internal/creator"},
	"apim:subscription_manage":             {"Internal/creator"},
	"apim:document_create":                 {"Internal/creator", "Internal/publisher"},
	"apim:document_manage":                 {"Internal/creator", "Internal/publisher"},
	"apim:mediation_policy_view":           {"Internal/creator"},
	"apim:mediation_policy_create":         {"Internal/creator"},
	"apim:mediation_policy_manage":         {"Internal/creator"},
	"apim:client_certificates_view":        {"Internal/creator"},
	"apim:client_certificates_add":         {"Internal/creator"},
	"apim:client_certificates_update":      {"Internal/creator"},
	"apim:client_certificates_manage":      {"Internal/creator"},
	"apim:ep_certificates_view":            {"Internal/creator"},
	"apim:ep_certificates_add":             {"Internal/creator"},
	"apim:ep_certificates_update":          {"Internal/creator"},
	"apim:ep_certificates_manage":          {"Internal/creator"},
	"apim:publisher_settings":              {"Internal/creator", "Internal/publisher"},
	"apim:pub_alert_manage":                {"Internal/publisher"},
	"apim:shared_scope_manage":             {"Internal/creator"},
	"apim:comment_view":                    {"Internal/creator", "Internal/publisher"},
	"apim:comment_write":                   {"Internal/creator", "Internal/publisher"},
	"apim:threat_protection_policy_create": {"Internal/creator", "Internal/publisher"},
	"apim:common_operation_policy_view":    {"Internal/creator"},
	"apim:common_operation_policy_manage":  {"Internal/creator"},
	"apim:gateway_policy_view":             {"Internal/creator", "Internal/publisher"},
	"apim:gateway_policy_manage":           {"Internal/creator", "Internal/publisher"},
	"apim:policies_import_export":          {"Internal/devops"},
	"apim:tier_view":                       {"Internal/creator", "Internal/publisher"},
	"service_catalog:service_view":         {"Internal/creator"},
	"service_catalog:service_write":        {"Internal/creator"},
}

// MayHave tells whether a user with these roles may have a scope of API Manager's own REST APIs;
// admin may have all. Scopes that are not API Manager's are nobody's.
func MayHave(roles []string, scope string) bool {
	if !strings.HasPrefix(scope, "apim:") && !strings.HasPrefix(scope, "service_catalog:") {
		return false
	}
	has := func(role string) bool {
		return slices.ContainsFunc(roles, func(r string) bool { return strings.EqualFold(r, role) })
	}
	return has("admin") || slices.ContainsFunc(scopeRoles[scope], has)
}

// ScopesOf returns the scopes that a user with these roles may have, sorted: those of Basic
// credentials.
func ScopesOf(roles []string) []string {
	var out []string
	for scope := range scopeRoles {
		if MayHave(roles, scope) {
			out = append(out, scope)
		}
	}
	for _, scope := range knownScopes() {
		if MayHave(roles, scope) && !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	slices.Sort(out)
	return out
}
