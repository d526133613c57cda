package oracle

import (
	"strings"
	"testing"
)

// TestRequestsAdmin compares answers about what an administrator keeps beside key managers and
// policies of applications: the other throttling policies, deny policies, environments, categories,
// AI service providers, organizations, scopes and aliases of roles.
func TestRequestsAdmin(t *testing.T) {
	c, requests := compareAPIM(t, 3000)
	c.made = []string{"accessToken"}
	a := &adminRequests{apimRequests: &apimRequests{comparison: c}, kept: map[string][]thing{}}
	app := c.send("app-create", "POST", devportal+"/applications", map[string]any{"name": "Denied", "throttlingPolicy": "Unlimited"})
	if !app.ok() {
		t.Fatalf("an application to deny: %d", app.status)
	}
	for c.count < requests && !t.Failed() {
		a.next()
	}
	c.report()
}

// adminRequests makes requests out of what it knows to be there.
type adminRequests struct {
	*apimRequests
	kept map[string][]thing // by the sort of thing
}

func (a *adminRequests) next() {
	switch n := a.rand.IntN(100); {
	case n < 20:
		a.throttling("subscription", a.subscriptionPolicy)
	case n < 38:
		a.throttling("advanced", a.advancedPolicy)
	case n < 46:
		a.throttling("custom", a.customPolicy)
	case n < 60:
		a.deny()
	case n < 72:
		a.environment()
	case n < 82:
		a.category()
	case n < 90:
		a.provider()
	case n < 94:
		a.organization()
	default:
		a.roles()
	}
}

// A collection names things that the server keeps side by side.
type collection struct {
	step, all, item string // the step's stem, the path of the collection and that of an item without its id
	id, name        string // members of answers
}

// life sends one request about an item of a collection, most of them right. Without a reader there is
// no GET of one. What differs is deleted on both sides.
func (a *adminRequests) life(of collection, name func() string, body func(name string) any, read bool) {
	c, list := a.comparison, a.kept[of.step]
	t := a.one(list)
	end := func(id string) {
		c.both("DELETE", of.item+id)
		a.kept[of.step] = without(a.kept[of.step], id)
	}
	switch n := c.rand.IntN(100); {
	case n < 8 && of.step == "provider": // the pack's own are not in apim-parts
	case n < 8:
		c.send(of.step+"-list", "GET", of.all, nil)
	case n < 42 && len(list) < 8:
		fresh := name()
		if a.chance(8) {
			fresh = pick(c, t.name, strings.ToUpper(t.name), "ü"+fresh, "with space", "bad!"+fresh, strings.Repeat("n", 256))
		}
		r := c.send(of.step+"-create", "POST", of.all, body(fresh))
		if r.ok() {
			made := thing{id: r.text(of.id), name: r.text(of.name)}
			a.kept[of.step] = append(a.kept[of.step], made)
			if !r.same {
				end(made.id)
			}
		}
	case n < 58 && read:
		c.send(of.step+"-get", "GET", of.item+t.id, nil)
	case n < 82:
		named := t.name
		if a.chance(10) {
			named = name()
		}
		r := c.send(of.step+"-put", "PUT", of.item+t.id, body(named))
		switch {
		case !r.same:
			end(t.id)
		case r.ok() && read:
			if r := c.send(of.step+"-get", "GET", of.item+t.id, nil); !r.same {
				end(t.id)
			}
		}
	default:
		r := c.send(of.step+"-delete", "DELETE", of.item+t.id, nil)
		if r.ok() {
			a.kept[of.step] = without(a.kept[of.step], t.id)
		}
		if !r.same {
			end(t.id)
		}
	}
}

// Throttling policies.

func (a *adminRequests) throttling(kind string, body func(name string) map[string]any) {
	all := adminAPI + "/throttling/policies/" + kind
	a.life(collection{step: kind + "-policy", all: all, item: all + "/", id: "policyId", name: "policyName"}, func() string { return a.label("Policy_") },
		func(name string) any {
			b := body(name)
			if a.chance(30) {
				a.spoil(b, "billingPlan") // see exceptions_test.go
			}
			return a.sometimesBroken(b)
		}, true)
}

func (a *adminRequests) subscriptionPolicy(name string) map[string]any {
	c := a.comparison
	body := map[string]any{"policyName": name, "displayName": name, "defaultLimit": a.limit(), "billingPlan": "FREE", "rateLimitCount": 0, "subscriberCount": 0}
	a.maybe(body, "description", "described", "", nil)
	a.maybe(body, "stopOnQuotaReach", true, false, nil)
	a.maybe(body, "rateLimitCount", 5, -1, nil)
	a.maybe(body, "rateLimitTimeUnit", "sec", "min", "NA", "", nil)
	a.maybe(body, "subscriberCount", 10, 0, nil)
	a.maybe(body, "graphQLMaxComplexity", 400, 0, nil)
	a.maybe(body, "graphQLMaxDepth", 10, nil)
	a.maybe(body, "customAttributes", []any{}, []any{map[string]any{"name": "a", "value": "b"}}, []any{map[string]any{"name": "a", "value": "b"}, map[string]any{"name": "c", "value": ""}}, nil)
	a.maybe(body, "permissions", nil, map[string]any{"permissionType": "ALLOW", "roles": []any{"admin"}}, map[string]any{"permissionType": "DENY", "roles": []any{"Internal/creator", "admin"}},
		map[string]any{"permissionType": "ALLOW", "roles": []any{}})
	if a.chance(8) {
		delete(body, pick(c, "rateLimitCount", "subscriberCount")) // without a billingPlan: see exceptions_test.go
	}
	return body
}

func (a *adminRequests) advancedPolicy(name string) map[string]any {
	c := a.comparison
	body := map[string]any{"policyName": name, "displayName": name, "defaultLimit": a.limit()}
	a.maybe(body, "description", "described", "", nil)
	condition := func() map[string]any {
		m := pick(c,
			map[string]any{"type": "HEADERCONDITION", "headerCondition": map[string]any{"headerName": "X-A", "headerValue": "b"}},
			map[string]any{"type": "IPCONDITION", "ipCondition": map[string]any{"ipConditionType": "IPSPECIFIC", "specificIP": "192.168.1.1"}},
			map[string]any{"type": "IPCONDITION", "ipCondition": map[string]any{"ipConditionType": "IPRANGE", "startingIP": "192.168.1.1", "endingIP": "192.168.1.9"}},
			map[string]any{"type": "JWTCLAIMSCONDITION", "jwtClaimsCondition": map[string]any{"claimUrl": "sub", "attribute": "ann"}},
			map[string]any{"type": "QUERYPARAMETERCONDITION", "queryParameterCondition": map[string]any{"parameterName": "q", "parameterValue": "1"}},
			map[string]any{"type": "HEADERCONDITION"}, map[string]any{"type": "NOTHING"})
		a.maybe(m, "invertCondition", true, false, nil)
		return m
	}
	if a.chance(60) {
		groups := []any{}
		for range 1 + c.rand.IntN(2) {
			g := map[string]any{"limit": a.limit()}
			conditions := []any{}
			for range 1 + c.rand.IntN(2) {
				conditions = append(conditions, condition())
			}
			g["conditions"] = conditions
			a.maybe(g, "description", "group", "", nil)
			groups = append(groups, g)
		}
		body["conditionalGroups"] = groups
	}
	return body
}

func (a *adminRequests) customPolicy(name string) map[string]any {
	c := a.comparison
	body := map[string]any{"policyName": name, "keyTemplate": pick(c, "$userId", "$userId:$apiContext", ""), "siddhiQuery": pick(c,
		"FROM RequestStream\nSELECT userId, (userId == 'admin@carbon.super') AS isEligible, str:concat('admin@carbon.super','') as throttleKey\nINSERT INTO EligibilityStream;", "nothing", "")}
	a.maybe(body, "description", "described", "", nil)
	a.maybe(body, "displayName", "Shown", nil)
	return body
}

// Deny policies.

func (a *adminRequests) deny() {
	c, all, one := a.comparison, adminAPI+"/throttling/deny-policies", adminAPI+"/throttling/deny-policy/"
	t := a.one(a.kept["deny"])
	switch n := c.rand.IntN(100); {
	case n < 15:
		c.send("deny-list", "GET", all+pick(c, "", "", "?query="+escaped(pick(c, "conditionType:USER", "conditionType:IP", "conditionType:USER&conditionValue:ann", `conditionType:USER&conditionValue:"ann"`, "nothing:x", "conditionType:NONE"))), nil)
	case n < 55:
		body := pick(c,
			map[string]any{"conditionType": "IP", "conditionValue": map[string]any{"fixedIp": pick(c, "192.168.1.1", "10.0.0.1", "::1", "nothing", ""), "invert": a.chance(30)}},
			map[string]any{"conditionType": "IPRANGE", "conditionValue": map[string]any{"startingIp": "192.168.1.1", "endingIp": pick(c, "192.168.1.9", "nothing"), "invert": a.chance(30)}},
			map[string]any{"conditionType": "USER", "conditionValue": pick(c, "ann", "bob@carbon.super", "eve@acme.com", "")},
			map[string]any{"conditionType": "APPLICATION", "conditionValue": pick(c, "admin:Denied", "admin:Nothing", "admin", "")},
			map[string]any{"conditionType": "API", "conditionValue": pick(c, "/denied/1.0.0", "/nothing/1.0.0", "denied", "")},
			map[string]any{"conditionType": "IP", "conditionValue": pick[any](c, "192.168.1.1", map[string]any{}, nil)})
		body["conditionStatus"] = a.chance(80)
		r := c.send("deny-create", "POST", all, a.perhapsSpoilt(body))
		if r.ok() {
			made := thing{id: r.text("conditionId")}
			if r.same {
				a.kept["deny"] = append(a.kept["deny"], made)
			} else {
				c.both("DELETE", one+made.id)
			}
		}
	case n < 68:
		c.send("deny-get", "GET", one+t.id, nil)
	case n < 80:
		// A status that is null is stored and breaks every later list (TestDenyPolicies of the sandbox).
		body := map[string]any{"conditionStatus": pick[any](c, true, false, true, false, "true", "perhaps", 7, []any{})}
		if a.chance(10) {
			c.spoil(body, "conditionStatus")
		}
		c.send("deny-patch", "PATCH", one+t.id, a.sometimesBroken(body))
	default:
		if r := c.send("deny-delete", "DELETE", one+t.id, nil); r.ok() {
			a.kept["deny"] = without(a.kept["deny"], t.id)
		}
	}
}

// Gateway environments.

func (a *adminRequests) environment() {
	c, all := a.comparison, adminAPI+"/environments"
	if a.chance(5) {
		c.send("env-default", pick(c, "PUT", "DELETE"), all+"/Default", map[string]any{"name": "Default", "provider": "wso2", "vhosts": []any{map[string]any{"host": "localhost",
			"httpPort": 80, "httpsPort": 443, "wsPort": 9099, "wssPort": 8099}}})
		return
	}
	body := func(name string) any {
		host := map[string]any{"host": strings.ToLower(name) + ".example.com", "httpContext": pick(c, "", "", "/x", "x"), "httpPort": 80, "httpsPort": 443, "wsPort": 9099, "wssPort": 8099}
		b := map[string]any{"name": name, "provider": "wso2", "type": "hybrid", "gatewayType": "Regular", "vhosts": []any{host}}
		a.maybe(b, "displayName", "Shown", "", name, nil)
		a.maybe(b, "description", "described", "", nil)
		a.maybe(b, "type", "hybrid", "production", "sandbox")
		a.maybe(b, "gatewayType", "Regular", "Nothing")
		a.maybe(b, "additionalProperties", []any{}, []any{map[string]any{"key": "a", "value": "b"}})
		a.maybe(b, "permissions", nil, map[string]any{"permissionType": "PUBLIC", "roles": []any{}}, map[string]any{"permissionType": "ALLOW", "roles": []any{"admin"}},
			map[string]any{"permissionType": "DENY", "roles": []any{"nobody-has-this"}})
		if a.chance(12) {
			more := map[string]any{"host": "second.example.com", "httpPort": 80, "httpsPort": 443, "wsPort": 9099, "wssPort": 8099}
			b["vhosts"] = pick[any](c, []any{host, host}, []any{host, more}, []any{})
		}
		if a.chance(20) {
			c.spoil(b, "provider", "vhosts") // without a provider or ports a row stays that breaks later lists
		}
		return b
	}
	a.life(collection{step: "env", all: all, item: all + "/", id: "id", name: "name"}, func() string { return a.label("Gateway") }, body, false)
}

func (a *adminRequests) category() {
	all := adminAPI + "/api-categories"
	body := func(name string) any {
		b := map[string]any{"name": name}
		a.maybe(b, "description", "described", "", nil, strings.Repeat("d", 1025))
		return a.perhapsSpoilt(b)
	}
	a.life(collection{step: "category", all: all, item: all + "/", id: "id", name: "name"}, func() string { return a.label("Category") }, body, false)
}

func (a *adminRequests) provider() {
	c, all := a.comparison, adminAPI+"/llm-providers"
	body := func(name string) any {
		parts := []part{{field: "name", text: name}, {field: "apiVersion", text: pick(c, "1.0.0", "v2")}, {field: "description", text: pick(c, "described", "")},
			{field: "configurations", text: `{"connectorType": "openAi_1.0.0", "metadata": []}`}, {"apiDefinition", "api.json", `{"openapi": "3.0.1", "info": {"title": "T", "version": "1"}, "paths": {}}`},
			{field: "modelList", text: pick(c, `["a","b"]`, `[]`, `["a"]`)}}
		if a.chance(10) {
			i := 2 + c.rand.IntN(4)
			parts = append(parts[:i:i], parts[i+1:]...)
		}
		return form(parts...)
	}
	a.life(collection{step: "provider", all: all, item: all + "/", id: "id", name: "name"}, func() string { return a.label("Provider") }, body, true)
}

func (a *adminRequests) organization() {
	c, all := a.comparison, adminAPI+"/organizations"
	body := map[string]any{"externalOrganizationId": pick(c, "org-1", "org-2"), "displayName": pick(c, "Shown", "")}
	switch c.rand.IntN(5) {
	case 0:
		c.send("organization-list", "GET", all, nil)
	case 1:
		c.send("organization-create", "POST", all, a.perhapsSpoilt(body))
	case 2:
		c.send("organization-get", "GET", all+"/"+nobody, nil)
	case 3:
		c.send("organization-put", "PUT", all+"/"+nobody, a.perhapsSpoilt(body))
	case 4:
		c.send("organization-delete", "DELETE", all+"/"+nobody, nil)
	}
}

func (a *adminRequests) roles() {
	c, all := a.comparison, adminAPI+"/system-scopes"
	switch c.rand.IntN(4) {
	case 0:
		c.send("scope-check", "GET", all+"/"+pick(c, "YXBpbTphZG1pbg", "YXBpbTphZG1pbg==", "bm90aGluZw")+pick(c, "", "?username=admin"), nil)
	case 1:
		c.send("alias-list", "GET", adminAPI+"/system-scopes/role-aliases", nil)
	case 2:
		entry := map[string]any{"role": pick(c, "Internal/creator", "Internal/publisher", "nobody-has-this"), "aliases": pick[any](c, []any{"admin"}, []any{"Internal/everyone", "admin"}, []any{}, []any{"nobody-has-this"})}
		c.send("alias-put", "PUT", adminAPI+"/system-scopes/role-aliases", a.perhapsSpoilt(map[string]any{"count": 1, "list": []any{entry}}))
	case 3:
		c.send("devportal-categories", "GET", devportal+"/api-categories", nil)
	}
}
