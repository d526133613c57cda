package apim

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/zclconf/go-cty/cty"

	sandbox "wso2plan/providers/sandbox/apim"
)

// TestAPIChangedAndNotRead: an API that was changed and cannot be read any more is returned as it was
// known last, with an error that says so.
func TestAPIChangedAndNotRead(t *testing.T) {
	var unreadable atomic.Bool
	s := serve(t, func(o *sandbox.Options) {
		o.Middleware = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ofAPI := strings.HasPrefix(r.URL.Path, publisher+"/apis/")
				if ofAPI && r.Method == http.MethodGet && unreadable.Load() {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				next.ServeHTTP(w, r)
				if ofAPI && r.Method == http.MethodPut {
					unreadable.Store(true)
				}
			})
		}
	})
	typ := s.typ("apim_api")
	operation := planned(blockOf(typ, "operation"), map[string]cty.Value{"verb": str("GET"), "target": str("/x")})
	wanted := map[string]cty.Value{"name": str("Pizza"), "version": str("1"), "context": str("/pizza"), "operation": cty.ListVal([]cty.Value{operation})}
	made, err := typ.Create(t.Context(), planned(&typ.Schema().Block, wanted))
	if err != nil {
		t.Fatal(err)
	}
	o, err := typ.Update(t.Context(), made, over(typ, made, map[string]cty.Value{"description": str("Pizzas")}))
	if err == nil || !strings.Contains(err.Error(), "it was changed, but could not be read") {
		t.Errorf("error: %v", err)
	}
	if o == nil || o.ID != made.ID {
		t.Errorf("object: %v", o)
	}
}

// TestDefinitionThatIsNone: what is no definition at all is an error, and not a definition that
// differs, which would be deployed again.
func TestDefinitionThatIsNone(t *testing.T) {
	answer := ""
	s := serve(t, func(o *sandbox.Options) {
		o.Middleware = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if answer != "" && strings.HasSuffix(r.URL.Path, "/swagger") {
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte(answer))
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	})
	typ := s.typ("apim_api")
	made, err := typ.Create(t.Context(), planned(&typ.Schema().Block, map[string]cty.Value{"name": str("Pizza"), "version": str("1"), "context": str("/pizza")}))
	if err != nil {
		t.Fatal(err)
	}
	for _, answer = range []string{"{}", "[]", `{"status": "UP"}`} {
		if o, err := typ.Read(t.Context(), made.ID); err == nil || !strings.Contains(err.Error(), "no definition: "+answer) {
			t.Errorf("%s: %v, %v", answer, o, err)
		}
	}
}
