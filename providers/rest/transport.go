package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/time/rate"

	"wso2plan/engine"
)

// maxBody bounds an answer in bytes. The largest listing page seen is a few MiB.
const maxBody = 64 << 20

// transport returns the transport for the server's certificate and our concurrency.
func (s *Settings) transport() (*http.Transport, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.InsecureSkipVerify}
	if s.CAFile != "" {
		pool, err := certPool(s.CAFile)
		if err != nil {
			return nil, &engine.AttributeError{Attribute: "ca_file", Summary: "Unusable CA file", Err: err}
		}
		conf.RootCAs = pool
	}
	dial := s.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	inFlight := s.ReadsInFlight + s.WritesInFlight
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dial,
		TLSClientConfig:     conf,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        inFlight,
		MaxIdleConnsPerHost: inFlight,
		IdleConnTimeout:     60 * time.Second,
	}, nil
}

// certPool returns the system's certificates with those of a PEM file.
func certPool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form; convert a DER file with \"openssl x509 -inform der\"", file)
	}
	return pool, nil
}

// limits is a transport that counts the requests in flight, keeps their rate, bounds the time of
// each, and reads each body whole, so that connections are always given back.
type limits struct {
	next          http.RoundTripper
	reads, writes chan struct{}
	rate          *rate.Limiter // nil: no limit
	timeout       time.Duration // of one attempt, not counting the wait for a place
}

func newLimits(next http.RoundTripper, s Settings) *limits {
	l := &limits{
		next:    next,
		reads:   make(chan struct{}, s.ReadsInFlight),
		writes:  make(chan struct{}, s.WritesInFlight),
		timeout: s.Timeout,
	}
	if s.RequestsPerSecond > 0 {
		l.rate = rate.NewLimiter(rate.Limit(s.RequestsPerSecond), max(1, int(s.RequestsPerSecond)))
	}
	return l
}

// RoundTrip sends one attempt of a request.
func (l *limits) RoundTrip(req *http.Request) (*http.Response, error) {
	places := l.writes
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		places = l.reads
	}
	ctx := req.Context()
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	case <-ctx.Done():
		closeBody(req)
		return nil, &notSent{ctx.Err()}
	}
	if l.rate != nil {
		if err := l.rate.Wait(ctx); err != nil {
			closeBody(req)
			return nil, &notSent{err}
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, l.timeout, &slow{l.timeout})
	defer cancel()
	res, err := l.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		if cause, ok := context.Cause(ctx).(*slow); ok {
			return nil, cause
		}
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	res.Body.Close()
	switch cause, ok := context.Cause(ctx).(*slow); {
	case err != nil && ok:
		return nil, cause
	case err != nil:
		return nil, fmt.Errorf("the answer was cut off: %w", err)
	case len(body) > maxBody:
		return nil, &tooLarge{}
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// notSent is an error before a request left us.
type notSent struct{ err error }

func (e *notSent) Error() string { return e.err.Error() }
func (e *notSent) Unwrap() error { return e.err }

// slow is the error of a request that was not answered in time.
type slow struct{ after time.Duration }

func (e *slow) Error() string { return fmt.Sprintf("no answer within %s", e.after) }

// tooLarge is the error of an answer beyond maxBody.
type tooLarge struct{}

func (*tooLarge) Error() string {
	return fmt.Sprintf("the answer is larger than %d MiB", maxBody>>20)
}
