package is

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/is"
)

// served is an Identity Server in memory and a provider that is connected to it as admin.
type served struct {
	*Provider
	t        *testing.T
	url      string
	realm    string
	warnings []string

	mu     sync.Mutex
	bodies []string // of writes: "PATCH /scim2/Users/x {…}"
	reads  int
}

// serve starts an Identity Server whose options change may change.
func serve(t *testing.T, change func(*sandbox.Options)) *served {
	t.Helper()
	s := &served{t: t}
	o := sandbox.Options{
		Stores: []string{"PARTNERS"}, CustomAttributes: []string{"badge", "floor"},
		Middleware: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(strings.NewReader(string(body)))
				s.mu.Lock()
				if r.Method == http.MethodGet {
					s.reads++
				} else {
					s.bodies = append(s.bodies, r.Method+" "+r.URL.Path+" "+string(body))
				}
				s.mu.Unlock()
				next.ServeHTTP(w, r)
			})
		},
	}
	if change != nil {
		change(&o)
	}
	h, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.Provider = s.connect(nil)
	return s
}

// connect returns a provider for the same server with further settings.
func (s *served) connect(set map[string]cty.Value) *Provider {
	s.t.Helper()
	p := New()
	p.getenv = func(string) string { return "" }
	b := p.Schema()
	block := map[string]cty.Value{
		"endpoint": cty.StringVal(s.url), "username": cty.StringVal("admin"), "password": cty.StringVal("admin").Mark(schema.Sensitive),
	}
	for name, v := range set {
		block[name] = v
	}
	var err error
	if s.realm, s.warnings, err = p.Configure(s.t.Context(), b.Object(block)); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// typ returns a resource type by name.
func (s *served) typ(name string) engine.Type {
	for _, t := range s.Types() {
		if t.Schema().Name == name {
			return t
		}
	}
	s.t.Fatalf("no type %s", name)
	return nil
}

// last returns the newest write.
func (s *served) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bodies) == 0 {
		return ""
	}
	return s.bodies[len(s.bodies)-1]
}

// wanted is a value as a configuration gives it: defaults applied.
func wanted(t engine.Type, attrs map[string]cty.Value) cty.Value {
	b := &t.Schema().Block
	return b.Defaults(b.Object(attrs))
}

func (s *served) create(t engine.Type, attrs map[string]cty.Value) *engine.Object {
	s.t.Helper()
	o, err := t.Create(s.t.Context(), wanted(t, attrs))
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// over returns the object's value with some attributes set, as a plan does.
func over(o *engine.Object, set map[string]cty.Value) cty.Value {
	attrs := o.Value.AsValueMap()
	for name, v := range set {
		attrs[name] = v
	}
	return cty.ObjectVal(attrs)
}

func str(s string) cty.Value { return cty.StringVal(s) }

func strs(list ...string) cty.Value {
	if len(list) == 0 {
		return cty.SetValEmpty(cty.String)
	}
	var vals []cty.Value
	for _, s := range list {
		vals = append(vals, cty.StringVal(s))
	}
	return cty.SetVal(vals)
}

func strMap(pairs ...string) cty.Value {
	m := map[string]cty.Value{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = cty.StringVal(pairs[i+1])
	}
	if len(m) == 0 {
		return cty.MapValEmpty(cty.String)
	}
	return cty.MapVal(m)
}
