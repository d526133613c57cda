package apim

import (
	"errors"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/apim"
)

// summaries returns what a check of a type finds in attrs, over ok, which is fine.
func summaries(t engine.Type, ok, attrs map[string]cty.Value) string {
	all := map[string]cty.Value{}
	for name, v := range ok {
		all[name] = v
	}
	for name, v := range attrs {
		all[name] = v
	}
	var out []string
	for _, p := range t.Schema().Check(value(t, all)) {
		out = append(out, p.Summary)
	}
	return strings.Join(out, ",")
}

func TestDenyPolicies(t *testing.T) {
	s := serve(t, func(o *sandbox.Options) { o.Resident = &registry{clients: map[string]sandbox.Client{}} })
	deny, apps := s.typ("apim_deny_policy"), s.typ("apim_application")
	ctx := t.Context()
	must[*engine.Object](t)(apps.Create(ctx, value(apps, map[string]cty.Value{"name": str("shop"), "throttling_policy": str("Unlimited")})))
	s.raw(201, "POST", "/api/am/publisher/v4/apis", map[string]any{"name": "Pay", "context": "/pay", "version": "1.0.0", "policies": []string{"Gold"}})
	for _, c := range []struct {
		kind, value, stored string
		invert              bool
	}{
		{"API", "/pay/1.0.0", "/pay/1.0.0", false},
		{"APPLICATION", "admin:shop", "admin:shop", false},
		{"USER", "ann", "ann@carbon.super", false},
		{"USER", "bob@carbon.super", "bob@carbon.super", false},
		{"IP", "192.168.1.2", "192.168.1.2", false},
		{"IP", "192.168.1.2", "192.168.1.2", true},
		{"IPRANGE", "10.0.0.1 - 10.0.0.9", "10.0.0.1-10.0.0.9", true},
	} {
		planned := value(deny, map[string]cty.Value{"condition_type": str(c.kind), "value": str(c.value), "invert": cty.BoolVal(c.invert), "enabled": cty.True})
		if problems := deny.Schema().Check(planned); len(problems) > 0 {
			t.Fatalf("%s %s: %+v", c.kind, c.value, problems)
		}
		if _, err := deny.Find(ctx, planned); !errors.Is(err, engine.ErrNotFound) {
			t.Fatalf("%s %s is found before it is made: %v", c.kind, c.value, err)
		}
		o := must[*engine.Object](t)(deny.Create(ctx, planned))
		if got := knownString(o.Value, "value"); got != c.stored {
			t.Errorf("%s %s is stored as %q, want %q", c.kind, c.value, got, c.stored)
		}
		found := must[*engine.Object](t)(deny.Find(ctx, planned))
		if found.ID != o.ID || !plain(found.Value, "invert").RawEquals(cty.BoolVal(c.invert)) {
			t.Errorf("%s %s: found %#v", c.kind, c.value, found)
		}
		off := must[*engine.Object](t)(deny.Update(ctx, found, over(deny, found, map[string]cty.Value{"enabled": cty.False})))
		if plain(off.Value, "enabled").True() || knownString(off.Value, "value") != c.stored {
			t.Errorf("%s %s: turned off: %#v", c.kind, c.value, off)
		}
		if _, err := deny.Update(ctx, found, over(deny, found, map[string]cty.Value{"enabled": cty.True})); err != nil {
			t.Errorf("%s %s: what somebody turned off, turned on: %v", c.kind, c.value, err)
		}
	}
	_, err := deny.Create(ctx, value(deny, map[string]cty.Value{"condition_type": str("APPLICATION"), "value": str("admin:none"), "invert": cty.False, "enabled": cty.True}))
	var at *engine.AttributeError
	if !errors.As(err, &at) || at.Attribute != "value" || !strings.Contains(err.Error(), "Invalid Application name none") {
		t.Errorf("an unknown application: %v", err)
	}
}

func TestDenyPolicyCheck(t *testing.T) {
	deny := New().typ("apim_deny_policy")
	for _, c := range []struct{ kind, value, want string }{
		{"API", "pay/1.0.0", "Value of another kind"}, {"API", "/pay", "Value of another kind"},
		{"APPLICATION", "shop", "Value of another kind"}, {"APPLICATION", ":shop", "Value of another kind"},
		{"USER", " ", "Value of another kind"},
		{"IP", "10.0.0", "Value of another kind"}, {"IP", "::1", ""},
		{"IPRANGE", "10.0.0.1", "Value of another kind"}, {"IPRANGE", "10.0.0.1-x", "Value of another kind"},
	} {
		if got := summaries(deny, nil, map[string]cty.Value{"condition_type": str(c.kind), "value": str(c.value)}); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.kind, c.value, got, c.want)
		}
	}
	if got := summaries(deny, nil, map[string]cty.Value{"condition_type": str("USER"), "value": str("ann"), "invert": cty.True}); got != "Condition that cannot be inverted" {
		t.Errorf("an inverted user: %q", got)
	}
	for in, want := range map[string]string{"ann@carbon.super": "ann", "c@d.com@acme.com": "c@d.com", "/a@b/1": "/a@b/1", "ann@acme.com:shop": "ann@acme.com:shop",
		"10.0.0.1 - 10.0.0.9": "10.0.0.1-10.0.0.9", "a - b": "a - b"} {
		if got := canonicalDenied(str(in)).AsString(); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestEnvironments(t *testing.T) {
	s := serve(t, nil)
	envs := s.typ("apim_gateway_environment")
	ctx := t.Context()
	host := func(name string) cty.Value {
		return part(envs, map[string]cty.Value{"host": str(name), "http_port": num(8280), "https_port": num(8243), "ws_port": num(9099), "wss_port": num(8099)}, "vhost")
	}
	own := must[*engine.Object](t)(envs.Find(ctx, value(envs, map[string]cty.Value{"name": str("Default")})))
	if !own.System || own.ID != "Default" || !plain(own.Value, "read_only").True() || len(knownList(own.Value, "vhost")) != 1 {
		t.Errorf("the one of deployment.toml: %#v", own)
	}
	if _, err := envs.Update(ctx, own, over(envs, own, map[string]cty.Value{"description": str("x")})); !engine.Refused(err) {
		t.Errorf("it is changed: %v", err)
	}
	if err := envs.Delete(ctx, own); err == nil {
		t.Error("it is deleted")
	}
	problems := envs.(engine.Checker).CheckPlan(ctx, []engine.Planned{{Live: own, After: own.Value, Action: engine.Update}, {Live: own, After: own.Value}})
	if len(problems) != 1 || problems[0].Index != 0 || problems[0].Warning {
		t.Errorf("problems %+v", problems)
	}

	planned := value(envs, map[string]cty.Value{"name": str("eu"), "vendor": str("wso2"), "vhost": cty.ListVal([]cty.Value{host("eu.example.com")}),
		"additional_properties": props("region", "eu"), "secret_properties": props("access_key", "s3cret")})
	o := must[*engine.Object](t)(envs.Create(ctx, planned))
	// The sandbox masks nothing, so the secret is seen, as with a server that does not know it for one.
	body := s.raw(200, "GET", admin+"/environments/"+o.ID, nil)
	if got := propertiesOf(body); got["region"] != "eu" || got["access_key"] != "s3cret" || got["organization"] != "carbon.super" {
		t.Errorf("stored properties %v", got)
	}
	if got := knownMap(o.Value, "additional_properties"); got["organization"] != "" || got["region"] != "eu" {
		t.Errorf("read properties %v", got)
	}
	o = must[*engine.Object](t)(envs.Update(ctx, o, over(envs, o, map[string]cty.Value{"description": str("d")})))
	if got := propertiesOf(s.raw(200, "GET", admin+"/environments/"+o.ID, nil)); got["region"] != "eu" || len(got) != 3 {
		t.Errorf("stored properties after an update %v", got)
	}
	for range 2 {
		if err := envs.Delete(ctx, o); err != nil {
			t.Error(err)
		}
	}
}

func propertiesOf(environment map[string]any) map[string]any {
	out := map[string]any{}
	for _, p := range objects(environment["additionalProperties"]) {
		out[p["key"].(string)] = p["value"]
	}
	return out
}

// TestEnvironmentMask keeps masked properties as they are stored.
func TestEnvironmentMask(t *testing.T) {
	object := object(t, `{"additionalProperties": [{"key": "region", "value": "eu"}, {"key": "access_key", "value": "*****"}, {"key": "organization", "value": "carbon.super"}]}`)
	decodeEnvironment(object)
	if plain := object["additionalProperties"].(map[string]any); len(plain) != 1 || plain["region"] != "eu" {
		t.Errorf("plain properties %v", plain)
	}
	object[secretMember] = map[string]any{"other": "s"}
	encodeEnvironment(object)
	got := propertiesOf(object)
	if len(got) != 3 || got["access_key"] != "*****" || got["other"] != "s" || got["region"] != "eu" || object[storedMember] != nil || object[secretMember] != nil {
		t.Errorf("sent %v", object)
	}
}

func TestEnvironmentChecks(t *testing.T) {
	envs := New().typ("apim_gateway_environment")
	host := func(name string) cty.Value {
		return part(envs, map[string]cty.Value{"host": str(name)}, "vhost")
	}
	ok := map[string]cty.Value{"name": str("eu"), "vhost": cty.ListVal([]cty.Value{host("a.example.com")})}
	for want, attrs := range map[string]map[string]cty.Value{
		"":                              {},
		"Duplicate virtual host":        {"vhost": cty.ListVal([]cty.Value{host("a.example.com"), host("a.example.com")})},
		"Missing roles":                 {"permission_type": str("ALLOW")},
		"Roles with public permissions": {"permission_type": str("PUBLIC"), "permission_roles": cty.SetVal([]cty.Value{str("admin")})},
	} {
		if got := summaries(envs, ok, attrs); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for name, want := range map[string]bool{"gw.example.com": true, "localhost": true, "https://gw": false, "gw:8243": false, "gw/x": false, "-gw": false, "": false} {
		if ok := hostName(str(name)) == nil; ok != want {
			t.Errorf("host %q passes: %v", name, ok)
		}
	}
	for name, want := range map[string]bool{"": true, "apis": true, "/apis": true, "a/b": false, "a b": false} {
		if ok := pathSegment(str(name)) == nil; ok != want {
			t.Errorf("context %q passes: %v", name, ok)
		}
	}
	if environmentName(str("eu west")) == nil || environmentName(str("eu-west_1")) != nil {
		t.Error("names of environments are checked badly")
	}
}

// TestAttached deletes categories and labels that APIs have.
func TestAttached(t *testing.T) {
	s := serve(t, nil)
	ctx := t.Context()
	api, _ := s.raw(201, "POST", "/api/am/publisher/v4/apis", map[string]any{"name": "Pay", "context": "/pay", "version": "1.0.0", "policies": []string{"Gold"}})["id"].(string)
	for name, attach := range map[string]func(o *engine.Object, on bool){
		"apim_label": func(o *engine.Object, on bool) {
			action := map[bool]string{true: "attach", false: "detach"}[on]
			s.raw(200, "POST", "/api/am/publisher/v4/apis/"+api+"/"+action+"-labels", map[string]any{"labels": []string{o.ID}})
		},
		"apim_api_category": func(_ *engine.Object, on bool) {
			body := s.raw(200, "GET", "/api/am/publisher/v4/apis/"+api, nil)
			body["categories"] = map[bool][]string{true: {"Finance"}, false: {}}[on]
			s.raw(200, "PUT", "/api/am/publisher/v4/apis/"+api, body)
		},
	} {
		typ := s.typ(name)
		o := must[*engine.Object](t)(typ.Create(ctx, value(typ, map[string]cty.Value{"name": str("Finance")})))
		attach(o, true)
		if err := typ.Delete(ctx, o); err == nil || !strings.Contains(err.Error(), `"Finance" is in use by APIs`) {
			t.Errorf("%s: deleting it while in use: %v", name, err)
		}
		attach(o, false)
		for range 2 {
			if err := typ.Delete(ctx, o); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if categoryName(str("two words")) == nil || categoryName(str("Finance+Loans")) != nil {
		t.Error("names of categories are checked badly")
	}
}

// TestNoOrganization: a user of a fresh server belongs to none.
func TestNoOrganization(t *testing.T) {
	s := serve(t, nil)
	orgs := s.typ("apim_organization")
	_, err := orgs.Create(t.Context(), value(orgs, map[string]cty.Value{"external_id": str("acme")}))
	var at *engine.AttributeError
	if !errors.As(err, &at) || !engine.Refused(err) || !strings.Contains(err.Error(), "belongs to none") {
		t.Errorf("made by one who belongs to none: %v", err)
	}
}

func TestBuiltInProviders(t *testing.T) {
	s := serve(t, nil)
	providers := s.typ("apim_ai_service_provider")
	ctx := t.Context()
	key := map[string]cty.Value{"name": str("OpenAI"), "api_version": str("1.0.0")}
	o := must[*engine.Object](t)(providers.Find(ctx, value(providers, key)))
	if !o.System || !plain(o.Value, "built_in").True() || len(knownList(o.Value, "models")) == 0 {
		t.Errorf("the server's own: %#v", o)
	}
	more := cty.SetVal([]cty.Value{str("b"), str("a")})
	changed := must[*engine.Object](t)(providers.Update(ctx, o, over(providers, o, map[string]cty.Value{"models": more, "description": str("")})))
	if !plain(changed.Value, "models").RawEquals(more) || knownString(changed.Value, "description") != "" || knownString(changed.Value, "configurations") != knownString(o.Value, "configurations") {
		t.Errorf("changed to %#v", changed.Value)
	}
	if _, err := providers.Update(ctx, o, over(providers, o, map[string]cty.Value{"models": cty.SetValEmpty(cty.String)})); !errors.Is(err, engine.ErrMoved) {
		t.Errorf("an edit behind our back: %v", err)
	}
	if err := providers.Delete(ctx, o); err == nil {
		t.Error("it is deleted")
	}
}

func TestDocuments(t *testing.T) {
	for text, want := range map[string]string{
		`{"b": 1.0, "a": [true, null]}`: `{"a":[true,null],"b":1}`,
		"b: x\na:\n  - 1\n":             `{"a":[1],"b":"x"}`,
		"just words":                    "just words",
		`{"a": `:                        `{"a": `,
	} {
		if got := canonicalDocument(str(text)).AsString(); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if isJSON(str("a: b")) == nil || isJSON(str(`"x"`)) != nil {
		t.Error("JSON is told badly")
	}
}

// TestGlobalNames: a tenant's key manager may have the name of a global one.
func TestGlobalNames(t *testing.T) {
	s := serve(t, nil)
	ctx := t.Context()
	own, global := s.typ("apim_key_manager"), s.typ("apim_global_key_manager")
	attrs := func() map[string]cty.Value {
		return map[string]cty.Value{"name": str("IS7"), "type": str("WSO2-IS-7"), "issuer": str("https://is/oauth2/token"), "enabled": cty.True,
			"client_registration_endpoint": str("https://is/r"), "introspection_endpoint": str("https://is/i"), "token_endpoint": str("https://is/t"), "revoke_endpoint": str("https://is/v"),
			"additional_properties": props("Username", "admin", "api_resource_management_endpoint", "https://is/a", "is7_roles_endpoint", "https://is/o"),
			"secret_properties":     props("Password", "pw")}
	}
	o := must[*engine.Object](t)(global.Create(ctx, value(global, attrs())))
	if _, err := own.Find(ctx, value(own, attrs())); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("a global one is taken for the tenant's: %v", err)
	}
	if found := must[*engine.Object](t)(global.Find(ctx, value(global, attrs()))); found.ID != o.ID || found.System {
		t.Errorf("found %#v", found)
	}
	changed := must[*engine.Object](t)(global.Update(ctx, o, over(global, o, map[string]cty.Value{"description": str("d")})))
	if knownString(changed.Value, "description") != "d" {
		t.Errorf("changed to %#v", changed.Value)
	}
	for range 2 {
		if err := global.Delete(ctx, o); err != nil {
			t.Error(err)
		}
	}
}
