package oauth

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A Token is an access token that was issued.
type Token struct {
	Text    string
	Client  string
	User    *User // nil when the application acts for itself
	Scopes  []string
	Issued  time.Time
	Expires time.Time
	JWT     bool

	refresh        string
	refreshExpires time.Time
}

func (s *Server) prepareKey() error {
	public := jose.JSONWebKey{Key: s.key.Public(), Algorithm: string(jose.RS256), Use: "sig"}
	print, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return err
	}
	s.keyID = base64.RawURLEncoding.EncodeToString(print)
	public.KeyID = s.keyID
	s.keySet = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}}
	options := (&jose.SignerOptions{}).WithHeader("kid", s.keyID).WithType("at+jwt")
	s.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: s.key}, options)
	return err
}

func (s *Server) sign(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := s.signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Issue makes an access token for a client, on behalf of a user or (nil) of itself, with those of the scopes asked for that it may have.
// seconds overrides the client's lifetime when positive. withRefresh adds a refresh token.
func (s *Server) Issue(c Client, u *User, asked []string, seconds int64, withRefresh bool) (Token, error) {
	granted := s.grantable(c, u, asked)
	now := s.opts.Now()
	lifetime := seconds
	if lifetime <= 0 {
		lifetime = c.ApplicationLifetime
		if u != nil {
			lifetime = c.UserLifetime
		}
	}
	key := c.ID + "\x00" + strings.Join(granted, " ")
	if u != nil {
		key += "\x00" + u.Subject
	}
	if !c.JWT && seconds <= 0 {
		// An opaque token is issued again until it expires (is-behaviour 22).
		s.mu.Lock()
		old := s.current[key]
		if old != nil && s.tokens[old.Text] == old && old.Expires.After(now) && (!withRefresh || old.refresh != "") {
			again := *old
			s.mu.Unlock()
			return again, nil
		}
		s.mu.Unlock()
	}
	t := &Token{Text: NewID(), Client: c.ID, User: u, Scopes: granted, JWT: c.JWT, Issued: now, Expires: now.Add(time.Duration(lifetime) * time.Second)}
	if c.JWT {
		var err error
		if t.Text, err = s.sign(s.claims(c, t)); err != nil {
			return Token{}, err
		}
	}
	if withRefresh {
		t.refresh, t.refreshExpires = NewID(), now.Add(time.Duration(c.RefreshLifetime)*time.Second)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[t.Text] = t
	if t.refresh != "" {
		s.refresh[t.refresh] = t
	}
	if !c.JWT && seconds <= 0 {
		s.current[key] = t
	}
	s.forgetExpired(now)
	return *t, nil
}

func (s *Server) claims(c Client, t *Token) map[string]any {
	claims := map[string]any{
		"sub": c.ID, "aut": "APPLICATION", "iss": s.opts.Issuer, "client_id": c.ID, "aud": c.ID, "azp": c.ID, "jti": NewID(),
		"nbf": t.Issued.Unix(), "iat": t.Issued.Unix(), "exp": t.Expires.Unix(),
	}
	if len(t.Scopes) > 0 {
		claims["scope"] = strings.Join(t.Scopes, " ")
	}
	if t.User != nil {
		claims["sub"], claims["aut"] = t.User.Subject, "APPLICATION_USER"
	}
	if s.opts.Claims != nil {
		maps.Copy(claims, s.opts.Claims(c, t.User))
	}
	return claims
}

func (s *Server) grantable(c Client, u *User, asked []string) []string {
	asked = slices.Compact(slices.Sorted(slices.Values(asked)))
	if s.opts.Scopes != nil {
		granted := s.opts.Scopes(c, u, asked)
		slices.Sort(granted)
		return slices.Compact(granted)
	}
	if u != nil && slices.Contains(asked, "openid") {
		return []string{"openid"}
	}
	return nil
}

// forgetExpired keeps the tables from growing for ever. The caller holds the lock.
func (s *Server) forgetExpired(now time.Time) {
	if now.Sub(s.sweep) < time.Minute {
		return
	}
	s.sweep = now
	for text, t := range s.tokens {
		if t.Expires.Before(now) && (t.refresh == "" || t.refreshExpires.Before(now)) {
			delete(s.tokens, text)
			delete(s.refresh, t.refresh)
		}
	}
	for key, t := range s.current {
		if t.Expires.Before(now) {
			delete(s.current, key)
		}
	}
	for text, c := range s.codes {
		if c.expires.Before(now) {
			delete(s.codes, text)
		}
	}
	for text, d := range s.pending {
		if d.expires.Before(now) {
			delete(s.pending, text)
		}
	}
}

// endTokens removes the tokens of a client. The caller holds the lock.
func (s *Server) endTokens(client string) {
	for text, t := range s.tokens {
		if t.Client == client {
			s.drop(text, t)
		}
	}
	for key, t := range s.current {
		if t.Client == client {
			delete(s.current, key)
		}
	}
}

// drop ends one token and its refresh token. The caller holds the lock.
func (s *Server) drop(text string, t *Token) {
	delete(s.tokens, text)
	if t.refresh != "" {
		delete(s.refresh, t.refresh)
	}
}

// EndUser ends the tokens of a user who was deleted, locked or given another password.
func (s *Server) EndUser(subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for text, t := range s.tokens {
		if t.User != nil && t.User.Subject == subject {
			s.drop(text, t)
		}
	}
}

// Verify returns the live access token of that text. A JWT of an earlier run with the same key is good too, as long as its client exists.
func (s *Server) Verify(text string) (Token, bool) {
	now := s.opts.Now()
	s.mu.Lock()
	t, ok := s.tokens[text]
	s.mu.Unlock()
	if ok {
		return *t, t.Expires.After(now)
	}
	if strings.Count(text, ".") != 2 {
		return Token{}, false
	}
	claims, err := s.verifyOwn(text)
	if err != nil {
		return Token{}, false
	}
	client, _ := claims["client_id"].(string)
	issued, _ := claims["iat"].(float64)
	expires, _ := claims["exp"].(float64)
	if _, err := s.Client(client); err != nil || issued >= float64(s.begun.Unix()) {
		return Token{}, false // issued in this run and not in the table: revoked
	}
	old := Token{Text: text, Client: client, JWT: true, Issued: time.Unix(int64(issued), 0), Expires: time.Unix(int64(expires), 0)}
	if scope, _ := claims["scope"].(string); scope != "" {
		old.Scopes = strings.Fields(scope)
	}
	if claims["aut"] == "APPLICATION_USER" {
		subject, _ := claims["sub"].(string)
		u, ok := s.opts.Users.Find(subject)
		if !ok {
			return Token{}, false
		}
		old.User = &u
	}
	return old, old.Expires.After(now)
}

var errAssertion = errors.New("assertion is not valid")

// verifyOwn checks the signature of a JWT against the server's own key, and its time.
func (s *Server) verifyOwn(text string) (map[string]any, error) {
	return verify(text, &s.keySet, s.opts.Now())
}

func verify(text string, keys *jose.JSONWebKeySet, now time.Time) (map[string]any, error) {
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.ES256})
	if err != nil {
		return nil, errAssertion
	}
	payload, err := signed.Verify(keys)
	if err != nil {
		return nil, errAssertion
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, errAssertion
	}
	if exp, ok := claims["exp"].(float64); !ok || int64(exp) <= now.Unix() {
		return nil, errAssertion
	}
	if nbf, ok := claims["nbf"].(float64); ok && int64(nbf) > now.Unix()+60 {
		return nil, errAssertion
	}
	return claims, nil
}

// unverified reads the claims of a JWT without looking at its signature: to learn whose it is.
func unverified(text string) (map[string]any, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, false
	}
	var claims map[string]any
	return claims, json.Unmarshal(payload, &claims) == nil
}

// idToken makes the id token that goes with an access token.
func (s *Server) idToken(c Client, t Token, nonce string) (string, error) {
	now := s.opts.Now()
	half := sha256.Sum256([]byte(t.Text))
	claims := map[string]any{
		"iss": s.opts.Issuer, "sub": t.User.Subject, "aud": []string{c.ID}, "azp": c.ID, "amr": []string{"BasicAuthenticator"},
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Unix() + c.IDLifetime, "jti": NewID(),
		"at_hash": base64.RawURLEncoding.EncodeToString(half[:16]),
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	for name, value := range s.userClaims(t) {
		claims[name] = value
	}
	return s.sign(claims)
}

// userClaims picks the claims that the scopes of a token open (OpenID Connect Core 5.4).
func (s *Server) userClaims(t Token) map[string]any {
	byScope := map[string][]string{
		"profile": {"username", "given_name", "family_name", "name", "nickname", "preferred_username"},
		"email":   {"email"}, "phone": {"phone_number"}, "groups": {"groups"}, "roles": {"roles"},
	}
	claims := map[string]any{}
	for _, scope := range t.Scopes {
		for _, name := range byScope[scope] {
			if value, ok := t.User.Claims[name]; ok {
				claims[name] = value
			}
		}
	}
	return claims
}
