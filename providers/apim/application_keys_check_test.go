package apim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/apim"
)

// TestKeysWithoutClient reads keys whose key manager does not show API Manager their client: the plan
// warns, and nothing is written that might overwrite what is not known.
func TestKeysWithoutClient(t *testing.T) {
	d := newDCR(t)
	_, keys, app := withDCR(t, d, nil)
	planned := value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS")}))
	o := must[*engine.Object](t)(keys.Create(t.Context(), planned))
	whole := must[*engine.Object](t)(keys.Read(t.Context(), o.ID))
	check := func(o *engine.Object, action engine.Action) []engine.PlanProblem {
		return keys.(engine.Checker).CheckPlan(t.Context(), []engine.Planned{{Address: "apim_application_keys.shop", Live: o, After: planned, Action: action}})
	}
	if got := check(whole, engine.None); len(got) != 0 {
		t.Errorf("problems of keys that were read: %+v", got)
	}
	d.mu.Lock()
	clear(d.clients)
	d.mu.Unlock()
	hollow := must[*engine.Object](t)(keys.Read(t.Context(), o.ID))
	got := check(hollow, engine.Update)
	if len(got) != 1 || !got[0].Warning || !strings.Contains(got[0].Detail, `could not ask key manager "IS"`) {
		t.Errorf("problems of keys without a client: %+v", got)
	}
	if got := check(hollow, engine.Delete); len(got) != 0 {
		t.Errorf("problems of a deletion: %+v", got)
	}
	_, err := keys.Update(t.Context(), hollow, over(keys, hollow, map[string]cty.Value{"grant_types": strs("password")}))
	if err == nil || !engine.Refused(err) || !strings.Contains(err.Error(), "without their client") {
		t.Errorf("update: %v", err)
	}
}

// TestKeysMadeThoughRefused makes keys whose client gets no token: API Manager 4.5 answers 400, and
// has made them. They are ours, and not made again.
func TestKeysMadeThoughRefused(t *testing.T) {
	d := newDCR(t)
	refuses := true
	_, keys, app := withDCR(t, d, func(o *sandbox.Options) {
		o.Middleware = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if refuses && strings.HasSuffix(r.URL.Path, "/generate-keys") {
					refuses = false
					next.ServeHTTP(httptest.NewRecorder(), r)
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusBadRequest)
					_, _ = w.Write([]byte(`{"code": 902003, "message": "Invalid Request sent to Key Manager."}`))
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	})
	planned := value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS")}))
	o := must[*engine.Object](t)(keys.Create(t.Context(), planned))
	if len(d.clients) != 1 || knownString(o.Value, "consumer_key") == "" {
		t.Errorf("%d clients, keys %#v", len(d.clients), o.Value)
	}
}

// TestKeysNotDeletedByPage deletes keys when a web page, or a refused login, answers: the keys stay
// whole, rather than without their client.
func TestKeysNotDeletedByPage(t *testing.T) {
	d := newDCR(t)
	status := 0
	_, keys, app := withDCR(t, d, func(o *sandbox.Options) {
		o.Middleware = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete && status != 0 {
					w.Header().Set("Content-Type", "text/html")
					w.WriteHeader(status)
					_, _ = w.Write([]byte(`<html>Sign in</html>`))
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	})
	o := must[*engine.Object](t)(keys.Create(t.Context(), value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS")}))))
	for _, status = range []int{404, 401, 200, 0} {
		err := keys.Delete(t.Context(), o)
		_, read := keys.Read(t.Context(), o.ID)
		if deleted := status == 0; (err == nil) != deleted || (read == nil) == deleted || len(d.clients) == 0 != deleted {
			t.Errorf("%d: deletion %v, keys %v, %d clients", status, err, read, len(d.clients))
		}
	}
}
