package is

import "net/http"

func (s *Server) providerConfig(*call) *answer {
	supported := func(yes bool) map[string]any { return map[string]any{"supported": yes} }
	return scimObject(http.StatusOK, map[string]any{
		"schemas":          []string{providerConfig},
		"documentationUri": "http://example.com/help/scim.html",
		"patch":            supported(true), "sort": supported(false), "etag": supported(false), "changePassword": supported(false),
		"filter": map[string]any{"supported": true, "maxResults": 200},
		"bulk":   map[string]any{"supported": true, "maxOperations": maxBulkOperations, "maxPayloadSize": maxBulkBytes},
		"authenticationSchemes": []any{map[string]any{
			"name": "HTTP Basic", "description": "Basic", "specUri": "http://www.rfc-editor.org/info/rfc2617", "type": "httpbasic", "primary": true,
		}},
	}).at(s.opts.Base + "/scim2/ServiceProviderConfig")
}

func (s *Server) resourceTypes(*call) *answer {
	entry := func(name, description, schema string) map[string]any {
		return map[string]any{
			"schemas": []string{resourceTypeURN}, "id": name, "name": name, "endpoint": "/" + name + "s", "description": description, "schema": schema,
			"meta": map[string]any{"location": s.opts.Base + "/scim2/ResourceTypes/" + name, "resourceType": "ResourceType"},
		}
	}
	users := entry("User", "User Account", coreUser)
	var extensions []any
	for _, urn := range userSchemas[1:] {
		extensions = append(extensions, map[string]any{"schema": urn, "required": false})
	}
	users["schemaExtensions"] = extensions
	return scimObject(http.StatusOK, map[string]any{
		"schemas": []string{messageList}, "totalResults": 2, "Resources": []any{users, entry("Group", "Group", coreGroup)},
	}).at(s.opts.Base + "/scim2/ResourceTypes")
}

// schemas lists what users may have, by schema. The real server answers a plain array here.
func (s *Server) schemas(*call) *answer {
	names := map[string]string{coreUser: "User", enterpriseUser: "Enterprise User", wso2Schema: "WSO2 User", customUser: "Custom User"}
	kinds := map[kind]string{text: "STRING", boolean: "BOOLEAN", integer: "INTEGER", complexValue: "COMPLEX", typedValues: "COMPLEX"}
	var all []any
	for _, urn := range userSchemas {
		attributes := []any{}
		for _, a := range s.schema.attrs[urn] {
			mutability, returned := "READ_WRITE", "DEFAULT"
			if a.readOnly {
				mutability = "READ_ONLY"
			}
			if a.never {
				mutability, returned = "WRITE_ONLY", "NEVER"
			}
			if a.request {
				returned = "REQUEST"
			}
			attributes = append(attributes, map[string]any{
				"name": a.name, "type": kinds[a.kind], "multiValued": a.kind == typedValues || a.name == "groups" || a.name == "roles",
				"required": a.required, "mutability": mutability, "returned": returned, "uniqueness": "NONE", "caseExact": false,
			})
		}
		all = append(all, map[string]any{
			"schemas": []string{schemaDefinition}, "id": urn, "name": names[urn], "attributes": attributes,
			"meta": map[string]any{"location": s.opts.Base + "/scim2/Schemas/" + urn, "resourceType": "Schema"},
		})
	}
	return scimObject(http.StatusOK, all)
}
