package apim

import (
	"bytes"
	"mime/multipart"
	"net/textproto"
	"strings"

	"wso2plan/providers/rest"
)

// A formPart is one field of a form: a text, or a file when it has a file name.
type formPart struct{ name, file, text string }

// formRequest makes a request that sends a form. The same form has the same bytes.
func formRequest(method, path string, parts ...formPart) rest.Request {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	all := make([]string, 0, 2*len(parts))
	for _, p := range parts {
		all = append(all, p.name, p.text)
	}
	_ = w.SetBoundary("wso2plan" + sha256Hex([]byte(strings.Join(all, "\x00")))[:32]) // letters and digits: a boundary
	for _, p := range parts {
		header := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + p.name + `"`}}
		if p.file != "" {
			header.Set("Content-Disposition", `form-data; name="`+p.name+`"; filename="`+p.file+`"`)
			header.Set("Content-Type", "application/octet-stream")
		}
		out, _ := w.CreatePart(header) // to memory: it does not fail
		_, _ = out.Write([]byte(p.text))
	}
	_ = w.Close()
	return rest.Request{Method: method, Path: path, Raw: b.Bytes(), ContentType: w.FormDataContentType()}
}
