package oauth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// everybody is a user store of three.
type everybody struct{}

func (everybody) Find(subject string) (User, bool) {
	for _, name := range []string{"ann", "bob", "cy"} {
		if subject == name || subject == "id-"+name {
			return User{Subject: "id-" + name, Name: name, Tenant: "carbon.super", Claims: map[string]any{"email": name + "@example.com", "given_name": name}}, true
		}
	}
	return User{}, false
}

func (e everybody) Login(name, password string) (User, bool) {
	if password != "secret" {
		return User{}, false
	}
	return e.Find(name)
}

var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil
	}
	return k
})

// A bench is a server with a clock that the test moves.
type bench struct {
	t      *testing.T
	server *Server
	http   *httptest.Server
	now    time.Time
	mu     sync.Mutex
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, now: time.Now().Truncate(time.Second)}
	listener := httptest.NewUnstartedServer(nil)
	var err error
	b.server, err = New(Options{
		Users: everybody{}, Key: key(), Base: "http://" + listener.Listener.Addr().String(),
		Now: func() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.now },
		Scopes: func(_ Client, u *User, asked []string) []string {
			return slices.DeleteFunc(slices.Clone(asked), func(s string) bool { return s == "forbidden" || u == nil && s == "openid" })
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	listener.Config.Handler = b.server
	listener.Start()
	t.Cleanup(listener.Close)
	b.http = listener
	return b
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	b.now = b.now.Add(d)
	b.mu.Unlock()
}

func (b *bench) client(grants ...string) Client {
	b.t.Helper()
	c, err := b.server.Register(Client{Name: "app", Owner: "ann", GrantTypes: grants, RedirectURIs: []string{"regexp=(https://a/1|https://a/2)"}, JWT: true})
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// post sends a form to an endpoint as a client and returns status and document.
func (b *bench) post(path string, c Client, pairs ...string) (int, map[string]any) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequest("POST", b.http.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.ID != "" && !c.Public {
		r.SetBasicAuth(c.ID, c.Secret)
	}
	answer, err := b.http.Client().Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	var body map[string]any
	_ = json.NewDecoder(answer.Body).Decode(&body)
	return answer.StatusCode, body
}

func (b *bench) token(c Client, pairs ...string) (int, map[string]any) {
	b.t.Helper()
	return b.post("/oauth2/token", c, pairs...)
}

// granted asserts a token, checks its signature against the JWKS, and returns its claims and the answer.
func (b *bench) granted(c Client, pairs ...string) (claims, answer map[string]any) {
	b.t.Helper()
	status, answer := b.token(c, pairs...)
	if status != 200 {
		b.t.Fatalf("token: %d %v", status, answer)
	}
	return b.claims(answer["access_token"].(string)), answer
}

func (b *bench) claims(text string) map[string]any {
	b.t.Helper()
	got, err := b.http.Client().Get(b.http.URL + "/oauth2/jwks")
	if err != nil {
		b.t.Fatal(err)
	}
	defer got.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(got.Body).Decode(&set); err != nil {
		b.t.Fatal(err)
	}
	claims, err := verify(text, &set, b.server.opts.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	return claims
}

// refused asserts an error answer.
func (b *bench) refused(c Client, code string, pairs ...string) {
	b.t.Helper()
	status, answer := b.token(c, pairs...)
	if status < 400 || answer["error"] != code || answer["error_description"] == "" {
		b.t.Errorf("%v: %d %v, want %s", pairs, status, answer, code)
	}
}

func TestClientCredentials(t *testing.T) {
	b := newBench(t)
	c := b.client(ClientCredentials)
	claims, answer := b.granted(c, "grant_type", ClientCredentials, "scope", "b a forbidden openid")
	if claims["sub"] != c.ID || claims["aut"] != "APPLICATION" || claims["iss"] != b.server.Issuer() || claims["scope"] != "a b" || answer["scope"] != "a b" || answer["refresh_token"] != nil {
		t.Errorf("%v %v", claims, answer)
	}
	_, second := b.granted(c, "grant_type", ClientCredentials, "scope", "a b")
	if second["access_token"] == answer["access_token"] {
		t.Error("a JWT was issued again")
	}
	c.JWT = false
	if _, err := b.server.Update(c); err != nil {
		t.Fatal(err)
	}
	_, first := b.token(c, "grant_type", ClientCredentials)
	b.pass(10 * time.Second)
	_, again := b.token(c, "grant_type", ClientCredentials)
	if again["access_token"] != first["access_token"] || again["expires_in"] != float64(3590) {
		t.Errorf("an opaque token is issued again: %v %v", first, again)
	}
	if _, other := b.token(c, "grant_type", ClientCredentials, "scope", "a"); other["access_token"] == first["access_token"] {
		t.Error("other scopes, same token")
	}
	b.pass(time.Hour)
	if _, next := b.token(c, "grant_type", ClientCredentials); next["access_token"] == first["access_token"] {
		t.Error("an expired token was issued again")
	}
	if _, ok := b.server.Verify(first["access_token"].(string)); ok {
		t.Error("an expired token is good")
	}
}

func TestPasswordAndRefresh(t *testing.T) {
	b := newBench(t)
	c := b.client(Password, RefreshToken)
	claims, answer := b.granted(c, "grant_type", Password, "username", "ann", "password", "secret", "scope", "openid email x")
	if claims["sub"] != "id-ann" || claims["aut"] != "APPLICATION_USER" {
		t.Errorf("%v", claims)
	}
	id := b.claims(answer["id_token"].(string))
	if id["email"] != "ann@example.com" || id["given_name"] != nil || fmt.Sprint(id["aud"]) != "["+c.ID+"]" {
		t.Errorf("id token: %v", id)
	}
	b.refused(c, "invalid_grant", "grant_type", Password, "username", "ann", "password", "wrong")
	b.refused(c, "invalid_request", "grant_type", Password, "username", "ann")
	refresh := answer["refresh_token"].(string)
	_, next := b.granted(c, "grant_type", RefreshToken, "refresh_token", refresh, "scope", "x more")
	if next["scope"] != "x" {
		t.Errorf("scopes were widened: %v", next)
	}
	if _, ok := b.server.Verify(answer["access_token"].(string)); ok {
		t.Error("the old token outlives its refresh")
	}
	b.refused(c, "invalid_grant", "grant_type", RefreshToken, "refresh_token", refresh)
	b.pass(25 * time.Hour)
	b.refused(c, "invalid_grant", "grant_type", RefreshToken, "refresh_token", next["refresh_token"].(string))
	other := b.client(RefreshToken)
	_, fresh := b.granted(c, "grant_type", Password, "username", "ann", "password", "secret")
	b.refused(other, "invalid_grant", "grant_type", RefreshToken, "refresh_token", fresh["refresh_token"].(string))
}

// authorize asks for a code and returns where the browser is sent.
func (b *bench) authorize(method string, values url.Values, user string) *url.URL {
	b.t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	target := b.http.URL + "/oauth2/authorize"
	var r *http.Request
	var err error
	if method == "GET" {
		r, err = http.NewRequest("GET", target+"?"+values.Encode(), nil)
	} else {
		r, err = http.NewRequest("POST", target, strings.NewReader(values.Encode()))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if user != "" {
		r.SetBasicAuth(user, "secret")
	}
	answer, err := browser.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusFound {
		return &url.URL{Host: answer.Status}
	}
	u, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

func TestAuthorizationCode(t *testing.T) {
	b := newBench(t)
	c := b.client(AuthorizationCode, RefreshToken)
	const verifier = "a-verifier-that-is-long-enough-for-the-standard-0123456789"
	sum := sha256.Sum256([]byte(verifier))
	values := url.Values{"client_id": {c.ID}, "response_type": {"code"}, "redirect_uri": {"https://a/2"}, "scope": {"openid profile"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	to := b.authorize("GET", values, "ann")
	code := to.Query().Get("code")
	if to.Host != "a" || to.Query().Get("state") != "s" || code == "" {
		t.Fatalf("sent to %s", to)
	}
	exchange := []string{"grant_type", AuthorizationCode, "code", code, "redirect_uri", "https://a/2", "code_verifier", verifier}
	claims, answer := b.granted(c, exchange...)
	if claims["sub"] != "id-ann" || b.claims(answer["id_token"].(string))["nonce"] != "n" || b.claims(answer["id_token"].(string))["given_name"] != "ann" {
		t.Errorf("%v %v", claims, answer)
	}
	b.refused(c, "invalid_grant", exchange...)
	if _, ok := b.server.Verify(answer["access_token"].(string)); ok {
		t.Error("a code that is used twice must end the first token")
	}
	again := func() string { return b.authorize("GET", values, "ann").Query().Get("code") }
	b.refused(c, "invalid_grant", "grant_type", AuthorizationCode, "code", again(), "redirect_uri", "https://a/2", "code_verifier", "another")
	b.refused(c, "invalid_grant", "grant_type", AuthorizationCode, "code", again(), "redirect_uri", "https://a/2")
	b.refused(c, "invalid_grant", "grant_type", AuthorizationCode, "code", again(), "redirect_uri", "https://a/1", "code_verifier", verifier)
	late := again()
	b.pass(6 * time.Minute)
	b.refused(c, "invalid_grant", "grant_type", AuthorizationCode, "code", late, "redirect_uri", "https://a/2", "code_verifier", verifier)

	form := url.Values{"username": {"bob"}, "password": {"secret"}}
	for k, v := range values {
		form[k] = v
	}
	if to := b.authorize("POST", form, ""); to.Query().Get("code") == "" {
		t.Errorf("the form leads to %s", to)
	}
	form.Set("password", "wrong")
	if to := b.authorize("POST", form, ""); !strings.HasPrefix(to.Host, "401") {
		t.Errorf("a wrong password leads to %s", to)
	}
	if to := b.authorize("GET", values, ""); !strings.HasPrefix(to.Host, "200") {
		t.Errorf("without a login: %s", to)
	}
	for name, change := range map[string][3]string{
		"other address":  {"redirect_uri", "https://evil/", "oauthErrorCode=invalid_callback"},
		"other client":   {"client_id", "nobody", "oauthErrorCode=invalid_client"},
		"response type":  {"response_type", "token", "error=unsupported_response_type"},
		"plain not open": {"code_challenge_method", "plain", "error=invalid_request"},
	} {
		wrong := url.Values{}
		for k, v := range values {
			wrong[k] = v
		}
		wrong.Set(change[0], change[1])
		if to := b.authorize("GET", wrong, "ann"); !strings.Contains(to.RawQuery, change[2]) || to.Query().Get("code") != "" {
			t.Errorf("%s: sent to %s", name, to)
		}
	}
	c.PKCE = true
	if _, err := b.server.Update(c); err != nil {
		t.Fatal(err)
	}
	values.Del("code_challenge")
	if to := b.authorize("GET", values, "ann"); to.Query().Get("error") != "invalid_request" {
		t.Errorf("without a challenge: %s", to)
	}
}

func TestDevice(t *testing.T) {
	b := newBench(t)
	c := b.client(DeviceCode)
	_, begun := b.post("/oauth2/device_authorize", Client{}, "client_id", c.ID, "scope", "x")
	code := begun["device_code"].(string)
	ask := []string{"grant_type", DeviceCode, "device_code", code}
	b.refused(c, "authorization_pending", ask...)
	b.refused(c, "slow_down", ask...)
	b.pass(6 * time.Second)
	b.refused(c, "authorization_pending", ask...)
	page := b.http.URL + "/authenticationendpoint/device.do?user_code=" + begun["user_code"].(string)
	for _, user := range []string{"", "ann"} {
		r, err := http.NewRequest("GET", page, nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			r.SetBasicAuth(user, "secret")
		}
		answer, err := b.http.Client().Do(r)
		if err != nil || answer.StatusCode != 200 {
			t.Fatal(err, answer.StatusCode)
		}
		_ = answer.Body.Close()
	}
	claims, _ := b.granted(c, ask...)
	if claims["sub"] != "id-ann" || claims["scope"] != "x" {
		t.Errorf("%v", claims)
	}
	b.refused(c, "invalid_grant", ask...)
	_, begun = b.post("/oauth2/device_authorize", Client{}, "client_id", c.ID)
	b.pass(11 * time.Minute)
	b.refused(c, "expired_token", "grant_type", DeviceCode, "device_code", begun["device_code"].(string))
	if status, answer := b.post("/oauth2/device_authorize", Client{}, "client_id", "nobody"); status != 401 || answer["error"] != "invalid_client" {
		t.Errorf("%d %v", status, answer)
	}
}

// TestAssertions: jwt-bearer and token exchange take what the server has signed, and what a trusted issuer has signed for it.
func TestAssertions(t *testing.T) {
	b := newBench(t)
	c := b.client(JWTBearer, TokenExchange, Password)
	_, mine := b.granted(c, "grant_type", Password, "username", "ann", "password", "secret")
	own := mine["access_token"].(string)
	claims, _ := b.granted(c, "grant_type", JWTBearer, "assertion", own, "scope", "x")
	if claims["sub"] != "id-ann" || claims["scope"] != "x" {
		t.Errorf("%v", claims)
	}
	claims, answer := b.granted(c, "grant_type", TokenExchange, "subject_token", own, "subject_token_type", jwtTokenType)
	if claims["sub"] != "id-ann" || answer["issued_token_type"] != accessTokenType {
		t.Errorf("%v %v", claims, answer)
	}
	stranger, err := New(Options{Users: everybody{}, Issuer: "https://stranger"})
	if err != nil {
		t.Fatal(err)
	}
	foreign := func(claims map[string]any) string {
		text, err := stranger.sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	soon := b.now.Add(time.Hour).Unix()
	good := map[string]any{"iss": "https://stranger", "sub": "bob", "aud": b.server.Issuer(), "exp": soon}
	b.refused(c, "invalid_grant", "grant_type", JWTBearer, "assertion", foreign(good))
	b.server.opts.Trusted = func(issuer string) (*jose.JSONWebKeySet, bool) { return &stranger.keySet, issuer == "https://stranger" }
	claims, _ = b.granted(c, "grant_type", JWTBearer, "assertion", foreign(good))
	if claims["sub"] != "id-bob" {
		t.Errorf("%v", claims)
	}
	for name, text := range map[string]string{
		"other audience": foreign(map[string]any{"iss": "https://stranger", "sub": "bob", "aud": "https://else", "exp": soon}),
		"expired":        foreign(map[string]any{"iss": "https://stranger", "sub": "bob", "aud": b.server.Issuer(), "exp": b.now.Unix() - 1}),
		"nobody":         foreign(map[string]any{"iss": "https://stranger", "sub": "nobody", "aud": b.server.Issuer(), "exp": soon}),
		"wrong key":      foreign(map[string]any{"iss": b.server.Issuer(), "sub": "bob", "exp": soon}),
		"no JWT":         "nonsense",
		"altered":        own[:len(own)-4] + "AAAA",
	} {
		if status, answer := b.token(c, "grant_type", JWTBearer, "assertion", text); status != 400 || answer["error"] != "invalid_grant" {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	b.refused(c, "invalid_request", "grant_type", TokenExchange, "subject_token", own)
	b.refused(c, "invalid_request", "grant_type", TokenExchange, "subject_token", own, "subject_token_type", "urn:nonsense")
	b.refused(c, "invalid_request", "grant_type", JWTBearer)
}

func TestSAML(t *testing.T) {
	b := newBench(t)
	c := b.client(SAML2Bearer)
	assertion := func(subject, audience string, until time.Time) string {
		return base64.RawURLEncoding.EncodeToString([]byte(`<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="x" Version="2.0"><saml2:Issuer>https://idp</saml2:Issuer>
<saml2:Subject><saml2:NameID>` + subject + `</saml2:NameID></saml2:Subject><saml2:Conditions NotOnOrAfter="` + until.UTC().Format(time.RFC3339) + `">
<saml2:AudienceRestriction><saml2:Audience>` + audience + `</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions></saml2:Assertion>`))
	}
	soon := b.now.Add(time.Minute)
	claims, _ := b.granted(c, "grant_type", SAML2Bearer, "assertion", assertion("ann", b.server.Issuer(), soon))
	if claims["sub"] != "id-ann" {
		t.Errorf("%v", claims)
	}
	for name, text := range map[string]string{
		"nobody": assertion("nobody", b.server.Issuer(), soon), "other audience": assertion("ann", "https://else", soon),
		"expired": assertion("ann", b.server.Issuer(), b.now.Add(-time.Second)), "no subject": assertion("", b.server.Issuer(), soon),
		"not base64": "%%%", "not XML": base64.RawURLEncoding.EncodeToString([]byte("hello")), "other XML": base64.RawURLEncoding.EncodeToString([]byte("<a/>")),
	} {
		if status, answer := b.token(c, "grant_type", SAML2Bearer, "assertion", text); status != 400 || answer["error"] != "invalid_grant" {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
}

func TestRevokeAndIntrospect(t *testing.T) {
	b := newBench(t)
	c, other := b.client(Password, RefreshToken), b.client(Password)
	_, answer := b.granted(c, "grant_type", Password, "username", "ann", "password", "secret")
	access, refresh := answer["access_token"].(string), answer["refresh_token"].(string)
	introspect := func(text string) map[string]any {
		t.Helper()
		status, got := b.post("/oauth2/introspect", Client{ID: "ann", Secret: "secret"}, "token", text)
		if status != 200 {
			t.Fatalf("introspect: %d", status)
		}
		return got
	}
	if got := introspect(access); got["active"] != true || got["username"] != "ann@carbon.super" || got["token_type"] != "JWT" {
		t.Errorf("%v", got)
	}
	if status, _ := b.post("/oauth2/introspect", Client{ID: "ann", Secret: "wrong"}, "token", access); status != 401 {
		t.Errorf("introspected without credentials: %d", status)
	}
	if status, _ := b.post("/oauth2/revoke", other, "token", access); status != 200 {
		t.Errorf("revoke of another's token: %d", status)
	}
	if got := introspect(access); got["active"] != true {
		t.Error("another client revoked it")
	}
	if status, _ := b.post("/oauth2/revoke", c, "token", refresh); status != 200 {
		t.Errorf("revoke: %d", status)
	}
	if got := introspect(access); got["active"] != false || len(got) != 1 {
		t.Errorf("after revocation: %v", got)
	}
	for _, body := range [][]string{{"token", "unknown"}, {"token", access}} {
		if status, _ := b.post("/oauth2/revoke", c, body...); status != 200 {
			t.Errorf("%v: %d", body, status)
		}
	}
	if status, got := b.post("/oauth2/revoke", c); status != 400 || got["error"] != "invalid_request" {
		t.Errorf("%d %v", status, got)
	}
	if status, got := b.post("/oauth2/revoke", Client{ID: c.ID, Secret: "wrong"}, "token", access); status != 401 || got["error"] != "invalid_client" {
		t.Errorf("%d %v", status, got)
	}
}

// TestRestart: a token of an earlier run is good when the key is the same; one that was revoked in this run is not.
func TestRestart(t *testing.T) {
	b := newBench(t)
	c := b.client(Password, ClientCredentials)
	_, answer := b.granted(c, "grant_type", Password, "username", "ann", "password", "secret", "scope", "x")
	b.pass(2 * time.Second)
	next, err := New(b.server.opts)
	if err != nil {
		t.Fatal(err)
	}
	text := answer["access_token"].(string)
	if _, ok := next.Verify(text); ok {
		t.Error("good though its client is unknown")
	}
	next.Load(b.server.Clients())
	if token, ok := next.Verify(text); !ok || token.User == nil || token.User.Name != "ann" || fmt.Sprint(token.Scopes) != "[x]" {
		t.Errorf("%v %+v", ok, token)
	}
	b.pass(time.Hour)
	if _, ok := next.Verify(text); ok {
		t.Error("good after its time")
	}
	made, err := next.Issue(c, nil, nil, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := next.RotateSecret(c.ID); err != nil {
		t.Fatal(err)
	}
	if _, ok := next.Verify(made.Text); ok {
		t.Error("good after its client's secret was replaced")
	}
}

func TestPublicClient(t *testing.T) {
	b := newBench(t)
	c, err := b.server.Register(Client{Name: "spa", Public: true, JWT: true, GrantTypes: []string{Password, ClientCredentials}})
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := b.token(c, "client_id", c.ID, "grant_type", Password, "username", "ann", "password", "secret"); status != 200 {
		t.Errorf("%d %v", status, answer)
	}
	b.refused(c, "unauthorized_client", "client_id", c.ID, "grant_type", ClientCredentials)
	b.refused(c, "invalid_request", "client_id", c.ID, "grant_type", Password, "grant_type", Password)
}

// TestConcurrent registers, issues, verifies and deletes from many sides; the race detector watches.
func TestConcurrent(t *testing.T) {
	b := newBench(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				c, err := b.server.Register(Client{Name: "x", GrantTypes: []string{ClientCredentials}})
				if err != nil {
					t.Error(err)
					return
				}
				token, err := b.server.Issue(c, nil, []string{"a"}, 0, false)
				if err != nil {
					t.Error(err)
				}
				if _, ok := b.server.Verify(token.Text); !ok {
					t.Error("not good")
				}
				b.server.Clients()
				if err := b.server.Delete(c.ID); err != nil {
					t.Error(err)
				}
				if _, ok := b.server.Verify(token.Text); ok {
					t.Error("good after its client")
				}
			}
		})
	}
	all.Wait()
}

func TestRegistry(t *testing.T) {
	b := newBench(t)
	c := b.client(ClientCredentials)
	if _, err := b.server.Register(Client{ID: c.ID}); err == nil {
		t.Error("an id was given twice")
	}
	c.GrantTypes[0] = "changed"
	if got, err := b.server.Client(c.ID); err != nil || got.GrantTypes[0] != ClientCredentials {
		t.Errorf("the registry shares its lists: %v %v", got, err)
	}
	for _, err := range []error{b.server.Delete("x"), second(b.server.Update(Client{ID: "x"})), second(b.server.RotateSecret("x")), second(b.server.Client("x"))} {
		if err != ErrNoClient {
			t.Errorf("%v", err)
		}
	}
}

func second(_ Client, err error) error { return err }
