package is

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Limits of a bulk request (is-behaviour 3).
const (
	maxBulkOperations = 1000
	maxBulkBytes      = 1 << 20
)

// bulk carries out several requests one after the other; it is no transaction. Each answer is a document inside a text.
func (s *Server) bulk(c *call) *answer {
	if len(c.body) > maxBulkBytes {
		return scimError(http.StatusRequestEntityTooLarge, "", "The size of the bulk operation exceeds the maxPayloadSize (1048576).")
	}
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	list, ok := body["Operations"].([]any)
	if !ok {
		return badSyntax("invalidSyntax")
	}
	if len(list) > maxBulkOperations {
		return scimError(http.StatusRequestEntityTooLarge, "", "The bulk operation exceeds the maximum number of operations (1000).")
	}
	failOn, _ := body["failOnErrors"].(float64)
	made := map[string]string{} // bulkId -> id
	results := []any{}
	failed := 0
	for _, element := range list {
		o, ok := element.(map[string]any)
		if !ok {
			return badSyntax("invalidSyntax")
		}
		method, _ := o["method"].(string)
		target, _ := o["path"].(string)
		bulkID, _ := o["bulkId"].(string)
		data, err := json.Marshal(o["data"])
		if err != nil || method == "" || target == "" {
			return badSyntax("invalidSyntax")
		}
		if method == http.MethodPost && bulkID == "" {
			return badSyntax("invalidSyntax")
		}
		resolved := string(data)
		for name, id := range made {
			resolved = strings.ReplaceAll(resolved, `"bulkId:`+name+`"`, `"`+id+`"`)
			target = strings.ReplaceAll(target, "bulkId:"+name, id)
		}
		a := s.bulkOne(c, strings.ToUpper(method), target, []byte(resolved))
		result := map[string]any{"method": method, "status": map[string]any{"code": a.status}}
		if bulkID != "" {
			result["bulkId"] = bulkID
		}
		if len(a.body) > 0 {
			result["response"] = string(a.body)
		}
		if a.status < 300 {
			location := a.location
			if location == "" {
				location = s.opts.Base + "/scim2" + target
			}
			result["location"] = location
			if method == http.MethodPost {
				made[bulkID] = location[strings.LastIndexByte(location, '/')+1:]
			}
		}
		results = append(results, result)
		if a.status >= 400 {
			if failed++; failOn > 0 && float64(failed) >= failOn {
				break
			}
		}
	}
	return scimObject(http.StatusOK, map[string]any{"schemas": []string{messageBulk}, "Operations": results})
}

// bulkOne carries out one request by the operation that serves it alone, as the same caller.
func (s *Server) bulkOne(c *call, method, target string, body []byte) *answer {
	parts := strings.Split(strings.Trim(target, "/"), "/")
	resource, id := "/"+parts[0], ""
	if len(parts) > 1 && parts[0] == "v2" {
		resource, parts = "/v2/"+parts[1], parts[1:]
	}
	if len(parts) == 2 {
		id = parts[1]
	}
	served := map[string]answerFunc{
		"POST /Users": s.createUser, "PUT /Users": s.putUser, "PATCH /Users": s.patchUser, "DELETE /Users": s.deleteUser,
		"POST /Groups": s.createGroup, "PUT /Groups": s.putGroup, "PATCH /Groups": s.patchGroup, "DELETE /Groups": s.deleteGroup,
		"POST /Roles": s.createRoleV1, "PUT /Roles": s.putRoleV1, "PATCH /Roles": s.patchRoleV1, "DELETE /Roles": s.deleteRole,
		"POST /v2/Roles": s.createRole, "PUT /v2/Roles": s.putRole, "PATCH /v2/Roles": s.patchRole, "DELETE /v2/Roles": s.deleteRole,
	}
	run, ok := served[method+" "+resource]
	if !ok || (id == "") != (method == http.MethodPost) {
		return badSyntax("invalidSyntax")
	}
	request := c.Clone(c.Context())
	request.Method = method
	request.URL.Path, request.URL.RawQuery = "/scim2"+target, ""
	request.SetPathValue("id", id)
	return run(&call{Request: request, caller: c.caller, body: body})
}
