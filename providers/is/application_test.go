package is

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
	sandbox "wso2plan/providers/sandbox/is"
)

// serveFaulty is serve with a fault: where it returns a status, that is the answer and the server sees
// nothing.
func serveFaulty(t *testing.T, fault func(*http.Request) int) *served {
	t.Helper()
	return serve(t, func(o *sandbox.Options) {
		outer := o.Middleware
		o.Middleware = func(next http.Handler) http.Handler {
			return outer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if status := fault(r); status != 0 {
					w.WriteHeader(status)
					return
				}
				next.ServeHTTP(w, r)
			}))
		}
	})
}

// written returns the writes since the n-th.
func (s *served) written(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.bodies[n:]...)
}

func (s *served) writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bodies)
}

// update changes an object and returns it with what was written.
func (s *served) update(t engine.Type, o *engine.Object, planned cty.Value) (*engine.Object, []string) {
	s.t.Helper()
	before := s.writes()
	changed, err := t.Update(s.t.Context(), o, planned)
	if err != nil {
		s.t.Fatal(err)
	}
	return changed, s.written(before)
}

// inner returns a block with some attributes set.
func inner(v cty.Value, set map[string]cty.Value) cty.Value {
	attrs := v.AsValueMap()
	for name, x := range set {
		attrs[name] = x
	}
	return cty.ObjectVal(attrs)
}

// block makes a nested block of a type: path goes down from the type.
func block(b *schema.Block, set map[string]cty.Value, path ...string) cty.Value {
	for _, name := range path {
		b = &b.NestedBlock(name).Block
	}
	return b.Defaults(b.Object(set))
}

func blocks(b *schema.Block, path []string, sets ...map[string]cty.Value) cty.Value {
	var list []cty.Value
	for _, set := range sets {
		list = append(list, block(b, set, path...))
	}
	return cty.ListVal(list)
}

func bodyOf(t *testing.T, write string) map[string]any {
	t.Helper()
	_, text, _ := strings.Cut(write, "{")
	var body map[string]any
	if err := json.Unmarshal([]byte("{"+text), &body); err != nil {
		t.Fatal(write, err)
	}
	return body
}

func num(n int64) cty.Value { return cty.NumberIntVal(n) }

// Each part of an application changes alone, with nothing that the server only shows.
func TestApplicationChanges(t *testing.T) {
	s := serve(t, nil)
	apps := s.typ("is_application")
	b := &apps.Schema().Block
	o := s.create(apps, map[string]cty.Value{"name": str("Shop")})
	if o.Value.GetAttr("oidc").IsKnown() && !o.Value.GetAttr("oidc").IsNull() {
		t.Errorf("%#v", o.Value.GetAttr("oidc"))
	}
	path := "PATCH /api/server/v1/applications/" + o.ID + " "
	change := func(what string, set map[string]cty.Value, want ...string) {
		t.Helper()
		changed, wrote := s.update(apps, o, over(o, set))
		for i := range want {
			want[i] = path + want[i]
		}
		if d := cmp.Diff(strings.Join(want, "\n"), strings.Join(wrote, "\n")); d != "" {
			t.Errorf("%s: %s", what, d)
		}
		o = changed
	}
	part := func(name string) cty.Value { return o.Value.GetAttr(name) }

	change("nothing", nil)
	change("texts", map[string]cty.Value{"description": str("d"), "template_id": str("custom"), "enabled": cty.False}, `{"applicationEnabled":false,"description":"d","templateId":"custom"}`)
	change("an emptied text", map[string]cty.Value{"description": str("")}, `{"description":""}`)
	change("audience", map[string]cty.Value{"allowed_audience": str("APPLICATION")}, `{"associatedRoles":{"allowedAudience":"APPLICATION","roles":[]}}`)
	change("a name", map[string]cty.Value{"name": str("Shop 2")}, `{"name":"Shop 2"}`)

	change("a flag", map[string]cty.Value{"advanced": inner(part("advanced"), map[string]cty.Value{"skip_login_consent": cty.True})}, `{"advancedConfigurations":{"skipLoginConsent":true}}`)
	certificate := block(b, map[string]cty.Value{"type": str("JWKS"), "value": str("https://shop/jwks")}, "advanced", "certificate")
	change("a certificate", map[string]cty.Value{"advanced": inner(part("advanced"), map[string]cty.Value{"certificate": certificate})},
		`{"advancedConfigurations":{"certificate":{"type":"JWKS","value":"https://shop/jwks"}}}`)
	change("no certificate", map[string]cty.Value{"advanced": inner(part("advanced"), map[string]cty.Value{"certificate": cty.NullVal(certificate.Type())})},
		`{"advancedConfigurations":{"certificate":{"type":"PEM","value":""}}}`)
	trusted := block(b, map[string]cty.Value{"fido": cty.True, "apple_app_id": str("T.a")}, "advanced", "trusted_app")
	change("a trusted application", map[string]cty.Value{"advanced": inner(part("advanced"), map[string]cty.Value{"trusted_app": trusted})},
		`{"advancedConfigurations":{"trustedAppConfiguration":{"androidThumbprints":[],"appleAppId":"T.a","isConsentGranted":false,"isFIDOTrustedApp":true}}}`)
	attestation := inner(part("advanced").GetAttr("attestation"), map[string]cty.Value{"enabled": cty.True, "android_credentials": str(`{ "k": 1 }`).Mark(schema.Sensitive)})
	change("an attestation", map[string]cty.Value{"advanced": inner(part("advanced"), map[string]cty.Value{"attestation": attestation})},
		`{"advancedConfigurations":{"attestationMetaData":{"androidAttestationServiceCredentials":{"k":1},"androidPackageName":"","appleAppId":"","enableClientAttestation":true}}}`)

	requested := blocks(b, []string{"claims", "requested_claim"}, map[string]cty.Value{"uri": str("http://wso2.org/claims/emailaddress"), "mandatory": cty.True})
	change("claims", map[string]cty.Value{"claims": inner(part("claims"), map[string]cty.Value{"requested_claim": requested})},
		`{"claimConfiguration":{"dialect":"LOCAL","requestedClaims":[{"claim":{"uri":"http://wso2.org/claims/emailaddress"},"mandatory":true}]}}`)
	if got := part("claims").GetAttr("mapping").LengthInt(); got != 0 {
		t.Errorf("local claims are read as %d mappings", got)
	}
	roles := blocks(b, []string{"claims", "role_mapping"}, map[string]cty.Value{"local_role": str("admin"), "application_role": str("boss")})
	change("role mappings", map[string]cty.Value{"claims": inner(part("claims"), map[string]cty.Value{"role_mapping": roles, "subject_include_user_domain": cty.True})},
		`{"claimConfiguration":{"dialect":"LOCAL","requestedClaims":[{"claim":{"uri":"http://wso2.org/claims/emailaddress"},"mandatory":true}],`+
			`"role":{"includeUserDomain":true,"mappings":[{"applicationRole":"boss","localRole":"admin"}]},"subject":{"includeUserDomain":true}}}`)
	mapping := blocks(b, []string{"claims", "mapping"}, map[string]cty.Value{"application_claim": str("mail"), "local_claim": str("http://wso2.org/claims/emailaddress")})
	requested = blocks(b, []string{"claims", "requested_claim"}, map[string]cty.Value{"uri": str("mail")})
	change("claims of its own", map[string]cty.Value{"claims": inner(part("claims"), map[string]cty.Value{"dialect": str("CUSTOM"), "mapping": mapping, "requested_claim": requested,
		"subject_claim": str("mail")})},
		`{"claimConfiguration":{"claimMappings":[{"applicationClaim":"mail","localClaim":{"uri":"http://wso2.org/claims/emailaddress"}}],"dialect":"CUSTOM",`+
			`"requestedClaims":[{"claim":{"uri":"mail"},"mandatory":false}],"subject":{"claim":{"uri":"mail"}}}}`)
	change("no claims", map[string]cty.Value{"claims": cty.NullVal(part("claims").Type())},
		`{"claimConfiguration":{"dialect":"LOCAL","requestedClaims":[],"role":{"mappings":[]}}}`)

	option := func(names ...string) map[string]cty.Value {
		var sets []map[string]cty.Value
		for _, n := range names {
			sets = append(sets, map[string]cty.Value{"authenticator": str(n)})
		}
		return map[string]cty.Value{"option": blocks(b, []string{"authentication", "step", "option"}, sets...)}
	}
	steps := blocks(b, []string{"authentication", "step"}, option("BasicAuthenticator"), option("totp", "email-otp-authenticator"))
	change("a sequence", map[string]cty.Value{"authentication": inner(part("authentication"), map[string]cty.Value{"type": str("USER_DEFINED"), "step": steps, "script": str("var x;\n"), "subject_step": num(2)})},
		`{"authenticationSequence":{"requestPathAuthenticators":[],"script":"var x;\n","steps":[{"id":1,"options":[{"authenticator":"BasicAuthenticator","idp":"LOCAL"}]},`+
			`{"id":2,"options":[{"authenticator":"totp","idp":"LOCAL"},{"authenticator":"email-otp-authenticator","idp":"LOCAL"}]}],"subjectStepId":2,"type":"USER_DEFINED"}}`)
	change("no script", map[string]cty.Value{"authentication": inner(part("authentication"), map[string]cty.Value{"script": str("")})},
		`{"authenticationSequence":{"type":"DEFAULT"}}`,
		`{"authenticationSequence":{"attributeStepId":1,"requestPathAuthenticators":[],"steps":[{"id":1,"options":[{"authenticator":"BasicAuthenticator","idp":"LOCAL"}]},`+
			`{"id":2,"options":[{"authenticator":"totp","idp":"LOCAL"},{"authenticator":"email-otp-authenticator","idp":"LOCAL"}]}],"subjectStepId":2,"type":"USER_DEFINED"}}`)
	change("the default sequence", map[string]cty.Value{"authentication": inner(part("authentication"), map[string]cty.Value{"type": str("DEFAULT")})},
		`{"authenticationSequence":{"requestPathAuthenticators":[],"type":"DEFAULT"}}`)
	if got := part("authentication"); got.GetAttr("step").LengthInt() != 0 || got.GetAttr("type").AsString() != "DEFAULT" {
		t.Errorf("the tenant's steps are read as the application's: %#v", got)
	}

	change("provisioning", map[string]cty.Value{"provisioning": inner(part("provisioning"), map[string]cty.Value{"proxy_mode": cty.True})},
		`{"provisioningConfigurations":{"inboundProvisioning":{"provisioningUserstoreDomain":"PRIMARY","proxyMode":true}}}`)
	change("no provisioning", map[string]cty.Value{"provisioning": cty.NullVal(part("provisioning").Type())},
		`{"provisioningConfigurations":{"inboundProvisioning":{"provisioningUserstoreDomain":"PRIMARY","proxyMode":false}}}`)
	outbound := blocks(b, []string{"provisioning", "outbound"}, map[string]cty.Value{"idp": str("Google"), "connector": str("scim")})
	_, err := apps.Update(t.Context(), o, over(o, map[string]cty.Value{"provisioning": inner(part("provisioning"), map[string]cty.Value{"outbound": outbound})}))
	if attr := (*engine.AttributeError)(nil); !errors.As(err, &attr) || attr.Attribute != "provisioning" {
		t.Errorf("outbound provisioning: %v", err)
	}

	// Somebody else's edit is neither lost nor overwritten.
	stale := o
	o, _ = s.update(apps, o, over(o, map[string]cty.Value{"description": str("theirs")}))
	if _, err := apps.Update(t.Context(), stale, over(stale, map[string]cty.Value{"description": str("mine")})); !errors.Is(err, engine.ErrMoved) {
		t.Errorf("%v, want ErrMoved", err)
	}
	o, _ = s.update(apps, stale, over(stale, map[string]cty.Value{"image_url": str("https://shop/logo")}))
	if got := part("description").AsString(); got != "theirs" {
		t.Errorf("their edit was taken back: %q", got)
	}
}

// The client changes by one PUT of all of it, which keeps what the table does not know.
func TestApplicationClient(t *testing.T) {
	s := serve(t, nil)
	apps := s.typ("is_application")
	b := &apps.Schema().Block
	oidc := func(set map[string]cty.Value) cty.Value { return block(b, set, "oidc") }
	grants := strs("authorization_code")
	o := s.create(apps, map[string]cty.Value{"name": str("Shop"), "oidc": oidc(map[string]cty.Value{
		"grant_types": grants, "callback_urls": strs("https://a.example/cb?x=1", "https://b.example/cb"), "client_id": str("shop_client_id_1"),
		"initial_secret": str("first secret").Mark(schema.Sensitive), "allowed_origins": strs("https://a.example"),
		"hybrid_flow": block(b, map[string]cty.Value{"enable": cty.True, "response_type": str("code token")}, "oidc", "hybrid_flow"),
	})})
	sent := bodyOf(t, s.last())["inboundProtocolConfiguration"].(map[string]any)["oidc"]
	if d := cmp.Diff(map[string]any{"clientId": "shop_client_id_1", "clientSecret": "first secret", "grantTypes": []any{"authorization_code"},
		"callbackURLs": []any{`regexp=(https://a.example/cb\?x=1|https://b.example/cb)`}, "allowedOrigins": []any{"https://a.example"},
		"hybridFlow": map[string]any{"enable": true, "responseType": "code token"}}, sent); d != "" {
		t.Error(d)
	}
	client := func() cty.Value { return o.Value.GetAttr("oidc") }
	if got := client(); !got.GetAttr("callback_urls").RawEquals(strs("https://a.example/cb?x=1", "https://b.example/cb")) || got.GetAttr("client_secret").AsString() != "first secret" ||
		!got.GetAttr("initial_secret").IsNull() {
		t.Errorf("%#v", got)
	}
	path := "/api/server/v1/applications/" + o.ID + "/inbound-protocols/oidc"

	var wrote []string
	o, wrote = s.update(apps, o, over(o, map[string]cty.Value{"oidc": inner(client(), map[string]cty.Value{"callback_urls": strs("https://a.example/cb")})}))
	if len(wrote) != 1 || !strings.HasPrefix(wrote[0], "PUT "+path) {
		t.Fatal(wrote)
	}
	body := bodyOf(t, wrote[0])
	for name, want := range map[string]any{"callbackURLs": []any{"https://a.example/cb"}, "clientSecret": "first secret", "allowedOrigins": []any{"https://a.example"},
		"scopeValidators": []any{}, "hybridFlow": map[string]any{"enable": true, "responseType": "code token"}, "state": nil} {
		if d := cmp.Diff(want, body[name]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	// Written as a pattern it is the same, so nothing is sent.
	same := inner(client(), map[string]cty.Value{"callback_urls": strs("regexp=(https://a.example/cb)")})
	if o, wrote = s.update(apps, o, over(o, map[string]cty.Value{"oidc": same})); len(wrote) != 0 {
		t.Error(wrote)
	}

	// After a creation that failed half-way the plan writes what is write-only again.
	again := inner(client(), map[string]cty.Value{"secret_version": num(1), "initial_secret": str("first secret")})
	if o, wrote = s.update(apps, o, over(o, map[string]cty.Value{"oidc": again})); len(wrote) != 0 {
		t.Error(wrote)
	}

	// A new secret.
	o, wrote = s.update(apps, o, over(o, map[string]cty.Value{"oidc": inner(client(), map[string]cty.Value{"secret_version": num(2)})}))
	if secret := client().GetAttr("client_secret").AsString(); len(wrote) != 1 || wrote[0] != "POST "+path+"/regenerate-secret " || secret == "first secret" {
		t.Errorf("%s %v", secret, wrote)
	}

	// Another client id: the old client goes, the new one has the same settings.
	other := s.create(apps, map[string]cty.Value{"name": str("Other"), "oidc": oidc(map[string]cty.Value{"client_id": str("taken_client_id_1"), "grant_types": strs("password")})})
	before := o
	n := s.writes()
	got, err := apps.Update(t.Context(), o, over(o, map[string]cty.Value{"oidc": inner(client(), map[string]cty.Value{"client_id": str("taken_client_id_1")})}))
	if err == nil || !strings.Contains(err.Error(), "the old client was put back") || got == nil || !got.Value.GetAttr("oidc").RawEquals(before.Value.GetAttr("oidc")) {
		t.Errorf("%v %v\n%v", got, err, s.written(n))
	}
	if attr := (*engine.AttributeError)(nil); !errors.As(err, &attr) || attr.Attribute != "oidc" {
		t.Errorf("%v", err)
	}
	o, wrote = s.update(apps, o, over(o, map[string]cty.Value{"oidc": inner(client(), map[string]cty.Value{"client_id": str("shop_client_id_2"), "initial_secret": str("second secret")})}))
	if got := client(); len(wrote) != 2 || got.GetAttr("client_id").AsString() != "shop_client_id_2" || got.GetAttr("client_secret").AsString() != "second secret" ||
		!got.GetAttr("hybrid_flow").RawEquals(before.Value.GetAttr("oidc").GetAttr("hybrid_flow")) {
		t.Errorf("%v %#v", wrote, got)
	}

	// Without the block it goes, and with it again it is made.
	o, wrote = s.update(apps, o, over(o, map[string]cty.Value{"oidc": cty.NullVal(client().Type())}))
	if len(wrote) != 1 || wrote[0] != "DELETE "+path+" " || !client().IsNull() {
		t.Errorf("%v %#v", wrote, client())
	}
	o, wrote = s.update(apps, o, over(o, map[string]cty.Value{"oidc": oidc(map[string]cty.Value{"grant_types": strs("client_credentials")})}))
	if len(wrote) != 1 || client().IsNull() {
		t.Errorf("%v %#v", wrote, client())
	}

	// A client that is taken.
	_, err = apps.Create(t.Context(), wanted(apps, map[string]cty.Value{"name": str("Third"), "oidc": oidc(map[string]cty.Value{"client_id": str("taken_client_id_1"), "grant_types": strs("password")})}))
	if !engine.Refused(err) {
		t.Errorf("%v", err)
	}
	for _, done := range []*engine.Object{o, other} {
		if err := apps.Delete(t.Context(), done); err != nil {
			t.Error(err)
		}
		if err := apps.Delete(t.Context(), done); err != nil {
			t.Error(err)
		}
		if _, err := apps.Read(t.Context(), done.ID); !errors.Is(err, engine.ErrNotFound) {
			t.Error(err)
		}
	}
}

// What fails after the application was made, or changed in part, leaves an object.
func TestApplicationFailures(t *testing.T) {
	var fault func(*http.Request) int
	s := serveFaulty(t, func(r *http.Request) int {
		if fault == nil {
			return 0
		}
		return fault(r)
	})
	apps := s.typ("is_application")
	b := &apps.Schema().Block
	on := func(method, suffix string, status int) {
		fault = func(r *http.Request) int {
			if r.Method == method && strings.HasSuffix(r.URL.Path, suffix) {
				return status
			}
			return 0
		}
	}
	on("PATCH", "", 403)
	attrs := map[string]cty.Value{"name": str("Shop"), "logout_return_url": str("https://shop/out")}
	o, err := apps.Create(t.Context(), wanted(apps, attrs))
	if o == nil || err == nil || !strings.Contains(err.Error(), "was created as "+o.ID) {
		t.Fatalf("%v %v", o, err)
	}
	fault = nil
	if found, err := apps.Find(t.Context(), wanted(apps, attrs)); err != nil || found.ID != o.ID {
		t.Errorf("%v %v", found, err)
	}
	on("GET", o.ID, 403)
	if _, err := apps.Read(t.Context(), o.ID); err == nil || errors.Is(err, engine.ErrNotFound) {
		t.Errorf("%v", err)
	}
	on("GET", "", 403)
	if got, err := apps.Create(t.Context(), wanted(apps, map[string]cty.Value{"name": str("Unread")})); got == nil || got.ID == "" || err == nil {
		t.Errorf("%v %v", got, err)
	}

	// The second of two steps.
	fault = nil
	set := map[string]cty.Value{"description": str("d"), "oidc": block(b, map[string]cty.Value{"grant_types": strs("password")}, "oidc")}
	on("PUT", "/oidc", 403)
	got, err := apps.Update(t.Context(), o, over(o, set))
	if err == nil || got == nil || got.Value.GetAttr("description").AsString() != "d" || !got.Value.GetAttr("oidc").IsNull() || !strings.Contains(err.Error(), "after 1 of its changes") {
		t.Errorf("%v %v", got, err)
	}
	fault = nil
	if got, _ = s.update(apps, got, over(got, set)); got.Value.GetAttr("oidc").IsNull() {
		t.Error("the client was not made")
	}
	// An old client that cannot be put back.
	on("PUT", "/oidc", 403)
	_, err = apps.Update(t.Context(), got, over(got, map[string]cty.Value{"oidc": inner(got.Value.GetAttr("oidc"), map[string]cty.Value{"client_id": str("another_client_1")})}))
	if err == nil || !strings.Contains(err.Error(), "could not be put back") {
		t.Error(err)
	}
	fault = nil
	if o, err := apps.Read(t.Context(), got.ID); err != nil || !o.Value.GetAttr("oidc").IsNull() {
		t.Errorf("%v %v", o, err)
	}
}

// The server's own applications are found, and not changed.
func TestSystemApplication(t *testing.T) {
	s := serve(t, nil)
	apps := s.typ("is_application").(application)
	console, err := apps.Find(t.Context(), wanted(apps, map[string]cty.Value{"name": str("Console")}))
	if err != nil || !console.System || console.Value.GetAttr("access").AsString() != "READ" {
		t.Fatalf("%v %v", console, err)
	}
	n := s.writes()
	if _, err := apps.Update(t.Context(), console, over(console, map[string]cty.Value{"description": str("x")})); !engine.Refused(err) {
		t.Error(err)
	}
	if err := apps.Delete(t.Context(), console); !engine.Refused(err) {
		t.Error(err)
	}
	if s.writes() != n {
		t.Error(s.written(n))
	}
	shop := s.create(apps, map[string]cty.Value{"name": str("Shop")})
	problems := apps.CheckPlan(t.Context(), []engine.Planned{
		{Address: "is_application.new", Action: engine.Create}, {Address: "is_application.shop", Action: engine.Update, Live: shop},
		{Address: "is_application.console", Action: engine.Update, Live: console}, {Address: "is_application.same", Action: engine.None, Live: console},
	})
	if len(problems) != 1 || problems[0].Index != 2 || !strings.Contains(problems[0].Detail, `"Console"`) {
		t.Errorf("%+v", problems)
	}
	for i := range 105 {
		s.create(apps, map[string]cty.Value{"name": str(fmt.Sprintf("Search and rescue %d", i))})
	}
	if o, err := apps.Find(t.Context(), wanted(apps, map[string]cty.Value{"name": str("Search and rescue 0")})); err != nil || o.Value.GetAttr("name").AsString() != "Search and rescue 0" {
		t.Errorf("%v %v", o, err)
	}
	if _, err := apps.Find(t.Context(), wanted(apps, map[string]cty.Value{"name": str("shop")})); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another spelling: %v", err)
	}
}

func TestCheckApplication(t *testing.T) {
	typ := applicationType()
	b := &typ.Block
	nest := func(name string, set map[string]cty.Value) map[string]cty.Value {
		return map[string]cty.Value{name: block(b, set, name)}
	}
	option := blocks(b, []string{"authentication", "step", "option"}, map[string]cty.Value{"authenticator": str("totp")})
	step := blocks(b, []string{"authentication", "step"}, map[string]cty.Value{"option": option})
	requested := blocks(b, []string{"claims", "requested_claim"}, map[string]cty.Value{"uri": str("mail")})
	mapping := map[string]cty.Value{"application_claim": str("mail"), "local_claim": str("x")}
	grants := strs("authorization_code")
	for name, test := range map[string]struct {
		set  map[string]cty.Value
		want string
	}{
		"nothing":               {nil, ""},
		"discoverable":          {nest("advanced", map[string]cty.Value{"discoverable_by_end_users": cty.True}), "advanced.discoverable_by_end_users: Missing access URL"},
		"certificate":           {nest("advanced", map[string]cty.Value{"certificate": block(b, map[string]cty.Value{"type": str("PEM"), "value": str("x")}, "advanced", "certificate")}), "advanced.certificate.value: Invalid certificate"},
		"mandatory":             {nest("claims", map[string]cty.Value{"mapped_local_subject_mandatory": cty.True, "use_mapped_local_subject": cty.False}), "claims.mapped_local_subject_mandatory: Linked account not used"},
		"local mapping":         {nest("claims", map[string]cty.Value{"mapping": blocks(b, []string{"claims", "mapping"}, mapping)}), "claims.mapping[0]: Mapping of a local claim"},
		"two mappings":          {nest("claims", map[string]cty.Value{"dialect": str("CUSTOM"), "mapping": blocks(b, []string{"claims", "mapping"}, mapping, mapping)}), "claims.mapping[1]: Duplicate claim mapping"},
		"unmapped":              {nest("claims", map[string]cty.Value{"dialect": str("CUSTOM"), "requested_claim": requested}), "claims.requested_claim[0].uri: Claim without a mapping"},
		"mapped":                {nest("claims", map[string]cty.Value{"dialect": str("CUSTOM"), "requested_claim": requested, "mapping": blocks(b, []string{"claims", "mapping"}, mapping)}), ""},
		"no steps":              {nest("authentication", nil), "authentication.type: Missing steps"},
		"steps":                 {nest("authentication", map[string]cty.Value{"step": step, "subject_step": num(1)}), ""},
		"unknown step":          {nest("authentication", map[string]cty.Value{"step": step, "subject_step": num(2)}), "authentication.subject_step: Unknown step"},
		"steps of the default":  {nest("authentication", map[string]cty.Value{"type": str("DEFAULT"), "step": step}), "authentication.type: Steps of a default sequence"},
		"script of the default": {nest("authentication", map[string]cty.Value{"type": str("DEFAULT"), "script": str("x")}), "authentication.script: Setting of a sequence"},
		"secret alone":          {nest("oidc", map[string]cty.Value{"grant_types": strs("password"), "initial_secret": str("s")}), "oidc.initial_secret: Secret without a client id"},
		"no grants":             {nest("oidc", map[string]cty.Value{"grant_types": strs()}), "oidc.grant_types: Missing grant types"},
		"no callback":           {nest("oidc", map[string]cty.Value{"grant_types": grants}), "oidc.grant_types: Missing callback URL"},
		"callback not known":    {nest("oidc", map[string]cty.Value{"grant_types": grants, "callback_urls": cty.UnknownVal(cty.Set(cty.String))}), ""},
		"pattern":               {nest("oidc", map[string]cty.Value{"grant_types": grants, "callback_urls": strs("regexp=https://.*")}), ""},
		"pattern among others":  {nest("oidc", map[string]cty.Value{"grant_types": grants, "callback_urls": strs("regexp=https://.*", "https://a")}), "oidc.callback_urls: Pattern among addresses"},
		"encryption that is off": {nest("oidc", map[string]cty.Value{"grant_types": strs("password"), "id_token": block(b, map[string]cty.Value{"encryption_enabled": cty.False, "encryption_method": str("A128GCM")}, "oidc", "id_token")}),
			"oidc.id_token: Encryption that is off"},
	} {
		var got []string
		for _, p := range typ.Check(inner(b.Defaults(b.Object(map[string]cty.Value{"name": str("x")})), test.set)) {
			got = append(got, fmt.Sprintf("%s: %s", schema.PathString(p.Path), p.Summary))
		}
		if strings.Join(got, "; ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	for value, ok := range map[string]bool{"Shop": true, "a b.c_d-e": true, "a  b": false, " a": false, "a/b": false, "": false} {
		if err := validApplicationName(str(value)); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
	for value, ok := range map[string]bool{"https://shop.example": true, "http://localhost:8080": true, "shop.example": false, "https://shop.example/": false, "https://": false} {
		if err := origins(strs(value)); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestConsequenceOfApplication(t *testing.T) {
	s := serve(t, nil)
	apps := s.typ("is_application").(application)
	b := &apps.Schema().Block
	o := s.create(apps, map[string]cty.Value{"name": str("Shop"), "allowed_audience": str("APPLICATION"), "oidc": block(b, map[string]cty.Value{"grant_types": strs("password")}, "oidc")})
	oidc := o.Value.GetAttr("oidc")
	null := cty.NullVal(cty.DynamicPseudoType)
	for want, after := range map[string]cty.Value{
		"":                             over(o, nil),
		"deletes the roles":            over(o, map[string]cty.Value{"allowed_audience": str("ORGANIZATION")}),
		"is deleted, and its tokens":   over(o, map[string]cty.Value{"oidc": cty.NullVal(oidc.Type())}),
		"is deleted and made again":    over(o, map[string]cty.Value{"oidc": inner(oidc, map[string]cty.Value{"client_id": str("x")})}),
		"until they have the new secr": over(o, map[string]cty.Value{"oidc": inner(oidc, map[string]cty.Value{"secret_version": num(2)})}),
	} {
		if got := apps.Consequence(engine.Update, o.Value, after); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := apps.Consequence(engine.Delete, o.Value, null); !strings.Contains(got, `"Shop"`) {
		t.Error(got)
	}
	if got := apps.Consequence(engine.Create, null, o.Value); got != "" {
		t.Error(got)
	}
}

func TestCallbacks(t *testing.T) {
	for _, plain := range [][]string{
		{}, {"https://a/cb"}, {"https://a/cb", "https://b/cb"}, {"https://a/cb?x=1", "https://b/cb?y=(2)*$", "com.example.app:/cb"}, {"http://[::1]:80/cb", "https://b/c+d"},
	} {
		sent := encodeCallbacks(plain)
		if len(sent) > 1 {
			t.Errorf("%v is sent as %v", plain, sent)
		}
		if d := cmp.Diff(plain, decodeCallbacks(sent)); d != "" {
			t.Errorf("%v: %s", sent, d)
		}
	}
	for shown, want := range map[string][]string{
		"regexp=(https://a/1|https://a/2)":        {"https://a/1", "https://a/2"},
		`regexp=(https://a\.example/1|https://b)`: {"https://a.example/1", "https://b"},
		"regexp=(https://a/cb?x=1|https://b)":     {"https://a/cb?x=1", "https://b"},
		"regexp=https://.*":                       {"regexp=https://.*"},
		"regexp=(https://a/.*|https://b)":         {"regexp=(https://a/.*|https://b)"},
		"regexp=(https://(a|b)/cb)":               {"regexp=(https://(a|b)/cb)"},
		"regexp=(http://localhost:5173(/cb)?)":    {"regexp=(http://localhost:5173(/cb)?)"},
		`regexp=(https://a\)`:                     {`regexp=(https://a\)`},
		"regexp=(a|b)":                            {"regexp=(a|b)"},
		"":                                        {},
	} {
		if d := cmp.Diff(want, decodeCallbacks([]string{shown})); d != "" {
			t.Errorf("%s: %s", shown, d)
		}
	}
	for value, ok := range map[string]bool{"https://a/cb": true, "app:/cb": true, "regexp=https://.*": true, "": false, "a b": false, "cb": false, "https://a|https://b": false} {
		if err := callbackAddress(strs(value)); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
	if plainCallbacks(strs("regexp=https://.*")) == nil {
		t.Error("a registration takes no patterns")
	}
}

// Tokens carry the scopes of the new types' APIs.
func TestApplicationByToken(t *testing.T) {
	s := serve(t, nil)
	for _, auth := range []string{rest.AuthPassword, rest.AuthClient} {
		p := s.connect(map[string]cty.Value{"auth": str(auth)})
		for _, typ := range p.types {
			attrs := map[string]cty.Value{}
			switch typ.(type) {
			case application:
				attrs["name"] = str("Shop " + auth)
			case apiResource:
				attrs["identifier"], attrs["name"] = str(auth), str(auth)
			case oauthClient:
				attrs["client_name"], attrs["grant_types"] = str("c "+auth), strs("password")
			default:
				continue
			}
			o, err := typ.Create(t.Context(), wanted(typ, attrs))
			if err != nil {
				t.Errorf("%s %s: %v", auth, typ.Schema().Name, err)
				continue
			}
			if err := typ.Delete(t.Context(), o); err != nil {
				t.Errorf("%s %s: %v", auth, typ.Schema().Name, err)
			}
			if o, err := typ.Read(t.Context(), o.ID); !errors.Is(err, engine.ErrNotFound) {
				t.Errorf("%s %s: %v %v", auth, typ.Schema().Name, o, err)
			}
		}
	}
}
