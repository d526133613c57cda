package is

import (
	"fmt"
	"time"
)

// packAPIs are the management APIs of a fresh pack and the scopes that open them (is-behaviour 2).
var packAPIs = []struct {
	name, identifier string
	scopes           []string
}{
	{"SCIM2 Users API", "/scim2/Users", scopesOf("internal_user_mgt", "create", "view", "list", "update", "delete")},
	{"SCIM2 Groups API", "/scim2/Groups", scopesOf("internal_group_mgt", "create", "view", "update", "delete")},
	{"SCIM2 Roles API", "/scim2/Roles", scopesOf("internal_role_mgt", "create", "view", "update", "delete")},
	{"SCIM2 Bulk API", "/scim2/Bulk", []string{"internal_bulk_resource_create"}},
	{"Application Management API", "/api/server/v1/applications", scopesOf("internal_application_mgt", "create", "view", "update", "delete")},
	{"Dynamic Client Registration API", "/api/identity/oauth2/dcr/v1.1/register", scopesOf("internal_dcr", "create", "view", "update", "delete")},
	{"Identity Provider Management API", "/api/server/v1/identity-providers", scopesOf("internal_idp", "create", "view", "update", "delete")},
	{"Claim Management API", "/api/server/v1/claim-dialects", scopesOf("internal_claim_meta", "create", "view", "update", "delete")},
	{"User Store Management API", "/api/server/v1/userstores", scopesOf("internal_userstore", "create", "view", "update", "delete")},
	{"API Resource Management API", "/api/server/v1/api-resources", scopesOf("internal_api_resource", "create", "view", "update", "delete")},
	{"Keystore Management API", "/api/server/v1/keystores/certs", scopesOf("internal_keystore", "view", "update")},
	{"Organization Management API", "/api/server/v1/organizations", scopesOf("internal_organization", "create", "view", "update", "delete")},
	{"Email Template Management API", "/api/server/v1/email", scopesOf("internal_email_mgt", "create", "view", "update", "delete")},
	{"Identity Governance API", "/api/server/v1/identity-governance", scopesOf("internal_governance", "view", "update")},
	{"Server Configuration API", "/api/server/v1/configs", scopesOf("internal_config", "create", "view", "update", "delete")},
	{"CORS Origins API", "/api/server/v1/cors/origins", []string{"internal_cors_origins_view"}},
	{"Login", "internal_login", []string{"internal_login"}},
}

func scopesOf(family string, verbs ...string) []string {
	var all []string
	for _, verb := range verbs {
		all = append(all, family+"_"+verb)
	}
	return all
}

// seedPack fills the server with what a fresh pack has: the management APIs, the administrator with group and role, and the system roles and
// applications.
func (s *Server) seedPack() {
	now := s.opts.Now()
	for _, p := range packAPIs {
		a := &apiResource{id: newID(), name: p.name, identifier: p.identifier, kind: "TENANT", authorize: true}
		for _, name := range p.scopes {
			a.scopes = append(a.scopes, &scope{id: newID(), name: name, displayName: name})
		}
		s.api.add(a)
	}
	console := &application{id: newID(), name: "Console", description: "This is the console application.", owner: "admin", system: true, allowedAudience: "APPLICATION", created: now}
	account := &application{id: newID(), name: "My Account", description: "This is the my account application.", owner: "admin", system: true, allowedAudience: "ORGANIZATION", created: now}
	s.app.add(console)
	s.app.add(account)

	admin := &user{id: newID(), store: primary, name: "admin", password: newSecret("admin"), attributes: map[string]any{}, created: now, modified: now}
	s.dir.addUser(admin)
	group := &group{id: newID(), store: primary, name: "admin", created: now, modified: now}
	s.dir.addGroup(group)
	group.add(admin)

	organization := func(name string) *role {
		r := &role{id: newID(), name: name, audience: "organization", audienceID: OrganizationID, audienceName: organizationName, system: true, allUsers: name == "everyone"}
		s.dir.addRole(r)
		return r
	}
	organization("everyone")
	organization("system")
	adminRole := organization("admin")
	adminRole.addUser(admin)
	adminRole.addGroup(group)
	for _, a := range s.api.order {
		for _, scope := range a.scopes {
			adminRole.permissions = append(adminRole.permissions, scope.name)
		}
	}
	administrator := &role{id: newID(), name: "Administrator", audience: "application", audienceID: console.id, audienceName: console.name, system: true}
	s.dir.addRole(administrator)
	administrator.addUser(admin)
}

// Seed adds objects for load: n users (user-00001 …), a hundredth as many groups and roles, and n/100 applications, each user in one group and
// one role.
func (s *Server) Seed(n int) {
	if n <= 0 {
		return
	}
	func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		now := s.opts.Now()
		sets := max(n/100, 1)
		groups, roles := make([]*group, sets), make([]*role, sets)
		for i := range sets {
			groups[i] = &group{id: newID(), store: primary, name: fmt.Sprintf("group-%04d", i+1), created: now, modified: now}
			roles[i] = &role{id: newID(), name: fmt.Sprintf("role-%04d", i+1), audience: "organization", audienceID: OrganizationID, audienceName: organizationName, permissions: []string{"internal_login"}}
			if s.dir.groupsBy[nameKey(primary, groups[i].name)] == nil {
				s.dir.addGroup(groups[i])
			} else {
				groups[i] = s.dir.groupsBy[nameKey(primary, groups[i].name)]
			}
			if old := s.dir.rolesBy[roles[i].key()]; old != nil {
				roles[i] = old
			} else {
				s.dir.addRole(roles[i])
			}
			if name := fmt.Sprintf("application-%04d", i+1); s.app.byName[name] == nil {
				s.app.add(&application{id: newID(), name: name, owner: "admin", allowedAudience: "ORGANIZATION", created: now})
			}
		}
		password := newSecret("Pass@1234")
		for i := range n {
			name := fmt.Sprintf("user-%05d", i+1)
			if s.dir.names[nameKey(primary, name)] != nil {
				continue
			}
			u := &user{id: newID(), store: primary, name: name, password: password, created: now.Add(time.Duration(i) * time.Millisecond), modified: now, attributes: map[string]any{
				"name":   map[string]any{"givenName": fmt.Sprintf("Given %d", i+1), "familyName": fmt.Sprintf("Family %d", i+1)},
				"emails": map[string]any{"": name + "@example.com", "work": name + "@work.example"},
			}}
			s.dir.addUser(u)
			groups[i%sets].add(u)
			roles[i%sets].addUser(u)
		}
	}()
	s.changed()
}
