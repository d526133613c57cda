package apim_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// client sends requests as one user (whose password is the name) and fails the test when the status
// is not the wanted one.
type client struct {
	t    *testing.T
	base string
	user string // empty: anonymous; "Bearer a,b": a token with these scopes
}

// formBody is a multipart form: texts by name, and the file "certificate" unless it is nil.
type formBody struct {
	texts       map[string]string
	certificate []byte
	file        string // its name
	part        string // that of its part, when not "certificate"
}

func (f formBody) encode() (io.Reader, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, text := range f.texts {
		_ = w.WriteField(name, text)
	}
	if f.certificate != nil {
		part, _ := w.CreateFormFile(cmp.Or(f.part, "certificate"), f.file) // to memory: it does not fail
		_, _ = part.Write(f.certificate)
	}
	_ = w.Close()
	return &b, w.FormDataContentType()
}

// body is a decoded JSON answer.
type body struct {
	t   *testing.T
	any map[string]any
	raw string
}

func (c client) send(status int, method, path string, sent any) body {
	c.t.Helper()
	var payload io.Reader
	kind := "application/json"
	switch sent := sent.(type) {
	case nil:
	case string:
		payload = strings.NewReader(sent)
	case interface{ encode() (io.Reader, string) }: // formBody, form
		payload, kind = sent.encode()
	default:
		b, err := json.Marshal(sent)
		if err != nil {
			c.t.Fatal(err)
		}
		payload = strings.NewReader(string(b))
	}
	r, err := http.NewRequest(method, c.base+path, payload)
	if err != nil {
		c.t.Fatal(err)
	}
	if payload != nil {
		r.Header.Set("Content-Type", kind)
	}
	switch {
	case strings.HasPrefix(c.user, "Bearer "):
		r.Header.Set("Authorization", c.user)
	case c.user != "":
		password, _, _ := strings.Cut(c.user, "@")
		r.SetBasicAuth(c.user, password)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	raw, err := io.ReadAll(got.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	out := body{t: c.t, raw: string(raw)}
	if len(raw) > 0 {
		_ = json.Unmarshal(raw, &out.any) // the test sees what it asked for, or not
	}
	if got.StatusCode != status {
		c.t.Fatalf("%s %s: %d, want %d: %s", method, path, got.StatusCode, status, raw)
	}
	return out
}

func (c client) get(status int, path string) body {
	c.t.Helper()
	return c.send(status, http.MethodGet, path, nil)
}

func (c client) post(status int, path string, sent any) body {
	c.t.Helper()
	return c.send(status, http.MethodPost, path, sent)
}

func (c client) put(status int, path string, sent any) body {
	c.t.Helper()
	return c.send(status, http.MethodPut, path, sent)
}

func (c client) delete(status int, path string) body {
	c.t.Helper()
	return c.send(status, http.MethodDelete, path, nil)
}

// at follows a path of member names.
func (b body) at(path ...string) any {
	var v any = b.any
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func (b body) text(path ...string) string {
	s, _ := b.at(path...).(string)
	return s
}

func (b body) number(path ...string) float64 {
	n, _ := b.at(path...).(float64)
	return n
}

func (b body) list() []body {
	var out []body
	items, _ := b.any["list"].([]any)
	for _, item := range items {
		m, _ := item.(map[string]any)
		out = append(out, body{t: b.t, any: m})
	}
	return out
}
