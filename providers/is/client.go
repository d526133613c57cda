package is

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"wso2plan/engine"
	"wso2plan/providers/rest"
)

const (
	registerPath     = "/api/identity/oauth2/dcr/v1.1/register"
	applicationsPath = "/api/server/v1/applications"
	resourcesPath    = "/api/server/v1/api-resources"
	clientName       = "wso2plan"
)

// managed are the management APIs that the types call, as API resources whose scopes the OAuth2
// client must be authorised for (is-behaviour 2). Roles of version 2 are under the name of version
// 1 or have one of their own, by the server's version: of the names in one line those that the
// server has are taken.
var managed = [][]string{
	{"/scim2/Users"},
	{"/scim2/Groups"},
	{"/scim2/v2/Roles", "/scim2/Roles"},
	{applicationsPath},
	{resourcesPath},
}

// register makes the OAuth2 client with which tokens are asked for, or finds the one of an earlier
// run, and authorises it for the management APIs: a token holds no other scopes.
func register(ctx context.Context, c *rest.Client, owner string) (id, secret string, err error) {
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	err = c.Call(ctx, rest.Request{
		Method: http.MethodPost, Path: registerPath, Login: rest.LoginBasic,
		Body: map[string]any{
			"client_name": clientName, "grant_types": []string{rest.AuthClient, rest.AuthPassword},
			"redirect_uris": []string{}, "ext_application_owner": owner,
		},
	}, &client)
	if rest.StatusOf(err) == http.StatusBadRequest {
		// IS 7.1 answers 400 to a name that is taken, and shows the client with its secret by name
		// (is-behaviour 6). Any other reason for the 400 makes the look-up fail too.
		if found := c.Call(ctx, rest.Request{
			Path: registerPath, Query: url.Values{"client_name": {clientName}}, Login: rest.LoginBasic,
		}, &client); found == nil {
			err = nil
		}
	}
	if err != nil {
		return "", "", err
	}
	if client.ID == "" || client.Secret == "" {
		return "", "", fmt.Errorf("the server does not show the id and secret of the client %q; set client_id and client_secret", clientName)
	}
	if err := authorise(ctx, c); err != nil {
		return "", "", fmt.Errorf("authorising the client %q for the management APIs: %w", clientName, err)
	}
	return client.ID, client.Secret, nil
}

// authorise gives the client's application every scope of the management APIs.
func authorise(ctx context.Context, c *rest.Client) error {
	application, err := applicationID(ctx, c, clientName)
	if err != nil {
		return err
	}
	var have []struct {
		Identifier string `json:"identifier"`
	}
	path := applicationsPath + "/" + url.PathEscape(application) + "/authorized-apis"
	if err := c.Call(ctx, rest.Request{Path: path, Login: rest.LoginBasic}, &have); err != nil {
		return rest.Unfound(err)
	}
	done := map[string]bool{}
	for _, h := range have {
		done[h.Identifier] = true
	}
	for _, names := range managed {
		found := false
		for _, identifier := range names {
			if done[identifier] {
				found = true
				continue
			}
			resource, scopes, err := resourceScopes(ctx, c, identifier)
			if errors.Is(err, engine.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			found = true
			err = c.Call(ctx, rest.Request{
				Method: http.MethodPost, Path: path, Login: rest.LoginBasic,
				Body: map[string]any{"id": resource, "policyIdentifier": "RBAC", "scopes": scopes},
			}, nil)
			if err != nil && rest.StatusOf(err) != http.StatusConflict {
				return err
			}
		}
		if !found {
			return fmt.Errorf("the server has no API resource %s", strings.Join(names, " or "))
		}
	}
	return nil
}

// applicationID returns the id of the application of that name.
func applicationID(ctx context.Context, c *rest.Client, name string) (string, error) {
	var list struct {
		Applications []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"applications"`
	}
	query := url.Values{"filter": {"name eq " + name}}
	if err := c.Call(ctx, rest.Request{Path: applicationsPath, Query: query, Login: rest.LoginBasic}, &list); err != nil {
		return "", rest.Unfound(err)
	}
	for _, a := range list.Applications {
		if a.Name == name {
			return a.ID, nil
		}
	}
	return "", fmt.Errorf("application %q: %w", name, engine.ErrNotFound)
}

// resourceScopes returns the id and the scopes of the API resource with that identifier.
func resourceScopes(ctx context.Context, c *rest.Client, identifier string) (id string, scopes []string, err error) {
	// The name is the same for a tenant's and an organization's resource; the identifier is not.
	if id, err = findResource(ctx, c, identifier, rest.LoginBasic); err != nil {
		return "", nil, err
	}
	var resource struct {
		Scopes []struct {
			Name string `json:"name"`
		} `json:"scopes"`
	}
	if err := c.Call(ctx, rest.Request{Path: resourcesPath + "/" + url.PathEscape(id), Login: rest.LoginBasic}, &resource); err != nil {
		return "", nil, rest.Unfound(err)
	}
	for _, s := range resource.Scopes {
		scopes = append(scopes, s.Name)
	}
	return id, scopes, nil
}
