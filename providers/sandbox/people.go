package sandbox

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"wso2plan/providers/sandbox/apim"
	"wso2plan/providers/sandbox/oauth"
)

// superTenant is the tenant of users without a domain.
const superTenant = "carbon.super"

// people are API Manager's users, by name: "admin", "ann@acme.com". They do not change.
type people map[string]User

// newPeople adds users to the administrator.
func newPeople(users []User) (people, error) {
	all := people{"admin": {Name: "admin", Password: "admin", Roles: freshRoles}} // [seen]: the roles that a server makes are its administrator's
	for _, u := range users {
		name := strings.TrimSuffix(u.Name, "@"+superTenant)
		if name == "" || u.Password == "" {
			return nil, fmt.Errorf("user %q needs a name and a password", u.Name)
		}
		if len(u.Roles) == 0 {
			u.Roles = []string{"Internal/everyone", "Internal/subscriber", "Internal/creator", "Internal/publisher"}
		}
		u.Name = name
		all[name] = u
	}
	return all, nil
}

// split tells a user's name within its tenant and the tenant.
func split(name string) (user, tenant string) {
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		return name[:at], name[at+1:]
	}
	return name, superTenant
}

// Find implements oauth.Users.
func (p people) Find(subject string) (oauth.User, bool) {
	u, ok := p[strings.TrimSuffix(subject, "@"+superTenant)]
	if !ok {
		return oauth.User{}, false
	}
	_, tenant := split(u.Name)
	return oauth.User{Subject: u.Name, Name: u.Name, Tenant: tenant, Claims: map[string]any{"username": u.Name, "groups": u.Roles, "roles": u.Roles}}, true
}

// exists tells whether there is a user.
func (p people) exists(name string) bool {
	_, ok := p.Find(name)
	return ok
}

// Login implements oauth.Users.
func (p people) Login(name, password string) (oauth.User, bool) {
	u, ok := p[strings.TrimSuffix(name, "@"+superTenant)]
	if !ok || subtle.ConstantTimeCompare([]byte(u.Password), []byte(password)) != 1 {
		return oauth.User{}, false
	}
	return p.Find(u.Name)
}

// granted gives a token the scopes that its user may have, or the owner of a client that acts for itself (apim-behaviour 1). A token without any
// has the scope default.
func (p people) granted(c oauth.Client, u *oauth.User, asked []string) []string {
	name := c.Owner
	if u != nil {
		name = u.Subject
	}
	roles := p[strings.TrimSuffix(name, "@"+superTenant)].Roles
	var all []string
	for _, scope := range asked {
		switch {
		case scope == "openid":
			if u != nil {
				all = append(all, scope)
			}
		case strings.HasPrefix(scope, "apim:"):
			if apim.MayHave(roles, scope) {
				all = append(all, scope)
			}
		default:
			all = append(all, scope) // bound to no role here
		}
	}
	if len(all) == 0 {
		all = []string{"default"}
	}
	return all
}

// authenticate tells API Manager who sends a request.
func (p people) authenticate(tokens *oauth.Server) func(*http.Request) (apim.Principal, bool) {
	return func(r *http.Request) (apim.Principal, bool) {
		who, ok := tokens.Authenticate(r)
		if !ok {
			return apim.Principal{}, false
		}
		name := ""
		if who.User != nil {
			name = who.User.Name
		} else if c, err := tokens.Client(who.Client); err == nil {
			name = c.Owner // a token without a user acts as the owner of its application
		}
		user, tenant := split(strings.TrimSuffix(name, "@"+superTenant))
		principal := apim.Principal{User: user, Tenant: tenant, Scopes: who.Scopes}
		if who.Basic {
			roles := p[name].Roles
			principal.All = slices.Contains(roles, "admin")
			principal.Scopes = apim.ScopesOf(roles)
		}
		return principal, true
	}
}

// freshRoles are those of API Manager's user store in a fresh pack.
var freshRoles = []string{
	"admin", "Internal/everyone", "Internal/creator", "Internal/publisher", "Internal/subscriber", "Internal/devops", "Internal/analytics",
	"Internal/integration_dev", "Internal/system",
}

func roleExists(more []string) func(tenant, role string) bool {
	all := slices.Concat(freshRoles, more)
	return func(_, role string) bool {
		role = strings.TrimPrefix(role, "PRIMARY/")
		return slices.ContainsFunc(all, func(known string) bool { return strings.EqualFold(known, role) })
	}
}

// organization is that of all users of a tenant, which identity providers call by its domain.
func organization(p apim.Principal) (id, name string) { return p.Tenant, p.Tenant }
