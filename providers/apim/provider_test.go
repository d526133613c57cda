package apim

import (
	"net/http"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	sandbox "wso2plan/providers/sandbox/apim"
)

func TestRealm(t *testing.T) {
	s := serve(t, nil)
	if !strings.HasPrefix(s.realm, "apim:") || len(s.realm) != len("apim:")+36 {
		t.Errorf("realm %q, want apim: and a UUID", s.realm)
	}
	// By another address of the same server it is the same, of another server it is not.
	again := s.realm
	s.url = strings.Replace(s.url, "127.0.0.1", "localhost", 1)
	s.login("admin")
	if s.realm != again {
		t.Errorf("realm %q by another address, want %q", s.realm, again)
	}
	if other := serve(t, nil); other.realm == s.realm {
		t.Errorf("two servers have the realm %q", s.realm)
	}
}

func TestVersion(t *testing.T) {
	for version, warned := range map[string]bool{"4.5.0": false, "4.5.1": false, "4.6.0": true, "4.4.0": true} {
		s := serve(t, func(o *sandbox.Options) { o.Version = version })
		got := strings.Join(s.warnings, "\n")
		if strings.Contains(got, version) != warned || (got != "") != warned {
			t.Errorf("version %s: warnings %q", version, got)
		}
	}
	// A server that does not tell is no reason to worry.
	s := serve(t, func(o *sandbox.Options) {
		o.Middleware = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/services/") {
					http.NotFound(w, r)
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	})
	if len(s.warnings) != 0 {
		t.Errorf("warnings %q of a server without a version", s.warnings)
	}
}

func TestEnvironment(t *testing.T) {
	env := map[string]string{"APIM_HOST": "am.example.com", "APIM_ADMIN_USER": "boss", "APIM_ADMIN_PASS": "pw"}
	got, err := product.Settings(cty.NilVal, func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	if got.Endpoint != "https://am.example.com:9443" || got.Username != "boss" || got.Password != "pw" {
		t.Errorf("settings %q %q %q", got.Endpoint, got.Username, got.Password)
	}
	env["APIM_PORT"], env["APIM_USERNAME"] = "9445", "first"
	if got, _ = product.Settings(cty.NilVal, func(name string) string { return env[name] }); got.Endpoint != "https://am.example.com:9445" || got.Username != "first" {
		t.Errorf("settings %q %q", got.Endpoint, got.Username)
	}
}

func TestTables(t *testing.T) {
	for _, typ := range New().Types() {
		table := typ.Schema()
		t.Run(table.Name, func(t *testing.T) {
			for _, key := range table.Key {
				if a := table.Attribute(key); a == nil || a.Sensitive {
					t.Errorf("key %q is no plain attribute", key)
				}
			}
			if table.Attribute("id") == nil {
				t.Error("there is no id to refer to")
			}
			if table.Doc == "" {
				t.Error("no doc")
			}
			for _, a := range table.Attributes {
				if a.Doc == "" {
					t.Errorf("%s has no doc", a.Name)
				}
				if a.WriteOnly && !a.Sensitive && !strings.Contains(a.Doc, "compared with what was last applied") {
					t.Errorf("%s is write-only and its doc does not say why", a.Name)
				}
			}
		})
	}
}
