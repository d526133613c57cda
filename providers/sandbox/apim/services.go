package apim

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// serviceCatalog is the catalogue of services that APIs can be made of.
var serviceCatalog = api{"/api/am/service-catalog/v1", "/api/am/service-catalog/v1"}

// service is the DTO Service, with its definition.
type service struct {
	ID             *string `json:"id"`
	Name           *string `json:"name" is:"required,min=1,max=255" pattern:"^[^\\*]+$"`
	Description    *string `json:"description" is:"min=0,max=1024"`
	Version        *string `json:"version" is:"required,min=1,max=30"`
	ServiceKey     *string `json:"serviceKey" is:"min=0,max=512"`
	ServiceURL     *string `json:"serviceUrl" is:"required"`
	DefinitionType *string `json:"definitionType" is:"required" enum:"OAS2,OAS3,WSDL1,WSDL2,GRAPHQL_SDL,ASYNC_API"`
	SecurityType   *string `json:"securityType" enum:"BASIC,DIGEST,OAUTH2,X509,API_KEY,NONE"`
	MutualSSL      *bool   `json:"mutualSSLEnabled"`
	Usage          *int64  `json:"usage"`
	CreatedTime    *string `json:"createdTime"`
	UpdatedTime    *string `json:"lastUpdatedTime"`
	MD5            *string `json:"md5"`
	DefinitionURL  *string `json:"definitionUrl"`
}

// keptService is a service as it is kept.
type keptService struct {
	service
	Definition []byte `json:"definition"`
}

func (s *keptService) rowID() string { return text(s.ID) }

func serviceRoutes() []route {
	view := []string{"service_catalog:service_view", "apim:api_view"}
	write := []string{"service_catalog:service_write"}
	raw := get(serviceCatalog, "/services/{service}/definition", view, serviceDefinition)
	raw.produces = ""
	return []route{
		get(serviceCatalog, "/services", view, listServices),
		fetching(form(post(serviceCatalog, "/services", write, addService))),
		get(serviceCatalog, "/services/{service}", view, readService),
		fetching(form(put(serviceCatalog, "/services/{service}", write, updateService))),
		remove(serviceCatalog, "/services/{service}", write, deleteService),
		raw,
		get(serviceCatalog, "/services/{service}/usage", view, serviceUsage),
		get(serviceCatalog, "/settings", nil, func(*call) *answer {
			return ok(map[string]any{"scopes": []string{"service_catalog:service_view", "service_catalog:service_write"}})
		}),
		post(publisher, "/apis/import-service", []string{"apim:api_create", "apim:api_manage"}, importService),
		anyBody(put(publisher, "/apis/{api}/reimport-service", []string{"apim:api_create", "apim:api_manage"}, reimportService)),
	}
}

// usersOf are the APIs that were made of a service.
func (c *call) usersOf(s *keptService) []*apiRecord {
	var out []*apiRecord
	for _, a := range c.tenant.APIs.list {
		if textOf(inner(a.Document, "serviceInfo"), "key") == text(s.ServiceKey) {
			out = append(out, a)
		}
	}
	return out
}

func (c *call) shownService(s *keptService) service {
	out := s.service
	out.Usage = ptr(int64(len(c.usersOf(s))))
	return out
}

// listServices filters by name, version, definitionType and key, exact in quotation marks.
func listServices(c *call) *answer {
	query := c.request.URL.Query()
	out := []service{}
	for _, s := range c.tenant.Services.list {
		matches := true
		for name, value := range map[string]string{"name": text(s.Name), "version": text(s.Version), "definitionType": text(s.DefinitionType), "key": text(s.ServiceKey)} {
			asked := query.Get(name)
			exact := len(asked) > 1 && strings.HasPrefix(asked, `"`) && strings.HasSuffix(asked, `"`)
			asked = strings.Trim(asked, `"`)
			matches = matches && (asked == "" || value == asked || !exact && strings.Contains(strings.ToLower(value), strings.ToLower(asked)))
		}
		if matches {
			out = append(out, c.shownService(s))
		}
	}
	cut, bad := c.cut(len(out))
	if bad != nil {
		return bad
	}
	return ok(map[string]any{"list": out[cut.from:cut.to], "pagination": pagination{Offset: cut.from, Limit: cut.to - cut.from, Total: len(out)}})
}

// readServiceForm reads the metadata and the definition of a service.
func (c *call) readServiceForm() (*keptService, *answer) {
	s := &keptService{service: service{SecurityType: ptr("NONE"), MutualSSL: ptr(false)}}
	metadata, given := c.fields["serviceMetadata"]
	if !given {
		return nil, badRequest("Service metadata is missing")
	}
	if bad := readBody([]byte(metadata.text), &s.service); bad != nil {
		return nil, bad
	}
	switch file, text := c.fields["definitionFile"], c.fields["inlineContent"]; {
	case file.text != "":
		s.Definition = []byte(file.text)
	case text.text != "":
		s.Definition = []byte(text.text)
	case s.DefinitionURL != nil && *s.DefinitionURL != "":
		return nil, badRequest("The definition is not at " + *s.DefinitionURL)
	default:
		return nil, badRequest("Definition file or inline content is missing")
	}
	if !validDefinition(*s.DefinitionType, s.Definition) {
		return nil, badRequest("The Service import has been failed as invalid service definition provided")
	}
	sum := md5.Sum(append(slices.Clone(s.Definition), metadata.text...))
	s.MD5 = ptr(hex.EncodeToString(sum[:]))
	if text(s.ServiceKey) == "" {
		s.ServiceKey = ptr(*s.Name + "-" + *s.Version)
	}
	return s, nil
}

// validDefinition tells whether a definition is of its type.
func validDefinition(kind string, definition []byte) bool {
	switch kind {
	case "OAS2", "OAS3":
		doc, faults := openAPI(definition)
		return len(faults) == 0 && (doc.get("swagger") != nil) == (kind == "OAS2")
	case "ASYNC_API":
		_, faults := asyncAPI(definition)
		return len(faults) == 0
	case "GRAPHQL_SDL":
		_, err := graphQLOperations(string(definition))
		return err == nil
	}
	valid, _ := validWSDL(definition)
	return valid
}

func addService(c *call) *answer {
	s, bad := c.readServiceForm()
	if bad != nil {
		return bad
	}
	for _, other := range c.tenant.Services.list {
		if *other.ServiceKey == *s.ServiceKey || *other.Name == *s.Name && *other.Version == *s.Version {
			return refuse(http.StatusConflict, 900910, "Error while adding service", "A service with key: "+*s.ServiceKey+" or name: "+*s.Name+" and version: "+
				*s.Version+" already exists")
		}
	}
	now := c.server.now().UTC().Format(time.RFC3339Nano)
	s.ID, s.CreatedTime, s.UpdatedTime = ptr(newID()), ptr(now), ptr(now)
	c.tenant.Services.add(s)
	return reply(http.StatusCreated, c.shownService(s))
}

// ownService finds the service of the path.
func (c *call) ownService() (*keptService, *answer) {
	s := c.tenant.Services.get(c.vars["service"])
	if s == nil {
		return nil, notFound("Service", c.vars["service"])
	}
	return s, nil
}

func readService(c *call) *answer {
	s, bad := c.ownService()
	if bad != nil {
		return bad
	}
	return ok(c.shownService(s))
}

// updateService replaces a service. Its key, name and version cannot change.
func updateService(c *call) *answer {
	old, bad := c.ownService()
	if bad != nil {
		return bad
	}
	s, bad := c.readServiceForm()
	if bad != nil {
		return bad
	}
	if *s.ServiceKey != *old.ServiceKey || *s.Name != *old.Name || *s.Version != *old.Version {
		return badRequest("Cannot update the name or version or key or the definition type of an existing service")
	}
	s.ID, s.CreatedTime, s.UpdatedTime = old.ID, old.CreatedTime, ptr(c.server.now().UTC().Format(time.RFC3339Nano))
	c.tenant.Services.replace(s)
	return ok(c.shownService(s))
}

func deleteService(c *call) *answer {
	s, bad := c.ownService()
	if bad != nil {
		return bad
	}
	if len(c.usersOf(s)) > 0 {
		return conflict("Cannot remove the service " + *s.ID + " as it is used by APIs")
	}
	c.tenant.Services.remove(*s.ID)
	return empty(http.StatusNoContent)
}

func serviceDefinition(c *call) *answer {
	s, bad := c.ownService()
	if bad != nil {
		return bad
	}
	kind := "application/yaml"
	if json.Valid(s.Definition) {
		kind = jsonBody
	}
	return &answer{status: http.StatusOK, kind: kind, body: s.Definition}
}

func serviceUsage(c *call) *answer {
	s, bad := c.ownService()
	if bad != nil {
		return bad
	}
	out := []map[string]any{}
	for _, a := range c.usersOf(s) {
		out = append(out, map[string]any{"id": a.ID, "name": a.Document["name"], "displayName": a.Document["displayName"], "context": a.Document["context"],
			"version": a.Document["version"], "provider": a.Document["provider"]})
	}
	return all(out)
}

// importService makes an API of a service.
func importService(c *call) *answer {
	key := c.request.URL.Query().Get("serviceKey")
	s := c.tenant.Services.find(func(s *keptService) bool { return *s.ServiceKey == key })
	if s == nil {
		return notFound("Service", key)
	}
	d := &draft{body: &apiBody{}, doc: fresh(apiDefaults)}
	d.body.defaults()
	if bad := readBody(c.body, d.body); bad != nil {
		return bad
	}
	w := working{}
	if bad := d.define(s, &w); bad != nil {
		return bad
	}
	return c.addImported(d, w)
}

// define gives a draft what a service says: operations, backend, and where it is from.
func (d *draft) define(s *keptService, w *working) *answer {
	kind := "HTTP"
	switch *s.DefinitionType {
	case "OAS2", "OAS3":
		doc, _ := openAPI(s.Definition) // it was read when it came
		d.body.Operations, d.body.Scopes = operationsIn(doc)
		w.Definition = doc
	case "ASYNC_API":
		doc, _ := asyncAPI(s.Definition)
		d.body.Operations, w.Schema, kind = topicsIn(doc), string(s.Definition), "WS"
	case "GRAPHQL_SDL":
		operations, err := graphQLOperations(string(s.Definition))
		if err != nil {
			return badRequest(err.Error())
		}
		d.body.Operations, w.Schema, kind = operations, string(s.Definition), "GRAPHQL"
	default:
		w.Schema, kind = string(s.Definition), "SOAP"
	}
	if d.body.Type == nil {
		d.body.Type = ptr(kind)
	}
	if d.body.EndpointConfig == nil {
		d.body.EndpointConfig = map[string]any{"endpoint_type": "service", "production_endpoints": map[string]any{"url": *s.ServiceURL},
			"sandbox_endpoints": map[string]any{"url": *s.ServiceURL}}
	}
	d.body.ServiceInfo = &serviceInfoBody{Key: s.ServiceKey, Name: s.Name, Version: s.Version, Outdated: ptr(false)}
	return nil
}

// reimportService takes the definition of a service anew.
func reimportService(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	key := textOf(inner(a.Document, "serviceInfo"), "key")
	s := c.tenant.Services.find(func(s *keptService) bool { return *s.ServiceKey == key })
	if s == nil {
		return notFound("Service", key)
	}
	if *s.DefinitionType != "OAS2" && *s.DefinitionType != "OAS3" {
		return badRequest("The definition of the service cannot be imported again")
	}
	doc, _ := openAPI(s.Definition) // it was read when it came
	changed, bad := c.withDefinition(a, doc)
	if bad != nil {
		return bad
	}
	c.keepAPI(changed)
	return ok(c.shownAPI(changed))
}
