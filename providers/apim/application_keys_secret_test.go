package apim

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/apim"
)

// is7Manager is a key manager of the connector that makes no new secrets.
func is7Manager(d *dcr) map[string]cty.Value {
	return map[string]cty.Value{
		"name": str("IS7"), "type": str("WSO2-IS-7"), "issuer": str(d.URL + "/is7"),
		"client_registration_endpoint": str(d.URL + "/register"), "token_endpoint": str(d.URL + "/token"),
		"introspection_endpoint": str(d.URL + "/introspect"), "revoke_endpoint": str(d.URL + "/revoke"),
		"enable_oauth_app_creation": cty.True, "enable_token_generation": cty.True, "enable_map_oauth_consumer_apps": cty.True,
		"additional_properties": props("Username", "admin", "api_resource_management_endpoint", d.URL+"/resources", "is7_roles_endpoint", d.URL+"/roles"),
		"secret_properties":     props("Password", "km-secret"),
	}
}

// answering lets a regeneration take effect as often as it is asked for, and gives the client the
// answer of instead.
func answering(instead http.HandlerFunc) func(*sandbox.Options) {
	return func(o *sandbox.Options) {
		o.Middleware = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/regenerate-secret") {
					next.ServeHTTP(httptest.NewRecorder(), r)
					instead(w, r)
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	}
}

func TestSecretVersion(t *testing.T) {
	down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	for name, c := range map[string]struct {
		keyManager string
		hidden     bool // the authorization server does not give secrets out again
		version    int64
		change     func(*sandbox.Options)
		want       string // of the error; "": none
		renewed    bool
	}{
		"resident":                     {keyManager: residentKeyManager, version: 2, renewed: true},
		"resident, back to the first":  {keyManager: residentKeyManager, version: 1, renewed: true},
		"resident, lost answer":        {keyManager: residentKeyManager, version: 2, change: answering(down), renewed: true},
		"connector without":            {keyManager: "IS7", version: 2, want: `key manager "IS7" does not make new secrets`},
		"connector without, hidden":    {keyManager: "IS7", hidden: true, version: 2, want: "use -replace=ADDRESS"},
		"connector without, first":     {keyManager: "IS7", version: 1},
		"connector without, no answer": {keyManager: "IS7", version: 2, change: answering(down), want: "making a new secret"},
		"connector that refuses":       {keyManager: "IS", version: 2, want: "making a new secret"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDCR(t)
			d.secret = !c.hidden
			s, keys, app := withDCR(t, d, c.change)
			km := s.typ("apim_key_manager")
			must[*engine.Object](t)(km.Create(t.Context(), value(km, is7Manager(d))))
			made := must[*engine.Object](t)(keys.Create(t.Context(), value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str(c.keyManager)}))))
			read := must[*engine.Object](t)(keys.Read(t.Context(), made.ID))
			o, err := keys.Update(t.Context(), read, over(keys, read, map[string]cty.Value{"secret_version": num(c.version)}))
			if o == nil || o.ID != made.ID || knownString(o.Value, "consumer_key") != knownString(made.Value, "consumer_key") {
				t.Fatalf("%v, %v", o, err)
			}
			before, after := knownString(read.Value, "consumer_secret"), knownString(o.Value, "consumer_secret")
			if renewed := after != before && after != ""; renewed != c.renewed {
				t.Errorf("the secret was %q and is %q", before, after)
			}
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var at *engine.AttributeError
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if knows := !strings.HasPrefix(c.want, "making"); errors.As(err, &at) != knows || knows && at.Attribute != "secret_version" {
				t.Errorf("it is said of %+v", at)
			}
		})
	}
}

// TestSecretShownInAnswer is a key manager that tells the new secret once, in its answer.
func TestSecretShownInAnswer(t *testing.T) {
	d := newDCR(t)
	d.secret = false
	_, keys, app := withDCR(t, d, answering(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"consumerKey": "client-1", "consumerSecret": "fresh"}`))
	}))
	o := must[*engine.Object](t)(keys.Create(t.Context(), value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS")}))))
	read := must[*engine.Object](t)(keys.Read(t.Context(), o.ID))
	again := must[*engine.Object](t)(keys.Update(t.Context(), read, over(keys, read, map[string]cty.Value{"secret_version": num(2)})))
	if got := knownString(again.Value, "consumer_secret"); got != "fresh" {
		t.Errorf("the new secret is %q", got)
	}
}

// TestSecretOfMappedClient completes mapped keys: the secret is somebody else's and stays.
func TestSecretOfMappedClient(t *testing.T) {
	asked := 0
	d := newDCR(t)
	_, keys, app := withDCR(t, d, answering(func(http.ResponseWriter, *http.Request) { asked++ }))
	d.clients["theirs"] = map[string]any{"client_id": "theirs", "client_secret": "their-secret", "grant_types": []string{"password"}}
	o := must[*engine.Object](t)(keys.Create(t.Context(), value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS"),
		"existing_client": cty.ObjectVal(map[string]cty.Value{"consumer_key": str("theirs"), "consumer_secret": str("their-secret")})}))))
	o = must[*engine.Object](t)(keys.Update(t.Context(), o, over(keys, o, map[string]cty.Value{"secret_version": num(1), "callback_url": str("https://x")})))
	if asked != 0 || knownString(o.Value, "consumer_secret") != "their-secret" || knownString(o.Value, "callback_url") != "https://x" {
		t.Errorf("asked %d times; %#v", asked, o.Value)
	}
}

func TestSecretVersionInPlan(t *testing.T) {
	d := newDCR(t)
	s, keys, app := withDCR(t, d, nil)
	km := s.typ("apim_key_manager")
	must[*engine.Object](t)(km.Create(t.Context(), value(km, is7Manager(d))))
	null := cty.NullVal(cty.Number)
	planned := func(action engine.Action, keyManager string, version cty.Value) engine.Planned {
		return engine.Planned{Address: "apim_application_keys." + keyManager, Action: action,
			After: value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str(keyManager), "secret_version": version}))}
	}
	unset := planned(engine.Update, "IS7", null)
	unset.After = over(keys, &engine.Object{Value: unset.After}, map[string]cty.Value{"secret_version": null}) // not written
	for name, c := range map[string]struct {
		p       engine.Planned
		want    string
		warning bool
	}{
		"new secret": {planned(engine.Update, "IS7", num(2)), "-replace='apim_application_keys.IS7'", false},
		"the first":  {planned(engine.Update, "IS7", num(1)), "keep the one that they have", true},
		"new client": {planned(engine.Replace, "IS7", num(2)), "", false},
		"made":       {planned(engine.Create, "IS7", num(2)), "", false},
		"other":      {unset, "", false},
		"resident":   {planned(engine.Update, residentKeyManager, num(2)), "", false},
		"connector":  {planned(engine.Update, "IS", num(2)), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := keys.(engine.Checker).CheckPlan(t.Context(), []engine.Planned{{Address: "gone", Action: engine.Delete, After: cty.NullVal(keys.Schema().ImpliedType())}, c.p})
			if c.want == "" {
				if len(got) != 0 {
					t.Errorf("problems %+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Index != 1 || got[0].Attribute != "secret_version" || got[0].Warning != c.warning || !strings.Contains(got[0].Detail, c.want) {
				t.Errorf("problems %+v", got)
			}
		})
	}
}
