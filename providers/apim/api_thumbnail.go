package apim

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // a kind of thumbnail
	"image/png"
	"net/http"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// apiThumbnailType is the table of apim_api_thumbnail (apim-behaviour 5.1).
func apiThumbnailType() *schema.Type {
	return &schema.Type{
		Name: "apim_api_thumbnail",
		Doc: "The picture of an API or an API product in the portals. API Manager writes pictures anew when it stores them, so they are compared by their pixels. " +
			"It has no way to remove one: destroying this puts a transparent pixel in its place, which counts as none.",
		Key: []string{"api_id"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "Path of the API or product."},
			{Name: "api_id", Type: cty.String, Required: true, RequiresReplace: true, Parent: true, Doc: "Id of the API or API product."},
			{Name: "image", Type: cty.String, Required: true, Normalize: pixels, Validate: picture,
				Doc: "Picture in Base64, such as `filebase64(\"logo.png\")`: PNG or GIF. JPEG and SVG are not taken, since what the server makes of them cannot be compared."},
		}},
	}
}

// pictureIn decodes the Base64 of a picture and tells the ending of its kind's file names.
func pictureIn(text string) (content []byte, ending string, err error) {
	content, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, "", fmt.Errorf("it is no Base64: %w", err)
	}
	if isSVG(content) {
		return content, "svg", nil
	}
	_, kind, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, "", errors.New("it is no picture in PNG or GIF")
	}
	return content, kind, nil
}

func isSVG(content []byte) bool {
	head := content[:min(len(content), 1024)]
	return bytes.HasPrefix(bytes.TrimSpace(head), []byte("<")) && bytes.Contains(content, []byte("<svg"))
}

// picture is a validation: it refuses what is no picture that can be compared.
func picture(v cty.Value) error {
	content, kind, err := pictureIn(v.AsString())
	if err != nil {
		return err
	}
	if kind == "svg" {
		return errors.New("it is SVG, of which API Manager makes a picture of pixels that cannot be compared; convert it to PNG")
	}
	p, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("it is a broken picture: %w", err)
	}
	if isNoPicture(p) {
		return errors.New("it is one transparent pixel, which counts as none")
	}
	return nil
}

// pixels is the normal form of a picture: its size and the digest of its pixels; of SVG, of its text.
func pixels(v cty.Value) cty.Value {
	content, kind, err := pictureIn(v.AsString())
	if err != nil {
		return v
	}
	if kind == "svg" {
		return cty.StringVal("svg " + sha256Hex(bytes.TrimSpace(content)))
	}
	p, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return v
	}
	b := p.Bounds()
	var all bytes.Buffer
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c, _ := color.NRGBAModel.Convert(p.At(x, y)).(color.NRGBA)
			if c.A == 0 {
				c = color.NRGBA{} // what cannot be seen has no colour
			}
			all.Write([]byte{c.R, c.G, c.B, c.A})
		}
	}
	return cty.StringVal(fmt.Sprintf("%dx%d %s", b.Dx(), b.Dy(), sha256Hex(all.Bytes())))
}

// noPicture is the transparent pixel that stands for no picture.
func noPicture() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 1, 1))); err != nil {
		return nil // to memory: not reached
	}
	return b.Bytes()
}

func isNoPicture(p image.Image) bool {
	if p.Bounds().Dx() != 1 || p.Bounds().Dy() != 1 {
		return false
	}
	_, _, _, alpha := p.At(p.Bounds().Min.X, p.Bounds().Min.Y).RGBA()
	return alpha == 0
}

// apiThumbnail is the picture of an API.
func apiThumbnail(p *Provider) engine.Type {
	return &thumbnails{provider: p, client: &p.client, table: apiThumbnailType()}
}

// thumbnails is the type apim_api_thumbnail. Its ids are paths of APIs and products: "apis/ID".
type thumbnails struct {
	provider *Provider
	client   *rest.Client
	table    *schema.Type
}

// Schema returns the table.
func (t *thumbnails) Schema() *schema.Type { return t.table }

// Find finds the picture of an API.
func (t *thumbnails) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	holder, err := t.provider.holderPath(ctx, knownString(wanted, "api_id"))
	if err != nil {
		return nil, err
	}
	return t.Read(ctx, holder)
}

// Read reads a picture.
func (t *thumbnails) Read(ctx context.Context, id string) (*engine.Object, error) {
	parts, err := heldID(id, 2)
	if err != nil {
		return nil, err
	}
	none := fmt.Errorf("%s has no thumbnail: %w", id, engine.ErrNotFound)
	res, err := t.client.Do(ctx, rest.Request{Path: publisher + "/" + id + "/thumbnail", Accept: "*/*"})
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil, none
	case err != nil && t.provider.missingHolder(ctx, id):
		return nil, none
	case err != nil:
		return nil, err
	case res.Status == http.StatusNoContent, len(res.Body) == 0:
		return nil, none
	}
	if !isSVG(res.Body) {
		if p, _, derr := image.Decode(bytes.NewReader(res.Body)); derr == nil && isNoPicture(p) {
			return nil, none
		}
	}
	return &engine.Object{ID: id, Value: t.table.Object(map[string]cty.Value{
		"id": cty.StringVal(id), "api_id": cty.StringVal(parts[1]), "image": cty.StringVal(base64.StdEncoding.EncodeToString(res.Body)),
	})}, nil
}

// put stores a picture.
func (t *thumbnails) put(ctx context.Context, id string, content []byte, ending string) error {
	return t.client.Call(ctx, formRequest(http.MethodPut, publisher+"/"+id+"/thumbnail", formPart{"file", "thumbnail." + ending, string(content)}), nil)
}

// Create stores the picture of an API that has none.
func (t *thumbnails) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	holder, err := t.provider.holderPath(ctx, knownString(planned, "api_id"))
	if err != nil {
		return nil, rest.Unwritten(&engine.AttributeError{Attribute: "api_id", Summary: "Unknown API", Err: rest.Unfound(err)})
	}
	return t.store(ctx, holder, planned)
}

func (t *thumbnails) store(ctx context.Context, id string, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	content, ending, err := pictureIn(knownString(planned, "image"))
	if err != nil {
		return nil, rest.Unwritten(&engine.AttributeError{Attribute: "image", Summary: "Invalid image", Err: err})
	}
	if err := t.put(ctx, id, content, ending); err != nil {
		return nil, &engine.AttributeError{Attribute: "image", Summary: "Image refused", Err: rest.Unfound(err)}
	}
	o, err := t.Read(ctx, id)
	if err != nil {
		return &engine.Object{ID: id, Value: settled(planned)}, fmt.Errorf("the thumbnail was stored and could not be read: %w", rest.Unfound(err))
	}
	return o, notStored(&t.table.Block, t.table.Object(nil), planned, o.Value)
}

// Update puts another picture in the place of the live one.
func (t *thumbnails) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, err := t.Read(ctx, live.ID)
	if err != nil {
		return nil, err
	}
	if err := rest.Moved(&t.table.Block, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	return t.store(ctx, live.ID, planned)
}

// Delete puts what counts as none in the place of a picture.
func (t *thumbnails) Delete(ctx context.Context, live *engine.Object) error {
	if _, err := t.Read(ctx, live.ID); errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return t.put(ctx, live.ID, noPicture(), "png")
}
