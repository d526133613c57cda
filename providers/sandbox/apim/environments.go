package apim

import (
	"net/http"
	"slices"
	"strings"
)

var (
	envRead   = []string{"apim:admin", "apim:environment_read"}
	envManage = []string{"apim:admin", "apim:environment_manage"}
)

// environment is the DTO of /environments.
type environment struct {
	ID                    *string               `json:"id"`
	Name                  *string               `json:"name" is:"required,min=1,max=255" pattern:"^[a-zA-Z0-9_-]+$"`
	DisplayName           *string               `json:"displayName" is:"min=1,max=255"`
	Provider              *string               `json:"provider"`
	Type                  *string               `json:"type"`
	GatewayType           *string               `json:"gatewayType"`
	Description           *string               `json:"description" is:"min=0,max=1023"`
	IsReadOnly            *bool                 `json:"isReadOnly"`
	Mode                  *string               `json:"mode" enum:"READ_ONLY,READ_WRITE,WRITE_ONLY"`
	APIDiscoveryWindow    *int64                `json:"apiDiscoveryScheduledWindow"`
	VHosts                []vhost               `json:"vhosts" is:"required,min=1"`
	EndpointURIs          []protocolURI         `json:"endpointURIs"`
	AdditionalProperties  []environmentProperty `json:"additionalProperties"`
	Permissions           *kmPermissions        `json:"permissions"`
	Status                *string               `json:"status"`
	VHost                 *string               `json:"vhost"`
	UniversalGatewayVersn *string               `json:"universalGatewayVersion"`
}

func (e *environment) rowID() string { return text(e.ID) }

type vhost struct {
	Host        *string `json:"host" is:"required,min=1,max=255"`
	HTTPContext *string `json:"httpContext" is:"min=0,max=255" pattern:"^/?([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]*[a-zA-Z0-9])*$"`
	HTTPPort    *int64  `json:"httpPort"`
	HTTPSPort   *int64  `json:"httpsPort"`
	WSPort      *int64  `json:"wsPort"`
	WSHost      *string `json:"wsHost"`
	WSSPort     *int64  `json:"wssPort"`
	WSSHost     *string `json:"wssHost"`
}

type protocolURI struct {
	Protocol    *string `json:"protocol" is:"required"`
	EndpointURI *string `json:"endpointURI" is:"required"`
}

type environmentProperty struct {
	Key   *string `json:"key"`
	Value *string `json:"value"`
}

func environmentRoutes() []route {
	return []route{
		get(admin, "/environments", envRead, listEnvironments),
		post(admin, "/environments", envManage, createEnvironment),
		get(admin, "/environments/{environment}", envManage, readEnvironment),
		put(admin, "/environments/{environment}", envManage, updateEnvironment),
		remove(admin, "/environments/{environment}", envManage, deleteEnvironment),
	}
}

func newEnvironment() *environment {
	return &environment{Type: ptr("hybrid"), GatewayType: ptr("Regular"), Mode: ptr("WRITE_ONLY"), APIDiscoveryWindow: ptr(int64(60)), VHosts: []vhost{},
		EndpointURIs: []protocolURI{}, AdditionalProperties: []environmentProperty{}, IsReadOnly: ptr(false)}
}

// defaultEnvironment is the one of deployment.toml: its id is its name, and it is read-only
// (apim-behaviour 3.4). [seen]: its virtual host is listed twice.
func defaultEnvironment() *environment {
	e := newEnvironment()
	e.ID, e.Name, e.DisplayName, e.Provider = ptr("Default"), ptr("Default"), ptr("Default"), ptr("wso2")
	e.Description = ptr("This is a hybrid gateway that handles both production and sandbox token traffic.")
	e.IsReadOnly, e.APIDiscoveryWindow, e.Status = ptr(true), ptr(int64(0)), ptr("ACTIVE")
	host := vhost{ptr("localhost"), ptr(""), ptr(int64(8280)), ptr(int64(8243)), ptr(int64(9099)), nil, ptr(int64(8099)), nil}
	e.VHosts = []vhost{host, host}
	e.Permissions = &kmPermissions{PermissionType: ptr("PUBLIC"), Roles: []string{}}
	return e
}

// brokenEnvironments tells whether an environment was made without a provider: the server answers
// 500, keeps the row, and trips over it in every later list (apim-behaviour 10).
func (t *tenant) brokenEnvironments() bool {
	return t.Environments.find(func(e *environment) bool { return e.Provider == nil }) != nil
}

func listEnvironments(c *call) *answer {
	if c.tenant.brokenEnvironments() {
		return internal("")
	}
	return all(c.tenant.Environments.values())
}

func environmentNotFound(id string) *answer {
	return refuse(http.StatusNotFound, 900506, "Gateway Environment not found", "Gateway Environment with UUID '"+id+"' not found")
}

func readEnvironment(c *call) *answer {
	e := c.tenant.Environments.get(c.vars["environment"])
	if e == nil {
		return environmentNotFound(c.vars["environment"])
	}
	return ok(e)
}

var gatewayTypes = []string{"Regular", "APK"}

// check refuses what bean validation does not see.
func (e *environment) check(c *call) *answer {
	if e.Mode == nil || e.APIDiscoveryWindow == nil || e.IsReadOnly == nil {
		return internal("") // a null pointer in the server; absent they have defaults
	}
	if e.Permissions != nil && e.Permissions.PermissionType != nil {
		for _, role := range e.Permissions.Roles {
			if !c.server.options.RoleExists(c.tenant.Domain, role) {
				return general()
			}
		}
	}
	return nil
}

// uniqueHosts refuses two virtual hosts of one name.
func (e *environment) uniqueHosts() *answer {
	hosts := map[string]bool{}
	for _, h := range e.VHosts {
		if hosts[*h.Host] {
			return refuse(http.StatusBadRequest, 900509, "Gateway Environment with duplicate virtual hosts",
				"A Gateway Environment cannot exists with duplicate virtual hosts")
		}
		hosts[*h.Host] = true
	}
	return nil
}

// complete fills what the server fills.
func (e *environment) complete() {
	for i := range e.VHosts {
		e.VHosts[i].WSHost, e.VHosts[i].WSSHost = nil, nil // dropped (seen)
	}
	if strings.TrimSpace(text(e.DisplayName)) == "" {
		e.DisplayName = e.Name
	}
	e.EndpointURIs = []protocolURI{} // dropped (seen)
	if e.AdditionalProperties == nil {
		e.AdditionalProperties = []environmentProperty{}
	}
	e.IsReadOnly, e.Status, e.VHost, e.UniversalGatewayVersn = ptr(false), ptr("ACTIVE"), nil, nil
}

func createEnvironment(c *call) *answer {
	e := newEnvironment()
	if a := readBody(c.body, e); a != nil {
		return a
	}
	if !slices.Contains(gatewayTypes, text(e.GatewayType)) {
		return general()
	}
	if a := e.check(c); a != nil {
		return a
	}
	if c.tenant.Environments.find(func(o *environment) bool { return *o.Name == *e.Name }) != nil {
		return refuse(http.StatusBadRequest, 900507, "Gateway Environment already exists", "A Gateway Environment with name '"+*e.Name+"' already exists")
	}
	if a := e.uniqueHosts(); a != nil {
		return a
	}
	e.complete()
	if e.Permissions == nil || e.Permissions.PermissionType == nil {
		e.Permissions = &kmPermissions{PermissionType: ptr("PUBLIC"), Roles: []string{}}
	}
	e.ID = ptr(newID())
	stored := e.stored(c.tenant)
	if *e.Mode == "WRITE_ONLY" {
		stored.APIDiscoveryWindow = ptr(int64(0)) // there is nothing to discover; an update stores it (seen)
	}
	if slices.ContainsFunc(e.VHosts, vhost.portless) {
		// The row of the environment is there, those of its hosts are not (seen).
		stored.VHosts = []vhost{}
		c.tenant.Environments.add(stored)
		return general()
	}
	c.tenant.Environments.add(stored)
	if e.Provider == nil {
		return internal("")
	}
	return created(admin.location+"/environments/"+*e.ID, e)
}

// portless tells that a port was not sent, which the server's statement cannot store (seen).
func (h vhost) portless() bool {
	return h.HTTPPort == nil || h.HTTPSPort == nil || h.WSPort == nil || h.WSSPort == nil
}

// stored is an environment as it is read back, which differs from the answer to a write (seen): no property is null, the tenant is one, and a host has
// a context.
func (e *environment) stored(t *tenant) *environment {
	out := *e
	out.VHosts = slices.Clone(e.VHosts)
	for i := range out.VHosts {
		if h := &out.VHosts[i]; h.HTTPContext == nil {
			h.HTTPContext = ptr("")
		}
	}
	// Permissions are rows of a role each.
	if p := e.Permissions; p == nil || p.PermissionType == nil || *p.PermissionType == "PUBLIC" || len(p.Roles) == 0 {
		out.Permissions = &kmPermissions{PermissionType: ptr("PUBLIC"), Roles: []string{}}
	}
	out.AdditionalProperties = []environmentProperty{}
	for _, p := range e.AdditionalProperties {
		if p.Value != nil && text(p.Key) != "organization" {
			out.AdditionalProperties = append(out.AdditionalProperties, p)
		}
	}
	out.AdditionalProperties = append(out.AdditionalProperties, environmentProperty{ptr("organization"), ptr(t.Domain)})
	return &out
}

func readOnlyEnvironment(id string) *answer {
	return refuse(http.StatusBadRequest, 900508, "Gateway Environment is read only", "A Gateway Environment with UUID '"+id+"' is read only")
}

func updateEnvironment(c *call) *answer {
	e := newEnvironment()
	if a := readBody(c.body, e); a != nil {
		return a
	}
	id := c.vars["environment"]
	if a := e.check(c); a != nil { // the type of the gateway is not looked at, nor stored
		return a
	}
	old := c.tenant.Environments.get(id)
	switch {
	case old == nil:
		return environmentNotFound(id)
	case isTrue(old.IsReadOnly):
		return readOnlyEnvironment(id)
	case *old.Name != *e.Name:
		return refuse(http.StatusBadRequest, 900510, "Names of Gateway Environment cannot be changed", "Name of the gateway is read only")
	}
	if a := e.uniqueHosts(); a != nil {
		return a
	}
	unnamed := e.DisplayName == nil
	e.complete()
	if slices.ContainsFunc(e.VHosts, vhost.portless) {
		return general()
	}
	e.ID = old.ID
	stored := e.stored(c.tenant)
	stored.Provider, stored.Type, stored.GatewayType, stored.Mode = old.Provider, old.Type, old.GatewayType, old.Mode
	c.tenant.Environments.replace(stored)
	// [seen]: this answer is what was sent, with permissions that were not sent null, and with a provider and types that are not stored.
	if e.Provider == nil {
		e.Provider = old.Provider
	}
	if unnamed {
		e.DisplayName = nil
	}
	return ok(e)
}

func deleteEnvironment(c *call) *answer {
	id := c.vars["environment"]
	e := c.tenant.Environments.get(id)
	switch {
	case e == nil:
		return environmentNotFound(id)
	case isTrue(e.IsReadOnly):
		return readOnlyEnvironment(id)
	case c.tenant.deployedTo(*e.Name):
		return conflict("Cannot remove the Gateway Environment " + id + " as API revisions are deployed to it")
	}
	c.tenant.Environments.remove(id)
	return empty(http.StatusOK)
}
