package is

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"wso2plan/providers/sandbox/oauth"
)

var (
	validClientName = regexp.MustCompile(`^[a-zA-Z0-9._-]+(?: [a-zA-Z0-9._-]+)*$`)
	validClientID   = regexp.MustCompile(`^[a-zA-Z0-9_]{15,30}$`)
)

func (s *Server) dcrRoutes() {
	const register = "/api/identity/oauth2/dcr/v1.1/register"
	s.handle("POST "+register, "internal_application_mgt_create|internal_dcr_create", s.registerClient)
	s.handle("GET "+register, "internal_application_mgt_view|internal_dcr_view", s.clientByName)
	s.handle("GET "+register+"/{id}", "internal_application_mgt_view|internal_dcr_view", s.clientByID)
	s.handle("PUT "+register+"/{id}", "internal_application_mgt_update|internal_dcr_update", s.updateClient)
	s.handle("DELETE "+register+"/{id}", "internal_application_mgt_delete|internal_dcr_delete", s.deleteClient)
}

// A registration is the document of DCR v1.1. Pointers tell absent from empty.
type registration struct {
	ClientName          *string  `json:"client_name"`
	GrantTypes          []string `json:"grant_types"`
	RedirectURIs        []string `json:"redirect_uris"`
	AuthMethod          *string  `json:"token_endpoint_auth_method"`
	JWKS                *string  `json:"jwks_uri"`
	SubjectType         *string  `json:"subject_type"`
	AuthAlgorithm       *string  `json:"token_endpoint_auth_signing_alg"`
	Sector              *string  `json:"sector_identifier_uri"`
	IDAlgorithm         *string  `json:"id_token_signed_response_alg"`
	IDEncryption        *string  `json:"id_token_encrypted_response_alg"`
	IDEncryptionMethod  *string  `json:"id_token_encrypted_response_enc"`
	RequestAlgorithm    *string  `json:"request_object_signing_alg"`
	RequestEncryption   *string  `json:"request_object_encryption_alg"`
	RequestMethod       *string  `json:"request_object_encryption_enc"`
	SubjectDN           *string  `json:"tls_client_auth_subject_dn"`
	Statement           *string  `json:"software_statement"`
	BackchannelLogout   *string  `json:"backchannel_logout_uri"`
	SignedRequest       bool     `json:"require_signed_request_object"`
	PushedRequest       bool     `json:"require_pushed_authorization_requests"`
	BoundTokens         bool     `json:"tls_client_certificate_bound_access_tokens"`
	ClientID            string   `json:"ext_param_client_id"`
	ClientSecret        string   `json:"ext_param_client_secret"`
	Owner               string   `json:"ext_application_owner"`
	DisplayName         *string  `json:"ext_application_display_name"`
	Version             string   `json:"ext_application_version"`
	ApplicationLifetime int64    `json:"ext_application_token_lifetime"`
	UserLifetime        int64    `json:"ext_user_token_lifetime"`
	RefreshLifetime     int64    `json:"ext_refresh_token_lifetime"`
	IDLifetime          int64    `json:"ext_id_token_lifetime"`
	PKCE                bool     `json:"ext_pkce_mandatory"`
	PKCEPlain           bool     `json:"ext_pkce_support_plain"`
	Public              bool     `json:"ext_public_client"`
	TokenType           string   `json:"ext_token_type"`
	OldTokenType        string   `json:"token_type_extension"`
	Audience            string   `json:"ext_allowed_audience"`
}

func dcrError(kind, description string) *answer {
	return object(http.StatusBadRequest, map[string]string{"error": kind, "error_description": description})
}

func badMetadata(description string) *answer { return dcrError("invalid_client_metadata", description) }

// noClient is what GET, PUT and DELETE of an unknown client answer: 401 without a body, where the document says 404 (is-behaviour 6).
func noClient() *answer { return empty(http.StatusUnauthorized) }

// readRegistration checks what can be checked without the registry.
func readRegistration(body []byte) (registration, *answer) {
	var r registration
	if err := json.Unmarshal(body, &r); err != nil {
		return r, badMetadata("Request body is not valid JSON.")
	}
	for _, grant := range r.GrantTypes {
		if !slices.Contains(oauth.Known, grant) {
			return r, badMetadata("'" + grant + "' grant type is not allowed.")
		}
	}
	for _, uri := range r.RedirectURIs {
		// Java's URI is stricter than Go's.
		if uri == "" || strings.ContainsAny(uri, " <>\"{}|\\^`\t\n") {
			return r, dcrError("invalid_redirect_uri", "Invalid redirect URI: "+uri)
		}
	}
	return r, nil
}

// redirectForm is how redirect URIs are stored and shown: one as it is, several as one pattern, in which the question mark before a query is escaped.
func redirectForm(uris []string) []string {
	if len(uris) < 2 {
		return slices.Clone(uris)
	}
	return []string{"regexp=(" + strings.ReplaceAll(strings.Join(uris, "|"), "?", `\?`) + ")"}
}

func needsRedirect(grants []string) bool {
	return slices.Contains(grants, oauth.AuthorizationCode) || slices.Contains(grants, "implicit")
}

const errNoRedirect = "RedirectUris property must have at least one URI value when using Authorization code or implicit grant types."

// showClient renders a client; the secret is in clear, always (is-behaviour 6).
func (s *Server) showClient(status int, c oauth.Client) *answer {
	kind := "Default"
	if c.JWT {
		kind = "JWT"
	}
	s.mu.RLock()
	audience := "application"
	if a := s.app.byClient(c.ID); a != nil && a.allowedAudience == "ORGANIZATION" {
		audience = "organization"
	}
	s.mu.RUnlock()
	var display any
	if c.DisplayName != "" {
		display = c.DisplayName
	}
	list := func(l []string) []string { return append([]string{}, l...) }
	redirects := list(c.RedirectURIs)
	if len(redirects) == 0 {
		redirects = []string{""} // an empty list comes back as that [seen]
	}
	subject, version := c.Extra["subject_type"], c.Extra["version"]
	if subject == nil {
		subject = "public"
	}
	if version == nil {
		version = "v2.0.0"
	}
	d := map[string]any{
		"client_id": c.ID, "client_secret": c.Secret, "client_secret_expires_at": 0, "client_name": c.Name,
		"grant_types": list(c.GrantTypes), "redirect_uris": redirects,
		"ext_application_owner": c.Owner + "@carbon.super", "ext_application_display_name": display, "ext_application_version": version,
		"ext_application_token_lifetime": c.ApplicationLifetime, "ext_user_token_lifetime": c.UserLifetime,
		"ext_refresh_token_lifetime": c.RefreshLifetime, "ext_id_token_lifetime": c.IDLifetime,
		"ext_pkce_mandatory": c.PKCE, "ext_pkce_support_plain": c.PKCEPlain, "ext_public_client": c.Public,
		"ext_token_type": kind, "ext_allowed_audience": audience,
		"jwks_uri": c.Extra["jwks_uri"], "token_endpoint_auth_method": c.Extra["token_endpoint_auth_method"], "subject_type": subject,
	}
	for name, extra := range map[string]string{
		"token_endpoint_auth_signing_alg": "", "sector_identifier_uri": "", "id_token_signed_response_alg": "", "id_token_encrypted_response_alg": "",
		"id_token_encrypted_response_enc": "", "request_object_signing_alg": "", "tls_client_auth_subject_dn": "", "software_statement": "",
		// The answer has names of its own for these.
		"require_push_authorization_request": "require_pushed_authorization_requests", "request_object_encryption_algorithm": "request_object_encryption_alg",
		"request_object_encryption_method": "request_object_encryption_enc", "tls_client_certificate_bound_access_token": "tls_client_certificate_bound_access_tokens",
		"require_signed_request_object": "",
	} {
		if extra == "" {
			extra = name
		}
		if v := c.Extra[extra]; v != nil {
			d[name] = v
		}
	}
	return object(status, d)
}

func (s *Server) registerClient(c *call) *answer {
	r, refused := readRegistration(c.body)
	if refused != nil {
		return refused
	}
	if r.ClientName == nil {
		return empty(http.StatusInternalServerError) // IS 7.1 falls over a missing name (is-behaviour 22)
	}
	name := *r.ClientName
	switch {
	case needsRedirect(r.GrantTypes) && len(r.RedirectURIs) == 0:
		return badMetadata(errNoRedirect)
	case !validClientName.MatchString(name):
		return badMetadata("Client Name is not adhering to the regex: " + validClientName.String())
	case r.ClientID != "" && !validClientID.MatchString(r.ClientID):
		return badMetadata("Provided client id is not adhering to the provided regex " + strings.Trim(validClientID.String(), "^$"))
	}
	client := oauth.Client{
		ID: r.ClientID, Secret: r.ClientSecret, Name: name, Owner: c.caller.name, GrantTypes: r.GrantTypes, RedirectURIs: redirectForm(r.RedirectURIs),
		ApplicationLifetime: r.ApplicationLifetime, UserLifetime: r.UserLifetime, RefreshLifetime: r.RefreshLifetime, IDLifetime: r.IDLifetime,
		Public: r.Public, PKCE: r.PKCE, PKCEPlain: r.PKCEPlain, JWT: r.TokenType == "JWT" || r.TokenType == "" && r.OldTokenType == "JWT", Extra: map[string]any{},
	}
	if r.Owner != "" {
		client.Owner = strings.TrimSuffix(r.Owner, "@carbon.super")
		s.mu.RLock()
		known := s.dir.userNamed(client.Owner) != nil
		s.mu.RUnlock()
		if !known {
			return badMetadata("Invalid application owner: " + r.Owner)
		}
	}
	keep(&client, r)
	a := &application{id: newID(), name: name, description: "Service Provider for application " + name, allowedAudience: "APPLICATION", thirdParty: true, owner: client.Owner, created: s.opts.Now()}
	if strings.EqualFold(r.Audience, "organization") {
		a.allowedAudience = "ORGANIZATION"
	}
	// The name is taken first, so that two requests at once cannot both have it.
	s.mu.Lock()
	if s.app.byName[strings.ToLower(name)] != nil {
		s.mu.Unlock()
		return badMetadata("Application with the name " + name + " already exist in the system")
	}
	made, err := s.tokens.Register(client)
	if err != nil {
		s.mu.Unlock()
		return badMetadata("Client id " + r.ClientID + " already exist in the system")
	}
	a.client = made.ID
	s.app.add(a)
	s.mu.Unlock()
	s.changed()
	return s.showClient(http.StatusCreated, made)
}

// keep copies what a client has beside its OAuth2 settings.
func keep(c *oauth.Client, r registration) {
	if r.DisplayName != nil {
		c.DisplayName = *r.DisplayName
	}
	for name, v := range map[string]*string{
		"jwks_uri": r.JWKS, "token_endpoint_auth_method": r.AuthMethod, "subject_type": r.SubjectType, "token_endpoint_auth_signing_alg": r.AuthAlgorithm,
		"sector_identifier_uri": r.Sector, "id_token_signed_response_alg": r.IDAlgorithm, "id_token_encrypted_response_alg": r.IDEncryption,
		"id_token_encrypted_response_enc": r.IDEncryptionMethod, "request_object_signing_alg": r.RequestAlgorithm, "tls_client_auth_subject_dn": r.SubjectDN,
		"request_object_encryption_alg": r.RequestEncryption, "request_object_encryption_enc": r.RequestMethod, "software_statement": r.Statement,
		"backchannel_logout_uri": r.BackchannelLogout,
	} {
		if v != nil && *v != "" {
			c.Extra[name] = *v
		}
	}
	for name, on := range map[string]bool{
		"require_signed_request_object": r.SignedRequest, "require_pushed_authorization_requests": r.PushedRequest,
		"tls_client_certificate_bound_access_tokens": r.BoundTokens,
	} {
		if delete(c.Extra, name); on {
			c.Extra[name] = true
		}
	}
	if r.Version != "" {
		c.Extra["version"] = r.Version
	}
}

// visible returns a client to its owner and to administrators: 401 without one, 403 to others (is-behaviour 6).
func (s *Server) visible(c *call, id string) (oauth.Client, *answer) {
	client, err := s.tokens.Client(id)
	if err != nil {
		return client, noClient()
	}
	if client.Owner != c.caller.name {
		s.mu.RLock()
		u := s.dir.userNamed(c.caller.name)
		admin := u != nil && slices.ContainsFunc(u.allRoles(&s.dir), (*role).isAdmin)
		s.mu.RUnlock()
		if !admin {
			return client, empty(http.StatusForbidden)
		}
	}
	return client, nil
}

func (s *Server) clientByID(c *call) *answer {
	client, refused := s.visible(c, c.PathValue("id"))
	if refused != nil {
		return refused
	}
	return s.showClient(http.StatusOK, client)
}

func (s *Server) clientByName(c *call) *answer {
	s.mu.RLock()
	a := s.app.byName[strings.ToLower(c.URL.Query().Get("client_name"))]
	s.mu.RUnlock()
	if a == nil || a.client == "" {
		return noClient()
	}
	client, refused := s.visible(c, a.client)
	if refused != nil {
		return refused
	}
	return s.showClient(http.StatusOK, client)
}

// updateClient merges: lists and texts change only when they are not empty, lifetimes when positive, booleans always (is-behaviour 6).
func (s *Server) updateClient(c *call) *answer {
	client, refused := s.visible(c, c.PathValue("id"))
	if refused != nil {
		return refused
	}
	r, refused := readRegistration(c.body)
	if refused != nil {
		return refused
	}
	r.JWKS = nil // an update knows no such member
	if client.Extra == nil {
		client.Extra = map[string]any{}
	}
	if len(r.GrantTypes) > 0 {
		client.GrantTypes = r.GrantTypes
	}
	if len(r.RedirectURIs) > 0 {
		client.RedirectURIs = redirectForm(r.RedirectURIs)
	}
	if needsRedirect(client.GrantTypes) && len(client.RedirectURIs) == 0 {
		return badMetadata(errNoRedirect)
	}
	for _, l := range []struct {
		to   *int64
		from int64
	}{{&client.ApplicationLifetime, r.ApplicationLifetime}, {&client.UserLifetime, r.UserLifetime}, {&client.RefreshLifetime, r.RefreshLifetime}, {&client.IDLifetime, r.IDLifetime}} {
		if l.from > 0 {
			*l.to = l.from
		}
	}
	if kind := r.TokenType + r.OldTokenType; kind != "" {
		client.JWT = r.TokenType == "JWT" || r.TokenType == "" && r.OldTokenType == "JWT"
	}
	client.Public, client.PKCE, client.PKCEPlain = r.Public, r.PKCE, r.PKCEPlain
	keep(&client, r)
	s.mu.Lock()
	a := s.app.byClient(client.ID)
	if name := r.ClientName; name != nil && *name != "" && *name != client.Name {
		if !validClientName.MatchString(*name) {
			s.mu.Unlock()
			return badMetadata("Client Name is not adhering to the regex: " + validClientName.String())
		}
		if other := s.app.byName[strings.ToLower(*name)]; other != nil && other != a {
			s.mu.Unlock()
			return badMetadata("Application with the name " + *name + " already exist in the system")
		}
		client.Name = *name
		if a != nil {
			s.renameApplication(a, *name)
		}
	}
	if a != nil && r.Audience != "" {
		a.allowedAudience = "APPLICATION"
		if strings.EqualFold(r.Audience, "organization") {
			a.allowedAudience = "ORGANIZATION"
		}
	}
	client, err := s.tokens.Update(client)
	s.mu.Unlock()
	if err != nil {
		return noClient()
	}
	return s.showClient(http.StatusOK, client)
}

func (s *Server) deleteClient(c *call) *answer {
	client, refused := s.visible(c, c.PathValue("id"))
	if refused != nil {
		return refused
	}
	s.mu.Lock()
	if a := s.app.byClient(client.ID); a != nil {
		s.removeApplication(a)
	}
	err := s.tokens.Delete(client.ID)
	s.mu.Unlock()
	if err != nil {
		return noClient()
	}
	s.changed()
	return empty(http.StatusNoContent)
}
