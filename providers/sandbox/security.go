package sandbox

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// storePassword and ownAlias are those of every fresh pack, in the key store and, for its own certificate, in the trust store.
	storePassword = "wso2carbon"
	ownAlias      = "wso2carbon"
	// authorityAlias stands for the many authorities that the trust store of a pack holds.
	authorityAlias = "sandbox-authority"
)

// A security is what one server keeps under repository/resources/security: a key store, from which it takes the certificate that it shows, and a
// trust store, which says whom it calls. It reads them when it starts, and at POST /_restart.
type security struct {
	server      string
	keys, trust string // files
	now         atomic.Pointer[loaded]
	routes      routes
}

// loaded is what a server read when it started. A server whose stores could not be read is down.
type loaded struct {
	certificate tls.Certificate
	client      *http.Client
	pool        *x509.CertPool // that the client trusts
	err         error
}

// newSecurity makes the stores of a server that are not there and reads them.
func newSecurity(dir, server string, routes routes, a *authority) (*security, error) {
	names := map[string][2]string{"apim": {"wso2carbon.jks", "client-truststore.jks"}, "is": {"wso2carbon.p12", "client-truststore.p12"}}[server]
	dir = filepath.Join(dir, server)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &security{server: server, keys: filepath.Join(dir, names[0]), trust: filepath.Join(dir, names[1]), routes: routes}
	if err := s.make(a); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// make writes the stores of a fresh pack, as far as they are missing: a certificate of its own, which its own trust store holds too.
func (s *security) make(a *authority) error {
	var own tls.Certificate
	_, err := os.Stat(s.keys)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if own, err = selfSigned(s.routes.hosts()); err != nil {
			return err
		}
		if err := writeKeyStore(s.keys, own); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	if _, err = os.Stat(s.trust); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if own.PrivateKey == nil {
		if own, err = readKeyStore(s.keys); err != nil {
			return err
		}
	}
	leaf, err := x509.ParseCertificate(own.Certificate[0])
	if err != nil {
		return err
	}
	return writeTrustStore(s.trust, map[string]*x509.Certificate{ownAlias: leaf, authorityAlias: a.certificate})
}

// selfSigned makes a certificate as a pack comes with, for localhost and more hosts.
func selfSigned(hosts []string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := serverTemplate(hosts)
	template.Subject = pkix.Name{CommonName: "localhost", Organization: []string{"WSO2"}, Country: []string{"US"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// load reads both stores. The server is down when they cannot be read, until they can.
func (s *security) load() error {
	certificate, err := readKeyStore(s.keys)
	if err != nil {
		err = fmt.Errorf("%s: %w", s.keys, err)
	}
	trusted, trustErr := readTrustStore(s.trust)
	if trustErr != nil {
		err = errors.Join(err, fmt.Errorf("%s: %w", s.trust, trustErr))
	}
	next := &loaded{certificate: certificate, err: err}
	former := s.now.Load()
	if err != nil && former != nil {
		next.certificate = former.certificate // to be told by it that the server is down
	}
	pool := x509.NewCertPool()
	for _, c := range trusted {
		pool.AddCert(c)
	}
	next.client, next.pool = s.routes.client(pool), pool
	s.now.Store(next)
	if former != nil {
		former.client.CloseIdleConnections()
	}
	return err
}

// RoundTrip makes a call of the server, which trusts what it read.
func (s *security) RoundTrip(r *http.Request) (*http.Response, error) {
	return s.now.Load().client.Transport.RoundTrip(r)
}

// client is what the server calls others with.
func (s *security) client() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: s}
}

func (s *security) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c := s.now.Load().certificate
	return &c, nil
}

// intercept serves what the sandbox adds to a server with stores, and reports whether it did:
//
//	POST /_restart           read the stores again
//	GET /_reach?url=ADDRESS  call another server: 200 and its status, or 502 and why not
//
// and everything while the server is down.
func (s *security) intercept(w http.ResponseWriter, r *http.Request) bool {
	say := func(status int, format string, args ...any) bool {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprintf(w, format+"\n", args...)
		return true
	}
	switch {
	case r.URL.Path == "/_restart" && r.Method == http.MethodPost:
		if err := s.load(); err != nil {
			return say(http.StatusInternalServerError, "%s does not start: %s", s.server, err)
		}
		return say(http.StatusOK, "%s restarted", s.server)
	case s.now.Load().err != nil:
		return say(http.StatusServiceUnavailable, "%s is down: %s", s.server, s.now.Load().err)
	case r.URL.Path == "/_reach" && r.Method == http.MethodGet:
		status, err := s.reach(r.Context(), r.URL.Query().Get("url"))
		if err != nil {
			return say(http.StatusBadGateway, "%s", err)
		}
		return say(http.StatusOK, "%s", status)
	}
	return false
}

func (s *security) reach(ctx context.Context, address string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	answer, err := s.client().Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20))
	return answer.Status, err
}

// pem is what must be trusted to call the server: all certificates that it shows.
func (s *security) pem() []byte {
	var out bytes.Buffer
	for _, der := range s.now.Load().certificate.Certificate {
		_ = pem.Encode(&out, &pem.Block{Type: certificateBlock, Bytes: der})
	}
	return out.Bytes()
}

// isPKCS12 tells the format of a store by its name.
func isPKCS12(file string) bool { return strings.HasSuffix(file, ".p12") }

func writeKeyStore(file string, c tls.Certificate) error {
	var data []byte
	var err error
	if isPKCS12(file) {
		data, err = pkcs12WithKey(c, ownAlias, storePassword)
	} else {
		data, err = jksWithKey(c, ownAlias, storePassword)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

func writeTrustStore(file string, trusted map[string]*x509.Certificate) error {
	var data []byte
	var err error
	if isPKCS12(file) {
		data, err = pkcs12WithTrust(trusted, storePassword)
	} else {
		data, err = jksWithTrust(trusted, storePassword)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

func readKeyStore(file string) (tls.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return tls.Certificate{}, err
	}
	if isPKCS12(file) {
		return keyOfPKCS12(data, ownAlias, storePassword)
	}
	return keyOfJKS(data, ownAlias, storePassword)
}

func readTrustStore(file string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if isPKCS12(file) {
		return trustOfPKCS12(data, storePassword)
	}
	return trustOfJKS(data, storePassword)
}
