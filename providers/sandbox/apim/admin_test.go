package apim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// adminPath is the administrator's API.
const adminPath = "/api/am/admin/v4"

// TestPolicyNulls: what a null does to throttling policies, and in which order faults are found (all seen on 9.33.90).
func TestPolicyNulls(t *testing.T) {
	c, _ := newClient(t, nil)
	const policies = adminPath + "/throttling/policies/"
	const (
		nullPointer = "The server encountered an internal error. Please contact administrator."
		unkept      = "Error while adding an Advanced level policy: New"
	)
	limit := map[string]any{"type": "REQUESTCOUNTLIMIT", "requestCount": map[string]any{"timeUnit": "min", "unitTime": 1, "requestCount": 5}}
	events := map[string]any{"type": "EVENTCOUNTLIMIT", "eventCount": map[string]any{"timeUnit": "min", "unitTime": 1, "eventCount": 5}}
	header := map[string]any{"headerName": "a", "headerValue": "b"}
	group := func(limit map[string]any, conditions ...any) map[string]any {
		return map[string]any{"conditionalGroups": []any{map[string]any{"limit": limit, "conditions": conditions}}}
	}
	c.post(201, policies+"subscription", map[string]any{"policyName": "Taken", "defaultLimit": limit, "billingPlan": "FREE"})
	c.post(201, policies+"advanced", map[string]any{"policyName": "Taken", "defaultLimit": limit})
	for _, test := range []struct {
		path, name string
		more       map[string]any
		status     int
		want       string
	}{
		{"subscription", "New", map[string]any{"stopOnQuotaReach": nil}, 500, nullPointer},
		{"subscription", "Taken", map[string]any{"stopOnQuotaReach": nil}, 500, nullPointer},
		{"advanced", "New", map[string]any{"conditionalGroups": nil}, 500, nullPointer},
		{"advanced", "New", group(limit, map[string]any{"type": "HEADERCONDITION", "invertCondition": nil, "headerCondition": header}), 500, nullPointer},
		{"advanced", "New", group(limit, map[string]any{"type": "HEADERCONDITION", "invertCondition": nil}), 500, unkept},
		{"advanced", "New", group(events, map[string]any{"type": "HEADERCONDITION", "headerCondition": header}), 500, unkept},
		{"advanced", "Taken", group(limit, map[string]any{"type": "HEADERCONDITION"}), 500, "Error while adding an Advanced level policy: Taken"},
		{"advanced", "Taken", group(events, map[string]any{"type": "HEADERCONDITION", "headerCondition": header}), 409, "Advanced Policy with name Taken already exists"},
	} {
		body := map[string]any{"policyName": test.name, "defaultLimit": limit}
		if test.path == "subscription" {
			body["billingPlan"] = "FREE"
		}
		for name, v := range test.more {
			body[name] = v
		}
		if got := c.post(test.status, policies+test.path, body).text("description"); got != test.want {
			t.Errorf("%s %v: %s", test.path, body, got)
		}
	}
	made := c.post(201, policies+"subscription", map[string]any{"policyName": "Few", "defaultLimit": limit, "billingPlan": "FREE",
		"permissions": map[string]any{"permissionType": "ALLOW", "roles": []string{"admin"}}})
	for _, p := range c.get(200, policies+"subscription").list() {
		if p.any["permissions"] != nil {
			t.Errorf("the list shows permissions of %s", p.text("policyName"))
		}
	}
	if c.get(200, policies+"subscription/"+made.text("policyId")).at("permissions", "permissionType") != "ALLOW" {
		t.Error("the permissions are not stored")
	}
	rule := map[string]any{"policyName": "Rule", "displayName": "Shown", "siddhiQuery": "q", "keyTemplate": "$userId"}
	if got := c.post(201, policies+"custom", rule); got.any["displayName"] != nil {
		t.Errorf("a custom rule has the display name %v", got.any["displayName"])
	}
}

// TestDenyPolicies: what is wrong with a deny policy, and one whose status is null (all seen on 9.33.90).
func TestDenyPolicies(t *testing.T) {
	c, _ := newClient(t, nil)
	const all, one = adminPath + "/throttling/deny-policies", adminPath + "/throttling/deny-policy/"
	const nullPointer = "The server encountered an internal error. Please contact administrator."
	for _, test := range []struct{ body, want string }{
		{`{"conditionType": "API", "conditionValue": ["a"], "conditionStatus": true}`, nullPointer},
		{`{"conditionType": "IP", "conditionValue": {"invert": true}, "conditionStatus": true}`, nullPointer},
		{`{"conditionType": "IP", "conditionValue": {"fixedIp": "::1"}}`, nullPointer},
		{`{"conditionType": "IPRANGE", "conditionValue": {"endingIp": "x", "startingIp": "::1"}}`, "value: {endingIp=x, startingIp=::1}. x is an invalid ip address format"},
		{`{"conditionType": "APPLICATION", "conditionValue": "admin:", "conditionStatus": true}`, "value: admin:. Error occurred while adding the block condition"},
		{`{"conditionType": "APPLICATION", "conditionValue": "admin:No", "conditionStatus": true}`, "Invalid Application name No from Application Owner admin"},
	} {
		if got := c.post(500, all, test.body).text("description"); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", test.body, got)
		}
	}
	kept := c.post(201, all, `{"conditionType": "IP", "conditionValue": {"fixedIp": "::1", "more": null}, "conditionStatus": true}`)
	if value, _ := kept.any["conditionValue"].(map[string]any); len(value) != 2 {
		t.Errorf("the value is %v", value)
	}
	c.get(200, all)
	c.send(500, "PATCH", one+kept.text("conditionId"), map[string]any{})
	c.get(500, all)
	c.get(200, all+"?query=conditionType:USER") // it is not among those
	for _, method := range []string{"GET", "DELETE"} {
		c.send(500, method, one+kept.text("conditionId"), nil)
	}
	c.send(500, "PATCH", one+kept.text("conditionId"), map[string]any{"conditionStatus": true})
}

// TestEnvironmentUpdates: what an update of a gateway environment looks at, and what is stored (all seen on 9.33.90).
func TestEnvironmentUpdates(t *testing.T) {
	c, _ := newClient(t, nil)
	const all = adminPath + "/environments"
	body := func(more map[string]any) map[string]any {
		host := map[string]any{"host": "g.example.com", "httpPort": 80, "httpsPort": 443, "wsPort": 9099, "wssPort": 8099}
		out := map[string]any{"name": "Own", "provider": "wso2", "vhosts": []any{host}}
		for name, v := range more {
			out[name] = v
		}
		return out
	}
	nobody := map[string]any{"permissionType": "DENY", "roles": []string{"nobody"}}
	made := c.post(201, all, body(nil))
	id := made.text("id")
	window := func() float64 { return c.get(200, all+"/"+id).number("apiDiscoveryScheduledWindow") }
	if made.number("apiDiscoveryScheduledWindow") != 60 || window() != 0 {
		t.Errorf("the window is %v and then %v", made.number("apiDiscoveryScheduledWindow"), window())
	}
	if got := c.put(200, all+"/"+id, body(map[string]any{"gatewayType": "Nothing"})); got.text("gatewayType") != "Nothing" || window() != 60 {
		t.Errorf("updated to %v, window %v", got.any, window())
	}
	if got := c.get(200, all+"/"+id).text("gatewayType"); got != "Regular" {
		t.Errorf("the type of gateway is %s", got)
	}
	c.put(200, all+"/"+id, body(map[string]any{"permissions": map[string]any{"permissionType": "ALLOW", "roles": []string{}}}))
	if got := c.get(200, all+"/"+id).at("permissions", "permissionType"); got != "PUBLIC" {
		t.Errorf("for no role it is %v", got)
	}
	twice := body(map[string]any{"permissions": nobody})
	twice["vhosts"] = append(slices.Clone(twice["vhosts"].([]any)), twice["vhosts"].([]any)...)
	for method, path := range map[string]string{"POST": all, "PUT": all + "/nothing"} { // roles are looked at first
		if code := c.refused(500, method, path, twice); code != 900967 {
			t.Errorf("%s: %v", method, code)
		}
	}
	odd := body(map[string]any{"name": "Odd", "permissions": map[string]any{"permissionType": "nobody", "roles": []string{"nobody"}}})
	if got := c.post(201, all, odd); got.at("permissions", "permissionType") != "PUBLIC" {
		t.Errorf("permissions of no type: %v", got.any["permissions"])
	}
	got := c.put(400, all+"/"+id, body(map[string]any{"name": ""}))
	if faults, _ := got.any["error"].([]any); len(faults) != 2 { // it is too short, and does not match
		t.Errorf("faults of an empty name: %v", faults)
	}
	c.put(500, adminPath+"/system-scopes/role-aliases", map[string]any{"list": nil})
	c.put(500, adminPath+"/system-scopes/role-aliases", map[string]any{"list": []any{map[string]any{"role": "admin", "aliases": nil}}})
	c.put(200, adminPath+"/system-scopes/role-aliases", map[string]any{"list": []any{map[string]any{"role": "admin"}}})
	c.put(200, adminPath+"/system-scopes/role-aliases", map[string]any{})
	for _, name := range []string{"mode", "isReadOnly", "apiDiscoveryScheduledWindow"} {
		c.put(500, all+"/"+id, body(map[string]any{name: nil}))
	}
}

// TestCategoryOrder: categories are listed by name.
func TestCategoryOrder(t *testing.T) {
	c, _ := newClient(t, nil)
	for _, name := range []string{"b", "a", "c"} {
		c.post(201, adminPath+"/api-categories", map[string]any{"name": name})
	}
	var names []string
	for _, x := range c.get(200, adminPath+"/api-categories").list() {
		names = append(names, x.text("name"))
	}
	if fmt.Sprint(names) != "[a b c]" {
		t.Errorf("listed as %v", names)
	}
}
