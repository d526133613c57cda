// Package is is an Identity Server 7.1 in memory: SCIM2 users, groups and roles, client registration, applications, API resources and OAuth2, as
// strict and as odd as the real one.
//
// It is written from the server's contract (is-behaviour, above all what is marked [seen]) and from recorded answers of the real code, never from
// our client.
package is

import (
	"crypto/rsa"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"wso2plan/providers/sandbox/oauth"
)

// Options says how a Server is set up. The zero value is a fresh pack on https://localhost:9443.
type Options struct {
	// Base is the server's own address, from which locations and endpoints are made: "https://localhost:9444". Empty is https://localhost:9443.
	Base string
	// Issuer is the iss claim of its tokens. Empty is Base + "/oauth2/token".
	Issuer string
	// Key signs tokens; nil makes one.
	Key *rsa.PrivateKey
	// Stores names the secondary user stores, beside PRIMARY.
	Stores []string
	// CustomAttributes are the attributes of urn:scim:schemas:extension:custom:User that exist, all strings. A fresh pack has none.
	CustomAttributes []string
	// SystemPrefix allows role names that start with "system_" ([role_mgt] allow_system_prefix_for_role, which API Manager's connector needs).
	SystemPrefix bool
	// AuthorizeAllScopes grants every scope of an API resource to whoever asks for it, whatever the application and its users' roles are
	// ([oauth] authorize_all_scopes, which API Manager's connector needs). The server's own, internal_…, are granted as ever.
	AuthorizeAllScopes bool
	// Version is what /services/Version reports, "7.1.0" when empty.
	Version string
	// Middleware wraps every request, outside of everything else: the one place for latency and fault scripts. Nil is none.
	Middleware func(http.Handler) http.Handler
	// OnChange is called after each change of the contents. It must not wait for anything, nor call the server. Nil is nothing.
	OnChange func()
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
}

// OrganizationID is the root organization of the super tenant: the audience of organization roles (is-behaviour 17).
const OrganizationID = "10084a8d-113f-4211-a0d5-efe36b082211"

// organizationName is how audiences show it.
const organizationName = "Super"

// A Server is one Identity Server. It is an http.Handler, safe for concurrent use.
type Server struct {
	opts    Options
	tokens  *oauth.Server
	handler http.Handler
	mux     *http.ServeMux
	schema  *userSchema

	mu  sync.RWMutex // guards everything below
	dir directory
	api apis
	app applications

	oauthScopes []oauthScope
}

// New makes a server with the contents of a fresh pack.
func New(opts Options) (*Server, error) {
	if opts.Base == "" {
		opts.Base = "https://localhost:9443"
	}
	opts.Base = strings.TrimSuffix(opts.Base, "/")
	if opts.Version == "" {
		opts.Version = "7.1.0"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts, mux: http.NewServeMux(), schema: newUserSchema(opts.CustomAttributes)}
	for i, store := range opts.Stores {
		opts.Stores[i] = strings.ToUpper(store)
		if opts.Stores[i] == primary || strings.Contains(store, "/") || store == "" {
			return nil, errors.New("is: a secondary user store needs a name of its own")
		}
	}
	tokens, err := oauth.New(oauth.Options{
		Users: logins{s}, Base: opts.Base, Issuer: opts.Issuer, Key: opts.Key, Now: opts.Now,
		Scopes: s.grantedScopes, Introspect: s.mayIntrospect,
		Claims: func(oauth.Client, *oauth.User) map[string]any {
			return map[string]any{"org_id": OrganizationID, "org_name": organizationName}
		},
	})
	if err != nil {
		return nil, err
	}
	s.tokens = tokens
	tokens.OnChange(s.changed)
	s.dir = newDirectory(opts.Stores)
	s.api = newAPIs()
	s.app = newApplications()
	s.seedPack()
	s.routes()
	s.handler = http.HandlerFunc(s.serve)
	if opts.Middleware != nil {
		s.handler = opts.Middleware(s.handler)
	}
	return s, nil
}

// OAuth is the server's OAuth2 server: its clients, tokens and keys.
func (s *Server) OAuth() *oauth.Server { return s.tokens }

func (s *Server) changed() {
	if s.opts.OnChange != nil {
		s.opts.OnChange()
	}
}

// ServeHTTP serves one request. Every request passes Options.Middleware first.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// tenantPrefix is how the super tenant's paths may also be written.
const tenantPrefix = "/t/carbon.super"

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "WSO2 Carbon Server")
	if rest, ok := strings.CutPrefix(r.URL.Path, tenantPrefix+"/"); ok {
		short := r.Clone(r.Context())
		short.URL.Path = "/" + rest
		short.URL.RawPath = strings.TrimPrefix(short.URL.RawPath, tenantPrefix)
		r = short
	}
	if strings.HasPrefix(r.URL.Path, "/oauth2/") || strings.HasPrefix(r.URL.Path, "/authenticationendpoint/") {
		s.tokens.ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// A call is one request on its way through an operation, by a caller who may make it.
type call struct {
	*http.Request
	caller caller
	body   []byte
}

// A answerFunc carries out one operation.
type answerFunc func(*call) *answer

// handle adds an operation that a caller with the scope may carry out; without one it is open to everybody.
func (s *Server) handle(pattern, scope string, run answerFunc) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		c := &call{Request: r}
		if scope != "" {
			who, status := s.authorize(r, scope)
			if status != http.StatusOK {
				// A refusal of credentials has no JSON contract (is-behaviour 1.6).
				if status == http.StatusUnauthorized {
					w.Header().Set("WWW-Authenticate", `Basic realm="Realm Name"`)
				}
				w.WriteHeader(status)
				return
			}
			c.caller = who
		}
		body, refused := readBody(w, r)
		if refused != nil {
			refused.send(w)
			return
		}
		c.body = body
		run(c).send(w)
	})
}

func (s *Server) routes() {
	s.scimRoutes()
	s.dcrRoutes()
	s.apiRoutes()
	s.applicationRoutes()
	s.oauthScopeRoutes()
	s.handle("GET /api/health-check/v1.0/health", "", func(*call) *answer {
		return object(http.StatusOK, map[string]any{"health": []any{map[string]any{"key": "jdbc/WSO2IdentityDB.active.connections", "value": "0"}}})
	})
	version := func(*call) *answer {
		return &answer{status: http.StatusOK, kind: "text/xml;charset=UTF-8", body: []byte(
			`<ns:getVersionResponse xmlns:ns="http://version.services.core.carbon.wso2.org"><return>WSO2 Identity Server-` + s.opts.Version + `</return></ns:getVersionResponse>`)}
	}
	s.handle("GET /services/Version", "", version)
	s.handle("GET /services/Version/getVersion", "", version)
	s.handle("GET /api/server/v1/organizations/metadata", "internal_organization_view", func(*call) *answer {
		return object(http.StatusOK, map[string]any{"id": OrganizationID, "name": organizationName, "status": "ACTIVE", "type": "TENANT"})
	})
}
