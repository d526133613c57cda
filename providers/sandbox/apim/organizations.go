package apim

import "net/http"

var (
	organizationRead   = []string{"apim:admin", "apim:organization_read"}
	organizationManage = []string{"apim:admin", "apim:organization_manage"}
)

// organization is the DTO of /organizations (apim-behaviour 3.7).
type organization struct {
	OrganizationID         *string `json:"organizationId"`
	ExternalOrganizationID *string `json:"externalOrganizationId" is:"required"`
	ParentOrganizationID   *string `json:"parentOrganizationId"`
	DisplayName            *string `json:"displayName" is:"min=1,max=255"`
	Description            *string `json:"description" is:"min=0,max=1023"`
}

func (o *organization) rowID() string { return text(o.OrganizationID) }

func organizationRoutes() []route {
	return []route{
		get(admin, "/organizations", organizationRead, listOrganizations),
		post(admin, "/organizations", organizationManage, createOrganization),
		get(admin, "/organizations/{organization}", organizationRead, readOrganization),
		put(admin, "/organizations/{organization}", organizationManage, updateOrganization),
		remove(admin, "/organizations/{organization}", organizationManage, deleteOrganization),
		get(admin, "/me/organization-information", []string{"apim:admin", "apim:admin_settings"}, myOrganization),
	}
}

// organizationOf is the organization of the caller: external id and name, both empty for one who belongs to none.
func (c *call) organizationOf() (id, name string) {
	if c.server.options.Organization == nil {
		return "", ""
	}
	return c.server.options.Organization(c.user)
}

// parent is the organization in which the caller manages others: the server's id of the caller's own.
func (c *call) parent() (string, bool) {
	id, _ := c.organizationOf()
	if id == "" {
		return "", false
	}
	if o := c.tenant.Organizations.find(func(o *organization) bool { return *o.ExternalOrganizationID == id }); o != nil {
		return *o.OrganizationID, true
	}
	return id, true
}

// outside is the answer to one who belongs to no organization (seen).
func outside() *answer {
	return refuse(http.StatusForbidden, 901302, "Organization Not Found", "User does not belong to any organization")
}

func organizationNotFound(id string) *answer {
	return refuse(http.StatusNotFound, 901301, "Organization Not Found", "Organization Not Found")
}

func listOrganizations(c *call) *answer {
	parent, _ := c.parent()
	list := []*organization{}
	for _, o := range c.tenant.Organizations.list {
		if text(o.ParentOrganizationID) == parent {
			list = append(list, o)
		}
	}
	return ok(listing{Count: len(list), List: list})
}

// createOrganization makes an organization, or changes the one that has the external id (apim-behaviour 3.7).
func createOrganization(c *call) *answer {
	o := &organization{}
	if a := readBody(c.body, o); a != nil {
		return a
	}
	parent, inside := c.parent()
	if !inside {
		return outside()
	}
	o.OrganizationID, o.ParentOrganizationID = ptr(newID()), &parent
	if old := c.tenant.Organizations.find(func(x *organization) bool { return *x.ExternalOrganizationID == *o.ExternalOrganizationID }); old != nil {
		o.OrganizationID = old.OrganizationID
	}
	c.tenant.Organizations.replace(o)
	return created(admin.location+"/organizations/"+*o.OrganizationID, o)
}

func readOrganization(c *call) *answer {
	o := c.tenant.Organizations.get(c.vars["organization"])
	if o == nil {
		return organizationNotFound(c.vars["organization"])
	}
	return ok(o)
}

func updateOrganization(c *call) *answer {
	o := &organization{}
	if a := readBody(c.body, o); a != nil {
		return a
	}
	old := c.tenant.Organizations.get(c.vars["organization"])
	if old == nil {
		return organizationNotFound(c.vars["organization"])
	}
	o.OrganizationID, o.ParentOrganizationID, o.ExternalOrganizationID = old.OrganizationID, old.ParentOrganizationID, old.ExternalOrganizationID
	c.tenant.Organizations.replace(o)
	return ok(o)
}

func deleteOrganization(c *call) *answer {
	if c.tenant.Organizations.get(c.vars["organization"]) == nil {
		return organizationNotFound(c.vars["organization"])
	}
	c.tenant.Organizations.remove(c.vars["organization"])
	return empty(http.StatusOK)
}

func myOrganization(c *call) *answer {
	info := struct {
		OrganizationID *string `json:"organizationId"`
		Name           *string `json:"name"`
	}{}
	if id, name := c.organizationOf(); id != "" {
		info.OrganizationID, info.Name = &id, &name
	}
	return ok(info)
}
