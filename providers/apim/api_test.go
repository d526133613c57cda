package apim

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/apim"
)

// sent writes down what reaches a server that changes something.
type sent struct {
	mu   sync.Mutex
	list []string
}

// into is an option of a server that writes down its writes.
func (w *sent) into(o *sandbox.Options) {
	authenticate := o.Authenticate
	o.Authenticate = func(r *http.Request) (sandbox.Principal, bool) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.Contains(r.URL.Path, "/validate") {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.list = append(w.list, r.Method+" "+r.URL.Path)
		}
		return authenticate(r)
	}
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// taken returns the writes since it was last asked, without what all paths begin with, and ids.
func (w *sent) taken() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, x := range w.list {
		out = append(out, anyID.ReplaceAllString(strings.Replace(x, publisher, "", 1), "ID"))
	}
	w.list = nil
	return out
}

func (w *sent) expect(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, w.taken()); diff != "" {
		t.Errorf("writes (- wanted, + sent):\n%s", diff)
	}
}

// certificatePEM returns the n-th certificate of the fixture of endpoint certificates, indented.
func certificatePEM(t *testing.T, n int) string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/endpoint_certificate.txtar")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?s)-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----`).FindAllString(string(txtar.Format(archive)), -1)
	all = slices.DeleteFunc(all, func(x string) bool { return strings.Contains(x, `\n`) }) // those of requests
	out := regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(all[n], "")
	return "<<-PEM\n" + out + "\nPEM\n"
}

// pizza is an API of which parts vary.
func pizza(more string) string {
	return `resource "apim_api" "pizza" {
  name     = "Pizza"
  version  = "1.0.0"
  context  = "/pizza"
  policies = ["Unlimited"]
` + more + "}\n"
}

const (
	pizzaMenu = `
  operation {
    verb   = "GET"
    target = "/menu"
  }
`
	pizzaBackend = `
  endpoint {
    url = "https://backend.example.com"
  }
`
	pizzaDeployed = `
  deployment {
    environment = "Default"
  }
`
)

// TestOrderOfWrites holds one operation of an API to its order: working copy, certificates, labels,
// revision, deployment, lifecycle; nothing is written twice, and nothing that is there already.
func TestOrderOfWrites(t *testing.T) {
	w := &sent{}
	s := newStory(t, w.into)
	s.raw(http.StatusCreated, http.MethodPost, admin+"/labels", map[string]any{"name": "North"})
	s.raw(http.StatusCreated, http.MethodPost, admin+"/labels", map[string]any{"name": "South"})
	w.taken()
	certificate := func(n int) string {
		return fmt.Sprintf("  client_certificate {\n    alias = \"waiter\"\n    tier = \"Unlimited\"\n    certificate = %s  }\n", certificatePEM(t, n))
	}
	secured := "  security_scheme = [\"oauth2\", \"mutualssl\"]\n"
	s.write(pizza(pizzaMenu + pizzaBackend + pizzaDeployed + secured + certificate(0) + "  labels = [\"North\"]\n  lifecycle_state = \"BLOCKED\"\n"))
	s.apply()
	w.expect(t, "POST /apis", "POST /apis/ID/client-certs/PRODUCTION", "POST /apis/ID/attach-labels", "POST /apis/ID/revisions", "POST /apis/ID/deploy-revision",
		"POST /apis/change-lifecycle", "POST /apis/change-lifecycle")
	s.synced()

	// All at once again, by an update.
	s.write(pizza(strings.Replace(pizzaMenu, "/menu", "/order", 1) + pizzaBackend + pizzaDeployed + secured + certificate(1) + "  labels = [\"South\"]\n  lifecycle_state = \"DEPRECATED\"\n"))
	s.apply()
	w.expect(t, "PUT /apis/ID", "PUT /apis/ID/client-certs/PRODUCTION/waiter", "POST /apis/ID/detach-labels", "POST /apis/ID/attach-labels", "POST /apis/ID/revisions",
		"POST /apis/ID/deploy-revision", "POST /apis/change-lifecycle")
	s.synced()

	// Nothing to do is nothing done.
	s.apply()
	w.expect(t)
}

// TestRevisions holds that a revision is made when what reaches the gateway differs from what is
// deployed there, and not else; that the oldest makes room; that one that others made counts.
func TestRevisions(t *testing.T) {
	w := &sent{}
	s := newStory(t, w.into)
	version := func(more string) { s.write(pizza(pizzaMenu + pizzaBackend + pizzaDeployed + more)) }
	version("")
	s.apply()
	w.expect(t, "POST /apis", "POST /apis/ID/revisions", "POST /apis/ID/deploy-revision")
	s.synced()
	path := publisher + "/apis/" + s.id("apim_api.pizza")

	version("  description = \"What the portal says never reaches the gateway\"\n  tags = [\"hot\"]\n")
	s.apply()
	w.expect(t, "PUT /apis/ID")
	s.synced()
	version("  description = \"x\"\n  lifecycle_state = \"PUBLISHED\"\n")
	s.apply()
	w.expect(t, "PUT /apis/ID", "POST /apis/change-lifecycle")
	s.synced()

	// Six revisions, of which five can be: each but the deployed one is deleted in its turn.
	for i := range 6 {
		version(fmt.Sprintf("  cache_timeout = %d\n", 10+i))
		s.apply()
		want := []string{"PUT /apis/ID", "POST /apis/ID/revisions", "POST /apis/ID/deploy-revision"}
		if i >= 4 {
			want = slices.Insert(want, 1, "DELETE /apis/ID/revisions/ID")
		}
		w.expect(t, want...)
		s.synced()
	}
	var names []string
	for _, x := range s.raw(http.StatusOK, http.MethodGet, path+"/revisions", nil)["list"].([]any) {
		names = append(names, x.(map[string]any)["displayName"].(string))
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"Revision 3", "Revision 4", "Revision 5", "Revision 6", "Revision 7"}, names); diff != "" {
		t.Errorf("(- wanted, + left):\n%s", diff)
	}

	// Back to what an earlier revision holds: that one is deployed again.
	version("  cache_timeout = 13\n")
	s.apply()
	w.expect(t, "PUT /apis/ID", "POST /apis/ID/deploy-revision")
	s.synced()

	// Undeployed by others.
	list := s.raw(http.StatusOK, http.MethodGet, path+"/revisions?query=deployed:true", nil)["list"].([]any)
	deployed := list[0].(map[string]any)["id"].(string)
	s.does(http.StatusCreated, http.MethodPost, path+"/undeploy-revision?revisionId="+deployed, []any{map[string]any{"name": "Default", "vhost": "localhost"}})
	w.taken()
	if diff := cmp.Diff([]string{`deployment["Default"] (drift)`}, changes(s.plan())); diff != "" {
		t.Errorf("undeployed, the plan shows:\n%s", diff)
	}
	s.apply()
	w.expect(t, "POST /apis/ID/deploy-revision")
	s.synced()
}

// TestDestroy holds that an API is deleted, or retired where that is said, and one that was never
// offered is deleted all the same.
func TestDestroy(t *testing.T) {
	for _, c := range []struct{ more, state string }{
		{"  on_destroy = \"delete\"\n  lifecycle_state = \"PUBLISHED\"\n", ""},
		{"  on_destroy = \"retire\"\n  lifecycle_state = \"PUBLISHED\"\n", "RETIRED"},
		{"  on_destroy = \"retire\"\n  lifecycle_state = \"BLOCKED\"\n", "RETIRED"},
		{"  on_destroy = \"retire\"\n", ""},
		{"  lifecycle_state = \"PROTOTYPED\"\n", ""},
	} {
		s := newStory(t, nil)
		s.write(pizza(pizzaMenu + pizzaBackend + pizzaDeployed + c.more))
		s.apply()
		s.synced()
		path := publisher + "/apis/" + s.id("apim_api.pizza")
		s.options.Destroy = true
		s.apply()
		if c.state == "" {
			s.raw(http.StatusNotFound, http.MethodGet, path, nil)
		} else if got := s.raw(http.StatusOK, http.MethodGet, path, nil)["lifeCycleStatus"]; got != c.state {
			t.Errorf("%q: it is %v", c.more, got)
		}
		if _, records, err := s.store.Read(t.Context()); err != nil || len(records) > 0 {
			t.Errorf("%q: %d records are left (%v)", c.more, len(records), err)
		}
	}
}

// TestLifecycleDrift holds that a state that others changed is seen, and led back where a way leads.
func TestLifecycleDrift(t *testing.T) {
	s := newStory(t, nil)
	s.write(pizza(pizzaMenu + pizzaBackend + "  lifecycle_state = \"PUBLISHED\"\n"))
	s.apply()
	s.synced()
	action := func(name string) {
		s.raw(http.StatusOK, http.MethodPost, publisher+"/apis/change-lifecycle?action="+name+"&apiId="+s.id("apim_api.pizza"), nil)
	}
	for _, name := range []string{"Block", "Demote%20to%20Created", "Deploy%20as%20a%20Prototype"} {
		action(name)
		if diff := cmp.Diff([]string{"lifecycle_state (drift)"}, changes(s.plan())); diff != "" {
			t.Errorf("%s, the plan shows:\n%s", name, diff)
		}
		s.apply()
		s.synced()
	}
	action("Deprecate")
	_, diags := s.tryApply()
	if !diags.HasErrors() || !strings.Contains(diags.Error(), "No action of the lifecycle leads from DEPRECATED to PUBLISHED") {
		t.Errorf("after Deprecate: %v", diags)
	}
}

// TestDriftOfParts holds that what has an address of its own below an API is seen when others change
// it, and healed.
func TestDriftOfParts(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		setup  func(s *story)
		edit   func(s *story, path string)
		seen   []string
	}{
		"a label taken off": {config: pizzaMenu + pizzaBackend + "  labels = [\"North\"]\n",
			setup: func(s *story) {
				s.raw(http.StatusCreated, http.MethodPost, admin+"/labels", map[string]any{"name": "North"})
			},
			edit: func(s *story, path string) {
				id := s.raw(http.StatusOK, http.MethodGet, path+"/labels", nil)["list"].([]any)[0].(map[string]any)["id"]
				s.raw(http.StatusOK, http.MethodPost, path+"/detach-labels", map[string]any{"labels": []any{id}})
			}, seen: []string{"labels (drift)"}},
		"a certificate taken off": {config: pizzaMenu + pizzaBackend + "  security_scheme = [\"mutualssl\", \"api_key\"]\n  client_certificate {\n    alias = \"waiter\"\n    tier = \"Unlimited\"\n    certificate = " + certificatePEM(t, 0) + "  }\n",
			edit: func(s *story, path string) {
				s.raw(http.StatusOK, http.MethodDelete, path+"/client-certs/PRODUCTION/waiter", nil)
			},
			seen: []string{`client_certificate["waiter"] (drift)`}},
		"a topic taken off": {config: "  type = \"WS\"\n  endpoint_type = \"ws\"\n  endpoint {\n    url = \"wss://b.example.com\"\n  }\n  operation {\n    verb = \"SUBSCRIBE\"\n    target = \"/a\"\n  }\n" +
			"  operation {\n    verb = \"PUBLISH\"\n    target = \"/a\"\n  }\n",
			edit: func(s *story, path string) {
				s.merge(path, map[string]any{"operations": []any{map[string]any{"verb": "SUBSCRIBE", "target": "/a"}}})
			}, seen: []string{`operation["PUBLISH /a"] (drift)`}},
		"the complexity of a field changed": {config: "  type = \"GRAPHQL\"\n  definition = \"type Query { a: Int b: Int }\"\n" + pizzaBackend + "  complexity {\n    type = \"Query\"\n    field = \"a\"\n    value = 5\n  }\n",
			edit: func(s *story, path string) {
				s.does(http.StatusOK, http.MethodPut, path+"/graphql-policies/complexity", map[string]any{"list": []any{map[string]any{"type": "Query", "field": "a", "complexityValue": 1}}})
			}, seen: []string{`complexity["Query a"].value (drift)`}},
		"a definition replaced": {config: pizzaBackend + "  definition = <<-YAML\n    openapi: 3.0.1\n    info: {title: Pizza, version: 1.0.0}\n    paths:\n      /menu: {get: {summary: The menu}}\n      /order: {post: {}}\n  YAML\n",
			edit: func(s *story, path string) {
				s.form(http.StatusOK, http.MethodPut, path+"/swagger", "apiDefinition",
					`{"openapi":"3.0.1","info":{"title":"Pizza","version":"1.0.0"},"paths":{"/menu":{"get":{"summary":"Their menu","responses":{"200":{"description":"OK"}}}},"/order":{"post":{"responses":{"200":{"description":"OK"}}}}}}`)
			}, seen: []string{"definition (drift)"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, nil)
			if c.setup != nil {
				c.setup(s)
			}
			s.write(pizza(c.config + pizzaDeployed))
			s.apply()
			s.synced()
			c.edit(s, publisher+"/apis/"+s.id("apim_api.pizza"))
			if diff := cmp.Diff(c.seen, slices.DeleteFunc(changes(s.plan()), upToDate)); diff != "" {
				t.Errorf("(- edited, + shown):\n%s", diff)
			}
			s.apply()
			s.synced()
		})
	}
}

// TestVanishedTier holds that a tier that was deleted on the server, which an API then drops without
// a word (apim-behaviour 3.2), is seen.
func TestVanishedTier(t *testing.T) {
	s := newStory(t, nil)
	tiers := s.typ("apim_subscription_throttling_policy")
	tier := must[*engine.Object](t)(tiers.Create(t.Context(), value(tiers, map[string]cty.Value{"name": str("Platinum"), "request_count": limitOf(tiers, "request_count", 1)})))
	s.write(strings.Replace(pizza(pizzaMenu+pizzaBackend), `["Unlimited"]`, `["Unlimited", "Platinum"]`, 1))
	s.apply()
	s.synced()
	s.raw(http.StatusOK, http.MethodDelete, admin+"/throttling/policies/subscription/"+tier.ID, nil)
	if diff := cmp.Diff([]string{"policies (drift)"}, changes(s.plan())); diff != "" {
		t.Errorf("the plan shows:\n%s", diff)
	}
	_, diags := s.tryApply()
	if !diags.HasErrors() || !strings.Contains(diags.Error(), "Platinum") {
		t.Errorf("applied with a tier that is gone: %v", diags)
	}
}

// TestSecurityScheme holds that what the server adds to a security scheme is no change.
func TestSecurityScheme(t *testing.T) {
	for written, want := range map[string]string{
		"": "oauth2 oauth_basic_auth_api_key_mandatory", "oauth2": "oauth2 oauth_basic_auth_api_key_mandatory", "api_key": "api_key oauth_basic_auth_api_key_mandatory",
		"mutualssl": "mutualssl mutualssl_mandatory", "mutualssl oauth2": "mutualssl oauth2 oauth_basic_auth_api_key_mandatory",
		"mutualssl mutualssl_mandatory oauth2": "mutualssl mutualssl_mandatory oauth2", "oauth2 oauth_basic_auth_mandatory": "oauth2 oauth_basic_auth_api_key_mandatory",
		"mutualssl oauth2 mutualssl_mandatory oauth_basic_auth_api_key_mandatory": "mutualssl mutualssl_mandatory oauth2 oauth_basic_auth_api_key_mandatory",
	} {
		if got := strings.Join(stringsOf(canonicalSecurity(strs(strings.Fields(written)...))), " "); got != want {
			t.Errorf("%q becomes %q, want %q", written, got, want)
		}
		if written == "" {
			continue
		}
		s := newStory(t, nil)
		quoted := `"` + strings.Join(strings.Fields(written), `", "`) + `"`
		api := pizza(pizzaMenu + pizzaBackend + "  security_scheme = [" + quoted + "]\n")
		if written == "mutualssl" {
			api = strings.Replace(api, "  policies = [\"Unlimited\"]\n", "", 1)
		}
		s.write(api)
		s.apply()
		s.synced()
	}
}

// TestEndpointsOfAI holds that the endpoints of an AI API that have an address of their own are made,
// changed, named as primary, seen when they go, and taken off.
func TestEndpointsOfAI(t *testing.T) {
	w := &sent{}
	s := newStory(t, w.into)
	api := func(more string) {
		s.write("data \"apim_ai_service_provider\" \"openai\" {\n  name = \"OpenAI\"\n  api_version = \"1.0.0\"\n}\n" +
			pizza(pizzaBackend+pizzaDeployed+"  ai_service_provider_id = data.apim_ai_service_provider.openai.id\n"+more))
	}
	spare := func(url string) string {
		return "  endpoint {\n    name = \"spare\"\n    stage = \"PRODUCTION\"\n    url = \"" + url + "\"\n  }\n"
	}
	api(spare("https://spare.example.com"))
	s.apply()
	s.synced()
	path := publisher + "/apis/" + s.id("apim_api.pizza")
	if got := s.raw(http.StatusOK, http.MethodGet, path, nil)["subtypeConfiguration"].(map[string]any)["subtype"]; got != "AIAPI" {
		t.Errorf("it is of subtype %v", got)
	}
	api(spare("https://other.example.com") + "  primary_production_endpoint = \"spare\"\n")
	w.taken()
	s.apply()
	s.synced()
	if got := w.taken(); len(got) < 4 || got[0] != "PUT /apis/ID/endpoints/ID" || !slices.Contains(got, "PUT /apis/ID") || got[len(got)-1] != "POST /apis/ID/deploy-revision" {
		t.Errorf("writes %q", got)
	}
	api(spare("https://other.example.com"))
	s.apply()
	for _, x := range s.raw(http.StatusOK, http.MethodGet, path+"/endpoints", nil)["list"].([]any) {
		if e := x.(map[string]any); e["name"] == "spare" {
			e["endpointConfig"] = map[string]any{"endpoint_type": "http", "production_endpoints": map[string]any{"url": "https://theirs.example.com"}}
			s.does(http.StatusOK, http.MethodPut, path+"/endpoints/"+e["id"].(string), e)
		}
	}
	if diff := cmp.Diff([]string{`endpoint["spare"].url (drift)`}, slices.DeleteFunc(changes(s.plan()), upToDate)); diff != "" {
		t.Errorf("(- edited, + shown):\n%s", diff)
	}
	s.apply()
	s.synced()
}
