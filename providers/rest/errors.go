package rest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"wso2plan/engine"
	"wso2plan/engine/render"
)

// An Error is a request that was not answered with 2xx, or not answered. Its text is lower case,
// without a full stop, and holds no secret of the client.
type Error struct {
	Method, Path string
	Status       int    // 0: there was no answer
	Code         string // the server's own code: "901402", "APP-60007", "invalidFilter"
	Message      string // what happened, in the server's words or ours
	Description  string // more of it
	Hint         string // what to do, a sentence without full stop, or ""
	Err          error  // the cause, when there was no answer

	unsent   bool // it surely did not reach the server
	page     bool // the answer is a web page, so its 404 speaks of no object
	answered bool // 2xx, but not as expected
}

func (e *Error) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s: ", e.Method, e.Path)
	if e.Status != 0 && !e.answered {
		fmt.Fprintf(&s, "%d %s: ", e.Status, strings.ToLower(http.StatusText(e.Status)))
	}
	parts := make([]string, 0, 3)
	for _, p := range []string{e.Message, e.Description} {
		p = strings.TrimRight(strings.TrimSpace(p), ".")
		if p != "" && !containsFold(parts, p) {
			parts = append(parts, p)
		}
	}
	if e.Code != "" {
		parts = append(parts, "code "+e.Code)
	}
	if len(parts) == 0 && e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	s.WriteString(strings.Join(parts, "; "))
	text := strings.TrimSuffix(strings.TrimSuffix(s.String(), " "), ":")
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

func containsFold(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

// Refused reports whether nothing was written: the server answered with a 4xx other than 408 and
// 429, or the request never reached it.
func (e *Error) Refused() bool {
	if e.unsent {
		return true
	}
	return e.Status >= 400 && e.Status < 500 && e.Status != http.StatusRequestTimeout && e.Status != http.StatusTooManyRequests
}

// Conflict reports whether the server refused since something else has the name already.
func (e *Error) Conflict() bool { return e.Status == http.StatusConflict }

// Unwrap returns engine.ErrNotFound for a 404 of the API, and the cause of a failed connection.
func (e *Error) Unwrap() error {
	if e.Status == http.StatusNotFound && !e.page {
		return engine.ErrNotFound
	}
	return e.Err
}

// StatusOf returns the status of the answer that err reports, or 0.
func StatusOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// CodeOf returns the server's own code in the answer that err reports, or "".
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// answered makes an Error of an answer without success.
func (conn *connection) answered(r Request, res *http.Response, body []byte) *Error {
	e := &Error{Method: r.Method, Path: r.Path, Status: res.StatusCode}
	s := &conn.settings
	e.page = isHTML(contentType(res.Header), body)
	if !e.page {
		e.parse(body)
	}
	e.Message, e.Description = conn.secrets.scrub(e.Message), conn.secrets.scrub(e.Description)
	switch code := res.StatusCode; {
	case code >= 300 && code < 400:
		e.Message = fmt.Sprintf("the server redirects to %s", res.Header.Get("Location"))
		e.Hint = "set endpoint to the address that it redirects to"
	case code == http.StatusUnauthorized:
		e.Hint = conn.unauthorized(r)
	case code == http.StatusForbidden:
		e.Hint = conn.forbidden(r)
	case e.page && code == http.StatusNotFound:
		e.Message = "the answer is a web page, not the API"
		e.Hint = s.wrongServer()
	case e.page:
		e.Message = "the answer is a web page, not the API"
		e.Hint = fmt.Sprintf("look at %s in a browser, and at the log of %s; a proxy before it may answer in its place", conn.base, s.Product)
	case code == http.StatusTooManyRequests:
		e.Hint = "set requests_per_second or read_requests lower"
	}
	return e
}

// parse reads the bodies that the products' APIs report errors with: {code, message, description}
// (both), {detail, scimType} (SCIM), {error, error_description} (OAuth2, DCR), and fault.
func (e *Error) parse(body []byte) {
	var b struct {
		Code        any    `json:"code"`
		Message     string `json:"message"`
		Description string `json:"description"`
		Detail      string `json:"detail"`
		ScimType    string `json:"scimType"`
		Error       any    `json:"error"`
		ErrorDesc   string `json:"error_description"`
		Fault       *struct {
			Code        any    `json:"code"`
			Message     string `json:"message"`
			Description string `json:"description"`
		} `json:"fault"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&b); err != nil {
		// Not JSON: plain text says at least something; what is long is likely no message.
		if text := strings.TrimSpace(string(body)); len(text) > 0 && len(text) < 300 && !strings.ContainsAny(text, "<{") {
			e.Message = text
		}
		return
	}
	if b.Fault != nil {
		b.Code, b.Message, b.Description = b.Fault.Code, b.Fault.Message, b.Fault.Description
	}
	e.Message, e.Description = b.Message, b.Description
	if b.Code != nil {
		if e.Code = fmt.Sprint(b.Code); e.Code == fmt.Sprint(e.Status) {
			e.Code = ""
		}
	}
	if b.Detail != "" {
		e.Message = b.Detail
	}
	// IS 7.1 puts prose into scimType at times (is-behaviour 22), so only a word of the standard
	// is taken for a code.
	if b.ScimType != "" && !strings.Contains(b.ScimType, " ") {
		e.Code = b.ScimType
	}
	switch x := b.Error.(type) {
	case string:
		e.Code = x
	case []any: // API Manager: one entry per field that is wrong
		var fields []string
		for _, f := range x {
			if m, ok := f.(map[string]any); ok && m["message"] != nil {
				fields = append(fields, fmt.Sprint(m["message"]))
			}
		}
		if len(fields) > 0 {
			e.Description = strings.TrimRight(e.Description, ". ")
			if e.Description != "" {
				e.Description += ": "
			}
			e.Description += strings.Join(fields, ", ")
		}
	}
	if b.ErrorDesc != "" {
		e.Message = b.ErrorDesc
	}
}

// unreachable makes an Error of a request without an answer; unsent says that no attempt of it
// reached the server.
func (conn *connection) unreachable(r Request, err error, unsent bool) *Error {
	e := &Error{Method: r.Method, Path: r.Path, Err: err, unsent: unsent}
	s := &conn.settings
	if hint, ok := tlsHint(err, *s); ok {
		e.unsent = true
		e.Message, e.Hint = hint.what, hint.todo
		return e
	}
	var (
		dns  *net.DNSError
		op   *net.OpError
		late *slow
		big  *tooLarge
	)
	switch {
	case errors.As(err, &late):
		e.Message = fmt.Sprintf("%s at %s", late, conn.base.Host)
		e.Hint = fmt.Sprintf("raise timeout or %s_TIMEOUT if the server is merely slow", s.Env)
	case errors.As(err, &big):
		e.Message = big.Error()
	case errors.As(err, &dns):
		e.Message = fmt.Sprintf("the name %q is not known", dns.Name)
		e.Hint = fmt.Sprintf("check endpoint or %s_ENDPOINT; the inside names of a container network are not known on its host", s.Env)
	case errors.As(err, &op) && op.Op == "dial" && !op.Timeout():
		e.Message = fmt.Sprintf("nothing listens at %s", conn.base.Host)
		e.Hint = fmt.Sprintf("start %s, or check endpoint or %s_ENDPOINT", s.Product, s.Env)
	case errors.As(err, &op) && op.Op == "dial":
		e.Message = fmt.Sprintf("%s cannot be reached", conn.base.Host)
		e.Hint = fmt.Sprintf("check the network, a firewall, and endpoint or %s_ENDPOINT", s.Env)
	default:
		e.Message = "the connection broke: " + conn.secrets.scrub(cause(err).Error())
		e.Hint = fmt.Sprintf("run again; if it stays so, see the log of %s and of any proxy before it", s.Product)
	}
	return e
}

// cause returns the innermost error, without the URL and method that net/http puts before it.
func cause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

type hint struct{ what, todo string }

// outOfTime is the hint to a certificate that is not valid now, of the server or of who signed it.
func outOfTime(c *x509.Certificate, now time.Time) hint {
	const minute = "2006-01-02 15:04 MST"
	if now.Before(c.NotBefore) {
		return hint{
			what: fmt.Sprintf("the server's certificate %q is valid from %s on only", c.Subject, c.NotBefore.UTC().Format(minute)),
			todo: fmt.Sprintf("set the clock of this machine right, which says %s, or wait until then", now.UTC().Format(minute)),
		}
	}
	return hint{
		what: fmt.Sprintf("the server's certificate %q expired at %s", c.Subject, c.NotAfter.UTC().Format(minute)),
		todo: fmt.Sprintf("give the server a new one, unless the clock of this machine is wrong, which says %s", now.UTC().Format(minute)),
	}
}

// tlsHint explains an error of the TLS handshake: what is wrong with the certificate and what
// would be right.
func tlsHint(err error, s Settings) (hint, bool) {
	var (
		unknown *x509.UnknownAuthorityError
		byValue x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		verify  *tls.CertificateVerificationError
		record  tls.RecordHeaderError
	)
	var presented *x509.Certificate
	if errors.As(err, &verify) && len(verify.UnverifiedCertificates) > 0 {
		presented = verify.UnverifiedCertificates[0]
	}
	switch {
	case errors.As(err, &unknown) || errors.As(err, &byValue):
		h := hint{what: "the server's certificate is not trusted"}
		if presented != nil && presented.Issuer.String() == presented.Subject.String() {
			h.what = fmt.Sprintf("the server's certificate, self-signed by %q, is not trusted", presented.Subject)
			h.todo = "save that certificate"
		} else if presented != nil {
			h.what = fmt.Sprintf("the server's certificate is signed by %q, which is not trusted", presented.Issuer)
			h.todo = "save the certificate of that authority"
		} else {
			h.todo = "save its authority's certificate"
		}
		h.todo += fmt.Sprintf(" in PEM form to a file and name it in ca_file or %s_CA_FILE", s.Env)
		if s.CAFile != "" {
			h.todo += fmt.Sprintf("; %s, named now, does not hold it", s.CAFile)
		}
		return h, true
	case errors.As(err, &name):
		names := append([]string(nil), name.Certificate.DNSNames...)
		for _, ip := range name.Certificate.IPAddresses {
			names = append(names, ip.String())
		}
		for i := range names {
			names[i] = fmt.Sprintf("%q", names[i])
		}
		h := hint{what: fmt.Sprintf("the server's certificate is not for %q", name.Host)}
		if len(names) == 0 {
			h.todo = "it names no host at all: give the server a certificate that does"
		} else {
			h.todo = fmt.Sprintf("it is for %s: call the server by that name in endpoint, or give it a certificate for this one", strings.Join(names, ", "))
		}
		return h, true
	case errors.As(err, &invalid):
		h := hint{what: "the server's certificate is not valid: " + strings.TrimPrefix(invalid.Error(), "x509: ")}
		if invalid.Reason == x509.Expired && invalid.Cert != nil {
			h = outOfTime(invalid.Cert, time.Now())
		}
		return h, true
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return hint{what: "the server does not speak HTTPS on this port", todo: "check the port, or write http:// in endpoint"}, true
	}
	return hint{}, false
}

// wrongServer is the hint for answers that the product would not give.
func (s *Settings) wrongServer() string {
	return fmt.Sprintf("check that endpoint or %s_ENDPOINT, now %s, is %s, and that it has started fully", s.Env, s.Endpoint, s.Product)
}

func (conn *connection) unauthorized(r Request) string {
	s := &conn.settings
	if r.Login == LoginBasic && r.BasicUser != "" {
		return "check client_id and client_secret"
	}
	if r.Login == LoginNone {
		return ""
	}
	if conn.token != nil && r.Login != LoginBasic {
		return "a new access token was refused too: " + conn.token.who()
	}
	return fmt.Sprintf("user %q was refused: check username and password (or %s_USERNAME and %s_PASSWORD), and that the user has the roles of an administrator",
		s.user(), s.Env, s.Env)
}

func (conn *connection) forbidden(r Request) string {
	s := &conn.settings
	if r.Login == LoginNone {
		return ""
	}
	if conn.token != nil && r.Login != LoginBasic {
		return conn.token.who()
	}
	return fmt.Sprintf("user %q may not do this: give it the roles of an administrator, or use another user in username or %s_USERNAME", s.user(), s.Env)
}

// secrets knows the strings that no error may hold.
type secrets struct {
	mu   sync.RWMutex
	list []string
}

func newSecrets(list ...string) *secrets {
	s := &secrets{}
	for _, x := range list {
		s.add(x)
	}
	return s
}

// add remembers a secret.
func (s *secrets) add(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.list, secret) {
		s.list = append(s.list, secret)
	}
}

// scrub takes the secrets out of a text as the program does out of all that it prints.
func (s *secrets) scrub(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out strings.Builder
	scrubber := render.Scrub(&out, s.list)
	_, _ = io.WriteString(scrubber, text) // to memory: it does not fail
	_ = scrubber.Flush()
	return out.String()
}
