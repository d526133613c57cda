package providertest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

// A server is the server under test behind a proxy that writes down what is sent to it.
type server struct {
	t         *testing.T
	client    *http.Client // trusts the server
	base      string       // of the server itself
	proxy     string
	env       map[string]string
	prefix    string // of its environment variables: "IS"
	masks     []*regexp.Regexp
	mu        sync.Mutex
	recording bool
	requests  []request
}

// request is one that the provider sent, as request.json holds it.
type request struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// newServer starts the target's server, with the proxy before it, and sets the environment in which
// the providers find the proxy. With files there is nothing to start but the target itself.
func newServer(t *testing.T, target Target) *server {
	t.Helper()
	s := &server{t: t, env: map[string]string{}, prefix: strings.ToUpper(target.Provider)}
	for _, pair := range target.Start(t) {
		name, value, _ := strings.Cut(pair, "=")
		s.env[name] = value
	}
	for _, text := range target.Masks {
		s.masks = append(s.masks, regexp.MustCompile(text))
	}
	if target.Files != nil {
		for name, value := range s.env {
			t.Setenv(name, value)
		}
		return s
	}
	endpoint := s.prefix + "_ENDPOINT"
	s.base = strings.TrimRight(s.env[endpoint], "/")
	to, err := url.Parse(s.base)
	if err != nil || to.Host == "" {
		t.Fatalf("Start gave no %s", endpoint)
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := s.env[s.prefix+"_CA_FILE"]; file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		conf.RootCAs = x509.NewCertPool()
		conf.RootCAs.AppendCertsFromPEM(pem)
	}
	conf.InsecureSkipVerify = s.env[s.prefix+"_INSECURE_SKIP_VERIFY"] == "true"
	transport := &http.Transport{TLSClientConfig: conf, MaxIdleConnsPerHost: 20}
	t.Cleanup(transport.CloseIdleConnections)
	s.client = &http.Client{Transport: transport}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = to.Host
		},
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.note(r)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	s.proxy = front.URL
	s.env[endpoint] = s.proxy
	for name, value := range s.env {
		t.Setenv(name, value)
	}
	return s
}

// note writes a request down when it is one that writes.
func (s *server) note(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.recording || r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/oauth2/token") {
		return
	}
	n := request{Method: r.Method, Path: r.URL.RequestURI()}
	switch {
	case json.Valid(body):
		n.Body = body
	case len(body) > 0:
		text, err := json.Marshal(string(body))
		if err != nil {
			s.t.Error(err)
		}
		n.Body = text
	}
	s.requests = append(s.requests, n)
}

// recorded returns what the provider writes while work runs, as JSON.
func (b *bench) recorded(work func()) string {
	b.t.Helper()
	s := b.server
	s.mu.Lock()
	s.recording, s.requests = true, nil
	s.mu.Unlock()
	work()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recording = false
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s.requests); err != nil {
		b.t.Fatal(err)
	}
	return out.String()
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// mask replaces what differs in each run: addresses, UUIDs by the order in which they appear, and
// what the target names.
func (s *server) mask(text string) string {
	if s.base != "" {
		text = strings.NewReplacer(s.proxy, "<endpoint>", s.base, "<endpoint>").Replace(text)
	}
	seen := map[string]string{}
	for _, re := range append([]*regexp.Regexp{uuid}, s.masks...) {
		text = re.ReplaceAllStringFunc(text, func(found string) string {
			if seen[found] == "" {
				seen[found] = fmt.Sprintf("<id%d>", len(seen)+1)
			}
			return seen[found]
		})
	}
	return text
}

// sendDrift sends the requests of drift.http about an object.
func (b *bench) sendDrift(o *engine.Object) {
	b.t.Helper()
	for text := range strings.SplitSeq(b.fixture.need(b.t, "drift.http"), "\n###\n") {
		b.sendEdit(text, o)
	}
}

// sendEdit sends one request of drift.http.
func (b *bench) sendEdit(text string, o *engine.Object) {
	b.t.Helper()
	text = placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := strings.Trim(p, "{}")
		if name == "id" {
			return o.ID
		}
		if !o.Value.Type().HasAttribute(name) {
			return p
		}
		v := o.Value.GetAttr(name)
		if t := v.Type(); (t.IsSetType() || t.IsListType()) && v.LengthInt() > 0 {
			v = v.AsValueSlice()[0]
		}
		if v.Type() != cty.String || v.IsNull() {
			b.t.Fatalf("drift.http names %s, which is no string", p)
		}
		return v.AsString()
	})
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, path, ok := strings.Cut(lines[0], " ")
	if !ok {
		b.t.Fatalf("drift.http begins with %q; write a method and a path", lines[0])
	}
	header := http.Header{"Content-Type": {"application/json"}}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		header.Set(name, strings.TrimSpace(value))
	}
	if strings.HasPrefix(header.Get("Content-Type"), "multipart/") {
		body = strings.ReplaceAll(body, "\n", "\r\n") // as forms end their lines
	}
	if method != "MERGE" {
		b.server.send(method, path, header, []byte(body))
		return
	}
	var now, over map[string]any
	if err := json.Unmarshal(b.server.send(http.MethodGet, path, nil, nil), &now); err != nil {
		b.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(body), &over); err != nil {
		b.t.Fatalf("the body of drift.http: %v", err)
	}
	merge(now, over)
	merged, err := json.Marshal(now)
	if err != nil {
		b.t.Fatal(err)
	}
	b.server.send(http.MethodPut, path, header, merged)
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

func merge(into, over map[string]any) {
	for name, v := range over {
		inner, ok := v.(map[string]any)
		old, isObject := into[name].(map[string]any)
		if ok && isObject {
			merge(old, inner)
		} else {
			into[name] = v
		}
	}
}

// send sends a request to the server itself, as its administrator.
func (s *server) send(method, path string, header http.Header, body []byte) []byte {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if req.Header.Get("Authorization") == "" {
		req.SetBasicAuth(s.env[s.prefix+"_USERNAME"], s.env[s.prefix+"_PASSWORD"])
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		s.t.Fatalf("%s %s of drift.http: %s\n%s", method, path, res.Status, answer)
	}
	return answer
}
