package apim

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

func TestTenantConfig(t *testing.T) {
	s := serve(t, nil)
	config := s.typ("apim_tenant_config")
	ctx := t.Context()
	place := func(path, v string) cty.Value {
		return value(config, map[string]cty.Value{"path": str(path), "value": str(v)})
	}
	// What the server has from the start is adopted.
	o := must[*engine.Object](t)(config.Find(ctx, place("/EnableMonetization", "")))
	if !o.System || o.ID != "/EnableMonetization" || knownString(o.Value, "value") != "false" {
		t.Errorf("the server's own: %#v", o)
	}
	before := s.raw(200, "GET", admin+"/tenant-config", nil)
	o = must[*engine.Object](t)(config.Update(ctx, o, place("/EnableMonetization", "true")))
	after := s.raw(200, "GET", admin+"/tenant-config", nil)
	if knownString(o.Value, "value") != "true" || after["EnableMonetization"] != true {
		t.Errorf("changed to %#v", o.Value)
	}
	before["EnableMonetization"] = true
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Error("the rest of the document changed too")
	}
	if _, err := config.Update(ctx, must[*engine.Object](t)(config.Read(ctx, "/Meta/Migration/3.0.0")), place("/Meta/Migration/3.0.0", "1.50")); err != nil {
		t.Error(err)
	}
	_, err := config.Update(ctx, o, place("/EnableMonetization", `"yes"`))
	var at *engine.AttributeError
	if !errors.As(err, &at) || at.Attribute != "value" || !engine.Refused(err) || !strings.Contains(err.Error(), "expected type: Boolean") {
		t.Errorf("a value that the server refuses: %v", err)
	}

	// What it does not have is added, with the objects on the way, and removed.
	made := must[*engine.Object](t)(config.Create(ctx, place("/Acme/a~1b/c", `{"x":1}`)))
	if made.System || made.ID != "/Acme/a~1b/c" {
		t.Errorf("made %#v", made)
	}
	if acme := s.raw(200, "GET", admin+"/tenant-config", nil)["Acme"]; fmt.Sprint(acme) != "map[a/b:map[c:map[x:1]]]" {
		t.Errorf("stored %v", acme)
	}
	if _, err := config.Create(ctx, place("/Acme/a~1b/c", `1`)); !engine.Refused(err) {
		t.Errorf("made twice: %v", err)
	}
	if _, err := config.Create(ctx, place("/ExtensionHandlerPosition/x", `1`)); !errors.As(err, &at) || at.Attribute != "path" || !engine.Refused(err) {
		t.Errorf("a path through a string: %v", err)
	}
	listed := map[string]bool{}
	for x, err := range config.(engine.Lister).List(ctx, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if listed[x.ID] {
			t.Errorf("%s is listed twice", x.ID)
		}
		listed[x.ID] = true
	}
	for _, path := range []string{"/Acme", "/Acme/a~1b", "/Acme/a~1b/c", "/Acme/a~1b/c/x", "/SelfSignUp/SignUpRoles"} {
		if !listed[path] {
			t.Errorf("%s is not listed", path)
		}
	}
	for range 2 {
		if err := config.Delete(ctx, made); err != nil {
			t.Error(err)
		}
	}
	if _, err := config.Read(ctx, made.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestTenantConfigChecks(t *testing.T) {
	config := New().typ("apim_tenant_config")
	for path, want := range map[string]string{"/RESTAPIScopes": "Place of another type", "/RoleMappings/admin": "Place of another type", "/SelfSignUp": ""} {
		if got := summaries(config, nil, map[string]cty.Value{"path": str(path), "value": str("1")}); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for path, want := range map[string]bool{"/a": true, "/a/b~1c": true, "a": false, "/": false, "/a/": false, "/a//b": false} {
		if ok := pointer(str(path)) == nil; ok != want {
			t.Errorf("path %q passes: %v", path, ok)
		}
	}
	at := func(address, path string) engine.Planned {
		return engine.Planned{Address: address, After: value(config, map[string]cty.Value{"path": str(path), "value": str("1")}), Action: engine.Create}
	}
	got := config.(engine.Checker).CheckPlan(t.Context(), []engine.Planned{at("x", "/a/b/c"), at("y", "/a"), at("z", "/ab"), {Address: "gone"}})
	if len(got) != 1 || got[0].Index != 0 || !strings.Contains(got[0].Detail, "y manages /a whole") {
		t.Errorf("problems %+v", got)
	}
}

func TestSystemScopes(t *testing.T) {
	s := serve(t, nil)
	scopes := s.typ("apim_system_scope")
	ctx := t.Context()
	roles := func(list ...string) cty.Value {
		var out []cty.Value
		for _, r := range list {
			out = append(out, str(r))
		}
		return cty.SetVal(out)
	}
	scope := func(name string, r cty.Value) cty.Value {
		return value(scopes, map[string]cty.Value{"name": str(name), "roles": r})
	}
	o := must[*engine.Object](t)(scopes.Find(ctx, scope("apim:api_publish", roles("x"))))
	if !o.System || knownString(o.Value, "portal") != "publisher" || !plain(o.Value, "roles").RawEquals(roles("admin", "Internal/publisher")) {
		t.Errorf("found %#v", o)
	}
	all := len(objects(s.raw(200, "GET", admin+"/system-scopes", nil)["list"]))
	o = must[*engine.Object](t)(scopes.Update(ctx, o, over(scopes, o, map[string]cty.Value{"roles": roles("admin", "x")})))
	if !plain(o.Value, "roles").RawEquals(roles("admin", "x")) || len(objects(s.raw(200, "GET", admin+"/system-scopes", nil)["list"])) != all {
		t.Errorf("changed to %#v", o.Value)
	}
	if _, err := scopes.Find(ctx, scope("apim:none", roles("x"))); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("an unknown scope: %v", err)
	}
	unknown := scope("apim:none", roles("x"))
	if _, err := scopes.Create(ctx, unknown); !engine.Refused(err) {
		t.Errorf("an unknown scope is made: %v", err)
	}
	if got := scopes.(engine.Checker).CheckPlan(ctx, []engine.Planned{{After: unknown, Action: engine.Create}, {After: o.Value, Live: o, Action: engine.Update}}); len(got) != 1 || got[0].Index != 0 {
		t.Errorf("problems %+v", got)
	}
	if err := scopes.Delete(ctx, o); !engine.Refused(err) {
		t.Errorf("it is deleted: %v", err)
	}
	for r, want := range map[string]bool{"admin": true, "a,b": false, " a": false, "": false} {
		if ok := plainNames(roles(r)) == nil; ok != want {
			t.Errorf("role %q passes: %v", r, ok)
		}
	}
}

func TestRoleAliases(t *testing.T) {
	s := serve(t, nil)
	aliases := s.typ("apim_role_alias")
	ctx := t.Context()
	alias := func(role, of string) cty.Value {
		return value(aliases, map[string]cty.Value{"role": str(role), "aliases": cty.SetVal([]cty.Value{str(of)})})
	}
	s.raw(200, "PUT", admin+"/system-scopes/role-aliases", map[string]any{"list": []any{map[string]any{"role": "Internal/publisher", "aliases": []string{"theirs"}}}})
	o := must[*engine.Object](t)(aliases.Create(ctx, alias("Internal/creator", "designer")))
	if o.System || o.ID != "Internal/creator" {
		t.Errorf("made %#v", o)
	}
	for range 2 {
		if err := aliases.Delete(ctx, o); err != nil {
			t.Error(err)
		}
	}
	left := objects(s.raw(200, "GET", admin+"/system-scopes/role-aliases", nil)["list"])
	if len(left) != 1 || left[0]["role"] != "Internal/publisher" || fmt.Sprint(left[0]["aliases"]) != "[theirs]" {
		t.Errorf("those of others: %v", left)
	}
	if got := summaries(aliases, nil, map[string]cty.Value{"role": str("a"), "aliases": cty.SetVal([]cty.Value{str("a")})}); got != "Role as its own alias" {
		t.Errorf("%q", got)
	}
}

// TestOneDocument writes all three at once, each in its turn as the engine gives it: nothing is
// lost.
func TestOneDocument(t *testing.T) {
	s := serve(t, nil)
	ctx := t.Context()
	var turn sync.Mutex // what engine.Exclusive is for
	var wg sync.WaitGroup
	for i := range 8 {
		for name, planned := range map[string]map[string]cty.Value{
			"apim_tenant_config": {"path": str(fmt.Sprintf("/Acme/n%d", i)), "value": str("1")},
			"apim_role_alias":    {"role": str(fmt.Sprintf("role%d", i)), "aliases": cty.SetVal([]cty.Value{str("x")})},
		} {
			typ := s.typ(name)
			v := value(typ, planned)
			if typ.(engine.Exclusive).Exclusive(v) != "tenant configuration" {
				t.Fatalf("%s has a turn of its own", name)
			}
			wg.Go(func() {
				turn.Lock()
				defer turn.Unlock()
				if _, err := typ.Create(ctx, v); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	doc := s.raw(200, "GET", admin+"/tenant-config", nil)
	if n := len(doc["Acme"].(map[string]any)); n != 8 {
		t.Errorf("%d of 8 places", n)
	}
	if n := len(doc["RoleMappings"].(map[string]any)); n != 8 {
		t.Errorf("%d of 8 roles", n)
	}
}
