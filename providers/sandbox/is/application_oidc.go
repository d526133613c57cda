package is

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"wso2plan/providers/sandbox/oauth"
)

// oidcSettings is the OpenID Connect configuration of an application. What is left out of a PUT is reset: nothing is merged (is-behaviour 7).
type oidcSettings struct {
	ClientID     string   `json:"clientId"`
	ClientSecret string   `json:"clientSecret"`
	GrantTypes   []string `json:"grantTypes"`
	CallbackURLs []string `json:"callbackURLs"`
	Origins      []string `json:"allowedOrigins"`
	PublicClient bool     `json:"publicClient"`
	AccessToken  struct {
		Type            string   `json:"type"`
		User            int64    `json:"userAccessTokenExpiryInSeconds"`
		Application     int64    `json:"applicationAccessTokenExpiryInSeconds"`
		Binding         string   `json:"bindingType"`
		RevokeWithIDP   bool     `json:"revokeTokensWhenIDPSessionTerminated"`
		ValidateBinding bool     `json:"validateTokenBinding"`
		Attributes      []string `json:"accessTokenAttributes"`
	} `json:"accessToken"`
	RefreshToken struct {
		Seconds int64 `json:"expiryInSeconds"`
		Renew   bool  `json:"renewRefreshToken"`
	} `json:"refreshToken"`
	IDToken struct {
		Seconds    int64    `json:"expiryInSeconds"`
		Audience   []string `json:"audience"`
		Algorithm  string   `json:"idTokenSignedResponseAlg"`
		Encryption struct {
			Enabled   bool   `json:"enabled"`
			Algorithm string `json:"algorithm"`
			Method    string `json:"method"`
		} `json:"encryption"`
	} `json:"idToken"`
	PKCE struct {
		Mandatory bool `json:"mandatory"`
		Plain     bool `json:"supportPlainTransformAlgorithm"`
	} `json:"pkce"`
	Hybrid struct {
		Enable bool   `json:"enable"`
		Types  string `json:"responseType,omitempty"`
	} `json:"hybridFlow"`
	SubjectToken struct {
		Enable  bool  `json:"enable"`
		Seconds int64 `json:"applicationSubjectTokenExpiryInSeconds"`
	} `json:"subjectToken"`
	Logout struct {
		Back  string `json:"backChannelLogoutUrl,omitempty"`
		Front string `json:"frontChannelLogoutUrl,omitempty"`
	} `json:"logout"`
	Authentication struct {
		Method    string `json:"tokenEndpointAuthMethod,omitempty"`
		Reuse     *bool  `json:"tokenEndpointAllowReusePvtKeyJwt,omitempty"`
		Algorithm string `json:"tokenEndpointAuthSigningAlg,omitempty"`
		DN        string `json:"tlsClientAuthSubjectDn,omitempty"`
	} `json:"clientAuthentication"`
	RequestObject struct {
		Algorithm  string `json:"requestObjectSigningAlg,omitempty"`
		Encryption struct {
			Algorithm string `json:"algorithm"`
			Method    string `json:"method"`
		} `json:"encryption"`
	} `json:"requestObject"`
	Pushed struct {
		Required bool `json:"requirePushAuthorizationRequest"`
	} `json:"pushAuthorizationRequest"`
	Subject struct {
		Type   string `json:"subjectType"`
		Sector string `json:"sectorIdentifierUri,omitempty"`
	} `json:"subject"`
	Validators        []string `json:"scopeValidators"`
	ValidateSignature bool     `json:"validateRequestObjectSignature"`
	FAPI              bool     `json:"isFAPIApplication"`
}

var (
	authMethods    = []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"}
	signing        = []string{"RS256", "RS384", "RS512", "PS256", "ES256"}
	encryption     = []string{"RSA-OAEP", "RSA1_5"}
	encryptMethods = []string{"A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A128CBC+HS256"}
	validators     = []string{"Role based scope validator", "XACML Scope Validator"}
)

func badClient(description string) *answer {
	return failure(http.StatusBadRequest, "OAUTH-60001", "Invalid client.", description)
}

// uncoded is a refusal of the inbound handler, which gives no code (is-behaviour 7).
func uncoded(description string) *answer {
	return object(http.StatusBadRequest, map[string]string{"message": "Error while updating the inbound configuration.", "description": description, "traceId": newID()})
}

// check refuses settings that the server cannot have.
func (o *oidcSettings) check() *answer {
	for _, grant := range o.GrantTypes {
		if !slices.Contains(oauth.Known, grant) {
			return badClient("Invalid grant type: " + grant)
		}
	}
	switch {
	case len(o.GrantTypes) == 0:
		return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "grantTypes must not be empty.")
	case len(o.CallbackURLs) > 1:
		return failure(http.StatusNotImplemented, "APP-65002", "Unsupported operation.", "Multiple callbacks for OAuth2 are not supported yet. Please use regex to define multiple callbacks.")
	case needsRedirect(o.GrantTypes) && (len(o.CallbackURLs) == 0 || o.CallbackURLs[0] == ""):
		return badClient("Callback URI is mandatory for Code or Implicit grant types.")
	}
	for _, choice := range []struct {
		value string
		from  []string
		what  string
	}{
		{o.AccessToken.Type, []string{"Default", "JWT"}, "token type"},
		{o.IDToken.Algorithm, signing, "signature algorithm"}, {o.Authentication.Algorithm, signing, "signature algorithm"},
		{o.RequestObject.Algorithm, signing, "signature algorithm"},
		{o.IDToken.Encryption.Algorithm, encryption, "encryption algorithm"}, {o.RequestObject.Encryption.Algorithm, encryption, "encryption algorithm"},
		{o.IDToken.Encryption.Method, encryptMethods, "encryption method"}, {o.RequestObject.Encryption.Method, encryptMethods, "encryption method"},
		{o.Authentication.Method, authMethods, "token endpoint authentication method"}, {o.Subject.Type, []string{"public", "pairwise"}, "subject type"},
	} {
		if choice.value != "" && !slices.Contains(choice.from, choice.value) {
			return badClient("Invalid " + choice.what + ": " + choice.value)
		}
	}
	for _, v := range o.Validators {
		if !slices.Contains(validators, v) {
			return badClient("Invalid scope validator: " + v)
		}
	}
	if slices.Contains(o.IDToken.Audience, "") {
		return badClient("Audience cannot be empty.")
	}
	for _, origin := range o.Origins {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
			return uncoded("Invalid CORS origin: " + origin)
		}
	}
	return nil
}

// normal fills in what the server does: defaults for lifetimes that are missing or zero.
func (o *oidcSettings) normal() {
	if o.AccessToken.Type == "" {
		o.AccessToken.Type = "Default"
	}
	if o.AccessToken.Binding == "" {
		o.AccessToken.Binding = "None"
	}
	if o.Subject.Type == "" {
		o.Subject.Type = "public"
	}
	if o.SubjectToken.Seconds <= 0 {
		o.SubjectToken.Seconds = 180
	}
	if !o.IDToken.Encryption.Enabled {
		o.IDToken.Encryption.Algorithm, o.IDToken.Encryption.Method = "", ""
	}
}

// put writes the settings to a client.
func (o *oidcSettings) put(c *oauth.Client) {
	o.normal()
	c.GrantTypes, c.RedirectURIs, c.JWT, c.Public = o.GrantTypes, o.CallbackURLs, o.AccessToken.Type == "JWT", o.PublicClient
	c.PKCE, c.PKCEPlain = o.PKCE.Mandatory, o.PKCE.Plain
	c.ApplicationLifetime, c.UserLifetime = o.AccessToken.Application, o.AccessToken.User
	c.RefreshLifetime, c.IDLifetime = o.RefreshToken.Seconds, o.IDToken.Seconds
	c.Extra = map[string]any{"version": c.Extra["version"]}
	if c.Extra["version"] == nil {
		delete(c.Extra, "version")
	}
	// What DCR shows too has the names that it has there.
	for name, text := range map[string]string{
		"token_endpoint_auth_method": o.Authentication.Method, "token_endpoint_auth_signing_alg": o.Authentication.Algorithm,
		"tls_client_auth_subject_dn": o.Authentication.DN, "sector_identifier_uri": o.Subject.Sector, "subject_type": o.Subject.Type,
		"id_token_signed_response_alg": o.IDToken.Algorithm, "request_object_signing_alg": o.RequestObject.Algorithm,
		"id_token_encrypted_response_alg": o.IDToken.Encryption.Algorithm, "id_token_encrypted_response_enc": o.IDToken.Encryption.Method,
		"request_object_encryption_alg": o.RequestObject.Encryption.Algorithm, "request_object_encryption_enc": o.RequestObject.Encryption.Method,
		"backchannel_logout_uri": o.Logout.Back,
	} {
		if text != "" {
			c.Extra[name] = text
		}
	}
	if o.Pushed.Required {
		c.Extra["require_pushed_authorization_requests"] = true
	}
	if o.ValidateSignature {
		c.Extra["require_signed_request_object"] = true
	}
	var rest map[string]any
	if text, err := json.Marshal(o); err == nil && json.Unmarshal(text, &rest) == nil {
		delete(rest, "clientSecret")
		c.Extra["oidc"] = rest
	}
}

// settings reads a client back, whichever API wrote it last.
func settings(c oauth.Client, origins []string) map[string]any {
	var o oidcSettings
	if text, err := json.Marshal(c.Extra["oidc"]); err == nil && c.Extra["oidc"] != nil {
		_ = json.Unmarshal(text, &o)
	}
	text := func(name string) string { s, _ := c.Extra[name].(string); return s }
	flag := func(name string) bool { on, _ := c.Extra[name].(bool); return on }
	o.ClientID, o.ClientSecret = c.ID, c.Secret
	list := func(l []string) []string { return append([]string{}, l...) }
	o.GrantTypes, o.CallbackURLs, o.Origins, o.PublicClient = list(c.GrantTypes), list(c.RedirectURIs), list(origins), c.Public
	o.PKCE.Mandatory, o.PKCE.Plain = c.PKCE, c.PKCEPlain
	o.AccessToken.Type = "Default"
	if c.JWT {
		o.AccessToken.Type = "JWT"
	}
	o.AccessToken.Application, o.AccessToken.User = c.ApplicationLifetime, c.UserLifetime
	o.AccessToken.Attributes, o.Validators = list(o.AccessToken.Attributes), list(o.Validators)
	o.RefreshToken.Seconds, o.IDToken.Seconds, o.IDToken.Audience = c.RefreshLifetime, c.IDLifetime, list(o.IDToken.Audience)
	o.Authentication.Method, o.Authentication.Algorithm = text("token_endpoint_auth_method"), text("token_endpoint_auth_signing_alg")
	o.Authentication.DN, o.Subject.Sector, o.Subject.Type = text("tls_client_auth_subject_dn"), text("sector_identifier_uri"), text("subject_type")
	o.IDToken.Algorithm, o.RequestObject.Algorithm = text("id_token_signed_response_alg"), text("request_object_signing_alg")
	o.IDToken.Encryption.Algorithm, o.IDToken.Encryption.Method = text("id_token_encrypted_response_alg"), text("id_token_encrypted_response_enc")
	o.IDToken.Encryption.Enabled = o.IDToken.Encryption.Algorithm != ""
	o.RequestObject.Encryption.Algorithm, o.RequestObject.Encryption.Method = text("request_object_encryption_alg"), text("request_object_encryption_enc")
	o.Logout.Back = text("backchannel_logout_uri")
	o.Pushed.Required, o.ValidateSignature = flag("require_pushed_authorization_requests"), flag("require_signed_request_object")
	o.normal()
	var d map[string]any
	if raw, err := json.Marshal(o); err == nil {
		_ = json.Unmarshal(raw, &d)
	}
	d["state"] = "ACTIVE"
	return d
}

// addClient registers the client of an application. The caller holds the lock.
func (s *Server) addClient(a *application, o *oidcSettings) *answer {
	if refused := o.check(); refused != nil {
		return refused
	}
	c := oauth.Client{Name: a.name, Owner: a.owner}
	if o.ClientID != "" {
		c.ID, c.Secret = o.ClientID, o.ClientSecret // a secret without an id is ignored (is-behaviour 7)
	}
	o.put(&c)
	made, err := s.tokens.Register(c)
	if err != nil {
		return failure(http.StatusConflict, "OAUTH-60008", "Client id already exists.", "An application with the client id: "+o.ClientID+" already exists.")
	}
	if a.client = made.ID; s.app.byID[a.id] != nil {
		s.app.client[a.client] = a
	}
	a.origins = slices.Clone(o.Origins)
	return nil
}

func noInbound(a *application) *answer {
	return failure(http.StatusNotFound, "APP-60502", "Inbound protocol not configured.", "Inbound protocol: oauth2 not configured for application id: "+a.id+".")
}

func (s *Server) getOIDC(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.app.byID[c.PathValue("id")]
	if a == nil {
		return noApplication(c.PathValue("id"))
	}
	client, err := s.tokens.Client(a.client)
	if err != nil {
		return noInbound(a)
	}
	return object(http.StatusOK, settings(client, a.origins))
}

// putOIDC replaces all settings, CORS origins too, and answers without a body. Client id and secret cannot be changed by it.
func (s *Server) putOIDC(c *call) *answer {
	var o oidcSettings
	if err := json.Unmarshal(c.body, &o); err != nil {
		return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Provided request body content is not in the expected format.")
	}
	return s.changeApplication(c, func(a *application) *answer {
		client, err := s.tokens.Client(a.client)
		if err != nil {
			if refused := s.addClient(a, &o); refused != nil {
				return refused
			}
			return empty(http.StatusOK)
		}
		if refused := o.check(); refused != nil {
			return refused
		}
		switch {
		case o.ClientID != client.ID:
			return uncoded("Invalid ClientID provided for update.")
		case o.ClientSecret != client.Secret:
			return uncoded("Invalid ClientSecret provided for update.")
		}
		o.put(&client)
		if _, err := s.tokens.Update(client); err != nil {
			return noInbound(a)
		}
		a.origins = slices.Clone(o.Origins)
		return empty(http.StatusOK)
	})
}

func (s *Server) deleteOIDC(c *call) *answer {
	return s.changeApplication(c, func(a *application) *answer {
		if a.client != "" {
			_ = s.tokens.Delete(a.client)
			delete(s.app.client, a.client)
			a.client, a.origins = "", nil
		}
		return empty(http.StatusNoContent)
	})
}

func (s *Server) regenerateSecret(c *call) *answer {
	return s.changeApplication(c, func(a *application) *answer {
		client, err := s.tokens.RotateSecret(a.client)
		if err != nil {
			return noInbound(a)
		}
		return object(http.StatusOK, settings(client, a.origins))
	})
}

func originID(origin string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(origin)))[:36] }

// listOrigins shows the CORS origins, which are those of the applications' clients (is-behaviour 16).
func (s *Server) listOrigins(*call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []string
	for _, a := range s.app.order {
		all = union(all, a.origins)
	}
	list := []any{}
	for _, origin := range all {
		list = append(list, map[string]any{"id": originID(origin), "url": origin})
	}
	return object(http.StatusOK, list)
}

func (s *Server) originApplications(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := []any{}
	for _, a := range s.app.order {
		if slices.ContainsFunc(a.origins, func(origin string) bool { return originID(origin) == c.PathValue("id") }) {
			list = append(list, map[string]any{"id": a.id, "name": a.name})
		}
	}
	if len(list) == 0 {
		return failure(http.StatusNotFound, "CRS-60004", "CORS origin not found.", "CORS origin with id: "+c.PathValue("id")+" does not exist.")
	}
	return object(http.StatusOK, list)
}
