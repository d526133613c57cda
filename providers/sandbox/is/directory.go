package is

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// primary is the user store that names need no prefix for.
const primary = "PRIMARY"

// A user is one account. Its memberships are kept on both sides.
type user struct {
	id, store, name   string
	password          secret
	endTokens         bool           // the password was changed, and tokens have not ended yet
	attributes        map[string]any // by SCIM name, in the form of schema.go
	created, modified time.Time
	groups            map[string]*group // by id
	roles             map[string]*role  // given to the user itself, by id

	document atomic.Pointer[document] // nil when something that it shows has changed
}

// A document is a user as SCIM shows it in lists, kept because lists are read far more often than users change.
type document struct {
	body    []byte
	version uint64 // of the directory
}

// touch forgets the document.
func (u *user) touch() { u.document.Store(nil) }

func (u *user) userName() string {
	if u.store == primary {
		return u.name
	}
	return u.store + "/" + u.name
}

// allRoles are the roles of a user, its own and its groups', by name; the role everyone is first.
func (u *user) allRoles(d *directory) []*role {
	if len(u.groups) == 0 && len(u.roles) == 0 {
		if d.everyone == nil {
			return nil
		}
		return []*role{d.everyone}
	}
	set := maps.Clone(u.roles)
	if set == nil {
		set = map[string]*role{}
	}
	for _, g := range u.groups {
		maps.Copy(set, g.roles)
	}
	all := slices.SortedFunc(maps.Values(set), compareRoles)
	if d.everyone != nil {
		all = slices.Insert(all, 0, d.everyone)
	}
	return all
}

// A group is a set of users of one store.
type group struct {
	id, store, name   string
	created, modified time.Time
	members           map[string]*user
	order             []string // of members, as they were added
	roles             map[string]*role
}

func (g *group) display() string {
	if g.store == primary {
		return g.name
	}
	return g.store + "/" + g.name
}

// qualified is the name with its store, as roles and messages show it.
func (g *group) qualified() string { return g.store + "/" + g.name }

// A role is a set of permissions (scopes), and of the users and groups that hold them.
type role struct {
	id, name      string
	audience      string // organization, application
	audienceID    string
	audienceName  string
	permissions   []string // in the order in which they were given
	users         map[string]*user
	userOrder     []string
	groups        map[string]*group
	groupOrder    []string
	system        bool // made by the server
	allUsers      bool // everyone: holds all users without listing them
	number        uint64
	v1Permissions []string // permission paths that the v1 endpoint was given
}

// isAdmin says whether a role carries every scope.
func (r *role) isAdmin() bool { return r.system && r.name == "admin" && r.audience == "organization" }

func compareRoles(a, b *role) int {
	return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.audience, b.audience), strings.Compare(a.id, b.id))
}

// key is what makes a role unique (is-behaviour 5).
func (r *role) key() string { return roleKey(r.audience, r.audienceID, r.name) }

func roleKey(audience, id, name string) string {
	return audience + "\x00" + id + "\x00" + strings.ToLower(name)
}

// A directory holds users, groups and roles. Its server's lock guards it.
type directory struct {
	stores   []string // PRIMARY first
	users    map[string]*user
	byStore  map[string][]*user // sorted by name, the letter case ignored
	groups   map[string]*group
	roles    map[string]*role
	names    map[string]*user  // by store and name in lower case
	groupsBy map[string]*group // the same
	rolesBy  map[string]*role  // by role.key
	everyone *role

	// version changes when something that users' documents show of other objects (a group's or role's name) changes.
	version uint64
	numbers uint64
	ordered []*group // newest first
	listed  []*role  // oldest first
}

func newDirectory(secondary []string) directory {
	return directory{
		stores: append([]string{primary}, secondary...),
		users:  map[string]*user{}, byStore: map[string][]*user{}, groups: map[string]*group{}, roles: map[string]*role{},
		names: map[string]*user{}, groupsBy: map[string]*group{}, rolesBy: map[string]*role{}, version: 1,
	}
}

// split separates the store of a name. The store is in upper case; ok is false for one that does not exist.
func (d *directory) split(name string) (store, rest string, ok bool) {
	prefix, rest, found := strings.Cut(name, "/")
	if !found {
		return primary, name, true
	}
	store = strings.ToUpper(prefix)
	return store, rest, slices.Contains(d.stores, store)
}

func nameKey(store, name string) string { return store + "/" + strings.ToLower(name) }

// userNamed finds a user by a name that may carry its store.
func (d *directory) userNamed(name string) *user {
	store, rest, ok := d.split(name)
	if !ok {
		return nil
	}
	return d.names[nameKey(store, rest)]
}

func compareNames(u *user, name string) int { return strings.Compare(strings.ToLower(u.name), name) }

func (d *directory) addUser(u *user) {
	d.users[u.id] = u
	d.names[nameKey(u.store, u.name)] = u
	list := d.byStore[u.store]
	at, _ := slices.BinarySearchFunc(list, strings.ToLower(u.name), compareNames)
	d.byStore[u.store] = slices.Insert(list, at, u)
}

func (d *directory) removeUser(u *user) {
	for _, g := range u.groups {
		g.remove(u)
	}
	for _, r := range u.roles {
		r.removeUser(u)
	}
	delete(d.users, u.id)
	delete(d.names, nameKey(u.store, u.name))
	list := d.byStore[u.store]
	if at, ok := slices.BinarySearchFunc(list, strings.ToLower(u.name), compareNames); ok {
		d.byStore[u.store] = slices.Delete(list, at, at+1)
	}
}

func (d *directory) addGroup(g *group) {
	d.groups[g.id] = g
	d.groupsBy[nameKey(g.store, g.name)] = g
	d.ordered = append(d.ordered, g)
}

func (d *directory) removeGroup(g *group) {
	for _, u := range g.members {
		delete(u.groups, g.id)
		u.touch()
	}
	for _, r := range g.roles {
		r.removeGroup(g)
	}
	delete(d.groups, g.id)
	delete(d.groupsBy, nameKey(g.store, g.name))
	d.ordered = slices.DeleteFunc(d.ordered, func(other *group) bool { return other == g })
}

func (d *directory) renameGroup(g *group, name string) {
	delete(d.groupsBy, nameKey(g.store, g.name))
	g.name = name
	d.groupsBy[nameKey(g.store, g.name)] = g
	d.version++
}

func (d *directory) addRole(r *role) {
	d.numbers++
	r.number = d.numbers
	d.roles[r.id] = r
	d.rolesBy[r.key()] = r
	d.listed = append(d.listed, r)
	if r.allUsers {
		d.everyone = r
		d.version++
	}
}

func (d *directory) removeRole(r *role) {
	for _, u := range r.users {
		delete(u.roles, r.id)
		u.touch()
	}
	if len(r.groups) > 0 {
		for _, g := range r.groups {
			delete(g.roles, r.id)
		}
		d.version++
	}
	delete(d.roles, r.id)
	delete(d.rolesBy, r.key())
	d.listed = slices.DeleteFunc(d.listed, func(other *role) bool { return other == r })
}

func (d *directory) renameRole(r *role, name string) {
	delete(d.rolesBy, r.key())
	r.name = name
	d.rolesBy[r.key()] = r
	d.version++
}

func (g *group) add(u *user) {
	if _, ok := g.members[u.id]; ok {
		return
	}
	put(&g.members, u.id, u)
	put(&u.groups, g.id, g)
	g.order = append(g.order, u.id)
	u.touch()
}

func (g *group) remove(u *user) {
	if _, ok := g.members[u.id]; !ok {
		return
	}
	delete(g.members, u.id)
	delete(u.groups, g.id)
	g.order = slices.DeleteFunc(g.order, func(id string) bool { return id == u.id })
	u.touch()
}

func (r *role) addUser(u *user) {
	if _, ok := r.users[u.id]; ok {
		return
	}
	put(&r.users, u.id, u)
	put(&u.roles, r.id, r)
	r.userOrder = append(r.userOrder, u.id)
	u.touch()
}

func (r *role) removeUser(u *user) {
	if _, ok := r.users[u.id]; !ok {
		return
	}
	delete(r.users, u.id)
	delete(u.roles, r.id)
	r.userOrder = slices.DeleteFunc(r.userOrder, func(id string) bool { return id == u.id })
	u.touch()
}

func (r *role) addGroup(g *group) {
	if _, ok := r.groups[g.id]; ok {
		return
	}
	put(&r.groups, g.id, g)
	put(&g.roles, r.id, r)
	r.groupOrder = append(r.groupOrder, g.id)
	g.touch()
}

func (r *role) removeGroup(g *group) {
	if _, ok := r.groups[g.id]; !ok {
		return
	}
	delete(r.groups, g.id)
	delete(g.roles, r.id)
	r.groupOrder = slices.DeleteFunc(r.groupOrder, func(id string) bool { return id == g.id })
	g.touch()
}

// touch forgets the documents of a group's members, which show the roles of the group.
func (g *group) touch() {
	for _, u := range g.members {
		u.touch()
	}
}

func put[V any](m *map[string]V, key string, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = value
}
