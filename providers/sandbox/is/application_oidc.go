package is

import (
	"net/http"
	"slices"

	"wso2plan/providers/sandbox/oauth"
)

// oidcSettings is inboundProtocolConfiguration.oidc.
type oidcSettings struct {
	ClientID     string   `json:"clientId"`
	ClientSecret string   `json:"clientSecret"`
	GrantTypes   []string `json:"grantTypes"`
	CallbackURLs []string `json:"callbackURLs"`
	PublicClient bool     `json:"publicClient"`
	AccessToken  struct {
		Type        string `json:"type"`
		User        int64  `json:"userAccessTokenExpiryInSeconds"`
		Application int64  `json:"applicationAccessTokenExpiryInSeconds"`
	} `json:"accessToken"`
	RefreshToken struct {
		Seconds int64 `json:"expiryInSeconds"`
	} `json:"refreshToken"`
	IDToken struct {
		Seconds int64 `json:"expiryInSeconds"`
	} `json:"idToken"`
	PKCE struct {
		Mandatory bool `json:"mandatory"`
		Plain     bool `json:"supportPlainTransformAlgorithm"`
	} `json:"pkce"`
}

func (o oidcSettings) client(name, owner string) (oauth.Client, *answer) {
	for _, grant := range o.GrantTypes {
		if !slices.Contains(oauth.Known, grant) {
			return oauth.Client{}, failure(http.StatusBadRequest, "OAUTH-60001", "Invalid client.", "Invalid grant type: "+grant)
		}
	}
	switch {
	case len(o.CallbackURLs) > 1:
		return oauth.Client{}, failure(http.StatusNotImplemented, "APP-65002", "Unsupported operation.", "Multiple callbacks for OAuth2 are not supported yet. Please use regex to define multiple callbacks.")
	case needsRedirect(o.GrantTypes) && len(o.CallbackURLs) == 0:
		return oauth.Client{}, failure(http.StatusBadRequest, "OAUTH-60001", "Invalid client.", "Callback URI is mandatory for Code or Implicit grant types.")
	}
	c := oauth.Client{
		Name: name, Owner: owner, GrantTypes: o.GrantTypes, RedirectURIs: o.CallbackURLs, JWT: o.AccessToken.Type == "JWT", Public: o.PublicClient,
		PKCE: o.PKCE.Mandatory, PKCEPlain: o.PKCE.Plain, ApplicationLifetime: o.AccessToken.Application, UserLifetime: o.AccessToken.User,
		RefreshLifetime: o.RefreshToken.Seconds, IDLifetime: o.IDToken.Seconds, Extra: map[string]any{},
	}
	if o.ClientID != "" {
		c.ID, c.Secret = o.ClientID, o.ClientSecret // a secret without an id is ignored (is-behaviour 7)
	}
	return c, nil
}

func (s *Server) getOIDC(c *call) *answer {
	s.mu.RLock()
	a := s.app.byID[c.PathValue("id")]
	s.mu.RUnlock()
	if a == nil {
		return noApplication(c.PathValue("id"))
	}
	client, err := s.tokens.Client(a.client)
	if err != nil {
		return failure(http.StatusNotFound, "APP-60502", "Inbound protocol not found.", "Application does not have an OIDC configuration.")
	}
	return object(http.StatusOK, oidcDocument(client))
}

func oidcDocument(c oauth.Client) map[string]any {
	kind := "Default"
	if c.JWT {
		kind = "JWT"
	}
	return map[string]any{
		"clientId": c.ID, "clientSecret": c.Secret, "state": "ACTIVE", "grantTypes": append([]string{}, c.GrantTypes...),
		"callbackURLs": append([]string{}, c.RedirectURIs...), "allowedOrigins": []string{}, "publicClient": c.Public,
		"accessToken": map[string]any{
			"type": kind, "userAccessTokenExpiryInSeconds": c.UserLifetime, "applicationAccessTokenExpiryInSeconds": c.ApplicationLifetime,
			"bindingType": "None", "revokeTokensWhenIDPSessionTerminated": false, "validateTokenBinding": false, "accessTokenAttributes": []string{},
		},
		"refreshToken": map[string]any{"expiryInSeconds": c.RefreshLifetime, "renewRefreshToken": true},
		"idToken": map[string]any{"expiryInSeconds": c.IDLifetime, "audience": []string{}, "idTokenSignedResponseAlg": "",
			"encryption": map[string]any{"enabled": false, "algorithm": "", "method": ""}},
		"pkce":            map[string]any{"mandatory": c.PKCE, "supportPlainTransformAlgorithm": c.PKCEPlain},
		"scopeValidators": []string{}, "subject": map[string]any{"subjectType": "public"}, "isFAPIApplication": false, "validateRequestObjectSignature": false,
	}
}

func (s *Server) regenerateSecret(c *call) *answer {
	s.mu.RLock()
	a := s.app.byID[c.PathValue("id")]
	s.mu.RUnlock()
	if a == nil {
		return noApplication(c.PathValue("id"))
	}
	client, err := s.tokens.RotateSecret(a.client)
	if err != nil {
		return failure(http.StatusNotFound, "APP-60502", "Inbound protocol not found.", "Application does not have an OIDC configuration.")
	}
	return object(http.StatusOK, oidcDocument(client))
}
