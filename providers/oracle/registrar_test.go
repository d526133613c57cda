package oracle

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"wso2plan/providers/sandbox/apim"
)

// A registrar is an authorization server in memory: client registration and tokens. One is behind
// the key managers that both API Managers are given; another is the sandbox's resident key manager,
// as simple as the stand-in of apim-parts.
type registrar struct {
	mu      sync.Mutex
	rand    *rand.Rand
	clients map[string]map[string]any
}

func newRegistrar(seed uint64) *registrar {
	return &registrar{rand: rand.New(rand.NewPCG(seed, 2)), clients: map[string]map[string]any{}}
}

// serve serves it and returns its address, and what stops it.
func (r *registrar) serve(t *testing.T) (address string, stop func()) {
	s := httptest.NewServer(r)
	stop = sync.OnceFunc(s.Close)
	t.Cleanup(stop)
	return s.URL, stop
}

// newID makes 28 hexadecimal digits, as client ids have.
func (r *registrar) newID() string {
	return fmt.Sprintf("%016x%012x", r.rand.Uint64(), r.rand.Uint64()>>16)
}

func (r *registrar) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	answer := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	if q.URL.Path == "/token" {
		answer(http.StatusOK, map[string]any{"access_token": r.newID(), "token_type": "Bearer", "expires_in": 3600, "scope": "default"})
		return
	}
	id, action, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(q.URL.Path, "/register"), "/"), "/")
	if r.clients[id] == nil {
		if text, err := base64.URLEncoding.DecodeString(id); err == nil {
			id = string(text) // the product sends it so
		}
	}
	old := r.clients[id]
	body := map[string]any{}
	_ = json.NewDecoder(q.Body).Decode(&body) // most methods have none
	switch {
	case id == "" && q.Method == http.MethodPost:
		for name, given := range map[string]string{"client_id": "ext_param_client_id", "client_secret": "ext_param_client_secret"} {
			if body[name] = body[given]; body[name] == nil {
				body[name] = r.newID()
			}
		}
		r.clients[fmt.Sprint(body["client_id"])] = body
		answer(http.StatusCreated, body)
	case old == nil:
		answer(http.StatusNotFound, map[string]any{"error": "not_found"})
	case action == "regenerate-consumer-secret":
		old["client_secret"] = r.newID()
		answer(http.StatusOK, old)
	case q.Method == http.MethodPut:
		body["client_id"], body["client_secret"] = id, old["client_secret"]
		r.clients[id] = body
		answer(http.StatusOK, body)
	case q.Method == http.MethodDelete:
		delete(r.clients, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		answer(http.StatusOK, old)
	}
}

// resident keeps the clients of the sandbox's resident key manager.
type resident struct {
	mu      sync.Mutex
	ids     *registrar
	clients map[string]apim.Client
}

func newResident() *resident {
	return &resident{ids: newRegistrar(2), clients: map[string]apim.Client{}}
}

func (r *resident) CreateClient(_ context.Context, _ string, c apim.Client) (apim.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.ID == "" {
		c.ID = r.ids.newID()
	}
	if c.Secret == "" {
		c.Secret = r.ids.newID()
	}
	r.clients[c.ID] = c
	return c, nil
}

func (r *resident) Client(_ context.Context, _, id string) (apim.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.clients[id]; ok {
		return c, nil
	}
	return apim.Client{}, apim.ErrNoClient
}

func (r *resident) ClientNamed(context.Context, string, string, string) (apim.Client, error) {
	return apim.Client{}, apim.ErrNoClient
}

func (r *resident) UpdateClient(_ context.Context, _ string, c apim.Client) (apim.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, ok := r.clients[c.ID]
	if !ok {
		return c, apim.ErrNoClient
	}
	c.Secret = old.Secret
	r.clients[c.ID] = c
	return c, nil
}

func (r *resident) DeleteClient(_ context.Context, _, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.clients[id]; !ok {
		return apim.ErrNoClient
	}
	delete(r.clients, id)
	return nil
}

func (r *resident) RotateSecret(_ context.Context, _, id string) (apim.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.clients[id]
	if !ok {
		return c, apim.ErrNoClient
	}
	c.Secret = r.ids.newID()
	r.clients[id] = c
	return c, nil
}

// Token answers as the stand-in of apim-parts does: with the scopes that were asked for, for an hour.
func (r *resident) Token(_ context.Context, _, _ string, scopes []string, _ int) (apim.Token, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if scopes == nil {
		scopes = []string{}
	}
	return apim.Token{AccessToken: r.ids.newID(), Scopes: scopes, ExpiresIn: 3600}, nil
}
