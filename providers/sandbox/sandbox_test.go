package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/errgroup"
)

func start(t *testing.T, opts Options) *Sandbox {
	t.Helper()
	opts.APIMAddr, opts.ISAddr = "127.0.0.1:0", "127.0.0.1:0"
	s, err := Start(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func client(s *Sandbox) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Pool()}, ForceAttemptHTTP2: true}}
}

// send makes a request as admin (or with another Authorization header) and returns status and document.
func send(t *testing.T, c *http.Client, method, url string, body any, headers ...string) (int, map[string]any) {
	t.Helper()
	var reader io.Reader
	kind := "application/json"
	switch body := body.(type) {
	case nil:
	case string:
		reader, kind = strings.NewReader(body), "application/x-www-form-urlencoded"
	default:
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, url, reader)
	if err != nil {
		t.Fatal(err)
	}
	if reader != nil {
		r.Header.Set("Content-Type", kind)
	}
	r.SetBasicAuth("admin", "admin")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if len(text) > 0 && text[0] == '{' {
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatalf("%s %s: %v: %s", method, url, err, text)
		}
	}
	return answer.StatusCode, document
}

// keyManager is the platform's: endpoints by the inside name, issuer from discovery.
func keyManager(issuer string) map[string]any {
	const inside = "https://wso2is:9443"
	return map[string]any{
		"name": "IS7", "type": "WSO2-IS-7", "enabled": true, "issuer": issuer,
		"enableTokenGeneration": true, "enableMapOAuthConsumerApps": true, "enableOAuthAppCreation": true, "enableSelfValidationJWT": true,
		"clientRegistrationEndpoint": inside + "/api/identity/oauth2/dcr/v1.1/register", "introspectionEndpoint": inside + "/oauth2/introspect",
		"tokenEndpoint": inside + "/oauth2/token", "revokeEndpoint": inside + "/oauth2/revoke", "userInfoEndpoint": inside + "/scim2/Me",
		"authorizeEndpoint": inside + "/oauth2/authorize", "scopeManagementEndpoint": inside + "/api/identity/oauth2/v1.0/scopes",
		"certificates":        map[string]any{"type": "JWKS", "value": inside + "/oauth2/jwks"},
		"availableGrantTypes": []string{"client_credentials", "password", "refresh_token"},
		"additionalProperties": map[string]any{
			"Username": "admin", "Password": "admin", "api_resource_management_endpoint": inside + "/api/server/v1/api-resources", "is7_roles_endpoint": inside + "/scim2/v2/Roles",
		},
	}
}

// TestPlatform makes keys in API Manager with Identity Server as key manager: API Manager calls it by its inside name over HTTPS, and the token
// that comes of it is Identity Server's, signed and in its JWKS.
func TestPlatform(t *testing.T) {
	s := start(t, Options{})
	c := client(s)
	status, discovery := send(t, c, "GET", s.IS()+"/oauth2/token/.well-known/openid-configuration", nil)
	if status != 200 || discovery["issuer"] != s.IS()+"/oauth2/token" {
		t.Fatalf("discovery: %d %v", status, discovery)
	}
	if status, answer := send(t, c, "POST", s.APIM()+"/api/am/admin/v4/key-managers", keyManager(discovery["issuer"].(string))); status != 201 {
		t.Fatalf("key manager: %d %v", status, answer)
	}
	status, app := send(t, c, "POST", s.APIM()+"/api/am/devportal/v3/applications", map[string]any{"name": "web", "throttlingPolicy": "Unlimited", "tokenType": "JWT"})
	if status != 201 {
		t.Fatalf("application: %d %v", status, app)
	}
	keys := map[string]any{"keyType": "PRODUCTION", "keyManager": "IS7", "grantTypesToBeSupported": []string{"client_credentials", "password"}, "callbackUrl": "", "validityTime": "3600", "scopes": []string{"default"}}
	where := s.APIM() + "/api/am/devportal/v3/applications/" + app["applicationId"].(string) + "/generate-keys"
	// A key manager is loaded some time after it was made; keys made too early leave a mapping that stands in the way of the next try.
	for until := time.Now().Add(3 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, list := send(t, c, "GET", s.APIM()+"/api/am/devportal/v3/key-managers", nil); list["count"] == float64(2) || time.Now().After(until) {
			break
		}
	}
	status, made := send(t, c, "POST", where, keys)
	if status != 200 {
		t.Fatalf("generate-keys: %d %v", status, made)
	}
	key, secret := made["consumerKey"].(string), made["consumerSecret"].(string)
	status, registered := send(t, c, "GET", s.IS()+"/api/identity/oauth2/dcr/v1.1/register/"+key, nil)
	if status != 200 || registered["client_secret"] != secret {
		t.Fatalf("client in Identity Server: %d %v", status, registered)
	}
	status, token := send(t, c, "POST", s.IS()+"/oauth2/token", "grant_type=client_credentials", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(key+":"+secret)))
	if status != 200 {
		t.Fatalf("token: %d %v", status, token)
	}
	answer, err := c.Get(s.IS() + "/oauth2/jwks")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(answer.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(token["access_token"].(string), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := signed.Verify(set)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	if claims["iss"] != discovery["issuer"] || claims["azp"] != key || claims["aut"] != "APPLICATION" {
		t.Errorf("claims: %v", claims)
	}
	if n := s.Requests(); n["apim"] < 3 || n["is"] < 4 {
		t.Errorf("requests: %v", n)
	}
}

// TestWrongKeyManager names an address that leads nowhere: it fails as in life.
func TestWrongKeyManager(t *testing.T) {
	s := start(t, Options{Resolve: []string{"wso2is:9443=127.0.0.1:1"}})
	c := client(s)
	if status, answer := send(t, c, "POST", s.APIM()+"/api/am/admin/v4/key-managers", keyManager("https://localhost:9443/oauth2/token")); status != 201 {
		t.Fatalf("key manager: %d %v", status, answer)
	}
	time.Sleep(200 * time.Millisecond)
	_, app := send(t, c, "POST", s.APIM()+"/api/am/devportal/v3/applications", map[string]any{"name": "web", "throttlingPolicy": "Unlimited", "tokenType": "JWT"})
	keys := map[string]any{"keyType": "PRODUCTION", "keyManager": "IS7", "grantTypesToBeSupported": []string{"client_credentials"}}
	status, answer := send(t, c, "POST", s.APIM()+"/api/am/devportal/v3/applications/"+app["applicationId"].(string)+"/generate-keys", keys)
	if status < 400 {
		t.Errorf("generate-keys: %d %v", status, answer)
	}
}

// TestBearer calls API Manager's REST APIs with tokens of its own OAuth2 server: with the scope, without it, and without a good token.
func TestBearer(t *testing.T) {
	s := start(t, Options{Users: []User{{Name: "ann", Password: "secret"}}})
	c := client(s)
	status, registered := send(t, c, "POST", s.APIM()+"/client-registration/v0.17/register", map[string]any{
		"clientName": "tool", "owner": "admin", "grantType": "client_credentials password refresh_token", "saasApp": true, "callbackUrl": "https://localhost",
	})
	if status != 200 {
		t.Fatalf("register: %d %v", status, registered)
	}
	get := func(form, user string) string {
		r, err := http.NewRequest("POST", s.APIM()+"/oauth2/token", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(registered["clientId"].(string), registered["clientSecret"].(string))
		answer, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var token struct {
			AccessToken string `json:"access_token"`
			Scope       string
		}
		if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || answer.StatusCode != 200 {
			t.Fatalf("token for %s: %d %v", user, answer.StatusCode, err)
		}
		return token.AccessToken
	}
	list := s.APIM() + "/api/am/admin/v4/key-managers"
	for _, test := range []struct {
		name, token string
		want        int
	}{
		{"with scope", get("grant_type=client_credentials&scope=apim:admin", "the client"), 200},
		{"without scope", get("grant_type=client_credentials", "the client"), 401},
		{"of a user who may", get("grant_type=password&username=admin&password=admin&scope=apim:admin", "admin"), 200},
		{"of a user who may not", get("grant_type=password&username=ann&password=secret&scope=apim:admin", "ann"), 401},
		{"made up", "nonsense", 401},
	} {
		if status, _ := send(t, c, "GET", list, nil, "Authorization", "Bearer "+test.token); status != test.want {
			t.Errorf("%s: %d, want %d", test.name, status, test.want)
		}
	}
}

// TestDataFile keeps contents, keys and certificate authority from one run to the next.
func TestDataFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data.json")
	first := start(t, Options{DataFile: file, Seed: 20})
	c := client(first)
	if status, answer := send(t, c, "POST", first.IS()+"/scim2/Users", map[string]any{"userName": "ann", "password": "Pass@1234", "emails": []any{"ann@example.com"}}); status != 201 {
		t.Fatalf("user: %d %v", status, answer)
	}
	if status, answer := send(t, c, "POST", first.APIM()+"/api/am/devportal/v3/applications", map[string]any{"name": "kept", "throttlingPolicy": "Unlimited", "tokenType": "JWT"}); status != 201 {
		t.Fatalf("application: %d %v", status, answer)
	}
	ca := first.CAPEM()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("data file: %v %v", info, err)
	}
	second := start(t, Options{DataFile: file, Seed: 20})
	if !bytes.Equal(ca, second.CAPEM()) {
		t.Error("another certificate authority")
	}
	c = client(second)
	_, users := send(t, c, "GET", second.IS()+"/scim2/Users?count=100&attributes=userName", nil)
	if users["totalResults"] != float64(22) {
		t.Errorf("users: %v", users)
	}
	if status, _ := send(t, c, "GET", second.IS()+"/scim2/Users?filter=userName+eq+ann", nil); status != 200 {
		t.Errorf("list: %d", status)
	}
	_, apps := send(t, c, "GET", second.APIM()+"/api/am/devportal/v3/applications?query=kept", nil)
	if apps["count"] != float64(1) {
		t.Errorf("applications: %v", apps)
	}
}

func TestDataFileDamaged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data.json")
	for _, text := range []string{"{", `{"Version": 99}`, `{"Version":1,"Authority":"nonsense"}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Start(context.Background(), Options{APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0", DataFile: file})
		if err == nil {
			_ = s.Close()
			t.Errorf("%q was read", text)
		}
		if got, _ := os.ReadFile(file); string(got) != text {
			t.Errorf("%q was overwritten", text)
		}
	}
}

// TestOptions holds latency, issuer, environment, the end of the context, and bad input.
func TestOptions(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Start(ctx, Options{APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0", Latency: 30 * time.Millisecond, Issuer: "https://localhost:9443/oauth2/token"})
	if err != nil {
		t.Fatal(err)
	}
	c := client(s)
	begun := time.Now()
	_, discovery := send(t, c, "GET", s.IS()+"/oauth2/token/.well-known/openid-configuration", nil)
	if took := time.Since(begun); took < 30*time.Millisecond {
		t.Errorf("took %v", took)
	}
	if discovery["issuer"] != "https://localhost:9443/oauth2/token" || discovery["jwks_uri"] != "https://localhost:9443/oauth2/jwks" {
		t.Errorf("discovery: %v", discovery)
	}
	environment, err := s.Env(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	joined := strings.Join(environment, "\n")
	for _, want := range []string{"APIM_ENDPOINT=" + s.APIM(), "IS_ENDPOINT=" + s.IS(), "APIM_USERNAME=admin", "IS_PASSWORD=admin", "APIM_CA_FILE=/", "IS_CA_FILE=/"} {
		if !strings.Contains(joined, want) {
			t.Errorf("environment lacks %s: %s", want, joined)
		}
	}
	cancel()
	for until := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := c.Get(s.IS() + "/api/health-check/v1.0/health"); err != nil {
			break
		}
		if time.Now().After(until) {
			t.Fatal("still serving after the end of its context")
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, bad := range []Options{{Resolve: []string{"nonsense"}}, {Users: []User{{Name: "ann"}}}, {Stores: []string{"PRIMARY"}}, {APIMAddr: "nonsense:nonsense"}} {
		if bad.APIMAddr == "" {
			bad.APIMAddr = "127.0.0.1:0"
		}
		bad.ISAddr = "127.0.0.1:0"
		if s, err := Start(context.Background(), bad); err == nil {
			_ = s.Close()
			t.Errorf("%+v was taken", bad)
		}
	}
}

// TestImports holds the sandbox apart: it is written from the servers' contract, so it may use nothing of the client's side.
func TestImports(t *testing.T) {
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if strings.HasPrefix(imported, "wso2plan/") && !strings.HasPrefix(imported, "wso2plan/providers/sandbox") {
				t.Errorf("%s imports %s", name, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestManyUsers reads 5,000 users in pages, over HTTPS, from several sides at once.
func TestManyUsers(t *testing.T) {
	const users, page = 5000, 100
	s := start(t, Options{Seed: users})
	c := client(s)
	var seen sync.Map
	var all errgroup.Group
	all.SetLimit(8)
	for from := 1; from <= users+1; from += page {
		all.Go(func() error {
			r, err := http.NewRequest("GET", s.IS()+"/scim2/Users?count=100&startIndex="+strconv.Itoa(from), nil)
			if err != nil {
				return err
			}
			r.SetBasicAuth("admin", "admin")
			answer, err := c.Do(r)
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			if answer.ProtoMajor != 2 {
				t.Errorf("HTTP/%d", answer.ProtoMajor)
			}
			var list struct {
				Resources []struct{ ID, UserName string } `json:"Resources"`
			}
			if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
				return err
			}
			for _, u := range list.Resources {
				seen.Store(u.ID, u.UserName)
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	n := 0
	seen.Range(func(any, any) bool { n++; return true })
	if n != users+1 {
		t.Errorf("%d users", n)
	}
}
