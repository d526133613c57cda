package apim

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
)

func tenantConfigRoutes() []route {
	only := []string{"apim:admin"}
	theme := []string{"apim:admin", "apim:tenant_theme_manage"}
	read := get(admin, "/tenant-theme", theme, readTheme)
	read.produces = "application/zip"
	return []route{
		get(admin, "/tenant-config", only, readTenantConfig),
		put(admin, "/tenant-config", only, updateTenantConfig),
		get(admin, "/tenant-config-schema", only, readTenantConfigSchema),
		read,
		form(put(admin, "/tenant-theme", theme, updateTheme)),
	}
}

// seedConfig gives a tenant the configuration of a fresh server (seen).
func seedConfig(t *tenant) {
	scopes := make([]any, len(systemScopes))
	for i, s := range systemScopes {
		scopes[i] = map[string]any{"Name": s.name, "Roles": s.roles}
	}
	role := func(name string) any { return map[string]any{"CreateOnTenantLoad": true, "RoleName": name} }
	t.Config = map[string]any{
		"EnableMonetization": false, "EnableRecommendation": false, "IsUnlimitedTierPaid": false, "ExtensionHandlerPosition": "bottom",
		"RESTAPIScopes": map[string]any{"Scope": scopes}, "Meta": map[string]any{"Migration": map[string]any{"3.0.0": true}},
		"NotificationsEnabled": "false", "Notifications": []any{map[string]any{"Type": "new_api_version", "Notifiers": []any{map[string]any{
			"Class":                    "org.wso2.carbon.apimgt.impl.notification.NewAPIVersionEmailNotifier",
			"ClaimsRetrieverImplClass": "org.wso2.carbon.apimgt.impl.token.DefaultClaimsRetriever",
			"Title":                    "Version $2 of $1 Released", "Template": newVersionMail}}}},
		"DefaultRoles": map[string]any{"PublisherRole": role("Internal/publisher"), "CreatorRole": role("Internal/creator"),
			"SubscriberRole": map[string]any{"CreateOnTenantLoad": true}, "DevOpsRole": role("Internal/devops"), "ObserverRole": role("Internal/observer"),
			"IntegrationDeveloperRole": role("Internal/integration_dev")},
		"SelfSignUp": map[string]any{"SignUpRoles": []any{"Internal/subscriber"}}, "AllowSubscriptionValidationDisabling": false,
	}
}

// tenantMember is what the schema of the configuration says of a member (seen): its type, whether it must be there, and what must be in it.
type tenantMember struct {
	name, kind string
	required   bool
	members    []tenantMember
}

var tenantSchema = []tenantMember{
	{"AllowSubscriptionValidationDisabling", "Boolean", false, nil},
	{"DefaultRoles", "JSONObject", true, []tenantMember{{"PublisherRole", "JSONObject", true, defaultRole}, {"CreatorRole", "JSONObject", true, defaultRole},
		{"SubscriberRole", "JSONObject", true, defaultRole}, {"DevOpsRole", "JSONObject", true, defaultRole}, {"ObserverRole", "JSONObject", false, defaultRole},
		{"IntegrationDeveloperRole", "JSONObject", false, defaultRole}}},
	{"EnableMonetization", "Boolean", true, nil},
	{"EnableRecommendation", "Boolean", true, nil},
	{"ExtensionHandlerPosition", "String", true, nil},
	{"IsUnlimitedTierPaid", "Boolean", true, nil},
	{"Meta", "JSONObject", true, []tenantMember{{"Migration", "JSONObject", true, nil}}},
	{"Notifications", "JSONArray", true, nil},
	{"NotificationsEnabled", "String", true, nil},
	{"RESTAPIScopes", "JSONObject", true, []tenantMember{{"Scope", "JSONArray", true, nil}}},
	{"SelfSignUp", "JSONObject", false, []tenantMember{{"SignUpRoles", "JSONArray", true, nil}}},
}

var defaultRole = []tenantMember{{"CreateOnTenantLoad", "Boolean", true, nil}, {"RoleName", "String", false, nil}}

// violationsOf returns what is wrong with the members of an object at a pointer.
func violationsOf(object map[string]any, at string, members []tenantMember) []string {
	var out []string
	for _, m := range members {
		v, given := object[m.name]
		here := at + "/" + m.name
		switch kind := javaKind(v); {
		case !given && m.required:
			out = append(out, fmt.Sprintf("%s: required key [%s] not found", at, m.name))
		case !given:
		case kind != m.kind:
			out = append(out, fmt.Sprintf("%s: expected type: %s, found: %s", here, m.kind, kind))
		case m.members != nil:
			inner, _ := v.(map[string]any)
			list := violationsOf(inner, here, m.members)
			if len(list) > 1 {
				list = []string{fmt.Sprintf("%s: %d schema violations found", here, len(list))}
			}
			out = append(out, list...)
		}
	}
	return out
}

func javaKind(v any) string {
	switch v := v.(type) {
	case nil:
		return "Null"
	case bool:
		return "Boolean"
	case string:
		return "String"
	case []any:
		return "JSONArray"
	case map[string]any:
		return "JSONObject"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "BigDecimal"
		}
	}
	return "Integer"
}

func readTenantConfig(c *call) *answer { return ok(c.tenant.Config) }

// updateTenantConfig puts a document in the place of the one there was. Members that the schema does not know pass (seen).
func updateTenantConfig(c *call) *answer {
	invalid := func(reason string) *answer {
		return refuse(http.StatusBadRequest, 902001, "Invalid tenant-config found", "Invalid tenant-config found with error "+reason)
	}
	d := json.NewDecoder(strings.NewReader(string(c.body)))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil || doc == nil {
		return invalid("A JSONObject text must begin with '{' at 1 [character 2 line 1]")
	}
	if _, err := d.Token(); err != io.EOF {
		return invalid("A JSONObject text must end")
	}
	list := violationsOf(doc, "#", tenantSchema)
	// A scope of the server's own that is missing is refused too (seen).
	for _, s := range systemScopes {
		if scopes, _ := doc["RESTAPIScopes"].(map[string]any); scopes != nil && len(list) == 0 {
			entries, _ := scopes["Scope"].([]any)
			if !slices.ContainsFunc(entries, func(x any) bool { m, _ := x.(map[string]any); return textOf(m, "Name") == s.name }) {
				list = append(list, "#/RESTAPIScopes/Scope: expected at least one array item to match 'contains' schema")
			}
		}
	}
	switch len(list) {
	case 0:
	case 1:
		return invalid(list[0])
	default:
		return invalid(fmt.Sprintf("#: %d schema violations found", len(list)))
	}
	c.tenant.Config = doc
	return ok(doc)
}

// readTenantConfigSchema is the part of the schema that the sandbox holds documents against.
func readTenantConfigSchema(*call) *answer {
	kinds := map[string]string{"Boolean": "boolean", "String": "string", "JSONArray": "array", "JSONObject": "object"}
	var object func(members []tenantMember) map[string]any
	object = func(members []tenantMember) map[string]any {
		properties, required := map[string]any{}, []string{}
		for _, m := range members {
			p := map[string]any{"type": kinds[m.kind]}
			if m.members != nil {
				p = object(m.members)
			}
			properties[m.name] = p
			if m.required {
				required = append(required, m.name)
			}
		}
		return map[string]any{"type": "object", "properties": properties, "required": required}
	}
	return ok(object(tenantSchema))
}

// copied is a deep copy of a JSON document.
func copied(doc map[string]any) map[string]any {
	text, err := json.Marshal(doc)
	if err != nil {
		return map[string]any{}
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	out := map[string]any{}
	_ = d.Decode(&out) // it was JSON
	return out
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Themes are the tenants' (apim-behaviour 3.9): the archive that was sent is the one that comes back.
func readTheme(c *call) *answer {
	if c.tenant.Theme == nil {
		return refuse(http.StatusNotFound, 404, "Not Found", "Tenant Theme for tenant "+c.tenant.Domain+" does not exist.")
	}
	return &answer{status: http.StatusOK, kind: "application/octet-stream", body: c.tenant.Theme}
}

// themeFiles are the kinds of file that the server unpacks; it knows them by the ends of their names (seen in its code).
var themeFiles = []string{"css", "jpg", "png", "gif", "svg", "ttf", "html", "js", "json", "ico"}

func updateTheme(c *call) *answer {
	if c.tenant.Domain == superTenant {
		return refuse(http.StatusBadRequest, 901702, "Super Tenant not allowed to import tenant theme",
			"Super Tenant carbon.super is not allowed to import a tenant theme")
	}
	file, given := c.fields["file"]
	if !given {
		return internal("")
	}
	// What is no archive is one without files to the server's reader.
	if archive, err := zip.NewReader(strings.NewReader(file.text), int64(len(file.text))); err == nil {
		for _, f := range archive.File {
			if !strings.HasSuffix(f.Name, "/") && !slices.Contains(themeFiles, strings.TrimPrefix(path.Ext(f.Name), ".")) {
				return refuse(http.StatusInternalServerError, 901700, "Failed to import tenant theme", "Failed to import tenant theme of tenant "+c.tenant.Domain)
			}
		}
	}
	c.tenant.Theme = []byte(file.text)
	return &answer{status: http.StatusOK, kind: "application/json", body: []byte("Theme imported successfully")}
}

// newVersionMail is what subscribers of an API are told of a new version of it, in the product's own words.
const newVersionMail = ` <html> <body> <h3 style="color:Black;">We’re happy to announce the arrival of the next major version $2 of $1 API which is now available in Our API Store.</h3>` +
	`<a href="https://localhost:9443/devportal">Click here to Visit WSO2 API Store</a></body></html>`
