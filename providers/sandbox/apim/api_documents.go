package apim

import (
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// apiDocument is the DTO Document, with its content.
type apiDocument struct {
	DocumentID      *string `json:"documentId"`
	Name            *string `json:"name" is:"required,min=1,max=255"`
	Type            *string `json:"type" is:"required" enum:"HOWTO,SAMPLES,PUBLIC_FORUM,SUPPORT_FORUM,API_MESSAGE_FORMAT,SWAGGER_DOC,OTHER"`
	Summary         *string `json:"summary" is:"min=1,max=32766"`
	SourceType      *string `json:"sourceType" is:"required" enum:"INLINE,MARKDOWN,URL,FILE"`
	SourceURL       *string `json:"sourceUrl"`
	FileName        *string `json:"fileName"`
	InlineContent   *string `json:"inlineContent"`
	OtherTypeName   *string `json:"otherTypeName"`
	Visibility      *string `json:"visibility" is:"required" enum:"OWNER_ONLY,PRIVATE,API_LEVEL"`
	CreatedTime     *string `json:"createdTime"`
	CreatedBy       *string `json:"createdBy"`
	LastUpdatedTime *string `json:"lastUpdatedTime"`
	LastUpdatedBy   *string `json:"lastUpdatedBy"`
}

// keptDocument is how a document is kept in a snapshot: with its content.
type keptDocument struct {
	apiDocument
	Content *storedFile `json:"content,omitempty"`
}

func documentRoutes() []route {
	view := []string{"apim:api_view", "apim:api_manage", "apim:document_manage"}
	create := []string{"apim:api_create", "apim:api_manage", "apim:document_create", "apim:document_manage"}
	change := []string{"apim:api_create", "apim:api_manage", "apim:document_manage"}
	validate := []string{"apim:api_create", "apim:api_manage", "apim:document_manage", "apim:document_create"}
	var out []route
	for _, base := range []string{"/apis/{api}", "/api-products/{api}"} {
		if strings.HasPrefix(base, "/api-products") {
			view = []string{"apim:api_view", "apim:api_publish", "apim:api_manage"}
			create, change = []string{"apim:api_publish", "apim:api_manage"}, []string{"apim:api_publish", "apim:api_manage"}
		}
		content := get(publisher, base+"/documents/{document}/content", view, documentContent)
		content.produces = ""
		out = append(out,
			get(publisher, base+"/documents", view, listDocuments),
			post(publisher, base+"/documents", create, addDocument),
			get(publisher, base+"/documents/{document}", view, readDocument),
			put(publisher, base+"/documents/{document}", change, updateDocument),
			remove(publisher, base+"/documents/{document}", change, deleteDocument),
			content,
			form(post(publisher, base+"/documents/{document}/content", create, uploadDocument)))
	}
	return append(out, anyBody(post(publisher, "/apis/{api}/documents/validate", validate, validateDocument)))
}

// copiedDocuments are documents as a new version of an API has them, or the working copy when a revision is restored: with other ids (seen).
func copiedDocuments(of []keptDocument) []keptDocument {
	out := slices.Clone(of)
	for i := range out {
		out[i].DocumentID = ptr(newID())
	}
	return out
}

// ownDocument finds a document of the API of the path and its place.
func (c *call) ownDocument() (*apiRecord, int, *answer) {
	a, bad := c.record()
	if bad != nil {
		return nil, 0, bad
	}
	i := slices.IndexFunc(a.Documents, func(d keptDocument) bool { return *d.DocumentID == c.vars["document"] })
	if i < 0 {
		return nil, 0, notFound("document", c.vars["document"])
	}
	return a, i, nil
}

// heldDocument is ownDocument for all but the content: they say that the API is not there when they mean its document (seen).
func (c *call) heldDocument() (*apiRecord, int, *answer) {
	a, i, bad := c.ownDocument()
	if bad != nil {
		if a, none := c.record(); none == nil {
			noun := "API"
			if a.Product {
				noun = "API Product"
			}
			return nil, 0, notFound(noun, a.ID)
		}
	}
	return a, i, bad
}

func listDocuments(c *call) *answer {
	a, bad := c.record()
	if bad != nil {
		return internal("") // a null pointer in the server (seen)
	}
	out := []apiDocument{}
	for _, d := range a.Documents {
		out = append(out, d.apiDocument)
	}
	return page(c, out, pageLinks{path: "/apis/" + a.ID + "/documents"}) // also of a product (seen)
}

// illegalInDocument are the characters that the name of a document may not hold.
const illegalInDocument = `~!@#;:%^*()+={}|\<>"',&$/[]`

// checkDocument refuses what bean validation does not see, in words that are those of a new document of an API, or not.
func checkDocument(d *apiDocument, missing func(reason string) *answer) *answer {
	switch {
	case *d.Type == "OTHER" && blank(d.OtherTypeName):
		return missing("otherTypeName cannot be empty if type is OTHER.")
	case *d.SourceType == "URL" && !validAddress(text(d.SourceURL), []string{"http", "https", "ftp"}):
		return missing("Invalid document sourceUrl Format")
	}
	return nil
}

func missingForDocument(reason string) *answer {
	return refuse(http.StatusBadRequest, 903245, "Parameter value missing", "Some of the mandatory parameter values were missing. "+reason)
}

// checkNewDocument is checkDocument with the name, which an update keeps. Products and APIs have their own code (seen).
func (c *call) checkNewDocument(d *apiDocument) *answer {
	illegal := strings.ContainsAny(*d.Name, illegalInDocument)
	switch {
	case c.ofProducts():
		if bad := checkDocument(d, badRequest); bad != nil {
			return bad
		}
		if illegal {
			return badRequest(`Document name cannot contain illegal characters  ( [~!@#;:%^*()+={}|<>"',\[\]&/$\\] )`)
		}
		return nil
	case illegal:
		return refuse(http.StatusBadRequest, 902016, "Document name cannot contain illegal characters", "Document name contains one or more illegal characters")
	}
	return checkDocument(d, missingForDocument)
}

// addDocument stores metadata. Times and users are never shown (seen).
func addDocument(c *call) *answer {
	a, bad := c.record()
	if bad != nil {
		return bad
	}
	d := &apiDocument{}
	if bad := readBody(c.body, d); bad != nil {
		return bad
	}
	if bad := c.checkNewDocument(d); bad != nil {
		return bad
	}
	if a.documentNamed(*d.Name) && a.Product {
		return exists("Requested document '" + *d.Name + "' already exists")
	}
	if a.documentNamed(*d.Name) {
		return refuse(http.StatusConflict, 900312, "Document already exists", "Document already exists")
	}
	d.DocumentID, d.FileName, d.InlineContent = ptr(newID()), nil, nil
	d.CreatedTime, d.CreatedBy, d.LastUpdatedTime, d.LastUpdatedBy = nil, nil, nil, nil
	shown := *d
	if d.SourceURL == nil {
		shown.SourceURL = ptr(" ") // in the answers to writes alone (seen)
	}
	if *d.SourceType != "URL" {
		d.SourceURL = nil
	}
	d.Type = storedType(d.Type)
	changed := *a
	changed.Documents = append(slices.Clone(a.Documents), keptDocument{apiDocument: *d})
	c.keepAPI(&changed)
	return created(publisher.location+c.recordPath(a)+"/documents/"+*d.DocumentID, shown)
}

// storedType is the type of a document as it is read: SWAGGER_DOC is lost (seen).
func storedType(kind *string) *string {
	if *kind == "SWAGGER_DOC" {
		return ptr("OTHER")
	}
	return kind
}

func (a *apiRecord) documentNamed(name string) bool {
	return slices.ContainsFunc(a.Documents, func(d keptDocument) bool { return *d.Name == name })
}

func readDocument(c *call) *answer {
	a, i, bad := c.heldDocument()
	if bad != nil {
		return bad
	}
	return ok(a.Documents[i].apiDocument)
}

// updateDocument replaces the metadata; name and content stay (apim-behaviour 5.6).
func updateDocument(c *call) *answer {
	d := &apiDocument{}
	if bad := readBody(c.body, d); bad != nil {
		return bad
	}
	a, i, bad := c.heldDocument()
	if bad != nil {
		return bad
	}
	if bad := checkDocument(d, badRequest); bad != nil {
		return bad
	}
	old := a.Documents[i]
	d.DocumentID, d.Name, d.CreatedTime, d.CreatedBy, d.FileName = old.DocumentID, old.Name, old.CreatedTime, old.CreatedBy, old.FileName
	d.InlineContent = nil
	d.LastUpdatedTime, d.LastUpdatedBy = nil, nil
	shown := *d
	d.Type = storedType(d.Type)
	c.withDocument(a, i, keptDocument{*d, old.Content})
	if a.Product {
		shown = *d
	}
	if d.SourceURL == nil && !a.Product {
		shown.SourceURL = ptr(" ")
	}
	return ok(shown)
}

// withDocument stores a changed document.
func (c *call) withDocument(a *apiRecord, i int, d keptDocument) {
	changed := *a
	changed.Documents = slices.Clone(a.Documents)
	changed.Documents[i] = d
	c.keepAPI(&changed)
}

func deleteDocument(c *call) *answer {
	a, i, bad := c.heldDocument()
	if bad != nil {
		return bad
	}
	changed := *a
	changed.Documents = slices.Delete(slices.Clone(a.Documents), i, i+1)
	c.keepAPI(&changed)
	return empty(http.StatusOK)
}

func documentContent(c *call) *answer {
	a, i, bad := c.ownDocument()
	if bad == nil {
		if d := &a.Documents[i]; *d.SourceType == "URL" || d.Content != nil {
			return d.content()
		}
	}
	if a, bad := c.record(); bad != nil {
		return bad
	} else if a.Product {
		return notFound("product documentation", c.vars["document"])
	}
	return notFound("documentation", c.vars["document"])
}

// content answers what a document holds: its text, its file, or the way to its address.
func (d *keptDocument) content() *answer {
	switch {
	case *d.SourceType == "URL":
		return &answer{status: http.StatusSeeOther, redirect: text(d.SourceURL)}
	case d.Content == nil:
		return empty(http.StatusNoContent)
	case *d.SourceType == "FILE":
		return &answer{status: http.StatusOK, kind: d.Content.Kind, download: d.Content.Name, body: d.Content.Content}
	}
	return &answer{status: http.StatusOK, kind: "text/plain", body: d.Content.Content}
}

// uploadDocument stores the content: a text for INLINE and MARKDOWN, a file for FILE; the wrong one is refused.
func uploadDocument(c *call) *answer {
	a, i, bad := c.heldDocument()
	if bad != nil {
		return bad
	}
	d := a.Documents[i]
	file, hasFile := c.fields["file"]
	inline, hasText := c.fields["inlineContent"]
	noun := "document "
	if a.Product {
		noun = "product document "
	}
	switch {
	case hasFile && hasText:
		return badRequest("Only one of 'file' and 'inlineContent' should be specified")
	case hasFile && *d.SourceType != "FILE":
		return badRequest("Source type of " + noun + *d.DocumentID + " is not FILE")
	case hasFile && wrongEnding(file.name, file.text) != "":
		return refuse(http.StatusUnsupportedMediaType, 902050, "Invalid or mismatched media type detected.",
			"File extension '"+strings.ToLower(path.Ext(file.name))+"' does not match detected MIME type '"+wrongEnding(file.name, file.text)+"'")
	case hasFile:
		d.Content = &storedFile{Name: file.name, Kind: mediaType(file.name), Content: []byte(file.text)}
		// It is shown with the way to it in the registry (seen).
		d.FileName = ptr("/registry/resource/_system/governance/apimgt/applicationdata/provider/" + strings.ReplaceAll(a.field("provider"), "@", "-AT-") + "/" +
			a.field("name") + "/" + a.field("version") + "/documentation/files/" + file.name)
	case hasText && *d.SourceType != "INLINE" && *d.SourceType != "MARKDOWN":
		return badRequest("Source type of " + noun + *d.DocumentID + " is not INLINE or MARKDOWN")
	case hasText:
		d.Content = &storedFile{Kind: "text/plain", Content: []byte(inline.text)}
	default:
		return badRequest("Either 'file' or 'inlineContent' should be specified")
	}
	c.withDocument(a, i, d)
	return created(publisher.location+c.recordPath(a)+"/documents/"+*d.DocumentID+"/content", d.apiDocument)
}

// endings are some media types that the server knows by their first bytes, with the endings of their files.
var endings = []struct{ kind, starts, ending string }{
	{"application/pdf", "%PDF-", ".pdf"}, {"image/png", "\x89PNG\r\n", ".png"}, {"image/gif", "GIF8", ".gif"}, {"image/jpeg", "\xff\xd8\xff", ".jpg .jpeg"},
}

// wrongEnding tells what a file is where its ending says that it is something else, among these (seen).
func wrongEnding(name, text string) string {
	is, claimed := "", false
	for _, e := range endings {
		if slices.Contains(strings.Fields(e.ending), strings.ToLower(path.Ext(name))) {
			claimed = !strings.HasPrefix(text, e.starts)
		}
		if strings.HasPrefix(text, e.starts) {
			is = e.kind
		}
	}
	switch {
	case !claimed:
		return ""
	case is == "" && utf8.ValidString(text):
		return "text/plain"
	case is == "":
		return "application/octet-stream"
	}
	return is
}

// validateDocument tells whether a document of a name exists: 200 or 404.
func validateDocument(c *call) *answer {
	a, bad := c.record()
	if bad != nil {
		return bad
	}
	if !a.documentNamed(c.request.URL.Query().Get("name")) {
		return empty(http.StatusNotFound)
	}
	return empty(http.StatusOK)
}
