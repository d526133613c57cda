package sandbox

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"sync"

	"wso2plan/providers/sandbox/gateway"
)

// newGateway makes API Manager's gateway, which calls key managers as API Manager does, and backends by the same routes.
func (s *Sandbox) newGateway(calls *http.Client, routes routes, people people) http.Handler {
	s.gateway.clients = tls.RequestClientCert
	shared := s.authority.pool()
	g := gateway.New(gateway.Options{
		Source: s.apimServer,
		HTTP:   calls,
		Backend: func(trusted [][]byte) http.RoundTripper {
			return &backends{routes: routes, trusted: trusted, pool: func() *x509.CertPool {
				if own := s.security[s.apim.name]; own != nil {
					return own.now.Load().pool
				}
				return shared
			}}
		},
		Login: func(name, password string) ([]string, bool) {
			u, ok := people.Login(name, password)
			roles, _ := u.Claims["roles"].([]string)
			return roles, ok
		},
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.gateway.counter.all.Add(1)
		s.gateway.counter.now.Add(1)
		defer s.gateway.counter.now.Add(-1)
		g.ServeHTTP(w, r)
	})
}

// backends calls backends: it trusts what API Manager trusts, as it read it last, and the certificates that were added for endpoints.
type backends struct {
	routes  routes
	trusted [][]byte
	pool    func() *x509.CertPool

	mu        sync.Mutex
	of        *x509.CertPool // that transport was made from
	transport http.RoundTripper
}

func (b *backends) RoundTrip(r *http.Request) (*http.Response, error) {
	return b.current().RoundTrip(r)
}

func (b *backends) current() http.RoundTripper {
	b.mu.Lock()
	defer b.mu.Unlock()
	pool := b.pool()
	if b.transport == nil || b.of != pool {
		all := pool.Clone()
		for _, der := range b.trusted {
			if c, err := x509.ParseCertificate(der); err == nil {
				all.AddCert(c)
			}
		}
		b.of, b.transport = pool, b.routes.client(all).Transport
	}
	return b.transport
}
