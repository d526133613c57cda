package apim

import (
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

// TestDocumentFile: the server shows a file's name with the way to it in its registry, and the document has the name alone.
func TestDocumentFile(t *testing.T) {
	s := serve(t, nil)
	api := s.raw(201, "POST", publisher+"/apis", map[string]any{"name": "A", "context": "/a", "version": "1.0.0", "policies": []string{"Gold"}})["id"].(string)
	documents := s.typ("apim_api_document")
	o := must[*engine.Object](t)(documents.Create(t.Context(), value(documents, map[string]cty.Value{"api_id": str(api), "name": str("Guide"), "type": str("HOWTO"),
		"source_type": str("FILE"), "visibility": str("API_LEVEL"), "content_base64": str("dGV4dA=="), "file_name": str("guide.txt")})))
	again := must[*engine.Object](t)(documents.Read(t.Context(), o.ID))
	for _, v := range []cty.Value{o.Value, again.Value} {
		if knownString(v, "file_name") != "guide.txt" || knownString(v, "content_base64") != "dGV4dA==" {
			t.Errorf("read %#v", v)
		}
	}
}
