package is

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"wso2plan/providers/sandbox/oauth"
)

func newID() string { return oauth.NewID() }

// A caller is who makes a request.
type caller struct {
	name string // of the user, or of the application's owner: "admin"
}

// authorize says whether a request may be made: 401 without good credentials, 403 without the scope (is-behaviour 1.6). Of scopes that are
// separated by "|" one is enough.
func (s *Server) authorize(r *http.Request, scope string) (caller, int) {
	p, ok := s.tokens.Authenticate(r)
	if !ok {
		return caller{}, http.StatusUnauthorized
	}
	who := caller{name: "admin"}
	switch {
	case p.User != nil:
		who.name = p.User.Name
	default:
		if c, err := s.tokens.Client(p.Client); err == nil {
			who.name = c.Owner
		}
	}
	if p.Basic {
		for scope := range strings.SplitSeq(scope, "|") {
			if s.userMay(p.User.Subject, scope) {
				return who, http.StatusOK
			}
		}
		return who, http.StatusForbidden
	}
	for scope := range strings.SplitSeq(scope, "|") {
		if slices.Contains(p.Scopes, scope) || scope == "internal_login" && p.User != nil {
			return who, http.StatusOK
		}
	}
	return who, http.StatusForbidden
}

// userMay says whether a user's organization roles carry a scope. The admin role carries them all.
func (s *Server) userMay(id, scope string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.dir.users[id]
	if u == nil {
		return false
	}
	for _, r := range u.allRoles(&s.dir) {
		if r.isAdmin() || slices.Contains(r.permissions, scope) || scope == "internal_login" {
			return true
		}
	}
	return false
}

func (s *Server) mayIntrospect(r *http.Request) int {
	_, status := s.authorize(r, "internal_application_mgt_view")
	return status
}

// oidcScopes are granted for the asking in user grants.
var oidcScopes = []string{"openid", "profile", "email", "phone", "address", "groups", "roles"}

// grantedScopes says which scopes a token gets: those authorised to the application, and for a user those that the user's roles hold too
// (is-behaviour 2). "SYSTEM" asks for all of them. What else is asked for is dropped without a word.
func (s *Server) grantedScopes(c oauth.Client, u *oauth.User, asked []string) []string {
	s.mu.RLock()
	app := s.app.byClient(c.ID)
	var authorized, open []string
	if app != nil {
		for _, a := range app.apis {
			authorized = append(authorized, a.scopes...)
		}
	}
	for _, scope := range asked {
		if s.opts.AuthorizeAllScopes && s.api.scopes[scope] != nil && !strings.HasPrefix(scope, "internal_") {
			open = append(open, scope)
		}
	}
	s.mu.RUnlock()
	if slices.Contains(asked, "SYSTEM") {
		asked = append(slices.Clone(asked), authorized...)
	}
	var granted []string
	for _, scope := range asked {
		switch {
		case u != nil && slices.Contains(oidcScopes, scope), slices.Contains(open, scope):
			granted = append(granted, scope)
		case !slices.Contains(authorized, scope):
		case u == nil || s.userMay(u.Subject, scope):
			granted = append(granted, scope)
		}
	}
	return granted
}

// logins is the user store as the OAuth2 server sees it.
type logins struct{ s *Server }

// Login implements oauth.Users. A locked or disabled account cannot log in.
func (l logins) Login(name, password string) (oauth.User, bool) {
	l.s.mu.RLock()
	defer l.s.mu.RUnlock()
	u := l.s.dir.userNamed(strings.TrimSuffix(name, "@carbon.super"))
	if u == nil || !u.password.is(password) || u.flag("accountLocked") || u.flag("accountDisabled") {
		return oauth.User{}, false
	}
	return u.login(&l.s.dir), true
}

// Find implements oauth.Users.
func (l logins) Find(subject string) (oauth.User, bool) {
	l.s.mu.RLock()
	defer l.s.mu.RUnlock()
	u := l.s.dir.users[subject]
	if u == nil {
		u = l.s.dir.userNamed(strings.TrimSuffix(subject, "@carbon.super"))
	}
	if u == nil || u.flag("accountLocked") || u.flag("accountDisabled") {
		return oauth.User{}, false
	}
	return u.login(&l.s.dir), true
}

// flag reads a boolean of urn:scim:wso2:schema.
func (u *user) flag(name string) bool {
	extension, _ := u.attributes[wso2Schema].(map[string]any)
	on, _ := extension[name].(bool)
	return on
}

func (u *user) login(d *directory) oauth.User {
	claims := map[string]any{"username": u.name}
	if name, ok := u.attributes["name"].(map[string]any); ok {
		for claim, member := range map[string]string{"given_name": "givenName", "family_name": "familyName", "name": "formatted"} {
			if value, ok := name[member]; ok {
				claims[claim] = value
			}
		}
	}
	for claim, attribute := range map[string]string{"email": "emails", "phone_number": "phoneNumbers"} {
		values, _ := u.attributes[attribute].(map[string]any)
		for _, kind := range multiValued[attribute] {
			if value, ok := values[kind]; ok {
				claims[claim] = value
				break
			}
		}
	}
	var groups, roles []string
	for _, g := range u.groups {
		groups = append(groups, g.display())
	}
	for _, r := range u.allRoles(d) {
		roles = append(roles, r.name)
	}
	slices.Sort(groups)
	slices.Sort(roles)
	if len(groups) > 0 {
		claims["groups"] = groups
	}
	if len(roles) > 0 {
		claims["roles"] = roles
	}
	return oauth.User{Subject: u.id, Name: u.userName(), Tenant: "carbon.super", Claims: claims}
}

// A secret is a password as it is kept: salted and hashed.
type secret struct{ Salt, Hash []byte }

func newSecret(text string) secret {
	s := secret{Salt: make([]byte, 8)}
	_, _ = rand.Read(s.Salt)
	s.Hash = s.hash(text)
	return s
}

func (s secret) hash(text string) []byte {
	sum := sha256.Sum256(append(slices.Clone(s.Salt), text...))
	return sum[:]
}

func (s secret) is(text string) bool {
	return len(s.Hash) > 0 && subtle.ConstantTimeCompare(s.Hash, s.hash(text)) == 1
}
