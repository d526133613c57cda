package sandbox

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A gatewayTest is a sandbox with a backend and an API that is deployed.
type gatewayTest struct {
	*testing.T
	s       *Sandbox
	c       *http.Client
	backend *httptest.Server
	api     string // its id
}

const (
	publisherAPI = "/api/am/publisher/v4"
	devportalAPI = "/api/am/devportal/v3"
	adminAPI     = "/api/am/admin/v4"
)

// newGatewayTest serves an API of these fields: context /pizza, version 1.0.0, backend pizza-service:8001.
func newGatewayTest(t *testing.T, fields map[string]any) *gatewayTest {
	t.Helper()
	g := &gatewayTest{T: t}
	g.backend = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Backend", "yes")
		_ = json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "uri": r.RequestURI, "host": r.Host, "authorization": r.Header.Get("Authorization")})
	}))
	t.Cleanup(g.backend.Close)
	g.s = start(t, Options{Resolve: []string{"pizza-service:8001=" + g.backend.Listener.Addr().String()}, IndexLag: -1, GatewayLag: -1})
	g.c = client(g.s)
	doc := map[string]any{
		"name": "PizzaAPI", "context": "/pizza", "version": "1.0.0", "policies": []string{"Unlimited", "Gold"},
		"operations": []any{
			map[string]any{"target": "/menu", "verb": "GET"},
			map[string]any{"target": "/menu/{id}", "verb": "GET"},
			map[string]any{"target": "/order", "verb": "POST"},
			map[string]any{"target": "/open", "verb": "GET", "authType": "None"},
		},
		"endpointConfig": map[string]any{"endpoint_type": "http", "production_endpoints": map[string]any{"url": "http://pizza-service:8001/base"}},
	}
	for name, v := range fields {
		doc[name] = v
	}
	g.api = g.must(201, "POST", publisherAPI+"/apis", doc)["id"].(string)
	g.deploy()
	g.must(200, "POST", publisherAPI+"/apis/change-lifecycle?action=Publish&apiId="+g.api, nil)
	return g
}

// must calls API Manager.
func (g *gatewayTest) must(want int, method, path string, body any) map[string]any {
	g.Helper()
	status, answer := send(g.T, g.c, method, g.s.APIM()+path, body)
	if status != want {
		g.Fatalf("%s %s: %d, want %d: %v", method, path, status, want, answer)
	}
	return answer
}

func (g *gatewayTest) deploy() {
	g.Helper()
	revision := g.must(201, "POST", publisherAPI+"/apis/"+g.api+"/revisions", map[string]any{"description": "r"})["id"].(string)
	status, answer := send(g.T, g.c, "POST", g.s.APIM()+publisherAPI+"/apis/"+g.api+"/deploy-revision?revisionId="+revision,
		[]any{map[string]any{"name": "Default", "vhost": "localhost", "displayOnDevportal": true}})
	if status != 201 {
		g.Fatalf("deploy: %d %v", status, answer)
	}
}

// subscribed makes an application with keys of a key manager and a subscription; it returns the application and the keys.
func (g *gatewayTest) subscribed(name, policy, tier, manager string) (string, map[string]any) {
	g.Helper()
	app := g.must(201, "POST", devportalAPI+"/applications", map[string]any{"name": name, "throttlingPolicy": policy, "tokenType": "JWT"})["applicationId"].(string)
	g.must(201, "POST", devportalAPI+"/subscriptions", map[string]any{"applicationId": app, "apiId": g.api, "throttlingPolicy": tier})
	keys := map[string]any{"keyType": "PRODUCTION", "grantTypesToBeSupported": []string{"client_credentials"}}
	if manager != "" {
		keys["keyManager"] = manager
	}
	return app, g.must(200, "POST", devportalAPI+"/applications/"+app+"/generate-keys", keys)
}

// token gets one by client credentials.
func (g *gatewayTest) token(server string, keys map[string]any, scope string) string {
	g.Helper()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(keys["consumerKey"].(string)+":"+keys["consumerSecret"].(string)))
	status, answer := send(g.T, g.c, "POST", server+"/oauth2/token", "grant_type=client_credentials&scope="+url.QueryEscape(scope), "Authorization", basic)
	if status != 200 {
		g.Fatalf("token: %d %v", status, answer)
	}
	return answer["access_token"].(string)
}

// call calls the gateway; without a token none is sent.
func (g *gatewayTest) call(method, path, token string, headers ...string) (int, map[string]any) {
	g.Helper()
	authorization := ""
	if token != "" {
		authorization = "Bearer " + token
	}
	return send(g.T, g.c, method, g.s.Gateway()+path, nil, append([]string{"Authorization", authorization}, headers...)...)
}

func (g *gatewayTest) want(status int, code string, method, path, token string, headers ...string) map[string]any {
	g.Helper()
	got, answer := g.call(method, path, token, headers...)
	if got != status || code != "" && answer["code"] != code {
		g.Errorf("%s %s: %d %v, want %d %s", method, path, got, answer, status, code)
	}
	return answer
}

// TestGateway calls an API with tokens of Identity Server: the way of examples/platform.
func TestGateway(t *testing.T) {
	g := newGatewayTest(t, nil)
	g.must(201, "POST", adminAPI+"/key-managers", keyManager(g.s.IS()+"/oauth2/token"))
	time.Sleep(200 * time.Millisecond)
	_, keys := g.subscribed("web", "Unlimited", "Unlimited", "IS7")
	token := g.token(g.s.IS(), keys, "default")

	got := g.want(200, "", "GET", "/pizza/1.0.0/menu/1?x=a%20b", token)
	if got["uri"] != "/base/menu/1?x=a%20b" || got["host"] != "pizza-service:8001" || got["authorization"] != "" {
		t.Errorf("backend saw %v", got)
	}
	g.want(200, "", "GET", "/pizza/1.0.0/open", "")
	g.want(401, "900902", "GET", "/pizza/1.0.0/menu", "")
	g.want(401, "900901", "GET", "/pizza/1.0.0/menu", "nonsense")
	g.want(401, "900901", "GET", "/pizza/1.0.0/menu", token[:len(token)-8]+"AAAAAAAA")
	g.want(404, "404", "GET", "/pizza/1.0.0/nothing", token)
	g.want(404, "404", "GET", "/pizza/2.0.0/menu", token)
	g.want(405, "405", "DELETE", "/pizza/1.0.0/menu", token)

	// An application without a subscription.
	app := g.must(201, "POST", devportalAPI+"/applications", map[string]any{"name": "other", "throttlingPolicy": "Unlimited"})["applicationId"].(string)
	other := g.must(200, "POST", devportalAPI+"/applications/"+app+"/generate-keys", map[string]any{"keyType": "PRODUCTION", "keyManager": "IS7",
		"grantTypesToBeSupported": []string{"client_credentials"}})
	g.want(403, "900908", "GET", "/pizza/1.0.0/menu", g.token(g.s.IS(), other, "default"))
}

// TestGatewayWrongIssuer names another issuer than the tokens do, which is the commonest mistake with a key manager: every call is 401.
func TestGatewayWrongIssuer(t *testing.T) {
	g := newGatewayTest(t, nil)
	g.must(201, "POST", adminAPI+"/key-managers", keyManager("https://wso2is:9443/oauth2/token"))
	time.Sleep(200 * time.Millisecond)
	_, keys := g.subscribed("web", "Unlimited", "Unlimited", "IS7")
	answer := g.want(401, "900901", "GET", "/pizza/1.0.0/menu", g.token(g.s.IS(), keys, "default"))
	if answer["description"] != "Access failure for API: /pizza/1.0.0, version: 1.0.0 status: (900901) - Invalid Credentials. Make sure you have provided the correct security credentials" {
		t.Errorf("description: %v", answer["description"])
	}
}

// TestGatewaySnapshot: what is edited is not served before a revision of it is deployed.
func TestGatewaySnapshot(t *testing.T) {
	g := newGatewayTest(t, nil)
	_, keys := g.subscribed("web", "Unlimited", "Unlimited", "")
	token := g.token(g.s.APIM(), keys, "")
	doc := g.must(200, "GET", publisherAPI+"/apis/"+g.api, nil)
	doc["operations"] = append(doc["operations"].([]any), map[string]any{"target": "/new", "verb": "GET"})
	g.must(200, "PUT", publisherAPI+"/apis/"+g.api, doc)
	g.want(404, "404", "GET", "/pizza/1.0.0/new", token)
	g.deploy()
	g.want(200, "", "GET", "/pizza/1.0.0/new", token)
	g.must(200, "POST", publisherAPI+"/apis/change-lifecycle?action=Block&apiId="+g.api, nil)
	g.want(503, "700700", "GET", "/pizza/1.0.0/menu", token)
}

func TestGatewayScopes(t *testing.T) {
	scope := map[string]any{"scope": map[string]any{"name": "order:write", "displayName": "order", "bindings": []string{}}, "shared": false}
	g := newGatewayTest(t, map[string]any{"scopes": []any{scope}, "operations": []any{
		map[string]any{"target": "/order", "verb": "POST", "scopes": []string{"order:write"}}, map[string]any{"target": "/menu", "verb": "GET"}}})
	_, keys := g.subscribed("web", "Unlimited", "Unlimited", "")
	without, with := g.token(g.s.APIM(), keys, ""), g.token(g.s.APIM(), keys, "order:write")
	g.want(403, "900910", "POST", "/pizza/1.0.0/order", without)
	g.want(200, "", "POST", "/pizza/1.0.0/order", with)
	g.want(200, "", "GET", "/pizza/1.0.0/menu", without)
}

// limits makes one policy of each kind with so many requests in an hour.
func limits(g *gatewayTest, n int) {
	for _, kind := range []string{"application", "subscription", "advanced"} {
		policy := map[string]any{"policyName": "Few" + kind, "displayName": "Few", "description": "", "defaultLimit": map[string]any{
			"type": "REQUESTCOUNTLIMIT", "requestCount": map[string]any{"timeUnit": "day", "unitTime": 30, "requestCount": n}}}
		if kind == "subscription" {
			policy["rateLimitCount"], policy["subscriberCount"], policy["stopOnQuotaReach"], policy["billingPlan"] = 0, 0, true, "FREE"
		}
		g.must(201, "POST", adminAPI+"/throttling/policies/"+kind, policy)
	}
}

func TestGatewayThrottling(t *testing.T) {
	for kind, code := range map[string]string{"application": "900803", "subscription": "900804", "resource": "900802", "api": "900800"} {
		t.Run(kind, func(t *testing.T) {
			g := newGatewayTest(t, nil)
			limits(g, 3)
			application, tier := "Unlimited", "Unlimited"
			doc := g.must(200, "GET", publisherAPI+"/apis/"+g.api, nil)
			switch kind {
			case "application":
				application = "Fewapplication"
			case "subscription":
				doc["policies"], tier = []string{"Fewsubscription"}, "Fewsubscription"
			case "resource":
				doc["operations"].([]any)[0].(map[string]any)["throttlingPolicy"] = "Fewadvanced"
			case "api":
				doc["apiThrottlingPolicy"] = "Fewadvanced"
			}
			g.must(200, "PUT", publisherAPI+"/apis/"+g.api, doc)
			g.deploy()
			_, keys := g.subscribed("web", application, tier, "")
			token := g.token(g.s.APIM(), keys, "")
			for range 3 {
				g.want(200, "", "GET", "/pizza/1.0.0/menu", token)
			}
			answer := g.want(429, code, "GET", "/pizza/1.0.0/menu", token)
			if answer["message"] != "Message throttled out" || !strings.Contains(fmt.Sprint(answer["nextAccessTime"]), "UTC") {
				t.Errorf("answer: %v", answer)
			}
			elsewhere := map[string]int{"resource": 200}[kind] // the other resource has a count of its own
			if elsewhere == 0 {
				elsewhere = 429
			}
			g.want(elsewhere, "", "GET", "/pizza/1.0.0/menu/1", token)
		})
	}
}

func TestGatewayDeny(t *testing.T) {
	g := newGatewayTest(t, nil)
	_, keys := g.subscribed("web", "Unlimited", "Unlimited", "")
	token := g.token(g.s.APIM(), keys, "")
	for _, deny := range []map[string]any{
		{"conditionType": "API", "conditionValue": "/pizza/1.0.0"},
		{"conditionType": "APPLICATION", "conditionValue": "admin:web"},
		{"conditionType": "IP", "conditionValue": map[string]any{"fixedIp": "127.0.0.1", "invert": false}},
		{"conditionType": "IPRANGE", "conditionValue": map[string]any{"startingIp": "10.0.0.1", "endingIp": "10.0.0.9", "invert": true}},
	} {
		deny["conditionStatus"] = true
		id := g.must(201, "POST", adminAPI+"/throttling/deny-policies", deny)["conditionId"].(string)
		g.want(403, "900805", "GET", "/pizza/1.0.0/menu", token)
		send(t, g.c, "DELETE", g.s.APIM()+adminAPI+"/throttling/deny-policy/"+id, nil)
		g.want(200, "", "GET", "/pizza/1.0.0/menu", token)
	}
}

func TestGatewayCORS(t *testing.T) {
	g := newGatewayTest(t, map[string]any{"corsConfiguration": map[string]any{"corsConfigurationEnabled": true,
		"accessControlAllowOrigins": []string{"https://web.example.com"}, "accessControlAllowCredentials": true,
		"accessControlAllowHeaders": []string{"authorization"}, "accessControlAllowMethods": []string{"GET", "POST"}}})
	for origin, want := range map[string]string{"https://web.example.com": "https://web.example.com", "https://evil.example.com": ""} {
		r, err := http.NewRequest(http.MethodOptions, g.s.Gateway()+"/pizza/1.0.0/menu", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "GET")
		answer, err := g.c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != 200 || answer.Header.Get("Access-Control-Allow-Origin") != want {
			t.Errorf("%s: %d %v", origin, answer.StatusCode, answer.Header)
		}
		if want != "" && (answer.Header.Get("Access-Control-Allow-Methods") != "GET" || answer.Header.Get("Access-Control-Allow-Credentials") != "true") {
			t.Errorf("%v", answer.Header)
		}
	}
}

// TestGatewayBlockedSubscription: blocked and unblocked by the publisher.
func TestGatewayBlockedSubscription(t *testing.T) {
	g := newGatewayTest(t, nil)
	_, keys := g.subscribed("web", "Unlimited", "Unlimited", "")
	token := g.token(g.s.APIM(), keys, "")
	list := g.must(200, "GET", devportalAPI+"/subscriptions?apiId="+g.api, nil)["list"].([]any)
	id := list[0].(map[string]any)["subscriptionId"].(string)
	g.must(200, "POST", publisherAPI+"/subscriptions/block-subscription?blockState=PROD_ONLY_BLOCKED&subscriptionId="+id, nil)
	g.want(403, "900907", "GET", "/pizza/1.0.0/menu", token)
	g.must(200, "POST", publisherAPI+"/subscriptions/unblock-subscription?subscriptionId="+id, nil)
	g.want(200, "", "GET", "/pizza/1.0.0/menu", token)
}

// TestGatewayNoBackend: a backend that does not answer.
func TestGatewayNoBackend(t *testing.T) {
	g := newGatewayTest(t, nil)
	g.backend.Close()
	g.want(500, "101503", "GET", "/pizza/1.0.0/open", "")
}

// clientCertificate makes one that is signed by itself.
func clientCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "partner"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &c, &c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestGatewayMutualTLS calls with a certificate that was added to the API, and with another one.
func TestGatewayMutualTLS(t *testing.T) {
	g := newGatewayTest(t, map[string]any{"securityScheme": []string{"mutualssl", "mutualssl_mandatory"}})
	partner := clientCertificate(t)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	_ = w.WriteField("alias", "partner")
	_ = w.WriteField("tier", "Unlimited")
	file, err := w.CreateFormFile("certificate", "partner.crt")
	if err != nil {
		t.Fatal(err)
	}
	_ = pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: partner.Certificate[0]})
	_ = w.Close()
	r, err := http.NewRequest(http.MethodPost, g.s.APIM()+publisherAPI+"/apis/"+g.api+"/client-certs/PRODUCTION", &form)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.SetBasicAuth("admin", "admin")
	answer, err := g.c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != 201 {
		t.Fatalf("certificate: %d %s", answer.StatusCode, text)
	}
	g.deploy()
	without := g.c
	with := func(c tls.Certificate) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: g.s.Pool(), Certificates: []tls.Certificate{c}}}}
	}
	for _, test := range []struct {
		name   string
		client *http.Client
		status int
	}{{"none", without, 401}, {"the added one", with(partner), 200}, {"another", with(clientCertificate(t)), 401}} {
		g.c = test.client
		if status, answer := g.call("GET", "/pizza/1.0.0/menu", ""); status != test.status {
			t.Errorf("%s: %d %v", test.name, status, answer)
		}
	}
}

// TestGatewayStates: a prototype is called without a subscription, and a retired API is not served any more.
func TestGatewayStates(t *testing.T) {
	g := newGatewayTest(t, nil)
	change := func(action string) {
		t.Helper()
		g.must(200, "POST", publisherAPI+"/apis/change-lifecycle?action="+url.QueryEscape(action)+"&apiId="+g.api, nil)
	}
	g.want(401, "900902", "GET", "/pizza/1.0.0/menu", "")
	change("Deploy as a Prototype")
	g.want(200, "", "GET", "/pizza/1.0.0/menu", "")
	change("Publish")
	g.want(401, "900902", "GET", "/pizza/1.0.0/menu", "")
	change("Deprecate")
	g.want(401, "900902", "GET", "/pizza/1.0.0/menu", "")
	change("Retire")
	g.want(404, "404", "GET", "/pizza/1.0.0/menu", "")
}

// TestGatewayProduct calls an API through a product that has one of its operations.
func TestGatewayProduct(t *testing.T) {
	g := newGatewayTest(t, nil)
	product := g.must(201, "POST", publisherAPI+"/api-products", map[string]any{"name": "Meals", "context": "/meals", "policies": []string{"Unlimited"},
		"apis": []any{map[string]any{"apiId": g.api, "operations": []any{map[string]any{"target": "/menu", "verb": "GET"}}}}})["id"].(string)
	revision := g.must(201, "POST", publisherAPI+"/api-products/"+product+"/revisions", map[string]any{})["id"].(string)
	status, answer := send(t, g.c, "POST", g.s.APIM()+publisherAPI+"/api-products/"+product+"/deploy-revision?revisionId="+revision,
		[]any{map[string]any{"name": "Default", "vhost": "localhost", "displayOnDevportal": true}})
	if status != 201 {
		t.Fatalf("deploy: %d %v", status, answer)
	}
	g.must(200, "POST", publisherAPI+"/api-products/change-lifecycle?action=Publish&apiProductId="+product, nil)
	g.api = product
	_, keys := g.subscribed("web", "Unlimited", "Unlimited", "")
	token := g.token(g.s.APIM(), keys, "")
	if got := g.want(200, "", "GET", "/meals/1.0.0/menu", token); got["uri"] != "/base/menu" {
		t.Errorf("backend saw %v", got)
	}
	g.want(404, "404", "POST", "/meals/1.0.0/order", token)
	g.want(403, "900908", "GET", "/pizza/1.0.0/menu", token) // a subscription to the product is none to its APIs
}

// TestGatewayRestart: what was deployed is served after a restart.
func TestGatewayRestart(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	t.Cleanup(backend.Close)
	opts := Options{Resolve: []string{"pizza-service:8001=" + backend.Listener.Addr().String()}, DataFile: filepath.Join(t.TempDir(), "data"), IndexLag: -1, GatewayLag: -1}
	g := &gatewayTest{T: t, s: start(t, opts)}
	g.c = client(g.s)
	g.api = g.must(201, "POST", publisherAPI+"/apis", map[string]any{"name": "PizzaAPI", "context": "/pizza", "version": "1.0.0", "policies": []string{"Unlimited"},
		"endpointConfig": map[string]any{"endpoint_type": "http", "production_endpoints": map[string]any{"url": "http://pizza-service:8001"}}})["id"].(string)
	g.deploy()
	g.must(200, "POST", publisherAPI+"/apis/change-lifecycle?action=Publish&apiId="+g.api, nil)
	_, keys := g.subscribed("web", "Unlimited", "Unlimited", "")
	g.want(200, "", "GET", "/pizza/1.0.0/x", g.token(g.s.APIM(), keys, ""))
	if err := g.s.Close(); err != nil {
		t.Fatal(err)
	}
	g.s = start(t, opts)
	g.c = client(g.s)
	g.want(200, "", "GET", "/pizza/1.0.0/x", g.token(g.s.APIM(), keys, ""))
	g.must(200, "GET", publisherAPI+"/apis/"+g.api, nil)
}
