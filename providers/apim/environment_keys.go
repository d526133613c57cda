package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// environmentKeysType is the table of apim_environment_keys.
func environmentKeysType() *schema.Type {
	return &schema.Type{
		Name: "apim_environment_keys",
		Doc: "Addresses of backends that an API has in one gateway environment, in place of those of its endpoint configuration: there, a part of an address such " +
			"as `${productionEndpoint}` stands for them. They reach the gateway with the next deployment of the API.",
		Key: []string{"api_id", "environment"},
		Check: func(v cty.Value) []schema.Problem {
			if isSet(v, "production_endpoint") || isSet(v, "sandbox_endpoint") {
				return nil
			}
			return []schema.Problem{{Summary: "Missing endpoint", Detail: "The keys of an environment are addresses, and these have none. Set production_endpoint or sandbox_endpoint."}}
		},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "Ids of the API and of the environment."},
			{Name: "api_id", Type: cty.String, Required: true, RequiresReplace: true, Parent: true, Doc: "Id of the API."},
			{Name: "environment", Type: cty.String, Required: true, RequiresReplace: true, Doc: "Name of the gateway environment, such as `Default`."},
			{Name: "production_endpoint", Type: cty.String, Validate: notBlank, Doc: "Address of the production backend there."},
			{Name: "sandbox_endpoint", Type: cty.String, Validate: notBlank, Doc: "Address of the sandbox backend there."},
		}},
	}
}

// environmentKeys are addresses of an API in an environment.
func environmentKeys(p *Provider) engine.Type {
	return &environmentAddresses{provider: p, client: &p.client, table: environmentKeysType()}
}

// environmentAddresses is the type apim_environment_keys. Its ids are "apis/ID/environments/ID".
type environmentAddresses struct {
	provider *Provider
	client   *rest.Client
	table    *schema.Type
}

// Schema returns the table.
func (t *environmentAddresses) Schema() *schema.Type { return t.table }

// id returns the id of the addresses that v names.
func (t *environmentAddresses) id(ctx context.Context, v cty.Value) (string, error) {
	environment, err := t.provider.environmentID(ctx, knownString(v, "environment"))
	if err != nil {
		return "", err
	}
	return "apis/" + url.PathEscape(knownString(v, "api_id")) + "/environments/" + url.PathEscape(environment), nil
}

// Find finds the addresses of an API in an environment.
func (t *environmentAddresses) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	id, err := t.id(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return t.Read(ctx, id)
}

// Read reads addresses; none at all are not there.
func (t *environmentAddresses) Read(ctx context.Context, id string) (*engine.Object, error) {
	parts, err := heldID(id, 4)
	if err != nil {
		return nil, err
	}
	var raw map[string]any
	if err := t.client.Get(ctx, publisher+"/"+id+"/keys", nil, &raw); err != nil {
		return nil, err
	}
	addresses := map[string]cty.Value{}
	for member, name := range map[string]string{"productionEndpoint": "production_endpoint", "sandboxEndpoint": "sandbox_endpoint"} {
		if s, ok := raw[member].(string); ok && s != "" {
			addresses[name] = cty.StringVal(s)
		}
	}
	if len(addresses) == 0 {
		return nil, fmt.Errorf("%s has no addresses: %w", id, engine.ErrNotFound)
	}
	environment, err := url.PathUnescape(parts[3])
	if err != nil {
		return nil, fmt.Errorf("%q is no id of addresses: %w", id, engine.ErrNotFound)
	}
	name, err := t.provider.environmentName(ctx, environment)
	if err != nil {
		return nil, err
	}
	addresses["id"], addresses["api_id"], addresses["environment"] = cty.StringVal(id), cty.StringVal(parts[1]), cty.StringVal(name)
	return &engine.Object{ID: id, Value: t.table.Object(addresses)}, nil
}

// put stores addresses.
func (t *environmentAddresses) put(ctx context.Context, id string, planned cty.Value) (*engine.Object, error) {
	body := map[string]any{}
	for name, member := range map[string]string{"production_endpoint": "productionEndpoint", "sandbox_endpoint": "sandboxEndpoint"} {
		if s := knownString(planned, name); s != "" {
			body[member] = s
		}
	}
	if err := t.client.Call(ctx, rest.Request{Method: http.MethodPut, Path: publisher + "/" + id + "/keys", Body: body}, nil); err != nil {
		return nil, rest.Unfound(err)
	}
	o, err := t.Read(ctx, id)
	if err != nil {
		return &engine.Object{ID: id, Value: settled(planned)}, fmt.Errorf("the addresses were stored and could not be read: %w", rest.Unfound(err))
	}
	return o, nil
}

// Create stores the addresses of an API that has none there.
func (t *environmentAddresses) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	id, err := t.id(ctx, planned)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, rest.Unwritten(&engine.AttributeError{Attribute: "environment", Summary: "Unknown gateway environment", Err: rest.Unfound(err)})
	}
	if err != nil {
		return nil, rest.Unwritten(err)
	}
	return t.put(ctx, id, planned)
}

// Update changes addresses.
func (t *environmentAddresses) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, err := t.Read(ctx, live.ID)
	if err != nil {
		return nil, err
	}
	if err := rest.Moved(&t.table.Block, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	return t.put(ctx, live.ID, rest.Rebase(&t.table.Block, live.Value, planned, now.Value))
}

// Delete removes the addresses: the API has those of its endpoint configuration again.
func (t *environmentAddresses) Delete(ctx context.Context, live *engine.Object) error {
	err := t.client.Call(ctx, rest.Request{Method: http.MethodPut, Path: publisher + "/" + live.ID + "/keys", Body: map[string]any{}}, nil)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}
