package oauth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Routes adds the endpoints to mux under prefix: "" or "/t/carbon.super".
func (s *Server) Routes(mux *http.ServeMux, prefix string) {
	mux.HandleFunc("POST "+prefix+"/oauth2/token", s.serveToken)
	mux.HandleFunc("POST "+prefix+"/oauth2/introspect", s.serveIntrospect)
	mux.HandleFunc("POST "+prefix+"/oauth2/revoke", s.serveRevoke)
	mux.HandleFunc("GET "+prefix+"/oauth2/jwks", s.serveKeys)
	mux.HandleFunc("GET "+prefix+"/oauth2/userinfo", s.serveUserInfo)
	mux.HandleFunc("POST "+prefix+"/oauth2/userinfo", s.serveUserInfo)
	mux.HandleFunc("GET "+prefix+"/oauth2/authorize", s.serveAuthorize)
	mux.HandleFunc("POST "+prefix+"/oauth2/authorize", s.serveAuthorize)
	mux.HandleFunc("POST "+prefix+"/oauth2/device_authorize", s.serveDeviceAuthorize)
	mux.HandleFunc("GET "+prefix+"/authenticationendpoint/device.do", s.serveDevice)
	mux.HandleFunc("POST "+prefix+"/authenticationendpoint/device.do", s.serveDevice)
	mux.HandleFunc("GET "+prefix+"/oauth2/token/.well-known/openid-configuration", s.serveDiscovery)
	mux.HandleFunc("GET "+prefix+"/oauth2/oidcdiscovery/.well-known/openid-configuration", s.serveDiscovery)
}

// ServeHTTP serves the endpoints alone, at the root and under /t/carbon.super.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func writeRefusal(w http.ResponseWriter, r *refusal) {
	if r.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Basic realm=localhost")
	}
	writeJSON(w, r.status, map[string]string{"error": r.Code, "error_description": r.Description})
}

// parseForm reads a form body; what else a request may carry is refused as the servers do.
func parseForm(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		writeRefusal(w, refuse(http.StatusBadRequest, "invalid_request", "Invalid request body"))
		return false
	}
	return true
}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	if !parseForm(w, r) {
		return
	}
	for name, values := range r.PostForm {
		if len(values) > 1 {
			writeRefusal(w, refuse(http.StatusBadRequest, "invalid_request", "Invalid request with repeated parameters: %s", name))
			return
		}
	}
	c, refused := s.client(r)
	if refused != nil {
		writeRefusal(w, refused)
		return
	}
	done, refused := s.grant(c, r.PostForm)
	if refused != nil {
		writeRefusal(w, refused)
		return
	}
	t := done.token
	left := max(0, int64(t.Expires.Sub(s.opts.Now()).Seconds()+0.5))
	answer := map[string]any{"access_token": t.Text, "token_type": "Bearer", "expires_in": left}
	if len(t.Scopes) > 0 {
		answer["scope"] = strings.Join(t.Scopes, " ")
	}
	if t.refresh != "" {
		answer["refresh_token"] = t.refresh
	}
	if done.issuedType != "" {
		answer["issued_token_type"] = done.issuedType
	}
	if t.User != nil && slices.Contains(t.Scopes, "openid") {
		id, err := s.idToken(c, t, done.nonce)
		if err != nil {
			writeRefusal(w, refuse(http.StatusInternalServerError, "server_error", "%v", err))
			return
		}
		answer["id_token"] = id
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) serveIntrospect(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	if s.opts.Introspect != nil {
		status = s.opts.Introspect(r)
	} else if name, password, ok := r.BasicAuth(); !ok {
		status = http.StatusUnauthorized
	} else if _, ok := s.opts.Users.Login(name, password); !ok {
		status = http.StatusUnauthorized
	}
	if status != http.StatusOK {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Basic realm=localhost")
		}
		w.WriteHeader(status)
		return
	}
	if !parseForm(w, r) {
		return
	}
	t, ok := s.Verify(r.PostForm.Get("token"))
	if !ok {
		writeJSON(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	answer := map[string]any{
		"active": true, "client_id": t.Client, "aud": t.Client, "aut": "APPLICATION", "scope": strings.Join(t.Scopes, " "), "token_type": "Bearer",
		"exp": t.Expires.Unix(), "iat": t.Issued.Unix(), "nbf": t.Issued.Unix(),
	}
	if t.JWT {
		answer["token_type"], answer["iss"], answer["sub"] = "JWT", s.opts.Issuer, t.Client
	}
	if t.User != nil {
		answer["aut"], answer["username"], answer["sub"] = "APPLICATION_USER", t.User.Name+"@"+t.User.Tenant, t.User.Subject
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) {
	if !parseForm(w, r) {
		return
	}
	c, refused := s.client(r)
	if refused != nil {
		writeRefusal(w, refused)
		return
	}
	text := r.PostForm.Get("token")
	if text == "" {
		writeRefusal(w, refuse(http.StatusBadRequest, "invalid_request", "Invalid revocation request"))
		return
	}
	s.mu.Lock()
	if t, ok := s.tokens[text]; ok && t.Client == c.ID {
		s.drop(text, t)
	} else if t, ok := s.refresh[text]; ok && t.Client == c.ID {
		s.drop(t.Text, t)
	}
	s.mu.Unlock()
	w.WriteHeader(http.StatusOK) // 200 for unknown tokens too
}

func (s *Server) serveKeys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.keySet)
}

func (s *Server) serveUserInfo(w http.ResponseWriter, r *http.Request) {
	text, ok := bearer(r)
	var t Token
	if ok {
		t, ok = s.Verify(text)
	}
	if !ok || t.User == nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token", "error_description": "Access token validation failed"})
		return
	}
	if !slices.Contains(t.Scopes, "openid") {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
		writeJSON(w, http.StatusForbidden, map[string]string{"error": "insufficient_scope", "error_description": "Access token does not have the openid scope"})
		return
	}
	answer := s.userClaims(t)
	answer["sub"] = t.User.Subject
	writeJSON(w, http.StatusOK, answer)
}

func bearer(r *http.Request) (string, bool) {
	kind, text, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(text), ok && strings.EqualFold(kind, "Bearer")
}

// A Principal is who sends a request to a management API.
type Principal struct {
	User   *User // nil for an application that acts for itself
	Client string
	Basic  bool     // by user name and password: its scopes are those of the user's roles
	Scopes []string // of a token
}

// Authenticate reads the Authorization header of a request: Basic credentials of a user, or a live access token.
func (s *Server) Authenticate(r *http.Request) (Principal, bool) {
	if name, password, ok := r.BasicAuth(); ok {
		u, ok := s.opts.Users.Login(name, password)
		return Principal{User: &u, Basic: true}, ok
	}
	text, ok := bearer(r)
	if !ok {
		return Principal{}, false
	}
	t, ok := s.Verify(text)
	return Principal{User: t.User, Client: t.Client, Scopes: t.Scopes}, ok
}

func (s *Server) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	base := s.opts.Base
	if u, err := url.Parse(s.opts.Issuer); err == nil && u.Host != "" {
		base = u.Scheme + "://" + u.Host
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                        s.opts.Issuer,
		"authorization_endpoint":                        base + "/oauth2/authorize",
		"token_endpoint":                                base + "/oauth2/token",
		"introspection_endpoint":                        base + "/oauth2/introspect",
		"revocation_endpoint":                           base + "/oauth2/revoke",
		"userinfo_endpoint":                             base + "/oauth2/userinfo",
		"jwks_uri":                                      base + "/oauth2/jwks",
		"registration_endpoint":                         base + "/api/identity/oauth2/dcr/v1.1/register",
		"device_authorization_endpoint":                 base + "/oauth2/device_authorize",
		"pushed_authorization_request_endpoint":         base + "/oauth2/par",
		"end_session_endpoint":                          base + "/oidc/logout",
		"check_session_iframe":                          base + "/oidc/checksession",
		"web_finger_endpoint":                           base + "/.well-known/webfinger",
		"grant_types_supported":                         Known,
		"response_types_supported":                      []string{"code", "id_token", "token", "id_token token", "code token", "code id_token", "code id_token token", "none"},
		"response_modes_supported":                      []string{"query", "fragment", "form_post"},
		"scopes_supported":                              []string{"openid", "profile", "email", "phone", "address", "groups", "roles"},
		"subject_types_supported":                       []string{"public", "pairwise"},
		"claims_supported":                              []string{"iss", "acr", "sub", "username", "given_name", "family_name", "name", "nickname", "email", "phone_number", "groups", "roles"},
		"claims_parameter_supported":                    true,
		"request_parameter_supported":                   true,
		"code_challenge_methods_supported":              []string{"S256", "plain"},
		"id_token_signing_alg_values_supported":         []string{"RS256"},
		"userinfo_signing_alg_values_supported":         []string{"RS256"},
		"token_endpoint_auth_methods_supported":         []string{"client_secret_basic", "client_secret_post"},
		"revocation_endpoint_auth_methods_supported":    []string{"client_secret_basic", "client_secret_post"},
		"introspection_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"backchannel_logout_supported":                  true,
		"backchannel_logout_session_supported":          true,
	})
}
