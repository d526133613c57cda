package sandbox

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"wso2plan/providers/sandbox/apim"
	"wso2plan/providers/sandbox/oauth"
)

// resident is the client registry of API Manager's resident key manager: its own OAuth2 server. A client belongs to the tenant it was made in.
type resident struct{ tokens *oauth.Server }

// Members of oauth.Client.Extra that are the registry's own; the rest are the connector's properties.
const (
	tenantOf = "sandbox.tenant"
	saas     = "sandbox.saas"
)

func (r resident) toClient(c oauth.Client) apim.Client {
	extra := maps.Clone(c.Extra)
	delete(extra, tenantOf)
	delete(extra, saas)
	_, isSaaS := c.Extra[saas]
	return apim.Client{ID: c.ID, Secret: c.Secret, Name: c.Name, Owner: c.Owner, GrantTypes: c.GrantTypes, CallbackURLs: c.RedirectURIs, SaaS: isSaaS, Extra: extra}
}

func (r resident) fromClient(tenant string, c apim.Client) oauth.Client {
	made := oauth.Client{
		ID: c.ID, Secret: c.Secret, Name: c.Name, Owner: c.Owner, GrantTypes: slices.Clone(c.GrantTypes), RedirectURIs: slices.Clone(c.CallbackURLs), JWT: true,
		Extra: map[string]any{},
	}
	maps.Copy(made.Extra, c.Extra)
	for name, to := range map[string]*int64{
		"application_access_token_expiry_time": &made.ApplicationLifetime, "user_access_token_expiry_time": &made.UserLifetime,
		"refresh_token_expiry_time": &made.RefreshLifetime, "id_token_expiry_time": &made.IDLifetime,
	} {
		*to = seconds(c.Extra[name])
	}
	for name, to := range map[string]*bool{"pkceMandatory": &made.PKCE, "pkceSupportPlain": &made.PKCEPlain, "bypassClientCredentials": &made.Public} {
		*to = truth(c.Extra[name])
	}
	made.Extra[tenantOf] = tenant
	if c.SaaS {
		made.Extra[saas] = true
	}
	return made
}

// seconds reads a lifetime, which may be a number, a text or "N/A".
func seconds(v any) int64 {
	switch v := v.(type) {
	case float64:
		return int64(v)
	case int:
		return int64(v)
	case int64:
		return v
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return 0
}

func truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true")
	}
	return false
}

// find returns a client of a tenant.
func (r resident) find(tenant, id string) (oauth.Client, error) {
	c, err := r.tokens.Client(id)
	if err != nil || c.Extra[tenantOf] != tenant {
		return oauth.Client{}, apim.ErrNoClient
	}
	return c, nil
}

// CreateClient implements apim.Resident.
func (r resident) CreateClient(_ context.Context, tenant string, c apim.Client) (apim.Client, error) {
	made, err := r.tokens.Register(r.fromClient(tenant, c))
	return r.toClient(made), err
}

// Client implements apim.Resident.
func (r resident) Client(_ context.Context, tenant, id string) (apim.Client, error) {
	c, err := r.find(tenant, id)
	return r.toClient(c), err
}

// ClientNamed implements apim.Resident.
func (r resident) ClientNamed(_ context.Context, tenant, name, owner string) (apim.Client, error) {
	c, ok := r.tokens.Search(func(c *oauth.Client) bool { return c.Name == name && c.Owner == owner && c.Extra[tenantOf] == tenant })
	if !ok {
		return apim.Client{}, apim.ErrNoClient
	}
	return r.toClient(c), nil
}

// UpdateClient implements apim.Resident.
func (r resident) UpdateClient(_ context.Context, tenant string, c apim.Client) (apim.Client, error) {
	if _, err := r.find(tenant, c.ID); err != nil {
		return apim.Client{}, err
	}
	c.Secret = ""
	made, err := r.tokens.Update(r.fromClient(tenant, c))
	return r.toClient(made), gone(err)
}

// DeleteClient implements apim.Resident.
func (r resident) DeleteClient(_ context.Context, tenant, id string) error {
	if _, err := r.find(tenant, id); err != nil {
		return err
	}
	return gone(r.tokens.Delete(id))
}

// RotateSecret implements apim.Resident.
func (r resident) RotateSecret(_ context.Context, tenant, id string) (apim.Client, error) {
	if _, err := r.find(tenant, id); err != nil {
		return apim.Client{}, err
	}
	made, err := r.tokens.RotateSecret(id)
	return r.toClient(made), gone(err)
}

// Token implements apim.Resident.
func (r resident) Token(_ context.Context, tenant, id string, scopes []string, lifetime int) (apim.Token, error) {
	c, err := r.find(tenant, id)
	if err != nil {
		return apim.Token{}, err
	}
	t, err := r.tokens.Issue(c, nil, scopes, int64(lifetime), false)
	if err != nil {
		return apim.Token{}, err
	}
	return apim.Token{AccessToken: t.Text, Scopes: t.Scopes, ExpiresIn: int(t.Expires.Sub(t.Issued).Seconds())}, nil
}

// gone turns the registry's error into API Manager's.
func gone(err error) error {
	if errors.Is(err, oauth.ErrNoClient) {
		return apim.ErrNoClient
	}
	return err
}
