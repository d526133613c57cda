package apim

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// roleType is the table of the data source apim_role (apim-behaviour 2.4).
func roleType() *schema.Type {
	return &schema.Type{
		Name:     "apim_role",
		DataOnly: true,
		Doc:      "A role of API Manager's user store. Reading one that does not exist is an error, so what refers to it is not planned with a role that the server refuses.",
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "name", Type: cty.String, Required: true, Validate: lengthIn(1, 255), Doc: "Name, such as `Internal/publisher`."},
		}},
	}
}

// role asks whether a role exists.
type role struct {
	client *rest.Client
	table  *schema.Type
}

func newRole(p *Provider) engine.Finder { return &role{&p.client, roleType()} }

// Schema returns the table.
func (t *role) Schema() *schema.Type { return t.table }

// Find asks for the role that wanted names.
func (t *role) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	name := knownString(wanted, "name")
	_, err := t.client.Do(ctx, rest.Request{Method: http.MethodHead, Path: admin + "/roles/" + base64.RawURLEncoding.EncodeToString([]byte(name))})
	if errors.Is(err, engine.ErrNotFound) {
		return nil, fmt.Errorf("API Manager's user store has no role %q: %w", name, engine.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return &engine.Object{ID: name, Value: t.table.Object(map[string]cty.Value{"name": cty.StringVal(name)})}, nil
}
