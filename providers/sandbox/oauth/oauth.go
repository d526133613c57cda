// Package oauth is an OAuth2 and OpenID Connect server in memory: clients, tokens and the endpoints that hand them out, as WSO2's servers do.
//
// Both sandbox servers stand on it: the Identity Server for its own tokens, API Manager for those of its resident key manager and its REST APIs.
// It is written from is-behaviour 18 and 22. It does not know users or scopes; both come in through Options.
package oauth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A User is somebody who can log in.
type User struct {
	Subject string         // the sub claim: Identity Server's user id, API Manager's name
	Name    string         // with its user store where that is not PRIMARY: "ann", "SEC/ann"
	Tenant  string         // "carbon.super"
	Claims  map[string]any // for the id token and /oauth2/userinfo, by OIDC name: "email", "given_name"
}

// Users is the user store behind a server. Methods are safe for concurrent use.
type Users interface {
	// Login returns the user whom name and password belong to. A name may carry a store ("SEC/ann") and a tenant ("ann@carbon.super").
	Login(name, password string) (User, bool)
	// Find returns a user by subject or name, without a password: for assertions and refreshed tokens.
	Find(subject string) (User, bool)
}

// Options says what a Server stands on. Only Users is required.
type Options struct {
	Users Users
	// Base is the server's own address, "https://localhost:9444". Empty is https://localhost:9443.
	Base string
	// Issuer is the iss claim. Empty is Base + "/oauth2/token". Endpoints in the discovery document stand on the same host as the issuer, because
	// the real servers build both from their configured host name.
	Issuer string
	// Key signs tokens. Nil makes one, which takes some 100 ms.
	Key *rsa.PrivateKey
	// Scopes says which of the scopes asked for a client may have, on behalf of a user or (nil) of itself. The others are dropped without a word.
	// Nil grants openid alone.
	Scopes func(c Client, u *User, asked []string) []string
	// Claims adds members to JWT access tokens. May be nil.
	Claims func(c Client, u *User) map[string]any
	// Introspect says whether a request may introspect: http.StatusOK, or the status to refuse with. Nil asks for the Basic credentials of any user.
	Introspect func(*http.Request) int
	// Trusted returns the key set of an issuer whose assertions are accepted by jwt-bearer and token-exchange. The server always trusts itself.
	Trusted func(issuer string) (*jose.JSONWebKeySet, bool)
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
	// DeviceInterval is how often a device may ask. Zero is 5 s.
	DeviceInterval time.Duration
}

// Grants that the token endpoint serves (platform.md, get-token).
const (
	ClientCredentials = "client_credentials"
	Password          = "password"
	RefreshToken      = "refresh_token"
	AuthorizationCode = "authorization_code"
	DeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"
	JWTBearer         = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	SAML2Bearer       = "urn:ietf:params:oauth:grant-type:saml2-bearer"
	TokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange"
)

// Known lists the grants that clients may be registered with (is-behaviour 18); those without a constant above are accepted in a registration and
// refused by the token endpoint.
var Known = []string{AuthorizationCode, Password, ClientCredentials, RefreshToken, "implicit", SAML2Bearer, "iwa:ntlm", JWTBearer, DeviceCode,
	TokenExchange, "urn:openid:params:grant-type:ciba", "account_switch", "organization_switch"}

// A Client is a registered application. Lifetimes are seconds.
type Client struct {
	ID, Secret   string
	Name         string // of the application; unique only where the caller sees to it
	DisplayName  string
	Owner        string // "admin"
	GrantTypes   []string
	RedirectURIs []string // each plain, or "regexp=(u1|u2)"
	JWT          bool     // access tokens are JWTs; else opaque UUIDs
	Public       bool     // needs no secret
	PKCE         bool     // mandatory
	PKCEPlain    bool     // the plain method is allowed

	ApplicationLifetime, UserLifetime, RefreshLifetime, IDLifetime int64

	// Extra is what the registering API keeps with a client and this package does not read.
	Extra map[string]any
}

// Default lifetimes in seconds (is-behaviour 18).
const (
	DefaultLifetime        = 3600
	DefaultRefreshLifetime = 86400
)

// Errors of the registry.
var (
	ErrNoClient = errors.New("no such client")
	ErrTaken    = errors.New("client id is taken")
)

// A Server is an OAuth2 server. It is safe for concurrent use.
type Server struct {
	opts    Options
	key     *rsa.PrivateKey
	keyID   string
	signer  jose.Signer
	keySet  jose.JSONWebKeySet
	devices time.Duration

	mu      sync.Mutex
	clients map[string]*Client
	tokens  map[string]*Token  // access tokens by their text
	refresh map[string]*Token  // by refresh token
	current map[string]*Token  // the opaque token that is issued again, by client, user and scopes
	codes   map[string]*code   // authorization codes
	pending map[string]*device // by device code
	changed func()
	sweep   time.Time
	begun   time.Time // of this run: a JWT issued later that is not in the table was revoked
	mux     *http.ServeMux
}

// New makes a server.
func New(opts Options) (*Server, error) {
	if opts.Users == nil {
		return nil, errors.New("oauth: no users")
	}
	if opts.Base == "" {
		opts.Base = "https://localhost:9443"
	}
	opts.Base = strings.TrimSuffix(opts.Base, "/")
	if opts.Issuer == "" {
		opts.Issuer = opts.Base + "/oauth2/token"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.DeviceInterval == 0 {
		opts.DeviceInterval = 5 * time.Second
	}
	if opts.Key == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		opts.Key = key
	}
	s := &Server{
		opts: opts, key: opts.Key, devices: opts.DeviceInterval,
		clients: map[string]*Client{}, tokens: map[string]*Token{}, refresh: map[string]*Token{}, current: map[string]*Token{},
		codes: map[string]*code{}, pending: map[string]*device{}, begun: opts.Now(), mux: http.NewServeMux(),
	}
	s.Routes(s.mux, "")
	s.Routes(s.mux, "/t/carbon.super")
	return s, s.prepareKey()
}

// Issuer is the iss claim of the server's tokens.
func (s *Server) Issuer() string { return s.opts.Issuer }

// Key is the private key that signs.
func (s *Server) Key() *rsa.PrivateKey { return s.key }

// OnChange has f called after each change of the registry. Set it before serving.
func (s *Server) OnChange(f func()) { s.changed = f }

func (s *Server) notify() {
	if s.changed != nil {
		s.changed()
	}
}

// Register adds a client. A missing ID or Secret is made, missing lifetimes are the defaults. ErrTaken when the ID exists.
func (s *Server) Register(c Client) (Client, error) {
	if c.ID == "" {
		c.ID = randomText(28)
	}
	if c.Secret == "" {
		c.Secret = randomText(44)
	}
	c = c.withDefaults()
	s.mu.Lock()
	if _, ok := s.clients[c.ID]; ok {
		s.mu.Unlock()
		return Client{}, fmt.Errorf("%w: %s", ErrTaken, c.ID)
	}
	s.clients[c.ID] = c.copy()
	s.mu.Unlock()
	s.notify()
	return c, nil
}

// Client returns a client by its ID, ErrNoClient when there is none.
func (s *Server) Client(id string) (Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.clients[id]
	if !ok {
		return Client{}, ErrNoClient
	}
	return *c.copy(), nil
}

// Clients returns all of them, by ID.
func (s *Server) Clients() []Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Client, 0, len(s.clients))
	for _, c := range s.clients {
		all = append(all, *c.copy())
	}
	slices.SortFunc(all, func(a, b Client) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Update replaces a client; an empty Secret keeps the stored one. ErrNoClient when there is none.
func (s *Server) Update(c Client) (Client, error) {
	s.mu.Lock()
	old, ok := s.clients[c.ID]
	if !ok {
		s.mu.Unlock()
		return Client{}, ErrNoClient
	}
	if c.Secret == "" {
		c.Secret = old.Secret
	}
	c = c.withDefaults()
	s.clients[c.ID] = c.copy()
	s.mu.Unlock()
	s.notify()
	return c, nil
}

// RotateSecret gives a client a new secret and ends its tokens, as the real servers do. ErrNoClient when there is none.
func (s *Server) RotateSecret(id string) (Client, error) {
	s.mu.Lock()
	c, ok := s.clients[id]
	if !ok {
		s.mu.Unlock()
		return Client{}, ErrNoClient
	}
	c.Secret = randomText(44)
	s.endTokens(id)
	made := *c.copy()
	s.mu.Unlock()
	s.notify()
	return made, nil
}

// Delete removes a client and its tokens. ErrNoClient when there is none.
func (s *Server) Delete(id string) error {
	s.mu.Lock()
	if _, ok := s.clients[id]; !ok {
		s.mu.Unlock()
		return ErrNoClient
	}
	delete(s.clients, id)
	s.endTokens(id)
	s.mu.Unlock()
	s.notify()
	return nil
}

// Load replaces the registry: what an earlier run kept.
func (s *Server) Load(clients []Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients = make(map[string]*Client, len(clients))
	for _, c := range clients {
		s.clients[c.ID] = c.copy()
	}
}

func (c Client) withDefaults() Client {
	for _, lifetime := range []*int64{&c.ApplicationLifetime, &c.UserLifetime, &c.IDLifetime} {
		if *lifetime <= 0 {
			*lifetime = DefaultLifetime
		}
	}
	if c.RefreshLifetime <= 0 {
		c.RefreshLifetime = DefaultRefreshLifetime
	}
	return c
}

func (c *Client) copy() *Client {
	d := *c
	d.GrantTypes, d.RedirectURIs = slices.Clone(c.GrantTypes), slices.Clone(c.RedirectURIs)
	if c.Extra != nil {
		d.Extra = make(map[string]any, len(c.Extra))
		for k, v := range c.Extra {
			d.Extra[k] = v
		}
	}
	return &d
}

func (c Client) hasSecret(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) == 1
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

// randomText makes a text of n letters, digits and underscores, from the system's random source.
func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b)
}

// NewID makes a random UUID.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// Search returns a client for which match is true; which one, when there are several, is not said. match must not keep or change what it is given.
func (s *Server) Search(match func(*Client) bool) (Client, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		if match(c) {
			return *c.copy(), true
		}
	}
	return Client{}, false
}
