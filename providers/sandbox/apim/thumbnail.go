package apim

import (
	"bytes"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"mime"
	"net/http"
	"path"
	"strings"
)

func thumbnailRoutes() []route {
	view := []string{"apim:api_view", "apim:api_manage"}
	change := []string{"apim:api_create", "apim:api_manage", "apim:api_publish"}
	var out []route
	for _, base := range []string{"/apis/{api}", "/api-products/{api}"} {
		read := get(publisher, base+"/thumbnail", view, readThumbnail)
		read.produces = ""
		out = append(out, read, form(put(publisher, base+"/thumbnail", change, updateThumbnail)))
	}
	return out
}

func readThumbnail(c *call) *answer {
	a, bad := c.record()
	if bad != nil {
		return bad
	}
	return a.thumbnail()
}

func (a *apiRecord) thumbnail() *answer {
	if a.Thumbnail == nil {
		return empty(http.StatusNoContent)
	}
	return &answer{status: http.StatusOK, kind: a.Thumbnail.Kind, body: a.Thumbnail.Content}
}

// updateThumbnail stores a picture. The server reads it and writes it anew, so that the bytes are others than those that were sent (seen for PNG).
func updateThumbnail(c *call) *answer {
	a, bad := c.record()
	if bad != nil {
		return bad
	}
	file, given := c.fields["file"]
	if !given {
		return empty(http.StatusBadRequest)
	}
	ending := strings.ToLower(path.Ext(file.name))
	switch ending {
	case ".jpg", ".png", ".jpeg", ".svg", ".gif":
	default:
		return badRequest("Unsupported Thumbnail File Extension. Supported extensions are .jpg, .png, .jpeg, .svg and .gif")
	}
	content, err := rewritten([]byte(file.text), ending)
	if err != nil {
		return internal("Error while updating thumbnail of API : " + a.ID)
	}
	changed := *a
	changed.Thumbnail = &storedFile{Name: file.name, Kind: mediaType(file.name), Content: content}
	c.keepAPI(&changed)
	at := c.recordPath(a) + "/thumbnail"
	return created(publisher.location+at, map[string]any{"relativePath": at, "mediaType": changed.Thumbnail.Kind})
}

var errNoPicture = errors.New("no picture")

// rewritten reads a picture and writes it in its own format.
func rewritten(content []byte, ending string) ([]byte, error) {
	if ending == ".svg" {
		if !bytes.Contains(content, []byte("<svg")) {
			return nil, errNoPicture
		}
		return content, nil
	}
	picture, format, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	switch format {
	case "png":
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, picture)
	case "gif":
		err = gif.Encode(&b, picture, nil)
	default:
		err = jpeg.Encode(&b, picture, &jpeg.Options{Quality: 75})
	}
	return b.Bytes(), err
}

// mediaType is the type of a file by its name's ending.
func mediaType(name string) string {
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		kind, _, _ = strings.Cut(kind, ";")
		return kind
	}
	return "application/octet-stream"
}
