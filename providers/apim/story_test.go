package apim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"wso2plan/config"
	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/engine/render"
	"wso2plan/engine/store"
	sandbox "wso2plan/providers/sandbox/apim"
)

// A story is a configuration that is planned and applied by the engine, at a server in memory.
type story struct {
	*served
	t       *testing.T
	dir     string
	store   engine.Store
	keys    *engine.Keys
	options engine.PlanOptions
}

func newStory(t *testing.T, change func(*sandbox.Options)) *story {
	return &story{served: serve(t, change), t: t, dir: t.TempDir(), store: store.NewMemory(), keys: engine.NewKeys([]byte("a key for tests, not a secret"))}
}

// provider returns another provider for the server.
func (s *story) provider() engine.Provider {
	p := New()
	env := map[string]string{"APIM_ENDPOINT": s.url, "APIM_USERNAME": "admin", "APIM_PASSWORD": "admin-password"}
	p.getenv = func(name string) string { return env[name] }
	return p
}

// write sets the configuration from now on.
func (s *story) write(main string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "main.hcl"), []byte(main), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) reconciler() *engine.Reconciler {
	s.t.Helper()
	known := schema.NewSet()
	p := s.provider()
	known.Providers["apim"] = p.Schema()
	for _, t := range p.Types() {
		known.Add(t.Schema())
	}
	for _, d := range p.Data() {
		known.Add(d.Schema())
	}
	cfg, diags := config.Load(s.dir, known, config.Inputs{NoFiles: true})
	s.fatal("loading", cfg, diags)
	return &engine.Reconciler{Config: cfg, Providers: map[string]func() engine.Provider{"apim": s.provider}, Keys: s.keys}
}

func (s *story) fatal(doing string, cfg *config.Config, diags hcl.Diagnostics) {
	s.t.Helper()
	if !diags.HasErrors() {
		return
	}
	var text bytes.Buffer
	if err := render.Diagnostics(&text, cfg.Sources(), diags, render.Options{}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Fatalf("%s: %s", doing, text.String())
}

func (s *story) plan() *engine.Plan {
	s.t.Helper()
	r := s.reconciler()
	meta, records, err := s.store.Read(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	p, diags := r.Plan(s.t.Context(), meta, records, s.options)
	s.fatal("planning", r.Config, diags)
	return p
}

// tryApply applies and returns what was wrong, and the result.
func (s *story) tryApply() (*engine.Result, hcl.Diagnostics) {
	s.t.Helper()
	r := s.reconciler()
	session, err := s.store.Lock(s.t.Context(), engine.Holder{ID: "test", Who: "test", Operation: "apply"})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	p, diags := r.Plan(s.t.Context(), session.Meta(), session.Records(), s.options)
	if diags.HasErrors() {
		return nil, diags
	}
	return r.Apply(s.t.Context(), p, session)
}

func (s *story) apply() *engine.Result {
	s.t.Helper()
	result, diags := s.tryApply()
	if diags.HasErrors() {
		s.t.Fatalf("applying: %s", diags)
	}
	return result
}

// synced plans again and demands that nothing is left to do.
func (s *story) synced() {
	s.t.Helper()
	if p := s.plan(); !p.Empty() {
		s.t.Fatalf("the plan is not empty: %q", changes(p))
	}
}

// changes are the paths that a plan changes, sorted, as "path" or "path (drift)"; of other actions
// than an update the action and the address.
func changes(p *engine.Plan) []string {
	out := []string{}
	for i := range p.Changes {
		c := &p.Changes[i]
		switch c.Action {
		case engine.None:
			continue
		case engine.Update:
		default:
			out = append(out, fmt.Sprintf("%c %s", c.Action, c.Address))
			continue
		}
		for _, path := range c.Paths {
			text := schema.PathString(path.Path)
			if path.Kind == engine.Drift {
				text += " (drift)"
			}
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// id returns the id of an object that the store holds.
func (s *story) id(address string) string {
	s.t.Helper()
	_, records, err := s.store.Read(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range records {
		if r.Address.String() == address {
			return r.ID
		}
	}
	s.t.Fatalf("no record of %s", address)
	return ""
}

// merge puts members over an object, deeply, as somebody else would.
func (s *story) merge(path string, over map[string]any) {
	s.t.Helper()
	now := s.raw(http.StatusOK, http.MethodGet, path, nil)
	var put func(into, from map[string]any)
	put = func(into, from map[string]any) {
		for name, v := range from {
			was, both := into[name].(map[string]any)
			if m, ok := v.(map[string]any); ok && both {
				put(was, m)
				continue
			}
			into[name] = v
		}
	}
	put(now, over)
	s.raw(http.StatusOK, http.MethodPut, path, now)
}

// form sends a form of one field past the provider.
func (s *story) form(status int, method, path, name, text string) {
	s.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	if err := errors.Join(w.WriteField(name, text), w.Close()); err != nil {
		s.t.Fatal(err)
	}
	s.send(status, method, path, w.FormDataContentType(), &body)
}

// does sends JSON past the provider; what is answered does not matter.
func (s *story) does(status int, method, path string, body any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.send(status, method, path, "application/json", bytes.NewReader(text))
}

func (s *story) send(status int, method, path, kind string, body io.Reader) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	r.SetBasicAuth("admin", "admin-password")
	r.Header.Set("Content-Type", kind)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if answer, err := io.ReadAll(res.Body); err != nil || res.StatusCode != status {
		s.t.Fatalf("%s %s: %d, want %d: %s (%v)", method, path, res.StatusCode, status, answer, err)
	}
}
