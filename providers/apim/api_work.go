package apim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/apim/definition"
	"wso2plan/providers/rest"
)

// definitions says by the type of an API where its definition is, and how it comes in.
func definitionOf(kind string) (want definition.Kind, path, imported string) {
	switch kind {
	case "HTTP", "":
		return definition.OpenAPI, "/swagger", "/import-openapi"
	case "GRAPHQL":
		return definition.GraphQL, "/graphql-schema", "/import-graphql-schema"
	case "SOAP", "SOAPTOREST":
		return definition.WSDL, "/wsdl", "/import-wsdl"
	}
	return definition.AsyncAPI, "/asyncapi", "/import-asyncapi"
}

// make makes an API with its fields, and its definition where one is planned, and returns its id.
func (t *apis) make(ctx context.Context, planned cty.Value) (string, error) {
	body := rest.Encode(&t.Type.Block, planned)
	lists := body[endpointsMember]
	if all, ok := lists.([]any); ok { // those with an address of their own come later
		body[endpointsMember] = slices.DeleteFunc(slices.Clone(all), func(x any) bool { return !isPlainEndpoint(nameOf(x)) })
	}
	encodeAPI(body)
	text, err := plannedDefinition(planned)
	if err != nil {
		return "", err
	}
	if provider := knownString(planned, "ai_service_provider_id"); provider != "" && text == "" {
		if text, err = t.providerDefinition(ctx, provider); err != nil {
			return "", &engine.AttributeError{Attribute: "ai_service_provider_id", Summary: "AI service provider without a definition", Err: rest.Unwritten(rest.Unfound(err))}
		}
	}
	req := rest.Request{Method: http.MethodPost, Path: t.Path, Body: body}
	if text != "" {
		if req, err = t.importing(ctx, knownString(planned, "type"), text, body); err != nil {
			return "", err
		}
	}
	var res *rest.Response
	err = t.provider.server.inTurn(ctx, scopesOf(body, text), func() (err error) {
		res, err = t.Client.Do(ctx, req)
		return err
	})
	if err != nil {
		return "", err
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := res.JSON(&made); err != nil && res.Location() == "" {
		return "", fmt.Errorf("POST %s: the server answered %d without an id", req.Path, res.Status)
	}
	if made.ID == "" {
		made.ID = res.Location()
	}
	return made.ID, nil
}

// providerDefinition returns the definition of an AI service provider: as the publisher gives it, or
// else the administrator's side, which has it too.
func (t *apis) providerDefinition(ctx context.Context, id string) (string, error) {
	res, err := t.Client.Do(ctx, rest.Request{Path: publisher + "/llm-providers/" + url.PathEscape(id) + "/api-definition"})
	if err == nil {
		return unquoted(res.Body), nil
	}
	var p struct {
		Definition string `json:"apiDefinition"`
	}
	if !errors.Is(err, engine.ErrNotFound) || t.Client.Get(ctx, admin+"/llm-providers/"+url.PathEscape(id), nil, &p) != nil {
		return "", err
	}
	if strings.TrimSpace(p.Definition) == "" {
		return "", fmt.Errorf("the AI service provider %s has no definition; set definition, or api_definition of the provider", id)
	}
	return p.Definition, nil
}

// wsdlFile names the file of a WSDL, by which the server tells an archive.
func wsdlFile(text string) string {
	if definition.IsArchive(text) {
		return "service.zip"
	}
	return "service.wsdl"
}

// unquoted returns the text of an answer that may be JSON in a JSON string.
func unquoted(body []byte) string {
	var s string
	if json.Unmarshal(body, &s) == nil {
		return s
	}
	return string(body)
}

// importing makes the request that makes an API of a definition.
func (t *apis) importing(ctx context.Context, kind, text string, body map[string]any) (rest.Request, error) {
	_, _, path := definitionOf(kind)
	file := formPart{"file", "definition.json", text}
	var parts []formPart
	switch kind {
	case "GRAPHQL":
		file.file = "schema.graphql"
		if body["operations"] == nil {
			// APIM 4.5 wants the operations beside the schema, and tells which there are.
			operations, err := t.schemaOperations(ctx, text)
			if err != nil {
				return rest.Request{}, err
			}
			body["operations"] = operations
		}
		parts = append(parts, formPart{name: "type", text: "GRAPHQL"})
	case "SOAP", "SOAPTOREST":
		file.file = wsdlFile(text)
		parts = append(parts, formPart{name: "implementationType", text: kind})
	}
	fields, err := json.Marshal(body)
	if err != nil {
		return rest.Request{}, rest.Unwritten(err)
	}
	parts = append(parts, file, formPart{name: "additionalProperties", text: string(fields)})
	return formRequest(http.MethodPost, t.Path+path, parts...), nil
}

// schemaOperations returns the operations of a GraphQL schema.
func (t *apis) schemaOperations(ctx context.Context, text string) ([]any, error) {
	var out struct {
		Valid bool   `json:"isValid"`
		Error string `json:"errorMessage"`
		Info  struct {
			Operations []any `json:"operations"`
		} `json:"graphQLInfo"`
	}
	r := formRequest(http.MethodPost, t.Path+"/validate-graphql-schema", formPart{"file", "schema.graphql", text})
	r.Idempotent = true
	if err := t.Client.Call(ctx, r, &out); err != nil {
		return nil, rest.Unwritten(rest.Unfound(err))
	}
	if !out.Valid {
		return nil, rest.Unwritten(&engine.AttributeError{Attribute: "definition", Summary: "Invalid definition", Err: errors.New(out.Error)})
	}
	return out.Info.Operations, nil
}

// definition returns the elements of the definition that the server stores, nil when it has none.
func (t *apis) definition(ctx context.Context, id, kind string) (map[string]any, error) {
	want, path, _ := definitionOf(kind)
	r := rest.Request{Path: t.URL(id) + path}
	if want == definition.WSDL {
		r.Accept = "*/*"
	}
	res, err := t.Client.Do(ctx, r)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil, nil // none, or the API is gone, as its own read says
	case rest.StatusOf(err) == http.StatusInternalServerError && want == definition.WSDL:
		return nil, nil // a SOAP API without its WSDL
	case err != nil:
		return nil, err
	}
	text := unquoted(res.Body)
	if want == definition.GraphQL {
		var schema struct {
			Definition string `json:"schemaDefinition"`
		}
		if err := res.JSON(&schema); err == nil {
			text = schema.Definition
		}
	}
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if (want == definition.OpenAPI || want == definition.AsyncAPI) && !saysItsKind(text) {
		// Something between us and the server answered; API Manager stores no such definition.
		return nil, fmt.Errorf("GET %s: the server answered what is no definition: %.60s", r.Path, strings.TrimSpace(text))
	}
	return definitionElements(text), nil
}

// saysItsKind reports whether a text has the member that every OpenAPI and AsyncAPI document has.
func saysItsKind(text string) bool {
	return strings.Contains(text, "openapi") || strings.Contains(text, "swagger") || strings.Contains(text, "asyncapi")
}

// redefine replaces the definition of an API.
func (t *apis) redefine(ctx context.Context, id, kind, text string) error {
	want, path, _ := definitionOf(kind)
	p := formPart{name: "apiDefinition", text: text}
	switch want {
	case definition.GraphQL:
		p.name = "schemaDefinition"
	case definition.WSDL:
		p = formPart{"file", wsdlFile(text), text}
	}
	return t.provider.server.inTurn(ctx, scopesOf(nil, text), func() error {
		return t.Client.Call(ctx, formRequest(http.MethodPut, t.URL(id)+path, p), nil)
	})
}

// work changes the working copy: the definition, then endpoints with an address of their own, then
// the fields. It returns the API as it was read last, and planned over that.
func (t *apis) work(ctx context.Context, f *fetched, planned cty.Value) (bool, *fetched, cty.Value, error) {
	id, b := f.object.ID, &t.Type.Block
	wrote := false
	kind := knownString(f.object.Value, "type")
	if a := t.Type.Attribute("definition"); isKnown(plain(planned, "definition")) && !rest.Equal(a, plain(planned, "definition"), plain(f.object.Value, "definition")) {
		text, err := plannedDefinition(planned)
		if err != nil {
			return false, f, planned, err
		}
		if err := t.redefine(ctx, id, kind, text); err != nil {
			return false, f, planned, explainDefinition(rest.Unfound(err))
		}
		wrote = true
		now, err := t.refetch(ctx, f)
		if err != nil {
			return wrote, f, planned, fmt.Errorf("its definition was changed, but it could not be read: %w", rest.Unfound(err))
		}
		// What the definition changed with itself, such as operations, is not put back.
		planned = rest.Rebase(b, f.object.Value, planned, now.object.Value)
		f = now
	}
	if changed, err := t.leadEndpoints(ctx, f, planned); err != nil {
		return wrote, f, planned, err
	} else if changed {
		wrote = true
		if f.endpoints, err = t.namedEndpoints(ctx, id); err != nil {
			return wrote, f, planned, rest.Unfound(err)
		}
	}
	body, same := t.body(f, planned)
	if same {
		return wrote, f, planned, nil
	}
	err := t.provider.server.inTurn(ctx, scopesOf(body, ""), func() error {
		return t.Client.Call(ctx, rest.Request{Method: http.MethodPut, Path: t.URL(id), Body: body}, nil)
	})
	if err != nil {
		return wrote, f, planned, rest.Unfound(err)
	}
	return true, f, planned, nil
}

// body makes the body of a PUT, and tells whether it is what the server holds already.
func (t *apis) body(f *fetched, planned cty.Value) (body map[string]any, same bool) {
	make := func(v cty.Value) map[string]any {
		// A PUT that names no definition keeps it; the parts that are read from elsewhere are no members.
		body := clone(f.decoded)
		plainOnes := slices.DeleteFunc(f.object.Value.GetAttr("endpoint").AsValueSlice(), func(e cty.Value) bool { return !isPlainEndpoint(knownString(e, "name")) })
		list, _ := body[endpointsMember].([]any)
		body[endpointsMember] = slices.DeleteFunc(list, func(x any) bool { return !isPlainEndpoint(nameOf(x)) })
		now := withEndpoints(f.object.Value, plainOnes)
		if blocks := plain(v, "endpoint"); blocks.IsKnown() && !blocks.IsNull() {
			v = withEndpoints(v, slices.DeleteFunc(blocks.AsValueSlice(), func(e cty.Value) bool { return !isPlainEndpoint(knownString(e, "name")) }))
		}
		rest.Overlay(&t.Type.Block, body, now, v)
		t.primaryIDs(body, f.endpoints)
		encodeAPI(body)
		return body
	}
	body = make(planned)
	return body, reflect.DeepEqual(unordered(body), unordered(make(f.object.Value)))
}

// unordered returns the body of a PUT with the lists sorted whose order says nothing.
func unordered(body map[string]any) map[string]any {
	out := maps.Clone(body)
	for _, name := range []string{"operations", "scopes", "policies", "tags", "categories", "transport", "keyManagers", "securityScheme", "audiences",
		"visibleRoles", "accessControlRoles", "additionalProperties", "apis"} {
		if list, ok := out[name].([]any); ok {
			sorted := slices.Clone(list)
			sortByText(sorted)
			out[name] = sorted
		}
	}
	return out
}

func withEndpoints(v cty.Value, list []cty.Value) cty.Value {
	attrs := v.AsValueMap()
	if len(list) == 0 {
		attrs["endpoint"] = cty.ListValEmpty(attrs["endpoint"].Type().ElementType())
	} else {
		attrs["endpoint"] = cty.ListVal(list)
	}
	return cty.ObjectVal(attrs)
}

// surroundings changes what has an address of its own below the API: certificates, the complexity
// of GraphQL, labels. It reports whether something was written.
func (t *apis) surroundings(ctx context.Context, f *fetched, planned cty.Value) (bool, error) {
	wrote := false
	for _, change := range []func(context.Context, *fetched, cty.Value) (bool, error){t.leadCertificates, t.leadComplexities, t.leadLabels} {
		w, err := change(ctx, f, planned)
		wrote = wrote || w
		if err != nil {
			return wrote, rest.Unfound(err)
		}
	}
	return wrote, nil
}

// settledBlocks returns the elements of a block that is known and is not the same as live; false
// when there is nothing to change.
func settledBlocks(b *schema.Block, name string, live, planned cty.Value) ([]cty.Value, bool) {
	v := plain(planned, name)
	if !v.IsKnown() || v.IsNull() || v.RawEquals(plain(live, name)) {
		return nil, false
	}
	return v.AsValueSlice(), true
}

// writesSecrets reports whether planned holds a write-only value, which is then to be written.
func writesSecrets(b *schema.Block, v cty.Value) bool {
	if !isObject(v) {
		return false
	}
	for i := range b.Attributes {
		if a := &b.Attributes[i]; a.WriteOnly && isSet(v, a.Name) {
			return true
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		x := plain(v, n.Name)
		switch {
		case !x.IsKnown() || x.IsNull():
		case n.Nesting == schema.Single:
			if writesSecrets(&n.Block, x) {
				return true
			}
		default:
			if slices.ContainsFunc(x.AsValueSlice(), func(e cty.Value) bool { return writesSecrets(&n.Block, e) }) {
				return true
			}
		}
	}
	return false
}

// writtenSecrets returns v without the write-only values that the creation of an API sent: all but
// those of endpoints that come after it.
func writtenSecrets(b *schema.Block, v cty.Value) cty.Value {
	if !isObject(v) {
		return v
	}
	attrs := v.AsValueMap()
	for i := range b.Attributes {
		if a := &b.Attributes[i]; a.WriteOnly {
			attrs[a.Name] = cty.NullVal(a.Type)
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		x := attrs[n.Name]
		switch {
		case !x.IsKnown() || x.IsNull():
		case n.Nesting == schema.Single:
			attrs[n.Name] = writtenSecrets(&n.Block, x)
		case x.LengthInt() > 0:
			list := x.AsValueSlice()
			for j := range list {
				if n.Name != "endpoint" || isPlainEndpoint(knownString(list[j], "name")) {
					list[j] = writtenSecrets(&n.Block, list[j])
				}
			}
			attrs[n.Name] = cty.ListVal(list)
		}
	}
	return cty.ObjectVal(attrs)
}

// notStored reports what was sent and is not stored: API Manager answers 200 to much that it drops
// (apim-behaviour 5.1). Only what was to change from before counts: the rest may follow from that.
func notStored(b *schema.Block, before, planned, stored cty.Value) error {
	var names []string
	attribute := ""
	for _, name := range unstored(b, planned, stored) {
		base := name
		if i := strings.IndexAny(base, "[."); i >= 0 {
			base = base[:i]
		}
		if plain(before, base).RawEquals(plain(planned, base)) {
			continue
		}
		if attribute == "" {
			attribute = base
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil
	}
	err := fmt.Errorf("API Manager was sent another value of %s than it then stored, without an error; the next plan shows both", listed(names))
	if attribute == "definition" {
		err = fmt.Errorf("API Manager was sent a definition and stored one that differs in %s; the next plan shows how", some(differentElements(planned, stored)))
	}
	return &engine.AttributeError{Attribute: attribute, Summary: "Value not stored", Err: err}
}

// unstored returns the names of what is planned and not stored, going into blocks of which only a
// part is known.
func unstored(b *schema.Block, planned, stored cty.Value) []string {
	names := rest.Different(b, planned, stored)
	for i := range b.Blocks {
		n := &b.Blocks[i]
		want, has := plain(planned, n.Name), plain(stored, n.Name)
		if !want.IsKnown() || want.IsNull() || want.IsWhollyKnown() {
			continue // told already, or left to the server
		}
		if n.Nesting == schema.Single {
			for _, name := range unstored(&n.Block, want, has) {
				names = append(names, n.Name+"."+name)
			}
			continue
		}
		list := knownList(stored, n.Name)
		for j, w := range want.AsValueSlice() {
			at := -1
			for k := range list {
				if len(n.Key) == 0 && j == k || len(n.Key) > 0 && rest.SameKey(&schema.Type{Key: n.Key, Block: n.Block}, list[k], w) {
					at = k
				}
			}
			element := fmt.Sprintf("%s[%s]", n.Name, keyOf(n, j, w))
			if at < 0 {
				names = append(names, element)
				continue
			}
			for _, name := range unstored(&n.Block, w, list[at]) {
				names = append(names, element+"."+name)
			}
		}
	}
	return names
}

// keyOf names an element of a block for people.
func keyOf(n *schema.NestedBlock, index int, v cty.Value) string {
	if len(n.Key) == 0 {
		return fmt.Sprint(index)
	}
	parts := make([]string, len(n.Key))
	for i, name := range n.Key {
		parts[i] = knownString(v, name)
	}
	return fmt.Sprintf("%q", strings.Join(parts, " "))
}

func differentElements(planned, stored cty.Value) []string {
	want, have := knownMap(planned, "definition"), knownMap(stored, "definition")
	var out []string
	for name, text := range want {
		if have[name] != text {
			out = append(out, name)
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// some lists the first names of a list for people.
func some(names []string) string {
	if len(names) > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return listed(names)
}
