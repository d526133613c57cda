// Package apim is an API Manager 4.5 in memory: its admin, devportal and publisher REST APIs and
// its client registration, as strict and as odd as the real ones.
//
// It is written from the servers' contract (apim-behaviour, the OpenAPI documents, recorded answers
// of the real code), never from our client. It knows no OAuth2 server: the resident key manager and
// the check of credentials come in through Options, and every other key manager is called over HTTP
// at the addresses that its configuration names.
package apim

import (
	"context"
	"net/http"
	"time"
)

// Options says what a Server stands on. Only Resident and Authenticate are required.
type Options struct {
	// HTTP calls external key managers (DCR, discovery). Nil is http.DefaultClient. It should have a
	// time-out and trust the CAs that a real server's trust store would.
	HTTP *http.Client
	// Resident is the client registry of the resident key manager.
	Resident Resident
	// OAuth serves /oauth2/* beside the REST APIs. Nil answers 404 there.
	OAuth http.Handler
	// Authenticate tells who sends a request, from its Authorization header (Basic or Bearer). False
	// means nobody: 401.
	Authenticate func(*http.Request) (Principal, bool)
	// RoleExists tells whether a role ("admin", "Internal/publisher", "PRIMARY/x") exists in the user
	// store of a tenant. Nil knows the roles of a fresh server: admin and
	// Internal/{everyone,creator,publisher,subscriber,devops,analytics,integration_dev}.
	RoleExists func(tenant, role string) bool
	// UserExists tells whether there is a user ("ann", "ann@acme.com"), for those as whom an administrator makes APIs. Nil knows nobody.
	UserExists func(name string) bool
	// KeyManagerDelay is how long a key manager that was just created is not yet loaded: the devportal
	// does not list it and it cannot make keys. Zero is 150 ms, less than zero is none.
	KeyManagerDelay time.Duration
	// PublicURL is the address ("https://localhost:9443") from which the endpoints of the resident key
	// manager are computed. Empty is that.
	PublicURL string
	// Version is what /services/Version reports, "4.5.0" when empty.
	Version string
	// ApplicationAttributes are the attributes that applications of this server may have
	// (deployment.toml, apim.devportal.application_attributes).
	ApplicationAttributes []ApplicationAttribute
	// GroupSharing turns on groups of applications; without it they are dropped silently
	// (apim-behaviour 4.1).
	GroupSharing bool
	// IndexLag is how long what was written is missing from lists and searches of APIs, which are
	// indexed (apim-behaviour 2.5). Zero is 300 ms, less than zero is none.
	IndexLag time.Duration
	// UnknownTierKept answers 200 and changes nothing when a subscription is updated to a tier that its API lacks, as 4.7 does; without it 500, as
	// 9.33.90 does (apim-behaviour 4.4).
	UnknownTierKept bool
	// GatewayEnvironments are the environments that the server's gateway serves (see Loaded). None is
	// Default.
	GatewayEnvironments []string
	// GatewayLag is how long a change takes to reach the gateway (apim-behaviour 2.5). Zero is 150 ms,
	// less than zero is none.
	GatewayLag time.Duration
	// Admin are name and password of the user as whom the gateway introspects tokens of the resident
	// key manager. Empty is admin, admin.
	Admin [2]string
	// Approvals are the kinds of workflow that wait for an approval: AM_APPLICATION_CREATION and AM_SUBSCRIPTION_CREATION. A fresh server has none.
	Approvals []string
	// Organization tells the organization of a user: the id that the identity provider has for it, and its name. Nil is a server whose users belong
	// to none, as a fresh one's do.
	Organization func(Principal) (id, name string)
	// Middleware wraps everything that the server serves: the one place for latency and fault scripts.
	// Nil is none.
	Middleware func(http.Handler) http.Handler
}

// ApplicationAttribute is an attribute that the server's configuration declares for applications.
type ApplicationAttribute struct {
	Name, Description string
	Required, Hidden  bool
}

// A Principal is the user who sends a request.
type Principal struct {
	User   string // without the tenant: "admin"
	Tenant string // "carbon.super", "acme.com"; empty is carbon.super
	// Scopes are the scopes that the caller may use: of a token those granted, of a user (Basic) those
	// of the user's roles.
	Scopes []string
	// All is true for an administrator with Basic credentials: every scope.
	All bool
	// Roles are the user's, for key managers that only some roles may use.
	Roles []string
}

// A Client is an OAuth2 client of the resident key manager.
type Client struct {
	ID, Secret   string
	Name         string // <owner>_<application UUID>_<PRODUCTION|SANDBOX> of keys, any name of registered clients
	Owner        string // "admin", "ann@acme.com"
	GrantTypes   []string
	CallbackURLs []string
	SaaS         bool // usable by users of other tenants (DCR v0.17 saasApp)
	// Extra holds the connector's own properties by their names on the wire
	// (application_access_token_expiry_time, pkceMandatory, …); a missing one is at the server's
	// default.
	Extra map[string]any
}

// A Token is what a key manager answers at its token endpoint.
type Token struct {
	AccessToken string
	Scopes      []string
	ExpiresIn   int // seconds
}

// Resident registers the clients of the resident key manager and makes tokens for them. Methods are
// safe for concurrent use; tenant is "carbon.super" or a tenant's domain.
type Resident interface {
	// CreateClient registers a client. With ID or Secret given, these are kept; else they are made.
	// Names are not unique.
	CreateClient(ctx context.Context, tenant string, c Client) (Client, error)
	// Client returns a client with its secret, ErrNoClient when there is none.
	Client(ctx context.Context, tenant, id string) (Client, error)
	// ClientNamed returns the client of this name and owner, ErrNoClient when there is none.
	ClientNamed(ctx context.Context, tenant, name, owner string) (Client, error)
	// UpdateClient replaces name, grants, callback URLs and extra properties; the secret stays.
	UpdateClient(ctx context.Context, tenant string, c Client) (Client, error)
	// DeleteClient removes a client and its tokens, ErrNoClient when there is none.
	DeleteClient(ctx context.Context, tenant, id string) error
	// RotateSecret makes a new secret.
	RotateSecret(ctx context.Context, tenant, id string) (Client, error)
	// Token makes an application access token by client credentials, valid for so many seconds (0: the
	// server's default).
	Token(ctx context.Context, tenant, id string, scopes []string, seconds int) (Token, error)
}
