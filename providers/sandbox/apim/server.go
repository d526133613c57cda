package apim

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// superTenant is the tenant of users without a domain.
const superTenant = "carbon.super"

// A Server is one API Manager. It is an http.Handler, safe for concurrent use.
type Server struct {
	options Options
	handler http.Handler
	routes  *table

	mu       sync.Mutex // guards contents; never held during a call to another server
	contents contents
	view     view
	now      func() time.Time
}

// New returns a server with the contents of a fresh installation: the resident key manager, the
// seeded throttling policies and the Default environment of the super tenant. Tenants are made when
// their first user comes.
func New(o Options) *Server {
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	if o.KeyManagerDelay == 0 {
		o.KeyManagerDelay = 150 * time.Millisecond
	}
	if o.IndexLag == 0 {
		o.IndexLag = 300 * time.Millisecond
	}
	o.IndexLag = max(o.IndexLag, 0)
	if o.GatewayLag == 0 {
		o.GatewayLag = 150 * time.Millisecond
	}
	if len(o.GatewayEnvironments) == 0 {
		o.GatewayEnvironments = []string{"Default"}
	}
	if o.Admin[0] == "" {
		o.Admin = [2]string{"admin", "admin"}
	}
	if o.PublicURL == "" {
		o.PublicURL = "https://localhost:9443"
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	if o.Version == "" {
		o.Version = "4.5.0"
	}
	if o.RoleExists == nil {
		o.RoleExists = func(_, role string) bool {
			return slices.ContainsFunc(freshRoles, func(r string) bool { return strings.EqualFold(r, role) })
		}
	}
	s := &Server{options: o, routes: newTable(routes()), now: time.Now}
	s.contents = contents{Tenants: map[string]*tenant{}}
	s.handler = http.HandlerFunc(s.serve)
	if o.Middleware != nil {
		s.handler = o.Middleware(s.handler)
	}
	return s
}

var freshRoles = []string{
	"admin", "Internal/everyone", "Internal/creator", "Internal/publisher", "Internal/subscriber", "Internal/devops", "Internal/analytics",
	"Internal/integration_dev", "Internal/system",
}

// ServeHTTP serves one request. Every request passes Options.Middleware first.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// maxBody is how much of a request's body is read.
const maxBody = 32 << 20

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if a := tomcatRefuses(r); a != nil {
		a.send(w, r)
		return
	}
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/oauth2/") && s.options.OAuth != nil:
		s.options.OAuth.ServeHTTP(w, r)
		return
	case path == "/services/Version" || path == "/services/Version/" || path == "/services/Version/getVersion":
		s.version().send(w, r)
		return
	}
	s.dispatch(r).send(w, r)
}

// version is the SOAP service that health checks and tools ask for the product and its version,
// without a login.
func (s *Server) version() *answer {
	return &answer{status: http.StatusOK, kind: "text/xml;charset=UTF-8", body: []byte(
		`<ns:getVersionResponse xmlns:ns="http://version.services.core.carbon.wso2.org"><return>WSO2 API Manager-` + s.options.Version + `</return></ns:getVersionResponse>`)}
}

// A call is one request on its way through an operation.
type call struct {
	server  *Server
	request *http.Request
	path    string // within its API: "/applications/…"
	vars    map[string]string
	body    []byte
	user    Principal // zero for an anonymous call
	tenant  *tenant   // valid while the contents are locked
	global  bool      // works on global key managers

	fields map[string]formField // of a form

	fetched    []byte // the document that a form names the address of
	fetchError error

	scopeChanges []scopeChange // that key managers are told of when it is done
}

// dispatch finds the operation, checks who may call it, and runs it.
func (s *Server) dispatch(r *http.Request) *answer {
	found, vars, other := s.routes.find(r.Method, r.URL.EscapedPath())
	if found == nil {
		if other {
			return empty(http.StatusMethodNotAllowed)
		}
		return empty(http.StatusNotFound)
	}
	c := &call{server: s, request: r, vars: vars, path: strings.TrimPrefix(r.URL.Path, found.api.base)}
	if a := s.authorize(c, found); a != nil {
		return a
	}
	if a := negotiate(r, found); a != nil {
		return a
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return badRequest("Malformed request body.")
	}
	if len(body) > maxBody {
		return empty(http.StatusRequestEntityTooLarge)
	}
	c.body = body
	if found.withKeys {
		if bad := c.askKeyManagers(); bad != nil {
			return bad
		}
	}
	a := s.run(c, found)
	c.tellKeyManagers()
	return a
}

// run runs an operation.
func (s *Server) run(c *call, found *route) *answer {
	r := c.request
	if found.unlocked {
		a := found.run(c)
		if !readOnly(r.Method) {
			s.mu.Lock()
			s.touched()
			s.mu.Unlock()
		}
		return a
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.enter()
	if !readOnly(r.Method) {
		s.touched()
	}
	return found.run(c)
}

// enter resolves the caller's tenant; the contents are locked.
func (c *call) enter() { c.tenant = c.server.tenantOf(c.domain()) }

// domain is the tenant that a call works in: the user's own (apim-behaviour 1.3), for anonymous
// calls the one asked for.
func (c *call) domain() string {
	if c.user.User != "" {
		return c.user.Tenant
	}
	if t := c.request.Header.Get("X-WSO2-Tenant"); t != "" {
		return t
	}
	return superTenant
}

// owner is how the caller is written in owner fields: "ann", "ann@acme.com".
func (c *call) owner() string {
	if c.user.Tenant == superTenant {
		return c.user.User
	}
	return c.user.User + "@" + c.user.Tenant
}

// authorize checks credentials and scopes. An operation without scopes is open to anonymous calls,
// but not to bad credentials.
func (s *Server) authorize(c *call, o *route) *answer {
	if len(o.scopes) == 0 && c.request.Header.Get("Authorization") == "" {
		return nil
	}
	p, known := s.options.Authenticate(c.request)
	if !known {
		return unauthenticated()
	}
	if p.Tenant == "" {
		p.Tenant = superTenant
	}
	c.user = p
	if len(o.scopes) == 0 || p.All || slices.ContainsFunc(o.scopes, func(scope string) bool { return slices.Contains(p.Scopes, scope) }) {
		return nil
	}
	return unauthenticated()
}

// negotiate checks Content-Type and Accept.
func negotiate(r *http.Request, o *route) *answer {
	if o.consumes != "" && r.ContentLength != 0 {
		kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		if kind = strings.TrimSpace(kind); kind != "" && !strings.EqualFold(kind, o.consumes) {
			return empty(http.StatusUnsupportedMediaType)
		}
	}
	accept := r.Header.Values("Accept")
	if len(accept) == 0 || o.produces == "" {
		return nil
	}
	major, _, _ := strings.Cut(o.produces, "/")
	for kind := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, _, _ = strings.Cut(strings.TrimSpace(kind), ";")
		if kind == "*/*" || kind == "" || strings.EqualFold(kind, major+"/*") || strings.EqualFold(kind, o.produces) {
			return nil
		}
	}
	return empty(http.StatusNotAcceptable)
}

// tomcatPage is what Tomcat answers with 400 to addresses that it does not take, before any
// application sees them; %s is a paragraph with the reason.
const tomcatPage = `<!doctype html><html lang="en"><head><title>HTTP Status 400 – Bad Request</title><style type="text/css">body {font-family:Tahoma,Arial,sans-serif;} h1, h2, h3, b {color:white;background-color:#525D76;} h1 {font-size:22px;} h2 {font-size:16px;} h3 {font-size:14px;} p {font-size:12px;} a {color:black;} .line {height:1px;background-color:#525D76;border:none;}</style></head><body><h1>HTTP Status 400 – Bad Request</h1><hr class="line" /><p><b>Type</b> Status Report</p>%s<p><b>Description</b> The server cannot or will not process the request due to something that is perceived to be a client error (e.g., malformed request syntax, invalid request message framing, or deceptive request routing).</p><hr class="line" /><h3>Apache Tomcat/9.0.94</h3></body></html>`

// tomcatRefuses answers characters that may not stand unescaped in a request line, and escaped
// slashes in a path (seen).
func tomcatRefuses(r *http.Request) *answer {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	reason := ""
	switch {
	case strings.ContainsAny(r.RequestURI, "{}|\\^`\"<>"):
	case strings.Contains(strings.ToLower(path), "%2f"):
		reason = "<p><b>Message</b> Invalid URI: [The encoded slash character is not allowed]</p>"
	default:
		return nil
	}
	return &answer{status: http.StatusBadRequest, kind: "text/html;charset=utf-8", body: []byte(strings.Replace(tomcatPage, "%s", reason, 1))}
}
