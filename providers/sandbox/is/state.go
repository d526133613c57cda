package is

import (
	"errors"
	"maps"
	"slices"
	"time"

	"wso2plan/providers/sandbox/oauth"
)

// A State is a server's contents, to be kept between runs as JSON. Tokens are not part of it; the key that signs them is the caller's to keep.
type State struct {
	Users        []UserState
	Groups       []GroupState
	Roles        []RoleState
	Applications []ApplicationState
	APIs         []APIState
	Clients      []oauth.Client
	Scopes       []ScopeState // of the older scopes API
}

// UserState is one user.
type UserState struct {
	ID, Store, Name   string
	Salt, Hash        []byte
	Attributes        map[string]any
	Created, Modified time.Time
}

// GroupState is one group with the ids of its members.
type GroupState struct {
	ID, Store, Name   string
	Members           []string
	Created, Modified time.Time
}

// RoleState is one role with the ids of its members.
type RoleState struct {
	ID, Name, Audience, AudienceID, AudienceName string
	Permissions, V1Permissions, Users, Groups    []string
	System, AllUsers                             bool
}

// ApplicationState is one application.
type ApplicationState struct {
	ID, Name, Description, Client, Owner, AllowedAudience string
	System, ThirdParty                                    bool
	Created                                               time.Time
	APIs                                                  []AuthorizedState
	Roles, Origins                                        []string `json:",omitempty"`
	More                                                  map[string]any
}

// AuthorizedState is an API resource that an application is authorised for.
type AuthorizedState struct {
	API, Policy string
	Scopes      []string
	Details     []string `json:",omitempty"` // types of authorization details
}

// APIState is one API resource.
type APIState struct {
	ID, Name, Identifier, Description, Kind string
	Authorize                               bool
	Scopes                                  []ScopeState
	Details                                 []DetailsState `json:",omitempty"`
}

// DetailsState is one type of authorization details.
type DetailsState struct {
	ID, Type, Name, Description string
	Schema                      any
}

// ScopeState is one scope. Bindings are roles by type, of the older API alone.
type ScopeState struct {
	ID, Name, DisplayName, Description string
	Bindings                           map[string][]string `json:",omitempty"`
}

// State returns the contents. The result shares nothing that the server changes later.
func (s *Server) State() State {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var st State
	for _, store := range s.dir.stores {
		for _, u := range s.dir.byStore[store] {
			st.Users = append(st.Users, UserState{u.id, u.store, u.name, u.password.Salt, u.password.Hash, cloneAttributes(u.attributes), u.created, u.modified})
		}
	}
	for _, g := range s.dir.ordered {
		st.Groups = append(st.Groups, GroupState{g.id, g.store, g.name, append([]string(nil), g.order...), g.created, g.modified})
	}
	for _, r := range s.dir.listed {
		st.Roles = append(st.Roles, RoleState{
			ID: r.id, Name: r.name, Audience: r.audience, AudienceID: r.audienceID, AudienceName: r.audienceName, System: r.system, AllUsers: r.allUsers,
			Permissions: append([]string(nil), r.permissions...), V1Permissions: append([]string(nil), r.v1Permissions...),
			Users: append([]string(nil), r.userOrder...), Groups: append([]string(nil), r.groupOrder...),
		})
	}
	for _, a := range s.app.order {
		kept := ApplicationState{ID: a.id, Name: a.name, Description: a.description, Client: a.client, Owner: a.owner, AllowedAudience: a.allowedAudience,
			System: a.system, ThirdParty: a.thirdParty, Created: a.created, More: cloneAttributes(a.more),
			Roles: append([]string(nil), a.roles...), Origins: append([]string(nil), a.origins...)}
		for _, authorized := range a.apis {
			kept.APIs = append(kept.APIs, AuthorizedState{authorized.api, authorized.policy,
				append([]string(nil), authorized.scopes...), append([]string(nil), authorized.details...)})
		}
		st.Applications = append(st.Applications, kept)
	}
	for _, a := range s.api.order {
		kept := APIState{ID: a.id, Name: a.name, Identifier: a.identifier, Description: a.description, Kind: a.kind, Authorize: a.authorize}
		for _, d := range a.details {
			kept.Details = append(kept.Details, DetailsState{d.id, d.kind, d.name, d.description, d.schema})
		}
		for _, scope := range a.scopes {
			kept.Scopes = append(kept.Scopes, ScopeState{ID: scope.id, Name: scope.name, DisplayName: scope.displayName, Description: scope.description})
		}
		st.APIs = append(st.APIs, kept)
	}
	for _, o := range s.oauthScopes {
		kept := ScopeState{Name: o.Name, DisplayName: o.DisplayName, Description: o.Description, Bindings: map[string][]string{}}
		for _, b := range o.ScopeBinds {
			kept.Bindings[b.Type] = append(kept.Bindings[b.Type], b.Values...)
		}
		st.Scopes = append(st.Scopes, kept)
	}
	st.Clients = s.tokens.Clients()
	return st
}

// Load replaces the contents by what an earlier run kept. Call it before serving. A state whose parts do not fit together is an error.
func (s *Server) Load(st State) error {
	dir, api, app := newDirectory(s.opts.Stores), newAPIs(), newApplications()
	for _, u := range st.Users {
		if u.Attributes == nil {
			u.Attributes = map[string]any{}
		}
		dir.addUser(&user{id: u.ID, store: u.Store, name: u.Name, password: secret{u.Salt, u.Hash}, attributes: u.Attributes, created: u.Created, modified: u.Modified})
	}
	for _, g := range st.Groups {
		made := &group{id: g.ID, store: g.Store, name: g.Name, created: g.Created, modified: g.Modified}
		dir.addGroup(made)
		for _, id := range g.Members {
			if dir.users[id] == nil {
				return errors.New("is: group " + g.Name + " has a member that is no user: " + id)
			}
			made.add(dir.users[id])
		}
	}
	for _, r := range st.Roles {
		made := &role{id: r.ID, name: r.Name, audience: r.Audience, audienceID: r.AudienceID, audienceName: r.AudienceName, permissions: r.Permissions,
			v1Permissions: r.V1Permissions, system: r.System, allUsers: r.AllUsers}
		dir.addRole(made)
		for _, id := range r.Users {
			if dir.users[id] == nil {
				return errors.New("is: role " + r.Name + " has a user that does not exist: " + id)
			}
			made.addUser(dir.users[id])
		}
		for _, id := range r.Groups {
			if dir.groups[id] == nil {
				return errors.New("is: role " + r.Name + " has a group that does not exist: " + id)
			}
			made.addGroup(dir.groups[id])
		}
	}
	for _, a := range st.APIs {
		made := &apiResource{id: a.ID, name: a.Name, identifier: a.Identifier, description: a.Description, kind: a.Kind, authorize: a.Authorize}
		for _, sc := range a.Scopes {
			made.scopes = append(made.scopes, &scope{id: sc.ID, name: sc.Name, displayName: sc.DisplayName, description: sc.Description})
		}
		for _, d := range a.Details {
			made.details = append(made.details, &detailsType{d.ID, d.Type, d.Name, d.Description, d.Schema})
		}
		api.add(made)
	}
	for _, a := range st.Applications {
		made := &application{id: a.ID, name: a.Name, description: a.Description, client: a.Client, owner: a.Owner, allowedAudience: a.AllowedAudience,
			system: a.System, thirdParty: a.ThirdParty, created: a.Created, more: a.More, roles: a.Roles, origins: a.Origins}
		for _, authorized := range a.APIs {
			made.apis = append(made.apis, &authorizedAPI{authorized.API, authorized.Policy, authorized.Scopes, authorized.Details})
		}
		app.add(made)
	}
	var scopes []oauthScope
	for _, o := range st.Scopes {
		made := oauthScope{Name: o.Name, DisplayName: o.DisplayName, Description: o.Description}
		for _, kind := range slices.Sorted(maps.Keys(o.Bindings)) {
			made.ScopeBinds = append(made.ScopeBinds, scopeBinding{kind, o.Bindings[kind]})
		}
		scopes = append(scopes, made.normal())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dir, s.api, s.app, s.oauthScopes = dir, api, app, scopes
	s.tokens.Load(st.Clients)
	return nil
}
