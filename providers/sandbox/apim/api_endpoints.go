package apim

import (
	"net/http"
	"slices"
)

// apiEndpoint is the DTO APIEndpoint: one more backend of an API (apim-behaviour 5.1).
type apiEndpoint struct {
	ID              *string        `json:"id"`
	Name            *string        `json:"name" is:"required"`
	DeploymentStage *string        `json:"deploymentStage"`
	EndpointConfig  map[string]any `json:"endpointConfig"`
	APIDefinition   *string        `json:"apiDefinition"`
}

func endpointRoutes() []route {
	view := []string{"apim:api_view", "apim:api_create", "apim:api_manage", "apim:api_publish", "apim:api_import_export"}
	change := view[1:]
	return []route{
		get(publisher, "/apis/{api}/endpoints", view, listEndpoints),
		post(publisher, "/apis/{api}/endpoints", change, addEndpoint),
		get(publisher, "/apis/{api}/endpoints/{endpoint}", view, readEndpoint),
		put(publisher, "/apis/{api}/endpoints/{endpoint}", change, updateEndpoint),
		remove(publisher, "/apis/{api}/endpoints/{endpoint}", change, deleteEndpoint),
	}
}

// Ids that stand for the endpoints of endpointConfig.
const (
	defaultProduction = "default_production_endpoint"
	defaultSandbox    = "default_sandbox_endpoint"
)

// shown is an endpoint as answers show it: without secrets.
func (e apiEndpoint) shown() apiEndpoint {
	if config, isObject := shownEndpoints(e.EndpointConfig).(map[string]any); isObject {
		e.EndpointConfig = config
	}
	return e
}

func listEndpoints(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	out := []apiEndpoint{}
	for _, e := range a.Endpoints {
		out = append(out, e.shown())
	}
	return ok(map[string]any{"count": len(out), "list": out, "pagination": nil})
}

// ownEndpoint finds an endpoint of the API of the path and its place.
func (c *call) ownEndpoint() (*apiRecord, int, *answer) {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return nil, 0, bad
	}
	i := slices.IndexFunc(a.Endpoints, func(e apiEndpoint) bool { return *e.ID == c.vars["endpoint"] })
	if i < 0 {
		return nil, 0, refuse(http.StatusNotFound, 902040, "API Endpoint Not Found", "Requested API Endpoint with id '"+c.vars["endpoint"]+"' not found")
	}
	return a, i, nil
}

// readEndpointBody reads and checks an endpoint; old is the stored one of an update.
func (c *call) readEndpointBody(a *apiRecord, old *apiEndpoint) (*apiEndpoint, *answer) {
	e := &apiEndpoint{}
	if bad := readBody(c.body, e); bad != nil {
		return nil, bad
	}
	failed := internal("Failed to add endpoint to the API " + a.ID) // whatever the reason (seen)
	if stage := text(e.DeploymentStage); stage != "PRODUCTION" && stage != "SANDBOX" {
		return nil, failed
	}
	d := &draft{body: &apiBody{EndpointConfig: e.EndpointConfig}, doc: map[string]any{}, kind: a.field("type")}
	if e.EndpointConfig == nil {
		d.body.EndpointConfig = nil
	}
	if old != nil {
		d.old = &apiRecord{working: working{Document: map[string]any{"endpointConfig": old.EndpointConfig}}}
	}
	if bad := c.fillEndpoints(d); bad != nil {
		return nil, bad
	}
	e.EndpointConfig = inner(d.doc, "endpointConfig")
	for _, other := range a.Endpoints {
		if *other.Name == *e.Name && *other.DeploymentStage == *e.DeploymentStage && (old == nil || *other.ID != *old.ID) {
			return nil, failed
		}
	}
	return e, nil
}

func addEndpoint(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	e, bad := c.readEndpointBody(a, nil)
	if bad != nil {
		return bad
	}
	e.ID = ptr(newID())
	changed := *a
	changed.Endpoints = append(slices.Clone(a.Endpoints), *e)
	c.keepAPI(&changed)
	return created(publisher.location+"/apis/"+a.ID+"/endpoints/"+*e.ID, e.shown())
}

func readEndpoint(c *call) *answer {
	a, i, bad := c.ownEndpoint()
	if bad != nil {
		return bad
	}
	return ok(a.Endpoints[i].shown())
}

func updateEndpoint(c *call) *answer {
	a, i, bad := c.ownEndpoint()
	if bad != nil {
		return bad
	}
	e, bad := c.readEndpointBody(a, &a.Endpoints[i])
	if bad != nil {
		return bad
	}
	e.ID = a.Endpoints[i].ID
	changed := *a
	changed.Endpoints = slices.Clone(a.Endpoints)
	changed.Endpoints[i] = *e
	c.keepAPI(&changed)
	return ok(e.shown())
}

// deleteEndpoint removes an endpoint that is not a primary one.
func deleteEndpoint(c *call) *answer {
	a, i, bad := c.ownEndpoint()
	if bad != nil {
		return bad
	}
	if id := *a.Endpoints[i].ID; a.field("primaryProductionEndpointId") == id || a.field("primarySandboxEndpointId") == id {
		return refuse(http.StatusBadRequest, 902042, "Cannot delete a primary endpoint", "Endpoint "+id+" is a primary endpoint of the API "+a.ID)
	}
	changed := *a
	changed.Endpoints = slices.Delete(slices.Clone(a.Endpoints), i, i+1)
	c.keepAPI(&changed)
	return empty(http.StatusOK)
}

// primary is the endpoint that an API names as the first of a stage, nil when it is that of endpointConfig.
func (w *working) primary(stage string) *apiEndpoint {
	field := map[string]string{"PRODUCTION": "primaryProductionEndpointId", "SANDBOX": "primarySandboxEndpointId"}[stage]
	id := textOf(w.Document, field)
	if id == "" || id == defaultProduction || id == defaultSandbox {
		return nil
	}
	if i := slices.IndexFunc(w.Endpoints, func(e apiEndpoint) bool { return *e.ID == id }); i >= 0 {
		return &w.Endpoints[i]
	}
	return nil
}
