package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	maxRetries    = 4
	maxRetries500 = 2 // APIM and IS answer 500 to many bad requests (apim-behaviour 2.2), so we soon stop
	maxRetryAfter = 60 * time.Second
)

// attemptKey is the context key of a request's *attempt.
type attemptKey struct{}

// attempt is what checkRetry knows of a request beyond its answer.
type attempt struct {
	idempotent bool // a POST or PATCH that may be repeated
	n500       int  // answers with status 500 so far
	unclear    bool // an attempt may have been processed, though it was not answered well
}

// checkRetry decides whether a request is sent again. A read, PUT or DELETE is, after a connection
// error or 5xx. A POST or PATCH is only when it surely was not processed: the connection was not
// made, or the server said 429, or 503 with Retry-After. A POST whose fate is not known is never
// repeated, since it may have made an object; the engine looks for it first.
func checkRetry(ctx context.Context, res *http.Response, err error) (bool, error) {
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	if a == nil {
		a = &attempt{}
	}
	if err == nil && res.StatusCode >= 500 || err != nil && !unsent(err) {
		a.unclear = true
	}
	if ctx.Err() != nil {
		return false, nil
	}
	if err != nil {
		switch {
		case permanent(err):
			return false, nil
		case unsent(err):
			return true, nil
		}
		return a.idempotent || sentIdempotent(err), nil
	}
	switch code := res.StatusCode; {
	case code == http.StatusTooManyRequests:
		return true, nil
	case code == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "":
		return true, nil
	case !a.idempotent && !idempotent(res.Request.Method):
		return false, nil
	case code == http.StatusInternalServerError:
		a.n500++
		return a.n500 <= maxRetries500, nil
	default:
		return code == http.StatusBadGateway || code == http.StatusServiceUnavailable || code == http.StatusGatewayTimeout, nil
	}
}

func idempotent(method string) bool {
	return method != http.MethodPost && method != http.MethodPatch
}

// sentIdempotent reports whether the failed request was of an idempotent method, which net/http
// tells in the Op of its error: "Get", "Put".
func sentIdempotent(err error) bool {
	var u *url.Error
	return errors.As(err, &u) && idempotent(strings.ToUpper(u.Op))
}

// backoff is exponential with jitter; a server's Retry-After goes before it, up to a minute.
func backoff(least, most time.Duration, n int, res *http.Response) time.Duration {
	if res != nil {
		if wait, ok := retryAfter(res.Header.Get("Retry-After"), time.Now()); ok {
			return min(wait, maxRetryAfter)
		}
	}
	wait := min(least<<min(n, 16), most)
	return wait/2 + rand.N(wait/2+1)
}

// retryAfter parses a Retry-After header: seconds, or a date.
func retryAfter(header string, now time.Time) (time.Duration, bool) {
	if n, err := strconv.Atoi(header); err == nil && n >= 0 {
		return time.Duration(n) * time.Second, true
	}
	if t, err := http.ParseTime(header); err == nil {
		return max(0, t.Sub(now)), true
	}
	return 0, false
}

// unsent reports whether the request surely did not reach the server: it was still with us, the
// name was not resolved, or the connection was not made.
func unsent(err error) bool {
	var own *notSent
	if errors.As(err, &own) {
		return true
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return true
	}
	var name *net.DNSError
	return errors.As(err, &name) || errors.Is(err, syscall.ECONNREFUSED)
}

// permanent reports whether sending again cannot help: the certificate is not trusted, the server
// does not speak TLS, the name does not exist, the answer is too large.
func permanent(err error) bool {
	if _, ok := tlsHint(err, Settings{}); ok {
		return true
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return name.IsNotFound
	}
	var large *tooLarge
	var alert tls.AlertError
	return errors.As(err, &large) || errors.As(err, &alert)
}
