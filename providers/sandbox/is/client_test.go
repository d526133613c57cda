package is

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// A client sends requests to a server under test, by default as admin.
type client struct {
	t    *testing.T
	http *http.Client
	base string
	auth string // Authorization header
}

func newClient(t *testing.T, opts Options) (*Server, client) {
	t.Helper()
	if opts.Key == nil {
		opts.Key = testKey()
	}
	s, listener := serve(t, opts)
	return s, client{t, listener.Client(), listener.URL, basic("admin", "admin")}
}

// testKey is one signing key for all tests: making one takes a while.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	s, err := New(Options{})
	if err != nil {
		return nil
	}
	return s.OAuth().Key()
})

func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

func (c client) as(auth string) client { c.auth = auth; return c }

type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// send makes a request. A body of type url.Values is a form, a string is sent as it is, everything else is JSON.
func (c client) send(method, path string, body any) reply {
	c.t.Helper()
	var reader io.Reader
	kind := "application/json"
	switch body := body.(type) {
	case nil:
	case url.Values:
		reader, kind = strings.NewReader(body.Encode()), "application/x-www-form-urlencoded"
	case string:
		reader = strings.NewReader(body)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, c.base+path, reader)
	if err != nil {
		c.t.Fatal(err)
	}
	if reader != nil {
		r.Header.Set("Content-Type", kind)
	}
	if c.auth != "" {
		r.Header.Set("Authorization", c.auth)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	got := reply{status: answer.StatusCode, header: answer.Header, text: string(text)}
	_ = json.Unmarshal(text, &got.body) // left nil for what is no doc
	return got
}

// want sends a request and fails the test unless it is answered with the status.
func (c client) want(status int, method, path string, body any) reply {
	c.t.Helper()
	got := c.send(method, path, body)
	if got.status != status {
		c.t.Fatalf("%s %s: %d %s, want %d", method, path, got.status, got.text, status)
	}
	return got
}

func (r reply) str(path ...string) string {
	s, _ := r.at(path...).(string)
	return s
}

// at follows members of objects.
func (r reply) at(path ...string) any {
	var v any = r.body
	for _, name := range path {
		o, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = o[name]
	}
	return v
}

func (r reply) list(name string) []any {
	l, _ := r.body[name].([]any)
	return l
}

type doc = map[string]any

func (c client) user(name string, more doc) string {
	c.t.Helper()
	body := doc{"userName": name, "password": "Pass@1234"}
	for k, v := range more {
		body[k] = v
	}
	return c.want(201, "POST", "/scim2/Users", body).str("id")
}

func patchBody(operations ...doc) doc {
	return doc{"schemas": []string{messagePatch}, "Operations": operations}
}
