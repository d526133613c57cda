package apim

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"

	"wso2plan/providers/sandbox/gateway"
)

// gatewayREST is the API of the gateway of an all-in-one server: what it has loaded. Administrators call it, with Basic credentials.
var gatewayREST = api{"/api/am/gateway/v2", "/api/am/gateway/v2"}

func gatewayRoutes() []route {
	only := []string{"apim:admin"}
	health := get(gatewayREST, "/server-startup-healthcheck", nil, gatewayHealth)
	health.produces = ""
	return []route{
		alone(health),
		alone(get(gatewayREST, "/api-artifact", only, gatewayArtifact)),
		alone(get(gatewayREST, "/apis", only, gatewayAPIs)),
		alone(get(gatewayREST, "/apis/{api}", only, gatewayAPI)),
		alone(get(gatewayREST, "/applications", only, gatewayApplications)),
		alone(get(gatewayREST, "/subscriptions", only, gatewaySubscriptions)),
		alone(get(gatewayREST, "/end-points", only, gatewayEndpoints)),
	}
}

func gatewayHealth(*call) *answer {
	return &answer{status: http.StatusOK, kind: "text/plain", body: []byte("Server Startup Health Check OK")}
}

// asked is the tenant of the query.
func (c *call) asked() string {
	if t := c.request.URL.Query().Get("tenantDomain"); t != "" {
		return t
	}
	return superTenant
}

// loadedAPIs are the APIs of the tenant that the gateway has and that a test accepts.
func (c *call) loadedAPIs(test func(*gateway.API) bool) []*gateway.API {
	var out []*gateway.API
	for _, a := range c.server.Loaded().APIs {
		if a.Tenant == c.asked() && test(a) {
			out = append(out, a)
		}
	}
	return out
}

// loadedNamed is the API of a name and version.
func (c *call) loadedNamed() (*gateway.API, *answer) {
	query := c.request.URL.Query()
	name, version := query.Get("apiName"), query.Get("version")
	if name == "" || version == "" {
		return nil, badRequest("apiName and version are required")
	}
	list := c.loadedAPIs(func(a *gateway.API) bool { return a.Name == name && a.Version == version })
	if len(list) == 0 {
		return nil, refuse(http.StatusNotFound, 404, "Not Found", name+" - "+version+" is not deployed")
	}
	return list[0], nil
}

// gatewayArtifact shows the configuration of an API: of a real gateway the Synapse configuration, of which this has the names.
func gatewayArtifact(c *call) *answer {
	a, bad := c.loadedNamed()
	if bad != nil {
		return bad
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<api xmlns="http://ws.apache.org/ns/synapse" name="%s" context="%s" version="%s" version-type="context">`,
		xmlText(a.Provider+"--"+a.Name+":v"+a.Version), xmlText(a.Context), xmlText(a.Version))
	for _, o := range a.Operations {
		fmt.Fprintf(&b, `<resource methods="%s" uri-template="%s"/>`, xmlText(o.Verb), xmlText(o.Target))
	}
	b.WriteString("</api>")
	return ok(map[string]any{"api": b.String()})
}

func xmlText(s string) string {
	var b strings.Builder
	if xml.EscapeText(&b, []byte(s)) != nil {
		return ""
	}
	return b.String()
}

// gatewayEndpoints shows the backends of an API.
func gatewayEndpoints(c *call) *answer {
	a, bad := c.loadedNamed()
	if bad != nil {
		return bad
	}
	out := []string{}
	for kind, b := range map[string]*gateway.Backend{"production": a.Backends.Production, "sandbox": a.Backends.Sandbox} {
		if b != nil {
			out = append(out, fmt.Sprintf(`<endpoint xmlns="http://ws.apache.org/ns/synapse" name="%s--v%s_API%sEndpoint"><http uri-template="%s"/></endpoint>`,
				xmlText(a.Name), xmlText(a.Version), kind, xmlText(b.URLs[0])))
		}
	}
	return ok(map[string]any{"endpoints": out})
}

// loadedAPI is the DTO APIMetaData.
func loadedAPI(a *gateway.API) map[string]any {
	kind := a.Type
	if kind == "" {
		kind = "APIProduct"
	}
	return map[string]any{"apiUUID": a.ID, "apiId": 0, "provider": a.Provider, "name": a.Name, "version": a.Version, "context": a.Context, "policy": a.Policy,
		"apiType": kind, "isDefaultVersion": a.DefaultContext != "", "status": a.State, "revision": a.Revision}
}

func gatewayAPIs(c *call) *answer {
	query := c.request.URL.Query()
	out := []map[string]any{}
	for _, a := range c.loadedAPIs(func(a *gateway.API) bool {
		return (query.Get("context") == "" || a.Context == query.Get("context")) && (query.Get("version") == "" || a.Version == query.Get("version"))
	}) {
		out = append(out, loadedAPI(a))
	}
	return all(out)
}

func gatewayAPI(c *call) *answer {
	list := c.loadedAPIs(func(a *gateway.API) bool { return a.ID == c.vars["api"] })
	if len(list) == 0 {
		return refuse(http.StatusNotFound, 404, "Not Found", "Requested API with Id '"+c.vars["api"]+"' not found")
	}
	out := loadedAPI(list[0])
	mappings, subscriptions := []map[string]any{}, []map[string]any{}
	for _, o := range list[0].Operations {
		scheme := "Application & Application User"
		if o.Public {
			scheme = "None"
		}
		mappings = append(mappings, map[string]any{"authScheme": scheme, "throttlingPolicy": o.Policy, "httpMethod": o.Verb, "urlPattern": o.Target,
			"scopes": append([]string{}, o.Scopes...)})
	}
	loaded := c.server.Loaded()
	for _, s := range loaded.Subscriptions {
		if s.API == list[0].ID {
			subscriptions = append(subscriptions, map[string]any{"subscriptionPolicy": s.Policy, "status": s.Status, "application": loadedApplication(loaded, s.Application)})
		}
	}
	out["urlMappings"], out["subscripitons"] = mappings, subscriptions // spelt so by the document
	return ok(out)
}

// loadedApplication is the DTO ApplicationInfo of the gateway; nil when it does not know the application.
func loadedApplication(c *gateway.Contents, id string) any {
	for _, a := range c.Applications {
		if a.ID != id {
			continue
		}
		keys := []map[string]any{}
		for _, k := range c.Keys {
			if k.Application == id {
				name := k.KeyManager
				for _, m := range c.KeyManagers {
					if m.ID == k.KeyManager {
						name = m.Name
					}
				}
				keys = append(keys, map[string]any{"consumerKey": k.ConsumerKey, "keyType": k.Type, "keyManager": name})
			}
		}
		return map[string]any{"uuid": a.ID, "id": 0, "name": a.Name, "subName": a.Owner, "policy": a.Policy, "tokenType": "JWT", "attributes": map[string]any{}, "keys": keys}
	}
	return nil
}

func gatewayApplications(c *call) *answer {
	query := c.request.URL.Query()
	if query.Get("name") == "" && query.Get("uuid") == "" {
		return badRequest("name or uuid is required")
	}
	loaded := c.server.Loaded()
	out := []any{}
	for _, a := range loaded.Applications {
		if a.Tenant == c.asked() && (query.Get("name") == "" || a.Name == query.Get("name")) && (query.Get("uuid") == "" || a.ID == query.Get("uuid")) {
			out = append(out, loadedApplication(loaded, a.ID))
		}
	}
	return all(out)
}

func gatewaySubscriptions(c *call) *answer {
	query := c.request.URL.Query()
	for _, s := range c.server.Loaded().Subscriptions {
		if s.API == query.Get("apiUUID") && s.Application == query.Get("appUUID") {
			return ok(map[string]any{"subscriptionId": 0, "policyId": s.Policy, "apiId": 0, "appId": 0, "subscriptionState": s.Status})
		}
	}
	return refuse(http.StatusNotFound, 404, "Not Found", "Subscription not found")
}
