package apim

import (
	"net/http"
	"regexp"
	"strings"
)

var categoryScopes = []string{"apim:admin", "apim:admin_operations", "apim:api_category"}

// category is the DTO of /api-categories.
type category struct {
	ID           *string `json:"id"`
	Name         *string `json:"name" is:"required,min=1,max=255"`
	Description  *string `json:"description" is:"min=0,max=1024"`
	NumberOfAPIs *int64  `json:"numberOfAPIs"`
}

func (d *category) rowID() string { return text(d.ID) }

// There is no GET of one category (apim-behaviour 3.5).
func categoryRoutes() []route {
	return []route{
		get(admin, "/api-categories", categoryScopes, listCategories),
		post(admin, "/api-categories", categoryScopes, createCategory),
		put(admin, "/api-categories/{category}", categoryScopes, updateCategory),
		remove(admin, "/api-categories/{category}", categoryScopes, deleteCategory),
		get(devportal, "/api-categories", nil, listCategories),
		get(publisher, "/api-categories", nil, listCategories),
	}
}

func listCategories(c *call) *answer {
	var out []category
	for _, d := range c.tenant.Categories.list {
		shown := *d
		shown.NumberOfAPIs = ptr(int64(c.tenant.apisInCategory(*d.Name)))
		out = append(out, shown)
	}
	return all(out)
}

var specialInName = regexp.MustCompile(`[~!@#;:%^*()+={}|\\<>"',&$\s/\[\]?]`)

func (c *call) checkCategory(d *category, id string) *answer {
	if specialInName.MatchString(*d.Name) {
		return badRequest("Name field contains special characters.")
	}
	other := c.tenant.Categories.find(func(o *category) bool { return strings.EqualFold(*o.Name, *d.Name) && *o.ID != id })
	if other != nil {
		return internal("Error while adding new API Category '" + *d.Name + "' - Category with name '" + *d.Name + "' already exists")
	}
	return nil
}

func createCategory(c *call) *answer {
	d := &category{}
	if a := readBody(c.body, d); a != nil {
		return a
	}
	if a := c.checkCategory(d, ""); a != nil {
		return a
	}
	d.ID, d.NumberOfAPIs = ptr(newID()), nil
	c.tenant.Categories.add(d)
	return created(admin.location+"/categories/"+*d.ID, d)
}

func updateCategory(c *call) *answer {
	d := &category{}
	if a := readBody(c.body, d); a != nil {
		return a
	}
	id := c.vars["category"]
	if c.tenant.Categories.get(id) == nil {
		return internal("Failed to get APICategory. API category corresponding to UUID " + id + " does not exist")
	}
	if a := c.checkCategory(d, id); a != nil {
		return a
	}
	d.ID, d.NumberOfAPIs = ptr(id), nil
	c.tenant.Categories.replace(d)
	return ok(d)
}

func deleteCategory(c *call) *answer {
	id := c.vars["category"]
	d := c.tenant.Categories.get(id)
	if d == nil {
		return internal("Error while deleting API Category '" + id + "' - Failed to get APICategory. API category corresponding to UUID " + id + " does not exist")
	}
	if c.tenant.apisInCategory(*d.Name) > 0 {
		return internal("Error while deleting API Category '" + id + "' - Unable to delete the category. It is attached to API(s)")
	}
	c.tenant.Categories.remove(id)
	return empty(http.StatusOK)
}
