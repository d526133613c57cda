// Package sandbox serves an API Manager with its gateway and an Identity Server in memory, over HTTPS on this machine: servers that call each other as
// the real ones do, to try configurations on and to test against.
//
// The servers themselves are its subpackages. This one gives them addresses, certificates, users and a file to keep their contents in.
package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"wso2plan/providers/sandbox/apim"
	"wso2plan/providers/sandbox/fault"
	"wso2plan/providers/sandbox/is"
	"wso2plan/providers/sandbox/oauth"
)

// Options says how the two servers are set up. The zero value serves fresh packs on 9443 and 9444.
type Options struct {
	// APIMAddr and ISAddr are where the servers listen: ":9443" and ":9444" when empty, "127.0.0.1:0" for a free port. An address without a
	// host is on 127.0.0.1: the sandbox serves this machine alone.
	APIMAddr, ISAddr string
	// GatewayAddr is where API Manager's gateway listens: ":8243" when empty, or a free port where APIMAddr asks for one.
	GatewayAddr string
	// Latency is how long each request waits before it is served.
	Latency time.Duration
	// DataFile keeps the contents between runs; empty keeps nothing. It holds private keys and password hashes and is made with mode 0600. What
	// was changed is written within half a second, and when the sandbox is closed.
	DataFile string
	// Seed makes that many objects for load: users of Identity Server and applications of API Manager, and a part of it of each other type. It is
	// not done again when DataFile has contents.
	Seed int
	// Issuer is the iss claim of Identity Server's tokens, and what its discovery document says. Empty is its address + "/oauth2/token".
	Issuer string
	// Resolve are addresses that API Manager's and Identity Server's own calls take other ways to, "HOST:PORT=ADDRESS" as curl's --resolve has
	// it; ADDRESS is a host or host:port. wso2is:9443 and wso2am:9443 lead to the two servers unless named here. The hosts are in the certificate.
	Resolve []string
	// Users are API Manager's users beside admin (admin). Identity Server's are made by SCIM.
	Users []User
	// Roles are roles that exist in API Manager's user store beside those of a fresh pack.
	Roles []string
	// Stores are Identity Server's secondary user stores.
	Stores []string
	// CustomAttributes are attributes of urn:scim:schemas:extension:custom:User that exist.
	CustomAttributes []string
	// IndexLag is how long what was written is missing from lists and searches of APIs, which are indexed. Zero is 300 ms, less than zero is none.
	IndexLag time.Duration
	// GatewayLag is how long a change takes to reach the gateway. Zero is 150 ms, less than zero is none.
	GatewayLag time.Duration
	// Faults make requests of both servers fail, inside of latency and count; they can be set anew while the sandbox runs. Nil is none.
	Faults *fault.Script
	// Security is a folder with the key and trust stores of both servers, as they stand under repository/resources/security: apim/wso2carbon.jks and
	// client-truststore.jks, is/wso2carbon.p12 and client-truststore.p12, password wso2carbon. Those that are missing are made. Each server then
	// shows the certificate of its key store and calls only whom its trust store holds, as they were when it started or at POST /_restart; see
	// security.go. Empty: both servers trust each other, and nothing is on disk.
	Security string
	// Network is what the servers listen on and call each other by. Nil is this machine's own.
	Network Network
	// Middleware wraps every request of a server ("apim", "is"), inside of latency, count and Faults. Nil is none.
	Middleware func(server string, next http.Handler) http.Handler
}

// A Network is a way to listen and to call, as package net has it.
type Network interface {
	Listen(network, address string) (net.Listener, error)
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// ownNetwork is this machine's.
type ownNetwork struct{ net.Dialer }

func (*ownNetwork) Listen(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}

// A User is a user of API Manager: of the super tenant, or of another as "ann@acme.com".
type User struct {
	Name, Password string
	Roles          []string // none: Internal/subscriber, Internal/creator, Internal/publisher
}

// A Sandbox is running servers.
type Sandbox struct {
	apim, is   *instance
	gateway    *instance
	apimServer *apim.Server
	isServer   *is.Server
	apimTokens *oauth.Server
	authority  *authority
	security   map[string]*security // by server; nil without
	data       *dataFile
	closing    sync.Once
	closeError error
}

// An instance is one listening server.
type instance struct {
	name     string
	listener net.Listener
	server   *http.Server
	url      string
	clients  tls.ClientAuthType // whether clients are asked for a certificate
	counter  counter
	done     chan error
}

// Start serves until ctx ends or Close is called. An error means that nothing is left running.
func Start(ctx context.Context, opts Options) (_ *Sandbox, err error) {
	s := &Sandbox{apim: &instance{name: "apim"}, is: &instance{name: "is"}, gateway: &instance{name: "gateway"}}
	defer func() {
		if err != nil {
			s.apim.abandon()
			s.is.abandon()
			s.gateway.abandon()
		}
	}()
	if opts.Network == nil {
		opts.Network = &ownNetwork{net.Dialer{Timeout: 5 * time.Second}}
	}
	if err := s.apim.listen(opts.Network, opts.APIMAddr, ":9443"); err != nil {
		return nil, err
	}
	if err := s.is.listen(opts.Network, opts.ISAddr, ":9444"); err != nil {
		return nil, err
	}
	if _, port, err := net.SplitHostPort(opts.APIMAddr); err == nil && port == "0" && opts.GatewayAddr == "" {
		opts.GatewayAddr = ":0"
	}
	if err := s.gateway.listen(opts.Network, opts.GatewayAddr, ":8243"); err != nil {
		return nil, err
	}
	routes, err := readRoutes(opts.Network, opts.Resolve, map[string]string{"wso2am:9443": s.apim.listener.Addr().String(),
		"wso2am:8243": s.gateway.listener.Addr().String(), "wso2is:9443": s.is.listener.Addr().String()})
	if err != nil {
		return nil, err
	}
	kept, err := readData(opts.DataFile)
	if err != nil {
		return nil, err
	}
	if s.authority, err = newAuthority(kept.Authority); err != nil {
		return nil, err
	}
	certificate, err := s.certificates(opts.Security, routes)
	if err != nil {
		return nil, err
	}
	served, err := s.build(opts, kept, routes)
	if err != nil {
		return nil, err
	}
	if kept.IS == nil && opts.Seed > 0 {
		s.isServer.Seed(opts.Seed)
		if err := s.apimServer.Seed(ctx, opts.Seed); err != nil {
			return nil, err
		}
	}
	if opts.DataFile != "" {
		s.data = newDataFile(opts.DataFile, s.collect)
		s.data.touch()
	}
	s.apim.serve(s.apimServer, certificate("apim"))
	s.is.serve(s.isServer, certificate("is"))
	s.gateway.serve(served, certificate("apim"))
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

// A certificateSource says which certificate a server shows now.
type certificateSource = func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// certificates returns the source of each server's certificate: one of the sandbox's authority for both, or each one's key store.
func (s *Sandbox) certificates(dir string, routes routes) (func(server string) certificateSource, error) {
	if dir == "" {
		issued, err := s.authority.issue(routes.hosts())
		if err != nil {
			return nil, err
		}
		return func(string) certificateSource {
			return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &issued, nil }
		}, nil
	}
	s.security = map[string]*security{}
	for _, server := range []string{s.apim.name, s.is.name} {
		var err error
		if s.security[server], err = newSecurity(dir, server, routes, s.authority); err != nil {
			return nil, fmt.Errorf("the stores of %s: %w", server, err)
		}
	}
	return func(server string) certificateSource { return s.security[server].certificate }, nil
}

// build makes the two servers and returns the gateway of one.
func (s *Sandbox) build(opts Options, kept contents, routes routes) (http.Handler, error) {
	keys, err := signingKeys(kept.Keys)
	if err != nil {
		return nil, err
	}
	s.isServer, err = is.New(is.Options{
		Base: s.is.url, Issuer: opts.Issuer, Key: keys.is, Stores: opts.Stores, CustomAttributes: opts.CustomAttributes,
		SystemPrefix: true, AuthorizeAllScopes: true, // as the platform's deployment.toml has them
		Middleware: s.wrap(s.is, opts),
	})
	if err != nil {
		return nil, err
	}
	if kept.IS != nil {
		if err := s.isServer.Load(*kept.IS); err != nil {
			return nil, fmt.Errorf("%s: %w", opts.DataFile, err)
		}
	}
	people, err := newPeople(opts.Users)
	if err != nil {
		return nil, err
	}
	s.apimTokens, err = oauth.New(oauth.Options{Users: people, Base: s.apim.url, Key: keys.apim, Scopes: people.granted})
	if err != nil {
		return nil, err
	}
	s.apimTokens.Load(kept.Clients)
	calls := routes.client(s.authority.pool())
	if own := s.security[s.apim.name]; own != nil {
		calls = own.client()
	}
	s.apimServer = apim.New(apim.Options{
		HTTP:         calls,
		Resident:     resident{s.apimTokens},
		OAuth:        s.apimTokens,
		Authenticate: people.authenticate(s.apimTokens),
		RoleExists:   roleExists(opts.Roles),
		UserExists:   people.exists,
		PublicURL:    s.apim.url,
		Organization: organization,
		IndexLag:     opts.IndexLag,
		GatewayLag:   opts.GatewayLag,
		Middleware:   s.wrap(s.apim, opts),
	})
	if kept.APIM != nil {
		if err := s.apimServer.Restore(kept.APIM); err != nil {
			return nil, fmt.Errorf("%s: %w", opts.DataFile, err)
		}
	}
	return s.newGateway(calls, routes, people), nil
}

func (i *instance) listen(network Network, address, fallback string) error {
	if address == "" {
		address = fallback
	}
	if host, port, err := net.SplitHostPort(address); err == nil && host == "" {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	listener, err := network.Listen("tcp", address)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		_ = listener.Close()
		return err
	}
	i.listener, i.url = listener, "https://localhost:"+port
	return nil
}

// abandon closes what listens and was not served.
func (i *instance) abandon() {
	if i.listener != nil && i.server == nil {
		_ = i.listener.Close()
	}
}

func (i *instance) serve(handler http.Handler, certificate certificateSource) {
	i.server = &http.Server{
		Handler:           handler,
		TLSConfig:         &tls.Config{GetCertificate: certificate, MinVersion: tls.VersionTLS12, ClientAuth: i.clients},
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		// A client that does not trust the certificate is its own affair.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	i.done = make(chan error, 1)
	go func() { i.done <- i.server.ServeTLS(i.listener, "", "") }()
}

// shut waits for requests in flight, 5 s at most. It does not use http.Server.Shutdown, which waits a second for each idle HTTP/2 connection.
func (i *instance) shut() error {
	for until := time.Now().Add(5 * time.Second); i.counter.flying() > 0 && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	err := i.server.Close()
	if served := <-i.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// APIM is API Manager's base URL, "https://localhost:9443".
func (s *Sandbox) APIM() string { return s.apim.url }

// IS is Identity Server's base URL, "https://localhost:9444".
func (s *Sandbox) IS() string { return s.is.url }

// Gateway is the base URL of API Manager's gateway, "https://localhost:8243".
func (s *Sandbox) Gateway() string { return s.gateway.url }

// CAPEM is what must be trusted to call both servers: the authority that signed their certificates, or those that their key stores hold now.
func (s *Sandbox) CAPEM() []byte {
	if s.security == nil {
		return s.authority.pem()
	}
	return slices.Concat(s.security[s.apim.name].pem(), s.security[s.is.name].pem())
}

// Pool holds that.
func (s *Sandbox) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CAPEM())
	return pool
}

// Requests tells how many requests each server ("apim", "is", "gateway") has served, those between the two included.
func (s *Sandbox) Requests() map[string]int64 {
	out := map[string]int64{}
	for _, i := range []*instance{s.apim, s.is, s.gateway} {
		out[i.name] = i.counter.value()
	}
	return out
}

// Close stops all servers and writes the data file. Further calls do nothing and return the same.
func (s *Sandbox) Close() error {
	s.closing.Do(func() {
		s.closeError = errors.Join(s.gateway.shut(), s.apim.shut(), s.is.shut())
		if s.data != nil {
			s.closeError = errors.Join(s.closeError, s.data.close())
		}
	})
	return s.closeError
}

// Env writes the CA certificate to a file in dir and returns the environment in which wso2plan finds both servers.
func (s *Sandbox) Env(dir string) ([]string, error) {
	ca, err := filepath.Abs(filepath.Join(dir, "sandbox-ca.pem"))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(ca, s.CAPEM(), 0o644); err != nil {
		return nil, err
	}
	return []string{
		"APIM_ENDPOINT=" + s.APIM(), "APIM_USERNAME=admin", "APIM_PASSWORD=admin", "APIM_CA_FILE=" + ca, "APIM_GATEWAY=" + s.Gateway(),
		"IS_ENDPOINT=" + s.IS(), "IS_USERNAME=admin", "IS_PASSWORD=admin", "IS_CA_FILE=" + ca,
	}, nil
}
