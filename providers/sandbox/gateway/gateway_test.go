package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// source is contents that a test changes.
type source struct {
	mu       sync.Mutex
	contents *Contents
}

func (s *source) Loaded() *Contents {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.contents
}

// A world is a gateway with a key manager and a backend.
type world struct {
	*testing.T
	source  *source
	gateway *Gateway
	backend *httptest.Server
	issuer  *httptest.Server
	key     *rsa.PrivateKey
	now     time.Time
	seen    chan *http.Request
}

var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil
	}
	return key
})

// newWorld serves one API, /pizza/1.0.0, to an application with the client "key".
func newWorld(t *testing.T, change func(*Contents, *API)) *world {
	t.Helper()
	w := &world{T: t, key: signingKey(), now: time.Now(), seen: make(chan *http.Request, 100)}
	w.backend = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		w.seen <- r
		rw.Header().Set("Access-Control-Allow-Origin", "https://backend.example.com")
		_, _ = io.WriteString(rw, "ok")
	}))
	t.Cleanup(w.backend.Close)
	w.issuer = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/jwks":
			_ = json.NewEncoder(rw).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: w.key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
		case "/introspect":
			user, password, _ := r.BasicAuth()
			active := user == "admin" && password == "secret" && r.FormValue("token") == "opaque"
			_ = json.NewEncoder(rw).Encode(map[string]any{"active": active, "client_id": "key", "scope": "a b", "username": "ann"})
		}
	}))
	t.Cleanup(w.issuer.Close)
	api := &API{ID: "api", Revision: "1", Name: "Pizza", Version: "1.0.0", Context: "/pizza/1.0.0", Tenant: "carbon.super", Type: "HTTP", State: "PUBLISHED",
		Security: []string{"oauth_basic_auth_api_key_mandatory", "oauth2"}, Tiers: []string{"Gold"},
		Operations: []Operation{{Target: "/menu", Verb: "GET"}, {Target: "/menu/{id}", Verb: "GET"}, {Target: "/*", Verb: "POST"}},
		Backends:   Backends{Production: &Backend{URLs: []string{w.backend.URL}}}}
	c := &Contents{APIs: []*API{api},
		KeyManagers: []KeyManager{{ID: "km", Name: "IS", Tenant: "carbon.super", Issuer: w.issuer.URL, JWKS: w.issuer.URL + "/jwks", ConsumerKeyClaim: "azp", ScopesClaim: "scope",
			Introspection: w.issuer.URL + "/introspect", User: "admin", Password: "secret", Resident: true}},
		Keys:         []Key{{KeyManager: "km", ConsumerKey: "key", Application: "app", Type: "PRODUCTION"}},
		Applications: []Application{{ID: "app", Name: "web", Owner: "ann", Tenant: "carbon.super", Policy: "Unlimited"}}, Subscriptions: []Subscription{{Application: "app", API: "api", Policy: "Gold", Status: "UNBLOCKED"}},
		ApplicationPolicies: map[string]*Policy{}, SubscriptionPolicies: map[string]*Policy{}, AdvancedPolicies: map[string]*Policy{}}
	if change != nil {
		change(c, api)
	}
	w.source = &source{contents: c}
	w.gateway = New(Options{Source: w.source, Now: func() time.Time { return w.now }, Login: func(name, password string) ([]string, bool) {
		return []string{"cook"}, name == "ann" && password == "secret"
	}})
	return w
}

// token signs claims over the usual ones; a nil one takes a claim away.
func (w *world) token(claims map[string]any) string {
	w.Helper()
	all := map[string]any{"iss": w.issuer.URL, "azp": "key", "sub": "ann", "scope": "a b", "exp": w.now.Add(time.Hour).Unix()}
	for name, v := range claims {
		if all[name] = v; v == nil {
			delete(all, name)
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: w.key}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
	if err != nil {
		w.Fatal(err)
	}
	payload, err := json.Marshal(all)
	if err != nil {
		w.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		w.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		w.Fatal(err)
	}
	return text
}

// call calls the gateway and returns status and code of a fault.
func (w *world) call(method, path, authorization string, change ...func(*http.Request)) (int, string, http.Header) {
	w.Helper()
	r := httptest.NewRequest(method, path, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	for _, c := range change {
		c(r)
	}
	rec := httptest.NewRecorder()
	w.gateway.ServeHTTP(rec, r)
	var fault struct{ Code string }
	_ = json.Unmarshal(rec.Body.Bytes(), &fault) // an answer of the backend has none
	return rec.Code, fault.Code, rec.Header()
}

func (w *world) want(status int, code, method, path, authorization string, change ...func(*http.Request)) {
	w.Helper()
	if got, gotCode, _ := w.call(method, path, authorization, change...); got != status || gotCode != code {
		w.Errorf("%s %s: %d %s, want %d %s", method, path, got, gotCode, status, code)
	}
}

// backendSaw is the next request that the backend got.
func (w *world) backendSaw() *http.Request {
	w.Helper()
	select {
	case r := <-w.seen:
		return r
	default:
		w.Fatal("the backend saw nothing")
		return nil
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t, nil)
	for _, test := range []struct {
		name, authorization string
		status              int
		code                string
	}{
		{"good", "Bearer " + w.token(nil), 200, ""},
		{"in small letters", "bearer " + w.token(nil), 200, ""},
		{"opaque", "Bearer opaque", 200, ""},
		{"none", "", 401, "900902"},
		{"basic where it is not served", "Basic YW5uOnNlY3JldA==", 401, "900902"},
		{"made up", "Bearer nonsense", 401, "900901"},
		{"three parts of nothing", "Bearer a.b.c", 401, "900901"},
		{"expired", "Bearer " + w.token(map[string]any{"exp": w.now.Add(-time.Minute).Unix()}), 401, "900901"},
		{"not yet", "Bearer " + w.token(map[string]any{"nbf": w.now.Add(time.Hour).Unix()}), 401, "900901"},
		{"without an end", "Bearer " + w.token(map[string]any{"exp": nil}), 401, "900901"},
		{"of another issuer", "Bearer " + w.token(map[string]any{"iss": "https://elsewhere"}), 401, "900901"},
		{"of another client", "Bearer " + w.token(map[string]any{"azp": "other"}), 403, "900908"},
		{"without a client", "Bearer " + w.token(map[string]any{"azp": nil}), 403, "900908"},
		{"signed by nobody", "Bearer " + w.token(nil)[:40] + "x" + w.token(nil)[41:], 401, "900901"},
	} {
		if status, code, _ := w.call("GET", "/pizza/1.0.0/menu", test.authorization); status != test.status || code != test.code {
			t.Errorf("%s: %d %s, want %d %s", test.name, status, code, test.status, test.code)
		}
	}
}

func TestKeyManagersOfAnAPI(t *testing.T) {
	w := newWorld(t, func(_ *Contents, a *API) { a.KeyManagers = []string{"Other"} })
	w.want(401, "900901", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil))
	w = newWorld(t, func(_ *Contents, a *API) { a.KeyManagers = []string{"IS"} })
	w.want(200, "", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil))
}

func TestBasic(t *testing.T) {
	w := newWorld(t, func(_ *Contents, a *API) {
		a.Security = []string{"basic_auth"}
		a.Operations[1].Scopes, a.Operations[2].Scopes = []string{"cook"}, []string{"eat"}
		a.Bindings = map[string][]string{"cook": {"Cook"}, "eat": {"guest"}}
	})
	good := func(r *http.Request) { r.SetBasicAuth("ann", "secret") }
	w.want(200, "", "GET", "/pizza/1.0.0/menu", "", good)
	w.want(200, "", "GET", "/pizza/1.0.0/menu/1", "", good)
	w.want(403, "900910", "POST", "/pizza/1.0.0/x", "", good)
	w.want(401, "900914", "GET", "/pizza/1.0.0/menu", "", func(r *http.Request) { r.SetBasicAuth("ann", "wrong") })
}

func TestRouting(t *testing.T) {
	w := newWorld(t, func(c *Contents, a *API) {
		a.DefaultContext = "/pizza"
		second := *a
		second.ID, second.Version, second.Context, second.DefaultContext = "two", "2.0.0", "/pizza/2.0.0", ""
		second.Operations = []Operation{{Target: "/only", Verb: "GET", Public: true}}
		c.APIs = append(c.APIs, &second)
	})
	token := "Bearer " + w.token(nil)
	for path, want := range map[string]string{"/pizza/1.0.0/menu": "/menu", "/pizza/menu/a%2Fb": "/menu/a%2Fb", "/pizza/2.0.0/only?x=1": "/only?x=1", "/pizza/1.0.0/menu/": "/menu/"} {
		w.want(200, "", "GET", path, token)
		if r := w.backendSaw(); r.RequestURI != want {
			t.Errorf("%s: backend saw %s", path, r.RequestURI)
		}
	}
	w.want(200, "", "POST", "/pizza/1.0.0", token)
	w.want(200, "", "POST", "/pizza/1.0.0/any/thing", token)
	w.want(200, "", "HEAD", "/pizza/1.0.0/menu", token)
	w.want(404, "404", "GET", "/pizza/2.0.0/menu", token)
	w.want(404, "404", "GET", "/pizzas/1.0.0/menu", token)
	w.want(404, "404", "GET", "/", token)
	w.want(405, "405", "DELETE", "/pizza/1.0.0/menu", token)
}

func TestSecurityOfBackends(t *testing.T) {
	w := newWorld(t, func(_ *Contents, a *API) {
		a.Backends.Production.Security = &BackendSecurity{Type: "BASIC", Username: "u", Password: "p"}
		a.Operations[0].Request = []Step{{"addHeader", map[string]string{"headerName": "X-Added", "headerValue": "yes"}},
			{"rewriteResourcePath", map[string]string{"newResourcePath": "/other"}}, {"addQueryParam", map[string]string{"paramKey": "q", "paramValue": "a b"}}}
		a.Operations[0].Response = []Step{{"addHeader", map[string]string{"headerName": "X-Answer", "headerValue": "yes"}}}
	})
	_, _, h := w.call("GET", "/pizza/1.0.0/menu?z=1", "Bearer "+w.token(nil))
	r := w.backendSaw()
	if user, password, _ := r.BasicAuth(); user != "u" || password != "p" || r.Header.Get("X-Added") != "yes" || r.RequestURI != "/other?z=1&q=a+b" {
		t.Errorf("backend saw %s %v", r.RequestURI, r.Header)
	}
	if h.Get("X-Answer") != "yes" || h.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("answer: %v", h)
	}
}

func TestBackendsTakeTurns(t *testing.T) {
	hits := [2]int{}
	var servers []string
	for i := range hits {
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits[i]++ }))
		defer s.Close()
		servers = append(servers, s.URL)
	}
	w := newWorld(t, func(_ *Contents, a *API) { a.Backends.Production = &Backend{URLs: servers, Balanced: true} })
	for range 4 {
		w.want(200, "", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil))
	}
	if hits != [2]int{2, 2} {
		t.Errorf("hits: %v", hits)
	}
	w = newWorld(t, func(_ *Contents, a *API) {
		a.Backends.Production = &Backend{URLs: []string{"http://127.0.0.1:1", servers[0]}, Failover: true}
	})
	w.want(200, "", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil))
	w = newWorld(t, func(_ *Contents, a *API) { a.Backends.Production = &Backend{URLs: []string{"http://127.0.0.1:1"}} })
	w.want(500, "101503", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil))
}

func TestKeyTypes(t *testing.T) {
	w := newWorld(t, func(c *Contents, _ *API) { c.Keys[0].Type = "SANDBOX" })
	w.want(403, "900901", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil)) // no sandbox endpoint
	w = newWorld(t, func(c *Contents, a *API) {
		c.Keys[0].Type, c.Subscriptions[0].Status = "SANDBOX", "PROD_ONLY_BLOCKED"
		a.Backends.Sandbox = a.Backends.Production
	})
	w.want(200, "", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil))
	for status, code := range map[string]string{"BLOCKED": "900907", "ON_HOLD": "900909", "REJECTED": "900909"} {
		w = newWorld(t, func(c *Contents, _ *API) { c.Subscriptions[0].Status = status })
		w.want(403, code, "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil))
	}
}

func TestSubscriptionless(t *testing.T) {
	w := newWorld(t, func(c *Contents, a *API) {
		a.Tiers, c.Subscriptions, c.Keys = []string{"DefaultSubscriptionless"}, nil, nil
	})
	w.want(200, "", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil))
}

// certificate makes a client certificate.
func certificate(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestMutualTLS: what is asked for depends on what the security scheme marks as mandatory.
func TestMutualTLS(t *testing.T) {
	known, stranger := certificate(t, "partner"), certificate(t, "stranger")
	for _, test := range []struct {
		name                            string
		scheme                          []string
		nothing, cert, token, both, bad int // status with none, a certificate, a token, both, and the certificate of another
	}{
		{"certificate alone", []string{"mutualssl", "mutualssl_mandatory"}, 401, 200, 401, 200, 401},
		{"both", []string{"mutualssl", "mutualssl_mandatory", "oauth2", "oauth_basic_auth_api_key_mandatory"}, 401, 401, 401, 200, 401},
		{"token, certificate if there is one", []string{"mutualssl", "oauth2", "oauth_basic_auth_api_key_mandatory"}, 401, 401, 200, 200, 401},
		{"either", []string{"mutualssl", "oauth2"}, 401, 200, 200, 200, 401},
	} {
		w := newWorld(t, func(_ *Contents, a *API) {
			a.Security, a.Certificates = test.scheme, []ClientCertificate{{KeyType: "PRODUCTION", Tier: "Gold", DER: known.Raw}}
		})
		show := func(c *x509.Certificate) func(*http.Request) {
			return func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c}} }
		}
		token := "Bearer " + w.token(nil)
		for i, got := range []int{first(w.call("GET", "/pizza/1.0.0/menu", "")), first(w.call("GET", "/pizza/1.0.0/menu", "", show(known))),
			first(w.call("GET", "/pizza/1.0.0/menu", token)), first(w.call("GET", "/pizza/1.0.0/menu", token, show(known))),
			first(w.call("GET", "/pizza/1.0.0/menu", "", show(stranger)))} {
			if want := []int{test.nothing, test.cert, test.token, test.both, test.bad}[i]; got != want {
				t.Errorf("%s, case %d: %d, want %d", test.name, i, got, want)
			}
		}
	}
}

func first(status int, _ string, _ http.Header) int { return status }

// TestWindows: a limit is free again at the next full unit, and a burst does not touch the quota of others.
func TestWindows(t *testing.T) {
	w := newWorld(t, func(c *Contents, _ *API) {
		c.SubscriptionPolicies[PolicyKey("carbon.super", "Gold")] = &Policy{Limit: Limit{Requests: 2, Unit: "min", Count: 1}, Burst: Limit{Requests: 10, Unit: "sec", Count: 1}}
	})
	w.now = time.Date(2026, 1, 2, 3, 4, 50, 0, time.UTC)
	token := "Bearer " + w.token(nil)
	for range 2 {
		w.want(200, "", "GET", "/pizza/1.0.0/menu", token)
	}
	status, code, h := w.call("GET", "/pizza/1.0.0/menu", token)
	if status != 429 || code != "900804" || h.Get("Retry-After") != "Fri, 02 Jan 2026 03:05:00 GMT" {
		t.Errorf("%d %s %v", status, code, h)
	}
	w.now = w.now.Add(10 * time.Second)
	w.want(200, "", "GET", "/pizza/1.0.0/menu", token)
}

// TestBandwidth: a limit of data counts what callers send, whether the policy is the application's or the subscription's; a plan that does not stop
// lets calls past it.
func TestBandwidth(t *testing.T) {
	key := PolicyKey("carbon.super", "KB")
	for name, test := range map[string]struct {
		change func(*Contents, *Policy)
		status int
		code   string
	}{
		"application":  {func(c *Contents, p *Policy) { c.Applications[0].Policy, c.ApplicationPolicies[key] = "KB", p }, 429, "900803"},
		"subscription": {func(c *Contents, p *Policy) { c.Subscriptions[0].Policy, c.SubscriptionPolicies[key] = "KB", p }, 429, "900804"},
		"subscription, no stop": {func(c *Contents, p *Policy) {
			p.Overdraws = true
			c.Subscriptions[0].Policy, c.SubscriptionPolicies[key] = "KB", p
		}, 200, ""},
		"of another tenant": {func(c *Contents, p *Policy) {
			c.Subscriptions[0].Policy, c.SubscriptionPolicies[PolicyKey("acme.com", "KB")] = "KB", p
		}, 200, ""},
	} {
		w := newWorld(t, func(c *Contents, _ *API) { test.change(c, &Policy{Limit: Limit{Bytes: 1024, Unit: "day", Count: 30}}) })
		token := "Bearer " + w.token(nil)
		of := func(size int) func(*http.Request) {
			return func(r *http.Request) {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", size))), int64(size)
			}
		}
		w.want(200, "", "POST", "/pizza/1.0.0/order", token, of(1000))
		w.want(200, "", "POST", "/pizza/1.0.0/order", token, of(100)) // begun below the limit
		if status, code, _ := w.call("POST", "/pizza/1.0.0/order", token, of(1)); status != test.status || code != test.code {
			t.Errorf("%s: %d %s, want %d %s", name, status, code, test.status, test.code)
		}
	}
}

// TestStates: a blocked API refuses, a prototype is open to everybody and without limits.
func TestStates(t *testing.T) {
	limit := func(c *Contents) {
		c.SubscriptionPolicies[PolicyKey("carbon.super", "Gold")] = &Policy{Limit: Limit{Requests: 1, Unit: "day", Count: 30}}
		c.Deny = []Deny{{Type: "IP", Tenant: "carbon.super", Value: "10.9.9.9"}}
	}
	for state, want := range map[string]struct {
		without, with, again int
	}{
		"PUBLISHED":  {401, 200, 429},
		"DEPRECATED": {401, 200, 429},
		"CREATED":    {401, 200, 429},
		"BLOCKED":    {503, 503, 503},
		"PROTOTYPED": {200, 200, 200},
	} {
		w := newWorld(t, func(c *Contents, a *API) { limit(c); a.State = state })
		token := "Bearer " + w.token(nil)
		for i, got := range []int{first(w.call("GET", "/pizza/1.0.0/menu", "")), first(w.call("GET", "/pizza/1.0.0/menu", token)), first(w.call("GET", "/pizza/1.0.0/menu", token))} {
			if one := []int{want.without, want.with, want.again}[i]; got != one {
				t.Errorf("%s, call %d: %d, want %d", state, i, got, one)
			}
		}
		w.want(405, "405", "DELETE", "/pizza/1.0.0/menu", token)
	}
	product := newWorld(t, func(_ *Contents, a *API) { a.State, a.Type = "PROTOTYPED", "" })
	product.want(401, "900902", "GET", "/pizza/1.0.0/menu", "")
}

// TestCORS: the headers are on each answer once a resource was found, also on refusals; a preflight is answered by the gateway.
func TestCORS(t *testing.T) {
	w := newWorld(t, func(_ *Contents, a *API) {
		a.CORS = &CORS{Origins: []string{"https://web.example.com"}, Headers: []string{"authorization"}, Methods: []string{"GET", "POST", "DELETE"}, Credentials: true}
	})
	from := func(origin, method string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Origin", origin)
			if method != "" {
				r.Header.Set("Access-Control-Request-Method", method)
			}
		}
	}
	for name, test := range map[string]struct {
		method, path, origin, asked string
		status                      int
		allowed, methods            string
	}{
		"preflight":              {"OPTIONS", "/menu", "https://web.example.com", "GET", 200, "https://web.example.com", "GET"},
		"of another verb":        {"OPTIONS", "/other", "https://web.example.com", "POST", 200, "https://web.example.com", "POST"},
		"from elsewhere":         {"OPTIONS", "/menu", "https://evil.example.com", "GET", 200, "", ""},
		"of what is not served":  {"OPTIONS", "/menu", "https://web.example.com", "DELETE", 405, "", ""},
		"a refusal":              {"GET", "/menu", "https://web.example.com", "", 401, "https://web.example.com", "GET"},
		"a refusal of elsewhere": {"GET", "/menu", "https://evil.example.com", "", 401, "", ""},
	} {
		status, _, h := w.call(test.method, "/pizza/1.0.0"+test.path, "", from(test.origin, test.asked))
		if status != test.status || h.Get("Access-Control-Allow-Origin") != test.allowed || h.Get("Access-Control-Allow-Methods") != test.methods {
			t.Errorf("%s: %d %v", name, status, h)
		}
		if credentials := h.Get("Access-Control-Allow-Credentials"); (credentials == "true") != (test.allowed != "") {
			t.Errorf("%s: credentials %q", name, credentials)
		}
	}
	_, _, h := w.call("GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil), from("https://web.example.com", ""))
	if got := h.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != "https://web.example.com" {
		t.Errorf("an answer of the backend: %v", got)
	}
}

func TestWindowEnds(t *testing.T) {
	now := time.Date(2026, 1, 31, 23, 59, 58, 0, time.UTC)
	for _, test := range []struct {
		limit Limit
		want  time.Time
	}{
		{Limit{Unit: "sec", Count: 5}, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		{Limit{Unit: "hours", Count: 1}, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		{Limit{Unit: "days", Count: 1}, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		{Limit{Unit: "months", Count: 1}, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		{Limit{Unit: "year", Count: 1}, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if got := windowEnd(now, test.limit); !got.Equal(test.want) {
			t.Errorf("%v: %v, want %v", test.limit, got, test.want)
		}
	}
}

// TestConditions: calls that a group of an advanced policy is for have its limit, others the policy's own.
func TestConditions(t *testing.T) {
	group := func(c Condition) Group {
		return Group{Conditions: []Condition{c}, Limit: Limit{Requests: 1, Unit: "day", Count: 30}}
	}
	for name, test := range map[string]struct {
		condition Condition
		holds     func(*http.Request)
	}{
		"header": {Condition{Kind: "header", Name: "X-Tier", Value: "f.ee"}, func(r *http.Request) { r.Header.Set("X-Tier", "free") }},
		"query":  {Condition{Kind: "query", Name: "tier", Value: "free"}, func(r *http.Request) { r.URL.RawQuery = "tier=free" }},
		"ip":     {Condition{Kind: "ip", Value: "10.0.0.1"}, func(r *http.Request) { r.RemoteAddr = "10.0.0.1:99" }},
		"range":  {Condition{Kind: "range", Value: "10.0.0.1-10.0.0.9"}, func(r *http.Request) { r.Header.Set("X-Forwarded-For", "10.0.0.5, 1.1.1.1") }},
		"not":    {Condition{Kind: "ip", Value: "192.0.2.1", Invert: true}, func(r *http.Request) { r.RemoteAddr = "10.0.0.1:99" }},
	} {
		w := newWorld(t, func(c *Contents, a *API) {
			a.Policy = "Adv"
			c.AdvancedPolicies[PolicyKey("carbon.super", "Adv")] = &Policy{Limit: Limit{Requests: 1000, Unit: "day", Count: 30}, Groups: []Group{group(test.condition)}}
		})
		token := "Bearer " + w.token(nil)
		for range 3 {
			if status, _, _ := w.call("GET", "/pizza/1.0.0/menu", token); status != 200 {
				t.Errorf("%s: %d where it does not hold", name, status)
			}
		}
		w.want(200, "", "GET", "/pizza/1.0.0/menu", token, test.holds)
		if status, code, _ := w.call("GET", "/pizza/1.0.0/menu", token, test.holds); status != 429 || code != "900800" {
			t.Errorf("%s: %d %s", name, status, code)
		}
	}
	claim := newWorld(t, func(c *Contents, a *API) {
		a.Policy = "Adv"
		c.AdvancedPolicies[PolicyKey("carbon.super", "Adv")] = &Policy{Groups: []Group{group(Condition{Kind: "claim", Name: "tier", Value: "free"})}}
	})
	claim.want(200, "", "GET", "/pizza/1.0.0/menu", "Bearer "+claim.token(map[string]any{"tier": "free"}))
	claim.want(429, "900800", "GET", "/pizza/1.0.0/menu", "Bearer "+claim.token(map[string]any{"tier": "free"}))
	claim.want(200, "", "GET", "/pizza/1.0.0/menu", "Bearer "+claim.token(nil))
}

func TestMaxTPS(t *testing.T) {
	w := newWorld(t, func(_ *Contents, a *API) {
		a.MaxTPS = map[string]Limit{"PRODUCTION": {Requests: 1, Unit: "hour", Count: 1000}}
	})
	w.want(200, "", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil))
	w.want(503, "900801", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil))
}

func TestDenyUser(t *testing.T) {
	w := newWorld(t, func(c *Contents, _ *API) {
		c.Deny = []Deny{{Type: "USER", Tenant: "carbon.super", Value: "ann@carbon.super"}, {Type: "API", Tenant: "other", Value: "/pizza/1.0.0"}}
	})
	w.want(403, "900805", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(nil))
	w.want(200, "", "GET", "/pizza/1.0.0/menu", "Bearer "+w.token(map[string]any{"sub": "bob"}))
}

func TestGraphQL(t *testing.T) {
	w := newWorld(t, func(c *Contents, a *API) {
		a.Type = "GRAPHQL"
		a.Operations = []Operation{{Target: "menu", Verb: "QUERY"}, {Target: "secret", Verb: "QUERY", Scopes: []string{"chef"}}, {Target: "order", Verb: "MUTATION", Public: true}}
		a.Costs = []Cost{{"Query", "menu", 5}}
		c.SubscriptionPolicies[PolicyKey("carbon.super", "Gold")] = &Policy{QueryDepth: 3, QueryComplexity: 8}
	})
	ask := func(query string) func(*http.Request) {
		return func(r *http.Request) {
			body, err := json.Marshal(map[string]string{"query": query})
			if err != nil {
				t.Fatal(err)
			}
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
			r.Header.Set("Content-Type", "application/json")
		}
	}
	token := "Bearer " + w.token(nil)
	for query, want := range map[string]struct {
		status int
		code   string
	}{
		`{ menu { name } }`: {200, ""},
		`query Q($a: ID = "}") { m: menu(id: $a) @include(if: true) { ...F } } fragment F on Pizza { name }`: {200, ""},
		`{ menu { a { b { c } } } }`:         {400, "900820"},
		`{ menu { a b c d } }`:               {400, "900821"},
		`{ menu { name } secret }`:           {403, "900910"},
		`{ nothing }`:                        {422, "900422"},
		`mutation { order(n: 1) { id } }`:    {200, ""},
		`nonsense`:                           {422, "900422"},
		`{ menu { name }`:                    {422, "900422"},
		`{ ...F } fragment F on Q { ...F }`:  {422, "900422"},
		`{ ... on Query { menu { name } } }`: {200, ""},
	} {
		if status, code, _ := w.call("POST", "/pizza/1.0.0", token, ask(query)); status != want.status || code != want.code {
			t.Errorf("%s: %d %s, want %d %s", query, status, code, want.status, want.code)
		}
	}
	w.want(200, "", "POST", "/pizza/1.0.0", "", ask(`mutation { order { id } }`))
	w.want(404, "404", "POST", "/pizza/1.0.0/x", token, ask(`{ menu { name } }`))
}

// TestChanges: what the source hands out next is served next, by many callers at a time.
func TestChanges(t *testing.T) {
	w := newWorld(t, nil)
	token := "Bearer " + w.token(nil)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				if status, _, _ := w.call("GET", "/pizza/1.0.0/menu", token); status != 200 && status != 404 {
					t.Errorf("status %d", status)
				}
				select {
				case <-w.seen:
				default:
				}
			}
		})
	}
	for range 20 {
		w.source.mu.Lock()
		next := *w.source.contents
		w.source.contents = &next
		w.source.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	group.Wait()
	w.source.mu.Lock()
	w.source.contents = &Contents{}
	w.source.mu.Unlock()
	w.want(404, "404", "GET", "/pizza/1.0.0/menu", token)
}
