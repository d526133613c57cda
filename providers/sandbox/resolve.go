package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// routes say where calls to an address ("wso2is:9443") really go ("127.0.0.1:9444"), and by which network.
type routes struct {
	to      map[string]string
	network Network
}

// readRoutes reads "HOST:PORT=ADDRESS" over presets. An address without a port keeps the port that was called; the form with a second colon of
// curl, "HOST:PORT:ADDRESS", is taken too.
func readRoutes(network Network, resolve []string, preset map[string]string) (routes, error) {
	r := routes{maps.Clone(preset), network}
	for _, text := range resolve {
		from, to, ok := strings.Cut(text, "=")
		if parts := strings.SplitN(text, ":", 3); !ok && len(parts) == 3 {
			from, to, ok = parts[0]+":"+parts[1], parts[2], true
		}
		_, port, err := net.SplitHostPort(from)
		if !ok || err != nil || to == "" {
			return routes{}, fmt.Errorf("resolve %q: want HOST:PORT=ADDRESS", text)
		}
		if _, _, err := net.SplitHostPort(to); err != nil {
			to = net.JoinHostPort(strings.Trim(to, "[]"), port)
		}
		r.to[strings.ToLower(from)] = to
	}
	return r, nil
}

// hosts are the names that are led elsewhere.
func (r routes) hosts() []string {
	var all []string
	for from := range r.to {
		host, _, _ := net.SplitHostPort(from)
		all = append(all, host)
	}
	slices.Sort(all)
	return all
}

// client is what one server calls others with: it follows the routes and trusts the pool.
func (r routes) client(pool *x509.CertPool) *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if to, ok := r.to[strings.ToLower(address)]; ok {
					address = to
				}
				return r.network.DialContext(ctx, network, address)
			},
			TLSClientConfig:     &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     time.Minute,
			TLSHandshakeTimeout: 10 * time.Second,
		},
	}
}
