package apim

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/apim"
)

// oracleManager is a key manager of a connector that needs Username and a masked Password.
func oracleManager(more map[string]cty.Value) map[string]cty.Value {
	attrs := map[string]cty.Value{
		"name": str("IS"), "type": str("Oracle"), "description": str("first"),
		"issuer":                       str("https://is.example.com/token"),
		"client_registration_endpoint": str("https://is.example.com/register"),
		"introspection_endpoint":       str("https://is.example.com/introspect"),
		"token_endpoint":               str("https://is.example.com/token"),
		"revoke_endpoint":              str("https://is.example.com/revoke"),
		"grant_types":                  strs("password", "client_credentials"),
		"enable_oauth_app_creation":    cty.True,
		"enable_token_generation":      cty.True,
		"additional_properties":        props("Username", "admin", "region", "eu"),
		"secret_properties":            props("Password", "km-secret"),
	}
	for name, v := range more {
		attrs[name] = v
	}
	return attrs
}

func TestKeyManagerLife(t *testing.T) {
	s := serve(t, nil)
	km := s.typ("apim_key_manager")
	ctx := t.Context()
	planned := value(km, oracleManager(map[string]cty.Value{
		"claim_mapping": cty.ListVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"remote_claim": str("sub"), "local_claim": str("http://wso2.org/claims/enduser")})}),
		"token_validation": cty.ListVal([]cty.Value{
			km.Schema().NestedBlock("token_validation").Object(map[string]cty.Value{"type": str("JWT"), "claims": props("iss", "https://is.*")}),
			km.Schema().NestedBlock("token_validation").Object(map[string]cty.Value{"type": str("REFERENCE"), "pattern": str("^[0-9a-f]+$"), "enable": cty.False}),
		}),
		"certificates":    cty.ObjectVal(map[string]cty.Value{"type": str("JWKS"), "value": str("https://is.example.com/jwks")}),
		"permission_type": str("ALLOW"), "permission_roles": strs("admin"),
	}))
	if _, err := km.Find(ctx, planned); !errors.Is(err, engine.ErrNotFound) {
		t.Fatalf("found before it is made: %v", err)
	}
	made := must[*engine.Object](t)(km.Create(ctx, planned))
	// What is configured is what is live, so a second plan is empty.
	for name, want := range planned.AsValueMap() {
		want, _ = want.UnmarkDeep()
		got := made.Value.GetAttr(name)
		a := km.Schema().Attribute(name)
		switch {
		case a != nil && (a.ReadOnly || want.IsNull()):
		case a != nil && a.WriteOnly:
			if !got.IsNull() {
				t.Errorf("%s is %#v, want null", name, got)
			}
		case a == nil && name == "token_validation":
			if got.LengthInt() != 2 || !got.Index(num(0)).GetAttr("claims").RawEquals(props("iss", "https://is.*")) || got.Index(num(1)).GetAttr("pattern").AsString() != "^[0-9a-f]+$" {
				t.Errorf("token_validation is %#v", got)
			}
		case !got.RawEquals(want):
			t.Errorf("%s is %#v, want %#v", name, got, want)
		}
	}
	if made.Value.GetAttr("id").AsString() != made.ID || made.System {
		t.Errorf("id %#v of %s, system %v", made.Value.GetAttr("id"), made.ID, made.System)
	}
	found := must[*engine.Object](t)(km.Find(ctx, planned))
	if !found.Value.RawEquals(made.Value) || found.ID != made.ID {
		t.Error("what is found is not what was made")
	}

	// A change leaves the secret alone, and takes a removed property away.
	changed := must[*engine.Object](t)(km.Update(ctx, made, over(km, made, map[string]cty.Value{
		"description": str("second"), "additional_properties": props("Username", "other"),
	})))
	if knownString(changed.Value, "description") != "second" || !plain(changed.Value, "additional_properties").RawEquals(props("Username", "other")) {
		t.Errorf("after the change: %#v", changed.Value)
	}
	if got := s.password(made.ID); got != "km-secret" {
		t.Errorf("the stored password is %q", got)
	}
	// The secret alone.
	changed = must[*engine.Object](t)(km.Update(ctx, changed, over(km, changed, map[string]cty.Value{"secret_properties": props("Password", "rotated")})))
	if got := s.password(made.ID); got != "rotated" {
		t.Errorf("the stored password is %q", got)
	}

	// Somebody edits what the plan changes: it is not overwritten.
	path := admin + "/key-managers/" + made.ID
	body := s.raw(200, "GET", path, nil)
	body["description"] = "theirs"
	s.raw(200, "PUT", path, body)
	if _, err := km.Update(ctx, changed, over(km, changed, map[string]cty.Value{"description": str("third")})); !errors.Is(err, engine.ErrMoved) {
		t.Errorf("an edit behind our back: %v", err)
	}
	// What it does not change may be edited.
	changed = must[*engine.Object](t)(km.Update(ctx, changed, over(km, changed, map[string]cty.Value{"issuer": str("https://new.example.com")})))
	if knownString(changed.Value, "description") != "theirs" {
		t.Error("the other's edit is lost")
	}

	for range 2 {
		if err := km.Delete(ctx, changed); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := km.Read(ctx, made.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("read after delete: %v", err)
	}
}

// password tells the stored password of a key manager: the answer to a PUT shows it.
func (s *served) password(id string) string {
	s.t.Helper()
	path := admin + "/key-managers/" + id
	out := s.raw(200, "PUT", path, s.raw(200, "GET", path, nil))
	text, _ := out["additionalProperties"].(map[string]any)["Password"].(string)
	return text
}

func TestKeyManagerWaits(t *testing.T) {
	s := serve(t, func(o *sandbox.Options) { o.KeyManagerDelay = 400 * time.Millisecond })
	km := s.typ("apim_key_manager")
	offered := func(id string) bool {
		list := must[[]keyManagerInfo](t)(s.server.keyManagers(t.Context(), devportal))
		for _, k := range list {
			if k.ID == id {
				return k.Enabled
			}
		}
		return false
	}
	o := must[*engine.Object](t)(km.Create(t.Context(), value(km, oracleManager(nil))))
	if !offered(o.ID) {
		t.Error("Create came back before the developer portal offers it")
	}
	off := must[*engine.Object](t)(km.Update(t.Context(), o, over(km, o, map[string]cty.Value{"enabled": cty.False})))
	must[*engine.Object](t)(km.Update(t.Context(), off, over(km, off, map[string]cty.Value{"enabled": cty.True})))
	if !offered(o.ID) {
		t.Error("Update came back before the developer portal offers it")
	}

	slow := serve(t, func(o *sandbox.Options) { o.KeyManagerDelay = time.Hour })
	slow.timings.keyManager = 300 * time.Millisecond
	km = slow.typ("apim_key_manager")
	o, err := km.Create(t.Context(), value(km, oracleManager(nil)))
	if o == nil || err == nil || !strings.Contains(err.Error(), `the developer portal offers key manager "IS"`) {
		t.Errorf("a key manager that never becomes ready: %v, %v", o, err)
	}
	// One that is not open to everybody may be hidden from us; one that is disabled is not offered.
	for _, more := range []map[string]cty.Value{
		{"name": str("a"), "issuer": str("a"), "permission_type": str("ALLOW"), "permission_roles": strs("admin")},
		{"name": str("b"), "issuer": str("b"), "enabled": cty.False},
	} {
		must[*engine.Object](t)(km.Create(t.Context(), value(km, oracleManager(more))))
	}
}

func TestResidentKeyManager(t *testing.T) {
	s := serve(t, nil)
	km := s.typ("apim_key_manager")
	o := must[*engine.Object](t)(km.Find(t.Context(), value(km, map[string]cty.Value{"name": str(residentKeyManager), "type": str("default")})))
	if !o.System {
		t.Error("it is not told as the server's own")
	}
	o = must[*engine.Object](t)(km.Update(t.Context(), o, over(km, o, map[string]cty.Value{"enabled": cty.False})))
	if !o.Value.GetAttr("enabled").False() || !o.System {
		t.Errorf("after disabling: %#v", o.Value.GetAttr("enabled"))
	}
	if err := km.Delete(t.Context(), o); err == nil || !engine.Refused(err) {
		t.Errorf("deleting it: %v", err)
	}
}

func TestKeyManagerInUse(t *testing.T) {
	s := serve(t, nil)
	dcr := newDCR(t)
	km, apps, keys := s.typ("apim_key_manager"), s.typ("apim_application"), s.typ("apim_application_keys")
	ctx := t.Context()
	o := must[*engine.Object](t)(km.Create(ctx, value(km, oracleManager(map[string]cty.Value{
		"client_registration_endpoint": str(dcr.URL + "/register"), "token_endpoint": str(dcr.URL + "/token"),
	}))))
	blockers := km.(engine.Blockers)
	if got := must[[]string](t)(blockers.Blockers(ctx, o)); len(got) != 0 {
		t.Errorf("blockers of an unused one: %q", got)
	}
	app := must[*engine.Object](t)(apps.Create(ctx, value(apps, map[string]cty.Value{"name": str("shop"), "throttling_policy": str("Unlimited")})))
	k := must[*engine.Object](t)(keys.Create(ctx, value(keys, map[string]cty.Value{
		"application_id": str(app.ID), "key_type": str("PRODUCTION"), "key_manager": str("IS"), "grant_types": strs("client_credentials")})))
	want := []string{`application "shop" of admin`}
	if diff := cmp.Diff(want, must[[]string](t)(blockers.Blockers(ctx, o))); diff != "" {
		t.Error(diff)
	}
	if err := km.Delete(ctx, o); err == nil || !strings.Contains(err.Error(), want[0]) || !engine.Refused(err) {
		t.Errorf("deleting it while in use: %v", err)
	}
	if err := keys.Delete(ctx, k); err != nil {
		t.Fatal(err)
	}
	if err := km.Delete(ctx, o); err != nil {
		t.Errorf("deleting it once it is free: %v", err)
	}
}

func TestKeyManagerDeleteWaitsForTheIndex(t *testing.T) {
	refusals := 2
	s := serve(t, func(o *sandbox.Options) {
		o.Middleware = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete && refusals > 0 {
					refusals--
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusPreconditionFailed)
					_, _ = w.Write([]byte(`{"code":902015,"message":"Key Manager is in use","description":"","moreInfo":"","error":[]}`))
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	})
	s.timings.inUse = 3 * time.Second
	km := s.typ("apim_key_manager")
	o := must[*engine.Object](t)(km.Create(t.Context(), value(km, oracleManager(nil))))
	if err := km.Delete(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	refusals = 1 << 20
	o = must[*engine.Object](t)(km.Create(t.Context(), value(km, oracleManager(nil))))
	s.timings.inUse = 200 * time.Millisecond
	if err := km.Delete(t.Context(), o); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("deleting what stays in use: %v", err)
	}
}

func TestKeyManagerCheckPlan(t *testing.T) {
	s := serve(t, nil)
	km := s.typ("apim_key_manager")
	check := km.(engine.Checker)
	plan := func(address string, more map[string]cty.Value) engine.Planned {
		return engine.Planned{Address: address, Action: engine.Create, After: value(km, oracleManager(more))}
	}
	issuer := func(i string) map[string]cty.Value { return map[string]cty.Value{"issuer": str(i)} }
	with := func(m map[string]cty.Value, name string, v cty.Value) map[string]cty.Value { m[name] = v; return m }
	foreign := must[*engine.Object](t)(km.Create(t.Context(), value(km, oracleManager(with(issuer("https://foreign"), "name", str("foreign"))))))

	for name, c := range map[string]struct {
		planned []engine.Planned
		want    []string // of each problem, a part
	}{
		"nothing": {nil, nil},
		"apart":   {[]engine.Planned{plan("a", issuer("1")), plan("b", issuer("2"))}, nil},
		"one issuer": {[]engine.Planned{plan("a", issuer("1")), plan("b", issuer(" 1 "))},
			[]string{"a and b are both enabled with the issuer \"1\""}},
		"one of them disabled": {[]engine.Planned{plan("a", issuer("1")), plan("b", with(issuer("1"), "enabled", cty.False))}, nil},
		"issuer not known": {[]engine.Planned{plan("a", map[string]cty.Value{"issuer": cty.UnknownVal(cty.String)}),
			plan("b", map[string]cty.Value{"issuer": cty.UnknownVal(cty.String)})}, nil},
		"a foreign one": {[]engine.Planned{plan("a", issuer("https://foreign"))}, []string{`so has key manager "foreign"`}},
		"a foreign one that is ours": {[]engine.Planned{plan("a", issuer("https://foreign")),
			{Address: "f", Live: foreign, After: over(km, foreign, map[string]cty.Value{"enabled": cty.False}), Action: engine.Update}}, nil},
		"a foreign one that is deleted": {[]engine.Planned{plan("a", issuer("https://foreign")),
			{Address: "f", Live: foreign, After: cty.NullVal(foreign.Value.Type()), Action: engine.Delete}}, nil},
		"unknown type":     {[]engine.Planned{plan("a", map[string]cty.Value{"type": str("WSO2IS")})}, []string{`no connector of type "WSO2IS"; it has`}},
		"missing secret":   {[]engine.Planned{plan("a", map[string]cty.Value{"secret_properties": cty.NullVal(cty.Map(cty.String))})}, []string{`needs "Password"`}},
		"missing property": {[]engine.Planned{plan("a", map[string]cty.Value{"additional_properties": props("x", "y")})}, []string{`needs "Username"`}},
		"missing endpoint": {[]engine.Planned{plan("a", map[string]cty.Value{"revoke_endpoint": cty.NullVal(cty.String)})}, []string{"needs revoke_endpoint"}},
		"resident":         {[]engine.Planned{plan("a", map[string]cty.Value{"type": str("default")})}, nil},
		"property not known": {[]engine.Planned{plan("a", map[string]cty.Value{"additional_properties": cty.UnknownVal(cty.Map(cty.String))})},
			nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := check.CheckPlan(t.Context(), c.planned)
			if len(got) != len(c.want) {
				t.Fatalf("%d problems: %+v", len(got), got)
			}
			for i := range got {
				if !strings.Contains(got[i].Detail, c.want[i]) || got[i].Warning {
					t.Errorf("%+v, want %q", got[i], c.want[i])
				}
			}
		})
	}
}

func TestKeyManagerMissingPropertyAtApply(t *testing.T) {
	s := serve(t, nil)
	km := s.typ("apim_key_manager")
	_, err := km.Create(t.Context(), value(km, oracleManager(map[string]cty.Value{"additional_properties": cty.UnknownVal(cty.Map(cty.String))})))
	var at *engine.AttributeError
	if !errors.As(err, &at) || !strings.Contains(err.Error(), "Username") || !engine.Refused(err) {
		t.Errorf("got %v", err)
	}
}

func TestKeyManagerCheck(t *testing.T) {
	km := New().typ("apim_key_manager")
	block := func(name string, attrs map[string]cty.Value) cty.Value {
		return km.Schema().NestedBlock(name).Object(attrs)
	}
	for name, c := range map[string]struct {
		more map[string]cty.Value
		want string
	}{
		"fine":         {nil, ""},
		"derived":      {map[string]cty.Value{"additional_properties": props("self_validate_jwt", "true")}, "enable_self_validation_jwt"},
		"plain secret": {map[string]cty.Value{"additional_properties": props("client_secret", "x")}, "Move it to secret_properties"},
		"mask":         {map[string]cty.Value{"secret_properties": props("Password", "*****")}, "can never be the value"},
		"no PEM":       {map[string]cty.Value{"certificates": block("certificates", map[string]cty.Value{"type": str("PEM"), "value": str("hello")})}, "neither PEM"},
		"a key": {map[string]cty.Value{"certificates": block("certificates", map[string]cty.Value{"type": str("PEM"),
			"value": str("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")})}, `holds a block "PRIVATE KEY", which is no certificate`},
		"pattern of JWTs": {map[string]cty.Value{"token_validation": cty.ListVal([]cty.Value{
			block("token_validation", map[string]cty.Value{"type": str("JWT"), "pattern": str("x")})})}, "told by their claims"},
		"claims of opaque": {map[string]cty.Value{"token_validation": cty.ListVal([]cty.Value{
			block("token_validation", map[string]cty.Value{"type": str("CUSTOM"), "claims": props("x", "y")})})}, "no claims to look at"},
		"public roles": {map[string]cty.Value{"permission_type": str("PUBLIC"), "permission_roles": strs("a")}, "open to everybody"},
		"no roles":     {map[string]cty.Value{"permission_type": str("DENY")}, "at least one role"},
		"claim twice": {map[string]cty.Value{"claim_mapping": cty.ListVal([]cty.Value{
			block("claim_mapping", map[string]cty.Value{"remote_claim": str("sub"), "local_claim": str("a")}),
			block("claim_mapping", map[string]cty.Value{"remote_claim": str("sub"), "local_claim": str("b")})})}, "blocks 1 and 2"},
		"resident": {map[string]cty.Value{"name": str(residentKeyManager)}, `whose type is "default"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := km.Schema().Check(value(km, oracleManager(c.more)))
			switch {
			case c.want == "" && len(got) != 0, c.want != "" && len(got) != 1:
				t.Errorf("problems %+v", got)
			case c.want != "" && !strings.Contains(got[0].Detail, c.want):
				t.Errorf("%q, want %q", got[0].Detail, c.want)
			}
		})
	}
	all := km.Schema().Block.ImpliedType()
	if got := km.Schema().Check(cty.UnknownVal(all)); len(got) != 0 {
		t.Errorf("problems of what is not known: %+v", got)
	}
}

func TestCertificates(t *testing.T) {
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("not a certificate, but PEM")}))
	encoded := base64.StdEncoding.EncodeToString([]byte(text))
	for _, v := range []string{text, "  " + text + "\n\n", strings.ReplaceAll(text, "\n", "\r\n"), "subject=x\n" + text, encoded, encoded[:20] + "\n" + encoded[20:]} {
		if got := canonicalPEM(str(v)).AsString(); got != text {
			t.Errorf("%q becomes %q", v, got)
		}
	}
	s := serve(t, nil)
	km := s.typ("apim_key_manager")
	o := must[*engine.Object](t)(km.Create(t.Context(), value(km, oracleManager(map[string]cty.Value{
		"certificates": cty.ObjectVal(map[string]cty.Value{"type": str("PEM"), "value": str("# ours\n" + text)}),
	}))))
	if got := knownString(plain(o.Value, "certificates"), "value"); got != text {
		t.Errorf("read back as %q", got)
	}
	sent := s.raw(200, "GET", admin+"/key-managers/"+o.ID, nil)["certificates"].(map[string]any)
	if sent["value"] != encoded {
		t.Errorf("sent as %q", sent["value"])
	}
}

func TestPropertyValue(t *testing.T) {
	for _, c := range []struct {
		kind, text string
		want       any
	}{
		{"input", "[x]", "[x]"}, {"input", "true", "true"}, {"input", "3600", "3600"},
		{"checkbox", "true", true}, {"checkbox", "Enable", "Enable"}, {"checkbox", "1", "1"},
		{"select", `["a","b"]`, []any{"a", "b"}}, {"select", "a", "a"}, {"select", "[a", "[a"},
		{"", `{"a":"b"}`, map[string]any{"a": "b"}}, {"", "{", "{"}, {"", "x", "x"},
	} {
		if diff := cmp.Diff(c.want, property{Type: c.kind}.value(c.text)); diff != "" {
			t.Errorf("%s %q: %s", c.kind, c.text, diff)
		}
	}
}

func TestCanonicalProperty(t *testing.T) {
	for in, want := range map[string]string{`[1.0, "x"]`: `[1,"x"]`, `{"a": 1.0}`: `{"a":1}`, "[x": "[x", "x": "x", "": "", "1.0": "1.0"} {
		if got := canonicalProperty(str(in)).AsString(); got != want {
			t.Errorf("%q becomes %q", in, got)
		}
	}
	if got := canonicalProperty(props("a", "[ 1 ]", "b", "x")); !got.RawEquals(props("a", "[1]", "b", "x")) {
		t.Errorf("a map becomes %#v", got)
	}
}

func TestSyncEndpoints(t *testing.T) {
	km := map[string]any{"tokenEndpoint": "new", "endpoints": []any{
		map[string]any{"name": "token_endpoint", "value": "old"},
		map[string]any{"name": "revoke_endpoint", "value": "old"},
		map[string]any{"name": "theirs", "value": "kept"},
	}}
	syncEndpoints(km)
	want := []any{map[string]any{"name": "token_endpoint", "value": "new"}, map[string]any{"name": "theirs", "value": "kept"}}
	if diff := cmp.Diff(want, km["endpoints"]); diff != "" {
		t.Error(diff)
	}
}
