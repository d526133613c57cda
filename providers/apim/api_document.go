package apim

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// apiDocumentType is the table of apim_api_document (apim-behaviour 5.6).
func apiDocumentType() *schema.Type {
	return &schema.Type{
		Name:  "apim_api_document",
		Doc:   "A document of an API or an API product, which the developer portal shows: a text, a file, or the address of one.",
		Key:   []string{"api_id", "name"},
		Check: checkDocument,
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, JSON: "documentId", Doc: "The server's id, a UUID."},
			{Name: "api_id", Type: cty.String, Required: true, RequiresReplace: true, Parent: true, JSON: "-", Doc: "Id of the API or API product."},
			{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, Validate: documentName, Doc: "Name, of at most 60 characters."},
			// The server takes SWAGGER_DOC too, and reads it as OTHER [seen].
			{Name: "type", Type: cty.String, Required: true, Enum: []string{"HOWTO", "SAMPLES", "PUBLIC_FORUM", "SUPPORT_FORUM", "API_MESSAGE_FORMAT", "OTHER"},
				Doc: "What it is."},
			{Name: "other_type_name", Type: cty.String, Doc: "What it is, with `OTHER`."},
			{Name: "summary", Type: cty.String, Validate: lengthIn(1, 32766), Doc: "What it says, in short."},
			{Name: "source_type", Type: cty.String, Required: true, RequiresReplace: true, Enum: []string{"INLINE", "MARKDOWN", "URL", "FILE"}, Doc: "How it is kept."},
			{Name: "source_url", Type: cty.String, Doc: "Address, with `URL`."},
			{Name: "content", Type: cty.String, JSON: "-", Doc: "Text, with `INLINE` and `MARKDOWN`."},
			{Name: "content_base64", Type: cty.String, JSON: "-", Normalize: canonicalBase64, Validate: base64Text, Doc: "File in Base64, with `FILE`, such as `filebase64(\"guide.pdf\")`."},
			{Name: "file_name", Type: cty.String, Validate: fileName, Doc: "Name of the file, with `FILE`."},
			{Name: "visibility", Type: cty.String, Default: cty.StringVal("API_LEVEL"), Enum: []string{"API_LEVEL", "OWNER_ONLY", "PRIVATE"},
				Doc: "Who sees it. Only a server that is configured for it stores another than `API_LEVEL`; else the apply says so."},
		}},
	}
}

func documentName(v cty.Value) error {
	if err := lengthIn(1, 60)(v); err != nil {
		return err
	}
	if i := strings.IndexAny(v.AsString(), "~!@#;:%^*()+={}|\\<>\"',&$/[]"); i >= 0 {
		return fmt.Errorf("%q holds %q, which API Manager refuses", v.AsString(), v.AsString()[i:i+1])
	}
	return nil
}

func fileName(v cty.Value) error {
	if name := v.AsString(); name == "" || strings.ContainsAny(name, "/\\\"\r\n") {
		return fmt.Errorf("%q is no name of a file", name)
	}
	return nil
}

func base64Text(v cty.Value) error {
	if _, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v.AsString()), "")); err != nil {
		return fmt.Errorf("it is no Base64: %w", err)
	}
	return nil
}

func canonicalBase64(v cty.Value) cty.Value {
	return cty.StringVal(strings.Join(strings.Fields(v.AsString()), ""))
}

// checkDocument finds what does not fit the source of a document.
func checkDocument(v cty.Value) []schema.Problem {
	var out []schema.Problem
	kind := knownString(v, "source_type")
	if kind == "" {
		return nil
	}
	needs := map[string][]string{"INLINE": {"content"}, "MARKDOWN": {"content"}, "URL": {"source_url"}, "FILE": {"content_base64", "file_name"}}[kind]
	for _, name := range []string{"content", "source_url", "content_base64", "file_name"} {
		switch has := isSet(v, name); {
		case has && !slices.Contains(needs, name):
			out = append(out, schema.Problem{Path: cty.GetAttrPath(name), Summary: "Content of another source",
				Detail: fmt.Sprintf("A document with source_type %s has %s, and this one sets %s. Drop it, or set source_type to what it is.", kind, listed(needs), name)})
		case !has && slices.Contains(needs, name):
			out = append(out, schema.Problem{Path: cty.GetAttrPath("source_type"), Summary: "Missing content",
				Detail: fmt.Sprintf("A document with source_type %s needs %s. Set it.", kind, name)})
		}
	}
	if knownString(v, "type") == "OTHER" && !isSet(v, "other_type_name") {
		out = append(out, schema.Problem{Path: cty.GetAttrPath("type"), Summary: "Missing other_type_name",
			Detail: "A document of type OTHER needs other_type_name, which says what it is. Set it, or use another type."})
	}
	return out
}

// apiDocument is a document of an API.
func apiDocument(p *Provider) engine.Type {
	return &documents{provider: p, client: &p.client, table: apiDocumentType()}
}

// documents is the type apim_api_document. Its ids are those of what holds it and its own:
// "apis/ID/documents/ID".
type documents struct {
	provider *Provider
	client   *rest.Client
	table    *schema.Type
}

// Schema returns the table.
func (t *documents) Schema() *schema.Type { return t.table }

// collection is the collection of the documents of an API or product, "apis/ID".
func (t *documents) collection(holder string) *rest.Collection {
	return &rest.Collection{Client: t.client, Type: t.table, Path: publisher + "/" + holder + "/documents", ID: "documentId", Paging: rest.Paging{Style: rest.LimitOffset}}
}

// Find finds a document by its API and name.
func (t *documents) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	name := knownString(wanted, "name")
	holder, err := t.provider.holderPath(ctx, knownString(wanted, "api_id"))
	if err != nil {
		return nil, err
	}
	for raw, err := range t.collection(holder).Elements(ctx, nil) {
		if err != nil {
			if t.provider.missingHolder(ctx, holder) {
				break
			}
			return nil, err
		}
		if raw["name"] == name {
			return t.object(ctx, holder, raw)
		}
	}
	return nil, fmt.Errorf("document %q: %w", name, engine.ErrNotFound)
}

// Read reads a document with its content.
func (t *documents) Read(ctx context.Context, id string) (*engine.Object, error) {
	parts, err := heldID(id, 4)
	if err != nil {
		return nil, err
	}
	holder := parts[0] + "/" + parts[1]
	var raw map[string]any
	if err := t.client.Get(ctx, t.collection(holder).URL(parts[3]), nil, &raw); err != nil {
		if rest.StatusOf(err) == http.StatusInternalServerError && t.provider.missingHolder(ctx, holder) {
			return nil, fmt.Errorf("document %q: %w", id, engine.ErrNotFound)
		}
		return nil, err
	}
	return t.object(ctx, holder, raw)
}

// object makes the object of a document, and reads its content.
func (t *documents) object(ctx context.Context, holder string, raw map[string]any) (*engine.Object, error) {
	v, err := rest.Decode(&t.table.Block, raw)
	if err != nil {
		return nil, fmt.Errorf("%s: reading what the server sent: %w", holder, err)
	}
	id, _ := raw["documentId"].(string)
	attrs := v.AsValueMap()
	_, api, _ := strings.Cut(holder, "/")
	attrs["api_id"] = cty.StringVal(api)
	if name := knownString(v, "file_name"); name != "" {
		attrs["file_name"] = cty.StringVal(path.Base(name)) // the server shows the way to it in its registry [seen]
	}
	if kind, _ := raw["sourceType"].(string); kind != "URL" {
		res, err := t.client.Do(ctx, rest.Request{Path: t.collection(holder).URL(id) + "/content", Accept: "*/*"})
		switch {
		case errors.Is(err, engine.ErrNotFound):
		case err != nil:
			return nil, err
		case res.Status == http.StatusNoContent:
		case kind == "FILE":
			attrs["content_base64"] = cty.StringVal(base64.StdEncoding.EncodeToString(res.Body))
		default:
			attrs["content"] = cty.StringVal(string(res.Body))
		}
	}
	return &engine.Object{ID: holder + "/documents/" + id, Value: cty.ObjectVal(attrs)}, nil
}

// Create makes a document, and uploads its content.
func (t *documents) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	holder, err := t.provider.holderPath(ctx, knownString(planned, "api_id"))
	if err != nil {
		return nil, rest.Unwritten(&engine.AttributeError{Attribute: "api_id", Summary: "Unknown API", Err: rest.Unfound(err)})
	}
	body := rest.Encode(&t.table.Block, planned)
	delete(body, "fileName")
	var raw map[string]any
	if err := t.client.Call(ctx, rest.Request{Method: http.MethodPost, Path: t.collection(holder).Path, Body: body}, &raw); err != nil {
		return nil, err
	}
	id, _ := raw["documentId"].(string)
	if id == "" {
		return nil, fmt.Errorf("POST %s: the server answered without an id", t.collection(holder).Path)
	}
	made := &engine.Object{ID: holder + "/documents/" + id, Value: settled(planned)}
	if err := t.upload(ctx, made.ID, planned); err != nil {
		return made, fmt.Errorf("the document was made, and its content could not be stored: %w", rest.Unfound(err))
	}
	return t.written(ctx, made, planned)
}

// upload stores the content of a document.
func (t *documents) upload(ctx context.Context, id string, planned cty.Value) error {
	var p formPart
	switch knownString(planned, "source_type") {
	case "FILE":
		content, err := base64.StdEncoding.DecodeString(canonicalBase64(cty.StringVal(knownString(planned, "content_base64"))).AsString())
		if err != nil {
			return rest.Unwritten(err)
		}
		p = formPart{"file", knownString(planned, "file_name"), string(content)}
	case "URL":
		return nil
	default:
		p = formPart{name: "inlineContent", text: knownString(planned, "content")}
	}
	r := formRequest(http.MethodPost, publisher+"/"+id+"/content", p)
	r.Idempotent = true
	return t.client.Call(ctx, r, nil)
}

// written reads back what was written, and reports what was not stored.
func (t *documents) written(ctx context.Context, made *engine.Object, planned cty.Value) (*engine.Object, error) {
	o, err := t.Read(ctx, made.ID)
	if err != nil {
		return made, fmt.Errorf("the document was stored and could not be read: %w", rest.Unfound(err))
	}
	return o, notStored(&t.table.Block, t.table.Object(nil), planned, o.Value)
}

// Update changes a document.
func (t *documents) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	parts, err := heldID(live.ID, 4)
	if err != nil {
		return nil, err
	}
	c := t.collection(parts[0] + "/" + parts[1])
	var body map[string]any
	if err := t.client.Get(ctx, c.URL(parts[3]), nil, &body); err != nil {
		return nil, err
	}
	now, err := t.object(ctx, parts[0]+"/"+parts[1], clone(body))
	if err != nil {
		return nil, err
	}
	b := &t.table.Block
	if err := rest.Moved(b, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	planned = rest.Rebase(b, live.Value, planned, now.Value)
	changed := rest.Different(b, planned, now.Value)
	content := func(name string) bool { return name == "content" || name == "content_base64" || name == "file_name" }
	if slices.ContainsFunc(changed, func(name string) bool { return !content(name) }) {
		rest.Overlay(b, body, now.Value, planned)
		for _, name := range []string{"documentId", "createdTime", "createdBy", "lastUpdatedTime", "lastUpdatedBy", "fileName"} {
			delete(body, name)
		}
		if err := t.client.Call(ctx, rest.Request{Method: http.MethodPut, Path: c.URL(parts[3]), Body: body}, nil); err != nil {
			return nil, rest.Unfound(err)
		}
	}
	if slices.ContainsFunc(changed, content) {
		if err := t.upload(ctx, live.ID, planned); err != nil {
			return now, fmt.Errorf("the content could not be stored: %w", rest.Unfound(err))
		}
	}
	return t.written(ctx, now, planned)
}

// Delete removes a document.
func (t *documents) Delete(ctx context.Context, live *engine.Object) error {
	parts, err := heldID(live.ID, 4)
	if err != nil {
		return err
	}
	err = t.client.Call(ctx, rest.Request{Method: http.MethodDelete, Path: publisher + "/" + parts[0] + "/" + parts[1] + "/documents/" + url.PathEscape(parts[3])}, nil)
	if errors.Is(err, engine.ErrNotFound) || err != nil && t.provider.missingHolder(ctx, parts[0]+"/"+parts[1]) {
		return nil
	}
	return err
}
