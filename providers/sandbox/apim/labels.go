package apim

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

var (
	labelRead      = []string{"apim:admin", "apim:label_read"}
	labelManage    = []string{"apim:admin", "apim:label_manage"}
	apiLabelsRead  = []string{"apim:api_view", "apim:api_create", "apim:api_manage", "apim:api_publish"}
	apiLabelsWrite = []string{"apim:api_create", "apim:api_manage", "apim:api_publish"}
)

// label is the DTO of /labels. The accessUrls of the contract of 4.5.0 are not known to the real server (seen).
type label struct {
	ID          *string `json:"id"`
	Name        *string `json:"name" is:"required,min=1,max=255"`
	Description *string `json:"description" is:"min=0,max=1024"`
}

func (d *label) rowID() string { return text(d.ID) }

// There is no GET of one label (apim-behaviour 3.6).
func labelRoutes() []route {
	return []route{
		get(admin, "/labels", labelRead, listLabels),
		post(admin, "/labels", labelManage, createLabel),
		put(admin, "/labels/{label}", labelManage, updateLabel),
		remove(admin, "/labels/{label}", labelManage, deleteLabel),
		get(admin, "/labels/{label}/usage", labelRead, labelUsage),
		get(publisher, "/labels", apiLabelsRead, listLabels),
		get(publisher, "/apis/{api}/labels", apiLabelsRead, labelsOfAPI),
		post(publisher, "/apis/{api}/attach-labels", apiLabelsWrite, attachLabels),
		post(publisher, "/apis/{api}/detach-labels", apiLabelsWrite, detachLabels),
	}
}

// labels answers with labels by their names, and with a pagination that is always null (seen).
func labels(list []*label) *answer {
	slices.SortStableFunc(list, func(a, b *label) int { return cmp.Compare(*a.Name, *b.Name) })
	return ok(map[string]any{"count": len(list), "list": append([]*label{}, list...), "pagination": nil})
}

func listLabels(c *call) *answer { return labels(c.tenant.Labels.values()) }

func labelExists(name string) *answer {
	return refuse(http.StatusConflict, 900650, "Label Name Already Exists", "Label with name '"+name+"' already exists")
}

func labelNotFound(id string) *answer {
	return refuse(http.StatusNotFound, 900651, "Label Not Found", "Label not found for the given label ID: "+id)
}

// labelNamed finds another label of a name; names compare without case (seen).
func (t *tenant) labelNamed(name, but string) *label {
	return t.Labels.find(func(o *label) bool { return strings.EqualFold(*o.Name, name) && *o.ID != but })
}

func createLabel(c *call) *answer {
	d := &label{}
	if a := readBody(c.body, d); a != nil {
		return a
	}
	if c.tenant.labelNamed(*d.Name, "") != nil {
		return labelExists(*d.Name)
	}
	d.ID = ptr(newID())
	c.tenant.Labels.add(d)
	return created(admin.location+"/labels/"+*d.ID, d)
}

// updateLabel replaces a label; unlike a category it can be renamed (seen).
func updateLabel(c *call) *answer {
	d := &label{}
	if a := readBody(c.body, d); a != nil {
		return a
	}
	id := c.vars["label"]
	if c.tenant.Labels.get(id) == nil {
		return labelNotFound(id)
	}
	if c.tenant.labelNamed(*d.Name, id) != nil {
		return labelExists(*d.Name)
	}
	d.ID = ptr(id)
	c.tenant.Labels.replace(d)
	return ok(d)
}

func deleteLabel(c *call) *answer {
	id := c.vars["label"]
	if c.tenant.Labels.get(id) == nil {
		return labelNotFound(id)
	}
	if len(c.tenant.apisWithLabel(id)) > 0 {
		return refuse(http.StatusConflict, 900654, "Label Deletion Failed", "The label cannot be deleted as it is associated with API(s).")
	}
	c.tenant.Labels.remove(id)
	return empty(http.StatusOK)
}

// apisWithLabel returns the APIs to which a label is attached.
func (t *tenant) apisWithLabel(id string) []*apiRecord {
	var out []*apiRecord
	for _, a := range t.APIs.list {
		if slices.Contains(t.Labelled[a.ID], id) {
			out = append(out, a)
		}
	}
	return out
}

func labelUsage(c *call) *answer {
	if c.tenant.Labels.get(c.vars["label"]) == nil {
		return labelNotFound(c.vars["label"])
	}
	type used struct {
		Provider string `json:"provider"`
		Name     string `json:"name"`
		Version  string `json:"version"`
		ID       string `json:"id"`
	}
	list := []used{}
	for _, a := range c.tenant.apisWithLabel(c.vars["label"]) {
		list = append(list, used{a.field("provider"), a.field("name"), a.field("version"), a.ID})
	}
	return ok(map[string]any{"apis": map[string]any{"count": len(list), "list": list}})
}

// labelsOf are the labels that an API has; a label that is gone is none.
func (c *call) labelsOf(api string) *answer {
	var list []*label
	for _, id := range c.tenant.Labelled[api] {
		if d := c.tenant.Labels.get(id); d != nil {
			list = append(list, d)
		}
	}
	return labels(list)
}

// noSuchAPI is 500 here, not 404 (seen).
func noSuchAPI(id string) *answer {
	return refuse(http.StatusInternalServerError, 903220, "Failed to get API", "Failed to get API with UUID "+id)
}

func labelsOfAPI(c *call) *answer {
	if c.tenant.APIs.get(c.vars["api"]) == nil {
		return noSuchAPI(c.vars["api"])
	}
	return c.labelsOf(c.vars["api"])
}

// labelRequest is the body of attaching and detaching.
type labelRequest struct {
	Labels []string `json:"labels"`
}

// labelled reads the labels of a request; false when one does not exist.
func (c *call) labelled() (ids []string, known bool, bad *answer) {
	if c.tenant.APIs.get(c.vars["api"]) == nil {
		return nil, false, noSuchAPI(c.vars["api"])
	}
	var body labelRequest
	if a := readBody(c.body, &body); a != nil {
		return nil, false, a
	}
	known = !slices.ContainsFunc(body.Labels, func(id string) bool { return c.tenant.Labels.get(id) == nil })
	return body.Labels, known, nil
}

func attachLabels(c *call) *answer {
	ids, known, bad := c.labelled()
	switch {
	case bad != nil:
		return bad
	case !known:
		return refuse(http.StatusBadRequest, 900655, "Label Attachment Failed", "Error occurred while attaching label(s) to API. Invalid label(s) provided")
	}
	api := c.vars["api"]
	if c.tenant.Labelled == nil {
		c.tenant.Labelled = map[string][]string{}
	}
	for _, id := range ids {
		if !slices.Contains(c.tenant.Labelled[api], id) {
			c.tenant.Labelled[api] = append(c.tenant.Labelled[api], id)
		}
	}
	return c.labelsOf(api)
}

func detachLabels(c *call) *answer {
	ids, known, bad := c.labelled()
	switch {
	case bad != nil:
		return bad
	case !known:
		return refuse(http.StatusBadRequest, 900656, "Label Detachment Failed", "Error occurred while detaching label(s) from API. Invalid label(s) provided")
	}
	api := c.vars["api"]
	c.tenant.Labelled[api] = slices.DeleteFunc(c.tenant.Labelled[api], func(id string) bool { return slices.Contains(ids, id) })
	return c.labelsOf(api)
}
