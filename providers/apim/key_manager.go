package apim

import (
	"context"
	"fmt"
	"net/http"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// keyManager is an OAuth2 server that API Manager delegates tokens to.
func keyManager(p *Provider) engine.Type {
	t := newKeyManagers(p, keyManagerType(), "/key-managers")
	// Lists hold summaries, and tenants see global ones among them (apim-behaviour 3.1).
	t.Match = func(raw map[string]any, wanted cty.Value) bool {
		return raw["name"] == knownString(wanted, "name") && raw["isGlobal"] != true
	}
	t.System = func(km map[string]any) bool { return km["name"] == residentKeyManager }
	return t
}

// newKeyManagers makes a type of key managers, which are kept at path.
func newKeyManagers(p *Provider, table *schema.Type, path string) *keyManagers {
	return &keyManagers{
		server:  &p.server,
		timings: &p.timings,
		Collection: &rest.Collection{
			Client: &p.client,
			Type:   table,
			Path:   admin + path,
			Paging: rest.Paging{Items: "list"},
			// Lists hold summaries.
			Match:    func(raw map[string]any, wanted cty.Value) bool { return raw["name"] == knownString(wanted, "name") },
			ListKeys: true,
			Decode: func(km map[string]any) error {
				decodeKeyManager(&table.Block, km)
				return nil
			},
			// APIM 4.5 answers POST and PUT with secrets in the clear (apim-behaviour 0.2), so we
			// take what is live from a read.
			ReadBack: true,
		},
	}
}

// keyManagers is the type apim_key_manager: a Collection whose writes need the connector's table of
// properties, and take effect later than they are answered.
type keyManagers struct {
	*rest.Collection
	server  *server
	timings *timings
}

// Create makes a key manager, and waits until the developer portal offers it.
func (t *keyManagers) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	c, err := t.connector(ctx, planned)
	if err != nil {
		return nil, rest.Unwritten(err)
	}
	// API Manager does not say which property it misses (apim-behaviour 3.1).
	if names := missingEndpoints(c, settled(planned)); len(names) > 0 {
		return nil, rest.Unwritten(&engine.AttributeError{Attribute: names[0], Summary: "Missing endpoint",
			Err: fmt.Errorf("connector %s needs %s; set them to the URLs at the authorization server", knownString(planned, "type"), listed(names))})
	}
	if names := missing(c, settled(planned)); len(names) > 0 {
		return nil, rest.Unwritten(&engine.AttributeError{Attribute: "additional_properties", Summary: "Missing connector property",
			Err: fmt.Errorf("connector %s needs %s; add what is secret to secret_properties and the rest to additional_properties",
				knownString(planned, "type"), listed(names))})
	}
	body := rest.Encode(&t.Type.Block, planned)
	// APIM 4.5 answers 500 when this member is absent [seen], so we send what the portal sends.
	if _, ok := body["enabled"]; !ok {
		body["enabled"] = true
	}
	encodeKeyManager(&t.Type.Block, body, c)
	res, err := t.Client.Do(ctx, rest.Request{Method: http.MethodPost, Path: t.Path, Body: body})
	if err != nil {
		return nil, explain(rest.Hide(err, planned))
	}
	o, err := t.Created(ctx, res, planned)
	if err != nil || o == nil {
		return o, err
	}
	return o, t.await(ctx, o)
}

// settled returns planned with nulls for what is not set, which plans do not know.
func settled(planned cty.Value) cty.Value {
	planned, _ = planned.UnmarkDeep()
	attrs := planned.AsValueMap()
	for name, v := range attrs {
		if !v.IsKnown() {
			attrs[name] = cty.NullVal(v.Type())
		}
	}
	return cty.ObjectVal(attrs)
}

// Update changes a key manager by PUT of the whole, and waits as Create does when it is enabled by
// that.
func (t *keyManagers) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	c, err := t.connector(ctx, live.Value)
	if err != nil {
		return nil, rest.Unwritten(err)
	}
	now, body, err := t.Current(ctx, live, planned)
	if err != nil {
		return nil, err
	}
	// Overlay knows a secret that is kept as one value; ours are kept one by one.
	delete(body, secretMember)
	rest.Overlay(&t.Type.Block, body, now.Value, rest.Rebase(&t.Type.Block, live.Value, planned, now.Value))
	encodeKeyManager(&t.Type.Block, body, c)
	res, err := t.Client.Do(ctx, rest.Request{Method: http.MethodPut, Path: t.URL(live.ID), Body: body})
	if err != nil {
		return nil, explain(rest.Hide(err, planned))
	}
	o, err := t.Updated(ctx, live.ID, res)
	if err != nil {
		return o, err
	}
	// Also one that was enabled before: an apply that ended early did not wait for it.
	return o, t.await(ctx, o)
}

// connector returns the properties that the type of v declares; none for a type that the server
// does not have, which it will say itself.
func (t *keyManagers) connector(ctx context.Context, v cty.Value) (connector, error) {
	installed, err := t.server.installed(ctx)
	return installed[knownString(v, "type")], err
}

// await waits until the developer portal lists the key manager as enabled. Keys that are generated
// before fail, and leave rows behind (apim-behaviour 3.1).
func (t *keyManagers) await(ctx context.Context, o *engine.Object) error {
	if v := plain(o.Value, "enabled"); v.IsNull() || v.False() {
		return nil
	}
	name := knownString(o.Value, "name")
	bound := t.timings.keyManager
	// The portal may hide one that is not open to everybody from the user that we are, so its
	// absence proves nothing.
	hidden := hiddenFromSome(o.Value)
	if hidden {
		bound = t.timings.restricted
	}
	err := t.Client.Wait(ctx, fmt.Sprintf("the developer portal offers key manager %q", name), bound, func(ctx context.Context) (bool, error) {
		list, err := t.server.offered(ctx)
		if err != nil {
			return false, err
		}
		for _, k := range list {
			if k.ID == o.ID && k.Enabled {
				return true, nil
			}
		}
		return false, nil
	})
	if err == nil || hidden && ctx.Err() == nil && rest.StatusOf(err) == 0 {
		return nil
	}
	return fmt.Errorf("key manager %q is stored, but not ready for use: %w", name, err)
}

func hiddenFromSome(v cty.Value) bool {
	if t := knownString(v, "permission_type"); t != "" && t != "PUBLIC" {
		return true
	}
	orgs := stringsOf(plain(v, "allowed_organizations"))
	return len(orgs) > 0 && !(len(orgs) == 1 && orgs[0] == "ALL")
}

// Delete removes a key manager. Its uses by APIs are counted in an index that lags behind
// (apim-behaviour 2.5), so a refusal is not believed at once when no application holds its keys.
func (t *keyManagers) Delete(ctx context.Context, live *engine.Object) error {
	var refusal error
	err := t.Client.Wait(ctx, fmt.Sprintf("nothing uses key manager %q", knownString(live.Value, "name")), t.timings.inUse, func(ctx context.Context) (bool, error) {
		err := t.Collection.Delete(ctx, live)
		if !inUse(err) {
			return err == nil, err
		}
		refusal = err
		apps, _, uerr := t.server.usages(ctx, live.ID)
		if uerr == nil && len(apps) > 0 {
			return false, err
		}
		return false, nil
	})
	if refusal == nil || err == nil {
		return err
	}
	apps, apis, uerr := t.server.usages(ctx, live.ID)
	if uerr != nil || len(apps)+len(apis) == 0 {
		return fmt.Errorf("key manager %q is in use: %w", knownString(live.Value, "name"), refusal)
	}
	return fmt.Errorf("key manager %q is in use by %s; take its keys and APIs from it first, or keep it with enabled = false: %w", knownString(live.Value, "name"), listed(append(apps, apis...)), refusal)
}

func inUse(err error) bool {
	return rest.CodeOf(err) == codeKeyManagerUsed || rest.StatusOf(err) == http.StatusPreconditionFailed || rest.StatusOf(err) == http.StatusConflict
}

// Blockers names the applications that hold keys of the key manager and the APIs that name it.
func (t *keyManagers) Blockers(ctx context.Context, live *engine.Object) ([]string, error) {
	apps, apis, err := t.server.usages(ctx, live.ID)
	switch rest.StatusOf(err) {
	case http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden:
		// Gone meanwhile, or a server that does not tell: then the deletion itself is refused.
		return nil, nil
	}
	return append(apps, apis...), err
}

// Consequence says who is cut off.
func (t *keyManagers) Consequence(action engine.Action, before, after cty.Value) string {
	name := knownString(before, "name")
	switch action {
	case engine.Replace, engine.Delete:
		return fmt.Sprintf("Tokens of key manager %q are refused at the gateway from then on, and applications need new keys.", name)
	case engine.Update:
		was, is := plain(before, "enabled"), plain(after, "enabled")
		if isKnown(was) && was.True() && isKnown(is) && is.False() {
			return fmt.Sprintf("Tokens of key manager %q are refused at the gateway from then on.", name)
		}
	}
	return ""
}

// explain points at the attribute that a refusal speaks of.
func explain(err error) error {
	at := func(attribute, summary string) error {
		return &engine.AttributeError{Attribute: attribute, Summary: summary, Err: err}
	}
	switch rest.CodeOf(err) {
	case "901400":
		return at("type", "Unknown type of key manager")
	case "901401":
		return at("additional_properties", "Missing connector property")
	case "900607":
		return at("permission_roles", "Unknown role")
	case "900611", "900612", "900613":
		return at("token_type", "Identity provider not made")
	}
	return err
}
