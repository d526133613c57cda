package rest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wso2plan/engine"
)

// connect returns a client of a test server, with short pauses.
func connect(t *testing.T, h http.Handler, change func(*Settings)) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	s := Settings{Product: "API Manager", Env: "APIM", Endpoint: srv.URL, Username: "admin", Password: "pa55word!", Timeout: 5 * time.Second,
		RetryWait: time.Millisecond}
	if change != nil {
		change(&s)
	}
	c := new(Client)
	if err := c.Connect(s); err != nil {
		t.Fatal(err)
	}
	return c
}

// answers answers requests with the given statuses in turn, the last one for ever, and counts them.
func answers(n *atomic.Int32, header http.Header, statuses ...int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := int(n.Add(1)) - 1
		for name, v := range header {
			w.Header()[name] = v
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(statuses[min(i, len(statuses)-1)])
		io.WriteString(w, `{"id":"1"}`)
	})
}

func TestRetries(t *testing.T) {
	for _, test := range []struct {
		name       string
		method     string
		idempotent bool
		header     http.Header
		statuses   []int
		want       int // status in the end
		requests   int32
	}{
		{"GET after 503", "GET", false, nil, []int{503, 503, 200}, 200, 3},
		{"GET gives up", "GET", false, nil, []int{503}, 503, maxRetries + 1},
		{"GET after 500 is soon given up", "GET", false, nil, []int{500}, 500, maxRetries500 + 1},
		{"PUT after 502", "PUT", false, nil, []int{502, 200}, 200, 2},
		{"DELETE after 504", "DELETE", false, nil, []int{504, 204}, 204, 2},
		{"501 is an answer", "GET", false, nil, []int{501, 200}, 501, 1},
		{"400 is an answer", "GET", false, nil, []int{400, 200}, 400, 1},
		{"POST after 500 never", "POST", false, nil, []int{500, 201}, 500, 1},
		{"POST after 503 without Retry-After never", "POST", false, nil, []int{503, 201}, 503, 1},
		{"POST after 503 with Retry-After", "POST", false, http.Header{"Retry-After": {"0"}}, []int{503, 201}, 201, 2},
		{"POST after 429", "POST", false, http.Header{"Retry-After": {"0"}}, []int{429, 201}, 201, 2},
		{"PATCH after 502 never", "PATCH", false, nil, []int{502, 200}, 502, 1},
		{"PATCH after 502 when it may", "PATCH", true, nil, []int{502, 200}, 200, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			var n atomic.Int32
			c := connect(t, answers(&n, test.header, test.statuses...), nil)
			res, err := c.Do(t.Context(), Request{Method: test.method, Path: "/x", Body: map[string]any{"a": 1}, Idempotent: test.idempotent})
			got := StatusOf(err)
			if err == nil {
				got = res.Status
			}
			if got != test.want || n.Load() != test.requests {
				t.Errorf("status %d after %d requests, want %d after %d (%v)", got, n.Load(), test.want, test.requests, err)
			}
		})
	}
}

// A connection that breaks in the middle of an answer leaves a POST's fate open: it is not sent
// again, and the error is no refusal.
func TestCutConnection(t *testing.T) {
	var n atomic.Int32
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		io.Copy(io.Discard, r.Body)
		conn, _, _ := w.(http.Hijacker).Hijack()
		io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"id\":")
		conn.Close()
	}), nil)
	_, err := c.Do(t.Context(), Request{Method: "POST", Path: "/x", Body: map[string]any{}})
	if err == nil || n.Load() != 1 || engine.Refused(err) {
		t.Errorf("POST: %v after %d requests, refused %v", err, n.Load(), engine.Refused(err))
	}
	n.Store(0)
	if _, err := c.Do(t.Context(), Request{Path: "/x"}); err == nil || n.Load() != maxRetries+1 {
		t.Errorf("GET: %v after %d requests", err, n.Load())
	}
}

func TestNothingListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	c := connect(t, http.NotFoundHandler(), func(s *Settings) { s.Endpoint = "http://" + address })
	_, err = c.Do(t.Context(), Request{Method: "POST", Path: "/x"})
	want := "POST /x: nothing listens at " + address + "; start API Manager, or check endpoint or APIM_ENDPOINT"
	if err == nil || err.Error() != want || !engine.Refused(err) {
		t.Errorf("got  %v (refused %v)\nwant %s", err, engine.Refused(err), want)
	}
}

func TestSlowServer(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}), func(s *Settings) { s.Timeout = 30 * time.Millisecond })
	_, err := c.Do(t.Context(), Request{Method: "POST", Path: "/x", Body: 1})
	if err == nil || !strings.Contains(err.Error(), "no answer within 30ms") || engine.Refused(err) {
		t.Errorf("got %v, refused %v", err, engine.Refused(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := c.Do(ctx, Request{Path: "/x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A write that was perhaps processed is no refusal, though the last attempt did not reach the server.
func TestGoneAfterAttempt(t *testing.T) {
	var server *httptest.Server
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server.Listener.Close()
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	}))
	server.Start()
	defer server.Close()
	c := connect(t, http.NotFoundHandler(), func(s *Settings) { s.Endpoint = server.URL })
	_, err := c.Do(t.Context(), Request{Method: "PUT", Path: "/x", Body: 1})
	if err == nil || !strings.Contains(err.Error(), "nothing listens") || engine.Refused(err) {
		t.Errorf("%v, refused %v", err, engine.Refused(err))
	}
}

// What was cancelled while it waited for its turn was not written.
func TestCancelledBeforeSending(t *testing.T) {
	begun, stop := make(chan struct{}), make(chan struct{})
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-stop
	}), func(s *Settings) { s.WritesInFlight = 1 })
	var group sync.WaitGroup
	group.Go(func() { c.Do(t.Context(), Request{Method: "POST", Path: "/x"}) })
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	_, err := c.Do(ctx, Request{Method: "POST", Path: "/x"})
	if !errors.Is(err, context.Canceled) || !engine.Refused(err) {
		t.Errorf("%v, refused %v", err, engine.Refused(err))
	}
	close(stop)
	group.Wait()
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name        string
		status      int
		contentType string
		body        string
		want        string
		refused     bool
		notFound    bool
	}{
		{"API Manager", 409, "application/json", `{"code":901402,"message":"Conflict","description":"Key manager is7 exists.","moreInfo":"","error":[]}`,
			"GET /x: 409 conflict: Conflict; Key manager is7 exists; code 901402", true, false},
		{"fields", 400, "application/json", `{"code":400,"message":"Bad Request","description":"Validation Error","error":[{"code":"400_name","message":"name: must not be null"}]}`,
			"GET /x: 400 bad request: Bad Request; Validation Error: name: must not be null", true, false},
		{"SCIM", 400, "application/scim+json", `{"schemas":[],"status":"400","detail":"bad value","scimType":"invalidValue"}`,
			"GET /x: 400 bad request: bad value; code invalidValue", true, false},
		{"SCIM prose", 400, "application/scim+json", `{"detail":"General.","scimType":"No attribute with the name"}`,
			"GET /x: 400 bad request: General", true, false},
		{"OAuth2", 400, "application/json", `{"error":"invalid_client_metadata","error_description":"CONFLICT"}`,
			"GET /x: 400 bad request: CONFLICT; code invalid_client_metadata", true, false},
		{"not found", 404, "application/json", `{"code":404,"message":"Not Found"}`, "GET /x: 404 not found: Not Found", true, true},
		{"empty 404", 404, "", "", "GET /x: 404 not found", true, true},
		{"web page 404", 404, "text/html", "<html>Tomcat</html>",
			"GET /x: 404 not found: the answer is a web page, not the API; check that endpoint or APIM_ENDPOINT, now URL, is API Manager, and that it has started fully", true, false},
		{"web page", 200, "text/html", "<!DOCTYPE html><p>login",
			"GET /x: the answer is a web page, not JSON; check that endpoint or APIM_ENDPOINT, now URL, is API Manager, and that it has started fully", false, false},
		{"401", 401, "", "", `GET /x: 401 unauthorized; user "admin" was refused: check username and password (or APIM_USERNAME and APIM_PASSWORD), and that the user has the roles of an administrator`, true, false},
		{"403", 403, "", "", `GET /x: 403 forbidden; user "admin" may not do this: give it the roles of an administrator, or use another user in username or APIM_USERNAME`, true, false},
		{"secret", 400, "text/plain", "password pa55word! is bad", "GET /x: 400 bad request: password (sensitive value) is bad", true, false},
		{"redirect", 302, "", "", "GET /x: 302 found: the server redirects to https://elsewhere; set endpoint to the address that it redirects to", false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if test.contentType != "" {
					w.Header().Set("Content-Type", test.contentType)
				}
				if test.status == 302 {
					w.Header().Set("Location", "https://elsewhere")
				}
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			}), nil)
			var out map[string]any
			err := c.Get(t.Context(), "/x", nil, &out)
			if err == nil {
				t.Fatal("no error")
			}
			want := strings.ReplaceAll(test.want, "URL", c.Settings().Endpoint)
			if err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
			if engine.Refused(err) != test.refused || errors.Is(err, engine.ErrNotFound) != test.notFound {
				t.Errorf("refused %v, not found %v", engine.Refused(err), errors.Is(err, engine.ErrNotFound))
			}
			if u := Unfound(err); errors.Is(u, engine.ErrNotFound) || engine.Refused(u) != test.refused || u.Error() != err.Error() {
				t.Errorf("Unfound: %v", u)
			}
		})
	}
}

func TestCertificates(t *testing.T) {
	srv := httptest.NewUnstartedServer(answers(new(atomic.Int32), nil, 200))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // failed handshakes are the point
	srv.StartTLS()
	defer srv.Close()
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	port := srv.Listener.Addr().(*net.TCPAddr).Port
	for _, test := range []struct {
		name     string
		endpoint string
		ca       string
		insecure bool
		want     string // "" is success
	}{
		{"unknown", srv.URL, "", false, `the server's certificate, self-signed by "O=Acme Co", is not trusted; save that certificate in PEM form to a file and name it in ca_file or APIM_CA_FILE`},
		{"trusted", srv.URL, ca, false, ""},
		{"not verified", srv.URL, "", true, ""},
		{"other name", fmt.Sprintf("https://localhost:%d", port), ca, false,
			`the server's certificate is not for "localhost"; it is for "example.com", "*.example.com", "127.0.0.1", "::1": call the server by that name in endpoint, or give it a certificate for this one`},
		{"no TLS", strings.Replace(httpServer(t), "http://", "https://", 1), ca, false, `the server does not speak HTTPS on this port; check the port, or write http:// in endpoint`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := new(Client)
			err := c.Connect(Settings{Product: "API Manager", Env: "APIM", Endpoint: test.endpoint, CAFile: test.ca, InsecureSkipVerify: test.insecure})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Do(t.Context(), Request{Method: "POST", Path: "/x"})
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || err.Error() != "POST /x: "+test.want):
				t.Errorf("got  %v\nwant POST /x: %s", err, test.want)
			case test.want != "" && !engine.Refused(err):
				t.Error("a request that was never sent is a refusal")
			}
			if warned := len(c.Settings().Warnings()) > 0; warned != test.insecure {
				t.Errorf("warned: %v", warned)
			}
		})
	}
}

// TestCertificateOutOfTime holds what is said of a server whose certificate has expired, or is not
// valid yet.
func TestCertificateOutOfTime(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		name     string
		from, to time.Time
		want     string
	}{
		{"expired", now.Add(-48 * time.Hour), now.Add(-24 * time.Hour),
			`^POST /x: the server's certificate "CN=apim.example" expired at \d{4}-\d\d-\d\d \d\d:\d\d UTC; give the server a new one, unless the clock of this machine is wrong, which says \d{4}-\d\d-\d\d \d\d:\d\d UTC$`},
		{"not yet", now.Add(24 * time.Hour), now.Add(48 * time.Hour),
			`^POST /x: the server's certificate "CN=apim.example" is valid from \d{4}-\d\d-\d\d \d\d:\d\d UTC on only; set the clock of this machine right, which says \d{4}-\d\d-\d\d \d\d:\d\d UTC, or wait until then$`},
	} {
		t.Run(test.name, func(t *testing.T) {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "apim.example"}, NotBefore: test.from, NotAfter: test.to,
				IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
			der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
			if err != nil {
				t.Fatal(err)
			}
			srv := httptest.NewUnstartedServer(answers(new(atomic.Int32), nil, 200))
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
			srv.StartTLS()
			defer srv.Close()
			ca := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
				t.Fatal(err)
			}
			c := new(Client)
			if err := c.Connect(Settings{Product: "API Manager", Env: "APIM", Endpoint: srv.URL, CAFile: ca}); err != nil {
				t.Fatal(err)
			}
			_, err = c.Do(t.Context(), Request{Method: "POST", Path: "/x"})
			if err == nil || !regexp.MustCompile(test.want).MatchString(err.Error()) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if !engine.Refused(err) {
				t.Error("a request that was never sent is a refusal")
			}
		})
	}
}

func httpServer(t *testing.T) string {
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	return srv.URL
}

// tokenServer is an OAuth2 server that counts what it gives out and accepts the newest token only.
type tokenServer struct {
	mu      sync.Mutex
	given   int
	expires int
	scope   string
	forms   []string
	revoked map[string]bool
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/oauth2/token" {
		r.ParseForm()
		id, secret, _ := r.BasicAuth()
		if id != "client" || secret != "client-secret" {
			w.WriteHeader(401)
			io.WriteString(w, `{"error":"invalid_client","error_description":"bad client"}`)
			return
		}
		s.given++
		s.forms = append(s.forms, r.PostForm.Encode())
		fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":%d,"scope":%q}`, s.given, s.expires, s.scope)
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token != fmt.Sprintf("token-%d", s.given) || s.revoked[token] {
		w.WriteHeader(401)
		return
	}
	io.WriteString(w, `{}`)
}

func TestTokens(t *testing.T) {
	s := &tokenServer{expires: 3600, scope: "a", revoked: map[string]bool{}}
	registered := 0
	c := connect(t, s, func(set *Settings) {
		set.Auth, set.Tenant, set.Scopes = AuthPassword, "acme.com", []string{"a", "b"}
		set.Register = func(context.Context, *Client, string) (string, string, error) {
			registered++
			return "client", "client-secret", nil
		}
	})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := c.Do(t.Context(), Request{Path: "/x"}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if s.given != 1 || registered != 1 {
		t.Errorf("%d tokens, %d registrations for 20 requests at once, want one of each", s.given, registered)
	}
	if want := "grant_type=password&password=pa55word%21&scope=a+b&username=admin%40acme.com"; s.forms[0] != want {
		t.Errorf("form %s, want %s", s.forms[0], want)
	}
	s.revoked["token-1"] = true
	if _, err := c.Do(t.Context(), Request{Method: "POST", Path: "/x"}); err != nil || s.given != 2 {
		t.Errorf("after a revocation: %v, %d tokens", err, s.given)
	}
	s.revoked["token-3"] = true
	s.revoked["token-2"] = true
	_, err := c.Do(t.Context(), Request{Path: "/x"})
	want := `GET /x: 401 unauthorized; a new access token was refused too: user "admin@acme.com" with OAuth2 client "client" may not do this; its token lacks the scopes b`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}

	// A token that is nearly over is renewed before it is refused.
	s.expires = 0
	s.revoked = map[string]bool{}
	c = connect(t, s, func(set *Settings) {
		set.Auth, set.ClientID, set.ClientSecret = AuthClient, "client", "client-secret"
	})
	s.expires = 1
	before := s.given
	for range 2 {
		if _, err := c.Do(t.Context(), Request{Path: "/x"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(600 * time.Millisecond)
	}
	if s.given != before+2 {
		t.Errorf("%d tokens, want 2", s.given-before)
	}

	c = connect(t, s, func(set *Settings) {
		set.Auth, set.ClientID, set.ClientSecret = AuthClient, "client", "wrong-secret"
	})
	_, err = c.Do(t.Context(), Request{Path: "/x"})
	if want := "asking for an access token: POST /oauth2/token: 401 unauthorized: bad client; code invalid_client; check client_id and client_secret"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestUnclear(t *testing.T) {
	gone := &Error{Status: 404}
	at := &engine.AttributeError{Attribute: "x", Err: fmt.Errorf("twice: %w", gone)}
	err := fmt.Errorf("after it was changed: %w", Unclear(at))
	if engine.Refused(err) || errors.Is(err, engine.ErrNotFound) || !engine.Refused(at) || !errors.Is(at, engine.ErrNotFound) {
		t.Errorf("refused %t, not found %t", engine.Refused(err), errors.Is(err, engine.ErrNotFound))
	}
	var found *engine.AttributeError
	if !errors.As(err, &found) || found.Attribute != "x" || StatusOf(err) != 404 || err.Error() != "after it was changed: "+at.Error() {
		t.Errorf("%v, %+v", err, found)
	}
	if Unclear(nil) != nil {
		t.Error("no error became one")
	}
}

// A login page in the place of an answer does not count as one, also where no answer is looked at.
func TestPageForWrite(t *testing.T) {
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html;charset=UTF-8")
		io.WriteString(w, "<html><body>Sign in</body></html>")
	}), nil)
	for _, method := range []string{"PUT", "DELETE", "POST", "PATCH"} {
		err := c.Call(t.Context(), Request{Method: method, Path: "/x"}, nil)
		if err == nil || !strings.Contains(err.Error(), "web page") || engine.Refused(err) {
			t.Errorf("%s: %v", method, err)
		}
	}
	if _, err := c.Do(t.Context(), Request{Path: "/x", Accept: "text/html"}); err != nil {
		t.Errorf("asked for a page: %v", err)
	}
}

func TestInFlight(t *testing.T) {
	var now, most atomic.Int32
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		io.WriteString(w, "{}")
	}), func(s *Settings) { s.ReadsInFlight, s.WritesInFlight = 4, 2 })
	for _, test := range []struct {
		method string
		want   int32
	}{{"GET", 4}, {"PUT", 2}} {
		most.Store(0)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if _, err := c.Do(t.Context(), Request{Method: test.method, Path: "/x"}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if most.Load() != test.want {
			t.Errorf("%s: %d at a time, want %d", test.method, most.Load(), test.want)
		}
	}
}

func TestRate(t *testing.T) {
	c := connect(t, answers(new(atomic.Int32), nil, 200), func(s *Settings) { s.RequestsPerSecond = 50 })
	begin := time.Now()
	for range 60 {
		if _, err := c.Do(t.Context(), Request{Path: "/x"}); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(begin); d < 150*time.Millisecond {
		t.Errorf("60 requests at 50 a second, 50 of them at once, took %s", d)
	}
}

func TestBackoff(t *testing.T) {
	after := func(v string) *http.Response { return &http.Response{Header: http.Header{"Retry-After": {v}}} }
	for _, test := range []struct {
		header   string
		from, to time.Duration
	}{
		{"7", 7 * time.Second, 7 * time.Second},
		{"86400", maxRetryAfter, maxRetryAfter},
		{"never", time.Second, 2 * time.Second},
		{time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), 0, 0},
	} {
		if got := backoff(time.Second, 10*time.Second, 1, after(test.header)); got < test.from || got > test.to {
			t.Errorf("Retry-After %q: %s", test.header, got)
		}
	}
	if got := backoff(time.Second, 10*time.Second, 40, nil); got < 5*time.Second || got > 10*time.Second {
		t.Errorf("late: %s", got)
	}
}

func TestPaths(t *testing.T) {
	var got string
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.RequestURI
		w.Header().Set("Location", "https://x/scim2/Users/a%2Fb")
	}), func(s *Settings) { s.Endpoint += "/base/"; s.Prefix = "/t/acme.com" })
	res, err := c.Do(t.Context(), Request{Path: "/scim2/Users/a%2Fb", Query: map[string][]string{"filter": {`x eq "1&2"`}}})
	if err != nil || got != "/base/t/acme.com/scim2/Users/a%2Fb?filter=x+eq+%221%262%22" {
		t.Errorf("%q, %v", got, err)
	}
	if res.Location() != "a/b" {
		t.Errorf("location %q", res.Location())
	}
	if _, err := c.Do(t.Context(), Request{Path: "/y", NoPrefix: true}); err != nil || got != "/base/y" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWait(t *testing.T) {
	c := new(Client)
	n := 0
	err := c.Wait(t.Context(), "the key manager is listed", time.Minute, func(context.Context) (bool, error) { n++; return n == 2, nil })
	if err != nil || n != 2 {
		t.Errorf("%v after %d", err, n)
	}
	err = c.Wait(t.Context(), "the key manager is listed", 20*time.Millisecond, func(context.Context) (bool, error) { return false, nil })
	if err == nil || err.Error() != "waited 20ms until the key manager is listed, in vain" {
		t.Error(err)
	}
}

func TestNotConfigured(t *testing.T) {
	if _, err := new(Client).Do(t.Context(), Request{Path: "/x"}); err == nil {
		t.Error("no error")
	}
}

func TestNumbersKeepDigits(t *testing.T) {
	var v map[string]any
	if err := (&Response{Body: []byte(`{"n":12345678901234567890.5}`)}).JSON(&v); err != nil || v["n"] != json.Number("12345678901234567890.5") {
		t.Errorf("%v %v", v, err)
	}
}

func TestVersion(t *testing.T) {
	for _, test := range []struct{ body, version, warning string }{
		{`<ns:getVersionResponse><return>WSO2 API Manager-4.5.0</return></ns:getVersionResponse>`, "4.5.0", ""},
		{`<return>WSO2 Identity Server-7.2.0-rc1</return>`, "7.2.0", "The server is API Manager 7.2.0, and this provider is written for 4.5."},
		{`<return>WSO2 API Manager v4.50.1</return>`, "4.50.1", "The server is API Manager 4.50.1"},
		{`<html>nothing</html>`, "", ""},
	} {
		c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, test.body) }), nil)
		warning := c.VersionWarning(t.Context(), "4.5")()
		if got := c.Version(t.Context()); got != test.version || !strings.HasPrefix(warning, test.warning) || (warning == "") != (test.warning == "") {
			t.Errorf("%s: version %q, warning %q", test.body, got, warning)
		}
	}
}

// The first password of every pack is a part of a word in the server's most frequent message.
func TestShortSecretsAreWords(t *testing.T) {
	s := newSecrets("admin", "a long secret")
	got := s.scrub("Please contact administrator, admin; xa long secretx")
	if want := "Please contact administrator, (sensitive value); x(sensitive value)x"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
