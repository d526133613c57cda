package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sync/errgroup"

	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// api is an API.
func api(p *Provider) engine.Type {
	table := apiType()
	return &apis{
		provider: p,
		gateway:  &deployable{client: &p.client, path: publisher + "/apis", param: "apiId", noun: "API", host: p.firstHost},
		Collection: &rest.Collection{
			Client: &p.client,
			Type:   table,
			Path:   publisher + "/apis",
			Paging: rest.Paging{Style: rest.LimitOffset},
			// The index finds names that contain it, in any case, and lags behind (apim-behaviour 2.1, 2.5).
			Filter: func(wanted cty.Value) url.Values {
				return url.Values{"query": {fmt.Sprintf("name:%q version:%q", knownString(wanted, "name"), knownString(wanted, "version"))}}
			},
			Match: func(raw map[string]any, wanted cty.Value) bool {
				return raw["name"] == knownString(wanted, "name") && raw["version"] == knownString(wanted, "version")
			},
		},
	}
}

// apis is the type apim_api.
type apis struct {
	*rest.Collection
	provider *Provider
	gateway  *deployable
	ending   subscribed
}

// A fetched API is all of it that was read.
type fetched struct {
	object    *engine.Object
	raw       map[string]any // as the publisher sent it
	decoded   map[string]any // the same in the shape of the tables, which Overlay changes
	parts     map[string]any // what else reaches the gateway
	digest    string
	revisions []revision
	endpoints []any // those of an AI API that have an address of their own
}

// Read reads an API with its definition, deployments, labels, and what else its type and security
// have: three requests of an ordinary one, four where the server has labels.
func (t *apis) Read(ctx context.Context, id string) (*engine.Object, error) {
	f, err := t.fetch(ctx, id)
	if err != nil {
		return nil, err
	}
	return f.object, nil
}

// Find finds an API by name and version. Listings come from an index that lags behind
// (apim-behaviour 2.5), so when one lacks an API whose name the server says is taken, it is asked
// again for a while.
func (t *apis) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	name, version := knownString(wanted, "name"), knownString(wanted, "version")
	none := fmt.Errorf("API %q %s: %w", name, version, engine.ErrNotFound)
	var found *engine.Object
	look := func(ctx context.Context) (bool, error) {
		for raw, err := range t.Elements(ctx, t.Filter(wanted)) {
			if err != nil {
				return false, err
			}
			if id, _ := raw["id"].(string); id != "" && t.Match(raw, wanted) {
				o, err := t.Read(ctx, id)
				if errors.Is(err, engine.ErrNotFound) {
					continue // deleted, and still in the index
				}
				found = o
				return err == nil, err
			}
		}
		return false, nil
	}
	if ok, err := look(ctx); err != nil || ok {
		return found, err
	}
	err := t.Client.Call(ctx, rest.Request{Method: http.MethodPost, Path: t.Path + "/validate", Query: url.Values{"query": {"name:" + name}}, Idempotent: true}, nil)
	if err != nil {
		return nil, none // the name is free, or the server does not tell
	}
	// It may be the name of another version.
	if err := t.Client.Wait(ctx, fmt.Sprintf("the index lists API %q", name), t.provider.timings.indexed, look); err != nil && (ctx.Err() != nil || rest.StatusOf(err) != 0) {
		return nil, err
	}
	if found != nil {
		return found, nil
	}
	return nil, none
}

// fetch reads an API.
func (t *apis) fetch(ctx context.Context, id string) (*fetched, error) {
	f := &fetched{parts: map[string]any{}}
	if err := t.Client.Get(ctx, t.URL(id), nil, &f.raw); err != nil {
		return nil, err
	}
	if f.raw["id"] != id {
		return nil, fmt.Errorf("GET %s: the answer is another API than the one that was asked for, or none", t.URL(id))
	}
	if f.raw["isRevision"] == true {
		return nil, fmt.Errorf("%s is a revision, no API: %w", id, engine.ErrNotFound)
	}
	decoded := clone(f.raw)
	decodeAPI(decoded)
	var (
		mu    sync.Mutex
		group errgroup.Group
	)
	part := func(read func() (member string, v any, err error)) {
		group.Go(func() error {
			member, v, err := read()
			mu.Lock()
			defer mu.Unlock()
			if err == nil && v != nil {
				decoded[member] = v
			}
			return rest.Unfound(err)
		})
	}
	// Asked before the parts are filled in beside.
	kind, _ := decoded["type"].(string)
	certificates, ai := demandsCertificates(decoded), decoded[subtypeMember] == subtypeAI
	part(func() (string, any, error) {
		v, err := t.definition(ctx, id, kind)
		if v == nil {
			return definitionMember, nil, err
		}
		return definitionMember, v, err
	})
	part(func() (string, any, error) {
		v, err := t.labels(ctx, id)
		return labelsMember, v, err
	})
	group.Go(func() (err error) {
		f.revisions, err = t.gateway.revisions(ctx, id)
		return err
	})
	if certificates {
		part(func() (string, any, error) {
			v, err := t.certificates(ctx, id)
			return certificatesMember, v, err
		})
	}
	if kind == "GRAPHQL" {
		part(func() (string, any, error) {
			v, err := t.complexities(ctx, id)
			return complexitiesMember, v, err
		})
	}
	if ai {
		group.Go(func() (err error) {
			f.endpoints, err = t.namedEndpoints(ctx, id)
			return rest.Unfound(err)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if v := decoded[definitionMember]; v != nil {
		f.parts["definition"] = v
	}
	for name, member := range map[string]string{"certificates": certificatesMember, "complexity": complexitiesMember} {
		if v := decoded[member]; v != nil {
			f.parts[name] = v
		}
	}
	if len(f.endpoints) > 0 {
		f.parts["endpoints"] = stripRaw(f.endpoints)
		list, _ := decoded[endpointsMember].([]any)
		decoded[endpointsMember] = append(list, f.endpoints...)
	}
	t.namePrimaries(decoded, f.endpoints)
	f.digest = gatewayDigest(f.raw, f.parts)
	decoded[deploymentsMember] = t.gateway.deployments(f.revisions, f.digest, func(revision string) string { return t.foreignDigest(ctx, revision, kind) })
	f.decoded = decoded
	v, err := rest.Decode(&t.Type.Block, decoded)
	if err != nil {
		return nil, fmt.Errorf("%s: reading what the server sent: %w", t.URL(id), err)
	}
	f.object = &engine.Object{ID: id, Value: v}
	return f, nil
}

// foreignDigest returns the digest of a revision that we did not make, which can be read as an API
// can; "" when it cannot be told, and then it counts as different.
func (t *apis) foreignDigest(ctx context.Context, revision, kind string) string {
	var raw map[string]any
	if err := t.Client.Get(ctx, t.URL(revision), nil, &raw); err != nil {
		return ""
	}
	parts := map[string]any{}
	elements, err := t.definition(ctx, revision, kind)
	if err != nil {
		return ""
	}
	if elements != nil {
		parts["definition"] = elements
	}
	return gatewayDigest(raw, parts)
}

// Create makes an API and leads it where it is wanted.
func (t *apis) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	plainPlanned, _ := planned.UnmarkDeep()
	if err := t.provider.checkEnvironments(ctx, plainPlanned); err != nil {
		return nil, rest.Unwritten(err)
	}
	id, err := t.make(ctx, plainPlanned)
	if err != nil {
		return nil, t.provider.explainAPI(ctx, plainPlanned, rest.Hide(err, planned))
	}
	made := &engine.Object{ID: id, Value: settled(planned)}
	f, err := t.fetch(ctx, id)
	if err != nil {
		return made, fmt.Errorf("the API was made and could not be read: %w", rest.Unfound(err))
	}
	o, err := t.lead(ctx, f, writtenSecrets(&t.Type.Block, plainPlanned), false)
	if err != nil {
		return o, t.provider.explainAPI(ctx, plainPlanned, rest.Hide(err, planned))
	}
	return o, nil
}

// Update leads an API where it is wanted.
func (t *apis) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
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
	rebased := rest.Rebase(b, live.Value, planned, f.object.Value)
	if blocks := plain(plainPlanned, "deployment"); blocks.IsKnown() {
		rebased = withBlock(rebased, "deployment", blocks)
	}
	o, err := t.lead(ctx, f, rebased, writesSecrets(b, plainPlanned))
	if rest.CodeOf(err) == "900344" {
		if products, perr := t.provider.productsOf(context.WithoutCancel(ctx), live.ID, func(string) bool { return true }); perr == nil && len(products) > 0 {
			err = &engine.AttributeError{Attribute: "operation", Summary: "Operation used by an API product",
				Err: fmt.Errorf("an operation that would go is used: %s. Take it from the product first, or keep it: %w", listed(products), err)}
		}
	}
	if err != nil {
		return o, t.provider.explainAPI(ctx, plainPlanned, rest.Hide(err, planned))
	}
	return o, nil
}

// lead changes what was read to what is planned: the working copy, certificates, endpoints, labels,
// then a revision and its deployments, then the lifecycle. It returns the object as it is then, also
// with an error, for what was done until then.
func (t *apis) lead(ctx context.Context, f *fetched, planned cty.Value, force bool) (*engine.Object, error) {
	id, before := f.object.ID, f.object.Value
	fail := func(err error) (*engine.Object, error) {
		if now, rerr := t.fetch(context.WithoutCancel(ctx), id); rerr == nil {
			return now.object, err
		}
		return f.object, err
	}
	// What is up to date is to be so afterwards too; the work itself makes it stale.
	deployments := planned.GetAttr("deployment")
	d, managed := wantedDeployments(planned)
	wrote, f, planned, err := t.work(ctx, f, planned)
	planned = withBlock(planned, "deployment", deployments)
	if err != nil {
		return fail(err)
	}
	more, err := t.surroundings(ctx, f, planned)
	if err != nil {
		return fail(err)
	}
	if wrote || more {
		now, err := t.refetch(ctx, f)
		if err != nil {
			return fail(fmt.Errorf("it was changed, but could not be read: %w", rest.Unfound(err)))
		}
		f = now
	}
	state, wantedState := knownString(f.object.Value, "lifecycle_state"), strings.ToUpper(knownString(planned, "lifecycle_state"))
	if managed {
		d.digest, d.force = f.digest, force
		if err := t.gateway.deploy(ctx, id, d); err != nil {
			return fail(err)
		}
	}
	if wantedState != "" && wantedState != state {
		if err := t.gateway.walk(ctx, id, state, wantedState); err != nil {
			return fail(err)
		}
	}
	now, err := t.fetch(ctx, id)
	if err != nil {
		return f.object, fmt.Errorf("it was changed, but could not be read: %w", rest.Unfound(err))
	}
	return now.object, notStored(&t.Type.Block, before, planned, now.object.Value)
}

// withBlock returns v with another value of one block.
func withBlock(v cty.Value, name string, block cty.Value) cty.Value {
	attrs := v.AsValueMap()
	attrs[name] = block
	return cty.ObjectVal(attrs)
}

// refetch reads an API again after a write to it.
func (t *apis) refetch(ctx context.Context, f *fetched) (*fetched, error) {
	return t.fetch(ctx, f.object.ID)
}

// Delete removes an API, or retires it where on_destroy says so.
func (t *apis) Delete(ctx context.Context, live *engine.Object) error {
	var raw map[string]any
	err := t.Client.Get(ctx, t.URL(live.ID), nil, &raw)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	decodeAPI(raw)
	state, _ := raw["lifeCycleStatus"].(string)
	if raw[onDestroyMember] == destroyRetires && retirable(state) {
		return t.gateway.retire(ctx, live.ID, state)
	}
	res, err := t.Client.Do(ctx, rest.Request{Method: http.MethodDelete, Path: t.URL(live.ID)})
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case rest.StatusOf(err) == http.StatusConflict:
		return t.explainDelete(ctx, live, err)
	case err != nil:
		return err
	case res.Status == http.StatusAccepted:
		return fmt.Errorf("the deletion of API %q waits for an approval in the admin portal; approve it and apply again", knownString(live.Value, "name"))
	}
	return nil
}

// explainDelete says who holds an API that cannot be deleted.
func (t *apis) explainDelete(ctx context.Context, live *engine.Object, refusal error) error {
	of := fmt.Sprintf("API %q %s", knownString(live.Value, "name"), knownString(live.Value, "version"))
	subs, err := t.provider.subscriptionsOf(ctx, live.ID)
	if err == nil && len(subs) > 0 {
		return fmt.Errorf("%s has %d subscriptions: %s; end them, or set on_destroy = %q and apply before it is destroyed: %w", of, len(subs), some(subs), destroyRetires, refusal)
	}
	products, err := t.provider.productsOf(ctx, live.ID, func(string) bool { return true })
	if err == nil && len(products) > 0 {
		return fmt.Errorf("%s is used by %s; take its operations from there first: %w", of, listed(products), refusal)
	}
	return fmt.Errorf("%s is in use: %w", of, refusal)
}
