package gateway

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// A caller is who a request was found to come from.
type caller struct {
	user         string // with the tenant: "ann@carbon.super"
	claims       map[string]any
	application  *Application  // nil without a token
	subscription *Subscription // nil where none is needed
	tier         string        // of a client certificate
	keyType      string        // "PRODUCTION", "SANDBOX"
	certificate  bool
}

// stranger is somebody of whom nothing was asked.
func stranger() caller { return caller{user: "anonymous", keyType: "PRODUCTION"} }

// Members of securityScheme.
const (
	oauth2        = "oauth2"
	basicAuth     = "basic_auth"
	mutualTLS     = "mutualssl"
	mutualTLSMust = "mutualssl_mandatory"
	tokenMust     = "oauth_basic_auth_api_key_mandatory"
)

// authenticate asks for what the API's security scheme names. Of client certificate and token both are needed where both are marked as mandatory,
// one of them where neither is.
func (c *call) authenticate() *fault {
	c.caller = stranger()
	if c.operation.Public {
		return nil
	}
	schemes := c.api.Security
	has := func(scheme string) bool { return slices.Contains(schemes, scheme) }
	token := len(schemes) == 0 || has(oauth2) || has(basicAuth)
	if has(mutualTLS) {
		refusal := c.certificate()
		switch {
		case refusal != nil && (has(mutualTLSMust) || !token):
			return refusal
		case refusal == nil && !has(tokenMust):
			return nil
		}
	}
	if !token {
		return unauthorized("900901", "Invalid Credentials", "Invalid Credentials"+provideCredentials)
	}
	return c.token()
}

// certificate checks the client certificate of the connection against those of the API.
func (c *call) certificate() *fault {
	if c.request.TLS != nil && len(c.request.TLS.PeerCertificates) > 0 {
		shown := c.request.TLS.PeerCertificates[0]
		for _, known := range c.api.Certificates {
			if bytes.Equal(known.DER, shown.Raw) {
				c.caller.user, c.caller.tier, c.caller.keyType, c.caller.certificate = shown.Subject.CommonName, known.Tier, known.KeyType, true
				return nil
			}
		}
	}
	return unauthorized("900901", "Invalid Credentials", "Invalid Credentials"+provideCredentials)
}

// token checks the header that holds a token or Basic credentials.
func (c *call) token() *fault {
	header := c.api.AuthorizationHead
	if header == "" {
		header = "Authorization"
	}
	value := strings.TrimSpace(c.request.Header.Get(header))
	kind, text, _ := strings.Cut(value, " ")
	text = strings.TrimSpace(text)
	schemes := c.api.Security
	switch {
	case strings.EqualFold(kind, "Bearer") && text != "" && (len(schemes) == 0 || slices.Contains(schemes, oauth2)):
		return c.bearer(text)
	case strings.EqualFold(kind, "Basic") && slices.Contains(schemes, basicAuth):
		return c.basic(header)
	}
	var ways []string
	if len(schemes) == 0 || slices.Contains(schemes, oauth2) {
		ways = append(ways, "'"+header+" : Bearer ACCESS_TOKEN'")
	}
	if slices.Contains(schemes, basicAuth) {
		ways = append(ways, "'"+header+" : Basic ACCESS_TOKEN'")
	}
	return unauthorized("900902", "Missing Credentials", "Invalid Credentials. Make sure your API invocation call has a header: "+strings.Join(ways, " or "))
}

// basic checks a user of API Manager.
func (c *call) basic(header string) *fault {
	r := &http.Request{Header: http.Header{"Authorization": c.request.Header.Values(header)}}
	name, password, _ := r.BasicAuth()
	roles, ok := c.gateway.options.Login(name, password)
	if !ok {
		return unauthorized("900914", "Invalid Basic Auth Credentials", "Invalid Basic Auth Credentials"+provideCredentials)
	}
	c.caller.user = qualified(name, c.api.Tenant)
	c.caller.claims = map[string]any{"sub": name}
	var held []string
	for scope, bound := range c.api.Bindings {
		if len(bound) == 0 || slices.ContainsFunc(bound, func(b string) bool {
			return slices.ContainsFunc(roles, func(r string) bool { return strings.EqualFold(b, r) })
		}) {
			held = append(held, scope)
		}
	}
	return c.scopedAll(held)
}

// qualified writes a user with the tenant.
func qualified(user, tenant string) string {
	if strings.HasSuffix(user, "@"+tenant) {
		return user
	}
	return user + "@" + tenant
}

// bearer checks a token: whose it is, which application has it, whether that is subscribed, and whether it holds a scope of the operation.
func (c *call) bearer(text string) *fault {
	manager, claims, refusal := c.claims(text)
	if refusal != nil {
		return refusal
	}
	if !c.accepts(manager) {
		return c.noAccess()
	}
	c.caller.claims = claims
	c.caller.user = qualified(textOf(claims, "sub"), c.api.Tenant)
	if refusal := c.subscribed(manager, textOf(claims, manager.ConsumerKeyClaim)); refusal != nil {
		return refusal
	}
	return c.scopedAll(scopesOf(claims[manager.ScopesClaim]))
}

// accepts tells whether the API takes tokens of a key manager.
func (c *call) accepts(m *KeyManager) bool {
	return len(c.api.KeyManagers) == 0 || slices.ContainsFunc(c.api.KeyManagers, func(n string) bool { return n == "all" || n == m.Name || n == m.ID })
}

// managers are the key managers of the API's tenant.
func (c *call) managers(test func(*KeyManager) bool) *KeyManager {
	for i := range c.contents.KeyManagers {
		m := &c.contents.KeyManagers[i]
		if (m.Tenant == c.api.Tenant || m.Tenant == "") && test(m) {
			return m
		}
	}
	return nil
}

var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512}

// claims reads a token. A JWT is checked by the keys of the key manager that has its issuer; any other text, and a JWT whose issuer no key manager
// has, is shown to the resident key manager, which knows its own opaque tokens.
func (c *call) claims(text string) (*KeyManager, map[string]any, *fault) {
	if strings.Count(text, ".") == 2 {
		signed, err := jose.ParseSignedCompact(text, algorithms)
		if err != nil {
			return nil, nil, invalid("Invalid JWT token")
		}
		var claims map[string]any
		if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims); err != nil {
			return nil, nil, invalid("Invalid JWT token")
		}
		issuer := textOf(claims, "iss")
		manager := c.managers(func(m *KeyManager) bool { return m.Issuer != "" && m.Issuer == issuer })
		if manager != nil && !manager.Introspects {
			return manager, claims, c.verify(manager, signed, claims)
		}
		if manager != nil {
			got, refusal := c.introspect(manager, text)
			return manager, got, refusal
		}
	}
	resident := c.managers(func(m *KeyManager) bool { return m.Resident })
	if resident == nil {
		return nil, nil, c.noAccess()
	}
	claims, refusal := c.introspect(resident, text)
	return resident, claims, refusal
}

// verify checks signature and times.
func (c *call) verify(m *KeyManager, signed *jose.JSONWebSignature, claims map[string]any) *fault {
	keyID := signed.Signatures[0].Header.KeyID
	keys, err := c.gateway.keys.of(c.request.Context(), m, keyID)
	if err != nil {
		return invalid("Invalid JWT token")
	}
	candidates := keys.Key(keyID)
	if len(candidates) == 0 && (keyID == "" || m.JWKS == "") {
		candidates = keys.Keys
	}
	if !slices.ContainsFunc(candidates, func(k jose.JSONWebKey) bool { _, err := signed.Verify(k); return err == nil }) {
		return invalid("Invalid JWT token")
	}
	now := float64(c.gateway.options.Now().Unix())
	if exp, has := claims["exp"].(float64); !has || exp <= now {
		return invalid("Invalid JWT token")
	}
	if nbf, has := claims["nbf"].(float64); has && nbf > now+1 {
		return invalid("Invalid JWT token")
	}
	return nil
}

// introspect asks a key manager about a token and returns its answer as claims.
func (c *call) introspect(m *KeyManager, text string) (map[string]any, *fault) {
	form := url.Values{"token": {text}}
	r, err := http.NewRequestWithContext(c.request.Context(), http.MethodPost, m.Introspection, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, c.noAccess()
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(m.User, m.Password)
	answer, err := c.gateway.options.HTTP.Do(r)
	if err != nil {
		return nil, c.noAccess()
	}
	defer answer.Body.Close()
	var claims map[string]any
	if answer.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&claims) != nil || claims["active"] != true {
		return nil, c.noAccess()
	}
	if claims[m.ConsumerKeyClaim] == nil {
		claims[m.ConsumerKeyClaim] = claims["client_id"]
	}
	if claims[m.ScopesClaim] == nil {
		claims[m.ScopesClaim] = claims["scope"]
	}
	if claims["sub"] == nil {
		claims["sub"] = claims["username"]
	}
	return claims, nil
}

// subscriptionless is the only tier of an API whose calls need no subscription.
const subscriptionless = "DefaultSubscriptionless"

// subscribed finds the application that a consumer key belongs to and its subscription.
func (c *call) subscribed(m *KeyManager, consumerKey string) *fault {
	refused := forbidden("900908", "Resource forbidden ", "User is NOT authorized to access the Resource. API Subscription validation failed.")
	free := len(c.api.Tiers) == 1 && c.api.Tiers[0] == subscriptionless
	t := c.api.table
	key := t.keys[m.ID+"\x00"+consumerKey]
	if key == nil {
		if free {
			return nil
		}
		return refused
	}
	c.caller.keyType, c.caller.application = key.Type, t.applications[key.Application]
	if c.caller.application == nil {
		return refused
	}
	s := t.subscriptions[key.Application+"\x00"+c.api.ID]
	if s == nil {
		if free {
			return nil
		}
		return refused
	}
	c.caller.subscription = s
	blocked := "Access failure for API: " + c.api.Context + ", version: " + c.api.Version + " status: "
	switch s.Status {
	case "BLOCKED":
		return forbidden("900907", "The requested API is temporarily blocked", blocked+"(900907) - The requested API is temporarily blocked")
	case "PROD_ONLY_BLOCKED":
		if key.Type != "SANDBOX" {
			return forbidden("900907", "The requested API is temporarily blocked", blocked+"(900907) - The requested API is temporarily blocked")
		}
	case "ON_HOLD", "REJECTED":
		return forbidden("900909", "The subscription to the API is inactive", blocked+"(900909) - The subscription to the API is inactive")
	}
	return nil
}

// scopedAll checks the scopes of the operation, and of each field of a query.
func (c *call) scopedAll(held []string) *fault {
	for _, wanted := range append([][]string{c.operation.Scopes}, c.operation.groups...) {
		if refusal := c.scoped(wanted, held); refusal != nil {
			return refusal
		}
	}
	return nil
}

// scoped refuses a token that holds none of the scopes of an operation.
func (c *call) scoped(wanted, held []string) *fault {
	if len(wanted) == 0 || slices.ContainsFunc(wanted, func(s string) bool { return slices.Contains(held, s) }) {
		return nil
	}
	return forbidden("900910", "The access token does not allow you to access the requested resource",
		"User is NOT authorized to access the Resource: "+c.operation.Target+". Scope validation failed.")
}

// scopesOf reads a claim that is a list, or a text with blanks.
func scopesOf(claim any) []string {
	switch claim := claim.(type) {
	case string:
		return strings.Fields(claim)
	case []any:
		var out []string
		for _, s := range claim {
			if text, isText := s.(string); isText {
				out = append(out, text)
			}
		}
		return out
	}
	return nil
}

func textOf(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}
