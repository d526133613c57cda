package apim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/apim"
)

// served is an API Manager in memory and a provider that is connected to it as admin.
type served struct {
	*Provider
	t        *testing.T
	url      string
	clients  *registry
	realm    string
	warnings []string
}

// serve starts an API Manager whose options change may change.
func serve(t *testing.T, change func(*sandbox.Options)) *served {
	t.Helper()
	clients := &registry{clients: map[string]sandbox.Client{}}
	o := sandbox.Options{Resident: clients, KeyManagerDelay: -1, Authenticate: func(r *http.Request) (sandbox.Principal, bool) {
		user, password, ok := r.BasicAuth()
		p := sandbox.Principal{User: user, All: user == "admin", Roles: []string{"Internal/subscriber"}, Scopes: []string{"apim:subscribe", "apim:app_manage"}}
		return p, ok && password == user+"-password"
	}}
	if change != nil {
		change(&o)
	}
	server := httptest.NewServer(sandbox.New(o))
	t.Cleanup(server.Close)
	s := &served{t: t, url: server.URL, clients: clients}
	s.Provider = s.login("admin")
	return s
}

// login returns another provider for the same server.
func (s *served) login(user string) *Provider {
	s.t.Helper()
	p := New()
	p.getenv = func(string) string { return "" }
	p.timings = timings{keyManager: 3 * time.Second, restricted: 200 * time.Millisecond, keys: 3 * time.Second, inUse: 300 * time.Millisecond}
	b := p.Schema()
	block := b.Object(map[string]cty.Value{
		"endpoint": cty.StringVal(s.url), "username": cty.StringVal(user), "password": cty.StringVal(user + "-password"),
	})
	if user == "admin" {
		var err error
		if s.realm, s.warnings, err = p.Configure(s.t.Context(), block); err != nil {
			s.t.Fatal(err)
		}
		return p
	}
	settings, err := product.Settings(block, p.getenv)
	if err == nil {
		err = p.client.Connect(settings) // only an administrator can be told the realm
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// typ returns a resource type by name.
func (p *Provider) typ(name string) engine.Type {
	for _, t := range p.Types() {
		if t.Schema().Name == name {
			return t
		}
	}
	panic("no type " + name)
}

// raw sends a request past the provider, as somebody else would, and returns the answer.
func (s *served) raw(status int, method, path string, body any) map[string]any {
	s.t.Helper()
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		payload = strings.NewReader(string(b))
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, payload)
	if err != nil {
		s.t.Fatal(err)
	}
	r.SetBasicAuth("admin", "admin-password")
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if res.StatusCode != status {
		s.t.Fatalf("%s %s: %d, want %d: %s", method, path, res.StatusCode, status, text)
	}
	var out map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &out); err != nil {
			s.t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	return out
}

// value makes a decoded block of a type: defaults filled in, secrets marked.
func value(t engine.Type, attrs map[string]cty.Value) cty.Value {
	b := &t.Schema().Block
	return b.Defaults(b.Object(attrs))
}

// over returns live with some attributes changed: what a plan makes of an edit. WriteOnly ones are
// null unless given.
func over(t engine.Type, live *engine.Object, attrs map[string]cty.Value) cty.Value {
	all := maps.Clone(live.Value.AsValueMap())
	maps.Copy(all, attrs)
	return t.Schema().MarkSensitive(t.Schema().Object(all))
}

func strs(list ...string) cty.Value { return stringSet(list) }

func props(pairs ...string) cty.Value {
	m := map[string]cty.Value{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = cty.StringVal(pairs[i+1])
	}
	return stringMap(m)
}

func str(s string) cty.Value { return cty.StringVal(s) }
func num(n int64) cty.Value  { return cty.NumberIntVal(n) }

// must fails the test on an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// registry is the resident key manager's: clients in a map.
type registry struct {
	mu      sync.Mutex
	made    int
	clients map[string]sandbox.Client
}

func (r *registry) next(kind string) string {
	r.made++
	return fmt.Sprintf("%s-%020d", kind, r.made)
}

func (r *registry) CreateClient(_ context.Context, _ string, c sandbox.Client) (sandbox.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.ID == "" {
		c.ID = r.next("key")
	}
	if c.Secret == "" {
		c.Secret = r.next("secret")
	}
	r.clients[c.ID] = c
	return c, nil
}

func (r *registry) Client(_ context.Context, _, id string) (sandbox.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.clients[id]
	if !ok {
		return c, sandbox.ErrNoClient
	}
	return c, nil
}

func (r *registry) ClientNamed(_ context.Context, _, name, owner string) (sandbox.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.clients {
		if c.Name == name && c.Owner == owner {
			return c, nil
		}
	}
	return sandbox.Client{}, sandbox.ErrNoClient
}

func (r *registry) UpdateClient(_ context.Context, _ string, c sandbox.Client) (sandbox.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, ok := r.clients[c.ID]
	if !ok {
		return c, sandbox.ErrNoClient
	}
	c.Secret = old.Secret
	r.clients[c.ID] = c
	return c, nil
}

func (r *registry) DeleteClient(_ context.Context, _, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.clients[id]; !ok {
		return sandbox.ErrNoClient
	}
	delete(r.clients, id)
	return nil
}

func (r *registry) RotateSecret(_ context.Context, _, id string) (sandbox.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.clients[id]
	if !ok {
		return c, sandbox.ErrNoClient
	}
	c.Secret = r.next("secret")
	r.clients[id] = c
	return c, nil
}

func (r *registry) Token(_ context.Context, _, _ string, scopes []string, _ int) (sandbox.Token, error) {
	return sandbox.Token{AccessToken: "token", Scopes: scopes, ExpiresIn: 3600}, nil
}

func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.clients)
}
