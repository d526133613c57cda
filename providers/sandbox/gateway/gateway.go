// Package gateway is API Manager's gateway in memory: an http.Handler that serves the APIs that are deployed, checks who calls them, counts how
// often, and hands the calls on to real backends.
//
// It is written from the gateway's own sources and from answers of running gateways, not from our client. What it serves comes in through a Source,
// as a real gateway has it from its control plane. Not served: APIs over WebSocket (a real gateway has them on ports of their own), custom rules of
// the traffic manager, which are programs in a language of its own, and mock implementations.
package gateway

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options says what a Gateway stands on. Only Source is required.
type Options struct {
	Source Source
	// HTTP calls key managers: key sets and introspection. Nil is http.DefaultClient.
	HTTP *http.Client
	// Backend calls backends. It is given the certificates that were added to API Manager for endpoints, DER, to trust beside those that it trusts
	// anyway, and is called again when they change. Nil is http.DefaultTransport for all.
	Backend func(trusted [][]byte) http.RoundTripper
	// Login checks Basic credentials against API Manager's user store; it returns the user's roles. Nil knows nobody.
	Login func(name, password string) (roles []string, ok bool)
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
}

// A Source hands out what the control plane has told the gateway. What it returns is not changed any more. Safe for concurrent use.
type Source interface {
	Loaded() *Contents
}

// A Gateway is an http.Handler, safe for concurrent use.
type Gateway struct {
	options  Options
	keys     *keySets
	counters *counters

	mu       sync.Mutex
	contents *Contents // that table and backends were made from
	table    *table
	backends http.RoundTripper
	trusted  [][]byte
	turns    map[string]int // of load-balanced endpoints
}

// New returns a gateway.
func New(o Options) *Gateway {
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	if o.Backend == nil {
		o.Backend = func([][]byte) http.RoundTripper { return http.DefaultTransport }
	}
	if o.Login == nil {
		o.Login = func(string, string) ([]string, bool) { return nil, false }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Gateway{options: o, keys: newKeySets(o.HTTP, o.Now), counters: newCounters(), turns: map[string]int{}}
}

// current returns the table and the backends of what is loaded now.
func (g *Gateway) current() (*table, http.RoundTripper) {
	c := g.options.Source.Loaded()
	g.mu.Lock()
	defer g.mu.Unlock()
	if c != g.contents {
		g.contents, g.table = c, newTable(c, g.table)
	}
	if g.backends == nil || !sameCertificates(g.trusted, c.Trusted) {
		g.trusted, g.backends = c.Trusted, g.options.Backend(c.Trusted)
	}
	return g.table, g.backends
}

// A call is one request on its way through the gateway.
type call struct {
	gateway   *Gateway
	contents  *Contents
	request   *http.Request
	api       *api
	operation *operation
	path      string // behind the API's context: "/menu/1"
	caller    caller
	query     *query // of a GraphQL API
}

// ServeHTTP takes a request through the handlers of an API in their order: resource, CORS, state, query, authentication, throttling, backend.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	table, backends := g.current()
	api, path := table.api(r.URL.EscapedPath())
	if api == nil {
		status(http.StatusNotFound, "Not Found", "The requested resource is not available.").send(w)
		return
	}
	c := &call{gateway: g, contents: table.contents, request: r, api: api, path: path}
	preflight := r.Method == http.MethodOptions && !api.serves(http.MethodOptions)
	method := r.Method
	if preflight {
		method = r.Header.Get("Access-Control-Request-Method")
	}
	var refusal *fault
	if c.operation, refusal = api.find(method, path); refusal != nil {
		refusal.send(w)
		return
	}
	c.cors(w.Header())
	if preflight {
		w.WriteHeader(http.StatusOK)
		return
	}
	steps := []func() *fault{c.state, c.graphQL, c.authenticate, c.throttle, c.costly}
	if api.prototype() {
		c.caller = stranger()
		steps = nil
	}
	for _, step := range steps {
		if refusal := step(); refusal != nil {
			refusal.send(w)
			return
		}
	}
	c.forward(w, backends)
}

// state refuses calls of an API that is blocked as a whole.
func (c *call) state() *fault {
	if strings.EqualFold(c.api.State, "BLOCKED") {
		return &fault{status: http.StatusServiceUnavailable, Code: "700700", Message: "API blocked",
			Description: "This API has been blocked temporarily. Please try again later or contact the system administrators."}
	}
	return nil
}

// prototype tells whether an API is a prototype, which the gateway serves without the handlers that authenticate and throttle. Products, which have
// no type, are served with them in each state.
func (a *API) prototype() bool { return a.Type != "" && strings.EqualFold(a.State, "PROTOTYPED") }

func sameCertificates(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if string(a[i]) != string(b[i]) {
			return false
		}
	}
	return true
}
