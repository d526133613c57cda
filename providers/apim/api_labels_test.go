package apim

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/apim"
)

// TestLabelsOfServerWithout: APIs are asked for their labels only where the server may have some: not
// where it says that it has none, and again after we attached one.
func TestLabelsOfServerWithout(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	silent := false
	s := serve(t, func(o *sandbox.Options) {
		o.Middleware = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				path, ok := strings.CutPrefix(r.URL.Path, publisher)
				if !ok || r.Method != http.MethodGet || !strings.HasSuffix(path, "/labels") {
					next.ServeHTTP(w, r)
					return
				}
				mu.Lock()
				all := path == "/labels"
				if all {
					asked["server"]++
				} else {
					asked["API"]++
				}
				answer := silent && all
				mu.Unlock()
				if answer {
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte("{}"))
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	})
	create := func(name string, more map[string]cty.Value) *engine.Object {
		t.Helper()
		typ := s.typ("apim_api")
		attrs := map[string]cty.Value{"name": str(name), "version": str("1"), "context": str("/" + name)}
		for k, v := range more {
			attrs[k] = v
		}
		o, err := typ.Create(t.Context(), planned(&typ.Schema().Block, attrs))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	read := func(p *Provider, objects ...*engine.Object) (labels []string) {
		t.Helper()
		mu.Lock()
		clear(asked)
		mu.Unlock()
		for _, o := range objects {
			now, err := p.typ("apim_api").Read(t.Context(), o.ID)
			if err != nil {
				t.Fatal(err)
			}
			labels = append(labels, stringsOf(plain(now.Value, "labels"))...)
		}
		return labels
	}
	expect := func(what string, server, api int, labels, want []string) {
		t.Helper()
		if asked["server"] != server || asked["API"] != api || !slices.Equal(labels, want) {
			t.Errorf("%s: the server was asked %d times and APIs %d times for labels, want %d and %d; they are %q, want %q", what,
				asked["server"], asked["API"], server, api, labels, want)
		}
	}
	one, two := create("one", nil), create("two", nil)
	expect("no labels", 1, 0, read(s.login("admin"), one, two), nil)

	label := s.typ("apim_label")
	if _, err := label.Create(t.Context(), planned(&label.Schema().Block, map[string]cty.Value{"name": str("blue")})); err != nil {
		t.Fatal(err)
	}
	three := create("three", map[string]cty.Value{"labels": cty.SetVal([]cty.Value{str("blue")})})
	if got := stringsOf(plain(three.Value, "labels")); !slices.Equal(got, []string{"blue"}) {
		t.Errorf("made with the label: %q", got)
	}
	expect("a label of ours", 0, 3, read(s.Provider, one, two, three), []string{"blue"})
	expect("a label", 1, 2, read(s.login("admin"), one, three), []string{"blue"})

	silent = true
	expect("an answer without a list", 2, 2, read(s.login("admin"), one, three), []string{"blue"})
}
