// Package is is the provider of WSO2 Identity Server 7.1: its users, groups and roles, its
// applications, OAuth2 clients and API resources, and its discovery document.
package is

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// product says how Identity Server is called and where the environment names it.
var product = rest.Product{
	Name: "Identity Server",
	Env:  "IS",
	Also: map[string][]string{
		"username": {"WSO2IS_ADMIN_USER"},
		"password": {"WSO2IS_ADMIN_PASS"},
	},
	// The toolkits call the server at localhost and its outside port; WSO2IS_HOST and WSO2IS_PORT
	// are its name inside the container network, which the host does not know.
	Endpoint: func(getenv func(string) string) string {
		if port := getenv("WSO2IS_EXTERNAL_PORT"); port != "" {
			return "https://localhost:" + port
		}
		return ""
	},
}

// Provider serves one provider block of name "is".
type Provider struct {
	// Dial opens connections to the server. Nil: over this machine's network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	client       rest.Client
	organization string // id of the tenant's organization: the audience of its roles
	types        []engine.Type
	data         []engine.Finder
	getenv       func(string) string
}

var _ engine.Provider = (*Provider)(nil)

// New returns a provider that is not configured yet.
func New() *Provider {
	p := &Provider{getenv: os.Getenv}
	p.types = []engine.Type{
		newUser(&p.client),
		newGroup(&p.client),
		newRole(p),
		newApplication(&p.client),
		newAssociatedRoles(&p.client),
		newAPIResource(&p.client),
		newAuthorizedAPI(&p.client),
		newOAuthClient(&p.client),
	}
	p.data = []engine.Finder{
		newOpenIDConfiguration(&p.client),
	}
	return p
}

// Name returns "is".
func (p *Provider) Name() string { return "is" }

// Schema returns the provider block.
func (p *Provider) Schema() schema.Block { return product.Schema() }

// Types returns the resource types.
func (p *Provider) Types() []engine.Type { return p.types }

// Data returns the types that can only be read.
func (p *Provider) Data() []engine.Finder { return p.data }

// Configure connects to the server that block and the environment describe.
//
// The realm is "is:TENANT:ID", where ID is that of the role "everyone": it is made once for each
// tenant of each database and cannot be deleted, so it is the same by every address of the server.
// A version other than 7.1 is warned of.
func (p *Provider) Configure(ctx context.Context, block cty.Value) (realm string, warnings []string, err error) {
	s, err := product.Settings(block, p.getenv)
	if err != nil {
		return "", nil, err
	}
	if s.TenantName() != rest.SuperTenant {
		s.Prefix = "/t/" + url.PathEscape(s.Tenant)
	}
	s.Register = register
	s.Dial = p.Dial
	// SYSTEM stands for every scope that the client and its user may have (is-behaviour 2).
	s.Scopes = []string{"SYSTEM"}
	if err := p.client.Connect(s); err != nil {
		return "", nil, err
	}
	warnings = s.Warnings()
	version := p.client.VersionWarning(ctx, "7.1")
	id, err := p.everyone(ctx)
	if w := version(); err != nil {
		return "", warnings, err
	} else if w != "" {
		warnings = append(warnings, w)
	}
	return "is:" + s.TenantName() + ":" + id, warnings, nil
}

// everyone returns the id of the organization role "everyone" and keeps the organization's id.
func (p *Provider) everyone(ctx context.Context) (string, error) {
	var list struct {
		Resources []struct {
			ID          string `json:"id"`
			DisplayName string `json:"displayName"`
			Audience    struct {
				Type  string `json:"type"`
				Value string `json:"value"`
			} `json:"audience"`
		}
	}
	query := url.Values{
		"filter":             {"displayName eq " + quote("everyone")},
		"excludedAttributes": {"users"},
	}
	if err := p.client.Get(ctx, rolesPath, query, &list); err != nil {
		return "", fmt.Errorf("reading the role \"everyone\", by which the server is recognised: %w", rest.Unfound(err))
	}
	for _, r := range list.Resources {
		if strings.EqualFold(r.DisplayName, "everyone") && strings.EqualFold(r.Audience.Type, organizationAudience) {
			p.organization = r.Audience.Value
			return r.ID, nil
		}
	}
	return "", errors.New("the server shows no role \"everyone\", by which it is recognised: the endpoint may not be " +
		"Identity Server 7, or the user may not see roles (scope internal_role_mgt_view)")
}
