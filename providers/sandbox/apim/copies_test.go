package apim_test

import (
	"strings"
	"testing"
)

// firstUse is the first use of a policy in requests of an operation.
func firstUse(t *testing.T, api body, verb, target string) map[string]any {
	t.Helper()
	uses, _ := operation(t, api, verb, target).at("operationPolicies", "request").([]any)
	if len(uses) == 0 {
		t.Fatalf("no policy in %s %s of %v", verb, target, api.any["operations"])
	}
	use, _ := uses[0].(map[string]any)
	return use
}

// TestCopies: revisions and new versions have policies and documents of their own ids, and a restored revision brings its documents (all seen on 9.33.90).
func TestCopies(t *testing.T) {
	c, _ := newClient(t, nil)
	common := c.post(201, publisherAPI+"/operation-policies", texts().file("policySpecFile", "p.yaml", policyFile)).text("id")
	policies := map[string]any{"request": []any{map[string]any{"policyName": "paint", "parameters": map[string]any{"colour": "red", "secret": "s"}}}}
	id := c.newAPI("Copied", map[string]any{"operations": []any{map[string]any{"target": "/a", "verb": "GET", "operationPolicies": policies}}})
	u := publisherAPI + "/apis/" + id
	if got := c.get(200, u); got.any["visibleOrganizations"].([]any)[0] != "none" {
		t.Errorf("organizations: %v", got.any["visibleOrganizations"])
	}
	first := firstUse(t, c.get(200, u), "GET", "/a")["policyId"]
	document := func(name string) {
		c.post(201, u+"/documents", map[string]any{"name": name, "type": "SWAGGER_DOC", "sourceType": "INLINE", "visibility": "API_LEVEL"})
	}
	document("One")
	revision := c.post(201, u+"/revisions", map[string]any{}).text("id")
	document("Two")
	kept := firstUse(t, c.get(200, publisherAPI+"/apis/"+revision), "GET", "/a")["policyId"]
	copied := c.post(201, publisherAPI+"/apis/copy-api?newVersion=2.0.0&apiId="+id, nil)
	if copied.any["visibleOrganizations"].([]any)[0] != "carbon.super" { // as it is stored until an update
		t.Errorf("organizations of the copy: %v", copied.any["visibleOrganizations"])
	}
	if other := firstUse(t, copied, "GET", "/a")["policyId"]; kept == first || other == first || other == kept {
		t.Errorf("policies %v, %v and %v are one", first, kept, other)
	}
	before := c.get(200, u+"/documents").list()
	c.delete(200, publisherAPI+"/operation-policies/"+common)
	restored := firstUse(t, c.post(201, u+"/restore-revision?revisionId="+revision, nil), "GET", "/a")
	if restored["policyName"] != "paint_restored-1" || restored["policyType"] != "api" {
		t.Errorf("of a policy that is gone there is %v", restored)
	}
	after := c.get(200, u+"/documents").list()
	if len(before) != 2 || len(after) != 1 || after[0].text("name") != "One" || after[0].text("documentId") == before[0].text("documentId") || after[0].text("type") != "OTHER" {
		t.Errorf("documents %v, restored %v", before, after)
	}
}

// TestRefusedUpdates: what a refused update of an API leaves, and what an update and a restoration are refused for (all seen on 9.33.90).
func TestRefusedUpdates(t *testing.T) {
	c, _ := newClient(t, nil)
	common := c.post(201, publisherAPI+"/operation-policies", texts().file("policySpecFile", "p.yaml", policyFile)).text("id")
	id := c.newAPI("Refused", map[string]any{"operations": []any{map[string]any{"target": "/a", "verb": "GET", "authType": "Application User"}}})
	u := publisherAPI + "/apis/" + id
	using := func(use map[string]any) map[string]any {
		return map[string]any{"name": "Refused", "context": "/Refused", "version": "1.0.0", "description": "new", "operations": []any{
			map[string]any{"target": "/b", "verb": "GET", "operationPolicies": map[string]any{"request": []any{use}}}}}
	}
	for _, test := range []struct {
		use  map[string]any
		code float64
	}{
		{map[string]any{"policyName": "nothing"}, 902005},
		{map[string]any{"policyName": "paint", "policyId": common, "policyVersion": "v2"}, 903211},
	} {
		if code := c.refused(400, "PUT", u, using(test.use)); code != test.code {
			t.Errorf("%v: %v", test.use, code)
		}
	}
	got := c.get(200, u)
	operation(t, got, "GET", "/b") // the operations are those of the update
	if got.any["description"] != nil {
		t.Errorf("the description is %v", got.any["description"])
	}
	c.put(200, u, using(map[string]any{"policyName": "paint", "parameters": map[string]any{"colour": "red"}}))
	c.refused(400, "PUT", u, using(map[string]any{"policyName": "paint", "parameters": map[string]any{"colour": ""}}))
	firstUse(t, c.get(200, u), "GET", "/b") // one that stays keeps its policies
	if code := c.refused(400, "POST", u+"/deploy-revision?revisionId=nothing", []any{map[string]any{"name": "Nothing", "vhost": "localhost"}}); code != 900504 {
		t.Errorf("of no revision to no environment: %v", code)
	}
	revision := c.post(201, u+"/revisions", map[string]any{}).text("id")
	c.put(200, u, map[string]any{"name": "Refused", "context": "/Refused", "version": "1.0.0", "operations": []any{map[string]any{"target": "/c", "verb": "GET"}}})
	c.post(201, publisherAPI+"/api-products", map[string]any{"name": "P", "context": "/p", "apis": []any{map[string]any{"apiId": id,
		"operations": []any{map[string]any{"target": "/c", "verb": "GET"}}}}})
	if code := c.refused(400, "POST", u+"/restore-revision?revisionId="+revision, nil); code != 900364 {
		t.Errorf("a restoration that takes an operation from a product: %v", code)
	}
	if code := c.refused(404, "GET", publisherAPI+"/apis/nothing/environments/Default/keys", nil); code != 900308 {
		t.Errorf("keys of nothing: %v", code)
	}
}

// TestProductMembers: what a product shows of its APIs and in which states they may be (all seen on 9.33.90).
func TestProductMembers(t *testing.T) {
	c, _ := newClient(t, nil)
	operations := []any{map[string]any{"target": "/a", "verb": "GET", "authType": "Application User"}, map[string]any{"target": "/b", "verb": "GET", "authType": "Any"}}
	id := c.newAPI("Member", map[string]any{"operations": operations})
	u := publisherAPI + "/apis/" + id
	body := map[string]any{"name": "P", "context": "/p", "policies": []string{"Gold"}, "apis": []any{map[string]any{"apiId": id, "operations": []any{
		map[string]any{"target": "/a", "verb": "GET"}, map[string]any{"target": "/b", "verb": "GET"}}}}}
	all := publisherAPI + "/api-products"
	shown := func(product string) [2]any {
		m, _ := c.get(200, all+"/"+product).any["apis"].([]any)[0].(map[string]any)
		o, _ := m["operations"].([]any)
		return [2]any{o[0].(map[string]any)["authType"], o[1].(map[string]any)["authType"]}
	}
	product := c.post(201, all, body).text("id")
	if got := shown(product); got != [2]any{"Application User", "Application & Application User"} {
		t.Errorf("of a new API: %v", got)
	}
	c.put(200, u, map[string]any{"name": "Member", "context": "/Member", "version": "1.0.0", "policies": []string{"Gold"}, "operations": operations})
	if got := shown(product); got != [2]any{"Application & Application User", "Application & Application User"} {
		t.Errorf("of an updated API: %v", got)
	}
	if got := c.get(200, all+"/"+product+"/swagger").at("paths", "/a", "get", "x-auth-type"); got != "Application User" {
		t.Errorf("the definition is made anew: %v", got)
	}
	c.post(200, publisherAPI+"/apis/change-lifecycle?action=Deploy%20as%20a%20Prototype&apiId="+id, nil)
	if code := c.refused(409, "POST", all, map[string]any{"name": "Q", "context": "/q", "apis": body["apis"]}); code != 900343 {
		t.Errorf("of a prototype: %v", code)
	}
	c.put(200, all+"/"+product, body)
	revision := c.post(201, all+"/"+product+"/revisions", map[string]any{}).text("id")
	if code := c.refused(400, "POST", all+"/"+product+"/deploy-revision?revisionId="+revision, []any{map[string]any{"name": "Nothing", "vhost": "localhost"}}); code != 903233 {
		t.Errorf("to no environment: %v", code)
	}
	if code := c.refused(400, "POST", all+"/"+product+"/undeploy-revision?revisionId="+revision, []any{map[string]any{"name": "Nothing"}}); code != 903233 {
		t.Errorf("from no environment: %v", code)
	}
	c.post(201, all+"/"+product+"/deploy-revision?revisionId="+revision, []any{map[string]any{"name": "Default", "vhost": "elsewhere"}}) // which is not looked at
	c.post(201, all+"/"+product+"/deploy-revision?revisionId="+revision, toDefault)
	second := c.newAPI("Second", nil)
	c.put(200, all+"/"+product, map[string]any{"name": "P", "context": "/p", "policies": []string{"Gold"}, "apis": []any{map[string]any{"apiId": second,
		"operations": []any{map[string]any{"target": "/*", "verb": "GET"}}}}})
	c.put(200, u, map[string]any{"name": "Member", "context": "/Member", "version": "1.0.0", "policies": []string{"Gold"}, "operations": operations[1:]})
	if code := c.refused(400, "POST", all+"/"+product+"/restore-revision?revisionId="+revision, nil); code != 900365 {
		t.Errorf("restored with an operation that is gone: %v", code)
	}
	c.delete(200, u)
	if got := c.post(201, all+"/"+product+"/restore-revision?revisionId="+revision, nil).any["apis"]; len(got.([]any)) != 0 {
		t.Errorf("restored with an API that is gone: %v", got)
	}
	if raw := c.get(200, all+"/"+product+"/deployments").raw; !strings.Contains(raw, `"status":null`) {
		t.Errorf("deployments of a product: %s", raw)
	}
}

// paintedAPI makes an API whose operation at target has a policy, and returns its id and what writes it.
func (c client) paintedAPI(target string) (id string, api map[string]any) {
	c.t.Helper()
	c.post(201, publisherAPI+"/operation-policies", texts().file("policySpecFile", "p.yaml", policyFile))
	api = map[string]any{"name": "Painted", "context": "/Painted", "version": "1.0.0", "policies": []string{"Gold"}, "operations": []any{map[string]any{"target": target, "verb": "GET",
		"operationPolicies": map[string]any{"request": []any{map[string]any{"policyName": "paint", "parameters": map[string]any{"colour": "red"}}}}}}}
	return c.newAPI("Painted", map[string]any{"operations": api["operations"]}), api
}

// TestProductPolicies: a product shows the policies that its APIs had when it was written, until they are written (seen on 9.33.90).
func TestProductPolicies(t *testing.T) {
	c, _ := newClient(t, nil)
	id, api := c.paintedAPI("/a")
	body := map[string]any{"name": "P", "context": "/p", "apis": []any{map[string]any{"apiId": id, "operations": []any{map[string]any{"target": "/a", "verb": "GET"}}}}}
	product := c.post(201, publisherAPI+"/api-products", body).text("id")
	policies := func() int {
		m, _ := c.get(200, publisherAPI+"/api-products/"+product).any["apis"].([]any)[0].(map[string]any)
		if _, shown := m["writes"]; shown {
			t.Error("what is kept is shown")
		}
		o, _ := m["operations"].([]any)[0].(map[string]any)
		return len(o["operationPolicies"].(map[string]any)["request"].([]any))
	}
	if n := policies(); n != 1 {
		t.Errorf("%d policies", n)
	}
	c.put(200, publisherAPI+"/apis/"+id, api)
	if n := policies(); n != 0 {
		t.Errorf("%d policies after an update of the API", n)
	}
	c.put(200, publisherAPI+"/api-products/"+product, body)
	if n := policies(); n != 1 {
		t.Errorf("%d policies after an update of both", n)
	}
}

// TestDeploymentOfAnother: changing a deployment by way of a revision that is not deployed changes nothing (seen on 9.33.90).
func TestDeploymentOfAnother(t *testing.T) {
	c, _ := newClient(t, nil)
	u := publisherAPI + "/apis/" + c.newAPI("Two", nil)
	one, two := c.post(201, u+"/revisions", map[string]any{}).text("id"), c.post(201, u+"/revisions", map[string]any{}).text("id")
	c.refused(404, "PUT", u+"/deployments/RGVmYXVsdA", map[string]any{"revisionUuid": two})
	c.post(201, u+"/deploy-revision?revisionId="+one, toDefault)
	if got := c.put(200, u+"/deployments/RGVmYXVsdA", map[string]any{"revisionUuid": two, "displayOnDevportal": false}); got.any["name"] != nil {
		t.Errorf("answered %v", got.any)
	}
	if raw := c.get(200, u+"/deployments").raw; !strings.Contains(raw, `"displayOnDevportal":true`) || !strings.Contains(raw, `"status":"APPROVED"`) {
		t.Errorf("deployments %s", raw)
	}
	c.put(200, u+"/deployments/RGVmYXVsdA", map[string]any{"revisionUuid": one, "displayOnDevportal": false})
	if raw := c.get(200, u+"/deployments").raw; !strings.Contains(raw, `"displayOnDevportal":false`) || !strings.Contains(raw, `"status":"APPROVED"`) {
		t.Errorf("deployments %s", raw)
	}
}

// TestUnusedClones: a definition without an operation drops the clones that it used (seen on 9.33.90).
func TestUnusedClones(t *testing.T) {
	c, _ := newClient(t, nil)
	id, api := c.paintedAPI("/b")
	u := publisherAPI + "/apis/" + id
	first := firstUse(t, c.get(200, u), "GET", "/b")["policyId"].(string)
	c.put(200, u+"/swagger", texts("apiDefinition", openAPIFile))
	c.get(404, u+"/operation-policies/"+first)
	if again := firstUse(t, c.put(200, u, api), "GET", "/b")["policyId"]; again == first {
		t.Error("the clone came back")
	}
	c.refused(400, "POST", u+"/undeploy-revision?revisionId=nothing", []any{map[string]any{"name": "Nothing"}}) // which is looked at first
}

// TestDefaultVersion: one version of an API is the default, and restoring a revision leaves that as it is (the latter seen on 9.33.90).
func TestDefaultVersion(t *testing.T) {
	c, _ := newClient(t, nil)
	id := c.newAPI("Many", map[string]any{"isDefaultVersion": true})
	u := publisherAPI + "/apis/" + id
	isDefault := func() any { return c.get(200, u).any["isDefaultVersion"] }
	revision := c.post(201, u+"/revisions", map[string]any{}).text("id")
	if isDefault() != true {
		t.Error("not the default at first")
	}
	c.post(201, publisherAPI+"/apis/copy-api?newVersion=2.0.0&defaultVersion=true&apiId="+id, nil)
	if isDefault() != false {
		t.Error("two versions are the default")
	}
	c.post(201, u+"/restore-revision?revisionId="+revision, nil)
	if isDefault() != false {
		t.Error("it is the default again")
	}
}

// TestRetired: an API or a product that is retired loses its revisions (seen on 9.33.90).
func TestRetired(t *testing.T) {
	c, _ := newClient(t, nil)
	id := c.newAPI("Old", nil)
	product := c.post(201, publisherAPI+"/api-products", map[string]any{"name": "P", "context": "/p", "policies": []string{"Gold"}, "apis": []any{map[string]any{"apiId": id,
		"operations": []any{map[string]any{"target": "/*", "verb": "GET"}}}}}).text("id")
	for _, test := range []struct {
		at, change string
		status     int
		code       float64
	}{
		{"/apis/" + id, "/apis/change-lifecycle?apiId=" + id, 400, 903227},
		{"/api-products/" + product, "/api-products/change-lifecycle?apiProductId=" + product, 404, 900347},
	} {
		u := publisherAPI + test.at
		revision := c.post(201, u+"/revisions", map[string]any{}).text("id")
		c.post(201, u+"/deploy-revision?revisionId="+revision, toDefault)
		for _, action := range []string{"Publish", "Deprecate", "Retire"} {
			c.post(200, publisherAPI+test.change+"&action="+action, nil)
		}
		if n := len(c.get(200, u+"/revisions").list()); n != 0 {
			t.Errorf("%s: %d revisions", test.at, n)
		}
		if code := c.refused(test.status, "POST", u+"/deploy-revision?revisionId="+revision, toDefault); code != test.code {
			t.Errorf("%s: deployed: %v", test.at, code)
		}
		if got := c.post(201, u+"/revisions", map[string]any{}).text("displayName"); got != "Revision 2" {
			t.Errorf("%s: %s", test.at, got)
		}
	}
}

// TestOlderVersion: an API that is not published asks what is to become of its older version (seen on 9.33.90).
func TestOlderVersion(t *testing.T) {
	for newer, want := range map[string]int{"2.0.0": 2, "1.0.1": 2, "1.0.0-beta": 0, "0.9": 0, "v1": 0, "10": 2, "1.0": 0} {
		c, _ := newClient(t, nil)
		id := c.newAPI("Old", nil)
		copied := c.post(201, publisherAPI+"/apis/copy-api?newVersion="+newer+"&apiId="+id, nil).text("id")
		items, _ := c.get(200, publisherAPI+"/apis/"+copied+"/lifecycle-state").any["checkItems"].([]any)
		if len(items) != want {
			t.Errorf("%s: %d items", newer, len(items))
		}
		c.post(200, publisherAPI+"/apis/change-lifecycle?action=Publish&apiId="+copied, nil)
		if items, _ := c.get(200, publisherAPI+"/apis/"+copied+"/lifecycle-state").any["checkItems"].([]any); len(items) != 0 {
			t.Errorf("%s, published: %d items", newer, len(items))
		}
	}
}

// TestBlockedSubscriptions: one that is deleted while it is blocked stays, and nobody subscribes again (seen on 9.33.90).
func TestBlockedSubscriptions(t *testing.T) {
	c, _ := newClient(t, nil)
	api := c.newAPI("Sub", nil)
	app := c.post(201, devportalAPI+"/applications", map[string]any{"name": "web", "throttlingPolicy": "Unlimited"}).text("applicationId")
	c.post(200, publisherAPI+"/apis/change-lifecycle?action=Publish&apiId="+api, nil)
	all := devportalAPI + "/subscriptions"
	subscription := map[string]any{"applicationId": app, "apiId": api, "throttlingPolicy": "Gold"}
	id := c.post(201, all, subscription).text("subscriptionId")
	c.refused(409, "POST", all, subscription)
	c.post(200, publisherAPI+"/subscriptions/block-subscription?blockState=BLOCKED&subscriptionId="+id, nil)
	for range 2 {
		c.refused(403, "POST", all, subscription)
		c.delete(200, all+"/"+id)
	}
	if got := c.get(200, all+"/"+id).text("status"); got != "BLOCKED" {
		t.Errorf("status %s", got)
	}
	if mine, theirs := len(c.get(200, all+"?applicationId="+app).list()), len(c.get(200, publisherAPI+"/subscriptions?apiId="+api).list()); mine != 0 || theirs != 1 {
		t.Errorf("%d and %d are listed", mine, theirs)
	}
	c.post(200, publisherAPI+"/subscriptions/unblock-subscription?subscriptionId="+id, nil)
	again := c.post(201, all, subscription).text("subscriptionId")
	c.get(404, all+"/"+id)
	c.post(200, publisherAPI+"/subscriptions/block-subscription?blockState=BLOCKED&subscriptionId="+again, nil)
	c.delete(200, all+"/"+again)
	c.delete(200, publisherAPI+"/apis/"+api)
	c.get(404, all+"/"+again)

	member := c.newAPI("Member", nil)
	product := c.post(201, publisherAPI+"/api-products", map[string]any{"name": "P", "context": "/p", "policies": []string{"Gold"}, "apis": []any{map[string]any{"apiId": member,
		"operations": []any{map[string]any{"target": "/*", "verb": "GET"}}}}}).text("id")
	change := publisherAPI + "/api-products/change-lifecycle?apiProductId=" + product + "&action="
	c.post(200, change+"Publish", nil)
	ofProduct := c.post(201, all, map[string]any{"applicationId": app, "apiId": product, "throttlingPolicy": "Gold"}).text("subscriptionId")
	c.refused(409, "DELETE", publisherAPI+"/api-products/"+product, nil)
	c.post(200, change+"Block", nil)
	c.refused(500, "DELETE", publisherAPI+"/api-products/"+product, nil)
	c.post(200, publisherAPI+"/subscriptions/block-subscription?blockState=BLOCKED&subscriptionId="+ofProduct, nil)
	c.delete(200, all+"/"+ofProduct)
	c.post(200, change+"Re-Publish", nil)
	c.refused(409, "DELETE", publisherAPI+"/api-products/"+product, nil) // it counts where the product is published, and there alone
	c.post(200, change+"Block", nil)
	c.delete(200, publisherAPI+"/api-products/"+product)

	var ids []any // listed by the names of APIs
	for _, name := range []string{"Zebra", "Ant"} {
		api := c.newAPI(name, nil)
		c.post(200, publisherAPI+"/apis/change-lifecycle?action=Publish&apiId="+api, nil)
		ids = append(ids, api)
		c.post(201, all, map[string]any{"applicationId": app, "apiId": api, "throttlingPolicy": "Gold"})
	}
	if list := c.get(200, all+"?applicationId="+app).list(); len(list) != 2 || list[0].any["apiId"] != ids[1] || list[1].any["apiId"] != ids[0] {
		t.Errorf("listed %v", list)
	}

	old := c.newAPI("Old", nil)
	c.post(200, publisherAPI+"/apis/change-lifecycle?action=Publish&apiId="+old, nil)
	subscription["apiId"] = old
	id = c.post(201, all, subscription).text("subscriptionId")
	c.post(200, publisherAPI+"/apis/change-lifecycle?action=Deprecate&apiId="+old, nil)
	subscription["status"], subscription["requestedThrottlingPolicy"] = "UNBLOCKED", "Silver"
	c.put(404, all+"/"+id, subscription) // its API is not published
	subscription["requestedThrottlingPolicy"] = "Bronze"
	c.put(500, all+"/"+id, subscription) // which is found after the tier
}

// TestDocumentRefusals: what a document is refused for, in words that are those of an API, of a product or of an update (all seen on 9.33.90).
func TestDocumentRefusals(t *testing.T) {
	c, _ := newClient(t, nil)
	id := c.newAPI("Told", nil)
	product := c.post(201, publisherAPI+"/api-products", map[string]any{"name": "P", "context": "/p", "apis": []any{map[string]any{"apiId": id, "operations": []any{
		map[string]any{"target": "/*", "verb": "GET"}}}}}).text("id")
	document := func(more map[string]any) map[string]any {
		out := map[string]any{"name": "Guide", "type": "HOWTO", "sourceType": "FILE", "visibility": "API_LEVEL"}
		for name, v := range more {
			out[name] = v
		}
		return out
	}
	of, ofProduct := publisherAPI+"/apis/"+id+"/documents", publisherAPI+"/api-products/"+product+"/documents"
	made := c.post(201, of, document(nil)).text("documentId")
	c.post(201, ofProduct, document(map[string]any{"name": "Taken"}))
	for _, test := range []struct {
		method, path string
		more         map[string]any
		status       int
		code         float64
		text         string
	}{
		{"POST", of, map[string]any{"name": "a:b"}, 400, 902016, "illegal characters"},
		{"POST", of, map[string]any{"name": "x", "type": "OTHER"}, 400, 903245, "Some of the mandatory parameter values were missing. otherTypeName"},
		{"POST", of, nil, 409, 900312, "Document already exists"},
		{"PUT", of + "/" + made, map[string]any{"type": "OTHER"}, 400, 400, "otherTypeName cannot be empty"},
		{"PUT", of + "/nothing", map[string]any{"type": "OTHER"}, 404, 404, "Requested API with Id"},
		{"GET", of + "/nothing", nil, 404, 404, "Requested API with Id"},
		{"POST", ofProduct, map[string]any{"type": "OTHER"}, 400, 400, "otherTypeName cannot be empty"},
		{"POST", ofProduct, map[string]any{"sourceType": "URL", "sourceUrl": "x"}, 400, 400, "Invalid document sourceUrl Format"},
		{"POST", ofProduct, map[string]any{"name": "a:b"}, 400, 400, "illegal characters"},
		{"POST", ofProduct, map[string]any{"name": "Taken"}, 409, 409, "Requested document 'Taken' already exists"},
		{"PUT", ofProduct + "/nothing", nil, 404, 404, "Requested API Product with Id"},
	} {
		got := c.send(test.status, test.method, test.path, document(test.more))
		if got.number("code") != test.code || !strings.Contains(got.text("description"), test.text) {
			t.Errorf("%s %s %v: %s", test.method, test.path, test.more, got.raw)
		}
	}
	other := c.post(201, ofProduct, document(nil)).text("documentId")
	if got := c.get(200, ofProduct+"?limit=1").text("pagination", "next"); got != "/apis/"+product+"/documents?limit=1&offset=1" {
		t.Errorf("the next page of a product's is %s", got)
	}
	for path, want := range map[string]string{of + "/nothing": "Requested documentation with Id", ofProduct + "/nothing": "Requested product documentation with Id"} {
		if got := c.get(404, path+"/content").text("description"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
	if got := c.post(400, ofProduct+"/"+other+"/content", texts("inlineContent", "x")).text("description"); !strings.HasPrefix(got, "Source type of product document") {
		t.Errorf("text of a file of a product: %s", got)
	}
	if code := c.refused(415, "POST", of+"/"+made+"/content", texts().file("file", "guide.pdf", "text")); code != 902050 {
		t.Errorf("a text that is called PDF: %v", code)
	}
	c.post(201, of+"/"+made+"/content", texts().file("file", "guide.pdf", "%PDF-1.4"))
	got := c.post(201, of+"/"+made+"/content", texts().file("file", "guide.txt", "text"))
	if want := "/registry/resource/_system/governance/apimgt/applicationdata/provider/admin/Told/1.0.0/documentation/files/guide.txt"; got.text("fileName") != want {
		t.Errorf("the file is %s", got.text("fileName"))
	}
}
