package apim_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"wso2plan/providers/sandbox/apim"
)

func TestWhoMayDoWhat(t *testing.T) {
	c := start(t, options(), nil)
	as := func(user string) client {
		c.user = user
		return c
	}
	if got := as("").get(401, kms); got.number("code") != 401 || got.text("description") != "Unauthenticated request" {
		t.Errorf("nobody: %s", got.raw)
	}
	as("Bearer expired").get(401, kms)
	as("Bearer apim:subscribe").get(401, kms) // a missing scope is 401, not 403
	as("Bearer apim:admin_operations").get(200, kms)
	as("Bearer apim:keymanagers_manage").delete(401, kms+"/x")
	as("ann").get(401, kms) // so is a missing role
	as("ann").get(200, apps)
	as("").get(200, "/api/am/devportal/v3/throttling-policies/application") // no scope: open to all
	as("Bearer expired").get(401, "/api/am/devportal/v3/throttling-policies/application")

	id := application(as("ann"), "Hers")
	as("admin").get(403, id)
	as("admin").put(403, id, map[string]any{"name": "Hers", "throttlingPolicy": "Unlimited"})
	as("admin").get(403, id+"/oauth-keys")
	as("admin").delete(403, id)
	if got := as("admin").get(200, apps).list(); len(got) != 1 || got[0].text("name") != "DefaultApplication" {
		t.Errorf("the administrator's list holds another's application: %v", got)
	}
	if got := as("admin").get(200, "/api/am/admin/v4/applications?user=ann&name=Her"); got.number("count") != 1 {
		t.Errorf("the admin list: %s", got.raw)
	}
	as("admin").delete(200, strings.Replace(id, "devportal/v3", "admin/v4", 1))
	as("ann").get(404, id)
}

func TestTenants(t *testing.T) {
	c := start(t, options(), nil)
	c.user = "admin@acme.com"
	id := application(c, "Shop")
	if got := c.get(200, id).text("owner"); got != "admin@acme.com" {
		t.Errorf("owner %q", got)
	}
	c.get(403, "/api/am/admin/v4/throttling/policies/custom")
	c.get(200, kms)
	policy := c.get(200, "/api/am/admin/v4/throttling/policies/application").list()[0].text("policyId")
	c.user = "admin"
	c.get(404, id)
	c.get(404, "/api/am/admin/v4/throttling/policies/application/"+policy)
	c.get(404, "/t/acme.com"+apps)
}

func TestChangeOwner(t *testing.T) {
	c := start(t, options(), nil)
	id := application(c, "Shop")
	change := strings.Replace(id, "devportal/v3", "admin/v4", 1) + "/change-owner?owner="
	c.post(500, change+"ann", nil) // has never been in the devportal
	c.user = "ann"
	c.get(200, apps)
	c.user = "admin"
	c.post(200, change+"ann", nil)
	c.get(403, id)
	application(c, "Shop")
	c.post(500, change+"admin", nil) // has one of this name
	c.post(500, change+"ann@acme.com", nil)
}

func TestPages(t *testing.T) {
	c := start(t, options(), nil)
	for i := range 59 {
		application(c, fmt.Sprintf("app-%02d", i))
	}
	seen, next, pages := map[string]bool{}, apps, 0
	for next != "" {
		page := c.get(200, next)
		for _, a := range page.list() {
			seen[a.text("name")] = true
		}
		if page.number("pagination", "total") != 60 {
			t.Fatalf("total: %s", page.raw)
		}
		if next = page.text("pagination", "next"); next != "" {
			next = "/api/am/devportal/v3" + next
		}
		pages++
	}
	if len(seen) != 60 || pages != 3 {
		t.Errorf("%d applications on %d pages", len(seen), pages)
	}
	last := c.get(200, apps+"?limit=10&offset=55&query=app-")
	if last.number("count") != 4 || last.text("pagination", "previous") != "/applications?sortBy=name&sortOrder=asc&limit=10&offset=45&groupId=" || last.text("pagination", "next") != "" {
		t.Errorf("last page: %s", last.raw)
	}
	if got := c.get(200, apps+"?sortOrder=desc&limit=1").list()[0].text("name"); got != "app-58" {
		t.Errorf("first of the descending order: %s", got)
	}
	c.get(200, apps+"?sortBy=colour")
	c.get(500, apps+"?limit=-1")
	c.get(404, apps+"?limit=many")
}

func TestTransport(t *testing.T) {
	var passed int
	o := options()
	o.Version = "4.5.0"
	o.OAuth = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "oauth "+r.URL.Path) })
	o.Middleware = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			passed++
			next.ServeHTTP(w, r)
		})
	}
	c := start(t, o, nil)
	if got := c.get(200, "/oauth2/token"); got.raw != "oauth /oauth2/token" {
		t.Errorf("oauth: %s", got.raw)
	}
	if got := c.get(200, "/services/Version"); !strings.Contains(got.raw, "WSO2 API Manager-4.5.0") {
		t.Errorf("version: %s", got.raw)
	}
	c.get(404, "/api/am/admin/v4/nothing")
	c.send(405, http.MethodPatch, kms, map[string]any{})
	for _, test := range []struct {
		kind, accept string
		status       int
	}{
		{"text/plain", "", 415}, {"", "", 400}, {"application/json;charset=UTF-8", "", 400}, {"application/json", "text/html", 406},
		{"application/json", "text/html, application/*;q=0.5", 400},
	} {
		r, err := http.NewRequest(http.MethodPost, c.base+kms, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("admin", "admin")
		if test.kind != "" {
			r.Header.Set("Content-Type", test.kind)
		}
		if test.accept != "" {
			r.Header.Set("Accept", test.accept)
		}
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = got.Body.Close()
		if got.StatusCode != test.status {
			t.Errorf("Content-Type %q, Accept %q: %d, want %d", test.kind, test.accept, got.StatusCode, test.status)
		}
	}
	if passed != 9 {
		t.Errorf("%d of 9 requests passed the middleware", passed)
	}
}

func TestRawCharacters(t *testing.T) {
	s := httptest.NewServer(apim.New(options()))
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if got := start(t, options(), nil).get(400, kms+"/a%2Fb"); !strings.Contains(got.raw, "encoded slash") {
		t.Errorf("an encoded slash: %s", got.raw)
	}
	_, _ = fmt.Fprintf(conn, "GET %s/{kmmin} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", kms)
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(got.Body)
	if got.StatusCode != 400 || got.Header.Get("Content-Type") != "text/html;charset=utf-8" || !strings.Contains(string(page), "Apache Tomcat") {
		t.Errorf("%d %s", got.StatusCode, page)
	}
}

func TestRegistration(t *testing.T) {
	c := start(t, options(), nil)
	first, again := c.registered(), c.registered()
	if first.text("clientId") == "" || first.text("clientId") != again.text("clientId") || first.text("clientSecret") != again.text("clientSecret") {
		t.Errorf("registered %s, then %s", first.raw, again.raw)
	}
	c.user = "ann"
	c.post(400, "/client-registration/v0.17/register", map[string]any{"clientName": "x", "owner": "admin"})
	c.user = ""
	c.post(401, "/client-registration/v0.17/register", map[string]any{"clientName": "x", "owner": "admin"})
}

func TestApplications(t *testing.T) {
	o := options()
	o.ApplicationAttributes = []apim.ApplicationAttribute{{Name: "Team", Required: true}, {Name: "Cost"}, {Name: "Secret", Hidden: true}}
	c := start(t, o, nil)
	body := map[string]any{"name": "Shop", "throttlingPolicy": "10PerMin", "tokenType": "OAUTH", "groups": []string{"g"},
		"attributes": map[string]any{"Team": "red", "Colour": "blue", "Secret": "x"}}
	got := c.post(201, apps, body)
	if fmt.Sprint(got.at("attributes")) != "map[Cost: Team:red]" || got.text("tokenType") != "JWT" || fmt.Sprint(got.at("groups")) != "[]" {
		t.Errorf("made: %s", got.raw)
	}
	if got := c.post(500, apps, map[string]any{"name": "None", "throttlingPolicy": "10PerMin"}); got.number("code") != 900967 {
		t.Errorf("required attribute: %s", got.raw)
	}
	for _, name := range []string{" Shop2", "Shop2 ", ""} {
		body["name"] = name
		c.post(400, apps, body)
	}
	id := apps + "/" + got.text("applicationId")
	c.put(200, id, map[string]any{"name": "Renamed", "throttlingPolicy": "Unlimited", "attributes": map[string]any{"Team": "blue"}})
	read := c.get(200, id)
	if read.text("name") != "Renamed" || read.at("description") != nil || read.text("owner") != "admin" || read.text("attributes", "Team") != "blue" {
		t.Errorf("renamed: %s", read.raw)
	}
	c.put(409, id, map[string]any{"name": "defaultapplication", "throttlingPolicy": "Unlimited", "attributes": map[string]any{"Team": "blue"}})
	if got := c.get(200, "/api/am/devportal/v3/settings/application-attributes"); got.number("count") != 3 {
		t.Errorf("declared: %s", got.raw)
	}
}

func TestPolicies(t *testing.T) {
	c := start(t, options(), nil)
	const policies = "/api/am/admin/v4/throttling/policies/"
	limits := map[string]string{
		"REQUESTCOUNTLIMIT": `"requestCount":{"timeUnit":"min","unitTime":1,"requestCount":5}`,
		"BANDWIDTHLIMIT":    `"bandwidth":{"timeUnit":"hour","unitTime":2,"dataAmount":10,"dataUnit":"MB"}`,
		"EVENTCOUNTLIMIT":   `"eventCount":{"timeUnit":"days","unitTime":1,"eventCount":7}`,
		"AIAPIQUOTALIMIT":   `"aiApiQuota":{"timeUnit":"min","unitTime":1,"requestCount":3,"totalTokenCount":9}`,
	}
	n := 0
	for kind, limit := range limits {
		for _, path := range []string{"application", "subscription", "advanced"} {
			n++
			sent := fmt.Sprintf(`{"policyName":"P%d","defaultLimit":{"type":%q,%s}`, n, kind, limit)
			if path == "subscription" {
				c.post(500, policies+path, sent+"}") // no billing plan is a null pointer
				sent += `,"billingPlan":"FREE"`
			} else if kind == "AIAPIQUOTALIMIT" {
				c.post(500, policies+path, sent+"}") // only subscription policies have columns for it
				continue
			}
			made := c.post(201, policies+path, sent+"}")
			if made.text("displayName") != fmt.Sprintf("P%d", n) {
				t.Errorf("display name: %s", made.raw)
			}
			got := made.at("defaultLimit").(map[string]any)
			present := 0
			for name, v := range got {
				if name != "type" && v != nil {
					present++
				}
			}
			if present != 1 || got["type"] != kind {
				t.Errorf("%s %s: %v", path, kind, got)
			}
		}
		got := c.post(500, policies+"application", fmt.Sprintf(`{"policyName":"Bad","defaultLimit":{"type":%q}}`, kind))
		if got.text("description") != "Error while adding an Application level policy: Bad" {
			t.Errorf("no limit of its type: %s", got.raw)
		}
	}
	for _, name := range []string{"with-hyphen", "with space", "with.dot"} {
		got := c.post(400, policies+"application", fmt.Sprintf(`{"policyName":%q,"defaultLimit":{"type":"REQUESTCOUNTLIMIT",%s}}`, name, limits["REQUESTCOUNTLIMIT"]))
		if got.number("code") != 900706 {
			t.Errorf("%s: %s", name, got.raw)
		}
	}
	gold := ""
	for _, p := range c.get(200, policies+"subscription").list() {
		if p.text("policyName") == "Gold" {
			gold = policies + "subscription/" + p.text("policyId")
		}
	}
	if got := c.put(400, gold, `{"policyName":"Gold","billingPlan":"FREE","defaultLimit":{"type":"AIAPIQUOTALIMIT",`+limits["AIAPIQUOTALIMIT"]+`}}`); got.number("code") != 900974 {
		t.Errorf("to an AI quota: %s", got.raw)
	}
	request := `"defaultLimit":{"type":"REQUESTCOUNTLIMIT",` + limits["REQUESTCOUNTLIMIT"] + `}`
	if got := c.put(400, gold, `{"policyName":"Gold","billingPlan":"FREE",`+request+`,"permissions":{"permissionType":"ALLOW","roles":[]}}`); got.number("code") != 900600 {
		t.Errorf("no roles: %s", got.raw)
	}
	got := c.put(200, gold, `{"policyName":"Gold",`+request+`,"permissions":{"permissionType":"ALLOW","roles":["admin"]},"customAttributes":[{"name":"a","value":"b"}],
		"billingPlan":"COMMERCIAL","monetization":{"monetizationPlan":"FIXEDRATE","properties":{"currencyType":"USD"}},"rateLimitCount":-1,"rateLimitTimeUnit":"NA"}`)
	if got.text("monetization", "monetizationPlan") != "FIXEDRATE" || got.number("rateLimitCount") != -1 || got.number("subscriberCount") != 0 {
		t.Errorf("full: %s", got.raw)
	}
	group := `{"policyName":"Groups",` + request + `,"conditionalGroups":[{"description":"d","limit":{"type":"REQUESTCOUNTLIMIT",` + limits["REQUESTCOUNTLIMIT"] + `},
		"conditions":[{"type":"HEADERCONDITION","invertCondition":%s,"headerCondition":{"headerName":"a","headerValue":"b"}},
		{"type":"HEADERCONDITION","headerCondition":{"headerName":"c","headerValue":"d"}}]}]}`
	c.post(500, policies+"advanced", `{"policyName":"Empty",`+request+`,"conditionalGroups":[{"limit":{"type":"REQUESTCOUNTLIMIT",`+limits["REQUESTCOUNTLIMIT"]+`},"conditions":[{"type":"HEADERCONDITION"}]}]}`)
	made := c.post(201, policies+"advanced", fmt.Sprintf(group, "true"))
	if !strings.Contains(made.raw, `"headerName":"c"`) || !strings.Contains(made.raw, `"ipCondition":null`) {
		t.Errorf("groups: %s", made.raw)
	}
	paid := c.post(201, policies+"subscription", `{"policyName":"Paid",`+request+`,"billingPlan":"COMMERCIAL",
		"monetization":{"monetizationPlan":"FIXEDRATE","properties":{"fixedPrice":"5","colour":"red"}}}`)
	read := c.get(200, policies+"subscription/"+paid.text("policyId"))
	if paid.text("monetization", "monetizationPlan") != "DYNAMICRATE" || read.text("monetization", "monetizationPlan") != "FIXEDRATE" ||
		read.text("monetization", "properties", "fixedPrice") != "5" || read.at("monetization", "properties", "colour") != nil {
		t.Errorf("made %s, read %s", paid.raw, read.raw)
	}
	for burst, want := range map[string]float64{`{"rateLimitCount":5,"rateLimitTimeUnit":"sec"}`: 5, `{"rateLimitCount":5}`: 0, `{"rateLimitCount":-1,"rateLimitTimeUnit":"NA"}`: 0} {
		n++
		got := c.post(201, policies+"application", fmt.Sprintf(`{"policyName":"P%d",%s,"burstLimit":%s}`, n, request, burst))
		if got.number("burstLimit", "rateLimitCount") != want {
			t.Errorf("burst %s: %s", burst, got.raw)
		}
	}
	for _, p := range c.get(200, policies+"advanced").list() {
		if _, shown := p.any["conditionalGroups"]; shown {
			t.Error("the list of advanced policies shows conditional groups")
		}
	}
	if got := c.post(400, policies+"custom", `{"policyName":"Rule"}`); !strings.Contains(got.raw, "400_siddhiQuery") || !strings.Contains(got.raw, "400_keyTemplate") {
		t.Errorf("two violations: %s", got.raw)
	}
	if got := c.post(400, policies+"application", `{"policyName":"   ",`+request+`}`); got.number("code") != 900705 {
		t.Errorf("blank: %s", got.raw)
	}
}

func TestSnapshot(t *testing.T) {
	is := newIdentity(t)
	reg := &registry{}
	o := options()
	o.HTTP, o.Resident = is.Client(), reg
	one, two := apim.New(o), apim.New(o)
	s1, s2 := httptest.NewServer(one), httptest.NewServer(two)
	defer s1.Close()
	defer s2.Close()
	c := client{t: t, base: s1.URL, user: "admin"}
	km := c.post(201, kms, is.is7("IS7", "pw")).text("id")
	app := application(c, "Shop")
	c.post(200, app+"/generate-keys", generate("IS7", "PRODUCTION"))
	c.post(201, "/api/am/publisher/v4/apis", map[string]any{"name": "Pizza", "context": "/pizza", "version": "1"})
	c.post(201, certificates, upload("pizza", "https://pizza.example.com", newCertificate(t, "pizza", time.Hour)))
	saved, err := one.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := two.Restore(saved); err != nil {
		t.Fatal(err)
	}
	again, err := two.Snapshot()
	if err != nil || string(again) != string(saved) {
		t.Errorf("restored contents differ: %v", err)
	}
	c.base = s2.URL
	c.get(200, kms+"/"+km)
	c.delete(200, certificates+"/pizza")
	if got := c.get(200, app+"/oauth-keys").list(); len(got) != 1 || got[0].text("consumerSecret") == "" {
		t.Errorf("keys after restore: %v", got)
	}
	c.post(200, app+"/generate-keys", generate("IS7", "SANDBOX"))
	for _, bad := range []string{"", "[]", `{"tenants":{"x":null}}`, `{"tenants":{"x":{"keyManagers":[{}]}}}`} {
		if err := two.Restore([]byte(bad)); err == nil {
			t.Errorf("restored from %q", bad)
		}
	}
	c.get(200, app)
}

func TestSeed(t *testing.T) {
	o := options()
	reg := o.Resident.(*registry)
	server := apim.New(o)
	if err := server.Seed(context.Background(), 250); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(server)
	defer s.Close()
	c := client{t: t, base: s.URL, user: "admin"}
	if got := c.get(200, apps+"?limit=1").number("pagination", "total"); got != 251 {
		t.Errorf("%v applications", got)
	}
	if got := c.get(200, kms).number("count"); got != 26 {
		t.Errorf("%v key managers", got)
	}
	if reg.count() != 250 {
		t.Errorf("%d clients", reg.count())
	}
	first := c.get(200, apps+"?query=seed-00001").list()[0].text("applicationId")
	if got := c.get(200, apps+"/"+first+"/oauth-keys").list(); len(got) != 1 || got[0].text("consumerKey") == "" {
		t.Errorf("keys: %v", got)
	}
}

func TestConcurrent(t *testing.T) {
	is := newIdentity(t)
	c := start(t, options(), is)
	c.post(201, kms, is.is7("IS7", "pw"))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 5 {
				app := application(c, fmt.Sprintf("app-%d-%d", i, j))
				made := c.post(200, app+"/generate-keys", generate("IS7", "PRODUCTION"))
				c.get(200, app+"/oauth-keys")
				c.get(200, kms)
				c.get(200, apps)
				c.delete(200, app+"/oauth-keys/"+made.text("keyMappingId"))
				c.delete(200, app)
			}
		})
	}
	// Only one of many requests for the same keys may win.
	app := application(c, "Same")
	var won sync.Map
	for i := range 8 {
		wg.Go(func() {
			b, _ := json.Marshal(generate("IS7", "SANDBOX"))
			r, err := http.NewRequest(http.MethodPost, c.base+app+"/generate-keys", strings.NewReader(string(b)))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Content-Type", "application/json")
			r.SetBasicAuth("admin", "admin")
			got, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			_ = got.Body.Close()
			if got.StatusCode == 200 {
				won.Store(i, true)
			} else if got.StatusCode != 409 {
				t.Errorf("%d", got.StatusCode)
			}
		})
	}
	wg.Wait()
	n := 0
	won.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d requests made the same keys", n)
	}
	if got := is.count(); got != 1 {
		t.Errorf("%d clients are left", got)
	}
}

func TestScopesOfRoles(t *testing.T) {
	if !apim.MayHave([]string{"admin"}, "apim:admin") || apim.MayHave([]string{"Internal/creator"}, "apim:admin") ||
		!apim.MayHave([]string{"internal/creator"}, "apim:api_create") || apim.MayHave([]string{"admin"}, "openid") {
		t.Error("scopes and roles do not fit")
	}
	if got := apim.ScopesOf([]string{"Internal/analytics"}); len(got) != 1 || got[0] != "apim:api_view" {
		t.Errorf("scopes of analytics: %v", got)
	}
}
