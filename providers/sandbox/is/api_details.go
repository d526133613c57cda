package is

import (
	"encoding/json"
	"net/http"
	"slices"
)

// A detailsType is a type of authorization details (RFC 9396) that an API resource understands. The name of a type is unique in the tenant.
type detailsType struct {
	id, kind, name, description string
	schema                      any
}

type detailsRequest struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Schema      any    `json:"schema"`
}

// detailsChange is the part of a PATCH that concerns them. Unlike scopes, they can be removed by it.
type detailsChange struct {
	Added   []detailsRequest `json:"addedAuthorizationDetailsTypes"`
	Removed []string         `json:"removedAuthorizationDetailsTypes"`
}

func detailsDocument(d *detailsType) map[string]any {
	return map[string]any{"id": d.id, "type": d.kind, "name": d.name, "description": d.description, "schema": d.schema}
}

func detailsDocuments(list []*detailsType) []any {
	all := []any{}
	for _, d := range list {
		all = append(all, detailsDocument(d))
	}
	return all
}

func (s *Server) newDetails(requests []detailsRequest) ([]*detailsType, *answer) {
	var made []*detailsType
	for _, r := range requests {
		taken := func(d *detailsType) bool { return d.kind == r.Type }
		switch _, isObject := r.Schema.(map[string]any); {
		case r.Type == "" || len(r.Type) > 255 || len(r.Name) < 3 || len(r.Name) > 255 || !isObject:
			return nil, failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Invalid authorization details type: "+r.Type)
		case slices.ContainsFunc(made, taken), slices.ContainsFunc(s.api.order, func(a *apiResource) bool { return slices.ContainsFunc(a.details, taken) }):
			return nil, apiFailure(http.StatusConflict, "60020", "Authorization details type already exists: "+r.Type)
		}
		made = append(made, &detailsType{newID(), r.Type, r.Name, r.Description, r.Schema})
	}
	return made, nil
}

func (s *Server) changeDetails(a *apiResource, change detailsChange) *answer {
	made, refused := s.newDetails(change.Added)
	if refused != nil {
		return refused
	}
	for _, kind := range change.Removed {
		if at := slices.IndexFunc(a.details, func(d *detailsType) bool { return d.kind == kind }); at >= 0 {
			s.dropDetails(a.details[at])
			a.details = slices.Delete(a.details, at, at+1)
		}
	}
	a.details = append(a.details, made...)
	return nil
}

// dropDetails takes a type from the applications that are authorised for it.
func (s *Server) dropDetails(d *detailsType) {
	for _, app := range s.app.order {
		for _, authorized := range app.apis {
			authorized.details = slices.DeleteFunc(authorized.details, func(kind string) bool { return kind == d.kind })
		}
	}
}

func (s *Server) listDetails(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.api.byID[c.PathValue("id")]
	if a == nil {
		return noAPI(c.PathValue("id"))
	}
	return object(http.StatusOK, detailsDocuments(a.details))
}

func noDetails(id string) *answer {
	return failure(http.StatusNotFound, "API-RESOURCE-60015", "Unable to find the authorization details type.",
		"Authorization details types for resource id '"+id+"' could not be found in the tenant domain.")
}

func (a *apiResource) detailsByID(id string) int {
	return slices.IndexFunc(a.details, func(d *detailsType) bool { return d.id == id })
}

func (s *Server) getDetails(c *call) *answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.api.byID[c.PathValue("id")]
	if a == nil {
		return noAPI(c.PathValue("id"))
	}
	at := a.detailsByID(c.PathValue("type"))
	if at < 0 {
		return noDetails(a.id)
	}
	return object(http.StatusOK, detailsDocument(a.details[at]))
}

func (s *Server) patchDetails(c *call) *answer {
	var r struct {
		Name, Description *string
		Schema            any
	}
	if err := json.Unmarshal(c.body, &r); err != nil {
		return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Provided request body content is not in the expected format.")
	}
	return s.changeAPI(c, func(a *apiResource) *answer {
		at := a.detailsByID(c.PathValue("type"))
		if at < 0 {
			return noDetails(a.id)
		}
		if r.Name != nil {
			a.details[at].name = *r.Name
		}
		if r.Description != nil {
			a.details[at].description = *r.Description
		}
		if r.Schema != nil {
			a.details[at].schema = r.Schema
		}
		return empty(http.StatusNoContent)
	})
}

func (s *Server) deleteDetails(c *call) *answer {
	if !s.hasAPI(c.PathValue("id")) {
		return empty(http.StatusNoContent)
	}
	return s.changeAPI(c, func(a *apiResource) *answer {
		if at := a.detailsByID(c.PathValue("type")); at >= 0 {
			s.dropDetails(a.details[at])
			a.details = slices.Delete(a.details, at, at+1)
		}
		return empty(http.StatusNoContent)
	})
}
