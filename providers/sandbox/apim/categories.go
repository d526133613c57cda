package apim

import (
	"net/http"
	"regexp"
	"slices"
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
		get(devportal, "/api-categories", nil, catalogueCategories),
		get(publisher, "/api-categories", nil, catalogueCategories),
	}
}

func listCategories(c *call) *answer {
	var out []category
	for _, d := range c.tenant.Categories.list {
		shown := *d
		shown.NumberOfAPIs = ptr(int64(c.tenant.apisInCategory(*d.Name)))
		out = append(out, shown)
	}
	slices.SortStableFunc(out, func(a, b category) int { return strings.Compare(*a.Name, *b.Name) })
	return all(out)
}

// catalogueCategories is what the devportal and the publisher list, by name.
func catalogueCategories(c *call) *answer {
	type shown struct {
		ID          *string `json:"id"`
		Name        *string `json:"name"`
		Description *string `json:"description"`
	}
	var out []shown
	for _, d := range c.tenant.Categories.list {
		out = append(out, shown{d.ID, d.Name, ptr(text(d.Description))})
	}
	slices.SortStableFunc(out, func(a, b shown) int { return strings.Compare(*a.Name, *b.Name) })
	return all(out)
}

// specialInName are the characters that a name may not hold; "+", "/" and "'" pass (seen).
var specialInName = regexp.MustCompile(`[~!@#;:%^*()={}|\\<>",&$\s\[\]?]`)

func (c *call) checkCategory(d *category) *answer {
	if specialInName.MatchString(*d.Name) {
		return badRequest("Name field contains special characters.")
	}
	other := c.tenant.Categories.find(func(o *category) bool { return strings.EqualFold(*o.Name, *d.Name) })
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
	if a := c.checkCategory(d); a != nil {
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
	old := c.tenant.Categories.get(id)
	if old == nil {
		return internal("Error while updating API Category '" + *d.Name + "' - Failed to get APICategory. API category corresponding to UUID " + id + " does not exist")
	}
	d.ID, d.Name, d.NumberOfAPIs = ptr(id), old.Name, nil // a name in a PUT is ignored: 200 with the old name (seen)
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
