package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// sharedWithProducts are the attributes and blocks that API products have in common with APIs.
var sharedWithProducts = []string{"id", "name", "version", "api_provider", "description", "lifecycle_state", "default_version", "transport", "authorization_header",
	"api_key_header", "security_scheme", "api_throttling_policy", "response_caching_enabled", "cache_timeout", "enable_schema_validation", "audiences", "gateway_vendor",
	"visibility", "visible_roles", "access_control", "access_control_roles", "subscription_availability", "subscription_available_tenants", "policies", "tags",
	"categories", "properties", "devportal_properties", "deployment", "cors", "business_information"}

// apiProductType is the table of apim_api_product (apim-behaviour 5.5).
func apiProductType() *schema.Type {
	of := apiType()
	t := &schema.Type{
		Name: "apim_api_product",
		Doc: "An API product: operations of several APIs under one context and one subscription. As with an API, a write changes the working copy, makes a " +
			"revision where what reaches the gateway differs from what is deployed, deploys it and walks the lifecycle. Where operations of its APIs change, a plan " +
			"shows its deployments as not up to date; of a changed backend API Manager does not tell.",
		Key:     []string{"name", "version"},
		Collide: collide,
		Check:   checkRetired,
	}
	for _, name := range sharedWithProducts {
		if a := of.Attribute(name); a != nil {
			own := *a
			switch name {
			case "name":
				own.Doc, own.Validate = "Name, of at most 50 characters.", productName
			case "version":
				own.Required, own.Default = false, cty.StringVal("1.0.0")
			case "lifecycle_state":
				own.JSON = "state"
			}
			t.Attributes = append(t.Attributes, own)
		}
		if b := of.NestedBlock(name); b != nil {
			t.Blocks = append(t.Blocks, *b)
		}
	}
	t.Attributes = slices.Insert(t.Attributes, 3, schema.Attribute{Name: "context", Type: cty.String, Required: true, Validate: productContext, Normalize: canonicalContext,
		Doc: "Path at the gateway, such as `/shop`, of at most 60 characters. It can be changed in place."})
	t.Blocks = slices.Insert(t.Blocks, 0, schema.NestedBlock{Name: "api", JSON: "apis", Nesting: schema.List, Required: true, Key: []string{"api_id"},
		Doc: "An API with the operations that are in the product.",
		Block: schema.Block{
			Attributes: []schema.Attribute{{Name: "api_id", Type: cty.String, Required: true, Doc: "Id of the API."}},
			Blocks: []schema.NestedBlock{{Name: "operation", JSON: "operations", Nesting: schema.List, Required: true, Key: []string{"verb", "target"},
				Doc: "An operation of the API.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "verb", Type: cty.String, Required: true, Normalize: upper, Validate: operationVerb, Doc: "Method, such as `GET`."},
					{Name: "target", Type: cty.String, Required: true, Validate: notBlank, Doc: "Path, as the API has it."},
				}}}},
		}})
	return t
}

func productName(v cty.Value) error {
	if err := apiName(v); err != nil {
		return err
	}
	return lengthIn(1, 50)(v)
}

func productContext(v cty.Value) error {
	if err := apiContext(v); err != nil {
		return err
	}
	if err := lengthIn(1, 60)(v); err != nil {
		return err
	}
	if strings.Contains(v.AsString(), "{") {
		return fmt.Errorf("%q holds a variable, which the context of a product cannot", v.AsString())
	}
	return nil
}

// apiProduct is an API product.
func apiProduct(p *Provider) engine.Type {
	return &products{
		provider: p,
		gateway:  &deployable{client: &p.client, path: publisher + "/api-products", param: "apiProductId", noun: "API product", host: p.firstHost},
		Collection: &rest.Collection{
			Client: &p.client,
			Type:   apiProductType(),
			Path:   publisher + "/api-products",
			Paging: rest.Paging{Style: rest.LimitOffset},
			Filter: func(wanted cty.Value) url.Values {
				return url.Values{"query": {fmt.Sprintf("name:%q", knownString(wanted, "name"))}}
			},
		},
	}
}

// products is the type apim_api_product.
type products struct {
	*rest.Collection
	provider *Provider
	gateway  *deployable
	ending   subscribed
}

// Read reads a product with its deployments.
func (t *products) Read(ctx context.Context, id string) (*engine.Object, error) {
	t.provider.server.owned.add(id)
	f, err := t.fetch(ctx, id)
	if err != nil {
		return nil, err
	}
	return f.object, nil
}

// Find finds a product by name and version, as apis.Find finds an API.
func (t *products) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	name, version := knownString(wanted, "name"), knownString(wanted, "version")
	var found *fetched
	look := func(ctx context.Context) (bool, error) {
		for raw, err := range t.Elements(ctx, t.Filter(wanted)) {
			if err != nil {
				return false, err
			}
			if id, _ := raw["id"].(string); id != "" && raw["name"] == name {
				f, err := t.fetch(ctx, id) // a listed product may come without its version
				if errors.Is(err, engine.ErrNotFound) {
					continue
				}
				if err != nil {
					return false, err
				}
				if f.raw["version"] == version {
					found = f
					return true, nil
				}
			}
		}
		return false, nil
	}
	none := fmt.Errorf("API product %q %s: %w", name, version, engine.ErrNotFound)
	if ok, err := look(ctx); err != nil || ok {
		if err != nil {
			return nil, err
		}
		return found.object, nil
	}
	// Products and APIs share names and contexts.
	err := t.Client.Call(ctx, rest.Request{Method: http.MethodPost, Path: publisher + "/apis/validate", Query: url.Values{"query": {"name:" + name}}, Idempotent: true}, nil)
	if err != nil {
		return nil, none
	}
	if err := t.Client.Wait(ctx, fmt.Sprintf("the index lists API product %q", name), t.provider.timings.indexed, look); err != nil && (ctx.Err() != nil || rest.StatusOf(err) != 0) {
		return nil, err
	}
	if found == nil {
		return nil, none
	}
	return found.object, nil
}

// fetch reads a product.
func (t *products) fetch(ctx context.Context, id string) (*fetched, error) {
	f := &fetched{parts: map[string]any{}}
	err := t.Client.Get(ctx, t.URL(id), nil, &f.raw)
	if rest.StatusOf(err) == http.StatusInternalServerError {
		// APIM 4.5 answers 500 for a product that there is not [seen]; for its lifecycle it answers 404.
		if _, lerr := t.gateway.lifecycle(ctx, id); errors.Is(lerr, engine.ErrNotFound) {
			return nil, lerr
		}
	}
	if err != nil {
		return nil, err
	}
	if f.raw["id"] != id {
		return nil, fmt.Errorf("GET %s: the answer is another product than the one that was asked for, or none", t.URL(id))
	}
	if f.raw["isRevision"] == true {
		return nil, fmt.Errorf("%s is a revision, no API product: %w", id, engine.ErrNotFound)
	}
	if f.revisions, err = t.gateway.revisions(ctx, id); err != nil {
		return nil, err
	}
	f.decoded = clone(f.raw)
	decodeProperties(f.decoded)
	f.parts["apis"] = f.raw["apis"]
	f.digest = gatewayDigest(f.raw, f.parts)
	f.decoded[deploymentsMember] = t.gateway.deployments(f.revisions, f.digest, func(revision string) string {
		var raw map[string]any
		if err := t.Client.Get(ctx, t.URL(revision), nil, &raw); err != nil {
			return ""
		}
		return gatewayDigest(raw, map[string]any{"apis": raw["apis"]})
	})
	v, err := rest.Decode(&t.Type.Block, f.decoded)
	if err != nil {
		return nil, fmt.Errorf("%s: reading what the server sent: %w", t.URL(id), err)
	}
	f.object = &engine.Object{ID: id, Value: v}
	return f, nil
}

// encodeProduct is the inverse of what fetch does to a product, for what a create or a PUT sends.
func encodeProduct(p map[string]any) {
	encodeProperties(p)
	for _, x := range append(listOf(p["apis"]), p) {
		m, _ := x.(map[string]any)
		for _, y := range listOf(m["operations"]) {
			if o, ok := y.(map[string]any); ok {
				if verb, ok := o["verb"].(string); ok {
					o["verb"] = strings.ToUpper(verb)
				}
			}
		}
	}
	for _, name := range append(slices.Clone(addedMembers), "id", "state", "hasThumbnail", "isRevision", "revisionedApiProductId", "revisionId", "createdTime",
		"lastUpdatedTime", "lastUpdatedTimestamp", "workflowStatus", "displayName", "scopes") {
		delete(p, name)
	}
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}

// Create makes a product and leads it where it is wanted.
func (t *products) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	plainPlanned, _ := planned.UnmarkDeep()
	if err := t.provider.checkEnvironments(ctx, plainPlanned); err != nil {
		return nil, rest.Unwritten(err)
	}
	body := rest.Encode(&t.Type.Block, plainPlanned)
	encodeProduct(body)
	res, err := t.Client.Do(ctx, rest.Request{Method: http.MethodPost, Path: t.Path, Body: body})
	if err != nil {
		return nil, t.explain(ctx, plainPlanned, err)
	}
	var raw struct {
		ID string `json:"id"`
	}
	if err := res.JSON(&raw); err != nil || raw.ID == "" {
		raw.ID = res.Location()
	}
	if raw.ID == "" {
		return nil, fmt.Errorf("POST %s: the server answered %d without an id", t.Path, res.Status)
	}
	made := &engine.Object{ID: raw.ID, Value: settled(planned)}
	f, err := t.fetch(ctx, raw.ID)
	if err != nil {
		return made, fmt.Errorf("the API product was made and could not be read: %w", rest.Unfound(err))
	}
	return t.lead(ctx, f, plainPlanned)
}

// Update leads a product where it is wanted.
func (t *products) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	f, err := t.fetch(ctx, live.ID)
	if err != nil {
		return nil, err
	}
	b := &t.Type.Block
	if err := rest.Moved(b, live.Value, planned, f.object.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	plainPlanned, _ := planned.UnmarkDeep()
	if err := t.provider.checkEnvironments(ctx, plainPlanned); err != nil {
		return nil, rest.Unwritten(err)
	}
	return t.lead(ctx, f, withBlock(rest.Rebase(b, live.Value, planned, f.object.Value), "deployment", plainPlanned.GetAttr("deployment")))
}

// lead changes what was read to what is planned: the working copy, a revision and its deployments,
// the lifecycle.
func (t *products) lead(ctx context.Context, f *fetched, planned cty.Value) (*engine.Object, error) {
	id, before := f.object.ID, f.object.Value
	fail := func(err error) (*engine.Object, error) {
		if now, rerr := t.fetch(context.WithoutCancel(ctx), id); rerr == nil {
			return now.object, err
		}
		return f.object, err
	}
	body := func(v cty.Value) map[string]any {
		out := clone(f.decoded)
		rest.Overlay(&t.Type.Block, out, f.object.Value, v)
		encodeProduct(out)
		return out
	}
	if sent := body(planned); !reflect.DeepEqual(unordered(sent), unordered(body(before))) {
		if err := t.Client.Call(ctx, rest.Request{Method: http.MethodPut, Path: t.URL(id), Body: sent}, nil); err != nil {
			return fail(t.explain(ctx, planned, rest.Unfound(err)))
		}
		now, err := t.fetch(ctx, id)
		if err != nil {
			return fail(fmt.Errorf("it was changed, but could not be read: %w", rest.Unfound(err)))
		}
		f = now
	}
	if d, managed := wantedDeployments(planned); managed {
		d.digest = f.digest
		if err := t.gateway.deploy(ctx, id, d); err != nil {
			return fail(err)
		}
	}
	state, want := strings.ToUpper(knownString(f.object.Value, "lifecycle_state")), strings.ToUpper(knownString(planned, "lifecycle_state"))
	if want != "" && want != state {
		if err := t.gateway.walk(ctx, id, state, want); err != nil {
			return fail(err)
		}
	}
	now, err := t.fetch(ctx, id)
	if err != nil {
		return f.object, fmt.Errorf("it was changed, but could not be read: %w", rest.Unfound(err))
	}
	return now.object, notStored(&t.Type.Block, before, planned, now.object.Value)
}

// explain points at the attribute that a refusal speaks of.
func (t *products) explain(ctx context.Context, planned cty.Value, err error) error {
	at := func(attribute, summary string, err error) error {
		return &engine.AttributeError{Attribute: attribute, Summary: summary, Err: err}
	}
	switch rest.CodeOf(err) {
	case "900341":
		return at("api", "Operation of two APIs", fmt.Errorf("%w; keep it in one of the api blocks", err))
	case "900342":
		return at("api", "API without an endpoint", fmt.Errorf("%w; give the API an endpoint first", err))
	case "900343":
		return at("api", "API in a state that products cannot have", err)
	case "900251", "900252", "900253":
		return at("context", "Context refused", fmt.Errorf("%w; choose another context, which no API or product has", err))
	}
	if rest.StatusOf(err) == http.StatusInternalServerError {
		// APIM 4.5 answers 500 for an operation that its API lacks [seen], so we say which.
		if missing := t.lacking(context.WithoutCancel(ctx), planned); missing != "" {
			return at("api", "Unknown operation", fmt.Errorf("%s: %w", missing, err))
		}
	}
	return t.provider.explainAPI(ctx, planned, err)
}

// lacking finds an operation of a planned product that its API does not have.
func (t *products) lacking(ctx context.Context, planned cty.Value) string {
	for _, member := range knownList(planned, "api") {
		id := knownString(member, "api_id")
		var raw struct {
			Name       string `json:"name"`
			Operations []struct {
				Verb   string `json:"verb"`
				Target string `json:"target"`
			} `json:"operations"`
		}
		err := t.Client.Get(ctx, publisher+"/apis/"+url.PathEscape(id), nil, &raw)
		if errors.Is(err, engine.ErrNotFound) {
			return fmt.Sprintf("there is no API with the id %q", id)
		}
		if err != nil {
			return ""
		}
		for _, o := range knownList(member, "operation") {
			verb, target := strings.ToUpper(knownString(o, "verb")), knownString(o, "target")
			has := slices.ContainsFunc(raw.Operations, func(x struct {
				Verb   string `json:"verb"`
				Target string `json:"target"`
			}) bool {
				return strings.EqualFold(x.Verb, verb) && x.Target == target
			})
			if !has {
				return fmt.Sprintf("API %q has no operation %s %s", raw.Name, verb, target)
			}
		}
	}
	return ""
}

// Delete removes a product.
func (t *products) Delete(ctx context.Context, live *engine.Object) error {
	res, err := t.Client.Do(ctx, rest.Request{Method: http.MethodDelete, Path: t.URL(live.ID)})
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case rest.StatusOf(err) == http.StatusConflict:
		of := fmt.Sprintf("API product %q", knownString(live.Value, "name"))
		if subs, serr := t.provider.subscriptionsOf(ctx, live.ID); serr == nil && len(subs) > 0 {
			return fmt.Errorf("%s has %d subscriptions: %s; end them first: %w", of, len(subs), some(subs), err)
		}
		return fmt.Errorf("%s is in use: %w", of, err)
	case rest.StatusOf(err) == http.StatusInternalServerError:
		if _, ferr := t.fetch(ctx, live.ID); errors.Is(ferr, engine.ErrNotFound) {
			return nil
		}
		return err
	case err != nil:
		return err
	case res.Status == http.StatusAccepted:
		return fmt.Errorf("the deletion of API product %q waits for an approval in the admin portal; approve it and apply again", knownString(live.Value, "name"))
	}
	return nil
}

// CheckPlan refuses lifecycle states that cannot be reached, and a publish without tiers.
func (t *products) CheckPlan(ctx context.Context, planned []engine.Planned) []engine.PlanProblem {
	return checkLifecycles(ctx, t.gateway, planned)
}

// Blockers names the subscriptions to a product that are not ours.
func (t *products) Blockers(ctx context.Context, live *engine.Object) ([]string, error) {
	list, err := t.provider.subscribers(ctx, live.ID)
	switch rest.StatusOf(err) {
	case http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden:
		return nil, nil
	}
	t.ending.set(live.ID, len(list))
	var out []string
	for _, s := range list {
		if !t.provider.server.owned.has(s.id) {
			out = append(out, s.text)
		}
	}
	return out, err
}

// Consequence says what ends with a product.
func (t *products) Consequence(action engine.Action, before, after cty.Value) string {
	return ending(action, before, after, t.ending.get(knownString(before, "id")), "API product")
}
