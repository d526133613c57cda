package apim_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"

	"wso2plan/providers/sandbox/apim"
)

// registry is the smallest resident key manager: clients in a map, tokens that say what they are
// for.
type registry struct {
	mu      sync.Mutex
	made    int
	clients map[string]apim.Client
}

func (r *registry) next() string {
	r.made++
	return fmt.Sprintf("%028x", r.made)
}

func (r *registry) CreateClient(_ context.Context, _ string, c apim.Client) (apim.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.ID == "" {
		c.ID = r.next()
	}
	if c.Secret == "" {
		c.Secret = r.next()
	}
	if r.clients == nil {
		r.clients = map[string]apim.Client{}
	}
	c.Extra = maps.Clone(c.Extra)
	r.clients[c.ID] = c
	return c, nil
}

func (r *registry) Client(_ context.Context, _, id string) (apim.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.clients[id]
	if !ok {
		return c, apim.ErrNoClient
	}
	return c, nil
}

func (r *registry) ClientNamed(_ context.Context, _, name, owner string) (apim.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.clients {
		if c.Name == name && c.Owner == owner {
			return c, nil
		}
	}
	return apim.Client{}, apim.ErrNoClient
}

func (r *registry) UpdateClient(ctx context.Context, tenant string, c apim.Client) (apim.Client, error) {
	old, err := r.Client(ctx, tenant, c.ID)
	if err != nil {
		return c, err
	}
	c.Secret = old.Secret
	return r.CreateClient(ctx, tenant, c)
}

func (r *registry) DeleteClient(_ context.Context, _, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.clients[id]; !ok {
		return apim.ErrNoClient
	}
	delete(r.clients, id)
	return nil
}

func (r *registry) RotateSecret(ctx context.Context, tenant, id string) (apim.Client, error) {
	c, err := r.Client(ctx, tenant, id)
	if err != nil {
		return c, err
	}
	r.mu.Lock()
	c.Secret = r.next()
	r.mu.Unlock()
	return r.CreateClient(ctx, tenant, c)
}

func (r *registry) Token(_ context.Context, _, id string, scopes []string, seconds int) (apim.Token, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.clients[id]; !ok {
		return apim.Token{}, apim.ErrNoClient
	}
	return apim.Token{AccessToken: r.next(), Scopes: scopes, ExpiresIn: 3600}, nil
}

func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.clients)
}

// authenticate knows admin and any user whose password is their name; a Bearer token is the list of
// its scopes, joined by commas.
func authenticate(r *http.Request) (apim.Principal, bool) {
	if scopes, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return apim.Principal{User: "admin", Scopes: strings.Split(scopes, ",")}, scopes != "expired"
	}
	name, password, ok := r.BasicAuth()
	user, tenant, _ := strings.Cut(name, "@")
	if !ok || password != user {
		return apim.Principal{}, false
	}
	p := apim.Principal{User: user, Tenant: tenant, Scopes: []string{"apim:subscribe", "apim:app_manage"}, Roles: []string{"Internal/subscriber"}}
	if user == "admin" {
		p.All, p.Roles = true, []string{"admin"}
	}
	return p, true
}

// options are those of a server without delay for tests.
func options() apim.Options {
	return apim.Options{Resident: &registry{}, Authenticate: authenticate, KeyManagerDelay: -1,
		Organization: func(p apim.Principal) (id, name string) { return p.Tenant, p.Tenant }}
}
