package apim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// serviceCatalog is the API of the service catalog (apim-behaviour 6).
const serviceCatalog = "/api/am/service-catalog/v1"

// serviceType is the table of apim_service.
func serviceType() *schema.Type {
	return &schema.Type{
		Name: "apim_service",
		Doc:  "A service of the catalog, of which APIs can be made in the publisher.",
		Key:  []string{"name", "version"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
			{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, Validate: serviceName, Doc: "Name."},
			{Name: "version", Type: cty.String, Required: true, RequiresReplace: true, Validate: lengthIn(1, 30), Doc: "Version."},
			{Name: "service_key", Type: cty.String, RequiresReplace: true, Validate: lengthIn(1, 512), Doc: "Key, unique in the catalog. The server's default is name and version."},
			{Name: "description", Type: cty.String, Validate: lengthIn(0, 1024), Doc: "What it does."},
			{Name: "service_url", Type: cty.String, Required: true, Validate: notBlank, Doc: "Where it is."},
			{Name: "definition_type", Type: cty.String, Required: true, RequiresReplace: true, Enum: []string{"OAS2", "OAS3", "WSDL1", "WSDL2", "GRAPHQL_SDL", "ASYNC_API"},
				Doc: "What the definition is."},
			{Name: "definition", Type: cty.Map(cty.String), Written: cty.String, Read: readDefinition, Required: true,
				Doc: "The definition, mostly `file(\"…\")`. It is compared by its elements, and references to it see a map of these."},
			{Name: "security_type", Type: cty.String, Enum: []string{"BASIC", "DIGEST", "OAUTH2", "X509", "API_KEY", "NONE"}, Doc: "How callers prove themselves to it."},
			{Name: "mutual_ssl_enabled", Type: cty.Bool, JSON: "mutualSSLEnabled", Doc: "Whether it asks for client certificates."},
		}},
	}
}

func serviceName(v cty.Value) error {
	if err := lengthIn(1, 255)(v); err != nil {
		return err
	}
	for _, r := range v.AsString() {
		if r == '*' {
			return fmt.Errorf("%q holds *, which API Manager refuses", v.AsString())
		}
	}
	return nil
}

// service is a service of the catalog.
func service(p *Provider) engine.Type {
	return &services{&rest.Collection{
		Client: &p.client,
		Type:   serviceType(),
		Path:   serviceCatalog + "/services",
		Paging: rest.Paging{Style: rest.LimitOffset},
		Filter: func(wanted cty.Value) url.Values {
			return url.Values{"name": {knownString(wanted, "name")}, "version": {knownString(wanted, "version")}}
		},
	}}
}

// services is the type apim_service: a Collection whose writes are forms, and whose definitions have
// an address of their own.
type services struct{ *rest.Collection }

// Read reads a service with its definition.
func (t *services) Read(ctx context.Context, id string) (*engine.Object, error) {
	o, _, err := t.read(ctx, id)
	return o, err
}

func (t *services) read(ctx context.Context, id string) (*engine.Object, map[string]any, error) {
	var raw map[string]any
	if err := t.Client.Get(ctx, t.URL(id), nil, &raw); err != nil {
		return nil, nil, err
	}
	res, err := t.Client.Do(ctx, rest.Request{Path: t.URL(id) + "/definition", Accept: "*/*"})
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return nil, nil, err
	}
	if err == nil {
		raw[definitionMember] = definitionElements(string(res.Body))
	}
	o, err := t.Object(raw)
	if err != nil {
		return nil, nil, err
	}
	return o, raw, nil
}

// Find finds a service by name and version.
func (t *services) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	name, version := knownString(wanted, "name"), knownString(wanted, "version")
	for raw, err := range t.Elements(ctx, t.Filter(wanted)) {
		if err != nil {
			return nil, err
		}
		if id, _ := raw["id"].(string); raw["name"] == name && raw["version"] == version {
			return t.Read(ctx, id)
		}
	}
	return nil, fmt.Errorf("service %q %s: %w", name, version, engine.ErrNotFound)
}

// send sends the form of a service.
func (t *services) send(ctx context.Context, method, path string, metadata map[string]any, planned cty.Value) (*rest.Response, error) {
	text, err := plannedDefinition(planned)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"id", "usage", "createdTime", "lastUpdatedTime", "md5", definitionMember} {
		delete(metadata, name)
	}
	fields, err := json.Marshal(metadata)
	if err != nil {
		return nil, rest.Unwritten(err)
	}
	r := formRequest(method, path, formPart{name: "serviceMetadata", file: "metadata.json", text: string(fields)}, formPart{"definitionFile", "definition.json", text})
	res, err := t.Client.Do(ctx, r)
	return res, explainDefinition(err)
}

// Create makes a service.
func (t *services) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	res, err := t.send(ctx, http.MethodPost, t.Path, rest.Encode(&t.Type.Block, planned), planned)
	if err != nil {
		return nil, err
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := res.JSON(&made); err != nil || made.ID == "" {
		return nil, fmt.Errorf("POST %s: the server answered %d without an id", t.Path, res.Status)
	}
	return t.written(ctx, made.ID, planned)
}

func (t *services) written(ctx context.Context, id string, planned cty.Value) (*engine.Object, error) {
	o, err := t.Read(ctx, id)
	if err != nil {
		return &engine.Object{ID: id, Value: settled(planned)}, fmt.Errorf("the service was stored and could not be read: %w", rest.Unfound(err))
	}
	return o, notStored(&t.Type.Block, t.Type.Object(nil), planned, o.Value)
}

// Update changes a service.
func (t *services) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, raw, err := t.read(ctx, live.ID)
	if err != nil {
		return nil, err
	}
	b := &t.Type.Block
	if err := rest.Moved(b, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	planned = rest.Rebase(b, live.Value, planned, now.Value)
	rest.Overlay(b, raw, now.Value, planned)
	if _, err := t.send(ctx, http.MethodPut, t.URL(live.ID), raw, planned); err != nil {
		return nil, rest.Unfound(err)
	}
	return t.written(ctx, live.ID, planned)
}

// Blockers names the APIs that were made of a service.
func (t *services) Blockers(ctx context.Context, live *engine.Object) ([]string, error) {
	var out []struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	err := t.Client.GetList(ctx, t.URL(live.ID)+"/usage", nil, "list", &out)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil
	}
	var names []string
	for _, a := range out {
		names = append(names, fmt.Sprintf("API %q %s", a.Name, a.Version))
	}
	return names, err
}
