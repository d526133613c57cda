package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A refusal is an error answer of RFC 6749 5.2.
type refusal struct {
	status      int
	Code        string
	Description string
}

func (r *refusal) Error() string { return r.Code + ": " + r.Description }

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status, code, fmt.Sprintf(format, args...)}
}

var errMethod = refuse(http.StatusUnauthorized, "invalid_client", "Unsupported Client Authentication Method!")

// client authenticates the client of a request: client_secret_basic, client_secret_post, or its id alone when it is public.
// Identity Server answers an unknown client and a missing one alike, and a wrong secret differently (is-behaviour 22).
func (s *Server) client(r *http.Request) (Client, *refusal) {
	id, secret, basic := r.BasicAuth()
	if basic {
		// RFC 6749 2.3.1 encodes both as form values; plain ones decode to themselves.
		if plain, err := url.QueryUnescape(id); err == nil {
			id = plain
		}
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if id == "" {
		return Client{}, errMethod
	}
	c, err := s.Client(id)
	switch {
	case err != nil:
		return Client{}, errMethod
	case c.Public && secret == "":
		return c, nil
	case secret == "":
		return Client{}, errMethod
	}
	if c.hasSecret(secret) {
		return c, nil
	}
	if plain, err := url.QueryUnescape(secret); basic && err == nil && c.hasSecret(plain) {
		return c, nil
	}
	return Client{}, refuse(http.StatusUnauthorized, "invalid_client", "Client credentials are invalid.")
}

// An outcome is a granted request.
type outcome struct {
	token      Token
	nonce      string
	issuedType string // token exchange
}

// grant carries out a token request.
func (s *Server) grant(c Client, form url.Values) (outcome, *refusal) {
	kind := form.Get("grant_type")
	if kind == "" {
		kind = "null"
	}
	served := map[string]func(Client, url.Values) (outcome, *refusal){
		ClientCredentials: s.byCredentials, Password: s.byPassword, RefreshToken: s.byRefresh, AuthorizationCode: s.byCode,
		DeviceCode: s.byDevice, JWTBearer: s.byJWT, SAML2Bearer: s.bySAML, TokenExchange: s.byExchange,
	}
	serve, ok := served[kind]
	if !ok {
		return outcome{}, refuse(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type : %s, is used.", kind)
	}
	if !slices.Contains(c.GrantTypes, kind) {
		return outcome{}, refuse(http.StatusBadRequest, "unauthorized_client",
			"The authenticated client is not authorized to use this authorization grant type")
	}
	return serve(c, form)
}

func (s *Server) issue(c Client, u *User, scopes []string) (outcome, *refusal) {
	t, err := s.Issue(c, u, scopes, 0, u != nil && slices.Contains(c.GrantTypes, RefreshToken))
	if err != nil {
		return outcome{}, refuse(http.StatusInternalServerError, "server_error", "%v", err)
	}
	return outcome{token: t}, nil
}

func (s *Server) byCredentials(c Client, form url.Values) (outcome, *refusal) {
	if c.Public {
		return outcome{}, refuse(http.StatusBadRequest, "unauthorized_client", "The public client is not authorized to use this authorization grant type")
	}
	return s.issue(c, nil, strings.Fields(form.Get("scope")))
}

func (s *Server) byPassword(c Client, form url.Values) (outcome, *refusal) {
	name, password := form.Get("username"), form.Get("password")
	if name == "" || password == "" {
		return outcome{}, refuse(http.StatusBadRequest, "invalid_request", "Missing parameters: username, password")
	}
	u, ok := s.opts.Users.Login(name, password)
	if !ok {
		return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "Authentication failed for %s", name)
	}
	return s.issue(c, &u, strings.Fields(form.Get("scope")))
}

// byRefresh rotates: the old access and refresh tokens end. Scopes may be narrowed, not widened.
func (s *Server) byRefresh(c Client, form url.Values) (outcome, *refusal) {
	now := s.opts.Now()
	s.mu.Lock()
	old, ok := s.refresh[form.Get("refresh_token")]
	if !ok || old.Client != c.ID || old.refreshExpires.Before(now) {
		s.mu.Unlock()
		return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "Persisted access token data not found")
	}
	s.drop(old.Text, old)
	s.mu.Unlock()
	scopes := old.Scopes
	if asked := strings.Fields(form.Get("scope")); len(asked) > 0 {
		scopes = slices.DeleteFunc(asked, func(scope string) bool { return !slices.Contains(old.Scopes, scope) })
	}
	if old.User != nil {
		if _, ok := s.opts.Users.Find(old.User.Subject); !ok {
			return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "User not found")
		}
	}
	return s.issue(c, old.User, scopes)
}

// A code is an authorization code.
type code struct {
	client, redirect, challenge, method, nonce string
	user                                       User
	scopes                                     []string
	expires                                    time.Time
	token                                      string // what it was exchanged for; a second use ends that token
}

func (s *Server) byCode(c Client, form url.Values) (outcome, *refusal) {
	now := s.opts.Now()
	s.mu.Lock()
	found, ok := s.codes[form.Get("code")]
	if ok && found.token != "" {
		if t := s.tokens[found.token]; t != nil {
			s.drop(found.token, t)
		}
		ok = false
	}
	if !ok || found.client != c.ID || found.expires.Before(now) {
		s.mu.Unlock()
		return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "Invalid authorization code received from token request")
	}
	found.token = "used"
	s.mu.Unlock()
	if found.redirect != form.Get("redirect_uri") {
		return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "Callback url mismatch")
	}
	if refused := checkChallenge(c, found, form.Get("code_verifier")); refused != nil {
		return outcome{}, refused
	}
	done, refused := s.issue(c, &found.user, found.scopes)
	if refused != nil {
		return done, refused
	}
	s.mu.Lock()
	found.token = done.token.Text
	s.mu.Unlock()
	done.nonce = found.nonce
	return done, nil
}

func checkChallenge(c Client, found *code, verifier string) *refusal {
	switch {
	case found.challenge == "" && verifier == "":
		return nil
	case found.challenge == "" || verifier == "":
		return refuse(http.StatusBadRequest, "invalid_grant", "PKCE validation failed")
	}
	derived := verifier
	if found.method != "plain" {
		sum := sha256.Sum256([]byte(verifier))
		derived = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if subtle.ConstantTimeCompare([]byte(derived), []byte(found.challenge)) != 1 {
		return refuse(http.StatusBadRequest, "invalid_grant", "PKCE validation failed")
	}
	return nil
}

// byJWT takes an assertion of an issuer that the server trusts, addressed to its token endpoint.
func (s *Server) byJWT(c Client, form url.Values) (outcome, *refusal) {
	claims, refused := s.assertion(form.Get("assertion"))
	if refused != nil {
		return outcome{}, refused
	}
	subject, _ := claims["sub"].(string)
	u, ok := s.opts.Users.Find(subject)
	if !ok {
		return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "User not found: %s", subject)
	}
	return s.issue(c, &u, strings.Fields(form.Get("scope")))
}

func (s *Server) assertion(text string) (map[string]any, *refusal) {
	if text == "" {
		return nil, refuse(http.StatusBadRequest, "invalid_request", "Missing parameters: assertion")
	}
	claims, ok := unverified(text)
	if !ok {
		return nil, refuse(http.StatusBadRequest, "invalid_grant", "Error while parsing the JWT.")
	}
	issuer, _ := claims["iss"].(string)
	keys := &s.keySet
	if issuer != s.opts.Issuer {
		keys, ok = nil, false
		if s.opts.Trusted != nil {
			keys, ok = s.opts.Trusted(issuer)
		}
		if !ok {
			return nil, refuse(http.StatusBadRequest, "invalid_grant", "No Registered IDP found for the JWT with issuer name : %s", issuer)
		}
	}
	claims, err := verify(text, keys, s.opts.Now())
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "invalid_grant", "Signature or validity of the JWT could not be confirmed.")
	}
	if issuer != s.opts.Issuer && !audience(claims, s.opts.Issuer) {
		return nil, refuse(http.StatusBadRequest, "invalid_grant", "None of the audience values matched the tokenEndpoint Alias %s", s.opts.Issuer)
	}
	return claims, nil
}

func audience(claims map[string]any, want string) bool {
	switch aud := claims["aud"].(type) {
	case string:
		return aud == want
	case []any:
		return slices.Contains(aud, any(want))
	}
	return false
}

const (
	accessTokenType = "urn:ietf:params:oauth:token-type:access_token"
	jwtTokenType    = "urn:ietf:params:oauth:token-type:jwt"
	idTokenType     = "urn:ietf:params:oauth:token-type:id_token"
)

func (s *Server) byExchange(c Client, form url.Values) (outcome, *refusal) {
	for _, name := range []string{"subject_token", "subject_token_type"} {
		if form.Get(name) == "" {
			return outcome{}, refuse(http.StatusBadRequest, "invalid_request", "Missing parameters: %s", name)
		}
	}
	kind := form.Get("subject_token_type")
	if kind != accessTokenType && kind != jwtTokenType && kind != idTokenType {
		return outcome{}, refuse(http.StatusBadRequest, "invalid_request", "Unsupported Subject Token Type")
	}
	if asked := form.Get("requested_token_type"); asked != "" && asked != accessTokenType && asked != jwtTokenType {
		return outcome{}, refuse(http.StatusBadRequest, "invalid_request", "Unsupported requested token type : %s", asked)
	}
	// Identity Server reads a subject token as a JWT, whatever type it is said to have.
	claims, refused := s.assertion(form.Get("subject_token"))
	if refused != nil {
		return outcome{}, refused
	}
	subject, _ := claims["sub"].(string)
	u, ok := s.opts.Users.Find(subject)
	if !ok {
		u = User{Subject: subject, Name: subject, Tenant: "carbon.super"} // a federated user who has no account here
	}
	done, refused := s.issue(c, &u, strings.Fields(form.Get("scope")))
	done.issuedType = accessTokenType
	return done, refused
}

// A samlAssertion is what bySAML reads of one.
type samlAssertion struct {
	XMLName xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:assertion Assertion"`
	Issuer  string   `xml:"Issuer"`
	Subject struct {
		NameID string `xml:"NameID"`
	} `xml:"Subject"`
	Conditions struct {
		NotBefore    string   `xml:"NotBefore,attr"`
		NotOnOrAfter string   `xml:"NotOnOrAfter,attr"`
		Audiences    []string `xml:"AudienceRestriction>Audience"`
	} `xml:"Conditions"`
}

// bySAML takes a base64url assertion. Form, time and audience are checked; its XML signature is not, because no identity provider's certificate
// can be registered here.
func (s *Server) bySAML(c Client, form url.Values) (outcome, *refusal) {
	a, err := parseSAML(form.Get("assertion"))
	if err != nil {
		return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "Error while parsing the SAML2 assertion: %v", err)
	}
	now := s.opts.Now()
	if until, err := time.Parse(time.RFC3339, a.Conditions.NotOnOrAfter); err != nil || !until.After(now) {
		return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "SAML2 assertion has expired or has no NotOnOrAfter condition")
	}
	if from, err := time.Parse(time.RFC3339, a.Conditions.NotBefore); err == nil && from.After(now.Add(time.Minute)) {
		return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "SAML2 assertion is not valid yet")
	}
	if !slices.Contains(a.Conditions.Audiences, s.opts.Issuer) {
		return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "SAML Assertion Audience Restriction validation failed")
	}
	u, ok := s.opts.Users.Find(strings.TrimSpace(a.Subject.NameID))
	if !ok {
		return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "User not found: %s", a.Subject.NameID)
	}
	return s.issue(c, &u, strings.Fields(form.Get("scope")))
}

func parseSAML(text string) (samlAssertion, error) {
	var a samlAssertion
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		if raw, err = base64.StdEncoding.DecodeString(text); err != nil {
			return a, errors.New("not base64url")
		}
	}
	if err := xml.Unmarshal(raw, &a); err != nil {
		return a, errors.New("not a SAML 2.0 assertion")
	}
	if strings.TrimSpace(a.Issuer) == "" || strings.TrimSpace(a.Subject.NameID) == "" {
		return a, errors.New("no issuer or no subject")
	}
	return a, nil
}
