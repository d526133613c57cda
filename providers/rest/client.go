// Package rest talks JSON over HTTP to the servers' REST APIs: logins, limits, retries, paging,
// errors, and Collection, the resource type that most resource types are.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"wso2plan/engine"
)

// A Client sends requests to one server as one user. The zero Client is not connected: each request
// fails. Connect is called once, before the first request; after it a Client is safe for concurrent
// use and not copied.
type Client struct {
	conn atomic.Pointer[connection]
}

// connection is what Connect makes of Settings.
type connection struct {
	settings Settings
	base     *url.URL
	http     *retryablehttp.Client
	secrets  *secrets
	token    *tokens // nil with Basic
}

// A Request is one call. Its body is JSON (Body) or bytes of another kind (Raw, with ContentType).
type Request struct {
	Method string // "" is GET
	Path   string // below the endpoint, escaped: "/scim2/Users"; the product's prefix is put before it
	Query  url.Values
	Header http.Header

	Body        any    // sent as JSON; nil: none
	Raw         []byte // sent as it is
	ContentType string // of Raw, or of Body when it is not application/json
	Accept      string // "" is application/json

	// Idempotent says that a request by POST or PATCH may be sent again when it is not known
	// whether it was processed. GET, PUT and DELETE always may.
	Idempotent bool

	// NoPrefix leaves out the product's path prefix, for paths that have no tenant in them.
	NoPrefix bool

	// Login chooses how the request authenticates. The zero value is the client's own way.
	Login Login

	// BasicUser and BasicPassword are sent with LoginBasic; both empty: the client's user.
	BasicUser, BasicPassword string
}

// Login is the way in which a request authenticates.
type Login int

// The ways.
const (
	LoginClient Login = iota // as Settings say: Basic or a token
	LoginBasic               // Basic, whatever Settings say
	LoginNone                // no credentials
)

// A Response is an answer with a 2xx status, its body read.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON decodes the body into v, a pointer; numbers in an any become json.Number, so that none loses
// precision.
func (r *Response) JSON(v any) error {
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.UseNumber()
	return d.Decode(v)
}

// Location returns the last path segment of the Location header, unescaped, or "".
func (r *Response) Location() string {
	loc := r.Header.Get("Location")
	if loc == "" {
		return ""
	}
	u, err := url.Parse(loc)
	if err != nil {
		return ""
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	last, err := url.PathUnescape(path[strings.LastIndexByte(path, '/')+1:])
	if err != nil {
		return ""
	}
	return last
}

// Settings returns what the client was connected with.
func (c *Client) Settings() Settings {
	if conn := c.conn.Load(); conn != nil {
		return conn.settings
	}
	return Settings{}
}

// Connect makes the client ready. It sends nothing.
func (c *Client) Connect(s Settings) error {
	base, err := s.base()
	if err != nil {
		return err
	}
	s.defaults()
	transport, err := s.transport()
	if err != nil {
		return err
	}
	conn := &connection{settings: s, base: base, secrets: newSecrets(s.Password, s.ClientSecret)}
	conn.http = &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport: newLimits(transport, s),
			// A redirect of an API is a mistake in the endpoint; following it could hand the
			// password to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		RetryWaitMin: s.RetryWait,
		RetryWaitMax: 10 * time.Second,
		RetryMax:     maxRetries,
		CheckRetry:   checkRetry,
		Backoff:      backoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	if s.Auth != AuthBasic {
		conn.token = newTokens(c, conn)
	}
	if !c.conn.CompareAndSwap(nil, conn) {
		return errors.New("rest: connected twice")
	}
	return nil
}

// Do sends a request and returns an answer with a 2xx status. Everything else is an *Error, or
// ctx's error when ctx ended.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	conn := c.conn.Load()
	if conn == nil {
		return nil, errors.New("the provider is not configured")
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	for renewed := false; ; renewed = true {
		res, used, err := conn.once(ctx, r)
		var refused *Error
		if err == nil || used == "" || renewed || !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
			return res, err
		}
		// The token was revoked, or the server lost it: a 401 is never processed, so the
		// request is sent once more with a new one.
		conn.token.drop(used)
	}
}

// Get reads path into out, a pointer.
func (c *Client) Get(ctx context.Context, path string, query url.Values, out any) error {
	return c.Call(ctx, Request{Path: path, Query: query}, out)
}

// GetList reads path, whose answer is an object with a list in member, and decodes the list into out, a
// pointer to a slice. An answer that has no such member is an error, since JSON of another shape
// would look like an empty list.
func (c *Client) GetList(ctx context.Context, path string, query url.Values, member string, out any) error {
	var answer map[string]json.RawMessage
	if err := c.Get(ctx, path, query, &answer); err != nil {
		return err
	}
	list := answer[member]
	d := json.NewDecoder(bytes.NewReader(list))
	d.UseNumber() // as Get does
	if err := d.Decode(out); list == nil || string(list) == "null" || err != nil {
		return &Error{Method: http.MethodGet, Path: path, answered: true, Err: err,
			Message: fmt.Sprintf("the answer holds no list %q as it was expected", member), Hint: c.hintWrongServer()}
	}
	return nil
}

// Call sends a request and decodes the answer into out; with a nil out the body is not looked at.
func (c *Client) Call(ctx context.Context, r Request, out any) error {
	res, err := c.Do(ctx, r)
	if err != nil || out == nil {
		return err
	}
	return c.decode(r, res, out)
}

// decode decodes a JSON answer, with an error that says what came instead of JSON.
func (c *Client) decode(r Request, res *Response, out any) error {
	conn := c.conn.Load()
	err := res.JSON(out)
	if err == nil {
		return nil
	}
	if kind := contentType(res.Header); isHTML(kind, res.Body) {
		return conn.webPage(r, res.Status)
	}
	e := &Error{Method: r.method(), Path: r.Path, Status: res.Status, Err: err, answered: true}
	if len(res.Body) == 0 {
		e.Message = "the answer is empty where JSON was expected"
	} else {
		e.Message = fmt.Sprintf("the answer is not the JSON that was expected (content type %q)", contentType(res.Header))
	}
	return e
}

// hintWrongServer is wrongServer of the client's settings.
func (c *Client) hintWrongServer() string {
	s := c.Settings()
	return s.wrongServer()
}

// webPage is the error of a 2xx answer that is a web page.
func (conn *connection) webPage(r Request, status int) *Error {
	return &Error{Method: r.method(), Path: r.Path, Status: status, answered: true,
		Message: "the answer is a web page, not JSON", Hint: conn.settings.wrongServer()}
}

func (r *Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

// once sends the request, with retries but with one token, and returns the token that was used.
func (conn *connection) once(ctx context.Context, r Request) (res *Response, token string, err error) {
	a := &attempt{idempotent: r.Idempotent}
	req, err := conn.request(context.WithValue(ctx, attemptKey{}, a), r)
	if err != nil {
		return nil, "", err
	}
	switch {
	case r.Login == LoginNone:
	case r.Login == LoginBasic && r.BasicUser != "":
		req.SetBasicAuth(r.BasicUser, r.BasicPassword)
	case r.Login == LoginBasic || conn.token == nil:
		req.SetBasicAuth(conn.settings.user(), conn.settings.Password)
	default:
		token, err = conn.token.get(ctx)
		if err != nil {
			return nil, "", err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	got, err := conn.http.Do(req)
	if err != nil {
		before := unsent(err) && !a.unclear
		if ctx.Err() != nil {
			// Whether a cancelled write was processed is not known, unless it never left.
			err = fmt.Errorf("%s %s: %w", r.Method, r.Path, context.Cause(ctx))
			if before {
				err = Unwritten(err)
			}
			return nil, token, err
		}
		return nil, token, conn.unreachable(r, err, before)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body) // in memory already, by limits
	if err != nil {
		return nil, token, conn.unreachable(r, err, false)
	}
	if got.StatusCode < 200 || got.StatusCode > 299 {
		return nil, token, conn.answered(r, got, body)
	}
	if isHTML(contentType(got.Header), body) && r.Accept == "" {
		// A proxy or a login page answers in the server's place: nothing was read or done by it.
		return nil, token, conn.webPage(r, got.StatusCode)
	}
	return &Response{Status: got.StatusCode, Header: got.Header, Body: body}, token, nil
}

func (conn *connection) request(ctx context.Context, r Request) (*retryablehttp.Request, error) {
	body, kind := r.Raw, r.ContentType
	if r.Body != nil {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(r.Body); err != nil {
			return nil, fmt.Errorf("%s %s: encoding the request: %w", r.Method, r.Path, err)
		}
		body = bytes.TrimRight(b.Bytes(), "\n")
		if kind == "" {
			kind = "application/json"
		}
	}
	u := *conn.base
	path := strings.TrimRight(u.EscapedPath(), "/")
	if !r.NoPrefix {
		path += conn.settings.Prefix
	}
	path += r.Path
	plain, err := url.PathUnescape(path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: the path is badly escaped: %w", r.Method, r.Path, err)
	}
	u.Path, u.RawPath = plain, path
	u.RawQuery = r.Query.Encode()

	var payload any // a nil []byte would be sent as an empty body
	if body != nil {
		payload = body
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, r.Method, u.String(), payload)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	accept := r.Accept
	if accept == "" {
		accept = "application/json"
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", "wso2plan")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	return req, nil
}

// Wait calls ready until it is true, with pauses that grow from 100 ms to 2 s. After bound it gives
// up with an error that says what was waited for; an error of ready ends it at once. ready should
// look at what it reads alone, so that asking again does no harm.
func (c *Client) Wait(ctx context.Context, what string, bound time.Duration, ready func(context.Context) (bool, error)) error {
	end := time.NewTimer(bound)
	defer end.Stop()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		ok, err := ready(ctx)
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, context.Cause(ctx))
		case <-end.C:
			return fmt.Errorf("waited %s until %s, in vain", bound, what)
		case <-time.After(pause):
		}
	}
}

func contentType(h http.Header) string {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return h.Get("Content-Type")
	}
	return kind
}

func isHTML(kind string, body []byte) bool {
	if kind == "text/html" || kind == "application/xhtml+xml" {
		return true
	}
	start := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 64)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// Unfound hides engine.ErrNotFound in err, for a failure that says nothing about the object in
// question: a listing whose address is not found does not mean that the object is gone.
func Unfound(err error) error {
	if !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	return &unfound{err}
}

type unfound struct{ err error }

func (u *unfound) Error() string { return u.err.Error() }

// Refused keeps the answer of the error it wraps.
func (u *unfound) Refused() bool { return engine.Refused(u.err) }

// Unclear hides both engine.ErrNotFound and engine.Refused in err, for a failure after a write that
// has, or may have, taken effect.
func Unclear(err error) error {
	if err == nil {
		return nil
	}
	return &unclear{err}
}

type unclear struct{ err error }

func (u *unclear) Error() string { return u.err.Error() }
func (u *unclear) Refused() bool { return false }

// As finds what says where the failure lies, as it would without the hiding.
func (u *unclear) As(target any) bool {
	switch target.(type) {
	case **Error, **engine.AttributeError:
		return errors.As(u.err, target)
	}
	return false
}
