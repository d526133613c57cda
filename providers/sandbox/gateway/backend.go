package gateway

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// forward hands a call on to the backend of its key type.
func (c *call) forward(w http.ResponseWriter, transport http.RoundTripper) {
	backends := c.operation.Backends
	if backends == nil {
		backends = &c.api.Backends
	}
	to, kind := backends.Production, "Production"
	if c.caller.keyType == "SANDBOX" {
		to, kind = backends.Sandbox, "Sandbox"
	}
	if to == nil || len(to.URLs) == 0 {
		f := status(http.StatusForbidden, "Runtime Error", kind+" key offered to the API with no "+strings.ToLower(kind)+" endpoint")
		f.Code = "900901"
		f.send(w)
		return
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(p *httputil.ProxyRequest) { c.rewrite(p.Out) },
		Transport:      &endpoint{c, to, transport},
		ModifyResponse: c.answered,
		ErrorHandler:   c.unreachable,
		ErrorLog:       log.New(io.Discard, "", 0),
		FlushInterval:  -1, // server-sent events
	}
	proxy.ServeHTTP(w, c.request)
}

// rewrite makes the request of the backend but for its address.
func (c *call) rewrite(out *http.Request) {
	header := c.api.AuthorizationHead
	if header == "" {
		header = "Authorization"
	}
	out.Header.Del(header) // a gateway takes the token off unless it is told otherwise
	out.Header.Del("Internal-Key")
}

// answered takes the backend's own CORS headers off; the gateway's are set.
func (c *call) answered(r *http.Response) error {
	for name := range r.Header {
		if strings.HasPrefix(name, "Access-Control-") && c.request.Method != http.MethodOptions {
			r.Header.Del(name)
		}
	}
	after(c.operation.Response, r.Header)
	return nil
}

// unreachable is the answer when no backend answers.
func (c *call) unreachable(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the client is gone
	}
	f := status(http.StatusInternalServerError, "Runtime Error", "Error connecting to the back end")
	f.Code = "101503"
	f.send(w)
}

// An endpoint is a backend as a transport: it chooses the address, adds what the backend wants to see, and tries the next one where it may.
type endpoint struct {
	call      *call
	to        *Backend
	transport http.RoundTripper
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	first := 0
	if e.to.Balanced {
		first = e.call.gateway.turn(e.call.api.ID+e.call.caller.keyType, len(e.to.URLs))
	}
	var failed error
	for i := range e.to.URLs {
		answer, err := e.send(r, e.to.URLs[(first+i)%len(e.to.URLs)])
		if err == nil {
			return answer, nil
		}
		failed = err
		if !e.to.Failover && !e.to.Balanced || r.Body != nil && r.ContentLength != 0 {
			break // a body that was sent cannot be sent again
		}
	}
	return nil, failed
}

// send sends the request to one address: the path behind the API's context comes after its own.
func (e *endpoint) send(r *http.Request, address string) (*http.Response, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	behind := before(e.call.operation.Request, r, e.call.path)
	query := r.URL.RawQuery
	path := strings.TrimSuffix(base.EscapedPath(), "/")
	if behind != "/" || path == "" {
		path += behind
	}
	target := *base
	if target.Path, err = url.PathUnescape(path); err != nil {
		return nil, err
	}
	target.RawPath, target.RawQuery = path, query
	if base.RawQuery != "" {
		target.RawQuery = strings.TrimSuffix(base.RawQuery+"&"+query, "&")
	}
	r.URL, r.Host = &target, base.Host
	if err := e.secure(r); err != nil {
		return nil, err
	}
	return e.transport.RoundTrip(r)
}

// secure adds the credentials of the backend.
func (e *endpoint) secure(r *http.Request) error {
	s := e.to.Security
	if s == nil {
		return nil
	}
	switch strings.ToUpper(s.Type) {
	case "BASIC":
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(s.Username+":"+s.Password)))
	case "APIKEY":
		if strings.EqualFold(s.In, "QUERY") {
			q := r.URL.Query()
			q.Set(s.Name, s.Value)
			r.URL.RawQuery = q.Encode()
		} else {
			r.Header.Set(s.Name, s.Value)
		}
	case "OAUTH":
		token, err := e.fetchToken(r, s)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}

// fetchToken gets a token for a backend by client credentials.
func (e *endpoint) fetchToken(r *http.Request, s *BackendSecurity) (string, error) {
	q, err := http.NewRequestWithContext(r.Context(), http.MethodPost, s.TokenURL, strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return "", err
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.SetBasicAuth(s.ClientID, s.Secret)
	answer, err := e.transport.RoundTrip(q)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var got struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&got); err != nil || got.AccessToken == "" {
		return "", fmt.Errorf("token endpoint of the backend: status %d", answer.StatusCode)
	}
	return got.AccessToken, nil
}

// turn counts the calls of a balanced endpoint.
func (g *Gateway) turn(key string, n int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := g.turns[key] % n
	g.turns[key] = i + 1
	return i
}
