package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// unlabelled reports whether the server certainly has no labels, and so no API has: one that is
// attached is not deleted (apim-behaviour 3.6). It is asked once for all APIs.
func (t *apis) unlabelled(ctx context.Context) bool {
	s := &t.provider.server
	none, err := s.noLabels.get(ctx, func(ctx context.Context) (bool, error) {
		var out []any
		err := t.Client.GetList(ctx, publisher+"/labels", nil, "list", &out)
		switch rest.StatusOf(err) {
		case http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden:
			return false, nil // it does not tell
		}
		return len(out) == 0, err
	})
	return none && err == nil && !s.attached.Load()
}

// labels returns the names of an API's labels.
func (t *apis) labels(ctx context.Context, id string) ([]any, error) {
	if t.unlabelled(ctx) {
		return nil, nil
	}
	var out []struct {
		Name string `json:"name"`
	}
	err := t.Client.GetList(ctx, t.URL(id)+"/labels", nil, "list", &out)
	switch rest.StatusOf(err) {
	case http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden:
		return nil, nil // a server that has none, or does not tell
	}
	names := []any{}
	for _, l := range out {
		names = append(names, l.Name)
	}
	return names, err
}

// leadLabels attaches and detaches labels, which the server knows by id.
func (t *apis) leadLabels(ctx context.Context, f *fetched, planned cty.Value) (bool, error) {
	v := plain(planned, "labels")
	if !isKnown(v) {
		return false, nil
	}
	want, have := stringsOf(v), stringsOf(plain(f.object.Value, "labels"))
	lacking := func(of, in []string) []string {
		return slices.DeleteFunc(slices.Clone(of), func(name string) bool { return slices.Contains(in, name) })
	}
	attach, detach := lacking(want, have), lacking(have, want)
	if len(attach)+len(detach) == 0 {
		return false, nil
	}
	var all []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	if err := t.Client.GetList(ctx, publisher+"/labels", nil, "list", &all); err != nil {
		return false, err
	}
	ids := map[string]string{}
	for _, l := range all {
		ids[l.Name] = l.ID
	}
	for _, change := range []struct {
		names []string
		path  string
	}{{detach, "/detach-labels"}, {attach, "/attach-labels"}} {
		var list []string
		for _, name := range change.names {
			if ids[name] == "" {
				return false, &engine.AttributeError{Attribute: "labels", Summary: "Unknown label",
					Err: fmt.Errorf("API Manager has no label %q; it has %s. Make it with apim_label, or use one of these", name, quoted(ids))}
			}
			list = append(list, ids[name])
		}
		if len(list) == 0 {
			continue
		}
		t.provider.server.attached.Store(true)
		err := t.Client.Call(ctx, rest.Request{Method: http.MethodPost, Path: t.URL(f.object.ID) + change.path, Body: map[string]any{"labels": list}, Idempotent: true}, nil)
		if err != nil {
			return true, err
		}
	}
	return true, nil
}

// demandsCertificates reports whether an API accepts client certificates; of others they are not
// read.
func demandsCertificates(api map[string]any) bool {
	list, _ := api["securityScheme"].([]any)
	return slices.ContainsFunc(list, func(x any) bool { s, _ := x.(string); return strings.HasPrefix(s, "mutualssl") })
}

func (t *apis) certificatesPath(id, keyType string) string {
	return t.URL(id) + "/client-certs/" + keyType
}

// certificates returns the client certificates of an API, with their content.
func (t *apis) certificates(ctx context.Context, id string) ([]any, error) {
	out := []any{}
	for _, keyType := range []string{"PRODUCTION", "SANDBOX"} {
		c := &rest.Collection{Client: t.Client, Path: t.certificatesPath(id, keyType), ID: "alias", Paging: rest.Paging{Style: rest.LimitOffset, Items: "certificates"}}
		for raw, err := range c.Elements(ctx, nil) {
			if err != nil {
				return nil, err
			}
			alias, _ := raw["alias"].(string)
			content, err := t.Client.Do(ctx, rest.Request{Path: c.URL(alias) + "/content"})
			if err != nil {
				return nil, err
			}
			cert, err := parseCertificate(content.Body)
			if err != nil {
				return nil, fmt.Errorf("client certificate %q: reading what the server sent: %w", alias, err)
			}
			attrs := map[string]cty.Value{}
			describeCertificate(attrs, cert)
			out = append(out, map[string]any{"alias": alias, "keyType": keyType, "tier": raw["tier"], "certificate": attrs["certificate"].AsString()})
		}
	}
	return out, nil
}

// leadCertificates uploads, changes and deletes client certificates.
func (t *apis) leadCertificates(ctx context.Context, f *fetched, planned cty.Value) (bool, error) {
	n := t.Type.NestedBlock("client_certificate")
	want, ok := settledBlocks(&n.Block, n.Name, f.object.Value, planned)
	if !ok {
		return false, nil
	}
	id := f.object.ID
	have := map[string]cty.Value{}
	for _, c := range knownList(f.object.Value, n.Name) {
		have[knownString(c, "alias")] = c
	}
	wrote := false
	send := func(r rest.Request, alias string) error {
		err := t.Client.Call(ctx, r, nil)
		wrote = wrote || err == nil
		if err != nil {
			return &engine.AttributeError{Attribute: n.Name, Summary: "Client certificate refused", Err: fmt.Errorf("%s: %w", alias, err)}
		}
		return nil
	}
	keep := map[string]bool{}
	for _, w := range want {
		alias := knownString(w, "alias")
		old, there := have[alias]
		same := there && rest.Equal(n.Block.Attribute("certificate"), plain(old, "certificate"), plain(w, "certificate"))
		if there && knownString(old, "key_type") == knownString(w, "key_type") {
			keep[alias] = true
			if same && knownString(old, "tier") == knownString(w, "tier") {
				continue
			}
		}
	}
	for _, c := range knownList(f.object.Value, n.Name) {
		if alias := knownString(c, "alias"); !keep[alias] {
			r := rest.Request{Method: http.MethodDelete, Path: t.certificatesPath(id, knownString(c, "key_type")) + "/" + url.PathEscape(alias)}
			if err := send(r, alias); err != nil && !errors.Is(err, engine.ErrNotFound) {
				return wrote, err
			}
		}
	}
	for _, w := range want {
		alias := knownString(w, "alias")
		path := t.certificatesPath(id, knownString(w, "key_type"))
		file := formPart{"certificate", "certificate.pem", pemText(knownString(w, "certificate"))}
		tier := formPart{name: "tier", text: knownString(w, "tier")}
		var r rest.Request
		switch old, there := have[alias]; {
		case !there || !keep[alias]:
			r = formRequest(http.MethodPost, path, file, formPart{name: "alias", text: alias}, tier)
		case !rest.Equal(n.Block.Attribute("certificate"), plain(old, "certificate"), plain(w, "certificate")):
			r = formRequest(http.MethodPut, path+"/"+url.PathEscape(alias), file, tier)
		case knownString(old, "tier") != knownString(w, "tier"):
			r = formRequest(http.MethodPut, path+"/"+url.PathEscape(alias), tier)
		default:
			continue
		}
		if err := send(r, alias); err != nil {
			return wrote, err
		}
	}
	return wrote, nil
}

// complexities returns how much the fields of a GraphQL API count.
func (t *apis) complexities(ctx context.Context, id string) ([]any, error) {
	var out []any
	err := t.Client.GetList(ctx, t.URL(id)+"/graphql-policies/complexity", nil, "list", &out)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil // none yet
	}
	return out, err
}

// leadComplexities replaces how much fields count.
func (t *apis) leadComplexities(ctx context.Context, f *fetched, planned cty.Value) (bool, error) {
	n := t.Type.NestedBlock("complexity")
	want, ok := settledBlocks(&n.Block, n.Name, f.object.Value, planned)
	if !ok || len(rest.Different(&t.Type.Block, onlyBlock(t.Type.Block.ImpliedType(), n.Name, plain(planned, n.Name)), f.object.Value)) == 0 {
		return false, nil
	}
	list := []any{}
	for _, w := range want {
		list = append(list, rest.Encode(&n.Block, w))
	}
	return true, t.Client.Call(ctx, rest.Request{Method: http.MethodPut, Path: t.URL(f.object.ID) + "/graphql-policies/complexity", Body: map[string]any{"list": list}}, nil)
}

// onlyBlock is a value of a type in which only one block is set.
func onlyBlock(t cty.Type, name string, v cty.Value) cty.Value {
	attrs := map[string]cty.Value{}
	for n, at := range t.AttributeTypes() {
		attrs[n] = cty.NullVal(at)
	}
	attrs[name] = v
	return cty.ObjectVal(attrs)
}

// endpointIDMember keeps the id of an endpoint that has an address of its own.
const endpointIDMember = "endpointId"

// namedEndpoints returns the endpoints of an AI API that have addresses of their own
// (apim-behaviour 5.1). Those that the server makes of the API's own configuration are left out.
func (t *apis) namedEndpoints(ctx context.Context, id string) ([]any, error) {
	c := &rest.Collection{Client: t.Client, Path: t.URL(id) + "/endpoints", Paging: rest.Paging{Style: rest.LimitOffset}}
	out := []any{}
	for raw, err := range c.Elements(ctx, nil) {
		if errors.Is(err, engine.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		name := nameOf(raw)
		if isPlainEndpoint(name) || strings.HasPrefix(name, "Default ") {
			continue
		}
		config, _ := raw["endpointConfig"].(map[string]any)
		holder := map[string]any{"endpointConfig": config}
		decodeEndpoints(holder)
		endpoint := map[string]any{}
		if list, _ := holder[endpointsMember].([]any); len(list) > 0 {
			endpoint, _ = list[0].(map[string]any)
		}
		endpoint["name"], endpoint["deploymentStage"] = name, raw["deploymentStage"]
		endpoint[endpointIDMember] = raw["id"]
		endpoint["whole"] = config
		out = append(out, endpoint)
	}
	return out, nil
}

// stripRaw leaves of endpoints what tells them apart, for the digest.
func stripRaw(list []any) []any {
	out := make([]any, len(list))
	for i, x := range list {
		e, _ := x.(map[string]any)
		out[i] = map[string]any{"name": e["name"], "deploymentStage": e["deploymentStage"], "endpointConfig": e["whole"]}
	}
	return out
}

// namePrimaries puts the names of an AI API's primary endpoints in the place of their ids.
func (t *apis) namePrimaries(api map[string]any, endpoints []any) {
	for member, idMember := range map[string]string{primaryProduction: "primaryProductionEndpointId", primarySandbox: "primarySandboxEndpointId"} {
		for _, x := range endpoints {
			if e, _ := x.(map[string]any); e[endpointIDMember] != nil && e[endpointIDMember] == api[idMember] {
				api[member] = e["name"]
			}
		}
	}
}

// primaryIDs is the inverse of namePrimaries.
func (t *apis) primaryIDs(api map[string]any, endpoints []any) {
	for member, idMember := range map[string]string{primaryProduction: "primaryProductionEndpointId", primarySandbox: "primarySandboxEndpointId"} {
		name, ok := api[member].(string)
		if !ok {
			continue
		}
		for _, x := range endpoints {
			if e, _ := x.(map[string]any); nameOf(e) == name {
				api[idMember] = e[endpointIDMember]
			}
		}
	}
}

// leadEndpoints makes, changes and deletes the endpoints of an AI API that have addresses of their
// own.
func (t *apis) leadEndpoints(ctx context.Context, f *fetched, planned cty.Value) (bool, error) {
	n := t.Type.NestedBlock("endpoint")
	want, ok := settledBlocks(&n.Block, n.Name, f.object.Value, planned)
	if !ok {
		return false, nil
	}
	named := func(list []cty.Value) []cty.Value {
		return slices.DeleteFunc(list, func(e cty.Value) bool { return isPlainEndpoint(knownString(e, "name")) })
	}
	want = named(want)
	have := map[string]cty.Value{}
	for _, e := range named(knownList(f.object.Value, n.Name)) {
		have[knownString(e, "name")] = e
	}
	raws := map[string]map[string]any{}
	for _, x := range f.endpoints {
		e, _ := x.(map[string]any)
		raws[nameOf(e)] = e
	}
	path := t.URL(f.object.ID) + "/endpoints"
	wrote := false
	send := func(r rest.Request, name string) error {
		if err := t.Client.Call(ctx, r, nil); err != nil {
			return &engine.AttributeError{Attribute: n.Name, Summary: "Endpoint refused", Err: fmt.Errorf("%s: %w", name, rest.Unfound(err))}
		}
		wrote = true
		return nil
	}
	kept := map[string]bool{}
	for _, w := range want {
		name := knownString(w, "name")
		kept[name] = true
		old, there := have[name]
		var body map[string]any
		if there {
			if plain(planned, n.Name).IsKnown() && !writesSecrets(&n.Block, w) && w.RawEquals(old) {
				continue
			}
			body = clone(raws[name])
			rest.Overlay(&n.Block, body, old, w)
		} else {
			body = rest.Encode(&n.Block, w)
		}
		sent := endpointBody(body)
		r := rest.Request{Method: http.MethodPost, Path: path, Body: sent}
		if there {
			endpointID := fmt.Sprint(raws[name][endpointIDMember])
			sent["id"] = endpointID
			r = rest.Request{Method: http.MethodPut, Path: path + "/" + url.PathEscape(endpointID), Body: sent}
		}
		if err := send(r, name); err != nil {
			return wrote, err
		}
	}
	for _, x := range f.endpoints {
		e, _ := x.(map[string]any)
		if name := nameOf(e); !kept[name] {
			r := rest.Request{Method: http.MethodDelete, Path: path + "/" + url.PathEscape(fmt.Sprint(e[endpointIDMember]))}
			if err := send(r, name); err != nil {
				return wrote, err
			}
		}
	}
	return wrote, nil
}

// endpointBody makes the body of an endpoint with an address of its own.
func endpointBody(e map[string]any) map[string]any {
	stage := stageOf(e)
	plainName := productionEndpoint
	if stage == "SANDBOX" {
		plainName = sandboxEndpoint
	}
	inner := clone(e)
	name := inner["name"]
	inner["name"], inner["deploymentStage"] = plainName, stage
	whole, _ := e["whole"].(map[string]any)
	holder := map[string]any{endpointsMember: []any{inner}, "endpointConfig": whole}
	if kind, ok := whole["endpoint_type"].(string); ok {
		holder[endpointTypeMember] = kind
	}
	settings := map[string]any{}
	for key, v := range whole {
		if text, ok := propertyText(v); ok && isSetting(key) {
			settings[key] = text
		}
	}
	holder[settingsMember] = settings
	encodeEndpoints(holder)
	return map[string]any{"name": name, "deploymentStage": stage, "endpointConfig": holder["endpointConfig"]}
}
