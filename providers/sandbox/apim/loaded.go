package apim

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"wso2plan/providers/sandbox/gateway"
)

// A view is what the gateway has been told. It is made anew some time after the contents have
// changed, as events take their time (apim-behaviour 2.5).
type view struct {
	contents *gateway.Contents
	dirty    time.Time // of the first change that it lacks; zero is none
}

// touched notes that a request may have changed the contents, which are locked.
func (s *Server) touched() {
	if s.view.dirty.IsZero() {
		s.view.dirty = s.now()
	}
}

// Loaded is what the gateway knows: the APIs that are deployed to its environments, as they were
// when their revisions were made, and what it needs to tell who may call them. It implements
// gateway.Source; what it returns is not changed any more.
func (s *Server) Loaded() *gateway.Contents {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.view.contents == nil || !s.view.dirty.IsZero() && now.Sub(s.view.dirty) >= s.options.GatewayLag {
		s.view.contents, s.view.dirty = s.tell(now), time.Time{}
		for _, t := range s.contents.Tenants {
			for _, k := range t.KeyManagers.list {
				if !s.loaded(k) { // its own event is still on its way
					s.view.dirty = now
				}
			}
		}
	}
	return s.view.contents
}

// tell gathers what the gateway is told. The contents are locked.
func (s *Server) tell(now time.Time) *gateway.Contents {
	c := &gateway.Contents{ApplicationPolicies: map[string]*gateway.Policy{}, SubscriptionPolicies: map[string]*gateway.Policy{},
		AdvancedPolicies: map[string]*gateway.Policy{}}
	domains := make([]string, 0, len(s.contents.Tenants))
	for domain := range s.contents.Tenants {
		domains = append(domains, domain)
	}
	slices.Sort(domains)
	for _, domain := range domains {
		t := s.tenantOf(domain)
		s.tellAPIs(c, t)
		for _, k := range t.KeyManagers.list {
			if s.loaded(k) && isTrue(k.Enabled) {
				c.KeyManagers = append(c.KeyManagers, s.toldKeyManager(k, domain))
			}
		}
		for _, m := range t.Keys.list {
			if m.ConsumerKey != "" {
				c.Keys = append(c.Keys, gateway.Key{KeyManager: m.KeyManager, ConsumerKey: m.ConsumerKey, Application: m.Application, Type: m.KeyType})
			}
		}
		for _, a := range t.Applications.list {
			c.Applications = append(c.Applications, gateway.Application{ID: *a.ApplicationID, Name: *a.Name, Owner: *a.Owner, Tenant: domain,
				Policy: text(a.ThrottlingPolicy)})
		}
		for _, sub := range t.Subscriptions.list {
			c.Subscriptions = append(c.Subscriptions, gateway.Subscription{Application: sub.Application, API: sub.API, Policy: sub.Policy, Status: sub.Status})
		}
		tellPolicies(c, t)
		for _, d := range t.DenyPolicies.list {
			if isTrue(d.ConditionStatus) {
				c.Deny = append(c.Deny, toldDeny(d, domain))
			}
		}
	}
	for _, k := range s.contents.GlobalKeyManagers.list {
		if s.loaded(k) && isTrue(k.Enabled) {
			c.KeyManagers = append(c.KeyManagers, s.toldKeyManager(k, ""))
		}
	}
	names := make([]string, 0, len(s.contents.TrustStore))
	for name := range s.contents.TrustStore {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if der := s.contents.TrustStore[name]; der != nil {
			c.Trusted = append(c.Trusted, der)
		}
	}
	return c
}

// toldKeyManager is a key manager as the gateway uses it.
func (s *Server) toldKeyManager(k *keyManager, domain string) gateway.KeyManager {
	shown := s.shown(k)
	out := gateway.KeyManager{ID: *k.ID, Name: *k.Name, Tenant: domain, Issuer: text(shown.Issuer), ConsumerKeyClaim: text(shown.ConsumerKeyClaim),
		ScopesClaim: text(shown.ScopesClaim), Introspection: text(shown.IntrospectionEndpoint), Resident: k.resident(),
		Introspects: shown.EnableSelfValidationJWT != nil && !*shown.EnableSelfValidationJWT}
	if out.ConsumerKeyClaim == "" {
		out.ConsumerKeyClaim = "azp"
	}
	if out.ScopesClaim == "" {
		out.ScopesClaim = "scope"
	}
	if c := shown.Certificates; c != nil && text(c.Type) == "JWKS" {
		out.JWKS = text(c.Value)
	} else if c != nil {
		out.PEM = pemOf(text(c.Value))
	}
	out.User, out.Password = textOf(k.AdditionalProperties, "Username"), textOf(k.AdditionalProperties, "Password")
	if out.Resident {
		out.Introspection, out.User, out.Password = s.options.PublicURL+"/oauth2/introspect", s.options.Admin[0], s.options.Admin[1]
	}
	return out
}

// toldDeny is a deny policy as the gateway uses it.
func toldDeny(d *denyPolicy, domain string) gateway.Deny {
	out := gateway.Deny{Type: *d.ConditionType, Tenant: domain}
	m, isObject := d.ConditionValue.(map[string]any)
	switch {
	case !isObject:
		out.Value = javaText(d.ConditionValue)
	case out.Type == "IP":
		out.Value = textOf(m, "fixedIp")
	default:
		out.Value = textOf(m, "startingIp") + "-" + textOf(m, "endingIp")
	}
	out.Invert, _ = m["invert"].(bool)
	return out
}

// tellPolicies adds the throttling policies of a tenant.
func tellPolicies(c *gateway.Contents, t *tenant) {
	for _, p := range t.ApplicationPolicies.list {
		told := &gateway.Policy{Limit: told(p.DefaultLimit)}
		if p.BurstLimit != nil {
			told.Burst = burst(p.BurstLimit.RateLimitCount, p.BurstLimit.RateLimitTimeUnit)
		}
		c.ApplicationPolicies[gateway.PolicyKey(t.Domain, *p.PolicyName)] = told
	}
	for _, p := range t.SubscriptionPolicies.list {
		c.SubscriptionPolicies[gateway.PolicyKey(t.Domain, *p.PolicyName)] = &gateway.Policy{Limit: told(p.DefaultLimit),
			Burst: burst(p.RateLimitCount, p.RateLimitTimeUnit), Overdraws: p.StopOnQuotaReach != nil && !*p.StopOnQuotaReach,
			QueryDepth: int(number64(p.GraphQLMaxDepth)), QueryComplexity: int(number64(p.GraphQLMaxComplexity))}
	}
	for _, p := range t.AdvancedPolicies.list {
		out := &gateway.Policy{Limit: told(p.DefaultLimit)}
		for _, g := range p.ConditionalGroups {
			out.Groups = append(out.Groups, toldGroup(g))
		}
		c.AdvancedPolicies[gateway.PolicyKey(t.Domain, *p.PolicyName)] = out
	}
}

func number64(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// told is a limit as the gateway counts it.
func told(l *throttleLimit) gateway.Limit {
	switch {
	case l == nil:
	case l.RequestCount != nil:
		return gateway.Limit{Requests: number64(l.RequestCount.RequestCount), Unit: text(l.RequestCount.TimeUnit), Count: number64(l.RequestCount.UnitTime)}
	case l.Bandwidth != nil:
		size := int64(1024)
		switch strings.ToUpper(text(l.Bandwidth.DataUnit)) {
		case "MB":
			size <<= 10
		case "GB":
			size <<= 20
		}
		return gateway.Limit{Bytes: number64(l.Bandwidth.DataAmount) * size, Unit: text(l.Bandwidth.TimeUnit), Count: number64(l.Bandwidth.UnitTime)}
	case l.EventCount != nil:
		return gateway.Limit{Requests: number64(l.EventCount.EventCount), Unit: text(l.EventCount.TimeUnit), Count: number64(l.EventCount.UnitTime)}
	case l.AIAPIQuota != nil:
		return gateway.Limit{Requests: number64(l.AIAPIQuota.RequestCount), Unit: text(l.AIAPIQuota.TimeUnit), Count: number64(l.AIAPIQuota.UnitTime)}
	}
	return gateway.Limit{}
}

// burst is a rate limit; the unset one is 0, or -1 with the unit NA.
func burst(count *int64, unit *string) gateway.Limit {
	if number64(count) <= 0 {
		return gateway.Limit{}
	}
	return gateway.Limit{Requests: *count, Unit: text(unit), Count: 1}
}

func toldGroup(g conditionalGroup) gateway.Group {
	out := gateway.Group{Limit: told(g.Limit)}
	for _, c := range g.Conditions {
		one := gateway.Condition{Invert: isTrue(c.InvertCondition)}
		switch {
		case c.HeaderCondition != nil:
			one.Kind, one.Name, one.Value = "header", text(c.HeaderCondition.HeaderName), text(c.HeaderCondition.HeaderValue)
		case c.QueryParameterCondition != nil:
			one.Kind, one.Name, one.Value = "query", text(c.QueryParameterCondition.ParameterName), text(c.QueryParameterCondition.ParameterValue)
		case c.JWTClaimsCondition != nil:
			one.Kind, one.Name, one.Value = "claim", text(c.JWTClaimsCondition.ClaimURL), text(c.JWTClaimsCondition.Attribute)
		case c.IPCondition != nil && text(c.IPCondition.IPConditionType) == "IPRANGE":
			one.Kind, one.Value = "range", text(c.IPCondition.StartingIP)+"-"+text(c.IPCondition.EndingIP)
		case c.IPCondition != nil:
			one.Kind, one.Value = "ip", text(c.IPCondition.SpecificIP)
		}
		out.Conditions = append(out.Conditions, one)
	}
	return out
}

// tellAPIs adds the APIs and products of a tenant that are deployed to an environment of the gateway.
func (s *Server) tellAPIs(c *gateway.Contents, t *tenant) {
	var before, after []gateway.Step // policies of the whole gateway
	for _, p := range t.GatewayPolicies.list {
		if slices.ContainsFunc(p.AppliedGatewayLabels, func(l string) bool { return slices.Contains(s.options.GatewayEnvironments, l) }) {
			flows := asObject(p.PolicyMapping)
			before, after = append(before, toldSteps(flows["request"])...), append(after, toldSteps(flows["response"])...)
		}
	}
	for _, a := range slices.Concat(t.APIs.list, t.Products.list) {
		for i := range a.Revisions {
			r := &a.Revisions[i]
			if slices.ContainsFunc(r.Deployments, func(d deployment) bool { return slices.Contains(s.options.GatewayEnvironments, text(d.Name)) }) {
				told := t.toldAPI(a, r)
				for k := range told.Operations {
					o := &told.Operations[k]
					o.Request, o.Response = slices.Concat(before, o.Request), slices.Concat(o.Response, after)
				}
				c.APIs = append(c.APIs, told)
				break
			}
		}
	}
}

// toldAPI is a revision of an API as the gateway serves it.
func (t *tenant) toldAPI(a *apiRecord, r *revision) *gateway.API {
	doc := r.Document
	version, context := textOf(doc, "version"), textOf(doc, "context")
	out := &gateway.API{ID: a.ID, Revision: r.ID, Name: textOf(doc, "name"), Version: version, Context: context + "/" + version, Provider: textOf(doc, "provider"),
		Tenant: t.Domain, Type: textOf(doc, "type"), State: a.State, Security: list(doc["securityScheme"]), AuthorizationHead: textOf(doc, "authorizationHeader"),
		KeyManagers: list(doc["keyManagers"]), Policy: textOf(doc, "apiThrottlingPolicy"), Tiers: list(doc["policies"]), Schema: r.Schema}
	out.Bindings = map[string][]string{}
	for _, s := range objects(doc["scopes"]) {
		name := textOf(inner(s, "scope"), "name")
		out.Bindings[name] = list(inner(s, "scope")["bindings"])
		if shared := t.sharedScope(name); shared != nil {
			out.Bindings[name] = shared.Bindings
		}
	}
	if strings.Contains(context, "{version}") {
		out.Context = strings.ReplaceAll(context, "{version}", version)
		context = strings.TrimSuffix(strings.ReplaceAll(context, "/{version}", ""), "/")
	}
	if isDefault, _ := doc["isDefaultVersion"].(bool); isDefault {
		out.DefaultContext = context
	}
	if cors := inner(doc, "corsConfiguration"); cors["corsConfigurationEnabled"] == true {
		credentials, _ := cors["accessControlAllowCredentials"].(bool)
		out.CORS = &gateway.CORS{Origins: list(cors["accessControlAllowOrigins"]), Headers: list(cors["accessControlAllowHeaders"]),
			Methods: list(cors["accessControlAllowMethods"]), Credentials: credentials}
	}
	if a.Product {
		out.Operations = memberOperations(r)
	} else {
		out.Operations = toldOperations(&r.working, nil)
		out.Backends = r.backends()
	}
	for _, k := range r.Certificates {
		out.Certificates = append(out.Certificates, gateway.ClientCertificate{KeyType: k.KeyType, Tier: k.Tier, DER: k.DER})
	}
	for _, x := range r.Complexity {
		out.Costs = append(out.Costs, gateway.Cost{Type: *x.Type, Field: *x.Field, Value: int(*x.Value)})
	}
	if tps := inner(doc, "maxTps"); tps != nil {
		out.MaxTPS = map[string]gateway.Limit{}
		for _, kind := range []string{"production", "sandbox"} {
			if n := whole(tps[kind]); n > 0 {
				out.MaxTPS[strings.ToUpper(kind)] = gateway.Limit{Requests: n, Unit: strings.ToLower(textOf(tps, kind+"TimeUnit")), Count: 1}
			}
		}
	}
	return out
}

// memberOperations are the operations of a product, each with the backend of the API that it is of.
func memberOperations(r *revision) []gateway.Operation {
	var out []gateway.Operation
	for _, m := range objects(r.Document["apis"]) {
		member, has := r.Members[textOf(m, "apiId")]
		if !has {
			continue
		}
		wanted := map[string]bool{}
		for _, o := range objects(m["operations"]) {
			wanted[operationKey(o)] = true
		}
		backends := member.backends()
		for _, o := range toldOperations(&member, wanted) {
			o.Backends = &backends
			out = append(out, o)
		}
	}
	return out
}

// toldOperations are operations as the gateway serves them: all, or those that are wanted.
func toldOperations(w *working, wanted map[string]bool) []gateway.Operation {
	var out []gateway.Operation
	all, _ := w.Document["apiPolicies"].(map[string]any)
	for _, o := range operationsOf(w.Document) {
		if wanted != nil && !wanted[operationKey(o)] {
			continue
		}
		flows := inner(o, "operationPolicies")
		out = append(out, gateway.Operation{Target: textOf(o, "target"), Verb: textOf(o, "verb"), Public: textOf(o, "authType") == "None",
			Scopes: list(o["scopes"]), Policy: textOf(o, "throttlingPolicy"),
			Request: slices.Concat(toldSteps(all["request"]), toldSteps(flows["request"])), Response: slices.Concat(toldSteps(flows["response"]), toldSteps(all["response"]))})
	}
	return out
}

// toldSteps are the policies of a flow.
func toldSteps(uses any) []gateway.Step {
	var out []gateway.Step
	for _, use := range objects(uses) {
		step := gateway.Step{Name: textOf(use, "policyName"), Parameters: map[string]string{}}
		for name, v := range inner(use, "parameters") {
			step.Parameters[name] = textValue(v)
		}
		out = append(out, step)
	}
	return out
}

// backends are the endpoints of a working copy: those of endpointConfig, or the ones that it names as the first of the list.
func (w *working) backends() gateway.Backends {
	out := toldBackends(w.Document["endpointConfig"])
	if e := w.primary("PRODUCTION"); e != nil {
		out.Production = toldBackends(e.EndpointConfig).Production
	}
	if e := w.primary("SANDBOX"); e != nil {
		of := toldBackends(e.EndpointConfig)
		if out.Sandbox = of.Sandbox; out.Sandbox == nil {
			out.Sandbox = of.Production
		}
	}
	return out
}

// toldBackends reads an endpointConfig.
func toldBackends(config any) gateway.Backends {
	m, _ := config.(map[string]any)
	if m == nil {
		return gateway.Backends{}
	}
	kind := textOf(m, "endpoint_type")
	one := func(name string) *gateway.Backend {
		var urls []string
		switch v := m[name+"_endpoints"].(type) {
		case map[string]any:
			urls = append(urls, textOf(v, "url"))
		case []any:
			for _, e := range objects(v) {
				urls = append(urls, textOf(e, "url"))
			}
		}
		if kind == "failover" {
			for _, e := range objects(m[name+"_failovers"]) {
				urls = append(urls, textOf(e, "url"))
			}
		}
		urls = slices.DeleteFunc(urls, func(u string) bool { return u == "" })
		if len(urls) == 0 {
			return nil
		}
		security, _ := m["endpoint_security"].(map[string]any)
		stage, _ := security[name].(map[string]any)
		return &gateway.Backend{URLs: urls, Balanced: kind == "load_balance", Failover: kind == "failover", Security: toldSecurity(stage)}
	}
	return gateway.Backends{Production: one("production"), Sandbox: one("sandbox")}
}

func toldSecurity(s map[string]any) *gateway.BackendSecurity {
	if enabled, _ := s["enabled"].(bool); !enabled {
		return nil
	}
	return &gateway.BackendSecurity{Type: textOf(s, "type"), Username: textOf(s, "username"), Password: textOf(s, "password"), TokenURL: textOf(s, "tokenUrl"),
		ClientID: textOf(s, "clientId"), Secret: textOf(s, "clientSecret"), Name: textOf(s, "apiKeyIdentifier"), Value: textOf(s, "apiKeyValue"),
		In: textOf(s, "apiKeyIdentifierType")}
}

// objects returns the members of a list that are objects.
func objects(v any) []map[string]any {
	items, _ := v.([]any)
	out := make([]map[string]any, 0, len(items))
	for _, item := range items {
		if m, isObject := item.(map[string]any); isObject {
			out = append(out, m)
		}
	}
	return out
}

// whole reads a number as a document holds it: as written, decoded, or in a text.
func whole(v any) int64 {
	switch v := v.(type) {
	case json.Number:
		n, _ := v.Int64()
		return n
	case float64:
		return int64(v)
	case int64:
		return v
	case string:
		n, _ := json.Number(v).Int64()
		return n
	}
	return 0
}

// readOnly tells whether requests of a method change nothing.
func readOnly(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// pemOf reads the certificate of a key manager: PEM, or PEM in Base64 as the portal sends it.
func pemOf(value string) []byte {
	if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value)); err == nil {
		return decoded
	}
	return []byte(value)
}
