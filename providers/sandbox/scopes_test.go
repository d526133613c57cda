package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// atIS lists the scopes that API Manager keeps at Identity Server, and the roles that it made there with their permissions.
func (g *gatewayTest) atIS() (scopes, roles []string) {
	g.Helper()
	status, found := send(g.T, g.c, "GET", g.s.IS()+"/api/server/v1/api-resources?filter="+url.QueryEscape("identifier eq User-defined-oauth2-resource"), nil)
	if status != 200 {
		g.Fatalf("API resources: %d %v", status, found)
	}
	for _, r := range found["apiResources"].([]any) {
		_, one := send(g.T, g.c, "GET", g.s.IS()+"/api/server/v1/api-resources/"+r.(map[string]any)["id"].(string), nil)
		for _, s := range one["scopes"].([]any) {
			scopes = append(scopes, s.(map[string]any)["name"].(string))
		}
	}
	_, list := send(g.T, g.c, "GET", g.s.IS()+"/scim2/v2/Roles?attributes=permissions,displayName", nil)
	for _, r := range list["Resources"].([]any) {
		role := r.(map[string]any)
		name := fmt.Sprint(role["displayName"])
		if name != "creator" && !strings.HasPrefix(name, "system_primary_") {
			continue
		}
		_, role = send(g.T, g.c, "GET", g.s.IS()+"/scim2/v2/Roles/"+role["id"].(string), nil)
		permissions, _ := role["permissions"].([]any)
		for _, p := range permissions {
			roles = append(roles, name+" "+fmt.Sprint(p.(map[string]any)["value"]))
		}
	}
	slices.Sort(scopes)
	slices.Sort(roles)
	return scopes, roles
}

func (g *gatewayTest) wantAtIS(scopes, roles string) {
	g.Helper()
	s, r := g.atIS()
	if got := strings.Join(s, ", "); got != scopes {
		g.Errorf("scopes at Identity Server: %s, want %s", got, scopes)
	}
	if got := strings.Join(r, ", "); got != roles {
		g.Errorf("roles at Identity Server: %s, want %s", got, roles)
	}
}

// TestScopesAtIdentityServer: the connector WSO2-IS-7 keeps the scopes of APIs and shared scopes as scopes of one API resource, and binds them to
// roles; the tokens that Identity Server issues hold them, and the gateway asks for them.
func TestScopesAtIdentityServer(t *testing.T) {
	g := newGatewayTest(t, nil)
	manager := keyManager(g.s.IS() + "/oauth2/token")
	manager["additionalProperties"].(map[string]any)["enable_roles_creation"] = "Enable"
	g.must(201, "POST", adminAPI+"/key-managers", manager)
	time.Sleep(200 * time.Millisecond)
	g.wantAtIS("", "")

	scope := func(name string, roles ...string) map[string]any {
		return map[string]any{"scope": map[string]any{"name": name, "description": "d", "bindings": append([]string{}, roles...)}, "shared": false}
	}
	doc := g.must(200, "GET", publisherAPI+"/apis/"+g.api, nil)
	put := func(scopes ...any) {
		t.Helper()
		doc["scopes"] = scopes
		g.must(200, "PUT", publisherAPI+"/apis/"+g.api, doc)
	}
	operations := doc["operations"].([]any)
	guard := func(scopes ...string) {
		for _, o := range operations {
			if o := o.(map[string]any); o["verb"] == "POST" {
				o["scopes"] = scopes
			}
		}
	}
	guard("order:write")
	put(scope("order:write", "admin", "Internal/creator"), scope("order:unused"))
	g.wantAtIS("order:write", "creator order:write, system_primary_admin order:write")
	g.deploy()

	_, keys := g.subscribed("web", "Unlimited", "Unlimited", "IS7")
	without, with := g.token(g.s.IS(), keys, "default order:unused"), g.token(g.s.IS(), keys, "order:write")
	g.want(403, "900910", "POST", "/pizza/1.0.0/order", without)
	g.want(200, "", "POST", "/pizza/1.0.0/order", with)
	g.want(200, "", "GET", "/pizza/1.0.0/menu", without)

	// A second one is added to the resource, and to the role that is there. An update that sends the scope again makes good what was lost.
	guard("order:write", "order:all")
	put(scope("order:write", "admin"), scope("order:all", "admin"))
	g.wantAtIS("order:all, order:write", "creator order:write, system_primary_admin order:all, system_primary_admin order:write")
	guard("order:all")
	put(scope("order:all"))
	g.wantAtIS("order:all", "system_primary_admin order:all")

	shared := g.must(201, "POST", publisherAPI+"/scopes", map[string]any{"name": "menu:read", "displayName": "Read", "bindings": []string{"admin"}})
	g.wantAtIS("menu:read, order:all", "system_primary_admin menu:read, system_primary_admin order:all")
	id := shared["id"].(string)
	g.must(200, "PUT", publisherAPI+"/scopes/"+id, map[string]any{"name": "menu:read", "displayName": "Reads", "bindings": []string{"Internal/creator"}})
	g.wantAtIS("menu:read, order:all", "creator menu:read, system_primary_admin order:all")
	if status, answer := send(t, g.c, "DELETE", g.s.APIM()+publisherAPI+"/scopes/"+id, nil); status != 200 {
		t.Fatalf("scope: %d %v", status, answer)
	}
	g.wantAtIS("order:all", "system_primary_admin order:all")

	list := g.must(200, "GET", devportalAPI+"/subscriptions?apiId="+g.api, nil)["list"].([]any)
	send(t, g.c, "DELETE", g.s.APIM()+devportalAPI+"/subscriptions/"+list[0].(map[string]any)["subscriptionId"].(string), nil)
	if status, answer := send(t, g.c, "DELETE", g.s.APIM()+publisherAPI+"/apis/"+g.api, nil); status != 200 {
		t.Fatalf("API: %d %v", status, answer)
	}
	g.wantAtIS("", "")
}

// TestScopesWithoutIdentityServer: what the key manager refuses is not said; the API is made all the same.
func TestScopesWithoutIdentityServer(t *testing.T) {
	g := newGatewayTest(t, nil)
	manager := keyManager(g.s.IS() + "/oauth2/token")
	manager["additionalProperties"].(map[string]any)["Password"] = "wrong"
	g.must(201, "POST", adminAPI+"/key-managers", manager)
	time.Sleep(200 * time.Millisecond)
	g.must(201, "POST", publisherAPI+"/scopes", map[string]any{"name": "menu:read", "displayName": "Read", "bindings": []string{}})
	g.wantAtIS("", "")
}
