package apim

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/apim"
)

// TestAPICheck holds what of an API block is refused without asking a server.
func TestAPICheck(t *testing.T) {
	apis := serve(t, nil).typ("apim_api")
	type attrs = map[string]cty.Value
	block := func(name string, elements ...attrs) cty.Value {
		b := apis.Schema().NestedBlock(name)
		if b.Nesting == schema.Single {
			return b.Object(elements[0])
		}
		var all []cty.Value
		for _, e := range elements {
			all = append(all, b.Object(e))
		}
		return cty.ListVal(all)
	}
	deployed := block("deployment", attrs{"environment": str("Default")})
	yes := attrs{"advertised": cty.True}
	openAPI := cty.MapVal(attrs{"format": str("openapi 3"), "GET /a": str("{}")})
	for name, c := range map[string]struct {
		given attrs
		want  string
	}{
		"fine":                   {attrs{"operation": block("operation", attrs{"verb": str("GET"), "target": str("/a")}), "deployment": deployed}, ""},
		"definition and more":    {attrs{"definition": openAPI, "operation": block("operation", attrs{"verb": str("GET"), "target": str("/a")})}, "this one has both"},
		"no definition":          {attrs{"type": str("GRAPHQL")}, "is made of its definition"},
		"AI of another type":     {attrs{"type": str("WS"), "ai_service_provider_id": str("x")}, "An AI API is of type HTTP"},
		"certificates":           {attrs{"client_certificate": block("client_certificate", attrs{"alias": str("a")}), "security_scheme": strs("oauth2")}, `only where security_scheme holds "mutualssl"`},
		"policies without":       {attrs{"security_scheme": strs("mutualssl", "mutualssl_mandatory"), "policies": strs("Gold")}, "nobody subscribes to it"},
		"retired and deployed":   {attrs{"lifecycle_state": str("RETIRED"), "deployment": deployed}, "Retiring takes it from every gateway"},
		"complexity":             {attrs{"type": str("HTTP"), "complexity": block("complexity", attrs{"type": str("Query"), "field": str("a"), "value": num(1)})}, "Only the fields of a GraphQL API"},
		"name of an endpoint":    {attrs{"endpoint": block("endpoint", attrs{"name": str("mine"), "url": str("http://x")})}, "only those of AI APIs may have"},
		"a second endpoint":      {attrs{"endpoint": block("endpoint", attrs{"name": str("production-2"), "url": str("http://x")})}, "a further one of its stage"},
		"verb":                   {attrs{"type": str("HTTP"), "operation": block("operation", attrs{"verb": str("SUBSCRIBE"), "target": str("/a")})}, "SUBSCRIBE"},
		"relative target":        {attrs{"type": str("HTTP"), "operation": block("operation", attrs{"verb": str("GET"), "target": str("a")})}, "must begin with /"},
		"third party":            {attrs{"advertise_info": block("advertise_info", yes)}, ""},
		"third party, deployed":  {attrs{"advertise_info": block("advertise_info", yes), "deployment": deployed}, "makes no revisions of it"},
		"third party, not known": {attrs{"advertise_info": block("advertise_info", attrs{"advertised": cty.UnknownVal(cty.Bool)}), "deployment": deployed}, ""},
		"not advertised":         {attrs{"advertise_info": block("advertise_info", attrs{"advertised": cty.False}), "deployment": deployed}, ""},
		"ASYNC of our own":       {attrs{"type": str("ASYNC"), "definition": cty.MapVal(attrs{"format": str("asyncapi 2"), "channel a": str("{}")})}, "only as third-party APIs"},
	} {
		t.Run(name, func(t *testing.T) {
			all := attrs{"name": str("A"), "version": str("1"), "context": str("/a")}
			for n, v := range c.given {
				all[n] = v
			}
			got := apis.Schema().Check(value(apis, all))
			if c.want == "" && len(got) != 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0].Detail, c.want)) {
				t.Errorf("problems %+v, want %q", got, c.want)
			}
		})
	}
}

// TestAnswersWithoutList: what answers JSON of another shape is not taken for an API that nothing is
// deployed of, or for a server without key managers.
func TestAnswersWithoutList(t *testing.T) {
	hollow := ""
	s := serve(t, func(o *sandbox.Options) {
		o.Middleware = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if hollow != "" && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, hollow) {
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte("{}"))
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	})
	apis, subscriptions := s.typ("apim_api"), s.typ("apim_subscription")
	o := must[*engine.Object](t)(apis.Create(t.Context(), planned(&apis.Schema().Block, map[string]cty.Value{"name": str("A"), "version": str("1"), "context": str("/a")})))
	for path, ask := range map[string]func() error{
		"/revisions": func() error { _, err := apis.Read(t.Context(), o.ID); return err },
		"/subscriptions": func() error {
			_, err := subscriptions.Find(t.Context(), value(subscriptions, map[string]cty.Value{"application_id": str("x"), "api_id": str(o.ID), "throttling_policy": str("Gold")}))
			return err
		},
		"/key-managers": func() error { _, err := s.server.keyManagers(t.Context(), devportal); return err },
	} {
		hollow = path
		if err := ask(); err == nil || !strings.Contains(err.Error(), `holds no list "list"`) || errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: %v", path, err)
		}
		hollow = ""
	}
}
