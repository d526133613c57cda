package apim_test

import (
	"fmt"
	"testing"
)

// TestAPINulls: absent members have their defaults; null, or no value of an enum, is a null pointer in the server (seen on 9.33.90).
func TestAPINulls(t *testing.T) {
	c, _ := newClient(t, nil)
	for name, v := range map[string]any{"type": nil, "endpointImplementationType": "nothing", "organizationPolicies": nil, "categories": nil, "egress": nil,
		"advertiseInfo": map[string]any{"advertised": nil}, "policies": nil} {
		c.refused(500, "POST", publisherAPI+"/apis", map[string]any{"name": "New", "context": "/new", "version": "1.0.0", name: v})
	}
	c.refused(500, "POST", publisherAPI+"/apis", map[string]any{"name": "New", "context": "/new", "version": "1.0.0", "visibility": "RESTRICTED", "visibleRoles": nil})
	if code := c.refused(400, "POST", publisherAPI+"/apis", map[string]any{"name": "New", "context": "/new", "version": "1.0.0", "apiThrottlingPolicy": "Nothing"}); code != 900960 {
		t.Errorf("an unknown policy of the whole API: %v", code)
	}
}

// TestAPISentAndKept: what the answer to a POST shows as it was sent, and a GET as it is kept (seen on 9.33.90).
func TestAPISentAndKept(t *testing.T) {
	c, _ := newClient(t, nil)
	made := c.send(201, "POST", publisherAPI+"/apis", map[string]any{"name": "Sent", "context": "/sent", "version": "1.0.0", "tags": []string{"a,b"}, "gatewayType": nil,
		"visibleRoles": []string{"admin"}, "accessControlRoles": []string{"admin"}, "maxTps": map[string]any{}, "websubSubscriptionConfiguration": map[string]any{"enable": true},
		"additionalProperties": []any{map[string]any{"name": "colour", "value": "blue", "display": true}},
		"operations": []any{map[string]any{"target": "/menu", "verb": "GET", "authType": "Application User", "operationPolicies": map[string]any{
			"request": []any{map[string]any{"policyName": "addHeader", "parameters": map[string]any{"headerName": "X", "headerValue": 5}}}}}}})
	got := c.get(200, publisherAPI+"/apis/"+made.text("id"))
	at := func(b body, path ...any) string {
		var v any = b.any
		for _, p := range path {
			switch p := p.(type) {
			case string:
				m, _ := v.(map[string]any)
				v = m[p]
			case int:
				l, _ := v.([]any)
				if p >= len(l) {
					return "nothing"
				}
				v = l[p]
			}
		}
		return fmt.Sprint(v)
	}
	for _, test := range []struct {
		path       []any
		sent, kept string
	}{
		{[]any{"tags"}, "[a,b]", "[a b]"},
		{[]any{"gatewayType"}, "<nil>", "<nil>"},
		{[]any{"visibleRoles"}, "[admin]", "[]"},
		{[]any{"accessControl"}, "RESTRICTED", "RESTRICTED"},
		{[]any{"maxTps"}, "<nil>", "<nil>"},
		{[]any{"websubSubscriptionConfiguration", "enable"}, "false", "false"},
		{[]any{"additionalPropertiesMap", "colour__display", "name"}, "colour", "colour__display"},
		{[]any{"operations", 0, "authType"}, "Application & Application User", "Application & Application User"},
		{[]any{"operations", 0, "operationPolicies", "request", 0, "parameters", "headerValue"}, "5", "5"},
		{[]any{"operations", 0, "operationPolicies", "request", 0, "policyType"}, "<nil>", "common"},
	} {
		if s, k := at(made, test.path...), at(got, test.path...); s != test.sent || k != test.kept {
			t.Errorf("%v: sent %s, kept %s; want %s, %s", test.path, s, k, test.sent, test.kept)
		}
	}
	if code := c.refused(400, "POST", publisherAPI+"/apis/change-lifecycle?action=Publish&apiId="+made.text("id"), nil); code != 903223 {
		t.Errorf("published without an endpoint: %v", code)
	}
	// A context is that with the version.
	c.send(404, "POST", publisherAPI+"/apis/validate?query=context:/sent", nil)
	c.send(200, "POST", publisherAPI+"/apis/validate?query=context:/sent/1.0.0", nil)
}

// TestAnswersToNothing: how what there is not is answered where it is not by 404 (seen on 9.33.90).
func TestAnswersToNothing(t *testing.T) {
	c, _ := newClient(t, nil)
	if got := c.get(200, publisherAPI+"/gateway-policies/00000000-0000-0000-0000-000000000000"); got.any["id"] != nil || got.any["policyMapping"] == nil {
		t.Errorf("a gateway policy that is not there: %v", got.any)
	}
	c.refused(500, "GET", publisherAPI+"/apis/nothing/monetization", nil)
	id := c.newAPI("Guided", nil)
	d := c.send(201, "POST", publisherAPI+"/apis/"+id+"/documents", map[string]any{"name": "Guide", "type": "HOWTO", "sourceType": "INLINE", "visibility": "PRIVATE"})
	if d.text("sourceUrl") != " " || d.text("visibility") != "PRIVATE" || d.any["createdTime"] != nil {
		t.Errorf("a document is answered as %v", d.any)
	}
	c.refused(404, "GET", publisherAPI+"/apis/"+id+"/documents/"+d.text("documentId")+"/content", nil)
}
