package apim

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
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

// dcr is the client registration of an authorization server: strict enough for keys.
type dcr struct {
	*httptest.Server
	mu       sync.Mutex
	made     int
	clients  map[string]map[string]any
	failures int  // registrations that fail from now on
	secret   bool // whether it gives secrets out again
	lose     bool // the token endpoint fails, after the client was made
}

func newDCR(t *testing.T) *dcr {
	d := &dcr{clients: map[string]map[string]any{}, secret: true}
	d.Server = httptest.NewServer(http.HandlerFunc(d.serve))
	t.Cleanup(d.Close)
	return d
}

func (d *dcr) serve(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	answer := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	if r.URL.Path == "/token" {
		if d.lose {
			answer(503, map[string]any{"error": "down"})
			return
		}
		answer(200, map[string]any{"access_token": "t", "scope": "default", "expires_in": 3600})
		return
	}
	id := strings.Trim(strings.TrimPrefix(r.URL.Path, "/register"), "/")
	if plain, err := base64.URLEncoding.DecodeString(id); err == nil && d.clients[string(plain)] != nil {
		id = string(plain)
	}
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	c := d.clients[id]
	switch {
	case r.Method == http.MethodPost && id == "":
		if d.failures > 0 {
			d.failures--
			answer(500, map[string]any{"error": "down"})
			return
		}
		d.made++
		c = map[string]any{"client_id": fmt.Sprintf("client-%d", d.made), "client_secret": fmt.Sprintf("secret-of-%d", d.made),
			"grant_types": body["grant_types"], "redirect_uris": body["redirect_uris"]}
		d.clients[c["client_id"].(string)] = c
		answer(201, c)
	case c == nil:
		answer(404, map[string]any{"error": "not found"})
	case r.Method == http.MethodDelete:
		delete(d.clients, id)
		w.WriteHeader(204)
	case r.Method == http.MethodPut:
		c["grant_types"], c["redirect_uris"] = body["grant_types"], body["redirect_uris"]
		answer(200, d.shown(c))
	default:
		answer(200, d.shown(c))
	}
}

func (d *dcr) shown(c map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range c {
		if k != "client_secret" || d.secret {
			out[k] = v
		}
	}
	return out
}

// withDCR serves an API Manager with an application "shop" and a key manager "IS" at d.
func withDCR(t *testing.T, d *dcr, change func(*sandbox.Options)) (s *served, keys engine.Type, app string) {
	t.Helper()
	s = serve(t, change)
	km, apps := s.typ("apim_key_manager"), s.typ("apim_application")
	must[*engine.Object](t)(km.Create(t.Context(), value(km, oracleManager(map[string]cty.Value{
		"client_registration_endpoint": str(d.URL + "/register"), "token_endpoint": str(d.URL + "/token"),
		"enable_map_oauth_consumer_apps": cty.True,
	}))))
	o := must[*engine.Object](t)(apps.Create(t.Context(), value(apps, map[string]cty.Value{"name": str("shop"), "throttling_policy": str("Unlimited")})))
	return s, s.typ("apim_application_keys"), o.ID
}

func keysOfShop(app string, more map[string]cty.Value) map[string]cty.Value {
	attrs := map[string]cty.Value{"application_id": str(app), "key_type": str("PRODUCTION"), "grant_types": strs("client_credentials")}
	for name, v := range more {
		attrs[name] = v
	}
	return attrs
}

func TestApplicationKeysLife(t *testing.T) {
	s, keys, app := withDCR(t, newDCR(t), nil)
	ctx := t.Context()
	planned := value(keys, keysOfShop(app, map[string]cty.Value{
		"additional_properties": props("application_access_token_expiry_time", "1800", "pkceMandatory", "true"),
		"scopes":                strs("a", "b"), "validity_time": num(100),
	}))
	if _, err := keys.Find(ctx, planned); !errors.Is(err, engine.ErrNotFound) {
		t.Fatalf("found before they are made: %v", err)
	}
	o := must[*engine.Object](t)(keys.Create(ctx, planned))
	have := knownMap(o.Value, "additional_properties")
	if have["application_access_token_expiry_time"] != "1800" || have["pkceMandatory"] != "true" {
		t.Errorf("properties %v", have)
	}
	if knownString(o.Value, "key_manager") != residentKeyManager || knownString(o.Value, "mode") != "CREATED" || knownString(o.Value, "key_state") != "COMPLETED" ||
		knownString(o.Value, "consumer_key") == "" || !isObject(o.Value) || isObject(plain(o.Value, "existing_client")) {
		t.Errorf("made %#v", o.Value)
	}
	secret := knownString(o.Value, "consumer_secret")
	found := must[*engine.Object](t)(keys.Find(ctx, planned))
	if found.ID != o.ID || !found.Value.RawEquals(o.Value) {
		t.Error("what is found is not what was made")
	}

	// Grants, callback and one property change in place; another property is removed.
	changed := must[*engine.Object](t)(keys.Update(ctx, o, over(keys, o, map[string]cty.Value{
		"grant_types": strs("client_credentials", "authorization_code"), "callback_url": str("https://shop.example.com/cb"),
		"additional_properties": props("application_access_token_expiry_time", "900"),
	})))
	if !plain(changed.Value, "grant_types").RawEquals(strs("client_credentials", "authorization_code")) || knownString(changed.Value, "callback_url") != "https://shop.example.com/cb" ||
		knownMap(changed.Value, "additional_properties")["application_access_token_expiry_time"] != "900" {
		t.Errorf("changed to %#v", changed.Value)
	}
	if _, ok := knownMap(changed.Value, "additional_properties")["pkceMandatory"]; ok {
		t.Error("the removed property is still there")
	}
	if changed.ID != o.ID || knownString(changed.Value, "consumer_secret") != secret {
		t.Error("the change made new keys")
	}
	// A new secret, and nothing else.
	again := must[*engine.Object](t)(keys.Update(ctx, changed, over(keys, changed, map[string]cty.Value{"secret_version": num(2)})))
	if fresh := knownString(again.Value, "consumer_secret"); fresh == secret || fresh == "" || knownString(again.Value, "consumer_key") != knownString(o.Value, "consumer_key") {
		t.Errorf("the secret was %q and is %q", secret, fresh)
	}
	c := keys.(engine.Consequence)
	if got := c.Consequence(engine.Update, changed.Value, over(keys, changed, map[string]cty.Value{"secret_version": num(2)})); !strings.Contains(got, "fail until they are redeployed") {
		t.Errorf("consequence %q", got)
	}
	if got := c.Consequence(engine.Update, changed.Value, over(keys, changed, map[string]cty.Value{"callback_url": str("x")})); got != "" {
		t.Errorf("consequence of a small change %q", got)
	}

	// Edited behind our back.
	_, id, _ := strings.Cut(o.ID, "/")
	s.raw(200, "PUT", keysPath(app)+"/"+id, map[string]any{"keyMappingId": id, "keyType": "PRODUCTION", "keyManager": residentKeyManager,
		"supportedGrantTypes": []string{"password"}, "callbackUrl": "https://theirs"})
	if _, err := keys.Update(ctx, again, over(keys, again, map[string]cty.Value{"callback_url": str("https://ours")})); !errors.Is(err, engine.ErrMoved) {
		t.Errorf("an edit behind our back: %v", err)
	}
	for range 2 {
		if err := keys.Delete(ctx, again); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := keys.Read(ctx, o.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("read after delete: %v", err)
	}
	if s.clients.count() != 0 {
		t.Error("the client is still in the key manager")
	}
}

func TestApplicationKeysExist(t *testing.T) {
	_, keys, app := withDCR(t, newDCR(t), nil)
	planned := value(keys, keysOfShop(app, nil))
	must[*engine.Object](t)(keys.Create(t.Context(), planned))
	o, err := keys.Create(t.Context(), planned)
	if o != nil || !engine.Refused(err) {
		t.Errorf("keys that exist: %v, %v", o, err)
	}
}

// TestStuckRow is the trap 6 of apim-behaviour: a generation that failed leaves a row, and every
// further one is 901409.
func TestStuckRow(t *testing.T) {
	d := newDCR(t)
	s, keys, app := withDCR(t, d, nil)
	planned := value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS")}))
	d.failures = 1
	s.raw(500, "POST", devportal+"/applications/"+app+"/generate-keys", map[string]any{
		"keyType": "PRODUCTION", "keyManager": "IS", "grantTypesToBeSupported": []string{"client_credentials"}})
	if _, err := keys.Find(t.Context(), planned); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("a stuck row is found: %v", err)
	}
	o := must[*engine.Object](t)(keys.Create(t.Context(), planned)) // over the row of another
	if err := keys.Delete(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	d.failures = 3
	o = must[*engine.Object](t)(keys.Create(t.Context(), planned)) // over rows of our own
	if knownString(o.Value, "consumer_key") == "" || len(d.clients) != 1 {
		t.Errorf("%d clients; %#v", len(d.clients), o.Value)
	}
	if err := keys.Delete(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	d.failures = 1 << 20
	s.timings.keys = 300 * time.Millisecond
	o, err := keys.Create(t.Context(), planned)
	if o != nil || err == nil || !strings.Contains(err.Error(), `key manager "IS" makes PRODUCTION keys`) || !strings.Contains(err.Error(), "the last answer was") {
		t.Errorf("a key manager that stays down: %v, %v", o, err)
	}
	if rows := must[[]keyRow](t)(keys.(*keysType).rows(t.Context(), app)); len(rows) != 0 {
		t.Errorf("it left %+v", rows)
	}
}

// TestLostAnswer makes keys whose answer never comes: they are not made twice.
func TestLostAnswer(t *testing.T) {
	d := newDCR(t)
	_, keys, app := withDCR(t, d, nil)
	d.lose = true
	o := must[*engine.Object](t)(keys.Create(t.Context(), value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS")}))))
	if len(d.clients) != 1 || knownString(o.Value, "consumer_key") != "client-1" {
		t.Errorf("%d clients; %#v", len(d.clients), o.Value)
	}
}

func TestKeysBeforeTheKeyManagerIsLoaded(t *testing.T) {
	d := newDCR(t)
	s, keys, app := withDCR(t, d, func(o *sandbox.Options) { o.KeyManagerDelay = 500 * time.Millisecond })
	s.raw(201, "POST", admin+"/key-managers", map[string]any{"name": "Late", "type": "Oracle", "enabled": true, "enableOAuthAppCreation": true,
		"enableTokenGeneration": true, "additionalProperties": map[string]any{"Username": "admin", "Password": "x"}, "issuer": "late", "availableGrantTypes": []string{}, "claimMapping": []string{}, "tokenValidation": []string{},
		"clientRegistrationEndpoint": d.URL + "/register", "tokenEndpoint": d.URL + "/token", "revokeEndpoint": d.URL + "/revoke", "introspectionEndpoint": d.URL + "/introspect"})
	o, err := keys.Create(t.Context(), value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("Late")})))
	if err != nil || knownString(o.Value, "key_manager") != "Late" {
		t.Errorf("%v, %v", o, err)
	}
}

func TestKeysRefused(t *testing.T) {
	d := newDCR(t)
	s, keys, app := withDCR(t, d, nil)
	km := s.typ("apim_key_manager")
	for _, more := range []map[string]cty.Value{
		{"name": str("off"), "issuer": str("off"), "enabled": cty.False},
		{"name": str("mapped only"), "issuer": str("m"), "enable_oauth_app_creation": cty.False},
	} {
		must[*engine.Object](t)(km.Create(t.Context(), value(km, oracleManager(more))))
	}
	for name, c := range map[string]struct {
		more            map[string]cty.Value
		attribute, want string
	}{
		"unknown key manager": {map[string]cty.Value{"key_manager": str("nothing")}, "key_manager", `no key manager named "nothing"; it offers "IS"`},
		"disabled":            {map[string]cty.Value{"key_manager": str("off")}, "key_manager", "is disabled"},
		"no creation":         {map[string]cty.Value{"key_manager": str("mapped only")}, "key_manager", "enable_oauth_app_creation"},
		"missing application": {map[string]cty.Value{"application_id": str("0b9a8d6c-0000-4000-8000-000000000000")}, "application_id", "no application with the id"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := keys.Create(t.Context(), value(keys, keysOfShop(app, c.more)))
			var at *engine.AttributeError
			if !errors.As(err, &at) || at.Attribute != c.attribute || !strings.Contains(err.Error(), c.want) || !engine.Refused(err) {
				t.Errorf("got %v", err)
			}
			if time.Since(start) > s.timings.keys {
				t.Error("it was tried again and again")
			}
		})
	}
}

func TestMappedKeys(t *testing.T) {
	d := newDCR(t)
	_, keys, app := withDCR(t, d, nil)
	d.clients["theirs"] = map[string]any{"client_id": "theirs", "client_secret": "their-secret", "grant_types": []string{"password"}}
	client := func(id, secret string) cty.Value {
		return cty.ObjectVal(map[string]cty.Value{"consumer_key": str(id), "consumer_secret": str(secret)})
	}
	planned := value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS"), "existing_client": client("theirs", "their-secret"),
		"callback_url": str("https://shop.example.com")}))
	o := must[*engine.Object](t)(keys.Create(t.Context(), planned))
	if knownString(o.Value, "mode") != "MAPPED" || knownString(plain(o.Value, "existing_client"), "consumer_key") != "theirs" ||
		!plain(plain(o.Value, "existing_client"), "consumer_secret").IsNull() || knownString(o.Value, "callback_url") != "https://shop.example.com" ||
		!plain(o.Value, "grant_types").RawEquals(strs("client_credentials")) {
		t.Errorf("mapped %#v", o.Value)
	}
	if err := keys.Delete(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if len(d.clients) != 1 {
		t.Error("the client of others is gone")
	}
	bad := value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS"), "existing_client": client("theirs", "wrong")}))
	if _, err := keys.Create(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "are the consumer key and secret of existing_client") {
		t.Errorf("a wrong secret: %v", err)
	}
}

// TestSecretShownOnce is a key manager that gives secrets out once.
func TestSecretShownOnce(t *testing.T) {
	d := newDCR(t)
	d.secret = false
	_, keys, app := withDCR(t, d, nil)
	o := must[*engine.Object](t)(keys.Create(t.Context(), value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS")}))))
	if got := knownString(o.Value, "consumer_secret"); got != "secret-of-1" {
		t.Errorf("made with the secret %q", got)
	}
	o = must[*engine.Object](t)(keys.Read(t.Context(), o.ID))
	if !plain(o.Value, "consumer_secret").IsNull() {
		t.Errorf("read with the secret %#v", plain(o.Value, "consumer_secret"))
	}
}

func TestKeysID(t *testing.T) {
	s := serve(t, nil)
	keys := s.typ("apim_application_keys")
	for _, id := range []string{"", "x", "x/", "/x", "a/b/c"} {
		if _, err := keys.Read(t.Context(), id); !errors.Is(err, engine.ErrNotFound) || !strings.Contains(err.Error(), "APPLICATION-ID/KEY-MAPPING-ID") {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestApplicationKeysCheck(t *testing.T) {
	keys := New().typ("apim_application_keys")
	existing := cty.ObjectVal(map[string]cty.Value{"consumer_key": str("x"), "consumer_secret": cty.NullVal(cty.String)})
	for name, c := range map[string]struct {
		more map[string]cty.Value
		want []string
	}{
		"fine":            {nil, nil},
		"no grants":       {map[string]cty.Value{"grant_types": cty.NullVal(cty.Set(cty.String))}, []string{"Set grant_types"}},
		"no callback":     {map[string]cty.Value{"grant_types": strs("implicit", "authorization_code")}, []string{"Set callback_url"}},
		"callback later":  {map[string]cty.Value{"grant_types": strs("implicit"), "callback_url": cty.UnknownVal(cty.String)}, nil},
		"mapped":          {map[string]cty.Value{"existing_client": existing, "grant_types": cty.NullVal(cty.Set(cty.String))}, nil},
		"mapped and more": {map[string]cty.Value{"existing_client": existing, "scopes": strs("a"), "secret_version": num(2)}, []string{"scopes", "secret_version"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := keys.Schema().Check(value(keys, keysOfShop("a", c.more)))
			if len(got) != len(c.want) {
				t.Fatalf("problems %+v", got)
			}
			for i := range got {
				if !strings.Contains(got[i].Detail, c.want[i]) {
					t.Errorf("%q, want %q", got[i].Detail, c.want[i])
				}
			}
		})
	}
}
