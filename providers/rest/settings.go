package rest

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// The values of Settings.Auth; the OAuth2 ones are the grant types.
const (
	AuthBasic    = "basic"
	AuthPassword = "password"
	AuthClient   = "client_credentials"
)

// SuperTenant is the tenant of both products that always exists.
const SuperTenant = "carbon.super"

// Settings say how to reach a server.
type Settings struct {
	Product string // "API Manager", for messages
	Env     string // prefix of the environment variables, for messages: "APIM"

	Endpoint           string // "https://localhost:9443"
	Username, Password string
	Auth               string // one of Auth…; "" is AuthBasic
	ClientID           string
	ClientSecret       string
	Tenant             string // "" is SuperTenant
	CAFile             string // PEM
	InsecureSkipVerify bool
	Timeout            time.Duration // of one attempt; 0 is 30 s
	ReadsInFlight      int           // 0 is 50
	WritesInFlight     int           // 0 is 10
	RequestsPerSecond  float64       // 0: no limit

	// Dial opens connections to the server. Nil: over this machine's network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// What the provider adds.
	Prefix    string   // put before each path: "/t/acme.com"
	TokenPath string   // "" is "/oauth2/token"
	Scopes    []string // asked for with a token

	// Register makes an OAuth2 client, or finds the one that an earlier run made, when Auth needs
	// one and ClientID is empty. It logs in by Basic.
	Register func(ctx context.Context, c *Client, owner string) (id, secret string, err error)

	RetryWait     time.Duration // first pause before a request is sent again, doubled by each; 0 is 250 ms
	SettleTimeout time.Duration // how long to wait until a write takes effect; 0 is the types' own
}

func (s *Settings) defaults() {
	if s.Auth == "" {
		s.Auth = AuthBasic
	}
	if s.Timeout <= 0 {
		s.Timeout = 30 * time.Second
	}
	if s.ReadsInFlight <= 0 {
		s.ReadsInFlight = 50
	}
	if s.WritesInFlight <= 0 {
		s.WritesInFlight = 10
	}
	if s.TokenPath == "" {
		s.TokenPath = "/oauth2/token"
	}
	if s.RetryWait <= 0 {
		s.RetryWait = 250 * time.Millisecond
	}
}

// TenantName returns the tenant, SuperTenant by default.
func (s Settings) TenantName() string {
	if s.Tenant == "" {
		return SuperTenant
	}
	return s.Tenant
}

// user returns the name to log in with: user@tenant in a tenant.
func (s *Settings) user() string {
	if s.Tenant == "" || s.Tenant == SuperTenant || strings.HasSuffix(s.Username, "@"+s.Tenant) {
		return s.Username
	}
	return s.Username + "@" + s.Tenant
}

// Warnings returns what the user should be told on each run.
func (s Settings) Warnings() []string {
	if !s.InsecureSkipVerify {
		return nil
	}
	return []string{fmt.Sprintf("The certificate of %s at %s is not verified (insecure_skip_verify): whoever is on the way between can read "+
		"and change everything, the administrator's password too. Set ca_file or %s_CA_FILE instead.", s.Product, s.Endpoint, s.Env)}
}

func (s *Settings) base() (*url.URL, error) {
	u, err := url.Parse(s.Endpoint)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, &engine.AttributeError{Attribute: "endpoint", Summary: "Invalid endpoint",
			Err: fmt.Errorf("%q is not the address of a server, such as \"https://localhost:9443\"", s.Endpoint)}
	}
	if u.User != nil {
		return nil, &engine.AttributeError{Attribute: "endpoint", Summary: "Invalid endpoint",
			Err: errors.New("the endpoint holds a user name; use username and password for it")}
	}
	return u, nil
}

// A Product is what is known of a server's settings before they are read: how it is called, and
// where the environment may hold them.
type Product struct {
	Name string // "API Manager"
	Env  string // "APIM": an attribute x is also read from APIM_X

	// Also names further environment variables of an attribute, looked at after APIM_X.
	Also map[string][]string

	// Endpoint makes an endpoint of further environment variables, such as host and port; "" when
	// they are not set.
	Endpoint func(getenv func(string) string) string

	// Settles says that writes take effect some time after they are answered, so that there is a
	// settle_timeout.
	Settles bool
}

// settleTimeout is the setting that only products have which settle.
const settleTimeout = "settle_timeout"

// setting is an attribute of the provider block.
type setting struct {
	name, doc string
	typ       cty.Type
	sensitive bool
	enum      []string
}

var settings = []setting{
	{name: "endpoint", typ: cty.String, doc: "Address of the server, such as `https://localhost:9443`."},
	{name: "username", typ: cty.String, doc: "User to log in as; an administrator."},
	{name: "password", typ: cty.String, sensitive: true, doc: "Password of the user."},
	{name: "tenant", typ: cty.String, doc: "Tenant domain; `carbon.super` by default. The user name is completed to `user@tenant`."},
	{name: "auth", typ: cty.String, enum: []string{AuthBasic, AuthPassword, AuthClient},
		doc: "How to log in: `basic`, or by an OAuth2 access token of the grant `password` or `client_credentials`. " +
			"Default: `basic`; with `client_id`, `password` when there is a `username`, else `client_credentials`."},
	{name: "client_id", typ: cty.String, doc: "OAuth2 client. Without it a client named `wso2plan` is registered with the product when `auth` needs one."},
	{name: "client_secret", typ: cty.String, sensitive: true, doc: "Secret of the OAuth2 client."},
	{name: "ca_file", typ: cty.String, doc: "PEM file of certificates to trust beside the system's: the server's own if it is self-signed, else its authority's."},
	{name: "insecure_skip_verify", typ: cty.Bool, doc: "Do not verify the server's certificate. Warned of on each run."},
	{name: "timeout", typ: cty.String, doc: "How long to wait for one answer, such as `30s` (the default)."},
	{name: "retry_wait", typ: cty.String, doc: "Pause before a request that failed is sent again, such as `250ms` (the default); each further pause is twice as long, up to 10 s."},
	{name: settleTimeout, typ: cty.String, doc: "How long to wait until what was written takes effect in the rest of the server, such as `5m`: " +
		"90 s by default for a new key manager, less for the rest."},
	{name: "read_requests", typ: cty.Number, doc: "Reads in flight at a time; 50 by default."},
	{name: "write_requests", typ: cty.Number, doc: "Writes in flight at a time; 10 by default."},
	{name: "requests_per_second", typ: cty.Number, doc: "Most requests that are sent in a second; no limit by default."},
}

// Schema returns the provider block of the product. Every attribute is optional, since each may
// come from the environment.
func (p Product) Schema() schema.Block {
	var b schema.Block
	for _, s := range settings {
		if s.name == settleTimeout && !p.Settles {
			continue
		}
		names := p.variables(s.name)
		for i := range names {
			names[i] = "`" + names[i] + "`"
		}
		b.Attributes = append(b.Attributes, schema.Attribute{
			Name: s.name, Type: s.typ, Sensitive: s.sensitive, Enum: s.enum,
			Doc: s.doc + " Environment: " + strings.Join(names, ", ") + ".",
		})
	}
	return b
}

// variables returns the environment variables of an attribute, the first to be looked at first.
func (p Product) variables(attribute string) []string {
	return append([]string{p.Env + "_" + strings.ToUpper(attribute)}, p.Also[attribute]...)
}

// Settings reads a decoded provider block, and the environment for what the block lacks. Errors
// are *engine.AttributeError.
func (p Product) Settings(block cty.Value, getenv func(string) string) (Settings, error) {
	r := reader{product: p, getenv: getenv}
	r.block, _ = block.UnmarkDeep()
	s := Settings{
		Product: p.Name, Env: p.Env,
		Endpoint:     r.str("endpoint"),
		Username:     r.str("username"),
		Password:     r.str("password"),
		Tenant:       r.str("tenant"),
		Auth:         r.str("auth"),
		ClientID:     r.str("client_id"),
		ClientSecret: r.str("client_secret"),
		CAFile:       r.str("ca_file"),
	}
	if s.Endpoint == "" && p.Endpoint != nil {
		s.Endpoint = p.Endpoint(getenv)
	}
	s.Endpoint = strings.TrimRight(s.Endpoint, "/")
	s.InsecureSkipVerify = r.boolean("insecure_skip_verify")
	s.Timeout = r.duration("timeout")
	s.RetryWait = r.duration("retry_wait")
	if p.Settles {
		s.SettleTimeout = r.duration(settleTimeout)
	}
	s.ReadsInFlight = int(r.number("read_requests", 1, 1000, true))
	s.WritesInFlight = int(r.number("write_requests", 1, 1000, true))
	s.RequestsPerSecond = r.number("requests_per_second", 0.01, 1e6, false)
	if r.err != nil {
		return s, r.err
	}
	if s.Auth == "" {
		switch {
		case s.ClientID == "":
			s.Auth = AuthBasic
		case s.Username != "":
			s.Auth = AuthPassword
		default:
			s.Auth = AuthClient
		}
	}
	switch s.Auth {
	case AuthBasic, AuthPassword, AuthClient:
	default:
		r.fail("auth", "Invalid auth", "%q is no way to log in; use %s, %s or %s", s.Auth, AuthBasic, AuthPassword, AuthClient)
	}
	if s.Endpoint == "" {
		r.missing("endpoint")
	} else if _, err := s.base(); err != nil {
		r.keep(err)
	}
	if s.Auth != AuthClient || s.ClientID == "" {
		if s.Username == "" {
			r.missing("username")
		}
		if s.Password == "" {
			r.missing("password")
		}
	}
	if s.ClientID != "" && s.ClientSecret == "" {
		r.missing("client_secret")
	}
	return s, r.err
}

// reader reads settings from the block and the environment and keeps the first error.
type reader struct {
	product Product
	block   cty.Value
	getenv  func(string) string
	err     error
}

func (r *reader) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) fail(attribute, summary, format string, args ...any) {
	r.keep(&engine.AttributeError{Attribute: attribute, Summary: summary, Err: fmt.Errorf(format, args...)})
}

func (r *reader) missing(attribute string) {
	r.fail(attribute, "Missing "+strings.ReplaceAll(attribute, "_", " "),
		"the provider block of %s has no %s, and %s not set in the environment: set one of them",
		r.product.Name, attribute, areNot(r.product.variables(attribute)))
}

func areNot(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names, " and ") + " are"
}

// value returns the attribute of the block, or a null.
func (r *reader) value(name string) cty.Value {
	if r.block == cty.NilVal || r.block.IsNull() || !r.block.IsKnown() || !r.block.Type().HasAttribute(name) {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	v := r.block.GetAttr(name)
	if !v.IsNull() && !v.IsKnown() {
		r.fail(name, "Unknown provider setting", "%s of %s depends on something that is known after apply only; use a value that is known now", name, r.product.Name)
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return v
}

// env returns the environment's value and the name of the variable that holds it.
func (r *reader) env(attribute string) (value, name string) {
	for _, name := range r.product.variables(attribute) {
		if v := r.getenv(name); v != "" {
			return v, name
		}
	}
	return "", ""
}

func (r *reader) str(name string) string {
	if v := r.value(name); !v.IsNull() {
		return v.AsString()
	}
	v, _ := r.env(name)
	return v
}

func (r *reader) boolean(name string) bool {
	if v := r.value(name); !v.IsNull() {
		return v.True()
	}
	text, from := r.env(name)
	if text == "" {
		return false
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		r.fail(name, "Invalid "+name, "%s holds %q; write true or false", from, text)
	}
	return b
}

func (r *reader) duration(name string) time.Duration {
	text, from := "", name
	if v := r.value(name); !v.IsNull() {
		text = v.AsString()
	} else {
		text, from = r.env(name)
	}
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		r.fail(name, "Invalid "+name, "%s is %q; write a duration such as \"30s\" or \"2m\"", from, text)
		return 0
	}
	return d
}

func (r *reader) number(name string, least, most float64, whole bool) float64 {
	var n *big.Float
	from := name
	if v := r.value(name); !v.IsNull() {
		n = v.AsBigFloat()
	} else {
		text, variable := r.env(name)
		if text == "" {
			return 0
		}
		from = variable
		var ok bool
		if n, ok = new(big.Float).SetString(text); !ok {
			r.fail(name, "Invalid "+name, "%s is %q; write a number", variable, text)
			return 0
		}
	}
	f, _ := n.Float64()
	if f < least || f > most || whole && !n.IsInt() {
		kind := "number"
		if whole {
			kind = "whole number"
		}
		r.fail(name, "Invalid "+name, "%s is %s; write a %s from %v to %v", from, n.Text('g', 10), kind, least, most)
		return 0
	}
	return f
}
