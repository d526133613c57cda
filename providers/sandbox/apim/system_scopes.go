package apim

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// A systemScope is a scope of the server's own portals and REST APIs, as a fresh tenant's configuration has it: its name, the portal that it is of
// (none: the portals do not show it) and its roles.
type systemScope struct{ name, portal, roles string }

// systemScopes are those of a fresh tenant (seen).
var systemScopes = []systemScope{
	{"apim:api_publish", "publisher", "admin,Internal/publisher"},
	{"apim:api_create", "publisher", "admin,Internal/creator"},
	{"apim:api_generate_key", "publisher", "admin,Internal/creator,Internal/publisher"},
	{"apim:api_view", "publisher", "admin,Internal/publisher,Internal/creator,Internal/analytics,Internal/observer"},
	{"apim:api_delete", "publisher", "admin,Internal/creator"},
	{"apim:api_manage", "publisher", "admin"},
	{"apim:subscribe", "devportal", "admin,Internal/subscriber,Internal/devops"},
	{"apim:tier_view", "publisher", "admin,Internal/publisher,Internal/creator"},
	{"apim:tier_manage", "publisher", "admin"},
	{"apim:bl_view", "admin", "admin"},
	{"apim:bl_manage", "admin", "admin"},
	{"apim:subscription_view", "publisher", "admin,Internal/creator,Internal/publisher"},
	{"apim:subscription_block", "publisher", "admin,Internal/publisher"},
	{"apim:subscription_manage", "publisher", "admin,Internal/publisher"},
	{"apim:mediation_policy_view", "publisher", "admin,Internal/creator"},
	{"apim:mediation_policy_create", "publisher", "admin,Internal/creator"},
	{"apim:api_mediation_policy_manage", "publisher", "admin,Internal/creator"},
	{"apim:api_workflow_view", "admin", "admin"},
	{"apim:api_workflow_approve", "admin", "admin"},
	{"apim:admin", "devportal", "admin"},
	{"apim:app_owner_change", "admin", "admin"},
	{"apim:app_settings_change", "admin", "admin"},
	{"apim:app_import_export", "devportal", "admin,Internal/devops"},
	{"apim:api_import_export", "publisher", "admin,Internal/devops"},
	{"apim:api_product_import_export", "publisher", "admin,Internal/devops"},
	{"apim:label_manage", "", "admin"},
	{"apim:label_read", "", "admin"},
	{"apim:app_update", "", "admin,Internal/subscriber"},
	{"apim:app_manage", "devportal", "admin,Internal/subscriber,Internal/devops"},
	{"apim:sub_manage", "devportal", "admin,Internal/subscriber,Internal/devops"},
	{"apim:monetization_usage_publish", "admin", "admin, Internal/publisher"},
	{"apim:document_create", "publisher", "admin, Internal/creator,Internal/publisher"},
	{"apim:ep_certificates_update", "publisher", "admin,Internal/creator"},
	{"apim:client_certificates_update", "publisher", "admin,Internal/creator"},
	{"apim:client_certificates_manage", "publisher", "admin,Internal/creator"},
	{"apim:threat_protection_policy_manage", "publisher", "admin,Internal/creator"},
	{"apim:document_manage", "publisher", "admin, Internal/creator,Internal/publisher"},
	{"apim:client_certificates_add", "publisher", "admin,Internal/creator"},
	{"apim:publisher_settings", "publisher", "admin,Internal/creator,Internal/publisher,Internal/observer"},
	{"apim:store_settings", "devportal", "admin,Internal/subscriber"},
	{"apim:admin_settings", "admin", "admin"},
	{"apim:client_certificates_view", "publisher", "admin,Internal/creator"},
	{"apim:mediation_policy_manage", "publisher", "admin,Internal/creator"},
	{"apim:threat_protection_policy_create", "publisher", "admin,Internal/creator"},
	{"apim:ep_certificates_add", "publisher", "admin,Internal/creator"},
	{"apim:ep_certificates_view", "publisher", "admin,Internal/creator"},
	{"apim:ep_certificates_manage", "publisher", "admin,Internal/creator"},
	{"apim:api_key", "devportal", "admin,Internal/subscriber"},
	{"apim_analytics:admin", "", "admin"},
	{"apim_analytics:monitoring_dashboard:own", "", "admin"},
	{"apim_analytics:monitoring_dashboard:edit", "", "admin"},
	{"apim_analytics:monitoring_dashboard:view", "", "admin,Internal/analytics"},
	{"apim_analytics:business_analytics:own", "", "admin"},
	{"apim_analytics:business_analytics:edit", "", "admin"},
	{"apim_analytics:business_analytics:view", "", "admin,Internal/analytics"},
	{"apim_analytics:api_analytics:own", "", "admin"},
	{"apim_analytics:api_analytics:edit", "", "admin"},
	{"apim_analytics:api_analytics:view", "", "admin,Internal/creator,Internal/publisher"},
	{"apim_analytics:application_analytics:own", "", "admin"},
	{"apim_analytics:application_analytics:edit", "", "admin"},
	{"apim_analytics:application_analytics:view", "", "admin,Internal/subscriber"},
	{"apim:pub_alert_manage", "publisher", "admin,Internal/creator"},
	{"apim:sub_alert_manage", "devportal", "admin,Internal/subscriber"},
	{"apim:tenantInfo", "admin", "admin"},
	{"apim:tenant_theme_manage", "admin", "admin"},
	{"apim:admin_operations", "admin", "admin"},
	{"apim:keymanagers_manage", "admin", "admin"},
	{"apim:api_category", "admin", "admin"},
	{"apim:shared_scope_manage", "publisher", "admin"},
	{"apim:admin_alert_manage", "admin", "admin"},
	{"apim:bot_data", "admin", "admin"},
	{"apim:scope_manage", "admin", "admin"},
	{"apim:role_manage", "admin", "admin"},
	{"apim:environment_manage", "admin", "admin"},
	{"apim:environment_read", "admin", "admin"},
	{"service_catalog:service_view", "service-catalog", "admin,Internal/creator,Internal/publisher"},
	{"service_catalog:service_write", "service-catalog", "admin,Internal/creator"},
	{"apim:comment_view", "publisher", "admin,Internal/creator,Internal/publisher"},
	{"apim:comment_write", "publisher", "admin,Internal/creator,Internal/publisher"},
	{"apim:comment_manage", "publisher", "admin,Internal/creator,Internal/publisher"},
	{"apim:throttling_policy_manage", "", "admin,Internal/publisher,Internal/creator,Internal/analytics"},
	{"apim:admin_application_view", "admin", "admin"},
	{"apim:api_list_view", "publisher", "Internal/integration_dev"},
	{"apim:api_definition_view", "publisher", "Internal/integration_dev"},
	{"apim:common_operation_policy_view", "publisher", "admin,Internal/creator,Internal/publisher,Internal/observer"},
	{"apim:common_operation_policy_manage", "publisher", "admin,Internal/creator"},
	{"apim:policies_import_export", "publisher", "admin,Internal/devops"},
	{"apim:admin_tier_manage", "admin", "admin"},
	{"apim:admin_tier_view", "admin", "admin"},
	{"apim:api_provider_change", "admin", "admin"},
	{"apim:gateway_policy_manage", "publisher", "admin"},
	{"apim:gateway_policy_view", "publisher", "admin,Internal/creator,Internal/publisher,Internal/observer"},
	{"apim:llm_provider_manage", "admin", "admin"},
	{"apim:llm_provider_read", "publisher", "admin,Internal/publisher,Internal/creator"},
	{"apim:gov_rule_manage", "admin", "admin"},
	{"apim:gov_rule_read", "publisher", "admin,Internal/publisher,Internal/creator,Internal/observer"},
	{"apim:gov_result_read", "publisher", "admin,Internal/publisher,Internal/creator,Internal/observer"},
	{"apim:gov_policy_manage", "admin", "admin"},
	{"apim:gov_policy_read", "publisher", "admin,Internal/publisher,Internal/creator,Internal/observer"},
	{"apim:mcp_server_create", "publisher", "admin,Internal/creator"},
	{"apim:mcp_server_manage", "publisher", "admin"},
	{"apim:mcp_server_view", "publisher", "admin,Internal/publisher,Internal/creator,Internal/analytics,Internal/observer"},
	{"apim:mcp_server_list_view", "publisher", "admin,Internal/integration_dev"},
	{"apim:mcp_server_import_export", "publisher", "admin,Internal/devops"},
	{"apim:mcp_server_publish", "publisher", "admin,Internal/publisher"},
	{"apim:mcp_server_delete", "publisher", "admin,Internal/creator"},
	{"apim:mcp_server_generate_key", "publisher", "admin,Internal/creator,Internal/publisher"},
	{"apim:organization_manage", "admin", "admin"},
	{"apim:publisher_organization_read", "publisher", "admin,Internal/creator"},
	{"apim:subscription_approval_manage", "publisher", "admin,Internal/publisher"},
	{"apim:subscription_approval_view", "publisher", "admin,Internal/publisher"},
	{"apim:organization_read", "admin", "admin"},
}

// scopeDTO is an element of /system-scopes.
type scopeDTO struct {
	Tag         *string  `json:"tag"`
	Name        *string  `json:"name"`
	Description *string  `json:"description"`
	Roles       []string `json:"roles"`
}

type scopeList struct {
	Count *int64     `json:"count"`
	List  []scopeDTO `json:"list"`
}

type roleAlias struct {
	Role    *string  `json:"role"`
	Aliases []string `json:"aliases"`
}

func (a *roleAlias) defaults() { a.Aliases = []string{} }

type roleAliasList struct {
	Count *int64      `json:"count"`
	List  []roleAlias `json:"list"`
}

var scopeManage = []string{"apim:admin", "apim:scope_manage"}

func systemScopeRoutes() []route {
	return []route{
		get(admin, "/system-scopes", scopeManage, listSystemScopes),
		put(admin, "/system-scopes", scopeManage, updateSystemScopes),
		get(admin, "/system-scopes/role-aliases", scopeManage, listRoleAliases),
		put(admin, "/system-scopes/role-aliases", scopeManage, updateRoleAliases),
		get(admin, "/system-scopes/{scope}", scopeManage, readSystemScope),
	}
}

// configuredScopes returns the list of scopes in the tenant's configuration: what the scopes are stored in.
func (t *tenant) configuredScopes() []any {
	scopes, _ := t.Config["RESTAPIScopes"].(map[string]any)
	list, _ := scopes["Scope"].([]any)
	return list
}

// listSystemScopes shows the scopes that portals know; the count is that of all (seen).
func listSystemScopes(c *call) *answer {
	configured := c.tenant.configuredScopes()
	list := []scopeDTO{}
	for _, x := range configured {
		m, _ := x.(map[string]any)
		i := slices.IndexFunc(systemScopes, func(s systemScope) bool { return s.name == textOf(m, "Name") })
		if i < 0 || systemScopes[i].portal == "" {
			continue
		}
		s := systemScopes[i]
		_, what, _ := strings.Cut(s.name, ":")
		list = append(list, scopeDTO{ptr(s.portal), ptr(s.name), ptr("Allows " + strings.ReplaceAll(what, "_", " ")), splitRoles(textOf(m, "Roles"))})
	}
	return ok(scopeList{ptr(int64(len(configured))), list})
}

func splitRoles(text string) []string {
	out := []string{}
	for role := range strings.SplitSeq(text, ",") {
		if role = strings.TrimSpace(role); role != "" {
			out = append(out, role)
		}
	}
	return out
}

// updateSystemScopes changes the roles of the scopes that are sent; others stay, and so do those that are sent without roles. An unknown scope is kept
// and not shown (seen).
func updateSystemScopes(c *call) *answer {
	var body scopeList
	if a := readBody(c.body, &body); a != nil {
		return a
	}
	doc := copied(c.tenant.Config)
	scopes, _ := doc["RESTAPIScopes"].(map[string]any)
	list, _ := scopes["Scope"].([]any)
	for _, s := range body.List {
		if s.Name == nil {
			return internal("")
		}
		if len(s.Roles) == 0 {
			continue
		}
		entry := map[string]any{"Name": *s.Name, "Roles": strings.Join(s.Roles, ",")}
		i := slices.IndexFunc(list, func(x any) bool { m, _ := x.(map[string]any); return textOf(m, "Name") == *s.Name })
		if i < 0 {
			list = append(list, entry)
		} else {
			list[i] = entry
		}
	}
	scopes["Scope"] = list
	c.tenant.Config = doc
	return listSystemScopes(c)
}

// readSystemScope tells whether a scope exists and a user may have it.
func readSystemScope(c *call) *answer {
	name, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(c.vars["scope"], "="))
	if err != nil || !slices.ContainsFunc(c.tenant.configuredScopes(), func(x any) bool { m, _ := x.(map[string]any); return textOf(m, "Name") == string(name) }) {
		return refuse(http.StatusNotFound, 901501, "Scope Not Found", "Scope does not exist")
	}
	return ok(map[string]any{"name": string(name)})
}

// listRoleAliases shows RoleMappings, in which each role is the first of its own list; a count of null is that of a tenant that never had any (seen).
func listRoleAliases(c *call) *answer {
	mappings, given := c.tenant.Config["RoleMappings"]
	if !given {
		return ok(roleAliasList{List: []roleAlias{}})
	}
	m, isObject := mappings.(map[string]any)
	if !isObject {
		return internal("")
	}
	list := []roleAlias{}
	for _, role := range sortedNames(m) {
		aliases := splitRoles(textOf(m, role))
		aliases = slices.DeleteFunc(aliases, func(s string) bool { return s == role })
		list = append(list, roleAlias{ptr(role), aliases})
	}
	return ok(roleAliasList{ptr(int64(len(list))), list})
}

// updateRoleAliases puts a list in the place of the one there was; of two lines for a role the last counts (seen).
func updateRoleAliases(c *call) *answer {
	body := roleAliasList{List: []roleAlias{}}
	if a := readBody(c.body, &body); a != nil {
		return a
	}
	if body.List == nil {
		return internal("") // a null pointer in the server; absent it is empty
	}
	mappings := map[string]any{}
	for _, a := range body.List { // a null list of aliases is a null pointer too
		if a.Aliases == nil {
			return internal("")
		}
		role := "null" // a null role becomes this text (seen)
		if a.Role != nil {
			role = *a.Role
		}
		mappings[role] = role + "," + strings.Join(a.Aliases, ",")
	}
	doc := copied(c.tenant.Config)
	doc["RoleMappings"] = mappings
	c.tenant.Config = doc
	return listRoleAliases(c)
}
